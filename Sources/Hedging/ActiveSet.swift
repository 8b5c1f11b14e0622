/// Finds the optimum from a guess of which limits hold: solves for the trades and multipliers that the guess
/// implies, corrects the guess where they contradict it, and repeats until nothing does. From the last tick's
/// guess that takes a step or two.
///
/// Every instrument is on one segment of its cost and every band in one position, so a guess is a linear
/// system with diagonal curvature: `(A_F H⁻¹ A_Fᵀ + E) y = limit − A x_rest + A_F H⁻¹ c` over the free
/// instruments F and the rows that hold. A soft band that is left has E = 1/penaltyQuadratic. Instruments
/// without impact and rows that depend on each other get a little curvature around the last iterate, which
/// is repeated until it has no effect (proximal method of multipliers).
///
/// Corrections are made all at once as long as that reduces their number (J. Júdice and F. Pires, "A block
/// principal pivoting algorithm for large-scale strictly monotone linear complementarity problems", Computers
/// & Operations Research 21, 1994). Where it does not, `climb` does: Newton's method on the dual, which is
/// concave and piecewise quadratic, with steps that end at the signs of the multipliers (D. Bertsekas,
/// "Projected Newton methods for optimization problems with simple constraints", SIAM J. Control 20, 1982).
final class ActiveSet {
    typealias Vector = UnsafeMutablePointer<Double>

    private let problem: ScaledProblem
    private let count, rowCount: Int
    /// The guess.
    let segments: UnsafeMutablePointer<Segment>
    let positions: UnsafeMutablePointer<RowPosition>
    /// Trades and multipliers of the last solution, in scaled units.
    let trades, multipliers: Vector
    private let exposure, price, centreTrades, centreMultipliers, linear, weight, right: Vector
    private let direction, start, firstMultipliers: Vector
    /// Row of each active row in the matrix, −1 for the others; and back.
    private let rank: UnsafeMutablePointer<Int32>
    private let activeRows: UnsafeMutablePointer<Int32>
    private let first: UnsafeMutablePointer<Int32>
    private let regularisation: Vector
    private let matrix: Envelope
    private let arena: Arena

    private(set) var pivots = 0

    static let tolerance = 1e-11
    /// Curvature that instruments without impact get, and the share of its diagonal that a row gets.
    private static let leastCurvature = 1e-3
    private static let rowShare = 1e-11
    private static let mostPivots = 30

    init(_ problem: ScaledProblem) {
        self.problem = problem
        count = problem.count
        rowCount = problem.rowCount
        let (count, rowCount) = (count, rowCount)
        let stride = Arena.room(rowCount)
        arena = Arena(capacity: 5 * Arena.room(count) + 10 * stride + rowCount * stride)
        segments = .allocate(capacity: count)
        segments.initialize(repeating: .zero, count: count)
        positions = .allocate(capacity: rowCount)
        positions.initialize(repeating: .inside, count: rowCount)
        trades = arena.take(count)
        centreTrades = arena.take(count)
        linear = arena.take(count)
        weight = arena.take(count)
        price = arena.take(count)
        multipliers = arena.take(rowCount)
        centreMultipliers = arena.take(rowCount)
        exposure = arena.take(rowCount)
        right = arena.take(rowCount)
        regularisation = arena.take(rowCount)
        direction = arena.take(rowCount)
        start = arena.take(rowCount)
        firstMultipliers = arena.take(rowCount)
        rank = .allocate(capacity: rowCount)
        activeRows = .allocate(capacity: rowCount)
        first = .allocate(capacity: rowCount)
        matrix = Envelope(
            stride: stride, values: arena.take(rowCount * stride), first: first,
            inverseDiagonal: arena.take(rowCount))
    }

    deinit {
        segments.deallocate()
        positions.deallocate()
        rank.deallocate()
        activeRows.deallocate()
        first.deallocate()
    }

    /// A guess with its trades and multipliers, to come back to.
    final class Guess {
        fileprivate let segments: UnsafeMutablePointer<Segment>
        fileprivate let positions: UnsafeMutablePointer<RowPosition>
        fileprivate let numbers: Vector

