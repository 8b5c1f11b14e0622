import Desk
import VenueClient
import VenueProtocol

/// What the venue tells, as the desk's events.
extension LiveDesk {
    func note(_ event: VenueEvent) throws {
        statistics.events += 1
        switch event.content {
        case .ready(let line):
            ready.insert(line)
            try refreshLine()
        case .lost(let line, let reason):
            market.apply(event.content, at: event.time)
            ready.remove(line)
            statistics.lost(line, reason)
            try refreshLine()
        case .clock(let offset, let roundTrip):
            clock.measured(offset: offset, at: event.time)
            statistics.roundTrip = roundTrip
            try refreshLine()
        case .refused(let channels): remark("channels not confirmed: \(channels.joined(separator: ", "))")
        case .silent(let channel): remark("\(channel) is silent: asked for anew")
        case .unreadable(let channel, let reason):
            statistics.unreadable += 1
            remark("\(channel): a message could not be read: \(reason)")
        case .overflow(let dropped): remark("\(dropped) messages of the market were dropped")
        case .tick: try beat()
        case .account(let change): try note(change)
        case .outcome(let tag, let outcome):
            if let question = questions.removeValue(forKey: tag) { try decide(question, outcome) }
        default: try noteMarket(event)
        }
    }

    /// Something that only the process has to say: it is not of the journal.
    func remark(_ text: String) {
        said(DeskReport(.alarm, "line", text, at: clock.milliseconds(at: now)))
    }

    // MARK: The market

    private func noteMarket(_ event: VenueEvent) throws {
        let fault = market.apply(event.content, at: event.time)
        switch event.content {
        case .instruments(_, let list): if line.isUp { try list.isEmpty ? () : tellInstruments(list) }
        case .instrument(let instrument): if line.isUp { try tellInstruments([instrument]) }
        case .instrumentState(let change):
            if [.delivered, .archivized].contains(change.state) { paper?.deliver(change.instrumentName) }
            try deliver(.state(change))
        case .book(let message): if fault == nil { mark(message.instrumentName) }
        case .bookInvalid(let name, _):
            statistics.bookGaps += 1
            mark(name)
        case .ticker(let ticker):
            guard followed.contains(ticker.instrumentName) || watched.contains(ticker.instrumentName)
            else { return }
            try deliver(.ticker(ticker))
            confirmBook(ticker, at: event.time)
        case .marks(_, let marks):
            let wanted = marks.filter { followed.contains($0.instrumentName) }
            if !wanted.isEmpty { try deliver(.volatilities(wanted)) }
        case .index(let price):
            if configuration.indices.contains(price.indexName) { try deliver(.index(price)) }
        case .platform, .status: try refreshLine()
        default: break
        }
    }

    private func mark(_ name: String) {
        if followed.contains(name), !dirtyBooks.contains(name) { dirtyBooks.append(name) }
    }

    /// A book of which nothing is said for long may be quiet, or its channel dead. A ticker that shows the same best prices says
    /// which: then the book is as new as the ticker.
    private func confirmBook(_ ticker: MarketTicker, at time: Int) {
        let name = ticker.instrumentName
        guard let book = market.books[name]?.value, book.isValid,
            time - (toldBooks[name] ?? 0) > 5_000_000,
            ticker.bestBidPrice.value ?? 0 == book.bids.first?.price ?? 0,
            ticker.bestAskPrice.value ?? 0 == book.asks.first?.price ?? 0
        else { return }
        mark(name)
    }

    /// Books that have changed, each once.
    func tellBooks() throws {
        guard !dirtyBooks.isEmpty else { return }
        let names = dirtyBooks
        dirtyBooks.removeAll(keepingCapacity: true)
        for name in names { try tellBook(name) }
    }

    func tellBook(_ name: String) throws {
        toldBooks[name] = now
        let view = Self.view(name, market.books[name]?.value)
        try deliver(.book(view))
        guard let instrument = market.instruments[name] else { return }
        paper?.moved(view, index: index(of: instrument), at: clock.milliseconds(at: now))
    }

