import Foundation
import Poise
import Timing

/// Price and eight Greeks: Poise against C peers, same inputs, same run, one thread.
///
///     GreeksThroughput [PEER.so …]
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
let peers = CommandLine.arguments.dropFirst().compactMap { path -> Peer? in
    let peer = Peer(path: path)
    if peer == nil { print("skipped: cannot load \(path)") }
    return peer
}
let engines = try InstructionSet.supported.reversed().map { try GreeksEngine($0) }

// On as many threads as this process may use, where that is more than one.
let processors = ProcessInfo.processInfo.activeProcessorCount
let pools = processors > 1 ? [try GreeksPool(engines[0], threads: processors)] : []

func row(_ form: String, _ name: String, _ count: Int, _ nanoseconds: Double, _ ratio: Double) {
    let columns = [
        form.padding(toLength: 11, withPad: " ", startingAt: 0),
        name.padding(toLength: 34, withPad: " ", startingAt: 0),
        String(format: "%9d %9.2f %9.2f", count, nanoseconds, ratio),
    ]
    print(columns.joined())
}

print("form       contestant                                N  ns/option  × Poise")
for count in [1_000, 10_000, 1_000_000] {
    let inputs = Inputs(count: count)
    let matrix = GreekMatrix(.all, count: count)
    let peerColumns = outputs.map { matrix[$0]?.pointer }
    let slices = UnsafeMutablePointer<Slice>.allocate(capacity: 8)
    let logs = GreekMatrix(.book, count: count)
    guard let high = logs[.price]?.pointer, let low = logs[.delta]?.pointer else { continue }
    let offsets = [0, count]
    let market = inputs.strike.indices.prefix(8).map { _ in (60_000.0, 0.5, 0.03, 0.01) }

    var contestants: [(form: String, name: String, body: () -> Void)] = []
    for engine in engines {
        engine.prepareSlices(
            spot: market.map(\.0), years: market.map(\.1), rate: market.map(\.2), dividend: market.map(\.3),
            count: 8, into: slices)
        engine.logarithms(of: inputs.strike, count: count, high: high, low: low)
        for selection in [GreekSelection.book, .all, .price] {
            let name = "Poise \(engine.instructionSet) \(selection)"
            contestants.append(
                (
                    "full", name,
                    {
                        engine.fullForm(
                            selection,
                            FullFormColumns(
                                type: inputs.type, spot: inputs.spot, strike: inputs.strike,
                                years: inputs.years, volatility: inputs.volatility, rate: inputs.rate,
                                dividend: inputs.dividend), count: count, into: matrix.columns)
                    }
                ))
            contestants.append(
                (
                    "slice", name,
                    {
                        engine.sliceForm(
                            selection, slices, offsets: offsets, sliceCount: 1,
                            SliceFormColumns(
                                type: inputs.type, strike: inputs.strike, logStrikeHigh: high,
                                logStrikeLow: low, volatility: inputs.volatility), into: matrix.columns)
                    }
                ))
        }
    }
    for pool in pools {
        contestants.append(
            (
                "full", "Poise \(pool.engine.instructionSet) book × \(pool.threads) threads",
                {
                    pool.fullForm(
                        .book,
                        FullFormColumns(
                            type: inputs.type, spot: inputs.spot, strike: inputs.strike,
                            years: inputs.years, volatility: inputs.volatility, rate: inputs.rate,
                            dividend: inputs.dividend), count: count, into: matrix.columns)
                }
            ))
    }
    for peer in peers {
        contestants.append(
            (
                "full", peer.name,
                {
                    peer.fullForm(
                        count, inputs.sign, inputs.spot, inputs.strike, inputs.years, inputs.volatility,
                        inputs.rate, inputs.dividend, peerColumns)
                }
            ))
        contestants.append(
            (
                "slice", peer.name,
                {
                    peer.sliceForm(
                        count, 60_000, 0.5, 0.03, 0.01, inputs.sign, inputs.strike, high, inputs.volatility,
                        peerColumns)
                }
            ))
    }
    let medians = interleavedMedians(rounds: rounds, contestants.map(\.body))
    for form in ["full", "slice"] {
        let mine = zip(contestants, medians).filter { $0.0.form == form }
        guard let best = mine.first?.1 else { continue }
        for (contestant, median) in mine {
            row(form, contestant.name, count, median / Double(count) * 1e9, median / best)
        }
    }
    slices.deallocate()
}
