import VectorMath

/// A smile as a sum of two slices with their weights in them, by the time that volatilities are measured in.
public struct SectionShape: Sendable {
    public var near, far: SliceShape
    public var years: Double
    /// Whether the second slice has a weight.
    public var isMixed: Bool

    public init(near: SliceShape, far: SliceShape, years: Double, isMixed: Bool) {
        self.near = near
        self.far = far
        self.years = years
        self.isMixed = isMixed
    }
}

/// Where the results of a query go; nil is not wanted.
public struct SectionColumns {
    public var volatilities: UnsafeMutablePointer<Double>
    public var slopes, curvatures: UnsafeMutablePointer<Double>?

    public init(
        volatilities: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>?,
        curvatures: UnsafeMutablePointer<Double>?
    ) {
        self.volatilities = volatilities
        self.slopes = slopes
        self.curvatures = curvatures
    }
}

extension SliceKernel {
    /// √(w/T), w' and w'' at many log-moneynesses, in eights; the last ones of a column one by one.
    @inlinable
    static func query(
        _ section: SectionShape, _ k: UnsafePointer<Double>, _ count: Int, _ columns: SectionColumns
    ) {
        if section.isMixed {
            query(section, isMixed: true, k, count, columns)
        } else {
            query(section, isMixed: false, k, count, columns)
        }
    }

    @inlinable @inline(__always)
    static func query(
        _ section: SectionShape, isMixed: Bool, _ k: UnsafePointer<Double>, _ count: Int,
        _ columns: SectionColumns
    ) {
        let near = SliceLanes<A>(section.near)
        let far = SliceLanes<A>(section.far)
        let perYear = Lanes(repeating: 1 / section.years)
        @inline(__always)
        func at(_ k: Lanes) -> (volatility: Lanes, slope: Lanes, curvature: Lanes) {
            var (w, slope, curvature) = near[k]
            if isMixed {
                let other = far[k]
                w += other.0
                slope += other.1
                curvature += other.2
            }
            return (A.squareRoot(w * perYear), slope, curvature)
        }
        var row = 0
        while row + 8 <= count {
            let found = at(UnsafeRawPointer(k + row).loadUnaligned(as: Lanes.self))
            UnsafeMutableRawPointer(columns.volatilities + row).storeBytes(
                of: found.volatility, as: Lanes.self)
            if let slopes = columns.slopes, let curvatures = columns.curvatures {
                UnsafeMutableRawPointer(slopes + row).storeBytes(of: found.slope, as: Lanes.self)
                UnsafeMutableRawPointer(curvatures + row).storeBytes(of: found.curvature, as: Lanes.self)
            }
            row += 8
        }
        guard row < count else { return }
        var rest = Lanes.zero
        for lane in 0..<(count - row) { rest[lane] = k[row + lane] }
        let found = at(rest)
        for lane in 0..<(count - row) {
            columns.volatilities[row + lane] = found.volatility[lane]
            columns.slopes?[row + lane] = found.slope[lane]
            columns.curvatures?[row + lane] = found.curvature[lane]
        }
    }
}

/// A slice's parameters in all lanes.
@usableFromInline
struct SliceLanes<A: SliceArithmetic> {
    @usableFromInline let level, sum, difference, m, square: Lanes

    @inlinable @inline(__always)
    init(_ slice: SliceShape) {
        level = Lanes(repeating: slice.level)
        sum = Lanes(repeating: slice.left + slice.right)
        difference = Lanes(repeating: slice.right - slice.left)
        m = Lanes(repeating: slice.m)
        square = Lanes(repeating: slice.sigma * slice.sigma)
    }

    /// w, w' and w''.
    @inlinable @inline(__always)
    subscript(k: Lanes) -> (Lanes, Lanes, Lanes) {
        let x = k - m
        let total = A.multiplyAdd(x, x, square)
        let reach = A.squareRoot(total)
        let inverse = Lanes(repeating: 1) / reach
        let steep = sum * inverse
        return (
            A.multiplyAdd(sum, reach, A.multiplyAdd(difference, x, level)),
            A.multiplyAdd(steep, x, difference), steep * square * (inverse * inverse)
        )
    }
}
