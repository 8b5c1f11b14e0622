import VenueProtocol

extension Exchange {
    /// Places an order by the rules of the exchange.
    /// - Throws: why it was refused; nothing happened then.
    public func place(
        _ request: OrderRequest, account: Int, connection: Int = 0
    ) throws(VenueFault) -> (order: ExchangeOrder, trades: [ExchangeTrade]) {
        let contract = try openContract(request.instrumentName, account)
        if let until = request.validUntil, until < time { throw VenueFault(.timedOut) }
        let amount = try wholeAmount(request.amount, request.contracts, contract)
        let type = request.type ?? .limit
        if request.displayAmount != nil || request.advanced != nil || request.linkedOrderType != nil {
            throw VenueFault(
                .otherReject,
                detail: .init(reason: "icebergs, advanced and linked orders are not served here"))
        }
        if type == .trailingStop || type == .liquidation { throw invalid("type") }
        guard (request.label?.utf8.count ?? 0) <= 64 else { throw invalid("label") }

        var order = ExchangeOrder(
            id: nextOrder, account: account, contract: contract, direction: request.direction,
            connection: connection, created: time, type: type,
            timeInForce: request.timeInForce ?? .goodTilCancelled,
            label: request.label ?? "", amount: amount, updated: time)
        order.isPostOnly = request.isPostOnly ?? false
        order.rejectsPostOnly = request.rejectsPostOnly ?? false
        order.isReduceOnly = request.isReduceOnly ?? false
        order.isProtected = request.isMarketMakerProtected ?? false
        if order.isPostOnly,
            type != .limit || order.timeInForce == .immediateOrCancel || order.timeInForce == .fillOrKill
        {
            throw VenueFault(.postOnlyNotAllowed)
        }
        if type == .limit || type == .stopLimit || type == .takeLimit {
            guard let price = request.price else { throw invalid("price") }
            order.price = try checked(price: price, contract, request.direction)
        }
        if type.isTriggered {
            guard let trigger = request.trigger, let price = request.triggerPrice else {
                throw invalid(request.trigger == nil ? "trigger" : "trigger_price")
            }
            guard let units = Scales.units(price), price > 0 else { throw invalid("trigger_price") }
            guard units % contracts[contract].tick(at: units) == 0 else {
                throw VenueFault(.triggerPriceWrongTick)
            }
            order.trigger = trigger
            order.triggerPrice = units
            order.state = .untriggered
        }
        if order.isReduceOnly { try reduce(&order) }
        try checkProtection(order)
        try checkFunds(order)
        nextOrder += 1
        if order.state == .untriggered {
            orders[order.id] = order
            accounts[account].openOrders[order.contract, default: []].append(order.id)
            contracts[contract].untriggered.append(order.id)
            waitingOrders += 1
            emit(.order(order))
            return (order, [])
        }
        return try execute(order)
    }

    func invalid(_ parameter: String, _ reason: String = "invalid") -> VenueFault {
        VenueFault(.invalidParameters, detail: .init(reason: reason, parameter: parameter))
    }

    /// The contract of that name, if orders may be placed in it.
    func openContract(_ name: String, _ account: Int) throws(VenueFault) -> Int {
        guard let contract = contractByName[name] else { throw invalid("instrument_name", "wrong format") }
        guard !accounts[account].isLocked else { throw VenueFault(.accountLocked) }
        guard !isSettling else { throw VenueFault(.settlementInProgress) }
        guard contracts[contract].state == .open else { throw VenueFault(.bookClosed) }
        guard contracts[contract].mark > 0 else { throw VenueFault(.retry) }
        return contract
    }

    private func wholeAmount(
        _ amount: MessageAmount?, _ count: ContractCount?, _ contract: Int
    ) throws(VenueFault) -> Int {
        let (contract, size) = (contracts[contract], contracts[contract].instrument.contractSize)
        guard let value = amount?.value ?? count.map({ $0.value * size }) else { throw invalid("amount") }
        if let amount, let count, abs(count.value * size - amount.value) > 1e-9 * abs(amount.value) {
            throw invalid("contracts", "amount and contracts do not agree")
        }
        guard value.isFinite, let units = Scales.units(value),
            abs(Double(units) - value * Double(Scales.units)) < 1e-3
        else { throw VenueFault(.invalidAmount) }
        guard units >= contract.minimumAmount else { throw VenueFault(.quantityTooLow) }
        guard units % contract.amountStep == 0 else {
            throw invalid("amount", "must be a multiple of the minimum order size")
        }
        guard units <= 100_000_000 * Scales.units else { throw VenueFault(.invalidAmount) }
        return units
    }

