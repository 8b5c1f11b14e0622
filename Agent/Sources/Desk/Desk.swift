import Poise
import VenueProtocol

/// What computes Greeks: one per process.
public typealias GreeksComputer = GreeksEngine

/// The core of an agent that keeps books balanced: events in, intents out.
///
/// A function of its state and the event: it has no clock, no randomness, no input or output, and walks no dictionary, so
/// that a journal of events gives the same intents and the same state anywhere. One thread owns it.
public final class Desk {
    public let configuration: DeskConfiguration
    let greeksEngine: GreeksEngine
    var state = DeskState()
    var engine: DeskEngine
    /// Of `state.contracts`.
    var placeOfContract: [String: Int] = [:]
    var places = DeskPlaces()
    /// The underlyings of the limits, and how the names of their indices begin.
    let limitUnderlyings: [(name: String, index: String)]
    /// Trades that have counted, by currency.
    var seenTrades: [String: Set<String>] = [:]
    private var intents: [DeskIntent] = []
    /// Exposures of each line of limits at the last look at it: for views alone, and no part of the state.
    var looks: [[Exposure]] = []

    /// - Throws: `ConfigurationError`; errors of the library for what it cannot compute.
    public init(_ configuration: DeskConfiguration, engine: GreeksEngine) throws {
        try configuration.check()
        self.configuration = configuration
        greeksEngine = engine
        var underlyings: [(name: String, index: String)] = []
        for limit in configuration.limits where !underlyings.contains(where: { $0.name == limit.underlying })
        {
            underlyings.append((limit.underlying, limit.underlying.lowercased() + "_usd"))
        }
        limitUnderlyings = underlyings
        self.engine = try DeskEngine(configuration, engine)
        for line in self.engine.lines {
            var memory = LineMemory()
            (memory.book, memory.underlying) = (line.book, line.underlying)
            state.lines.append(memory)
        }
        looks = .init(repeating: [], count: self.engine.lines.count)
    }

    /// Takes an event in.
    /// - Returns: what is to be done, in that order, once the event is in the journal.
    public func step(_ event: DeskEvent) -> [DeskIntent] {
        intents.removeAll(keepingCapacity: true)
        state.time = max(state.time, event.time)
        state.counters.events += 1
        switch event.content {
        case .started(let start): begin(start)
        case .instruments(let listed):
            for instrument in listed { list(instrument) }
            places.follow(state, placeOfContract)
            state.confirmed.instruments = true
        case .state(let change): take(change)
        case .delivered(let delivery): deliver(delivery)
        case .ticker(let ticker): take(ticker)
        case .volatilities(let marks): take(marks)
        case .book(let book): take(book)
        case .index(let index): take(index)
        case .line(let line): take(line)
        case .openOrders(let orders): reconcile(orders)
        case .order(let order): take(order)
        case .trades(let trades): for trade in trades { take(trade) }
        case .reply(let reply): take(reply)
        case .refused(let fault): refused(fault.label, fault.fault)
        case .unknown(let label): lostSight(of: label)
        case .absent(let label): neverArrived(label)
        case .cancelRefused(let fault): cancelRefused(fault.label, fault.fault)
        case .positions(let positions): reconcile(positions)
        case .account(let line): take(line)
        case .reference(let price): take(price)
        case .command(let command): obey(command)
        case .timer: break
        case .checkpoint: rebuild()
        }
        if case .started = event.content { return intents }
        watch()
        execute()
        decide()
        return intents
    }

    // MARK: What leaves

    func emit(_ intent: DeskIntent) { intents.append(intent) }

    func report(
        _ kind: DeskReport.Kind, _ subject: String, _ text: String, _ figure: Double? = nil,
        _ bound: Double? = nil
    ) {
        emit(.report(DeskReport(kind, subject, text, figure: figure, bound: bound, at: state.time)))
    }

    // MARK: Beginnings

    /// A new process: nothing of the market is known, and what was on its way may have come to any end.
    private func begin(_ start: RunStart) {
        state.run = start.run
        state.line = LineState()
        state.confirmed = Confirmations()
        state.references.removeAll()
        let needed = Set(state.orders.map(\.instrumentName))
        state.contracts.removeAll { $0.isDelivered && !needed.contains($0.instrument.name) }
        for place in state.contracts.indices {
            state.contracts[place].ticker = nil
            state.contracts[place].book = nil
            state.contracts[place].refusal = nil
        }
        for place in state.indices.indices { state.indices[place].time = 0 }
        for place in state.accounts.indices { state.accounts[place].time = 0 }
        for place in state.orders.indices where state.orders[place].phase != .missingFills {
            state.orders[place].phase = .unknown
            state.orders[place].nextTry = 0
        }
        for place in state.lines.indices {
            state.lines[place].restUntil = 0
            state.lines[place].decidedAt = 0
            state.lines[place].outsideSince = nil
        }
        rebuild()
    }

    /// Makes everything that follows from the state again, in the same way after a restart and without one.
    func rebuild() {
        placeOfContract = [:]
        for (place, contract) in state.contracts.enumerated() {
            placeOfContract[contract.instrument.name] = place
        }
        places.follow(state, placeOfContract)
        seenTrades = [:]
        for seen in state.seenTrades { seenTrades[seen.currency] = Set(seen.ids) }
        do { engine = try DeskEngine(configuration, greeksEngine) } catch {
            // The same configuration made one before.
            return arm(.pause, by: "desk", "exposures could not be made anew: \(error)")
        }
        for place in state.contracts.indices { enlist(place) }
        for underlying in Set(engine.lines.map(\.underlying)).sorted() {
            let names = state.contracts.filter {
                $0.isCandidate && $0.instrument.baseCurrency == underlying
            }
            engine.choose(Set(names.map(\.instrument.name)), underlying: underlying)
        }
        // A slice has the price of the contract that came first: the latest ticker's is to hold.
        let order = state.contracts.indices.filter { isWanted($0) }.sorted {
            (state.contracts[$0].tickerTime, $0) < (state.contracts[$1].tickerTime, $1)
        }
        for place in order { enlist(place) }
        refitSurfaces()
    }

    // MARK: Saving

    /// Everything that the desk remembers, as JSON.
    public func save() -> [UInt8] { state.json }

    /// Goes on from what `save` wrote. The configuration may be another one: what is remembered of limits that are gone is
    /// forgotten.
    /// - Throws: `VenueProtocolError` for what is no state of a desk, `ConfigurationError` where a book that is gone holds
    ///   something.
    public func restore(_ json: [UInt8]) throws {
        var restored = try DeskState(JSONTape(json).root)
        for holding in restored.holdings
        where !configuration.books.contains(where: { $0.name == holding.book }) {
            throw ConfigurationError("books", "\(holding.book) is gone and holds \(holding.instrumentName)")
        }
        restored.lines = state.lines.map { fresh in
            restored.lines.first { $0.book == fresh.book && $0.underlying == fresh.underlying } ?? fresh
        }
        restored.limitChanges?.removeAll { !configuration.limits.contains($0.configured) }
        state = restored
        rebuild()
    }

    /// A number that two desks share only if they remember the same, down to the last bit (FNV-1a, 64 bits).
    public var stateHash: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in save() { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
