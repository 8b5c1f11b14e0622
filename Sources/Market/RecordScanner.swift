/// Splits bytes into records. What it allocates serves all of them.
struct RecordScanner {
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
    init(
        _ source: Source, from start: Int = 0, line: Int = 1, isPlain: Bool = false, names: [String] = []
    ) {
        bytes = source.bytes
        file = source.name
        self.isPlain = isPlain
        position = start
        self.start = start
        nextLine = line
        fields = FieldStorage(
            file: file, bytes: bytes, bounds: Array(repeating: FieldBounds(), count: 64), names: names)
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
    var isPlain: Bool {
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
