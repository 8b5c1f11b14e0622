public enum OptionType: String, VenueWord { case call, put }

public enum InstrumentKind: String, VenueWord {
    case future, option, spot
    case futureCombination = "future_combo"
    case optionCombination = "option_combo"
}

/// `reversed` is inverse: profit in the coin.
public enum InstrumentType: String, VenueWord { case reversed, linear }

public enum SettlementPeriod: String, VenueWord { case perpetual, day, week, month }

/// What may be done with a book: only in `open` may orders be placed, in `locked` they may be cancelled.
public enum BookState: String, VenueWord {
    case open, settlement, delivered, inactive, locked, halted, archivized
    // As books were called before 2026.
    case created, started, settled, closed
}

public enum Direction: String, VenueWord {
    case buy, sell

    public var opposite: Direction { self == .buy ? .sell : .buy }
    /// +1 for a buyer.
    public var sign: Int { self == .buy ? 1 : -1 }
}

/// The side of a position.
public enum PositionDirection: String, VenueWord { case buy, sell, zero }

public enum OrderState: String, VenueWord {
    case open, filled, rejected, cancelled, untriggered, triggered, archive

    public var isFinal: Bool {
        self == .filled || self == .rejected || self == .cancelled || self == .archive
    }
}

public enum OrderType: String, VenueWord {
    case limit, market
    case marketLimit = "market_limit"
    case stopLimit = "stop_limit"
    case stopMarket = "stop_market"
    case takeLimit = "take_limit"
    case takeMarket = "take_market"
    case trailingStop = "trailing_stop"
    case liquidation

    public var isTriggered: Bool {
        switch self {
        case .stopLimit, .stopMarket, .takeLimit, .takeMarket, .trailingStop: true
        case .limit, .market, .marketLimit, .liquidation: false
        }
    }
}

public enum TimeInForce: String, VenueWord {
    case goodTilCancelled = "good_til_cancelled"
    case goodTilDay = "good_til_day"
    case fillOrKill = "fill_or_kill"
    case immediateOrCancel = "immediate_or_cancel"
}

public enum Trigger: String, VenueWord {
    case indexPrice = "index_price"
    case markPrice = "mark_price"
    case lastPrice = "last_price"
}

public enum Liquidity: String, VenueWord {
    case maker = "M"
    case taker = "T"
}

public enum BookAction: String, VenueWord { case new, change, delete }
public enum BookMessageType: String, VenueWord { case snapshot, change }
public enum HeartbeatType: String, VenueWord {
    case heartbeat
    case testRequest = "test_request"
}

public enum SelfTradingMode: String, VenueWord {
    case rejectTaker = "reject_taker"
    case cancelMaker = "cancel_maker"
}

public enum CancelOnDisconnectScope: String, VenueWord { case connection, account }

/// A price, or the words "market_price" of an order that has none.
public enum OrderPrice: VenueValue, Hashable {
    case limit(Double)
    case market

    public init(_ json: JSONValue) throws(VenueProtocolError) {
        if json.isText("market_price") {
            self = .market
        } else if let price = json.number {
            self = .limit(price)
        } else {
            throw .unexpected(json, expected: "a price or market_price")
        }
    }

    public func write(to writer: inout JSONWriter) {
        switch self {
        case .limit(let price): writer.number(price)
        case .market: writer.string("market_price")
        }
    }

    public var limit: Double? { if case .limit(let price) = self { price } else { nil } }
}
