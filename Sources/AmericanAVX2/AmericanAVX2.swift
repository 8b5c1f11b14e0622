import AmericanKernel
import CKernels
import VectorMath

/// The lane operations of AVX2: x86-64-v3, 256-bit registers, fused multiply-add.
enum RoomArithmetic: LaneArithmetic {
    @inline(__always)
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        poise_fused_multiply_add(a, b, c)
    }

    @inline(__always)
    static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
        poise_fused_multiply_add(a, b, product.negated)
    }

    @inline(__always)
    static func any(_ mask: LaneMask) -> Bool { poise_any(unsafeBitCast(mask, to: SIMD8<Int64>.self)) }

    @inline(__always)
    static func squareRoot(_ a: Lanes) -> Lanes { poise_square_root(a) }

    @inline(__always)
    static func entries(of table: Lanes, at index: LaneBits) -> Lanes {
        poise_entries(table, unsafeBitCast(index, to: SIMD8<Int64>.self))
    }
}

/// American options for this instruction set.
public enum AmericanAVX2 {
    public static var table: any AmericanTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: AmericanTable {
    typealias Arithmetic = RoomArithmetic
}
