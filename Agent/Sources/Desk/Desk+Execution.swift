import VenueProtocol

/// Plans become orders: one per leg at a time, until each is filled, given up, or not wanted any more.
extension Desk {
    /// Takes a plan up.
    func begin(_ plan: Plan) {
        var plan = plan
        plan.number = state.nextPlan
        state.nextPlan += 1
        state.counters.plans += 1
        let trades = plan.legs.map { "\($0.instrumentName) \($0.target.amount)" }.joined(separator: ", ")
        report(
            .plan, plan.underlying, "\(plan.number)\(plan.isFlattening ? " flattens" : ""): \(trades)")
        state.plans.append(plan)
        work(state.plans.count - 1)
    }

    /// Works all plans, and puts those that are over aside.
    func execute() {
        for place in state.plans.indices { work(place) }
        var place = 0
        while place < state.plans.count {
            let plan = state.plans[place]
            guard plan.isOver, !state.orders.contains(where: { $0.plan == plan.number }) else {
                place += 1
                continue
            }
            state.plans.remove(at: place)
            let open = plan.legs.filter { $0.filled != $0.target }.count
            report(
                .done, plan.underlying,
                open == 0 ? "\(plan.number): all filled" : "\(plan.number): \(open) of its trades not whole")
            for line in state.lines.indices where state.lines[line].underlying == plan.underlying {
                state.lines[line].restUntil = state.time + configuration.execution.rest
            }
        }
    }

    private func work(_ place: Int) {
        let plan = state.plans[place]
        for number in plan.legs.indices {
            let leg = state.plans[place].legs[number]
            if leg.label.isEmpty {
                if !leg.isOver, state.time >= leg.notBefore { send(place, number) }
            } else if let order = self.place(label: leg.label, orderID: "") {
                tend(order, leg, plan)
            }
        }
    }

    // MARK: Orders that work

    /// An order that waits at the touch follows it, and is taken back to cross after a time.
    private func tend(_ place: Int, _ leg: Plan.Leg, _ plan: Plan) {
        let order = state.orders[place]
        guard order.phase == .open, order.style == .join, !order.cancelAsked else { return }
        if leg.isOver { return cancel(place) }
        if state.time - plan.startedAt >= configuration.execution.crossAfter { return cancel(place) }
        guard let contract = placeOfContract[order.instrumentName], let book = state.contracts[contract].book
        else { return }
        let own = order.quantity > .zero ? book.bids.first?.price : book.asks.first?.price
        guard let own, state.time >= order.sentAt + configuration.execution.retry else { return }
        let isLeft = order.quantity > .zero ? own > order.price : own < order.price
        if isLeft { cancel(place) }
    }

    // MARK: Sending

    private func send(_ place: Int, _ number: Int) {
        let plan = state.plans[place]
        let leg = plan.legs[number]
        guard let known = placeOfContract[leg.instrumentName] else { return giveUp(place, number) }
        let contract = state.contracts[known]
        let rest = (leg.target - leg.filled).rounded(toStep: contract.step)
        guard rest != .zero, rest.magnitude >= contract.minimum else {
            note(dust: leg.target - leg.filled, leg.instrumentName, plan)
            return giveUp(place, number)
        }
        let hasWaited = state.time - plan.startedAt >= configuration.execution.crossAfter
        let style = leg.style == .join && !hasWaited ? ExecutionSettings.Style.join : .cross
        guard let (quantity, price) = terms(contract, rest, style) else {
            report(.guarded, leg.instrumentName, "nobody quotes within the collar")
            return giveUp(place, number)
        }
        let proposal = Proposal(
            contract: contract, quantity: quantity, price: price, isFlattening: plan.isFlattening)
        if let refusal = refusal(of: proposal) {
            if refusal.mayWait {
                state.plans[place].legs[number].notBefore = state.time + 100
                return
            }
            state.counters.guarded += 1
            report(
                .guarded, leg.instrumentName, "\(refusal.by.rawValue): \(refusal.text)", refusal.figure,
                refusal.bound)
            if refusal.by == .repeated { arm(.pause, by: "desk", "\(leg.instrumentName): \(refusal.text)") }
            rememberReason(plan.underlying, "\(refusal.by.rawValue): \(refusal.text)")
            return giveUp(place, number)
        }
        send(proposal, style, place, number)
    }

