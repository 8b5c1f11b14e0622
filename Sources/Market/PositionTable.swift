import Checks

/// Holdings of books: columns `book,instrument,quantity`, under these names or an exchange's.
public struct PositionTable: Sendable {
    public static let columns = ["book", "instrument", "quantity"]

    /// One line: quantity above 0 is long, in the unit of the contract that the chain has under the name
    /// (`Instrument.quantityUnit`: coins, or US dollars for inverse futures and perpetuals). An instrument may stand in
    /// a book more than once.
    public struct Position: Sendable, Equatable {
        public let book: String
        public let instrument: Instrument
        /// Whether the table says whose contract it is, so that no other exchange's of that name will do.
        public let namesExchange: Bool
        public let quantity: Double
        /// The line of a file, from 1, or the row of columns, from 0: see `PositionTable.place`.
        public let line: Int

        public init(
            book: String, instrument: Instrument, namesExchange: Bool = false, quantity: Double, line: Int
        ) {
            self.book = book
            self.instrument = instrument
            self.namesExchange = namesExchange
            self.quantity = quantity
            self.line = line
        }

        /// Whether a chain's contract of that name is the one that is held.
        package func isHeld(_ listed: Instrument) -> Bool {
            !namesExchange || listed.exchange == instrument.exchange
        }
    }

    public let file: String
    public private(set) var positions: [Position] = []
    /// The one book of all positions, where the table had no column of books.
    public private(set) var onlyBook: String?
    private let isText: Bool

    /// The place of a position.
    package func place(of position: Position) -> Place {
        isText ? .line(file: file, position.line) : .row(position.line, table: file)
    }

    /// Takes positions that `line` numbers by row, under the name that errors show.
    public init(name: String, _ positions: [Position]) {
        file = name
        isText = false
        self.positions = positions
    }

    /// Reads a table, or an exchange's positions (`private/get_positions`) as JSON; a column `exchange` says whose
    /// contracts those of names are that several exchanges have, extra columns are ignored. Where
    /// there is no column of books, as in a reply, all positions are in one.
    /// - Parameter book: that one's name; nil for the file's without folder and ending.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(_ source: Source, book: String? = nil, _ badRows: inout BadRows) throws(MarketError) {
        let table = try TextTable(source)
        file = source.name
        isText = true
        var holders = try HolderColumns(table, book: book, &badRows)
        onlyBook = holders.onlyBook
        let quantity = try SignedQuantity(table)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let (book, instrument) = try holders.read(row)
            positions.append(
                Position(
                    book: book, instrument: instrument, namesExchange: holders.namesExchange(row),
                    quantity: try quantity.read(row), line: row.line))
        }
    }
}
