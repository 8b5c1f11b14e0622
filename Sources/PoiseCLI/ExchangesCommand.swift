import ArgumentParser
import Market

/// What is known of each exchange.
struct ExchangesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchanges", abstract: "The exchanges whose names and files are understood.")

    @OptionGroup var outputs: OutputOptions

    func run() throws {
        let places = Outputs()
        let output = try outputs.open(places)
        typealias Column = Report<any Exchange.Type>.Column
        let report = Report(
            columns: [
                Column("exchange") { .text($0.name) },
                Column("also") { .text($0.aliases.joined(separator: " ")) },
                Column("layouts") { .whole($0.tickerLayouts.count) },
            ], rows: Exchanges.all)
        try report.write(as: outputs.format, to: output)
        try places.finish()
    }
}
