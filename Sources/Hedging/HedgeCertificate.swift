/// How far an answer is from perfect, computed from the problem's own numbers: from what the answer and the bands
/// are made of, never from what could have been traded.
public struct HedgeCertificate: Sendable, Equatable {
    /// Cost of the trades less the bound of the multipliers, relative to the cost, or, where costs and earnings
    /// cancel, to 1e-5 of what its parts add up to without their signs. No other trades are cheaper by more.
    public var gap = Double.infinity
    /// Largest violation of a hard limit, relative to the band's width, or to 1e-3 of what its exposure is made of
    /// (the present one and what each trade adds, without signs) where that is more.
    public var violation = Double.infinity
    /// Largest difference between the marginal cost of an instrument and what the multipliers pay for it,
    /// relative to the two.
    public var stationarity = Double.infinity

    /// Whether the trades are optimal to 1e-9.
    public var holds: Bool { gap <= 1e-9 && violation <= 1e-9 }
}

extension HedgeProblem {
    /// Share of what a sum is made of that counts as its size where the sum itself, or a band's width, is smaller.
    static let leastShareOfTerms = 1e-3

    /// How far a hard limit is left, relative to its width and to what the sum that it limits is made of.
    static func relativeViolation(_ outside: Double, width: Double, terms: Double) -> Double {
        let size = max(width < .infinity ? width : 0, leastShareOfTerms * terms)
        return size > 0 ? outside / size : .infinity
    }

    /// Certifies trades with multipliers: the derivative of the least cost with respect to each band's active
    /// limit (positive at `low`, negative at `high`), to the margin limit and to the cash budget (negative).
    /// `scratch` holds `certificateRoom` doubles. Where multipliers are known to more digits than doubles have,
    /// `exactPrices` holds them: of the bands, of margin, of cash.
    ///
    /// The bound is the Lagrange dual, with the risk term replaced by its tangent at the trades: any multipliers
    /// give a valid one. Where an instrument's limit is far, or where there is none, cheaper trades are bounded by
    /// what they cost themselves. What doubles cannot tell is computed in twice their digits.
    /// - Parameter tangent: where the risk's tangent touches it, dollar delta by dollar delta: of the trades, if nil.
    /// - Returns: also what the trades cost, fixed costs included, as `cost(trades:)` does.
    func certificate(
        trades: [Double], bandPrices: [Double], marginPrice: Double, cashPrice: Double,
        scratch: UnsafeMutablePointer<Double>, tangent: UnsafePointer<DoubleDouble>? = nil,
        exactPrices: UnsafePointer<DoubleDouble>? = nil
    ) -> (HedgeCertificate, HedgeCost) {
        func certified<N: HedgeNumber>(_: N.Type, _ tangent: UnsafePointer<N>?) -> (
            HedgeCertificate, HedgeCost, isExact: Bool
        ) {
            let prices = UnsafeMutableRawPointer(scratch).bindMemory(to: N.self, capacity: bands.count + 2)
            for r in bands.indices { prices[r] = N(bandPrices[r]) }
            prices[bands.count] = N(marginPrice)
            prices[bands.count + 1] = N(cashPrice)
            return certify(N.self, trades, prices, scratch + 2 * (bands.count + 2), tangent)
        }
        if let exactPrices {
            let room = scratch + 2 * (bands.count + 2)
            let (certificate, cost, _) = certify(DoubleDouble.self, trades, exactPrices, room, tangent)
            return (certificate, cost)
        }
        if tangent == nil {
            let (certificate, cost, isExact) = certified(Double.self, nil)
            if certificate.holds, isExact { return (certificate, cost) }
        }
        let (certificate, cost, _) = certified(DoubleDouble.self, tangent)
        return (certificate, cost)
    }

    /// Doubles that `certificate` needs.
    static func certificateRoom(instruments: Int, underlyings: Int, bands: Int) -> Int {
        2 * (2 * instruments + 4 * underlyings + bands + 2)
    }

    /// Where nothing limits a trade, a slope that rounding leaves of its terms counts for the trade that there is:
    /// trades that it could make cheaper would have to be of more digits than these numbers have.
    private static let slopeNoise = 1e-28

