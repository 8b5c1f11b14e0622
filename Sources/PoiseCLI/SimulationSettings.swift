import Checks
import Foundation
import Market
import Poise
import Rebalancing

/// Everything that a configuration file says.
package struct SimulationSettings {
    package let simulation: HedgingSimulation
    package let policies: [PolicySetting]
    package let paths: Int
    /// Neighbouring windows of a replay that share candles.
    let overlap: Int
    /// Of what decides the figures: the configuration, files that it names, the seed.
    let fingerprint: UInt64
    /// Lines for people: the market, the book, the venues.
    let description: [String]
    let spot: Double
    let replay: CandleReplay?
    private let root: Settings

    /// - Parameters:
    ///   - paths: in place of the configuration's; so is `seed`.
    ///   - threads: that will run it, for the memory that it takes.
    package init(file: String, engine: GreeksEngine, paths: Int?, seed: UInt64?, threads: Int) throws {
        let source = try Source(path: file)
        let root = try Settings(source, renamed: Self.renamed)
        var reader = SimulationReader(root, file: file)
        reader.fingerprint.add(source.bytes)
        try root.refuseOthers(than: [
            "days", "seed", "paths", "step_minutes", "close_at_end", "market", "surface", "book", "hedge",
            "venue", "policy", "margin", "flow", "limits",
        ])

        let days = try root.number("days", .within(0.01...3650))
        let configuredSeed = try root.integer("seed", 0...Int.max, default: 1)
        let wanted = try root.integer("paths", 1...10_000_000, default: 4096)
        let minutes = try root.optionalNumber("step_minutes", .within(0.01...1e6))
        let market = try reader.market(root.required("market"), days: days, minutes: minutes)
        try root.finishTables()
        let surface = try reader.surface(root.table("surface"), market)
        let book = try reader.book(root.required("book"), market, surface)
        try root.finishTables()
        let hedge = try root.required("hedge")
        var terms = TradingTerms(try reader.instrument(hedge), venues: [])
        terms.funding = try reader.funding(hedge, terms.instrument.kind)
        terms.options = try reader.hedgeOptions(hedge, market, surface)
        try root.finishTables()
        terms.venues = try reader.venues(root, market.model.grid)
        try root.finishTables()
        let policies = try PolicySettings.read(
            root, PolicyMarket(stepYears: market.model.grid.stepYears, volatility: market.volatility),
            hasOptions: !terms.options.isEmpty)
        let margin = try root.table("margin")
        terms.margin = try reader.margin(margin, terms.instrument)
        terms.marginModel = try reader.marginModel(margin)
        terms.flow = try reader.flow(root.table("flow"))
        if let limits = try root.table("limits") {
            terms.deltaLimit = try limits.number("delta_coins", default: terms.deltaLimit)
            terms.positionLimit = try limits.number("position_coins", default: terms.positionLimit)
            terms.oldestPrice = try limits.number("oldest_price_seconds", default: terms.oldestPrice)
            try limits.checked { try terms.validateLimits() }
        }
        terms.closesAtEnd = try root.flag("close_at_end", default: terms.closesAtEnd)
        try root.finish()

        let chosenSeed = seed ?? UInt64(configuredSeed)
        unsafe withUnsafeBytes(of: chosenSeed.littleEndian) { unsafe reader.fingerprint.add($0) }
        // Without fused multiply-add the last bits differ.
        if engine.instructionSet == .baseline { reader.fingerprint.add([1]) }
        self.root = root
        self.policies = policies
        self.paths = min(paths ?? wanted, market.model.pathCount ?? .max)
        let grid = market.model.grid
        try MemoryLimit.check(
            SimulationMemory(
                steps: grid.steps, paths: self.paths, policies: policies.count, venues: terms.venues.count,
                expiries: Set(book.options.map(\.years) + terms.options.map(\.years)).count,
                options: terms.options.count),
            "\(grid.steps) steps, \(self.paths) paths and \(policies.count) policies", threads, root)
        simulation = try root.checked {
            do {
                return try HedgingSimulation(
                    model: market.model, surface: surface, book: book, terms: terms,
                    policies: policies.map(\.policy), seed: chosenSeed, engine: engine)
            } catch SimulationError.invalidParameter("margin", "model", _, let reason) {
                throw (margin ?? root).failure("model", reason)
            }
        }
        overlap = market.overlap
        fingerprint = reader.fingerprint.value
        spot = market.spot
        replay = market.replay
        description = [
            "\(market.description), \(grid.steps.counted("step")) of "
                + "\((grid.stepYears * Year.minutes).short) min",
            "\(book.options.count.counted("option")), hedged with \(terms.instrument.kind.rawValue)"
                + (terms.options.isEmpty ? "" : " and \(terms.options.count.counted("option"))") + " at "
                + terms.venues.map(\.name).joined(separator: ", then "),
        ]
    }

    /// Refuses figures that are no numbers, with the table whose settings they come from.
    func check(_ figures: PathOutcomes) throws {
        guard let (policy, path) = figures.firstNotFinite else { return }
        let steps = simulation.trace(policy: policy, path: path)
        let isPrice = { (price: Double) in price > 1e-100 && price < 1e100 }
        let lost = steps.first { !isPrice($0.spot) || !isPrice($0.mark) || !$0.equity.isFinite }
        let key = lost.map { isPrice($0.spot) ? isPrice($0.mark) ? "policy" : "hedge" : "market" } ?? "policy"
        let hours = lost.map { " after \($0.hours.short) h" } ?? ""
        throw root.failure(
            key, root.value[key]?.array?[0] ?? root.value[key],
            "path \(path) of \(policies[policy].policy.name) leaves what can be computed\(hours): price "
                + "\(lost?.spot.short ?? "finite"), equity \(lost?.equity.short ?? "not finite")")
    }

    /// Keys of earlier versions, and what takes their place.
    private static let renamed: [String: String] = {
        var renamed: [String: String] = [:]
        for (old, new, unit) in [
            ("market.spot", "spot_usd", ""), ("market.drift", "drift_per_year", ""),
            ("market.regime.drift", "drift_per_year", ""),
            ("market.mean_reversion", "mean_reversion_per_year", ""),
            ("surface.mean_reversion", "mean_reversion_per_year", ""),
            ("book.rate", "rate_per_year", ""), ("book.dividend", "dividend_per_year", ""),
            ("book.option.strike", "strike_usd", ""), ("hedge.option.strike", "strike_usd", ""),
            ("hedge.option.largest_trade", "largest_trade_contracts", ""),
            ("hedge.basis", "basis_per_year", ""), ("hedge.funding_rate", "funding_rate_per_8_hours", ""),
            ("venue.largest_order", "largest_order_coins", ""),
            ("venue.outages", "outages_from_to_hours", ""), ("venue.stale", "stale_from_to_hours", ""),
            ("margin.collateral", "collateral_usd", ""),
            ("flow.gamma_per_percent", "gamma_coins_per_percent", ""), ("limits.delta", "delta_coins", ""),
            ("limits.position", "position_coins", ""),
            ("policy.delta", "delta_band_coins", ""), ("policy.cash", "delta_band_usd", ""),
            ("policy.move", "delta_band_move", ", a share of the price"),
            ("policy.gamma_band", "gamma_band_coins_per_usd", ""),
            (
                "policy.vega_band", "vega_band_usd_per_point",
                ", a hundredth of the number per 1.00 of volatility"
            ),
            ("policy.theta_band", "theta_band_usd_per_day", ", a 365th of the number per year"),
            ("policy.risk_aversion", "risk_aversion_per_usd", ""),
            ("policy.reference_depth", "reference_depth_coins", ""),
        ] {
            renamed[old] = new + unit
        }
        return renamed
    }()
}

extension PolicySetting {
    /// The label of the family's parameter in a chart.
    var label: String {
        let label = value.map { "\($0.short)\(unit)" } ?? (policy is AlwaysRebalance ? "always" : family)
        return ([label] + bands.map { "\($0.greek.rawValue) \($0.width.short)" }).joined(separator: ", ")
    }
}
