import Checks
import Margin

/// With what, where and within which limits all policies of a simulation trade.
public struct TradingTerms: Sendable {
    public var instrument: HedgeContract
    /// In order of preference: the next is used where those before are down.
    public var venues: [Venue]
    /// Options that policies on gamma, vega and theta trade beside `instrument`; others leave them alone.
    public var options: [HedgeOption] = []
    public var funding = Funding.none
    public var margin: MarginAccount?
    /// The venue's own rule in place of shares of the notional, for the whole account, options included.
    public var marginModel: MarginModel?
    /// Other hedgers, who move all prices of the paths.
    public var flow: ReflexiveFlow?
    /// Whether the hedge is closed, at its cost, at the last time.
    public var closesAtEnd = true
    /// Coins of |delta| beyond which time counts as outside; nothing is enforced.
    public var deltaLimit = Double.infinity
    /// Coins of |hedge| that are never exceeded.
    public var positionLimit = Double.infinity
    /// Seconds of age beyond which no price is traded on.
    public var oldestPrice = 0.0

    public init(_ instrument: HedgeContract, venues: [Venue]) {
        self.instrument = instrument
        self.venues = venues
    }

    func validate(_ grid: TimeGrid) throws(SimulationError) {
        try instrument.validate()
        guard !venues.isEmpty else {
            throw .invalidParameter(model: "venue", name: "count", value: 0, reason: "expected at least one")
        }
        for venue in venues { try venue.validate(grid) }
        for option in options { try option.validate() }
        try funding.validate()
        try margin?.validate(instrument)
        try flow?.validate()
        try validateLimits()
    }

    package func validateLimits() throws(SimulationError) {
        try SimulationError.require(deltaLimit, .allowance, "limits", "delta_coins")
        try SimulationError.require(positionLimit, .allowance, "limits", "position_coins")
        try SimulationError.require(oldestPrice, .allowance, "limits", "oldest_price_seconds")
    }
}
