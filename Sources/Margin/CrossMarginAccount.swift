import Checks

/// What an account holds in a market: one cross-margined account, whose requirement is one number in one currency.
public struct CrossMarginAccount: Sendable {
    /// A holding or a fill; several of one contract are one position.
    public struct Position: Sendable, Equatable {
        /// Place in the market's contracts.
        public var contract: Int
        /// Coins or contracts; dollars of inverse futures and perpetuals.
        public var quantity: Double
        /// Profits that are not in the cash yet.
        public var unrealised = 0.0
        public var funding = 0.0
        /// The price at which it was bought, and the average of a short option's premium; where a model asks.
        public var entry: Double?
        public var average: Double?

        public init(contract: Int, quantity: Double) {
            self.contract = contract
            self.quantity = quantity
        }
    }

    /// Coins that count towards the margin, at their price in dollars less a haircut.
    public struct Collateral: Sendable, Equatable {
        public var asset: String
        public var quantity, price: Double
        public var confidence = 1.0
        /// Whether it gains and loses with the account's underlying.
        public var movesWithSpot = true
        /// The share of its worth that each margin takes off.
        public var maintenanceHaircut = 0.0
        public var initialHaircut = 0.0

        public init(_ asset: String, quantity: Double, price: Double) {
            self.asset = asset
            self.quantity = quantity
            self.price = price
        }
    }

    /// An order to buy that is not filled.
    public struct Order: Sendable, Equatable {
        public var contract: Int
        public var quantity, price: Double

        public init(contract: Int, quantity: Double, price: Double) {
            self.contract = contract
            self.quantity = quantity
            self.price = price
        }
    }

    public var currency: String
    public var cash: Double
    public var collateral: [Collateral] = []
    public var orders: [Order] = []
    /// Requirements beside the positions that initial margin has and maintenance has not: open orders, say.
    public var otherInitial: [(name: String, amount: Double)] = []
    /// Coins by underlying that coin-settled contracts have brought or cost since: of rules that count these in dollars and let
    /// coins move.
    private(set) var coinProfits: [Int: Double] = [:]
    public private(set) var positions: [Position]
    /// Net, by contract: fills are added up exactly and rounded once, so that their number and order have no effect.
    public private(set) var quantities: [Double]
    /// Profits that are not in the cash, of all positions.
    public private(set) var unsettled: Double

    /// - Throws: a position of no contract, a number that is not accepted.
    public init(
        currency: String, cash: Double, _ positions: [Position], in market: MarginMarket
    ) throws(MarginError) {
        try MarginError.require(.finite, cash, "cash", of: "account")
        self.currency = currency
        self.cash = cash
        self.positions = positions
        var sums = Array(repeating: ExactSum(), count: market.contracts.count)
        var profits = ExactSum()
        for position in positions {
            guard market.contracts.indices.contains(position.contract) else {
                throw MarginError(
                    .name("account"), field: "contract", value: "\(position.contract)",
                    reason: "is no contract of the market")
            }
            let name = market.contracts[position.contract].name
            try MarginError.require(.finite, position.quantity, "quantity", of: name)
            try MarginError.require(.finite, position.unrealised, "unrealised", of: name)
            try MarginError.require(.finite, position.funding, "funding", of: name)
            if let entry = position.entry { try MarginError.require(.positive, entry, "entry", of: name) }
            if let average = position.average {
                try MarginError.require(.notNegative, average, "average", of: name)
            }
            sums[position.contract].add(position.quantity)
            profits.add(position.unrealised)
            profits.add(position.funding)
        }
        quantities = sums.map(\.rounded)
        unsettled = profits.rounded
    }

    /// - Throws: collateral or an order that no model accepts.
    public func validate() throws(MarginError) {
        for piece in collateral {
            let name = piece.asset
            try MarginError.require(.notNegative, piece.quantity, "quantity", of: name)
            try MarginError.require(.positive, piece.price, "price", of: name)
            try MarginError.require(.share, piece.confidence, "confidence", of: name)
            try MarginError.require(.share, piece.maintenanceHaircut, "maintenance_haircut", of: name)
            try MarginError.require(.share, piece.initialHaircut, "initial_haircut", of: name)
        }
        for order in orders {
            try MarginError.require(.notNegative, order.quantity, "quantity", of: "order")
            try MarginError.require(.notNegative, order.price, "price", of: "order")
        }
        for (name, amount) in otherInitial {
            try MarginError.require(.notNegative, amount, name, of: "other_initial")
        }
    }

