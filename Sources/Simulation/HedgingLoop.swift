import Greeks
import Market
import Rebalancing
import VectorMath

/// Runs one policy's account along the eight paths of a block.
///
/// Every step: look, decide, trade, evolve, explain. The account is kept twice: as cash, coins and positions,
/// which every payment changes, and as the parts of `ProfitPart`, which are computed from Greeks and prices.
/// Nothing is allocated per step, unless options are traded.
final class HedgingLoop {
    let terms: TradingTerms
    let grid: TimeGrid
    let book: BookTrack
    let instrument: InstrumentTrack
    let venues: [VenueTrack]
    /// Sums over the steps, per part; per figure.
    let parts, metrics: ColumnStorage<Lanes>
    let partsOfStep: ColumnStorage<Lanes>
    /// Orders under way, per venue a ring of its delay in steps + 1: coins, and the mark at the decision.
    let rings, decisionMarks: ColumnStorage<Lanes>
    let ringStarts: [Int]
    let ringTotal: Int
    /// Own displacement of the price at each venue, as a part of it, and what is left of it after a step.
    let displacement: ColumnStorage<Lanes>
    let displacementDecay: [Double]
    let canBeStale: Bool
    let options: OptionHedges?
    /// Where the venue's own rule decides.
    let venueMargin: VenueMargin?
    let deltaLimit: Lanes
    /// Volatility of the last day's returns over that of the path's first time, for spreads that widen.
    let volatilityRatio: ColumnStorage<Lanes>
    var account = Account()

    static let partCount = ProfitPart.allCases.count
    static let metricCount = PathMetric.allCases.count

    struct Account {
        var cash = Lanes.zero
        var coins = Lanes.zero
        /// Coins of spot or of a linear contract, or quote units of an inverse one.
        var position = Lanes.zero
        /// Orders under way, in coins.
        var pending = Lanes.zero
        var marginEquity = Lanes.zero
        /// Of the step at hand: coins traded, Σ coins·middle price, and what trading them cost.
        var traded = Lanes.zero
        var tradedValue = Lanes.zero
        var costs = Lanes.zero
        /// 1 until the whole account was liquidated, then 0.
        var alive = Lanes(repeating: 1)
        var highest = Lanes.zero
        var yearsSinceHedge = Lanes(repeating: .infinity)
        /// The scale that a policy with volatilities of its own last asked for.
        var volatilityScale: Lanes?
    }

    init(
        _ terms: TradingTerms, _ book: BookTrack, _ instrument: InstrumentTrack, _ venues: [VenueTrack],
        _ options: OptionHedges?, _ venueMargin: VenueMargin?
    ) {
        self.venueMargin = venueMargin
        self.terms = terms
        grid = book.schedule.grid
        self.book = book
        self.instrument = instrument
        self.venues = venues
        self.options = options
        parts = ColumnStorage(repeating: .zero, count: Self.partCount)
        metrics = ColumnStorage(repeating: .zero, count: Self.metricCount)
        partsOfStep = ColumnStorage(repeating: .zero, count: Self.partCount)
        var starts: [Int] = []
        var total = 0
        for venue in venues {
            starts.append(total)
            total += venue.delaySteps + 1
        }
        ringStarts = starts
        ringTotal = total
        rings = ColumnStorage(repeating: .zero, count: total)
        decisionMarks = ColumnStorage(repeating: .zero, count: total)
        displacement = ColumnStorage(repeating: .zero, count: venues.count)
        let stepHours = book.schedule.grid.stepYears * Year.hours
        displacementDecay = venues.map { track in
            guard case .orderBook(let costs) = track.venue.costs, costs.impactHalfLifeHours > 0 else {
                return 0
            }
            return decay(over: stepHours, halfLife: costs.impactHalfLifeHours)
        }
        volatilityRatio = ColumnStorage(repeating: Lanes(repeating: 1), count: book.times)
        canBeStale = venues.contains { $0.canBeStale }
        deltaLimit = Lanes(repeating: terms.deltaLimit)
    }

    var isSpot: Bool { terms.instrument.kind == .spot }
    var isInverse: Bool { terms.instrument.kind.isInverse }

