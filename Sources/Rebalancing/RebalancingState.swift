import VectorMath

/// The inputs of a policy, for eight positions at once: the lanes of a simulator's paths, or one live position in
/// every lane (`init(repeating:)`).
///
/// One position in one underlying; amounts are signed from the book's side, the hedge counted in. Natural units:
/// years, currency, volatility as 0.8 for 80%, derivatives per unit of spot, volatility and year.
public struct RebalancingState: Sendable {
    /// Years since the start.
    public var time = Lanes.zero
    /// Years to the expiry that the position's gamma comes from; 0 at expiry.
    public var yearsToExpiry = Lanes(repeating: .infinity)
    /// Years since the last trade, infinite before the first.
    public var yearsSinceHedge = Lanes(repeating: .infinity)
    /// Price of the underlying.
    public var spot = Lanes(repeating: .nan)
    /// Continuously compounded rate per year.
    public var rate = Lanes.zero

    /// Units of the underlying, the hedge counted in: 0 is neutral.
    public var delta = Lanes.zero
    /// Delta per unit of spot.
    public var gamma = Lanes.zero
    /// Currency per 1.00 of volatility.
    public var vega = Lanes.zero
    /// Currency per year.
    public var theta = Lanes.zero

    /// At which the position is valued, per square root of a year.
    public var impliedVolatility = Lanes(repeating: .nan)
    /// An estimate from past prices (`RealisedVolatility`); that of the policy's own estimator, if it names one.
    public var realisedVolatility = Lanes(repeating: .nan)
    /// Of the coming step.
    public var forecastVolatility = Lanes(repeating: .nan)

    /// Cost of a trade as a share of its value: half the spread and the fee.
    public var proportionalCost = Lanes.zero
    /// Cost of a trade of any size, in currency: gas.
    public var fixedCost = Lanes.zero
    /// Units that trade at about the quoted price; infinite where size does not matter.
    public var depth = Lanes(repeating: .infinity)
    /// Age of the newest price, in seconds.
    public var dataAge = Lanes.zero

    public init() {}

    /// Of a live position, before its owner has told anything: no number where a default would decide trades (the age of
    /// data, the time since the last trade, the time to expiry, the proportional cost, the depth), so that a policy which
    /// wants it is refused rather than misled; data of which nobody knows the age are stale, and a market of which
    /// nobody knows the depth is thin. The rate and the cost per trade are 0 until they are told.
    public static let unknown = {
        var state = RebalancingState()
        state.dataAge = Lanes(repeating: .nan)
        state.yearsSinceHedge = Lanes(repeating: .nan)
        state.yearsToExpiry = Lanes(repeating: .nan)
        state.depth = Lanes(repeating: .nan)
        state.proportionalCost = Lanes(repeating: .nan)
        return state
    }()
}

extension RebalancingState {
    /// The amount of a Greek.
    @inlinable
    public subscript(greek: RebalancedGreek) -> Lanes {
        switch greek {
        case .delta: delta
        case .gamma: gamma
        case .vega: vega
        case .theta: theta
        }
    }
}
