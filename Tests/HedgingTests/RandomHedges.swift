import Hedging
import TestSupport

/// Hedge problems of all kinds, the same in every run.
enum RandomHedges {
    static let kinds = [
        "base", "mixed", "soft", "linear", "risk", "duplicates", "zero-Greeks", "infeasible", "tight",
        "scaled",
        "margin", "no-trade", "equality", "one-sided", "lots", "fixed",
    ]

    static func problem(_ number: Int) -> HedgeProblem {
        var random = SeededGenerator(seed: 0x5EED_0000 + UInt64(number))
        func uniform(_ low: Double, _ high: Double) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        func integer(_ low: Int, _ high: Int) -> Int { low + Int(random.next() % UInt64(high - low + 1)) }
        let kind = kinds[number % kinds.count]
        let isWhole = kind == "lots" || kind == "fixed"
        let underlyingCount = isWhole ? 1 : integer(1, 3)
        let count = underlyingCount * (isWhole ? integer(3, 5) : integer(3, 8))
        var problem = HedgeProblem(
            name: "\(kind)-\(number)", underlyings: (0..<underlyingCount).map { "U\($0)" })

        // Delta in coins, gamma, vega in dollars per point; the first of an underlying has delta alone.
        var greeks: [[Double]] = []
        var spots: [Double] = []
        for _ in 0..<underlyingCount {
            spots.append(uniform(1, 5).rounded() * [10, 1000, 10_000][integer(0, 2)])
        }
        for i in 0..<count {
            let u = i % underlyingCount
            let isOption = i >= underlyingCount
            let spot = spots[u]
            let price = isOption ? spot * uniform(0.005, 0.1) : spot
            let halfSpread = price * uniform(1e-4, isOption ? 0.02 : 5e-4)
            let carry = isOption ? 0 : uniform(-0.5, 0.5) * halfSpread
            let depth = uniform(5, 200)
            problem.add(
                "I\(i)",
                HedgeInstrument(
                    underlying: u, costBuy: halfSpread + carry, costSell: halfSpread - carry,
                    impact: kind == "linear" || isWhole ? 0 : halfSpread / depth * uniform(0.2, 2),
                    maximumBuy: depth * uniform(0.5, 1), maximumSell: depth * uniform(0.5, 1),
                    margin: spot * uniform(0.01, 0.1), cash: isOption ? price : 0))
            let sign = uniform(0, 1) < 0.5 ? -1.0 : 1
            greeks.append(
                isOption
                    ? [sign * uniform(0.05, 0.95), uniform(0.2, 3) / spot, spot * uniform(2e-4, 2e-3)]
                    : [1, 0, 0])
        }
        if kind == "duplicates" {
            for i in 0..<count / 2 {
                var copy = problem.instruments[i]
                if i % 2 == 0 { copy.costBuy *= 1.3 }
                problem.add("copy of I\(i)", copy)
                greeks.append(greeks[i])
            }
        }
        if kind == "zero-Greeks" {
            greeks[count - 1] = [0, 0, 0]
            greeks[0] = [0, 0, 0]
        }

        // Bands of which some random trades are inside, so that there is a solution.
        let inside = problem.instruments.map { instrument in
            let share = kind == "no-trade" ? 0 : uniform(-0.6, 0.6)
            return uniform(0, 1) < 0.4
                ? 0 : share * (share > 0 ? instrument.maximumBuy : instrument.maximumSell)
        }
        for u in 0..<underlyingCount {
            for (g, name) in ["delta", "gamma", "vega"].enumerated() {
                let own = problem.instruments.indices.filter {
                    problem.instruments[$0].underlying == u && greeks[$0][g] != 0
                }
                let reach = own.reduce(0) {
                    $0 + greeks[$1][g].magnitude * problem.instruments[$1].maximumBuy
                }
                let moved = own.reduce(0) { $0 + greeks[$1][g] * inside[$1] }
                var low = -uniform(0.002, 0.1) * max(reach, 1e-3)
                var high = uniform(0.002, 0.1) * max(reach, 1e-3)
                let target = low + uniform(0.05, 0.95) * (high - low)
                var current = target - moved
                if kind == "infeasible", g == 2 { current = 3 * reach + 1 }
                if kind == "equality", g == 0 { (low, high) = (target, target) }
                if kind == "one-sided" {
                    if uniform(0, 1) < 0.5 { low = -.infinity } else { high = .infinity }
                }
                let isSoft =
                    ["soft", "risk", "tight"].contains(kind) || (kind == "mixed" && g > 0)
                    || (isWhole && number % 3 == 0)
                let rate = spots[u] * (g == 0 ? 1e-3 : g == 1 ? spots[u] * 2e-4 : 1 / spots[u])
                let band =
                    isSoft
                    ? HedgeBand(
                        soft: low, high, current: current, penalty: rate * uniform(0.1, 20),
                        penaltyQuadratic: isWhole || uniform(0, 1) < 0.4 ? 0 : rate / max(high - low, 1e-9))
                    : HedgeBand(hard: low, high, current: current)
                problem.add("U\(u).\(name)", band, coefficients: own.map { ($0, greeks[$0][g]) })
            }
        }
        if underlyingCount > 1 {
            let all = problem.instruments.indices.filter { greeks[$0][2] != 0 }
            let moved = all.reduce(0) { $0 + greeks[$1][2] * inside[$1] }
            let width =
                all.reduce(0) { $0 + greeks[$1][2].magnitude * problem.instruments[$1].maximumBuy } * 0.1
            problem.add(
                "ALL.vega", HedgeBand(hard: moved - width, moved + uniform(0.1, 1) * width, current: 0),
                coefficients: all.map { ($0, greeks[$0][2]) })
            if kind == "infeasible" || kind == "soft" {
                problem.bands[problem.bands.count - 1].isHard = false
            }
        }
        let slack = kind == "margin" ? 1.02 : 5
        problem.marginLimit = slack * problem.margin(trades: inside) + 1
        let cash = problem.cash(trades: inside)
        problem.cashBudget = cash + (slack - 1) * cash.magnitude + 1
        if kind == "tight" {
            for i in problem.instruments.indices {
                problem.instruments[i].maximumBuy *= 0.15
                problem.instruments[i].maximumSell *= 0.15
            }
            for r in problem.bands.indices where problem.bands[r].isHard {
                problem.bands[r] = soft(problem.bands[r])
            }
            problem.cashBudget = max(problem.cashBudget, 1)
        }
        if kind == "risk" {
            problem.risk = risk(of: problem, greeks.map { $0[0] }, spots, uniform)
        }
        if kind == "scaled" { scale(&problem) { pow10(integer(-8, 8)) } }
        for i in problem.instruments.indices {
            // Limits that are no multiples of the lot are part of the exercise.
            if kind == "lots" {
                problem.instruments[i].lot = problem.instruments[i].maximumBuy / uniform(3, 12)
            }
            if kind == "fixed" {
                problem.instruments[i].fixedCost =
                    problem.instruments[i].costBuy.magnitude * problem.instruments[i].maximumBuy
                    * uniform(0.02, 0.5)
            }
        }
        return problem
    }

