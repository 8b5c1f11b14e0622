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
