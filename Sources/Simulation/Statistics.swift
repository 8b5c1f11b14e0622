import VectorMath

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

/// Figures of a sample that have an influence function: what one more observation at x would move them by,
/// times the sample's size. Its variance is that of the figure, and differences of two figures on common
/// random numbers have the variance of the difference.
/// - Source: Hampel, The influence curve and its role in robust estimation, 1974; for expected shortfall,
///   Chen, Nonparametric estimation of expected shortfall, 2008.
public enum SampleFigure: Hashable, Sendable {
    case mean
    case standardDeviation
    /// The mean of the worst share 1 − level of the sample, as a loss: −E[x | x ≤ quantile].
    case expectedShortfall(level: Double)

    /// The figure, and the influence of every observation on it.
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
            guard deviation > 0 else { return (0, squares) }
            return (deviation, squares.map { ($0 - variance) / (2 * deviation) })
        case .expectedShortfall(let level):
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

    /// How much larger the figure is for `sample` than for `other` on the same paths.
    public func difference(_ sample: [Double], _ other: [Double], overlap: Int = 0) -> Estimate {
        let (value, influences) = influences(sample)
        let (otherValue, otherInfluences) = self.influences(other)
        return Estimate(
            value: value - otherValue,
            standardError: Self.standardError(
                zip(influences, otherInfluences).map { $0 - $1 }, overlap: overlap))
    }

    /// Of the mean of influences.
    static func standardError(_ influences: [Double], overlap: Int) -> Double {
        let count = influences.count
        guard count > 1 else { return .infinity }
        let mean = influences.reduce(0, +) / Double(count)
        let centred = influences.map { $0 - mean }
        var variance = centred.reduce(0) { $0 + $1 * $1 }
        for lag in stride(from: 1, through: min(overlap, count - 1), by: 1) {
            var covariance = 0.0
            for index in lag..<count { covariance += centred[index] * centred[index - lag] }
            variance += 2 * (1 - Double(lag) / Double(overlap + 1)) * covariance
        }
        return (max(0, variance) / Double(count) / Double(count - 1)).squareRoot()
    }
}

/// What a simulation says about one policy.
public struct PolicySummary: Sendable {
    public let policy: String
    public let paths: Int
    /// Of the costs that are paid: spread, fees, impact, gas, slippage, funding, penalties.
    public let meanCost: Estimate
    /// Of profit and loss at the end.
    public let meanProfit, deviation, shortfall95, shortfall99: Estimate
    /// Of one path each: mean of the worst drawdown, and the worst of all.
    public let meanDrawdown: Estimate
    public let worstDrawdown: Double
    public let trades, turnover, liquidations, timeOutside, timeUnhedged, latencyCost: Estimate
    /// Means of the parts of profit and loss.
    public let parts: [ProfitPart: Estimate]

    /// - Parameter overlap: see `SampleFigure.estimate`.
    public init(_ figures: HedgingFigures, policy: Int, overlap: Int = 0) {
        self.policy = figures.policies[policy]
        paths = figures.completed
        func mean(_ figure: PathFigure) -> Estimate {
            SampleFigure.mean.estimate(figures.values(figure, policy: policy), overlap: overlap)
        }
        let profit = figures.values(.profit, policy: policy)
        meanCost = SampleFigure.mean.estimate(figures.costs(policy: policy), overlap: overlap)
        meanProfit = SampleFigure.mean.estimate(profit, overlap: overlap)
        deviation = SampleFigure.standardDeviation.estimate(profit, overlap: overlap)
        shortfall95 = SampleFigure.expectedShortfall(level: 0.95).estimate(profit, overlap: overlap)
        shortfall99 = SampleFigure.expectedShortfall(level: 0.99).estimate(profit, overlap: overlap)
        meanDrawdown = mean(.drawdown)
        worstDrawdown = figures.values(.drawdown, policy: policy).max() ?? .nan
        trades = mean(.trades)
        turnover = mean(.turnover)
        liquidations = mean(.liquidations)
        timeOutside = mean(.timeOutside)
        timeUnhedged = mean(.timeUnhedged)
        latencyCost = mean(.shortfall)
        var parts: [ProfitPart: Estimate] = [:]
        for part in ProfitPart.allCases {
            parts[part] = SampleFigure.mean.estimate(figures.values(part, policy: policy), overlap: overlap)
        }
        self.parts = parts
    }
}

/// One policy against another on the same paths: how much larger its figures are.
public struct PolicyComparison: Sendable {
    public let policy, reference: String
    public let cost, profit, deviation, shortfall95, shortfall99: Estimate

    public init(_ figures: HedgingFigures, policy: Int, reference: Int, overlap: Int = 0) {
        self.policy = figures.policies[policy]
        self.reference = figures.policies[reference]
        let (own, other) = (
            figures.values(.profit, policy: policy), figures.values(.profit, policy: reference)
        )
        func difference(_ figure: SampleFigure) -> Estimate {
            figure.difference(own, other, overlap: overlap)
        }
        cost = SampleFigure.mean.difference(
            figures.costs(policy: policy), figures.costs(policy: reference), overlap: overlap)
        profit = difference(.mean)
        deviation = difference(.standardDeviation)
        shortfall95 = difference(.expectedShortfall(level: 0.95))
        shortfall99 = difference(.expectedShortfall(level: 0.99))
    }
}

/// Those policies that no other beats in both cost and risk.
public func frontier(_ points: [(cost: Double, risk: Double)]) -> [Int] {
    points.indices.filter { index in
        !points.indices.contains { other in
            other != index && points[other].cost <= points[index].cost
                && points[other].risk <= points[index].risk
                && (points[other].cost < points[index].cost || points[other].risk < points[index].risk
                    || other < index)
        }
    }.sorted { points[$0].cost < points[$1].cost }
}
