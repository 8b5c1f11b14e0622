import VenueProtocol

/// Who a client is.
public struct Credentials: Sendable {
    public var clientID: String
    public var secret: String

    public init(clientID: String, secret: String) {
        self.clientID = clientID
        self.secret = secret
    }
}

/// The protocol of one connection without the connection: what goes out for what comes in and for time that passes.
/// Times are microseconds of the caller's clock. One thread owns it.
public final class ClientConnection {
    public struct Settings: Sendable {
        public var credentials: Credentials?
        /// Seconds; the venue takes none below 10.
        public var heartbeat = 10
        /// Microseconds after which a request's outcome is unknown.
        public var deadline = 5_000_000
        public var cancelsOnDisconnect = false
        public var orders = RateLimit(burst: 20, rate: 5)
        public var requests = RateLimit(burst: 100, rate: 20)
        /// Requests at once and a second of methods that the venue counts on their own besides: it does not tell these.
        public var buckets: [(names: [String], burst: Double, rate: Double)] = [
            (["public/get_instruments"], 50, 1), (["public/subscribe", "private/subscribe"], 10, 10.0 / 3),
            (["private/get_transaction_log"], 8, 1),
        ]
        /// Of the venue's credits that are used.
        public var share = 0.8
        /// Channels of a request: frames are not to exceed 32 KiB.
        public var channelsPerRequest = 200
        /// Microseconds before the first attempt to connect again, and between attempts at most.
        public var shortestPause = 250_000
        public var longestPause = 30_000_000
        /// Microseconds that a connection has to last before the next loss begins with the shortest pause again.
        public var steadyAfter = 30_000_000
        /// Microseconds between measurements of the venue's clock.
        public var clockInterval = 60_000_000

        public init() {}
    }

    public enum Outcome: Sendable {
        case result(JSONValue)
        case fault(VenueFault)
        /// It may have been carried out or not: the deadline passed, the connection was lost, or the venue said so.
        case unknown(String)
    }

    public enum Effect: Sendable {
        /// To be answered with `opened` or `closed`, by a deadline of the line's own.
        case connect
        case send([UInt8])
        /// Close the connection if it is there; `lost` has been said already.
        case close
        /// Authenticated, beating, and all channels are confirmed.
        case ready
        case lost(String)
        case notification(channel: String, content: JSONValue)
        case outcome(request: Int, Outcome)
        /// Channels that the venue confirmed.
        case subscribed([String])
        /// Channels that the venue did not take, or said nothing to: they are asked for again.
        case refused([String])
        case clock(offset: Int, roundTrip: Int)
        case unreadable(channel: String, reason: String)
    }

    enum Purpose {
        case clock, authenticate, heartbeat, cancelOnDisconnect, confirmCancel, subscribe([String]), test,
            refresh
        case own
    }

    struct Request {
        var purpose: Purpose
        var deadline: Int
        var sent: Int
        var isStep = false
    }

    struct Waiting {
        var request: Int
        var method: String
        var bytes: [UInt8]

        var isCancel: Bool { method.hasPrefix("private/cancel") }
        var isOrder: Bool {
            ["private/buy", "private/sell", "private/edit", "private/edit_by_label"].contains(method)
        }
    }

    /// How far a connection has come.
    enum Phase { case closed, clock, authentication, preparation, ready }

    public let settings: Settings
    let sign: (_ text: String, _ secret: String) -> String
    /// In [0, 1): for the jitter of pauses.
    let random: () -> Double
    public internal(set) var channels: [String] = []
    var phase = Phase.closed
    public var isReady: Bool { phase == .ready }
    public var isOpen: Bool { phase != .closed }
    /// Microseconds that the venue's clock is ahead of the caller's; nil until measured.
    public internal(set) var clockOffset: Int?
    /// Of the last message.
    public internal(set) var lastReceived = 0
    public internal(set) var reconnections = 0
    var effects: [Effect] = []
    var requests: [Int: Request] = [:]
    var waiting: [Waiting] = []
    var nextRequest = 1
    var orderCredits: Throttle
    var requestCredits: Throttle
    /// By the place of the bucket in the settings.
    var bucketCredits: [Throttle]
    var refreshToken: String?
    var refreshAt = Int.max
    var clockAt = Int.max
    var connectAt: Int?
    var attempts = 0
    var readySince: Int?
    var isStopped = false
    /// Channels that were not confirmed: when they are asked for again, and how often they were.
    var unconfirmed: [String: (due: Int, attempts: Int)] = [:]
    /// Not before: a token that was refused is asked for anew, but not again and again.
    var authenticateAfter = 0

    public init(
        _ settings: Settings, channels: [String], at time: Int,
        sign: @escaping (_ text: String, _ secret: String) -> String = venueSignature,
        random: @escaping () -> Double
    ) {
        self.settings = settings
        self.channels = channels
        self.sign = sign
        self.random = random
        orderCredits = Throttle(settings.orders, share: settings.share, at: time)
        requestCredits = Throttle(settings.requests, share: settings.share, at: time)
        bucketCredits = settings.buckets.map {
            Throttle(burst: $0.burst * settings.share, rate: $0.rate * settings.share, at: time)
        }
        connectAt = time
    }

