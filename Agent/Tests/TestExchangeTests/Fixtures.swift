import VenueProtocol

@testable import TestExchange

/// 2 February 2026, 06:00 UTC, a Monday.
let morning = 1_770_012_000_000

struct Floor {
    let exchange: Exchange
    let alice: Int
    let bob: Int
    static let perpetual = "BTC-PERPETUAL"
    static let linear = "BTC_USDC-PERPETUAL"

    init(cash: Int = 100) {
        exchange = Exchange(
            ExchangeConfiguration(
                start: morning, currencies: ["BTC", "ETH", "USDC"],
                indices: [
                    .init(name: "btc_usd", base: "BTC", price: 90_000),
                    .init(name: "eth_usd", base: "ETH", price: 3_000),
                    .init(name: "btc_usdc", base: "BTC", price: 90_000),
                ]))
        Listing(underlyings: [.bitcoin, .ether, .linearBitcoin]).list(on: exchange)
        alice = exchange.openAccount(name: "alice", clientID: "a", clientSecret: "secret of a")
        bob = exchange.openAccount(name: "bob", clientID: "b", clientSecret: "secret of b")
        for account in [alice, bob] {
            exchange.deposit(cash * Scales.money, currency: "BTC", to: account)
            exchange.deposit(cash * Scales.money, currency: "ETH", to: account)
            exchange.deposit(1_000_000 * Scales.money, currency: "USDC", to: account)
        }
        for contract in exchange.liveContracts { mark(contract) }
        _ = exchange.takeEvents()
    }

    /// Marks a contract by the index alone: a future at it, an option by a rough rule.
    func mark(_ number: Int) {
        let contract = exchange.contracts[number]
        let index = Scales.price(exchange.indices[contract.priceIndex].price)
        guard contract.isOption else { return exchange.setMark(number, price: index) }
        let strike = Scales.price(contract.strike)
        let inner = max(0, contract.instrument.optionType == .call ? index - strike : strike - index)
        let value = inner + 0.02 * index
        var option = OptionMark()
        option.underlyingPrice = index
        option.volatility = 0.6
        option.greeks.delta = contract.instrument.optionType == .call ? 0.5 : -0.5
        exchange.setMark(number, price: contract.isInverse ? value / index : value, option: option)
    }

    func setIndex(_ index: Int, _ price: Double) {
        exchange.setIndex(index, price: price)
        for contract in exchange.liveContracts where exchange.index(of: contract) == index { mark(contract) }
    }

    func contract(_ name: String) -> Int { exchange.contract(named: name) ?? -1 }

    /// The nearest call that is about at the money.
    var call: String {
        exchange.contracts.first {
            $0.isOption && $0.isInverse && $0.instrument.optionType == .call
                && $0.strike == 90_000 * Scales.units
        }?.instrument.name ?? ""
    }

    @discardableResult
    func place(
        _ account: Int, _ direction: Direction, _ amount: Double, at price: Double?,
        in name: String = perpetual,
        _ change: (inout OrderRequest) -> Void = { _ in }
    ) throws -> (order: ExchangeOrder, trades: [ExchangeTrade]) {
        var request = OrderRequest(
            direction, name, amount: MessageAmount(amount), price: price,
            type: price == nil ? .market : .limit)
        change(&request)
        return try exchange.place(request, account: account)
    }
}
