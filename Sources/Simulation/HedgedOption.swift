import Checks
import Greeks
import Market

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

extension HedgedOption {
    /// - Parameter name: as errors call it; fields are named as configurations do.
    public func validate(_ name: String) throws(SimulationError) {
        for (field, value, rule) in [
            ("strike_usd", strike, .within(1e-9...min(1e15, Domain.largestPrice))),
            ("days", years * Year.days, .positiveUpTo(36_500)),
            ("volatility", volatility, .within(1e-6...100)),
            ("quantity", quantity, .within(-1e12...1e12)), ("skew", skew, .within(-100...100)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, name, field)
        }
    }
}
