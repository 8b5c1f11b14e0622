import ArgumentParser
import Poise

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

    @OptionGroup var inputs: BookOptions

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try inputs.groupings()
        _ = try inputs.requireFiles()
    }

    func run() throws {
        let engine = try GreeksEngine()
        let groupings = try inputs.groupings()
        let numeraire = inputs.numeraire
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let books = try inputs.read(groupings, &badRows)
        stopwatch.lap("read")
        let valuation = books.valuation
        func plan(_ groupings: [Grouping]) -> ExposurePlan {
            ExposurePlan(
                valuation.positions, contracts: valuation.contracts, by: groupings, books.buckets)
        }
        let plans = ([groupings] + inputs.numeraire.totals(groupings)).map(plan)
        let figures = ContractFigures(count: valuation.contracts.count)
        let exposures = plans.map { Exposures($0) }
        stopwatch.lap("index")
        valuation.greeks.compute(engine)
        stopwatch.lap("price")
        figures.update(from: valuation.greeks, in: numeraire)
        for (plan, sums) in zip(plans, exposures) { plan.aggregate(figures, into: sums, engine) }
        stopwatch.lap("aggregate")

        let report = report(plans, exposures)
        let output = try Output(path: common.output)
        let facts = RiskFacts(books.chain, valuation, engine.instructionSet)
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            stopwatch.lap("print")
            try output.write("\n" + facts.text + stopwatch.text + "\n")
        case .csv:
            try report.writeCSV(to: output)
        case .json:
            let rows = plans[0].groups.count
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

    /// Rows of the first plan, and those of the others as totals.
    private func report(_ plans: [ExposurePlan], _ exposures: [Exposures]) -> Report {
        let labels = plans[0].groupings.map(\.rawValue)
        let greeks = ExposureGreek.allCases
        let numeraire = inputs.numeraire
        let rows = plans.enumerated().flatMap { number, plan in plan.groups.indices.map { (number, $0) } }
        return Report(
            columns: labels.map { Report.Column($0) }
                + greeks.map {
                    Report.Column($0.column(numeraire), title: $0.name, unit: $0.shortUnit(numeraire))
                },
            rowCount: rows.count, totalCount: rows.count - plans[0].groups.count
        ) { row, column in
            let (plan, group) = rows[row]
            if column >= labels.count {
                return .number(exposures[plan][group, greeks[column - labels.count]])
            }
            if plan == 0 { return .text(plans[0].groups[group][column]) }
            return .text(column > 0 ? "" : (["total"] + plans[plan].groups[group]).joined(separator: " "))
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
