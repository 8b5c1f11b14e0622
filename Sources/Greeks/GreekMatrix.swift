@_exported import GreeksKernel
#if os(Linux)
    import Glibc
#endif

/// Greeks of many contracts by column: `matrix[greek]` has `count` doubles, a column of G[contract, greek], in the units
/// of `Greek`. A column that is not selected is absent.
///
/// Columns start on cache lines, are padded to 8 and staggered, so that stores to fifteen of them don't
/// fall on the same cache set.
/// - Thread safety: any number of readers at once; a writer needs it alone.
@safe public final class GreekMatrix: @unchecked Sendable {
    public let selection: GreekSet
    /// Rows in use.
    public let count: Int
    /// Doubles from one column to the next.
    public let stride: Int
    private let storage: UnsafeMutablePointer<Double>
    private let rank: [Int]
    private let isOnHugePages: Bool
    private static let hugePage = 1 << 21

    /// Room for `count` contracts, all values 0.
    public init(_ selection: GreekSet, count: Int) {
        precondition(count >= 0, "a matrix has no negative size")
        self.selection = selection
        self.count = count
        // An odd number of cache lines: the starts of columns then fall on different sets, whatever the count.
        stride = ((count + 7) / 8 | 1) * 8
        let greeks = selection.greeks
        rank = Greek.allCases.map { greeks.firstIndex(of: $0) ?? -1 }
        let size = stride * greeks.count
        let bytes = size * MemoryLayout<Double>.stride
        isOnHugePages = bytes >= Self.hugePage
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: isOnHugePages ? Self.hugePage : 64)
        #if os(Linux)
            // Fifteen streams of stores wait less for address translation; advice that may be ignored.
            if isOnHugePages { unsafe madvise(raw, bytes, MADV_HUGEPAGE) }
        #endif
        unsafe storage = raw.bindMemory(to: Double.self, capacity: size)
        unsafe storage.initialize(repeating: 0, count: size)
    }

    deinit { unsafe UnsafeMutableRawPointer(storage).deallocate() }

    /// The column of a Greek, or nil where it is not selected.
    public subscript(greek: Greek) -> Column? {
        let rank = rank[greek.rawValue]
        return unsafe rank < 0 ? nil : Column(owner: self, base: storage + rank * stride)
    }

    /// One Greek of all contracts. Keeps the matrix alive.
    @safe public struct Column: RandomAccessCollection {
        let owner: GreekMatrix
        let base: UnsafeMutablePointer<Double>

        public var startIndex: Int { 0 }
        public var endIndex: Int { owner.count }

        public subscript(row: Int) -> Double {
            get {
                precondition(row >= 0 && row < owner.count, "row out of range")
                return unsafe base[row]
            }
            nonmutating set {
                precondition(row >= 0 && row < owner.count, "row out of range")
                unsafe base[row] = newValue
            }
        }

        /// The column, to be read in one go.
        public var span: Span<Double> {
            @_lifetime(borrow self) get {
                let span = unsafe Span(_unsafeStart: base, count: owner.count)
                return unsafe _overrideLifetime(span, borrowing: self)
            }
        }

        /// The column for a kernel, padded to a multiple of 8; valid while the matrix lives.
        package var pointer: UnsafeMutablePointer<Double> { unsafe base }
    }

    /// The columns as the kernels want them; valid while the matrix lives.
    package var columns: GreekColumns {
        var columns = unsafe GreekColumns { greek in
            let rank = rank[greek.rawValue]
            return unsafe rank < 0 ? nil : storage + rank * stride
        }
        unsafe columns.allowsStreaming = isOnHugePages
        return unsafe columns
    }
}
