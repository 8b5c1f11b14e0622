import VenueProtocol

/// An account as replies, channels and reconciliations tell it. Everything may come twice, late or in any order: a
/// trade counts once, an order never goes back, and what is not known is said to be unknown.
public struct AccountPicture: Sendable {
    /// What became of an order that was sent, by its label.
    public enum Intent: Sendable, Equatable {
        case sent
        /// It may be alive: it is looked up by its label before anything is sent again.
        case unknown
        case order(id: String)
        case refused(code: Int)
        /// Looked up and not found at the venue.
        case neverArrived
    }

    public private(set) var orders: [String: VenueOrder] = [:]
    /// By currency and number, as the venue counts them.
    public private(set) var trades: [String: UserTrade] = [:]
    /// Of each instrument, all trades summed: positive is long.
    public private(set) var traded: [String: Double] = [:]
    public private(set) var positions: [String: Position] = [:]
    /// Cash, equity and margin by currency.
    public private(set) var portfolios: [String: AccountFigures] = [:]
    public private(set) var intents: [String: Intent] = [:]
    /// Of trades that came again.
    public private(set) var duplicates = 0

    public init() {}

    public var openOrders: [VenueOrder] {
        orders.values.filter { !$0.state.isFinal && $0.state != .triggered }.sorted {
            $0.orderID < $1.orderID
        }
    }

    public var unknownLabels: [String] { intents.filter { $0.value == .unknown }.keys.sorted() }

    /// - Returns: whether it changed anything: false for what is older than what is known, and for what came again.
    @discardableResult
    public mutating func apply(_ change: AccountChange) -> Bool {
        switch change {
        case .order(let order): return apply(order)
        case .trade(let trade): return apply(trade)
        case .position(let position): positions[position.instrumentName] = position
        case .positions(let listed):
            positions = Dictionary(
                listed.map { ($0.instrumentName, $0) }, uniquingKeysWith: { first, _ in first })
        case .portfolio(let figures): portfolios[figures.currency] = figures
        case .intent(let label, let intent):
            // A notification may have told already that the order lives.
            if case .order? = intents[label] { return false }
            guard intents[label] != intent else { return false }
            intents[label] = intent
        }
        return true
    }

    private mutating func apply(_ order: VenueOrder) -> Bool {
        if !order.label.isEmpty, intents[order.label] != nil {
            intents[order.label] = .order(id: order.orderID)
        }
        if let known = orders[order.orderID] {
            let filled = order.filledAmount?.value ?? 0
            let isOlder =
                order.lastUpdateTimestamp < known.lastUpdateTimestamp
                || filled < known.filledAmount?.value ?? 0
                || known.state.isFinal && !order.state.isFinal
            if isOlder { return false }
        }
        orders[order.orderID] = order
        return true
    }

    private mutating func apply(_ trade: UserTrade) -> Bool {
        // Numbers of trades are unique per currency, and their texts say which.
        let key = trade.feeCurrency + " " + trade.tradeID
        guard trades[key] == nil else {
            duplicates += 1
            return false
        }
        trades[key] = trade
        traded[trade.instrumentName, default: 0] += trade.amount.value * Double(trade.direction.sign)
        return true
    }

    /// What a message of a user's channel says.
    static func changes(channel: String, _ content: JSONValue) throws(VenueProtocolError) -> [AccountChange] {
        switch ChannelName(channel) {
        case .userOrders:
            let listed = try content.isArray ? [VenueOrder](content) : [VenueOrder(content)]
            return listed.map { .order($0) }
        case .userTrades: return try [UserTrade](content).map { .trade($0) }
        case .userChanges:
            let changes = try UserChanges(content)
            return changes.trades.map { .trade($0) } + changes.orders.map { .order($0) }
                + (changes.positions ?? changes.position ?? []).map { .position($0) }
        case .userPortfolio: return [.portfolio(try AccountFigures(content))]
        default: return []
        }
    }

    /// Orders that are open here and that the venue does not list: their state has to be asked for.
    public func vanished(from listed: [VenueOrder]) -> [String] {
        let ids = Set(listed.map(\.orderID))
        return openOrders.map(\.orderID).filter { !ids.contains($0) }
    }

    /// Forgets trades and orders that were over before a time in milliseconds, so that an account may live long. What
    /// was traded stays summed.
    /// - Parameter listed: by currency, the time from which on the venue is asked for trades again: what it would list is
    ///   kept however old it is, as it would count twice.
    public mutating func forget(before time: Int, listed: [String: Int] = [:]) {
        trades = trades.filter { _, trade in
            if trade.timestamp >= time { return true }
            guard let name = InstrumentName(trade.instrumentName), let from = listed[name.quote ?? name.base]
            else { return false }
            return trade.timestamp >= from
        }
        let old = orders.filter { $0.value.state.isFinal && $0.value.lastUpdateTimestamp < time }
        for (id, order) in old {
            orders[id] = nil
            if intents[order.label] == .order(id: id) { intents[order.label] = nil }
        }
    }
}
