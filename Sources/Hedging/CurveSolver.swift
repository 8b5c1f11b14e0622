/// Solves problems with cost curves by problems without.
///
/// Without lots, each instrument is looked at between the ends of two neighbouring stretches of its costs, as an
/// instrument with one price for buying on and one for selling back. Where the cheapest trades end at such a window's
/// edge and the prices of the limits pay for more, the window moves on; costs are convex, so trades that no window wants
/// to leave are the cheapest of all. The problems are as large as ones of one level a side. What windows cannot say
/// (margin, a budget that counts what bends) is solved with all stretches as columns, and so are lots and fixed costs.
/// Every answer is certified on the problem itself.
final class CurveSolver {
    var search = HedgeSearch()
    var isCancelled: (() -> Bool)?
    private(set) var solution = HedgeSolution()

    private let windows = HedgeSolver()
    private let columns = HedgeSolver()
    /// The ends of stretches that windows were around, and the trades, of the last optimum.
    private var ends: [Int] = []
    private var last: [Double] = []
    private var begin = ContinuousClock.now

    /// Windows that are looked at before all columns are.
    private static let mostMoves = 60
    /// Steps of sequential quadratic programming.
    private static let mostSteps = 60
    /// What the answers of steps leave open adds to what the whole leaves open: the last steps are solved to more digits.
    private static let exactSteps = 6
    private static let leastGap = 1e-12
    /// Cuts of a budget that counts what bends, in a search over lots.
    private static let mostCuts = 40

    func solve(_ problem: HedgeProblem, isWarm: Bool) throws(HedgeError) {
        begin = .now
        let table = CostTable(problem)
        if table.isPlain, problem.cashBudget == .infinity { return try solvePlain(problem, table, isWarm) }
        var isWhole = false
        for i in problem.instruments.indices {
            let instrument = problem.instruments[i]
            if instrument.lot > 0 || instrument.minimum > 0 || instrument.fixedCost > 0 { isWhole = true }
        }
        solution = HedgeSolution()
        try solveContinuous(problem, table, isWarm)
        last = solution.status == .optimal ? solution.trades : []
        // Nothing at all is whole.
        guard isWhole, solution.status == .optimal, solution.trades.contains(where: { $0 != 0 }) else {
            return
        }
        try solveWhole(problem, table)
    }

    /// One level a side is what instruments have themselves.
    private func solvePlain(
        _ problem: HedgeProblem, _ table: CostTable, _ isWarm: Bool
    ) throws(HedgeError) {
        var plain = problem
        plain.curves = []
        for i in plain.instruments.indices {
            let (buy, sell) = (table.piece(i, .buy, 0), table.piece(i, .sell, 0))
            let own = buy?.price ?? -(sell?.price ?? 0)
            plain.instruments[i].costBuy = own
            plain.instruments[i].costSell = max(sell?.price ?? -own, -own)
            plain.instruments[i].impact = buy?.quadratic ?? sell?.quadratic ?? 0
            plain.instruments[i].maximumBuy = buy?.size ?? 0
            plain.instruments[i].maximumSell = sell?.size ?? 0
        }
        prepare(windows)
        try windows.solve(plain, start: isWarm ? .warm : .cold)
        solution = windows.solution
        guard solution.status != .infeasible else { return }
        solution.cost = problem.cost(trades: solution.trades)
    }

    private func prepare(_ solver: HedgeSolver) {
        solver.search = search
        solver.search.timeLimit = max(search.timeLimit - (ContinuousClock.now - begin) / .seconds(1), 0)
        solver.isCancelled = isCancelled
    }

    // MARK: Any amounts

    private func solveContinuous(
        _ problem: HedgeProblem, _ table: CostTable, _ isWarm: Bool
    ) throws(HedgeError) {
        let bends = problem.cashBudget < .infinity && table.hasQuadratics
        let hasMargin = problem.marginLimit < .infinity && problem.instruments.contains { $0.margin > 0 }
        if bends { return try solveBudget(problem, table) }
        if !hasMargin {
            if isWarm, last.count == problem.instruments.count, ends.count == last.count {
                for i in ends.indices where !table.isNext(i, ends[i], clamped(problem, i, last[i])) {
                    ends[i] = table.nearestEnd(i, clamped(problem, i, last[i]))
                }
                if try moveWindows(problem, table, isWarm: true) { return }
            }
            if try start(problem, table) { return }
            if try moveWindows(problem, table, isWarm: false) { return }
        }
        try solveColumns(problem, table)
    }

