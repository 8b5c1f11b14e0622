import Foundation
import Greeks
import TestSupport
import Testing

/// Relative error of every Greek against tables of many digits, on every instruction set, in both forms.
struct ReferenceTests {
    /// Median, 99th percentile and worst.
    static func limits(_ greek: Greek) -> (median: Double, p99: Double, worst: Double) {
        switch greek {
        case .price: (2e-15, 4e-12, 4e-11)
        case .delta, .gamma, .vega, .theta, .rho, .phi, .vanna, .volga: (6e-16, 1e-13, 1e-12)
        case .charm, .speed, .zomma, .color, .veta, .ultima: (1e-15, 2e-13, 5e-12)
        }
    }

    static func check(_ matrix: GreekMatrix, _ reference: Reference, _ label: String) throws {
        for greek in Greek.allCases {
            let column = try #require(matrix[greek])
            let expected = try #require(reference.expected[greek])
            let errors = ErrorSummary(column, against: expected)
            var limit = limits(greek)
            // The 99th percentile of few rows is their worst.
            if expected.count < 1000 { limit.p99 = limit.worst }
            let b = reference.batch
            let row = errors.worstRow
            let summary =
                "\(label) \(greek): median \(errors.median), p99 \(errors.p99), worst \(errors.worst)"
            print(summary)
            #expect(
                errors.median <= limit.median && errors.p99 <= limit.p99 && errors.worst <= limit.worst,
                """
                \(summary) in row \(row): type \(b.type[row]) S \(b.spot[row]) K \(b.strike[row]) \
                T \(b.years[row]) σ \(b.volatility[row]) r \(b.rate[row]) q \(b.dividend[row]) \
                expected \(expected[row]) calculated \(column[row])
                """)
        }
    }

    @Test(
        "The full form agrees with numerical derivatives in 120 digits",
        arguments: InstructionSet.supported)
    func fullForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for reference in try Reference.all() {
            try Self.check(
                engine.greeks(.all, of: reference.batch), reference, "\(set), full form, \(reference.name),")
        }
    }

    @Test(
        "The slice form agrees with numerical derivatives in 120 digits",
        arguments: InstructionSet.supported)
    func sliceForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for reference in try Reference.all() {
            let options = SliceOptions(oneSliceEach: reference.batch)
            try Self.check(
                options.greeks(.all, engine), reference, "\(set), slice form, \(reference.name),")
        }
    }

    /// Derivatives of the coin value against numerical ones in 120 digits. Where terms of opposite sign
    /// cancel, the error is relative to the larger of them.
    @Test(
        "Greeks of the coin value agree with numerical derivatives in 120 digits",
        arguments: InstructionSet.supported)
    func coinGreeks(_ set: InstructionSet) throws {
        let path = SharedData.packageRoot.appendingPathComponent("Tests/GreeksTests/Fixtures/coin.csv")
        let reference = try Reference(name: "coin", path: path.path)
        let batch = reference.batch
        let dollars = try GreeksEngine(set).greeks(.all, of: batch)
        let coins = dollars.coinGreeks(of: batch)
        // What each figure is the difference of, beside its dollar Greek over S.
        let terms: [Greek: (Greek, Double)] = [
            .gamma: (.delta, 2), .speed: (.gamma, 3), .vanna: (.vega, 1), .charm: (.theta, 1),
            .zomma: (.vanna, 2), .color: (.charm, 2),
        ]
        for greek in Greek.allCases {
            let expected = try #require(reference.expected[greek])
            let own = try #require(coins[greek])
            var worst = 0.0
            for row in 0..<batch.count {
                var scale = abs(expected[row])
                var weight = 1.0
                var next = terms[greek]
                while let (lower, factor) = next {
                    weight *= factor / batch.spot[row]
                    scale = max(scale, weight * abs(try #require(coins[lower])[row]))
                    next = terms[lower]
                }
                worst = max(worst, abs(own[row] - expected[row]) / max(scale, 1e-290))
            }
            print("\(set), coin, \(greek): worst \(worst)")
            #expect(worst <= (greek == .price ? 4e-11 : 5e-12), "\(greek): \(worst)")
        }
        // Net transaction and equity delta add up to Black's.
        for row in 0..<batch.count {
            let net = (coins[.delta]?[row] ?? .nan) * batch.spot[row]
            let equity = coins[.price]?[row] ?? .nan
            let black = dollars[.delta]?[row] ?? .nan
            #expect(abs(net + equity - black) <= 4e-15 * (abs(net) + equity + abs(black)))
        }
    }
}
