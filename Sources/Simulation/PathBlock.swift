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
    public let spot: UnsafeMutableBufferPointer<Lanes>
    /// Variance of its returns per year, of the step that begins at each time. Of replayed prices, which have
    /// none that is known, the square of the volatility that the model was given.
    public let variance: UnsafeMutableBufferPointer<Lanes>
    /// At-the-money implied volatility at each time, as `SurfaceDynamics` moves it.
    public let impliedVolatility: UnsafeMutableBufferPointer<Lanes>
    /// Funding of each step: what a long perpetual pays, as a share of its value. 0 where a model has none.
    public let funding: UnsafeMutableBufferPointer<Lanes>
    /// Highest and lowest price of each step, its ends counted in; empty without `hasRanges`.
    public let high: UnsafeMutableBufferPointer<Lanes>
    public let low: UnsafeMutableBufferPointer<Lanes>

    private let storage: UnsafeMutableBufferPointer<Lanes>

    public init(steps: Int, hasRanges: Bool = false) {
        precondition(steps > 0)
        self.steps = steps
        self.hasRanges = hasRanges
        let times = steps + 1
        let counts = [times, times, times, steps, hasRanges ? steps : 0, hasRanges ? steps : 0]
        storage = .allocate(capacity: counts.reduce(0, +))
        storage.initialize(repeating: .zero)
        var next = 0
        let storage = storage
        func column(_ count: Int) -> UnsafeMutableBufferPointer<Lanes> {
            next += count
            return UnsafeMutableBufferPointer(rebasing: storage[next - count..<next])
        }
        spot = column(counts[0])
        variance = column(counts[1])
        impliedVolatility = column(counts[2])
        funding = column(counts[3])
        high = column(counts[4])
        low = column(counts[5])
    }

    deinit { storage.deallocate() }
}
