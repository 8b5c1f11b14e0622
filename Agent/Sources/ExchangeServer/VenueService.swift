import TestExchange
import VenueProtocol

/// The exchange's protocol over an exchange: requests in, replies and notifications out. It knows no network: whoever
/// carries the bytes makes sessions and hands their messages on. One thread owns it.
public final class VenueService {
    struct Token {
        let account: Int
        /// Microseconds.
        let expires: Int
        let scope: String
        /// Of a token that dies with its connection.
        let session: Int?
        let isRefresh: Bool
    }

    /// A request once it is known who sends it.
    struct Call {
        let method: String
        let parameters: JSONValue
        let session: Session
        var account: Int?
        var scope = ""
    }

    static let retainedTrades = 1_000

    public let exchange: Exchange
    public var configuration: VenueConfiguration
    /// Microseconds of the wall's clock: for tokens, credits and heartbeats, which the exchange's time does not move.
    let now: () -> Int
    /// Makes what cannot be guessed.
    let makeSecret: () -> String
    /// HMAC-SHA256 of a text under a secret, in lower-case hexadecimal digits.
    let sign: (_ text: String, _ secret: String) -> String

    var sessions: [Int: Session] = [:]
    private var nextSession = 1
    var tokens: [String: Token] = [:]
    var usedNonces: Set<String> = []
    var accountsThatCancel: Set<Int> = []
    var channels: [String: Channel] = [:]
    /// The same in the order in which they were first asked for.
    var channelOrder: [String] = []
    /// Channels whose new subscribers have not had their first message.
    var pendingGreetings: [(session: Session, channels: [Channel])] = []
    var recentTrades: [Int: [ExchangeTrade]] = [:]
    /// Minutes in which a contract was traded, by contract.
    var candles: [Int: [Candle]] = [:]
    private var requestCredits: [Int: CreditBucket] = [:]
    private var orderCredits: [Int: CreditBucket] = [:]
    /// Of `cancel_all` and its kin, which have credits of their own.
    private var cancelCredits: [Int: CreditBucket] = [:]
    /// By the place of the bucket in the limits.
    private var bucketCredits: [Int: [Int: CreditBucket]] = [:]
    /// Of the message that is being answered.
    private(set) var lastMethod = ""
    var ticksOfHundred = 0
    /// Milliseconds of the exchange's time from which on books take orders again after a maintenance.
    var reopenAt: Int?
    var isInMaintenance = false
    /// What goes wrong here, on purpose.
    public let faults: FaultPlan
    /// Where what happens is written down; nil where it is not.
    public var recording: VenueRecording?
    /// Connections are refused.
    var isRefusing = false
    /// Indices that are said to be locked.
    var lockedIndices: Set<String> = []
    /// Milliseconds that the venue's clock is ahead, for what clients ask of it.
    var clockSkew = 0
    /// Milliseconds that the exchange's time was moved on, beyond the clock that drives it.
    public internal(set) var skipped = 0

    public init(
        _ exchange: Exchange, _ configuration: VenueConfiguration = VenueConfiguration(),
        now: @escaping () -> Int, makeSecret: @escaping () -> String,
        sign: @escaping (_ text: String, _ secret: String) -> String = venueSignature,
        faults: FaultPlan = FaultPlan()
    ) {
        self.exchange = exchange
        self.configuration = configuration
        self.now = now
        self.makeSecret = makeSecret
        self.sign = sign
        self.faults = faults
    }

    // MARK: Connections

    public var mayConnect: Bool { sessions.count < configuration.limits.connections && !isRefusing }

