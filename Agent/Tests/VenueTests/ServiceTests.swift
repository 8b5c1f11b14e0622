import ExchangeServer
import TestExchange
import Testing
import VenueProtocol

struct ServiceTests {
    private func code(_ body: () throws -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch { return (error as? VenueFault)?.code }
    }

    @Test("The exchange's signature of a known text under a known secret")
    func signature() {
        // The documentation's own names; the digits were computed by openssl.
        let text = Authentication.signedText(timestamp: 1_576_074_319_000, nonce: "1iqt2wls", data: "")
        #expect(
            venueSignature(text, "AMANDASECRECT")
                == "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1")
    }

    @Test("No private method without authentication, and none with a wrong secret, signature or token")
    func authentication() throws {
        let venue = Venue()
        let client = try venue.connect()
        for method in ["private/buy", "private/get_positions", "private/cancel_all", "private/subscribe"] {
            #expect(try client.call(method).fault?.code == 10000)
        }
        #expect(
            try client.call(
                "public/auth",
                #"{"grant_type":"client_credentials","client_id":"alice","client_secret":"secret of bob"}"#
            ).fault?.code == 13004)
        #expect(try client.call("private/get_positions", #"{"access_token":"token-1"}"#).fault?.code == 13009)
        let time = venue.clock.microseconds / 1_000
        let signed = venueSignature("\(time)\nn\nd", "secret of alice")
        func signature(_ time: Int, _ signature: String) -> String {
            #"{"grant_type":"client_signature","client_id":"alice","timestamp":\#(time),"nonce":"n","data":"d","signature":"\#(signature)"}"#
        }
        #expect(try client.call("public/auth", signature(time, signed.uppercased())).fault?.code == 13004)
        #expect(try client.call("public/auth", signature(time - 61_000, signed)).fault?.code == 13004)
        #expect(try client.call("public/auth", signature(time, signed)).fault == nil)
        #expect(try client.call("private/get_positions").fault == nil)
    }

    @Test(
        "A token dies with its connection, its time or its scope; one of a session lives on; refreshing works once"
    )
    func tokens() throws {
        let venue = Venue()
        let client = try venue.connect()
        func grant(_ scope: String) throws -> Authentication.Result {
            try client.result(
                "public/auth",
                #"{"grant_type":"client_credentials","client_id":"alice","client_secret":"secret of alice","scope":"\#(scope)"}"#
            )
        }
        let dying = try grant("connection")
        let living = try grant("session:desk")
        let reading = try grant("session:reader trade:read")
        venue.service.disconnect(client.session)
        let other = try venue.connect()
        func positions(_ token: String) throws -> Int? {
            try other.call("private/get_positions", #"{"access_token":"\#(token)"}"#).fault?.code
        }
        #expect(try positions(dying.accessToken) == 13009)
        #expect(try positions(living.accessToken) == nil)
        #expect(
            try other.call(
                "private/buy",
                #"{"access_token":"\#(reading.accessToken)","instrument_name":"BTC-PERPETUAL","amount":10,"price":90000}"#
            ).fault?.code == 13021)
        venue.clock.microseconds += 901 * 1_000_000
        #expect(try positions(living.accessToken) == 13009)
        let refresh = #"{"grant_type":"refresh_token","refresh_token":"\#(living.refreshToken)"}"#
        let fresh: Authentication.Result = try other.result("public/auth", refresh)
        #expect(try positions(fresh.accessToken) == nil)
        #expect(try other.call("public/auth", refresh).fault?.code == 13004)
    }

    @Test("An order's life over the protocol: open, edited, filled, told to its owner and to nobody else")
    func orders() throws {
        let venue = Venue()
        let alice = try venue.connect(as: "alice")
        let bob = try venue.connect(as: "bob")
        for client in [alice, bob] {
            try client.call(
                "private/subscribe",
                #"{"channels":["user.orders.any.any.raw","user.trades.future.BTC.raw","user.changes.BTC-PERPETUAL.raw"]}"#
            )
        }
        let placed: OrderReply = try alice.result(
            "private/buy", #"{"instrument_name":"BTC-PERPETUAL","amount":100,"price":89990,"label":"x"}"#)
        #expect(placed.order.state == .open && placed.order.filledAmount == .zero)
        let edited: OrderReply = try alice.result(
            "private/edit", #"{"order_id":"\#(placed.order.orderID)","amount":200,"price":90000.5}"#)
        #expect(edited.order.orderID == placed.order.orderID && edited.order.isReplaced == true)
        #expect(edited.order.state == .filled && edited.trades.map(\.amount.value) == [200])
        #expect(edited.trades[0].liquidity == .taker && edited.trades[0].label == "x")
        let states = try alice.take("user.orders.any.any.raw").map { try VenueOrder($0).state }
        #expect(states == [.open, .filled])
        let trades = try alice.take("user.trades.future.BTC.raw").flatMap { try [UserTrade]($0) }
        #expect(trades.map(\.tradeID) == edited.trades.map(\.tradeID))
        let changes = try alice.take("user.changes.BTC-PERPETUAL.raw").map { try UserChanges($0) }
        #expect(changes.last?.positions?.first?.size.value == 200)
        #expect(try bob.take("user.orders.any.any.raw").isEmpty)
        #expect(try bob.take("user.trades.future.BTC.raw").isEmpty)
        let log: TransactionLog = try alice.result(
            "private/get_transaction_log",
            #"{"currency":"BTC","start_timestamp":0,"end_timestamp":9999999999999}"#)
        #expect(log.logs.map(\.type) == ["trade", "deposit"])
        #expect(
            code {
                let _: VenueOrder = try bob.result(
                    "private/get_order_state", #"{"order_id":"\#(placed.order.orderID)"}"#)
            } == 10004)
    }

    @Test("Books of all intervals, put together by three clients, are the exchange's own at the end")
    func books() throws {
        let venue = Venue()
        let contract = try #require(venue.exchange.contract(named: Venue.perpetual))
        let channels = ["raw", "100ms", "agg2"].map { "book.BTC-PERPETUAL.\($0)" }
        let alice = try venue.connect(as: "alice")
        try alice.call("public/subscribe", #"{"channels":["\#(channels.joined(separator: "\",\""))"]}"#)
        var late: Venue.Client?
        for step in 0..<60 {
            let price = 900_000_000 + (step * 7 % 11) * 5_000
            venue.exchange.quote(
                contract, account: venue.maker, .buy, [(price - 10_000, (step + 1) * 100_000)])
            venue.exchange.quote(
                contract, account: venue.maker, .sell, [(price + 10_000, (step + 1) * 100_000)])
            venue.exchange.quote(
                contract, account: venue.maker, .buy, [(price - 10_000, (step + 1) * 100_000)])
            if step == 33 {
                // Between two messages of the slower channels.
                let client = try venue.connect(as: "bob")
                try client.call(
                    "public/subscribe", #"{"channels":["\#(channels.joined(separator: "\",\""))"]}"#)
                late = client
            }
            venue.pass(seconds: 0.1)
        }
        venue.pass(seconds: 2)
        for client in [alice, try #require(late)] {
            for channel in channels {
                var book = OrderBook(instrumentName: Venue.perpetual)
                for message in try client.take(channel) { try book.apply(try BookMessage(message)) }
                #expect(book.bids == venue.exchange.levels(contract, .buy), "\(channel)")
                #expect(book.asks == venue.exchange.levels(contract, .sell), "\(channel)")
            }
        }
    }

    @Test(
        "Raw channels, and those of users, are for those who are known; a channel that there is not is left out"
    )
    func subscriptions() throws {
        let venue = Venue()
        let client = try venue.connect()
        let subscribed: [String] = try client.result(
            "public/subscribe",
            #"{"channels":["book.BTC-PERPETUAL.raw","book.BTC-PERPETUAL.100ms","ticker.NONE.100ms","user.orders.any.any.raw"]}"#
        )
        #expect(subscribed == ["book.BTC-PERPETUAL.100ms"])
        #expect(try client.call("public/subscribe", #"{"channels":["nothing"]}"#).fault?.code == 11052)
        let removed: [String] = try client.result(
            "public/unsubscribe", #"{"channels":["book.BTC-PERPETUAL.100ms"]}"#)
        #expect(removed == subscribed)
        let before = client.inbox.messages.count
        venue.pass(seconds: 1)
        #expect(client.inbox.messages.count == before)
    }

    @Test("Cancel on disconnect takes the orders of that connection, of the account, or none")
    func cancelOnDisconnect() throws {
        let venue = Venue()
        let order = #"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":89000}"#
        let stays = try venue.connect(as: "alice")
        try stays.call("private/buy", order)
        let goes = try venue.connect(as: "alice")
        try goes.call("private/enable_cancel_on_disconnect")
        let placed: OrderReply = try goes.result("private/buy", order)
        venue.service.disconnect(goes.session)
        let open: [VenueOrder] = try stays.result("private/get_open_orders")
        #expect(open.count == 1)
        let state: VenueOrder = try stays.result(
            "private/get_order_state", #"{"order_id":"\#(placed.order.orderID)"}"#)
        #expect(state.state == .cancelled && state.cancelReason == "cancel_on_disconnect")
        try stays.call("private/enable_cancel_on_disconnect", #"{"scope":"account"}"#)
        venue.service.disconnect(try venue.connect(as: "alice").session)
        #expect(try stays.result("private/get_open_orders", as: [VenueOrder].self).isEmpty)
    }

    @Test("Whoever asked for heartbeats and does not answer is closed, and his orders go")
    func heartbeat() throws {
        let venue = Venue()
        let quiet = try venue.connect(as: "alice")
        #expect(try quiet.call("public/set_heartbeat", #"{"interval":9}"#).fault?.code == -32602)
        try quiet.call("public/set_heartbeat", #"{"interval":10}"#)
        try quiet.call("private/enable_cancel_on_disconnect")
        try quiet.call("private/buy", #"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":89000}"#)
        venue.pass(seconds: 11)
        #expect(String(decoding: quiet.inbox.messages.last ?? [], as: UTF8.self).contains("test_request"))
        try quiet.call("public/test")
        venue.pass(seconds: 11)
        #expect(!quiet.inbox.isClosed)
        venue.pass(seconds: 11)
        #expect(quiet.inbox.isClosed)
        #expect(venue.exchange.openOrders(of: 1).isEmpty)
    }

    @Test("Whoever spends more credits than there are is told so and let go")
    func credits() throws {
        var configuration = VenueConfiguration()
        configuration.limits.nonMatching = RateLimit(burst: 20, rate: 10)
        let venue = Venue(configuration)
        let client = try venue.connect()
        for _ in 0..<20 { #expect(try client.call("public/test").fault == nil) }
        venue.clock.microseconds += 100_000
        #expect(try client.call("public/test").fault == nil)
        #expect(try client.call("public/test").fault?.code == 10028)
        #expect(client.inbox.isClosed)
    }

    @Test("Lists, subscriptions and the log have credits of their own, and so does cancelling all")
    func buckets() throws {
        for (method, burst, refill) in [
            ("public/get_instruments", 50, 1_000_000), ("public/subscribe", 10, 300_000),
            ("private/get_transaction_log", 8, 1_000_000),
        ] {
            let venue = Venue()
            let client = try venue.connect(as: "alice")
            let parameters =
                #"{"currency":"BTC","channels":["ticker.BTC-PERPETUAL.100ms"],"start_timestamp":0,"end_timestamp":9}"#
            for _ in 0..<burst { #expect(try client.call(method, parameters).fault == nil, "\(method)") }
            venue.clock.microseconds += refill
            #expect(try client.call(method, parameters).fault == nil, "\(method)")
            #expect(try client.call(method, parameters).fault?.code == 10028, "\(method)")
        }
        var configuration = VenueConfiguration()
        configuration.limits.matching = RateLimit(burst: 3, rate: 1)
        let client = try Venue(configuration).connect(as: "alice")
        for _ in 0..<3 {
            #expect(try client.call("private/cancel", #"{"order_id":"999999"}"#).fault?.code == 10004)
        }
        #expect(try client.call("private/cancel_all").fault == nil)
        #expect(try client.call("private/cancel", #"{"order_id":"999999"}"#).fault?.code == 10028)
    }

    @Test("Market-maker protection over the protocol: set, shown, set off and told, reset")
    func protection() throws {
        let venue = Venue()
        let alice = try venue.connect(as: "alice")
        try alice.call("private/subscribe", #"{"channels":["user.mmp_trigger.btc_usd"]}"#)
        let set: [ProtectionConfiguration] = try alice.result(
            "private/set_mmp_config",
            #"{"index_name":"btc_usd","interval":5,"frozen_time":0,"quantity_limit":0.0001,"max_quote_quantity":5}"#
        )
        #expect(set.count == 1 && set.first?.quantityLimit == 0.0001)
        #expect(try alice.result("private/get_mmp_config", as: [ProtectionConfiguration].self) == set)
        #expect(try alice.result("private/get_mmp_status", as: [ProtectionTrigger].self).isEmpty)
        let order = #"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":90000.5,"mmp":true}"#
        let filled: OrderReply = try alice.result("private/buy", order)
        #expect(filled.order.isMarketMakerProtected == true)
        #expect(filled.trades.first?.isMarketMakerProtected == true)
        let triggers = try alice.take("user.mmp_trigger.btc_usd").map { try ProtectionTrigger($0) }
        #expect(triggers.map(\.frozenUntil) == [0] && triggers.map(\.group) == [nil])
        let status: [ProtectionTrigger] = try alice.result("private/get_mmp_status")
        #expect(status.map(\.indexName) == ["btc_usd"] && status.map(\.group) == [""])
        #expect(try alice.call("private/buy", order).fault?.code == 11030)
        #expect(try alice.call("private/reset_mmp", #"{"index_name":"btc_usd"}"#).fault == nil)
        #expect(try alice.call("private/buy", order).fault == nil)
        for parameters in [#"{"index_name":"no_usd"}"#, #"{"index_name":"btc_usd","mmp_group":"a"}"#] {
            #expect(try alice.call("private/get_mmp_config", parameters).fault?.code == -32602)
        }
        let margins = try alice.result(
            "private/get_margins", #"{"instrument_name":"BTC-PERPETUAL","amount":90000,"price":90000}"#,
            as: JSONValue.self)
        #expect(margins["buy_taker_fee"]?.number == 0.0005 && margins["sell_maker_fee"]?.number == 0)
    }

    @Test("Candles: what was traded in a minute, while it is under way and afterwards")
    func candles() throws {
        let venue = Venue()
        let client = try venue.connect(as: "alice")
        try client.call("public/subscribe", #"{"channels":["chart.trades.BTC-PERPETUAL.1"]}"#)
        for (side, amount) in [("buy", 4_500), ("sell", 9_000), ("buy", 4_500)] {
            try client.call(
                "private/\(side)", #"{"instrument_name":"BTC-PERPETUAL","amount":\#(amount),"type":"market"}"#
            )
        }
        let told = try client.take("chart.trades.BTC-PERPETUAL.1")
        #expect(told.count == 3)
        let last = try #require(told.last)
        #expect(last["open"]?.number == 90_000.5 && last["close"]?.number == 90_000.5)
        #expect(last["high"]?.number == 90_000.5 && last["low"]?.number == 89_999.5)
        #expect(last["cost"]?.number == 18_000)
        let coins = 4_500 / 90_000.5 + 9_000 / 89_999.5 + 4_500 / 90_000.5
        #expect(abs((last["volume"]?.number ?? 0) - coins) < 1e-12)
        #expect(last["tick"]?.integer == Venue.start / 60_000 * 60_000)
        venue.pass(seconds: 121)
        let chart: ChartData = try client.result(
            "public/get_tradingview_chart_data",
            #"{"instrument_name":"BTC-PERPETUAL","resolution":"1","start_timestamp":0,"end_timestamp":9999999999999}"#
        )
        #expect(chart.status == "ok" && chart.ticks.count == 3)
        #expect(chart.cost == [18_000, 0, 0] && chart.open == [90_000.5, 90_000.5, 90_000.5])
        #expect(
            try client.call(
                "public/get_tradingview_chart_data",
                #"{"instrument_name":"BTC-PERPETUAL","resolution":"7","start_timestamp":0,"end_timestamp":1}"#
            ).fault?.code == -32602)
    }

    @Test("HTTP: query and body, every form of authorisation, the status of faults")
    func http() throws {
        let venue = Venue()
        func get(
            _ method: String, _ query: [(String, String)] = [], _ header: String? = nil, target: String = ""
        )
            throws -> (Int, Reply<JSONValue>)
        {
            let (status, body) = venue.service.request(
                verb: "GET", method: method, query: query.map { (name: $0.0, value: $0.1) }, body: [],
                authorization: header, target: target)
            return (status, try Reply(try JSONTape(body).root))
        }
        let (status, reply) = try get(
            "public/get_order_book", [("instrument_name", "BTC-PERPETUAL"), ("depth", "1")])
        #expect(status == 200)
        let book = try OrderBookReply(try #require(reply.result))
        #expect(book.bids.map(\.price) == [89_999.5] && book.asks.map(\.price) == [90_000.5])
        #expect(try get("public/nothing").0 == 400)
        #expect(try get("private/get_positions").1.fault?.code == 10000)
        // alice:secret of alice
        #expect(try get("private/get_positions", [], "Basic YWxpY2U6c2VjcmV0IG9mIGFsaWNl").0 == 200)
        #expect(try get("private/get_positions", [], "Basic YWxpY2U6c2VjcmV0").1.fault?.code == 13004)
        let time = venue.clock.microseconds / 1_000
        let target = "/api/v2/private/buy?instrument_name=BTC-PERPETUAL&amount=10&price=89000&label=7"
        let signature = venueSignature("\(time)\nn\nGET\n\(target)\n\n", "secret of alice")
        let query = [
            ("instrument_name", "BTC-PERPETUAL"), ("amount", "10"), ("price", "89000"), ("label", "7"),
        ]
        let header = "deri-hmac-sha256 id=alice,ts=\(time),nonce=n,sig=\(signature)"
        let bought = try get("private/buy", query, header, target: target).1
        #expect(try OrderReply(try #require(bought.result)).order.label == "7")
        #expect(try get("private/buy", query, header, target: target + "0").1.fault?.code == 13004)
        let post = venue.service.request(
            verb: "POST", method: "", query: [],
            body: Array(#"{"jsonrpc":"2.0","id":"a","method":"/public/get_time","params":{}}"#.utf8),
            authorization: nil, target: "/api/v2")
        let answered = try Reply<Int>(try JSONTape(post.body).root)
        #expect(answered.id.value == .text("a") && answered.result == Venue.start)
    }
}
