import Foundation
import Market
import Poise

/// One answered hedge problem, for people and for programs.
struct HedgeReport {
    let problem: HedgeProblem
    let solution: HedgeSolution
    let microseconds: Double
    var infeasibility: HedgeInfeasibility?
    /// What the nearest answer would cost a little further out; empty where that is not asked.
    var slackCosts: [HedgeInfeasibility.SlackCost] = []
    /// The live book's hedge that the problem comes from, if any.
    var hedge: BookHedge?
    /// Margin before and after, where a venue's is asked about.
    var margin: HedgeMarginReport?

    init(_ problem: HedgeProblem, _ solution: HedgeSolution, microseconds: Double) {
        self.problem = problem
        self.solution = solution
        self.microseconds = microseconds
    }

    /// None where they are not proved: those are no orders.
    var trades: [Double] {
        if let infeasibility { return infeasibility.trades }
        return solution.status == .uncertified ? solution.trades.map { _ in 0 } : solution.trades
    }

    /// Limits that hold back the trades.
    private var binding: [String] {
        guard infeasibility == nil else { return [] }
        var names: [String] = []
        for (r, price) in solution.bandPrices.enumerated() where price != 0 {
            names.append(problem.bandNames[r] + (price > 0 ? ".lo" : ".hi"))
        }
        if solution.marginPrice < 0 { names.append("margin") }
        if solution.cashPrice < 0 { names.append("budget") }
        for (i, x) in trades.enumerated() {
            let instrument = problem.instruments[i]
            if x != 0, x >= instrument.maximumBuy { names.append(problem.instrumentNames[i] + ".maxBuy") }
            if x != 0, -x >= instrument.maximumSell { names.append(problem.instrumentNames[i] + ".maxSell") }
        }
        return names
    }

    // MARK: JSON

    /// The answer as an object.
    func write(to json: inout JSONWriter) {
        json.object { json in
            let cost = infeasibility == nil ? solution.cost : problem.cost(trades: trades)
            json.member("status", solution.status.rawValue)
            json.member("x", finite(trades))
            json.member("objective", cost.total.ifFinite)
            json.object("cost") { json in
                json.member("linear", cost.linear.ifFinite)
                json.member("impact", cost.impact.ifFinite)
                if cost.levels != 0 { json.member("levels", cost.levels.ifFinite) }
                json.member("fixed", cost.fixed.ifFinite)
                json.member("penalty", cost.penalty.ifFinite)
                json.member("risk", cost.risk.ifFinite)
            }
            json.member("dual", finite(infeasibility?.bandPrices ?? solution.bandPrices))
            json.member("dualMargin", (infeasibility?.marginPrice ?? solution.marginPrice).ifFinite)
            json.member("dualBudget", (infeasibility?.cashPrice ?? solution.cashPrice).ifFinite)
            json.member("binding", binding)
            if let infeasibility {
                json.member("violation", infeasibility.totalViolation.ifFinite)
                json.member("worstViolation", infeasibility.worstViolation.ifFinite)
                json.member("violations", finite(infeasibility.violations))
                if let cash = infeasibility.leastCash { json.member("leastCash", cash.ifFinite) }
                if !slackCosts.isEmpty {
                    json.array("costBySlack") { json in
                        for slack in slackCosts {
                            json.object { json in
                                json.member("widths", slack.widths)
                                json.member("cost", slack.cost?.ifFinite)
                            }
                        }
                    }
                    let stop = HedgeInfeasibility.sensibleSlack(slackCosts)
                    if let stop { json.member("sensibleSlack", stop.widths) }
                }
            }
            let certificate = solution.certificate
            json.member("gap", (infeasibility?.gap ?? solution.gap).ifFinite)
            json.object("certificate") { json in
                json.member("gap", certificate.gap.ifFinite)
                json.member("violation", certificate.violation.ifFinite)
                json.member("stationarity", certificate.stationarity.ifFinite)
            }
            json.member("interiorSteps", solution.interiorSteps)
            json.member("pivots", solution.pivots)
            json.member("nodes", solution.nodes)
            json.member("microseconds", microseconds)
            if let hedge { write(hedge, cost, to: &json) }
            margin?.write(to: &json)
        }
    }

