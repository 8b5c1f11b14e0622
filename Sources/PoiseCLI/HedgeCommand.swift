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
            status is 3 where some problem has no solution; what comes nearest is printed all the same.
            """)

    @Option(help: ArgumentHelp("Hedge problem, or an array of them, in JSON; or -.", valueName: "file"))
    var problem: String?

    @Option(
        help: ArgumentHelp(
            "Exchange's chain with its order books (CSV or JSON), or -; may be repeated: several files are one chain.",
            valueName: "file"))
    var chain: [String] = []

    @Option(help: ArgumentHelp("Table book,instrument,quantity, or -.", valueName: "file"))
    var positions: String?

    @Option(
        help: ArgumentHelp(
            "Table book,underlying,expiry,greek,low,high,penalty; in the units of poise risk.",
            valueName: "file"))
    var limits: String?

    @Option(
        help: ArgumentHelp(
            "Table class,fee_rate,fee_cap,half_spread_rate,depth_usd[,ticket_usd,minimum_usd]; Deribit's taker fees by default.",
            valueName: "file"))
    var fees: String?

    @Option(help: ArgumentHelp("Days that futures are held, for their funding and basis.", valueName: "days"))
    var horizon = 0.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Funding that long perpetuals pay per eight hours.", valueName: "rate"))
    var funding = 0.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Most dollars that the trades may spend; below 0 they have to bring in.", valueName: "usd"))
    var cash: Double?

    @Flag(help: "Trade whole contract sizes only.")
    var lots = false

    @Flag(help: "Start each problem from the one before, as from tick to tick.")
    var warm = false

    @Option(
        help: ArgumentHelp(
            "Most relaxations to solve where there are lots or fixed costs.", valueName: "count"))
    var nodes: Int?

    @Option(
        help: ArgumentHelp(
            "Most seconds for a problem with lots or fixed costs (a live book's without --nodes: 10).",
            valueName: "seconds"))
    var seconds: Double?

    @Option(
        help: ArgumentHelp(
            "Gap, as a share of the cost, at which such a search may end (a live book's: 0.0001).",
            valueName: "share"))
    var gap: Double?

    @Option(help: ArgumentHelp("Also write the problems of the book as JSON.", valueName: "file"))
    var saveProblem: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let nodes, nodes < 1 { throw ValidationError("--nodes \(nodes): expected at least 1") }
        if let seconds, !(seconds > 0) {
            throw ValidationError("--seconds \(seconds): expected a number above 0")
        }
        if let gap, !(gap >= 0 && gap < 1) {
            throw ValidationError("--gap \(gap): expected 0 to 1")
        }
        guard horizon >= 0, horizon <= 3650 else {
            throw ValidationError("--horizon \(horizon): expected 0 to 3650 days")
        }
        guard funding.magnitude < 0.1 else {
            throw ValidationError("--funding \(funding): expected -0.1 to 0.1")
        }
        if let cash, !cash.isFinite { throw ValidationError("--cash \(cash): expected a number") }
        let live = [("--chain", chain.first), ("--positions", positions), ("--limits", limits)]
        if problem != nil {
            if let (name, _) = live.first(where: { $0.1 != nil }) {
                throw ValidationError("\(name) and --problem: give one or the other")
            }
            let ofBooks = [
                ("--fees", fees != nil), ("--horizon", horizon != 0), ("--funding", funding != 0),
                ("--cash", cash != nil), ("--lots", lots),
            ]
            if let (name, _) = ofBooks.first(where: \.1) {
                throw ValidationError("\(name) is for a live book; a problem says it in its own fields")
            }
            if common.skipBadRows {
                throw ValidationError("--skip-bad-rows: a problem has no rows to leave out")
            }
        } else {
            for (name, value) in live where value == nil {
                throw ValidationError("\(name) is missing (or give --problem)")
            }
        }
        if (chain + [positions, limits, fees]).filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input can be one of the files only")
        }
    }

    func run() throws {
        var badRows = BadRows(skip: common.skipBadRows)
        let hedges = try problem == nil ? liveHedges(&badRows) : []
        let file = try problem.map { try HedgeProblemFile(try Source(path: $0)) }
        let output = try Output(path: common.output)
        let saved = try saveProblem.map { try Output(path: $0) }
        let solver = HedgeSolver()
        if let nodes { solver.search.nodeLimit = nodes }
        // Costs of a live book are estimates: the last digits of their sum are not worth minutes.
        let isLive = problem == nil
        if let seconds = seconds ?? (isLive && nodes == nil ? 10 : nil) { solver.search.timeLimit = seconds }
        if let gap = gap ?? (isLive ? 1e-4 : nil) { solver.search.gap = gap }
        let clock = ContinuousClock()
        var reports: [HedgeReport] = []
        var isInfeasible = false
        var names: [String: Int] = [:]
        if common.format == .json { try output.write("{") }
        for (index, problem) in (file?.problems ?? hedges.map(\.problem)).enumerated() {
            let begin = clock.now
            do throws(HedgeError) {
                try solver.solve(problem, start: warm ? .warm : .cold)
            } catch {
                throw HedgeInputError(
                    file: file?.name ?? limits ?? "", problem: problem.name, error: error)
            }
            let duration = (clock.now - begin) / .microseconds(1)
            var report = HedgeReport(problem, solver.solution, microseconds: duration)
            report.hedge = file == nil ? hedges[index] : nil
            if solver.solution.status == .infeasible {
                report.infeasibility = try solver.diagnose(problem)
                isInfeasible = true
            }
            switch common.format {
            case .json:
                // Names of an object are unique.
                let count = names[problem.name, default: 0]
                names[problem.name] = count + 1
                let name = count == 0 ? problem.name : "\(problem.name)#\(count + 1)"
                try output.write("\(index == 0 ? "" : ",")\n\(JSON.quoted(name)): \(report.json)")
            case .csv: reports.append(report)
            case .table:
                if index > 0 { try output.write("\n") }
                try report.write(to: output)
            }
        }
        switch common.format {
        case .json: try output.write("\n}\n")
        case .csv: try HedgeReport.trades(of: reports).writeCSV(to: output)
        case .table: break
        }
        if let saved {
            let problems = file?.problems ?? hedges.map(\.problem)
            try saved.write("[" + problems.map(\.json).joined(separator: ",\n") + "]\n")
            try saved.finish()
        }
        try output.finish()
        common.report(badRows)
        if isInfeasible { throw ExitCode(3) }
    }

    private func liveHedges(_ badRows: inout BadRows) throws -> [BookHedge] {
        var options = BookHedge.Options()
        if let fees { options.costs = try VenueCosts(try Source(path: fees), &badRows) }
        options.holding = HedgeCandidate.Holding(horizon: horizon, funding: funding)
        options.cashBudget = cash ?? .infinity
        options.usesLots = lots
        let chain = try Chain(paths: chain, &badRows)
        let table = try PositionTable(try Source(path: positions ?? "-"), &badRows)
        let limits = try LimitTable(try Source(path: limits ?? "-"), &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        return try BookHedge.all(valuation, in: chain, limits, options, try GreeksEngine(), &badRows)
    }
}

/// A problem that cannot be solved as it stands, with where it comes from.
struct HedgeInputError: PoiseError {
    let file: String
    let problem: String
    let error: HedgeError
    var reason: String { error.reason }
    var description: String { "\(file): problem \"\(problem)\": \(error)" }
}
