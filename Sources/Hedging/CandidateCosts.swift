import Market
import Risk

/// What trading a contract costs and how much of it can be traded, in the currency in which it is quoted, so that costs
/// follow the price.
///
/// Costs are made of the levels here and nowhere else: half a spread and one quadratic impact for both sides (`Summary`),
/// or the levels themselves (`levels`).
public struct CandidateCosts: Sendable, Equatable {
    /// Levels as the exchange quotes them, best first.
    public private(set) var bids, asks: [OrderLevel]
    /// What of them costs are made of.
    private(set) var summary: Summary

    /// Fees, and what stands in for an order book where there is none.
    public var rates: VenueCosts.Rates {
        get { summary.rates }
        set { summary.rates = newValue }
    }

    /// - Returns: nil where the order book is crossed.
    init?(_ instrument: Instrument, bids: [OrderLevel], asks: [OrderLevel], _ rates: VenueCosts.Rates) {
        summary = Summary(unit: Unit(instrument), rates: rates)
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
        (summary.bid, summary.ask) = (bids.first?.price, asks.first?.price)
        summary.impact = max(Self.impact(bids), Self.impact(asks))
        summary.depthBuy = asks.reduce(0) { $0 + $1.amount }
        summary.depthSell = bids.reduce(0) { $0 + $1.amount }
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

    /// How prices and quantities of a contract are counted.
    enum Unit {
        /// Prices in coin.
        case inverseOption
        case linearOption
        /// A dollar of an inverse future or perpetual.
        case dollar
        case coin

        init(_ instrument: Instrument) {
            if instrument.isOption {
                self = instrument.settlement == .inverse ? .inverseOption : .linearOption
            } else {
                self = instrument.quantityUnit == "USD" ? .dollar : .coin
            }
        }

        var isOption: Bool { self == .inverseOption || self == .linearOption }
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
        init(_ unit: Unit, price: Double, value: Double) {
            switch unit {
            case .inverseOption:
                (mark, perPrice, self.value, underlying) = (value / price, price, value, price)
            case .linearOption: (mark, perPrice, self.value, underlying) = (value, 1, value, price)
            case .dollar:
                (mark, perPrice) = (price, 1 / price)
                self.value = price * perPrice
                underlying = self.value
            case .coin: (mark, perPrice, self.value, underlying) = (price, 1, price, price)
            }
        }

        /// At a mark as it was quoted.
        init(_ unit: Unit, price: Double, mark: Double) {
            self.mark = mark
            perPrice =
                switch unit {
                case .inverseOption: price
                case .dollar: 1 / mark
                case .linearOption, .coin: 1
                }
            value = mark * perPrice
            underlying = unit.isOption ? price : value
        }
    }

    /// Costs in US dollars per unit of quantity.
    struct Dollars {
        var halfSpreadBuy, halfSpreadSell, fee, impact, ticket, minimum, maximumBuy, maximumSell: Double
        var isAssumed: Bool
    }

    /// What costs are made of at any price: numbers alone, which a tick copies for each candidate.
    struct Summary: Equatable {
        let unit: Unit
        var rates: VenueCosts.Rates
        /// The best prices.
        var bid, ask: Double?
        /// Of the levels: price per unit squared, and units.
        var impact = 0.0
        var depthBuy = 0.0
        var depthSell = 0.0

        init(unit: Unit, rates: VenueCosts.Rates) {
            self.unit = unit
            self.rates = rates
        }

        /// Costs at a price, or nil where nobody quotes and nothing is assumed.
        ///
        /// Half of the market's spread, or where one side is empty the distance of the other from the mark: an order book
        /// that lags behind the mark is no reason to trade.
        func dollars(at price: Price) -> Dollars? {
            let fee = min(rates.fee * price.underlying, rates.feeCap * price.value)
            let minimum = rates.minimum / price.underlying
            var (buy, sell) = (0.0, 0.0)
            switch (bid, ask) {
            case (let bid?, let ask?):
                buy = 0.5 * (ask - bid) * price.perPrice
                sell = buy
            case (nil, let ask?): buy = max(ask - price.mark, 0) * price.perPrice
            case (let bid?, nil): sell = max(price.mark - bid, 0) * price.perPrice
            case (nil, nil):
                guard !unit.isOption, rates.depth > 0 else { return nil }
                let depth = rates.depth / price.value
                let half = rates.halfSpread * price.value
                return Dollars(
                    halfSpreadBuy: half, halfSpreadSell: half, fee: fee, impact: half / depth,
                    ticket: rates.ticket, minimum: minimum, maximumBuy: depth, maximumSell: depth,
                    isAssumed: true)
            }
            return Dollars(
                halfSpreadBuy: buy, halfSpreadSell: sell, fee: fee, impact: impact * price.perPrice,
                ticket: rates.ticket, minimum: minimum, maximumBuy: depthBuy, maximumSell: depthSell,
                isAssumed: false)
        }
    }

    // MARK: Levels

    /// The levels against the middle of the market, or against the mark where a side is empty, without the fee; none where
    /// depth is assumed.
    func levels(at price: Price) -> CostCurve {
        guard let bid = bids.first, let ask = asks.first else {
            guard !bids.isEmpty || !asks.isEmpty else { return .none }
            // Behind the mark is no gain.
            return CostCurve(
                bids: bids.map { OrderLevel(price: min($0.price, price.mark), amount: $0.amount) },
                asks: asks.map { OrderLevel(price: max($0.price, price.mark), amount: $0.amount) },
                reference: price.mark, perPrice: price.perPrice)
        }
        return CostCurve(
            bids: bids, asks: asks, reference: 0.5 * (bid.price + ask.price), perPrice: price.perPrice)
    }

    /// The levels as they are quoted, by their price alone, and the middle of the market; nil where a side is empty.
    var quoted: (levels: CostCurve, middle: Double)? {
        guard let bid = bids.first, let ask = asks.first else { return nil }
        return (CostCurve(bids: bids, asks: asks, reference: 0), 0.5 * (bid.price + ask.price))
    }
}

extension CostCurve {
    /// Whether it has as many levels.
    func isLike(_ other: CostCurve) -> Bool {
        buy?.count == other.buy?.count && sell?.count == other.sell?.count
    }

    /// Takes the prices of quoted levels, of which this one was made, at another price of what they are quoted in.
    mutating func follow(_ quoted: CostCurve, middle: Double, perPrice: Double) {
        if let levels = quoted.buy { buy?.follow(levels, -middle, perPrice) }
        if let levels = quoted.sell { sell?.follow(levels, middle, perPrice) }
    }
}

extension [CostCurve.Level] {
    fileprivate mutating func follow(_ quoted: [CostCurve.Level], _ shift: Double, _ perPrice: Double) {
        for k in indices { self[k].price = (quoted[k].price + shift) * perPrice }
    }
}
