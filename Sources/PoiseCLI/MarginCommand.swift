import ArgumentParser
import Checks
import Foundation
import Market
import Poise

struct MarginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "margin",
        abstract:
            "What a venue asks of an account: initial and maintenance margin, and what each trade does to it.",
        discussion: """
            Margin models are files of parameters with source and date: Examples/margin has some, and docs/margin.md says \
            what stands in them, what is assumed and what is left out. All positions are one account. With several --model \
            the same account is shown under each. With --cases, each case brings its own market and model.
            """)

    @OptionGroup var chains: ChainOption
    @OptionGroup var held: PositionsOption

    @Option(
        help: ArgumentHelp(
            "Cash, collateral and feeds' confidence of the account (TOML or JSON), or -.", valueName: "file"))
    var account: String?

    @Option(help: ArgumentHelp("A margin model (JSON or TOML); may be repeated.", valueName: "file"))
    var model: [String] = []

    @Option(help: ArgumentHelp("The positions in this underlying alone (BTC).", valueName: "coin"))
    var underlying: String?

    @Option(
        help: ArgumentHelp(
            "Trades to be looked at one by one, each done at its mark: a table instrument,quantity, or -.",
            valueName: "file"))
    var candidates: String?

    @Option(
        help: ArgumentHelp(
            "Liquidation prices are looked for between these multiples of the index.", valueName: "low,high"))
    var within = "0.1,10"

    @Option(
        help: ArgumentHelp(
            "Show when the rule itself jumps or bends within so many days: expiries, 30 days before, the last half hour.",
            valueName: "days"))
    var ahead: Double?

    @Flag(help: "Compute a model of scenarios in whole numbers too, of 10⁻⁸ of the currency.")
    var exact = false

    @Option(
        help: ArgumentHelp(
            "Write inputs, losses and results of --exact there, for scripts/check-margin-transcript.",
            valueName: "file"))
    var transcript: String?

    @Option(help: ArgumentHelp("Self-contained accounts (JSON), or -.", valueName: "file"))
    var cases: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        let ofAccounts = [
            ("--chain", chains.chain.first), ("--positions", held.positions), ("--account", account),
            ("--model", model.first), ("--underlying", underlying), ("--candidates", candidates),
        ]
        if cases != nil {
            if let (name, _) = ofAccounts.first(where: { $0.1 != nil }) {
                throw ValidationError("--cases have all of their own: no \(name) beside them")
            }
        } else if let (name, _) = ofAccounts.prefix(4).first(where: { $0.1 == nil }) {
            throw ValidationError("\(name) is needed, or --cases")
        }
        try NumberRule.within(0...3650).require("--ahead", ahead)
        if exact || transcript != nil {
            if cases != nil { throw ValidationError("--exact is for an account of --chain, not for --cases") }
            if transcript != nil, model.count > 1 {
                throw ValidationError("--transcript is of one model: \(model.count) are given")
            }
        }
        _ = try range()
        try requireOneStandardInput(chains.chain + [held.positions, account, candidates, cases] + model)
    }

    private func range() throws -> ClosedRange<Double> {
        let ends = within.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
        guard ends.count == 2, ends[0] > 0, ends[0] < 1, ends[1] > 1, ends[1] <= 1e6 else {
            throw ValidationError("--within \(within): two multiples, below 1 and above it")
        }
        return ends[0]...ends[1]
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let written = try transcript.map { try outputs.open($0) }
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        if let cases {
            let file = try MarginCases(try Source(path: cases))
            try MarginReport.write(
                try file.cases.map { ($0.name, try $0.answer(engine)) }, as: common.format, to: output)
        } else {
            let chain = try chains.read(&badRows)
            let table = try held.table(chains.exchanges, &badRows)
            let account = try MarginAccountFile(try Source(path: account ?? "-"))
            let trades = try candidates.map {
                try PositionTable(try chains.exchanges.source($0), book: "candidates", &badRows)
            }
            let range = try range()
            var reports: [MarginReport] = []
            for path in model {
                let model = try MarginModel(try Source(path: path))
                let book = try MarginBook(
                    table, candidates: trades, in: chain, account, model, underlying: underlying, &badRows)
                var report = try MarginReport(model, book, within: range, engine)
                if exact || transcript != nil {
                    report.exact = try model.exactMargin(of: book.account, in: book.market, engine)
                }
                if let ahead {
                    report.steps = try model.stepsAhead(
                        of: book.account, in: book.market, within: 86400 * ahead, engine)
                }
                if let written, let exact = report.exact { try written.write(exact.transcript) }
                reports.append(report)
            }
            try MarginReport.write(reports, as: common.format, to: output)
        }
        try outputs.finish()
        common.report(badRows)
    }
}

