import VectorMath

@inlinable @inline(__always)
func lanes(_ column: UnsafePointer<Double>, _ index: Int) -> Lanes {
    UnsafeRawPointer(column + index).loadUnaligned(as: Lanes.self)
}

/// 1 << 63 for a put (type 1), 0 for a call (type 0).
@inlinable @inline(__always)
func putSigns(_ column: UnsafePointer<UInt8>, _ index: Int) -> LaneBits {
    let bytes = UnsafeRawPointer(column + index).loadUnaligned(as: SIMD8<UInt8>.self)
    return LaneBits(truncatingIfNeeded: bytes) &<< 63
}
