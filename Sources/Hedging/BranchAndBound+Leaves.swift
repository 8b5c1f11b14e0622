/// Nodes whose trades are whole up to rounding, where rounding matters: they are decided one by one, and what may be
/// any amount beside them is solved for by the problem's own numbers.
extension BranchAndBound {
    /// Branches on what is whole, not traded or at its smallest amount but for rounding.
    /// - Returns: the child with what the relaxation has; nil where all is decided.
    func settle(_ node: SearchNode) -> SearchNode? {
        for i in 0..<count where node.lower[i] < node.upper[i] {
            let pieces = pieces(of: node, i)
            guard pieces.count > 1 || pieces.first.map({ $0.low == $0.high }) ?? false else { continue }
            for piece in pieces.dropFirst() {
                let other = copy(of: node)
                (other.lower[i], other.upper[i], other.isPaid[i]) = (piece.low, piece.high, piece.isPaid)
                push(other)
            }
            (node.lower[i], node.upper[i], node.isPaid[i]) = (pieces[0].low, pieces[0].high, pieces[0].isPaid)
            node.branched = -1
            return node
        }
        return nil
    }

    private typealias Piece = (low: Double, high: Double, isPaid: Bool)

    /// What a box of an instrument falls apart into, the part with the relaxation's trade first; itself alone where it
    /// may be any amount.
    private func pieces(of node: SearchNode, _ i: Int) -> [Piece] {
        let (low, high, isPaid) = (node.lower[i], node.upper[i], node.isPaid[i])
        let x = active.trades[i]
        if lot[i] > 0 {
            let whole = max(low, min(high, (x / lot[i]).rounded() * lot[i]))
            var pieces: [Piece] = [(whole, whole, isPaid)]
            for (from, to) in [(low, whole - lot[i]), (whole + lot[i], high)] {
                let (from, to) = withoutTooSmall(i, from, to)
                if from <= to + 1e-9 * lot[i] { pieces.append((min(from, to), to, isPaid)) }
            }
            return pieces
        }
        let hasSwitch = fixedCost[i] > 0 && !isPaid
        guard low <= 0, high >= 0, hasSwitch || least[i] > 0 else { return [(low, high, isPaid)] }
        let nothing: Piece = (0, 0, isPaid)
        var traded: [Piece] = []
        if least[i] == 0 {
            traded = [(low, high, true)]
        } else {
            if high >= least[i] { traded.append((least[i], high, isPaid)) }
            if low <= -least[i] { traded.append((low, -least[i], isPaid)) }
            if x < 0 { traded.reverse() }
        }
        return x.magnitude > 0.5 * least[i] && x != 0 ? traded + [nothing] : [nothing] + traded
    }

    private func copy(of node: SearchNode) -> SearchNode {
        let other = fresh()
        other.lower.copy(node.lower)
        other.upper.copy(node.upper)
        other.isPaid.copy(node.isPaid)
        active.save(to: other.guess)
        other.bound = node.bound
        other.boundAbove = node.bound
        other.branched = -1
        return other
    }

    /// Solves a node in which all is decided by the problem's own numbers, and keeps its trades where they are the
    /// best.
    /// - Returns: whether no better ones can be in it.
    func complete(_ node: SearchNode) -> Bool {
        guard let problem else { return false }
        if let isDone = completeDecided(node, problem) { return isDone }
        var rest = problem.continuous
        var settled = [Double](repeating: 0, count: count)
        for i in 0..<count {
            let (low, high) = (node.lower[i], node.upper[i])
            let scale = scaled.instrumentScale[i]
            let x = (max(low, 0) + min(high, 0)) * scale
            settled[i] = x
            let instrument = problem.instruments[i]
            // A box that begins at 0 keeps limits that are too far to be scaled.
            rest.instruments[i].maximumBuy =
                high < ScaledProblem.farthest ? high * scale - x : instrument.maximumBuy - x
            rest.instruments[i].maximumSell =
                -low < ScaledProblem.farthest ? x - low * scale : instrument.maximumSell + x
            guard x != 0 else { continue }
            // Trades only grow from here, where impact has a slope already, which takes no cash.
            let slope = 2 * instrument.impact * x
            let next = x > 0 ? instrument.costBuy + slope : instrument.costSell - slope
            rest.instruments[i].costBuy = x > 0 ? next : -next
            rest.instruments[i].costSell = -rest.instruments[i].costBuy
            rest.instruments[i].cash -= slope
            rest.marginLimit -= instrument.margin * x.magnitude
            rest.cashBudget -= instrument.cash * x + (x > 0 ? instrument.costBuy : -instrument.costSell) * x
            rest.risk?.dollarDelta[instrument.underlying] += (problem.risk?.exposure[i] ?? 0) * x
        }
        for r in rest.bands.indices { rest.bands[r].current = problem.exposure(ofBand: r, trades: settled) }
        guard rest.marginLimit >= 0 else { return true }
        let solver = HedgeSolver()
        solver.search.timeLimit = scaled.watch.secondsLeft
        solver.isCancelled = { [weak self] in self?.scaled.watch.isOver ?? true }
        guard let status = try? solver.solve(rest) else { return false }
        guard status == .optimal else { return status == .infeasible }
        for i in 0..<count { settled[i] += solver.solution.trades[i] }
        guard problem.continuous.violation(trades: settled) <= 1e-9 else { return false }
        let value = problem.cost(trades: settled).total / scaled.objectiveScale
        if value < best {
            best = value
            for i in 0..<count { incumbent[i] = settled[i] / scaled.instrumentScale[i] }
        }
        let own = value - solver.solution.gap * max(value.magnitude, 1e-3)
        node.bound = max(node.bound, own)
        return true
    }

    /// A node in which every trade is decided needs no solver, but the problem's own numbers.
    /// - Returns: as `complete`; nil where some trade may still be any amount.
    private func completeDecided(_ node: SearchNode, _ problem: HedgeProblem) -> Bool? {
        var settled = [Double](repeating: 0, count: count)
        for i in 0..<count {
            guard node.lower[i] == node.upper[i] else { return nil }
            let x = node.lower[i] * scaled.instrumentScale[i]
            let lot = problem.instruments[i].lot
            settled[i] = lot > 0 ? (x / lot).rounded() * lot : x
        }
        guard problem.continuous.violation(trades: settled) <= 1e-9 else { return true }
        let value = problem.cost(trades: settled).total / scaled.objectiveScale
        if value < best {
            best = value
            for i in 0..<count { incumbent[i] = settled[i] / scaled.instrumentScale[i] }
        }
        node.bound = max(node.bound, value)
        return true
    }
}
