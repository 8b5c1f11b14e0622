/// How often a channel speaks. `raw` needs authentication.
public enum ChannelInterval: String, VenueWord {
    case raw
    case hundredMilliseconds = "100ms"
    case second = "agg2"
}

/// A channel, taken apart by its name.
public enum ChannelName: Hashable, Sendable, CustomStringConvertible {
    /// Instruments of a user channel or of a list of trades: one, or all of a kind and currency, of which `any` is all.
    public enum Scope: Hashable, Sendable {
        case instrument(String)
        case all(kind: String, currency: String)

        var text: String {
            switch self {
            case .instrument(let name): name
            case .all(let kind, let currency): kind + "." + currency
            }
        }
    }

    case book(String, ChannelInterval)
    case groupedBook(String, group: String, depth: Int, ChannelInterval)
    case ticker(String, ChannelInterval)
    case incrementalTicker(String)
    case quote(String)
    case trades(Scope, ChannelInterval)
    case markPrices(index: String)
    case priceIndex(String)
    case volatilityIndex(String)
    case estimatedExpirationPrice(index: String)
    case perpetual(String, ChannelInterval)
    case chart(String, resolution: String)
    case instrumentState(kind: String, currency: String)
    case platformState
    case publicMethodsState
    case userOrders(Scope, ChannelInterval)
    case userTrades(Scope, ChannelInterval)
    case userChanges(Scope, ChannelInterval)
    case userPortfolio(currency: String)
    case userLock
    case userProtection(index: String)

    /// - Returns: nil for a channel that there is not.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        func interval(_ place: Int) -> ChannelInterval? {
            place == parts.count - 1 ? ChannelInterval(rawValue: parts[place]) : nil
        }
        func scope(from start: Int) -> (Scope, ChannelInterval)? {
            if parts.count == start + 2, let interval = interval(start + 1) {
                return (.instrument(parts[start]), interval)
            }
            if parts.count == start + 3, let interval = interval(start + 2) {
                return (.all(kind: parts[start], currency: parts[start + 1]), interval)
            }
            return nil
        }
        switch (parts[0], parts.count) {
        case ("book", 3):
            guard let interval = interval(2) else { return nil }
            self = .book(parts[1], interval)
        case ("book", 5):
            guard let interval = interval(4), let depth = Int(parts[3]), [1, 10, 20].contains(depth) else {
                return nil
            }
            self = .groupedBook(parts[1], group: parts[2], depth: depth, interval)
        case ("ticker", 3):
            guard let interval = interval(2) else { return nil }
            self = .ticker(parts[1], interval)
        case ("incremental_ticker", 2): self = .incrementalTicker(parts[1])
        case ("quote", 2): self = .quote(parts[1])
        case ("trades", _):
            guard let (scope, interval) = scope(from: 1) else { return nil }
            self = .trades(scope, interval)
        case ("markprice", 3) where parts[1] == "options": self = .markPrices(index: parts[2])
        case ("deribit_price_index", 2): self = .priceIndex(parts[1])
        case ("deribit_volatility_index", 2): self = .volatilityIndex(parts[1])
        case ("estimated_expiration_price", 2): self = .estimatedExpirationPrice(index: parts[1])
        case ("perpetual", 3):
            guard let interval = interval(2) else { return nil }
            self = .perpetual(parts[1], interval)
        case ("chart", 4) where parts[1] == "trades": self = .chart(parts[2], resolution: parts[3])
        case ("instrument", 4) where parts[1] == "state":
            self = .instrumentState(kind: parts[2], currency: parts[3])
        case ("platform_state", 1): self = .platformState
        case ("platform_state", 2) where parts[1] == "public_methods_state": self = .publicMethodsState
        case ("user", 2) where parts[1] == "lock": self = .userLock
        case ("user", 3) where parts[1] == "mmp_trigger": self = .userProtection(index: parts[2])
        case ("user", 3) where parts[1] == "portfolio": self = .userPortfolio(currency: parts[2])
        case ("user", _):
            guard parts.count > 2, let (scope, interval) = scope(from: 2) else { return nil }
            switch parts[1] {
            case "orders": self = .userOrders(scope, interval)
            case "trades": self = .userTrades(scope, interval)
            case "changes": self = .userChanges(scope, interval)
            default: return nil
            }
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .book(let name, let interval): "book.\(name).\(interval.rawValue)"
        case .groupedBook(let name, let group, let depth, let interval):
            "book.\(name).\(group).\(depth).\(interval.rawValue)"
        case .ticker(let name, let interval): "ticker.\(name).\(interval.rawValue)"
        case .incrementalTicker(let name): "incremental_ticker.\(name)"
        case .quote(let name): "quote.\(name)"
        case .trades(let scope, let interval): "trades.\(scope.text).\(interval.rawValue)"
        case .markPrices(let index): "markprice.options.\(index)"
        case .priceIndex(let index): "deribit_price_index.\(index)"
        case .volatilityIndex(let index): "deribit_volatility_index.\(index)"
        case .estimatedExpirationPrice(let index): "estimated_expiration_price.\(index)"
        case .perpetual(let name, let interval): "perpetual.\(name).\(interval.rawValue)"
        case .chart(let name, let resolution): "chart.trades.\(name).\(resolution)"
        case .instrumentState(let kind, let currency): "instrument.state.\(kind).\(currency)"
        case .platformState: "platform_state"
        case .publicMethodsState: "platform_state.public_methods_state"
        case .userOrders(let scope, let interval): "user.orders.\(scope.text).\(interval.rawValue)"
        case .userTrades(let scope, let interval): "user.trades.\(scope.text).\(interval.rawValue)"
        case .userChanges(let scope, let interval): "user.changes.\(scope.text).\(interval.rawValue)"
        case .userPortfolio(let currency): "user.portfolio.\(currency)"
        case .userLock: "user.lock"
        case .userProtection(let index): "user.mmp_trigger.\(index)"
        }
    }

    public var isPrivate: Bool {
        switch self {
        case .userOrders, .userTrades, .userChanges, .userPortfolio, .userLock, .userProtection: true
        default: false
        }
    }

    public var interval: ChannelInterval? {
        switch self {
        case .book(_, let interval), .groupedBook(_, _, _, let interval), .ticker(_, let interval),
            .trades(_, let interval), .perpetual(_, let interval), .userOrders(_, let interval),
            .userTrades(_, let interval), .userChanges(_, let interval):
            interval
        default: nil
        }
    }
}
