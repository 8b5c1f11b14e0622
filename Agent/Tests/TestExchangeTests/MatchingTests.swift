import Testing
import VenueProtocol

@testable import TestExchange

struct MatchingTests {
    private func code(_ body: () throws -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch { return (error as? VenueFault)?.code }
    }

    @Test("Better prices trade first, at a price the older order, and at the price of whoever was there")
    func priceTime() throws {
        let floor = Floor()
        let first = try floor.place(floor.alice, .sell, 100, at: 90_010).order
        let second = try floor.place(floor.alice, .sell, 100, at: 90_010).order
        let best = try floor.place(floor.alice, .sell, 50, at: 90_005).order
        let (order, trades) = try floor.place(floor.bob, .buy, 200, at: 90_020)
        #expect(trades.map(\.maker.order) == [best.id, first.id, second.id])
        #expect(trades.map { Scales.price($0.price) } == [90_005, 90_010, 90_010])
        #expect(trades.map { Scales.amount($0.amount) } == [50, 100, 50])
        #expect(order.state == .filled)
        #expect(trades.map(\.sequence) == [1, 2, 3])
        #expect(floor.exchange.openOrders(of: floor.alice).map(\.id) == [second.id])
    }

    @Test("An edit keeps its place only if the price stays and the amount does not grow")
    func priority() throws {
        let floor = Floor()
        let first = try floor.place(floor.alice, .sell, 100, at: 90_010).order
        let second = try floor.place(floor.alice, .sell, 100, at: 90_010).order
        var edit = EditRequest()
        edit.amount = MessageAmount(50)
        _ = try floor.exchange.edit(first.id, edit, account: floor.alice)
        #expect(try floor.place(floor.bob, .buy, 10, at: 90_010).trades.map(\.maker.order) == [first.id])
        edit.amount = MessageAmount(120)
        #expect(try floor.exchange.edit(first.id, edit, account: floor.alice).order.isReplaced)
        #expect(try floor.place(floor.bob, .buy, 10, at: 90_010).trades.map(\.maker.order) == [second.id])
        edit.amount = MessageAmount(10)
        #expect(code { _ = try floor.exchange.edit(first.id, edit, account: floor.alice) } == 11008)
    }

    @Test(
        "Fill or kill takes all or nothing, immediate or cancel what there is, a market order stays within its band"
    )
    func timeInForce() throws {
        let floor = Floor()
        try floor.place(floor.alice, .sell, 100, at: 90_010)
        let killed = try floor.place(floor.bob, .buy, 110, at: 90_010) { $0.timeInForce = .fillOrKill }
        #expect(killed.trades.isEmpty && killed.order.state == .cancelled)
        let part = try floor.place(floor.bob, .buy, 110, at: 90_010) { $0.timeInForce = .immediateOrCancel }
        #expect(Scales.amount(part.order.filled) == 100 && part.order.state == .cancelled)
        // The band is three percent of the mark.
        #expect(code { try floor.place(floor.alice, .sell, 100, at: 87_299.5) } == 10005)
        #expect(code { try floor.place(floor.alice, .buy, 100, at: 92_700.5) } == 10007)
        let market = try floor.place(floor.bob, .buy, 10, at: nil)
        #expect(market.order.state == .cancelled && market.order.originalType == .market)
    }

