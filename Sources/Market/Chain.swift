/// Tickers of many instruments: an exchange's option chain with its futures.
public struct Chain: Sendable {
    /// The name of the file; of several, all of them.
    public let file: String
    /// One per row, in the files' order; an instrument may stand more than once.
    public private(set) var tickers: [Ticker] = []
    /// Facts of contracts from the list of instruments; empty where none was given.
    public var instruments = InstrumentList()
    /// Remarks for readers of the results, a sentence each: instruments of other kinds that were left
    /// out, volatilities that were found from marks, facts that contradict each other.
    public private(set) var remarks: [String] = []
    /// Options whose last row could not be used and was skipped, by name; a row that names none is not among them.
    public private(set) var unreadableOptions: [Instrument] = []
    /// Number of rows and messages left out, being no tickers of known kinds.
    public private(set) var leftOut = 0
    /// The place in `tickers` of each instrument's latest row.
    private var latest: [Instrument.Key: Int] = [:]
    /// Latest price of each future that option rows name as theirs, and of each coin's index.
    private var futures: [Instrument.Key: ObservedPrice] = [:]
    private var indices: [Pair: ObservedPrice] = [:]

    /// A price and when it held.
    struct ObservedPrice {
        let price: Double
        let timestamp: Timestamp
    }

    /// Contracts of one coin and quote currency share an index.
    private struct Pair: Hashable {
        let base, quote: String
    }

    /// Reads tickers of an exchange: a table, replies as JSON, one or several in a file, or a recording of
    /// notifications.
    /// - Throws: `MarketError`; errors of one row unless `badRows` skips them.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        try self.init([source], &badRows)
    }

    /// Reads several files into one chain, each in its own format: of coins that are recorded one by one, or of options
    /// and futures.
    /// - Throws: as for one.
    public init(_ sources: [Source], _ badRows: inout BadRows) throws(MarketError) {
        file = sources.map(\.name).joined(separator: ", ")
        var reader = ChainReader()
        for source in sources {
            let (before, skipped) = (tickers.count, badRows.skipped.count)
            try reader.read(source, &badRows) { ticker throws(MarketError) in try add(ticker) }
            guard tickers.count == before, badRows.skipped.count == skipped else { continue }
            if reader.remarks.isEmpty, reader.latestOrders.isEmpty { throw .empty(file: source.name) }
            throw .empty(file: source.name, reason: "holds no tickers of instruments that are known")
        }
        for (key, orders) in reader.latestOrders {
            guard let row = latest[key] else { continue }
            // A mark has the orders of the ticker before it.
            let stated = tickers[row].isMark ? reader.lastTickers[key]?.timestamp : tickers[row].timestamp
            if let stated, stated > orders.timestamp { continue }
            tickers[row] = tickers[row].with(bids: orders.bids, asks: orders.asks)
        }
        finish(reader, &badRows)
    }

    /// Takes tickers of any origin, one after another.
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - reading: the ticker of a row, from 0.
    /// - Throws: `empty` without a row, `conflict` for two that claim to be the same and differ, and what `reading`
    ///   throws; errors of one row unless `badRows` skips them.
    package init(
        name: String, count: Int, _ badRows: inout BadRows,
        reading: (Int) throws(MarketError) -> TickerReading
    ) throws(MarketError) {
        file = name
        var reader = ChainReader()
        for row in 0..<count {
            do throws(MarketError) {
                if let ticker = reader.ticker(try reading(row)) { try add(ticker) }
            } catch {
                try badRows.note(error)
            }
        }
        if tickers.isEmpty, badRows.skipped.isEmpty { throw .empty(file: file) }
        finish(reader, &badRows)
    }

    /// A chain of tickers that a program has: of an instrument the latest stands for it.
    /// - Parameter name: what errors call it.
    /// - Throws: `conflict` for two of one instrument and time that differ.
    public init(name: String, _ tickers: [Ticker]) throws(MarketError) {
        file = name
        for ticker in tickers { try add(ticker) }
    }

    private mutating func finish(_ reader: ChainReader, _ badRows: inout BadRows) {
        (remarks, leftOut) = (reader.remarks, reader.leftOut)
        unreadableOptions = reader.unreadable.values.sorted { $0.name < $1.name }
        for remark in remarks { badRows.remark(remark) }
    }

    /// The latest rows, one per instrument, in the files' order.
    public var latestTickers: [Ticker] { latest.values.sorted().map { tickers[$0] } }

    /// Number of instruments.
    public var instrumentCount: Int { latest.count }

    /// The latest ticker of an instrument; where the chain has none of its exchange, that of another's contract of its name.
    public func ticker(of instrument: Instrument) -> Ticker? {
        Self.ofName(latest, instrument).map { tickers[$0.value] }
    }

    /// The latest ticker of an instrument; of a future, perpetual or coin that the chain does not list, one with nothing
    /// but its price: the one that options name for their future, or the index.
    public func tickerOrImplied(of instrument: Instrument) -> Ticker? {
        if let ticker = ticker(of: instrument) { return ticker }
        var contract = instrument
        let observed: ObservedPrice?
        switch instrument.kind {
        case .option: observed = nil
        case .future:
            let found = Self.ofName(futures, instrument)
            observed = found?.value
            if let found, let own = try? found.exchange.instrument(named: instrument.name) { contract = own }
        case .perpetual, .spot: observed = index(of: instrument.base, in: instrument.quote)
        }
        guard let observed else { return nil }
        if let expiry = contract.expiry, observed.timestamp >= expiry { return nil }
        return Ticker(instrument: contract, price: observed.price, timestamp: observed.timestamp)
    }

    /// What is known of an instrument, or else of the first exchange's contract of its name of which something is.
    private static func ofName<Value>(
        _ known: [Instrument.Key: Value], _ instrument: Instrument
    ) -> (value: Value, exchange: any Exchange.Type)? {
        if let value = known[instrument.key] { return (value, instrument.exchange) }
        for exchange in Exchanges.all {
            if let value = known[Instrument.Key(instrument.name, exchange)] { return (value, exchange) }
        }
        return nil
    }

    /// The latest index of an instrument's coin that any row names.
    public func indexPrice(of instrument: Instrument) -> Double? {
        index(of: instrument.base, in: instrument.quote)?.price
    }

    /// The time of that row.
    package func indexTime(of instrument: Instrument) -> Timestamp? {
        index(of: instrument.base, in: instrument.quote)?.timestamp
    }

    func index(of base: String, in quote: String) -> ObservedPrice? {
        indices[Pair(base: base, quote: quote)]
    }

    /// Amounts in which a contract trades, and whether the list of instruments says so or they are assumed; nil where
    /// neither is known.
    public func tradedAmount(of instrument: Instrument) -> (amount: TradedAmount, isListed: Bool)? {
        if let listed = instruments[instrument]?.amount { return (listed, true) }
        return instrument.exchange.assumedAmount(of: instrument).map { ($0, false) }
    }

    /// The tick of a contract at a price, by the list of instruments or else as the exchange is known; nil where neither
    /// says.
    public func tick(of instrument: Instrument, at price: Double) -> Double? {
        instruments[instrument]?.tick(at: price)
            ?? instrument.exchange.assumedTick(of: instrument, at: price)
    }

    /// The chain with other volatilities of the options in their latest rows; nil leaves one as it is. And how many older
    /// rows of options there are, which stay as they are.
    package func withLatestVolatilities(_ volatility: (Ticker) -> Double?) -> (chain: Chain, olderRows: Int) {
        var chain = self
        var older = 0
        for row in tickers.indices where tickers[row].instrument.isOption {
            guard latest[tickers[row].instrument.key] == row else {
                older += 1
                continue
            }
            if let volatility = volatility(tickers[row]) {
                chain.tickers[row] = tickers[row].with(markVolatility: volatility)
            }
        }
        return (chain, older)
    }

    private mutating func add(_ ticker: Ticker) throws(MarketError) {
        let key = ticker.instrument.key
        if let row = latest[key] {
            if tickers[row].timestamp == ticker.timestamp,
                let difference = tickers[row].difference(from: ticker)
            {
                throw .conflict(
                    ticker.place, column: difference.column, value: difference.other,
                    earlier: difference.own, at: tickers[row].place)
            }
            if tickers[row].timestamp <= ticker.timestamp { latest[key] = tickers.count }
        } else {
            latest[key] = tickers.count
        }
        tickers.append(ticker)
        // A mark says nothing new of the future and the index.
        if ticker.isMark { return }
        if ticker.instrument.isOption, let future = ticker.underlyingIndex, let price = ticker.underlyingPrice
        {
            Self.keepLatest(
                &futures[Instrument.Key(future, ticker.instrument.exchange)], price, ticker.timestamp)
        }
        if let price = ticker.indexPrice {
            let pair = Pair(base: ticker.instrument.base, quote: ticker.instrument.quote)
            Self.keepLatest(&indices[pair], price, ticker.timestamp)
        }
    }

    private static func keepLatest(
        _ observed: inout ObservedPrice?, _ price: Double, _ timestamp: Timestamp
    ) {
        if let observed, observed.timestamp > timestamp { return }
        observed = ObservedPrice(price: price, timestamp: timestamp)
    }
}

