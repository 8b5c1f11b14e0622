import VectorMath

/// Eight doubles whose operators are whole instructions from the start.
///
/// Those of `Lanes` are eight scalar operations, which LLVM's vectorizer joins again; in bodies as long as these it takes
/// some of them apart for good.
@usableFromInline
struct Eight<A: SliceArithmetic> {
    @usableFromInline var lanes: Lanes

    @inlinable @inline(__always)
    init(_ lanes: Lanes) { self.lanes = lanes }

    /// The same number in all lanes.
    @inlinable @inline(__always)
    init(_ number: Double) { lanes = Lanes(repeating: number) }

    @inlinable static var zero: Eight {
        @inline(__always) get { Eight(Lanes.zero) }
    }

    @inlinable @inline(__always)
    static func + (a: Eight, b: Eight) -> Eight { Eight(A.add(a.lanes, b.lanes)) }

    @inlinable @inline(__always)
    static func - (a: Eight, b: Eight) -> Eight { Eight(A.subtract(a.lanes, b.lanes)) }

    @inlinable @inline(__always)
    static func * (a: Eight, b: Eight) -> Eight { Eight(A.multiply(a.lanes, b.lanes)) }

    @inlinable @inline(__always)
    static func / (a: Eight, b: Eight) -> Eight { Eight(A.divide(a.lanes, b.lanes)) }

    @inlinable @inline(__always)
    static func += (a: inout Eight, b: Eight) { a = a + b }

    @inlinable @inline(__always)
    static func -= (a: inout Eight, b: Eight) { a = a - b }

    /// This and a·b, rounded as `multiplyAdd` is.
    @inlinable @inline(__always)
    func plus(_ a: Eight, _ b: Eight) -> Eight { Eight(A.multiplyAdd(a.lanes, b.lanes, lanes)) }

    /// This less a·b.
    @inlinable @inline(__always)
    func minus(_ a: Eight, _ b: Eight) -> Eight {
        Eight(A.multiplyAdd(A.subtract(Lanes(repeating: -0.0), a.lanes), b.lanes, lanes))
    }

    @inlinable @inline(__always)
    mutating func add(_ a: Eight, _ b: Eight) { self = plus(a, b) }

    @inlinable @inline(__always)
    func squareRoot() -> Eight { Eight(A.squareRoot(lanes)) }

    /// The larger of two lanes; that of `other` where one is NaN.
    @inlinable @inline(__always)
    func larger(_ other: Eight) -> Eight { Eight(A.larger(lanes, other.lanes)) }

    @inlinable @inline(__always)
    func smaller(_ other: Eight) -> Eight { Eight(A.smaller(lanes, other.lanes)) }

    /// The lanes where the mask holds, 0 elsewhere.
    @inlinable @inline(__always)
    func kept(where mask: LaneMask) -> Eight { Eight(lanes.kept(where: mask)) }

    @inlinable var isPositive: LaneMask {
        @inline(__always) get { lanes .> Lanes.zero }
    }

    /// The sums of the lanes of eight, one in each lane: neighbours first, then pairs, then halves.
    @inlinable @inline(__always)
    static func sums(
        _ a: Eight, _ b: Eight, _ c: Eight, _ d: Eight, _ e: Eight, _ f: Eight, _ g: Eight, _ h: Eight
    ) -> Eight {
        Eight(A.sums(a.lanes, b.lanes, c.lanes, d.lanes, e.lanes, f.lanes, g.lanes, h.lanes))
    }
}
