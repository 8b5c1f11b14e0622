import Desk
import VenueClient
import VenueProtocol

/// A desk's books against the venue's own lists: trades, positions, open orders, and the transaction log with its money.
public struct VenueAudit: Sendable {
    public private(set) var trades = 0
    public private(set) var entries = 0
    public private(set) var faults: [String] = []
    /// What was left out, and why.
    public private(set) var remarks: [String] = []

    /// How long the venue lists trades.
    static let retention = 24 * 3_600_000

    /// - Throws: `AuditError` where the venue does not answer.
    public static func run(
        _ configuration: AgentConfiguration, _ credentials: Credentials, desk: Desk
    ) async throws -> VenueAudit {
        guard let adopted = desk.adoptedAt else {
            throw AuditError(reason: "the books were never given anything")
        }
        var settings = VenueLinkConfiguration(
            address: configuration.address ?? .init(host: "", port: 0, tls: nil), credentials: credentials)
        settings.currencies = configuration.currencies
        settings.indices = []
        settings.followsBook = { _ in false }
        settings.followsTicker = { _ in false }
        settings.chainInterval = nil
        let link = try await VenueLink.connect(settings)
        var line = AuditLine(link)
        var audit = VenueAudit()
        do {
            try await line.opens()
            let now = Int(try await line.ask("public/get_time", Selection()).number ?? 0)
            let since = max(adopted, now - retention)
            var seen = 0
            for currency in configuration.currencies {
                let listed = try await line.trades(currency, since: since)
                seen += listed.count
                audit.check(listed, desk)
                try await audit.check(currency, line.log(currency, since: since, now: now), listed, desk)
            }
            audit.trades = seen
            if since == adopted {
                if seen != desk.counters.fills {
                    audit.faults.append(
                        "the venue lists \(seen) trades, the books have counted \(desk.counters.fills)")
                }
            } else {
                audit.remarks.append(
                    "trades of more than a day ago are not listed: their number is not compared")
            }
            audit.check(try await [Position](line.ask("private/get_positions", Selection())), desk)
            let open = try await [VenueOrder](line.ask("private/get_open_orders", Selection()))
            for order in open where !desk.orders.contains(where: { $0.label == order.label }) {
                audit.faults.append(
                    "order \(order.orderID) \(order.label) is open, and the books do not know it")
            }
        } catch {
            try await link.stop()
            throw error
        }
        try await link.stop()
        return audit
    }

    private mutating func check(_ listed: [UserTrade], _ desk: Desk) {
        for trade in listed where !desk.hasCounted(trade) {
            faults.append("trade \(trade.tradeID) of \(trade.instrumentName) has not been counted")
        }
    }

    private mutating func check(_ positions: [Position], _ desk: Desk) {
        let venue = Dictionary(
            positions.map { ($0.instrumentName, $0.size.value) }, uniquingKeysWith: { first, _ in first })
        for name in Set(venue.keys).union(desk.positions.map(\.name)).sorted() {
            let (books, listed) = (desk.position(name), venue[name] ?? 0)
            if Quantity(listed) != books {
                faults.append("\(name): the books hold \(books.amount), the venue lists \(listed)")
            }
        }
    }

    /// Every trade is in the log once, numbers follow each other, and each balance is the one before and the change.
    private mutating func check(
        _ currency: String, _ log: [Transaction], _ trades: [UserTrade], _ desk: Desk
    ) throws {
        entries += log.count
        var numbers: [String: Int] = [:]
        for entry in log where entry.type == "trade" {
            if let trade = entry.tradeID { numbers[trade, default: 0] += 1 }
        }
        for trade in trades where numbers[trade.tradeID] != 1 {
            faults.append(
                "trade \(trade.tradeID) is \(numbers[trade.tradeID] ?? 0) times in the transaction log of \(currency)"
            )
        }
        for (before, after) in zip(log, log.dropFirst()) {
            let expected = before.balance + after.change
            // Balances are kept in hundred-millionths.
            if (expected - after.balance).magnitude > 2e-8 {
                faults.append(
                    "\(currency): entry \(after.id) changes \(before.balance) by \(after.change), and \(after.balance) is left"
                )
            }
        }
    }
}

/// Why an audit could not be made.
public struct AuditError: Error, CustomStringConvertible {
    public let reason: String
    public var description: String { reason }
}

/// One question after the other over a link.
private struct AuditLine {
    private let link: VenueLink
    private var events: VenueEvents.AsyncIterator
    private var tag = 0

    init(_ link: VenueLink) {
        self.link = link
        events = link.events.makeAsyncIterator()
    }

    mutating func opens() async throws {
        var ticks = 0
        while let event = await events.next() {
            if case .ready(.trading) = event.content { return }
            if case .tick = event.content { ticks += 1 }
            guard ticks < 30 else { break }
        }
        throw AuditError(reason: "the venue does not let this account in")
    }

    mutating func ask(_ method: String, _ selection: Selection) async throws -> JSONValue {
        tag += 1
        link.send(.call(method: method, parameters: try JSONTape(selection.json).root), tag: tag)
        while let event = await events.next() {
            guard case .outcome(tag, let outcome) = event.content else { continue }
            switch outcome {
            case .result(let result): return result
            case .fault(let fault) where fault.faultClass == .retry || fault.code == 13028:
                try await Task.sleep(for: .seconds(1))
                link.send(.call(method: method, parameters: try JSONTape(selection.json).root), tag: tag)
            case .fault(let fault): throw AuditError(reason: "\(method): \(fault.message) (\(fault.code))")
            case .unknown(let reason): throw AuditError(reason: "\(method): \(reason)")
            case .order: throw AuditError(reason: "\(method): an order")
            }
        }
        throw AuditError(reason: "\(method): the line was closed")
    }

    mutating func trades(_ currency: String, since: Int) async throws -> [UserTrade] {
        var (result, seen): ([UserTrade], Set<String>) = ([], [])
        var next: TradePage? = TradePage(currency, since: since)
        while let page = next {
            let list = try TradeList<UserTrade>(await ask(page.method, page.selection))
            for trade in list.trades where seen.insert(trade.tradeID).inserted { result.append(trade) }
            next = try page.next(after: list)
        }
        return result
    }

    /// Oldest first.
    mutating func log(_ currency: String, since: Int, now: Int) async throws -> [Transaction] {
        var result: [Transaction] = []
        var continuation: Int?
        repeat {
            var selection = Selection()
            (selection.currency, selection.startTimestamp) = (currency, since)
            (selection.endTimestamp, selection.count) = (now + 60_000, 250)
            selection.continuation = continuation
            let page = try TransactionLog(await ask("private/get_transaction_log", selection))
            result += page.logs
            continuation = page.logs.isEmpty ? nil : page.continuation.value
        } while continuation != nil
        return result.sorted { $0.userSequence < $1.userSequence }
    }
}
