import ArgumentParser
import Checks
import Market
import Poise

extension SmileLoss: ExpressibleByArgument {}
extension ArbitrageRule: ExpressibleByArgument {}

struct SurfaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "surface",
        abstract: "The desk's own volatility surface: raw SVI fitted to each expiry's quotes.",
        discussion: """
            Total variance is a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), k = ln(strike/forward). Whether a slice \
            leaves a butterfly, and whether neighbours cross, is decided for all strikes; a slice that was not fitted as \
            asked is never ok: too-few-quotes (five two-sided ones at different strikes are needed), fallback (a simpler \
            curve stands in), bad-quotes (fitted without quotes that cannot be right), butterfly, calendar, unsolved, \
            expired, no-forward, unreadable. No expiry is left out.
            """ + HelpExamples.of("surface"))

    @Option(
        help: ArgumentHelp(
            "Table slice,years,forward,strike,bid_vol,ask_vol, optionally weight,underlying; or -.",
            valueName: "file"))
    var quotes: String?

    @OptionGroup var chains: ChainOption

    @Option(
        help: ArgumentHelp(
            """
            Folder of chains, each one moment of a market: how its slices moved, skew stickiness and betas by tenor; csv \
            has the slices' paths, json both.
            """, valueName: "folder"))
    var history: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of --history: edges of the buckets of tenors, in days (7,30,90,180,365).", valueName: "days"))
    var tenors: String?

    @OptionGroup var terms: QuoteOptions

    @Option(
        help: """
            band: distance outside of bid and ask in half spreads, and a hundredth of that from the middle; or mid: \
            distance from the middle.
            """)
    var loss: SmileLoss = .band

    @Option(help: "What the slices must be free of: none, butterfly, or full (butterflies and crossings).")
    var arbitrage: ArbitrageRule = .full

    @Option(
        help: ArgumentHelp(
            "Also write a page with smiles, term structure, densities, arbitrage and quality (HTML).",
            valueName: "target"))
    var report: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard [quotes != nil, !chains.chain.isEmpty, history != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("give one of --quotes, --chain and --history")
        }
        try terms.requireChain(quotes == nil)
        _ = try tenorDays()
        if tenors != nil, history == nil { throw ValidationError("--tenors goes with --history") }
        if history != nil, report != nil { throw ValidationError("--report goes with --quotes or --chain") }
        if history != nil, !terms.instruments.isEmpty {
            throw ValidationError("--instruments goes with --chain")
        }
    }

    private func tenorDays() throws -> [Double] {
        try edges(tenors, "--tenors", ExposureBuckets.standardTenorDays)
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let page = try report.map { try outputs.open($0) }
        var badRows = BadRows(skip: common.skipBadRows)
        if let history {
            try SurfaceHistory(
                history, chains.exchanges, terms.rules, loss: loss, rule: arbitrage,
                tenorDays: try tenorDays(),
                &badRows
            ).write(as: common.format, to: output)
            try outputs.finish()
            common.report(badRows)
            return
        }
        let smiles: [SmileQuotes]
        if let quotes {
            let table = try SmileTable(try Source(path: quotes), &badRows)
            try badRows.requireRows(table.smiles.count, of: table.file)
            smiles = table.smiles
        } else {
            var chain = try chains.read(&badRows)
            try badRows.requireRows(chain.tickers.count, of: chain.file)
            chain.instruments = try InstrumentList(
                try terms.instruments.map { try Source(path: $0) }, &badRows)
            smiles = SmileQuotes.smiles(of: chain, try GreeksEngine(), terms.rules)
        }
        for smile in smiles {
            if let doubt = smile.forwardDoubt { badRows.remark("\(smile.name): \(doubt)") }
        }
        let fit = SurfaceReport(smiles, loss, arbitrage)
        switch common.format {
        case .table, .csv: try fit.report.write(as: common.format, to: output)
        case .json: try output.writeJSON { fit.write(to: &$0) }
        }
        let source = quotes ?? chains.chain.joined(separator: ", ")
        try page?.write(SurfacePage(fit, source: source == "-" ? "Standard input" : source).html)
        try outputs.finish()
        common.report(badRows)
    }
}
