import VectorMath

/// Contracts at a time: their rows and the weights of eight groups stay in the first-level cache.
@inlinable @inline(__always) var exposureProductBlock: Int { 128 }

extension KernelTable {
    @inlinable @inline(never)
    public static func exposureProducts(
        rows: UnsafePointer<Double>, rowCount: Int, weights: UnsafePointer<Double>,
        groupEights: Int, width: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        // Until the end the memory of an eight of sums holds a vector over its groups for each figure.
        let eight = 8 &* WeightedRows.width
        var start = 0
        repeat {
            let end = start &+ exposureProductBlock < rowCount ? start &+ exposureProductBlock : rowCount
            var number = 0
            while number < groupEights {
                let own = weights + (number &* rowCount) &* 8
                let sum = sums + number &* eight
                if width == 12 {
                    addExposures(Arithmetic.self, rows, start..<end, own, from: 0, isSixWide: true, to: sum)
                    addExposures(Arithmetic.self, rows, start..<end, own, from: 6, isSixWide: true, to: sum)
                } else {
                    addExposures(Arithmetic.self, rows, start..<end, own, from: 0, isSixWide: false, to: sum)
                    addExposures(Arithmetic.self, rows, start..<end, own, from: 5, isSixWide: false, to: sum)
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
            let others = width == 12 ? (lanes(sum, 80), lanes(sum, 88)) : (Lanes.zero, Lanes.zero)
            Arithmetic.storeTransposed(first, to: sum, stride: WeightedRows.width)
            var group = 0
            while group < 8 {
                GreeksKernel.store(Lanes.zero, to: sum, at: group &* WeightedRows.width &+ 8)
                group &+= 1
            }
            Arithmetic.storeTransposed(last, to: sum + 8, stride: WeightedRows.width)
            Arithmetic.storeTransposed(others, to: sum + 10, stride: WeightedRows.width)
            number &+= 1
        }
    }
}

/// Adds to the sums of five or six numbers what the contracts of a block weigh in eight groups.
@inlinable @inline(__always)
func addExposures<A: RowArithmetic>(
    _ arithmetic: A.Type, _ rows: UnsafePointer<Double>, _ block: Range<Int>,
    _ weights: UnsafePointer<Double>, from column: Int, isSixWide: Bool, to sums: UnsafeMutablePointer<Double>
) {
    let sum = sums + column &* 8
    var (a, b, c) = (Lanes.zero, Lanes.zero, Lanes.zero)
    var (d, e, f) = (Lanes.zero, Lanes.zero, Lanes.zero)
    if block.lowerBound > 0 {
        (a, b, c) = (lanes(sum, 0), lanes(sum, 8), lanes(sum, 16))
        (d, e) = (lanes(sum, 24), lanes(sum, 32))
        if isSixWide { f = lanes(sum, 40) }
    }
    var row = block.lowerBound
    while row < block.upperBound {
        let weight = lanes(weights, row &* 8)
        let numbers = rows + (row &* WeightedRows.width &+ column)
        a = A.multiplyAdd(Lanes(repeating: numbers[0]), weight, a)
        b = A.multiplyAdd(Lanes(repeating: numbers[1]), weight, b)
        c = A.multiplyAdd(Lanes(repeating: numbers[2]), weight, c)
        d = A.multiplyAdd(Lanes(repeating: numbers[3]), weight, d)
        e = A.multiplyAdd(Lanes(repeating: numbers[4]), weight, e)
        if isSixWide { f = A.multiplyAdd(Lanes(repeating: numbers[5]), weight, f) }
        row &+= 1
    }
    GreeksKernel.store(a, to: sum, at: 0)
    GreeksKernel.store(b, to: sum, at: 8)
    GreeksKernel.store(c, to: sum, at: 16)
    GreeksKernel.store(d, to: sum, at: 24)
    GreeksKernel.store(e, to: sum, at: 32)
    if isSixWide { GreeksKernel.store(f, to: sum, at: 40) }
}
