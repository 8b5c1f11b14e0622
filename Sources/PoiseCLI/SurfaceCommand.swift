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
            curve stands in), butterfly, calendar, unsolved.
            """)

    @Option(
        help: ArgumentHelp(
            "Table slice,years,forward,strike,bid_vol,ask_vol, optionally weight,underlying; or -.",
            valueName: "file"))
    var quotes: String?

    @OptionGroup var chains: ChainOption

    @Option(
        help: """
            band: distance outside of bid and ask in half spreads, and a hundredth of that from the middle; or mid: \
            distance from the middle.
            """)
    var loss: SmileLoss = .band

    @Option(help: "What the slices must be free of: none, butterfly, or full (butterflies and crossings).")
    var arbitrage: ArbitrageRule = .full

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (quotes == nil) == chains.chain.isEmpty {
            throw ValidationError("give either --quotes or --chain")
        }
        try requireOneStandardInput([quotes] + chains.chain)
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        var badRows = BadRows(skip: common.skipBadRows)
        let smiles: [SmileQuotes]
        if let quotes {
            let table = try SmileTable(try Source(path: quotes), &badRows)
            try badRows.requireRows(table.smiles.count, of: table.file)
            smiles = table.smiles
        } else {
            let chain = try chains.read(&badRows)
            try badRows.requireRows(chain.tickers.count, of: chain.file)
            smiles = SmileQuotes.smiles(of: chain, try GreeksEngine())
        }
        let fit = SurfaceFit(smiles, loss: loss, rule: arbitrage)
        switch common.format {
        case .table, .csv: try SurfaceReport.report(fit).write(as: common.format, to: output)
        case .json: try output.writeJSON { SurfaceReport.write(fit, to: &$0) }
        }
        try outputs.finish()
        common.report(badRows)
    }
}

/// A fitted surface in the forms in which it is printed.
private enum SurfaceReport {
    static func report(_ fit: SurfaceFit) -> Report<SmileFit> {
        typealias Column = Report<SmileFit>.Column
        func figure(_ name: String, _ value: @escaping (SmileFit) -> Double?) -> Column {
            Column(name, style: .significant) { Cell(value($0)) }
        }
        return Report(
            columns: [
                Column("slice") { .text($0.smile.name) },
                figure("years") { $0.smile.years },
                figure("forward") { $0.smile.forward },
                Column("status") { .text($0.status.rawValue) },
                figure("atm_vol") { fit in fit.slice?.volatility(at: 0, years: fit.smile.years) },
                figure("a") { $0.slice?.a },
                figure("b") { $0.slice?.b },
                figure("rho") { $0.slice?.rho },
                figure("m") { $0.slice?.m },
                figure("sigma") { $0.slice?.sigma },
                figure("rms_vol_points") { $0.quality?.rootMeanSquare },
                figure("max_vol_points") { $0.quality?.largestError },
                figure("inside") { $0.quality?.insideShare },
                figure("butterfly_least_g") { $0.slice?.leastDurrleman.value },
                figure("left_wing") { $0.slice?.leftSlope },
                figure("right_wing") { $0.slice?.rightSlope },
                Column("quotes") { $0.quality.map { .whole($0.quotes) } ?? .empty },
                Column("dropped") { $0.quality.map { .whole($0.dropped) } ?? .empty },
            ], rows: fit.slices)
    }

    static func write(_ fit: SurfaceFit, to json: inout JSONWriter) {
        json.object { json in
            json.line(1)
            json.member("slices") { json in
                json.array(lines: 2) { json in
                    for slice in fit.slices { json.object { write(slice, to: &$0) } }
                }
            }
            json.line(1)
            json.member("calendar") { json in
                json.array(lines: 2) { json in
                    for gap in fit.calendar {
                        json.object { json in
                            json.member("earlier", gap.earlier)
                            json.member("later", gap.later)
                            json.member("least_gap", gap.least?.value)
                            json.member("at", gap.least?.at.ifFinite)
                        }
                    }
                }
            }
        }
    }

    private static func write(_ fit: SmileFit, to json: inout JSONWriter) {
        json.member("slice", fit.smile.name)
        json.member("years", fit.smile.years)
        json.member("forward", fit.smile.forward)
        json.member("status", fit.status.rawValue)
        if let slice = fit.slice, let quality = fit.quality {
            let least = slice.leastDurrleman
            json.member("model", "svi")
            json.member("repair", fit.repair.rawValue)
            json.member("a", slice.a)
            json.member("b", slice.b)
            json.member("rho", slice.rho)
            json.member("m", slice.m)
            json.member("sigma", slice.sigma)
            json.member("rms_vol_points", quality.rootMeanSquare)
            json.member("max_vol_points", quality.largestError)
            json.member("inside", quality.insideShare)
            json.member("butterfly_least_g", least.value)
            json.member("butterfly_at", least.at.ifFinite)
            json.member("wing_slopes", [slice.leftSlope, slice.rightSlope])
            json.member("quotes", quality.quotes)
            json.member("dropped", quality.dropped)
        }
    }
}
