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

/// Reads who holds what from rows; each instrument's name is taken apart once.
struct HolderColumns {
    let onlyBook: String?
    private let book: Int?
    private let instrument: Int
    private let exchange: (any Exchange.Type)?
    private let exchangeColumn: Int?
    private var known: [String: Instrument] = [:]

    init(_ table: TextTable, book name: String?, _ badRows: inout BadRows) throws(MarketError) {
        instrument = try table.required(ColumnNames.instrument)
        exchange = table.source.exchange
        exchangeColumn = try table.index(of: "exchange")
        book = try table.index(of: "book")
        onlyBook = book == nil ? name ?? table.source.stem : nil
        if book == nil, name == nil, MarketError.near("book", in: table.header) != nil {
            throw .missingColumn(file: table.source.name, column: "book", found: table.header)
        }
        if let onlyBook, name == nil {
            badRows.remark("\(table.source.name) has no column book: all of it is book \"\(onlyBook)\"")
        }
    }

    mutating func read(_ row: TextRow) throws(MarketError) -> (book: String, instrument: Instrument) {
        var bookName = onlyBook ?? ""
        if let book { bookName = try row.requiredText(book, "book") }
        let name = try row.requiredText(instrument, "instrument")
        let exchangeName = exchangeColumn.flatMap { row.isMissing($0) ? nil : row.text($0) }
        let key = exchangeName.map { "\($0) \(name)" } ?? name
        if let seen = known[key] { return (bookName, seen) }
        var stated: (any Exchange.Type)?
        if let exchangeName, let exchangeColumn {
            stated = Exchanges.named(exchangeName)
            if stated == nil { throw row.invalid(exchangeColumn, "exchange", Exchanges.unknown) }
        }
        do throws(InstrumentNameError) {
            let held =
                if let stated { try stated.instrument(named: name) } else {
                    try Instrument(name: name, on: exchange)
                }
            known[key] = held
            return (bookName, held)
        } catch {
            throw row.invalid(instrument, "instrument", "\(error)")
        }
    }

    /// Whether a row says whose contract it is about.
    func namesExchange(_ row: TextRow) -> Bool { exchangeColumn.map { !row.isMissing($0) } ?? false }
}
