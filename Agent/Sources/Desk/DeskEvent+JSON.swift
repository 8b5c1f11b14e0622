import VenueProtocol

/// An event in a journal: an object with the time and one member that is named as the case.
extension DeskEvent {
    public init(_ json: JSONValue) throws(VenueProtocolError) {
        guard let time = json["time"]?.integer else { throw .missing(path: "time") }
        self.time = time
        if let value = json["ticker"] {
            content = .ticker(try MarketTicker(value))
        } else if let value = json["book"] {
            content = .book(try BookView(value))
        } else if let value = json["volatilities"] {
            content = .volatilities(try [MarkPrice](value))
        } else if let value = json["index"] {
            content = .index(try IndexPrice(value))
        } else if json["timer"] != nil {
            content = .timer
        } else if json["checkpoint"] != nil {
            content = .checkpoint
        } else if let value = json["order"] {
            content = .order(try VenueOrder(value))
        } else if let value = json["trades"] {
            content = .trades(try [UserTrade](value))
        } else if let value = json["reply"] {
            content = .reply(try LabelledReply(value))
        } else if let value = json["refused"] {
            content = .refused(try LabelledFault(value))
        } else if let value = json["unknown"] {
            content = .unknown(label: try String(value))
        } else if let value = json["absent"] {
            content = .absent(label: try String(value))
        } else if let value = json["cancel_refused"] {
            content = .cancelRefused(try LabelledFault(value))
        } else if let value = json["open_orders"] {
            content = .openOrders(try [VenueOrder](value))
        } else if let value = json["positions"] {
            content = .positions(try [Position](value))
        } else if let value = json["account"] {
            content = .account(try AccountLine(value))
        } else if let value = json["started"] {
            content = .started(try RunStart(value))
        } else if let value = json["instruments"] {
            content = .instruments(try [VenueInstrument](value))
        } else if let value = json["state"] {
            content = .state(try InstrumentStateChange(value))
        } else if let value = json["delivered"] {
            content = .delivered(try Delivery(value))
        } else if let value = json["line"] {
            content = .line(try LineState(value))
        } else if let value = json["reference"] {
            content = .reference(try ReferencePrice(value))
        } else if let value = json["command"] {
            content = .command(try OperatorCommand(value))
        } else {
            throw .unexpected(
                path: "", expected: "an event", found: String(decoding: json.text, as: UTF8.self))
        }
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("time", time)
            switch content {
            case .started(let start): writer.member("started", start)
            case .instruments(let list): writer.member("instruments", list)
            case .state(let change): writer.member("state", change)
            case .delivered(let delivery): writer.member("delivered", delivery)
            case .ticker(let ticker): writer.member("ticker", ticker)
            case .volatilities(let list): writer.member("volatilities", list)
            case .book(let book): writer.member("book", book)
            case .index(let index): writer.member("index", index)
            case .line(let line): writer.member("line", line)
            case .openOrders(let list): writer.member("open_orders", list)
            case .order(let order): writer.member("order", order)
            case .trades(let trades): writer.member("trades", trades)
            case .reply(let reply): writer.member("reply", reply)
            case .refused(let fault): writer.member("refused", fault)
            case .unknown(let label): writer.member("unknown", label)
            case .absent(let label): writer.member("absent", label)
            case .cancelRefused(let fault): writer.member("cancel_refused", fault)
            case .positions(let list): writer.member("positions", list)
            case .account(let line): writer.member("account", line)
            case .reference(let price): writer.member("reference", price)
            case .command(let command): writer.member("command", command)
            case .timer: writer.member("timer", true)
            case .checkpoint: writer.member("checkpoint", true)
            }
        }
    }

    /// As a journal keeps it.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}