        init(_ problem: ScaledProblem) {
            segments = .allocate(capacity: problem.count)
            segments.initialize(repeating: .zero, count: problem.count)
            positions = .allocate(capacity: problem.rowCount)
            positions.initialize(repeating: .inside, count: problem.rowCount)
            numbers = .allocate(capacity: problem.count + problem.rowCount)
            numbers.initialize(repeating: 0, count: problem.count + problem.rowCount)
        }

        deinit {
            segments.deallocate()
            positions.deallocate()
            numbers.deallocate()
        }
    }

    func save(to guess: Guess) {
        guess.segments.update(from: segments, count: count)
        guess.positions.update(from: positions, count: rowCount)
        guess.numbers.update(from: trades, count: count)
        (guess.numbers + count).update(from: multipliers, count: rowCount)
    }

    func restore(from guess: Guess) {
        segments.update(from: guess.segments, count: count)
        positions.update(from: guess.positions, count: rowCount)
        trades.update(from: guess.numbers, count: count)
        multipliers.update(from: guess.numbers + count, count: rowCount)
    }

    /// Takes the guess from an interior point.
    func adopt(_ point: InteriorPoint) {
        for i in 0..<count {
            segments[i] = point.segment(i)
            trades[i] = point.trade(i)
        }
        for r in 0..<rowCount {
            positions[r] = point.position(r)
            multipliers[r] = point.multiplier[r]
        }
    }

    /// Corrects the guess until it holds.
    /// - Parameter climbs: whether to go on where corrections don't converge.
    /// - Returns: whether it does; then `trades` and `multipliers` are the optimum.
    func run(climbs: Bool) -> Bool {
        pivots = 0
        for i in 0..<count { centreTrades[i] = trades[i] }
        for r in 0..<rowCount { centreMultipliers[r] = multipliers[r] }
        repairGuess()
        if settle() { return true }
        for _ in 0..<(climbs ? 2 : 0) {
            // The guess's first multipliers are near, if not right.
            guard climb() else { return false }
            for r in 0..<rowCount { centreMultipliers[r] = multipliers[r] }
            if settle() { return true }
        }
        return false
    }

    /// Corrects the guess as long as it gets better.
    private func settle() -> Bool {
        var fewest = Int.max
        var patience = 5
        while patience > 0, pivots < Self.mostPivots {
            pivots += 1
            let active = assemble(rowFloor: 1e-9)
            matrix.factorise(count: active, floor: 1e-14)
            solve(active)
            guard isFinite else { return false }
            if pivots == 1 { for r in 0..<rowCount { firstMultipliers[r] = multipliers[r] } }
            let wrong = correct(all: false)
            if wrong == 0 {
                if refine(active) { return true }
                patience -= 1
            } else if wrong < fewest {
                fewest = wrong
                patience = 5
            } else {
                patience -= 1
            }
        }
        return false
    }

    /// A guess that bounds or kinds of the present problem rule out is brought to the nearest that they allow.
    private func repairGuess() {
        for i in 0..<count {
            switch segments[i] {
            case .lower where problem.lower[i] == 0: segments[i] = .zero
            case .upper where problem.upper[i] == 0: segments[i] = .zero
            case .zero: segments[i] = problem.nearSegment(i)
            case .sell where problem.lower[i] >= 0: segments[i] = problem.nearSegment(i)
            case .buy where problem.upper[i] <= 0: segments[i] = problem.nearSegment(i)
            default: break
            }
            if problem.lower[i] == problem.upper[i] { segments[i] = problem.lower[i] == 0 ? .zero : .lower }
        }
        for r in 0..<rowCount {
            switch problem.kinds[r] {
            case .absent: positions[r] = .inside
            case .quadratic: positions[r] = .belowLow
            case .equality: if positions[r] != .atLow && positions[r] != .atHigh { positions[r] = .atLow }
            case .hard:
                if positions[r] == .belowLow { positions[r] = .atLow }
                if positions[r] == .aboveHigh { positions[r] = .atHigh }
            case .soft: break
            }
            if problem.low[r] == -.infinity, positions[r] == .atLow || positions[r] == .belowLow {
                positions[r] = .inside
            }
            if problem.high[r] == .infinity, positions[r] == .atHigh || positions[r] == .aboveHigh {
                positions[r] = .inside
            }
        }
    }

