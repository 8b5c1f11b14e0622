/// How long a problem may take, and a search over lots and fixed costs go on.
public struct HedgeSearch: Sendable, Equatable {
    /// Relaxations that may be solved.
    public var nodeLimit = 100_000
    /// Seconds that a problem may take, with or without lots: none from 0 down, any from 10⁹ on. With a limit on time,
    /// which answer is found depends on the machine.
    public var timeLimit = Double.infinity
    /// A proven gap that is good enough, relative to the cost.
    public var gap = 1e-9

    public init() {}
}

/// Branch and bound over lots, smallest trades and fixed costs.
///
/// A node is a box of trades; its relaxation lets them be any amount in it and spreads an undecided fixed cost
/// evenly over the largest trade. Relaxations start from the active set of the node above. The better child is
/// followed down until it ends, then the open node with the lowest bound is next. Bounds are values of the dual,
/// so that they hold whatever state the relaxation's solver is in.
final class BranchAndBound {
    let scaled: ScaledProblem
    private let interior: InteriorPoint
    let active: ActiveSet
    let count: Int

    /// In scaled units. An amount other than 0 is at least `least`, which is whole lots.
    let lot, least, fixedCost, trial, incumbent, exposure: Vector
    /// Amounts of `sliding` before a move.
    let slid: Vector
    /// What each row costs the trial trades.
    let paid: Vector
    private let baseLower, baseUpper: Vector
    let baseBuy, baseSell: Vector
    /// The box of the root: amounts that may be traded.
    let lowest, highest: Vector
    /// Whether instruments i and j, at i·count + j, are in a band together.
    let sharesRow: SolverVector<Bool>
    /// Rises of the bound per unit that was branched away, downwards and upwards, and how many were seen.
    private let gainDown, gainUp, seenDown, seenUp: Vector
    /// Instruments of which any amount may be traded at no fixed cost.
    private(set) var sliding: [Int] = []
    private var numbers: ExactNumbers<DoubleDouble>?
    private var precise: HomogeneousPoint<DoubleDouble>?
    private var open = OpenNodes()
    /// The one that is searched.
    private(set) var problem: HedgeProblem?

    private(set) var nodes = 0
    /// The cost of the best trades so far, in scaled units.
    var best = Double.infinity
    /// No trades cost less.
    private(set) var bound = -Double.infinity
    private var relaxationBound = -Double.infinity
    /// The lowest bound of a node that had to be given up.
    private var lost = Double.infinity
    /// A bound from elsewhere.
    private var floor = -Double.infinity
    /// Whether there was nothing left to look at.
    private(set) var isExhausted = false

    init(_ scaled: ScaledProblem, _ interior: InteriorPoint, _ active: ActiveSet) {
        self.scaled = scaled
        self.interior = interior
        self.active = active
        count = scaled.count
        let count = count
        func take() -> Vector { Vector(count) }
        lot = take()
        least = take()
        lowest = take()
        highest = take()
        fixedCost = take()
        trial = take()
        slid = take()
        incumbent = take()
        baseLower = take()
        baseUpper = take()
        baseBuy = take()
        baseSell = take()
        gainDown = take()
        gainUp = take()
        seenDown = take()
        seenUp = take()
        exposure = Vector(scaled.rowCount)
        paid = Vector(scaled.rowCount)
        sharesRow = SolverVector(repeating: false, count: count * count)
        for i in 0..<count {
            for j in 0..<count {
                sharesRow[i * count + j] = scaled.columns.places(i).contains { k in
                    scaled.columns.places(j).contains { scaled.columns.row($0) == scaled.columns.row(k) }
                }
            }
        }
    }

    // MARK: The search

