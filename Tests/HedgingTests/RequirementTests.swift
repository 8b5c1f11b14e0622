import Foundation
import Hedging
import Risk
import TestSupport
import Testing

/// Hedges under a convex requirement, a limit or a price, whatever it is the margin of.
struct RequirementTests {
    enum Payment: String, CaseIterable {
        case linear, impact, budget, everything
    }

    /// Three instruments, a band, and a requirement of some scenarios and short positions.
    struct Drawn {
        var problem = HedgeProblem(underlyings: ["X"])
        var requirement = ConvexRequirement(instrumentCount: 3)
        var terms: RequirementTerms
        private var generator: SeededGenerator

        mutating func number(_ range: ClosedRange<Double>) -> Double {
            Double.random(in: range, using: &generator)
        }

        init(_ seed: Int, lots: Bool = false, tickets: Bool = false) {
            generator = SeededGenerator(seed: UInt64(seed) &+ 977)
            terms = RequirementTerms()
            for k in 0..<3 {
                var own = HedgeInstrument(
                    costBuy: number(0.1...1), costSell: number(0.1...1), maximumBuy: number(2...4),
                    maximumSell: number(2...4))
                if lots { own.lot = 1 }
                if tickets { own.fixedCost = number(0...2) }
                own.cash = number(-1...1)
                problem.add("i\(k)", own)
            }
            let slopes = (0..<3).map { (instrument: $0, coefficient: number(-1...1)) }
            let (width, current) = (number(0.5...2), number(-3...3))
            problem.add("b", HedgeBand(hard: -width, width, current: current), coefficients: slopes)
            let scenarios = (0..<5).map { _ in (number(0...12), (0..<3).map { _ in number(-4...4) }) }
            for (loss, slopes) in scenarios {
                let line = requirement.addLine(
                    loss, slopes.enumerated().map { (instrument: $0, coefficient: $1) })
                requirement.addOutcome("scenario", line: line, [])
            }
            requirement.addWorst(weight: number(0.5...1.5))
            // What is short of the first by more than one.
            let none = requirement.addLine(0, [])
            let short = requirement.addLine(-1, [(instrument: 0, coefficient: -1)])
            let kink = requirement.addKink(none..<short + 1)
            requirement.setBase(line: none, [ConvexRequirement.Part(kink: kink, weight: number(0...3))])
            requirement.fundsSlopes = (0..<3).map { _ in number(-0.5...0.5) }
            requirement.funds = 20
            let now = requirement.required(after: [0, 0, 0])
            let way = number(0...1)
            if way < 0.7 { terms.balanceAtLeast = 20 - now + now * number(-0.2...0.4) }
            if way > 0.5 { terms.price = number(0.01...0.5) }
        }

        mutating func pay(_ payment: Payment) {
            if payment == .impact || payment == .everything {
                for i in problem.instruments.indices { problem.instruments[i].impact = number(0...0.3) }
            }
            if payment == .budget || payment == .everything { problem.cashBudget = number(0...2) }
        }

        /// What trades cost with the price of what they require, and by how much they miss a limit.
        func judge(_ trades: [Double]) -> (objective: Double, missing: Double) {
            let cost = problem.cost(trades: trades)
            let required = requirement.required(after: trades)
            let paid = cost.linear + cost.impact + cost.levels + cost.fixed
            let balance = requirement.funds(after: trades) - paid - required
            return (
                cost.total + terms.price * required,
                max(problem.violation(trades: trades), terms.balanceAtLeast - balance, 0)
            )
        }

        /// The least objective of all whole lots, and the most that any leave.
        func best() -> (objective: Double, balance: Double) {
            var (best, most) = (Double.infinity, -Double.infinity)
            func look(_ trades: [Double]) {
                guard trades.count < 3 else {
                    guard problem.violation(trades: trades) <= 0 else { return }
                    most = max(
                        most,
                        requirement.funds(after: trades) - problem.cost(trades: trades).total
                            - requirement.required(after: trades))
                    let (objective, missing) = judge(trades)
                    if missing <= 0 { best = min(best, objective) }
                    return
                }
                let own = problem.instruments[trades.count]
                for count in -Int(own.maximumSell)...Int(own.maximumBuy) { look(trades + [Double(count)]) }
            }
            look([])
            return (best, most)
        }
    }

