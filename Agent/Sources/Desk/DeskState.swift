import VenueProtocol

/// Everything that a desk remembers, as a snapshot keeps it: written and read again it is the same to the last bit.
struct DeskState: VenueRecord {
    var time = 0
    var run = 0
    var nextOrder = 1
    var nextPlan = 1
    var kill = KillSwitch()
    /// Whether the books have been given what the account held at the first start.
    var hasAdopted = false
    /// Trades before are in what was adopted.
    var adoptedAt = 0
    var holdings: [Holding] = []
    /// In the order in which they were sent, until their last fill is known.
    var orders: [DeskOrder] = []
    /// Orders that are over, the latest last: late trades find their book.
    var closedOrders: [ClosedOrder] = []
    var plans: [Plan] = []
    var seenTrades: [SeenTrades] = []
    var contracts: [Contract] = []
    var indices: [IndexState] = []
    var references: [ReferenceState] = []
    var accounts: [AccountState] = []
    var line = LineState()
    var confirmed = Confirmations()
    var suspects: [Suspect] = []
    var counters = Counters()
    var lines: [LineMemory] = []
    var dust: [Holding] = []
    /// Bands that a person moved while the desk ran.
    var limitChanges: [LimitChange]?
    /// When the desk's own surfaces were fitted last, and the expiries that had none.
    var surfacesAt: Int?
    var withoutSurface: [String]?

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("time", &time)
        try fields.field("run", &run)
        try fields.field("next_order", &nextOrder)
        try fields.field("next_plan", &nextPlan)
        try fields.field("kill", &kill)
        try fields.field("has_adopted", &hasAdopted)
        try fields.field("adopted_at", &adoptedAt)
        try fields.field("holdings", &holdings)
        try fields.field("orders", &orders)
        try fields.field("closed_orders", &closedOrders)
        try fields.field("plans", &plans)
        try fields.field("seen_trades", &seenTrades)
        try fields.field("contracts", &contracts)
        try fields.field("indices", &indices)
        try fields.field("references", &references)
        try fields.field("accounts", &accounts)
        try fields.field("line", &line)
        try fields.field("confirmed", &confirmed)
        try fields.field("suspects", &suspects)
        try fields.field("counters", &counters)
        try fields.field("lines", &lines)
        try fields.field("dust", &dust)
        try fields.field("limit_changes", &limitChanges)
        try fields.field("surfaces_at", &surfacesAt)
        try fields.field("without_surface", &withoutSurface)
    }
}

/// A switch that stops trading, and stays until a person takes it back.
public struct KillSwitch: VenueRecord, Equatable {
    public enum Level: String, VenueWord, Comparable {
        case none
        /// No new risk.
        case pause
        /// Nothing open, verified at the venue.
        case cancel
        /// And no position: orders that reduce alone, within the collar.
        case flatten

        private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
        public static func < (a: Self, b: Self) -> Bool { a.order < b.order }
    }

    public var level = Level.none
    public var by = ""
    public var reason = ""
    /// When it was armed.
    public var since = 0
    /// When the venue listed no open order for the first time since; missing until then.
    public var verifiedAt: Int?
    var nextTry = 0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("level", &level)
        try fields.field("by", &by)
        try fields.field("reason", &reason)
        try fields.field("since", &since)
        try fields.field("verified_at", &verifiedAt)
        try fields.field("next_try", &nextTry)
    }
}

/// What a book holds of an instrument.
public struct Holding: VenueRecord, Equatable {
    public var book = ""
    public var instrumentName = ""
    public var quantity = Quantity.zero

    public init() {}
    init(_ book: String, _ name: String, _ quantity: Quantity) {
        (self.book, instrumentName, self.quantity) = (book, name, quantity)
    }
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("book", &book)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("quantity", &quantity)
    }
}

struct SeenTrades: VenueRecord {
    var currency = ""
    var ids: [String] = []
    var latest = 0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("currency", &currency)
        try fields.field("ids", &ids)
        try fields.field("latest", &latest)
    }
}

struct ClosedOrder: VenueRecord {
    var label = ""
    var orderID = ""
    var book = ""

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("order_id", &orderID)
        try fields.field("book", &book)
    }
}

/// A contract of the venue and what was told last of it, each with the time at which it came.
struct Contract: VenueRecord {
    var instrument = VenueInstrument()
    var state = BookState.open
    var ticker: MarketTicker?
    var tickerTime = 0
    var book: BookView?
    var bookTime = 0
    /// Whether it may be traded to hedge.
    var isCandidate = false
    /// Whether it came to its end.
    var isDelivered = false
    /// Nothing new of it until a difference to the venue is explained.
    var isBlocked = false
    /// Why its latest prices are not in the exposures.
    var refusal: String?

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument", &instrument)
        try fields.field("state", &state)
        try fields.field("ticker", &ticker)
        try fields.field("ticker_time", &tickerTime)
        try fields.field("book", &book)
        try fields.field("book_time", &bookTime)
        try fields.field("is_candidate", &isCandidate)
        try fields.field("is_delivered", &isDelivered)
        try fields.field("is_blocked", &isBlocked)
        try fields.field("refusal", &refusal)
    }
}

