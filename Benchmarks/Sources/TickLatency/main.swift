import CAllocationCounter
import Foundation
import Histogram
import Poise
import Timing

/// How long one tick takes, from the new price to the last figure that follows from it, in one thread.
///
///     TickLatency [TICKS [latency|tick-to-hedge]]
///
/// latency, 5,000 legs:
/// - expiry, coin, coins: `LiveRisk` with 5,000 contracts of 10 coins in 20 books; one expiry, one coin, or all coins
///   move, and figures and exposures are brought up to date.
/// - list, expire: on the same desk a strike is listed on an expiry of 20 contracts, or on one that is new, and updated; an expiry
///   of 20 is settled whole, and updated. These may allocate; they are to take less than a millisecond at the median.
///
/// tick-to-hedge, 50,000 legs: 5,000 contracts of 4 coins, 200 books that hold 250 of them each, 30 hedge
/// instruments, 13 bands. One coin or all four move; `LiveHedge` brings Greeks and exposures of every book up to
/// date, checks the bands, and where one is left finds the cheapest trades and proves that they are. Between ticks,
/// outside of the time: the trades of the hedge are booked, and three trades of customers.
///
/// Prints percentiles, and the heap allocations per tick, counted by standing in for malloc; fails where there
/// are any. Left out: receiving and parsing the tick.

let ticks = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
let part = CommandLine.arguments.dropFirst(2).first
let engine = try GreeksEngine()
let clock = ContinuousClock()

/// Runs `tick` so often, after some that don't count, and prints what it took; `between` is not in the time.
func measure(
    _ name: String, between: (Int) throws -> Void = { _ in }, _ tick: (Int) throws -> Void
) rethrows -> UInt {
    var histogram = Histogram<UInt64>(
        highestTrackableValue: 1_000_000_000, numberOfSignificantValueDigits: .three)
    for number in 0..<1_000 {
        try between(number)
        try tick(number)
    }
    var allocations: UInt = 0
    for number in 1_000..<1_000 + ticks {
        try between(number)
        let before = allocation_count()
        let start = clock.now
        try tick(number)
        let time = clock.now - start
        allocations += allocation_count() - before
        histogram.record(UInt64(time / .nanoseconds(1)))
    }
    func microseconds(_ percentile: Double) -> String {
        String(format: "%10.2f", Double(histogram.valueAtPercentile(percentile)) / 1000)
    }
    print(
        name.padding(toLength: 9, withPad: " ", startingAt: 0) + microseconds(50) + microseconds(99)
            + microseconds(99.9)
            + String(
                format: "%10.2f %12.3f", Double(histogram.max) / 1000, Double(allocations) / Double(ticks)))
    return allocations
}

print("\(engine.instructionSet), \(ticks) ticks, microseconds")
print("path            p50       p99     p99.9       max  allocations per tick")

/// Books, as `poise risk` does, but kept current: one expiry, one coin of ten, or all of them tick.
func measureBooks() throws -> UInt {
    let desk = try Desk(coins: 10, contracts: 5_000, books: 20, legsPerBook: 250, quoted: 0)
    let live = try desk.liveRisk(engine)
    let base = live.underlyings.indices.map { live.price(ofUnderlying: $0) }
    let slices = live.slices.indices.map { live.price(ofSlice: $0) }
    var allocations: UInt = 0
    allocations += try measure("expiry") { number in
        try live.setPrice(slices[3] * (1 + 1e-4 * Double(number % 7)), ofSlice: 3)
        live.update()
    }
    allocations += try measure("coin") { number in
        try live.tick(0, price: base[0] * (1 + 1e-4 * Double(number % 7)))
        live.update()
    }
    allocations += try measure("coins") { number in
        for coin in base.indices { try live.tick(coin, price: base[coin] * (1 + 1e-4 * Double(number % 7))) }
        live.update()
    }
    try measureChange(live, base)
    try measureListings(live)
    print(
        "(\(live.plan.legCount) legs of \(live.contracts.count) contracts in \(live.slices.count) slices, "
            + "\(live.plan.groups.count) groups; vega \(live.exposures[0, .vega]))")
    return allocations
}

/// What an update costs against what has changed: processor time, one expiry, then one to all coins.
func measureChange(_ live: LiveRisk, _ base: [Double]) throws {
    let slices = live.slices.indices.map { live.price(ofSlice: $0) }
    nonisolated(unsafe) var number = 0
    func tick(coins: Int) {
        number += 1
        for coin in 0..<coins {
            try? live.tick((coin + number) % base.count, price: base[coin] * (1 + 1e-4 * Double(number % 7)))
        }
        live.update()
    }
    let counts = Array(1...base.count)
    let times = interleavedProcessorMedians(
        rounds: 15,
        [
            {
                number += 1
                try? live.setPrice(slices[3] * (1 + 1e-4 * Double(number % 7)), ofSlice: 3)
                live.update()
            }
        ] + counts.map { count in { tick(coins: count) } })
    let whole = times[counts.count]
    print(
        String(
            format: "(an update of one expiry of 200: %.2f µs, %.1f%% of a full one)", times[0] * 1e6,
            100 * times[0] / whole))
    print(
        "(of n coins of \(base.count), in % of a full one: "
            + counts.map { String(format: "%.1f", 100 * times[$0] / whole) }.joined(separator: " ") + ")")
}

