/// Mehrotra's predictor-corrector method on the split problem x = p − q, p, q ≥ 0, with the Newton equations
/// reduced to one row per band.
///
/// Each side of a band, `±(g − limit) + e − t = 0` with t, e ≥ 0 (e = 0 where it is hard), reduces to
/// `dy = κ − ω (±dg)`; the columns to `dv = D (Aᵀ dY + ρ)`. What remains is
/// `(A D Aᵀ + Ω⁻¹) dY = Ω⁻¹Κ − A D ρ`, solved by an envelope Cholesky factor.
///
/// Source: S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2 (1992).
final class InteriorPoint {
    enum Outcome {
        /// Complementarity and residuals are below what was asked for.
        case converged
        /// The bound of the dual exceeds what any allowed trades could cost.
        case infeasible
        /// No further progress; the iterate is the last.
        case stalled
    }

    private typealias Block = SIMD4<Double>

    let problem: ScaledProblem
    private let count, padded, columnCount, rowCount: Int

    /// Columns: what is bought at 0..<padded, what is sold behind. A column that cannot move is replaced by
    /// one between 0 and 2 that touches nothing (`open` is 0).
    private let value, slack, lowerDual, upperDual, room, cost, bend, open: Vector
    private let residual, weight, drive, step, lowerTarget, upperTarget, lowerDualStep, upperDualStep: Vector
    /// Where the box of an instrument starts: 0, or its end nearest to 0.
    private let origin: Vector
    // Rows.
    let exposure, exposureStep: Vector
    private let multiplierStep, inverseWeight, target: Vector
    /// Net multiplier of each row: positive where the lower limit pushes.
    let multiplier: Vector
    private let low, high: SolverVector<Side>
    private let matrix: Envelope

    private(set) var iterations = 0

    /// Curvature that steps, not solutions, see: it keeps the weights of instruments without impact finite at
    /// degenerate corners, where steps would lose all their digits.
    private static let damping = Block(repeating: 1e-6)

    init(_ problem: ScaledProblem) {
        self.problem = problem
        count = problem.count
        padded = (count + 3) / 4 * 4
        columnCount = 2 * padded
        rowCount = problem.rowCount
        let (columnCount, rowCount) = (columnCount, rowCount)
        func columns() -> Vector { Vector(columnCount) }
        func rows() -> Vector { Vector(rowCount) }
        value = columns()
        slack = columns()
        lowerDual = columns()
        upperDual = columns()
        room = columns()
        cost = columns()
        bend = columns()
        open = columns()
        residual = columns()
        weight = columns()
        drive = columns()
        step = columns()
        lowerTarget = columns()
        upperTarget = columns()
        lowerDualStep = columns()
        upperDualStep = columns()
        origin = columns()
        exposure = rows()
        exposureStep = rows()
        multiplier = rows()
        multiplierStep = rows()
        inverseWeight = rows()
        target = rows()
        low = SolverVector(repeating: Side(sign: 1), count: rowCount)
        high = SolverVector(repeating: Side(sign: -1), count: rowCount)
        matrix = Envelope(size: rowCount)
        for r in 0..<rowCount { matrix.begin(r, at: problem.shape.rowFirst[r]) }
    }

    // MARK: The iterate

    /// Net trade of instrument i.
    func trade(_ i: Int) -> Double {
        open[i] * value[i] - open[padded + i] * value[padded + i] + origin[i]
    }

    // Which limits hold shows in the last step: of a pair that multiplies to almost nothing, the one that
    // stays keeps its size and the other shrinks (the indicators of R. Tapia, independent of scale).

    /// Which part of its cost an instrument seems to end on.
    func segment(_ i: Int) -> Segment {
        let (buy, sell) = (i, padded + i)
        if open[buy] > 0 {
            if upperDualStep[buy] * slack[buy] > -step[buy] * upperDual[buy] { return .upper }
            if lowerDualStep[buy] * value[buy] < step[buy] * lowerDual[buy] { return .buy }
        }
        if open[sell] > 0 {
            if upperDualStep[sell] * slack[sell] > -step[sell] * upperDual[sell] { return .lower }
            if lowerDualStep[sell] * value[sell] < step[sell] * lowerDual[sell] { return .sell }
        }
        return problem.nearSegment(i)
    }

    /// Which limit of a row seems to hold.
    func position(_ r: Int) -> RowPosition {
        switch problem.kinds[r] {
        case .absent: return .inside
        case .equality: return .atLow
        case .quadratic: return .belowLow
        case .hard, .soft:
            if low[r].holds { return low[r].isLeft ? .belowLow : .atLow }
            if high[r].holds { return high[r].isLeft ? .aboveHigh : .atHigh }
            return .inside
        }
    }

