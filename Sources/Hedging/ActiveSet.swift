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
/// The worst contradiction is corrected first, as long as that leaves fewer of them now and then. Where it does not,
/// `climb` takes over: up the dual, from breakpoint to breakpoint.
final class ActiveSet {
    let problem: ScaledProblem
    let count, rowCount: Int
    /// The guess.
    let segments: SolverVector<Segment>
    let positions: SolverVector<RowPosition>
    /// Trades and multipliers of the last solution, in scaled units.
    let trades, multipliers: Vector
    let exposure, price, centreTrades, centreMultipliers, right, weight: Vector
    /// Of `climb`: where it begins, the present direction and where that begins.
    let firstMultipliers, direction, start: Vector
    /// Row of each active row in the matrix, −1 for the others; and back.
    private let rank: SolverVector<Int32>
    let activeRows: SolverVector<Int32>
    private let regularisation: Vector
    let matrix: Envelope
    /// Of `climb`, in each group: what is broken worst, by how much, and the position to take it in at; how far a step
    /// goes and what ends it; whether all rows that hold are at their limits.
    let groupError: Vector
    let groupWorst: SolverVector<Int32>
    let groupPosition: SolverVector<RowPosition>
    let length: Vector
    let event: SolverVector<Event>
    let isSettled: SolverVector<Bool>

    var pivots = 0
    /// Whether a free instrument has next to no curvature of its own.
    private var hasFlat = false

    static let tolerance = 1e-11
    /// Curvature that instruments without impact get, and the share of its diagonal that a row gets.
    static let leastCurvature = 1e-3
    private static let rowShare = 1e-11
    private static let mostCorrections = 30
    private static let mostContradictions = 6
    private static let mostPatience = 5
    /// Steps from nothing after which the interior point has been sooner, and instruments above which it always is where
    /// a band over several underlyings is broken: each step then moves all of them.
    private static let mostFromNothing = 60
    private static let mostJointInstruments = 30

    init(_ problem: ScaledProblem) {
        self.problem = problem
        let (count, rowCount, groupCount) = (problem.count, problem.rowCount, problem.shape.groupCount)
        self.count = count
        self.rowCount = rowCount
        segments = SolverVector(repeating: .zero, count: count)
        positions = SolverVector(repeating: .inside, count: rowCount)
        trades = Vector(count)
        centreTrades = Vector(count)
        weight = Vector(count)
        price = Vector(count)
        multipliers = Vector(rowCount)
        centreMultipliers = Vector(rowCount)
        exposure = Vector(rowCount)
        right = Vector(rowCount)
        regularisation = Vector(rowCount)
        direction = Vector(rowCount)
        start = Vector(rowCount)
        firstMultipliers = Vector(rowCount)
        groupError = Vector(groupCount)
        groupWorst = SolverVector(repeating: 0, count: groupCount)
        groupPosition = SolverVector(repeating: .inside, count: groupCount)
        length = Vector(groupCount)
        event = SolverVector(repeating: .none, count: groupCount)
        isSettled = SolverVector(repeating: false, count: groupCount)
        rank = SolverVector(repeating: -1, count: rowCount)
        activeRows = SolverVector(repeating: 0, count: rowCount)
        matrix = Envelope(size: rowCount)
    }

    /// What became of a guess.
    enum Outcome {
        /// It holds: `trades` and `multipliers` are the optimum.
        case holds
        /// There are no trades that keep all limits; `multipliers` prove it.
        case infeasible
        case open
    }

    /// Corrects the guess until it holds.
    /// - Parameter climbs: whether to go on where corrections don't converge.
    func run(climbs: Bool) -> Outcome {
        pivots = 0
        centreTrades.copy(trades)
        centreMultipliers.copy(multipliers)
        repairGuess()
        var outcome = settle()
        for _ in 0..<(climbs ? 2 : 0) where outcome == .open {
            // The guess's first multipliers are near, if not right.
            outcome = climb(most: 100 + count)
            guard outcome == .holds else { return outcome }
            centreMultipliers.copy(multipliers)
            outcome = settle()
        }
        return outcome
    }