/// An account under one model.
private struct MarginReport {
    /// The maintenance balance is 0 at these prices of an underlying.
    struct Liquidation {
        let underlying: String
        let spot: Double
        let prices: [Double]
    }

    /// The account after one trade.
    struct Candidate {
        let contract: String
        let quantity: Double
        let initialMargin, maintenanceMargin, initialBalance, maintenanceBalance: Double
    }

    /// A row of the table for programs.
    struct Row {
        let model, section, name: String
        var underlying = ""
        var expiry = ""
        var quantity: Double?
        var maintenance: Double?
        var initial: Double?
        var value: Double?
    }

    let model: MarginModel
    let book: MarginBook
    let requirement: MarginRequirement
    let liquidations: [Liquidation]
    let candidates: [Candidate]
    /// In whole numbers, where asked for.
    var exact: ExactMargin?
    /// Ahead, where asked for.
    var steps: [MarginStep] = []

    init(
        _ model: MarginModel, _ book: MarginBook, within range: ClosedRange<Double>, _ engine: GreeksEngine
    ) throws {
        self.model = model
        self.book = book
        requirement = try model.requirement(of: book.account, in: book.market, engine)
        var liquidations: [Liquidation] = []
        for (number, underlying) in book.market.underlyings.enumerated() {
            let prices = try model.liquidationPrices(
                of: book.account, in: book.market, underlying: number,
                within: range.lowerBound * underlying.spot...range.upperBound * underlying.spot, points: 400,
                engine)
            liquidations.append(
                Liquidation(underlying: underlying.name, spot: underlying.spot, prices: prices))
        }
        self.liquidations = liquidations
        let after = try model.balances(
            after: book.candidates, of: book.account, in: book.market, engine)
        candidates = zip(book.candidates, after).map { trade, figures in
            Candidate(
                contract: book.market.contracts[trade.contract].name, quantity: trade.quantity,
                initialMargin: figures.initialMargin, maintenanceMargin: figures.maintenanceMargin,
                initialBalance: figures.initialBalance, maintenanceBalance: figures.maintenanceBalance)
        }
    }

    private var currency: String { book.account.currency }

    // MARK: Forms

