import Hedging
import TestSupport
import Testing

/// Whole lots of several underlyings that little ties together.
struct HedgePartsTests {
    enum Tie: CaseIterable {
        case band, softBand, margin, cash
    }

    /// An underlying of its own: three instruments in lots whose sizes do not go into what its band asks for.
    private static func add(_ u: Int, _ generator: inout SeededGenerator, to problem: inout HedgeProblem)
        -> [Int]
    {
        let own = (0..<3).map { k in
            problem.add(
                "u\(u)-i\(k)",
                HedgeInstrument(
                    underlying: problem.underlyings.count == 1 ? 0 : u,
                    costBuy: Double.random(in: 0.9...1.1, using: &generator), costSell: 2, lot: 1,
                    maximumBuy: 6,
                    maximumSell: 6, margin: 1, cash: 0))
        }
        let current = -Double.random(in: 7...12, using: &generator)
        problem.add(
            "u\(u)", HedgeBand(hard: 0, 0.2, current: current),
            coefficients: own.map {
                (instrument: $0, coefficient: Double.random(in: 0.8...1.3, using: &generator))
            })
        return own
    }

    @Test(
        "Underlyings that a wide limit ties together are proved apart, in few nodes", arguments: Tie.allCases)
    func apart(_ tie: Tie) throws {
        let count = 5
        var problem = HedgeProblem(underlyings: (0..<count).map { "U\($0)" })
        var expected = 0.0
        let solver = HedgeSolver()
        for u in 0..<count {
            var (here, alone) = (SeededGenerator(seed: UInt64(u)), SeededGenerator(seed: UInt64(u)))
            _ = Self.add(u, &here, to: &problem)
            var one = HedgeProblem(underlyings: ["U"])
            _ = Self.add(u, &alone, to: &one)
            #expect(try solver.solve(one) == .optimal)
            expected += solver.solution.cost.total
        }
        let all = problem.instruments.indices.map { (instrument: $0, coefficient: 1.0) }
        switch tie {
        case .band: problem.add("all", HedgeBand(hard: -1000, 1000, current: 0), coefficients: all)
        case .softBand:
            problem.add("all", HedgeBand(soft: -1000, 1000, current: 0, penalty: 3), coefficients: all)
        case .margin: problem.marginLimit = 1000
        case .cash: problem.cashBudget = 1000
        }
        #expect(try solver.solve(problem) == .optimal)
        #expect((solver.solution.cost.total - expected).magnitude <= 1e-9 * expected)
        #expect(solver.solution.gap <= 1e-9)
        // No more than a short search, after which they are taken apart.
        #expect(solver.solution.nodes <= 110, "\(solver.solution.nodes)")
    }

    @Test(
        "Where a limit binds, underlyings taken apart cost what they do in one piece", arguments: Tie.allCases
    )
    func tied(_ tie: Tie) throws {
        let solver = HedgeSolver()
        var (bound, sooner) = (0, 0)
        for seed in 0..<10 {
            var problem = HedgeProblem(underlyings: ["A", "B", "C"])
            var generator = SeededGenerator(seed: UInt64(seed) &+ 50)
            for u in 0..<3 { _ = Self.add(u, &generator, to: &problem) }
            for i in problem.instruments.indices { problem.instruments[i].margin = 1 + 0.1 * Double(i % 4) }
            guard try solver.solve(problem) == .optimal else { continue }
            let free = solver.solution
            let sum = free.trades.reduce(0, +)
            let all = problem.instruments.indices.map { (instrument: $0, coefficient: 1.0) }
            switch tie {
            case .band: problem.add("all", HedgeBand(hard: -1000, sum - 1, current: 0), coefficients: all)
            case .softBand:
                problem.add(
                    "all", HedgeBand(soft: -1000, sum - 1, current: 0, penalty: 0.5), coefficients: all)
            case .margin: problem.marginLimit = problem.margin(trades: free.trades) - 0.05
            case .cash:
                for i in problem.instruments.indices { problem.instruments[i].cash = Double(i % 3) }
                problem.cashBudget = problem.cash(trades: free.trades) - 0.05
            }
            // Of one underlying there is nothing to take apart.
            var whole = problem
            for i in whole.instruments.indices { whole.instruments[i].underlying = 0 }
            solver.search.nodeLimit = 1_000_000
            let expected = try solver.solve(whole)
            let cost = solver.solution.cost.total
            let status = try solver.solve(problem)
            #expect(status == expected, "\(seed)")
            guard status == .optimal else { continue }
            bound += 1
            #expect((solver.solution.cost.total - cost).magnitude <= 1e-7 * cost, "\(seed)")
            #expect(problem.violation(trades: solver.solution.trades) <= 1e-9)
            // Stopped where underlyings have just been taken apart.
            solver.search.nodeLimit = 100
            _ = try solver.solve(problem)
            let apart = solver.solution
            #expect(
                apart.cost.total * (1 - apart.gap) <= cost * (1 + 1e-9) || apart.gap == .infinity, "\(seed)")
            _ = try solver.solve(whole)
            if apart.gap < solver.solution.gap || apart.gap <= 1e-9 { sooner += 1 }
        }
        #expect(bound >= 4 && 2 * sooner >= bound, "\(bound) \(sooner)")
    }
}
