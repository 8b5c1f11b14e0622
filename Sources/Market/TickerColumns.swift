import Checks

/// The columns of a layout's fields in a table: found once, not row by row.
struct TickerColumns: Sendable {
    let layout: TickerLayout
    let exchange: (any Exchange.Type)?
    let header: [String]
    /// Of field f: `columns[starts[f]..<starts[f + 1]]`, in the order of its names.
    private let columns: [Int]
    private let starts: [Int]

    let headerLine: Int

    /// - Throws: `missingColumn` for one without which a table holds no tickers; `repeatedColumn`.
    init(_ table: TextTable) throws(MarketError) {
        let header = table.header
        let layout = try (TickerLayout.best(table.has) ?? .general).of(table)
        self.layout = layout
        exchange = table.source.exchange
        headerLine = table.headerLine
        self.header = header
        var columns: [Int] = []
        var starts = [0]
        for names in layout.names {
            for name in names { if let column = try table.index(of: name) { columns.append(column) } }
            starts.append(columns.count)
        }
        self.columns = columns
        self.starts = starts
        for field in [TickerField.instrument, .timestamp, .underlyingPrice, .markVolatility, .markPrice]
        where self[field].isEmpty && !layout.names[field.rawValue].isEmpty {
            let name = layout.name(field)
            let isNearlyThere = MarketError.near(name, in: header) != nil
            switch field {
            // A mark has a volatility, and a volatility a mark.
            case .markVolatility where !isNearlyThere && !self[.markPrice].isEmpty: continue
            case .markPrice where !isNearlyThere && !self[.markVolatility].isEmpty: continue
            // Only options need it: the first that there is will miss the column.
            case .underlyingPrice where !isNearlyThere: continue
            default: throw table.missing(name)
            }
        }
    }

    subscript(field: TickerField) -> ArraySlice<Int> {
        columns[starts[field.rawValue]..<starts[field.rawValue + 1]]
    }

    /// The first column of a field that has a value in a row.
    @inline(__always)
    func column(_ field: TickerField, of row: TextRow) -> Int? {
        for place in starts[field.rawValue]..<starts[field.rawValue + 1]
        where !row.isMissing(columns[place]) {
            return columns[place]
        }
        return nil
    }

    func name(_ field: TickerField, of row: TextRow) -> String {
        column(field, of: row).map { header[$0] } ?? layout.name(field)
    }
}

/// A row of a table.
struct RowFields: TickerFields {
    let row: TextRow
    let columns: TickerColumns

    var file: String { row.file }
    var line: Int { row.line }
    var layout: TickerLayout { columns.layout }
    var exchange: (any Exchange.Type)? { columns.exchange }

    func name(_ field: TickerField) -> String { columns.name(field, of: row) }

    func missing(_ field: TickerField) -> MarketError {
        guard columns[field].isEmpty else { return invalid(field, "", "is missing") }
        return .missingColumn(
            file: file, line: columns.headerLine, column: layout.name(field), found: columns.header)
    }

    func text(_ field: TickerField) -> String? { columns.column(field, of: row).map { row.text($0) } }

    func number(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let column = columns.column(field, of: row) else { return nil }
        return try row.optionalNumber(column, columns.header[column], rule)
    }

    func time(_ field: TickerField) throws(MarketError) -> Timestamp? {
        guard let column = columns.column(field, of: row) else { return nil }
        return try row.optionalTime(column, columns.header[column])
    }

    /// `[[0.221, 3.0], [0.23, 1.5]]`.
    func levels(_ field: TickerField) throws(MarketError) -> [OrderLevel]? {
        try text(field).map { text throws(MarketError) in try levels(field, of: text) }
    }
}
