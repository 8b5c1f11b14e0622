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
/// - hedge: tick to certified trades; 5,000 contracts of 4 coins, 200 books that hold 250 of them each, 30 hedge
///   instruments: Greeks, exposures of every book and coin, the firm's net, and where a band is left the cheapest
///   trades, warm. Trades that come in between ticks are stood in for by a little noise on the net.
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
        plan.aggregate(figures, into: exposures, engine)
    }
    print("(\(plan.legCount) legs of \(valuation.contracts.count) contracts; vega \(exposures[0, .vega]))")
    return allocations
}

/// From Greeks to trades.
func measureHedge() throws -> UInt {
    let now: Int64 = 1_772_443_800_000
    let coins = ["BTC", "ETH", "SOL", "XRP"]
    let months = ["APR", "MAY", "JUN", "JUL", "AUG"]
    var chainText = "instrument_name,timestamp,underlying_price,mark_iv,mark_price\n"
    var positionText = "book,instrument,quantity\n"
    var uniform = UniformNumbers()
    var names: [String] = []
    for leg in 0..<5_000 {
        let (coin, number) = (coins[leg % 4], leg / 4)
        let name =
            "\(coin)-\(1 + number % 20)\(months[number / 250])26-\(45_000 + 125 * (number % 250))-\(leg % 2 == 0 ? "C" : "P")"
        names.append(name)
        chainText += "\(name),\(now),\(60_000 + leg % 20),\(40 + leg % 37),0.05\n"
    }
    for book in 0..<200 {
        for leg in 0..<250 {
            let name = names[(book * 37 + leg * 20 + Int(uniform() * 20)) % names.count]
            positionText += "book-\(book),\(name),\(((uniform() - 0.5) * 20).rounded())\n"
        }
    }
    var badRows = BadRows(skip: false)
    let chain = try Chain(Source(name: "chain", text: chainText), &badRows)
    let table = try PositionTable(Source(name: "positions", text: positionText), &badRows)
    let valuation = try BookValuation(table, in: chain, &badRows)
    let plan = ExposurePlan(valuation.positions, contracts: valuation.contracts, by: [.book, .underlying])
    let figures = ContractFigures(count: valuation.contracts.count)
    let exposures = Exposures(plan)
    valuation.greeks.compute(engine)
    figures.update(from: valuation.greeks, in: .usd)

    let contracts = valuation.contracts
    // 30 instruments: seven or eight options of each coin; bands on delta, gamma, vega and on all vega.
    let measures = [ExposureGreek.netDelta, .gamma, .vega]
    var problem = HedgeProblem(name: "firm", underlyings: coins)
    var rows: [Int] = []
    for number in 0..<30 {
        let candidates = contracts.indices.filter {
            contracts[$0].base == coins[number % 4]
        }
        rows.append(candidates[(number * 131) % candidates.count])
        problem.add(
            "\(number)",
            HedgeInstrument(
                underlying: number % 4, costBuy: 20 + 100 * uniform(), costSell: 20 + 100 * uniform(),
                impact: 0.05 + 0.3 * uniform(), maximumBuy: 400, maximumSell: 400, margin: 3_000))
    }
    for coin in 0..<4 {
        for measure in measures {
            let own = rows.indices.filter { $0 % 4 == coin }
            let reach = own.reduce(0) { $0 + figures[rows[$1], measure].magnitude * 400 }
            problem.add(
                "\(coins[coin]) \(measure)", HedgeBand(hard: -0.05 * reach, 0.05 * reach, current: 0),
                coefficients: own.map { (instrument: $0, coefficient: figures[rows[$0], measure]) })
        }
    }
    let vegaReach = rows.reduce(0) { $0 + figures[$1, .vega].magnitude * 400 }
    problem.add(
        "all vega", HedgeBand(hard: -0.03 * vegaReach, 0.03 * vegaReach, current: 0),
        coefficients: rows.indices.map { (instrument: $0, coefficient: figures[rows[$0], .vega]) })
    let groupCoins = plan.groups.map { group in coins.firstIndex(of: group[1]) ?? 0 }
    let solver = HedgeSolver()
    // The first problem of a shape allocates.
    try solver.solve(problem)
    var (hedged, proved, infeasible, anew) = (0, 0, 0, 0)
    // What the firm would hold after its first hedges: noise around the middle of each band and beyond.
    var offsets = [Double](repeating: 0, count: problem.bands.count)
    var isPrepared = false
    let allocations = measure("hedge") { _ in
        valuation.greeks.compute(engine)
        figures.update(from: valuation.greeks, in: .usd)
        plan.aggregate(figures, into: exposures, engine)
        for b in problem.bands.indices { problem.bands[b].current = 0 }
        for group in groupCoins.indices {
            let first = 3 * groupCoins[group]
            problem.bands[first].current += exposures[group, .netDelta]
            problem.bands[first + 1].current += exposures[group, .gamma]
            problem.bands[first + 2].current += exposures[group, .vega]
            problem.bands[12].current += exposures[group, .vega]
        }
        for k in problem.entries.indices {
            // Fresh Greeks of the instruments; the bands' coefficients stand coin by coin, measure by measure.
            let row = rows[problem.entries[k].instrument]
            let measure = k >= 90 ? ExposureGreek.vega : measures[entryMeasure(k)]
            problem.entries[k].coefficient = figures[row, measure]
        }
        if !isPrepared {
            for b in problem.bands.indices { offsets[b] = -problem.bands[b].current }
            isPrepared = true
        }
        var isOutside = false
        for b in problem.bands.indices {
            let width = problem.bands[b].high
            offsets[b] += 0.05 * width * (uniform() - 0.5)
            if offsets[b] + problem.bands[b].current > 3 * width { offsets[b] -= 0.2 * width }
            if offsets[b] + problem.bands[b].current < -3 * width { offsets[b] += 0.2 * width }
            problem.bands[b].current += offsets[b]
            isOutside = isOutside || problem.bands[b].current.magnitude > width
        }
        guard isOutside else { return }
        hedged += 1
        let status = try? solver.solve(problem, start: .warm)
        if status == .optimal { proved += 1 }
        if status == .infeasible { infeasible += 1 }
        if solver.solution.interiorSteps > 0 { anew += 1 }
    }
    let shares = [proved, infeasible, anew].map {
        String(format: "%.1f%%", 100 * Double($0) / Double(max(hedged, 1)))
    }
    print(
        "(\(plan.legCount) legs of \(valuation.contracts.count) contracts in \(plan.groups.count) groups; "
            + "\(hedged) ticks hedged, \(shares[0]) with a certified optimum, \(shares[1]) infeasible, \(shares[2]) from the interior point)"
    )
    return allocations

    /// The place in `measures` of a coefficient: eight instruments of the first two coins, seven of the others.
    func entryMeasure(_ k: Int) -> Int {
        k < 48 ? k / 8 % 3 : (k - 48) / 7 % 3
    }
}

let allocations = try measureSlices() + measureBooks() + measureHedge()
exit(allocations == 0 ? 0 : 1)
