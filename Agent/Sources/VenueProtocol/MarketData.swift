/// Figures of the last 24 hours; null where nothing was traded.
public struct TradeStatistics: VenueRecord {
    /// In the base currency.
    public var volume: Presence<Double> = .absent
    public var volumeUSD: Presence<Double> = .absent
    public var volumeNotional: Presence<Double> = .absent
    /// Percent.
    public var priceChange: Presence<Double> = .absent
    public var high: Presence<Double> = .absent
    public var low: Presence<Double> = .absent

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("volume", &volume)
        try fields.field("volume_usd", &volumeUSD)
        try fields.field("volume_notional", &volumeNotional)
        try fields.field("price_change", &priceChange)
        try fields.field("high", &high)
        try fields.field("low", &low)
    }
}

/// Black-76 at the mark's volatility: vega in dollars per point, theta in dollars per day, rho in dollars per percent.
public struct MessageGreeks: VenueRecord, Equatable {
    public var delta = 0.0
    public var gamma = 0.0
    public var vega = 0.0
    public var theta = 0.0
    public var rho = 0.0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("delta", &delta)
        try fields.field("gamma", &gamma)
        try fields.field("vega", &vega)
        try fields.field("theta", &theta)
        try fields.field("rho", &rho)
    }
}

/// A ticker. An empty side of the book is 0.0 in tickers and null in some replies: `bestBid` and `bestAsk` know both.
public struct MarketTicker: VenueRecord {
    public var instrumentName = ""
    public var timestamp = 0
    public var state: BookState?
    public var stats = TradeStatistics()
    public var openInterest = MessageAmount.zero
    public var bestBidPrice: Presence<Double> = .absent
    public var bestBidAmount: Presence<MessageAmount> = .absent
    public var bestAskPrice: Presence<Double> = .absent
    public var bestAskAmount: Presence<MessageAmount> = .absent
    public var indexPrice: Presence<Double> = .absent
    public var markPrice = 0.0
    public var lastPrice: Presence<Double> = .absent
    public var minPrice = 0.0
    public var maxPrice = 0.0
    public var settlementPrice: Presence<Double> = .absent
    public var deliveryPrice: Presence<Double> = .absent
    public var estimatedDeliveryPrice: Presence<Double> = .absent
    // Options.
    public var underlyingPrice: Double?
    /// A future's name, `SYN.…` or `index_price`.
    public var underlyingIndex: String?
    public var interestRate: Double?
    /// Percent; 0 where there is no quote or it is below the intrinsic value.
    public var bidIV: Double?
    public var askIV: Double?
    public var markIV: Double?
    public var greeks: MessageGreeks?
    // Perpetuals.
    public var currentFunding: Double?
    public var funding8h: Double?
    public var interestValue: Double?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("state", &state)
        try fields.field("stats", &stats)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("index_price", &indexPrice)
        try fields.field("last_price", &lastPrice)
        try fields.field("settlement_price", &settlementPrice)
        try fields.field("min_price", &minPrice)
        try fields.field("max_price", &maxPrice)
        try fields.field("open_interest", &openInterest)
        try fields.field("mark_price", &markPrice)
        try fields.field("best_ask_price", &bestAskPrice)
        try fields.field("best_bid_price", &bestBidPrice)
        try fields.field("best_ask_amount", &bestAskAmount)
        try fields.field("best_bid_amount", &bestBidAmount)
        try fields.field("estimated_delivery_price", &estimatedDeliveryPrice)
        try fields.field("delivery_price", &deliveryPrice)
        try fields.field("underlying_price", &underlyingPrice)
        try fields.field("underlying_index", &underlyingIndex)
        try fields.field("interest_rate", &interestRate)
        try fields.field("bid_iv", &bidIV)
        try fields.field("ask_iv", &askIV)
        try fields.field("mark_iv", &markIV)
        try fields.field("greeks", &greeks)
        try fields.field("interest_value", &interestValue)
        try fields.field("current_funding", &currentFunding)
        try fields.field("funding_8h", &funding8h)
    }

    /// The best bid; nil where nobody bids.
    public var bestBid: PriceLevel? { PriceLevel(bestBidPrice.value, bestBidAmount.value) }
    public var bestAsk: PriceLevel? { PriceLevel(bestAskPrice.value, bestAskAmount.value) }
}

/// A price and how much there is at it; in messages a pair.
public struct PriceLevel: VenueValue, Hashable {
    public var price: Double
    public var amount: MessageAmount

    public init(price: Double, amount: MessageAmount) {
        self.price = price
        self.amount = amount
    }

    init?(_ price: Double?, _ amount: MessageAmount?) {
        guard let price, let amount, amount.value > 0 else { return nil }
        self.init(price: price, amount: amount)
    }

    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let pair = json.elements, pair.count == 2 else {
            throw .unexpected(json, expected: "[price, amount]")
        }
        self.init(price: try Double(pair[0]), amount: try MessageAmount(pair[1]))
    }

    public func write(to writer: inout JSONWriter) {
        writer.array { writer in
            writer.number(price)
            writer.number(amount.value)
        }
    }
}

