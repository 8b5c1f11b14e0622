import PoiseCLI
import Rebalancing
import Simulation
import Testing

/// Keys of `[[policy]]`.
enum PolicyRows {
    typealias Row = EverySettingTests.Row

    static let rows: [Row] = kinds + adjustments + companions + wrappers

    private static func policy<Policy: RebalancingPolicy>(_ settings: SimulationSettings, as: Policy.Type)
        throws -> Policy
    {
        try #require(settings.policies[0].policy as? Policy)
    }
    private static func width(_ settings: SimulationSettings) throws -> ThresholdPolicy.HalfWidth {
        try policy(settings, as: ThresholdPolicy.self).halfWidth
    }
    private static func adjustment(_ settings: SimulationSettings) throws -> VolatilityAdjustment {
        try #require(try policy(settings, as: ThresholdPolicy.self).adjustment)
    }
    private static func companion(_ settings: SimulationSettings) throws -> ThresholdPolicy {
        try #require(try policy(settings, as: JointPolicy.self).companions.first as? ThresholdPolicy)
    }

    private static func kind(_ word: String, _ keys: [String: String] = [:]) -> [String: String] {
        ["policy.kind": "\"\(word)\"", "policy.hours": ""].merging(keys) { $1 }
    }
    private static let threshold = kind("threshold", ["policy.delta_band_coins": "0.5"])
    private static func averse(_ word: String) -> [String: String] {
        kind(word, ["policy.risk_aversion_per_usd": "0.01"])
    }

    private static let kinds: [Row] = [
        Row("policy.kind", "a word", "\"never\"", 1, default: nil, kind("never")) {
            $0.policies[0].policy is NeverRebalance ? 1 : 0
        },
        Row("policy.kind", "a word", "\"always\"", 1, default: nil, kind("always")) {
            $0.policies[0].policy is AlwaysRebalance ? 1 : 0
        },
        Row("policy.family", "a name", "\"mine\"", 1, default: 0) { $0.policies[0].family == "mine" ? 1 : 0 },
        Row("policy.hours", "hours", "6", 6.0 / 8760, default: nil) {
            try policy($0, as: TimePolicy.self).intervalYears
        },
        Row("policy.hours", "hours", "[2, 6]", 6, default: nil) { $0.policies[1].value ?? .nan },
        Row("policy.hours", "hours", "6", 6.0 / 8760, default: nil, kind("leland", ["policy.hours": "2"])) {
            try policy($0, as: LelandPolicy.self).intervalYears
        },
        Row("policy.delta_band_coins", "coins", "2", 2, default: nil, threshold) {
            guard case .delta(let value) = try width($0) else { return .nan }
            return value
        },
        Row("policy.delta_band_usd", "USD", "300", 300, default: nil, kind("threshold")) {
            guard case .limit(.delta, let value) = try width($0) else { return .nan }
            return value
        },
        Row("policy.delta_band_move", "share of the price", "0.02", 0.02, default: nil, kind("threshold")) {
            guard case .move(let value) = try width($0) else { return .nan }
            return value
        },
        Row("policy.landing", "share of the band", "0.25", 0.25, default: 1, threshold) {
            switch try policy($0, as: ThresholdPolicy.self).landing {
            case .edge: 1
            case .centre: 0
            case .inner(let share): share
            }
        },
        Row("policy.landing", "share of the band", "0", 1, default: 0, threshold) {
            try policy($0, as: ThresholdPolicy.self).landing == .centre ? 1 : 0
        },
        Row("policy.risk_aversion_per_usd", "per USD", "0.03", 0.03, default: nil, averse("whalley_wilmott"))
        {
            try policy($0, as: WhalleyWilmottPolicy.self).riskAversion
        },
        Row("policy.risk_aversion_per_usd", "per USD", "0.03", 0.03, default: nil, averse("zakamouline")) {
            try policy($0, as: ZakamoulinePolicy.self).riskAversion
        },
        Row("policy.risk_aversion_per_usd", "per USD", "0.03", 0.03, default: nil, averse("predictive")) {
            try policy($0, as: PredictivePolicy.self).riskAversion
        },
        Row("policy.steps", "steps", "5", 5, default: 8, averse("predictive")) {
            Double(try policy($0, as: PredictivePolicy.self).horizon)
        },
        Row(
            "policy.impact", "share of the price, for the depth", "0.02", 0.02, default: 0,
            averse("predictive")
        ) {
            try policy($0, as: PredictivePolicy.self).impact
        },
        Row("step_minutes", "minutes", "30", 0.5 / 8760, default: 1.0 / 8760, averse("predictive")) {
            try policy($0, as: PredictivePolicy.self).stepYears
        },
    ]

