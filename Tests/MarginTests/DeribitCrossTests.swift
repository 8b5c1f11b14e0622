import Greeks
import Margin
import Market
import TestSupport
import Testing

/// Deribit's portfolio margin in cross mode.
struct DeribitCrossTests {
    static let engine = try? GreeksEngine()

    private func market(btc: Double, eth: Double) -> MarginMarket {
        var market = MarginMarket()
        market.underlyings = [
            MarginMarket.Underlying("BTC", spot: btc), MarginMarket.Underlying("ETH", spot: eth),
        ]
        var inverse = MarginMarket.Contract("ETH-PERPETUAL", .inversePerpetual, underlying: 1)
        var linear = MarginMarket.Contract("ETH_USDC-PERPETUAL", .perpetual, underlying: 1)
        (inverse.price, linear.price) = (eth, eth)
        var short = MarginMarket.Contract("BTC-PERPETUAL", .inversePerpetual, underlying: 0)
        short.price = btc
        market.contracts = [inverse, linear, short]
        return market
    }

    private func position(_ contract: Int, _ quantity: Double) -> CrossMarginAccount.Position {
        CrossMarginAccount.Position(contract: contract, quantity: quantity)
    }

    @Test(
        "A recorded account: bitcoin at −16%, ether net of both settlements at +18%, a roll that nets neither"
    )
    func recorded() throws {
        let engine = try #require(Self.engine)
        var model = try RandomMarginHedge.model("deribit-cross")
        guard case .deribitCross(var rule) = model.rule else { return }
        rule.units["BTC"]?.margin.leastAnnualisedMove = 0.005
        model = MarginModel(.deribitCross(rule))
        let market = market(btc: 68_570, eth: 1964.3)
        var account = try CrossMarginAccount(
            currency: "USD", cash: 5, [position(0, -1), position(1, 0.001)], in: market)
        account.collateral = [CrossMarginAccount.Collateral("BTC", quantity: 0.0000348, price: 68_570)]
        let margin = try model.requirement(of: account, in: market, engine)
        // What the exchange said, from prices that are known to four digits.
        #expect((margin.initialMargin - 0.570187404).magnitude < 1e-4)
        #expect((margin.maintenanceMargin - 0.456149923).magnitude < 1e-4)
        let coin = 0.0000348 * 68_570 * 0.16
        let ether = (0.001 * 1964.3 - 1) * 0.18
        let roll = 0.005 * (1 + 0.001 * 1964.3)
        #expect((margin.initialMargin - coin - ether - roll).magnitude < 1e-12)
        #expect((margin.markToMarket - 5 - 0.0000348 * 68_570).magnitude < 1e-12)
    }

    @Test("Each equity counts once, and underlyings do not net")
    func once() throws {
        let engine = try #require(Self.engine)
        let model = try RandomMarginHedge.model("deribit-cross")
        let market = market(btc: 60_000, eth: 3000)
        func margin(
            _ positions: [CrossMarginAccount.Position], btc: Double, eth: Double
        ) throws -> MarginRequirement {
            var account = try CrossMarginAccount(currency: "USD", cash: 1000, positions, in: market)
            account.collateral = [
                CrossMarginAccount.Collateral("BTC", quantity: btc, price: 60_000),
                CrossMarginAccount.Collateral("ETH", quantity: eth, price: 3000),
            ]
            return try model.requirement(of: account, in: market, engine)
        }
        let both = try margin([], btc: 2, eth: 10)
        #expect(both.markToMarket == 151_000)
        #expect((both.initialMargin - 0.16 * 120_000 - 0.18 * 30_000).magnitude < 1e-9)
        // Coins that are sold forward move nothing; what is left of the requirement is the roll.
        let hedged = try margin([position(2, -120_000), position(0, -30_000)], btc: 2, eth: 10)
        let worst = try #require(hedged.parts.first { $0.name == "worst scenarios" })
        #expect(worst.initial.magnitude < 1e-9)
        #expect((hedged.initialMargin - 0.01 * 120_000 - 0.005 * 30_000).magnitude < 1e-9)
        // A gain on ether does not pay for a loss on bitcoin.
        let long = try margin([], btc: 2, eth: 0)
        let more = try margin([position(0, -30_000)], btc: 2, eth: 0)
        #expect(more.initialMargin > long.initialMargin + 0.18 * 30_000)
    }

    @Test("A coin of no unit must be said to stand still; an underlying of no unit is refused")
    func refusals() throws {
        let engine = try #require(Self.engine)
        let model = try RandomMarginHedge.model("deribit-cross")
        var market = market(btc: 60_000, eth: 3000)
        var account = try CrossMarginAccount(currency: "USD", cash: 0, [], in: market)
        account.collateral = [CrossMarginAccount.Collateral("SOL", quantity: 1, price: 150)]
        #expect(throws: MarginError.self) { try model.requirement(of: account, in: market, engine) }
        account.collateral[0].movesWithSpot = false
        #expect(try model.requirement(of: account, in: market, engine).markToMarket == 150)
        market.underlyings[0].name = "SOL"
        let held = try CrossMarginAccount(currency: "USD", cash: 0, [position(2, 1)], in: market)
        #expect(throws: MarginError.self) { try model.requirement(of: held, in: market, engine) }
        market.stablePrice = 0.99
        #expect(throws: MarginError.self) { try model.requirement(of: account, in: market, engine) }
    }
}
