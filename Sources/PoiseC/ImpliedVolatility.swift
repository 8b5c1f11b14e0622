import CPoise
import Poise

@c @implementation
public func poise_implied_volatility(
    _ engine: OpaquePointer?, _ prices: UnsafePointer<poise_prices>?, _ volatility: poise_column,
    _ row_status: UnsafeMutablePointer<UInt8>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(engine, as: EngineHandle.self, "engine")
        let form = try required(prices, "prices")
        try checkSize(form.pointee.size, of: poise_prices.self, "prices")
        let count = form.pointee.count
        try checkCount(count)
        guard count > 0 else { return }
        let job = VolatilityJob(
            engine: handle.engine, inputs: try PriceInputs(form),
            target: try Target(volatility, "volatility"),
            count: count, rowStatus: row_status)
        if let row_status, job.inputs.areContiguous, job.target.isContiguous {
            handle.engine.impliedVolatilities(
                job.inputs.columns, count: count, volatility: job.target.base, status: row_status)
        } else {
            job.computeInBlocks()
        }
    }
}

/// The columns of `poise_prices`.
struct PriceInputs {
    let type: Strided<UInt8>
    let spot, strike, years, price, rate, dividend: Strided<Double>

    @inline(__always)
    init(_ form: UnsafePointer<poise_prices>) throws(Failure) {
        type = try Strided(form.pointee.type.data, form.pointee.type.stride, "type")
        spot = try Strided(form.pointee.spot, "spot")
        strike = try Strided(form.pointee.strike, "strike")
        years = try Strided(form.pointee.years, "years")
        price = try Strided(form.pointee.price, "price")
        rate = try Strided(form.pointee.rate, "rate")
        dividend = try Strided(form.pointee.dividend, "dividend")
    }

    var areContiguous: Bool {
        type.isContiguous && spot.isContiguous && strike.isContiguous && years.isContiguous
            && price.isContiguous && rate.isContiguous && dividend.isContiguous
    }

    /// Where they stand, if contiguous.
    var columns: PriceColumns {
        PriceColumns(
            type: type.base, spot: spot.base, strike: strike.base, years: years.base, price: price.base,
            rate: rate.base, dividend: dividend.base)
    }

    /// Copies rows to seven columns of `room` rows each, the types last.
    func copy(_ rows: Range<Int>, to block: UnsafeMutablePointer<Double>, room: Int) -> PriceColumns {
        let types = UnsafeMutableRawPointer(block + 6 * room).assumingMemoryBound(to: UInt8.self)
        type.copy(rows, to: types)
        for (number, column) in [spot, strike, years, price, rate, dividend].enumerated() {
            column.copy(rows, to: block + number * room)
        }
        return PriceColumns(
            type: types, spot: block, strike: block + room, years: block + 2 * room, price: block + 3 * room,
            rate: block + 4 * room, dividend: block + 5 * room)
    }
}

/// One call of `poise_implied_volatility` whose arguments are in order, by blocks on the stack.
struct VolatilityJob {
    let engine: GreeksEngine
    let inputs: PriceInputs
    let target: Target
    let count: Int
    let rowStatus: UnsafeMutablePointer<UInt8>?

    func computeInBlocks() {
        var job = self
        withUnsafeMutablePointer(to: &job) { job in
            poise_private_with_block(job) { job, block in
                guard let job, let block else { return }
                job.assumingMemoryBound(to: VolatilityJob.self).pointee.compute(with: block)
            }
        }
    }

    private func compute(with block: UnsafeMutablePointer<Double>) {
        let room = Int(POISE_PRIVATE_BLOCK)
        let results = block + 7 * room
        let statuses = UnsafeMutableRawPointer(results + room).assumingMemoryBound(to: UInt8.self)
        var start = 0
        while start < count {
            let rows = start..<min(start + room, count)
            engine.impliedVolatilities(
                inputs.copy(rows, to: block, room: room), count: rows.count, volatility: results,
                status: rowStatus.map { $0 + start } ?? statuses)
            for row in rows { target.set(row, results[row - start]) }
            start = rows.upperBound
        }
    }
}
