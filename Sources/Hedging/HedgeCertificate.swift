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
    ///
    /// The bound is the Lagrange dual, with the risk term replaced by its tangent at the trades: any multipliers
    /// give a valid one. Where an instrument's limit is far, or where there is none, cheaper trades are bounded by
    /// what they cost themselves. What doubles cannot tell is computed in twice their digits.
    /// - Returns: also what the trades cost, fixed costs included, as `cost(trades:)` does.
    func certificate(
        trades: [Double], bandPrices: [Double], marginPrice: Double, cashPrice: Double,
        _ room: borrowing CertificateRoom<Double>, _ exactRoom: borrowing CertificateRoom<DoubleDouble>
    ) -> (HedgeCertificate, HedgeCost) {
        room.take(bandPrices, marginPrice, cashPrice)
        let (certificate, cost, isExact) = certify(trades, room, hasTangent: false)
        if certificate.holds, isExact { return (certificate, cost) }
        exactRoom.take(bandPrices, marginPrice, cashPrice)
        return exactCertificate(trades: trades, exactRoom, hasTangent: false)
    }

    /// The same where multipliers are known to more digits than doubles have: in `room`.
    /// - Parameter hasTangent: whether the risk's tangent touches it where `room` says; else at the trades.
    func exactCertificate(
        trades: [Double], _ room: borrowing CertificateRoom<DoubleDouble>, hasTangent: Bool
    ) -> (HedgeCertificate, HedgeCost) {
        let (certificate, cost, _) = certify(trades, room, hasTangent: hasTangent)
        return (certificate, cost)
    }

    /// The certificate of any trades and multipliers, in room of its own.
    /// - Parameters:
    ///   - isExact: whether in twice the digits of doubles at once.
    ///   - tangent: dollar deltas at which the risk's tangent touches it, where that is so; the trades' own where nil.
    package func certificate(
        trades: [Double], bandPrices: [Double], marginPrice: Double, cashPrice: Double, isExact: Bool,
        tangent: [Double]? = nil
    ) -> (HedgeCertificate, HedgeCost) {
        let exactRoom = CertificateRoom<DoubleDouble>(self)
        guard isExact else {
            return certificate(
                trades: trades, bandPrices: bandPrices, marginPrice: marginPrice, cashPrice: cashPrice,
                CertificateRoom<Double>(self), exactRoom)
        }
        exactRoom.take(bandPrices, marginPrice, cashPrice)
        for (u, delta) in (tangent ?? []).enumerated() { exactRoom.tangent[u] = DoubleDouble(delta) }
        return exactCertificate(trades: trades, exactRoom, hasTangent: tangent != nil)
    }

    private func certify<N: HedgeNumber>(
        _ trades: [Double], _ room: borrowing CertificateRoom<N>, hasTangent: Bool
    ) -> (certificate: HedgeCertificate, cost: HedgeCost, isExact: Bool) {
        let (instruments, trades) = (instruments.span, trades.span)
        var sums = CertificateSums<N>()
        room.clear()
        sumBands(trades, room, &sums)
        if let risk, risk.riskAversion > 0 {
            sumRisk(risk, instruments, trades, room, hasTangent: hasTangent, &sums)
        }
        sumTrades(instruments, trades, &sums)
        sumLeast(instruments, trades, room, &sums)
        // Nothing costs less than nothing less all that can be earned.
        let cost = sums.relaxed
        let missing = min((cost - sums.bound).double, cost.double + sums.earnings) - sums.rounding
        let reference = max(cost.double.magnitude, 1e-5 * sums.gross)
        let gap = missing <= 0 ? 0 : missing.isFinite && reference > 0 ? missing / reference : .infinity
        return (
            HedgeCertificate(gap: gap, violation: sums.violation, stationarity: sums.stationarity), sums.cost,
            isExact: sums.boundTerms * 0x1p-48 <= 1e-10 * reference
        )
    }

    /// Bands: how far they are left, what that costs, what their multipliers pay.
    @inline(__always)
    private func sumBands<N: HedgeNumber>(
        _ trades: Span<Double>, _ room: borrowing CertificateRoom<N>, _ sums: inout CertificateSums<N>
    ) {
        let (bands, entries) = (bands.span, entries.span)
        var penalty = N(0)
        for r in bands.indices {
            let band = bands[r]
            let price = admissible(band, room.prices[r])
            sums.addBound(dualTerm(band, price))
            var exposure = N(band.current)
            var terms = band.current.magnitude
            for k in band.entries {
                let entry = entries[k]
                let move = N(entry.coefficient) * N(trades[entry.instrument])
                exposure += move
                terms += move.double.magnitude
                let pay = price * N(entry.coefficient)
                room.paid[entry.instrument] += pay
                if N.isPrecise { room.paidTerms[entry.instrument] += pay.magnitude }
            }
            let above = exposure - N(band.high)
            let below = N(band.low) - exposure
            let outside = above > below ? above : below
            guard outside > N(0) else { continue }
            if band.isHard {
                sums.addViolation(outside, width: band.high - band.low, terms: terms)
            } else {
                penalty += (N(band.penalty) + N(0.5 * band.penaltyQuadratic) * outside) * outside
                sums.gross += (band.penalty + 0.5 * band.penaltyQuadratic * outside.double) * terms
            }
        }
        sums.cost.penalty = penalty.double
        sums.relaxed = penalty
    }

    /// What the trades cost, margin and cash that they take, and the most that any trades could earn.
    @inline(__always)
    private func sumTrades<N: HedgeNumber>(
        _ instruments: Span<HedgeInstrument>, _ trades: Span<Double>, _ sums: inout CertificateSums<N>
    ) {
        var (linear, impact, margin, cash) = (N(0), N(0), N(0), N(0))
        var cashTerms = 0.0
        for i in instruments.indices {
            let instrument = instruments[i]
            if instrument.costBuy < 0 || instrument.costSell < 0 {
                let bend = 2 * instrument.impact
                sums.earnings -= min(
                    ScaledProblem.least(slope: instrument.costBuy, bend, 0, instrument.maximumBuy),
                    ScaledProblem.least(slope: instrument.costSell, bend, 0, instrument.maximumSell))
            }
            let x = trades[i]
            guard x != 0 else { continue }
            let amount = N(x)
            let own = x > 0 ? N(instrument.costBuy) * amount : -(N(instrument.costSell) * amount)
            linear += own
            sums.gross += own.double.magnitude
            impact += N(instrument.impact) * amount * amount
            sums.cost.fixed += instrument.fixedCost
            margin += N(instrument.margin) * amount.magnitude
            let spent = N(instrument.cash) * amount
            cash += spent + own
            cashTerms += spent.double.magnitude + own.double.magnitude
            let outside = max(x - instrument.maximumBuy, -x - instrument.maximumSell)
            if !(outside <= 0) { sums.violation = .infinity }
        }
        sums.cost.linear = linear.double
        sums.cost.impact = impact.double
        sums.gross += sums.cost.impact
        sums.relaxed += linear + impact
        let overMargin = margin - N(marginLimit)
        if overMargin > N(0) { sums.addViolation(overMargin, width: marginLimit, terms: margin.double) }
        let overBudget = cash - N(cashBudget)
        if overBudget > N(0) {
            sums.addViolation(
                overBudget, width: cashBudget.magnitude, terms: cashTerms + cashBudget.magnitude)
        }
    }

    /// Where nothing limits a trade, a slope that rounding leaves of its terms counts for the trade that there is:
    /// trades that it could make cheaper would have to be of more digits than these numbers have.
    private static let slopeNoise = 1e-28

    /// The least that each instrument can cost at what the multipliers pay for it, and how far the trades are from
    /// where that is.
    @inline(__always)
    private func sumLeast<N: HedgeNumber>(
        _ instruments: Span<HedgeInstrument>, _ trades: Span<Double>, _ room: borrowing CertificateRoom<N>,
        _ sums: inout CertificateSums<N>
    ) {
        let marginPrice = min(room.prices[bands.count], N(0))
        let cashPrice = min(room.prices[bands.count + 1], N(0))
        // Cheaper trades cost no more than these, whatever they earn: that limits each.
        let most = (max(sums.relaxed.double, 0) + sums.earnings) * (1 + 1e-9)
        for i in instruments.indices {
            let instrument = instruments[i]
            let paid = room.paid[i]
            let limits = N(instrument.margin) * marginPrice
            let buyCash = (N(instrument.cash) + N(instrument.costBuy)) * cashPrice
            let sellCash = (N(instrument.costSell) - N(instrument.cash)) * cashPrice
            let buy = N(instrument.costBuy) - paid - limits - buyCash
            let sell = N(instrument.costSell) + paid - limits - sellCash
            let bend = 2 * instrument.impact
            let x = trades[i]
            if buy < N(0) || sell < N(0) {
                let terms = N.isPrecise ? room.paidTerms[i].double + limits.double.magnitude : 0
                func side(_ slope: N, _ cost: Double, _ cash: N, _ limit: Double, _ traded: Double) -> N {
                    guard slope < N(0) else { return N(0) }
                    var end = min(limit, ScaledProblem.affordable(most, cost, bend))
                    let size = terms + cost.magnitude + cash.double.magnitude
                    if N.isPrecise, end == .infinity, slope.double.magnitude <= Self.slopeNoise * size {
                        end = max(traded, 0)
                    }
                    return ScaledProblem.least(slope: slope, bend, end)
                }
                let bought = side(buy, instrument.costBuy, buyCash, instrument.maximumBuy, x)
                let sold = side(sell, instrument.costSell, sellCash, instrument.maximumSell, -x)
                sums.addBound(bought < sold ? bought : sold)
            }
            // Slopes of cost less price on both sides of the trade.
            let right = x >= 0 ? buy.double + bend * x : -sell.double + bend * x
            let left = x <= 0 ? -sell.double + bend * x : buy.double + bend * x
            var error = 0.0
            if x < instrument.maximumBuy { error = max(error, -right) }
            if x > -instrument.maximumSell { error = max(error, left) }
            let scale =
                instrument.costBuy.magnitude + instrument.costSell.magnitude + bend * x.magnitude
                + paid.double.magnitude + (limits + N(instrument.cash) * cashPrice).double.magnitude
            if error > sums.stationarity * scale { sums.stationarity = error / scale }
        }
        if marginPrice < N(0) { sums.bound += marginPrice * N(marginLimit) }
        if cashPrice < N(0) { sums.bound += cashPrice * N(cashBudget) }
    }

    /// The risk of trades and the constant of its tangent there; takes the tangent's slopes off what is paid.
    private func sumRisk<N: HedgeNumber>(
        _ risk: HedgeRisk, _ instruments: Span<HedgeInstrument>, _ trades: Span<Double>,
        _ room: borrowing CertificateRoom<N>, hasTangent: Bool, _ sums: inout CertificateSums<N>
    ) {
        let size = underlyings.count
        for u in 0..<size {
            room.delta[u] = N(risk.dollarDelta[u])
            room.deltaTerms[u] = room.delta[u].magnitude
        }
        for i in instruments.indices {
            let u = instruments[i].underlying
            let move = N(risk.exposure[i]) * N(trades[i])
            room.delta[u] += move
            if N.isPrecise { room.deltaTerms[u] += move.magnitude }
        }
        var (cost, bound) = (N(0), N(0))
        var (terms, rounding) = (0.0, 0.0)
        for u in 0..<size {
            var slope = N(0)
            var sum = 0.0
            room.slopeTerms[u] = N(0)
            for v in 0..<size {
                let covariance = N(risk.covariance[u * size + v])
                let term = covariance * room.delta[v]
                slope += term
                sum += term.double.magnitude
                if N.isPrecise { room.slopeTerms[u] += covariance.magnitude * room.deltaTerms[v] }
            }
            cost += N(risk.riskAversion) * room.delta[u] * slope
            terms += risk.riskAversion * room.delta[u].double.magnitude * sum
            rounding += risk.riskAversion * room.deltaTerms[u].double * room.slopeTerms[u].double
            if hasTangent {
                slope = N(0)
                for v in 0..<size { slope += N(risk.covariance[u * size + v]) * room.tangent[v] }
            }
            room.slopes[u] = N(2 * risk.riskAversion) * slope
        }
        for u in 0..<size {
            let touch = hasTangent ? room.tangent[u] : room.delta[u]
            bound += room.slopes[u] * (N(risk.dollarDelta[u]) - N(0.5) * touch)
        }
        let price = N(2 * risk.riskAversion)
        for i in instruments.indices {
            let exposure = N(risk.exposure[i])
            let u = instruments[i].underlying
            room.paid[i] -= room.slopes[u] * exposure
            if N.isPrecise { room.paidTerms[i] += price * room.slopeTerms[u] * exposure.magnitude }
        }
        sums.cost.risk = cost.double
        sums.relaxed += cost
        sums.addBound(bound)
        sums.gross += terms
        if N.isPrecise { sums.rounding = rounding * 0x1p-106 }
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

/// Room in which a certificate is computed, for problems of a shape, and what it is given in N's digits.
struct CertificateRoom<N: HedgeNumber>: ~Copyable {
    /// Multipliers of the bands, of margin, of cash.
    let prices: SolverVector<N>
    /// Dollar deltas at which the risk's tangent touches it.
    let tangent: SolverVector<N>
    /// What the multipliers pay per unit of each instrument, and the same without signs.
    fileprivate let paid, paidTerms: SolverVector<N>
    /// Dollar deltas after the trades and slopes of the risk, and both without signs.
    fileprivate let delta, slopes, deltaTerms, slopeTerms: SolverVector<N>

    init(_ problem: HedgeProblem) {
        func column(_ count: Int) -> SolverVector<N> { SolverVector(repeating: N(0), count: count) }
        let (count, size) = (problem.instruments.count, problem.risk == nil ? 0 : problem.underlyings.count)
        prices = column(problem.bands.count + 2)
        tangent = column(size)
        paid = column(count)
        paidTerms = column(count)
        delta = column(size)
        slopes = column(size)
        deltaTerms = column(size)
        slopeTerms = column(size)
    }

    fileprivate func take(_ bandPrices: [Double], _ marginPrice: Double, _ cashPrice: Double) {
        for r in bandPrices.indices { prices[r] = N(bandPrices[r]) }
        prices[bandPrices.count] = N(marginPrice)
        prices[bandPrices.count + 1] = N(cashPrice)
    }

    fileprivate func clear() {
        paid.fill(N(0))
        if N.isPrecise { paidTerms.fill(N(0)) }
    }
}

/// What a certificate adds up.
private struct CertificateSums<N: HedgeNumber> {
    var cost = HedgeCost()
    /// What the trades cost but for fixed costs, and what no trades cost less than.
    var relaxed = N(0), bound = N(0)
    var boundTerms = 0.0
    /// What the cost is made of, without signs, and what trades in doubles can cost at best where the cheapest of
    /// more digits cost nothing.
    var gross = 0.0, rounding = 0.0
    var earnings = 0.0
    var violation = 0.0, stationarity = 0.0

    mutating func addBound(_ term: N) {
        bound += term
        boundTerms += term.double.magnitude
    }

    mutating func addViolation(_ outside: N, width: Double, terms: Double) {
        violation = max(
            violation, HedgeProblem.relativeViolation(outside.double, width: width, terms: terms))
    }
}
