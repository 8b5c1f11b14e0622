/// How long a search over lots and fixed costs may go on.
public struct HedgeSearch: Sendable, Equatable {
    /// Relaxations that may be solved.
    public var nodeLimit = 100_000
    /// Seconds that it may take; with a limit on time, which answer is found depends on the machine.
    public var timeLimit = Double.infinity
    /// A proven gap that is good enough, relative to the cost.
    public var gap = 1e-9

    public init() {}
}

/// Branch and bound over lots and fixed costs.
///
/// A node is a box of trades; its relaxation lets them be any amount in it and spreads an undecided fixed cost
/// evenly over the largest trade. Relaxations start from the active set of the node above. The better child is
/// followed down until it ends, then the open node with the lowest bound is next. Bounds are values of the dual,
/// so that they hold whatever state the relaxation's solver is in.
final class BranchAndBound {
    private typealias Vector = UnsafeMutablePointer<Double>

    private let scaled: ScaledProblem
    private let interior: InteriorPoint
    private let active: ActiveSet
    private let count: Int

    /// In scaled units.
    private let lot, fixedCost, trial, incumbent, exposure: Vector
    private let baseLower, baseUpper, baseBuy, baseSell: Vector
    /// Whether instruments i and j, at i·count + j, are in a band together.
    private let sharesRow: UnsafeMutablePointer<Bool>
    /// Rises of the bound per unit that was branched away, downwards and upwards, and how many were seen.
    private let gainDown, gainUp, seenDown, seenUp: Vector
    private let arena: Arena
    private var open: [Node] = []
    private var spare: [Node] = []

    private(set) var nodes = 0
    /// The cost of the best trades so far, in scaled units.
    private(set) var best = Double.infinity
    /// No trades cost less.
    private(set) var bound = -Double.infinity
    /// The lowest bound of a node that had to be given up.
    private var lost = Double.infinity
    var bestTrades: UnsafeMutablePointer<Double> { incumbent }

    private enum Switch: UInt8 {
        case undecided, on
    }

    private final class Node {
        let lower, upper: UnsafeMutablePointer<Double>
        let switches: UnsafeMutablePointer<Switch>
        let guess: ActiveSet.Guess
        var bound = -Double.infinity
        /// What was branched on to get here: instrument, how much was cut off, and whether upwards.
        var branched = -1
        var cut = 0.0
        var isUp = false
        var boundAbove = 0.0

        init(_ scaled: ScaledProblem) {
            lower = .allocate(capacity: scaled.count)
            upper = .allocate(capacity: scaled.count)
            switches = .allocate(capacity: scaled.count)
            guess = ActiveSet.Guess(scaled)
        }

        deinit {
            lower.deallocate()
            upper.deallocate()
            switches.deallocate()
        }
    }

    init(_ scaled: ScaledProblem, _ interior: InteriorPoint, _ active: ActiveSet) {
        self.scaled = scaled
        self.interior = interior
        self.active = active
        count = scaled.count
        let count = count
        let arena = Arena(capacity: 12 * Arena.room(count) + Arena.room(scaled.rowCount))
        func take() -> Vector { arena.take(count) }
        lot = take()
        fixedCost = take()
        trial = take()
        incumbent = take()
        baseLower = take()
        baseUpper = take()
        baseBuy = take()
        baseSell = take()
        gainDown = take()
        gainUp = take()
        seenDown = take()
        seenUp = take()
        exposure = arena.take(scaled.rowCount)
        self.arena = arena
        sharesRow = .allocate(capacity: count * count)
        sharesRow.initialize(repeating: false, count: count * count)
        for i in 0..<count {
            for k in Int(scaled.columnStart[i])..<Int(scaled.columnStart[i + 1]) {
                for j in 0..<count where !sharesRow[i * count + j] {
                    let column = Int(scaled.columnStart[j])..<Int(scaled.columnStart[j + 1])
                    sharesRow[i * count + j] = column.contains { scaled.columnRow[$0] == scaled.columnRow[k] }
                }
            }
        }
    }

    deinit { sharesRow.deallocate() }

    // MARK: The search

