import VenueProtocol

/// What an exchange does only when somebody wants to see what others make of it.
extension Exchange {
    /// A stranger trades with an order that rests, past whoever is before it.
    /// - Parameter fraction: of what is left of it, in whole lots and at least one.
    public func fill(_ id: Int, fraction: Double) {
        guard let maker = orders[id], maker.state == .open, maker.price != nil, maker.remaining > 0,
            contracts[maker.contract].state == .open
        else { return }
        let step = contracts[maker.contract].amountStep
        let part = Int(Double(maker.remaining) * min(max(fraction, 0), 1)) / step * step
        let amount = min(maker.remaining, max(step, part))
        let account = stranger()
        let taker = ExchangeOrder(
            id: nextOrder, account: account, contract: maker.contract, direction: maker.direction.opposite,
            connection: 0, created: time, type: .limit, timeInForce: .immediateOrCancel, label: "",
            price: maker.price, amount: amount, updated: time)
        nextOrder += 1
        orders[taker.id] = taker
        accounts[account].openOrders[taker.contract, default: []].append(taker.id)
        _ = trade(takerID: taker.id, makerID: id, amount: amount)
    }

    /// Whoever trades because he is told to.
    private func stranger() -> Int {
        accounts.firstIndex { $0.isHouse && $0.name == "stranger" }
            ?? openAccount(name: "stranger", clientID: "", clientSecret: "", isHouse: true)
    }

    /// Change ids begin anew, as after a restart of the engine.
    public func resetChangeIDs() {
        flush()
        nextChange = 1
        for contract in contracts { contract.book.changeID = 0 }
    }

    /// An index that is frozen keeps its price, whatever it is told.
    public func setFrozen(_ isFrozen: Bool, index: Int) { indices[index].isFrozen = isFrozen }

    /// The market's own participants leave a side of a book, and stay away from it.
    public func setAbandoned(_ isAbandoned: Bool, _ contract: Int, _ side: Direction) {
        if isAbandoned {
            contracts[contract].abandoned.insert(side)
            for account in accounts.indices where accounts[account].isHouse {
                _ = cancelAll(of: account) { $0.contract == contract && $0.direction == side }
            }
        } else {
            contracts[contract].abandoned.remove(side)
        }
    }
}
