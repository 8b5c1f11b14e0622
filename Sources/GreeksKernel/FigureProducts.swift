import VectorMath

/// Figures per contract: see `FigureMap`.
@inlinable @inline(__always) var figureCount: Int { 10 }

/// Contracts at a time: their figures and the weights of eight groups stay in the first-level cache.
@inlinable @inline(__always) var figureProductBlock: Int { 128 }

/// Rows of figures summed with a weight for every contract and group, as a matrix product.
///
/// Weights stand in eights of groups: those of groups 8b to 8b + 7 for contract k are the eight doubles at
/// `weights[(b · rowCount + k) · 8]`. Row g of `sums`, `WeightedRows.width` doubles long, gets group g's; its columns
/// behind the figures become 0. Each sum adds in the order of the contracts, rounding once, so that AVX2 and AVX-512
/// give the same bits.
@inlinable @inline(__always)
public func figureProducts<A: RowArithmetic>(
    _ arithmetic: A.Type, rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>,
    groupEights: Int, into sums: UnsafeMutablePointer<Double>
) {
    // Until the end the memory of an eight of sums holds a vector over its groups for each figure.
    let eight = 8 &* WeightedRows.width
    var start = 0
    repeat {
        let end = start &+ figureProductBlock < rowCount ? start &+ figureProductBlock : rowCount
        var number = 0
        while number < groupEights {
            let own = weights + (number &* rowCount) &* 8
            var figure = 0
            // Five accumulators: few enough for the sixteen registers of AVX2, enough to keep the units busy.
            while figure < figureCount {
                let sum = sums + (number &* eight &+ figure &* 8)
                var (a, b, c) = (Lanes.zero, Lanes.zero, Lanes.zero)
                var (d, e) = (Lanes.zero, Lanes.zero)
                if start > 0 {
                    (a, b, c) = (lanes(sum, 0), lanes(sum, 8), lanes(sum, 16))
                    (d, e) = (lanes(sum, 24), lanes(sum, 32))
                }
                var row = start
                while row < end {
                    let weight = lanes(own, row &* 8)
                    let figures = rows + (row &* WeightedRows.width &+ figure)
                    a = A.multiplyAdd(Lanes(repeating: figures[0]), weight, a)
                    b = A.multiplyAdd(Lanes(repeating: figures[1]), weight, b)
                    c = A.multiplyAdd(Lanes(repeating: figures[2]), weight, c)
                    d = A.multiplyAdd(Lanes(repeating: figures[3]), weight, d)
                    e = A.multiplyAdd(Lanes(repeating: figures[4]), weight, e)
                    row &+= 1
                }
                GreeksKernel.store(a, to: sum, at: 0)
                GreeksKernel.store(b, to: sum, at: 8)
                GreeksKernel.store(c, to: sum, at: 16)
                GreeksKernel.store(d, to: sum, at: 24)
                GreeksKernel.store(e, to: sum, at: 32)
                figure &+= 5
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
        A.storeTransposed(first, to: sum, stride: WeightedRows.width)
        var group = 0
        while group < 8 {
            GreeksKernel.store(Lanes.zero, to: sum, at: group &* WeightedRows.width &+ 8)
            group &+= 1
        }
        A.storeTransposed(last, to: sum + 8, stride: WeightedRows.width)
        number &+= 1
    }
}
