import Greeks

/// Options laid out for the slice form: every option of a batch in a slice of its own, with rubbish in the
/// seven lanes that pad it.
struct SliceOptions {
    let batch: OptionBatch

    init(oneSliceEach batch: OptionBatch) { self.batch = batch }

    /// One row per option of the batch.
    func greeks(_ selection: GreekSet, _ engine: GreeksEngine) -> GreekMatrix {
        let count = batch.count
        let padded = (count + 7) / 8 * 8
        func repeatedLast(_ column: [Double]) -> [Double] {
            column + Array(repeating: column[count - 1], count: padded - count)
        }
        let slices = UnsafeMutablePointer<Slice>.allocate(capacity: padded)
        defer { slices.deallocate() }
        engine.kernel.prepareSlices(
            spot: repeatedLast(batch.spot), years: repeatedLast(batch.years),
            rate: repeatedLast(batch.rate), dividend: repeatedLast(batch.dividend), count: padded,
            into: slices)
        let rubbish: [Double] = [.nan, .infinity, -1, 0, 1e300, -.infinity, 0x1p-1074]
        let strike = batch.strike.flatMap { [$0] + rubbish }
        let volatility = batch.volatility.flatMap { [$0] + rubbish.reversed() }
        let rubbishTypes: [UInt8] = [0, 1, 0, 255, 7, 0, 1]
        let type = batch.type.flatMap { [$0] + rubbishTypes }
        var high = Array(repeating: 0.0, count: strike.count)
        var low = high
        engine.kernel.logarithms(of: strike, count: strike.count, high: &high, low: &low)
        let all = GreekMatrix(selection, count: strike.count)
        // The columns point into the arrays, which must live until the call returns.
        withExtendedLifetime((type, strike, volatility, high, low)) {
            engine.sliceForm(
                selection, slices, offsets: (0...count).map { $0 * 8 }, sliceCount: count,
                SliceFormColumns(
                    type: type, strike: strike, logStrikeHigh: high, logStrikeLow: low, volatility: volatility
                ),
                into: all.columns)
        }
        let result = GreekMatrix(selection, count: count)
        for greek in selection.greeks {
            for row in 0..<count { result[greek]?[row] = all[greek]?[row * 8] ?? .nan }
        }
        return result
    }
}
