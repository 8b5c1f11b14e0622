/// An order as the exchange shows it.
public struct VenueOrder: VenueRecord {
    public var orderID = ""
    public var label = ""
    public var state = OrderState.open
    public var type = OrderType.limit
    public var timeInForce = TimeInForce.goodTilCancelled
    public var instrumentName = ""
    public var direction = Direction.buy
    public var price = OrderPrice.market
    public var amount: MessageAmount?
    public var contracts: ContractCount?
    /// Missing on orders that have not been triggered.
    public var filledAmount: MessageAmount?
    public var averagePrice: Double?
    public var creationTimestamp = 0
    public var lastUpdateTimestamp = 0
    public var isPostOnly = false
    public var rejectsPostOnly: Bool?
    public var isReduceOnly: Bool?
    public var isReplaced: Bool?
    public var isMarketMakerProtected: Bool?
    public var wasCancelledByProtection: Bool?
    public var cancelReason: String?
    public var isLiquidation: Bool?
    public var isRebalance: Bool?
    public var isRiskReducing: Bool?
    public var isFromWeb: Bool?
    public var isFromMobile: Bool?
    public var isFromAPI = true
    public var userID: Int?
    public var advanced: String?
    public var implv: Double?
    public var usd: Double?
    public var triggerPrice: Double?
    public var trigger: Trigger?
    public var triggerOffset: Double?
    public var triggerReferencePrice: Double?
    public var isTriggered: Bool?
    public var triggerOrderID: String?
    public var displayAmount: MessageAmount?
    public var refreshAmount: MessageAmount?
    public var isQuote: Bool?
    public var quoteID: String?
    public var quoteSetID: String?
    public var protectionGroup: String?
    public var ocoReference: String?
    public var otoOrderIDs: [String]?
    public var isPrimaryOTOCO: Bool?
    public var isSecondaryOTO: Bool?
    public var originalOrderType: OrderType?
    public var starbaseOrderID: JSONValue?
    public var starbaseLastUpdateTimestamp: Int?
    public var applicationName: String?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("price", &price)
        try fields.field("user_id", &userID)
        try fields.field("amount", &amount)
        try fields.field("direction", &direction)
        try fields.field("time_in_force", &timeInForce)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("web", &isFromWeb)
        try fields.field("mobile", &isFromMobile)
        try fields.field("api", &isFromAPI)
        try fields.field("order_id", &orderID)
        try fields.field("creation_timestamp", &creationTimestamp)
        try fields.field("replaced", &isReplaced)
        try fields.field("filled_amount", &filledAmount)
        try fields.field("last_update_timestamp", &lastUpdateTimestamp)
        try fields.field("post_only", &isPostOnly)
        try fields.field("reduce_only", &isReduceOnly)
        try fields.field("cancel_reason", &cancelReason)
        try fields.field("average_price", &averagePrice)
        try fields.field("trigger_price", &triggerPrice)
        try fields.field("trigger", &trigger)
        try fields.field("trigger_offset", &triggerOffset)
        try fields.field("trigger_reference_price", &triggerReferencePrice)
        try fields.field("triggered", &isTriggered)
        try fields.field("trigger_order_id", &triggerOrderID)
        try fields.field("mmp", &isMarketMakerProtected)
        try fields.field("mmp_cancelled", &wasCancelledByProtection)
        try fields.field("mmp_group", &protectionGroup)
        try fields.field("contracts", &contracts)
        try fields.field("reject_post_only", &rejectsPostOnly)
        try fields.field("order_state", &state)
        try fields.field("order_type", &type)
        try fields.field("original_order_type", &originalOrderType)
        try fields.field("is_liquidation", &isLiquidation)
        try fields.field("is_rebalance", &isRebalance)
        try fields.field("risk_reducing", &isRiskReducing)
        try fields.field("advanced", &advanced)
        try fields.field("implv", &implv)
        try fields.field("usd", &usd)
        try fields.field("display_amount", &displayAmount)
        try fields.field("refresh_amount", &refreshAmount)
        try fields.field("quote", &isQuote)
        try fields.field("quote_id", &quoteID)
        try fields.field("quote_set_id", &quoteSetID)
        try fields.field("oco_ref", &ocoReference)
        try fields.field("oto_order_ids", &otoOrderIDs)
        try fields.field("is_primary_otoco", &isPrimaryOTOCO)
        try fields.field("is_secondary_oto", &isSecondaryOTO)
        try fields.field("app_name", &applicationName)
        try fields.field("starbase_order_id", &starbaseOrderID)
        try fields.field("starbase_last_update_timestamp", &starbaseLastUpdateTimestamp)
    }
}

