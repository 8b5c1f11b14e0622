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
