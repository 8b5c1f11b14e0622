import Checks
import Risk

/// Whole lots near trades of any amounts, by moves that ask the requirement itself: a lot more or less, none at all, then two
/// of these at once.
///
/// Hard limits and the least balance have prices, from what they are worth to the trades that are rounded, which rise until
/// the limits are kept. What it finds is good, and proves nothing.
final class RequirementRounding {
    private let problem: HedgeProblem
    private let requirement: ConvexRequirement
    private let terms: RequirementTerms
    private let moves: RequirementMoves
    private let count: Int
    /// Of each instrument, the bands that it is in and by how much.
    private let columns: [[(band: Int, coefficient: Double)]]
    /// An amount other than 0 is at least this, whole lots.
    private let least: [Double]
    private let lowest, highest: [Double]
    /// By how much what may be any amount moves.
    private var steps: [Double]

    private var trades: [Double]
    private var costs: [Double]
    private var exposures, paid: [Double]
    private var deltas, slopesOfDelta: [Double]
    private var (margin, cash, balance) = (0.0, 0.0, 0.0)
    /// Prices of what is outside of hard limits: of each band, the margin, the cash, the balance.
    private var prices: [Double]
    private var value = 0.0
    private var evaluations = 0
    private var isOver: () -> Bool

    private(set) var best: (trades: [Double], objective: Double) = ([], .infinity)

    init(
        _ problem: HedgeProblem, _ requirement: ConvexRequirement, _ terms: RequirementTerms,
        isOver: @escaping () -> Bool
    ) {
        (self.problem, self.requirement, self.terms, self.isOver) = (problem, requirement, terms, isOver)
        moves = RequirementMoves(requirement)
        count = problem.instruments.count
        var columns = Array(repeating: [(band: Int, coefficient: Double)](), count: count)
        for (band, own) in problem.bands.enumerated() {
            for k in own.entries where problem.entries[k].coefficient != 0 {
                columns[problem.entries[k].instrument].append((band, problem.entries[k].coefficient))
            }
        }
        self.columns = columns
        var (least, lowest, highest): ([Double], [Double], [Double]) = ([], [], [])
        for (i, instrument) in problem.instruments.enumerated() {
            let lot = instrument.lot
            func whole(_ limit: Double) -> Double {
                lot > 0 ? (limit / lot * (1 + 1e-12)).rounded(.down) * lot : limit
            }
            least.append(
                lot > 0
                    ? (instrument.minimum / lot * (1 - 1e-12)).rounded(.up) * lot : instrument.minimum)
            highest.append(whole(problem.limit(i, .buy)))
            lowest.append(-whole(problem.limit(i, .sell)))
        }
        (self.least, self.lowest, self.highest) = (least, lowest, highest)
        trades = Array(repeating: 0, count: count)
        costs = trades
        steps = trades
        exposures = Array(repeating: 0, count: problem.bands.count)
        paid = exposures
        deltas = Array(repeating: 0, count: problem.underlyings.count)
        slopesOfDelta = deltas
        prices = Array(repeating: 0, count: problem.bands.count + 3)
    }

    private static let mostEvaluations = 4_000_000
    /// First moves of pairs that are tried.
    private static let mostFirst = 32
    /// Prices of limits, in multiples of what they are worth.
    private static let rises = [2.0, 10, 50, 250, 10_000]

    /// Looks near trades; `best` is what was found here or before.
    /// - Parameters:
    ///   - bandPrices: what the bands are worth to these trades.
    ///   - limitPrice: what a unit of the balance is.
    func round(_ start: [Double], bandPrices: [Double], limitPrice: Double) {
        for i in 0..<count {
            trades[i] = nearest(i, start[i])
            steps[i] = 0.25 * min(max(start[i].magnitude, 1e-9), max(highest[i], -lowest[i]))
            if problem.instruments[i].lot > 0 { steps[i] = 0 }
        }
        let worth = worth(bandPrices, limitPrice)
        var isKept = false
        for rise in Self.rises where !isKept {
            for r in prices.indices { prices[r] = rise * worth[r] }
            settle()
            while moveOne() {}
            isKept = keep()
        }
        while !isOut, moveTwo() {
            while moveOne() {}
            keep()
        }
        let isFree = (0..<count).contains { problem.instruments[$0].lot == 0 }
        guard isFree, best.objective < .infinity else { return }
        for _ in 0..<40 where !isOut {
            for i in 0..<count { steps[i] *= 0.5 }
            while moveOne() {}
            keep()
        }
    }

    private var isOut: Bool { evaluations > Self.mostEvaluations || isOver() }

