/// Currencies that count as a US dollar.
package enum Currency {
    /// The dollar and stablecoins on it.
    package static let dollars: Set<String> = [
        "USD", "USDC", "USDT", "USDE", "USDS", "DAI", "FDUSD", "PYUSD", "TUSD", "BUSD", "GUSD", "USDP",
        "RLUSD",
        "USDG", "USD1",
    ]
}

extension Instrument {
    /// Whether its quote currency is the US dollar or counts as one.
    package var countsInDollars: Bool { Currency.dollars.contains(quote) }
}

extension Chain {
    /// The price of a contract in US dollars, as books count: a ticker whose prices are converted where its quote
    /// currency is no dollar.
    ///
    /// The rate is the quote currency's own price in the chain: its index, spot pair or perpetual in dollars. Where it has none,
    /// a spot pair's rate follows from the price of its coin in dollars: that over the pair's own mark.
    /// - Returns: nil where the chain has no rate, and for options on other currencies.
    package func inDollars(_ ticker: Ticker) -> Ticker? {
        let rate = dollarsPerQuote(of: ticker)
        return rate == 1 ? ticker : rate.map { ticker.converted(at: $0) }
    }

    /// US dollars per unit of a contract's quote currency, by that currency's own price; see `inDollars`.
    package func dollarsPerQuote(of instrument: Instrument) -> Double? {
        if Currency.dollars.contains(instrument.quote) { return 1 }
        return instrument.isOption ? nil : dollars(per: instrument.quote)
    }

    /// The same, for a spot pair also by its own price.
    package func dollarsPerQuote(of ticker: Ticker) -> Double? {
        let instrument = ticker.instrument
        if let rate = dollarsPerQuote(of: instrument) { return rate }
        guard instrument.kind == .spot, let mark = ticker.markPrice, mark > 0 else { return nil }
        return dollars(per: instrument.base).map { $0 / mark }
    }

    /// The latest price of a coin that the chain states in dollars.
    private func dollars(per coin: String) -> Double? {
        if Currency.dollars.contains(coin) { return 1 }
        let quotes = Currency.dollars.sorted()
        if let index = quotes.lazy.compactMap({ self.index(of: coin, in: $0) })
            .max(by: { $0.timestamp < $1.timestamp })
        {
            return index.price
        }
        for kind in [Instrument.Kind.spot, .perpetual] {
            let latest = latestTickers.lazy
                .filter {
                    $0.instrument.kind == kind && $0.instrument.base == coin
                        && Currency.dollars.contains($0.instrument.quote)
                }.max { $0.timestamp < $1.timestamp }
            if let price = latest?.markPrice { return price }
        }
        return nil
    }

    /// Why `inDollars` has nothing for a contract.
    package func missingRate(of instrument: Instrument) -> String {
        "is quoted in \(instrument.quote), which is no dollar, and \(file) has no price of it in dollars"
    }
}
