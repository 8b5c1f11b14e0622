/// The parts of a contract's name, and what exchanges' names have in common.
struct NameParts {
    let parts: [Substring]

    init(_ name: String, separator: Character = "-") {
        parts = name.split(separator: separator, omittingEmptySubsequences: false)
    }

    var count: Int { parts.count }
    subscript(index: Int) -> Substring { parts[index] }

    /// 1 to 16 capitals and digits.
    static func isCurrency(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 16
            && text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) }
    }

    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    /// `27JUN25` and `5MAR21`, at an hour UTC; years are of this century.
    static func dayMonthYear(_ text: Substring, hour: Int) throws(InstrumentNameError) -> Timestamp {
        let dayDigits = text.utf8.count - 5
        guard (1...2).contains(dayDigits), text.utf8.allSatisfy({ $0 < 128 }),
            let day = number(text.prefix(dayDigits)), let year = number(text.suffix(2)),
            let month = months.firstIndex(where: { $0 == text.dropFirst(dayDigits).prefix(3) }),
            let date = Day(year: 2000 + year, month: month + 1, day: day)
        else { throw .invalidExpiry(String(text), example: "27JUN25") }
        return Timestamp(date, hour: hour)
    }

    /// `250627`, at an hour UTC; years are of this century.
    static func yearMonthDay(_ text: Substring, hour: Int) throws(InstrumentNameError) -> Timestamp {
        guard text.utf8.count == 6, text.utf8.allSatisfy({ $0 < 128 }), let year = number(text.prefix(2)),
            let month = number(text.dropFirst(2).prefix(2)), let day = number(text.suffix(2)),
            let date = Day(year: 2000 + year, month: month, day: day)
        else { throw .invalidExpiry(String(text), example: "250627") }
        return Timestamp(date, hour: hour)
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy { (48...57).contains($0) } ? Int(digits) : nil
    }

    /// A positive decimal number with a decimal point of the exchange's choice.
    static func strike(_ text: Substring, point: Character) throws(InstrumentNameError) -> Double {
        guard let point = point.asciiValue,
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == point }),
            let strike = Double(String(text.map { $0.asciiValue == point ? "." : $0 })), strike > 0,
            strike < .infinity
        else { throw .invalidStrike(String(text)) }
        return strike
    }

    /// `C` and `P`.
    static func optionType(_ text: Substring) throws(InstrumentNameError) -> Instrument.OptionType {
        switch text {
        case "C": .call
        case "P": .put
        default: throw .invalidOptionType(String(text))
        }
    }
}
