/// Why no trades bring every hard band within its limits, and how near one can get.
public struct HedgeInfeasibility: Sendable, Equatable {
    /// The least sum over hard bands of the distance outside, in widths of the band (a band of width 0 counts
    /// in its own unit).
    public internal(set) var totalViolation = 0.0
    /// The least possible largest of these distances.
    public internal(set) var worstViolation = 0.0
    /// Trades that reach the least sum, the cheapest of them; in whole lots where there are any, or none.
    public internal(set) var trades: [Double] = []
    /// Violation of each band with them, in widths; negative below `low`, 0 for bands that are met.
    public internal(set) var violations: [Double] = []
    /// By how much the least sum changes when a band's active limit rises by one width: positive where `low`
    /// is in the way, negative where `high` is.
    public internal(set) var bandPrices: [Double] = []
    /// The same per unit of the margin limit and of the cash budget.
    public internal(set) var marginPrice = 0.0
    public internal(set) var cashPrice = 0.0
    /// Least cash that any trades spend, where that alone exceeds the cash budget.
    public internal(set) var leastCash: Double?
    /// Primal-dual gap of the least sum, relative; infinite where some of it is not proved.
    public internal(set) var gap = Double.infinity

    /// What staying out of the limits by some more widths than needed would cost.
    public struct SlackCost: Sendable, Equatable {
        public let widths: Double
        /// Nil where it is not proved.
        public let cost: Double?
    }

    public static let slackWidths = [0, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]

    /// The least slack that is worth its price: below it, a width less costs more than ten times what it does over the
    /// widest step. Nil where costs do not rise like that down to none at all.
    public static func sensibleSlack(_ costs: [SlackCost]) -> SlackCost? {
        let known = costs.compactMap { slack in slack.cost.map { (slack: slack, cost: $0) } }
        guard known.count > 2 else { return nil }
        let prices = zip(known, known.dropFirst()).map {
            ($0.cost - $1.cost) / ($1.slack.widths - $0.slack.widths)
        }
        guard let usual = prices.last, usual > 0 else { return nil }
        return prices.lastIndex { $0 > 10 * usual }.map { known[$0 + 1].slack }
    }

    /// The band whose limit to loosen first: each width takes most off the least sum. Nil where none helps.
    public var firstBand: Int? {
        let steepest = bandPrices.indices.max { bandPrices[$0].magnitude < bandPrices[$1].magnitude }
        return steepest.flatMap { bandPrices[$0] != 0 ? $0 : nil }
    }
}

extension HedgeSolver {
    /// Finds out how near a problem without a solution comes to having one; where it trades in lots, in whole ones.
    /// Prices and the least largest distance are those of any amounts. Allocates.
    /// - Returns: nil where all hard bands can be met in any amounts, so that only lots stand in the way.
    /// - Throws: where the problem itself is wrong.
    public func diagnose(_ problem: HedgeProblem) throws(HedgeError) -> HedgeInfeasibility? {
        try problem.validate()
        let solver = HedgeSolver()
        solver.search = search
        solver.isCancelled = isCancelled
        let elastic = problem.elastic
        let status = try solver.solve(elastic)
        if status == .infeasible { return try diagnoseBudget(problem, elastic, solver) }
        let answer = solver.solution
        var diagnosis = HedgeInfeasibility()
        diagnosis.trades = problem.joined(answer.trades)
        if status == .optimal, problem.continuous.violation(trades: diagnosis.trades) <= 1e-9 { return nil }
        diagnosis.gap = status == .optimal ? answer.certificate.gap : .infinity
        for r in problem.bands.indices {
            diagnosis.bandPrices.append(answer.bandPrices[r] * problem.bands[r].width)
        }
        diagnosis.marginPrice = answer.marginPrice
        diagnosis.cashPrice = answer.cashPrice
        if problem.instruments.contains(where: { $0.lot > 0 || $0.minimum > 0 }) {
            // Trades that can be made: whole ones, as near as a search finds.
            solver.search.nodeLimit = min(search.nodeLimit, Self.nodesPerDiagnosis)
            let found = try solver.solve(problem.wholeElastic)
            let isFound = (found == .optimal || found == .budget) && solver.solution.gap < .infinity
            diagnosis.trades =
                isFound ? problem.joined(solver.solution.trades) : problem.instruments.map { _ in 0 }
            diagnosis.gap = isFound ? max(diagnosis.gap, solver.solution.gap) : .infinity
        } else if let cheapest = try cheapest(problem, near: diagnosis.trades, solver) {
            diagnosis.trades = cheapest
        } else {
            diagnosis.gap = .infinity
        }
        // One set of numbers: what these trades leave, which is the least where it was proved.
        diagnosis.violations = problem.violations(trades: diagnosis.trades)
        diagnosis.totalViolation = diagnosis.violations.reduce(0) { $0 + $1.magnitude }
        let largest = diagnosis.violations.reduce(0) { max($0, $1.magnitude) }
        let worst = try solver.solve(problem.leastWorst(atMost: 2 * largest))
        diagnosis.worstViolation = worst == .optimal ? min(solver.solution.cost.total, largest) : largest
        if worst != .optimal || problem.countsAllCosts && problem.cashBudget < .infinity {
            diagnosis.gap = .infinity
        }
        return diagnosis
    }

