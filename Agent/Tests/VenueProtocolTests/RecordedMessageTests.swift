import Testing
import VenueProtocol

@Suite(.enabled(if: SharedMessages.isThere, "recorded messages are in the folder shared/venue"))
struct RecordedMessageTests {
    /// Reads a message as a type and writes it again.
    private func rewritten<Message: VenueRecord>(_ bytes: [UInt8], as type: Message.Type) throws -> (
        before: JSONValue, after: JSONValue
    ) {
        let before = try JSONTape(bytes).root
        return (before, try JSONTape(try Message(before).json).root)
    }

    private func expectWithoutLoss<Message: VenueRecord>(
        _ bytes: [UInt8], as type: Message.Type, _ name: String
    ) throws {
        let (before, after) = try rewritten(bytes, as: type)
        let differences = Self.differences(before, after, at: "")
        #expect(differences.isEmpty, "\(name): \(differences.prefix(5))")
    }

    private static func differences(_ before: JSONValue, _ after: JSONValue, at path: String) -> [String] {
        if let old = before.members, let new = after.members {
            let keys = Set(old.map(\.key)).union(new.map(\.key)).sorted()
            return keys.flatMap { key -> [String] in
                guard let one = old.first(where: { $0.key == key })?.value else {
                    return ["\(path).\(key) is new"]
                }
                guard let two = new.first(where: { $0.key == key })?.value else {
                    return ["\(path).\(key) is lost"]
                }
                return differences(one, two, at: "\(path).\(key)")
            }
        }
        if let old = before.elements, let new = after.elements, old.count == new.count {
            return zip(old, new).enumerated().flatMap { differences($1.0, $1.1, at: "\(path)[\($0)]") }
        }
        return before.isEqual(to: after) ? [] : ["\(path) differs"]
    }

    @Test("Every recorded reply is read and written again without loss")
    func replies() throws {
        func check<Result: VenueValue>(_ file: String, _ type: Result.Type) throws {
            try expectWithoutLoss(
                try SharedMessages.bytes("nautilus/\(file).json"), as: Reply<Result>.self, file)
        }
        try check("http_get_account_summaries", AccountSummaries.self)
        try check("http_get_combos", [Combination].self)
        try check("http_get_expirations_any", NamedValues<[String]>.self)
        try check("http_get_expirations_btc_option", NamedValues<NamedValues<[String]>>.self)
        try check("http_get_instrument", Instrument.self)
        try check("http_get_instrument_option", Instrument.self)
        try check("http_get_instruments", [Instrument].self)
        try check("http_get_instruments_future_combo", [Instrument].self)
        try check("http_get_last_trades", TradeList<PublicTrade>.self)
        try check("http_get_last_trades_future_combo", TradeList<PublicTrade>.self)
        try check("http_get_last_trades_historical_combo", TradeList<PublicTrade>.self)
        try check("http_get_last_trades_perpetual_with_combo_tags", TradeList<PublicTrade>.self)
        try check("http_get_order_book", OrderBookReply.self)
        try check("http_get_time", Int.self)
        try check("http_get_tradingview_chart_data", ChartData.self)
        try check("http_test", NamedValues<String>.self)
        try check("ws_error", JSONValue.self)
        try check("ws_order_buy_response", OrderReply.self)
        try check("ws_order_cancel_response", VenueOrder.self)
        try check("ws_order_sell_response", OrderReply.self)
        try check("ws_order_stop_market_no_filled_amount", OrderReply.self)
        try check("ws_subscribe_response", [String].self)
    }

    @Test("Every recorded notification is read and written again without loss")
    func notifications() throws {
        func check<Content: VenueValue>(_ file: String, _ type: Content.Type) throws {
            try expectWithoutLoss(
                try SharedMessages.bytes("nautilus/\(file).json"), as: Notification<Content>.self, file)
        }
        try check("ws_book_delta", BookMessage.self)
        try check("ws_book_snapshot", BookMessage.self)
        try check("ws_book_grouped_snapshot", GroupedBook.self)
        try check("ws_quote", Quote.self)
        try check("ws_ticker", MarketTicker.self)
        try check("ws_trades", [PublicTrade].self)
        try check("ws_trades_option_combo", [PublicTrade].self)
        try check("ws_volatility_index", VolatilityIndex.self)
        try expectWithoutLoss(
            try SharedMessages.bytes("nautilus/ws_test_request.json"), as: Heartbeat.self, "ws_test_request")
    }

