import American
import Foundation
import Greeks
import TestSupport
import Testing

/// American prices and Greeks against QuantLib's, from `scripts/generate-american`.
@Suite struct AmericanReferenceTests {
    static func batch(_ fixture: Fixture) throws -> OptionBatch {
        let rows = fixture.rows
        return try OptionBatch(
            type: rows.map { $0.text("type") == "P" ? 1 : 0 }, spot: rows.map { $0("spot") },
            strike: rows.map { $0("strike") }, years: rows.map { $0("years") },
            volatility: rows.map { $0("vol") }, rate: rows.map { $0("rate") },
            dividend: rows.map { $0("dividend") })
    }

    static func engines(_ level: AmericanLevel) throws -> [AmericanEngine] {
        try InstructionSet.supported.map { AmericanEngine(try GreeksEngine($0), level: level) }
    }

    /// Root mean square and largest error of prices, for a strike of 100. The oracle itself is good to 2e-7.
    static let limits: [AmericanLevel: (mean: Double, largest: Double)] = [
        .fast: (6e-5, 1e-3), .accurate: (3e-6, 2e-5), .reference: (3e-7, 3e-6),
    ]

    @Test(
        "Prices are QuantLib's within each level's stated errors, also where rate and yield are nearly equal",
        arguments: AmericanLevel.allCases, ["prices.csv", "near.csv"])
    func prices(_ level: AmericanLevel, _ table: String) throws {
        let fixture = try Fixture(table)
        let batch = try Self.batch(fixture)
        let limit = try #require(Self.limits[level])
        for engine in try Self.engines(level) {
            let price = try #require(engine.greeks(.price, of: batch)[.price])
            let errors = fixture.rows.indices.map { abs(price[$0] - fixture.rows[$0]("price")) }
            let mean = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
            let worst = try #require(errors.indices.max { errors[$0] < errors[$1] })
            print("american \(level) \(table): rms \(mean), largest \(errors[worst]) in row \(worst)")
            #expect(mean < limit.mean)
            #expect(errors[worst] < limit.largest, "row \(worst)")
        }
    }

    @Test("Rates and yields of every sign are priced as QuantLib does")
    func signs() throws {
        let fixture = try Fixture("signs.csv")
        let batch = try Self.batch(fixture)
        for engine in try Self.engines(.reference) {
            let result = engine.greeks(.price, of: batch)
            let price = try #require(result[.price])
            for (row, expected) in fixture.rows.enumerated() {
                #expect(abs(price[row] - expected("price")) < 2e-5, "row \(row), \(result.status[row])")
            }
        }
    }

    @Test("The premium of S = K = 100, r = q = 5%, σ = 25%, T = 1 is the literature's to ten digits")
    func literature() throws {
        let batch = try OptionBatch(
            type: [1], spot: [100], strike: [100], years: [1], volatility: [0.25], rate: [0.05],
            dividend: [0.05])
        for engine in try Self.engines(.reference) {
            let european = try GreeksEngine(.baseline).greeks(.price, of: batch)
            let price = try #require(engine.greeks(.price, of: batch)[.price])
            #expect(abs(price[0] - european[.price]![0] - 0.106952702747) < 2e-11)
        }
    }

    /// Largest errors of Greeks over `greeks.csv`, in the units of `Greek` with a strike of 100.
    static let greekLimits: [AmericanLevel: [Greek: Double]] = [
        .accurate: [
            .delta: 2e-5, .gamma: 2e-5, .vega: 2e-3, .rho: 5e-3, .phi: 5e-3, .volga: 5e-2, .vanna: 2e-3,
            .color: 5e-5, .ultima: 2.5,
        ],
        .reference: [
            .delta: 2e-6, .gamma: 5e-6, .vega: 2e-4, .rho: 1e-3, .phi: 5e-3, .volga: 2e-2, .vanna: 5e-4,
            .color: 2e-7, .ultima: 5,
        ],
    ]

    @Test("Greeks are differences of QuantLib's prices", arguments: [AmericanLevel.accurate, .reference])
    func greeks(_ level: AmericanLevel) throws {
        let fixture = try Fixture("greeks.csv")
        let batch = try Self.batch(fixture)
        for engine in try Self.engines(level) {
            let result = engine.greeks(of: batch)
            for (greek, limit) in try #require(Self.greekLimits[level]) {
                let values = try #require(result[greek])
                let errors = fixture.rows.indices.map { abs(values[$0] - fixture.rows[$0](greek.name)) }
                let worst = try #require(errors.indices.max { errors[$0] < errors[$1] })
                print("american \(level) \(greek): \(errors[worst]) in row \(worst)")
                #expect(errors[worst] < limit, "\(greek) row \(worst): \(values[worst])")
            }
        }
    }
}
