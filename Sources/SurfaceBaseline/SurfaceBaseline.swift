import CKernels
import SurfaceKernel
import VectorMath

/// The lane operations of the instruction set that every processor of this architecture has.
enum RoomArithmetic: SliceArithmetic {
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

/// Fits, scans and queries for this instruction set.
public enum SurfaceBaseline {
    public static var table: any SurfaceTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: SurfaceTable {
    typealias Arithmetic = RoomArithmetic
}
