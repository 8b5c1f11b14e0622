import Market
import VectorMath

/// Rebalances on a clock, to the delta at a volatility that pays for the trades.
///
/// With a cost of λ per unit of value traded and an interval δt, the variance at which deltas are computed is
/// σ²(1 ± A), A = √(2/π)·2λ/(σ√δt): more where the position is short gamma, less where it is long. Leland's k is the
/// cost of a round trip, 2λ.
///
/// - Input: sign of the position's gamma, implied volatility, proportional cost, years since the last trade.
/// - Edges: of a long position with A ≥ 1, for which the formula has no volatility, at most `1 − minimumVariance`
///   of the variance is taken off.
/// - Sources: Leland, Option pricing and replication with transactions costs, 1985; for long positions Hoggard,
///   Whalley, Wilmott, Hedging option portfolios in the presence of transaction costs, 1994.
public struct LelandPolicy: RebalancingPolicy {
    /// Years between trades.
    public let intervalYears: Double
    private let clock: TimePolicy

    /// The share of the variance that is always left.
    public static let minimumVariance = 0.05

    /// - Throws: for an interval that is not positive.
    public init(intervalYears: Double) throws(RebalancingError) {
        clock = try TimePolicy(intervalYears: intervalYears)
        self.intervalYears = intervalYears
    }

    public var name: String { "Leland, \(clock.name)" }
    public var adjustsVolatility: Bool { true }

    public func volatilityScale(_ state: borrowing RebalancingState) -> Lanes {
        // 2√(2/π).
        let number =
            state.proportionalCost * Lanes(repeating: 1.595_769_121_605_730_7 / intervalYears.squareRoot())
            / state.impliedVolatility
        return Self.scale(number, gamma: state.gamma)
    }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        // At what volatility to hedge depends on the cost: one that nobody knows is not 0.
        let cost = state.proportionalCost
        return clock.band(state).replacing(with: .unknown, where: .!(cost .== cost))
    }

    /// √(1 ± change): up where gamma is negative.
    static func scale(_ change: Lanes, gamma: Lanes) -> Lanes {
        let one = Lanes(repeating: 1)
        let signed = change.replacing(with: change.negated, where: gamma .> Lanes.zero)
        let variance = (one + signed).larger(Lanes(repeating: minimumVariance))
        // Where a cost or volatility is missing, the market's.
        return PortableArithmetic.squareRoot(one.replacing(with: variance, where: signed .== signed))
    }
}

extension LelandPolicy: ConfiguredPolicy {
    package static var kind: String { "leland" }

    package static func family(
        _ settings: Settings, _ market: PolicyMarket
    ) throws -> PolicyFamily {
        try PolicyFamily("Leland", settings, "hours", unit: " h") {
            try LelandPolicy(intervalYears: $0 / Year.hours)
        }
    }
}
