import VenueProtocol

/// An order of the desk's, from the intent to its last fill.
public struct DeskOrder: VenueRecord, Equatable {
    public enum Phase: String, VenueWord {
        /// On its way: the venue has not answered.
        case sent
        case open
        /// No answer came, or a process ended before it did: it may be alive.
        case unknown
        /// Over at the venue, which counts more filled than has come here.
        case missingFills = "missing_fills"
    }

    public var label = ""
    public var orderID: String?
    public var instrumentName = ""
    public var book = ""
    public var plan = 0
    /// Positive is bought.
    public var quantity = Quantity.zero
    public var filled = Quantity.zero
    public var price = 0.0
    public var style = ExecutionSettings.Style.cross
    public var isReducing = false
    public var phase = Phase.sent
    public var sentAt = 0
    /// From when on the venue refuses it if it had not arrived.
    var validUntil = 0
    /// What the venue counts as filled, once it is over.
    var venueFilled: Quantity?
    /// Of the venue's last word on it.
    var updatedAt = 0
    /// The most that it has said to be filled.
    var announced = Quantity.zero
    var cancelAsked = false
    var nextTry = 0
    var prices = ArrivalPrices()

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("order_id", &orderID)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("book", &book)
        try fields.field("plan", &plan)
        try fields.field("quantity", &quantity)
        try fields.field("filled", &filled)
        try fields.field("price", &price)
        try fields.field("style", &style)
        try fields.field("is_reducing", &isReducing)
        try fields.field("phase", &phase)
        try fields.field("sent_at", &sentAt)
        try fields.field("valid_until", &validUntil)
        try fields.field("venue_filled", &venueFilled)
        try fields.field("updated_at", &updatedAt)
        try fields.field("announced", &announced)
        try fields.field("cancel_asked", &cancelAsked)
        try fields.field("next_try", &nextTry)
        try fields.field("prices", &prices)
    }

    /// What may still be filled.
    public var remaining: Quantity { quantity - filled }
    /// Whether it may be matched at the venue.
    public var isWorking: Bool { phase != .missingFills }
}

/// A hedge on its way: trades of one underlying for one book, worked order by order.
public struct Plan: VenueRecord {
    /// The trade of one instrument.
    public struct Leg: VenueRecord {
        public var instrumentName = ""
        public var target = Quantity.zero
        public var filled = Quantity.zero
        public var style = ExecutionSettings.Style.cross
        /// Of the order that works it; empty between orders.
        public var label = ""
        public var isOver = false
        /// Between the best prices when it was decided.
        var middle = 0.0
        var notBefore = 0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("instrument_name", &instrumentName)
            try fields.field("target", &target)
            try fields.field("filled", &filled)
            try fields.field("style", &style)
            try fields.field("label", &label)
            try fields.field("is_over", &isOver)
            try fields.field("middle", &middle)
            try fields.field("not_before", &notBefore)
        }
    }

    public var number = 0
    /// Nil for all books together; what is filled goes to the first one then.
    public var book: String?
    public var underlying = ""
    public var startedAt = 0
    public var legs: [Leg] = []
    /// Closes positions on a person's word, rather than a band's.
    public var isFlattening = false

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("number", &number)
        try fields.field("book", &book)
        try fields.field("underlying", &underlying)
        try fields.field("started_at", &startedAt)
        try fields.field("legs", &legs)
        try fields.field("is_flattening", &isFlattening)
    }

    public var isOver: Bool { legs.allSatisfy(\.isOver) }
}

/// The prices that a fill is measured against.
struct ArrivalPrices: VenueRecord, Equatable {
    /// Between the best prices when the trade was decided, and when the order was sent.
    var decided = 0.0
    var sent = 0.0
    /// The best price that the order could have met when it was sent.
    var touch = 0.0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("decided", &decided)
        try fields.field("sent", &sent)
        try fields.field("touch", &touch)
    }
}

/// What hedges have cost against the middle at decision, in dollars; a gain is negative. The parts add up to the total.
public struct Shortfall: VenueRecord, Equatable {
    /// Half of the spread when the order was sent.
    public var spread = 0.0
    /// Beyond the touch; negative where an order waited and was met.
    public var impact = 0.0
    /// What the middle moved from decision to sending.
    public var delay = 0.0
    public var fees = 0.0
    public var total: Double { spread + impact + delay + fees }

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("spread", &spread)
        try fields.field("impact", &impact)
        try fields.field("delay", &delay)
        try fields.field("fees", &fees)
    }

    /// - Parameters:
    ///   - perPrice: dollars that the fill gains or loses when the price moves by one, for a buyer.
    ///   - fee: in dollars.
    init(_ arrival: ArrivalPrices, price: Double, direction: Direction, perPrice: Double, fee: Double) {
        let sign = Double(direction.sign) * perPrice
        delay = sign * (arrival.sent - arrival.decided)
        spread = sign * (arrival.touch - arrival.sent)
        impact = sign * (price - arrival.touch)
        fees = fee
    }

    static func += (a: inout Shortfall, b: Shortfall) {
        a.spread += b.spread
        a.impact += b.impact
        a.delay += b.delay
        a.fees += b.fees
    }
}