    private static let scaled = threshold.merging([
        "policy.estimator": "\"parkinson\"", "policy.exponent": "1",
    ]) { $1 }
    private static let weighted = scaled.merging([
        "policy.estimator": "\"ewma\"", "policy.half_life_hours": "3",
    ]) { $1 }

    private static let adjustments: [Row] = [
        Row("policy.estimator", "a word", "\"parkinson\"", 24, default: nil, scaled) {
            guard case .parkinson(let window) = try adjustment($0).estimator else { return .nan }
            return Double(window)
        },
        Row("policy.estimator", "a word", "\"bipower\"", 24, default: nil, scaled) {
            guard case .bipower(let window) = try adjustment($0).estimator else { return .nan }
            return Double(window)
        },
        Row("policy.estimator", "a word", "\"garman_klass\"", 24, default: nil, scaled) {
            guard case .garmanKlass(let window) = try adjustment($0).estimator else { return .nan }
            return Double(window)
        },
        Row("policy.window_steps", "steps", "7", 7, default: 24, scaled) {
            guard case .parkinson(let window) = try adjustment($0).estimator else { return .nan }
            return Double(window)
        },
        Row("policy.half_life_hours", "hours", "6", 6.0 / 8760, default: nil, weighted) {
            guard case .exponentiallyWeighted(let halfLife) = try adjustment($0).estimator else {
                return .nan
            }
            return halfLife
        },
        Row("policy.exponent", "power", "-0.5", -0.5, default: nil, scaled) { try adjustment($0).exponent },
        Row("policy.reference_volatility", "per √year", "0.9", 0.9, default: 0.5, scaled) {
            try adjustment($0).reference
        },
        Row("policy.least_factor", "times the band", "0.3", 0.3, default: 0.1, scaled) {
            try adjustment($0).minimum
        },
        Row("policy.largest_factor", "times the band", "4", 4, default: 10, scaled) {
            try adjustment($0).maximum
        },
        Row(
            "policy.exponent", "power of intervals", "-2", -2, default: nil,
            [
                "policy.estimator": "\"parkinson\"", "policy.exponent": "1",
            ]
        ) { try #require(try policy($0, as: TimePolicy.self).adjustment).exponent },
    ]

    private static let optioned = [
        "hedge.option.type": "\"call\"", "hedge.option.moneyness": "1.2", "hedge.option.days": "30",
    ]
    /// Without the band there is no companion.
    private static func band(
        _ key: String, _ unit: String, _ value: String, _ halfWidth: ThresholdPolicy.HalfWidth
    ) -> Row {
        Row("policy.\(key)", unit, value, 1, default: 0, optioned) {
            $0.policies[0].policy is JointPolicy ? try companion($0).halfWidth == halfWidth ? 1 : -1 : 0
        }
    }

    private static let companions: [Row] = [
        band("gamma_band_coins_per_usd", "coins per USD", "0.02", .greek(.gamma, 0.02)),
        band("gamma_band_usd_per_percent", "USD per percent", "40", .limit(.gamma, 40)),
        band("vega_band_usd_per_point", "USD per point", "50", .limit(.vega, 50)),
        band("theta_band_usd_per_day", "USD per day", "60", .limit(.theta, 60)),
        Row(
            "policy.landing", "share of the band", "0.5", 0.5, default: 1,
            optioned.merging(["policy.vega_band_usd_per_point": "50"]) { $1 }
        ) {
            switch try companion($0).landing {
            case .edge: 1
            case .centre: 0
            case .inner(let share): share
            }
        },
    ]

    private static let fresh = ["policy.fresh_seconds": "60", "policy.stale_seconds": "600"]

    private static let wrappers: [Row] = [
        Row("policy.reference_depth_coins", "coins", "30", 30, default: 0, threshold) {
            ($0.policies[0].policy as? LiquidityAwarePolicy)?.referenceDepth ?? 0
        },
        Row("policy.fresh_seconds", "seconds", "30", 30, default: nil, fresh) {
            try policy($0, as: FreshDataPolicy.self).freshSeconds
        },
        Row("policy.stale_seconds", "seconds", "90", 90, default: nil, fresh) {
            try policy($0, as: FreshDataPolicy.self).staleSeconds
        },
    ]
}
