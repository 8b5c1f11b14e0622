import Poise
import VenueProtocol

/// Whether exposures are within their bands, and what brings them back.
extension Desk {
    /// A limit as a person sees it.
    public struct Exposure: Sendable {
        public let book: String?
        public let underlying: String
        public let greek: String
        public let unit: String
        public let value: Double
        /// As they are now; policies move them.
        public let low, high: Double
        /// Since when the line is outside one of its bands, and why nothing is done.
        public let outsideSince: Int?
        public let reason: String
    }

    /// All limits with their exposures, as of now.
    public func exposures() -> [Exposure] {
        engine.lines.indices.flatMap { place in
            engine.refresh(place)
            return exposures(place)
        }
    }

    /// All limits with their exposures, as of the last look at each: asking changes nothing.
    public var lookedAt: [Exposure] { looks.flatMap { $0 } }

    private func exposures(_ place: Int) -> [Exposure] {
        let line = engine.lines[place]
        return line.settings.enumerated().map { number, setting in
            let band = outerBand(place, number)
            return Exposure(
                book: line.book, underlying: line.underlying, greek: setting.greek,
                unit: line.hedge.greeks[number].unit(.usd), value: engine.exposure(place, number),
                low: band.low, high: band.high, outsideSince: state.lines[place].outsideSince,
                reason: state.lines[place].reason)
        }
    }

    /// How long each line of limits has been outside, in milliseconds.
    public var timesOutside: [(book: String?, underlying: String, milliseconds: Int)] {
        state.lines.map { ($0.book, $0.underlying, $0.timeOutside) }
    }

    private func outerBand(_ place: Int, _ limit: Int) -> (low: Double, high: Double) {
        let line = engine.lines[place]
        let setting = line.settings[limit]
        guard setting.policy != nil else { return band(of: setting) }
        guard let rule = line.rebalancing?.rules.firstIndex(where: { $0.limit == limit }),
            let band = line.rebalancing?.bands[rule]
        else { return (-.infinity, .infinity) }
        return (band.lower[0], band.upper[0])
    }

    // MARK: Deciding

    /// Looks at each line of limits whose time has come.
    func decide() {
        fitSurfaces()
        for place in engine.lines.indices {
            let memory = state.lines[place]
            guard state.time - memory.decidedAt >= configuration.execution.decisionInterval else { continue }
            decide(place)
        }
    }

    private func decide(_ place: Int) {
        let underlying = engine.lines[place].underlying
        // Before a contract of it is listed there is nothing to look at.
        guard engine.risk.underlyings.contains(underlying) else { return }
        let decidedAt = state.lines[place].decidedAt
        let elapsed = decidedAt == 0 ? 0 : state.time - decidedAt
        state.lines[place].decidedAt = state.time
        state.counters.decisions += 1
        engine.refresh(place)
        let isOutside: Bool
        do throws(Undecided) {
            try requireFigures(place)
            isOutside = try setBands(place)
        } catch {
            looks[place] = exposures(place)
            return undecided(place, error.reason)
        }
        note(place, isOutside: isOutside, elapsed: elapsed)
        looks[place] = exposures(place)
        if let plan = state.plans.firstIndex(where: { $0.underlying == underlying }) {
            if !isOutside, !state.plans[plan].isFlattening { stopIfIdle(plan, line: place) }
            return
        }
        guard isOutside, state.time >= state.lines[place].restUntil else { return }
        if state.kill.level != .none {
            return remain(place, "the kill switch is at \(state.kill.level.rawValue)")
        }
        if let reason = notReady { return remain(place, reason) }
        if let reason = staleInput(underlying) { return remain(place, reason) }
        hedge(place)
    }

    /// Follows how long a line is outside.
    private func note(_ place: Int, isOutside: Bool, elapsed: Int) {
        if isOutside {
            if state.lines[place].outsideSince == nil {
                state.lines[place].outsideSince = state.time
            } else {
                state.lines[place].timeOutside += elapsed
            }
        } else {
            if state.lines[place].isUndecided ?? false {
                report(.resolved, engine.lines[place].underlying, "its bands are known again")
            }
            if let since = state.lines[place].outsideSince {
                state.lines[place].timeOutside += elapsed
                report(
                    .resolved, engine.lines[place].underlying,
                    "within its bands again, after so many milliseconds", Double(state.time - since))
            }
            state.lines[place].outsideSince = nil
            state.lines[place].reason = ""
        }
        state.lines[place].isUndecided = nil
    }

