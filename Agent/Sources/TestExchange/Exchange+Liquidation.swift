import VenueProtocol

/// Liquidation: an account whose margin balance in a currency is below the maintenance margin there loses first its
/// orders, then, a quarter at a time, the position that takes most margin, at whatever the book gives within the band.
extension Exchange {
    /// To be called after marks have moved.
    public func liquidate() {
        for account in accounts.indices
        where !accounts[account].isHouse && !accounts[account].holdings.isEmpty {
            for currency in currencies.indices where isBelowMaintenance(account, currency) {
                _ = cancelAll(of: account, reason: "autoliquidation") { [contracts] in
                    contracts[$0.contract].currency == currency
                }
                cut(account, currency)
            }
        }
    }

    private func isBelowMaintenance(_ account: Int, _ currency: Int) -> Bool {
        let state = state(of: account, currency)
        return state.maintenanceMargin > 0 && state.marginBalance < state.maintenanceMargin
    }

    private func cut(_ account: Int, _ currency: Int) {
        let positions = accounts[account].holdings.filter { number, holding in
            contracts[number].currency == currency && contracts[number].state == .open && holding.size != 0
        }
        // Of equal ones the contract that was listed first.
        let worst = positions.max { one, two in
            let margins = [one, two].map { margin(contracts[$0.key], size: $0.value.size).maintenance }
            return margins[0] == margins[1] ? one.key > two.key : margins[0] < margins[1]
        }
        guard let (number, holding) = worst, margin(contracts[number], size: holding.size).maintenance > 0
        else {
            return
        }
        let step = contracts[number].amountStep
        let size = abs(holding.size)
        let amount = min(size, max(step, (size / 4 + step - 1) / step * step))
        var order = ExchangeOrder(
            id: nextOrder, account: account, contract: number, direction: holding.size > 0 ? .sell : .buy,
            connection: 0, created: time, type: .market, timeInForce: .immediateOrCancel, label: "",
            amount: amount, updated: time)
        order.isLiquidation = true
        order.isReduceOnly = true
        nextOrder += 1
        _ = try? execute(order)
    }
}
