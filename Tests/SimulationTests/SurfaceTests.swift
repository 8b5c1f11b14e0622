import Foundation
import Simulation
import TestSupport
import Testing
import VectorMath

/// Implied volatilities along paths.
struct SurfaceTests {
    static func filled(_ surface: SurfaceDynamics, _ model: any PathModel, firstPath: Int = 0) -> PathBlock {
        let block = PathBlock(steps: model.grid.steps)
        model.fill(block, seed: 4, firstPath: firstPath)
        surface.fill(block, on: model.grid, seed: 4, firstPath: firstPath)
        return block
    }

    /// Sticky strike keeps a strike's volatility, sticky delta that of a moneyness; between them the at-the-money
    /// level moves by R times the skew per unit of ln S.
    @Test("Sticky strike keeps a strike's volatility, sticky delta a moneyness's")
    func stickiness() throws {
        let model = try GeometricBrownianMotion(PathTests.grid, spot: 100, volatility: 0.8)
        for stickiness in [0.0, 0.6, 1, 2] {
            let surface = try SurfaceDynamics(.constant(0.9), skew: -0.2, stickiness: stickiness)
            let block = Self.filled(surface, model)
            for time in 0...block.steps {
                let moved = (0..<8).map { log(block.spot[time][$0] / 100) }
                for lane in 0..<8 {
                    let level = block.impliedVolatility[time][lane]
                    #expect(abs(level - (0.9 - 0.2 * stickiness * moved[lane])) < 1e-14)
                    // The strike of 120, and whatever is a tenth above the spot.
                    let strike = surface.volatility(
                        level: block.impliedVolatility[time],
                        logMoneyness: Lanes(repeating: log(1.2) - moved[lane]))[lane]
                    let moneyness = surface.volatility(
                        level: block.impliedVolatility[time], logMoneyness: Lanes(repeating: 0.1))[lane]
                    if stickiness == 1 { #expect(abs(strike - (0.9 - 0.2 * log(1.2))) < 1e-14) }
                    if stickiness == 0 { #expect(abs(moneyness - (0.9 - 0.02)) < 1e-14) }
                }
            }
        }
        let bounded = try SurfaceDynamics(.constant(0.9), skew: -20, minimum: 0.3, maximum: 1.5)
        let block = Self.filled(bounded, model)
        for time in 0...block.steps {
            for lane in 0..<8 {
                #expect(
                    block.impliedVolatility[time][lane] >= 0.3 && block.impliedVolatility[time][lane] <= 1.5)
            }
        }
    }

    /// The level of its own has the moments of its process and the correlation with returns that was asked for.
    @Test("A volatility level of its own has its process's moments and correlation")
    func stochasticLevel() throws {
        let model = try GeometricBrownianMotion(PathTests.grid, spot: 100, drift: 0.3, volatility: 0.8)
        let (reversion, deviation, correlation) = (6.0, 1.2, -0.6)
        let surface = try SurfaceDynamics(
            .stochastic(
                initial: 1, mean: 0.8, meanReversion: reversion, volatilityOfVolatility: deviation,
                correlation: correlation))
        let years = PathTests.grid.duration
        let decay = exp(-reversion * years)
        let mean = log(0.8) - log(0.8) * decay
        let variance = deviation * deviation * (1 - decay * decay) / (2 * reversion)
        var level = Sample(around: mean), square = Sample(), product = Sample(), own = Sample(),
            moves = Sample()
        let step = PathTests.grid.stepYears
        let ownVariance = deviation * deviation * (1 - exp(-2 * reversion * step)) / (2 * reversion)
        for first in stride(from: 0, to: 20_000, by: 8) {
            let block = Self.filled(surface, model, firstPath: first)
            for lane in 0..<8 {
                let end = log(block.impliedVolatility[block.steps][lane])
                level.add(end)
                square.add((end - mean) * (end - mean))
                for s in 0..<block.steps {
                    let before = log(block.impliedVolatility[s][lane] / 0.8)
                    let change =
                        log(block.impliedVolatility[s + 1][lane] / 0.8) - before * exp(-reversion * step)
                    let move = log(block.spot[s + 1][lane] / block.spot[s][lane]) - (0.3 - 0.32) * step
                    product.add(change * move)
                    own.add(change * change)
                    moves.add(move * move)
                }
            }
        }
        let covariance = correlation * ownVariance.squareRoot() * 0.8 * step.squareRoot()
        // Returns are standardised without their mean taken off, which moves the level by a little.
        let shift = deviation * correlation * (0.3 - 0.32) * years / 0.8
        print("level: \(level.mean) ± \(level.standardError) of \(mean), shift at most \(shift)")
        #expect(abs(level.mean - mean) < abs(shift) + 4.5 * level.standardError)
        #expect(abs(square.score(variance)) < 4.5 && abs(product.score(covariance)) < 4.5)
    }

    @Test("Volatility levels that follow realised volatility or the model's variance do")
    func otherLevels() throws {
        let model = try RegimeSwitching(
            PathTests.grid, spot: 100, [.init(volatility: 0.5), .init(volatility: 2)],
            rates: [[0, 90], [90, 0]])
        let instantaneous = Self.filled(try SurfaceDynamics(.instantaneous(premium: 1.1)), model)
        let trailing = Self.filled(
            try SurfaceDynamics(.trailing(initial: 0.6, halfLife: 0.01, premium: 1.2)), model)
        let years = PathTests.grid.stepYears
        let weight = pow(0.5, years / 0.01)
        for lane in 0..<8 {
            var variance = 0.25
            for s in 0..<PathTests.grid.steps {
                let level = instantaneous.impliedVolatility[s][lane]
                #expect(abs(level - 0.55) < 1e-14 || abs(level - 2.2) < 1e-14)
                #expect(abs(trailing.impliedVolatility[s][lane] - 1.2 * variance.squareRoot()) < 1e-12)
                let move = log(trailing.spot[s + 1][lane] / trailing.spot[s][lane])
                variance = variance * weight + move * move * (1 - weight) / years
            }
        }
    }
}
