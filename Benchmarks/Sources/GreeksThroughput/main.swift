import CMachineLimits
import Foundation
import Poise
import Timing

/// Price and eight Greeks: Poise against C peers, same inputs, same run, one thread.
///
///     GreeksThroughput [PEER.so …] [operations=full:COUNTS;slice:COUNTS]
///
/// With the instructions that the machine code of both forms has for eight options, says how much of the time they
/// would take at least on this machine (`MachineLimits`). At N = 1,000,000 the limit is a loop that reads and writes
/// the same columns and computes nothing.
///
/// Left out: reading and validating input, and the memory that the inputs come from (at N = 10,000 all
/// columns stay in the second-level cache).

/// Random but seeded inputs: half calls, moneyness, tenor and volatility spread as on a crypto exchange.
struct Inputs {
    let count: Int
    var type: [UInt8] = []
    var sign, spot, strike, years, volatility, rate, dividend: [Double]

    init(count: Int) {
        self.count = count
        var uniform = UniformNumbers()
        sign = []; spot = []; strike = []; years = []; volatility = []; rate = []; dividend = []
        for _ in 0..<count {
            let put = uniform() < 0.5
            type.append(put ? 1 : 0)
            sign.append(put ? -1 : 1)
            spot.append(60_000 * (0.9 + 0.2 * uniform()))
            strike.append(60_000 * exp(uniform() - 0.5))
            years.append(0.02 + uniform())
            volatility.append(0.4 + 0.6 * uniform())
            rate.append(0.05 * uniform())
            dividend.append(0.03 * uniform())
        }
    }
}

let rounds = 15
let outputs: [Greek] = [.price, .delta, .gamma, .vega, .theta, .rho, .vanna, .volga, .charm]
let arguments = CommandLine.arguments.dropFirst()
let peers = arguments.filter { !$0.hasPrefix("operations=") }.compactMap { path -> Peer? in
    let peer = Peer(path: path)
    if peer == nil { print("skipped: cannot load \(path)") }
    return peer
}
let engines = try InstructionSet.supported.reversed().map { try GreeksEngine($0) }

// On as many threads as this process may use, where that is more than one.
let processors = Int(machine_processors())
let pools = processors > 1 ? [try GreeksPool(engines[0], threads: processors)] : []

func row(_ form: String, _ name: String, _ count: Int, _ nanoseconds: Double, _ ratio: Double) {
    let columns = [
        form.padding(toLength: 11, withPad: " ", startingAt: 0),
        name.padding(toLength: 34, withPad: " ", startingAt: 0),
        String(format: "%9d %9.2f %9.2f", count, nanoseconds, ratio),
    ]
    print(columns.joined())
}

let limits = MachineLimits()
/// Instructions of the loops for eight options by form, where the caller has counted them in the machine code:
/// of each `machine_kind`, in order.
let operations: [String: [Double]] = Dictionary(
    (arguments.first { $0.hasPrefix("operations=") } ?? "=").dropFirst("operations=".count)
        .split(separator: ";").compactMap { pair in
            let parts = pair.split(separator: ":")
            guard parts.count == 2 else { return nil }
            return (String(parts[0]), parts[1].split(separator: ",").compactMap { Double($0) })
        }, uniquingKeysWith: { $1 })
let choices: [(GreekSet, String)] = [
    (.book, "book"), (.all, "all"), (.price, "price"), (GreekSet([.delta]), "delta"),
    (GreekSet([.price, .delta, .gamma, .vega]), "price to vega"),
    (GreekSet(Greek.allCases.dropLast()), "all but one"),
]
var inCache: [String: Double] = [:]
print(limits.description)

/// Holds the first engine's times against the machine's limits.
@MainActor func compare(_ form: String, _ count: Int, _ seconds: [(name: String, seconds: Double)]) {
    let ins = form == "full" ? 6 : 4
    for (selection, outs) in [("book", 9), ("all", 15)] {
        let name = "Poise \(engines[0].instructionSet) \(selection)"
        guard let own = seconds.first(where: { $0.name == name })?.seconds else { continue }
        let key = "\(form) \(selection)"
        if count == 10_000 {
            inCache[key] = own
            if selection == "book", let operations = operations[form] {
                print("  \(key): \(limits.share(of: operations, seconds: own * 8))")
            }
        }
        if count == 1_000_000, let cache = inCache[key], let memory = limits.memory(ins: ins, outs: outs) {
            print(
                String(
                    format: "  %@: %.2f ns; in cache %.2f, memory alone %.2f: %.2f of the larger", key,
                    own * 1e9,
                    cache * 1e9, memory * 1e9, own / max(cache, memory)))
        }
    }
}

