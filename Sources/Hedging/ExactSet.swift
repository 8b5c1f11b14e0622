/// The optimum of a guess of which limits hold, to all digits of N: where an interior point has
/// found out which limits hold, rounding alone keeps it from the optimum.
///
/// As in `ActiveSet` a guess is a linear system. Here every free instrument has a curvature of its own beside that of
/// its impact, ever less the larger the trade, and the solution is repeated around itself until that has no effect
/// (proximal method of multipliers): where a guess has many solutions it ends near the one that it began with. What
/// contradicts the guess most is corrected until the certificate holds.
final class ExactSet<N: HedgeNumber> {
    private let exact: ExactNumbers<N>
    private let problem: ScaledProblem
    private let count, rowCount: Int
    private var segments: [Segment]
    private var positions: [RowPosition]
    /// Of the last solution, in scaled units.
    private(set) var trades, multipliers: [N]
    private var weight, slope, exposure, right: [N]
    /// What slopes and exposures are made of, without signs.
    private var exposureTerms: [Double]
    /// Of the size of the trades.
    private var amounts: [Double]
    private var rank: [Int]
    private var activeRows: [Int]
    private var matrix: [N]
    private(set) var pivots = 0

    /// The least curvature, for a trade of 1.
    private static var leastCurvature: Double { 1e-16 }
    private static var repetitions: Int { 12 }

    init(_ exact: ExactNumbers<N>) {
        self.exact = exact
        problem = exact.problem
        count = problem.count
        rowCount = problem.rowCount
        segments = Array(repeating: .zero, count: count)
        positions = Array(repeating: .inside, count: rowCount)
        trades = Array(repeating: N(0), count: count)
        weight = trades
        slope = trades
        multipliers = Array(repeating: N(0), count: rowCount)
        exposure = multipliers
        right = multipliers
        amounts = Array(repeating: 1, count: count)
        exposureTerms = Array(repeating: 0, count: rowCount)
        rank = Array(repeating: -1, count: rowCount)
        activeRows = []
        activeRows.reserveCapacity(rowCount)
        matrix = Array(repeating: N(0), count: rowCount * rowCount)
    }

    /// Takes the guess of an interior point.
    /// - Parameters:
    ///   - bias: what of each pair must be this many times the other to stay.
    ///   - isNear: whether its solution is to be near the point's; else it is of small trades.
    func adopt(_ point: HomogeneousPoint<N>, bias: Double, isNear: Bool) {
        for i in 0..<count {
            (segments[i], trades[i]) = point.segment(i, bias: bias)
            amounts[i] = isNear ? max(trades[i].double.magnitude, 1e-12) : 1
            if !isNear { trades[i] = N(0) }
        }
        for r in 0..<rowCount { (positions[r], multipliers[r]) = point.position(r, bias: bias) }
    }

    /// Corrects the guess until `accepts` takes its solution.
    func run(limit: Int, accepts: () -> Bool) -> Bool {
        pivots = 0
        repair()
        while pivots < limit, !problem.watch.isOver {
            pivots += 1
            guard solve() else { return false }
            if accepts() { return true }
            guard correctWorst() else { return false }
        }
        return false
    }

    private func hasEnd(_ segment: Segment, _ i: Int) -> Bool {
        (segment == .buy ? problem.upper[i] : -problem.lower[i]) < ScaledProblem.farthest
    }

    /// What the problem rules out is brought to the nearest that it allows.
    private func repair() {
        for i in 0..<count {
            if problem.upper[i] == 0, segments[i] == .buy || segments[i] == .upper { segments[i] = .zero }
            if problem.lower[i] == 0, segments[i] == .sell || segments[i] == .lower { segments[i] = .zero }
            rest(i)
        }
        for r in 0..<rowCount {
            switch exact.kinds[r] {
            case .absent: positions[r] = .inside
            case .quadratic: positions[r] = .belowLow
            case .equality: positions[r] = .atLow
            case .hard, .soft: break
            }
        }
    }

    /// The trade of an instrument that is not free.
    private func rest(_ i: Int) {
        switch segments[i] {
        case .zero: trades[i] = N(0)
        case .lower: trades[i] = N(problem.lower[i])
        case .upper: trades[i] = N(problem.upper[i])
        case .buy, .sell: break
        }
    }

    @inline(__always)
    private func isBought(_ i: Int) -> Bool { segments[i] == .buy || segments[i] == .upper }

    // MARK: The solution of a guess

    /// - Returns: whether it is of numbers.
    private func solve() -> Bool {
        assemble()
        var least = Double.infinity
        for repetition in 0..<Self.repetitions {
            let error = computeErrors()
            guard error.isFinite else { return false }
            if error < 1e-30 || repetition > 3 && error > 0.3 * least { break }
            least = min(least, error)
            step()
        }
        computeErrors()
        return true
    }

