import VectorMath

/// What the bodies need of an instruction set beyond `LaneArithmetic`.
public protocol SliceArithmetic: LaneArithmetic {
    /// √a to some eight digits, for scores of starts.
    static func roughSquareRoot(_ a: Lanes) -> Lanes
}

extension SliceArithmetic {
    @inlinable @inline(__always)
    public static func roughSquareRoot(_ a: Lanes) -> Lanes { squareRoot(a) }
}
