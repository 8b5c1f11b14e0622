/// A policy on delta, and policies that keep bands on other Greeks beside it.
///
/// As soon as one band has been left, the optimizer brings all Greeks that have left theirs into their inner
/// bands at least cost, trading options and the underlying together, and keeps the others where they may be.
///
/// A wrapper that is to hold for all bands, such as `FreshDataPolicy`, goes around the joint policy: around its base
/// alone it leaves the companions as they are.
///
/// - Input: what the policies look at.
public struct JointPolicy: PolicyWrapper {
    /// On delta.
    public let base: any RebalancingPolicy
    public let companions: [any RebalancingPolicy]

    /// - Throws: for a base that is not about delta, a companion that is, two on the same Greek, and for
    ///   companions that look at another estimate of volatility than the base.
    public init(
        _ base: any RebalancingPolicy, _ companions: [any RebalancingPolicy]
    ) throws(RebalancingError) {
        var greeks: [RebalancedGreek] = []
        for policy in [base] + companions {
            guard (policy.greek == .delta) == greeks.isEmpty, !greeks.contains(policy.greek) else {
                throw .invalidParameter(
                    name: policy.name, value: Double(greeks.count),
                    reason:
                        "is about \(policy.greek.rawValue): expected delta first, then other Greeks, once each"
                )
            }
            guard policy.realisedVolatility == nil || policy.realisedVolatility == base.realisedVolatility
            else {
                throw .invalidParameter(
                    name: policy.name, value: Double(greeks.count),
                    reason: "looks at another estimate of volatility than \(base.name)")
            }
            greeks.append(policy.greek)
        }
        self.base = base
        self.companions = companions
    }

    public var name: String {
        let others = companions.map {
            $0.name.hasPrefix("threshold: ") ? String($0.name.dropFirst(11)) : $0.name
        }
        return ([base.name] + others).joined(separator: " + ")
    }

    public func band(_ state: borrowing RebalancingState) -> RebalancingBand { base.band(state) }
}
