import ArgumentParser
import Foundation
import Poise

struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract: "Profit of books in every scenario of a grid: prices, volatilities, rates and time move.",
        discussion: """
            Every contract is revalued in full in every scenario. Grids are JSON files: Examples/grids has some, \
            in the style of exchanges' portfolio margin, and README.md says what stands in them. The table shows \
            the total by move of the price, and each group's worst and best scenario; csv and json have every \
            group in every scenario.
            """)

    @OptionGroup var inputs: BookOptions

    @Option(help: ArgumentHelp("Scenarios (JSON), or -.", valueName: "file"))
    var grid: String

    @Option(help: ArgumentHelp("Draw the total and every group as a heat map (SVG).", valueName: "file"))
    var svg: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try inputs.groupings()
        if [inputs.chain, inputs.positions, grid].filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input can be one of the files, not several")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let groupings = try inputs.groupings()
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let grid = try ScenarioGrid(try Source(path: grid))
        let books = try inputs.read(groupings, &badRows)
        stopwatch.lap("read")
        let valuation = books.valuation
        let scenarios = try ChainScenarios(
            valuation.greeks, grid, market: books.chain.latestTickers, in: inputs.numeraire, engine: engine)
        stopwatch.lap("index")
        var progress = Progress("contracts revalued", count: valuation.contracts.count)
        let (groups, profits) = scenarios.profits(
            of: valuation.positions, by: groupings, books.buckets, progress: { progress.update($0) })
        let totals = inputs.totals(groupings).map {
            scenarios.profits(of: valuation.positions, by: $0, books.buckets)
        }
        progress.finish()
        stopwatch.lap("revalue")

        let report = ScenarioReport(
            grid, inputs.numeraire, groupings, groups, profits, totals: totals)
        if let svg {
            let file = try Output(path: svg)
            try file.write(ScenarioHeatMap(report, asOf: valuation.greeks.tickers.map(\.timestamp).max()).svg)
            try file.finish()
        }
        let output = try Output(path: common.output)
        let facts = RiskFacts(books.chain, valuation, engine.instructionSet)
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            stopwatch.lap("print")
            try output.write("\n" + facts.text + stopwatch.text + "\n")
        case .csv:
            try report.long.writeCSV(to: output)
        case .json:
            let rows = groups.count * grid.count
            let all = report.long
            try output.write("{\"grid\": \(JSON.quoted(grid.name)), \"scenarios\": \(grid.count),\n ")
            try output.write(facts.json(by: groupings, inputs.numeraire))
            try output.write(",\n \"milliseconds\": {\(stopwatch.json)},\n \"rows\": ")
            try all.writeJSON(rows: 0..<rows, to: output)
            try output.write(",\n \"totals\": ")
            try all.writeJSON(rows: rows..<all.rowCount, to: output)
            try output.write("\n}\n")
        }
        try output.finish()
        common.report(badRows)
    }
}