    private static func soft(_ band: HedgeBand) -> HedgeBand {
        var band = band
        band.isHard = false
        band.penalty = 1
        return band
    }

    private static func pow10(_ exponent: Int) -> Double {
        var power = 1.0
        for _ in 0..<exponent.magnitude { power *= 10 }
        return exponent < 0 ? 1 / power : power
    }

    private static func risk(
        of problem: HedgeProblem, _ deltas: [Double], _ spots: [Double], _ uniform: (Double, Double) -> Double
    ) -> HedgeRisk {
        let size = problem.underlyings.count
        let volatilities = (0..<size).map { _ in uniform(0.02, 0.06) }
        let correlation = uniform(0.3, 0.9)
        var covariance = [Double](repeating: 0, count: size * size)
        for u in 0..<size {
            for v in 0..<size {
                covariance[u * size + v] = volatilities[u] * volatilities[v] * (u == v ? 1 : correlation)
            }
        }
        let exposure = deltas.indices.map { deltas[$0] * spots[problem.instruments[$0].underlying] }
        return HedgeRisk(
            riskAversion: uniform(1e-6, 1e-4), covariance: covariance,
            dollarDelta: spots.map { $0 * uniform(-30, 30) }, exposure: exposure)
    }

    /// Every instrument and every band in units of its own.
    private static func scale(_ problem: inout HedgeProblem, _ factor: () -> Double) {
        let units = problem.instruments.map { _ in factor() }
        for (i, unit) in units.enumerated() {
            problem.instruments[i].costBuy *= unit
            problem.instruments[i].costSell *= unit
            problem.instruments[i].impact *= unit * unit
            problem.instruments[i].margin *= unit
            problem.instruments[i].cash *= unit
            problem.instruments[i].maximumBuy /= unit
            problem.instruments[i].maximumSell /= unit
        }
        for r in problem.bands.indices {
            let unit = factor()
            for k in problem.bands[r].entries {
                problem.entries[k].coefficient *= unit * units[problem.entries[k].instrument]
            }
            problem.bands[r].current *= unit
            problem.bands[r].low *= unit
            problem.bands[r].high *= unit
            problem.bands[r].penalty /= unit
            problem.bands[r].penaltyQuadratic /= unit * unit
        }
    }
}