    /// Finds the optimum from no trades and no prices, if that is not far.
    func climbFromNothing() -> Outcome {
        pivots = 0
        if count > Self.mostJointInstruments, isSpanningRowBroken { return .open }
        trades.fill(0)
        centreTrades.fill(0)
        firstMultipliers.fill(0)
        centreMultipliers.fill(0)
        segments.fill(.zero)
        positions.fill(.inside)
        repairGuess()
        let outcome = climb(most: Self.mostFromNothing)
        guard outcome == .holds else { return outcome }
        centreMultipliers.copy(multipliers)
        return settle()
    }

    /// Whether a row over several underlyings has a say where nothing is traded.
    private var isSpanningRowBroken: Bool {
        (0..<rowCount).contains {
            guard problem.shape.groupOfRow[$0] == problem.shape.groupCount - 1 else { return false }
            switch problem.kinds[$0] {
            case .absent: return false
            case .quadratic: return true
            case .hard, .equality, .soft: return problem.low[$0] > 0 || problem.high[$0] < 0
            }
        }
    }

    /// Corrects the guess as long as it gets better.
    private func settle() -> Outcome {
        var fewest = Int.max
        var patience = Self.mostPatience
        var change = Change.any
        for step in 0..<Self.mostCorrections where patience > 0 {
            if problem.watch.isOver { return .open }
            pivots += 1
            // Rows that depend on each other are the exception: only then do they get a curvature, or where instruments
            // have none, so that corners decide.
            var active = assemble(rowFloor: 0)
            let isExact = !hasFlat && matrix.factorise(count: active, floor: 1e-9)
            if !isExact {
                active = assemble(rowFloor: 1e-9)
                matrix.factorise(count: active, floor: 1e-14)
            }
            guard solve(active, change) else { return .open }
            // Rows that depend on each other and contradict each other make multipliers that prove it.
            if !isExact, problem.provesInfeasible(multipliers) { return .infeasible }
            if step == 0 { firstMultipliers.copy(multipliers) }
            let wrong = correctWorst(&change)
            if wrong == 0 {
                if isExact ? sharpen(active) : refine(active) { return .holds }
                // They have corrected all that came up.
                change = .any
                patience -= 1
            } else if wrong < fewest {
                // Where there are many the worst says little, and `climb` gets there sooner.
                patience = step == 0 && wrong > Self.mostContradictions ? 1 : Self.mostPatience
                fewest = wrong
            } else {
                patience -= 1
            }
        }
        return .open
    }

    /// What an instrument adds to the margin and to the cash row per unit of x, on its side.
    @inline(__always)
    private func limitCoefficients(_ i: Int, bought: Bool) -> (margin: Double, cash: Double) {
        bought
            ? (problem.marginPerUnit[i], problem.cashBuy[i])
            : (-problem.marginPerUnit[i], -problem.cashSell[i])
    }

