import VenueProtocol

extension Exchange {
    /// Lets time pass. What is due on the way happens at its own time: settlements and expiries at 08:00 UTC.
    public func advance(to newTime: Int) {
        while nextSettlement <= newTime {
            payFunding(until: nextSettlement)
            time = nextSettlement
            settle()
            nextSettlement += VenueTime.day
        }
        guard newTime > time else { return }
        payFunding(until: newTime)
        time = newTime
    }

    // MARK: Funding

    /// The rate of eight hours: what the mark is above the index, but for a quarter of a tenth of a percent either way.
    func updateFundingRate(_ number: Int) {
        let index = Scales.price(indices[contracts[number].priceIndex].price)
        let premium = (Scales.money(contracts[number].mark) - index) / index
        let rate = max(0.00025, premium) + min(-0.00025, premium)
        contracts[number].fundingRate = min(max(rate, -0.005), 0.005)
    }

    /// Longs pay shorts, or shorts longs; what rounding leaves is the exchange's.
    private func payFunding(until newTime: Int) {
        for number in contracts.indices
        where contracts[number].isPerpetual && contracts[number].state == .open {
            // In billionths times milliseconds, over those of eight hours.
            let rate = Int((contracts[number].fundingRate * 1e9).rounded()) * (newTime - time)
            guard rate != 0 else { continue }
            var sum = 0
            for account in accounts.indices {
                guard let size = accounts[account].holdings[number]?.size, size != 0 else { continue }
                let worth = contracts[number].value(amount: size, mark: contracts[number].mark)
                let payment = scaled(worth, by: rate, over: 8 * 3_600_000 * 1_000_000_000)
                accounts[account].holdings[number]?.funding -= payment
                sum += payment
            }
            accounts[0].holdings[number, default: Holding()].funding += sum
        }
    }

    // MARK: 08:00

    /// Profit since the last settlement becomes cash; what expires is delivered at the average of its last half hour.
    private func settle() {
        for index in indices.indices { accumulate(index) }
        for number in contracts.indices where contracts[number].isAlive {
            if contracts[number].expiry <= time { deliver(number) } else { settle(number) }
        }
        let settled = time
        cancelAll(reason: "settlement") { $0.timeInForce == .goodTilDay }
        flush()
        emit(.settled(time: settled))
    }

    private func settle(_ number: Int) {
        let contract = contracts[number]
        let mark = contract.mark
        guard mark > 0 else { return }
        contracts[number].settlementPrice = mark
        contracts[number].volume = 0
        contracts[number].turnover = 0
        contracts[number].high = nil
        contracts[number].low = nil
        contracts[number].firstPrice = contract.lastPrice
        guard !contract.isOption else { return }
        pay(number, type: "settlement") { holding in
            let profit = contract.profit(size: holding.size, cost: holding.cost, mark: mark) + holding.funding
            let worth = contract.value(amount: holding.size, mark: mark)
            return (profit, Holding(size: holding.size, cost: worth, openCost: worth))
        }
    }

    private func deliver(_ number: Int) {
        cancelAll(reason: "settlement") { $0.contract == number }
        let contract = contracts[number]
        let index = indices[contract.priceIndex]
        let sum = index.windowSum
        let price =
            sum > 0
            ? Int((sum + Int128(Self.averagingWindow / 2)) / Int128(Self.averagingWindow)) : index.price
        contracts[number].deliveryPrice = price
        pay(number, type: "delivery") { holding in
            guard contract.isOption else {
                let mark = price * (Scales.money / Scales.units)
                return (
                    contract.profit(size: holding.size, cost: holding.cost, mark: mark) + holding.funding,
                    Holding()
                )
            }
            let isCall = contract.instrument.optionType == .call
            let inner = max(0, isCall ? price - contract.strike : contract.strike - price)
            // Per coin in dollars; an inverse option pays it in coins at the price of delivery.
            let dollars = holding.size * inner
            return (contract.isInverse ? scaled(dollars, by: Scales.units, over: price) : dollars, Holding())
        }
        contracts[number].openInterest = 0
        contracts[number].state = .delivered
        emit(.state(contract: number, .delivered))
    }

