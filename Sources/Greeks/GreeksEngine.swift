import GreeksKernel

/// The kernel for one instruction set, chosen once.
///
/// The calls here are the hot path: they read validated columns (see `OptionBatch` and `validate`),
/// allocate nothing and can be made from any number of threads.
public struct GreeksEngine: Sendable {
    public let instructionSet: InstructionSet
    /// The compiled entry points. This type wraps those for which a selection, a kind of result or a last part of fewer
    /// than 8 must be handled; the others are called here directly.
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

    /// Greeks of options that each bring their own market.
    /// - Parameters:
    ///   - model: what the inputs mean; they must have been validated for it.
    ///   - matrix: with at least the columns of the selection, and a row per option.
    public func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ options: OptionColumns,
        into matrix: GreekMatrix
    ) {
        precondition(matrix.count == options.count, "a row for each option")
        unsafe fullForm(
            selection, model: model, options.pointers, count: options.count, into: matrix.columns)
        extendLifetime(options)
        extendLifetime(matrix)
    }

    /// Greeks of options into the caller's memory: the columns of the selection one after another, in the order of
    /// `GreekSet.greeks`.
    /// - Parameter stride: doubles from one column to the next, at least as many as there are options.
    public func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ options: OptionColumns,
        into results: inout MutableSpan<Double>, stride: Int
    ) {
        let columns = selection.rawValue.nonzeroBitCount
        precondition(stride >= options.count, "columns overlap")
        precondition(
            columns == 0 || results.count - options.count >= (columns - 1) * stride, "too little room")
        let start = unsafe results.start
        let output = unsafe GreekColumns { greek in
            let before = selection.rawValue & ((1 << greek.rawValue) - 1)
            return unsafe selection.contains(greek) ? start + before.nonzeroBitCount * stride : nil
        }
        unsafe fullForm(selection, model: model, options.pointers, count: options.count, into: output)
        extendLifetime(options)
    }

    /// Greeks of `count` options: columns of any alignment, in and out; nothing behind them is written.
    package func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ input: FullFormColumns, count: Int,
        into output: GreekColumns
    ) {
        unsafe precondition(output.hold(selection), "a column of the selection is missing")
        precondition(selection.isSubset(of: model.greeks), "the model has not all Greeks of the selection")
        unsafe fullForm(
            selection, model, input, count: count, streams: streams(selection, model, count, output),
            into: output)
    }

    /// The same of a part of a larger call, whose columns hold its selection.
    /// - Parameter streams: whether results go past the caches.
    package func fullForm(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, count: Int, streams: Bool,
        into output: GreekColumns
    ) {
        let whole = count & ~7
        if whole > 0 {
            unsafe fullBlocks(selection, model, input, count: whole, streams: streams, into: output)
        }
        if whole < count { unsafe fullTail(selection, model, input, from: whole, to: count, into: output) }
    }

    /// Greeks of the options of slices: those of slice s are `offsets[s]` to `offsets[s + 1] − 1`, all offsets multiples
    /// of 8, the columns padded.
    /// - Parameters:
    ///   - slices: from `prepareSlices`.
    ///   - matrix: with at least the columns of the selection, and a row per option, padding included.
    public func sliceForm(
        _ selection: GreekSet, _ slices: Span<Slice>, offsets: Span<Int>, _ options: SliceColumns,
        into matrix: GreekMatrix
    ) {
        precondition(offsets.count <= slices.count + 1, "a slice for each pair of offsets")
        precondition(matrix.count >= options.count, "a row for each option")
        guard offsets.count > 1 else { return }
        precondition(
            offsets[0] >= 0 && offsets[offsets.count - 1] <= options.count, "offsets beyond the options")
        for slice in 1..<offsets.count {
            precondition(
                offsets[slice] >= offsets[slice - 1] && (offsets[slice] | offsets[slice - 1]) & 7 == 0,
                "offsets are ascending multiples of 8")
        }
        unsafe sliceForm(
            selection, slices.start, offsets: offsets.start, sliceCount: offsets.count - 1, options.pointers,
            into: matrix.columns)
        extendLifetime(slices)
        extendLifetime(offsets)
        extendLifetime(options)
        extendLifetime(matrix)
    }

    /// What the options of each slice share: a slice per row of the columns, eight at a time.
    /// - Precondition: columns of one length, a multiple of 8; `slices` has room.
    public func prepareSlices(
        spot: Span<Double>, years: Span<Double>, rate: Span<Double>, dividend: Span<Double>,
        into slices: inout MutableSpan<Slice>
    ) {
        let count = spot.count
        precondition(count % 8 == 0 && slices.count >= count, "eights of slices, and room for them")
        precondition(years.count == count && rate.count == count && dividend.count == count, "lengths differ")
        unsafe kernel.prepareSlices(
            spot: spot.start, years: years.start, rate: rate.start, dividend: dividend.start, count: count,
            into: slices.start)
    }

    /// ln K as an unevaluated sum, for slices.
    /// - Precondition: columns of one length, a multiple of 8.
    public func logarithms(
        of strike: Span<Double>, high: inout MutableSpan<Double>, low: inout MutableSpan<Double>
    ) {
        let count = strike.count
        precondition(count % 8 == 0 && high.count == count && low.count == count, "eights of one length")
        unsafe kernel.logarithms(of: strike.start, count: count, high: high.start, low: low.start)
    }

    /// Slices by pointer: see above.
    package func sliceForm(
        _ selection: GreekSet, _ slices: UnsafePointer<Slice>, offsets: UnsafePointer<Int>,
        sliceCount: Int, _ input: SliceFormColumns, into output: GreekColumns
    ) {
        unsafe precondition(output.hold(selection), "a column of the selection is missing")
        let streams = unsafe streams(selection, .blackScholesMerton, offsets[sliceCount] - offsets[0], output)
        switch selection {
        case .book where streams:
            unsafe kernel.sliceFormBookStreamed(slices, offsets, sliceCount, input, output)
        case .all where streams:
            unsafe kernel.sliceFormAllStreamed(slices, offsets, sliceCount, input, output)
        case .price: unsafe kernel.sliceFormPrice(slices, offsets, sliceCount, input, output)
        case .book: unsafe kernel.sliceFormBook(slices, offsets, sliceCount, input, output)
        case .all: unsafe kernel.sliceFormAll(slices, offsets, sliceCount, input, output)
        default: unsafe kernel.sliceFormSome(slices, offsets, sliceCount, input, output.only(selection))
        }
    }

    /// Implied volatilities of options, with a `VolatilityStatus` each; NaN if the price implies none. Nothing need be
    /// validated before.
    /// - Precondition: columns of one length.
    public func impliedVolatilities(
        of options: OptionPrices, volatility: inout MutableSpan<Double>, status: inout MutableSpan<UInt8>
    ) {
        precondition(volatility.count == options.count && status.count == options.count, "lengths differ")
        unsafe impliedVolatilities(
            options.pointers, count: options.count, volatility: volatility.start, status: status.start)
        extendLifetime(options)
    }

    /// The same of `count` options by pointer, of any alignment; nothing behind the columns is written.
    package func impliedVolatilities(
        _ input: PriceColumns, count: Int, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        let whole = count & ~7
        if whole > 0 {
            unsafe kernel.impliedVolatilities(input, count: whole, volatility: volatility, status: status)
        }
        guard whole < count else { return }
        let columns = unsafe (input.spot, input.strike, input.years, input.price, input.rate, input.dividend)
        unsafe withPaddedTail(input.type, columns, whole..<count) { types, values in
            let padded = unsafe PriceColumns(
                type: types, spot: values, strike: values + 8, years: values + 16, price: values + 24,
                rate: values + 32, dividend: values + 40)
            unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: 16) { results in
                guard let volatilities = results.baseAddress else { return }
                let statuses = unsafe UnsafeMutableRawPointer(volatilities + 8).bindMemory(
                    to: UInt8.self, capacity: 8)
                unsafe kernel.impliedVolatilities(
                    padded, count: 8, volatility: volatilities, status: statuses)
                unsafe (volatility + whole).update(from: volatilities, count: count - whole)
                unsafe (status + whole).update(from: statuses, count: count - whole)
            }
        }
    }

    /// Whether results go around the caches: from 16 MiB on, which is more than a cache keeps, since an ordinary store
    /// reads each line before it overwrites it. Only `.book` and `.all` of Black–Scholes–Merton have such loops.
    package func streams(
        _ selection: GreekSet, _ model: OptionModel, _ count: Int, _ output: GreekColumns
    ) -> Bool {
        unsafe model == .blackScholesMerton && (selection == .book || selection == .all)
            && output.allowsStreaming && count * selection.rawValue.nonzeroBitCount >= 1 << 21
            && Greek.allCases.allSatisfy {
                unsafe !selection.contains($0) || UInt(bitPattern: output[$0]) & 63 == 0
            }
    }

    private func fullBlocks(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, count: Int, streams: Bool,
        into output: GreekColumns
    ) {
        switch selection {
        case _ where model != .blackScholesMerton:
            unsafe model.compute(kernel, input, count, output.only(selection))
        case .book where streams: unsafe kernel.fullFormBookStreamed(input, count, output)
        case .all where streams: unsafe kernel.fullFormAllStreamed(input, count, output)
        case .price: unsafe kernel.fullFormPrice(input, count, output)
        case .book: unsafe kernel.fullFormBook(input, count, output)
        case .all: unsafe kernel.fullFormAll(input, count, output)
        default: unsafe model.compute(kernel, input, count, output.only(selection))
        }
    }

    /// The last options, fewer than 8, through a block on the stack.
    private func fullTail(
        _ selection: GreekSet, _ model: OptionModel, _ input: FullFormColumns, from start: Int, to end: Int,
        into output: GreekColumns
    ) {
        let columns = unsafe (
            input.spot, input.strike, input.years, input.volatility, input.rate, input.dividend
        )
        unsafe withPaddedTail(input.type, columns, start..<end) { types, values in
            let block = unsafe FullFormColumns(
                type: types, spot: values, strike: values + 8, years: values + 16, volatility: values + 24,
                rate: values + 32, dividend: values + 40)
            unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: Greek.allCases.count * 8) {
                outputs in
                guard let results = outputs.baseAddress else { return }
                unsafe fullBlocks(
                    selection, model, block, count: 8, streams: false,
                    into: GreekColumns { unsafe results + 8 * $0.rawValue })
                for greek in Greek.allCases where selection.contains(greek) {
                    unsafe (output[greek].unsafelyUnwrapped + start).update(
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
        unsafe withUnsafeTemporaryAllocation(of: Double.self, capacity: 7 * 8) { block in
            guard let values = block.baseAddress else { return }
            let types = unsafe UnsafeMutableRawPointer(values + 48).bindMemory(to: UInt8.self, capacity: 8)
            for lane in 0..<8 {
                let row = min(rows.lowerBound + lane, rows.upperBound - 1)
                unsafe values[lane] = columns.0[row]
                unsafe values[8 + lane] = columns.1[row]
                unsafe values[16 + lane] = columns.2[row]
                unsafe values[24 + lane] = columns.3[row]
                unsafe values[32 + lane] = columns.4[row]
                unsafe values[40 + lane] = columns.5[row]
                unsafe types[lane] = type[row]
            }
            unsafe body(types, values)
        }
    }
}

@unsafe extension GreekColumns {
    /// Whether the columns of a selection are there.
    func hold(_ selection: GreekSet) -> Bool {
        Greek.allCases.allSatisfy { unsafe !selection.contains($0) || self[$0] != nil }
    }

    /// Without the columns of others.
    func only(_ selection: GreekSet) -> GreekColumns {
        unsafe GreekColumns { unsafe selection.contains($0) ? self[$0] : nil }
    }
}
