/// What became of a problem.
public enum HedgeStatus: String, Sendable {
    /// The trades are the cheapest that there are; the certificate proves it.
    case optimal
    /// No trades bring every hard band within its limits.
    case infeasible
    /// Stopped by a limit on nodes or time, or by the host. `HedgeSolution.gap` bounds what could still be found; it
    /// is infinite, and there are no trades, where none that keep every limit have been found yet.
    case budget
    /// The trades could not be proved to be optimal, nor even, where the certificate's violation says so, to keep
    /// every hard band: numbers beyond what can be resolved. They are no orders.
    case uncertified
}

/// Where a solver begins.
public enum HedgeStart: Sendable {
    /// From nothing.
    case cold
    /// From which limits held in the solution before; as cold where the shape of the problem has changed.
    case warm
}

/// The answer to a hedge problem.
public struct HedgeSolution: Sendable, Equatable {
    public internal(set) var status = HedgeStatus.uncertified
    /// Units of each instrument; positive buys.
    public internal(set) var trades: [Double] = []
    public internal(set) var cost = HedgeCost()
    /// Derivative of the least cost with respect to each band's active limit: positive where `low` is active
    /// (raising it costs this much), negative where `high` is (raising it saves this much), 0 otherwise.
    public internal(set) var bandPrices: [Double] = []
    /// Derivative with respect to the margin limit; not positive.
    public internal(set) var marginPrice = 0.0
    /// Derivative with respect to the cash budget; not positive.
    public internal(set) var cashPrice = 0.0
    /// Of the trades; where there are lots or fixed costs, of the relaxation that ended at them.
    public internal(set) var certificate = HedgeCertificate()
    /// No trades are cheaper than (1 − gap) of these: the certificate's, or what a search left open.
    public internal(set) var gap = 0.0
    /// Steps of the interior point method; 0 where the active set of the solution before was enough.
    public internal(set) var interiorSteps = 0
    /// Steps of the active set method.
    public internal(set) var pivots = 0
    /// Nodes of a search over lots and fixed costs.
    public internal(set) var nodes = 0

    /// Takes another answer over, into arrays of its own: without an allocation where it is of the same length.
    mutating func copy(_ other: HedgeSolution) {
        func copy(_ values: [Double], _ target: inout [Double]) {
            guard target.count == values.count else { return target = values.map { $0 } }
            for k in values.indices { target[k] = values[k] }
        }
        copy(other.trades, &trades)
        copy(other.bandPrices, &bandPrices)
        (status, cost, certificate, gap) = (other.status, other.cost, other.certificate, other.gap)
        (marginPrice, cashPrice) = (other.marginPrice, other.cashPrice)
        (interiorSteps, pivots, nodes) = (other.interiorSteps, other.pivots, other.nodes)
    }
}

/// Solves hedge problems one after another. The first of a shape (the same bands on the same instruments)
/// allocates; the others don't. One solver belongs to one thread at a time.
public final class HedgeSolver {
    /// Of the problem solved last.
    public internal(set) var solution = HedgeSolution()
    /// How long it may take.
    public var search = HedgeSearch()
    /// Asked every hundredth of a second while a problem is solved; true ends it as the time limit does.
    public var isCancelled: (() -> Bool)?

    private var scaled: ScaledProblem?
    private var interior: InteriorPoint?
    private var active: ActiveSet?
    private var branching: BranchAndBound?
    private var precise: Precise?
    private lazy var curves = CurveSolver()
    /// Trades without those that are none; as many as the problem has instruments, before it is known whether they are wanted.
    private var cleaned: [Double] = []
    /// Which limits held in the last optimum.
    private var guess: ActiveSet.Guess?
    private var hasGuess = false
    /// Whether the last problem had no solution; then the next one is likely to have none for the same reason, which
    /// `ScaledProblem.ray` remembers.
    private var provedInfeasible = false
    /// The gap at which an answer in any amounts is taken, where that is less than the certificate's own.
    var largestGap = Double.infinity
    private var isGood: Bool { solution.certificate.holds && solution.certificate.gap <= largestGap }

    public init() {}

