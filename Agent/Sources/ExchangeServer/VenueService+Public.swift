import TestExchange
import VenueProtocol

/// An object put together from parts.
struct Members: VenueValue {
    var values: [(name: String, value: any VenueValue)]

    init(_ values: [(name: String, value: any VenueValue)]) { self.values = values }
    init(_ json: JSONValue) throws(VenueProtocolError) {
        values = (json.members ?? []).map { ($0.key, $0.value) }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in values {
                writer.key(name)
                value.write(to: &writer)
            }
        }
    }
}

extension VenueService {
    func perform(_ call: Call) throws(VenueFault) -> any VenueValue {
        switch call.method {
        case "public/auth": return try authenticate(call)
        case "public/hello", "public/test":
            if call.method == "public/test", call.parameters["expected_result"]?.isText("exception") == true {
                throw invalid("expected_result", "exception")
            }
            return Members([("version", "1.2.26")])
        case "public/get_time": return exchange.time + clockSkew
        case "public/status":
            let locked = isInMaintenance ? "true" : lockedIndices.isEmpty ? "false" : "partial"
            return Members([("locked", locked), ("locked_indices", lockedIndices.sorted())])
        case "public/set_heartbeat":
            let interval = try count(call, "interval")
            guard call.session.isPersistent else { throw VenueFault(.mustBeWebSocket) }
            guard interval >= 10 else { throw invalid("interval", "must be at least 10") }
            call.session.heartbeat = interval
            call.session.lastHeartbeat = now()
            return "ok"
        case "public/disable_heartbeat":
            call.session.heartbeat = nil
            call.session.awaitsTest = false
            return "ok"
        case "public/subscribe", "private/subscribe": return try subscribe(call)
        case "public/unsubscribe", "private/unsubscribe": return try unsubscribe(call)
        case "public/unsubscribe_all", "private/unsubscribe_all":
            for key in call.session.channels { channels[key]?.subscribers.removeAll { $0 === call.session } }
            call.session.channels = []
            return "ok"
        case "public/get_currencies": return currencies()
        case "public/get_instruments": return try instruments(call)
        case "public/get_instrument": return exchange.instrument(try contract(call))
        case "public/get_contract_size":
            return Members([("contract_size", exchange.instrument(try contract(call)).contractSize)])
        case "public/ticker": return exchange.ticker(try contract(call))
        case "public/get_order_book":
            let number = try contract(call)
            let depth = try read(call, as: Selection.self).depth ?? 5
            guard (1...10_000).contains(depth) else { throw invalid("depth") }
            return exchange.bookReply(number, depth: depth)
        case "public/get_book_summary_by_instrument": return [exchange.summary(try contract(call))]
        case "public/get_book_summary_by_currency":
            return try live(call).map { exchange.summary($0) }
        case "public/get_index_price":
            guard let name = try read(call, as: Selection.self).indexName,
                let index = exchange.indices.first(where: { $0.name == name })
            else { throw invalid("index_name") }
            let price = Scales.price(index.price)
            return Members([("index_price", price), ("estimated_delivery_price", price)])
        case "public/get_index_price_names": return exchange.indices.map(\.name)
        case "public/get_last_trades_by_instrument", "public/get_last_trades_by_instrument_and_time":
            return try lastTrades(call, [try contract(call)])
        case "public/get_last_trades_by_currency", "public/get_last_trades_by_currency_and_time":
            return try lastTrades(call, try live(call))
        case "public/get_tradingview_chart_data": return try chartData(call)
        case "public/get_expirations": return try expirations(call)
        default:
            guard call.method.hasPrefix("private/") else { throw VenueFault(.methodNotFound) }
            return try performPrivate(call)
        }
    }

    func count(_ call: Call, _ name: StaticString) throws(VenueFault) -> Int {
        guard let value = call.parameters[name]?.integer ?? call.parameters[name]?.string.flatMap({ Int($0) })
        else {
            throw invalid("\(name)")
        }
        return value
    }

    func contract(_ call: Call) throws(VenueFault) -> Int {
        guard let name = try read(call, as: Selection.self).instrumentName,
            let number = exchange.contract(named: name)
        else { throw invalid("instrument_name") }
        return number
    }

    /// Currencies that the real exchange has and this one has nothing in: clients ask for all of them.
    static let otherCurrencies: Set<String> = ["USDT", "EURR", "SOL"]

