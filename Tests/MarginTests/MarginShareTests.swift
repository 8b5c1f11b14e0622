import Foundation
import Greeks
import Margin
import Market
import Poise
import TestSupport
import Testing

/// Shares of books, moves of collateral, changes of parameters.
struct MarginShareTests {
    static let engine = try? GreeksEngine()

    private func cases() throws -> [(MarginModel, MarginMarket, CrossMarginAccount, String)] {
        try MarginCases(try Source(path: MarginCaseTests.own)).cases.compactMap { one in
            guard case .account(let model, let market, let account, _) = one.problem else { return nil }
            return (model, market, account, one.name)
        }
    }

    @Test("Shares add up to the requirement, under every rule, whatever the books")
    func sum() throws {
        let engine = try #require(Self.engine)
        for (model, market, account, name) in try cases() {
            let one = account.quantities.enumerated().map { $0 % 2 == 0 ? $1 : $1 / 4 }
            let other = zip(account.quantities, one).enumerated().map { $0 % 3 == 2 ? 0 : $1.0 - $1.1 }
            let shares = try model.shares(
                of: account, among: [("one", one), ("other", other)], in: market, engine)
            let all = try model.requirement(of: account, in: market, engine)
            let initial = shares.shares.reduce(shares.commonInitial) { $0 + $1.initial }
            let maintenance = shares.shares.reduce(shares.commonMaintenance) { $0 + $1.maintenance }
            let size = shares.shares.reduce(all.initialMargin.magnitude) { $0 + $1.initial.magnitude }
            #expect((initial - all.initialMargin).magnitude <= 1e-10 * size, "\(name)")
            #expect((maintenance - all.maintenanceMargin).magnitude <= 1e-10 * size, "\(name)")
        }
    }

