import VenueProtocol

/// A source of prices, and what of it is believed.
public struct OracleSource: VenueRecord, Equatable {
    public var name = ""
    /// Its Ed25519 key in hexadecimal: quotes that it has not signed are refused. Without one it is taken at its word, as the
    /// venue's own index is.
    public var publicKey: String?
    /// Milliseconds from publication after which a quote is stale: the source's own heartbeat and some grace.
    public var mostAge = 10_000
    /// The largest confidence, as a share of the price.
    public var mostConfidence = 0.01
    /// Prices at which the source is known to be clamped: one at an edge is no price.
    public var lowEdge: Double?
    public var highEdge: Double?

    public init() {}
    public init(_ name: String, publicKey: String? = nil, mostAge: Int = 10_000) {
        (self.name, self.publicKey, self.mostAge) = (name, publicKey, mostAge)
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("name", &name)
        try fields.field("public_key", &publicKey)
        var (age, confidence): (Int?, Double?) = (mostAge, mostConfidence)
        try fields.field("most_age_ms", &age)
        try fields.field("most_confidence", &confidence)
        (mostAge, mostConfidence) = (age ?? mostAge, confidence ?? mostConfidence)
        try fields.field("low_edge", &lowEdge)
        try fields.field("high_edge", &highEdge)
    }
}

/// Why a quote is not believed.
public enum OracleRefusal: String, VenueWord {
    case unknownSource = "unknown_source"
    case otherUnderlying = "other_underlying"
    case noSignature = "no_signature"
    /// Not positive, or no number.
    case noPrice = "no_price"
    case atEdge = "at_edge"
    case fromTheFuture = "from_the_future"
    case stale
    /// Older than one that was taken.
    case outOfOrder = "out_of_order"
    case unsure
}

/// The price of an underlying out of several sources, some of which may be late, wrong or lying.
///
/// It is the median of those that can be believed by themselves. With n sources at most f = ⌈n/3⌉ − 1 of them, fewer than a
/// third, may lie: 2f + 1 at least, and never fewer than three, must be there, so that the median always lies between two
/// honest ones, whatever the others say. Too few, too far apart, or too far from the last price are no price: then no new risk
/// is to be taken, and the last one is good enough for orders that reduce.
public struct OracleAggregate: Sendable {
    public enum Outcome: Equatable, Sendable {
        case price(Double)
        case tooFew(found: Int, needed: Int)
        /// Fewer than needed are near the median.
        case apart(near: Int, needed: Int)
        case jumped(from: Double, to: Double)

        public var price: Double? { if case .price(let price) = self { price } else { nil } }
    }

    public let underlying: String
    public let sources: [OracleSource]
    /// From the median, as a share, within which sources agree.
    public var mostDeviation = 0.01
    /// From one price to the next, as a share, per `jumpInterval` that has passed, or part of it.
    public var mostJump = 0.05
    public var jumpInterval = 1_000
    /// Milliseconds by which a source's clock may be ahead.
    public var mostAhead = 1_000
    private var keys: [[UInt8]?]
    /// By source.
    private var quotes: [OracleQuote?]
    /// The last price that was one, and when.
    public private(set) var last: (price: Double, time: Int)?
    /// How often quotes were refused, by reason.
    public private(set) var refusals: [OracleRefusal: Int] = [:]

    /// - Returns: nil without sources, with one twice, or with a key that is none.
    public init?(_ underlying: String, _ sources: [OracleSource]) {
        guard !sources.isEmpty, Set(sources.map(\.name)).count == sources.count else { return nil }
        var keys: [[UInt8]?] = []
        for source in sources {
            guard let text = source.publicKey else {
                keys.append(nil)
                continue
            }
            guard let key = Hexadecimal.bytes(text), key.count == 32 else { return nil }
            keys.append(key)
        }
        (self.underlying, self.sources, self.keys) = (underlying, sources, keys)
        quotes = sources.map { _ in nil }
    }

    /// How many sources may lie without doing harm: fewer than a third.
    public var mostLiars: Int { (sources.count - 1) / 3 }
    /// How many have to be there.
    public var quorum: Int { max(3, 2 * mostLiars + 1) }

    // MARK: Quotes

    /// Takes a quote, in place of the source's last.
    /// - Parameter time: now, by the venue's clock.
    /// - Returns: why it is not believed; nil for one that was taken.
    @discardableResult
    public mutating func take(_ quote: OracleQuote, at time: Int) -> OracleRefusal? {
        let refusal = refusal(of: quote, at: time)
        if let refusal {
            refusals[refusal, default: 0] += 1
        } else if let place = sources.firstIndex(where: { $0.name == quote.source }) {
            quotes[place] = quote
        }
        return refusal
    }

    private func refusal(of quote: OracleQuote, at time: Int) -> OracleRefusal? {
        guard let place = sources.firstIndex(where: { $0.name == quote.source }) else {
            return .unknownSource
        }
        guard quote.underlying == underlying else { return .otherUnderlying }
        if let key = keys[place], !quote.isSigned(by: key) { return .noSignature }
        if let refusal = fault(of: quote, sources[place], at: time) { return refusal }
        if let earlier = quotes[place], quote.publishTime < earlier.publishTime { return .outOfOrder }
        return nil
    }

    /// What is wrong with a quote by itself at a time.
    private func fault(of quote: OracleQuote, _ source: OracleSource, at time: Int) -> OracleRefusal? {
        guard quote.price > 0, quote.price.isFinite else { return .noPrice }
        if let edge = source.lowEdge, quote.price <= edge { return .atEdge }
        if let edge = source.highEdge, quote.price >= edge { return .atEdge }
        guard quote.confidence >= 0, quote.confidence <= source.mostConfidence * quote.price else {
            return .unsure
        }
        // Differences of what a source sends may not fit: compared without them.
        guard quote.publishTime <= time + mostAhead else { return .fromTheFuture }
        guard quote.publishTime >= time - source.mostAge else { return .stale }
        return nil
    }

    // MARK: The price

    /// The price now, and from now on the last one.
    public mutating func price(at time: Int) -> Outcome {
        var prices: [Double] = []
        for (place, quote) in quotes.enumerated() {
            guard let quote, fault(of: quote, sources[place], at: time) == nil else { continue }
            prices.append(quote.price)
        }
        guard prices.count >= quorum else { return .tooFew(found: prices.count, needed: quorum) }
        prices.sort()
        let (low, high) = (prices[(prices.count - 1) / 2], prices[prices.count / 2])
        // Half the way up cannot overflow and stays between the two.
        let median = low + (high - low) / 2
        let near = prices.count { ($0 - median).magnitude <= mostDeviation * median }
        guard near >= quorum else { return .apart(near: near, needed: quorum) }
        if let last {
            let intervals = max(1, Double(time - last.time) / Double(max(1, jumpInterval)))
            guard (median / last.price - 1).magnitude <= mostJump * intervals else {
                return .jumped(from: last.price, to: median)
            }
        }
        last = (median, time)
        return .price(median)
    }
}
