/// Instruments that may be traded, their costs, and the exposures that must come back into their bands.
///
/// Trades `x` (units of each instrument, positive buys) minimise
///
///     Σᵢ costBuyᵢ max(xᵢ, 0) + costSellᵢ max(−xᵢ, 0) + impactᵢ xᵢ² + curveᵢ(xᵢ) + fixedCostᵢ [xᵢ ≠ 0]
///     + Σ over soft bands: penalty·s + penaltyQuadratic·s²/2,  s = distance outside of the band
///     + riskAversion · dᵀ·covariance·d,  d = dollarDelta + Σᵢ exposureᵢ xᵢ (per underlying)
///
/// subject to hard bands `low ≤ current + Σ coefficient·x ≤ high`, `−maximumSell ≤ x ≤ maximumBuy`,
/// `Σ marginᵢ |xᵢ| ≤ marginLimit`, `Σ cashᵢ xᵢ + costBuyᵢ max(xᵢ, 0) + costSellᵢ max(−xᵢ, 0) ≤ cashBudget` and
/// whole multiples of `lot` and `|x| ≥ minimum` or `x = 0` where these are positive. Where the budget counts all costs,
/// impact, levels and fixed costs are part of the cash.
///
/// Money is in one currency, coefficients are the Greek per unit traded in the band's own unit. Numbers live
/// in flat arrays, so that a tick can change them in place without an allocation.
public struct HedgeProblem: Sendable, Equatable {
    public var name: String
    public var underlyings: [String]
    public var instrumentNames: [String]
    public var instruments: [HedgeInstrument]
    public var bandNames: [String]
    public var bands: [HedgeBand]
    /// The coefficients of all bands; each band has a range of them.
    public var entries: [HedgeEntry]
    public var risk: HedgeRisk?
    /// What instruments cost level by level: none, or one per instrument.
    public var curves: [CostCurve] = []
    /// Whether the cash budget counts impact and fixed costs beside the linear ones; it does where there are curves.
    public var budgetCountsAllCosts = false
    /// Most margin that the trades may take up; infinite where there is no limit.
    public var marginLimit: Double
    /// Most cash that the trades may spend; negative where cash must come in.
    public var cashBudget: Double

    public init(
        name: String = "", underlyings: [String], marginLimit: Double = .infinity,
        cashBudget: Double = .infinity
    ) {
        self.name = name
        self.underlyings = underlyings
        self.marginLimit = marginLimit
        self.cashBudget = cashBudget
        instrumentNames = []
        instruments = []
        bandNames = []
        bands = []
        entries = []
    }

    /// The same problem in any amounts: without lots, smallest trades and fixed costs.
    public var continuous: HedgeProblem {
        var problem = self
        for i in instruments.indices {
            problem.instruments[i].lot = 0
            problem.instruments[i].minimum = 0
            problem.instruments[i].fixedCost = 0
        }
        return problem
    }

    /// Adds an instrument and returns its index.
    @discardableResult
    public mutating func add(_ name: String, _ instrument: HedgeInstrument) -> Int {
        instrumentNames.append(name)
        instruments.append(instrument)
        if !curves.isEmpty { curves.append(.none) }
        return instruments.count - 1
    }

    /// Adds an instrument with what it costs level by level, and returns its index.
    @discardableResult
    public mutating func add(_ name: String, _ instrument: HedgeInstrument, _ curve: CostCurve) -> Int {
        let index = add(name, instrument)
        if curves.isEmpty, !curve.isNone { curves = instruments.map { _ in .none } }
        if !curves.isEmpty { curves[index] = curve }
        return index
    }

    /// Adds a band with its coefficients by instrument, `[0: 1, 3: -0.4]`, and returns its index.
    @discardableResult
    public mutating func add(
        _ name: String, _ band: HedgeBand, coefficients: KeyValuePairs<Int, Double>
    ) -> Int {
        add(name, band, coefficients: coefficients.map { (instrument: $0.key, coefficient: $0.value) })
    }