    /// What is wanted where doubles are not enough.
    private final class Precise {
        let numbers: ExactNumbers<DoubleDouble>
        let point: HomogeneousPoint<DoubleDouble>
        let set: ExactSet<DoubleDouble>

        init(_ scaled: ScaledProblem) {
            numbers = ExactNumbers(scaled)
            point = HomogeneousPoint(numbers)
            set = ExactSet(numbers)
        }
    }

    /// Finds the cheapest trades; the answer is in `solution`.
    /// - Throws: where the problem itself is wrong (see `HedgeProblem.validate`).
    @discardableResult
    public func solve(_ problem: HedgeProblem, start: HedgeStart = .cold) throws(HedgeError) -> HedgeStatus {
        try problem.validate()
        return try solveValid(problem, start: start)
    }

    /// The same of a problem that has been validated.
    @discardableResult
    func solveValid(_ problem: HedgeProblem, start: HedgeStart) throws(HedgeError) -> HedgeStatus {
        if problem.needsCurveSolver { return try solveCurves(problem, start) }
        let (scaled, interior, active) = prepare(problem)
        scaled.watch.start(seconds: search.timeLimit, isCancelled)
        let status = try solveRelaxation(problem, start, scaled, interior, active)
        if cleaned.count != scaled.count { cleaned = Array(repeating: 0, count: scaled.count) }
        if status == .optimal { dropDust(problem, scaled) }
        guard status == .optimal, problem.isWhole else { return status }
        guard searchesAll || problem.instruments.count <= Self.mostSearched else {
            return try solveReduced(problem, scaled)
        }
        return solveWhole(problem)
    }

    /// Lots, smallest trades and fixed costs of many instruments: of those that may be part of an answer.
    private func solveReduced(
        _ problem: HedgeProblem, _ scaled: ScaledProblem
    ) throws(HedgeError) -> HedgeStatus {
        curves.search = search
        if search.timeLimit < .infinity { curves.search.timeLimit = scaled.watch.secondsLeft }
        curves.isCancelled = isCancelled
        try curves.solveWhole(problem, from: solution)
        solution.copy(curves.solution)
        return solution.status
    }

    /// Instruments up to which a search looks at all of them.
    static let mostSearched = 100
    /// Whether a search looks at all instruments, however many.
    var searchesAll = false
    /// Trades near which good whole ones are, if any.
    var offered: [Double] = []

    /// Trades below a billionth of what is traded of an instrument are none, where the certificate holds without them.
    private func dropDust(_ problem: HedgeProblem, _ scaled: ScaledProblem) {
        func isDust(_ i: Int) -> Bool {
            let x = solution.trades[i]
            return x != 0 && x.magnitude < 1e-9 * scaled.instrumentScale[i]
        }
        guard solution.trades.indices.contains(where: isDust) else { return }
        for i in solution.trades.indices { cleaned[i] = isDust(i) ? 0 : solution.trades[i] }
        let (certificate, cost) = problem.certificate(
            trades: cleaned, bandPrices: solution.bandPrices, marginPrice: solution.marginPrice,
            cashPrice: solution.cashPrice, scaled.room, scaled.exactRoom)
        guard certificate.holds else { return }
        swap(&solution.trades, &cleaned)
        (solution.certificate, solution.cost) = (certificate, cost)
        solution.gap = certificate.gap
    }

    /// Costs by level.
    private func solveCurves(_ problem: HedgeProblem, _ start: HedgeStart) throws(HedgeError) -> HedgeStatus {
        curves.search = search
        curves.isCancelled = isCancelled
        try curves.solve(problem, isWarm: start == .warm)
        // What was prepared for other problems has answers of other lengths.
        scaled = nil
        solution.copy(curves.solution)
        return solution.status
    }

