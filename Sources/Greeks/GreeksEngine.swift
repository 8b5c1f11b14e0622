import CKernels
import GreeksBaseline
import GreeksKernel
import VectorMath

#if arch(x86_64)
    import GreeksAVX2
    import GreeksAVX512
#endif

/// The kernel for one instruction set, chosen once.
///
/// The calls here are the hot path: they read validated columns (see `OptionBatch` and `validate`),
/// allocate nothing and can be made from any number of threads.
public struct GreeksEngine: Sendable {
    public let instructionSet: InstructionSet

    /// The best instruction set of this processor, or the one that `POISE_ISA` names.
    public init() throws(GreeksError) { instructionSet = try InstructionSet.selected() }

    /// A given instruction set.
    /// - Throws: `unsupportedInstructionSet`.
    public init(_ instructionSet: InstructionSet) throws(GreeksError) {
        guard instructionSet.isSupported else { throw .unsupportedInstructionSet(instructionSet) }
        self.instructionSet = instructionSet
    }

    /// Greeks of `count` options that each bring their own market.
    /// - Parameters:
    ///   - model: what the inputs mean; they must have been validated for it.
    ///   - input: columns of `count` values, any alignment.
    ///   - output: the selection's columns of `count` doubles, any alignment; nothing behind them is written.
    public func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ input: FullFormColumns, count: Int,
        into output: GreekColumns
    ) {
        precondition(output.hold(selection), "a column of the selection is missing")
        fullForm(
            selection, model, input, count: count, streams: streams(selection, count, output), into: output)
    }

    /// The same of a part of a larger call, whose columns hold its selection.
    /// - Parameter streams: whether results go past the caches.
    package func fullForm(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, count: Int, streams: Bool,
        into output: GreekColumns
    ) {
        let whole = count & ~7
        if whole > 0 { fullBlocks(selection, model, input, count: whole, streams: streams, into: output) }
        if whole < count { fullTail(selection, model, input, from: whole, to: count, into: output) }
    }

    /// Greeks of the options of `sliceCount` slices: those of slice s are `offsets[s]` to
    /// `offsets[s + 1] − 1`, all offsets multiples of 8, the columns padded.
    public func sliceForm(
        _ selection: GreekSet, _ slices: UnsafePointer<Slice>, offsets: UnsafePointer<Int>,
        sliceCount: Int, _ input: SliceFormColumns, into output: GreekColumns
    ) {
        precondition(output.hold(selection), "a column of the selection is missing")
        let streams = streams(selection, offsets[sliceCount] - offsets[0], output)
        switch (instructionSet, selection) {
        #if arch(x86_64)
            case (.avx512, .book) where streams:
                GreeksAVX512.sliceFormBookStreamed(slices, offsets, sliceCount, input, output)
            case (.avx512, .all) where streams:
                GreeksAVX512.sliceFormAllStreamed(slices, offsets, sliceCount, input, output)
            case (.avx2, .book) where streams:
                GreeksAVX2.sliceFormBookStreamed(slices, offsets, sliceCount, input, output)
            case (.avx2, .all) where streams:
                GreeksAVX2.sliceFormAllStreamed(slices, offsets, sliceCount, input, output)
            case (.avx512, .price): GreeksAVX512.sliceFormPrice(slices, offsets, sliceCount, input, output)
            case (.avx512, .book): GreeksAVX512.sliceFormBook(slices, offsets, sliceCount, input, output)
            case (.avx512, .all): GreeksAVX512.sliceFormAll(slices, offsets, sliceCount, input, output)
            case (.avx512, _):
                GreeksAVX512.sliceFormSome(slices, offsets, sliceCount, input, output.only(selection))
            case (.avx2, .price): GreeksAVX2.sliceFormPrice(slices, offsets, sliceCount, input, output)
            case (.avx2, .book): GreeksAVX2.sliceFormBook(slices, offsets, sliceCount, input, output)
            case (.avx2, .all): GreeksAVX2.sliceFormAll(slices, offsets, sliceCount, input, output)
            case (.avx2, _):
                GreeksAVX2.sliceFormSome(slices, offsets, sliceCount, input, output.only(selection))
        #endif
        case (_, .price): GreeksBaseline.sliceFormPrice(slices, offsets, sliceCount, input, output)
        case (_, .book): GreeksBaseline.sliceFormBook(slices, offsets, sliceCount, input, output)
        case (_, .all): GreeksBaseline.sliceFormAll(slices, offsets, sliceCount, input, output)
        default: GreeksBaseline.sliceFormSome(slices, offsets, sliceCount, input, output.only(selection))
        }
    }

    /// Figures of the options of slices, laid out as in `sliceForm`, by a map for each slice: row i of
    /// `WeightedRows.width` doubles is option i's.
    public func sliceFigures(
        _ slices: UnsafePointer<Slice>, _ maps: UnsafePointer<FigureMap>, offsets: UnsafePointer<Int>,
        sliceCount: Int, _ input: SliceFormColumns, into rows: UnsafeMutablePointer<Double>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.sliceFigures(slices, maps, offsets, sliceCount, input, rows)
            case .avx2: GreeksAVX2.sliceFigures(slices, maps, offsets, sliceCount, input, rows)
        #endif
        default: GreeksBaseline.sliceFigures(slices, maps, offsets, sliceCount, input, rows)
        }
    }

    /// Price and eight Greeks of the options of slices, laid out as in `sliceForm`, summed by quantity: one sum per
    /// slice. Quantities of padding are 0.
    public func sliceSums(
        _ slices: UnsafePointer<Slice>, offsets: UnsafePointer<Int>, sliceCount: Int,
        _ input: SliceFormColumns,
        quantities: UnsafePointer<Double>, into sums: UnsafeMutablePointer<GreekSums>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.sliceSums(slices, offsets, sliceCount, input, quantities, sums)
            case .avx2: GreeksAVX2.sliceSums(slices, offsets, sliceCount, input, quantities, sums)
        #endif
        default: GreeksBaseline.sliceSums(slices, offsets, sliceCount, input, quantities, sums)
        }
    }

    /// Sums of a book along eight paths, in lanes across paths; see `GreeksKernel.pathSums`.
    public func pathSums(
        _ markets: UnsafePointer<PathMarket>, steps: Int, _ expiries: UnsafePointer<PathExpiry>,
        offsets: UnsafePointer<Int>, expiryCount: Int, live: UnsafePointer<Int>,
        _ options: UnsafePointer<PathOption>, into sums: UnsafeMutablePointer<PathSums>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512:
                GreeksAVX512.pathSums(markets, steps, expiries, offsets, expiryCount, live, options, sums)
            case .avx2:
                GreeksAVX2.pathSums(markets, steps, expiries, offsets, expiryCount, live, options, sums)
        #endif
        default:
            GreeksBaseline.pathSums(markets, steps, expiries, offsets, expiryCount, live, options, sums)
        }
    }

    /// Everything that the options of a slice share, for `count` slices (a multiple of 8).
    public func prepareSlices(
        spot: UnsafePointer<Double>, years: UnsafePointer<Double>, rate: UnsafePointer<Double>,
        dividend: UnsafePointer<Double>, count: Int, into slices: UnsafeMutablePointer<Slice>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.prepareSlices(spot, years, rate, dividend, count, slices)
            case .avx2: GreeksAVX2.prepareSlices(spot, years, rate, dividend, count, slices)
        #endif
        default: GreeksBaseline.prepareSlices(spot, years, rate, dividend, count, slices)
        }
    }

    /// ln K in two parts for `count` strikes (a multiple of 8).
    public func logarithms(
        of strike: UnsafePointer<Double>, count: Int, high: UnsafeMutablePointer<Double>,
        low: UnsafeMutablePointer<Double>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.logarithms(strike, count, high, low)
            case .avx2: GreeksAVX2.logarithms(strike, count, high, low)
        #endif
        default: GreeksBaseline.logarithms(strike, count, high, low)
        }
    }

    /// Sums rows by weight, one row of sums per group: the same bits on every instruction set.
    public func sumWeightedRows(_ input: WeightedRows, into sums: UnsafeMutablePointer<Double>) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.sumWeightedRows(input, sums)
            case .avx2: GreeksAVX2.sumWeightedRows(input, sums)
        #endif
        default: GreeksBaseline.sumWeightedRows(input, sums)
        }
    }

    /// Implied volatilities of `count` options, with a `VolatilityStatus` each; NaN where there is none.
    ///
    /// Nothing need be validated before. Columns of any alignment; nothing behind them is written.
    public func impliedVolatilities(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        let whole = count & ~7
        if whole > 0 { volatilityBlocks(input, count: whole, volatility: volatility, status: status) }
        guard whole < count else { return }
        let columns = (input.spot, input.strike, input.years, input.price, input.rate, input.dividend)
        withPaddedTail(input.type, columns, whole..<count) { types, values in
            let padded = PriceColumns(
                type: types, spot: values, strike: values + 8, years: values + 16, price: values + 24,
                rate: values + 32, dividend: values + 40)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { results in
                guard let volatilities = results.baseAddress else { return }
                let statuses = UnsafeMutableRawPointer(volatilities + 8).bindMemory(
                    to: UInt8.self, capacity: 8)
                volatilityBlocks(padded, count: 8, volatility: volatilities, status: statuses)
                (volatility + whole).update(from: volatilities, count: count - whole)
                (status + whole).update(from: statuses, count: count - whole)
            }
        }
    }

    private func volatilityBlocks(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        switch instructionSet {
        #if arch(x86_64)
            case .avx512: GreeksAVX512.impliedVolatilities(input, count, volatility, status)
            case .avx2: GreeksAVX2.impliedVolatilities(input, count, volatility, status)
        #endif
        default: GreeksBaseline.impliedVolatilities(input, count, volatility, status)
        }
    }

    /// Whether results are written past the caches: where they are more than stay in one, as 16 MiB do on most
    /// servers, reading each line before it is overwritten would cost as much again.
    package func streams(_ selection: GreekSet, _ count: Int, _ output: GreekColumns) -> Bool {
        output.isOnHugePages && count * selection.rawValue.nonzeroBitCount >= 1 << 21
            && Greek.allCases.allSatisfy {
                !selection.contains($0) || UInt(bitPattern: output[$0]) & 63 == 0
            }
    }

    private func fullBlocks(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, count: Int, streams: Bool,
        into output: GreekColumns
    ) {
        guard model == .blackScholesMerton else {
            return otherModel(model, input, count: count, into: output.only(selection))
        }
        switch (instructionSet, selection) {
        #if arch(x86_64)
            case (.avx512, .book) where streams: GreeksAVX512.fullFormBookStreamed(input, count, output)
            case (.avx512, .all) where streams: GreeksAVX512.fullFormAllStreamed(input, count, output)
            case (.avx2, .book) where streams: GreeksAVX2.fullFormBookStreamed(input, count, output)
            case (.avx2, .all) where streams: GreeksAVX2.fullFormAllStreamed(input, count, output)
            case (.avx512, .price): GreeksAVX512.fullFormPrice(input, count, output)
            case (.avx512, .book): GreeksAVX512.fullFormBook(input, count, output)
            case (.avx512, .all): GreeksAVX512.fullFormAll(input, count, output)
            case (.avx512, _): GreeksAVX512.fullFormSome(input, count, output.only(selection))
            case (.avx2, .price): GreeksAVX2.fullFormPrice(input, count, output)
            case (.avx2, .book): GreeksAVX2.fullFormBook(input, count, output)
            case (.avx2, .all): GreeksAVX2.fullFormAll(input, count, output)
            case (.avx2, _): GreeksAVX2.fullFormSome(input, count, output.only(selection))
        #endif
        case (_, .price): GreeksBaseline.fullFormPrice(input, count, output)
        case (_, .book): GreeksBaseline.fullFormBook(input, count, output)
        case (_, .all): GreeksBaseline.fullFormAll(input, count, output)
        default: GreeksBaseline.fullFormSome(input, count, output.only(selection))
        }
    }

    private func otherModel(
        _ model: OptionModel, _ input: FullFormColumns, count: Int, into output: GreekColumns
    ) {
        switch (instructionSet, model) {
        #if arch(x86_64)
            case (.avx512, .bachelier): GreeksAVX512.bachelier(input, count, output)
            case (.avx512, _): GreeksAVX512.cashOrNothing(input, count, output)
            case (.avx2, .bachelier): GreeksAVX2.bachelier(input, count, output)
            case (.avx2, _): GreeksAVX2.cashOrNothing(input, count, output)
        #endif
        case (_, .bachelier): GreeksBaseline.bachelier(input, count, output)
        default: GreeksBaseline.cashOrNothing(input, count, output)
        }
    }

    /// The last options, fewer than 8, through a block on the stack.
    private func fullTail(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, from start: Int, to end: Int,
        into output: GreekColumns
    ) {
        let columns = (input.spot, input.strike, input.years, input.volatility, input.rate, input.dividend)
        withPaddedTail(input.type, columns, start..<end) { types, values in
            let block = FullFormColumns(
                type: types, spot: values, strike: values + 8, years: values + 16, volatility: values + 24,
                rate: values + 32, dividend: values + 40)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: Greek.allCases.count * 8) { outputs in
                guard let results = outputs.baseAddress else { return }
                fullBlocks(
                    selection, model, block, count: 8, streams: false,
                    into: GreekColumns { results + 8 * $0.rawValue })
                for greek in Greek.allCases where selection.contains(greek) {
                    (output[greek].unsafelyUnwrapped + start).update(
                        from: results + 8 * greek.rawValue, count: end - start)
                }
            }
        }
    }

    /// Calls `body` with fewer than 8 rows of seven columns, padded to 8 by repeating the last: the types, and
    /// the six columns of doubles one after another. On the stack: the runtime keeps temporaries of up to
    /// 1,024 bytes there.
    private func withPaddedTail(
        _ type: UnsafePointer<UInt8>,
        _ columns: (
            UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafePointer<Double>
        ), _ rows: Range<Int>, _ body: (UnsafePointer<UInt8>, UnsafePointer<Double>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 7 * 8) { block in
            guard let values = block.baseAddress else { return }
            let types = UnsafeMutableRawPointer(values + 48).bindMemory(to: UInt8.self, capacity: 8)
            for lane in 0..<8 {
                let row = min(rows.lowerBound + lane, rows.upperBound - 1)
                values[lane] = columns.0[row]
                values[8 + lane] = columns.1[row]
                values[16 + lane] = columns.2[row]
                values[24 + lane] = columns.3[row]
                values[32 + lane] = columns.4[row]
                values[40 + lane] = columns.5[row]
                types[lane] = type[row]
            }
            body(types, values)
        }
    }
}

extension GreekColumns {
    /// Whether the columns of a selection are there.
    func hold(_ selection: GreekSet) -> Bool {
        Greek.allCases.allSatisfy { !selection.contains($0) || self[$0] != nil }
    }

    /// Without the columns of others.
    func only(_ selection: GreekSet) -> GreekColumns {
        GreekColumns { selection.contains($0) ? self[$0] : nil }
    }
}
