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

/// The fee of a trade: min(rate · value of the underlying, cap · value of the contract).
public struct TradingFee: Sendable, Equatable {
    /// A share of the underlying's value.
    public var rate: Double
    /// A share of the contract's own value.
    public var cap: Double

    public init(rate: Double, cap: Double = .infinity) {
        self.rate = rate
        self.cap = cap
    }
}
