import CPoise
import Checks
import Poise

/// Behind `poise_tail_risk`.
final class TailRiskHandle: Sendable {
    let gains: ScenarioProfits
    let totals: [ScenarioTotal]
    let labels: [CStrings]
    let names: CStrings
    /// When each scenario of a history began, in milliseconds; empty for those that are drawn.
    let starts: [Int64]

    init(
        _ engine: GreeksEngine, _ chain: Chain, _ table: PositionTable, _ history: FactorHistory,
        _ options: TailRiskOptions, _ buckets: BucketEdges
    ) throws(Failure) {
        let valuation = try valuation(table, in: chain)
        let groupings = options.exposures.groupings ?? [.book]
        try options.exposures.checkCoin(groupings, valuation.positions)
        let inBuckets = try buckets.buckets(valuation.greeks.tickers)
        let pool = try failing { () throws(GreeksError) in try GreeksPool(engine, threads: 1) }
        valuation.greeks.compute(engine)
        let made = try failing { () throws(TailRiskError) in
            let response = try VolatilityResponse(power: options.termPower)
            let numeraire = options.exposures.numeraire
            let book = BookRevaluation(valuation, by: groupings, inBuckets, in: numeraire, response, pool)
            let moves = try options.choice.moves(history).moves
            let years = options.passesTime ? options.choice.horizonHours / (365 * 24) : 0
            let gains =
                options.choice.method == .deltaGammaVega
                ? try DeltaGammaVega(book).profits(moves, years: years, isCancelled: options.isCancelled)
                : try book.profits(moves, years: years, isCancelled: options.isCancelled)
            let coins = valuation.contracts.map(\.base)
            return (gains, try gains.totals(of: coins, by: groupings, in: numeraire), moves.starts)
        }
        (gains, totals) = (made.0, made.1)
        starts = made.2.map(\.milliseconds)
        labels = gains.groups.map { CStrings($0) }
        names = CStrings(totals.map(\.name))
    }
}

extension poise_tail_options {
    /// The struct's size before a host could end the call.
    static let sizeBeforeQuestions = MemoryLayout<poise_tail_options>.offset(of: \.is_cancelled) ?? 0
}

/// `poise_tail_options`, checked.
struct TailRiskOptions {
    var exposures = ExposureOptions()
    var choice = ScenarioChoice()
    var movesVolatility = true
    var termPower = 0.5
    var passesTime = false
    var isCancelled: (() -> Bool)?

    /// The caller's, or the standard ones for NULL.
    init(reading options: UnsafePointer<poise_tail_options>?) throws(Failure) {
        guard let options else { return }
        let given = try taken(
            options, "options", poise_tail_options(), earlier: poise_tail_options.sizeBeforeQuestions)
        if given.exposures.size != 0 {
            try checkSize(given.exposures.size, of: poise_exposure_options.self, "exposures")
            exposures = try ExposureOptions(given.exposures, hasBuckets: true)
        }
        switch given.method {
        case POISE_TAIL_HISTORICAL: choice.method = .historical
        case POISE_TAIL_DELTA_GAMMA_VEGA: choice.method = .deltaGammaVega
        case POISE_TAIL_MONTE_CARLO: choice.method = .monteCarlo
        default: throw .argument("method", "\(given.method.rawValue) is no method")
        }
        switch given.volatility {
        case POISE_TAIL_VOLATILITY_REALISED: movesVolatility = true
        case POISE_TAIL_VOLATILITY_STILL: movesVolatility = false
        default: throw .argument("volatility", "\(given.volatility.rawValue) is no move of volatilities")
        }
        switch given.covariance {
        case POISE_TAIL_COVARIANCE_EXPONENTIAL: choice.estimator = .exponential
        case POISE_TAIL_COVARIANCE_LEDOIT_WOLF: choice.estimator = .ledoitWolf
        case POISE_TAIL_COVARIANCE_SAMPLE: choice.estimator = .sample
        default: throw .argument("covariance", "\(given.covariance.rawValue) is no estimator")
        }
        passesTime = given.time_passes != 0
        if given.horizon_hours != 0 { choice.horizonHours = given.horizon_hours }
        try check(choice.horizonHours, .positiveUpTo(87_600), "horizon_hours")
        termPower = given.term_power
        try check(termPower, .share, "term_power")
        if given.decay != 0 { choice.decayPerDay = given.decay }
        try check(choice.decayPerDay, .between(0, 1), "decay")
        if given.shrinkage != 0 { choice.shrinkage = given.shrinkage }
        try check(given.shrinkage, .share, "shrinkage")
        if given.stride != 0 { choice.stride = try Self.count(given.stride, 1...1_000_000, "stride") }
        if given.scenarios != 0 {
            choice.count = try Self.count(given.scenarios, 2...67_108_864, "scenarios")
        }
        choice.seed = given.seed
        isCancelled = question(given.is_cancelled, given.context)
    }

