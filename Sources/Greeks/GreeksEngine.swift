import GreeksKernel

/// The kernel for one instruction set, chosen once.
///
/// The calls here are the hot path: they read validated columns (see `OptionBatch` and `validate`),
/// allocate nothing and can be made from any number of threads.
public struct GreeksEngine: Sendable {
    public let instructionSet: InstructionSet
    /// The entry points. Those that take no selection of Greeks, result or tail are called on it.
    public let kernel: any KernelTable.Type

    /// The best instruction set of this processor, or the one that `POISE_ISA` names.
    public init() throws(GreeksError) { try self.init(InstructionSet.selected()) }

    /// A given instruction set.
    /// - Throws: `unsupportedInstructionSet`.
    public init(_ instructionSet: InstructionSet) throws(GreeksError) {
        guard instructionSet.isSupported else { throw .unsupportedInstructionSet(instructionSet) }
        self.instructionSet = instructionSet
        kernel = instructionSet.kernel
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
        precondition(selection.isSubset(of: model.greeks), "the model has not all Greeks of the selection")
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
        switch selection {
        case .book where streams: kernel.sliceFormBookStreamed(slices, offsets, sliceCount, input, output)
        case .all where streams: kernel.sliceFormAllStreamed(slices, offsets, sliceCount, input, output)
        case .price: kernel.sliceFormPrice(slices, offsets, sliceCount, input, output)
        case .book: kernel.sliceFormBook(slices, offsets, sliceCount, input, output)
        case .all: kernel.sliceFormAll(slices, offsets, sliceCount, input, output)
        default: kernel.sliceFormSome(slices, offsets, sliceCount, input, output.only(selection))
        }
    }

    /// Implied volatilities of `count` options, with a `VolatilityStatus` each; NaN if the price implies none.
    ///
    /// Nothing need be validated before. Columns of any alignment; nothing behind them is written.
    public func impliedVolatilities(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        let whole = count & ~7
        if whole > 0 {
            kernel.impliedVolatilities(input, count: whole, volatility: volatility, status: status)
        }
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
                kernel.impliedVolatilities(
                    padded, count: 8, volatility: volatilities, status: statuses)
                (volatility + whole).update(from: volatilities, count: count - whole)
                (status + whole).update(from: statuses, count: count - whole)
            }
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
        switch selection {
        case _ where model != .blackScholesMerton:
            model.compute(kernel, input, count, output.only(selection))
        case .book where streams: kernel.fullFormBookStreamed(input, count, output)
        case .all where streams: kernel.fullFormAllStreamed(input, count, output)
        case .price: kernel.fullFormPrice(input, count, output)
        case .book: kernel.fullFormBook(input, count, output)
        case .all: kernel.fullFormAll(input, count, output)
        default: model.compute(kernel, input, count, output.only(selection))
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
