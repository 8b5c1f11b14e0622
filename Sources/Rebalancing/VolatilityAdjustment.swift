import Checks
import Market
import VectorMath

/// A factor that follows realised volatility: (σ/σ_ref)^exponent, or 1 while there is no estimate, within limits.
///
/// Applied to a band it says how much wider the band is when volatility is twice its usual value: exponent 1 keeps
/// the number of trades about the same, −1 keeps the risk outside of the band about the same.
/// Applied to an interval, exponent −2 rebalances after the same variance instead of the same time.
public struct VolatilityAdjustment: Hashable, Sendable {
    public let estimator: RealisedVolatility
    /// Per square root of a year: where the factor is 1.
    public let reference: Double
    public let exponent: Double
    public let minimum, maximum: Double

    /// - Throws: for a reference that is not positive, an exponent that is not finite, limits out of order, and what
    ///   `RealisedVolatility.check` refuses.
    public init(
        _ estimator: RealisedVolatility, reference: Double, exponent: Double, minimum: Double = 0.1,
        maximum: Double = 10
    ) throws(RebalancingError) {
        try estimator.check()
        try RebalancingError.require(reference, "reference_volatility", .positive)
        try RebalancingError.require(exponent, "exponent", .finite)
        try RebalancingError.require(minimum, "least_factor", .positive)
        try RebalancingError.require(maximum, "largest_factor", .positive)
        guard minimum <= maximum else {
            throw .invalidParameter(
                name: "least_factor", value: minimum, reason: "is above largest_factor, \(maximum.shown)")
        }
        self.estimator = estimator
        self.reference = reference
        self.exponent = exponent
        self.minimum = minimum
        self.maximum = maximum
    }

    func factor(_ state: borrowing RebalancingState) -> Lanes {
        let ratio = state.realisedVolatility * Lanes(repeating: 1 / reference)
        let factor = power(PortableArithmetic.self, ratio, Lanes(repeating: exponent))
        let one = Lanes(repeating: 1)
        // Of no estimate or one of 0 with a negative exponent no factor can be made.
        let known = one.replacing(with: factor, where: ratio .> Lanes.zero)
        return known.larger(Lanes(repeating: minimum)).smaller(Lanes(repeating: maximum))
    }

    /// As names of policies show it.
    var text: String { "× (volatility/\(reference))^\(exponent)" }
}

extension VolatilityAdjustment {
    private enum Estimator: String, CaseIterable {
        case ewma, parkinson, bipower
        case garmanKlass = "garman_klass"
    }

    /// Reads `estimator` and what goes with it; nil where there is none.
    init?(_ settings: Settings, _ market: PolicyMarket) throws(MarketError) {
        guard settings.has("estimator") else { return nil }
        let kind: Estimator = try settings.word("estimator")
        let estimator: RealisedVolatility
        if kind == .ewma {
            estimator = .exponentiallyWeighted(
                halfLifeYears: try settings.number("half_life_hours") / Year.hours)
        } else {
            let window = try settings.integer("window_steps", RealisedVolatility.windows, default: 24)
            estimator =
                kind == .parkinson
                ? .parkinson(window: window)
                : kind == .bipower ? .bipower(window: window) : .garmanKlass(window: window)
        }
        let minimum = try settings.number("least_factor", default: 0.1)
        let maximum = try settings.number("largest_factor", default: 10)
        let start = market.volatility > 0 ? market.volatility : nil
        guard let reference = try settings.optionalNumber("reference_volatility") ?? start else {
            throw settings.missing(
                "reference_volatility", "is missing, and the market begins without volatility")
        }
        let exponent = try settings.number("exponent")
        self = try settings.checked("estimator") {
            try VolatilityAdjustment(
                estimator, reference: reference, exponent: exponent, minimum: minimum, maximum: maximum)
        }
    }
}
