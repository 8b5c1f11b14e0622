import Market

/// A policy that a configuration can name and set. A new one is a file with the policy and this conformance, and a line
/// in `PolicySettings.kinds`.
package protocol ConfiguredPolicy: RebalancingPolicy {
    /// The value of `kind`.
    static var kind: String { get }
    /// Reads the policy's own keys; those of bands on other Greeks, depth and age of data are read for all.
    static func family(_ settings: Settings, _ market: PolicyMarket) throws -> PolicyFamily
}

/// The context to which settings of policies refer.
package struct PolicyMarket: Sendable {
    /// Years from one decision to the next.
    package let stepYears: Double
    /// Per square root of a year, at the start.
    package let volatility: Double

    package init(stepYears: Double, volatility: Double) {
        self.stepYears = stepYears
        self.volatility = volatility
    }
}

/// Policies that differ in one number.
package struct PolicyFamily {
    package var name: String
    /// The policies with that number; nil where the family is one policy.
    package var members: [(policy: any RebalancingPolicy, value: Double?)]
    /// Of the numbers, as labels show it: ` h`.
    package let unit: String

    package init(_ name: String, _ policy: any RebalancingPolicy) {
        (self.name, members, unit) = (name, [(policy, nil)], "")
    }

    /// One policy per number of a key, which has one or an array of them.
    package init(
        _ name: String, _ settings: Settings, _ key: String, unit: String = "",
        _ make: (Double) throws -> any RebalancingPolicy
    ) throws(MarketError) {
        (self.name, self.unit) = (name, unit)
        members = try settings.oneOrMore(key, make).map { ($0.made, $0.number) }
    }
}

/// A policy of a configuration with everything around it.
package struct PolicySetting {
    /// As charts call it.
    package let family: String
    package let policy: any RebalancingPolicy
    /// The number in which it differs from the rest of its family, with its unit; nil where it is alone.
    package let value: Double?
    package let unit: String
    /// Half-widths of its bands on other Greeks than delta, in the units of their keys.
    package let bands: [(greek: RebalancedGreek, width: Double)]
}

/// Reads `[[policy]]`.
package enum PolicySettings {
    package static let kinds: [any ConfiguredPolicy.Type] = [
        NeverRebalance.self, AlwaysRebalance.self, TimePolicy.self, ThresholdPolicy.self, LelandPolicy.self,
        WhalleyWilmottPolicy.self, ZakamoulinePolicy.self, PredictivePolicy.self,
    ]

    /// A band that options keep beside the policy's own.
    private struct Companion {
        let key: String
        let greek: RebalancedGreek
        let width: @Sendable (Double) -> ThresholdPolicy.HalfWidth
    }

    private static let companions = [
        Companion(key: "gamma_band_coins_per_usd", greek: .gamma) { .greek(.gamma, $0) },
        Companion(key: "gamma_band_usd_per_percent", greek: .gamma) { .limit(.gamma, $0) },
        Companion(key: "vega_band_usd_per_point", greek: .vega) { .limit(.vega, $0) },
        Companion(key: "theta_band_usd_per_day", greek: .theta) { .limit(.theta, $0) },
    ]

    /// The policies of the tables `[[policy]]` of a file, in order.
    /// - Parameter hasOptions: whether there is something to keep bands on gamma, vega and theta with.
    package static func read(
        _ root: Settings, _ market: PolicyMarket, hasOptions: Bool
    ) throws -> [PolicySetting] {
        var result: [PolicySetting] = []
        var names: Set<String> = []
        for settings in try root.tables("policy") {
            for setting in try read(settings, market, hasOptions) {
                guard names.insert(setting.policy.name).inserted else {
                    throw settings.failure("", settings.value, "\"\(setting.policy.name)\" stands twice")
                }
                result.append(setting)
            }
        }
        guard !result.isEmpty else { throw root.missing("policy", "is missing: expected tables [[policy]]") }
        return result
    }

    private static func read(
        _ settings: Settings, _ market: PolicyMarket, _ hasOptions: Bool
    ) throws -> [PolicySetting] {
        var bands: [any RebalancingPolicy] = []
        var widths: [(greek: RebalancedGreek, width: Double)] = []
        for companion in companions {
            guard let width = try settings.optionalNumber(companion.key) else { continue }
            let landing = try Landing(settings)
            bands.append(
                try settings.checked(companion.key, of: settings.node(companion.key)) {
                    try ThresholdPolicy(companion.width(width), landing: landing)
                })
            guard hasOptions else {
                throw settings.failure(
                    companion.key, "only options bring it back: expected tables [[hedge.option]]")
            }
            widths.append((companion.greek, width))
        }
        let word = try settings.text("kind")
        guard let kind = kinds.first(where: { $0.kind == word }) else {
            throw settings.failure("kind", "must be one of \(kinds.map { $0.kind }.joined(separator: ", "))")
        }
        let name = try settings.optionalText("family")
        let family = try kind.family(settings, market)
        var result: [PolicySetting] = []
        for member in family.members {
            var policy = member.policy
            if !bands.isEmpty {
                policy = try settings.checked { () throws -> any RebalancingPolicy in
                    try JointPolicy(member.policy, bands)
                }
            }
            // The wrappers go around all bands: what is too old for the underlying is too old for options.
            if !(policy is NeverRebalance) { policy = try wrapped(policy, settings) }
            result.append(
                PolicySetting(
                    family: name ?? family.name, policy: policy, value: member.value, unit: family.unit,
                    bands: widths))
        }
        try settings.finish()
        return result
    }

    /// With wider bands in thin markets, and with an age limit for prices, where they are asked for.
    private static func wrapped(
        _ policy: any RebalancingPolicy, _ settings: Settings
    ) throws -> any RebalancingPolicy {
        var policy = policy
        if let depth = try settings.optionalNumber("reference_depth_coins") {
            policy = try settings.checked(
                "reference_depth_coins", of: settings.node("reference_depth_coins")
            ) {
                try LiquidityAwarePolicy(policy, referenceDepth: depth)
            }
        }
        if let fresh = try settings.optionalNumber("fresh_seconds") {
            let stale = try settings.number("stale_seconds")
            policy = try settings.checked {
                try FreshDataPolicy(policy, freshSeconds: fresh, staleSeconds: stale)
            }
        }
        return policy
    }
}

extension Landing {
    /// Reads `landing`, from 0, the centre, to 1, the edge.
    init(_ settings: Settings) throws(MarketError) {
        let share = try settings.number("landing", default: 1)
        self = share == 1 ? .edge : share == 0 ? .centre : .inner(share)
        try settings.checked { try check() }
    }
}