    @Test(
        "Trades of any amount keep limit, band and budget, and no trades near them cost less",
        arguments: Payment.allCases)
    func anyAmounts(_ payment: Payment) throws {
        let solver = RequirementSolver()
        var (optimal, held) = (0, 0)
        for seed in 0..<40 {
            var drawn = Drawn(seed)
            drawn.pay(payment)
            let status = try solver.solve(drawn.problem, drawn.requirement, drawn.terms)
            #expect(status == .optimal || status == .infeasible, "\(seed): \(status)")
            let answer = solver.answer
            guard status == .optimal else { continue }
            optimal += 1
            let (objective, missing) = drawn.judge(answer.hedge.trades)
            #expect(missing <= 1e-8, "\(seed): \(missing)")
            #expect((answer.objective - objective).magnitude <= 1e-9 * max(1, objective.magnitude))
            #expect(answer.gap <= 1e-7 && answer.bound <= objective + 1e-8, "\(seed): \(answer.gap)")
            #expect(answer.requiredBefore == drawn.requirement.required(after: [0, 0, 0]))
            #expect(answer.balanceBefore == drawn.requirement.funds - answer.requiredBefore)
            if answer.limitPrice > 0 { held += 1 }
            let prices = answer.outcomePrices.reduce(0, +)
            let weight = drawn.requirement.worstWeight(0)
            #expect(
                (prices - weight * (answer.limitPrice + drawn.terms.price)).magnitude <= 1e-6,
                "\(seed): \(prices)")
            // Convex: what costs less would do so next to it.
            for i in 0..<3 {
                for j in 0..<3 {
                    for (a, b) in [(1e-3, 1e-3), (1e-3, -1e-3), (-1e-3, 1e-3), (-1e-3, -1e-3)] {
                        var moved = answer.hedge.trades
                        moved[i] += a
                        moved[j] += i == j ? 0 : b
                        let (near, missing) = drawn.judge(moved)
                        #expect(missing > 1e-9 || near >= objective - 1e-8, "\(seed): \(near) \(objective)")
                    }
                }
            }
        }
        #expect(optimal >= 10 && held >= 4, "\(optimal) \(held)")
    }

    @Test(
        "Whole lots, with what a trade costs by itself or without, are the best of all whole lots",
        arguments: [false, true])
    func wholeLots(_ tickets: Bool) throws {
        let solver = RequirementSolver()
        var optimal = 0
        for seed in 0..<60 {
            let drawn = Drawn(seed, lots: true, tickets: tickets)
            let status = try solver.solve(drawn.problem, drawn.requirement, drawn.terms)
            let (best, most) = drawn.best()
            let answer = solver.answer
            #expect((status == .infeasible) == (best == .infinity), "\(seed): \(status), \(best)")
            if status == .infeasible, most > -.infinity, drawn.terms.balanceAtLeast > -.infinity {
                #expect(
                    answer.largestBalance.map { ($0 - most).magnitude <= 1e-6 } == true, "\(seed): \(most)")
            }
            guard status != .infeasible, answer.gap < .infinity else { continue }
            let (objective, missing) = drawn.judge(answer.hedge.trades)
            #expect(missing <= 1e-8 && objective >= best - 1e-8, "\(seed): \(objective), \(best)")
            #expect(
                (answer.objective - objective).magnitude <= 1e-8 && answer.bound <= best + 1e-8, "\(seed)")
            #expect(answer.hedge.trades.allSatisfy { $0 == $0.rounded() })
            guard status == .optimal else { continue }
            optimal += 1
            #expect(objective <= best + 1e-8, "\(seed): \(objective), \(best)")
        }
        #expect(optimal >= 15, "\(optimal)")
    }
}
