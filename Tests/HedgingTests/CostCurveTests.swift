import Foundation
import Hedging
import Market
import TestSupport
import Testing

/// Costs by level: what they mean, what the optimizer makes of them, and how they are written.
@Suite struct CostCurveTests {
    /// One instrument with three asks and two bids, and a band that it moves by 1 a unit.
    private static func desk(current: Double) -> HedgeProblem {
        var problem = HedgeProblem(name: "desk", underlyings: ["X"])
        problem.add(
            "future", HedgeInstrument(costBuy: 0.5, costSell: 0.5, maximumBuy: 100, maximumSell: 100),
            CostCurve(
                buy: [.init(upTo: 2, price: 1), .init(upTo: 5, price: 2), .init(upTo: 10, price: 4)],
                sell: [.init(upTo: 3, price: 1), .init(upTo: 4, price: 6)]))
        problem.add("delta", HedgeBand(hard: -1, 1, current: current), coefficients: [0: 1])
        return problem
    }

    @Test("Levels are filled in their order, and the price of a limit is what the last one costs")
    func byHand() throws {
        let solver = HedgeSolver()
        try solver.solve(Self.desk(current: -8))
        #expect(solver.solution.status == .optimal)
        #expect((solver.solution.trades[0] - 7).magnitude < 1e-9)
        // 2·1 + 3·2 + 2·4, and a half each.
        #expect((solver.solution.cost.levels - 16).magnitude < 1e-9)
        #expect((solver.solution.cost.linear - 3.5).magnitude < 1e-9)
        #expect((solver.solution.bandPrices[0] - 4.5).magnitude < 1e-10)
        try solver.solve(Self.desk(current: 4.5))
        #expect((solver.solution.trades[0] + 3.5).magnitude < 1e-9)
        #expect((solver.solution.cost.total - (3 + 0.5 * 6 + 3.5 * 0.5)).magnitude < 1e-9)
        #expect((solver.solution.bandPrices[0] + 6.5).magnitude < 1e-10)
    }

    @Test("At the end of a level the price lies between what the levels on both sides cost")
    func priceAtAKink() throws {
        let solver = HedgeSolver()
        try solver.solve(Self.desk(current: -6))
        #expect((solver.solution.trades[0] - 5).magnitude < 1e-9)
        #expect(solver.solution.bandPrices[0] >= 2.5 - 1e-9 && solver.solution.bandPrices[0] <= 4.5 + 1e-9)
        #expect(solver.solution.certificate.holds)
    }

    @Test("Levels are a limit, and without any a side cannot be traded")
    func levelsAreALimit() throws {
        let solver = HedgeSolver()
        #expect(try solver.solve(Self.desk(current: -11.5)) == .infeasible)
        #expect(try solver.solve(Self.desk(current: -11)) == .optimal)
        var problem = Self.desk(current: 4)
        problem.curves[0].sell = []
        #expect(try solver.solve(problem) == .infeasible)
        #expect(Self.desk(current: 0).violation(trades: [10.5]) == .infinity)
    }

