import Greeks
import Market
import Risk

extension LiveHedge {
    /// The live risk of positions over a chain and the hedges that a table of limits asks for, as
    /// `BookHedge.all` makes them.
    /// - Throws: `MarketError` or `RiskError`; errors of one row unless `badRows` skips them.
    public static func all(
        _ table: PositionTable, in chain: Chain, _ limits: LimitTable, _ options: BookHedge.Options,
        _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws -> (risk: LiveRisk, hedges: [LiveHedge]) {
        let valuation = try BookValuation(table, in: chain, &badRows)
        let hedges = try BookHedge.all(valuation, in: chain, limits, options, engine, &badRows)
        var tickers = valuation.greeks.tickers
        var seen = Set(tickers.map(\.instrument.name))
        for candidate in hedges.flatMap(\.candidates) where seen.insert(candidate.instrument.name).inserted {
            tickers.append(candidate.ticker)
        }
        let greeks = try ChainGreeks(tickers, .exposures, &badRows)
        let needsExpiries = limits.limits.contains { $0.expiry != nil }
        let risk = try LiveRisk(
            valuation.positions, greeks, by: needsExpiries ? [.expiry, .book] : [.book], engine: engine)
        return (risk, try hedges.map { try LiveHedge($0, risk) })
    }

    /// The hedges that a table of limits asks for on a desk that is there, as `BookHedge.all` has them; without candidates,
    /// for which see `add(from:)`.
    /// - Parameter risk: in US dollars.
    /// - Throws: `unknownBook`, `missingGrouping`; `invalidValue` for a limit that is not about an exposure, and for an
    ///   underlying or expiry that the desk does not have.
    public static func all(
        _ risk: LiveRisk, _ table: LimitTable, _ options: BookHedge.Options
    ) throws(RiskError) -> [LiveHedge] {
        let listed = risk.contracts.indices.filter(risk.isListed).map { risk.contracts[$0] }
        for limit in table.limits {
            func unknown(_ field: String, _ name: String) -> RiskError {
                .invalidValue(
                    of: limit.name, field: field, value: .nan, reason: "\(name) is not on the desk")
            }
            if let underlying = limit.underlying, !risk.underlyings.contains(underlying) {
                throw unknown("underlying", underlying)
            }
            if let expiry = limit.expiry, !listed.contains(where: limit.covers) {
                throw unknown("expiry", expiry)
            }
        }
        var names: [String?] = table.limits.contains { $0.book == nil } ? [nil] : []
        names += Set(table.limits.compactMap(\.book)).sorted()
        var hedges: [LiveHedge] = []
        for name in names { hedges.append(try LiveHedge(risk, book: name, table.limits, options)) }
        return hedges
    }
}
