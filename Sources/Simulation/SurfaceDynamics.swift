import Checks
import Market
import VectorMath

/// The movement of implied volatilities along a path: with the spot, and of their own.
///
/// The surface is one smile per time, σ(K) = level + skew·k + ½ curvature·k² with k = ln(K/S), at any expiry.
/// The at-the-money level at a time is
///
///     level = L + R · skew · ln(S/S₀)
///
/// with L by `Level` and the skew-stickiness ratio R: 0 is sticky delta (a strike's volatility moves along
/// the smile with its moneyness), 1 is sticky strike (without curvature a strike keeps its volatility), 2 is
/// about what local volatility makes of it.
/// - Source: Bergomi, Smile dynamics IV, 2009.
public struct SurfaceDynamics: Sendable, Equatable {
    /// The source of the level, before the spot moves it.
    public enum Level: Sendable, Equatable {
        /// The same at all times.
        case constant(Double)
        /// The square root of the model's variance: of regimes at once, of Heston's without its mean
        /// reversion.
        case instantaneous(premium: Double)
        /// Realised volatility with exponential weights, times a premium; from `initial` on.
        case trailing(initial: Double, halfLife: Double, premium: Double)
        /// A lognormal process of its own around `mean`: d ln L = κ(ln mean − ln L)dt + ν dZ, with dZ
        /// correlated with the path's returns, standardised by the variance column.
        case stochastic(
            initial: Double, mean: Double, meanReversion: Double, volatilityOfVolatility: Double,
            correlation: Double)
    }

    public let level: Level
    /// ∂σ/∂ ln K at the money; negative where puts are dear.
    public let skew: Double
    /// ∂²σ/∂(ln K)².
    public let curvature: Double
    /// R.
    public let stickiness: Double
    /// No volatility falls below, or rises above.
    public let minimum, maximum: Double

    /// - Throws: for levels that are not positive, negative rates, a correlation outside [−1, 1].
    public init(
        _ level: Level, skew: Double = 0, curvature: Double = 0, stickiness: Double = 1,
        minimum: Double = 0.01,
        maximum: Double = 10
    ) throws(SimulationError) {
        var fields: [(name: String, value: Double, rule: NumberRule)]
        let volatility = NumberRule.within(1e-6...100)
        let premiums = NumberRule.within(1e-6...1e6)
        switch level {
        case .constant(let value): fields = [("volatility", value, volatility)]
        case .instantaneous(let premium): fields = [("premium", premium, premiums)]
        case .trailing(let initial, let halfLife, let premium):
            fields = [
                ("volatility", initial, volatility),
                ("half_life_hours", halfLife * Year.hours, .positiveUpTo(1e9)),
                ("premium", premium, premiums),
            ]
        case .stochastic(let initial, let mean, let reversion, let deviation, let correlation):
            fields = [
                ("volatility", initial, volatility), ("mean", mean, volatility),
                ("mean_reversion_per_year", reversion, .within(0...1e9)),
                ("volatility_of_volatility", deviation, .within(0...1e6)),
                ("correlation", correlation, .within(-1...1)),
            ]
        }
        fields += [
            ("skew", skew, .within(-100...100)), ("curvature", curvature, .within(-100...100)),
            ("stickiness", stickiness, .within(-100...100)), ("minimum", minimum, volatility),
            ("maximum", maximum, volatility),
        ]
        for (name, value, rule) in fields { try SimulationError.require(value, rule, "surface", name) }
        try SimulationError.require(
            minimum <= maximum, "surface", "minimum", minimum, "is above the maximum, \(maximum.shown)")
        self.level = level
        self.skew = skew
        self.curvature = curvature
        self.stickiness = stickiness
        self.minimum = minimum
        self.maximum = maximum
    }

    /// The volatility of a strike: a level of the block, and ln(K/S).
    @inlinable @inline(__always)
    public func volatility(level: Lanes, logMoneyness k: Lanes) -> Lanes {
        let slope = Lanes(repeating: skew) + k * Lanes(repeating: 0.5 * curvature)
        return bounded(level + k * slope)
    }

