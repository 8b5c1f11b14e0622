/// By how much a slice moves in a trader's terms. All 0 is no move.
public struct SmileShift: Sendable, Equatable {
    /// Added to the volatility at the money: 0.05 is five points. All else goes along: by itself, σ(k) becomes f σ(k/f) with
    /// f the ratio of the volatilities at the money, so that skew and wings keep what they are against √w(0).
    public var level = 0.0
    /// Added to ∂σ/∂k at the money.
    public var skew = 0.0
    /// By what share the wings' slopes over √w(0) rise: 0.2 is a fifth steeper.
    public var leftWing = 0.0
    public var rightWing = 0.0
    /// Added to the least volatility of any strike, as the other terms leave it. Where it is 0 the bend keeps its width
    /// (against the level), and the least volatility is what comes of that.
    public var least = 0.0

    /// No move.
    public init() {}
}

extension SVISlice {
    /// The slice after a move.
    ///
    /// With r = √(m² + σ²), the width of the bend, skew and wings give m/r, as in `JumpWings.slice`; r is the slice's own times
    /// f, or that which has the least volatility asked for. No least volatility is kept while the skew moves: near a slice
    /// whose least strike is at the money it would make a kink of the smallest skew.
    /// - Returns: nil where there is no such slice: a volatility at the money of 0 or less, a skew as steep as its wing, a least
    ///   volatility below 0 or above that at the money, or one that no width has.
    public func shifted(by shift: SmileShift, years: Double) -> SVISlice? {
        guard shift != SmileShift() else { return self }
        let root = self[0].variance.squareRoot()
        guard isCurve, years > 0, root > 0 else { return nil }
        let moved = root + shift.level * years.squareRoot()
        let ratio = moved / root
        guard moved > 0, ratio < .infinity else { return nil }
        let (p, c) = (
            leftSlope * ratio * (1 + shift.leftWing), rightSlope * ratio * (1 + shift.rightWing)
        )
        let skew = self[0].slope / (2 * root) + shift.skew * years.squareRoot()
        guard p >= 0, c >= 0, p + c > 0 else {
            let isLevelAlone = b == 0 && shift.skew == 0 && shift.least == 0
            return isLevelAlone ? scaled(by: ratio * ratio) : nil
        }
        // 1 + m/r and 1 − m/r.
        let toLeft = 2 * (c - 2 * skew * moved) / (p + c)
        let toRight = 2 * (p + 2 * skew * moved) / (p + c)
        guard toLeft > 0, toRight > 0 else { return nil }
        // w(0) less the least w is r/2 times the square of this.
        let rise = 4 * skew * moved / ((p * toLeft).squareRoot() + (c * toRight).squareRoot())
        var reach = (m * m + sigma * sigma).squareRoot() * ratio
        if shift.least != 0 {
            let variance = moved * moved - reach * rise * rise / 2
            let least = max(0, variance).squareRoot() + shift.least * years.squareRoot()
            guard variance >= 0, least >= 0 else { return nil }
            reach = 2 * (moved - least) * (moved + least) / (rise * rise)
        }
        let sigma = reach * (toLeft * toRight).squareRoot()
        guard sigma > 0, sigma < .infinity else { return nil }
        let m = reach * (toLeft - toRight) / 2
        let slice = SVISlice(
            a: moved * moved - (c * (reach - m) + p * (reach + m)) / 2, leftSlope: p, rightSlope: c, m: m,
            sigma: sigma)
        return slice.isCurve ? slice : nil
    }
}
