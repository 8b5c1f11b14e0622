/// Lots, smallest trades and fixed costs, from the relaxation's optimum on.
extension CurveSolver {
    /// Of the trades that the relaxation's prices leave: those that cost no more than `slack` above its own. What costs more
    /// cannot be part of an answer that costs less than that, so few of hundreds of instruments, and few of their levels, are
    /// searched; where the answer costs more, there may have been better ones, and it says how far to look.
    func solveWhole(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) {
        let relaxation = solution
        // Of which fixed costs are no part.
        let least = relaxation.cost.total - relaxation.cost.fixed
        let bends = problem.cashBudget < .infinity && problem.countsAllCosts && table.hasQuadratics
        let few = fewTrades(problem, relaxation)
        var known = few
        var slack = max(Self.firstSlack * least.magnitude + relaxation.cost.fixed, 1e-12)
        if let known { slack = min(slack, max(problem.cost(trades: known).total - least, 1e-12)) }
        let hasSwitches = problem.instruments.contains { $0.fixedCost > 0 || $0.minimum > $0.lot }
        // A budget that does not count all costs is known to the search of columns alone.
        if hasSwitches, problem.instruments.count > HedgeSolver.mostSearched, !bends,
            problem.countsAllCosts || problem.cashBudget == .infinity
        {
            return searchLevels(problem, table, relaxation, known)
        }
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
            // Nothing is left of what no trades are good for.
            if split.columns.isEmpty {
                split = CurveColumns(problem, CurveColumns.Form(isWhole: true, isSplit: bends))
            }
            prepare(columns)
            columns.offered = known.map { split.split($0) } ?? []
            defer { columns.offered = [] }
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
            // What was left out costs more than this.
            let beyond = isAll ? 0 : max(cost.total - (least + slack), 0)
            if status == .optimal, beyond > search.gap * cost.total.magnitude {
                slack = (cost.total - least) * (1 + 1e-6)
                known = trades
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
            let size = max(cost.total.magnitude, 1e-300)
            solution.gap = max(answer.gap, beyond / size)
            let slip = (cost.total - answer.cost.total) / size
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

    /// The same where fixed costs or smallest trades of several levels would be columns of their own.
    private func searchLevels(
        _ problem: HedgeProblem, _ table: CostTable, _ relaxation: HedgeSolution, _ known: [Double]?
    ) {
        let least = relaxation.cost.total - relaxation.cost.fixed
        let bound = least - relaxation.gap * least.magnitude
        let most = known.map { problem.cost(trades: $0).total } ?? .infinity
        let ranges = ranges(problem, table, relaxation, most - bound)
        let kept = ranges.indices.filter { ranges[$0].low < 0 || ranges[$0].high > 0 }
        // Nothing beside what is known costs less.
        guard !kept.isEmpty || known == nil else { return keepKnown(problem, known ?? [], bound: most) }
        let part = kept.isEmpty ? problem : problem.part(kept)
        let all = kept.isEmpty ? Array(ranges.indices) : kept
        let search = LevelSearch(
            part, CostTable(part), ranges: all.map { ranges[$0] }, least: bound,
            known: known.map { known in all.map { known[$0] } })
        prepare(columns)
        search.run(self.search, seconds: columns.search.timeLimit, isCancelled)
        solution.nodes += search.nodes
        guard search.best < .infinity else {
            return finish(problem, search.isExhausted ? .infeasible : .budget)
        }
        var trades = relaxation.trades.map { _ in 0.0 }
        for (k, i) in all.enumerated() { trades[i] = search.trades[k] }
        keepKnown(problem, trades, bound: search.bound)
    }

    private func keepKnown(_ problem: HedgeProblem, _ trades: [Double], bound: Double) {
        for i in trades.indices { solution.trades[i] = trades[i] }
        solution.cost = problem.cost(trades: trades)
        let total = solution.cost.total
        solution.gap = max((total - bound) / max(total.magnitude, 1e-300), 0)
        solution.certificate.gap = solution.gap
        solution.certificate.violation = problem.violation(trades: trades)
        // Ends of the search and of the sum of costs differ by rounding.
        solution.status = solution.gap <= max(search.gap, 1e-9) * (1 + 1e-6) ? .optimal : .budget
    }

    /// What is searched first, beside fixed costs: a share of what the relaxation costs.
    private static let firstSlack = 0.002
    /// Relaxations in which fixed costs are spread anew.
    private static let mostSpreads = 12

    /// Good trades where trading at all costs something: in relaxations in which each such cost is spread over what the last
    /// one traded, so that less and less is traded of what is not worth it (slope scaling, D. Kim and P. Pardalos, Operations
    /// Research Letters 24, 1999).
    /// - Returns: nil where nothing has a fixed cost, or none of them are what may be traded.
    private func fewTrades(_ problem: HedgeProblem, _ relaxation: HedgeSolution) -> [Double]? {
        guard problem.instruments.contains(where: { $0.fixedCost > 0 }),
            !problem.instruments.contains(where: { $0.lot > 0 })
        else { return nil }
        var spread = problem.continuous
        let solver = HedgeSolver()
        var amounts = relaxation.trades
        var best: (cost: Double, trades: [Double])?
        var last = Double.infinity
        for _ in 0..<Self.mostSpreads {
            prepare(solver)
            guard solver.search.timeLimit > 0 else { break }
            for i in amounts.indices where problem.instruments[i].fixedCost > 0 && amounts[i] != 0 {
                let instrument = problem.instruments[i]
                let share = instrument.fixedCost / amounts[i].magnitude
                spread.instruments[i].costBuy = instrument.costBuy + share
                spread.instruments[i].costSell = instrument.costSell + share
            }
            guard (try? solver.solve(spread, start: .warm)) == .optimal else { break }
            amounts = solver.solution.trades
            let isWhole = amounts.indices.allSatisfy {
                amounts[$0] == 0 || amounts[$0].magnitude >= problem.instruments[$0].minimum
            }
            let cost = problem.cost(trades: amounts).total
            if isWhole, cost < best?.cost ?? .infinity, problem.violation(trades: amounts) <= 1e-10 {
                best = (cost, amounts)
            }
            if cost == last { break }
            last = cost
        }
        return best?.trades
    }

    /// The amounts of each instrument that cost, at the relaxation's prices, at most `slack` above the cheapest.
    private func ranges(
        _ problem: HedgeProblem, _ table: CostTable, _ relaxation: HedgeSolution, _ slack: Double
    ) -> [(low: Double, high: Double)] {
        let prices = CurvePrices(problem, relaxation)
        return problem.instruments.indices.map { i in
            let lowest = min(
                prices.look(table, problem, i, .buy, most: .infinity).least,
                prices.look(table, problem, i, .sell, most: .infinity).least)
            // Trading at all costs what is fixed.
            let most = lowest + slack - problem.instruments[i].fixedCost
            guard most >= lowest else { return (0, 0) }
            return (
                -prices.reach(table, problem, i, .sell, most: most),
                prices.reach(table, problem, i, .buy, most: most)
            )
        }
    }

    /// Cuts of a budget that counts what bends, in a search over lots.
    private static let mostCuts = 40
}
