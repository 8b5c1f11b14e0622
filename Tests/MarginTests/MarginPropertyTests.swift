import Foundation
import Greeks
import Margin
import Market
import Risk
import TestSupport
import Testing

/// Laws that margins obey, whatever the parameters.
struct MarginPropertyTests {
    static let engine = try? GreeksEngine()

    /// A case of the fixture.
    private func account(
        _ name: String
    ) throws -> (model: MarginModel, market: MarginMarket, account: CrossMarginAccount) {
        let cases = try MarginCases(try Source(path: MarginCaseTests.own)).cases
        let one = try #require(cases.first { $0.name == name })
        guard case .account(let model, let market, let account, _) = one.problem else {
            throw MarginError(.name(name), field: "", reason: "no account")
        }
        return (model, market, account)
    }

    @Test(
        "A position has one margin, whether it came in one fill or in a thousand, in whatever order",
        arguments: ["scan-2-0", "scan-1-1", "standard-1", "deribit-0", "single-0", "span-0"])
    func netting(_ name: String) throws {
        let (model, market, account) = try account(name)
        let engine = try #require(Self.engine)
        let whole = account.positions.map { position in
            var position = position
            position.quantity = (position.quantity * 8).rounded() / 8
            (position.unrealised, position.funding) = (0, 0)
            return position
        }
        var fills: [CrossMarginAccount.Position] = []
        for position in whole {
            let parts = 125
            for part in 0..<parts {
                var fill = position
                fill.quantity = part == 0 ? position.quantity - Double(parts - 1) * 0.1 : 0.1
                fills.append(fill)
            }
        }
        var generator = SeededGenerator(seed: 5)
        var seen: Set<Double> = []
        for round in 0..<4 {
            if round > 0 { fills.shuffle(using: &generator) }
            let own = try CrossMarginAccount(
                currency: account.currency, cash: account.cash, fills, in: market)
            seen.insert(try model.requirement(of: own, in: market, engine).initialMargin)
        }
        #expect(seen.count == 1, "the order of fills has no effect at all")
        let one = try CrossMarginAccount(currency: account.currency, cash: account.cash, whole, in: market)
        let margin = try model.requirement(of: one, in: market, engine).initialMargin
        #expect(abs((seen.first ?? .nan) - margin) <= 1e-12 * abs(margin))
    }

    @Test("Sums of fills are the doubles nearest to them: the order has no effect on a bit")
    func exactSums() throws {
        var market = MarginMarket()
        market.underlyings = [MarginMarket.Underlying("X", spot: 1)]
        market.contracts = [MarginMarket.Contract("P", .perpetual, underlying: 0)]
        let parts = [1e16, 1, -1e16, 0x1p-60, 1, 0.1, -0.1, 0x1p53, 1, 0x1p-53, -0x1p53]
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<50 {
            let fills = parts.shuffled(using: &generator).map {
                CrossMarginAccount.Position(contract: 0, quantity: $0)
            }
            let account = try CrossMarginAccount(currency: "USD", cash: 0, fills, in: market)
            #expect(account.quantities == [3])
        }
    }

    @Test("A trade that gains in every scenario never raises the requirement of a pure scan")
    func hedges() throws {
        let engine = try #require(Self.engine)
        var generator = SeededGenerator(seed: 3)
        var tried = 0
        for name in ["scan-2-0", "scan-2-2", "scan-2-4", "scan-1-0"] {
            let (model, market, account) = try account(name)
            guard case .scan(let full) = model.rule else { continue }
            let plain = try ScenarioGrid(
                name: "plain", rules: zip(full.grid.ruleNames, full.grid.rules).map { ($0, $1) },
                scenarios: full.grid.scenarios.map {
                    var scenario = $0
                    scenario.expiryLoss = .signed
                    return scenario
                })
            var pure = ScanMargin(plain)
            pure.initialFactor = 1.3
            let rule = MarginModel(.scan(pure))
            for _ in 0..<60 {
                let one = Int.random(in: market.contracts.indices, using: &generator)
                let size = Double.random(in: -5...5, using: &generator)
                let before = try rule.requirement(of: account, in: market, engine)
                let after = try rule.requirement(
                    of: account.after(one, quantity: size, paying: 0), in: market, engine)
                let helps = zip(before.losses, after.losses).allSatisfy { $0.loss >= $1.loss }
                guard helps else { continue }
                tried += 1
                #expect(after.initialMargin <= before.initialMargin)
                #expect(after.maintenanceMargin <= before.maintenanceMargin)
            }
        }
        #expect(tried > 3)
    }

    @Test(
        "What a trade does to a live margin is what the account has after it, computed anew",
        arguments: ["scan-2-0", "scan-2-1", "scan-2-2", "scan-2-4", "scan-2-5", "scan-1-1", "scan-1-3"])
    func candidates(_ name: String) throws {
        let engine = try #require(Self.engine)
        let (model, market, account) = try account(name)
        guard case .scan(let scan) = model.rule else { return }
        let live = try LiveMargin(scan, account, in: market, engine)
        func compare(_ figures: LiveMargin.Figures, _ other: MarginRequirement, _ what: String) {
            let size = max(other.initialMargin.magnitude, other.markToMarket.magnitude)
            #expect(abs(figures.initialMargin - other.initialMargin) < 1e-12 * size, "\(what)")
            #expect(abs(figures.maintenanceMargin - other.maintenanceMargin) < 1e-12 * size, "\(what)")
            #expect(abs(figures.markToMarket - other.markToMarket) < 1e-12 * size, "\(what)")
        }
        compare(live.figures, try model.requirement(of: account, in: market, engine), "before")
        var own = account
        for (place, contract) in market.contracts.enumerated() {
            for size in [-3.5, 0.25, 40] {
                let paid = try unit(place, market, model, engine) * size
                let after = own.after(place, quantity: size, paying: paid)
                compare(
                    live.margin(after: place, quantity: size),
                    try model.requirement(of: after, in: market, engine), "\(contract.name) \(size)")
            }
            let paid = try unit(place, market, model, engine) * 1.5
            own = own.after(place, quantity: 1.5, paying: paid)
            try live.fill(place, quantity: 1.5, paying: paid)
            compare(
                live.figures, try model.requirement(of: own, in: market, engine), "filled \(contract.name)")
        }
    }