    private func certify<N: HedgeNumber>(
        _: N.Type, _ trades: [Double], _ prices: UnsafePointer<N>, _ scratch: UnsafeMutablePointer<Double>,
        _ tangent: UnsafePointer<N>?
    ) -> (certificate: HedgeCertificate, cost: HedgeCost, isExact: Bool) {
        trades.withUnsafeBufferPointer { trades in
            instruments.withUnsafeBufferPointer { instruments in
                certify(N.self, instruments, trades, prices, scratch, tangent)
            }
        }
    }

    @inline(__always)
    private func certify<N: HedgeNumber>(
        _: N.Type, _ instruments: UnsafeBufferPointer<HedgeInstrument>,
        _ trades: UnsafeBufferPointer<Double>, _ prices: UnsafePointer<N>,
        _ scratch: UnsafeMutablePointer<Double>, _ tangent: UnsafePointer<N>?
    ) -> (certificate: HedgeCertificate, cost: HedgeCost, isExact: Bool) {
        let isPrecise = N.self != Double.self
        let count = instruments.count
        let marginPrice = min(prices[bands.count], N(0))
        let cashPrice = min(prices[bands.count + 1], N(0))
        let room = 2 * count + 4 * underlyings.count
        let scratch = UnsafeMutableRawPointer(scratch).bindMemory(to: N.self, capacity: room)
        // What the multipliers pay per unit of each instrument, and the same without signs.
        let (paid, paidTerms) = (scratch, scratch + count)
        for i in 0..<count { paid[i] = N(0) }
        if isPrecise { for i in 0..<count { paidTerms[i] = N(0) } }
        var cost = HedgeCost()
        var violation = 0.0
        var bound = N(0)
        var boundTerms = 0.0
        var penalty = N(0)
        // What the cost is made of, without signs, and what trades in doubles can cost at best where the cheapest of
        // more digits cost nothing.
        var (gross, rounding) = (0.0, 0.0)
        for r in bands.indices {
            let band = bands[r]
            let price = admissible(band, prices[r])
            let term = dualTerm(band, price)
            bound += term
            boundTerms += term.double.magnitude
            var exposure = N(band.current)
            var terms = band.current.magnitude
            entries.withUnsafeBufferPointer { entries in
                for k in band.entries {
                    let entry = entries[k]
                    let move = N(entry.coefficient) * N(trades[entry.instrument])
                    exposure += move
                    terms += move.double.magnitude
                    let pay = price * N(entry.coefficient)
                    paid[entry.instrument] += pay
                    if isPrecise { paidTerms[entry.instrument] += pay.magnitude }
                }
            }
            let above = exposure - N(band.high)
            let below = N(band.low) - exposure
            let outside = above > below ? above : below
            guard outside > N(0) else { continue }
            if band.isHard {
                violation = max(
                    violation,
                    Self.relativeViolation(outside.double, width: band.high - band.low, terms: terms))
            } else {
                penalty += (N(band.penalty) + N(0.5 * band.penaltyQuadratic) * outside) * outside
                gross += (band.penalty + 0.5 * band.penaltyQuadratic * outside.double) * terms
            }
        }
        cost.penalty = penalty.double
        var relaxed = penalty
        if let risk, risk.riskAversion > 0 {
            let priced = priceRisk(
                risk, trades, paid, paidTerms, scratch + 2 * count, isPrecise, tangent)
            cost.risk = priced.cost.double
            relaxed += priced.cost
            bound += priced.bound
            boundTerms += priced.bound.double.magnitude
            gross += priced.terms
            if isPrecise { rounding = priced.rounding }
        }
        // What the trades cost, and the most that any trades could earn.
        var (linear, impact, margin, cash) = (N(0), N(0), N(0), N(0))
        var cashTerms = 0.0
        var earnings = 0.0
        for i in 0..<count {
            let instrument = instruments[i]
            if instrument.costBuy < 0 || instrument.costSell < 0 {
                let bend = 2 * instrument.impact
                earnings -= min(
                    ScaledProblem.least(slope: instrument.costBuy, bend, 0, instrument.maximumBuy),
                    ScaledProblem.least(slope: instrument.costSell, bend, 0, instrument.maximumSell))
            }
            let x = trades[i]
            guard x != 0 else { continue }
            let amount = N(x)
            let own = x > 0 ? N(instrument.costBuy) * amount : -(N(instrument.costSell) * amount)
            linear += own
            gross += own.double.magnitude
            impact += N(instrument.impact) * amount * amount
            cost.fixed += instrument.fixedCost
            margin += N(instrument.margin) * amount.magnitude
            let spent = N(instrument.cash) * amount
            cash += spent + own
            cashTerms += spent.double.magnitude + own.double.magnitude
            let outside = max(x - instrument.maximumBuy, -x - instrument.maximumSell)
            if !(outside <= 0) { violation = .infinity }
        }
        cost.linear = linear.double
        cost.impact = impact.double
        gross += cost.impact
        relaxed += linear + impact
        let overMargin = (margin - N(marginLimit)).double
        if overMargin > 0 {
            violation = max(
                violation, Self.relativeViolation(overMargin, width: marginLimit, terms: margin.double))
        }
        let overBudget = (cash - N(cashBudget)).double
        if overBudget > 0 {
            violation = max(
                violation,
                Self.relativeViolation(
                    overBudget, width: cashBudget.magnitude, terms: cashTerms + cashBudget.magnitude))
        }
        // Cheaper trades cost no more than these, whatever they earn: that limits each.
        let most = (max(relaxed.double, 0) + earnings) * (1 + 1e-9)
        var stationarity = 0.0
        for i in 0..<count {
            let instrument = instruments[i]
            let limits = N(instrument.margin) * marginPrice
            let buyCash = (N(instrument.cash) + N(instrument.costBuy)) * cashPrice
            let sellCash = (N(instrument.costSell) - N(instrument.cash)) * cashPrice
            let buy = N(instrument.costBuy) - paid[i] - limits - buyCash
            let sell = N(instrument.costSell) + paid[i] - limits - sellCash
            let bend = 2 * instrument.impact
            let x = trades[i]
            var least = N(0)
            if buy < N(0) || sell < N(0) {
                let terms = isPrecise ? paidTerms[i].double + limits.double.magnitude : 0
                func side(_ slope: N, _ cost: Double, _ cash: N, _ limit: Double, _ traded: Double) -> N {
                    guard slope < N(0) else { return N(0) }
                    var end = min(limit, ScaledProblem.affordable(most, cost, bend))
                    let size = terms + cost.magnitude + cash.double.magnitude
                    if isPrecise, end == .infinity, slope.double.magnitude <= Self.slopeNoise * size {
                        end = max(traded, 0)
                    }
                    return ScaledProblem.least(slope: slope, bend, end)
                }
                let bought = side(buy, instrument.costBuy, buyCash, instrument.maximumBuy, x)
                let sold = side(sell, instrument.costSell, sellCash, instrument.maximumSell, -x)
                least = bought < sold ? bought : sold
                bound += least
                boundTerms += least.double.magnitude
            }
            // Slopes of cost less price on both sides of the trade.
            let right = x >= 0 ? buy.double + bend * x : -sell.double + bend * x
            let left = x <= 0 ? -sell.double + bend * x : buy.double + bend * x
            var error = 0.0
            if x < instrument.maximumBuy { error = max(error, -right) }
            if x > -instrument.maximumSell { error = max(error, left) }
            let scale =
                instrument.costBuy.magnitude + instrument.costSell.magnitude + bend * x.magnitude
                + paid[i].double.magnitude + (limits + N(instrument.cash) * cashPrice).double.magnitude
            if error > stationarity * scale { stationarity = error / scale }
        }
        if marginPrice < N(0) { bound += marginPrice * N(marginLimit) }
        if cashPrice < N(0) { bound += cashPrice * N(cashBudget) }
        // Nothing costs less than nothing less all that can be earned.
        let missing = min((relaxed - bound).double, relaxed.double + earnings) - rounding
        let reference = max(relaxed.double.magnitude, 1e-5 * gross)
        let gap = missing <= 0 ? 0 : missing.isFinite && reference > 0 ? missing / reference : .infinity
        return (
            HedgeCertificate(gap: gap, violation: violation, stationarity: stationarity), cost,
            isExact: boundTerms * 0x1p-48 <= 1e-10 * reference
        )
    }

