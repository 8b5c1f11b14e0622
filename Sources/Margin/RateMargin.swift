import Checks
import Greeks

/// A share of the value of futures and perpetuals, as of accounts with a fixed leverage.
public struct RateMargin: Sendable, Equatable {
    /// The price that a position's value is taken at.
    public enum Price: String, Sendable, CaseIterable {
        case now, entry
    }

    public var initialRate, maintenanceRate: Double
    public var price = Price.now
    /// Added to maintenance: what other positions need.
    public var fixedMaintenance = 0.0

    public init(initialRate: Double, maintenanceRate: Double) {
        self.initialRate = initialRate
        self.maintenanceRate = maintenanceRate
    }

    static let model = "a margin by rates"

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds(
            [.perpetual, .future, .inversePerpetual, .inverseFuture], in: market, for: Self.model)
        try account.refuseCollateral(for: Self.model)
        var profit = 0.0
        var entries: [Int: (value: Double, quantity: Double)] = [:]
        for position in account.positions {
            let contract = market.contracts[position.contract]
            let price = try market.price(of: contract, for: Self.model, spotServes: true)
            let size = position.quantity * contract.multiplier
            guard let entry = position.entry else {
                if self.price == .entry { throw .missing("entry", of: contract.name, for: Self.model) }
                continue
            }
            profit += contract.kind.isInverse ? size / entry - size / price : size * (price - entry)
            entries[position.contract, default: (0, 0)].value += entry * position.quantity
            entries[position.contract, default: (0, 0)].quantity += position.quantity
        }
        var value = 0.0
        var byContract: [MarginRequirement.Contribution] = []
        for place in account.held {
            let contract = market.contracts[place]
            var price = try market.price(of: contract, for: Self.model, spotServes: true)
            if self.price == .entry, let entry = entries[place], entry.quantity != 0 {
                price = entry.value / entry.quantity
            }
            let size = account.quantities[place].magnitude * contract.multiplier
            let own = contract.kind.isInverse ? size / price : size * price
            value += own
            byContract.append(
                market.contribution(
                    place, of: account, maintenance: maintenanceRate * own, initial: initialRate * own))
        }
        var result = MarginRequirement(
            initial: initialRate * value, maintenance: maintenanceRate * value + fixedMaintenance,
            markToMarket: account.cash + account.unsettled + profit)
        result.parts = [
            .init("positions", maintenance: maintenanceRate * value, initial: initialRate * value)
        ]
        if fixedMaintenance != 0 {
            result.parts.append(.init("other positions", maintenance: fixedMaintenance, initial: 0))
        }
        result.byContract = byContract
        result.byExpiry = DeribitMargin.byExpiry(byContract)
        return result
    }

    /// What a unit of a contract counts for: at the average entry of the account's positions where entries count.
    func value(
        ofUnit place: Int, _ account: CrossMarginAccount, _ market: MarginMarket
    ) throws(MarginError) -> Double {
        let contract = market.contracts[place]
        var price = try market.price(of: contract, for: Self.model, spotServes: true)
        if self.price == .entry {
            var (value, quantity) = (0.0, 0.0)
            for position in account.positions where position.contract == place {
                guard let entry = position.entry else { continue }
                value += entry * position.quantity
                quantity += position.quantity
            }
            if quantity != 0 { price = value / quantity }
        }
        return contract.kind.isInverse ? contract.multiplier / price : contract.multiplier * price
    }
}
