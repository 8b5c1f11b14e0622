import Foundation
import PoiseCLI
import Simulation
import TestSupport
import Testing

/// Keys of `[book]`, `[hedge]`, `[margin]`, `[flow]` and `[limits]`.
enum BookRows {
    typealias Row = EverySettingTests.Row

    static let rows: [Row] = book + contract + hedgeOptions + account

    private static func option(_ settings: SimulationSettings) -> HedgedOption {
        settings.simulation.book.options[0]
    }

    private static let book: [Row] = [
        Row("book.settlement", "a word", "\"coin\"", 1, default: 0) {
            $0.simulation.book.settlement == .coin ? 1 : 0
        },
        Row("book.settlement", "a word", "\"linear\"", 1, default: 1) {
            $0.simulation.book.settlement == .linear ? 1 : 0
        },
        Row("book.rate_per_year", "per year", "0.04", 0.04, default: 0) { $0.simulation.book.rate },
        Row("book.dividend_per_year", "per year", "0.02", 0.02, default: 0) { $0.simulation.book.dividend },
        Row("book.option.type", "a word", "\"put\"", 1, default: nil) { option($0).isPut ? 1 : 0 },
        Row("book.option.type", "a word", "\"call\"", 0, default: nil) { option($0).isPut ? 1 : 0 },
        Row("book.option.moneyness", "strike over spot", "1.1", 110, default: nil) {
            (option($0).strike * 1e9).rounded() / 1e9
        },
        Row("book.option.strike_usd", "USD", "95", 95, default: nil, ["book.option.moneyness": ""]) {
            option($0).strike
        },
        Row("book.option.days", "days", "14", 14.0 / 365, default: nil) { option($0).years },
        Row("book.option.quantity", "contracts, long above 0", "-3", -3, default: nil) {
            option($0).quantity
        },
        Row("book.option.volatility", "per √year", "0.9", 0.9, default: 0.5) { option($0).volatility },
        // The surface at ln 1.1 from the money: σ + x(skew + ½ curvature x), its slope skew + curvature x.
        Row("surface.skew", "per logarithm", "-0.2", 0.5 - 0.2 * log(1.1), default: 0.5, wing) {
            option($0).volatility
        },
        Row("surface.curvature", "per squared logarithm", "4", 0.5 + 2 * pow(log(1.1), 2), default: 0.5, wing)
        {
            option($0).volatility
        },
        Row("surface.curvature", "per squared logarithm", "4", 4 * log(1.1), default: 0, wing) {
            option($0).skew
        },
        Row("surface.minimum", "per √year", "0.6", 0.6, default: 0.5, wing) { option($0).volatility },
        Row(
            "surface.premium", "times the model's volatility", "1.3", 0.65, default: 0.5,
            wing.merging(["surface.level": "\"instantaneous\""]) { $1 }
        ) { option($0).volatility },
    ]
    private static let wing = ["book.option.moneyness": "1.1"]

    private static let contract: [Row] =
        HedgeContract.Kind.allCases.map { kind in
            Row("hedge.instrument", "a word", "\"\(kind.rawValue)\"", 1, default: nil) {
                $0.simulation.terms.instrument.kind == kind ? 1 : 0
            }
        } + [
            Row("hedge.days", "days", "30", 30.0 / 365, default: 90.0 / 365) {
                $0.simulation.terms.instrument.years
            },
            Row("hedge.basis_per_year", "per year", "0.08", 0.08, default: 0) {
                $0.simulation.terms.instrument.basis
            },
            Row("hedge.premium_deviation", "share of the price", "0.001", 0.001, default: 0) {
                $0.simulation.terms.instrument.premiumDeviation
            },
            Row("hedge.premium_half_life_hours", "hours", "3", 3, default: 8) {
                $0.simulation.terms.instrument.premiumHalfLifeHours
            },
            Row("hedge.funding", "a word", "\"premium\"", 1, default: 0) {
                $0.simulation.terms.funding == .premium ? 1 : 0
            },
            Row("hedge.funding", "a word", "\"none\"", 1, default: 1) {
                $0.simulation.terms.funding == .none ? 1 : 0
            },
            Row("hedge.funding", "a word", "\"replay\"", 1, default: 0) {
                $0.simulation.terms.funding == .fromPaths ? 1 : 0
            },
            Row(
                "hedge.funding_rate_per_8_hours", "share of the position per 8 hours", "0.0002", 0.0002,
                default: nil,
                ["hedge.funding": "\"constant\""]
            ) {
                guard case .constant(let rate) = $0.simulation.terms.funding else { return .nan }
                return rate
            },
            Row("hedge.funding_file", "a name", "\"funding.csv\"", 0.001, default: nil, history, firstRate),
            Row("hedge.funding_venue", "a name", "\"b\"", 0.004, default: nil, history, firstRate),
            Row("hedge.funding_symbol", "a name", "\"y\"", 0.002, default: nil, history, firstRate),
        ]

