import Checks
import Market

/// The times at which a path is looked at: equal steps from 0 on.
public struct TimeGrid: Sendable, Equatable {
    /// Number of steps; there is one more time than that.
    public let steps: Int
    /// Years from one time to the next.
    public let stepYears: Double

    /// - Throws: where there is no step or it takes no positive time, or more than 10⁹ years.
    public init(steps: Int, stepYears: Double) throws(SimulationError) {
        try SimulationError.require(
            steps > 0 && steps < 1 << 30, "time grid", "steps", Double(steps), "must be from 1 to 2³⁰ − 1")
        try SimulationError.require(stepYears, .positiveUpTo(1e9), "time grid", "step")
        self.steps = steps
        self.stepYears = stepYears
    }

    /// Years from the start to a time.
    @inlinable
    public func years(_ step: Int) -> Double { Double(step) * stepYears }

    /// Hours from the start to a time: as near as a number can say it where steps are whole microseconds.
    public func hours(_ step: Int) -> Double {
        let exact = stepYears * Year.days * 86_400e6
        let whole = exact.rounded()
        let isWhole = whole > 0 && (exact - whole).magnitude <= 1e-12 * whole
        return Double(step) * (isWhole ? whole : exact) / 3_600e6
    }

    /// Years from the start to the end.
    public var duration: Double { years(steps) }

    /// A step of one hour, in years of 365 days.
    public static let hour = 1 / Year.hours
}

extension TimeGrid {
    /// Beyond e to this power, squares and products of prices leave what a double holds.
    static let largestGrowth = 60.0

    /// - Throws: for a drift or volatility that moves the price by more than a factor of e^60 on the way.
    package func checkGrowth(
        _ model: String, drift: Double, volatility: Double
    ) throws(SimulationError) {
        try SimulationError.require(drift, .finite, model, "drift_per_year")
        try SimulationError.require(volatility, .within(0...20), model, "volatility")
        for (name, value, growth) in [
            ("drift_per_year", drift, drift.magnitude * duration),
            ("volatility", volatility, volatility * volatility * duration),
        ] {
            try SimulationError.require(
                growth <= Self.largestGrowth, model, name, value,
                "moves the price by a factor of e^\(growth.shown) over \((duration * Year.days).shown) days")
        }
    }
}

extension NumberRule {
    /// A price of the underlying.
    static var spot: NumberRule { .within(1e-9...1e12) }
}
