import Checks
import Market

/// The contract that hedges the delta.
public struct HedgeContract: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case spot
        /// P&L in quote currency.
        case linearPerpetual = "linear_perpetual"
        /// P&L in coin, contracts of 1 quote unit.
        case inversePerpetual = "inverse_perpetual"
        case linearFuture = "linear_future"
        case inverseFuture = "inverse_future"

        public var isInverse: Bool { self == .inversePerpetual || self == .inverseFuture }
        public var isPerpetual: Bool { self == .linearPerpetual || self == .inversePerpetual }
    }

    public var kind: Kind
    /// Of a future: from the start of the simulation to its expiry.
    public var years: Double
    /// Of a future: annualised premium over spot, F = S e^(bT).
    public var basis: Double
    /// Standard deviation of the premium around that, as a part of the price, and after how long half a
    /// deviation is gone.
    public var premiumDeviation, premiumHalfLifeHours: Double

    public init(
        kind: Kind, years: Double = 90 / 365, basis: Double = 0, premiumDeviation: Double = 0,
        premiumHalfLifeHours: Double = 8
    ) {
        self.kind = kind
        self.years = years
        self.basis = basis
        self.premiumDeviation = premiumDeviation
        self.premiumHalfLifeHours = premiumHalfLifeHours
    }
}

extension HedgeContract {
    public func validate() throws(SimulationError) {
        for (name, value, rule) in [
            ("days", years * Year.days, .positiveUpTo(36_500)), ("basis_per_year", basis, .within(-5...5)),
            ("premium_deviation", premiumDeviation, .within(0...0.1)),
            ("premium_half_life_hours", premiumHalfLifeHours, .positiveUpTo(1e9)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, "hedge", name)
        }
        // e^(basis·years) is the future's price over the spot's.
        try SimulationError.require(
            (basis * years).magnitude <= 20, "hedge", "basis_per_year", basis,
            "makes a future of \(years.shown) years e^\((basis * years).shown) times as dear as spot")
    }
}
