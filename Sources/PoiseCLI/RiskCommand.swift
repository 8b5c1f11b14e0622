import ArgumentParser
import Checks
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
            """ + HelpExamples.of("risk"))

    @OptionGroup var inputs: BookOptions

    @OptionGroup var smile: StickinessOption

    @Option(
        help: ArgumentHelp(
            "Table book,underlying,expiry,measure,low,high: show value, headroom and breaches of each limit; csv has them alone.",
            valueName: "file"))
    var limits: String?

    @Flag(help: "With --limits: exit with status 5 where a limit is breached.")
    var failOnBreach = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try inputs.groupings()
        try inputs.requireFiles()
        try inputs.groups.validate(common.format)
        try smile.validate(inputs.volatilities)
        if failOnBreach, limits == nil { throw ValidationError("--fail-on-breach needs --limits") }
        if inputs.groups.totals, limits != nil {
            throw ValidationError("--totals and --limits: give one or the other")
        }
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
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
        let figures = UnitExposures(count: valuation.contracts.count)
        let exposures = plans.map { Exposures($0) }
        stopwatch.lap("index")
        valuation.greeks.compute(engine)
        stopwatch.lap("price")
        figures.update(from: valuation.greeks, in: numeraire)
        for (plan, sums) in zip(plans, exposures) { plan.aggregate(figures, into: sums, engine) }
        stopwatch.lap("aggregate")

        let moving = try movingExposures(books, plans, engine, &badRows)
        let report = report(plans, exposures, moving)
        try Holdings(books.file, valuation.positions).explaining { try report.requireFinite() }
        let limits = try self.limits.map { path in
            let table = try LimitTable(try Source(path: path), &badRows)
            try badRows.requireRows(table.limits.count, of: table.file)
            return LimitReport(status: try table.status(of: valuation, in: books.chain, engine))
        }
        try Holdings(books.file, valuation.positions).explaining { try limits?.report.requireFinite() }
        let facts = RiskFacts(books.chain, valuation, engine.instructionSet)
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            if let limits {
                try output.write("\n")
                try limits.report.writeTable(to: output)
                try output.write("\n" + limits.text)
            }
            stopwatch.lap("print")
            try output.write("\n" + facts.text + stopwatch.text + "\n")
        case .csv:
            if let limits {
                try limits.report.writeCSV(to: output)
            } else {
                try report.csv(inputs.groups).writeCSV(to: output)
            }
        case .json:
            try output.writeJSON { json in
                try json.object { json in
                    facts.write(by: groupings, numeraire, to: &json)
                    stopwatch.write(to: &json)
                    if let limits {
                        json.line(1)
                        json.member("limits") { limits.write(to: &$0) }
                    }
                    try report.writeMembers(to: &json, output)
                    json.line()
                }
            }
        }
        try outputs.finish()
        common.report(badRows)
        if failOnBreach, let limits, limits.breachCount > 0 { throw ExitCode(ExitStatus.breach.rawValue) }
    }

    /// Exposures whose Greeks are those on smiles that move along with the price; nil where none are asked for.
    private func movingExposures(
        _ books: BookOptions.Books, _ plans: [ExposurePlan], _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws -> [Exposures]? {
        guard let smiles = try smile.smiles(books.surface, &badRows) else { return nil }
        let valuation = books.valuation
        for series in smiles.replaceGreeks(of: valuation.greeks).sorted() {
            badRows.remark("stickiness: no slice of \(series): Black's Greeks stand")
        }
        let figures = UnitExposures(count: valuation.contracts.count)
        figures.update(from: valuation.greeks, in: inputs.numeraire)
        valuation.greeks.compute(engine)
        return plans.map { plan in
            let sums = Exposures(plan)
            plan.aggregate(figures, into: sums, engine)
            return sums
        }
    }

    /// Rows of the first plan, and those of the others as totals.
    private func report(
        _ plans: [ExposurePlan], _ exposures: [Exposures], _ moving: [Exposures]?
    ) -> Report<GroupRow> {
        let (groups, totals) = GroupRow.all(plans.map(\.groups), groupingCount: plans[0].groupings.count)
        let numeraire = inputs.numeraire
        let figures = ExposureGreek.allCases.map { greek in
            Report<GroupRow>.Column(
                greek.column(numeraire), title: greek.name, unit: greek.shortUnit(numeraire)
            ) { .number(exposures[$0.level][$0.group, greek]) }
        }
        let moved = moving.map { moving in
            [ExposureGreek.delta, .netDelta, .gamma].map { greek in
                Report<GroupRow>.Column(
                    "moving_" + greek.column(numeraire), title: "moving " + greek.name,
                    unit: greek.shortUnit(numeraire)
                ) { .number(moving[$0.level][$0.group, greek]) }
            }
        }
        return Report(
            columns: Report.labels(plans[0].groupings, \.labels) + figures + (moved ?? []), rows: groups,
            totals: totals)
    }
}

extension ExposureGreek {
    /// The unit as people write it: pt is a volatility point.
    func shortUnit(_ numeraire: Numeraire) -> String {
        numeraire.unit + unit.symbol
    }
}
