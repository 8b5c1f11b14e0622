import Greeks
import TestSupport
import Testing

/// Slices turned into rows of exposures as they are computed.
struct SliceExposureTests {
    /// Slices of 8, 0, 24 and 16 options.
    struct Book {
        let batch: OptionBatch
        let offsets = [0, 8, 8, 32, 48]
        let slices: [Slice]
        let high, low: [Double]

        init(_ engine: GreeksEngine) throws {
            batch = try OptionBatch.random(48, seed: 31)
            let prepared = UnsafeMutablePointer<Slice>.allocate(capacity: 8)
            defer { prepared.deallocate() }
            let market = (0..<8).map { Double($0) }
            engine.kernel.prepareSlices(
                spot: market.map { 90 + 4 * $0 }, years: market.map { 0.01 + 0.3 * $0 },
                rate: market.map { 0.01 * $0 }, dividend: market.map { 0.02 - 0.005 * $0 }, count: 8,
                into: prepared)
            slices = (0..<8).map { prepared[$0] }
            var (high, low) = (batch.strike, batch.strike)
            engine.kernel.logarithms(of: batch.strike, count: 48, high: &high, low: &low)
            (self.high, self.low) = (high, low)
        }

        func withColumns<R>(_ body: (SliceColumns) -> R) -> R {
            let columns = try? SliceColumns(
                type: batch.type.span, strike: batch.strike.span, logStrikeHigh: high.span,
                logStrikeLow: low.span, volatility: batch.volatility.span)
            guard let columns else { preconditionFailure("columns of one length") }
            return body(columns)
        }

        func greeks(_ engine: GreeksEngine) -> GreekMatrix {
            let matrix = GreekMatrix(.book, count: 48)
            withColumns {
                engine.sliceForm(.book, slices.span, offsets: offsets.span, $0, into: matrix)
            }
            return matrix
        }

        /// 16 doubles a row.
        func exposures(_ engine: GreeksEngine, _ maps: [ExposureMap]) -> [Double] {
            var rows = Array(repeating: Double.nan, count: 48 * 16)
            withColumns {
                engine.kernel.sliceExposures(
                    slices, maps, offsets: offsets, sliceCount: 4, $0.pointers, into: &rows)
            }
            return rows
        }
    }

    /// What two inverse and two linear options of different forwards, shares and numeraires depend on.
    static let terms: [ExposureTerms] = (0..<4).map { slice in
        var terms = ExposureTerms()
        terms.isInverse = slice % 2 == 0
        terms.forward = 90 + 4 * Double(slice)
        terms.years = 0.1 + 0.4 * Double(slice)
        terms.numeraire = slice < 2 ? .coin : .usd
        terms.left = slice == 3 ? (1, 1, 1, 1) : (0.5, 0.25, 0.5 + 0.125 * Double(slice), 0.75)
        return terms
    }

    @Test(
        "Each exposure is what its documentation says of the Greeks of the slice form, in its place of the row",
        arguments: InstructionSet.supported)
    func exposures(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        let book = try Book(engine)
        let greeks = book.greeks(engine)
        let rows = book.exposures(engine, Self.terms.map { ExposureMap($0) })
        var worst = 0.0
        for slice in 0..<4 {
            let terms = Self.terms[slice]
            let (f, left, inDollars) = (terms.forward, terms.left, terms.numeraire == .usd)
            let years = terms.years
            // What the premium adds in coin, where it is coin.
            let p = terms.isInverse ? 1.0 : 0
            for row in book.offsets[slice]..<book.offsets[slice + 1] {
                let value = { (greek: Greek) in greeks[greek]?[row] ?? .nan }
                let (v, delta, vega, theta) = (value(.price), value(.delta), value(.vega), value(.theta))
                let expected: [ExposureGreek: [Double]] =
                    inDollars
                    ? [
                        .value: [v], .delta: [left.delta * delta * f],
                        .netDelta: [left.delta * delta * f, -left.delta * v * p],
                        .gamma: [left.gamma * value(.gamma) * f * f / 100], .vega: [vega / 100],
                        .theta: [theta / 365], .rho: [-years * v / 100],
                        .vanna: [left.vanna * value(.vanna) * f / 100], .volga: [value(.volga) / 10_000],
                        .charm: [left.charm * value(.charm) * f / 365],
                    ]
                    : [
                        .value: [v / f], .delta: [left.delta * delta],
                        .netDelta: [left.delta * delta, -left.delta * p * v / f],
                        .gamma: [
                            left.gamma * value(.gamma) * f / 100, -left.gamma * p * delta / 100,
                            left.gamma * p * v / f / 100,
                        ],
                        .vega: [vega / f / 100], .theta: [theta / f / 365], .rho: [-years * v / f / 100],
                        .vanna: [left.vanna * value(.vanna) / 100, -left.vanna * p * vega / f / 100],
                        .volga: [value(.volga) / f / 10_000],
                        .charm: [left.charm * value(.charm) / 365, -left.charm * p * theta / f / 365],
                    ]
                for exposure in ExposureGreek.allCases {
                    let terms = try #require(expected[exposure])
                    let error = (rows[16 * row + exposure.rawValue] - terms.reduce(0, +)).magnitude
                    worst = max(worst, error / max(terms.map(\.magnitude).max() ?? 0, 1e-300))
                }
            }
        }
        #expect(worst <= 1e-14, "\(set)")
    }

    @Test(
        "AVX2 and AVX-512 give the same bits",
        .enabled(if: InstructionSet.avx512.isSupported, "needs a processor with AVX-512"))
    func sameBits() throws {
        let (one, other) = (try GreeksEngine(.avx2), try GreeksEngine(.avx512))
        let book = try Book(one)
        let maps = Self.terms.map { ExposureMap($0) }
        #expect(book.exposures(one, maps).map(\.bitPattern) == book.exposures(other, maps).map(\.bitPattern))
    }
}
