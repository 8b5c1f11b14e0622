import VenueProtocol

/// Trading over one connection, and an account that is the venue's own again after whatever happened to the line: on
/// every opening open orders, trades since the last one, positions and all orders of unknown fate are asked for before
/// `isReconciled` says so. One thread owns it.
public final class TradingClient {
    /// What the line has to do.
    public enum Effect: Sendable {
        case connect
        case send([UInt8])
        case close
        case reconciled
        case lost(String)
        /// A request of the caller's is decided.
        case outcome(request: Int, ClientConnection.Outcome)
        case refused([String])
    }

    private enum Question {
        case openOrders
        case trades(currency: String)
        case positions
        case label(String)
        case state(order: String)
    }

    public let connection: ClientConnection
    public private(set) var account = AccountPicture()
    public private(set) var isReconciled = false
    public private(set) var reconciliations = 0
    private let currencies: [String]
    private var questions: [Int: Question] = [:]
    private var labels: [Int: String] = [:]
    private var currencyOfLabel: [String: String] = [:]
    /// Milliseconds until which the venue has listed all trades, by currency.
    private var listedUntil: [String: Int] = [:]
    private var effects: [Effect] = []
    private var askAgainAt: Int?
    private var nextReview = Int.max

    /// Microseconds from one reconciliation to the next on a line that seems well: a message may have been lost.
    public var reviewInterval = 30_000_000
    /// Trades asked for at once.
    static let page = 1_000

    public init(
        _ settings: ClientConnection.Settings, currencies: [String], at time: Int,
        sign: @escaping (_ text: String, _ secret: String) -> String, random: @escaping () -> Double
    ) {
        self.currencies = currencies
        connection = ClientConnection(
            settings,
            channels: [
                "user.orders.any.any.raw", "user.trades.any.any.raw", "user.changes.any.any.raw",
            ], at: time, sign: sign, random: random)
    }

    // MARK: The line

    public func opened(at time: Int) { connection.opened(at: time); settle(at: time) }
    public func closed(_ reason: String, at time: Int) {
        connection.closed(reason, at: time); settle(at: time)
    }
    public func received(_ bytes: [UInt8], at time: Int) {
        connection.received(bytes, at: time); settle(at: time)
    }

    public func tick(at time: Int) {
        connection.tick(at: time)
        settle(at: time)
        let isDue = askAgainAt.map { $0 <= time } ?? false
        if connection.isReady, isDue || nextReview <= time { reconcile(at: time) }
        settle(at: time)
    }

    public func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    // MARK: Orders

    /// Sends an order, once.
    /// - Parameter request: with a label that no other order of the account has or had: by it the order is found again.
    /// - Returns: the number of its outcome; nil without a label, or with one that was used, and nothing is sent.
    public func place(_ request: OrderRequest, at time: Int) -> Int? {
        guard let label = request.label, !label.isEmpty, account.intents[label] == nil,
            let name = InstrumentName(request.instrumentName)
        else { return nil }
        account.intend(label)
        currencyOfLabel[label] = name.quote ?? name.base
        let number = connection.request(request.method, request, at: time)
        labels[number] = label
        settle(at: time)
        return number
    }

    public func edit(_ request: EditRequest, at time: Int) -> Int {
        let number = connection.request(request.method, request, at: time)
        settle(at: time)
        return number
    }

    public func cancel(_ orderID: String, at time: Int) -> Int {
        var selection = Selection()
        selection.orderID = orderID
        let number = connection.request("private/cancel", selection, at: time)
        settle(at: time)
        return number
    }

    public func cancelAll(at time: Int) -> Int {
        let number = connection.request("private/cancel_all", NoParameters(), at: time)
        settle(at: time)
        return number
    }

    // MARK: Reconciliation

    private func reconcile(at time: Int) {
        guard questions.isEmpty else { return }
        askAgainAt = nil
        nextReview = time + reviewInterval
        ask(.openOrders, "private/get_open_orders", Selection(), at: time)
        for currency in currencies { askTrades(currency, at: time) }
        ask(.positions, "private/get_positions", Selection(), at: time)
        for label in account.unknownLabels {
            var selection = Selection()
            selection.label = label
            selection.currency = currencyOfLabel[label]
            ask(.label(label), "private/get_order_state_by_label", selection, at: time)
        }
    }

