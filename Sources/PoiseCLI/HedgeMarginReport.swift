import Poise

/// Margin before and after a hedge, for people and for programs.
struct HedgeMarginReport {
    struct State {
        let requirement: MarginRequirement
        /// By underlying.
        let liquidations: [(below: Double?, above: Double?)]
    }

    let margin: MarginedBookHedge
    let problem: HedgeProblem
    let answer: RequirementAnswer?
    let trades: [Double]
    let before, after: State
    /// By how much each trade changes the headroom, beside all the others.
    let changes: [Double]

    init(
        _ margin: MarginedBookHedge, _ problem: HedgeProblem, _ trades: [Double], _ answer: RequirementAnswer?
    )
        throws
    {
        (self.margin, self.problem, self.answer, self.trades) = (margin, problem, answer, trades)
        let cost = problem.cost(trades: trades)
        let paid = cost.linear + cost.impact + cost.levels + cost.fixed
        let none = trades.map { _ in 0.0 }
        func state(_ trades: [Double], _ paid: Double) throws -> State {
            State(
                requirement: try margin.hedge.exact(after: trades, paying: paid),
                liquidations: try margin.hedge.market.underlyings.indices.map {
                    try margin.hedge.liquidation(after: trades, paying: paid, underlying: $0)
                })
        }
        before = try state(none, 0)
        after = try state(trades, paid)
        changes = try margin.hedge.headroomOfTrades(trades, paying: paid)
    }

    private var currency: String { margin.currency }
    private var buffer: Double { margin.terms.balanceAtLeast / margin.hedge.scale }

    /// How far what the optimiser took for the margin is above what the rule asks, in the account's currency.
    private var overstated: Double? {
        answer.map { $0.required / margin.hedge.scale - after.requirement.initialMargin }
    }

    /// Trades that bring a band nearer to its limits and take margin: what looks like less risk and may force sales.
    private var forcing: [(trade: Int, band: Int)] {
        var pairs: [(Int, Int)] = []
        for i in trades.indices where trades[i] != 0 && changes[i] < 0 {
            let band = problem.bands.indices.max { one, other in
                relief(ofBand: one, by: i) < relief(ofBand: other, by: i)
            }
            if let band, relief(ofBand: band, by: i) > 0 { pairs.append((i, band)) }
        }
        return pairs
    }

    /// By how many of its widths a trade brings a band nearer to 0.
    private func relief(ofBand r: Int, by i: Int) -> Double {
        let band = problem.bands[r]
        let move = band.entries.reduce(0) {
            $0 + (problem.entries[$1].instrument == i ? problem.entries[$1].coefficient * trades[i] : 0)
        }
        let after = problem.exposure(ofBand: r, trades: trades)
        let size = max(
            band.low.isFinite ? band.low.magnitude : 0, band.high.isFinite ? band.high.magnitude : 0)
        return ((after - move).magnitude - after.magnitude) / max(size, band.current.magnitude, 1e-300)
    }

    /// What trades beside the account cost: they are no margin of it, and its cash pays.
    private var costElsewhere: Double {
        var beside = trades
        for i in margin.elsewhere { beside[i] = 0 }
        return paid(trades) - paid(beside)
    }

    /// What trades cost in money.
    private func paid(_ trades: [Double]) -> Double {
        let cost = problem.cost(trades: trades)
        return cost.linear + cost.impact + cost.levels + cost.fixed
    }

    /// Outcomes with a price, dearest first.
    private var prices: [(title: String, price: Double)] {
        guard let answer else { return [] }
        return zip(margin.hedge.requirement.titles, answer.outcomePrices).filter { $0.1 > 0 }
            .map { (title: $0.0, price: $0.1) }.sorted { $0.price > $1.price }
    }

    // MARK: Text

