import VenueProtocol

/// A client's own bucket of credits, a share of the venue's, so that the venue's never runs dry.
struct Throttle {
    private let burst, rate: Double
    private var credits: Double
    private var last: Int

    init(_ limit: RateLimit, share: Double, at microseconds: Int) {
        burst = max(1, Double(limit.burst) * share)
        rate = Double(limit.rate) * share
        credits = burst
        last = microseconds
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
