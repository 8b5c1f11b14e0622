import TestExchange
import VenueProtocol

extension VenueService {
    func performPrivate(_ call: Call) throws(VenueFault) -> any VenueValue {
        guard let account = call.account else { throw VenueFault(.authorizationRequired) }
        switch call.method {
        case "private/buy", "private/sell":
            var request: OrderRequest = try read(call)
            request.direction = call.method == "private/buy" ? .buy : .sell
            request.validUntil = request.validUntil.map { $0 - clockSkew }
            return reply(try exchange.place(request, account: account, connection: call.session.id), account)
        case "private/edit", "private/edit_by_label": return try edit(call, account)
        case "private/close_position":
            let selection: Selection = try read(call)
            let number = try contract(call)
            let size = exchange.position(number, of: account).size.value
            guard size != 0 else { throw VenueFault(.otherReject, detail: .init(reason: "no position")) }
            var request = OrderRequest(
                size > 0 ? .sell : .buy, exchange.name(of: number), amount: MessageAmount(abs(size)),
                price: selection.price, type: selection.type.flatMap { OrderType(rawValue: $0) } ?? .limit)
            request.isReduceOnly = true
            return reply(try exchange.place(request, account: account, connection: call.session.id), account)
        case "private/cancel":
            return exchange.view(try exchange.cancel(try orderNumber(call), account: account))
        case "private/cancel_all", "private/cancel_all_by_currency", "private/cancel_all_by_instrument",
            "private/cancel_all_by_kind_or_type", "private/cancel_by_label":
            return try cancelMany(call, account)
        case "private/get_open_orders", "private/get_open_orders_by_currency",
            "private/get_open_orders_by_instrument",
            "private/get_open_orders_by_label":
            let isChosen = try orderFilter(call)
            return exchange.openOrders(of: account).filter(isChosen).map { exchange.view($0) }
        case "private/get_order_state":
            return exchange.view(try exchange.order(try orderNumber(call), of: account))
        case "private/get_order_state_by_label":
            let isChosen = try orderFilter(call)
            let orders = exchange.openOrders(of: account) + exchange.closedOrders(of: account)
            return orders.filter(isChosen).map { exchange.view($0) }
        case "private/get_order_history_by_currency", "private/get_order_history_by_instrument":
            let selection: Selection = try read(call)
            let isChosen = try orderFilter(call)
            let orders = exchange.closedOrders(of: account).filter {
                isChosen($0) && ($0.filled > 0 || selection.includesUnfilled ?? false)
            }
            return orders.dropFirst(max(0, selection.offset ?? 0)).prefix(
                min(max(selection.count ?? 20, 1), 1_000)
            )
            .map { exchange.view($0) }
        case "private/get_user_trades_by_currency", "private/get_user_trades_by_currency_and_time",
            "private/get_user_trades_by_instrument", "private/get_user_trades_by_instrument_and_time",
            "private/get_user_trades_by_order":
            return try userTrades(call, account)
        case "private/get_position": return exchange.position(try contract(call), of: account)
        case "private/get_positions":
            let isChosen = try isChosen(try read(call))
            return exchange.positions(of: account).filter { isChosen($0.contract) }
                .map { exchange.position($0.contract, of: account) }
        case "private/get_account_summary": return try summary(call, account)
        case "private/get_account_summaries":
            var result = AccountSummaries()
            result.holder = exchange.holder(of: account)
            result.summaries = exchange.currencies.indices.map { figures(account, $0) }
            return result
        case "private/get_transaction_log": return try log(call, account)
        case "private/get_margins": return try margins(call)
        case "private/set_self_trading_config":
            guard let mode = call.parameters["mode"]?.string.flatMap({ SelfTradingMode(rawValue: $0) }) else {
                throw invalid("mode")
            }
            exchange.setSelfTrading(
                mode, isExtended: call.parameters["extended_to_subaccounts"]?.boolean ?? false, of: account)
            return "ok"
        case "private/set_mmp_config", "private/get_mmp_config", "private/get_mmp_status",
            "private/reset_mmp":
            return try protection(call, account)
        case "private/enable_cancel_on_disconnect", "private/disable_cancel_on_disconnect",
            "private/get_cancel_on_disconnect":
            return try cancelOnDisconnect(call, account)
        case "private/logout":
            call.session.cancelsOnDisconnect = false
            call.session.close(1_000)
            return "ok"
        default: throw VenueFault(.methodNotFound)
        }
    }