    private func clamped(_ problem: HedgeProblem, _ i: Int, _ x: Double) -> Double {
        max(-problem.limit(i, .sell), min(problem.limit(i, .buy), x))
    }

    /// Puts windows to where trades of roughly these costs end, each side's as one that bends evenly.
    /// - Returns: whether that was all, as no trades keep the limits.
    private func start(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) -> Bool {
        var rough = problem.continuous
        rough.curves = []
        for i in rough.instruments.indices {
            func impact(_ side: TradeSide) -> Double? {
                let pieces = table[i, side]
                guard let first = pieces.first, let last = pieces.last else { return nil }
                let limit = last.start + last.size
                guard limit < .infinity else { return last.quadratic }
                return max(table.cost(i, side.sign * limit) - first.price * limit, 0) / (limit * limit)
            }
            let (buy, sell) = (table.piece(i, .buy, 0)?.price, table.piece(i, .sell, 0)?.price)
            rough.instruments[i].costBuy = buy ?? -(sell ?? 0)
            rough.instruments[i].costSell = max(sell ?? -(buy ?? 0), -rough.instruments[i].costBuy)
            rough.instruments[i].impact = min(impact(.buy) ?? .infinity, impact(.sell) ?? .infinity)
            if rough.instruments[i].impact == .infinity { rough.instruments[i].impact = 0 }
            rough.instruments[i].maximumBuy = problem.limit(i, .buy)
            rough.instruments[i].maximumSell = problem.limit(i, .sell)
        }
        rough.budgetCountsAllCosts = false
        prepare(columns)
        let status = try columns.solve(rough)
        count(columns)
        // It keeps the same bands, and spends no more cash.
        if status == .infeasible || status == .budget {
            finish(problem, status)
            return true
        }
        let trades = columns.solution.trades
        ends = problem.instruments.indices.map { table.nearestEnd($0, trades[$0]) }
        return false
    }

    /// - Returns: whether that led to an answer.
    private func moveWindows(
        _ problem: HedgeProblem, _ table: CostTable, isWarm: Bool
    ) throws(HedgeError) -> Bool {
        let count = problem.instruments.count
        var trades = [Double](repeating: 0, count: count)
        var isWarm = isWarm
        for _ in 0..<Self.mostMoves {
            let window = window(problem, table)
            prepare(windows)
            let status = try windows.solve(window, start: isWarm ? .warm : .cold)
            self.count(windows)
            isWarm = true
            guard status == .optimal else { return false }
            let answer = windows.solution
            for i in 0..<count {
                let end = table.end(i, ends[i])
                var move = answer.trades[i]
                if table.isBent { move += answer.trades[count + i] }
                // An end that is reached is it, without rounding.
                trades[i] =
                    move >= end.above && move > 0
                    ? table.end(i, ends[i] + 1).position
                    : move <= -end.below && move < 0
                        ? table.end(i, ends[i] - 1).position : end.position + move
            }
            if !move(problem, table, trades, answer) {
                take(problem, table, trades, answer)
                return solution.certificate.holds
            }
        }
        return false
    }

