import Checks
import Risk

/// How a requirement counts in a hedge.
public struct RequirementTerms: Sendable, Equatable {
    /// What must be left of the funds after the trades, their cost and the requirement; −infinity where nothing must.
    public var balanceAtLeast: Double
    /// Cost of a unit of the requirement over the time that the trades are held.
    public var price: Double

    public init(balanceAtLeast: Double = -.infinity, price: Double = 0) {
        self.balanceAtLeast = balanceAtLeast
        self.price = price
    }
}

/// A hedge under a requirement.
public struct RequirementAnswer: Sendable, Equatable {
    /// Trades, their cost without what the requirement is priced at, and prices of the bands.
    public internal(set) var hedge = HedgeSolution()
    /// The cost, and the price of what is required.
    public internal(set) var objective = 0.0
    /// Before and after the trades.
    public internal(set) var requiredBefore = 0.0
    public internal(set) var required = 0.0
    /// Funds less what is required; after the trades less their cost too.
    public internal(set) var balanceBefore = 0.0
    public internal(set) var balance = 0.0
    /// No trades have a lower objective: what planes below the requirement prove.
    public internal(set) var bound = -Double.infinity
    /// How much of the objective that leaves open.
    public internal(set) var gap = Double.infinity
    /// What a unit more of the least balance costs; not negative.
    public internal(set) var limitPrice = 0.0
    /// What a unit lost in each outcome costs: the prices of all add up to the requirement's own and the limit's.
    public internal(set) var outcomePrices: [Double] = []
    /// Where no trades leave enough: the most that any leave, and those trades. Nil where the bands are the reason.
    public internal(set) var largestBalance: Double?
    /// Planes that were added, and problems that were solved.
    public internal(set) var planesAdded = 0
    public internal(set) var rounds = 0
}

/// Solves hedge problems under a convex requirement (`ConvexRequirement`), as a limit, at a price, or both.
///
/// The requirement stands in by planes that touch it from below, each a band on the trades and on one more instrument that
/// is the requirement. Where trades are found that require more than the planes say, planes that touch there are added:
/// as these only ever ask for less, the cheapest trades that the requirement itself accepts are the cheapest of all.
/// Planes are kept by which lines and outcomes they are made of, so that the next tick starts with its own numbers of them.
/// - Source: J. E. Kelley, The cutting-plane method for solving convex programs, 1960.
public final class RequirementSolver {
    public private(set) var answer = RequirementAnswer()
    /// How long each problem may take in all.
    public var search = HedgeSearch() { didSet { solver.search = search } }

    /// Asked now and then; true ends the search as its time limit does.
    public var isCancelled: (() -> Bool)? { didSet { solver.isCancelled = isCancelled } }

    private let solver = HedgeSolver()
    private var layout: RequirementLayout?
    private var shortfall: RequirementSolver?
    /// Of a search over lots: trades that the requirement itself has accepted.
    private var best: (trades: [Double], objective: Double) = ([], .infinity)
    private var rounding: RequirementRounding?
    /// Of a search over lots: no trades have a lower objective; and the same of trades in any amounts.
    private var (proved, floor) = (-Double.infinity, -Double.infinity)
    /// Whether costs of many instruments bend: a search over parts of them has been seen to claim more than holds, so that it
    /// may find trades, and proves nothing.
    private var provesNothing = false
    private let clock = ContinuousClock()

    public init() {}

    /// Finds the cheapest trades; they are in `answer`.
    /// - Throws: where the problem itself is wrong (see `HedgeProblem.validate`).
    @discardableResult
    public func solve(
        _ problem: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms,
        start: HedgeStart = .cold
    ) throws(HedgeError) -> HedgeStatus {
        try check(problem, requirement, terms)
        let begin = clock.now
        let layout: RequirementLayout
        if start == .warm, let known = self.layout, known.fits(problem, requirement, terms) {
            layout = known
            layout.load(problem, requirement, terms)
        } else {
            let planes = start == .warm ? self.layout?.planes(for: requirement) ?? [] : []
            layout = RequirementLayout(problem, requirement, terms, planes: planes)
            self.layout = layout
        }
        reset(layout, requirement)
        (best.objective, proved, rounding) = (.infinity, -.infinity, nil)
        var status = try settle(layout, problem, requirement, terms, start, isWhole: false, since: begin)
        if status == .optimal, problem.isWhole {
            (floor, proved) = (answer.bound, answer.bound)
            provesNothing =
                problem.instruments.count > HedgeSolver.mostSearched
                && problem.instruments.contains { $0.impact > 0 }
            round(answer.hedge.trades, problem, requirement, terms, since: begin)
            if isNear || provesNothing && best.objective < .infinity {
                status = takeBest(
                    self.layout ?? layout, problem, requirement, terms, bound: proved,
                    isNear ? .optimal : .budget)
            } else {
                status = try settle(
                    self.layout ?? layout, problem, requirement, terms, .warm, isWhole: true, since: begin)
            }
        }
        if status == .infeasible {
            try findShortfall(self.layout ?? layout, problem, requirement, terms, within: search.timeLimit)
        } else if status == .budget, answer.hedge.gap == .infinity, problem.isWhole, hasLimit(terms) {
            status = try settleByBalance(self.layout ?? layout, problem, requirement, terms, since: begin)
        }
        answer.hedge.status = status
        return status
    }

