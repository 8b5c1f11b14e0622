/// Tickers of many instruments: an exchange's option chain with its futures.
public struct Chain: Sendable {
    /// The name of the file; of several, all of them.
    public let file: String
    /// One per row, in the files' order; an instrument may stand more than once.
    public private(set) var tickers: [Ticker] = []
    /// The place in `tickers` of each instrument's latest row, by name.
    public private(set) var latest: [String: Int] = [:]
    /// Latest price of each future that option rows name as theirs, and of each coin's index.
    private var futures: [String: Quote] = [:]
    private var indices: [String: Quote] = [:]

    /// A price and when it held.
    public struct Quote: Sendable, Equatable {
        public let price: Double
        public let timestamp: Timestamp

        public init(price: Double, timestamp: Timestamp) {
            self.price = price
            self.timestamp = timestamp
        }
    }

    /// Reads Deribit tickers: a table with flattened names, or the replies of `public/ticker` and
    /// `public/get_book_summary_by_currency` as JSON, one or several in a file.
    /// - Throws: `MarketError`; errors of one row go to `badRows` first.
    public init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        try self.init([source], &badRows)
    }

    /// Reads several files into one chain, each in its own format: of coins that are recorded one by one, or of options
    /// and futures.
    /// - Throws: as for one.
    public init(_ sources: [Source], _ badRows: inout BadRows) throws(MarketError) {
        file = sources.map(\.name).joined(separator: ", ")
        let space: Set<UInt8> = [9, 10, 13, 32]
        for source in sources {
            let (before, skipped) = (tickers.count, badRows.skipped.count)
            switch source.bytes.first(where: { !space.contains($0) }) {
            case nil: throw .empty(file: source.name)
            case UInt8(ascii: "{"), UInt8(ascii: "["): try readObjects(source, &badRows)
            default: try readTable(source, &badRows)
            }
            if tickers.count == before, badRows.skipped.count == skipped { throw .empty(file: source.name) }
        }
    }

    /// Takes tickers of any origin, one after another.
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - ticker: the ticker of a row, from 0.
    /// - Throws: `empty` without a row, `conflict` for two that claim to be the same and differ, and what `ticker`
    ///   throws; errors of one row go to `badRows` first.
    public init(
        name: String, count: Int, _ badRows: inout BadRows, ticker: (Int) throws(MarketError) -> Ticker
    ) throws(MarketError) {
        file = name
        for row in 0..<count {
            do throws(MarketError) { try add(try ticker(row)) } catch { try badRows.note(error) }
        }
        if tickers.isEmpty, badRows.skipped.isEmpty { throw .empty(file: file) }
    }

    /// The latest rows, one per instrument, in the files' order.
    public var latestTickers: [Ticker] { latest.values.sorted().map { tickers[$0] } }

    /// The latest ticker of an instrument.
    public func ticker(of instrument: Instrument) -> Ticker? { latest[instrument.name].map { tickers[$0] } }

    /// The price of a future, perpetual or coin: its own mark, or where the chain lists options alone the
    /// price of the future that they name, and the index for perpetuals and spot.
    public func quote(of instrument: Instrument) -> Quote? {
        if let ticker = ticker(of: instrument), let price = ticker.markPrice {
            return Quote(price: price, timestamp: ticker.timestamp)
        }
        switch instrument.kind {
        case .option: return nil
        case .future: return futures[instrument.name]
        case .perpetual, .spot: return indices[Self.indexKey(instrument)]
        }
    }

    /// The latest index of an instrument's coin that any row names.
    public func indexPrice(of instrument: Instrument) -> Double? { indices[Self.indexKey(instrument)]?.price }

    private mutating func readTable(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        let table = try CommaSeparated(source)
        for column in TableFields.required { _ = try table.required(column) }
        var columns: [String: Int] = [:]
        for (index, name) in table.header.enumerated() { columns[name] = index }
        try table.forEachRow(&badRows) { row throws(MarketError) in
            try add(try TableFields(row: row, columns: columns).ticker())
        }
    }

    private mutating func readObjects(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        var reader = JSONReader(source)
        var pending = Array(try reader.values().reversed())
        while let value = pending.popLast() {
            if let elements = value.array {
                pending += elements.reversed()
            } else if let result = value["result"] {
                pending.append(result)
            } else {
                do throws(MarketError) {
                    if let error = value["error"] {
                        let text = String(decoding: source.bytes[error.start..<error.end], as: UTF8.self)
                        throw .invalidValue(
                            file: source.name, line: error.line, column: "error", value: text,
                            reason: "the exchange refused the request")
                    }
                    try add(try ObjectFields(source: source, object: value).ticker())
                } catch {
                    try badRows.note(error)
                }
            }
        }
    }

    private mutating func add(_ ticker: Ticker) throws(MarketError) {
        let name = ticker.instrument.name
        if let row = latest[name], tickers[row].timestamp == ticker.timestamp {
            if let difference = tickers[row].difference(from: ticker) {
                throw .conflict(
                    ticker.place, column: difference.column, value: difference.other,
                    earlier: difference.own, at: tickers[row].place)
            }
        }
        tickers.append(ticker)
        if latest[name].map({ tickers[$0].timestamp <= ticker.timestamp }) ?? true {
            latest[name] = tickers.count - 1
        }
        if ticker.instrument.isOption, let future = ticker.underlyingIndex, let price = ticker.underlyingPrice
        {
            Self.keepLatest(&futures[future], price, ticker.timestamp)
        }
        if let price = ticker.indexPrice {
            Self.keepLatest(&indices[Self.indexKey(ticker.instrument)], price, ticker.timestamp)
        }
    }

    private static func keepLatest(_ quote: inout Quote?, _ price: Double, _ timestamp: Timestamp) {
        if let quote, quote.timestamp > timestamp { return }
        quote = Quote(price: price, timestamp: timestamp)
    }

    /// Contracts of one coin and quote currency share an index.
    private static func indexKey(_ instrument: Instrument) -> String {
        "\(instrument.base)_\(instrument.quote)"
    }
}

extension Ticker {
    /// The first value in which two tickers of one instrument and time differ.
    fileprivate func difference(from other: Ticker) -> (column: String, own: String, other: String)? {
        func shown(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let numbers: [(String, Double?, Double?)] = [
            ("underlying_price", underlyingPrice, other.underlyingPrice),
            ("index_price", indexPrice, other.indexPrice),
            ("mark_price", markPrice, other.markPrice),
            ("mark_iv", markVolatility.map { $0 * 100 }, other.markVolatility.map { $0 * 100 }),
            ("interest_rate", interestRate, other.interestRate),
            ("open_interest", openInterest, other.openInterest),
            ("greeks.delta", published?.delta, other.published?.delta),
            ("greeks.gamma", published?.gamma, other.published?.gamma),
            ("greeks.vega", published?.vega, other.published?.vega),
            ("greeks.theta", published?.theta, other.published?.theta),
            ("greeks.rho", published?.rho, other.published?.rho),
        ]
        for (column, own, others) in numbers where own != others {
            return (column, shown(own), shown(others))
        }
        if underlyingIndex != other.underlyingIndex {
            return ("underlying_index", underlyingIndex ?? "", other.underlyingIndex ?? "")
        }
        for (column, own, others) in [("bids", bids, other.bids), ("asks", asks, other.asks)]
        where own != others {
            func shown(_ levels: [OrderLevel]) -> String {
                "[" + levels.map { "[\($0.price), \($0.amount)]" }.joined(separator: ", ") + "]"
            }
            return (column, shown(own), shown(others))
        }
        return nil
    }
}
