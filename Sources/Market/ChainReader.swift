/// Turns sources into tickers: tables, replies and recordings of notifications, in the layouts of all exchanges. What it
/// keeps from row to row is what a recording needs.
struct ChainReader {
    var orderBooks: [Instrument.Key: OrderBook] = [:]
    var bestPrices: [Instrument.Key: OrderBook] = [:]
    /// The latest ticker of each instrument, marks not counted.
    private(set) var lastTickers: [Instrument.Key: Ticker] = [:]
    /// The latest ticker of an option of each expiry, which has the price of its future, by `Instrument.series`.
    private(set) var forwards: [Instrument.Key: Ticker] = [:]
    /// The latest mark of each option.
    var marks: [Instrument.Key: Ticker] = [:]
    /// Tickers on which changes build, by the instrument's name as channels have it.
    var wholeTickers: [String: JSON] = [:]
    /// Contracts that messages of the source name; nil for a combination.
    private var contracts: [String: Instrument?] = [:]

    var otherKinds: [String] = []
    var otherMessages: [String: Int] = [:]
    var gaps = 0
    var marksWithoutFuture = 0
    var changesWithoutTicker = 0
    private var implied = 0
    private var intrinsic = 0
    private var doubts: [MarketError] = []
    /// Options whose latest row in the files' order could not be used.
    private(set) var unreadable: [Instrument.Key: Instrument] = [:]

    /// Calls `add` with each ticker; errors of one row go to `badRows`.
    mutating func read(
        _ source: Source, _ badRows: inout BadRows, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        let space: Set<UInt8> = [9, 10, 13, 32]
        switch source.bytes.first(where: { !space.contains($0) }) {
        case nil: throw .empty(file: source.name)
        case UInt8(ascii: "{"), UInt8(ascii: "["): try readObjects(source, &badRows, add)
        default:
            if let messages = source.messagesAlone {
                try readObjects(messages, &badRows, add)
            } else {
                try readTable(source, &badRows, add)
            }
        }
    }

    /// The ticker of a row, or nil where it is one of another kind.
    mutating func ticker(_ reading: TickerReading) -> Ticker? {
        switch reading {
        case .otherKind(let name):
            otherKinds.append(name)
            return nil
        case .ticker(let ticker, let doubt):
            if ticker.isVolatilityImplied {
                implied += 1
                if ticker.markVolatility == 0 { intrinsic += 1 }
            }
            if let doubt { doubts.append(doubt) }
            return ticker
        }
    }

    /// Adds the ticker that fields describe, if they are of a known kind.
    mutating func read(
        _ fields: some TickerFields, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) -> Ticker? {
        do throws(MarketError) {
            guard let ticker = ticker(try fields.reading()) else { return nil }
            try add(ticker)
            if !unreadable.isEmpty { unreadable[ticker.instrument.key] = nil }
            return ticker
        } catch {
            if let option = fields.namedOption { unreadable[option.key] = option }
            throw error
        }
    }

    private mutating func readTable(
        _ source: Source, _ badRows: inout BadRows, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        let table = try TextTable(source)
        let columns = try TickerColumns(table)
        try table.forEachRow(&badRows) { row throws(MarketError) in
            _ = try read(RowFields(row: row, columns: columns), add)
        }
    }

    private mutating func readObjects(
        _ source: Source, _ badRows: inout BadRows, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        contracts = [:]
        var reader = JSONReader(source)
        var pending = try reader.values().reversed().map { (value: $0, time: JSON?.none) }
        while let (value, outer) = pending.popLast() {
            if let elements = value.array {
                // A list of texts is the answer to a subscription.
                if !elements.isEmpty, elements.allSatisfy({ $0.string != nil }) {
                    otherMessages["subscriptions", default: 0] += 1
                } else {
                    pending += elements.reversed().map { ($0, outer) }
                }
                continue
            }
            let time = value["time"] ?? value["timestamp"] ?? value["ts"] ?? outer
            do throws(MarketError) {
                let reply = Reply(value: value)
                try reply.requireAnswer(in: source)
                if let inner = reply.content ?? reply.original(besides: []) {
                    pending.append((inner, time))
                } else if let parameters = value["params"], let channel = parameters["channel"]?.string {
                    if let data = parameters["data"] {
                        try notification(channel, data, source, &badRows, add)
                    }
                } else if let layout = TickerLayout.best({ value[$0] != nil })
                    ?? TickerLayout.best(Members(value).has)
                {
                    try readTicker(value, layout, time: time, source, add)
                } else if let objects = value.objectsByName {
                    pending += objects.reversed().map { ($0, time) }
                } else if value["method"] != nil || value["jsonrpc"] != nil {
                    otherMessages["requests", default: 0] += 1
                } else {
                    try readTicker(value, .general, time: time, source, add)
                }
            } catch {
                try badRows.note(error)
            }
        }
    }