    /// Whether there are lots that cost little more than what is proved.
    private var isNear: Bool {
        best.objective < .infinity && best.objective - proved <= search.gap * best.objective.magnitude
    }

    private func hasLimit(_ terms: RequirementTerms) -> Bool { terms.balanceAtLeast > -.infinity }

    /// Where a search over lots has found no trades: those that leave most are enough, or prove that there are none, or
    /// nothing is known.
    private func settleByBalance(
        _ layout: RequirementLayout, _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms, since begin: ContinuousClock.Instant
    ) throws(HedgeError) -> HedgeStatus {
        let left = search.timeLimit - (clock.now - begin) / .seconds(1)
        try findShortfall(
            layout, problem, requirement, terms, within: max(left, 0.2 * search.timeLimit))
        let slip = 1e-10 * (answer.required.magnitude + requirement.funds.magnitude)
        if let largest = answer.largestBalance, largest < terms.balanceAtLeast - slip { return .infeasible }
        let isEnough = answer.largestBalance != nil && answer.balance >= terms.balanceAtLeast - slip
        answer.largestBalance = nil
        guard isEnough else { return giveUp() }
        best.objective = answer.objective
        best.trades = answer.hedge.trades
        return takeBest(layout, problem, requirement, terms, bound: proved, .budget)
    }

    /// The most that any trades leave once bands are kept and they are paid, whole lots where the problem has them; nil
    /// where the bands cannot be kept. Where the search for lots finds none, the bound is that of fractions, without trades.
    private func findShortfall(
        _ layout: RequirementLayout, _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms, within seconds: Double
    ) throws(HedgeError) {
        answer.largestBalance = nil
        guard hasLimit(terms) else { return }
        var cheapest = problem
        var own = requirement
        for i in problem.instruments.indices {
            cheapest.instruments[i].costBuy -= requirement.fundsSlopes[i]
            cheapest.instruments[i].costSell += requirement.fundsSlopes[i]
            own.fundsSlopes[i] = 0
        }
        // What bands and risk cost stays out of it: money is all that is asked.
        cheapest.risk = nil
        for r in cheapest.bands.indices where !cheapest.bands[r].isHard {
            (cheapest.bands[r].penalty, cheapest.bands[r].penaltyQuadratic) = (0, 0)
        }
        let solver = shortfall ?? RequirementSolver()
        shortfall = solver
        solver.search = search
        solver.search.timeLimit = seconds
        solver.isCancelled = isCancelled
        var status = try solver.solve(cheapest, own, RequirementTerms(price: 1), start: .warm)
        // A search that was stopped has a bound and whole lots, too.
        let isTradable = status == .optimal || status == .budget && solver.answer.gap < .infinity
        if !isTradable, cheapest.isWhole {
            status = try solver.solve(cheapest.continuous, own, RequirementTerms(price: 1), start: .warm)
        }
        guard isTradable || status == .optimal else { return }
        answer.largestBalance = requirement.funds - solver.answer.bound
        // Prices of the problem that has no answer say nothing about these trades.
        for b in answer.hedge.bandPrices.indices { answer.hedge.bandPrices[b] = 0 }
        (answer.hedge.marginPrice, answer.hedge.cashPrice, answer.hedge.gap) = (0, 0, .infinity)
        for i in problem.instruments.indices {
            answer.hedge.trades[i] = isTradable ? solver.answer.hedge.trades[i] : 0
        }
        evaluate(layout, problem, requirement, terms)
    }