    private static func count(
        _ value: UInt64, _ range: ClosedRange<UInt64>, _ name: StaticString
    ) throws(Failure) -> Int {
        guard range.contains(value) else {
            throw .argument("\(name)", "\(value): \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(value)
    }
}

extension FactorHistory {
    /// The histories that a caller names.
    init(
        _ histories: UnsafePointer<poise_history>?, _ count: Int, _ options: TailRiskOptions
    ) throws(Failure) {
        try checkCount(count, "history_count")
        guard count > 0 else { throw .count("history_count", "there is no history") }
        let given = try required(histories, "histories")
        var prices: [String: CandleTable] = [:]
        var indices: [String: CandleTable] = [:]
        for place in 0..<count {
            let coin = try text(given[place].coin, "coin")
            guard prices[coin] == nil else {
                throw Failure(
                    status: POISE_ERROR_VALUE, place: .row(place, table: "histories"), field: "coin",
                    value: coin, reason: "stands twice")
            }
            prices[coin] = try CandleTable(given[place].candles, given[place].candle_count, "candles")
            if given[place].volatility_index_count != 0 {
                indices[coin] = try CandleTable(
                    given[place].volatility_index, given[place].volatility_index_count, "volatility_index")
            }
        }
        let source: VolatilitySource =
            !indices.isEmpty
            ? .index(indices)
            : options.movesVolatility ? .realised(decayPerDay: options.choice.decayPerDay) : .constant
        let (tables, chosen) = (prices, source)
        self = try failing { () throws(TailRiskError) in try FactorHistory(tables, volatility: chosen) }
    }
}

extension CandleTable {
    /// One of files or texts that are joined.
    fileprivate init(
        _ sources: UnsafePointer<poise_source>?, _ count: Int, _ name: StaticString
    ) throws(Failure) {
        try checkCount(count, name)
        guard count > 0 else { throw .count("\(name)", "there are no candles") }
        let given = try required(sources, name)
        var joined: CandleTable?
        for place in 0..<count {
            let source = try Source(given[place], name)
            let (before, table) = (
                joined, try reading { badRows throws(MarketError) in try CandleTable(source, &badRows) }
            )
            joined = try failing { () throws(MarketError) in try before?.joined(with: table) ?? table }
        }
        guard let joined else { throw .count("\(name)", "there are no candles") }
        self = joined
    }
}

private func made(_ tail: OpaquePointer?) -> TailRiskHandle? { object(tail, as: TailRiskHandle.self) }

@c @implementation
public func poise_tail_risk_create(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?,
    _ histories: UnsafePointer<poise_history>?, _ history_count: Int,
    _ options: UnsafePointer<poise_tail_options>?, _ buckets: UnsafePointer<poise_buckets>?,
    _ tail: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(tail, "tail") { () throws(Failure) in
        let chosen = try TailRiskOptions(reading: options)
        let (engine, chain, table) = try books(engine, chain, positions)
        let history = try FactorHistory(histories, history_count, chosen)
        return try TailRiskHandle(engine, chain, table, history, chosen, try BucketEdges(buckets))
    }
}

@c @implementation
public func poise_tail_risk_free(_ tail: OpaquePointer?) { release(tail, as: TailRiskHandle.self) }

@c @implementation
public func poise_tail_risk_count(_ tail: OpaquePointer?) -> Int { made(tail)?.labels.count ?? 0 }

@c @implementation
public func poise_tail_risk_label(
    _ tail: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    made(tail)?.labels.text(group, grouping)
}

@c @implementation
public func poise_tail_risk_scenario_count(_ tail: OpaquePointer?) -> Int { made(tail)?.gains.count ?? 0 }

@c @implementation
public func poise_tail_risk_start(_ tail: OpaquePointer?, _ scenario: Int) -> Int64 {
    guard let starts = made(tail)?.starts, starts.indices.contains(scenario) else { return 0 }
    return starts[scenario]
}

@c @implementation
public func poise_tail_risk_gains(
    _ tail: OpaquePointer?, _ group: Int, _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let gains = try object(tail, as: TailRiskHandle.self, "tail").gains
        try checkIndex(group, below: gains.groups.count, "group")
        let target = try Target(column, "column")
        for (scenario, gain) in gains[group].enumerated() { target.set(scenario, gain) }
    }
}

@c @implementation
public func poise_tail_risk_total_count(_ tail: OpaquePointer?) -> Int { made(tail)?.totals.count ?? 0 }

@c @implementation
public func poise_tail_risk_total(_ tail: OpaquePointer?, _ total: Int) -> UnsafePointer<CChar>? {
    made(tail)?.names[total]
}

@c @implementation
public func poise_tail_risk_measures(
    _ tail: OpaquePointer?, _ level: Double, _ columns: UnsafePointer<poise_tail_columns>?,
    _ totals: UnsafeMutablePointer<poise_tail_total>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(tail, as: TailRiskHandle.self, "tail")
        try check(level, .from(0.5, below: 1), "level")
        let given = try columns.map { columns throws(Failure) in
            try taken(columns, "columns", poise_tail_columns())
        }
        func target(_ column: poise_column?, _ name: StaticString) throws(Failure) -> Target? {
            guard let column, column.data != nil else { return nil }
            return try Target(column, name)
        }
        let value = try target(given?.value_at_risk, "value_at_risk")
        let valuePart = try target(given?.value_at_risk_component, "value_at_risk_component")
        let shortfall = try target(given?.expected_shortfall, "expected_shortfall")
        let shortfallPart = try target(given?.expected_shortfall_component, "expected_shortfall_component")
        let sums = try requiredIfGiven(totals, "totals")
        for (number, total) in handle.totals.enumerated() {
            let measures = try failing { () throws(TailRiskError) in try total.gains.measures(level: level) }
            for (place, group) in total.groups.enumerated() {
                value?.set(group, measures.groupValueAtRisk[place])
                valuePart?.set(group, measures.valueAtRiskComponents[place])
                shortfall?.set(group, measures.groupExpectedShortfall[place])
                shortfallPart?.set(group, measures.expectedShortfallComponents[place])
            }
            sums?[number] = poise_tail_total(
                value_at_risk: measures.valueAtRisk, expected_shortfall: measures.expectedShortfall,
                value_at_risk_error: measures.valueAtRiskStandardError,
                expected_shortfall_error: measures.expectedShortfallStandardError)
        }
    }
}
