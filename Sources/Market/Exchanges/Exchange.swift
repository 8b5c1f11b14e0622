/// The particulars of an exchange: the names of its contracts, the fields of its replies and their units, how it
/// settles, what it trades at what fee, and the rules of the figures that it publishes.
///
/// An exchange is a folder here with a type of this kind, and a line in `Exchanges.all`.
public protocol Exchange: Sendable {
    /// In lower case, as files name it.
    static var name: String { get }
    /// Other names that files give it.
    static var aliases: [String] { get }

    /// The contract that goes by a name here.
    /// - Throws: `unknownForm` for what is no name of this exchange's.
    static func instrument(named name: String) throws(InstrumentNameError) -> Instrument
    /// The name that the options of an expiry share, which is that of their future where there is one; else the
    /// contract's own.
    static func series(of instrument: Instrument) -> String
    /// The name of the perpetual of a contract's coin and quote currency.
    static func perpetual(of instrument: Instrument) -> String?

    /// The fields of replies with tickers, and of tables made of them; the first that fits is taken.
    static var tickerLayouts: [TickerLayout] { get }
    /// The fields of the list of instruments.
    static var instrumentLayout: InstrumentLayout { get }

    /// For how long before expiry the delivery price is averaged.
    static func averagingMilliseconds(of expiry: Timestamp) -> Int64
    /// Amounts in which a contract trades, where no list of instruments says; nil where they are not known.
    static func assumedAmount(of instrument: Instrument) -> TradedAmount?
    /// Fee of takers for trading a contract.
    static func takerFee(of instrument: Instrument) -> TradingFee
    /// The figures of an option by the rules and in the units of the exchange, from its natural Greeks.
    static func published(_ greeks: NaturalGreeks, of instrument: Instrument) -> MarkAndGreeks
}

extension Exchange {
    public static var aliases: [String] { [] }
    public static func averagingMilliseconds(of expiry: Timestamp) -> Int64 { 1_800_000 }
}

/// The exchanges that are known. The first has names that several share, and its fields are those of tables of no
/// exchange's own.
public enum Exchanges {
    public static let all: [any Exchange.Type] = [
        Deribit.self,
        OKX.self,
        Bybit.self,
    ]

    /// The exchange that a file means by a name.
    public static func named(_ name: String) -> (any Exchange.Type)? {
        let name = name.lowercased()
        return all.first { $0.name == name || $0.aliases.contains(name) }
    }
}

/// Amounts in which a contract trades, in units of `Instrument.quantityUnit`.
public struct TradedAmount: Sendable, Equatable {
    /// Amounts are multiples of it.
    public var step: Double
    public var minimum: Double

    public init(step: Double, minimum: Double? = nil) {
        self.step = step
        self.minimum = minimum ?? step
    }
}

/// A share of the underlying's value, and the most that it may be as a share of the contract's own.
public struct TradingFee: Sendable, Equatable {
    public var rate: Double
    public var cap: Double

    public init(rate: Double, cap: Double = .infinity) {
        self.rate = rate
        self.cap = cap
    }
}

/// The Greeks of one unit of an option in natural units: F the price of its future, per unit of F, per 1.00 of
/// volatility and rate, per year.
public struct NaturalGreeks: Sendable, Equatable {
    public var forward, years: Double
    public var value, delta, gamma, vega, theta, rho: Double

    public init(
        forward: Double, years: Double, value: Double, delta: Double, gamma: Double, vega: Double,
        theta: Double, rho: Double
    ) {
        self.forward = forward
        self.years = years
        self.value = value
        self.delta = delta
        self.gamma = gamma
        self.vega = vega
        self.theta = theta
        self.rho = rho
    }
}

/// A mark and Greeks as an exchange would publish them, not rounded.
public struct MarkAndGreeks: Sendable, Equatable {
    public var markPrice: Double
    public var greeks: PublishedGreeks

    public init(markPrice: Double, greeks: PublishedGreeks) {
        self.markPrice = markPrice
        self.greeks = greeks
    }
}
