import Greeks
import VectorMath

/// A book on the times of a grid: which options live when, and everything about times to expiry that all
/// paths share.
final class BookSchedule: Sendable {
    let book: HedgedBook
    let grid: TimeGrid
    let options: [PathOption]
    /// The options of expiry e are `offsets[e]` to `offsets[e + 1] − 1`, expiries in order of time.
    let offsets: [Int]
    /// Times × expiries.
    let expiries: [PathExpiry]
    /// Per time, the first expiry that has not settled; all before it have.
    let live: [Int]
    /// The time at which each expiry settles, beyond the grid where it does not.
    let settlementTimes: [Int]
    /// Years to the nearest live expiry at each time; infinite where there is none.
    let yearsToExpiry: [Double]
    /// Σ|quantity| of short options alive at each time.
    let shortOptions: [Double]
    let hasSkew: Bool

    var expiryCount: Int { offsets.count - 1 }

    init(_ book: HedgedBook, _ grid: TimeGrid, _ engine: GreeksEngine) throws(SimulationError) {
        try book.validate()
        self.book = book
        self.grid = grid
        let sorted = book.options.sorted { $0.years < $1.years }
        let count = (sorted.count + 7) & ~7
        var strikes = sorted.map(\.strike)
        strikes += [Double](repeating: 1, count: count - sorted.count)
        var high = [Double](repeating: 0, count: count)
        var low = high
        var highs = high.mutableSpan
        var lows = low.mutableSpan
        engine.logarithms(of: strikes.span, high: &highs, low: &lows)
        options = sorted.indices.map { index in
            let option = sorted[index]
            return PathOption(
                strike: option.strike, logStrikeHigh: high[index], logStrikeLow: low[index],
                isPut: option.isPut, volatility: option.volatility, slope: option.skew,
                quantity: option.quantity)
        }
        hasSkew = sorted.contains { $0.skew != 0 }

        var years: [Double] = []
        var offsets = [0]
        for (index, option) in sorted.enumerated() {
            if years.last != option.years {
                if index > 0 { offsets.append(index) }
                years.append(option.years)
            }
        }
        offsets.append(sorted.count)
        self.offsets = offsets
        // The first time that is not before expiry, but for rounding of the times.
        let settlementTimes = years.map { years in
            max(1, Int(min(1e15, (years / grid.stepYears - 1e-6).rounded(.up))))
        }
        self.settlementTimes = settlementTimes

        var expiries: [PathExpiry] = []
        var live: [Int] = []
        var nearest: [Double] = []
        var shorts: [Double] = []
        for time in 0...grid.steps {
            let first = settlementTimes.firstIndex { $0 > time } ?? years.count
            live.append(first)
            for expiry in years.indices {
                let left = max(0, years[expiry] - grid.years(time))
                expiries.append(
                    PathExpiry(
                        years: left, squareRootOfYears: left.squareRoot(),
                        reciprocalYears: 1 / max(left, 0x1p-200),
                        discount: scalarExponential(-book.rate * left),
                        dividendDiscount: scalarExponential(-book.dividend * left),
                        carry: (book.rate - book.dividend) * left, rate: book.rate, dividend: book.dividend,
                        levelShare: 1))
            }
            nearest.append(first < years.count ? max(0, years[first] - grid.years(time)) : .infinity)
            shorts.append(
                first < years.count
                    ? sorted[offsets[first]...].reduce(0) { $0 + max(0, -$1.quantity) } : 0)
        }
        self.expiries = expiries
        self.live = live
        yearsToExpiry = nearest
        shortOptions = shorts
    }
}