    private static let history = [
        "hedge.funding": "\"history\"", "hedge.funding_file": "\"funding.csv\"",
        "hedge.funding_venue": "\"a\"",
        "hedge.funding_symbol": "\"x\"",
    ]
    private static func firstRate(_ settings: SimulationSettings) -> Double {
        guard case .history(let history) = settings.simulation.terms.funding else { return .nan }
        return history.rates[0]
    }

    private static let call = [
        "hedge.option.type": "\"call\"", "hedge.option.moneyness": "1.2", "hedge.option.days": "30",
    ]
    private static func hedge(_ settings: SimulationSettings) -> HedgeOption {
        settings.simulation.terms.options[0]
    }

    private static let hedgeOptions: [Row] = [
        Row("hedge.option.type", "a word", "\"put\"", 1, default: nil, call) { hedge($0).isPut ? 1 : 0 },
        Row("hedge.option.type", "a word", "\"call\"", 0, default: nil, call) { hedge($0).isPut ? 1 : 0 },
        Row("hedge.option.moneyness", "strike over spot", "0.9", 90, default: nil, call) {
            hedge($0).strike
        },
        Row(
            "hedge.option.strike_usd", "USD", "95", 95, default: nil,
            call.merging(["hedge.option.moneyness": ""]) { $1 }
        ) { hedge($0).strike },
        Row("hedge.option.days", "days", "14", 14.0 / 365, default: nil, call) { hedge($0).years },
        Row("hedge.option.volatility", "per √year", "0.9", 0.9, default: 0.5, call) { hedge($0).volatility },
        Row("hedge.option.half_spread", "share of the premium", "0.03", 0.03, default: 0, call) {
            hedge($0).halfSpread
        },
        Row("hedge.option.fee", "share of the underlying", "0.0003", 0.0003, default: 0, call) {
            hedge($0).fee
        },
        Row("hedge.option.fee_cap", "share of the premium", "0.1", 0.1, default: 0.125, call) {
            hedge($0).feeCap
        },
        Row("hedge.option.largest_trade_contracts", "contracts per step", "50", 50, default: 1e6, call) {
            hedge($0).largestTrade
        },
        Row("hedge.option.name", "a name", "\"near\"", 1, default: 0, call) {
            hedge($0).name == "near" ? 1 : 0
        },
    ]

    private static let margin = ["margin.collateral_usd": "5000", "margin.maintenance": "0.01"]
    private static let venue = SharedData.packageRoot.appendingPathComponent("Examples/margin/paradex.json")
        .path
    private static let flow = ["flow.gamma_coins_per_percent": "-40", "flow.impact_per_coin": "1e-5"]
    private static func margin(_ settings: SimulationSettings) throws -> MarginAccount {
        try #require(settings.simulation.terms.margin)
    }
    private static func flow(_ settings: SimulationSettings) throws -> ReflexiveFlow {
        try #require(settings.simulation.terms.flow)
    }

    private static let account: [Row] = [
        Row("margin.collateral_usd", "USD", "700", 700, default: nil, margin) { try margin($0).collateral },
        Row("margin.maintenance", "share of the position", "0.02", 0.02, default: nil, margin) {
            try margin($0).maintenance
        },
        Row("margin.option_maintenance", "share of the underlying", "0.075", 0.075, default: 0, margin) {
            try margin($0).optionMaintenance
        },
        Row("margin.penalty", "share of what is closed", "0.01", 0.01, default: 0.005, margin) {
            try margin($0).penalty
        },
        Row("margin.model", "a name", "\"\(venue)\"", 1, default: nil, ["margin.collateral_usd": "5000"]) {
            $0.simulation.terms.marginModel?.kind == "scan" ? 1 : 0
        },
        Row("margin.crossed", "true or false", "true", 1, default: 0, margin) {
            try margin($0).isCrossed ? 1 : 0
        },
        Row("flow.gamma_coins_per_percent", "coins per percent", "-7", -7, default: nil, flow) {
            try flow($0).gammaPerPercent
        },
        Row("flow.impact_per_coin", "share of the price per coin", "3e-6", 3e-6, default: nil, flow) {
            try flow($0).impactPerCoin
        },
        Row("flow.persistence", "share that stays", "0.4", 0.4, default: 1, flow) {
            try flow($0).persistence
        },
        Row("limits.delta_coins", "coins", "4", 4, default: .infinity) { $0.simulation.terms.deltaLimit },
        Row("limits.position_coins", "coins", "6", 6, default: .infinity) {
            $0.simulation.terms.positionLimit
        },
        Row("limits.oldest_price_seconds", "seconds", "90", 90, default: 0) {
            $0.simulation.terms.oldestPrice
        },
    ]
}
