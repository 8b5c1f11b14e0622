import Poise

/// Returns and variances of up to eight factors, step by step, without end: Heston with jumps, a block of steps after
/// the other.
final class PricePaths {
    static let stepsPerBlock = 1_024

    private let model: JumpDiffusion
    private let block: PathBlock
    private let seed: UInt64
    private var blocks = 0
    private var step = stepsPerBlock

    init(stepYears: Double, volatility: Double, seed: UInt64) throws {
        let grid = try TimeGrid(steps: Self.stepsPerBlock, stepYears: stepYears)
        let variance = volatility * volatility
        let heston = try Heston(
            grid, spot: 1_000,
            Heston.Parameters(
                variance: variance, meanReversion: 4, longRunVariance: variance,
                volatilityOfVariance: volatility,
                correlation: -0.3))
        model = try JumpDiffusion(heston, intensity: 20, meanJump: -0.01, jumpDeviation: 0.03)
        block = PathBlock(steps: Self.stepsPerBlock)
        self.seed = seed
    }

    /// The factors by which prices move in the next step, and the variances per year from then on; a lane each.
    func next() -> (factors: SIMD8<Double>, variances: SIMD8<Double>) {
        if step == Self.stepsPerBlock {
            model.fill(block, seed: seed, firstPath: blocks * 8)
            blocks += 1
            step = 0
        }
        defer { step += 1 }
        return (block.spot[step + 1] / block.spot[step], block.variance[step + 1])
    }
}