    @inlinable @inline(__always)
    func bounded(_ volatility: Lanes) -> Lanes {
        volatility.larger(Lanes(repeating: minimum)).smaller(Lanes(repeating: maximum))
    }

    /// Fills the implied volatilities of a block whose paths are there.
    public func fill(_ block: PathBlock, on grid: TimeGrid, seed: UInt64, firstPath: Int) {
        switch level {
        case .constant(let value):
            for step in 0...block.steps { block.impliedVolatility[step] = Lanes(repeating: value) }
        case .instantaneous(let premium):
            for step in 0...block.steps {
                block.impliedVolatility[step] =
                    PortableArithmetic.squareRoot(block.variance[step]) * Lanes(repeating: premium)
            }
        case .trailing(let initial, let halfLife, let premium):
            fillTrailing(block, grid.stepYears, initial, halfLife, premium)
        case .stochastic(let initial, let mean, let reversion, let deviation, let correlation):
            fillStochastic(
                block, grid.stepYears, seed, firstPath, initial, mean, reversion, deviation, correlation)
        }
        let slope = Lanes(repeating: skew * stickiness)
        let start = block.spot[0]
        for step in 0...block.steps {
            var level = block.impliedVolatility[step]
            if skew * stickiness != 0 {
                level += slope * logarithmOfRatio(PortableArithmetic.self, block.spot[step], start)
            }
            block.impliedVolatility[step] = bounded(level)
        }
    }

    private func fillTrailing(
        _ block: PathBlock, _ years: Double, _ initial: Double, _ halfLife: Double, _ premium: Double
    ) {
        let decay = decay(over: years, halfLife: halfLife)
        let start = initial / premium
        var variance = ExponentialAverage(
            decay: decay, weight: (1 - decay) / years, start: Lanes(repeating: start * start))
        block.impliedVolatility[0] = Lanes(repeating: initial)
        for step in 0..<block.steps {
            let move = logarithmOfRatio(PortableArithmetic.self, block.spot[step + 1], block.spot[step])
            variance.add(move * move)
            block.impliedVolatility[step + 1] =
                PortableArithmetic.squareRoot(variance.value) * Lanes(repeating: premium)
        }
    }

    private func fillStochastic(
        _ block: PathBlock, _ years: Double, _ seed: UInt64, _ firstPath: Int, _ initial: Double,
        _ mean: Double, _ reversion: Double, _ deviation: Double, _ correlation: Double
    ) {
        let arithmetic = PortableArithmetic.self
        let stream = RandomStream(seed: seed, stream: PathStream.surface)
        let path = UInt32(truncatingIfNeeded: firstPath)
        let decay = scalarExponential(max(-700, -reversion * years))
        // Of an Ornstein–Uhlenbeck process over the step, exactly.
        let variance = reversion > 0 ? (1 - decay * decay) / (2 * reversion) : years
        let ownMove = Lanes(
            repeating: deviation * variance.squareRoot() * (1 - correlation * correlation).squareRoot())
        let shared = Lanes(repeating: deviation * variance.squareRoot() * correlation)
        let centre = naturalLogarithm(mean)
        var distance = Lanes(repeating: naturalLogarithm(initial) - centre)
        block.impliedVolatility[0] = Lanes(repeating: initial)
        var pending = Lanes.zero
        for step in 0..<block.steps {
            let normal: Lanes
            if step & 1 == 0 {
                (normal, pending) = stream.normals(arithmetic, firstPath: path, step: UInt32(step / 2))
            } else {
                normal = pending
            }
            let move = logarithmOfRatio(arithmetic, block.spot[step + 1], block.spot[step])
            let expected = arithmetic.squareRoot(block.variance[step] * Lanes(repeating: years))
            let standard = (move / expected).kept(where: expected .> Lanes.zero)
            distance = distance * Lanes(repeating: decay)
            distance += shared * standard + ownMove * normal
            block.impliedVolatility[step + 1] =
                exponential(arithmetic, distance + Lanes(repeating: centre))
        }
    }
}
