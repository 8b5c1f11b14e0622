import Foundation
import Poise
import TestSupport
import Testing

/// Revaluation of plain legs.
struct ScenarioTests {
    /// A rule that has something of everything.
    static func rule(_ change: (inout ScenarioGrid.VolatilityRule) -> Void) -> ScenarioGrid.VolatilityRule {
        var rule = ScenarioGrid.VolatilityRule()
        change(&rule)
        return rule
    }

    static let rules: [(name: String, rule: ScenarioGrid.VolatilityRule)] = [
        ("same", ScenarioGrid.VolatilityRule()),
        (
            "up",
            rule {
                $0.relative = 0.5
                ($0.shortTermPower, $0.longTermPower, $0.leastVolatility) = (0.3, 0.13, 0.5)
            }
        ),
        ("down", rule { ($0.relative, $0.shortTermPower, $0.longTermPower) = (-0.25, 0.3, 0.13) }),
        ("points", rule { ($0.parallel, $0.skew) = (0.05, -0.1) }),
    ]

    /// Spots, rules and times in all combinations.
    static func grid(
        spots: [Double] = [-0.66, -0.16, -0.04, 0, 0.02, 0.16, 1], days: [Double] = [0, 1, 400],
        rates: [Double] = [0, 0.01], holding held: ScenarioGrid.HeldPrice? = nil
    ) throws -> ScenarioGrid {
        var scenarios: [ScenarioGrid.Scenario] = []
        for rate in rates {
            for day in days {
                for rule in rules.indices {
                    for spot in spots {
                        var scenario = ScenarioGrid.Scenario()
                        (scenario.spot, scenario.rule, scenario.days, scenario.rate) = (spot, rule, day, rate)
                        scenario.rateHolds = held
                        scenarios.append(scenario)
                    }
                }
            }
        }
        return try ScenarioGrid(name: "test", rules: rules, scenarios: scenarios)
    }

    /// Legs from days to years, near and far from the money.
    static func legs(_ count: Int, seed: UInt64 = 5) throws -> OptionBatch {
        var generator = SeededGenerator(seed: seed)
        var columns = Array(repeating: [Double](), count: 6)
        var type: [UInt8] = []
        for _ in 0..<count {
            let years = Double.random(in: 0.003...2, using: &generator)
            let volatility = Double.random(in: 0.2...1.2, using: &generator)
            let spot = Double.random(in: 50...60_000, using: &generator)
            let move = Double.random(in: -2...2, using: &generator) * volatility * years.squareRoot()
            type.append(UInt8.random(in: 0...1, using: &generator))
            for (column, value) in [
                spot, spot * exp(move), years, volatility, Double.random(in: 0...0.08, using: &generator),
                Double.random(in: 0...0.04, using: &generator),
            ].enumerated() { columns[column].append(value) }
        }
        return try OptionBatch(
            type: type, spot: columns[0], strike: columns[1], years: columns[2], volatility: columns[3],
            rate: columns[4], dividend: columns[5])
    }

