import Checks
import Market
import VectorMath

/// An online estimate of the delta that leaves the least variance: Black's and vega/(F√T)·(a + bδ + cδ²), where a, b and c
/// say how a strike's volatility moves with the forward: Δσ√T ≈ (a + bδ + cδ²)·ΔF/F.
///
/// By tenor, least squares whose past halves in value within a half-life, with a prior about 0: without data, and as
/// long as it has not gained out of sample, delta is Black's.
/// - Source: Hull and White, Optimal delta hedging for options, 2017.
public struct MinimumVarianceDelta: Sendable {
    /// a, b and c.
    public struct Estimate: Sendable, Equatable {
        public let coefficients: SIMD3<Double>
        /// Rows of their covariance, prior included.
        fileprivate let covariance: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)
        public let observations: Double
        /// What earlier estimates would have left of (Δσ√T)², each before its observation was known, against none of it:
        /// 0.1 is a tenth less.
        public let gain: Double

        /// How Δσ√T goes with ΔF/F for an option of a delta, and the half of its interval of 90%.
        public func response(delta: Double) -> (value: Double, half: Double) {
            let powers = SIMD3(1, delta, delta * delta)
            let image = SIMD3(
                (covariance.0 * powers).sum(), (covariance.1 * powers).sum(), (covariance.2 * powers).sum())
            return (
                (coefficients * powers).sum(), 1.644853626951472 * max(0, (image * powers).sum()).squareRoot()
            )
        }

