import Foundation
import SurfaceKernel
import VectorMath

/// Where a condition on a curve is closest to being broken: local minima of g along a slice, and of the gap between two.
///
/// A scan in eights along t = arsinh((k − m)/σ), |t| ≤ 12, then parabolas. What it may miss the certificates find.
enum SmileScan {
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

    private typealias Values = InlineArray<12, Lanes>

    private static func t(_ place: Int) -> Double { (Double(place) - 47.5) * step }

    /// Local minima of g below a threshold, as (k, g).
    static func leastDurrleman(
        _ slice: SVISlice, below threshold: Double, _ body: (_ k: Double, _ g: Double) -> Void
    ) {
        var values = Values(repeating: .zero)
        let shape = slice.shape()
        unsafe places.withUnsafeBufferPointer { places in
            unsafe withUnsafePointer(to: shape) { shape in
                unsafe withUnsafeMutableBytes(of: &values) { values in
                    unsafe SurfaceRooms.table.scanDurrleman(
                        shape, places.baseAddress.unsafelyUnwrapped, blocks: blocks,
                        into: values.assumingMemoryBound(to: Lanes.self).baseAddress.unsafelyUnwrapped)
                }
            }
        }
        minima(values, below: threshold) { place in
            refine(t(place), threshold, { slice.durrleman(at: slice.m + slice.sigma * Foundation.sinh($0)) })
            {
                body(slice.m + slice.sigma * Foundation.sinh($0), $1)
            }
        }
    }

    /// Local minima of later − earlier below a threshold, along either slice's own scan, as (k, gap).
    static func leastGap(
        _ earlier: SVISlice, _ later: SVISlice, below threshold: Double,
        _ body: (_ k: Double, _ gap: Double) -> Void
    ) {
        var found: [(k: Double, gap: Double)] = []
        for scale in [earlier, later] {
            let values = gaps(earlier, later, along: scale)
            let (m, sigma) = (scale.m, scale.sigma)
            minima(values, below: threshold) { place in
                func gap(_ t: Double) -> Double {
                    let k = m + sigma * Foundation.sinh(t)
                    return later.variance(at: k) - earlier.variance(at: k)
                }
                refine(t(place), threshold, gap) { found.append((m + sigma * Foundation.sinh($0), $1)) }
            }
        }
        // Both scans find the same minimum: the lower one of a pair stands for it.
        found.sort { $0.gap < $1.gap }
        var kept: [Double] = []
        let apart = 0.02 * min(earlier.sigma, later.sigma)
        for (k, gap) in found where !kept.contains(where: { abs($0 - k) < apart }) {
            kept.append(k)
            body(k, gap)
        }
    }

    private static func gaps(_ earlier: SVISlice, _ later: SVISlice, along scale: SVISlice) -> Values {
        var values = Values(repeating: .zero)
        let shapes = (earlier.shape(), later.shape())
        unsafe places.withUnsafeBufferPointer { places in
            unsafe withUnsafePointer(to: shapes.0) { earlier in
                unsafe withUnsafePointer(to: shapes.1) { later in
                    unsafe withUnsafeMutableBytes(of: &values) { values in
                        unsafe SurfaceRooms.table.scanGap(
                            earlier, later, m: scale.m, sigma: scale.sigma,
                            places.baseAddress.unsafelyUnwrapped, blocks: blocks,
                            into: values.assumingMemoryBound(to: Lanes.self).baseAddress.unsafelyUnwrapped)
                    }
                }
            }
        }
        return values
    }

    private static func minima(
        _ values: Values, below threshold: Double, _ body: (Int) -> Void
    ) {
        let limit = threshold + 0.2 * threshold.magnitude
        for block in 0..<blocks where values[block].min() < limit {
            for i in (8 * block)..<(8 * block + 8) where values[block][i % 8] < limit {
                let value = values[block][i % 8]
                if i > 0, values[(i - 1) / 8][(i - 1) % 8] < value { continue }
                if i < 95, values[(i + 1) / 8][(i + 1) % 8] <= value { continue }
                body(i)
            }
        }
    }

    private static func refine(
        _ start: Double, _ threshold: Double, _ function: (Double) -> Double, _ body: (Double, Double) -> Void
    ) {
        var t = start
        var h = step
        var value = function(t)
        for _ in 0..<5 {
            let (before, after) = (function(t - h), function(t + h))
            let bend = before - 2 * value + after
            if bend > 0 {
                let move = max(-1, min(1, 0.5 * (before - after) / bend)) * h
                let found = function(t + move)
                if found < value { (t, value) = (t + move, found) }
            }
            h *= 0.2
        }
        if value < threshold { body(t, value) }
    }
}

extension SVISlice {
    /// The derivatives of w, w' and w'' at k by a, the wings' slopes, m and ln σ.
    func sensitivities(at k: Double) -> (variance: SliceVector, slope: SliceVector, curvature: SliceVector) {
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
    func durrlemanSensitivity(at k: Double) -> SliceVector {
        let point = self[k]
        let (w, slope) = (point.variance, point.slope)
        let by = sensitivities(at: k)
        let h = 1 - k * slope / (2 * w)
        let byVariance = h * k * slope / (w * w) + slope * slope / (4 * w * w)
        let bySlope = -h * k / w - slope / 2 * (1 / w + 0.25)
        return byVariance * by.variance + bySlope * by.slope + 0.5 * by.curvature
    }
}
