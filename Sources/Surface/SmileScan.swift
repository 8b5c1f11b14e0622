import Foundation
import SurfaceKernel
import VectorMath

/// Where a condition on a curve is closest to being broken: local minima of g along a slice, and of the gap between two.
///
/// A scan in eights along t = arsinh((k − m)/σ), |t| ≤ 12, then parabolas. What it may miss the certificates find.
package enum SmileScan {
    /// Values along a scan with eight infinite ones before and behind, and the places of local minima.
    private struct Scan {
        var values = InlineArray<112, Double>(repeating: .infinity)
        var minima = InlineArray<96, UInt8>(repeating: 0)
        var count = 0

        /// Fills it by an entry of the kernel.
        mutating func fill(_ body: (UnsafePointer<ScanRows>) -> Int) {
            count = unsafe withUnsafeMutableBytes(of: &values) { values in
                unsafe withUnsafeMutableBytes(of: &minima) { minima in
                    let rows = unsafe ScanRows(
                        values: values.assumingMemoryBound(to: Double.self).baseAddress.unsafelyUnwrapped,
                        minima: minima.assumingMemoryBound(to: UInt8.self).baseAddress.unsafelyUnwrapped)
                    return unsafe withUnsafePointer(to: rows) { unsafe body($0) }
                }
            }
        }
    }

    private static let step = 0.25
    private static let blocks = 12
    /// sinh, cosh and tanh of t along the scan.
    private static let places: [ScanPlaces] = (0..<blocks).map { block in
        var row = ScanPlaces()
        for lane in 0..<8 {
            let t = (Double(block * 8 + lane) - 47.5) * step
            row.sinh[lane] = sinh(t)
            row.cosh[lane] = cosh(t)
            row.tanh[lane] = tanh(t)
        }
        return row
    }

    private static func t(_ place: Int) -> Double { (Double(place) - 47.5) * step }

    /// Local minima of g below a threshold, as (k, g).
    package static func leastDurrleman(
        _ slice: SVISlice, below threshold: Double, _ body: (_ k: Double, _ g: Double) -> Void
    ) {
        var scan = Scan()
        let shape = slice.shape()
        let limit = threshold + 0.2 * threshold.magnitude
        unsafe places.withUnsafeBufferPointer { places in
            unsafe withUnsafePointer(to: shape) { shape in
                unsafe scan.fill {
                    unsafe SurfaceRooms.table.scanDurrleman(
                        shape, places.baseAddress.unsafelyUnwrapped, blocks: blocks, below: limit, into: $0)
                }
            }
        }
        for minimum in 0..<scan.count {
            let place = Int(scan.minima[minimum])
            // On by parabolas over shorter and shorter stretches.
            let unit = slice.sigma * cosh(t(place))
            var k = slice.m + slice.sigma * sinh(t(place))
            var value = slice.durrleman(at: k)
            var width = step
            var (before, after) = (scan.values[place + 7], scan.values[place + 9])
            for round in 0..<3 {
                if round > 0 {
                    width *= 0.15
                    before = slice.durrleman(at: k - width * unit)
                    after = slice.durrleman(at: k + width * unit)
                }
                let bend = before - 2 * value + after
                guard bend > 0 else { continue }
                let move = max(-1, min(1, 0.5 * (before - after) / bend)) * width * unit
                let found = slice.durrleman(at: k + move)
                if found < value { (k, value) = (k + move, found) }
            }
            if value < threshold { body(k, value) }
        }
    }

    /// Local minima of later − earlier below a threshold, along either slice's own scan, as (k, gap).
    package static func leastGap(
        _ earlier: SVISlice, _ later: SVISlice, below threshold: Double,
        _ body: (_ k: Double, _ gap: Double) -> Void
    ) {
        var found = InlineArray<16, (k: Double, gap: Double)>(repeating: (0, 0))
        var count = 0
        for scale in 0..<2 {
            let scale = scale == 0 ? earlier : later
            let scan = gaps(earlier, later, along: scale, below: threshold + 0.2 * threshold.magnitude)
            for minimum in 0..<scan.count {
                let place = Int(scan.minima[minimum])
                let (k, gap) = lowest(
                    earlier, later, from: scale.m + scale.sigma * sinh(t(place)), scale.sigma)
                guard gap < threshold, count < 16 else { continue }
                // In order of gaps.
                var own = count
                while own > 0, found[own - 1].gap > gap {
                    found[own] = found[own - 1]
                    own -= 1
                }
                found[own] = (k, gap)
                count += 1
            }
        }
        // Both scans find the same minimum: the lower one of a pair stands for it.
        let apart = 0.02 * min(earlier.sigma, later.sigma)
        for place in 0..<count {
            var isNew = true
            for other in 0..<place where abs(found[other].k - found[place].k) < apart { isNew = false }
            if isNew { body(found[place].k, found[place].gap) }
        }
    }

    /// Downhill by Newton's steps.
    private static func lowest(
        _ earlier: SVISlice, _ later: SVISlice, from start: Double, _ sigma: Double
    ) -> (k: Double, gap: Double) {
        var k = start
        var (one, other) = (earlier[k], later[k])
        var gap = other.variance - one.variance
        for _ in 0..<5 {
            let slope = other.slope - one.slope
            let bend = other.curvature - one.curvature
            let reach = 0.5 * (sigma + (k - earlier.m).magnitude)
            let step = bend > 0 ? min(max(-slope / bend, -reach), reach) : (slope > 0 ? -0.1 : 0.1) * reach
            let (next, nextOther) = (earlier[k + step], later[k + step])
            let found = nextOther.variance - next.variance
            guard found < gap else { break }
            k += step
            (one, other) = (next, nextOther)
            let gained = gap - found
            gap = found
            if gained < 1e-12 * other.variance { break }
        }
        return (k, gap)
    }

    private static func gaps(
        _ earlier: SVISlice, _ later: SVISlice, along scale: SVISlice, below limit: Double
    ) -> Scan {
        var scan = Scan()
        let shapes = (earlier.shape(), later.shape())
        unsafe places.withUnsafeBufferPointer { places in
            unsafe withUnsafePointer(to: shapes.0) { earlier in
                unsafe withUnsafePointer(to: shapes.1) { later in
                    unsafe scan.fill {
                        unsafe SurfaceRooms.table.scanGap(
                            earlier, later, m: scale.m, sigma: scale.sigma,
                            places.baseAddress.unsafelyUnwrapped, blocks: blocks, below: limit, into: $0)
                    }
                }
            }
        }
        return scan
    }
}

