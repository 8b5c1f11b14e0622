import Checks

/// Trading costs at an order book: spread, fees, impact.
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

extension OrderBookCosts {
    /// - Parameter venue: as errors name it; fields are named as configurations do.
    func validate(_ venue: String) throws(SimulationError) {
        for (name, value, rule) in [
            ("half_spread", halfSpread, .share), ("spread_widening", spreadWidening, .within(0...1e6)),
            ("taker_fee", takerFee, .share), ("maker_fee", makerFee, .within(-1...1)),
            ("linear_impact", linearImpact, .within(0...1e6)),
            ("square_root_impact", squareRootImpact, .within(0...1e6)),
            ("depth_usd", depth, .within(1e-3...1e18)),
            ("impact_half_life_hours", impactHalfLifeHours, .within(0...1e9)),
        ] as [(String, Double, NumberRule)] {
            try SimulationError.require(value, rule, venue, name)
        }
    }
}
