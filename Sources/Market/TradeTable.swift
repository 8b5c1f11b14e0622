/// Trades of books: columns `book,instrument,quantity,price`, and `fee_usd` where there were fees.
public struct TradeTable: Sendable {
    public static let columns = PositionTable.columns + ["price"]

    /// One line: quantity as in `PositionTable`, above 0 where the book bought; price as the exchange quotes it, in
    /// coin for inverse options, else in quote currency; the fee in dollars, above 0 where the book paid it.
    public struct Trade: Sendable, Equatable {
        public let book: String
        public let instrument: Instrument
        public let quantity, price, fee: Double
        public let line: Int

        public init(
            book: String, instrument: Instrument, quantity: Double, price: Double, fee: Double = 0,
            line: Int = 0
        ) {
            self.book = book
            self.instrument = instrument
            self.quantity = quantity
            self.price = price
            self.fee = fee
            self.line = line
        }
    }

    public let file: String
    public private(set) var trades: [Trade] = []

    /// Given trades.
    public init(file: String, trades: [Trade]) {
        self.file = file
        self.trades = trades
    }

    /// Reads a table, or an exchange's trades as JSON (`private/get_user_trades_by_currency`); extra columns are
    /// ignored. In a reply, fees are in `fee_currency`; the contract's coin is worth `index_price` where that is in dollars.
    /// Books as in `PositionTable`.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(_ source: Source, book: String? = nil, _ badRows: inout BadRows) throws(MarketError) {
        file = source.name
        let table = try TextTable(source)
        let price = try table.required("price")
        let fee = try FeeColumns(table)
        var holders = try HolderColumns(table, book: book, &badRows)
        let quantity = try SignedQuantity(table)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let (book, instrument) = try holders.read(row)
            trades.append(
                Trade(
                    book: book, instrument: instrument, quantity: try quantity.read(row),
                    price: try row.number(price, "price", instrument.isOption ? .notNegative : .positive),
                    fee: try fee.read(row, of: instrument), line: row.line))
        }
    }
}

/// A trade's fee in dollars, or in the currency in which an exchange took it.
private struct FeeColumns {
    private let dollars, fee, currency, index: Int?

    init(_ table: TextTable) throws(MarketError) {
        dollars = try table.optional("fee_usd")
        fee = dollars == nil ? try table.optional("fee") : nil
        currency = fee == nil ? nil : try table.optional("fee_currency")
        index = fee == nil ? nil : try table.optional("index_price")
    }

    func read(_ row: TextRow, of instrument: Instrument) throws(MarketError) -> Double {
        if let dollars { return try row.optionalNumber(dollars, "fee_usd", .finite) ?? 0 }
        guard let fee, let amount = try row.optionalNumber(fee, "fee", .finite), amount != 0 else { return 0 }
        guard let currency, !row.isMissing(currency) else {
            throw row.invalid(fee, "fee", "no fee_currency says of what; dollars stand in fee_usd")
        }
        let coin = row.text(currency).uppercased()
        if Currency.dollars.contains(coin) { return amount }
        guard let index, let value = try row.optionalNumber(index, "index_price", .positive) else {
            throw row.invalid(currency, "fee_currency", "no index_price says what it is worth")
        }
        guard coin == instrument.base, instrument.countsInDollars else {
            throw row.invalid(
                currency, "fee_currency",
                "the index_price is \(instrument.base)'s in \(instrument.quote); give the fee in fee_usd")
        }
        return amount * value
    }
}
