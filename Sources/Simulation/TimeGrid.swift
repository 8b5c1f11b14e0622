/// The times at which a path is looked at: equal steps from 0 on.
public struct TimeGrid: Sendable, Equatable {
    /// How many steps; there is one more time than that.
    public let steps: Int
    /// Years from one time to the next.
    public let stepYears: Double

    /// - Throws: where there is no step or it takes no positive, finite time.
    public init(steps: Int, stepYears: Double) throws(SimulationError) {
        try SimulationError.require(
            steps > 0 && steps < 1 << 30, "time grid", "steps", Double(steps), "is not in [1, 2³⁰)")
        try SimulationError.require(
            stepYears > 0 && stepYears.isFinite, "time grid", "step", stepYears, "is not positive and finite")
        self.steps = steps
        self.stepYears = stepYears
    }

    /// Years from the start to a time.
    @inlinable
    public func years(_ step: Int) -> Double { Double(step) * stepYears }

    /// Hours from the start to a time: as near as a number can say it where steps are whole microseconds.
    public func hours(_ step: Int) -> Double {
        let exact = stepYears * 365 * 86_400e6
        let whole = exact.rounded()
        let isWhole = whole > 0 && (exact - whole).magnitude <= 1e-12 * whole
        return Double(step) * (isWhole ? whole : exact) / 3_600e6
    }

    /// Years from the start to the end.
    public var duration: Double { years(steps) }

    /// A step of one hour, in years of 365 days.
    public static let hour = 1.0 / (365 * 24)
}
