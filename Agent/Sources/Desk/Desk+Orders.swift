import Poise
import VenueProtocol

/// What became of orders. Everything may come twice, late, in any order, or not at all.
extension Desk {
    private static let rememberedTrades = 20_000
    private static let rememberedOrders = 2_000

    // MARK: Fills

    /// Counts a trade once, by its currency and number, whichever way it came.
    func take(_ trade: UserTrade) {
        let currency = Self.currency(trade.instrumentName)
        guard seenTrades[currency, default: []].insert(trade.tradeID).inserted else {
            state.counters.duplicates += 1
            return
        }
        remember(trade, currency)
        // What was there before the books were given the account's positions is in them.
        guard state.hasAdopted, trade.timestamp >= state.adoptedAt,
            var quantity = Quantity(trade.amount, trade.direction)
        else { return }
        state.counters.fills += 1
        var book = configuration.books[0].name
        if let place = place(label: trade.label ?? "", orderID: trade.orderID) {
            let order = state.orders[place]
            if (order.quantity < .zero) != (quantity < .zero) {
                report(.alarm, trade.instrumentName, "trade \(trade.tradeID) has its order's other side")
                quantity = -quantity
            }
            book = order.book
            state.orders[place].filled += quantity
            fillLeg(of: order, quantity)
            measure(trade, order.prices, quantity.direction)
        } else if let closed = state.closedOrders.last(where: {
            $0.orderID == trade.orderID && !trade.orderID.isEmpty || $0.label == trade.label
        }) {
            book = closed.book
        } else {
            report(
                .foreign, trade.instrumentName, "trade \(trade.tradeID) is of no order of this desk",
                quantity.amount)
        }
        add(quantity, of: trade.instrumentName, to: book)
        report(.fill, trade.instrumentName, "\(trade.label ?? "") in \(book)", quantity.amount, trade.price)
        if let place = place(label: trade.label ?? "", orderID: trade.orderID) { closeIfWhole(place) }
    }

    static func currency(_ instrumentName: String) -> String {
        InstrumentName(instrumentName).map { $0.quote ?? $0.base } ?? ""
    }

    private func remember(_ trade: UserTrade, _ currency: String) {
        let place: Int
        if let known = state.seenTrades.firstIndex(where: { $0.currency == currency }) {
            place = known
        } else {
            place = state.seenTrades.count
            var fresh = SeenTrades()
            fresh.currency = currency
            state.seenTrades.append(fresh)
        }
        state.seenTrades[place].ids.append(trade.tradeID)
        state.seenTrades[place].latest = max(state.seenTrades[place].latest, trade.timestamp)
        guard state.seenTrades[place].ids.count >= 2 * Self.rememberedTrades else { return }
        state.seenTrades[place].ids.removeFirst(Self.rememberedTrades)
        seenTrades[currency] = Set(state.seenTrades[place].ids)
    }

    /// Adds to what a book holds.
    func add(_ quantity: Quantity, of name: String, to book: String) {
        var held = quantity
        let count = state.holdings.count
        if let place = state.holdings.firstIndex(where: { $0.book == book && $0.instrumentName == name }) {
            state.holdings[place].quantity += quantity
            held = state.holdings[place].quantity
            if held == .zero { state.holdings.remove(at: place) }
        } else {
            state.holdings.append(Holding(book, name, quantity))
        }
        if state.holdings.count != count { places.follow(state, placeOfContract) }
        guard let place = placeOfContract[name] else { return }
        if engine.figure(name, .delta) == nil { enlist(place) }
        do throws(RiskError) { try engine.setPosition(name, book: book, held) } catch {
            report(.alarm, name, "\(book)'s position is not in the exposures: \(error)")
        }
    }

    /// What all books together hold.
    public func position(_ name: String) -> Quantity {
        state.holdings.reduce(into: .zero) { if $1.instrumentName == name { $0 += $1.quantity } }
    }

    private func measure(_ trade: UserTrade, _ arrival: ArrivalPrices, _ direction: Direction) {
        guard let place = placeOfContract[trade.instrumentName] else { return }
        let contract = state.contracts[place]
        let index = dollars(contract.instrument.baseCurrency) ?? trade.indexPrice
        let perPrice =
            contract.dollarsPerPrice(at: arrival.decided, index: index) * trade.amount.value
        state.counters.shortfall += Shortfall(
            arrival, price: trade.price, direction: direction, perPrice: perPrice,
            fee: trade.fee * (dollars(trade.feeCurrency) ?? 0))
    }

    // MARK: Finding

    func place(label: String, orderID: String) -> Int? {
        state.orders.firstIndex {
            !label.isEmpty && $0.label == label || !orderID.isEmpty && $0.orderID == orderID
        }
    }

    /// Whether a label is one that this desk makes.
    func isOwn(_ label: String) -> Bool { label.hasPrefix(configuration.name + "-") }

    // MARK: Orders

    func take(_ reply: LabelledReply) {
        state.counters.refusalsInARow = 0
        for trade in reply.reply.trades { take(trade) }
        take(reply.reply.order)
    }

