import TestExchange
import VenueProtocol

/// What goes wrong on purpose: requests, messages on their way out, and states of the venue.
extension VenueService {
    // MARK: Requests

    /// The fault of a message as a whole, before it is known what it asks for.
    func faultOfRequest(_ bytes: [UInt8]) -> FaultRule? {
        guard !faults.entries.isEmpty else { return nil }
        let method = (try? JSONTape(bytes).root["method"]?.string) ?? ""
        for kind in [FaultKind.dropRequest, .closeAfterRequest, .notificationFirst] {
            if let rule = faults.strike(kind, at: exchange.time, where: { $0.isAbout(method: method) }) {
                return rule
            }
        }
        return nil
    }

    /// - Throws: a refusal. What is struck otherwise happens before the request is carried out.
    func strike(_ call: Call) throws(VenueFault) {
        guard !faults.entries.isEmpty else { return }
        let account = call.account.map { exchange.userName(of: $0) }
        func isMeant(_ rule: FaultRule) -> Bool {
            let isOrder = rule.method != nil || Self.trading.contains(call.method)
            return isOrder && rule.isAbout(method: call.method)
                && (rule.account == nil || rule.account == account)
        }
        if let rule = faults.strike(.reject, at: exchange.time, where: isMeant), let code = rule.code {
            throw VenueFault(code: code)
        }
        if faults.strike(.tooManyRequests, at: exchange.time, where: isMeant) != nil {
            throw VenueFault(.tooManyRequests)
        }
        if faults.strike(.queueFull, at: exchange.time, where: isMeant) != nil {
            throw VenueFault(.queueFull)
        }
        guard let account = call.account,
            ["private/cancel", "private/edit", "private/edit_by_label"].contains(call.method),
            let rule = faults.strike(.fillFirst, at: exchange.time, where: isMeant),
            let order = orderOf(call, account)
        else { return }
        exchange.fill(order, fraction: rule.fraction ?? 1)
    }

    private func orderOf(_ call: Call, _ account: Int) -> Int? {
        guard let selection = try? read(call, as: Selection.self) else { return nil }
        if let id = selection.orderID { return Exchange.orderNumber(id) }
        return exchange.openOrders(of: account).first { $0.label == selection.label }?.id
    }

    // MARK: Messages on their way out

    /// What becomes of a message: nothing, itself, or itself and others.
    func pass(_ bytes: [UInt8], _ what: Outgoing, _ session: Session) -> [[UInt8]] {
        var messages = [bytes]
        if !faults.entries.isEmpty || session.heldReply != nil || !session.heldNotifications.isEmpty {
            switch what {
            case .reply(let method): messages = passReply(bytes, method, session)
            case .notification(let channel): messages = passNotification(bytes, channel, session)
            case .testRequest:
                let isMeant: (FaultRule) -> Bool = { self.isMeant($0, session) }
                if faults.strike(.dropTestRequest, at: exchange.time, where: isMeant) != nil { messages = [] }
            case .heartbeat: break
            }
        }
        guard session.stalledUntil > now() || !session.stalled.isEmpty else { return messages }
        session.stalled += messages
        return []
    }

    private func isMeant(_ rule: FaultRule, _ session: Session) -> Bool {
        rule.account == nil || rule.account == session.account.map { exchange.userName(of: $0) }
    }

    private func passReply(_ bytes: [UInt8], _ method: String, _ session: Session) -> [[UInt8]] {
        let isTrading = Self.trading.contains(method)
        let isMeant: (FaultRule) -> Bool = {
            $0.method.map { method.hasPrefix($0) } ?? isTrading && self.isMeant($0, session)
        }
        if faults.strike(.dropReply, at: exchange.time, where: isMeant) != nil { return [] }
        var bytes = bytes
        if faults.strike(.internalError, at: exchange.time, where: isMeant) != nil {
            var reply = Reply<JSONValue>()
            reply.id = (try? JSONTape(bytes).root["id"].map { .value(try RequestID($0)) }) ?? .absent
            reply.fault = VenueFault(.internalError)
            bytes = reply.json
        }
        if let held = session.heldReply {
            session.heldReply = nil
            return [bytes, held]
        }
        if faults.strike(.swapReplies, at: exchange.time, where: { $0.isAbout(method: method) }) != nil {
            session.heldReply = bytes
            return []
        }
        return [bytes]
    }

