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

    public mutating func intend(_ label: String) { intents[label] = .sent }

    public mutating func resolve(_ label: String, _ intent: Intent) {
        // A notification may have told already that the order lives.
        if case .order? = intents[label] { return }
        intents[label] = intent
    }

    public mutating func apply(_ order: VenueOrder) {
        if !order.label.isEmpty, intents[order.label] != nil {
            intents[order.label] = .order(id: order.orderID)
        }
        if let known = orders[order.orderID] {
            let filled = order.filledAmount?.value ?? 0
            let isOlder =
                order.lastUpdateTimestamp < known.lastUpdateTimestamp
                || filled < known.filledAmount?.value ?? 0
                || known.state.isFinal && !order.state.isFinal
            if isOlder { return }
        }
        orders[order.orderID] = order
    }

    /// - Returns: whether it was new.
    @discardableResult
    public mutating func apply(_ trade: UserTrade) -> Bool {
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

    public mutating func apply(_ reply: OrderReply) {
        for trade in reply.trades { apply(trade) }
        apply(reply.order)
    }

    public mutating func apply(channel: String, _ content: JSONValue) throws(VenueProtocolError) {
        switch ChannelName(channel) {
        case .userOrders:
            let listed = try content.isArray ? [VenueOrder](content) : [VenueOrder(content)]
            for order in listed { apply(order) }
        case .userTrades: for trade in try [UserTrade](content) { apply(trade) }
        case .userChanges:
            let changes = try UserChanges(content)
            for trade in changes.trades { apply(trade) }
            for order in changes.orders { apply(order) }
            for position in changes.positions ?? changes.position ?? [] {
                positions[position.instrumentName] = position
            }
        default: break
        }
    }

    /// All positions, as the venue lists them.
    public mutating func replace(_ listed: [Position]) {
        positions = Dictionary(
            listed.map { ($0.instrumentName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Orders that are open here and that the venue does not list: their state has to be asked for.
    public func vanished(from listed: [VenueOrder]) -> [String] {
        let ids = Set(listed.map(\.orderID))
        return openOrders.map(\.orderID).filter { !ids.contains($0) }
    }
}
