import Glibc

/// The reach of a move of the level of volatilities: up to 30 days in full, beyond that by the factor
/// (30 days/T)^power, since distant expiries move less. Where time passes, T is what is left for a full revaluation, as in
/// `ScenarioGrid`, and the time at the start for the expansion, whose derivatives are those of the start.
public struct VolatilityResponse: Sendable {
    public let power: Double

    /// - Parameter power: 0 moves all alike; 0.5 by the square root of the time.
    /// - Throws: `invalidValue` for one that is not a number from 0 to 1.
    public init(power: Double = 0.5) throws(TailRiskError) {
        try TailRiskError.require(.share, power, "term power")
        self.power = power
    }

    /// The share of a move that reaches options with so much time to expiry: from 0 to 1, NaN for NaN.
    public func factor(years: Double) -> Double {
        let thirtyDayPeriods = years * 365 / 30
        if thirtyDayPeriods <= 1 { return 1 }
        return power == 0.5 ? 1 / thirtyDayPeriods.squareRoot() : pow(thirtyDayPeriods, -power)
    }
}