    /// Searches the box of the problem that `scaled` holds; leaves `scaled` as it was.
    /// - Returns: whether there are trades; then `bestTrades` are the best found.
    func run(_ problem: HedgeProblem, _ limits: HedgeSearch) -> Bool {
        load(problem)
        let clock = ContinuousClock()
        let begin = clock.now
        nodes = 0
        best = .infinity
        bound = -.infinity
        lost = .infinity
        var next: Node? = root()
        while let node = next {
            next = nil
            if nodes > 0 {
                bound = min(node.bound, open.first?.bound ?? .infinity, best)
                let isDone = best < .infinity && best - bound <= limits.gap * best.magnitude
                let isLate =
                    nodes % 16 == 0 && limits.timeLimit < .infinity
                    && (clock.now - begin) / .seconds(1) > limits.timeLimit
                if isDone || nodes >= limits.nodeLimit || isLate {
                    spare.append(node)
                    break
                }
            }
            next = expand(node)
            // Down to whole trades at first; later only where that is no worse than what is open.
            if let child = next, nodes % 400 > 100, let lowest = open.first?.bound,
                child.bound - lowest > 0.1 * (best - lowest)
            {
                push(child)
                next = nil
            }
            next = next ?? popOpen()
            if next == nil { bound = best }
        }
        if best < .infinity { bound = min(bound, best, lost) }
        spare += open
        open.removeAll(keepingCapacity: true)
        restore()
        return best < .infinity
    }

    /// A bound from here on leaves nothing to gain.
    private var enough: Double { best < .infinity ? best - 1e-10 * best.magnitude : .infinity }

    private func load(_ problem: HedgeProblem) {
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let scale = scaled.instrumentScale[i]
            lot[i] = instrument.lot / scale
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
    }

    private func restore() {
        for i in 0..<count {
            scaled.lower[i] = baseLower[i]
            scaled.upper[i] = baseUpper[i]
            scaled.costBuy[i] = baseBuy[i]
            scaled.costSell[i] = baseSell[i]
        }
    }

    private func fresh() -> Node { spare.popLast() ?? Node(scaled) }

    private func root() -> Node {
        let node = fresh()
        for i in 0..<count {
            node.lower[i] = baseLower[i]
            node.upper[i] = baseUpper[i]
            if lot[i] > 0 {
                // Whole lots only, with room for a limit that is one up to rounding.
                node.lower[i] = -((-baseLower[i] / lot[i]) * (1 + 1e-12)).rounded(.down) * lot[i]
                node.upper[i] = ((baseUpper[i] / lot[i]) * (1 + 1e-12)).rounded(.down) * lot[i]
            }
            node.switches[i] = .undecided
        }
        node.branched = -1
        node.bound = -.infinity
        active.save(to: node.guess)
        return node
    }

