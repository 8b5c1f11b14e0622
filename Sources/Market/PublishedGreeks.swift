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
