import Foundation
import Poise
import Testing

/// What a rate that moves does: the same in exposures, scenarios and explained profits.
struct RateMoveTests {
    /// 2026-03-02 09:30:00; the contracts expire 2026-12-25 08:00:00.
    static let time: Int64 = 1_772_443_800_000
    static let years = Double(1_798_185_600_000 - time) / (365 * 86_400_000)
    static let (forward, strike) = (67_000.0, 64_000.0)

    static func chain(_ name: String, rate: Double) throws -> Chain {
        let options = ["C", "P"].map {
            ProfitExplanationTests.option(
                "BTC-25DEC26-64000-\($0)", time, future: forward, volatility: 55, rate: rate, index: 64_250)
        }
        let future = ProfitExplanationTests.future("BTC-25DEC26", time, forward, index: 64_250)
        return try ProfitExplanationTests.chain(name, options + [future])
    }

    /// A long call, a short put, and the future sold for as many dollars as a coin is worth.
    static func positions() throws -> PositionTable {
        var badRows = BadRows(skip: false)
        let text = """
            book,instrument,quantity
            parity,BTC-25DEC26-64000-C,1
            parity,BTC-25DEC26-64000-P,-1
            parity,BTC-25DEC26,-67000

            """
        return try PositionTable(Source(name: "positions.csv", text: text), &badRows)
    }

    /// What the book gains in each scenario.
    static func gains(_ scenarios: String) throws -> [Double] {
        var badRows = BadRows(skip: false)
        let valuation = try BookValuation(positions(), in: try chain("first.json", rate: 0.01), &badRows)
        let engine = try GreeksEngine()
        valuation.greeks.compute(engine)
        let grid = try ScenarioGrid(Source(name: "grid.json", text: "{\"scenarios\": [\(scenarios)]}"))
        let revalued = try ChainScenarios(valuation.greeks, grid, market: [], engine: engine)
        let (_, profits) = revalued.profits(of: valuation.positions, by: [.book])
        return (0..<grid.count).map { profits[0, $0] }
    }

    @Test("A rate discounts: a future keeps its price, and so do the options' forwards")
    func discounts() throws {
        let before = (Self.forward - Self.strike) * exp(-0.01 * Self.years)
        let gains = try Self.gains(#"{"spot": [-0.1, 0, 0.1], "rate": 0.02}"#)
        for (gain, move) in zip(gains, [-0.1, 0, 0.1]) {
            let after = (Self.forward * (1 + move) - Self.strike) * exp(-0.03 * Self.years)
            #expect(abs(gain - (after - before - Self.forward * move)) < 1e-8, "\(move): \(gain)")
        }
        #expect(try Self.gains(#"{"spot": [-0.1, 0, 0.1], "rate": 0.02, "rate_holds": "future"}"#) == gains)
    }

    @Test("With the spot held, options' forwards and the dated future rise together")
    func spotHeld() throws {
        let gain = try Self.gains(#"{"rate": 0.02, "rate_holds": "spot"}"#)[0]
        let forward = Self.forward * exp(0.02 * Self.years)
        let before = (Self.forward - Self.strike) * exp(-0.01 * Self.years)
        let expected =
            (forward - Self.strike) * exp(-0.03 * Self.years) - before - (forward - Self.forward)
        #expect(abs(gain - expected) < 1e-8)
    }

    @Test("Rho of exposures is what the rate explains of a profit, and the slope of scenarios")
    func oneMeaning() throws {
        let (first, second) = (
            try Self.chain("first.json", rate: 0.01), try Self.chain("second.json", rate: 0.03)
        )
        for numeraire in Numeraire.allCases {
            var badRows = BadRows(skip: false)
            let engine = try GreeksEngine()
            let valuation = try BookValuation(Self.positions(), in: first, &badRows)
            valuation.greeks.compute(engine)
            let figures = UnitExposures(count: valuation.contracts.count)
            figures.update(from: valuation.greeks, in: numeraire)
            var rho = 0.0
            for position in valuation.positions {
                let row = try #require(valuation.contracts.firstIndex(of: position.instrument))
                rho += position.quantity * figures[row, .rho]
            }
            let unit = numeraire == .usd ? 1 : Self.forward
            let value = (Self.forward - Self.strike) * exp(-0.01 * Self.years)
            #expect(abs(rho * unit + Self.years * value / 100) < 1e-9)

            let explained = try ProfitExplanation(
                from: first, to: second, Self.positions(), in: numeraire, engine, &badRows)
            let sums = explained.sums(by: [.book])
            #expect(abs(sums[0, .rho] - 2 * rho) * unit < 1e-9)
            if numeraire == .usd {
                let gain = try Self.gains(#"{"rate": 0.02}"#)[0]
                #expect(abs(sums[0, .profit] - gain) < 1e-8)
            }
        }
        // Differences of full revaluation.
        let (down, up) = (try Self.gains(#"{"rate": -1e-4}"#)[0], try Self.gains(#"{"rate": 1e-4}"#)[0])
        let value = (Self.forward - Self.strike) * exp(-0.01 * Self.years)
        #expect(abs((up - down) / 2e-4 + Self.years * value) < 1e-3)
    }
}
