import Greeks
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

    @Test(arguments: InstructionSet.supported)
    func fullForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for reference in try Reference.all() {
            try Self.check(
                engine.greeks(.all, of: reference.batch), reference, "\(set), full form, \(reference.name),")
        }
    }

    @Test(arguments: InstructionSet.supported)
    func sliceForm(_ set: InstructionSet) throws {
        let engine = try GreeksEngine(set)
        for reference in try Reference.all() {
            let options = SliceOptions(oneSliceEach: reference.batch)
            try Self.check(
                options.greeks(.all, engine), reference, "\(set), slice form, \(reference.name),")
        }
    }
}
