import Foundation
import SurfaceKernel

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
        SVISlice.mixed(near, far, SIMD2(nearWeight, farWeight), lift: lift, at: k)
    }

    /// w(k).
    @inlinable
    public func variance(at k: Double) -> Double { self[k].variance }

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
    @inlinable @inline(__always)
    init(_ point: SVISlice.Point, years: Double) {
        // 1/(σT) and 1/σ come of 1/w, without waiting for the root.
        let quotients = SIMD2(point.variance, 1) / SIMD2(years, point.variance)
        volatility = quotients.x.squareRoot()
        let inverse = quotients.y
        let half = 0.5 * (volatility * inverse)
        slope = point.slope * half
        curvature = point.curvature * half - slope * slope * (years * volatility * inverse)
    }
}

extension SVISlice {
    /// Implied volatility and its derivatives by k, of a slice that expires in so many years.
    public func volatilityPoint(at k: Double, years: Double) -> VolatilityPoint {
        VolatilityPoint(self[k], years: years)
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
        self.volatilities(k, first: 0, &volatilities)
    }

    /// The same into rows from a first one on.
    func volatilities(_ k: Span<Double>, first: Int, _ volatilities: inout MutableSpan<Double>) {
        unsafe k.withUnsafeBufferPointer { k in
            unsafe volatilities.withUnsafeMutableBufferPointer { volatilities in
                guard let input = k.baseAddress, let output = volatilities.baseAddress else { return }
                unsafe query(
                    input, k.count,
                    SectionColumns(volatilities: output + first, slopes: nil, curvatures: nil))
            }
        }
    }

    /// Rows of columns that have the same length.
    func query(
        _ k: Span<Double>, rows: Range<Int>, _ volatilities: inout MutableSpan<Double>,
        _ slopes: inout MutableSpan<Double>, _ curvatures: inout MutableSpan<Double>
    ) {
        unsafe k.withUnsafeBufferPointer { k in
            unsafe volatilities.withUnsafeMutableBufferPointer { volatilities in
                unsafe slopes.withUnsafeMutableBufferPointer { slopes in
                    unsafe curvatures.withUnsafeMutableBufferPointer { curvatures in
                        guard let k = k.baseAddress, let volatilities = volatilities.baseAddress,
                            let slopes = slopes.baseAddress, let curvatures = curvatures.baseAddress
                        else { return }
                        let first = rows.lowerBound
                        unsafe query(
                            k + first, rows.count,
                            SectionColumns(
                                volatilities: volatilities + first, slopes: slopes + first,
                                curvatures: curvatures + first))
                    }
                }
            }
        }
    }

    private func query(_ k: UnsafePointer<Double>, _ count: Int, _ columns: SectionColumns) {
        let shape = SectionShape(
            near: near.shape(weight: nearWeight, lift: lift), far: far.shape(weight: farWeight), years: years,
            isMixed: farWeight != 0)
        unsafe withUnsafePointer(to: shape) { shape in
            unsafe withUnsafePointer(to: columns) {
                unsafe SurfaceRooms.table.query(shape, k, count, $0)
            }
        }
    }
}
