import Testing
import VenueProtocol

struct MessageTests {
    private func book(_ text: String) throws -> BookMessage { try BookMessage(try JSONTape(text).root) }

    @Test(
        "A snapshot replaces, changes follow, a gap and a crossed book make it invalid until the next snapshot"
    )
    func orderBook() throws {
        var orders = OrderBook(instrumentName: "A")
        let snapshot = try book(
            #"{"type":"snapshot","timestamp":1,"instrument_name":"A","change_id":10,"bids":[["new",99,1],["new",100,2]],"asks":[["new",101,3]]}"#
        )
        #expect(throws: OrderBook.Fault.noSnapshot) {
            try orders.apply(
                try book(
                    #"{"type":"change","timestamp":1,"instrument_name":"A","prev_change_id":1,"change_id":2,"bids":[],"asks":[]}"#
                ))
        }
        try orders.apply(snapshot)
        #expect(orders.bids.map(\.price) == [100, 99])
        try orders.apply(
            try book(
                #"{"type":"change","timestamp":2,"instrument_name":"A","prev_change_id":10,"change_id":12,"bids":[["delete",100,0],["change",99,5]],"asks":[["new",100.5,1]]}"#
            ))
        #expect(orders.bids == [PriceLevel(price: 99, amount: MessageAmount(5))])
        #expect(orders.asks.map(\.price) == [100.5, 101])
        #expect(throws: OrderBook.Fault.gap(expected: 12, found: 13)) {
            try orders.apply(
                try book(
                    #"{"type":"change","timestamp":2,"instrument_name":"A","prev_change_id":13,"change_id":14,"bids":[],"asks":[]}"#
                ))
        }
        #expect(!orders.isValid)
        try orders.apply(snapshot)
        #expect(orders.isValid && orders.bids.count == 2)
        #expect(throws: OrderBook.Fault.crossed(bid: 102, ask: 101)) {
            try orders.apply(
                try book(
                    #"{"type":"change","timestamp":2,"instrument_name":"A","prev_change_id":10,"change_id":11,"bids":[["new",102,1]],"asks":[]}"#
                ))
        }
    }

    @Test(
        "Channels are taken apart and put together",
        arguments: [
            "book.BTC-PERPETUAL.raw", "book.BTC-PERPETUAL.none.10.100ms", "ticker.BTC-3JAN26-60000-C.agg2",
            "incremental_ticker.A", "quote.A", "trades.A.raw", "trades.option.BTC.100ms",
            "markprice.options.btc_usd",
            "deribit_price_index.btc_usd", "deribit_volatility_index.btc_usd",
            "estimated_expiration_price.btc_usd",
            "perpetual.BTC-PERPETUAL.raw", "instrument.state.any.any", "platform_state",
            "platform_state.public_methods_state", "user.orders.any.any.raw", "user.trades.A.100ms",
            "user.changes.future.BTC.agg2", "user.portfolio.btc", "user.lock",
        ])
    func channels(name: String) {
        #expect(ChannelName(name)?.description == name)
    }

    @Test(
        "A channel that there is not is none",
        arguments: [
            "", "book", "book.A", "book.A.1s", "book.A.none.3.raw", "ticker..raw", "user.orders.raw", "user",
            "user.",
            "quote.A.raw", "trades.a.b.c.raw",
        ])
    func noChannels(name: String) { #expect(ChannelName(name) == nil) }

    @Test("Faults are told by what a client has to make of them")
    func faults() {
        let classes: [(Int, FaultClass)] = [
            (13009, .authentication), (10009, .final), (11054, .final), (10028, .retry), (10041, .retry),
            (13888, .retry), (11094, .unknownOutcome), (-32602, .protocolFault), (11050, .protocolFault),
            (11098, .halt), (11051, .halt), (10043, .final),
        ]
        for (code, expected) in classes {
            var fault = VenueFault()
            fault.code = code
            #expect(fault.faultClass == expected, "\(code)")
        }
        #expect(VenueFault(.priceTooHigh, figure: 43_666.4288).message == "price_too_high 43666.4288")
        #expect(VenueFault(.notOpenOrder).saysAlreadyClosed)
    }

    @Test("A request's name comes back as it went: number or text")
    func requestNames() throws {
        for name in ["7", "\"101\""] {
            let request = try RequestEnvelope(
                try JSONTape(#"{"jsonrpc":"2.0","id":\#(name),"method":"public/test"}"#).root)
            var writer = JSONWriter()
            request.id.value?.write(to: &writer)
            #expect(writer.text == name)
        }
    }

    @Test("A message that is neither reply, notification nor heartbeat is refused")
    func strangers() {
        for text in ["[]", "1", #"{"method":"other"}"#, #"{"method":"subscription"}"#] {
            #expect(throws: VenueProtocolError.self) { try VenueMessage(Array(text.utf8)) }
        }
    }
}
