import VenueProtocol

/// What can go wrong at a venue.
public enum FaultKind: String, VenueWord {
    // Books: of messages that are changes.
    /// A change is left out.
    case bookGap = "book_gap"
    case bookDuplicate = "book_duplicate"
    /// A change comes after the one that follows it.
    case bookOutOfOrder = "book_out_of_order"
    /// A change has a bid above the best ask.
    case bookCrossed = "book_crossed"
    /// Change ids begin anew, as after a restart of the engine; once.
    case changeIDReset = "change_id_reset"
    /// Makers leave a side of the books, or both; as long as it lasts.
    case emptySide = "empty_side"

    // Messages.
    /// A notification is lost, comes twice, or after the next one; of the account's trades unless a channel is given.
    case dropNotification = "drop_notification"
    case repeatNotification = "repeat_notification"
    case swapNotifications = "swap_notifications"
    /// What a request brought about is told before its reply.
    case notificationFirst = "notification_before_reply"
    /// A reply comes after the next one.
    case swapReplies = "swap_replies"
    /// A request is lost on its way.
    case dropRequest = "drop_request"
    /// A request is carried out and its reply lost, is 11094, or the connection closes instead.
    case dropReply = "drop_reply"
    case internalError = "internal_error"
    case closeAfterRequest = "close_after_request"
    /// A channel that is asked for is neither taken nor named in the reply.
    case missingChannel = "missing_channel"

    // Requests.
    /// A request is refused with `code`.
    case reject
    /// 10028, and the session ends.
    case tooManyRequests = "too_many_requests"
    /// 10047.
    case queueFull = "queue_full"
    /// The order that a cancel or an edit is about is filled first: by `fraction`, or wholly.
    case fillFirst = "fill_first"

    // Connections; once, for those that there are.
    /// Nothing passes any more in either direction, and nobody is told.
    case halfOpen = "half_open"
    /// Closed with `code`; 1006 is without a word.
    case close
    /// Nothing goes out for a while, and then all of it: as for a reader that is too slow.
    case stall
    /// The question that a quiet connection has to answer is lost, so that it is closed.
    case dropTestRequest = "drop_test_request"
    /// Upgrades are refused with status 429; as long as it lasts.
    case refuseConnections = "refuse_connections"
    /// Tokens die before their time; once.
    case expireTokens = "expire_tokens"

    // The venue; as long as it lasts.
    /// Orders are refused with 10041.
    case settling
    /// All connections are closed, requests are refused with 11051; then books take cancels alone for as long again.
    case maintenance
    /// An index stands still and is said to be locked.
    case indexLock = "index_lock"
    /// The venue's clock is `milliseconds` ahead.
    case clockSkew = "clock_skew"
    /// The exchange's time goes on to 08:00 at once.
    case settlement

    /// Whether it is a state or an event of its own; the others strike messages and requests as they come.
    var isState: Bool {
        switch self {
        case .changeIDReset, .emptySide, .halfOpen, .close, .stall, .refuseConnections, .expireTokens,
            .settling,
            .maintenance, .indexLock, .clockSkew, .settlement:
            true
        default: false
        }
    }

    /// Whether it is over as soon as it has begun.
    var isMoment: Bool {
        switch self {
        case .changeIDReset, .halfOpen, .close, .stall, .expireTokens, .settlement: true
        default: false
        }
    }
}

/// A fault, and when and whom it strikes. What is left out does not choose.
public struct FaultRule: VenueRecord {
    public var kind = FaultKind.bookGap
    /// Of messages and requests that it may strike, those that it does.
    public var probability: Double?
    /// Times that it strikes at most.
    public var count: Int?
    /// Milliseconds of the exchange's time until it begins, and as long as it lasts from then on.
    public var after: Int?
    public var lasts: Int?
    /// Beginnings of channels, instruments and methods' names, and an account's name.
    public var channel: String?
    public var instrument: String?
    public var method: String?
    public var account: String?
    public var index: String?
    public var side: Direction?
    /// Of a refusal or a close.
    public var code: Int?
    /// Of a stall by the wall's clock, or of the skew.
    public var milliseconds: Int?
    /// Of an order that is filled first.
    public var fraction: Double?

    public init() {}
    public init(_ kind: FaultKind) { self.kind = kind }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("kind", &kind)
        try fields.field("probability", &probability)
        try fields.field("count", &count)
        try fields.field("after", &after)
        try fields.field("lasts", &lasts)
        try fields.field("channel", &channel)
        try fields.field("instrument", &instrument)
        try fields.field("method", &method)
        try fields.field("account", &account)
        try fields.field("index", &index)
        try fields.field("side", &side)
        try fields.field("code", &code)
        try fields.field("milliseconds", &milliseconds)
        try fields.field("fraction", &fraction)
    }

    static let keys: Set<String> = [
        "kind", "probability", "count", "after", "lasts", "channel", "instrument", "method", "account",
        "index", "side",
        "code", "milliseconds", "fraction",
    ]

    /// A rule with every key known and every figure in its range.
    public init(checked json: JSONValue) throws(VenueProtocolError) {
        for member in json.members ?? [] where !Self.keys.contains(member.key) {
            throw .unexpected(
                path: member.key, expected: "one of \(Self.keys.sorted().joined(separator: ", "))",
                found: String(decoding: member.value.text.prefix(40), as: UTF8.self))
        }
        try self.init(json)
        func check(_ name: String, _ value: Double?, _ range: ClosedRange<Double>) throws(VenueProtocolError)
        {
            guard let value, !range.contains(value) else { return }
            throw .unexpected(
                path: name, expected: "from \(range.lowerBound) to \(range.upperBound)", found: "\(value)")
        }
        try check("probability", probability, 0...1)
        try check("fraction", fraction, 0...1)
        let most = 1e12
        try check("count", count.map(Double.init), 0...most)
        try check("after", after.map(Double.init), 0...most)
        try check("lasts", lasts.map(Double.init), 0...most)
        try check("milliseconds", milliseconds.map(Double.init), -most...most)
        if kind == .close || kind == .closeAfterRequest {
            try check("code", code.map(Double.init), 1_000...4_999)
        }
        if kind == .reject, code == nil { throw .missing(path: "code") }
        if kind == .clockSkew, milliseconds == nil { throw .missing(path: "milliseconds") }
    }
}
