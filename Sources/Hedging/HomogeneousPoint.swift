/// The interior point method for problems that the quicker one, with its active set, leaves open: the homogeneous
/// embedding, which needs no start near the solution and finds rays where there is none, in numbers of 32 digits, so
/// that neither coefficients of very different size nor bands without an inside take its steps away.
///
/// Everything of `InteriorPoint` (columns bought and sold, two sides per row) is multiplied by τ, and the gap becomes
/// an equation with κ: a solution has τ > 0, an infeasible problem κ > 0. As there, Newton's equations are reduced to
/// one row per band; they are solved for two right sides, as all steps are linear in that of τ.
///
/// Source: P. Goulart, Y. Chen, "Clarabel: An interior-point solver for conic programs with quadratic objectives",
/// arXiv:2405.12762 (2024), section 2; predictor and corrector of S. Mehrotra, SIAM J. Optim. 2 (1992).
final class HomogeneousPoint<N: HedgeNumber> {
    private let exact: ExactNumbers<N>
    private let problem: ScaledProblem
    private let count, columnCount, rowCount: Int

    /// A number that stays above 0 with the one that it multiplies to 0, and both steps.
    private struct Pair {
        var primal = N(1)
        var dual = N(1)
        var primalStep = N(0)
        var dualStep = N(0)
        var product: N { primal * dual }
        /// What the steps are to make of the product, less the product.
        var target = N(0)

        mutating func aim(_ centre: N, corrects: Bool) {
            target = centre - product - (corrects ? primalStep * dualStep : N(0))
        }
        mutating func setPrimalStep(_ step: N) {
            primalStep = step
            dualStep = (target - dual * step) / primal
        }
        mutating func setDualStep(_ step: N) {
            dualStep = step
            primalStep = (target - primal * step) / dual
        }
        mutating func advance(_ length: N) {
            primal = primal + length * primalStep
            dual = dual + length * dualStep
        }
        /// Shortens a step to where neither reaches 0.
        func shorten(_ length: inout N) {
            if primal + length * primalStep < N(0) { length = -(primal / primalStep) }
            if dual + length * dualStep < N(0) { length = -(dual / dualStep) }
        }
    }

    /// What is bought (0..<count) or sold of an instrument.
    private struct Column {
        var isOpen = false
        var hasEnd = false
        var cost = N(0), bend = N(0), room = N(0)
        var amount = Pair(), end = Pair()
        var dualError = N(0), endError = N(0)
        var weight = N(0), constant = N(0), rate = N(0), price = N(0)
    }

    /// One limit of a row.
    private struct Side {
        var isThere = false
        var isSoft = false
        var sign = N(1), limit = N(0)
        /// Slack and multiplier; excess and the multiplier of its sign.
        var slack = Pair(), excess = Pair()
        var error = N(0), excessError = N(0)
        var weight = N(0), constant = N(0), rate = N(0), give = N(0), excessConstant = N(0)
    }

    private struct Row {
        var sides = (Side(), Side())
        var limit = N(0), penalty = N(0), quadratic = N(0)
        var multiplier = N(0), multiplierStep = N(0)
        var exposure = N(0), exposureStep = N(0)
        var error = N(0)
        /// step of the exposure = constant + rate·step of τ − give·step of the multiplier.
        var give = N(0), constant = N(0), rate = N(0)
        var first = N(0), second = N(0)
        var firstSum = N(0), secondSum = N(0)
    }

    private var columns: [Column]
    /// Where the box of an instrument starts: 0, or its end nearest to 0.
    private var origin: [Double]
    private var rows: [Row]
    private var matrix: [N]
    private var scale = Pair()
    private var scaleError = N(0)
    private var quadraticForm = N(0)
    private(set) var steps = 0

    init(_ exact: ExactNumbers<N>) {
        let problem = exact.problem
        self.exact = exact
        self.problem = problem
        count = problem.count
        columnCount = 2 * problem.count
        rowCount = problem.rowCount
        columns = Array(repeating: Column(), count: columnCount)
        origin = Array(repeating: 0, count: problem.count)
        rows = Array(repeating: Row(), count: rowCount)
        matrix = Array(repeating: N(0), count: rowCount * rowCount)
    }