    @Test("Post-only slides one tick off the touch, or is refused where it says so")
    func postOnly() throws {
        let floor = Floor()
        try floor.place(floor.alice, .sell, 100, at: 90_010)
        let slid = try floor.place(floor.bob, .buy, 10, at: 90_010) { $0.isPostOnly = true }.order
        #expect(slid.price == 90_009_5000 && slid.state == .open)
        let refused = code {
            try floor.place(floor.bob, .buy, 10, at: 90_010) {
                $0.isPostOnly = true
                $0.rejectsPostOnly = true
            }
        }
        #expect(refused == 11054)
        #expect(
            code {
                try floor.place(floor.bob, .buy, 10, at: 90_010) {
                    $0.isPostOnly = true
                    $0.timeInForce = .immediateOrCancel
                }
            } == 11055)
    }

    @Test("Nobody trades with himself: the resting order goes, or the new one, as the account has it")
    func selfTrade() throws {
        let floor = Floor()
        let resting = try floor.place(floor.alice, .sell, 100, at: 90_010).order
        let taker = try floor.place(floor.alice, .buy, 50, at: 90_010)
        #expect(taker.trades.isEmpty && taker.order.state == .open)
        #expect(try floor.exchange.order(resting.id, of: floor.alice).cancelReason == "order_overlap")
        floor.exchange.setSelfTrading(.rejectTaker, of: floor.alice)
        let rejected = try floor.place(floor.alice, .sell, 10, at: 90_010)
        #expect(rejected.order.state == .cancelled && rejected.order.cancelReason == "order_overlap")
        #expect(floor.exchange.openOrders(of: floor.alice).map(\.id) == [taker.order.id])
    }

    @Test("A reducing order is cut to the position, and refused without one")
    func reduceOnly() throws {
        let floor = Floor()
        #expect(
            code { try floor.place(floor.bob, .sell, 10, at: 90_000) { $0.isReduceOnly = true } } == 11030)
        try floor.place(floor.alice, .sell, 100, at: 90_000)
        try floor.place(floor.bob, .buy, 100, at: 90_000)
        let order = try floor.place(floor.bob, .sell, 500, at: 90_100) { $0.isReduceOnly = true }.order
        #expect(Scales.amount(order.amount) == 100)
    }

    @Test("A stop waits for its trigger and is then an order of another name that knows the first")
    func stops() throws {
        let floor = Floor()
        try floor.place(floor.alice, .sell, 100, at: 90_500)
        let stop = try floor.place(floor.bob, .buy, 50, at: nil) {
            $0.type = .stopMarket
            $0.trigger = .indexPrice
            $0.triggerPrice = 90_200
        }.order
        #expect(stop.state == .untriggered)
        floor.setIndex(0, 90_199)
        #expect(floor.exchange.openOrders(of: floor.bob).map(\.id) == [stop.id])
        floor.setIndex(0, 90_200)
        #expect(try floor.exchange.order(stop.id, of: floor.bob).state == .triggered)
        let trades = floor.exchange.trades(of: floor.bob)
        #expect(trades.map { Scales.price($0.price) } == [90_500])
        #expect(try floor.exchange.order(trades[0].taker.order, of: floor.bob).triggerOrder == stop.id)
    }

    @Test("What no order may be is refused with the exchange's code, and nothing happens")
    func refusals() throws {
        let floor = Floor(cash: 1)
        let (exchange, alice) = (floor.exchange, floor.alice)
        let before = exchange.totals()
        #expect(code { try floor.place(alice, .buy, 5, at: 90_000) } == 10002)
        #expect(code { try floor.place(alice, .buy, 15, at: 90_000) } == -32602)
        #expect(code { try floor.place(alice, .buy, 10, at: 90_000.25) } == 10043)
        #expect(code { try floor.place(alice, .buy, 10, at: .nan) } == -32602)
        #expect(code { try floor.place(alice, .buy, .infinity, at: 90_000) } == 10021)
        #expect(code { try floor.place(alice, .buy, -10, at: 90_000) } == 10002)
        #expect(code { try floor.place(alice, .buy, 10, at: 90_000, in: "BTC-NOTHING") } == -32602)
        #expect(code { try floor.place(alice, .buy, 10_000_000, at: 90_000) } == 10009)
        #expect(
            code { try floor.place(alice, .buy, 10, at: 90_000) { $0.contracts = ContractCount(2) } }
                == -32602)
        #expect(
            code { try floor.place(alice, .buy, 10, at: 90_000) { $0.validUntil = morning - 1 } } == 13888)
        exchange.setState(.locked, of: floor.contract(Floor.perpetual))
        #expect(code { try floor.place(alice, .buy, 10, at: 90_000) } == 10012)
        exchange.isSettling = true
        #expect(code { try floor.place(alice, .buy, 10, at: 90_000) } == 10041)
        #expect(exchange.totals().cash == before.cash)
        #expect(exchange.openOrders(of: alice).isEmpty)
    }

    @Test("Cancels: of one's own only, of what is open only, by choice")
    func cancels() throws {
        let floor = Floor()
        let order = try floor.place(floor.alice, .sell, 100, at: 90_010) { $0.label = "x" }.order
        try floor.place(floor.alice, .sell, 100, at: 90_020)
        #expect(code { _ = try floor.exchange.cancel(order.id, account: floor.bob) } == 10029)
        #expect(code { _ = try floor.exchange.cancel(999, account: floor.bob) } == 10004)
        #expect(floor.exchange.cancelAll(of: floor.alice) { $0.label == "x" }.map(\.id) == [order.id])
        #expect(code { _ = try floor.exchange.cancel(order.id, account: floor.alice) } == 11044)
        #expect(floor.exchange.cancelAll(of: floor.alice).count == 1)
        #expect(floor.exchange.levels(floor.contract(Floor.perpetual), .sell).isEmpty)
    }

    @Test("A book put together from its messages is the exchange's own, after 3,000 random commands")
    func books() throws {
        let floor = Floor(cash: 100_000)
        let exchange = floor.exchange
        let names = [Floor.perpetual, floor.call, Floor.linear]
        var books: [Int: OrderBook] = [:]
        for name in names {
            let contract = floor.contract(name)
            books[contract] = OrderBook(instrumentName: name)
            try books[contract]?.apply(exchange.snapshot(contract))
        }
        var generator = SplitMix(seed: 11)
        for _ in 0..<3_000 {
            try RandomTrading.step(floor, names, &generator)
            for event in exchange.takeEvents() {
                guard case .book(let contract, let previous, let id, let time, let bids, let asks) = event
                else { continue }
                var message = BookMessage()
                message.type = .change
                message.previousChangeID = .value(previous)
                message.changeID = id
                message.timestamp = time
                message.bids = bids
                message.asks = asks
                try books[contract]?.apply(message)
            }
        }
        for (contract, book) in books {
            #expect(book.bids == exchange.levels(contract, .buy))
            #expect(book.asks == exchange.levels(contract, .sell))
        }
    }
}

