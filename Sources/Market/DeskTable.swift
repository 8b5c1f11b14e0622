/// The desk of each book: columns `book,desk`.
public struct DeskTable: Sendable {
    /// What books without a desk are grouped under; no desk has this name, which reads as a missing field in tables.
    public static let noDesk = "none"

    public let file: String
    public private(set) var deskOfBook: [String: String] = [:]

    /// Reads a table; extra columns are ignored.
    /// - Throws: `MarketError`; errors of one row, also a book that has a desk already, unless `badRows` skips
    ///   them.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try TextTable(source)
        file = source.name
        let book = try table.required("book")
        let desk = try table.required("desk")
        var lines: [String: Int] = [:]
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let (bookName, deskName) = (
                try row.requiredText(book, "book"), try row.requiredText(desk, "desk")
            )
            if let earlier = lines[bookName] {
                throw row.invalid(book, "book", "line \(earlier) gives it a desk already")
            }
            lines[bookName] = row.line
            deskOfBook[bookName] = deskName
        }
    }

    /// - Throws: `invalidValue` at the first position of a book without a desk.
    public func requireDesks(of table: PositionTable) throws(MarketError) {
        try requireDesks(of: table.positions.map { ($0.book, $0.line) }, in: table.file)
    }

    /// The same of trades.
    public func requireDesks(of table: TradeTable) throws(MarketError) {
        try requireDesks(of: table.trades.map { ($0.book, $0.line) }, in: table.file)
    }

    private func requireDesks(of rows: [(book: String, line: Int)], in table: String) throws(MarketError) {
        for row in rows where deskOfBook[row.book] == nil {
            throw .invalidValue(
                file: table, line: row.line, column: "book", value: row.book,
                reason: "\(file) gives it no desk")
        }
    }
}
