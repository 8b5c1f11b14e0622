import Desk
import Journal
import TestExchange
import TestMarket
import VenueProtocol

/// A desk on a test exchange in one thread, under a clock that goes as fast as it is asked to: a day in seconds, the same every
/// time. What a line does to messages (late, twice, lost) it does by a seed.
public final class Rehearsal {
    public struct Settings: Sendable {
        /// Milliseconds since 1970.
        public var start = 1_780_315_200_000
        public var seed: UInt64 = 1
        /// Milliseconds of the exchange's time from one step of the market to the next.
        public var step = 1_000
        public var volatility = 0.55
        public var price = 90_000.0
        public var strikesPerSide = 3
        /// Coins of the account.
        public var deposit = 100.0
        /// Options that the account trades before the desk begins, in coins each: positive buys. They go round the calls and puts of the
        /// nearest strikes.
        public var position = -4.0
        public var takersPerMinute = 60.0
        public var faults = LineFaults()

        public init() {}
    }

    /// Where a process can be killed: before an event is taken, when its record is on disk, when its orders are out.
    public struct Killed: Error {}

    public let settings: Settings
    public let exchange: Exchange
    public let market: Market
    public let account: Int
    public private(set) var desk: Desk
    public private(set) var journal: Journal?
    /// Everything that was said, oldest first, as much as is kept.
    public private(set) var reports: [DeskReport] = []
    /// Labels of all orders that reached the exchange's door, in their order.
    public private(set) var sentLabels: [String] = []
    /// How many places there have been at which the process could have been killed.
    public private(set) var boundaries = 0
    /// The place at which it is.
    public var killAt: Int?

    /// Everything but sending: an order is refused before it leaves.
    public var isDry = false
    private let greeks: GreeksComputer
    private let configuration: DeskConfiguration
    private var line: Line
    private var connection = 1
    private var subscribed: Set<String> = []
    private var nextReview = 0
    private var isUp = false

    /// - Throws: what desk, market and journal throw.
    public init(
        _ configuration: DeskConfiguration, _ settings: Settings = Settings(), journal: Journal? = nil
    ) throws {
        (self.configuration, self.settings) = (configuration, settings)
        self.journal = journal
        greeks = try GreeksComputer()
        exchange = Exchange(
            ExchangeConfiguration(
                start: settings.start, currencies: ["BTC", "ETH", "USDC"],
                indices: [.init(name: "btc_usd", base: "BTC", price: settings.price)]))
        account = exchange.openAccount(name: "desk", clientID: "desk", clientSecret: "desk")
        exchange.deposit(Scales.money(settings.deposit) ?? 0, currency: "BTC", to: account)
        var listing = Listing(underlyings: [.bitcoin])
        listing.underlyings[0].strikesPerSide = settings.strikesPerSide
        (listing.days, listing.weeks, listing.months, listing.quarters) = (1, 1, 1, 0)
        var living = MarketConfiguration()
        (living.seed, living.step, living.volatility) = (settings.seed, settings.step, settings.volatility)
        living.takersPerMinute = settings.takersPerMinute
        market = try Market(exchange, listing, living)
        line = Line(settings.faults, seed: settings.seed)
        desk = try Desk(configuration, engine: greeks)
        exchange.openBook(
            ofOptions: settings.position, account: account, index: "btc_usd", price: settings.price)
    }

    // MARK: The process

    /// A process begins: what the journal has is taken up, then everything is asked for.
    public func begin(version: String = "rehearsal") throws {
        var run = 1
        if let journal {
            let recovery = try journal.recover(configuration, engine: greeks)
            desk = recovery.desk
            run = try journal.begin(version: version, configuration: configuration.json, at: exchange.time)
        }
        try deliver(.started(RunStart(run: run, version: version)))
        try journal?.snapshot(desk.save(), hash: desk.stateHash, run: run)
        try connect()
    }

    /// The process is gone, with all that was on its way to it; the venue takes its orders back. Another journal takes over.
    public func crash(journal: Journal?) {
        self.journal = journal
        disconnectVenue()
    }

    private func disconnectVenue() {
        isUp = false
        line.drop()
        _ = exchange.takeEvents()
        let gone = connection
        _ = exchange.cancelAll(of: account, reason: "cancel_on_disconnect") { $0.connection == gone }
        _ = exchange.takeEvents()
        connection += 1
        subscribed.removeAll()
    }

    /// The line is lost, and the desk is told.
    public func disconnect() throws {
        disconnectVenue()
        try deliver(.line(LineState(isUp: false)))
    }

