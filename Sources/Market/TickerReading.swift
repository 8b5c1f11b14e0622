import Checks

/// The named values of one ticker, in whichever format it came.
package protocol TickerFields {
    var file: String { get }
    var line: Int { get }
    var place: Place { get }
    /// A value as text; nil where it is missing.
    func text(_ name: String) -> String?
    /// A value as a number; nil where it is missing.
    func number(_ name: String, _ rule: NumberRule) throws(MarketError) -> Double?
    /// A value as a time; nil where it is missing.
    func time(_ name: String) throws(MarketError) -> Timestamp?
    /// Levels of `[price, amount]`; nil where they are absent.
    func levels(_ name: String) throws(MarketError) -> [OrderLevel]?
    /// In natural units: 0.6 for a `mark_iv` of 60.
    func markVolatility() throws(MarketError) -> Double
}

extension TickerFields {
    package var place: Place { .line(file: file, line) }

    package func markVolatility() throws(MarketError) -> Double {
        try required(["mark_iv"], .notNegative) / 100
    }

    package func invalid(_ name: String, _ value: String, _ reason: String) -> MarketError {
        .invalidValue(place, column: name, value: value, reason: reason)
    }

    /// The value of the first of several names, as different replies call it differently.
    private func first(_ names: [String], _ rule: NumberRule) throws(MarketError) -> Double? {
        for name in names {
            if let value = try number(name, rule) { return value }
        }
        return nil
    }

    private func required(_ names: [String], _ rule: NumberRule) throws(MarketError) -> Double {
        guard let value = try first(names, rule) else { throw invalid(names[0], "", "is missing") }
        return value
    }

    /// The ticker that the fields describe.
    package func ticker() throws(MarketError) -> Ticker {
        guard let name = text("instrument_name") else { throw invalid("instrument_name", "", "is missing") }
        let instrument: Instrument
        do throws(InstrumentNameError) {
            instrument = try Instrument(name: name)
        } catch {
            throw invalid("instrument_name", name, "\(error)")
        }
        var stamp = try time("timestamp")
        if stamp == nil { stamp = try time("creation_timestamp") }
        guard let timestamp = stamp else {
            throw invalid("timestamp", "", "is missing")
        }
        if let expiry = instrument.expiry, timestamp >= expiry {
            throw invalid("instrument_name", name, "expired at \(expiry), before this row's \(timestamp)")
        }
        let isOption = instrument.isOption
        let (bids, asks) = try orderBook()
        return Ticker(
            instrument: instrument, timestamp: timestamp, place: place,
            underlyingPrice: isOption
                ? try required(["underlying_price"], .positive) : try number("underlying_price", .positive),
            underlyingIndex: text("underlying_index"),
            indexPrice: try first(["index_price", "estimated_delivery_price"], .positive),
            markPrice: isOption
                ? try number("mark_price", .notNegative) : try required(["mark_price"], .positive),
            markVolatility: isOption ? try markVolatility() : nil,
            interestRate: try number("interest_rate", .finite) ?? 0,
            openInterest: try number("open_interest", .notNegative),
            bids: bids, asks: asks, published: try publishedGreeks())
    }

    /// The levels, or where a reply has none the best prices; a price of 0 stands for no quote.
    private func orderBook() throws(MarketError) -> (bids: [OrderLevel], asks: [OrderLevel]) {
        func side(_ levelsName: String, _ best: [String], _ amount: String) throws(MarketError)
            -> [OrderLevel]
        {
            if let levels = try levels(levelsName) { return levels }
            guard let price = try first(best, .notNegative), price > 0 else { return [] }
            return [OrderLevel(price: price, amount: try number(amount, .notNegative) ?? 0)]
        }
        let bids = try side("bids", ["best_bid_price", "bid_price"], "best_bid_amount")
        let asks = try side("asks", ["best_ask_price", "ask_price"], "best_ask_amount")
        if let bid = bids.first?.price, let ask = asks.first?.price, bid >= ask {
            throw invalid("best_bid_price", "\(bid)", "crossed market: the ask is \(ask)")
        }
        return (bids, asks)
    }

