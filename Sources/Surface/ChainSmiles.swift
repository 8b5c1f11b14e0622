import Greeks
import Market

extension SmileQuotes {
    /// The smiles of a chain: of every expiry the options out of the money (puts below the forward, calls from it on),
    /// each one's best bid and ask as the volatilities that they imply by Black-76 without discount.
    ///
    /// Forward and time are those of the expiry's latest ticker. A side that nobody quotes or that implies no volatility is
    /// missing; options without either side are left out. In order of underlying and time; what has expired is not there.
    public static func smiles(of chain: Chain, _ engine: GreeksEngine) -> [SmileQuotes] {
        var expiries: [String: [Ticker]] = [:]
        for ticker in chain.latestTickers where ticker.instrument.isOption && ticker.underlyingPrice ?? 0 > 0
        {
            expiries[ticker.instrument.series, default: []].append(ticker)
        }
        return expiries.compactMap { smile(named: $0.key, $0.value, engine) }.sorted {
            ($0.underlying, $0.years, $0.name) < ($1.underlying, $1.years, $1.name)
        }
    }

    private static func smile(named name: String, _ tickers: [Ticker], _ engine: GreeksEngine) -> SmileQuotes?
    {
        guard let latest = tickers.max(by: { $0.timestamp < $1.timestamp }),
            let forward = latest.underlyingPrice, let expiry = latest.instrument.expiry
        else { return nil }
        let years = latest.timestamp.years(until: expiry)
        guard years > 0 else { return nil }
        var types: [UInt8] = []
        var strikes: [Double] = []
        var prices: [Double] = []
        for ticker in tickers {
            guard case .option(let type, let strike, _) = ticker.instrument.kind,
                (type == .call) == (strike >= forward)
            else { continue }
            let unit = ticker.instrument.isInverseOption ? forward : 1
            types += [type.rawValue, type.rawValue]
            strikes += [strike, strike]
            prices.append((ticker.bids.first?.price ?? .nan) * unit)
            prices.append((ticker.asks.first?.price ?? .nan) * unit)
        }
        let flat = Array(repeating: 0.0, count: prices.count)
        guard
            let batch = try? PriceBatch(
                type: types, spot: flat.map { _ in forward }, strike: strikes,
                years: flat.map { _ in years }, price: prices, rate: flat, dividend: flat)
        else { return nil }
        let (volatilities, statuses) = engine.impliedVolatilities(of: batch)
        var quotes: [SmileQuote] = []
        for place in stride(from: 0, to: prices.count, by: 2) {
            func side(_ place: Int) -> Double? {
                statuses[place] == .ok && prices[place] > 0 ? volatilities[place] : nil
            }
            let quote = SmileQuote(strike: strikes[place], bid: side(place), ask: side(place + 1))
            if quote.bid != nil || quote.ask != nil { quotes.append(quote) }
        }
        let instrument = latest.instrument
        let underlying =
            instrument.quote == "USD" ? instrument.base : "\(instrument.base)_\(instrument.quote)"
        return SmileQuotes(
            name: name, underlying: underlying, years: years, forward: forward,
            quotes: quotes.sorted { $0.strike < $1.strike })
    }
}
