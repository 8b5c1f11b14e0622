import Foundation
import Greeks
import Market
import Risk
import Testing

/// Profits that a grid charges expiry by expiry.
struct ExpiryChargeTests {
    static let start = LiveDeskTests.start
    /// 24 April 2026, 08:00.
    static let morning: Int64 = 1_777_017_600_000

    static func call(_ name: String, _ strike: Double, expiry: Int64) -> Instrument {
        Instrument(
            name: name, base: "BTC", quote: "USDC", settlement: .linear,
            kind: .option(.call, strike: strike, expiry: Timestamp(milliseconds: expiry)))
    }

    static func ticker(_ instrument: Instrument, rate: Double = 0, after seconds: Int64 = 0) -> Ticker {
        LiveDeskTests.ticker(
            instrument, price: 60_000, rate: rate,
            at: Timestamp(milliseconds: start.milliseconds + 1000 * seconds))
    }

    /// Gains of one book without the haircut, option by option, and values of all.
    struct Book {
        let profit: Double
        let gains, values: [Double]
        let years, rates: [Double]
    }

    static func book(
        _ tickers: [Ticker], _ quantities: [Double], _ haircut: ExpiryHaircut,
        _ scenario: ScenarioGrid.Scenario,
        order: [Int]? = nil, by groupings: [Grouping] = [.book]
    ) throws -> Book {
        let order = order ?? Array(tickers.indices)
        var badRows = BadRows(skip: false)
        let engine = try GreeksEngine()
        let chain = try ChainGreeks(order.map { tickers[$0] }, .exposures, &badRows)
        chain.compute(engine)
        func grid(_ haircut: ExpiryHaircut?) throws -> ScenarioGrid {
            try ScenarioGrid(
                name: "grid", rules: [("same", .init())], scenarios: [scenario], haircut: haircut)
        }
        let plain = try ChainScenarios(chain, grid(nil), market: [], engine: engine).profits()
        let positions = order.map {
            PositionTable.Position(
                book: "a", instrument: tickers[$0].instrument, quantity: quantities[$0], line: 0)
        }
        let charged = try ChainScenarios(chain, grid(haircut), market: [], engine: engine)
            .profits(of: positions, by: groupings)
        let prices = try #require(chain.greeks[.price])
        func inOrder(_ figure: (Int) -> Double) -> [Double] {
            tickers.indices.map { figure(order.firstIndex(of: $0) ?? 0) }
        }
        return Book(
            profit: charged.groups.indices.reduce(0) { $0 + charged.profits[$1, 0] },
            gains: inOrder { plain[$0, 0] }, values: inOrder { prices[$0] },
            years: inOrder { chain.options.years[$0] }, rates: inOrder { chain.options.rate[$0] })
    }

    @Test(
        "Two expiries of one day are charged apart, whatever positions are grouped by",
        arguments: [[Grouping.book], [.expiry], [.underlying, .book], []])
    func sameDay(_ groupings: [Grouping]) throws {
        let tickers = [
            Self.ticker(Self.call("BTC_USDC-24APR26-60000-C", 60_000, expiry: Self.morning)),
            Self.ticker(
                Self.call("BTC_USDC-24APR26E-61000-C", 61_000, expiry: Self.morning + 8 * 3_600_000)),
        ]
        let haircut = ExpiryHaircut(
            long: 0.5, longRateMultiple: 0, longAddedRate: 0, short: 1, shortRateMultiple: 0,
            shortAddedRate: 0)
        let book = try Self.book(tickers, [3, -2], haircut, .init(), by: groupings)
        // Half of what is owned is lost, and what is owed stays.
        #expect(book.gains == [0, 0])
        #expect(abs(book.profit + 0.5 * 3 * book.values[0]) < 1e-9 * book.values[0])
    }

