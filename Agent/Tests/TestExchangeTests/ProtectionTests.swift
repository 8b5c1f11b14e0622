import Testing
import VenueProtocol

@testable import TestExchange

struct ProtectionTests {
    private func code(_ body: () throws -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch { return (error as? VenueFault)?.code }
    }

    private func configuration(_ change: (inout ProtectionConfiguration) -> Void) -> ProtectionConfiguration {
        var configuration = ProtectionConfiguration()
        configuration.indexName = "btc_usd"
        configuration.interval = 5
        configuration.frozenTime = 10
        configuration.maximumQuoteQuantity = 100
        change(&configuration)
        return configuration
    }

    /// Alice sells the call at three prices, protected.
    private func quoted(_ change: (inout ProtectionConfiguration) -> Void) throws -> (Floor, [ExchangeOrder])
    {
        let floor = Floor()
        try floor.exchange.protect(configuration(change), account: floor.alice, index: 0)
        let orders = try [0.021, 0.0215, 0.022].map { price in
            try floor.place(floor.alice, .sell, 5, at: price, in: floor.call) {
                $0.isMarketMakerProtected = true
            }.order
        }
        return (floor, orders)
    }

    @Test(
        "A trade beyond the limit of quantity cancels what is protected and nothing else, and freezes it for its time"
    )
    func quantity() throws {
        let (floor, orders) = try quoted { $0.quantityLimit = 6 }
        let plain = try floor.place(floor.alice, .sell, 5, at: 0.0225, in: floor.call).order
        let future = try floor.place(floor.alice, .buy, 10, at: 89_000) { $0.isMarketMakerProtected = true }
            .order
        let ether = try floor.place(floor.alice, .buy, 1, at: 2_990, in: "ETH-PERPETUAL").order
        _ = floor.exchange.takeEvents()
        let swept = try floor.place(floor.bob, .buy, 20, at: 0.022, in: floor.call)
        // The first of five is within six, the second is not: it is done, and the third is spared.
        #expect(swept.trades.map { Scales.amount($0.amount) } == [5, 5])
        #expect(swept.order.state == .open)
        let left = floor.exchange.openOrders(of: floor.alice).map(\.id)
        #expect(left == [plain.id, ether.id])
        for id in [orders[2].id, future.id] {
            let view = floor.exchange.view(try floor.exchange.order(id, of: floor.alice))
            #expect(view.state == .cancelled && view.cancelReason == "mmp_trigger")
            #expect(view.wasCancelledByProtection == true && view.isMarketMakerProtected == true)
        }
        let triggers = floor.exchange.takeEvents().compactMap { event -> ProtectionTrigger? in
            if case .protection(floor.alice, let trigger) = event { trigger } else { nil }
        }
        let until = floor.exchange.time + 10_000
        #expect(triggers == [ProtectionTrigger(indexName: "btc_usd", frozenUntil: until)])
        #expect(floor.exchange.frozen(of: floor.alice) == triggers)
        func again() throws {
            try floor.place(floor.alice, .sell, 1, at: 0.03, in: floor.call) {
                $0.isMarketMakerProtected = true
            }
        }
        #expect(code(again) == 11030)
        floor.exchange.advance(to: until - 1)
        #expect(code(again) == 11030)
        floor.exchange.advance(to: until)
        #expect(code(again) == nil)
    }

    @Test(
        "Quantities count both ways, deltas and vegas their sum; what is older than the interval does not count"
    )
    func windows() throws {
        let (floor, _) = try quoted { $0.deltaLimit = 3 }
        // Net transaction delta: 0.5 less the mark, per coin, sold.
        let contract = floor.exchange.contracts[floor.contract(floor.call)]
        let perCoin = 0.5 - Scales.money(contract.mark)
        func protection() -> Protection? { floor.exchange.accounts[floor.alice].protections[0] }
        try floor.place(floor.bob, .buy, 5, at: 0.021, in: floor.call)
        #expect(abs((protection()?.delta ?? 0) + 5 * perCoin) < 1e-12)
        try floor.place(floor.alice, .buy, 4, at: 0.02, in: floor.call) { $0.isMarketMakerProtected = true }
        try floor.place(floor.bob, .sell, 4, at: 0.02, in: floor.call)
        #expect(abs((protection()?.delta ?? 0) + perCoin) < 1e-12)
        #expect(protection()?.quantity == 9)
        floor.exchange.advance(to: floor.exchange.time + 5_001)
        try floor.place(floor.bob, .buy, 1, at: 0.0215, in: floor.call)
        #expect(protection()?.quantity == 1)
        #expect(floor.exchange.frozen(of: floor.alice).isEmpty)
        // An inverse future counts its coins, at the price of the trade.
        try floor.place(floor.alice, .sell, 90_000, at: 90_000) { $0.isMarketMakerProtected = true }
        try floor.place(floor.bob, .buy, 90_000, at: 90_000)
        #expect(abs((protection()?.quantity ?? 0) - 2) < 1e-12)
        #expect(abs((protection()?.delta ?? 0) + perCoin + 1) < 1e-12)
    }

