import Greeks
import VectorMath

/// Memory that a simulation will take, in bytes.
public struct SimulationMemory: Sendable {
    /// Of what all threads share.
    public let shared: Double
    /// Of each thread.
    public let perThread: Double

    /// - Parameters:
    ///   - expiries: different expiries of the book and of options to hedge with.
    ///   - options: options to hedge with.
    public init(steps: Int, paths: Int, policies: Int, venues: Int, expiries: Int, options: Int) {
        let times = Double(steps) + 1
        let lanes = Double(MemoryLayout<Lanes>.stride)
        shared =
            Double(policies) * Double(PathOutcomes.columns) * Double(paths) * 8
            + times * Double(expiries) * Double(MemoryLayout<PathExpiry>.stride)
        // Prices, variances, volatilities, funding, highs and lows; marks and payments; an estimate or two.
        let block = 12 * lanes
        let track = Double(MemoryLayout<PathMarket>.stride + MemoryLayout<PathSums>.stride) + lanes
        perThread = times * (block + Double(1 + options) * track + Double(venues) * 9 * lanes)
    }
}
