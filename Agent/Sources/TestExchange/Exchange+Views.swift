import VenueProtocol

/// The exchange's state as its messages say it.
extension Exchange {
    // MARK: Names

    private func prefix(_ contract: Int) -> String {
        let currency = currencies[contracts[contract].currency]
        return currency == "BTC" ? "" : currency + "-"
    }

    func orderID(_ id: Int, _ contract: Int, isWaiting: Bool) -> String {
        prefix(contract) + (isWaiting ? "SLMB-" : "") + String(id)
    }

    func tradeID(_ trade: ExchangeTrade) -> String { prefix(trade.contract) + String(trade.id) }

    /// The number behind an order's name.
    public static func orderNumber(_ text: String) -> Int? {
        let digits = text.split(separator: "-", omittingEmptySubsequences: false).last ?? ""
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return Int(digits)
    }

    // MARK: Instruments and market

    public func instrument(_ contract: Int) -> Instrument {
        var instrument = contracts[contract].instrument
        instrument.state = contracts[contract].state
        instrument.isActive = contracts[contract].isAlive
        return instrument
    }

    private func mark(_ contract: Contract) -> Double {
        let value = Scales.money(contract.mark)
        return contract.isOption ? value : (value * 100).rounded() / 100
    }

    private static func level(_ level: MatchingBook.Level?) -> (price: Double, amount: MessageAmount) {
        level.map { (Scales.price($0.price), MessageAmount(Scales.amount($0.amount))) } ?? (0, .zero)
    }

    public func ticker(_ number: Int) -> MarketTicker {
        let contract = contracts[number]
        let index = Scales.price(indices[contract.priceIndex].price)
        var ticker = MarketTicker()
        ticker.instrumentName = contract.instrument.name
        ticker.timestamp = time
        ticker.state = contract.state
        let bid = Self.level(contract.book.best(.buy))
        let ask = Self.level(contract.book.best(.sell))
        ticker.bestBidPrice = .value(bid.price)
        ticker.bestBidAmount = .value(bid.amount)
        ticker.bestAskPrice = .value(ask.price)
        ticker.bestAskAmount = .value(ask.amount)
        ticker.indexPrice = .value(index)
        ticker.markPrice = mark(contract)
        ticker.lastPrice = Presence(contract.lastPrice.map { Scales.price($0) })
        let band = contract.mark > 0 ? contract.priceBand : 0...0
        ticker.minPrice = Scales.price(band.lowerBound)
        ticker.maxPrice = Scales.price(band.upperBound)
        ticker.openInterest = MessageAmount(Scales.amount(contract.openInterest))
        if let settlement = contract.settlementPrice {
            ticker.settlementPrice = .value(Scales.money(settlement))
        }
        if let delivery = contract.deliveryPrice { ticker.deliveryPrice = .value(Scales.price(delivery)) }
        ticker.estimatedDeliveryPrice = .value(
            contract.expiry <= nextSettlement ? Scales.price(estimatedDelivery(contract.priceIndex)) : index)
        ticker.stats = statistics(contract, index: index)
        if contract.isOption {
            let option = contract.optionMark
            ticker.underlyingPrice = option.underlyingPrice
            ticker.underlyingIndex = option.underlyingName
            ticker.interestRate = 0
            ticker.markIV = (option.volatility * 1e4).rounded() / 100
            ticker.bidIV = 0
            ticker.askIV = 0
            ticker.greeks = option.greeks
        }
        if contract.isPerpetual {
            ticker.currentFunding = contract.fundingRate
            ticker.funding8h = contract.fundingRate
            ticker.interestValue = contract.fundingRate * 100
        }
        return ticker
    }

