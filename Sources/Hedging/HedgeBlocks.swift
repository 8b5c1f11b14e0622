/// A problem in whole lots taken apart by underlying: what ties the underlyings together (bands on several of them,
/// margin and cash) is priced instead of kept, and each underlying's trades are searched by themselves (Lagrangian
/// relaxation, A. Geoffrion, Mathematical Programming Study 2, 1974). With any prices, what the parts cost is a bound
/// of the whole, and one that knows of lots; and their trades are near good ones of the whole.
struct HedgeBlocks {
    private let problem: HedgeProblem
    /// Instruments of each underlying that has any.
    private let blocks: [[Int]]
    /// Bands on several underlyings, and the prices of all of these limits.
    private let shared: [Int]
    private var prices: [Double]
    private var marginPrice, cashPrice: Double
    /// What the instruments of each shared band can move.
    private let reach: [Double]

    private static let rounds = 12
    private static let nodesPerBlock = 4000

    /// - Parameter amounts: of the size that each instrument may be traded in.
    /// - Returns: nil where there is only one underlying, or where the risk term ties all of them together.
    init?(
        _ problem: HedgeProblem, _ relaxation: HedgeSolution, amounts: borrowing Vector
    ) {
        if let risk = problem.risk, risk.riskAversion > 0 { return nil }
        blocks = problem.underlyings.indices.map { u in
            problem.instruments.indices.filter { problem.instruments[$0].underlying == u }
        }.filter { !$0.isEmpty }
        guard blocks.count > 1 else { return nil }
        shared = problem.bands.indices.filter { band in
            let entries = problem.entries[problem.bands[band].entries]
            let first = entries.first.map { problem.instruments[$0.instrument].underlying }
            return entries.contains { problem.instruments[$0.instrument].underlying != first }
        }
        self.problem = problem
        prices = shared.map { relaxation.bandPrices[$0] }
        marginPrice = relaxation.marginPrice
        cashPrice = relaxation.cashPrice
        var reach: [Double] = []
        for band in shared {
            var sum = 0.0
            for entry in problem.entries[problem.bands[band].entries] {
                let instrument = problem.instruments[entry.instrument]
                let most = max(instrument.maximumBuy, instrument.maximumSell)
                sum += entry.coefficient.magnitude * min(most, 2 * amounts[entry.instrument])
            }
            reach.append(sum)
        }
        self.reach = reach
    }

    /// Offers the parts' trades to a search, and moves the prices to where the bound is higher.
    /// - Parameters:
    ///   - costScale: the problem's currency per unit of the search's costs.
    ///   - nodeLimit: relaxations that all parts together may solve.
    ///   - timeLimit: seconds that it may take.
    /// - Returns: the highest bound.
    func strengthen(
        _ search: BranchAndBound, costScale: Double, nodeLimit: Int, timeLimit: Double,
        _ isCancelled: (() -> Bool)?
    ) -> Double {
        var blocks = self
        var highest = -Double.infinity
        let clock = ContinuousClock()
        let begin = clock.now
        var stride = 1.0
        var nodes = nodeLimit
        for _ in 0..<Self.rounds {
            let left = timeLimit - (clock.now - begin) / .seconds(1)
            guard left > 0, nodes > 0, !search.scaled.watch.isOver,
                let (bound, trades) = blocks.solve(within: left, &nodes, isCancelled)
            else { break }
            stride = bound > highest ? stride : 0.5 * stride
            highest = max(highest, bound)
            search.offer(trades)
            let best = search.best < .infinity ? search.best * costScale : bound + 0.01 * bound.magnitude
            guard best - highest > 1e-9 * best.magnitude,
                blocks.movePrices(trades, by: stride * (best - bound), size: best.magnitude)
            else { break }
        }
        return highest
    }

    /// What all parts cost at least, and their trades; nil where one has none.
    private func solve(
        within seconds: Double, _ nodes: inout Int, _ isCancelled: (() -> Bool)?
    ) -> (bound: Double, trades: [Double])? {
        var bound = min(marginPrice, 0) < 0 ? marginPrice * problem.marginLimit : 0
        if cashPrice < 0 { bound += cashPrice * problem.cashBudget }
        var paid = [Double](repeating: 0, count: problem.instruments.count)
        for (price, index) in zip(prices, shared) {
            let band = problem.bands[index]
            let price = problem.admissible(band, price)
            bound += problem.dualTerm(band, price)
            for k in band.entries {
                paid[problem.entries[k].instrument] += price * problem.entries[k].coefficient
            }
        }
        var trades = [Double](repeating: 0, count: problem.instruments.count)
        for block in blocks {
            let solver = HedgeSolver()
            solver.search.nodeLimit = max(min(Self.nodesPerBlock, nodes), 1)
            solver.search.timeLimit = seconds / Double(blocks.count)
            solver.search.gap = 1e-7
            solver.isCancelled = isCancelled
            guard let status = try? solver.solve(part(block, paid)), status == .optimal || status == .budget,
                solver.solution.gap < .infinity
            else { return nil }
            nodes -= solver.solution.nodes
            let cost = solver.solution.cost.total
            bound += cost - solver.solution.gap * cost.magnitude
            for (k, i) in block.enumerated() { trades[i] = solver.solution.trades[k] }
        }
        return (bound, trades)
    }

