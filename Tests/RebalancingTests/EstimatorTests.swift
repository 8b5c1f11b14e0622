import Foundation
import Rebalancing
import Simulation
import TestSupport
import Testing
import VectorMath

/// Estimators of realised volatility on paths whose volatility is known.
struct EstimatorTests {
    /// Estimates the variance of each path from all of its candles.
    static func variances(
        _ kind: RealisedVolatility, _ model: any PathModel, count: Int, _ body: (Double) -> Void
    ) throws {
        var estimator = try VolatilityEstimator(kind, stepYears: model.grid.stepYears)
        let block = PathBlock(steps: model.grid.steps, hasRanges: true)
        for first in stride(from: 0, to: count, by: 8) {
            model.fill(block, seed: 3, firstPath: first)
            estimator.reset()
            #expect(estimator.volatility[0].isNaN)
            for s in 0..<block.steps {
                estimator.update(
                    open: block.spot[s], high: block.high[s], low: block.low[s], close: block.spot[s + 1])
            }
            let volatility = estimator.volatility
            for lane in 0..<8 { body(volatility[lane] * volatility[lane]) }
        }
    }

    /// Unbiased, and as efficient as their authors say: the variance of one candle's estimate is that of
    /// close-to-close, 2σ⁴, over 4.9 (Parkinson) and 7.4 (Garman–Klass); of bipower it tends to 2.609σ⁴.
    @Test("Estimators of variance are unbiased and as efficient as their authors say")
    func biasAndEfficiency() throws {
        let window = 32
        let grid = try TimeGrid(steps: window, stepYears: TimeGrid.hour)
        let model = try GeometricBrownianMotion(grid, spot: 100, volatility: 0.8)
        let pi = Double.pi
        // The exact variance of bipower over n − 1 products: neighbours share a factor.
        let n = Double(window)
        let products = n - 1
        let bipower =
            (pi * pi / 4 - 1 + 2 * (pi / 2 - 1) * (products - 1) / products) / products
        for (kind, variance, tolerance) in [
            (RealisedVolatility.parkinson(window: window), 2 / 4.913 / n, 0.02),
            (.garmanKlass(window: window), 2 / 7.41 / n, 0.02), (.bipower(window: window), bipower, 0.02),
        ] {
            var sample = Sample(around: 0.64), square = Sample()
            try Self.variances(kind, model, count: 24_000) {
                sample.add($0)
                square.add(($0 - 0.64) * ($0 - 0.64) / (0.64 * 0.64))
            }
            let efficiency = 2 / (n * square.mean)
            print(
                "\(kind): bias \(sample.mean / 0.64 - 1) ± \(sample.standardError / 0.64), efficiency \(efficiency)"
            )
            // What cutting a step in four leaves of the range's bias.
            #expect(abs(sample.mean / 0.64 - 1) < 0.001 + 4.5 * sample.standardError / 0.64)
            #expect(abs(square.mean / variance - 1) < tolerance + 4.5 * square.standardError / variance)
        }
    }

    /// Exponential weights: unbiased from the first candle on, with the variance that the weights give it.
    @Test("Exponentially weighted variance is unbiased from the first candle on")
    func exponentialWeights() throws {
        let grid = try TimeGrid(steps: 40, stepYears: TimeGrid.hour)
        let model = try GeometricBrownianMotion(grid, spot: 100, volatility: 0.8)
        let halfLife = 12 * TimeGrid.hour
        var sample = Sample(around: 0.64), square = Sample()
        try Self.variances(.exponentiallyWeighted(halfLifeYears: halfLife), model, count: 24_000) {
            sample.add($0)
            square.add(($0 / 0.64 - 1) * ($0 / 0.64 - 1))
        }
        let w = Foundation.exp2(-1.0 / 12)
        var (weights, squares, weight) = (0.0, 0.0, 1.0)
        for _ in 0..<40 {
            weights += weight
            squares += weight * weight
            weight *= w
        }
        #expect(abs(sample.score(0.64)) < 4.5 && abs(square.score(2 * squares / (weights * weights))) < 4.5)
        var one = try VolatilityEstimator(
            .exponentiallyWeighted(halfLifeYears: halfLife), stepYears: TimeGrid.hour)
        let price = Lanes(repeating: 100)
        one.update(open: price, high: price, low: price, close: price * Lanes(repeating: 1.01))
        #expect(abs(one.volatility[0] - Foundation.log(1.01) / TimeGrid.hour.squareRoot()) < 1e-12)
    }

    @Test("Jumps fall out of bipower variation, and stay in the other estimators")
    func jumps() throws {
        let grid = try TimeGrid(steps: 2000, stepYears: TimeGrid.hour / 60)
        let diffusion = try GeometricBrownianMotion(grid, spot: 100, volatility: 0.8)
        let intensity = 3 / grid.duration
        let model = try JumpDiffusion(diffusion, intensity: intensity, meanJump: 0, jumpDeviation: 0.02)
        var bipower = Sample(), total = Sample()
        try Self.variances(.bipower(window: 2000), model, count: 800) { bipower.add($0) }
        try Self.variances(.exponentiallyWeighted(halfLifeYears: 1e6), model, count: 800) { total.add($0) }
        let jumps = intensity * 0.0004
        print("jumps of \(jumps) in a variance of 0.64: bipower \(bipower.mean), all \(total.mean)")
        #expect(abs(total.score(0.64 + jumps)) < 4.5)
        // A jump stays in the two products with its neighbours: 2·(π/2)·E|J|·E|r| each.
        let rest = intensity * 2 * 0.02 * 0.8 * grid.stepYears.squareRoot()
        #expect(abs(bipower.mean - 0.64 - rest) < 0.005 + 4.5 * bipower.standardError && rest < 0.12 * jumps)
    }

