import Foundation
import Greeks

/// What a fit minimises.
public enum SmileLoss: String, Sendable, CaseIterable {
    /// Σ q (σ − mid)², over two-sided quotes.
    case mid
    /// Σ q ((σ − mid)/h)², over two-sided quotes, h being half the spread, at least 0.001.
    case spread
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
    /// By how much one tick of the price moves the volatility, where that is known.
    public let tick: Double?
    /// Seconds from the quote to the latest of its chain, where that is known.
    public let age: Double?

    public init(
        strike: Double, bid: Double?, ask: Double?, weight: Double = 1, tick: Double? = nil,
        age: Double? = nil
    ) {
        self.strike = strike
        self.bid = bid
        self.ask = ask
        self.weight = weight
        self.tick = tick
        self.age = age
    }

    /// Why it has no part in any fit; nil where it has.
    var exclusion: QuoteExclusion? {
        guard weight > 0 else { return .noWeight }
        guard bid != nil || ask != nil else { return .noQuote }
        if let bid, let ask, bid > ask { return .crossed }
        return nil
    }

    /// Whether it has part in a fit: some side, not crossed, a weight.
    var counts: Bool { exclusion == nil }

    var isTwoSided: Bool { bid != nil && ask != nil }

    /// Half of the spread, or the least that a distance is measured by; nil with one side.
    var halfSpread: Double? {
        guard let bid, let ask else { return nil }
        return max((ask - bid) / 2, SmileLoss.leastHalfSpread)
    }
}

/// Why a quote, or a side of it, has no part in a fit.
public enum QuoteExclusion: String, Sendable, CaseIterable {
    /// Neither side is quoted.
    case noQuote = "no-quote"
    /// The bid is above the ask.
    case crossed
    case noWeight = "no-weight"
    /// One side alone, where two are asked for: of a loss of mids, or by a filter.
    case oneSided = "one-sided"
    /// The same strike's option out of the money stands for it.
    case inTheMoney = "in-the-money"
    /// The bid is fewer ticks than a filter asks for.
    case belowTick = "below-tick"
    /// Older than a filter allows.
    case stale
    /// A price that is no volatility's, by the kernel's status.
    case belowIntrinsic = "below-intrinsic"
    case aboveMaximum = "above-maximum"
    case notANumber = "not-a-number"
    /// A row that could not be read.
    case unreadable
    /// Of an expiry that has no curve whatever its quotes: see `SmileQuotes.Obstacle`.
    case expired
    case noForward = "no-forward"

    /// Of a price that the kernel refused.
    init?(_ status: VolatilityStatus) {
        switch status {
        case .ok: return nil
        case .belowIntrinsic: self = .belowIntrinsic
        case .aboveMaximum: self = .aboveMaximum
        case .notANumber, .expired, .two: self = .notANumber
        }
    }

    /// Whether such a quote cannot be right, so that the slice's status names it; the others were left out by rule.
    public var isFault: Bool {
        switch self {
        case .crossed, .belowIntrinsic, .aboveMaximum, .notANumber, .unreadable: true
        case .noQuote, .noWeight, .oneSided, .inTheMoney, .belowTick, .stale, .expired, .noForward: false
        }
    }
}

/// The origin of an expiry's forward.
public enum ForwardSource: Sendable, Equatable {
    /// The table's column.
    case given
    /// The future that the exchange lists for the expiry, by the price that its options name.
    case future(name: String)
    /// A forward that the exchange makes where it lists no future.
    case synthetic(name: String)
    /// Put-call parity at the middles of these strikes, and why.
    case parity(strikes: [Double], reason: String)
    /// None, and why.
    case none(reason: String)

    /// The kind in a word.
    public var name: String {
        switch self {
        case .given: "given"
        case .future: "future"
        case .synthetic: "synthetic"
        case .parity: "parity"
        case .none: "none"
        }
    }
}

