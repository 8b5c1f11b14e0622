import VenueProtocol

/// A link to a venue without the network: both lines, the market's and the account's pictures, and events for whoever
/// listens. Times are microseconds of the caller's clock. One thread owns it.
public final class VenueLinkCore {
    public enum Effect: Sendable {
        /// To be answered with `opened` or `closed`.
        case connect(VenueLine)
        case send(VenueLine, [UInt8])
        case close(VenueLine)
        case event(VenueEvent)
    }

    enum Question {
        case status
        case instruments(currency: String)
        case instrument(name: String)
        case chain(currency: String)
        /// The caller's own.
        case call(tag: Int)
    }

    public let configuration: VenueLinkConfiguration
    public private(set) var market = MarketPicture()
    let marketLine: ClientConnection
    let trading: TradingClient?
    var effects: [Effect] = []
    /// On the market's line.
    var questions: [Int: Question] = [:]
    /// The caller's requests on the trading line.
    private var tags: [Int: Int] = [:]
    /// The venue's status, currencies whose instruments are not listed, and channels that are not confirmed: until then not ready.
    var unlisted: Set<String> = []
    var knowsStatus = false
    var unconfirmed: Set<String> = []
    private(set) var isMarketReady = false
    /// When channels that speak by the clock spoke last.
    var lastSpoken: [String: Int] = [:]
    /// Channels of books whose snapshot is due, and since when.
    var awaitsSnapshot: [String: Int] = [:]
    var chainAt = Int.max
    var instrumentsAt = Int.max
    private var tickAt: Int
    /// Whether events of the market are left out, as too many wait.
    private(set) var isOverflowing = false
    private var dropped = 0

    public init(
        _ configuration: VenueLinkConfiguration, at time: Int,
        sign: @escaping (_ text: String, _ secret: String) -> String = venueSignature,
        random: @escaping () -> Double
    ) {
        self.configuration = configuration
        tickAt = time
        var settings = configuration.connection
        settings.cancelsOnDisconnect = false
        settings.credentials = configuration.interval == .raw ? configuration.credentials : nil
        var channels = configuration.indices.flatMap {
            ["deribit_price_index.\($0)", "markprice.options.\($0)"]
        }
        channels += configuration.currencies.map { "instrument.state.any.\($0)" }
        channels.append("platform_state")
        marketLine = ClientConnection(settings, channels: channels, at: time, sign: sign, random: random)
        guard let credentials = configuration.credentials else {
            trading = nil
            return
        }
        settings = configuration.connection
        settings.credentials = credentials
        let trading = TradingClient(
            settings, currencies: configuration.currencies, at: time, tradesSince: configuration.tradesSince,
            sign: sign, random: random)
        trading.orderLife = configuration.orderLife
        trading.reviewInterval = configuration.reviewInterval
        self.trading = trading
    }

    public var account: AccountPicture { trading?.account ?? AccountPicture() }
    public var isReady: Bool { isMarketReady && trading?.isReconciled ?? true }

    /// Whether `takeEffects` would have any.
    public var hasEffects: Bool { !effects.isEmpty }

    public func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    func emit(_ content: VenueEvent.Content, at time: Int) {
        effects.append(.event(VenueEvent(time: time, content)))
    }

    // MARK: The lines

    public func opened(_ line: VenueLine, at time: Int) {
        switch line {
        case .market: marketLine.opened(at: time)
        case .trading: trading?.opened(at: time)
        }
        settle(at: time)
    }

    public func closed(_ line: VenueLine, _ reason: String, at time: Int) {
        switch line {
        case .market: marketLine.closed(reason, at: time)
        case .trading: trading?.closed(reason, at: time)
        }
        settle(at: time)
    }

    public func received(_ line: VenueLine, _ bytes: [UInt8], at time: Int) {
        switch line {
        case .market: marketLine.received(bytes, at: time)
        case .trading: trading?.received(bytes, at: time)
        }
        settle(at: time)
    }

    public func tick(at time: Int) {
        marketLine.tick(at: time)
        trading?.tick(at: time)
        if marketLine.isReady { keepMarket(at: time) }
        settle(at: time)
        if let interval = configuration.tickInterval, tickAt <= time {
            tickAt = time + interval
            emit(.tick, at: time)
        }
    }

    /// For good. Orders are not cancelled by it but where cancel on disconnect does.
    public func stop(at time: Int) {
        marketLine.stop(at: time)
        trading?.stop(at: time)
        settle(at: time)
    }

    /// Whether more events wait than may: until they are taken those of the market are left out, and then their books
    /// begin anew.
    public func setOverflowing(_ isOverflowing: Bool, at time: Int) {
        guard isOverflowing != self.isOverflowing else { return }
        self.isOverflowing = isOverflowing
        if isOverflowing {
            dropped = 0
            return
        }
        let content = VenueEvent.Content.overflow(dropped: dropped)
        market.apply(content, at: time)
        emit(content, at: time)
        restartBooks(
            marketLine.channels.filter { if case .book? = ChannelName($0) { true } else { false } }, at: time)
        settle(at: time)
    }

    // MARK: Requests

