import VenueProtocol

/// Trading over one connection, and an account that is the venue's own again after whatever happened to the line: on
/// every opening open orders, trades since the last one, positions, cash and all orders of unknown fate are asked for
/// before `isReconciled` says so. One thread owns it.
public final class TradingClient {
    /// What the line has to do, and what happened.
    public enum Effect: Sendable {
        case connect
        case send([UInt8])
        case close
        case reconciled
        case lost(String)
        /// On a line that is there something became unknown: not reconciled until it is looked up.
        case doubt(String)
        /// A request of the caller's is decided.
        case outcome(request: Int, ClientConnection.Outcome)
        case refused([String])
        /// The account's picture changed.
        case account(AccountChange)
        case clock(offset: Int, roundTrip: Int)
        case unreadable(channel: String, reason: String)
    }

    enum Question {
        case openOrders
        case trades(TradePage)
        case positions
        case portfolios
        case label(String)
        case state(order: String)
    }

    /// An order that was sent, until its fate is known.
    struct Sent {
        var currency: String
        /// From then on, by the client's clock, an order that is not found will never arrive.
        var decidable: Int
    }

    public let connection: ClientConnection
    public private(set) var account = AccountPicture()
    public internal(set) var isReconciled = false
    public internal(set) var reconciliations = 0
    let currencies: [String]
    var questions: [Int: Question] = [:]
    private var labels: [Int: String] = [:]
    var sent: [String: Sent] = [:]
    /// Milliseconds until which the venue has listed all trades, by currency.
    public internal(set) var listedUntil: [String: Int]
    var effects: [Effect] = []
    var askAgainAt: Int?
    var nextReview = Int.max

    /// Microseconds from one reconciliation to the next on a line that seems well: a message may have been lost.
    public var reviewInterval = 30_000_000
    /// Microseconds after which the venue is not to take an order any more that was late on its way (`valid_until`); nil
    /// leaves orders without, as a venue whose clock is faster than the client's has to be.
    public var orderLife: Int? = 5_000_000
    /// Milliseconds that orders and trades are kept after they were over.
    public var retention = 24 * 3_600_000

    /// - Parameter tradesSince: milliseconds from which on trades are asked for, by currency; from the first on where it
    ///   does not say.
    public init(
        _ settings: ClientConnection.Settings, currencies: [String], at time: Int,
        tradesSince: [String: Int] = [:],
        sign: @escaping (_ text: String, _ secret: String) -> String = venueSignature,
        random: @escaping () -> Double
    ) {
        self.currencies = currencies
        listedUntil = tradesSince
        connection = ClientConnection(
            settings,
            channels: [
                "user.orders.any.any.raw", "user.trades.any.any.raw", "user.changes.any.any.raw",
                "user.portfolio.any",
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
    public func stop(at time: Int) { connection.stop(at: time); settle(at: time) }

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

    // MARK: Requests

    /// Sends an order, once.
    /// - Parameter request: with a label that no other order of the account has or had: by it the order is found again.
    /// - Returns: the number of its outcome; nil without a label, or with one that was used, and nothing is sent.
    public func place(_ request: OrderRequest, at time: Int) -> Int? {
        guard let label = request.label, !label.isEmpty, account.intents[label] == nil,
            let name = InstrumentName(request.instrumentName)
        else { return nil }
        var request = request
        var decidable = time + connection.settings.deadline
        if let life = orderLife, request.validUntil == nil, let offset = connection.clockOffset {
            request.validUntil = (time + life + offset) / 1_000
            // By then the venue's clock is past it, whatever the measurement was off by.
            decidable = max(decidable, time + life + 1_000_000)
        }
        note(.intent(label: label, .sent))
        sent[label] = Sent(currency: name.quote ?? name.base, decidable: decidable)
        let number = connection.request(request.method, request, at: time)
        labels[number] = label
        settle(at: time)
        return number
    }

    public func edit(_ request: EditRequest, at time: Int) -> Int {
        self.request(request.method, request, at: time)
    }

    public func cancel(_ orderID: String, at time: Int) -> Int {
        var selection = Selection()
        selection.orderID = orderID
        return request("private/cancel", selection, at: time)
    }

    public func cancelAll(at time: Int) -> Int { request("private/cancel_all", NoParameters(), at: time) }

    /// Any other method.
    public func request(_ method: String, _ parameters: some VenueRecord, at time: Int) -> Int {
        let number = connection.request(method, parameters, at: time)
        settle(at: time)
        return number
    }

    // MARK: What happened

    /// Tells the account, and the caller if it is news.
    func note(_ change: AccountChange) {
        if account.apply(change) { effects.append(.account(change)) }
    }

    func forgetOld(before time: Int) {
        let listed = Dictionary(uniqueKeysWithValues: Set(currencies).map { ($0, listedUntil[$0] ?? 0) })
        account.forget(before: time, listed: listed)
        sent = sent.filter { account.intents[$0.key] != nil }
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
        case .subscribed: break
        case .refused(let channels): effects.append(.refused(channels))
        case .clock(let offset, let roundTrip): effects.append(.clock(offset: offset, roundTrip: roundTrip))
        case .unreadable(let channel, let reason):
            effects.append(.unreadable(channel: channel, reason: reason))
        case .lost(let reason):
            isReconciled = false
            questions.removeAll()
            effects.append(.lost(reason))
        case .ready: reconcile(at: time)
        case .notification(let channel, let content):
            do throws(VenueProtocolError) {
                for change in try AccountPicture.changes(channel: channel, content) { note(change) }
            } catch {
                // What cannot be read may have been a fill: everything is asked for anew.
                askAgainAt = time
                effects.append(.unreadable(channel: channel, reason: error.description))
            }
        case .outcome(let number, let outcome):
            if let question = questions.removeValue(forKey: number) {
                decide(question, outcome, at: time)
            } else {
                note(number, outcome, at: time)
                effects.append(.outcome(request: number, outcome))
            }
        }
    }

    private func note(_ number: Int, _ outcome: ClientConnection.Outcome, at time: Int) {
        let label = labels.removeValue(forKey: number)
        switch outcome {
        case .result(let result):
            if let reply = try? OrderReply(result) {
                for trade in reply.trades { note(.trade(trade)) }
                note(.order(reply.order))
            } else if let order = try? VenueOrder(result) {
                note(.order(order))
            } else if label != nil {
                // It was taken, and what it became cannot be read.
                doubt(label, "unreadable reply", at: time)
            }
        case .fault(let fault):
            if let label { note(.intent(label: label, .refused(code: fault.code))) }
            if fault.saysAlreadyClosed { askAgainAt = time }
        case .unknown(let reason): doubt(label, reason, at: time)
        }
    }

    private func doubt(_ label: String?, _ reason: String, at time: Int) {
        if let label { note(.intent(label: label, .unknown)) }
        let was = isReconciled
        isReconciled = false
        askAgainAt = time
        if was { effects.append(.doubt(reason)) }
    }
}
