import Desk
import ExchangeServer
import Foundation
import Journal
import Live
import TestExchange
import TestMarket
import VenueClient
import VenueProtocol

/// A desk of many books on a venue, with everything between a message's bytes and an order's: link, desk, decisions, guards,
/// journal. In one thread, without a network.
final class DeskLine {
    private static let account = "desk"

    private final class Door: VenueDoor {
        weak var line: DeskLine?
        func send(_ request: VenueRequest, tag: Int) {
            guard let line else { return }
            line.wire.core.send(request, tag: tag, at: line.wire.now)
        }
        func follow(_ channels: [String]) {
            guard let line else { return }
            line.wire.core.follow(channels, at: line.wire.now)
        }
        func unfollow(_ channels: [String]) {
            guard let line else { return }
            line.wire.core.unfollow(channels, at: line.wire.now)
        }
    }

    /// Microseconds, by what the message was.
    struct Figures {
        var idle: [Double] = []
        var index: [Double] = []
        var perpetual: [Double] = []
        var option: [Double] = []
        /// With the journal's write, and without it.
        var hedged: [Double] = []
        var decided: [Double] = []
    }

    private let exchange: Exchange
    private let service: VenueService
    private let market: Market
    private let clock = Wire.Clock(LoadLine.start)
    private let wire: Wire
    private let live: LiveDesk
    private let door = Door()
    private let owner: Int
    private let depth: Int
    private let journal: String
    private var pending: [VenueEvent] = []

    init(books: Int, contracts: Int, linesOfLimits: Int, journals: String) throws {
        exchange = Exchange(
            ExchangeConfiguration(
                start: LoadLine.start, currencies: ["BTC"],
                indices: [.init(name: "btc_usd", base: "BTC", price: 90_000)]))
        owner = exchange.openAccount(name: Self.account, clientID: Self.account, clientSecret: "secret")
        depth = exchange.openAccount(name: "depth", clientID: "", clientSecret: "", isHouse: true)
        exchange.deposit(1_000_000 * Scales.money, currency: "BTC", to: owner)
        var listing = Listing(underlyings: [.bitcoin])
        // Nine expiries, calls and puts.
        listing.underlyings[0].strikesPerSide = max(1, (contracts / 18 - 1) / 2)
        listing.underlyings[0].strikeStep = 2
        market = try Market(exchange, listing, MarketConfiguration())
        var venue = VenueConfiguration()
        venue.limits.isEnforced = false
        let clock = clock
        service = VenueService(
            exchange, venue, now: { clock.microseconds }, makeSecret: clock.secret)
        journal = journals + "/agent-load-\(UUID().uuidString).sqlite"
        let positions = Self.trade(exchange, owner: owner, depth: depth)
        let configuration = Self.configuration(
            journal: journal, books: books, lines: linesOfLimits, positions)
        live = try LiveDesk(
            configuration, journal: Journal(path: journal), engine: GreeksComputer(), version: "load",
            at: clock.microseconds)
        var link = configuration.link(
            Credentials(clientID: Self.account, secret: "secret"), tradesSince: [:])
        link.connection.orders = RateLimit(burst: 1 << 30, rate: 1 << 30)
        link.connection.requests = RateLimit(burst: 1 << 30, rate: 1 << 30)
        link.connection.buckets = []
        wire = Wire(VenueLinkCore(link, at: clock.microseconds, random: { 0.5 }), service, clock)
        door.line = self
        live.door = door
        wire.told = { [unowned self] in pending.append($0) }
        for _ in 0..<600 where !isSettled { try pass() }
        guard isSettled else {
            throw VenueFault(.internalError, detail: .init(reason: live.desk.notReady ?? "prices"))
        }
    }

    deinit {
        for end in ["", "-wal", "-shm", ".lock"] {
            try? FileManager.default.removeItem(atPath: journal + end)
        }
    }

    var held: Int { live.desk.holdings.count }
    var candidates: Int { live.desk.candidateCount }

    private var isSettled: Bool {
        live.desk.isReady && held > 0 && live.desk.ages.allSatisfy { $0.ticker < 600_000 }
    }

    /// Trades of every option, coins of it long and short by turns.
    private static func trade(
        _ exchange: Exchange, owner: Int, depth: Int
    ) -> [(name: String, amount: Double)] {
        var positions: [(name: String, amount: Double)] = []
        for number in exchange.liveContracts where exchange.instrument(number).kind == .option {
            let instrument = exchange.instrument(number)
            let side: Direction = positions.count / 2 % 2 == 0 ? .buy : .sell
            let mark = exchange.ticker(number).markPrice
            guard
                let price = Scales.units(
                    max(instrument.tickSize(at: mark), instrument.priceOnTick(mark, side)))
            else { continue }
            let before = exchange.position(number, of: owner).size.value
            exchange.quote(number, account: depth, side.opposite, [(price, Scales.units)])
            exchange.take(number, account: owner, side, amount: Scales.units)
            let amount = exchange.position(number, of: owner).size.value - before
            if amount != 0 { positions.append((exchange.name(of: number), amount)) }
        }
        return positions
    }