    /// Amount and price of an order.
    private func terms(
        _ contract: Contract, _ rest: Quantity, _ style: ExecutionSettings.Style
    ) -> (Quantity, Double)? {
        let direction = rest.direction
        guard let book = contract.book, book.isValid else { return nil }
        if style == .join {
            let own = direction == .buy ? book.bids.first?.price : book.asks.first?.price
            if let own { return (rest, contract.instrument.priceOnTick(own, direction)) }
        }
        guard let mark = markCollar(contract, direction), let touch = touchCollar(contract, direction) else {
            return nil
        }
        // As deep as it needs, and no deeper than the collars.
        let sign = Double(direction.sign)
        let bound = sign * min(sign * mark, sign * touch)
        var offered = Quantity.zero
        var price: Double?
        for level in book.levels(against: direction) where sign * level.price <= sign * bound {
            guard offered < rest.magnitude else { break }
            offered += Quantity(level.amount) ?? .zero
            price = level.price
        }
        guard let price else { return nil }
        let amount = min(offered, rest.magnitude).rounded(toStep: contract.step)
        guard amount >= contract.minimum else { return nil }
        return (direction == .buy ? amount : -amount, price)
    }

    private func send(
        _ proposal: Proposal, _ style: ExecutionSettings.Style, _ place: Int, _ number: Int
    ) {
        let plan = state.plans[place]
        let execution = configuration.execution
        var order = DeskOrder()
        order.label = "\(configuration.name)-\(state.run)-\(state.nextOrder)"
        state.nextOrder += 1
        order.instrumentName = proposal.name
        order.book = plan.book ?? configuration.books[0].name
        order.plan = plan.number
        (order.quantity, order.price, order.style) = (proposal.quantity, proposal.price, style)
        order.isReducing = isReducing(proposal)
        (order.sentAt, order.validUntil) = (state.time, state.time + execution.orderLife)
        let middle = proposal.contract.middle ?? proposal.price
        order.prices.decided = plan.legs[number].middle > 0 ? plan.legs[number].middle : middle
        order.prices.sent = middle
        order.prices.touch =
            proposal.contract.book?.levels(against: proposal.direction).first?.price ?? middle
        var request = OrderRequest(
            proposal.direction, proposal.name, amount: proposal.quantity.messageAmount, price: proposal.price,
            label: order.label)
        request.timeInForce = style == .cross ? .immediateOrCancel : .goodTilCancelled
        request.isPostOnly = style == .join ? true : nil
        request.isReduceOnly = plan.isFlattening ? true : nil
        request.validUntil = order.validUntil
        state.orders.append(order)
        state.plans[place].legs[number].label = order.label
        state.counters.sent += 1
        state.counters.sentToday += 1
        var sent = SentOrder()
        (sent.time, sent.instrumentName) = (state.time, proposal.name)
        (sent.quantity, sent.price) = (proposal.quantity, proposal.price)
        let oldest = state.time - max(1_000, Int(configuration.guards.repeatedSeconds * 1_000))
        state.counters.recent.removeAll { $0.time <= oldest }
        state.counters.recent.append(sent)
        report(
            .order, proposal.name, "\(order.label) \(style.rawValue)", proposal.quantity.amount,
            proposal.price)
        emit(.place(request))
    }

    private func giveUp(_ place: Int, _ number: Int) { state.plans[place].legs[number].isOver = true }

    /// What is left below the smallest order is carried, and counted when the next hedge is decided.
    private func note(dust: Quantity, _ name: String, _ plan: Plan) {
        let book = plan.book ?? configuration.books[0].name
        state.dust.removeAll { $0.book == book && $0.instrumentName == name }
        if dust != .zero { state.dust.append(Holding(book, name, dust)) }
    }

    // MARK: Legs

    private func leg(of order: DeskOrder) -> (plan: Int, leg: Int)? {
        guard let plan = state.plans.firstIndex(where: { $0.number == order.plan }),
            let leg = state.plans[plan].legs.firstIndex(where: { $0.label == order.label })
        else { return nil }
        return (plan, leg)
    }

    func fillLeg(of order: DeskOrder, _ quantity: Quantity) {
        guard let (plan, leg) = leg(of: order) else { return }
        state.plans[plan].legs[leg].filled += quantity
    }

    /// An order is over. What waited and was taken back for another price goes on; everything else is decided anew.
    func closeLeg(of order: DeskOrder) {
        guard let (plan, leg) = leg(of: order) else { return }
        state.plans[plan].legs[leg].label = ""
        let isWhole = state.plans[plan].legs[leg].filled == state.plans[plan].legs[leg].target
        if isWhole || order.style == .cross || !order.cancelAsked {
            state.plans[plan].legs[leg].isOver = true
        }
    }

    func giveUpLeg(of order: DeskOrder, until time: Int) {
        guard let (plan, leg) = leg(of: order) else { return }
        state.plans[plan].legs[leg].isOver = true
        for line in state.lines.indices where state.lines[line].underlying == state.plans[plan].underlying {
            state.lines[line].restUntil = max(state.lines[line].restUntil, time)
        }
    }
}
