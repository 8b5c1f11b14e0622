import CPoise
import Checks
import Market
import Poise

/// Behind `poise_chain`.
final class ChainHandle: Sendable {
    let chain: Chain
    let names: CStrings

    init(_ chain: Chain) {
        self.chain = chain
        names = CStrings(chain.latestTickers.map(\.instrument.name))
    }
}

/// One row of `poise_tickers`, for the reader that all formats share.
private struct TickerColumns: TickerFields {
    let columns: [String: Strided<Double>]
    let texts: [String: TextColumn]
    let volatility: Strided<Double>?
    let timestamp: Strided<Int64>
    var line = 0

    var file: String { "tickers" }
    var place: Place { .row(line, table: file) }

    init(_ tickers: poise_tickers) throws(Failure) {
        var columns: [String: Strided<Double>] = [:]
        columns["underlying_price"] = try Strided(optional: tickers.underlying_price, "underlying_price")
        columns["mark_price"] = try Strided(optional: tickers.mark_price, "mark_price")
        columns["interest_rate"] = try Strided(optional: tickers.interest_rate, "interest_rate")
        columns["index_price"] = try Strided(optional: tickers.index_price, "index_price")
        columns["bid_price"] = try Strided(optional: tickers.bid_price, "bid_price")
        columns["best_bid_amount"] = try Strided(optional: tickers.bid_amount, "bid_amount")
        columns["ask_price"] = try Strided(optional: tickers.ask_price, "ask_price")
        columns["best_ask_amount"] = try Strided(optional: tickers.ask_amount, "ask_amount")
        self.columns = columns
        volatility = try Strided(optional: tickers.mark_volatility, "mark_volatility")
        timestamp = try Strided(tickers.timestamp.data, tickers.timestamp.stride, "timestamp")
        var texts = ["instrument_name": try TextColumn(tickers.instrument, "instrument")]
        texts["underlying_index"] = try TextColumn(optional: tickers.underlying_index, "underlying_index")
        self.texts = texts
    }

    func text(_ name: String) -> String? {
        guard let text = try? texts[name]?.text(line), !text.isEmpty else { return nil }
        return text
    }

    func number(_ name: String, _ rule: NumberRule) throws(MarketError) -> Double? {
        try checked(columns[name], name, rule)
    }

    /// The least number of 64 bits, NumPy's NaT, is a missing time.
    func time(_ name: String) throws(MarketError) -> Timestamp? {
        guard name == "timestamp", case let count = timestamp[line], count != .min else { return nil }
        guard let time = Timestamp(count: count) else {
            throw invalid("timestamp", "\(count)", Timestamp.expectation)
        }
        return time
    }

    func levels(_ name: String) throws(MarketError) -> [OrderLevel]? { nil }

    func markVolatility() throws(MarketError) -> Double {
        guard let found = try checked(volatility, "mark_volatility", .notNegative) else {
            throw invalid("mark_volatility", "", "is missing")
        }
        return found
    }

    private func checked(
        _ column: Strided<Double>?, _ name: String, _ rule: NumberRule
    ) throws(MarketError) -> Double? {
        guard let value = column?[line], !value.isNaN else { return nil }
        guard rule.accepts(value) else { throw invalid(name, "\(value)", rule.complaint) }
        return value
    }
}

@c @implementation
public func poise_chain_create(
    _ tickers: UnsafePointer<poise_tickers>?, _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain") { () throws(Failure) in
        let given = try required(tickers, "tickers").pointee
        try checkSize(given.size, of: poise_tickers.self, "tickers")
        try checkCount(given.count)
        guard given.count > 0 else { throw .count("count", "a chain needs a row") }
        let columns = try TickerColumns(given)
        let names = try TextColumn(given.instrument, "instrument")
        for row in 0..<given.count { _ = try names.text(row) }
        let made = try reading { badRows throws(MarketError) in
            try Chain(name: columns.file, count: given.count, &badRows) { row throws(MarketError) in
                var fields = columns
                fields.line = row
                return try fields.ticker()
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
    make(chain, "chain") { () throws(Failure) in
        let source = try Source(text, length, name, default: "chain")
        return ChainHandle(try reading { badRows throws(MarketError) in try Chain(source, &badRows) })
    }
}

@c @implementation
public func poise_chain_read(
    _ path: UnsafePointer<CChar>?, _ chain: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(chain, "chain") { () throws(Failure) in
        let source = try Source(reading: path)
        return ChainHandle(try reading { badRows throws(MarketError) in try Chain(source, &badRows) })
    }
}

@c @implementation
public func poise_chain_free(_ chain: OpaquePointer?) { release(chain, as: ChainHandle.self) }

@c @implementation
public func poise_chain_count(_ chain: OpaquePointer?) -> Int {
    object(chain, as: ChainHandle.self)?.names.count ?? 0
}

@c @implementation
public func poise_chain_instrument(_ chain: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    object(chain, as: ChainHandle.self)?.names[index]
}
