/// What books hold: columns `book,instrument,quantity`.
public struct PositionTable: Sendable {
    public static let columns = ["book", "instrument", "quantity"]

    /// One line: quantity above 0 is long, in units of `Instrument.quantityUnit` (coins, or US dollars for
    /// inverse futures and perpetuals). An instrument may stand in a book more than once.
    public struct Position: Sendable, Equatable {
        public let book: String
        public let instrument: Instrument
        public let quantity: Double
        public let line: Int

        public init(book: String, instrument: Instrument, quantity: Double, line: Int) {
            self.book = book
            self.instrument = instrument
            self.quantity = quantity
            self.line = line
        }
    }

    public let file: String
    public private(set) var positions: [Position] = []

    /// Takes positions of any origin, under the name that errors show.
    public init(name: String, _ positions: [Position]) {
        file = name
        self.positions = positions
    }

    /// Reads a table; extra columns are ignored.
    /// - Throws: `MarketError`; errors of one row go to `badRows` first.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try CommaSeparated(source)
        file = source.name
        var names = InstrumentColumns(try table.required("book"), try table.required("instrument"))
        let quantity = try table.required("quantity")
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let (book, instrument) = try names.read(row)
            positions.append(
                Position(
                    book: book, instrument: instrument,
                    quantity: try row.number(quantity, "quantity", .finite), line: row.line))
        }
    }
}
