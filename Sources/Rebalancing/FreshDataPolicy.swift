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
    public let fresh: Double
    /// Seconds from which nothing is traded.
    public let stale: Double
    /// The other policy's, under the same limits.
    public let companions: [any RebalancingPolicy]

    /// - Throws: unless 0 < fresh ≤ stale.
    public init(_ base: any RebalancingPolicy, fresh: Double, stale: Double) throws(RebalancingError) {
        try RebalancingError.require(fresh, "fresh_seconds", .positive)
        try RebalancingError.require(stale, "stale_seconds", .atLeast(fresh))
        self.base = base
        self.fresh = fresh
        self.stale = stale
        var limited: [any RebalancingPolicy] = []
        for companion in base.companions {
            limited.append(try FreshDataPolicy(companion, fresh: fresh, stale: stale))
        }
        companions = limited
    }

    public var name: String { "\(base.name), data younger than \(stale) s" }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        let factor = (state.dataAge * Lanes(repeating: 1 / fresh)).atLeast(1)
        let band = base.band(state).widened(by: factor)
        // An unknown age is stale.
        return .hold.replacing(with: band, where: state.dataAge .< Lanes(repeating: stale))
    }
}
