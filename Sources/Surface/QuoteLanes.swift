import Foundation
import SurfaceKernel
import VectorMath

/// The quotes of a smile that count in a loss, in eights; those behind the last have no weight.
///
/// Every loss is Σ middleWeight (σ − mid)² + bandWeight (max(0, bid − σ) + max(0, σ − ask))².
package struct QuoteLanes {
    /// Room for all quotes, and how many of them are in use.
    package private(set) var blocks: [QuoteBlock] = []
    private var blockCount = 0
    /// Whether any quote has a weight outside of its bid and ask.
    package private(set) var hasBands = false
    /// How many quotes entered.
    package private(set) var count = 0
    package private(set) var years = 1.0
    /// Where m and σ may be, and the least total variance.
    package private(set) var domain = SliceDomain()
    /// Total variance about the money, by which variances are measured.
    package private(set) var scale = 1.0
    /// How many different strikes have two sides.
    package private(set) var strikeCount = 0

    package init() {}

    package init(_ smile: SmileQuotes, loss: SmileLoss) {
        var order = QuoteOrder(smile.quotes)
        self.init(smile, loss: loss, &order)
    }

    package init(_ smile: SmileQuotes, loss: SmileLoss, _ order: inout QuoteOrder) {
        blocks = Array(repeating: QuoteBlock(), count: (smile.quotes.count + 7) / 8)
        update(smile.quotes, &order, logForward: log(smile.forward), years: smile.years, loss: loss)
    }

    /// Takes quotes at the same strikes as before, a forward and a time; allocates nothing.
    ///
    /// - Parameter least: how many different strikes must have two sides; else nothing changes.
    /// - Returns: whether there are as many.
    @discardableResult
    package mutating func update(
        _ quotes: [SmileQuote], _ order: inout QuoteOrder, logForward: Double, years: Double, loss: SmileLoss,
        least: Int = 0
    ) -> Bool {
        let survey = order.survey(quotes, logForward)
        guard survey.strikeCount >= least else { return false }
        self.years = years
        strikeCount = survey.strikeCount
        scale = max(survey.level * survey.level, 1e-4) * years
        hasBands = loss == .band
        if survey.strikeCount > 1 {
            domain = SliceDomain(
                first: survey.first, last: survey.last, logOfRange: log(survey.last - survey.first),
                years: years)
        }
        let median = hasBands && survey.hasOneSided ? order.medianHalf(quotes) : 0
        let row = Row(level: survey.level, median: median, years: years, loss: loss)
        count = unsafe blocks.withUnsafeMutableBytes { blocks in
            // A field is eight doubles, a block eight fields.
            guard let lanes = unsafe blocks.assumingMemoryBound(to: Double.self).baseAddress else { return 0 }
            var count = 0
            for place in quotes.indices where quotes[place].counts {
                if loss != .band, !quotes[place].isTwoSided { continue }
                let values = row.values(quotes[place], order.logStrikes[place] - logForward)
                unsafe Self.set(lanes, count, values)
                count += 1
            }
            for place in count..<((count + 7) / 8 * 8) { unsafe Self.set(lanes, place, Row.none) }
            return count
        }
        blockCount = (count + 7) / 8
        return true
    }

    /// A quote's own lane of the eight fields.
    private static func set(_ lanes: UnsafeMutablePointer<Double>, _ place: Int, _ values: Lanes) {
        let first = place / 8 * 64 + place % 8
        for field in 0..<8 { unsafe lanes[first + 8 * field] = values[field] }
    }

    /// What a quote has in the fields of a block, in their order.
    private struct Row {
        let level, median, years: Double
        let loss: SmileLoss

        /// What counts for nothing.
        static let none = Lanes(0, 1, 0, -.infinity, .infinity, 0, 1, 0)

        func values(_ quote: SmileQuote, _ moneyness: Double) -> Lanes {
            var (middle, variance, steepness) = (level, 1.0, 0.0)
            var half = median
            if let bid = quote.bid, let ask = quote.ask {
                middle = (bid + ask) / 2
                variance = middle * middle * years
                steepness = 0.5 / (years * middle)
                half = max((ask - bid) / 2, SmileLoss.leastHalfSpread)
            }
            let weight = loss == .mid ? quote.weight : quote.weight / (half * half)
            guard loss == .band else {
                return Lanes(
                    moneyness, middle, weight, -.infinity, .infinity, 0, variance,
                    weight * steepness * steepness)
            }
            return Lanes(
                moneyness, middle, steepness > 0 ? SmileLoss.middleShare * weight : 0,
                quote.bid ?? -.infinity,
                quote.ask ?? .infinity, weight, variance, weight * steepness * steepness)
        }
    }
}