    /// Writes the members that only a live book's answer has.
    private func write(_ hedge: BookHedge, _ total: HedgeCost, to json: inout JSONWriter) {
        json.object("trades") { json in
            for i in trades.indices where trades[i] != 0 {
                json.member(problem.instrumentNames[i], trades[i])
            }
        }
        json.array("bands") { json in
            for (r, band) in problem.bands.enumerated() {
                json.object { json in
                    json.member("name", problem.bandNames[r])
                    json.member("unit", hedge.limits[r].measure.unitName)
                    json.member("before", band.current)
                    json.member("after", problem.exposure(ofBand: r, trades: trades))
                    json.member("low", band.low.ifFinite)
                    json.member("high", band.high.ifFinite)
                    json.member("hard", band.isHard)
                }
            }
        }
        let cost = hedge.tradingCost(trades)
        json.member("spread", cost.spread)
        json.member("fee", cost.fee)
        json.member("carry", cost.carry)
        guard infeasibility == nil, !isOtherProblem, hedge.book == nil,
            let (shares, unattributed) = hedge.attribution()
        else {
            return
        }
        json.object("attribution") { json in
            for share in shares {
                json.object(share.book) { json in
                    json.member("cost", share.cost)
                    json.member("alone", share.alone)
                }
            }
        }
        json.member("unattributed", unattributed)
        let sum = shares.reduce(unattributed) { $0 + $1.cost }
        json.member("lotsAndFixedCosts", solution.nodes > 0 ? total.total - sum : 0)
    }

    private func finite(_ values: [Double]) -> [Double?] { values.map(\.ifFinite) }

    // MARK: Text

    func write(to output: Output) throws {
        try output.write("\(problem.name): \(headline)\n")
        if !traded.isEmpty {
            try output.write("\n")
            try tradeTable.writeTable(to: output)
        }
        if !problem.bands.isEmpty {
            try output.write("\n")
            try bandTable.writeTable(to: output)
        }
        let words = infeasibility == nil ? priceWords : infeasibilityWords
        if !words.isEmpty { try output.write("\n" + words.joined(separator: "\n") + "\n") }
        try margin?.write(to: output)
        if let hedge { try writeLive(hedge, to: output) }
    }

    private func writeLive(_ hedge: BookHedge, to output: Output) throws {
        if infeasibility == nil, !isOtherProblem, hedge.book == nil, hedge.exposures.count > 1 {
            if let (shares, unattributed) = hedge.attribution() {
                try output.write("\n")
                try shareTable(shares, unattributed).writeTable(to: output)
            }
        }
        let assumed = hedge.candidates.indices.filter { trades[$0] != 0 && hedge.candidates[$0].isAssumed }
        if !assumed.isEmpty {
            let names = assumed.map { problem.instrumentNames[$0] }.joined(separator: ", ")
            try output.write("\nno order book in the chain, spread and depth assumed (--fees): \(names)\n")
        }
        if let notes = hedge.amountNotes, !notes.isEmpty { try output.write("\n\(notes)\n") }
        let count = problem.instruments.count
        try output.write(
            "\n\(count) instruments considered; amounts in coins, of inverse futures in USD; costs in USD\n")
    }

    private func shareTable(
        _ shares: [BookHedge.Share], _ unattributed: Double
    ) -> Report<(name: String, cost: Double, alone: Double?, isBook: Bool)> {
        var rows = shares.map { (name: $0.book, cost: $0.cost, alone: $0.alone, isBook: true) }
        let known = rows.reduce(unattributed) { $0 + $1.cost }
        let alone = shares.reduce(0) { $0 + ($1.alone ?? .nan) }
        if unattributed != 0 { rows.append(("limits alone", unattributed, nil, false)) }
        // Shares are those of the cost in any amounts.
        if solution.nodes > 0 {
            rows.append(("lots and fixed costs", solution.cost.total - known, nil, false))
        }
        rows.append(("total", rows.reduce(0) { $0 + $1.cost }, alone.isFinite ? alone : nil, false))
        typealias Column = Report<(name: String, cost: Double, alone: Double?, isBook: Bool)>.Column
        return Report(
            columns: [
                Column("book") { .text($0.name) },
                Column("share of cost", unit: "USD", style: .significant) { .number($0.cost) },
                Column("alone", unit: "USD", style: .significant) { row in
                    row.alone.map { .number($0) } ?? (row.isBook ? .text("infeasible") : .empty)
                },
            ], rows: Array(rows.dropLast()), totals: Array(rows.suffix(1)))
    }