    /// Moves windows whose edge is in the way.
    /// - Returns: whether there were any.
    private func move(
        _ problem: HedgeProblem, _ table: CostTable, _ trades: [Double], _ answer: HedgeSolution
    ) -> Bool {
        let count = problem.instruments.count
        var isEdge = [Int](repeating: 0, count: count)
        var isAny = false
        for i in 0..<count {
            let end = table.end(i, ends[i])
            if end.above > 0, trades[i] >= end.position + end.above, table.end(i, ends[i] + 1).above > 0 {
                isEdge[i] = 1
            } else if end.below > 0, trades[i] <= end.position - end.below,
                table.end(i, ends[i] - 1).below > 0
            {
                isEdge[i] = -1
            }
            isAny = isAny || isEdge[i] != 0
        }
        guard isAny else { return false }
        var paid = [Double](repeating: 0, count: count)
        for r in problem.bands.indices where answer.bandPrices[r] != 0 {
            for k in problem.bands[r].entries {
                paid[problem.entries[k].instrument] += answer.bandPrices[r] * problem.entries[k].coefficient
            }
        }
        if let risk = problem.risk, risk.riskAversion > 0 {
            let slopes = problem.riskSlopes(risk, trades)
            for i in 0..<count { paid[i] -= slopes[problem.instruments[i].underlying] * risk.exposure[i] }
        }
        let cash = min(answer.cashPrice, 0)
        var hasMoved = false
        for i in 0..<count where isEdge[i] != 0 {
            let next = table.end(i, ends[i] + isEdge[i])
            let slope = isEdge[i] > 0 ? next.right : next.left
            let excess = (1 - cash) * slope - paid[i] - cash * problem.instruments[i].cash
            let noise = 1e-12 * (slope.magnitude + paid[i].magnitude)
            guard Double(isEdge[i]) * excess < -noise else { continue }
            ends[i] += isEdge[i]
            hasMoved = true
        }
        return hasMoved
    }

    /// The problem of what trades add beside the ends that windows are around.
    private func window(_ problem: HedgeProblem, _ table: CostTable) -> HedgeProblem {
        let count = problem.instruments.count
        var window = problem
        window.curves = []
        window.budgetCountsAllCosts = false
        var spent = 0.0
        var positions = [Double](repeating: 0, count: count)
        if table.isBent {
            window = HedgeProblem(name: problem.name, underlyings: problem.underlyings)
            window.instruments = problem.instruments + problem.instruments
            window.instrumentNames = problem.instrumentNames + problem.instrumentNames
            for r in problem.bands.indices {
                let own = problem.entries[problem.bands[r].entries]
                window.add(
                    problem.bandNames[r], problem.bands[r],
                    coefficients: own.map { ($0.instrument, $0.coefficient) }
                        + own.map { ($0.instrument + count, $0.coefficient) })
            }
            window.risk = problem.risk
            window.risk?.exposure += problem.risk?.exposure ?? []
        }
        for i in 0..<count {
            let end = table.end(i, ends[i])
            positions[i] = end.position
            if problem.cashBudget < .infinity, end.position != 0 {
                spent += problem.instruments[i].cash * end.position + table.cost(i, end.position)
            }
            func set(
                _ k: Int, _ buy: Double, _ sell: Double, _ above: Double, _ below: Double, _ bend: Double
            ) {
                window.instruments[k].costBuy = buy
                window.instruments[k].costSell = max(sell, -buy)
                window.instruments[k].maximumBuy = above
                window.instruments[k].maximumSell = below
                window.instruments[k].impact = bend
                window.instruments[k].lot = 0
                window.instruments[k].minimum = 0
                window.instruments[k].fixedCost = 0
                window.instruments[k].margin = 0
            }
            if table.isBent {
                set(i, end.right, -end.right, end.above, 0, end.bendAbove)
                set(count + i, end.left, -end.left, 0, end.below, end.bendBelow)
            } else {
                let bend = end.above > 0 ? end.bendAbove : end.bendBelow
                set(i, end.right, -end.left, end.above, end.below, bend)
            }
        }
        for r in problem.bands.indices {
            window.bands[r].current = problem.exposure(ofBand: r, trades: positions)
        }
        if let risk = problem.risk {
            for i in 0..<count {
                window.risk?.dollarDelta[problem.instruments[i].underlying] += risk.exposure[i] * positions[i]
            }
        }
        window.marginLimit = .infinity
        window.cashBudget = problem.cashBudget - spent
        return window
    }

    private func solveColumns(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) {
        let split = CurveColumns(problem, CurveColumns.Form())
        defer { columns.largestGap = .infinity }
        for largestGap in [Double.infinity, Self.leastGap] {
            columns.largestGap = largestGap
            prepare(columns)
            let status = try columns.solve(split.problem)
            count(columns)
            guard status == .optimal || largestGap == Self.leastGap && status == .uncertified else {
                return finish(problem, status, split)
            }
            take(problem, table, split.joined(columns.solution.trades), columns.solution)
            if solution.certificate.holds { return }
        }
    }

