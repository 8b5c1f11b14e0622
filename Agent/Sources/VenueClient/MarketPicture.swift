import VenueProtocol

/// A value, and when it came by the client's clock in microseconds.
public struct Aged<Value: Sendable>: Sendable {
    public var value: Value
    public var received: Int

    public init(_ value: Value, received: Int) {
        self.value = value
        self.received = received
    }

    /// Microseconds since it came.
    public func age(at time: Int) -> Int { time - received }
}

/// A market as events tell it, each part with its age. A gap makes one book invalid; the others stay.
public struct MarketPicture: Sendable {
    public private(set) var instruments: [String: Instrument] = [:]
    public private(set) var books: [String: Aged<OrderBook>] = [:]
    public private(set) var tickers: [String: Aged<MarketTicker>] = [:]
    /// Of options, with volatilities as fractions.
    public private(set) var marks: [String: Aged<MarkPrice>] = [:]
    public private(set) var indices: [String: Aged<IndexPrice>] = [:]
    /// Rows of chains, with bids, asks and underlyings.
    public private(set) var summaries: [String: Aged<BookSummary>] = [:]
    public private(set) var states: [String: Aged<BookState>] = [:]
    /// Names of indices whose currency is locked.
    public private(set) var lockedIndices: Set<String> = []
    public private(set) var isInMaintenance = false
    public private(set) var gaps = 0

    public init() {}

    /// - Returns: why the book of a message is not to be used, and whether it was until now; nil where all is well.
    @discardableResult
    public mutating func apply(
        _ content: VenueEvent.Content, at time: Int
    ) -> (reason: OrderBook.Fault, wasValid: Bool)? {
        switch content {
        case .instruments(let currency, let list):
            for (name, instrument) in instruments where Self.isOf(currency, instrument) {
                instruments[name] = nil
            }
            for instrument in list { apply(instrument, at: time) }
            let listed = instruments
            books = books.filter { listed[$0.key] != nil }
        case .instrument(let instrument): apply(instrument, at: time)
        case .instrumentState(let change):
            states[change.instrumentName] = Aged(change.state, received: time)
            if change.state.isOver { remove(change.instrumentName) }
        case .book(let message): return apply(message, at: time)
        case .bookInvalid(let instrument, _):
            books[instrument]?.value.invalidate()
            gaps += 1
        case .ticker(let ticker):
            // An older message changes nothing.
            guard ticker.timestamp >= tickers[ticker.instrumentName]?.value.timestamp ?? .min else {
                return nil
            }
            tickers[ticker.instrumentName] = Aged(ticker, received: time)
            if let state = ticker.state { states[ticker.instrumentName] = Aged(state, received: time) }
        case .marks(_, let list):
            for mark in list
            where mark.timestamp ?? .max >= marks[mark.instrumentName]?.value.timestamp ?? .min {
                marks[mark.instrumentName] = Aged(mark, received: time)
            }
        case .index(let price):
            guard price.timestamp >= indices[price.indexName]?.value.timestamp ?? .min else { return nil }
            indices[price.indexName] = Aged(price, received: time)
        case .chain(_, let rows):
            for row in rows { summaries[row.instrumentName] = Aged(row, received: time) }
        case .platform(let state):
            isInMaintenance = state.isInMaintenance ?? isInMaintenance
            if let index = state.priceIndex, let isLocked = state.isLocked {
                if isLocked { lockedIndices.insert(index) } else { lockedIndices.remove(index) }
            }
        case .status(let status):
            isInMaintenance = status.locked == .all
            lockedIndices = Set(status.lockedIndices ?? [])
        case .lost(.market, _), .overflow: invalidateBooks()
        default: break
        }
        return nil
    }

    private mutating func apply(_ instrument: Instrument, at time: Int) {
        instruments[instrument.name] = instrument
        if let state = instrument.state { states[instrument.name] = Aged(state, received: time) }
    }

    private mutating func apply(_ message: BookMessage, at time: Int) -> (
        reason: OrderBook.Fault, wasValid: Bool
    )? {
        let name = message.instrumentName
        let wasValid = books[name]?.value.isValid ?? false
        do throws(OrderBook.Fault) {
            try books[name, default: Aged(OrderBook(instrumentName: name), received: time)].value.apply(
                message)
            books[name]?.received = time
            return nil
        } catch { return (error, wasValid) }
    }

    /// No book is to be trusted until its snapshot has come.
    private mutating func invalidateBooks() {
        for name in books.keys { books[name]?.value.invalidate() }
    }

    private mutating func remove(_ name: String) {
        instruments[name] = nil
        books[name] = nil
        tickers[name] = nil
        marks[name] = nil
        summaries[name] = nil
    }

    /// Whether a list that was asked for by currency has the instrument.
    static func isOf(_ currency: String, _ instrument: Instrument) -> Bool {
        (instrument.settlementCurrency ?? instrument.baseCurrency) == currency
    }
}

extension BookState {
    /// Whether the contract is gone for good.
    var isOver: Bool { [.delivered, .inactive, .archivized, .closed].contains(self) }
}

/// A venue as its events tell it: the same events in the same order make the same picture.
public struct VenuePicture: Sendable {
    public private(set) var market = MarketPicture()
    public private(set) var account = AccountPicture()
    /// Lines that are up.
    public private(set) var ready: Set<VenueLine> = []
    /// Microseconds that the venue's clock is ahead of the client's; nil until measured.
    public private(set) var clockOffset: Int?
    /// Of the last event, by the client's clock.
    public private(set) var time = 0

    public init() {}

    public mutating func apply(_ event: VenueEvent) {
        time = event.time
        switch event.content {
        case .account(let change): account.apply(change)
        case .ready(let line): ready.insert(line)
        case .lost(let line, _):
            ready.remove(line)
            market.apply(event.content, at: event.time)
        case .clock(let offset, _): clockOffset = offset
        default: market.apply(event.content, at: event.time)
        }
    }
}