    private func passNotification(_ bytes: [UInt8], _ channel: String, _ session: Session) -> [[UInt8]] {
        let time = exchange.time
        let isOwn = channel.hasPrefix("user.trades") || channel.hasPrefix("user.changes")
        let isMeant: (FaultRule) -> Bool = { $0.channel.map { channel.hasPrefix($0) } ?? isOwn }
        if faults.strike(.dropNotification, at: time, where: isMeant) != nil { return [] }
        var messages = [bytes]
        if faults.strike(.repeatNotification, at: time, where: isMeant) != nil { messages.append(bytes) }
        var isHeld = faults.strike(.swapNotifications, at: time, where: isMeant) != nil
        if case .book(let instrument, _)? = ChannelName(channel), let book = Self.bookChange(bytes) {
            let isMeant: (FaultRule) -> Bool = {
                $0.isAbout(channel: channel) && $0.isAbout(instrument: instrument)
            }
            if faults.strike(.bookGap, at: time, where: isMeant) != nil { messages = [] }
            if faults.strike(.bookDuplicate, at: time, where: isMeant) != nil {
                messages += messages.prefix(1)
            }
            if faults.strike(.bookOutOfOrder, at: time, where: isMeant) != nil { isHeld = true }
            // Where nobody asks no bid is too high.
            let best = exchange.contract(named: instrument).flatMap { exchange.levels($0, .sell).first }
            if let best, faults.strike(.bookCrossed, at: time, where: isMeant) != nil {
                var crossed = book
                crossed.bids.append(LevelChange(.new, price: 2 * best.price, amount: MessageAmount(1)))
                messages = [Notification(channel: channel, content: crossed).json]
            }
        }
        if let held = session.heldNotifications.removeValue(forKey: channel) { return messages + [held] }
        guard isHeld, let message = messages.first else { return messages }
        session.heldNotifications[channel] = message
        return []
    }

    private static func bookChange(_ bytes: [UInt8]) -> BookMessage? {
        guard case .notification(_, let content)? = try? VenueMessage(bytes),
            let book = try? BookMessage(content),
            !book.isSnapshot
        else { return nil }
        return book
    }

    /// What waited for a message to overtake it that did not come, and what was stalled.
    func releaseHeld() {
        for id in sessions.keys.sorted() {
            guard let session = sessions[id] else { continue }
            var messages: [[UInt8]] = []
            if let held = session.heldReply {
                session.heldReply = nil
                messages.append(held)
            }
            if ticksOfHundred % 5 == 0 {
                for (_, held) in session.heldNotifications.sorted(by: { $0.key < $1.key }) {
                    messages.append(held)
                }
                session.heldNotifications.removeAll()
            }
            if !session.stalled.isEmpty {
                session.stalled += messages
                guard session.stalledUntil <= now() else { continue }
                messages = session.stalled
                session.stalled = []
            }
            session.release(messages)
        }
    }

    // MARK: States

    /// Begins and ends what lasts.
    func changeFaults() {
        for (rule, begins) in faults.changes(at: exchange.time) {
            if rule.kind.isMoment {
                strikeOnce(rule)
            } else {
                change(rule, begins)
            }
        }
    }

    private func change(_ rule: FaultRule, _ begins: Bool) {
        switch rule.kind {
        case .settling: exchange.isSettling = begins
        case .refuseConnections: isRefusing = begins
        case .clockSkew: clockSkew = begins ? rule.milliseconds ?? 0 : 0
        case .maintenance: maintain(rule, begins)
        case .indexLock:
            for (number, index) in exchange.indices.enumerated()
            where rule.index.map({ $0 == index.name }) ?? true {
                exchange.setFrozen(begins, index: number)
                if begins { lockedIndices.insert(index.name) } else { lockedIndices.remove(index.name) }
                var state = PlatformState()
                state.priceIndex = index.name
                state.isLocked = begins
                announce(state)
            }
        case .emptySide:
            for contract in exchange.liveContracts where rule.isAbout(instrument: exchange.name(of: contract))
            {
                for side in Direction.allCases where rule.side.map({ $0 == side }) ?? true {
                    exchange.setAbandoned(begins, contract, side)
                }
            }
        default: break
        }
    }

    /// First nobody is let in, then books take cancels alone for as long again.
    private func maintain(_ rule: FaultRule, _ begins: Bool) {
        var state = PlatformState()
        state.isInMaintenance = begins
        announce(state)
        isInMaintenance = begins
        if begins {
            for id in sessions.keys.sorted() { if let session = sessions[id] { end(session, code: 1_001) } }
            return
        }
        guard let lasts = rule.lasts, lasts > 0 else { return }
        for contract in exchange.liveContracts where exchange.state(of: contract) == .open {
            exchange.setState(.locked, of: contract)
        }
        reopenAt = exchange.time + lasts
    }

    /// Books that only took cancels after a maintenance take orders again.
    func reopen() {
        guard let due = reopenAt, due <= exchange.time else { return }
        reopenAt = nil
        for contract in exchange.liveContracts where exchange.state(of: contract) == .locked {
            exchange.setState(.open, of: contract)
        }
    }

    private func announce(_ state: PlatformState) {
        for key in channelOrder {
            if let channel = channels[key], case .platformState = channel.name { channel.send(state) }
        }
    }

    private func strikeOnce(_ rule: FaultRule) {
        switch rule.kind {
        case .changeIDReset:
            exchange.resetChangeIDs()
            for key in channelOrder { channels[key]?.changeID = 0 }
            return
        case .expireTokens: tokens.removeAll()
        case .settlement:
            let before = exchange.time
            exchange.advance(to: VenueTime.nextSettlement(after: before))
            skipped += exchange.time - before
            return
        default: break
        }
        for id in sessions.keys.sorted() {
            guard let session = sessions[id], isMeant(rule, session) else { continue }
            switch rule.kind {
            case .halfOpen: session.isHalfOpen = true
            case .close: end(session, code: rule.code ?? 1_006)
            case .stall: session.stalledUntil = now() + (rule.milliseconds ?? 1_000) * 1_000
            case .expireTokens:
                session.account = nil
                session.scope = ""
            default: break
            }
        }
    }
}
