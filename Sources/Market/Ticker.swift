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

    /// What is wrong with the best prices of both sides, if anything.
    static func complaint(bids: [OrderLevel], asks: [OrderLevel]) -> String? {
        guard let bid = bids.first?.price, let ask = asks.first?.price, bid >= ask else { return nil }
        return bid == ask ? "locked market: the ask is the same" : "crossed market: the ask is \(ask)"
    }
}

/// An exchange's statement about one instrument at one moment.
public struct Ticker: Sendable, Equatable {
    public let instrument: Instrument
    public private(set) var timestamp: Timestamp
    /// The place where it was read, and the names that its fields have there.
    public let place: Place
    package let layout: TickerLayout
    /// Options only: the future of the expiry (synthetic where none is listed), in quote currency, and its
    /// name.
    public private(set) var underlyingPrice: Double?
    public let underlyingIndex: String?
    /// The spot index.
    public private(set) var indexPrice: Double?
    /// As the exchange quotes it: in coin for inverse options, else in quote currency.
    public private(set) var markPrice: Double?
    /// Options only, in natural units: 0.6 for 60%.
    public private(set) var markVolatility: Double?
    /// Whether no volatility was given, and it is the one that the mark has.
    public let isVolatilityImplied: Bool
    /// Continuously compounded; 0 where the exchange names none.
    public let interestRate: Double
    /// As the exchange counts it: Deribit in `Instrument.quantityUnit`, OKX in coin, Bybit in the unit of its sizes.
    public let openInterest: Double?
    /// Best first; empty where nobody quotes. An amount of 0 is not known.
    public private(set) var bids, asks: [OrderLevel]
    public let published: PublishedGreeks?

    public init(
        instrument: Instrument, timestamp: Timestamp, place: Place = .row(0),
        layout: TickerLayout = .general, underlyingPrice: Double?, underlyingIndex: String?,
        indexPrice: Double?, markPrice: Double?,
        markVolatility: Double?, isVolatilityImplied: Bool = false, interestRate: Double = 0,
        openInterest: Double?, bids: [OrderLevel],
        asks: [OrderLevel], published: PublishedGreeks?
    ) {
        self.instrument = instrument
        self.timestamp = timestamp
        self.place = place
        self.layout = layout
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
    /// The volatility in the unit in which it was written.
    package var writtenVolatility: Double? { markVolatility.map { $0 * layout.volatilityUnit.rawValue } }

    /// The same with other orders.
    func with(bids: [OrderLevel], asks: [OrderLevel]) -> Ticker {
        var ticker = self
        (ticker.bids, ticker.asks) = (bids, asks)
        return ticker
    }

    /// The same with another volatility.
    func with(markVolatility: Double) -> Ticker {
        var ticker = self
        ticker.markVolatility = markVolatility
        return ticker
    }

    /// The same at another time and price.
    package func with(timestamp: Timestamp, underlyingPrice: Double?, markPrice: Double?) -> Ticker {
        var ticker = self
        (ticker.timestamp, ticker.underlyingPrice, ticker.markPrice) = (timestamp, underlyingPrice, markPrice)
        return ticker
    }

    /// The same with prices in another currency, of which one of its own costs `rate`. What the exchange published stays.
    func converted(at rate: Double) -> Ticker {
        func converted(_ levels: [OrderLevel]) -> [OrderLevel] {
            levels.map { OrderLevel(price: $0.price * rate, amount: $0.amount) }
        }
        var ticker = with(bids: converted(bids), asks: converted(asks))
        ticker.underlyingPrice = underlyingPrice.map { $0 * rate }
        ticker.indexPrice = indexPrice.map { $0 * rate }
        ticker.markPrice = markPrice.map { $0 * rate }
        return ticker
    }

    /// A contract of which only the price is known.
    init(instrument: Instrument, price: Double, timestamp: Timestamp) {
        self.init(
            instrument: instrument, timestamp: timestamp, underlyingPrice: nil,
            underlyingIndex: nil, indexPrice: nil, markPrice: price, markVolatility: nil,
            interestRate: 0, openInterest: nil, bids: [], asks: [], published: nil)
    }
}
