import ArgumentParser
import Poise

struct GreeksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greeks",
        abstract: "Price and Greeks of every row of a table of options or of an exchange's chain.",
        discussion: """
            --options reads columns type,spot,strike,years,vol,rate,dividend in any order, in natural units \
            (0.05 is 5%). --chain reads Deribit tickers as CSV or JSON; each row is priced as of its own \
            time stamp. All Greeks are in natural units per unit of the underlying, ∂t in years of calendar \
            time; the columns exchange_… are in the exchange's units.
            """)

    @Option(help: ArgumentHelp("Table of options, or - for standard input.", valueName: "file"))
    var options: String?

    @Option(help: ArgumentHelp("Exchange's chain, or - for standard input.", valueName: "file"))
    var chain: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (options == nil) != (chain == nil) else {
            throw ValidationError("give either --options or --chain")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        let report: Report
        if let options {
            var table = try OptionTable(try Source(path: options), &badRows)
            let batch = try table.batch(&badRows)
            report = Self.report(batch, engine.greeks(.all, of: batch))
        } else {
            let chain = try Chain(try Source(path: chain ?? "-"), &badRows)
            let greeks = try ChainGreeks(chain.tickers, file: chain.file, .all, &badRows)
            greeks.compute(engine)
            report = Self.report(greeks)
        }
        try common.write(report)
        common.report(badRows)
    }

    private static func greekColumns(_ greeks: [Greek]) -> [Report.Column] {
        greeks.map { Report.Column($0.name, style: .significant) }
    }

    private static func report(_ batch: OptionBatch, _ matrix: GreekMatrix) -> Report {
        let inputs = OptionTable.columns(.volatility)
        let greeks = matrix.selection.greeks
        let columns = greeks.map { matrix[$0] }
        return Report(
            columns: inputs.map { Report.Column($0, style: .significant) } + greekColumns(greeks),
            rowCount: batch.count
        ) { row, column in
            switch column {
            case 0: .text(batch.type[row] == 0 ? "C" : "P")
            case 1: .number(batch.spot[row])
            case 2: .number(batch.strike[row])
            case 3: .number(batch.years[row])
            case 4: .number(batch.volatility[row])
            case 5: .number(batch.rate[row])
            case 6: .number(batch.dividend[row])
            default: columns[column - inputs.count].map { .number($0[row]) } ?? .empty
            }
        }
    }

    private static func report(_ chain: ChainGreeks) -> Report {
        let greeks = chain.greeks.selection.greeks
        let columns = greeks.map { chain.greeks[$0] }
        let inputs = ["instrument_name", "timestamp"] + OptionTable.columns(.volatility)
        let exchange: [(name: String, value: KeyPath<ExchangeFigures, Double>)] = [
            ("exchange_mark_price", \.markPrice), ("exchange_delta", \.delta), ("exchange_gamma", \.gamma),
            ("exchange_vega", \.vega), ("exchange_theta", \.theta), ("exchange_rho", \.rho),
            ("exchange_net_delta", \.netDelta), ("settlement_share", \.settlementShare),
        ]
        let figures = chain.tickers.indices.map { ExchangeFigures(chain, row: $0) }
        let firstExchange = inputs.count + greeks.count
        return Report(
            columns: inputs.map { Report.Column($0, style: .significant) } + greekColumns(greeks)
                + exchange.map { Report.Column($0.name, style: .significant) },
            rowCount: chain.tickers.count
        ) { row, column in
            let ticker = chain.tickers[row]
            let isOption = ticker.instrument.isOption
            switch column {
            case 0: return .text(ticker.instrument.name)
            case 1: return .text("\(ticker.timestamp.milliseconds)")
            case 2: return isOption ? .text(chain.options.type[row] == 0 ? "C" : "P") : .empty
            case 3: return .number(chain.options.spot[row])
            case 4: return isOption ? .number(chain.options.strike[row]) : .empty
            case 5: return isOption ? .number(chain.options.years[row]) : .empty
            case 6: return isOption ? .number(chain.options.volatility[row]) : .empty
            case 7: return isOption ? .number(chain.options.rate[row]) : .empty
            case 8: return isOption ? .number(chain.options.dividend[row]) : .empty
            case firstExchange...:
                return .number(figures[row][keyPath: exchange[column - firstExchange].value])
            default: return columns[column - inputs.count].map { .number($0[row]) } ?? .empty
            }
        }
    }
}
