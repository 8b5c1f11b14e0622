import VectorMath

@inlinable @inline(__always)
func lanes(_ column: UnsafePointer<Double>, _ index: Int) -> Lanes {
    UnsafeRawPointer(column + index).loadUnaligned(as: Lanes.self)
}

/// The types of eight rows: 0 for a call, 1 for a put.
@inlinable @inline(__always)
func types(_ column: UnsafePointer<UInt8>, _ index: Int) -> LaneBits {
    LaneBits(truncatingIfNeeded: UnsafeRawPointer(column + index).loadUnaligned(as: SIMD8<UInt8>.self))
}

/// 1 << 63 for a put, 0 for a call.
@inlinable @inline(__always)
func putSigns(_ column: UnsafePointer<UInt8>, _ index: Int) -> LaneBits { types(column, index) &<< 63 }