/// A contestant whose prices or gammas are not the first one's computes something else, and its time says nothing.
@MainActor func refuseWhatDiffers(
    _ contestants: [(form: String, name: String, body: () -> Void)], _ inputs: Inputs, _ matrix: GreekMatrix
) throws {
    func figures() -> [[Double]] { [Greek.price, .gamma].map { matrix[$0].map(Array.init) ?? [] } }
    contestants[0].body()
    let expected = figures()
    for contestant in contestants.dropFirst() {
        contestant.body()
        for (own, first) in zip(figures(), expected) {
            let scale = first.map(\.magnitude).max() ?? 1
            let worst = zip(own, first).map { ($0 - $1).magnitude / scale }.max() ?? 0
            guard worst < 1e-9 else {
                fatalError("\(contestant.name) computes something else: off by \(worst)")
            }
        }
    }
}

print("form       contestant                                N  ns/option  × Poise")
for count in [1_000, 10_000, 1_000_000] {
    let inputs = Inputs(count: count)
    let matrix = GreekMatrix(.all, count: count)
    let batch = try OptionBatch(
        type: inputs.type, spot: inputs.spot, strike: inputs.strike, years: inputs.years,
        volatility: inputs.volatility, rate: inputs.rate, dividend: inputs.dividend)
    // Peers write to the same columns, by pointer.
    let peerColumns = outputs.map { greek -> UnsafeMutablePointer<Double>? in
        guard let column = matrix[greek] else { return nil }
        return column.span.withUnsafeBufferPointer { UnsafeMutablePointer(mutating: $0.baseAddress) }
    }
    let slices = UnsafeMutablePointer<Slice>.allocate(capacity: 8)
    var (high, low) = (inputs.strike, inputs.strike)
    let offsets = [0, count]
    let market = inputs.strike.indices.prefix(8).map { _ in (60_000.0, 0.5, 0.03, 0.01) }
    engines[0].kernel.logarithms(of: inputs.strike, count: count, high: &high, low: &low)
    let (logStrikeHigh, logStrikeLow) = (high, low)

    var contestants: [(form: String, name: String, body: () -> Void)] = []
    for engine in engines {
        engine.kernel.prepareSlices(
            spot: market.map(\.0), years: market.map(\.1), rate: market.map(\.2), dividend: market.map(\.3),
            count: 8, into: slices)
        for (selection, title) in choices {
            let name = "Poise \(engine.instructionSet) \(title)"
            contestants.append(
                (
                    "full", name,
                    {
                        engine.fullForm(selection, of: batch, into: matrix)
                    }
                ))
            contestants.append(
                (
                    "slice", name,
                    {
                        let columns = try? SliceColumns(
                            type: inputs.type.span, strike: inputs.strike.span,
                            logStrikeHigh: logStrikeHigh.span, logStrikeLow: logStrikeLow.span,
                            volatility: inputs.volatility.span)
                        guard let columns else { return }
                        engine.sliceForm(
                            selection, Span(_unsafeStart: slices, count: 8), offsets: offsets.span, columns,
                            into: matrix)
                    }
                ))
        }
    }
    for peer in peers where count <= 10_000 || peer.isVectorised {
        contestants.append(
            (
                "full", peer.name,
                {
                    peer.fullForm(
                        count, inputs.sign, inputs.spot, inputs.strike, inputs.years, inputs.volatility,
                        inputs.rate, inputs.dividend, peerColumns)
                }
            ))
        guard let sliceForm = peer.sliceForm else { continue }
        contestants.append(
            (
                "slice", peer.name,
                {
                    sliceForm(
                        count, 60_000, 0.5, 0.03, 0.01, inputs.sign, inputs.strike, logStrikeHigh,
                        inputs.volatility,
                        peerColumns)
                }
            ))
    }
    try refuseWhatDiffers(contestants.filter { $0.form == "full" }, inputs, matrix)
    let medians = interleavedProcessorMedians(rounds: rounds, contestants.map(\.body))
    for form in ["full", "slice"] {
        let mine = zip(contestants, medians).filter { $0.0.form == form }
        guard let best = mine.first?.1 else { continue }
        for (contestant, median) in mine {
            row(form, contestant.name, count, median / Double(count) * 1e9, median / best)
        }
        compare(form, count, mine.map { ($0.0.name, $0.1 / Double(count)) })
        if form == "full", count == 10_000, !peers.isEmpty {
            contestants[0].body()
            try PythonPeers.compare(inputs, with: matrix, poise: best)
        }
    }
    // Threads by the clock, beside one of them: only what waits for nobody can be told by processor time.
    for pool in pools {
        let times = interleavedMedians(
            rounds: rounds,
            [
                { pool.engine.fullForm(.book, of: batch, into: matrix) },
                { pool.fullForm(.book, batch.columns, into: matrix) },
            ])
        row("full", "one thread, by the clock", count, times[0] / Double(count) * 1e9, 1)
        row("full", "\(pool.threads) threads", count, times[1] / Double(count) * 1e9, times[1] / times[0])
    }
    slices.deallocate()
}
