import Greeks
import Market

/// The state of a contract at the end of a stretch of time: at its ticker, or settled.
struct ContractOutcome {
    let timestamp: Timestamp
    /// Of its future, or its own, in US dollars.
    let price: Double
    /// Of an option, in US dollars.
    let value: Double
    /// Of an option that is still there.
    let volatility, rate: Double?
    /// In quote currency, of what is settled.
    let deliveryPrice: Double?
    /// Whether that is the one that was given.
    let isGiven: Bool
    /// US dollars per unit of its quote currency.
    let dollarsPerQuote: Double

    /// The gain of a trade by then: in settlement currency by the exchange's rule, exchanged at the end's price.
    func profit(of trade: TradeTable.Trade, in numeraire: Numeraire) -> Double {
        let instrument = trade.instrument
        let isInverse = instrument.settlement == .inverse
        let exit = instrument.isOption ? isInverse ? value / price : value : price
        let gain = instrument.profit(
            quantity: trade.quantity, entry: trade.price * dollarsPerQuote, exit: exit)
        switch (isInverse, numeraire) {
        case (true, .usd): return gain * price
        case (false, .coin): return gain / price
        default: return gain
        }
    }
}

/// The outcomes of contracts by the time of a chain.
struct ContractOutcomes {
    private var ends: [String: ContractOutcome] = [:]

    subscript(name: String) -> ContractOutcome? { ends[name] }

    /// Contracts that the chain knows nothing of, or no rate to the dollar, are left out.
    init(
        _ contracts: [Instrument], _ chain: Chain, _ deliveryPrices: [String: Double], _ engine: GreeksEngine,
        _ badRows: inout BadRows
    ) throws(MarketError) {
        var seen: Set<String> = []
        var tickers: [Ticker] = []
        var rates: [String: Double] = [:]
        let now = chain.lastTimestamp
        for contract in contracts where seen.insert(contract.name).inserted {
            if let expiry = contract.expiry, expiry <= now {
                settle(contract, at: expiry, chain, deliveryPrices)
            } else if let ticker = chain.tickerOrImplied(of: contract),
                let rate = chain.dollarsPerQuote(of: ticker),
                let inDollars = chain.inDollars(ticker)
            {
                rates[contract.name] = rate
                tickers.append(inDollars)
            }
        }
        let prices = try ChainGreeks(tickers, .price, &badRows)
        prices.compute(engine)
        for (row, ticker) in prices.tickers.enumerated() {
            ends[ticker.instrument.name] = ContractOutcome(
                timestamp: ticker.timestamp, price: prices.options.spot[row],
                value: prices.greeks[.price]?[row] ?? .nan, volatility: ticker.markVolatility,
                rate: ticker.instrument.isOption ? ticker.interestRate : nil, deliveryPrice: nil,
                isGiven: false, dollarsPerQuote: rates[ticker.instrument.name] ?? 1)
        }
    }

    private mutating func settle(
        _ contract: Instrument, at expiry: Timestamp, _ chain: Chain, _ deliveryPrices: [String: Double]
    ) {
        let given = deliveryPrices[contract.series]
        guard let price = given ?? chain.indexPrice(of: contract),
            let dollars = chain.dollarsPerQuote(of: contract)
        else { return }
        var value = price
        if case .option(let type, let strike, _) = contract.kind {
            value = max(0, type.sign * (price - strike))
        }
        ends[contract.name] = ContractOutcome(
            timestamp: expiry, price: price * dollars, value: value * dollars, volatility: nil, rate: nil,
            deliveryPrice: price, isGiven: given != nil, dollarsPerQuote: dollars)
    }
}

extension Chain {
    /// The time of its last ticker.
    var lastTimestamp: Timestamp {
        tickers.map(\.timestamp).max() ?? Timestamp(milliseconds: .min)
    }
}