    private func statistics(_ contract: Contract, index: Double) -> TradeStatistics {
        var stats = TradeStatistics()
        let isInverseFuture = contract.isInverse && !contract.isOption
        let amount = Scales.amount(contract.volume)
        let turnover = Scales.money(contract.turnover)
        stats.volume = .value(isInverseFuture ? turnover : amount)
        stats.volumeUSD = .value(isInverseFuture ? amount : contract.isInverse ? turnover * index : turnover)
        if !contract.isOption { stats.volumeNotional = stats.volumeUSD }
        stats.high = Presence(contract.high.map { Scales.price($0) })
        stats.low = Presence(contract.low.map { Scales.price($0) })
        if let first = contract.firstPrice, let last = contract.lastPrice {
            stats.priceChange = .value((Double(last - first) / Double(first) * 1e6).rounded() / 1e4)
        } else {
            stats.priceChange = .null
        }
        return stats
    }

    public func quote(_ number: Int) -> Quote {
        let ticker = ticker(number)
        var quote = Quote()
        quote.timestamp = time
        quote.instrumentName = ticker.instrumentName
        (quote.bestBidPrice, quote.bestBidAmount) = (ticker.bestBidPrice, ticker.bestBidAmount)
        (quote.bestAskPrice, quote.bestAskAmount) = (ticker.bestAskPrice, ticker.bestAskAmount)
        return quote
    }

    /// Levels of a side, best first.
    public func levels(_ number: Int, _ side: Direction, depth: Int = .max) -> [PriceLevel] {
        contracts[number].book.levels(side).prefix(depth).map {
            PriceLevel(price: Scales.price($0.price), amount: MessageAmount(Scales.amount($0.amount)))
        }
    }

    public func changeID(_ number: Int) -> Int { contracts[number].book.changeID }

    public func bookReply(_ number: Int, depth: Int) -> OrderBookReply {
        flush()
        var reply = OrderBookReply()
        reply.ticker = ticker(number)
        reply.changeID = contracts[number].book.changeID
        reply.bids = levels(number, .buy, depth: depth)
        reply.asks = levels(number, .sell, depth: depth)
        return reply
    }

    /// The whole book as the first message of a channel. All that was done before must have been announced.
    public func snapshot(_ number: Int) -> BookMessage {
        var message = BookMessage()
        message.type = .snapshot
        message.timestamp = time
        message.instrumentName = contracts[number].instrument.name
        message.changeID = contracts[number].book.changeID
        message.bids = levels(number, .buy).map { LevelChange(.new, price: $0.price, amount: $0.amount) }
        message.asks = levels(number, .sell).map { LevelChange(.new, price: $0.price, amount: $0.amount) }
        return message
    }

    public func summary(_ number: Int) -> BookSummary {
        let ticker = ticker(number)
        let contract = contracts[number]
        var summary = BookSummary()
        summary.instrumentName = ticker.instrumentName
        summary.baseCurrency = contract.instrument.baseCurrency
        summary.quoteCurrency = contract.instrument.quoteCurrency
        summary.creationTimestamp = time
        let (bid, ask) = (ticker.bestBid?.price, ticker.bestAsk?.price)
        summary.bidPrice = Presence(bid)
        summary.askPrice = Presence(ask)
        if let bid, let ask { summary.midPrice = .value((bid + ask) / 2) }
        summary.markPrice = .value(ticker.markPrice)
        summary.markIV = ticker.markIV
        summary.last = ticker.lastPrice
        summary.high = ticker.stats.high
        summary.low = ticker.stats.low
        summary.priceChange = ticker.stats.priceChange
        summary.volume = ticker.stats.volume.value ?? 0
        summary.volumeUSD = ticker.stats.volumeUSD.value
        summary.volumeNotional = ticker.stats.volumeNotional.value
        summary.openInterest = .value(ticker.openInterest)
        summary.underlyingPrice = ticker.underlyingPrice
        summary.underlyingIndex = ticker.underlyingIndex
        summary.interestRate = ticker.interestRate
        summary.estimatedDeliveryPrice = ticker.estimatedDeliveryPrice.value
        summary.currentFunding = ticker.currentFunding
        summary.funding8h = ticker.funding8h
        return summary
    }

