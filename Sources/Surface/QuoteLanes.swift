import Foundation
import VectorMath

/// The quotes of a smile that count in a loss, in eights; those behind the last have no weight.
///
/// Every loss is Σ middleWeight (σ − mid)² + bandWeight (max(0, bid − σ) + max(0, σ − ask))².
struct QuoteLanes {
    private(set) var moneyness: [Lanes] = []
    private(set) var mid: [Lanes] = []
    private(set) var middleWeight: [Lanes] = []
    private(set) var bid: [Lanes] = []
    private(set) var ask: [Lanes] = []
    private(set) var bandWeight: [Lanes] = []
    /// How many quotes entered.
    private(set) var count = 0
    private(set) var years = 1.0
    /// Where m and σ may be, and the least total variance.
    private(set) var domain = SliceDomain()
    /// Total variance about the money, by which variances are measured.
    private(set) var scale = 1.0
    /// How many different strikes have two sides.
    private(set) var strikeCount = 0

    init() {}

    init(_ smile: SmileQuotes, loss: SmileLoss) {
        let counting = smile.quotes.filter(\.counts)
        let used = loss == .mid ? counting.filter(\.isTwoSided) : counting
        let twoSided = counting.filter(\.isTwoSided)
        let halves = twoSided.map { max((($0.ask ?? 0) - ($0.bid ?? 0)) / 2, SmileLoss.leastHalfSpread) }
            .sorted()
        let median =
            halves.isEmpty
            ? SmileLoss.leastHalfSpread : (halves[halves.count / 2] + halves[(halves.count - 1) / 2]) / 2
        count = used.count
        years = smile.years
        let strikes = Set(twoSided.map(\.strike)).sorted()
        strikeCount = strikes.count
        let nearest = twoSided.min {
            abs(log($0.strike / smile.forward)) < abs(log($1.strike / smile.forward))
        }
        let level = nearest.map { (($0.bid ?? 0) + ($0.ask ?? 0)) / 2 } ?? 1
        scale = max(level * level, 1e-4) * years
        if let first = strikes.first, let last = strikes.last, last > first {
            domain = SliceDomain(
                first: log(first / smile.forward), last: log(last / smile.forward), years: years)
        }
        let blocks = (used.count + 7) / 8
        moneyness = Array(repeating: .zero, count: blocks)
        mid = Array(repeating: Lanes(repeating: level), count: blocks)
        middleWeight = Array(repeating: .zero, count: blocks)
        bid = Array(repeating: Lanes(repeating: -.infinity), count: blocks)
        ask = Array(repeating: Lanes(repeating: .infinity), count: blocks)
        bandWeight = Array(repeating: .zero, count: blocks)
        for (place, quote) in used.enumerated() {
            let (block, lane) = (place / 8, place % 8)
            moneyness[block][lane] = log(quote.strike / smile.forward)
            let half: Double
            if let low = quote.bid, let high = quote.ask {
                mid[block][lane] = (low + high) / 2
                half = max((high - low) / 2, SmileLoss.leastHalfSpread)
            } else {
                half = median
            }
            switch loss {
            case .mid: middleWeight[block][lane] = quote.weight
            case .band:
                let weight = quote.weight / (half * half)
                if quote.isTwoSided { middleWeight[block][lane] = SmileLoss.middleShare * weight }
                bandWeight[block][lane] = weight
                if let low = quote.bid { bid[block][lane] = low }
                if let high = quote.ask { ask[block][lane] = high }
            }
        }
    }
}

/// Where a fit looks for a slice: m within half the quotes' range beyond them, σ from a 200th to five times the range, no
/// volatility below 1%, wings at most 2.
struct SliceDomain {
    var lowM = -1.0, highM = 1.0
    var lowSigma = 0.01, highSigma = 10.0
    var leastVariance = 1e-4
    static let steepest = 2 - 1e-9

    init() {}

    init(first: Double, last: Double, years: Double) {
        let range = last - first
        (lowM, highM) = (first - range / 2, last + range / 2)
        (lowSigma, highSigma) = (range / 200, 5 * range)
        leastVariance = 1e-4 * years
    }
}