    /// The problem of one underlying, where shared limits pay `paid` per unit of an instrument.
    private func part(_ block: [Int], _ paid: [Double]) -> HedgeProblem {
        var part = HedgeProblem(underlyings: ["part"])
        var place = [Int](repeating: -1, count: problem.instruments.count)
        for i in block {
            var instrument = problem.instruments[i]
            let limits = marginPrice * instrument.margin
            let bought = cashPrice * (instrument.cash + instrument.costBuy)
            let sold = cashPrice * (instrument.costSell - instrument.cash)
            instrument.costBuy -= paid[i] + limits + bought
            instrument.costSell += paid[i] - limits - sold
            // Rounding must not let buying and selling again earn anything.
            instrument.costSell = max(instrument.costSell, -instrument.costBuy)
            instrument.underlying = 0
            instrument.margin = 0
            instrument.cash = 0
            place[i] = part.add("", instrument)
        }
        for (index, band) in problem.bands.enumerated() where !shared.contains(index) {
            let own = problem.entries[band.entries].map {
                (instrument: place[$0.instrument], coefficient: $0.coefficient)
            }
            guard own.first.map({ $0.instrument >= 0 }) ?? false else { continue }
            part.add("", band, coefficients: own)
        }
        return part
    }

    /// Moves prices along the bound's slope, as far as it would rise by `rise` if it went on like that, but none much
    /// further than it has come or than costs of that `size` suggest: the slope changes on the way.
    /// - Returns: whether there is a slope.
    private mutating func movePrices(_ trades: [Double], by rise: Double, size: Double) -> Bool {
        var slopes: [Double] = []
        var square = 0.0
        for (k, index) in shared.enumerated() {
            let band = problem.bands[index]
            let exposure = problem.exposure(ofBand: index, trades: trades)
            var slope = prices[k] > 0 ? band.low - exposure : prices[k] < 0 ? band.high - exposure : 0
            if prices[k] == 0 { slope = max(band.low - exposure, 0) + min(band.high - exposure, 0) }
            if !band.isHard, band.penaltyQuadratic > 0 {
                let excess = max(prices[k].magnitude - band.penalty, 0) / band.penaltyQuadratic
                slope -= prices[k] > 0 ? excess : -excess
            }
            slopes.append(reach[k] > 0 ? slope / reach[k] : 0)
            square += slopes[k] * slopes[k]
        }
        // Of limits of their own: the price of 1 at full use of the budget.
        let margin =
            problem.marginLimit < .infinity ? problem.margin(trades: trades) - problem.marginLimit : 0
        let marginReach = max(problem.marginLimit, 1e-300)
        let marginSlope = marginPrice < 0 || margin > 0 ? -margin / marginReach : 0
        let cash = problem.cashBudget < .infinity ? problem.cash(trades: trades) - problem.cashBudget : 0
        let cashReach = max(problem.cashBudget.magnitude, cash.magnitude, 1e-300)
        let cashSlope = cashPrice < 0 || cash > 0 ? -cash / cashReach : 0
        square += marginSlope * marginSlope + cashSlope * cashSlope
        guard square > 0, square.isFinite else { return false }
        let length = rise / square
        func move(_ price: Double, _ slope: Double, _ reach: Double) -> Double {
            let most = max(0.25 * price.magnitude, 0.002 * size / reach)
            let moved = price + max(-most, min(most, length * slope / reach))
            return price * moved < 0 ? 0 : moved
        }
        for k in shared.indices where reach[k] > 0 {
            let moved = move(prices[k], slopes[k], reach[k])
            prices[k] = problem.admissible(problem.bands[shared[k]], moved)
        }
        marginPrice = min(move(marginPrice, marginSlope, marginReach), 0)
        cashPrice = min(move(cashPrice, cashSlope, cashReach), 0)
        return true
    }
}
