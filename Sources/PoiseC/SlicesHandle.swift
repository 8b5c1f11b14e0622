import CPoise
import Poise

/// Behind `poise_slices`: options in the caller's order, and the padded columns that the kernel wants.
final class SlicesHandle {
    let engine: GreeksEngine
    let sliceCount: Int
    /// The caller's rows of slice s are `offsets[s]` to `offsets[s + 1] − 1`.
    let offsets: [Int]
    /// The same rows here: each slice starts at a multiple of 8.
    private let places: [Int]
    private let type: ColumnStorage<UInt8>
    private let strike, high, low, volatility: ColumnStorage<Double>
    private let spot, years, rate, dividend: ColumnStorage<Double>
    private let prepared: ColumnStorage<Greeks.Slice>

    var count: Int { offsets[sliceCount] }

    /// - Throws: for the first type or strike that is not accepted.
    init(
        _ engine: GreeksEngine, offsets: [Int], _ types: Strided<UInt8>?, _ strikes: Strided<Double>?
    ) throws(Failure) {
        self.engine = engine
        self.offsets = offsets
        let sliceCount = offsets.count - 1
        self.sliceCount = sliceCount
        var padded = [0]
        for slice in 0..<sliceCount {
            padded.append(padded[slice] + (offsets[slice + 1] - offsets[slice] + 7) / 8 * 8)
        }
        let rows = padded[sliceCount]
        let markets = (sliceCount + 7) / 8 * 8
        places = padded
        type = ColumnStorage(repeating: 0, count: rows)
        strike = ColumnStorage(repeating: 1, count: rows)
        high = ColumnStorage(repeating: 0, count: rows)
        low = ColumnStorage(repeating: 0, count: rows)
        volatility = ColumnStorage(repeating: 0, count: rows)
        spot = ColumnStorage(repeating: 1, count: markets)
        years = ColumnStorage(repeating: 0, count: markets)
        rate = ColumnStorage(repeating: 0, count: markets)
        dividend = ColumnStorage(repeating: 0, count: markets)
        prepared = ColumnStorage(zeroed: markets)
        for slice in 0..<sliceCount {
            for row in offsets[slice]..<offsets[slice + 1] {
                let place = padded[slice] + row - offsets[slice]
                type[place] = types?[row] ?? 0
                strike[place] = strikes?[row] ?? 1
                try Self.check(row, OneOption(type: type[place], strike: strike[place]))
            }
        }
        engine.kernel.logarithms(of: strike.pointer, count: rows, high: high.pointer, low: low.pointer)
        prepare(0..<markets)
    }

    /// Eights of slices.
    private func prepare(_ slices: Range<Int>) {
        let start = slices.lowerBound
        engine.kernel.prepareSlices(
            spot: spot.pointer + start, years: years.pointer + start, rate: rate.pointer + start,
            dividend: dividend.pointer + start, count: slices.count, into: prepared.pointer + start)
    }

    /// Checks one value or several as the full form does.
    /// - Throws: `POISE_ERROR_VALUE` with the row.
    private static func check(_ row: Int, _ inputs: OneOption) throws(Failure) {
        do throws(GreeksError) { try inputs.validate(row: 0) } catch { throw Failure(error, first: row) }
    }

    func setMarket(
        _ first: Int, _ count: Int,
        _ market: (
            spot: Strided<Double>, years: Strided<Double>, rate: Strided<Double>, dividend: Strided<Double>
        )
    ) throws(Failure) {
        for row in 0..<count {
            try Self.check(
                row,
                OneOption(
                    spot: market.spot[row], years: market.years[row], rate: market.rate[row],
                    dividend: market.dividend[row]))
        }
        market.spot.copy(0..<count, to: spot.pointer + first)
        market.years.copy(0..<count, to: years.pointer + first)
        market.rate.copy(0..<count, to: rate.pointer + first)
        market.dividend.copy(0..<count, to: dividend.pointer + first)
        prepare(first & ~7..<(first + count + 7) & ~7)
    }

    func setVolatility(_ first: Int, _ count: Int, _ volatilities: Strided<Double>) throws(Failure) {
        for row in 0..<count { try Self.check(row, OneOption(volatility: volatilities[row])) }
        // The slice of the first option, then on from there.
        var slice = 0
        var end = sliceCount
        while slice + 1 < end {
            let middle = (slice + end) / 2
            if offsets[middle] <= first { slice = middle } else { end = middle }
        }
        for row in 0..<count {
            while first + row >= offsets[slice + 1] { slice += 1 }
            volatility[places[slice] + first + row - offsets[slice]] = volatilities[row]
        }
    }

