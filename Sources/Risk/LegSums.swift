import Greeks

/// Legs of one block of rows, to be summed by book.
struct LegSums {
    private var order: [Int] = []
    private var rowOfTerm: [Int32] = []
    private var weights: [Double] = []
    private var sumOfGroup: [Int32] = []
    private var offsets: [Int] = []

    /// One leg; books come in ascending order.
    mutating func append(row: Int, weight: Double, to book: Int) {
        if sumOfGroup.last != Int32(book) {
            sumOfGroup.append(Int32(book))
            offsets.append(rowOfTerm.count)
        }
        rowOfTerm.append(Int32(row))
        weights.append(weight)
    }

    /// Takes the legs of rows 0 to `count` − 1 in place of what there was.
    mutating func set(_ books: UnsafePointer<Int32>, _ quantities: UnsafePointer<Double>, count: Int) {
        order.removeAll(keepingCapacity: true)
        rowOfTerm.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        sumOfGroup.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        // By book, then by leg: both in one number.
        for leg in 0..<count { order.append(unsafe Int(books[leg]) << 32 | leg) }
        order.sort()
        for key in order {
            let leg = key & 0xFFFF_FFFF
            append(row: leg, weight: unsafe quantities[leg], to: key >> 32)
        }
    }

    /// Adds what the legs gain to the sums of their books, in some eights of scenarios.
    mutating func add(
        _ rows: ScenarioMatrix, _ eights: Range<Int>, to sums: ScenarioMatrix, _ engine: GreeksEngine
    ) {
        offsets.append(rowOfTerm.count)
        let first = eights.lowerBound * 8
        // Rows of one block, and sums of books that have been checked.
        unsafe engine.kernel.addWeightedRows(
            rows.base + first, stride: rows.stride, vectors: eights.count, rowOfTerm: rowOfTerm,
            weights: weights, sumOfGroup: sumOfGroup, offsets: offsets, groupCount: sumOfGroup.count,
            into: sums.base + first)
        offsets.removeLast()
    }

    /// The legs as a dense matrix in eights of books: see `addRowProducts`.
    func fill(_ dense: inout [Double], rowCount: Int) {
        for place in dense.indices { dense[place] = 0 }
        for (group, book) in sumOfGroup.enumerated() {
            let end = group + 1 < offsets.count ? offsets[group + 1] : rowOfTerm.count
            let first = Int(book) / 8 * rowCount * 8 + Int(book) % 8
            for term in offsets[group]..<end { dense[first + Int(rowOfTerm[term]) * 8] += weights[term] }
        }
    }
}
