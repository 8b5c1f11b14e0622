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
    var solution = HedgeSolution()

    private let windows = HedgeSolver()
    let columns = HedgeSolver()
    private var begin = ContinuousClock.now

    /// The shape of the last problem, of which all of these are.
    private var shape: HedgeShape?
    private var room: CurveRoom?
    private var table = CostTable()
    private var window = HedgeProblem(underlyings: [])
    /// With costs that bend evenly, to begin from.
    private var rough = HedgeProblem(underlyings: [])
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
            rough = HedgeProblem(underlyings: [])
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

    func prepare(_ solver: HedgeSolver) {
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
        if rough.instruments.isEmpty {
            rough = problem.continuous
            rough.curves = []
            rough.budgetCountsAllCosts = false
        }
        copyNumbers(problem, to: &rough, copies: 1)
        rough.cashBudget = problem.cashBudget
        if let risk = problem.risk {
            for u in risk.dollarDelta.indices { rough.risk?.dollarDelta[u] = risk.dollarDelta[u] }
        }
        for i in rough.instruments.indices {
            func impact(_ side: TradeSide) -> Double? {
                let pieces = table[i, side]
                guard let first = pieces.first, let last = pieces.last else { return nil }
                let limit = last.start + last.size
                guard limit < .infinity else { return last.quadratic }
                return max(table.cost(i, side.sign * limit) - first.price * limit, 0) / (limit * limit)
            }
            let (buy, sell) = (table.piece(i, .buy, 0)?.price, table.piece(i, .sell, 0)?.price)
            rough.instruments[i].cash = problem.instruments[i].cash
            rough.instruments[i].costBuy = buy ?? -(sell ?? 0)
            rough.instruments[i].costSell = max(sell ?? -(buy ?? 0), -rough.instruments[i].costBuy)
            rough.instruments[i].impact = min(impact(.buy) ?? .infinity, impact(.sell) ?? .infinity)
            if rough.instruments[i].impact == .infinity { rough.instruments[i].impact = 0 }
            rough.instruments[i].maximumBuy = problem.limit(i, .buy)
            rough.instruments[i].maximumSell = problem.limit(i, .sell)
        }
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
        copyNumbers(problem, to: &window, copies: copies)
    }

    /// Bands, coefficients and risk of a problem into one of the same shape whose instruments are there so many times.
    private func copyNumbers(_ problem: HedgeProblem, to target: inout HedgeProblem, copies: Int) {
        let count = problem.instruments.count
        for r in problem.bands.indices {
            let places = target.bands[r].entries
            target.bands[r] = problem.bands[r]
            target.bands[r].entries = places
            var place = places.lowerBound
            for _ in 0..<copies {
                for k in problem.bands[r].entries {
                    target.entries[place].coefficient = problem.entries[k].coefficient
                    place += 1
                }
            }
        }
        guard let risk = problem.risk else { return }
        target.risk?.riskAversion = risk.riskAversion
        for k in risk.covariance.indices { target.risk?.covariance[k] = risk.covariance[k] }
        for copy in 0..<copies {
            for i in 0..<count { target.risk?.exposure[copy * count + i] = risk.exposure[i] }
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

    // MARK: Answers

    func count(_ solver: HedgeSolver) {
        solution.interiorSteps += solver.solution.interiorSteps
        solution.pivots += solver.solution.pivots
        solution.nodes += solver.solution.nodes
    }

    func keep(_ problem: HedgeProblem, _ trades: [Double], _ answer: HedgeSolution) {
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
    func finish(_ problem: HedgeProblem, _ status: HedgeStatus, _ split: CurveColumns? = nil) {
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
