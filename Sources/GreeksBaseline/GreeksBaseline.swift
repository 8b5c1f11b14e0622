import CKernels
import GreeksKernel
import VectorMath

/// The lane operations of the instruction set that every processor of this architecture has: SSE2,
/// without fused multiply-add, on x86-64; NEON, with it, on arm64.
enum RoomArithmetic: RowArithmetic {
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

    @inline(__always)
    static func storeTransposed(
        _ a: (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes),
        to rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        poise_store_transposed(rows, stride, a.0, a.1, a.2, a.3, a.4, a.5, a.6, a.7)
    }

    @inline(__always)
    static func storeTransposed(
        _ a: (Lanes, Lanes), to rows: UnsafeMutablePointer<Double>, stride: Int
    ) {
        poise_store_pairs(rows, stride, a.0, a.1)
    }
}

/// The kernel for this instruction set.
public enum GreeksBaseline {
    public static var table: any KernelTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: KernelTable {
    typealias Arithmetic = RoomArithmetic
    typealias Streaming = CachedWriter
}
