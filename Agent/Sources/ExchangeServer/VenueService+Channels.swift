import TestExchange
import VenueProtocol

extension VenueService {
    // MARK: Subscriptions

    func subscribe(_ call: Call) throws(VenueFault) -> [String] {
        guard call.session.isPersistent else { throw VenueFault(.mustBeWebSocket) }
        let request: SubscriptionRequest = try read(call)
        guard request.channels.count <= configuration.limits.subscriptions else {
            throw invalid("channels", "too many channels")
        }
        let isPrivate = call.method == "private/subscribe"
        var subscribed: [String] = []
        var new: [Channel] = []
        for text in request.channels {
            guard let name = ChannelName(text), !name.isPrivate || isPrivate && call.account != nil,
                // Without authentication nothing comes raw.
                name.interval != .raw || call.session.account != nil,
                let channel = channel(name, call.account),
                faults.strike(.missingChannel, at: exchange.time, where: { $0.isAbout(channel: text) }) == nil
            else { continue }
            subscribed.append(text)
            guard call.session.channels.insert(key(name, channel.account)).inserted else { continue }
            new.append(channel)
        }
        if subscribed.isEmpty, !request.channels.isEmpty { throw VenueFault(.subscribeError) }
        pendingGreetings.append((call.session, new))
        return subscribed
    }

    func unsubscribe(_ call: Call) throws(VenueFault) -> [String] {
        guard call.session.isPersistent else { throw VenueFault(.mustBeWebSocket) }
        let request: SubscriptionRequest = try read(call)
        var removed: [String] = []
        for text in request.channels {
            guard let name = ChannelName(text) else { continue }
            let key = key(name, name.isPrivate ? call.account : nil)
            guard call.session.channels.remove(key) != nil else { continue }
            channels[key]?.subscribers.removeAll { $0 === call.session }
            removed.append(text)
        }
        return removed
    }

    private func key(_ name: ChannelName, _ account: Int?) -> String { "\(account ?? -1)|\(name)" }

    /// The channel of that name; nil where there is nothing that it could be about.
    private func channel(_ name: ChannelName, _ account: Int?) -> Channel? {
        let account = name.isPrivate ? account : nil
        let key = key(name, account)
        if let known = channels[key] { return known }
        var contract: Int?
        var index: Int?
        switch name {
        case .book(let text, _), .groupedBook(let text, _, _, _), .ticker(let text, _),
            .incrementalTicker(let text),
            .quote(let text), .perpetual(let text, _), .chart(let text, _), .trades(.instrument(let text), _),
            .userOrders(.instrument(let text), _), .userTrades(.instrument(let text), _),
            .userChanges(.instrument(let text), _):
            contract = exchange.contract(named: text)
            guard contract != nil else { return nil }
            if case .groupedBook(_, let group, _, _) = name, group != "none" { return nil }
            if case .incrementalTicker = name { return nil }
            if case .chart(_, let resolution) = name, Self.resolutions[resolution] == nil { return nil }
        case .priceIndex(let text), .markPrices(let text), .estimatedExpirationPrice(let text),
            .userProtection(let text):
            index = exchange.indices.firstIndex { $0.name == text }
            guard index != nil else { return nil }
        case .volatilityIndex: return nil
        case .trades(.all(let kind, let currency), _), .userOrders(.all(let kind, let currency), _),
            .userTrades(.all(let kind, let currency), _), .userChanges(.all(let kind, let currency), _),
            .instrumentState(let kind, let currency):
            guard kind == "any" || InstrumentKind(rawValue: kind) != nil,
                currency.lowercased() == "any" || exchange.currencies.contains(currency.uppercased())
            else { return nil }
        case .userPortfolio(let currency):
            guard currency.lowercased() == "any" || exchange.currencies.contains(currency.uppercased()) else {
                return nil
            }
        case .platformState, .publicMethodsState, .userLock: break
        }
        let channel = Channel(name, account: account, contract: contract, index: index)
        channels[key] = channel
        channelOrder.append(key)
        return channel
    }