    /// Goes on until `accepts` takes an iterate, or the multipliers prove that there is no solution.
    /// - Returns: whether it is accepted; nil where the iterates stop getting better.
    func run(limit: Int, accepts: (Double) -> Bool, proves: () -> Bool) -> Bool? {
        start()
        var best = Double.infinity
        var stalls = 0
        for step in 0..<limit {
            steps = step
            let mean = computeErrors()
            let tau = scale.primal.double
            let progress = mean.double / (tau * tau)
            guard progress.isFinite, progress > 1e-40, !problem.watch.isOver else { return nil }
            if step > 3, progress < 1e-7, accepts(progress) { return true }
            if step > 3, scale.dual.double > tau || step % 8 == 7, proves() { return false }
            stalls = mean.double < 0.9 * best ? 0 : stalls + 1
            best = min(best, mean.double)
            guard stalls < 12 else { return nil }
            guard iterate(mean) else { return nil }
        }
        return nil
    }

    /// What of a trade is taken for nothing, or for all that may be traded.
    enum Snap: CaseIterable { case small, settled, none }

    /// Net trade of an instrument, in scaled units.
    func trade(_ i: Int, _ snap: Snap) -> N { N(origin[i]) + side(i, snap) - side(count + i, snap) }

    private func side(_ c: Int, _ snap: Snap) -> N {
        let column = columns[c]
        guard column.isOpen else { return N(0) }
        let amount = column.amount.primal / scale.primal
        guard snap != .none else { return amount }
        let isSettled = column.amount.primal < column.amount.dual
        if amount.double < 1e-9, isSettled || snap == .small { return N(0) }
        if column.hasEnd, column.end.primal < column.end.dual,
            (column.end.primal / scale.primal).double < 1e-9 * column.room.double
        {
            return column.room
        }
        return amount
    }

    /// The part of its cost that an instrument seems to end on, and its trade.
    /// - Parameter bias: what of each pair must be this many times the other to stay.
    func segment(_ i: Int, bias: Double) -> (Segment, N) {
        func amount(_ c: Int) -> N {
            let pair = columns[c].amount
            return columns[c].isOpen && pair.primal > N(bias) * pair.dual ? pair.primal / scale.primal : N(0)
        }
        func isFull(_ c: Int) -> Bool { columns[c].hasEnd && columns[c].end.primal < columns[c].end.dual }
        let (bought, sold) = (amount(i), amount(count + i))
        if bought > sold { return (isFull(i) ? .upper : .buy, bought - sold) }
        return sold > bought ? (isFull(count + i) ? .lower : .sell, bought - sold) : (.zero, N(0))
    }

    /// Which limit of a row seems to hold, and its multiplier.
    func position(_ r: Int, bias: Double) -> (RowPosition, N) {
        let multiplier = rows[r].multiplier / scale.primal
        func holds(_ side: Side) -> Bool { side.isThere && side.slack.dual > N(bias) * side.slack.primal }
        func isLeft(_ side: Side) -> Bool { side.isSoft && side.excess.primal > side.excess.dual }
        switch exact.kinds[r] {
        case .absent: return (.inside, N(0))
        case .equality: return (.atLow, multiplier)
        case .quadratic: return (.belowLow, multiplier)
        case .hard, .soft:
            let (low, high) = rows[r].sides
            if holds(low), !holds(high) || low.slack.dual > high.slack.dual {
                return (isLeft(low) ? .belowLow : .atLow, multiplier)
            }
            return holds(high) ? (isLeft(high) ? .aboveHigh : .atHigh, multiplier) : (.inside, N(0))
        }
    }

    /// Of a ray as it stands.
    func ray(_ r: Int) -> N { rows[r].multiplier }

    func multiplier(_ r: Int, _ snap: Snap) -> N {
        let isLimit = exact.kinds[r] == .hard || exact.kinds[r] == .soft
        guard snap != .none, isLimit else { return rows[r].multiplier / scale.primal }
        func price(_ side: Side) -> N {
            side.isThere && side.slack.dual > side.slack.primal ? side.slack.dual : N(0)
        }
        return (price(rows[r].sides.0) - price(rows[r].sides.1)) / scale.primal
    }

    // MARK: Start

    private static var farEnd: Double { 64 }

