/// The currency in which exposures are counted.
public enum Numeraire: String, Sendable, CaseIterable {
    /// US dollars; stablecoins count as dollars. Adds across underlyings.
    case usd
    /// The underlying coin. Adds within one underlying only.
    case coin
}

/// What is reported of a book. All are signed from the book's side: long options have positive vega.
///
/// F is the price of the contract's own future (perpetual, coin), V its value in quote currency, p = V/F;
/// Δ, Γ, ν and so on are the natural Greeks of `Greek` with S = F.
///
/// In US dollars the delta is the amount of dollars that moves with the price, and gamma, vanna and charm
/// are its derivatives. In coin, value and vega, theta, rho, volga are those of the coin value p, and
/// gamma, vanna and charm are derivatives of the net delta.
///
/// Before expiry, while the delivery price is averaged, F moves less than the index does: delta, gamma, vanna and charm
/// are those by the index (`SettlementWindow`).
public enum ExposureGreek: Int, CaseIterable, Sendable {
    /// V or p. Futures and perpetuals are worth nothing at their mark.
    case value
    /// Black delta: ΔF dollars or Δ coins.
    case delta
    /// Delta less what the premium moves: (Δ − p)F or Δ − p for inverse options, whose premium is coin;
    /// the delta for everything else.
    case netDelta
    /// For a rise of F by 1%: ΓF²/100 dollars or F/100 · ∂(net delta)/∂F coins.
    case gamma
    /// Per volatility point: ν/100 or ν/(100 F).
    case vega
    /// Per calendar day: θ/365 or θ/(365 F), the present rate of decay.
    case theta
    /// For a rate higher by one percent: ρ/100 or ρ/(100 F).
    case rho
    /// Delta per volatility point: F·vanna/100 or ∂(net delta)/∂σ/100.
    case vanna
    /// Vega per volatility point.
    case volga
    /// Delta per calendar day: F·charm/365 or ∂(net delta)/∂t/365.
    case charm

    /// The field's name.
    public var name: String { self == .netDelta ? "net delta" : "\(self)" }

    /// What one unit of the figure is.
    public func unit(_ numeraire: Numeraire) -> String {
        let currency = numeraire.rawValue
        switch self {
        case .value, .delta, .netDelta: return currency
        case .gamma, .rho: return "\(currency)_per_percent"
        case .vega, .vanna: return "\(currency)_per_point"
        case .volga: return "\(currency)_per_point_squared"
        case .theta, .charm: return "\(currency)_per_day"
        }
    }

    /// The column in tables: the name with its unit.
    public func column(_ numeraire: Numeraire) -> String {
        (self == .netDelta ? "net_delta" : "\(self)") + "_" + unit(numeraire)
    }
}
