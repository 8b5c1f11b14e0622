import Foundation
import VectorMath

/// The quotes of a smile that count in a loss, in eights; those behind the last have no weight.
///
/// Every loss is Σ middleWeight (σ − mid)² + bandWeight (max(0, bid − σ) + max(0, σ − ask))².
struct QuoteLanes {
    /// Eight quotes.
    struct Block {
        /// ln(strike/forward).
        var moneyness = Lanes.zero
        var mid = Lanes(repeating: 1)
        var middleWeight = Lanes.zero
        var bid = Lanes(repeating: -.infinity)
        var ask = Lanes(repeating: .infinity)
        var bandWeight = Lanes.zero
        /// The variance of the middle, and the weight of a small miss of it; 0 for quotes of one side.
        var startVariance = Lanes(repeating: 1)
        var startWeight = Lanes.zero
    }

    private(set) var blocks: [Block] = []
    /// Whether any quote has a weight outside of its bid and ask.
    private(set) var hasBands = false
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
        blocks = Array(repeating: Block(), count: (used.count + 7) / 8)
        hasBands = loss == .band
        for (place, quote) in used.enumerated() {
            let (block, lane) = (place / 8, place % 8)
            blocks[block].moneyness[lane] = log(quote.strike / smile.forward)
            let half: Double
            if let low = quote.bid, let high = quote.ask {
                blocks[block].mid[lane] = (low + high) / 2
                half = max((high - low) / 2, SmileLoss.leastHalfSpread)
            } else {
                blocks[block].mid[lane] = level
                half = median
            }
            switch loss {
            case .mid: blocks[block].middleWeight[lane] = quote.weight
            case .band:
                let weight = quote.weight / (half * half)
                if quote.isTwoSided { blocks[block].middleWeight[lane] = SmileLoss.middleShare * weight }
                blocks[block].bandWeight[lane] = weight
                if let low = quote.bid { blocks[block].bid[lane] = low }
                if let high = quote.ask { blocks[block].ask[lane] = high }
            }
            guard quote.isTwoSided else { continue }
            let volatility = blocks[block].mid[lane]
            let perVariance = 1 / (2 * volatility * years)
            let weight = max(blocks[block].middleWeight[lane], blocks[block].bandWeight[lane])
            blocks[block].startVariance[lane] = volatility * volatility * years
            blocks[block].startWeight[lane] = weight * perVariance * perVariance
        }
    }
}

/// Where a fit looks for a slice: m within half the quotes' range beyond them, σ from a 200th to five times the range, no
/// volatility below 1%, wings at most 2.
struct SliceDomain {
    var lowM = -1.0, highM = 1.0
    var lowLogSigma = log(0.01), highLogSigma = log(10.0)
    var leastVariance = 1e-4
    static let steepest = 2 - 1e-9

    init() {}

    init(first: Double, last: Double, years: Double) {
        let range = last - first
        (lowM, highM) = (first - range / 2, last + range / 2)
        (lowLogSigma, highLogSigma) = (log(range / 200), log(5 * range))
        leastVariance = 1e-4 * years
    }
}
