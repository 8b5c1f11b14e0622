import Market
import Risk

/// What trading a contract costs and how much of it can be traded, in the currency in which it is quoted, so that costs
/// follow the price.
///
/// Today's costs are made of the levels here and nowhere else: a spread and one quadratic impact for both sides.
public struct CandidateCosts: Sendable, Equatable {
    /// Levels as the exchange quotes them, best first.
    public private(set) var bids, asks: [OrderLevel]
    /// Fees, and what stands in for an order book where there is none.
    public var rates: VenueCosts.Rates
    /// Of the levels: price per unit squared, and units.
    private var quotedImpact = 0.0
    private var depthBuy = 0.0
    private var depthSell = 0.0

    /// - Returns: nil where the order book is crossed.
    init?(bids: [OrderLevel], asks: [OrderLevel], _ rates: VenueCosts.Rates) {
        self.rates = rates
        (self.bids, self.asks) = ([], [])
        guard set(bids, asks) else { return nil }
    }

    /// Takes other levels; those without a price or amount are left out.
    /// - Returns: whether they were taken; not where they cross.
    mutating func set(_ bids: [OrderLevel], _ asks: [OrderLevel]) -> Bool {
        let bids = bids.filter { $0.amount > 0 && $0.price > 0 }
        let asks = asks.filter { $0.amount > 0 && $0.price > 0 }
        if let bid = bids.first, let ask = asks.first, bid.price >= ask.price { return false }
        (self.bids, self.asks) = (bids, asks)
        quotedImpact = max(Self.impact(bids), Self.impact(asks))
        depthBuy = asks.reduce(0) { $0 + $1.amount }
        depthSell = bids.reduce(0) { $0 + $1.amount }
        return true
    }

    /// The quadratic cost that walking the whole side of an order book has beyond its best price.
    private static func impact(_ levels: [OrderLevel]) -> Double {
        guard let best = levels.first else { return 0 }
        var cost = 0.0
        var amount = 0.0
        for level in levels {
            cost += (level.price - best.price).magnitude * level.amount
            amount += level.amount
        }
        return cost / (amount * amount)
    }

    /// A price at which costs are wanted.
    struct Price {
        /// The contract's own, as quoted.
        let mark: Double
        /// Dollars per unit of it.
        let perPrice: Double
        /// Dollars per unit of quantity, of the contract and of what is under it.
        let value, underlying: Double

        /// - Parameters:
        ///   - price: of the contract's future, or its own.
        ///   - value: of an option, in dollars.
        init(_ instrument: Instrument, price: Double, value: Double) {
            if instrument.isOption {
                perPrice = instrument.settlement == .inverse ? price : 1
                mark = value / perPrice
                self.value = value
                underlying = price
            } else {
                perPrice = instrument.quantityUnit == "USD" ? 1 / price : 1
                mark = price
                self.value = price * perPrice
                underlying = self.value
            }
        }

        /// At a mark as it was quoted.
        init(_ instrument: Instrument, price: Double, mark: Double) {
            self.mark = mark
            if instrument.isOption {
                perPrice = instrument.settlement == .inverse ? price : 1
            } else {
                perPrice = instrument.quantityUnit == "USD" ? 1 / mark : 1
            }
            value = mark * perPrice
            underlying = instrument.isOption ? price : value
        }
    }

    /// Costs in US dollars per unit of quantity.
    struct Dollars {
        var halfSpreadBuy, halfSpreadSell, fee, impact, ticket, minimum, maximumBuy, maximumSell: Double
        var isAssumed: Bool
    }

    /// Costs at a price, or nil where nobody quotes and nothing is assumed.
    ///
    /// Half of the market's spread, or where one side is empty the distance of the other from the mark: an order book that
    /// lags behind the mark is no reason to trade.
    func dollars(_ instrument: Instrument, at price: Price) -> Dollars? {
        let fee = min(rates.fee * price.underlying, rates.feeCap * price.value)
        let minimum = rates.minimum / price.underlying
        guard !bids.isEmpty || !asks.isEmpty else {
            guard !instrument.isOption, rates.depth > 0 else { return nil }
            let depth = rates.depth / price.value
            let half = rates.halfSpread * price.value
            return Dollars(
                halfSpreadBuy: half, halfSpreadSell: half, fee: fee, impact: half / depth,
                ticket: rates.ticket, minimum: minimum, maximumBuy: depth, maximumSell: depth, isAssumed: true
            )
        }
        var (buy, sell) = (0.0, 0.0)
        if let bid = bids.first, let ask = asks.first {
            buy = 0.5 * (ask.price - bid.price) * price.perPrice
            sell = buy
        } else {
            buy = asks.first.map { max($0.price - price.mark, 0) * price.perPrice } ?? 0
            sell = bids.first.map { max(price.mark - $0.price, 0) * price.perPrice } ?? 0
        }
        return Dollars(
            halfSpreadBuy: buy, halfSpreadSell: sell, fee: fee, impact: quotedImpact * price.perPrice,
            ticket: rates.ticket, minimum: minimum, maximumBuy: depthBuy, maximumSell: depthSell,
            isAssumed: false)
    }
}
