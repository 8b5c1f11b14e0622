import Hedging
import TestSupport
import Testing

/// What hedges under a requirement take: rounds, planes, steps and nodes are counted, as in `HedgeWorkTests`.
struct RequirementWorkTests {
    struct Work: Equatable, CustomStringConvertible {
        var rounds = 0
        var planes = 0
        var interiorSteps = 0
        var pivots = 0
        var nodes = 0

        init(
            _ rounds: Int = 0, _ planes: Int = 0, _ interiorSteps: Int = 0, _ pivots: Int = 0,
            _ nodes: Int = 0
        ) {
            (self.rounds, self.planes) = (rounds, planes)
            (self.interiorSteps, self.pivots, self.nodes) = (interiorSteps, pivots, nodes)
        }

        var description: String { "Work(\(rounds), \(planes), \(interiorSteps), \(pivots), \(nodes))" }

        mutating func add(_ answer: RequirementAnswer) {
            rounds += answer.rounds
            planes += answer.planesAdded
            interiorSteps += answer.hedge.interiorSteps
            pivots += answer.hedge.pivots
            nodes += answer.hedge.nodes
        }
    }

    /// From nothing, and of 3 ticks after each.
    static let expected: [(payment: RequirementTests.Payment, lots: Bool, cold: Work, warm: Work)] = [
        (.linear, false, Work(60, 37, 38, 317, 0), Work(121, 2, 50, 399, 0)),
        (.linear, true, Work(87, 57, 24, 217, 113), Work(178, 2, 44, 549, 327)),
        (.impact, false, Work(82, 74, 38, 279, 0), Work(149, 30, 135, 708, 0)),
        (.impact, true, Work(102, 96, 18, 293, 111), Work(191, 17, 114, 767, 261)),
        (.budget, false, Work(68, 50, 118, 375, 0), Work(122, 3, 272, 950, 0)),
        (.budget, true, Work(76, 44, 55, 277, 108), Work(162, 5, 195, 787, 304)),
        (.everything, false, Work(73, 55, 190, 572, 0), Work(141, 21, 634, 1878, 0)),
        (.everything, true, Work(81, 51, 112, 480, 59), Work(174, 22, 351, 1358, 190)),
    ]

    @Test("Hedges under a requirement take as many rounds, planes, steps and nodes as they did")
    func requirements() throws {
        for payment in RequirementTests.Payment.allCases {
            for lots in [false, true] {
                let solver = RequirementSolver()
                solver.search.nodeLimit = 1000
                var (cold, warm) = (Work(), Work())
                for seed in 0..<40 {
                    var drawn = RequirementTests.Drawn(seed, lots: lots, tickets: lots && seed % 2 == 0)
                    drawn.pay(payment)
                    try solver.solve(drawn.problem, drawn.requirement, drawn.terms)
                    cold.add(solver.answer)
                    for tick in 1...3 {
                        drawn.problem.bands[0].current += 0.1 * Double(tick % 3 - 1)
                        drawn.requirement.funds += 0.05 * Double((tick * 2) % 3 - 1)
                        drawn.problem.instruments[tick % 3].costBuy *= 1.02
                        try solver.solve(drawn.problem, drawn.requirement, drawn.terms, start: .warm)
                        warm.add(solver.answer)
                    }
                }
                let row = Self.expected.first { $0.payment == payment && $0.lots == lots }
                #expect(
                    cold == row?.cold && warm == row?.warm,
                    "(.\(payment.rawValue), \(lots), \(cold), \(warm)),")
            }
        }
    }
}