    /// Greeks of slices, the first row written being the first option of the first slice.
    func compute(_ first: Int, _ count: Int, _ targets: GreekTargets) {
        let outputs = targets.areContiguous ? targets.pointers : nil
        for slice in first..<first + count {
            let row = offsets[slice] - offsets[first]
            let rows = offsets[slice + 1] - offsets[slice]
            var done = 0
            if let outputs {
                done = rows & ~7
                compute(slice, 0..<done, targets.selection, into: outputs.advanced(by: row))
            }
            // Strided columns, and the end of a slice, where whole vectors would write too much.
            while done < rows {
                let block = done..<min(done + Self.block, rows)
                computeOnStack(slice, block, row + done, targets)
                done = block.upperBound
            }
        }
    }

    private static let block = 8

    /// Rows of one slice, whole vectors of them, to the places from `outputs` on.
    private func compute(
        _ slice: Int, _ rows: Range<Int>, _ selection: GreekSet, into outputs: GreekColumns
    ) {
        guard !rows.isEmpty else { return }
        let columns = SliceFormColumns(
            type: type.pointer, strike: strike.pointer, logStrikeHigh: high.pointer,
            logStrikeLow: low.pointer, volatility: volatility.pointer)
        let start = places[slice] + rows.lowerBound
        var ends = (start, start + rows.count)
        // The kernel counts rows from its own first one.
        withUnsafePointer(to: &ends) {
            $0.withMemoryRebound(to: Int.self, capacity: 2) {
                engine.sliceForm(
                    selection, prepared.pointer + slice, offsets: $0, sliceCount: 1, columns,
                    into: outputs.advanced(by: -start))
            }
        }
    }

    private func computeOnStack(_ slice: Int, _ rows: Range<Int>, _ target: Int, _ targets: GreekTargets) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: Greek.allCases.count * Self.block) {
            guard let results = $0.baseAddress else { return }
            let outputs = targets.columns(in: results, room: Self.block)
            compute(slice, rows.lowerBound..<rows.lowerBound + Self.block, targets.selection, into: outputs)
            targets.scatter(target..<target + rows.count, from: results, room: Self.block)
        }
    }
}

@c @implementation
public func poise_slices_create(
    _ engine: OpaquePointer?, _ slice_count: Int, _ offsets: UnsafePointer<Int>?, _ type: poise_bytes,
    _ strike: poise_values, _ slices: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(slices, "slices") { () throws(Failure) in
        let handle = try object(engine, as: EngineHandle.self, "engine")
        try checkCount(slice_count, "slice_count")
        var ends = [0]
        if slice_count > 0 {
            let given = try required(offsets, "offsets")
            ends = Array(UnsafeBufferPointer(start: given, count: slice_count + 1))
            for slice in 0..<slice_count {
                guard ends[slice] >= 0, ends[slice] <= ends[slice + 1], ends[0] == 0 else {
                    throw Failure(
                        status: POISE_ERROR_COUNT, place: .row(slice), field: "offsets",
                        reason: "must ascend from 0")
                }
            }
        }
        try checkCount(ends[slice_count], "offsets")
        let types = ends[slice_count] > 0 ? try Strided(type.data, type.stride, "type") : nil
        let strikes = ends[slice_count] > 0 ? try Strided(strike, "strike") : nil
        return try SlicesHandle(handle.engine, offsets: ends, types, strikes)
    }
}

@c @implementation
public func poise_slices_free(_ slices: OpaquePointer?) { release(slices, as: SlicesHandle.self) }

@c @implementation
public func poise_slices_count(_ slices: OpaquePointer?) -> Int {
    object(slices, as: SlicesHandle.self)?.count ?? 0
}

@c @implementation
public func poise_slices_set_market(
    _ slices: OpaquePointer?, _ first: Int, _ count: Int, _ spot: poise_values, _ years: poise_values,
    _ rate: poise_values, _ dividend: poise_values
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(slices, as: SlicesHandle.self, "slices")
        try checkRange(first, count, below: handle.sliceCount, "slices")
        guard count > 0 else { return }
        try handle.setMarket(
            first, count,
            (
                try Strided(spot, "spot"), try Strided(years, "years"), try Strided(rate, "rate"),
                try Strided(dividend, "dividend")
            ))
    }
}

@c @implementation
public func poise_slices_set_volatility(
    _ slices: OpaquePointer?, _ first: Int, _ count: Int, _ volatility: poise_values
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(slices, as: SlicesHandle.self, "slices")
        try checkRange(first, count, below: handle.count, "options")
        guard count > 0 else { return }
        try handle.setVolatility(first, count, try Strided(volatility, "volatility"))
    }
}

@c @implementation
public func poise_slices_greeks(
    _ slices: OpaquePointer?, _ first: Int, _ count: Int, _ greeks: poise_greek_set,
    _ columns: UnsafePointer<poise_column>?, _ column_count: Int
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(slices, as: SlicesHandle.self, "slices")
        try checkRange(first, count, below: handle.sliceCount, "slices")
        let selection = try GreekSet(bits: greeks, columns: column_count)
        guard handle.offsets[first + count] > handle.offsets[first] else { return }
        handle.compute(first, count, try GreekTargets(columns, selection))
    }
}