/// A change of one level: `["change", price, amount]`; a deleted one has amount 0.
public struct LevelChange: VenueValue, Hashable {
    public var action: BookAction
    public var price: Double
    public var amount: MessageAmount

    public init(_ action: BookAction, price: Double, amount: MessageAmount) {
        self.action = action
        self.price = price
        self.amount = amount
    }

    public init(_ json: JSONValue) throws(VenueProtocolError) {
        let nodes = json.tape.nodes
        let first = json.index + 1
        // Three values that hold nothing are the three nodes behind the list's.
        guard json.isArray, Int(json.node.after) == first + 3, nodes[first].after == first + 1 else {
            throw .unexpected(json, expected: "[action, price, amount]")
        }
        let word = JSONValue(tape: json.tape, index: first)
        guard
            let action: BookAction =
                word.isText("change")
                ? .change : word.isText("new") ? .new : word.isText("delete") ? .delete : nil
        else { throw .unexpected(word, expected: "new, change, delete") }
        self.action = action
        price = try Double(JSONValue(tape: json.tape, index: first + 1))
        amount = try MessageAmount(JSONValue(tape: json.tape, index: first + 2))
    }

    public func write(to writer: inout JSONWriter) {
        writer.array { writer in
            writer.string(action.rawValue)
            writer.number(price)
            writer.number(amount.value)
        }
    }
}

/// A message of `book.{instrument}.{interval}`. Messages before 2021 have no `type`.
public struct BookMessage: VenueRecord {
    public var type: BookMessageType?
    public var timestamp = 0
    public var previousChangeID: Presence<Int> = .absent
    public var instrumentName = ""
    public var changeID = 0
    public var bids: [LevelChange] = []
    public var asks: [LevelChange] = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("type", &type)
        try fields.field("timestamp", &timestamp)
        try fields.field("prev_change_id", &previousChangeID)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("change_id", &changeID)
        try fields.field("bids", &bids)
        try fields.field("asks", &asks)
    }

    public var isSnapshot: Bool { type == .snapshot || type == nil && previousChangeID.value == nil }
}

/// A message of `book.{instrument}.{group}.{depth}.{interval}`: always the whole of it.
public struct GroupedBook: VenueRecord {
    public var timestamp = 0
    public var instrumentName = ""
    public var changeID = 0
    public var bids: [PriceLevel] = []
    public var asks: [PriceLevel] = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("change_id", &changeID)
        try fields.field("bids", &bids)
        try fields.field("asks", &asks)
    }
}

/// The reply of `get_order_book`: a ticker with the levels.
public struct OrderBookReply: VenueRecord {
    public var ticker = MarketTicker()
    public var changeID = 0
    public var bids: [PriceLevel] = []
    public var asks: [PriceLevel] = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try ticker.visit(&fields)
        try fields.field("change_id", &changeID)
        try fields.field("bids", &bids)
        try fields.field("asks", &asks)
    }
}

public struct Quote: VenueRecord {
    public var timestamp = 0
    public var instrumentName = ""
    public var bestBidPrice: Presence<Double> = .absent
    public var bestBidAmount: Presence<MessageAmount> = .absent
    public var bestAskPrice: Presence<Double> = .absent
    public var bestAskAmount: Presence<MessageAmount> = .absent

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("best_bid_price", &bestBidPrice)
        try fields.field("best_bid_amount", &bestBidAmount)
        try fields.field("best_ask_price", &bestAskPrice)
        try fields.field("best_ask_amount", &bestAskAmount)
    }
}

/// A trade as everybody sees it. `direction` is the taker's.
public struct PublicTrade: VenueRecord {
    public var tradeID = ""
    /// Counts the trades of the instrument.
    public var tradeSequence = 0
    public var timestamp = 0
    public var instrumentName = ""
    public var price = 0.0
    public var amount = MessageAmount.zero
    public var contracts: ContractCount?
    public var direction = Direction.buy
    /// 0 plus tick, 1 zero-plus, 2 minus, 3 zero-minus.
    public var tickDirection = 0
    public var markPrice: Double?
    public var indexPrice: Double?
    /// Percent.
    public var iv: Double?
    public var liquidation: String?
    public var blockTradeID: String?
    public var blockTradeLegCount: Int?
    public var combinationID: String?
    public var combinationTradeID: String?
    public var legs: [PublicTrade]?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("iv", &iv)
        try fields.field("price", &price)
        try fields.field("amount", &amount)
        try fields.field("direction", &direction)
        try fields.field("index_price", &indexPrice)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("trade_seq", &tradeSequence)
        try fields.field("mark_price", &markPrice)
        try fields.field("tick_direction", &tickDirection)
        try fields.field("legs", &legs)
        try fields.field("combo_id", &combinationID)
        try fields.field("contracts", &contracts)
        try fields.field("combo_trade_id", &combinationTradeID)
        try fields.field("trade_id", &tradeID)
        try fields.field("liquidation", &liquidation)
        try fields.field("block_trade_id", &blockTradeID)
        try fields.field("block_trade_leg_count", &blockTradeLegCount)
    }
}

