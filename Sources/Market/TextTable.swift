import Checks

/// A table: a file of comma-separated values with a header (RFC 4180: fields in double quotes may hold commas, line ends
/// and doubled quotes; lines end in LF or CRLF; empty lines are ignored), or the same rows as a reply in JSON.
package struct TextTable {
    static let longestLine = 1 << 20

    let source: Source
    package let header: [String]
    private let places: [String: Int]
    private let repeated: Set<String>
    private let rows: Rows

    private enum Rows {
        /// Lines from a byte on.
        case text(start: Int, line: Int)
        case records(JSONRecords)
    }

    /// Reads the header. A file whose first line `isRow` takes for a row has none: columns are called by their places
    /// then, from `0` on, as they are where JSON has arrays.
    /// - Throws: `empty`, `notText`, `lineTooLong`, `malformedQuotes`, `invalidJSON`.
    package init(_ source: Source, isRow: (TextRow) -> Bool = { _ in false }) throws(MarketError) {
        try source.requireText()
        let space: Set<UInt8> = [9, 10, 13, 32]
        switch source.bytes.first(where: { !space.contains($0) }) {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let records = try JSONRecords(source)
            header = records.header
            rows = .records(records)
        default: (header, rows) = try Self.readHeader(source, isRow)
        }
        self.source = source
        var places: [String: Int] = [:]
        var repeated: Set<String> = []
        places.reserveCapacity(header.count)
        for (place, name) in header.enumerated() {
            if places[name] == nil { places[name] = place } else { repeated.insert(name) }
        }
        self.places = places
        self.repeated = repeated
    }

    private static func readHeader(
        _ source: Source, _ isRow: (TextRow) -> Bool
    ) throws(MarketError) -> ([String], Rows) {
        var scanner = RecordScanner(source)
        guard try scanner.next() else { throw .empty(file: source.name) }
        // Some that collect data put their address above the header.
        if scanner.row.count == 1, scanner.row.text(0).hasPrefix("http") {
            guard try scanner.next() else { throw .empty(file: source.name) }
        }
        let row = scanner.row
        if isRow(row) {
            return ((0..<row.count).map(String.init), .text(start: scanner.start, line: row.line))
        }
        let names = (0..<row.count).map { row.text($0) }
        return (names, .text(start: scanner.position, line: scanner.nextLine))
    }

    /// The place of a column, or nil where the table lacks it.
    /// - Throws: `repeatedColumn` where two columns have the name.
    package func index(of column: String) throws(MarketError) -> Int? {
        guard !repeated.contains(column) else { throw .repeatedColumn(file: source.name, column: column) }
        return places[column]
    }

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
            throw .missingColumn(file: source.name, column: columns[0], found: header)
        }
        return place
    }

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
            source, from: start, line: line, isPlain: source.bytes.isPlain)
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
        let fields = FieldStorage(file: source.name, bytes: records.bytes, bounds: records.fields)
        for (number, line) in records.lines.enumerated() {
            do throws(MarketError) {
                try body(
                    TextRow(fields, line: line, first: number * header.count, count: header.count))
            } catch {
                try badRows.note(error)
            }
        }
    }
}

/// What the rows of a table share: a row that held it all would count three references each time.
private final class FieldStorage {
    let file: String
    let bytes: [UInt8]
    /// Changed by a scanner between two rows, while nobody reads.
    @exclusivity(unchecked) var bounds: [FieldBounds]

    init(file: String, bytes: [UInt8], bounds: [FieldBounds]) {
        self.file = file
        self.bytes = bytes
        unsafe self.bounds = bounds
    }
}

