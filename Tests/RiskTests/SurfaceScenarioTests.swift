import Foundation
import Poise
import TestSupport
import Testing

/// Scenarios that move a surface's slices, or volatility along with the price.
struct SurfaceScenarioTests {
    private typealias Desk = LiveRiskTests.Desk

    private static let slice = SVISlice(a: 0.004, b: 0.06, rho: -0.3, m: 0.02, sigma: 0.1)
    private static let strikes = [70.0, 80, 90, 100, 110, 120, 130].map { $0 * 100 }
    private static let forward = 10_000.0

    /// Calls on one forward, 146 days from expiry, at the slice's volatilities.
    private static func tickers(_ start: Timestamp, _ expiry: String) throws -> [Ticker] {
        let names = strikes.map { "ETH-\(expiry)-\(Int($0))-C" }
        return try zip(names, strikes).map { name, strike in
            let instrument = try Instrument(name: name)
            let years = try #require(instrument.expiry).milliseconds - start.milliseconds
            let volatility = slice.volatility(
                at: log(strike / forward), years: Double(years) / 86_400_000 / 365)
            return Ticker(
                instrument: instrument, timestamp: start, underlyingPrice: forward, underlyingIndex: nil,
                indexPrice: nil, markPrice: nil, markVolatility: volatility, openInterest: nil, bids: [],
                asks: [], published: nil)
        }
    }

    private let engine: GreeksEngine
    private let tickers: [Ticker]
    private let chain: ChainGreeks
    private let years: Double

    init() throws {
        engine = try GreeksEngine()
        tickers = try Self.tickers(Desk.start, "26JUN26")
        var badRows = BadRows(skip: false)
        chain = try ChainGreeks(tickers, .exposures, &badRows)
        years = chain.options.years[0]
    }

    private func surface() throws -> SurfaceScenarios {
        let quotes = Self.strikes.map { strike in
            let volatility = Self.slice.volatility(at: log(strike / Self.forward), years: years)
            return SmileQuote(strike: strike, bid: volatility - 0.005, ask: volatility + 0.005)
        }
        let smile = SmileQuotes(
            name: tickers[0].instrument.series, underlying: "ETH", years: years, forward: Self.forward,
            quotes: quotes)
        return SurfaceScenarios(SurfaceFit([smile], loss: .mid, rule: .none))
    }

    private func grid(_ text: String) throws -> ScenarioGrid {
        try ScenarioGrid(Source(name: "grid.json", text: text))
    }