    private func checked(price: Double, _ contract: Int, _ direction: Direction) throws(VenueFault) -> Int {
        guard price.isFinite, let units = Scales.units(price), units > 0 else { throw invalid("price") }
        guard units % contracts[contract].tick(at: units) == 0,
            abs(Double(units) - price * Double(Scales.units)) < 1e-3
        else { throw VenueFault(.priceWrongTick) }
        let band = contracts[contract].priceBand
        if direction == .buy, units > band.upperBound {
            throw VenueFault(.priceTooHigh, figure: Scales.price(band.upperBound))
        }
        if direction == .sell, units < band.lowerBound {
            throw VenueFault(.priceTooLow, figure: Scales.price(band.lowerBound))
        }
        return units
    }

    /// Cuts a reducing order down to what the position has.
    private func reduce(_ order: inout ExchangeOrder) throws(VenueFault) {
        let size = accounts[order.account].holdings[order.contract]?.size ?? 0
        let available = order.direction == .buy ? max(0, -size) : max(0, size)
        guard available > 0 else {
            throw VenueFault(.otherReject, detail: .init(reason: "reduce_only: no position"))
        }
        order.amount = min(order.amount, available)
    }

    /// Matches an order and lets rest what may rest.
    func execute(_ newOrder: ExchangeOrder) throws(VenueFault) -> (
        order: ExchangeOrder, trades: [ExchangeTrade]
    ) {
        var order = newOrder
        let contract = order.contract
        let band = contracts[contract].priceBand
        if order.type == .market || order.type == .marketLimit {
            order.originalType = order.type
            if order.type == .market, order.timeInForce == .goodTilCancelled {
                order.timeInForce = .immediateOrCancel
            }
            if order.type == .marketLimit {
                guard let best = contracts[contract].book.best(order.direction.opposite) else {
                    throw VenueFault(.otherReject, detail: .init(reason: "market_limit: no counterparty"))
                }
                order.price = best.price
                order.type = .limit
            }
        }
        if order.isPostOnly, let best = contracts[contract].book.best(order.direction.opposite),
            let price = order.price
        {
            let crosses = order.direction == .buy ? price >= best.price : price <= best.price
            if crosses {
                guard !order.rejectsPostOnly else { throw VenueFault(.postOnlyReject) }
                // One tick off the touch.
                let tick = contracts[contract].tick(at: best.price - (order.direction == .buy ? 1 : 0))
                let slid = best.price - order.direction.sign * tick
                guard slid > 0 else { throw VenueFault(.postOnlyReject) }
                order.price = slid
            }
        }
        let limit = order.price ?? (order.direction == .buy ? band.upperBound : band.lowerBound)
        orders[order.id] = order
        accounts[order.account].openOrders[order.contract, default: []].append(order.id)
        var trades: [ExchangeTrade] = []
        if order.timeInForce == .fillOrKill, available(for: order, limit: limit) < order.amount {
            close(order.id, .cancelled, reason: nil)
        } else {
            trades = match(order.id, limit: limit)
        }
        if let left = orders[order.id], left.remaining > 0 {
            let rests =
                left.type != .market
                && (left.timeInForce == .goodTilCancelled || left.timeInForce == .goodTilDay)
            if rests, let price = left.price {
                touch(contract, left.direction, price)
                contracts[contract].book.append(left.id, amount: left.remaining, price: price, left.direction)
                announce(left)
            } else {
                close(left.id, .cancelled, reason: nil)
            }
        }
        check(triggers: .lastPrice) { $0 == contract }
        return (current(order.id, order.account) ?? order, trades)
    }

    /// The order as it is now, alive or among those of the account that are over.
    func current(_ id: Int, _ account: Int) -> ExchangeOrder? {
        orders[id] ?? accounts[account].closedOrders.last { $0.id == id }
            ?? lastClosed.flatMap { $0.id == id && $0.account == account ? $0 : nil }
    }