struct IndexState: VenueRecord {
    var name = ""
    var price = 0.0
    var time = 0
    /// At which candidates were chosen last; 0 where they are to be chosen anew.
    var chosenPrice = 0.0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("name", &name)
        try fields.field("price", &price)
        try fields.field("time", &time)
        try fields.field("chosen_price", &chosenPrice)
    }
}

struct ReferenceState: VenueRecord {
    var reference = ReferencePrice()
    var time = 0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("reference", &reference)
        try fields.field("time", &time)
    }
}

struct AccountState: VenueRecord {
    var line = AccountLine()
    var time = 0
    /// Equity at the beginning of the day, and the most since.
    var start = 0.0
    var peak = 0.0
    var day = 0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("line", &line)
        try fields.field("time", &time)
        try fields.field("start", &start)
        try fields.field("peak", &peak)
        try fields.field("day", &day)
    }
}

/// What the venue has listed whole since the connection opened.
struct Confirmations: VenueRecord, Equatable {
    var instruments = false
    var openOrders = false
    var positions = false
    var positionsTime = 0
    var wasReady = false
    /// When all was confirmed last.
    var readyAt: Int?

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instruments", &instruments)
        try fields.field("open_orders", &openOrders)
        try fields.field("positions", &positions)
        try fields.field("positions_time", &positionsTime)
        try fields.field("was_ready", &wasReady)
        try fields.field("ready_at", &readyAt)
    }
}

/// A difference between the books and the venue that was seen once: the next list decides.
struct Suspect: VenueRecord {
    var instrumentName = ""
    var own = Quantity.zero
    var venue = Quantity.zero
    var isConfirmed = false

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("own", &own)
        try fields.field("venue", &venue)
        try fields.field("is_confirmed", &isConfirmed)
    }
}

/// What is counted.
public struct Counters: VenueRecord, Equatable {
    public var events = 0
    public var decisions = 0
    public var plans = 0
    public var sent = 0
    public var refused = 0
    public var guarded = 0
    public var fills = 0
    public var duplicates = 0
    public var unknown = 0
    public var mismatches = 0
    public var refusalsInARow = 0
    public var day = 0
    public var sentToday = 0
    /// Times of the orders of the last second, and instrument and side of those of the throttle's time.
    var recent: [SentOrder] = []
    public var shortfall = Shortfall()

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("events", &events)
        try fields.field("decisions", &decisions)
        try fields.field("plans", &plans)
        try fields.field("sent", &sent)
        try fields.field("refused", &refused)
        try fields.field("guarded", &guarded)
        try fields.field("fills", &fills)
        try fields.field("duplicates", &duplicates)
        try fields.field("unknown", &unknown)
        try fields.field("mismatches", &mismatches)
        try fields.field("refusals_in_a_row", &refusalsInARow)
        try fields.field("day", &day)
        try fields.field("sent_today", &sentToday)
        try fields.field("recent", &recent)
        try fields.field("shortfall", &shortfall)
    }
}

struct SentOrder: VenueRecord, Equatable {
    var time = 0
    var instrumentName = ""
    var quantity = Quantity.zero
    var price = 0.0

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("time", &time)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("quantity", &quantity)
        try fields.field("price", &price)
    }
}

/// A band that a person moved, and where the configuration had it: once that says something else, it holds again.
struct LimitChange: VenueRecord, Equatable {
    var configured = LimitSetting()
    var changed = LimitSetting()

    init() {}
    init(_ configured: LimitSetting, _ changed: LimitSetting) {
        (self.configured, self.changed) = (configured, changed)
    }
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("configured", &configured)
        try fields.field("changed", &changed)
    }
}

/// What a line of limits remembers between decisions.
struct LineMemory: VenueRecord {
    var book: String?
    var underlying = ""
    var decidedAt = 0
    var restUntil = 0
    var outsideSince: Int?
    /// Why nothing is done about it.
    var reason = ""
    var lastHedge: Int?
    /// Milliseconds outside so far.
    var timeOutside = 0
    /// Whether nobody can say if it is outside.
    var isUndecided: Bool?

    init() {}
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("book", &book)
        try fields.field("underlying", &underlying)
        try fields.field("decided_at", &decidedAt)
        try fields.field("rest_until", &restUntil)
        try fields.field("outside_since", &outsideSince)
        try fields.field("reason", &reason)
        try fields.field("last_hedge", &lastHedge)
        try fields.field("time_outside", &timeOutside)
        try fields.field("is_undecided", &isUndecided)
    }
}
