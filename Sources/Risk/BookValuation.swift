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

    /// Prices positions off the latest ticker of each contract. A future, perpetual or coin that the chain
    /// does not list takes the price that the chain's options name for it.
    /// - Throws: `invalidValue` at the first position whose contract has no price; such positions go to
    ///   `badRows` first.
    public init(
        _ table: PositionTable, in chain: Chain, _ badRows: inout BadRows
    ) throws(MarketError) {
        var tickers: [Ticker] = []
        var seen: Set<String> = []
        for position in table.positions where seen.insert(position.instrument.name).inserted {
            if let ticker = chain.latestTicker(of: position.instrument) { tickers.append(ticker) }
        }
        greeks = try ChainGreeks(tickers, .book, &badRows)
        let priced = Set(greeks.tickers.map(\.instrument.name))
        var positions: [PositionTable.Position] = []
        for position in table.positions {
            if priced.contains(position.instrument.name) {
                positions.append(position)
            } else {
                try badRows.note(
                    .unknownName(
                        table.place(of: position), column: "instrument", value: position.instrument.name,
                        reason: "has no price in \(chain.file)"))
            }
        }
        self.positions = positions
    }
}

extension Chain {
    /// The latest ticker of an instrument; of a future, perpetual or coin that the chain does not list, one with
    /// nothing but the price that the chain's options name for it.
    package func latestTicker(of instrument: Instrument) -> Ticker? {
        if let ticker = ticker(of: instrument) { return ticker }
        guard let quote = quote(of: instrument) else { return nil }
        if let expiry = instrument.expiry, quote.timestamp >= expiry { return nil }
        return Ticker(instrument: instrument, quote: quote)
    }
}