    private func reply(_ result: (order: ExchangeOrder, trades: [ExchangeTrade]), _ account: Int)
        -> OrderReply
    {
        OrderReply(
            order: exchange.view(result.order),
            trades: result.trades.map { exchange.userTrade($0, of: account) })
    }

    private func orderNumber(_ call: Call) throws(VenueFault) -> Int {
        guard let text = try read(call, as: Selection.self).orderID else { throw invalid("order_id") }
        guard let number = Exchange.orderNumber(text) else { throw VenueFault(.orderNotFound) }
        return number
    }

    private func edit(_ call: Call, _ account: Int) throws(VenueFault) -> OrderReply {
        var request: EditRequest = try read(call)
        request.validUntil = request.validUntil.map { $0 - clockSkew }
        let number: Int
        if call.method == "private/edit" {
            number = try orderNumber(call)
        } else {
            let matching = exchange.openOrders(of: account).filter { order in
                order.label == request.label ?? ""
                    && (request.instrumentName.map { exchange.name(of: order.contract) == $0 } ?? true)
            }
            guard matching.count == 1 else { throw VenueFault(.orderNotFound) }
            number = matching[0].id
        }
        return reply(try exchange.edit(number, request, account: account), account)
    }

    /// Which orders a request is about.
    private func orderFilter(_ call: Call) throws(VenueFault) -> (ExchangeOrder) -> Bool {
        let selection: Selection = try read(call)
        let isChosen = try isChosen(selection)
        var contract: Int?
        if selection.instrumentName != nil { contract = try self.contract(call) }
        let type = selection.type
        return { order in
            guard isChosen(order.contract), contract == nil || contract == order.contract,
                selection.label == nil || selection.label == order.label
            else { return false }
            switch type {
            case nil, "all": return true
            case "limit": return !order.type.isTriggered
            case "trigger_all": return order.type.isTriggered
            case "stop_all", "stop": return order.type == .stopLimit || order.type == .stopMarket
            case "take_all": return order.type == .takeLimit || order.type == .takeMarket
            default: return order.type.rawValue == type
            }
        }
    }

    private func cancelMany(_ call: Call, _ account: Int) throws(VenueFault) -> any VenueValue {
        if call.method == "private/cancel_by_label", try read(call, as: Selection.self).label == nil {
            throw invalid("label")
        }
        if call.method == "private/cancel_all_by_instrument" { _ = try contract(call) }
        let isChosen = call.method == "private/cancel_all" ? { _ in true } : try orderFilter(call)
        let cancelled = exchange.cancelAll(of: account, where: isChosen)
        guard try read(call, as: Selection.self).isDetailed ?? false else { return cancelled.count }
        return cancelled.map { exchange.view($0) }
    }

    private func userTrades(_ call: Call, _ account: Int) throws(VenueFault) -> any VenueValue {
        let selection: Selection = try read(call)
        let isChosen = try isChosen(selection)
        var contract: Int?
        if selection.instrumentName != nil { contract = try self.contract(call) }
        var order: Int?
        if call.method == "private/get_user_trades_by_order" { order = try orderNumber(call) }
        let trades = exchange.trades(of: account).reversed().filter { trade in
            isChosen(trade.contract) && (contract == nil || contract == trade.contract)
                && (order == nil || trade.taker.order == order || trade.maker.order == order)
        }
        let (chosen, hasMore) = page(Array(trades), selection)
        let views = chosen.map { exchange.userTrade($0, of: account) }
        // By order it is a list and nothing around it.
        return order == nil ? TradeList(views, hasMore: hasMore) : views
    }

