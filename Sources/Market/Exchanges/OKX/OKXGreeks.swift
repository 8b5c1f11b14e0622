import Glibc

/// The two sets of Greeks that OKX publishes of an option, from its natural ones on the future F and the spot price S.
///
/// BS counts in dollars on spot, with the rate r = ln(F/S)/T that the future implies; PA counts in coin: derivatives of
/// V/S. They differ by the carry as well as by the price: dividing one theta by S does not give the other.
/// - Source: OKX's documentation of `opt-summary`; the rules were found by recomputing published rows.
public struct OKXGreeks: Sendable, Equatable {
    public struct Figures: Sendable, Equatable {
        public let delta, gamma, vega, theta: Double
    }

    /// `deltaBS`; `gammaBS` per dollar of spot; `vegaBS` in dollars per volatility point; `thetaBS` in dollars per day.
    public let dollars: Figures
    /// `delta` = S ∂(V/S)/∂S in coin; `gamma` = S² ∂²(V/S)/∂S²; `vega` in coin per volatility point; `theta` in coin per
    /// day, without the rate's term.
    public let coin: Figures

    /// - Parameter greeks: undiscounted, of Black's formula on F.
    public init(_ greeks: NaturalGreeks, spot: Double) {
        let forward = greeks.forward
        let rate = greeks.years > 0 ? log(forward / spot) / greeks.years : 0
        // K N(d2), with the sign of the option's type.
        let strikeTerm = forward * greeks.delta - greeks.value
        let gamma = greeks.gamma * forward / spot
        let vega = greeks.vega * spot / forward / 100
        dollars = Figures(
            delta: greeks.delta, gamma: gamma, vega: vega,
            theta: spot / forward * (greeks.theta - rate * strikeTerm) / Year.days)
        let delta = greeks.delta - greeks.value / forward
        coin = Figures(
            delta: delta, gamma: spot * gamma - 2 * delta, vega: vega / spot,
            theta: greeks.theta / forward / Year.days)
    }
}
