import Foundation
import Greeks
import Simulation
import TestSupport
import Testing
import VectorMath

/// Geometric Brownian motion, and what all models have in common.
struct PathTests {
    static let grid = try! TimeGrid(steps: 48, stepYears: TimeGrid.hour * 24)

    /// Calls with each of the first paths, `block` and lane.
    static func forEachPath(
        _ model: any PathModel, count: Int, seed: UInt64 = 1, hasRanges: Bool = false,
        _ body: (PathBlock, Int) -> Void
    ) {
        let block = PathBlock(steps: model.grid.steps, hasRanges: hasRanges)
        for first in stride(from: 0, to: count, by: 8) {
            model.fill(block, seed: seed, firstPath: first)
            for lane in 0..<8 { body(block, lane) }
        }
    }

    @Test("Geometric Brownian motion has its moments: E S = S₀ exp(μT), E S² = S₀² exp((2μ + σ²)T)")
    func geometricBrownianMotion() throws {
        let model = try GeometricBrownianMotion(Self.grid, spot: 100, drift: 0.3, volatility: 0.8)
        let years = model.grid.duration
        var first = Sample(around: 100), second = Sample(), returns = Sample(), squares = Sample(),
            serial = Sample()
        let step = Self.grid.stepYears
        Self.forEachPath(model, count: 20_000) { block, lane in
            let end = block.spot[block.steps][lane]
            first.add(end)
            second.add(end * end)
            var last = 0.0
            for s in 0..<block.steps {
                let move = logarithm(block.spot[s + 1][lane] / block.spot[s][lane])
                returns.add(move)
                squares.add(move * move)
                serial.add(move * last)
                last = move - (0.3 - 0.32) * step
            }
        }
        let scores = [
            first.score(100 * exponential(0.3 * years)),
            second.score(1e4 * exponential((0.6 + 0.64) * years)), returns.score((0.3 - 0.32) * step),
            squares.score(0.64 * step + (0.3 - 0.32) * (0.3 - 0.32) * step * step), serial.score(0),
        ]
        print("geometric Brownian motion: deviations in standard errors", scores)
        for score in scores { #expect(abs(score) < 4.5) }
    }

    @Test("Any path is the same in any lane, alone or with others")
    func pathsAlone() throws {
        let model = try GeometricBrownianMotion(Self.grid, spot: 100, volatility: 0.8)
        Self.expectPathsAlone(model)
    }

    static func expectPathsAlone(_ model: any PathModel) {
        let (block, other) = (
            PathBlock(steps: model.grid.steps, hasRanges: true),
            PathBlock(steps: model.grid.steps, hasRanges: true)
        )
        model.fill(block, seed: 5, firstPath: 8)
        for path in 5..<16 {
            model.fill(other, seed: 5, firstPath: path)
            for lane in 0..<8 where path + lane >= 8 && path + lane < 16 {
                for (a, b) in zip(block.columns, other.columns) {
                    #expect(zip(a, b).allSatisfy { $0[path + lane - 8].bitPattern == $1[lane].bitPattern })
                }
            }
        }
        model.fill(other, seed: 6, firstPath: 8)
        #expect(other.spot[1] != block.spot[1])
    }
}

extension PathBlock {
    var columns: [[Lanes]] {
        [spot.rows, variance.rows, impliedVolatility.rows, funding.rows, high.rows, low.rows]
    }
}

extension ColumnStorage {
    var rows: [Element] { (0..<count).map { self[$0] } }
}

func logarithm(_ x: Double) -> Double { Foundation.log(x) }

func exponential(_ x: Double) -> Double { Foundation.exp(x) }