public struct TradeList<Trade: VenueRecord>: VenueRecord {
    public var trades: [Trade] = []
    public var hasMore: Bool?

    public init() {}
    public init(_ trades: [Trade], hasMore: Bool) {
        self.trades = trades
        self.hasMore = hasMore
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("trades", &trades)
        try fields.field("has_more", &hasMore)
    }
}

/// A message of `deribit_price_index.{index}`.
public struct IndexPrice: VenueRecord {
    public var timestamp = 0
    public var indexName = ""
    public var price = 0.0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("index_name", &indexName)
        try fields.field("price", &price)
    }
}

/// A message of `deribit_volatility_index.{index}`; percent.
public struct VolatilityIndex: VenueRecord {
    public var timestamp = 0
    public var indexName = ""
    public var volatility = 0.0

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("volatility", &volatility)
        try fields.field("index_name", &indexName)
    }
}

/// A row of `markprice.options.{index}`.
public struct MarkPrice: VenueRecord {
    public var instrumentName = ""
    public var markPrice = 0.0
    /// A fraction here, where a ticker's `mark_iv` is in percent: 0.9 is 90%.
    public var iv: Double?
    public var timestamp: Int?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("mark_price", &markPrice)
        try fields.field("iv", &iv)
        try fields.field("timestamp", &timestamp)
    }
}

/// A message of `instrument.state.{kind}.{currency}`.
public struct InstrumentStateChange: VenueRecord {
    public var timestamp = 0
    public var state = BookState.open
    public var instrumentName = ""

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("timestamp", &timestamp)
        try fields.field("state", &state)
        try fields.field("instrument_name", &instrumentName)
    }
}

/// A message of `platform_state`: a locked index, or maintenance.
public struct PlatformState: VenueRecord {
    public var priceIndex: String?
    public var isLocked: Bool?
    public var isInMaintenance: Bool?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("price_index", &priceIndex)
        try fields.field("locked", &isLocked)
        try fields.field("maintenance", &isInMaintenance)
    }
}

/// The reply of `public/status`.
public struct PlatformStatus: VenueRecord {
    public enum Lock: String, VenueWord {
        case all = "true"
        case partial
        case none = "false"
    }

    public var locked = Lock.none
    public var lockedIndices: [String]? = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("locked", &locked)
        try fields.field("locked_indices", &lockedIndices)
    }
}

/// Candles of `get_tradingview_chart_data`, a column each.
public struct ChartData: VenueRecord {
    public var status = "ok"
    public var ticks: [Int] = []
    public var open: [Double] = []
    public var high: [Double] = []
    public var low: [Double] = []
    public var close: [Double] = []
    public var volume: [Double] = []
    public var cost: [Double] = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("status", &status)
        try fields.field("ticks", &ticks)
        try fields.field("open", &open)
        try fields.field("high", &high)
        try fields.field("low", &low)
        try fields.field("close", &close)
        try fields.field("volume", &volume)
        try fields.field("cost", &cost)
    }
}

/// A row of `get_book_summary_by_currency`: an empty side is null here.
public struct BookSummary: VenueRecord {
    public var instrumentName = ""
    public var baseCurrency = ""
    public var quoteCurrency = ""
    public var creationTimestamp = 0
    public var bidPrice: Presence<Double> = .null
    public var askPrice: Presence<Double> = .null
    public var midPrice: Presence<Double> = .null
    public var markPrice: Presence<Double> = .null
    public var markIV: Double?
    public var last: Presence<Double> = .null
    public var high: Presence<Double> = .null
    public var low: Presence<Double> = .null
    public var priceChange: Presence<Double> = .null
    public var volume = 0.0
    public var volumeUSD: Double?
    public var volumeNotional: Double?
    public var openInterest: Presence<MessageAmount> = .null
    public var underlyingPrice: Double?
    public var underlyingIndex: String?
    public var interestRate: Double?
    public var estimatedDeliveryPrice: Double?
    public var currentFunding: Double?
    public var funding8h: Double?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("base_currency", &baseCurrency)
        try fields.field("quote_currency", &quoteCurrency)
        try fields.field("creation_timestamp", &creationTimestamp)
        try fields.field("bid_price", &bidPrice)
        try fields.field("ask_price", &askPrice)
        try fields.field("mid_price", &midPrice)
        try fields.field("mark_price", &markPrice)
        try fields.field("mark_iv", &markIV)
        try fields.field("last", &last)
        try fields.field("high", &high)
        try fields.field("low", &low)
        try fields.field("price_change", &priceChange)
        try fields.field("volume", &volume)
        try fields.field("volume_usd", &volumeUSD)
        try fields.field("volume_notional", &volumeNotional)
        try fields.field("open_interest", &openInterest)
        try fields.field("underlying_price", &underlyingPrice)
        try fields.field("underlying_index", &underlyingIndex)
        try fields.field("interest_rate", &interestRate)
        try fields.field("estimated_delivery_price", &estimatedDeliveryPrice)
        try fields.field("current_funding", &currentFunding)
        try fields.field("funding_8h", &funding8h)
    }
}
