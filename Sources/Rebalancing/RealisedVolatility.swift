import VectorMath

/// The estimator of volatility from past prices. The estimate is per square root of a year.
public enum RealisedVolatility: Hashable, Sendable {
    /// Exponentially weighted squares of close-to-close returns; the half-life is in years.
    case exponentiallyWeighted(halfLife: Double)
    /// Highs and lows over the last `window` steps.
    case parkinson(window: Int)
    /// Open, high, low and close over the last `window` steps.
    case garmanKlass(window: Int)
    /// Products of neighbouring absolute returns over the last `window` steps: jumps fall out.
    case bipower(window: Int)
}
