import Testing
import VenueProtocol

@testable import TestExchange

struct SettlementTests {
    @Test(
        "Nothing is made or lost in four days of random trading, funding, settlement and expiry",
        arguments: [UInt64(1), 2])
    func conservation(seed: UInt64) throws {
        let floor = Floor(cash: 100_000)
        let exchange = floor.exchange
        let cash = exchange.totals().cash
        var generator = SplitMix(seed: seed)
        let names = [Floor.perpetual, floor.call, Floor.linear]
        for day in 0..<4 {
            for _ in 0..<1_500 {
                try RandomTrading.step(floor, names, &generator)
                let totals = exchange.totals()
                #expect(totals.cash == cash)
                #expect(totals.size.allSatisfy { $0 == 0 })
                #expect(totals.cost.allSatisfy { $0 == 0 })
                #expect(totals.funding.allSatisfy { $0 == 0 })
            }
            exchange.advance(to: morning + (day + 1) * VenueTime.day)
        }
        #expect(exchange.totals().cash == cash)
        #expect(exchange.state(of: floor.contract(floor.call)) == .delivered)
    }

    @Test("The same commands give the same bits; another seed gives others")
    func determinism() throws {
        func run(_ seed: UInt64) throws -> String {
            let floor = Floor(cash: 100_000)
            var generator = SplitMix(seed: seed)
            var text = ""
            for _ in 0..<2_000 {
                try RandomTrading.step(floor, [Floor.perpetual, floor.call], &generator)
                for event in floor.exchange.takeEvents() { text += "\(event)\n" }
            }
            return text
        }
        let first = try run(3)
        #expect(try run(3) == first)
        #expect(try run(4) != first)
    }

    @Test("An inverse future pays A(1/entry − 1/exit) coins at the settlement, a linear one A(exit − entry)")
    func futures() throws {
        let floor = Floor()
        let exchange = floor.exchange
        try floor.place(floor.alice, .sell, 90_000, at: 90_000)
        try floor.place(floor.bob, .buy, 90_000, at: 90_000)
        try floor.place(floor.alice, .sell, 2, at: 90_000, in: Floor.linear)
        try floor.place(floor.bob, .buy, 2, at: 90_000, in: Floor.linear)
        let before = exchange.accounts[floor.bob].cash
        for contract in [Floor.perpetual, Floor.linear] {
            // No funding: the mark is the index.
            #expect(exchange.contracts[floor.contract(contract)].fundingRate == 0)
        }
        floor.setIndex(0, 100_000)
        floor.setIndex(2, 100_000)
        let profit = exchange.state(of: floor.bob, 0).futuresUnrealised
        #expect(Scales.money(profit) == 0.1)
        #expect(exchange.accounts[floor.bob].cash == before)
        exchange.advance(to: morning + 2 * 3_600_000)
        #expect(exchange.accounts[floor.bob].cash[0] - before[0] == 10_000_000)
        #expect(exchange.accounts[floor.bob].cash[2] - before[2] == 20_000 * Scales.money)
        // From now on the settlement's price is what counts.
        #expect(exchange.state(of: floor.bob, 0).futuresUnrealised == 0)
        #expect(exchange.log(of: floor.bob).suffix(2).map(\.type) == ["settlement", "settlement"])
    }

    @Test("An option is delivered at the average of the index over the last half hour")
    func delivery() throws {
        let floor = Floor()
        let exchange = floor.exchange
        let contract = floor.contract(floor.call)
        try floor.place(floor.alice, .sell, 1, at: 0.02, in: floor.call)
        try floor.place(floor.bob, .buy, 1, at: 0.02, in: floor.call)
        let before = exchange.accounts[floor.bob].cash[0]
        let eight = VenueTime.nextSettlement(after: morning)
        exchange.advance(to: eight - 20 * 60_000)
        floor.setIndex(0, 93_000)
        exchange.advance(to: eight - 1)
        #expect(exchange.contracts[contract].state == .open)
        exchange.advance(to: eight)
        // A third of the window at 90,000, two at 93,000: 92,000.
        #expect(exchange.contracts[contract].deliveryPrice == 92_000 * Scales.units)
        // 2,000 / 92,000 coins, to the satoshi.
        #expect(exchange.accounts[floor.bob].cash[0] - before == 2_173_913)
        #expect(exchange.positions(of: floor.bob).isEmpty)
        #expect(exchange.log(of: floor.bob).last?.type == "delivery")
    }

    @Test("Longs pay shorts where the mark is above the index, by the rate of eight hours")
    func funding() throws {
        let floor = Floor()
        let exchange = floor.exchange
        let contract = floor.contract(Floor.perpetual)
        try floor.place(floor.alice, .sell, 90_000, at: 90_000)
        try floor.place(floor.bob, .buy, 90_000, at: 90_000)
        exchange.setMark(contract, price: 90_090)
        // 0.1% less the 0.025% that cost nothing.
        #expect(abs(exchange.contracts[contract].fundingRate - 0.00075) < 1e-12)
        exchange.advance(to: morning + 3_600_000)
        let paid = exchange.accounts[floor.bob].holdings[contract]?.funding ?? 0
        // 90,000 / 90,090 coins · 0.00075 / 8.
        #expect(abs(Double(paid) + 9_365.6) < 1)
        #expect(exchange.accounts[floor.alice].holdings[contract]?.funding == -paid)
    }

