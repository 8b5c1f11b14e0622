import Greeks
import Market
import Risk

/// The profit of positions in one scenario of a grid, in US dollars: a loss limit is a `low` below 0.
struct ScenarioProfit: NamedLimitMeasure {
    let grid: ScenarioGrid
    let scenario: Int

    static let tableNames = ["scenario_profit"]

    var name: String { "profit in \(grid.title(scenario)) of \(grid.name)" }
    var unitName: String { "usd" }

    func figures(_ market: LimitMarket) throws(RiskError) -> [[Double]] {
        try market.profits(grid, [scenario])
    }

    /// The scenario of the row's number, from 1 in the order of the grid, or of its title as reports show it; where
    /// it is empty each of them.
    static func read(_ name: String, _ row: LimitRow) throws(MarketError) -> [any LimitMeasure] {
        let grid = try row.grid()
        guard let wanted = row.text("scenario") else {
            return (0..<grid.count).map { ScenarioProfit(grid: grid, scenario: $0) }
        }
        let found = Int(wanted).map { $0 &- 1 } ?? (0..<grid.count).first { grid.title($0) == wanted }
        guard let found, (0..<grid.count).contains(found) else {
            throw row.invalid(
                "scenario", "expected 1 to \(grid.count), or a title such as \"\(grid.title(0))\"")
        }
        return [ScenarioProfit(grid: grid, scenario: found)]
    }
}

/// Losses of positions over the scenarios of a grid, all of the same weight, in US dollars; losses are above 0.
///
/// The expected shortfall is the mean of the worst (1 − level) of them, the last in part; it is convex. The value at
/// risk is the quantile between them (as numpy has it) and is not: a hedge keeps the shortfall within the limit
/// instead, which is never below it, so that the limit holds, maybe at a cost that is not the least.
/// - Source: Rockafellar and Uryasev, Optimization of conditional value-at-risk, 2000.
struct ScenarioLoss: NamedLimitMeasure {
    let grid: ScenarioGrid
    /// From 0.5 to below 1.
    let level: Double
    let isShortfall: Bool

    static let tableNames = ["expected_shortfall", "value_at_risk"]

    var name: String {
        let percent = (level * 1e12).rounded() / 1e10
        let text = percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
        return "\(isShortfall ? "ES" : "VaR") \(text)% over \(grid.name)"
    }
    var unitName: String { "usd" }
    var isLinear: Bool { false }

    func figures(_ market: LimitMarket) throws(RiskError) -> [[Double]] {
        try market.profits(grid, Array(0..<grid.count))
    }

    func value(_ sums: [Double]) -> Double {
        if isShortfall { return zip(plane(sums), sums).reduce(0) { $0 + $1.0 * $1.1 } }
        let losses = sums.map { -$0 }.sorted()
        let position = level * Double(losses.count - 1)
        let low = Int(position)
        let high = min(low + 1, losses.count - 1)
        return losses[low] + (position - Double(low)) * (losses[high] - losses[low])
    }

    /// The mean loss in the scenarios that are the worst at these sums.
    func plane(_ sums: [Double]) -> [Double] {
        let tail = (1 - level) * Double(sums.count)
        var weights = sums.map { _ in 0.0 }
        var left = max(tail, .leastNormalMagnitude)
        for scenario in sums.indices.sorted(by: { (sums[$0], $0) < (sums[$1], $1) }) where left > 0 {
            weights[scenario] = -min(1, left) / tail
            left -= 1
        }
        return weights
    }

    static func read(_ name: String, _ row: LimitRow) throws(MarketError) -> [any LimitMeasure] {
        guard let level = try row.number("level", .within(0.5...0.999_999)) else {
            throw row.invalid("level", "is needed for \(name), such as 0.95")
        }
        return [ScenarioLoss(grid: try row.grid(), level: level, isShortfall: name == "expected_shortfall")]
    }
}

extension LimitMarket {
    /// Gains of one unit of each contract: a row per scenario.
    fileprivate func profits(_ grid: ScenarioGrid, _ scenarios: [Int]) throws(RiskError) -> [[Double]] {
        let own = try ScenarioGrid(
            name: grid.name, rules: zip(grid.ruleNames, grid.rules).map { ($0, $1) },
            scenarios: scenarios.map { grid.scenarios[$0] })
        let profits = try ChainScenarios(greeks, own, market: chain.latestTickers, engine: engine).profits()
        return scenarios.indices.map { scenario in
            greeks.tickers.indices.map { profits[$0, scenario] }
        }
    }
}