    public func publicTrade(_ trade: ExchangeTrade) -> PublicTrade {
        let contract = contracts[trade.contract]
        var result = PublicTrade()
        result.tradeID = tradeID(trade)
        result.tradeSequence = trade.sequence
        result.timestamp = trade.time
        result.instrumentName = contract.instrument.name
        result.price = Scales.price(trade.price)
        result.amount = MessageAmount(Scales.amount(trade.amount))
        result.contracts = ContractCount(Scales.amount(trade.amount) / contract.instrument.contractSize)
        result.direction = trade.taker.direction
        result.tickDirection = trade.tickDirection
        result.markPrice = Scales.money(trade.mark)
        result.indexPrice = Scales.price(trade.index)
        if contract.isOption { result.iv = (trade.volatility * 1e4).rounded() / 100 }
        if trade.isLiquidation { result.liquidation = "T" }
        return result
    }

    // MARK: Orders and accounts

    public func view(_ order: ExchangeOrder) -> VenueOrder {
        let contract = contracts[order.contract]
        var view = VenueOrder()
        view.orderID = orderID(order.id, order.contract, isWaiting: order.type.isTriggered)
        view.label = order.label
        view.state = order.state
        view.type = order.type
        view.originalOrderType = order.originalType
        view.timeInForce = order.timeInForce
        view.instrumentName = contract.instrument.name
        view.direction = order.direction
        view.price = order.price.map { .limit(Scales.price($0)) } ?? .market
        view.amount = MessageAmount(Scales.amount(order.amount))
        view.contracts = ContractCount(Scales.amount(order.amount) / contract.instrument.contractSize)
        if !order.type.isTriggered {
            view.filledAmount = MessageAmount(Scales.amount(order.filled))
            view.averagePrice =
                order.filled == 0
                ? 0 : Double(order.filledValue) / Double(order.filled) / Double(Scales.units)
        }
        view.creationTimestamp = order.created
        view.lastUpdateTimestamp = order.updated
        view.isPostOnly = order.isPostOnly
        view.rejectsPostOnly = order.rejectsPostOnly
        view.isReduceOnly = order.isReduceOnly
        view.isReplaced = order.isReplaced
        view.isMarketMakerProtected = order.isProtected
        view.cancelReason = order.cancelReason
        if order.cancelReason == "mmp_trigger" { view.wasCancelledByProtection = true }
        view.isLiquidation = order.isLiquidation
        view.isRiskReducing = order.isReduceOnly
        view.isFromWeb = false
        view.userID = order.account
        view.trigger = order.trigger
        view.triggerPrice = order.triggerPrice.map { Scales.price($0) }
        if order.type.isTriggered { view.isTriggered = order.state == .triggered }
        view.triggerOrderID = order.triggerOrder.map { orderID($0, order.contract, isWaiting: true) }
        return view
    }

    /// Orders of an account that are alive, oldest first.
    public func openOrders(of account: Int) -> [ExchangeOrder] {
        accounts[account].allOpenOrders.compactMap { orders[$0] }
    }

    /// Orders of an account that are over, latest first.
    public func closedOrders(of account: Int) -> [ExchangeOrder] { accounts[account].closedOrders.reversed() }

    public func order(_ id: Int, of account: Int) throws(VenueFault) -> ExchangeOrder {
        guard let order = current(id, account) else { throw VenueFault(.orderNotFound) }
        guard order.account == account else { throw VenueFault(.notOwner) }
        return order
    }

    /// Trades of an account, latest first.
    public func trades(of account: Int) -> [ExchangeTrade] { accounts[account].trades.reversed() }

