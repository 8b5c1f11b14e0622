import CPoise
import Poise

@c @implementation
public func poise_greeks(
    _ engine: OpaquePointer?, _ options: UnsafePointer<poise_full_form>?, _ greeks: poise_greek_set,
    _ columns: UnsafePointer<poise_column>?, _ column_count: Int,
    _ row_status: UnsafeMutablePointer<UInt8>?
) -> poise_status {
    attempt { () throws(Failure) in
        let (engine, pool) = try borrowed(engine, as: EngineHandle.self, "engine")
            ._withUnsafeGuaranteedRef { ($0.engine, $0.pool) }
        let form = try required(options, "options")
        try checkSize(form.pointee.size, of: poise_full_form.self, "options")
        let count = form.pointee.count
        try checkCount(count)
        let selection = try GreekSet(bits: greeks, columns: column_count)
        let model = try OptionModel(form.pointee.model)
        if model != .blackScholesMerton { try model.check(selection) }
        guard count > 0 else { return }
        let inputs = try OptionInputs(form)
        let targets = try GreekTargets(columns, selection)
        var job = GreeksJob(
            engine: engine, selection: selection, model: model, inputs: inputs, targets: targets,
            count: count, rowStatus: row_status)
        if inputs.areContiguous, targets.areContiguous {
            try job.computeInPlace(pool)
        } else if let pool, targets.areContiguous {
            try job.computeCopied(pool)
        } else {
            try job.computeInBlocks()
        }
    }
}

extension GreekSet {
    /// The Greeks of `poise_greek_set`, for which there are `columns`.
    @inline(__always)
    init(bits: poise_greek_set, columns: Int) throws(Failure) {
        guard bits & ~UInt32(POISE_GREEKS_ALL) == 0 else {
            throw .argument("greeks", "0x" + String(bits, radix: 16) + " has bits that stand for no Greek")
        }
        guard bits.nonzeroBitCount == columns else {
            throw .count(
                "column_count", "\(UInt(bitPattern: columns)) columns for \(bits.nonzeroBitCount) Greeks")
        }
        self.init(rawValue: bits)
    }
}

extension OptionModel {
    @inline(__always)
    init(_ model: poise_model) throws(Failure) {
        guard let found = OptionModel(rawValue: Int(model.rawValue)) else {
            throw .argument("model", "there is no model \(model.rawValue)")
        }
        self = found
    }

    /// - Throws: where it does not compute a Greek of the selection.
    @inline(never)
    fileprivate func check(_ selection: GreekSet) throws(Failure) {
        let missing = selection.subtracting(greeks).greeks
        guard missing.isEmpty else {
            throw .argument("greeks", "\(name) has no \(missing.map(\.name).joined(separator: ", "))")
        }
    }
}

/// The columns that the Greeks of a selection go to.
struct GreekTargets {
    let selection: GreekSet
    let columns: UnsafePointer<poise_column>?
    let areContiguous: Bool

    @inline(__always)
    init(_ columns: UnsafePointer<poise_column>?, _ selection: GreekSet) throws(Failure) {
        self.selection = selection
        let count = selection.rawValue.nonzeroBitCount
        var areContiguous = true
        if count > 0 {
            let columns = try required(columns, "columns")
            for number in 0..<count {
                areContiguous = try Target(columns[number], "columns").isContiguous && areContiguous
            }
        }
        self.columns = columns
        self.areContiguous = areContiguous
    }

    /// The address of each Greek's column, if contiguous.
    var pointers: GreekColumns {
        @inline(__always) get {
            var next = 0
            return GreekColumns { greek in
                guard selection.contains(greek), let columns else { return nil }
                next &+= 1
                return columns[next &- 1].data
            }
        }
    }

    /// A column of `room` rows of a block for each Greek.
    @inline(__always)
    func columns(in block: UnsafeMutablePointer<Double>, room: Int) -> GreekColumns {
        var next = 0
        return GreekColumns { greek in
            guard selection.contains(greek) else { return nil }
            next &+= 1
            return block + (next &- 1) * room
        }
    }

    /// Copies rows from columns of a block to where they belong.
    func scatter(_ rows: Range<Int>, from block: UnsafePointer<Double>, room: Int) {
        guard let columns else { return }
        for number in 0..<selection.rawValue.nonzeroBitCount {
            guard let target = try? Target(columns[number], "columns") else { return }
            let source = block + number * room
            for row in rows { target.set(row, source[row - rows.lowerBound]) }
        }
    }
}

/// One call of `poise_greeks` whose arguments are in order.
struct GreeksJob {
    let engine: GreeksEngine
    let selection: GreekSet
    let model: OptionModel
    let inputs: OptionInputs
    let targets: GreekTargets
    let count: Int
    let rowStatus: UnsafeMutablePointer<UInt8>?

    /// Rows that are checked and then computed while they are in the first-level cache: a page of doubles, whose look at the
    /// arguments of the engine is spread over enough of them.
    private static let chunk = 512

