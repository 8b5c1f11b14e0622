/// What trading costs at an order book: spread, fees, impact.
public struct OrderBookCosts: Sendable, Equatable {
    /// Half the spread as a part of the price, at the reference volatility; grows by `spreadWidening` of
    /// itself per 1.00 that the ratio of realised to reference volatility is above 1.
    public var halfSpread, spreadWidening: Double
    /// Parts of the traded amount; a maker's may be negative.
    public var takerFee, makerFee: Double
    /// Orders rest half a spread from the middle and are filled where the price reaches them before the next
    /// step.
    public var isMaker: Bool
    /// Price displacement for trading `depth` quote units: `linearImpact`·(n/depth) +
    /// `squareRootImpact`·√(n/depth) of the price; a trade pays half of its own linear and two thirds of its
    /// square-root displacement, and the next ones pay what is left of it.
    public var linearImpact, squareRootImpact, depth: Double
    /// After which half of the displacement is gone; 0: at once.
    public var impactHalfLifeHours: Double

    public init(
        halfSpread: Double = 0, spreadWidening: Double = 0, takerFee: Double = 0, makerFee: Double = 0,
        isMaker: Bool = false, linearImpact: Double = 0, squareRootImpact: Double = 0, depth: Double = 1e6,
        impactHalfLifeHours: Double = 0
    ) {
        self.halfSpread = halfSpread
        self.spreadWidening = spreadWidening
        self.takerFee = takerFee
        self.makerFee = makerFee
        self.isMaker = isMaker
        self.linearImpact = linearImpact
        self.squareRootImpact = squareRootImpact
        self.depth = depth
        self.impactHalfLifeHours = impactHalfLifeHours
    }
}

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

/// A span of the simulation in which something does not work, in hours from its start.
public struct Outage: Sendable, Equatable {
    public var fromHour, toHour: Double

    public init(fromHour: Double, toHour: Double) {
        self.fromHour = fromHour
        self.toHour = toHour
    }
}

/// What goes wrong at a venue.
public struct VenueFailures: Sendable, Equatable {
    /// Planned spans without trading, and without fresh prices (the policy then sees the last one).
    public var outages, staleSpans: [Outage]
    /// Outages per year that begin by chance, and their mean duration.
    public var outagesPerYear, outageHours: Double
    /// A step's |return| from which the venue goes down with that probability.
    public var crashReturn, crashOutageProbability: Double
    /// Of an order to be refused.
    public var orderFailure: Double
    /// Of a fill to be partial, and the least part then filled (uniform up to 1).
    public var partialFill, leastFill: Double

    public init(
        outages: [Outage] = [], staleSpans: [Outage] = [], outagesPerYear: Double = 0,
        outageHours: Double = 1,
        crashReturn: Double = .infinity, crashOutageProbability: Double = 0, orderFailure: Double = 0,
        partialFill: Double = 0, leastFill: Double = 0
    ) {
        self.outages = outages
        self.staleSpans = staleSpans
        self.outagesPerYear = outagesPerYear
        self.outageHours = outageHours
        self.crashReturn = crashReturn
        self.crashOutageProbability = crashOutageProbability
        self.orderFailure = orderFailure
        self.partialFill = partialFill
        self.leastFill = leastFill
    }
}

/// Where the hedge is traded.
public struct Venue: Sendable, Equatable {
    public enum Costs: Sendable, Equatable {
        case orderBook(OrderBookCosts)
        case pool(PoolCosts)
    }

    public var name: String
    public var costs: Costs
    public var failures: VenueFailures
    /// From decision to fill, where `costs` is not a pool, which has blocks.
    public var latencySeconds: Double
    /// The largest order, in coins.
    public var largestOrder: Double

    public init(
        name: String, costs: Costs, failures: VenueFailures = VenueFailures(), latencySeconds: Double = 0,
        largestOrder: Double = .infinity
    ) {
        self.name = name
        self.costs = costs
        self.failures = failures
        self.latencySeconds = latencySeconds
        self.largestOrder = largestOrder
    }

    /// From decision to fill.
    public var delaySeconds: Double {
        switch costs {
        case .orderBook: latencySeconds
        case .pool(let pool): pool.blockSeconds * pool.blocks
        }
    }

    /// The proportional and the fixed cost of a small order, as a policy is told them.
    public var quotedCosts: (proportional: Double, fixed: Double) {
        switch costs {
        case .orderBook(let book):
            book.isMaker
                ? (max(0, book.makerFee), 0) : (max(0, book.halfSpread + book.takerFee), 0)
        case .pool(let pool): (pool.fee, pool.gas)
        }
    }
}

/// What the delta is hedged with.
public struct HedgeContract: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case spot
        /// P&L in quote currency.
        case linearPerpetual = "linear_perpetual"
        /// P&L in coin, contracts of 1 quote unit.
        case inversePerpetual = "inverse_perpetual"
        case linearFuture = "linear_future"
        case inverseFuture = "inverse_future"

        var isInverse: Bool { self == .inversePerpetual || self == .inverseFuture }
        var isPerpetual: Bool { self == .linearPerpetual || self == .inversePerpetual }
    }

    public var kind: Kind
    /// Of a future: from the start of the simulation to its expiry.
    public var years: Double
    /// Of a future: annualised premium over spot, F = S e^(bT).
    public var basis: Double
    /// Standard deviation of the premium around that, as a part of the price, and after how long half a
    /// deviation is gone.
    public var premiumDeviation, premiumHalfLifeHours: Double

    public init(
        kind: Kind, years: Double = 0.25, basis: Double = 0, premiumDeviation: Double = 0,
        premiumHalfLifeHours: Double = 8
    ) {
        self.kind = kind
        self.years = years
        self.basis = basis
        self.premiumDeviation = premiumDeviation
        self.premiumHalfLifeHours = premiumHalfLifeHours
    }
}

/// Funding of a perpetual, per eight hours, paid by the long.
public enum Funding: Sendable, Equatable {
    case none
    case constant(Double)
    /// What the path model brings, as replays may.
    case fromPaths
    /// Rates of the past, from a place drawn for each path on.
    case history(FundingHistory)
    /// Deribit's rule on the simulated premium p: max(0.025%, p) + min(−0.025%, p), continuously.
    case premium
}

/// The account that the hedge is margined in.
public struct MarginAccount: Sendable, Equatable {
    /// Quote currency put in at the start, and again after a liquidation of the hedge alone.
    public var collateral: Double
    /// Maintenance margin as a part of the hedge's notional, and of the notional of short options.
    public var maintenance, optionMaintenance: Double
    /// The venue's charge as a part of what it liquidates.
    public var penalty: Double
    /// Whether the options stand in the same account: their value counts, and they are liquidated with the
    /// hedge.
    public var isCrossed: Bool

    public init(
        collateral: Double, maintenance: Double, optionMaintenance: Double = 0, penalty: Double = 0.005,
        isCrossed: Bool = false
    ) {
        self.collateral = collateral
        self.maintenance = maintenance
        self.optionMaintenance = optionMaintenance
        self.penalty = penalty
        self.isCrossed = isCrossed
    }
}

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
