import VectorMath

/// The answer of a policy: the range in which an exposure may stay, and the one to take it to once it has left.
///
/// Between `lower` and `upper` nothing is done. Outside, the exposure goes to the nearest point of the inner band:
/// with proportional costs that is the edge itself (`init(lower:upper:)`), with costs per trade it is further in.
/// The bounds are in the units of the exposure; infinite where nothing is asked. Where a bound is not a number,
/// nothing is done.
public struct RebalancingBand: Sendable, Equatable {
    public var lower: Lanes
    public var upper: Lanes
    /// The target of an exposure that left: `lower ≤ innerLower ≤ innerUpper ≤ upper`.
    public var innerLower: Lanes
    public var innerUpper: Lanes

    @inlinable
    public init(lower: Lanes, upper: Lanes, innerLower: Lanes, innerUpper: Lanes) {
        self.lower = lower
        self.upper = upper
        self.innerLower = innerLower
        self.innerUpper = innerUpper
    }

    /// To the edge.
    @inlinable
    public init(lower: Lanes, upper: Lanes) {
        self.init(lower: lower, upper: upper, innerLower: lower, innerUpper: upper)
    }

    /// No trade, whatever the exposure.
    public static let hold = RebalancingBand(
        lower: Lanes(repeating: -.infinity), upper: Lanes(repeating: .infinity))

    /// Back to 0 whatever the exposure.
    public static let neutral = RebalancingBand(lower: .zero, upper: .zero)

    /// No answer, for want of an input.
    public static let unknown = RebalancingBand(
        lower: Lanes(repeating: .nan), upper: Lanes(repeating: .nan))

    /// The lanes whose exposure has left the band.
    @inlinable
    public func isOutside(_ exposure: Lanes) -> LaneMask { (exposure .< lower) .| (exposure .> upper) }

    /// By how much the exposure is to change: 0 inside, for NaN, and towards a bound that is not a number.
    @inlinable
    public func change(of exposure: Lanes) -> Lanes {
        let below = exposure .< lower
        let aim = innerUpper.replacing(with: innerLower, where: below)
        let change = aim - exposure
        return change.kept(where: isOutside(exposure) .& (change .== change))
    }

    /// This band in some lanes, another elsewhere.
    @inlinable
    public func replacing(with other: RebalancingBand, where mask: LaneMask) -> RebalancingBand {
        RebalancingBand(
            lower: lower.replacing(with: other.lower, where: mask),
            upper: upper.replacing(with: other.upper, where: mask),
            innerLower: innerLower.replacing(with: other.innerLower, where: mask),
            innerUpper: innerUpper.replacing(with: other.innerUpper, where: mask))
    }
}
