import CPoise
import Poise

/// Behind `poise_exposures`.
final class ExposuresHandle: @unchecked Sendable {
    let exposures: Exposures
    let labels: [CStrings]

    init(
        _ engine: GreeksEngine, _ chain: Chain, _ table: PositionTable, _ options: ExposureOptions,
        _ buckets: BucketEdges? = nil
    ) throws(Failure) {
        let valuation = try valuation(table, in: chain)
        let inBuckets = try buckets?.buckets(valuation.greeks.tickers)
        let plan = ExposurePlan(
            valuation.positions, contracts: valuation.contracts,
            by: options.groupings ?? [.book, .underlying], inBuckets)
        try options.checkCoin(plan.groupings, valuation.positions)
        let figures = UnitExposures(count: valuation.contracts.count)
        exposures = Exposures(plan)
        valuation.greeks.compute(engine)
        figures.update(from: valuation.greeks, in: options.numeraire)
        plan.aggregate(figures, into: exposures, engine)
        labels = plan.groups.map { CStrings($0) }
    }
}

/// The inputs of computations about books.
func books(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?
) throws(Failure) -> (GreeksEngine, Chain, PositionTable) {
    (
        try object(engine, as: EngineHandle.self, "engine").engine,
        try object(chain, as: ChainHandle.self, "chain").chain,
        try object(positions, as: PositionsHandle.self, "positions").table
    )
}

/// Positions joined with their prices.
func valuation(_ table: PositionTable, in chain: Chain) throws(Failure) -> BookValuation {
    try reading { badRows throws(MarketError) in try BookValuation(table, in: chain, &badRows) }
}

/// `poise_exposure_options`, checked.
struct ExposureOptions {
    var numeraire = Numeraire.usd
    /// Nil where there are none.
    var groupings: [Grouping]?

    init() {}

    /// The caller's, or the standard ones for NULL.
    init(
        reading options: UnsafePointer<poise_exposure_options>?, hasBuckets: Bool = false
    ) throws(Failure) {
        guard let options else {
            self.init()
            return
        }
        try self.init(try taken(options, "options", poise_exposure_options()), hasBuckets: hasBuckets)
    }

    /// - Parameter hasBuckets: whether desks, tenors and moneyness are known.
    init(_ options: poise_exposure_options, hasBuckets: Bool = false) throws(Failure) {
        numeraire = try Numeraire(options.numeraire)
        guard options.grouping_count <= UInt32(POISE_MAXIMUM_GROUPINGS) else {
            throw .count("grouping_count", "\(options.grouping_count): at most \(POISE_MAXIMUM_GROUPINGS)")
        }
        guard options.grouping_count > 0 else { return }
        let given = options.groupings
        var groupings: [Grouping] = []
        for grouping in [given.0, given.1, given.2, given.3].prefix(Int(options.grouping_count)) {
            let named: Grouping
            switch grouping {
            case POISE_BY_BOOK: named = .book
            case POISE_BY_UNDERLYING: named = .underlying
            case POISE_BY_EXPIRY: named = .expiry
            case POISE_BY_INSTRUMENT: named = .instrument
            case POISE_BY_DESK where hasBuckets: named = .desk
            case POISE_BY_TENOR where hasBuckets: named = .tenor
            case POISE_BY_MONEYNESS where hasBuckets: named = .moneyness
            case POISE_BY_DESK, POISE_BY_TENOR, POISE_BY_MONEYNESS:
                throw .argument(
                    "groupings", "desks, tenors and moneyness need poise_exposures_create_in_buckets")
            default: throw .argument("groupings", "\(grouping.rawValue) is no grouping")
            }
            guard !groupings.contains(named) else {
                throw .argument("groupings", "\(named.rawValue) stands twice")
            }
            groupings.append(named)
        }
        self.groupings = groupings
    }

    /// Coins of different kinds don't add.
    func checkCoin(_ groupings: [Grouping], _ positions: [PositionTable.Position]) throws(Failure) {
        guard numeraire == .coin, !groupings.contains(.underlying), !groupings.contains(.instrument),
            Set(positions.map(\.instrument.base)).count > 1
        else { return }
        throw .argument("numeraire", "coins of different kinds do not add: group by underlying, too")
    }
}

/// `poise_buckets`, checked.
struct BucketEdges {
    private var tenorDays = ExposureBuckets.standardTenorDays
    private var moneyness = ExposureBuckets.standardMoneyness
    private(set) var deskOfBook: [String: String] = [:]