    private static let nodesPerDiagnosis = 2000

    /// What the nearest answer would cost if every limit that it leaves could be left by some more: where the last piece of
    /// violation costs out of all proportion, that is where to stop. Lots and fixed costs aside.
    /// - Parameter widths: how much more, in widths of the bands, ascending from 0.
    /// - Returns: a cost for each; nil where that is not proved.
    /// - Throws: where the problem itself is wrong, or the diagnosis is that of another one.
    public func costsBySlack(
        _ problem: HedgeProblem, _ diagnosis: HedgeInfeasibility,
        widths: [Double] = HedgeInfeasibility.slackWidths
    ) throws(HedgeError) -> [HedgeInfeasibility.SlackCost] {
        for (field, expected, count) in [
            ("diagnosis.violations", problem.bands.count, diagnosis.violations.count),
            ("diagnosis.trades", problem.instruments.count, diagnosis.trades.count),
        ] where count != expected { throw .lengthMismatch(field: field, expected: expected, got: count) }
        let solver = HedgeSolver()
        solver.search = search
        solver.isCancelled = isCancelled
        var costs: [HedgeInfeasibility.SlackCost] = []
        for slack in widths {
            var wider = problem.continuous
            for r in wider.bands.indices where wider.bands[r].isHard && diagnosis.violations[r] != 0 {
                let band = problem.bands[r]
                let exposure = problem.exposure(ofBand: r, trades: diagnosis.trades)
                // Rounding must not make the nearest answer unreachable.
                let room =
                    slack * band.width + 1e-9
                    * max(band.width == 1 ? 0 : band.width, 1e-3 * exposure.magnitude)
                if diagnosis.violations[r] > 0 {
                    wider.bands[r].high = max(band.high, exposure + room)
                } else {
                    wider.bands[r].low = min(band.low, exposure - room)
                }
            }
            let status = try solver.solve(wider)
            costs.append(
                HedgeInfeasibility.SlackCost(
                    widths: slack, cost: status == .optimal ? solver.solution.cost.total : nil))
        }
        return costs
    }

    /// The cheapest trades that leave no hard band further than these; nil where that is not proved.
    private func cheapest(
        _ problem: HedgeProblem, near trades: [Double], _ solver: HedgeSolver
    ) throws(HedgeError) -> [Double]? {
        var relaxed = problem.continuous
        // Room makes the problem easier, and its answer less near: no more is given than is needed, and what it takes
        // from the nearest answer is looked at.
        let least = problem.violations(trades: trades).reduce(0) { $0 + $1.magnitude }
        for room in [0, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7] {
            for r in relaxed.bands.indices where relaxed.bands[r].isHard {
                let band = problem.bands[r]
                let exposure = problem.exposure(ofBand: r, trades: trades)
                // Of its own where the width is next to nothing.
                let slack = room * max(band.width == 1 ? 0 : band.width, 1e-3 * exposure.magnitude)
                relaxed.bands[r].low = min(band.low, exposure - slack)
                relaxed.bands[r].high = max(band.high, exposure + slack)
            }
            guard try solver.solve(relaxed) == .optimal else { continue }
            let found = problem.violations(trades: solver.solution.trades).reduce(0) { $0 + $1.magnitude }
            if found <= least * (1 + 1e-10) { return solver.solution.trades }
        }
        return nil
    }

    /// Bands aside, margin and cash can be in the way, and no trades need no margin.
    private func diagnoseBudget(
        _ problem: HedgeProblem, _ elastic: HedgeProblem, _ solver: HedgeSolver
    ) throws(HedgeError) -> HedgeInfeasibility {
        var diagnosis = HedgeInfeasibility()
        var cheapest = elastic
        cheapest.cashBudget = .infinity
        for r in cheapest.bands.indices { cheapest.bands[r].penalty = 0 }
        for i in cheapest.instruments.indices {
            cheapest.instruments[i].costBuy = cheapest.instruments[i].cash
        }
        cheapest.balanceCosts()
        let status = try solver.solve(cheapest)
        diagnosis.leastCash = cheapest.cash(ofSplit: solver.solution.trades)
        diagnosis.gap = status == .optimal ? solver.solution.gap : .infinity
        diagnosis.totalViolation = .infinity
        diagnosis.worstViolation = .infinity
        diagnosis.trades = problem.joined(solver.solution.trades)
        diagnosis.violations = problem.violations(trades: diagnosis.trades)
        diagnosis.bandPrices = problem.bands.map { _ in 0 }
        return diagnosis
    }
}

