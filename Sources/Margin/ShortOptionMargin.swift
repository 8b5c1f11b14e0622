import Checks
import Greeks
import Market

/// Standard margin of short options, each by itself: one rule, whose parameters make it Deribit's, Bybit's, Binance's, BIT's,
/// Aevo's or OKX's.
///
/// Per short option, with R the reference (1 where options settle in coin, whose prices are then shares of the
/// reference), OTM the distance from the money and premium the mark or, where `takesGreaterPremium`, the greater of it and
/// the average price:
///
/// - initial: max(`initialRate` R − OTM, `initialLeast` R + `initialLeastOfMark` mark) + premium;
/// - maintenance: max(`maintenanceRate` R, `maintenanceOfMark` mark) + mark + `maintenanceFee` R.
///
/// Long options need nothing and secure nothing: what is left is cash less the requirement.
public struct ShortOptionMargin: Sendable, Equatable {
    /// The parameters of calls or of puts.
    public struct Side: Sendable, Equatable {
        public var initialRate, initialLeast, maintenanceRate: Double
        public var initialLeastOfMark = 0.0
        public var maintenanceOfMark = 0.0
        public var maintenanceFee = 0.0
        public var takesGreaterPremium = false
        public var isInitialAtLeastMaintenance = false

        public init(initialRate: Double, initialLeast: Double, maintenanceRate: Double) {
            self.initialRate = initialRate
            self.initialLeast = initialLeast
            self.maintenanceRate = maintenanceRate
        }
    }

    public enum Reference: String, Sendable, CaseIterable {
        case index, forward
    }

    /// Of an order to buy: min(rate·index, cap·price) a unit.
    public struct Fee: Sendable, Equatable {
        public var rate, cap: Double

        public init(rate: Double, cap: Double) {
            self.rate = rate
            self.cap = cap
        }
    }

    public var call, put: Side
    public var reference: Reference
    public var settlesInCoin: Bool
    public var fee: Fee?

    public init(call: Side, put: Side, reference: Reference, settlesInCoin: Bool, fee: Fee? = nil) {
        self.call = call
        self.put = put
        self.reference = reference
        self.settlesInCoin = settlesInCoin
        self.fee = fee
    }

    static let model = "a standard margin of options"

    func requirement(
        _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> MarginRequirement {
        try account.requireKinds([.option], in: market, for: Self.model)
        try account.refuseCollateral(for: Self.model)
        let held = account.held
        let values = try market.optionValues(held, for: Self.model, engine)
        var averages: [Int: Double] = [:]
        for position in account.positions {
            guard let average = position.average else { continue }
            averages[position.contract] = max(averages[position.contract] ?? 0, average)
        }
        var worth = account.cash + account.unsettled
        var options = MarginRequirement.Part("short options", maintenance: 0, initial: 0)
        var byContract: [MarginRequirement.Contribution] = []
        for (place, value) in zip(held, values) {
            let contract = market.contracts[place]
            let quantity = account.quantities[place]
            let type = try market.type(of: contract, for: Self.model)
            let reference = try self.reference(of: contract, in: market)
            // A given mark is in coin already.
            let mark = settlesInCoin && contract.mark == nil ? value / reference : value
            worth += quantity * mark
            guard quantity < 0 else { continue }
            let strike = try market.strike(of: contract, for: Self.model)
            let distance = max(0, (strike - reference) * type.sign)
            let margin = margin(
                type == .call ? call : put, mark: mark, average: averages[place],
                distance: settlesInCoin ? distance / reference : distance, unit: settlesInCoin ? 1 : reference
            )
            options.maintenance -= quantity * margin.maintenance
            options.initial -= quantity * margin.initial
            byContract.append(
                market.contribution(
                    place, of: account, maintenance: -quantity * margin.maintenance,
                    initial: -quantity * margin.initial))
        }
        var terms = [options]
        var orders = 0.0
        for order in account.orders {
            guard market.contracts.indices.contains(order.contract) else {
                throw MarginError(.name("order"), field: "contract", reason: "is no contract of the market")
            }
            let contract = market.contracts[order.contract]
            guard let fee else { throw .missing("fee", of: contract.name, for: "an order to buy") }
            let index = market.underlying(of: contract).spot
            orders += order.quantity * (order.price + min(fee.rate * index, fee.cap * order.price))
        }
        if orders != 0 { terms.append(.init("orders", maintenance: 0, initial: orders)) }
        var result = MarginRequirement(
            initial: options.initial + orders, maintenance: options.maintenance, markToMarket: worth)
        result.initialBalance = account.cash + account.unsettled - result.initialMargin
        result.maintenanceBalance = account.cash + account.unsettled - result.maintenanceMargin
        result.parts = terms
        result.byContract = byContract
        result.byExpiry = DeribitMargin.byExpiry(byContract)
        return result
    }

    /// Initial margin of a unit short of an option, of a value in dollars or a given mark.
    func initial(
        ofShort place: Int, value: Double, _ account: CrossMarginAccount, _ market: MarginMarket
    ) throws(MarginError) -> Double {
        let contract = market.contracts[place]
        let type = try market.type(of: contract, for: Self.model)
        let reference = try reference(of: contract, in: market)
        let strike = try market.strike(of: contract, for: Self.model)
        let distance = max(0, (strike - reference) * type.sign)
        let averages = account.positions.filter { $0.contract == place }.compactMap(\.average)
        return margin(
            type == .call ? call : put,
            mark: settlesInCoin && contract.mark == nil ? value / reference : value,
            average: averages.max(), distance: settlesInCoin ? distance / reference : distance,
            unit: settlesInCoin ? 1 : reference
        ).initial
    }

    func reference(
        of contract: MarginMarket.Contract, in market: MarginMarket
    ) throws(MarginError) -> Double {
        let price: Double
        switch reference {
        case .index: price = market.underlying(of: contract).spot
        case .forward: price = try market.expiry(of: contract, for: Self.model).forward
        }
        try MarginError.require(.positive, price, reference.rawValue, of: contract.name)
        return price
    }

    private func margin(
        _ side: Side, mark: Double, average: Double?, distance: Double, unit: Double
    ) -> (maintenance: Double, initial: Double) {
        let premium = side.takesGreaterPremium ? max(mark, average ?? mark) : mark
        let least = side.initialLeast * unit + side.initialLeastOfMark * mark
        let initial = max(side.initialRate * unit - distance, least) + premium
        let maintenance =
            max(side.maintenanceRate * unit, side.maintenanceOfMark * mark) + mark + side.maintenanceFee
            * unit
        return (maintenance, side.isInitialAtLeastMaintenance ? max(initial, maintenance) : initial)
    }
}
