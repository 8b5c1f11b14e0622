@_exported import GreeksKernel
#if os(Linux)
    import Glibc
#endif

/// Columns of Greeks for many contracts: `matrix[greek]` is a column of `count` doubles, one row of the
/// Greek × contract matrix that exposures are made from.
///
/// Columns start on cache lines, are padded to 8 and staggered, so that stores to fifteen of them don't
/// fall on the same cache set. A column that is not selected is absent.
public final class GreekMatrix: @unchecked Sendable {
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
        stride = (count + 7) / 8 * 8 + 8
        let greeks = selection.greeks
        rank = Greek.allCases.map { greeks.firstIndex(of: $0) ?? -1 }
        let size = stride * greeks.count
        let bytes = size * MemoryLayout<Double>.stride
        isOnHugePages = bytes >= Self.hugePage
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: isOnHugePages ? Self.hugePage : 64)
        #if os(Linux)
            // Fifteen streams of stores wait less for address translation; advice that may be ignored.
            if isOnHugePages { madvise(raw, bytes, MADV_HUGEPAGE) }
        #endif
        storage = raw.bindMemory(to: Double.self, capacity: size)
        storage.initialize(repeating: 0, count: size)
    }

    deinit { UnsafeMutableRawPointer(storage).deallocate() }

    /// The column of a Greek, or nil where it is not selected.
    public subscript(greek: Greek) -> Column? {
        let rank = rank[greek.rawValue]
        return rank < 0 ? nil : Column(owner: self, base: storage + rank * stride)
    }

    /// One Greek of all contracts. Keeps the matrix alive.
    public struct Column: RandomAccessCollection {
        let owner: GreekMatrix
        let base: UnsafeMutablePointer<Double>

        public var startIndex: Int { 0 }
        public var endIndex: Int { owner.count }

        public subscript(row: Int) -> Double {
            get {
                precondition(row >= 0 && row < owner.count, "row out of range")
                return base[row]
            }
            nonmutating set {
                precondition(row >= 0 && row < owner.count, "row out of range")
                base[row] = newValue
            }
        }

        /// The column in memory, padded to a multiple of 8; valid while the matrix lives.
        public var pointer: UnsafeMutablePointer<Double> { base }
    }

    /// The columns as the kernels want them; valid while the matrix lives.
    public var columns: GreekColumns {
        var columns = GreekColumns { greek in
            let rank = rank[greek.rawValue]
            return rank < 0 ? nil : storage + rank * stride
        }
        columns.isOnHugePages = isOnHugePages
        return columns
    }
}
