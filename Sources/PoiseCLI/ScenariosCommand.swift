import ArgumentParser
import Checks
import Foundation
import Market
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
            """ + HelpExamples.of("scenarios"))

    @OptionGroup var inputs: BookOptions

    @Option(help: ArgumentHelp("Scenarios (JSON), or -.", valueName: "file"))
    var grid: String

    @Option(help: ArgumentHelp("Draw the total and every group as a heat map (SVG).", valueName: "target"))
    var svg: String?

    @Option(
        help: ArgumentHelp(
            """
            In place of chain and positions: a table of options, type,spot,strike,years,vol,rate,dividend,quantity \
            and, where wanted, book; any number of rows.
            """, valueName: "file"))
    var options: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threads that share the scenarios of --options; the same bits for any number.", valueName: "count"
        ))
    var threads = 1

    @Option(
        help: ArgumentHelp(
            "What poise surface --history --format json wrote: betas of rules with spot_betas \"history\".",
            valueName: "file"))
    var betas: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try inputs.groupings()
        try inputs.groups.validate(common.format)
        if options == nil {
            try inputs.requireFiles()
        } else {
            let ofBooks = [
                ("--chain", inputs.chain.first), ("--positions", inputs.positions),
                ("--book", inputs.held.book), ("--by", inputs.groups.by), ("--desks", inputs.groups.desks),
                ("--tenors", inputs.tenors),
                ("--moneyness", inputs.moneynessEdges),
                ("--surface", inputs.volatilities.surface == .own ? "own" : nil), ("--betas", betas),
            ]
            if let (name, _) = ofBooks.first(where: { $0.1 != nil }) {
                throw ValidationError("--options is a table of its own: no \(name) beside it")
            }
        }
        try NumberRule.within(1...1024).require("--threads", threads)
        if threads > 1, options == nil { throw ValidationError("--threads is for --options") }
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let picture = try svg.map { try outputs.open($0) }
        let engine = try GreeksEngine()
        let groupings = try inputs.groupings()
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let grid = try ScenarioGrid(try Source(path: grid))
        let betas = try historicalBetas(grid)
        if let options {
            try run(options, grid, engine, output, picture, &badRows)
        } else {
            let books = try inputs.read(groupings, &badRows)
            stopwatch.lap("read")
            let valuation = books.valuation
            let surface = try surface(grid, books, &badRows)
            let scenarios = try ChainScenarios(
                valuation.greeks, grid, market: books.chain.latestTickers, in: inputs.numeraire,
                engine: engine, surface: surface, betas: betas)
            stopwatch.lap("index")
            let (groups, profits) = Progress.shown("contracts revalued", count: valuation.contracts.count) {
                scenarios.profits(
                    of: valuation.positions, by: groupings, books.buckets, progress: $0.update)
            }
            let totals = inputs.numeraire.totals(groupings).map {
                scenarios.profits(of: valuation.positions, by: $0, books.buckets)
            }
            stopwatch.lap("revalue")
            let report = ScenarioReport(
                grid, inputs.numeraire, groupings, groups, profits, totals: totals)
            try Holdings(books.file, valuation.positions).explaining { try report.requireFinite() }
            let facts = RiskFacts(books.chain, valuation, engine.instructionSet)
            try write(
                report, asOf: valuation.greeks.tickers.map(\.timestamp).max(), facts: facts.text,
                { facts.write(by: groupings, inputs.numeraire, to: &$0) }, &stopwatch, output, picture)
        }
        try outputs.finish()
        common.report(badRows)
    }

    private func historicalBetas(_ grid: ScenarioGrid) throws -> HistoricalDynamics? {
        guard let betas else {
            if grid.needsHistoricalBetas, options == nil {
                throw ValidationError("\(grid.name) takes betas of a history: add --betas")
            }
            return nil
        }
        guard grid.needsHistoricalBetas else {
            throw ValidationError(
                "--betas: no scenario of \(grid.name) has a rule with spot_betas \"history\"")
        }
        return try HistoricalDynamics(try Source(path: betas))
    }

    /// The slices that rules with smile terms move.
    private func surface(
        _ grid: ScenarioGrid, _ books: BookOptions.Books, _ badRows: inout BadRows
    ) throws -> SurfaceScenarios? {
        guard grid.needsSurface else { return nil }
        guard let fit = books.surface else {
            throw ValidationError("\(grid.name) moves the slices of a surface: add --surface own")
        }
        let surface = SurfaceScenarios(fit)
        let options = books.valuation.greeks.tickers.map(\.instrument).filter(\.isOption)
        for remark in surface.remarks(on: grid, Set(options.map(\.series))) { badRows.remark(remark) }
        return surface
    }

    /// Legs of a table, each with its own market, block by block.
    private func run(
        _ options: String, _ grid: ScenarioGrid, _ engine: GreeksEngine, _ output: Output, _ picture: Output?,
        _ badRows: inout BadRows
    ) throws {
        var stopwatch = Stopwatch()
        if grid.isByExpiry {
            throw ValidationError("\(grid.name) charges expiry by expiry: it takes a chain, not --options")
        }
        var table = try OptionTable(try Source(path: options), holdings: true, &badRows)
        let batch = try table.batch(&badRows)
        try badRows.requireRows(batch.count, of: table.file)
        stopwatch.lap("read")
        let profits = try Progress.shown("legs revalued", count: batch.count) {
            try ScenarioRevaluation(grid, engine: engine).profits(
                of: batch, quantities: table.quantities, books: table.books,
                bookCount: table.bookNames.count, in: inputs.numeraire, threads: threads,
                progress: $0.update)
        }
        stopwatch.lap("revalue")
        let total = ScenarioMatrix(rowCount: 1, scenarioCount: grid.count)
        for book in table.bookNames.indices {
            for scenario in 0..<grid.count { total[0, scenario] += profits[book, scenario] }
        }
        let report = ScenarioReport(
            grid, inputs.numeraire, [.book], table.bookNames.map { [$0] }, profits,
            totals: [(groups: [[]], profits: total)])
        try Holdings(table).explaining { try report.requireFinite() }
        let legs = Double(batch.count).grouped(decimals: 0)
        let books = Double(table.bookNames.count).grouped(decimals: 0)
        try write(
            report, asOf: nil,
            facts: "\(legs) legs in \(books) books, \(grid.count) scenarios (\(engine.instructionSet))\n",
            { json in
                json.member("legs", batch.count)
                json.member("books", table.bookNames.count)
            }, &stopwatch, output, picture)
    }

    private func write(
        _ report: ScenarioReport, asOf: Timestamp?, facts: String, _ members: (inout JSONWriter) -> Void,
        _ stopwatch: inout Stopwatch, _ output: Output, _ picture: Output?
    ) throws {
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            stopwatch.lap("print")
            try output.write("\n" + facts + stopwatch.text + "\n")
        case .csv:
            try report.long.csv(inputs.groups).writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                try json.object { json in
                    json.member("grid", report.grid.name)
                    json.member("scenarios", report.grid.count)
                    json.line(1)
                    members(&json)
                    stopwatch.write(to: &json)
                    try report.long.writeMembers(to: &json, output)
                    json.line()
                }
            }
        }
        if let picture { try picture.write(ScenarioHeatMap(report, asOf: asOf).svg) }
    }
}
