import Foundation
import Hedging
import Market
import TestSupport
import Testing

/// A small desk: a perpetual and two options against delta and vega.
private func desk() -> HedgeProblem {
    var problem = HedgeProblem(name: "desk", underlyings: ["BTC"])
    problem.add(
        "perpetual",
        HedgeInstrument(costBuy: 10, costSell: 8, impact: 0.5, maximumBuy: 100, maximumSell: 100, margin: 500)
    )
    problem.add(
        "call",
        HedgeInstrument(
            costBuy: 40, costSell: 40, impact: 2, maximumBuy: 50, maximumSell: 50, margin: 900, cash: 2000))
    problem.add(
        "put",
        HedgeInstrument(
            costBuy: 30, costSell: 30, impact: 3, maximumBuy: 50, maximumSell: 50, margin: 900, cash: 1500))
    problem.add("delta", HedgeBand(hard: -1, 1, current: 30), coefficients: [0: 1, 1: 0.5, 2: -0.4])
    problem.add("vega", HedgeBand(hard: -100, 100, current: -900), coefficients: [1: 90, 2: 80])
    return problem
}

@Suite struct HedgeTests {
    @Test("Raising a limit a little changes the least cost by the limit's shadow price")
    func pricesAreDerivatives() throws {
        let solver = HedgeSolver()
        for number in 0..<300 {
            let problem = RandomHedges.problem(number)
            guard !problem.instruments.contains(where: { $0.lot > 0 || $0.fixedCost > 0 }),
                try solver.solve(problem) == .optimal
            else { continue }
            let prices = solver.solution.bandPrices
            let scale = prices.indices.reduce(1e-300) {
                max($0, prices[$1].magnitude * problem.bands[$1].width)
            }
            for r in problem.bands.indices {
                let step = 1e-5 * problem.bands[r].width
                guard step > 0, prices[r].magnitude * problem.bands[r].width > 1e-6 * scale else { continue }
                var costs: [Double] = []
                for sign in [-1.0, 1] {
                    var moved = problem
                    if prices[r] > 0 {
                        moved.bands[r].low += sign * step
                    } else {
                        moved.bands[r].high += sign * step
                    }
                    if problem.bands[r].low == problem.bands[r].high {
                        moved.bands[r].low = prices[r] > 0 ? moved.bands[r].low : moved.bands[r].high
                        moved.bands[r].high = moved.bands[r].low
                    }
                    guard moved.bands[r].low <= moved.bands[r].high, try solver.solve(moved) == .optimal
                    else { continue }
                    costs.append(solver.solution.cost.total)
                }
                guard costs.count == 2 else { continue }
                // Between the slopes on both sides, which differ where another limit takes over.
                try solver.solve(problem)
                let middle = solver.solution.cost.total
                let slopes = [(middle - costs[0]) / step, (costs[1] - middle) / step].sorted()
                let tolerance = 1e-4 * scale / problem.bands[r].width + 1e-14 * middle.magnitude / step
                #expect(
                    prices[r] >= slopes[0] - tolerance && prices[r] <= slopes[1] + tolerance,
                    "\(problem.name) \(problem.bandNames[r]): \(prices[r]) outside of \(slopes)")
            }
        }
    }

    @Test("What a limit forbids costs more, and shows as a violation of the problem that has the limit")
    func violationsAndTighterLimits() throws {
        let problem = desk()
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .optimal)
        #expect(solver.solution.certificate.holds)
        let best = solver.solution.cost.total
        var worse = problem
        worse.instruments[0].maximumSell = 20
        #expect(try solver.solve(worse) == .optimal)
        #expect(solver.solution.cost.total > best * 1.001)
        #expect(problem.violation(trades: [0, 0, 0]) > 0.01)
        #expect(problem.violation(trades: [-101, 0, 0]) > 0.009)
    }

    @Test("One instrument and one band are solved as by hand")
    func byHand() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        problem.add(
            "future", HedgeInstrument(costBuy: 2, costSell: 3, impact: 0.25, maximumBuy: 10, maximumSell: 10))
        problem.add("delta", HedgeBand(hard: -1, 1, current: 5), coefficients: [0: 1])
        let solver = HedgeSolver()
        try solver.solve(problem)
        #expect(solver.solution.trades == [-4])
        // 3·4 + 0.25·16; at the margin one more costs 3 + 2·0.25·4.
        #expect(solver.solution.cost.total == 16)
        #expect((solver.solution.bandPrices[0] + 5).magnitude < 1e-12)
        // A soft band at 4 a unit is left before the margin reaches it: 3 + 0.5 x = 4.
        problem.bands[0].isHard = false
        problem.bands[0].penalty = 4
        try solver.solve(problem)
        #expect((solver.solution.trades[0] + 2).magnitude < 1e-12)
        #expect((solver.solution.cost.penalty - 8).magnitude < 1e-11)
    }

    @Test(
        "Trades without end break a limit, also where nothing limits them, and a limit on time is any number")
    func withoutEnd() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        for name in ["future", "perpetual"] {
            problem.add(
                name, HedgeInstrument(costBuy: 2, costSell: 3, maximumBuy: .infinity, maximumSell: .infinity))
        }
        problem.add("delta", HedgeBand(hard: -1, 1, current: 5), coefficients: [0: 1, 1: 1])
        #expect(problem.violation(trades: [-4, 0]) == 0)
        for trades in [[.infinity, 0], [0, -.infinity], [.infinity, -.infinity], [.nan, 0], [-4, .nan]]
            as [[Double]]
        {
            #expect(problem.violation(trades: trades) == .infinity, "\(trades)")
        }
        let solver = HedgeSolver()
        for seconds in [-1e300, -.infinity, -1, 0, 1e300, .infinity, .nan] as [Double] {
            solver.search.timeLimit = seconds
            let status = try solver.solve(problem)
            #expect(status == .optimal || seconds <= 0 && status == .budget, "\(seconds)")
        }
    }

    @Test("A diagnosis of another problem has no costs of slack")
    func otherDiagnosis() throws {
        var problem = desk()
        problem.bands[1].current = -20_000
        let solver = HedgeSolver()
        let diagnosis = try #require(try solver.diagnose(problem))
        #expect(try solver.costsBySlack(problem, diagnosis, widths: [0, 1]).count == 2)
        var other = HedgeProblem(underlyings: ["X"])
        other.add("future", HedgeInstrument(costBuy: 2, costSell: 3, maximumBuy: 10, maximumSell: 10))
        for _ in 0..<9 { other.add("delta", HedgeBand(hard: -1, 1, current: 5), coefficients: [0: 1]) }
        #expect(
            throws: HedgeError.lengthMismatch(
                field: "diagnosis.violations", expected: 9, got: problem.bands.count)
        ) { try solver.costsBySlack(other, diagnosis) }
    }

    @Test("With all exposures inside their bands nothing is traded, exactly, at no cost")
    func nothingToDoIsNoTradeAtAll() throws {
        var problem = desk()
        problem.bands[0].current = 0
        problem.bands[1].current = 0
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .optimal)
        #expect(solver.solution.trades == [0, 0, 0])
        #expect(solver.solution.cost.total == 0)
    }

    @Test("A diagnosis counts what is missing in widths of its band")
    func infeasibleSaysHowFar() throws {
        var problem = desk()
        problem.bands[1].current = -20_000
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .infeasible)
        let diagnosis = try #require(try solver.diagnose(problem))
        // All options bought: 50·90 + 50·80 of the 19,900 that are missing, in widths of 200.
        #expect((diagnosis.totalViolation - (19_900 - 8_500) / 200).magnitude < 1e-9)
        #expect((diagnosis.worstViolation - 57).magnitude < 1e-9)
        #expect((diagnosis.violations[1] + 57).magnitude < 1e-6)
        #expect(diagnosis.violations[0] == 0)
        #expect((diagnosis.bandPrices[1] - 1).magnitude < 1e-9 && diagnosis.firstBand == 1)
        #expect(diagnosis.gap >= 0 && diagnosis.gap < 1e-6)
        problem.bands[1].current = -900
        problem.cashBudget = -1e9
        #expect(try solver.solve(problem) == .infeasible)
        let budget = try #require(try solver.diagnose(problem))
        // No band is in the way, so that none has a price.
        #expect(budget.bandPrices == problem.bands.map { _ in 0 } && budget.firstBand == nil)
        let cash = try #require(budget.leastCash)
        // Selling everything that pays: premiums less half spreads.
        #expect((cash + 50 * 1960 + 50 * 1470).magnitude < 1e-6)
    }

    /// Bands much further away than anything can move them: the nearest is all trades at their limits, however small
    /// that is beside the distance.
    @Test(
        "Out of far reach, the nearest answer is all trades at their limits",
        arguments: [3.0, 100, 1e4, 1e6, 1e9, 1e12])
    func farAwayIsInfeasible(_ distance: Double) throws {
        for width in [1e-3, 1, 3e3, 1e9] {
            var problem = HedgeProblem(underlyings: ["X"])
            var entries: [(instrument: Int, coefficient: Double)] = []
            var reach = 0.0
            for i in 0..<60 {
                let size = pow(10, Double(i % 7) - 4)
                problem.add(
                    "\(i)",
                    HedgeInstrument(costBuy: 1, costSell: 2, maximumBuy: 20, maximumSell: Double(i % 3)))
                entries.append((i, i % 2 == 0 ? size : -size))
                reach += size * (i % 2 == 0 ? 20 : Double(i % 3))
            }
            let low = distance * reach + 5
            problem.add("far", HedgeBand(hard: low, low + width, current: 5), coefficients: entries)
            let solver = HedgeSolver()
            #expect(try solver.solve(problem) == .infeasible)
            let diagnosis = try #require(try solver.diagnose(problem))
            let nearest = (low - 5 - reach) / problem.bands[0].width
            #expect((diagnosis.totalViolation / nearest - 1).magnitude < 1e-9)
            #expect((diagnosis.worstViolation / nearest - 1).magnitude < 1e-9)
            #expect((diagnosis.violations[0] / nearest + 1).magnitude < 1e-9)
            #expect(diagnosis.leastCash == nil && diagnosis.firstBand == 0)
            let moved = zip(entries, diagnosis.trades).reduce(0) { $0 + $1.0.coefficient * $1.1 }
            // What proves the sum to nine digits leaves the trades fewer.
            #expect((moved / reach - 1).magnitude < 1e-4, "\(moved) of \(reach)")
        }
    }

    @Test("Bands that nothing can move, or nothing may, are infeasible")
    func outOfReachIsInfeasible() throws {
        let solver = HedgeSolver()
        var problem = desk()
        problem.add("vanna", HedgeBand(hard: -1, 1, current: 5), coefficients: [:])
        #expect(try solver.solve(problem) == .infeasible)
        #expect(try solver.diagnose(problem)?.totalViolation == 2)
        problem.bands[2].current = 0.5
        #expect(try solver.solve(problem) == .optimal)
        for i in problem.instruments.indices {
            problem.instruments[i].maximumBuy = 0
            problem.instruments[i].maximumSell = 0
        }
        #expect(try solver.solve(problem) == .infeasible)
        let diagnosis = try #require(try solver.diagnose(problem))
        // 29 outside of a width of 2, 800 outside of a width of 200.
        #expect((diagnosis.totalViolation - 18.5).magnitude < 1e-9)
        #expect(diagnosis.trades == [0, 0, 0])
    }

    /// Bands that contradict each other though each can be met: from tick to tick that is proved anew, without
    /// beginning from nothing, and forgotten where the contradiction is gone.
    @Test("Bands that contradict each other stay proved infeasible from tick to tick, and no longer")
    func contradictionsFromTickToTick() throws {
        var problem = HedgeProblem(underlyings: ["X"])
        for name in ["a", "b"] {
            problem.add(
                name, HedgeInstrument(costBuy: 1, costSell: 1, impact: 0.1, maximumBuy: 10, maximumSell: 10))
        }
        problem.add("sum", HedgeBand(hard: 2, 3, current: 0), coefficients: [0: 1, 1: 1])
        problem.add("difference", HedgeBand(hard: 2, 3, current: 0), coefficients: [0: 1, 1: -1])
        problem.add("first", HedgeBand(hard: -10, 5, current: 0), coefficients: [0: 1])
        let solver = HedgeSolver()
        #expect(try solver.solve(problem) == .optimal)
        for tick in 0..<50 {
            // The sum of the first two wants at least 2 of a.
            let isPossible = tick % 10 >= 7
            problem.bands[2].high = isPossible ? 4 : 1 + 0.01 * Double(tick)
            for i in 0..<2 { problem.instruments[i].costBuy = 1 + 0.01 * Double((7 * tick + 3 * i) % 5) }
            #expect(try solver.solve(problem, start: .warm) == (isPossible ? .optimal : .infeasible))
            #expect(solver.solution.interiorSteps == 0, "tick \(tick)")
            #expect(try HedgeSolver().solve(problem) == solver.solution.status)
        }
    }

    @Test("The costs of a candidate are those of its order book, by hand")
    func candidates() throws {
        func ticker(_ name: String, mark: Double, bids: [(Double, Double)], asks: [(Double, Double)]) throws
            -> Ticker
        {
            let instrument = try Instrument(name: name)
            return Ticker(
                instrument: instrument, timestamp: Timestamp(milliseconds: 1_772_443_800_000),
                underlyingPrice: 50_000, underlyingIndex: nil, indexPrice: nil, markPrice: mark,
                markVolatility: 0.5,
                interestRate: 0, openInterest: nil, bids: bids.map { OrderLevel(price: $0.0, amount: $0.1) },
                asks: asks.map { OrderLevel(price: $0.0, amount: $0.1) }, published: nil)
        }
        let held = HedgeCandidate.Holding(horizon: 2, funding: 0.0001)
        let option = try #require(
            HedgeCandidate(
                try ticker(
                    "BTC-27MAR26-60000-C", mark: 0.03, bids: [(0.029, 2), (0.028, 3)],
                    asks: [(0.031, 4), (0.033, 4)]),
                .standard, held))
        // Half of 0.002 coin at 50,000; 3 basis points of the underlying; walking 8 coins costs 4 × 0.002 extra.
        #expect((option.halfSpreadBuy - 50).magnitude < 1e-9 && option.halfSpreadSell == option.halfSpreadBuy)
        #expect((option.fee - 15).magnitude < 1e-9 && option.carry == 0)
        #expect((option.impact - 0.008 * 50_000 / 64).magnitude < 1e-9)
        #expect(option.maximumBuy == 8 && option.maximumSell == 5)
        // A cheap one: at most an eighth of the premium.
        let cheap = try ticker("BTC-27MAR26-90000-C", mark: 0.0008, bids: [], asks: [(0.001, 1)])
        let cap = try #require(HedgeCandidate(cheap, .standard, held))
        #expect((cap.fee - 0.125 * 40).magnitude < 1e-9 && cap.maximumSell == 0)
        #expect((cap.halfSpreadBuy - 10).magnitude < 1e-9)
        let crossed = try ticker("BTC-27MAR26-60000-P", mark: 0.03, bids: [(0.031, 2)], asks: [(0.031, 4)])
        #expect(HedgeCandidate(crossed, .standard, held) == nil)
        let silent = try ticker("BTC-27MAR26-60000-P", mark: 0.03, bids: [], asks: [])
        #expect(HedgeCandidate(silent, .standard, held) == nil)
        // Per dollar: two days of funding at three times a basis point; two days of an annual basis that stands still.
        let perpetual = try ticker(
            "BTC-PERPETUAL", mark: 50_000, bids: [(49_995, 1e5)], asks: [(50_005, 1e5)])
        let swap = try #require(HedgeCandidate(perpetual, .standard, held))
        #expect((swap.carry - 6e-4).magnitude < 1e-15 && (swap.halfSpreadBuy - 1e-4).magnitude < 1e-15)
        let future = try ticker("BTC-27MAR26", mark: 51_000, bids: [], asks: [])
        let dated = try #require(HedgeCandidate(future, .standard, held, index: 50_000))
        let days = 25 - 1.5 / 24
        #expect((dated.carry - (1 - pow(50_000 / 51_000, 2 / days))).magnitude < 1e-12 && dated.isAssumed)
    }

    @Test("Trades in lots keep hard bands and cost no more than rounded ones")
    func lotsKeepHardBandsAndBeatRounding() throws {
        let solver = HedgeSolver()
        var compared = 0
        for number in 0..<600 {
            var problem = RandomHedges.problem(number)
            guard problem.instruments.allSatisfy({ $0.fixedCost == 0 }) else { continue }
            for i in problem.instruments.indices {
                problem.instruments[i].lot = problem.instruments[i].maximumBuy / 16
            }
            solver.search.nodeLimit = 300
            var relaxed = problem
            for i in relaxed.instruments.indices { relaxed.instruments[i].lot = 0 }
            guard try solver.solve(relaxed) == .optimal else { continue }
            let (bound, trades) = (solver.solution.cost.total, solver.solution.trades)
            let status = try solver.solve(problem)
            guard status == .optimal || (status == .budget && solver.solution.gap < .infinity) else {
                continue
            }
            let solution = solver.solution
            #expect(problem.violation(trades: solution.trades) <= 1e-9, "\(problem.name)")
            #expect(solution.cost.total >= bound - 1e-9 * bound.magnitude, "\(problem.name)")
            for (x, instrument) in zip(solution.trades, problem.instruments) where instrument.lot > 0 {
                let lots = x / instrument.lot
                #expect((lots - lots.rounded()).magnitude < 1e-9)
            }
            let rounded = zip(trades, problem.instruments).map { x, instrument in
                instrument.lot > 0 ? (x / instrument.lot).rounded(.towardZero) * instrument.lot : x
            }
            if problem.violation(trades: rounded) <= 1e-12 {
                compared += 1
                let cost = problem.cost(trades: rounded).total
                #expect(solution.cost.total <= cost + 1e-9 * cost.magnitude, "\(problem.name)")
            }
        }
        #expect(compared > 20)
    }

    @Test("A problem's bad number is refused with its instrument or band, field and value")
    func badProblemsAreNamed() throws {
        func message(_ change: (inout HedgeProblem) -> Void) -> String {
            var problem = desk()
            change(&problem)
            do throws(HedgeError) {
                try HedgeSolver().solve(problem)
                return "accepted"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { $0.instruments[1].costBuy = .nan }.hasPrefix("instruments[1].costBuy (call): value nan")
        )
        #expect(
            message { $0.instruments[0].costSell = -11 }.contains(
                "costSell (perpetual): value -11.0: buying and"))
        #expect(message { $0.instruments[0].maximumBuy = -1 }.hasPrefix("instruments[0].maxBuy (perpetual)"))
        #expect(message { $0.instruments[0].impact = -1 }.hasPrefix("instruments[0].impact (perpetual)"))
        #expect(
            message { $0.instruments[0].underlying = 3 }.hasPrefix("instruments[0].u (perpetual): value 3.0"))
        #expect(message { $0.bands[0].low = 2 }.hasPrefix("bands[0].hi (delta): value 1.0: is below lo, 2.0"))
        #expect(message { $0.bands[0].current = .infinity }.hasPrefix("bands[0].current (delta): value inf"))
        #expect(message { $0.entries[1].coefficient = .nan }.hasPrefix("bands[0].coef[1] (delta): value nan"))
        #expect(message { $0.entries[1].instrument = 9 }.hasPrefix("bands[0].idx[1] (delta): value 9.0"))
        #expect(message { $0.marginLimit = -1 }.hasPrefix("marginLimit: value -1.0"))
        #expect(message { $0.cashBudget = .nan }.hasPrefix("budget: value nan"))
        #expect(message { $0 = HedgeProblem(underlyings: ["X"]) } == "instruments: there is none to trade")
        func risk(_ covariance: [Double]) -> String {
            message {
                $0.underlyings = ["BTC", "ETH"]
                $0.risk = HedgeRisk(
                    riskAversion: 1, covariance: covariance, dollarDelta: [0, 0], exposure: [1, 1, 1])
            }
        }
        #expect(risk([1, 2, 3, 1]).hasPrefix("risk.cov: [BTC, ETH] is 2.0, [ETH, BTC] is 3.0"))
        #expect(risk([1, 2, 2, 1]).hasPrefix("risk.cov: smallest eigenvalue -"))
        #expect(risk([1, .nan, 2, 1]).hasPrefix("risk.cov[0][1] (BTC): value nan"))
        #expect(risk([1, 1, 1]) == "risk.cov: 3 values where 4 are needed")
        #expect(risk([1, 1, 1, 1]) == "accepted")
    }

    @Test("Any numbers end in a status, never in a trap")
    func rubbishIsAnswered() throws {
        var random = SeededGenerator(seed: 77)
        let solver = HedgeSolver()
        let values = [0, -0.0, 1e-300, 1e300, -1e300, .infinity, -.infinity, .nan, 1, -1, 1e-12, 1e12, 1e100]
        var answered = 0
        for number in 0..<3000 {
            var problem = RandomHedges.problem(number % 200)
            for _ in 0..<Int(random.next() % 3 + 1) {
                let value = values[Int(random.next() % UInt64(values.count))]
                let i = Int(random.next() % UInt64(problem.instruments.count))
                let r = Int(random.next() % UInt64(problem.bands.count))
                let k = Int(random.next() % UInt64(problem.entries.count))
                switch random.next() % 12 {
                case 0: problem.instruments[i].costBuy = value
                case 1: problem.instruments[i].costSell = value
                case 2: problem.instruments[i].impact = value
                case 3: problem.instruments[i].maximumBuy = value
                case 4: problem.instruments[i].maximumSell = value
                case 5: problem.instruments[i].margin = value
                case 6: problem.instruments[i].cash = value
                case 7: problem.bands[r].low = value
                case 8: problem.bands[r].high = value
                case 9: problem.bands[r].current = value
                case 10: problem.entries[k].coefficient = value
                default: problem.bands[r].penalty = value
                }
            }
            solver.search.nodeLimit = 50
            guard (try? solver.solve(problem, start: number % 2 == 0 ? .warm : .cold)) != nil else {
                continue
            }
            answered += 1
            if solver.solution.status == .optimal {
                #expect(problem.violation(trades: solver.solution.trades) <= 1e-9)
                #expect(solver.solution.cost.total.isFinite)
            }
        }
        #expect(answered > 300)
    }

    @Test("A problem written to JSON and read again is the same; bad files name line, field and value")
    func filesRoundTrip() throws {
        for number in 0..<64 {
            let problem = RandomHedges.problem(number)
            let read = try HedgeProblemFile(Source(name: "file", text: problem.json)).problems
            #expect(read == [problem], "\(problem.name)")
        }
        func message(_ text: String) -> String {
            do throws(MarketError) {
                _ = try HedgeProblemFile(Source(name: "file", text: text))
                return "accepted"
            } catch {
                return "\(error)"
            }
        }
        let instrument = #"{"costBuy": 1, "costSell": 1, "maxBuy": 1, "maxSell": 1}"#
        #expect(
            message(#"{"instruments": [{"costBuy": 1}]}"#).contains(
                #""instruments[0].costSell": is missing"#))
        #expect(
            message(#"{"instruments": [{"costBuy": "x"}]}"#).contains(
                #""instruments[0].costBuy": value "x": must be a number"#))
        #expect(message(#"{"instruments": 3}"#).contains("must be an array"))
        #expect(
            message(
                "{\"instruments\": [\(instrument)],\n\"bands\": [{\"idx\": [1], \"coef\": [1], \"current\": 0}]}"
            )
            .contains("file:2: \"bands[0].idx[0]\": value 1: is no instrument's index"))
        #expect(
            message(
                "{\"instruments\": [\(instrument)], \"bands\": [{\"idx\": [0], \"coef\": [], \"current\": 0}]}"
            )
            .contains("has 0 values for 1 of idx"))
        for (place, text) in [
            ("budgets", #"{"budgets": 1}"#), ("risk.lambda", #"{"risk": {"lambda": 1}}"#),
            ("instruments[0].impakt", #"{"instruments": [{"impakt": 1}]}"#),
            ("bands[0].low", #"{"bands": [{"low": 1}]}"#),
        ] {
            #expect(message(text).contains(#""\#(place)": value 1: is unknown; known are "#))
        }
        // What has a price is soft unless it says otherwise.
        for (fields, isHard) in [
            ("", true), (#""penalty": 2, "#, false), (#""penaltyQuad": 2, "#, false),
            (#""penalty": 2, "hard": true, "#, true), (#""hard": false, "#, false),
        ] {
            let text = """
                {"instruments": [\(instrument)], "bands": [{\(fields)"idx": [0], "coef": [1], "current": 0}]}
                """
            let read = try HedgeProblemFile(Source(name: "file", text: text)).problems
            #expect(read[0].bands[0].isHard == isHard, "\(fields)")
        }
        #expect(message("[1]").contains("must be an object"))
        #expect(message("") == "file: is empty")
        #expect(message("{").contains("no valid JSON"))
    }

    static let certified = ["problems", "ticks-base-n30", "ticks-mixed-n60"]

    @Test(
        "Shared problems with known answers are solved to their certified cost",
        .enabled(
            if: SharedData.has(certified.map { "hedge/\($0).json" }),
            "needs certified hedge problems in the shared folder"))
    func certifiedProblems() throws {
        for name in Self.certified {
            let path = SharedData.path("hedge/\(name).json")
            let problems = try HedgeProblemFile(Source(path: path)).problems
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let objects = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
            for start in [HedgeStart.cold, .warm] {
                let solver = HedgeSolver()
                for (index, (problem, object)) in zip(problems, objects).enumerated() {
                    let expected = try #require(object["expected"] as? [String: Any])
                    let status = try solver.solve(problem, start: start)
                    // Of ticks none begins anew, with a solution or without.
                    if start == .warm, index > 0, name.hasPrefix("ticks") {
                        #expect(solver.solution.interiorSteps == 0, "\(problem.name)")
                    }
                    #expect(status.rawValue == expected["status"] as? String, "\(problem.name)")
                    let solution = solver.solution
                    if status == .infeasible {
                        guard let total = expected["minTotalViolation"] as? Double else { continue }
                        let diagnosis = try #require(try solver.diagnose(problem))
                        #expect((diagnosis.totalViolation / total - 1).magnitude < 1e-9, "\(problem.name)")
                        let worst = try #require(expected["minWorstViolation"] as? Double)
                        #expect((diagnosis.worstViolation / worst - 1).magnitude < 1e-9, "\(problem.name)")
                        continue
                    }
                    let objective = try #require(expected["objective"] as? Double)
                    let scale = max(objective.magnitude, 1e-6 * RandomHedgeTests.largestCost(problem))
                    #expect((solution.cost.total - objective).magnitude <= 1e-9 * scale, "\(problem.name)")
                    #expect(problem.violation(trades: solution.trades) <= 1e-9)
                    guard expected["uniqueDual"] as? Bool == true, let duals = expected["dual"] as? [Double]
                    else { continue }
                    let weights = problem.bands.map { max($0.high - $0.low, $0.current.magnitude) }
                    let largest = zip(duals, weights).reduce(1e-300) { max($0, $1.0.magnitude * $1.1) }
                    for r in duals.indices {
                        #expect(
                            (solution.bandPrices[r] - duals[r]).magnitude * weights[r] <= 1e-5 * largest,
                            "\(problem.name) \(problem.bandNames[r])")
                    }
                }
            }
        }
    }
}
