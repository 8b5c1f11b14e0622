import VectorMath

/// A slice as a fit moves it: a, slope of the left wing, slope of the right wing, m, ln σ, in the first five lanes.
public typealias SliceVector = Lanes

/// Eight quotes of a smile; those behind the last have no weight.
public struct QuoteBlock: Sendable {
    /// ln(strike/forward).
    public var moneyness = Lanes.zero
    public var mid = Lanes(repeating: 1)
    public var middleWeight = Lanes.zero
    public var bid = Lanes(repeating: -.infinity)
    public var ask = Lanes(repeating: .infinity)
    public var bandWeight = Lanes.zero
    /// The variance of the middle, and the weight of a small miss of it; 0 for quotes of one side.
    public var startVariance = Lanes(repeating: 1)
    public var startWeight = Lanes.zero

    public init() {}
}

/// Where a fit looks for a slice: m within half the quotes' range beyond them, σ from a 200th to five times the range, no
/// volatility below 1%, wings at most 2.
public struct SliceDomain: Sendable {
    public var lowM = -1.0
    public var highM = 1.0
    public var lowLogSigma = -4.605_170_185_988_091
    public var highLogSigma = 2.302_585_092_994_046
    public var leastVariance = 1e-4

    @inlinable public static var steepest: Double { 2 - 1e-9 }

    public init() {}

    /// - Parameter logOfRange: ln(last − first).
    public init(first: Double, last: Double, logOfRange: Double, years: Double) {
        let range = last - first
        (lowM, highM) = (first - range / 2, last + range / 2)
        // ln 200 and ln 5.
        lowLogSigma = logOfRange - 5.298_317_366_548_036
        highLogSigma = logOfRange + 1.609_437_912_434_100_3
        leastVariance = 1e-4 * years
    }

    /// A slice within the box.
    @inlinable @inline(__always)
    public func clamped(_ vector: SliceVector) -> SliceVector {
        var result = vector
        result[1] = min(max(vector[1], 0), Self.steepest)
        result[2] = min(max(vector[2], 0), Self.steepest)
        result[3] = min(max(vector[3], lowM), highM)
        result[4] = min(max(vector[4], lowLogSigma), highLogSigma)
        return result
    }
}

/// The quotes of a smile and what a fit of them is measured by. Every loss is
/// Σ middleWeight (σ − mid)² + bandWeight (max(0, bid − σ) + max(0, σ − ask))².
public struct QuoteColumns {
    public var blocks: UnsafePointer<QuoteBlock>
    public var blockCount: Int
    /// Whether any quote has a weight outside of its bid and ask.
    public var hasBands: Bool
    public var years: Double
    /// Total variance about the money, by which variances are measured.
    public var scale: Double
    public var domain: SliceDomain

    public init(
        blocks: UnsafePointer<QuoteBlock>, blockCount: Int, hasBands: Bool, years: Double, scale: Double,
        domain: SliceDomain
    ) {
        self.blocks = blocks
        self.blockCount = blockCount
        self.hasBands = hasBands
        self.years = years
        self.scale = scale
        self.domain = domain
    }
}

/// The loss of a slice, its gradient and its second derivatives.
public struct LossExpansion: Sendable {
    public var value = 0.0
    public var gradient = Lanes.zero
    /// Rows of the second derivatives.
    public var hessian = InlineArray<5, Lanes>(repeating: .zero)

    @inlinable public init() {}
}

/// The loss, its gradient and its second derivatives by a, the left and right slope p and c, m and s = ln σ, one number
/// each.
@usableFromInline
struct LossSums {
    /// The loss, then by a, p, c, m, s, aa, ap.
    @usableFromInline let near: Lanes
    /// By ac, am, as, pp, pc, pm, ps, cc.
    @usableFromInline let middle: Lanes
    /// By cm, cs, mm, ms, ss.
    @usableFromInline let far: Lanes

    @inlinable
    init(near: Lanes, middle: Lanes, far: Lanes) {
        self.near = near
        self.middle = middle
        self.far = far
    }
}

/// At most eight starts of a fit, best first.
public struct SliceStarts: Sendable {
    public var vectors = InlineArray<8, SliceVector>(repeating: .zero)
    public var count = 0

    @inlinable public init() {}
}

/// A fit of one slice: what is asked, and what came of it.
public struct SliceFit: Sendable {
    /// The start, then the slice.
    public var vector: SliceVector
    /// A fit that this one gives way to: see `SliceFitting.run`.
    public var rival = SliceVector.zero
    public var rivalLoss = Double.infinity
    /// How many rounds at most.
    public var most = 100
    /// Whether the start is nearly there: Newton's steps in all five first.
    public var isWarm = false
    /// Infinite where the start has no loss.
    public var loss = Double.infinity
    /// How often the loss was computed with its derivatives.
    public var evaluations = 0
    /// Whether less than 1e-10 of the loss is to be gained.
    public var isDone = false

    public init(from vector: SliceVector) { self.vector = vector }
}

/// A slice for scans and queries: w = level + left (r − x) + right (r + x) with x = k − m, r = √(x² + σ²).
public struct SliceShape: Sendable {
    public var level, left, right, m, sigma: Double

    public init(level: Double, left: Double, right: Double, m: Double, sigma: Double) {
        self.level = level
        self.left = left
        self.right = right
        self.m = m
        self.sigma = sigma
    }
}

extension Lanes {
    /// The sum of the lanes, halves first.
    @inlinable @inline(__always)
    public var pairedSum: Double {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
}