    /// The amount that may be traded next to one.
    private func nearest(_ i: Int, _ x: Double) -> Double {
        let lot = problem.instruments[i].lot
        var amount = lot > 0 ? (x / lot).rounded() * lot : x
        if amount.magnitude < least[i] * (1 - 1e-9) {
            amount = amount.magnitude < 0.5 * least[i] ? 0 : amount < 0 ? -least[i] : least[i]
        }
        return max(lowest[i], min(highest[i], amount))
    }

    /// The next amount in a direction; nil where there is none.
    private func target(_ i: Int, _ direction: Double) -> Double? {
        let (x, lot) = (trades[i], problem.instruments[i].lot)
        var target = lot > 0 ? ((x / lot).rounded() + direction) * lot : x + direction * steps[i]
        if target != 0, target.magnitude < least[i] * (1 - 1e-9) {
            target = target.magnitude > x.magnitude ? direction * least[i] : 0
        }
        if lot == 0 { target = max(lowest[i], min(highest[i], target)) }
        guard target != x, target.isFinite else { return nil }
        return target > highest[i] || target < lowest[i] ? nil : target
    }

    // MARK: What trades cost

    /// Of each limit, what a unit of it is worth: by the trades that are rounded, at least a tenth of the cheapest unit that
    /// an instrument brings.
    private func worth(_ bandPrices: [Double], _ limitPrice: Double) -> [Double] {
        var worth = problem.bands.indices.map { r in r < bandPrices.count ? bandPrices[r].magnitude : 0 }
        var least = Array(repeating: Double.infinity, count: problem.bands.count)
        for i in 0..<count {
            let instrument = problem.instruments[i]
            let cost = max(instrument.costBuy.magnitude, instrument.costSell.magnitude)
            for (band, coefficient) in columns[i] where cost > 0 {
                least[band] = min(least[band], cost / coefficient.magnitude)
            }
        }
        for r in worth.indices {
            worth[r] = max(worth[r], least[r] < .infinity ? 0.1 * least[r] : 0, 1e-12)
        }
        return worth + [1, 1, max(limitPrice, 0.1)]
    }

    private func cost(_ i: Int, _ x: Double) -> Double {
        guard x != 0 else { return 0 }
        let instrument = problem.instruments[i]
        let linear = x > 0 ? instrument.costBuy * x : -instrument.costSell * x
        return linear + instrument.impact * x * x + problem.levelCost(i, x) + instrument.fixedCost
    }

    private func cash(_ i: Int, _ x: Double, costing cost: Double) -> Double {
        let instrument = problem.instruments[i]
        guard !problem.countsAllCosts else { return instrument.cash * x + cost }
        return instrument.cash * x + (x > 0 ? instrument.costBuy * x : -instrument.costSell * x)
    }

    private func price(ofBand r: Int, _ exposure: Double) -> Double {
        let band = problem.bands[r]
        let outside = max(exposure - band.high, band.low - exposure, 0)
        guard outside > 0 else { return 0 }
        return band.isHard
            ? prices[r] * outside : (band.penalty + 0.5 * band.penaltyQuadratic * outside) * outside
    }

    /// What the limits on margin, cash and balance cost.
    private func priceOfLimits(margin: Double, cash: Double, balance: Double) -> Double {
        let first = problem.bands.count
        return prices[first] * max(0, margin - problem.marginLimit)
            + prices[first + 1] * max(0, cash - problem.cashBudget)
            + prices[first + 2] * max(0, terms.balanceAtLeast - balance)
    }

    /// Everything anew, at these trades.
    private func settle() {
        moves.start(at: trades)
        (margin, cash) = (0, 0)
        var all = 0.0
        for i in 0..<count {
            costs[i] = cost(i, trades[i])
            all += costs[i]
            margin += problem.instruments[i].margin * trades[i].magnitude
            cash += cash(i, trades[i], costing: costs[i])
        }
        balance = requirement.funds(after: trades) - all - moves.required
        value = all + terms.price * moves.required
        for r in exposures.indices {
            exposures[r] = problem.exposure(ofBand: r, trades: trades)
            paid[r] = price(ofBand: r, exposures[r])
            value += paid[r]
        }
        value += priceOfLimits(margin: margin, cash: cash, balance: balance)
        guard let risk = problem.risk else { return }
        for u in deltas.indices { deltas[u] = risk.dollarDelta[u] }
        for i in 0..<count { deltas[problem.instruments[i].underlying] += risk.exposure[i] * trades[i] }
        settleRisk(risk)
        for u in deltas.indices { value += risk.riskAversion * deltas[u] * slopesOfDelta[u] }
    }

