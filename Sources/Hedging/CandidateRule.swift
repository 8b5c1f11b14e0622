import Market

/// Which contracts a hedge may trade. What is not asked for does not matter.
public struct CandidateRule: Sendable, Equatable {
    public var classes: Set<VenueCosts.Class>?
    /// Coins.
    public var underlyings: Set<String>?
    /// Of what expires; the rest passes.
    public var expiries: ClosedRange<Timestamp>?
    /// The magnitude of an option's delta, in coins per coin; the rest passes.
    public var deltas: ClosedRange<Double>?
    /// The least that is on offer on either side, in US dollars of the underlying; an empty side has nothing.
    public var leastDepth = 0.0
    /// The largest half spread, as a share of the underlying's price.
    public var mostHalfSpread = Double.infinity
    /// The only contracts that pass.
    public var names: Set<String>?
    /// Contracts that never pass.
    public var excluded: Set<String> = []

    public init() {}

    /// - Parameters:
    ///   - delta: dollars of delta per unit.
    ///   - price: of the contract's future.
    func accepts(
        _ instrument: Instrument, delta: Double, price: Double, _ dollars: CandidateCosts.Dollars?,
        _ at: CandidateCosts.Price
    ) -> Bool {
        guard classes?.contains(VenueCosts.Class(instrument)) ?? true,
            underlyings?.contains(instrument.base) ?? true, names?.contains(instrument.name) ?? true,
            !excluded.contains(instrument.name)
        else { return false }
        if let expiries, let expiry = instrument.expiry, !expiries.contains(expiry) { return false }
        if let deltas, instrument.isOption, !deltas.contains((delta / price).magnitude) { return false }
        guard leastDepth > 0 || mostHalfSpread < .infinity else { return true }
        guard let dollars else { return false }
        return min(dollars.maximumBuy, dollars.maximumSell) * at.underlying >= leastDepth
            && max(dollars.halfSpreadBuy, dollars.halfSpreadSell) <= mostHalfSpread * at.underlying
    }
}
