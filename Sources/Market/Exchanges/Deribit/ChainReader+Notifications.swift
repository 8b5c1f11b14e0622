import Checks

/// Deribit's recordings of notifications: tickers, whole and as changes, and marks of options.
extension ChainReader {
    /// Takes a notification in; errors of one mark go to `badRows`.
    mutating func notification(
        _ channel: String, _ data: JSON, _ source: Source, _ badRows: inout BadRows,
        _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        switch channel.prefix(while: { $0 != "." }) {
        case "ticker": try readTicker(data, .general, time: nil, source, add)
        case "incremental_ticker": try readChange(data, channel, source, add)
        case "book": try keepOrders(data, source)
        case "quote": try keepBestPrices(data, source)
        case "markprice":
            for mark in data.array ?? [] {
                do throws(MarketError) { try readMark(mark, source, add) } catch { try badRows.note(error) }
            }
        case let kind: otherMessages["\(kind) notifications", default: 0] += 1
        }
    }

    /// A snapshot, or a change, which says only what is another than in the ticker before. What cannot be read takes
    /// the ticker away: changes that follow would build on what is not so.
    private mutating func readChange(
        _ data: JSON, _ channel: String, _ source: Source, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        let name = String(channel.drop { $0 != "." }.dropFirst().prefix { $0 != "." })
        let known = wholeTickers.removeValue(forKey: name)
        guard let whole = data["type"]?.string == "snapshot" ? data : known.map(data.merged(over:)) else {
            changesWithoutTicker += 1
            return
        }
        try readTicker(whole, .general, time: nil, source, add)
        wholeTickers[name] = whole
    }

    /// `{"instrument_name", "mark_price", "iv", "timestamp"}`: a new mark for what the last tickers say of the instrument and
    /// of the future of its expiry.
    private mutating func readMark(
        _ mark: JSON, _ source: Source, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        let said = ObjectFields(source: source, object: mark, layout: .marks, time: nil)
        let name = try MessageFields(source: source, value: mark).text(said.name(.instrument))
        guard let instrument = try contract(name, of: said), instrument.isOption else {
            otherKinds.append(name)
            return
        }
        let own = lastTickers[instrument.key]
        let other = forwards[Instrument.Key(instrument.series, instrument.exchange)]
        guard let prices = [own, other].compactMap({ $0 }).max(by: { $0.timestamp < $1.timestamp }) else {
            marksWithoutFuture += 1
            return
        }
        let fields = MarkFields(said: said, own: own, prices: prices)
        // What was said before is said once: twice the same message, or a ticker of the mark's own moment.
        if let time = try? fields.time(.timestamp), let price = try? fields.number(.markPrice, .notNegative),
            [own, marks[instrument.key]].contains(where: { $0?.timestamp == time && $0?.markPrice == price })
        {
            return
        }
        marks[instrument.key] = try read(fields, add)
    }
}

/// A mark, with the prices of the latest ticker of its expiry and the orders of the instrument's own.
private struct MarkFields: TickerFields {
    let said: ObjectFields
    let own: Ticker?
    let prices: Ticker

    var file: String { said.file }
    var line: Int { said.line }
    var layout: TickerLayout { said.layout }
    var exchange: (any Exchange.Type)? { said.exchange }

    func name(_ field: TickerField) -> String { said.name(field) }

    func text(_ field: TickerField) -> String? {
        field == .underlyingIndex ? prices.underlyingIndex : said.text(field)
    }

    func number(_ field: TickerField, _ rule: NumberRule) throws(MarketError) -> Double? {
        switch field {
        case .underlyingPrice: prices.underlyingPrice
        case .indexPrice: prices.indexPrice
        case .interestRate: prices.interestRate
        case .openInterest: own?.openInterest
        default: try said.number(field, rule)
        }
    }

    /// A mark from before the instrument's own ticker is one of its moment.
    func time(_ field: TickerField) throws(MarketError) -> Timestamp? {
        let time = try said.time(field) ?? prices.timestamp
        return own.map { max($0.timestamp, time) } ?? time
    }

    func levels(_ field: TickerField) -> [OrderLevel]? { (field == .bids ? own?.bids : own?.asks) ?? [] }
}

extension TickerLayout {
    /// A member of `markprice.options.*`.
    static let marks = TickerLayout(
        Deribit.self, signature: [.instrument], volatilityUnit: .fraction,
        [
            .instrument: ["instrument_name"], .timestamp: ["timestamp"], .markPrice: ["mark_price"],
            .markVolatility: ["iv"],
        ])
}

extension Ticker {
    /// Whether it is a mark alone, whose other prices and orders are those of earlier tickers.
    var isMark: Bool { layout === TickerLayout.marks }
}

extension JSON {
    /// The members of this object over those of another, objects in them alike.
    fileprivate func merged(over earlier: JSON) -> JSON {
        guard case .object(let own) = content, case .object(let others) = earlier.content else { return self }
        let members = others.merging(own) { $1.merged(over: $0) }
        return JSON(content: .object(members), start: start, end: end, line: line)
    }
}