    /// A connection that stays. `send` and `close` are called by the thread that calls the service.
    public func connect(
        send: @escaping ([UInt8]) -> Void, close: @escaping (_ code: Int) -> Void
    ) -> Session {
        let id = nextSession
        let session = Session(
            id: id, isPersistent: true,
            send: { [unowned self] bytes in
                recording?.sent(bytes, to: id)
                send(bytes)
            }, close: close)
        session.filter = { [unowned self] bytes, what, session in pass(bytes, what, session) }
        nextSession += 1
        return recorded([("open", id)]) {
            session.lastReceived = now()
            session.lastHeartbeat = session.lastReceived
            sessions[id] = session
            return session
        }
    }

    /// The connection is gone, for whatever reason: what depends on it goes too.
    public func disconnect(_ session: Session) {
        guard sessions[session.id] != nil else { return }
        recorded([("gone", session.id)]) { remove(session) }
    }

    private func remove(_ session: Session) {
        sessions[session.id] = nil
        session.wasClosed()
        for key in session.channels { channels[key]?.subscribers.removeAll { $0 === session } }
        tokens = tokens.filter { $0.value.session != session.id }
        if let account = session.account {
            if accountsThatCancel.contains(account) {
                _ = exchange.cancelAll(of: account, reason: "cancel_on_disconnect")
            } else if session.cancelsOnDisconnect {
                _ = exchange.cancelAll(of: account, reason: "cancel_on_disconnect") {
                    $0.connection == session.id
                }
            }
        }
        dispatch()
    }

    // MARK: Requests

    /// A message of a connection.
    public func receive(_ bytes: [UInt8], from session: Session) {
        guard !session.isHalfOpen, !session.isClosed else { return }
        recorded([("in", session.id), ("text", VenueRecording.text(bytes))]) { take(bytes, session) }
    }

    private func take(_ bytes: [UInt8], _ session: Session) {
        let started = now()
        let struck = faultOfRequest(bytes)
        if struck?.kind == .dropRequest { return }
        session.lastReceived = started
        session.awaitsTest = false
        let (reply, isFatal) = answer(bytes, session, started: started, access: nil)
        if struck?.kind == .closeAfterRequest {
            dispatch()
            return end(session, code: struck?.code ?? 1_006)
        }
        if struck?.kind == .notificationFirst { dispatch() }
        session.send(reply, .reply(method: lastMethod))
        dispatch()
        if isFatal { end(session, code: 1_000) }
    }

    /// Closes a connection from this side.
    func end(_ session: Session, code: Int) {
        session.close(code)
        disconnect(session)
    }

    /// A request over HTTP.
    /// - Parameters:
    ///   - method: from the path; empty where the body names it.
    ///   - query: parameters of the address, decoded.
    ///   - authorization: the header.
    ///   - target: path and query as they were sent, which signatures cover.
    /// - Returns: the status, and the body.
    public func request(
        verb: String, method: String, query: [(name: String, value: String)], body: [UInt8],
        authorization: String?,
        target: String
    ) -> (status: Int, body: [UInt8]) {
        guard let recording else {
            return carryOut(verb, method, query, body, authorization, target: target)
        }
        var request: [(name: String, value: any VenueValue)] = [
            ("verb", verb), ("method", method), ("query", query.map { [$0.name, $0.value] }),
            ("body", VenueRecording.text(body)), ("target", target),
        ]
        if let authorization { request.append(("authorization", authorization)) }
        let (status, reply) = recorded([("http", Members(request))]) {
            carryOut(verb, method, query, body, authorization, target: target)
        }
        recording.line([("reply", status), ("text", VenueRecording.text(reply))])
        return (status, reply)
    }

