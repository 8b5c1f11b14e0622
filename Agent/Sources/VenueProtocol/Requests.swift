/// The parameters of a method.
public protocol VenueParameters: VenueRecord {
    associatedtype Result: VenueValue
    var method: String { get }
}

/// The parameters of a method that has none.
public struct NoParameters: VenueRecord {
    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {}
}

public struct Authentication: VenueParameters {
    public enum Grant: String, VenueWord {
        case clientCredentials = "client_credentials"
        case clientSignature = "client_signature"
        case refreshToken = "refresh_token"
    }

    public struct Result: VenueRecord {
        public var accessToken = ""
        public var refreshToken = ""
        public var tokenType = "bearer"
        /// Seconds.
        public var expiresIn = 0
        public var scope = ""
        public var enabledFeatures: [String]? = []
        public var state: String?
        public var sessionID: String?
        public var secondFactorStatus: String?

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("access_token", &accessToken)
            try fields.field("refresh_token", &refreshToken)
            try fields.field("token_type", &tokenType)
            try fields.field("expires_in", &expiresIn)
            try fields.field("scope", &scope)
            try fields.field("enabled_features", &enabledFeatures)
            try fields.field("state", &state)
            try fields.field("sid", &sessionID)
            try fields.field("mandatory_tfa_status", &secondFactorStatus)
        }
    }

    public var grant = Grant.clientCredentials
    public var clientID: String?
    public var clientSecret: String?
    public var refreshToken: String?
    public var timestamp: Int?
    public var signature: String?
    public var nonce: String?
    public var data: String?
    public var scope: String?
    public var state: String?

    public init() {}
    public var method: String { "public/auth" }

    /// What a signature is the HMAC-SHA256 of, under the client's secret.
    public static func signedText(timestamp: Int, nonce: String, data: String) -> String {
        "\(timestamp)\n\(nonce)\n\(data)"
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("grant_type", &grant)
        try fields.field("client_id", &clientID)
        try fields.field("client_secret", &clientSecret)
        try fields.field("refresh_token", &refreshToken)
        try fields.field("timestamp", &timestamp)
        try fields.field("signature", &signature)
        try fields.field("nonce", &nonce)
        try fields.field("data", &data)
        try fields.field("scope", &scope)
        try fields.field("state", &state)
    }
}

/// `private/buy` and `private/sell`.
public struct OrderRequest: VenueParameters {
    public typealias Result = OrderReply

    /// Not a parameter: it is the method.
    public var direction = Direction.buy
    public var instrumentName = ""
    public var amount: MessageAmount?
    public var contracts: ContractCount?
    public var type: OrderType?
    public var label: String?
    public var price: Double?
    public var timeInForce: TimeInForce?
    public var displayAmount: MessageAmount?
    public var isPostOnly: Bool?
    public var rejectsPostOnly: Bool?
    public var isReduceOnly: Bool?
    public var triggerPrice: Double?
    public var triggerOffset: Double?
    public var trigger: Trigger?
    public var advanced: String?
    public var isMarketMakerProtected: Bool?
    /// Milliseconds since 1970: the exchange refuses the order if it gets to it later.
    public var validUntil: Int?
    public var linkedOrderType: String?

    public init() {}
    public init(
        _ direction: Direction, _ instrumentName: String, amount: MessageAmount, price: Double? = nil,
        type: OrderType = .limit, label: String? = nil
    ) {
        self.direction = direction
        self.instrumentName = instrumentName
        self.amount = amount
        self.price = price
        self.type = type
        self.label = label
    }

    public var method: String { direction == .buy ? "private/buy" : "private/sell" }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("amount", &amount)
        try fields.field("contracts", &contracts)
        try fields.field("type", &type)
        try fields.field("label", &label)
        try fields.field("price", &price)
        try fields.field("time_in_force", &timeInForce)
        try fields.field("display_amount", &displayAmount)
        try fields.field("post_only", &isPostOnly)
        try fields.field("reject_post_only", &rejectsPostOnly)
        try fields.field("reduce_only", &isReduceOnly)
        try fields.field("trigger_price", &triggerPrice)
        try fields.field("trigger_offset", &triggerOffset)
        try fields.field("trigger", &trigger)
        try fields.field("advanced", &advanced)
        try fields.field("mmp", &isMarketMakerProtected)
        try fields.field("valid_until", &validUntil)
        try fields.field("linked_order_type", &linkedOrderType)
    }
}