    @Test("A recorded connection: books and tickers without loss, ten books without a gap")
    func connection() throws {
        var books: [String: OrderBook] = [:]
        var counts = (books: 0, tickers: 0, replies: 0)
        for line in try SharedMessages.lines("captures/cryptofeed-ws-20210722.jsonl.gz") {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), line.first.map({ $0 < 58 }) == true
            else {
                continue
            }
            let bytes = Array(line[(colon + 2)...])
            switch try VenueMessage(bytes) {
            case .notification(let channel, let content):
                switch ChannelName(channel) {
                case .book:
                    try expectWithoutLoss(bytes, as: Notification<BookMessage>.self, channel)
                    let message = try BookMessage(content)
                    let name = message.instrumentName
                    try books[name, default: OrderBook(instrumentName: name)].apply(message)
                    counts.books += 1
                case .ticker:
                    try expectWithoutLoss(bytes, as: Notification<MarketTicker>.self, channel)
                    counts.tickers += 1
                default: Issue.record("unexpected channel \(channel)")
                }
            case .reply:
                try expectWithoutLoss(bytes, as: Reply<[String]>.self, "subscription")
                counts.replies += 1
            case .heartbeat: Issue.record("no heartbeat was asked for")
            }
        }
        #expect(counts == (46, 89, 1))
        #expect(books.count == 10)
        #expect(books.values.allSatisfy { $0.isValid })
    }

    @Test("A thousand recorded instruments without loss, each name taken apart and its expiry the listed one")
    func instruments() throws {
        var counts: [InstrumentKind: Int] = [:]
        for line in try SharedMessages.lines("captures/cryptofeed-instruments-202107.jsonl.gz") {
            guard let brace = line.firstIndex(of: UInt8(ascii: "{")) else { continue }
            let bytes = Array(line[brace...])
            guard let reply = try? Reply<[Instrument]>(try JSONTape(bytes).root), let list = reply.result
            else {
                continue
            }
            try expectWithoutLoss(bytes, as: Reply<[Instrument]>.self, "get_instruments")
            for instrument in list {
                counts[instrument.kind, default: 0] += 1
                let name = try #require(InstrumentName(instrument.name), "\(instrument.name)")
                #expect(name.base == instrument.baseCurrency)
                switch name.contract {
                case .option(let expiry, let strike, let type):
                    #expect(expiry == instrument.expirationTimestamp)
                    #expect(strike == instrument.strike)
                    #expect(type == instrument.optionType)
                    let underlying = name.quote.map { "\(name.base)_\($0)" } ?? name.base
                    #expect(
                        InstrumentName.option(underlying, expiry: expiry, strike: strike, type: type)
                            == instrument.name)
                case .future(let expiry): #expect(expiry == instrument.expirationTimestamp)
                case .perpetual: #expect(instrument.expirationTimestamp == VenueTime.never)
                case .spot, .combination: break
                }
            }
        }
        #expect(counts[.option, default: 0] >= 980)
        #expect(counts[.future, default: 0] >= 37)
    }

    @Test("The recorded book with a gap is found at its line, and stays invalid behind it")
    func gap() throws {
        var book = OrderBook(instrumentName: "BTC-PERPETUAL")
        var faults: [Int: OrderBook.Fault] = [:]
        for (number, line) in try SharedMessages.lines("captures/ssc2ce-book-with-gap.jsonl").enumerated() {
            guard case .notification(_, let content) = try VenueMessage(line) else { continue }
            do { try book.apply(try BookMessage(content)) } catch let fault as OrderBook.Fault {
                faults[number + 1] = fault
            }
        }
        #expect(faults == [6: .gap(expected: 4_095_205_462, found: 4_095_205_463)])
        #expect(!book.isValid)
        #expect(book.bids.isEmpty)
    }
}
