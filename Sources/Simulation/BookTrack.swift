import Greeks
import VectorMath

/// A book along the eight paths of a block: valued once, whatever the number of policies that look at it.
final class BookTrack {
    let schedule: BookSchedule
    let engine: GreeksEngine
    /// Times of the grid.
    let times: Int
    let markets: ColumnStorage<PathMarket>
    /// Of the options that have not settled.
    let sums: ColumnStorage<PathSums>
    /// Payoffs of what settles at each time.
    let settlement: ColumnStorage<Lanes>

    init(_ schedule: BookSchedule, _ engine: GreeksEngine) {
        self.schedule = schedule
        self.engine = engine
        times = schedule.grid.steps + 1
        markets = ColumnStorage(
            repeating: PathMarket(spot: .zero, level: .zero, logSpotShift: .zero), count: times)
        sums = ColumnStorage(repeating: PathSums(), count: times)
        settlement = ColumnStorage(repeating: .zero, count: times)
    }

    /// Values the book along a block.
    /// - Parameter curvature: of the smile, ∂²σ/∂(ln K)²: with k = ln(K/S) and m = ln(S₀/S), a strike's
    ///   volatility moves by m times its slope at the start and by half the curvature times m².
    func value(_ block: PathBlock, curvature: Double) {
        let firstSpot = block.spot[0]
        let firstVolatility = block.impliedVolatility[0]
        for time in 0..<times {
            var level = block.impliedVolatility[time] - firstVolatility
            var shift = Lanes.zero
            if schedule.hasSkew || curvature != 0 {
                shift = logarithmOfRatio(PortableArithmetic.self, firstSpot, block.spot[time])
                level += Lanes(repeating: 0.5 * curvature) * shift * shift
            }
            markets[time] = PathMarket(spot: block.spot[time], level: level, logSpotShift: shift)
        }
        // A schedule for as many times as there are markets and sums.
        unsafe engine.kernel.pathSums(
            markets.pointer, steps: times, schedule.expiries, offsets: schedule.offsets,
            expiryCount: schedule.expiryCount, live: schedule.live, schedule.options, into: sums.pointer)
        settle()
    }

    private func settle() {
        settlement.fill(.zero)
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
        // One of the schedule's times, as its market was read.
        let (expiries, live) = (schedule.expiries, schedule.live)
        unsafe engine.kernel.pathSums(
            &market, steps: 1, expiries.span.start + time * schedule.expiryCount,
            offsets: schedule.offsets, expiryCount: schedule.expiryCount, live: live.span.start + time,
            schedule.options, into: &sum)
        extendLifetime(expiries)
        extendLifetime(live)
        return sum.delta
    }
}