    /// Adds the ticker that an object is, and keeps it, as later notifications of less build on it.
    mutating func readTicker(
        _ value: JSON, _ layout: TickerLayout, time: JSON?, _ source: Source,
        _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
        let fields = ObjectFields(source: source, object: value, layout: layout, time: time)
        guard let ticker = try read(fields, add) else { return }
        func keep(_ latest: inout Ticker?) {
            if let known = latest, known.timestamp > ticker.timestamp { return }
            latest = ticker
        }
        keep(&lastTickers[ticker.instrument.key])
        guard ticker.instrument.isOption else { return }
        keep(&forwards[Instrument.Key(ticker.instrument.series, ticker.instrument.exchange)])
    }

    /// The contract of a name in a message; nil for a combination.
    mutating func contract(_ name: String, of fields: ObjectFields) throws(MarketError) -> Instrument? {
        if let known = contracts[name] { return known }
        let found: Instrument?
        do throws(InstrumentNameError) {
            found = try Instrument(name: name, on: fields.exchange)
        } catch .combination {
            found = nil
        } catch {
            throw fields.invalid(.instrument, name, "\(error)")
        }
        contracts[name] = .some(found)
        return found
    }

    // MARK: What there is to say

    /// Number of rows and messages left out, being no tickers of known kinds.
    var leftOut: Int {
        otherKinds.count + otherMessages.values.reduce(0, +) + marksWithoutFuture + changesWithoutTicker
    }

    /// A sentence each.
    var remarks: [String] {
        var remarks: [String] = []
        if !otherKinds.isEmpty {
            let names = Set(otherKinds).sorted()
            let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
            remarks.append(
                "left out \(otherKinds.count.counted("row")) of combinations and other kinds: \(shown)")
        }
        if !otherMessages.isEmpty {
            let parts = otherMessages.keys.sorted().map { "\(otherMessages[$0] ?? 0) \($0)" }
            remarks.append("left out messages without tickers: \(parts.joined(separator: ", "))")
        }
        if marksWithoutFuture > 0 {
            remarks.append(
                "left out \(marksWithoutFuture.counted("mark")) of options whose future has no price yet")
        }
        if changesWithoutTicker > 0 {
            remarks.append(
                "left out \(changesWithoutTicker.counted("change")) of tickers without a snapshot before")
        }
        if gaps > 0 {
            remarks.append(
                "\(gaps.counted("gap")) in order books: orders are unknown until the next snapshot")
        }
        if implied > 0 {
            let zero = intrinsic > 0 ? "; 0 for \(intrinsic) worth no more than exercise would bring" : ""
            remarks.append(
                "volatility of \(implied.counted("row")) found from the mark price, for lack of one\(zero)")
        }
        for doubt in doubts.prefix(5) { remarks.append("\(doubt)") }
        if doubts.count > 5 {
            remarks.append("\(doubts.count - 5) more rows whose facts contradict each other")
        }
        return remarks
    }
}

extension Source {
    /// A recording whose lines have something in front of each message, such as its time: the messages alone, in the same
    /// places. Nil where it is not such a recording.
    fileprivate var messagesAlone: Source? {
        guard String(decoding: bytes.prefix(4096), as: UTF8.self).contains("{\"jsonrpc\"") else { return nil }
        var bytes = bytes
        var isInFront = true
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "\n"): isInFront = true
            case UInt8(ascii: "{") where isInFront: isInFront = false
            default: if isInFront { bytes[index] = UInt8(ascii: " ") }
            }
        }
        var messages = Source(name: name, bytes: bytes)
        messages.exchange = exchange
        return messages
    }
}