    private func askTrades(_ currency: String, at time: Int) {
        var selection = Selection()
        selection.currency = currency
        // The latest one that was listed comes again, and counts once. What channels told is no mark to go on from: an
        // earlier one may have been lost.
        selection.startTimestamp = listedUntil[currency] ?? 0
        selection.endTimestamp = VenueTime.never
        selection.sorting = "asc"
        selection.count = Self.page
        ask(.trades(currency: currency), "private/get_user_trades_by_currency_and_time", selection, at: time)
    }

    private func ask(_ question: Question, _ method: String, _ selection: Selection, at time: Int) {
        questions[connection.request(method, selection, at: time)] = question
    }

    private func answered(_ question: Question, _ result: JSONValue, at time: Int) throws(VenueProtocolError)
    {
        switch question {
        case .openOrders:
            let listed = try [VenueOrder](result)
            for order in listed { account.apply(order) }
            for id in account.vanished(from: listed) {
                var selection = Selection()
                selection.orderID = id
                ask(.state(order: id), "private/get_order_state", selection, at: time)
            }
        case .trades(let currency):
            let list = try TradeList<UserTrade>(result)
            let before = listedUntil[currency] ?? 0
            for trade in list.trades { account.apply(trade) }
            let latest = list.trades.map(\.timestamp).max() ?? before
            listedUntil[currency] = max(before, latest)
            if list.hasMore ?? false, latest > before { askTrades(currency, at: time) }
        case .positions: account.replace(try [Position](result))
        case .label(let label):
            let found = try [VenueOrder](result)
            for order in found { account.apply(order) }
            if found.isEmpty { account.resolve(label, .neverArrived) }
        case .state: account.apply(try VenueOrder(result))
        }
    }

    private func settle(at time: Int) {
        var pending = connection.takeEffects()
        while !pending.isEmpty {
            for effect in pending { handle(effect, at: time) }
            pending = connection.takeEffects()
        }
    }

    private func handle(_ effect: ClientConnection.Effect, at time: Int) {
        switch effect {
        case .connect: effects.append(.connect)
        case .send(let bytes): effects.append(.send(bytes))
        case .close: effects.append(.close)
        case .refused(let channels): effects.append(.refused(channels))
        case .lost(let reason):
            isReconciled = false
            questions.removeAll()
            effects.append(.lost(reason))
        case .ready: reconcile(at: time)
        case .notification(let channel, let content):
            // What cannot be read may have been a fill: everything is asked for anew.
            do { try account.apply(channel: channel, content) } catch { askAgainAt = time }
        case .outcome(let number, let outcome):
            if let question = questions.removeValue(forKey: number) {
                decide(question, outcome, at: time)
            } else {
                note(number, outcome, at: time)
                effects.append(.outcome(request: number, outcome))
            }
        }
    }

    private func decide(_ question: Question, _ outcome: ClientConnection.Outcome, at time: Int) {
        if case .result(let result) = outcome {
            do { try answered(question, result, at: time) } catch { askAgainAt = time + 1_000_000 }
        } else {
            // No answer is not an empty answer.
            askAgainAt = time + 1_000_000
        }
        guard questions.isEmpty, askAgainAt == nil, connection.isReady else { return }
        reconciliations += 1
        guard !isReconciled else { return }
        isReconciled = true
        effects.append(.reconciled)
    }

    private func note(_ number: Int, _ outcome: ClientConnection.Outcome, at time: Int) {
        let label = labels.removeValue(forKey: number)
        switch outcome {
        case .result(let result):
            if let reply = try? OrderReply(result) {
                account.apply(reply)
            } else if let order = try? VenueOrder(result) {
                account.apply(order)
            }
        case .fault(let fault):
            if let label { account.resolve(label, .refused(code: fault.code)) }
            if fault.saysAlreadyClosed { askAgainAt = time }
        case .unknown:
            if let label { account.resolve(label, .unknown) }
            isReconciled = false
            askAgainAt = time
        }
    }
}
