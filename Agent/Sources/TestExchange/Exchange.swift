import VenueProtocol

/// A venue as a state machine: commands and times in, events out. No clock, no network, no randomness, and whole
/// numbers wherever money moves, so that the same commands give the same bits.
///
/// Nothing in here is safe to share between threads: one owner calls it.
public final class Exchange {
    public struct Index {
        public let name: String
        public let base: String
        /// In ten-thousandths of a dollar.
        public internal(set) var price: Int
        /// Σ price · milliseconds since `windowStart`, for deliveries.
        var windowSum: Int128 = 0
        var windowStart = 0
        var lastChange = 0
        /// It keeps its price.
        var isFrozen = false
    }

    public static let averagingWindow = 30 * 60_000

    public let configuration: ExchangeConfiguration
    public internal(set) var time: Int
    public let currencies: [String]
    public internal(set) var indices: [Index]
    var contracts: [Contract] = []
    var contractByName: [String: Int] = [:]
    var accounts: [ExchangeAccount] = []
    /// Orders that are alive, by number. Never walked.
    var orders: [Int: ExchangeOrder] = [:]
    /// The order that ended last, whoever's it was.
    var lastClosed: ExchangeOrder?
    /// Orders that wait for a trigger, in all contracts.
    var waitingOrders = 0
    var nextOrder = 1
    var nextTrade: [Int]
    var nextChange = 1
    var nextTransaction = 1
    var nextSettlement: Int
    /// No orders are taken: 10041.
    public var isSettling = false
    private var events: [ExchangeEvent] = []
    /// Amounts as they were when the last change messages were made.
    private var touched: [LevelKey: Int] = [:]

    public init(_ configuration: ExchangeConfiguration) {
        self.configuration = configuration
        time = configuration.start
        currencies = configuration.currencies
        indices = configuration.indices.map {
            Index(
                name: $0.name, base: $0.base, price: Scales.units($0.price) ?? 1,
                lastChange: configuration.start)
        }
        nextTrade = Array(repeating: 1, count: configuration.currencies.count)
        nextSettlement = VenueTime.nextSettlement(after: configuration.start)
        _ = openAccount(name: "exchange", clientID: "", clientSecret: "", isHouse: true)
    }

    // MARK: Events

    func emit(_ event: ExchangeEvent) { events.append(event) }

