import Checks
import Market
import VectorMath

/// An online estimate of the skew-stickiness ratio R by tenor and by the direction of the move.
///
/// Each observation is a move of the forward, ln(F'/F), the skew before it, ∂σ/∂k at the money, and what volatility at the
/// money did. R is the slope of Δσ on skew·ln(F'/F), by least squares whose past halves in value within a half-life, with
/// a prior about 1 (sticky strike): R̂ = (Σ w x y + κ)/(Σ w x² + κ), κ = s²/τ², where s² is the variance of what is left
/// and τ how far R is thought to lie from 1. Without data it is 1.
public struct SkewStickiness: Sendable {
    /// R with an interval.
    public struct Estimate: Sendable, Equatable {
        public let ratio: Double
        /// Of 90%, prior included.
        public let interval: ClosedRange<Double>
        /// How many observations its weights are worth.
        public let observations: Double
        /// What earlier estimates would have left of Δσ's squares, each before its observation was known, against
        /// sticky strike: 0.1 is a tenth less; below 0 they were worse. 0 without observations.
        public let gain: Double
        /// Whether R̂ may be used in place of 1: it has gained out of sample so far.
        public var hasGained: Bool { gain > 0 }
    }

    /// Which way the forward went.
    public enum Direction: Int, Sendable, CaseIterable {
        case down, up
        /// Both together.
        case either
    }

    private struct Sums: Sendable {
        var xx = 0.0
        var xy = 0.0
        var yy = 0.0
        var weight = 0.0
        var squares = 0.0
        var missed = 0.0
        var missedByOne = 0.0
        var time: Timestamp?
        /// The estimate before anything of `time` was known.
        var ratioBefore = 1.0
    }

    public let tenors: TenorBuckets
    public let halfLifeDays: Double
    /// τ.
    public let priorDeviation: Double
    private var sums: [Sums]

    /// - Throws: `SurfaceError.invalidValue` for days that do not rise, a half-life or deviation that is not above 0.
    public init(
        tenorDays: [Double] = TenorBuckets.standardDays, halfLifeDays: Double = 30,
        priorDeviation: Double = 0.5
    ) throws(SurfaceError) {
        tenors = try TenorBuckets(tenorDays, of: "skew stickiness")
        try SurfaceError.require(.positive, halfLifeDays, "half_life_days", of: "skew stickiness")
        try SurfaceError.require(.positive, priorDeviation, "prior_deviation", of: "skew stickiness")
        self.halfLifeDays = halfLifeDays
        self.priorDeviation = priorDeviation
        sums = Array(repeating: Sums(), count: tenors.count * Direction.allCases.count)
    }

    /// With the standard half-life and prior.
    /// - Parameter edges: ascending days, as they come from a command that has looked at them.
    init(_ edges: [Double]) {
        (tenors, halfLifeDays, priorDeviation) = (TenorBuckets(edges), 30, 0.5)
        sums = Array(repeating: Sums(), count: tenors.count * Direction.allCases.count)
    }

    private func place(_ tenor: Int, _ direction: Direction) -> Int {
        tenor * Direction.allCases.count + direction.rawValue
    }

    /// Takes what one expiry did between two moments.
    ///
    /// - Parameters:
    ///   - logMove: ln(F'/F).
    ///   - skew: ∂σ/∂k at the money, before the move.
    ///   - change: of volatility at the money.
    ///   - weight: how much it counts.
    /// - Throws: `SurfaceError.invalidValue` for what is not finite, and a time before an earlier one.
    public mutating func observe(
        years: Double, logMove: Double, skew: Double, change: Double, at time: Timestamp, weight: Double = 1
    ) throws(SurfaceError) {
        let name = "skew stickiness"
        try SurfaceError.require(.positive, years, "years", of: name)
        try SurfaceError.require(.finite, logMove, "log_move", of: name)
        try SurfaceError.require(.finite, skew, "skew", of: name)
        try SurfaceError.require(.finite, change, "change", of: name)
        try SurfaceError.require(.notNegative, weight, "weight", of: name)
        let tenor = tenors.place(years: years)
        if let last = sums[place(tenor, .either)].time, time < last {
            throw .invalidValue(
                of: name, field: "time", value: Double(time.milliseconds),
                reason: "must not come before \(last)")
        }
        let x = skew * logMove
        for direction in [logMove < 0 ? Direction.down : .up, .either] {
            let place = place(tenor, direction)
            var own = sums[place]
            // What happens at one moment is known at once: expiries of a bucket share the move.
            if own.time != time { own.ratioBefore = estimate(tenor: tenor, direction).ratio }
            let ratio = own.ratioBefore
            let fade = own.time.map { decay(over: $0.years(until: time) * 365, halfLife: halfLifeDays) } ?? 1
            func add(_ sum: inout Double, _ value: Double) { sum = fade * sum + weight * value }
            add(&own.xx, x * x)
            add(&own.xy, x * change)
            add(&own.yy, change * change)
            add(&own.missed, (change - ratio * x) * (change - ratio * x))
            add(&own.missedByOne, (change - x) * (change - x))
            own.squares = fade * fade * own.squares + weight * weight
            own.weight = fade * own.weight + weight
            own.time = time
            sums[place] = own
        }
    }

    /// R̂ of a tenor; 1 without data.
    public func estimate(tenor: Int, _ direction: Direction = .either) -> Estimate {
        guard tenor >= 0, tenor < tenors.count else { return prior }
        let own = sums[place(tenor, direction)]
        guard own.weight > 0, own.xx > 0 else { return prior }
        let count = own.weight * own.weight / own.squares
        // The residual variance at the slope of least squares, per observation of weight 1; from few observations the
        // variance about sticky strike, which is no smaller, says how little is known.
        let slope = own.xy / own.xx
        let about = count > 3 ? slope : 1
        let rest = max(0, own.yy - 2 * about * own.xy + about * about * own.xx)
        let mean = own.weight / count
        let variance = count > 3 ? rest / own.weight * count / (count - 1) : rest / own.weight
        let stiffness = variance * mean / (priorDeviation * priorDeviation)
        let ratio = (own.xy + stiffness) / (own.xx + stiffness)
        let deviation = (variance * mean / (own.xx + stiffness)).squareRoot()
        let half = 1.644853626951472 * deviation
        return Estimate(
            ratio: ratio, interval: (ratio - half)...(ratio + half), observations: count,
            gain: own.missedByOne > 0 ? 1 - own.missed / own.missedByOne : 0)
    }

    private var prior: Estimate {
        let half = 1.644853626951472 * priorDeviation
        return Estimate(ratio: 1, interval: (1 - half)...(1 + half), observations: 0, gain: 0)
    }

    /// The dynamics that an expiry's estimate stands for: R̂ where it has gained so far, else sticky strike.
    public func dynamics(years: Double, _ direction: Direction = .either) -> SmileDynamics {
        let found = estimate(tenor: tenors.place(years: years), direction)
        return found.hasGained ? SmileDynamics(stickiness: found.ratio) : .stickyStrike
    }
}
