/// Why a text is not an instrument's name.
public enum InstrumentNameError: Error, Equatable, CustomStringConvertible {
    case unknownForm
    case invalidExpiry(String)
    case invalidStrike(String)
    case invalidOptionType(String)

    public var description: String {
        switch self {
        case .unknownForm:
            """
            no instrument name: expected one like BTC-27JUN25-60000-C, BTC_USDC-27JUN25-60000-C, \
            BTC-27JUN25, BTC-PERPETUAL or BTC_USDC
            """
        case .invalidExpiry(let text): "\"\(text)\" is no expiry: expected a day like 27JUN25"
        case .invalidStrike(let text): "\"\(text)\" is no strike: expected a positive number"
        case .invalidOptionType(let text): "\"\(text)\" is no option type: expected C or P"
        }
    }
}

extension Instrument {
    /// The hour, UTC, at which all listed contracts expire.
    static let expiryHour = 8

    /// The instrument of a Deribit name.
    ///
    /// `BTC-27JUN25-60000-C`, `BTC-27JUN25` and `BTC-PERPETUAL` are inverse; with a quote currency, as in
    /// `XRP_USDC-27JUN25-1d25-C` (a `d` is the strike's decimal point), linear; `BTC_USDC` is spot.
    public init(name: String) throws(InstrumentNameError) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        let currencies = parts[0].split(separator: "_", omittingEmptySubsequences: false)
        guard (1...2).contains(currencies.count), currencies.allSatisfy(Self.isCurrency) else {
            throw .unknownForm
        }
        let base = String(currencies[0])
        let settlement: Settlement = currencies.count == 1 ? .inverse : .linear
        let quote = currencies.count == 1 ? "USD" : String(currencies[1])
        let kind: Kind
        switch parts.count {
        case 1:
            guard settlement == .linear else { throw .unknownForm }
            kind = .spot
        case 2 where parts[1] == "PERPETUAL":
            kind = .perpetual
        case 2:
            kind = .future(expiry: try Self.expiry(parts[1]))
        case 4:
            let expiry = try Self.expiry(parts[1])
            guard let strike = Self.strike(parts[2]) else { throw .invalidStrike(String(parts[2])) }
            switch parts[3] {
            case "C": kind = .option(.call, strike: strike, expiry: expiry)
            case "P": kind = .option(.put, strike: strike, expiry: expiry)
            default: throw .invalidOptionType(String(parts[3]))
            }
        default: throw .unknownForm
        }
        self.init(name: name, base: base, quote: quote, settlement: settlement, kind: kind)
    }

    private static func isCurrency(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 16
            && text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) }
    }

    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    /// `27JUN25` and `5MAR21`; years are of this century.
    private static func expiry(_ text: Substring) throws(InstrumentNameError) -> Timestamp {
        let dayDigits = text.utf8.count - 5
        guard (1...2).contains(dayDigits), text.utf8.allSatisfy({ $0 < 128 }),
            let day = number(text.prefix(dayDigits)), let year = number(text.suffix(2)),
            let month = months.firstIndex(of: String(text.dropFirst(dayDigits).prefix(3))),
            let date = Day(year: 2000 + year, month: month + 1, day: day)
        else { throw .invalidExpiry(String(text)) }
        return Timestamp(date, hour: expiryHour)
    }

    private static func number(_ digits: Substring) -> Int? {
        digits.utf8.allSatisfy { (48...57).contains($0) } ? Int(digits) : nil
    }

    private static func strike(_ text: Substring) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 100 }),
            let strike = Double(String(text.map { $0 == "d" ? "." : $0 })), strike > 0, strike < .infinity
        else { return nil }
        return strike
    }
}
