import Checks
import Market
import VectorMath

/// The band of an expected-utility hedger, for small costs: wider where gamma is large, narrower where risk is
/// disliked.
///
/// With costs λ per unit of value traded and risk aversion a (exponential utility, per unit of currency) the
/// half-width is H = (3/2 · e^(−rτ) λ S Γ²/a)^(1/3) and trades go to its edge. With a cost k per trade besides, the
/// band is wider and trades go inside: outer and inner half-width U and l solve
///
///     α U − β U³ = α l − β l³ = λ S,   ∫ₗᵁ (α x − β x³ − λ S) dx = k,   β = a e^(rτ)/(3 Γ²)
///
/// that is, the marginal value of being nearer the middle is λS where a trade begins and where it ends, and the
/// whole trade is worth its costs. Without λ: U = (12 k Γ² e^(−rτ)/a)^(1/4), l = 0.
///
/// - Input: spot, gamma, rate, years to expiry (without one, no discounting), proportional and fixed cost.
/// - Accuracy: 1e-14 of the solution in 50 digits (see `PolicyTests`).
/// - Sources: Whalley, Wilmott, An asymptotic analysis of an optimal hedging model for option pricing with
///   transaction costs, 1997; with costs per trade the same authors', Optimal hedging of options with small but
///   arbitrary transaction cost structure, 1999.
public struct WhalleyWilmottPolicy: RebalancingPolicy {
    /// a, per unit of currency.
    public let riskAversion: Double
    /// Factor on the half-width; 1 is the formula's.
    public let scale: Double

    /// - Throws: for a risk aversion or scale that is not positive.
    public init(riskAversion: Double, scale: Double = 1) throws(RebalancingError) {
        try RebalancingError.require(riskAversion, "risk aversion", .positive)
        try RebalancingError.require(scale, "scale", .positive)
        self.riskAversion = riskAversion
        self.scale = scale
    }

    public var name: String {
        "Whalley–Wilmott, risk aversion \(riskAversion)" + (scale == 1 ? "" : ", × \(scale)")
    }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        let reciprocal =
            Lanes(repeating: 3 / riskAversion) * state.gamma * state.gamma * state.discount
        let cost = state.proportionalCost * state.spot
        // Of a cost per trade that nobody knows no band can be made.
        let isUnknown = .!(state.fixedCost .== state.fixedCost)
        guard PortableArithmetic.any(state.fixedCost .> Lanes.zero) else {
            // β in the denominator: λS/(2β).
            let cube = cost * reciprocal * Lanes(repeating: 0.5)
            let width = cubeRoot(cube) * Lanes(repeating: scale)
            return RebalancingBand(lower: width.negated, upper: width)
                .replacing(with: .unknown, where: isUnknown)
        }
        var (outer, inner) = Self.halfWidths(
            4 * state.fixedCost * reciprocal, 4 * cost * reciprocal)
        outer *= scale
        inner *= scale
        return RebalancingBand(
            lower: outer.negated, upper: outer, innerLower: inner.negated, innerUpper: inner
        ).replacing(with: .unknown, where: isUnknown)
    }

    /// Outer and inner half-width for A = 4k/β and B = 4λS/β.
    ///
    /// With s = U + l and d = U − l the conditions come down to s d³ = A and s(s² − d²) = B, and with s = y³ to
    /// y⁹ − A^(2/3) y − B = 0. From an upper bound of its root Newton's method comes down to it.
    static func halfWidths(_ fixed: Lanes, _ proportional: Lanes) -> (outer: Lanes, inner: Lanes) {
        let arithmetic = PortableArithmetic.self
        let linear = power(arithmetic, fixed, Lanes(repeating: 2.0 / 3))
        let bound = power(arithmetic, linear * 2, Lanes(repeating: 1.0 / 8))
            .larger(power(arithmetic, proportional * 2, Lanes(repeating: 1.0 / 9)))
        var y = bound
        for _ in 0..<7 {
            let square = y * y
            let fourth = square * square
            let eighth = fourth * fourth
            let step = (eighth * y - linear * y - proportional) / (9 * eighth - linear)
            y -= step.kept(where: bound .> Lanes.zero)
        }
        let sum = y * y * y
        let difference = cubeRoot(fixed / sum).kept(where: fixed .> Lanes.zero).smaller(sum)
        let half = Lanes(repeating: 0.5)
        return ((sum + difference) * half, (sum - difference) * half)
    }
}

/// x^(1/3) for x ≥ 0.
func cubeRoot(_ x: Lanes) -> Lanes { power(PortableArithmetic.self, x, Lanes(repeating: 1.0 / 3)) }

extension RebalancingState {
    /// e^(−rτ), 1 where there is no expiry or no rate; NaN where there is a rate and the expiry is not known.
    var discount: Lanes {
        let years = Lanes.zero.replacing(
            with: yearsToExpiry, where: .!(yearsToExpiry .== Lanes(repeating: .infinity)))
        return exponential(PortableArithmetic.self, (rate.negated * years).kept(where: rate .!= .zero))
    }
}

extension WhalleyWilmottPolicy: ConfiguredPolicy {
    package static var kind: String { "whalley_wilmott" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        try PolicyFamily("Whalley–Wilmott", settings, "risk_aversion_per_usd") {
            try WhalleyWilmottPolicy(riskAversion: $0)
        }
    }
}
