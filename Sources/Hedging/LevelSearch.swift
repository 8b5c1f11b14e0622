/// Branch and bound over whole lots, smallest trades and fixed costs of instruments whose costs come by level.
///
/// A node is a box of trades. Its relaxation lets them be any amount in it and spreads an undecided fixed cost evenly over
/// the most that the box lets be traded: costs by level again, which windows solve from those of the node before
/// (`CurveSolver`), so that neither levels nor fixed costs are columns. Every bound is a certificate's. What the prices of
/// a relaxation show to cost more than the best trades do is taken out of the boxes below.
final class LevelSearch {
    private let problem: HedgeProblem
    private let table: CostTable
    /// The relaxation, and what is traded of each instrument before it: where a box is on one side of 0, its end next to 0.
    private var relaxed: HedgeProblem
    private var bases: [Double]
    private let relaxer = CurveSolver()
    private var open = BoundQueue<Node>()

    private(set) var trades: [Double] = []
    /// The cost of the best trades so far.
    private(set) var best = Double.infinity
    /// No trades cost less.
    private(set) var bound = -Double.infinity
    /// The lowest bound of a node that had to be given up.
    private var lost = Double.infinity
    private(set) var nodes = 0
    /// Whether there was nothing left to look at.
    private(set) var isExhausted = false

    private struct Node: BoundedNode {
        /// Amounts that may be traded, sold below 0.
        var low, high: [Double]
        /// Whether the fixed cost is paid whatever the amount.
        var isPaid: [Bool]
        var bound: Double
    }

    /// - Parameters:
    ///   - ranges: the amounts that are looked at.
    ///   - least: what no trades cost less than.
    ///   - known: trades that there are already.
    init(
        _ problem: HedgeProblem, _ table: CostTable, ranges: [(low: Double, high: Double)], least: Double,
        known: [Double]?
    ) {
        self.problem = problem
        self.table = table
        relaxed = problem.continuous
        bases = problem.instruments.map { _ in 0 }
        if let known { offer(known) }
        open.push(
            Node(
                low: ranges.map(\.low), high: ranges.map(\.high), isPaid: ranges.map { _ in false },
                bound: least))
    }

    /// Searches until the gap is small enough, nothing is left, or a limit is reached.
    /// - Parameter seconds: that are left.
    func run(_ limits: HedgeSearch, seconds: Double, _ isCancelled: (() -> Bool)?) {
        let clock = ContinuousClock()
        let begin = clock.now
        var next = open.pop()
        relaxer.isCancelled = isCancelled
        while let node = next {
            bound = min(node.bound, open.lowestBound, best)
            let left = seconds - (clock.now - begin) / .seconds(1)
            let isDone = best < .infinity && best - min(bound, lost) <= limits.gap * best.magnitude
            if isDone || nodes >= limits.nodeLimit || left <= 0 || isCancelled?() ?? false {
                bound = min(bound, lost)
                return
            }
            relaxer.search.timeLimit = left
            next = expand(node) ?? open.pop()
        }
        bound = min(best, lost)
        isExhausted = lost == .infinity
    }

    /// Whether trades are whole lots, of a smallest size or none.
    private func isWhole(_ i: Int, _ x: Double) -> Bool {
        let instrument = problem.instruments[i]
        guard x != 0 else { return true }
        guard x.magnitude >= instrument.minimum else { return false }
        guard instrument.lot > 0 else { return true }
        return (x / instrument.lot - (x / instrument.lot).rounded()).magnitude <= 1e-9
    }

    /// Takes trades that are better than the best, as whole ones next to them.
    private func offer(_ amounts: [Double]) {
        var whole = amounts
        for i in whole.indices {
            let instrument = problem.instruments[i]
            if instrument.lot > 0 { whole[i] = (whole[i] / instrument.lot).rounded() * instrument.lot }
            if whole[i].magnitude < instrument.minimum {
                whole[i] = whole[i].magnitude < 0.5 * instrument.minimum ? 0 : whole[i]
                guard whole[i] == 0 || instrument.lot == 0 else { return }
                if whole[i] != 0 { whole[i] = whole[i] > 0 ? instrument.minimum : -instrument.minimum }
            }
        }
        let cost = problem.cost(trades: whole).total
        guard cost < best, problem.violation(trades: whole) <= 1e-10 else { return }
        (best, trades) = (cost, whole)
    }