    /// Why nobody can say whether a line is within its bands.
    private struct Undecided: Error {
        let reason: String
    }

    /// Says so once, as soon as everything that the desk needs is confirmed.
    private func undecided(_ place: Int, _ reason: String) {
        guard notReady == nil else { return }
        state.lines[place].isUndecided = true
        remain(place, reason)
    }

    /// Without a figure of something that is held exposures are not known.
    private func requireFigures(_ place: Int) throws(Undecided) {
        let missing = places.withoutFigures(state)
        guard !missing.isEmpty else { return }
        let line = engine.lines[place]
        for holding in state.holdings where line.book == nil || line.book == holding.book {
            guard let known = placeOfContract[holding.instrumentName], missing.contains(known),
                state.contracts[known].instrument.baseCurrency == line.underlying
            else { continue }
            if let refusal = state.contracts[known].refusal {
                throw Undecided(
                    reason: "\(holding.instrumentName) is held, and its price was refused: \(refusal)")
            }
            if state.contracts[known].ticker == nil, let since = state.confirmed.readyAt,
                state.time - since > configuration.guards.tickerAge
            {
                throw Undecided(reason: "\(holding.instrumentName) is held and has no price")
            }
        }
    }

    /// Says once why a line stays outside, or cannot be decided on.
    private func remain(_ place: Int, _ reason: String) {
        guard state.lines[place].reason != reason else { return }
        state.lines[place].reason = reason
        report(.unhedged, engine.lines[place].underlying, reason)
    }

    func rememberReason(_ underlying: String, _ reason: String) {
        for place in state.lines.indices where state.lines[place].underlying == underlying {
            state.lines[place].reason = reason
            state.lines[place].restUntil = state.time + configuration.execution.retry
        }
    }

    /// Something that exposures are made of and that is too old to be believed.
    private func staleInput(_ underlying: String) -> String? {
        for place in places.withoutFigures(state)
        where state.contracts[place].instrument.baseCurrency == underlying {
            return "\(state.contracts[place].instrument.name) is held and has no price"
        }
        let most = configuration.guards.tickerAge
        let oldest = state.time - most
        for place in places.held
        where state.contracts[place].tickerTime < oldest
            && state.contracts[place].instrument.baseCurrency == underlying
        {
            return "the price of \(state.contracts[place].instrument.name) is more than \(most) ms old"
        }
        return nil
    }

    // MARK: Bands

    /// Sets the bands that the solver has to keep: outer ones, and where one has been left, inner ones for that limit.
    /// - Returns: whether one has been left.
    /// - Throws: where a policy has no answer.
    private func setBands(_ place: Int) throws(Undecided) -> Bool {
        let line = engine.lines[place]
        var isOutside = false
        for (number, setting) in line.settings.enumerated() where setting.policy == nil {
            let (low, high) = band(of: setting)
            let value = engine.exposure(place, number)
            let isLeft = !(value >= low && value <= high)
            isOutside = isOutside || isLeft
            let share = setting.landing ?? 0.5
            let (middle, half) = ((low + high) / 2, (high - low) / 2)
            let isInner = isLeft && half.isFinite
            // A band that is narrower than the finest trade would be missed by all.
            let inner = min(half, max(share * half, grain(line, number)))
            line.hedge.setBand(
                number, low: isInner ? middle - inner : low, high: isInner ? middle + inner : high)
        }
        guard line.hasPolicies else { return isOutside }
        guard let rebalancing = line.rebalancing else {
            throw Undecided(reason: "there is no policy: \(line.policyRefusal ?? "nothing is listed")")
        }
        keepStates(place, rebalancing)
        do { try rebalancing.setBands() } catch { throw Undecided(reason: "\(error)") }
        isOutside = isOutside || rebalancing.isOutside.contains(true)
        guard !isOutside else { return true }
        // A policy without a band does nothing, whatever the exposure: that is to be seen.
        for (number, rule) in rebalancing.rules.enumerated() {
            let band = rebalancing.bands[number]
            guard band.lower[0] == -.infinity, band.upper[0] == .infinity,
                engine.exposure(place, rule.limit) != 0
            else { continue }
            let cause = rebalancing.states[number].yearsToExpiry[0].isFinite ? "" : ", and no option is held"
            throw Undecided(
                reason:
                    "\(line.settings[rule.limit].greek): the policy has no band now\(cause) (\(rule.policy.name))"
            )
        }
        return false
    }

