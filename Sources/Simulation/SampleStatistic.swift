/// Figures of a sample that have an influence function: what one more observation at x would move them by,
/// times the sample's size. Its variance is that of the figure, and differences of two figures on common
/// random numbers have the variance of the difference.
/// - Source: Hampel, The influence curve and its role in robust estimation, 1974; for expected shortfall,
///   Chen, Nonparametric estimation of expected shortfall, 2008.
public enum SampleStatistic: Hashable, Sendable {
    case mean
    case standardDeviation
    /// The mean of the worst share 1 − level of the sample, as a loss: −E[x | x ≤ quantile]. The level is from 0 to
    /// below 1.
    case expectedShortfall(level: Double)

    /// The figure, and the influence of every observation on it. Both are NaN where there is none: of no sample, of one
    /// with an observation that is not a number, at a level outside of [0, 1).
    public func influences(_ sample: [Double]) -> (value: Double, influences: [Double]) {
        let count = Double(sample.count)
        guard !sample.isEmpty else { return (.nan, []) }
        let mean = sample.reduce(0, +) / count
        switch self {
        case .mean: return (mean, sample.map { $0 - mean })
        case .standardDeviation:
            let squares = sample.map { ($0 - mean) * ($0 - mean) }
            let variance = squares.reduce(0, +) / max(1, count - 1)
            let deviation = variance.squareRoot()
            // NaN is no deviation of 0.
            guard deviation != 0 else { return (0, squares) }
            return (deviation, squares.map { ($0 - variance) / (2 * deviation) })
        case .expectedShortfall(let level):
            guard level >= 0, level < 1, !sample.contains(where: \.isNaN) else {
                return (.nan, sample.map { _ in .nan })
            }
            let tail = 1 - level
            // Losses, the worst first; the one on the edge counts by the share of it that is in the tail.
            let losses = sample.map { -$0 }
            let sorted = losses.sorted(by: >)
            let size = tail * count
            let whole = min(Int(size), sorted.count - 1)
            let quantile = sorted[min(whole, sorted.count - 1)]
            let sum = sorted[..<whole].reduce(0, +) + (size - Double(whole)) * quantile
            let value = sum / size
            return (value, losses.map { max(0, $0 - quantile) / tail + quantile - value })
        }
    }

    /// The figure with its standard error.
    /// - Parameter overlap: how many neighbours an observation shares something with, as windows of the past
    ///   that overlap do; their covariances are counted in (Newey and West, 1987).
    public func estimate(_ sample: [Double], overlap: Int = 0) -> Estimate {
        let (value, influences) = influences(sample)
        return Estimate(value: value, standardError: Self.standardError(influences, overlap: overlap))
    }

    /// The difference of the statistic between `sample` and `other` on the same paths.
    public func difference(_ sample: [Double], _ other: [Double], overlap: Int = 0) -> Estimate {
        let (value, influences) = influences(sample)
        let (otherValue, otherInfluences) = self.influences(other)
        return Estimate(
            value: value - otherValue,
            standardError: Self.standardError(
                zip(influences, otherInfluences).map { $0 - $1 }, overlap: overlap))
    }

    /// Of the mean of influences; infinite for less than two of them.
    static func standardError(_ influences: [Double], overlap: Int) -> Double {
        let count = influences.count
        guard count > 1 else { return .infinity }
        let mean = influences.reduce(0, +) / Double(count)
        let centred = influences.map { $0 - mean }
        var variance = centred.reduce(0) { $0 + $1 * $1 }
        for lag in stride(from: 1, through: min(overlap, count - 1), by: 1) {
            var covariance = 0.0
            for index in lag..<count { covariance += centred[index] * centred[index - lag] }
            variance += 2 * (1 - Double(lag) / (Double(overlap) + 1)) * covariance
        }
        // Overlaps may leave less than nothing; NaN stays NaN.
        if variance < 0 { variance = 0 }
        return (variance / Double(count) / Double(count - 1)).squareRoot()
    }
}
