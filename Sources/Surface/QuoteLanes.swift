import Foundation
import SurfaceKernel
import VectorMath

/// The quotes of a smile that count in a loss, in eights; those behind the last have no weight.
///
/// Every loss is Σ middleWeight (σ − mid)² + bandWeight (max(0, bid − σ) + max(0, σ − ask))².
struct QuoteLanes {
    private(set) var blocks: [QuoteBlock] = []
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
                first: log(first / smile.forward), last: log(last / smile.forward),
                logOfRange: log(log(last / first)), years: years)
        }
        blocks = Array(repeating: QuoteBlock(), count: (used.count + 7) / 8)
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

// What the kernel does with them.
extension QuoteLanes {
    private func withColumns<Result>(_ body: (UnsafePointer<QuoteColumns>) -> Result) -> Result {
        unsafe blocks.withUnsafeBufferPointer { blocks in
            guard let first = blocks.baseAddress else {
                // No quotes: nothing is read.
                return unsafe withUnsafePointer(to: QuoteBlock()) { unsafe withColumns(of: $0, 0, body) }
            }
            return unsafe withColumns(of: first, blocks.count, body)
        }
    }

    private func withColumns<Result>(
        of blocks: UnsafePointer<QuoteBlock>, _ count: Int, _ body: (UnsafePointer<QuoteColumns>) -> Result
    ) -> Result {
        let columns = unsafe QuoteColumns(
            blocks: blocks, blockCount: count, hasBands: hasBands, years: years, scale: scale, domain: domain)
        return unsafe withUnsafePointer(to: columns) { unsafe body($0) }
    }

    /// The loss alone; NaN where a total variance is below 0.
    func loss(_ vector: SliceVector) -> Double {
        unsafe withColumns { columns in
            unsafe withUnsafePointer(to: vector) { unsafe SurfaceRooms.table.loss(columns, $0) }
        }
    }

    /// - Parameter isExact: all second derivatives; else without those of volatility by the parameters (Gauss and
    ///   Newton), which leaves nothing negative.
    func expansion(_ vector: SliceVector, isExact: Bool) -> LossExpansion {
        var result = LossExpansion()
        unsafe withColumns { columns in
            unsafe withUnsafePointer(to: vector) {
                unsafe SurfaceRooms.table.expand(columns, $0, isExact: isExact, into: &result)
            }
        }
        return result
    }

    /// Starts of a fit: see `StartGrid`.
    func starts(isWide: Bool) -> SliceStarts {
        var result = SliceStarts()
        unsafe withColumns { unsafe SurfaceRooms.table.starts($0, isWide: isWide, into: &result) }
        return result
    }

    /// Runs a fit: see `SliceFitting`.
    func run(_ fit: inout SliceFit) {
        unsafe withColumns { unsafe SurfaceRooms.table.fit($0, &fit) }
    }

    /// Within the box of the domain.
    func clamped(_ vector: SliceVector) -> SliceVector { domain.clamped(vector) }

    /// Whether no total variance of a slice is below the least one allowed.
    func isHighEnough(_ vector: SliceVector) -> Bool {
        vector[0] + exp(vector[4]) * (vector[1] * vector[2]).squareRoot() >= domain.leastVariance
    }
}