    @inline(__always)
    func credit(_ part: ProfitPart, _ amount: Lanes) { partsOfStep[part.rawValue] += amount }

    @inline(__always)
    func tally(_ metric: PathMetric, _ amount: Lanes) { metrics[metric.rawValue] += amount }

    /// The hedge's delta in coins, what is held in coin counted in.
    @inline(__always)
    func hedgeDelta(_ mark: Lanes) -> Lanes {
        (isInverse ? account.position / mark : account.position) + account.coins
    }

    @inline(__always)
    func equity(_ time: Int) -> Lanes {
        let spot = book.markets[time].spot
        let held = isSpot ? account.position + account.coins : account.coins
        var equity = account.cash + held * spot + book.sums[time].price * account.alive
        if let options { equity += options.value(time) }
        return equity
    }

    /// Runs the policy.
    /// - Parameters:
    ///   - block: what the tracks were drawn for.
    ///   - realised: the policy's estimate of volatility at each time, if it wants one.
    ///   - trace: takes down one lane.
    func run(
        _ policy: some RebalancingPolicy, _ block: PathBlock, realised: EstimateTrack?,
        trace: (lane: Int, body: (TracedStep) -> Void)? = nil
    ) {
        begin(block)
        var view = View(seen: book.sums[0])
        view.state.rate = Lanes(repeating: book.schedule.book.rate)
        for time in 0..<grid.steps {
            partsOfStep.fill(.zero)
            let equityBefore = trace == nil ? Lanes.zero : equity(time)
            look(&view, policy, block, realised, time)
            let decision = decide(policy, view, time)
            let (filled, isUnserved) = trade(decision, time, block)
            tally(.timeUnhedged, Lanes(repeating: 1).kept(where: isUnserved))
            let held = trace == nil ? [] : heldOptions(trace?.lane ?? 0)
            evolve(
                time, before: decision.before, isHedged: (filled .!= .zero) .& .!decision.keepsClock)
            guard let (lane, body) = trace else { continue }
            body(traced(lane, time, view, decision, filled, held, equityBefore))
        }
        finish()
    }

    /// The state that the policy sees.
    private struct View {
        var state = RebalancingState()
        /// The book as it was when the venue's prices were last new, and when that was.
        var seen: PathSums
        var seenTime = 0
        /// 1 where they are old.
        var stale = Lanes.zero
        /// The hedge, orders under way counted in, in coins.
        var hedge = Lanes.zero
        var isFirst = true
    }

    /// The change that the policy wants.
    private struct Decision {
        var band: RebalancingBand
        /// The hedge's delta before this step's fills.
        var before: Lanes
        /// Coins of the underlying, within the desk's limit.
        var asked: Lanes
        /// Lanes in which prices are too old to be traded on.
        var isRefused: LaneMask
        var keepsClock = LaneMask(repeating: false)
        var isUnserved = LaneMask(repeating: false)
    }

    /// An empty account that has bought the book at its value: equity begins at 0.
    private func begin(_ block: PathBlock) {
        parts.fill(.zero)
        metrics.fill(.zero)
        rings.fill(.zero)
        displacement.fill(.zero)
        account = Account()
        options?.reset()
        let first = book.sums[0].price
        if book.schedule.book.settlement == .coin {
            account.coins = (first / book.markets[0].spot).negated
        } else {
            account.cash = first.negated
        }
        if let margin = terms.margin { account.marginEquity = Lanes(repeating: margin.collateral) }
        if venues.contains(where: \.spreadWidens) { measureVolatility(block) }
    }

