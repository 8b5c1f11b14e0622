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

    /// The mark of a value in a scenario.
    /// - Parameters:
    ///   - years: what is left to expiry before the scenario.
    ///   - rate: per year, before the scenario.
    package func marked(
        _ value: Double, years: Double, rate: Double, in scenario: ScenarioGrid.Scenario
    ) -> Double {
        marked(value, years: max(0, years - scenario.days / 365), rate: rate + scenario.rate)
    }

    /// The mark of a value.
    /// - Parameters:
    ///   - years: T, what is left to expiry.
    ///   - rate: r, per year; below 0 it counts as 0.
    package func marked(_ value: Double, years: Double, rate: Double) -> Double {
        let rate = max(0, rate)
        if value > 0 {
            return value * long * exp(-years * (longRateMultiple * rate + longAddedRate))
        }
        let up = short * exp(years * (shortRateMultiple * rate + shortAddedRate))
        return value * min(exp(rate * years), up)
    }
}
