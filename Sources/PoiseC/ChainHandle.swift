import CPoise
import Checks
import Market
import Poise

/// Behind `poise_chain`.
final class ChainHandle: Sendable {
    let chain: Chain
    let names, underlyings, remarks: CStrings

    /// - Parameter remarks: beside the chain's own.
    init(_ chain: Chain, remarks: [String] = []) {
        self.chain = chain
        names = CStrings(chain.latestTickers.map(\.instrument.name))
        underlyings = CStrings(chain.latestTickers.map(\.instrument.base))
        self.remarks = CStrings(chain.remarks + remarks)
    }

    convenience init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        self.init(try Chain(source, &badRows))
    }
}

/// One row of `poise_tickers`, for the reader that all formats share.
struct TickerColumnFields: TickerFields {
    /// The struct's names of the fields; volatilities are natural.
    static let columnLayout = TickerLayout(
        Deribit.self, signature: [.instrument], volatilityUnit: .fraction,
        [
            .instrument: ["instrument"], .exchange: ["exchange"], .timestamp: ["timestamp"],
            .underlyingPrice: ["underlying_price"],
            .underlyingIndex: ["underlying_index"], .indexPrice: ["index_price"],
            .markPrice: ["mark_price"], .markVolatility: ["mark_volatility"],
            .interestRate: ["interest_rate"], .bidPrice: ["bid_price"], .bidAmount: ["bid_amount"],
            .askPrice: ["ask_price"], .askAmount: ["ask_amount"], .bids: ["bids"], .asks: ["asks"],
            .openInterest: ["open_interest"], .delta: ["exchange_delta"], .gamma: ["exchange_gamma"],
            .vega: ["exchange_vega"], .theta: ["exchange_theta"], .rho: ["exchange_rho"],
        ])
    let columns: [Strided<Double>?]
    let instrument: TextColumn
    let underlyingIndex, exchanges, bids, asks: TextColumn?
    let timestamp: Strided<Int64>
    var line = 0

    var file: String { "tickers" }
    var place: Place { .row(line, table: file) }
    var layout: TickerLayout { Self.columnLayout }
    var exchange: (any Exchange.Type)? { nil }

    init(_ tickers: poise_tickers) throws(Failure) {
        var columns = [Strided<Double>?](repeating: nil, count: TickerField.allCases.count)
        let given: [(TickerField, poise_values, StaticString)] = [
            (.underlyingPrice, tickers.underlying_price, "underlying_price"),
            (.markPrice, tickers.mark_price, "mark_price"),
            (.markVolatility, tickers.mark_volatility, "mark_volatility"),
            (.interestRate, tickers.interest_rate, "interest_rate"),
            (.indexPrice, tickers.index_price, "index_price"),
            (.bidPrice, tickers.bid_price, "bid_price"), (.bidAmount, tickers.bid_amount, "bid_amount"),
            (.askPrice, tickers.ask_price, "ask_price"), (.askAmount, tickers.ask_amount, "ask_amount"),
            (.openInterest, tickers.open_interest, "open_interest"),
            (.delta, tickers.exchange_delta, "exchange_delta"),
            (.gamma, tickers.exchange_gamma, "exchange_gamma"),
            (.vega, tickers.exchange_vega, "exchange_vega"),
            (.theta, tickers.exchange_theta, "exchange_theta"),
            (.rho, tickers.exchange_rho, "exchange_rho"),
        ]
        for (field, column, name) in given { columns[field.rawValue] = try Strided(optional: column, name) }
        self.columns = columns
        timestamp = try Strided(tickers.timestamp.data, tickers.timestamp.stride, "timestamp")
        instrument = try TextColumn(tickers.instrument, "instrument")
        underlyingIndex = try TextColumn(optional: tickers.underlying_index, "underlying_index")
        exchanges = try TextColumn(optional: tickers.exchange, "exchange")
        bids = try TextColumn(optional: tickers.bids, "bids")
        asks = try TextColumn(optional: tickers.asks, "asks")
    }

    func text(_ field: TickerField) -> String? {
        let texts: TextColumn? =
            switch field {
            case .instrument: instrument
            case .underlyingIndex: underlyingIndex
            case .exchange: exchanges
            case .bids: bids
            case .asks: asks
            default: nil
            }
        guard let text = try? texts?.text(line), !text.isEmpty else { return nil }
        return text
    }