    // MARK: Start

    /// Starts from the middle of everything.
    func start() {
        iterations = 0
        for i in 0..<padded {
            prepareColumn(i, i, buy: true)
            prepareColumn(padded + i, i, buy: false)
            // A box without 0 is measured from its end nearest to it.
            origin[i] = i < count ? max(problem.lower[i], 0) + min(problem.upper[i], 0) : 0
        }
        computeExposures()
        for r in 0..<rowCount {
            multiplier[r] = 0
            low[r] = Side(sign: 1, problem, r, exposure: exposure[r])
            high[r] = Side(sign: -1, problem, r, exposure: exposure[r])
        }
    }

    private func prepareColumn(_ c: Int, _ i: Int, buy: Bool) {
        var width = 0.0
        if i < count {
            width =
                buy
                ? max(problem.upper[i], 0) - max(problem.lower[i], 0)
                : min(problem.upper[i], 0) - min(problem.lower[i], 0)
        }
        if width > 0 {
            // Away from 0 the impact has a slope at the start of the box.
            let start = max(problem.lower[i], -problem.upper[i], 0)
            open[c] = 1
            room[c] = width
            bend[c] = problem.curvature[i]
            cost[c] = (buy ? problem.costBuy[i] : problem.costSell[i]) + problem.curvature[i] * start
        } else {
            open[c] = 0
            room[c] = 2
            bend[c] = 0
            cost[c] = 0
        }
        // From the middle, unless the limit is so far that it says nothing.
        let isFar = room[c] > 64
        value[c] = isFar ? 1 : 0.5 * room[c]
        slack[c] = room[c] - value[c]
        lowerDual[c] = 1
        upperDual[c] = isFar ? 1 / slack[c] : 1
    }

    // MARK: Products with the coefficients

