import CPoise
import CPoiseFuzz
import Foundation
import Testing

/// Random arguments, and many threads. `scripts/verify` makes more of both, under the sanitizers.
struct StressTests {
    private static func setting(_ name: String, default standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }

    /// No crash, no promise broken; and the calls are of both kinds, with every status that arguments can bring.
    @Test(
        "Random arguments crash nothing and break no promise of the header",
        arguments: [1, 2])
    func randomArguments(_ seed: Int) {
        let calls = Self.setting("POISE_FUZZ_CALLS", default: 30_000)
        let outcome = poise_fuzz(UInt64(seed), UInt64(calls))
        #expect(outcome.broken == 0)
        #expect(outcome.succeeded > UInt64(calls) / 4)
        #expect(outcome.failed > UInt64(calls) / 4)
        let statuses = withUnsafeBytes(of: outcome.statuses) { Array($0.bindMemory(to: UInt64.self)) }
        for status in 1...8 {
            #expect(
                statuses[status] > 0, "\(String(cString: poise_status_name(poise_status(UInt32(status)))))")
        }
    }

    /// 64 threads with desks and hedgers of their own, one engine with threads of its own, one chain and one set of
    /// positions: each comes to the same bits.
    @Test("64 threads with desks of their own come to the same bits")
    func threads() throws {
        let threads = 64
        let rounds = Self.setting("POISE_THREAD_ROUNDS", default: 2)
        var options = poise_engine_options(
            size: MemoryLayout<poise_engine_options>.stride, instruction_set: POISE_ISA_AUTOMATIC, threads: 2)
        let engine = try Handle(poise_engine_free) { poise_engine_create(&options, $0) }
        let (chain, positions, limits) = (try makeChain(), try makePositions(), try makeLimits())
        let results = Results(count: threads)
        let shared = (engine.pointer, chain.pointer, positions.pointer, limits.pointer)
        nonisolated(unsafe) let handles = shared
        let group = DispatchGroup()
        for thread in 0..<threads {
            group.enter()
            let worker = Thread {
                results.set(thread, Self.work(handles.0, handles.1, handles.2, handles.3, rounds: rounds))
                group.leave()
            }
            worker.stackSize = 1 << 19
            worker.start()
        }
        group.wait()
        let first = try #require(results.all[0])
        #expect(!first.isEmpty)
        for (thread, result) in results.all.enumerated() { #expect(result == first, "thread \(thread)") }
    }

    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var values: [[UInt64]?]

        init(count: Int) { values = Array(repeating: nil, count: count) }

        func set(_ place: Int, _ value: [UInt64]?) { lock.withLock { values[place] = value } }

        var all: [[UInt64]?] { lock.withLock { values } }
    }

    /// What one thread does; the bits that it comes to, or nil where a call fails.
    private static func work(
        _ engine: OpaquePointer, _ chain: OpaquePointer, _ positions: OpaquePointer, _ limits: OpaquePointer,
        rounds: Int
    ) -> [UInt64]? {
        var bits: [UInt64] = []
        let columns = RandomColumns(2_000, seed: 6)
        for round in 0..<rounds {
            var greeks = [Double](repeating: 0, count: 2_000)
            let status = columns.withForm { form in
                greeks.withUnsafeMutableBufferPointer {
                    var target = poise_column(data: $0.baseAddress, stride: 0)
                    return poise_greeks(engine, &form, 1 << 3, &target, 1, nil)
                }
            }
            guard status == POISE_OK else { return nil }
            bits += greeks.map(\.bitPattern)
            // An error of this thread's own.
            guard poise_live_tick(nil, round, 1, 0) == POISE_ERROR_NULL, lastError == "live: is NULL" else {
                return nil
            }
            var exposures: OpaquePointer?
            guard poise_exposures_create(engine, chain, positions, nil, &exposures) == POISE_OK else {
                return nil
            }
            defer { poise_exposures_free(exposures) }
            var values = [Double](repeating: 0, count: poise_exposures_count(exposures))
            values.withUnsafeMutableBufferPointer {
                _ = poise_exposures_values(
                    exposures, POISE_EXPOSURE_GAMMA, poise_column(data: $0.baseAddress, stride: 0))
            }
            bits += values.map(\.bitPattern)
            var desk: OpaquePointer?
            guard poise_live_create(engine, chain, positions, limits, nil, &desk) == POISE_OK else {
                return nil
            }
            defer { poise_live_free(desk) }
            for tick in 0..<10 {
                var result = poise_hedge_result()
                result.size = MemoryLayout<poise_hedge_result>.stride
                guard poise_live_tick(desk, 0, 64_000 + 40 * Double(tick), 0) == POISE_OK,
                    poise_live_decide(desk, 0, &result) == POISE_OK
                else { return nil }
                bits += [result.linear_cost.bitPattern, result.impact_cost.bitPattern]
            }
        }
        return bits
    }
}
