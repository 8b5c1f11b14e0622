/// The fields of a ticker.
public enum TickerField: Int, CaseIterable, Sendable {
    /// The contract's name; a name of its exchange; the kind, of which endings in `_combo` are told apart.
    case instrument, exchange, kind
    case timestamp
    /// Of options: the price of the future of their expiry, in quote currency, and its name.
    case underlyingPrice, underlyingIndex
    /// The spot index, in quote currency.
    case indexPrice
    /// In coin for inverse options, else in quote currency.
    case markPrice
    /// Of options: per square root of a year, in the layout's `volatilityUnit`.
    case markVolatility
    /// Continuously compounded, per year: 0.05 is 5%.
    case interestRate
    /// As the exchange counts it: a coin, a contract or a US dollar.
    case openInterest
    /// Lists of `[price, amount]`, best first: prices as of `markPrice`, amounts in `Instrument.quantityUnit`.
    case bids, asks
    /// The best prices alone, in the same units.
    case bidPrice, bidAmount, askPrice, askAmount
    /// As the exchange publishes them, see `PublishedGreeks`.
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

    /// The same with only those of its names that a table has, where it has any, as they are spelt there.
    func of(_ table: TextTable) throws(MarketError) -> TickerLayout {
        var own: [[String]] = []
        for names in names {
            var found: [String] = []
            for name in names {
                if let place = try table.index(of: name) { found.append(table.header[place]) }
            }
            own.append(found.isEmpty ? names : found)
        }
        return TickerLayout(exchange, signature, volatilityUnit, own)
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
