/// A problem in which every stretch of an instrument's costs is an instrument of its own, with that stretch's price and
/// size. As costs don't fall with the amount, the cheapest trades fill stretches in their order by themselves.
///
/// Where amounts are whole, stretches are whole lots: the lot in which a level ends costs what it costs as a whole.
/// Fixed costs and smallest trades of several stretches get a switch, a lot of one that costs the fixed cost and without
/// which nothing is traded.
struct CurveColumns {
    /// The problem of stretches; its first bands are those of the problem itself.
    private(set) var problem: HedgeProblem
    private(set) var columns: [Column] = []
    /// The problem's own instruments.
    private let count: Int

    struct Column {
        let instrument: Int
        /// Where it starts, counted from no trade; on both sides from 0.
        let start: Double
        /// 1 bought, −1 sold, 0 either, and 0 for a switch.
        let sign: Double
        let isSwitch: Bool
        /// Of a switch: the sign of what it lets be traded, 0 for either.
        var switched = 0.0
    }

    /// How a problem is taken apart.
    struct Form {
        /// Whether lots, smallest trades and fixed costs count.
        var isWhole = false
        /// Whether bought and sold amounts are columns of their own throughout.
        var isSplit = false
        /// Amounts that are looked at, sold (below 0) and bought; all where nil.
        var ranges: [(low: Double, high: Double)]?
    }

    init(_ original: HedgeProblem, _ form: Form) {
        count = original.instruments.count
        problem = HedgeProblem(
            name: original.name, underlyings: original.underlyings, marginLimit: original.marginLimit,
            cashBudget: original.cashBudget)
        var columnsOf = [[Int]](repeating: [], count: count)
        var switches: [(instrument: Int, side: TradeSide?, columns: [Int], limit: Double)] = []
        for i in original.instruments.indices {
            let instrument = original.instruments[i]
            var (bought, sold) = (original.pieces(i, .buy), original.pieces(i, .sell))
            if let range = form.ranges?[i] {
                Self.clip(&bought, range.high)
                Self.clip(&sold, -range.low)
            }
            if form.isWhole, instrument.lot > 0 {
                bought = Self.whole(bought, instrument.lot)
                sold = Self.whole(sold, instrument.lot)
            }
            let hasMinimum = form.isWhole && instrument.minimum > instrument.lot
            let hasFixed = form.isWhole && instrument.fixedCost > 0
            let isOne = bought.count <= 1 && sold.count <= 1
            let curvature = bought.first?.quadratic ?? sold.first?.quadratic ?? 0
            let isJoined =
                !form.isSplit && (sold.first?.quadratic ?? curvature) == curvature
            // What the solver's own search can do: one stretch a side, as one instrument.
            let isPlain = isOne && isJoined
            let needsSwitch =
                (hasMinimum || hasFixed)
                && !(isPlain
                    && (!hasFixed || original.cashBudget == .infinity || !original.countsAllCosts))
            func column(_ bought: CostPiece?, _ sold: CostPiece?) {
                let piece = bought ?? sold
                var column = instrument
                column.impact = piece?.quadratic ?? 0
                let (buy, sell) = (bought?.price ?? -(sold?.price ?? 0), sold?.price ?? -(bought?.price ?? 0))
                column.costBuy = buy
                column.costSell = max(sell, -buy)
                column.maximumBuy = bought?.size ?? 0
                column.maximumSell = sold?.size ?? 0
                if !form.isWhole { column.lot = 0 }
                if !form.isWhole || needsSwitch {
                    column.minimum = 0
                    column.fixedCost = 0
                }
                columnsOf[i].append(columns.count)
                columns.append(
                    Column(
                        instrument: i, start: piece?.start ?? 0,
                        sign: bought != nil && sold != nil ? 0 : bought != nil ? 1 : -1, isSwitch: false))
                problem.add(original.instrumentNames[i], column)
            }
            let first = isJoined && (!needsSwitch || !hasMinimum)
            if first, !bought.isEmpty || !sold.isEmpty { column(bought.first, sold.first) }
            for piece in bought.dropFirst(first ? 1 : 0) { column(piece, nil) }
            for piece in sold.dropFirst(first ? 1 : 0) { column(nil, piece) }
            if needsSwitch {
                let all = columnsOf[i]
                func limit(_ pieces: [CostPiece]) -> Double { pieces.last.map { $0.start + $0.size } ?? 0 }
                if first {
                    switches.append((i, nil, all, max(limit(bought), limit(sold))))
                } else {
                    switches.append((i, .buy, all.filter { columns[$0].sign > 0 }, limit(bought)))
                    switches.append((i, .sell, all.filter { columns[$0].sign < 0 }, limit(sold)))
                }
            }
        }
        for r in original.bands.indices {
            let own = original.entries[original.bands[r].entries].lazy.flatMap { entry in
                columnsOf[entry.instrument].lazy.map { (instrument: $0, coefficient: entry.coefficient) }
            }
            problem.add(original.bandNames[r], original.bands[r], coefficients: Array(own))
        }
        for (i, side, own, limit) in switches where limit > 0 {
            addSwitch(original, i, side, own, limit)
        }
        if var risk = original.risk {
            risk.exposure = columns.map { $0.isSwitch ? 0 : risk.exposure[$0.instrument] }
            problem.risk = risk
        }
    }

