/// Rows of `WeightedRows.width` numbers, to be summed by weight: one sum per group of terms.
@unsafe public struct WeightedRows {
    /// Doubles in a row.
    @safe public static let width = 16

    @usableFromInline let rows: UnsafePointer<Double>
    @usableFromInline let rowOfTerm: UnsafePointer<Int32>
    @usableFromInline let weights: UnsafePointer<Double>
    @usableFromInline let offsets: UnsafePointer<Int>
    @usableFromInline let groupCount: Int

    /// Group g has the terms `offsets[g]` to `offsets[g + 1] − 1`: `weights[t]` times row `rowOfTerm[t]` each.
    public init(
        rows: UnsafePointer<Double>, rowOfTerm: UnsafePointer<Int32>, weights: UnsafePointer<Double>,
        offsets: UnsafePointer<Int>, groupCount: Int
    ) {
        self.rows = rows
        self.rowOfTerm = rowOfTerm
        self.weights = weights
        self.offsets = offsets
        self.groupCount = groupCount
    }
}

/// Writes one row of sums per group, in the order of the terms. Products are rounded before they are added: the
/// same bits with and without a fused multiply-add.
@inlinable @inline(__always)
public func sumWeightedRows(_ input: WeightedRows, into sums: UnsafeMutablePointer<Double>) {
    for group in 0..<input.groupCount {
        var low = Lanes.zero
        var high = Lanes.zero
        for term in input.offsets[group]..<input.offsets[group + 1] {
            let weight = Lanes(repeating: input.weights[term])
            let row = UnsafeRawPointer(input.rows + Int(input.rowOfTerm[term]) * WeightedRows.width)
            low += weight * row.loadUnaligned(as: Lanes.self)
            high += weight * row.loadUnaligned(fromByteOffset: 64, as: Lanes.self)
        }
        let row = UnsafeMutableRawPointer(sums + group * WeightedRows.width)
        row.storeBytes(of: low, as: Lanes.self)
        row.storeBytes(of: high, toByteOffset: 64, as: Lanes.self)
    }
}