    /// What the finest trade of any candidate changes in a limit's exposure; 0 without candidates.
    private func grain(_ line: DeskEngine.Line, _ limit: Int) -> Double {
        let greek = line.hedge.greeks[limit]
        var finest = Double.infinity
        for (number, candidate) in line.hedge.candidates.enumerated() {
            guard let place = placeOfContract[candidate.instrument.name] else { continue }
            let change = line.hedge.risk.figure(line.hedge.contracts[number], greek).magnitude
            let step = state.contracts[place].step.amount
            if change * step > 0 { finest = min(finest, change * step) }
        }
        return finest.isFinite ? finest : 0
    }

    /// What policies want to know and exposures do not tell.
    private func keepStates(_ place: Int, _ rebalancing: LiveRebalancing) {
        let line = engine.lines[place]
        let index = state.indices.first { $0.name.hasPrefix(line.underlying.lowercased() + "_usd") }
        let age = index.map { Double(state.time - $0.time) / 1_000 } ?? .nan
        var cost = 0.0005
        var depth = 0.0
        for contract in places.candidates.lazy.map({ self.state.contracts[$0] })
        where contract.isPerpetual && contract.instrument.baseCurrency == line.underlying {
            guard let book = contract.book, let middle = book.middle, let bid = book.bids.first,
                let ask = book.asks.first
            else { continue }
            cost = (ask.price - bid.price) / 2 / middle + contract.instrument.takerCommission
            depth += contract.instrument.coins(of: min(bid.amount, ask.amount), at: middle).value
        }
        let year = 365.0 * Double(VenueTime.day)
        let options = heldOptions(place)
        for number in rebalancing.states.indices {
            rebalancing.states[number].impliedVolatility = .init(repeating: options.volatility)
            rebalancing.states[number].yearsToExpiry = .init(repeating: options.years)
            rebalancing.states[number].rate = .init(repeating: options.rate)
            rebalancing.states[number].dataAge = .init(repeating: age)
            rebalancing.states[number].proportionalCost = .init(repeating: cost)
            rebalancing.states[number].depth = .init(repeating: depth)
            rebalancing.states[number].yearsSinceHedge = .init(
                repeating: state.lines[place].lastHedge.map { Double(state.time - $0) / year } ?? .infinity)
        }
    }

    /// Volatility, time to expiry and rate of the options that a line covers, each by its share of their gamma; without
    /// gamma there is no expiry.
    private func heldOptions(_ place: Int) -> (volatility: Double, years: Double, rate: Double) {
        let line = engine.lines[place]
        let risk = line.hedge.risk
        var (weights, volatility, days, rate) = (0.0, 0.0, 0.0, 0.0)
        for holding in state.holdings where line.book == nil || line.book == holding.book {
            guard let known = placeOfContract[holding.instrumentName],
                let contract = risk.index(of: holding.instrumentName),
                let own = risk.volatility(ofContract: contract),
                state.contracts[known].instrument.baseCurrency == line.underlying
            else { continue }
            let weight = (holding.quantity.amount * risk.figure(contract, .gamma)).magnitude
            guard weight > 0 else { continue }
            weights += weight
            volatility += weight * own
            days += weight * max(0, state.contracts[known].daysLeft(at: state.time))
            rate += weight * risk.rate(ofSlice: risk.slice(of: contract))
        }
        guard weights > 0 else { return (0, .infinity, 0) }
        return (volatility / weights, days / weights / 365, rate / weights)
    }

    // MARK: Candidates

