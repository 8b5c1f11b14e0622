import Checks
import Glibc

/// The mark of what a book owns or owes in the options of an expiry, whose value in a scenario is V, with r₊ = max(0, r):
/// - V > 0: V · `long` · e^(−T(`longRateMultiple` r₊ + `longAddedRate`));
/// - V ≤ 0: V · min(e^(r₊T), `short` · e^(T(`shortRateMultiple` r₊ + `shortAddedRate`))), at most undiscounted.
///
/// The profit is the mark less the present value before the scenario.
/// - Source: the static discount of Derive's portfolio margin 2.
public struct ExpiryHaircut: Sendable, Equatable {
    public var long, longRateMultiple, longAddedRate: Double
    public var short, shortRateMultiple, shortAddedRate: Double

    public init(
        long: Double, longRateMultiple: Double, longAddedRate: Double, short: Double,
        shortRateMultiple: Double, shortAddedRate: Double
    ) {
        (self.long, self.longRateMultiple, self.longAddedRate) = (long, longRateMultiple, longAddedRate)
        (self.short, self.shortRateMultiple, self.shortAddedRate) = (short, shortRateMultiple, shortAddedRate)
    }

    /// The field that cannot be computed, as it is called in files.
    var firstInvalid: (field: String, value: Double, complaint: String)? {
        let range = NumberRule.within(-100...100)
        return NumberRule.firstBroken([
            ("long", long, .within(0...1000)), ("short", short, .within(0...1000)),
            ("long_rate_multiple", longRateMultiple, range), ("long_added_rate", longAddedRate, range),
            ("short_rate_multiple", shortRateMultiple, range), ("short_added_rate", shortAddedRate, range),
        ])
    }

    /// The mark of a value.
    func marked(_ value: Double, years: Double, rate: Double) -> Double {
        let rate = max(0, rate)
        if value > 0 {
            return value * long * exp(-years * (longRateMultiple * rate + longAddedRate))
        }
        let up = short * exp(years * (shortRateMultiple * rate + shortAddedRate))
        return value * min(exp(rate * years), up)
    }
}

/// Sums of profits by group and expiry, from which those of groups follow where a grid charges them expiry by expiry.
public struct ExpirySums: Sendable {
    /// One of the sums.
    public struct Part: Sendable {
        /// The row of the result: a group of any grouping.
        public var group: Int
        /// Present value of the options, in the currency of the profits.
        public var value: Double
        /// Nil without options: what only futures, perpetuals or coins gain is neither marked down nor taken absolutely.
        public var years: Double?
        public var rate: Double

        public init(group: Int, value: Double, years: Double?, rate: Double) {
            self.group = group
            self.value = value
            self.years = years
            self.rate = rate
        }
    }

    /// Adds the sums of each group's parts up, by the rules of the grid, times the scenario's dampening.
    /// - Parameter profits: a row per part, not dampened.
    public static func combined(
        _ profits: ScenarioMatrix, _ parts: [Part], groupCount: Int, _ grid: ScenarioGrid
    ) -> ScenarioMatrix {
        precondition(profits.rowCount == parts.count && profits.scenarioCount == grid.count, "sizes differ")
        let result = ScenarioMatrix(rowCount: groupCount, scenarioCount: grid.count)
        for (row, part) in parts.enumerated() {
            for (number, scenario) in grid.scenarios.enumerated() {
                var profit = profits[row, number]
                if let years = part.years {
                    if let haircut = grid.haircut {
                        let left = max(0, years - scenario.days / 365)
                        profit =
                            haircut.marked(part.value + profit, years: left, rate: part.rate) - part.value
                    }
                    if scenario.expiryLoss == .absolute { profit = -profit.magnitude }
                }
                result[part.group, number] += profit * scenario.dampening
            }
        }
        return result
    }
}
