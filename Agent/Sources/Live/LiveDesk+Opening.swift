import Desk
import VenueClient
import VenueProtocol

/// What the desk is told when the lines are up, so that it may trade: everything that the venue has listed, in one order.
extension LiveDesk {
    /// The line as it stands, told where it has changed.
    func refreshLine() throws {
        let isUp = ready.contains(.market) && (mode == .paper || ready.contains(.trading))
        // The link does not call a line ready before the venue has confirmed cancel on disconnect.
        var now = LineState(isUp: isUp, cancelsOnDisconnect: isUp, clockOffset: clock.offset)
        now.isMaintenance = market.isInMaintenance
        if !market.lockedIndices.isEmpty { now.lockedIndices = market.lockedIndices.sorted() }
        guard now != line else { return }
        let wasUp = line.isUp
        line = now
        try deliver(.line(now))
        if isUp, !wasUp { try open() }
        if !isUp { hasPositions = false }
    }

    private func open() throws {
        statistics.openings += 1
        let list = market.instruments.values.sorted {
            ($0.expirationTimestamp ?? 0, $0.name) < ($1.expirationTimestamp ?? 0, $1.name)
        }
        try tellInstruments(list)
        try tellEnds()
        for name in configuration.indices {
            if let price = market.indices[name]?.value { try deliver(.index(price)) }
        }
        for name in followed.sorted() {
            if let ticker = market.tickers[name]?.value { try deliver(.ticker(ticker)) }
            try tellBook(name)
        }
        followWanted()
        guard mode != .paper else { return try tellPaper() }
        for (_, figures) in portfolios.sorted(by: { $0.key < $1.key }) { try tellAccount(figures) }
        try deliver(
            .openOrders(
                openOrders.values.filter { $0.state != .triggered }.sorted { $0.orderID < $1.orderID }))
        // The account may have been listed before this line was lost: then it is asked for again.
        if !hasPositions { carryOut(.askPositions) }
    }

    /// Contracts of the underlyings that limits are about, and those that are held.
    func tellInstruments(_ list: [VenueInstrument]) throws {
        let underlyings = Set(configuration.underlyings)
        let held = Set(desk.holdings.map(\.instrumentName))
        let known = list.filter {
            ($0.kind == .future || $0.kind == .option) && underlyings.contains($0.baseCurrency)
                || held.contains($0.name)
        }
        if !known.isEmpty || !line.isUp { try deliver(.instruments(known)) }
    }

    /// Contracts that came to their end while nobody looked: the venue lists them no more.
    private func tellEnds() throws {
        let time = clock.milliseconds(at: now)
        for (name, expiry) in desk.listed where market.instruments[name] == nil {
            guard let expiry, expiry <= time else { continue }
            paper?.deliver(name)
            try deliver(.delivered(Delivery(name, price: nil)))
        }
    }
}