    /// The matrix of the guess, factorised next; returns its size.
    func assemble(rowFloor: Double) -> Int {
        var active = 0
        var groupStart = 0
        for r in 0..<rowCount {
            rank[r] = -1
            if problem.shape.rowFirst[r] == r { groupStart = active }
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
            matrix.begin(active, at: problem.shape.rowFirst[r] == 0 && r > 0 ? 0 : groupStart)
            active += 1
        }
        matrix.clear(count: active)
        let marginRank = Int(rank[problem.marginRow])
        let cashRank = Int(rank[problem.cashRow])
        hasFlat = false
        for i in 0..<count where segments[i].isFree {
            hasFlat = hasFlat || problem.curvature[i] < Self.leastCurvature
            let inverse = weight[i]
            problem.columns.addSquare(i, times: inverse, rank: rank, to: matrix)
            guard marginRank >= 0 || cashRank >= 0 else { continue }
            let (margin, cash) = limitCoefficients(i, bought: segments[i] == .buy)
            for (rowRank, own) in [(marginRank, margin), (cashRank, cash)] where rowRank >= 0 {
                for k in problem.columns.places(i) {
                    let column = Int(rank[problem.columns.row(k)])
                    if column >= 0 { matrix[rowRank, column] += own * inverse * problem.columns.values[k] }
                }
                matrix[rowRank, rowRank] += own * own * inverse
            }
            if marginRank >= 0, cashRank >= 0 { matrix[cashRank, marginRank] += margin * cash * inverse }
        }
        for k in 0..<active {
            let r = Int(activeRows[k])
            switch positions[r] {
            case .belowLow, .aboveHigh:
                regularisation[k] = 0
                matrix[k, k] += 1 / problem.penaltyQuadratic[r]
            default:
                regularisation[k] = rowFloor > 0 ? max(Self.rowShare * matrix[k, k], rowFloor) : 0
                matrix[k, k] += regularisation[k]
            }
        }
        return active
    }

    /// What a correction does to the trades while the multipliers stay as they are.
    private enum Change {
        case nothing, any
        case instrument(Int, was: Segment)
    }

    /// Trades and multipliers of the guess, around the centres.
    /// - Parameter change: how the guess differs from the one that they were of.
    /// - Returns: whether they are numbers of a reasonable size.
    @discardableResult
    private func solve(_ active: Int, _ change: Change) -> Bool {
        switch change {
        case .nothing: break
        case .any: computeTrades()
        case .instrument(let i, let was): move(i, from: was)
        }
        for k in 0..<active {
            let r = Int(activeRows[k])
            right[k] =
                target(r) - exposure[r] + regularisation[k] * (centreMultipliers[r] - multipliers[r])
        }
        matrix.solve(right, count: active)
        var size = 0.0
        for k in 0..<active {
            let r = Int(activeRows[k])
            multipliers[r] += right[k]
            size += multipliers[r].magnitude
        }
        return size + computeTrades() < 1e200
    }

    /// The trade that an instrument on a segment answers prices with, and what it adds to margin and cash per unit.
    @inline(__always)
    private func answer(_ i: Int, _ segment: Segment, paid: Double, marginPrice: Double, cashPrice: Double)
        -> (x: Double, margin: Double, cash: Double)
    {
        switch segment {
        case .zero: return (0, 0, 0)
        case .lower, .upper:
            let x = segment == .lower ? problem.lower[i] : problem.upper[i]
            let own = limitCoefficients(i, bought: x > 0)
            return (x, own.margin, own.cash)
        case .buy, .sell:
            // A trade that has crossed 0 is still on its side's coefficients.
            let own = limitCoefficients(i, bought: segment == .buy)
            var slope = segment == .buy ? problem.costBuy[i] : -problem.costSell[i]
            if problem.curvature[i] < Self.leastCurvature { slope -= Self.leastCurvature * centreTrades[i] }
            let x = (paid + own.margin * marginPrice + own.cash * cashPrice - slope) * weight[i]
            return (x, own.margin, own.cash)
        }
    }

    /// One instrument's way to another segment, and what that does to the exposures.
    private func move(_ i: Int, from was: Segment) {
        let marginPrice = multipliers[problem.marginRow]
        let cashPrice = multipliers[problem.cashRow]
        let old = answer(i, was, paid: price[i], marginPrice: marginPrice, cashPrice: cashPrice)
        let new = answer(i, segments[i], paid: price[i], marginPrice: marginPrice, cashPrice: cashPrice)
        let step = new.x - trades[i]
        problem.columns.add(i, times: step, to: exposure)
        exposure[problem.marginRow] += new.margin * new.x - old.margin * trades[i]
        exposure[problem.cashRow] += new.cash * new.x - old.cash * trades[i]
        trades[i] = new.x
    }

