import Foundation
import Poise
import Timing

/// American prices per second at each level, on one thread, and how far off they are.
///
///     AmericanOptions TABLE
///
/// The table is that of `scripts/generate-american prices --count 4000`: random puts and calls on a strike of 100 with
/// QuantLib's price. Times are medians of the processor's, per option; columns are in memory, results are new arrays.
/// `scripts/bench-peers american` runs QuantLib's own levels beside it, on the same contracts.

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: AmericanOptions TABLE\n".utf8))
    exit(2)
}
let lines = try String(contentsOfFile: CommandLine.arguments[1], encoding: .utf8).split(separator: "\n")
let fields = lines.dropFirst().map { $0.split(separator: ",") }
func column(_ index: Int) -> [Double] { fields.map { Double($0[index]) ?? .nan } }
let batch = try OptionBatch(
    type: fields.map { $0[0] == "P" ? 1 : 0 }, spot: column(1), strike: column(2), years: column(3),
    volatility: column(4), rate: column(5), dividend: column(6))
let expected = column(7)
let count = Double(batch.count)

func shown(_ value: Double, _ width: Int) -> String {
    String(format: "%\(width).3g", value)
}
print("American options, \(batch.count) random puts and calls, one thread; errors for a strike of 100")
print("level      set        prices/s   with delta, gamma, theta   all 15 Greeks     rms     largest error")
for set in InstructionSet.supported.reversed() {
    for level in AmericanLevel.allCases {
        let engine = AmericanEngine(try GreeksEngine(set), level: level)
        let price = engine.greeks(.price, of: batch)[.price] ?? []
        let errors = zip(price, expected).map { abs($0 - $1) }
        let mean = (errors.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        let slope: GreekSet = [.price, GreekSet(.delta), GreekSet(.gamma), GreekSet(.theta)]
        let seconds = interleavedProcessorMedians(
            rounds: level == .reference ? 3 : 9,
            [
                { _ = engine.greeks(.price, of: batch) }, { _ = engine.greeks(slope, of: batch) },
                { _ = engine.greeks(.american, of: batch) },
            ])
        print(
            level.name.padding(toLength: 11, withPad: " ", startingAt: 0)
                + set.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
                + seconds.map { shown(count / $0, 12) }.joined(separator: "      ")
                + "    " + shown(mean, 10) + shown(errors.max() ?? .nan, 10))
    }
}