    /// Pays every holding of a contract and replaces it; the exchange takes what the roundings leave.
    private func pay(_ number: Int, type: String, _ payment: (Holding) -> (cash: Int, after: Holding)) {
        let currency = contracts[number].currency
        var total = 0
        var leftCost = 0
        for account in accounts.indices.dropFirst() {
            guard let holding = accounts[account].holdings[number] else { continue }
            let (cash, after) = payment(holding)
            total += cash
            leftCost += after.cost
            accounts[account].cash[currency] += cash
            accounts[account].holdings[number] = after.size == 0 ? nil : after
            if !accounts[account].isHouse, holding.size != 0 || cash != 0 {
                record(account, currency, type: type, contract: number, change: cash)
            }
        }
        // Sizes add up to nothing, so what was paid adds up to the rounding alone, and so do the new costs.
        accounts[0].cash[currency] -= total
        accounts[0].holdings[number] = leftCost == 0 ? nil : Holding(cost: -leftCost)
    }

    // MARK: Log

    func record(_ account: Int, _ currency: Int, type: String, contract: Int? = nil, change: Int) {
        guard !accounts[account].isHouse else { return }
        var entry = transaction(account, currency, type, change: change, cashflow: change)
        if let contract {
            entry.instrumentName = contracts[contract].instrument.name
            entry.position = MessageAmount(Scales.amount(accounts[account].holdings[contract]?.size ?? 0))
            let price = contracts[contract].deliveryPrice.map { Scales.price($0) }
            entry.price = price ?? contracts[contract].settlementPrice.map { Scales.money($0) }
            entry.markPrice = Scales.money(contracts[contract].mark)
            entry.indexPrice = Scales.price(indices[contracts[contract].priceIndex].price)
        }
        append(entry, account)
    }

    func recordTrade(_ trade: ExchangeTrade, _ side: ExchangeTrade.Side) {
        let contract = contracts[trade.contract]
        let value = contract.isOption ? contract.value(amount: trade.amount, price: trade.price) : 0
        let cashflow = -value * side.direction.sign
        var entry = transaction(
            side.account, contract.currency, "trade", change: cashflow - side.fee, cashflow: cashflow)
        let size = accounts[side.account].holdings[trade.contract]?.size ?? 0
        let before = size - trade.amount * side.direction.sign
        entry.instrumentName = contract.instrument.name
        entry.commission = Scales.money(side.fee)
        entry.side = (abs(size) >= abs(before) ? "open " : "close ") + side.direction.rawValue
        entry.price = Scales.price(trade.price)
        entry.amount = MessageAmount(Scales.amount(trade.amount))
        entry.contracts = ContractCount(Scales.amount(trade.amount) / contract.instrument.contractSize)
        entry.position = MessageAmount(Scales.amount(size))
        entry.tradeID = tradeID(trade)
        entry.orderID = orderID(side.order, trade.contract, isWaiting: false)
        entry.userRole = side.liquidity == .maker ? "maker" : "taker"
        entry.markPrice = Scales.money(trade.mark)
        entry.indexPrice = Scales.price(trade.index)
        entry.profitAsCashflow = false
        entry.interestProfitLoss = 0
        append(entry, side.account)
    }

    private func transaction(_ account: Int, _ currency: Int, _ type: String, change: Int, cashflow: Int)
        -> Transaction
    {
        let state = state(of: account, currency)
        var entry = Transaction()
        entry.id = nextTransaction
        nextTransaction += 1
        entry.userSequence = (accounts[account].log.last?.userSequence ?? 0) + 1
        entry.userID = account
        entry.userName = accounts[account].name
        entry.timestamp = time
        entry.currency = currencies[currency]
        entry.type = type
        entry.cashflow = Scales.money(cashflow)
        entry.change = Scales.money(change)
        entry.balance = Scales.money(state.cash)
        entry.equity = Scales.money(state.equity)
        entry.sessionRealised = Scales.money(state.futuresRealised)
        entry.sessionUnrealised = Scales.money(state.futuresUnrealised)
        return entry
    }

    private func append(_ entry: Transaction, _ account: Int) {
        accounts[account].log.append(entry)
        let excess = accounts[account].log.count - configuration.retention
        if excess > configuration.retention / 4 { accounts[account].log.removeFirst(excess) }
    }

    // MARK: Sums

    /// What all accounts have together: cash, sizes, costs and funding by contract. Trades, settlements, deliveries and
    /// funding change none of them; deposits the cash.
    public func totals() -> (cash: [Int], size: [Int], cost: [Int], funding: [Int]) {
        var cash = Array(repeating: 0, count: currencies.count)
        var size = Array(repeating: 0, count: contracts.count)
        var (cost, funding) = (size, size)
        for account in accounts {
            for currency in cash.indices { cash[currency] += account.cash[currency] }
            for (number, holding) in account.holdings {
                size[number] += holding.size
                cost[number] += holding.cost
                funding[number] += holding.funding
            }
        }
        return (cash, size, cost, funding)
    }
}