    /// Shows the policy the market as it is, or where the venue's prices are old as it last was.
    private func look(
        _ view: inout View, _ policy: some RebalancingPolicy, _ block: PathBlock,
        _ realised: EstimateTrack?, _ time: Int
    ) {
        var fresh = LaneMask(repeating: true)
        if canBeStale {
            let stepSeconds = grid.stepYears * Year.days * 86400
            view.stale = venues[0].isStale[time]
            fresh = (view.stale .== .zero) .| LaneMask(repeating: view.isFirst)
            view.state.dataAge = (view.state.dataAge + Lanes(repeating: stepSeconds)).kept(where: .!fresh)
            view.seen.replace(with: book.sums[time], where: fresh)
            view.state.spot.replace(with: book.markets[time].spot, where: fresh)
            view.state.impliedVolatility.replace(with: block.impliedVolatility[time], where: fresh)
            // Spans of old prices are planned: the same in all lanes.
            if fresh[0] { view.seenTime = time }
        } else {
            view.seen = book.sums[time]
            view.seenTime = time
            view.state.spot = book.markets[time].spot
            view.state.impliedVolatility = block.impliedVolatility[time]
        }
        view.isFirst = false
        view.hedge = hedgeDelta(instrument.mark[time]) + account.pending
        view.state.time = Lanes(repeating: grid.years(time))
        view.state.yearsToExpiry = Lanes(repeating: book.schedule.yearsToExpiry[time])
        view.state.yearsSinceHedge = account.yearsSinceHedge
        view.state.gamma = view.seen.gamma * account.alive
        view.state.vega = view.seen.vega * account.alive
        view.state.theta = view.seen.theta * account.alive
        view.state.delta = (view.seen.delta + view.hedge) * account.alive
        let options = policy.tradesOptions ? options : nil
        options?.look(time, where: fresh, into: &view.state)
        if let realised { view.state.realisedVolatility = realised.volatility[view.seenTime] }
        view.state.forecastVolatility = PortableArithmetic.squareRoot(block.variance[time])
        quote(&view.state, time)
        guard policy.adjustsVolatility else { return }
        let scale = policy.volatilityScale(view.state)
        account.volatilityScale = scale
        let delta = book.delta(at: view.seenTime, volatilityScale: scale)
        view.state.delta = (delta + view.hedge) * account.alive
        if let options { view.state.delta += options.delta(at: view.seenTime, volatilityScale: scale) }
    }

    /// Asks the policy; options are traded at once.
    private func decide(_ policy: some RebalancingPolicy, _ view: View, _ time: Int) -> Decision {
        let mark = instrument.mark[time]
        let band = policy.band(view.state)
        var decision = Decision(
            band: band, before: hedgeDelta(mark), asked: .zero,
            isRefused: view.state.dataAge .> Lanes(repeating: terms.oldestPrice))
        if policy.tradesOptions, let options {
            let order = tradeJointly(
                options, policy, band, view.state, view.hedge, time, isRefused: decision.isRefused)
            (decision.asked, decision.keepsClock) = (order.underlying, order.keepsClock)
            decision.isUnserved = order.isUnserved
            // Premiums paid in coin have moved it.
            decision.before = hedgeDelta(mark)
        } else {
            decision.asked = band.change(of: view.state.delta) * account.alive
        }
        decision.asked = limited(decision.asked, view.hedge)
        return decision
    }

    /// Sends what is asked for to the first venue that is up.
    /// - Returns: coins filled in this step, and where not all was taken.
    private func trade(
        _ decision: Decision, _ time: Int, _ block: PathBlock
    ) -> (filled: Lanes, isUnserved: LaneMask) {
        var wanted = decision.asked.kept(where: .!decision.isRefused)
        var filled = Lanes.zero
        for index in venues.indices {
            let order = wanted.kept(where: venues[index].isDown[time] .== .zero)
            wanted -= order
            filled += trade(index, order, time, instrument.mark[time], block)
        }
        let isUnserved =
            (wanted .!= .zero) .| ((decision.asked .!= .zero) .& decision.isRefused)
            .| decision.isUnserved
        return (filled, isUnserved)
    }

    /// One lane of a step that is over, for a chart or a test.
    private func traced(
        _ lane: Int, _ time: Int, _ view: View, _ decision: Decision, _ filled: Lanes,
        _ held: [(position: Double, track: BookTrack)], _ equityBefore: Lanes
    ) -> TracedStep {
        func total(_ greek: (PathSums) -> Lanes) -> Double {
            held.reduce(greek(book.sums[time])[lane] * account.alive[lane]) {
                $0 + $1.position * greek($1.track.sums[time])[lane]
            }
        }
        return TracedStep(
            hours: grid.hours(time), spot: book.markets[time].spot[lane], mark: instrument.mark[time][lane],
            bookDelta: total(\.delta), hedgeBefore: decision.before[lane],
            hedgeAfter: decision.before[lane] + filled[lane], bandLower: decision.band.lower[lane],
            bandUpper: decision.band.upper[lane], gamma: total(\.gamma), vega: total(\.vega),
            theta: total(\.theta), options: held.map(\.position), asked: decision.asked[lane],
            filled: filled[lane], equity: equityBefore[lane], isDown: venues[0].isDown[time][lane] != 0,
            isStale: view.stale[lane] != 0, parts: (0..<Self.partCount).map { partsOfStep[$0][lane] })
    }