    /// A budget that counts what bends is a quadratic limit: its tangent at the last trades is kept, and its bend goes
    /// into the costs (sequential quadratic programming). Tangents lie nowhere above it, so that a step without a
    /// solution proves that there is none.
    private func solveBudget(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) {
        let split = CurveColumns(problem, CurveColumns.Form())
        var amounts = split.problem.instruments.map { _ in 0.0 }
        var price = 0.0
        defer { columns.largestGap = .infinity }
        for round in 0..<Self.mostSteps + Self.exactSteps {
            columns.largestGap = round < Self.mostSteps ? .infinity : Self.leastGap
            var step = split
            step.linearise(at: amounts, price: price, budget: problem.cashBudget)
            prepare(columns)
            let status = try columns.solve(step.problem)
            count(columns)
            guard status == .optimal || status == .uncertified else { return finish(problem, status) }
            let answer = columns.solution
            take(problem, table, split.joined(answer.trades), answer)
            if solution.certificate.holds { return }
            amounts = split.split(split.joined(answer.trades))
            price = -answer.cashPrice
        }
        solution.status = .uncertified
    }

    // MARK: Lots, smallest trades and fixed costs

    private func solveWhole(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) {
        let relaxation = solution
        // Of which fixed costs are no part.
        let least = relaxation.cost.total - relaxation.cost.fixed
        let bends = problem.cashBudget < .infinity && table.hasQuadratics
        // Trades of which the relaxation's prices say that they cost more than this above the optimum are left out at
        // first. Where the answer costs more than that itself, there may have been better ones.
        var slack = max(0.02 * least.magnitude + relaxation.cost.fixed, 1e-12)
        var cuts: [[Double]] = []
        for round in 0..<Self.mostCuts {
            var form = CurveColumns.Form(isWhole: true, isSplit: bends)
            let isAll = round >= 12
            if !isAll { form.ranges = ranges(problem, table, relaxation, slack) }
            var split = CurveColumns(problem, form)
            if bends {
                let plain = split
                split.addCut(at: plain.columns.map { _ in 0 }, budget: problem.cashBudget)
                for trades in cuts { split.addCut(at: plain.split(trades), budget: problem.cashBudget) }
                split.dropBudget()
            }
            prepare(columns)
            let status = try columns.solve(split.problem)
            count(columns)
            let answer = columns.solution
            let isFound = (status == .optimal || status == .budget) && answer.gap < .infinity
            if !isFound {
                if status == .infeasible, !isAll, slack < 1e30 * max(least.magnitude, 1e-100) {
                    slack = max(slack * 100, 1e-9)
                    continue
                }
                return finish(problem, status, split)
            }
            let trades = split.joined(answer.trades)
            let cost = problem.cost(trades: trades)
            if !isAll, status == .optimal, cost.total - least > slack {
                slack = (cost.total - least) * (1 + 1e-6)
                continue
            }
            if bends,
                problem.cash(trades: trades) > problem.cashBudget + 1e-10 * problem.cashBudget.magnitude,
                problem.violation(trades: trades) > 1e-9, round < Self.mostCuts - 1
            {
                cuts.append(trades)
                continue
            }
            keep(problem, trades, answer)
            solution.gap = answer.gap
            let slip = (cost.total - answer.cost.total) / max(cost.total.magnitude, 1e-300)
            if !(slip <= 1e-10) { solution.gap += slip.magnitude }
            solution.cost = cost
            solution.certificate = answer.certificate
            solution.certificate.gap = solution.gap
            solution.certificate.violation = problem.violation(trades: trades)
            solution.status =
                solution.certificate.violation > 1e-9 || !(slip <= 1e-8) ? .uncertified : status
            return
        }
        finish(problem, .uncertified)
    }

