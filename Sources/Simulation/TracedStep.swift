/// One time of one path, as a chart or a test wants to see it.
public struct TracedStep: Sendable {
    public var hours, spot, mark: Double
    /// The delta of the book and of options held to hedge, the underlying's in coins before and after, and
    /// the band for their sum.
    public var bookDelta, hedgeBefore, hedgeAfter, bandLower, bandUpper: Double
    /// Of book and hedge, after this step's trades.
    public var gamma, vega, theta: Double
    /// Contracts held of each `HedgeOption`, after this step's trades.
    public var options: [Double]
    /// Coins that the policy asked for, and that were filled in this step.
    public var asked, filled: Double
    /// Equity at the start of the step.
    public var equity: Double
    /// Of the first venue.
    public var isDown, isStale: Bool
    /// Per part, of the step that begins here.
    public var parts: [Double]
}
