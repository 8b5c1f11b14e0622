import Checks

/// One level of an order book.
public struct OrderLevel: Sendable, Equatable {
    /// As the exchange quotes it: in coin for inverse options, else in quote currency.
    public let price: Double
    /// In units of `Instrument.quantityUnit`.
    public let amount: Double

    public init(price: Double, amount: Double) {
        self.price = price
        self.amount = amount
    }
}

/// Greeks as the exchange publishes them, rounded, in its own units: delta in coins, gamma per US dollar,
/// vega in dollars per volatility point, theta in dollars per day, rho in dollars per percent.
public struct PublishedGreeks: Sendable, Equatable {
    public let delta, gamma, vega, theta: Double
    /// Not all exchanges have one.
    public let rho: Double?

    public init(delta: Double, gamma: Double, vega: Double, theta: Double, rho: Double?) {
        self.delta = delta
        self.gamma = gamma
        self.vega = vega
        self.theta = theta
        self.rho = rho
    }
}

/// An exchange's statement about one instrument at one moment.
public struct Ticker: Sendable, Equatable {
    public let instrument: Instrument
    public let timestamp: Timestamp
    /// The place where it was read.
    public let place: Place
    /// Options only: the future of the expiry (synthetic where none is listed), in quote currency, and its
    /// name.
    public let underlyingPrice: Double?
    public let underlyingIndex: String?
    /// The spot index.
    public let indexPrice: Double?
    /// As the exchange quotes it: in coin for inverse options, else in quote currency.
    public let markPrice: Double?
    /// Options only, in natural units: 0.6 for a `mark_iv` of 60.
    public let markVolatility: Double?
    /// Whether no volatility was given, and it is the one that the mark has.
    public let isVolatilityImplied: Bool
    /// Continuously compounded; 0 where the exchange names none.
    public let interestRate: Double
    public let openInterest: Double?
    /// Best first; empty where nobody quotes.
    public let bids, asks: [OrderLevel]
    public let published: PublishedGreeks?

    public init(
        instrument: Instrument, timestamp: Timestamp, place: Place = .row(0),
        underlyingPrice: Double?, underlyingIndex: String?, indexPrice: Double?, markPrice: Double?,
        markVolatility: Double?, isVolatilityImplied: Bool = false, interestRate: Double = 0,
        openInterest: Double?, bids: [OrderLevel],
        asks: [OrderLevel], published: PublishedGreeks?
    ) {
        self.instrument = instrument
        self.timestamp = timestamp
        self.place = place
        self.underlyingPrice = underlyingPrice
        self.underlyingIndex = underlyingIndex
        self.indexPrice = indexPrice
        self.markPrice = markPrice
        self.markVolatility = markVolatility
        self.isVolatilityImplied = isVolatilityImplied
        self.interestRate = interestRate
        self.openInterest = openInterest
        self.bids = bids
        self.asks = asks
        self.published = published
    }
}

extension Ticker {
    /// The same with other orders.
    func with(bids: [OrderLevel], asks: [OrderLevel]) -> Ticker {
        Ticker(
            instrument: instrument, timestamp: timestamp, place: place,
            underlyingPrice: underlyingPrice, underlyingIndex: underlyingIndex, indexPrice: indexPrice,
            markPrice: markPrice, markVolatility: markVolatility, isVolatilityImplied: isVolatilityImplied,
            interestRate: interestRate, openInterest: openInterest, bids: bids, asks: asks,
            published: published)
    }

    /// The same with prices in another currency, of which one of its own costs `rate`.
    func converted(at rate: Double) -> Ticker {
        func converted(_ levels: [OrderLevel]) -> [OrderLevel] {
            levels.map { OrderLevel(price: $0.price * rate, amount: $0.amount) }
        }
        return Ticker(
            instrument: instrument, timestamp: timestamp, place: place,
            underlyingPrice: underlyingPrice.map { $0 * rate }, underlyingIndex: underlyingIndex,
            indexPrice: indexPrice.map { $0 * rate }, markPrice: markPrice.map { $0 * rate },
            markVolatility: markVolatility, isVolatilityImplied: isVolatilityImplied,
            interestRate: interestRate, openInterest: openInterest, bids: converted(bids),
            asks: converted(asks), published: published)
    }

    /// A contract of which only the price is known.
    init(instrument: Instrument, price: Double, timestamp: Timestamp) {
        self.init(
            instrument: instrument, timestamp: timestamp, underlyingPrice: nil,
            underlyingIndex: nil, indexPrice: nil, markPrice: price, markVolatility: nil,
            interestRate: 0, openInterest: nil, bids: [], asks: [], published: nil)
    }
}
