/// Turns sources into tickers: tables, replies and recordings of notifications, in the layouts of all exchanges. What it
/// keeps from row to row is what a recording needs.
struct ChainReader {
    /// Order books as notifications leave them, by instrument.
    struct OrderBook {
        var bids: [OrderLevel] = []
        var asks: [OrderLevel] = []
        var timestamp = Timestamp(milliseconds: 0)
        /// The last change; nil where one was missed, until the next snapshot.
        var change: Double?
    }

    var orderBooks: [String: OrderBook] = [:]
    var lastTickers: [String: Ticker] = [:]
    /// The latest price of the options' future, by `Instrument.series`.
    var forwards: [String: Ticker] = [:]

    var otherKinds: [String] = []
    var otherMessages: [String: Int] = [:]
    var gaps = 0
    var marksWithoutFuture = 0
    private var implied = 0
    private var intrinsic = 0
    private var doubts: [MarketError] = []
    /// Options by name whose latest row in the files' order could not be used.
    private(set) var unreadable: [String: Instrument] = [:]

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
    private mutating func read(
        _ fields: some TickerFields, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) -> Ticker? {
        do throws(MarketError) {
            guard let ticker = ticker(try fields.reading()) else { return nil }
            try add(ticker)
            if !unreadable.isEmpty { unreadable[ticker.instrument.name] = nil }
            return ticker
        } catch {
            if let option = fields.namedOption { unreadable[option.name] = option }
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

    /// Members that may hold a message's content: the first that is there does.
    private static let envelopes = ["result", "data", "list", "info"]

    private mutating func readObjects(
        _ source: Source, _ badRows: inout BadRows, _ add: (Ticker) throws(MarketError) -> Void
    ) throws(MarketError) {
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
            let error = value["error"].flatMap { $0.isNull ? nil : $0 } ?? value.refusal
            if error == nil, let inner = Self.envelopes.lazy.compactMap({ value[$0] }).first, !inner.isNull {
                pending.append((inner, time))
                continue
            }
            do throws(MarketError) {
                if let error {
                    throw .invalidValue(
                        file: source.name, line: error.line, column: "error", value: source.text(of: error),
                        reason: "the exchange refused the request")
                }
                if let parameters = value["params"], let channel = parameters["channel"]?.string {
                    if let data = parameters["data"] {
                        let file = source
                        let messages = try notification(channel, data, file, add)
                        pending += messages.reversed().map { ($0, nil) }
                    }
                } else if let layout = TickerLayout.best({ value[$0] != nil }) {
                    let fields = ObjectFields(source: source, object: value, layout: layout, time: time)
                    if let ticker = try read(fields, add) { remember(ticker) }
                } else if let members = value.members, !members.isEmpty,
                    members.allSatisfy({ $0.members != nil })
                {
                    pending += members.reversed().map { ($0, time) }
                } else if value["method"] != nil || value["jsonrpc"] != nil {
                    otherMessages["requests", default: 0] += 1
                } else {
                    throw .invalidValue(
                        file: source.name, line: value.line, column: TickerLayout.general.name(.instrument),
                        value: "", reason: "is missing")
                }
            } catch {
                try badRows.note(error)
            }
        }
    }

    /// Keeps a ticker, on which later notifications of less build.
    mutating func remember(_ ticker: Ticker) {
        lastTickers[ticker.instrument.name] = ticker
        if ticker.instrument.isOption { forwards[ticker.instrument.series] = ticker }
    }

    // MARK: What there is to say

    /// Number of rows and messages left out, being no tickers of known kinds.
    var leftOut: Int { otherKinds.count + otherMessages.values.reduce(0, +) + marksWithoutFuture }

    /// A sentence each.
    var remarks: [String] {
        var remarks: [String] = []
        if !otherKinds.isEmpty {
            let names = Set(otherKinds).sorted()
            let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
            remarks.append("left out \(otherKinds.count.counted("combination")) of contracts: \(shown)")
        }
        if !otherMessages.isEmpty {
            let parts = otherMessages.keys.sorted().map { "\(otherMessages[$0] ?? 0) \($0)" }
            remarks.append("left out messages without tickers: \(parts.joined(separator: ", "))")
        }
        if marksWithoutFuture > 0 {
            remarks.append(
                "left out \(marksWithoutFuture.counted("mark")) of options whose future has no price yet")
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

extension JSON {
    /// The values of an object's members, in the order in which they stand.
    fileprivate var members: [JSON]? {
        guard case .object(let members) = content else { return nil }
        return members.values.sorted { $0.start < $1.start }
    }

    /// The code of a reply that says that it is no answer.
    fileprivate var refusal: JSON? {
        for (name, message) in [("retCode", "retMsg"), ("code", "msg")] where self[message] != nil {
            if let code = self[name], let number = code.number, number != 0 {
                return self
            }
        }
        return nil
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