/// `private/edit`, and `private/edit_by_label` where the order is given by its label. The amount is the order's whole:
/// what is filled already is part of it.
public struct EditRequest: VenueParameters {
    public typealias Result = OrderReply

    public var orderID: String?
    public var label: String?
    public var instrumentName: String?
    public var amount: MessageAmount?
    public var contracts: ContractCount?
    public var price: Double?
    public var isPostOnly: Bool?
    public var rejectsPostOnly: Bool?
    public var isReduceOnly: Bool?
    public var triggerPrice: Double?
    public var advanced: String?
    public var isMarketMakerProtected: Bool?
    public var validUntil: Int?

    public init() {}
    public var method: String { orderID == nil ? "private/edit_by_label" : "private/edit" }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("order_id", &orderID)
        try fields.field("label", &label)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("amount", &amount)
        try fields.field("contracts", &contracts)
        try fields.field("price", &price)
        try fields.field("post_only", &isPostOnly)
        try fields.field("reject_post_only", &rejectsPostOnly)
        try fields.field("reduce_only", &isReduceOnly)
        try fields.field("trigger_price", &triggerPrice)
        try fields.field("advanced", &advanced)
        try fields.field("mmp", &isMarketMakerProtected)
        try fields.field("valid_until", &validUntil)
    }
}

/// The parameters by which methods choose orders, instruments, trades and accounts: each method takes some of them.
public struct Selection: VenueRecord {
    public var orderID: String?
    public var label: String?
    public var currency: String?
    public var kind: String?
    public var type: String?
    public var instrumentName: String?
    public var indexName: String?
    public var count: Int?
    public var offset: Int?
    public var depth: Int?
    public var sorting: String?
    public var startTimestamp: Int?
    public var endTimestamp: Int?
    public var startSequence: Int?
    public var endSequence: Int?
    public var startID: String?
    public var endID: String?
    public var continuation: Int?
    public var isExpired: Bool?
    public var isDetailed: Bool?
    public var isExtended: Bool?
    public var includesOld: Bool?
    public var includesUnfilled: Bool?
    public var isHistorical: Bool?
    public var query: String?
    public var price: Double?
    public var scope: String?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("order_id", &orderID)
        try fields.field("label", &label)
        try fields.field("currency", &currency)
        try fields.field("kind", &kind)
        try fields.field("type", &type)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("index_name", &indexName)
        try fields.field("count", &count)
        try fields.field("offset", &offset)
        try fields.field("depth", &depth)
        try fields.field("sorting", &sorting)
        try fields.field("start_timestamp", &startTimestamp)
        try fields.field("end_timestamp", &endTimestamp)
        try fields.field("start_seq", &startSequence)
        try fields.field("end_seq", &endSequence)
        try fields.field("start_id", &startID)
        try fields.field("end_id", &endID)
        try fields.field("continuation", &continuation)
        try fields.field("expired", &isExpired)
        try fields.field("detailed", &isDetailed)
        try fields.field("extended", &isExtended)
        try fields.field("include_old", &includesOld)
        try fields.field("include_unfilled", &includesUnfilled)
        try fields.field("historical", &isHistorical)
        try fields.field("query", &query)
        try fields.field("price", &price)
        try fields.field("scope", &scope)
    }
}

public struct SubscriptionRequest: VenueParameters {
    public typealias Result = [String]

    public var channels: [String] = []
    public var label: String?
    /// Not a parameter.
    public var isPrivate = false

    public init() {}
    public var method: String { isPrivate ? "private/subscribe" : "public/subscribe" }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("channels", &channels)
        try fields.field("label", &label)
    }
}