    /// A switch with the bands that tie amounts to it.
    private mutating func addSwitch(
        _ original: HedgeProblem, _ i: Int, _ side: TradeSide?, _ own: [Int], _ limit: Double
    ) {
        let instrument = original.instruments[i]
        let name = "\(original.instrumentNames[i]) at all"
        let index = problem.add(
            name,
            HedgeInstrument(
                underlying: instrument.underlying, costBuy: instrument.fixedCost, costSell: 0, lot: 1,
                maximumBuy: 1, maximumSell: 0))
        columns.append(
            Column(instrument: i, start: 0, sign: 0, isSwitch: true, switched: side?.sign ?? 0))
        // In shares of the limit, so that rounding of large limits lets nothing through.
        for sign in side.map({ [$0.sign] }) ?? [1, -1] {
            problem.add(
                name, HedgeBand(hard: -.infinity, 0, current: 0),
                coefficients: own.map { (instrument: $0, coefficient: sign / limit) }
                    + [(instrument: index, coefficient: -1)])
        }
        guard let side, instrument.minimum > 0 else { return }
        problem.add(
            name, HedgeBand(hard: 0, .infinity, current: 0),
            coefficients: own.map { (instrument: $0, coefficient: side.sign / instrument.minimum) }
                + [(instrument: index, coefficient: -1)])
    }

    private static func clip(_ pieces: inout [CostPiece], _ limit: Double) {
        pieces.removeAll { $0.start >= limit }
        if let last = pieces.indices.last {
            pieces[last].size = min(pieces[last].size, limit - pieces[last].start)
        }
    }

    /// The same costs at whole lots, straight between the lots where a stretch ends within one.
    static func whole(_ pieces: [CostPiece], _ lot: Double) -> [CostPiece] {
        var whole: [CostPiece] = []
        // Of the lot that is being filled: how much of it, and what that costs.
        var (filled, cost) = (0.0, 0.0)
        var lots = 0.0
        func add(_ count: Double, _ price: Double, _ quadratic: Double) {
            if quadratic == 0, let last = whole.last, last.quadratic == 0,
                price <= last.price
            {
                whole[whole.count - 1].size += count * lot
            } else {
                whole.append(
                    CostPiece(start: lots * lot, size: count * lot, price: price, quadratic: quadratic))
            }
            lots += count
        }
        for piece in pieces {
            var from = 0.0
            if filled > 0 {
                let part = min(lot - filled, piece.size)
                cost += piece.cost(part)
                filled += part
                from = part
                guard filled >= lot * (1 - 1e-12) else { continue }
                add(1, cost / lot, 0)
                (filled, cost) = (0, 0)
            }
            let rest = piece.size - from
            let count = rest == .infinity ? rest : (rest / lot * (1 + 1e-12)).rounded(.down)
            if count > 0 { add(count, piece.price + 2 * piece.quadratic * from, piece.quadratic) }
            let left = rest - count * lot
            if left > 1e-12 * lot {
                filled = left
                cost = piece.cost(piece.size) - piece.cost(piece.size - left)
            }
        }
        return whole
    }

    /// The problem's own trades of those of the stretches.
    func joined(_ amounts: [Double]) -> [Double] {
        var trades = [Double](repeating: 0, count: count)
        for (column, x) in zip(columns, amounts) where !column.isSwitch { trades[column.instrument] += x }
        return trades
    }

    /// The amounts that trades fill stretches with.
    func split(_ trades: [Double]) -> [Double] {
        columns.indices.map { k in
            let column = columns[k]
            let x = trades[column.instrument]
            if column.isSwitch { return x != 0 && x * column.switched >= 0 ? 1 : 0 }
            guard x * column.sign >= 0 else { return 0 }
            let instrument = problem.instruments[k]
            let size = x > 0 ? instrument.maximumBuy : instrument.maximumSell
            let amount = max(min(x.magnitude - column.start, size), 0)
            return x > 0 ? amount : -amount
        }
    }

    // MARK: A budget that counts what bends

    /// Takes the bent part of what columns cost into the cash budget as it is along its tangent at `amounts`, and its
    /// bend, at the budget's price, into the costs: a step of sequential quadratic programming.
    mutating func linearise(at amounts: [Double], price: Double, budget: Double) {
        var square = 0.0
        for k in problem.instruments.indices {
            let bend = problem.instruments[k].impact
            guard bend > 0, !columns[k].isSwitch else { continue }
            let slope = 2 * bend * amounts[k]
            square += bend * amounts[k] * amounts[k]
            problem.instruments[k].costBuy -= price * slope
            problem.instruments[k].costSell += price * slope
            problem.instruments[k].cash += (1 + price) * slope
            problem.instruments[k].impact *= 1 + price
        }
        problem.cashBudget = budget + square
    }

    /// Adds a limit on cash along the tangents at `amounts`, which no trades within the budget leave. For columns of
    /// one side each.
    mutating func addCut(at amounts: [Double], budget: Double) {
        var coefficients: [(instrument: Int, coefficient: Double)] = []
        var limit = budget
        for (k, column) in columns.enumerated() {
            let instrument = problem.instruments[k]
            let slope = 2 * instrument.impact * amounts[k]
            limit += instrument.impact * amounts[k] * amounts[k]
            let cash =
                column.sign < 0
                ? instrument.cash - instrument.costSell + slope : instrument.cash + instrument.costBuy + slope
            if cash != 0 { coefficients.append((k, cash)) }
        }
        problem.add("budget", HedgeBand(hard: -.infinity, limit, current: 0), coefficients: coefficients)
    }

    /// Leaves the budget to the cuts.
    mutating func dropBudget() { problem.cashBudget = .infinity }
}