/// What it takes to list a contract and to settle an expiry: medians, and the longest, with the update behind it.
func measureListings(_ live: LiveRisk) throws {
    let now = live.slices.indices.map { live.time(ofSlice: $0) }.max() ?? Timestamp(milliseconds: 0)
    let (coin, price) = (live.underlyings[0], live.price(ofUnderlying: 0))
    var listed = [[Double]](repeating: [], count: 3)
    func time(_ place: Int, _ body: () throws -> Void) rethrows {
        let start = clock.now
        try body()
        live.update()
        listed[place].append((clock.now - start) / .microseconds(1))
    }
    // Expiries that the desk does not have, each listed, and settled on its day.
    let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    guard let first = Day(year: 2041, month: 1, day: 1) else { return }
    for round in 0..<200 {
        let day = Day(number: first.number + round)
        let expiry = Timestamp(day, hour: 8)
        let series = "\(coin)-\(day.day)\(months[day.month - 1])\(day.year % 100)"
        for strike in 0..<20 {
            let name = "\(series)-\(Int(price * (0.8 + 0.02 * Double(strike))))-C"
            let ticker = Ticker(
                instrument: try Instrument(name: name), timestamp: now, underlyingPrice: price,
                underlyingIndex: nil, indexPrice: nil, markPrice: nil, markVolatility: 0.6, openInterest: nil,
                bids: [], asks: [], published: nil)
            try time(strike == 0 ? 0 : 1) { try live.list(ticker) }
        }
        guard let slice = live.index(ofSlice: series) else { continue }
        try live.setPrice(price, ofSlice: slice, at: expiry)
        live.update()
        try time(2) { try live.settle(slice: slice, at: price) }
    }
    for (name, times) in zip(["list, a new expiry", "list, one more strike", "settle 20 contracts"], listed) {
        let sorted = times.sorted()
        print(
            "(\(name): "
                + String(format: "%.1f µs, at most %.1f)", sorted[sorted.count / 2], sorted.last ?? 0))
    }
}

/// From ticks to trades.
func measureHedge() throws -> UInt {
    let desk = try Desk(coins: 4, contracts: 5_000, books: 200, legsPerBook: 250, quoted: 30)
    var badRows = BadRows(skip: false)
    let (live, hedges) = try LiveHedge.all(
        desk.positions, in: desk.chain, desk.limits(engine), BookHedge.Options(), engine, &badRows)
    guard let hedge = hedges.first else { return 0 }
    let base = live.underlyings.indices.map { live.price(ofUnderlying: $0) }
    // What customers trade: something that the book holds already.
    let holdings = desk.positions.positions.compactMap { position in
        live.index(of: position.instrument.name).map { (book: position.book, contract: $0) }
    }
    var uniform = UniformNumbers()
    var allocations: UInt = 0
    for moved in [1, 4] {
        var (hedged, proved, infeasible, anew) = (0, 0, 0, 0)
        var trades: [Double] = []
        allocations += try measure(
            "\(moved) of 4",
            between: { _ in
                try hedge.book(trades, in: "hedges")
                for _ in 0..<8 {
                    let holding = holdings[Int(uniform() * Double(holdings.count))]
                    try live.fill(
                        book: holding.book, contract: holding.contract, quantity: 60 * (uniform() - 0.5))
                }
                trades.removeAll()
            }
        ) { number in
            for coin in 0..<moved {
                let underlying = (number + coin) % 4
                try live.tick(underlying, price: base[underlying] * (1 + 1e-4 * sin(Double(number))))
            }
            guard case .hedge(let status) = try hedge.decide() else { return }
            hedged += 1
            proved += status == .optimal ? 1 : 0
            infeasible += status == .infeasible ? 1 : 0
            anew += hedge.solution.interiorSteps > 0 ? 1 : 0
            trades = hedge.solution.trades
        }
        let shares = [proved, infeasible, anew].map {
            String(format: "%.1f%%", 100 * Double($0) / Double(max(hedged, 1)))
        }
        print(
            "(\(hedged) ticks hedged, \(shares[0]) with a certified optimum, \(shares[1]) infeasible, "
                + "\(shares[2]) from the interior point)")
    }
    print(
        "(\(live.plan.legCount) legs of \(live.contracts.count) contracts in \(live.plan.groups.count) groups; "
            + "\(hedge.candidates.count) instruments, \(hedge.limits.count) bands)")
    return allocations
}

var allocations: UInt = 0
if part != "tick-to-hedge" { allocations += try measureBooks() }
if part != "latency" { allocations += try measureHedge() }
exit(allocations == 0 ? 0 : 1)