/// A trade of one's own. `direction` is the user's side.
public struct UserTrade: VenueRecord {
    public var tradeID = ""
    public var tradeSequence = 0
    public var orderID = ""
    public var label: String?
    public var timestamp = 0
    public var instrumentName = ""
    public var price = 0.0
    public var amount = MessageAmount.zero
    public var contracts: ContractCount?
    public var direction = Direction.buy
    public var tickDirection = 0
    /// Negative is a rebate.
    public var fee = 0.0
    public var feeCurrency = ""
    public var liquidity = Liquidity.taker
    public var state = OrderState.filled
    public var orderType = OrderType.limit
    public var indexPrice = 0.0
    public var markPrice = 0.0
    public var iv: Double?
    public var underlyingPrice: Double?
    public var profitLoss: Double?
    public var isSelfTrade = false
    public var isPostOnly: Bool?
    public var isReduceOnly: Bool?
    public var isMarketMakerProtected: Bool?
    public var isFromAPI: Bool?
    public var isRiskReducing: Bool?
    public var userID: Int?
    public var matchingID: Presence<String> = .absent
    public var liquidation: String?
    public var combinationID: String?
    public var combinationTradeID: JSONValue?
    public var blockTradeID: String?
    public var starbaseMatchID: JSONValue?
    public var starbaseTimestamp: Int?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("label", &label)
        try fields.field("timestamp", &timestamp)
        try fields.field("state", &state)
        try fields.field("price", &price)
        try fields.field("amount", &amount)
        try fields.field("direction", &direction)
        try fields.field("index_price", &indexPrice)
        try fields.field("profit_loss", &profitLoss)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("trade_seq", &tradeSequence)
        try fields.field("mark_price", &markPrice)
        try fields.field("order_id", &orderID)
        try fields.field("matching_id", &matchingID)
        try fields.field("tick_direction", &tickDirection)
        try fields.field("fee", &fee)
        try fields.field("fee_currency", &feeCurrency)
        try fields.field("mmp", &isMarketMakerProtected)
        try fields.field("self_trade", &isSelfTrade)
        try fields.field("order_type", &orderType)
        try fields.field("contracts", &contracts)
        try fields.field("trade_id", &tradeID)
        try fields.field("post_only", &isPostOnly)
        try fields.field("reduce_only", &isReduceOnly)
        try fields.field("risk_reducing", &isRiskReducing)
        try fields.field("api", &isFromAPI)
        try fields.field("user_id", &userID)
        try fields.field("liquidity", &liquidity)
        try fields.field("liquidation", &liquidation)
        try fields.field("iv", &iv)
        try fields.field("underlying_price", &underlyingPrice)
        try fields.field("combo_id", &combinationID)
        try fields.field("combo_trade_id", &combinationTradeID)
        try fields.field("block_trade_id", &blockTradeID)
        try fields.field("starbase_match_id", &starbaseMatchID)
        try fields.field("starbase_timestamp", &starbaseTimestamp)
    }
}

/// The reply of buy, sell and edit.
public struct OrderReply: VenueRecord {
    public var order = VenueOrder()
    public var trades: [UserTrade] = []

    public init() {}
    public init(order: VenueOrder, trades: [UserTrade]) {
        self.order = order
        self.trades = trades
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("order", &order)
        try fields.field("trades", &trades)
    }
}

/// A message of `user.changes`. Its schema says `position`, real ones say `positions`: both are read.
public struct UserChanges: VenueRecord {
    public var instrumentName = ""
    public var trades: [UserTrade] = []
    public var orders: [VenueOrder] = []
    public var positions: [Position]?
    public var position: [Position]?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("trades", &trades)
        try fields.field("orders", &orders)
        try fields.field("positions", &positions)
        try fields.field("position", &position)
    }
}
