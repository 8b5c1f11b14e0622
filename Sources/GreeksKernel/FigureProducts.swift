import VectorMath

/// Contracts at a time: their figures and the weights of eight groups stay in the first-level cache.
@inlinable @inline(__always) var figureProductBlock: Int { 128 }

/// Rows of figures summed with a weight for every contract and group, as a matrix product. A row has `figureCount` of
/// them, 10 or 12: five or six accumulators at a time are few enough for the sixteen registers of AVX2, and enough to
/// keep the units busy.
///
/// Weights stand in eights of groups: those of groups 8b to 8b + 7 for contract k are the eight doubles at
/// `weights[(b · rowCount + k) · 8]`. Row g of `sums`, `WeightedRows.width` doubles long, gets group g's; its columns
/// behind the figures become 0. Each sum adds in the order of the contracts, rounding once, so that AVX2 and AVX-512
/// give the same bits.
@inlinable @inline(__always)
public func figureProducts<A: RowArithmetic>(
    _ arithmetic: A.Type, rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>,
    groupEights: Int, figureCount: Int, into sums: UnsafeMutablePointer<Double>
) {
    // Until the end the memory of an eight of sums holds a vector over its groups for each figure.
    let eight = 8 &* WeightedRows.width
    var start = 0
    repeat {
        let end = start &+ figureProductBlock < rowCount ? start &+ figureProductBlock : rowCount
        var number = 0
        while number < groupEights {
            let own = weights + (number &* rowCount) &* 8
            let sum = sums + number &* eight
            if figureCount == 12 {
                addFigures(arithmetic, rows, start..<end, own, from: 0, areSix: true, to: sum)
                addFigures(arithmetic, rows, start..<end, own, from: 6, areSix: true, to: sum)
            } else {
                addFigures(arithmetic, rows, start..<end, own, from: 0, areSix: false, to: sum)
                addFigures(arithmetic, rows, start..<end, own, from: 5, areSix: false, to: sum)
            }
            number &+= 1
        }
        start = end
    } while start < rowCount
    var number = 0
    while number < groupEights {
        let sum = sums + number &* eight
        let first = (
            lanes(sum, 0), lanes(sum, 8), lanes(sum, 16), lanes(sum, 24), lanes(sum, 32), lanes(sum, 40),
            lanes(sum, 48), lanes(sum, 56)
        )
        let last = (lanes(sum, 64), lanes(sum, 72))
        let others = figureCount == 12 ? (lanes(sum, 80), lanes(sum, 88)) : (Lanes.zero, Lanes.zero)
        A.storeTransposed(first, to: sum, stride: WeightedRows.width)
        var group = 0
        while group < 8 {
            GreeksKernel.store(Lanes.zero, to: sum, at: group &* WeightedRows.width &+ 8)
            group &+= 1
        }
        A.storeTransposed(last, to: sum + 8, stride: WeightedRows.width)
        A.storeTransposed(others, to: sum + 10, stride: WeightedRows.width)
        number &+= 1
    }
}

/// Adds to the sums of five or six figures what the contracts of a block weigh in eight groups.
@inlinable @inline(__always)
func addFigures<A: RowArithmetic>(
    _ arithmetic: A.Type, _ rows: UnsafePointer<Double>, _ block: Range<Int>,
    _ weights: UnsafePointer<Double>, from figure: Int, areSix: Bool, to sums: UnsafeMutablePointer<Double>
) {
    let sum = sums + figure &* 8
    var (a, b, c) = (Lanes.zero, Lanes.zero, Lanes.zero)
    var (d, e, f) = (Lanes.zero, Lanes.zero, Lanes.zero)
    if block.lowerBound > 0 {
        (a, b, c) = (lanes(sum, 0), lanes(sum, 8), lanes(sum, 16))
        (d, e) = (lanes(sum, 24), lanes(sum, 32))
        if areSix { f = lanes(sum, 40) }
    }
    var row = block.lowerBound
    while row < block.upperBound {
        let weight = lanes(weights, row &* 8)
        let figures = rows + (row &* WeightedRows.width &+ figure)
        a = A.multiplyAdd(Lanes(repeating: figures[0]), weight, a)
        b = A.multiplyAdd(Lanes(repeating: figures[1]), weight, b)
        c = A.multiplyAdd(Lanes(repeating: figures[2]), weight, c)
        d = A.multiplyAdd(Lanes(repeating: figures[3]), weight, d)
        e = A.multiplyAdd(Lanes(repeating: figures[4]), weight, e)
        if areSix { f = A.multiplyAdd(Lanes(repeating: figures[5]), weight, f) }
        row &+= 1
    }
    GreeksKernel.store(a, to: sum, at: 0)
    GreeksKernel.store(b, to: sum, at: 8)
    GreeksKernel.store(c, to: sum, at: 16)
    GreeksKernel.store(d, to: sum, at: 24)
    GreeksKernel.store(e, to: sum, at: 32)
    if areSix { GreeksKernel.store(f, to: sum, at: 40) }
}
