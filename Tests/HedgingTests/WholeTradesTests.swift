import Hedging
import TestSupport
import Testing

@Suite struct WholeTradesTests {
    /// A cheap instrument that trades 5 or more (with lots of 2: 6 or more) and a dear one that trades any amount: by
    /// hand.
    @Test("Smallest trades and lots are kept at the least cost, by hand")
    func smallestTradesByHand() throws {
        let solver = HedgeSolver()
        for lot in [0.0, 2] {
            for tenths in 1...120 {
                let need = Double(tenths) / 10
                var problem = HedgeProblem(underlyings: ["X"])
                problem.add(
                    "cheap",
                    HedgeInstrument(
                        costBuy: 1, costSell: 1, lot: lot, minimum: 5, maximumBuy: 20, maximumSell: 20))
                problem.add(
                    "dear", HedgeInstrument(costBuy: 1.5, costSell: 1.5, maximumBuy: 20, maximumSell: 20))
                problem.add(
                    "delta", HedgeBand(hard: 0, .infinity, current: -need), coefficients: [0: 1, 1: 1])
                #expect(try solver.solve(problem) == .optimal)
                // So many of the cheap one, the rest of the dear one.
                let cheap = lot == 0 ? [0, 5, max(need, 5)] : [0, 6, 8, 10, 12]
                let least = cheap.map { $0 + 1.5 * max(need - $0, 0) }.min() ?? 0
                #expect(
                    (solver.solution.cost.total - least).magnitude <= 1e-9 * least,
                    "\(need) in lots of \(lot): \(solver.solution.trades)")
                let x = solver.solution.trades[0]
                #expect(x == 0 || x >= 5)
            }
        }
        // A limit below the smallest trade rules it out.
        var problem = HedgeProblem(underlyings: ["X"])
        problem.add(
            "small", HedgeInstrument(costBuy: 1, costSell: 1, minimum: 5, maximumBuy: 4, maximumSell: 4))
        problem.add("delta", HedgeBand(hard: 0, .infinity, current: -3), coefficients: [0: 1])
        #expect(try solver.solve(problem) == .infeasible)
        problem.instruments[0].minimum = -1
        #expect(throws: HedgeError.self) { try solver.solve(problem) }
    }

    /// Ten million dollars a contract, of which a few dollars are far less than a lot's rounding, but cost as variance.
    /// By hand: three contracts, and of what trades by the dollar so much that the last one's cost is what it takes off.
    @Test(
        "What trades in any amount makes up for what whole trades leave, however little of a lot that is",
        arguments: [(lot: 1.0, minimum: 0.0), (1, 3), (0, 3)])
    func restOfLots(_ size: (lot: Double, minimum: Double)) throws {
        let perVariance = 1e3
        for rest in [-30, -0.9, -0.5, -0.05, -1e-3, 1e-3, 0.05, 0.5, 0.9, 30] {
            for side in [-1.0, 1] {
                var problem = HedgeProblem(underlyings: ["X"])
                problem.add(
                    "contract",
                    HedgeInstrument(
                        costBuy: 1, costSell: 1, lot: size.lot, minimum: size.minimum, maximumBuy: 5,
                        maximumSell: 5))
                problem.add(
                    "dollar",
                    HedgeInstrument(costBuy: 0.01, costSell: 0.01, maximumBuy: 100, maximumSell: 100))
                problem.risk = HedgeRisk(
                    riskAversion: perVariance / 4e-4, covariance: [4e-4], dollarDelta: [-side * (3e7 + rest)],
                    exposure: [1e7, 1])
                let solver = HedgeSolver()
                #expect(try solver.solve(problem) == .optimal)
                let trades = solver.solution.trades.map { side * $0 }
                // Without lots, more than three contracts are as good as the dollars, and cheaper.
                let isWhole = size.lot > 0 || rest < 0
                let price = isWhole ? 0.01 : 1e-7
                let bought = rest - (rest > 0 ? 1 : -1) * price / (2 * perVariance)
                let left = bought - rest
                let cost = 3 + price * bought.magnitude + perVariance * left * left
                #expect(
                    (solver.solution.cost.total - cost).magnitude < 1e-8, "\(side) \(rest): \(trades)")
                #expect((trades[0] - (isWhole ? 3 : 3 + bought / 1e7)).magnitude < 1e-12)
                #expect((trades[1] - (isWhole ? bought : 0)).magnitude < 1e-5)
            }
        }
    }

    /// Taken apart by underlying or not, the best whole trades cost the same: bounds of the parts are bounds of the
    /// whole, also where margin, cash or a band on all underlyings ties them together.
    @Test("A smallest trade that takes all of the margin, up to rounding, is a trade")
    func wholeMargin() throws {
        // The relaxation buys 2.5 of the first; from 3 on 0.3 − 3 · 0.1 of margin are left, which is below 0 in doubles.
        var problem = HedgeProblem(underlyings: ["X"], marginLimit: 0.3)
        var first = HedgeInstrument(costBuy: 5, costSell: 5, minimum: 3, maximumBuy: 20, maximumSell: 0)
        first.margin = 0.1
        problem.add("first", first)
        problem.add("cheap", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 1, maximumSell: 0))
        // Many others, which move nothing: the search is that of many instruments.
        for k in 0..<120 {
            problem.add("\(k)", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 1, maximumSell: 1))
        }
        problem.add("delta", HedgeBand(hard: 3.5, 3.5, current: 0), coefficients: [0: 1, 1: 1])
        #expect(0.3 - 0.1 * 3 < 0)
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .optimal)
        #expect((solver.solution.trades[0] - 3).magnitude < 1e-9, "\(solver.solution.trades[0])")
        #expect((solver.solution.cost.total - 15.5).magnitude < 1e-9)
    }

    @Test("Whole trades cost the same whether the search is split by underlying or not")
    func partsMakeTheWhole() throws {
        var (compared, helped) = (0, 0)
        for number in 0..<3000 {
            var problem = RandomHedges.problem(number)
            guard problem.underlyings.count > 1, problem.risk == nil, problem.instruments.count <= 24,
                ["base", "mixed", "soft", "margin"].contains(problem.name.prefix { $0 != "-" })
            else { continue }
            for i in problem.instruments.indices {
                problem.instruments[i].lot =
                    problem.instruments[i].maximumBuy / Double(3 + (number + 5 * i) % 11)
            }
            var together = problem
            together.underlyings = ["all"]
            for i in together.instruments.indices { together.instruments[i].underlying = 0 }
            let (parts, whole) = (HedgeSolver(), HedgeSolver())
            parts.search.nodeLimit = 3000
            whole.search.nodeLimit = 3000
            guard try whole.solve(together) == .optimal else { continue }
            try parts.solve(problem)
            let (a, b) = (parts.solution, whole.solution)
            let size = max(b.cost.total.magnitude, 1e-3 * RandomHedgeTests.largestCost(problem))
            // Proved optima are the same; what a search was stopped at lies around them.
            #expect(a.cost.total >= b.cost.total - 1e-8 * size, "\(problem.name)")
            #expect(a.cost.total * (1 - a.gap) <= b.cost.total + 1e-8 * size, "\(problem.name)")
            #expect(a.certificate.violation <= 1e-9)
            compared += 1
            helped += a.nodes < b.nodes && b.nodes > 100 ? 1 : 0
        }
        print("\(compared) problems in whole lots, \(helped) of them in fewer nodes when taken apart")
        #expect(compared >= 400 && helped >= 30)
    }
}

