import VenueProtocol

/// The figures of an account in one currency, in money.
struct AccountState {
    var cash = 0
    var futuresRealised = 0
    var futuresUnrealised = 0
    var optionsValue = 0
    var optionsUnrealised = 0
    var initialMargin = 0
    var maintenanceMargin = 0
    var ordersMargin = 0
    var optionsDelta = 0.0
    var optionsGamma = 0.0
    var optionsVega = 0.0
    var optionsTheta = 0.0
    var deltaTotal = 0.0
    var deltaByIndex: [Int: Double] = [:]
    var gammaByIndex: [Int: Double] = [:]
    var vegaByIndex: [Int: Double] = [:]
    var thetaByIndex: [Int: Double] = [:]

    var equity: Int { marginBalance + optionsValue }
    var marginBalance: Int { cash + futuresRealised + futuresUnrealised }
    var availableFunds: Int { marginBalance - initialMargin - ordersMargin }
}

/// Margin by the rules of a standard account, each position for itself: futures 2% of what they are worth and 1% to
/// maintain; options that are short max(15% less what they are out of the money, 10%) of the underlying and their mark,
/// and 7.5% and their mark to maintain; options that are long are paid for.
extension Exchange {
    private func coinPrice(_ contract: Contract) -> Int { indices[contract.priceIndex].price }

    /// Initial and maintenance margin of a size, in money.
    func margin(_ contract: Contract, size: Int) -> (initial: Int, maintenance: Int) {
        guard size != 0 else { return (0, 0) }
        guard contract.isOption else {
            let worth = abs(contract.value(amount: size, mark: contract.mark))
            return (worth / 50, worth / 100)
        }
        guard size < 0 else { return (0, 0) }
        // Per coin, in ten-thousandths of the settlement currency.
        let index = coinPrice(contract)
        let isCall = contract.instrument.optionType == .call
        let outOfMoney = max(0, isCall ? contract.strike - index : index - contract.strike)
        let coin = contract.isInverse ? Scales.units : index
        let out = contract.isInverse ? scaled(outOfMoney, by: Scales.units, over: index) : outOfMoney
        let mark = contract.mark / (Scales.money / Scales.units)
        let initial = max(coin * 15 / 100 - out, coin / 10) + mark
        let maintenance = coin * 75 / 1000 + mark
        return (-size * initial, -size * maintenance)
    }

    /// What an amount would take if bought and if sold, positions aside; in money.
    public func orderMargins(_ number: Int, amount: Int, price: Double?) -> (buy: Int, sell: Int) {
        let contract = contracts[number]
        let sell = margin(contract, size: -amount).initial
        guard contract.isOption else { return (sell, sell) }
        let price = price.flatMap { Scales.units($0) } ?? contract.mark / (Scales.money / Scales.units)
        return (contract.value(amount: amount, price: price), sell)
    }

    /// What a trade of an amount would cost whoever takes and whoever makes, in money.
    public func orderFees(_ number: Int, amount: Int, price: Double?) -> (taker: Int, maker: Int) {
        let contract = contracts[number]
        let mark = contract.mark / (Scales.money / Scales.units)
        let price = price.flatMap { Scales.units($0) }.flatMap { $0 > 0 ? $0 : nil } ?? max(1, mark)
        let index = coinPrice(contract)
        return (
            contract.fee(amount: amount, price: price, index: index, isMaker: false),
            contract.fee(amount: amount, price: price, index: index, isMaker: true)
        )
    }

    /// What an order that rests takes: nothing for what reduces a position.
    func margin(of order: ExchangeOrder) -> Int {
        let contract = contracts[order.contract]
        let size = accounts[order.account].holdings[order.contract]?.size ?? 0
        let reducing = (size > 0) != (order.direction == .buy) ? min(abs(size), order.remaining) : 0
        let adding = order.remaining - reducing
        guard adding > 0, !order.isReduceOnly else { return 0 }
        if contract.isOption, order.direction == .buy {
            return contract.value(amount: adding, price: order.price ?? contract.priceBand.upperBound)
        }
        return margin(contract, size: -adding).initial
    }

    func state(of account: Int, _ currency: Int) -> AccountState {
        var result = AccountState()
        result.cash = accounts[account].cash[currency]
        for (number, holding) in accounts[account].holdings.sorted(by: { $0.key < $1.key }) {
            let contract = contracts[number]
            guard contract.currency == currency else { continue }
            let margin = margin(contract, size: holding.size)
            result.initialMargin += margin.initial
            result.maintenanceMargin += margin.maintenance
            let delta: Double
            if contract.isOption {
                let value = contract.value(amount: holding.size, mark: contract.mark)
                result.optionsValue += value
                result.optionsUnrealised += value - holding.openCost
                let size = Scales.amount(holding.size)
                let greeks = contract.optionMark.greeks
                result.optionsDelta += greeks.delta * size
                result.optionsGamma += greeks.gamma * size
                result.optionsVega += greeks.vega * size
                result.optionsTheta += greeks.theta * size
                result.gammaByIndex[contract.priceIndex, default: 0] += greeks.gamma * size
                result.vegaByIndex[contract.priceIndex, default: 0] += greeks.vega * size
                result.thetaByIndex[contract.priceIndex, default: 0] += greeks.theta * size
                delta = (greeks.delta - (contract.isInverse ? Scales.money(contract.mark) : 0)) * size
            } else {
                let total = contract.profit(size: holding.size, cost: holding.cost, mark: contract.mark)
                let open = contract.profit(size: holding.size, cost: holding.openCost, mark: contract.mark)
                result.futuresUnrealised += open
                result.futuresRealised += total - open + holding.funding
                delta =
                    contract.isInverse
                    ? Scales.money(contract.value(amount: holding.size, mark: contract.mark))
                    : Scales.amount(holding.size)
            }
            result.deltaTotal += delta
            result.deltaByIndex[contract.priceIndex, default: 0] += delta
        }
        if !accounts[account].protections.isEmpty {
            result.initialMargin += protectionReserve(account, currency)
        }
        for id in accounts[account].allOpenOrders {
            if let order = orders[id], contracts[order.contract].currency == currency {
                result.ordersMargin += margin(of: order)
            }
        }
        return result
    }

    /// - Throws: `notEnoughFunds` where the order would take more than there is.
    func checkFunds(_ order: ExchangeOrder, instead: ExchangeOrder? = nil) throws(VenueFault) {
        guard !accounts[order.account].isHouse else { return }
        let needed = margin(of: order)
        guard needed > 0 else { return }
        let currency = contracts[order.contract].currency
        let freed = instead.map { margin(of: $0) } ?? 0
        guard state(of: order.account, currency).availableFunds + freed >= needed else {
            throw VenueFault(.notEnoughFunds)
        }
    }
}
