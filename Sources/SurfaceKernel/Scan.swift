import VectorMath

/// sinh, cosh and tanh of t, eight places of a scan.
public struct ScanPlaces: Sendable {
    public var sinh = Lanes.zero
    public var cosh = Lanes.zero
    public var tanh = Lanes.zero

    public init() {}
}

extension SliceKernel {
    /// g along k = m + σ sinh t; −1e6 where there is no variance.
    @inlinable
    static func scanDurrleman(
        _ slice: SliceShape, _ places: UnsafePointer<ScanPlaces>, blocks: Int,
        into values: UnsafeMutablePointer<Lanes>
    ) {
        let (a, sigma) = (Lanes(repeating: slice.level), Lanes(repeating: slice.sigma))
        let (p, c) = (Lanes(repeating: slice.left), Lanes(repeating: slice.right))
        let m = Lanes(repeating: slice.m)
        let one = Lanes(repeating: 1)
        let (half, quarter) = (Lanes(repeating: 0.5), Lanes(repeating: 0.25))
        let bend = (p + c) / sigma
        for block in 0..<blocks {
            let (sinh, cosh, tanh) = (places[block].sinh, places[block].cosh, places[block].tanh)
            let k = A.multiplyAdd(sigma, sinh, m)
            let w = A.multiplyAdd(sigma, A.multiplyAdd(p, cosh - sinh, c * (cosh + sinh)), a)
            let slope = A.multiplyAdd(p, tanh - one, c * (tanh + one))
            let shared = one / (w * cosh)
            let (perVariance, perCosh) = (shared * cosh, shared * w)
            let h = one - half * k * slope * perVariance
            let steep = quarter * slope * slope
            let g = h * h - steep * (perVariance + quarter) + half * bend * (perCosh * perCosh * perCosh)
            values[block] = Lanes(repeating: -1e6).replacing(with: g, where: w .> .zero)
        }
    }

    /// later − earlier along k = m + σ sinh t of another slice.
    @inlinable
    static func scanGap(
        _ earlier: SliceShape, _ later: SliceShape, m: Double, sigma: Double,
        _ places: UnsafePointer<ScanPlaces>, blocks: Int, into values: UnsafeMutablePointer<Lanes>
    ) {
        for block in 0..<blocks {
            let k = A.multiplyAdd(Lanes(repeating: sigma), places[block].sinh, Lanes(repeating: m))
            values[block] = variances(later, k) - variances(earlier, k)
        }
    }

    @inlinable @inline(__always)
    static func variances(_ slice: SliceShape, _ k: Lanes) -> Lanes {
        let x = k - Lanes(repeating: slice.m)
        let square = Lanes(repeating: slice.sigma * slice.sigma)
        let reach = A.squareRoot(A.multiplyAdd(x, x, square))
        let level = A.multiplyAdd(Lanes(repeating: slice.left), reach - x, Lanes(repeating: slice.level))
        return A.multiplyAdd(Lanes(repeating: slice.right), reach + x, level)
    }
}
