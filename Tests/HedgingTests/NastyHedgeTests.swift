import Foundation
import Hedging
import Testing

/// Problems that are hard on a solver: `scripts/check-hedges --nasty` judges many more, with HiGHS and Clarabel.
@Suite struct NastyHedgeTests {
    /// How many of a thousand may stay without a proof.
    static let unprovedPerThousand = 20

    @Test(
        "What is called optimal keeps every hard limit and is certified, and next to all problems are answered"
    )
    func answersAreProved() throws {
        let solver = HedgeSolver()
        solver.search.nodeLimit = 2000
        var unproved = 0
        let count = 140
        for number in 0..<count {
            let problem = NastyHedges.problem(number)
            let status = try solver.solve(problem)
            let solution = solver.solution
            switch status {
            case .optimal:
                #expect(problem.violation(trades: solution.trades) <= 1e-9, "\(problem.name)")
                #expect(solution.certificate.violation <= 1e-9, "\(problem.name)")
                #expect(solution.gap <= 1e-9, "\(problem.name)")
            case .budget:
                // Trades that are printed keep the limits, if they could cost less.
                if solution.gap < .infinity {
                    #expect(problem.violation(trades: solution.trades) <= 1e-9, "\(problem.name)")
                }
            case .uncertified:
                unproved += 1
                #expect(solution.gap == solution.certificate.gap, "\(problem.name)")
            case .infeasible: break
            }
        }
        #expect(unproved * 1000 <= count * Self.unprovedPerThousand)
    }