    static func write(_ reports: [MarginReport], as format: Format, to output: Output) throws {
        switch format {
        case .table:
            for (number, report) in reports.enumerated() {
                if number > 0 { try output.write("\n\n") }
                try report.writeTable(to: output)
            }
        case .csv: try long(reports.flatMap(\.rows)).writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                json.object { json in
                    json.member("models") { json in
                        json.array(lines: 1) { json in
                            for report in reports { json.object { report.write(to: &$0) } }
                        }
                    }
                    json.line()
                }
            }
        }
    }

    static func write(_ answers: [(String, MarginAnswer)], as format: Format, to output: Output) throws {
        if format == .json {
            return try output.writeJSON { json in
                json.object { json in
                    for (name, answer) in answers {
                        json.line(1)
                        json.member(name, answer)
                    }
                    json.line()
                }
            }
        }
        var rows: [Row] = []
        for (name, answer) in answers {
            switch answer {
            case .account(let requirement, let prices):
                rows += summary(of: requirement, model: name)
                for price in prices ?? [] {
                    rows.append(Row(model: name, section: "liquidation", name: "price", value: price))
                }
            case .auction(let steps):
                for (number, step) in steps.enumerated() {
                    rows.append(
                        Row(
                            model: name, section: "auction", name: "step \(number)", quantity: step.share,
                            maintenance: step.maintenanceBalanceAfter, value: step.bid ?? step.payout))
                }
            }
        }
        try long(rows, first: "case").write(as: format, to: output)
    }

    private static func summary(of requirement: MarginRequirement, model: String) -> [Row] {
        [
            Row(
                model: model, section: "margin", name: "required", maintenance: requirement.maintenanceMargin,
                initial: requirement.initialMargin, value: requirement.markToMarket),
            Row(
                model: model, section: "margin", name: "headroom",
                maintenance: requirement.maintenanceBalance,
                initial: requirement.initialBalance),
        ]
            + requirement.parts.map {
                Row(
                    model: model, section: "part", name: $0.name, maintenance: $0.maintenance,
                    initial: $0.initial)
            }
    }

    private static func long(_ rows: [Row], first: String = "model") -> Report<Row> {
        typealias Column = Report<Row>.Column
        return Report(
            columns: [
                Column(first) { .text($0.model) }, Column("section") { .text($0.section) },
                Column("name") { .text($0.name) }, Column("underlying") { .text($0.underlying) },
                Column("expiry") { .text($0.expiry) },
                Column("quantity", style: .significant) { Cell($0.quantity) },
                Column("maintenance", style: .significant) { Cell($0.maintenance) },
                Column("initial", style: .significant) { Cell($0.initial) },
                Column("value", style: .significant) { Cell($0.value) },
            ], rows: rows)
    }

    private var rows: [Row] {
        var rows = Self.summary(of: requirement, model: model.name)
        func add(_ section: String, _ name: String, _ part: MarginRequirement.Contribution) {
            rows.append(
                Row(
                    model: model.name, section: section, name: name, underlying: part.underlying,
                    expiry: part.expiry, quantity: part.contract.isEmpty ? nil : part.quantity,
                    maintenance: part.maintenance, initial: part.initial))
        }
        for loss in requirement.losses {
            rows.append(Row(model: model.name, section: "scenario", name: loss.title, value: loss.loss))
        }
        for part in requirement.byExpiry { add("expiry", part.expiry, part) }
        for part in requirement.byContract { add("contract", part.contract, part) }
        for liquidation in liquidations {
            for price in liquidation.prices {
                rows.append(
                    Row(
                        model: model.name, section: "liquidation", name: "price",
                        underlying: liquidation.underlying, value: price))
            }
        }
        for step in steps {
            rows.append(
                Row(
                    model: model.name, section: "ahead", name: step.cause.rawValue,
                    underlying: step.underlying, expiry: step.expiry, quantity: step.seconds / 86400,
                    maintenance: step.maintenanceAfter - step.maintenanceBefore,
                    initial: step.initialAfter - step.initialBefore, value: step.maintenanceBalanceAfter))
        }
        for trade in candidates {
            rows.append(
                Row(
                    model: model.name, section: "candidate", name: trade.contract, quantity: trade.quantity,
                    maintenance: trade.maintenanceMargin, initial: trade.initialMargin,
                    value: trade.initialBalance - requirement.initialBalance))
        }
        return rows
    }

    // MARK: For people

    private func writeTable(to output: Output) throws {
        try output.write("\(model.name), \(model.venue): parameters of \(model.date)\n")
        try output.write("in \(currency), as of \(book.asOf)\n\n")
        typealias Column = Report<Row>.Column
        func columns(_ title: String) -> [Column] {
            [
                Column("name", title: title) { .text($0.name) },
                Column("maintenance", unit: currency) { Cell($0.maintenance) },
                Column("initial", unit: currency) { Cell($0.initial) },
            ]
        }
        let all = rows
        try Report(
            columns: columns("part"), rows: all.filter { $0.section == "part" },
            totals: all.filter { $0.section == "margin" }
        ).writeTable(to: output)
        try output.write("\nworth \(requirement.markToMarket.significant) \(currency)")
        if let worst = requirement.worst {
            let loss = requirement.losses[worst]
            try output.write(", worst scenario \(loss.title): \(loss.loss.significant) lost")
        }
        try output.write("\n")
        if let exact {
            try output.write(
                "in whole numbers of 10⁻⁸ \(currency): initial \(exact.initialMargin), "
                    + "maintenance \(exact.maintenanceMargin), worth \(exact.markToMarket)\n")
        }
        for liquidation in liquidations { try output.write(text(of: liquidation) + "\n") }
        try writeContributions(all, "expiry", to: output)
        try writeContributions(all, "contract", to: output)
        try writeSteps(to: output)
        let trades = all.filter { $0.section == "candidate" }
        if !trades.isEmpty {
            try output.write("\n")
            try Report(
                columns: [
                    Column("candidate") { .text($0.name) }, Column("quantity") { Cell($0.quantity) },
                    Column("maintenance", unit: currency) { Cell($0.maintenance) },
                    Column("initial", unit: currency) { Cell($0.initial) },
                    Column("headroom", title: "headroom +/-", unit: currency) { Cell($0.value) },
                ], rows: trades
            ).writeTable(to: output)
        }
        for term in model.omitted { try output.write("\nleft out: \(term)") }
        if !model.omitted.isEmpty { try output.write("\n") }
    }

    private func writeSteps(to output: Output) throws {
        guard !steps.isEmpty else { return }
        typealias Column = Report<MarginStep>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("ahead", title: "in days", style: .significant) { .number($0.seconds / 86400) },
                Column("cause") { .text($0.cause.rawValue) }, Column("expiry") { .text($0.expiry) },
                Column("initial", title: "initial before", unit: currency) { .number($0.initialBefore) },
                Column("after", unit: currency) { .number($0.initialAfter) },
                Column("later", title: "a day later", unit: currency) { .number($0.initialDayLater) },
                Column("left", title: "left over maintenance", unit: currency) {
                    .number($0.maintenanceBalanceAfter)
                },
            ], rows: steps
        ).writeTable(to: output)
    }

    /// The twelve that add or relieve most.
    private func writeContributions(_ all: [Row], _ section: String, to output: Output) throws {
        let own = all.filter { $0.section == section && !$0.name.isEmpty }
            .sorted { abs($0.initial ?? 0) > abs($1.initial ?? 0) }
        guard !own.isEmpty else { return }
        typealias Column = Report<Row>.Column
        try output.write("\n")
        try Report(
            columns: [
                Column("name", title: section) { .text($0.name) },
                Column("maintenance", title: "adds to maintenance", unit: currency) { Cell($0.maintenance) },
                Column("initial", title: "to initial", unit: currency) { Cell($0.initial) },
            ], rows: Array(own.prefix(12))
        ).writeTable(to: output)
        if own.count > 12 { try output.write("and \(own.count - 12) more, in csv and json\n") }
    }

    private func text(of liquidation: Liquidation) -> String {
        guard !liquidation.prices.isEmpty else {
            return
                "\(liquidation.underlying) at \(liquidation.spot.significant): "
                + (requirement.maintenanceBalance < 0
                    ? "maintenance is not met as it is, nor at another price in range"
                    : "no liquidation price in range")
        }
        let prices = liquidation.prices.map { price in
            "\(price.significant) (\(ScenarioGrid.percent(price / liquidation.spot - 1)))"
        }
        return
            "\(liquidation.underlying) at \(liquidation.spot.significant): headroom over maintenance is 0 at "
            + prices.joined(separator: ", ")
    }

    private func write(to json: inout JSONWriter) {
        json.member("model", model.name)
        json.member("venue", model.venue)
        json.member("source", model.source)
        json.member("date", model.date)
        json.member("left_out", model.omitted)
        json.member("currency", currency)
        json.member("as_of", "\(book.asOf)")
        requirement.writeMembers(to: &json)
        if let exact {
            // As text: a reader's doubles do not hold them.
            json.object("exact") { json in
                json.member("decimals", ExactMargin.moneyDecimals)
                json.member("initial_margin", "\(exact.initialMargin)")
                json.member("maintenance_margin", "\(exact.maintenanceMargin)")
                json.member("mark_to_market", "\(exact.markToMarket)")
                json.object("scenario_losses") { json in
                    for (key, loss) in exact.losses { json.member(key, "\(loss)") }
                }
            }
        }
        if !steps.isEmpty {
            json.array("ahead") { json in
                for step in steps {
                    json.object { json in
                        json.member("cause", step.cause.rawValue)
                        json.member("underlying", step.underlying)
                        json.member("expiry", step.expiry)
                        json.member("seconds", step.seconds)
                        json.member("initial_before", step.initialBefore)
                        json.member("initial_after", step.initialAfter)
                        json.member("initial_day_later", step.initialDayLater)
                        json.member("maintenance_before", step.maintenanceBefore)
                        json.member("maintenance_after", step.maintenanceAfter)
                        json.member("maintenance_margin_balance_after", step.maintenanceBalanceAfter)
                    }
                }
            }
        }
        json.member("liquidation") { json in
            json.array { json in
                for liquidation in liquidations {
                    json.object { json in
                        json.member("underlying", liquidation.underlying)
                        json.member("spot", liquidation.spot)
                        json.member("below", liquidation.prices.last { $0 < liquidation.spot })
                        json.member("above", liquidation.prices.first { $0 > liquidation.spot })
                        json.member("prices", liquidation.prices)
                    }
                }
            }
        }
        json.member("candidates") { json in
            json.array { json in
                for trade in candidates {
                    json.object { json in
                        json.member("instrument", trade.contract)
                        json.member("quantity", trade.quantity)
                        json.member("maintenance_margin", trade.maintenanceMargin)
                        json.member("initial_margin", trade.initialMargin)
                        json.member("maintenance_margin_balance", trade.maintenanceBalance)
                        json.member("initial_margin_balance", trade.initialBalance)
                    }
                }
            }
        }
    }
}
