import ArgumentParser
import Checks
import Market
import Poise

struct ValueAtRiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "var",
        abstract:
            "Value at risk and expected shortfall of books and of all of them, and who contributes what.",
        discussion: """
            Scenarios are moves of each coin's price and of the level of its volatilities over the horizon, taken \
            from candles: as they happened (historical), or drawn from their covariance and put through the books' \
            Greeks (delta-gamma-vega) or through every contract's formula (monte-carlo; historical does so too). \
            Losses are positive. Components add up to the total: of the shortfall, what the books lose in the \
            total's tail; of the value at risk, what they are expected to lose where the total loses just that.
            """ + HelpExamples.of("var"))

    enum Method: String, ExpressibleByArgument, CaseIterable {
        case historical
        case deltaGammaVega = "delta-gamma-vega"
        case monteCarlo = "monte-carlo"
    }

    enum Volatility: String, ExpressibleByArgument, CaseIterable { case realised, none }

    enum Covariance: String, ExpressibleByArgument, CaseIterable {
        case ewma, sample
        case ledoitWolf = "ledoit-wolf"
    }

    @OptionGroup var inputs: BookOptions

    @Option(
        help: ArgumentHelp(
            """
            Candles timestamp,open,high,low,close of a coin, one for each; several files of one coin are joined.
            """, valueName: "coin=file"), transform: NamedArgument.reader("COIN=FILE"))
    var history: [NamedArgument]

    @Option(help: "historical, delta-gamma-vega or monte-carlo.")
    var method: Method = .historical

    @Option(parsing: .unconditional, help: ArgumentHelp("Levels, such as 0.95,0.99.", valueName: "levels"))
    var levels = "0.95,0.99"

    @Option(parsing: .unconditional, help: ArgumentHelp("Hours that a scenario takes.", valueName: "hours"))
    var horizon = 24.0

    @Option(
        help: ArgumentHelp(
            """
            How volatilities move: realised, with the exponentially weighted volatility of the coin's own \
            returns, or none. --volatility-history replaces it.
            """))
    var volatility: Volatility = .realised

    @Option(
        help: ArgumentHelp(
            "Candles of a coin's volatility index, one for each coin; volatilities move with its close.",
            valueName: "coin=file"), transform: NamedArgument.reader("COIN=FILE"))
    var volatilityHistory: [NamedArgument] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Options of T days beyond 30 take part in moves of volatility by (30/T)^power.",
            valueName: "power"
        ))
    var termPower = 0.5

    @Flag(help: "Let the horizon pass: options decay, and those that expire are worth what they pay.")
    var timePasses = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of --method historical: candles from one scenario to the next.", valueName: "count"))
    var stride = 1

    @Option(help: "Of drawn scenarios: estimator of the covariance: ewma, ledoit-wolf or sample.")
    var covariance: Covariance = .ewma

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Weight that is left after a day, of ewma and of realised volatility.", valueName: "weight"))
    var decay = 0.94

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Of drawn scenarios: shrink the covariance by so much more towards its mean variance.",
            valueName: "intensity"))
    var shrinkage: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Of drawn scenarios: their number.", valueName: "count"))
    var scenarios = 100_000

    @Option(
        parsing: .unconditional,
        help: "Of drawn scenarios: their seed; the same scenarios on every machine.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Also write every scenario's gains of each group (CSV).", valueName: "target"))
    var saveGains: String?

    @OptionGroup var common: CommonOptions

    private func levelList() throws -> [Double] {
        try items(levels, "--levels").map { text in
            guard let level = Double(text), level >= 0.5, level < 1 else {
                throw ValidationError("--levels \(levels): must be from 0.5 to below 1")
            }
            return level
        }
    }

    func validate() throws {
        _ = try inputs.groupings()
        try inputs.groups.validate(common.format)
        let list = try levelList()
        guard Set(list).count == list.count else {
            throw ValidationError("--levels \(levels): expected no repeats")
        }
        try NumberRule.positiveUpTo(87_600).require("--horizon", horizon)
        try NumberRule.within(1...1_000_000).require("--stride", stride)
        try NumberRule.within(2...67_108_864).require("--scenarios", scenarios)
        try NumberRule.between(0, 1).require("--decay", decay)
        try NumberRule.share.require("--term-power", termPower)
        try NumberRule.share.require("--shrinkage", shrinkage)
    }

    func run() throws {
        let outputs = Outputs()
        let output = try common.outputs.open(outputs)
        let saved = try saveGains.map { try outputs.open($0) }
        let groupings = try inputs.groupings([.book])
        let numeraire = inputs.numeraire
        var badRows = BadRows(skip: common.skipBadRows)
        var stopwatch = Stopwatch()
        let pool = try GreeksPool(try GreeksEngine(), threads: 1)
        let books = try inputs.read(groupings, &badRows)
        let history = try factorHistory(&badRows)
        stopwatch.lap("read")
        let valuation = books.valuation
        let coins = valuation.contracts.map(\.base)
        if let coin = coins.sorted().first(where: { !history.coins.contains($0) }) {
            throw ValidationError("--history: \(coin) is held, and has none")
        }
        valuation.greeks.compute(pool.engine)
        let book = BookRevaluation(
            valuation, by: groupings, books.buckets, in: numeraire, try VolatilityResponse(power: termPower),
            pool)
        stopwatch.lap("index")
        let (moves, covariance) = try moves(history)
        stopwatch.lap("scenarios")
        let years = timePasses ? horizon / Year.hours : 0
        let gains =
            method == .deltaGammaVega
            ? try DeltaGammaVega(book).profits(moves, years: years) : try book.profits(moves, years: years)
        stopwatch.lap("value")
        let parts = try gains.totals(of: coins, by: groupings, in: numeraire)
        let levels = try levelList()
        let reports = try parts.map { part in
            TailRiskReport.Part(
                name: part.name, groups: part.gains.groups,
                figures: try levels.map { try part.gains.measures(level: $0) })
        }
        stopwatch.lap("sort")
        let report = TailRiskReport(
            groupings: groupings, parts: reports, numeraire: numeraire, isDrawn: method != .historical)
        let facts = TailRiskFacts(
            command: self, history: history, covariance: covariance, scenarioCount: moves.count,
            windows: method == .historical ? moves.starts : [])
        try Holdings(books.file, valuation.positions).explaining { try report.full.requireFinite() }
        switch common.format {
        case .table:
            try report.table.writeTable(to: output)
            try output.write("\n" + facts.text(report) + stopwatch.text + "\n")
        case .csv: try report.full.csv(inputs.groups).writeCSV(to: output)
        case .json:
            try output.writeJSON { json in
                try json.object { json in
                    facts.write(by: groupings, levels, to: &json)
                    stopwatch.write(to: &json)
                    try report.full.writeMembers(to: &json, output)
                    json.line()
                }
            }
        }
        if let saved { try gainReport(gains, moves).writeCSV(to: saved) }
        try outputs.finish()
        common.report(badRows)
    }

    // MARK: Scenarios

    private func candles(
        _ arguments: [NamedArgument], _ badRows: inout BadRows
    ) throws -> [String: CandleTable] {
        var tables: [String: CandleTable] = [:]
        for argument in arguments {
            let table = try CandleTable(try Source(path: argument.value), &badRows)
            tables[argument.name] = try tables[argument.name].map { try $0.joined(with: table) } ?? table
        }
        return tables
    }

    private func factorHistory(_ badRows: inout BadRows) throws -> FactorHistory {
        let prices = try candles(history, &badRows)
        let indices = try candles(volatilityHistory, &badRows)
        if !indices.isEmpty {
            if let coin = prices.keys.sorted().first(where: { indices[$0] == nil }) {
                throw ValidationError("--volatility-history: \(coin) has none")
            }
            return try FactorHistory(prices, volatility: .index(indices))
        }
        return try FactorHistory(
            prices, volatility: volatility == .none ? .constant : .realised(decayPerDay: decay))
    }

    private var choice: ScenarioChoice {
        var choice = ScenarioChoice()
        switch method {
        case .historical: choice.method = .historical
        case .deltaGammaVega: choice.method = .deltaGammaVega
        case .monteCarlo: choice.method = .monteCarlo
        }
        switch covariance {
        case .ewma: choice.estimator = .exponential
        case .ledoitWolf: choice.estimator = .ledoitWolf
        case .sample: choice.estimator = .sample
        }
        (choice.horizonHours, choice.stride, choice.count) = (horizon, stride, scenarios)
        (choice.decayPerDay, choice.shrinkage, choice.seed) = (decay, shrinkage, seed)
        return choice
    }

    private func moves(_ history: FactorHistory) throws -> (FactorMoves, FactorCovariance?) {
        do throws(TailRiskError) {
            return try choice.moves(history)
        } catch {
            guard case .invalidValue("horizon", _, let reason) = error else { throw error }
            throw ValidationError("--horizon \(horizon): \(reason)")
        }
    }

    /// Gains of every group in every scenario.
    private func gainReport(_ gains: ScenarioProfits, _ moves: FactorMoves) -> Report<Int> {
        typealias Column = Report<Int>.Column
        let unit = inputs.numeraire.rawValue
        let groups = gains.groups.enumerated().map { group, labels in
            Column("\(labels.joined(separator: " ")) \(unit)") {
                .number(gains[group][group * gains.count + $0])
            }
        }
        return Report(
            columns: [
                Column("scenario") { .whole($0 + 1) },
                Column("start") {
                    moves.starts.isEmpty ? .empty : .text("\(moves.starts[$0].milliseconds)")
                },
            ] + groups + [Column("total \(unit)") { .number(gains.total[$0]) }],
            rows: Array(0..<gains.count))
    }
}
