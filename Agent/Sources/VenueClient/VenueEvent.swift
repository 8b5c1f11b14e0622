import VenueProtocol

/// The two connections to a venue: what floods the one does not keep the other's orders waiting.
public enum VenueLine: String, VenueWord {
    case market, trading
}

/// Something that happened at a venue, or on the way to it: a plain value, which can be written down as JSON and read
/// again, so that who takes events one by one may keep them and go through them again.
public struct VenueEvent: Sendable {
    /// Microseconds of the client's clock, which goes on evenly and began as the wall's, since 1970.
    public var time: Int
    public var content: Content

    public init(time: Int, _ content: Content) {
        self.time = time
        self.content = content
    }

    public enum Content: Sendable {
        // Lines.
        /// A line is up: authenticated, beating, all its channels confirmed; the trading line reconciled too.
        case ready(VenueLine)
        /// A line is not to be relied upon any more. Books of the market line are invalid; what was under way on the
        /// trading line is unknown until `ready`.
        case lost(VenueLine, reason: String)
        /// Microseconds that the venue's clock is ahead of the client's, and how long it took to ask.
        case clock(offset: Int, roundTrip: Int)
        /// Channels that the venue does not confirm; they are asked for again.
        case refused([String])
        /// A channel that speaks by the clock was silent for too long; it is asked for anew.
        case silent(String)
        /// A message that could not be read, or was not understood.
        case unreadable(channel: String, reason: String)
        /// Events of the market were dropped, as they were not taken; books are invalid until their snapshots.
        case overflow(dropped: Int)
        /// Time goes on.
        case tick

        // The market.
        /// All that are listed in a currency; those of the currency that are not in it are gone.
        case instruments(currency: String, [Instrument])
        case instrument(Instrument)
        case instrumentState(InstrumentStateChange)
        /// A snapshot, or a change that follows the last one.
        case book(BookMessage)
        /// A gap, a crossed book, a level that is not there: nothing of the book is to be used until a snapshot.
        case bookInvalid(instrument: String, reason: String)
        case ticker(MarketTicker)
        case marks(index: String, [MarkPrice])
        case index(IndexPrice)
        case trades([PublicTrade])
        case platform(PlatformState)
        /// The same as a whole, asked for on every opening: what changed while the line was down.
        case status(PlatformStatus)
        /// A whole chain with bids, asks, marks and underlyings, as asked for on a schedule.
        case chain(currency: String, [BookSummary])
        /// Another channel's message as it came.
        case other(channel: String, JSONValue)

        // The account.
        case account(AccountChange)
        /// The one reply to a request, in its deadline.
        case outcome(tag: Int, RequestOutcome)
    }
}

/// What a request came to.
public enum RequestOutcome: Sendable {
    /// Of `place` and `edit`.
    case order(OrderReply)
    /// Of any other request.
    case result(JSONValue)
    /// Refused, by the venue or before it was sent: nothing was done.
    case fault(VenueFault)
    /// It may have been done or not. An order is looked up: `AccountChange.intent` or `.order` tells its fate.
    case unknown(String)
}

// MARK: JSON

extension VenueEvent: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        let head = try Head(json)
        time = head.time
        content = try Content(head.type, head.name, head.content ?? .null)
    }

    public func write(to writer: inout JSONWriter) {
        var head = Head()
        head.time = time
        var inner = JSONWriter()
        (head.type, head.name) = content.write(to: &inner)
        writer.object { writer in
            writer.member("time", head.time)
            writer.member("type", head.type)
            if let name = head.name { writer.member("name", name) }
            if !inner.bytes.isEmpty {
                writer.key("content")
                writer.raw(inner.bytes)
            }
        }
    }

    /// The event as a line of JSON.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    private struct Head: VenueRecord {
        var time = 0
        var type = ""
        var name: String?
        var content: JSONValue?

        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("time", &time)
            try fields.field("type", &type)
            try fields.field("name", &name)
            try fields.field("content", &content)
        }
    }
}

