import Hedging
import Testing

/// A solver keeps what it can of the problem before, and nothing that another shape has no use for.
struct HedgeShapeTests {
    static func desk(_ change: (inout HedgeProblem) -> Void = { _ in }) -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["X", "Y"])
        for (number, cost) in [3.0, 4, 6, 7].enumerated() {
            problem.add(
                "\(number)",
                HedgeInstrument(
                    underlying: number / 2, costBuy: cost, costSell: cost, impact: 0.1, maximumBuy: 50,
                    maximumSell: 50))
        }
        problem.add("x", HedgeBand(hard: -1, 1, current: 9), coefficients: [0: 1, 1: 2])
        problem.add("y", HedgeBand(hard: -2, 2, current: -30), coefficients: [2: 3, 3: 1])
        change(&problem)
        return problem
    }

    static let shapes: [(name: String, problem: HedgeProblem)] = [
        ("as it was", desk()),
        ("another instrument in a band", desk { $0.entries[0].instrument = 2 }),
        ("another underlying", desk { $0.instruments[1].underlying = 1 }),
        (
            "bands of other lengths",
            {
                var problem = HedgeProblem(underlyings: ["X", "Y"])
                let base = desk()
                for i in 0..<4 { problem.add("\(i)", base.instruments[i]) }
                problem.add("x", HedgeBand(hard: -1, 1, current: 9), coefficients: [0: 1, 1: 2, 2: 3])
                problem.add("y", HedgeBand(hard: -2, 2, current: -30), coefficients: [3: 1])
                return problem
            }()
        ),
        (
            "a price of risk",
            desk {
                $0.risk = HedgeRisk(
                    riskAversion: 0.5, covariance: [1, 0.2, 0.2, 2], dollarDelta: [5, -5],
                    exposure: [1, 2, 1, 3])
            }
        ),
        (
            "one instrument more",
            desk { $0.add("4", HedgeInstrument(costBuy: 0.1, costSell: 0.1, maximumBuy: 1, maximumSell: 1)) }
        ),
        (
            "one band more",
            desk { $0.add("all", HedgeBand(hard: 0, 1, current: 0), coefficients: [0: 1, 3: 1]) }
        ),
    ]

    @Test(
        "After a problem of any other shape the answer is a fresh solver's", arguments: shapes.indices,
        shapes.indices)
    func freshAnswer(_ first: Int, _ second: Int) throws {
        let (used, fresh) = (HedgeSolver(), HedgeSolver())
        try used.solve(Self.shapes[first].problem)
        let problem = Self.shapes[second].problem
        try used.solve(problem, start: .warm)
        #expect(try fresh.solve(problem) == .optimal)
        let (a, b) = (used.solution, fresh.solution)
        #expect(a.status == .optimal && (a.cost.total - b.cost.total).magnitude <= 1e-9 * b.cost.total)
        #expect(a.trades.count == problem.instruments.count && a.bandPrices.count == problem.bands.count)
        for (x, y) in zip(a.trades, b.trades) { #expect((x - y).magnitude < 1e-6) }
    }

    @Test(
        "What misses a limit by less than a billionth of its width is met; what misses it by more is diagnosed"
    )
    func edgeOfInfeasibility() throws {
        for (missing, isInfeasible) in [
            (0.0, false), (0.5e-9, false), (3e-9, true), (3e-8, true), (1e-3, true),
        ] {
            var problem = HedgeProblem(underlyings: ["X"])
            problem.add("a", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 4, maximumSell: 4))
            problem.add(
                "band", HedgeBand(hard: 4 + missing * 8, 12 + missing * 8, current: 0), coefficients: [0: 1])
            let solver = HedgeSolver()
            let status = try solver.solve(problem)
            if missing == 0 || isInfeasible { #expect((status == .infeasible) == isInfeasible, "\(missing)") }
            let diagnosis = try solver.diagnose(problem)
            #expect((diagnosis != nil) == isInfeasible, "\(missing)")
            guard let diagnosis else { continue }
            // Less than 1e-8 of a width is not shown.
            let shown = missing > 1e-8 ? missing : 0
            #expect((diagnosis.totalViolation - shown).magnitude < 1e-11, "\(diagnosis)")
            #expect(diagnosis.trades == [4])
        }
    }
}
