import Foundation
import Greeks
import Testing

struct PoolTests {
    static func isEqual(_ a: GreekMatrix, _ b: GreekMatrix) -> Bool {
        Greek.allCases.allSatisfy { greek in
            guard let x = a[greek], let y = b[greek] else { return a[greek] == nil && b[greek] == nil }
            return zip(x, y).allSatisfy { $0.bitPattern == $1.bitPattern }
        }
    }

    @Test(
        "A pool gives the bits of one thread, whatever its threads and the batch's size",
        arguments: [1, 2, 3, 8])
    func sameBits(_ threads: Int) throws {
        let engine = try GreeksEngine()
        let pool = try GreeksPool(engine, threads: threads)
        #expect(pool.threads == threads)
        for count in [0, 1, 511, 2_047, 2_048, 2_049, 3_073, 4_096, 20_003] {
            let batch = try OptionBatch.random(count, seed: UInt64(count + 1))
            for selection in [GreekSet.price, .book, .all, GreekSet([.vega, .veta])] {
                let matrix = GreekMatrix(selection, count: count)
                pool.fullForm(selection, batch.columns, into: matrix)
                #expect(Self.isEqual(matrix, engine.greeks(selection, of: batch)), "\(threads) \(count)")
            }
        }
    }

    @Test("A pool wakes for every call after its threads fell asleep")
    func calls() throws {
        let engine = try GreeksEngine()
        let pool = try GreeksPool(engine, threads: 2)
        let batch = try OptionBatch.random(3_000, seed: 11)
        let expected = engine.greeks(.book, of: batch)
        for round in 0..<2_000 {
            let matrix = GreekMatrix(.book, count: batch.count)
            pool.fullForm(.book, batch.columns, into: matrix)
            #expect(Self.isEqual(matrix, expected))
            if round % 500 == 0 { usleep(5_000) }
        }
    }

    @Test("Several threads may call one pool at once")
    func callers() async throws {
        let engine = try GreeksEngine()
        let pool = try GreeksPool(engine, threads: 2)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    let batch = try OptionBatch.random(5_000, seed: UInt64(seed))
                    let expected = engine.greeks(.all, of: batch)
                    for _ in 0..<50 {
                        let matrix = GreekMatrix(.all, count: batch.count)
                        pool.fullForm(.all, batch.columns, into: matrix)
                        guard Self.isEqual(matrix, expected) else { return false }
                    }
                    return true
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("A pool of no, negative or absurdly many threads is refused, and pools can come and go")
    func refusals() throws {
        let engine = try GreeksEngine()
        for threads in [0, -1, 5_000] {
            #expect(throws: GreeksError.invalidThreadCount(threads)) {
                try GreeksPool(engine, threads: threads)
            }
        }
        // Pools come and go.
        for _ in 0..<100 { _ = try GreeksPool(engine, threads: 3) }
    }
}
