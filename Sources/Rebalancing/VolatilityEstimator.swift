import Checks
import VectorMath

/// Realised volatility of eight price paths, brought up to date with one candle each at a time.
///
/// Nothing is allocated after the beginning. The estimate is NaN until there is a return to estimate from.
/// - Sources: RiskMetrics Technical Document, 4th ed., 1996 (exponential weights); Parkinson, The extreme value
///   method for estimating the variance of the rate of return, 1980; Garman, Klass, On the estimation of security
///   price volatilities from historical data, 1980; Barndorff-Nielsen, Shephard, Power and bipower variation, 2004.
public struct VolatilityEstimator {
    public let kind: RealisedVolatility
    /// Years that a candle covers.
    public let stepYears: Double

    /// The terms of the window, oldest overwritten; empty for exponential weights.
    private var window: [Lanes]
    private var next = 0
    private var count = 0
    private var sum = Lanes.zero
    /// Of exponential weights: the average, and the sum of the weights so far.
    private var average: ExponentialAverage
    private var weights = 0.0
    private let decay: Double
    private var lastReturn = Lanes.zero
    private var hasReturn = false

    /// - Throws: for a step that is not positive, and what `RealisedVolatility.check` refuses.
    public init(_ kind: RealisedVolatility, stepYears: Double) throws(RebalancingError) {
        try RebalancingError.require(stepYears, "step of a volatility estimator", .positive)
        try kind.check()
        self.kind = kind
        self.stepYears = stepYears
        switch kind {
        case .exponentiallyWeighted(let halfLife):
            decay = VectorMath.decay(over: stepYears, halfLife: halfLife)
            window = []
        case .parkinson(let length), .garmanKlass(let length), .bipower(let length):
            decay = 0
            window = [Lanes](repeating: .zero, count: length)
        }
        average = ExponentialAverage(decay: decay, weight: 1 - decay)
    }

    /// Forgets all candles.
    public mutating func reset() {
        (next, count, sum, weights, hasReturn) = (0, 0, .zero, 0, false)
        average = ExponentialAverage(decay: decay, weight: 1 - decay)
        for index in window.indices { window[index] = .zero }
    }

    /// Adds a candle per lane. The open is the close of the candle before; only exponential weights and bipower
    /// look at it and the close alone.
    public mutating func update(open: Lanes, high: Lanes, low: Lanes, close: Lanes) {
        let move = logarithmOfRatio(PortableArithmetic.self, close, open)
        switch kind {
        case .exponentiallyWeighted:
            average.add(move * move)
            weights = weights * decay + (1 - decay)
        case .parkinson:
            let range = logarithmOfRatio(PortableArithmetic.self, high, low)
            // 1/(4 ln 2).
            add(range * range * Lanes(repeating: 0.360_673_760_222_240_85))
        case .garmanKlass:
            let range = logarithmOfRatio(PortableArithmetic.self, high, low)
            // ½ and 2 ln 2 − 1.
            add(
                range * range * Lanes(repeating: 0.5)
                    - move * move * Lanes(repeating: 0.386_294_361_119_890_6))
        case .bipower:
            defer { (lastReturn, hasReturn) = (move, true) }
            if hasReturn { add(move.absolute * lastReturn.absolute * Lanes(repeating: 0.5 * Double.pi)) }
        }
    }

    /// The estimate, per square root of a year.
    public var volatility: Lanes {
        let total = weights > 0 ? weights : Double(count)
        guard total > 0 else { return Lanes(repeating: .nan) }
        let variance = (weights > 0 ? average.value : sum) * Lanes(repeating: 1 / (total * stepYears))
        return PortableArithmetic.squareRoot(variance.atLeast(0))
    }

    private mutating func add(_ term: Lanes) {
        sum += term - window[next]
        window[next] = term
        next += 1
        count = min(count + 1, window.count)
        guard next == window.count else { return }
        // Once a round anew, so that a crash that has left the window leaves no rounding behind.
        next = 0
        sum = window.reduce(.zero, +)
    }
}
