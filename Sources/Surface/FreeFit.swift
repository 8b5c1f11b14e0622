import SurfaceKernel
import VectorMath

/// The best fit of a slice without conditions, from all starts, and the other optima that these led to.
struct FreeFit {
    private(set) var vector = SliceVector.zero
    private(set) var loss = Double.infinity
    /// Where the other starts ended or gave way.
    private(set) var rivals = InlineArray<8, SliceVector>(repeating: .zero)
    private(set) var rivalLosses = InlineArray<8, Double>(repeating: .infinity)
    private(set) var rivalCount = 0

    init() {}

    /// - Parameter known: a fit of the same quotes that came to its end.
    init(_ quotes: QuoteLanes, known: SliceFit? = nil) {
        let starts = quotes.starts(isWide: quotes.hasBands)
        if let known { (vector, loss) = (known.vector, known.loss) }
        for place in 0..<starts.count { add(starts.vectors[place], quotes) }
    }

    private mutating func add(_ start: SliceVector, _ quotes: QuoteLanes) {
        var fit = SliceFit(from: start)
        (fit.rival, fit.rivalLoss) = (vector, loss)
        quotes.run(&fit)
        guard fit.loss < .infinity else { return }
        var other = (vector, loss)
        if fit.loss < loss {
            (vector, loss) = (fit.vector, fit.loss)
        } else {
            other = (fit.vector, fit.loss)
        }
        guard other.1 < .infinity, rivalCount < 8 else { return }
        rivals[rivalCount] = other.0
        rivalLosses[rivalCount] = other.1
        rivalCount += 1
    }
}
