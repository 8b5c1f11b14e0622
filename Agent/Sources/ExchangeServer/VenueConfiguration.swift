import VenueProtocol

/// How a venue behaves towards its clients.
public struct VenueConfiguration: Sendable {
    /// Seconds that an access token lives.
    public var tokenSeconds = 900
    /// Whether numbers and booleans may be texts in JSON too; in queries they always may.
    public var isLenient = false
    /// Whether a nonce may be used only once per client.
    public var requiresFreshNonces = false
    /// Milliseconds by which a signature's time may be off.
    public var signatureWindow = 60_000
    public var limits = Limits()
    public var isTestnet = true

    /// Credits: what a request costs, how many there are and how fast they come back. Rates are per second.
    public struct Limits: Sendable {
        public var isEnforced = true
        public var nonMatching = RateLimit(burst: 1_500, rate: 1_000)
        public var matching = RateLimit(burst: 250, rate: 200)
        public var subscriptions = 500
        public var connections = 32

        public init() {}
    }

    public init() {}
}

/// A bucket of credits, refilled by time.
struct CreditBucket {
    let limit: RateLimit
    private var credits: Double
    private var last: Int

    init(_ limit: RateLimit, at microseconds: Int) {
        self.limit = limit
        credits = Double(limit.burst)
        last = microseconds
    }

    /// - Returns: whether there was a credit to take.
    mutating func take(at microseconds: Int) -> Bool {
        credits = min(
            Double(limit.burst), credits + Double(max(0, microseconds - last)) * Double(limit.rate) / 1e6)
        last = microseconds
        guard credits >= 1 else { return false }
        credits -= 1
        return true
    }
}