    private func available(for order: ExchangeOrder, limit: Int) -> Int {
        var total = 0
        for level in contracts[order.contract].book.levels(order.direction.opposite) {
            guard order.direction == .buy ? level.price <= limit : level.price >= limit else { break }
            for id in level.orders {
                if let resting = orders[id], resting.account != order.account { total += resting.remaining }
            }
        }
        return total
    }

    /// Trades by price, then by time, at the price of whoever was there first.
    private func match(_ id: Int, limit: Int) -> [ExchangeTrade] {
        var trades: [ExchangeTrade] = []
        guard let taker = orders[id] else { return [] }
        let (contract, direction, account) = (taker.contract, taker.direction, taker.account)
        while let order = orders[id], order.remaining > 0,
            let level = contracts[contract].book.best(direction.opposite),
            direction == .buy ? level.price <= limit : level.price >= limit,
            let makerID = level.orders.first, let maker = orders[makerID]
        {
            if maker.account == account {
                if accounts[account].selfTrading == .cancelMaker {
                    close(makerID, .cancelled, reason: "order_overlap")
                    continue
                }
                close(id, .cancelled, reason: "order_overlap")
                break
            }
            trades.append(trade(takerID: id, makerID: makerID, amount: min(order.remaining, maker.remaining)))
        }
        return trades
    }

    func trade(takerID: Int, makerID: Int, amount: Int) -> ExchangeTrade {
        guard var taker = orders[takerID], var maker = orders[makerID], let price = maker.price else {
            preconditionFailure("orders that are matched are alive")
        }
        let number = taker.contract
        touch(number, maker.direction, price)
        taker.filled += amount
        maker.filled += amount
        taker.filledValue += Int128(amount) * Int128(price)
        maker.filledValue += Int128(amount) * Int128(price)
        taker.updated = time
        maker.updated = time
        if taker.remaining == 0 { taker.state = .filled }
        if maker.remaining == 0 { maker.state = .filled }
        orders[takerID] = taker
        orders[makerID] = maker
        if maker.remaining == 0 {
            contracts[number].book.remove(makerID, amount: amount, price: price, maker.direction)
        } else {
            contracts[number].book.reduce(by: amount, price: price, maker.direction)
        }

        let index = indices[contracts[number].priceIndex].price
        let takerFee = contracts[number].fee(amount: amount, price: price, index: index, isMaker: false)
        let makerFee = contracts[number].fee(amount: amount, price: price, index: index, isMaker: true)
        let currency = contracts[number].currency
        let tradeID = nextTrade[currency]
        nextTrade[currency] += 1
        contracts[number].tradeSequence += 1
        note(price: price, amount: amount, number)

        let takerProfit = exchange(taker, amount, price, fee: takerFee)
        let makerProfit = exchange(maker, amount, price, fee: makerFee)
        func side(_ order: ExchangeOrder, _ fee: Int, _ liquidity: Liquidity, _ profit: Int)
            -> ExchangeTrade.Side
        {
            ExchangeTrade.Side(
                account: order.account, order: order.id, label: order.label, direction: order.direction,
                fee: fee,
                liquidity: liquidity, state: order.state, orderType: order.type, isPostOnly: order.isPostOnly,
                isReduceOnly: order.isReduceOnly, isProtected: order.isProtected, profit: profit)
        }
        let contract = contracts[number]
        let result = ExchangeTrade(
            id: tradeID, sequence: contract.tradeSequence, contract: number, time: time, price: price,
            amount: amount,
            tickDirection: contract.lastTickDirection, mark: contract.mark, index: index,
            volatility: contract.optionMark.volatility, taker: side(taker, takerFee, .taker, takerProfit),
            maker: side(maker, makerFee, .maker, makerProfit), isLiquidation: taker.isLiquidation)
        emit(.trade(result))
        for order in [taker, maker] where !accounts[order.account].isHouse {
            let isTaker = order.id == takerID
            keep(result, of: order.account)
            recordTrade(result, isTaker ? result.taker : result.maker)
        }
        if maker.remaining == 0 { finish(makerID) } else { announce(maker) }
        if taker.remaining == 0 { finish(takerID) } else { announce(taker) }
        countProtected(result, [taker, maker])
        return result
    }

