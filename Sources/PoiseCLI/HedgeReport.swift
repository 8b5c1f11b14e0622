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

    /// Whether a venue's margin decided too: then what other problems cost says nothing of this one.
    var isMargined: Bool { margin?.answer != nil }

    /// Whether that, or a model without a rule for some candidates, makes the problem another than the books' own.
    var isOtherProblem: Bool { isMargined || margin?.margin.withoutRule.isEmpty == false }

    // MARK: Tables

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
}