    /// The risk of trades and the constant of its tangent there; takes the tangent's slopes off `paid`.
    /// - Returns: also what the risk is made of, without signs, and what rounding the trades makes of it.
    private func priceRisk<N: HedgeNumber>(
        _ risk: HedgeRisk, _ trades: UnsafeBufferPointer<Double>, _ paid: UnsafeMutablePointer<N>,
        _ paidTerms: UnsafeMutablePointer<N>, _ scratch: UnsafeMutablePointer<N>, _ isPrecise: Bool,
        _ tangent: UnsafePointer<N>?
    ) -> (cost: N, bound: N, terms: Double, rounding: Double) {
        let size = underlyings.count
        let (delta, slopes) = (scratch, scratch + size)
        // Without signs.
        let (deltaTerms, slopeTerms) = (scratch + 2 * size, scratch + 3 * size)
        for u in 0..<size {
            delta[u] = N(risk.dollarDelta[u])
            deltaTerms[u] = delta[u].magnitude
        }
        for i in instruments.indices {
            let move = N(risk.exposure[i]) * N(trades[i])
            delta[instruments[i].underlying] += move
            if isPrecise { deltaTerms[instruments[i].underlying] += move.magnitude }
        }
        var (cost, bound) = (N(0), N(0))
        var (terms, rounding) = (0.0, 0.0)
        for u in 0..<size {
            var slope = N(0)
            var sum = 0.0
            slopeTerms[u] = N(0)
            for v in 0..<size {
                let covariance = N(risk.covariance[u * size + v])
                let term = covariance * delta[v]
                slope += term
                sum += term.double.magnitude
                if isPrecise { slopeTerms[u] += covariance.magnitude * deltaTerms[v] }
            }
            cost += N(risk.riskAversion) * delta[u] * slope
            terms += risk.riskAversion * delta[u].double.magnitude * sum
            rounding += risk.riskAversion * deltaTerms[u].double * slopeTerms[u].double
            slopes[u] = N(2 * risk.riskAversion) * slope
        }
        if let tangent {
            for u in 0..<size {
                var slope = N(0)
                for v in 0..<size { slope += N(risk.covariance[u * size + v]) * tangent[v] }
                slopes[u] = N(2 * risk.riskAversion) * slope
            }
        }
        let touch = tangent ?? UnsafePointer(delta)
        for u in 0..<size { bound += slopes[u] * (N(risk.dollarDelta[u]) - N(0.5) * touch[u]) }
        let price = N(2 * risk.riskAversion)
        for i in instruments.indices {
            let exposure = N(risk.exposure[i])
            let u = instruments[i].underlying
            paid[i] -= slopes[u] * exposure
            if isPrecise { paidTerms[i] += price * slopeTerms[u] * exposure.magnitude }
        }
        return (cost, bound, terms, rounding * 0x1p-106)
    }

    /// The multiplier nearest to `price` that a band can have.
    func admissible<N: HedgeNumber>(_ band: HedgeBand, _ price: N) -> N {
        if price > N(0) && band.low == -.infinity || price < N(0) && band.high == .infinity { return N(0) }
        guard !band.isHard, band.penaltyQuadratic == 0 else { return price }
        return max(N(-band.penalty), min(N(band.penalty), price))
    }

    /// What an admissible multiplier of a band contributes to the bound.
    func dualTerm<N: HedgeNumber>(_ band: HedgeBand, _ price: N) -> N {
        guard price != N(0) else { return N(0) }
        let isLow = price > N(0)
        let term = price * (N(isLow ? band.low : band.high) - N(band.current))
        guard !band.isHard, band.penaltyQuadratic > 0 else { return term }
        let excess = (isLow ? price : -price) - N(band.penalty)
        return excess > N(0) ? term - N(0.5) * excess * excess / N(band.penaltyQuadratic) : term
    }
}
