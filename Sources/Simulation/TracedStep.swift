/// One time of one path, as a chart or a test wants to see it.
public struct TracedStep: Sendable {
    public var hours, spot, mark: Double
    /// Coins: the delta of the book and of options held to hedge.
    public var bookDelta: Double
    /// Coins of the underlying held before and after this step's trades.
    public var hedgeBefore, hedgeAfter: Double
    /// The policy's band for the sum of both, in coins.
    public var bandLower, bandUpper: Double
    /// Of book and hedge, after this step's trades: coins per unit of spot, and currency per 1.00 of volatility and per
    /// year.
    public var gamma, vega, theta: Double
    /// Contracts held of each `HedgeOption`, after this step's trades.
    public var options: [Double]
    /// Coins that the policy asked for, and that were filled in this step.
    public var asked, filled: Double
    /// Equity at the start of the step.
    public var equity: Double
    /// Whether the first venue is down, and its price old.
    public var isDown, isStale: Bool
    /// Per part, of the step that begins here.
    public var parts: [Double]
}