    private static func configuration(
        journal: String, books: Int, lines: Int, _ positions: [(name: String, amount: Double)]
    ) -> AgentConfiguration {
        var configuration = AgentConfiguration()
        configuration.venue.url = "ws://127.0.0.1:1"
        configuration.venue.reviewSeconds = 3_600
        configuration.journal.file = journal
        configuration.journal.snapshotMinutes = 1_440
        var desk = DeskConfiguration()
        desk.books = (0..<books).map { book in
            BookSetting(
                "book-\(book)",
                positions.indices.filter { $0 % books == book }.map {
                    BookPosition(positions[$0].name, positions[$0].amount)
                })
        }
        desk.limits =
            lines == 1
            ? [LimitSetting("BTC", "delta", low: -100_000, high: 100_000, landing: 0)]
            : (0..<lines).map {
                LimitSetting(book: "book-\($0)", "BTC", "delta", low: -1e9, high: 1e9, landing: 0)
            }
        desk.candidates.futures = true
        (desk.candidates.optionExpiries, desk.candidates.optionStrikes) = (1, 6)
        (desk.execution.decisionInterval, desk.execution.rest) = (5, 1)
        desk.guards.ordersPerSecond = 1_000_000
        (desk.guards.ordersPerDay, desk.guards.repeatedOrders) = (100_000_000, 100_000_000)
        desk.guards.orderNotional = 1e12
        // Prices come when the measurement has them come.
        (desk.guards.tickerAge, desk.guards.bookAge, desk.guards.indexAge) = (1 << 40, 1 << 40, 1 << 40)
        (desk.guards.accountAge, desk.guards.positionsAge) = (1 << 40, 1 << 40)
        configuration.desk = desk
        return configuration
    }

    // MARK: Time

    /// A tenth of a second at both ends.
    private func pass() throws {
        clock.microseconds += 100_000
        market.run(to: exchange.time + 100)
        exchange.advance(to: clock.microseconds / 1_000)
        service.tick()
        wire.core.tick(at: wire.now)
        try carry()
    }

    private func carry() throws {
        repeat {
            wire.carry()
            let events = pending
            pending.removeAll(keepingCapacity: true)
            if !events.isEmpty { try live.take(events) }
        } while !pending.isEmpty || wire.core.hasEffects
    }

    // MARK: Measuring

    /// - Returns: the microseconds until an order's bytes were there, or until nothing was left to do; and whether there was an order.
    private func time(_ message: [UInt8]) throws -> (microseconds: Double, hasOrder: Bool) {
        let start = AgentLoad.wallTime()
        wire.core.received(.market, message, at: wire.now)
        var (events, effects): ([VenueEvent], [VenueLinkCore.Effect]) = ([], [])
        for effect in wire.core.takeEffects() {
            if case .event(let event) = effect { events.append(event) } else { effects.append(effect) }
        }
        try live.take(events)
        effects += wire.core.takeEffects()
        let end = AgentLoad.wallTime()
        let hasOrder = effects.contains { if case .send(.trading, _) = $0 { true } else { false } }
        for effect in effects { wire.perform(effect) }
        try carry()
        return ((end - start) * 1e6, hasOrder)
    }

    private func index(_ price: Double) -> [UInt8] {
        var index = IndexPrice()
        (index.indexName, index.price, index.timestamp) = ("btc_usd", price, wire.now / 1_000)
        return Notification(channel: "deribit_price_index.btc_usd", content: index).json
    }

    private func ticker(_ number: Int) -> [UInt8] {
        var ticker = exchange.ticker(number)
        ticker.timestamp = wire.now / 1_000
        return Notification(channel: "ticker.\(ticker.instrumentName).100ms", content: ticker).json
    }

    /// Ticks ten milliseconds apart, each of which is decided on; every so many a trade by hand takes the exposure out of its band
    /// just before.
    func measure(ticks: Int, hedgeEvery: Int) throws -> Figures {
        var figures = Figures()
        let perpetual = exchange.contract(named: LoadLine.perpetual) ?? 0
        let options = exchange.liveContracts.filter { exchange.instrument($0).kind == .option }
        let mark = exchange.ticker(perpetual).markPrice
        for number in 0..<ticks {
            clock.microseconds += 10_000
            exchange.advance(to: wire.now / 1_000)
            let price = 90_000 + Double(number % 7) * 0.01
            if number % hedgeEvery == hedgeEvery - 1 {
                try trade(perpetual, mark, number / hedgeEvery % 2 == 0 ? .buy : .sell)
                clock.microseconds += 10_000
                let before = live.journal?.timeWriting ?? .zero
                let (microseconds, hasOrder) = try time(index(price))
                guard hasOrder else { continue }
                let written = (live.journal?.timeWriting ?? .zero) - before
                figures.hedged.append(microseconds)
                figures.decided.append(microseconds - written / .microseconds(1))
                continue
            }
            figures.index.append(try time(index(price)).microseconds)
            figures.idle.append(try time(index(price)).microseconds)
            clock.microseconds += 10_000
            figures.perpetual.append(try time(ticker(perpetual)).microseconds)
            clock.microseconds += 10_000
            figures.option.append(try time(ticker(options[number % options.count])).microseconds)
        }
        return figures
    }

    /// A person trades on the account: the desk hears of it, and has just decided.
    private func trade(_ perpetual: Int, _ mark: Double, _ side: Direction) throws {
        for (own, price) in [(Direction.buy, mark - 0.5), (.sell, mark + 0.5)] {
            let tick = exchange.instrument(perpetual).priceOnTick(price, own)
            exchange.quote(
                perpetual, account: depth, own, [(Scales.units(tick) ?? 0, 10_000_000 * Scales.units)])
        }
        service.tick()
        try carry()
        clock.microseconds += 10_000
        _ = try time(index(90_000))
        exchange.take(perpetual, account: owner, side, amount: 400_000 * Scales.units)
        service.tick()
        try carry()
    }
}
