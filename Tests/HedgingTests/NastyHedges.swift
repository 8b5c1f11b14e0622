import Hedging
import TestSupport

/// Hedge problems that are hard on a solver, the same in every run: limits from 1 to 1e18 and none at all,
/// coefficients over twenty-four powers of ten, rows and instruments that repeat each other, bands without width,
/// bands that contradict each other by little, instruments that cost nothing or earn, huge and tiny prices of risk.
enum NastyHedges {
    static let kinds = [
        "plain", "wide", "degenerate", "contradictory", "earning", "limits", "free", "soft", "risk", "margin",
        "units", "unlimited", "equality", "lots",
    ]

    static func problem(_ number: Int, size: Int? = nil) -> HedgeProblem {
        var draw = Draw(number)
        return draw.problem(number, size)
    }

    /// A problem whose limits are what the nearest answer of one without a solution reached, and from a billionth to
    /// a thousandth of a width more or less: at the edge of what has a solution.
    /// - Returns: nil where chance makes none.
    static func edge(_ number: Int) throws(HedgeError) -> HedgeProblem? {
        var draw = Draw(number)
        let kind = number % (kinds.count - 1)
        var problem = draw.problem(kind + kinds.count * number, nil)
        problem.name = "edge-\(number)"
        return try edge(of: problem, &draw)
    }

    /// The same of any problem, whose hard bands are moved out of reach first.
    static func edge(of problem: HedgeProblem, seed: Int) throws(HedgeError) -> HedgeProblem? {
        var draw = Draw(seed)
        return try edge(of: problem, &draw)
    }

    private static func edge(of problem: HedgeProblem, _ draw: inout Draw) throws(HedgeError) -> HedgeProblem?
    {
        var problem = problem
        draw.moveOutOfReach(&problem)
        let solver = HedgeSolver()
        guard try solver.solve(problem) == .infeasible, let nearest = try solver.diagnose(problem),
            nearest.totalViolation < .infinity
        else { return nil }
        draw.moveToEdge(&problem, nearest)
        return problem
    }

    /// One problem's random numbers.
    private struct Draw {
        private var random: SeededGenerator

        init(_ number: Int) { random = SeededGenerator(seed: 0xBAD_0000 + UInt64(number)) }

