import Checks

/// A constant-product pool and the chain it lives on.
public struct PoolCosts: Sendable, Equatable {
    /// √(x·y) of the pool, in √(coin · quote): what Uniswap calls liquidity, in whole units.
    public var liquidity: Double
    /// The pool's fee as a part of what is paid in.
    public var fee: Double
    /// Quote units per transaction, and how gas rises: by `gasSpike` times with probability
    /// `gasSpikeProbability` per step, and always where the step's return is beyond `gasSpikeReturn`.
    public var gas, gasSpike, gasSpikeProbability, gasSpikeReturn: Double
    /// Of a transaction to fail: gas is paid, nothing is traded.
    public var failureProbability: Double
    /// Seconds per block and blocks until a transaction is in one: the price moves on meanwhile.
    public var blockSeconds, blocks: Double

    public init(
        liquidity: Double, fee: Double = 0.0005, gas: Double = 0, gasSpike: Double = 1,
        gasSpikeProbability: Double = 0, gasSpikeReturn: Double = .infinity, failureProbability: Double = 0,
        blockSeconds: Double = 12, blocks: Double = 1
    ) {
        self.liquidity = liquidity
        self.fee = fee
        self.gas = gas
        self.gasSpike = gasSpike
        self.gasSpikeProbability = gasSpikeProbability
        self.gasSpikeReturn = gasSpikeReturn
        self.failureProbability = failureProbability
        self.blockSeconds = blockSeconds
        self.blocks = blocks
    }
}

extension PoolCosts {
    /// - Parameter venue: as errors name it; fields are named as configurations do.
    func validate(_ venue: String) throws(SimulationError) {
        for (name, value, rule) in [
            ("liquidity", liquidity, .within(1e-6...1e18)), ("fee", fee, .within(0...0.5)),
            ("gas_usd", gas, .within(0...1e12)), ("gas_spike", gasSpike, .within(1...1e6)),
            ("gas_spike_probability", gasSpikeProbability, .share),
            ("gas_spike_return", gasSpikeReturn, .allowance),
            ("failed_transactions", failureProbability, .share),
            ("block_seconds", blockSeconds, .positiveUpTo(1e9)), ("blocks", blocks, .within(0...1e9)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, venue, name)
        }
    }
}
