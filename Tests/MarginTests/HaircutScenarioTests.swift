import Foundation
import Greeks
import Margin
import Market
import Risk
import Testing

/// Haircuts of expiries in scenarios in which time passes and rates move.
struct HaircutScenarioTests {
    @Test(
        "A haircut counts a scenario's days and rate in every form of a rule: sums, contracts, lines, whole numbers",
        arguments: [[2.0, 1], [-2, -1], [1, -3]])
    func forms(_ quantities: [Double]) throws {
        let engine = try GreeksEngine()
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("X", spot: 100)
        var expiry = MarginMarket.Expiry("e", seconds: 90 * 86_400, forward: 100)
        expiry.rate = 0.05
        underlying.expiries = [expiry]
        market.underlyings = [underlying]
        for strike in [90.0, 110] {
            var option = MarginMarket.Contract("c\(Int(strike))", .option, underlying: 0, expiry: 0)
            (option.type, option.strike, option.volatility) = (.call, strike, 0.6)
            market.contracts.append(option)
        }
        let account = try CrossMarginAccount(
            currency: "USD", cash: 0,
            quantities.enumerated().map {
                CrossMarginAccount.Position(contract: $0.offset, quantity: $0.element)
            }, in: market)
        var scenario = ScenarioGrid.Scenario()
        (scenario.spot, scenario.days, scenario.rate) = (quantities[0] > 1 ? -0.1 : 0.1, 20, 0.08)
        func model(_ haircut: ExpiryHaircut?) throws -> MarginModel {
            let grid = try ScenarioGrid(
                name: "g", rules: [("same", .init())], scenarios: [scenario], haircut: haircut)
            return MarginModel(.scan(ScanMargin(grid)))
        }
        let plain = try model(nil).requirement(of: account, in: market, engine)
        let charged = try model(
            ExpiryHaircut(
                long: 0.9, longRateMultiple: 2, longAddedRate: 0.1, short: 1.1, shortRateMultiple: 1,
                shortAddedRate: 0.2))
        let margin = try charged.requirement(of: account, in: market, engine)
        let value = plain.markToMarket
        let after = value - (try #require(plain.losses.first).loss)
        let (left, rate) = (70.0 / 365, 0.05 + 0.08)
        let mark =
            after > 0
            ? after * 0.9 * exp(-left * (2 * rate + 0.1))
            : after * min(exp(rate * left), 1.1 * exp(left * (rate + 0.2)))
        let loss = try #require(margin.losses.first).loss
        #expect(loss > 0 && abs(loss - (value - mark)) < 1e-12 * abs(value), "\(loss), not \(value - mark)")
        let contracts = margin.byContract.reduce(0) { $0 + $1.initial }
        #expect(abs(contracts - loss) < 1e-12 * abs(value))
        let convex = try charged.convexRequirement(of: account, in: market, trading: [], engine)
        #expect(abs(convex.required(after: []) - margin.initialMargin) < 1e-12 * abs(value))
        let exact = try charged.exactMargin(of: account, in: market, engine)
        #expect(abs(Double(exact.losses[0].loss) / 1e8 - loss) < 1e-6)
    }
}
