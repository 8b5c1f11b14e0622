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
            """ + HelpExamples.of("margin"))

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
        parsing: .unconditional,
        help: ArgumentHelp(
            "Liquidation prices are looked for between these multiples of the index (0.1,10).",
            valueName: "low,high"))
    var within: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Show when the rule itself jumps or bends within so many days: expiries, 30 days before, the last half hour.",
            valueName: "days"))
    var ahead: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Find the cheapest transfers and conversions, of those that the account's file lists, which leave so much over initial \
            margin.
            """, valueName: "amount"))
    var buffer: Double?

    @Flag(
        help: """
            Show what differs between each --model and the one before it, and what each difference does to the account.
            """)
    var changes = false

    @Flag(help: "Compute a model of scenarios in whole numbers too, of 10⁻⁸ of the currency.")
    var exact = false

    @Option(
        help: ArgumentHelp(
            "Write inputs, losses and results of --exact there, for scripts/check-margin-transcript.",
            valueName: "target"))
    var transcript: String?

    @Option(
        help: ArgumentHelp(
            """
            Also write a page with what is required by part, scenarios, expiries, liquidation and the time ahead (HTML).
            """, valueName: "target"))
    var report: String?

    @Option(help: ArgumentHelp("Self-contained accounts (JSON), or -.", valueName: "file"))
    var cases: String?

    @OptionGroup var common: CommonOptions

    /// The time ahead that a page shows where none is asked for.
    private static let daysOfPage = 60.0

    func validate() throws {
        let ofAccounts = [
            ("--chain", chains.chain.first), ("--positions", held.positions), ("--account", account),
            ("--model", model.first), ("--underlying", underlying), ("--candidates", candidates),
            ("--report", report), ("--buffer", buffer.map { "\($0)" }), ("--changes", changes ? "" : nil),
            ("--within", within), ("--ahead", ahead.map { "\($0)" }), ("--book", held.book),
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
        try NumberRule.finite.require("--buffer", buffer)
        if changes, model.count < 2 { throw ValidationError("--changes compares two --model or more") }
        _ = try range()
    }

    private func range() throws -> ClosedRange<Double> {
        guard let within else { return 0.1...10 }
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
        let page = try self.report.map { try outputs.open($0) }
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
            var files: [Source] = []
            for path in model {
                let file = try Source(path: path)
                let model = try MarginModel(file)
                let book = try MarginBook(
                    table, candidates: trades, in: chain, account, model, underlying: underlying, &badRows)
                var report = try MarginReport(model, book, within: range, engine)
                if exact || transcript != nil {
                    report.exact = try model.exactMargin(of: book.account, in: book.market, engine)
                }
                let days = ahead ?? (page == nil ? nil : Self.daysOfPage)
                if let days {
                    report.steps = try model.stepsAhead(
                        of: book.account, in: book.market, within: 86400 * days, engine)
                }
                if page != nil { try report.addCurves(within: range, ahead: days ?? 0, engine) }
                if let buffer {
                    report.relief = try MarginRelief(
                        book.moves, leaving: buffer, of: book.account, in: book.market, model, engine)
                }
                if changes, let before = files.last {
                    report.changes = try MarginModelChanges(from: before, to: file) { model in
                        // What is skipped has been noted once.
                        var skipped = BadRows(skip: common.skipBadRows)
                        let book = try MarginBook(
                            table, candidates: nil, in: chain, account, model, underlying: underlying,
                            &skipped)
                        return try model.requirement(of: book.account, in: book.market, engine)
                    }
                }
                files.append(file)
                if let written, let exact = report.exact { try written.write(exact.transcript) }
                reports.append(report)
            }
            try MarginReport.write(reports, as: common.format, to: output)
            try page?.write(MarginPage(reports).html)
        }
        try outputs.finish()
        common.report(badRows)
    }
}
