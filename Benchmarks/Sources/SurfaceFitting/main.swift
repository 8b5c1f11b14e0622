import CAllocationCounter
import Foundation
import Poise

/// How long a volatility surface takes, in one thread: fits of one slice and of a chain as quotes move, and queries.
///
///     SurfaceFitting [ROUNDS [QUOTES.csv]]
///
/// Without a table 11 expiries of 30 quotes each are made: SVI with noise of a fifth of the spread. On a tick every
/// middle moves by up to a tenth of its spread and all of a slice together by up to 0.1 points.
///
/// With `POISE_SLICES=FILE` it times each slice from all starts by its middles and writes quotes, fit and time for
/// `Peers/surface.py`, and nothing else.
///
/// Prints percentiles, and the heap allocations per call, counted by standing in for malloc; fails where a fit that follows
/// its quotes or a query has any.

let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 2_000
let clock = ContinuousClock()
var allocated: UInt = 0

/// SplitMix64.
struct Generator: RandomNumberGenerator {
    var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

var generator = Generator()

@MainActor
func madeSmiles() -> [SmileQuotes] {
    [1, 2, 4, 7, 14, 21, 45, 80, 135, 230, 360].map { days in
        let years = Double(days) / 365
        let width = 0.6 * years.squareRoot()
        let slice = SVISlice(
            a: 0.16 * years, b: 0.18 * years.squareRoot(), rho: -0.25, m: 0.1 * width, sigma: 0.5 * width)
        return SmileQuotes(
            name: "X-\(days)", underlying: "X", years: years, forward: 100,
            quotes: (0..<30).map { place in
                let k = width * (Double(place) - 15) / 7
                let spread = 0.01 + 0.02 * abs(k) / width / 3
                let noise = 0.2 * spread * Double.random(in: -1...1, using: &generator)
                let middle = slice.volatility(at: k, years: years) + noise
                return SmileQuote(strike: 100 * exp(k), bid: middle - spread / 2, ask: middle + spread / 2)
            })
    }
}

/// Runs a call so often and prints what it took, by `share` of it; `between` is not in the time.
@MainActor
func measure(
    _ name: String, rounds: Int = rounds, share: Int = 1, isFree: Bool = true,
    between: @MainActor () throws -> Void = {}, _ body: @MainActor () throws -> Void
) throws {
    var times: [Double] = []
    times.reserveCapacity(rounds)
    var allocations: UInt = 0
    for round in 0..<(rounds + 20) {
        try between()
        let before = allocation_count()
        let start = clock.now
        try body()
        let time = clock.now - start
        guard round >= 20 else { continue }
        allocations += allocation_count() - before
        times.append(1e6 * (time / .seconds(1)) / Double(share))
    }
    times.sort()
    let (low, middle, high) = (times[times.count / 10], times[times.count / 2], times[times.count * 99 / 100])
    let perCall = Double(allocations) / Double(rounds)
    print(
        name.padding(toLength: 34, withPad: " ", startingAt: 0)
            + String(format: "%11.4f %11.4f %11.4f %12.2f", low, middle, high, perCall))
    if isFree { allocated += allocations }
}

/// Moves the quotes of a slice as a tick does.
@MainActor
func tick(_ surface: inout LiveSurface, _ smile: SmileQuotes, _ first: Int) throws {
    let shift = 0.001 * Double.random(in: -1...1, using: &generator)
    for (place, quote) in smile.quotes.enumerated() {
        let spread = (quote.ask ?? 0) - (quote.bid ?? 0)
        let own =
            quote.bid != nil && quote.ask != nil
            ? 0.1 * spread * Double.random(in: -1...1, using: &generator) : 0
        try surface.setQuote(
            bid: quote.bid.map { max(0, $0 + shift + own) }, ask: quote.ask.map { max(0, $0 + shift + own) },
            weight: quote.weight, ofContract: first + place)
    }
}

var smiles: [SmileQuotes]
if let file = CommandLine.arguments.dropFirst(2).first {
    var badRows = BadRows(skip: false)
    smiles = try SmileTable(try Source(path: file), &badRows).smiles
} else {
    smiles = madeSmiles()
}
smiles.sort { $0.years < $1.years }

/// Quotes of all slices with what they were fitted by and the median time of a fit.
@MainActor
func writeSlices(_ path: String) throws {
    var surface = try LiveSurface(smiles, loss: .mid, rule: .none)
    var volatilities = Array(repeating: 0.0, count: surface.contractCount)
    var text = "slice,years,forward,strike,bid_vol,ask_vol,fit_vol,microseconds\n"
    for (place, smile) in smiles.enumerated() {
        var times: [Double] = []
        for _ in 0..<max(rounds, 20) {
            try surface.requireAllStarts(ofSlice: place)
            var span = volatilities.mutableSpan
            let start = clock.now
            try surface.refit(into: &span)
            times.append(1e6 * ((clock.now - start) / .seconds(1)))
        }
        let time = times.sorted()[times.count / 2]
        let first = surface.slices[place].contracts.lowerBound
        for (row, quote) in smile.quotes.enumerated() {
            guard let bid = quote.bid, let ask = quote.ask, quote.weight > 0, bid <= ask else { continue }
            text += "\(smile.name),\(smile.years),\(smile.forward),\(quote.strike),\(bid),\(ask),"
            text += "\(volatilities[first + row]),\(time)\n"
        }
    }
    try text.write(toFile: path, atomically: true, encoding: .utf8)
}

if let path = ProcessInfo.processInfo.environment["POISE_SLICES"] {
    try writeSlices(path)
    exit(0)
}
print(
    "\(smiles.count) expiries, \(smiles.map(\.quotes.count).reduce(0, +)) quotes; microseconds of one thread")
print("                                          p10         p50         p99   allocations")

for loss in SmileLoss.allCases {
    var surface = try LiveSurface(smiles, loss: loss, rule: .none)
    var volatilities = Array(repeating: 0.0, count: surface.contractCount)
    @MainActor
    func refit() throws {
        var span = volatilities.mutableSpan
        try surface.refit(into: &span)
    }
    @MainActor
    func move(_ slices: Range<Int>) throws {
        for place in slices {
            try tick(&surface, smiles[place], surface.slices[place].contracts.lowerBound)
        }
    }
    var place = 0
    @MainActor
    func moveOne() throws {
        place = (place + 1) % smiles.count
        try move(place..<(place + 1))
    }
    try measure(
        "slice cold, \(loss)",
        between: {
            try moveOne()
            try surface.requireAllStarts(ofSlice: place)
        }, refit)
    try measure("slice warm, \(loss)", between: moveOne, refit)
    try measure("chain warm, \(loss)", between: { try move(0..<smiles.count) }, refit)
    surface = try LiveSurface(smiles, loss: loss, rule: .full)
    try measure("chain on a slice's tick, full, \(loss)", between: moveOne, refit)
    try measure("chain warm, full, \(loss)", between: { try move(0..<smiles.count) }, refit)
    print("  states", Set(surface.slices.map { "\($0.state)" }).sorted())
    try measure("chain cold, full, \(loss)", rounds: 3, isFree: false) {
        _ = SurfaceFit(smiles, loss: loss, rule: .full)
    }
}

/// Bids and asks of a slice as prices of options out of the money, of which volatilities are to be found.
@MainActor
func prices(_ smile: SmileQuotes) throws -> PriceBatch {
    let sides = smile.quotes.flatMap { quote in
        [quote.bid, quote.ask].compactMap { side in side.map { (quote.strike, $0) } }
    }
    let zeros = Array(repeating: 0.0, count: sides.count)
    let types = sides.map { UInt8($0.0 < smile.forward ? 1 : 0) }
    let (spot, years) = (zeros.map { _ in smile.forward }, zeros.map { _ in smile.years })
    let strikes = sides.map(\.0)
    let options = try OptionBatch(
        type: types, spot: spot, strike: strikes, years: years, volatility: sides.map(\.1), rate: zeros,
        dividend: zeros)
    let found = try GreeksEngine().greeks(.price, of: options)[.price].map(Array.init) ?? []
    return try PriceBatch(
        type: types, spot: spot, strike: strikes, years: years, price: found, rate: zeros, dividend: zeros)
}

let engine = try GreeksEngine()
let batches = try smiles.map(prices)
var found = batches.map { Array(repeating: 0.0, count: $0.count) }
var statuses = batches.map { Array(repeating: UInt8(0), count: $0.count) }
var batch = 0
try measure("volatilities of a slice's prices", between: { batch = (batch + 1) % batches.count }) {
    var volatilities = found[batch].mutableSpan
    var reasons = statuses[batch].mutableSpan
    let prices = batches[batch]
    engine.impliedVolatilities(of: prices.columns, volatility: &volatilities, status: &reasons)
}

let live = try LiveSurface(smiles, loss: .mid, rule: .full)
let surface = try live.surface()
let k = (0..<4096).map { 0.8 * sin(Double($0)) }
let times = (0..<4096).map { 0.001 + 0.999 * abs(cos(Double($0 / 64))) }
var sum = 0.0
try measure("query of a section alone", share: 4096) {
    guard let section = surface.section(years: 0.3) else { return }
    for k in k {
        let point = section.volatilityPoint(at: k)
        sum += point.volatility + point.slope + point.curvature
    }
}
try measure("query of the surface alone", share: 4096) {
    for row in 0..<k.count {
        guard let point = surface.volatilityPoint(logMoneyness: k[row], years: times[row]) else { continue }
        sum += point.volatility + point.slope + point.curvature
    }
}
var columns = (0..<3).map { _ in Array(repeating: 0.0, count: 4096) }
var (one, two, three) = (columns[0], columns[1], columns[2])
@MainActor
func query(
    _ body: (inout MutableSpan<Double>, inout MutableSpan<Double>, inout MutableSpan<Double>) throws -> Void
) rethrows {
    var first = one.mutableSpan
    var second = two.mutableSpan
    var third = three.mutableSpan
    try body(&first, &second, &third)
}
guard let fitted = surface.section(years: smiles[4].years), let between = surface.section(years: 0.3) else {
    exit(1)
}
try measure("batch at an expiry", share: 4096) {
    try query { try fitted.query(logMoneyness: k.span, into: &$0, slopes: &$1, curvatures: &$2) }
}
try measure("batch between expiries", share: 4096) {
    try query { try between.query(logMoneyness: k.span, into: &$0, slopes: &$1, curvatures: &$2) }
}
try measure("batch of runs of 64", share: 4096) {
    try query {
        try surface.query(logMoneyness: k.span, years: times.span, into: &$0, slopes: &$1, curvatures: &$2)
    }
}
if sum.isNaN { print("no volatility") }
if allocated > 0 {
    print("allocations: \(allocated)")
    exit(1)
}
