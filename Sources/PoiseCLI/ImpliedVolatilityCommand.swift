import ArgumentParser
import Poise

struct ImpliedVolatilityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iv",
        abstract: "The volatility that every price of a table implies.",
        discussion: """
            Reads columns type,spot,strike,years,price,rate,dividend in any order, in natural units, and \
            appends vol and status: ok, below-intrinsic, above-maximum (the discounted spot of a call, the \
            discounted strike of a put) or expired. Only rows that are ok have a vol.
            """)

    @Option(help: ArgumentHelp("Table of options, or - for standard input.", valueName: "file"))
    var options: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        let table = try OptionTable(try Source(path: options), quote: .price, &badRows)
        try badRows.requireRows(table.count, of: table.file)
        let (volatility, status) = engine.impliedVolatilities(of: try table.prices())
        func column(_ name: String, _ cell: @escaping (Int) -> Cell) -> Report<Int>.Column {
            Report<Int>.Column(name, style: .significant, cell)
        }
        let report = Report(
            columns: [
                column("type") { .text(table.type[$0] == 0 ? "C" : "P") },
                column("spot") { .number(table.spot[$0]) },
                column("strike") { .number(table.strike[$0]) },
                column("years") { .number(table.years[$0]) },
                column("price") { .number(table.quotes[$0]) },
                column("rate") { .number(table.rate[$0]) },
                column("dividend") { .number(table.dividend[$0]) },
                column("vol") { status[$0] == .ok ? .number(volatility[$0]) : .empty },
                column("status") { .text(status[$0].description) },
            ], rows: Array(0..<table.count))
        try report.write(as: common.format, to: output)
        try outputs.finish()
        common.report(badRows)
    }
}
