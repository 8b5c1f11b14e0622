import ArgumentParser
import Poise

struct GreeksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greeks",
        abstract: "Price and Greeks of every row of a table of options or of an exchange's chain.",
        discussion: """
            --options reads columns type,spot,strike,years,vol,rate,dividend in any order, in natural units \
            (0.05 is 5%). --chain reads an exchange's tickers as CSV or JSON; each row is priced as of its own \
            time stamp. All Greeks are in natural units per unit of the underlying, ∂t in years of calendar \
            time; the columns exchange_… are in the exchange's units.
            """ + HelpExamples.of("greeks"))

    @Option(help: ArgumentHelp("Table of options, or - for standard input.", valueName: "file"))
    var options: String?

    @OptionGroup var chains: ChainOption

    @OptionGroup var volatilities: VolatilityOption

    @OptionGroup var smile: StickinessOption

    @Flag(
        help: ArgumentHelp(
            """
            Append the Greeks of the coin value price/spot as coin_…, and in coins the net transaction delta \
            and the equity delta, which add up to delta.
            """
        ))
    var coin = false

    @OptionGroup var models: ModelOptions
    var model: OptionModel { models.choice.model }

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (options == nil) != chains.chain.isEmpty else {
            throw ValidationError("give either --options or --chain")
        }
        if volatilities.surface == .own, chains.chain.isEmpty {
            throw ValidationError("--surface goes with --chain")
        }
        try smile.validate(volatilities)
        let choice = models.choice
        if choice != ModelChoice(model: .blackScholesMerton), !chains.chain.isEmpty || coin {
            throw ValidationError("--model \(choice.name) goes with --options alone")
        }
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: common.skipBadRows)
        var report: Report<Int>
        if let options {
            var table = try OptionTable(
                try Source(path: options), allowsNegativePrices: model.range.allowsNegativePrices, &badRows)
            if coin { try table.requireCoinValues(&badRows) }
            if models.choice.isAmerican {
                let american = try AmericanReport(&table, try models.american(), &badRows)
                report = Report(
                    columns: columns(american.batch) + american.columns, rows: Array(0..<american.batch.count)
                )
            } else {
                let batch = try table.batch(model: model, &badRows)
                try badRows.requireRows(batch.count, of: table.file)
                report = Report(
                    columns: columns(batch, engine.greeks(model.greeks, of: batch)),
                    rows: Array(0..<batch.count))
            }
            report.source = { [table] in .line(file: table.file, table.lines[$0]) }
        } else {
            let read = try chains.read(&badRows)
            let own = try volatilities.own(read, &badRows)
            let chain = own?.chain ?? read
            let greeks = try ChainGreeks(chain.tickers, .all, &badRows)
            try badRows.requireRows(greeks.tickers.count, of: chain.file)
            greeks.compute(engine)
            report = self.report(greeks, try smile.smiles(own?.fit, &badRows))
        }
        try report.requireFinite()
        try report.write(as: common.format, to: output)
        try outputs.finish()
        common.report(badRows)
    }

    private typealias Column = Report<Int>.Column

    private func column(_ name: String, _ cell: @escaping (Int) -> Cell) -> Column {
        Column(name, style: .significant, cell)
    }

    /// The inputs and what the kernel made of them; `isOption` says where options stand.
    private func columns(
        _ batch: OptionBatch, _ matrix: GreekMatrix, isOption: @escaping (Int) -> Bool = { _ in true }
    ) -> [Column] {
        var columns = self.columns(batch, isOption: isOption)
        for greek in matrix.selection.greeks {
            guard let values = matrix[greek] else { continue }
            columns.append(column(greek.name) { .number(values[$0]) })
        }
        guard coin else { return columns }
        let coins = matrix.coinGreeks(of: batch)
        for greek in coins.selection.greeks {
            guard let values = coins[greek] else { continue }
            columns.append(column("coin_" + greek.name) { isOption($0) ? .number(values[$0]) : .empty })
        }
        if let delta = coins[.delta], let price = coins[.price] {
            columns.append(
                column("net_transaction_delta") {
                    isOption($0) ? .number(delta[$0] * batch.spot[$0]) : .empty
                })
            columns.append(column("equity_delta") { isOption($0) ? .number(price[$0]) : .empty })
        }
        return columns
    }

    /// The inputs alone.
    private func columns(
        _ batch: OptionBatch, isOption: @escaping (Int) -> Bool = { _ in true }
    ) -> [Column] {
        func ofOptions(_ name: String, _ value: @escaping (Int) -> Double) -> Column {
            column(name) { isOption($0) ? .number(value($0)) : .empty }
        }
        return [
            column("type") { isOption($0) ? .text(batch.type[$0] == 0 ? "C" : "P") : .empty },
            column("spot") { .number(batch.spot[$0]) },
            ofOptions("strike") { batch.strike[$0] }, ofOptions("years") { batch.years[$0] },
            ofOptions("vol") { batch.volatility[$0] }, ofOptions("rate") { batch.rate[$0] },
            ofOptions("dividend") { batch.dividend[$0] },
        ]
    }

    private func report(_ chain: ChainGreeks, _ smiles: MovingSmiles?) -> Report<Int> {
        let tickers = chain.tickers
        let exchange = tickers.indices.map { ExchangeGreeks(chain, row: $0) }
        let published: [(name: String, value: KeyPath<ExchangeGreeks, Double>)] = [
            ("exchange_mark_price", \.markPrice), ("exchange_delta", \.delta), ("exchange_gamma", \.gamma),
            ("exchange_vega", \.vega), ("exchange_theta", \.theta), ("exchange_rho", \.rho),
            ("exchange_net_delta", \.netDelta), ("settlement_share", \.settlementShare),
        ]
        let names = [
            column("instrument_name") { .text(tickers[$0].instrument.name) },
            column("timestamp") { .text("\(tickers[$0].timestamp.milliseconds)") },
        ]
        let natural = columns(chain.options, chain.greeks) { tickers[$0].instrument.isOption }
        let recomputed = published.map { name, value in
            column(name) { .number(exchange[$0][keyPath: value]) }
        }
        return Report(
            columns: names + natural + recomputed + (smiles.map { moving(chain, $0) } ?? []),
            rows: Array(tickers.indices))
    }

    /// Greeks of options where the smile moves along with the price; empty where an option has no slice.
    private func moving(_ chain: ChainGreeks, _ smiles: MovingSmiles) -> [Column] {
        let moved = chain.tickers.indices.map { smiles.greeks(of: chain, row: $0) }
        let figures: [(name: String, value: KeyPath<BlackGreeks, Double>)] = [
            ("delta", \.delta), ("gamma", \.gamma), ("vanna", \.vanna), ("charm", \.charm),
        ]
        return [column("stickiness") { Cell(moved[$0]?.stickiness) }]
            + figures.map { name, value in
                column("moving_" + name) { Cell(moved[$0]?.greeks[keyPath: value]) }
            }
    }
}

extension OptionTable {
    /// Leaves out options whose spot is 0: nothing has a value in a coin that is worth nothing.
    fileprivate mutating func requireCoinValues(_ badRows: inout BadRows) throws(MarketError) {
        var rejected: Set<Int> = []
        for row in 0..<count where spot[row] == 0 {
            try badRows.note(
                .invalidValue(
                    file: file, line: lines[row], column: "spot", value: "0",
                    reason: "must be above 0 for values in coin"))
            rejected.insert(row)
        }
        remove(rejected)
    }
}