    private func start() {
        for r in 0..<rowCount { rows[r].exposure = N(0) }
        for i in 0..<count {
            let (lower, upper) = (problem.lower[i], problem.upper[i])
            let start = max(lower, 0) + min(upper, 0)
            origin[i] = start
            columns[i] = column(
                problem.costBuy[i], problem.curvature[i], from: max(start, 0),
                room: max(upper, 0) - max(lower, 0), hasEnd: upper < ScaledProblem.farthest)
            columns[count + i] = column(
                problem.costSell[i], problem.curvature[i], from: max(-start, 0),
                room: min(upper, 0) - min(lower, 0), hasEnd: -lower < ScaledProblem.farthest)
            guard start != 0 else { continue }
            exact.forEachCoefficient(i, isBought: start > 0) { rows[$0].exposure += $1 * N(start.magnitude) }
        }
        for r in 0..<rowCount {
            var row = Row()
            row.penalty = N(problem.penalty[r])
            row.quadratic = exact.quadratic[r]
            let kind = exact.kinds[r]
            switch kind {
            case .absent: break
            case .equality, .quadratic: row.limit = exact.low[r] - rows[r].exposure
            case .hard, .soft:
                row.sides.0 = side(1, exact.low[r] - rows[r].exposure, isThere: problem.low[r].isFinite, kind)
                row.sides.1 = side(
                    -1, exact.high[r] - rows[r].exposure, isThere: problem.high[r].isFinite, kind)
                row.multiplier = N(row.sides.0.isThere ? 1 : 0) - N(row.sides.1.isThere ? 1 : 0)
            }
            rows[r] = row
        }
        scale = Pair()
    }

    /// What is bought, or sold, of an instrument beside what its box begins with.
    private func column(
        _ cost: Double, _ bend: Double, from start: Double, room: Double, hasEnd: Bool
    ) -> Column {
        var column = Column()
        column.isOpen = room > 0
        column.hasEnd = hasEnd
        column.room = N(room)
        column.cost = N(cost) + N(bend) * N(start)
        column.bend = N(bend)
        if hasEnd, room > Self.farEnd {
            // A limit that is far off says nothing.
            column.end.primal = column.room - column.amount.primal
            column.end.dual = N(1) / column.end.primal
        }
        return column
    }

    private func side(_ sign: Double, _ limit: N, isThere: Bool, _ kind: ScaledProblem.RowKind) -> Side {
        var side = Side()
        side.isThere = isThere
        side.isSoft = kind == .soft
        side.sign = N(sign)
        side.limit = isThere ? limit : N(0)
        return side
    }

    // MARK: Products with the coefficients

    @inline(__always)
    private func forEachCoefficient(_ c: Int, _ body: (Int, N) -> Void) {
        exact.forEachCoefficient(c < count ? c : c - count, isBought: c < count, body)
    }

    // MARK: Iterations

