/// The numbers of a scaled problem to all digits of N: where `ScaledProblem` has rounded a difference, a sum or the
/// covariance's factor, an optimum of its numbers is none of the problem's own.
final class ExactNumbers<N: HedgeNumber> {
    let problem: ScaledProblem
    private(set) var coefficients, cashBuy, cashSell, low, high, quadratic: [N]
    private(set) var kinds: [ScaledProblem.RowKind]

    init(_ problem: ScaledProblem) {
        self.problem = problem
        coefficients = Array(repeating: N(0), count: problem.columns.values.count)
        cashBuy = Array(repeating: N(0), count: problem.count)
        cashSell = cashBuy
        low = Array(repeating: N(0), count: problem.rowCount)
        high = low
        quadratic = low
        kinds = Array(repeating: .absent, count: problem.rowCount)
    }

    /// How far hard limits give way.
    enum Give {
        case none
        /// By what rounding makes of their numbers: limits that agree with each other in doubles alone have no trades
        /// that keep all of them to more digits.
        case rounding
        /// By a share of what a certificate overlooks: what has a solution only then may have it.
        case certificate
    }

    /// Takes the numbers of the problem that `ScaledProblem` holds, in its scales.
    func load(_ original: HedgeProblem, _ give: Give = .none) {
        for k in coefficients.indices { coefficients[k] = N(0) }
        for r in kinds.indices {
            kinds[r] = problem.kinds[r]
            quadratic[r] = N(problem.penaltyQuadratic[r])
        }
        for (index, band) in original.bands.enumerated() {
            let row = problem.shape.rowOfBand[index]
            let scale = N(problem.rowScale[row])
            low[row] = (N(band.low) - N(band.current)) / scale
            high[row] = (N(band.high) - N(band.current)) / scale
            guard kinds[row] != .absent else { continue }
            if give != .none, band.isHard {
                let width = band.high - band.low
                func room(_ limit: Double) -> N {
                    let terms = limit.magnitude + band.current.magnitude
                    guard give == .certificate else { return N(1e-13 * terms) }
                    return N(4e-10 * max(width < .infinity ? width : 0, 1e-3 * terms))
                }
                low[row] -= room(band.low) / scale
                high[row] += room(band.high) / scale
                kinds[row] = .hard
            }
            for k in band.entries {
                let entry = original.entries[k]
                coefficients[problem.shape.placeOfEntry[k]] +=
                    N(entry.coefficient) * N(problem.instrumentScale[entry.instrument]) / scale
            }
        }
        let cashScale = N(problem.rowScale[problem.cashRow])
        for (i, instrument) in original.instruments.enumerated() {
            let scale = N(problem.instrumentScale[i]) / cashScale
            cashBuy[i] = (N(instrument.cash) + N(instrument.costBuy)) * scale
            cashSell[i] = (N(instrument.costSell) - N(instrument.cash)) * scale
        }
        for row in [problem.marginRow, problem.cashRow] { high[row] = N(problem.high[row]) }
        if let risk = original.risk, risk.riskAversion > 0 { load(risk, original.underlyings.count) }
    }

    /// As `ScaledProblem` does, but with the variances that it takes for rounding.
    private func load(_ risk: HedgeRisk, _ size: Int) {
        let (factor, rank): ([N], Int) = CovarianceFactor.exact(risk.covariance, size: size)
        for k in 0..<size {
            let row = problem.bandCount + k
            kinds[row] = .absent
            guard k < rank else { continue }
            var shift = N(0)
            for u in 0..<size { shift += factor[u * size + k] * N(risk.dollarDelta[u]) }
            var largest = 0.0
            for i in 0..<problem.count {
                let own = factor[problem.shape.underlyingOf[i] * size + k] * N(risk.exposure[i])
                let coefficient = own * N(problem.instrumentScale[i])
                coefficients[problem.shape.factorPlace[i] + k] = coefficient
                largest = max(largest, coefficient.double.magnitude)
            }
            let scale = ScaledProblem.powerOfTwo(largest)
            for i in 0..<problem.count {
                let position = problem.shape.factorPlace[i] + k
                coefficients[position] = coefficients[position] / N(scale)
            }
            low[row] = -shift / N(scale)
            quadratic[row] = N(2 * risk.riskAversion * scale / problem.objectiveScale * scale)
            kinds[row] = .quadratic
        }
    }

    /// Whether multipliers prove that no trades of the box keep all hard limits, as they give way now: see
    /// `ScaledProblem.provesInfeasible`.
    func provesInfeasible(_ multiplier: (Int) -> N) -> Bool {
        var ray = [N](repeating: N(0), count: kinds.count)
        var value = N(0)
        var size = 0.0
        for r in kinds.indices where kinds[r] == .hard || kinds[r] == .equality {
            let own = multiplier(r)
            let isLow = own > N(0)
            guard isLow ? problem.low[r].isFinite : problem.high[r].isFinite else { continue }
            ray[r] = own
            let term = own * (isLow ? low[r] : high[r])
            value += term
            size += term.double.magnitude
        }
        guard size > 0, size < .infinity else { return false }
        for i in 0..<problem.count {
            var least = N(0)
            for (isBought, limit) in [(true, problem.upper[i]), (false, -problem.lower[i])] where limit > 0 {
                var slope = N(0)
                var terms = 0.0
                forEachCoefficient(i, isBought: isBought) { row, coefficient in
                    let term = coefficient * ray[row]
                    slope -= term
                    terms += term.double.magnitude
                }
                // A slope that is but rounding is none where nothing limits the trade.
                let isNoise = limit >= ScaledProblem.farthest && slope.double.magnitude <= 1e-26 * terms
                if slope < N(0), !isNoise { least = min(least, slope * N(limit)) }
            }
            value += least
            size += least.double.magnitude
        }
        return value.double > 1e-20 * size
    }

    /// What a unit bought, or sold, of an instrument adds to each row, margin and cash included.
    @inline(__always)
    func forEachCoefficient(_ i: Int, isBought: Bool, _ body: (Int, N) -> Void) {
        for k in problem.columns.places(i) where coefficients[k] != N(0) {
            body(problem.columns.row(k), isBought ? coefficients[k] : -coefficients[k])
        }
        let (margin, cash) = (problem.marginRow, problem.cashRow)
        if kinds[margin] != .absent { body(margin, N(problem.marginPerUnit[i])) }
        if kinds[cash] != .absent { body(cash, isBought ? cashBuy[i] : cashSell[i]) }
    }
}
