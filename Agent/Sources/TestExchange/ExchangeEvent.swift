import VenueProtocol

/// What happened, in its order. A command's events are complete when it returns.
public enum ExchangeEvent: Sendable {
    /// Levels of a book changed.
    case book(contract: Int, previousID: Int, id: Int, time: Int, bids: [LevelChange], asks: [LevelChange])
    case trade(ExchangeTrade)
    /// A user's order as it then was.
    case order(ExchangeOrder)
    case state(contract: Int, BookState)
    case listed(contract: Int)
    case index(Int)
    case mark(contract: Int)
    case settled(time: Int)
    /// An account's market-maker protection was set off.
    case protection(account: Int, ProtectionTrigger)
}

/// What an exchange is made with.
public struct ExchangeConfiguration: Sendable {
    public struct Index: Sendable {
        public var name: String
        public var base: String
        public var price: Double

        public init(name: String, base: String, price: Double) {
            self.name = name
            self.base = base
            self.price = price
        }
    }

    /// Milliseconds since 1970.
    public var start: Int
    public var currencies: [String]
    public var indices: [Index]
    /// Closed orders, trades and entries that are kept for each account.
    public var retention = 10_000

    public init(start: Int, currencies: [String], indices: [Index]) {
        self.start = start
        self.currencies = currencies
        self.indices = indices
    }
}
