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
