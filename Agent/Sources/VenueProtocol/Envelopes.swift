/// What a request is called by: a number or a text, given back as it came.
public enum RequestID: VenueValue, Hashable {
    case number(Int)
    case text(String)

    public init(_ json: JSONValue) throws(VenueProtocolError) {
        if let text = json.string {
            self = .text(text)
        } else if let number = json.integer {
            self = .number(number)
        } else {
            throw .unexpected(json, expected: "a whole number or a text")
        }
    }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .number(let number): writer.integer(number)
        case .text(let text): writer.string(text)
        }
    }
}

/// A request as it arrives: the parameters are read once its method is known.
public struct RequestEnvelope: VenueRecord {
    public var version: String? = "2.0"
    public var id: Presence<RequestID> = .absent
    public var method = ""
    public var parameters: Presence<JSONValue> = .absent

    public init() {}
    public init(id: RequestID, method: String, parameters: some VenueRecord) {
        self.id = .value(id)
        self.method = method
        var writer = JSONWriter()
        parameters.write(to: &writer)
        self.parameters = (try? JSONTape(writer.bytes)).map { .value($0.root) } ?? .absent
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("jsonrpc", &version)
        try fields.field("id", &id)
        try fields.field("method", &method)
        try fields.field("params", &parameters)
    }
}

/// A reply: a result or a fault. Times are microseconds since 1970.
public struct Reply<Result: VenueValue>: VenueRecord {
    public var version = "2.0"
    public var id: Presence<RequestID> = .absent
    public var result: Result?
    public var fault: VenueFault?
    public var receivedMicroseconds: Int?
    public var sentMicroseconds: Int?
    public var tookMicroseconds: Int?
    public var isTestnet: Bool?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("jsonrpc", &version)
        try fields.field("id", &id)
        try fields.field("result", &result)
        try fields.field("error", &fault)
        try fields.field("usIn", &receivedMicroseconds)
        try fields.field("usOut", &sentMicroseconds)
        try fields.field("usDiff", &tookMicroseconds)
        try fields.field("testnet", &isTestnet)
    }
}

/// A notification of a channel.
public struct Notification<Content: VenueValue>: VenueRecord {
    struct Parameters: VenueRecord {
        var channel = ""
        var label: String?
        var content: Content?

        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("channel", &channel)
            try fields.field("label", &label)
            try fields.field("data", &content)
        }
    }

    private var version = "2.0"
    private var method = "subscription"
    private var parameters = Parameters()

    public init() {}
    public init(channel: String, label: String? = nil, content: Content) {
        parameters = Parameters(channel: channel, label: label, content: content)
    }

    public var channel: String { parameters.channel }
    public var label: String? { parameters.label }
    /// Nil only where the message lacks it.
    public var content: Content? { parameters.content }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("jsonrpc", &version)
        try fields.field("method", &method)
        try fields.field("params", &parameters)
    }
}

/// A heartbeat; `testRequest` has to be answered by `public/test`.
public struct Heartbeat: VenueRecord {
    struct Parameters: VenueRecord {
        var type = HeartbeatType.heartbeat
        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("type", &type)
        }
    }

    private var version = "2.0"
    private var method = "heartbeat"
    private var parameters = Parameters()

    public init() {}
    public init(_ type: HeartbeatType) { parameters.type = type }

    public var type: HeartbeatType { parameters.type }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("jsonrpc", &version)
        try fields.field("method", &method)
        try fields.field("params", &parameters)
    }
}

/// A message of the exchange, sorted by what it is; its content is read by whoever knows its type.
public enum VenueMessage: Sendable {
    case reply(Reply<JSONValue>)
    case notification(channel: String, content: JSONValue)
    case heartbeat(HeartbeatType)

    /// - Throws: what is not JSON, or is none of the three.
    public init(_ bytes: [UInt8]) throws(VenueProtocolError) {
        let root = try JSONTape(bytes).root
        guard root.isObject else { throw .unexpected(root, expected: "an object") }
        guard let method = root["method"] else {
            self = .reply(try Reply(root))
            return
        }
        if method.isText("subscription") {
            guard let parameters = root["params"], let channel = parameters["channel"]?.string,
                let content = parameters["data"]
            else { throw .missing(path: "params.channel or params.data") }
            self = .notification(channel: channel, content: content)
        } else if method.isText("heartbeat") {
            self = .heartbeat(try Heartbeat(root).type)
        } else {
            throw .unexpected(method, expected: "subscription or heartbeat")
        }
    }
}
