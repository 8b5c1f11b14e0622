import VenueProtocol

/// What the desk wants done or said, in its order. An order is in the journal before it is sent.
public enum DeskIntent: Sendable {
    case place(OrderRequest)
    /// By the venue's number, with the order's label.
    case cancel(orderID: String, label: String)
    /// Everything of the account, whoever placed it.
    case cancelAll
    /// The fate of an order is to be found out by its label: the venue's answer comes as `order`, `trades` and `absent`.
    case lookUp(label: String, currency: String)
    /// Trades of a currency from a time on, as one that was announced has not come.
    case askTrades(currency: String, since: Int)
    case askOpenOrders
    case askPositions
    case report(DeskReport)
}

/// Something that a person should be able to read, with its figures.
public struct DeskReport: VenueRecord, Equatable {
    public enum Kind: String, VenueWord {
        case ready
        case notReady = "not_ready"
        case decision, plan, order, fill, done
        case guarded, refused, unknown, alarm, unhedged, mismatch, resolved, kill, delivered, foreign
    }

    public var time = 0
    public var kind = Kind.alarm
    /// What it is about: an instrument, an underlying, a guard.
    public var subject = ""
    public var text = ""
    /// The figure that decided, and what it was held against.
    public var figure: Double?
    public var bound: Double?

    public init() {}
    public init(
        _ kind: Kind, _ subject: String, _ text: String, figure: Double? = nil, bound: Double? = nil,
        at time: Int
    ) {
        (self.kind, self.subject, self.text, self.time) = (kind, subject, text, time)
        // No number has no form in JSON: it is left out.
        self.figure = figure.flatMap { $0.isFinite ? $0 : nil }
        self.bound = bound.flatMap { $0.isFinite ? $0 : nil }
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("time", &time)
        try fields.field("kind", &kind)
        try fields.field("subject", &subject)
        try fields.field("text", &text)
        try fields.field("figure", &figure)
        try fields.field("bound", &bound)
    }
}

extension DeskIntent {
    /// Whether it may reach the venue's matching.
    public var isSent: Bool {
        switch self {
        case .place, .cancel, .cancelAll: true
        case .lookUp, .askTrades, .askOpenOrders, .askPositions, .report: false
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .place(let request):
                writer.member("direction", request.direction)
                writer.member("place", request)
            case .cancel(let id, let label):
                writer.member("cancel", id)
                writer.member("label", label)
            case .cancelAll: writer.member("cancel_all", true)
            case .lookUp(let label, let currency):
                writer.member("look_up", label)
                writer.member("currency", currency)
            case .askTrades(let currency, let since):
                writer.member("ask_trades", currency)
                writer.member("since", since)
            case .askOpenOrders: writer.member("ask_open_orders", true)
            case .askPositions: writer.member("ask_positions", true)
            case .report(let report): writer.member("report", report)
            }
        }
    }

    /// As a journal keeps it.
    public static func json(_ intents: [DeskIntent]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in for intent in intents { intent.write(to: &writer) } }
        return writer.bytes
    }
}
