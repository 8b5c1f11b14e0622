import AmericanKernel
import CKernels
import VectorMath

/// The lane operations of the instruction set that every processor of this architecture has.
enum RoomArithmetic: LaneArithmetic {
    @inline(__always)
    static func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        #if arch(arm64)
            poise_fused_multiply_add(a, b, c)
        #else
            poise_multiply_add(a, b, c)
        #endif
    }

    @inline(__always)
    static func productError(_ a: Lanes, _ b: Lanes, _ product: Lanes) -> Lanes {
        #if arch(arm64)
            poise_fused_multiply_add(a, b, product.negated)
        #else
            splitProductError(a, b, product)
        #endif
    }

    @inline(__always)
    static func any(_ mask: LaneMask) -> Bool { poise_any(unsafeBitCast(mask, to: SIMD8<Int64>.self)) }

    @inline(__always)
    static func squareRoot(_ a: Lanes) -> Lanes { poise_square_root(a) }
}

/// American options for this instruction set.
public enum AmericanBaseline {
    public static var table: any AmericanTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: AmericanTable {
    typealias Arithmetic = RoomArithmetic
}