    /// The amounts of each instrument that cost, at the relaxation's prices, at most `slack` above the cheapest.
    private func ranges(
        _ problem: HedgeProblem, _ table: CostTable, _ relaxation: HedgeSolution, _ slack: Double
    ) -> [(low: Double, high: Double)] {
        let count = problem.instruments.count
        var paid = [Double](repeating: 0, count: count)
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
        let (margin, cash) = (min(relaxation.marginPrice, 0), min(relaxation.cashPrice, 0))
        return (0..<count).map { i in
            let instrument = problem.instruments[i]
            var reach: [Double] = []
            for side in TradeSide.both {
                let own = side.sign * (-paid[i] - cash * instrument.cash) - margin * instrument.margin
                // Costs beyond the cheapest, as the amount grows.
                var (excess, lowest, end) = (0.0, 0.0, 0.0)
                for piece in table[i, side] {
                    let slope = own + (1 - cash) * piece.price
                    let bend = (1 - cash) * piece.quadratic
                    let rise = (slope + bend * piece.size) * piece.size
                    if slope > 0, excess + rise - lowest > slack || piece.size == .infinity {
                        end = piece.start + min(piece.size, (slack - (excess - lowest)) / slope)
                        break
                    }
                    excess += rise
                    lowest = min(lowest, excess)
                    end = piece.start + piece.size
                }
                // As far as what the relaxation trades, and whole lots and smallest trades next to it.
                let traded = max(side.sign * relaxation.trades[i], 0)
                reach.append(max(end, traded) + max(instrument.lot, instrument.minimum))
            }
            return (-reach[1], reach[0])
        }
    }

    // MARK: Answers

    private func count(_ solver: HedgeSolver) {
        solution.interiorSteps += solver.solution.interiorSteps
        solution.pivots += solver.solution.pivots
        solution.nodes += solver.solution.nodes
    }

    private func keep(_ problem: HedgeProblem, _ trades: [Double], _ answer: HedgeSolution) {
        solution.trades = trades
        solution.bandPrices = Array(answer.bandPrices.prefix(problem.bands.count))
        solution.marginPrice = answer.marginPrice
        solution.cashPrice = answer.cashPrice
    }

    private func take(
        _ problem: HedgeProblem, _ table: CostTable, _ trades: [Double], _ answer: HedgeSolution
    ) {
        keep(problem, trades.indices.map { clamped(problem, $0, trades[$0]) }, answer)
        (solution.certificate, solution.cost) = problem.curveCertificate(
            trades: solution.trades, bandPrices: solution.bandPrices, marginPrice: solution.marginPrice,
            cashPrice: solution.cashPrice, table)
        solution.gap = solution.certificate.gap
        solution.status = solution.certificate.holds ? .optimal : .uncertified
    }

    /// Without trades, but where they are all that there is.
    private func finish(_ problem: HedgeProblem, _ status: HedgeStatus, _ split: CurveColumns? = nil) {
        solution.status = status
        solution.trades =
            status == .uncertified && split != nil
            ? split?.joined(columns.solution.trades) ?? [] : problem.instruments.map { _ in 0 }
        solution.bandPrices = problem.bands.map { _ in 0 }
        (solution.marginPrice, solution.cashPrice) = (0, 0)
        solution.certificate = HedgeCertificate()
        solution.cost = status == .uncertified ? problem.cost(trades: solution.trades) : HedgeCost()
        solution.gap = .infinity
    }
}

extension HedgeProblem {
    /// Whether costs by level, or a budget that counts what bends, are more than the solvers themselves know of.
    var needsCurveSolver: Bool {
        curves.contains { !$0.isNone }
            || budgetCountsAllCosts && cashBudget < .infinity
                && instruments.contains { $0.impact > 0 || $0.fixedCost > 0 }
    }

    /// The slope of the risk by each underlying's dollar delta.
    func riskSlopes(_ risk: HedgeRisk, _ trades: [Double]) -> [Double] {
        var delta = risk.dollarDelta
        for i in instruments.indices { delta[instruments[i].underlying] += risk.exposure[i] * trades[i] }
        return underlyings.indices.map { u in
            underlyings.indices.reduce(0) {
                $0 + 2 * risk.riskAversion * risk.covariance[u * underlyings.count + $1] * delta[$1]
            }
        }
    }
}
