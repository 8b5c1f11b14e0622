/// Replies in JSON as rows of a table, so that whoever reads a table reads the same reply too: objects by the names of
/// their members (nested ones by `greeks.delta`), arrays of values by their places, and objects of columns.
struct JSONRecords {
    private(set) var header: [String] = []
    /// By row and column.
    private(set) var fields: [FieldBounds] = []
    /// By row.
    private(set) var lines: [Int] = []
    /// The bytes in which fields have their bounds: the source, and behind it texts that were written with escapes.
    private(set) var bytes: [UInt8]

    private let source: Source
    private var places: [String: Int] = [:]
    /// Rows that have not as many values as there are columns.
    private(set) var ragged: [Int: MarketError] = [:]
    /// Cells of a row by place, gathered before the header is known.
    private var rows: [[(place: Int, field: FieldBounds)]] = []

    /// Whether some list has no rows, which is an answer, too.
    private var hasEmptyList = false

    /// - Throws: `empty` without a row or an empty list, `invalidJSON`; `invalidValue` for an exchange's refusal or a column
    ///   whose name is no text.
    init(_ source: Source) throws(MarketError) {
        self.source = source
        bytes = source.bytes
        var reader = JSONReader(source)
        for value in try reader.values() { try add(value) }
        guard !lines.isEmpty || hasEmptyList else { throw .empty(file: source.name) }
        fields = Array(repeating: FieldBounds(), count: rows.count * header.count)
        for (row, cells) in rows.enumerated() {
            for cell in cells { fields[row * header.count + cell.place] = cell.field }
        }
        rows = []
    }

    /// Whether columns have names, rather than places from 0 on.
    var hasNames: Bool { header.enumerated().contains { String($0.offset) != $0.element } }

    private mutating func add(_ value: JSON) throws(MarketError) {
        switch value.content {
        case .array(let elements):
            if elements.isEmpty { hasEmptyList = true }
            for element in elements {
                if let values = element.array {
                    addRow(Array(zip(values.indices.map(String.init), values)), line: element.line)
                } else {
                    try add(element)
                }
            }
        case .object(let members): try add(members, of: value)
        default:
            throw .invalidJSON(
                file: source.name, line: value.line, reason: "expected objects or arrays, not a single value")
        }
    }

    private mutating func add(_ members: [String: JSON], of object: JSON) throws(MarketError) {
        let reply = Reply(value: object)
        try reply.requireAnswer(in: source)
        let arrays = members.filter { $0.value.array?.isEmpty == false }
        if let columns = members["columns"]?.array, let data = members["data"]?.array {
            try add(data, columns)
        } else if arrays.count > 1, let count = Self.commonCount(arrays.values) {
            let columns = arrays.sorted { $0.value.start < $1.value.start }
            for row in 0..<count {
                let cells = columns.compactMap { name, cells in cells.array.map { (name, $0[row]) } }
                addRow(cells, line: cells.first?.1.line ?? object.line)
            }
        } else if let inner = reply.content {
            try add(inner)
        } else if let inner = reply.original(besides: ColumnNames.instrument) {
            try add(inner)
        } else if arrays.count == 1, let (_, inner) = arrays.first,
            inner.array?.allSatisfy({ $0.array != nil }) == true
        {
            try add(inner)
        } else if !members.isEmpty, members.allSatisfy({ $0.value.array?.isEmpty == true }) {
            hasEmptyList = true
        } else if !members.isEmpty {
            addRow(Self.flattened(members), line: object.line)
        }
    }

    /// Names of columns and rows of as many values (pandas' `orient="split"`); as in a table of text, columns that nobody
    /// reads may have one name.
    private mutating func add(_ rows: [JSON], _ columns: [JSON]) throws(MarketError) {
        var names: [String] = []
        var seen: Set<String> = []
        var columnPlaces: [Int] = []
        for column in columns {
            guard let name = column.string else {
                throw .invalidValue(
                    file: source.name, line: column.line, column: "columns", value: source.text(of: column),
                    reason: "is no name of a column: expected a text")
            }
            columnPlaces.append(place(of: name, isNew: !seen.insert(name).inserted))
            names.append(name)
        }
        if rows.isEmpty { hasEmptyList = true }
        for row in rows {
            guard let cells = row.array else {
                try add(row)
                continue
            }
            lines.append(row.line)
            guard cells.count == names.count else {
                ragged[self.rows.count] = raggedRow(row, cells, names)
                self.rows.append([])
                continue
            }
            self.rows.append(zip(columnPlaces, cells).map { ($0, bounds(of: $1)) })
        }
    }

    private func raggedRow(_ row: JSON, _ cells: [JSON], _ names: [String]) -> MarketError {
        let value = cells.isEmpty ? row : cells[min(cells.count - 1, names.count)]
        return .ragged(
            file: source.name, line: row.line, expected: names.count, got: cells.count,
            column: names.isEmpty ? "" : names[min(cells.count, names.count - 1)],
            value: source.text(of: value))
    }

    /// The place of a column, the first of its name unless it is one more of that name.
    private mutating func place(of name: String, isNew: Bool = false) -> Int {
        if !isNew, let place = places[name] { return place }
        if places[name] == nil { places[name] = header.count }
        header.append(name)
        return header.count - 1
    }

    /// The count of arrays that are columns: of single values, and as long as each other.
    private static func commonCount(_ arrays: Dictionary<String, JSON>.Values) -> Int? {
        let counts = Set(arrays.map { $0.array?.count ?? 0 })
        let areColumns = arrays.allSatisfy { $0.array?.allSatisfy { !$0.isContainer } == true }
        return counts.count == 1 && areColumns ? counts.first : nil
    }

    /// Members in the order in which they stand, those of nested objects by their path.
    private static func flattened(_ members: [String: JSON], path: String = "") -> [(String, JSON)] {
        members.sorted { $0.value.start < $1.value.start }.flatMap { name, value in
            if case .object(let inner) = value.content { return flattened(inner, path: path + name + ".") }
            return [(path + name, value)]
        }
    }

    private mutating func addRow(_ cells: [(String, JSON)], line: Int) {
        lines.append(line)
        rows.append(cells.map { name, value in (place(of: name), bounds(of: value)) })
    }

    private mutating func bounds(of value: JSON) -> FieldBounds {
        switch value.content {
        case .null: return FieldBounds()
        case .string(let text):
            if !bytes[value.start..<value.end].contains(UInt8(ascii: "\\")) {
                return FieldBounds(value.start + 1..<value.end - 1, of: bytes)
            }
            let start = bytes.count
            bytes += text.utf8
            return FieldBounds(start..<bytes.count, of: bytes)
        default: return FieldBounds(value.start..<value.end, of: bytes)
        }
    }
}