    private func carryOut(
        _ verb: String, _ method: String, _ query: [(name: String, value: String)], _ body: [UInt8],
        _ authorization: String?, target: String
    ) -> (status: Int, body: [UInt8]) {
        let started = now()
        let session = Session(id: 0, isPersistent: false, send: { _ in }, close: { _ in })
        var text = body
        if body.isEmpty || verb == "GET" && !query.isEmpty {
            var writer = JSONWriter()
            writer.object { writer in
                writer.key("method")
                writer.string(method)
                writer.key("params")
                writer.object { writer in
                    for (name, value) in query {
                        writer.key(name)
                        // Lists and objects of a query are JSON.
                        if let first = value.first, first == "[" || first == "{",
                            let tape = try? JSONTape(value)
                        {
                            writer.raw(tape.root.text)
                        } else {
                            writer.string(value)
                        }
                    }
                }
            }
            text = writer.bytes
        }
        let access = authorization.map {
            authenticate(header: $0, verb: verb, target: target, body: String(decoding: body, as: UTF8.self))
        }
        let isQuery = text != body
        let (reply, _) = answer(
            text, session, started: started, access: access, method: method, isLenient: isQuery)
        dispatch()
        return (reply.starts(with: Self.faultStart) ? 400 : 200, reply)
    }

    private static let faultStart = Array(#"{"jsonrpc":"2.0","error""#.utf8)

    /// - Parameters:
    ///   - access: what a header proved; a fault where it proved nothing.
    ///   - method: in place of the message's own.
    private func answer(
        _ bytes: [UInt8], _ session: Session, started: Int,
        access: Result<(account: Int, scope: String), VenueFault>?,
        method: String? = nil, isLenient: Bool = false
    ) -> (reply: [UInt8], isFatal: Bool) {
        var id: RequestID?
        let outcome: Result<any VenueValue, VenueFault>
        do throws(VenueFault) {
            let root: JSONValue
            do { root = try JSONTape(bytes, isLenient: isLenient || configuration.isLenient).root } catch {
                throw VenueFault(.parseError, detail: .init(reason: error.description))
            }
            id = root["id"].flatMap { try? RequestID($0) }
            // Some clients lead with a slash.
            let name = (method.flatMap { $0.isEmpty ? nil : $0 } ?? root["method"]?.string ?? "").drop {
                $0 == "/"
            }
            lastMethod = String(name)
            guard root.isObject, !name.isEmpty else { throw VenueFault(.badRequest) }
            let isBare = method?.isEmpty == false && root["method"] == nil && root["params"] == nil
            let given = isBare ? root : root["params"] ?? .emptyObject
            let parameters = given.isNull ? JSONValue.emptyObject : given
            guard parameters.isObject else {
                throw VenueFault(
                    .invalidParameters, detail: .init(reason: "parameters are named", parameter: "params"))
            }
            var call = Call(method: String(name), parameters: parameters, session: session)
            try identify(&call, access)
            try charge(call)
            try strike(call)
            outcome = .success(try perform(call))
        } catch { outcome = .failure(error) }
        var isFatal = false
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("jsonrpc", "2.0")
            switch outcome {
            case .success(let result):
                if let id { writer.member("id", id) }
                writer.key("result")
                result.write(to: &writer)
            case .failure(let fault):
                writer.member("error", fault)
                if let id { writer.member("id", id) }
                isFatal = fault.code == FaultCode.tooManyRequests.code && session.isPersistent
            }
            let received = exchange.time * 1_000
            let took = max(0, now() - started)
            writer.member("usIn", received)
            writer.member("usOut", received + took)
            writer.member("usDiff", took)
            writer.member("testnet", configuration.isTestnet)
        }
        return (writer.bytes, isFatal)
    }

    /// Finds out who calls: by a header, a token in the parameters, or the session.
    private func identify(
        _ call: inout Call, _ access: Result<(account: Int, scope: String), VenueFault>?
    ) throws(VenueFault) {
        if let token = call.parameters["access_token"]?.string {
            (call.account, call.scope) = try holder(of: token)
        } else if let access {
            let (account, scope) = try access.get()
            (call.account, call.scope) = (account, scope)
        } else {
            (call.account, call.scope) = (call.session.account, call.session.scope)
        }
        if isInMaintenance, !["public/status", "public/test", "public/hello"].contains(call.method) {
            throw VenueFault(.maintenance)
        }
        guard call.method.hasPrefix("private/") else { return }
        guard call.account != nil else { throw VenueFault(.authorizationRequired) }
        if Self.trading.contains(call.method), call.scope.contains("trade:read"),
            !call.scope.contains("trade:read_write")
        {
            throw VenueFault(.forbidden)
        }
    }

