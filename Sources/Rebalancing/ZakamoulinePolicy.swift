import Checks
import Market
import VectorMath

/// A fit of band and volatility to the numerical solution of the expected-utility hedger, for costs that are not
/// small.
///
/// The delta at the volatility σ_m is held within ±(H₀ + H₁), trades go to the edge:
///
///     H₀ = λ/(a S σ² τ)
///     H₁ = 1.12 λ^0.31 τ^0.05 (e^(−rτ)/σ)^0.25 (|Γ|/a)^0.5
///     K  = 4.76 λ^0.78 τ^−0.02 (e^(−rτ)/σ)^0.25 (a S² |Γ|)^0.15
///     σ_m² = σ²(1 + K) where the position is short gamma, σ²(1 − K) where it is long
///
/// - Input: spot, gamma at the market's volatility, implied volatility, rate, years to expiry, proportional cost.
/// - Edges: no band at expiry or without one (nothing is done); unknown where the expiry is; at least `LelandPolicy.minimumVariance` of the
///   variance is left to a long position.
/// - Source: Zakamouline, Optimal hedging of options with transaction costs, 2006, by way of two public
///   implementations that agree on the constants; the one that takes both sides has K's sign as here. It is the
///   seller's that matters: reversed, the certainty equivalent of a short call falls by more than Zakamouline's band
///   gains, at aversions of 0.5 and more (`KnownResultsTests`); at 0.1 it rises a little.
public struct ZakamoulinePolicy: RebalancingPolicy {
    /// a, per unit of currency.
    public let riskAversion: Double

    /// - Throws: for a risk aversion that is not positive.
    public init(riskAversion: Double) throws(RebalancingError) {
        try RebalancingError.require(riskAversion, "risk aversion", .positive)
        self.riskAversion = riskAversion
    }

    public var name: String { "Zakamouline, risk aversion \(riskAversion)" }
    public var adjustsVolatility: Bool { true }

    public func volatilityScale(_ state: borrowing RebalancingState) -> Lanes {
        let arithmetic = PortableArithmetic.self
        let risk = Lanes(repeating: riskAversion) * state.spot * state.spot * state.gamma.absolute
        let change =
            Lanes(repeating: 4.76) * power(arithmetic, state.proportionalCost, Lanes(repeating: 0.78))
            * power(arithmetic, state.yearsToExpiry, Lanes(repeating: -0.02)) * fourthRoot(state)
            * power(arithmetic, risk, Lanes(repeating: 0.15))
        return LelandPolicy.scale(change.kept(where: hasBand(state)), gamma: state.gamma)
    }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        let arithmetic = PortableArithmetic.self
        let years = state.yearsToExpiry
        let aversion = Lanes(repeating: riskAversion)
        let variance = state.impliedVolatility * state.impliedVolatility
        let constant = state.proportionalCost / (aversion * state.spot * variance * years)
        let ratio = state.gamma.absolute / aversion
        let varying =
            Lanes(repeating: 1.12) * power(arithmetic, state.proportionalCost, Lanes(repeating: 0.31))
            * power(arithmetic, years, Lanes(repeating: 0.05)) * fourthRoot(state)
            * arithmetic.squareRoot(ratio)
        let width = constant + varying
        let band = RebalancingBand(lower: width.negated, upper: width)
        return .hold.replacing(with: band, where: hasBand(state))
            .replacing(with: .unknown, where: .!(years .== years))
    }

    private func hasBand(_ state: borrowing RebalancingState) -> LaneMask {
        (state.yearsToExpiry .> Lanes.zero) .& (state.yearsToExpiry .< Lanes(repeating: .infinity))
    }

    /// (e^(−rτ)/σ)^0.25.
    private func fourthRoot(_ state: borrowing RebalancingState) -> Lanes {
        let ratio = state.discount / state.impliedVolatility
        return PortableArithmetic.squareRoot(PortableArithmetic.squareRoot(ratio))
    }
}

extension ZakamoulinePolicy: ConfiguredPolicy {
    package static var kind: String { "zakamouline" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        try PolicyFamily("Zakamouline", settings, "risk_aversion_per_usd") {
            try ZakamoulinePolicy(riskAversion: $0)
        }
    }
}
