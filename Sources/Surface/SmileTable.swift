import Checks
import Market

/// Smiles in a table: columns `slice,years,forward,strike,bid_vol,ask_vol` in any order, optionally `weight`, `underlying`
/// and `tick_vol`, by how much one tick of the price moves the volatility.
///
/// Volatilities in natural units (0.65 is 65%), one side may be missing. All rows of a slice have the same years, forward
/// and underlying; without that column it is what stands before the first `-` of the slice's name.
public struct SmileTable: Sendable {
    public let file: String
    /// In the order of their first rows.
    public private(set) var smiles: [SmileQuotes] = []

    /// - Throws: `MarketError`; errors of one row go to `badRows` first.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try TextTable(source)
        file = source.name
        let slice = try table.required("slice")
        let years = try table.required("years")
        let forward = try table.required("forward")
        let strike = try table.required("strike")
        let bid = try table.required("bid_vol")
        let ask = try table.required("ask_vol")
        let weight = try table.optional("weight")
        let underlying = try table.optional("underlying")
        let tick = try table.optional("tick_vol")
        var rows: [(first: First, quotes: [SmileQuote])] = []
        var places: [String: Int] = [:]
        // Of rows that are left out.
        var unreadable: [(name: String, count: Int)] = []
        try table.forEachRow(&badRows) { row throws(MarketError) in
            let name = try row.requiredText(slice, "slice")
            var isRead = false
            defer {
                if !isRead {
                    let place = unreadable.firstIndex { $0.name == name } ?? unreadable.count
                    if place == unreadable.count { unreadable.append((name, 0)) }
                    unreadable[place].count += 1
                }
            }
            let own = First(
                name: name,
                underlying: underlying.flatMap { row.isMissing($0) ? nil : row.text($0) }
                    ?? String(name.prefix { $0 != "-" }),
                years: try row.number(years, "years", .positive),
                forward: try row.number(forward, "forward", .positive))
            let quote = SmileQuote(
                strike: try row.number(strike, "strike", .positive),
                bid: try row.optionalNumber(bid, "bid_vol", .notNegative),
                ask: try row.optionalNumber(ask, "ask_vol", .notNegative),
                weight: try weight.map { place throws(MarketError) in
                    try row.optionalNumber(place, "weight", .notNegative) ?? 1
                } ?? 1,
                tick: try tick.flatMap { place throws(MarketError) in
                    try row.optionalNumber(place, "tick_vol", .positive)
                })
            guard let place = places[name] else {
                places[name] = rows.count
                rows.append((own, [quote]))
                isRead = true
                return
            }
            let first = rows[place].first
            for (column, name, isSame) in [
                (years, "years", own.years == first.years),
                (forward, "forward", own.forward == first.forward),
                (underlying ?? slice, "underlying", own.underlying == first.underlying),
            ] where !isSame {
                throw row.invalid(column, name, "differs from the slice's earlier rows")
            }
            rows[place].quotes.append(quote)
            isRead = true
        }
        smiles = rows.map { row in
            let lost = unreadable.first { $0.name == row.first.name }?.count
            return SmileQuotes(
                name: row.first.name, underlying: row.first.underlying, years: row.first.years,
                forward: row.first.forward, quotes: row.quotes,
                leftOut: lost.map { [.unreadable: $0] } ?? [:])
        }
        // A slice of which nothing is left is named all the same.
        if !smiles.isEmpty {
            for (name, count) in unreadable where places[name] == nil {
                smiles.append(
                    SmileQuotes(
                        unreadable: count, of: name, underlying: String(name.prefix { $0 != "-" })))
            }
        }
    }

    /// What all rows of a slice share.
    private struct First {
        let name, underlying: String
        let years, forward: Double
    }
}
