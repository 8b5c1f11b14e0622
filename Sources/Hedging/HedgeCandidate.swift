import Market
import Risk

/// One contract that a hedge may trade, with what that costs per unit of quantity in US dollars at the prices of its ticker.
public struct HedgeCandidate: Sendable {
    public let ticker: Ticker
    /// The same in the currency in which it is quoted.
    public let costs: CandidateCosts
    /// Price in US dollars per unit of quantity; 1 for inverse futures, whose unit is a dollar.
    public let value: Double
    /// Half of the market's spread; where one side is empty, the distance of the other from the mark.
    public let halfSpreadBuy, halfSpreadSell: Double
    public let fee: Double
    /// Expected cost of a long unit over the horizon by funding or by the basis; earned by a short one.
    public let carry: Double
    /// Coefficient of the square of the quantity.
    public let impact: Double
    /// Cost of a trade whatever the amount.
    public let ticket: Double
    /// The smallest amount that may be traded.
    public let minimum: Double
    /// The most that may be bought and sold: what the order book shows on that side, or the assumed depth.
    public let maximumBuy, maximumSell: Double
    /// Whether spread and depth are assumptions, for lack of an order book.
    public let isAssumed: Bool

    public var instrument: Instrument { ticker.instrument }

    /// Over which a position is held, and what perpetuals pay meanwhile.
    public struct Holding: Sendable {
        /// Days.
        public var horizon: Double
        /// Funding rate per eight hours that longs pay.
        public var funding: Double

        public init(horizon: Double = 0, funding: Double = 0) {
            self.horizon = horizon
            self.funding = funding
        }

        /// The cost of holding a long unit, as a share of its value: perpetuals pay funding, a dated future's price runs to
        /// the index until it expires (`BasisCarry`).
        /// - Parameters:
        ///   - index: nil where it is not known, which costs nothing.
        func carry(
            _ kind: Instrument.Kind, price: Double, index: Double?, at time: Timestamp
        ) -> Double {
            switch kind {
            case .perpetual: return funding * 3 * horizon
            case .future(let expiry):
                guard let index else { return 0 }
                // 0 rather than −0 where it is not held.
                return 0
                    - BasisCarry.move(
                        price: price, index: index, years: time.years(until: expiry), held: horizon / 365)
            case .option, .spot: return 0
            }
        }
    }

    /// - Parameter index: the coin's price, where the ticker does not name it.
    /// - Returns: nil where nobody quotes, where the order book is crossed, or without a mark.
    public init?(_ ticker: Ticker, _ costs: VenueCosts, _ holding: Holding, index: Double? = nil) {
        let instrument = ticker.instrument
        guard let mark = ticker.markPrice, mark.isFinite, mark >= 0, mark > 0 || instrument.isOption,
            let rates = costs.rates(of: instrument),
            let price = instrument.isOption ? ticker.underlyingPrice : mark,
            let quoted = CandidateCosts(instrument, bids: ticker.bids, asks: ticker.asks, rates)
        else { return nil }
        let at = CandidateCosts.Price(quoted.summary.unit, price: price, mark: mark)
        guard let dollars = quoted.summary.dollars(at: at) else { return nil }
        self.ticker = ticker
        self.costs = quoted
        value = at.value
        halfSpreadBuy = dollars.halfSpreadBuy
        halfSpreadSell = dollars.halfSpreadSell
        fee = dollars.fee
        impact = dollars.impact
        ticket = dollars.ticket
        minimum = dollars.minimum
        maximumBuy = dollars.maximumBuy
        maximumSell = dollars.maximumSell
        isAssumed = dollars.isAssumed
        carry =
            at.value
            * holding.carry(
                instrument.kind, price: mark, index: ticker.indexPrice ?? index, at: ticker.timestamp)
    }

    /// The levels of its order book, see `CandidateCosts.levels`.
    var levels: CostCurve {
        guard let mark = ticker.markPrice else { return .none }
        return costs.levels(
            at: CandidateCosts.Price(costs.summary.unit, price: ticker.underlyingPrice ?? mark, mark: mark))
    }

    /// As the optimizer wants it.
    /// - Parameters:
    ///   - amount: in which it trades; nil for any.
    ///   - hasLevels: whether levels say what its spread and impact would.
    func hedgeInstrument(underlying: Int, amount: TradedAmount?, hasLevels: Bool) -> HedgeInstrument {
        HedgeInstrument(
            underlying: underlying, costBuy: (hasLevels ? 0 : halfSpreadBuy) + fee + carry,
            costSell: (hasLevels ? 0 : halfSpreadSell) + fee - carry,
            impact: hasLevels ? 0 : impact, fixedCost: ticket, lot: amount?.step ?? 0,
            minimum: Self.minimum(minimum, amount), maximumBuy: maximumBuy, maximumSell: maximumSell,
            cash: instrument.isOption || instrument.kind == .spot ? value : 0)
    }

    /// The smallest trade by the venue's rule and by the contract's own.
    static func minimum(_ minimum: Double, _ amount: TradedAmount?) -> Double {
        max(minimum, amount.map { $0.minimum > $0.step ? $0.minimum : 0 } ?? 0)
    }
}
