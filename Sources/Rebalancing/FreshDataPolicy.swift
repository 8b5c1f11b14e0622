import Checks
import VectorMath

/// Another policy, as long as data are fresh. Older ones widen its bands, those of its companions too, in
/// proportion to their age, and from a limit on nothing is traded, options neither: a hedge against prices
/// that are gone is a bet.
///
/// - Input: age of the newest price, in seconds; and what the other policy looks at.
public struct FreshDataPolicy: PolicyWrapper {
    public let base: any RebalancingPolicy
    /// Seconds up to which the bands are the other policy's.
    public let freshSeconds: Double
    /// Seconds from which nothing is traded.
    public let staleSeconds: Double
    /// The other policy's, under the same limits.
    public let companions: [any RebalancingPolicy]

    /// - Throws: unless 0 < freshSeconds ≤ staleSeconds.
    public init(_ base: any RebalancingPolicy, freshSeconds: Double, staleSeconds: Double)
        throws(RebalancingError)
    {
        try RebalancingError.require(freshSeconds, "fresh_seconds", .positive)
        try RebalancingError.require(staleSeconds, "stale_seconds", .atLeast(freshSeconds))
        self.base = base
        self.freshSeconds = freshSeconds
        self.staleSeconds = staleSeconds
        var limited: [any RebalancingPolicy] = []
        for companion in base.companions {
            limited.append(
                try FreshDataPolicy(companion, freshSeconds: freshSeconds, staleSeconds: staleSeconds))
        }
        companions = limited
    }

    public var name: String { "\(base.name), data younger than \(staleSeconds) s" }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        let factor = (state.dataAge * Lanes(repeating: 1 / freshSeconds)).atLeast(1)
        let band = base.band(state).widened(by: factor)
        // An unknown age is stale.
        return .hold.replacing(with: band, where: state.dataAge .< Lanes(repeating: staleSeconds))
    }
}
