import Foundation
import Greeks
import Hedging
import Margin
import Market
import Poise
import Risk
import TestSupport
import Testing

/// Hedges under a venue's margin.
struct MarginHedgeTests {
    static let engine = try? GreeksEngine()
    static let shared = "margin/hedge-margin-dev.json"

    @Test(
        "Hedges under a margin cost what a reference found, and the venue's own rule accepts them",
        .enabled(if: SharedData.has([shared]), "needs the venues' cases"))
    func reference() throws {
        let engine = try #require(Self.engine)
        let path = SharedData.path(Self.shared)
        let raw = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
                as? [[String: Any]])
        let cases = try MarginCases(Source(path: path))
        let solver = RequirementSolver()
        for (one, row) in zip(cases.cases, raw) {
            let expected = try #require(row["expected"] as? [String: Any])
            let (problem, terms) = try #require(one.hedgeProblem())
            let margin = try #require(try one.marginedHedge(engine))
            let status = try solver.solve(problem, margin.requirement, terms)
            #expect(status.rawValue == expected["status"] as? String, "\(one.name)")
            let answer = solver.answer
            guard status == .optimal else {
                let largest = try #require(expected["largest_initial_margin_balance"] as? Double)
                #expect(((answer.largestBalance ?? .nan) - largest).magnitude <= 1e-9 * largest.magnitude)
                continue
            }
            let wanted = try #require(expected["objective"] as? Double)
            let exact = try margin.exact(after: answer.hedge.trades, paying: answer.hedge.cost.total)
            let size = exact.initialMargin.magnitude + exact.initialBalance.magnitude
            #expect((answer.objective - wanted).magnitude <= 1e-8 * max(wanted, 1e-6 * size), "\(one.name)")
            #expect((exact.initialBalance - answer.balance).magnitude <= 1e-10 * size, "\(one.name)")
            #expect(exact.initialBalance >= terms.balanceAtLeast - 1e-9 * size, "\(one.name)")
            #expect(answer.gap <= 1e-9, "\(one.name): \(answer.gap)")
            let prices = answer.outcomePrices.reduce(0, +)
            let weight = (0..<margin.requirement.ranges.count).reduce(0.0) {
                max($0, margin.requirement.worstWeight($1))
            }
            #expect(prices <= (answer.limitPrice + terms.price) * weight * (1 + 1e-6) + 1e-12)
        }
    }

    @Test("The convex form of a rule is the rule, and never less than it", arguments: 0..<96)
    func form(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, engine)
        let (margin, problem) = (hedge.margin, hedge.problem)
        var state = UInt64(seed) &+ 1
        func random() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) * 0x1p-53
        }
        let point = RequirementPoint(margin.requirement)
        var planes: [(constant: Double, slopes: [Double])] = []
        for draw in 0..<12 {
            let trades = problem.instruments.map { instrument in
                random() < 0.4 || draw == 0
                    ? 0
                    : -instrument.maximumSell + (instrument.maximumSell + instrument.maximumBuy) * random()
            }
            let cost = problem.cost(trades: trades).total
            let exact = try margin.exact(after: trades, paying: cost)
            let required = point.evaluate(margin.requirement, at: trades)
            let size = exact.initialMargin.magnitude + exact.initialBalance.magnitude + required.magnitude
            #expect(required >= exact.initialMargin - 1e-10 * size)
            let balance = margin.requirement.funds(after: trades) - cost - required
            // An expiry that keeps its rule of now has it as long as nothing is traded.
            let keepsShorts = margin.requirement.notes.allSatisfy {
                $0.hasSuffix("its short options one by one")
            }
            if keepsShorts && (draw == 0 || margin.requirement.notes.isEmpty) {
                #expect((required - exact.initialMargin).magnitude <= 1e-10 * size)
                #expect((balance - exact.initialBalance).magnitude <= 1e-10 * size)
            }
            #expect(balance <= exact.initialBalance + 1e-10 * size)
            // Every plane touches where it was taken, and is nowhere above.
            var slopes = problem.instruments.map { _ in 0.0 }
            let constant = margin.requirement.slopes(of: point.plane, into: &slopes)
            planes.append((constant, slopes))
            for (number, plane) in planes.enumerated() {
                let value = plane.constant + zip(plane.slopes, trades).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(value <= required + 1e-9 * size)
                if number == planes.count - 1 { #expect((value - required).magnitude <= 1e-9 * size) }
            }
        }
    }

    @Test("From tick to tick the answers are those from nothing", arguments: [0, 1, 3, 4])
    func ticks(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, engine)
        let (warm, cold) = (RequirementSolver(), RequirementSolver())
        var problem = hedge.problem
        for tick in 0..<40 {
            for r in problem.bands.indices {
                problem.bands[r].current =
                    hedge.problem.bands[r].current * (1 + 0.05 * sin(Double(tick + 3 * r)))
            }
            let one = try warm.solve(problem, hedge.margin.requirement, hedge.terms, start: .warm)
            let two = try cold.solve(problem, hedge.margin.requirement, hedge.terms)
            #expect(one == two)
            guard one == .optimal else { continue }
            let size = max(cold.answer.objective.magnitude, 1e-6 * cold.answer.required.magnitude)
            #expect((warm.answer.objective - cold.answer.objective).magnitude <= 1e-8 * size)
        }
    }

    @Test("A requirement that follows a live account is that of the rule", arguments: 0..<48)
    func live(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, engine)
        guard case .scan(let scan) = hedge.margin.model.rule, LiveMargin.keeps(scan) else { return }
        let live = try LiveMargin(scan, hedge.margin.account, in: hedge.margin.market, engine)
        let followed = try LiveRequirement(live, trading: hedge.margin.candidates)
        for draw in 0..<6 {
            let trades = hedge.problem.instruments.indices.map { i in
                draw == 0 ? 0 : 3 * sin(Double(7 * i + 13 * draw))
            }
            let one = followed.requirement.required(after: trades)
            let two = hedge.margin.requirement.required(after: trades)
            let size = one.magnitude + followed.requirement.funds.magnitude
            #expect((one - two).magnitude <= 1e-10 * size, "\(hedge.name): \(one) \(two)")
            #expect((followed.requirement.funds - hedge.margin.requirement.funds).magnitude <= 1e-10 * size)
        }
    }

    @Test("Whole lots under a margin are the best of all whole lots", arguments: 0..<24)
    func lots(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, lots: true, engine)
        let (problem, margin, terms) = (hedge.problem, hedge.margin, hedge.terms)
        let ranges = problem.instruments.map {
            Int(-($0.maximumSell / $0.lot).rounded(.down))...Int(($0.maximumBuy / $0.lot).rounded(.down))
        }
        var best = Double.infinity
        func look(_ trades: [Double]) {
            guard trades.count < ranges.count else {
                guard problem.violation(trades: trades) <= 0 else { return }
                let cost = problem.cost(trades: trades).total
                let required = margin.requirement.required(after: trades)
                let balance = margin.requirement.funds(after: trades) - cost - required
                if balance >= terms.balanceAtLeast { best = min(best, cost + terms.price * required) }
                return
            }
            let i = trades.count
            for count in ranges[i] { look(trades + [Double(count) * problem.instruments[i].lot]) }
        }
        look([])
        let solver = RequirementSolver()
        let status = try solver.solve(problem, margin.requirement, terms)
        #expect((status == .optimal) == (best < .infinity), "\(status) \(best)")
        guard status == .optimal else { return }
        let size = max(best.magnitude, 1e-6 * solver.answer.required.magnitude)
        #expect((solver.answer.objective - best).magnitude <= 1e-8 * size)
        #expect(solver.answer.bound <= best + 1e-8 * size)
    }

    @Test("A search of one node finds lots nearly always, and what it proves of others holds")
    func oneNode() throws {
        let engine = try #require(Self.engine)
        var (feasible, found) = (0, 0)
        for seed in 0..<48 {
            let hedge = try RandomMarginHedge(seed: seed, lots: true, engine)
            let solver = RequirementSolver()
            let status = try solver.solve(hedge.problem, hedge.margin.requirement, hedge.terms)
            let hasty = RequirementSolver()
            hasty.search.nodeLimit = 1
            let one = try hasty.solve(hedge.problem, hedge.margin.requirement, hedge.terms)
            if status == .optimal { feasible += 1 }
            guard one == .optimal || one == .budget && hasty.answer.gap < .infinity else {
                #expect(one != .infeasible || status == .infeasible, "\(hedge.name)")
                continue
            }
            found += 1
            #expect(status == .optimal, "\(hedge.name)")
            let (some, whole) = (hasty.answer, solver.answer)
            let size = max(whole.objective.magnitude, 1e-6 * whole.required.magnitude)
            #expect(
                some.balance >= hedge.terms.balanceAtLeast - 1e-8 * some.required.magnitude, "\(hedge.name)")
            #expect(hedge.problem.violation(trades: some.hedge.trades) <= 1e-9, "\(hedge.name)")
            #expect(some.objective >= whole.objective - 1e-8 * size, "\(hedge.name)")
            #expect(some.bound <= whole.objective + 1e-8 * size, "\(hedge.name)")
        }
        #expect(feasible > 10 && found * 10 >= feasible * 9, "\(found) of \(feasible)")
    }

    @Test(
        "Of dozens of instruments, lots near the cheapest amounts are found at once, little above what is proved"
    )
    func manyLots() throws {
        let engine = try #require(Self.engine)
        var (feasible, found, near) = (0, 0, 0)
        for seed in 0..<90 {
            let hedge = try RandomMarginHedge(seed: seed, engine)
            var problem = hedge.problem
            guard problem.instruments.count >= 12 else { continue }
            for i in problem.instruments.indices {
                let instrument = problem.instruments[i]
                problem.instruments[i].lot = min(instrument.maximumBuy, instrument.maximumSell) / 40
                problem.instruments[i].impact = 0.3 * instrument.costBuy / instrument.maximumBuy
                if seed % 3 == 0 { problem.instruments[i].fixedCost = 0.2 * instrument.costBuy }
            }
            let free = RequirementSolver()
            guard try free.solve(problem.continuous, hedge.margin.requirement, hedge.terms) == .optimal
            else { continue }
            feasible += 1
            let solver = RequirementSolver()
            solver.search.nodeLimit = 1
            let status = try solver.solve(problem, hedge.margin.requirement, hedge.terms)
            guard status == .optimal || status == .budget && solver.answer.gap < .infinity else { continue }
            found += 1
            let answer = solver.answer
            let size = max(answer.objective.magnitude, 1e-6 * answer.required.magnitude)
            let exact = hedge.margin.requirement.required(after: answer.hedge.trades)
            #expect((answer.required - exact).magnitude <= 1e-9 * exact.magnitude, "\(hedge.name)")
            #expect(answer.balance >= hedge.terms.balanceAtLeast - 1e-8 * answer.required.magnitude)
            #expect(problem.violation(trades: answer.hedge.trades) <= 1e-9, "\(hedge.name)")
            for (x, instrument) in zip(answer.hedge.trades, problem.instruments) {
                #expect((x / instrument.lot - (x / instrument.lot).rounded()).magnitude <= 1e-9)
            }
            #expect(answer.bound <= answer.objective + 1e-8 * size, "\(hedge.name)")
            #expect(answer.objective >= free.answer.objective - 1e-8 * size, "\(hedge.name)")
            if answer.gap <= 0.05 { near += 1 }
        }
        #expect(
            feasible > 20 && found * 10 >= feasible * 9 && near * 2 >= found, "\(feasible) \(found) \(near)")
    }

    @Test("Lots that no buffer can be reached with come nearest", arguments: 0..<24)
    func unreachable(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, lots: true, engine)
        let (problem, margin) = (hedge.problem, hedge.margin)
        let ranges = problem.instruments.map {
            Int(-($0.maximumSell / $0.lot).rounded(.down))...Int(($0.maximumBuy / $0.lot).rounded(.down))
        }
        var most = -Double.infinity
        func look(_ trades: [Double]) {
            guard trades.count < ranges.count else {
                guard problem.violation(trades: trades) <= 0 else { return }
                most = max(
                    most,
                    margin.requirement.funds(after: trades) - problem.cost(trades: trades).total
                        - margin.requirement.required(after: trades))
                return
            }
            let i = trades.count
            for count in ranges[i] { look(trades + [Double(count) * problem.instruments[i].lot]) }
        }
        look([])
        let solver = RequirementSolver()
        let now = margin.requirement.required(after: problem.instruments.map { _ in 0 })
        let size = margin.requirement.funds.magnitude + now.magnitude + 1
        let status = try solver.solve(
            problem, margin.requirement, RequirementTerms(balanceAtLeast: most.isFinite ? most + size : size))
        #expect(status == .infeasible)
        guard most.isFinite else { return }
        let largest = try #require(solver.answer.largestBalance)
        #expect((largest - most).magnitude <= 1e-7 * size)
        #expect((solver.answer.balance - most).magnitude <= 1e-7 * size)
    }

    @Test("Impact and a cash budget leave the funds too", arguments: 0..<16)
    func payments(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, engine)
        var problem = hedge.problem
        for i in problem.instruments.indices {
            let instrument = problem.instruments[i]
            problem.instruments[i].impact = 0.2 * instrument.costBuy / instrument.maximumBuy
        }
        if seed % 2 == 0 { problem.cashBudget = 1e4 * problem.instruments[0].costBuy * 100 }
        let solver = RequirementSolver()
        let status = try solver.solve(problem, hedge.margin.requirement, hedge.terms)
        #expect(status == .optimal || status == .infeasible)
        guard status == .optimal else { return }
        let exact = try hedge.margin.exact(
            after: solver.answer.hedge.trades, paying: solver.answer.hedge.cost.total)
        let size = exact.initialMargin.magnitude + exact.initialBalance.magnitude
        #expect(exact.initialBalance >= hedge.terms.balanceAtLeast - 1e-9 * size)
        #expect(solver.answer.gap <= 1e-7, "\(solver.answer.gap)")
    }

    @Test("Requirements of other instruments, prices below 0 and no numbers are refused")
    func refusals() throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: 0, engine)
        let solver = RequirementSolver()
        #expect(throws: HedgeError.self) {
            try solver.solve(hedge.problem, ConvexRequirement(instrumentCount: 1), hedge.terms)
        }
        #expect(throws: HedgeError.self) {
            try solver.solve(hedge.problem, hedge.margin.requirement, RequirementTerms(price: -1))
        }
        #expect(throws: HedgeError.self) {
            try solver.solve(
                hedge.problem, hedge.margin.requirement, RequirementTerms(balanceAtLeast: .nan))
        }
    }

    /// Problems, rows and answers for `scripts/check-margin-hedges`, a line each.
    @Test(
        "exportMarginHedges",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_MARGIN_EXPORT"] != nil, "for a script"))
    func exportMarginHedges() throws {
        let engine = try #require(Self.engine)
        let environment = ProcessInfo.processInfo.environment
        let path = try #require(environment["POISE_MARGIN_EXPORT"])
        let count = Int(environment["POISE_MARGIN_COUNT"] ?? "") ?? 1000
        var text = ""
        for seed in 0..<count {
            let hedge = try RandomMarginHedge(seed: seed, engine)
            let solver = RequirementSolver()
            let status = try solver.solve(hedge.problem, hedge.margin.requirement, hedge.terms)
            let answer = solver.answer
            var json = JSONWriter()
            json.object { json in
                json.member("name", hedge.name)
                json.member("problem") { json in hedge.problem.write(to: &json) }
                json.member("requirement") { json in hedge.margin.requirement.write(to: &json) }
                json.member(
                    "balanceAtLeast", hedge.terms.balanceAtLeast.isFinite ? hedge.terms.balanceAtLeast : nil)
                json.member("price", hedge.terms.price)
                json.member("status", status.rawValue)
                json.member("objective", answer.objective)
                json.member("required", answer.required)
                json.member("largestBalance", answer.largestBalance)
            }
            text += json.take() + "\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
