import Foundation
import Greeks
import Hedging
import Testing

/// Random sequences of all that may happen to a desk and its hedge, from seeds. `POISE_SEQUENCES` says how many, and
/// `POISE_SEQUENCES_FIRST` from which on.
struct LiveSequenceTests {
    @Test("A desk and its hedge, whatever happened to them, are those that the same facts make, to the bit")
    func sequences() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = Int(environment["POISE_SEQUENCES"] ?? "") ?? 60
        let first = Int(environment["POISE_SEQUENCES_FIRST"] ?? "") ?? 0
        let engine = try GreeksEngine()
        var (counts, checks, wrong) = ([String: Int](), 0, 0)
        for seed in first..<first + count where wrong < 5 {
            var sequence = try LiveSequence(seed: UInt64(seed), engine)
            for step in 1...40 {
                try sequence.step()
                guard step % 10 == 0 else { continue }
                let different = try sequence.differences()
                checks += 1
                if !different.isEmpty { wrong += 1 }
                #expect(different.isEmpty, "seed \(seed), step \(step)")
            }
            counts.merge(sequence.counts, uniquingKeysWith: +)
        }
        let shown = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("\(count) sequences, \(checks) comparisons: \(shown)")
        if count >= 60 {
            for what in [
                "list", "delist", "quote", "refused", "settle", "restart", "roll", "limit", "order book",
                "variance",
            ] {
                #expect(counts[what] ?? 0 > 5, "\(what)")
            }
        }
    }
}
