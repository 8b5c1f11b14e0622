import VenueProtocol

/// When the desk may trade, and what stops it.
extension Desk {
    /// The kill switch as it stands.
    public var killSwitch: KillSwitch { state.kill }
    public var counters: Counters { state.counters }
    public var holdings: [Holding] { state.holdings }
    public var orders: [DeskOrder] { state.orders }
    public var plans: [Plan] { state.plans }
    public var run: Int { state.run }
    public var time: Int { state.time }
    /// Positions that the books and the venue do not agree on, confirmed by two lists.
    public var mismatches: [String] { state.suspects.filter(\.isConfirmed).map(\.instrumentName) }
    public var isReady: Bool { notReady == nil }

    /// Why no order may be sent yet; nil once everything is confirmed.
    public var notReady: String? {
        if !state.line.isUp { return "no connection" }
        if state.line.isMaintenance { return "the venue is in maintenance" }
        if let locked = lockedIndex { return "the index \(locked) is locked" }
        if !state.line.cancelsOnDisconnect { return "cancel on disconnect is not confirmed" }
        guard let offset = state.line.clockOffset else { return "the clock's offset is not measured" }
        if offset.magnitude > configuration.guards.clockOffset { return "the clock is off by \(offset) ms" }
        if !state.confirmed.instruments { return "instruments are not listed" }
        if !state.confirmed.openOrders { return "open orders are not listed" }
        if !state.confirmed.positions { return "positions are not reconciled" }
        if !state.accounts.contains(where: { $0.time > 0 }) { return "the account is not known" }
        if let order = state.orders.first(where: { $0.phase == .unknown }) {
            return "the fate of \(order.label) is not known"
        }
        for (name, prefix) in limitUnderlyings where !hasFreshIndex(prefix) { return "no index of \(name)" }
        return nil
    }

    /// An index of one of the limits that the venue says stands still.
    private var lockedIndex: String? {
        state.line.lockedIndices?.first { name in
            limitUnderlyings.contains { name.hasPrefix($0.index) }
        }
    }

    private func hasFreshIndex(_ prefix: String) -> Bool {
        state.indices.contains {
            $0.name.hasPrefix(prefix) && state.time - $0.time <= configuration.guards.indexAge
        }
    }

    // MARK: The line

    func take(_ line: LineState) {
        let wasUp = state.line.isUp
        state.line = line
        guard !line.isUp else { return }
        // Whatever was confirmed was confirmed on that connection.
        state.confirmed.openOrders = false
        state.confirmed.positions = false
        state.confirmed.instruments = false
        for place in state.contracts.indices { state.contracts[place].book?.isValid = false }
        for place in state.orders.indices where state.orders[place].phase == .sent {
            lostSight(of: state.orders[place].label)
        }
        if wasUp { report(.alarm, "line", "the connection is lost: \(state.orders.count) orders under way") }
    }

    // MARK: Watching

    /// What has to be looked at whatever has happened.
    func watch() {
        let day = state.time / VenueTime.day
        if state.counters.day != day { (state.counters.day, state.counters.sentToday) = (day, 0) }
        watchOrders()
        watchLosses()
        let reason = notReady
        if (reason == nil) != state.confirmed.wasReady {
            state.confirmed.wasReady = reason == nil
            state.confirmed.readyAt = reason == nil ? state.time : nil
            report(reason == nil ? .ready : .notReady, "desk", reason ?? "everything is confirmed")
        }
        if let offset = state.line.clockOffset, state.line.isUp,
            offset.magnitude > configuration.guards.clockOffset
        {
            arm(.pause, by: "desk", "the clock is off by \(offset) ms")
        }
        workSwitch()
    }

    /// The day's result and the way down from its peak, in dollars. Each currency's own change counts, at its index: what coins
    /// themselves gain or lose in dollars is no result of trading.
    public var result: (today: Double, drawdown: Double) {
        state.accounts.reduce(into: (today: 0, drawdown: 0)) { sum, account in
            let price = dollars(account.line.currency) ?? 0
            sum.today += (account.line.equity - account.start) * price
            sum.drawdown += (account.peak - account.line.equity) * price
        }
    }