    public func userTrade(_ trade: ExchangeTrade, of account: Int) -> UserTrade {
        let contract = contracts[trade.contract]
        let side = trade.taker.account == account ? trade.taker : trade.maker
        var result = UserTrade()
        result.tradeID = tradeID(trade)
        result.tradeSequence = trade.sequence
        result.orderID = orderID(side.order, trade.contract, isWaiting: false)
        result.label = side.label.isEmpty ? nil : side.label
        result.timestamp = trade.time
        result.instrumentName = contract.instrument.name
        result.price = Scales.price(trade.price)
        result.amount = MessageAmount(Scales.amount(trade.amount))
        result.contracts = ContractCount(Scales.amount(trade.amount) / contract.instrument.contractSize)
        result.direction = side.direction
        result.tickDirection = trade.tickDirection
        result.fee = Scales.money(side.fee)
        result.feeCurrency = currencies[contract.currency]
        result.liquidity = side.liquidity
        result.state = side.state
        result.orderType = side.orderType
        result.indexPrice = Scales.price(trade.index)
        result.markPrice = Scales.money(trade.mark)
        if contract.isOption {
            result.iv = (trade.volatility * 1e4).rounded() / 100
            result.underlyingPrice = contract.optionMark.underlyingPrice
        }
        result.profitLoss = Scales.money(side.profit)
        result.isPostOnly = side.isPostOnly
        result.isReduceOnly = side.isReduceOnly
        result.isMarketMakerProtected = side.isProtected
        result.isFromAPI = true
        result.isRiskReducing = side.isReduceOnly
        result.userID = account
        result.matchingID = .null
        if trade.isLiquidation { result.liquidation = "T" }
        return result
    }

    /// Contracts in which an account has a position, in the order of their numbers.
    public func positions(of account: Int) -> [(contract: Int, size: Int)] {
        accounts[account].holdings.sorted { $0.key < $1.key }.filter { $0.value.size != 0 }.map {
            ($0.key, $0.value.size)
        }
    }

    public func position(_ number: Int, of account: Int) -> Position {
        let contract = contracts[number]
        let holding = accounts[account].holdings[number] ?? Holding()
        let index = Scales.price(indices[contract.priceIndex].price)
        let size = Scales.amount(holding.size)
        var position = Position()
        position.instrumentName = contract.instrument.name
        position.kind = contract.instrument.kind
        position.direction = holding.size > 0 ? .buy : holding.size < 0 ? .sell : .zero
        position.size = MessageAmount(size)
        position.markPrice = mark(contract)
        position.indexPrice = index
        position.settlementPrice =
            contract.settlementPrice.map { .value(Scales.money($0)) } ?? .value(mark(contract))
        let margin = margin(contract, size: holding.size)
        position.initialMargin = Scales.money(margin.initial)
        position.maintenanceMargin = Scales.money(margin.maintenance)
        let cost = Scales.money(holding.openCost)
        if contract.isOption {
            position.averagePrice = holding.size == 0 ? 0 : cost / size
            position.averagePriceUSD =
                contract.isInverse ? position.averagePrice * index : position.averagePrice
            let value = contract.value(amount: holding.size, mark: contract.mark)
            position.floatingProfitLoss = Scales.money(value - holding.openCost)
            position.floatingProfitLossUSD =
                position.floatingProfitLoss * (contract.isInverse ? index : 1)
            position.totalProfitLoss = position.floatingProfitLoss
            let greeks = contract.optionMark.greeks
            position.delta = greeks.delta * size
            position.gamma = greeks.gamma * size
            position.vega = greeks.vega * size
            position.theta = greeks.theta * size
        } else {
            position.averagePrice = holding.size == 0 ? 0 : contract.isInverse ? size / cost : cost / size
            let open = contract.profit(size: holding.size, cost: holding.openCost, mark: contract.mark)
            let total = contract.profit(size: holding.size, cost: holding.cost, mark: contract.mark)
            let coins =
                contract.isInverse
                ? Scales.money(contract.value(amount: holding.size, mark: contract.mark)) : size
            position.sizeCurrency = coins
            position.delta = coins
            position.floatingProfitLoss = Scales.money(open)
            position.realizedProfitLoss = Scales.money(total - open)
            position.totalProfitLoss = Scales.money(total)
            position.leverage = 50
            if contract.isPerpetual {
                position.realizedFunding = Scales.money(holding.funding)
                position.interestValue = contract.fundingRate * 100
            }
        }
        return position
    }

