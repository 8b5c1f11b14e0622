import Checks

/// The account that the hedge is margined in.
public struct MarginAccount: Sendable, Equatable {
    /// Quote currency put in at the start, and again after a liquidation of the hedge alone.
    public var collateral: Double
    /// Maintenance margin as a part of the hedge's notional, and of the notional of short options.
    public var maintenance, optionMaintenance: Double
    /// The venue's charge as a part of what it liquidates.
    public var penalty: Double
    /// Whether the options stand in the same account: their value counts, and they are liquidated with the
    /// hedge.
    public var isCrossed: Bool

    public init(
        collateral: Double, maintenance: Double, optionMaintenance: Double = 0, penalty: Double = 0.005,
        isCrossed: Bool = false
    ) {
        self.collateral = collateral
        self.maintenance = maintenance
        self.optionMaintenance = optionMaintenance
        self.penalty = penalty
        self.isCrossed = isCrossed
    }
}

extension MarginAccount {
    public func validate(_ instrument: HedgeContract) throws(SimulationError) {
        try SimulationError.require(
            instrument.kind != .spot, "margin", "collateral_usd", collateral, "but spot is not margined")
        for (name, value, rule) in [
            ("collateral_usd", collateral, .positiveUpTo(1e18)), ("maintenance", maintenance, .share),
            ("option_maintenance", optionMaintenance, .share), ("penalty", penalty, .share),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, "margin", name)
        }
    }
}
