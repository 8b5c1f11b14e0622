import Checks
import VectorMath

/// The target of an exposure that has left its band.
public enum Landing: Hashable, Sendable {
    /// The nearest edge: what costs proportional to the trade ask for.
    case edge
    /// The middle: what costs per trade, of whatever size, ask for.
    case centre
    /// In between: to the edge of a band that is narrower by this factor, from 0 (centre) to 1 (edge).
    case inner(Double)

    /// Width of the inner band in the outer one's.
    @inlinable
    var share: Double {
        switch self {
        case .edge: 1
        case .centre: 0
        case .inner(let share): share
        }
    }

    /// The band of a half-width around a centre.
    @inlinable
    func band(around centre: Lanes = .zero, halfWidth: Lanes) -> RebalancingBand {
        let inner = halfWidth * Lanes(repeating: share)
        return RebalancingBand(
            lower: centre - halfWidth, upper: centre + halfWidth, innerLower: centre - inner,
            innerUpper: centre + inner)
    }

    func check() throws(RebalancingError) {
        try RebalancingError.require(share, "landing", .share)
    }

    /// As names of policies end: nothing for the edge.
    var suffix: String {
        switch self {
        case .edge: ""
        case .centre: ", to the centre"
        case .inner(let share): ", to \(share) of the band"
        }
    }
}
