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

    private let file: String
    private var places: [String: Int] = [:]
    /// Cells of a row by place, gathered before the header is known.
    private var rows: [[(place: Int, field: FieldBounds)]] = []

    /// Members whose value is the reply proper.
    private static let wrappers = ["result", "data", "list", "trades", "positions", "rows"]

    /// - Throws: `empty` without a row, `invalidJSON`, `invalidValue` for an exchange's error.
    init(_ source: Source) throws(MarketError) {
        file = source.name
        bytes = source.bytes
        var reader = JSONReader(source)
        for value in try reader.values() { try add(value) }
        guard !lines.isEmpty else { throw .empty(file: file) }
        fields = Array(repeating: FieldBounds(), count: rows.count * header.count)
        for (row, cells) in rows.enumerated() {
            for cell in cells { fields[row * header.count + cell.place] = cell.field }
        }
        rows = []
    }

    private mutating func add(_ value: JSON) throws(MarketError) {
        switch value.content {
        case .array(let elements):
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
                file: file, line: value.line, reason: "expected objects or arrays, not a single value")
        }
    }

    private mutating func add(_ members: [String: JSON], of object: JSON) throws(MarketError) {
        if let error = members["error"], !error.isMissing, error.array?.isEmpty != true {
            throw .invalidValue(
                file: file, line: error.line, column: "error",
                value: String(decoding: bytes[error.start..<error.end], as: UTF8.self),
                reason: "the exchange refused the request")
        }
        let arrays = members.filter { $0.value.array?.isEmpty == false }
        if let names = members["columns"]?.array?.compactMap(\.string), let data = members["data"]?.array {
            for row in data { addRow(Array(zip(names, row.array ?? [])), line: row.line) }
        } else if arrays.count > 1, let count = Self.commonCount(arrays.values) {
            for row in 0..<count {
                let cells = arrays.sorted { $0.value.start < $1.value.start }.map {
                    ($0.key, $0.value.array?[row])
                }
                addRow(cells.compactMap { name, cell in cell.map { (name, $0) } }, line: object.line)
            }
        } else if let name = Self.wrappers.first(where: { members[$0]?.isContainer == true }),
            let inner = members[name]
        {
            try add(inner)
        } else if arrays.count == 1, let (_, inner) = arrays.first,
            inner.array?.allSatisfy({ $0.array != nil }) == true
        {
            try add(inner)
        } else if !members.isEmpty {
            addRow(Self.flattened(members), line: object.line)
        }
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
        rows.append(
            cells.map { name, value in
                let place = places[name] ?? header.count
                if place == header.count {
                    places[name] = place
                    header.append(name)
                }
                return (place, bounds(of: value))
            })
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

extension JSON {
    fileprivate var isContainer: Bool {
        switch content {
        case .array, .object: true
        default: false
        }
    }
}