    /// First messages to new subscribers, once the reply has gone: a book's snapshot, a ticker, an account.
    private func greet() {
        let greetings = pendingGreetings
        pendingGreetings.removeAll()
        for (session, new) in greetings {
            for channel in new where !session.isClosed {
                // Those who are there already get what has changed, so that all know the same book.
                if case .book = channel.name, channel.isDirty, !channel.subscribers.isEmpty {
                    sendBookChange(channel)
                }
                channel.subscribers.append(session)
                func send(_ content: some VenueValue) {
                    session.send(
                        Notification(channel: channel.text, content: content).json,
                        .notification(channel: channel.text))
                }
                switch channel.name {
                case .book:
                    guard let contract = channel.contract else { continue }
                    let snapshot = exchange.snapshot(contract)
                    remember(channel, contract)
                    send(snapshot)
                case .groupedBook(_, _, let depth, _):
                    if let contract = channel.contract { send(groupedBook(contract, depth: depth)) }
                case .ticker: if let contract = channel.contract { send(exchange.ticker(contract)) }
                case .quote: if let contract = channel.contract { send(exchange.quote(contract)) }
                case .priceIndex: if let index = channel.index { send(indexPrice(index)) }
                case .perpetual: if let contract = channel.contract { send(perpetual(contract)) }
                case .markPrices: if let index = channel.index { send(markPrices(index)) }
                case .userPortfolio(let currency):
                    for figures in portfolio(channel, currency) { send(figures) }
                default: break
                }
            }
        }
    }

    // MARK: What happened

    /// Sends what the last commands did to whoever wants to know.
    func dispatch() {
        let events = exchange.takeEvents()
        for event in events {
            switch event {
            case .trade(let trade):
                chart(trade)
                recentTrades[trade.contract, default: []].append(trade)
                let excess = (recentTrades[trade.contract]?.count ?? 0) - Self.retainedTrades
                if excess > 0 { recentTrades[trade.contract]?.removeFirst(excess) }
            default: break
            }
        }
        // Channels in the order in which they were asked for: the same run says the same things in the same order.
        for key in channelOrder {
            guard let channel = channels[key], !channel.subscribers.isEmpty else { continue }
            for event in events { note(event, channel) }
            if channel.name.interval == .raw || channel.name.interval == nil { flush(channel) }
        }
        greet()
    }

    private func isAbout(_ channel: Channel, _ number: Int) -> Bool {
        if let contract = channel.contract { return contract == number }
        switch channel.name {
        case .trades(.all(let kind, let currency), _), .userOrders(.all(let kind, let currency), _),
            .userTrades(.all(let kind, let currency), _), .userChanges(.all(let kind, let currency), _),
            .instrumentState(let kind, let currency):
            let its = exchange.kindAndCurrency(number)
            return (kind == "any" || kind == its.kind)
                && (currency.lowercased() == "any" || currency.uppercased() == its.currency)
        default: return false
        }
    }

