import Foundation
import Hedging
import TestSupport
import Testing

/// Random problems of all kinds against HiGHS and Clarabel: `scripts/check-hedges` solves the same problems with
/// them; the results are committed, so that the tests need nothing installed.
@Suite struct RandomHedgeTests {
    static let count = 2000

    struct Expected {
        let status: String
        let objective: Double
    }

    static let expected: [Expected] = {
        let file = SharedData.packageRoot.appendingPathComponent(
            "Tests/HedgingTests/Fixtures/independent.csv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            return Expected(status: String(fields[1]), objective: Double(fields[2]) ?? .nan)
        }
    }()

    /// Relative to the objective, or to a ten-thousandth of what the largest trades would cost where it is next
    /// to nothing. The others stop at tolerances of their own; the certificates prove ours to 1e-9.
    static let tolerance = 1e-6

    static func largestCost(_ problem: HedgeProblem) -> Double {
        problem.instruments.reduce(0) { $0 + $1.costBuy.magnitude * $1.maximumBuy }
    }

    @Test("Random problems have the status and cost that other solvers found")
    func agreesWithOthers() throws {
        #expect(Self.expected.count == Self.count)
        let solver = HedgeSolver()
        var worst = 0.0
        for (number, expected) in Self.expected.enumerated() {
            let problem = RandomHedges.problem(number)
            try solver.solve(problem)
            let solution = solver.solution
            #expect(solution.status.rawValue == expected.status, "\(problem.name): \(solution.status)")
            guard solution.status == .optimal, expected.status == "optimal" else { continue }
            #expect(solution.certificate.holds, "\(problem.name): \(solution.certificate)")
            let scale = max(expected.objective.magnitude, 1e-4 * Self.largestCost(problem))
            let error = (solution.cost.total - expected.objective) / scale
            worst = max(worst, error.magnitude)
            #expect(
                error.magnitude <= Self.tolerance,
                "\(problem.name): \(solution.cost.total) \(expected.objective)")
        }
        print("random hedges against HiGHS and Clarabel: worst relative difference \(worst)")
    }

    /// As many problems as `POISE_HEDGES` says: none of 60,000 ended without a proof.
    @Test(
        "Every answer to a random problem is proved",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_HEDGES"] != nil))
    func everyAnswerIsProved() throws {
        let count = Int(ProcessInfo.processInfo.environment["POISE_HEDGES"] ?? "") ?? 0
        let solver = HedgeSolver()
        var open = 0
        for number in Self.count..<Self.count + count {
            let problem = RandomHedges.problem(number)
            let status = try solver.solve(problem)
            if status == .uncertified || status == .budget {
                open += 1
                print("no proof: \(problem.name) \(status) \(solver.solution.certificate)")
            }
        }
        print("\(open) of \(count) hedges without a proof")
        #expect(open <= count / 20000)
    }

    @Test(
        "The exported problems are as many as the checking script expects",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_HEDGE_EXPORT"] != nil))
    func exportProblems() throws {
        let path = ProcessInfo.processInfo.environment["POISE_HEDGE_EXPORT"] ?? ""
        let lines = (0..<Self.count).map { RandomHedges.problem($0).json }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test("Warm starts end at the same optimum, from whatever came before")
    func warmEqualsCold() throws {
        let (cold, warm) = (HedgeSolver(), HedgeSolver())
        for number in 0..<400 {
            let base = RandomHedges.problem(number)
            guard !base.instruments.contains(where: { $0.lot > 0 || $0.fixedCost > 0 }) else { continue }
            var random = SeededGenerator(seed: UInt64(number))
            for _ in 0..<4 {
                var problem = base
                func factor() -> Double { 0.97 + 0.06 * Double(random.next() >> 11) * 0x1p-53 }
                for i in problem.instruments.indices {
                    problem.instruments[i].costBuy *= factor()
                    problem.instruments[i].costSell = max(
                        problem.instruments[i].costSell * factor(), -problem.instruments[i].costBuy)
                    problem.instruments[i].impact *= factor()
                }
                for r in problem.bands.indices {
                    let shift = (factor() - 1) * problem.bands[r].width
                    problem.bands[r].low += shift
                    problem.bands[r].high += shift
                }
                try cold.solve(problem)
                try warm.solve(problem, start: .warm)
                #expect(warm.solution.status == cold.solution.status, "\(problem.name)")
                guard cold.solution.status == .optimal, warm.solution.status == .optimal else { continue }
                let (a, b) = (warm.solution.cost.total, cold.solution.cost.total)
                #expect(
                    (a - b).magnitude <= 2e-9 * max(b.magnitude, 1e-4 * Self.largestCost(problem)),
                    "\(problem.name): \(a) \(b)")
            }
        }
    }
    /// Books that wander out of reach of their bands and back: the same answers as from nothing, and next to none of
    /// them from nothing.
    @Test("Books that wander out of reach and back get the answers of a cold solver")
    func wanderingBooks() throws {
        let (cold, warm) = (HedgeSolver(), HedgeSolver())
        var ticks = 0
        var infeasible = 0
        var fromNothing = 0
        for number in 0..<Self.count {
            var problem = RandomHedges.problem(number)
            guard !problem.instruments.contains(where: { $0.lot > 0 || $0.fixedCost > 0 }),
                problem.bands.contains(where: \.isHard), problem.name.contains("infeasible") == false
            else { continue }
            var random = SeededGenerator(seed: UInt64(number))
            let currents = problem.bands.map(\.current)
            for tick in 0..<12 {
                for r in problem.bands.indices where problem.bands[r].width.isFinite {
                    let step = 2 * Double(random.next() >> 11) * 0x1p-53 - 1
                    // Out, and by the same way back.
                    let reach = Double(min(tick, 11 - tick)) / 5
                    problem.bands[r].current =
                        currents[r] + (0.1 * step + reach * (r % 2 == 0 ? 1 : -1)) * problem.bands[r].width
                }
                let expected = try cold.solve(problem)
                let status = try warm.solve(problem, start: .warm)
                #expect(status == expected, "\(problem.name), tick \(tick)")
                guard tick > 0 else { continue }
                ticks += 1
                infeasible += status == .infeasible ? 1 : 0
                fromNothing += warm.solution.interiorSteps > 0 ? 1 : 0
                guard status == .optimal, expected == .optimal else { continue }
                #expect(warm.solution.certificate.holds)
                let (a, b) = (warm.solution.cost.total, cold.solution.cost.total)
                #expect(
                    (a - b).magnitude <= 1e-8 * max(b.magnitude, 1e-4 * Self.largestCost(problem)),
                    "\(problem.name), tick \(tick): \(a) \(b)")
            }
        }
        print("wandering books: \(ticks) ticks, \(infeasible) infeasible, \(fromNothing) from nothing")
        #expect(ticks > 5000 && infeasible * 10 > ticks)
        #expect(fromNothing * 50 <= ticks)
    }
}