    /// The numbers of a node's relaxation.
    /// - Returns: what it costs beside.
    private func load(_ node: Node) -> Double {
        var constant = 0.0
        var (margin, cash) = (0.0, 0.0)
        for i in problem.instruments.indices {
            let instrument = problem.instruments[i]
            let (low, high) = (node.low[i], node.high[i])
            let base = max(low, 0) + min(high, 0)
            if base != bases[i] { rebase(i, base) }
            // An end that is 0 is 0, whatever rounding makes of a difference.
            relaxed.instruments[i].maximumBuy = base < 0 ? 0 : max(min(high, instrument.maximumBuy) - base, 0)
            relaxed.instruments[i].maximumSell =
                base > 0 ? 0 : max(min(-low, instrument.maximumSell) + base, 0)
            let slope = 2 * instrument.impact * base
            relaxed.instruments[i].costBuy =
                base < 0 ? -(instrument.costSell - slope) : instrument.costBuy + slope
            relaxed.instruments[i].costSell =
                base > 0 ? -(instrument.costBuy + slope) : instrument.costSell - slope
            if base != 0 {
                let own = table.cost(i, base)
                constant += own
                cash += own + instrument.cash * base
                margin += instrument.margin * base.magnitude
            }
            guard instrument.fixedCost > 0, low < 0 || high > 0 else { continue }
            if node.isPaid[i] || low > 0 || high < 0 {
                constant += instrument.fixedCost
                cash += instrument.fixedCost
            } else {
                let share = share(node, i)
                relaxed.instruments[i].costBuy += share.buy
                relaxed.instruments[i].costSell += share.sell
            }
        }
        for r in problem.bands.indices {
            relaxed.bands[r].current = problem.exposure(ofBand: r, trades: bases)
        }
        if let risk = problem.risk {
            for u in risk.dollarDelta.indices { relaxed.risk?.dollarDelta[u] = risk.dollarDelta[u] }
            for i in bases.indices where bases[i] != 0 {
                relaxed.risk?.dollarDelta[problem.instruments[i].underlying] += risk.exposure[i] * bases[i]
            }
        }
        let left = problem.marginLimit - margin
        // What takes all of the margin may leave less than none by rounding.
        relaxed.marginLimit = left < 0 && left >= -1e-12 * problem.marginLimit ? 0 : left
        relaxed.cashBudget = problem.cashBudget - cash
        return constant
    }

    /// The levels of an instrument from an amount on, which is traded already.
    private func rebase(_ i: Int, _ base: Double) {
        bases[i] = base
        guard !problem.curves.isEmpty else { return }
        relaxed.curves[i] = problem.curves[i]
        guard base != 0 else { return }
        let side: TradeSide = base > 0 ? .buy : .sell
        var (rest, start) = ([CostCurve.Level](), 0.0)
        for level in problem.levels(i, side) ?? [] {
            defer { start = level.upTo }
            guard level.upTo > base.magnitude else { continue }
            let into = max(base.magnitude - start, 0)
            rest.append(
                CostCurve.Level(
                    upTo: level.upTo - base.magnitude, price: level.price + 2 * level.quadratic * into,
                    quadratic: level.quadratic))
        }
        if problem.levels(i, side) == nil { return }
        // What is traded already cannot be taken back.
        relaxed.curves[i] = side == .buy ? CostCurve(buy: rest, sell: []) : CostCurve(buy: [], sell: rest)
    }

    /// What a unit bears of a fixed cost that is not decided.
    private func share(_ node: Node, _ i: Int) -> (buy: Double, sell: Double) {
        let instrument = problem.instruments[i]
        func share(_ limit: Double, _ own: Double) -> Double {
            let limit = min(limit, own)
            return limit > 0 && limit < .infinity ? instrument.fixedCost / limit : 0
        }
        return (
            share(node.high[i], problem.limit(i, .buy)), share(-node.low[i], problem.limit(i, .sell))
        )
    }

    /// A bound from here on leaves nothing to gain.
    private var enough: Double { best < .infinity ? best - 1e-10 * best.magnitude : .infinity }

    /// Solves a node and branches.
    /// - Returns: the child to follow; others are open then.
    private func expand(_ node: Node) -> Node? {
        nodes += 1
        var node = node
        let constant = load(node)
        // What is traded already may take more margin than there is.
        guard relaxed.marginLimit >= 0 else { return nil }
        var answer = relaxed(isWarm: true)
        if answer.status != .optimal, answer.status != .infeasible { answer = relaxed(isWarm: false) }
        guard answer.status != .infeasible else { return nil }
        guard answer.status == .optimal else { return split(node) }
        let own = answer.cost.total - answer.gap * answer.cost.total.magnitude + constant
        node.bound = max(node.bound, own)
        for i in bases.indices where bases[i] != 0 { answer.trades[i] += bases[i] }
        offer(answer.trades)
        guard node.bound < enough else { return nil }
        tighten(&node, answer, slack: enough - own)
        // Where the relaxation's own trades are gone, the next one is better.
        for i in answer.trades.indices {
            let (x, slip) = (answer.trades[i], 1e-7 * answer.trades[i].magnitude)
            if x > node.high[i] + slip || x < node.low[i] - slip { return node }
        }
        return branch(node, answer.trades)
    }

