/// Owns columns of one job: each on a cache line, all bytes 0 at first, freed together when the owner goes.
package struct ColumnStorage: ~Copyable {
    private var columns: [UnsafeMutableRawPointer] = []

    package init() {}

    deinit { for column in columns { column.deallocate() } }

    /// A new column, valid while the owner lives.
    package mutating func column<T: BitwiseCopyable>(
        of type: T.Type, count: Int
    ) -> UnsafeMutablePointer<T> {
        let bytes = (max(1, count) * MemoryLayout<T>.stride + 63) / 64 * 64
        let column = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        column.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        columns.append(column)
        return column.bindMemory(to: type, capacity: count)
    }
}
