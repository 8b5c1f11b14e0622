/// Value at risk and expected shortfall at one level, of every group by itself, of all together, and how much of the
/// latter each group contributes. All are losses in the numeraire of the profits: above 0 where money is lost.
///
/// With the gains x₁ ≤ … ≤ xₙ and p = 1 − level:
/// - Value at risk is minus the p-quantile, between two gains by linear interpolation at 1 + (n − 1)p (type 7 of
///   Hyndman, Fan, Sample quantiles in statistical packages, 1996; the default of numpy and R).
/// - Expected shortfall is minus the mean of the lowest np gains, the last of them in part where np is not whole
///   (Acerbi, Tasche, On the coherence of expected shortfall, 2002); where np is below 1, minus the lowest gain.
/// - A group's component of the shortfall is the same mean, over the same scenarios, of its own gains: the derivative
///   of the total by the group's size (Euler; Tasche 1999).
/// - Its component of the value at risk is likewise its expected loss where the total just loses the value at risk,
///   here by a line fitted to the gains of the scenarios around the quantile, to each side a quarter as many as are in the
///   tail, the nearer the heavier. A line through the total itself is exact, so that the components add up.
public struct TailRiskMeasures: Sendable {
    /// Confidence level: 0.99 for the loss that one scenario in a hundred exceeds.
    public let level: Double
    public let valueAtRisk: Double
    public let expectedShortfall: Double
    /// In the unit of the losses. One standard error of each if the scenarios are independent draws. Of the quantile: half the distance between the
    /// gains one standard error of its rank, √(np(1 − p)), below and above it. Of the shortfall: that of the mean of what
    /// losses exceed the quantile by.
    public let valueAtRiskStandardError, expectedShortfallStandardError: Double
    /// By group; they add up to the total's.
    public let valueAtRiskComponents, expectedShortfallComponents: [Double]
    /// By group, each by itself.
    public let groupValueAtRisk, groupExpectedShortfall: [Double]
}

extension ScenarioProfits {
    /// The figures at a level.
    /// - Parameter level: 0.99 for the loss that one scenario in a hundred exceeds.
    /// - Throws: `invalidValue` for a level outside 0.5 to 1, and for fewer than two scenarios.
    public func measures(level: Double) throws(TailRiskError) -> TailRiskMeasures {
        try TailRiskError.require(.from(0.5, below: 1), level, "level")
        try TailRiskError.require(.atLeast(2), Double(count), "scenarios")
        let place = TailPlace(level: level, count: count)
        let tail = Tail(total[...], place)
        var groupTails: [(valueAtRisk: Double, expectedShortfall: Double)] = []
        var valueComponents: [Double] = []
        var shortfallComponents: [Double] = []
        let quantile = tail.quantile
        for group in groups.indices {
            let gains = self[group]
            let tailOfGroup = Tail(gains, place)
            groupTails.append((-tailOfGroup.quantile, -tailOfGroup.mean))
            valueComponents.append(-tail.conditionalMean(of: gains, at: quantile))
            shortfallComponents.append(-tail.mean(of: gains))
        }
        return TailRiskMeasures(
            level: level, valueAtRisk: -quantile, expectedShortfall: -tail.mean,
            valueAtRiskStandardError: tail.quantileError, expectedShortfallStandardError: tail.meanError,
            valueAtRiskComponents: valueComponents, expectedShortfallComponents: shortfallComponents,
            groupValueAtRisk: groupTails.map(\.valueAtRisk),
            groupExpectedShortfall: groupTails.map(\.expectedShortfall))
    }
}

/// The end of a tail among `count` sorted gains.
struct TailPlace {
    let count: Int
    /// np, the mass of the tail in scenarios.
    let mass: Double
    /// (n − 1)p: the rank of the quantile from 0.
    let rank: Double
    /// Scenarios to each side of the quantile from which the value at risk is shared out.
    let neighbours: Int
    /// One standard deviation of the number of gains below the quantile.
    let deviation: Int
    /// Sorted gains that are needed.
    let needed: Int

    init(level: Double, count: Int) {
        let p = 1 - level
        self.count = count
        mass = max(1, Double(count) * p)
        rank = Double(count - 1) * p
        neighbours = max(1, Int(mass / 4))
        deviation = max(1, Int((Double(count) * p * level).squareRoot().rounded()))
        needed = min(count, Int(max(rank, mass)) + 2 + max(neighbours, deviation))
    }
}

