import CKernels
import Foundation
import VectorMath

/// One expiry of a surface, between, before or beyond those that were fitted: total variance as a weighted sum of two SVI
/// slices and a lift, w(k) = α w₁(k) + β w₂(k) + c, with k = ln(strike/forward).
///
/// - Units: total variance is σ²T; slope and curvature are its derivatives by k; local variance is per year.
public struct SmileSection: Sendable, Equatable {
    public let years, forward: Double
    /// The slice itself, or the one before and the one after.
    public let near, far: SVISlice
    public let nearWeight, farWeight, lift: Double
    /// Derivatives of the weights and the lift by years.
    let nearRate, farRate, liftRate: Double

    init(
        years: Double, forward: Double, near: SVISlice, far: SVISlice, weights: (near: Double, far: Double),
        rates: (near: Double, far: Double), lift: Double = 0, liftRate: Double = 0
    ) {
        self.years = years
        self.forward = forward
        self.near = near
        self.far = far
        (nearWeight, farWeight) = weights
        (nearRate, farRate) = rates
        self.lift = lift
        self.liftRate = liftRate
    }

    /// A slice by itself, whose variance comes evenly.
    public init(_ slice: SVISlice, years: Double, forward: Double) {
        self.init(
            years: years, forward: forward, near: slice, far: slice, weights: (1, 0), rates: (1 / years, 0))
    }

    /// ln(strike/forward).
    public func logMoneyness(ofStrike strike: Double) -> Double { log(strike / forward) }

    /// w, w' and w'' at a log-moneyness.
    @inlinable
    public subscript(k: Double) -> SVISlice.Point {
        let (one, other) = (near[k], far[k])
        return SVISlice.Point(
            variance: nearWeight * one.variance + farWeight * other.variance + lift,
            slope: nearWeight * one.slope + farWeight * other.slope,
            curvature: nearWeight * one.curvature + farWeight * other.curvature)
    }

    /// w(k).
    @inlinable
    public func variance(at k: Double) -> Double {
        nearWeight * near.variance(at: k) + farWeight * far.variance(at: k) + lift
    }

    /// √(w/T).
    @inlinable
    public func volatility(at k: Double) -> Double { (variance(at: k) / years).squareRoot() }

    /// Implied volatility and its first and second derivative by k.
    @inlinable
    public func volatilityPoint(at k: Double) -> VolatilityPoint {
        VolatilityPoint(self[k], years: years)
    }

    /// Durrleman's g(k): below 0 where a butterfly loses money.
    public func durrleman(at k: Double) -> Double { self[k].durrleman(at: k) }

    /// The density of ln(settlement/forward), g(k) n(d₂)/√w, which integrates to 1.
    public func density(at k: Double) -> Double { self[k].density(at: k) }

    /// ∂w/∂T at constant k.
    public func varianceRate(at k: Double) -> Double {
        nearRate * near.variance(at: k) + farRate * far.variance(at: k) + liftRate
    }

    /// Dupire's local variance (∂w/∂T)/g(k), per year; at a fitted expiry that of the time after it, scheduled events
    /// apart. At least 0 where there is no arbitrage; below 0, infinite or NaN only where g is 0 or below or calendars
    /// cross.
    /// - Source: Gatheral, The Volatility Surface, 2006, equation 1.10.
    public func localVariance(at k: Double) -> Double { varianceRate(at: k) / durrleman(at: k) }
}

/// Implied volatility and its derivatives by log-moneyness.
public struct VolatilityPoint: Sendable, Equatable {
    public let volatility, slope, curvature: Double

    /// σ = √(w/T): σ' = w'/(2σT), σ'' = w''/(2σT) − σ'²/σ.
    @inlinable
    init(_ point: SVISlice.Point, years: Double) {
        volatility = (point.variance / years).squareRoot()
        let half = 0.5 / (volatility * years)
        slope = point.slope * half
        curvature = point.curvature * half - slope * slope / volatility
    }
}

extension SVISlice.Point {
    /// g = (1 − k w'/(2w))² − (w'²/4)(1/w + 1/4) + w''/2.
    func durrleman(at k: Double) -> Double {
        let h = 1 - k * slope / (2 * variance)
        return h * h - slope * slope / 4 * (1 / variance + 0.25) + curvature / 2
    }

