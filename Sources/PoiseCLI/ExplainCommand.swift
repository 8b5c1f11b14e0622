import ArgumentParser
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
            """)

    @Option(
        help: ArgumentHelp(
            "Exchange's chain at the start (CSV or JSON), or -; may be repeated: several files are one chain.",
            valueName: "file"))
    var from: [String]

    @Option(help: ArgumentHelp("Exchange's chain at the end, or -; may be repeated.", valueName: "file"))
    var to: [String]

    @Option(help: ArgumentHelp("Table book,instrument,quantity, or -.", valueName: "file"))
    var positions: String

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

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Funding that long perpetuals pay per eight hours.", valueName: "rate"))
    var funding = 0.0

    @Option(help: ArgumentHelp("Any of desk,book,underlying,expiry,instrument.", valueName: "fields"))
    var by = "book,underlying"

    @Option(
        help: ArgumentHelp(
            "Table book,desk: to which desk each book belongs, for --by desk.", valueName: "file"))
    var desks: String?

    @Option(help: "usd or coin.")
    var numeraire: Numeraire = .usd

    @OptionGroup var common: CommonOptions

    private func deliveryPrices() throws -> [String: Double] {
        var prices: [String: Double] = [:]
        for argument in delivery {
            guard let price = Double(argument.value), price > 0, price < .infinity else {
                throw ValidationError(
                    "--delivery \(argument.name)=\(argument.value): expected a price above 0")
            }
            guard prices.updateValue(price, forKey: argument.name) == nil else {
                throw ValidationError("--delivery \(argument.name): given twice")
            }
        }
        return prices
    }

    func validate() throws {
        try Grouping.requireDesks(try Grouping.list(by, of: Grouping.unbucketed), desks)
        _ = try deliveryPrices()
        guard funding.magnitude < 0.1 else {
            throw ValidationError("--funding \(funding): expected -0.1 to 0.1")
        }
        guard (from + to + [positions, trades, desks]).filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("standard input can be one of the files only")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        let groupings = try Grouping.list(by, of: Grouping.unbucketed)
        var badRows = BadRows(skip: common.skipBadRows)
        let first = try Chain(paths: from, &badRows)
        let second = try Chain(paths: to, &badRows)
        let table = try PositionTable(try Source(path: positions), &badRows)
        let trades = try self.trades.map { try TradeTable(try Source(path: $0), &badRows) }
        var deskOfBook: [String: String] = [:]
        if let desks {
            let deskTable = try DeskTable(try Source(path: desks), &badRows)
            deskOfBook = deskTable.deskOfBook
            if groupings.contains(.desk) {
                try deskTable.requireDesks(of: table)
                if let trades { try deskTable.requireDesks(of: trades) }
            }
        }
        let explanation = try ProfitExplanation(
            from: first, to: second, table, trades, deliveryPrices: try deliveryPrices(),
            fundingRate: funding, in: numeraire, engine, &badRows)
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
        let output = try Output(path: common.output)
        switch common.format {
        case .table:
            try report.writeTable(to: output)
            try output.write("\n" + text(explanation))
        case .csv: try report.writeCSV(to: output)
        case .json:
            try output.write("{\(json(explanation, groupings)),\n \"rows\": ")
            try report.writeJSON(rows: 0..<sums[0].groups.count, to: output)
            try output.write(",\n \"totals\": ")
            try report.writeJSON(rows: sums[0].groups.count..<report.rowCount, to: output)
            try output.write("\n}\n")
        }
        try output.finish()
        common.report(badRows)
    }

    /// Rows of the first sums, and those of the others as totals.
    private func report(_ groupings: [Grouping], _ sums: [ProfitSums]) -> Report {
        let parts = ProfitComponent.allCases
        let unit = numeraire == .usd ? "USD" : "coin"
        let rows = sums.enumerated().flatMap { number, sums in sums.groups.indices.map { (number, $0) } }
        return Report(
            columns: groupings.map { Report.Column($0.rawValue) }
                + parts.map { Report.Column("\($0)_\(numeraire.rawValue)", title: "\($0)", unit: unit) },
            rowCount: rows.count, totalCount: rows.count - sums[0].groups.count
        ) { row, column in
            let (number, group) = rows[row]
            if column >= groupings.count {
                return .number(sums[number][group, parts[column - groupings.count]])
            }
            if number == 0 { return .text(sums[0].groups[group][column]) }
            return .text(column > 0 ? "" : (["total"] + sums[number].groups[group]).joined(separator: " "))
        }
    }

    /// What stands below the table.
    private func text(_ explanation: ProfitExplanation) -> String {
        func plural(_ count: Int, _ noun: String) -> String {
            "\(Double(count).grouped(decimals: 0)) \(noun)\(count == 1 ? "" : "s")"
        }
        var text =
            "\(plural(explanation.positionCount, "position")) in \(plural(explanation.contractCount, "contract"))"
        if trades != nil { text += ", \(plural(explanation.tradeCount, "trade"))" }
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
                "\n\(settlement.series): \(plural(count, "contract")) expired, settled at \(settlement.price.significant) "
                + (settlement.isGiven ? "(--delivery)" : "(the second chain's index)")
        }
        return text + "\n"
    }

    /// Members of a JSON object.
    private func json(_ explanation: ProfitExplanation, _ groupings: [Grouping]) -> String {
        func stamp(_ time: Timestamp?) -> String { time.map { "\($0.milliseconds)" } ?? "null" }
        let by = groupings.map { JSON.quoted($0.rawValue) }.joined(separator: ", ")
        let settlements = explanation.settlements.map {
            "{\"instrument\": \(JSON.quoted($0.instrument.name)), \"price\": \($0.price), \"given\": \($0.isGiven)}"
        }.joined(separator: ", ")
        return """
            "numeraire": "\(numeraire.rawValue)", "by": [\(by)], "positions": \(explanation.positionCount),
             "contracts": \(explanation.contractCount), "trades": \(explanation.tradeCount),
             "first_timestamps": [\(stamp(explanation.start?.lowerBound)), \(stamp(explanation.start?.upperBound))],
             "last_timestamps": [\(stamp(explanation.end?.lowerBound)), \(stamp(explanation.end?.upperBound))],
             "settlements": [\(settlements)]
            """
    }
}