    @Test("The sum over a window is that of the window, whatever went before")
    func windows() throws {
        var generator = SeededGenerator(seed: 2)
        for kind in [
            RealisedVolatility.parkinson(window: 5), .garmanKlass(window: 5), .bipower(window: 5),
        ] {
            var long = try VolatilityEstimator(kind, stepYears: TimeGrid.hour)
            var candles: [(Lanes, Lanes, Lanes, Lanes)] = []
            for number in 0..<23 {
                let size = number == 4 ? 0.5 : 0.01
                let open = Lanes(repeating: 100)
                let close =
                    open
                    * Lanes(repeating: Foundation.exp(Double.random(in: -size...size, using: &generator)))
                let high = open.larger(close) * Lanes(repeating: 1.002)
                let low = open.smaller(close) * Lanes(repeating: 0.997)
                candles.append((open, high, low, close))
                long.update(open: open, high: high, low: low, close: close)
            }
            var short = try VolatilityEstimator(kind, stepYears: TimeGrid.hour)
            // Bipower needs one more return for its first product.
            for candle in candles.suffix(kind == .bipower(window: 5) ? 6 : 5) {
                short.update(open: candle.0, high: candle.1, low: candle.2, close: candle.3)
            }
            #expect(abs(long.volatility[3] / short.volatility[3] - 1) < 1e-12)
        }
        #expect(throws: RebalancingError.self) {
            try VolatilityEstimator(.parkinson(window: 0), stepYears: 1)
        }
        #expect(throws: RebalancingError.self) {
            try VolatilityEstimator(.exponentiallyWeighted(halfLifeYears: .nan), stepYears: 1)
        }
    }

    /// By the definitions, from the candles that are some, in scalars.
    @Test("A candle that is none is left out of its lane alone, and of no candle at all nothing is known")
    func badCandles() throws {
        let step = TimeGrid.hour
        let bad: [(open: Double, high: Double, low: Double, close: Double)] = [
            (100, 101, 99, 100.5), (.nan, .nan, .nan, .nan), (100, 101, 0, 0), (100, 101, -99, -100),
            (100, .infinity, 99, .infinity), (-100, -99, -101, -100), (100, 99, .nan, 101), (0, 1, 0, 1),
        ]
        var generator = SeededGenerator(seed: 5)
        let halfLife = 3.0
        for kind in [
            RealisedVolatility.exponentiallyWeighted(halfLifeYears: halfLife * step), .parkinson(window: 6),
            .garmanKlass(window: 6), .bipower(window: 6),
        ] {
            var estimator = try VolatilityEstimator(kind, stepYears: step)
            var terms = [[Double?]](repeating: [], count: 8)
            var last = [Double?](repeating: nil, count: 8)
            for number in 0..<40 {
                var (open, high, low, close) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
                for lane in 0..<8 {
                    let move = Double.random(in: -0.01...0.01, using: &generator)
                    var candle = (open: 100.0, high: 0.0, low: 0.0, close: 100 * Foundation.exp(move))
                    (candle.high, candle.low) = (max(100, candle.close) + 0.3, min(100, candle.close) - 0.2)
                    // One in the middle; and the last lane has none but such.
                    if number == 17 || lane == 7 { candle = bad[lane] }
                    (open[lane], high[lane], low[lane], close[lane]) = candle
                    func ratio(_ a: Double, _ b: Double) -> Double? {
                        a > 0 && b > 0 && a < .infinity && b < .infinity ? Foundation.log(a / b) : nil
                    }
                    let step = ratio(candle.close, candle.open)
                    let range = candle.high >= candle.low ? ratio(candle.high, candle.low) : nil
                    switch kind {
                    case .exponentiallyWeighted: terms[lane].append(step.map { $0 * $0 })
                    case .parkinson: terms[lane].append(range.map { $0 * $0 / (4 * Foundation.log(2)) })
                    case .garmanKlass:
                        terms[lane].append(
                            range.flatMap { range in
                                step.map { 0.5 * range * range - (2 * Foundation.log(2) - 1) * $0 * $0 }
                            })
                    case .bipower:
                        if number > 0 {
                            terms[lane].append(
                                last[lane].flatMap { last in
                                    step.map { 0.5 * Double.pi * last.magnitude * $0.magnitude }
                                })
                        }
                        last[lane] = step
                    }
                }
                estimator.update(open: open, high: high, low: low, close: close)
                for lane in 0..<8 {
                    var (sum, weights) = (0.0, 0.0)
                    for (age, term) in terms[lane].reversed().enumerated() {
                        var weight = age < 6 ? 1.0 : 0
                        if case .exponentiallyWeighted = kind {
                            weight = Foundation.exp(-Foundation.log(2) * Double(age) / halfLife)
                        }
                        guard let term else { continue }
                        sum += weight * term
                        weights += weight
                    }
                    let volatility = estimator.volatility[lane]
                    guard weights > 0 else {
                        #expect(volatility.isNaN, "\(kind) \(number) \(lane)")
                        continue
                    }
                    let expected = (max(sum, 0) / weights / step).squareRoot()
                    #expect((volatility / expected - 1).magnitude < 1e-9, "\(kind) \(number) \(lane)")
                }
            }
            estimator.reset()
            #expect(estimator.volatility[0].isNaN)
        }
    }
}