    /// An order as the venue shows it. It never goes back.
    func take(_ order: VenueOrder) {
        guard let place = place(label: order.label, orderID: order.orderID) else { return }
        guard state.orders[place].venueFilled == nil else { return }
        guard order.lastUpdateTimestamp >= state.orders[place].updatedAt || order.state.isFinal else {
            return
        }
        state.orders[place].updatedAt = order.lastUpdateTimestamp
        state.orders[place].orderID = order.orderID
        if case .limit(let price) = order.price { state.orders[place].price = price }
        guard order.state.isFinal else {
            if state.orders[place].phase != .open {
                if state.orders[place].phase == .unknown {
                    report(.resolved, order.label, "is open at the venue")
                }
                state.orders[place].phase = .open
                state.orders[place].nextTry = 0
            }
            // More is filled than has come: the trades are asked for if they stay away.
            let filled = order.filledAmount.flatMap { Quantity($0) } ?? .zero
            if filled > state.orders[place].announced {
                state.orders[place].announced = filled
                state.orders[place].nextTry = state.time + configuration.execution.retry
            }
            return
        }
        if order.state == .rejected { noteRefusal(order.label, "rejected", nil) }
        let filled = order.filledAmount.flatMap { Quantity($0) } ?? .zero
        state.orders[place].venueFilled = filled
        state.orders[place].phase = .missingFills
        state.orders[place].nextTry = state.time + configuration.execution.retry
        closeIfWhole(place)
    }

    /// An order is forgotten when it is over and all that the venue counts as filled has come.
    private func closeIfWhole(_ place: Int) {
        let order = state.orders[place]
        guard let filled = order.venueFilled, order.filled.magnitude >= filled else { return }
        close(place)
    }

    private func close(_ place: Int) {
        let order = state.orders.remove(at: place)
        var closed = ClosedOrder()
        (closed.label, closed.orderID, closed.book) = (order.label, order.orderID ?? "", order.book)
        state.closedOrders.append(closed)
        if state.closedOrders.count >= 2 * Self.rememberedOrders {
            state.closedOrders.removeFirst(Self.rememberedOrders)
        }
        closeLeg(of: order)
    }

    /// No answer came.
    func lostSight(of label: String) {
        guard let place = place(label: label, orderID: ""), state.orders[place].phase == .sent else { return }
        state.orders[place].phase = .unknown
        state.counters.unknown += 1
        report(.unknown, label, "no answer: looked up before anything else is sent there")
        lookUp(place)
    }

    func lookUp(_ place: Int) {
        let order = state.orders[place]
        state.orders[place].nextTry = state.time + configuration.execution.retry
        emit(.lookUp(label: order.label, currency: Self.currency(order.instrumentName)))
    }

    /// The venue has no order of that label. One that may still be on its way is looked up again.
    func neverArrived(_ label: String) {
        guard let place = place(label: label, orderID: ""), state.orders[place].phase != .missingFills,
            state.time > state.orders[place].validUntil
        else { return }
        report(.resolved, label, "never arrived at the venue, or is gone from its lists")
        close(place)
    }

    // MARK: Refusals

    func refused(_ label: String, _ fault: VenueFault) {
        guard let place = place(label: label, orderID: "") else { return }
        switch fault.faultClass {
        case .unknownOutcome:
            state.orders[place].phase = .sent
            return lostSight(of: label)
        case .retry: report(.refused, label, "for now: \(fault.message)", Double(fault.code))
        case .final, .protocolFault: noteRefusal(label, fault.message, fault.code)
        case .authentication, .halt:
            noteRefusal(label, fault.message, fault.code)
            arm(.pause, by: "venue", "\(fault.message) (\(fault.code))")
        }
        let order = state.orders[place]
        giveUpLeg(of: order, until: state.time + configuration.execution.retry)
        close(place)
    }

    private func noteRefusal(_ label: String, _ reason: String, _ code: Int?) {
        state.counters.refused += 1
        state.counters.refusalsInARow += 1
        report(.refused, label, reason, code.map { Double($0) })
        let most = configuration.guards.refusalsInARow
        if state.counters.refusalsInARow >= most {
            arm(.pause, by: "desk", "\(state.counters.refusalsInARow) orders refused in a row")
        }
    }

    // MARK: Cancels

    /// Asks for an order's end; again until the venue says that it is over.
    func cancel(_ place: Int) {
        state.orders[place].cancelAsked = true
        guard state.orders[place].phase == .open, let id = state.orders[place].orderID,
            state.time >= state.orders[place].nextTry
        else { return }
        state.orders[place].nextTry = state.time + configuration.execution.retry
        emit(.cancel(orderID: id, label: state.orders[place].label))
    }

    func cancelRefused(_ label: String, _ fault: VenueFault) {
        guard let place = place(label: label, orderID: "") else { return }
        if fault.saysAlreadyClosed { return lookUp(place) }
        report(.refused, label, "the cancel: \(fault.message); it is tried again", Double(fault.code))
        state.orders[place].nextTry = state.time + configuration.execution.retry
    }

    // MARK: Time

    /// Goes after orders whose fate is open.
    func watchOrders() {
        var place = 0
        while place < state.orders.count {
            let order = state.orders[place]
            switch order.phase {
            case .sent where state.time > order.sentAt + configuration.execution.answerDeadline:
                lostSight(of: order.label)
            case .unknown where state.time >= order.nextTry && state.line.isUp: lookUp(place)
            case .missingFills where state.time >= order.nextTry,
                .open where order.announced > order.filled.magnitude && state.time >= order.nextTry:
                state.orders[place].nextTry = state.time + configuration.execution.retry
                emit(
                    .askTrades(
                        currency: Self.currency(order.instrumentName), since: order.sentAt - 60_000))
            case .open where order.cancelAsked && state.time >= order.nextTry: cancel(place)
            default: break
            }
            place += 1
        }
    }
}
