import VenueProtocol

/// A client's connection, whatever carries it.
public final class Session {
    public let id: Int
    /// False for a request over HTTP.
    public let isPersistent: Bool
    private let sendBytes: ([UInt8]) -> Void
    private let closeConnection: () -> Void

    var account: Int?
    var scope = ""
    var cancelsOnDisconnect = false
    var channels: Set<String> = []
    /// Seconds; nil where no heartbeat was asked for.
    var heartbeat: Int?
    var lastReceived = 0
    var lastHeartbeat = 0
    var awaitsTest = false
    public private(set) var isClosed = false

    init(id: Int, isPersistent: Bool, send: @escaping ([UInt8]) -> Void, close: @escaping () -> Void) {
        self.id = id
        self.isPersistent = isPersistent
        sendBytes = send
        closeConnection = close
    }

    func send(_ bytes: [UInt8]) {
        if !isClosed { sendBytes(bytes) }
    }

    func send(_ record: some VenueRecord) { send(record.json) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        closeConnection()
    }

    /// The other side has gone.
    func wasClosed() { isClosed = true }
}
