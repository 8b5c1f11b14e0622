import Poise
import Timing

/// Ticks of one desk: every Greek, cost and band moves a little from one to the next.
enum TickSequence {
    /// - Parameters:
    ///   - softShare: share of bands that are soft.
    ///   - levels: order books of so many levels a side in place of impact; 0: one price alone; nil: impact.
    ///   - venues: how many books an instrument is on, each with its share of the depth and prices of its own.
    static func problems(
        instruments count: Int, underlyings: Int, softShare: Double, ticks: Int, levels: Int? = nil,
        venues: Int = 1
    ) -> [HedgeProblem] {
        var next = UniformNumbers()
        func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * next() }
        var problem = HedgeProblem(
            name: "\(count)", underlyings: (0..<underlyings).map { "U\($0)" })
        // Per instrument: delta, gamma, vega, theta.
        var greeks: [[Double]] = []
        for i in 0..<count {
            let u = i % underlyings
            let spot = 50_000 / Double(u + 1)
            let isOption = i >= underlyings
            let price = isOption ? spot * uniform(0.01, 0.08) : spot
            let spread = price * uniform(1e-4, isOption ? 0.015 : 4e-4)
            let depth = uniform(20, 200)
            problem.add(
                "I\(i)",
                HedgeInstrument(
                    underlying: u, costBuy: spread, costSell: spread,
                    impact: spread / depth * uniform(0.3, 2),
                    maximumBuy: depth, maximumSell: depth * uniform(0.5, 1), margin: spot * 0.05,
                    cash: isOption ? price : 0))
            let gamma = uniform(0.2, 2) / spot
            greeks.append(
                isOption
                    ? [
                        uniform(-1, 1), gamma, spot * uniform(3e-4, 2e-3),
                        -0.5 * gamma * spot * spot * 0.0016,
                    ]
                    : [1, 0, 0, 0])
        }
        let inside = problem.instruments.map { uniform(-0.4, 0.4) * $0.maximumBuy }
        for u in 0..<underlyings {
            for (g, name) in ["delta", "gamma", "vega", "theta"].enumerated() {
                let own = (0..<count).filter { $0 % underlyings == u && greeks[$0][g] != 0 }
                let reach = own.reduce(0) {
                    $0 + greeks[$1][g].magnitude * problem.instruments[$1].maximumBuy
                }
                let moved = own.reduce(0) { $0 + greeks[$1][g] * inside[$1] }
                let width = 0.03 * reach
                let current = -moved + uniform(-0.9, 0.9) * width
                let spread = problem.instruments[own[0]].costBuy
                let isSoft = Double(g) >= 4 * (1 - softShare)
                problem.add(
                    "U\(u).\(name)",
                    isSoft
                        ? HedgeBand(
                            soft: -width, width, current: current,
                            penalty: spread * 50 * uniform(0.2, 3) / max(reach / Double(own.count), 1e-12))
                        : HedgeBand(hard: -width, width, current: current),
                    coefficients: own.map { (instrument: $0, coefficient: greeks[$0][g]) })
            }
        }
        problem.marginLimit = 3 * problem.margin(trades: inside)
        problem.cashBudget = 3 * problem.cash(trades: inside).magnitude + 1
        if let levels { walk(levels, venues: venues, in: &problem) }
        return (0..<ticks).map { _ in
            defer {
                for i in problem.instruments.indices {
                    problem.instruments[i].costBuy *= uniform(0.99, 1.01)
                    problem.instruments[i].costSell = problem.instruments[i].costBuy
                }
                for k in problem.entries.indices { problem.entries[k].coefficient *= uniform(0.998, 1.002) }
                for r in problem.bands.indices {
                    problem.bands[r].current += uniform(-0.05, 0.05) * problem.bands[r].high
                }
            }
            return problem
        }
    }

    /// Order books in place of impact, and neither margin nor cash.
    private static func walk(_ levels: Int, venues: Int, in problem: inout HedgeProblem) {
        for i in problem.instruments.indices { problem.instruments[i].impact = 0 }
        (problem.marginLimit, problem.cashBudget) = (.infinity, .infinity)
        guard levels > 0 else { return }
        problem.curves = problem.instruments.map { instrument in
            func side(_ limit: Double, _ venue: Int) -> [CostCurve.Level] {
                (0..<levels).map { k in
                    CostCurve.Level(
                        upTo: limit / Double(venues) * Double(k + 1) / Double(levels),
                        price: instrument.costBuy * 0.2 * (Double(k) + 0.37 * Double(venue)))
                }
            }
            return .joined(
                (0..<venues).map {
                    CostCurve(
                        buy: side(instrument.maximumBuy, $0), sell: side(instrument.maximumSell, $0))
                })
        }
    }
}