    @Test(
        "Limits that do not bind change nothing, be they 1e6, 1e12 or none",
        arguments: [1e6, 1e9, 1e12, 1e15, .infinity])
    func farLimitsChangeNothing(limit: Double) throws {
        let solver = HedgeSolver()
        var compared = 0
        for number in 0..<96 {
            var problem = RandomHedges.problem(number)
            guard problem.instruments.allSatisfy({ $0.costBuy >= 0 && $0.costSell >= 0 }),
                problem.name.hasPrefix("scaled") == false
            else { continue }
            for i in problem.instruments.indices {
                problem.instruments[i].maximumBuy = 1e5
                problem.instruments[i].maximumSell = 1e5
            }
            let expected = try solver.solve(problem)
            let before = solver.solution
            guard expected == .optimal, before.trades.allSatisfy({ $0.magnitude < 5e4 }) else { continue }
            for i in problem.instruments.indices {
                problem.instruments[i].maximumBuy = limit
                problem.instruments[i].maximumSell = limit
            }
            let status = try solver.solve(problem)
            #expect(status == .optimal, "\(problem.name)")
            let difference = solver.solution.cost.total - before.cost.total
            #expect(
                difference.magnitude <= 3e-9 * before.cost.total.magnitude + 1e-12,
                "\(problem.name): \(solver.solution.cost.total) \(before.cost.total)")
            compared += 1
        }
        #expect(compared > 15)
    }

    @Test("Where nothing is to be done nothing is traded, and a band is met, whatever may be traded")
    func hugeLimits() throws {
        for limit in [1e9, 1e12, 1e18, .infinity] {
            var problem = HedgeProblem(underlyings: [""])
            let one = problem.add(
                "one", HedgeInstrument(costBuy: 0.01, costSell: 0.01, maximumBuy: limit, maximumSell: limit))
            let solver = HedgeSolver()
            try solver.solve(problem)
            #expect(solver.solution.status == .optimal)
            #expect(solver.solution.trades == [0])
            problem.add("band", HedgeBand(hard: -1, 1, current: 5), coefficients: [one: 1])
            try solver.solve(problem)
            #expect(solver.solution.status == .optimal)
            #expect((solver.solution.trades[0] + 4).magnitude < 1e-9)
            problem.instruments[0].lot = 1e-6
            try solver.solve(problem)
            #expect(solver.solution.status == .optimal)
            #expect((solver.solution.trades[0] + 4).magnitude < 1e-9)
        }
    }

    @Test("A side that earns needs a limit")
    func earningWithoutEnd() {
        var problem = HedgeProblem(underlyings: [""])
        problem.add("earns", HedgeInstrument(costBuy: -1, costSell: 1, maximumBuy: .infinity, maximumSell: 1))
        #expect(throws: HedgeError.self) { try problem.validate() }
    }

    @Test("Trades that leave a band are not certified by what could have been traded")
    func certificateIsOfTheAnswer() {
        var problem = HedgeProblem(underlyings: [""])
        problem.add("one", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 1e12, maximumSell: 1e12))
        problem.add("band", HedgeBand(hard: -1, 1, current: 5), coefficients: [0: 1])
        #expect(problem.violation(trades: [0]) >= 1)
        #expect(problem.violation(trades: [-4]) == 0)
    }

    @Test("A time limit or a host's no ends any problem soon, without lots, too")
    func stops() throws {
        let problem = NastyHedges.problem(7, size: 1500)
        let solver = HedgeSolver()
        solver.search.timeLimit = 0.02
        let begin = ContinuousClock.now
        let status = try solver.solve(problem)
        #expect(ContinuousClock.now - begin < .seconds(5))
        if status == .budget { #expect(solver.solution.gap == .infinity) }
        solver.search.timeLimit = .infinity
        var questions = 0
        solver.isCancelled = {
            questions += 1
            return true
        }
        #expect(try solver.solve(problem) == .budget)
        #expect(questions == 1)
        #expect(solver.solution.trades.allSatisfy { $0 == 0 })
        solver.isCancelled = nil
        #expect(try solver.solve(NastyHedges.problem(0)) == .optimal)
    }

    @Test(
        "At the edge of what has a solution there is an answer, and it keeps every hard limit or proves that none does"
    )
    func edges() throws {
        let solver = HedgeSolver()
        var (optimal, infeasible) = (0, 0)
        for number in 0..<60 {
            guard let problem = try NastyHedges.edge(number) else { continue }
            switch try solver.solve(problem) {
            case .optimal:
                optimal += 1
                #expect(problem.violation(trades: solver.solution.trades) <= 1e-9, "\(problem.name)")
            case .infeasible: infeasible += 1
            case .budget, .uncertified: Issue.record("\(problem.name): \(solver.solution.gap)")
            }
        }
        #expect(optimal > 5)
        #expect(infeasible > 5)
    }

    /// What scripts/check-hedges judges: `POISE_NASTY_HEDGES` answers, written where `POISE_HEDGE_EXPORT` says.
    @Test(
        "Answers to nasty problems are written for others to judge",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_NASTY_HEDGES"] != nil))
    func exportAnswers() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["POISE_NASTY_HEDGES"] ?? "") ?? 0
        let first = Int(environment["POISE_NASTY_FIRST"] ?? "") ?? 0
        let isEdge = environment["POISE_NASTY_EDGE"] != nil
        let path = environment["POISE_HEDGE_EXPORT"] ?? ""
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try #require(FileHandle(forWritingAtPath: path))
        let solver = HedgeSolver()
        solver.search.nodeLimit = 20_000
        func list(_ values: [Double]) -> String { "[\(values.map { "\($0)" }.joined(separator: ","))]" }
        for number in first..<first + count {
            guard let problem = isEdge ? try NastyHedges.edge(number) : NastyHedges.problem(number) else {
                continue
            }
            try solver.solve(problem)
            let solution = solver.solution
            let text = """
                {"problem": \(problem.json), "status": "\(solution.status)", "x": \(list(solution.trades)), \
                "dual": \(list(solution.bandPrices)), "dualMargin": \(solution.marginPrice), \
                "dualBudget": \(solution.cashPrice)}

                """
            file.write(Data(text.utf8))
        }
    }
}
