import VenueProtocol

/// What a desk is made with: books, the bands that they are kept in, with what, how, and within which guards.
public struct DeskConfiguration: VenueRecord {
    /// The beginning of the labels of its orders, by which it knows them again. Letters and digits.
    public var name = "poise"
    /// The first one has what no other book is given.
    public var books: [BookSetting] = [BookSetting("main")]
    public var limits: [LimitSetting] = []
    public var candidates = CandidateSettings()
    public var execution = ExecutionSettings()
    public var guards = GuardSettings()
    /// From one fit of the desk's own surfaces to the next, where a book is valued by them.
    public var surfaceSeconds = 1.0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.setting("name", &name)
        try fields.setting("books", &books)
        try fields.field("limits", &limits)
        try fields.setting("candidates", &candidates)
        try fields.setting("execution", &execution)
        try fields.setting("guards", &guards)
        try fields.setting("surface_seconds", &surfaceSeconds)
    }
}

extension FieldVisitor {
    /// A setting: where it is left out, it stays as it is.
    public mutating func setting<Value: VenueValue>(
        _ name: StaticString, _ value: inout Value
    ) throws(VenueProtocolError) {
        var some: Value? = value
        try field(name, &some)
        value = some ?? value
    }
}

public struct BookSetting: VenueRecord, Equatable {
    public enum Volatilities: String, VenueWord {
        /// Those of the exchange's marks.
        case exchange
        /// Those of a surface that the desk fits to the order books.
        case own
    }

    public var name = ""
    /// Of what the account holds at the first start, the book's; by instrument.
    public var positions: [BookPosition]?
    /// By which its options are valued; the exchange's where it does not say.
    public var volatilities: Volatilities?

    public init() {}
    public init(_ name: String, _ positions: [BookPosition]? = nil) {
        (self.name, self.positions) = (name, positions)
    }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("name", &name)
        try fields.field("positions", &positions)
        try fields.field("volatilities", &volatilities)
    }
}

public struct BookPosition: VenueRecord, Equatable {
    public var instrumentName = ""
    /// In the instrument's unit; positive is long.
    public var amount = 0.0

    public init() {}
    public init(_ name: String, _ amount: Double) { (instrumentName, self.amount) = (name, amount) }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument", &instrumentName)
        try fields.field("amount", &amount)
    }
}

/// A band: an exposure of a book, or of all together, in one underlying, in US dollars as `poise risk` prints it.
public struct LimitSetting: VenueRecord, Equatable {
    public var book: String?
    public var underlying = ""
    /// `delta`, `net_delta`, `gamma`, `vega`, `theta`, …
    public var greek = ""
    public var low: Double?
    public var high: Double?
    /// Where a hedge brings an exposure that has left the band: 1 is its edge, 0 its middle.
    public var landing: Double?
    public var policy: PolicySetting?

    public init() {}
    public init(
        book: String? = nil, _ underlying: String, _ greek: String, low: Double? = nil, high: Double? = nil,
        landing: Double? = nil, policy: PolicySetting? = nil
    ) {
        self.book = book
        self.underlying = underlying
        self.greek = greek
        self.low = low
        self.high = high
        self.landing = landing
        self.policy = policy
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("book", &book)
        try fields.field("underlying", &underlying)
        try fields.field("greek", &greek)
        try fields.field("low", &low)
        try fields.field("high", &high)
        try fields.field("landing", &landing)
        try fields.field("policy", &policy)
    }
}

/// Who decides how wide a band is, in place of `low` and `high`.
public struct PolicySetting: VenueRecord, Equatable {
    public enum Kind: String, VenueWord {
        case threshold
        case whalleyWilmott = "whalley_wilmott"
        case zakamouline
    }

    public var kind = Kind.threshold
    /// Of `threshold`: half the band, in the limit's unit.
    public var halfWidth: Double?
    /// Of the other two, per dollar.
    public var riskAversion: Double?
    /// Coins at the touch below which bands widen.
    public var referenceDepth: Double?
    /// Seconds up to which prices count as new, and from which on nothing is traded.
    public var freshSeconds: Double?
    public var staleSeconds: Double?

    public init() {}
    public init(_ kind: Kind) { self.kind = kind }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("kind", &kind)
        try fields.field("half_width", &halfWidth)
        try fields.field("risk_aversion", &riskAversion)
        try fields.field("reference_depth_coins", &referenceDepth)
        try fields.field("fresh_seconds", &freshSeconds)
        try fields.field("stale_seconds", &staleSeconds)
    }
}

/// With what hedges may be made, of each underlying that a limit names.
public struct CandidateSettings: VenueRecord, Equatable {
    public var perpetuals = true
    public var futures = false
    /// How many expiries of options, the nearest first; 0 for none.
    public var optionExpiries = 0
    /// Strikes per expiry on each side of the money.
    public var optionStrikes = 2
    /// Days that an option or future must have left.
    public var leastDays = 2.0
    /// Contracts in coins only, in quote currency only, or both.
    public var inverse = true
    public var linear = false

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.setting("perpetuals", &perpetuals)
        try fields.setting("futures", &futures)
        try fields.setting("option_expiries", &optionExpiries)
        try fields.setting("option_strikes", &optionStrikes)
        try fields.setting("least_days", &leastDays)
        try fields.setting("inverse", &inverse)
        try fields.setting("linear", &linear)
    }
}