        public static func == (a: Estimate, b: Estimate) -> Bool {
            a.coefficients == b.coefficients && a.covariance.0 == b.covariance.0
                && a.covariance.1 == b.covariance.1 && a.covariance.2 == b.covariance.2
                && a.observations == b.observations && a.gain == b.gain
        }
    }

    private struct Sums: Sendable {
        /// Σ w r² δⁿ, n from 0 to 4, and Σ w r y δⁿ, n from 0 to 2, with r = ΔF/F.
        var powers = InlineArray<5, Double>(repeating: 0)
        var products = SIMD3<Double>.zero
        var squares = 0.0
        var weight = 0.0
        var weightSquares = 0.0
        var missed = 0.0
        var missedByNone = 0.0
        var time: Timestamp?
        /// The estimate before anything of `time` was known.
        var coefficientsBefore = SIMD3<Double>.zero
    }

    public let tenors: TenorBuckets
    public let halfLifeDays: Double
    /// How large a, b and c are thought to be.
    public let priorDeviation: Double
    private var sums: [Sums]

    /// - Throws: as `SkewStickiness.init`.
    public init(
        tenorDays: [Double] = TenorBuckets.standardDays, halfLifeDays: Double = 30,
        priorDeviation: Double = 0.2
    ) throws(SurfaceError) {
        let name = "minimum-variance delta"
        tenors = try TenorBuckets(tenorDays, of: name)
        try SurfaceError.require(.positive, halfLifeDays, "half_life_days", of: name)
        try SurfaceError.require(.positive, priorDeviation, "prior_deviation", of: name)
        self.halfLifeDays = halfLifeDays
        self.priorDeviation = priorDeviation
        sums = Array(repeating: Sums(), count: tenors.count)
    }

    /// Takes what one contract did between two moments.
    ///
    /// - Parameters:
    ///   - delta: Black's before the move, of the call or the put as long as it is always the same.
    ///   - forwardReturn: ΔF/F.
    ///   - change: of the volatility at its strike.
    /// - Throws: `SurfaceError.invalidValue` for what is not finite, and a time before an earlier one.
    public mutating func observe(
        years: Double, delta: Double, forwardReturn: Double, change: Double, at time: Timestamp,
        weight: Double = 1
    ) throws(SurfaceError) {
        let name = "minimum-variance delta"
        try SurfaceError.require(.positive, years, "years", of: name)
        try SurfaceError.require(.within(-1...1), delta, "delta", of: name)
        try SurfaceError.require(.finite, forwardReturn, "forward_return", of: name)
        try SurfaceError.require(.finite, change, "change", of: name)
        try SurfaceError.require(.notNegative, weight, "weight", of: name)
        let tenor = tenors.place(years: years)
        var own = sums[tenor]
        if let last = own.time, time < last {
            throw .invalidValue(
                of: name, field: "time", value: Double(time.milliseconds),
                reason: "must not come before \(last)")
        }
        let fade = own.time.map { decay(over: $0.years(until: time) * 365, halfLife: halfLifeDays) } ?? 1
        let y = change * years.squareRoot()
        // What happens at one moment is known at once: contracts of a tenor share the move.
        if own.time != time { own.coefficientsBefore = estimate(tenor: tenor).coefficients }
        let known = (own.coefficientsBefore * SIMD3(1, delta, delta * delta)).sum() * forwardReturn
        var power = weight * forwardReturn * forwardReturn
        for n in 0..<5 {
            own.powers[n] = fade * own.powers[n] + power
            power *= delta
        }
        own.products =
            fade * own.products + weight * forwardReturn * y * SIMD3(1, delta, delta * delta)
        own.squares = fade * own.squares + weight * y * y
        own.missed = fade * own.missed + weight * (y - known) * (y - known)
        own.missedByNone = fade * own.missedByNone + weight * y * y
        own.weightSquares = fade * fade * own.weightSquares + weight * weight
        own.weight = fade * own.weight + weight
        own.time = time
        sums[tenor] = own
    }

    /// a, b and c of a tenor; 0 without data.
    public func estimate(tenor: Int) -> Estimate {
        let square = priorDeviation * priorDeviation
        let none = Estimate(
            coefficients: .zero, covariance: (SIMD3(square, 0, 0), SIMD3(0, square, 0), SIMD3(0, 0, square)),
            observations: 0, gain: 0)
        guard sums.indices.contains(tenor), case let own = sums[tenor], own.weight > 0, own.powers[0] > 0
        else { return none }
        let count = own.weight * own.weight / own.weightSquares
        // The variance of what the fit leaves, from the second pass on; the first has that of all.
        var variance = own.squares / own.weight
        var coefficients = SIMD3<Double>.zero
        var rows = none.covariance
        for _ in 0..<3 {
            let mean = own.weight / count
            let stiffness = max(variance * mean / square, 1e-12 * own.powers[0])
            guard let inverse = Self.inverse(own.powers, stiffness) else { return none }
            coefficients = SIMD3(
                (inverse.0 * own.products).sum(), (inverse.1 * own.products).sum(),
                (inverse.2 * own.products).sum())
            rows = (variance * mean * inverse.0, variance * mean * inverse.1, variance * mean * inverse.2)
            let (a, b, c) = (coefficients.x, coefficients.y, coefficients.z)
            let quadratic =
                a * a * own.powers[0] + 2 * a * b * own.powers[1] + (b * b + 2 * a * c) * own.powers[2]
                + 2 * b * c * own.powers[3] + c * c * own.powers[4]
            let rest = own.squares - 2 * (coefficients * own.products).sum() + quadratic
            guard count > 4 else { break }
            variance = max(0, rest) / own.weight * count / (count - 3)
        }
        return Estimate(
            coefficients: coefficients, covariance: rows, observations: count,
            gain: own.missedByNone > 0 ? 1 - own.missed / own.missedByNone : 0)
    }

    /// The rows of the inverse of the moments' matrix with a weight on its diagonal.
    private static func inverse(
        _ powers: InlineArray<5, Double>, _ stiffness: Double
    ) -> (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)? {
        let (a, b, c) = (powers[0] + stiffness, powers[1], powers[2])
        let (d, e, f) = (powers[2] + stiffness, powers[3], powers[4] + stiffness)
        let (aa, bb, cc) = (d * f - e * e, c * e - b * f, b * e - c * d)
        let determinant = a * aa + b * bb + c * cc
        guard determinant > 0 else { return nil }
        let (dd, ee, ff) = (a * f - c * c, b * c - a * e, a * d - b * b)
        let scale = 1 / determinant
        return (scale * SIMD3(aa, bb, cc), scale * SIMD3(bb, dd, ee), scale * SIMD3(cc, ee, ff))
    }

    /// Delta by the forward: Black's, and what vega adds where the estimate of the tenor has gained so far.
    ///
    /// - Parameter vega: per 1.00 of volatility.
    public func delta(years: Double, forward: Double, delta: Double, vega: Double) -> Double {
        let found = estimate(tenor: tenors.place(years: years))
        guard found.gain > 0 else { return delta }
        return delta + vega / (forward * years.squareRoot()) * found.response(delta: delta).value
    }
}
