import Foundation
import Market

/// Slices of a market at many moments: the paths of their terms, and how they move with the price.
public struct SmileHistory: Sendable {
    /// A slice at one moment, in a trader's terms.
    public struct Point: Sendable {
        public let time: Timestamp
        public let name, underlying: String
        public let status: SmileFit.Status
        public let years, forward: Double
        /// Volatility at the money, and its derivative by ln(strike/forward) there.
        public let volatility, skew: Double
        /// Slopes of the wings over √w(0), see `JumpWings`.
        public let leftWing, rightWing: Double
        /// The least volatility of any strike.
        public let leastVolatility: Double
        /// Against the middles of the quotes, in points.
        public let rootMeanSquare: Double
    }

    /// Those with a curve that keeps the rule, in order of time and as they were fitted.
    public private(set) var points: [Point] = []
    /// How many surfaces were added, and how many of their slices have no such curve.
    public private(set) var surfaceCount = 0
    public private(set) var withoutCurve = 0

    public init() {}

    /// Adds a surface. Moments may come in any order.
    public mutating func add(_ fit: SurfaceFit, at time: Timestamp) {
        surfaceCount += 1
        var added: [Point] = []
        for fit in fit.slices {
            guard fit.isUsable, let slice = fit.slice else {
                withoutCurve += 1
                continue
            }
            let wings = JumpWings(slice, years: fit.smile.years)
            added.append(
                Point(
                    time: time, name: fit.smile.name, underlying: fit.smile.underlying, status: fit.status,
                    years: fit.smile.years, forward: fit.smile.forward,
                    volatility: wings.variance.squareRoot(),
                    // ψ is ∂√w/∂k.
                    skew: wings.skew / fit.smile.years.squareRoot(), leftWing: wings.leftWing,
                    rightWing: wings.rightWing, leastVolatility: max(0, wings.leastVariance).squareRoot(),
                    rootMeanSquare: fit.quality?.rootMeanSquare ?? .nan))
        }
        let place = points.firstIndex { $0.time > time } ?? points.count
        points.insert(contentsOf: added, at: place)
    }
}

/// A figure with what a resampling of days leaves of it; nil bounds with fewer than five days.
public struct ResampledFigure: Sendable, Equatable {
    public let value: Double
    /// The 5% and the 95% quantile.
    public let interval: ClosedRange<Double>?
}

/// How volatility at the money moves with the forward, of the slices of one underlying in one bucket of tenors.
public struct SmileMovement: Sendable {
    public let underlying: String
    /// Days to expiry at the start of a move.
    public let tenorDays: Range<Double>
    /// Moves from one moment of a slice to its next, and the days on which they begin.
    public let moves, days: Int
    /// Skew stickiness R: Δσ = R · skew · Δln F by least squares, σ at the money. 1 where the smile stays at its strikes,
    /// 0 where it moves along with the price. Nil without any skew or move.
    public let ratio: ResampledFigure?
    /// R as those who hedge at it estimate it: with decay, shrunk to 1, and what that gained out of sample.
    public let online: SkewStickiness.Estimate
    /// The share of Σ(Δσ)² that R leaves unexplained, and that R = 1 does.
    public let unexplained, unexplainedAtOne: Double
    /// ∂σ/∂ln F by least squares, over moves down and over moves up; nil without any.
    public let downBeta, upBeta: ResampledFigure?
    /// The mean of the skew.
    public let meanSkew: Double
}

extension SmileHistory {
    /// Sums of one day's moves.
    private struct Sums {
        var skewed = 0.0, skewedSquare = 0.0
        var down = 0.0, downSquare = 0.0
        var up = 0.0, upSquare = 0.0
        var square = 0.0
        var skew = 0.0
        var count = 0

        static func + (a: Sums, b: Sums) -> Sums {
            Sums(
                skewed: a.skewed + b.skewed, skewedSquare: a.skewedSquare + b.skewedSquare,
                down: a.down + b.down,
                downSquare: a.downSquare + b.downSquare, up: a.up + b.up, upSquare: a.upSquare + b.upSquare,
                square: a.square + b.square, skew: a.skew + b.skew, count: a.count + b.count)
        }

        /// NaN where smiles are flat.
        var ratio: Double {
            skewedSquare > 1e-10 * (downSquare + upSquare) ? skewed / skewedSquare : .nan
        }
        var downBeta: Double { down / downSquare }
        var upBeta: Double { up / upSquare }
    }

