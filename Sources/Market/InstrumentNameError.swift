import Checks

/// Why a text is not an instrument's name.
public enum InstrumentNameError: Error, Equatable, CustomStringConvertible {
    case unknownForm
    /// An instrument of several legs, listed under a name of its own.
    case combination
    case invalidExpiry(String, example: String)
    case invalidStrike(String)
    case invalidOptionType(String)

    public var description: String {
        switch self {
        case .unknownForm:
            """
            no instrument name: expected one like BTC-27JUN25-60000-C, BTC_USDC-27JUN25-60000-C, \
            BTC-27JUN25, BTC-PERPETUAL or BTC_USDC, or one of \
            \(Exchanges.all.dropFirst().map { $0.name }.joined(separator: " or "))
            """
        case .combination: "is a combination of several contracts: name its legs"
        case .invalidExpiry(let text, let example):
            "\"\(text)\" is no expiry: expected a day like \(example)"
        case .invalidStrike(let text): "\"\(text)\" is no strike: expected a positive number"
        case .invalidOptionType(let text): "\"\(text)\" is no option type: expected C or P"
        }
    }
}

extension InstrumentNameError: PoiseError {
    public var field: String { "instrument" }
    public var reason: String { description }
}