    private func watchLosses() {
        let (today, drawdown) = result
        if let most = configuration.guards.loss, -today > most {
            arm(.pause, by: "desk", "the day's loss of \(-today) dollars is above \(most)")
        }
        if let most = configuration.guards.drawdown, drawdown > most {
            arm(.pause, by: "desk", "the drawdown of \(drawdown) dollars is above \(most)")
        }
    }

    // MARK: The kill switch

    /// Arms the kill switch; it never goes down by itself.
    func arm(_ level: KillSwitch.Level, by: String, _ reason: String) {
        guard level > state.kill.level else { return }
        state.kill.level = level
        state.kill.by = by
        state.kill.reason = reason
        state.kill.since = state.time
        state.kill.verifiedAt = nil
        state.kill.nextTry = 0
        report(.kill, level.rawValue, "\(by): \(reason)")
    }

    func obey(_ command: OperatorCommand) {
        switch command.action {
        case .pause: arm(.pause, by: command.by, command.reason)
        case .cancel: arm(.cancel, by: command.by, command.reason)
        case .flatten: arm(.flatten, by: command.by, command.reason)
        case .release:
            guard state.kill.level != .none else { return }
            report(.kill, "none", "\(command.by) releases it: \(command.reason)")
            state.kill = KillSwitch()
            state.counters.refusalsInARow = 0
            state.counters.recent.removeAll()
            // Losses up to here have been looked at: counting begins anew.
            for place in state.accounts.indices {
                state.accounts[place].start = state.accounts[place].line.equity
                state.accounts[place].peak = state.accounts[place].line.equity
            }
        case .accept: if let name = command.instrumentName { accept(name, by: command.by) }
        case .limit: if let limit = command.limit { move(limit, by: command.by) }
        }
    }

    private func workSwitch() {
        guard state.kill.level >= .pause else { return }
        for place in state.plans.indices where !state.plans[place].isFlattening {
            for leg in state.plans[place].legs.indices { state.plans[place].legs[leg].isOver = true }
        }
        for place in state.orders.indices where !isFlattening(state.orders[place]) { cancel(place) }
        guard state.kill.level >= .cancel else { return }
        if state.kill.verifiedAt == nil, state.time >= state.kill.nextTry, state.line.isUp {
            state.kill.nextTry = state.time + configuration.execution.retry
            emit(.cancelAll)
            emit(.askOpenOrders)
        }
        if state.kill.level == .flatten, state.kill.verifiedAt != nil { planFlattening() }
    }

    private func isFlattening(_ order: DeskOrder) -> Bool {
        state.plans.contains { $0.number == order.plan && $0.isFlattening }
    }

    /// One plan at a time: all that the first book with a position of an underlying holds of it.
    private func planFlattening() {
        guard isReady else { return }
        for holding in state.holdings {
            guard let place = placeOfContract[holding.instrumentName] else { continue }
            let underlying = state.contracts[place].instrument.baseCurrency
            guard !state.plans.contains(where: { $0.underlying == underlying }),
                state.time >= (state.lines.first { $0.underlying == underlying }?.restUntil ?? 0)
            else { continue }
            var plan = Plan()
            (plan.book, plan.underlying, plan.startedAt) = (holding.book, underlying, state.time)
            plan.isFlattening = true
            for other in state.holdings where other.book == holding.book {
                guard let place = placeOfContract[other.instrumentName],
                    state.contracts[place].instrument.baseCurrency == underlying
                else { continue }
                // What another book has the other way round is no position of the account's.
                let net = position(other.instrumentName)
                guard net != .zero, net.direction == other.quantity.direction else { continue }
                var leg = Plan.Leg()
                leg.instrumentName = other.instrumentName
                leg.target = other.quantity.magnitude < net.magnitude ? -other.quantity : -net
                leg.middle = state.contracts[place].middle ?? 0
                plan.legs.append(leg)
            }
            if !plan.legs.isEmpty { begin(plan) }
        }
    }
}

extension Contract {
    /// Between the best prices, or the mark where a side is empty.
    var middle: Double? { book?.middle ?? ticker?.markPrice }
}