    /// What an instrument adds to the margin and to the cash row per unit of x, on its side.
    @inline(__always)
    private func limitCoefficients(_ i: Int, bought: Bool) -> (margin: Double, cash: Double) {
        bought
            ? (problem.marginPerUnit[i], problem.cashBuy[i])
            : (-problem.marginPerUnit[i], -problem.cashSell[i])
    }

    /// The matrix of the guess, factorised next; returns its size.
    private func assemble(rowFloor: Double) -> Int {
        var active = 0
        var groupStart = 0
        for r in 0..<rowCount {
            rank[r] = -1
            if Int(problem.rowFirst[r]) == r { groupStart = active }
            switch positions[r] {
            case .inside:
                multipliers[r] = 0
                continue
            case .belowLow where problem.penaltyQuadratic[r] == 0:
                multipliers[r] = problem.penalty[r]
                continue
            case .aboveHigh where problem.penaltyQuadratic[r] == 0:
                multipliers[r] = -problem.penalty[r]
                continue
            default: break
            }
            rank[r] = Int32(active)
            activeRows[active] = Int32(r)
            first[active] = Int32(problem.rowFirst[r] == 0 && r > 0 ? 0 : groupStart)
            active += 1
        }
        matrix.clear(count: active)
        let marginRank = Int(rank[problem.marginRow])
        let cashRank = Int(rank[problem.cashRow])
        for i in 0..<count where segments[i].isFree {
            var bend = problem.curvature[i]
            if bend < Self.leastCurvature { bend += Self.leastCurvature }
            let inverse = 1 / bend
            weight[i] = inverse
            let start = Int(problem.columnStart[i])
            let end = Int(problem.columnStart[i + 1])
            for k in start..<end {
                let rowRank = Int(rank[Int(problem.columnRow[k])])
                guard rowRank >= 0 else { continue }
                let row = matrix.row(rowRank)
                let weighted = problem.coefficients[k] * inverse
                for l in start...k {
                    let column = Int(rank[Int(problem.columnRow[l])])
                    if column >= 0 { row[column] += weighted * problem.coefficients[l] }
                }
            }
            guard marginRank >= 0 || cashRank >= 0 else { continue }
            let (margin, cash) = limitCoefficients(i, bought: segments[i] == .buy)
            for (rowRank, own) in [(marginRank, margin), (cashRank, cash)] where rowRank >= 0 {
                let row = matrix.row(rowRank)
                for k in start..<end {
                    let column = Int(rank[Int(problem.columnRow[k])])
                    if column >= 0 { row[column] += own * inverse * problem.coefficients[k] }
                }
                row[rowRank] += own * own * inverse
            }
            if marginRank >= 0, cashRank >= 0 { matrix.row(cashRank)[marginRank] += margin * cash * inverse }
        }
        for k in 0..<active {
            let r = Int(activeRows[k])
            let row = matrix.row(k)
            switch positions[r] {
            case .belowLow, .aboveHigh:
                regularisation[k] = 0
                row[k] += 1 / problem.penaltyQuadratic[r]
            default:
                regularisation[k] = max(Self.rowShare * row[k], rowFloor)
                row[k] += regularisation[k]
            }
        }
        return active
    }