    @Test(
        "An expiry is marked at its earliest option's time, and at its rate plus the scenario's, in any order"
    )
    func timeAndRate() throws {
        let names = ["BTC_USDC-24APR26-58000-C", "BTC_USDC-24APR26-60000-C", "BTC_USDC-24APR26-62000-C"]
        let instruments = zip(names, [58_000.0, 60_000, 62_000]).map {
            Self.call($0, $1, expiry: Self.morning)
        }
        // The second is the earliest by five days.
        let tickers = zip(instruments, [(0.03, Int64(432_000)), (0.05, 0), (0.01, 432_000)]).map {
            Self.ticker($0, rate: $1.0, after: $1.1)
        }
        let haircut = ExpiryHaircut(
            long: 0.9, longRateMultiple: 2, longAddedRate: 0.1, short: 1.1, shortRateMultiple: 1,
            shortAddedRate: 0.2)
        var scenario = ScenarioGrid.Scenario()
        (scenario.spot, scenario.days, scenario.rate) = (-0.05, 3, 0.02)
        for quantities in [[1.0, 1, 1], [-1, -2, 1]] {
            var profits: [Double] = []
            for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
                let book = try Self.book(tickers, quantities, haircut, scenario, order: order)
                let value = zip(quantities, book.values).reduce(0) { $0 + $1.0 * $1.1 }
                let after = value + zip(quantities, book.gains).reduce(0) { $0 + $1.0 * $1.1 }
                let left = book.years[1] - 3.0 / 365
                let rate = 0.05 + 0.02
                let mark =
                    after > 0
                    ? after * 0.9 * exp(-left * (2 * rate + 0.1))
                    : after * min(exp(rate * left), 1.1 * exp(left * (rate + 0.2)))
                #expect(abs(book.profit - (mark - value)) < 1e-12 * abs(value), "\(order)")
                profits.append(book.profit)
            }
            #expect(profits.allSatisfy { abs($0 - profits[0]) < 1e-12 * abs(profits[0]) })
        }
    }

    @Test("Of equally early options the first by strike gives the rate, in any order of positions")
    func ties() throws {
        let tickers = [58_000.0, 60_000].enumerated().map {
            Self.ticker(
                Self.call("BTC_USDC-24APR26-\(Int($1))-C", $1, expiry: Self.morning),
                rate: 0.01 + 0.4 * Double($0))
        }
        let haircut = ExpiryHaircut(
            long: 1, longRateMultiple: 3, longAddedRate: 0, short: 1, shortRateMultiple: 0, shortAddedRate: 0)
        for order in [[0, 1], [1, 0]] {
            let book = try Self.book(tickers, [1, 1], haircut, .init(), order: order)
            let value = book.values[0] + book.values[1]
            let expected = value * (exp(-book.years[0] * 3 * 0.01) - 1)
            #expect(abs(book.profit - expected) < 1e-12 * value, "\(order)")
        }
    }

    @Test("Volatilities and betas that are no numbers are refused by name, and not taken for 0")
    func noNumbers() throws {
        let option = try Instrument(name: "BTC-24APR26-60000-C")
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks([Self.ticker(option)], .exposures, &badRows)
        var scenario = ScenarioGrid.Scenario()
        (scenario.spot, scenario.stickiness) = (-0.1, .moneyness)
        let sticky = try ScenarioGrid(name: "sticky", rules: [("same", .init())], scenarios: [scenario])
        let cases: [(Double, Double, String)] = [
            (60_000, .nan, "volatility: nan"), (.infinity, 0.5, "price: inf"),
        ]
        for (price, volatility, field) in cases {
            let bad = LiveDeskTests.ticker(
                try Instrument(name: "BTC-24APR26-70000-C"), price: price, volatility: volatility)
            let error = #expect(throws: RiskError.self) {
                try ChainScenarios(chain, sticky, market: [bad], engine: try GreeksEngine())
            }
            #expect("\(error as Any)".contains("BTC-24APR26-70000-C: \(field)"), "\(error as Any)")
        }
        var rule = ScenarioGrid.VolatilityRule()
        rule.spotBetas = .history
        let betas = try ScenarioGrid(name: "betas", rules: [("b", rule)], scenarios: [scenario])
        let history = HistoricalDynamics(
            name: "history", [.init(underlying: "BTC", fromDays: 0, toDays: nil, downBeta: .nan)])
        let error = #expect(throws: RiskError.self) {
            try ChainScenarios(
                chain, betas, market: chain.tickers, engine: try GreeksEngine(), betas: history)
        }
        #expect("\(error as Any)".contains("history: beta_down: nan"), "\(error as Any)")
        #expect(throws: RiskError.missing(.history, of: "volatility rule b")) {
            try ChainScenarios(chain, betas, market: chain.tickers, engine: try GreeksEngine())
        }
        #expect(throws: RiskError.missing(.smile, of: "BTC-24APR26")) {
            try ChainScenarios(chain, sticky, market: [], engine: try GreeksEngine())
        }
    }
}