/// The lowest gains of a series, sorted, with the scenarios that they belong to.
struct Tail {
    private let place: TailPlace
    private let gains: [Double]
    private let scenarios: [Int]

    init(_ series: ArraySlice<Double>, _ place: TailPlace) {
        self.place = place
        let threshold = Self.ranked(series, place.needed - 1)
        var lowest: [(gain: Double, scenario: Int)] = []
        lowest.reserveCapacity(place.needed + 8)
        for (scenario, gain) in series.enumerated() where gain <= threshold {
            lowest.append((gain, scenario))
        }
        // Equal gains in the order of scenarios: the same on every run.
        lowest.sort { $0.gain != $1.gain ? $0.gain < $1.gain : $0.scenario < $1.scenario }
        gains = lowest.map(\.gain)
        scenarios = lowest.map(\.scenario)
    }

    /// By linear interpolation, as numpy does it.
    var quantile: Double {
        let below = Int(place.rank)
        let fraction = place.rank - Double(below)
        let low = gains[below]
        let high = gains[min(below + 1, gains.count - 1)]
        return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction)
    }

    /// The mean of the tail's own gains.
    var mean: Double { mean { gains[$0] } }

    /// The mean of other gains in the tail's scenarios.
    func mean(of series: ArraySlice<Double>) -> Double {
        mean { series[series.startIndex + scenarios[$0]] }
    }

    private func mean(_ gain: (Int) -> Double) -> Double {
        let whole = Int(place.mass)
        var sum = 0.0
        for rank in 0..<whole { sum += gain(rank) }
        let part = place.mass - Double(whole)
        if part > 0, whole < gains.count { sum += part * gain(whole) }
        return sum / place.mass
    }

    /// The other gains to be expected where the own is `value`: a line fitted around the quantile.
    func conditionalMean(of series: ArraySlice<Double>, at value: Double) -> Double {
        let middle = place.rank
        let first = max(0, Int(middle) + 1 - place.neighbours)
        let last = min(gains.count - 1, Int(middle) + place.neighbours)
        let reach = Double(place.neighbours + 1)
        var (weights, x, y) = (0.0, 0.0, 0.0)
        func weight(_ rank: Int) -> Double { reach - min(reach, abs(Double(rank) - middle)) }
        func other(_ rank: Int) -> Double { series[series.startIndex + scenarios[rank]] }
        for rank in first...last {
            weights += weight(rank)
            x += weight(rank) * gains[rank]
            y += weight(rank) * other(rank)
        }
        guard weights > 0 else { return other(Int(middle)) }
        (x, y) = (x / weights, y / weights)
        var (square, product) = (0.0, 0.0)
        for rank in first...last {
            square += weight(rank) * (gains[rank] - x) * (gains[rank] - x)
            product += weight(rank) * (gains[rank] - x) * (other(rank) - y)
        }
        return square > 0 ? y + product / square * (value - x) : y
    }

    var quantileError: Double {
        let middle = Int(place.rank.rounded())
        let low = max(0, middle - place.deviation)
        let high = min(gains.count - 1, middle + place.deviation)
        return high > low ? (gains[high] - gains[low]) / Double(high - low) * Double(place.deviation) : 0
    }

    /// Of the mean of max(quantile − gain, 0) over all scenarios, divided by mass/n, which is p unless np is below 1.
    var meanError: Double {
        let limit = quantile
        let n = Double(place.count)
        var (sum, square) = (0.0, 0.0)
        for gain in gains where gain < limit {
            sum += limit - gain
            square += (limit - gain) * (limit - gain)
        }
        let variance = max(0, square / n - sum / n * (sum / n))
        return (variance / n).squareRoot() * n / place.mass
    }

    /// The gain of a rank, from 0, among all sorted: quickselect.
    private static func ranked(_ series: ArraySlice<Double>, _ rank: Int) -> Double {
        var all = Array(series)
        do {
            var values = all.mutableSpan
            var (low, high) = (0, values.count - 1)
            while low < high {
                // The middle one of three, so that sorted series are no worst case.
                let (a, b, c) = (values[low], values[(low + high) / 2], values[high])
                let pivot = max(min(a, b), min(max(a, b), c))
                var (i, j) = (low, high)
                while i <= j {
                    while values[i] < pivot { i += 1 }
                    while values[j] > pivot { j -= 1 }
                    if i <= j {
                        values.swapAt(i, j)
                        (i, j) = (i + 1, j - 1)
                    }
                }
                if rank <= j { high = j } else if rank >= i { low = i } else { return values[rank] }
            }
            return values[rank]
        }
    }
}