extension HedgeBand {
    /// The unit in which violations are counted: high − low, 1 where that is 0 or infinite.
    public var width: Double {
        let width = high - low
        return width > 0 && width < .infinity ? width : 1
    }
}

extension HedgeProblem {
    /// Distance outside of each hard band in widths, negative below.
    func violations(trades: [Double]) -> [Double] {
        bands.indices.map { r in
            guard bands[r].isHard else { return 0 }
            let exposure = exposure(ofBand: r, trades: trades)
            let outside =
                exposure > bands[r].high ? exposure - bands[r].high : min(exposure - bands[r].low, 0)
            let share = outside / bands[r].width
            return share.magnitude > 1e-8 ? share : 0
        }
    }

    /// The problem with bought and sold amounts as instruments of their own, so that cash is linear in each,
    /// without costs, and with hard bands soft at a price of 1 per width; soft bands are left out.
    fileprivate var elastic: HedgeProblem {
        var split = HedgeProblem(
            name: name, underlyings: underlyings, marginLimit: marginLimit, cashBudget: cashBudget)
        let count = instruments.count
        for (sign, side) in [(1.0, "buy"), (-1.0, "sell")] {
            for (i, instrument) in instruments.enumerated() {
                let limit = limit(i, sign > 0 ? .buy : .sell)
                let cost = elasticCost(i, sign > 0 ? .buy : .sell, limit)
                split.add(
                    "\(side) \(instrumentNames[i])",
                    HedgeInstrument(
                        underlying: instrument.underlying, costBuy: 0, costSell: 0, maximumBuy: limit,
                        maximumSell: 0,
                        margin: instrument.margin, cash: sign * instrument.cash + cost))
            }
        }
        for (r, band) in bands.enumerated() {
            let both = [1.0, -1].flatMap { sign in
                entries[band.entries].map {
                    (instrument: $0.instrument + (sign > 0 ? 0 : count), coefficient: sign * $0.coefficient)
                }
            }
            split.add(
                bandNames[r],
                HedgeBand(
                    soft: band.low, band.high, current: band.current,
                    penalty: band.isHard ? 1 / band.width : 0),
                coefficients: both)
        }
        return split
    }

    /// Cash per unit beside the premium. Where the budget counts what bends, as much as the last of all units makes it on
    /// average: no trades cost more.
    private func elasticCost(_ i: Int, _ side: TradeSide, _ limit: Double) -> Double {
        guard countsAllCosts, limit > 0, limit < .infinity else {
            return side == .buy ? instruments[i].costBuy : instruments[i].costSell
        }
        return pieces(i, side).reduce(0) { $0 + $1.cost($1.size) } / limit
    }

    /// `elastic` in whole lots, and no smaller trades than there may be.
    fileprivate var wholeElastic: HedgeProblem {
        var split = elastic
        for i in split.instruments.indices {
            split.instruments[i].lot = instruments[i % instruments.count].lot
            split.instruments[i].minimum = instruments[i % instruments.count].minimum
        }
        return split
    }

    /// Net trades of a problem that `elastic` has split.
    fileprivate func joined(_ trades: [Double]) -> [Double] {
        instruments.indices.map { trades[$0] - trades[$0 + instruments.count] }
    }

    /// Instruments that are only bought may earn: selling is ruled out by its limit, but costs must add up.
    fileprivate mutating func balanceCosts() {
        for i in instruments.indices {
            instruments[i].costSell = max(0, -instruments[i].costBuy)
            instruments[i].cash = 0
        }
    }

    /// Cash that split trades spend, of costs that `balanceCosts` made of cash.
    fileprivate func cash(ofSplit trades: [Double]) -> Double {
        var cash = 0.0
        for i in instruments.indices { cash += instruments[i].costBuy * trades[i] }
        return cash
    }

    /// The problem of the least largest violation: one more instrument widens all bands.
    fileprivate func leastWorst(atMost limit: Double) -> HedgeProblem {
        var split = elastic
        let widths = bands.map(\.width)
        let widener = split.add(
            "violation", HedgeInstrument(costBuy: 1, costSell: 0, maximumBuy: limit, maximumSell: 0))
        var oneSided = HedgeProblem(
            name: name, underlyings: underlyings, marginLimit: marginLimit, cashBudget: cashBudget)
        oneSided.instruments = split.instruments
        oneSided.instrumentNames = split.instrumentNames
        for (r, band) in split.bands.enumerated() where bands[r].isHard {
            let own = split.entries[band.entries].map {
                (instrument: $0.instrument, coefficient: $0.coefficient)
            }
            if band.low > -.infinity {
                oneSided.add(
                    bandNames[r], HedgeBand(hard: band.low, .infinity, current: band.current),
                    coefficients: own + [(instrument: widener, coefficient: widths[r])])
            }
            if band.high < .infinity {
                oneSided.add(
                    bandNames[r], HedgeBand(hard: -.infinity, band.high, current: band.current),
                    coefficients: own + [(instrument: widener, coefficient: -widths[r])])
            }
        }
        return oneSided
    }
}
