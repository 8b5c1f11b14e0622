import Checks

/// A table: a file of comma-separated values with a header (RFC 4180: fields in double quotes may hold commas, line ends
/// and doubled quotes; lines end in LF or CRLF; empty lines are ignored), or the same rows as a reply in JSON.
package struct TextTable {
    static let longestLine = 1 << 20

    let source: Source
    package let header: [String]
    private let columns: ColumnPlaces
    private let rows: Rows
    /// The line of the header; in JSON that of the first row.
    let headerLine: Int
    /// Whether the header's names are those of the file, not places.
    private let hasNames: Bool
    /// An answer without a row, which says nothing of columns: it has all of them.
    private let isEmptyReply: Bool

    private enum Rows {
        /// Lines from a byte on.
        case text(start: Int, line: Int)
        case records(JSONRecords)
    }

    /// Reads the header. A file whose first line `isRow` takes for a row has none: columns are called by their places
    /// then, from `0` on, as they are where JSON has arrays.
    /// - Throws: `unreadable`, `empty`, `notText`, `lineTooLong`, `malformedQuotes`; of JSON `invalidJSON`, `invalidValue`
    ///   for an exchange's refusal, and what is wrong with a list of columns.
    package init(_ source: Source, isRow: (TextRow) -> Bool = { _ in false }) throws(MarketError) {
        try source.requireText()
        let space: Set<UInt8> = [9, 10, 13, 32]
        switch source.bytes.first(where: { !space.contains($0) }) {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let records = try JSONRecords(source)
            header = records.header
            rows = .records(records)
            headerLine = records.lines.first ?? 1
            hasNames = records.hasNames
            isEmptyReply = records.lines.isEmpty
        default:
            (header, rows, headerLine, hasNames) = try Self.readHeader(source, isRow)
            isEmptyReply = false
        }
        self.source = source
        columns = ColumnPlaces(header)
    }

    private static func readHeader(
        _ source: Source, _ isRow: (TextRow) -> Bool
    ) throws(MarketError) -> (names: [String], Rows, line: Int, hasNames: Bool) {
        var scanner = RecordScanner(source)
        guard try scanner.next() else { throw .empty(file: source.name) }
        // Some that collect data put their address above the header.
        if scanner.row.count == 1, scanner.row.text(0).hasPrefix("http") {
            guard try scanner.next() else { throw .empty(file: source.name) }
        }
        let row = scanner.row
        if isRow(row) {
            let places = (0..<row.count).map(String.init)
            return (places, .text(start: scanner.start, line: row.line), row.line, false)
        }
        let names = (0..<row.count).map { row.text($0) }
        return (names, .text(start: scanner.position, line: scanner.nextLine), row.line, true)
    }

    /// The place of a column, or nil where the table lacks it: the column of that name, else the one that has it in other
    /// letters, upper or lower case alike, or with blanks for underscores.
    /// - Throws: `repeatedColumn` where two columns have the name.
    package func index(of column: String) throws(MarketError) -> Int? {
        switch columns.place(of: column) {
        case .none: return nil
        case .one(let place): return place
        case .several: throw .repeatedColumn(file: source.name, line: headerLine, column: column)
        }
    }

    /// Whether there is such a column.
    func has(_ column: String) -> Bool { if case .none = columns.place(of: column) { false } else { true } }

    /// The place of the first column of those names, as different sources call it differently.
    /// - Throws: `repeatedColumn`.
    package func index(ofAny columns: [String]) throws(MarketError) -> Int? {
        for column in columns {
            if let place = try index(of: column) { return place }
        }
        return nil
    }

    /// The place of a column.
    /// - Throws: `missingColumn`, `repeatedColumn`.
    package func required(_ column: String) throws(MarketError) -> Int { try required([column]) }

    /// The place of the first column of those names.
    /// - Throws: `missingColumn` for the first name, `repeatedColumn`.
    package func required(_ columns: [String]) throws(MarketError) -> Int {
        guard let place = try index(ofAny: columns) else {
            if isEmptyReply { return 0 }
            throw missing(columns[0])
        }
        return place
    }

    /// The error about a column that is not there.
    func missing(_ column: String) -> MarketError {
        .missingColumn(file: source.name, line: headerLine, column: column, found: header)
    }

    /// The place of the first column of those names, of which a table may have none. A column whose name is nearly one of
    /// them is refused: it would be ignored, and the table read as if it said nothing.
    /// - Parameter others: names that are no misspellings, being columns in their own right.
    /// - Throws: `missingColumn` for the name that was probably meant, `repeatedColumn`.
    package func optional(_ columns: [String], besides others: [String] = []) throws(MarketError) -> Int? {
        if let place = try index(ofAny: columns) { return place }
        for column in columns {
            let near = header.contains { name in
                Spelling.isMisspelt(name, column) && !others.contains(name.lowercased())
            }
            if near { throw missing(column) }
        }
        return nil
    }

    /// The same of one name.
    package func optional(_ column: String) throws(MarketError) -> Int? { try optional([column]) }

    /// Calls `body` with each row; errors of one row go to `badRows`.
    package func forEachRow(
        _ badRows: inout BadRows, _ body: (TextRow) throws(MarketError) -> Void
    ) throws(MarketError) {
        switch rows {
        case .text(let start, let line): try forEachLine(from: start, line: line, &badRows, body)
        case .records(let records): try forEachRecord(records, &badRows, body)
        }
    }

    private func forEachLine(
        from start: Int, line: Int, _ badRows: inout BadRows, _ body: (TextRow) throws(MarketError) -> Void
    ) throws(MarketError) {
        var scanner = RecordScanner(
            source, from: start, line: line, isPlain: source.bytes.isPlain, names: hasNames ? header : [])
        while true {
            do throws(MarketError) {
                guard try scanner.next() else { return }
                guard scanner.row.count == header.count else {
                    throw ragged(scanner.row)
                }
                // The scanner's own: a copy would count references, for each row.
                try body(scanner.row)
            } catch {
                try badRows.note(error)
            }
        }
    }

    private func ragged(_ row: TextRow) -> MarketError {
        .ragged(
            file: source.name, line: row.line, expected: header.count, got: row.count,
            column: header[min(row.count, header.count - 1)],
            value: row.text(min(row.count - 1, header.count)))
    }

    private func forEachRecord(
        _ records: JSONRecords, _ badRows: inout BadRows, _ body: (TextRow) throws(MarketError) -> Void
    ) throws(MarketError) {
        let fields = FieldStorage(
            file: source.name, bytes: records.bytes, bounds: records.fields, names: hasNames ? header : [],
            linesEnd: source.bytes.count)
        for (number, line) in records.lines.enumerated() {
            do throws(MarketError) {
                if let error = records.ragged[number] { throw error }
                try body(
                    TextRow(fields, line: line, first: number * header.count, count: header.count))
            } catch {
                try badRows.note(error)
            }
        }
    }
}
