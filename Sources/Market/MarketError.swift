import Checks

/// An error of a file or of columns in memory.
public enum MarketError: PoiseError, Equatable {
    case unreadable(file: String, reason: String)
    case empty(file: String, reason: String = "is empty")
    /// Binary data: a zero byte or invalid UTF-8.
    case notText(file: String, line: Int)
    /// With the line's first bytes.
    case lineTooLong(file: String, line: Int, limit: Int, start: String)
    /// A quoted field that never closes, or goes on behind its closing quote.
    case malformedQuotes(file: String, line: Int)
    /// With the line of the header.
    case missingColumn(file: String, line: Int = 1, column: String, found: [String])
    case repeatedColumn(file: String, line: Int = 1, column: String)
    /// Too few fields: `column` is the first without one, `value` the last that is there. Too many: the last
    /// column and the first value behind it.
    case ragged(file: String, line: Int, expected: Int, got: Int, column: String, value: String)
    case invalidValue(Place, column: String, value: String, reason: String)
    /// Unknown name of a book, contract, underlying or expiry.
    case unknownName(Place, column: String, value: String, reason: String)
    /// Two rows that claim to be the same thing and differ.
    case conflict(Place, column: String, value: String, earlier: String, at: Place)
    case invalidJSON(file: String, line: Int, reason: String)
    case invalidTOML(file: String, line: Int, reason: String)
    /// A key of a TOML or JSON file, dotted: `venue[0].taker_fee`; with its value as it is written.
    case invalidSetting(Place, key: String, value: String, reason: String)

    /// Whether it concerns one row, so that the others can be used without it.
    public var isOfOneRow: Bool {
        switch self {
        case .lineTooLong, .ragged, .invalidValue, .unknownName, .conflict: true
        default: false
        }
    }
}

extension MarketError {
    /// An error of a file.
    package static func invalidValue(
        file: String, line: Int, column: String, value: String, reason: String
    ) -> MarketError {
        .invalidValue(.line(file: file, line), column: column, value: value, reason: reason)
    }

    public var place: Place? {
        switch self {
        case .unreadable(let file, _), .empty(let file, _): .file(file)
        case .missingColumn(let file, let line, _, _), .repeatedColumn(let file, let line, _):
            .line(file: file, line)
        case .notText(let file, let line), .malformedQuotes(let file, let line),
            .invalidJSON(let file, let line, _), .invalidTOML(let file, let line, _),
            .lineTooLong(let file, let line, _, _),
            .ragged(let file, let line, _, _, _, _):
            .line(file: file, line)
        case .invalidValue(let place, _, _, _), .unknownName(let place, _, _, _),
            .invalidSetting(let place, _, _, _),
            .conflict(let place, _, _, _, _):
            place
        }
    }

    public var field: String {
        switch self {
        case .missingColumn(_, _, let column, _), .repeatedColumn(_, _, let column),
            .ragged(_, _, _, _, let column, _), .invalidValue(_, let column, _, _),
            .unknownName(_, let column, _, _), .conflict(_, let column, _, _, _),
            .invalidSetting(_, let column, _, _):
            column
        case .unreadable, .empty, .notText, .malformedQuotes, .invalidJSON, .invalidTOML, .lineTooLong: ""
        }
    }

    public var value: String? {
        switch self {
        case .ragged(_, _, _, _, _, let value), .invalidValue(_, _, let value, _),
            .unknownName(_, _, let value, _), .conflict(_, _, let value, _, _),
            .invalidSetting(_, _, let value, _):
            value.isEmpty ? nil : value
        default: nil
        }
    }

    public var earlierRow: Int? {
        if case .conflict(.row, _, _, _, .row(let row, _)) = self { row } else { nil }
    }

    public var reason: String {
        switch self {
        case .unreadable(_, let reason): return "cannot read: \(reason)"
        case .empty(_, let reason): return reason
        case .notText: return "is not text (binary data)"
        case .lineTooLong(_, _, let limit, let start):
            return "line is longer than \(limit) bytes; it starts \"\(start.clipped)\""
        case .malformedQuotes: return "a quoted field does not end at a comma or line end"
        case .missingColumn(_, _, let column, let found):
            let guess = Self.near(column, in: found).map { "; is it \"\($0.clipped)\"?" } ?? ""
            let list = found.prefix(40).map(\.clipped).joined(separator: ", ")
            return "is missing\(guess) (found: \(list))"
        case .repeatedColumn: return "stands twice"
        case .ragged(_, _, let expected, let got, let column, let value):
            let detail =
                got < expected
                ? "nothing for column \"\(column)\" after \"\(value.clipped)\""
                : "\"\(value.clipped)\" after the last column, \"\(column)\""
            return "\(got) \(got == 1 ? "field" : "fields") where the header has \(expected): \(detail)"
        case .invalidValue(_, _, _, let reason), .unknownName(_, _, _, let reason),
            .invalidSetting(_, _, _, let reason):
            return reason
        case .conflict(_, _, _, let earlier, let other):
            return "\(shown(other)) of the same instrument and time has \"\(earlier.clipped)\""
        case .invalidJSON(_, _, let reason): return "no valid JSON: \(reason)"
        case .invalidTOML(_, _, let reason): return "no valid TOML: \(reason)"
        }
    }

    /// Another place, its file named only where it is another one.
    private func shown(_ other: Place) -> String {
        switch (place, other) {
        case (.line(let file, _), .line(let same, let line)) where file == same: "line \(line)"
        // Hosts number rows in their own way: `earlierRow`.
        case (.row, .row): "an earlier row"
        default: "\(other)"
        }
    }

    public var description: String {
        let prefix = place.map { "\($0): " } ?? ""
        switch self {
        case .missingColumn(_, _, let column, _), .repeatedColumn(_, _, let column):
            return "\(prefix)column \"\(column.clipped)\" \(reason)"
        case .invalidValue(.row, _, _, _), .unknownName(.row, _, _, _), .conflict(.row, _, _, _, _):
            return sentence
        case .invalidValue(_, let column, let value, _), .unknownName(_, let column, let value, _),
            .conflict(_, let column, let value, _, _):
            return "\(prefix)column \"\(column)\": value \"\(value.clipped)\": \(reason)"
        case .invalidSetting(_, let key, let value, _):
            let parts = [key.isEmpty ? "" : "\"\(key.clipped)\": ", value.isEmpty ? "" : "value \(value): "]
            return "\(prefix)\(parts.joined())\(reason)"
        default: return "\(prefix)\(reason)"
        }
    }

    /// The column that was probably meant: similar, and unlikely to be another in its own right.
    static func near(_ column: String, in found: [String]) -> String? {
        Spelling.nearest(to: column, in: found)
    }
}