    func figures(_ account: Int, _ currency: Int) -> AccountFigures {
        var figures = exchange.figures(of: account, currency: currency)
        var engine = AccountLimits.MatchingEngine()
        engine.trading = AccountLimits.MatchingEngine.Trading()
        engine.trading?.total = configuration.limits.matching
        engine.spot = configuration.limits.matching
        engine.quotes = configuration.limits.matching
        engine.cancelAll = configuration.limits.matching
        var limits = AccountLimits()
        limits.areByCurrency = false
        limits.nonMatchingEngine = configuration.limits.nonMatching
        limits.matchingEngine = engine
        figures.limits = limits
        return figures
    }

    private func summary(_ call: Call, _ account: Int) throws(VenueFault) -> AccountSummary {
        let selection: Selection = try read(call)
        guard let currency = exchange.currencies.firstIndex(of: selection.currency?.uppercased() ?? "") else {
            throw invalid("currency")
        }
        var result = AccountSummary()
        result.figures = figures(account, currency)
        if selection.isExtended ?? false { result.holder = exchange.holder(of: account) }
        return result
    }

    private func log(_ call: Call, _ account: Int) throws(VenueFault) -> TransactionLog {
        let selection: Selection = try read(call)
        _ = try isChosen(selection)
        let limit = min(max(selection.count ?? 100, 1), 250)
        let currency = selection.currency.flatMap { $0.lowercased() == "any" ? nil : $0.uppercased() }
        // Latest first; a continuation is the number of the first entry that was left out.
        let entries = exchange.log(of: account).reversed().filter { entry in
            (currency == nil || entry.currency == currency)
                && (selection.startTimestamp.map { entry.timestamp >= $0 } ?? true)
                && (selection.endTimestamp.map { entry.timestamp <= $0 } ?? true)
                && (selection.continuation.map { entry.id <= $0 } ?? true)
                && (selection.query.map { entry.type == $0 || entry.instrumentName == $0 } ?? true)
                && (selection.instrumentName.map { entry.instrumentName == $0 } ?? true)
        }
        var result = TransactionLog()
        result.logs = Array(entries.prefix(limit))
        result.continuation = Presence(entries.count > limit ? entries[limit].id : nil)
        return result
    }

    private func margins(_ call: Call) throws(VenueFault) -> Members {
        let number = try contract(call)
        let request: OrderRequest = try read(call)
        guard let amount = request.amount?.value, amount > 0, let units = Scales.units(amount) else {
            throw invalid("amount")
        }
        let ticker = exchange.ticker(number)
        let (buy, sell) = exchange.orderMargins(number, amount: units, price: request.price)
        let fees = exchange.orderFees(number, amount: units, price: request.price)
        return Members([
            ("buy", Scales.money(buy)), ("sell", Scales.money(sell)), ("min_price", ticker.minPrice),
            ("max_price", ticker.maxPrice), ("buy_taker_fee", Scales.money(fees.taker)),
            ("buy_maker_fee", Scales.money(fees.maker)), ("sell_taker_fee", Scales.money(fees.taker)),
            ("sell_maker_fee", Scales.money(fees.maker)),
        ])
    }

    private func cancelOnDisconnect(_ call: Call, _ account: Int) throws(VenueFault) -> any VenueValue {
        let scope: CancelOnDisconnectScope
        switch call.parameters["scope"]?.string {
        case nil: scope = .connection
        case let text?:
            guard let known = CancelOnDisconnectScope(rawValue: text) else { throw invalid("scope") }
            scope = known
        }
        guard call.session.isPersistent || scope == .account else { throw VenueFault(.mustBeWebSocket) }
        switch (call.method, scope) {
        case ("private/get_cancel_on_disconnect", .connection):
            return Members([("scope", scope), ("enabled", call.session.cancelsOnDisconnect)])
        case ("private/get_cancel_on_disconnect", .account):
            return Members([("scope", scope), ("enabled", accountsThatCancel.contains(account))])
        case ("private/enable_cancel_on_disconnect", .account): accountsThatCancel.insert(account)
        case ("private/enable_cancel_on_disconnect", .connection): call.session.cancelsOnDisconnect = true
        case (_, .account): accountsThatCancel.remove(account)
        case (_, .connection): call.session.cancelsOnDisconnect = false
        }
        return "ok"
    }
}