    /// Gives the solver the order books as they are; those that are too old or closed have nothing to trade.
    private func keepBooks(_ place: Int) {
        let line = engine.lines[place]
        for number in places.candidates {
            let contract = state.contracts[number]
            guard contract.instrument.baseCurrency == line.underlying,
                let listed = line.hedge.risk.index(of: contract.instrument.name),
                let candidate = line.candidateOfContract[listed]
            else { continue }
            let isUsable =
                contract.state == .open && !contract.isBlocked && contract.book?.isValid ?? false
                && state.time - contract.bookTime <= configuration.guards.bookAge
                && state.time - contract.tickerTime <= configuration.guards.tickerAge
                && contract.daysLeft(at: state.time) * 1_440 >= configuration.guards.minutesToExpiry
            // What the solver has already it keeps.
            let version = isUsable ? places.bookVersions[number] : -1
            guard line.bookVersions[number] != version else { continue }
            engine.lines[place].bookVersions[number] = version
            // The most that one order may be is the most that one decision may ask for.
            let amounts = isUsable ? contract.book : nil
            func levels(_ levels: [VenueProtocol.PriceLevel]?) -> [OrderLevel] {
                (levels ?? []).map { OrderLevel(price: $0.price, amount: $0.amount.value) }
            }
            do throws(RiskError) {
                try line.hedge.setBook(
                    bids: levels(amounts?.bids), asks: levels(amounts?.asks), ofCandidate: candidate)
            } catch {
                // What was refused is not traded on, nor is the book before it.
                report(.alarm, contract.instrument.name, "its order book was refused: \(error)")
                state.contracts[number].book = BookView(
                    contract.instrument.name, bids: [], asks: [], isValid: false)
                try? line.hedge.setBook(bids: [], asks: [], ofCandidate: candidate)
            }
        }
    }

    // MARK: Hedging

    private func hedge(_ place: Int) {
        keepBooks(place)
        let line = engine.lines[place]
        var answer = solve(line)
        if case .failure = answer {
            // What cannot be brought to the inner bands may still be brought to the edges.
            for (number, _) in line.settings.enumerated() {
                let band = outerBand(place, number)
                line.hedge.setBand(number, low: band.low, high: band.high)
            }
            answer = solve(line)
        }
        let trades: [Double]
        switch answer {
        case .success(let found): trades = found
        case .failure(let undecided): return remain(place, undecided.reason)
        }
        var plan = Plan()
        (plan.book, plan.underlying, plan.startedAt) = (line.book, line.underlying, state.time)
        for (number, trade) in trades.enumerated() where trade != 0 {
            let name = line.hedge.candidates[number].instrument.name
            guard let known = placeOfContract[name], let quantity = Quantity(trade) else { continue }
            let contract = state.contracts[known]
            var leg = Plan.Leg()
            // The search keeps lots to within rounding.
            leg.target = Self.nearest(quantity, contract.step)
            guard leg.target.magnitude >= contract.minimum, leg.target != .zero else { continue }
            leg.instrumentName = name
            leg.style = contract.isOption ? configuration.execution.options : configuration.execution.futures
            leg.middle = contract.middle ?? 0
            plan.legs.append(leg)
        }
        guard !plan.legs.isEmpty else { return remain(place, "what is missing is below the smallest trade") }
        state.lines[place].lastHedge = state.time
        state.lines[place].reason = ""
        for (number, setting) in line.settings.enumerated() {
            let band = outerBand(place, number)
            let value = engine.exposure(place, number)
            guard value < band.low || value > band.high else { continue }
            report(
                .decision, line.underlying, "\(line.book ?? "all books"): \(setting.greek) has left its band",
                value, value < band.low ? band.low : band.high)
        }
        begin(plan)
    }

    static func nearest(_ quantity: Quantity, _ step: Quantity) -> Quantity {
        guard step.units > 0 else { return quantity }
        let count = (Double(quantity.units) / Double(step.units)).rounded()
        return Quantity(units: Int(count) * step.units)
    }

    /// The trades, where there are some that may be trusted.
    private func solve(_ line: DeskEngine.Line) -> Result<[Double], Undecided> {
        let decision: LiveHedge.Decision
        do throws(HedgeError) { decision = try line.hedge.decide() } catch {
            return .failure(Undecided(reason: "trades could not be searched for: \(error)"))
        }
        switch decision {
        case .withinLimits: return .success([])
        case .hedge(.optimal): return .success(line.hedge.solution.trades)
        case .hedge(.budget) where line.hedge.solution.gap.isFinite:
            return .success(line.hedge.solution.trades)
        case .hedge(let status):
            return .failure(Undecided(reason: "no trades at hand bring it back: \(status.rawValue)"))
        }
    }

    /// Exposures are back without a plan's fills: what waits is taken back.
    private func stopIfIdle(_ place: Int, line: Int) {
        let plan = state.plans[place]
        guard plan.book == engine.lines[line].book, plan.legs.allSatisfy({ $0.filled == .zero }) else {
            return
        }
        for number in plan.legs.indices { state.plans[place].legs[number].isOver = true }
        for order in state.orders.indices where state.orders[order].plan == plan.number { cancel(order) }
    }
}