    /// Bounds, costs and constant of a node's relaxation into `scaled`.
    private func enter(_ node: Node) -> Double {
        var constant = 0.0
        for i in 0..<count {
            scaled.lower[i] = node.lower[i]
            scaled.upper[i] = node.upper[i]
            var (buy, sell) = (baseBuy[i], baseSell[i])
            if fixedCost[i] > 0, node.lower[i] < 0 || node.upper[i] > 0 {
                if node.switches[i] == .on || node.lower[i] > 0 || node.upper[i] < 0 {
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
    private func expand(_ node: Node) -> Node? {
        nodes += 1
        let constant = enter(node)
        active.restore(from: node.guess)
        var isSolved = active.run(climbs: true) && isOptimal
        if !isSolved {
            let ceiling = best < .infinity ? best - constant : scaled.costCeiling()
            interior.start()
            for tolerance in [1e-6, 1e-9, 1e-11] where !isSolved {
                if interior.run(tolerance: tolerance, ceiling: ceiling) == .infeasible {
                    spare.append(node)
                    return nil
                }
                active.adopt(interior)
                isSolved = active.run(climbs: tolerance < 1e-8) && isOptimal
                if !isSolved { active.adopt(interior) }
            }
        }
        node.bound = max(node.bound, scaled.dualValue(active.multipliers) + constant)
        learn(node)
        if node.bound >= enough {
            spare.append(node)
            return nil
        }
        active.save(to: node.guess)
        probe(node)
        let (instrument, isSwitch) = choose(node)
        // Whole trades near every relaxation would take more time than they save.
        if instrument < 0 || nodes % 4 == 1 || nodes.nonzeroBitCount == 1 {
            round(node, thorough: nodes.nonzeroBitCount == 1 || nodes % 32 == 1)
        }
        if node.bound >= enough || instrument < 0 {
            // Whole, or as good as: `round` has seen these trades. What was not solved may hide better ones.
            if !isSolved { lost = min(lost, node.bound) }
            spare.append(node)
            return nil
        }
        switch tighten(node, slack: enough - node.bound) {
        case .none:
            spare.append(node)
            return nil
        case .others:
            // The relaxation's own trades are gone: the next one is better.
            node.branched = -1
            return node
        case .same: return branch(node, instrument, isSwitch)
        }
    }

    /// What is left of a node.
    private enum Rest {
        case same, others, none
    }

    /// Takes what cannot be part of better trades than the best out of a node's box (reduced cost fixing, for costs
    /// that bend).
    private func tighten(_ node: Node, slack: Double) -> Rest {
        guard best < .infinity else { return .same }
        // `round` has put the costs back.
        _ = enter(node)
        let margin = slack + 1e-9 * max(best.magnitude, 1e-3)
        var rest = Rest.same
        for i in 0..<count where node.lower[i] < node.upper[i] {
            var (low, high) = scaled.affordable(i, active.multipliers, slack: margin)
            guard low <= high else { return .none }
            if lot[i] > 0 {
                low = (low / lot[i] - 1e-9).rounded(.up) * lot[i]
                high = (high / lot[i] + 1e-9).rounded(.down) * lot[i]
                guard low <= high else { return .none }
            }
            if low > node.lower[i] { node.lower[i] = low }
            if high < node.upper[i] { node.upper[i] = high }
            let slip = 1e-7 * max(lot[i], 1e-9)
            if active.trades[i] < node.lower[i] - slip || active.trades[i] > node.upper[i] + slip {
                rest = .others
            }
        }
        return rest
    }

    /// Whether the active set's trades and multipliers prove each other.
    private var isOptimal: Bool {
        let value = scaled.value(active.trades, exposure: exposure, tolerance: 1e-9)
        return value - scaled.dualValue(active.multipliers) <= 1e-9 * max(value.magnitude, 1e-3)
    }

    /// Solves both branches of every instrument that has not been branched on and is not whole: what they bring
    /// decides where the tree begins, and a bad beginning is paid for in every node below.
    private func probe(_ node: Node) {
        guard best < .infinity else { return }
        var isDisturbed = false
        for i in 0..<count where lot[i] > 0 && seenDown[i] + seenUp[i] == 0 && node.lower[i] < node.upper[i] {
            if isDisturbed { active.restore(from: node.guess) }
            let units = active.trades[i] / lot[i]
            let whole = units.rounded(.down)
            guard units - whole > 1e-7, units - whole < 1 - 1e-7 else { continue }
            let constant = enter(node)
            for isUp in [false, true] {
                if isUp { active.restore(from: node.guess) }
                scaled.lower[i] = isUp ? (whole + 1) * lot[i] : node.lower[i]
                scaled.upper[i] = isUp ? node.upper[i] : whole * lot[i]
                _ = active.run(climbs: true)
                let value = min(scaled.dualValue(active.multipliers) + constant, enough)
                let cut = (isUp ? whole + 1 - units : units - whole) * lot[i]
                learn(i, isUp: isUp, max(value - node.bound, 0) / cut)
            }
            isDisturbed = true
        }
        if isDisturbed {
            active.restore(from: node.guess)
            _ = enter(node)
        }
    }

    private func learn(_ node: Node) {
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
    private func choose(_ node: Node) -> (Int, Bool) {
        var chosen = -1
        var chosenSwitch = false
        var highest = -1.0
        let usual = usualGains
        for i in 0..<count where node.lower[i] < node.upper[i] {
            let x = active.trades[i]
            var score = 0.0
            var isSwitch = false
            if lot[i] > 0 {
                let units = x / lot[i]
                let below = units - units.rounded(.down)
                if below > 1e-7, below < 1 - 1e-7 {
                    let down = seenDown[i] > 0 ? gainDown[i] / seenDown[i] : usual.down
                    let up = seenUp[i] > 0 ? gainUp[i] / seenUp[i] : usual.up
                    score = max(down * below * lot[i], 1e-9) * max(up * (1 - below) * lot[i], 1e-9)
                }
            }
            if fixedCost[i] > 0, node.switches[i] == .undecided, x != 0, node.lower[i] <= 0,
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

    private func branch(_ node: Node, _ i: Int, _ isSwitch: Bool) -> Node {
        let x = active.trades[i]
        let other = fresh()
        other.lower.update(from: node.lower, count: count)
        other.upper.update(from: node.upper, count: count)
        other.switches.update(from: node.switches, count: count)
        active.save(to: other.guess)
        other.bound = node.bound
        node.boundAbove = node.bound
        other.boundAbove = node.bound
        node.branched = isSwitch ? -1 : i
        other.branched = node.branched
        let followsNode: Bool
        if isSwitch {
            // `node` trades it, `other` does not.
            node.switches[i] = .on
            other.lower[i] = 0
            other.upper[i] = 0
            followsNode = x.magnitude > 0.3 * (x > 0 ? node.upper[i] : -node.lower[i])
        } else {
            let units = x / lot[i]
            let whole = units.rounded(.down)
            node.upper[i] = whole * lot[i]
            node.cut = (units - whole) * lot[i]
            node.isUp = false
            other.lower[i] = (whole + 1) * lot[i]
            other.cut = (whole + 1 - units) * lot[i]
            other.isUp = true
            followsNode = units - whole < 0.5
        }
        push(followsNode ? other : node)
        return followsNode ? node : other
    }

    // MARK: Open nodes, lowest bound first

    private func push(_ node: Node) {
        open.append(node)
        var child = open.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if open[parent].bound <= open[child].bound { break }
            open.swapAt(parent, child)
            child = parent
        }
    }

    private func popOpen() -> Node? {
        guard let top = open.first else { return nil }
        let last = open.removeLast()
        if !open.isEmpty {
            open[0] = last
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < open.count else { break }
                if child + 1 < open.count, open[child + 1].bound < open[child].bound { child += 1 }
                if open[parent].bound <= open[child].bound { break }
                open.swapAt(parent, child)
                parent = child
            }
        }
        return top
    }

    // MARK: Whole trades near a relaxation's

    /// Rounds a relaxation's trades and improves them by single lots, then pairs of them.
    private func round(_ node: Node, thorough: Bool) {
        for i in 0..<count {
            var x = max(baseLower[i], min(baseUpper[i], active.trades[i]))
            if lot[i] > 0 {
                // A limit need not be a multiple of the lot.
                x = (x / lot[i]).rounded() * lot[i]
                if x > baseUpper[i] * (1 + 1e-12) { x -= lot[i] }
                if x < baseLower[i] * (1 + 1e-12) { x += lot[i] }
            }
            trial[i] = x
            scaled.costBuy[i] = baseBuy[i]
            scaled.costSell[i] = baseSell[i]
        }
        var value = penalised()
        for _ in 0..<100 {
            var improved = false
            for i in 0..<count {
                value = tryMoves(i, value, &improved)
            }
            if !improved, thorough { value = tryPairs(value, &improved) }
            if !improved { break }
        }
        // The exact value, without what the moves have accumulated.
        value = scaled.value(trial, exposure: exposure, tolerance: 1e-10) + fixedTotal()
        if value < best {
            best = value
            for i in 0..<count { incumbent[i] = trial[i] }
        }
    }

    private func fixedTotal() -> Double {
        var sum = 0.0
        for i in 0..<count where trial[i] != 0 { sum += fixedCost[i] }
        return sum
    }

    /// What the moves pay for being outside of a hard limit, per scaled unit.
    private static let hardPenalty = 1e6

    @inline(__always) private func rowPrice(_ r: Int, _ g: Double) -> Double {
        let cost = scaled.rowCost(r, g)
        return cost < .infinity ? cost : Self.hardPenalty * scaled.outside(r, g)
    }

    private func penalised() -> Double {
        _ = scaled.value(trial, exposure: exposure, tolerance: .infinity)
        var value = fixedTotal()
        for i in 0..<count { value += scaled.tradeCost(i, trial[i]) }
        for r in 0..<scaled.rowCount { value += rowPrice(r, exposure[r]) }
        return value
    }

    /// What changing a trade to `target` changes.
    private func change(_ i: Int, to target: Double) -> Double {
        let x = trial[i]
        let move = target - x
        var change = scaled.tradeCost(i, target) - scaled.tradeCost(i, x)
        if fixedCost[i] > 0 { change += (target != 0 ? fixedCost[i] : 0) - (x != 0 ? fixedCost[i] : 0) }
        for k in Int(scaled.columnStart[i])..<Int(scaled.columnStart[i + 1]) {
            let r = Int(scaled.columnRow[k])
            change += rowPrice(r, exposure[r] + scaled.coefficients[k] * move) - rowPrice(r, exposure[r])
        }
        let margin = scaled.marginPerUnit[i] * (target.magnitude - x.magnitude)
        let cash = cashOf(i, target) - cashOf(i, x)
        let (m, c) = (scaled.marginRow, scaled.cashRow)
        change += rowPrice(m, exposure[m] + margin) - rowPrice(m, exposure[m])
        return change + rowPrice(c, exposure[c] + cash) - rowPrice(c, exposure[c])
    }

    private func cashOf(_ i: Int, _ x: Double) -> Double {
        x > 0 ? scaled.cashBuy[i] * x : -scaled.cashSell[i] * x
    }

    private func apply(_ i: Int, _ target: Double) {
        let move = target - trial[i]
        for k in Int(scaled.columnStart[i])..<Int(scaled.columnStart[i + 1]) {
            exposure[Int(scaled.columnRow[k])] += scaled.coefficients[k] * move
        }
        exposure[scaled.marginRow] += scaled.marginPerUnit[i] * (target.magnitude - trial[i].magnitude)
        exposure[scaled.cashRow] += cashOf(i, target) - cashOf(i, trial[i])
        trial[i] = target
    }

    private func target(_ i: Int, _ direction: Double) -> Double? {
        guard lot[i] > 0 else { return nil }
        let target = ((trial[i] / lot[i]).rounded() + direction) * lot[i]
        return target > baseUpper[i] * (1 + 1e-12) || target < baseLower[i] * (1 + 1e-12) ? nil : target
    }

    private func tryMoves(_ i: Int, _ value: Double, _ improved: inout Bool) -> Double {
        var value = value
        for direction in [1.0, -1, 0] {
            // Not trading at all is a move of its own.
            guard let target = direction == 0 ? 0 : target(i, direction), target != trial[i] else { continue }
            if lot[i] == 0, fixedCost[i] == 0 { continue }
            let change = change(i, to: target)
            if change < -1e-12 * max(1, value.magnitude) {
                apply(i, target)
                value += change
                improved = true
                return value
            }
        }
        return value
    }

    /// Two that share no band gain nothing together that they don't gain alone.
    private func tryPairs(_ value: Double, _ improved: inout Bool) -> Double {
        for i in 0..<count {
            for first in [1.0, -1] {
                guard let moved = target(i, first) else { continue }
                let old = trial[i]
                let own = change(i, to: moved)
                apply(i, moved)
                for j in (i + 1)..<max(count, i + 1) where sharesRow[i * count + j] {
                    for second in [1.0, -1] {
                        guard let target = target(j, second) else { continue }
                        let total = own + change(j, to: target)
                        if total < -1e-12 * max(1, value.magnitude) {
                            apply(j, target)
                            improved = true
                            return value + total
                        }
                    }
                }
                apply(i, old)
            }
        }
        return value
    }
}
