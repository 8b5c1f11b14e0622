import VectorMath

/// When to rebalance: from the state of eight positions to the bands in which their exposures may stay.
///
/// A policy is a function of the state alone. It keeps nothing from call to call, so that a decision can be
/// replayed from its inputs, bit for bit, live and in a simulator, and in any lane.
public protocol RebalancingPolicy: Sendable {
    /// The name and parameters, as tables show them: `threshold: delta 0.05`.
    var name: String { get }
    /// The Greek that the bands are about.
    var greek: RebalancedGreek { get }
    /// The estimator of realised volatility that the policy wants in its state; nil if it looks at none.
    var realisedVolatility: RealisedVolatility? { get }
    /// Whether deltas are to be computed at volatilities other than the market's: `volatilityScale` is then asked
    /// first, with Greeks at the market's, and the state that `band` sees has its delta at the scaled ones.
    var adjustsVolatility: Bool { get }
    /// Policies that keep bands on other Greeks beside this one (`JointPolicy`).
    var companions: [any RebalancingPolicy] { get }

    /// Factor on implied volatilities for the delta that is hedged: 1 is the market's.
    func volatilityScale(_ state: borrowing RebalancingState) -> Lanes
    /// The bands, in units of `greek`.
    func band(_ state: borrowing RebalancingState) -> RebalancingBand
}

extension RebalancingPolicy {
    public var greek: RebalancedGreek { .delta }
    public var realisedVolatility: RealisedVolatility? { nil }
    public var adjustsVolatility: Bool { false }
    public var companions: [any RebalancingPolicy] { [] }
    public func volatilityScale(_ state: borrowing RebalancingState) -> Lanes { Lanes(repeating: 1) }

    /// By how much the exposure should change now; 0 is to hold.
    public func change(_ state: borrowing RebalancingState) -> Lanes {
        band(state).change(of: state[greek])
    }
}
