import Checks
import Market
import VectorMath

/// Trades when an exposure has drifted by more than a threshold.
///
/// - Input: the exposure, and what its threshold is measured by.
public struct ThresholdPolicy: RebalancingPolicy {
    /// Half the width of the band.
    public enum HalfWidth: Hashable, Sendable {
        /// Delta, in units of the underlying.
        case delta(Double)
        /// Delta, as what gamma makes of a move of spot by this share: |Γ|·S·move.
        case move(Double)
        /// Any Greek, in its own natural units.
        case greek(RebalancedGreek, Double)
        /// Any Greek, in the unit of the table of limits: currency for delta, per percent for gamma, per point for vega,
        /// per day for theta.
        case limit(RebalancedGreek, Double)

        /// Delta, in currency: amount/S units.
        public static func cash(_ amount: Double) -> HalfWidth { .limit(.delta, amount) }
    }

    public let halfWidth: HalfWidth
    public let landing: Landing
    /// The dependence of the width on volatility.
    public let adjustment: VolatilityAdjustment?

    /// - Throws: for a negative width or a landing outside [0, 1].
    public init(
        _ halfWidth: HalfWidth, landing: Landing = .edge, adjustment: VolatilityAdjustment? = nil
    ) throws(RebalancingError) {
        let (value, name) =
            switch halfWidth {
            case .delta(let value): (value, "delta threshold")
            case .move(let value): (value, "move threshold")
            case .limit(.delta, let value): (value, "cash threshold")
            case .greek(let greek, let value), .limit(let greek, let value):
                (value, "\(greek.rawValue) threshold")
            }
        try RebalancingError.require(value, name, .notNegative)
        try landing.check()
        self.halfWidth = halfWidth
        self.landing = landing
        self.adjustment = adjustment
    }

    public var greek: RebalancedGreek {
        switch halfWidth {
        case .greek(let greek, _), .limit(let greek, _): greek
        default: .delta
        }
    }

    public var name: String {
        let width =
            switch halfWidth {
            case .delta(let value): "delta \(value)"
            case .move(let value): "move \(value)"
            case .limit(let greek, let value):
                switch greek {
                case .delta: "cash delta \(value)"
                case .gamma: "gamma \(value) per percent"
                case .vega: "vega \(value) per point"
                case .theta: "theta \(value) per day"
                }
            case .greek(let greek, let value): "\(greek.rawValue) \(value)"
            }
        return "threshold: \(width)" + (adjustment.map { " \($0.text)" } ?? "") + landing.suffix
    }

    public var realisedVolatility: RealisedVolatility? { adjustment?.estimator }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        var width: Lanes
        switch halfWidth {
        case .delta(let value), .greek(_, let value): width = Lanes(repeating: value)
        case .move(let value): width = state.gamma.absolute * state.spot * Lanes(repeating: value)
        case .limit(let greek, let value): width = greek.natural(ofLimit: value, spot: state.spot)
        }
        if let adjustment { width *= adjustment.factor(state) }
        return landing.band(halfWidth: width)
    }
}

extension ThresholdPolicy: ConfiguredPolicy {
    package static var kind: String { "threshold" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        let widths: [(key: String, width: (Double) -> HalfWidth)] = [
            ("delta_band_coins", HalfWidth.delta), ("delta_band_usd", HalfWidth.cash),
            ("delta_band_move", HalfWidth.move),
        ]
        let landing = try Landing(settings)
        let adjustment = try VolatilityAdjustment(settings, market)
        let given = widths.filter { settings.has($0.key) }
        let names = widths.map(\.key).joined(separator: ", ")
        guard let (key, width) = given.first else {
            throw settings.missing(widths[0].key, "is missing: expected one of \(names)")
        }
        guard given.count == 1 else {
            throw settings.failure(given[1].key, "stands beside \(key): expected one of \(names)")
        }
        return try PolicyFamily(
            adjustment == nil ? "threshold" : "volatility-scaled", settings, key
        ) { try ThresholdPolicy(width($0), landing: landing, adjustment: adjustment) }
    }
}
