import Greeks
import Market

/// The moment at which a snapshot's contracts are valued.
public enum ValuationTime: Sendable {
    /// Each at the time of its own ticker, which is when its price and volatility held.
    case ticker
    /// All of a slice (the contracts of an expiry, a perpetual, a coin) at the time of its latest ticker and at that one's
    /// price: as a live desk has them.
    case slice
}

extension ChainGreeks {
    /// - Parameter time: the moment at which contracts are valued.
    public init(
        _ tickers: [Ticker], _ selection: GreekSet, at time: ValuationTime, _ badRows: inout BadRows
    ) throws(MarketError) {
        try self.init(time == .slice ? Self.aligned(tickers) : tickers, selection, &badRows)
    }

    /// The tickers with the time and price of their slices. The rate stays each contract's own: it is a fact of the option.
    private static func aligned(_ tickers: [Ticker]) -> [Ticker] {
        var latest: [String: Ticker] = [:]
        for ticker in tickers {
            let name = ticker.instrument.series
            if let known = latest[name], known.timestamp > ticker.timestamp { continue }
            latest[name] = ticker
        }
        return tickers.map { ticker in
            guard let last = latest[ticker.instrument.series] else { return ticker }
            let price = last.instrument.isOption ? last.underlyingPrice : last.markPrice
            return ticker.instrument.isOption
                ? ticker.with(timestamp: last.timestamp, underlyingPrice: price, markPrice: ticker.markPrice)
                : ticker.with(
                    timestamp: last.timestamp, underlyingPrice: ticker.underlyingPrice, markPrice: price)
        }
    }
}
