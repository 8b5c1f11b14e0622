import Checks
import VectorMath

/// Other hedgers of the same underlying, whose trades move the price.
public struct ReflexiveFlow: Sendable, Equatable {
    /// Their gamma as coins of delta per 1% move; short gamma below 0 buys what rises.
    public var gammaPerPercent: Double
    /// Relative price move per coin that they trade.
    public var impactPerCoin: Double
    /// Share of the move that is left after a step.
    public var persistence: Double

    public init(gammaPerPercent: Double, impactPerCoin: Double, persistence: Double = 1) {
        self.gammaPerPercent = gammaPerPercent
        self.impactPerCoin = impactPerCoin
        self.persistence = persistence
    }
}

extension ReflexiveFlow {
    /// Moves a block's prices by what other hedgers trade after each step: with φ = −100·Γ·impact, the
    /// displacement D of the price follows 1 + D(t+1) = (1 + persistence·D(t))·(1 + φ·r(t)), r the return
    /// that everyone saw.
    func apply(to block: PathBlock) {
        let one = Lanes(repeating: 1)
        let feedback = Lanes(repeating: -100 * gammaPerPercent * impactPerCoin)
        let persistence = Lanes(repeating: self.persistence)
        var displacement = Lanes.zero
        var earlier = block.spot[0]
        for time in 1...block.steps {
            let before = block.spot[time - 1]
            let answer = one + feedback * (before / earlier - one)
            displacement = ((one + persistence * displacement) * answer - one).atLeast(-0.9)
            earlier = before
            let factor = one + displacement
            block.spot[time] *= factor
            if block.hasRanges {
                let ends = (pointwiseMax(before, block.spot[time]), pointwiseMin(before, block.spot[time]))
                block.high[time - 1] = pointwiseMax(block.high[time - 1] * factor, ends.0)
                block.low[time - 1] = pointwiseMin(block.low[time - 1] * factor, ends.1)
            }
        }
    }
}

extension ReflexiveFlow {
    public func validate() throws(SimulationError) {
        try SimulationError.require(gammaPerPercent, .within(-1e15...1e15), "flow", "gamma_coins_per_percent")
        try SimulationError.require(impactPerCoin, .share, "flow", "impact_per_coin")
        try SimulationError.require(persistence, .share, "flow", "persistence")
        let feedback = 100 * gammaPerPercent.magnitude * impactPerCoin
        try SimulationError.require(
            feedback < 1, "flow", "impact_per_coin", impactPerCoin,
            "makes the feedback \(feedback.shown), not below 1: each move would be answered by a larger one")
    }
}
