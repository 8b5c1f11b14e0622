/// Market-maker protection of an index: an entry of `get_mmp_config`, and what `set_mmp_config` asks for. A limit that is
/// left out is none, whatever it was before.
public struct ProtectionConfiguration: VenueParameters, Equatable {
    public typealias Result = [ProtectionConfiguration]

    public var indexName = ""
    /// Seconds in which trades are added up, from the first one on; 0 takes the protection away.
    public var interval = 0
    /// Seconds in which no protected order is taken after limits were exceeded; 0 is until `reset_mmp`.
    public var frozenTime = 0
    /// In the base currency, bought and sold alike.
    public var quantityLimit: Double?
    /// Net transaction delta in the base currency, bought less sold.
    public var deltaLimit: Double?
    /// Dollars per point of volatility, bought less sold.
    public var vegaLimit: Double?
    /// Of the protected orders that are open on a side of a book, in the base currency.
    public var maximumQuoteQuantity: Double?
    public var group: String?
    public var isOfBlockRequests: Bool?

    public init() {}
    public var method: String { "private/set_mmp_config" }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("index_name", &indexName)
        try fields.field("interval", &interval)
        try fields.field("frozen_time", &frozenTime)
        try fields.field("quantity_limit", &quantityLimit)
        try fields.field("delta_limit", &deltaLimit)
        try fields.field("vega_limit", &vegaLimit)
        try fields.field("max_quote_quantity", &maximumQuoteQuantity)
        try fields.field("mmp_group", &group)
        try fields.field("block_rfq", &isOfBlockRequests)
    }
}

/// A protection that was set off: an entry of `get_mmp_status`, and a message of `user.mmp_trigger`.
public struct ProtectionTrigger: VenueRecord, Equatable {
    public var indexName = ""
    /// Milliseconds since 1970; 0 is until `reset_mmp`.
    public var frozenUntil = 0
    public var group: String?

    public init() {}
    public init(indexName: String, frozenUntil: Int) {
        self.indexName = indexName
        self.frozenUntil = frozenUntil
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("index_name", &indexName)
        try fields.field("frozen_until", &frozenUntil)
        try fields.field("mmp_group", &group)
    }
}
