import Checks

/// Collateral that can be brought into an account, or changed into another within it, at a cost.
public struct CollateralMove: Sendable, Equatable {
    /// What an account has beside its futures and options.
    public enum Holding: Sendable, Hashable {
        case cash
        /// Place in the account's collateral.
        case collateral(Int)
        /// Coins that a rule counts as a position: place in the market's contracts.
        case contract(Int)
    }

    public var name: String
    public var into: Holding
    /// What pays for it, cost included; nil where it comes from outside.
    public var from: Holding?
    /// The largest worth that may arrive, in the account's currency.
    public var most: Double
    /// Of what arrives.
    public var cost: Double

    public init(_ name: String, into: Holding, from: Holding? = nil, most: Double, cost: Double) {
        (self.name, self.into, self.from) = (name, into, from)
        (self.most, self.cost) = (most, cost)
    }

    /// - Throws: a limit or a cost that is not accepted.
    public func validate() throws(MarginError) {
        try MarginError.require(.notNegative, most, "most", of: name)
        try MarginError.require(.within(0...10), cost, "cost", of: name)
        guard from != into else {
            throw MarginError(.name(name), field: "from", reason: "is what it goes into")
        }
    }
}

extension CrossMarginAccount {
    /// The account after moves of these worths.
    public func after(
        _ moves: [CollateralMove], _ worths: [Double], in market: MarginMarket
    ) -> CrossMarginAccount {
        var account = self
        for (move, worth) in zip(moves, worths) where worth != 0 {
            account.add(worth, to: move.into, market)
            if let from = move.from { account.add(-worth * (1 + move.cost), to: from, market) }
        }
        return account
    }

    /// What a holding is worth, in the account's currency.
    public func worth(of holding: CollateralMove.Holding, in market: MarginMarket) -> Double {
        switch holding {
        case .cash: cash
        case .collateral(let place): collateral[place].quantity * price(of: holding, market)
        case .contract(let place): quantities[place] * price(of: holding, market)
        }
    }

    private func price(of holding: CollateralMove.Holding, _ market: MarginMarket) -> Double {
        switch holding {
        case .cash: 1
        case .collateral(let place): collateral[place].price / market.stablePrice
        case .contract(let place):
            market.underlying(of: market.contracts[place]).spot / market.stablePrice
        }
    }

    private mutating func add(
        _ worth: Double, to holding: CollateralMove.Holding, _ market: MarginMarket
    ) {
        let amount = worth / price(of: holding, market)
        switch holding {
        case .cash: cash += worth
        // The last of it may be left by rounding.
        case .collateral(let place):
            collateral[place].quantity = max(0, collateral[place].quantity + amount)
        case .contract(let place):
            self = after(place, quantity: amount, paying: 0)
        }
    }
}
