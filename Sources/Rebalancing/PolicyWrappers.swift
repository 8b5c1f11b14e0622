import VectorMath

/// A policy that changes the bands of another. Of its companions it says itself what becomes of them.
public protocol PolicyWrapper: RebalancingPolicy {
    var base: any RebalancingPolicy { get }
}

extension PolicyWrapper {
    public var greek: RebalancedGreek { base.greek }
    public var realisedVolatility: RealisedVolatility? { base.realisedVolatility }
    public var adjustsVolatility: Bool { base.adjustsVolatility }
    public func volatilityScale(_ state: borrowing RebalancingState) -> Lanes { base.volatilityScale(state) }
}

/// Another policy's bands, those of its companions too, wider where the market is thin: by
/// (reference/depth)^exponent, never narrower.
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
        // Without any depth, as wide as it gets; nothing is known, the same.
        let share = state.depth * Lanes(repeating: 1 / referenceDepth)
        let factor = power(PortableArithmetic.self, share.atMost(1), Lanes(repeating: -exponent))
        let widest = Lanes(repeating: maximum)
        let known = widest.replacing(with: factor.smaller(widest), where: share .> Lanes.zero)
        return base.band(state).widened(by: known)
    }
}

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
        try RebalancingError.require(fresh, "age of fresh data", .positive)
        try RebalancingError.require(stale, "age of stale data", .positive)
        guard fresh <= stale else {
            throw .invalidParameter(
                name: "age of fresh data", value: fresh, reason: "is above that of stale data, \(stale)")
        }
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

extension RebalancingBand {
    /// The same around the middle of the inner band, wider by a factor; what is infinite stays.
    func widened(by factor: Lanes) -> RebalancingBand {
        let centre = (innerLower + innerUpper) * Lanes(repeating: 0.5)
        func moved(_ edge: Lanes) -> Lanes {
            let distance = edge - centre
            let moved = centre + distance * factor
            return edge.replacing(with: moved, where: distance.absolute .< Lanes(repeating: .infinity))
        }
        return RebalancingBand(
            lower: moved(lower), upper: moved(upper), innerLower: moved(innerLower),
            innerUpper: moved(innerUpper))
    }
}