    /// Places of the contracts that are held, in the market's order.
    var held: [Int] { quantities.indices.filter { quantities[$0] != 0 } }

    /// The account after a trade: the position changes, and its price leaves the cash.
    public func after(_ contract: Int, quantity: Double, paying amount: Double) -> CrossMarginAccount {
        var account = self
        account.quantities[contract] += quantity
        account.cash -= amount
        return account
    }

    /// The account with other quantities of the market's contracts; its profits and its cash stay.
    public func holding(_ quantities: [Double]) -> CrossMarginAccount {
        var account = self
        account.quantities = quantities
        return account
    }

    /// `coinProfits`, in the market's order.
    var coinBalances: [(underlying: Int, coins: Double)] {
        coinProfits.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The account with more coins of an underlying.
    package func adding(coins: Double, of underlying: Int) -> CrossMarginAccount {
        var account = self
        account.coinProfits[underlying, default: 0] += coins
        return account
    }

    /// The account when underlyings of `market` have moved by a factor: perpetuals and futures have gained, collateral too.
    /// - Parameter model: says which collateral moves with an underlying, whether it counts the profits of positions with an
    ///   entry itself, and whether profits in coin stay coins.
    func moved(
        _ underlyings: [Int], by factor: Double, in market: MarginMarket, _ model: MarginModel
    ) throws(MarginError) -> CrossMarginAccount {
        var account = self
        let names = underlyings.map { market.underlyings[$0].name }
        for place in collateral.indices where collateral[place].movesWithSpot {
            let asset = collateral[place].asset
            if names.contains(where: { model.moves(asset, with: $0) }) {
                account.collateral[place].price *= factor
            }
        }
        let ownEntries = model.countsEntries
        var gain = 0.0
        var coins = Array(repeating: 0.0, count: market.underlyings.count)
        for position in positions {
            let contract = market.contracts[position.contract]
            guard underlyings.contains(contract.underlying), contract.kind != .option, contract.kind != .spot,
                !(ownEntries && position.entry != nil)
            else { continue }
            let price = try market.price(of: contract, for: "a liquidation price", spotServes: true)
            let size = position.quantity * contract.multiplier
            var change = price * (factor - 1)
            if contract.kind == .future, contract.price == nil {
                let expiry = try market.expiry(of: contract, for: "a liquidation price")
                change = (expiry.forward - expiry.fixed) * (factor - 1)
            }
            if contract.kind.isInverse {
                coins[contract.underlying] += size / price * (1 - 1 / factor)
            } else {
                gain += size * change
            }
        }
        account.unsettled += gain
        for underlying in underlyings where coins[underlying] != 0 {
            if model.keepsCoins {
                account = account.adding(coins: coins[underlying], of: underlying)
            } else {
                account.unsettled += coins[underlying]
            }
        }
        return account
    }
}

/// A sum of doubles without rounding: parts that do not overlap, ascending.
/// - Source: Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, grow-expansion.
struct ExactSum: Sendable {
    private var parts: [Double] = []

    mutating func add(_ number: Double) {
        var number = number
        var kept = 0
        for part in parts {
            let (large, small) = number.magnitude >= part.magnitude ? (number, part) : (part, number)
            let sum = large + small
            let rest = small - (sum - large)
            if rest != 0 {
                parts[kept] = rest
                kept += 1
            }
            number = sum
        }
        parts.removeSubrange(kept...)
        parts.append(number)
    }

    /// The double nearest to it.
    var rounded: Double {
        guard var sum = parts.last else { return 0 }
        var place = parts.count - 2
        var rest = 0.0
        while place >= 0 {
            let next = sum + parts[place]
            rest = parts[place] - (next - sum)
            sum = next
            if rest != 0 { break }
            place -= 1
        }
        // Half way between two doubles, what lies below decides.
        if place > 0, rest != 0, (rest < 0) == (parts[place - 1] < 0) {
            let twice = rest * 2
            let next = sum + twice
            if next - sum == twice { return next }
        }
        return sum
    }
}