    /// Positions in options of one lane, before those that settle are dropped.
    private func heldOptions(_ lane: Int) -> [(position: Double, track: BookTrack)] {
        guard let options else { return [] }
        return options.tracks.indices.map { (options.positions[$0][lane], options.tracks[$0]) }
    }

    /// Present cost of trading at the first venue that is up, as the policy is told.
    @inline(__always)
    func quote(_ state: inout RebalancingState, _ time: Int) {
        for index in venues.indices.reversed() {
            let track = venues[index]
            let costs = track.venue.quotedCosts
            var proportional = Lanes(repeating: costs.proportional)
            var fixed = Lanes.zero
            var depth = Lanes(repeating: .infinity)
            switch track.venue.costs {
            case .orderBook(let book):
                if !book.isMaker {
                    proportional = halfSpread(book, time) + Lanes(repeating: book.takerFee)
                }
                if book.linearImpact > 0 || book.squareRootImpact > 0 {
                    depth = Lanes(repeating: book.depth) / state.spot
                }
            case .pool(let pool):
                fixed = track.gas[time]
                // What moves the pool's price by 1%: half a percent of the coins in it.
                depth =
                    Lanes(repeating: 0.005 * pool.liquidity) / PortableArithmetic.squareRoot(state.spot)
            }
            let isUp = track.isDown[time] .== .zero
            if index == venues.count - 1 {
                (state.proportionalCost, state.fixedCost, state.depth) = (proportional, fixed, depth)
            } else {
                state.proportionalCost.replace(with: proportional, where: isUp)
                state.fixedCost.replace(with: fixed, where: isUp)
                state.depth.replace(with: depth, where: isUp)
            }
        }
    }

    @inline(__always)
    func halfSpread(_ book: OrderBookCosts, _ time: Int) -> Lanes {
        let base = Lanes(repeating: book.halfSpread)
        guard book.spreadWidening > 0 else { return base }
        // Wider where the market moves more than it does as a rule.
        let excess = (volatilityRatio[time] - Lanes(repeating: 1)).atLeast(0)
        return base + base * Lanes(repeating: book.spreadWidening) * excess
    }

    /// Within the desk's position limit: never more than asked, nor the other way.
    @inline(__always)
    func limited(_ change: Lanes, _ hedge: Lanes) -> Lanes {
        guard terms.positionLimit < .infinity else { return change }
        let limit = Lanes(repeating: terms.positionLimit)
        let up = pointwiseMin(change, (limit - hedge).atLeast(0))
        let down = pointwiseMax(change, (limit + hedge).atLeast(0).negated)
        return up.replacing(with: down, where: change .< .zero)
    }

    /// The day's realised volatility over the one that the path began with, which widens spreads; 1 where it began
    /// with none.
    private func measureVolatility(_ block: PathBlock) {
        let decay = scalarExponential(-grid.stepYears * Year.days)
        let first = block.variance[0]
        var average = ExponentialAverage(decay: decay, weight: 1 - decay, start: first)
        let scale = Lanes(repeating: 1 / grid.stepYears)
        let one = Lanes(repeating: 1)
        for time in 1..<book.times {
            let move = block.spot[time] / block.spot[time - 1] - one
            average.add(move * move * scale)
            let ratio = PortableArithmetic.squareRoot(average.value / first)
            volatilityRatio[time] = one.replacing(with: ratio, where: first .> .zero)
        }
    }
}

extension RebalancingPolicy {
    /// Whether it keeps bands that only options can bring an exposure back into.
    var tradesOptions: Bool { greek != .delta || !companions.isEmpty }
}
