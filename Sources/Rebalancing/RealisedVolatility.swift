import Checks
import Market

/// The estimator of volatility from past prices. The estimate is per square root of a year.
public enum RealisedVolatility: Hashable, Sendable {
    /// Exponentially weighted squares of close-to-close returns; the half-life is in years.
    case exponentiallyWeighted(halfLifeYears: Double)
    /// Highs and lows over the last `window` steps.
    case parkinson(window: Int)
    /// Open, high, low and close over the last `window` steps.
    case garmanKlass(window: Int)
    /// Products of neighbouring absolute returns over the last `window` steps: jumps fall out.
    case bipower(window: Int)
}

extension RealisedVolatility {
    /// What `window` may be, in steps.
    static let windows = 1...100_000

    /// - Throws: for a half-life that is not positive, a window outside of `windows`; fields are named as
    ///   configurations do.
    func check() throws(RebalancingError) {
        switch self {
        case .exponentiallyWeighted(let halfLife):
            try RebalancingError.require(halfLife * Year.hours, "half_life_hours", .positive)
        case .parkinson(let window), .garmanKlass(let window), .bipower(let window):
            let (least, most) = (Double(Self.windows.lowerBound), Double(Self.windows.upperBound))
            try RebalancingError.require(Double(window), "window_steps", .within(least...most))
        }
    }
}