    /// A connection opens: everything is asked for before the desk may trade.
    public func connect() throws {
        isUp = true
        _ = exchange.takeEvents()
        try deliver(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: 0)))
        try deliver(.instruments(exchange.liveContracts.map { exchange.instrument($0) }))
        for contract in 0..<exchange.contractCount where !exchange.isAlive(contract) {
            try deliverEnd(contract)
        }
        for index in exchange.indices.indices { try deliverIndex(index) }
        try deliver(.trades(ownTrades(since: 0)))
        try review()
        try subscribe()
    }

    /// Lists, and the account's figures, as a review of a healthy line asks for them.
    private func review() throws {
        nextReview = exchange.time + 30_000
        try deliver(.account(AccountLine(exchange.figures(of: account, currency: 0))))
        try deliver(.trades(ownTrades(since: exchange.time - 120_000)))
        try deliver(.openOrders(exchange.openOrders(of: account).map { exchange.view($0) }))
        try deliver(.positions(positions))
    }

    private var positions: [Position] {
        exchange.positions(of: account).map { exchange.position($0.contract, of: account) }
    }

    private func ownTrades(since time: Int) -> [UserTrade] {
        exchange.trades(of: account).filter { $0.time >= time }.reversed().map {
            exchange.userTrade($0, of: account)
        }
    }

    // MARK: Time

    /// Lets market, exchange and desk go on to a time.
    public func run(to time: Int, _ eachStep: (Rehearsal) throws -> Void = { _ in }) throws {
        while exchange.time + settings.step <= time {
            try step()
            try eachStep(self)
        }
    }

    /// One step of the market, and everything that follows of it.
    public func step() throws {
        market.run(to: exchange.time + settings.step)
        guard isUp else {
            _ = exchange.takeEvents()
            try deliver(.timer)
            return
        }
        try notify()
        try drain()
        try subscribe()
        for name in subscribed.union(desk.watched).sorted() {
            if let number = exchange.contract(named: name) { try deliverTicker(number) }
        }
        for index in exchange.indices.indices { try deliverIndex(index) }
        if exchange.time >= nextReview { try review() }
        try deliver(.timer)
        try notify()
        try drain()
    }

    /// An operator's word.
    public func command(_ command: OperatorCommand) throws { try deliver(.command(command)) }

    /// Ends the process as it should end: nothing open.
    public func end() throws {
        let ending = "the process"
        try deliver(.command(OperatorCommand(.cancel, by: ending, reason: "ends")))
        for _ in 0..<100 where desk.killSwitch.level >= .cancel && desk.killSwitch.verifiedAt == nil {
            try step()
        }
        try disconnect()
        // What it armed itself, for its own end, is not to hold the next process back.
        if desk.killSwitch.by == ending { try deliver(.command(OperatorCommand(.release, by: ending))) }
        try journal?.end(at: exchange.time)
    }

    // MARK: Messages

    /// Contracts that the desk has come to want: their tickers and books from now on.
    private func subscribe() throws {
        for name in desk.wanted where subscribed.insert(name).inserted {
            guard let number = exchange.contract(named: name), exchange.isAlive(number) else { continue }
            try deliverTicker(number)
            try deliverBook(number)
        }
    }

    private func deliverTicker(_ number: Int) throws {
        let ticker = exchange.ticker(number)
        guard ticker.markPrice > 0, exchange.isAlive(number) else { return }
        try deliver(.ticker(ticker))
    }

    private func deliverBook(_ number: Int) throws {
        let view = BookView(
            exchange.name(of: number), bids: exchange.levels(number, .buy, depth: 10),
            asks: exchange.levels(number, .sell, depth: 10))
        try deliver(.book(view))
    }

    private func deliverIndex(_ place: Int) throws {
        var price = IndexPrice()
        price.indexName = exchange.indices[place].name
        price.price = Scales.price(exchange.indices[place].price)
        price.timestamp = exchange.time
        try deliver(.index(price))
    }

    private func deliverEnd(_ number: Int) throws {
        try deliver(
            .delivered(
                Delivery(exchange.name(of: number), price: exchange.ticker(number).deliveryPrice.value)))
    }

    /// What the exchange has to say: of the account through the line, of the market at once.
    func notify() throws {
        var books: [Int] = []
        for event in exchange.takeEvents() {
            switch event {
            case .order(let order) where order.account == account:
                line.send(.order(exchange.view(order)), at: exchange.time)
            case .trade(let trade) where trade.taker.account == account || trade.maker.account == account:
                line.send(.trades([exchange.userTrade(trade, of: account)]), at: exchange.time)
            case .book(let contract, _, _, _, _, _): if !books.contains(contract) { books.append(contract) }
            case .listed(let contract): try deliver(.instruments([exchange.instrument(contract)]))
            case .state(let contract, let now):
                if now == .delivered {
                    try deliverEnd(contract)
                } else {
                    var change = InstrumentStateChange()
                    (change.instrumentName, change.state) = (exchange.name(of: contract), now)
                    change.timestamp = exchange.time
                    try deliver(.state(change))
                }
            case .order, .trade, .index, .mark, .settled, .protection: break
            }
        }
        for contract in books where subscribed.contains(exchange.name(of: contract)) {
            try deliverBook(contract)
        }
    }

    /// Everything that has arrived, and what it leads to.
    func drain() throws {
        while let message = line.next(at: exchange.time) {
            try deliver(message)
            try notify()
        }
    }

    private func boundary() throws {
        boundaries += 1
        if boundaries == killAt { throw Killed() }
    }

    /// Gives the desk an event, writes it down with what the desk wants done, and only then does that.
    public func deliver(_ content: DeskEvent.Content) throws {
        let event = DeskEvent(content, at: exchange.time)
        try boundary()
        let intents = desk.step(event)
        try journal?.append(event, intents)
        try boundary()
        for intent in intents { try carryOut(intent) }
    }

    private func carryOut(_ intent: DeskIntent) throws {
        switch intent {
        case .report(let report):
            reports.append(report)
            if reports.count > 20_000 { reports.removeFirst(10_000) }
        case .place(let request):
            guard isUp else { return }
            guard !isDry else {
                let fault = LabelledFault(request.label ?? "", VenueFault(.retry))
                return line.answer(.refused(fault), at: exchange.time)
            }
            try boundary()
            send(request)
        case .cancel(let id, let label):
            guard isUp, let number = Exchange.orderNumber(id) else { return }
            do { _ = try exchange.cancel(number, account: account) } catch {
                line.send(.cancelRefused(LabelledFault(label, error)), at: exchange.time)
            }
        case .cancelAll: if isUp { _ = exchange.cancelAll(of: account) }
        case .lookUp(let label, _): if isUp { lookUp(label) }
        case .askTrades(_, let since):
            if isUp { line.answer(.trades(ownTrades(since: since)), at: exchange.time) }
        case .askOpenOrders:
            let open = exchange.openOrders(of: account).map { exchange.view($0) }
            if isUp { line.answer(.openOrders(open), at: exchange.time) }
        case .askPositions: if isUp { line.answer(.positions(positions), at: exchange.time) }
        }
    }

    private func send(_ request: OrderRequest) {
        let label = request.label ?? ""
        switch line.fate() {
        case .lostRequest: return
        case .arrives(let isAnswered):
            sentLabels.append(label)
            let answer: DeskEvent.Content
            do {
                let (order, trades) = try exchange.place(request, account: account, connection: connection)
                let reply = OrderReply(
                    order: exchange.view(order), trades: trades.map { exchange.userTrade($0, of: account) })
                answer = .reply(LabelledReply(label, reply))
            } catch { answer = .refused(LabelledFault(label, error)) }
            if isAnswered { line.answer(answer, at: exchange.time) }
        }
    }

    private func lookUp(_ label: String) {
        let orders = exchange.openOrders(of: account) + exchange.closedOrders(of: account)
        guard let order = orders.first(where: { $0.label == label }) else {
            return line.answer(.absent(label: label), at: exchange.time)
        }
        let trades = exchange.trades(of: account).filter {
            $0.taker.order == order.id || $0.maker.order == order.id
        }
        line.answer(.trades(trades.reversed().map { exchange.userTrade($0, of: account) }), at: exchange.time)
        line.answer(.order(exchange.view(order)), at: exchange.time)
    }

    // MARK: Checks

    /// Instruments of which books and exchange hold different amounts.
    public var differences: [(name: String, books: Double, venue: Double)] {
        var result: [(name: String, books: Double, venue: Double)] = []
        for number in 0..<exchange.contractCount {
            let name = exchange.name(of: number)
            let venue = exchange.position(number, of: account).size
            let books = desk.position(name)
            if Quantity(venue) != books { result.append((name, books.amount, venue.value)) }
        }
        return result
    }
}