    private var headline: String {
        let cost = solution.cost
        switch solution.status {
        case .optimal, .budget:
            let trading = hedge?.tradingCost(trades)
            let linear =
                trading.map { [("spread", $0.spread), ("fees", $0.fee), ("carry", $0.carry)] }
                ?? [("spread, fees and carry", cost.linear)]
            // The levels of a live book are its spread and what lies beyond.
            let beyond = trading.map {
                cost.levels == 0 ? 0 : cost.linear + cost.levels - $0.spread - $0.fee - $0.carry
            }
            let parts =
                (linear + [
                    ("levels", beyond == nil ? cost.levels : 0), ("impact", cost.impact + (beyond ?? 0)),
                    ("fixed", cost.fixed),
                    ("penalties", cost.penalty), ("risk", cost.risk),
                ]).filter { $0.1 != 0 }.map { "\($0.0) \($0.1.significant)" }
            let split = parts.count > 1 ? " (\(parts.joined(separator: ", ")))" : ""
            let proof =
                solution.status == .optimal
                ? "optimal"
                : solution.gap.isFinite
                    ? "stopped after \(solution.nodes) nodes: best so far"
                    : "stopped after \(solution.nodes) nodes without an answer"
                        + (solution.nodes > 0 ? "; fractions of lots would be" : "")
            let gap = solution.gap.isFinite ? String(format: "%.1e", solution.gap) : "unknown"
            return "\(proof), cost \(cost.total.significant)\(split); gap \(gap), "
                + "\(microseconds.significant) µs"
        case .infeasible:
            guard let infeasibility else {
                if margin?.answer?.largestBalance != nil {
                    return "infeasible: no trades within the bands leave the headroom that is asked for"
                }
                return "no whole lots bring every hard band within its limits (fractions of lots would)"
            }
            if let cash = infeasibility.leastCash {
                return
                    "the cash budget \(problem.cashBudget.significant) cannot be kept: trades spend at least "
                    + cash.significant
            }
            return "infeasible: hard bands are violated by at least "
                + "\(Self.widths(infeasibility.totalViolation)) in all, "
                + "\(infeasibility.worstViolation.significant) in one"
        case .uncertified:
            return "not solved: the best trades found could not be proved to be optimal, and are left out"
        }
    }

    /// Spread, fee, carry, impact and fixed cost of one trade.
    private func cost(ofTrade i: Int) -> Double {
        let instrument = problem.instruments[i]
        let linear = trades[i] > 0 ? instrument.costBuy * trades[i] : -instrument.costSell * trades[i]
        return linear + instrument.impact * trades[i] * trades[i] + problem.levelCost(i, trades[i])
            + instrument.fixedCost
    }

    /// A trade of an answer.
    struct Trade {
        let report: HedgeReport
        let place: Int
        var amount: Double { report.trades[place] }
        var instrument: String { report.problem.instrumentNames[place] }
        var cost: Double { report.cost(ofTrade: place) }
        /// The most that may be traded in this direction; infinite where nothing limits it.
        var limit: Double {
            let instrument = report.problem.instruments[place]
            return amount > 0 ? instrument.maximumBuy : -instrument.maximumSell
        }
    }

    private var traded: [Trade] {
        trades.indices.filter { trades[$0] != 0 }.map { Trade(report: self, place: $0) }
    }

    /// The trades of several answers, a row each.
    static func trades(of reports: [HedgeReport]) -> Report<Trade> {
        typealias Column = Report<Trade>.Column
        return Report(
            columns: [
                Column("problem") { .text($0.report.problem.name) },
                Column("status") { .text($0.report.solution.status.rawValue) },
                Column("instrument") { .text($0.instrument) },
                Column("trade") { .number($0.amount) },
                Column("cost") { .number($0.cost) },
            ], rows: reports.flatMap(\.traded))
    }

    private var tradeTable: Report<Trade> {
        typealias Column = Report<Trade>.Column
        return Report(
            columns: [
                Column("instrument") { .text($0.instrument) },
                Column("trade", style: .significant) { .number($0.amount) },
                Column("cost", style: .significant) { .number($0.cost) },
                Column("limit", style: .significant) { Cell($0.limit.ifFinite) },
            ], rows: traded)
    }

    private var bandTable: Report<Int> {
        let prices = infeasibility == nil ? solution.bandPrices : []
        typealias Column = Report<Int>.Column
        return Report(
            columns: [
                Column("band") { .text(problem.bandNames[$0]) },
                Column("unit") { band in
                    hedge.map { .text($0.limits[band].measure.unitForPeople) } ?? .empty
                },
                Column("before", style: .significant) { .number(problem.bands[$0].current) },
                Column("after", style: .significant) {
                    .number(problem.exposure(ofBand: $0, trades: trades))
                },
                Column("low", style: .significant) { Cell(problem.bands[$0].low.ifFinite) },
                Column("high", style: .significant) { Cell(problem.bands[$0].high.ifFinite) },
                Column("kind") { .text(problem.bands[$0].isHard ? "hard" : "soft") },
                Column("price", style: .significant) { band in
                    prices.isEmpty || prices[band] == 0 ? .empty : .number(prices[band])
                },
            ], rows: Array(problem.bands.indices))
    }