    func number(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let value = columns[field.rawValue]?[line], !value.isNaN else { return nil }
        guard rule.accepts(value) else { throw invalid(field, "\(value)", rule.complaint) }
        return value
    }

    /// The least number of 64 bits, NumPy's NaT, is a missing time.
    func time(_ field: TickerField) throws(MarketError) -> Timestamp? {
        let count = timestamp[line]
        guard count != .min else { return nil }
        guard let time = Timestamp(count: count) else {
            throw invalid(field, "\(count)", Timestamp.expectation)
        }
        return time
    }

    func levels(_ field: TickerField) throws(MarketError) -> [OrderLevel]? {
        try text(field).map { text throws(MarketError) in try levels(field, of: text) }
    }

    /// The ticker of a row; nil for an instrument of another kind.
    func ticker(_ row: Int) throws(Failure) -> Ticker? {
        var fields = self
        fields.line = row
        let reading = try failing { () throws(MarketError) in try fields.reading() }
        guard case .ticker(let ticker, let doubt) = reading else { return nil }
        if let doubt { throw Failure(doubt) }
        return ticker
    }
}

extension poise_tickers {
    /// The struct's size before it had order books, and before it had what exchanges publish.
    static let sizeBeforeBooks = MemoryLayout<poise_tickers>.offset(of: \.bids) ?? 0
    static let sizeBeforeFigures = MemoryLayout<poise_tickers>.offset(of: \.open_interest) ?? 0

    /// The caller's.
    init(reading tickers: UnsafePointer<poise_tickers>?) throws(Failure) {
        self = try taken(
            tickers, "tickers", poise_tickers(), earlier: Self.sizeBeforeFigures,
            earliest: Self.sizeBeforeBooks)
    }
}

@c @implementation
public func poise_chain_create(
    _ tickers: UnsafePointer<poise_tickers>?, _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain") { () throws(Failure) in
        let given = try poise_tickers(reading: tickers)
        try checkCount(given.count)
        guard given.count > 0 else { throw .count("count", "a chain needs a row") }
        let columns = try TickerColumnFields(given)
        let names = try TextColumn(given.instrument, "instrument")
        for row in 0..<given.count { _ = try names.text(row) }
        let made = try reading { badRows throws(MarketError) in
            try Chain(name: columns.file, count: given.count, &badRows) { row throws(MarketError) in
                var fields = columns
                fields.line = row
                return try fields.reading()
            }
        }
        return ChainHandle(made)
    }
}

@c @implementation
public func poise_chain_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain", text, length, name, ChainHandle.init)
}

@c @implementation
public func poise_chain_read(
    _ path: UnsafePointer<CChar>?, _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain", path, ChainHandle.init)
}

@c @implementation
public func poise_chain_load(
    _ sources: UnsafePointer<poise_source>?, _ count: Int, _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain") { () throws(Failure) in
        try checkCount(count)
        guard count > 0 else { throw .count("count", "a chain needs a source") }
        let given = try required(sources, "sources")
        var read: [Source] = []
        for index in 0..<count { read.append(try Source(given[index], "sources")) }
        return ChainHandle(try reading { badRows throws(MarketError) in try Chain(read, &badRows) })
    }
}

@c @implementation
public func poise_chain_with_instruments(
    _ chain: OpaquePointer?, _ instruments: UnsafePointer<poise_source>?,
    _ made: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(made, "made") { () throws(Failure) in
        var known = try object(chain, as: ChainHandle.self, "chain").chain
        let source = try Source(try required(instruments, "instruments").pointee, "instruments")
        known.instruments = try reading { badRows throws(MarketError) in
            try InstrumentList([source], &badRows)
        }
        return ChainHandle(known)
    }
}

@c @implementation
public func poise_chain_free(_ chain: OpaquePointer?) { release(chain, as: ChainHandle.self) }

private func handle(_ chain: OpaquePointer?) -> ChainHandle? { object(chain, as: ChainHandle.self) }

@c @implementation
public func poise_chain_count(_ chain: OpaquePointer?) -> Int { handle(chain)?.names.count ?? 0 }

@c @implementation
public func poise_chain_instrument(_ chain: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    handle(chain)?.names[index]
}

@c @implementation
public func poise_chain_remark(_ chain: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    handle(chain)?.remarks[index]
}

@c @implementation
public func poise_chain_left_out(_ chain: OpaquePointer?) -> Int { handle(chain)?.chain.leftOut ?? 0 }