    @Test("One level a side is the instrument's own cost, to the bit")
    func oneLevel() throws {
        var (plain, level) = (HedgeProblem(underlyings: ["X"]), HedgeProblem(underlyings: ["X"]))
        for k in 0..<3 {
            let own = HedgeInstrument(
                costBuy: 1 + Double(k), costSell: 0.5, maximumBuy: 4, maximumSell: 4)
            plain.add("i", own)
            level.add(
                "i", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: .infinity),
                CostCurve(
                    buy: [.init(upTo: 4, price: 1 + Double(k))], sell: [.init(upTo: 4, price: 0.5)]))
        }
        let band = HedgeBand(hard: -1, 1, current: -7.3)
        plain.add("b", band, coefficients: [0: 1, 1: 0.7, 2: 1.9])
        level.add("b", band, coefficients: [0: 1, 1: 0.7, 2: 1.9])
        let (a, b) = (HedgeSolver(), HedgeSolver())
        try a.solve(plain)
        try b.solve(level)
        #expect(a.solution.trades == b.solution.trades)
        #expect(a.solution.bandPrices == b.solution.bandPrices)
        // And the same work: it is one problem, not one after another.
        #expect(
            a.solution.interiorSteps == b.solution.interiorSteps && a.solution.pivots == b.solution.pivots)
    }

    @Test(
        "A trade where slopes of cost meet the price of its band is proved stationary, on both sides and between levels"
    )
    func stationary() throws {
        let solver = HedgeSolver()
        for (dear, cheap) in [(1.5, 1.0), (1, 1.5)] {
            for wanted in [0.25, 0.5, 1, 1.5, 2, 3, 3.5, 0, -0.25, -0.5, -1, -1.5, -2, -3.5] {
                var problem = HedgeProblem(underlyings: ["X"])
                problem.add(
                    "a", HedgeInstrument(costBuy: dear, costSell: cheap, maximumBuy: 4, maximumSell: 4),
                    CostCurve(
                        buy: [
                            .init(upTo: 1, price: 0.1), .init(upTo: 3, price: 0.5),
                            .init(upTo: 4, price: 0.7),
                        ],
                        sell: [
                            .init(upTo: 0.5, price: 0.3), .init(upTo: 2, price: 0.8),
                            .init(upTo: 4, price: 0.9),
                        ]))
                problem.add("b", HedgeBand(hard: wanted, wanted, current: 0), coefficients: [0: 1])
                #expect(try solver.solve(problem) == .optimal)
                #expect((solver.solution.trades[0] - wanted).magnitude < 1e-9)
                #expect(
                    solver.solution.certificate.stationarity <= 1e-9, "\(dear) \(wanted): \(solver.solution)")
            }
        }
    }

    @Test("Trades in whole lots, of a smallest size and with fixed costs go by their levels as well")
    func wholeTrades() throws {
        let solver = HedgeSolver()
        var problem = Self.desk(current: -7.6)
        problem.instruments[0].lot = 1.5
        try solver.solve(problem)
        // 7.5 rather than 6.6: 2·1 + 3·2 + 2.5·4, and a half each.
        #expect(solver.solution.status == .optimal)
        #expect((solver.solution.trades[0] - 7.5).magnitude < 1e-9)
        #expect((solver.solution.cost.total - (18 + 3.75)).magnitude < 1e-9)
        problem = Self.desk(current: -3)
        problem.instruments[0].minimum = 4
        problem.instruments[0].fixedCost = 10
        try solver.solve(problem)
        #expect((solver.solution.trades[0] - 4).magnitude < 1e-9)
        #expect((solver.solution.cost.total - (2 + 4 + 2 + 10)).magnitude < 1e-9)
        // Dear to trade at all: the band is left instead, if it may be.
        var soft = HedgeProblem(underlyings: ["X"])
        soft.add("future", problem.instruments[0], problem.curves[0])
        soft.add("delta", HedgeBand(soft: -1, 1, current: -3, penalty: 7), coefficients: [0: 1])
        try solver.solve(soft)
        #expect(solver.solution.trades == [0])
        #expect((solver.solution.cost.total - 14).magnitude < 1e-12)
    }

    @Test("A budget of version 2 counts everything that is paid, one of version 1 what is linear alone")
    func budgetCountsAll() throws {
        func problem(_ version: Int, _ budget: Double) throws -> HedgeProblem {
            let text = """
                {"name": "x", \(version == 2 ? "\"version\": 2," : "") "underlyings": ["X"], "budget": \(budget),
                 "instruments": [{"id": "a", "costBuy": 1, "costSell": 1, "impact": 0.5, "fixed": 25, "maxBuy": 100,
                                  "maxSell": 100, "cash": 5}],
                 "bands": [{"label": "b", "idx": [0], "coef": [1], "current": 0, "lo": 10, "hi": 20}]}
                """
            return try HedgeProblemFile(Source(name: "p", text: text)).problems[0]
        }
        let solver = HedgeSolver()
        // Ten cost 50 of premium, 10, 50 of impact and 25 whatever they are.
        #expect(try solver.solve(try problem(1, 60)) == .optimal)
        #expect(try solver.solve(try problem(2, 60)) == .infeasible)
        #expect(try solver.solve(try problem(2, 134.9)) == .infeasible)
        #expect(try solver.solve(try problem(2, 135.01)) == .optimal)
        #expect((try problem(2, 135).cash(trades: [10]) - 135).magnitude < 1e-12)
    }

    @Test("A budget that binds where costs bend is kept, and its price is a derivative")
    func bendingBudget() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        problem.budgetCountsAllCosts = true
        problem.add("a", HedgeInstrument(costBuy: 1, costSell: 1, impact: 0.5, maximumBuy: 9, maximumSell: 9))
        problem.add("b", HedgeInstrument(costBuy: 2, costSell: 2, impact: 0.1, maximumBuy: 9, maximumSell: 9))
        problem.add("d", HedgeBand(soft: 10, 20, current: 0, penalty: 50), coefficients: [0: 1, 1: 1])
        problem.cashBudget = 12
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .optimal)
        #expect((problem.cash(trades: solver.solution.trades) - 12).magnitude < 1e-8)
        let price = solver.solution.cashPrice
        let middle = solver.solution.cost.total
        problem.cashBudget = 12 + 1e-4
        try solver.solve(problem)
        #expect(((solver.solution.cost.total - middle) / 1e-4 - price).magnitude < 1e-3 * price.magnitude)
    }

    @Test("Problems with levels are written and read again as they are, and say that they are of version 2")
    func roundTrip() throws {
        for number in [0, 1, 2, 3, 30, 47] {
            var problem = RandomCurves.problem(number)
            // Which goes without saying where there are levels.
            problem.budgetCountsAllCosts = true
            let text = problem.json
            #expect(text.contains("\"version\""))
            #expect(try HedgeProblemFile(Source(name: "p", text: text)).problems == [problem])
        }
        #expect(!RandomHedges.problem(0).json.contains("version"))
    }

    @Test("Levels in a file of version 1 are refused, and bad ones named by instrument, side and level")
    func badLevels() throws {
        let old = #"""
            {"instruments": [{"id": "a", "buy": [{"upTo": 1, "price": 2}]}], "bands": []}
            """#
        #expect(throws: MarketError.self) { try HedgeProblemFile(Source(name: "p", text: old)) }
        func error(_ change: (inout CostCurve) -> Void) -> HedgeError? {
            var problem = Self.desk(current: 0)
            change(&problem.curves[0])
            do throws(HedgeError) { try problem.validate() } catch { return error }
            return nil
        }
        #expect(error { _ in } == nil)
        #expect(error { $0.buy?[1].price = 0.9 }?.field == "instruments[0].buy[1].price")
        #expect(error { $0.buy?[1].upTo = 2 }?.field == "instruments[0].buy[1].upTo")
        #expect(error { $0.buy?[0].upTo = .infinity }?.field == "instruments[0].buy[0].upTo")
        #expect(error { $0.sell?[0].quadratic = -1 }?.field == "instruments[0].sell[0].quadratic")
        #expect(error { $0.sell?[0].quadratic = 1 }?.field == "instruments[0].sell[1].price")
        #expect(error { $0.sell?[1].price = .nan }?.field == "instruments[0].sell[1].price")
        #expect(error { $0.sell?[0].price = -2.1 }?.field == "instruments[0].sell[0].price")
        #expect("\(try #require(error { $0.buy?[1].price = 0.9 }))".contains("future"))
    }

    // MARK: Random problems

    @Test("Every answer to a random problem with levels is proved, warm and cold alike")
    func everyAnswerIsProved() throws {
        let (cold, warm) = (HedgeSolver(), HedgeSolver())
        var optimal = 0
        for number in 0..<320 {
            var problem = RandomCurves.problem(number)
            let isWhole = problem.instruments.contains { $0.lot > 0 || $0.fixedCost > 0 }
            try warm.solve(problem)
            for r in problem.bands.indices where problem.bands[r].width.isFinite {
                problem.bands[r].current += 0.02 * problem.bands[r].width * (r % 2 == 0 ? 1 : -1)
            }
            let expected = try cold.solve(problem)
            let status = try warm.solve(problem, start: .warm)
            #expect(status == expected, "\(problem.name)")
            #expect(status == .optimal || status == .infeasible, "\(problem.name): \(status)")
            guard status == .optimal, expected == .optimal else { continue }
            optimal += 1
            let solution = warm.solution
            #expect(solution.gap <= 1e-9 && solution.certificate.violation <= 1e-9, "\(problem.name)")
            #expect(problem.violation(trades: solution.trades) <= 1e-9, "\(problem.name)")
            #expect(solution.cost == problem.cost(trades: solution.trades), "\(problem.name)")
            let (a, b) = (solution.cost.total, cold.solution.cost.total)
            let size = RandomHedgeTests.largestCost(problem)
            #expect((a - b).magnitude <= 1e-8 * max(b.magnitude, 1e-4 * size), "\(problem.name): \(a) \(b)")
            if isWhole { continue }
            // No change of one trade that keeps the bands costs less.
            for i in problem.instruments.indices {
                for step in [1e-3, -1e-3] {
                    var moved = solution.trades
                    moved[i] += step * problem.instruments[i].maximumBuy
                    guard problem.violation(trades: moved) <= 1e-12 else { continue }
                    #expect(problem.cost(trades: moved).total >= a - 1e-9 * max(a.magnitude, 1e-4 * size))
                }
            }
        }
        #expect(optimal > 200)
    }

    @Test(
        "At the edge of what has a solution, levels too have an answer that keeps every hard limit, or a proof of none"
    )
    func edges() throws {
        let solver = HedgeSolver()
        var counts: [HedgeStatus: Int] = [:]
        for number in 0..<120 {
            guard let problem = try RandomCurves.edge(number) else { continue }
            let status = try solver.solve(problem)
            counts[status, default: 0] += 1
            if status == .optimal {
                #expect(problem.violation(trades: solver.solution.trades) <= 1e-9, "\(problem.name)")
            } else {
                #expect(status == .infeasible, "\(problem.name): \(status)")
            }
        }
        #expect(counts[.optimal] ?? 0 > 5 && counts[.infeasible] ?? 0 > 5, "\(counts)")
    }

    @Test(
        "Answers to random problems with levels for the checking script",
        .enabled(if: ProcessInfo.processInfo.environment["POISE_CURVES"] != nil))
    func exportCurveAnswers() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["POISE_CURVES"] ?? "") ?? 0
        let first = Int(environment["POISE_CURVES_FIRST"] ?? "") ?? 0
        let path = environment["POISE_HEDGE_EXPORT"] ?? ""
        FileManager.default.createFile(atPath: path, contents: nil)
        let file = try #require(FileHandle(forWritingAtPath: path))
        let solver = HedgeSolver()
        let isEdge = environment["POISE_CURVES_EDGE"] != nil
        func list(_ values: [Double]) -> String { "[\(values.map { "\($0)" }.joined(separator: ","))]" }
        for number in first..<first + count {
            let made = isEdge ? try RandomCurves.edge(number) : RandomCurves.problem(number)
            guard let problem = made else { continue }
            try solver.solve(problem)
            let text = """
                {"problem": \(problem.json), "status": "\(solver.solution.status)", \
                "objective": \(solver.solution.cost.total), "x": \(list(solver.solution.trades))}

                """
            file.write(Data(text.utf8))
        }
    }

    // MARK: Order books

    @Test("The certified cost is the cost of filling the trades against the displayed levels")
    func walk() throws {
        var random = SeededGenerator(seed: 0xB00C)
        func uniform(_ low: Double, _ high: Double) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        let solver = HedgeSolver()
        var walked = 0
        for _ in 0..<200 {
            var problem = HedgeProblem(underlyings: ["X"])
            var books: [(bids: [OrderLevel], asks: [OrderLevel], middle: Double, fee: Double)] = []
            for k in 0..<6 {
                let middle = uniform(50, 150)
                func side(_ sign: Double) -> [OrderLevel] {
                    var price = middle
                    return (0..<Int(uniform(1, 12))).map { _ in
                        price += sign * uniform(0.01, 0.4)
                        return OrderLevel(price: price, amount: uniform(0.5, 6))
                    }
                }
                let book = (side(-1), side(1), middle, uniform(0, 0.05))
                books.append(book)
                problem.add(
                    "i\(k)",
                    HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: .infinity),
                    CostCurve(bids: book.0, asks: book.1, reference: middle, fee: book.3))
            }
            let coefficients = (0..<6).map { (instrument: $0, coefficient: uniform(0.2, 1)) }
            problem.add(
                "d", HedgeBand(hard: -0.5, 0.5, current: uniform(-12, 12)), coefficients: coefficients)
            problem.add(
                "v", HedgeBand(hard: -1, 1, current: uniform(-3, 3)),
                coefficients: (2..<6).map { (instrument: $0, coefficient: uniform(-1, 1)) })
            guard try solver.solve(problem) == .optimal else { continue }
            walked += 1
            // Order by order: what is paid more, or received less, than the middle of the market.
            var filled = 0.0
            for (x, book) in zip(solver.solution.trades, books) {
                var left = x.magnitude
                for level in x > 0 ? book.asks : book.bids where left > 0 {
                    let amount = min(left, level.amount)
                    filled += amount * ((x > 0 ? 1 : -1) * (level.price - book.middle) + book.fee)
                    left -= amount
                }
                #expect(left <= 1e-12)
            }
            #expect((filled - solver.solution.cost.total).magnitude <= 1e-9 * max(filled, 1e-3))
        }
        #expect(walked > 100)
    }

    @Test("Books are sorted, equal prices add up, and levels without an amount are left out")
    func bookLevels() {
        let curve = CostCurve(
            bids: [OrderLevel(price: 9, amount: 1), OrderLevel(price: 9.5, amount: 2)],
            asks: [
                OrderLevel(price: 11, amount: 1), OrderLevel(price: 10.5, amount: 0),
                OrderLevel(price: 11, amount: 3),
            ], reference: 10, fee: 0.25, feeRate: 0.01, perPrice: 2)
        #expect(curve.buy == [.init(upTo: 4, price: 2 + 0.25 + 0.22)])
        #expect(
            curve.sell == [
                .init(upTo: 2, price: 1 + 0.25 + 0.01 * 9.5 * 2),
                .init(upTo: 3, price: 2 + 0.25 + 0.01 * 9 * 2),
            ])
    }

    // MARK: At the edge

    @Test("Where lots stand in the way, a search that has seen all of them says so")
    func lotsThatCannotMeetABand() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        for k in 0..<8 {
            problem.add(
                "A\(k)", HedgeInstrument(costBuy: 1, costSell: 1, lot: 1, maximumBuy: 1, maximumSell: 0))
        }
        problem.add(
            "C", HedgeBand(hard: 999_999_998, 999_999_998, current: 0),
            coefficients: (0..<8).map { (instrument: $0, coefficient: $0 == 6 ? 100 : 1e9) })
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .infeasible)
        // In fractions of lots it can be met.
        #expect(try solver.diagnose(problem) == nil)
    }

    @Test("Trades below a billionth of what is traded are none")
    func dust() throws {
        let solver = HedgeSolver()
        for number in 0..<400 {
            let problem = RandomHedges.problem(number)
            guard try solver.solve(problem) == .optimal else { continue }
            for (x, instrument) in zip(solver.solution.trades, problem.instruments) where x != 0 {
                let limit = max(instrument.maximumBuy, instrument.maximumSell)
                #expect(x.magnitude >= 1e-13 * limit, "\(problem.name)")
            }
        }
    }

    @Test(
        "The last piece of violation is priced, and where it costs out of all proportion one is told to stop")
    func slackHasAPrice() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        problem.add(
            "thin", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: .infinity, maximumSell: .infinity),
            CostCurve(
                buy: [.init(upTo: 5, price: 1), .init(upTo: 5.9, price: 10), .init(upTo: 6, price: 9000)],
                sell: []))
        problem.add("d", HedgeBand(hard: 0, 1, current: -10), coefficients: [0: 1])
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .infeasible)
        let diagnosis = try #require(try solver.diagnose(problem))
        #expect((diagnosis.totalViolation - 4).magnitude < 1e-7)
        let costs = try solver.costsBySlack(problem, diagnosis)
        #expect(costs.map(\.widths) == HedgeInfeasibility.slackWidths)
        #expect((try #require(costs[0].cost) - (5 + 9 + 900)).magnitude < 1e-3)
        #expect((try #require(costs[5].cost) - (5 + 9)).magnitude < 1e-3)
        #expect((try #require(costs[6].cost) - 5).magnitude < 1e-3)
        #expect(HedgeInfeasibility.sensibleSlack(costs)?.widths == 0.1)
    }
}
