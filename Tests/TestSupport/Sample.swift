/// A sum of independent samples, with its standard error.
public struct Sample {
    private var count = 0.0, sum = 0.0, squares = 0.0
    /// Samples are taken relative to this, against cancellation.
    private let origin: Double

    public init(around origin: Double = 0) { self.origin = origin }

    public mutating func add(_ value: Double) {
        count += 1
        sum += value - origin
        squares += (value - origin) * (value - origin)
    }

    public var mean: Double { origin + sum / count }
    public var variance: Double { (squares - sum * sum / count) / (count - 1) }
    public var standardError: Double { (variance / count).squareRoot() }

    /// By how many standard errors the mean differs from what it should be.
    public func score(_ expected: Double) -> Double { (mean - expected) / standardError }
}