    /// Searches the box of the problem that `scaled` holds; leaves `scaled` as it was.
    /// - Parameters:
    ///   - offered: trades near which whole ones may be good, if any.
    ///   - strengthen: called once, where the search turns out to be no short one: may `offer` trades and
    ///     returns a bound, in the problem's currency.
    /// - Returns: whether there are trades; then `incumbent` has the best found.
    func run(
        _ problem: HedgeProblem, _ limits: HedgeSearch, offered: [Double] = [],
        strengthen: (BranchAndBound) -> Double = { _ in -.infinity }
    ) -> Bool {
        load(problem)
        self.problem = problem
        nodes = 0
        best = .infinity
        bound = -.infinity
        lost = .infinity
        floor = -.infinity
        isExhausted = false
        var next: SearchNode? = root()
        if !offered.isEmpty { offer(offered) }
        while let node = next {
            next = nil
            if nodes == Self.shortSearch {
                floor = strengthen(self) / scaled.objectiveScale
            }
            if nodes > 0 {
                bound = max(min(node.bound, open.lowestBound, best), floor)
                let isDone = best < .infinity && best - bound <= limits.gap * best.magnitude
                if isDone || nodes >= limits.nodeLimit || scaled.watch.isOver {
                    open.discard(node)
                    break
                }
            }
            next = expand(node)
            // What was stopped in the middle proves nothing.
            if scaled.watch.hasStopped, next == nil { lost = min(lost, bound) }
            // Down to whole trades at first; later only where that is no worse than what is open.
            let lowest = open.lowestBound
            if let child = next, nodes % 400 > 100, lowest < .infinity,
                child.bound - lowest > 0.1 * (best - lowest)
            {
                open.push(child)
                next = nil
            }
            next = next ?? open.pop()
            if next == nil {
                bound = best
                isExhausted = lost == .infinity
            }
        }
        if best < .infinity { bound = min(max(min(bound, lost), floor), best) }
        open.discardAll()
        restore()
        return best < .infinity
    }

    /// Nodes after which a search asks for help.
    private static let shortSearch = 100

    /// How far trades may leave a hard limit, in scaled units.
    static let tolerance = 1e-10

    /// A bound from here on leaves nothing to gain.
    private var enough: Double { best < .infinity ? best - 1e-10 * best.magnitude : .infinity }

