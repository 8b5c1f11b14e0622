import VectorMath

/// Arithmetic that can also turn columns into rows, for which Swift's vectors have no operation.
public protocol RowArithmetic: LaneArithmetic {
    /// Stores eight vectors as rows of eight, `stride` doubles apart: row i gets lane i of each.
    static func storeTransposed(
        _ columns: (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes, Lanes),
        to rows: UnsafeMutablePointer<Double>, stride: Int)
    /// Stores two vectors as rows of two, `stride` doubles apart.
    static func storeTransposed(_ columns: (Lanes, Lanes), to rows: UnsafeMutablePointer<Double>, stride: Int)
}

extension KernelTable {
    // The Greeks never leave the registers: books read rows, and columns would be written to be transposed.
    @inlinable @inline(never)
    public static func sliceExposures(
        _ slices: UnsafePointer<Slice>, _ maps: UnsafePointer<ExposureMap>, offsets: UnsafePointer<Int>,
        sliceCount: Int, _ input: SliceFormColumns, into rows: UnsafeMutablePointer<Double>
    ) {
        var number = 0
        while number < sliceCount {
            let form = SliceForm(slices + number, input)
            let end = offsets[number &+ 1]
            var index = offsets[number]
            while index < end {
                let greeks = blackScholesMertonGreeks(Arithmetic.self, form, at: index)
                var exposures = InlineArray<16, Lanes>(repeating: .zero)
                ExposureMap.forEach(
                    maps + number, { greeks[$0] }, { $0 * $1 },
                    { Arithmetic.multiplyAdd($0, Lanes(repeating: $1), $2) },
                    { exposures[unchecked: $0.index] = $1 })
                let row = rows + index * WeightedRows.width
                Arithmetic.storeTransposed(
                    (
                        exposures[unchecked: 0], exposures[unchecked: 1], exposures[unchecked: 2],
                        exposures[unchecked: 3], exposures[unchecked: 4], exposures[unchecked: 5],
                        exposures[unchecked: 6], exposures[unchecked: 7]
                    ), to: row, stride: WeightedRows.width)
                var pair = 8
                while pair < ExposureArray<Lanes>.count {
                    Arithmetic.storeTransposed(
                        (exposures[unchecked: pair], exposures[unchecked: pair &+ 1]), to: row + pair,
                        stride: WeightedRows.width)
                    pair &+= 2
                }
                index &+= 8
            }
            number &+= 1
        }
    }
}