    @Test("Of a scan, a book's share is its loss in the scenario that decides, and a hedge's is below 0")
    func scenario() throws {
        let engine = try #require(Self.engine)
        var scenario = ScenarioGrid.Scenario()
        scenario.spot = -0.1
        var up = scenario
        up.spot = 0.2
        let grid = try ScenarioGrid(
            name: "two", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [scenario, up])
        let model = MarginModel(.scan(ScanMargin(grid)))
        var market = MarginMarket()
        market.underlyings = [MarginMarket.Underlying("X", spot: 100)]
        market.underlyings[0].perpetual = MarginMarket.Perpetual(price: 100)
        market.contracts = [MarginMarket.Contract("P", .perpetual, underlying: 0)]
        let account = try CrossMarginAccount(
            currency: "USD", cash: 1000, [CrossMarginAccount.Position(contract: 0, quantity: 3)], in: market)
        let shares = try model.shares(
            of: account, among: [("long", [5]), ("short", [-2])], in: market, engine)
        // 3 long lose 30 at −10%: 50 of the long book, −20 of the short one, which alone would lose 40 at +20%.
        #expect((shares.shares[0].initial - 50).magnitude < 1e-9)
        #expect((shares.shares[1].initial + 20).magnitude < 1e-9)
        #expect((shares.shares[1].initialAlone - 40).magnitude < 1e-9 && shares.commonInitial == 0)
        #expect(throws: MarginError.self) {
            try model.shares(of: account, among: [("x", [1, 2])], in: market, engine)
        }
    }

    @Test("Collateral leaves until initial margin is just met, by hand and under every rule that takes it")
    func spare() throws {
        let engine = try #require(Self.engine)
        var scenario = ScenarioGrid.Scenario()
        scenario.spot = -0.1
        let grid = try ScenarioGrid(
            name: "one", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [scenario])
        let model = MarginModel(.scan(ScanMargin(grid)))
        var market = MarginMarket()
        market.underlyings = [MarginMarket.Underlying("X", spot: 100)]
        var account = try CrossMarginAccount(currency: "USD", cash: -350, [], in: market)
        account.collateral = [
            CrossMarginAccount.Collateral("X", quantity: 5, price: 100),
            CrossMarginAccount.Collateral("Y", quantity: 3, price: 1),
        ]
        account.collateral[1].movesWithSpot = false
        account.collateral[1].initialHaircut = 0.5
        // Worth 153, of which 50 of the fall and 1.5 of the haircut: 101.5 are spare, and a coin takes 90 along.
        let coins = try model.spareCollateral(of: account, in: market, engine)
        #expect((coins[0] - 101.5 / 90).magnitude < 1e-12 && coins[1] == 3)
        account.cash = -452
        #expect(try model.spareCollateral(of: account, in: market, engine) == [0, 0])
        var seen = 0
        for (model, market, account, name) in try cases() where !account.collateral.isEmpty {
            let now = try model.requirement(of: account, in: market, engine)
            let size = now.markToMarket.magnitude + now.initialMargin
            for (place, coins) in try model.spareCollateral(of: account, in: market, engine).enumerated() {
                var rest = account
                rest.collateral[place].quantity -= coins
                let left = try model.requirement(of: rest, in: market, engine).initialBalance
                if now.initialBalance < 0 {
                    #expect(coins == 0, "\(name)")
                } else if coins < account.collateral[place].quantity {
                    #expect(left >= 0 && left <= 1e-9 * size, "\(name): \(left)")
                    seen += 1
                } else {
                    #expect(left >= 0, "\(name)")
                }
            }
        }
        #expect(seen > 0)
    }

    /// An account in dollars of one perpetual, with coins at a haircut.
    private func desk() throws -> (MarginModel, MarginMarket, CrossMarginAccount) {
        var scenario = ScenarioGrid.Scenario()
        scenario.spot = -0.1
        let grid = try ScenarioGrid(
            name: "one", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [scenario])
        var market = MarginMarket()
        market.underlyings = [MarginMarket.Underlying("X", spot: 100)]
        market.underlyings[0].perpetual = MarginMarket.Perpetual(price: 100)
        market.contracts = [MarginMarket.Contract("P", .perpetual, underlying: 0)]
        var account = try CrossMarginAccount(
            currency: "USD", cash: 0, [CrossMarginAccount.Position(contract: 0, quantity: 100)], in: market)
        var coin = CrossMarginAccount.Collateral("X", quantity: 20, price: 100)
        coin.initialHaircut = 0.2
        account.collateral = [coin]
        return (MarginModel(.scan(ScanMargin(grid))), market, account)
    }

    @Test("A buffer is restored by the moves that cost least per dollar of room, the cheap one to its end")
    func relief() throws {
        let engine = try #require(Self.engine)
        let (model, market, account) = try desk()
        // Worth 2,000; required 10% of 12,000 and 20% of 2,000: 1,600. Left 400; a dollar of the coin sold frees 0.3.
        let moves = [
            CollateralMove("bank", into: .cash, most: 1000, cost: 0.004),
            CollateralMove("sell coins", into: .cash, from: .collateral(0), most: 1500, cost: 0.001),
        ]
        let relief = try MarginRelief(moves, leaving: 900, of: account, in: market, model, engine)
        #expect(relief.status == .restored && (relief.before - 400).magnitude < 1e-9)
        // Selling z gives z, takes 1.001 z of coins: they were worth 0.7 of themselves. 0.2993 a dollar for 0.001.
        let room = 1 - 0.7 * 1.001
        #expect((relief.worths[1] - 1500).magnitude < 1e-6)
        #expect((relief.worths[0] - (500 - 1500 * room)).magnitude < 1e-6)
        #expect((relief.cost - 0.001 * 1500 - 0.004 * (500 - 1500 * room)).magnitude < 1e-8)
        #expect(relief.after >= 900 - 1e-6 && relief.bound <= relief.cost + 1e-9)
        let met = try MarginRelief(moves, leaving: 400, of: account, in: market, model, engine)
        #expect(met.status == .met && met.worths == [0, 0])
        let short = try MarginRelief(moves, leaving: 5000, of: account, in: market, model, engine)
        #expect(short.status == .short)
        #expect((short.after - (400 + 1000 + 1500 * room)).magnitude < 1e-6)
        #expect(throws: MarginError.self) {
            try MarginRelief(
                [CollateralMove("x", into: .cash, from: .cash, most: 1, cost: 0)], leaving: 900, of: account,
                in: market, model, engine)
        }
    }

    @Test(
        "Differences of two files are named by field, each with what it does alone; together they are the change"
    )
    func changes() throws {
        let engine = try #require(Self.engine)
        let market = { () -> MarginMarket in
            var market = MarginMarket()
            market.underlyings = [MarginMarket.Underlying("X", spot: 100)]
            market.contracts = [MarginMarket.Contract("P", .perpetual, underlying: 0)]
            market.contracts[0].price = 100
            return market
        }()
        let account = try CrossMarginAccount(
            currency: "USD", cash: 1000, [CrossMarginAccount.Position(contract: 0, quantity: 10)], in: market)
        func file(_ name: String, _ initial: Double, _ maintenance: Double, _ more: String = "") -> Source {
            Source(
                name: name,
                text: """
                    name = "\(name)"
                    venue = "v"
                    source = "s"
                    date = "2026-01-31"
                    kind = "rates"
                    initial_rate = \(initial)
                    maintenance_rate = \(maintenance)
                    \(more)
                    """)
        }
        let changes = try MarginModelChanges(
            from: file("a", 0.1, 0.05), to: file("b", 0.12, 0.05, "fixed_maintenance = 7")
        ) { try $0.requirement(of: account, in: market, engine) }
        #expect(changes.changes.map(\.field) == ["fixed_maintenance", "initial_rate"])
        let (fixed, rate) = (changes.changes[0], changes.changes[1])
        #expect(fixed.before == nil && fixed.after == "7" && rate.before == "0.1" && rate.after == "0.12")
        #expect(fixed.maintenance == 7 && fixed.initial == 0)
        #expect((try #require(rate.initial) - 20).magnitude < 1e-9 && rate.maintenance == 0)
        #expect((changes.initial - 20).magnitude < 1e-9 && changes.maintenance == 7)
    }
}
