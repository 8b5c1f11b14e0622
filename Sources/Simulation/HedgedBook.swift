import Greeks

/// An option of a simulated book.
public struct HedgedOption: Sendable, Equatable {
    public var isPut: Bool
    /// K, in quote currency.
    public var strike: Double
    /// From the start of the simulation to expiry; options that expire within it settle at the first step that is
    /// not before their expiry.
    public var years: Double
    /// σ at the start, 1.00 is 100%.
    public var volatility: Double
    /// Contracts of one unit of the underlying; long above 0.
    public var quantity: Double
    /// ∂σ/∂ln K of the surface at this strike: what sticks to the spot moves along it.
    public var skew: Double

    public init(
        isPut: Bool, strike: Double, years: Double, volatility: Double, quantity: Double, skew: Double = 0
    ) {
        self.isPut = isPut
        self.strike = strike
        self.years = years
        self.volatility = volatility
        self.quantity = quantity
        self.skew = skew
    }
}

/// The options whose risk is hedged, all on one underlying, and how they are valued.
public struct HedgedBook: Sendable, Equatable {
    public enum Settlement: String, Sendable, CaseIterable {
        /// Premium and payoff in quote currency.
        case linear
        /// Premium and payoff in coin, at the spot of the moment; what is held in coin moves with the spot.
        case coin
    }

    public var options: [HedgedOption]
    public var settlement: Settlement
    /// r and q, continuously compounded, per year.
    public var rate, dividend: Double
    /// R: 1 leaves a strike's volatility where it is when the spot moves (sticky strike), 0 moves it with
    /// moneyness (sticky delta).
    public var skewStickiness: Double

    public init(
        options: [HedgedOption], settlement: Settlement = .linear, rate: Double = 0, dividend: Double = 0,
        skewStickiness: Double = 1
    ) {
        self.options = options
        self.settlement = settlement
        self.rate = rate
        self.dividend = dividend
        self.skewStickiness = skewStickiness
    }

    /// - Throws: `invalid` for the first value that cannot be computed.
    public func validate() throws(SimulationError) {
        guard !options.isEmpty else { throw .invalid("book.option", "none", "expected at least one option") }
        for (index, option) in options.enumerated() {
            let name = "book.option[\(index)]"
            try require(
                option.strike > 0 && option.strike <= Domain.largestPrice, "\(name).strike", option.strike,
                "must be above 0 and finite")
            try require(
                option.years > 0 && option.years <= 100, "\(name).days", option.years * 365,
                "must be above 0 and at most 36500")
            try require(
                option.volatility > 0 && option.volatility <= 100, "\(name).volatility", option.volatility,
                "must be above 0 and at most 100")
            try require(
                option.quantity.isFinite && option.quantity.magnitude <= 1e12, "\(name).quantity",
                option.quantity, "must be finite")
            try require(
                option.skew.isFinite && option.skew.magnitude <= 100, "\(name).skew", option.skew,
                "must be finite")
        }
        try require(rate.magnitude <= 1, "book.rate", rate, "must be within -1 and 1")
        try require(dividend.magnitude <= 1, "book.dividend", dividend, "must be within -1 and 1")
        try require(
            skewStickiness >= -2 && skewStickiness <= 3, "surface.stickiness", skewStickiness,
            "must be within -2 and 3")
    }
}

/// Fails for NaN, too: the condition is what must hold.
func require(_ condition: Bool, _ setting: String, _ value: Double, _ reason: String) throws(SimulationError)
{
    guard condition else { throw .invalid(setting, "\(value)", reason) }
}