    /// Lots, smallest trades and fixed costs, from the relaxation's optimum on.
    private func solveWhole(_ problem: HedgeProblem) -> HedgeStatus {
        guard let scaled, let interior, let active, let guess else { return solution.status }
        let branching = self.branching ?? BranchAndBound(scaled, interior, active)
        self.branching = branching
        let relaxation = solution
        let found = branching.run(problem, search, offered: offered) { [search, isCancelled] branching in
            guard let blocks = HedgeBlocks(problem, relaxation, amounts: scaled.instrumentScale)
            else { return -.infinity }
            return blocks.strengthen(
                branching, costScale: scaled.objectiveScale, nodeLimit: search.nodeLimit,
                timeLimit: min(0.3 * search.timeLimit, scaled.watch.secondsLeft), isCancelled)
        }
        active.restore(from: guess)
        solution.nodes = branching.nodes
        guard found else {
            return finish(branching.isExhausted ? .infeasible : .budget, remembers: false)
        }
        for i in 0..<scaled.count {
            var x = branching.incumbent[i] * scaled.instrumentScale[i]
            let instrument = problem.instruments[i]
            if instrument.lot > 0 { x = (x / instrument.lot).rounded() * instrument.lot }
            if x != 0, x.magnitude < instrument.minimum {
                x = x > 0 ? instrument.minimum : -instrument.minimum
            }
            // Whole lots may be a limit up to rounding; then they are it.
            let slip = 1e-12 * x.magnitude
            if x - instrument.maximumBuy <= slip { x = min(x, instrument.maximumBuy) }
            if -x - instrument.maximumSell <= slip { x = max(x, -instrument.maximumSell) }
            solution.trades[i] = x
        }
        solution.cost = problem.cost(trades: solution.trades)
        // A cost that is next to nothing in the search's numbers may be rounding: trades of any amount are solved for by themselves.
        if branching.best.magnitude < Self.leastCost || problem.violation(trades: solution.trades) > 1e-10
            || solution.cost.total - branching.best * scaled.objectiveScale
                > 1e-10 * solution.cost.total.magnitude
        {
            sharpen(problem)
        }
        tryNothing(problem)
        let open = (branching.best - branching.bound) / max(branching.best.magnitude, 1e-300)
        solution.gap = max(open, 0)
        // The search knows scaled numbers; the answer is judged by the problem's own.
        let slip =
            (solution.cost.total - branching.best * scaled.objectiveScale)
            / max(solution.cost.total.magnitude, 1e-300)
        if !(slip <= 1e-10) { solution.gap += slip.magnitude }
        solution.certificate.gap = solution.gap
        solution.certificate.violation = problem.violation(trades: solution.trades)
        let keepsLimits = solution.certificate.violation <= 1e-9
        solution.status =
            !keepsLimits ? .uncertified : open <= max(search.gap, 1e-9) && slip <= 1e-8 ? .optimal : .budget
        return solution.status
    }

    /// No trades at all are always an answer, where they keep the limits and cost no more.
    private func tryNothing(_ problem: HedgeProblem) {
        guard solution.trades.contains(where: { $0 != 0 }) else { return }
        for i in cleaned.indices { cleaned[i] = 0 }
        let cost = problem.cost(trades: cleaned)
        guard cost.total <= solution.cost.total, problem.violation(trades: cleaned) <= 1e-10 else { return }
        swap(&solution.trades, &cleaned)
        solution.cost = cost
    }

    /// What a search's own numbers, which are costs of the size of 1, can tell from nothing.
    private static let leastCost = 1e-3

    /// A search leaves what may be any amount where its relaxations had it: solved for once more beside the whole
    /// trades, by the problem's own numbers.
    private func sharpen(_ problem: HedgeProblem) {
        var rest = problem.continuous
        var settled = [Double](repeating: 0, count: problem.instruments.count)
        for i in problem.instruments.indices {
            let instrument = problem.instruments[i]
            let x = solution.trades[i]
            guard
                instrument.lot > 0 || x == 0 && (instrument.minimum > 0 || instrument.fixedCost > 0)
                    || instrument.minimum > 0 && x.magnitude <= instrument.minimum
            else { continue }
            settled[i] = x
            rest.instruments[i].maximumBuy = 0
            rest.instruments[i].maximumSell = 0
            rest.marginLimit -= instrument.margin * x.magnitude
            rest.cashBudget -= instrument.cash * x + (x > 0 ? instrument.costBuy : -instrument.costSell) * x
            rest.risk?.dollarDelta[instrument.underlying] += (problem.risk?.exposure[i] ?? 0) * x
        }
        for r in rest.bands.indices { rest.bands[r].current = problem.exposure(ofBand: r, trades: settled) }
        let solver = HedgeSolver()
        solver.search.timeLimit = scaled?.watch.secondsLeft ?? .infinity
        solver.isCancelled = isCancelled
        guard (try? solver.solve(rest)) == .optimal else { return }
        var trades = solver.solution.trades
        for i in trades.indices {
            trades[i] += settled[i]
            guard trades[i] == 0 || trades[i].magnitude >= problem.instruments[i].minimum else { return }
        }
        guard problem.violation(trades: trades) <= max(1e-10, problem.violation(trades: solution.trades))
        else {
            return
        }
        solution.trades = trades
        solution.cost = problem.cost(trades: trades)
    }

