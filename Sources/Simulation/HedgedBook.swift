import Greeks

/// An option of a simulated book.
public struct HedgedOption: Sendable, Equatable {
    public var isPut: Bool
    /// K, in quote currency.
    public var strike: Double
    /// From the start of the simulation to expiry; options that expire within it settle at the first step
    /// that is not before their expiry.
    public var years: Double
    /// σ at the start, 1.00 is 100%.
    public var volatility: Double
    /// Contracts of one unit of the underlying; long above 0.
    public var quantity: Double
    /// ∂σ/∂ln K of the surface at this strike at the start. A strike's volatility follows the one at the
    /// money, which the paths bring, and its own distance from the money: σ(t) = σ + (ATM(t) − ATM(0)) −
    /// skew·ln(S(t)/S(0)).
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

    public init(
        options: [HedgedOption], settlement: Settlement = .linear, rate: Double = 0, dividend: Double = 0
    ) {
        self.options = options
        self.settlement = settlement
        self.rate = rate
        self.dividend = dividend
    }

    /// - Throws: for the first value that cannot be computed; options are counted from 1.
    public func validate() throws(SimulationError) {
        guard !options.isEmpty else {
            throw .invalidParameter(
                model: "book", name: "option", value: 0, reason: "expected at least one option")
        }
        for (index, option) in options.enumerated() {
            func check(_ holds: Bool, _ name: String, _ value: Double, _ reason: String)
                throws(SimulationError)
            {
                try SimulationError.require(holds, "option \(index + 1)", name, value, reason)
            }
            try check(
                option.strike > 0 && option.strike <= Domain.largestPrice, "strike", option.strike,
                "is not positive and finite")
            try check(option.years > 0 && option.years <= 100, "years", option.years, "is not in (0, 100]")
            try check(
                option.volatility > 0 && option.volatility <= 100, "volatility", option.volatility,
                "is not in (0, 100]")
            try check(option.quantity.magnitude <= 1e12, "quantity", option.quantity, "is not within ±1e12")
            try check(option.skew.magnitude <= 100, "skew", option.skew, "is not within ±100")
        }
        try SimulationError.require(rate.magnitude <= 1, "book", "rate", rate, "is not within ±1")
        try SimulationError.require(
            dividend.magnitude <= 1, "book", "dividend", dividend, "is not within ±1")
    }
}
