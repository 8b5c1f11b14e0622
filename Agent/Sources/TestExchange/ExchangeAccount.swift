import VenueProtocol

/// What an account holds of a contract. Futures are paid at settlements: until then `cost` is what was paid for all
/// that was bought less all that was sold, and `openCost` the part of it that the present size has.
struct Holding {
    var size = 0
    var cost = 0
    var openCost = 0
    /// Funding received since the last settlement.
    var funding = 0
}

/// Whoever trades. Account 0 is the exchange itself: fees and what rounding leaves go there, so that nothing is lost.
struct ExchangeAccount {
    let id: Int
    let name: String
    let clientID: String
    let clientSecret: String
    /// The market's own participants are not asked for margin, and nobody is told of their orders.
    let isHouse: Bool
    var selfTrading = SelfTradingMode.cancelMaker
    /// Kept and told, without effect: no account here has another below it.
    var extendsSelfTrading = false
    /// By currency.
    var cash: [Int]
    var feesPaid: [Int]
    /// By contract; contracts are walked in their order.
    var holdings: [Int: Holding] = [:]
    /// Numbers of the orders that are open or wait for a trigger by contract, oldest first.
    var openOrders: [Int: [Int]] = [:]
    var allOpenOrders: [Int] { openOrders.values.joined().sorted() }
    /// All that are over, oldest first, as many as are kept.
    var closedOrders: [ExchangeOrder] = []
    /// Own trades, oldest first.
    var trades: [ExchangeTrade] = []
    var log: [Transaction] = []
    var isLocked = false
    /// Market-maker protection, by index.
    var protections: [Int: Protection] = [:]
}
