/// The numbers of a hedge problem as the solvers want them: flat, each instrument's coefficients together,
/// scaled by powers of two so that amounts, coefficients and costs are near 1 (which rounds nothing), the risk
/// term as one quadratic row per factor of the covariance, rows in an order that keeps the factor sparse.
///
/// Margin and cash are the last two rows. What an instrument adds to them depends on its side: `marginPerUnit`
/// and `cashBuy` or `cashSell` times |x|.
final class ScaledProblem {
    /// Instruments; bands, risk factors, and both with margin and cash.
    let count, bandCount, factorCount, rowCount: Int
    var marginRow: Int { rowCount - 2 }
    var cashRow: Int { rowCount - 1 }

    // Per instrument.
    let lower, upper, costBuy, costSell, curvature, marginPerUnit, cashBuy, cashSell: Vector
    let instrumentScale: Vector
    /// Of bands and factors.
    let columns: CoefficientColumns

    // Per row.
    let low, high, penalty, penaltyQuadratic, rowScale: Vector
    let kinds: SolverVector<RowKind>
    private(set) var objectiveScale = 1.0

    let shape: HedgeShape

    /// Multipliers that proved that the last problem had no solution.
    let ray: Vector
    /// Of `findReach` and `provesInfeasible`, while they run.
    let leastReach, mostReach, hardPrices: Vector
    /// Of `scaleInstruments`: what of each the bands ask for.
    private let needed: Vector
    private let factor: CovarianceFactor
    /// Room for those who check an answer.
    let room: CertificateRoom<Double>
    let exactRoom: CertificateRoom<DoubleDouble>
    /// Whether those who work on it are to stop.
    var watch = Watch()

    enum RowKind: UInt8 {
        /// low ≤ g ≤ high.
        case hard
        /// low = high = g.
        case equality
        case soft
        /// Soft around one point, without a linear penalty: smooth.
        case quadratic
        /// No limit at all.
        case absent
    }

    /// Takes over the shape of a problem; the numbers come with `load`.
    init(shapeOf problem: HedgeProblem) {
        let shape = HedgeShape(problem)
        self.shape = shape
        let (count, rowCount) = (shape.count, shape.rowCount)
        self.count = count
        bandCount = shape.bandCount
        factorCount = shape.factorCount
        self.rowCount = rowCount
        columns = CoefficientColumns(shape.columns, rowCount: rowCount)
        kinds = SolverVector(repeating: .absent, count: rowCount)
        lower = Vector(count)
        upper = Vector(count)
        costBuy = Vector(count)
        costSell = Vector(count)
        curvature = Vector(count)
        marginPerUnit = Vector(count)
        cashBuy = Vector(count)
        cashSell = Vector(count)
        instrumentScale = Vector(count)
        needed = Vector(count)
        low = Vector(rowCount)
        high = Vector(rowCount)
        penalty = Vector(rowCount)
        penaltyQuadratic = Vector(rowCount)
        rowScale = Vector(rowCount)
        leastReach = Vector(rowCount)
        mostReach = Vector(rowCount)
        hardPrices = Vector(rowCount)
        ray = Vector(rowCount)
        factor = CovarianceFactor(size: shape.factorCount)
        room = CertificateRoom(problem)
        exactRoom = CertificateRoom(problem)
    }