    @Test("Fees: of a future's coins, of an option's underlying and never above an eighth of its premium")
    func fees() throws {
        let floor = Floor()
        try floor.place(floor.alice, .sell, 90_000, at: 90_000)
        let future = try floor.place(floor.bob, .buy, 90_000, at: 90_000).trades[0]
        #expect(future.taker.fee == 50_000 && future.maker.fee == 0)
        try floor.place(floor.alice, .sell, 1, at: 0.02, in: floor.call)
        #expect(try floor.place(floor.bob, .buy, 1, at: 0.02, in: floor.call).trades[0].taker.fee == 30_000)
        try floor.place(floor.alice, .sell, 1, at: 0.0008, in: floor.call)
        #expect(try floor.place(floor.bob, .buy, 1, at: 0.0008, in: floor.call).trades[0].taker.fee == 10_000)
    }

    @Test("Expiries: days, Fridays, last Fridays of months and quarters; the list moves on every morning")
    func listing() {
        let listing = Listing(underlyings: [.bitcoin])
        let codes = listing.expiries(at: morning).map { VenueTime.code(expiry: $0.expiry) }
        #expect(
            codes == [
                "2FEB26", "3FEB26", "4FEB26", "6FEB26", "13FEB26", "27FEB26", "27MAR26", "24APR26", "26JUN26",
            ])
        #expect(
            listing.expiries(at: morning + VenueTime.day).map { VenueTime.code(expiry: $0.expiry) }.prefix(3)
                == ["3FEB26", "4FEB26", "5FEB26"])
        #expect(listing.strikes(.bitcoin, price: 90_000, days: 1).contains(90_000))
    }

    @Test(
        "Average price, realised and open profit of a position that is opened, added to, reduced and turned")
    func positions() throws {
        let floor = Floor()
        let contract = floor.contract(Floor.linear)
        func trade(_ direction: Direction, _ amount: Double, _ price: Double) throws {
            try floor.place(floor.alice, direction.opposite, amount, at: price, in: Floor.linear)
            try floor.place(floor.bob, direction, amount, at: price, in: Floor.linear)
        }
        try trade(.buy, 1, 90_000)
        try trade(.buy, 1, 91_000)
        #expect(floor.exchange.position(contract, of: floor.bob).averagePrice == 90_500)
        try trade(.sell, 0.5, 91_500)
        #expect(floor.exchange.trades(of: floor.bob)[0].taker.profit == 500 * Scales.money)
        let position = floor.exchange.position(contract, of: floor.bob)
        #expect(position.averagePrice == 90_500 && position.size.value == 1.5)
        #expect(position.realizedProfitLoss == 500 && position.floatingProfitLoss == -750)
        try trade(.sell, 2, 89_500)
        let turned = floor.exchange.position(contract, of: floor.bob)
        #expect(turned.averagePrice == 89_500 && turned.size.value == -0.5 && turned.direction == .sell)
        #expect(floor.exchange.trades(of: floor.bob)[0].taker.profit == -1_500 * Scales.money)
        #expect(turned.totalProfitLoss == -1_250)
    }

    @Test(
        "An account below its maintenance margin loses its orders, then a quarter of its position, until it holds"
    )
    func liquidation() throws {
        let floor = Floor(cash: 1)
        let exchange = floor.exchange
        let contract = floor.contract(Floor.perpetual)
        let maker = exchange.openAccount(name: "maker", clientID: "", clientSecret: "", isHouse: true)
        exchange.quote(contract, account: maker, .sell, [(900_000_000, 4_000_000 * Scales.units)])
        try floor.place(floor.bob, .buy, 3_000_000, at: 90_000)
        let resting = try floor.place(floor.bob, .buy, 10, at: 88_000).order
        exchange.liquidate()
        #expect(exchange.openOrders(of: floor.bob).map(\.id) == [resting.id])
        floor.setIndex(0, 88_200)
        exchange.quote(contract, account: maker, .sell, [])
        exchange.quote(contract, account: maker, .buy, [(882_000_000, 4_000_000 * Scales.units)])
        let before = exchange.totals()
        _ = exchange.takeEvents()
        exchange.liquidate()
        #expect(exchange.openOrders(of: floor.bob).isEmpty)
        let closed = exchange.closedOrders(of: floor.bob)
        #expect(closed.contains { $0.id == resting.id && $0.cancelReason == "autoliquidation" })
        #expect(exchange.positions(of: floor.bob).map(\.size) == [2_250_000 * Scales.units])
        let trade = try #require(exchange.trades(of: floor.bob).first)
        #expect(trade.isLiquidation && exchange.userTrade(trade, of: floor.bob).liquidation == "T")
        #expect(exchange.publicTrade(trade).liquidation == "T")
        // A quarter was enough.
        exchange.liquidate()
        #expect(exchange.positions(of: floor.bob).map(\.size) == [2_250_000 * Scales.units])
        let after = exchange.totals()
        #expect(after.cash == before.cash && after.size == before.size && after.cost == before.cost)
    }
}