/// One row's fields, valid until the next row is read.
package struct TextRow {
    private let fields: FieldStorage
    private let bytes: [UInt8]
    package fileprivate(set) var line: Int
    /// The place in `fields` of the row's first field.
    private let first: Int
    package fileprivate(set) var count: Int

    fileprivate init(_ fields: FieldStorage, line: Int, first: Int, count: Int) {
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

    /// An error about a field.
    package func invalid(_ column: Int, _ name: String, _ reason: String) -> MarketError {
        .invalidValue(file: file, line: line, column: name, value: text(column), reason: reason)
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

/// Splits bytes into records. What it allocates serves all of them.
private struct RecordScanner {
    private let bytes: [UInt8]
    private let file: String
    private(set) var position: Int
    /// The first byte of the record that `next` found.
    private(set) var start: Int
    /// The line on which the next record starts.
    private(set) var nextLine: Int
    private let fields: FieldStorage
    /// Whether all bytes are known to be ASCII, none of them 0: then no record is looked at.
    private let isPlain: Bool
    /// The record that `next` found.
    private(set) var row: TextRow
    /// Whether its last field has not even spaces.
    private var isEmpty = true

    /// From a byte that starts a record.
    init(_ source: Source, from start: Int = 0, line: Int = 1, isPlain: Bool = false) {
        bytes = source.bytes
        file = source.name
        self.isPlain = isPlain
        position = start
        self.start = start
        nextLine = line
        fields = FieldStorage(
            file: file, bytes: bytes, bounds: Array(repeating: FieldBounds(), count: 64))
        row = TextRow(fields, line: line, first: 0, count: 0)
    }

    /// Moves to the next record that is not an empty line; false at the end.
    mutating func next() throws(MarketError) -> Bool {
        repeat {
            guard position < bytes.count else { return false }
            row.line = nextLine
            try scan()
        } while row.count == 1 && isEmpty
        return true
    }

    private mutating func scan() throws(MarketError) {
        start = position
        let limit = min(bytes.count, start + TextTable.longestLine)
        var index = start
        row.count = 0
        while true {
            if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                let end = try closingQuote(of: index, recordStart: start)
                index = end + 1
                if index < bytes.count, bytes[index] == UInt8(ascii: "\r") { index += 1 }
            } else {
                let fieldStart = index
                index = fieldEnd(from: index, limit: limit)
                let atLineEnd = index == bytes.count || bytes[index] == UInt8(ascii: "\n")
                let isCRLF = atLineEnd && index > fieldStart && bytes[index - 1] == UInt8(ascii: "\r")
                append(fieldStart..<(isCRLF ? index - 1 : index), hasDoubledQuotes: false)
            }
            guard index < bytes.count else { break }
            if bytes[index] == UInt8(ascii: "\n") { break }
            guard index < limit else { throw lineTooLong(from: start) }
            guard bytes[index] == UInt8(ascii: ",") else {
                throw .malformedQuotes(file: file, line: row.line)
            }
            index += 1
        }
        position = index + 1
        nextLine += 1
        if !isPlain { try requireText(start..<index) }
    }

    /// The place of the next comma or line end, or `limit`; eight bytes at a time.
    @inline(__always)
    private func fieldEnd(from start: Int, limit: Int) -> Int {
        var index = start
        let bytes = bytes.span
        while index + 8 <= limit {
            let word = bytes.word(at: index)
            // The lowest marked byte of each is right, which is all that is asked.
            let ends =
                zeroBytes(word ^ eightTimes(UInt8(ascii: ",")))
                | zeroBytes(word ^ eightTimes(UInt8(ascii: "\n")))
            if ends != 0 { return index + ends.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < limit, case let byte = bytes.byte(at: index), byte != UInt8(ascii: ","),
            byte != UInt8(ascii: "\n")
        {
            index += 1
        }
        return index
    }

    /// Appends the quoted field that opens at `quote` and returns where it closes.
    private mutating func closingQuote(of quote: Int, recordStart: Int) throws(MarketError) -> Int {
        var index = quote + 1
        var hasDoubledQuotes = false
        while true {
            guard index < bytes.count else { throw .malformedQuotes(file: file, line: row.line) }
            guard index - recordStart <= TextTable.longestLine else {
                throw lineTooLong(from: recordStart)
            }
            if bytes[index] == UInt8(ascii: "\n") { nextLine += 1 }
            if bytes[index] == UInt8(ascii: "\"") {
                guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") else { break }
                hasDoubledQuotes = true
                index += 1
            }
            index += 1
        }
        if !isPlain { try requireText(quote..<index) }
        append(quote + 1..<index, hasDoubledQuotes: hasDoubledQuotes)
        return index
    }

    @inline(__always)
    private mutating func append(_ range: Range<Int>, hasDoubledQuotes: Bool) {
        if unsafe row.count == fields.bounds.count { grow() }
        unsafe fields.bounds[row.count] = FieldBounds(range, of: bytes, hasDoubledQuotes: hasDoubledQuotes)
        row.count += 1
        isEmpty = range.isEmpty
    }

    @inline(never)
    private func grow() {
        unsafe fields.bounds += Array(repeating: FieldBounds(), count: row.count)
    }

    /// The error; reading can go on behind the line.
    private mutating func lineTooLong(from start: Int) -> MarketError {
        position = (bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count) + 1
        nextLine = row.line + 1
        let first = String(decoding: bytes[start..<min(start + 80, bytes.count)], as: UTF8.self)
        return .lineTooLong(file: file, line: row.line, limit: TextTable.longestLine, start: first)
    }

    private func requireText(_ range: Range<Int>) throws(MarketError) {
        let text = bytes[range]
        if text.contains(0) || String(validating: text, as: UTF8.self) == nil {
            throw .notText(file: file, line: row.line)
        }
    }
}

/// The byte in each of the eight places of a word.
private func eightTimes(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

/// Marks zero bytes of a word with their top bit; bytes above the first zero may be marked wrongly.
private func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- eightTimes(0x01)) & ~word & eightTimes(0x80)
}

extension [UInt8] {
    /// Whether all bytes are ASCII, none of them 0; false also for a 1 behind another 0 or 1.
    fileprivate var isPlain: Bool {
        let bytes = span
        var marks: UInt64 = 0
        var index = 0
        while index + 8 <= count {
            let word = bytes.word(at: index)
            // 1 to 127 less 1 is 0 to 126; 0 and all above have the top bit.
            marks |= (word &- eightTimes(0x01)) | word
            index += 8
        }
        while index < count {
            marks |= UInt64((bytes.byte(at: index) &- 1) | bytes.byte(at: index))
            index += 1
        }
        return marks & eightTimes(0x80) == 0
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
