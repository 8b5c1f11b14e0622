import CKernels
import SurfaceKernel
import VectorMath

/// The lane operations of AVX2: x86-64-v3, 256-bit registers, fused multiply-add.
enum RoomArithmetic: SliceArithmetic {
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
    static func add(_ a: Lanes, _ b: Lanes) -> Lanes { poise_add(a, b) }

    @inline(__always)
    static func subtract(_ a: Lanes, _ b: Lanes) -> Lanes { poise_subtract(a, b) }

    @inline(__always)
    static func multiply(_ a: Lanes, _ b: Lanes) -> Lanes { poise_multiply(a, b) }

    @inline(__always)
    static func divide(_ a: Lanes, _ b: Lanes) -> Lanes { poise_divide(a, b) }

    @inline(__always)
    static func larger(_ a: Lanes, _ b: Lanes) -> Lanes { poise_larger(a, b) }

    @inline(__always)
    static func smaller(_ a: Lanes, _ b: Lanes) -> Lanes { poise_smaller(a, b) }

    @inline(__always)
    static func sums(
        _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ e: Lanes, _ f: Lanes, _ g: Lanes, _ h: Lanes
    ) -> Lanes { poise_sums(a, b, c, d, e, f, g, h) }

    @inline(__always)
    static func bits(_ mask: LaneMask) -> UInt8 { poise_bits(unsafeBitCast(mask, to: SIMD8<Int64>.self)) }
}

/// Fits, scans and queries for this instruction set.
public enum SurfaceAVX2 {
    public static var table: any SurfaceTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: SurfaceTable {
    typealias Arithmetic = RoomArithmetic
}
