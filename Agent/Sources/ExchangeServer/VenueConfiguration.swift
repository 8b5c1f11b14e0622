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

    /// Requests that a bucket of their own counts besides the account's.
    public struct Bucket: Sendable {
        /// Of methods.
        public var names: [String]
        /// Requests at once.
        public var burst: Double
        /// Requests a second.
        public var rate: Double
    }

    /// Credits: what a request costs, how many there are and how fast they come back. Rates are per second.
    public struct Limits: Sendable {
        public var isEnforced = true
        /// As the exchange's documentation has them: lists of instruments, subscriptions, the transaction log.
        public var buckets = [
            Bucket(names: ["public/get_instruments"], burst: 50, rate: 1),
            Bucket(names: ["public/subscribe", "private/subscribe"], burst: 10, rate: 10.0 / 3),
            Bucket(names: ["private/get_transaction_log"], burst: 8, rate: 1),
        ]
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
    private let burst, rate: Double
    private var credits: Double
    private var last: Int

    init(burst: Double, rate: Double, at microseconds: Int) {
        (self.burst, self.rate) = (burst, rate)
        credits = burst
        last = microseconds
    }

    init(_ limit: RateLimit, at microseconds: Int) {
        self.init(burst: Double(limit.burst), rate: Double(limit.rate), at: microseconds)
    }

    /// - Returns: whether there was a credit to take.
    mutating func take(at microseconds: Int) -> Bool {
        credits = min(burst, credits + Double(max(0, microseconds - last)) * rate / 1e6)
        last = microseconds
        guard credits >= 1 else { return false }
        credits -= 1
        return true
    }
}