    /// out = A·v of the columns, and of the origins where `share` is 1.
    private func multiply(_ v: borrowing Vector, originShare share: Double, into out: borrowing Vector) {
        out.fill(0)
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            let start = share * origin[i]
            let bought = open[i] * v[i] + max(start, 0)
            let sold = open[padded + i] * v[padded + i] - min(start, 0)
            let x = bought - sold
            problem.columns.add(i, times: x, to: out)
            margin += problem.marginPerUnit[i] * (bought + sold)
            cash += problem.cashBuy[i] * bought + problem.cashSell[i] * sold
        }
        out[problem.marginRow] = margin
        out[problem.cashRow] = cash
    }

    private func computeExposures() {
        multiply(value, originShare: 1, into: exposure)
        for r in 0..<rowCount where problem.kinds[r] == .quadratic {
            multiplier[r] = problem.penaltyQuadratic[r] * (problem.low[r] - exposure[r])
        }
    }

    /// out = Aᵀ·y on the columns.
    private func multiplyTransposed(_ y: borrowing Vector, into out: borrowing Vector) {
        let margin = y[problem.marginRow]
        let cash = y[problem.cashRow]
        for i in 0..<count {
            let sum = problem.columns.product(i, y)
            let limits = problem.marginPerUnit[i] * margin
            out[i] = open[i] * (sum + limits + problem.cashBuy[i] * cash)
            out[padded + i] = open[padded + i] * (limits + problem.cashSell[i] * cash - sum)
        }
    }

    /// A·D·Aᵀ + Ω⁻¹ into the envelope.
    private func assemble() {
        matrix.clear(count: rowCount)
        let (marginRow, cashRow) = (problem.marginRow, problem.cashRow)
        let marginShare = problem.kinds[marginRow] == .absent ? 0.0 : 1
        let cashShare = problem.kinds[cashRow] == .absent ? 0.0 : 1
        for i in 0..<count {
            let buys = open[i] * weight[i]
            let sells = open[padded + i] * weight[padded + i]
            let both = buys + sells
            problem.columns.addSquare(i, times: both, to: matrix)
            guard marginShare + cashShare > 0 else { continue }
            let margin = marginShare * problem.marginPerUnit[i]
            let cashBuy = cashShare * problem.cashBuy[i]
            let cashSell = cashShare * problem.cashSell[i]
            let marginNet = margin * (buys - sells)
            let cashNet = cashBuy * buys - cashSell * sells
            for k in problem.columns.places(i) {
                let row = problem.columns.row(k)
                matrix[marginRow, row] += problem.columns.values[k] * marginNet
                matrix[cashRow, row] += problem.columns.values[k] * cashNet
            }
            matrix[marginRow, marginRow] += margin * margin * both
            matrix[cashRow, marginRow] += margin * (cashBuy * buys + cashSell * sells)
            matrix[cashRow, cashRow] += cashBuy * cashBuy * buys + cashSell * cashSell * sells
        }
        for r in 0..<rowCount { matrix[r, r] += inverseWeight[r] }
    }

    // MARK: Iterations

    /// Goes on until complementarity and residuals are below `tolerance`.
    /// - Parameter ceiling: no allowed trades cost more; a dual bound above it proves that there are none.
    func run(tolerance: Double, ceiling: Double, limit: Int = 100) -> Outcome {
        var best = Double.infinity
        var stalls = 0
        while true {
            let (worst, mean) = prepareIteration()
            guard worst.isFinite, mean.isFinite else { return .stalled }
            let error = max(worst, mean)
            if error <= tolerance { return .converged }
            if iterations >= 6, problem.dualValue(multiplier) > ceiling, problem.provesInfeasible(multiplier)
            {
                return .infeasible
            }
            stalls = error < 0.9 * best ? 0 : stalls + 1
            best = min(best, error)
            guard iterations < limit, stalls < 15, error < 1e6 * best, !problem.watch.isOver else {
                return .stalled
            }
            iterate(mean)
            iterations += 1
        }
    }

    /// Residuals of the present iterate: the worst of them, and the mean complementarity.
    private func prepareIteration() -> (worst: Double, mean: Double) {
        computeExposures()
        multiplyTransposed(multiplier, into: residual)
        var sum = Block()
        var largest = Block()
        for b in 0..<columnCount / 4 {
            let v = value[block: b]
            let z = lowerDual[block: b]
            let w = upperDual[block: b]
            let gradient = bend[block: b] * v + cost[block: b] - residual[block: b]
            residual[block: b] = gradient
            let error = gradient - z + w
            let magnitude = error.replacing(with: -error, where: error .< 0)
            largest.replace(with: magnitude, where: .!(magnitude .<= largest))
            sum += v * z + slack[block: b] * w
        }
        var worst = max(max(largest[0], largest[1]), max(largest[2], largest[3]))
        if !largest.sum().isFinite { worst = .infinity }
        var total = sum.sum()
        var pairs = Double(2 * columnCount)
        for r in 0..<rowCount {
            if problem.kinds[r] == .equality { worst = max(worst, (exposure[r] - problem.low[r]).magnitude) }
            low[r].prepare(exposure[r], &worst, &total, &pairs)
            high[r].prepare(exposure[r], &worst, &total, &pairs)
        }
        return (worst, total / pairs)
    }

    private func iterate(_ mean: Double) {
        // Predictor: straight at the solution.
        for b in 0..<columnCount / 4 {
            let (v, s, z, w) = (value[block: b], slack[block: b], lowerDual[block: b], upperDual[block: b])
            weight[block: b] = 1 / (bend[block: b] + Self.damping + z / v + w / s)
            drive[block: b] = -residual[block: b]
            lowerTarget[block: b] = -v * z
            upperTarget[block: b] = -s * w
        }
        for r in 0..<rowCount { reduceRow(r, centre: 0, share: 0) }
        assemble()
        matrix.factorise(count: rowCount, floor: 1e-13)
        solve(centre: 0, share: 0)
        let ratio = meanAfter(longestStep()) / mean
        let centre = ratio * ratio * ratio * mean

        // Corrector: aims at the central path, less the predictor's second-order error.
        let centres = Block(repeating: centre)
        for b in 0..<columnCount / 4 {
            let dv = step[block: b]
            let atLower = centres - dv * lowerDualStep[block: b]
            let atUpper = centres + dv * upperDualStep[block: b]
            let (v, s) = (value[block: b], slack[block: b])
            drive[block: b] = atLower / v - atUpper / s - residual[block: b]
            lowerTarget[block: b] = atLower - v * lowerDual[block: b]
            upperTarget[block: b] = atUpper - s * upperDual[block: b]
        }
        for r in 0..<rowCount { reduceRow(r, centre: centre, share: 1) }
        solve(centre: centre, share: 1)
        advance(min(1, 0.995 * longestStep()))
    }

    /// Ω⁻¹ and Ω⁻¹Κ of a row. The predictor's steps count with `share`.
    private func reduceRow(_ r: Int, centre: Double, share: Double) {
        switch problem.kinds[r] {
        case .absent:
            inverseWeight[r] = 1
            target[r] = 0
        case .equality:
            inverseWeight[r] = 1e-14
            target[r] = problem.low[r] - exposure[r]
        case .quadratic:
            // Its multiplier is always that of the exposure: only the curvature is left.
            inverseWeight[r] = 1 / problem.penaltyQuadratic[r]
            target[r] = 0
        case .hard, .soft:
            var weight = 0.0
            var shift = 0.0
            low[r].reduce(centre, share, &weight, &shift)
            high[r].reduce(centre, share, &weight, &shift)
            inverseWeight[r] = 1 / max(weight, 1e-200)
            target[r] = shift * inverseWeight[r]
        }
    }

    /// The steps that belong to `drive`, the targets and the reduced rows.
    private func solve(centre: Double, share: Double) {
        for b in 0..<columnCount / 4 { step[block: b] = weight[block: b] * drive[block: b] }
        multiply(step, originShare: 0, into: exposureStep)
        for r in 0..<rowCount { multiplierStep[r] = target[r] - exposureStep[r] }
        if problem.kinds[problem.marginRow] == .absent { multiplierStep[problem.marginRow] = 0 }
        if problem.kinds[problem.cashRow] == .absent { multiplierStep[problem.cashRow] = 0 }
        matrix.solve(multiplierStep, count: rowCount)
        for r in 0..<rowCount where problem.kinds[r] == .absent { multiplierStep[r] = 0 }
        multiplyTransposed(multiplierStep, into: step)
        for b in 0..<columnCount / 4 {
            let dv = weight[block: b] * (step[block: b] + drive[block: b])
            step[block: b] = dv
            lowerDualStep[block: b] = (lowerTarget[block: b] - lowerDual[block: b] * dv) / value[block: b]
            upperDualStep[block: b] = (upperTarget[block: b] + upperDual[block: b] * dv) / slack[block: b]
        }
        multiply(step, originShare: 0, into: exposureStep)
        for r in 0..<rowCount {
            low[r].step(exposureStep[r], centre, share)
            high[r].step(exposureStep[r], centre, share)
        }
    }

    /// How far the steps go until something reaches 0.
    private func longestStep() -> Double {
        var shortest = Block(repeating: -1)
        for b in 0..<columnCount / 4 {
            let dv = step[block: b]
            // Most negative step per value: one division per pair and no branch.
            let atLower = dv / value[block: b]
            let atUpper = -dv / slack[block: b]
            let ofLower = lowerDualStep[block: b] / lowerDual[block: b]
            let ofUpper = upperDualStep[block: b] / upperDual[block: b]
            shortest.replace(with: atLower, where: atLower .< shortest)
            shortest.replace(with: atUpper, where: atUpper .< shortest)
            shortest.replace(with: ofLower, where: ofLower .< shortest)
            shortest.replace(with: ofUpper, where: ofUpper .< shortest)
        }
        var worst = min(min(shortest[0], shortest[1]), min(shortest[2], shortest[3]))
        for r in 0..<rowCount {
            low[r].shorten(&worst)
            high[r].shorten(&worst)
        }
        return -1 / worst
    }

    /// Mean complementarity after a step of that length.
    private func meanAfter(_ length: Double) -> Double {
        let a = Block(repeating: length)
        var sum = Block()
        for b in 0..<columnCount / 4 {
            let dv = a * step[block: b]
            sum += (value[block: b] + dv) * (lowerDual[block: b] + a * lowerDualStep[block: b])
            sum += (slack[block: b] - dv) * (upperDual[block: b] + a * upperDualStep[block: b])
        }
        var total = sum.sum()
        var pairs = Double(2 * columnCount)
        for r in 0..<rowCount {
            low[r].addAfter(length, &total, &pairs)
            high[r].addAfter(length, &total, &pairs)
        }
        return total / pairs
    }

    private func advance(_ length: Double) {
        let a = Block(repeating: length)
        for b in 0..<columnCount / 4 {
            let dv = a * step[block: b]
            value[block: b] = value[block: b] + dv
            slack[block: b] = slack[block: b] - dv
            lowerDual[block: b] = lowerDual[block: b] + a * lowerDualStep[block: b]
            upperDual[block: b] = upperDual[block: b] + a * upperDualStep[block: b]
        }
        for r in 0..<rowCount {
            low[r].advance(length)
            high[r].advance(length)
            switch problem.kinds[r] {
            case .hard, .soft: multiplier[r] = low[r].multiplier - high[r].multiplier
            case .equality: multiplier[r] += length * multiplierStep[r]
            case .quadratic, .absent: break
            }
        }
    }
}
