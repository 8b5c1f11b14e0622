import Greeks
import Market

/// Positions joined with the tickers of the contracts that they hold, each contract once.
public struct BookValuation: Sendable {
    /// The positions that have a price, in the table's order.
    public let positions: [PositionTable.Position]
    /// One row per distinct contract; 0 until `compute`.
    public let greeks: ChainGreeks

    /// The contracts, in the order of the rows of `greeks`.
    public var contracts: [Instrument] { greeks.tickers.map(\.instrument) }

    /// Prices positions off the latest ticker of each contract, in US dollars. A future, perpetual or coin that the chain
    /// does not list takes the price that the chain's options name for it.
    /// - Throws: `unknownName` at the first position whose contract has no price, `invalidValue` where it has none in
    ///   dollars, unless `badRows` skips them; what `ChainGreeks` throws.
    public init(
        _ table: PositionTable, in chain: Chain, _ badRows: inout BadRows
    ) throws(MarketError) {
        var tickers: [Ticker] = []
        var seen: Set<String> = []
        var withoutRate: Set<String> = []
        for position in table.positions where seen.insert(position.instrument.name).inserted {
            guard let ticker = chain.tickerOrImplied(of: position.instrument) else { continue }
            if let inDollars = chain.inDollars(ticker) {
                tickers.append(inDollars)
            } else {
                withoutRate.insert(position.instrument.name)
            }
        }
        greeks = try ChainGreeks(tickers, .exposures, &badRows)
        let priced = Dictionary(
            greeks.tickers.map { ($0.instrument.name, $0.instrument) },
            uniquingKeysWith: { first, _ in first })
        var positions: [PositionTable.Position] = []
        for position in table.positions {
            let name = position.instrument.name
            if let instrument = priced[name], position.isHeld(instrument) {
                // The chain's own: a name may mean another exchange's contract there.
                positions.append(
                    PositionTable.Position(
                        book: position.book, instrument: instrument,
                        namesExchange: position.namesExchange, quantity: position.quantity,
                        line: position.line))
            } else {
                let place = table.place(of: position)
                try badRows.note(
                    withoutRate.contains(name)
                        ? .invalidValue(
                            place, column: "instrument", value: name,
                            reason: chain.missingRate(of: position.instrument))
                        : .unknownName(
                            place, column: "instrument", value: name,
                            reason: priced[name].map {
                                "is \($0.exchange.name)'s contract in \(chain.file)"
                            } ?? "has no price in \(chain.file)"))
            }
        }
        self.positions = positions
    }
}
