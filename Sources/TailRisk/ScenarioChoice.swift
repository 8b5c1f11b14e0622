import Checks

/// How scenarios come from a history: as it happened, or drawn from its covariance.
public struct ScenarioChoice: Sendable, Equatable {
    public enum Method: Sendable {
        case historical
        /// Drawn moves, through the books' Greeks (`DeltaGammaVega`).
        case deltaGammaVega
        /// Drawn moves, through every contract's formula (`BookRevaluation`).
        case monteCarlo
    }

    /// Estimators of the covariance, see `FactorCovariance.Estimator`.
    public enum Estimator: Sendable {
        case exponential, ledoitWolf, sample
    }

    public var method = Method.historical
    /// Hours that a scenario takes.
    public var horizonHours = 24.0
    /// Historical: candles from the beginning of one scenario to that of the next.
    public var stride = 1
    public var estimator = Estimator.exponential
    /// Exponential: the weight that is left after a day.
    public var decayPerDay = 0.94
    /// Drawn: by how much more the covariance is shrunk towards its mean variance; nil for not at all.
    public var shrinkage: Double?
    /// Drawn: how many, and the seed that they follow from on every machine.
    public var count = 100_000
    public var seed: UInt64 = 1

    public init() {}

    /// The moves, and the covariance that they were drawn from.
    /// - Throws: `invalidValue` for a horizon that is no multiple of the candles' interval, where history is to be repeated;
    ///   `tooFewWindows`; what `FactorCovariance` throws.
    public func moves(
        _ history: FactorHistory
    ) throws(TailRiskError) -> (moves: FactorMoves, covariance: FactorCovariance?) {
        try TailRiskError.require(.positiveUpTo(87_600), horizonHours, "horizon")
        let steps = horizonHours * 3_600_000 / Double(history.interval)
        if method == .historical {
            guard steps == steps.rounded(), steps >= 1 else {
                throw .invalidValue(
                    field: "horizon", value: horizonHours,
                    reason: "expected a multiple of the candles' \(history.interval / 1000) s")
            }
            let moves = try history.moves(steps: Int(steps), stride: stride)
            guard moves.count > 1 else { throw .tooFewWindows(moves.count, needed: 2) }
            return (moves, nil)
        }
        let single = try history.moves(steps: 1)
        let estimator: FactorCovariance.Estimator
        switch self.estimator {
        case .sample: estimator = .sample
        case .ledoitWolf: estimator = .ledoitWolf(standardised: true)
        case .exponential:
            estimator = .exponential(
                decayPerStep: FactorHistory.decay(perDay: decayPerDay, interval: history.interval))
        }
        var covariance = try FactorCovariance(single.factors, names: single.factorNames, estimator)
        if let shrinkage { covariance = try covariance.shrunk(by: shrinkage) }
        let moves = try FactorMoves.gaussian(
            covariance, coins: history.coins, steps: steps, count: count, seed: seed,
            method == .deltaGammaVega ? .normal : .lognormal)
        return (moves, covariance)
    }
}