    private func keep(_ trade: ExchangeTrade, of account: Int) {
        accounts[account].trades.append(trade)
        let excess = accounts[account].trades.count - configuration.retention
        if excess > configuration.retention / 4 { accounts[account].trades.removeFirst(excess) }
    }

    private func note(price: Int, amount: Int, _ number: Int) {
        let last = contracts[number].lastPrice
        let direction: Int
        if let last, last != price {
            direction = price > last ? 0 : 2
        } else {
            direction = [0, 1].contains(contracts[number].lastTickDirection) ? 1 : 3
        }
        contracts[number].lastTickDirection = direction
        contracts[number].lastPrice = price
        contracts[number].volume += amount
        contracts[number].turnover += contracts[number].value(amount: amount, price: price)
        contracts[number].high = max(contracts[number].high ?? price, price)
        contracts[number].low = min(contracts[number].low ?? price, price)
        contracts[number].firstPrice = contracts[number].firstPrice ?? price
    }

    /// Moves position and money of one side.
    /// - Returns: the profit that the trade realised, in money, fees aside.
    private func exchange(_ order: ExchangeOrder, _ amount: Int, _ price: Int, fee: Int) -> Int {
        let contract = contracts[order.contract]
        let account = order.account
        var holding = accounts[account].holdings[order.contract] ?? Holding()
        let signed = amount * order.direction.sign
        let value = contract.value(amount: amount, price: price) * order.direction.sign
        let before = holding.size
        let realised: Int
        if before == 0 || (before > 0) == (signed > 0) {
            holding.openCost += value
            realised = 0
        } else if abs(signed) <= abs(before) {
            let left = scaled(holding.openCost, by: before + signed, over: before)
            let closed = holding.openCost - left
            realised = contract.isInverse && !contract.isOption ? closed + value : -(closed + value)
            holding.openCost = left
        } else {
            let closing = scaled(value, by: before, over: -signed)
            realised =
                contract.isInverse && !contract.isOption
                ? holding.openCost + closing : -(holding.openCost + closing)
            holding.openCost = value - closing
        }
        holding.size += signed
        if contract.isOption {
            accounts[account].cash[contract.currency] -= value
        } else {
            holding.cost += value
        }
        accounts[account].holdings[order.contract] = holding
        accounts[account].cash[contract.currency] -= fee
        accounts[account].feesPaid[contract.currency] += fee
        accounts[0].cash[contract.currency] += fee
        contracts[order.contract].openInterest += max(0, holding.size) - max(0, before)
        return realised
    }

    /// Tells the owner of an order of its state; the market's own participants are not told.
    func announce(_ order: ExchangeOrder) {
        if !accounts[order.account].isHouse { emit(.order(order)) }
    }

    /// Takes an order that is filled off the books.
    private func finish(_ id: Int) {
        guard let order = orders.removeValue(forKey: id) else { return }
        lastClosed = order
        accounts[order.account].openOrders[order.contract]?.removeAll { $0 == id }
        guard !accounts[order.account].isHouse else { return }
        accounts[order.account].closedOrders.append(order)
        let excess = accounts[order.account].closedOrders.count - configuration.retention
        if excess > configuration.retention / 4 { accounts[order.account].closedOrders.removeFirst(excess) }
        emit(.order(order))
    }

    /// Ends an order that is not filled.
    func close(_ id: Int, _ state: OrderState, reason: String?) {
        guard var order = orders[id] else { return }
        if order.state == .untriggered {
            contracts[order.contract].untriggered.removeAll { $0 == id }
            waitingOrders -= 1
        } else if let price = order.price {
            touch(order.contract, order.direction, price)
            contracts[order.contract].book.remove(id, amount: order.remaining, price: price, order.direction)
        }
        order.state = state
        order.cancelReason = reason
        order.updated = time
        orders[id] = order
        finish(id)
    }

    // MARK: Cancels

    /// - Throws: `orderNotFound`, `notOpenOrder`, `notOwner`.
    public func cancel(_ id: Int, account: Int) throws(VenueFault) -> ExchangeOrder {
        guard let order = orders[id] else {
            throw VenueFault(
                accounts[account].closedOrders.contains { $0.id == id } ? .notOpenOrder : .orderNotFound)
        }
        guard order.account == account else { throw VenueFault(.notOwner) }
        guard contracts[order.contract].state != .halted else { throw VenueFault(.bookClosed) }
        close(id, .cancelled, reason: "user_request")
        return current(id, account) ?? order
    }

