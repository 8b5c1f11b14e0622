import Checks

/// Deribit's recordings of orders: order books, whole and as changes, and best prices. Each is kept by itself, since best
/// prices say nothing of the orders behind them.
extension ChainReader {
    /// An order book as notifications leave it.
    struct OrderBook {
        var bids: [OrderLevel] = []
        var asks: [OrderLevel] = []
        var timestamp = Timestamp(milliseconds: 0)
        /// The number of the last change, on which the next builds.
        var change: Double?
        /// Whether a change was missed, so that orders are unknown until the next snapshot.
        var isBroken = false
    }

    /// A snapshot or a change of an order book. A change that cannot be used, or that builds on one that is not there, takes
    /// the orders away until the next snapshot.
    mutating func keepOrders(_ data: JSON, _ source: Source) throws(MarketError) {
        let fields = MessageFields(source: source, value: data)
        guard let key = try orderKey(fields) else { return }
        let time = try fields.time("timestamp")
        let known = orderBooks[key] ?? OrderBook()
        // Until all of it has been read: nothing is half applied.
        orderBooks[key] = OrderBook(timestamp: time, isBroken: true)
        do throws(MarketError) {
            let isChange =
                data["type"]?.string == "change"
                || data["prev_change_id"].map { !$0.isMissing } ?? false
            var book = OrderBook(timestamp: time)
            if isChange {
                let previous = try fields.number("prev_change_id", .finite)
                guard known.change == previous, !known.isBroken else {
                    if !known.isBroken { gaps += 1 }
                    return
                }
                (book.bids, book.asks) = (known.bids, known.asks)
            }
            book.change = data["change_id"]?.number
            try Self.change(&book.bids, fields, "bids") { $0 > $1 }
            try Self.change(&book.asks, fields, "asks") { $0 < $1 }
            if let complaint = OrderLevel.complaint(bids: book.bids, asks: book.asks) {
                throw fields.failure("bids", data["bids"], complaint)
            }
            orderBooks[key] = book
        } catch {
            if !known.isBroken { gaps += 1 }
            throw error
        }
    }

    /// Best prices; a price of 0 stands for none.
    mutating func keepBestPrices(_ data: JSON, _ source: Source) throws(MarketError) {
        let fields = MessageFields(source: source, value: data)
        guard let key = try orderKey(fields) else { return }
        func best(_ side: String) throws(MarketError) -> [OrderLevel] {
            let price = try fields.number("best_\(side)_price", .notNegative, default: 0)
            let amount = try fields.number("best_\(side)_amount", .notNegative, default: 0)
            return price > 0 ? [OrderLevel(price: price, amount: amount)] : []
        }
        let quote = OrderBook(
            bids: try best("bid"), asks: try best("ask"), timestamp: try fields.time("timestamp"))
        if let complaint = OrderLevel.complaint(bids: quote.bids, asks: quote.asks) {
            throw fields.failure("best_bid_price", data["best_bid_price"], complaint)
        }
        bestPrices[key] = quote
    }

    /// The contract that a message about orders names; nil for a combination, which no ticker is of.
    private mutating func orderKey(_ fields: MessageFields) throws(MarketError) -> Instrument.Key? {
        let said = ObjectFields(source: fields.source, object: fields.value, layout: .marks, time: nil)
        return try contract(try fields.text("instrument_name"), of: said)?.key
    }

    /// The latest that is known of orders: those of the book, or the best prices where they are later.
    var latestOrders: [Instrument.Key: OrderBook] {
        orderBooks.merging(bestPrices) { book, best in best.timestamp > book.timestamp ? best : book }
    }

    /// Changes one side by `["new" | "change" | "delete", price, amount]` or `[price, amount]`.
    private static func change(
        _ levels: inout [OrderLevel], _ fields: MessageFields, _ side: String,
        _ isBetter: (Double, Double) -> Bool
    ) throws(MarketError) {
        for change in try fields.array(side) {
            guard let parts = change.array, parts.count >= 2, let amount = parts[parts.count - 1].number,
                let price = parts[parts.count - 2].number, NumberRule.positive.accepts(price),
                NumberRule.notNegative.accepts(amount)
            else { throw fields.failure(side, change, "must be a list of [price, amount]") }
            let place = levels.firstIndex { !isBetter($0.price, price) } ?? levels.count
            if place < levels.count, levels[place].price == price { levels.remove(at: place) }
            guard amount > 0, parts[0].string != "delete" else { continue }
            levels.insert(OrderLevel(price: price, amount: amount), at: place)
        }
    }
}
