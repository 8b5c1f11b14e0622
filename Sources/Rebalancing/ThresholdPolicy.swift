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
        /// Delta, in currency: amount/S units.
        case cash(Double)
        /// Any Greek, in its own natural units.
        case greek(RebalancedGreek, Double)
    }

    public let halfWidth: HalfWidth
    public let landing: Landing
    /// How the width follows volatility.
    public let adjustment: VolatilityAdjustment?

    /// - Throws: for a negative width or a landing outside [0, 1].
    public init(
        _ halfWidth: HalfWidth, landing: Landing = .edge, adjustment: VolatilityAdjustment? = nil
    ) throws(RebalancingError) {
        let (value, name) =
            switch halfWidth {
            case .delta(let value): (value, "delta threshold")
            case .move(let value): (value, "move threshold")
            case .cash(let value): (value, "cash threshold")
            case .greek(let greek, let value): (value, "\(greek.rawValue) threshold")
            }
        try RebalancingError.require(value, name, .notNegative)
        try landing.check()
        self.halfWidth = halfWidth
        self.landing = landing
        self.adjustment = adjustment
    }

    public var greek: RebalancedGreek {
        if case .greek(let greek, _) = halfWidth { greek } else { .delta }
    }

    public var name: String {
        let width =
            switch halfWidth {
            case .delta(let value): "delta \(value)"
            case .move(let value): "move \(value)"
            case .cash(let value): "cash delta \(value)"
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
        case .cash(let value): width = Lanes(repeating: value) / state.spot
        }
        if let adjustment { width *= adjustment.factor(state) }
        return landing.band(halfWidth: width)
    }
}
