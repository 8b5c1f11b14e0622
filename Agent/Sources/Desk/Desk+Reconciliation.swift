import VenueProtocol

/// What the venue lists whole, against what is remembered. A difference is said with both numbers, and nothing new is
/// done there until it is explained; no trade is ever invented to make it go away.
extension Desk {
    func reconcile(_ listed: [VenueOrder]) {
        state.confirmed.openOrders = true
        for order in listed {
            if place(label: order.label, orderID: order.orderID) != nil {
                take(order)
            } else if isOwn(order.label) {
                report(.foreign, order.label, "is open, and of no use any more: cancelled")
                emit(.cancel(orderID: order.orderID, label: order.label))
            } else {
                report(.foreign, order.instrumentName, "order \(order.orderID) is somebody else's")
            }
        }
        let ids = Set(listed.map(\.orderID))
        for place in state.orders.indices where state.orders[place].phase == .open {
            guard let id = state.orders[place].orderID, !ids.contains(id) else { continue }
            lookUp(place)
        }
        guard state.kill.level >= .cancel, listed.isEmpty, state.kill.verifiedAt == nil,
            !state.orders.contains(where: \.isWorking)
        else { return }
        state.kill.verifiedAt = state.time
        report(
            .kill, state.kill.level.rawValue, "the venue lists no open order",
            Double(state.time - state.kill.since))
    }

    func reconcile(_ listed: [Position]) {
        state.confirmed.positionsTime = state.time
        guard state.hasAdopted else { return adopt(listed) }
        var venue: [String: Quantity] = [:]
        for position in listed { venue[position.instrumentName] = Self.size(position) }
        var names = listed.map(\.instrumentName)
        var seen = Set(names)
        for holding in state.holdings where seen.insert(holding.instrumentName).inserted {
            names.append(holding.instrumentName)
        }
        for suspect in state.suspects where seen.insert(suspect.instrumentName).inserted {
            names.append(suspect.instrumentName)
        }
        for name in names { compare(name, venue[name] ?? .zero) }
        state.confirmed.positions = !state.suspects.contains { !$0.isConfirmed }
    }

    private static func size(_ position: Position) -> Quantity {
        let size = Quantity(position.size) ?? .zero
        // Sizes are signed; where one is not, its direction says.
        return position.direction == .sell && size > .zero ? -size : size
    }

    private func compare(_ name: String, _ venue: Quantity) {
        let own = position(name)
        let place = state.suspects.firstIndex { $0.instrumentName == name }
        guard own != venue else {
            guard let place else { return }
            if state.suspects[place].isConfirmed {
                report(.resolved, name, "books and venue agree again", own.amount, venue.amount)
                setBlocked(false, name)
            }
            state.suspects.remove(at: place)
            return
        }
        // A fill that is under way makes a difference that means nothing.
        let isMoving = state.orders.contains { $0.instrumentName == name }
        guard let place else {
            var suspect = Suspect()
            (suspect.instrumentName, suspect.own, suspect.venue) = (name, own, venue)
            state.suspects.append(suspect)
            let currency = Self.currency(name)
            let latest = state.seenTrades.first { $0.currency == currency }?.latest ?? state.adoptedAt
            emit(.askTrades(currency: currency, since: latest - 60_000))
            return emit(.askPositions)
        }
        let isSame = state.suspects[place].own == own && state.suspects[place].venue == venue
        (state.suspects[place].own, state.suspects[place].venue) = (own, venue)
        guard isSame, !isMoving, !state.suspects[place].isConfirmed else {
            if !state.suspects[place].isConfirmed { emit(.askPositions) }
            return
        }
        state.suspects[place].isConfirmed = true
        state.counters.mismatches += 1
        setBlocked(true, name)
        report(
            .mismatch, name, "the books hold \(own.amount), the venue says \(venue.amount)", own.amount,
            venue.amount)
    }

    private func setBlocked(_ isBlocked: Bool, _ name: String) {
        guard let place = placeOfContract[name] else { return }
        state.contracts[place].isBlocked = isBlocked
    }

    /// The first start: the books are given what the account holds, as the configuration says, and the rest to the first.
    private func adopt(_ listed: [Position]) {
        for position in listed {
            var left = Self.size(position)
            for book in configuration.books {
                for share in book.positions ?? [] where share.instrumentName == position.instrumentName {
                    let quantity = Quantity(share.amount) ?? .zero
                    if quantity != .zero { add(quantity, of: position.instrumentName, to: book.name) }
                    left -= quantity
                }
            }
            guard left != .zero else { continue }
            add(left, of: position.instrumentName, to: configuration.books[0].name)
        }
        let held = Set(listed.filter { Self.size($0) != .zero }.map(\.instrumentName))
        for book in configuration.books {
            for share in book.positions ?? [] where !held.contains(share.instrumentName) && share.amount != 0
            {
                report(
                    .alarm, share.instrumentName, "\(book.name) is to have it, and the account has none",
                    share.amount, 0)
            }
        }
        state.hasAdopted = true
        state.adoptedAt = state.time
        state.confirmed.positions = true
    }

    /// A person takes the venue's word for an instrument's position: the difference goes to the first book.
    func accept(_ name: String, by: String) {
        guard let place = state.suspects.firstIndex(where: { $0.instrumentName == name && $0.isConfirmed })
        else { return }
        let suspect = state.suspects.remove(at: place)
        let difference = suspect.venue - position(name)
        report(
            .resolved, name, "\(by) accepts the venue's position", position(name).amount, suspect.venue.amount
        )
        add(difference, of: name, to: configuration.books[0].name)
        setBlocked(false, name)
    }

    // MARK: Accounts

    func take(_ line: AccountLine) {
        let day = Self.day(state.time)
        if let place = state.accounts.firstIndex(where: { $0.line.currency == line.currency }) {
            state.accounts[place].line = line
            state.accounts[place].time = state.time
            if state.accounts[place].day != day {
                state.accounts[place].day = day
                state.accounts[place].start = line.equity
                state.accounts[place].peak = line.equity
            }
            state.accounts[place].peak = max(state.accounts[place].peak, line.equity)
        } else {
            var fresh = AccountState()
            fresh.line = line
            (fresh.time, fresh.day, fresh.start, fresh.peak) = (state.time, day, line.equity, line.equity)
            state.accounts.append(fresh)
        }
    }

    /// Days of the venue begin at 08:00 UTC.
    static func day(_ time: Int) -> Int { (time - VenueTime.settlementHour) / VenueTime.day }
}
