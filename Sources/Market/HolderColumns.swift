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
        exchangeColumn = try table.optional("exchange")
        book = name == nil ? try table.optional("book") : try table.index(of: "book")
        onlyBook = book == nil ? name ?? table.source.stem : nil
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