    private func prepare(_ problem: HedgeProblem) -> (ScaledProblem, InteriorPoint, ActiveSet) {
        if let scaled, let interior, let active, scaled.shape.fits(problem) {
            return (scaled, interior, active)
        }
        let fresh = ScaledProblem(shapeOf: problem)
        let parts = (fresh, InteriorPoint(fresh), ActiveSet(fresh))
        (scaled, interior, active) = parts
        branching = nil
        precise = nil
        guess = ActiveSet.Guess(fresh)
        hasGuess = false
        solution.trades = [Double](repeating: 0, count: problem.instruments.count)
        solution.bandPrices = [Double](repeating: 0, count: problem.bands.count)
        return parts
    }

    /// The problem without lots and fixed costs.
    private func solveRelaxation(
        _ problem: HedgeProblem, _ start: HedgeStart, _ scaled: ScaledProblem, _ interior: InteriorPoint,
        _ active: ActiveSet
    ) throws(HedgeError) -> HedgeStatus {
        let isWarm = start == .warm && hasGuess
        try scaled.load(problem, keepingScales: isWarm)
        solution.interiorSteps = 0
        solution.pivots = 0
        solution.nodes = 0
        if isWarm, let guess {
            if provedInfeasible, scaled.provesInfeasible(scaled.ray) || scaled.isOutOfReach() {
                return finish(.infeasible)
            }
            active.restore(from: guess)
            let outcome = active.run(climbs: true)
            solution.pivots = active.pivots
            if outcome == .infeasible {
                scaled.ray.copy(active.multipliers)
                return finish(.infeasible)
            }
            if outcome == .holds {
                take(problem, scaled, active)
                if isGood { return finish(.optimal) }
            }
            try scaled.load(problem, keepingScales: false)
        }
        var status = solveCold(problem, scaled, interior, active)
        if status == .uncertified {
            // Costs of very different size: what counts may have been small beside the rest. And where rounding
            // got in the way, other scales round differently.
            let least = scaled.dualValue(interior.multiplier).magnitude
            for attempt in 0..<2 where status == .uncertified && !scaled.watch.isOver {
                let share = attempt == 1 ? 1.0 / 16 : least < 0.01 ? max(least, 1e-12) : 16
                try scaled.load(problem, keepingScales: false, objective: share)
                status = solveCold(problem, scaled, interior, active)
            }
        }
        if status == .uncertified, problem.contradictsItself() { return finish(.infeasible) }
        for attempt in 0..<3 where status == .uncertified && !scaled.watch.isOver {
            let expected = attempt == 2 ? solution.trades : []
            try scaled.load(problem, keepingScales: false, near: expected)
            if attempt > 0 {
                let cost =
                    attempt == 2 ? solution.cost.total.magnitude / scaled.objectiveScale : scaled.largestCost
                try scaled.load(problem, keepingScales: false, objective: max(cost, 1e-30), near: expected)
            }
            status = solvePrecisely(problem, scaled, [.none, .rounding, .certificate][attempt])
        }
        return finish(status)
    }

