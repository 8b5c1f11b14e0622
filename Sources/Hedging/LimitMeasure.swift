import Checks
import Greeks
import Market
import Risk

/// The quantity that a limit bounds, in US dollars, made of sums over the positions of books.
///
/// A linear measure is its one sum: an exposure, or the profit in a scenario. A convex one has several sums and
/// planes over them that lie nowhere above a convex bound of it. A hedge takes up the planes that its trades leave,
/// one after the other, so that its problem stays linear and its certificate holds.
public protocol LimitMeasure: Sendable {
    /// Its name in reports: `vega`.
    var name: String { get }
    /// The unit for programs, such as `usd_per_point`.
    var unitName: String { get }
    var isLinear: Bool { get }
    /// The part of each sum that one unit of each contract adds: a row per sum, a column per contract.
    func figures(_ market: LimitMarket) throws(RiskError) -> [[Double]]
    /// The measure of positions with these sums.
    func value(_ sums: [Double]) -> Double
    /// The weights of the plane that touches the bound at these sums.
    func plane(_ sums: [Double]) -> [Double]
}

extension LimitMeasure {
    public var isLinear: Bool { true }
    public func value(_ sums: [Double]) -> Double { sums[0] }
    public func plane(_ sums: [Double]) -> [Double] { [1] }
}

/// The contracts that measures are about, with Greeks that have been computed.
public struct LimitMarket {
    public let greeks: ChainGreeks
    public let exposures: UnitExposures
    public let chain: Chain
    public let engine: GreeksEngine

    init(_ greeks: ChainGreeks, _ chain: Chain, _ engine: GreeksEngine) {
        greeks.compute(engine)
        exposures = UnitExposures(count: greeks.tickers.count)
        exposures.update(from: greeks, in: .usd)
        self.greeks = greeks
        self.chain = chain
        self.engine = engine
    }
}

extension ExposureGreek: LimitMeasure {
    public var unitName: String { unit(.usd) }

    public func figures(_ market: LimitMarket) -> [[Double]] {
        [market.greeks.tickers.indices.map { market.exposures[$0, self] }]
    }
}

/// A measure that tables of limits can name.
protocol NamedLimitMeasure: LimitMeasure {
    /// The names by which tables may call it.
    static var tableNames: [String] { get }
    /// The measures that a row asks for under one of these names, each with a limit of its own.
    static func read(_ name: String, _ row: LimitRow) throws(MarketError) -> [any LimitMeasure]
}

/// All measures that tables of limits can name. A new one is a file and a line here.
enum LimitMeasures {
    static let all: [any NamedLimitMeasure.Type] = [
        ExposureGreek.self, ScenarioProfit.self, ScenarioLoss.self,
    ]

    static func read(_ row: LimitRow) throws(MarketError) -> [any LimitMeasure] {
        for kind in all where kind.tableNames.contains(row.measure) { return try kind.read(row.measure, row) }
        // Tables may also call it as people do, or by its column in dollars.
        if let greek = ExposureGreek(limitName: row.measure) { return [greek] }
        let known = all.flatMap { $0.tableNames }.joined(separator: ", ")
        throw row.invalid("greek", "expected one of \(known)")
    }
}

extension ExposureGreek: NamedLimitMeasure {
    static var tableNames: [String] { allCases.map(\.key) }

    static func read(_ name: String, _ row: LimitRow) -> [any LimitMeasure] {
        ExposureGreek(limitName: name).map { [$0] } ?? []
    }
}

/// A row of a table of limits, as measures read it.
struct LimitRow {
    let row: TextRow
    /// The columns that are there, by name.
    let columns: [String: Int]
    let grids: GridFiles

    /// The name of the measure, as it is written.
    var measure: String { text("greek") ?? "" }

    /// A field, or nil where it is missing, a star, or not there.
    func text(_ column: String) -> String? {
        columns[column].flatMap { row.isMissing($0) || row.text($0) == "*" ? nil : row.text($0) }
    }

    func number(_ column: String, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let place = columns[column], text(column) != nil else { return nil }
        return try row.number(place, column, rule)
    }

    /// The grid of scenarios that the row names.
    func grid() throws(MarketError) -> ScenarioGrid {
        guard let path = text("grid") else { throw invalid("grid", "is needed for \(measure)") }
        let grid = try grids.grid(path)
        guard !grid.isByExpiry else {
            throw invalid("grid", "charges expiry by expiry, so that contracts have no profits that add up")
        }
        return grid
    }

    func invalid(_ column: String, _ reason: String) -> MarketError {
        guard let place = columns[column] ?? columns["greek"] else {
            return .missingColumn(file: grids.table, column: column, found: columns.keys.sorted())
        }
        return columns[column] == nil
            ? row.invalid(place, "greek", "\(column) \(reason)") : row.invalid(place, column, reason)
    }
}

/// Files of scenarios that a table of limits names, each read once; paths are relative to the table's folder.
final class GridFiles {
    let table: String
    private var grids: [String: ScenarioGrid] = [:]

    init(beside table: String) { self.table = table }

    func grid(_ path: String) throws(MarketError) -> ScenarioGrid {
        if let grid = grids[path] { return grid }
        let folder = table.lastIndex(of: "/").map { String(table[...$0]) } ?? ""
        let grid = try ScenarioGrid(try Source(path: path.hasPrefix("/") ? path : folder + path))
        grids[path] = grid
        return grid
    }
}
