/// What is wrong with a file. Lines count from 1, the header included.
public enum MarketError: Error, Equatable, Sendable {
    case unreadable(file: String, reason: String)
    case empty(file: String)
    /// Binary data: a zero byte or invalid UTF-8.
    case notText(file: String, line: Int)
    /// With the line's first bytes.
    case lineTooLong(file: String, line: Int, limit: Int, start: String)
    /// A quoted field that never closes, or goes on behind its closing quote.
    case malformedQuotes(file: String, line: Int)
    case missingColumn(file: String, column: String, found: [String])
    case repeatedColumn(file: String, column: String)
    /// Too few fields: `column` is the first without one, `value` the last that is there. Too many: the last
    /// column and the first value behind it.
    case ragged(file: String, line: Int, expected: Int, got: Int, column: String, value: String)
    case invalidValue(file: String, line: Int, column: String, value: String, reason: String)
    /// Two rows that claim to be the same thing and differ.
    case conflict(
        file: String, line: Int, column: String, value: String, earlierFile: String, earlierLine: Int,
        earlier: String)
    case invalidJSON(file: String, line: Int, reason: String)

    /// Whether it concerns one row, so that the others can be used without it.
    public var isOfOneRow: Bool {
        switch self {
        case .lineTooLong, .ragged, .invalidValue, .conflict: true
        default: false
        }
    }
}

extension MarketError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            return "\(file): cannot read: \(reason)"
        case .empty(let file):
            return "\(file): is empty"
        case .notText(let file, let line):
            return "\(file):\(line): is not text (binary data)"
        case .lineTooLong(let file, let line, let limit, let start):
            return "\(file):\(line): line is longer than \(limit) bytes; it starts \"\(start.clipped)\""
        case .malformedQuotes(let file, let line):
            return "\(file):\(line): a quoted field does not end at a comma or line end"
        case .missingColumn(let file, let column, let found):
            let guess = Self.near(column, in: found).map { "; is it \"\($0.clipped)\"?" } ?? ""
            let list = found.prefix(40).map(\.clipped).joined(separator: ", ")
            return "\(file):1: column \"\(column)\" is missing\(guess) (found: \(list))"
        case .repeatedColumn(let file, let column):
            return "\(file):1: column \"\(column.clipped)\" stands twice"
        case .ragged(let file, let line, let expected, let got, let column, let value):
            let place =
                got < expected
                ? "nothing for column \"\(column)\" after \"\(value.clipped)\""
                : "\"\(value.clipped)\" after the last column, \"\(column)\""
            return """
                \(file):\(line): \(got) \(got == 1 ? "field" : "fields") where the header has \(expected): \
                \(place)
                """
        case .invalidValue(let file, let line, let column, let value, let reason):
            return "\(file):\(line): column \"\(column)\": value \"\(value.clipped)\": \(reason)"
        case .conflict(let file, let line, let column, let value, let other, let earlierLine, let earlier):
            let place = other == file ? "line \(earlierLine)" : "\(other):\(earlierLine)"
            return """
                \(file):\(line): column "\(column)": value "\(value.clipped)": \(place) of the same instrument and \
                time has "\(earlier.clipped)"
                """
        case .invalidJSON(let file, let line, let reason):
            return "\(file):\(line): no valid JSON: \(reason)"
        }
    }

    /// The column that was probably meant: similar, and unlikely to be another in its own right.
    static func near(_ column: String, in found: [String]) -> String? {
        found.first { $0.first == column.first && distance($0, column) <= 2 }
    }

    /// Levenshtein distance, to name the column that was probably meant.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().utf8.prefix(64))
        let b = Array(b.lowercased().utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}

extension String {
    /// At most 60 characters, control characters made visible: fit for an error message.
    var clipped: String {
        let shown = unicodeScalars.prefix(60).map {
            $0.value < 32 || $0.value == 127 ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }
        return shown.joined() + (unicodeScalars.dropFirst(60).isEmpty ? "" : "…")
    }
}

/// What a reader does with a row that it cannot use, and the list of those it left out.
public struct BadRows: Sendable {
    /// Whether rows are left out rather than the whole file refused.
    public let areSkipped: Bool
    public private(set) var skipped: [MarketError] = []

    public init(skip: Bool) { areSkipped = skip }

    /// Notes an error of one row, or throws it where rows are not to be skipped or the whole file is bad.
    public mutating func note(_ error: MarketError) throws(MarketError) {
        guard areSkipped, error.isOfOneRow else { throw error }
        skipped.append(error)
    }
}
