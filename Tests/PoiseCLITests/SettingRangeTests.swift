import Foundation
import Market
import Testing

/// The ranges of numbers as a configuration's errors name them, whoever has them. Those of venues, contracts and models in
/// Swift are `RangeTests`' of the simulation.
struct SettingRangeTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let key: String
        let low, high: Double
        let context: [String: String]
        var testDescription: String { "\(key): from \(low) to \(high)" }

        init(_ key: String, _ low: Double, _ high: Double, _ context: [String: String] = [:]) {
            (self.key, self.low, self.high, self.context) = (key, low, high, context)
        }
    }

    private static let heston = [
        "market.model": "\"heston\"", "market.mean_reversion_per_year": "3",
        "market.volatility_of_variance": "0.9",
    ]
    private static let regimes = [
        "market.model": "\"regimes\"", "market.volatility": "", "market.regime.volatility": "0.3",
        "market.regime.moves_per_year": "0",
    ]
    private static func past(_ model: String) -> [String: String] {
        ["market.model": "\"\(model)\"", "market.files": "[\"moving.csv\"]", "step_minutes": ""]
    }
    private static let stochastic = [
        "surface.level": "\"stochastic\"", "surface.mean_reversion_per_year": "4",
        "surface.volatility_of_volatility": "0.8",
    ]
    private static let scaled = [
        "policy.estimator": "\"parkinson\"", "policy.exponent": "1",
    ]

    static let rows = [
        Row("days", 0.01, 3650), Row("step_minutes", 0.01, 1e6), Row("paths", 1, 1e7),
        Row("market.spot_usd", 1e-9, 1e12), Row("market.volatility", 0, 20),
        Row("market.volatility", 0.001, 20, heston), Row("market.long_run_volatility", 0.001, 20, heston),
        Row("market.correlation", -1, 1, heston), Row("market.regime.volatility", 0, 20, regimes),
        Row("market.regime.moves_per_year", 0, 1e9, regimes), Row("market.start", 1, 1, regimes),
        Row("market.volatility", 0, 20, past("replay")),
        Row("market.stride_hours", 0, 1e6, past("replay")),
        Row("surface.volatility", 1e-6, 100), Row("surface.mean", 1e-6, 100, stochastic),
        Row("book.option.moneyness", 0.001, 1000), Row("book.option.volatility", 1e-6, 100),
        Row("book.option.days", 0, 36_500),
        Row(
            "hedge.funding_rate_per_8_hours", -0.1, 0.1, ["hedge.funding": "\"constant\""]),
        Row(
            "policy.landing", 0, 1,
            ["policy.kind": "\"threshold\"", "policy.delta_band_coins": "1", "policy.hours": ""]),
        Row("policy.window_steps", 1, 100_000, scaled),
        Row(
            "policy.steps", 1, 64,
            ["policy.kind": "\"predictive\"", "policy.risk_aversion_per_usd": "1", "policy.hours": ""]),
    ]

    @Test(
        "What is outside of a range is refused with its ends: from the one, or above 0, to the other",
        arguments: rows)
    func range(_ row: Row) throws {
        for value in ["nan", "-1e30", "1e30"] {
            let error = try #require(throws: MarketError.self) {
                _ = try EverySettingTests.read(row.context.merging([row.key: value]) { $1 })
            }
            // "must be from 0.001 to 20", "must be above 0, at most 36500".
            let reason = "\(error)".replacingOccurrences(of: "at most", with: "to")
            let words = reason.components(separatedBy: " ").map { $0.filter { $0 != "," } }
            #expect(reason.contains(row.key.split(separator: ".").last ?? ""), "\(reason)")
            if value == "nan", reason.hasSuffix("must be a number") { continue }
            let ends = ["from", "to"].map { word in
                words.lastIndex(of: word).flatMap { $0 + 1 < words.count ? Double(words[$0 + 1]) : nil }
            }
            #expect(ends[0] ?? 0 == row.low && ends[1] == row.high, "\(reason)")
        }
    }
}