    /// How far every equation is from holding, and the mean complementarity.
    private func computeErrors() -> N {
        for r in 0..<rowCount { rows[r].exposure = N(0) }
        for c in 0..<columnCount where columns[c].isOpen {
            let amount = columns[c].amount.primal
            forEachCoefficient(c) { rows[$0].exposure += $1 * amount }
        }
        let tau = scale.primal
        var sum = scale.product
        var pairs = 1.0
        var gap = scale.dual
        quadraticForm = N(0)
        for c in 0..<columnCount where columns[c].isOpen {
            var paid = N(0)
            forEachCoefficient(c) { paid += $1 * rows[$0].multiplier }
            let column = columns[c]
            let amount = column.amount.primal
            var error = column.bend * amount + column.cost * tau - paid - column.amount.dual
            sum += column.amount.product
            pairs += 1
            if column.hasEnd {
                error += column.end.dual
                columns[c].endError = amount + column.end.primal - column.room * tau
                sum += column.end.product
                pairs += 1
                gap += column.room * column.end.dual
            }
            columns[c].dualError = error
            gap += column.cost * amount
            quadraticForm += column.bend * amount * amount
        }
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent: break
            case .equality:
                rows[r].error = rows[r].exposure - rows[r].limit * tau
                gap -= rows[r].limit * rows[r].multiplier
            case .quadratic:
                let distance = rows[r].exposure - rows[r].limit * tau
                rows[r].error = rows[r].multiplier / rows[r].quadratic + distance
                gap -= rows[r].limit * rows[r].multiplier
                // Of the distance that the multiplier stands for.
                quadraticForm += rows[r].multiplier * rows[r].multiplier / rows[r].quadratic
            case .hard, .soft:
                sideErrors(&rows[r].sides.0, rows[r], &sum, &pairs, &gap)
                sideErrors(&rows[r].sides.1, rows[r], &sum, &pairs, &gap)
            }
        }
        scaleError = gap + quadraticForm / tau
        return sum / N(pairs)
    }

    private func sideErrors(
        _ side: inout Side, _ row: Row, _ sum: inout N, _ pairs: inout Double, _ gap: inout N
    ) {
        guard side.isThere else { return }
        let tau = scale.primal
        var error = side.sign * (row.exposure - side.limit * tau) - side.slack.primal
        sum += side.slack.product
        pairs += 1
        gap -= side.sign * side.limit * side.slack.dual
        if side.isSoft {
            let excess = side.excess.primal
            error += excess
            side.excessError =
                row.penalty * tau + row.quadratic * excess - side.slack.dual - side.excess.dual
            sum += side.excess.product
            pairs += 1
            gap += row.penalty * excess
            quadraticForm += row.quadratic * excess * excess
        }
        side.error = error
    }

    /// - Returns: whether there is a step.
    private func iterate(_ mean: N) -> Bool {
        factorise()
        solve(centre: N(0), keeps: N(0), corrects: false)
        let affine = length()
        guard affine.double.isFinite else { return false }
        let rest = N(1) - affine
        let share = rest * rest * rest
        solve(centre: share * mean, keeps: share, corrects: true)
        let length = length() * N(0.99)
        guard length.double.isFinite, length.double > 1e-14 else { return false }
        advance(length)
        return true
    }

    /// A D Aᵀ + E and its factor L Δ Lᵀ.
    private func factorise() {
        for k in matrix.indices { matrix[k] = N(0) }
        for c in 0..<columnCount where columns[c].isOpen {
            var curvature = columns[c].bend + columns[c].amount.dual / columns[c].amount.primal
            if columns[c].hasEnd { curvature += columns[c].end.dual / columns[c].end.primal }
            columns[c].weight = N(1) / curvature
            let weight = columns[c].weight
            forEachCoefficient(c) { row, coefficient in
                let weighted = coefficient * weight
                let base = row * rowCount
                forEachCoefficient(c) { column, other in
                    if column <= row { matrix[base + column] += weighted * other }
                }
            }
        }
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent: rows[r].give = N(1)
            case .equality: rows[r].give = N(0)
            case .quadratic: rows[r].give = N(1) / rows[r].quadratic
            case .hard, .soft:
                let weight = weigh(&rows[r].sides.0, rows[r]) + weigh(&rows[r].sides.1, rows[r])
                rows[r].give = weight > N(0) ? N(1) / weight : N(1e150)
            }
            matrix[r * rowCount + r] += rows[r].give
        }
        // Rows that depend on others, up to rounding, keep their multiplier.
        for i in 0..<rowCount {
            let base = i * rowCount
            let diagonal = matrix[base + i]
            let begin = Int(problem.rowFirst[i])
            for j in begin..<i {
                var value = matrix[base + j]
                let other = j * rowCount
                for k in max(begin, Int(problem.rowFirst[j]))..<j {
                    value -= matrix[base + k] * matrix[other + k]
                }
                matrix[base + j] = value
            }
            var pivot = diagonal
            for j in begin..<i {
                let value = matrix[base + j] / matrix[j * rowCount + j]
                pivot -= value * matrix[base + j]
                matrix[base + j] = value
            }
            matrix[base + i] = pivot > diagonal * N(N.noise) ? pivot : N(1e200)
        }
    }

    private func weigh(_ side: inout Side, _ row: Row) -> N {
        guard side.isThere else { return N(0) }
        var give = side.slack.primal / side.slack.dual
        if side.isSoft {
            side.give = N(1) / (row.quadratic + side.excess.dual / side.excess.primal)
            give += side.give
        }
        side.weight = N(1) / give
        return side.weight
    }

    /// All steps towards products of `centre`, with a share of the errors kept.
    private func solve(centre: N, keeps: N, corrects: Bool) {
        let share = keeps - N(1)
        scale.aim(centre, corrects: corrects)
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.aim(centre, corrects: corrects)
            var constant = share * columns[c].dualError + columns[c].amount.target / columns[c].amount.primal
            var rate = -columns[c].cost
            if columns[c].hasEnd {
                columns[c].end.aim(centre, corrects: corrects)
                let (end, dual) = (columns[c].end.primal, columns[c].end.dual)
                constant = constant - (columns[c].end.target - dual * share * columns[c].endError) / end
                rate += dual * columns[c].room / end
            }
            columns[c].constant = columns[c].weight * constant
            columns[c].rate = columns[c].weight * rate
        }
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent:
                rows[r].constant = N(0)
                rows[r].rate = N(0)
            case .equality, .quadratic:
                rows[r].constant = share * rows[r].error
                rows[r].rate = rows[r].limit
            case .hard, .soft:
                var (constant, rate) = (N(0), N(0))
                aim(&rows[r].sides.0, rows[r], centre, share, corrects, &constant, &rate)
                aim(&rows[r].sides.1, rows[r], centre, share, corrects, &constant, &rate)
                rows[r].constant = constant * rows[r].give
                rows[r].rate = rate * rows[r].give
            }
            rows[r].firstSum = N(0)
            rows[r].secondSum = N(0)
        }
        // Columns with next to no curvature take the digits of a solution away: what is left is solved for again.
        for _ in 0..<2 {
            for r in 0..<rowCount {
                rows[r].first = rows[r].constant - rows[r].give * rows[r].firstSum
                rows[r].second = rows[r].rate - rows[r].give * rows[r].secondSum
            }
            for c in 0..<columnCount where columns[c].isOpen {
                var (paid, paidRate) = (N(0), N(0))
                forEachCoefficient(c) {
                    paid += $1 * rows[$0].firstSum
                    paidRate += $1 * rows[$0].secondSum
                }
                let constant = columns[c].constant + columns[c].weight * paid
                let rate = columns[c].rate + columns[c].weight * paidRate
                forEachCoefficient(c) {
                    rows[$0].first -= $1 * constant
                    rows[$0].second -= $1 * rate
                }
            }
            solveRows()
            for r in 0..<rowCount {
                rows[r].firstSum += rows[r].first
                rows[r].secondSum += rows[r].second
            }
        }
        for r in 0..<rowCount {
            rows[r].first = rows[r].firstSum
            rows[r].second = rows[r].secondSum
        }
        // The step of τ, in which all others are linear.
        let tau = scale.primal
        let two = N(2) / tau
        var (constant, rate) = (N(0), N(0))
        for c in 0..<columnCount where columns[c].isOpen {
            var (first, second) = (N(0), N(0))
            forEachCoefficient(c) {
                first += $1 * rows[$0].first
                second += $1 * rows[$0].second
            }
            let weight = columns[c].weight
            let move = columns[c].constant + weight * first
            let moveRate = columns[c].rate + weight * second
            columns[c].constant = move
            columns[c].rate = moveRate
            let slope = columns[c].cost + two * columns[c].bend * columns[c].amount.primal
            constant += slope * move
            rate += slope * moveRate
            if columns[c].hasEnd {
                let room = columns[c].room
                let (end, dual) = (columns[c].end.primal, columns[c].end.dual)
                let endStep = share * columns[c].endError - move
                constant += room * (columns[c].end.target - dual * endStep) / end
                rate -= room * dual * (room - moveRate) / end
            }
        }
        for r in 0..<rowCount {
            let (first, second) = (rows[r].first, rows[r].second)
            switch exact.kinds[r] {
            case .absent: break
            case .equality:
                constant -= rows[r].limit * first
                rate -= rows[r].limit * second
            case .quadratic:
                let slope = two * rows[r].multiplier / rows[r].quadratic - rows[r].limit
                constant += slope * first
                rate += slope * second
            case .hard, .soft:
                let move = rows[r].constant - rows[r].give * first
                let moveRate = rows[r].rate - rows[r].give * second
                gather(rows[r].sides.0, rows[r], move, moveRate, two, &constant, &rate)
                gather(rows[r].sides.1, rows[r], move, moveRate, two, &constant, &rate)
            }
        }
        let denominator = rate - scale.dual / tau - quadraticForm / (tau * tau)
        let step = (share * scaleError - scale.target / tau - constant) / denominator
        scale.setPrimalStep(step)
        for c in 0..<columnCount where columns[c].isOpen {
            let move = columns[c].constant + step * columns[c].rate
            columns[c].amount.setPrimalStep(move)
            if columns[c].hasEnd {
                columns[c].end.setPrimalStep(share * columns[c].endError + columns[c].room * step - move)
            }
        }
        for r in 0..<rowCount where exact.kinds[r] != .absent {
            rows[r].multiplierStep = rows[r].first + step * rows[r].second
            rows[r].exposureStep =
                rows[r].constant + rows[r].rate * step - rows[r].give * rows[r].multiplierStep
            finish(&rows[r].sides.0, rows[r], step)
            finish(&rows[r].sides.1, rows[r], step)
        }
    }

    private func aim(
        _ side: inout Side, _ row: Row, _ centre: N, _ share: N, _ corrects: Bool, _ constant: inout N,
        _ rate: inout N
    ) {
        guard side.isThere else { return }
        side.slack.aim(centre, corrects: corrects)
        side.constant = side.slack.target / side.slack.dual + share * side.error
        side.rate = side.sign * side.limit
        if side.isSoft {
            side.excess.aim(centre, corrects: corrects)
            side.excessConstant = share * side.excessError + side.excess.target / side.excess.primal
            side.constant -= side.give * side.excessConstant
            side.rate += side.give * row.penalty
        }
        constant += side.sign * side.weight * side.constant
        rate += side.sign * side.weight * side.rate
    }

    private func gather(
        _ side: Side, _ row: Row, _ move: N, _ moveRate: N, _ two: N, _ constant: inout N, _ rate: inout N
    ) {
        guard side.isThere else { return }
        let step = side.weight * (side.constant - side.sign * move)
        let stepRate = side.weight * (side.rate - side.sign * moveRate)
        constant -= side.sign * side.limit * step
        rate -= side.sign * side.limit * stepRate
        guard side.isSoft else { return }
        let slope = row.penalty + two * row.quadratic * side.excess.primal
        constant += slope * side.give * (step + side.excessConstant)
        rate += slope * side.give * (stepRate - row.penalty)
    }

    private func finish(_ side: inout Side, _ row: Row, _ tauStep: N) {
        guard side.isThere else { return }
        let step = side.weight * (side.constant + side.rate * tauStep - side.sign * row.exposureStep)
        side.slack.setDualStep(step)
        guard side.isSoft else { return }
        side.excess.setPrimalStep(side.give * (step + side.excessConstant - row.penalty * tauStep))
    }

    private func solveRows() {
        for i in 0..<rowCount {
            var (a, b) = (rows[i].first, rows[i].second)
            let base = i * rowCount
            for j in Int(problem.rowFirst[i])..<i {
                a -= matrix[base + j] * rows[j].first
                b -= matrix[base + j] * rows[j].second
            }
            rows[i].first = a
            rows[i].second = b
        }
        for i in 0..<rowCount {
            let pivot = matrix[i * rowCount + i]
            rows[i].first = rows[i].first / pivot
            rows[i].second = rows[i].second / pivot
        }
        for i in (0..<rowCount).reversed() {
            let (a, b) = (rows[i].first, rows[i].second)
            let base = i * rowCount
            for j in Int(problem.rowFirst[i])..<i {
                rows[j].first -= matrix[base + j] * a
                rows[j].second -= matrix[base + j] * b
            }
        }
    }

    private func length() -> N {
        var length = N(1)
        scale.shorten(&length)
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.shorten(&length)
            if columns[c].hasEnd { columns[c].end.shorten(&length) }
        }
        for r in 0..<rowCount {
            for side in [rows[r].sides.0, rows[r].sides.1] where side.isThere {
                side.slack.shorten(&length)
                if side.isSoft { side.excess.shorten(&length) }
            }
        }
        return length
    }

    private func advance(_ length: N) {
        scale.advance(length)
        for c in 0..<columnCount where columns[c].isOpen {
            columns[c].amount.advance(length)
            if columns[c].hasEnd { columns[c].end.advance(length) }
        }
        for r in 0..<rowCount where exact.kinds[r] != .absent {
            advance(&rows[r].sides.0, length)
            advance(&rows[r].sides.1, length)
            switch exact.kinds[r] {
            case .hard, .soft:
                rows[r].multiplier =
                    (rows[r].sides.0.isThere ? rows[r].sides.0.slack.dual : N(0))
                    - (rows[r].sides.1.isThere ? rows[r].sides.1.slack.dual : N(0))
            default: rows[r].multiplier += length * rows[r].multiplierStep
            }
        }
    }

    private func advance(_ side: inout Side, _ length: N) {
        guard side.isThere else { return }
        side.slack.advance(length)
        if side.isSoft { side.excess.advance(length) }
    }
}
