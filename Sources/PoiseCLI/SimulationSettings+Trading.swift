import Foundation
import Poise

extension SimulationReader {
    private enum Level: String, CaseIterable {
        case constant, instantaneous, trailing, stochastic
    }

    func surface(_ table: ConfigurationTable?, _ market: MarketSetting) throws -> SurfaceDynamics {
        let base = market.volatility > 0 ? market.volatility : 1
        guard let table else { return try root.checked { try SurfaceDynamics(.constant(base)) } }
        let volatility = try table.number("volatility", .within(0.001...20), default: base)
        let kind: Level = try table.word("level", default: .constant)
        let level: SurfaceDynamics.Level
        switch kind {
        case .constant: level = .constant(volatility)
        case .instantaneous:
            level = .instantaneous(premium: try table.number("premium", .positive, default: 1))
        case .trailing:
            level = .trailing(
                initial: volatility,
                halfLife: try table.number("half_life_hours", .positive) / 8760,
                premium: try table.number("premium", .positive, default: 1))
        case .stochastic:
            level = .stochastic(
                initial: volatility, mean: try table.number("mean", .within(0.001...20), default: volatility),
                meanReversion: try table.number("mean_reversion", .notNegative),
                volatilityOfVolatility: try table.number("volatility_of_volatility", .notNegative),
                correlation: try table.number("correlation", .within(-1...1), default: 0))
        }
        let skew = try table.number("skew", .within(-10...10), default: 0)
        let curvature = try table.number("curvature", .within(-10...10), default: 0)
        let stickiness = try table.number("stickiness", .within(-2...3), default: 1)
        let minimum = try table.number("minimum", .positive, default: 0.01)
        let maximum = try table.number("maximum", .positive, default: 10)
        guard minimum <= maximum else {
            throw table.wrong("minimum", minimum.significant, "is above the maximum, \(maximum.significant)")
        }
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
        _ table: ConfigurationTable, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> HedgedBook {
        let settlement: HedgedBook.Settlement = try table.word("settlement", default: .linear)
        let rate = try table.number("rate", .within(-1...1), default: 0)
        let dividend = try table.number("dividend", .within(-1...1), default: 0)
        let options = try table.list("option").map { option in
            var contract = try contract(option, market, surface)
            contract.quantity = try option.number("quantity", .finite)
            return contract
        }
        let book = HedgedBook(options: options, settlement: settlement, rate: rate, dividend: dividend)
        try table.checked { try book.validate() }
        return book
    }

    /// One contract, on the surface at the start unless it has a volatility of its own.
    private func contract(
        _ table: ConfigurationTable, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> HedgedOption {
        let type: OptionType = try table.word("type")
        let moneyness = try table.optionalNumber("moneyness", .within(0.001...1000))
        let written = try table.optionalNumber("strike", .positive)
        let expected = "expected either strike or moneyness, its ratio to the spot"
        if let moneyness, let written {
            throw table.wrong(
                "moneyness", moneyness.plain,
                "stands beside strike, \(written.plain): \(expected)")
        }
        guard let strike = moneyness.map({ $0 * market.spot }) ?? written else {
            try table.refuseMisspelt(["strike", "moneyness"])
            throw table.wrong("strike", "none", expected)
        }
        let distance = log(strike / market.spot)
        let level = try table.optionalNumber("volatility", .within(0.001...20))
        let slope = surface.skew + surface.curvature * distance
        let smile = max(
            surface.minimum,
            startLevel(surface, market) + distance * (surface.skew + 0.5 * surface.curvature * distance))
        return HedgedOption(
            isPut: type == .put, strike: strike, years: try table.number("days", .positive) / 365,
            volatility: level ?? smile, quantity: 1, skew: slope)
    }

    /// Options to hedge with.
    func hedgeOptions(
        _ table: ConfigurationTable, _ market: MarketSetting, _ surface: SurfaceDynamics
    ) throws -> [HedgeOption] {
        try table.list("option").map { table in
            let contract = try contract(table, market, surface)
            let (strike, days) = (contract.strike.plain, (contract.years * 365).plain)
            let name = "\(contract.isPut ? "put" : "call") \(strike) \(days)d"
            let option = HedgeOption(
                name: try table.optionalText("name") ?? name, isPut: contract.isPut, strike: contract.strike,
                years: contract.years, volatility: contract.volatility, skew: contract.skew,
                halfSpread: try table.number("half_spread", .share, default: 0),
                fee: try table.number("fee", .share, default: 0),
                feeCap: try table.number("fee_cap", .share, default: 0.125),
                largestTrade: try table.number("largest_trade", .within(1e-9...1e9), default: 1e6))
            try table.checked { try option.book.validate() }
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

    private enum FundingKind: String, CaseIterable {
        case none, constant, history, premium, replay
    }

    mutating func hedge(
        _ table: ConfigurationTable
    ) throws -> (instrument: HedgeContract, funding: Funding) {
        let kind: HedgeContract.Kind = try table.word("instrument")
        let instrument = HedgeContract(
            kind: kind, years: try table.number("days", .positive, default: 90) / 365,
            basis: try table.number("basis", .within(-5...5), default: 0),
            premiumDeviation: try table.number("premium_deviation", .within(0...0.1), default: 0),
            premiumHalfLifeHours: try table.number("premium_half_life_hours", .positive, default: 8))
        let source: FundingKind = try table.word("funding", default: FundingKind.none)
        if source != .none, kind != .linearPerpetual, kind != .inversePerpetual {
            throw table.wrong("funding", "\"\(source.rawValue)\"", "\(kind.rawValue) pays none")
        }
        let funding: Funding
        switch source {
        case .none: funding = .none
        case .constant: funding = .constant(try table.number("funding_rate", .within(-0.1...0.1)))
        case .premium: funding = .premium
        case .replay: funding = .fromPaths
        case .history:
            funding = .history(
                try FundingHistory(
                    try data(table.text("funding_file"), table, "funding_file"),
                    venue: try table.text("funding_venue"),
                    symbol: try table.text("funding_symbol")))
        }
        return (instrument, funding)
    }

    private enum VenueKind: String, CaseIterable {
        case orderBook = "order_book"
        case pool
    }
    private enum OrderKind: String, CaseIterable {
        case taker, maker
    }

    mutating func venues(_ root: ConfigurationTable) throws -> [Venue] {
        let tables = try root.list("venue")
        guard !tables.isEmpty else { throw root.wrong("venue", "none", "expected tables [[venue]]") }
        var venues: [Venue] = []
        for table in tables {
            let name = try table.text("name")
            let kind: VenueKind = try table.word("kind", default: .orderBook)
            let costs = try kind == .orderBook ? orderBook(table) : pool(table)
            let failures = try failures(table)
            let latency =
                kind == .orderBook ? try table.number("latency_seconds", .notNegative, default: 0) : 0
            let largest = try table.optionalNumber("largest_order", .positive) ?? .infinity
            venues.append(
                Venue(
                    name: name, costs: costs, failures: failures, latencySeconds: latency,
                    largestOrder: largest))
        }
        return venues
    }

    private func orderBook(_ table: ConfigurationTable) throws -> Venue.Costs {
        let kind: OrderKind = try table.word("order", default: .taker)
        return .orderBook(
            OrderBookCosts(
                halfSpread: try table.number("half_spread", .share, default: 0),
                spreadWidening: try table.number("spread_widening", .notNegative, default: 0),
                takerFee: try table.number("taker_fee", .share, default: 0),
                makerFee: try table.number("maker_fee", .within(-0.01...1), default: 0),
                isMaker: kind == .maker,
                linearImpact: try table.number("linear_impact", .notNegative, default: 0),
                squareRootImpact: try table.number("square_root_impact", .notNegative, default: 0),
                depth: try table.number("depth_usd", .positive, default: 1e6),
                impactHalfLifeHours: try table.number("impact_half_life_hours", .notNegative, default: 0)))
    }

    private mutating func pool(_ table: ConfigurationTable) throws -> Venue.Costs {
        let liquidity: Double
        if let path = try table.optionalText("liquidity_file") {
            let unit = try table.number("liquidity_unit", .positive)
            let column = try ColumnOfNumbers(try data(path, table, "liquidity_file"), column: "liquidity")
            liquidity = column.median / unit
        } else {
            liquidity = try table.number("liquidity", .positive)
        }
        return .pool(
            PoolCosts(
                liquidity: liquidity, fee: try table.number("fee", .within(0...0.5)),
                gas: try table.number("gas_usd", .notNegative),
                gasSpike: try table.number("gas_spike", .atLeast(1), default: 1),
                gasSpikeProbability: try table.number("gas_spike_probability", .share, default: 0),
                gasSpikeReturn: try table.optionalNumber("gas_spike_return", .positive) ?? .infinity,
                failureProbability: try table.number("failed_transactions", .share, default: 0),
                blockSeconds: try table.number("block_seconds", .positive, default: 12),
                blocks: try table.number("blocks", .notNegative, default: 1)))
    }

    private func failures(_ table: ConfigurationTable) throws -> VenueFailures {
        func spans(_ key: String) throws -> [Outage] {
            try table.spans(key).map { Outage(fromHour: $0.0, toHour: $0.1) }
        }
        return VenueFailures(
            outages: try spans("outages"), staleSpans: try spans("stale"),
            outagesPerYear: try table.number("outages_per_year", .notNegative, default: 0),
            outageHours: try table.number("outage_hours", .positive, default: 1),
            crashReturn: try table.optionalNumber("crash_return", .positive) ?? .infinity,
            crashOutageProbability: try table.number("crash_outage_probability", .share, default: 0),
            orderFailure: try table.number("order_failure", .share, default: 0),
            partialFill: try table.number("partial_fill", .share, default: 0),
            leastFill: try table.number("least_fill", .share, default: 0))
    }

    func margin(_ table: ConfigurationTable?) throws -> MarginAccount? {
        guard let table else { return nil }
        return MarginAccount(
            collateral: try table.number("collateral", .positive),
            maintenance: try table.number("maintenance", .share),
            optionMaintenance: try table.number("option_maintenance", .share, default: 0),
            penalty: try table.number("penalty", .share, default: 0.005),
            isCrossed: try table.flag("crossed", default: false))
    }

    func flow(_ table: ConfigurationTable?) throws -> ReflexiveFlow? {
        guard let table else { return nil }
        return ReflexiveFlow(
            gammaPerPercent: try table.number("gamma_per_percent", .finite),
            impactPerCoin: try table.number("impact_per_coin", .notNegative),
            persistence: try table.number("persistence", .share, default: 1))
    }

    // MARK: Policies

    private enum PolicyKind: String, CaseIterable {
        case never, always, clock, threshold, leland, zakamouline, predictive
        case whalleyWilmott = "whalley_wilmott"
    }

    func policies(
        _ root: ConfigurationTable, _ market: MarketSetting, hasOptions: Bool
    ) throws -> [PolicySetting] {
        let tables = try root.list("policy")
        guard !tables.isEmpty else { throw root.wrong("policy", "none", "expected tables [[policy]]") }
        let settings = try tables.flatMap { table in
            let bands = try bands(table, hasOptions: hasOptions)
            let settings = try family(table, market)
            let label = try bands.map {
                ", \($0.greek.rawValue) \(try table.number($0.key, .notNegative).short)"
            }
            let complete = try settings.map { setting in
                // The wrappers go around all bands: what is too old for the underlying is too old for
                // options.
                let policy = try table.checked {
                    bands.isEmpty
                        ? setting.policy : try JointPolicy(setting.policy, bands.map(\.policy))
                }
                return PolicySetting(
                    family: setting.family,
                    policy: policy is NeverRebalance
                        ? policy : try table.checked { try wrapped(table, policy) },
                    label: setting.label + label.joined())
            }
            try table.finish()
            return complete
        }
        var names: Set<String> = []
        for setting in settings where !names.insert(setting.policy.name).inserted {
            throw root.wrong("policy", "\"\(setting.policy.name)\"", "stands twice")
        }
        return settings
    }

    private func family(_ table: ConfigurationTable, _ market: MarketSetting) throws -> [PolicySetting] {
        let kind: PolicyKind = try table.word("kind")
        let ownFamily = try table.optionalText("family")
        let adjustment = try adjustment(table, market)
        func settings(
            _ key: String, _ rule: SettingRule, _ defaultFamily: String, unit: String = "",
            _ make: (Double) throws -> any RebalancingPolicy
        ) throws -> [PolicySetting] {
            try table.numbers(key, rule).map { value in
                PolicySetting(
                    family: ownFamily ?? defaultFamily,
                    policy: try table.checked { try make(value) },
                    label: "\(value.short)\(unit)")
            }
        }
        switch kind {
        case .never:
            return [PolicySetting(family: ownFamily ?? "never", policy: NeverRebalance(), label: "never")]
        case .always:
            return [
                PolicySetting(
                    family: ownFamily ?? "every step", policy: AlwaysRebalance(), label: "always")
            ]
        case .clock:
            return try settings(
                "hours", .positive, adjustment == nil ? "clock" : "volatility-scaled", unit: " h"
            ) {
                try TimePolicy(interval: $0 / 8760, adjustment: adjustment)
            }
        case .threshold:
            let landing = try landing(table)
            let keys = ["delta", "move", "cash"].filter(table.has)
            guard keys.count == 1 else {
                if keys.isEmpty { try table.refuseMisspelt(["delta", "move", "cash"]) }
                throw table.wrong("kind", "\"threshold\"", "expected one of delta, move or cash")
            }
            let name = adjustment == nil ? "threshold" : "volatility-scaled"
            return try settings(keys[0], .notNegative, name) { value in
                let width: ThresholdPolicy.HalfWidth =
                    keys[0] == "delta" ? .delta(value) : keys[0] == "move" ? .move(value) : .cash(value)
                return try ThresholdPolicy(width, landing: landing, adjustment: adjustment)
            }
        case .leland:
            return try settings("hours", .positive, "Leland", unit: " h") {
                try LelandPolicy(interval: $0 / 8760)
            }
        case .whalleyWilmott:
            return try settings("risk_aversion", .positive, "Whalley–Wilmott") {
                try WhalleyWilmottPolicy(riskAversion: $0)
            }
        case .zakamouline:
            return try settings("risk_aversion", .positive, "Zakamouline") {
                try ZakamoulinePolicy(riskAversion: $0)
            }
        case .predictive:
            let steps = try table.integer("steps", 1...64, default: 8)
            let impact = try table.number("impact", .notNegative, default: 0)
            return try settings("risk_aversion", .positive, "predictive") {
                try PredictivePolicy(
                    steps: steps, stepYears: market.model.grid.stepYears, riskAversion: $0, impact: impact)
            }
        }
    }

    /// Bands on other Greeks than delta.
    private func bands(
        _ table: ConfigurationTable, hasOptions: Bool
    ) throws -> [(greek: RebalancedGreek, key: String, policy: any RebalancingPolicy)] {
        try RebalancedGreek.allCases.filter { $0 != .delta }.compactMap { greek in
            let key = "\(greek.rawValue)_band"
            guard let width = try table.optionalNumber(key, .notNegative) else { return nil }
            guard hasOptions else {
                throw table.wrong(
                    key, width.significant, "only options bring it back: expected tables [[hedge.option]]")
            }
            let landing = try landing(table)
            return (greek, key, try ThresholdPolicy(.greek(greek, width), landing: landing))
        }
    }

    /// With wider bands in thin markets, and with an age limit for prices, where they are asked for.
    private func wrapped(
        _ table: ConfigurationTable, _ policy: any RebalancingPolicy
    ) throws -> any RebalancingPolicy {
        var policy = policy
        if let depth = try table.optionalNumber("reference_depth", .positive) {
            policy = try LiquidityAwarePolicy(policy, referenceDepth: depth)
        }
        if let fresh = try table.optionalNumber("fresh_seconds", .positive) {
            policy = try FreshDataPolicy(
                policy, fresh: fresh, stale: try table.number("stale_seconds", .atLeast(fresh)))
        }
        return policy
    }

    private func landing(_ table: ConfigurationTable) throws -> Landing {
        let share = try table.number("landing", .share, default: 1)
        return share == 1 ? .edge : share == 0 ? .centre : .inner(share)
    }

    private enum Estimator: String, CaseIterable {
        case ewma, parkinson, bipower
        case garmanKlass = "garman_klass"
    }

    private func adjustment(
        _ table: ConfigurationTable, _ market: MarketSetting
    ) throws -> VolatilityAdjustment? {
        guard table.has("estimator") else { return nil }
        let kind: Estimator = try table.word("estimator")
        let estimator: RealisedVolatility
        if kind == .ewma {
            estimator = .exponentiallyWeighted(
                halfLife: try table.number("half_life_hours", .positive) / 8760)
        } else {
            let window = try table.integer("window_steps", 1...100_000, default: 24)
            estimator =
                kind == .parkinson
                ? .parkinson(window: window)
                : kind == .bipower ? .bipower(window: window) : .garmanKlass(window: window)
        }
        let minimum = try table.number("least_factor", .positive, default: 0.1)
        let maximum = try table.number("largest_factor", .positive, default: 10)
        guard minimum <= maximum else {
            throw table.wrong(
                "least_factor", minimum.significant, "is above largest_factor, \(maximum.significant)")
        }
        let reference = try table.number("reference_volatility", .positive, default: market.volatility)
        let exponent = try table.number("exponent", .finite)
        return try table.checked {
            try VolatilityAdjustment(
                estimator, reference: reference, exponent: exponent, minimum: minimum, maximum: maximum)
        }
    }
}

extension Double {
    /// Six significant digits without separators or, but for extremes, powers of ten: `63000`, `0.25`.
    fileprivate var plain: String { String(format: "%.6g", self) }
}

/// One column of a table of numbers.
struct ColumnOfNumbers {
    let values: [Double]

    init(_ source: Source, column: String) throws(MarketError) {
        let table = try CommaSeparated(source)
        let place = try table.required(column)
        var values: [Double] = []
        var badRows = BadRows(skip: false)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            values.append(try row.number(place, column, .positive))
        }
        guard !values.isEmpty else { throw .empty(file: source.name) }
        self.values = values
    }

    var median: Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