extension Ticker {
    private func hasUnit(of other: Ticker) -> Bool {
        layout.volatilityUnit == other.layout.volatilityUnit
    }

    /// The first value in which two tickers of one instrument and time differ, by the other's names and each in its own
    /// units.
    fileprivate func difference(from other: Ticker) -> (column: String, own: String, other: String)? {
        func shown(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let numbers: [(TickerField, Double?, Double?)] = [
            (.underlyingPrice, underlyingPrice, other.underlyingPrice),
            (.indexPrice, indexPrice, other.indexPrice),
            (.markPrice, markPrice, other.markPrice),
            hasUnit(of: other)
                ? (.markVolatility, writtenVolatility, other.writtenVolatility)
                : (.markVolatility, markVolatility, other.markVolatility),
            (.interestRate, interestRate, other.interestRate),
            (.openInterest, openInterest, other.openInterest),
            (.delta, published?.delta, other.published?.delta),
            (.gamma, published?.gamma, other.published?.gamma),
            (.vega, published?.vega, other.published?.vega),
            (.theta, published?.theta, other.published?.theta),
            (.rho, published?.rho, other.published?.rho),
        ]
        for (field, own, others) in numbers where own != others {
            return (other.layout.name(field), shown(own), shown(others))
        }
        if underlyingIndex != other.underlyingIndex {
            return (other.layout.name(.underlyingIndex), underlyingIndex ?? "", other.underlyingIndex ?? "")
        }
        for (field, own, others) in [(TickerField.bids, bids, other.bids), (.asks, asks, other.asks)]
        where own != others {
            func shown(_ levels: [OrderLevel]) -> String {
                "[" + levels.map { "[\($0.price), \($0.amount)]" }.joined(separator: ", ") + "]"
            }
            return (other.layout.name(field), shown(own), shown(others))
        }
        return nil
    }
}
