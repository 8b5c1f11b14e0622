import VenueProtocol

/// The account as the venue lists it: after every opening, after every doubt, and now and then on a line that seems well.
extension TradingClient {
    func reconcile(at time: Int) {
        guard questions.isEmpty else { return }
        askAgainAt = nil
        nextReview = time + reviewInterval
        if let offset = connection.clockOffset { forgetOld(before: (time + offset) / 1_000 - retention) }
        ask(.openOrders, "private/get_open_orders", Selection(), at: time)
        // The latest one that was listed comes again, and counts once. What channels told is no mark to go on from: an earlier one
        // may have been lost.
        for currency in currencies {
            askTrades(TradePage(currency, since: listedUntil[currency] ?? 0), at: time)
        }
        ask(.positions, "private/get_positions", Selection(), at: time)
        ask(.portfolios, "private/get_account_summaries", Selection(), at: time)
        for label in account.unknownLabels {
            var selection = Selection()
            selection.label = label
            selection.currency = sent[label]?.currency
            ask(.label(label), "private/get_order_state_by_label", selection, at: time)
        }
    }

    private func askTrades(_ page: TradePage, at time: Int) {
        ask(.trades(page), page.method, page.selection, at: time)
    }

    private func ask(_ question: Question, _ method: String, _ selection: Selection, at time: Int) {
        questions[connection.request(method, selection, at: time)] = question
    }

    func decide(_ question: Question, _ outcome: ClientConnection.Outcome, at time: Int) {
        if case .result(let result) = outcome {
            do throws(VenueProtocolError) { try answered(question, result, at: time) } catch {
                askAgainAt = time + 1_000_000
                effects.append(.unreadable(channel: "reconciliation", reason: error.description))
            }
        } else if case .fault(let fault) = outcome, fault.saysAlreadyClosed, notFound(question, at: time) {
            // Nothing there is an answer too.
        } else {
            // No answer is not an empty answer.
            askAgainAt = time + 1_000_000
        }
        guard questions.isEmpty, askAgainAt == nil, connection.isReady else { return }
        reconciliations += 1
        guard !isReconciled else { return }
        isReconciled = true
        effects.append(.reconciled)
    }

    private func answered(_ question: Question, _ result: JSONValue, at time: Int) throws(VenueProtocolError)
    {
        switch question {
        case .openOrders:
            let listed = try [VenueOrder](result)
            for order in listed { note(.order(order)) }
            for id in account.vanished(from: listed) {
                var selection = Selection()
                selection.orderID = id
                ask(.state(order: id), "private/get_order_state", selection, at: time)
            }
        case .trades(let page):
            let list = try TradeList<UserTrade>(result)
            for trade in list.trades { note(.trade(trade)) }
            let latest = list.trades.map(\.timestamp).max() ?? 0
            listedUntil[page.currency] = max(listedUntil[page.currency] ?? 0, latest)
            if let next = try page.next(after: list) { askTrades(next, at: time) }
        case .positions: note(.positions(try [Position](result)))
        case .portfolios:
            let summaries = try AccountSummaries(result).summaries
            for figures in summaries { note(.portfolio(figures)) }
            if let limits = summaries.lazy.compactMap(\.limits).first {
                connection.use(
                    orders: limits.matchingEngine?.trading?.total, requests: limits.nonMatchingEngine,
                    at: time)
            }
        case .label:
            let found = try [VenueOrder](result)
            for order in found { note(.order(order)) }
            if found.isEmpty { _ = notFound(question, at: time) }
        case .state: note(.order(try VenueOrder(result)))
        }
    }

    /// - Returns: whether that decides the question.
    private func notFound(_ question: Question, at time: Int) -> Bool {
        switch question {
        case .label(let label):
            // As long as the venue would still take it, it may be on its way.
            if time >= sent[label]?.decidable ?? 0 {
                note(.intent(label: label, .neverArrived))
            } else {
                askAgainAt = min(askAgainAt ?? .max, sent[label]?.decidable ?? time)
            }
        case .state(let id):
            // The venue keeps orders that were cancelled for half an hour. What was filled of it trades tell.
            guard var order = account.orders[id] else { return true }
            order.state = .archive
            note(.order(order))
        default: return false
        }
        return true
    }
}
