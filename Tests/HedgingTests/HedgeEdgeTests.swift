import Foundation
import Hedging
import TestSupport
import Testing

/// Answers that need no search, which rounding has hidden.
struct HedgeEdgeTests {
    /// Costs of many sizes, limits from 1 to none, some in lots and some with a fixed cost.
    static func instruments(
        _ count: Int, isWhole: Bool, _ generator: inout SeededGenerator
    ) -> [HedgeInstrument] {
        (0..<count).map { _ in
            func size(_ range: ClosedRange<Double>) -> Double {
                pow(10, Double.random(in: range, using: &generator))
            }
            let limit = [1, 1e3, 1e9, 1e18, .infinity].randomElement(using: &generator) ?? 1
            var one = HedgeInstrument(
                costBuy: size(-4...1), costSell: size(-4...1), maximumBuy: limit, maximumSell: limit)
            if Bool.random(using: &generator) { one.impact = size(-7 ... -1) }
            if isWhole, Bool.random(using: &generator) { one.lot = size(-1...1) }
            if isWhole, Int.random(in: 0..<3, using: &generator) == 0 { one.fixedCost = size(-1...1) }
            return one
        }
    }

    @Test("Where every band holds, nothing is traded and nothing paid", arguments: [false, true])
    func nothingToDo(_ isWhole: Bool) throws {
        let solver = HedgeSolver()
        for seed in 0..<400 {
            var generator = SeededGenerator(seed: UInt64(7_000 + seed))
            let count = Int.random(in: 1...6, using: &generator)
            var problem = HedgeProblem(underlyings: ["X"])
            for (place, one) in Self.instruments(count, isWhole: isWhole, &generator).enumerated() {
                problem.add("\(place)", one)
            }
            for band in 0..<Int.random(in: 1...4, using: &generator) {
                let current = Double.random(in: -3000...3000, using: &generator)
                let room = (0..<2).map { _ in Double.random(in: 0.1...4000, using: &generator) }
                let isOpen = Bool.random(using: &generator)
                let members = (0..<count).filter { _ in Bool.random(using: &generator) }
                problem.add(
                    "\(band)",
                    HedgeBand(
                        hard: current - room[0], isOpen ? .infinity : current + room[1], current: current),
                    coefficients: members.map {
                        (instrument: $0, coefficient: Double.random(in: -40...40, using: &generator))
                    })
            }
            #expect(try solver.solve(problem) == .optimal, "\(seed)")
            #expect(solver.solution.trades.allSatisfy { $0 == 0 }, "\(seed): \(solver.solution.trades)")
            #expect(solver.solution.cost.total == 0 && solver.solution.gap == 0, "\(seed)")
        }
    }

    @Test(
        "Bands that keep one sum, or a multiple of it, in ranges apart are called what they are, whatever else there is"
    )
    func contradictions() throws {
        let solver = HedgeSolver()
        for seed in 0..<400 {
            var generator = SeededGenerator(seed: UInt64(9_000 + seed))
            let count = Int.random(in: 2...24, using: &generator)
            var problem = HedgeProblem(underlyings: ["X"])
            for (place, one) in Self.instruments(count, isWhole: false, &generator).enumerated() {
                problem.add("\(place)", one)
            }
            var sums: [[(instrument: Int, coefficient: Double)]] = []
            for band in 0..<Int.random(in: 1...10, using: &generator) {
                let members = (0..<count).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
                let sum = (members.isEmpty ? [0] : members).map {
                    let size = pow(10, Double.random(in: -2...2, using: &generator))
                    return (instrument: $0, coefficient: Bool.random(using: &generator) ? size : -size)
                }
                sums.append(sum)
                let current = Double.random(in: -3000...3000, using: &generator)
                problem.add(
                    "\(band)", HedgeBand(hard: -.infinity, current - 100, current: current), coefficients: sum
                )
            }
            let place = Int.random(in: sums.indices, using: &generator)
            let multiples: [Double] = [1, -1, 2, -0.5]
            let multiple = multiples.randomElement(using: &generator) ?? 1
            let first = problem.bands[place]
            let edge = multiple * (first.high + Double.random(in: 0.5...50, using: &generator))
            problem.add(
                "against",
                multiple > 0
                    ? HedgeBand(hard: edge, .infinity, current: multiple * first.current)
                    : HedgeBand(hard: -.infinity, edge, current: multiple * first.current),
                coefficients: sums[place].map {
                    (instrument: $0.instrument, coefficient: multiple * $0.coefficient)
                })
            #expect(try solver.solve(problem) == .infeasible, "\(seed)")
        }
    }
}
