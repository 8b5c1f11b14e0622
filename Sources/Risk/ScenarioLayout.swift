import Glibc
import Greeks

/// A grid as the kernel reads it: terms, states of volatility and moves, each distinct one once.
struct ScenarioLayout: Sendable {
    /// A column of volatilities that a smile or a surface gives when prices move.
    struct Source: Hashable, Sendable {
        let stickiness: ScenarioGrid.Stickiness
        let spot, days: Double
        /// A rule with smile terms or betas.
        let rule: Int?

        /// Nil where volatilities are those that options have.
        init?(_ scenario: ScenarioGrid.Scenario, _ rule: ScenarioGrid.VolatilityRule) {
            let gone = scenario.stickiness == .delta ? scenario.days : 0
            let isAlongSmile = scenario.stickiness != .strike && (scenario.spot != 0 || gone != 0)
            let hasBetas = rule.spotBetas != nil && scenario.spot != 0
            guard isAlongSmile || hasBetas || rule.smile != nil else { return nil }
            stickiness = isAlongSmile ? scenario.stickiness : .strike
            spot = isAlongSmile || hasBetas ? scenario.spot : 0
            days = isAlongSmile ? gone : 0
            self.rule = hasBetas || rule.smile != nil ? scenario.rule : nil
        }
    }

    private(set) var terms = [ScenarioTerm(years: 0, rate: 0)]
    private(set) var states = [ScenarioState(term: 0, source: 0)]
    private(set) var moves: [ScenarioMove] = []
    /// Of the columns behind the first.
    private(set) var sources: [Source] = []

    /// - Parameter standard: what rates hold where a scenario does not say so: what legs are priced off.
    init(_ grid: ScenarioGrid, holding standard: ScenarioGrid.HeldPrice) {
        struct Term: Hashable {
            let days, rate: Double
            let held: ScenarioGrid.HeldPrice
        }
        struct State: Hashable { let term, source, rule: Int }
        var termNumbers = [Term(days: 0, rate: 0, held: standard): 0]
        var sourceNumbers: [Source: Int] = [:]
        var stateNumbers: [State: Int] = [:]
        if let unchanged = grid.rules.firstIndex(of: ScenarioGrid.VolatilityRule()) {
            stateNumbers[State(term: 0, source: 0, rule: unchanged)] = 0
        }
        for scenario in grid.scenarios {
            let held = scenario.rate == 0 ? standard : scenario.rateHolds ?? standard
            let termKey = Term(days: scenario.days, rate: scenario.rate, held: held)
            let term: Int
            if let known = termNumbers[termKey] {
                term = known
            } else {
                term = terms.count
                termNumbers[termKey] = term
                terms.append(ScenarioTerm(scenario, holding: held, pricedOff: standard))
            }
            var source = 0
            if let key = Source(scenario, grid.rules[scenario.rule]) {
                if let known = sourceNumbers[key] {
                    source = known
                } else {
                    sources.append(key)
                    source = sources.count
                    sourceNumbers[key] = source
                }
            }
            let stateKey = State(term: term, source: source, rule: scenario.rule)
            let state: Int
            if let known = stateNumbers[stateKey] {
                state = known
            } else {
                state = states.count
                stateNumbers[stateKey] = state
                states.append(ScenarioState(term: term, source: source, grid.rules[scenario.rule]))
            }
            let factor = 1 + scenario.spot
            moves.append(
                ScenarioMove(
                    change: scenario.spot, factor: factor, logarithm: log(factor), reciprocal: 1 / factor,
                    state: state))
        }
        let still = ScenarioMove(change: 0, factor: 1, logarithm: 0, reciprocal: 1, state: 0)
        while moves.count % 8 != 0 { moves.append(still) }
    }

    /// Calls `body` with the plan, whose columns and scratch are valid during the call.
    func withPlan<R>(_ body: (ScenarioPlan) -> R) -> R {
        let count = ScenarioPlan.scratchCount(terms: terms.count, states: states.count)
        let scratch = ColumnStorage<Double>(repeating: 0, count: count)
        let (terms, states, moves) = (terms.span, states.span, moves.span)
        defer { extendLifetime(scratch) }
        return unsafe body(
            ScenarioPlan(
                terms: terms.start, termCount: terms.count, states: states.start, stateCount: states.count,
                moves: moves.start, moveCount: moves.count, scratch: scratch.pointer))
    }
}

extension ScenarioTerm {
    /// - Parameters:
    ///   - held: the price that the scenario's rate leaves where it is.
    ///   - pricedOff: what a leg's price is; a future's dividend yield is its rate, so that it is its own forward.
    fileprivate init(
        _ scenario: ScenarioGrid.Scenario, holding held: ScenarioGrid.HeldPrice,
        pricedOff: ScenarioGrid.HeldPrice
    ) {
        self.init(
            years: scenario.days / 365, rate: scenario.rate,
            dividend: pricedOff == .future || held == .future ? scenario.rate : 0,
            growth: pricedOff == .future && held == .spot ? scenario.rate : 0)
    }
}

extension ScenarioState {
    /// A rule of a grid.
    package init(term: Int, source: Int, _ rule: ScenarioGrid.VolatilityRule) {
        self.init(term: term, source: source)
        relative = rule.relative
        parallel = rule.parallel
        skew = rule.skew
        leastVolatility = rule.leastVolatility
        shortTermPower = rule.shortTermPower
        longTermPower = rule.longTermPower
        leastYears = rule.leastDays / 365
        if let shape = rule.wing {
            wing = shape.isAbsolute ? .absolute : .linear
            (capBase, capRoot) = (shape.cap, shape.capPerRootYear)
            (widthRoot, widthYears) = (shape.widthPerRootYear, shape.widthPerYear)
            leastWidth = shape.leastWidth
        }
    }
}
