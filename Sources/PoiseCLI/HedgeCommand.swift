import ArgumentParser
import Checks
import Foundation
import Market
import Poise

struct HedgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hedge",
        abstract: "The cheapest trades that bring every exposure into its band.",
        discussion: """
            Either of a live book (--chain, --positions, --limits) or of problems in JSON (--problem). Every answer \
            is proved by its multipliers: the gap printed with it bounds what other trades could save. The exit \
            status is 3 where some problem has no solution; what comes nearest is printed all the same. It is 4 \
            where some answer could not be proved; no trades are printed then.
            """ + HelpExamples.of("hedge"))

    @Option(help: ArgumentHelp("Hedge problem, or an array of them, in JSON; or -.", valueName: "file"))
    var problem: String?

    @Option(
        help: ArgumentHelp(
            "Self-contained hedges under a margin (JSON, docs/margin.md), or -.", valueName: "file"))
    var marginCases: String?

    @OptionGroup var chains: ChainOption

    @OptionGroup var volatilities: VolatilityOption

    @Option(
        help: ArgumentHelp(
            """
            Exchange's list of instruments (the reply of public/get_instruments), which says in what amounts \
            they trade; may be repeated. Without it --lots assumes what is known of the exchange.
            """, valueName: "file"))
    var instruments: [String] = []

    @OptionGroup var held: PositionsOption

    @Option(
        help: ArgumentHelp(
            """
            Table book,underlying,expiry,greek,low,high[,penalty,penalty_quadratic], in the units of poise risk; with \
            grid[,scenario,level] for scenario_profit, expected_shortfall and value_at_risk.
            """, valueName: "file"))
    var limits: String?

    @Option(
        help: ArgumentHelp(
            "Table class,fee_rate,fee_cap,half_spread_rate,depth_usd[,ticket_usd,minimum_usd]; each exchange's taker fees by default.",
            valueName: "file"))
    var fees: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Days that perpetuals and futures are held, for their funding and basis.", valueName: "days"))
    var horizon = 0.0

    @OptionGroup var funding: FundingOption

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Cash budget in USD. Negative: cash the trades must raise.", valueName: "usd"))
    var cash: Double?

    @OptionGroup var marginOptions: HedgeMarginOptions

    @Flag(help: "Trade whole contract sizes only.")
    var lots = false

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Walk displayed order books by level (default), or take one impact for both sides."
        ))
    var levels: Bool?

    @Flag(help: "Start each problem from the one before, as from tick to tick.")
    var warm = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Most relaxations to solve where there are lots or fixed costs.", valueName: "count"))
    var nodes: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Most seconds for a problem. A problem made of --chain has 10, unless --nodes is given.",
            valueName: "seconds"))
    var seconds: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Gap, as a share of the cost, at which a search over lots may end; 0.0001 for --chain.",
            valueName: "share"))
    var gap: Double?

    @Option(help: ArgumentHelp("Also write the problems of the book as JSON.", valueName: "target"))
    var saveProblem: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        try NumberRule.atLeast(1).require("--nodes", nodes)
        try NumberRule.positive.require("--seconds", seconds)
        try NumberRule.within(0...0.999_999).require("--gap", gap)
        try NumberRule.within(0...3650).require("--horizon", horizon)
        try NumberRule.finite.require("--cash", cash)
        let live = [("--chain", chains.chain.first), ("--positions", held.positions), ("--limits", limits)]
        let ofBooks = [
            ("--fees", fees != nil), ("--horizon", horizon != 0), ("--funding", funding.funding != 0),
            ("--cash", cash != nil), ("--lots", lots), ("--levels", levels != nil),
            ("--surface", volatilities.surface == .own), ("--book", held.book != nil),
            ("--instruments", !instruments.isEmpty), ("--margin", marginOptions.margin != nil),
        ]
        if marginCases != nil {
            let others = (live + [("--problem", problem), ("--save-problem", saveProblem)]).map {
                ($0, $1 != nil)
            }
            if let (name, _) = (others + ofBooks).first(where: \.1) {
                throw ValidationError("--margin-cases have all of their own: no \(name) beside them")
            }
        } else if problem != nil {
            if let (name, _) = live.first(where: { $0.1 != nil }) {
                throw ValidationError("\(name) and --problem: give one or the other")
            }
            if let (name, _) = ofBooks.first(where: \.1) {
                throw ValidationError("\(name) is for a live book; a problem says it in its own fields")
            }
        } else {
            for (name, value) in live where value == nil {
                throw ValidationError("\(name) is missing (or give --problem)")
            }
        }
        if common.skipBadRows, problem ?? marginCases != nil {
            throw ValidationError("--skip-bad-rows: a problem has no rows to leave out")
        }
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let saved = try saveProblem.map { try outputs.open($0) }
        if let marginCases { return try answerCases(marginCases, output, outputs) }
        var badRows = BadRows(skip: common.skipBadRows)
        let (hedges, margins) = try problem == nil ? liveHedges(&badRows) : ([], [])
        let file = try problem.map { try HedgeProblemFile(try Source(path: $0)) }
        let solver = HedgeSolver()
        if let nodes { solver.search.nodeLimit = nodes }
        // Costs of a live book are estimates: the last digits of their sum are not worth minutes.
        let isLive = problem == nil
        if let seconds = seconds ?? (isLive && nodes == nil ? 10 : nil) { solver.search.timeLimit = seconds }
        if let gap = gap ?? (isLive ? 1e-4 : nil) { solver.search.gap = gap }
        let run = HedgeRun(
            solver, hedges, file?.problems ?? hedges.map(\.problem), margins: margins, isWarm: warm,
            file: file?.name ?? limits ?? "")
        switch common.format {
        case .json:
            try output.writeJSON { json in
                try json.object(lines: 0) { json in
                    let names = run.problems.map(\.name).distinct()
                    for index in run.problems.indices {
                        let report = try run.answer(index)
                        json.member(names[index]) { report.write(to: &$0) }
                        try output.write(&json)
                    }
                }
            }
        case .csv: try HedgeReport.trades(of: run.problems.indices.map(run.answer)).writeCSV(to: output)
        case .table:
            for index in run.problems.indices {
                if index > 0 { try output.write("\n") }
                try run.answer(index).write(to: output)
            }
        }
        if let saved {
            var json = JSONWriter()
            json.array { json in
                for (index, problem) in run.problems.enumerated() {
                    if index > 0 { json.line() }
                    problem.write(to: &json)
                }
            }
            try saved.write(&json)
            try saved.write("\n")
        }
        try outputs.finish()
        common.report(badRows)
        if run.isUnproved { throw ExitCode(ExitStatus.uncertified.rawValue) }
        if run.isInfeasible { throw ExitCode(ExitStatus.infeasible.rawValue) }
    }

    private func answerCases(_ path: String, _ output: Output, _ outputs: Outputs) throws {
        var search = HedgeSearch()
        if let nodes { search.nodeLimit = nodes }
        if let seconds { search.timeLimit = seconds }
        if let gap { search.gap = gap }
        let cases = try MarginHedgeCases(
            try MarginCases(try Source(path: path)), try GreeksEngine(), isWarm: warm, search: search)
        try cases.write(as: common.format, to: output)
        try outputs.finish()
        if cases.answers.contains(where: { $0.status == .uncertified }) {
            throw ExitCode(ExitStatus.uncertified.rawValue)
        }
        if cases.answers.contains(where: { $0.status == .infeasible }) {
            throw ExitCode(ExitStatus.infeasible.rawValue)
        }
    }

    private func liveHedges(_ badRows: inout BadRows) throws -> ([BookHedge], [MarginedBookHedge]) {
        var options = BookHedge.Options()
        if let fees { options.costs = try VenueCosts(try Source(path: fees), &badRows) }
        options.holding = HedgeCandidate.Holding(horizon: horizon, funding: funding.funding)
        options.cashBudget = cash ?? .infinity
        options.usesLots = lots
        options.walksLevels = levels ?? true
        var chain = try volatilities.chain(try chains.read(&badRows), &badRows)
        chain.instruments = try InstrumentList(try instruments.map { try Source(path: $0) }, &badRows)
        let table = try held.table(chains.exchanges, &badRows)
        let limits = try LimitTable(try Source(path: limits ?? "-"), &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        try badRows.requireRows(limits.limits.count, of: limits.file)
        try badRows.requireRows(valuation.positions.count, of: table.file)
        let engine = try GreeksEngine()
        let hedges = try BookHedge.all(valuation, in: chain, limits, options, engine, &badRows)
        if common.format != .table {
            for notes in hedges.compactMap(\.amountNotes) where !notes.isEmpty { badRows.remark("\(notes)") }
        }
        guard let margin = marginOptions.margin else { return (hedges, []) }
        let model = try MarginModel(try Source(path: margin))
        let account = try MarginAccountFile(try Source(path: marginOptions.account ?? "-"))
        let days = horizon > 0 ? horizon : 1
        let margins = try hedges.map {
            try MarginedBookHedge(
                $0, table, in: chain, account, model, underlying: marginOptions.marginUnderlying,
                buffer: marginOptions.marginBuffer, price: (marginOptions.marginPrice ?? 0) * days, engine,
                &badRows)
        }
        return (hedges, margins)
    }
}
