import Margin
import Testing

/// What holds where a field of a market, an account or a rule is left out.
struct DefaultTests {
    @Test(
        "What a market, an account and rules leave out",
        arguments: [
            (
                "\(MarginMarket.Expiry("e", seconds: 2, forward: 3))",
                #"Expiry(name: "e", seconds: 2.0, forward: 3.0, fixed: 0.0, rate: 0.0, forwardConfidence: 1.0, rateConfidence: 1.0, volatilityConfidence: 1.0)"#
            ),
            (
                "\(MarginMarket.Underlying("u", spot: 2))",
                #"Underlying(name: "u", spot: 2.0, confidence: 1.0, perpetual: nil, expiries: [])"#
            ),
            ("\(MarginMarket.Perpetual(price: 2))", "Perpetual(price: 2.0, confidence: 1.0)"),
            (
                "\(MarginMarket.Contract("c", .option, underlying: 0))",
                #"Contract(name: "c", kind: Margin.MarginMarket.Kind.option, underlying: 0, expiry: nil, type: nil, strike: nil, volatility: nil, mark: nil, price: nil, multiplier: 1.0, settlesInCoin: false, gains: nil)"#
            ),
            ("\(MarginMarket())", "MarginMarket(stablePrice: 1.0, underlyings: [], contracts: [])"),
            (
                "\(CrossMarginAccount.Position(contract: 1, quantity: 2))",
                "Position(contract: 1, quantity: 2.0, unrealised: 0.0, funding: 0.0, entry: nil, average: nil)"
            ),
            (
                "\(CrossMarginAccount.Collateral("A", quantity: 2, price: 3))",
                #"Collateral(asset: "A", quantity: 2.0, price: 3.0, confidence: 1.0, movesWithSpot: true, maintenanceHaircut: 0.0, initialHaircut: 0.0)"#
            ),
            (
                "\(SpanMargin())",
                "SpanMargin(scan: nil, shortOptionMinimum: 0.0, initialRatio: 1.0, countsOptionValue: false)"
            ),
            (
                "\(SpanMargin.Scan(price: 2, volatility: 3, extremeMultiple: 4, extremeCover: 0.5))",
                "Scan(price: 2.0, volatility: 3.0, extremeMultiple: 4.0, extremeCover: 0.5, days: 0.0)"
            ),
            (
                "\(RateMargin(initialRate: 2, maintenanceRate: 3))",
                "RateMargin(initialRate: 2.0, maintenanceRate: 3.0, price: Margin.RateMargin.Price.now, fixedMaintenance: 0.0)"
            ),
            (
                "\(ShortOptionMargin.Side(initialRate: 2, initialLeast: 3, maintenanceRate: 4))",
                "Side(initialRate: 2.0, initialLeast: 3.0, maintenanceRate: 4.0, initialLeastOfMark: 0.0, maintenanceOfMark: 0.0, maintenanceFee: 0.0, takesGreaterPremium: false, isInitialAtLeastMaintenance: false)"
            ),
            ("\(ScanMargin.Contingency())", "Contingency(maintenance: 0.0, initial: 0.0)"),
            ("\(ScanMargin.Basis(moves: [2]))", "Basis(moves: [2.0], added: 0.0, perYear: 0.0)"),
            ("\(MarginCandidate(contract: 2))", "MarginCandidate(contract: 2, unit: 1.0)"),
        ])
    func leftOut(_ value: String, _ expected: String) { #expect(value == expected) }
}
