extension HedgeProblem {
    /// Certifies trades of a problem with cost curves, or with a budget that counts all costs: as `certificate`, by the
    /// problem's own numbers. The bound is the Lagrange dual, in which each instrument's part is the least of a convex
    /// curve. Lots and fixed costs are left out.
    /// - Returns: also what the trades cost, fixed costs included.
    func curveCertificate(
        trades: [Double], bandPrices: [Double], marginPrice: Double, cashPrice: Double, _ table: CostTable,
        _ room: CurveRoom
    ) -> (HedgeCertificate, HedgeCost) {
        let answer = certifyCurves(trades, bandPrices, marginPrice, cashPrice, table, room.plain)
        if answer.certificate.holds, answer.isExact { return (answer.certificate, answer.cost) }
        let precise = certifyCurves(trades, bandPrices, marginPrice, cashPrice, table, room.precise)
        return (precise.certificate, precise.cost)
    }

    private func certifyCurves<N: HedgeNumber>(
        _ trades: [Double], _ bandPrices: [Double], _ marginPrice: Double, _ cashPrice: Double,
        _ table: CostTable, _ room: borrowing CurveRoom.Sums<N>
    ) -> (certificate: HedgeCertificate, cost: HedgeCost, isExact: Bool) {
        let margin = min(marginPrice, 0)
        let cash = min(cashPrice, 0)
        room.paid.fill(N(0))
        let answer = cost(trades: trades)
        var (bound, relaxed) = (N(0), N(0))
        var (boundTerms, gross, violation) = (0.0, 0.0, 0.0)
        func take(_ term: N) {
            bound += term
            boundTerms += term.double.magnitude
        }
        for r in bands.indices {
            let band = bands[r]
            let price = admissible(band, N(bandPrices[r]))
            take(dualTerm(band, price))
            var exposure = N(band.current)
            var terms = band.current.magnitude
            for k in band.entries {
                let entry = entries[k]
                let move = N(entry.coefficient) * N(trades[entry.instrument])
                exposure += move
                terms += move.double.magnitude
                room.paid[entry.instrument] += price * N(entry.coefficient)
            }
            let outside = max(exposure - N(band.high), N(band.low) - exposure)
            guard outside > N(0) else { continue }
            if band.isHard {
                violation = max(
                    violation,
                    Self.relativeViolation(outside.double, width: band.high - band.low, terms: terms))
            } else {
                relaxed += (N(band.penalty) + N(0.5 * band.penaltyQuadratic) * outside) * outside
                gross += (band.penalty + 0.5 * band.penaltyQuadratic * outside.double) * terms
            }
        }
        if let risk, risk.riskAversion > 0 {
            let tangent = riskTangent(risk, trades, room)
            relaxed += tangent.cost
            gross += tangent.terms
            take(tangent.bound)
            for i in instruments.indices {
                room.paid[i] -= room.slopes[instruments[i].underlying] * N(risk.exposure[i])
            }
        }
        // What the trades cost and take up, and the most that any trades could earn.
        var (marginTaken, cashTaken) = (N(0), N(0))
        var (cashTerms, earnings) = (0.0, 0.0)
        for i in instruments.indices {
            let x = trades[i]
            let instrument = instruments[i]
            earnings -= min(
                Self.least(table, table.places(i, .buy), N(0), N(1), .infinity).double,
                Self.least(table, table.places(i, .sell), N(0), N(1), .infinity).double)
            let (most, least) = (table.limit(i, .buy), -table.limit(i, .sell))
            if !(x <= most && x >= least) { violation = .infinity }
            guard x != 0 else { continue }
            var left = x.magnitude
            var own = N(0)
            for k in table.places(i, x > 0 ? .buy : .sell) where left > 0 {
                let piece = table[k]
                let part = N(min(left, piece.size))
                own += (N(piece.price) + N(piece.quadratic) * part) * part
                left -= piece.size
            }
            relaxed += own
            gross += own.double.magnitude
            marginTaken += N(instrument.margin) * N(x.magnitude)
            let spent = N(instrument.cash) * N(x)
            cashTaken += spent + own
            cashTerms += spent.double.magnitude + own.double.magnitude
        }
        let overMargin = (marginTaken - N(marginLimit)).double
        if overMargin > 0 {
            violation = max(
                violation,
                Self.relativeViolation(overMargin, width: marginLimit, terms: marginTaken.double))
        }
        let overBudget = (cashTaken - N(cashBudget)).double
        if overBudget > 0 {
            violation = max(
                violation,
                Self.relativeViolation(
                    overBudget, width: cashBudget.magnitude, terms: cashTerms + cashBudget.magnitude))
        }
        let most = (max(relaxed.double, 0) + earnings) * (1 + 1e-9)
        // Costs count once for themselves, and once for the cash that they take.
        let weight = N(1) - N(cash)
        var stationarity = 0.0
        for i in instruments.indices {
            let instrument = instruments[i]
            let taken = N(instrument.margin) * N(margin)
            let moved = N(instrument.cash) * N(cash)
            let paid = room.paid[i]
            let buy = -paid - taken - moved
            let sell = paid - taken + moved
            take(
                min(
                    Self.least(table, table.places(i, .buy), buy, weight, most),
                    Self.least(table, table.places(i, .sell), sell, weight, most)))
            let (left, right, size) = table.slopes(i, trades[i])
            let x = trades[i]
            let up = (x >= 0 ? buy : -sell).double + (right * weight.double)
            let down = (x <= 0 ? -sell : buy).double + (left * weight.double)
            var error = 0.0
            if x < table.limit(i, .buy) { error = max(error, -up) }
            if x > -table.limit(i, .sell) { error = max(error, down) }
            let scale = size + paid.double.magnitude + (taken + moved).double.magnitude
            if error > stationarity * scale { stationarity = error / scale }
        }
        if margin < 0 { take(N(margin) * N(marginLimit)) }
        if cash < 0 { take(N(cash) * N(cashBudget)) }
        let missing = min((relaxed - bound).double, relaxed.double + earnings)
        let reference = max(relaxed.double.magnitude, 1e-5 * gross)
        let gap = missing <= 0 ? 0 : missing.isFinite && reference > 0 ? missing / reference : .infinity
        return (
            HedgeCertificate(gap: gap, violation: violation, stationarity: stationarity),
            answer,
            isExact: boundTerms * 0x1p-48 <= 1e-10 * reference
        )
    }