    public func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    /// The venue's own limits, once it has told them.
    public func use(orders: RateLimit?, requests: RateLimit?, at time: Int) {
        if let orders { orderCredits.change(orders, share: settings.share, at: time) }
        if let requests { requestCredits.change(requests, share: settings.share, at: time) }
    }

    // MARK: The line

    public func opened(at time: Int) {
        guard !isStopped, !isOpen else { return }
        lastReceived = time
        connectAt = nil
        phase = .clock
        askClock(at: time, isStep: true)
    }

    public func closed(_ reason: String, at time: Int) { lose(reason, at: time) }

    /// For good: nothing is connected again.
    public func stop(at time: Int) {
        isStopped = true
        lose("stopped", at: time)
        connectAt = nil
    }

    /// - Parameter isHopeless: whether the same is to be expected of the next attempt: it waits longest.
    func lose(_ reason: String, at time: Int, isHopeless: Bool = false) {
        guard isOpen || connectAt == nil else { return }
        if isOpen { effects.append(.close) }
        if let since = readySince, time - since >= settings.steadyAfter { attempts = 0 }
        readySince = nil
        phase = .closed
        unconfirmed.removeAll()
        // What was never sent was never carried out; what was sent is unknown.
        let unsent = Set(waiting.map(\.request))
        waiting.removeAll()
        for number in requests.keys.sorted() {
            guard let request = requests[number], case .own = request.purpose else { continue }
            effects.append(
                .outcome(
                    request: number,
                    unsent.contains(number) ? .fault(VenueFault(.temporarilyUnavailable)) : .unknown(reason)))
        }
        requests.removeAll()
        effects.append(.lost(reason))
        guard !isStopped else { return }
        if isHopeless { attempts = 16 }
        // Twice as long each time, half of it by chance, so that clients do not come back all at once.
        let longest = min(settings.longestPause, settings.shortestPause << min(attempts, 16))
        connectAt = time + longest / 2 + Int(Double(longest / 2) * random())
        attempts += 1
        reconnections += 1
    }

    // MARK: Requests

    /// Sends a request as soon as there are credits for it.
    /// - Returns: the number that its outcome will have: there is one for each request, in `deadline` at the latest.
    @discardableResult
    public func request(_ method: String, _ parameters: some VenueRecord, at time: Int) -> Int {
        // Before cancel on disconnect and channels are confirmed nothing goes out.
        guard isReady else { return refuse() }
        // What waits must not be placed after all was cancelled.
        if method.hasPrefix("private/cancel_all") { withdraw() }
        return send(method, parameters, .own, at: time)
    }

    private func refuse() -> Int {
        let number = nextRequest
        nextRequest += 1
        effects.append(.outcome(request: number, .fault(VenueFault(.temporarilyUnavailable))))
        return number
    }

    private func withdraw() {
        for entry in waiting where entry.isOrder {
            requests[entry.request] = nil
            effects.append(.outcome(request: entry.request, .fault(VenueFault(.cancelledByUser))))
        }
        waiting.removeAll { $0.isOrder }
    }

    @discardableResult
    func send(
        _ method: String, _ parameters: some VenueRecord, _ purpose: Purpose, at time: Int,
        isStep: Bool = false
    ) -> Int {
        let number = nextRequest
        nextRequest += 1
        requests[number] = Request(
            purpose: purpose, deadline: time + settings.deadline, sent: time, isStep: isStep)
        let bytes = RequestEnvelope(id: .number(number), method: method, parameters: parameters).json
        waiting.append(Waiting(request: number, method: method, bytes: bytes))
        pump(at: time)
        return number
    }

    /// Sends what there are credits for: cancels before orders, and whatever the venue waits for at once.
    func pump(at time: Int) {
        guard isOpen, !waiting.isEmpty else { return }
        var sent: Set<Int> = []
        func go(_ entry: Waiting) {
            requests[entry.request]?.sent = time
            effects.append(.send(entry.bytes))
            sent.insert(entry.request)
        }
        // An answer to the venue's question must not wait.
        for entry in waiting where entry.method == "public/test" { go(entry) }
        for isCancel in [true, false] {
            for entry in waiting where entry.isCancel == isCancel && (entry.isCancel || entry.isOrder) {
                guard orderCredits.take(at: time) else { break }
                go(entry)
            }
        }
        for entry in waiting where !entry.isCancel && !entry.isOrder && entry.method != "public/test" {
            let bucket = settings.buckets.firstIndex { $0.names.contains(entry.method) }
            // One that waits for a bucket of its own keeps only its like waiting.
            if let bucket, !bucketCredits[bucket].hasCredit(at: time) { continue }
            guard requestCredits.take(at: time) else { break }
            if let bucket { _ = bucketCredits[bucket].take(at: time) }
            go(entry)
        }
        waiting.removeAll { sent.contains($0.request) }
    }
}