    /// Trades and multipliers of the guess, around the centres.
    private func solve(_ active: Int) {
        // Trades at multipliers 0 for the free, as they stand for the others.
        for i in 0..<count {
            switch segments[i] {
            case .zero: trades[i] = 0
            case .lower: trades[i] = problem.lower[i]
            case .upper: trades[i] = problem.upper[i]
            case .buy, .sell:
                var slope = segments[i] == .buy ? problem.costBuy[i] : -problem.costSell[i]
                if problem.curvature[i] < Self.leastCurvature {
                    slope -= Self.leastCurvature * centreTrades[i]
                }
                // Rows with a fixed multiplier belong to the slope.
                var price = 0.0
                for k in Int(problem.columnStart[i])..<Int(problem.columnStart[i + 1]) {
                    let r = Int(problem.columnRow[k])
                    if rank[r] < 0 { price += problem.coefficients[k] * multipliers[r] }
                }
                linear[i] = slope
                trades[i] = (price - slope) * weight[i]
            }
        }
        computeExposures()
        for k in 0..<active {
            let r = Int(activeRows[k])
            var value: Double
            switch positions[r] {
            case .belowLow: value = problem.low[r] + problem.penalty[r] / problem.penaltyQuadratic[r]
            case .aboveHigh: value = problem.high[r] - problem.penalty[r] / problem.penaltyQuadratic[r]
            case .atHigh: value = problem.high[r]
            case .atLow, .inside: value = problem.low[r]
            }
            value += regularisation[k] * centreMultipliers[r]
            right[k] = value - exposure[r]
        }
        matrix.solve(right, count: active)
        for k in 0..<active { multipliers[Int(activeRows[k])] = right[k] }
        computePrices()
        for i in 0..<count where segments[i].isFree {
            let (margin, cash) = limitCoefficients(i, bought: segments[i] == .buy)
            let total =
                price[i] + margin * multipliers[problem.marginRow] + cash * multipliers[problem.cashRow]
            trades[i] = (total - linear[i]) * weight[i]
        }
        computeExposures()
    }

    private func computeExposures() {
        let (columnStart, columnRow, coefficients) = (
            problem.columnStart, problem.columnRow, problem.coefficients
        )
        let (trades, exposure, segments) = (trades, exposure, segments)
        for r in 0..<rowCount { exposure[r] = 0 }
        var margin = 0.0
        var cash = 0.0
        for i in 0..<count {
            let x = trades[i]
            guard x != 0 else { continue }
            for k in Int(columnStart[i])..<Int(columnStart[i + 1]) {
                exposure[Int(columnRow[k])] += coefficients[k] * x
            }
            // A free trade may have crossed 0 and is still on its side's coefficients.
            let bought = segments[i] == .buy || (segments[i] != .sell && x > 0)
            let own = limitCoefficients(i, bought: bought)
            margin += own.margin * x
            cash += own.cash * x
        }
        exposure[problem.marginRow] = margin
        exposure[problem.cashRow] = cash
    }

    private func computePrices() {
        let (columnStart, columnRow, coefficients) = (
            problem.columnStart, problem.columnRow, problem.coefficients
        )
        let (multipliers, price) = (multipliers, price)
        for i in 0..<count {
            var sum = 0.0
            for k in Int(columnStart[i])..<Int(columnStart[i + 1]) {
                sum += coefficients[k] * multipliers[Int(columnRow[k])]
            }
            price[i] = sum
        }
    }

    private var isFinite: Bool {
        var sum = 0.0
        for r in 0..<rowCount { sum += multipliers[r].magnitude }
        for i in 0..<count { sum += trades[i].magnitude }
        return sum < 1e200
    }

    // MARK: Corrections

    /// Corrects what contradicts the guess, all of it or the worst, and counts it.
    private func correct(all: Bool = true) -> Int {
        var wrong = 0
        var worst = 0.0
        var worstInstrument = -1
        var worstRow = -1
        var worstSegment = Segment.zero
        var worstPosition = RowPosition.inside
        for i in 0..<count {
            let (segment, error) = check(instrument: i)
            guard error > Self.tolerance else { continue }
            wrong += 1
            if all {
                segments[i] = segment
            } else if error > worst {
                (worst, worstInstrument, worstSegment) = (error, i, segment)
            }
        }
        for r in 0..<rowCount {
            let (position, error) = check(row: r)
            guard error > Self.tolerance else { continue }
            wrong += 1
            if all {
                positions[r] = position
            } else if error > worst {
                (worst, worstInstrument, worstRow, worstPosition) = (error, -1, r, position)
            }
        }
        if worstInstrument >= 0 { segments[worstInstrument] = worstSegment }
        if worstRow >= 0 { positions[worstRow] = worstPosition }
        return wrong
    }

