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
        /// Of the venue's credits that are used.
        public var share = 0.8
        /// Channels of a request: frames are not to exceed 32 KiB.
        public var channelsPerRequest = 200
        /// Microseconds before the first attempt to connect again, and between attempts at most.
        public var shortestPause = 250_000
        public var longestPause = 30_000_000

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
        /// Channels that the venue did not take, or said nothing to.
        case refused([String])
    }

    private enum Purpose {
        case authenticate, clock, heartbeat, cancelOnDisconnect, subscribe([String]), test, refresh, own
    }

    private struct Request {
        var purpose: Purpose
        var deadline: Int
        var sent: Int
    }

    public let settings: Settings
    private let sign: (_ text: String, _ secret: String) -> String
    /// In [0, 1): for the jitter of pauses.
    private let random: () -> Double
    public private(set) var channels: [String] = []
    public private(set) var isReady = false
    public private(set) var isOpen = false
    /// Microseconds that the venue's clock is ahead of the caller's; nil until measured.
    public private(set) var clockOffset: Int?
    /// Of the last message.
    public private(set) var lastReceived = 0
    public private(set) var reconnections = 0
    private var effects: [Effect] = []
    private var requests: [Int: Request] = [:]
    private var waiting: [(request: Int, method: String, bytes: [UInt8], isOrder: Bool)] = []
    private var nextRequest = 1
    private var steps: Set<Int> = []
    private var orderCredits: Throttle
    private var requestCredits: Throttle
    private var refreshToken: String?
    private var refreshAt = Int.max
    private var connectAt: Int?
    private var attempts = 0
    private var isStopped = false

    public init(
        _ settings: Settings, channels: [String], at time: Int,
        sign: @escaping (_ text: String, _ secret: String) -> String, random: @escaping () -> Double
    ) {
        self.settings = settings
        self.channels = channels
        self.sign = sign
        self.random = random
        orderCredits = Throttle(settings.orders, share: settings.share, at: time)
        requestCredits = Throttle(settings.requests, share: settings.share, at: time)
        connectAt = time
    }

    public func takeEffects() -> [Effect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    // MARK: The line

    public func opened(at time: Int) {
        isOpen = true
        lastReceived = time
        connectAt = nil
        if settings.credentials != nil { authenticate(at: time) } else { prepare(at: time) }
    }

    public func closed(_ reason: String, at time: Int) { lose(reason, at: time) }

    /// For good: nothing is connected again.
    public func stop(at time: Int) {
        isStopped = true
        lose("stopped", at: time)
        connectAt = nil
    }

    private func lose(_ reason: String, at time: Int) {
        guard isOpen || connectAt == nil else { return }
        let wasOpen = isOpen
        isOpen = false
        isReady = false
        steps.removeAll()
        if wasOpen { effects.append(.close) }
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
        // Twice as long each time, half of it by chance, so that clients do not come back all at once.
        let longest = min(settings.longestPause, settings.shortestPause << min(attempts, 16))
        connectAt = time + longest / 2 + Int(Double(longest / 2) * random())
        attempts += 1
        reconnections += 1
    }

    // MARK: Opening

    private func authenticate(at time: Int) {
        guard let credentials = settings.credentials else { return }
        var request = Authentication()
        request.grant = .clientSignature
        request.clientID = credentials.clientID
        // By the venue's clock, once it is known.
        let stamp = (time + (clockOffset ?? 0)) / 1_000
        request.timestamp = stamp
        let nonce = "\(time)-\(nextRequest)"
        request.nonce = nonce
        request.data = ""
        request.signature = sign(
            Authentication.signedText(timestamp: stamp, nonce: nonce, data: ""), credentials.secret)
        send(request.method, request, .authenticate, at: time)
    }

    private func prepare(at time: Int) {
        send("public/get_time", NoParameters(), .clock, at: time, isStep: true)
        send(
            "public/set_heartbeat", Parameters([("interval", settings.heartbeat)]), .heartbeat, at: time,
            isStep: true)
        if settings.cancelsOnDisconnect {
            send(
                "private/enable_cancel_on_disconnect", NoParameters(), .cancelOnDisconnect, at: time,
                isStep: true)
        }
        subscribe(channels, at: time, isStep: true)
        finishOpening()
    }

    private func subscribe(_ names: [String], at time: Int, isStep: Bool) {
        for isPrivate in [false, true] {
            let chosen = names.filter { (ChannelName($0)?.isPrivate ?? false) == isPrivate }
            var start = 0
            while start < chosen.count {
                var request = SubscriptionRequest()
                request.channels = Array(
                    chosen[start..<min(chosen.count, start + settings.channelsPerRequest)])
                request.isPrivate = isPrivate
                send(request.method, request, .subscribe(request.channels), at: time, isStep: isStep)
                start += settings.channelsPerRequest
            }
        }
    }

    private func finishOpening() {
        guard isOpen, !isReady, steps.isEmpty else { return }
        isReady = true
        attempts = 0
        effects.append(.ready)
    }

    /// Subscribes a channel anew: the venue then begins with a snapshot.
    public func restart(_ channel: String, at time: Int) {
        guard isOpen else { return }
        var request = SubscriptionRequest()
        request.channels = [channel]
        send("public/unsubscribe", request, .test, at: time)
        subscribe([channel], at: time, isStep: false)
    }

    // MARK: Requests

    private struct Parameters: VenueRecord {
        var values: [(name: String, value: Int)] = []
        init() {}
        init(_ values: [(name: String, value: Int)]) { self.values = values }
        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {}
        func write(to writer: inout JSONWriter) { NamedValues(values).write(to: &writer) }
    }

    /// Sends a request as soon as there are credits for it.
    /// - Returns: the number that its outcome will have: there is one for each request, in `deadline` at the latest.
    @discardableResult
    public func request(_ method: String, _ parameters: some VenueRecord, at time: Int) -> Int {
        let number = send(method, parameters, .own, at: time)
        if !isOpen {
            requests[number] = nil
            waiting.removeAll { $0.request == number }
            effects.append(.outcome(request: number, .fault(VenueFault(.temporarilyUnavailable))))
        }
        return number
    }

    @discardableResult
    private func send(
        _ method: String, _ parameters: some VenueRecord, _ purpose: Purpose, at time: Int,
        isStep: Bool = false
    ) -> Int {
        let number = nextRequest
        nextRequest += 1
        requests[number] = Request(purpose: purpose, deadline: time + settings.deadline, sent: time)
        if isStep { steps.insert(number) }
        let isOrder =
            ["private/buy", "private/sell", "private/edit", "private/edit_by_label"].contains(method)
            || method.hasPrefix("private/cancel")
        let bytes = RequestEnvelope(id: .number(number), method: method, parameters: parameters).json
        waiting.append((number, method, bytes, isOrder))
        pump(at: time)
        return number
    }

    private func pump(at time: Int) {
        guard isOpen else { return }
        var kept: [(request: Int, method: String, bytes: [UInt8], isOrder: Bool)] = []
        var (ordersAreOut, requestsAreOut) = (false, false)
        for entry in waiting {
            // An answer to the venue's question must not wait.
            let isFree = entry.method == "public/test"
            let mayGo: Bool
            if isFree {
                mayGo = true
            } else if entry.isOrder {
                mayGo = !ordersAreOut && orderCredits.take(at: time)
                ordersAreOut = !mayGo
            } else {
                mayGo = !requestsAreOut && requestCredits.take(at: time)
                requestsAreOut = !mayGo
            }
            if mayGo {
                requests[entry.request]?.sent = time
                effects.append(.send(entry.bytes))
            } else {
                kept.append(entry)
            }
        }
        waiting = kept
    }

    // MARK: What comes in

    public func received(_ bytes: [UInt8], at time: Int) {
        guard isOpen else { return }
        lastReceived = time
        do {
            switch try VenueMessage(bytes) {
            case .heartbeat(.testRequest): send("public/test", NoParameters(), .test, at: time)
            case .heartbeat(.heartbeat): break
            case .notification(let channel, let content):
                effects.append(.notification(channel: channel, content: content))
            case .reply(let reply): answered(reply, at: time)
            }
        } catch { lose("unreadable: \(error)", at: time) }
    }

    private func answered(_ reply: Reply<JSONValue>, at time: Int) {
        guard case .number(let number)? = reply.id.value, let request = requests.removeValue(forKey: number)
        else { return }
        let isStep = steps.remove(number) != nil
        if let fault = reply.fault {
            switch request.purpose {
            case .own:
                let outcome: Outcome =
                    fault.faultClass == .unknownOutcome ? .unknown(fault.message) : .fault(fault)
                effects.append(.outcome(request: number, outcome))
            case .refresh: authenticate(at: time)
            case .test: break
            case .subscribe(let names) where !isStep: effects.append(.refused(names))
            default: lose("\(fault.code) \(fault.message)", at: time)
            }
            return
        }
        let result = reply.result ?? .null
        switch request.purpose {
        case .own: effects.append(.outcome(request: number, .result(result)))
        case .authenticate, .refresh:
            guard let granted = try? Authentication.Result(result) else { return lose("no token", at: time) }
            refreshToken = granted.refreshToken
            // Before four fifths of its life are over.
            refreshAt = time + granted.expiresIn * 800_000
            if case .authenticate = request.purpose, !isReady { prepare(at: time) }
        case .clock:
            if let venue = result.integer { clockOffset = venue * 1_000 - (request.sent + time) / 2 }
        case .subscribe(let names):
            let taken = (try? [String](result)) ?? []
            let missing = names.filter { !taken.contains($0) }
            if !missing.isEmpty { effects.append(.refused(missing)) }
        case .heartbeat, .cancelOnDisconnect, .test: break
        }
        if isStep { finishOpening() }
    }

    // MARK: Time

    /// To be called often: deadlines, credits, tokens, silence, and the next attempt to connect.
    public func tick(at time: Int) {
        if let due = connectAt, due <= time, !isOpen {
            connectAt = nil
            effects.append(.connect)
            return
        }
        guard isOpen else { return }
        // A venue that beats is never silent for two beats: a socket may be half open.
        if time - lastReceived > settings.heartbeat * 2_500_000 { return lose("silent", at: time) }
        for number in requests.keys.sorted() {
            guard let request = requests[number], request.deadline <= time else { continue }
            requests[number] = nil
            let wasSent = !waiting.contains { $0.request == number }
            waiting.removeAll { $0.request == number }
            switch request.purpose {
            case .own: break
            // Until it is answered nothing else is asked for: a venue that only beats would be waited for without end.
            case .authenticate: return lose("no answer", at: time)
            case _ where steps.contains(number): return lose("no answer", at: time)
            case .subscribe(let names):
                effects.append(.refused(names))
                continue
            case .clock, .heartbeat, .cancelOnDisconnect, .test, .refresh: continue
            }
            effects.append(
                .outcome(
                    request: number,
                    wasSent ? .unknown("deadline") : .fault(VenueFault(.temporarilyUnavailable))))
        }
        if refreshAt <= time, let token = refreshToken {
            refreshAt = time + settings.deadline
            var request = Authentication()
            request.grant = .refreshToken
            request.refreshToken = token
            send(request.method, request, .refresh, at: time)
        }
        pump(at: time)
    }
}
