import VectorMath

/// sinh, cosh and tanh of t, eight places of a scan.
public struct ScanPlaces: Sendable {
    public var sinh = Lanes.zero
    public var cosh = Lanes.zero
    public var tanh = Lanes.zero

    public init() {}
}

/// Where a scan writes: values from the ninth place on, the eight before and those behind being infinite, and the places of
/// local minima below a limit, in order.
public struct ScanRows {
    public var values: UnsafeMutablePointer<Double>
    public var minima: UnsafeMutablePointer<UInt8>

    public init(values: UnsafeMutablePointer<Double>, minima: UnsafeMutablePointer<UInt8>) {
        self.values = values
        self.minima = minima
    }

    @inlinable @inline(__always)
    func set(_ lanes: Lanes, _ block: Int) {
        UnsafeMutableRawPointer(values + (8 * block + 8)).storeBytes(of: lanes, as: Lanes.self)
    }

    @inlinable @inline(__always)
    func lanes(_ first: Int) -> Lanes {
        UnsafeRawPointer(values + first).loadUnaligned(as: Lanes.self)
    }
}

extension SliceKernel {
    /// Notes where values are below a limit, not above the place before and below the one behind; how many there are.
    @inlinable
    static func findMinima(_ scan: ScanRows, blocks: Int, below limit: Double) -> Int {
        scan.set(Lanes(repeating: .infinity), -1)
        scan.set(Lanes(repeating: .infinity), blocks)
        var count = 0
        let limit = Lanes(repeating: limit)
        for block in 0..<blocks {
            let own = scan.lanes(8 * block + 8)
            var isLowest = own .< limit
            if !A.any(isLowest) { continue }
            isLowest = isLowest .& (own .<= scan.lanes(8 * block + 7)) .& (own .< scan.lanes(8 * block + 9))
            if !A.any(isLowest) { continue }
            for lane in 0..<8 where isLowest[lane] {
                scan.minima[count] = UInt8(truncatingIfNeeded: 8 * block + lane)
                count += 1
            }
        }
        return count
    }

    /// g along k = m + σ sinh t; −1e6 where there is no variance.
    @inlinable
    static func scanDurrleman(
        _ slice: SliceShape, _ places: UnsafePointer<ScanPlaces>, blocks: Int,
        below limit: Double, into scan: ScanRows
    ) -> Int {
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
            scan.set(Lanes(repeating: -1e6).replacing(with: g, where: w .> .zero), block)
        }
        return findMinima(scan, blocks: blocks, below: limit)
    }

    /// later − earlier along k = m + σ sinh t of another slice.
    @inlinable
    static func scanGap(
        _ earlier: SliceShape, _ later: SliceShape, m: Double, sigma: Double,
        _ places: UnsafePointer<ScanPlaces>, blocks: Int, below limit: Double, into scan: ScanRows
    ) -> Int {
        for block in 0..<blocks {
            let k = A.multiplyAdd(Lanes(repeating: sigma), places[block].sinh, Lanes(repeating: m))
            scan.set(variances(later, k) - variances(earlier, k), block)
        }
        return findMinima(scan, blocks: blocks, below: limit)
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
