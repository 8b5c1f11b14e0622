import Market
import Risk

/// What a live hedge knows of a contract that it could trade.
struct LiveCandidate {
    let candidate: HedgeCandidate
    var costs: CandidateCosts
    /// Nil for any amount.
    var amount: TradedAmount?
    /// The index over the price when it was added, for the carry of a basis; nil where it is not known.
    let index: Double?
    /// What a host has set in place of all that follows from the costs.
    var fixed: HedgeInstrument?
    /// In dollars per unit, bought or sold.
    var margin = 0.0

    init(_ candidate: HedgeCandidate, _ amount: TradedAmount?, index: Double?) {
        self.candidate = candidate
        costs = candidate.costs
        self.amount = amount
        let mark = candidate.ticker.markPrice ?? 0
        self.index = (candidate.ticker.indexPrice ?? index).flatMap { mark > 0 ? $0 / mark : nil }
    }

    /// Whether costs come by the levels of its order book, where that is wanted.
    var hasLevels: Bool { fixed == nil && !(costs.bids.isEmpty && costs.asks.isEmpty) }

    static func price(_ unit: CandidateCosts.Unit, _ mark: LiveRisk.Mark) -> CandidateCosts.Price {
        CandidateCosts.Price(unit, price: mark.price, value: unit.isOption ? max(0, mark.value) : 0)
    }

    /// What of it a tick looks at: numbers alone, as references would be counted for each.
    struct Terms {
        private let kind: Instrument.Kind
        let costs: CandidateCosts.Summary
        private let amount: TradedAmount?
        private let index: Double?
        private let margin: Double
        let isFixed: Bool
        /// Whether levels say what the spread and impact would.
        let hasLevels: Bool

        init(_ one: LiveCandidate, walksLevels: Bool) {
            hasLevels = walksLevels && one.hasLevels
            kind = one.candidate.instrument.kind
            costs = one.costs.summary
            (amount, index, isFixed) = (one.amount, one.index, one.fixed != nil)
            margin = one.margin
        }

        /// What it costs at the desk's prices: the one place where spreads, fees and carry become costs of a problem.
        func instrument(
            _ mark: LiveRisk.Mark, _ holding: HedgeCandidate.Holding, _ underlying: Int
        ) -> HedgeInstrument {
            let price = LiveCandidate.price(costs.unit, mark)
            guard let dollars = costs.dollars(at: price) else {
                // Nobody quotes: nothing can be traded.
                return HedgeInstrument(
                    underlying: underlying, costBuy: 0, costSell: 0, maximumBuy: 0, maximumSell: 0)
            }
            let carry =
                price.value
                * holding.carry(kind, price: price.mark, index: index.map { $0 * price.mark }, at: mark.time)
            return HedgeInstrument(
                underlying: underlying,
                costBuy: (hasLevels ? 0 : dollars.halfSpreadBuy) + dollars.fee + carry,
                costSell: (hasLevels ? 0 : dollars.halfSpreadSell) + dollars.fee - carry,
                impact: hasLevels ? 0 : dollars.impact,
                fixedCost: dollars.ticket, lot: amount?.step ?? 0,
                minimum: HedgeCandidate.minimum(dollars.minimum, amount), maximumBuy: dollars.maximumBuy,
                maximumSell: dollars.maximumSell, margin: margin,
                cash: costs.unit.isOption || kind == .spot ? price.value : 0)
        }
    }
}
