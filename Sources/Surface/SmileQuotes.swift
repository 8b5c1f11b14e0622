import Foundation

/// What a fit minimises.
public enum SmileLoss: String, Sendable, CaseIterable {
    /// Σ q (σ − mid)², over two-sided quotes.
    case mid
    /// Σ q (e/h)² + 0.01 Σ q ((σ − mid)/h)², where e is how far σ lies outside of bid and ask (outside the only side there
    /// is) and h half the spread, at least 0.001; the second sum over two-sided quotes. One-sided quotes have the median h
    /// of the others.
    case band
}

/// One quote of a smile, in volatilities.
public struct SmileQuote: Sendable, Equatable {
    public let strike: Double
    /// 0.6 is 60%; nil where nobody quotes that side.
    public let bid, ask: Double?
    /// How much it counts; 0 is not at all.
    public let weight: Double

    public init(strike: Double, bid: Double?, ask: Double?, weight: Double = 1) {
        self.strike = strike
        self.bid = bid
        self.ask = ask
        self.weight = weight
    }

    /// Whether it has part in a fit: some side, not crossed, a weight.
    var counts: Bool {
        guard weight > 0, bid != nil || ask != nil else { return false }
        if let bid, let ask { return bid <= ask }
        return true
    }

    var isTwoSided: Bool { bid != nil && ask != nil }

    /// Half of the spread, or the least that a distance is measured by; nil with one side.
    var halfSpread: Double? {
        guard let bid, let ask else { return nil }
        return max((ask - bid) / 2, SmileLoss.leastHalfSpread)
    }
}

/// The quotes of one expiry.
public struct SmileQuotes: Sendable {
    public let name: String
    /// Slices of one underlying must not cross.
    public let underlying: String
    public let years, forward: Double
    public let quotes: [SmileQuote]

    public init(name: String, underlying: String, years: Double, forward: Double, quotes: [SmileQuote]) {
        self.name = name
        self.underlying = underlying
        self.years = years
        self.forward = forward
        self.quotes = quotes
    }
}

extension SmileLoss {
    /// The least half spread that a distance is measured by.
    static var leastHalfSpread: Double { 0.001 }
    /// How much the middle counts beside the band.
    static var middleShare: Double { 0.01 }
}
