/// The numbers of a hedge problem as the solvers want them: flat, each instrument's coefficients together,
/// scaled by powers of two so that amounts, coefficients and costs are near 1 (which rounds nothing), the risk
/// term as one quadratic row per factor of the covariance, rows in an order that keeps the factor sparse.
///
/// Margin and cash are the last two rows. What an instrument adds to them depends on its side: `marginPerUnit`
/// and `cashBuy` or `cashSell` times |x|.
final class ScaledProblem {
    let count: Int
    /// Bands and risk factors.
    let bandCount: Int
    let factorCount: Int
    /// Bands, factors, margin and cash.
    let rowCount: Int
    var marginRow: Int { rowCount - 2 }
    var cashRow: Int { rowCount - 1 }

    // Per instrument.
    let lower, upper, costBuy, costSell, curvature, marginPerUnit, cashBuy,
        cashSell: UnsafeMutablePointer<Double>
    let instrumentScale: UnsafeMutablePointer<Double>
    /// Coefficients of instrument i: columnStart[i]..<columnStart[i + 1].
    let columnStart: UnsafeMutablePointer<Int32>
    let columnRow: UnsafeMutablePointer<Int32>
    let coefficientCount: Int
    let coefficients: UnsafeMutablePointer<Double>

    // Per row.
    let low, high, penalty, penaltyQuadratic: UnsafeMutablePointer<Double>
    /// Scratch of `isOutOfReach`.
    let leastReach, mostReach: UnsafeMutablePointer<Double>
    let rowScale: UnsafeMutablePointer<Double>
    let kinds: UnsafeMutablePointer<RowKind>
    /// First row that shares an instrument with this one, this one included.
    let rowFirst: [Int32]
    private(set) var objectiveScale = 1.0

    /// Row of each band.
    let rowOfBand: [Int32]
    /// First of the factor rows.
    let firstFactorRow: Int
    /// Where each of the problem's entries goes among the coefficients.
    let positionOfEntry: [Int32]
    /// Where each instrument's factor coefficients start; they are consecutive.
    let factorPosition: [Int32]
    private let entryInstruments: [Int32]
    private let bandRanges: [Range<Int>]
    let underlyingOf: [Int32]
    /// Underlyings, and behind them a group for what spans several.
    let groupCount: Int
    let groupOfRow: UnsafeMutablePointer<Int32>
    private let factor: UnsafeMutablePointer<Double>
    /// Multipliers that proved that the last problem had no solution.
    let ray: UnsafeMutablePointer<Double>
    /// Room for those who check an answer.
    let scratch: UnsafeMutablePointer<Double>
    private let arena: Arena
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
        let count = problem.instruments.count
        let bandCount = problem.bands.count
        let factorCount = problem.risk == nil ? 0 : problem.underlyings.count
        let rowCount = bandCount + factorCount + 2
        self.count = count
        self.bandCount = bandCount
        self.factorCount = factorCount
        self.rowCount = rowCount

        // Bands of one underlying together, those of several behind.
        let several = problem.underlyings.count
        let underlyingOf = problem.instruments.map { Int32($0.underlying) }
        let group = problem.bands.map { band in
            var group = -1
            for entry in problem.entries[band.entries] {
                let underlying = problem.instruments[entry.instrument].underlying
                group = group == -1 || group == underlying ? underlying : several
            }
            return max(group, 0)
        }
        let order = (0..<bandCount).sorted { (group[$0], $0) < (group[$1], $1) }
        var rowOfBand = [Int32](repeating: 0, count: bandCount)
        var rowFirst = [Int32](repeating: 0, count: rowCount)
        var start = 0
        for (row, band) in order.enumerated() {
            rowOfBand[band] = Int32(row)
            if row == 0 || group[order[row - 1]] != group[band] { start = row }
            rowFirst[row] = group[band] == several ? 0 : Int32(start)
        }

        // Columns: the rows that an instrument is in, ascending, each once.
        var rowsOf = [[Int32]](repeating: [], count: count)
        for band in order {
            for entry in problem.entries[problem.bands[band].entries] {
                if rowsOf[entry.instrument].last != rowOfBand[band] {
                    rowsOf[entry.instrument].append(rowOfBand[band])
                }
            }
        }
        var columnStart: [Int32] = [0]
        var columnRow: [Int32] = []
        var factorPosition = [Int32](repeating: 0, count: count)
        for i in 0..<count {
            columnRow += rowsOf[i]
            factorPosition[i] = Int32(columnRow.count)
            columnRow += (0..<factorCount).map { Int32(bandCount + $0) }
            columnStart.append(Int32(columnRow.count))
        }
        var positionOfEntry = [Int32](repeating: 0, count: problem.entries.count)
        for (index, band) in problem.bands.enumerated() {
            for k in band.entries {
                let i = problem.entries[k].instrument
                let column = Int(columnStart[i])..<Int(columnStart[i + 1])
                positionOfEntry[k] = Int32(column.first { columnRow[$0] == rowOfBand[index] } ?? 0)
            }
        }
        self.rowOfBand = rowOfBand
        self.rowFirst = rowFirst
        self.columnStart = .allocate(capacity: columnStart.count)
        self.columnStart.initialize(from: columnStart, count: columnStart.count)
        self.columnRow = .allocate(capacity: max(columnRow.count, 1))
        self.columnRow.initialize(from: columnRow, count: columnRow.count)
        coefficientCount = columnRow.count
        self.positionOfEntry = positionOfEntry
        self.factorPosition = factorPosition
        self.underlyingOf = underlyingOf
        groupCount = several + 1
        groupOfRow = .allocate(capacity: rowCount)
        groupOfRow.initialize(repeating: Int32(several), count: rowCount)
        for band in 0..<bandCount { groupOfRow[Int(rowOfBand[band])] = Int32(group[band]) }
        firstFactorRow = bandCount
        entryInstruments = problem.entries.map { Int32($0.instrument) }
        bandRanges = problem.bands.map(\.entries)
        kinds = .allocate(capacity: rowCount)
        kinds.initialize(repeating: .absent, count: rowCount)