/// Commands at random, as a careless pair of traders would send them.
enum RandomTrading {
    static func step(_ floor: Floor, _ names: [String], _ generator: inout SplitMix) throws {
        let exchange = floor.exchange
        let name = names[Int.random(in: 0..<names.count, using: &generator)]
        let contract = exchange.contracts[floor.contract(name)]
        let account = Bool.random(using: &generator) ? floor.alice : floor.bob
        let mark = Scales.money(contract.mark)
        let tick = contract.instrument.tickSize(at: mark)
        let place = Double(Int.random(in: -12...12, using: &generator))
        let price = contract.instrument.priceOnTick(mark + place * tick, .buy)
        let count = Double(Int.random(in: 1...20, using: &generator))
        let amount = contract.instrument.minimumTradeAmount.value * count
        let open = exchange.openOrders(of: account)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0 where !open.isEmpty:
            _ = try? exchange.cancel(
                open[Int.random(in: 0..<open.count, using: &generator)].id, account: account)
        case 1 where !open.isEmpty:
            var edit = EditRequest()
            edit.price = price
            edit.amount = MessageAmount(amount)
            _ = try? exchange.edit(
                open[Int.random(in: 0..<open.count, using: &generator)].id, edit, account: account)
        case 2:
            _ = try? floor.place(
                account, Bool.random(using: &generator) ? .buy : .sell, amount, at: nil, in: name)
        case 3: exchange.advance(to: exchange.time + Int.random(in: 1...60_000, using: &generator))
        case 4:
            let index = contract.priceIndex
            let move = Double(Int.random(in: -20...20, using: &generator))
            floor.setIndex(index, Scales.price(exchange.indices[index].price) * (1 + move * 1e-4))
        default:
            _ = try? floor.place(
                account, Bool.random(using: &generator) ? .buy : .sell, amount, at: price, in: name)
        }
    }
}
