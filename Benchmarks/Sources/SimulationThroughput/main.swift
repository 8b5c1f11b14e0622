import Foundation
import Poise
import Timing

// 10,000 paths of 720 hours, a book of 20 options, rehedged where the delta leaves a band: how much of the time goes
// into valuing the options, and how long the same experiment takes elsewhere.
let paths = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 10_000 : 10_000
let steps = 720
let rounds = 7

let engine = try GreeksEngine()
var options: [HedgedOption] = []
for number in 0..<20 {
    let years: Double = number < 10 ? 30.0 / 365 : 60.0 / 365
    let strike = 80 + 2 * Double(number)
    options.append(
        HedgedOption(
            isPut: number % 2 == 1, strike: strike, years: years, volatility: 0.6,
            quantity: number % 3 == 0 ? 1 : -1))
}
@MainActor
func simulation(_ count: Int) throws -> HedgingSimulation {
    let grid = try TimeGrid(steps: steps, stepYears: TimeGrid.hour)
    var terms = TradingTerms(
        HedgeContract(kind: .linearPerpetual),
        venues: [
            Venue(name: "exchange", costs: .orderBook(OrderBookCosts(halfSpread: 1e-4, takerFee: 4e-4)))
        ])
    terms.closesAtEnd = false
    return try HedgingSimulation(
        model: try GeometricBrownianMotion(grid, spot: 100, volatility: 0.6),
        surface: try SurfaceDynamics(.constant(0.6)),
        book: HedgedBook(options: Array(options.prefix(count))), terms: terms,
        policies: [try ThresholdPolicy(.delta(0.1))], seed: 1, engine: engine)
}

/// Most memory that the process has held so far, in MiB.
func peakMemory() -> Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").compactMap { Double($0) }.first ?? 0) / 1024
}

// The kernel alone: slices of 10,000 options that stay in the second-level cache.
let count = 10_000
let strikes = (0..<count).map { 60 + Double($0 % 80) }
let volatilities = [Double](repeating: 0.6, count: count)
let types = (0..<count).map { UInt8($0 % 2) }
var (high, low) = (strikes, strikes)
engine.kernel.logarithms(of: strikes, count: count, high: &high, low: &low)
let market = (0..<4).map { [Double](repeating: [100, 0.1, 0, 0][$0], count: 8) }
let prepared = UnsafeMutablePointer<Slice>.allocate(capacity: 8)
engine.kernel.prepareSlices(
    spot: market[0], years: market[1], rate: market[2], dividend: market[3], count: 8, into: prepared)
let slices = (0..<8).map { prepared[$0] }
let offsets = [0, count]
let matrix = GreekMatrix(.book, count: count)
@MainActor
func kernel() {
    let options = try? SliceColumns(
        type: types.span, strike: strikes.span, logStrikeHigh: high.span, logStrikeLow: low.span,
        volatility: volatilities.span)
    guard let options else { return }
    engine.sliceForm(.book, slices.span, offsets: offsets.span, options, into: matrix)
}

let whole = try simulation(20)
let before = peakMemory()
let figures = whole.run(paths: paths)
let after = peakMemory()
let evaluations = Double(paths) * Double(steps + 1) * 20
// In turn, so that a change in the machine's speed hits all.
let clock = ContinuousClock()
var samples: [[Double]] = [[], [], []]
for _ in 0..<rounds {
    samples[0].append(clock.measure { for _ in 0..<2000 { kernel() } } / .seconds(1) / 2000 / Double(count))
    samples[1].append(clock.measure { _ = whole.run(paths: paths) } / .seconds(1) / evaluations)
    samples[2].append(clock.measure { _ = whole.run(paths: paths, threads: 2) } / .seconds(1) / evaluations)
}
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
let nanoseconds = samples.map { median($0) * 1e9 }
print(
    "\(paths) paths × \(steps) steps × 20 options, \(engine.instructionSet), ns per option and step, median of \(rounds)"
)
func row(_ name: String, _ value: Double) {
    let ratio = nanoseconds[0] / value
    print(
        name.padding(toLength: 44, withPad: " ", startingAt: 0), String(format: "%8.2f  %6.3f", value, ratio))
}
row("kernel alone, price + 8 Greeks, slice form", nanoseconds[0])
row("simulation, one thread", nanoseconds[1])
row("simulation, two threads", nanoseconds[2])
print(String(format: "most memory held: %.0f MiB before, %.0f after", before, after))

let costs = figures.costs(policy: 0)
let profit = figures.values(.profit, policy: 0)
func show(_ name: String, _ cost: Double, _ deviation: Double, _ trades: Double) {
    print(
        name.padding(toLength: 44, withPad: " ", startingAt: 0),
        String(format: "mean cost %.5f, deviation %.4f, trades %.2f", cost, deviation, trades))
}
show(
    "Poise", SampleStatistic.mean.estimate(costs).value,
    SampleStatistic.standardDeviation.estimate(profit).value,
    SampleStatistic.mean.estimate(figures.values(.trades, policy: 0)).value)
let peer = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "../../Peers/simulation.py"
).path
for kind in ["numba", "numpy"] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
        ProcessInfo.processInfo.environment["POISE_PYTHON"] ?? "python3", peer, kind, "\(paths)", "\(steps)",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let fields = text.split(separator: " ").compactMap { Double($0.trimmingCharacters(in: .newlines)) }
    guard process.terminationStatus == 0, fields.count == 4 else {
        print("skipped: \(kind): it cannot run here")
        continue
    }
    row("\(kind), one thread", fields[0] / evaluations * 1e9)
    print(String(format: "  × %.1f of Poise", fields[0] / evaluations * 1e9 / nanoseconds[1]))
    show("  its answer", fields[1], fields[2], fields[3])
}
