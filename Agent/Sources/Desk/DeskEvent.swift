import VenueProtocol

public typealias VenueInstrument = VenueProtocol.Instrument

/// What the desk is told, and when. Nothing else moves it: no clock, no network, no randomness.
public struct DeskEvent: VenueValue {
    public enum Content: Sendable {
        /// A process begins: what was under way may have come to any end, and nothing of the market is known.
        case started(RunStart)
        /// Contracts that the venue lists; those that are known already stay.
        case instruments([VenueInstrument])
        case state(InstrumentStateChange)
        case delivered(Delivery)
        case ticker(MarketTicker)
        case volatilities([MarkPrice])
        case book(BookView)
        case index(IndexPrice)
        case line(LineState)
        /// All open orders, as the venue lists them.
        case openOrders([VenueOrder])
        case order(VenueOrder)
        case trades([UserTrade])
        case reply(LabelledReply)
        case refused(LabelledFault)
        /// An order was sent and no answer came.
        case unknown(label: String)
        /// An order was looked up and the venue has none of that label.
        case absent(label: String)
        /// A cancel was refused.
        case cancelRefused(LabelledFault)
        /// All positions, as the venue lists them.
        case positions([Position])
        case account(AccountLine)
        case reference(ReferencePrice)
        case command(OperatorCommand)
        case timer
        /// What follows from the state is made again, as a restart would make it: a snapshot is taken behind it.
        case checkpoint
    }

    /// Milliseconds since 1970 by the venue's clock, as the process reckons it.
    public var time: Int
    public var content: Content

    public init(_ content: Content, at time: Int) {
        self.content = content
        self.time = time
    }
}

/// The beginning of a process.
public struct RunStart: VenueRecord, Equatable {
    /// One more than the run before.
    public var run = 0
    public var version = ""

    public init() {}
    public init(run: Int, version: String) { (self.run, self.version) = (run, version) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("run", &run)
        try fields.field("version", &version)
    }
}

/// A contract came to its end at a price, in quote currency, where it is known.
public struct Delivery: VenueRecord, Equatable {
    public var instrumentName = ""
    public var price: Double?

    public init() {}
    public init(_ name: String, price: Double?) { (instrumentName, self.price) = (name, price) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("price", &price)
    }
}

/// An order book as far as it matters: the best levels of both sides. One that is not valid has none.
public struct BookView: VenueRecord, Equatable {
    public var instrumentName = ""
    public var isValid = false
    /// Best first.
    public var bids: [PriceLevel] = []
    public var asks: [PriceLevel] = []

    public init() {}
    public init(_ name: String, bids: [PriceLevel], asks: [PriceLevel], isValid: Bool = true) {
        (instrumentName, self.bids, self.asks, self.isValid) = (name, bids, asks, isValid)
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("is_valid", &isValid)
        try fields.field("bids", &bids)
        try fields.field("asks", &asks)
    }

    /// Between the best prices; nil with a side empty.
    public var middle: Double? {
        guard isValid, let bid = bids.first, let ask = asks.first else { return nil }
        return (bid.price + ask.price) / 2
    }

    /// The levels that an order of a direction would meet.
    public func levels(against direction: Direction) -> [PriceLevel] { direction == .buy ? asks : bids }
}

/// What a connection has confirmed since it opened.
public struct LineState: VenueRecord, Equatable {
    public var isUp = false
    public var cancelsOnDisconnect = false
    /// The venue's clock less the process's, in milliseconds; missing until it is measured.
    public var clockOffset: Double?
    public var isMaintenance = false
    /// Indices that the venue says stand still: nothing is traded by their prices.
    public var lockedIndices: [String]?

    public init() {}
    public init(isUp: Bool, cancelsOnDisconnect: Bool = false, clockOffset: Double? = nil) {
        self.isUp = isUp
        self.cancelsOnDisconnect = cancelsOnDisconnect
        self.clockOffset = clockOffset
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("is_up", &isUp)
        try fields.field("cancels_on_disconnect", &cancelsOnDisconnect)
        try fields.field("clock_offset_ms", &clockOffset)
        try fields.field("is_maintenance", &isMaintenance)
        try fields.field("locked_indices", &lockedIndices)
    }
}

/// The answer to an order, with the order's label.
public struct LabelledReply: VenueRecord {
    public var label = ""
    public var reply = OrderReply()

    public init() {}
    public init(_ label: String, _ reply: OrderReply) { (self.label, self.reply) = (label, reply) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("reply", &reply)
    }
}

/// A refusal, with the order's label.
public struct LabelledFault: VenueRecord {
    public var label = ""
    public var fault = VenueFault()

    public init() {}
    public init(_ label: String, _ fault: VenueFault) { (self.label, self.fault) = (label, fault) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("fault", &fault)
    }
}

/// What an account has of a currency, in that currency.
public struct AccountLine: VenueRecord, Equatable {
    public var currency = ""
    public var equity = 0.0
    public var availableFunds = 0.0
    public var initialMargin = 0.0
    public var maintenanceMargin = 0.0

    public init() {}
    public init(_ figures: AccountFigures) {
        currency = figures.currency
        equity = figures.equity
        availableFunds = figures.availableFunds
        initialMargin = figures.initialMargin
        maintenanceMargin = figures.maintenanceMargin
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("currency", &currency)
        try fields.field("equity", &equity)
        try fields.field("available_funds", &availableFunds)
        try fields.field("initial_margin", &initialMargin)
        try fields.field("maintenance_margin", &maintenanceMargin)
    }
}

/// A reference price of an underlying from sources outside of the contracts that are traded.
public struct ReferencePrice: VenueRecord, Equatable {
    /// The coin.
    public var underlying = ""
    /// Dollars; missing where the sources do not agree on one: then no new risk is taken.
    public var price: Double?

    public init() {}
    public init(_ underlying: String, price: Double?) { (self.underlying, self.price) = (underlying, price) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("underlying", &underlying)
        try fields.field("price", &price)
    }
}

/// What a person, or the watchdog, asks for.
public struct OperatorCommand: VenueRecord, Equatable {
    public enum Action: String, VenueWord {
        case pause, cancel, flatten
        /// Takes a kill switch back: only a person may.
        case release
        /// Trusts an instrument again whose position was not explained, as the venue shows it now.
        case accept
        /// Moves the band of a limit, until the configuration says something else.
        case limit
    }

    public var action = Action.pause
    /// Who or what asks.
    public var by = ""
    public var reason = ""
    /// Of `accept`.
    public var instrumentName: String?
    /// Of `limit`: which one, and its band from now on.
    public var limit: LimitSetting?

    public init() {}
    public init(
        _ action: Action, by: String, reason: String = "", instrumentName: String? = nil,
        limit: LimitSetting? = nil
    ) {
        (self.action, self.by, self.reason, self.instrumentName) = (action, by, reason, instrumentName)
        self.limit = limit
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("action", &action)
        try fields.field("by", &by)
        try fields.field("reason", &reason)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("limit", &limit)
    }
}