    /// The segment that an instrument should be on, and how much the present one is contradicted.
    private func check(instrument i: Int) -> (Segment, Double) {
        let x = trades[i]
        let (low, high) = (problem.lower[i], problem.upper[i])
        switch segments[i] {
        case .buy:
            if x > high { return (.upper, x - high) }
            let floor = max(low, 0)
            return x < floor ? (problem.nearSegment(i), floor - x) : (.buy, 0)
        case .sell:
            if x < low { return (.lower, low - x) }
            let ceiling = min(high, 0)
            return x > ceiling ? (problem.nearSegment(i), x - ceiling) : (.sell, 0)
        case .zero:
            if high > 0 {
                let slope = slopeOfBuying(i, 0)
                if slope < 0 { return (.buy, -slope) }
            }
            if low < 0 {
                let slope = slopeOfSelling(i, 0)
                if slope > 0 { return (.sell, slope) }
            }
            return (.zero, 0)
        case .upper:
            if low == high { return (.upper, 0) }
            let slope = high > 0 ? slopeOfBuying(i, high) : slopeOfSelling(i, high)
            return slope > 0 ? (high > 0 ? .buy : .sell, slope) : (.upper, 0)
        case .lower:
            if low == high { return (.lower, 0) }
            let slope = low < 0 ? slopeOfSelling(i, low) : slopeOfBuying(i, low)
            return slope < 0 ? (low < 0 ? .sell : .buy, -slope) : (.lower, 0)
        }
    }

    /// Derivative of cost less price at x, on the side of buying.
    private func slopeOfBuying(_ i: Int, _ x: Double) -> Double {
        problem.costBuy[i] + problem.curvature[i] * x - price[i]
            - problem.marginPerUnit[i] * multipliers[problem.marginRow]
            - problem.cashBuy[i] * multipliers[problem.cashRow]
    }

    private func slopeOfSelling(_ i: Int, _ x: Double) -> Double {
        -problem.costSell[i] + problem.curvature[i] * x - price[i]
            + problem.marginPerUnit[i] * multipliers[problem.marginRow]
            + problem.cashSell[i] * multipliers[problem.cashRow]
    }

    /// The position that a row should be in, and how much the present one is contradicted.
    private func check(row r: Int) -> (RowPosition, Double) {
        let kind = problem.kinds[r]
        if kind == .absent || kind == .quadratic { return (positions[r], 0) }
        let y = multipliers[r]
        let g = exposure[r]
        let (low, high) = (problem.low[r], problem.high[r])
        switch positions[r] {
        case .inside:
            if g < low { return (.atLow, low - g) }
            return g > high ? (.atHigh, g - high) : (.inside, 0)
        case .atLow:
            if kind == .equality { return (.atLow, 0) }
            if y < 0 { return (low == high ? .atHigh : .inside, -y) }
            return kind == .soft && y > problem.penalty[r] ? (.belowLow, y - problem.penalty[r]) : (.atLow, 0)
        case .atHigh:
            if kind == .equality { return (.atHigh, 0) }
            if y > 0 { return (low == high ? .atLow : .inside, y) }
            return kind == .soft && -y > problem.penalty[r]
                ? (.aboveHigh, -y - problem.penalty[r]) : (.atHigh, 0)
        case .belowLow: return g > low ? (.atLow, g - low) : (.belowLow, 0)
        case .aboveHigh: return g < high ? (.atHigh, high - g) : (.aboveHigh, 0)
        }
    }

    /// Repeats the solution around itself until the added curvature has no effect.
    /// - Returns: whether the guess still holds. Where rows that depend on each other contradict each other it
    ///   may do so without being an optimum, so callers compare with the dual.
    private func refine(_ active: Int) -> Bool {
        for _ in 0..<20 {
            var move = 0.0
            for i in 0..<count {
                if segments[i].isFree, problem.curvature[i] < Self.leastCurvature {
                    move = max(move, Self.leastCurvature * (trades[i] - centreTrades[i]).magnitude)
                }
                centreTrades[i] = trades[i]
            }
            for k in 0..<active {
                let r = Int(activeRows[k])
                move = max(move, regularisation[k] * (multipliers[r] - centreMultipliers[r]).magnitude)
            }
            for r in 0..<rowCount { centreMultipliers[r] = multipliers[r] }
            if move <= 1e-15 { return correct() == 0 }
            solve(active)
        }
        return correct() == 0
    }

    // MARK: Climbing the dual

