import ExchangeServer
import TestExchange
import Testing
import VenueClient
import VenueProtocol

struct LinkTests {
    private static func order(_ label: String, _ direction: Direction = .buy, at price: Double = 89_000)
        -> OrderRequest
    {
        OrderRequest(direction, Venue.perpetual, amount: MessageAmount(10), price: price, label: label)
    }

    @Test("A link lists instruments, confirms its channels, reconciles, and its picture is the venue's own")
    func opening() throws {
        let line = LinkLine(Venue())
        try line.run(seconds: 2)
        try expectSame(line, "after opening")
        #expect(line.picture.clockOffset.map { abs($0) <= 50_000 } == true)
        #expect(line.picture.market.marks.count > 100)
        #expect(line.picture.market.summaries.count == line.picture.market.instruments.count)
        #expect(line.picture.market.indices["btc_usd"]?.value.price == 90_000)
        #expect(line.picture.account.portfolios["BTC"]?.balance == 100)
        try line.send(.place(Self.order("one")), tag: 7)
        try line.send(.place(Self.order("two", at: 90_000.5)), tag: 8)
        try line.run(seconds: 1)
        guard case .order(let reply) = try line.outcome(8) else {
            Issue.record("no order")
            return
        }
        #expect(reply.trades.count == 1)
        #expect(line.picture.account.positions[Venue.perpetual]?.size.value == 10)
        try expectSame(line, "after orders")
        for event in line.events {
            let written = event.json
            #expect(try VenueEvent(try JSONTape(written).root).json == written)
        }
    }

