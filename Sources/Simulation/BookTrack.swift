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
        engine.logarithms(of: strikes, count: count, high: &high, low: &low)
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
            max(1, Int((years / grid.stepYears - 1e-6).rounded(.up).clamped(to: 0...1e15)))
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

extension Double {
    func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

/// A book along the eight paths of a block: valued once, whatever the number of policies that look at it.
final class BookTrack {
    let schedule: BookSchedule
    let engine: GreeksEngine
    /// Times of the grid.
    let times: Int
    let markets: UnsafeMutablePointer<PathMarket>
    /// Of the options that have not settled.
    let sums: UnsafeMutablePointer<PathSums>
    /// Payoffs of what settles at each time.
    let settlement: UnsafeMutablePointer<Lanes>

    init(_ schedule: BookSchedule, _ engine: GreeksEngine) {
        self.schedule = schedule
        self.engine = engine
        times = schedule.grid.steps + 1
        markets = .allocate(capacity: times)
        sums = .allocate(capacity: times)
        settlement = .allocate(capacity: times)
        markets.initialize(repeating: PathMarket(spot: .zero, level: .zero, move: .zero), count: times)
        sums.initialize(repeating: PathSums(), count: times)
        settlement.initialize(repeating: .zero, count: times)
    }

    deinit {
        markets.deallocate()
        sums.deallocate()
        settlement.deallocate()
    }

    /// Values the book along a block.
    /// - Parameter curvature: of the smile, ∂²σ/∂(ln K)²: with k = ln(K/S) and m = ln(S₀/S), a strike's
    ///   volatility moves by m times its slope at the start and by half the curvature times m².
    func value(_ block: PathBlock, curvature: Double) {
        let firstSpot = block.spot[0]
        let firstVolatility = block.impliedVolatility[0]
        for time in 0..<times {
            var level = block.impliedVolatility[time] - firstVolatility
            var move = Lanes.zero
            if schedule.hasSkew || curvature != 0 {
                move = logarithmOfRatio(PortableArithmetic.self, firstSpot, block.spot[time])
                level += Lanes(repeating: 0.5 * curvature) * move * move
            }
            markets[time] = PathMarket(spot: block.spot[time], level: level, move: move)
        }
        engine.pathSums(
            markets, steps: times, schedule.expiries, offsets: schedule.offsets,
            expiryCount: schedule.expiryCount, live: schedule.live, schedule.options, into: sums)
        settle()
    }

    private func settle() {
        settlement.update(repeating: .zero, count: times)
        for (expiry, time) in schedule.settlementTimes.enumerated() where time < times {
            var payoff = Lanes.zero
            for index in schedule.offsets[expiry]..<schedule.offsets[expiry + 1] {
                let option = schedule.options[index]
                let strike = Lanes(repeating: option.strike)
                let intrinsic =
                    option.putSign == 0 ? markets[time].spot - strike : strike - markets[time].spot
                payoff += Lanes(repeating: option.quantity) * intrinsic.atLeast(0)
            }
            settlement[time] += payoff
        }
    }

    /// The book's delta at one time with all volatilities scaled, per lane.
    func delta(at time: Int, volatilityScale: Lanes) -> Lanes {
        var market = markets[time]
        market.scale = volatilityScale
        var sum = PathSums()
        schedule.expiries.withUnsafeBufferPointer { expiries in
            schedule.live.withUnsafeBufferPointer { live in
                engine.pathSums(
                    &market, steps: 1, expiries.baseAddress.unsafelyUnwrapped + time * schedule.expiryCount,
                    offsets: schedule.offsets, expiryCount: schedule.expiryCount,
                    live: live.baseAddress.unsafelyUnwrapped + time, schedule.options, into: &sum)
            }
        }
        return sum.delta
    }
}
