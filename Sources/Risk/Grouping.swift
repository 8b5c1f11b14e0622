import Market

/// An attribute that positions are grouped by.
public enum Grouping: String, CaseIterable, Sendable {
    case book, underlying, expiry, instrument
    /// Of a book (`ExposureBuckets.deskOfBook`).
    case desk
    /// Buckets of the time to expiry, and of strike over future (`ExposureBuckets`).
    case tenor, moneyness
}

/// The edges of the buckets by tenor and moneyness, and the market by which contracts fall into them.
///
/// A contract keeps its bucket until the plan is made anew: exposures should move because the market did, not
/// because a contract changed drawers.
public struct ExposureBuckets: Sendable {
    /// Upper edges in days to expiry, ascending; the last bucket is open. A contract on an edge is below it.
    public let tenorDays: [Double]
    /// Edges of K/F, ascending; the first and the last bucket are open.
    public let moneyness: [Double]
    /// The desk that each book belongs to.
    public internal(set) var deskOfBook: [String: String]
    private var market: [String: (timestamp: Timestamp, forward: Double)]

    /// A week, a month, a quarter, half a year, a year.
    public static let standardTenorDays: [Double] = [7, 30, 90, 180, 365]
    public static let standardMoneyness: [Double] = [0.8, 0.95, 1.05, 1.25]

    /// - Parameter tickers: one per contract: the time from which its tenor counts and the price of its future.
    /// - Throws: `RiskError.invalidEdge` where edges are not ascending, positive numbers; `reservedName` for a desk of the
    ///   name that books without one are grouped under.
    public init(
        tenorDays: [Double] = standardTenorDays, moneyness: [Double] = standardMoneyness, _ tickers: [Ticker],
        deskOfBook: [String: String] = [:]
    ) throws(RiskError) {
        for (name, edges) in [("tenors", tenorDays), ("moneyness", moneyness)] {
            for (number, edge) in edges.enumerated()
            where !(edge > 0 && edge.isFinite && (number == 0 || edge > edges[number - 1])) {
                throw .invalidEdge(buckets: name, value: edge)
            }
        }
        for (_, desk) in deskOfBook { try RiskError.requireDesk(desk) }
        self.tenorDays = tenorDays
        self.moneyness = moneyness
        self.deskOfBook = deskOfBook
        market = Dictionary(
            tickers.map {
                ($0.instrument.name, ($0.timestamp, $0.underlyingPrice ?? $0.markPrice ?? .nan))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// No market: every contract without a bucket.
    init(deskOfBook: [String: String] = [:]) {
        tenorDays = []
        moneyness = []
        self.deskOfBook = deskOfBook
        market = [:]
    }

    /// Edges without a market: for contracts to come.
    init(edges tenorDays: [Double], _ moneyness: [Double], deskOfBook: [String: String]) {
        self.tenorDays = tenorDays
        self.moneyness = moneyness
        self.deskOfBook = deskOfBook
        market = [:]
    }

    /// Whether contracts fall into buckets at all.
    var hasEdges: Bool { !tenorDays.isEmpty || !moneyness.isEmpty }

    /// The bucket of another contract is that of its ticker.
    mutating func add(_ ticker: Ticker) {
        market[ticker.instrument.name] = (
            ticker.timestamp, ticker.underlyingPrice ?? ticker.markPrice ?? .nan
        )
    }

    func tenor(_ instrument: Instrument) -> GroupLabel {
        guard let expiry = instrument.expiry, let quote = market[instrument.name] else { return .none }
        let days = quote.timestamp.years(until: expiry) * 365
        return Self.label(days, tenorDays, "d", closedAbove: true)
    }

    func moneyness(_ instrument: Instrument) -> GroupLabel {
        // NaN, a price that is not known, belongs to no bucket.
        guard case .option(_, let strike, _) = instrument.kind, let quote = market[instrument.name],
            quote.forward > 0
        else { return .none }
        return Self.label(strike / quote.forward, moneyness, "K/F", closedAbove: false)
    }

    private static func label(
        _ value: Double, _ edges: [Double], _ unit: String, closedAbove: Bool
    ) -> GroupLabel {
        func shown(_ edge: Double) -> String {
            edge == edge.rounded() && edge < 1e15 ? "\(Int64(edge))" : "\(edge)"
        }
        let rank = edges.firstIndex { closedAbove ? value <= $0 : value < $0 } ?? edges.count
        let text: String
        switch (rank, edges.isEmpty) {
        case (_, true): text = "all"
        case (0, _): text = "\(closedAbove ? "≤" : "<") \(shown(edges[0])) \(unit)"
        case (edges.count, _):
            text = "\(closedAbove ? ">" : "≥") \(shown(edges[rank - 1])) \(unit)"
        default: text = "\(shown(edges[rank - 1]))–\(shown(edges[rank])) \(unit)"
        }
        return GroupLabel(text: text, rank: rank)
    }
}

/// One label of a group, and where it stands among its like: by rank, then by text.
struct GroupLabel: Hashable, Comparable {
    let text: String
    let rank: Int

    /// Of contracts that a grouping says nothing of; behind all others.
    static let none = GroupLabel(text: DeskTable.noDesk, rank: .max)

    /// The expiry of a contract to the millisecond, where the label of `Grouping.expiry` is its day.
    static func exactExpiry(_ instrument: Instrument) -> GroupLabel {
        guard let expiry = instrument.expiry else { return .none }
        return GroupLabel(text: "\(expiry)", rank: Int(expiry.milliseconds))
    }

    static func < (a: GroupLabel, b: GroupLabel) -> Bool { (a.rank, a.text) < (b.rank, b.text) }
}

extension Grouping {
    /// The place of each contract, by name, in the order of coin, expiry, strike and name.
    static func ranks(_ contracts: [Instrument]) -> [String: Int] {
        Dictionary(
            contracts.sorted { $0.sortsBefore($1) }.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The label of the group of a book's position in a contract.
    /// - Parameter instrumentRanks: `ranks`.
    func label(
        book: String, _ instrument: Instrument, _ buckets: ExposureBuckets, _ instrumentRanks: [String: Int]
    ) -> GroupLabel {
        switch self {
        case .book: GroupLabel(text: book, rank: 0)
        case .desk: buckets.deskOfBook[book].map { GroupLabel(text: $0, rank: 0) } ?? .none
        case .underlying: GroupLabel(text: instrument.base, rank: 0)
        case .expiry:
            instrument.expiry.map { GroupLabel(text: String("\($0)".prefix(10)), rank: 0) } ?? .none
        case .instrument:
            GroupLabel(text: instrument.name, rank: instrumentRanks[instrument.name] ?? .max)
        case .tenor: buckets.tenor(instrument)
        case .moneyness: buckets.moneyness(instrument)
        }
    }
}

extension Instrument {
    /// By coin, expiry, strike, name.
    func sortsBefore(_ other: Instrument) -> Bool {
        func key(_ instrument: Instrument) -> (String, Int64, Double, String) {
            let expiry = instrument.expiry?.milliseconds ?? .max
            if case .option(_, let strike, _) = instrument.kind {
                return (instrument.base, expiry, strike, instrument.name)
            }
            return (instrument.base, expiry, 0, instrument.name)
        }
        return key(self) < key(other)
    }
}