/// The strikes of a smile's quotes, which stay as they are when quotes move. Apart from what fits read, so that a copy of
/// that is one of a single array.
package struct QuoteOrder: Sendable {
    /// ln(strike), the quotes in order of their strikes, and half spreads where they are needed.
    let logStrikes: [Double]
    private let ascending: [Int]
    private var halves: [Double] = []

    package init(_ quotes: [SmileQuote]) {
        let own = quotes.map { log($0.strike) }
        logStrikes = own
        ascending = Array(own.indices).sorted { own[$0] < own[$1] }
        halves.reserveCapacity(own.count)
    }

    /// What all quotes together say.
    fileprivate struct Survey {
        var strikeCount = 0
        var first = 0.0
        var last = 0.0
        var level = 1.0
        var nearest = Double.infinity
        var hasOneSided = false
    }

    fileprivate func survey(_ quotes: [SmileQuote], _ logForward: Double) -> Survey {
        var result = Survey()
        for place in ascending {
            let quote = quotes[place]
            guard quote.counts else { continue }
            guard let bid = quote.bid, let ask = quote.ask else {
                result.hasOneSided = true
                continue
            }
            let k = logStrikes[place] - logForward
            if result.strikeCount == 0 {
                (result.first, result.strikeCount) = (k, 1)
            } else if k > result.last {
                result.strikeCount += 1
            }
            result.last = k
            if k.magnitude < result.nearest {
                (result.nearest, result.level) = (k.magnitude, (bid + ask) / 2)
            }
        }
        return result
    }

    /// The median of the half spreads of two-sided quotes; the least one where there are none.
    fileprivate mutating func medianHalf(_ quotes: [SmileQuote]) -> Double {
        halves.removeAll(keepingCapacity: true)
        for quote in quotes where quote.counts {
            if let half = quote.halfSpread { halves.append(half) }
        }
        guard !halves.isEmpty else { return SmileLoss.leastHalfSpread }
        let upper = partition(at: halves.count / 2)
        // Of an even number, the largest of those before is the other one in the middle.
        let lower = halves.count % 2 == 1 ? upper : halves[..<(halves.count / 2)].max() ?? upper
        return (upper + lower) / 2
    }

    /// Brings the half spread that sorting would put at a place there, none above it before it; in place, as sorting
    /// allocates.
    /// - Source: Hoare, Algorithm 65: find, Communications of the ACM 4, 1961.
    private mutating func partition(at place: Int) -> Double {
        var (first, last) = (0, halves.count - 1)
        while first < last {
            let pivot = halves[place]
            var (low, high) = (first, last)
            while low <= high {
                while halves[low] < pivot { low += 1 }
                while halves[high] > pivot { high -= 1 }
                guard low <= high else { break }
                halves.swapAt(low, high)
                low += 1
                high -= 1
            }
            if high < place { first = low }
            if place < low { last = high }
        }
        return halves[place]
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
            return unsafe withColumns(of: first, blockCount, body)
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
    package func loss(_ vector: SliceVector) -> Double {
        unsafe withColumns { columns in
            unsafe withUnsafePointer(to: vector) { unsafe SurfaceRooms.table.loss(columns, $0) }
        }
    }

    /// - Parameter isExact: all second derivatives; else without those of volatility by the parameters (Gauss and
    ///   Newton), which leaves nothing negative.
    package func expansion(_ vector: SliceVector, isExact: Bool) -> LossExpansion {
        var result = LossExpansion()
        unsafe withColumns { columns in
            unsafe withUnsafePointer(to: vector) {
                unsafe SurfaceRooms.table.expand(columns, $0, isExact: isExact, into: &result)
            }
        }
        return result
    }

    /// Starts of a fit: see `StartGrid`.
    package func starts(isWide: Bool) -> SliceStarts {
        var result = SliceStarts()
        unsafe withColumns { unsafe SurfaceRooms.table.starts($0, isWide: isWide, into: &result) }
        return result
    }

    /// Runs a fit: see `SliceFitting`.
    package func run(_ fit: inout SliceFit) {
        unsafe withColumns { unsafe SurfaceRooms.table.fit($0, &fit) }
    }

    /// Within the box of the domain.
    package func clamped(_ vector: SliceVector) -> SliceVector { domain.clamped(vector) }

    /// Whether no total variance of a slice is below the least one allowed.
    package func isHighEnough(_ vector: SliceVector) -> Bool {
        vector[0] + exp(vector[4]) * (vector[1] * vector[2]).squareRoot() >= domain.leastVariance
    }
}