    /// Raises the dual from the first guess's multipliers to its top, around the present centre of the trades.
    /// - Returns: whether it got there; then the guess is that of the top.
    private func climb() -> Bool {
        for r in 0..<rowCount { multipliers[r] = problem.clamped(firstMultipliers[r], r) }
        respond()
        while pivots < Self.mostPivots {
            pivots += 1
            var error = positionRows()
            if snap(within: min(1e-3, error)) {
                respond()
                error = positionRows()
            }
            if error <= 0.1 * Self.tolerance { return true }
            let active = assemble(rowFloor: max(1e-9, 1e-3 * error))
            matrix.factorise(count: active, floor: 1e-14)
            for k in 0..<active {
                let r = Int(activeRows[k])
                right[k] = target(r, multipliers[r], rising: positions[r] == .atLow) - exposure[r]
            }
            matrix.solve(right, count: active)
            for r in 0..<rowCount {
                direction[r] = 0
                start[r] = multipliers[r]
            }
            for k in 0..<active { direction[Int(activeRows[k])] = right[k] }
            search()
        }
        return false
    }

    /// Rows whose small multiplier is on its way to 0 are put there.
    private func snap(within limit: Double) -> Bool {
        var any = false
        for r in 0..<rowCount where multipliers[r] != 0 && multipliers[r].magnitude <= limit {
            guard problem.kinds[r] != .equality, problem.kinds[r] != .quadratic else { continue }
            let y = multipliers[r]
            if y * (target(r, y, rising: true) - exposure[r]) < 0 {
                multipliers[r] = 0
                any = true
            }
        }
        return any
    }

    /// The trades that the multipliers call for, their segments, and the exposures that they make. One pass over
    /// the coefficients, as the search along a direction does little else.
    private func respond() {
        let (columnStart, columnRow, coefficients) = (
            problem.columnStart, problem.columnRow, problem.coefficients
        )
        let (lower, upper, curvature) = (problem.lower, problem.upper, problem.curvature)
        let (costBuy, costSell, marginPerUnit) = (problem.costBuy, problem.costSell, problem.marginPerUnit)
        let (cashBuy, cashSell) = (problem.cashBuy, problem.cashSell)
        let (multipliers, exposure, price, trades) = (multipliers, exposure, price, trades)
        let (segments, centreTrades) = (segments, centreTrades)
        let marginPrice = multipliers[problem.marginRow]
        let cashPrice = multipliers[problem.cashRow]
        for r in 0..<rowCount { exposure[r] = 0 }
        var margin = 0.0
        var cash = 0.0
        var k = 0
        for i in 0..<count {
            let start = k
            let end = Int(columnStart[i + 1])
            var paid = 0.0
            while k < end {
                paid += coefficients[k] * multipliers[Int(columnRow[k])]
                k += 1
            }
            price[i] = paid
            var bend = curvature[i]
            var pull = 0.0
            if bend < Self.leastCurvature {
                bend += Self.leastCurvature
                pull = Self.leastCurvature * centreTrades[i]
            }
            let limits = marginPerUnit[i] * marginPrice
            let buy = costBuy[i] - paid - limits - cashBuy[i] * cashPrice
            let sell = -costSell[i] - paid + limits + cashSell[i] * cashPrice
            let (low, high) = (lower[i], upper[i])
            var x = max(low, 0) + min(high, 0)
            if high > 0, pull - buy > bend * x {
                x = (pull - buy) / bend
                segments[i] = x < high ? .buy : .upper
                x = min(x, high)
            } else if low < 0, pull - sell < bend * x {
                x = (pull - sell) / bend
                segments[i] = x > low ? .sell : .lower
                x = max(x, low)
            } else {
                segments[i] = problem.nearSegment(i)
            }
            trades[i] = x
            guard x != 0 else { continue }
            for k in start..<end { exposure[Int(columnRow[k])] += coefficients[k] * x }
            margin += marginPerUnit[i] * x.magnitude
            cash += x > 0 ? cashBuy[i] * x : -cashSell[i] * x
        }
        exposure[problem.marginRow] = margin
        exposure[problem.cashRow] = cash
    }

