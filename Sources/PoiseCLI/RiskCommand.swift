import ArgumentParser
import Poise

extension Numeraire: ExpressibleByArgument {}

struct RiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "risk",
        abstract: "Value and Greeks of books over an exchange's chain.",
        discussion: """
            Quantities are as on the exchange: coins, or US dollars for inverse futures and perpetuals. Each \
            contract is valued at the latest row that the chain has of it. In usd, delta is the amount of \
            dollars that moves with the price and gamma its change for a move of 1%; net delta takes off \
            what the premium of coin-settled options moves.
            """)

    @Option(help: ArgumentHelp("Exchange's chain (CSV or JSON), or - for standard input.", valueName: "file"))
    var chain: String

    @Option(help: ArgumentHelp("Table book,instrument,quantity, or -.", valueName: "file"))
    var positions: String

    @Option(help: ArgumentHelp("Any of book,underlying,expiry,instrument.", valueName: "fields"))
    var by = "book,underlying"

    @Option(help: "usd or coin.")
    var numeraire: Numeraire = .usd

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try Grouping.list(by)
        if chain == "-", positions == "-" {
            throw ValidationError("standard input can be the chain or the positions, not both")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let groupings = try Grouping.list(by)
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let chain = try Chain(try Source(path: chain), &badRows)
        let table = try PositionTable(try Source(path: positions), &badRows)
        stopwatch.lap("read")
        let valuation = try BookValuation(table, in: chain, &badRows)
        let plan = ExposurePlan(valuation.positions, contracts: valuation.contracts, by: groupings)
        try numeraire.requireTotals(of: valuation.positions.map(\.instrument.base), by: groupings)
        // In coin there is one total per underlying.
        let totals = ExposurePlan(
            valuation.positions, contracts: valuation.contracts, by: numeraire == .coin ? [.underlying] : [])
        let figures = ContractFigures(count: valuation.contracts.count)
        let exposures = Exposures(plan)
        let totalExposures = Exposures(totals)
        stopwatch.lap("index")
        valuation.greeks.compute(engine)
        stopwatch.lap("price")
        figures.update(from: valuation.greeks, in: numeraire)
        plan.aggregate(figures, into: exposures, engine)
        totals.aggregate(figures, into: totalExposures, engine)
        stopwatch.lap("aggregate")

        let report = report(plan, exposures, totals, totalExposures)
        let output = try Output(path: common.output)
        let facts = RiskFacts(chain, valuation, engine.instructionSet)
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            stopwatch.lap("print")
            try output.write("\n" + facts.text + stopwatch.text + "\n")
        case .csv:
            try report.writeCSV(to: output)
        case .json:
            let rows = plan.groups.count
            try output.write("{\(facts.json(by: groupings, numeraire)),\n")
            try output.write(" \"milliseconds\": {\(stopwatch.json)},\n \"rows\": ")
            try report.writeJSON(rows: 0..<rows, to: output)
            try output.write(",\n \"totals\": ")
            try report.writeJSON(rows: rows..<report.rowCount, to: output)
            try output.write("\n}\n")
        }
        try output.finish()
        common.report(badRows)
    }

    private func report(
        _ plan: ExposurePlan, _ exposures: Exposures, _ totals: ExposurePlan, _ totalExposures: Exposures
    ) -> Report {
        let labels = plan.groupings.map(\.rawValue)
        let greeks = ExposureGreek.allCases
        return Report(
            columns: labels.map { Report.Column($0) }
                + greeks.map {
                    Report.Column($0.column(numeraire), title: $0.name, unit: $0.shortUnit(numeraire))
                },
            rowCount: plan.groups.count + totals.groups.count, totalCount: totals.groups.count
        ) { row, column in
            let total = row - plan.groups.count
            if column >= labels.count {
                let greek = greeks[column - labels.count]
                return .number(total >= 0 ? totalExposures[total, greek] : exposures[row, greek])
            }
            if total < 0 { return .text(plan.groups[row][column]) }
            return .text(column > 0 ? "" : (["total"] + totals.groups[total]).joined(separator: " "))
        }
    }
}

extension ExposureGreek {
    /// The unit as people write it: pt is a volatility point.
    func shortUnit(_ numeraire: Numeraire) -> String {
        let currency = numeraire == .usd ? "USD" : "coin"
        return switch self {
        case .value, .delta, .netDelta: currency
        case .gamma, .rho: currency + "/1%"
        case .vega, .vanna: currency + "/pt"
        case .volga: currency + "/pt²"
        case .theta, .charm: currency + "/day"
        }
    }
}
