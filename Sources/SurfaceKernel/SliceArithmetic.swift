import VectorMath

/// What the bodies need of an instruction set beyond `LaneArithmetic`.
public protocol SliceArithmetic: LaneArithmetic {
    /// √a to some eight digits, for scores of starts.
    static func roughSquareRoot(_ a: Lanes) -> Lanes
    /// Whole instructions from the start: see `Eight`.
    static func add(_ a: Lanes, _ b: Lanes) -> Lanes
    static func subtract(_ a: Lanes, _ b: Lanes) -> Lanes
    static func multiply(_ a: Lanes, _ b: Lanes) -> Lanes
    static func divide(_ a: Lanes, _ b: Lanes) -> Lanes
    /// The larger, or the smaller, of two lanes; that of b where one is NaN.
    static func larger(_ a: Lanes, _ b: Lanes) -> Lanes
    static func smaller(_ a: Lanes, _ b: Lanes) -> Lanes
    /// The sums of the lanes of eight, one in each lane: neighbours first, then pairs, then halves.
    static func sums(
        _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ e: Lanes, _ f: Lanes, _ g: Lanes, _ h: Lanes
    ) -> Lanes
    /// Which lanes a mask holds in, the first one lowest.
    static func bits(_ mask: LaneMask) -> UInt8
}

extension SliceArithmetic {
    @inlinable @inline(__always)
    public static func roughSquareRoot(_ a: Lanes) -> Lanes { squareRoot(a) }
}
