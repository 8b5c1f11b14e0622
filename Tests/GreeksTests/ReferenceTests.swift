import Greeks
import TestSupport
import Testing

/// Relative error of every Greek against 60-digit values, on every instruction set and in both forms.
struct ReferenceTests {
    /// Median, 99th percentile and worst.
    static func limits(_ greek: Greek) -> (median: Double, p99: Double, worst: Double) {
        switch greek {
        case .price: (1e-15, 4e-12, 4e-11)
        case .delta, .gamma, .vega, .theta, .rho, .phi, .vanna, .volga: (6e-16, 1e-13, 1e-12)
        case .charm, .speed, .zomma, .color, .veta, .ultima: (1e-15, 2e-13, 5e-12)
        }
    }

    static func check(_ matrix: GreekMatrix, _ reference: Reference, _ label: String) {
        for greek in Greek.allCases {
            guard let column = matrix[greek], let expected = reference.expected[greek] else { continue }
            let errors = ErrorSummary(column, against: expected)
            let limit = limits(greek)
            let b = reference.batch
            let row = errors.worstRow
            print("\(label) \(greek): median \(errors.median), p99 \(errors.p99), worst \(errors.worst)")
            let detail = """
                \(label) \(greek): median \(errors.median), p99 \(errors.p99), worst \(errors.worst) in row \(row): \
                type \(b.type[row]) S \(b.spot[row]) K \(b.strike[row]) T \(b.years[row]) \
                σ \(b.volatility[row]) r \(b.rate[row]) q \(b.dividend[row]) \
                expected \(expected[row]) calculated \(column[row])
                """
            #expect(
                errors.median <= limit.median && errors.p99 <= limit.p99 && errors.worst <= limit.worst,
                "\(detail)")
        }
    }

    @Test(arguments: InstructionSet.supported)
    func fullForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for path in [SharedData.path("reference/european.csv", skipping: "2,500 reference rows")].compactMap({
            $0
        }) {
            let reference = try Reference(path: path)
            Self.check(engine.greeks(.all, of: reference.batch), reference, "\(set)")
        }
    }
}
