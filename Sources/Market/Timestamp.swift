/// A moment in UTC, to the millisecond, as exchanges stamp their messages.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Since 1970-01-01 00:00 UTC, leap seconds not counted.
    public let milliseconds: Int64

    /// Counts that are taken for milliseconds where a caller says that they are: from 1973 to 5138. Below are seconds, above
    /// are microseconds, which a host may have passed by mistake. Readers, who are told no unit, tell it by the number of
    /// digits instead, from 2001 to 2286: `init(count:)`.
    public static let acceptedMilliseconds: Range<Int64> = 100_000_000_000..<100_000_000_000_000

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Midnight UTC of a day, or some hours after it.
    public init(_ day: Day, hour: Int = 0) {
        milliseconds = Int64(day.number) * Self.millisecondsPerDay + Int64(hour) * 3_600_000
    }

    static let millisecondsPerDay: Int64 = 86_400_000

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Years from here to a later moment, ACT/365 to the millisecond; negative for an earlier one.
    public func years(until end: Timestamp) -> Double {
        Double(end.milliseconds - milliseconds) / (Year.days * Double(Self.millisecondsPerDay))
    }

    /// `2021-02-11 18:37:05 UTC`.
    public var description: String {
        let days = Int((Double(milliseconds) / Double(Self.millisecondsPerDay)).rounded(.down))
        let seconds = Int((milliseconds - Int64(days) * Self.millisecondsPerDay) / 1000)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(Day(number: days)) \(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) UTC"
    }
}

/// A day of the Gregorian calendar.
public struct Day: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let year, month, day: Int

    /// Nil for a day that the calendar lacks.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.length(ofMonth: month, year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days since 1970-01-01.
    public var number: Int {
        // Years that begin in March put the leap day last.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The day of that number; years 1 to 9999.
    public init(number: Int) {
        let days = number + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    public static func < (a: Day, b: Day) -> Bool { a.number < b.number }

    /// `2021-02-11`.
    public var description: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
