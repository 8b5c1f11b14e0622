import Checks

/// An option that policies on gamma, vega or theta hedge with, beside the underlying: valued on the same
/// surface as the book, held until it is sold or settles.
public struct HedgeOption: Sendable, Equatable {
    /// As tables show it.
    public var name: String
    public var isPut: Bool
    /// K, in quote currency.
    public var strike: Double
    /// From the start of the simulation to expiry.
    public var years: Double
    /// σ at the start, and ∂σ/∂ln K there (see `HedgedOption`).
    public var volatility, skew: Double
    /// Half the spread as a part of the option's value.
    public var halfSpread: Double
    /// Per contract: `fee` of the underlying's price, at most `feeCap` of the option's value. Deribit's are
    /// 0.0003 and 0.125.
    public var fee, feeCap: Double
    /// The most contracts that are bought or sold in a step.
    public var largestTrade: Double

    public init(
        name: String, isPut: Bool, strike: Double, years: Double, volatility: Double, skew: Double = 0,
        halfSpread: Double = 0, fee: Double = 0, feeCap: Double = 0.125, largestTrade: Double = 1e6
    ) {
        self.name = name
        self.isPut = isPut
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.skew = skew
        self.halfSpread = halfSpread
        self.fee = fee
        self.feeCap = feeCap
        self.largestTrade = largestTrade
    }

    /// One contract as a book.
    public var book: HedgedBook {
        HedgedBook(options: [
            HedgedOption(
                isPut: isPut, strike: strike, years: years, volatility: volatility, quantity: 1, skew: skew)
        ])
    }

    public func validate() throws(SimulationError) {
        for option in book.options { try option.validate(name) }
        for (field, value, rule) in [
            ("half_spread", halfSpread, .share), ("fee", fee, .share), ("fee_cap", feeCap, .share),
            ("largest_trade_contracts", largestTrade, .within(1e-9...1e9)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, name, field)
        }
    }
}
