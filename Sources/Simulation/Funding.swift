import Checks

/// Funding of a perpetual, per eight hours, paid by the long.
public enum Funding: Sendable, Equatable {
    case none
    case constant(Double)
    /// The path model's own rate, as replays may have.
    case fromPaths
    /// Rates of the past, from a place drawn for each path on.
    case history(FundingHistory)
    /// Deribit's rule on the simulated premium p: max(0.025%, p) + min(−0.025%, p), continuously.
    case premium
}

extension Funding {
    public func validate() throws(SimulationError) {
        guard case .constant(let rate) = self else { return }
        try SimulationError.require(rate, .within(-0.1...0.1), "hedge", "funding_rate_per_8_hours")
    }
}