    @Test("Scenario gains agree with 50 digits in every part of a rule, on every instruction set")
    func manyDigits() throws {
        let path = SharedData.packageRoot.appendingPathComponent("Tests/RiskTests/Fixtures/scenarios.csv")
        let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
        let header = lines[0].split(separator: ",").map(String.init)
        #expect(lines.count == 241)
        for set in InstructionSet.supported {
            let engine = try GreeksEngine(set)
            var errors: [Double] = []
            for line in lines.dropFirst() {
                let text = Dictionary(
                    uniqueKeysWithValues: zip(header, line.split(separator: ",").map(String.init)))
                func value(_ name: String) throws -> Double { try #require(text[name].flatMap(Double.init)) }
                var rule = ScenarioGrid.VolatilityRule()
                (rule.relative, rule.parallel) = (try value("relative"), try value("parallel"))
                (rule.skew, rule.leastDays) = (try value("skew"), try value("least_days"))
                (rule.shortTermPower, rule.longTermPower) = (try value("short"), try value("long"))
                rule.leastVolatility = try value("least_vol")
                if text["wing"] != "none" {
                    var wing = ScenarioGrid.Wing()
                    wing.isAbsolute = text["wing"] == "absolute"
                    (wing.cap, wing.capPerRootYear) = (try value("cap"), try value("cap_root"))
                    wing.widthPerRootYear = try value("width_root")
                    wing.widthPerYear = try value("width_years")
                    rule.wing = wing
                }
                var scenario = ScenarioGrid.Scenario()
                scenario.spot = try value("move")
                (scenario.days, scenario.rate) = (try value("step_days"), try value("step_rate"))
                let grid = try ScenarioGrid(name: "one", rules: [("rule", rule)], scenarios: [scenario])
                let leg = try OptionBatch(
                    type: [text["type"] == "P" ? 1 : 0], spot: [try value("spot")],
                    strike: [try value("strike")], years: [try value("years")],
                    volatility: [try value("vol")], rate: [try value("rate")],
                    dividend: [try value("dividend")])
                let price = try ScenarioRevaluation(grid, engine: engine).prices(of: leg)[0, 0]
                // Relative to what is exchanged: the cancellation between both sides is the problem's own.
                let error = abs(price - (try value("price"))) / (leg.spot[0] * (1 + scenario.spot))
                errors.append(error)
                #expect(error < 4e-15, "\(set): \(line): \(price)")
            }
            errors.sort()
            print(
                "\(set), scenarios against 50 digits, over spot: median \(errors[120]), worst \(errors[239])")
        }
    }

    @Test(
        "A scenario is the full form at the moved inputs, whatever a grid shares and its rates hold",
        arguments: [nil, ScenarioGrid.HeldPrice.spot, .future])
    func sameAsFullForm(_ held: ScenarioGrid.HeldPrice?) throws {
        let engine = try GreeksEngine()
        let grid = try Self.grid(holding: held)
        let legs = try Self.legs(77)
        let prices = try ScenarioRevaluation(grid, engine: engine).prices(of: legs)
        let profits = try ScenarioRevaluation(grid, engine: engine).profits(of: legs)
        let coin = try ScenarioRevaluation(grid, engine: engine).profits(of: legs, in: .coin)
        let now = try #require(engine.greeks(.price, of: legs)[.price])
        var worst = 0.0
        for (number, scenario) in grid.scenarios.enumerated() {
            let rule = grid.rules[scenario.rule]
            // The forward stays where it is if what is carried rises as much as the rate.
            let yield = held == .future ? scenario.rate : 0
            var (years, volatility) = (legs.years, legs.volatility)
            for leg in years.indices {
                years[leg] = max(0, years[leg] - scenario.days / 365)
                let left = years[leg]
                let power = left <= 30.0 / 365 ? rule.shortTermPower : rule.longTermPower
                let scale = power == 0 ? 1 : pow(30.0 / 365 / max(left, 1e-9), power)
                let moneyness =
                    log(legs.strike[leg] / legs.spot[leg])
                    - (legs.rate[leg] + scenario.rate - legs.dividend[leg] - yield) * left
                let shocked = volatility[leg] * max(0, 1 + rule.relative * scale)
                volatility[leg] = max(
                    rule.leastVolatility, shocked + (rule.parallel + rule.skew * moneyness) * scale)
            }
            let moved = try OptionBatch(
                type: legs.type, spot: legs.spot.map { $0 * (1 + scenario.spot) }, strike: legs.strike,
                years: years, volatility: volatility, rate: legs.rate.map { $0 + scenario.rate },
                dividend: legs.dividend.map { $0 + yield })
            let truth = try #require(engine.greeks(.price, of: moved)[.price])
            for leg in 0..<legs.count {
                worst = max(worst, abs(prices[leg, number] - truth[leg]) / moved.spot[leg])
                #expect(profits[leg, number] == prices[leg, number] - profitBase(leg))
                let expected = truth[leg] / moved.spot[leg] - now[leg] / legs.spot[leg]
                #expect(abs(coin[leg, number] - expected) < 1e-14 * (1 + abs(expected)))
            }
        }
        /// What leg is worth now, by the same arithmetic: scenario 3 of the grid moves nothing.
        func profitBase(_ leg: Int) -> Double { prices[leg, 3] }
        #expect((0..<legs.count).allSatisfy { profits[$0, 3] == 0 && coin[$0, 3] == 0 })
        print("scenarios against the full form, over spot: worst \(worst)")
        #expect(worst < 2e-15)
    }

    @Test("A scenario has the same bits whatever else is asked for, on AVX2 and AVX-512")
    func sameBits() throws {
        let legs = try Self.legs(603)
        let grid = try Self.grid()
        var generator = SeededGenerator(seed: 3)
        let quantities = (0..<603).map { _ in Double.random(in: -9...9, using: &generator) }
        let books = (0..<603).map { _ in Int32.random(in: 0..<7, using: &generator) }
        let best = ScenarioRevaluation(grid, engine: try GreeksEngine())
        let profits = try best.profits(of: legs)
        let sums = try best.profits(of: legs, quantities: quantities, books: books, bookCount: 7)
        func first(_ count: Int) throws -> OptionBatch {
            try OptionBatch(
                type: Array(legs.type[..<count]), spot: Array(legs.spot[..<count]),
                strike: Array(legs.strike[..<count]), years: Array(legs.years[..<count]),
                volatility: Array(legs.volatility[..<count]), rate: Array(legs.rate[..<count]),
                dividend: Array(legs.dividend[..<count]))
        }
        for count in [1, 7, 8, 9, 255, 257] {
            let some = try best.profits(of: try first(count))
            for leg in 0..<count { #expect(some.row(leg) == profits.row(leg), "\(leg) of \(count)") }
        }
        // Another order of scenarios, and fewer of them.
        let fewer = try ScenarioGrid(
            name: "fewer", rules: Self.rules, scenarios: Array(grid.scenarios.reversed().prefix(11)))
        let others = try ScenarioRevaluation(fewer, engine: best.engine).profits(of: legs)
        for number in 0..<11 {
            for leg in [0, 300, 602] { #expect(others[leg, number] == profits[leg, grid.count - 1 - number]) }
        }
        for set in InstructionSet.supported {
            let engine = try GreeksEngine(set)
            let own = ScenarioRevaluation(grid, engine: engine)
            let other = try own.profits(of: legs)
            let ownSums = try own.profits(of: legs, quantities: quantities, books: books, bookCount: 7)
            let isSame = set != .baseline && best.engine.instructionSet != .baseline
            for leg in 0..<legs.count {
                for number in 0..<grid.count {
                    let difference = abs(other[leg, number] - profits[leg, number])
                    #expect(difference <= (isSame ? 0 : 1e-13 * legs.spot[leg] * 3), "\(set)")
                }
            }
            for book in 0..<7 where isSame { #expect(ownSums.row(book) == sums.row(book)) }
        }
        // However many threads share the scenarios; 168 are 21 eights.
        for threads in [2, 3, 8, 100] {
            let shared = try best.profits(
                of: legs, quantities: quantities, books: books, bookCount: 7, threads: threads)
            for book in 0..<7 { #expect(shared.row(book) == sums.row(book), "\(threads) threads") }
        }
        // Against 64 bits of significand.
        for number in 0..<grid.count {
            for book in 0..<7 {
                var (sum, scale) = (Float80(0), 0.0)
                for leg in 0..<legs.count where books[leg] == Int32(book) {
                    sum += Float80(quantities[leg]) * Float80(profits[leg, number])
                    scale += abs(quantities[leg] * profits[leg, number])
                }
                #expect(abs(sums[book, number] - Double(sum)) <= 1e-14 * scale)
            }
        }
    }

    /// An inverse position under moves of the price, as the exchange's own example of its portfolio margin shows:
    /// four losses in the ratio x/(1 − x), which makes it a long position of 0.31335083 coin.
    @Test("An inverse position loses what the exchange's example of portfolio margin shows")
    func publishedInverseVector() throws {
        let published = [-0.059685872, -0.042729659, -0.027247899, -0.013056284, 0]
        let moves = [-0.16, -0.12, -0.08, -0.04, 0]
        let price = 65_000.0
        let instrument = try Instrument(name: "BTC-PERPETUAL")
        let ticker = Ticker(
            instrument: instrument, timestamp: Timestamp(milliseconds: 1_718_600_000_000),
            underlyingPrice: nil, underlyingIndex: nil, indexPrice: nil, markPrice: price,
            markVolatility: nil, openInterest: nil, bids: [], asks: [], published: nil)
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks([ticker], .exposures, &badRows)
        let path = SharedData.packageRoot.appendingPathComponent("Examples/grids/deribit-btc.json").path
        let grid = try ScenarioGrid(try Source(path: path))
        let scenarios = try ChainScenarios(
            chain, grid, market: [], in: .coin, engine: try GreeksEngine())
        let position = PositionTable.Position(
            book: "a", instrument: instrument, quantity: 0.31335083 * price, line: 1)
        let profits = scenarios.profits(of: [position], by: [.book]).profits
        for (move, expected) in zip(moves, published) {
            let places = grid.scenarios.indices.filter { grid.scenarios[$0].spot == move }
            #expect(places.count == 3)
            for place in places { #expect(abs(profits[0, place] - expected) < 1e-9) }
        }
        // In dollars an inverse future is linear.
        let dollars = try ChainScenarios(chain, grid, market: [], engine: try GreeksEngine())
        #expect(abs(dollars.profits()[0, 0] - -0.16) < 1e-15)
    }

    @Test("Grids that make no sense, and legs without the smile that a grid needs, are refused")
    func refusals() throws {
        func scenario(_ change: (inout ScenarioGrid.Scenario) -> Void) -> ScenarioGrid.Scenario {
            var scenario = ScenarioGrid.Scenario()
            change(&scenario)
            return scenario
        }
        let bad: [ScenarioGrid.Scenario] = [
            scenario { $0.spot = -1 }, scenario { $0.spot = .nan }, scenario { $0.days = -1 },
            scenario { $0.rate = .infinity }, scenario { $0.rule = 9 }, scenario { $0.dampening = -1 },
        ]
        for scenario in bad {
            #expect(throws: RiskError.self) {
                try ScenarioGrid(name: "bad", rules: Self.rules, scenarios: [scenario])
            }
        }
        #expect(throws: RiskError.self) {
            try ScenarioGrid(name: "none", rules: Self.rules, scenarios: [])
        }
        #expect(throws: RiskError.self) {
            try ScenarioGrid(
                name: "bad", rules: [("x", Self.rule { $0.relative = .nan })],
                scenarios: [ScenarioGrid.Scenario()])
        }
        let sticky = try ScenarioGrid(
            name: "sticky", rules: Self.rules,
            scenarios: [scenario { ($0.spot, $0.stickiness) = (0.1, .delta) }])
        let legs = try Self.legs(3)
        let revaluation = ScenarioRevaluation(sticky, engine: try GreeksEngine())
        #expect(throws: RiskError.missing(.chain, of: "sticky")) { try revaluation.prices(of: legs) }
        let plain = ScenarioRevaluation(try Self.grid(), engine: try GreeksEngine())
        for books in [[0, 1, 2], [0, 0, -1]] as [[Int32]] {
            #expect(throws: RiskError.self) {
                try plain.profits(of: legs, quantities: [1, 1, 1], books: books, bookCount: 2)
            }
        }
        #expect(throws: RiskError.self) {
            try plain.profits(of: legs, quantities: [1, .nan, 1], books: [0, 0, 0], bookCount: 1)
        }
        #expect(throws: RiskError.self) {
            try plain.profits(of: legs, quantities: [1], books: [0, 0, 0], bookCount: 1)
        }
    }
}