    /// Adds a band on `current + Σ coefficient·x` and returns its index.
    @discardableResult
    public mutating func add(
        _ name: String, _ band: HedgeBand, coefficients: some Sequence<(instrument: Int, coefficient: Double)>
    ) -> Int {
        let first = entries.count
        for (instrument, coefficient) in coefficients {
            entries.append(HedgeEntry(instrument: instrument, coefficient: coefficient))
        }
        bandNames.append(name)
        var band = band
        band.entries = first..<entries.count
        bands.append(band)
        return bands.count - 1
    }
}

/// Costs and limits of one instrument. Amounts per unit traded.
public struct HedgeInstrument: Sendable, Equatable {
    /// Index of the underlying.
    public var underlying: Int
    /// Cost of buying one: half spread, fees, less the carry that it earns.
    public var costBuy: Double
    /// Cost of selling one; may be negative, but not below −costBuy.
    public var costSell: Double
    /// Coefficient of the square of the amount.
    public var impact: Double
    /// Cost of trading it at all.
    public var fixedCost: Double
    /// Trades are whole multiples of it; 0 allows any amount.
    public var lot: Double
    /// The smallest trade, bought or sold, if any; 0 where any is allowed.
    public var minimum: Double
    /// The most that may be bought and sold, as amounts without a sign; infinite where there is no limit.
    public var maximumBuy: Double
    public var maximumSell: Double
    /// Margin per unit, bought or sold.
    public var margin: Double
    /// Cash paid per unit bought, received per unit sold.
    public var cash: Double

    public init(
        underlying: Int = 0, costBuy: Double, costSell: Double, impact: Double = 0, fixedCost: Double = 0,
        lot: Double = 0, minimum: Double = 0, maximumBuy: Double, maximumSell: Double, margin: Double = 0,
        cash: Double = 0
    ) {
        self.underlying = underlying
        self.costBuy = costBuy
        self.costSell = costSell
        self.impact = impact
        self.fixedCost = fixedCost
        self.lot = lot
        self.minimum = minimum
        self.maximumBuy = maximumBuy
        self.maximumSell = maximumSell
        self.margin = margin
        self.cash = cash
    }
}

/// The limits of one exposure.
public struct HedgeBand: Sendable, Equatable {
    /// The exposure before the trades.
    public var current: Double
    /// −infinity where there is no lower limit.
    public var low: Double
    /// +infinity where there is no upper limit.
    public var high: Double
    /// A hard band must hold; a soft one may be left at a price.
    public var isHard: Bool
    /// Cost per unit outside of a soft band.
    public var penalty: Double
    /// Cost of s units outside: penalty·s + penaltyQuadratic·s²/2.
    public var penaltyQuadratic: Double
    /// Its coefficients in `HedgeProblem.entries`.
    public internal(set) var entries = 0..<0

    /// A band that must hold.
    public init(hard low: Double, _ high: Double, current: Double) {
        self.current = current
        self.low = low
        self.high = high
        isHard = true
        penalty = 0
        penaltyQuadratic = 0
    }

    /// A band that may be left at a price.
    public init(
        soft low: Double, _ high: Double, current: Double, penalty: Double, penaltyQuadratic: Double = 0
    ) {
        self.current = current
        self.low = low
        self.high = high
        isHard = false
        self.penalty = penalty
        self.penaltyQuadratic = penaltyQuadratic
    }
}

/// Exposure of a band that one unit of an instrument brings.
public struct HedgeEntry: Sendable, Equatable {
    public var instrument: Int
    public var coefficient: Double

    public init(instrument: Int, coefficient: Double) {
        self.instrument = instrument
        self.coefficient = coefficient
    }
}

/// The variance of what stays unhedged, priced.
public struct HedgeRisk: Sendable, Equatable {
    /// Cost per unit of variance of the P&L over the covariance's horizon.
    public var riskAversion: Double
    /// Covariance of the underlyings' returns, row by row.
    public var covariance: [Double]
    /// Dollar delta of each underlying before the trades.
    public var dollarDelta: [Double]
    /// Dollar delta per unit of each instrument, in its own underlying.
    public var exposure: [Double]

    public init(riskAversion: Double, covariance: [Double], dollarDelta: [Double], exposure: [Double]) {
        self.riskAversion = riskAversion
        self.covariance = covariance
        self.dollarDelta = dollarDelta
        self.exposure = exposure
    }
}
