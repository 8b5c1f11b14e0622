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
    private var begin = ContinuousClock.now

    /// The shape of the last problem, of which all of these are.
    private var shape: HedgeShape?
    private var room: CurveRoom?
    private var table = CostTable()
    private var window = HedgeProblem(underlyings: [])
    /// Windows have their bought and sold amounts apart.
    private var isWindowBent = false
    private var trades: [Double] = []
    private var positions: [Double] = []
    private var paid: [Double] = []
    private var isEdge: [Int] = []
    /// The ends of stretches that windows were around, and the trades, of the last optimum.
    private var ends: [Int] = []
    private var last: [Double] = []
    private var hasLast = false

    init() { columns.searchesAll = true }

    /// Windows that are looked at before all columns are.
    private static let mostMoves = 60
    /// Steps of sequential quadratic programming.
    private static let mostSteps = 60
    /// What the answers of steps leave open adds to what the whole leaves open: the last steps are solved to more digits.
    private static let exactSteps = 6
    private static let leastGap = 1e-12
    /// Cuts of a budget that counts what bends, in a search over lots.
    private static let mostCuts = 40

    /// - Parameter problem: one that has been validated.
    func solve(_ problem: HedgeProblem, isWarm: Bool) throws(HedgeError) {
        begin = .now
        adopt(problem)
        table.load(problem)
        let table = table
        if table.isPlain, problem.cashBudget == .infinity { return try solvePlain(problem, table, isWarm) }
        try solveContinuous(problem, table, isWarm)
        hasLast = solution.status == .optimal
        if hasLast { for i in last.indices { last[i] = solution.trades[i] } }
        // Nothing at all is whole.
        guard problem.isWhole, hasLast, solution.trades.contains(where: { $0 != 0 }) else { return }
        try solveWhole(problem, table)
    }

    /// Whole trades of a problem whose relaxation is solved.
    func solveWhole(_ problem: HedgeProblem, from relaxation: HedgeSolution) throws(HedgeError) {
        begin = .now
        adopt(problem)
        table.load(problem)
        solution.copy(relaxation)
        try solveWhole(problem, table)
    }

    /// Room for a problem, and an answer without anything yet.
    private func adopt(_ problem: HedgeProblem) {
        let count = problem.instruments.count
        if room == nil || !(shape?.fits(problem) ?? false) {
            shape = HedgeShape(problem)
            room = CurveRoom(problem)
            window = HedgeProblem(underlyings: [])
            trades = Array(repeating: 0, count: count)
            positions = Array(repeating: 0, count: count)
            paid = Array(repeating: 0, count: count)
            isEdge = Array(repeating: 0, count: count)
            ends = Array(repeating: 0, count: count)
            last = Array(repeating: 0, count: count)
            hasLast = false
            solution = HedgeSolution()
            solution.trades = Array(repeating: 0, count: count)
            solution.bandPrices = Array(repeating: 0, count: problem.bands.count)
        }
        solution.status = .uncertified
        (solution.interiorSteps, solution.pivots, solution.nodes) = (0, 0, 0)
    }

    /// One level a side is what instruments have themselves.
    private func solvePlain(
        _ problem: HedgeProblem, _ table: CostTable, _ isWarm: Bool
    ) throws(HedgeError) {
        loadWindow(problem, isBent: false)
        for i in problem.instruments.indices {
            let (buy, sell) = (table.piece(i, .buy, 0), table.piece(i, .sell, 0))
            let own = buy?.price ?? -(sell?.price ?? 0)
            window.instruments[i] = problem.instruments[i]
            window.instruments[i].costBuy = own
            window.instruments[i].costSell = max(sell?.price ?? -own, -own)
            window.instruments[i].impact = buy?.quadratic ?? sell?.quadratic ?? 0
            window.instruments[i].maximumBuy = buy?.size ?? 0
            window.instruments[i].maximumSell = sell?.size ?? 0
        }
        for r in problem.bands.indices { window.bands[r].current = problem.bands[r].current }
        if let risk = problem.risk {
            for u in risk.dollarDelta.indices { window.risk?.dollarDelta[u] = risk.dollarDelta[u] }
        }
        window.marginLimit = problem.marginLimit
        window.cashBudget = problem.cashBudget
        prepare(windows)
        try windows.solveValid(window, start: isWarm ? .warm : .cold)
        solution.copy(windows.solution)
        guard solution.status != .infeasible else { return }
        let risk = solution.cost.risk
        solution.cost = problem.costWithoutRisk(trades: solution.trades)
        solution.cost.risk = risk
    }

    private func prepare(_ solver: HedgeSolver) {
        solver.search = search
        if search.timeLimit < .infinity {
            solver.search.timeLimit = max(search.timeLimit - (ContinuousClock.now - begin) / .seconds(1), 0)
        }
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
            if isWarm, hasLast {
                for i in ends.indices where !table.isNext(i, ends[i], clamped(table, i, last[i])) {
                    ends[i] = table.nearestEnd(i, clamped(table, i, last[i]))
                }
                if try moveWindows(problem, table, isWarm: true) { return }
            }
            if try start(problem, table) { return }
            if try moveWindows(problem, table, isWarm: false) { return }
        }
        try solveColumns(problem, table)
    }

    private func clamped(_ table: CostTable, _ i: Int, _ x: Double) -> Double {
        max(-table.limit(i, .sell), min(table.limit(i, .buy), x))
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
        for i in ends.indices { ends[i] = table.nearestEnd(i, trades[i]) }
        return false
    }

    /// - Returns: whether that led to an answer.
    private func moveWindows(
        _ problem: HedgeProblem, _ table: CostTable, isWarm: Bool
    ) throws(HedgeError) -> Bool {
        let count = problem.instruments.count
        var isWarm = isWarm
        for _ in 0..<Self.mostMoves {
            placeWindows(problem, table)
            prepare(windows)
            let status = try windows.solveValid(window, start: isWarm ? .warm : .cold)
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
            if !move(problem, table, answer) {
                take(problem, table, trades, answer)
                return solution.certificate.holds
            }
        }
        return false
    }

    /// Moves windows whose edge is in the way.
    /// - Returns: whether there were any.
    private func move(_ problem: HedgeProblem, _ table: CostTable, _ answer: HedgeSolution) -> Bool {
        let count = problem.instruments.count
        var isAny = false
        for i in 0..<count {
            isEdge[i] = 0
            guard trades[i] != positions[i] else { continue }
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
        for i in 0..<count { paid[i] = 0 }
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

    /// The numbers of a problem into that of its windows, but for what depends on where these are.
    private func loadWindow(_ problem: HedgeProblem, isBent: Bool) {
        let count = problem.instruments.count
        let copies = isBent ? 2 : 1
        if window.instruments.isEmpty || isBent != isWindowBent {
            isWindowBent = isBent
            window = HedgeProblem(name: problem.name, underlyings: problem.underlyings)
            for copy in 0..<copies {
                window.instruments += problem.instruments
                window.instrumentNames += problem.instrumentNames
                if copy == 0 {
                    window.risk = problem.risk
                } else {
                    window.risk?.exposure += problem.risk?.exposure ?? []
                }
            }
            for r in problem.bands.indices {
                let own = problem.entries[problem.bands[r].entries]
                let all = (0..<copies).flatMap { copy in
                    own.map { (instrument: $0.instrument + copy * count, coefficient: $0.coefficient) }
                }
                window.add(problem.bandNames[r], problem.bands[r], coefficients: all)
            }
        }
        for r in problem.bands.indices {
            let places = window.bands[r].entries
            window.bands[r] = problem.bands[r]
            window.bands[r].entries = places
            var place = places.lowerBound
            for _ in 0..<copies {
                for k in problem.bands[r].entries {
                    window.entries[place].coefficient = problem.entries[k].coefficient
                    place += 1
                }
            }
        }
        guard let risk = problem.risk else { return }
        window.risk?.riskAversion = risk.riskAversion
        for k in risk.covariance.indices { window.risk?.covariance[k] = risk.covariance[k] }
        for copy in 0..<copies {
            for i in 0..<count { window.risk?.exposure[copy * count + i] = risk.exposure[i] }
        }
    }

    /// The problem of what trades add beside the ends that windows are around.
    private func placeWindows(_ problem: HedgeProblem, _ table: CostTable) {
        let count = problem.instruments.count
        loadWindow(problem, isBent: table.isBent)
        var spent = 0.0
        for i in 0..<count {
            let end = table.end(i, ends[i])
            positions[i] = end.position
            if problem.cashBudget < .infinity, end.position != 0 {
                spent += problem.instruments[i].cash * end.position + table.cost(i, end.position)
            }
            func set(
                _ k: Int, _ buy: Double, _ sell: Double, _ above: Double, _ below: Double, _ bend: Double
            ) {
                window.instruments[k] = HedgeInstrument(
                    underlying: problem.instruments[i].underlying, costBuy: buy, costSell: max(sell, -buy),
                    impact: bend, maximumBuy: above, maximumSell: below, cash: problem.instruments[i].cash)
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
            for u in risk.dollarDelta.indices { window.risk?.dollarDelta[u] = risk.dollarDelta[u] }
            for i in 0..<count where positions[i] != 0 {
                window.risk?.dollarDelta[problem.instruments[i].underlying] += risk.exposure[i] * positions[i]
            }
        }
        window.marginLimit = .infinity
        window.cashBudget = problem.cashBudget - spent
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

    /// Of the trades that the relaxation's prices leave: those that cost no more than `slack` above its own. What costs more
    /// cannot be part of an answer that costs less than that, so few of hundreds of instruments, and few of their levels, are
    /// searched; where the answer costs more, there may have been better ones, and it says how far to look.
    private func solveWhole(_ problem: HedgeProblem, _ table: CostTable) throws(HedgeError) {
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

    // MARK: Answers

    private func count(_ solver: HedgeSolver) {
        solution.interiorSteps += solver.solution.interiorSteps
        solution.pivots += solver.solution.pivots
        solution.nodes += solver.solution.nodes
    }

    private func keep(_ problem: HedgeProblem, _ trades: [Double], _ answer: HedgeSolution) {
        for i in trades.indices { solution.trades[i] = trades[i] }
        for r in problem.bands.indices { solution.bandPrices[r] = answer.bandPrices[r] }
        solution.marginPrice = answer.marginPrice
        solution.cashPrice = answer.cashPrice
    }

    private func take(
        _ problem: HedgeProblem, _ table: CostTable, _ trades: [Double], _ answer: HedgeSolution
    ) {
        keep(problem, trades, answer)
        for i in trades.indices { solution.trades[i] = clamped(table, i, trades[i]) }
        guard let room else { return }
        (solution.certificate, solution.cost) = problem.curveCertificate(
            trades: solution.trades, bandPrices: solution.bandPrices, marginPrice: solution.marginPrice,
            cashPrice: solution.cashPrice, table, room)
        solution.gap = solution.certificate.gap
        solution.status = solution.certificate.holds ? .optimal : .uncertified
    }

    /// Without trades, but where they are all that there is.
    private func finish(_ problem: HedgeProblem, _ status: HedgeStatus, _ split: CurveColumns? = nil) {
        solution.status = status
        for i in solution.trades.indices { solution.trades[i] = 0 }
        for r in solution.bandPrices.indices { solution.bandPrices[r] = 0 }
        if status == .uncertified, let split {
            for (i, x) in split.joined(columns.solution.trades).enumerated() { solution.trades[i] = x }
        }
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

    /// The problem of some of its instruments alone.
    func part(_ kept: [Int]) -> HedgeProblem {
        var part = self
        part.instruments = kept.map { instruments[$0] }
        part.instrumentNames = kept.map { instrumentNames[$0] }
        if !curves.isEmpty { part.curves = kept.map { curves[$0] } }
        part.risk?.exposure = kept.map { risk?.exposure[$0] ?? 0 }
        var place = [Int](repeating: -1, count: instruments.count)
        for (k, i) in kept.enumerated() { place[i] = k }
        (part.bands, part.bandNames, part.entries) = ([], [], [])
        for r in bands.indices {
            let own = entries[bands[r].entries].filter { place[$0.instrument] >= 0 }
            part.add(
                bandNames[r], bands[r],
                coefficients: own.map {
                    (instrument: place[$0.instrument], coefficient: $0.coefficient)
                })
        }
        return part
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