    private struct Bucket: Hashable {
        let underlying: String
        let place: Int
    }

    /// Estimates by bucket, in order of underlying and tenor; buckets without moves are left out.
    ///
    /// Intervals come from days drawn with replacement: moves of one day are not independent.
    /// - Parameters:
    ///   - edges: of the buckets of tenors, in days, ascending.
    ///   - longestMove: moments of a slice that lie further apart are no move, in days.
    ///   - draws: how many histories are drawn for the intervals.
    public func dynamics(
        tenorDays edges: [Double], longestMove: Double = 2, draws: Int = 1000, seed: UInt64 = 1
    ) -> [SmileMovement] {
        var before: [String: Point] = [:]
        var online: [String: SkewStickiness] = [:]
        var buckets: [Bucket: [Int64: Sums]] = [:]
        for point in points {
            defer { before[point.name] = point }
            guard let start = before[point.name] else { continue }
            let days = Double(point.time.milliseconds - start.time.milliseconds) / 86_400_000
            guard days > 0, days <= longestMove else { continue }
            let move = log(point.forward / start.forward)
            let change = point.volatility - start.volatility
            let tenor = start.years * 365
            let bucket = Bucket(
                underlying: point.underlying, place: TenorBuckets.place(tenor, edges))
            let day = Int64((Double(start.time.milliseconds) / 86_400_000).rounded(.down))
            var sums = buckets[bucket]?[day] ?? Sums()
            sums.count += 1
            sums.skew += start.skew
            sums.square += change * change
            try? online[point.underlying, default: SkewStickiness(edges)].observe(
                years: start.years, logMove: move, skew: start.skew, change: change, at: point.time)
            let regressor = start.skew * move
            sums.skewed += regressor * change
            sums.skewedSquare += regressor * regressor
            if move < 0 {
                sums.down += move * change
                sums.downSquare += move * move
            } else {
                sums.up += move * change
                sums.upSquare += move * move
            }
            buckets[bucket, default: [:]][day] = sums
        }
        return buckets.sorted { ($0.key.underlying, $0.key.place) < ($1.key.underlying, $1.key.place) }.map {
            bucket, sums in
            let least = bucket.place == 0 ? 0 : edges[bucket.place - 1]
            let most = bucket.place == edges.count ? Double.infinity : edges[bucket.place]
            return Self.estimate(
                bucket.underlying, least..<most, sums.sorted { $0.key < $1.key }.map(\.value),
                online[bucket.underlying, default: SkewStickiness(edges)].estimate(tenor: bucket.place),
                draws: draws, seed: seed)
        }
    }

    private static func estimate(
        _ underlying: String, _ tenors: Range<Double>, _ days: [Sums], _ online: SkewStickiness.Estimate,
        draws: Int, seed: UInt64
    ) -> SmileMovement {
        let all = days.reduce(Sums(), +)
        var samples: [Sums] = []
        if days.count >= 5 {
            var random = SplitMix(state: seed)
            for _ in 0..<max(draws, 20) {
                var drawn = Sums()
                for _ in days.indices { drawn = drawn + days[random.below(days.count)] }
                samples.append(drawn)
            }
        }
        func figure(_ value: (Sums) -> Double) -> ResampledFigure? {
            guard case let estimate = value(all), estimate.isFinite else { return nil }
            let drawn = samples.map(value).filter(\.isFinite).sorted()
            guard drawn.count >= 20 else { return ResampledFigure(value: estimate, interval: nil) }
            let cut = drawn.count / 20
            return ResampledFigure(value: estimate, interval: drawn[cut]...drawn[drawn.count - 1 - cut])
        }
        func unexplained(_ ratio: Double) -> Double {
            let left = all.square - 2 * ratio * all.skewed + ratio * ratio * all.skewedSquare
            return all.square > 0 ? max(0, left / all.square) : 0
        }
        return SmileMovement(
            underlying: underlying, tenorDays: tenors, moves: all.count, days: days.count,
            ratio: figure(\.ratio), online: online,
            unexplained: unexplained(all.ratio.isFinite ? all.ratio : 0),
            unexplainedAtOne: unexplained(1), downBeta: figure(\.downBeta), upBeta: figure(\.upBeta),
            meanSkew: all.skew / Double(all.count))
    }
}

/// Random numbers that are the same everywhere.
/// - Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Int(z.multipliedFullWidth(by: UInt64(count)).high)
    }
}