    /// With the methods that are slow and sure.
    private func solvePrecisely(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ give: ExactNumbers<DoubleDouble>.Give
    ) -> HedgeStatus {
        let precise = precise ?? Precise(scaled)
        self.precise = precise
        precise.numbers.load(problem, give)
        let (point, set) = (precise.point, precise.set)
        var least = Double.infinity
        var nearest = solution
        func complete(_ bias: Double, isNear: Bool = true) -> Bool {
            set.adopt(point, bias: bias, isNear: isNear)
            return set.run(limit: Self.corrections) { accept(problem, scaled, set) }
        }
        var next = Self.firstCompletion
        var found = point.run(limit: 300) { progress in
            for snap in HomogeneousPoint<DoubleDouble>.Snap.allCases {
                if accept(problem, scaled, { point.trade($0, snap) }, { point.multiplier($0, snap) }) {
                    return true
                }
                // What comes nearest is kept, if only to scale the next attempt by.
                let error = max(solution.certificate.gap, solution.certificate.violation)
                if error < least {
                    least = error
                    nearest = solution
                }
            }
            guard progress < next else { return false }
            next = progress * Self.betweenCompletions
            return complete(1)
        } proves: {
            for r in 0..<scaled.rowCount { scaled.ray[r] = point.ray(r).double }
            if scaled.provesInfeasible(scaled.ray)
                || give != .none && precise.numbers.provesInfeasible(point.ray)
            {
                return true
            }
            // What has yet to vanish hides a proof where nothing limits the trades.
            var largest = 0.0
            for r in 0..<scaled.rowCount { largest = max(largest, scaled.ray[r].magnitude) }
            for share in [1e-12, 1e-9, 1e-6, 1e-3] {
                for r in 0..<scaled.rowCount where scaled.ray[r].magnitude < share * largest {
                    scaled.ray[r] = 0
                }
                if scaled.provesInfeasible(scaled.ray) { return true }
            }
            return false
        }
        if found == nil, complete(1) || complete(1, isNear: false) || complete(1e8) || complete(1e-8) {
            found = true
        }
        if found == nil, least < .infinity { solution = nearest }
        solution.interiorSteps += point.steps
        return found == true ? .optimal : found == false ? .infeasible : .uncertified
    }

    /// Corrections of a guess of the precise active set.
    private static let corrections = 40
    /// Complementarity of the precise interior point at which its guess is completed, and how much less it is the next time.
    private static let firstCompletion = 1e-10
    private static let betweenCompletions = 1e-6

    private func accept(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ set: ExactSet<DoubleDouble>
    ) -> Bool {
        accept(problem, scaled, { set.trades[$0] }, { set.multipliers[$0] })
    }

    /// Takes over precise trades and multipliers.
    /// - Returns: whether the certificate holds.
    private func accept(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ trade: (Int) -> DoubleDouble,
        _ multiplier: (Int) -> DoubleDouble
    ) -> Bool {
        // Rounded, trades no longer lie where their risk's tangent has the multipliers' slopes.
        for u in 0..<scaled.factorCount {
            scaled.exactRoom.tangent[u] = DoubleDouble(problem.risk?.dollarDelta[u] ?? 0)
        }
        for i in 0..<scaled.count {
            let x = trade(i) * DoubleDouble(scaled.instrumentScale[i])
            takeTrade(i, x.double, problem)
            if let risk = problem.risk {
                scaled.exactRoom.tangent[problem.instruments[i].underlying] +=
                    DoubleDouble(risk.exposure[i]) * x
            }
        }
        takePrices(problem, scaled, multiplier)
        return isGood
    }

    private func solveCold(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ interior: InteriorPoint, _ active: ActiveSet
    ) -> HedgeStatus {
        if scaled.isOutOfReach() { return .infeasible }
        // Up the dual from no prices at all: of a few bands it is sooner at its top than the interior point is near.
        switch active.climbFromNothing() {
        case .holds:
            solution.pivots = active.pivots
            take(problem, scaled, active)
            if isGood { return .optimal }
        case .infeasible:
            solution.pivots = active.pivots
            scaled.ray.copy(active.multipliers)
            return .infeasible
        case .open: break
        }
        let ceiling = scaled.costCeiling()
        interior.start()
        // A rough interior point usually tells which limits hold, and the active set does the rest.
        for tolerance in [1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-11] {
            let outcome = interior.run(tolerance: tolerance, ceiling: ceiling)
            solution.interiorSteps = interior.iterations
            if outcome == .infeasible {
                scaled.ray.copy(interior.multiplier)
                return .infeasible
            }
            active.adopt(interior)
            let guess = active.run(climbs: tolerance < 1e-5 || outcome == .stalled)
            solution.pivots += active.pivots
            switch guess {
            case .holds:
                take(problem, scaled, active)
                if isGood { return .optimal }
            case .infeasible:
                scaled.ray.copy(active.multipliers)
                return .infeasible
            case .open: break
            }
            if outcome == .stalled || scaled.watch.isOver { break }
        }
        // Without the active set the interior point may still do.
        take(problem, scaled, interior)
        return isGood ? .optimal : .uncertified
    }