    private func check(
        _ problem: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms
    ) throws(HedgeError) {
        guard requirement.instrumentCount == problem.instruments.count else {
            throw .lengthMismatch(
                field: "requirement", expected: problem.instruments.count,
                got: requirement.instrumentCount)
        }
        guard terms.price >= 0, terms.price <= HedgeProblem.largestMagnitude else {
            throw .invalidValue(
                field: "margin_price", name: "", value: terms.price,
                reason: HedgeProblem.notNegative.complaint)
        }
        guard terms.balanceAtLeast < HedgeProblem.largestMagnitude else {
            throw .invalidValue(
                field: "balanceAtLeast", name: "", value: terms.balanceAtLeast,
                reason: "must be below \(HedgeProblem.largestMagnitude.shown)")
        }
        try problem.validate()
    }

    private func reset(_ layout: RequirementLayout, _ requirement: ConvexRequirement) {
        let count = layout.count
        if answer.hedge.trades.count != count {
            answer.hedge.trades = Array(repeating: 0, count: count)
        }
        if answer.hedge.bandPrices.count != layout.bandCount {
            answer.hedge.bandPrices = Array(repeating: 0, count: layout.bandCount)
        }
        if answer.outcomePrices.count != requirement.titles.count {
            answer.outcomePrices = Array(repeating: 0, count: requirement.titles.count)
        }
        answer.planesAdded = 0
        answer.rounds = 0
        answer.largestBalance = nil
        answer.bound = -.infinity
        answer.gap = .infinity
        answer.requiredBefore = layout.requiredBefore
        answer.balanceBefore = requirement.funds - layout.requiredBefore
    }

    /// Planes after planes, until the requirement itself accepts the trades.
    private func settle(
        _ layout: RequirementLayout, _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms, _ start: HedgeStart, isWhole: Bool,
        since begin: ContinuousClock.Instant
    ) throws(HedgeError) -> HedgeStatus {
        var (layout, start) = (layout, start)
        layout.setWhole(isWhole, problem)
        // What is left shows which lots come near, or that none can.
        let seconds = search.timeLimit * (isWhole && hasLimit(terms) ? 0.7 : 1)
        // A search over lots that takes all of the time would end with the planes that it began with.
        var share = 0.4
        func finish(_ status: HedgeStatus) -> HedgeStatus {
            guard best.objective < .infinity else { return giveUp() }
            return takeBest(layout, problem, requirement, terms, bound: proved, status)
        }
        while answer.rounds < Self.mostRounds {
            answer.rounds += 1
            if let isCancelled, isCancelled() { return finish(.budget) }
            if seconds < .infinity {
                let left = seconds - (clock.now - begin) / .seconds(1)
                guard left > 0 else { return finish(.budget) }
                solver.search.timeLimit = isWhole ? share * left : left
            }
            let status = try solver.solve(layout.problem, start: start)
            start = .warm
            guard status == .optimal || status == .budget else {
                let isOpen = best.objective < .infinity || layout.keepsBack || isWhole && provesNothing
                return isOpen ? finish(.budget) : status
            }
            // What a part of the time did not settle, all that is left of it may.
            let isCut = isWhole && status == .budget && share < 1 && seconds < .infinity
            guard !solver.solution.trades.isEmpty, solver.solution.gap < .infinity else {
                guard isCut else { return finish(.budget) }
                share = 1
                continue
            }
            take(layout, problem)
            evaluate(layout, problem, requirement, terms)
            if isWhole {
                let found = solver.solution
                if !layout.keepsBack, !provesNothing {
                    proved = max(proved, found.cost.total - found.gap * found.cost.total.magnitude)
                }
                keepBest(terms)
                // Trades that the requirement accepts refute a bound above them.
                if proved > best.objective + 1e-9 * best.objective.magnitude {
                    proved = floor
                    return finish(.budget)
                }
                // Planes only ask for less: what they prove holds for the requirement itself.
                if isNear { return finish(.optimal) }
            }
            switch layout.tighten(
                solver.solution, answer, problem, requirement, terms)
            {
            case .holds:
                if isCut, solver.solution.nodes < search.nodeLimit {
                    share = 1
                    continue
                }
                if isWhole { return finish(layout.keepsBack || provesNothing ? .budget : status) }
                price(layout, requirement, terms)
                return status
            case .moved: continue
            case .added(let count):
                answer.planesAdded += count
            case .full:
                answer.planesAdded += 1
                layout = layout.grown(problem, requirement, terms)
                self.layout = layout
                layout.setWhole(isWhole, problem)
                start = .cold
            case .stuck: return isWhole ? finish(.budget) : .uncertified
            }
        }
        return finish(.budget)
    }

