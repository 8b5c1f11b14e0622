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
        let model = try OptionModel(form.pointee.model)
        guard count > 0 else { return }
        let job = VolatilityJob(
            engine: handle.engine, model: model,
            inputs: try OptionInputs(form),
            target: try Target(volatility, "volatility"), count: count, rowStatus: row_status)
        if let row_status, job.inputs.areContiguous, job.target.isContiguous {
            handle.engine.impliedVolatilities(
                PriceColumns(job.inputs.columns), model, count: count, volatility: job.target.base,
                status: row_status)
        } else {
            job.computeInBlocks()
        }
    }
}

/// One call of `poise_implied_volatility` whose arguments are in order, by blocks on the stack.
struct VolatilityJob {
    let engine: GreeksEngine
    let model: OptionModel
    let inputs: OptionInputs
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
                PriceColumns(inputs.copy(rows, to: block, room: room)), model, count: rows.count,
                volatility: results, status: rowStatus.map { $0 + start } ?? statuses)
            for row in rows { target.set(row, results[row - start]) }
            start = rows.upperBound
        }
    }
}