    func write(to output: Output) throws {
        struct Row {
            let name: String
            let before, after: Double?
        }
        let (one, two) = (before.requirement, after.requirement)
        var rows = [
            Row(name: "initial margin", before: one.initialMargin, after: two.initialMargin),
            Row(name: "headroom over it", before: one.initialBalance, after: two.initialBalance),
            Row(name: "maintenance margin", before: one.maintenanceMargin, after: two.maintenanceMargin),
            Row(name: "headroom over it", before: one.maintenanceBalance, after: two.maintenanceBalance),
        ]
        let underlyings = margin.hedge.market.underlyings
        for (place, underlying) in underlyings.enumerated() {
            let coin = underlyings.count > 1 ? "\(underlying.name): " : ""
            func add(_ name: String, _ price: (State) -> Double?) {
                rows.append(Row(name: coin + name, before: price(before), after: price(after)))
            }
            func distance(_ price: Double?) -> Double? { price.map { 100 * ($0 / underlying.spot - 1) } }
            add("liquidation below") { $0.liquidations[place].below }
            add("liquidation above") { $0.liquidations[place].above }
            add("distance below, %") { distance($0.liquidations[place].below) }
            add("distance above, %") { distance($0.liquidations[place].above) }
        }
        typealias Column = Report<Row>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("margin", title: "\(margin.hedge.model.name), \(currency)") { .text($0.name) },
                Column("before", style: .significant) { Cell($0.before) },
                Column("after", style: .significant) { Cell($0.after) },
                Column("change", style: .significant) { row in
                    Cell(row.before.flatMap { before in row.after.map { $0 - before } })
                },
            ], rows: rows.filter { $0.before != nil || $0.after != nil }
        ).writeTable(to: output)
        if rows.dropFirst(4).allSatisfy({ $0.before == nil && $0.after == nil }) {
            try output.write("\nno liquidation price between a tenth and ten times the index\n")
        }
        let words = self.words
        if !words.isEmpty { try output.write("\n" + words.joined(separator: "\n") + "\n") }
    }

    private var words: [String] {
        var words: [String] = []
        if let answer, answer.limitPrice > 0 {
            words.append(
                "one \(currency) more of headroom costs \((answer.limitPrice * margin.hedge.scale).significant) USD"
            )
        }
        if let answer, margin.terms.price > 0 {
            words.append(
                "the initial margin after the trades costs \((margin.terms.price * answer.required).significant) USD, "
                    + "beside the cost above")
        }
        let prices = prices
        let sum = prices.reduce(0) { $0 + $1.price }
        if sum > 0 {
            let shares = prices.prefix(3).map { "\($0.title) (\((100 * $0.price / sum).significant)%)" }
            words.append("the margin that is paid for is that of: \(shares.joined(separator: ", "))")
        }
        if let largest = answer?.largestBalance {
            let most = largest / margin.hedge.scale
            words.append(
                "no trades leave more headroom than \(most.significant) \(currency), "
                    + "\((buffer - most).significant) less than asked for"
                    + (answer?.hedge.trades.contains { $0 != 0 } == true
                        ? "; those shown leave \(after.requirement.initialBalance.significant)"
                        : "; whole lots that come near were not found in the time given"))
        }
        let forcing = self.forcing.sorted { changes[$0.trade] < changes[$1.trade] }
        for (trade, band) in forcing.prefix(5) {
            words.append(
                "\(problem.instrumentNames[trade]) lowers \(problem.bandNames[band]) and takes "
                    + "\((-changes[trade]).significant) \(currency) of headroom")
        }
        if forcing.count > 5 { words.append("and \(forcing.count - 5) more that do, in JSON") }
        let change = after.requirement.initialBalance - before.requirement.initialBalance
        if change < 0 {
            words.append("the trades take \((-change).significant) \(currency) of headroom in all")
        }
        if after.requirement.maintenanceBalance < 0 {
            words.append(
                before.requirement.maintenanceBalance < 0
                    ? "maintenance margin is not met, before or after: the venue may sell"
                    : "maintenance margin is not met after the trades: the venue may sell")
        }
        // What stands in for a part that is not convex matters where it asks for more, or may have held the trades.
        let isAbove = (overstated ?? 0) > 1e-9 * after.requirement.initialMargin.magnitude
        if let answer, isAbove || answer.largestBalance != nil { words += margin.hedge.requirement.notes }
        if isAbove, let overstated {
            words.append(
                "for that the margin was taken \(overstated.significant) \(currency) above the rule's own")
        }
        if !margin.elsewhere.isEmpty {
            let cost = costElsewhere
            words.append(
                "\(margin.elsewhere.count) instruments are outside of the account: no margin counted"
                    + (cost == 0
                        ? "" : ", but the \(cost.significant) USD that their trades cost leave its cash"))
        }
        if !margin.withoutRule.isEmpty {
            words.append(
                "\(margin.withoutRule.count) instruments are not traded: the model has no rule for them")
        }
        if !margin.withoutEffect.isEmpty {
            words.append("without effect in this model: \(margin.withoutEffect.joined(separator: ", "))")
        }
        return words
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.object("margin") { json in
            json.member("model", margin.hedge.model.name)
            json.member("currency", currency)
            json.member("buffer", buffer.ifFinite)
            for (name, state) in [("before", before), ("after", after)] {
                json.object(name) { json in
                    json.member("initial_margin", state.requirement.initialMargin)
                    json.member("initial_margin_balance", state.requirement.initialBalance)
                    json.member("maintenance_margin", state.requirement.maintenanceMargin)
                    json.member("maintenance_margin_balance", state.requirement.maintenanceBalance)
                    json.member("liquidation_below", state.liquidations.first?.below)
                    json.member("liquidation_above", state.liquidations.first?.above)
                    guard state.liquidations.count > 1 else { return }
                    json.array("liquidation") { json in
                        for (underlying, prices) in zip(margin.hedge.market.underlyings, state.liquidations) {
                            json.object { json in
                                json.member("underlying", underlying.name)
                                json.member("below", prices.below)
                                json.member("above", prices.above)
                            }
                        }
                    }
                }
            }
            json.array("trades") { json in
                for i in trades.indices where trades[i] != 0 {
                    json.object { json in
                        json.member("instrument", problem.instrumentNames[i])
                        json.member("headroom", changes[i])
                        let band = forcing.first { $0.trade == i }?.band
                        json.member("lowersGreekTakesMargin", band != nil)
                        if let band { json.member("lowers", problem.bandNames[band]) }
                    }
                }
            }
            if let answer {
                json.member("costBesideAccount", costElsewhere)
                json.member("costOfMargin", margin.terms.price * answer.required)
                json.member("priceOfHeadroom", answer.limitPrice * margin.hedge.scale)
                json.object("pricesByScenario") { json in
                    for (title, price) in prices { json.member(title, price) }
                }
                json.member(
                    "largestHeadroom", answer.largestBalance.map { $0 / margin.hedge.scale })
                json.member("gap", answer.gap.ifFinite)
                json.member("overstatement", overstated?.ifFinite)
                json.member("planes", answer.planesAdded)
                json.member("problems", answer.rounds)
                json.member("notes", margin.hedge.requirement.notes)
            }
        }
    }
}