    /// Looks for lots near trades, and keeps what is the best so far.
    private func round(
        _ trades: [Double], _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms, since begin: ContinuousClock.Instant
    ) {
        let own =
            rounding
            ?? RequirementRounding(problem, requirement, terms) { [weak self] in
                guard let self else { return true }
                let isLate = (clock.now - begin) / .seconds(1) > 0.3 * search.timeLimit
                return isLate || isCancelled?() ?? false
            }
        rounding = own
        own.round(trades, bandPrices: answer.hedge.bandPrices, limitPrice: answer.limitPrice)
        if own.best.objective < best.objective { best = own.best }
    }

    /// Keeps whole trades that the requirement itself accepts, where they are the best so far.
    private func keepBest(_ terms: RequirementTerms) {
        let slip = 1e-10 * (answer.required.magnitude + answer.balance.magnitude)
        guard answer.balance >= terms.balanceAtLeast - slip, answer.objective < best.objective else { return }
        best.objective = answer.objective
        best.trades = answer.hedge.trades
    }

    /// The best whole trades as the answer, with what is proved of others.
    private func takeBest(
        _ layout: RequirementLayout, _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms, bound: Double, _ status: HedgeStatus
    ) -> HedgeStatus {
        for i in 0..<layout.count { answer.hedge.trades[i] = best.trades[i] }
        answer.hedge.nodes = max(answer.hedge.nodes, 1)
        evaluate(layout, problem, requirement, terms)
        price(layout, requirement, terms)
        answer.bound = bound
        let open = answer.objective - bound
        answer.gap = open > 0 ? open / max(answer.objective.magnitude, 1e-300) : 0
        answer.hedge.gap = answer.gap
        return status
    }

    private static let mostRounds = 2000

    /// The time is over, and what there is requires more than it may.
    private func giveUp() -> HedgeStatus {
        answer.hedge.gap = .infinity
        for i in answer.hedge.trades.indices { answer.hedge.trades[i] = 0 }
        return .budget
    }

    /// Trades and prices of the problem's own instruments and bands.
    private func take(_ layout: RequirementLayout, _ problem: HedgeProblem) {
        let found = solver.solution
        for i in 0..<layout.count { answer.hedge.trades[i] = found.trades[i] }
        for r in 0..<layout.bandCount { answer.hedge.bandPrices[r] = found.bandPrices[r] }
        answer.hedge.marginPrice = found.marginPrice
        answer.hedge.cashPrice = layout.ownsCash ? 0 : found.cashPrice
        answer.hedge.certificate = found.certificate
        answer.hedge.interiorSteps = found.interiorSteps
        answer.hedge.pivots = found.pivots
        answer.hedge.nodes = found.nodes
    }

    private func evaluate(
        _ layout: RequirementLayout, _ problem: HedgeProblem, _ requirement: ConvexRequirement,
        _ terms: RequirementTerms
    ) {
        answer.required = layout.point.evaluate(requirement, at: answer.hedge.trades)
        answer.hedge.cost = problem.cost(trades: answer.hedge.trades)
        // Penalties and risk are no payments.
        let paid =
            answer.hedge.cost.linear + answer.hedge.cost.impact + answer.hedge.cost.levels
            + answer.hedge.cost.fixed
        answer.balance = requirement.funds(after: answer.hedge.trades) - paid - answer.required
        answer.objective = answer.hedge.cost.total + terms.price * answer.required
    }

    /// What the last problem's multipliers say of the bound, the limit and the outcomes.
    private func price(
        _ layout: RequirementLayout, _ requirement: ConvexRequirement, _ terms: RequirementTerms
    ) {
        let found = solver.solution
        answer.bound = found.cost.total - found.gap * found.cost.total.magnitude
        let open = answer.objective - answer.bound
        let reference = max(answer.objective.magnitude, 1e-300)
        answer.gap = open > 0 ? open / reference : 0
        answer.hedge.gap = answer.gap
        answer.limitPrice = layout.limitPrice(found)
        for k in answer.outcomePrices.indices { answer.outcomePrices[k] = 0 }
        layout.addOutcomePrices(found, requirement, &answer.outcomePrices)
    }
}

extension HedgeProblem {
    /// Whether some trades must be whole, at least so large, or cost something by themselves.
    var isWhole: Bool {
        for instrument in instruments
        where instrument.lot > 0 || instrument.minimum > 0 || instrument.fixedCost > 0 { return true }
        return false
    }
}
