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

    typealias Vector = UnsafeMutablePointer<Double>
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
    private let low, high: Side
    private let matrix: Envelope
    private let envelopeFirst: UnsafeMutablePointer<Int32>
    private let arena: Arena

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
        let stride = Arena.room(rowCount)
        let arena = Arena(
            capacity: 17 * Arena.room(columnCount) + (7 + 2 * 13) * stride + rowCount * stride)
        let columnCount = columnCount
        let rowCount = rowCount
        func columns() -> Vector { arena.take(columnCount) }
        func rows() -> Vector { arena.take(rowCount) }
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
        low = Side(sign: 1, rows)
        high = Side(sign: -1, rows)
        envelopeFirst = .allocate(capacity: rowCount)
        for r in 0..<rowCount { envelopeFirst[r] = problem.rowFirst[r] }
        matrix = Envelope(
            stride: stride, values: arena.take(rowCount * stride), first: envelopeFirst,
            inverseDiagonal: rows())
        self.arena = arena
    }

    deinit { envelopeFirst.deallocate() }

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
            if holds(low, r) { return isLeft(low, r) ? .belowLow : .atLow }
            if holds(high, r) { return isLeft(high, r) ? .aboveHigh : .atHigh }
            return .inside
        }
    }

    private func holds(_ side: Side, _ r: Int) -> Bool {
        side.kind[r] > 0 && side.multiplierStep[r] * side.slack[r] > side.slackStep[r] * side.multiplier[r]
    }

    private func isLeft(_ side: Side, _ r: Int) -> Bool {
        side.kind[r] == 2 && side.excessDualStep[r] * side.excess[r] < side.excessStep[r] * side.excessDual[r]
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
            prepareRow(r, low, problem.low[r])
            prepareRow(r, high, problem.high[r])
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

    private func prepareRow(_ r: Int, _ side: Side, _ limit: Double) {
        let kind = problem.kinds[r]
        side.limit[r] = limit
        side.kind[r] = 0
        side.multiplier[r] = 0
        side.alpha[r] = 0
        side.beta[r] = 0
        guard kind == .hard || kind == .soft, limit.magnitude < .infinity else { return }
        let distance = side.sign * (exposure[r] - limit)
        if kind == .hard {
            side.kind[r] = 1
            side.slack[r] = max(distance, 1)
            side.multiplier[r] = 1
        } else {
            side.kind[r] = 2
            let excess = max(-distance, 0) + 0.1
            let total = problem.penalty[r] + problem.penaltyQuadratic[r] * excess
            side.excess[r] = excess
            side.slack[r] = max(distance, 0) + 0.1
            side.multiplier[r] = 0.5 * total
            side.excessDual[r] = 0.5 * total
        }
    }

    // MARK: Products with the coefficients

    /// out = A·v of the columns, and of the origins where `share` is 1.
    private func multiply(_ v: Vector, originShare share: Double, into out: Vector) {
        for r in 0..<rowCount { out[r] = 0 }
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            let start = share * origin[i]
            let bought = open[i] * v[i] + max(start, 0)
            let sold = open[padded + i] * v[padded + i] - min(start, 0)
            let x = bought - sold
            for k in Int(problem.columnStart[i])..<Int(problem.columnStart[i + 1]) {
                out[Int(problem.columnRow[k])] += problem.coefficients[k] * x
            }
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
    private func multiplyTransposed(_ y: Vector, into out: Vector) {
        let margin = y[problem.marginRow]
        let cash = y[problem.cashRow]
        for i in 0..<count {
            var sum = 0.0
            for k in Int(problem.columnStart[i])..<Int(problem.columnStart[i + 1]) {
                sum += problem.coefficients[k] * y[Int(problem.columnRow[k])]
            }
            let limits = problem.marginPerUnit[i] * margin
            out[i] = open[i] * (sum + limits + problem.cashBuy[i] * cash)
            out[padded + i] = open[padded + i] * (limits + problem.cashSell[i] * cash - sum)
        }
    }

    /// A·D·Aᵀ + Ω⁻¹ into the envelope.
    private func assemble() {
        matrix.clear(count: rowCount)
        let (marginIndex, cashIndex) = (problem.marginRow, problem.cashRow)
        let marginRow = matrix.row(marginIndex)
        let cashRow = matrix.row(cashIndex)
        let marginShare = problem.kinds[marginIndex] == .absent ? 0.0 : 1
        let cashShare = problem.kinds[cashIndex] == .absent ? 0.0 : 1
        for i in 0..<count {
            let buys = open[i] * weight[i]
            let sells = open[padded + i] * weight[padded + i]
            let both = buys + sells
            let start = Int(problem.columnStart[i])
            let end = Int(problem.columnStart[i + 1])
            for k in start..<end {
                let weighted = problem.coefficients[k] * both
                let row = matrix.row(Int(problem.columnRow[k]))
                for l in start...k { row[Int(problem.columnRow[l])] += weighted * problem.coefficients[l] }
            }
            guard marginShare + cashShare > 0 else { continue }
            let margin = marginShare * problem.marginPerUnit[i]
            let cashBuy = cashShare * problem.cashBuy[i]
            let cashSell = cashShare * problem.cashSell[i]
            let marginNet = margin * (buys - sells)
            let cashNet = cashBuy * buys - cashSell * sells
            for k in start..<end {
                let row = Int(problem.columnRow[k])
                marginRow[row] += problem.coefficients[k] * marginNet
                cashRow[row] += problem.coefficients[k] * cashNet
            }
            marginRow[marginIndex] += margin * margin * both
            cashRow[marginIndex] += margin * (cashBuy * buys + cashSell * sells)
            cashRow[cashIndex] += cashBuy * cashBuy * buys + cashSell * cashSell * sells
        }
        for r in 0..<rowCount { matrix.row(r)[r] += inverseWeight[r] }
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
        for c in stride(from: 0, to: columnCount, by: 4) {
            let v = load(value, c)
            let z = load(lowerDual, c)
            let w = load(upperDual, c)
            let gradient = load(bend, c) * v + load(cost, c) - load(residual, c)
            store(gradient, residual, c)
            let error = gradient - z + w
            let magnitude = error.replacing(with: -error, where: error .< 0)
            largest.replace(with: magnitude, where: .!(magnitude .<= largest))
            sum += v * z + load(slack, c) * w
        }
        var worst = max(max(largest[0], largest[1]), max(largest[2], largest[3]))
        if !largest.sum().isFinite { worst = .infinity }
        var total = sum.sum()
        var pairs = Double(2 * columnCount)
        for r in 0..<rowCount {
            if problem.kinds[r] == .equality { worst = max(worst, (exposure[r] - problem.low[r]).magnitude) }
            prepareSide(low, r, &worst, &total, &pairs)
            prepareSide(high, r, &worst, &total, &pairs)
        }
        return (worst, total / pairs)
    }

    private func iterate(_ mean: Double) {
        // Predictor: straight at the solution.
        for c in stride(from: 0, to: columnCount, by: 4) {
            let (v, s, z, w) = (load(value, c), load(slack, c), load(lowerDual, c), load(upperDual, c))
            store(1 / (load(bend, c) + Self.damping + z / v + w / s), weight, c)
            store(-load(residual, c), drive, c)
            store(-v * z, lowerTarget, c)
            store(-s * w, upperTarget, c)
        }
        for r in 0..<rowCount { reduceRow(r, centre: 0, share: 0) }
        assemble()
        matrix.factorise(count: rowCount, floor: 1e-13)
        solve(centre: 0, share: 0)
        let ratio = meanAfter(longestStep()) / mean
        let centre = ratio * ratio * ratio * mean

        // Corrector: aims at the central path, less the predictor's second-order error.
        let centres = Block(repeating: centre)
        for c in stride(from: 0, to: columnCount, by: 4) {
            let dv = load(step, c)
            let atLower = centres - dv * load(lowerDualStep, c)
            let atUpper = centres + dv * load(upperDualStep, c)
            let (v, s) = (load(value, c), load(slack, c))
            store(atLower / v - atUpper / s - load(residual, c), drive, c)
            store(atLower - v * load(lowerDual, c), lowerTarget, c)
            store(atUpper - s * load(upperDual, c), upperTarget, c)
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
            reduceSide(low, r, centre, share, &weight, &shift)
            reduceSide(high, r, centre, share, &weight, &shift)
            inverseWeight[r] = 1 / max(weight, 1e-200)
            target[r] = shift * inverseWeight[r]
        }
    }

    /// The steps that belong to `drive`, the targets and the reduced rows.
    private func solve(centre: Double, share: Double) {
        for c in stride(from: 0, to: columnCount, by: 4) { store(load(weight, c) * load(drive, c), step, c) }
        multiply(step, originShare: 0, into: exposureStep)
        for r in 0..<rowCount { multiplierStep[r] = target[r] - exposureStep[r] }
        if problem.kinds[problem.marginRow] == .absent { multiplierStep[problem.marginRow] = 0 }
        if problem.kinds[problem.cashRow] == .absent { multiplierStep[problem.cashRow] = 0 }
        matrix.solve(multiplierStep, count: rowCount)
        for r in 0..<rowCount where problem.kinds[r] == .absent { multiplierStep[r] = 0 }
        multiplyTransposed(multiplierStep, into: step)
        for c in stride(from: 0, to: columnCount, by: 4) {
            let dv = load(weight, c) * (load(step, c) + load(drive, c))
            store(dv, step, c)
            store((load(lowerTarget, c) - load(lowerDual, c) * dv) / load(value, c), lowerDualStep, c)
            store((load(upperTarget, c) + load(upperDual, c) * dv) / load(slack, c), upperDualStep, c)
        }
        multiply(step, originShare: 0, into: exposureStep)
        for r in 0..<rowCount {
            stepSide(low, r, centre, share)
            stepSide(high, r, centre, share)
        }
    }

    /// How far the steps go until something reaches 0.
    private func longestStep() -> Double {
        var shortest = Block(repeating: -1)
        for c in stride(from: 0, to: columnCount, by: 4) {
            let dv = load(step, c)
            // Most negative step per value: one division per pair and no branch.
            let atLower = dv / load(value, c)
            let atUpper = -dv / load(slack, c)
            let ofLower = load(lowerDualStep, c) / load(lowerDual, c)
            let ofUpper = load(upperDualStep, c) / load(upperDual, c)
            shortest.replace(with: atLower, where: atLower .< shortest)
            shortest.replace(with: atUpper, where: atUpper .< shortest)
            shortest.replace(with: ofLower, where: ofLower .< shortest)
            shortest.replace(with: ofUpper, where: ofUpper .< shortest)
        }
        var worst = min(min(shortest[0], shortest[1]), min(shortest[2], shortest[3]))
        for r in 0..<rowCount {
            shorten(low, r, &worst)
            shorten(high, r, &worst)
        }
        return -1 / worst
    }

    /// Mean complementarity after a step of that length.
    private func meanAfter(_ length: Double) -> Double {
        let a = Block(repeating: length)
        var sum = Block()
        for c in stride(from: 0, to: columnCount, by: 4) {
            let dv = a * load(step, c)
            sum += (load(value, c) + dv) * (load(lowerDual, c) + a * load(lowerDualStep, c))
            sum += (load(slack, c) - dv) * (load(upperDual, c) + a * load(upperDualStep, c))
        }
        var total = sum.sum()
        var pairs = Double(2 * columnCount)
        for r in 0..<rowCount {
            addAfter(length, low, r, &total, &pairs)
            addAfter(length, high, r, &total, &pairs)
        }
        return total / pairs
    }

    private func advance(_ length: Double) {
        let a = Block(repeating: length)
        for c in stride(from: 0, to: columnCount, by: 4) {
            let dv = a * load(step, c)
            store(load(value, c) + dv, value, c)
            store(load(slack, c) - dv, slack, c)
            store(load(lowerDual, c) + a * load(lowerDualStep, c), lowerDual, c)
            store(load(upperDual, c) + a * load(upperDualStep, c), upperDual, c)
        }
        for r in 0..<rowCount {
            advance(low, r, length)
            advance(high, r, length)
            switch problem.kinds[r] {
            case .hard, .soft: multiplier[r] = low.multiplier[r] - high.multiplier[r]
            case .equality: multiplier[r] += length * multiplierStep[r]
            case .quadratic, .absent: break
            }
        }
    }

    @inline(__always) private func load(_ v: Vector, _ i: Int) -> Block {
        UnsafeRawPointer(v + i).load(as: Block.self)
    }

    @inline(__always) private func store(_ x: Block, _ v: Vector, _ i: Int) {
        UnsafeMutableRawPointer(v + i).storeBytes(of: x, as: Block.self)
    }
}