        let scratchRoom = HedgeProblem.certificateRoom(
            instruments: count, underlyings: problem.underlyings.count, bands: bandCount)
        arena = Arena(
            capacity: 9 * Arena.room(count) + Arena.room(columnRow.count) + 8 * Arena.room(rowCount)
                + Arena.room(factorCount * (factorCount + 2))
                + Arena.room(scratchRoom))
        lower = arena.take(count)
        upper = arena.take(count)
        costBuy = arena.take(count)
        costSell = arena.take(count)
        curvature = arena.take(count)
        marginPerUnit = arena.take(count)
        cashBuy = arena.take(count)
        cashSell = arena.take(count)
        instrumentScale = arena.take(count)
        coefficients = arena.take(columnRow.count)
        low = arena.take(rowCount)
        high = arena.take(rowCount)
        penalty = arena.take(rowCount)
        penaltyQuadratic = arena.take(rowCount)
        rowScale = arena.take(rowCount)
        leastReach = arena.take(rowCount)
        mostReach = arena.take(rowCount)
        factor = arena.take(factorCount * (factorCount + 2))
        ray = arena.take(rowCount)
        scratch = arena.take(scratchRoom)
    }

    deinit {
        columnStart.deallocate()
        columnRow.deallocate()
        kinds.deallocate()
        groupOfRow.deallocate()
    }

    /// Whether the problem has this shape: the same bands on the same instruments.
    func fits(_ problem: HedgeProblem) -> Bool {
        guard problem.instruments.count == count, problem.bands.count == bandCount,
            problem.entries.count == entryInstruments.count,
            (problem.risk == nil ? 0 : problem.underlyings.count) == factorCount
        else { return false }
        for k in 0..<entryInstruments.count where problem.entries[k].instrument != Int(entryInstruments[k]) {
            return false
        }
        for r in 0..<bandCount where problem.bands[r].entries != bandRanges[r] { return false }
        for i in 0..<count where problem.instruments[i].underlying != Int(underlyingOf[i]) { return false }
        return true
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
            // The objective by the geometric mean of what instruments cost, which a few huge limits don't sway.
            var exponents = 0
            var priced = 0
            for i in 0..<count {
                let instrument = problem.instruments[i]
                let scale = instrumentScale[i]
                let cost =
                    (instrument.costBuy.magnitude + instrument.costSell.magnitude) * scale
                    + instrument.impact * scale * scale
                guard cost > 1e-290 else { continue }
                exponents += Int(cost.exponent)
                priced += 1
            }
            if priced == 0 {
                // Where none costs anything, by what penalties make of the largest trades.
                for band in problem.bands {
                    let move = largestMove(band, problem)
                    let cost = band.penalty * move + band.penaltyQuadratic * move * move
                    guard !band.isHard, cost > 1e-290 else { continue }
                    exponents += Int(cost.exponent)
                    priced += 1
                }
            }
            objectiveScale =
                priced == 0 ? 1 : Double(sign: .plus, exponent: exponents / priced, significand: 1)
            objectiveScale *= Self.powerOfTwo(share)
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
        for k in 0..<coefficientCount { coefficients[k] = 0 }
        for r in 0..<bandCount { loadBand(r, problem, keepingScales) }
        if let risk = problem.risk { try loadRisk(risk, problem.underlyings.count, keepingScales) }
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
        let needed = scratch
        for i in 0..<count { needed[i] = .infinity }
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
                let delta = risk.dollarDelta[Int(underlyingOf[i])].magnitude
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
        let row = Int(rowOfBand[index])
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
        for k in band.entries {
            let entry = problem.entries[k]
            coefficients[Int(positionOfEntry[k])] +=
                entry.coefficient * instrumentScale[entry.instrument] * inverse
        }
    }

    /// λ dᵀΣd = λ |Lᵀd|² with a pivoted Cholesky factor L of the covariance.
    private func loadRisk(_ risk: HedgeRisk, _ size: Int, _ keepingScales: Bool) throws(HedgeError) {
        guard risk.riskAversion > 0 else {
            for k in 0..<factorCount {
                kinds[firstFactorRow + k] = .absent
                if !keepingScales { rowScale[firstFactorRow + k] = 1 }
            }
            return
        }
        let rank = try CovarianceFactor.compute(risk.covariance, size: size, into: factor)
        for k in 0..<factorCount {
            let row = firstFactorRow + k
            guard k < rank else {
                kinds[row] = .absent
                if !keepingScales { rowScale[row] = 1 }
                continue
            }
            var shift = 0.0
            for u in 0..<size { shift += factor[u * size + k] * risk.dollarDelta[u] }
            if !keepingScales {
                var largest = 0.0
                for i in 0..<count {
                    let value =
                        factor[Int(underlyingOf[i]) * size + k] * risk.exposure[i] * instrumentScale[i]
                    largest = max(largest, value.magnitude)
                }
                rowScale[row] = Self.powerOfTwo(largest)
            }
            let scale = rowScale[row]
            for i in 0..<count {
                coefficients[Int(factorPosition[i]) + k] =
                    factor[Int(underlyingOf[i]) * size + k] * risk.exposure[i] * instrumentScale[i] / scale
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
