import Poise
import Testing

/// How sensitivities fade while the delivery price is averaged, by differences of the product's own revaluation.
struct SettlementWindowTests {
    static let expiry = Timestamp(milliseconds: 1_774_598_400_000)
    static let price = 60_000.0

    static func chain(minutes: Double, volatility: Double = 0.6) throws -> ChainGreeks {
        var badRows = BadRows(skip: false)
        let time = Timestamp(milliseconds: expiry.milliseconds - Int64(minutes * 60_000))
        let tickers = try ["BTC-27MAR26-60010-C", "BTC_USDC-27MAR26-59990-P", "BTC-27MAR26"].map { name in
            let instrument = try Instrument(name: name)
            return Ticker(
                instrument: instrument, timestamp: time, underlyingPrice: price, underlyingIndex: nil,
                indexPrice: nil, markPrice: instrument.isOption ? nil : price,
                markVolatility: instrument.isOption ? volatility : nil, openInterest: nil, bids: [],
                asks: [], published: nil)
        }
        return try ChainGreeks(tickers, .exposures, &badRows)
    }

    static func figures(
        _ numeraire: Numeraire, minutes: Double, volatility: Double = 0.6
    ) throws -> UnitExposures {
        let chain = try chain(minutes: minutes, volatility: volatility)
        chain.compute(try GreeksEngine())
        let figures = UnitExposures(count: chain.tickers.count)
        figures.update(from: chain, in: numeraire)
        return figures
    }

    @Test(
        "Delta and gamma are the first and second derivative of a scenario's profit by the index",
        arguments: Numeraire.allCases, [60.0, 29, 15, 5, 1])
    func priceDerivatives(_ numeraire: Numeraire, _ minutes: Double) throws {
        let share = min(1, minutes / 30)
        let step = 0.02 * 0.6 * (minutes / 525_600).squareRoot() / share
        var (down, up) = (ScenarioGrid.Scenario(), ScenarioGrid.Scenario())
        (down.spot, up.spot) = (-step, step)
        let grid = try ScenarioGrid(name: "tiny", rules: [("same", .init())], scenarios: [down, up])
        let chain = try Self.chain(minutes: minutes)
        let engine = try GreeksEngine()
        chain.compute(engine)
        let profits = try ChainScenarios(chain, grid, market: [], in: numeraire, engine: engine).profits()
        let figures = try Self.figures(numeraire, minutes: minutes)
        for (contract, ticker) in chain.tickers.enumerated() {
            let (lower, higher) = (profits[contract, 0], profits[contract, 1])
            let slope = (higher - lower) / (2 * step)
            let curvature = (higher + lower) / (step * step)
            let delta = figures[contract, numeraire == .usd ? .delta : .netDelta]
            let size = numeraire == .usd ? Self.price : ticker.instrument.isOption ? 1 : 1 / Self.price
            #expect(abs(delta - slope) < 2e-4 * size * share, "\(ticker.instrument.name)")
            // A profit in coin is paid at the moved price, which adds multiples of the delta.
            let paid = numeraire == .usd ? 0.0 : ticker.instrument.settlement == .inverse ? 1 : 2
            let gamma = 100 * figures[contract, .gamma] - paid * share * delta
            #expect(
                abs(gamma - curvature) < 1e-3 * max(abs(gamma), size * share * share),
                "\(ticker.instrument.name): \(gamma) against \(curvature)")
        }
    }

    @Test(
        "Vanna is the change of the delta shown per volatility point",
        arguments: Numeraire.allCases, [60.0, 15, 1])
    func vanna(_ numeraire: Numeraire, _ minutes: Double) throws {
        let step = 1e-4
        let figures = try Self.figures(numeraire, minutes: minutes)
        let lower = try Self.figures(numeraire, minutes: minutes, volatility: 0.6 - step)
        let higher = try Self.figures(numeraire, minutes: minutes, volatility: 0.6 + step)
        let shown: ExposureGreek = numeraire == .usd ? .delta : .netDelta
        for contract in 0..<2 {
            let difference = (higher[contract, shown] - lower[contract, shown]) / (2 * step) / 100
            let vanna = figures[contract, .vanna]
            #expect(abs(vanna - difference) < 1e-5 * abs(difference), "\(vanna) against \(difference)")
        }
    }

    @Test(
        "Charm is the change of the delta shown as time passes, theta that of the value, futures' too",
        arguments: Numeraire.allCases, [60.0, 29, 15, 5, 1])
    func timeDerivatives(_ numeraire: Numeraire, _ minutes: Double) throws {
        // Milliseconds are the least steps there are.
        let step = 0.002 * minutes
        let figures = try Self.figures(numeraire, minutes: minutes)
        let (sooner, later) = (
            try Self.figures(numeraire, minutes: minutes + step),
            try Self.figures(numeraire, minutes: minutes - step)
        )
        let days = 2 * step / 1_440
        let shown: ExposureGreek = numeraire == .usd ? .delta : .netDelta
        for contract in 0..<3 {
            for (greek, of) in [(ExposureGreek.charm, shown), (.theta, .value)] {
                let difference = (later[contract, of] - sooner[contract, of]) / days
                let size = max(abs(difference), abs(figures[contract, of]))
                #expect(
                    abs(figures[contract, greek] - difference) <= 1e-4 * size,
                    "\(greek) of \(contract): \(figures[contract, greek]) against \(difference)")
            }
        }
        // Half of the delta is lost in half of the time that is left.
        if minutes < 30 {
            #expect(abs(figures[2, .charm] + figures[2, shown] * 1_440 / minutes) < 1e-9 * 1_440)
        }
    }

    @Test("A live desk fades as a chain does, to the bit", arguments: Numeraire.allCases, [29.0, 1])
    func live(_ numeraire: Numeraire, _ minutes: Double) throws {
        let chain = try Self.chain(minutes: minutes)
        let figures = try Self.figures(numeraire, minutes: minutes)
        let desk = try LiveRisk([], chain, in: numeraire, engine: try GreeksEngine())
        for (row, ticker) in chain.tickers.enumerated() {
            let contract = try #require(desk.index(of: ticker.instrument.name))
            for greek in [ExposureGreek.charm, .delta, .netDelta, .gamma, .vanna] {
                let size = max(abs(figures[row, greek]), 1e-9)
                #expect(abs(desk.figure(contract, greek) - figures[row, greek]) <= 1e-13 * size, "\(greek)")
            }
        }
    }
}