    func holder(of token: String) throws(VenueFault) -> (account: Int, scope: String) {
        guard let entry = tokens[token], !entry.isRefresh, entry.expires > now() else {
            throw VenueFault(.unauthorized)
        }
        return (entry.account, entry.scope)
    }

    static let trading: Set<String> = [
        "private/buy", "private/sell", "private/edit", "private/edit_by_label", "private/cancel",
        "private/cancel_all",
        "private/cancel_all_by_currency", "private/cancel_all_by_instrument",
        "private/cancel_all_by_kind_or_type",
        "private/cancel_by_label", "private/close_position",
    ]

    /// Takes a credit: of the account, or of the connection where nobody is known.
    private func charge(_ call: Call) throws(VenueFault) {
        guard configuration.limits.isEnforced else { return }
        // Connections count below 0, as accounts do above.
        let key = call.account ?? -call.session.id
        let time = now()
        let hasCredit: Bool
        if call.method.hasPrefix("private/cancel_all") {
            hasCredit = cancelCredits[key, default: CreditBucket(configuration.limits.matching, at: time)]
                .take(at: time)
        } else if Self.trading.contains(call.method) {
            hasCredit = orderCredits[key, default: CreditBucket(configuration.limits.matching, at: time)]
                .take(at: time)
        } else {
            hasCredit = requestCredits[key, default: CreditBucket(configuration.limits.nonMatching, at: time)]
                .take(at: time)
        }
        guard hasCredit else { throw VenueFault(.tooManyRequests) }
        for (place, bucket) in configuration.limits.buckets.enumerated()
        where bucket.names.contains(call.method) {
            let full = CreditBucket(burst: bucket.burst, rate: bucket.rate, at: time)
            guard bucketCredits[place, default: [:]][key, default: full].take(at: time) else {
                throw VenueFault(.tooManyRequests)
            }
        }
    }

    /// The parameters as a record.
    func read<Record: VenueRecord>(_ call: Call, as type: Record.Type = Record.self) throws(VenueFault)
        -> Record
    {
        do { return try Record(call.parameters) } catch {
            throw VenueFault(
                .invalidParameters,
                detail: .init(reason: error.description, parameter: error.path ?? "params"))
        }
    }

    func invalid(_ parameter: String, _ reason: String = "wrong format") -> VenueFault {
        VenueFault(.invalidParameters, detail: .init(reason: reason, parameter: parameter))
    }

    // MARK: Time

    /// To be called every 100 ms of the wall's clock, after the market has moved.
    public func tick() {
        recorded([("tick", true)]) {
            ticksOfHundred += 1
            changeFaults()
            reopen()
            dispatch()
            flush(.hundredMilliseconds)
            if ticksOfHundred % 10 == 0 {
                flush(.second)
                beat()
            }
            releaseHeld()
        }
    }

    /// Heartbeats, questions to connections that are quiet, and the end of those that do not answer.
    private func beat() {
        let time = now()
        for id in sessions.keys.sorted() {
            guard let session = sessions[id] else { continue }
            if time - session.lastReceived > 600_000_000 {
                end(session, code: 1_000)
                continue
            }
            guard let seconds = session.heartbeat, time - session.lastHeartbeat >= seconds * 1_000_000 else {
                continue
            }
            if session.awaitsTest {
                end(session, code: 1_000)
                continue
            }
            session.lastHeartbeat = time
            session.send(Heartbeat(.heartbeat).json, .heartbeat)
            session.awaitsTest = true
            session.send(Heartbeat(.testRequest).json, .testRequest)
        }
    }
}
