/// Deribit's recordings of notifications: tickers, order books and marks of options.
extension ChainReader {
    /// Takes a notification in.
    /// - Returns: values in it that are tickers by themselves.
    mutating func notification(
        _ channel: String, _ data: JSON, _ source: Source, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) -> [JSON] {
        switch channel.prefix(while: { $0 != "." }) {
        case "ticker", "incremental_ticker": return [data]
        case "book", "quote":
            try keepOrders(data, source)
        case "markprice":
            for mark in data.array ?? [] {
                if let ticker = try marked(mark, source) {
                    remember(ticker)
                    try add(ticker)
                }
            }
        case let kind: otherMessages["\(kind) notifications", default: 0] += 1
        }
        return []
    }

    /// `{"instrument_name", "mark_price", "iv", "timestamp"}`, the volatility as a fraction: a new mark for what the last
    /// ticker of the instrument, or of others of its expiry, says.
    private mutating func marked(_ mark: JSON, _ source: Source) throws(MarketError) -> Ticker? {
        let fields = MessageFields(source: source, value: mark)
        let name = try fields.text("instrument_name")
        guard let instrument = try? Instrument(name: name, on: source.exchange), instrument.isOption else {
            otherKinds.append(name)
            return nil
        }
        guard let known = lastTickers[name] ?? forwards[instrument.series] else {
            marksWithoutFuture += 1
            return nil
        }
        let isOwn = known.instrument == instrument
        let volatility = try fields.number("iv", .notNegative)
        return Ticker(
            instrument: instrument,
            timestamp: max(known.timestamp, try fields.time("timestamp", default: known.timestamp)),
            place: .line(file: source.name, mark.line), layout: known.layout,
            underlyingPrice: known.underlyingPrice, underlyingIndex: known.underlyingIndex,
            indexPrice: known.indexPrice, markPrice: try fields.number("mark_price", .notNegative),
            markVolatility: volatility, interestRate: known.interestRate,
            openInterest: isOwn ? known.openInterest : nil, bids: isOwn ? known.bids : [],
            asks: isOwn ? known.asks : [], published: nil)
    }

    /// A snapshot or a change of an order book, or its best prices.
    private mutating func keepOrders(_ data: JSON, _ source: Source) throws(MarketError) {
        let fields = MessageFields(source: source, value: data)
        let name = try fields.text("instrument_name")
        var book = orderBooks[name] ?? OrderBook()
        book.timestamp = try fields.time("timestamp")
        defer { orderBooks[name] = book }
        if data["bids"] == nil, data["asks"] == nil {
            func best(_ side: String) throws(MarketError) -> [OrderLevel] {
                let price = try fields.number("best_\(side)_price", .notNegative, default: 0)
                let amount = try fields.number("best_\(side)_amount", .notNegative, default: 0)
                return price > 0 ? [OrderLevel(price: price, amount: amount)] : []
            }
            (book.bids, book.asks) = (try best("bid"), try best("ask"))
            return
        }
        let previous = data["prev_change_id"]?.number
        if let previous {
            guard book.change == previous else {
                if book.change != nil { gaps += 1 }
                book = OrderBook(timestamp: book.timestamp)
                return
            }
        } else {
            (book.bids, book.asks) = ([], [])
        }
        book.change = data["change_id"]?.number
        book.bids = try Self.changed(book.bids, fields, "bids") { $0 > $1 }
        book.asks = try Self.changed(book.asks, fields, "asks") { $0 < $1 }
    }

    /// Levels after `["new" | "change" | "delete", price, amount]` or `[price, amount]`.
    private static func changed(
        _ levels: [OrderLevel], _ fields: MessageFields, _ side: String, _ isBetter: (Double, Double) -> Bool
    ) throws(MarketError) -> [OrderLevel] {
        var levels = levels
        for change in try fields.array(side) {
            guard let parts = change.array, parts.count >= 2, let amount = parts[parts.count - 1].number,
                let price = parts[parts.count - 2].number, price > 0, amount >= 0
            else { throw fields.failure(side, change, "must be a list of [price, amount]") }
            let place = levels.firstIndex { !isBetter($0.price, price) } ?? levels.count
            if place < levels.count, levels[place].price == price { levels.remove(at: place) }
            if amount > 0 { levels.insert(OrderLevel(price: price, amount: amount), at: place) }
        }
        return levels
    }
}