    /// The worth of a unit, from two accounts.
    private func unit(
        _ place: Int, _ market: MarginMarket, _ model: MarginModel, _ engine: GreeksEngine
    ) throws -> Double {
        let one = try CrossMarginAccount(
            currency: "USD", cash: 0, [CrossMarginAccount.Position(contract: place, quantity: 1)], in: market)
        return try model.requirement(of: one, in: market, engine).markToMarket
    }

    @Test("Ticks leave a live margin where a fresh one starts")
    func ticks() throws {
        let engine = try #require(Self.engine)
        var (model, market, account) = try account("scan-2-1")
        guard case .scan(let scan) = model.rule else { return }
        let live = try LiveMargin(scan, account, in: market, engine)
        market.underlyings[0].spot *= 1.03
        market.underlyings[0].perpetual?.price *= 1.031
        try live.setSpot(market.underlyings[0].spot)
        let perpetual = try #require(market.contracts.firstIndex { $0.kind == .perpetual })
        try live.setPerpetual(perpetual, market.underlyings[0].perpetual?.price ?? .nan)
        for place in market.underlyings[0].expiries.indices {
            let expiry = market.underlyings[0].expiries[place]
            guard expiry.fixed == 0 else { continue }
            market.underlyings[0].expiries[place].forward *= 1.029
            market.underlyings[0].expiries[place].seconds -= 300
            try live.setForward(
                of: place, market.underlyings[0].expiries[place].forward, seconds: expiry.seconds - 300)
        }
        for place in market.contracts.indices where market.contracts[place].volatility != nil {
            market.contracts[place].volatility = 0.61
            try live.setVolatility(of: place, 0.61)
        }
        live.update()
        account.cash += 0
        let fresh = try model.requirement(of: account, in: market, engine)
        let size = max(fresh.initialMargin, fresh.markToMarket.magnitude)
        #expect(abs(live.figures.initialMargin - fresh.initialMargin) < 1e-12 * size)
        #expect(abs(live.figures.maintenanceMargin - fresh.maintenanceMargin) < 1e-12 * size)
        #expect(abs(live.figures.markToMarket - fresh.markToMarket) < 1e-12 * size)
    }

    @Test("At a liquidation price nothing is left, and beside it the balance changes its sign")
    func liquidation() throws {
        let engine = try #require(Self.engine)
        let (model, market, account) = try account("standard-0")
        let spot = market.underlyings[0].spot
        let prices = try model.liquidationPrices(
            of: account, in: market, underlying: 0, within: spot / 8...spot * 8, engine)
        #expect(prices.count == 2)
        #expect(prices == prices.sorted())
        let none = try model.liquidationPrices(
            of: account, in: market, underlying: 0, within: spot * 0.999...spot * 1.001, engine)
        #expect(none.isEmpty)
    }

    @Test("Paradex's example: a perpetual less five calls of delta 0.3 is charged for 0.5 net and 1 hedged")
    func leastDelta() throws {
        let engine = try #require(Self.engine)
        var market = MarginMarket()
        var underlying = MarginMarket.Underlying("BTC", spot: 70_000)
        underlying.perpetual = MarginMarket.Perpetual(price: 70_000)
        underlying.expiries = [MarginMarket.Expiry("e", seconds: 30 * 86400, forward: 70_000)]
        market.underlyings = [underlying]
        market.contracts = [
            MarginMarket.Contract("P", .perpetual, underlying: 0),
            MarginMarket.Contract("C", .option, underlying: 0, expiry: 0),
        ]
        market.contracts[1].type = .call
        market.contracts[1].volatility = 0.6
        // The strike of delta 0.3: d1 = −0.524400512708.
        let deviation = 0.6 * (30.0 / 365).squareRoot()
        market.contracts[1].strike =
            70_000 * exp(0.524_400_512_708_041 * deviation + deviation * deviation / 2)
        let still = try ScenarioGrid(
            name: "still", rules: [("same", ScenarioGrid.VolatilityRule())],
            scenarios: [ScenarioGrid.Scenario()])
        var scan = ScanMargin(still)
        scan.deltaCharge = ScanMargin.DeltaCharge(net: 0.02, hedged: 0.01)
        scan.maintenanceFactor = 0.5
        let account = try CrossMarginAccount(
            currency: "USD", cash: 0,
            [
                CrossMarginAccount.Position(contract: 0, quantity: 1),
                CrossMarginAccount.Position(contract: 1, quantity: -5),
            ], in: market)
        let margin = try MarginModel(.scan(scan)).requirement(of: account, in: market, engine)
        #expect(abs(margin.initialMargin - 1400) < 1e-6)
        #expect(abs(margin.maintenanceMargin - 700) < 1e-6)
        #expect(margin.parts.map(\.name) == ["least delta charge"])
    }
}
