import VectorMath

extension FactorMoves {
    /// The move that a normal number x makes.
    public enum Distribution: Sendable {
        /// x: for expansions, whose gains are then exactly normal to first order. A price may move by −1 or less, so
        /// these are no moves for full revaluation.
        case normal
        /// exp(x) − 1: for full revaluation.
        case lognormal
    }

    /// Random moves from normal numbers x of mean 0 with a covariance, that of the steps of a history times their number:
    /// x is the move itself, or that of the logarithm.
    ///
    /// Scenario s is the same for any count of scenarios and on any machine: it is a function of the seed.
    /// - Parameters:
    ///   - covariance: of prices, then volatilities, as in `factors`; per step.
    ///   - steps: how many steps the moves take, independent of each other; need not be whole.
    /// - Throws: `notPositiveDefinite`; `invalidValue` for steps not above 0 or a count outside 1 to 2²⁶.
    public static func gaussian(
        _ covariance: FactorCovariance, coins: [String], steps: Double, count: Int, seed: UInt64,
        _ distribution: Distribution
    ) throws(TailRiskError) -> FactorMoves {
        precondition(
            covariance.size == coins.count || covariance.size == 2 * coins.count, "a factor or two per coin")
        try TailRiskError.require(.within(1...67_108_864), Double(count), "scenarios")
        try TailRiskError.require(.positive, steps, "steps")
        let size = covariance.size
        let scale = steps.squareRoot()
        let root = try covariance.choleskyFactor().map { $0 * scale }
        // "TAIL": a stream that no path of a simulation has.
        let random = RandomStream(seed: seed, stream: 0x5441_494C)
        let padded = (count + 7) / 8 * 8
        var columns = (0..<size).map { _ in Array(repeating: 0.0, count: padded) }
        var normals = Array(repeating: Lanes.zero, count: size + 1)
        for first in stride(from: 0, to: padded, by: 8) {
            for pair in 0..<(size + 1) / 2 {
                let (a, b) = random.normals(
                    PortableArithmetic.self, firstPath: UInt32(first), step: UInt32(pair))
                normals[2 * pair] = a
                normals[2 * pair + 1] = b
            }
            for row in 0..<size {
                var move = Lanes.zero
                for column in 0...row { move += normals[column] * root[row * size + column] }
                if distribution == .lognormal {
                    move = exponential(PortableArithmetic.self, move.atMost(709)) - Lanes(repeating: 1)
                }
                for lane in 0..<8 { columns[row][first + lane] = move[lane] }
            }
        }
        for row in 0..<size { columns[row].removeLast(padded - count) }
        return FactorMoves(
            coins: coins, price: Array(columns[..<coins.count]), volatility: Array(columns[coins.count...]),
            count: count)
    }
}