    private func settleRisk(_ risk: HedgeRisk) {
        let size = deltas.count
        for u in 0..<size {
            slopesOfDelta[u] = 0
            for v in 0..<size { slopesOfDelta[u] += risk.covariance[u * size + v] * deltas[v] }
        }
    }

    /// What another amount of an instrument would change.
    private func change(_ i: Int, to target: Double) -> Double {
        evaluations += 1
        let move = target - trades[i]
        let instrument = problem.instruments[i]
        let own = cost(i, target)
        var change = own - costs[i]
        for (band, coefficient) in columns[i] {
            change += price(ofBand: band, exposures[band] + coefficient * move) - paid[band]
        }
        if let risk = problem.risk, risk.riskAversion > 0 {
            let (u, step) = (instrument.underlying, risk.exposure[i] * move)
            let variance = risk.covariance[u * deltas.count + u]
            change += risk.riskAversion * (2 * slopesOfDelta[u] + variance * step) * step
        }
        let rise = moves.required(after: i, by: move) - moves.required
        let left = balance + requirement.fundsSlopes[i] * move - (own - costs[i]) - rise
        let taken = margin + instrument.margin * (target.magnitude - trades[i].magnitude)
        let spent = cash + cash(i, target, costing: own) - cash(i, trades[i], costing: costs[i])
        return change + terms.price * rise + priceOfLimits(margin: taken, cash: spent, balance: left)
            - priceOfLimits(margin: margin, cash: cash, balance: balance)
    }

    /// Takes another amount of an instrument, and all but `value` with it; to be settled before trades are kept.
    private func apply(_ i: Int, _ target: Double) {
        let move = target - trades[i]
        let own = cost(i, target)
        let before = moves.required
        moves.move(i, by: move)
        balance += requirement.fundsSlopes[i] * move - (own - costs[i]) - (moves.required - before)
        margin += problem.instruments[i].margin * (target.magnitude - trades[i].magnitude)
        cash += cash(i, target, costing: own) - cash(i, trades[i], costing: costs[i])
        for (band, coefficient) in columns[i] {
            exposures[band] += coefficient * move
            paid[band] = price(ofBand: band, exposures[band])
        }
        if let risk = problem.risk {
            deltas[problem.instruments[i].underlying] += risk.exposure[i] * move
            settleRisk(risk)
        }
        costs[i] = own
        trades[i] = target
    }

    // MARK: Moves

    private var leastGain: Double { 1e-10 * max(1e-6, value.magnitude) }

    /// The move that saves most.
    /// - Returns: whether one saves anything.
    private func moveOne() -> Bool {
        guard !isOut else { return false }
        var least = -leastGain
        var found: (Int, Double)?
        for i in 0..<count {
            for target in [target(i, 1), target(i, -1), trades[i] == 0 ? nil : 0] {
                guard let target else { continue }
                let change = change(i, to: target)
                if change < least { (least, found) = (change, (i, target)) }
            }
        }
        guard let (i, target) = found else { return false }
        trades[i] = target
        settle()
        return true
    }

    /// The first pair of moves that saves something, of first moves those that cost least.
    private func moveTwo() -> Bool {
        var firsts: [(i: Int, target: Double, change: Double)] = []
        for i in 0..<count {
            for target in [target(i, 1), target(i, -1)] {
                guard let target else { continue }
                firsts.append((i, target, change(i, to: target)))
            }
        }
        firsts.sort { ($0.change, $0.i) < ($1.change, $1.i) }
        for first in firsts.prefix(Self.mostFirst) {
            guard !isOut else { return false }
            let old = trades[first.i]
            apply(first.i, first.target)
            var least = -leastGain
            var found: (Int, Double)?
            for j in 0..<count where j != first.i {
                for target in [target(j, 1), target(j, -1)] {
                    guard let target else { continue }
                    let total = first.change + change(j, to: target)
                    if total < least { (least, found) = (total, (j, target)) }
                }
            }
            if let (j, target) = found {
                trades[j] = target
                settle()
                return true
            }
            apply(first.i, old)
        }
        settle()
        return false
    }

    private var isKept: Bool {
        let slip = 1e-10 * (moves.required.magnitude + balance.magnitude)
        return balance >= terms.balanceAtLeast - slip && problem.violation(trades: trades) <= 1e-10
    }

    /// Keeps the trades where they are the best so far.
    /// - Returns: whether they keep all limits.
    @discardableResult
    private func keep() -> Bool {
        guard isKept else { return false }
        let objective = problem.cost(trades: trades).total + terms.price * moves.required
        if objective < best.objective { best = (trades, objective) }
        return true
    }
}
