import ArgumentParser
import Foundation
import Poise

struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract: "Profit of books in every scenario of a grid: prices, volatilities, rates and time move.",
        discussion: """
            Every contract is revalued in full in every scenario. Grids are JSON files: Examples/grids has some, \
            in the style of exchanges' portfolio margin, and docs/commands.md says what stands in them. The table shows \
            the total by move of the price, and each group's worst and best scenario; csv and json have every \
            group in every scenario.
            """)

    @OptionGroup var inputs: BookOptions

    @Option(help: ArgumentHelp("Scenarios (JSON), or -.", valueName: "file"))
    var grid: String

    @Option(help: ArgumentHelp("Draw the total and every group as a heat map (SVG).", valueName: "file"))
    var svg: String?

    @Option(
        help: ArgumentHelp(
            """
            In place of chain and positions: a table of options, type,spot,strike,years,vol,rate,dividend,quantity \
            and, where wanted, book; any number of rows.
            """, valueName: "file"))
    var options: String?

    @Option(
        help: ArgumentHelp(
            "Threads that share the scenarios of --options; the same bits for any number.", valueName: "count"
        ))
    var threads = 1

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try inputs.groupings()
        if options == nil {
            _ = try inputs.requireFiles()
        } else {
            let ofBooks = [
                ("--chain", inputs.chain.first), ("--positions", inputs.positions), ("--by", inputs.by),
                ("--desks", inputs.desks), ("--tenors", inputs.tenors),
                ("--moneyness", inputs.moneynessEdges),
            ]
            if let (name, _) = ofBooks.first(where: { $0.1 != nil }) {
                throw ValidationError("--options is a table of its own: no \(name) beside it")
            }
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads \(threads): expected 1 to 1024")
        }
        if threads > 1, options == nil { throw ValidationError("--threads is for --options") }
        if (inputs.chain + [inputs.positions, options, grid]).filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input can be one of the files only")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let groupings = try inputs.groupings()
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let grid = try ScenarioGrid(try Source(path: grid))
        if let options { return try run(options, grid, engine) }
        let books = try inputs.read(groupings, &badRows)
        stopwatch.lap("read")
        let valuation = books.valuation
        let scenarios = try ChainScenarios(
            valuation.greeks, grid, market: books.chain.latestTickers, in: inputs.numeraire, engine: engine)
        stopwatch.lap("index")
        var progress = Progress("contracts revalued", count: valuation.contracts.count)
        let (groups, profits) = scenarios.profits(
            of: valuation.positions, by: groupings, books.buckets, progress: { progress.update($0) })
        let totals = inputs.numeraire.totals(groupings).map {
            scenarios.profits(of: valuation.positions, by: $0, books.buckets)
        }
        progress.finish()
        stopwatch.lap("revalue")

        let report = ScenarioReport(
            grid, inputs.numeraire, groupings, groups, profits, totals: totals)
        let facts = RiskFacts(books.chain, valuation, engine.instructionSet)
        try write(
            report, asOf: valuation.greeks.tickers.map(\.timestamp).max(), facts: facts.text,
            json: facts.json(by: groupings, inputs.numeraire), &stopwatch)
        common.report(badRows)
    }

    /// Legs of a table, each with its own market, block by block.
    private func run(_ options: String, _ grid: ScenarioGrid, _ engine: GreeksEngine) throws {
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        if grid.isByExpiry {
            throw ValidationError("\(grid.name) charges expiry by expiry: it takes a chain, not --options")
        }
        var table = try OptionTable(try Source(path: options), holdings: true, &badRows)
        let batch = try table.batch(&badRows)
        stopwatch.lap("read")
        var progress = Progress("legs revalued", count: batch.count)
        let profits = try ScenarioRevaluation(grid, engine: engine).profits(
            of: batch, quantities: table.quantities, books: table.books, bookCount: table.bookNames.count,
            in: inputs.numeraire, threads: threads, progress: { progress.update($0) })
        progress.finish()
        stopwatch.lap("revalue")
        let total = ScenarioMatrix(rowCount: 1, scenarioCount: grid.count)
        for book in table.bookNames.indices {
            for scenario in 0..<grid.count { total[0, scenario] += profits[book, scenario] }
        }
        let report = ScenarioReport(
            grid, inputs.numeraire, [.book], table.bookNames.map { [$0] }, profits,
            totals: [(groups: [[]], profits: total)])
        let legs = Double(batch.count).grouped(decimals: 0)
        let books = Double(table.bookNames.count).grouped(decimals: 0)
        try write(
            report, asOf: nil,
            facts: "\(legs) legs in \(books) books, \(grid.count) scenarios (\(engine.instructionSet))\n",
            json: "\"legs\": \(batch.count), \"books\": \(table.bookNames.count)", &stopwatch)
        common.report(badRows)
    }

    private func write(
        _ report: ScenarioReport, asOf: Timestamp?, facts: String, json: String, _ stopwatch: inout Stopwatch
    ) throws {
        let output = try Output(path: common.output)
        let picture = try svg.map { try Output(path: $0) }
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            stopwatch.lap("print")
            try output.write("\n" + facts + stopwatch.text + "\n")
        case .csv:
            try report.long.writeCSV(to: output)
        case .json:
            let rows = report.groups.count * report.grid.count
            let all = report.long
            try output.write(
                "{\"grid\": \(JSON.quoted(report.grid.name)), \"scenarios\": \(report.grid.count),\n \(json)")
            try output.write(",\n \"milliseconds\": {\(stopwatch.json)},\n \"rows\": ")
            try all.writeJSON(rows: 0..<rows, to: output)
            try output.write(",\n \"totals\": ")
            try all.writeJSON(rows: rows..<all.rowCount, to: output)
            try output.write("\n}\n")
        }
        if let picture {
            try picture.write(ScenarioHeatMap(report, asOf: asOf).svg)
            try picture.finish()
        }
        try output.finish()
    }
}
