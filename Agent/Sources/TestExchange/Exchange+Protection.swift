import VenueProtocol

/// The protection of an account's orders in the contracts of an index, in the exchange's whole numbers where it counts.
struct Protection {
    let configuration: ProtectionConfiguration
    /// Milliseconds at which the trades that are added up began; nil before the first.
    var began: Int?
    var quantity = 0.0
    var delta = 0.0
    var vega = 0.0
    /// Nil while orders are taken; `.max` until somebody resets it.
    var frozenUntil: Int?

    var isExceeded: Bool {
        configuration.quantityLimit.map { quantity > $0 } ?? false
            || configuration.deltaLimit.map { abs(delta) > $0 } ?? false
            || configuration.vegaLimit.map { abs(vega) > $0 } ?? false
    }

    mutating func clear() { (began, quantity, delta, vega) = (nil, 0, 0, 0) }
}

/// Market-maker protection: orders that ask for it (`mmp`) are cancelled together once what they traded within an interval
/// exceeds a limit, and no others of theirs are taken for a while. The trade that exceeds it has happened: it is the next
/// one that is spared.
extension Exchange {
    /// - Parameter index: of `indices`.
    /// - Throws: `invalidParameters` for an interval, a time or a limit that there cannot be.
    public func protect(_ configuration: ProtectionConfiguration, account: Int, index: Int)
        throws(VenueFault)
    {
        guard (0...3_600).contains(configuration.interval) else { throw invalid("interval") }
        guard configuration.interval > 0 else {
            accounts[account].protections[index] = nil
            return
        }
        guard (0...3_600).contains(configuration.frozenTime) else { throw invalid("frozen_time") }
        let limits = [
            ("quantity_limit", configuration.quantityLimit), ("delta_limit", configuration.deltaLimit),
            ("vega_limit", configuration.vegaLimit),
            ("max_quote_quantity", configuration.maximumQuoteQuantity),
        ]
        for (name, limit) in limits where !(limit.map { $0 > 0 && $0 < 1e9 } ?? true) { throw invalid(name) }
        guard configuration.maximumQuoteQuantity != nil else { throw invalid("max_quote_quantity") }
        guard limits.dropLast().contains(where: { $0.1 != nil }) else {
            throw invalid("quantity_limit", "at least one limit must be set")
        }
        accounts[account].protections[index] = Protection(
            configuration: configuration, frozenUntil: accounts[account].protections[index]?.frozenUntil)
    }

    public func protections(of account: Int) -> [ProtectionConfiguration] {
        accounts[account].protections.sorted { $0.key < $1.key }.map(\.value.configuration)
    }

    /// Protections that were set off and have not ended.
    public func frozen(of account: Int) -> [ProtectionTrigger] {
        accounts[account].protections.sorted { $0.key < $1.key }.compactMap { index, protection in
            guard let until = protection.frozenUntil, until > time else { return nil }
            return ProtectionTrigger(
                indexName: indices[index].name, frozenUntil: until == .max ? 0 : until)
        }
    }

    /// - Returns: whether there is a protection to reset.
    @discardableResult
    public func resetProtection(account: Int, index: Int) -> Bool {
        guard accounts[account].protections[index] != nil else { return false }
        accounts[account].protections[index]?.frozenUntil = nil
        accounts[account].protections[index]?.clear()
        return true
    }

    /// - Throws: `otherReject` where an order asks for a protection that there is not, that was set off, or whose largest
    ///   quantity of a side it would exceed.
    func checkProtection(_ order: ExchangeOrder) throws(VenueFault) {
        guard order.isProtected else { return }
        let contract = contracts[order.contract]
        func rejected(_ reason: String) -> VenueFault {
            VenueFault(.otherReject, detail: .init(reason: reason, parameter: "mmp"))
        }
        guard let protection = accounts[order.account].protections[contract.priceIndex] else {
            throw rejected("mmp_not_configured")
        }
        if let until = protection.frozenUntil, until > time { throw rejected("mmp_frozen") }
        guard let most = protection.configuration.maximumQuoteQuantity else { return }
        var open = coins(contract, order.remaining, price: order.price)
        for id in accounts[order.account].openOrders[order.contract] ?? [] where id != order.id {
            guard let other = orders[id], other.isProtected, other.direction == order.direction else {
                continue
            }
            open += coins(contract, other.remaining, price: other.price)
        }
        guard open <= most * (1 + 1e-12) else { throw rejected("mmp_max_quote_quantity") }
    }

    /// An amount in the base currency.
    private func coins(_ contract: Contract, _ amount: Int, price: Int?) -> Double {
        guard contract.isInverse, !contract.isOption else { return Scales.amount(amount) }
        return Scales.amount(amount) / Scales.price(price ?? indices[contract.priceIndex].price)
    }

    /// Adds a trade to what the orders' protections have seen, with the Greeks of the moment, and sets them off.
    func countProtected(_ trade: ExchangeTrade, _ orders: [ExchangeOrder]) {
        for order in orders where order.isProtected {
            let contract = contracts[trade.contract]
            let index = contract.priceIndex
            guard var protection = accounts[order.account].protections[index] else { continue }
            let interval = protection.configuration.interval * 1_000
            if protection.began.map({ time - $0 > interval }) ?? true {
                protection.clear()
                protection.began = time
            }
            let quantity = coins(contract, trade.amount, price: trade.price)
            let signed = quantity * Double(order.direction.sign)
            let greeks = contract.optionMark.greeks
            protection.quantity += quantity
            protection.delta +=
                signed
                * (contract.isOption
                    ? greeks.delta - (contract.isInverse ? Scales.money(contract.mark) : 0) : 1)
            if contract.isOption { protection.vega += signed * greeks.vega }
            let isSetOff = protection.isExceeded
            if isSetOff {
                let frozen = protection.configuration.frozenTime
                protection.frozenUntil = frozen == 0 ? .max : time + frozen * 1_000
                protection.clear()
            }
            accounts[order.account].protections[index] = protection
            if isSetOff { setOff(order.account, index) }
        }
    }

    private func setOff(_ account: Int, _ index: Int) {
        _ = cancelAll(of: account, reason: "mmp_trigger") { [contracts] in
            $0.isProtected && contracts[$0.contract].priceIndex == index
        }
        let until = accounts[account].protections[index]?.frozenUntil ?? .max
        emit(
            .protection(
                account: account,
                ProtectionTrigger(indexName: indices[index].name, frozenUntil: until == .max ? 0 : until)))
    }

    /// What the largest quantities of an account's protections take as margin, in money: 3% of each.
    func protectionReserve(_ account: Int, _ currency: Int) -> Int {
        var reserve = 0
        for (index, protection) in accounts[account].protections.sorted(by: { $0.key < $1.key }) {
            guard let contract = contracts.first(where: { $0.priceIndex == index }),
                contract.currency == currency,
                let units = Scales.units(protection.configuration.maximumQuoteQuantity ?? 0)
            else { continue }
            let worth =
                contract.isInverse ? units * Scales.units : scaled(units, by: indices[index].price, over: 1)
            reserve += scaled(worth, by: 3, over: 100)
        }
        return reserve
    }
}
