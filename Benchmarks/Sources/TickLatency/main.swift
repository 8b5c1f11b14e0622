import CAllocationCounter
import Foundation
import Histogram
import Poise
import Timing

/// How long one tick takes: the underlying's price moves, and 5,000 legs are priced anew and summed.
///
///     TickLatency [TICKS]
///
/// Two paths, one thread each:
/// - slice: 20 expiries of 250 options; a tick prepares the slices, computes price + 8 Greeks of all legs in
///   slice form and sums them by quantity;
/// - book: 5,000 listed contracts in 20 books through `ChainGreeks`, `ContractFigures` and `ExposurePlan`, the
///   path of `poise risk`, in full form.
///
/// Prints percentiles, and the heap allocations per tick, counted by standing in for malloc; fails where there
/// are any. Left out: receiving and parsing the tick.

let ticks = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
let engine = try GreeksEngine()
let clock = ContinuousClock()

func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(duration / .nanoseconds(1)) }

/// Runs `tick` so often, after some that don't count, and prints what it took.
func measure(_ name: String, _ tick: (Int) -> Void) -> UInt {
    var histogram = Histogram<UInt64>(
        highestTrackableValue: 1_000_000_000, numberOfSignificantValueDigits: .three)
    for number in 0..<1_000 { tick(number) }
    var allocations: UInt = 0
    for number in 0..<ticks {
        let before = allocation_count()
        let start = clock.now
        tick(number)
        let time = clock.now - start
        allocations += allocation_count() - before
        histogram.record(nanoseconds(time))
    }
    func microseconds(_ percentile: Double) -> String {
        String(format: "%10.2f", Double(histogram.valueAtPercentile(percentile)) / 1000)
    }
    print(
        name.padding(toLength: 8, withPad: " ", startingAt: 0) + microseconds(50) + microseconds(99)
            + microseconds(99.9)
            + String(
                format: "%10.2f %12.3f", Double(histogram.max) / 1000, Double(allocations) / Double(ticks)))
    return allocations
}

print("\(engine.instructionSet), \(ticks) ticks of 5,000 legs, microseconds")
print("path           p50       p99     p99.9       max  allocations per tick")

/// Slices; globals would be checked at every access.
func measureSlices() -> UInt {
    let sliceCount = 20
    let perSlice = 250
    let padded = 256
    let legs = sliceCount * padded
    var uniform = UniformNumbers()
    var type = [UInt8](repeating: 0, count: legs)
    var strike = [Double](repeating: 60_000, count: legs)
    var volatility = [Double](repeating: 0.6, count: legs)
    let quantities = UnsafeMutablePointer<Double>.allocate(capacity: legs)
    quantities.initialize(repeating: 0, count: legs)
    for slice in 0..<sliceCount {
        for leg in 0..<perSlice {
            let row = slice * padded + leg
            type[row] = uniform() < 0.5 ? 1 : 0
            strike[row] = 60_000 * exp(uniform() - 0.5)
            volatility[row] = 0.4 + 0.5 * uniform()
            quantities[row] = (uniform() - 0.5) * 100
        }
    }
    // Prepared eight at a time.
    let preparedCount = (sliceCount + 7) / 8 * 8
    let years = (0..<preparedCount).map { 0.01 + 0.05 * Double($0) }
    let zeros = [Double](repeating: 0, count: preparedCount)
    var spots = [Double](repeating: 60_000, count: preparedCount)
    let slices = UnsafeMutablePointer<Slice>.allocate(capacity: preparedCount)
    let offsets = (0...sliceCount).map { $0 * padded }
    var high = [Double](repeating: 0, count: legs)
    var low = high
    engine.logarithms(of: strike, count: legs, high: &high, low: &low)
    let matrix = GreekMatrix(.book, count: legs)
    let columns = GreekSelection.book.greeks.compactMap { matrix[$0]?.pointer }
    var totals = [Double](repeating: 0, count: columns.count)

    let allocations = measure("slice") { number in
        let spot = 60_000 + 30 * sin(Double(number))
        for slice in 0..<preparedCount { spots[slice] = spot }
        engine.prepareSlices(
            spot: spots, years: years, rate: zeros, dividend: zeros, count: preparedCount, into: slices)
        engine.sliceForm(
            .book, slices, offsets: offsets, sliceCount: sliceCount,
            SliceFormColumns(
                type: type, strike: strike, logStrikeHigh: high, logStrikeLow: low, volatility: volatility),
            into: matrix.columns)
        for (greek, column) in columns.enumerated() {
            var sum = SIMD8<Double>.zero
            for leg in stride(from: 0, to: legs, by: 8) {
                sum +=
                    UnsafeRawPointer(column + leg).loadUnaligned(as: SIMD8<Double>.self)
                    * UnsafeRawPointer(quantities + leg).loadUnaligned(as: SIMD8<Double>.self)
            }
            totals[greek] = sum.sum()
        }
    }
    print("(sum of vegas \(totals[3]))")
    slices.deallocate()
    quantities.deallocate()
    return allocations
}

/// Books, as `poise risk` does.
func measureBooks() throws -> UInt {
    let now: Int64 = 1_772_443_800_000
    var chainText = "instrument_name,timestamp,underlying_price,mark_iv,mark_price\n"
    var positionText = "book,instrument,quantity\n"
    let months = ["APR", "MAY", "JUN", "JUL", "AUG"]
    for leg in 0..<5_000 {
        let name =
            "BTC-\(1 + leg % 20)\(months[leg / 1_000])26-\(20_000 + 100 * (leg % 1_000))-\(leg % 2 == 0 ? "C" : "P")"
        chainText += "\(name),\(now),\(60_000 + leg % 20),\(40 + leg % 37),0.05\n"
        positionText += "book-\(leg % 20),\(name),\(1 + leg % 9)\n"
    }
    var badRows = BadRows(skip: false)
    let chain = try Chain(Source(name: "chain", text: chainText), &badRows)
    let table = try PositionTable(Source(name: "positions", text: positionText), &badRows)
    let valuation = try BookValuation(table, in: chain, &badRows)
    let plan = ExposurePlan(valuation.positions, contracts: valuation.contracts, by: [.book])
    let figures = ContractFigures(count: valuation.contracts.count)
    let exposures = Exposures(plan)
    let allocations = measure("book") { _ in
        valuation.greeks.compute(engine)
        figures.update(from: valuation.greeks, in: .usd)
        plan.aggregate(figures, into: exposures)
    }
    print("(\(plan.legCount) legs of \(valuation.contracts.count) contracts; vega \(exposures[0, .vega]))")
    return allocations
}

let allocations = try measureSlices() + measureBooks()
exit(allocations == 0 ? 0 : 1)
