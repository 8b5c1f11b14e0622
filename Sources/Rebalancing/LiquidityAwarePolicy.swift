import Checks
import VectorMath

/// Another policy's bands, those of its companions too, wider where the market is thin: by
/// (reference/depth)^exponent, never narrower; where the depth is not known, as in a market without any.
///
/// - Input: depth, in units of the underlying; and what the other policy looks at.
public struct LiquidityAwarePolicy: PolicyWrapper {
    public let base: any RebalancingPolicy
    /// Depth at which the band is the other policy's, in units of the underlying.
    public let referenceDepth: Double
    public let exponent: Double
    /// The largest factor.
    public let maximum: Double
    /// The other policy's, as wide in proportion.
    public let companions: [any RebalancingPolicy]

    /// - Throws: for a depth or exponent that is not positive, a maximum below 1.
    public init(
        _ base: any RebalancingPolicy, referenceDepth: Double, exponent: Double = 0.5, maximum: Double = 10
    ) throws(RebalancingError) {
        try RebalancingError.require(referenceDepth, "reference depth", .positive)
        try RebalancingError.require(exponent, "exponent", .positive)
        guard maximum >= 1, maximum < .infinity else {
            throw .invalidParameter(
                name: "largest factor", value: maximum, reason: "must be at least 1 and finite")
        }
        self.base = base
        self.referenceDepth = referenceDepth
        self.exponent = exponent
        self.maximum = maximum
        var wider: [any RebalancingPolicy] = []
        for companion in base.companions {
            wider.append(
                try LiquidityAwarePolicy(
                    companion, referenceDepth: referenceDepth, exponent: exponent, maximum: maximum))
        }
        companions = wider
    }

    public var name: String { "\(base.name), wider below a depth of \(referenceDepth)" }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        // Without any depth, and where it is not known, as wide as it gets.
        let share = state.depth * Lanes(repeating: 1 / referenceDepth)
        let factor = power(PortableArithmetic.self, share.atMost(1), Lanes(repeating: -exponent))
        let widest = Lanes(repeating: maximum)
        let known = widest.replacing(with: factor.smaller(widest), where: share .> Lanes.zero)
        return base.band(state).widened(by: known)
    }
}
