import CPoise
import Poise

/// Behind `poise_grid`.
final class GridHandle: Sendable {
    let grid: ScenarioGrid
    let titles, rules: CStrings

    init(_ grid: ScenarioGrid) {
        self.grid = grid
        rules = CStrings(grid.ruleNames)
        titles = CStrings(grid.scenarios.indices.map(grid.title))
    }

    convenience init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        self.init(try ScenarioGrid(source))
    }
}

extension ScenarioGrid.Scenario {
    fileprivate init(_ given: poise_scenario, _ number: Int) throws(Failure) {
        self.init()
        spot = given.spot
        days = given.days
        rate = given.rate
        dampening = given.dampening
        rule = Int(given.rule)
        switch given.stickiness {
        case POISE_STICKY_STRIKE: stickiness = .strike
        case POISE_STICKY_MONEYNESS: stickiness = .moneyness
        case POISE_STICKY_DELTA: stickiness = .delta
        default:
            throw Failure(
                status: POISE_ERROR_ARGUMENT, place: .row(number, table: "scenarios"), field: "stickiness",
                value: "\(given.stickiness.rawValue)", reason: "is no stickiness")
        }
    }
}

@c @implementation
public func poise_grid_create(
    _ rules: UnsafePointer<poise_volatility_rule>?, _ rule_count: Int,
    _ scenarios: UnsafePointer<poise_scenario>?, _ scenario_count: Int,
    _ grid: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(grid, "grid") { () throws(Failure) in
        guard (1...ScenarioGrid.largestCount).contains(scenario_count) else {
            throw .count(
                "scenario_count", "\(UInt(bitPattern: scenario_count)): 1 to \(ScenarioGrid.largestCount)")
        }
        guard (1...ScenarioGrid.largestCount).contains(rule_count) else {
            throw .count("rule_count", "\(UInt(bitPattern: rule_count)): 1 to \(ScenarioGrid.largestCount)")
        }
        let rules = try required(rules, "rules")
        let scenarios = try required(scenarios, "scenarios")
        let named = (0..<rule_count).map { number in
            var rule = ScenarioGrid.VolatilityRule()
            rule.relative = rules[number].relative
            rule.parallel = rules[number].parallel
            rule.skew = rules[number].skew
            rule.shortTermPower = rules[number].short_term_power
            rule.longTermPower = rules[number].long_term_power
            rule.leastDays = rules[number].least_days
            rule.leastVolatility = rules[number].least_volatility
            return (name: "\(number)", rule: rule)
        }
        var made: [ScenarioGrid.Scenario] = []
        for number in 0..<scenario_count {
            made.append(try ScenarioGrid.Scenario(scenarios[number], number))
        }
        return try failing { () throws(RiskError) in
            GridHandle(try ScenarioGrid(name: "grid", rules: named, scenarios: made))
        }
    }
}

@c @implementation
public func poise_grid_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ grid: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(grid, "grid", text, length, name, GridHandle.init)
}

@c @implementation
public func poise_grid_read(
    _ path: UnsafePointer<CChar>?, _ grid: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(grid, "grid", path, GridHandle.init)
}

@c @implementation
public func poise_grid_free(_ grid: OpaquePointer?) { release(grid, as: GridHandle.self) }

@c @implementation
public func poise_grid_count(_ grid: OpaquePointer?) -> Int {
    object(grid, as: GridHandle.self)?.grid.count ?? 0
}

@c @implementation
public func poise_grid_title(_ grid: OpaquePointer?, _ scenario: Int) -> UnsafePointer<CChar>? {
    object(grid, as: GridHandle.self)?.titles[scenario]
}

@c @implementation
public func poise_grid_scenario(
    _ grid: OpaquePointer?, _ scenario: Int, _ given: UnsafeMutablePointer<poise_scenario>?
) -> poise_status {
    attempt { () throws(Failure) in
        let grid = try object(grid, as: GridHandle.self, "grid").grid
        let target = try required(given, "given")
        try checkIndex(scenario, below: grid.count, "scenario")
        let found = grid.scenarios[scenario]
        let stickiness: poise_stickiness =
            switch found.stickiness {
            case .strike: POISE_STICKY_STRIKE
            case .moneyness: POISE_STICKY_MONEYNESS
            case .delta: POISE_STICKY_DELTA
            }
        target.pointee = poise_scenario(
            spot: found.spot, days: found.days, rate: found.rate, dampening: found.dampening,
            rule: UInt32(found.rule), stickiness: stickiness)
    }
}

@c @implementation
public func poise_grid_rule_count(_ grid: OpaquePointer?) -> Int {
    object(grid, as: GridHandle.self)?.rules.count ?? 0
}

@c @implementation
public func poise_grid_rule(_ grid: OpaquePointer?, _ rule: Int) -> UnsafePointer<CChar>? {
    object(grid, as: GridHandle.self)?.rules[rule]
}