    /// The least of `weight` times what a side costs and `slope` times its amount. A side without end is looked at as
    /// far as trades that cost `most` reach.
    private static func least<N: HedgeNumber>(
        _ table: CostTable, _ places: Range<Int>, _ slope: N, _ weight: N, _ most: Double
    ) -> N {
        var least = N(0)
        for k in places {
            let piece = table[k]
            let own = slope + weight * N(piece.price)
            guard own < N(0) else { break }
            var end = piece.size
            if end == .infinity { end = ScaledProblem.affordable(most, piece.price, 2 * piece.quadratic) }
            least += ScaledProblem.least(slope: own, 2 * (weight * N(piece.quadratic)).double, end)
        }
        return least
    }

    /// The risk of trades and the constant of its tangent there; its slopes by each underlying's dollar delta go to `room`.
    private func riskTangent<N: HedgeNumber>(
        _ risk: HedgeRisk, _ trades: [Double], _ room: borrowing CurveRoom.Sums<N>
    ) -> (cost: N, bound: N, terms: Double) {
        let size = underlyings.count
        for u in 0..<size { room.delta[u] = N(risk.dollarDelta[u]) }
        for i in instruments.indices {
            room.delta[instruments[i].underlying] += N(risk.exposure[i]) * N(trades[i])
        }
        var (cost, bound, terms) = (N(0), N(0), 0.0)
        for u in 0..<size {
            var slope = N(0)
            var sum = 0.0
            for v in 0..<size {
                let term = N(risk.covariance[u * size + v]) * room.delta[v]
                slope += term
                sum += term.double.magnitude
            }
            cost += N(risk.riskAversion) * room.delta[u] * slope
            terms += risk.riskAversion * room.delta[u].double.magnitude * sum
            room.slopes[u] = N(2 * risk.riskAversion) * slope
            bound += room.slopes[u] * (N(risk.dollarDelta[u]) - N(0.5) * room.delta[u])
        }
        return (cost, bound, terms)
    }
}

/// Room in which the certificates of problems of a shape are computed.
final class CurveRoom {
    fileprivate let plain: Sums<Double>
    fileprivate let precise: Sums<DoubleDouble>

    init(_ problem: HedgeProblem) {
        plain = Sums(problem)
        precise = Sums(problem)
    }

    fileprivate struct Sums<N: HedgeNumber>: ~Copyable {
        /// What the multipliers pay per unit of each instrument; dollar deltas and slopes of the risk.
        let paid, delta, slopes: SolverVector<N>

        init(_ problem: HedgeProblem) {
            paid = SolverVector(repeating: N(0), count: problem.instruments.count)
            delta = SolverVector(repeating: N(0), count: problem.underlyings.count)
            slopes = SolverVector(repeating: N(0), count: problem.underlyings.count)
        }
    }
}