extension WholeTradesTests {
    /// Every whole trade of three instruments tried, against levels with lots, tickets and smallest trades.
    @Test("Lots, tickets and smallest trades by level cost what the best of all whole trades does")
    func wholeLevels() throws {
        var random = SeededGenerator(seed: 0x1E7E)
        func uniform(_ low: Double, _ high: Double) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        let solver = HedgeSolver()
        var (solved, impossible) = (0, 0)
        for number in 0..<300 {
            var problem = HedgeProblem(underlyings: ["X"])
            for k in 0..<3 {
                func side() -> [CostCurve.Level] {
                    var (end, price) = (0.0, uniform(0, 0.4))
                    return (0..<Int(uniform(1, 4))).map { _ in
                        end += Double(Int(uniform(1, 4)))
                        price += uniform(0.05, 0.6)
                        return CostCurve.Level(upTo: end, price: price)
                    }
                }
                problem.add(
                    "i\(k)",
                    HedgeInstrument(
                        costBuy: 0.1, costSell: 0.1, fixedCost: number % 3 == 0 ? 0 : uniform(0, 1.5), lot: 1,
                        minimum: number % 2 == 0 ? 0 : Double(Int(uniform(1, 4))), maximumBuy: 20,
                        maximumSell: 20), CostCurve(buy: side(), sell: side()))
            }
            problem.add(
                "delta", HedgeBand(hard: -0.6, 0.6, current: uniform(-9, 9)),
                coefficients: (0..<3).map { (instrument: $0, coefficient: uniform(0.4, 1.2)) })
            problem.add(
                "vega", HedgeBand(soft: -1, 1, current: uniform(-4, 4), penalty: uniform(0.1, 2)),
                coefficients: (0..<3).map { (instrument: $0, coefficient: uniform(-1, 1)) })
            // Among a hundred that cannot be traded, which leaves the search to `LevelSearch`.
            if number % 4 > 1 {
                for k in 0..<100 {
                    problem.add(
                        "none \(k)", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 0, maximumSell: 0))
                }
            }
            let rest = problem.instruments.dropFirst(3).map { _ in 0.0 }
            var least = Double.infinity
            let range = -9...9
            for a in range {
                for b in range {
                    for c in range {
                        let trades = [Double(a), Double(b), Double(c)] + rest
                        let isKept = (0..<3).allSatisfy {
                            trades[$0] == 0 || trades[$0].magnitude >= problem.instruments[$0].minimum
                        }
                        guard isKept, problem.violation(trades: trades) <= 0 else { continue }
                        least = min(least, problem.cost(trades: trades).total)
                    }
                }
            }
            let status = try solver.solve(problem)
            if least == .infinity {
                #expect(status == .infeasible, "\(number)")
                impossible += 1
            } else {
                #expect(status == .optimal, "\(number)")
                #expect((solver.solution.cost.total - least).magnitude <= 1e-8 * least, "\(number)")
                solved += 1
            }
        }
        #expect(solved > 100 && impossible > 5, "\(solved), \(impossible)")
    }
}
