/// The Greeks of one unit of a long option in natural units.
public struct NaturalGreeks: Sendable, Equatable {
    /// F, the price of the option's future, in quote currency.
    public var forward: Double
    /// To expiry, ACT/365.
    public var years: Double
    /// V, in quote currency, also of an option that is settled in coin.
    public var value: Double
    /// ∂V/∂F, above 0 for a call.
    public var delta: Double
    /// ∂²V/∂F².
    public var gamma: Double
    /// ∂V/∂σ, per 1.00 of volatility.
    public var vega: Double
    /// ∂V/∂t, per year, as time goes by: below 0 where time costs.
    public var theta: Double
    /// ∂V/∂r at a given spot, with which F moves by T F, per 1.00 of rate.
    public var rho: Double

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
    /// As quoted: in coin for an inverse option, else in quote currency.
    public var markPrice: Double
    public var greeks: PublishedGreeks

    public init(markPrice: Double, greeks: PublishedGreeks) {
        self.markPrice = markPrice
        self.greeks = greeks
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
