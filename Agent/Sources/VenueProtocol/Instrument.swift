/// What `get_instruments` says of a contract. Fields that older or other kinds lack are optional.
public struct Instrument: VenueRecord {
    public struct TickStep: VenueRecord, Equatable {
        public var abovePrice = 0.0
        public var tickSize = 0.0

        public init() {}
        public init(abovePrice: Double, tickSize: Double) {
            self.abovePrice = abovePrice
            self.tickSize = tickSize
        }

        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("above_price", &abovePrice)
            try fields.field("tick_size", &tickSize)
        }
    }

    public var name = ""
    public var id: Int?
    public var kind = InstrumentKind.future
    public var type: InstrumentType?
    public var futureType: InstrumentType?
    public var underlyingType: String?
    public var state: BookState?
    public var isActive = true
    public var rfq: Bool?
    public var baseCurrency = ""
    public var quoteCurrency = ""
    public var counterCurrency: String?
    public var settlementCurrency: String?
    public var priceIndex: String?
    public var settlementPeriod: SettlementPeriod?
    /// Milliseconds since 1970.
    public var creationTimestamp = 0
    public var expirationTimestamp: Int?
    public var strike: Double?
    public var optionType: OptionType?
    public var tickSize = 0.0
    public var tickSizeSteps: [TickStep]?
    public var contractSize = 1.0
    public var lotSize: Double?
    public var minimumTradeAmount = MessageAmount(0)
    public var maximumLeverage: Int?
    public var maximumNonDefaultLeverage: Int?
    public var makerCommission = 0.0
    public var takerCommission = 0.0
    public var maximumLiquidationCommission: Double?
    public var blockTradeCommission: Double?
    public var blockTradeMinimumAmount: MessageAmount?
    public var blockTradeTickSize: Double?
    public var productGroup: String?
    public var indexID: Int?
    public var baseCurrencyUUID: String?
    public var quoteCurrencyUUID: String?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &name)
        try fields.field("instrument_id", &id)
        try fields.field("kind", &kind)
        try fields.field("instrument_type", &type)
        try fields.field("future_type", &futureType)
        try fields.field("underlying_type", &underlyingType)
        try fields.field("state", &state)
        try fields.field("is_active", &isActive)
        try fields.field("rfq", &rfq)
        try fields.field("base_currency", &baseCurrency)
        try fields.field("quote_currency", &quoteCurrency)
        try fields.field("counter_currency", &counterCurrency)
        try fields.field("settlement_currency", &settlementCurrency)
        try fields.field("price_index", &priceIndex)
        try fields.field("settlement_period", &settlementPeriod)
        try fields.field("creation_timestamp", &creationTimestamp)
        try fields.field("expiration_timestamp", &expirationTimestamp)
        try fields.field("strike", &strike)
        try fields.field("option_type", &optionType)
        try fields.field("tick_size", &tickSize)
        try fields.field("tick_size_steps", &tickSizeSteps)
        try fields.field("contract_size", &contractSize)
        try fields.field("lot_size", &lotSize)
        try fields.field("min_trade_amount", &minimumTradeAmount)
        try fields.field("max_leverage", &maximumLeverage)
        try fields.field("max_non_default_leverage", &maximumNonDefaultLeverage)
        try fields.field("maker_commission", &makerCommission)
        try fields.field("taker_commission", &takerCommission)
        try fields.field("max_liquidation_commission", &maximumLiquidationCommission)
        try fields.field("block_trade_commission", &blockTradeCommission)
        try fields.field("block_trade_min_trade_amount", &blockTradeMinimumAmount)
        try fields.field("block_trade_tick_size", &blockTradeTickSize)
        try fields.field("product_group", &productGroup)
        try fields.field("index_id", &indexID)
        try fields.field("base_currency_uuid", &baseCurrencyUUID)
        try fields.field("quote_currency_uuid", &quoteCurrencyUUID)
    }
}

extension Instrument {
    /// Whether profit is paid in the coin. Records before 2022 say so by their quote currency alone.
    public var isInverse: Bool {
        if let type = type ?? futureType { return type == .reversed }
        return kind == .option ? quoteCurrency == baseCurrency : quoteCurrency == "USD"
    }

    /// The smallest step of prices there: that of the last step whose `above_price` is below the price.
    public func tickSize(at price: Double) -> Double {
        var tick = tickSize
        var reached = -Double.infinity
        for step in tickSizeSteps ?? [] where step.abovePrice < price && step.abovePrice > reached {
            (tick, reached) = (step.tickSize, step.abovePrice)
        }
        return tick
    }

    /// Whether a price is on the grid.
    public func isOnTick(_ price: Double) -> Bool {
        let steps = price / tickSize(at: price)
        return price.isFinite && abs(steps - steps.rounded()) < 1e-6
    }

    /// The nearest price of the grid that is not better for the counterparty: down for a buyer, up for a seller.
    public func priceOnTick(_ price: Double, _ direction: Direction) -> Double {
        let tick = tickSize(at: price)
        let steps = price / tick
        let near = steps.rounded()
        let whole = abs(steps - near) < 1e-6 ? near : steps.rounded(direction == .buy ? .down : .up)
        // Division by the tick's reciprocal, where that is whole, gives the double nearest to the decimal.
        let inverse = (1 / tick).rounded()
        return inverse > 1 && abs(inverse * tick - 1) < 1e-9 ? whole / inverse : whole * tick
    }

    /// An amount with its unit.
    public func size(of amount: MessageAmount) -> InstrumentSize {
        isInverse && kind == .future
            ? .quote(QuoteAmount(amount.value)) : .coin(CoinAmount(amount.value))
    }

    public func contracts(of amount: MessageAmount) -> ContractCount {
        ContractCount(amount.value / contractSize)
    }
    public func amount(of contracts: ContractCount) -> MessageAmount {
        MessageAmount(contracts.value * contractSize)
    }

    /// The coins that an amount stands for at a price in the quote currency.
    public func coins(of amount: MessageAmount, at price: Double) -> CoinAmount {
        switch size(of: amount) {
        case .coin(let coins): coins
        case .quote(let quote): CoinAmount(quote.value / price)
        }
    }

    /// Whether an order may have that amount: a whole number of the least amount or contract, and not below the least.
    public func isWholeAmount(_ amount: MessageAmount) -> Bool {
        let unit =
            kind == .option ? minimumTradeAmount.value : Swift.min(contractSize, minimumTradeAmount.value)
        let count = amount.value / unit
        return amount.value >= minimumTradeAmount.value * (1 - 1e-9) && abs(count - count.rounded()) < 1e-6
    }
}

/// A combination of instruments that is traded as one.
public struct Combination: VenueRecord {
    public struct Leg: VenueRecord {
        /// Units of the leg per unit of the combination, negative where it is sold.
        public var amount = 0.0
        public var instrumentName = ""

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("amount", &amount)
            try fields.field("instrument_name", &instrumentName)
        }
    }

    public var id = ""
    public var instrumentID: Int?
    public var state = ""
    public var legs: [Leg] = []
    public var creationTimestamp: Int?
    public var stateTimestamp: Int?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("id", &id)
        try fields.field("instrument_id", &instrumentID)
        try fields.field("state", &state)
        try fields.field("legs", &legs)
        try fields.field("creation_timestamp", &creationTimestamp)
        try fields.field("state_timestamp", &stateTimestamp)
    }
}
