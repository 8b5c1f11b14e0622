import ArgumentParser
import Checks
import Market
import Poise

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Profit of books between two chains, split into what each Greek explains.",
        discussion: """
            Positions are those held at the time of the first chain. Each contract goes from its latest row there to \
            its latest row in the second, with the Greeks of the start; what they don't explain is the exact \
            remainder. A contract that has expired by the second chain is settled at --delivery or else at the \
            second chain's index, options at their intrinsic value. --trades count from their price to the end. \
            An option's profit is the change of its value in the numeraire; futures are paid in their settlement \
            currency, exchanged at their price at the end.
            """ + HelpExamples.of("explain"))

    @Option(
        help: ArgumentHelp(
            "Exchange's chain at the start (CSV or JSON), or -; may be repeated: several files are one chain.",
            valueName: "file"))
    var from: [String]

    @Option(help: ArgumentHelp("Exchange's chain at the end, or -; may be repeated.", valueName: "file"))
    var to: [String]

    @OptionGroup var exchanges: ExchangeOption

    @OptionGroup var volatilities: VolatilityOption

    @OptionGroup var held: PositionsOption

    @Option(
        help: ArgumentHelp(
            "Table book,instrument,quantity,price[,fee_usd] of trades between the chains, or -; prices as quoted.",
            valueName: "file"))
    var trades: String?

    @Option(
        help: ArgumentHelp(
            "Delivery price of what expired, such as BTC-12FEB21=47512.3; may be repeated.",
            valueName: "name=price"), transform: NamedArgument.reader("NAME=PRICE"))
    var delivery: [NamedArgument] = []

    @OptionGroup var funding: FundingOption

    @Flag(
        help: """
            Also split vega into what the level at the money, the skew and the wings of each expiry's fitted curve moved, \
            and the rest.
            """)
    var smileParts = false

    @OptionGroup var groups: GroupOptions

    @OptionGroup var common: CommonOptions

    private func deliveryPrices() throws -> [String: Double] {
        var prices: [String: Double] = [:]
        for argument in delivery {
            guard let price = Double(argument.value), NumberRule.positive.accepts(price) else {
                throw ValidationError(
                    "--delivery \(argument.name)=\(argument.value): \(NumberRule.positive.complaint)")
            }
            guard prices.updateValue(price, forKey: argument.name) == nil else {
                throw ValidationError("--delivery \(argument.name): given twice")
            }
        }
        return prices
    }

    private var numeraire: Numeraire { groups.numeraire }

    private func groupings() throws -> [Grouping] { try groups.groupings(of: Grouping.unbucketed) }

    func validate() throws {
        guard held.positions != nil else { throw ValidationError("--positions is missing") }
        _ = try groupings()
        try groups.validate(common.format)
        _ = try deliveryPrices()
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let engine = try GreeksEngine()
        let groupings = try groupings()
        var badRows = BadRows(skip: common.skipBadRows)
        let first = try volatilities.chain(try exchanges.chain(from, &badRows), &badRows)
        let second = try volatilities.chain(try exchanges.chain(to, &badRows), &badRows)
        let table = try held.table(exchanges, &badRows)
        let trades = try self.trades.map {
            try TradeTable(try exchanges.source($0), book: held.book, &badRows)
        }
        let deskOfBook = try groups.deskOfBook(groupings, table, trades, &badRows)
        let split = try smileParts ? split(first, second, engine, &badRows) : nil
        let explanation = try ProfitExplanation(
            from: first, to: second, table, trades, deliveryPrices: try deliveryPrices(),
            fundingRate: funding.funding, splitting: split, in: numeraire, engine, &badRows)
        try badRows.requireRows(explanation.positionCount + explanation.tradeCount, of: table.file)
        for argument in delivery
        where !explanation.settlements.contains(where: { $0.series == argument.name }) {
            throw ValidationError(
                "--delivery \(argument.name): no contract of that name was held and had expired by \(second.file)"
            )
        }
        try numeraire.requireTotals(of: explanation.underlyings, by: groupings)
        let sums = ([groupings] + numeraire.totals(groupings)).map {
            explanation.sums(by: $0, deskOfBook: deskOfBook)
        }
        let report = report(groupings, sums)
        var holdings = Holdings(table.file, table.positions)
        if let trades { holdings.add(trades) }
        try holdings.explaining { try report.requireFinite() }
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            try output.write("\n" + text(explanation))
        case .csv: try report.csv(groups).writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                try json.object { json in
                    write(explanation, groupings, to: &json)
                    try report.writeMembers(to: &json, output)
                    json.line()
                }
            }
        }
        try outputs.finish()
        common.report(badRows)
    }

    /// The split of moves of volatility by the curves of both chains.
    private func split(
        _ first: Chain, _ second: Chain, _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws -> VolatilitySplit {
        let fits = [first, second].map { OwnVolatilities($0, engine) }
        if volatilities.surface == .exchange {
            for remark in fits.flatMap(\.remarks) { badRows.remark(remark) }
        }
        return SmileMoves(from: fits[0].fit, to: fits[1].fit).split
    }

    /// Rows of the first sums, and those of the others as totals.
    private func report(_ groupings: [Grouping], _ sums: [ProfitSums]) -> Report<GroupRow> {
        let (groups, totals) = GroupRow.all(sums.map(\.groups), groupingCount: groupings.count)
        let parts = ProfitComponent.allCases.map { part in
            Report<GroupRow>.Column("\(part)_\(numeraire.rawValue)", title: "\(part)", unit: numeraire.unit) {
                .number(sums[$0.level][$0.group, part])
            }
        }
        let ofVega = (smileParts ? VegaPart.allCases : []).map { part in
            Report<GroupRow>.Column(
                "vega_\(part)_\(numeraire.rawValue)", title: "vega \(part)", unit: numeraire.unit
            ) { .number(sums[$0.level][$0.group, part]) }
        }
        return Report(
            columns: Report.labels(groupings, \.labels) + parts + ofVega, rows: groups, totals: totals)
    }

    /// The text below the table.
    private func text(_ explanation: ProfitExplanation) -> String {
        var text =
            "\(explanation.positionCount.counted("position")) in \(explanation.contractCount.counted("contract"))"
        if trades != nil { text += ", \(explanation.tradeCount.counted("trade"))" }
        if let start = explanation.start { text += "\nfrom \(start.lowerBound) to \(start.upperBound)" }
        if let end = explanation.end { text += "\nuntil \(end.lowerBound) to \(end.upperBound)" }
        // Contracts of one expiry are settled at one price.
        var settled: [(count: Int, settlement: ProfitExplanation.Settlement)] = []
        for settlement in explanation.settlements {
            if settled.last?.settlement.series == settlement.series {
                settled[settled.count - 1].count += 1
            } else {
                settled.append((1, settlement))
            }
        }
        for (count, settlement) in settled {
            text +=
                "\n\(settlement.series): \(count.counted("contract")) expired, settled at \(settlement.price.significant) "
                + (settlement.isGiven ? "(--delivery)" : "(the second chain's index)")
        }
        return text + "\n"
    }

    /// Members of a JSON object.
    private func write(
        _ explanation: ProfitExplanation, _ groupings: [Grouping], to json: inout JSONWriter
    ) {
        func range(_ name: String, _ times: ClosedRange<Timestamp>?) {
            json.line(1)
            json.member(name, [times?.lowerBound.milliseconds, times?.upperBound.milliseconds])
        }
        json.member("numeraire", numeraire.rawValue)
        json.member("by", groupings.map(\.rawValue))
        json.member("positions", explanation.positionCount)
        json.line(1)
        json.member("contracts", explanation.contractCount)
        json.member("trades", explanation.tradeCount)
        range("first_timestamps", explanation.start)
        range("last_timestamps", explanation.end)
        json.line(1)
        json.array("settlements") { json in
            for settlement in explanation.settlements {
                json.object { json in
                    json.member("instrument", settlement.instrument.name)
                    json.member("price", settlement.price)
                    json.member("given", settlement.isGiven)
                }
            }
        }
    }
}