    /// g(k) n(d₂)/√w.
    func density(at k: Double) -> Double {
        let root = variance.squareRoot()
        return durrleman(at: k) * bell(-k / root - root / 2) / root
    }
}

// Many strikes of one expiry.
extension SmileSection {
    /// Volatility and total variance's slope and curvature at many log-moneynesses, eight at a time.
    ///
    /// - Parameters:
    ///   - volatilities, slopes, curvatures: √(w/T), w' and w'', a row for each k.
    /// - Throws: `SurfaceError` where columns differ in length.
    public func query(
        logMoneyness k: Span<Double>, into volatilities: inout MutableSpan<Double>,
        slopes: inout MutableSpan<Double>, curvatures: inout MutableSpan<Double>
    ) throws(SurfaceError) {
        try SurfaceError.require(volatilities.count, "volatilities", is: k.count)
        try SurfaceError.require(slopes.count, "slopes", is: k.count)
        try SurfaceError.require(curvatures.count, "curvatures", is: k.count)
        query(k, rows: 0..<k.count, &volatilities, &slopes, &curvatures)
    }

    /// The volatilities alone.
    public func volatilities(
        logMoneyness k: Span<Double>, into volatilities: inout MutableSpan<Double>
    ) throws(SurfaceError) {
        try SurfaceError.require(volatilities.count, "volatilities", is: k.count)
        let lanes = SectionLanes(self)
        var row = 0
        while row < k.count {
            let size = min(8, k.count - row)
            var moneyness = Lanes.zero
            for lane in 0..<size { moneyness[lane] = k[row + lane] }
            let volatility = lanes[moneyness].volatility
            for lane in 0..<size { volatilities[row + lane] = volatility[lane] }
            row += 8
        }
    }

    /// Rows of columns that have the same length.
    func query(
        _ k: Span<Double>, rows: Range<Int>, _ volatilities: inout MutableSpan<Double>,
        _ slopes: inout MutableSpan<Double>, _ curvatures: inout MutableSpan<Double>
    ) {
        let lanes = SectionLanes(self)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let size = min(8, rows.upperBound - row)
            var moneyness = Lanes.zero
            for lane in 0..<size { moneyness[lane] = k[row + lane] }
            let found = lanes[moneyness]
            for lane in 0..<size {
                volatilities[row + lane] = found.volatility[lane]
                slopes[row + lane] = found.slope[lane]
                curvatures[row + lane] = found.curvature[lane]
            }
            row += 8
        }
    }
}

/// A section in a form that eight strikes at a time are asked of.
private struct SectionLanes {
    private let near, far: SliceLanes
    private let lift, perYear: Lanes
    private let isOne: Bool

    init(_ section: SmileSection) {
        near = SliceLanes(section.near, weight: section.nearWeight)
        far = SliceLanes(section.far, weight: section.farWeight)
        lift = Lanes(
            repeating: section.lift + section.nearWeight * section.near.a
                + section.farWeight * section.far.a)
        perYear = Lanes(repeating: 1 / section.years)
        isOne = section.farWeight == 0
    }

    @inline(__always)
    subscript(k: Lanes) -> (volatility: Lanes, slope: Lanes, curvature: Lanes) {
        var (w, slope, curvature) = near[k]
        if !isOne {
            let other = far[k]
            w += other.0
            slope += other.1
            curvature += other.2
        }
        return (poise_square_root((w + lift) * perYear), slope, curvature)
    }
}

/// A slice times a weight, its level apart.
private struct SliceLanes {
    private let b, lean, m, square, bend: Lanes

    init(_ slice: SVISlice, weight: Double) {
        b = Lanes(repeating: weight * slice.b)
        lean = Lanes(repeating: weight * slice.b * slice.rho)
        m = Lanes(repeating: slice.m)
        square = Lanes(repeating: slice.sigma * slice.sigma)
        bend = Lanes(repeating: weight * slice.b * slice.sigma * slice.sigma)
    }

    @inline(__always)
    subscript(k: Lanes) -> (Lanes, Lanes, Lanes) {
        let x = k - m
        let reach = poise_square_root(x * x + square)
        let inverse = Lanes(repeating: 1) / reach
        return (lean * x + b * reach, lean + b * x * inverse, bend * inverse * inverse * inverse)
    }
}
