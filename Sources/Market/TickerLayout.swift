/// The fields of a ticker.
public enum TickerField: Int, CaseIterable, Sendable {
    case instrument, exchange, kind, timestamp, underlyingPrice, underlyingIndex, indexPrice, markPrice
    case markVolatility, interestRate, openInterest, bids, asks, bidPrice, bidAmount, askPrice, askAmount
    case delta, gamma, vega, theta, rho
}

/// Names of the fields of a ticker in an exchange's replies, and the unit of their volatilities.
public final class TickerLayout: Sendable, Equatable {
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

    public convenience init(
        _ exchange: any Exchange.Type, signature: [TickerField], volatilityUnit: VolatilityUnit,
        _ names: [TickerField: [String]]
    ) {
        self.init(exchange, signature, volatilityUnit, TickerField.allCases.map { names[$0] ?? [] })
    }

    private init(
        _ exchange: any Exchange.Type, _ signature: [TickerField], _ volatilityUnit: VolatilityUnit,
        _ names: [[String]]
    ) {
        self.exchange = exchange
        self.signature = signature
        self.volatilityUnit = volatilityUnit
        self.names = names
        paths = names.map { $0.map { $0.split(separator: ".").map(String.init) } }
    }

    public static func == (a: TickerLayout, b: TickerLayout) -> Bool {
        a === b
            || a.exchange == b.exchange && a.names == b.names && a.signature == b.signature
                && a.volatilityUnit == b.volatilityUnit
    }

    /// The name of a field in errors.
    package func name(_ field: TickerField) -> String { names[field.rawValue].first ?? "\(field)" }

    /// The same with only those of its names that a header has, where it has any.
    func of(header: [String]) -> TickerLayout {
        let names = names.map { names in
            let found = names.filter(header.contains)
            return found.isEmpty ? names : found
        }
        return TickerLayout(exchange, signature, volatilityUnit, names)
    }

    /// The first exchange's, whose names tables from anywhere have.
    public static let general = Exchanges.all[0].tickerLayouts[0]

    private static let all = Exchanges.all.flatMap { $0.tickerLayouts }

    /// The layout that fits best, of those whose signature is there.
    static func best(_ has: (String) -> Bool) -> TickerLayout? {
        Exchanges.best(all) { layout in
            layout.signature.allSatisfy { layout.names[$0.rawValue].contains(where: has) }
        } count: {
            $0.names.count { $0.contains(where: has) }
        }
    }
}
