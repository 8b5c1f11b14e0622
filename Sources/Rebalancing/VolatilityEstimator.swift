import Checks
import VectorMath

/// Realised volatility of eight price paths, brought up to date with one candle each at a time.
///
/// Nothing is allocated after the beginning. The estimate is NaN until there is a return to estimate from. A candle that
/// is none (a price that is not above 0 and finite or, where ranges count, a high below the low) is left out of its lane:
/// it takes its time and its place in the window, and nothing is known of it.
/// - Sources: RiskMetrics Technical Document, 4th ed., 1996 (exponential weights); Parkinson, The extreme value
///   method for estimating the variance of the rate of return, 1980; Garman, Klass, On the estimation of security
///   price volatilities from historical data, 1980; Barndorff-Nielsen, Shephard, Power and bipower variation, 2004.
public struct VolatilityEstimator {
    public let kind: RealisedVolatility
    /// Years that a candle covers.
    public let stepYears: Double

    /// The terms of the window, oldest overwritten, NaN where there is none; empty for exponential weights.
    private var window: [Lanes]
    private var next = 0
    /// The sum of the terms; and their number or, of exponential weights, the sum of the weights.
    private var sum = Lanes.zero
    private var weights = Lanes.zero
    /// Of exponential weights.
    private var average: ExponentialAverage
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
            window = [Lanes](repeating: Self.none, count: length)
        }
        average = ExponentialAverage(decay: decay, weight: 1 - decay)
    }

    /// Forgets all candles.
    public mutating func reset() {
        (next, sum, weights, hasReturn) = (0, .zero, .zero, false)
        average = ExponentialAverage(decay: decay, weight: 1 - decay)
        for index in window.indices { window[index] = Self.none }
    }

    /// Adds a candle per lane. The open is the close of the candle before; only exponential weights and bipower
    /// look at it and the close alone.
    public mutating func update(open: Lanes, high: Lanes, low: Lanes, close: Lanes) {
        let move = Self.logarithm(of: close, over: open)
        switch kind {
        case .exponentiallyWeighted:
            let (term, isKnown) = Self.known(move * move)
            average.add(term)
            weights =
                weights * Lanes(repeating: decay) + Lanes(repeating: 1 - decay).kept(where: isKnown)
        case .parkinson:
            let range = Self.logarithm(of: high, over: low, isRange: true)
            // 1/(4 ln 2).
            add(range * range * Lanes(repeating: 0.360_673_760_222_240_85))
        case .garmanKlass:
            let range = Self.logarithm(of: high, over: low, isRange: true)
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
        let total = window.isEmpty ? average.value : sum
        let variance = total * (Lanes(repeating: 1) / (weights * Lanes(repeating: stepYears)))
        // A range may be less than its move where candles are not of one source.
        return Self.none.replacing(
            with: PortableArithmetic.squareRoot(variance.atLeast(0)), where: weights .> .zero)
    }

    private mutating func add(_ term: Lanes) {
        let (new, isNew) = Self.known(term)
        let (old, isOld) = Self.known(window[next])
        let one = Lanes(repeating: 1)
        sum += new - old
        weights += one.kept(where: isNew) - one.kept(where: isOld)
        window[next] = Self.none.replacing(with: new, where: isNew)
        next += 1
        guard next == window.count else { return }
        // Once a round anew, so that a crash that has left the window leaves no rounding behind.
        next = 0
        sum = window.reduce(.zero) { $0 + Self.known($1).term }
    }

    private static let none = Lanes(repeating: .nan)

    /// A term where there is one, else 0; and where there is one.
    private static func known(_ term: Lanes) -> (term: Lanes, isKnown: LaneMask) {
        let isKnown = term.absolute .< Lanes(repeating: .infinity)
        return (term.kept(where: isKnown), isKnown)
    }

    /// ln(a/b), NaN where one of them is no price or, of a range, where it is none.
    private static func logarithm(of a: Lanes, over b: Lanes, isRange: Bool = false) -> Lanes {
        let infinity = Lanes(repeating: .infinity)
        var isPriced = (a .> .zero) .& (a .< infinity) .& (b .> .zero) .& (b .< infinity)
        if isRange { isPriced = isPriced .& (a .>= b) }
        return none.replacing(with: logarithmOfRatio(PortableArithmetic.self, a, b), where: isPriced)
    }
}