    @Test("Without a time it stays frozen until somebody resets it; a taker's own protection is set off too")
    func reset() throws {
        let (floor, _) = try quoted {
            $0.vegaLimit = 1
            $0.frozenTime = 0
        }
        let number = floor.contract(floor.call)
        var option = floor.exchange.contracts[number].optionMark
        option.greeks.vega = 2
        floor.exchange.setMark(number, price: 0.0201, option: option)
        try floor.place(floor.bob, .sell, 5, at: 0.02, in: floor.call)
        try floor.place(floor.alice, .buy, 5, at: 0.02, in: floor.call) { $0.isMarketMakerProtected = true }
        #expect(floor.exchange.openOrders(of: floor.alice).isEmpty)
        #expect(floor.exchange.frozen(of: floor.alice).map(\.frozenUntil) == [0])
        floor.exchange.advance(to: floor.exchange.time + 86_000_000)
        #expect(floor.exchange.frozen(of: floor.alice).count == 1)
        #expect(floor.exchange.resetProtection(account: floor.alice, index: 0))
        #expect(floor.exchange.frozen(of: floor.alice).isEmpty)
        #expect(!floor.exchange.resetProtection(account: floor.bob, index: 0))
    }

    @Test(
        "The largest quantity is of a side of a book, takes three percent of itself as margin, and limits are checked"
    )
    func limits() throws {
        let floor = Floor()
        let number = floor.contract(floor.call)
        func place(_ amount: Double, _ side: Direction = .sell) throws {
            try floor.place(floor.alice, side, amount, at: side == .sell ? 0.025 : 0.015, in: floor.call) {
                $0.isMarketMakerProtected = true
            }
        }
        #expect(code { try place(1) } == 11030)
        let before = floor.exchange.figures(of: floor.alice, currency: 0).initialMargin
        try floor.exchange.protect(
            configuration {
                $0.maximumQuoteQuantity = 10
                $0.quantityLimit = 5
            }, account: floor.alice, index: 0)
        let after = floor.exchange.figures(of: floor.alice, currency: 0).initialMargin
        #expect(abs(after - before - 0.3) < 1e-12)
        try place(6)
        #expect(code { try place(4.1) } == 11030)
        try place(4)
        try place(10, .buy)
        let order = try #require(floor.exchange.openOrders(of: floor.alice).first)
        var edit = EditRequest()
        edit.isMarketMakerProtected = false
        #expect(code { _ = try floor.exchange.edit(order.id, edit, account: floor.alice) } == -32602)
        edit.isMarketMakerProtected = true
        edit.amount = MessageAmount(7)
        #expect(code { _ = try floor.exchange.edit(order.id, edit, account: floor.alice) } == 11030)
        for (change, parameter) in [
            ({ $0.interval = 3_601 }, "interval"), ({ $0.frozenTime = -1 }, "frozen_time"),
            ({ $0.deltaLimit = 0 }, "delta_limit"), ({ $0.maximumQuoteQuantity = nil }, "max_quote_quantity"),
            ({ _ in }, "quantity_limit"),
        ] as [((inout ProtectionConfiguration) -> Void, String)] {
            let fault = #expect(throws: VenueFault.self) {
                try floor.exchange.protect(configuration(change), account: floor.alice, index: 0)
            }
            #expect(fault?.detail.value?.parameter == parameter)
        }
        try floor.exchange.protect(configuration { $0.interval = 0 }, account: floor.alice, index: 0)
        #expect(floor.exchange.protections(of: floor.alice).isEmpty)
        #expect(floor.exchange.contracts[number].instrument.name == floor.call)
    }
}
