import VenueProtocol

/// What a message is, for whoever may lose it.
enum Outgoing {
    case reply(method: String)
    case notification(channel: String)
    case heartbeat
    case testRequest
}

/// A client's connection, whatever carries it.
public final class Session {
    public let id: Int
    /// False for a request over HTTP.
    public let isPersistent: Bool
    private let sendBytes: ([UInt8]) -> Void
    private let closeConnection: (_ code: Int) -> Void
    /// What becomes of a message on its way out: itself where nothing is wrong.
    var filter: ((_ bytes: [UInt8], _ what: Outgoing, Session) -> [[UInt8]])?

    var account: Int?
    var scope = ""
    var cancelsOnDisconnect = false
    var channels: Set<String> = []
    /// Seconds; nil where no heartbeat was asked for.
    var heartbeat: Int?
    var lastReceived = 0
    var lastHeartbeat = 0
    var awaitsTest = false
    /// Nothing passes in either direction, and the other side does not know.
    var isHalfOpen = false
    /// Microseconds until which nothing goes out, and what waits for them.
    var stalledUntil = 0
    var stalled: [[UInt8]] = []
    /// A reply and notifications by channel that the next ones overtake.
    var heldReply: [UInt8]?
    var heldNotifications: [String: [UInt8]] = [:]
    public private(set) var isClosed = false

    init(
        id: Int, isPersistent: Bool, send: @escaping ([UInt8]) -> Void, close: @escaping (_ code: Int) -> Void
    ) {
        self.id = id
        self.isPersistent = isPersistent
        sendBytes = send
        closeConnection = close
    }

    func send(_ bytes: [UInt8], _ what: Outgoing) {
        guard !isClosed, !isHalfOpen else { return }
        guard let filter else { return sendBytes(bytes) }
        for message in filter(bytes, what, self) { sendBytes(message) }
    }

    /// What was held back goes out, as it is.
    func release(_ messages: [[UInt8]]) {
        guard !isClosed, !isHalfOpen else { return }
        for message in messages { sendBytes(message) }
    }

    /// - Parameter code: of WebSocket (RFC 6455, 7.4); 1006 closes without a word.
    func close(_ code: Int = 1_000) {
        guard !isClosed else { return }
        isClosed = true
        // Whoever is half open is not told.
        if !isHalfOpen { closeConnection(code) }
    }

    /// The other side has gone.
    func wasClosed() { isClosed = true }
}