    /// The limit that a row's multiplier pulls to; at 0 the one in the direction of rising or falling.
    private func target(_ r: Int, _ y: Double, rising: Bool) -> Double {
        let isLow = y > 0 || (y == 0 && rising)
        var target = isLow ? problem.low[r] : problem.high[r]
        let quadratic = problem.penaltyQuadratic[r]
        if quadratic > 0, y.magnitude > problem.penalty[r] {
            target -= (y.magnitude - problem.penalty[r]) / (isLow ? quadratic : -quadratic)
        }
        return target
    }

    /// Which rows can move, and how far the worst is from where its multiplier pulls.
    private func positionRows() -> Double {
        var worst = 0.0
        for r in 0..<rowCount {
            let kind = problem.kinds[r]
            let (y, g) = (multipliers[r], exposure[r])
            guard kind != .absent else {
                positions[r] = .inside
                continue
            }
            if y == 0 && kind != .quadratic && kind != .equality {
                let (low, high) = (problem.low[r], problem.high[r])
                positions[r] = g < low ? .atLow : g > high ? .atHigh : .inside
                worst = max(worst, low - g, g - high)
                continue
            }
            let error = target(r, y, rising: true) - g
            positions[r] = kind == .equality || y > 0 ? .atLow : .atHigh
            if kind == .quadratic {
                positions[r] = .belowLow
            } else if kind == .soft, y.magnitude >= problem.penalty[r] {
                // At the cap of a linear penalty the multiplier can only come back.
                let isBeyond = y > 0 ? error >= 0 : error <= 0
                if problem.penaltyQuadratic[r] > 0 {
                    if y.magnitude > problem.penalty[r] || isBeyond {
                        positions[r] = y > 0 ? .belowLow : .aboveHigh
                    }
                } else if isBeyond {
                    positions[r] = y > 0 ? .belowLow : .aboveHigh
                    continue
                }
            }
            worst = max(worst, error.magnitude)
        }
        return worst
    }

    /// Goes along the direction, each multiplier no further than its sign or its cap allows, to where the
    /// dual stops rising.
    private func search() {
        var left = 0.0
        var right = 1.0
        var atLeft = 0.0
        var atRight = advance(1)
        guard atRight < 0 else { return }
        // Directions that no trade supports are huge: come down in large strides.
        while true {
            let trial = right * 0.1
            let value = advance(trial)
            if value >= 0 || trial < 1e-14 {
                (left, atLeft) = (trial, value)
                break
            }
            (right, atRight) = (trial, value)
        }
        // Near enough to the top: the next direction is worth more than the last digits of this length.
        let first = max(atLeft, 1e-300)
        var isAtLeft = true
        for round in 0..<8 where atLeft > 0.2 * first || atRight < -first {
            var middle = left + (right - left) * atLeft / (atLeft - atRight)
            if round % 3 == 2 { middle = 0.5 * (left + right) }
            let value = advance(middle)
            isAtLeft = value >= 0
            if isAtLeft { (left, atLeft) = (middle, value) } else { (right, atRight) = (middle, value) }
        }
        if !isAtLeft { _ = advance(left) }
    }

    /// Sets the multipliers that far along the direction; returns the dual's derivative there.
    private func advance(_ length: Double) -> Double {
        for r in 0..<rowCount where direction[r] != 0 {
            var y = start[r] + length * direction[r]
            let kind = problem.kinds[r]
            if kind == .hard || kind == .soft {
                // A multiplier of 0 leaves it only to the side that its row is violated on.
                let sign = start[r] != 0 ? start[r] : positions[r] == .atLow ? 1 : -1
                if y * sign < 0 { y = 0 }
                if kind == .soft, problem.penaltyQuadratic[r] == 0 {
                    y = max(-problem.penalty[r], min(problem.penalty[r], y))
                }
            }
            multipliers[r] = y
        }
        respond()
        var slope = 0.0
        for r in 0..<rowCount where direction[r] != 0 {
            let y = multipliers[r]
            let kind = problem.kinds[r]
            if y == 0, kind == .hard || kind == .soft, length > 0 { continue }
            if kind == .soft, problem.penaltyQuadratic[r] == 0, y.magnitude == problem.penalty[r] { continue }
            slope += direction[r] * (target(r, y, rising: direction[r] > 0) - exposure[r])
        }
        return slope
    }
}
