import ArgumentParser
import Poise

struct ImpliedVolatilityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iv",
        abstract: "The volatility that every price of a table implies.",
        discussion: """
            Reads columns type,spot,strike,years,price,rate,dividend in any order, in natural units, and \
            appends vol and status: ok, below-intrinsic, above-maximum (the discounted spot of a call, the \
            discounted strike of a put), expired, not-a-number (also where no price is given), or two-volatilities \
            (digitals out of the money, whose price rises with volatility at first and then falls). American prices may \
            also be exercise (what exercise gives, at every volatility up to some), double-boundary or outside-range. \
            Only rows that are ok have a vol.
            """ + HelpExamples.of("iv"))

    @Option(help: ArgumentHelp("Table of options, or - for standard input.", valueName: "file"))
    var options: String

    @Flag(
        help: "Prices are in coin, as of options settled in it: multiplied by spot, the price of the future.")
    var coin = false

    @OptionGroup var models: ModelOptions
    var model: OptionModel { models.choice.model }

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if coin, models.choice != ModelChoice(model: .blackScholesMerton) {
            throw ValidationError("--coin goes with --model black-scholes-merton alone")
        }
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        let table = try OptionTable(
            try Source(path: options), quote: .price, allowsNegativePrices: model.range.allowsNegativePrices,
            &badRows)
        try badRows.requireRows(table.count, of: table.file)
        let (volatility, status) = try implied(table, engine)
        func column(_ name: String, _ cell: @escaping (Int) -> Cell) -> Report<Int>.Column {
            Report<Int>.Column(name, style: .significant, cell)
        }
        let report = Report(
            columns: [
                column("type") { .text(table.type[$0] == 0 ? "C" : "P") },
                column("spot") { .number(table.spot[$0]) },
                column("strike") { .number(table.strike[$0]) },
                column("years") { .number(table.years[$0]) },
                column("price") { table.quotes[$0].isNaN ? .empty : .number(table.quotes[$0]) },
                column("rate") { .number(table.rate[$0]) },
                column("dividend") { .number(table.dividend[$0]) },
                column("vol") { volatility[$0].map { .number($0) } ?? .empty },
                column("status") { .text(status[$0]) },
            ], rows: Array(0..<table.count))
        try report.write(as: common.format, to: output)
        try outputs.finish()
        common.report(badRows)
    }

    /// The volatility of each row, where there is one, and its status.
    private func implied(
        _ table: OptionTable, _ engine: GreeksEngine
    ) throws -> (volatility: [Double?], status: [String]) {
        let prices = try table.prices(inCoin: coin)
        guard models.choice.isAmerican else {
            let volatilities = engine.impliedVolatilities(of: prices, model: model)
            return (volatilities.map(\.volatility), volatilities.map(\.status.description))
        }
        let (volatility, status) = try models.american().impliedVolatilities(of: prices)
        return (volatility.map { $0.isNaN ? nil : $0 }, status.map(\.description))
    }
}
