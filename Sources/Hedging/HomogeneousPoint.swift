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
    let exact: ExactNumbers<N>
    let problem: ScaledProblem
    let count, columnCount, rowCount: Int

    /// A number that stays above 0 with the one that it multiplies to 0, and both steps.
    struct Pair {
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
    struct Column {
        var isOpen = false
        var hasEnd = false
        var cost = N(0), bend = N(0), room = N(0)
        var amount = Pair(), end = Pair()
        var dualError = N(0), endError = N(0)
        var weight = N(0), constant = N(0), rate = N(0), price = N(0)
    }

    /// One limit of a row.
    struct Side {
        var isThere = false
        var isSoft = false
        var sign = N(1), limit = N(0)
        /// Slack and multiplier; excess and the multiplier of its sign.
        var slack = Pair(), excess = Pair()
        var error = N(0), excessError = N(0)
        var weight = N(0), constant = N(0), rate = N(0), give = N(0), excessConstant = N(0)
    }

    struct Row {
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

    var columns: [Column]
    /// Where the box of an instrument starts: 0, or its end nearest to 0.
    private var origin: [Double]
    var rows: [Row]
    var matrix: [N]
    var scale = Pair()
    var scaleError = N(0)
    var quadraticForm = N(0)
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
    func forEachCoefficient(_ c: Int, _ body: (Int, N) -> Void) {
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
}
