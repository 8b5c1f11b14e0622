import Checks
import VectorMath

/// dS = μ S dt + σ S dW, exactly at every time of the grid.
public struct GeometricBrownianMotion: PathModel {
    public let grid: TimeGrid
    /// Price at the start.
    public let spot: Double
    /// μ per year: of the measure under which paths are wanted. The expected price grows at it.
    public let drift: Double
    /// σ per square root of a year.
    public let volatility: Double

    /// - Throws: for what `NumberRule.spot` and `TimeGrid.checkGrowth` refuse.
    public init(
        _ grid: TimeGrid, spot: Double, drift: Double = 0, volatility: Double
    ) throws(SimulationError) {
        let model = "geometric Brownian motion"
        try SimulationError.require(spot, .spot, model, "spot_usd")
        try grid.checkGrowth(model, drift: drift, volatility: volatility)
        self.grid = grid
        self.spot = spot
        self.drift = drift
        self.volatility = volatility
    }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let stream = RandomStream(seed: seed, stream: PathStream.returns)
        let path = UInt32(truncatingIfNeeded: firstPath)
        let variance = volatility * volatility
        let mean = Lanes(repeating: (drift - 0.5 * variance) * grid.stepYears)
        let deviation = Lanes(repeating: volatility * grid.stepYears.squareRoot())
        var logarithm = Lanes.zero
        block.spot[0] = Lanes(repeating: spot)
        block.variance[0] = Lanes(repeating: variance)
        // A draw is two normal numbers: two steps.
        var pending = Lanes.zero
        for step in 0..<block.steps {
            let normal: Lanes
            if step & 1 == 0 {
                (normal, pending) = stream.normals(
                    PortableArithmetic.self, firstPath: path, step: UInt32(step / 2))
            } else {
                normal = pending
            }
            logarithm += mean + deviation * normal
            block.spot[step + 1] = Lanes(repeating: spot) * exponential(PortableArithmetic.self, logarithm)
            block.variance[step + 1] = Lanes(repeating: variance)
        }
        if block.hasRanges { block.bridgeRanges(grid.stepYears, seed: seed, firstPath: path) }
    }
}
