import Greeks
import TestSupport
import Testing

/// Slices summed, or turned into rows, as they are computed.
struct SliceSumTests {
    /// Slices of 8, 0, 24 and 16 options, the last of each padded with quantities of 0.
    struct Book {
        let batch: OptionBatch
        let offsets = [0, 8, 8, 32, 48]
        let quantities: [Double]
        let slices: [Slice]
        let high, low: [Double]

        init(_ engine: GreeksEngine) throws {
            batch = try OptionBatch.random(48, seed: 31)
            var generator = SeededGenerator(seed: 32)
            quantities = (0..<48).map {
                [7, 31, 46, 47].contains($0) ? 0 : .random(in: -9...9, using: &generator)
            }
            let prepared = UnsafeMutablePointer<Slice>.allocate(capacity: 8)
            defer { prepared.deallocate() }
            let market = (0..<8).map { Double($0) }
            engine.prepareSlices(
                spot: market.map { 90 + 4 * $0 }, years: market.map { 0.01 + 0.3 * $0 },
                rate: market.map { 0.01 * $0 }, dividend: market.map { 0.02 - 0.005 * $0 }, count: 8,
                into: prepared)
            slices = (0..<8).map { prepared[$0] }
            var (high, low) = (batch.strike, batch.strike)
            engine.logarithms(of: batch.strike, count: 48, high: &high, low: &low)
            (self.high, self.low) = (high, low)
        }

        func withColumns<R>(_ body: (SliceFormColumns) -> R) -> R {
            batch.withColumns { columns in
                high.withUnsafeBufferPointer { high in
                    low.withUnsafeBufferPointer { low in
                        body(
                            SliceFormColumns(
                                type: columns.type, strike: columns.strike,
                                logStrikeHigh: high.baseAddress.unsafelyUnwrapped,
                                logStrikeLow: low.baseAddress.unsafelyUnwrapped,
                                volatility: columns.volatility))
                    }
                }
            }
        }

        func greeks(_ engine: GreeksEngine) -> GreekMatrix {
            let matrix = GreekMatrix(.book, count: 48)
            withColumns {
                engine.sliceForm(.book, slices, offsets: offsets, sliceCount: 4, $0, into: matrix.columns)
            }
            return matrix
        }

        func sums(_ engine: GreeksEngine) -> [GreekSums] {
            var sums = Array(repeating: GreekSums(), count: 4)
            withColumns {
                engine.sliceSums(
                    slices, offsets: offsets, sliceCount: 4, $0, quantities: quantities, into: &sums)
            }
            return sums
        }

        /// With a map that no two figures share; 16 doubles a row, NaN where nothing is written.
        func figures(_ engine: GreeksEngine, _ maps: [FigureMap]) -> [Double] {
            var rows = Array(repeating: Double.nan, count: 48 * 16)
            withColumns {
                engine.sliceFigures(slices, maps, offsets: offsets, sliceCount: 4, $0, into: &rows)
            }
            return rows
        }
    }

    static var members: [(Greek, KeyPath<GreekSums, Double>)] {
        [
            (.price, \.price), (.delta, \.delta), (.gamma, \.gamma), (.vega, \.vega), (.theta, \.theta),
            (.rho, \.rho),
            (.vanna, \.vanna), (.volga, \.volga), (.charm, \.charm),
        ]
    }

    @Test(
        "Sums of Greeks over a slice are those of the slice form added in 64-bit mantissas",
        arguments: InstructionSet.supported)
    func sums(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let book = try Book(engine)
        let greeks = book.greeks(engine)
        let sums = book.sums(engine)
        for (greek, member) in Self.members {
            let column = try #require(greeks[greek])
            for slice in 0..<4 {
                var (sum, scale) = (Float80(0), Float80(0))
                for row in book.offsets[slice]..<book.offsets[slice + 1] {
                    let term = Float80(column[row]) * Float80(book.quantities[row])
                    sum += term
                    scale += abs(term)
                }
                let error = abs(Float80(sums[slice][keyPath: member]) - sum)
                #expect(error <= 4e-16 * scale, "\(set) \(greek) \(slice)")
            }
        }
    }

    @Test(
        "Each figure is its Greek by the map, in its place of the row, with nothing written behind",
        arguments: InstructionSet.supported)
    func figures(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let book = try Book(engine)
        let greeks = book.greeks(engine)
        let maps = (0..<4).map { slice in
            var map = FigureMap()
            let next = { (place: Double) in place + 0.125 * Double(slice) }
            (map.value, map.delta, map.gamma, map.vega, map.theta) = (
                next(1), next(-2), next(3), next(4), next(-5)
            )
            (map.rho, map.vanna, map.volga, map.charm) = (next(6), next(7), next(8), next(-9))
            (map.netDeltaFromPrice, map.gammaFromDelta, map.gammaFromPrice) = (next(10), next(-11), next(12))
            (map.vannaFromVega, map.charmFromTheta) = (next(13), next(14))
            return map
        }
        let rows = book.figures(engine, maps)
        var worst = 0.0
        for slice in 0..<4 {
            let map = maps[slice]
            for row in book.offsets[slice]..<book.offsets[slice + 1] {
                let value = { (greek: Greek) in greeks[greek]?[row] ?? .nan }
                let (price, delta, vega, theta) = (value(.price), value(.delta), value(.vega), value(.theta))
                let expected: [(Double, Double)] = [
                    (price * map.value, 0), (delta * map.delta, 0),
                    (delta * map.delta, price * map.netDeltaFromPrice),
                    (value(.gamma) * map.gamma, delta * map.gammaFromDelta + price * map.gammaFromPrice),
                    (vega * map.vega, 0), (theta * map.theta, 0), (value(.rho) * map.rho, 0),
                    (value(.vanna) * map.vanna, vega * map.vannaFromVega), (value(.volga) * map.volga, 0),
                    (value(.charm) * map.charm, theta * map.charmFromTheta),
                ]
                for (place, (own, shared)) in expected.enumerated() {
                    let error = (rows[16 * row + place] - (own + shared)).magnitude
                    worst = max(worst, error / max(own.magnitude, shared.magnitude, 1e-300))
                }
                let isUntouched = rows[(16 * row + 10)..<(16 * row + 16)].allSatisfy { $0.isNaN }
                #expect(isUntouched)
            }
        }
        #expect(worst <= 1e-14, "\(set)")
    }

    @Test(
        "Slice sums of AVX-512 have the bits of AVX2",
        .enabled(if: InstructionSet.avx512.isSupported, "needs a processor with AVX-512"))
    func sameBits() throws {
        let (one, other) = (try GreeksEngine(.avx2), try GreeksEngine(.avx512))
        let book = try Book(one)
        let map = FigureMap(repeating: 0.7)
        #expect(
            book.figures(one, Array(repeating: map, count: 4)).map(\.bitPattern)
                == book.figures(other, Array(repeating: map, count: 4)).map(\.bitPattern))
        for (_, member) in Self.members {
            #expect(
                book.sums(one).map { $0[keyPath: member].bitPattern }
                    == book.sums(other).map { $0[keyPath: member].bitPattern })
        }
    }
}

extension FigureMap {
    fileprivate init(repeating factor: Double) {
        self.init()
        (value, delta, gamma, vega, theta) = (factor, factor, factor, factor, factor)
        (rho, vanna, volga, charm, netDeltaFromPrice) = (factor, factor, factor, factor, factor)
        (gammaFromDelta, gammaFromPrice, vannaFromVega, charmFromTheta) = (factor, factor, factor, factor)
    }
}