    /// Black's prices of the calls.
    private func prices(_ forward: Double, _ volatility: (Int) -> Double) throws -> [Double] {
        let flat = Self.strikes.map { _ in 0.0 }
        let batch = try OptionBatch(
            type: Self.strikes.map { _ in 0 }, spot: flat.map { _ in forward }, strike: Self.strikes,
            years: chain.options.years, volatility: Self.strikes.indices.map(volatility), rate: flat,
            dividend: flat)
        return Array(try #require(engine.greeks(.price, of: batch)[.price]))
    }

    private func own(_ k: Double) -> Double { Self.slice.volatility(at: k, years: years) }

    private func k(_ row: Int) -> Double { log(Self.strikes[row] / Self.forward) }

    @Test("A level of a surface revalues options on the slice stretched by it, at the tenor's own value")
    func level() throws {
        let days = years * 365
        let grid = try grid(
            """
            {"vol_rules": {"up": {"smile": {"level": {"days": [\(days - 30), \(days + 10)], "values": [0.02, 0.06]}}}},
             "scenarios": [{"vol": "up"}, {"vol": "up", "spot": 0.1}]}
            """)
        let profits = try ChainScenarios(
            chain, grid, market: tickers, engine: engine, surface: try surface()
        ).profits()
        // Three quarters of the way.
        let factor = (own(0) + 0.05) / own(0)
        let before = try prices(Self.forward) { own(k($0)) }
        for (scenario, forward) in [Self.forward, 1.1 * Self.forward].enumerated() {
            // Sticky strike: the volatility is read at ln(K/F) before the move.
            let after = try prices(forward) { factor * own(k($0) / factor) }
            for row in Self.strikes.indices {
                let difference = profits[row, scenario] - (after[row] - before[row])
                #expect(difference.magnitude < 1e-5, "\(scenario) \(row): \(difference)")
            }
        }
    }

    @Test("A surface's terms come before a rule's own, and move along with a smile that sticks to moneyness")
    func order() throws {
        let grid = try grid(
            """
            {"vol_rules": {"both": {"smile": {"level": 0.04}, "relative": 0.25, "parallel": 0.01}, "up": {"smile": {"level": 0.04}}},
             "scenarios": [{"vol": "both"}, {"vol": "up", "spot": \(Self.strikes[4] / Self.strikes[3] - 1), "sticky": "moneyness"}]}
            """)
        let profits = try ChainScenarios(
            chain, grid, market: tickers, engine: engine, surface: try surface()
        ).profits()
        let factor = (own(0) + 0.04) / own(0)
        let before = try prices(Self.forward) { own(k($0)) }
        let both = try prices(Self.forward) { 1.25 * factor * own(k($0) / factor) + 0.01 }
        for row in Self.strikes.indices {
            #expect((profits[row, 0] - (both[row] - before[row])).magnitude < 1e-5, "\(row)")
        }
        // Strike 4 comes to the money, where strike 3 was.
        let moved = try prices(Self.strikes[4]) { _ in own(0) + 0.04 }
        #expect((profits[4, 1] - (moved[4] - before[4])).magnitude < 1e-5)
    }

    @Test("With sticky moneyness, betas move volatility at the money by exactly beta times the move")
    func betas() throws {
        let (down, up) = (Self.strikes[2] / Self.strikes[3] - 1, Self.strikes[4] / Self.strikes[3] - 1)
        let scenarios =
            "\"scenarios\": [{\"vol\": \"b\", \"spot\": [\(down), \(up), 0], \"sticky\": \"moneyness\"}]"
        let given = try grid(
            "{\"vol_rules\": {\"b\": {\"spot_betas\": {\"down\": -0.9, \"up\": -0.3}}}, \(scenarios)}")
        let asked = try grid("{\"vol_rules\": {\"b\": {\"spot_betas\": \"history\"}}, \(scenarios)}")
        let history = try HistoricalDynamics(
            Source(
                name: "history.json",
                text: """
                    {"chains": 3, "slices_without_curve": 0, "dynamics": [
                     {"underlying": "BTC", "days_from": 0, "days_to": null, "moves": 9, "beta_down": 5, "beta_up": 5},
                     {"underlying": "ETH", "days_from": 0, "days_to": 30, "beta_down": 7, "beta_up": 7},
                     {"underlying": "ETH", "days_from": 30, "days_to": null, "r": 1, "beta_down": -0.9, "beta_up": -0.3}],
                     "paths": [{"slice": "x"}]}
                    """))
        let before = try prices(Self.forward) { own(k($0)) }
        for (grid, betas) in [(given, nil), (asked, history)] {
            #expect(grid.needsSmiles && !grid.needsSurface)
            let profits = try ChainScenarios(
                chain, grid, market: tickers, engine: engine, betas: betas
            ).profits()
            for (scenario, row, beta) in [(0, 2, -0.9), (1, 4, -0.3)] {
                let forward = Self.strikes[row]
                let expected = try prices(forward) { _ in own(0) + beta * log(forward / Self.forward) }
                #expect((profits[row, scenario] - (expected[row] - before[row])).magnitude < 1e-8)
            }
            for row in Self.strikes.indices { #expect(profits[row, 2] == 0) }
        }
    }

    @Test("With sticky strike, betas add to each strike's own volatility; a later tenor has its own")
    func betasAtStrikes() throws {
        let days = years * 365
        let grid = try grid(
            """
            {"vol_rules": {"b": {"spot_betas": {"down": {"days": [\(days - 1), \(days + 3)], "values": [-1, -0.2]}, "up": 0}}},
             "scenarios": [{"vol": "b", "spot": [-0.2, 0.2]}]}
            """)
        let profits = try ChainScenarios(chain, grid, market: tickers, engine: engine).profits()
        let before = try prices(Self.forward) { own(k($0)) }
        let down = try prices(0.8 * Self.forward) { own(k($0)) - 0.8 * log(0.8) }
        let up = try prices(1.2 * Self.forward) { own(k($0)) }
        for row in Self.strikes.indices {
            #expect((profits[row, 0] - (down[row] - before[row])).magnitude < 1e-8, "\(row)")
            #expect((profits[row, 1] - (up[row] - before[row])).magnitude < 1e-8, "\(row)")
        }
    }

    @Test("A curve by tenor is straight between its days and level beyond them")
    func tenors() {
        let curve = ScenarioGrid.TenorCurve(days: [7, 30, 90], values: [0.1, 0.05, 0.02])
        for (days, expected) in [
            (0.0, 0.1), (7, 0.1), (18.5, 0.075), (30, 0.05), (60, 0.035), (90, 0.02), (1e9, 0.02),
        ] { #expect((curve[days] - expected).magnitude < 1e-15, "\(days)") }
        #expect(ScenarioGrid.TenorCurve(0.3)[5] == 0.3)
    }

    @Test("What a grid needs and does not get is an error that names it")
    func missing() throws {
        func failure(
            _ rule: String, _ surface: SurfaceScenarios? = nil, betas: String? = nil,
            sticky: String = "moneyness"
        ) -> String {
            do {
                let grid = try grid(
                    "{\"vol_rules\": {\"r\": {\(rule)}}, \"scenarios\": [{\"vol\": \"r\", \"spot\": -0.1, \"sticky\": \"\(sticky)\"}]}"
                )
                let history = try betas.map { try HistoricalDynamics(Source(name: "h.json", text: $0)) }
                _ = try ChainScenarios(
                    chain, grid, market: tickers, engine: engine, surface: surface, betas: history)
                return ""
            } catch { return "\(error)" }
        }
        let surface = try surface()
        #expect(failure("\"smile\": {\"level\": 0.1}").contains("rule r"))
        #expect(failure("\"smile\": {\"level\": 0.1}", surface) == "")
        #expect(failure("\"smile\": {\"level\": -0.9}", surface).contains("leaves no slice for ETH-26JUN26"))
        let other = SurfaceScenarios(SurfaceFit([], loss: .mid, rule: .none))
        #expect(failure("\"smile\": {\"level\": 0.1}", other).contains("ETH-26JUN26"))
        #expect(failure("\"spot_betas\": \"history\"").contains("rule r"))
        let short =
            "{\"dynamics\": [{\"underlying\": \"ETH\", \"days_from\": 0, \"days_to\": 7, \"beta_down\": 1}]}"
        #expect(failure("\"spot_betas\": \"history\"", betas: short).contains("no beta_down of ETH"))
        let none = "{\"dynamics\": [{\"underlying\": \"ETH\", \"days_from\": 0, \"beta_up\": 1}]}"
        #expect(failure("\"spot_betas\": \"history\"", betas: none).contains("no beta_down of ETH"))
        #expect(failure("\"spot_betas\": \"history\"", betas: "{\"dynamics\": []}").contains("there is none"))
        #expect(
            failure("\"spot_betas\": \"history\"", betas: short, sticky: "strike")
                .contains("sticky must be moneyness or delta"))
        let legs = try ScenarioTests.legs(8)
        let rule = try grid(
            "{\"vol_rules\": {\"r\": {\"smile\": {\"level\": 0.1}}}, \"scenarios\": [{\"vol\": \"r\"}]}")
        #expect(throws: RiskError.missing(.chain, of: rule.name)) {
            try ScenarioRevaluation(rule, engine: engine).profits(of: legs)
        }
    }

    @Test("A move that leaves a butterfly is said, one that does not is not")
    func remarks() throws {
        let grid = try grid(
            """
            {"vol_rules": {"mild": {"smile": {"level": 0.01}}, "steep": {"smile": {"left_wing": 60}}},
             "scenarios": [{"vol": ["mild", "steep"]}]}
            """)
        let series = tickers[0].instrument.series
        let remarks = try surface().remarks(on: grid, [series])
        #expect(remarks.count == 1 && remarks[0].contains("rule steep leaves a butterfly in \(series)"))
    }
}
