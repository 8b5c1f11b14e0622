/// Lane operations in plain Swift, every product rounded before it is added to: the same bits on every machine and
/// whatever instruction set the code is compiled for.
///
/// For what must be replayed exactly and is no hot loop of its own: random numbers, paths, policies.
public enum PortableArithmetic: LaneArithmetic {
    @inlinable @inline(__always)
    public static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes { a * b + c }

    @inlinable @inline(__always)
    public static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
        splitProductError(a, b, product)
    }

    @inlinable @inline(__always)
    public static func any(_ mask: LaneMask) -> Bool {
        let bits = unsafeBitCast(mask, to: SIMD8<Int64>.self)
        let four = bits.lowHalf | bits.highHalf
        let two = four.lowHalf | four.highHalf
        return two[0] | two[1] != 0
    }

    /// One at a time, as a vector's own `squareRoot()` becomes calls.
    @inlinable @inline(__always)
    public static func squareRoot(_ a: Lanes) -> Lanes {
        Lanes(
            a[0].squareRoot(), a[1].squareRoot(), a[2].squareRoot(), a[3].squareRoot(), a[4].squareRoot(),
            a[5].squareRoot(), a[6].squareRoot(), a[7].squareRoot())
    }
}
