import VenueProtocol

/// A client's own bucket of credits, a share of the venue's, so that the venue's never runs dry.
struct Throttle {
    private var burst, rate: Double
    private var credits: Double
    private var last: Int

    init(burst: Double, rate: Double, at microseconds: Int) {
        self.burst = max(1, burst)
        self.rate = rate
        credits = self.burst
        last = microseconds
    }

    init(_ limit: RateLimit, share: Double, at microseconds: Int) {
        self.init(burst: Double(limit.burst) * share, rate: Double(limit.rate) * share, at: microseconds)
    }

    /// Another limit from now on. What was spent stays spent.
    mutating func change(_ limit: RateLimit, share: Double, at microseconds: Int) {
        guard limit.burst > 0, limit.rate > 0 else { return }
        fill(at: microseconds)
        let spent = burst - credits
        burst = max(1, Double(limit.burst) * share)
        rate = Double(limit.rate) * share
        credits = max(0, burst - spent)
    }

    private mutating func fill(at microseconds: Int) {
        credits = min(burst, credits + Double(max(0, microseconds - last)) * rate / 1e6)
        last = max(last, microseconds)
    }

    mutating func hasCredit(at microseconds: Int) -> Bool {
        fill(at: microseconds)
        return credits >= 1
    }

    /// - Returns: whether there was a credit to take.
    mutating func take(at microseconds: Int) -> Bool {
        fill(at: microseconds)
        guard credits >= 1 else { return false }
        credits -= 1
        return true
    }
}
