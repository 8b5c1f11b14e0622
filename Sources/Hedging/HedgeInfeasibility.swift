/// Why no trades bring every hard band within its limits, and how near one can get.
public struct HedgeInfeasibility: Sendable, Equatable {
    /// The least sum over hard bands of the distance outside, in widths of the band (a band of width 0 counts
    /// in its own unit).
    public internal(set) var totalViolation = 0.0
    /// The least possible largest of these distances.
    public internal(set) var worstViolation = 0.0
    /// Trades that reach the least sum, at the least cost found.
    public internal(set) var trades: [Double] = []
    /// How far each band stays outside with them, in widths; negative below `low`, 0 for bands that are met.
    public internal(set) var violations: [Double] = []
    /// By how much the least sum changes when a band's active limit rises by one width: positive where `low`
    /// is in the way, negative where `high` is.
    public internal(set) var bandPrices: [Double] = []
    /// The same per unit of the margin limit and of the cash budget.
    public internal(set) var marginPrice = 0.0
    public internal(set) var cashPrice = 0.0
    /// Where the cash budget cannot even be kept by itself: the least that any trades spend.
    public internal(set) var leastCash: Double?
    /// Primal-dual gap of the least sum, relative.
    public internal(set) var gap = Double.infinity

    /// The band whose limit to loosen first: each width takes most off the least sum. Nil where none helps.
    public var firstBand: Int? {
        let steepest = bandPrices.indices.max { bandPrices[$0].magnitude < bandPrices[$1].magnitude }
        return steepest.flatMap { bandPrices[$0] != 0 ? $0 : nil }
    }
}

extension HedgeSolver {
    /// Finds out how near a problem without a solution comes to having one, lots and fixed costs aside.
    /// Allocates.
    /// - Returns: nil where all hard bands can be met, so that only lots stand in the way.
    /// - Throws: where the problem itself is wrong.
    public func diagnose(_ problem: HedgeProblem) throws(HedgeError) -> HedgeInfeasibility? {
        try problem.validate()
        var diagnosis = HedgeInfeasibility()
        let solver = HedgeSolver()
        let elastic = problem.elastic
        guard try solver.solve(elastic) != .infeasible else {
            // Bands are soft there: only margin and cash can be in the way, and no trades need no margin.
            var cheapest = elastic
            cheapest.cashBudget = .infinity
            for r in cheapest.bands.indices { cheapest.bands[r].penalty = 0 }
            for i in cheapest.instruments.indices {
                cheapest.instruments[i].costBuy = cheapest.instruments[i].cash
            }
            cheapest.balanceCosts()
            try solver.solve(cheapest)
            diagnosis.leastCash = cheapest.cash(ofSplit: solver.solution.trades)
            diagnosis.totalViolation = .infinity
            diagnosis.worstViolation = .infinity
            diagnosis.trades = problem.joined(solver.solution.trades)
            diagnosis.violations = problem.violations(trades: diagnosis.trades)
            diagnosis.bandPrices = problem.bands.map { _ in 0 }
            return diagnosis
        }
        let answer = solver.solution
        diagnosis.totalViolation = answer.cost.total
        diagnosis.gap = answer.certificate.gap
        guard answer.cost.total > 1e-9 else { return nil }
        diagnosis.trades = problem.joined(answer.trades)
        for r in problem.bands.indices {
            diagnosis.bandPrices.append(answer.bandPrices[r] * problem.bands[r].width)
        }
        diagnosis.marginPrice = answer.marginPrice
        diagnosis.cashPrice = answer.cashPrice

        // The cheapest trades that stay outside no further than these.
        var relaxed = problem.continuous
        for r in relaxed.bands.indices where relaxed.bands[r].isHard {
            let exposure = problem.exposure(ofBand: r, trades: diagnosis.trades)
            let room = 1e-9 * min(problem.bands[r].width, problem.reach(problem.bands[r]))
            relaxed.bands[r].low = min(relaxed.bands[r].low, exposure - room)
            relaxed.bands[r].high = max(relaxed.bands[r].high, exposure + room)
        }
        if try solver.solve(relaxed) == .optimal { diagnosis.trades = solver.solution.trades }
        diagnosis.violations = problem.violations(trades: diagnosis.trades)
        let worst = problem.leastWorst(atMost: diagnosis.totalViolation)
        if try solver.solve(worst) == .optimal { diagnosis.worstViolation = solver.solution.cost.total }
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
                let cost = sign > 0 ? instrument.costBuy : instrument.costSell
                split.add(
                    "\(side) \(instrumentNames[i])",
                    HedgeInstrument(
                        underlying: instrument.underlying, costBuy: 0, costSell: 0,
                        maximumBuy: sign > 0 ? instrument.maximumBuy : instrument.maximumSell, maximumSell: 0,
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
