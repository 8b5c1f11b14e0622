// What the C ABI costs beside the engine that it calls: price and eight Greeks in full form, the same columns, one run.
//
//     CallOverhead LIBRARY
//
// C checks every argument and every row; the Swift engine is called on columns that have been validated before.
import CCaller
import Glibc
import Poise
import Timing

guard CommandLine.arguments.count == 2, let caller = caller_open(CommandLine.arguments[1]) else {
    print("usage: CallOverhead LIBRARY (libpoise.so.1)")
    exit(2)
}
let engine = try GreeksEngine()
print("\(engine.instructionSet), one thread; nanoseconds per call, of processor time, medians of 15")
print("options      Swift          C    C − Swift    per option     C/Swift")

func padded(_ value: Double, _ width: Int, _ digits: Int) -> String {
    let scale = pow(10, Double(digits))
    let text = "\((value * scale).rounded() / scale)"
    return String(repeating: " ", count: max(0, width - text.count)) + text
}

func column(_ count: Int, _ low: Double, _ high: Double, _ numbers: inout UniformNumbers) -> [Double] {
    (0..<count).map { _ in low + (high - low) * numbers() }
}

for count in [1, 8, 64, 512, 10_000, 1_000_000] {
    var numbers = UniformNumbers()
    let batch = try OptionBatch(
        type: (0..<count).map { UInt8($0 & 1) }, spot: column(count, 80, 120, &numbers),
        strike: column(count, 60, 160, &numbers), years: column(count, 0.02, 2, &numbers),
        volatility: column(count, 0.2, 1, &numbers), rate: column(count, 0, 0.05, &numbers),
        dividend: column(count, 0, 0.05, &numbers))
    // On cache lines, as large results are that leave past the caches.
    let greeks = UnsafeMutableRawPointer.allocate(byteCount: 72 * count, alignment: 64)
        .bindMemory(to: Double.self, capacity: 9 * count)
    greeks.initialize(repeating: 0, count: 9 * count)
    // C keeps where the batch's columns stand, until it goes.
    caller_set(
        caller, count, batch.type, batch.spot, batch.strike, batch.years, batch.volatility, batch.rate,
        batch.dividend, greeks)
    let repetitions = max(1, 20_000 / count)
    var failed = 0
    let seconds = interleavedProcessorMedians(
        rounds: 15,
        [
            {
                for _ in 0..<repetitions {
                    var results = MutableSpan(_unsafeStart: greeks, count: 9 * count)
                    engine.fullForm(.book, batch.columns, into: &results, stride: count)
                }
            },
            { failed += caller_greeks(caller, repetitions) },
            { failed += caller_nothing(caller, repetitions) },
        ])
    guard failed == 0 else { fatalError("a call failed") }
    let nanoseconds = seconds.map { $0 * 1e9 / Double(repetitions) }
    let difference = nanoseconds[1] - nanoseconds[0]
    print(
        padded(Double(count), 9, 0), padded(nanoseconds[0], 12, 1), padded(nanoseconds[1], 12, 1),
        padded(difference, 11, 1), padded(difference / Double(count), 12, 3),
        padded(nanoseconds[1] / nanoseconds[0], 12, 3))
    if count == 1 {
        print("          (a call into the library that does nothing:", padded(nanoseconds[2], 0, 1), "ns)")
    }
    withExtendedLifetime(batch) {}
    greeks.deallocate()
}