extension SVISlice {
    /// The derivatives of w, w' and w'' at k by a, the wings' slopes, m and ln σ.
    package func sensitivities(at k: Double) -> (
        variance: SliceVector, slope: SliceVector, curvature: SliceVector
    ) {
        let x = k - m
        let r = (x * x + sigma * sigma).squareRoot()
        let large = r + x.magnitude
        let small = sigma * sigma / large
        let (left, right) = x >= 0 ? (small, large) : (large, small)
        let y = x / r
        let ratio = sigma / r * (sigma / r)
        let point = self[k]
        let third = -3 * point.curvature * x / (r * r)
        return (
            Lanes(1, left / 2, right / 2, -point.slope, b * ratio * r, 0, 0, 0),
            Lanes(0, (y - 1) / 2, (y + 1) / 2, -point.curvature, -b * y * ratio, 0, 0, 0),
            Lanes(0, ratio / r / 2, ratio / r / 2, -third, b * ratio / r * (2 - 3 * ratio), 0, 0, 0)
        )
    }

    /// g at k with its derivatives by a, the wings' slopes, m and ln σ.
    package func durrlemanSensitivity(at k: Double) -> SliceVector {
        let point = self[k]
        let (w, slope) = (point.variance, point.slope)
        let by = sensitivities(at: k)
        let h = 1 - k * slope / (2 * w)
        let byVariance = h * k * slope / (w * w) + slope * slope / (4 * w * w)
        let bySlope = -h * k / w - slope / 2 * (1 / w + 0.25)
        return byVariance * by.variance + bySlope * by.slope + 0.5 * by.curvature
    }

    /// The second derivatives of w at k by a, the wings' slopes, m and ln σ.
    package func varianceHessian(at k: Double) -> InlineArray<5, Lanes> {
        let x = k - m
        let r = (x * x + sigma * sigma).squareRoot()
        let (y, z) = (x / r, sigma / r)
        let bend = b * z * z / r
        let (pm, cm, ps) = ((1 - y) / 2, -(1 + y) / 2, sigma * z / 2)
        let (ms, ss) = (bend * x, b * sigma * z * (2 - z * z))
        return [
            .zero, Lanes(0, 0, 0, pm, ps, 0, 0, 0), Lanes(0, 0, 0, cm, ps, 0, 0, 0),
            Lanes(0, pm, cm, bend, ms, 0, 0, 0), Lanes(0, ps, ps, ms, ss, 0, 0, 0),
        ]
    }

    /// The second derivatives of the least g about k by a, the wings' slopes, m and ln σ: those at k by differences of
    /// first ones, and what the least place's own move takes off.
    package func leastDurrlemanHessian(near k: Double) -> InlineArray<5, Lanes> {
        let own = vector
        let first = durrlemanSensitivity(at: k)
        let step = 1e-5
        let units = Lanes(variance(at: k), 1, 1, sigma, 1, 0, 0, 0)
        var result = InlineArray<5, Lanes>(repeating: .zero)
        for i in 0..<5 {
            var moved = own
            moved[i] += step * units[i]
            result[i] = (SVISlice(moved).durrlemanSensitivity(at: k) - first) / (step * units[i])
        }
        let width = 1e-4 * sigma
        let mixed = (durrlemanSensitivity(at: k + width) - first) / width
        let bend =
            (durrleman(at: k + width) - 2 * durrleman(at: k) + durrleman(at: k - width)) / (width * width)
        for i in 0..<5 {
            for j in 0..<i {
                let mean = 0.5 * (result[i][j] + result[j][i])
                result[i][j] = mean
                result[j][i] = mean
            }
        }
        if bend > 0 { for i in 0..<5 { result[i] -= mixed[i] / bend * mixed } }
        return result
    }
}
