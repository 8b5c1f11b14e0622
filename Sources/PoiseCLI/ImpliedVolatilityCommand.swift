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
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        let table = try OptionTable(try Source(path: options), quote: .price, &badRows)
        let (volatility, status) = engine.impliedVolatilities(of: try table.prices())
        let inputs = OptionTable.columns(.price)
        try common.write(
            Report(
                columns: (inputs + ["vol", "status"]).map { Report.Column($0, style: .significant) },
                rowCount: table.count
            ) { row, column in
                switch column {
                case 0: .text(table.type[row] == 0 ? "C" : "P")
                case 1: .number(table.spot[row])
                case 2: .number(table.strike[row])
                case 3: .number(table.years[row])
                case 4: .number(table.quotes[row])
                case 5: .number(table.rate[row])
                case 6: .number(table.dividend[row])
                case 7: status[row] == .ok ? .number(volatility[row]) : .empty
                default: .text(status[row].description)
                }
            })
        common.report(badRows)
    }
}