extension VenueEvent.Content {
    /// - Returns: the event's type, and the name of what it is about.
    fileprivate func write(to writer: inout JSONWriter) -> (type: String, name: String?) {
        switch self {
        case .ready(let line): return ("ready", line.rawValue)
        case .lost(let line, let reason):
            writer.string(reason)
            return ("lost", line.rawValue)
        case .clock(let offset, let roundTrip):
            [offset, roundTrip].write(to: &writer)
            return ("clock", nil)
        case .refused(let channels):
            channels.write(to: &writer)
            return ("refused", nil)
        case .silent(let channel): return ("silent", channel)
        case .unreadable(let channel, let reason):
            writer.string(reason)
            return ("unreadable", channel)
        case .overflow(let dropped):
            writer.integer(dropped)
            return ("overflow", nil)
        case .tick: return ("tick", nil)
        case .instruments(let currency, let list):
            list.write(to: &writer)
            return ("instruments", currency)
        case .instrument(let instrument):
            instrument.write(to: &writer)
            return ("instrument", nil)
        case .instrumentState(let change):
            change.write(to: &writer)
            return ("instrument_state", nil)
        case .book(let message):
            message.write(to: &writer)
            return ("book", nil)
        case .bookInvalid(let instrument, let reason):
            writer.string(reason)
            return ("book_invalid", instrument)
        case .ticker(let ticker):
            ticker.write(to: &writer)
            return ("ticker", nil)
        case .marks(let index, let marks):
            marks.write(to: &writer)
            return ("marks", index)
        case .index(let price):
            price.write(to: &writer)
            return ("index", nil)
        case .trades(let trades):
            trades.write(to: &writer)
            return ("trades", nil)
        case .platform(let state):
            state.write(to: &writer)
            return ("platform", nil)
        case .status(let status):
            status.write(to: &writer)
            return ("status", nil)
        case .chain(let currency, let rows):
            rows.write(to: &writer)
            return ("chain", currency)
        case .other(let channel, let content):
            content.write(to: &writer)
            return ("other", channel)
        case .account(let change): return change.write(to: &writer)
        case .outcome(let tag, let outcome):
            outcome.write(to: &writer)
            return ("outcome", String(tag))
        }
    }

    fileprivate init(_ type: String, _ name: String?, _ json: JSONValue) throws(VenueProtocolError) {
        func named() throws(VenueProtocolError) -> String {
            guard let name else { throw .missing(path: "name") }
            return name
        }
        func line() throws(VenueProtocolError) -> VenueLine {
            guard let line = VenueLine(rawValue: try named()) else {
                throw .unexpected(path: "name", expected: "market, trading", found: name ?? "")
            }
            return line
        }
        switch type {
        case "ready": self = .ready(try line())
        case "lost": self = .lost(try line(), reason: try String(json))
        case "clock":
            let pair = try [Int](json)
            guard pair.count == 2 else {
                throw .unexpected(path: "content", expected: "[offset, round trip]", found: "\(pair)")
            }
            self = .clock(offset: pair[0], roundTrip: pair[1])
        case "refused": self = .refused(try [String](json))
        case "silent": self = .silent(try named())
        case "unreadable": self = .unreadable(channel: try named(), reason: try String(json))
        case "overflow": self = .overflow(dropped: try Int(json))
        case "tick": self = .tick
        case "instruments": self = .instruments(currency: try named(), try [Instrument](json))
        case "instrument": self = .instrument(try Instrument(json))
        case "instrument_state": self = .instrumentState(try InstrumentStateChange(json))
        case "book": self = .book(try BookMessage(json))
        case "book_invalid": self = .bookInvalid(instrument: try named(), reason: try String(json))
        case "ticker": self = .ticker(try MarketTicker(json))
        case "marks": self = .marks(index: try named(), try [MarkPrice](json))
        case "index": self = .index(try IndexPrice(json))
        case "trades": self = .trades(try [PublicTrade](json))
        case "platform": self = .platform(try PlatformState(json))
        case "status": self = .status(try PlatformStatus(json))
        case "chain": self = .chain(currency: try named(), try [BookSummary](json))
        case "other": self = .other(channel: try named(), json)
        case "outcome":
            guard let tag = Int(try named()) else {
                throw .unexpected(path: "name", expected: "a tag", found: name ?? "")
            }
            self = .outcome(tag: tag, try RequestOutcome(json))
        default:
            guard let change = try AccountChange(type, name, json) else {
                throw .unexpected(path: "type", expected: "an event", found: type)
            }
            self = .account(change)
        }
    }
}

extension RequestOutcome: VenueValue {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        if let order = json["order"] {
            self = .order(try OrderReply(order))
        } else if let fault = json["fault"] {
            self = .fault(try VenueFault(fault))
        } else if let reason = json["unknown"] {
            self = .unknown(try String(reason))
        } else if let result = json["result"] {
            self = .result(result)
        } else {
            throw .missing(path: "order, result, fault or unknown")
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .order(let reply): writer.member("order", reply)
            case .result(let result): writer.member("result", result)
            case .fault(let fault): writer.member("fault", fault)
            case .unknown(let reason): writer.member("unknown", reason)
            }
        }
    }
}
