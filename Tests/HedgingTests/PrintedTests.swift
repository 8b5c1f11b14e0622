import Hedging
import TestSupport
import Testing

/// Whole answers to random problems, beside what they were when somebody last looked at them.
struct PrintedTests {
    /// All of it that is the same whichever way it was found: with several cheapest trades, which they are is not.
    private static func line(_ problem: HedgeProblem, _ solver: HedgeSolver) -> [String] {
        let solution = solver.solution
        return Printed.lines(
            "\(problem.name) \(solution.status)",
            [solution.cost.total, solution.gap <= 1e-6 ? 1 : 0, solution.certificate.holds ? 1 : 0])
    }

    @Test("The least cost of problems of every kind, from nothing and after a tick")
    func costs() throws {
        var lines: [String] = []
        let solver = HedgeSolver()
        solver.search.nodeLimit = 500
        let problems = (0..<160).map { RandomHedges.problem($0) } + (0..<160).map { RandomCurves.problem($0) }
        for var problem in problems {
            // Where a search ends at its limit, what it has found is the way it went.
            guard try solver.solve(problem) != .budget else { continue }
            lines += Self.line(problem, solver)
            for r in problem.bands.indices {
                problem.bands[r].current += 0.05 * Double((r * 2) % 3 - 1) * problem.bands[r].width
            }
            guard try solver.solve(problem, start: .warm) != .budget else { continue }
            lines += Self.line(problem, solver)
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "costs.txt")
        #expect(difference == nil)
    }

    @Test("Why problems have no solution, how near one comes to one, and what more room would cost")
    func diagnoses() throws {
        var lines: [String] = []
        let solver = HedgeSolver()
        solver.search.nodeLimit = 500
        for number in 0..<160 {
            var problem = number % 2 == 0 ? RandomHedges.problem(number) : RandomCurves.problem(number)
            for r in problem.bands.indices where problem.bands[r].isHard && (r + number) % 3 == 0 {
                problem.bands[r].current +=
                    5 * (problem.bands[r].width < .infinity ? problem.bands[r].width : 1)
            }
            if number % 5 == 4 { problem.cashBudget = -1e5 }
            guard try solver.solve(problem) == .infeasible else { continue }
            guard let diagnosis = try solver.diagnose(problem) else {
                lines.append("\(problem.name): only lots stand in the way")
                continue
            }
            // Cheapest trades that come nearest may be several.
            lines += Printed.lines(
                problem.name,
                [
                    diagnosis.totalViolation, diagnosis.worstViolation, diagnosis.leastCash ?? -1,
                    diagnosis.gap < 1e-6 ? 1 : 0, diagnosis.marginPrice < 0 ? 1 : 0,
                    diagnosis.cashPrice < 0 ? 1 : 0,
                ])
            guard !problem.instruments.contains(where: { $0.lot > 0 || $0.fixedCost > 0 }),
                diagnosis.totalViolation < .infinity
            else { continue }
            let costs = try solver.costsBySlack(problem, diagnosis)
            lines += Printed.lines(problem.name + " slack", costs.map { $0.cost ?? -1 })
            lines.append("\(problem.name) sensible: \(HedgeInfeasibility.sensibleSlack(costs)?.widths ?? -1)")
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "diagnoses.txt")
        #expect(difference == nil)
    }
}