/// How hedges become orders.
public struct ExecutionSettings: VenueRecord, Equatable {
    public enum Style: String, VenueWord {
        /// A limit order through the touch, at most as far as the collar, for what is there at once.
        case cross
        /// A post-only order at the touch, which follows it and crosses after a time.
        case join
    }

    public var futures = Style.cross
    public var options = Style.join
    /// Milliseconds after which what joined crosses.
    public var crossAfter = 20_000
    /// From one decision about an underlying to the next.
    public var decisionInterval = 250
    /// After a plan came to its end, before the next one.
    public var rest = 500
    /// From the sending of an order to its last chance at the venue (`valid_until`).
    public var orderLife = 2_000
    /// Without an answer for so long, an order's fate is unknown.
    public var answerDeadline = 5_000
    /// From one try to cancel, to look up or to ask again to the next.
    public var retry = 1_000

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.setting("futures", &futures)
        try fields.setting("options", &options)
        try fields.setting("cross_after_ms", &crossAfter)
        try fields.setting("decision_interval_ms", &decisionInterval)
        try fields.setting("rest_ms", &rest)
        try fields.setting("order_life_ms", &orderLife)
        try fields.setting("answer_deadline_ms", &answerDeadline)
        try fields.setting("retry_ms", &retry)
    }
}

/// What no order may exceed, and what stops all of them. A missing bound is no bound.
public struct GuardSettings: VenueRecord, Equatable {
    // An order.
    public var futureAmount: Double?
    public var optionAmount: Double?
    public var orderNotional = 1_000_000.0
    /// Of a future's price from its mark.
    public var collarShare = 0.01
    /// Of an option's price from its mark, in points of volatility, and in ticks; the wider of the two holds.
    public var collarPoints = 5.0
    public var collarTicks = 10.0
    /// Beyond the touch, as a share of the price for futures, in ticks for options.
    public var touchShare = 0.002
    public var touchTicks = 6.0
    public var duplicateMilliseconds = 200
    /// Orders of one instrument and side within a time, before a person has to look.
    public var repeatedOrders = 60
    public var repeatedSeconds = 60.0
    // All that work together.
    public var openOrders = 40
    public var ordersPerSecond = 5
    public var ordersPerDay = 20_000
    /// Of an underlying, in dollars, with all working orders filled at the worst.
    public var delta: Double?
    public var gamma: Double?
    public var vega: Double?
    /// Of an instrument, in dollars of what it stands for.
    public var position: Double?
    /// The share of an account's equity that must be available after the order.
    public var marginReserve = 0.05
    public var futureMargin = 0.02
    public var optionMargin = 0.15
    // The day.
    public var loss: Double?
    public var drawdown: Double?
    public var refusalsInARow = 10
    // Inputs, in milliseconds.
    public var tickerAge = 10_000
    public var bookAge = 60_000
    public var indexAge = 10_000
    public var accountAge = 120_000
    public var positionsAge = 120_000
    public var clockOffset = 500.0
    public var minutesToExpiry = 10.0
    /// A mark's distance from the reference price, as a share.
    public var referenceDeviation = 0.02
    public var needsReference = false

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("future_amount", &futureAmount)
        try fields.field("option_amount", &optionAmount)
        try fields.setting("order_notional_usd", &orderNotional)
        try fields.setting("collar_share", &collarShare)
        try fields.setting("collar_points", &collarPoints)
        try fields.setting("collar_ticks", &collarTicks)
        try fields.setting("touch_share", &touchShare)
        try fields.setting("touch_ticks", &touchTicks)
        try fields.setting("duplicate_ms", &duplicateMilliseconds)
        try fields.setting("repeated_orders", &repeatedOrders)
        try fields.setting("repeated_seconds", &repeatedSeconds)
        try fields.setting("open_orders", &openOrders)
        try fields.setting("orders_per_second", &ordersPerSecond)
        try fields.setting("orders_per_day", &ordersPerDay)
        try fields.field("delta_usd", &delta)
        try fields.field("gamma_usd_per_percent", &gamma)
        try fields.field("vega_usd_per_point", &vega)
        try fields.field("position_usd", &position)
        try fields.setting("margin_reserve", &marginReserve)
        try fields.setting("future_margin", &futureMargin)
        try fields.setting("option_margin", &optionMargin)
        try fields.field("loss_usd", &loss)
        try fields.field("drawdown_usd", &drawdown)
        try fields.setting("refusals_in_a_row", &refusalsInARow)
        try fields.setting("ticker_age_ms", &tickerAge)
        try fields.setting("book_age_ms", &bookAge)
        try fields.setting("index_age_ms", &indexAge)
        try fields.setting("account_age_ms", &accountAge)
        try fields.setting("positions_age_ms", &positionsAge)
        try fields.setting("clock_offset_ms", &clockOffset)
        try fields.setting("minutes_to_expiry", &minutesToExpiry)
        try fields.setting("reference_deviation", &referenceDeviation)
        try fields.setting("needs_reference", &needsReference)
    }
}