    /// Takes the numbers of a validated problem of this shape. With `keepingScales` the scales of the last
    /// one stay, so that its trades and multipliers can be compared; otherwise `share` says how much of the
    /// usual scale of the objective its optimum is.
    /// - Throws: where the covariance is indefinite.
    func load(
        _ problem: HedgeProblem, keepingScales: Bool, objective share: Double = 1, near trades: [Double] = []
    ) throws(HedgeError) {
        if !keepingScales {
            scaleInstruments(problem)
            // Those that are not traded there keep theirs.
            for (i, x) in trades.enumerated() where x.magnitude > 1e-9 * instrumentScale[i] {
                instrumentScale[i] = Self.powerOfTwo(x.magnitude)
            }
            scaleObjective(problem, share)
        }
        let inverseObjective = 1 / objectiveScale
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let scale = instrumentScale[i]
            // Of powers of two the inverse is exact, and cheaper than a division.
            let inverse = 1 / scale
            let cost = scale * inverseObjective
            lower[i] = -min(instrument.maximumSell * inverse, Self.farthest)
            upper[i] = min(instrument.maximumBuy * inverse, Self.farthest)
            costBuy[i] = instrument.costBuy * cost
            costSell[i] = instrument.costSell * cost
            curvature[i] = 2 * instrument.impact * scale * cost
            marginPerUnit[i] = instrument.margin * scale
            cashBuy[i] = (instrument.cash + instrument.costBuy) * scale
            cashSell[i] = (instrument.costSell - instrument.cash) * scale
            margin = max(margin, marginPerUnit[i])
            cash = max(cash, cashBuy[i].magnitude, cashSell[i].magnitude)
        }
        columns.values.fill(0)
        for r in 0..<bandCount { loadBand(r, problem, keepingScales) }
        if let risk = problem.risk { try loadRisk(risk, keepingScales) }
        loadLimit(marginRow, problem.marginLimit, margin, keepingScales)
        loadLimit(cashRow, problem.cashBudget, cash, keepingScales)
        let (inverseMargin, inverseCash) = (1 / rowScale[marginRow], 1 / rowScale[cashRow])
        for i in 0..<count {
            marginPerUnit[i] *= inverseMargin
            cashBuy[i] *= inverseCash
            cashSell[i] *= inverseCash
        }
        dropLimitThatCannotBind()
    }

    /// Stands for no limit at all, in scaled units.
    static let farthest = 0x1p60

    /// A limit that is further off than this many times what any band asks for says nothing about amounts.
    private static let farLimit = 1024.0

    /// Amounts by what may be traded or, where that is far more, by what it takes to bring a band to its limits.
    private func scaleInstruments(_ problem: HedgeProblem) {
        needed.fill(.infinity)
        for band in problem.bands {
            let (below, above) = ((band.low - band.current).magnitude, (band.high - band.current).magnitude)
            var move = max(below < .infinity ? below : 0, above < .infinity ? above : 0)
            move = max(move, 1e-3 * band.current.magnitude)
            guard move > 0, below < .infinity || above < .infinity else { continue }
            for k in band.entries {
                let entry = problem.entries[k]
                // By multiplication, as nearly none is smaller than what the others need.
                let coefficient = entry.coefficient.magnitude
                if needed[entry.instrument] * coefficient > move {
                    needed[entry.instrument] = move / coefficient
                }
            }
        }
        if let risk = problem.risk, risk.riskAversion > 0 {
            for i in 0..<count {
                let delta = risk.dollarDelta[shape.underlyingOf[i]].magnitude
                let exposure = risk.exposure[i].magnitude
                if delta > 0, needed[i] * exposure > delta { needed[i] = delta / exposure }
            }
        }
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let limit = max(instrument.maximumBuy, instrument.maximumSell)
            // What is in no band and does not earn is not traded, however much of it may be.
            let isIdle = instrument.costBuy >= 0 && instrument.costSell >= 0
            let near = needed[i] < .infinity ? needed[i] : 1
            let isFar =
                limit > Self.farLimit * near && (needed[i] < .infinity || isIdle || limit == .infinity)
            instrumentScale[i] = Self.powerOfTwo(isFar ? max(near, 1e-200) : limit)
        }
    }

    /// The objective by the geometric mean of what instruments cost, which a few huge limits don't sway.
    private func scaleObjective(_ problem: HedgeProblem, _ share: Double) {
        var exponents = 0
        var priced = 0
        func add(_ cost: Double) {
            guard cost > 1e-290 else { return }
            exponents += Int(cost.exponent)
            priced += 1
        }
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let scale = instrumentScale[i]
            add(
                (instrument.costBuy.magnitude + instrument.costSell.magnitude) * scale
                    + instrument.impact * scale * scale)
        }
        if priced == 0 {
            // Where none costs anything, by what penalties make of the largest trades.
            for band in problem.bands where !band.isHard {
                let move = largestMove(band, problem)
                add(band.penalty * move + band.penaltyQuadratic * move * move)
            }
        }
        objectiveScale =
            priced == 0 ? 1 : Double(sign: .plus, exponent: exponents / priced, significand: 1)
        objectiveScale *= Self.powerOfTwo(share)
    }

    /// The largest slope of what trades cost, in scaled units.
    var largestCost: Double {
        var largest = 0.0
        for i in 0..<count {
            if upper[i] > 0 { largest = max(largest, costBuy[i].magnitude) }
            if lower[i] < 0 { largest = max(largest, costSell[i].magnitude) }
        }
        return largest > 0 ? largest : 1
    }

    /// The most that one instrument moves a band, by its scale.
    private func largestMove(_ band: HedgeBand, _ problem: HedgeProblem) -> Double {
        var largest = 0.0
        for k in band.entries {
            let entry = problem.entries[k]
            largest = max(largest, entry.coefficient.magnitude * instrumentScale[entry.instrument])
        }
        return largest
    }

    private func loadBand(_ index: Int, _ problem: HedgeProblem, _ keepingScales: Bool) {
        let row = shape.rowOfBand[index]
        let band = problem.bands[index]
        if !keepingScales {
            let largest = largestMove(band, problem)
            rowScale[row] = Self.powerOfTwo(largest)
        }
        let scale = rowScale[row]
        low[row] = (band.low - band.current) / scale
        high[row] = (band.high - band.current) / scale
        penalty[row] = band.penalty * scale / objectiveScale
        penaltyQuadratic[row] = band.penaltyQuadratic * scale / objectiveScale * scale
        if low[row] == -.infinity, high[row] == .infinity {
            kinds[row] = .absent
        } else if band.isHard {
            kinds[row] = low[row] == high[row] ? .equality : .hard
        } else if band.penalty == 0, band.penaltyQuadratic == 0 {
            kinds[row] = .absent
        } else {
            kinds[row] = low[row] == high[row] && band.penalty == 0 ? .quadratic : .soft
        }
        // A row without a limit must not tie others together: its coefficients stay 0.
        guard kinds[row] != .absent else { return }
        let inverse = 1 / scale
        let places = shape.placeOfEntry
        for k in band.entries {
            let entry = problem.entries[k]
            columns.values[places[k]] +=
                entry.coefficient * instrumentScale[entry.instrument] * inverse
        }
    }

    /// λ dᵀΣd = λ |Lᵀd|² with a pivoted Cholesky factor L of the covariance.
    private func loadRisk(_ risk: HedgeRisk, _ keepingScales: Bool) throws(HedgeError) {
        guard risk.riskAversion > 0 else {
            for k in 0..<factorCount {
                kinds[bandCount + k] = .absent
                if !keepingScales { rowScale[bandCount + k] = 1 }
            }
            return
        }
        let rank = try factor.compute(risk.covariance)
        for k in 0..<factorCount {
            let row = bandCount + k
            guard k < rank else {
                kinds[row] = .absent
                if !keepingScales { rowScale[row] = 1 }
                continue
            }
            var shift = 0.0
            for u in 0..<factorCount { shift += factor[u, k] * risk.dollarDelta[u] }
            if !keepingScales {
                var largest = 0.0
                for i in 0..<count {
                    let value = factor[shape.underlyingOf[i], k] * risk.exposure[i] * instrumentScale[i]
                    largest = max(largest, value.magnitude)
                }
                rowScale[row] = Self.powerOfTwo(largest)
            }
            let scale = rowScale[row]
            for i in 0..<count {
                columns.values[shape.factorPlace[i] + k] =
                    factor[shape.underlyingOf[i], k] * risk.exposure[i] * instrumentScale[i] / scale
            }
            low[row] = -shift / scale
            high[row] = -shift / scale
            penalty[row] = 0
            penaltyQuadratic[row] = 2 * risk.riskAversion * scale / objectiveScale * scale
            kinds[row] = .quadratic
        }
    }

    private func loadLimit(_ row: Int, _ limit: Double, _ largest: Double, _ keepingScales: Bool) {
        if !keepingScales { rowScale[row] = Self.powerOfTwo(largest) }
        low[row] = -.infinity
        high[row] = limit / rowScale[row]
        penalty[row] = 0
        penaltyQuadratic[row] = 0
        kinds[row] = high[row] == .infinity ? .absent : .hard
    }

    /// Margin and cash that even the largest trades keep cost the solvers nothing.
    private func dropLimitThatCannotBind() {
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            margin += marginPerUnit[i] * max(upper[i], -lower[i])
            cash += max(cashBuy[i] * upper[i], -cashSell[i] * lower[i], 0)
        }
        if margin <= high[marginRow] { kinds[marginRow] = .absent }
        if cash <= high[cashRow] { kinds[cashRow] = .absent }
    }

    /// The power of two at or below a magnitude; 1 for 0.
    static func powerOfTwo(_ value: Double) -> Double {
        guard value > 1e-290 else { return 1 }
        return Double(bitPattern: value.bitPattern & 0x7FF0_0000_0000_0000)
    }
}