        mutating func uniform(_ low: Double = 0, _ high: Double = 1) -> Double {
            low + (high - low) * Double(random.next() >> 11) * 0x1p-53
        }
        mutating func chance(_ share: Double) -> Bool { uniform() < share }
        mutating func integer(_ low: Int, _ high: Int) -> Int {
            low + Int(random.next() % UInt64(high - low + 1))
        }
        /// 10 to a power between two.
        mutating func power(_ low: Double, _ high: Double) -> Double { NastyHedges.tenTo(uniform(low, high)) }
        /// Near a normal number: the sum of twelve.
        mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + uniform() } }

        mutating func problem(_ number: Int, _ size: Int?) -> HedgeProblem {
            let kind = kinds[number % kinds.count]
            let underlyingCount = integer(1, 3)
            let count = size ?? (kind == "lots" ? integer(1, 6) : integer(1, 24))
            let bandCount = size.map { max($0 / 20, 4) } ?? integer(kind == "free" ? 0 : 1, 12)
            var problem = HedgeProblem(
                name: "\(kind)-\(number)", underlyings: (0..<underlyingCount).map { "U\($0)" })
            for i in 0..<count {
                let buy = power(-4, 1)
                problem.add(
                    "I\(i)",
                    HedgeInstrument(
                        underlying: integer(0, underlyingCount - 1), costBuy: buy,
                        costSell: chance(0.3) ? buy : power(-4, 1), impact: chance(0.4) ? power(-7, -1) : 0,
                        maximumBuy: chance(0.95) ? power(0, 3) : 0,
                        maximumSell: chance(0.95) ? power(0, 3) : 0))
            }
            var matrix = (0..<bandCount).map { _ in coefficients(count, size == nil ? 8 : 40) }
            if kind == "wide" {
                let columns = (0..<count).map { _ in power(-4, 4) }
                for r in matrix.indices {
                    let scale = power(-8, 8)
                    for i in 0..<count { matrix[r][i] *= scale * columns[i] }
                }
            }
            if kind == "degenerate" { repeatParts(&problem, &matrix) }
            if kind == "earning" { letEarn(&problem) }
            if kind == "free" {
                for i in 0..<count {
                    if chance(0.8) { problem.instruments[i].costBuy = 0 }
                    if chance(0.8) { problem.instruments[i].costSell = 0 }
                    if chance(0.8) { problem.instruments[i].impact = 0 }
                }
                for r in matrix.indices {
                    for i in 0..<count where chance(0.7) { matrix[r][i] = 0 }
                }
            }
            // Trades that keep every band, before limits are made large.
            let inside = problem.instruments.map {
                chance(0.6) ? uniform(-$0.maximumSell, $0.maximumBuy) : 0
            }
            enlargeLimits(&problem, kind)
            for r in matrix.indices { addBand(&problem, kind, matrix[r], inside) }
            if kind == "contradictory" { contradict(&problem) }
            if kind == "risk" || chance(0.08) { addRisk(&problem) }
            if kind == "margin" || chance(0.05) { addBudgets(&problem, inside) }
            if kind == "units" { changeUnits(&problem) }
            if kind == "lots" {
                for i in problem.instruments.indices {
                    if chance(0.7) { problem.instruments[i].lot = power(-2, 1) }
                    if chance(0.4) { problem.instruments[i].fixedCost = power(-2, 1) }
                }
            }
            return problem
        }

        /// Limits that are there, and some hard bands where these don't reach.
        mutating func moveOutOfReach(_ problem: inout HedgeProblem) {
            for i in problem.instruments.indices {
                problem.instruments[i].maximumBuy = min(problem.instruments[i].maximumBuy, power(0, 3))
                problem.instruments[i].maximumSell = min(problem.instruments[i].maximumSell, power(0, 3))
            }
            for r in problem.bands.indices where problem.bands[r].isHard && chance(r == 0 ? 1 : 0.3) {
                let reach = problem.entries[problem.bands[r].entries].reduce(0) {
                    let instrument = problem.instruments[$1.instrument]
                    return $0 + $1.coefficient.magnitude
                        * max(instrument.maximumBuy, instrument.maximumSell)
                }
                let shift = uniform(-2, 2) * reach
                problem.bands[r].low += shift
                problem.bands[r].high += shift
            }
        }

        mutating func moveToEdge(_ problem: inout HedgeProblem, _ nearest: HedgeInfeasibility) {
            let isWider = chance(0.5)
            for r in problem.bands.indices where nearest.violations[r] != 0 {
                let exposure = problem.exposure(ofBand: r, trades: nearest.trades)
                let slack = power(-9, -3) * problem.bands[r].width * (isWider ? 1 : -1)
                if nearest.violations[r] > 0 {
                    problem.bands[r].high = exposure + slack
                    problem.bands[r].low = min(problem.bands[r].low, problem.bands[r].high)
                } else {
                    problem.bands[r].low = exposure - slack
                    problem.bands[r].high = max(problem.bands[r].high, problem.bands[r].low)
                }
            }
        }

        private mutating func coefficients(_ count: Int, _ most: Int) -> [Double] {
            var row = [Double](repeating: 0, count: count)
            for _ in 0..<integer(1, min(most, count)) { row[integer(0, count - 1)] = normal() * power(-2, 2) }
            return row
        }

        private mutating func repeatParts(_ problem: inout HedgeProblem, _ matrix: inout [[Double]]) {
            for i in problem.instruments.indices.dropFirst() where chance(0.4) {
                problem.instruments[i] = problem.instruments[0]
                for r in matrix.indices { matrix[r][i] = matrix[r][0] }
            }
            for r in matrix.indices.dropFirst() where chance(0.4) {
                let factor = [1, -1, 2, 1e-6, 1e6][integer(0, 4)]
                matrix[r] = matrix[0].map { factor * $0 }
            }
        }

        private mutating func letEarn(_ problem: inout HedgeProblem) {
            for i in problem.instruments.indices where chance(0.6) {
                let earned = power(-3, 1)
                let cost = earned + (chance(0.7) ? power(-12, -1) * earned : 0)
                let isBought = chance(0.5)
                problem.instruments[i].costBuy = isBought ? -earned : cost
                problem.instruments[i].costSell = isBought ? cost : -earned
            }
        }

        private mutating func enlargeLimits(_ problem: inout HedgeProblem, _ kind: String) {
            let same = power(3, 18)
            let mode = kind == "unlimited" ? 3 : kind == "limits" ? 1 : integer(0, 5)
            for i in problem.instruments.indices {
                switch mode {
                case 1:  // each its own
                    problem.instruments[i].maximumBuy = power(0, 12)
                    problem.instruments[i].maximumSell = power(0, 12)
                case 2:  // one for all
                    problem.instruments[i].maximumBuy = same
                    problem.instruments[i].maximumSell = same
                case 3:  // none, where nothing can be earned
                    problem.instruments[i].maximumBuy = problem.instruments[i].costBuy < 0 ? same : .infinity
                    problem.instruments[i].maximumSell =
                        problem.instruments[i].costSell < 0 ? same : .infinity
                default: break
                }
            }
        }

        private mutating func addBand(
            _ problem: inout HedgeProblem, _ kind: String, _ row: [Double], _ inside: [Double]
        ) {
            let entries = row.indices.filter { row[$0] != 0 }.map { (instrument: $0, coefficient: row[$0]) }
            let moved = entries.reduce(0) { $0 + $1.coefficient * inside[$1.instrument] }
            let terms = entries.reduce(0) { $0 + ($1.coefficient * inside[$1.instrument]).magnitude }
            let size = terms > 0 ? terms : 1
            let target = uniform(-1, 1) * size
            var width = size * power(-4, 0)
            if kind == "equality" || chance(0.1) { width = 0 }
            var low = target - width * uniform()
            var high = target + width * uniform()
            if kind == "lots" {
                low -= 0.2 * (target - moved).magnitude
                high += 0.2 * (target - moved).magnitude
            }
            if chance(0.2) { low = -.infinity } else if chance(0.2) { high = .infinity }
            if kind == "soft" || chance(0.2) {
                let penalty = chance(0.7) ? power(-6, 4) : 0
                let quadratic = chance(0.5) || penalty == 0 ? power(-8, 4) : 0
                problem.add(
                    "B\(problem.bands.count)",
                    HedgeBand(
                        soft: low, high, current: target - moved, penalty: penalty,
                        penaltyQuadratic: quadratic),
                    coefficients: entries)
            } else {
                problem.add(
                    "B\(problem.bands.count)", HedgeBand(hard: low, high, current: target - moved),
                    coefficients: entries)
            }
        }

        /// The first band once more, out of reach of itself.
        private mutating func contradict(_ problem: inout HedgeProblem) {
            guard chance(0.6) else { return }
            let first = problem.bands[0]
            let entries = problem.entries[first.entries].map {
                (instrument: $0.instrument, coefficient: $0.coefficient)
            }
            let edge = first.high < .infinity ? first.high : first.low
            guard edge.isFinite else { return }
            let distance = power(-6, 1) * (first.current.magnitude + 1)
            problem.bands[0].isHard = true
            problem.bands[0].penalty = 0
            problem.bands[0].penaltyQuadratic = 0
            problem.bands[0].low = -.infinity
            problem.bands[0].high = edge
            problem.add(
                "against", HedgeBand(hard: edge + distance, .infinity, current: first.current),
                coefficients: entries)
        }

        private mutating func addRisk(_ problem: inout HedgeProblem) {
            let size = problem.underlyings.count
            let rank = max(1, size - integer(0, 1))
            let factor = (0..<size * rank).map { _ in normal() * power(-3, 1) }
            var covariance = [Double](repeating: 0, count: size * size)
            let ridge = chance(0.5) ? power(-14, -2) : 1e-15
            for u in 0..<size {
                for v in 0..<size {
                    for k in 0..<rank {
                        covariance[u * size + v] += factor[u * rank + k] * factor[v * rank + k]
                    }
                }
            }
            for u in 0..<size { covariance[u * size + u] *= 1 + ridge }
            problem.risk = HedgeRisk(
                riskAversion: power(-12, 2), covariance: covariance,
                dollarDelta: (0..<size).map { _ in normal() * power(0, 6) },
                exposure: problem.instruments.map { _ in normal() * power(-1, 5) })
        }

        private mutating func addBudgets(_ problem: inout HedgeProblem, _ inside: [Double]) {
            for i in problem.instruments.indices {
                problem.instruments[i].margin = chance(0.8) ? power(-2, 1) : 0
                problem.instruments[i].cash = chance(0.8) ? normal() * power(-1, 2) : 0
            }
            problem.marginLimit = problem.margin(trades: inside) * [1, 1.5, 1.0000001, 0.5][integer(0, 3)]
            let cash = problem.cash(trades: inside)
            problem.cashBudget = cash + cash.magnitude * [0, 0.1, 1e-9][integer(0, 2)]
        }

        /// Money, amounts and exposures in units of their own.
        private mutating func changeUnits(_ problem: inout HedgeProblem) {
            let (money, amount, exposure) = (power(-9, 9), power(-9, 9), power(-9, 9))
            problem.risk = nil
            for i in problem.instruments.indices {
                problem.instruments[i].costBuy *= money / amount
                problem.instruments[i].costSell *= money / amount
                problem.instruments[i].impact *= money / amount / amount
                problem.instruments[i].maximumBuy *= amount
                problem.instruments[i].maximumSell *= amount
                problem.instruments[i].margin *= money / amount
                problem.instruments[i].cash *= money / amount
            }
            for k in problem.entries.indices { problem.entries[k].coefficient *= exposure / amount }
            for r in problem.bands.indices {
                problem.bands[r].current *= exposure
                problem.bands[r].low *= exposure
                problem.bands[r].high *= exposure
                problem.bands[r].penalty *= money / exposure
                problem.bands[r].penaltyQuadratic *= money / exposure / exposure
            }
            problem.marginLimit *= money
            problem.cashBudget *= money
        }
    }

    /// 10 to a power, to a few digits and the same on every machine: products and sums alone.
    private static func tenTo(_ power: Double) -> Double {
        let whole = power.rounded(.down)
        // exp(x ln 10) of a fraction by its series.
        let x = (power - whole) * 2.302585092994046
        var (term, sum) = (1.0, 1.0)
        for k in 1...24 {
            term *= x / Double(k)
            sum += term
        }
        var scale = 1.0
        for _ in 0..<Int(whole.magnitude) { scale *= 10 }
        return whole < 0 ? sum / scale : sum * scale
    }
}
