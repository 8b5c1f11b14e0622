import Desk
import ExchangeServer
import Foundation
import Journal
import Live
import TestExchange
import Testing
import VenueClient
import VenueProtocol

/// An agent's desk on a link's core and a venue, all in one thread and under one clock: everything but the sockets.
final class LiveLine {
    /// Requests to the link's core, and what a test wants to know of them.
    final class Door: VenueDoor {
        var line: LinkLine?
        /// Labels in the order in which they were sent.
        var placed: [String] = []
        var cancelled = 0
        /// Called before an order leaves.
        var willPlace: (OrderRequest) -> Void = { _ in }

        func send(_ request: VenueRequest, tag: Int) {
            guard let line else { return }
            if case .place(let order) = request {
                willPlace(order)
                placed.append(order.label ?? "")
            }
            if case .cancel = request { cancelled += 1 }
            line.core.send(request, tag: tag, at: line.now)
        }
        func follow(_ channels: [String]) { if let line { line.core.follow(channels, at: line.now) } }
        func unfollow(_ channels: [String]) { if let line { line.core.unfollow(channels, at: line.now) } }
    }

    static let alice = 1

    let venue: Venue
    let path: String
    let configuration: AgentConfiguration
    private(set) var link: LinkLine
    private(set) var live: LiveDesk
    private(set) var door = Door()
    private(set) var reports: [DeskReport] = []
    private var told = 0
    /// Once an order has left, nothing more comes in: the process is about to be killed.
    var isDeafAfterSending = false
    /// Labels that left, of all processes.
    private(set) var allPlaced: [String] = []
    private var runs: UInt64 = 0

    init(
        _ venue: Venue = Venue(), mode: LiveDesk.Mode = .live,
        _ change: (inout AgentConfiguration) -> Void = { _ in }
    )
        throws
    {
        self.venue = venue
        path = NSTemporaryDirectory() + "poise-live-\(UUID().uuidString).sqlite"
        var configuration = AgentConfiguration()
        configuration.venue.url = "ws://127.0.0.1:1"
        configuration.venue.reviewSeconds = 5
        configuration.journal.file = path
        configuration.desk.limits = [LimitSetting("BTC", "delta", low: -5_000, high: 5_000, landing: 0.5)]
        configuration.desk.candidates.optionExpiries = 0
        change(&configuration)
        self.configuration = configuration
        (link, live) = try Self.process(venue, configuration, mode, 1)
        join()
    }

    deinit {
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
    }

    private static func process(
        _ venue: Venue, _ configuration: AgentConfiguration, _ mode: LiveDesk.Mode, _ seed: UInt64
    ) throws -> (LinkLine, LiveDesk) {
        let live = try LiveDesk(
            configuration, mode: mode, journal: Journal(path: configuration.journal.file),
            engine: GreeksComputer(), version: "test", at: venue.clock.microseconds)
        let link = LinkLine(venue, seed: seed) { settings in
            let (orders, requests) = (settings.connection.orders, settings.connection.requests)
            settings = configuration.link(settings.credentials, tradesSince: live.tradesSince)
            (settings.connection.orders, settings.connection.requests) = (orders, requests)
        }
        return (link, live)
    }

    private func join() {
        (told, door) = (0, Door())
        door.line = link
        live.door = door
        live.said = { [unowned self] in reports.append($0) }
    }

    /// The process is killed: the venue sees its connections go. Another one takes up the journal.
    func restart(after seconds: Double = 0) throws {
        allPlaced += door.placed
        live.door = nil
        link.cut()
        isDeafAfterSending = false
        if seconds > 0 { venue.pass(seconds: seconds) }
        runs += 1
        (link, live) = try Self.process(venue, configuration, live.mode, runs + 1)
        join()
    }

    func feed() throws {
        while told < link.events.count {
            if isDeafAfterSending, !door.placed.isEmpty { return }
            let new = Array(link.events[told...])
            told = link.events.count
            try live.take(new)
            try link.carry()
        }
    }

    func run(seconds: Double, until isEnough: () -> Bool = { false }) throws {
        for _ in 0..<Int(seconds * 10) {
            move()
            try link.run(seconds: 0.1) { try feed() }
            try feed()
            if isEnough() { return }
        }
    }

    // MARK: The venue

    private var turns = 0

    /// A market that lives: index and mark go to and fro by half a dollar.
    private func move() {
        turns += 1
        let price: Double = turns % 10 < 5 ? 90_000 : 90_000.5
        venue.exchange.setIndex(0, price: price)
        venue.exchange.setIndex(1, price: price / 30)
        venue.exchange.setMark(perpetual, price: price)
    }

    var perpetual: Int { venue.exchange.contract(named: Venue.perpetual) ?? 0 }

    /// Makers' depth on both sides, in dollars.
    func quote(bid: Double = 89_999.5, ask: Double = 90_000.5, dollars: Int = 1_000_000) {
        for (side, price) in [(Direction.buy, bid), (.sell, ask)] {
            venue.exchange.quote(
                perpetual, account: venue.maker, side,
                [(Scales.units(price) ?? 0, dollars * Scales.units)])
        }
    }

    /// A person trades on the account, by hand.
    func trade(_ direction: Direction, dollars: Int) {
        venue.exchange.take(perpetual, account: Self.alice, direction, amount: dollars * Scales.units)
    }

    func fault(_ kind: FaultKind, _ change: (inout FaultRule) -> Void = { _ in }) {
        var rule = FaultRule(kind)
        change(&rule)
        venue.service.faults.add(rule, at: venue.exchange.time)
    }

    // MARK: What has to hold

    var venueOrders: [ExchangeOrder] {
        (venue.exchange.openOrders(of: Self.alice) + venue.exchange.closedOrders(of: Self.alice)).filter {
            !$0.label.isEmpty
        }
    }

    func reported(_ kind: DeskReport.Kind) -> [DeskReport] { reports.filter { $0.kind == kind } }

    /// No order twice, no fill lost or double, positions the venue's.
    func expectSame(_ comment: Comment) throws {
        let labels = venueOrders.map(\.label)
        #expect(Set(labels).count == labels.count, comment)
        let placed = allPlaced + door.placed
        #expect(Set(placed).count == placed.count, comment)
        let trades = venue.exchange.trades(of: Self.alice)
        #expect(live.desk.counters.fills == trades.count, comment)
        for trade in trades {
            #expect(live.desk.hasCounted(venue.exchange.userTrade(trade, of: Self.alice)), comment)
        }
        for number in 0..<venue.exchange.contractCount {
            let size = venue.exchange.position(number, of: Self.alice).size
            #expect(live.desk.position(venue.exchange.name(of: number)) == Quantity(size), comment)
        }
        #expect(live.desk.mismatches.isEmpty, comment)
    }

    /// And the exposure inside its band, with nothing unknown.
    func expectHedged(_ comment: Comment) throws {
        try expectSame(comment)
        let delta = try #require(live.desk.lookedAt.first, comment)
        #expect(delta.value >= delta.low && delta.value <= delta.high, "\(comment): \(delta.value)")
        #expect(!live.desk.orders.contains { $0.phase == .unknown }, comment)
        #expect(live.desk.isReady, "\(comment): \(live.desk.notReady ?? "")")
    }
}