    init(_ given: UnsafePointer<poise_buckets>?) throws(Failure) {
        guard let given else { return }
        let buckets = try taken(given, "buckets", poise_buckets())
        if let edges = buckets.tenor_days {
            tenorDays = try Self.edges(edges, buckets.tenor_count, "tenor_days")
        }
        if let edges = buckets.moneyness {
            moneyness = try Self.edges(edges, buckets.moneyness_count, "moneyness")
        }
        try checkCount(buckets.desk_count, "desk_count")
        guard buckets.desk_count > 0 else { return }
        let books = try TextColumn(buckets.book, "book")
        let desks = try TextColumn(buckets.desk, "desk")
        for row in 0..<buckets.desk_count {
            let (book, desk) = (try books.text(row), try desks.text(row))
            guard !book.isEmpty, !desk.isEmpty else {
                throw .value(row: row, book.isEmpty ? "book" : "desk", "", "is empty")
            }
            guard deskOfBook.updateValue(desk, forKey: book) == nil else {
                throw .value(row: row, "book", book, "stands twice")
            }
        }
    }

    private static func edges(
        _ edges: UnsafePointer<Double>, _ count: Int, _ name: StaticString
    ) throws(Failure) -> [Double] {
        guard count >= 0, count <= 1_024 else {
            throw .count("\(name)", "\(UInt(bitPattern: count)) edges: at most 1024")
        }
        try checkAlignment(UnsafeRawPointer(edges), 8, name)
        return Array(UnsafeBufferPointer(start: edges, count: count))
    }

    func buckets(_ tickers: [Ticker]) throws(Failure) -> ExposureBuckets {
        do throws(RiskError) {
            return try ExposureBuckets(
                tenorDays: tenorDays, moneyness: moneyness, tickers, deskOfBook: deskOfBook)
        } catch {
            var failure = Failure(error)
            if failure.field == "tenors" { failure.field = "tenor_days" }
            throw failure
        }
    }
}

extension ExposureGreek {
    @inline(__always)
    init(_ exposure: poise_exposure) throws(Failure) {
        guard let found = ExposureGreek(rawValue: Int(exposure.rawValue)) else {
            throw .argument("exposure", "\(exposure.rawValue) is no exposure")
        }
        self = found
    }
}

extension Exposures {
    /// Copies one figure of every group.
    func copy(_ exposure: poise_exposure, to column: poise_column) throws(Failure) {
        let greek = try ExposureGreek(exposure)
        guard count > 0 else { return }
        let target = try Target(column, "column")
        for group in 0..<count { target.set(group, self[group, greek]) }
    }
}

@c @implementation
public func poise_exposures_create(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?,
    _ options: UnsafePointer<poise_exposure_options>?, _ exposures: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(exposures, "exposures") { () throws(Failure) in
        let chosen = try ExposureOptions(reading: options)
        let (engine, chain, table) = try books(engine, chain, positions)
        return try ExposuresHandle(engine, chain, table, chosen)
    }
}

@c @implementation
public func poise_exposures_create_in_buckets(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?,
    _ options: UnsafePointer<poise_exposure_options>?, _ buckets: UnsafePointer<poise_buckets>?,
    _ exposures: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(exposures, "exposures") { () throws(Failure) in
        let chosen = try ExposureOptions(reading: options, hasBuckets: true)
        let (engine, chain, table) = try books(engine, chain, positions)
        return try ExposuresHandle(engine, chain, table, chosen, try BucketEdges(buckets))
    }
}

@c @implementation
public func poise_exposures_free(_ exposures: OpaquePointer?) {
    release(exposures, as: ExposuresHandle.self)
}

@c @implementation
public func poise_exposures_count(_ exposures: OpaquePointer?) -> Int {
    object(exposures, as: ExposuresHandle.self)?.exposures.count ?? 0
}

@c @implementation
public func poise_exposures_label(
    _ exposures: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    object(exposures, as: ExposuresHandle.self)?.labels.text(group, grouping)
}

@c @implementation
public func poise_exposures_values(
    _ exposures: OpaquePointer?, _ exposure: poise_exposure, _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        try object(exposures, as: ExposuresHandle.self, "exposures").exposures.copy(exposure, to: column)
    }
}

@c @implementation
public func poise_exposure_name(_ exposure: poise_exposure) -> UnsafePointer<CChar>? {
    namesOfExposures[Int(exposure.rawValue)]
}

private let namesOfExposures = CStrings(ExposureGreek.allCases.map(\.key))
