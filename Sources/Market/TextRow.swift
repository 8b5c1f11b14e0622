import Checks

/// What the rows of a table share: a row that held it all would count three references each time.
final class FieldStorage {
    let file: String
    let bytes: [UInt8]
    /// Changed by a scanner between two rows, while nobody reads.
    @exclusivity(unchecked) var bounds: [FieldBounds]
    /// The columns as the file calls them; empty where it has no names.
    let names: [String]
    /// Of JSON, whose fields stand on lines of their own: where the file's bytes end.
    let linesEnd: Int

    init(file: String, bytes: [UInt8], bounds: [FieldBounds], names: [String], linesEnd: Int = 0) {
        self.file = file
        self.bytes = bytes
        unsafe self.bounds = bounds
        self.names = names
        self.linesEnd = linesEnd
    }
}

/// One row's fields, valid until the next row is read.
package struct TextRow {
    private let fields: FieldStorage
    private let bytes: [UInt8]
    package internal(set) var line: Int
    /// The place in `fields` of the row's first field.
    private let first: Int
    package internal(set) var count: Int

    init(_ fields: FieldStorage, line: Int, first: Int, count: Int) {
        self.fields = fields
        bytes = fields.bytes
        self.line = line
        self.first = first
        self.count = count
    }

    var file: String { fields.file }

    private func range(_ column: Int) -> Range<Int> { unsafe fields.bounds[first + column].range }

    /// A field's bytes.
    @_lifetime(borrow self)
    func bytes(_ column: Int) -> Span<UInt8> { bytes.span.extracting(range(column)) }

    /// A field as text.
    package func text(_ column: Int) -> String {
        let text = String(decoding: bytes[range(column)], as: UTF8.self)
        return unsafe fields.bounds[first + column].hasDoubledQuotes ? text.unquoted : text
    }

    /// Whether a field stands for a value that is not there.
    package func isMissing(_ column: Int) -> Bool { Market.isMissing(bytes(column)) }

    /// A field as text that must be there, such as a name.
    /// - Throws: `invalidValue`.
    package func requiredText(_ column: Int, _ name: String) throws(MarketError) -> String {
        guard !isMissing(column) else { throw invalid(column, name, "is missing") }
        return text(column)
    }

    /// A field as a number.
    /// - Throws: `invalidValue`.
    package func number(_ column: Int, _ name: String, _ rule: NumberRule) throws(MarketError) -> Double {
        guard let value = try optionalNumber(column, name, rule) else {
            throw invalid(column, name, "is missing")
        }
        return value
    }

    /// A field as a number, or nil where it is missing.
    /// - Throws: `invalidValue`.
    package func optionalNumber(
        _ column: Int, _ name: String, _ rule: NumberRule
    ) throws(MarketError) -> Double? {
        guard let value = parseNumber(bytes.span, range(column)) else {
            if isMissing(column) { return nil }
            throw invalid(column, name, "is not a number")
        }
        guard rule.accepts(value) else { throw invalid(column, name, rule.complaint) }
        return value
    }

    /// A field as a time.
    /// - Throws: `invalidValue`.
    package func time(_ column: Int, _ name: String) throws(MarketError) -> Timestamp {
        guard let time = try optionalTime(column, name) else { throw invalid(column, name, "is missing") }
        return time
    }

    /// A field as a time, or nil where it is missing.
    /// - Throws: `invalidValue`.
    package func optionalTime(_ column: Int, _ name: String) throws(MarketError) -> Timestamp? {
        if let time = Timestamp(bytes: bytes(column)) { return time }
        if isMissing(column) { return nil }
        throw invalid(column, name, Timestamp.expectation)
    }

    /// An error about a field, with the column's name in the file; `name` where the file has none.
    package func invalid(_ column: Int, _ name: String, _ reason: String) -> MarketError {
        .invalidValue(
            file: file, line: line(of: column), column: self.name(of: column) ?? name, value: text(column),
            reason: reason)
    }

    /// A column as the file calls it; nil where it has no names.
    package func name(of column: Int) -> String? {
        fields.names.indices.contains(column) ? fields.names[column] : nil
    }

    /// The line on which a field stands.
    private func line(of column: Int) -> Int {
        let range = range(column)
        guard range.upperBound <= fields.linesEnd, !range.isEmpty else { return line }
        return 1 + bytes[..<range.lowerBound].count { $0 == UInt8(ascii: "\n") }
    }
}

/// Where a field's bytes stand, without the quotes around it and without spaces at its ends; none where there is no field.
struct FieldBounds {
    private(set) var range = 0..<0
    private(set) var hasDoubledQuotes = false

    init() {}

    /// A field with spaces or without.
    @inline(__always)
    init(_ range: Range<Int>, of bytes: [UInt8], hasDoubledQuotes: Bool = false) {
        self.range = trimmed(bytes.span, range)
        self.hasDoubledQuotes = hasDoubledQuotes
    }
}

extension String {
    /// Doubled quotes as single ones.
    fileprivate var unquoted: String {
        var result = ""
        var afterQuote = false
        for character in unicodeScalars {
            if character == "\"", afterQuote {
                afterQuote = false
                continue
            }
            afterQuote = character == "\""
            result.unicodeScalars.append(character)
        }
        return result
    }
}