    /// Currency and kind of a request to numbers of contracts; `any` and nothing are all.
    func isChosen(_ selection: Selection) throws(VenueFault) -> (Int) -> Bool {
        let currency = selection.currency.flatMap { $0.lowercased() == "any" ? nil : $0.uppercased() }
        if let currency, !exchange.currencies.contains(currency), !Self.otherCurrencies.contains(currency) {
            throw invalid("currency")
        }
        let kind = selection.kind.flatMap { $0 == "any" ? nil : $0 }
        if let kind, InstrumentKind(rawValue: kind) == nil { throw invalid("kind") }
        return { [exchange] number in
            let its = exchange.kindAndCurrency(number)
            return (currency == nil || its.currency == currency) && (kind == nil || its.kind == kind)
        }
    }

    func live(_ call: Call) throws(VenueFault) -> [Int] {
        let isChosen = try isChosen(try read(call))
        return exchange.liveContracts.filter(isChosen)
    }

    private func instruments(_ call: Call) throws(VenueFault) -> [Instrument] {
        let selection: Selection = try read(call)
        let isChosen = try isChosen(selection)
        let wantsExpired = selection.isExpired ?? false
        return (0..<exchange.contractCount).filter { exchange.isAlive($0) != wantsExpired && isChosen($0) }
            .map { exchange.instrument($0) }
    }

    private func currencies() -> [Members] {
        let names = ["BTC": "Bitcoin", "ETH": "Ethereum", "USDC": "USD Coin"]
        return exchange.currencies.map { currency in
            Members([
                ("currency", currency), ("currency_long", names[currency] ?? currency),
                ("coin_type", currency == "BTC" ? "BITCOIN" : "ETHER"), ("min_confirmations", 1),
                ("min_withdrawal_fee", 0.0), ("withdrawal_fee", 0.0), ("withdrawal_priorities", [Members]()),
                ("in_cross_collateral_pool", false), ("network_fee", 0.0), ("network_currency", currency),
                ("decimals", 8), ("apr", 0.0),
            ])
        }
    }

    private func expirations(_ call: Call) throws(VenueFault) -> Members {
        var byKind: [String: Set<Int>] = [:]
        for number in try live(call) {
            byKind[exchange.kindAndCurrency(number).kind, default: []].insert(
                exchange.instrument(number).expirationTimestamp ?? VenueTime.never)
        }
        return Members(
            byKind.keys.sorted().map { kind in
                let codes = (byKind[kind] ?? []).sorted().map {
                    $0 == VenueTime.never ? "PERPETUAL" : VenueTime.code(expiry: $0)
                }
                return (kind, codes)
            })
    }

    private func lastTrades(_ call: Call, _ contracts: [Int]) throws(VenueFault) -> TradeList<PublicTrade> {
        let selection: Selection = try read(call)
        let trades = contracts.flatMap { recentTrades[$0] ?? [] }.sorted {
            ($0.time, $0.id) < ($1.time, $1.id)
        }
        let (chosen, hasMore) = page(trades, selection)
        return TradeList(chosen.map { exchange.publicTrade($0) }, hasMore: hasMore)
    }

    /// Those of trades, oldest first, that a request wants.
    func page(_ trades: [ExchangeTrade], _ selection: Selection) -> (trades: [ExchangeTrade], hasMore: Bool) {
        // Of `ETH-15` the number counts: the currency is another parameter.
        func number(_ id: String?) -> Int? { id?.split(separator: "-").last.flatMap { Int($0) } }
        let (startID, endID) = (number(selection.startID), number(selection.endID))
        let chosen = trades.filter { trade in
            (selection.startTimestamp.map { trade.time >= $0 } ?? true)
                && (selection.endTimestamp.map { trade.time <= $0 } ?? true)
                && (selection.startSequence.map { trade.sequence >= $0 } ?? true)
                && (selection.endSequence.map { trade.sequence <= $0 } ?? true)
                && (startID.map { trade.id >= $0 } ?? true) && (endID.map { trade.id <= $0 } ?? true)
        }
        let limit = min(max(selection.count ?? 10, 1), 1_000)
        // From a start trades come oldest first, else the latest ones and those first.
        let hasStart = selection.startTimestamp != nil || selection.startSequence != nil || startID != nil
        let isAscending = selection.sorting == "asc" || selection.sorting != "desc" && hasStart
        let page = isAscending ? Array(chosen.prefix(limit)) : chosen.suffix(limit).reversed()
        return (page, chosen.count > limit)
    }
}
