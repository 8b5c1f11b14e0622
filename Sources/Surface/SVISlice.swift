/// One expiry's total variance as raw SVI: w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)), with k = ln(strike/forward).
///
/// - Units: w is σ²T, volatility squared times years; a and b carry them, ρ, m and σ have none.
/// - Source: Gatheral and Jacquier, Arbitrage-free SVI volatility surfaces, 2014, section 3.
public struct SVISlice: Sendable, Equatable {
    public let a, b, rho, m, sigma: Double

    /// The parameters as they are: see `isCurve`.
    public init(a: Double, b: Double, rho: Double, m: Double, sigma: Double) {
        self.a = a
        self.b = b
        self.rho = rho
        self.m = m
        self.sigma = sigma
    }

    /// The slice with wings of those slopes; both 0 is a flat one.
    init(a: Double, leftSlope p: Double, rightSlope c: Double, m: Double, sigma: Double) {
        self.init(a: a, b: (p + c) / 2, rho: p + c > 0 ? (c - p) / (p + c) : 0, m: m, sigma: sigma)
    }

    /// −w' far to the left, b(1 − ρ); w' far to the right, b(1 + ρ). Lee: neither may exceed 2.
    public var leftSlope: Double { b * (1 - rho) }
    public var rightSlope: Double { b * (1 + rho) }

    /// The least total variance, a + bσ√(1 − ρ²).
    public var leastVariance: Double { a + sigma * (leftSlope * rightSlope).squareRoot() }

    /// Whether the parameters are a curve at all: finite, b at least 0, ρ from −1 to 1, σ above 0, and no total variance
    /// below 0.
    public var isCurve: Bool {
        a.isFinite && b >= 0 && b < .infinity && rho >= -1 && rho <= 1 && m.isFinite && sigma > 0
            && sigma < .infinity && leastVariance >= 0
    }

    /// Total variance and its derivatives by k.
    public struct Point: Sendable, Equatable {
        public let variance, slope, curvature: Double

        @inlinable
        init(variance: Double, slope: Double, curvature: Double) {
            self.variance = variance
            self.slope = slope
            self.curvature = curvature
        }
    }

    /// w, w' and w'' at a log-moneyness.
    @inlinable
    public subscript(k: Double) -> Point {
        let x = k - m
        let reach = (x * x + sigma * sigma).squareRoot()
        let inverse = 1 / reach
        let square = sigma * inverse
        return Point(
            variance: variance(x, reach), slope: b * (rho + x * inverse),
            curvature: b * (square * square) * inverse)
    }

    /// The sum of two slices by their weights and a lift, both at once.
    @inlinable @inline(__always)
    static func mixed(
        _ one: SVISlice, _ other: SVISlice, _ weights: SIMD2<Double>, lift: Double, at k: Double
    ) -> Point {
        let x = SIMD2(repeating: k) - SIMD2(one.m, other.m)
        let (b, rho) = (weights * SIMD2(one.b, other.b), SIMD2(one.rho, other.rho))
        let sigma = SIMD2(one.sigma, other.sigma)
        let unit = SIMD2<Double>(repeating: 1)
        let reach = (x * x + sigma * sigma).squareRoot()
        let inverse = unit / reach
        let square = sigma * inverse
        // As in `variance`.
        let isLeft = x .< SIMD2(repeating: 0)
        let large = reach + x.replacing(with: -x, where: isLeft)
        let small = sigma * sigma / large
        let lean = rho.replacing(with: -rho, where: isLeft)
        let wings = b * ((unit + lean) * large + (unit - lean) * small)
        let variance = weights * SIMD2(one.a, other.a) + SIMD2(repeating: 0.5) * wings
        let slope = b * (rho + x * inverse)
        let curvature = b * (square * square) * inverse
        return Point(
            variance: variance.x + variance.y + lift, slope: slope.x + slope.y,
            curvature: curvature.x + curvature.y)
    }

    /// w(k).
    @inlinable
    public func variance(at k: Double) -> Double {
        let x = k - m
        return variance(x, (x * x + sigma * sigma).squareRoot())
    }

    /// Each wing's share by itself, so that nothing cancels far out; no branch, since sides come as they like.
    @inlinable @inline(__always)
    func variance(_ x: Double, _ reach: Double) -> Double {
        let large = reach + x.magnitude
        let small = sigma * sigma / large
        // That of the side on which k is.
        let lean = Double(bitPattern: rho.bitPattern ^ (x.bitPattern & (1 << 63)))
        return a + 0.5 * b * ((1 + lean) * large + (1 - lean) * small)
    }

    /// The volatility at a log-moneyness, for a slice that expires in so many years: √(w/T).
    public func volatility(at k: Double, years: Double) -> Double {
        (variance(at: k) / years).squareRoot()
    }

    /// Durrleman's g(k) = (1 − k w'/(2w))² − (w'²/4)(1/w + 1/4) + w''/2: below 0 where a butterfly loses money.
    public func durrleman(at k: Double) -> Double { self[k].durrleman(at: k) }

    /// The density of ln(settlement/forward) that the slice implies: g(k) n(d₂)/√w, which integrates to 1.
    public func density(at k: Double) -> Double { self[k].density(at: k) }

    /// The slice seen from the other side: w(−k).
    public var mirrored: SVISlice { SVISlice(a: a, b: b, rho: -rho, m: -m, sigma: sigma) }

    /// The slice with every total variance times a factor.
    public func scaled(by factor: Double) -> SVISlice {
        SVISlice(a: a * factor, b: b * factor, rho: rho, m: m, sigma: sigma)
    }
}
