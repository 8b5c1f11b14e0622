import Desk
import VenueClient
import VenueProtocol

/// What the desk wants, as requests; and what became of them.
extension LiveDesk {
    func carryOut(_ intent: DeskIntent) {
        switch intent {
        case .report(let report):
            statistics.count(report)
            said(report)
        case .place(let request): place(request)
        case .cancel(let id, let label):
            guard mode != .dry else { return }
            if paper != nil {
                paper?.cancel(id, label: label, at: clock.milliseconds(at: now))
            } else {
                door?.send(.cancel(orderID: id), tag: tag(.cancel(label: label)))
            }
        case .cancelAll:
            guard mode != .dry else { return }
            if paper != nil {
                paper?.cancelAll(at: clock.milliseconds(at: now))
            } else {
                door?.send(.cancelAll, tag: tag(.cancelAll))
            }
        case .lookUp(let label, let currency):
            guard mode != .paper else { return answers.append(.absent(label: label)) }
            var selection = Selection()
            (selection.label, selection.currency) = (label, currency)
            ask("private/get_order_state_by_label", selection, .lookUp(label: label))
        case .askTrades(let currency, let since):
            if mode != .paper { ask(TradePage(currency, since: since)) }
        case .askOpenOrders:
            if let paper {
                answers.append(.openOrders(paper.openOrders))
            } else {
                ask("private/get_open_orders", Selection(), .openOrders)
            }
        case .askPositions:
            if let paper {
                answers.append(.positions(paper.positions))
            } else {
                ask("private/get_positions", Selection(), .positions)
            }
        }
    }

    private func place(_ request: OrderRequest) {
        if let arrival { statistics.tickToOrder.note(arrival.duration(to: .now)) }
        switch mode {
        case .live: door?.send(.place(request), tag: tag(.place(label: request.label ?? "")))
        case .dry: answers.append(.refused(LabelledFault(request.label ?? "", VenueFault(.retry))))
        case .paper:
            guard let instrument = market.instruments[request.instrumentName] else {
                let fault = LabelledFault(request.label ?? "", VenueFault(.invalidInstrument))
                return answers.append(.refused(fault))
            }
            let book = Self.view(request.instrumentName, market.books[request.instrumentName]?.value)
            paper?.place(
                request, instrument, book, index: index(of: instrument), at: clock.milliseconds(at: now))
        }
    }

    private func ask(_ method: String, _ selection: Selection, _ question: Question) {
        guard let parameters = try? JSONTape(selection.json).root else { return }
        door?.send(.call(method: method, parameters: parameters), tag: tag(question))
    }

    private func ask(_ page: TradePage) { ask(page.method, page.selection, .trades(page)) }

    // MARK: Outcomes

    func decide(_ question: Question, _ outcome: RequestOutcome) throws {
        switch (question, outcome) {
        case (.place(let label), .order(let reply)): try deliver(.reply(LabelledReply(label, reply)))
        case (.place(let label), .fault(let fault)): try deliver(.refused(LabelledFault(label, fault)))
        // It was taken, and what became of it cannot be read.
        case (.place(let label), .result), (.place(let label), .unknown):
            try deliver(.unknown(label: label))
        case (.cancel(let label), .fault(let fault)):
            try deliver(.cancelRefused(LabelledFault(label, fault)))
        case (_, .fault(let fault)): try decide(question, fault)
        case (_, .result(let result)):
            do { try decide(question, result) } catch let error as VenueProtocolError {
                statistics.unreadable += 1
                remark("\(question): the answer could not be read: \(error)")
            }
        // No answer is no empty answer: the desk asks again.
        case (_, .unknown), (_, .order): break
        }
    }

    private func decide(_ question: Question, _ fault: VenueFault) throws {
        if case .lookUp(let label) = question, fault.saysAlreadyClosed {
            return try deliver(.absent(label: label))
        }
        if case .cancelAll = question { statistics.cancelsRefused += 1 }
        remark("\(question): \(fault.message) (\(fault.code))")
    }

    private func decide(_ question: Question, _ result: JSONValue) throws {
        switch question {
        case .place, .cancel, .cancelAll: break
        case .lookUp(let label):
            let found = try [VenueOrder](result)
            if found.isEmpty { try deliver(.absent(label: label)) }
            for order in found { try deliver(.order(order)) }
        case .trades(let page):
            let list = try TradeList<UserTrade>(result)
            try deliver(.trades(list.trades))
            if let next = try page.next(after: list) { ask(next) }
        case .openOrders:
            let list = try [VenueOrder](result)
            openOrders = Dictionary(list.map { ($0.orderID, $0) }, uniquingKeysWith: { first, _ in first })
            try deliver(.openOrders(list))
        case .positions:
            let list = try [Position](result)
            hasPositions = true
            try tellPositions(list)
        }
    }
}
