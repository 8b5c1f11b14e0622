import ArgumentParser
import Poise

extension OptionModel: ExpressibleByArgument {}

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

    @Option(
        help: ArgumentHelp(
            "Exchange's chain, or - for standard input; may be repeated: several files are one chain.",
            valueName: "file"))
    var chain: [String] = []

    @Flag(
        help: ArgumentHelp(
            """
            Append the Greeks of the coin value price/spot as coin_…, and in coins the net transaction delta \
            and the equity delta, which add up to delta.
            """
        ))
    var coin = false

    @Option(
        help: ArgumentHelp(
            """
            For --options: black-scholes-merton; bachelier, with vol in units of the price and prices of either \
            sign; or cash-or-nothing, which pays 1.
            """
        ))
    var model: OptionModel = .blackScholesMerton

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (options == nil) != chain.isEmpty else {
            throw ValidationError("give either --options or --chain")
        }
        guard chain.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("standard input can be one of the files only")
        }
        if model != .blackScholesMerton, !chain.isEmpty || coin {
            throw ValidationError("--model \(model.rawValue) goes with --options alone")
        }
    }

    func run() throws {
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        let report: Report
        if let options {
            var table = try OptionTable(
                try Source(path: options), allowsNegativePrices: model == .bachelier, &badRows)
            let batch = try table.batch(model: model, &badRows)
            report = self.report(batch, engine.greeks(.all, of: batch))
        } else {
            let chain = try Chain(paths: chain, &badRows)
            let greeks = try ChainGreeks(chain.tickers, .all, &badRows)
            greeks.compute(engine)
            report = self.report(greeks)
        }
        try common.write(report)
        common.report(badRows)
    }

    private typealias Figures = [(column: Report.Column, cell: (Int) -> Cell)]

    private func figure(_ name: String, _ cell: @escaping (Int) -> Cell) -> (Report.Column, (Int) -> Cell) {
        (Report.Column(name, style: .significant), cell)
    }

    /// The inputs and what the kernel made of them; `isOption` says where options stand.
    private func figures(
        _ batch: OptionBatch, _ matrix: GreekMatrix, isOption: @escaping (Int) -> Bool = { _ in true }
    ) -> Figures {
        func input(_ name: String, _ column: [Double]) -> (Report.Column, (Int) -> Cell) {
            figure(name) { isOption($0) ? .number(column[$0]) : .empty }
        }
        var figures: Figures = [
            figure("type") { isOption($0) ? .text(batch.type[$0] == 0 ? "C" : "P") : .empty },
            figure("spot") { .number(batch.spot[$0]) }, input("strike", batch.strike),
            input("years", batch.years), input("vol", batch.volatility), input("rate", batch.rate),
            input("dividend", batch.dividend),
        ]
        for greek in matrix.selection.greeks {
            guard let column = matrix[greek] else { continue }
            figures.append(figure(greek.name) { .number(column[$0]) })
        }
        guard coin else { return figures }
        let coins = matrix.coinGreeks(of: batch)
        for greek in coins.selection.greeks {
            guard let column = coins[greek] else { continue }
            figures.append(figure("coin_" + greek.name) { isOption($0) ? .number(column[$0]) : .empty })
        }
        if let delta = coins[.delta], let price = coins[.price] {
            figures.append(
                figure("net_transaction_delta") {
                    isOption($0) ? .number(delta[$0] * batch.spot[$0]) : .empty
                })
            figures.append(figure("equity_delta") { isOption($0) ? .number(price[$0]) : .empty })
        }
        return figures
    }

    private func report(_ figures: Figures, rowCount: Int) -> Report {
        Report(columns: figures.map(\.column), rowCount: rowCount) { figures[$1].cell($0) }
    }

    private func report(_ batch: OptionBatch, _ matrix: GreekMatrix) -> Report {
        report(figures(batch, matrix), rowCount: batch.count)
    }

    private func report(_ chain: ChainGreeks) -> Report {
        let tickers = chain.tickers
        let exchange = tickers.indices.map { ExchangeFigures(chain, row: $0) }
        let published: [(name: String, value: KeyPath<ExchangeFigures, Double>)] = [
            ("exchange_mark_price", \.markPrice), ("exchange_delta", \.delta), ("exchange_gamma", \.gamma),
            ("exchange_vega", \.vega), ("exchange_theta", \.theta), ("exchange_rho", \.rho),
            ("exchange_net_delta", \.netDelta), ("settlement_share", \.settlementShare),
        ]
        let names: Figures = [
            figure("instrument_name") { .text(tickers[$0].instrument.name) },
            figure("timestamp") { .text("\(tickers[$0].timestamp.milliseconds)") },
        ]
        let own = figures(chain.options, chain.greeks) { tickers[$0].instrument.isOption }
        let recomputed = published.map { name, value in
            figure(name) { .number(exchange[$0][keyPath: value]) }
        }
        return report(names + own + recomputed, rowCount: tickers.count)
    }
}