    private func relaxed(isWarm: Bool) -> HedgeSolution {
        guard (try? relaxer.solve(relaxed, isWarm: isWarm)) != nil else { return HedgeSolution() }
        return relaxer.solution
    }

    /// The children of a node whose relaxation stays open: halves of its box, which are no worse than it.
    private func split(_ node: Node) -> Node? {
        for i in problem.instruments.indices where node.low[i] < node.high[i] {
            let lot = problem.instruments[i].lot
            var (first, second) = (node, node)
            if problem.instruments[i].fixedCost > 0, !node.isPaid[i], node.low[i] <= 0, node.high[i] >= 0 {
                (first.low[i], first.high[i]) = (0, 0)
                second.isPaid[i] = true
            } else if lot > 0, node.low[i] > -.infinity, node.high[i] < .infinity {
                let middle = (0.5 * (node.low[i] + node.high[i]) / lot).rounded(.down) * lot
                (first.high[i], second.low[i]) = (max(middle, node.low[i]), min(middle + lot, node.high[i]))
            } else {
                continue
            }
            open.push(first)
            return second
        }
        lost = min(lost, node.bound)
        return nil
    }

    /// Takes out of a box what costs more, at the prices of its relaxation, than the best trades.
    private func tighten(_ node: inout Node, _ answer: HedgeSolution, slack: Double) {
        guard slack < .infinity else { return }
        let prices = CurvePrices(problem, answer)
        // Beside a box on one side of 0 the least is not known here.
        for i in problem.instruments.indices
        where node.low[i] < node.high[i] && node.low[i] <= 0 && node.high[i] >= 0 {
            let instrument = problem.instruments[i]
            let isOpen = instrument.fixedCost > 0 && !node.isPaid[i]
            let shares = isOpen ? share(node, i) : (0, 0)
            let bought = prices.look(
                table, problem, i, .buy, most: .infinity, share: shares.0, limit: max(node.high[i], 0))
            let sold = prices.look(
                table, problem, i, .sell, most: .infinity, share: shares.1, limit: max(-node.low[i], 0))
            let most = min(bought.least, sold.least) + slack - (isOpen ? instrument.fixedCost : 0)
            if node.high[i] > 0 {
                let reach = prices.reach(table, problem, i, .buy, most: most)
                node.high[i] = min(node.high[i], reach)
            }
            if node.low[i] < 0 {
                let reach = prices.reach(table, problem, i, .sell, most: most)
                node.low[i] = max(node.low[i], -reach)
            }
        }
    }

    private func branch(_ node: Node, _ amounts: [Double]) -> Node? {
        // What is missing of a fixed cost first, then trades that are too small, then lots.
        var (chosen, highest) = (-1, 0.0)
        for i in amounts.indices where node.low[i] < node.high[i] {
            let instrument = problem.instruments[i]
            let x = amounts[i]
            guard x != 0 else { continue }
            let isOpen =
                instrument.fixedCost > 0 && !node.isPaid[i] && node.low[i] <= 0 && node.high[i] >= 0
            var score = 0.0
            if isOpen {
                let limit = min(x > 0 ? node.high[i] : -node.low[i], problem.limit(i, x > 0 ? .buy : .sell))
                score = instrument.fixedCost * (limit < .infinity ? 1 - x.magnitude / limit : 1)
                if score <= 1e-9 * instrument.fixedCost { score = 0 }
            }
            if score == 0, !isWhole(i, x) {
                let unit = instrument.lot > 0 ? instrument.lot : instrument.minimum
                score = 1e-3 * unit * (instrument.costBuy.magnitude + instrument.costSell.magnitude) + 1e-300
            }
            if score > highest { (chosen, highest) = (i, score) }
        }
        guard chosen >= 0 else {
            // Whole, and `offer` has taken them; else rounding is in the way: made whole one by one, they show what the others
            // can do beside them.
            if best < .infinity, best - node.bound <= 1e-9 * best.magnitude { return nil }
            guard
                let i = amounts.indices.first(where: {
                    problem.instruments[$0].lot > 0 && node.low[$0] < node.high[$0]
                })
            else {
                lost = min(lost, node.bound)
                return nil
            }
            let lot = problem.instruments[i].lot
            let whole = max(node.low[i], min(node.high[i], (amounts[i] / lot).rounded() * lot))
            for (low, high) in [(node.low[i], whole - lot), (whole + lot, node.high[i])] where low <= high {
                var other = node
                (other.low[i], other.high[i]) = (low, high)
                open.push(other)
            }
            var settled = node
            (settled.low[i], settled.high[i]) = (whole, whole)
            return settled
        }
        let i = chosen
        let x = amounts[i]
        let instrument = problem.instruments[i]
        let isOpen = instrument.fixedCost > 0 && !node.isPaid[i] && node.low[i] <= 0 && node.high[i] >= 0
        var children: [Node] = []
        func child(_ low: Double, _ high: Double, isPaid: Bool) {
            guard low <= high else { return }
            var other = node
            (other.low[i], other.high[i]) = (low, high)
            other.isPaid[i] = isPaid || node.isPaid[i]
            children.append(other)
        }
        let least = instrument.lot > 0 ? max(instrument.minimum, instrument.lot) : instrument.minimum
        if isOpen || x.magnitude < least {
            child(0, 0, isPaid: false)
            if least > 0 {
                child(max(least, node.low[i]), node.high[i], isPaid: true)
                child(node.low[i], min(-least, node.high[i]), isPaid: true)
            } else {
                child(node.low[i], node.high[i], isPaid: true)
            }
        } else {
            let below = (x / instrument.lot).rounded(.down) * instrument.lot
            child(node.low[i], below, isPaid: false)
            child(below + instrument.lot, node.high[i], isPaid: false)
        }
        guard !children.isEmpty else { return nil }
        // The one whose box is nearest to what the relaxation trades, none where that is little of what could be.
        let isLittle = isOpen && x.magnitude < 0.3 * (x > 0 ? node.high[i] : -node.low[i])
        func distance(_ child: Node) -> Double {
            if isLittle { return child.low[i] == child.high[i] ? 0 : 1 }
            if isOpen, child.low[i] == 0, child.high[i] == 0 { return .infinity }
            return max(child.low[i] - x, x - child.high[i], 0)
        }
        let nearest = children.indices.min { distance(children[$0]) < distance(children[$1]) } ?? 0
        for (place, other) in children.enumerated() where place != nearest { open.push(other) }
        return children[nearest]
    }
}