    /// The cost of each limit at the margin, in words.
    private var priceWords: [String] {
        var priced: [(saving: Double, words: String)] = []
        for (r, price) in solution.bandPrices.enumerated() where price != 0 {
            let band = problem.bands[r]
            let step = Self.roundStep(0.1 * band.width)
            let limit = price > 0 ? "low" : "high"
            let unit = hedge.map { " " + $0.limits[r].measure.unitForPeople } ?? ""
            let (saving, words) = saving(price.magnitude * step) {
                if price > 0 { $0.bands[r].low -= step } else { $0.bands[r].high += step }
            }
            priced.append(
                (
                    saving,
                    "loosening the \(limit) limit of \(problem.bandNames[r]) by \(step.significant)\(unit) "
                        + words
                ))
        }
        let limits: [(String, Double, WritableKeyPath<HedgeProblem, Double>)] = [
            ("margin limit", solution.marginPrice, \.marginLimit),
            ("cash budget", solution.cashPrice, \.cashBudget),
        ]
        for (name, price, limit) in limits where price < 0 {
            let step = Self.roundStep(0.01 * problem[keyPath: limit].magnitude)
            let (saving, words) = saving(-price * step) { $0[keyPath: limit] += step }
            priced.append((saving, "raising the \(name) by \(step.significant) " + words))
        }
        // Where several limits meet, loosening one of them alone may save nothing.
        return priced.filter { $0.saving > 1e-9 * solution.cost.total.magnitude }
            .sorted { $0.saving > $1.saving }.map(\.words)
    }

    /// The saving of a looser limit: found by solving again, as the price only holds at the margin. Lots and fixed costs
    /// aside, as a search over them would take too long for that.
    private func saving(_ atMargin: Double, _ loosen: (inout HedgeProblem) -> Void) -> (Double, String) {
        let money = hedge == nil ? "" : " USD"
        if isMargined { return (atMargin, "would save at most \(atMargin.significant)\(money)") }
        func cost(_ problem: HedgeProblem) -> Double? {
            let solver = HedgeSolver()
            return (try? solver.solve(problem)) == .optimal ? solver.solution.cost.total : nil
        }
        var looser = problem.continuous
        let isWhole = solution.nodes > 0
        let before = isWhole ? cost(looser) : solution.cost.total
        loosen(&looser)
        guard let before, let after = cost(looser) else {
            return (atMargin, "would save at most \(atMargin.significant)\(money)")
        }
        let saving = before - after
        return (saving, "would save \(isWhole ? "about " : "")\(saving.significant)\(money)")
    }

    /// Whether a venue's margin decided too: then what other problems cost says nothing of this one.
    private var isMargined: Bool { margin?.answer != nil }

    /// Whether that, or a model without a rule for some candidates, makes the problem another than the books' own.
    private var isOtherProblem: Bool { isMargined || margin?.margin.withoutRule.isEmpty == false }

    private var infeasibilityWords: [String] {
        guard let infeasibility else { return [] }
        var words: [String] = []
        for (r, violation) in infeasibility.violations.enumerated() where violation != 0 {
            let side = violation < 0 ? "below its low limit" : "above its high limit"
            words.append("\(problem.bandNames[r]) stays \(Self.widths(violation)) \(side)")
        }
        if let steepest = infeasibility.firstBand {
            let side = infeasibility.bandPrices[steepest] > 0 ? "low" : "high"
            words.append(
                "loosen the \(side) limit of \(problem.bandNames[steepest]) first: each band width added reduces "
                    + "the total violation by \(Self.widths(infeasibility.bandPrices[steepest]))")
        }
        if let stop = HedgeInfeasibility.sensibleSlack(slackCosts), let nearest = slackCosts.first?.cost,
            let cost = stop.cost
        {
            words.append(
                "the last \(Self.widths(stop.widths)) cost out of all proportion: trades that stay outside by that much "
                    + "more cost \(cost.significant), the nearest \(nearest.significant)")
        }
        if infeasibility.marginPrice < 0 {
            words.append(
                "each unit of margin reduces the total violation by \(Self.widths(infeasibility.marginPrice))"
            )
        }
        if infeasibility.cashPrice < 0 {
            words.append(
                "each unit of cash reduces the total violation by \(Self.widths(infeasibility.cashPrice))")
        }
        return words
    }

    /// Violations are counted in widths of their bands: `1 width`, `0.25 widths`.
    private static func widths(_ value: Double) -> String {
        value.magnitude == 1 ? "1 width" : "\(value.magnitude.significant) widths"
    }

    /// 1, 2 or 5 times a power of ten, at most `value`.
    private static func roundStep(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        let power = pow(10, log10(value).rounded(.down))
        return power * (value / power >= 5 ? 5 : value / power >= 2 ? 2 : 1)
    }
}
