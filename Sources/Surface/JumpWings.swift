/// A slice in a trader's terms (SVI jump wings), each one quantity of the market.
///
/// - Source: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, 2014, section 3.
public struct JumpWings: Sendable, Equatable {
    /// Variance at the money, w(0)/T.
    public let variance: Double
    /// Skew at the money, ∂√w/∂k.
    public let skew: Double
    /// Slope of the left wing and of the right one, b(1 ∓ ρ)/√w(0).
    public let leftWing, rightWing: Double
    /// The least variance of any strike.
    public let leastVariance: Double

    public init(
        variance: Double, skew: Double, leftWing: Double, rightWing: Double, leastVariance: Double
    ) {
        self.variance = variance
        self.skew = skew
        self.leftWing = leftWing
        self.rightWing = rightWing
        self.leastVariance = leastVariance
    }
}

extension JumpWings {
    /// What a slice means to a trader.
    public init(_ slice: SVISlice, years: Double) {
        let atTheMoney = slice[0]
        let root = atTheMoney.variance.squareRoot()
        self.init(
            variance: atTheMoney.variance / years, skew: atTheMoney.slope / (2 * root),
            leftWing: slice.leftSlope / root, rightWing: slice.rightSlope / root,
            leastVariance: slice.leastVariance / years)
    }

    /// The slice with these wings; nil where there is none (a skew at least as steep as its wing, a least variance above
    /// that at the money) and where they don't say which: with the least variance at the money, any σ has the same.
    ///
    /// With r = √(m² + σ²), skew and wings give m/r, and r is how much variance at the money lies above the least:
    /// w(0) − least = ½ r (√(p(1 + m/r)) − √(c(1 − m/r)))².
    public func slice(years: Double) -> SVISlice? {
        let wings = leftWing + rightWing
        guard variance > 0, years > 0, leftWing >= 0, rightWing >= 0, wings > 0, leastVariance >= 0
        else { return nil }
        let root = (variance * years).squareRoot()
        let (p, c) = (leftWing * root, rightWing * root)
        // 1 + m/r and 1 − m/r.
        let toLeft = 2 * (rightWing - 2 * skew) / wings
        let toRight = 2 * (leftWing + 2 * skew) / wings
        guard toLeft > 0, toRight > 0 else { return nil }
        // The difference of the two roots is 4·skew·√w over their sum.
        let rise = 4 * skew * root / ((p * toLeft).squareRoot() + (c * toRight).squareRoot())
        let reach = 2 * (variance - leastVariance) * years / (rise * rise)
        let sigma = reach * (toLeft * toRight).squareRoot()
        guard sigma > 0, sigma < .infinity else { return nil }
        return SVISlice(
            a: leastVariance * years - sigma * (p * c).squareRoot(), leftSlope: p, rightSlope: c,
            m: reach * (toLeft - toRight) / 2, sigma: sigma)
    }
}
