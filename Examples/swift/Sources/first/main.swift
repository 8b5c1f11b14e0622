// The first lines of docs/embedding.md from Swift, and a desk that policies are in charge of; scripts/check-embedding holds them together.
import Poise

let engine = try GreeksEngine()                     // the best instruction set here, or POISE_ISA's
let batch = try OptionBatch(                        // checked once; then nothing is checked again
    type: [0, 1], spot: [64_250, 64_250], strike: [60_000, 70_000], years: [0.1, 0.1],
    volatility: [0.52, 0.55], rate: [0, 0], dividend: [0, 0])
let greeks = engine.greeks(.all, of: batch)
print(greeks[.delta]![0], greeks[.vega]![1])        // 0.6909011683776387 7464.745389771453

// On every tick, without allocating: same batch, same matrix.
engine.fullForm(.book, of: batch, into: greeks)

var badRows = BadRows(skip: false)
let folder = CommandLine.arguments[1]
let chain = try Chain(try Source(path: folder + "/chain.csv"), &badRows)
let positions = try PositionTable(try Source(path: folder + "/positions.csv"), &badRows)
let limits = try LimitTable(try Source(path: folder + "/limits.csv"), &badRows)

let (risk, hedges) = try LiveHedge.all(positions, in: chain, limits, BookHedge.Options(), engine, &badRows)
let live = try LiveRebalancing(hedges[0], [
    .init(limit: 0, policy: try WhalleyWilmottPolicy(riskAversion: 1e-6)),
    .init(limit: 3, policy: try FreshDataPolicy(ThresholdPolicy(.cash(50_000), landing: .centre), freshSeconds: 2, staleSeconds: 10)),
])
live.states[0].proportionalCost = SIMD8(repeating: 0.0005)    // what exposures don't tell
live.states[1].dataAge = SIMD8(repeating: 0.2)                // seconds
if case .hedge(.optimal) = try live.decide() { print(hedges[0].solution.trades) }