    /// Cancels the orders of an account that are chosen.
    public func cancelAll(
        of account: Int, reason: String = "user_request",
        where isChosen: (ExchangeOrder) -> Bool = { _ in true }
    ) -> [ExchangeOrder] {
        var cancelled: [ExchangeOrder] = []
        for id in accounts[account].allOpenOrders {
            guard let order = orders[id], isChosen(order) else { continue }
            close(id, .cancelled, reason: reason)
            cancelled.append(current(id, account) ?? order)
        }
        return cancelled
    }

    func cancelAll(reason: String, where isChosen: (ExchangeOrder) -> Bool) {
        for account in accounts.indices { _ = cancelAll(of: account, reason: reason, where: isChosen) }
    }

    // MARK: Edits

    /// Changes an order; it keeps its place in the queue only if its price stays and its amount does not grow.
    public func edit(
        _ id: Int, _ request: EditRequest, account: Int
    ) throws(VenueFault) -> (order: ExchangeOrder, trades: [ExchangeTrade]) {
        guard let order = orders[id] else {
            throw VenueFault(
                accounts[account].closedOrders.contains { $0.id == id } ? .notOpenOrder : .orderNotFound)
        }
        guard order.account == account else { throw VenueFault(.notOwner) }
        _ = try openContract(contracts[order.contract].instrument.name, account)
        if let until = request.validUntil, until < time { throw VenueFault(.timedOut) }
        let amount =
            request.amount == nil && request.contracts == nil
            ? order.amount : try wholeAmount(request.amount, request.contracts, order.contract)
        guard amount > order.filled else { throw VenueFault(.alreadyFilled) }
        if let isProtected = request.isMarketMakerProtected, isProtected != order.isProtected {
            throw invalid("mmp", "cannot be edited")
        }
        var edited = order
        edited.amount = amount
        edited.isReplaced = true
        edited.updated = time
        if let price = request.price, order.price != nil {
            edited.price = try checked(price: price, order.contract, order.direction)
        }
        if let trigger = request.triggerPrice, order.state == .untriggered {
            guard let units = Scales.units(trigger), units > 0,
                units % contracts[order.contract].tick(at: units) == 0
            else { throw VenueFault(.triggerPriceWrongTick) }
            edited.triggerPrice = units
        }
        edited.isPostOnly = request.isPostOnly ?? order.isPostOnly
        edited.rejectsPostOnly = request.rejectsPostOnly ?? order.rejectsPostOnly
        edited.isReduceOnly = request.isReduceOnly ?? order.isReduceOnly
        if order.state == .untriggered {
            orders[id] = edited
            announce(edited)
            return (edited, [])
        }
        guard let price = order.price else { throw VenueFault(.notOpenOrder) }
        if edited.price == price, amount <= order.amount {
            touch(order.contract, order.direction, price)
            contracts[order.contract].book.reduce(by: order.amount - amount, price: price, order.direction)
            orders[id] = edited
            announce(edited)
            return (edited, [])
        }
        try checkProtection(edited)
        try checkFunds(edited, instead: order)
        if edited.isPostOnly, edited.rejectsPostOnly, let new = edited.price,
            let best = contracts[order.contract].book.best(order.direction.opposite),
            order.direction == .buy ? new >= best.price : new <= best.price
        {
            throw VenueFault(.postOnlyReject)
        }
        touch(order.contract, order.direction, price)
        contracts[order.contract].book.remove(id, amount: order.remaining, price: price, order.direction)
        accounts[account].openOrders[order.contract]?.removeAll { $0 == id }
        return try execute(edited)
    }

    // MARK: Triggers

