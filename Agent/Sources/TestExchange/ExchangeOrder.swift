import VenueProtocol

/// An order in the exchange's own whole numbers.
public struct ExchangeOrder: Sendable {
    public let id: Int
    public let account: Int
    public let contract: Int
    public let direction: Direction
    /// Of the connection that it came by, for cancel on disconnect.
    public let connection: Int
    public let created: Int
    public internal(set) var type: OrderType
    public internal(set) var originalType: OrderType?
    public internal(set) var timeInForce: TimeInForce
    public internal(set) var label: String
    /// Nil for an order at the market.
    public internal(set) var price: Int?
    public internal(set) var amount: Int
    public internal(set) var filled = 0
    /// Σ amount · price, for the average.
    var filledValue: Int128 = 0
    public internal(set) var state = OrderState.open
    public internal(set) var updated: Int
    public internal(set) var isPostOnly = false
    public internal(set) var rejectsPostOnly = false
    public internal(set) var isReduceOnly = false
    public internal(set) var isReplaced = false
    /// Whether market-maker protection may cancel it.
    public internal(set) var isProtected = false
    public internal(set) var isLiquidation = false
    public internal(set) var cancelReason: String?
    public internal(set) var trigger: Trigger?
    public internal(set) var triggerPrice: Int?
    /// The order that was waiting for the trigger.
    public internal(set) var triggerOrder: Int?

    public var remaining: Int { amount - filled }
}

/// A trade between two orders.
public struct ExchangeTrade: Sendable {
    public struct Side: Sendable {
        public let account: Int
        public let order: Int
        public let label: String
        public let direction: Direction
        public let fee: Int
        public let liquidity: Liquidity
        public let state: OrderState
        public let orderType: OrderType
        public let isPostOnly: Bool
        public let isReduceOnly: Bool
        public let isProtected: Bool
        public let profit: Int
    }

    public let id: Int
    public let sequence: Int
    public let contract: Int
    public let time: Int
    public let price: Int
    public let amount: Int
    public let tickDirection: Int
    public let mark: Int
    public let index: Int
    public let volatility: Double
    public let taker: Side
    public let maker: Side
    public let isLiquidation: Bool
}
