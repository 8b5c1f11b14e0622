import Foundation
import Greeks
import Testing

/// Results depend neither on the place of an option in a batch nor on the vector width.
struct LaneTests {
    static func bits(_ matrix: GreekMatrix, _ greek: Greek, _ row: Int) -> UInt64 {
        matrix[greek]?[row].bitPattern ?? 0
    }

    @Test(
        "Every tail length gives the bits of the whole batch, and writes nothing behind its end",
        arguments: InstructionSet.supported)
    func tails(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let batch = try OptionBatch.random(40, seed: 5)
        let whole = engine.greeks(.all, of: batch)
        for count in 0...40 {
            let guardValue = 12_345.678
            var columns = Greek.allCases.map { _ in Array(repeating: guardValue, count: 48) }
            let pointers = columns.indices.map { column in
                columns[column].withUnsafeMutableBufferPointer { $0.baseAddress }
            }
            // The arrays are neither moved nor read until the call returns.
            let output = GreekColumns { pointers[$0.rawValue] }
            engine.fullForm(.all, batch.columns.pointers, count: count, into: output)
            for greek in Greek.allCases {
                for row in 0..<48 {
                    let value = columns[greek.rawValue][row]
                    if row < count {
                        #expect(
                            value.bitPattern == Self.bits(whole, greek, row),
                            "\(set) \(greek) \(count) \(row)")
                    } else {
                        #expect(value == guardValue, "\(set) \(greek) \(count) \(row)")
                    }
                }
            }
        }
    }

    @Test(
        "A selection of Greeks changes what is stored, not what is computed",
        arguments: InstructionSet.supported)
    func selections(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let batch = try OptionBatch.random(1_003, seed: 6)
        let all = engine.greeks(.all, of: batch)
        let sets: [GreekSet] = [
            .price, .book, .all, [], GreekSet(.delta), GreekSet([.price, .gamma, .veta]),
            GreekSet(Greek.allCases.dropLast()), GreekSet([.ultima]),
        ]
        for selection in sets {
            let some = engine.greeks(selection, of: batch)
            for greek in Greek.allCases {
                #expect((some[greek] != nil) == selection.contains(greek))
                guard some[greek] != nil else { continue }
                for row in 0..<batch.count {
                    #expect(
                        Self.bits(some, greek, row) == Self.bits(all, greek, row),
                        "\(selection) \(greek) \(row)")
                }
            }
        }
    }

    /// Batches too large for the caches are written past them: the same bits, nothing behind the end, in full and
    /// slice form, alone and shared among threads.
    @Test(
        "Batches too large for the caches have the same bits, with nothing written behind the end",
        arguments: InstructionSet.supported)
    func streams(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let block = try OptionBatch.random(1_024, seed: 8)
        let count = 240 * 1_024 - 5
        func column<T>(_ values: [T]) -> [T] { (0..<count).map { values[$0 & 1_023] } }
        let batch = try OptionBatch(
            type: column(block.type), spot: column(block.spot), strike: column(block.strike),
            years: column(block.years), volatility: column(block.volatility), rate: column(block.rate),
            dividend: column(block.dividend))
        let expected = engine.greeks(.book, of: block)
        let expectedSlice = SliceOptions(oneSliceEach: block).greeks(.book, engine)
        let slices = SliceOptions(oneSliceEach: batch)
        let alone = engine.greeks(.book, of: batch)
        let shared = GreekMatrix(.book, count: count)
        let pool = try GreeksPool(engine, threads: 2)
        pool.fullForm(.book, batch.columns, into: shared)
        let sliced = slices.greeks(.book, engine)
        for greek in GreekSet.book.greeks {
            for (matrix, expected) in [(alone, expected), (shared, expected), (sliced, expectedSlice)] {
                let differences = (0..<count).count {
                    Self.bits(matrix, greek, $0) != Self.bits(expected, greek, $0 & 1_023)
                }
                #expect(differences == 0, "\(set) \(greek)")
            }
            // The column's padding, which belongs to nobody, is as it was made.
            let end = try #require(alone[greek]?.pointer) + count
            #expect((0..<5).allSatisfy { end[$0] == 0 }, "\(set) \(greek)")
        }
    }

    /// Random options and the reference tables, in full and slice form.
    static func forms() throws -> [(batch: OptionBatch, forms: [(GreeksEngine) -> GreekMatrix])] {
        try ([OptionBatch.random(20_003, seed: 7)] + Reference.all().map(\.batch)).map { batch in
            (
                batch,
                [{ $0.greeks(.all, of: batch) }, { SliceOptions(oneSliceEach: batch).greeks(.all, $0) }]
            )
        }
    }

    @Test(
        "AVX-512 gives the bits of AVX2, in full and slice form",
        .enabled(if: InstructionSet.avx512.isSupported, "needs a processor with AVX-512"))
    func sameBits() throws {
        for (batch, forms) in try Self.forms() {
            for form in forms {
                let (expected, got) = (form(try GreeksEngine(.avx2)), form(try GreeksEngine(.avx512)))
                var differences = 0
                for greek in Greek.allCases {
                    for row in 0..<batch.count
                    where Self.bits(got, greek, row) != Self.bits(expected, greek, row) {
                        differences += 1
                    }
                }
                #expect(differences == 0, "\(differences) values differ between AVX2 and AVX-512")
            }
        }
    }

    @Test(
        "The baseline, without fused multiply-add, rounds differently from AVX2 and stays close",
        .enabled(if: InstructionSet.avx2.isSupported, "needs a processor with AVX2"))
    func baseline() throws {
        for (_, forms) in try Self.forms() {
            for form in forms {
                let expected = form(try GreeksEngine(.avx2))
                let baseline = form(try GreeksEngine(.baseline))
                for greek in Greek.allCases where greek != .price {
                    let own = try #require(baseline[greek])
                    let errors = ErrorSummary(own, against: Array(try #require(expected[greek])))
                    #expect(errors.median <= 1e-15, "baseline \(greek): \(errors)")
                }
            }
        }
    }

    @Test("Implied volatilities depend neither on neighbours and place nor on the vector width")
    func sameVolatilityBits() throws {
        let batch = try OptionBatch.random(1_003, seed: 10)
        let engines = try InstructionSet.supported.map { try GreeksEngine($0) }
        let prices = try #require(engines[0].greeks(.price, of: batch)[.price])
        func solve(_ engine: GreeksEngine, _ rows: Range<Int>) throws -> [UInt64] {
            engine.impliedVolatilities(
                of: try PriceBatch(
                    type: Array(batch.type[rows]), spot: Array(batch.spot[rows]),
                    strike: Array(batch.strike[rows]), years: Array(batch.years[rows]),
                    price: Array(prices[rows]), rate: Array(batch.rate[rows]),
                    dividend: Array(batch.dividend[rows]))
            ).volatility.map(\.bitPattern)
        }
        for engine in engines {
            let whole = try solve(engine, 0..<1_003)
            for (start, length) in [(0, 1), (1, 7), (3, 8), (5, 9), (11, 31), (100, 33), (500, 503)] {
                let part = try solve(engine, start..<start + length)
                #expect(
                    part.elementsEqual(whole[start..<start + length]), "\(engine.instructionSet) \(start)")
            }
            if engine.instructionSet == .avx512 {
                #expect(try solve(try GreeksEngine(.avx2), 0..<1_003) == whole)
            }
        }
    }

    @Test("The instruction set asked for is the one that runs, and a wrong name is an error")
    func instructionSets() throws {
        let best = try #require(InstructionSet.supported.last)
        #expect(InstructionSet.supported.contains(.baseline))
        for set in InstructionSet.allCases {
            if set.isSupported {
                #expect(try GreeksEngine(set).instructionSet == set)
                #expect(try InstructionSet.named(set.rawValue) == set)
            } else {
                #expect(throws: GreeksError.unsupportedInstructionSet(set)) { try GreeksEngine(set) }
            }
        }
        #expect(throws: GreeksError.unknownInstructionSet("sse9")) { try InstructionSet.named("sse9") }
        if let name = ProcessInfo.processInfo.environment["POISE_ISA"] {
            #expect(try GreeksEngine().instructionSet.rawValue == name)
        } else {
            #expect(try GreeksEngine().instructionSet == best)
        }
    }
}
