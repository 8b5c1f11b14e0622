import CPoise
import Foundation
import Testing

/// Fields of grids of scenarios, by what an option gains in one.
enum ScenarioRows {
    typealias Row = EveryFieldTests.Row

    private static let same = poise_volatility_rule(
        relative: 0, parallel: 0, skew: 0, short_term_power: 0, long_term_power: 0, least_days: 1,
        least_volatility: 0)
    private static let still = poise_scenario(
        spot: 0, days: 0, rate: 0, dampening: 1, rule: 0, stickiness: POISE_STICKY_STRIKE)

    private static func grid(_ rules: [poise_volatility_rule], _ scenarios: [poise_scenario]) throws -> Handle
    {
        try Handle(poise_grid_free) {
            poise_grid_create(rules, rules.count, scenarios, scenarios.count, $0)
        }
    }

    /// What a call on 100 at 110 and 40% gains in each scenario; years to expiry as given.
    private static func profits(
        _ rules: [poise_volatility_rule], _ scenarios: [poise_scenario], years: Double, stride: Int = 0
    ) throws -> [Double] {
        let (engine, made) = (try makeEngine(), try grid(rules, scenarios))
        var profits = [Double](repeating: -7, count: 2 * scenarios.count + 2)
        let status = withPointers([[100], [110], [years], [0.4], [0.03], [0.01]]) { columns in
            let type: UInt8 = 0
            return withUnsafePointer(to: type) { type in
                var legs = poise_full_form()
                legs.size = MemoryLayout<poise_full_form>.stride
                legs.count = 2
                legs.type = poise_bytes(data: type, stride: .min)
                legs.spot = poise_values(data: columns[0], stride: .min)
                legs.strike = poise_values(data: columns[1], stride: .min)
                legs.years = poise_values(data: columns[2], stride: .min)
                legs.volatility = poise_values(data: columns[3], stride: .min)
                legs.rate = poise_values(data: columns[4], stride: .min)
                legs.dividend = poise_values(data: columns[5], stride: .min)
                return profits.withUnsafeMutableBufferPointer {
                    poise_scenario_legs(
                        engine.pointer, made.pointer, &legs, POISE_NUMERAIRE_USD,
                        poise_rows(data: $0.baseAddress, row_stride: stride))
                }
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return profits
    }

    private static func value(
        _ spot: Double = 100, years: Double, _ volatility: Double = 0.4, rate: Double = 0.03
    ) -> Double { blackScholes(spot, 110, years, volatility, rate: rate, dividend: 0.01) }

    /// A row about a rule: the volatility that it makes of 40%.
    private static func rule(
        _ field: String, years: Double, _ rule: poise_volatility_rule, _ volatility: Double
    ) -> Row {
        Row("volatility_rule", field, "40% become \(volatility) with \(years) years to go") {
            let profit = try profits([rule], [still], years: years)[0]
            #expect(isNear(profit, value(years: years, volatility) - value(years: years), 1e-10))
            #expect((volatility - 0.4).magnitude > 1e-3)
        }
    }

    private static func with(_ set: (inout poise_volatility_rule) -> Void) -> poise_volatility_rule {
        var rule = same
        set(&rule)
        return rule
    }

    /// ln(K/F) with half a year to go.
    private static let distance = log(110 / (100 * exp(0.02 * 0.5)))

    private static let rules: [Row] = [
        rule("relative", years: 0.5, with { $0.relative = 0.3 }, 0.52),
        rule("parallel", years: 0.5, with { $0.parallel = 0.05 }, 0.45),
        rule("skew", years: 0.5, with { $0.skew = -0.5 }, 0.4 - 0.5 * distance),
        rule(
            "short_term_power", years: 10.0 / 365,
            with { ($0.relative, $0.short_term_power, $0.long_term_power) = (0.3, 0.5, 2) },
            0.4 * (1 + 0.3 * 3.0.squareRoot())),
        rule(
            "long_term_power", years: 60.0 / 365,
            with { ($0.relative, $0.short_term_power, $0.long_term_power) = (0.3, 2, 0.5) },
            0.4 * (1 + 0.3 * 0.5.squareRoot())),
        rule(
            "least_days", years: 5.0 / 365,
            with { ($0.relative, $0.short_term_power, $0.least_days) = (0.3, 1, 15) }, 0.4 * 1.6),
        rule(
            "least_volatility", years: 0.5, with { ($0.relative, $0.least_volatility) = (-0.9, 0.25) }, 0.25),
    ]

    /// A row about a scenario: what the option is worth in it.
    private static func scenario(
        _ field: String, _ observable: String, _ expected: Double,
        _ set: @escaping @Sendable (inout poise_scenario) -> Void
    ) -> Row {
        Row("scenario", field, observable) {
            var moved = still
            set(&moved)
            let up = with { $0.parallel = 0.1 }
            let profit = try profits([same, up], [moved], years: 0.5)[0]
            #expect(isNear(profit, expected, 1e-10), "\(profit), expected \(expected)")
            #expect(expected.magnitude > 1e-3)
        }
    }

    private static let now = value(years: 0.5)

    private static let scenarios: [Row] = [
        scenario("spot", "a fall of 16%", value(84, years: 0.5) - now) { $0.spot = -0.16 },
        scenario("spot", "a rise of 16%", value(116, years: 0.5) - now) { $0.spot = 0.16 },
        scenario("days", "30 days pass", value(years: 0.5 - 30.0 / 365) - now) { $0.days = 30 },
        scenario("rate", "rates rise by 2%", value(years: 0.5, rate: 0.05) - now) { $0.rate = 0.02 },
        scenario("dampening", "a quarter counts", 0.25 * (value(116, years: 0.5) - now)) {
            ($0.spot, $0.dampening) = (0.16, 0.25)
        },
        scenario("rule", "the second rule, of ten points more", value(years: 0.5, 0.5) - now) { $0.rule = 1 },
        Row("scenario", "stickiness", "legs have no smile to move along: refused") {
            var sticky = still
            sticky.stickiness = POISE_STICKY_MONEYNESS
            let (engine, made) = (try makeEngine(), try grid([same], [sticky]))
            var legs = poise_full_form()
            legs.size = MemoryLayout<poise_full_form>.stride
            #expect(
                poise_scenario_legs(engine.pointer, made.pointer, &legs, POISE_NUMERAIRE_USD, poise_rows())
                    == POISE_ERROR_ARGUMENT)
        },
        Row("rows", "data, row_stride", "rows stand where they are told to, what is between is left alone") {
            var moved = still
            moved.spot = 0.16
            let expected = value(116, years: 0.5) - now
            let close = try profits([same], [moved], years: 0.5)
            #expect(isNear(close[0], expected, 1e-10) && isNear(close[1], expected, 1e-10) && close[2] == -7)
            let apart = try profits([same], [moved], years: 0.5, stride: 24)
            #expect(isNear(apart[0], expected, 1e-10) && isNear(apart[3], expected, 1e-10))
            #expect(apart[1] == -7 && apart[2] == -7)
        },
    ]

    static let rows: [Row] = rules + scenarios
}