    private func publishedGreeks() throws(MarketError) -> PublishedGreeks? {
        guard let delta = try number("greeks.delta", .finite),
            let gamma = try number("greeks.gamma", .finite), let vega = try number("greeks.vega", .finite),
            let theta = try number("greeks.theta", .finite), let rho = try number("greeks.rho", .finite)
        else { return nil }
        return PublishedGreeks(delta: delta, gamma: gamma, vega: vega, theta: theta, rho: rho)
    }

    /// Checked levels from pairs of numbers.
    func checked(_ name: String, _ pairs: [(Double, Double)]) throws(MarketError) -> [OrderLevel] {
        var levels: [OrderLevel] = []
        for (price, amount) in pairs {
            guard price > 0, price < .infinity else { throw invalid(name, "\(price)", "must be above 0") }
            guard amount >= 0, amount < .infinity else {
                throw invalid(name, "\(amount)", "must be at least 0")
            }
            levels.append(OrderLevel(price: price, amount: amount))
        }
        return levels
    }
}

/// A row of a table with flattened names such as `greeks.delta`.
struct TableFields: TickerFields {
    let row: TextRow
    let columns: [String: Int]

    /// The columns without which a table holds no option chain.
    static let required = ["instrument_name", "timestamp", "underlying_price", "mark_iv", "mark_price"]

    var file: String { row.file }
    var line: Int { row.line }

    func text(_ name: String) -> String? {
        guard let column = columns[name], !row.isMissing(column) else { return nil }
        return row.text(column)
    }

    func number(_ name: String, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let column = columns[name] else { return nil }
        return try row.optionalNumber(column, name, rule)
    }

    func time(_ name: String) throws(MarketError) -> Timestamp? {
        guard let column = columns[name] else { return nil }
        return try row.optionalTime(column, name)
    }

    /// `[[0.221, 3.0], [0.23, 1.5]]`.
    func levels(_ name: String) throws(MarketError) -> [OrderLevel]? {
        guard let text = text(name) else { return nil }
        var reader = JSONReader(Source(name: file, text: text))
        let values: [JSON]
        do throws(MarketError) { values = try reader.values() } catch { values = [] }
        guard values.count == 1, let pairs = values[0].pairs else {
            throw invalid(name, text, "must be a list of [price, amount]")
        }
        return try checked(name, pairs)
    }
}

/// A JSON object with nested ones such as `greeks`.
struct ObjectFields: TickerFields {
    let source: Source
    let object: JSON

    var file: String { source.name }
    var line: Int { object.line }

    private func value(_ name: String) -> JSON? {
        var value: JSON? = object
        for part in name.split(separator: ".") { value = value?[String(part)] }
        return value.flatMap { $0.isMissing ? nil : $0 }
    }

    private func shown(_ value: JSON) -> String {
        String(decoding: source.bytes[value.start..<value.end], as: UTF8.self)
    }

    func text(_ name: String) -> String? { value(name)?.string }

    func number(_ name: String, _ rule: NumberRule) throws(MarketError) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.number else {
            throw invalid(name, shown(value), "is not a number", at: value)
        }
        guard rule.accepts(number) else {
            throw invalid(name, shown(value), rule.complaint, at: value)
        }
        return number
    }

    func time(_ name: String) throws(MarketError) -> Timestamp? {
        guard let value = value(name) else { return nil }
        guard let time = value.time else {
            throw invalid(name, shown(value), Timestamp.expectation, at: value)
        }
        return time
    }

    func levels(_ name: String) throws(MarketError) -> [OrderLevel]? {
        guard let value = value(name) else { return nil }
        guard let pairs = value.pairs else {
            throw invalid(name, shown(value), "must be a list of [price, amount]", at: value)
        }
        return try checked(name, pairs)
    }

    private func invalid(_ name: String, _ value: String, _ reason: String, at place: JSON) -> MarketError {
        .invalidValue(
            file: file, line: place.line, column: name, value: value, reason: reason)
    }
}

extension JSON {
    /// A list of lists of two numbers.
    fileprivate var pairs: [(Double, Double)]? {
        guard let array else { return nil }
        var pairs: [(Double, Double)] = []
        for element in array {
            guard let pair = element.array, pair.count == 2, let price = pair[0].number,
                let amount = pair[1].number
            else { return nil }
            pairs.append((price, amount))
        }
        return pairs
    }
}