    public func holder(of account: Int) -> AccountHolder {
        var holder = AccountHolder()
        holder.id = account
        holder.email = accounts[account].name + "@example.com"
        holder.systemName = accounts[account].name
        holder.userName = accounts[account].name
        holder.type = "main"
        holder.creationTimestamp = configuration.start
        holder.referrerID = .null
        holder.isLoginEnabled = false
        holder.hasSecurityKeys = false
        holder.isProtectionEnabled = !accounts[account].protections.isEmpty
        holder.mayTransfer = false
        holder.preventsBlockSelfMatch = false
        holder.selfTradingMode = accounts[account].selfTrading
        holder.isSelfTradingExtended = accounts[account].extendsSelfTrading
        return holder
    }

    public func figures(of account: Int, currency: Int) -> AccountFigures {
        let state = state(of: account, currency)
        var figures = AccountFigures()
        figures.currency = currencies[currency]
        figures.balance = Scales.money(state.cash)
        figures.equity = Scales.money(state.equity)
        figures.marginBalance = Scales.money(state.marginBalance)
        figures.initialMargin = Scales.money(state.initialMargin + state.ordersMargin)
        figures.maintenanceMargin = Scales.money(state.maintenanceMargin)
        figures.projectedInitialMargin = Scales.money(state.initialMargin)
        figures.projectedMaintenanceMargin = Scales.money(state.maintenanceMargin)
        figures.availableFunds = Scales.money(state.availableFunds)
        figures.availableWithdrawalFunds = Scales.money(max(0, min(state.cash, state.availableFunds)))
        figures.additionalReserve = 0
        figures.spotReserve = 0
        figures.feeBalance = 0
        figures.sessionRealised = Scales.money(state.futuresRealised)
        figures.sessionUnrealised = Scales.money(state.futuresUnrealised)
        figures.futuresSessionRealised = Scales.money(state.futuresRealised)
        figures.futuresSessionUnrealised = Scales.money(state.futuresUnrealised)
        figures.futuresProfitLoss = Scales.money(state.futuresRealised + state.futuresUnrealised)
        figures.optionsSessionRealised = 0
        figures.optionsSessionUnrealised = Scales.money(state.optionsUnrealised)
        figures.optionsProfitLoss = Scales.money(state.optionsUnrealised)
        figures.optionsValue = Scales.money(state.optionsValue)
        figures.totalProfitLoss = Scales.money(
            state.futuresRealised + state.futuresUnrealised + state.optionsUnrealised)
        figures.optionsDelta = state.optionsDelta
        figures.optionsGamma = state.optionsGamma
        figures.optionsVega = state.optionsVega
        figures.optionsTheta = state.optionsTheta
        figures.deltaTotal = state.deltaTotal
        figures.projectedDeltaTotal = state.deltaTotal
        func named(_ values: [Int: Double]) -> NamedValues<Double> {
            NamedValues(values.sorted { $0.key < $1.key }.map { (indices[$0.key].name, $0.value) })
        }
        figures.deltaTotalMap = named(state.deltaByIndex)
        figures.optionsGammaMap = named(state.gammaByIndex)
        figures.optionsVegaMap = named(state.vegaByIndex)
        figures.optionsThetaMap = named(state.thetaByIndex)
        figures.estimatedLiquidationRatio = 0
        figures.estimatedLiquidationRatioMap = NamedValues()
        figures.marginModel = "segregated_sm"
        figures.isPortfolioMargined = false
        figures.isCrossCollateral = false
        return figures
    }

    public func userName(of account: Int) -> String { accounts[account].name }
    /// Accounts that are not the market's own.
    public var clientAccounts: [Int] { accounts.indices.filter { !accounts[$0].isHouse } }
    public func log(of account: Int) -> [Transaction] { accounts[account].log }

    /// Where a contract stands for the channels of kinds and currencies.
    public func kindAndCurrency(_ number: Int) -> (kind: String, currency: String) {
        let contract = contracts[number]
        return (contract.instrument.kind.rawValue, currencies[contract.currency])
    }

    public func settlementCurrency(_ number: Int) -> Int { contracts[number].currency }
    public func index(of number: Int) -> Int { contracts[number].priceIndex }
}