/// What the prices of a relaxation pay for trades, by which its levels cost more or less than they bring.
struct CurvePrices {
    /// Per unit of each instrument.
    private var paid: [Double]
    private let margin, cash: Double

    init(_ problem: HedgeProblem, _ relaxation: HedgeSolution) {
        let count = problem.instruments.count
        paid = [Double](repeating: 0, count: count)
        for r in problem.bands.indices where relaxation.bandPrices[r] != 0 {
            for k in problem.bands[r].entries {
                paid[problem.entries[k].instrument] +=
                    relaxation.bandPrices[r] * problem.entries[k].coefficient
            }
        }
        if let risk = problem.risk, risk.riskAversion > 0 {
            let slopes = problem.riskSlopes(risk, relaxation.trades)
            for i in 0..<count { paid[i] -= slopes[problem.instruments[i].underlying] * risk.exposure[i] }
        }
        (margin, cash) = (min(relaxation.marginPrice, 0), min(relaxation.cashPrice, 0))
    }

    /// The least of what a side costs beyond what is paid for it, and the amount from which on that is more than `most`.
    /// - Parameters:
    ///   - share: what a unit costs beside.
    ///   - limit: the most that is looked at.
    func look(
        _ table: CostTable, _ problem: HedgeProblem, _ i: Int, _ side: TradeSide, most: Double,
        share: Double = 0, limit: Double = .infinity
    ) -> (least: Double, end: Double) {
        let instrument = problem.instruments[i]
        let own = side.sign * (-paid[i] - cash * instrument.cash) - margin * instrument.margin
        var (cost, lowest, end) = (0.0, 0.0, 0.0)
        for k in table.places(i, side) {
            let piece = table[k]
            let size = min(piece.size, limit - piece.start)
            guard size > 0 else { break }
            let slope = own + (1 - cash) * (piece.price + share)
            let bend = (1 - cash) * piece.quadratic
            lowest = min(lowest, cost + ScaledProblem.least(slope: slope, 2 * bend, size))
            let rise =
                size < .infinity ? (slope + bend * size) * size : slope > 0 || bend > 0 ? .infinity : 0
            if slope > 0, !(cost + rise <= most) {
                // A side that bends is looked at as if it did not.
                end = piece.start + min(size, max(most - cost, 0) / slope)
                break
            }
            cost += rise
            end = piece.start + size
        }
        return (lowest, end)
    }

    /// The most of a side, in whole lots and none that is too small, that costs no more than `most` beyond what is paid.
    func reach(
        _ table: CostTable, _ problem: HedgeProblem, _ i: Int, _ side: TradeSide, most: Double
    ) -> Double {
        let instrument = problem.instruments[i]
        let (least, end) = look(table, problem, i, side, most: most)
        guard least <= most else { return 0 }
        let slip = 1 + 1e-9
        var limit = end * slip
        if instrument.lot > 0, limit < .infinity {
            limit = (limit / instrument.lot * slip).rounded(.down) * instrument.lot
        }
        return limit < instrument.minimum ? 0 : limit
    }
}
