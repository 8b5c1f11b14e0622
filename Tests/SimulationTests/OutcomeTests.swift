import Market
import Rebalancing
import Simulation
import Testing

/// Runs of no paths, and archives whose numbers cannot be.
struct OutcomeTests {
    @Test("A run of no paths, or of less, has none, resumed or not")
    func noPaths() throws {
        let simulation = try VenueEventTests.simulation(VenueEventTests.venue(), steps: 4)
        let some = simulation.run(paths: 40)
        for count in [0, -1, -40, .min] {
            for figures in [
                simulation.run(paths: count, threads: 2), simulation.run(paths: count, resuming: some),
            ] {
                #expect(figures.paths == 0 && figures.completed == 0, "\(count)")
                #expect(figures.values(.profit, policy: 0).isEmpty)
            }
        }
    }

    @Test("An archive that counts more paths than there can be is none, of no policies either")
    func impossibleCounts() throws {
        let simulation = try VenueEventTests.simulation(VenueEventTests.venue(), steps: 4)
        let start = "poise simulation 1\n".utf8.count
        // Archives of two paths, and of a run without policies.
        let some = simulation.run(paths: 2)
        let empty = Array(some.archive(fingerprint: 1)[..<(start + 32)])
        for (bytes, policies) in [(some.archive(fingerprint: 1), some.policies), (empty, [])] {
            for count in [UInt64.max, 1 << 63, 1 << 62, 3] {
                var changed = bytes
                func set(_ value: UInt64, at place: Int) {
                    for byte in 0..<8 {
                        changed[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
                    }
                }
                if policies.isEmpty {
                    set(0, at: start + 8)
                    changed += [UInt8](repeating: 0, count: 8)
                }
                set(count, at: start + 24)
                set(Checksum.of(changed.dropLast(8)), at: changed.count - 8)
                let read = PathOutcomes(archive: changed, fingerprint: 1, policies: policies)
                // Of no policies any number of paths has no figures.
                #expect(policies.isEmpty && count < 1 << 63 ? read?.completed == Int(count) : read == nil)
            }
        }
    }
}
