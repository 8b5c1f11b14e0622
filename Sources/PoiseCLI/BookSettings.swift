import Checks
import Foundation
import Market
import Poise

/// Reads `[surface]`, `[book]` and the options to hedge with.
extension SimulationReader {
    private enum Level: String, CaseIterable {
        case constant, instantaneous, trailing, stochastic
    }

    func surface(_ table: Settings?, _ market: MarketSetting) throws -> SurfaceDynamics {
        let base = market.volatility > 0 ? market.volatility : 1
        guard let table else { return try root.checked { try SurfaceDynamics(.constant(base)) } }
        let kind: Level = try table.word("level", default: .constant)
        // The model's own where the level is.
        let volatility = try kind == .instantaneous ? base : table.number("volatility", default: base)
        let level: SurfaceDynamics.Level
        switch kind {
        case .constant: level = .constant(volatility)
        case .instantaneous:
            level = .instantaneous(premium: try table.number("premium", default: 1))
        case .trailing:
            level = .trailing(
                initial: volatility,
                halfLife: try table.number("half_life_hours") / Year.hours,
                premium: try table.number("premium", default: 1))
        case .stochastic:
            level = .stochastic(
                initial: volatility, mean: try table.number("mean", default: volatility),
                meanReversion: try table.number("mean_reversion_per_year"),
                volatilityOfVolatility: try table.number("volatility_of_volatility"),
                correlation: try table.number("correlation", default: 0))
        }
        let skew = try table.number("skew", default: 0)
        let curvature = try table.number("curvature", default: 0)
        let stickiness = try table.number("stickiness", default: 1)
        let minimum = try table.number("minimum", default: 0.01)
        let maximum = try table.number("maximum", default: 10)
        return try table.checked {
            try SurfaceDynamics(
                level, skew: skew, curvature: curvature, stickiness: stickiness, minimum: minimum,
                maximum: maximum)
        }
    }

    private enum OptionType: String, CaseIterable {
        case call, put
    }

    func book(
        _ table: Settings, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> HedgedBook {
        var book = HedgedBook(options: [])
        book.settlement = try table.word("settlement", default: book.settlement)
        book.rate = try table.number("rate_per_year", default: book.rate)
        book.dividend = try table.number("dividend_per_year", default: book.dividend)
        for option in try table.tables("option") {
            var contract = try contract(option, market, surface)
            contract.quantity = try option.number("quantity")
            try option.checked { try contract.validate(option.path) }
            book.options.append(contract)
        }
        try table.checked { try book.validate() }
        return book
    }

    /// One contract, on the surface at the start unless it has a volatility of its own.
    private func contract(
        _ table: Settings, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> HedgedOption {
        let type: OptionType = try table.word("type")
        let moneyness = try table.optionalNumber("moneyness", .within(0.001...1000))
        let written = try table.optionalNumber("strike_usd")
        let expected = "expected either strike_usd or moneyness, its ratio to the spot"
        if moneyness != nil, let written {
            throw table.failure("moneyness", "stands beside strike_usd, \(written.shown): \(expected)")
        }
        guard let strike = moneyness.map({ $0 * market.spot }) ?? written else {
            // Either may be there, misspelt.
            let error = table.missing("moneyness", "is missing: \(expected)")
            if case .invalidSetting(_, _, "", _) = error {
                throw table.missing("strike_usd", "is missing: \(expected)")
            }
            throw error
        }
        let distance = log(strike / market.spot)
        let level = try table.optionalNumber("volatility")
        let slope = surface.skew + surface.curvature * distance
        let smile = max(
            surface.minimum,
            startLevel(surface, market) + distance * (surface.skew + 0.5 * surface.curvature * distance))
        return HedgedOption(
            isPut: type == .put, strike: strike,
            years: try table.number("days") / Year.days,
            volatility: level ?? smile, quantity: 1, skew: slope)
    }

    /// Options to hedge with.
    func hedgeOptions(
        _ table: Settings, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> [HedgeOption] {
        try table.tables("option").map { table in
            let contract = try contract(table, market, surface)
            let (strike, days) = (contract.strike.plain, (contract.years * Year.days).plain)
            let name = "\(contract.isPut ? "put" : "call") \(strike) \(days)d"
            var option = HedgeOption(
                name: try table.optionalText("name") ?? name, isPut: contract.isPut, strike: contract.strike,
                years: contract.years, volatility: contract.volatility, skew: contract.skew)
            option.halfSpread = try table.number("half_spread", default: option.halfSpread)
            option.fee = try table.number("fee", default: option.fee)
            option.feeCap = try table.number("fee_cap", default: option.feeCap)
            option.largestTrade = try table.number("largest_trade_contracts", default: option.largestTrade)
            try table.checked { try option.validate() }
            return option
        }
    }

    private func startLevel(_ surface: SurfaceDynamics, _ market: MarketSetting) -> Double {
        switch surface.level {
        case .constant(let value): value
        case .instantaneous(let premium): market.volatility * premium
        case .trailing(let initial, _, _): initial
        case .stochastic(let initial, _, _, _, _): initial
        }
    }
}

extension Double {
    /// Six significant digits without separators or, but for extremes, powers of ten: `63000`, `0.25`.
    fileprivate var plain: String { String(format: "%.6g", self) }
}
