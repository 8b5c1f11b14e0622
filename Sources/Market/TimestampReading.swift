/// The one reader of times, for tables, JSON and columns alike.
extension Timestamp {
    /// The accepted forms of a time, for error messages.
    package static let expectation = """
        expected a time: seconds, milli-, micro- or nanoseconds since 1970 (10, 13, 16 or 19 digits), or such as \
        2024-03-22T10:07:08.463Z
        """

    /// A whole count since 1970, whose digits tell its unit: 10 are seconds, 13 milliseconds, 16 microseconds, 19
    /// nanoseconds. From September 2001 to November 2286 (2262 as nanoseconds) these don't overlap; nil for others.
    public init?(count: Int64) {
        switch count {
        case 1_000_000_000..<10_000_000_000: milliseconds = count * 1000
        case 1_000_000_000_000..<10_000_000_000_000: milliseconds = count
        case 1_000_000_000_000_000..<10_000_000_000_000_000: milliseconds = count / 1000
        case 1_000_000_000_000_000_000...: milliseconds = count / 1_000_000
        default: return nil
        }
    }

    /// The same for a count that may have a fraction, as where columns became floating-point numbers. Doubles hold
    /// microseconds, to which it is rounded before what is below a millisecond is cut off.
    public init?(count: Double) {
        let microseconds: Double
        switch count {
        case 1e9..<1e10: microseconds = count * 1e6
        case 1e12..<1e13: microseconds = count * 1e3
        case 1e15..<1e16: microseconds = count
        case 1e18..<1e19: microseconds = count / 1e3
        default: return nil
        }
        milliseconds = Int64(microseconds.rounded()) / 1000
    }

    /// A time as tables and replies have it: a count since 1970, or a date of ISO 8601, alone or with the time behind T
    /// or a blank (seconds and their fraction may be left out), in UTC unless an offset such as +01:00 follows. What is
    /// below a millisecond is cut off.
    public init?(text: String) {
        let bytes = text.utf8.span
        self.init(bytes: bytes.extracting(trimmed(bytes)))
    }

    init?(bytes: Span<UInt8>) {
        if let count = Self.wholeNumber(bytes) {
            self.init(count: count)
        } else if let count = parseNumber(bytes) {
            self.init(count: count)
        } else {
            var reader = CalendarReader(bytes)
            guard let milliseconds = reader.milliseconds() else { return nil }
            self.init(milliseconds: milliseconds)
        }
    }

    /// The number that nothing but digits spell, if 64 bits hold it.
    private static func wholeNumber(_ bytes: Span<UInt8>) -> Int64? {
        guard !bytes.isEmpty else { return nil }
        var number: Int64 = 0
        for index in bytes.indices {
            guard case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 else { return nil }
            let (tenfold, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (next, isOver) = tenfold.addingReportingOverflow(Int64(digit))
            guard !isTooLarge, !isOver else { return nil }
            number = next
        }
        return number
    }
}

/// Takes a date and time of ISO 8601 apart.
private struct CalendarReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var index = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// Since 1970; nil for what is no such text.
    mutating func milliseconds() -> Int64? {
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let ofMonth = number(2),
            let day = Day(year: year, month: month, day: ofMonth)
        else { return nil }
        var milliseconds = Timestamp(day).milliseconds
        guard index < bytes.count else { return milliseconds }
        guard skip("T") || skip("t") || skip(" "), let minutes = hoursAndMinutes(), minutes < 1440 else {
            return nil
        }
        milliseconds += Int64(minutes) * 60_000
        if skip(":") {
            guard let second = number(2), second < 60 else { return nil }
            milliseconds += Int64(second) * 1000
            if skip(".") || skip(",") {
                guard let fraction = thousandths() else { return nil }
                milliseconds += Int64(fraction)
            }
        }
        guard let offset = offsetInMinutes(), index == bytes.count else { return nil }
        return milliseconds - Int64(offset) * 60_000
    }

    /// Minutes east of UTC: none where the text ends.
    private mutating func offsetInMinutes() -> Int? {
        if index == bytes.count { return 0 }
        _ = skip(" ")
        if skip("Z") || skip("z") { return 0 }
        if skip("U") { return skip("T") && skip("C") ? 0 : nil }
        let isWest = skip("-")
        guard isWest || skip("+"), let minutes = hoursAndMinutes(), minutes < 1440 else { return nil }
        return isWest ? -minutes : minutes
    }

    /// `08:00`, `0800` or, at the text's end, `08`.
    private mutating func hoursAndMinutes() -> Int? {
        guard let hours = number(2) else { return nil }
        if index == bytes.count { return hours * 60 }
        _ = skip(":")
        guard let minutes = number(2), minutes < 60 else { return nil }
        return hours * 60 + minutes
    }

    /// The first three digits of a fraction of any length.
    private mutating func thousandths() -> Int? {
        let start = index
        var value = 0
        while index < bytes.count, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
            if index < start + 3 { value = value * 10 + Int(digit) }
            index += 1
        }
        switch index - start {
        case 0: return nil
        case 1: return value * 100
        case 2: return value * 10
        default: return value
        }
    }

    /// The next digits, of which there must be so many.
    private mutating func number(_ digits: Int) -> Int? {
        guard index + digits <= bytes.count else { return nil }
        var value = 0
        for place in index..<index + digits {
            guard case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        index += digits
        return value
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }
}