    /// The matrix of the guess and its factor L Δ Lᵀ.
    private func assemble() {
        activeRows.removeAll(keepingCapacity: true)
        for r in 0..<rowCount {
            rank[r] = -1
            switch positions[r] {
            case .inside:
                multipliers[r] = N(0)
                continue
            case .belowLow where exact.quadratic[r] == N(0):
                multipliers[r] = N(problem.penalty[r])
                continue
            case .aboveHigh where exact.quadratic[r] == N(0):
                multipliers[r] = N(-problem.penalty[r])
                continue
            default: break
            }
            rank[r] = activeRows.count
            activeRows.append(r)
        }
        let size = activeRows.count
        for k in 0..<size * size { matrix[k] = N(0) }
        for i in 0..<count where segments[i].isFree {
            let least = N(Self.leastCurvature / (amounts[i] * amounts[i]))
            weight[i] = N(1) / (N(problem.curvature[i]) + least)
            exact.forEachCoefficient(i, isBought: isBought(i)) { row, coefficient in
                let base = rank[row] * size
                guard base >= 0 else { return }
                let weighted = coefficient * weight[i]
                exact.forEachCoefficient(i, isBought: isBought(i)) { column, other in
                    let place = rank[column]
                    if place >= 0, place * size <= base { matrix[base + place] += weighted * other }
                }
            }
        }
        for (k, r) in activeRows.enumerated() where positions[r] == .belowLow || positions[r] == .aboveHigh {
            matrix[k * size + k] += N(1) / exact.quadratic[r]
        }
        for i in 0..<size {
            let base = i * size
            let diagonal = matrix[base + i]
            for j in 0..<i {
                var value = matrix[base + j]
                let other = j * size
                for k in 0..<j { value -= matrix[base + k] * matrix[other + k] }
                matrix[base + j] = value
            }
            var pivot = diagonal
            for j in 0..<i {
                let value = matrix[base + j] / matrix[j * size + j]
                pivot -= value * matrix[base + j]
                matrix[base + j] = value
            }
            // Rows that depend on others, up to rounding, or that nothing free is in, keep their multiplier.
            matrix[base + i] = pivot > diagonal * N(N.noise) ? pivot : N(1e200)
        }
    }

    /// Slopes of all instruments' costs less their prices, and exposures.
    /// - Returns: the largest that should be 0, relative to what it is made of.
    @discardableResult
    private func computeErrors() -> Double {
        for r in 0..<rowCount {
            exposure[r] = N(0)
            exposureTerms[r] = 0
        }
        var worst = 0.0
        for i in 0..<count {
            let x = trades[i]
            if x != N(0) {
                // Sold, an amount counts by its own coefficients, margin's positive among them.
                let amount = isBought(i) ? x : -x
                exact.forEachCoefficient(i, isBought: isBought(i)) { row, coefficient in
                    let move = coefficient * amount
                    exposure[row] += move
                    exposureTerms[row] += move.double.magnitude
                }
            }
            guard segments[i].isFree else { continue }
            let (slope, terms) = slope(i, isBought: isBought(i))
            self.slope[i] = slope
            if terms > 0 { worst = max(worst, slope.double.magnitude / terms) }
        }
        for r in activeRows {
            let terms = exposureTerms[r] + target(r).double.magnitude
            if terms > 0 { worst = max(worst, (target(r) - exposure[r]).double.magnitude / terms) }
        }
        return worst
    }

    /// Slope of cost less price of buying, or of selling, one more, per unit of that side, and its terms without signs.
    private func slope(_ i: Int, isBought: Bool) -> (N, Double) {
        let amount = isBought ? trades[i] : -trades[i]
        let cost = N(isBought ? problem.costBuy[i] : problem.costSell[i])
        let bend = N(problem.curvature[i]) * max(amount, N(0))
        var slope = cost + bend
        var terms = cost.double.magnitude + bend.double
        exact.forEachCoefficient(i, isBought: isBought) { row, coefficient in
            let pay = coefficient * multipliers[row]
            slope -= pay
            terms += pay.double.magnitude
        }
        return (slope, terms)
    }

    /// The exposure that a row with a say is to have.
    private func target(_ r: Int) -> N {
        let (y, penalty) = (multipliers[r], N(problem.penalty[r]))
        switch positions[r] {
        case .atLow, .inside: return exact.low[r]
        case .atHigh: return exact.high[r]
        case .belowLow: return exact.low[r] - (y - penalty) / exact.quadratic[r]
        case .aboveHigh: return exact.high[r] - (y + penalty) / exact.quadratic[r]
        }
    }

