import Greeks
import VectorMath

/// Eight paths side by side, one per lane: what happens at each time of a grid.
///
/// A block belongs to one thread and is filled again and again; filling it allocates nothing. Columns of
/// times have `steps + 1` rows, those of steps `steps`: row s is the step from time s to time s + 1.
public final class PathBlock {
    public let steps: Int
    /// Whether highs and lows of the steps are wanted: for estimators that look at them.
    public let hasRanges: Bool

    /// Price of the underlying at each time.
    public let spot: ColumnStorage<Lanes>
    /// Variance of its returns per year, of the step that begins at each time. Of replayed prices, which have
    /// none that is known, the square of the volatility that the model was given.
    public let variance: ColumnStorage<Lanes>
    /// At-the-money implied volatility at each time, as `SurfaceDynamics` moves it.
    public let impliedVolatility: ColumnStorage<Lanes>
    /// Funding of each step: what a long perpetual pays, as a share of its value. 0 where a model has none.
    public let funding: ColumnStorage<Lanes>
    /// Highest and lowest price of each step, its ends counted in; empty without `hasRanges`.
    public let high: ColumnStorage<Lanes>
    public let low: ColumnStorage<Lanes>

    public init(steps: Int, hasRanges: Bool = false) {
        precondition(steps > 0)
        self.steps = steps
        self.hasRanges = hasRanges
        spot = ColumnStorage(repeating: .zero, count: steps + 1)
        variance = ColumnStorage(repeating: .zero, count: steps + 1)
        impliedVolatility = ColumnStorage(repeating: .zero, count: steps + 1)
        funding = ColumnStorage(repeating: .zero, count: steps)
        high = ColumnStorage(repeating: .zero, count: hasRanges ? steps : 0)
        low = ColumnStorage(repeating: .zero, count: hasRanges ? steps : 0)
    }
}