extension ForwardSource: CustomStringConvertible {
    public var description: String {
        switch self {
        case .given: "column forward"
        case .future(let name): "options name the future \(name)"
        case .synthetic(let name): "options name \(name); no future is listed"
        case .parity(let strikes, let reason):
            "put-call parity at \(strikes.map { "\($0.significantText)" }.joined(separator: " and ")): \(reason)"
        case .none(let reason): reason
        }
    }
}

extension Double {
    /// Without the decimals of a whole number.
    fileprivate var significantText: String {
        self == rounded() && magnitude < 1e15 ? "\(Int(self))" : "\(self)"
    }

    fileprivate func rounded(toDigits digits: Int) -> String {
        guard self != 0, isFinite else { return significantText }
        let unit = pow(10, Double(digits - 1) - log10(magnitude).rounded(.down))
        return ((self * unit).rounded() / unit).significantText
    }
}

/// The quotes of one expiry.
public struct SmileQuotes: Sendable {
    public let name: String
    /// Slices of one underlying must not cross.
    public let underlying: String
    /// NaN where `obstacle` says why.
    public let years, forward: Double
    public let quotes: [SmileQuote]
    public let forwardSource: ForwardSource
    /// How many quotes were left out before there was a smile, by why.
    public let leftOut: [QuoteExclusion: Int]
    /// How many sides of quotes were left out, the other one being left.
    public let refusedSides: [QuoteExclusion: Int]
    /// Why there cannot be a curve, whatever the quotes.
    public let obstacle: Obstacle?
    /// Where put-call parity, at bid and ask of all strikes, leaves the forward; nil where no strike says.
    public let parityRange: ClosedRange<Double>?

    /// Why an expiry has no curve.
    public enum Obstacle: String, Sendable, CaseIterable {
        case expired
        case noForward = "no-forward"
        /// No row of it could be read.
        case unreadable
    }

    public init(
        name: String, underlying: String, years: Double, forward: Double, quotes: [SmileQuote],
        forwardSource: ForwardSource = .given, leftOut: [QuoteExclusion: Int] = [:],
        refusedSides: [QuoteExclusion: Int] = [:], obstacle: Obstacle? = nil,
        parityRange: ClosedRange<Double>? = nil
    ) {
        self.name = name
        self.underlying = underlying
        self.years = years
        self.forward = forward
        self.quotes = quotes
        self.forwardSource = forwardSource
        self.leftOut = leftOut
        self.refusedSides = refusedSides
        self.obstacle = obstacle
        self.parityRange = parityRange
    }

    /// An expiry of which no row could be read.
    init(unreadable count: Int, of name: String, underlying: String) {
        self.init(
            name: name, underlying: underlying, years: .nan, forward: .nan, quotes: [],
            forwardSource: .none(reason: "no row could be read"), leftOut: [.unreadable: count],
            obstacle: .unreadable)
    }

    /// All quotes that have no part in a fit by a loss, by why.
    public func exclusions(_ loss: SmileLoss) -> [QuoteExclusion: Int] {
        var counts = leftOut
        for quote in quotes {
            if let exclusion = quote.exclusion {
                counts[exclusion, default: 0] += 1
            } else if loss != .band, !quote.isTwoSided {
                counts[.oneSided, default: 0] += 1
            }
        }
        return counts
    }

    /// What puts and calls say against the forward, in a sentence; nil where nothing.
    public var forwardDoubt: String? {
        guard let range = parityRange, forward.isFinite, !range.contains(forward) else { return nil }
        return
            "forward \(forward.significantText) (\(forwardSource)) lies outside of \(range.lowerBound.rounded(toDigits: 6)) to "
            + "\(range.upperBound.rounded(toDigits: 6)), where bids and asks of puts and calls leave it"
    }

    /// Whether a quote or a side of one is there that cannot be right.
    public var hasFaults: Bool {
        leftOut.keys.contains(where: \.isFault) || refusedSides.keys.contains(where: \.isFault)
            || quotes.contains { $0.exclusion?.isFault ?? false }
    }
}

extension SmileLoss {
    /// The least half spread that a distance is measured by.
    static var leastHalfSpread: Double { 0.001 }
    /// How much the middle counts beside the band.
    static var middleShare: Double { 0.01 }
}
