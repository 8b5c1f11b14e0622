import ExchangeServer
import TestExchange
import Testing
import VenueClient
import VenueProtocol

/// A link's core and a venue, all in one thread. What the core tells is written as JSON and read again before it is
/// believed: the picture is that of somebody who has nothing but a file of events.
final class LinkLine {
    let venue: Venue
    let core: VenueLinkCore
    private(set) var picture = VenuePicture()
    private(set) var events: [VenueEvent] = []
    private var sessions: [VenueLine: Session] = [:]
    private var inboxes: [VenueLine: Inbox] = [:]
    private var generator: SplitMix

    final class Inbox {
        var messages: [[UInt8]] = []
        var isClosed = false
    }

    init(_ venue: Venue, seed: UInt64 = 1, _ change: (inout VenueLinkConfiguration) -> Void = { _ in }) {
        self.venue = venue
        generator = SplitMix(seed: seed)
        var configuration = VenueLinkConfiguration(
            address: .init(host: "", port: 0, tls: nil),
            credentials: Credentials(clientID: "alice", secret: "secret of alice"))
        configuration.connection.orders = venue.service.configuration.limits.matching
        configuration.connection.requests = venue.service.configuration.limits.nonMatching
        change(&configuration)
        var jitter = SplitMix(seed: seed &+ 1)
        core = VenueLinkCore(configuration, at: venue.clock.microseconds, random: { jitter.uniform() })
    }

    /// Both connections are gone, and nobody here knows: as when a process is killed.
    func cut() {
        for session in sessions.values { venue.service.disconnect(session) }
        sessions.removeAll()
        inboxes.removeAll()
    }

    var now: Int { venue.clock.microseconds }
    func random() -> Double { generator.uniform() }

    /// What the events of a run were, by their JSON's type.
    func count(_ isWanted: (VenueEvent.Content) -> Bool) -> Int { events.count { isWanted($0.content) } }

    func outcome(_ tag: Int) throws -> RequestOutcome {
        let found = events.compactMap { event -> RequestOutcome? in
            if case .outcome(tag, let outcome) = event.content { outcome } else { nil }
        }
        #expect(found.count == 1, "one outcome of \(tag)")
        return try #require(found.first)
    }

    func send(_ request: VenueRequest, tag: Int) throws {
        core.send(request, tag: tag, at: now)
        try carry()
    }

    /// Lets time pass at both ends.
    func run(seconds: Double, _ each: () throws -> Void = {}) throws {
        for _ in 0..<Int(seconds * 10) {
            venue.pass(seconds: 0.1)
            core.tick(at: now)
            try carry()
            try each()
            try carry()
        }
    }

    func carry() throws {
        while true {
            let effects = core.takeEffects()
            for effect in effects { try perform(effect) }
            if effects.isEmpty, !deliver() { return }
        }
    }

    private func perform(_ effect: VenueLinkCore.Effect) throws {
        switch effect {
        case .connect(let line):
            guard venue.service.mayConnect else { return core.closed(line, "429", at: now) }
            let inbox = Inbox()
            inboxes[line] = inbox
            sessions[line] = venue.service.connect(
                send: { inbox.messages.append($0) }, close: { _ in inbox.isClosed = true })
            core.opened(line, at: now)
        case .send(let line, let bytes):
            if let session = sessions[line] { venue.service.receive(bytes, from: session) }
        case .close(let line):
            if let session = sessions.removeValue(forKey: line) { venue.service.disconnect(session) }
            inboxes[line] = nil
        case .event(let event):
            let read = try VenueEvent(try JSONTape(event.json).root)
            events.append(read)
            picture.apply(read)
        }
    }

    /// - Returns: whether there was anything.
    private func deliver() -> Bool {
        for line in VenueLine.allCases {
            guard let inbox = inboxes[line], sessions[line] != nil else { continue }
            if !inbox.messages.isEmpty {
                core.received(line, inbox.messages.removeFirst(), at: now)
                return true
            }
            guard inbox.isClosed else { continue }
            sessions[line] = nil
            inboxes[line] = nil
            core.closed(line, "closed by the venue", at: now)
            return true
        }
        return false
    }
}

/// Whether the picture that a link's events make is the venue's own, to the last unit.
func expectSame(_ line: LinkLine, _ comment: Comment) throws {
    let (exchange, account, market) = (line.venue.exchange, line.picture.account, line.picture.market)
    let alice = 1
    #expect(line.core.isReady, comment)
    #expect(line.picture.ready == Set(VenueLine.allCases), comment)
    #expect(account.unknownLabels.isEmpty, comment)
    // Orders.
    let open = exchange.openOrders(of: alice).map { exchange.view($0) }.sorted { $0.orderID < $1.orderID }
    #expect(account.openOrders.map(\.orderID) == open.map(\.orderID), comment)
    #expect(account.openOrders.map(\.filledAmount) == open.map(\.filledAmount), comment)
    #expect(account.openOrders.map(\.amount) == open.map(\.amount), comment)
    #expect(account.openOrders.map(\.price) == open.map(\.price), comment)
    // Fills, positions, cash.
    let trades = exchange.trades(of: alice).map { exchange.userTrade($0, of: alice) }
    #expect(account.trades.count == trades.count, comment)
    #expect(Set(account.trades.values.map(\.tradeID)) == Set(trades.map(\.tradeID)), comment)
    #expect(
        line.count { if case .account(.trade) = $0 { true } else { false } } == trades.count, comment)
    let positions = exchange.positions(of: alice).map { exchange.position($0.contract, of: alice) }
    for position in positions {
        #expect(account.positions[position.instrumentName]?.size == position.size, comment)
    }
    #expect(account.positions.values.filter { $0.size.value != 0 }.count == positions.count, comment)
    for (number, currency) in exchange.currencies.enumerated() {
        let figures = exchange.figures(of: alice, currency: number)
        #expect(account.portfolios[currency]?.balance == figures.balance, comment)
    }
    // What was sent: once or never, and known.
    let orders = exchange.openOrders(of: alice) + exchange.closedOrders(of: alice)
    let labels = orders.map(\.label).filter { !$0.isEmpty }
    #expect(Set(labels).count == labels.count, comment)
    for (label, intent) in account.intents {
        switch intent {
        case .order: #expect(labels.contains(label), comment)
        case .refused, .neverArrived: #expect(!labels.contains(label), comment)
        case .sent, .unknown: Issue.record("\(label) is undecided: \(comment)")
        }
    }
    // Books and instruments.
    let live = exchange.liveContracts.map { exchange.name(of: $0) }
        .filter { !$0.contains("USDC") }
    #expect(Set(market.instruments.keys) == Set(live), comment)
    for (name, instrument) in market.instruments where instrument.kind == .future {
        let contract = try #require(exchange.contract(named: name))
        let book = try #require(market.books[name]?.value, comment)
        #expect(book.isValid, comment)
        #expect(book.bids == exchange.levels(contract, .buy), comment)
        #expect(book.asks == exchange.levels(contract, .sell), comment)
    }
}
