import Checks
import Market

/// Quotes as they come, many at a time. What is wrong is refused by itself and named; the rest goes on.
extension LiveRisk {
    /// Volatilities of many options, per √year. Nothing is allocated where nothing is refused.
    /// - Parameters:
    ///   - volatilities: one for each of `contracts`.
    ///   - contracts: places in `contracts`; those of other contracts than options are passed over.
    /// - Returns: what was refused: `invalidValue`, `notListed`, `unknownContract` for a place that is none.
    public func setVolatilities(
        _ volatilities: Span<Double>, ofContracts contracts: Span<Int>
    ) -> [RiskError] {
        setAll(volatilities, contracts) { desk, volatility, contract throws(RiskError) in
            guard desk.contracts.indices.contains(contract) else { throw .unknownContract("\(contract)") }
            try desk.setVolatility(volatility, ofContract: contract)
        }
    }

    /// Prices of many slices.
    /// - Parameter time: of all of them; nil leaves their times as they are.
    /// - Returns: what was refused: `invalidValue`, `timeRunsBack`, `unknownSlice` for a place that is none.
    public func setPrices(
        _ prices: Span<Double>, ofSlices slices: Span<Int>, at time: Timestamp? = nil
    ) -> [RiskError] {
        setAll(prices, slices) { desk, price, slice throws(RiskError) in
            guard desk.slices.indices.contains(slice) else { throw .unknownSlice(slice) }
            try desk.setPrice(price, ofSlice: slice, at: time)
        }
    }

    @inline(__always)
    private func setAll(
        _ values: Span<Double>, _ places: Span<Int>,
        _ set: (LiveRisk, Double, Int) throws(RiskError) -> Void
    ) -> [RiskError] {
        var refused: [RiskError] = []
        let count = min(values.count, places.count)
        for number in 0..<count {
            do throws(RiskError) { try set(self, values[number], places[number]) } catch {
                refused.append(error)
            }
        }
        if values.count != places.count {
            refused.append(
                .invalidValue(
                    of: "places", field: "count", value: Double(places.count),
                    reason: "\(values.count) values: the first \(count) were set"))
        }
        return refused
    }

    /// What an exchange says of a listed contract: its slice's price, rate and time, an option's volatility. Of a ticker that
    /// is older than its slice the volatility alone is taken, which is the contract's own.
    /// - Throws: `unknownContract`, `notListed`; `timeRunsBack` for one that is older than the contract's last;
    ///   `invalidValue` for what the formulas do not accept, for a rate beyond −1 to 1, for a currency that counts for no
    ///   dollar, and where volatility, mark and published delta contradict each other beyond rounding. Nothing has changed.
    public func quote(_ ticker: Ticker) throws(RiskError) {
        let name = ticker.instrument.name
        guard let contract = index(of: name) else { throw .unknownContract(name) }
        guard let listing = listings[contract] else { throw .notListed(name) }
        guard contracts[contract] == ticker.instrument else {
            throw .invalidValue(
                of: name, field: "contract", value: .nan, reason: "is another contract than the desk's")
        }
        guard ticker.instrument.countsInDollars else { throw .noDollars(ticker.instrument) }
        guard ticker.timestamp >= timesOfContracts[contract] else {
            throw .timeRunsBack(of: name, from: timesOfContracts[contract], to: ticker.timestamp)
        }
        let chain = try ChainGreeks.accepted(ticker)
        let price = chain.options.spot[0]
        try RiskError.require(Self.priceRule, price, "price", of: name)
        try RiskError.require(Self.rateRule, ticker.interestRate, "rate", of: name)
        if let contradiction = ticker.contradiction {
            throw .invalidValue(
                of: name, field: contradiction.field, value: contradiction.value, reason: contradiction.reason
            )
        }
        if ticker.timestamp >= time(ofSlice: listing.slice) {
            try setPrice(price, ofSlice: listing.slice, at: ticker.timestamp)
            if ticker.instrument.isOption {
                try setRate(ticker.interestRate, ofSlice: listing.slice)
            }
        }
        if ticker.instrument.isOption {
            try setVolatility(chain.options.volatility[0], ofContract: contract)
        }
        note(ticker.timestamp, ofContract: contract)
    }

    /// The same of many.
    /// - Returns: what was refused, each by name.
    public func quote(_ tickers: [Ticker]) -> [RiskError] {
        var refused: [RiskError] = []
        for ticker in tickers {
            do throws(RiskError) { try quote(ticker) } catch { refused.append(error) }
        }
        return refused
    }
}
