import CKernels
import GreeksKernel
import VectorMath

/// The lane operations of AVX-512: x86-64-v4, 512-bit registers.
enum RoomArithmetic: RowArithmetic {
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

    /// Instructions can broadcast a constant from memory as they use it.
    @inline(__always)
    static var secondScale: Double { 2 }

    @inline(__always)
    static var hasManyRegisters: Bool { true }

    @inline(__always)
    static func forgetMemory() { poise_forget_memory() }
}

/// Past the caches, for columns that would not stay in them; addresses are multiples of 64.
enum StreamingWriter: LaneWriter {
    @inline(__always)
    static func write(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int) {
        poise_stream(column.unsafelyUnwrapped + index, lanes)
    }

    @inline(__always)
    static func finish() { poise_finish_streams() }
}

/// The kernel for this instruction set.
public enum GreeksAVX512 {
    public static var table: any KernelTable.Type { Table.self }
}

// Not public: no code of this module has a name that another one could share.
enum Table: KernelTable {
    typealias Arithmetic = RoomArithmetic
    typealias Streaming = StreamingWriter
}
