import Hedging
import TestSupport
import Testing

/// What it takes to solve: steps and nodes are counted. The solvers add, multiply, divide and take roots, nothing else,
/// so that counts are the same on every machine; a change that needs more of them says so here.
@Suite struct HedgeWorkTests {
    /// Of the interior point method, of the active set, and of a search.
    struct Work: Equatable, CustomStringConvertible {
        var interiorSteps = 0
        var pivots = 0
        var nodes = 0

        init(_ interiorSteps: Int = 0, _ pivots: Int = 0, _ nodes: Int = 0) {
            (self.interiorSteps, self.pivots, self.nodes) = (interiorSteps, pivots, nodes)
        }

        var description: String { "Work(\(interiorSteps), \(pivots), \(nodes))" }

        mutating func add(_ solution: HedgeSolution) {
            interiorSteps += solution.interiorSteps
            pivots += solution.pivots
            nodes += solution.nodes
        }
    }

    /// Counts of 40 problems of each kind from nothing, and of 3 ticks after each.
    static let expected: [(kind: String, cold: Work, warm: Work)] = [
        ("base", Work(0, 501, 0), Work(0, 261, 0)),
        ("mixed", Work(0, 512, 0), Work(0, 234, 0)),
        ("soft", Work(0, 432, 0), Work(0, 224, 0)),
        ("linear", Work(24, 557, 0), Work(0, 331, 0)),
        ("risk", Work(0, 874, 0), Work(0, 259, 0)),
        ("duplicates", Work(9, 520, 0), Work(0, 217, 0)),
        ("zero-Greeks", Work(0, 450, 0), Work(0, 266, 0)),
        ("infeasible", Work(0, 0, 0), Work(0, 0, 0)),
        ("tight", Work(0, 982, 0), Work(0, 346, 0)),
        ("scaled", Work(0, 513, 0), Work(0, 257, 0)),
        ("margin", Work(0, 559, 0), Work(0, 251, 0)),
        ("no-trade", Work(0, 120, 0), Work(0, 120, 0)),
        ("equality", Work(0, 501, 0), Work(0, 200, 0)),
        ("one-sided", Work(0, 402, 0), Work(0, 510, 0)),
        ("lots", Work(0, 324, 311), Work(0, 191, 877)),
        ("fixed", Work(0, 304, 206), Work(0, 171, 619)),
    ]

    @Test("Each kind of problem takes as many steps and nodes as it did", arguments: RandomHedges.kinds)
    func random(_ kind: String) throws {
        let place = try #require(RandomHedges.kinds.firstIndex(of: kind))
        let solver = HedgeSolver()
        solver.search.nodeLimit = 2000
        var (cold, warm) = (Work(), Work())
        for round in 0..<40 {
            var problem = RandomHedges.problem(place + round * RandomHedges.kinds.count)
            try solver.solve(problem)
            cold.add(solver.solution)
            for tick in 1...3 {
                for i in problem.instruments.indices {
                    let factor = 1 + 0.01 * Double((tick * 7 + i * 3) % 5 - 2)
                    problem.instruments[i].costBuy *= factor
                    problem.instruments[i].costSell = max(
                        problem.instruments[i].costSell * factor, -problem.instruments[i].costBuy)
                }
                for r in problem.bands.indices {
                    problem.bands[r].current +=
                        0.05 * Double((tick * 5 + r * 2) % 3 - 1) * problem.bands[r].width
                }
                try solver.solve(problem, start: .warm)
                warm.add(solver.solution)
            }
        }
        let row = Self.expected.first { $0.kind == kind }
        #expect(cold == row?.cold && warm == row?.warm, "(\"\(kind)\", \(cold), \(warm)),")
    }

    static let expectedOfNasty: [(kind: String, work: Work)] = [
        ("plain", Work(91, 264, 0)),
        ("wide", Work(242, 568, 0)),
        ("degenerate", Work(15, 108, 0)),
        ("contradictory", Work(15, 103, 0)),
        ("earning", Work(327, 712, 0)),
        ("limits", Work(106, 481, 0)),
        ("free", Work(77, 163, 0)),
        ("soft", Work(172, 500, 0)),
        ("risk", Work(339, 646, 0)),
        ("margin", Work(155, 661, 0)),
        ("units", Work(106, 356, 0)),
        ("unlimited", Work(84, 425, 0)),
        ("equality", Work(149, 190, 0)),
        ("lots", Work(0, 70, 44)),
    ]

    @Test("Each kind of hard problem takes as many steps and nodes as it did", arguments: NastyHedges.kinds)
    func nasty(_ kind: String) throws {
        let place = try #require(NastyHedges.kinds.firstIndex(of: kind))
        let solver = HedgeSolver()
        solver.search.nodeLimit = 2000
        var work = Work()
        for round in 0..<10 {
            try solver.solve(NastyHedges.problem(place + round * NastyHedges.kinds.count))
            work.add(solver.solution)
        }
        let row = Self.expectedOfNasty.first { $0.kind == kind }
        #expect(work == row?.work, "(\"\(kind)\", \(work)),")
    }

    /// Costs by level as in an order book, as in both, as in a pool: from nothing, and of 2 ticks after each.
    static let expectedOfCurves: [(cold: Work, warm: Work)] = [
        (Work(143, 593, 50), Work(286, 1237, 114)),
        (Work(241, 772, 1894), Work(502, 1296, 2717)),
        (Work(274, 524, 42), Work(538, 916, 92)),
    ]

    @Test("Problems with costs by level take as many steps and nodes as they did", arguments: 0..<3)
    func curves(_ kind: Int) throws {
        let solver = HedgeSolver()
        solver.search.nodeLimit = 500
        var (cold, warm) = (Work(), Work())
        for round in 0..<40 {
            var problem = RandomCurves.problem(kind + 3 * round)
            try solver.solve(problem)
            cold.add(solver.solution)
            for tick in 1...2 {
                for r in problem.bands.indices {
                    problem.bands[r].current +=
                        0.05 * Double((tick * 5 + r * 2) % 3 - 1) * problem.bands[r].width
                }
                try solver.solve(problem, start: .warm)
                warm.add(solver.solution)
            }
        }
        let row = Self.expectedOfCurves[kind]
        #expect(cold == row.cold && warm == row.warm, "(\(cold), \(warm)),")
    }

    /// Of searches that take underlyings apart.
    static let expectedOfParts = Work(0, 1107, 2340)

    @Test("Whole lots of several underlyings take as many steps and nodes as they did")
    func parts() throws {
        let solver = HedgeSolver()
        solver.search.nodeLimit = 1000
        var work = Work()
        var hard = 0
        for number in 0..<600 {
            var problem = RandomHedges.problem(number)
            guard problem.underlyings.count > 1, problem.risk == nil, problem.instruments.count <= 16,
                ["base", "mixed", "soft", "margin"].contains(problem.name.prefix { $0 != "-" })
            else { continue }
            for i in problem.instruments.indices {
                problem.instruments[i].lot =
                    problem.instruments[i].maximumBuy / Double(3 + (number + 5 * i) % 11)
            }
            try solver.solve(problem)
            work.add(solver.solution)
            hard += solver.solution.nodes > 100 ? 1 : 0
        }
        #expect(work == Self.expectedOfParts, "\(work)")
        #expect(hard > 1)
    }
}