    private func note(_ event: ExchangeEvent, _ channel: Channel) {
        switch event {
        case .book(let number, let previous, let id, let time, let bids, let asks):
            guard channel.contract == number else { return }
            switch channel.name {
            case .book(_, .raw):
                var message = BookMessage()
                message.type = .change
                message.timestamp = time
                message.instrumentName = exchange.name(of: number)
                message.previousChangeID = .value(previous)
                message.changeID = id
                message.bids = bids
                message.asks = asks
                channel.changeID = id
                channel.send(message)
            case .book, .groupedBook, .quote, .ticker: channel.isDirty = true
            default: break
            }
        case .trade(let trade):
            let isOwn = trade.taker.account == channel.account || trade.maker.account == channel.account
            switch channel.name {
            case .trades: if isAbout(channel, trade.contract) { channel.trades.append(trade) }
            case .chart: if channel.contract == trade.contract { channel.isDirty = true }
            case .userTrades, .userChanges:
                if isOwn, isAbout(channel, trade.contract) { channel.trades.append(trade) }
            case .userPortfolio: if isOwn { channel.isDirty = true }
            case .ticker: if channel.contract == trade.contract { channel.isDirty = true }
            default: break
            }
        case .order(let order):
            guard order.account == channel.account else { return }
            switch channel.name {
            case .userOrders, .userChanges:
                if isAbout(channel, order.contract) { channel.orders.append(order) }
            case .userPortfolio: channel.isDirty = true
            default: break
            }
        case .state(let number, let state):
            if case .instrumentState = channel.name, isAbout(channel, number) {
                announce(state, number, channel)
            }
        case .listed(let number):
            if case .instrumentState = channel.name, isAbout(channel, number) {
                announce(.open, number, channel)
            }
        case .index(let index):
            switch channel.name {
            case .priceIndex: if channel.index == index { channel.send(indexPrice(index)) }
            default: break
            }
        case .mark(let number):
            switch channel.name {
            case .ticker, .perpetual: if channel.contract == number { channel.isDirty = true }
            case .markPrices: if exchange.index(of: number) == channel.index { channel.isDirty = true }
            default: break
            }
        case .settled:
            if case .userPortfolio = channel.name { channel.isDirty = true }
        case .protection(let account, let trigger):
            if case .userProtection(let index) = channel.name, account == channel.account,
                index == trigger.indexName
            {
                channel.send(trigger)
            }
        }
    }

    private func announce(_ state: BookState, _ number: Int, _ channel: Channel) {
        var change = InstrumentStateChange()
        change.timestamp = exchange.time
        change.state = state
        change.instrumentName = exchange.name(of: number)
        channel.send(change)
    }

    /// Sends what the channels of an interval have gathered. Those without one that are many, marks and portfolios,
    /// come once a second.
    func flush(_ interval: ChannelInterval) {
        for key in channelOrder {
            guard let channel = channels[key], !channel.subscribers.isEmpty else { continue }
            if channel.name.interval == interval { flush(channel) }
            guard interval == .second, channel.isDirty else { continue }
            switch channel.name {
            case .markPrices:
                channel.isDirty = false
                if let index = channel.index { channel.send(markPrices(index)) }
            case .userPortfolio(let currency):
                channel.isDirty = false
                for figures in portfolio(channel, currency) { channel.send(figures) }
            default: break
            }
        }
    }

    private func flush(_ channel: Channel) {
        switch channel.name {
        case .book(_, let interval): if channel.isDirty, interval != .raw { sendBookChange(channel) }
        case .groupedBook(_, _, let depth, _):
            if channel.isDirty, let contract = channel.contract {
                channel.send(groupedBook(contract, depth: depth))
            }
        case .ticker:
            if channel.isDirty, let contract = channel.contract { channel.send(exchange.ticker(contract)) }
        case .quote:
            if channel.isDirty, let contract = channel.contract { channel.send(exchange.quote(contract)) }
        case .perpetual:
            if channel.isDirty, let contract = channel.contract { channel.send(perpetual(contract)) }
        case .chart(_, let resolution):
            if channel.isDirty, let contract = channel.contract, let minutes = Self.resolutions[resolution],
                let candle = candle(contract, minutes: minutes)
            {
                channel.send(candle)
            }
        case .trades:
            if !channel.trades.isEmpty { channel.send(channel.trades.map { exchange.publicTrade($0) }) }
            channel.trades.removeAll()
        case .userTrades:
            guard let account = channel.account, !channel.trades.isEmpty else { return }
            channel.send(channel.trades.map { exchange.userTrade($0, of: account) })
            channel.trades.removeAll()
        case .userOrders(_, let interval):
            guard !channel.orders.isEmpty else { return }
            let views = channel.orders.map { exchange.view($0) }
            channel.orders.removeAll()
            // Raw orders come one by one, others as a list.
            if interval == .raw { for view in views { channel.send(view) } } else { channel.send(views) }
        case .userChanges: sendChanges(channel)
        case .userPortfolio, .markPrices: return
        default: break
        }
        channel.isDirty = false
    }