    static func view(_ name: String, _ book: OrderBook?) -> BookView {
        guard let book, book.isValid else { return BookView(name, bids: [], asks: [], isValid: false) }
        return BookView(name, bids: Array(book.bids.prefix(10)), asks: Array(book.asks.prefix(10)))
    }

    func index(of instrument: VenueInstrument) -> Double {
        instrument.priceIndex.flatMap { market.indices[$0]?.value.price } ?? .nan
    }

    // MARK: The account

    private func note(_ change: AccountChange) throws {
        switch change {
        case .order(let order):
            openOrders[order.orderID] = order.state.isFinal ? nil : order
            try deliver(.order(order))
        case .trade(let trade): try deliver(.trades([trade]))
        case .positions(let positions):
            hasPositions = true
            try tellPositions(positions)
        case .portfolio(let figures):
            portfolios[figures.currency] = figures
            try tellAccount(figures)
        case .intent(let label, .unknown): try deliver(.unknown(label: label))
        case .intent(let label, .neverArrived): try deliver(.absent(label: label))
        case .intent, .position: break
        }
    }

    func tellAccount(_ figures: AccountFigures) throws {
        guard configuration.currencies.contains(figures.currency) else { return }
        try deliver(.account(AccountLine(figures)))
    }

    func tellPositions(_ positions: [Position]) throws {
        try deliver(.positions(positions))
        statistics.listings += 1
        statistics.reconciledAt = clock.milliseconds(at: now)
        let venue = Dictionary(
            positions.map { ($0.instrumentName, $0.size.value) }, uniquingKeysWith: { first, _ in first })
        let names = Set(venue.keys).union(desk.positions.map(\.name)).sorted()
        differences = names.compactMap { name in
            let (books, listed) = (desk.position(name), venue[name] ?? 0)
            return Quantity(listed) == books ? nil : (name, books.amount, listed)
        }
    }

    // MARK: Time

    /// What is due by the clock.
    private func beat() throws {
        if paper != nil, line.isUp { try keepPaper() }
        try deliver(.timer)
        followWanted()
        if now >= snapshotAt {
            try deliver(.checkpoint)
            try keepState()
        }
    }

    private func keepPaper() throws {
        guard now >= paperAt else { return }
        paperAt = now + 5_000_000
        try tellPaper()
    }

    /// The lists of an account that is not there.
    func tellPaper() throws {
        let market = market
        let lines = paper?.accounts { name in
            guard let instrument = market.instruments[name], let ticker = market.tickers[name]?.value else {
                return nil
            }
            return (instrument, ticker.markPrice)
        }
        guard let paper, let lines else { return }
        for line in lines { try deliver(.account(line)) }
        try deliver(.openOrders(paper.openOrders))
        try tellPositions(paper.positions)
    }

    /// Tickers and books of what the desk has come to want, and no longer of what it has not.
    func followWanted() {
        let orders = Set(desk.orders.map(\.instrumentName))
        guard line.isUp, desk.wantedVersion != followedVersion || orders != followedOrders else { return }
        (followedVersion, followedOrders) = (desk.wantedVersion, orders)
        let wanted = Set(desk.wanted).union(orders)
        let others = Set(desk.watched).subtracting(wanted)
        guard wanted != followed || others != watched else { return }
        let interval = configuration.venue.interval.rawValue
        func channels(_ books: Set<String>, _ tickers: Set<String>) -> Set<String> {
            Set(books.map { "book.\($0).\(interval)" }).union(
                books.union(tickers).map { "ticker.\($0).\(interval)" })
        }
        let (before, after) = (channels(followed, watched), channels(wanted, others))
        (followed, watched) = (wanted, others)
        let (new, old) = (after.subtracting(before).sorted(), before.subtracting(after).sorted())
        if !new.isEmpty { door?.follow(new) }
        if !old.isEmpty { door?.unfollow(old) }
    }
}
