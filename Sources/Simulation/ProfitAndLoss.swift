/// A cause of a step's profit or loss. Every case is signed as it adds to the account: costs are
/// negative.
public enum ProfitPart: Int, CaseIterable, Sendable {
    /// ½ΓS²r² with r the step's return: what the book's curvature earned on the move.
    case gamma
    /// −½ΣΓS²σ²Δt, each option by its implied volatility: what the market charges for that curvature. With
    /// `gamma` it is gamma scalping, ½ΓS²(r² − σ²Δt).
    case rent
    /// (θ + ½ΣΓS²σ²)Δt: interest within theta.
    case carry
    /// Vega times the change of volatility.
    case vega
    /// The book's change of value that delta, gamma, theta and vega leave over.
    case higherOrder
    /// (book's delta + hedge's delta)·ΔS, the position as it stood at the start of the step.
    case unhedgedDelta
    /// Gain of the hedge beyond its delta times ΔS: basis of futures and perpetuals.
    case basis
    /// Funding of perpetuals; paid below 0.
    case funding
    /// Interest on the account's cash, dividends on spot.
    case interest
    /// Between the mark at the start of the step and the fill's middle price: latency, and what resting
    /// orders got.
    case slippage
    case spread
    case fees
    /// Own impact and its decay, and a pool's curve.
    case impact
    /// Gas, paid for failed transactions, too.
    case gas
    /// Penalties of liquidations.
    case liquidation

    public var name: String {
        switch self {
        case .higherOrder: "higher_order"
        case .unhedgedDelta: "unhedged_delta"
        default: "\(self)"
        }
    }

    /// Whether it is a cost of trading and holding the hedge, not a gain or loss by the market's moves.
    public var isCost: Bool {
        switch self {
        case .funding, .slippage, .spread, .fees, .impact, .gas, .liquidation: true
        default: false
        }
    }
}