    private func sendChanges(_ channel: Channel) {
        guard let account = channel.account else { return }
        let contracts = Set(channel.trades.map(\.contract) + channel.orders.map(\.contract)).sorted()
        for number in contracts {
            var changes = UserChanges()
            changes.instrumentName = exchange.name(of: number)
            let trades = channel.trades.filter { $0.contract == number }
            changes.trades = trades.map { exchange.userTrade($0, of: account) }
            changes.orders = channel.orders.filter { $0.contract == number }.map { exchange.view($0) }
            changes.positions = trades.isEmpty ? [] : [exchange.position(number, of: account)]
            channel.send(changes)
        }
        channel.trades.removeAll()
        channel.orders.removeAll()
    }

    // MARK: Contents

    private func remember(_ channel: Channel, _ contract: Int) {
        channel.isDirty = false
        channel.changeID = exchange.changeID(contract)
        if channel.name.interval != .raw {
            channel.bids = exchange.levels(contract, .buy)
            channel.asks = exchange.levels(contract, .sell)
        }
    }

    private func sendBookChange(_ channel: Channel) {
        guard let contract = channel.contract else { return }
        var message = BookMessage()
        message.type = .change
        message.timestamp = exchange.time
        message.instrumentName = exchange.name(of: contract)
        message.previousChangeID = .value(channel.changeID)
        message.bids = Channel.changes(from: channel.bids, to: exchange.levels(contract, .buy), isBid: true)
        message.asks = Channel.changes(from: channel.asks, to: exchange.levels(contract, .sell), isBid: false)
        remember(channel, contract)
        message.changeID = channel.changeID
        if !message.bids.isEmpty || !message.asks.isEmpty { channel.send(message) }
    }

    private func groupedBook(_ contract: Int, depth: Int) -> GroupedBook {
        var book = GroupedBook()
        book.timestamp = exchange.time
        book.instrumentName = exchange.name(of: contract)
        book.changeID = exchange.changeID(contract)
        book.bids = exchange.levels(contract, .buy, depth: depth)
        book.asks = exchange.levels(contract, .sell, depth: depth)
        return book
    }

    private func indexPrice(_ index: Int) -> IndexPrice {
        var message = IndexPrice()
        message.timestamp = exchange.time
        message.indexName = exchange.indices[index].name
        message.price = Scales.price(exchange.indices[index].price)
        return message
    }

    private func perpetual(_ contract: Int) -> Members {
        let ticker = exchange.ticker(contract)
        return Members([
            ("interest", ticker.currentFunding ?? 0.0), ("index_price", ticker.indexPrice.value ?? 0.0),
            ("timestamp", exchange.time),
        ])
    }

    private func markPrices(_ index: Int) -> [MarkPrice] {
        exchange.liveContracts.filter { exchange.index(of: $0) == index }.compactMap { number in
            let ticker = exchange.ticker(number)
            guard let volatility = ticker.markIV else { return nil }
            var mark = MarkPrice()
            mark.instrumentName = ticker.instrumentName
            mark.markPrice = ticker.markPrice
            // A fraction, where tickers have percent.
            mark.iv = (volatility * 100).rounded() / 10_000
            mark.timestamp = exchange.time
            return mark
        }
    }

    private func portfolio(_ channel: Channel, _ currency: String) -> [AccountFigures] {
        guard let account = channel.account else { return [] }
        return exchange.currencies.indices
            .filter { currency.lowercased() == "any" || exchange.currencies[$0] == currency.uppercased() }
            .map { exchange.figures(of: account, currency: $0) }
    }
}
