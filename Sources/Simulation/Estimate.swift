/// A figure with its standard error.
public struct Estimate: Sendable, Equatable {
    public let value: Double
    public let standardError: Double

    public init(value: Double, standardError: Double) {
        self.value = value
        self.standardError = standardError
    }

    /// The value ± 1.96 standard errors: in 95 of 100 simulations the true one lies within.
    public var interval: ClosedRange<Double> {
        // Of nothing, nothing is known.
        guard value.isFinite else { return -.infinity ... .infinity }
        let half = standardError.isFinite ? 1.959963984540054 * standardError : .infinity
        return value - half...value + half
    }
}