    @Test(
        "A label is used once; without a line, an account or a label nothing is sent, and the outcome says so"
    )
    func refusals() throws {
        let line = LinkLine(Venue())
        try line.send(.place(Self.order("early")), tag: 1)
        try line.run(seconds: 1)
        var unnamed = Self.order("")
        unnamed.label = nil
        try line.send(.place(unnamed), tag: 2)
        try line.send(.place(Self.order("early")), tag: 3)
        let parameters = try JSONTape(#"{"instrument_name":"BTC-PERPETUAL"}"#).root
        try line.send(.call(method: "public/ticker", parameters: parameters), tag: 4)
        try line.send(.call(method: "private/get_position", parameters: parameters), tag: 5)
        for (tag, code) in [(1, 13028), (2, -32602), (3, -32602)] {
            guard case .fault(let fault) = try line.outcome(tag) else {
                Issue.record("no fault \(tag)")
                return
            }
            #expect(fault.code == code)
        }
        for tag in [4, 5] {
            guard case .result(let result) = try line.outcome(tag) else {
                Issue.record("no result \(tag)")
                return
            }
            #expect(result["instrument_name"]?.string == Venue.perpetual)
        }
        #expect(line.venue.exchange.openOrders(of: 1).isEmpty)
        let blind = LinkLine(Venue()) { $0.credentials = nil }
        try blind.run(seconds: 1)
        #expect(blind.core.isReady && blind.picture.ready == [.market])
        try blind.send(.cancelAll, tag: 1)
        guard case .fault(let fault) = try blind.outcome(1) else {
            Issue.record("no fault")
            return
        }
        #expect(fault.code == 10000)
    }

    @Test(
        "What is listed later is followed, and what expires is left: over 08:00 the picture stays the venue's own"
    )
    func settlement() throws {
        let line = LinkLine(Venue())
        try line.run(seconds: 1)
        try line.send(.place(Self.order("holds", at: 90_000.5)), tag: 1)
        let before = Set(line.picture.market.instruments.keys)
        let exchange = line.venue.exchange
        exchange.advance(to: VenueTime.nextSettlement(after: exchange.time))
        Listing(underlyings: [.bitcoin, .ether]).list(on: exchange)
        for contract in exchange.liveContracts where !before.contains(exchange.name(of: contract)) {
            exchange.setMark(contract, price: exchange.instrument(contract).kind == .option ? 0.02 : 90_000)
        }
        // The venue's clock has jumped, and settlement is no trade: the next review tells the cash.
        try line.run(seconds: 40)
        let after = Set(line.picture.market.instruments.keys)
        #expect(!before.subtracting(after).isEmpty && !after.subtracting(before).isEmpty)
        try expectSame(line, "after 08:00")
    }

    @Test("Cancels go before orders that wait for credits, and cancelling all withdraws those")
    func cancelsFirst() throws {
        var configuration = VenueConfiguration()
        configuration.limits.matching = RateLimit(burst: 5, rate: 1)
        let line = LinkLine(Venue(configuration)) { $0.connection.deadline = 60_000_000 }
        try line.run(seconds: 1)
        for number in 1...10 { try line.send(.place(Self.order("n\(number)")), tag: number) }
        try line.run(seconds: 1)
        let open = line.venue.exchange.openOrders(of: 1)
        #expect(open.count < 10)
        try line.send(.cancel(orderID: line.venue.exchange.view(open[0]).orderID), tag: 11)
        try line.run(seconds: 2)
        guard case .result = try line.outcome(11) else {
            Issue.record("not cancelled")
            return
        }
        try line.send(.cancelAll, tag: 12)
        guard case .fault(let fault) = try line.outcome(10) else {
            Issue.record("not withdrawn")
            return
        }
        #expect(fault.code == 13666)
        try line.run(seconds: 40)
        #expect(line.venue.exchange.openOrders(of: 1).isEmpty)
        try expectSame(line, "after all was cancelled")
    }

    @Test("An order that waited for credits beyond its life is refused by the venue, and known to be")
    func orderLife() throws {
        var configuration = VenueConfiguration()
        configuration.limits.matching = RateLimit(burst: 5, rate: 1)
        let line = LinkLine(Venue(configuration)) { $0.connection.deadline = 60_000_000 }
        try line.run(seconds: 1)
        for number in 1...20 { try line.send(.place(Self.order("n\(number)")), tag: number) }
        try line.run(seconds: 30)
        #expect(line.venue.exchange.openOrders(of: 1).count < 12)
        guard case .fault(let fault) = try line.outcome(20) else {
            Issue.record("it was late")
            return
        }
        #expect(fault.code == 13888)
        try expectSame(line, "after late orders")
    }

    @Test("The venue's own limits are used once it has told them")
    func limits() throws {
        var configuration = VenueConfiguration()
        configuration.limits.matching = RateLimit(burst: 10, rate: 5)
        let line = LinkLine(Venue(configuration)) {
            $0.connection.orders = RateLimit(burst: 1_000, rate: 1_000)
            $0.connection.deadline = 60_000_000
            $0.orderLife = nil
        }
        try line.run(seconds: 1)
        for number in 1...60 { try line.send(.place(Self.order("n\(number)")), tag: number) }
        try line.run(seconds: 20)
        #expect(line.count { if case .lost = $0 { true } else { false } } == 0)
        #expect(line.venue.exchange.openOrders(of: 1).count == 60)
    }

    @Test("Whoever is too slow loses what the market said and no trade, and then has the books again")
    func overflow() throws {
        let line = LinkLine(Venue())
        try line.run(seconds: 1)
        line.core.setOverflowing(true, at: line.now)
        let contract = try #require(line.venue.exchange.contract(named: Venue.perpetual))
        try line.run(seconds: 2) {
            let price = 900_005_000 + Int(line.random() * 5) * 5_000
            line.venue.exchange.quote(contract, account: line.venue.maker, .sell, [(price, 100_000_000)])
        }
        try line.send(.place(Self.order("taken", at: 90_010)), tag: 1)
        try line.carry()
        #expect(line.picture.account.trades.count == 1)
        let dropped = line.events.count
        line.core.setOverflowing(false, at: line.now)
        try line.carry()
        #expect(line.events.count > dropped)
        #expect(line.count { if case .overflow(let dropped) = $0 { dropped > 0 } else { false } } == 1)
        try line.run(seconds: 2)
        try expectSame(line, "after the overflow")
    }

    @Test("An account forgets what was over long ago, and its sums stay")
    func forgetting() throws {
        let line = LinkLine(Venue())
        try line.run(seconds: 1)
        for number in 1...3 { try line.send(.place(Self.order("t\(number)", at: 90_000.5)), tag: number) }
        try line.run(seconds: 1)
        var account = line.picture.account
        #expect(account.trades.count == 3 && account.orders.count == 3)
        account.forget(before: line.venue.exchange.time + 1)
        #expect(account.trades.isEmpty && account.orders.isEmpty && account.intents.isEmpty)
        #expect(account.traded[Venue.perpetual] == 30)
    }
}

struct MarketPictureTests {
    private func book(_ name: String, _ text: String) throws -> VenueEvent.Content {
        .book(try BookMessage(try JSONTape(#"{"timestamp":1,"instrument_name":"\#(name)",\#(text)}"#).root))
    }

    @Test("A gap makes one book invalid alone; older tickers change nothing; everything has its age")
    func gap() throws {
        var picture = MarketPicture()
        for name in ["A-PERPETUAL", "B-PERPETUAL"] {
            let snapshot = try book(name, #""type":"snapshot","change_id":1,"bids":[["new",1,1]],"asks":[]"#)
            let fault = picture.apply(snapshot, at: 0)
            #expect(fault == nil)
        }
        let gap = try book(
            "A-PERPETUAL",
            #""type":"change","prev_change_id":2,"change_id":3,"bids":[["change",1,2]],"asks":[]"#)
        let first = picture.apply(gap, at: 5)
        #expect(first?.wasValid == true && first?.reason == .gap(expected: 1, found: 2))
        let second = picture.apply(gap, at: 6)
        #expect(second?.wasValid == false)
        #expect(picture.books["A-PERPETUAL"]?.value.isValid == false)
        #expect(picture.books["B-PERPETUAL"]?.value.isValid == true)
        #expect(picture.books["B-PERPETUAL"]?.age(at: 9) == 9)
        var ticker = MarketTicker()
        ticker.instrumentName = "A-PERPETUAL"
        ticker.timestamp = 10
        ticker.markPrice = 2
        picture.apply(.ticker(ticker), at: 7)
        ticker.timestamp = 9
        ticker.markPrice = 1
        picture.apply(.ticker(ticker), at: 8)
        #expect(picture.tickers["A-PERPETUAL"]?.value.markPrice == 2)
        #expect(picture.tickers["A-PERPETUAL"]?.age(at: 9) == 2)
        #expect(picture.tickers["C-PERPETUAL"] == nil)
    }
}