    /// The prices that the multipliers make, the trades that the free instruments answer with, as the others rest,
    /// and the exposures that they make: in one pass over the coefficients, as little else takes time.
    /// - Returns: the sum of the trades' magnitudes.
    @discardableResult
    func computeTrades() -> Double {
        let marginPrice = multipliers[problem.marginRow]
        let cashPrice = multipliers[problem.cashRow]
        exposure.fill(0)
        var margin = 0.0
        var cash = 0.0
        var size = 0.0
        for i in 0..<count {
            let paid = problem.columns.product(i, multipliers)
            price[i] = paid
            guard segments[i] != .zero else {
                trades[i] = 0
                continue
            }
            let own = answer(i, segments[i], paid: paid, marginPrice: marginPrice, cashPrice: cashPrice)
            trades[i] = own.x
            size += own.x.magnitude
            problem.columns.add(i, times: own.x, to: exposure)
            margin += own.margin * own.x
            cash += own.cash * own.x
        }
        exposure[problem.marginRow] = margin
        exposure[problem.cashRow] = cash
        return size
    }

    // MARK: Corrections

    /// Counts what contradicts the guess, and corrects the worst.
    private func correctWorst(_ change: inout Change) -> Int {
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
            if error > worst { (worst, worstInstrument, worstSegment) = (error, i, segment) }
        }
        for r in 0..<rowCount {
            let (position, error) = check(row: r)
            guard error > Self.tolerance else { continue }
            wrong += 1
            if error > worst {
                (worst, worstInstrument, worstRow, worstPosition) = (error, -1, r, position)
            }
        }
        if worstInstrument >= 0 {
            change = .instrument(worstInstrument, was: segments[worstInstrument])
            segments[worstInstrument] = worstSegment
        } else if worstRow >= 0 {
            // Taken in, a row keeps its multiplier.
            change = worstPosition == .atLow || worstPosition == .atHigh ? .nothing : .any
            positions[worstRow] = worstPosition
        }
        return wrong
    }

    /// Corrects all that contradicts the guess; returns whether nothing did.
    private func correctAll() -> Bool {
        var holds = true
        for i in 0..<count {
            let (segment, error) = check(instrument: i)
            guard error > Self.tolerance else { continue }
            segments[i] = segment
            holds = false
        }
        for r in 0..<rowCount {
            let (position, error) = check(row: r)
            guard error > Self.tolerance else { continue }
            positions[r] = position
            holds = false
        }
        return holds
    }

    /// The segment that an instrument should be on, and how much the present one is contradicted.
    @inline(__always)
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
    @inline(__always)
    func slopeOfBuying(_ i: Int, _ x: Double) -> Double {
        problem.costBuy[i] + problem.curvature[i] * x - price[i]
            - problem.marginPerUnit[i] * multipliers[problem.marginRow]
            - problem.cashBuy[i] * multipliers[problem.cashRow]
    }

    @inline(__always)
    func slopeOfSelling(_ i: Int, _ x: Double) -> Double {
        -problem.costSell[i] + problem.curvature[i] * x - price[i]
            + problem.marginPerUnit[i] * multipliers[problem.marginRow]
            + problem.cashSell[i] * multipliers[problem.cashRow]
    }

    /// The position that a row should be in, and how much the present one is contradicted.
    @inline(__always)
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

    /// Repeats the solution where rounding left rows that hold beside their limits; returns whether it still holds.
    private func sharpen(_ active: Int) -> Bool {
        var any = false
        for _ in 0..<3 {
            var error = 0.0
            for k in 0..<active {
                let r = Int(activeRows[k])
                error = max(error, (target(r) - exposure[r]).magnitude)
            }
            guard error > 0.1 * Self.tolerance else { break }
            solve(active, .nothing)
            any = true
        }
        return !any || correctAll()
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
            if move <= 1e-15 { return correctAll() }
            solve(active, .any)
        }
        return correctAll()
    }
}