    /// What happened since this was asked last.
    public func takeEvents() -> [ExchangeEvent] {
        flush()
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    private struct LevelKey: Hashable {
        let contract: Int
        let side: Direction
        let price: Int

        /// By contract, bids first, best first.
        var order: (Int, Int, Int) {
            (contract, side == .buy ? 0 : 1, side == .buy ? -price : price)
        }
    }

    /// Remembers a level as it is before a command changes it.
    func touch(_ contract: Int, _ side: Direction, _ price: Int) {
        let key = LevelKey(contract: contract, side: side, price: price)
        guard touched[key] == nil else { return }
        touched[key] = contracts[contract].book.amount(side, at: price)
    }

    /// Makes one change message per book of all that commands touched.
    func flush() {
        guard !touched.isEmpty else { return }
        let levels = touched.sorted { $0.key.order < $1.key.order }
        touched.removeAll()
        var start = 0
        while start < levels.count {
            let contract = levels[start].key.contract
            var end = start
            var bids: [LevelChange] = []
            var asks: [LevelChange] = []
            while end < levels.count, levels[end].key.contract == contract {
                let (level, before) = levels[end]
                end += 1
                let after = contracts[contract].book.amount(level.side, at: level.price)
                guard after != before else { continue }
                let action: BookAction = after == 0 ? .delete : before == 0 ? .new : .change
                let change = LevelChange(
                    action, price: Scales.price(level.price), amount: MessageAmount(Scales.amount(after)))
                if level.side == .buy { bids.append(change) } else { asks.append(change) }
            }
            start = end
            guard !bids.isEmpty || !asks.isEmpty else { continue }
            let previous = contracts[contract].book.changeID
            contracts[contract].book.changeID = nextChange
            nextChange += 1
            emit(
                .book(
                    contract: contract, previousID: previous, id: contracts[contract].book.changeID,
                    time: time,
                    bids: bids, asks: asks))
        }
    }

    // MARK: Accounts

    /// - Returns: the account's number.
    public func openAccount(name: String, clientID: String, clientSecret: String, isHouse: Bool = false)
        -> Int
    {
        let none = Array(repeating: 0, count: currencies.count)
        accounts.append(
            ExchangeAccount(
                id: accounts.count, name: name, clientID: clientID, clientSecret: clientSecret,
                isHouse: isHouse,
                cash: none, feesPaid: none))
        return accounts.count - 1
    }

    public func account(clientID: String) -> (id: Int, secret: String)? {
        guard !clientID.isEmpty, let account = accounts.first(where: { $0.clientID == clientID }) else {
            return nil
        }
        return (account.id, account.clientSecret)
    }

    /// Money from outside, in hundred-millionths of the currency.
    public func deposit(_ money: Int, currency: String, to account: Int) {
        guard let currency = currencies.firstIndex(of: currency) else { return }
        accounts[account].cash[currency] += money
        record(account, currency, type: "deposit", change: money)
    }

    public func setSelfTrading(_ mode: SelfTradingMode, isExtended: Bool = false, of account: Int) {
        accounts[account].selfTrading = mode
        accounts[account].extendsSelfTrading = isExtended
    }
    public func setLocked(_ isLocked: Bool, account: Int) { accounts[account].isLocked = isLocked }

    // MARK: Contracts

    /// Lists a contract.
    /// - Returns: its number; nil where its currency or index is not the exchange's, or its name is taken.
    @discardableResult
    public func list(_ instrument: Instrument) -> Int? {
        guard contractByName[instrument.name] == nil,
            let currency = currencies.firstIndex(
                of: instrument.settlementCurrency ?? instrument.baseCurrency),
            let index = indices.firstIndex(where: { $0.name == instrument.priceIndex })
        else { return nil }
        let number = contracts.count
        var instrument = instrument
        instrument.id = instrument.id ?? 100_000 + number
        contracts.append(
            Contract(index: number, instrument: instrument, currency: currency, priceIndex: index))
        contractByName[instrument.name] = number
        emit(.listed(contract: number))
        return number
    }

    public var contractCount: Int { contracts.count }
    public func contract(named name: String) -> Int? { contractByName[name] }
    public func isAlive(_ contract: Int) -> Bool { contracts[contract].isAlive }
    public func state(of contract: Int) -> BookState { contracts[contract].state }
    public func name(of contract: Int) -> String { contracts[contract].instrument.name }

    /// Contracts that are listed and not delivered.
    public var liveContracts: [Int] { contracts.indices.filter { contracts[$0].isAlive } }

    public func setState(_ state: BookState, of contract: Int) {
        guard contracts[contract].state != state else { return }
        contracts[contract].state = state
        emit(.state(contract: contract, state))
        if state == .delivered || state == .inactive {
            cancelAll(reason: "settlement") { [contracts] in contracts[$0.contract].index == contract }
        }
    }

    // MARK: Market

    /// An index's price from now on, in dollars.
    public func setIndex(_ index: Int, price: Double) {
        guard let price = Scales.units(price), price > 0, price != indices[index].price,
            !indices[index].isFrozen
        else { return }
        accumulate(index)
        indices[index].price = price
        emit(.index(index))
        check(triggers: .indexPrice) { [contracts] in contracts[$0].priceIndex == index }
    }

    /// The mark of a contract, in its own prices, and what an option's mark comes from.
    public func setMark(_ contract: Int, price: Double, option: OptionMark? = nil) {
        guard let mark = Scales.money(price), mark > 0 else { return }
        let isNew = contracts[contract].mark != mark
        contracts[contract].mark = mark
        if let option { contracts[contract].optionMark = option }
        guard isNew else { return }
        if contracts[contract].isPerpetual { updateFundingRate(contract) }
        emit(.mark(contract: contract))
        check(triggers: .markPrice) { $0 == contract }
    }

    /// Adds an index's price since it changed last to the average that delivers what expires next.
    func accumulate(_ index: Int) {
        let start = nextSettlement - Self.averagingWindow
        if indices[index].windowStart != start {
            indices[index].windowStart = start
            indices[index].windowSum = 0
        }
        let from = max(indices[index].lastChange, start)
        if time > from { indices[index].windowSum += Int128(indices[index].price) * Int128(time - from) }
        indices[index].lastChange = time
    }

    /// The average so far of what is delivered next; before the window, the price.
    func estimatedDelivery(_ index: Int) -> Int {
        accumulate(index)
        let elapsed = time - indices[index].windowStart
        guard elapsed > 0, indices[index].windowSum > 0 else { return indices[index].price }
        return Int((indices[index].windowSum + Int128(elapsed / 2)) / Int128(elapsed))
    }
}