    /// - Parameter remembers: whether the next problem may begin from here.
    private func finish(_ status: HedgeStatus, remembers: Bool = true) -> HedgeStatus {
        // What was stopped on the way has an answer only where that was proved.
        let status = status == .uncertified && scaled?.watch.hasStopped == true ? .budget : status
        solution.status = status
        if remembers { provedInfeasible = status == .infeasible }
        switch status {
        case .optimal:
            solution.gap = solution.certificate.gap
            if let active, let guess { active.save(to: guess) }
            hasGuess = true
        case .uncertified: solution.gap = solution.certificate.gap
        case .budget, .infeasible:
            solution.gap = .infinity
            solution.certificate = HedgeCertificate()
            solution.cost = HedgeCost()
            (solution.marginPrice, solution.cashPrice) = (0, 0)
            for i in solution.trades.indices { solution.trades[i] = 0 }
            for r in solution.bandPrices.indices { solution.bandPrices[r] = 0 }
        }
        return status
    }

    private func take(_ problem: HedgeProblem, _ scaled: ScaledProblem, _ active: ActiveSet) {
        for i in 0..<scaled.count { takeTrade(i, active.trades[i] * scaled.instrumentScale[i], problem) }
        takePrices(problem, scaled, active.multipliers)
    }

    private func take(_ problem: HedgeProblem, _ scaled: ScaledProblem, _ interior: InteriorPoint) {
        for i in 0..<scaled.count { takeTrade(i, interior.trade(i) * scaled.instrumentScale[i], problem) }
        takePrices(problem, scaled, interior.multiplier)
    }

    /// Rounding takes no trade beyond what may be traded.
    private func takeTrade(_ i: Int, _ amount: Double, _ problem: HedgeProblem) {
        let instrument = problem.instruments[i]
        solution.trades[i] = max(-instrument.maximumSell, min(instrument.maximumBuy, amount))
    }

    private func takePrices(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ multipliers: borrowing Vector
    ) {
        for r in 0..<scaled.bandCount {
            let row = scaled.shape.rowOfBand[r]
            solution.bandPrices[r] = multipliers[row] * scaled.objectiveScale / scaled.rowScale[row]
        }
        let (margin, cash) = (scaled.marginRow, scaled.cashRow)
        solution.marginPrice = multipliers[margin] * scaled.objectiveScale / scaled.rowScale[margin]
        solution.cashPrice = multipliers[cash] * scaled.objectiveScale / scaled.rowScale[cash]
        (solution.certificate, solution.cost) = problem.certificate(
            trades: solution.trades, bandPrices: solution.bandPrices, marginPrice: solution.marginPrice,
            cashPrice: solution.cashPrice, scaled.room, scaled.exactRoom)
    }

    /// The same with multipliers of more digits than doubles have: in them, slopes that are 0 are next to nothing.
    private func takePrices(
        _ problem: HedgeProblem, _ scaled: ScaledProblem, _ multiplier: (Int) -> DoubleDouble
    ) {
        let bands = scaled.bandCount
        func take(_ index: Int, _ row: Int) -> Double {
            let price =
                multiplier(row) * DoubleDouble(scaled.objectiveScale) / DoubleDouble(scaled.rowScale[row])
            scaled.exactRoom.prices[index] = price
            return price.double
        }
        for r in 0..<bands { solution.bandPrices[r] = take(r, scaled.shape.rowOfBand[r]) }
        solution.marginPrice = take(bands, scaled.marginRow)
        solution.cashPrice = take(bands + 1, scaled.cashRow)
        (solution.certificate, solution.cost) = problem.exactCertificate(
            trades: solution.trades, scaled.exactRoom, hasTangent: scaled.factorCount > 0)
    }
}
