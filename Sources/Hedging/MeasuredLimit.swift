import Greeks
import Market
import Risk

/// A limit, what the books that it is about have of its measure, and what instruments would add.
struct MeasuredLimit: Sendable {
    let limit: LimitTable.Limit
    /// The sums of the measure, of all books and of each.
    let sums: [Double]
    let sumsOfBook: [String: [Double]]
    /// The part of each sum that one unit of each candidate adds; 0 where the limit does not cover it.
    private let added: [[Double]]

    /// - Parameter figures: of each of the valuation's contracts, a row per sum; `added` those of the candidates.
    init(
        _ limit: LimitTable.Limit, _ valuation: BookValuation, book: String?, _ figures: [[Double]],
        _ candidates: [HedgeCandidate] = [], _ added: [[Double]] = []
    ) {
        let rows = Dictionary(
            valuation.contracts.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { a, _ in a })
        var sumsOfBook: [String: [Double]] = [:]
        for position in valuation.positions where book == nil || position.book == book {
            guard limit.covers(position.instrument), let row = rows[position.instrument.name] else {
                continue
            }
            var sums = sumsOfBook[position.book] ?? figures.map { _ in 0 }
            for sum in figures.indices { sums[sum] += position.quantity * figures[sum][row] }
            sumsOfBook[position.book] = sums
        }
        self.limit = limit
        self.sumsOfBook = sumsOfBook
        // In a fixed order, for the same bits in every run.
        let names = sumsOfBook.keys.sorted()
        sums = figures.indices.map { sum in names.reduce(0) { $0 + (sumsOfBook[$1]?[sum] ?? 0) } }
        let covered = candidates.map { limit.covers($0.instrument) }
        self.added = added.map { row in zip(row, covered).map { $1 ? $0 : 0 } }
    }

    /// The measure of the positions.
    var value: Double { limit.measure.value(sums) }

    func figure(ofCandidate candidate: Int, _ weights: [Double]) -> Double {
        zip(weights, added).reduce(0) { $0 + $1.0 * $1.1[candidate] }
    }

    func sums(with trades: [Double]) -> [Double] {
        zip(sums, added).map { sum, row in zip(row, trades).reduce(sum) { $0 + $1.0 * $1.1 } }
    }
}

/// The value of books under a limit.
public struct LimitStatus: Sendable {
    public let limit: LimitTable.Limit
    /// The measure, in the limit's unit.
    public let value: Double

    /// Room until the limit; below 0 in a breach.
    public var headroom: Double { min(value - limit.low, limit.high - value) }
    public var isBreach: Bool { !(headroom >= 0) }
}

extension LimitTable {
    /// The value of books under each limit, in the order of the table.
    /// - Throws: `invalidValue` for limits of books, underlyings or expiries that are not there, and for scenarios
    ///   that contracts cannot be put through.
    public func status(
        of valuation: BookValuation, in chain: Chain, _ engine: GreeksEngine
    ) throws(MarketError) -> [LimitStatus] {
        try requireKnown(valuation, chain)
        let market = LimitMarket(valuation.greeks, chain, engine)
        var status: [LimitStatus] = []
        for limit in limits {
            do throws(RiskError) {
                let figures = try limit.measure.figures(market)
                status.append(
                    LimitStatus(
                        limit: limit,
                        value: MeasuredLimit(limit, valuation, book: limit.book, figures).value))
            } catch {
                throw refusal(of: limit, error)
            }
        }
        return status
    }

    /// - Throws: `unknownName` at the first limit of a book, an underlying or an expiry that is not there.
    func requireKnown(_ valuation: BookValuation, _ chain: Chain) throws(MarketError) {
        let books = Set(valuation.positions.map(\.book))
        let contracts = chain.latestTickers.map(\.instrument) + valuation.positions.map(\.instrument)
        let listed = Set(contracts.map(\.base))
        for limit in limits {
            if let book = limit.book, !books.contains(book) {
                throw .unknownName(
                    place(of: limit), column: "book", value: book,
                    reason: "holds no positions")
            }
            if let underlying = limit.underlying, !listed.contains(underlying) {
                throw .unknownName(
                    place(of: limit), column: "underlying", value: underlying,
                    reason: "nothing in \(chain.file) is on it")
            }
            if let expiry = limit.expiry, !contracts.contains(where: limit.covers) {
                throw .unknownName(
                    place(of: limit), column: "expiry", value: expiry,
                    reason: "nothing in \(chain.file) expires then: expected a date such as 2026-03-27")
            }
        }
    }

    /// An error of a measure, at its limit.
    func refusal(of limit: Limit, _ error: RiskError) -> MarketError {
        .invalidValue(place(of: limit), column: "greek", value: limit.measure.name, reason: "\(error)")
    }
}
