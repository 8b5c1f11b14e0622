import Market

/// One contract that a hedge may trade, with what that costs per unit of quantity in US dollars.
public struct HedgeCandidate: Sendable {
    public let ticker: Ticker
    /// Price in US dollars per unit of quantity; 1 for inverse futures, whose unit is a dollar.
    public let value: Double
    /// Half of the market's spread; where one side is empty, the distance of the other from the mark.
    public let halfSpreadBuy, halfSpreadSell: Double
    public let fee: Double
    /// Expected cost of a long unit over the horizon by funding or by the basis; earned by a short one.
    public let carry: Double
    /// Coefficient of the square of the quantity.
    public let impact: Double
    /// Cost of a trade whatever the amount.
    public let ticket: Double
    /// The smallest amount that may be traded.
    public let minimum: Double
    /// The best prices and amounts of the order book.
    public let maximumBuy, maximumSell: Double
    /// Whether spread and depth are assumptions, for lack of an order book.
    public let isAssumed: Bool

    public var instrument: Instrument { ticker.instrument }

    /// Over which a position is held, and what perpetuals pay meanwhile.
    public struct Holding: Sendable {
        /// Days.
        public var horizon: Double
        /// Funding rate per eight hours that longs pay.
        public var funding: Double

        public init(horizon: Double = 0, funding: Double = 0) {
            self.horizon = horizon
            self.funding = funding
        }
    }

    /// - Parameter index: the coin's price, where the ticker does not name it.
    /// - Returns: nil where nobody quotes, where the order book is crossed, or without a mark.
    public init?(_ ticker: Ticker, _ costs: VenueCosts, _ holding: Holding, index: Double? = nil) {
        let instrument = ticker.instrument
        guard let mark = ticker.markPrice, mark.isFinite, mark >= 0,
            let rates = costs.rates(of: instrument)
        else { return nil }
        let isDollarUnit = instrument.quantityUnit == "USD"
        guard mark > 0 || instrument.isOption else { return nil }
        // Dollars per unit of quoted price.
        let perPrice: Double
        if instrument.isOption {
            guard let forward = ticker.underlyingPrice else { return nil }
            perPrice = instrument.settlement == .inverse ? forward : 1
        } else {
            perPrice = isDollarUnit ? 1 / mark : 1
        }
        let value = mark * perPrice
        let underlying = instrument.isOption ? ticker.underlyingPrice ?? 0 : value
        let bids = ticker.bids.filter { $0.amount > 0 && $0.price > 0 }
        let asks = ticker.asks.filter { $0.amount > 0 && $0.price > 0 }
        if let bid = bids.first, let ask = asks.first, bid.price >= ask.price { return nil }
        if bids.isEmpty, asks.isEmpty {
            guard !instrument.isOption, rates.depth > 0 else { return nil }
            let depth = rates.depth / value
            halfSpreadBuy = rates.halfSpread * value
            halfSpreadSell = rates.halfSpread * value
            impact = rates.halfSpread * value / depth
            maximumBuy = depth
            maximumSell = depth
            isAssumed = true
        } else {
            // Against the middle of the market, or where one side is empty against the mark: an order book that
            // lags behind the mark is no reason to trade.
            if let bid = bids.first, let ask = asks.first {
                halfSpreadBuy = 0.5 * (ask.price - bid.price) * perPrice
                halfSpreadSell = halfSpreadBuy
            } else {
                halfSpreadBuy = asks.first.map { max($0.price - mark, 0) * perPrice } ?? 0
                halfSpreadSell = bids.first.map { max(mark - $0.price, 0) * perPrice } ?? 0
            }
            impact = max(Self.impact(bids), Self.impact(asks)) * perPrice
            maximumBuy = asks.reduce(0) { $0 + $1.amount }
            maximumSell = bids.reduce(0) { $0 + $1.amount }
            isAssumed = false
        }
        self.ticker = ticker
        self.value = value
        fee = min(rates.fee * underlying, rates.feeCap * value)
        ticket = rates.ticket
        minimum = rates.minimum / underlying
        carry = Self.carry(ticker, value, holding, ticker.indexPrice ?? index)
    }

    /// The quadratic cost that walking the whole side of an order book has beyond its best price.
    private static func impact(_ levels: [OrderLevel]) -> Double {
        guard let best = levels.first else { return 0 }
        var cost = 0.0
        var amount = 0.0
        for level in levels {
            cost += (level.price - best.price).magnitude * level.amount
            amount += level.amount
        }
        return cost / (amount * amount)
    }

    /// Perpetuals pay funding; a dated future's price runs to the index until it expires.
    private static func carry(_ ticker: Ticker, _ value: Double, _ holding: Holding, _ index: Double?)
        -> Double
    {
        switch ticker.instrument.kind {
        case .perpetual: return value * holding.funding * 3 * holding.horizon
        case .future(let expiry):
            guard let mark = ticker.markPrice, let index else { return 0 }
            let days = 365 * ticker.timestamp.years(until: expiry)
            guard days > 0 else { return 0 }
            return value * (mark - index) / mark * min(1, holding.horizon / days)
        case .option, .spot: return 0
        }
    }

    /// As the optimizer wants it.
    /// - Parameter amount: in which it trades; nil for any.
    func hedgeInstrument(underlying: Int, amount: TradedAmount?) -> HedgeInstrument {
        HedgeInstrument(
            underlying: underlying, costBuy: halfSpreadBuy + fee + carry,
            costSell: halfSpreadSell + fee - carry,
            impact: impact, fixedCost: ticket, lot: amount?.step ?? 0,
            minimum: max(minimum, amount.map { $0.minimum > $0.step ? $0.minimum : 0 } ?? 0),
            maximumBuy: maximumBuy,
            maximumSell: maximumSell,
            cash: instrument.isOption || instrument.kind == .spot ? value : 0)
    }
}
