/// The fields of a ticker.
public enum TickerField: Int, CaseIterable, Sendable {
    case instrument, exchange, kind, timestamp, underlyingPrice, underlyingIndex, indexPrice, markPrice
    case markVolatility, interestRate, openInterest, bids, asks, bidPrice, bidAmount, askPrice, askAmount
    case delta, gamma, vega, theta, rho
}

/// Names of the fields of a ticker in an exchange's replies, and the unit of their volatilities.
public struct TickerLayout: Sendable {
    public enum VolatilityUnit: Double, Sendable {
        /// 60 for 60%.
        case percent = 100
        /// 0.6 for 60%.
        case fraction = 1
    }

    /// The exchange of the contracts, where no field says.
    public let exchange: any Exchange.Type
    /// Fields that tell this layout from others.
    public let signature: [TickerField]
    public let volatilityUnit: VolatilityUnit
    /// By field: names, the first that has a value counts.
    let names: [[String]]
    /// The same, taken apart at dots: members of members.
    let paths: [[[String]]]

    public init(
        _ exchange: any Exchange.Type, signature: [TickerField], volatilityUnit: VolatilityUnit,
        _ names: [TickerField: [String]]
    ) {
        self.exchange = exchange
        self.signature = signature
        self.volatilityUnit = volatilityUnit
        self.names = TickerField.allCases.map { names[$0] ?? [] }
        paths = self.names.map { $0.map { $0.split(separator: ".").map(String.init) } }
    }

    /// The name of a field in errors.
    package func name(_ field: TickerField) -> String { names[field.rawValue].first ?? "\(field)" }

    /// The first exchange's, whose names tables from anywhere have.
    static let general = Exchanges.all[0].tickerLayouts[0]

    /// The layouts of all exchanges, the general one last.
    private static let all = Exchanges.all.reversed().flatMap { $0.tickerLayouts }

    /// The first whose signature is there.
    static func first(_ has: (String) -> Bool) -> TickerLayout? {
        all.first { layout in layout.signature.allSatisfy { layout.names[$0.rawValue].contains(where: has) } }
    }
}
