import Market

/// What rules with smile terms or betas add to the volatilities of a chain's options, made ready for each.
struct SurfaceMoves: Sendable {
    private struct Slice: Hashable {
        let rule: Int
        let series: String
    }

    private struct Betas {
        var down, up: [Double]
    }

    private var changes: [Slice: @Sendable (Double) -> Double] = [:]
    /// By rule; a value per contract.
    private var betas: [Int: Betas] = [:]

    /// - Parameters:
    ///   - options: places of options among the chain's contracts.
    ///   - series: `Instrument.series` of each contract.
    init(
        _ chain: ChainGreeks, _ options: [Int], _ series: [String], _ grid: ScenarioGrid,
        _ surface: (any ScenarioSurface)?, _ history: HistoricalDynamics?
    ) throws(RiskError) {
        for rule in Set(grid.scenarios.map(\.rule)).sorted() {
            let name = "volatility rule \(grid.ruleNames[rule])"
            if let terms = grid.rules[rule].smile {
                guard let surface else { throw .missing(.surface, of: name) }
                for contract in options {
                    let key = Slice(rule: rule, series: series[contract])
                    guard changes[key] == nil else { continue }
                    changes[key] = try surface.change(of: key.series, by: terms, rule: name)
                }
            }
            guard let given = grid.rules[rule].spotBetas else { continue }
            let moves = grid.scenarios.filter { $0.rule == rule }.map(\.spot)
            var found = Betas(down: chain.tickers.map { _ in 0 }, up: chain.tickers.map { _ in 0 })
            for contract in options {
                let days = chain.options.years[contract] * 365
                switch given {
                case .given(let down, let up):
                    (found.down[contract], found.up[contract]) = (down[days], up[days])
                case .history:
                    guard let history else { throw .missing(.history, of: name) }
                    let underlying = chain.tickers[contract].instrument.pricingUnderlying
                    if moves.contains(where: { $0 < 0 }) {
                        found.down[contract] = try history.beta(of: underlying, days: days, isDown: true)
                    }
                    if moves.contains(where: { $0 > 0 }) {
                        found.up[contract] = try history.beta(of: underlying, days: days, isDown: false)
                    }
                }
            }
            betas[rule] = found
        }
    }

    /// What a rule adds to an option's volatility.
    /// - Parameters:
    ///   - k: where the volatility is read on the smile.
    ///   - move: ln(F'/F).
    func change(_ rule: Int, _ contract: Int, _ series: String, at k: Double, move: Double) -> Double {
        var change = 0.0
        if let slice = changes[Slice(rule: rule, series: series)] { change = slice(k) }
        if let betas = betas[rule] { change += (move < 0 ? betas.down : betas.up)[contract] * move }
        return change
    }
}