    /// Sends a request; its outcome comes as an event with the tag, once.
    public func send(_ request: VenueRequest, tag: Int, at time: Int) {
        defer { settle(at: time) }
        guard request.line == .trading else {
            guard case .call(let method, let parameters) = request else { return }
            let number = marketLine.request(method, RawParameters(json: parameters), at: time)
            questions[number] = .call(tag: tag)
            return
        }
        guard let trading else {
            return emit(.outcome(tag: tag, .fault(VenueFault(.authorizationRequired))), at: time)
        }
        let number: Int?
        switch request {
        case .place(let order): number = trading.place(order, at: time)
        case .edit(let edit): number = trading.edit(edit, at: time)
        case .call(let method, let parameters):
            number = trading.request(method, RawParameters(json: parameters), at: time)
        default: number = trading.request(request.method, request.selection, at: time)
        }
        if let number {
            tags[number] = tag
        } else {
            let reason = "an order needs an instrument, and a label of its own"
            let fault = VenueFault(.invalidParameters, detail: .init(reason: reason, parameter: "label"))
            emit(.outcome(tag: tag, .fault(fault)), at: time)
        }
    }

    /// Follows channels of the market, now and on every connection to come.
    public func follow(_ channels: [String], at time: Int) {
        marketLine.add(channels, at: time)
        settle(at: time)
    }

    public func unfollow(_ channels: [String], at time: Int) {
        marketLine.remove(channels, at: time)
        settle(at: time)
    }

    // MARK: What happened

    private func settle(at time: Int) {
        while true {
            let market = marketLine.takeEffects()
            let account = trading?.takeEffects() ?? []
            if market.isEmpty, account.isEmpty { break }
            for effect in market { handle(effect, at: time) }
            for effect in account { handle(effect, at: time) }
        }
        finishOpening(at: time)
    }

    private func finishOpening(at time: Int) {
        guard !isMarketReady, marketLine.isReady, knowsStatus, unlisted.isEmpty, unconfirmed.isEmpty else {
            return
        }
        isMarketReady = true
        emit(.ready(.market), at: time)
    }

    private func handle(_ effect: TradingClient.Effect, at time: Int) {
        switch effect {
        case .connect: effects.append(.connect(.trading))
        case .send(let bytes): effects.append(.send(.trading, bytes))
        case .close: effects.append(.close(.trading))
        case .reconciled: emit(.ready(.trading), at: time)
        case .lost(let reason): emit(.lost(.trading, reason: reason), at: time)
        case .doubt(let reason): emit(.lost(.trading, reason: "unknown outcome: \(reason)"), at: time)
        case .refused(let channels): emit(.refused(channels), at: time)
        case .account(let change): emit(.account(change), at: time)
        case .clock(let offset, let roundTrip): emit(.clock(offset: offset, roundTrip: roundTrip), at: time)
        case .unreadable(let channel, let reason):
            emit(.unreadable(channel: channel, reason: reason), at: time)
        case .outcome(let number, let outcome):
            guard let tag = tags.removeValue(forKey: number) else { return }
            emit(.outcome(tag: tag, Self.outcome(outcome)), at: time)
        }
    }

    private static func outcome(_ outcome: ClientConnection.Outcome) -> RequestOutcome {
        switch outcome {
        case .result(let result): (try? OrderReply(result)).map { .order($0) } ?? .result(result)
        case .fault(let fault): .fault(fault)
        case .unknown(let reason): .unknown(reason)
        }
    }

    private func handle(_ effect: ClientConnection.Effect, at time: Int) {
        switch effect {
        case .connect: effects.append(.connect(.market))
        case .send(let bytes): effects.append(.send(.market, bytes))
        case .close: effects.append(.close(.market))
        case .ready: beginMarket(at: time)
        case .lost(let reason):
            isMarketReady = false
            awaitsSnapshot.removeAll()
            questions = questions.filter { if case .call = $0.value { true } else { false } }
            market.apply(.lost(.market, reason: reason), at: time)
            emit(.lost(.market, reason: reason), at: time)
        case .clock(let offset, let roundTrip):
            // With an account it is the trading line's that counts.
            if trading == nil { emit(.clock(offset: offset, roundTrip: roundTrip), at: time) }
        case .subscribed(let channels): unconfirmed.subtract(channels)
        case .refused(let channels): emit(.refused(channels), at: time)
        case .unreadable(let channel, let reason):
            emit(.unreadable(channel: channel, reason: reason), at: time)
        case .notification(let channel, let content): noteMarket(channel, content, at: time)
        case .outcome(let number, let outcome):
            guard let question = questions.removeValue(forKey: number) else { return }
            if case .call(let tag) = question {
                emit(.outcome(tag: tag, Self.outcome(outcome)), at: time)
            } else {
                answered(question, outcome, at: time)
            }
        }
    }

    /// Tells the market, and the caller unless too many events wait already.
    /// - Returns: what is wrong with a book.
    func tell(_ content: VenueEvent.Content, at time: Int) -> (reason: OrderBook.Fault, wasValid: Bool)? {
        if let fault = market.apply(content, at: time) { return fault }
        if isOverflowing, content.mayBeDropped {
            dropped += 1
        } else {
            emit(content, at: time)
        }
        return nil
    }
}

extension VenueEvent.Content {
    /// Whether it is one of many, and the next one makes up for it.
    var mayBeDropped: Bool {
        switch self {
        case .book, .bookInvalid, .ticker, .marks, .index, .trades, .chain, .other: true
        default: false
        }
    }
}