    /// Every column as it stands.
    @inline(__always)
    func computeInPlace(_ pool: GreeksPool?) throws(Failure) {
        let columns = inputs.columns
        let outputs = targets.pointers
        if let pool, count > Self.chunk {
            let failures = try check(columns, 0..<count)
            pool.fullForm(selection, model: model, columns, count: count, into: outputs)
            if failures > 0 { blank(0..<count, outputs) }
            return
        }
        if count <= Self.chunk {
            let failures = try check(columns, 0..<count)
            engine.fullForm(selection, model, columns, count: count, streams: false, into: outputs)
            if failures > 0 { blank(0..<count, outputs) }
            return
        }
        let streams = engine.streams(selection, model, count, outputs)
        var start = 0
        while start < count {
            let rows = start..<min(start + Self.chunk, count)
            let chunkOutputs = outputs.advanced(by: start)
            let chunkColumns = columns.advanced(by: start)
            let failures = try check(chunkColumns, rows)
            engine.fullForm(
                selection, model, chunkColumns, count: rows.count, streams: streams, into: chunkOutputs)
            if failures > 0 { blank(rows, chunkOutputs) }
            start = rows.upperBound
        }
    }

    /// Rows of strided inputs that are copied at a time for the pool: enough work for all of its threads.
    private static let copied = 1 << 17

    /// Strided inputs copied piece by piece, for the pool.
    @inline(never)
    func computeCopied(_ pool: GreeksPool) throws(Failure) {
        let room = (min(count, Self.copied) + 7) & ~7
        let block = UnsafeMutablePointer<Double>.allocate(capacity: 7 * room)
        defer { block.deallocate() }
        var start = 0
        while start < count {
            let rows = start..<min(start + Self.copied, count)
            let columns = inputs.copy(rows, to: block, room: room)
            let outputs = targets.pointers.advanced(by: start)
            let failures = try check(columns, rows)
            pool.fullForm(selection, model: model, columns, count: rows.count, into: outputs)
            if failures > 0 { blank(rows, outputs) }
            start = rows.upperBound
        }
    }

    /// Strided columns by blocks on the stack.
    @inline(never)
    mutating func computeInBlocks() throws(Failure) {
        var run = (job: self, failure: Failure?.none)
        withUnsafeMutablePointer(to: &run) { run in
            poise_private_with_block(run) { run, block in
                guard let run, let block else { return }
                let context = run.assumingMemoryBound(to: (job: GreeksJob, failure: Failure?).self)
                do throws(Failure) {
                    try context.pointee.job.compute(with: block)
                } catch {
                    context.pointee.failure = error
                }
            }
        }
        if let failure = run.failure { throw failure }
    }

    private func compute(with block: UnsafeMutablePointer<Double>) throws(Failure) {
        let room = Int(POISE_PRIVATE_BLOCK)
        let results = block + 7 * room
        var start = 0
        while start < count {
            let rows = start..<min(start + room, count)
            let columns = inputs.copy(rows, to: block, room: room)
            let outputs =
                targets.areContiguous
                ? targets.pointers.advanced(by: start) : targets.columns(in: results, room: room)
            let failures = try check(columns, rows)
            engine.fullForm(selection, model: model, columns, count: rows.count, into: outputs)
            if failures > 0 { blank(rows, outputs) }
            if !targets.areContiguous { targets.scatter(rows, from: results, room: room) }
            start = rows.upperBound
        }
    }

    /// Checks rows, of which `columns` holds the first; writes their statuses where they are wanted.
    /// - Returns: how many cannot be computed.
    /// - Throws: for the first of them, where nobody wants statuses.
    @inline(__always)
    private func check(_ columns: FullFormColumns, _ rows: Range<Int>) throws(Failure) -> Int {
        if engine.accepts(columns, count: rows.count, model) {
            rowStatus.map { ($0 + rows.lowerBound).update(repeating: 0, count: rows.count) }
            return 0
        }
        return try statuses(columns, rows)
    }

    @inline(never)
    private func statuses(_ columns: FullFormColumns, _ rows: Range<Int>) throws(Failure) -> Int {
        guard let rowStatus else {
            do throws(GreeksError) { try columns.validate(count: rows.count, model) } catch {
                throw Failure(error, first: rows.lowerBound)
            }
            return 0
        }
        var failures = 0
        for row in 0..<rows.count {
            let status = columns.status(ofRow: row, model)
            rowStatus[rows.lowerBound + row] = status.rawValue
            failures += status == .ok ? 0 : 1
        }
        return failures
    }

    /// NaN where rows could not be computed.
    private func blank(_ rows: Range<Int>, _ outputs: GreekColumns) {
        guard let rowStatus else { return }
        for row in 0..<rows.count where rowStatus[rows.lowerBound + row] != 0 {
            for greek in selection.greeks { outputs[greek]?[row] = .nan }
        }
    }
}

@c @implementation
public func poise_greek_name(_ greek: poise_greek) -> UnsafePointer<CChar>? {
    namesOfGreeks[Int(greek.rawValue)]
}

private let namesOfGreeks = CStrings(Greek.allCases.map(\.name))

@c @implementation
public func poise_model_name(_ model: poise_model) -> UnsafePointer<CChar>? {
    namesOfModels[Int(model.rawValue)]
}

private let namesOfModels = CStrings(OptionModel.allCases.map(\.name))
