/// An instrument's name, taken apart: `BTC-PERPETUAL`, `BTC-27MAR26`, `BTC-27MAR26-60000-C`,
/// `XRP_USDC-30JUN27-1d02-C` (d is the decimal point), `BTC_USDC` and the combinations `BTC-CS-19MAY26-70000_75000`.
public struct InstrumentName: Hashable, Sendable, CustomStringConvertible {
    public enum Contract: Hashable, Sendable {
        case perpetual
        case future(expiry: Int)
        case option(expiry: Int, strike: Double, type: OptionType)
        case spot
        /// A combination: its strategy's code and what follows it, which the list of combinations explains.
        case combination(code: String, legs: String)
    }

    /// The currency it is about: BTC of `BTC_USDC-PERPETUAL`.
    public let base: String
    /// The currency behind the underscore; nil where contracts are settled in `base`.
    public let quote: String?
    /// What it is; expiries in milliseconds since 1970, at 08:00 UTC.
    public let contract: Contract
    /// As it stands.
    public let description: String

    /// - Returns: nil for what is no name of the exchange.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let currencies = parts[0].split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        guard currencies.count <= 2, currencies.allSatisfy({ Self.isCode($0) }) else { return nil }
        base = currencies[0]
        quote = currencies.count == 2 ? currencies[1] : nil
        description = text
        switch parts.count {
        case 1 where quote != nil: contract = .spot
        case 2 where parts[1] == "PERPETUAL": contract = .perpetual
        case 2:
            guard let expiry = VenueTime.expiry(parts[1]) else { return nil }
            contract = .future(expiry: expiry)
        case 4 where VenueTime.expiry(parts[1]) != nil:
            guard let expiry = VenueTime.expiry(parts[1]), let strike = Self.strike(parts[2]),
                let type = parts[3] == "C" ? OptionType.call : parts[3] == "P" ? .put : nil
            else { return nil }
            contract = .option(expiry: expiry, strike: strike, type: type)
        case 3...:
            let rest = parts[2...].joined(separator: "-")
            guard Self.isCode(parts[1]), VenueTime.expiry(parts[1]) == nil, !rest.isEmpty else { return nil }
            contract = .combination(code: parts[1], legs: rest)
        default: return nil
        }
    }

    /// The name of an option as the exchange spells it.
    public static func option(
        _ underlying: String, expiry: Int, strike: Double, type: OptionType
    ) -> String {
        let digits = strike == strike.rounded() ? String(Int(strike)) : strike.description
        return underlying + "-" + VenueTime.code(expiry: expiry) + "-"
            + digits.map { $0 == "." ? "d" : String($0) }.joined() + (type == .call ? "-C" : "-P")
    }

    private static func isCode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isDigit($0) || ($0 >= 65 && $0 <= 90) }
    }

    private static func strike(_ text: String) -> Double? {
        let digits = text.split(separator: "d", omittingEmptySubsequences: false)
        guard digits.count <= 2, digits.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
            return nil
        }
        guard let strike = Double(digits.joined(separator: ".")), strike > 0, strike.isFinite else {
            return nil
        }
        return strike
    }
}

/// Times of the exchange: milliseconds since 1970, UTC.
public enum VenueTime {
    public static let day = 86_400_000
    /// The time of day of settlements and expiries.
    public static let settlementHour = 8 * 3_600_000
    /// What the exchange gives as a perpetual's expiry.
    public static let never = 32_503_708_800_000

    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    /// The expiry that a name's date stands for: `3JAN26` is 3 January 2026, 08:00. Days have no leading zero.
    public static func expiry(_ code: String) -> Int? {
        let characters = Array(code)
        guard characters.count == 6 || characters.count == 7 else { return nil }
        let dayDigits = String(characters[..<(characters.count - 5)])
        let month = months.firstIndex(of: String(characters[(characters.count - 5)..<(characters.count - 2)]))
        let yearDigits = String(characters[(characters.count - 2)...])
        guard dayDigits.first != "0", (dayDigits + yearDigits).utf8.allSatisfy(isDigit), let month,
            let day = Int(dayDigits), let year = Int(yearDigits)
        else { return nil }
        let days = daysSince1970(year: 2000 + year, month: month + 1, day: day)
        let time = days * VenueTime.day + settlementHour
        // A day that the month does not have would come out as another date.
        return Self.code(expiry: time) == code ? time : nil
    }

    /// The date in a name: the inverse of `expiry`.
    public static func code(expiry: Int) -> String {
        let (year, month, day) = date(expiry)
        let short = year % 100
        return "\(day)\(months[month - 1])\(short < 10 ? "0" : "")\(short)"
    }

    /// The first settlement after a time.
    public static func nextSettlement(after time: Int) -> Int {
        (time - settlementHour).quotientRoundedDown(by: day) * day + day + settlementHour
    }

    /// 0 is Monday.
    public static func weekday(_ time: Int) -> Int {
        let days = time.quotientRoundedDown(by: day) + 3
        return days - days.quotientRoundedDown(by: 7) * 7
    }

    /// Year, month 1…12 and day 1…31 (H. Hinnant, chrono-compatible low-level date algorithms, civil_from_days).
    public static func date(_ time: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = time.quotientRoundedDown(by: day) + 719_468
        let era = shifted.quotientRoundedDown(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    /// The inverse of `date` (the same source, days_from_civil).
    public static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.quotientRoundedDown(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int {
    func quotientRoundedDown(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