    /// One step towards errors of 0.
    private func step() {
        let size = activeRows.count
        for (k, r) in activeRows.enumerated() { right[k] = target(r) - exposure[r] }
        for i in 0..<count where segments[i].isFree {
            let move = weight[i] * slope[i]
            exact.forEachCoefficient(i, isBought: isBought(i)) { row, coefficient in
                if rank[row] >= 0 { right[rank[row]] += coefficient * move }
            }
        }
        for i in 0..<size {
            for j in 0..<i { right[i] -= matrix[i * size + j] * right[j] }
        }
        for i in 0..<size { right[i] = right[i] / matrix[i * size + i] }
        for i in (0..<size).reversed() {
            for j in 0..<i { right[j] -= matrix[i * size + j] * right[i] }
        }
        for i in 0..<count where segments[i].isFree {
            var paid = -slope[i]
            exact.forEachCoefficient(i, isBought: isBought(i)) { row, coefficient in
                if rank[row] >= 0 { paid += coefficient * right[rank[row]] }
            }
            let move = weight[i] * paid
            trades[i] += isBought(i) ? move : -move
        }
        for (k, r) in activeRows.enumerated() { multipliers[r] += right[k] }
    }

    // MARK: Corrections

    /// Corrects what contradicts the guess most.
    /// - Returns: whether anything does.
    private func correctWorst() -> Bool {
        var worst = 0.0
        var correction: (() -> Void)?
        var largest = 0.0
        for r in 0..<rowCount { largest = max(largest, multipliers[r].double.magnitude) }
        for i in 0..<count {
            let (segment, error) = check(instrument: i)
            guard error > worst else { continue }
            worst = error
            correction = { [self] in
                segments[i] = segment
                rest(i)
            }
        }
        for r in 0..<rowCount {
            let (position, error) = check(row: r, noise: N.noise * largest)
            guard error > worst else { continue }
            worst = error
            correction = { [self] in positions[r] = position }
        }
        correction?()
        return correction != nil
    }

    private func check(instrument i: Int) -> (Segment, Double) {
        func error(isBought: Bool, isLess: Bool) -> Double {
            let (slope, terms) = slope(i, isBought: isBought)
            let error = isLess ? -slope.double : slope.double
            return error > 1e4 * N.noise * terms ? error : 0
        }
        let segment = segments[i]
        switch segment {
        case .buy, .sell:
            let amount = segment == .buy ? trades[i] : -trades[i]
            let room = segment == .buy ? problem.upper[i] : -problem.lower[i]
            if hasEnd(segment, i), amount > N(room) {
                return (segment == .buy ? .upper : .lower, (amount - N(room)).double)
            }
            return amount < N(0) ? (.zero, -amount.double) : (segment, 0)
        case .zero:
            let bought = problem.upper[i] > 0 ? error(isBought: true, isLess: true) : 0
            let sold = problem.lower[i] < 0 ? error(isBought: false, isLess: true) : 0
            return bought >= sold ? (.buy, bought) : (.sell, sold)
        case .upper: return (.buy, error(isBought: true, isLess: false))
        case .lower: return (.sell, error(isBought: false, isLess: false))
        }
    }

    private func check(row r: Int, noise: Double) -> (RowPosition, Double) {
        let kind = exact.kinds[r]
        guard kind == .hard || kind == .soft else { return (positions[r], 0) }
        let (y, penalty) = (multipliers[r].double, problem.penalty[r])
        let below = problem.low[r].isFinite ? exact.low[r] - exposure[r] : N(-.infinity)
        let above = problem.high[r].isFinite ? exposure[r] - exact.high[r] : N(-.infinity)
        func error(_ distance: N, _ limit: N) -> Double {
            distance.double > 1e4 * N.noise * (exposureTerms[r] + limit.double.magnitude)
                ? distance.double : 0
        }
        func beyond(_ excess: Double) -> Double { excess > noise ? excess : 0 }
        switch positions[r] {
        case .inside:
            return below > above
                ? (.atLow, error(below, exact.low[r])) : (.atHigh, error(above, exact.high[r]))
        case .atLow:
            if y < 0 { return (.inside, beyond(-y)) }
            return kind == .soft ? (.belowLow, beyond(y - penalty)) : (.atLow, 0)
        case .atHigh:
            if y > 0 { return (.inside, beyond(y)) }
            return kind == .soft ? (.aboveHigh, beyond(-y - penalty)) : (.atHigh, 0)
        case .belowLow: return (.atLow, error(-below, exact.low[r]))
        case .aboveHigh: return (.atHigh, error(-above, exact.high[r]))
        }
    }
}
