/// How a smile moves when its forward does: by the skew-stickiness ratio R, volatility at strike K goes from σ(k) to
/// σ(k + (R − 1) ln(F'/F)), k = ln(K/F).
///
/// R = 1 is sticky strike: volatilities of strikes stay, and Greeks are Black's. R = 0 is sticky moneyness: the smile moves
/// with the forward. At the money volatility moves by R times the skew and ln(F'/F). Conventions differ: others call
/// sticky strike 2 or 0.
/// - Source: Bergomi, Stochastic Volatility Modeling, 2016, chapter 9.
public struct SmileDynamics: Sendable, Equatable {
    /// R.
    public let stickiness: Double

    public init(stickiness: Double) { self.stickiness = stickiness }

    public static let stickyStrike = SmileDynamics(stickiness: 1)
    public static let stickyMoneyness = SmileDynamics(stickiness: 0)

    /// A strike's volatility after the forward has moved.
    public func volatility(_ section: SmileSection, strike: Double, forward: Double) -> Double {
        let k = section.logMoneyness(ofStrike: strike)
        let moved = section.logMoneyness(ofStrike: forward)
        return section.volatility(at: k + (stickiness - 1) * moved)
    }

    /// ∂σ/∂F and ∂²σ/∂F² of a strike: with q = R − 1, qσ'/F and (q²σ'' − qσ')/F².
    @inlinable
    public func byForward(slope: Double, curvature: Double, forward: Double) -> (
        first: Double, second: Double
    ) {
        let excess = stickiness - 1
        let first = excess * slope / forward
        return (first, (excess * excess * curvature - excess * slope) / (forward * forward))
    }
}

/// Black's derivatives of an option's value by forward, volatility and time, per unit, as `Greek` defines them.
public struct BlackGreeks: Sendable, Equatable {
    public var delta, gamma, vega, vanna, volga, charm, veta: Double

    public init(
        delta: Double, gamma: Double, vega: Double, vanna: Double, volga: Double, charm: Double = 0,
        veta: Double = 0
    ) {
        self.delta = delta
        self.gamma = gamma
        self.vega = vega
        self.vanna = vanna
        self.volga = volga
        self.charm = charm
        self.veta = veta
    }

    /// The same where volatility follows the forward as a smile does.
    ///
    /// - Units: those of Black's: by forward, 1.00 of volatility that all strikes have in common, one year. Charm is that
    ///   of volatilities and skews that stay as they are while time passes.
    /// - On a flat smile, and at R = 1, the numbers are Black's to the bit.
    @inlinable
    public func moving(
        _ dynamics: SmileDynamics, slope: Double, curvature: Double, forward: Double
    ) -> BlackGreeks {
        let (first, second) = dynamics.byForward(slope: slope, curvature: curvature, forward: forward)
        guard first != 0 || second != 0 else { return self }
        return BlackGreeks(
            delta: delta + vega * first,
            gamma: gamma + first * (2 * vanna + volga * first) + vega * second,
            vega: vega, vanna: vanna + volga * first, volga: volga, charm: charm + veta * first, veta: veta)
    }

    /// The same on a section of a surface.
    public func moving(_ dynamics: SmileDynamics, _ section: SmileSection, strike: Double) -> BlackGreeks {
        let point = section.volatilityPoint(at: section.logMoneyness(ofStrike: strike))
        return moving(dynamics, slope: point.slope, curvature: point.curvature, forward: section.forward)
    }
}
