/// What books traded: columns `book,instrument,quantity,price`, and `fee_usd` where there were fees.
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

    /// Reads a table; extra columns are ignored.
    /// - Throws: `MarketError`; errors of one row go to `badRows` first.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        file = source.name
        let table = try CommaSeparated(source)
        let price = try table.required("price")
        let fee = table.index(of: "fee_usd")
        var names = InstrumentColumns(try table.required("book"), try table.required("instrument"))
        let quantity = try table.required("quantity")
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let (book, instrument) = try names.read(row)
            var paid = 0.0
            if let fee, !row.text(fee).isEmpty { paid = try row.number(fee, "fee_usd", .finite) }
            trades.append(
                Trade(
                    book: book, instrument: instrument,
                    quantity: try row.number(quantity, "quantity", .finite),
                    price: try row.number(price, "price", instrument.isOption ? .notNegative : .positive),
                    fee: paid, line: row.line))
        }
    }
}

/// Reads who holds what from rows; each instrument's name is taken apart once.
struct InstrumentColumns {
    private let book, instrument: Int
    private var known: [String: Instrument] = [:]

    init(_ book: Int, _ instrument: Int) {
        self.book = book
        self.instrument = instrument
    }

    mutating func read(_ row: TextRow) throws(MarketError) -> (book: String, instrument: Instrument) {
        let bookName = row.text(book)
        guard !bookName.isEmpty else { throw row.invalid(book, "book", "is empty") }
        let name = row.text(instrument)
        if let seen = known[name] { return (bookName, seen) }
        do throws(InstrumentNameError) {
            let held = try Instrument(name: name)
            known[name] = held
            return (bookName, held)
        } catch {
            throw row.invalid(instrument, "instrument", "\(error)")
        }
    }
}