    /// Lets go the orders whose trigger has come.
    func check(triggers kind: Trigger, in isChosen: (Int) -> Bool) {
        guard waitingOrders > 0 else { return }
        for number in contracts.indices where !contracts[number].untriggered.isEmpty && isChosen(number) {
            for id in contracts[number].untriggered {
                guard let order = orders[id], order.trigger == kind, let trigger = order.triggerPrice else {
                    continue
                }
                let contract = contracts[number]
                let price: Int? =
                    switch kind {
                    case .indexPrice: indices[contract.priceIndex].price
                    case .markPrice: contract.mark / (Scales.money / Scales.units)
                    case .lastPrice: contract.lastPrice
                    }
                guard let price else { continue }
                // A stop buys when the price rises to it, a take-profit when it falls to it.
                let isStop = order.type == .stopLimit || order.type == .stopMarket
                let rises = isStop == (order.direction == .buy)
                guard rises ? price >= trigger : price <= trigger else { continue }
                release(order)
            }
        }
    }

    private func release(_ order: ExchangeOrder) {
        contracts[order.contract].untriggered.removeAll { $0 == order.id }
        waitingOrders -= 1
        var waiting = order
        waiting.state = .triggered
        waiting.updated = time
        orders[order.id] = waiting
        finish(order.id)
        let type: OrderType = order.type == .stopLimit || order.type == .takeLimit ? .limit : .market
        var released = ExchangeOrder(
            id: nextOrder, account: order.account, contract: order.contract, direction: order.direction,
            connection: order.connection, created: time, type: type, timeInForce: order.timeInForce,
            label: order.label, price: order.price, amount: order.amount, updated: time)
        released.isReduceOnly = order.isReduceOnly
        released.isProtected = order.isProtected
        released.trigger = order.trigger
        released.triggerPrice = order.triggerPrice
        released.triggerOrder = order.id
        nextOrder += 1
        _ = try? execute(released)
    }

    // MARK: The market's own participants

    /// Replaces the quotes of a participant in a contract: prices and amounts in ten-thousandths, best first. A quote
    /// that would trade is left out, one that stays as it was keeps its place.
    public func quote(_ contract: Int, account: Int, _ side: Direction, _ quotes: [(price: Int, amount: Int)])
    {
        guard contracts[contract].state == .open, !contracts[contract].abandoned.contains(side) else {
            return
        }
        var wanted = quotes.filter { quote in
            guard quote.price > 0, quote.amount > 0 else { return false }
            guard let best = contracts[contract].book.best(side.opposite) else { return true }
            return side == .buy ? quote.price < best.price : quote.price > best.price
        }
        for id in accounts[account].openOrders[contract] ?? [] {
            guard let order = orders[id], order.direction == side else { continue }
            if let same = wanted.firstIndex(where: { $0.price == order.price && $0.amount == order.remaining }
            ) {
                wanted.remove(at: same)
            } else {
                close(id, .cancelled, reason: "user_request")
            }
        }
        for quote in wanted {
            let order = ExchangeOrder(
                id: nextOrder, account: account, contract: contract, direction: side, connection: 0,
                created: time,
                type: .limit, timeInForce: .goodTilCancelled, label: "", price: quote.price,
                amount: quote.amount,
                updated: time)
            nextOrder += 1
            orders[order.id] = order
            accounts[account].openOrders[order.contract, default: []].append(order.id)
            touch(contract, side, quote.price)
            contracts[contract].book.append(order.id, amount: quote.amount, price: quote.price, side)
        }
    }

    /// Takes back the quotes of a participant that a price has gone through: bids at it or above, asks at it or below.
    public func withdraw(_ contract: Int, account: Int, crossing price: Int) {
        for id in accounts[account].openOrders[contract] ?? [] {
            guard let order = orders[id], let quote = order.price else { continue }
            if order.direction == .buy ? quote >= price : quote <= price {
                close(id, .cancelled, reason: "user_request")
            }
        }
    }

    /// A participant takes what there is, up to an amount in ten-thousandths, within the band of prices.
    @discardableResult
    public func take(_ contract: Int, account: Int, _ direction: Direction, amount: Int) -> [ExchangeTrade] {
        guard contracts[contract].state == .open, contracts[contract].mark > 0, !isSettling else { return [] }
        let step = contracts[contract].amountStep
        let whole = max(contracts[contract].minimumAmount, amount / step * step)
        let order = ExchangeOrder(
            id: nextOrder, account: account, contract: contract, direction: direction, connection: 0,
            created: time,
            type: .market, timeInForce: .immediateOrCancel, label: "", amount: whole, updated: time)
        nextOrder += 1
        return (try? execute(order).trades) ?? []
    }
}
