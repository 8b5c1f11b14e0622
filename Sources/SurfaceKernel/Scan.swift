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
            var left = A.bits(isLowest)
            while left != 0 {
                scan.minima[count] = UInt8(truncatingIfNeeded: 8 * block + left.trailingZeroBitCount)
                count += 1
                left &= left - 1
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
        let (a, sigma, m) = (Eight<A>(slice.level), Eight<A>(slice.sigma), Eight<A>(slice.m))
        let (p, c) = (Eight<A>(slice.left), Eight<A>(slice.right))
        let (one, half, quarter) = (Eight<A>(1), Eight<A>(0.5), Eight<A>(0.25))
        let bend = (p + c) / sigma
        for block in 0..<blocks {
            let (sinh, cosh, tanh) = (
                Eight<A>(places[block].sinh), Eight<A>(places[block].cosh), Eight<A>(places[block].tanh)
            )
            let k = m.plus(sigma, sinh)
            let w = a.plus(sigma, (c * (cosh + sinh)).plus(p, cosh - sinh))
            let slope = (c * (tanh + one)).plus(p, tanh - one)
            let shared = one / (w * cosh)
            let (perVariance, perCosh) = (shared * cosh, shared * w)
            let h = one - half * k * slope * perVariance
            let steep = quarter * slope * slope
            let g = h * h - steep * (perVariance + quarter) + half * bend * (perCosh * perCosh * perCosh)
            scan.set(Lanes(repeating: -1e6).replacing(with: g.lanes, where: w.isPositive), block)
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
            let k = Eight<A>(m).plus(Eight(sigma), Eight(places[block].sinh))
            scan.set((variances(later, k) - variances(earlier, k)).lanes, block)
        }
        return findMinima(scan, blocks: blocks, below: limit)
    }

    @inlinable @inline(__always)
    static func variances(_ slice: SliceShape, _ k: Eight<A>) -> Eight<A> {
        let x = k - Eight(slice.m)
        let reach = Eight<A>(slice.sigma * slice.sigma).plus(x, x).squareRoot()
        return Eight<A>(slice.level).plus(Eight(slice.left), reach - x).plus(Eight(slice.right), reach + x)
    }
}