    private func load(_ problem: HedgeProblem) {
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let scale = scaled.instrumentScale[i]
            lot[i] = instrument.lot / scale
            least[i] = instrument.minimum / scale
            if lot[i] > 0 { least[i] = (least[i] / lot[i] * (1 - 1e-12)).rounded(.up) * lot[i] }
            fixedCost[i] = instrument.fixedCost / scaled.objectiveScale
            baseLower[i] = scaled.lower[i]
            baseUpper[i] = scaled.upper[i]
            baseBuy[i] = scaled.costBuy[i]
            baseSell[i] = scaled.costSell[i]
            gainDown[i] = 0
            gainUp[i] = 0
            seenDown[i] = 0
            seenUp[i] = 0
        }
        sliding.removeAll(keepingCapacity: true)
        for i in 0..<count where lot[i] == 0 && least[i] == 0 && fixedCost[i] == 0 { sliding.append(i) }
    }

    private func restore() {
        for i in 0..<count {
            scaled.lower[i] = baseLower[i]
            scaled.upper[i] = baseUpper[i]
            scaled.costBuy[i] = baseBuy[i]
            scaled.costSell[i] = baseSell[i]
        }
    }

    private func root() -> SearchNode {
        let node = open.fresh(scaled)
        for i in 0..<count {
            // Whole lots only, with room for a limit that is one up to rounding.
            var (low, high) = (baseLower[i], baseUpper[i])
            if lot[i] > 0 {
                low = -((-low / lot[i]) * (1 + 1e-12)).rounded(.down) * lot[i]
                high = ((high / lot[i]) * (1 + 1e-12)).rounded(.down) * lot[i]
            }
            (lowest[i], highest[i]) = withoutTooSmall(i, low, high)
            node.lower[i] = lowest[i]
            node.upper[i] = highest[i]
            node.isPaid[i] = false
        }
        node.branched = -1
        node.bound = -.infinity
        active.save(to: node.guess)
        return node
    }

    /// A range without amounts at its ends that are too small to be traded.
    func withoutTooSmall(_ i: Int, _ low: Double, _ high: Double) -> (Double, Double) {
        let least = least[i]
        guard least > 0 else { return (low, high) }
        let slip = 1e-9 * least
        var (low, high) = (low, high)
        if low > slip { low = max(low, least) } else if low > slip - least { low = max(low, 0) }
        if high < -slip { high = min(high, -least) } else if high < least - slip { high = min(high, 0) }
        return (low, high)
    }

    /// The amounts next to x that may be traded, without regard to limits; both x where it may be itself.
    func neighbours(_ i: Int, _ x: Double) -> (below: Double, above: Double) {
        let least = least[i]
        if x.magnitude < least * (1 - 1e-7) {
            if x.magnitude <= 1e-7 * least { return (0, 0) }
            return x > 0 ? (0, least) : (-least, 0)
        }
        guard lot[i] > 0 else {
            // What rounding leaves below the smallest trade is it.
            if x.magnitude < least { return x > 0 ? (least, least) : (-least, -least) }
            return (x, x)
        }
        let units = x / lot[i]
        let nearest = units.rounded()
        if (units - nearest).magnitude <= 1e-7 { return (nearest * lot[i], nearest * lot[i]) }
        let whole = units.rounded(.down)
        return (whole * lot[i], (whole + 1) * lot[i])
    }

    /// Bounds, costs and constant of a node's relaxation into `scaled`.
    private func enter(_ node: SearchNode) -> Double {
        var constant = 0.0
        for i in 0..<count {
            scaled.lower[i] = node.lower[i]
            scaled.upper[i] = node.upper[i]
            var (buy, sell) = (baseBuy[i], baseSell[i])
            if fixedCost[i] > 0, node.lower[i] < 0 || node.upper[i] > 0 {
                if node.isPaid[i] || node.lower[i] > 0 || node.upper[i] < 0 {
                    constant += fixedCost[i]
                } else {
                    if node.upper[i] > 0 { buy += fixedCost[i] / node.upper[i] }
                    if node.lower[i] < 0 { sell -= fixedCost[i] / node.lower[i] }
                }
            }
            scaled.costBuy[i] = buy
            scaled.costSell[i] = sell
        }
        return constant
    }

    /// Solves a node and branches.
    /// - Returns: the child to follow; the other one is open then.
    private func expand(_ node: SearchNode) -> SearchNode? {
        nodes += 1
        let constant = enter(node)
        active.restore(from: node.guess)
        let outcome = active.run(climbs: true)
        if outcome == .infeasible {
            open.discard(node)
            return nil
        }
        var isSolved = outcome == .holds && isOptimal
        if !isSolved {
            let ceiling = best < .infinity ? best - constant : scaled.costCeiling()
            interior.start()
            for tolerance in [1e-6, 1e-9, 1e-11] where !isSolved {
                if interior.run(tolerance: tolerance, ceiling: ceiling) == .infeasible {
                    open.discard(node)
                    return nil
                }
                active.adopt(interior)
                isSolved = active.run(climbs: tolerance < 1e-8) == .holds && isOptimal
                if !isSolved { active.adopt(interior) }
            }
        }
        if !isSolved, let isFeasible = solvePrecisely() {
            guard isFeasible else {
                open.discard(node)
                return nil
            }
            isSolved = true
        }
        let bound = isSolved ? relaxationBound : scaled.dualValue(active.multipliers)
        node.bound = max(node.bound, bound + constant)
        learn(node)
        if node.bound >= enough {
            open.discard(node)
            return nil
        }
        active.save(to: node.guess)
        probe(node)
        let (instrument, isSwitch) = choose(node)
        // Whole trades near every relaxation would take more time than they save.
        if instrument < 0 || nodes % 4 == 1 || nodes.nonzeroBitCount == 1 {
            trial.copy(active.trades)
            round(thorough: nodes.nonzeroBitCount == 1 || nodes % 32 == 1)
        }
        if node.bound >= enough || instrument < 0 {
            // Whole, or as good as: `round` has seen these trades.
            let isTaken = best < .infinity && best - node.bound <= 1e-9 * max(best.magnitude, 1e-3)
            if node.bound < enough, !isSolved || !isTaken {
                // Whole but for rounding that matters: made so, they show what the others can do beside them.
                if let rest = settle(node) { return rest }
                // What was not solved, or what `round` could not take, may hide better ones.
                if !complete(node) { lost = min(lost, node.bound) }
            }
            open.discard(node)
            return nil
        }
        switch tighten(node) {
        case .none:
            open.discard(node)
            return nil
        case .others:
            // The relaxation's own trades are gone: the next one is better.
            node.branched = -1
            return node
        case .same: return branch(node, instrument, isSwitch)
        }
    }

    /// The node that `scaled` holds, with the method that is slow and sure.
    /// - Returns: whether it has a solution, which is the active set's then; nil where that stays open.
    private func solvePrecisely() -> Bool? {
        guard let problem else { return nil }
        let numbers = numbers ?? ExactNumbers<DoubleDouble>(scaled)
        let point = precise ?? HomogeneousPoint(numbers)
        (self.numbers, precise) = (numbers, point)
        numbers.load(problem)
        return point.run(limit: 100) { _ in
            for snap in HomogeneousPoint<DoubleDouble>.Snap.allCases {
                for i in 0..<count { active.trades[i] = point.trade(i, snap).double }
                for r in 0..<scaled.rowCount { active.multipliers[r] = point.multiplier(r, snap).double }
                if isOptimal { return true }
            }
            return false
        } proves: {
            for r in 0..<scaled.rowCount { scaled.ray[r] = point.ray(r).double }
            return scaled.provesInfeasible(scaled.ray)
        }
    }

    /// What is left of a node.
    private enum Rest {
        case same, others, none
    }

    /// Takes what cannot be part of better trades than the best out of a node's box (reduced cost fixing, for costs
    /// that bend).
    private func tighten(_ node: SearchNode) -> Rest {
        guard best < .infinity else { return .same }
        // `round` has put the costs back.
        let constant = enter(node)
        let most = (max(best, 0) + scaled.earnings) * (1 + 1e-9)
        let bound = scaled.dualValue(active.multipliers, most: most) + constant
        let margin = enough - bound + 1e-9 * max(best.magnitude, 1e-3)
        var rest = Rest.same
        for i in 0..<count where node.lower[i] < node.upper[i] {
            var (low, high) = scaled.affordable(i, active.multipliers, slack: margin, most: most)
            guard low <= high else { return .none }
            if lot[i] > 0 {
                low = (low / lot[i] - 1e-9).rounded(.up) * lot[i]
                high = (high / lot[i] + 1e-9).rounded(.down) * lot[i]
                guard low <= high else { return .none }
            }
            (low, high) = withoutTooSmall(i, low, high)
            guard low <= high else { return .none }
            if low > node.lower[i] { node.lower[i] = low }
            if high < node.upper[i] { node.upper[i] = high }
            let slip = 1e-7 * max(lot[i], least[i], 1e-9)
            if active.trades[i] < node.lower[i] - slip || active.trades[i] > node.upper[i] + slip {
                rest = .others
            }
        }
        return rest
    }

    /// Whether the active set's trades and multipliers prove each other; then `relaxationBound` is their bound.
    private var isOptimal: Bool {
        let value = scaled.value(active.trades, exposure: exposure, tolerance: Self.tolerance)
        // Infinite where a hard limit is left.
        guard value < .infinity else { return false }
        // The cheapest trades cost no more than these.
        let most = (max(value, 0) + scaled.earnings) * (1 + 1e-9)
        relaxationBound = scaled.dualValue(active.multipliers, most: most)
        return value - relaxationBound <= 1e-9 * max(value.magnitude, 1e-3)
    }

    /// Solves both branches of every instrument that has not been branched on and is not whole: what they bring
    /// decides where the tree begins, and a bad beginning is paid for in every node below.
    private func probe(_ node: SearchNode) {
        guard best < .infinity else { return }
        var isDisturbed = false
        for i in 0..<count where seenDown[i] + seenUp[i] == 0 && node.lower[i] < node.upper[i] {
            if isDisturbed { active.restore(from: node.guess) }
            let x = active.trades[i]
            let (below, above) = neighbours(i, x)
            guard below < above else { continue }
            if scaled.watch.isOver { break }
            let constant = enter(node)
            for isUp in [false, true] {
                if isUp { active.restore(from: node.guess) }
                scaled.lower[i] = isUp ? above : node.lower[i]
                scaled.upper[i] = isUp ? node.upper[i] : below
                let isEmpty = active.run(climbs: true) == .infeasible
                let value =
                    isEmpty ? enough : min(scaled.dualValue(active.multipliers) + constant, enough)
                let cut = isUp ? above - x : x - below
                learn(i, isUp: isUp, max(value - node.bound, 0) / cut)
            }
            isDisturbed = true
        }
        if isDisturbed {
            active.restore(from: node.guess)
            _ = enter(node)
        }
    }

    private func learn(_ node: SearchNode) {
        guard node.branched >= 0, node.cut > 0 else { return }
        learn(node.branched, isUp: node.isUp, max(node.bound - node.boundAbove, 0) / node.cut)
    }

    private func learn(_ i: Int, isUp: Bool, _ gain: Double) {
        if isUp {
            gainUp[i] += gain
            seenUp[i] += 1
        } else {
            gainDown[i] += gain
            seenDown[i] += 1
        }
    }

    /// The mean of what branches brought per unit: for instruments that have not been branched on.
    private var usualGains: (down: Double, up: Double) {
        var (down, up, downs, ups) = (0.0, 0.0, 0.0, 0.0)
        for i in 0..<count {
            if seenDown[i] > 0 {
                down += gainDown[i] / seenDown[i]
                downs += 1
            }
            if seenUp[i] > 0 {
                up += gainUp[i] / seenUp[i]
                ups += 1
            }
        }
        return (downs > 0 ? down / downs : 1, ups > 0 ? up / ups : 1)
    }

    /// The instrument whose branches promise to raise the bound most, −1 where all are decided; and whether
    /// it is its switch that is branched on.
    private func choose(_ node: SearchNode) -> (Int, Bool) {
        var chosen = -1
        var chosenSwitch = false
        var highest = -1.0
        let usual = usualGains
        for i in 0..<count where node.lower[i] < node.upper[i] {
            let x = active.trades[i]
            var score = 0.0
            var isSwitch = false
            let (below, above) = neighbours(i, x)
            if below < above {
                let down = seenDown[i] > 0 ? gainDown[i] / seenDown[i] : usual.down
                let up = seenUp[i] > 0 ? gainUp[i] / seenUp[i] : usual.up
                score = max(down * (x - below), 1e-9) * max(up * (above - x), 1e-9)
            }
            if fixedCost[i] > 0, !node.isPaid[i], x != 0, node.lower[i] <= 0,
                node.upper[i] >= 0
            {
                let missing = fixedCost[i] * (1 - x / (x > 0 ? node.upper[i] : node.lower[i]))
                if missing > 1e-9 * fixedCost[i] {
                    let own = missing * missing
                    if own > score {
                        score = own
                        isSwitch = true
                    }
                }
            }
            if score > highest, score > 0 { (highest, chosen, chosenSwitch) = (score, i, isSwitch) }
        }
        return (chosen, chosenSwitch)
    }

    func fresh() -> SearchNode { open.fresh(scaled) }

    func push(_ node: SearchNode) { open.push(node) }

    private func branch(_ node: SearchNode, _ i: Int, _ isSwitch: Bool) -> SearchNode {
        let x = active.trades[i]
        let other = open.fresh(scaled)
        other.lower.copy(node.lower)
        other.upper.copy(node.upper)
        other.isPaid.copy(node.isPaid)
        active.save(to: other.guess)
        other.bound = node.bound
        node.boundAbove = node.bound
        other.boundAbove = node.bound
        node.branched = isSwitch ? -1 : i
        other.branched = node.branched
        let followsNode: Bool
        if isSwitch {
            // `node` trades it, `other` does not.
            node.isPaid[i] = true
            other.lower[i] = 0
            other.upper[i] = 0
            followsNode = x.magnitude > 0.3 * (x > 0 ? node.upper[i] : -node.lower[i])
        } else {
            let (below, above) = neighbours(i, x)
            node.upper[i] = below
            node.cut = x - below
            node.isUp = false
            other.lower[i] = above
            other.cut = above - x
            other.isUp = true
            followsNode = x - below < above - x
        }
        open.push(followsNode ? other : node)
        return followsNode ? node : other
    }
}
