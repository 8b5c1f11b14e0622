import Checks
import VectorMath

/// Another model's paths with jumps on top: Merton's over geometric Brownian motion, Bates' over Heston.
///
/// Jumps come at a constant rate; each multiplies the price by e^J, J normal. They fall on the end of a step.
/// Drift is compensated, so that the expected price is the other model's.
/// - Sources: Merton, Option pricing when underlying stock returns are discontinuous, 1976; Bates, Jumps and
///   stochastic volatility, 1996.
public struct JumpDiffusion: PathModel {
    public let base: any PathModel
    /// Expected jumps per year.
    public let intensity: Double
    /// Mean and standard deviation of J.
    public let meanJump, jumpDeviation: Double
    private let compensation, perStep: Double
    /// Distribution function of the number of jumps in a step.
    private let distribution: [Double]

    /// - Throws: for negative rates or deviations, or more than 20 jumps expected in a step.
    public init(
        _ base: any PathModel, intensity: Double, meanJump: Double, jumpDeviation: Double
    ) throws(SimulationError) {
        for (name, value, rule) in [
            ("per_year", intensity, .notNegative), ("mean", meanJump, .within(-2...2)),
            ("deviation", jumpDeviation, .within(0...2)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, "jumps", name)
        }
        let moved = intensity * base.grid.duration * (meanJump.magnitude + jumpDeviation)
        try SimulationError.require(
            moved <= TimeGrid.largestGrowth, "jumps", "per_year", intensity,
            "moves the price by a factor of e^\(moved.shown) in all")
        perStep = intensity * base.grid.stepYears
        try SimulationError.require(
            perStep <= 20, "jumps", "per_year", intensity, "makes more than 20 jumps a step")
        self.base = base
        self.intensity = intensity
        self.meanJump = meanJump
        self.jumpDeviation = jumpDeviation
        compensation = -perStep * (scalarExponential(meanJump + 0.5 * jumpDeviation * jumpDeviation) - 1)
        // As far as a uniform number of 53 bits can tell.
        var (term, sum) = (scalarExponential(-perStep), 0.0)
        var distribution: [Double] = []
        for number in 0..<200 where sum < 1 - 0x1p-54 {
            sum += term
            distribution.append(sum)
            term *= perStep / Double(number + 1)
        }
        self.distribution = distribution
    }

    public var grid: TimeGrid { base.grid }
    public var pathCount: Int? { base.pathCount }

    public func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let arithmetic = PortableArithmetic.self
        base.fill(block, seed: seed, firstPath: firstPath)
        let stream = RandomStream(seed: seed, stream: PathStream.jumps)
        let path = UInt32(truncatingIfNeeded: firstPath)
        var logarithm = Lanes.zero
        var factor = Lanes(repeating: 1)
        for step in 0..<block.steps {
            let (u, _) = stream.uniforms(firstPath: path, step: UInt32(step))
            var number = Lanes.zero
            for bound in distribution {
                let isBeyond = u .> Lanes(repeating: bound)
                guard arithmetic.any(isBeyond) else { break }
                number += Lanes(repeating: 1).kept(where: isBeyond)
            }
            let before = factor
            logarithm += Lanes(repeating: compensation)
            if arithmetic.any(number .> Lanes.zero) {
                let (z, _) = stream.normals(arithmetic, firstPath: path, step: UInt32(step), draw: 1)
                logarithm +=
                    number * Lanes(repeating: meanJump)
                    + arithmetic.squareRoot(number) * Lanes(repeating: jumpDeviation) * z
            }
            factor = exponential(arithmetic, logarithm)
            block.spot[step + 1] *= factor
            if block.hasRanges {
                block.high[step] = (block.high[step] * before).larger(block.spot[step + 1])
                block.low[step] = (block.low[step] * before).smaller(block.spot[step + 1])
            }
        }
    }
}
