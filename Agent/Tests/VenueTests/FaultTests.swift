import ExchangeServer
import TestExchange
import Testing
import VenueClient
import VenueProtocol

#if canImport(Glibc)
    import Glibc
#endif

/// A client on an exchange with faults: whatever goes wrong, afterwards both have the same books, orders, fills,
/// positions and cash.
struct FaultTests {
    /// Seconds after the last fault in which everything has to be right again: a line that is half open is found out
    /// after two and a half heartbeats, one that was refused waits half a minute.
    static let recovery = 120.0
    /// Seconds of trading while faults strike.
    static let rehearsal = 20.0

    /// Random mixtures; 200 where `scripts/agent faults` says so.
    private static var mixtureCount: Int {
        unsafe getenv("POISE_MIXTURES").flatMap { unsafe Int(String(cString: $0)) } ?? 10
    }

    /// A rule that is sure to find something to strike.
    private static func rule(_ kind: FaultKind) -> FaultRule {
        var rule = FaultRule(kind)
        if kind.isMomentary {
            rule.after = 5_000
            rule.code = kind == .close ? 1_011 : nil
            rule.milliseconds = kind == .stall ? 3_000 : nil
            return rule
        }
        switch kind {
        case .missingChannel: rule.lasts = 8_000
        case .emptySide, .settling, .maintenance, .indexLock, .refuseConnections:
            rule.after = 3_000
            rule.lasts = 5_000
        case .clockSkew:
            rule.milliseconds = 90_000
            rule.lasts = 15_000
        default: rule.lasts = Int(rehearsal) * 1_000
        }
        switch kind {
        case .reject: rule.code = 10_041
        case .closeAfterRequest: (rule.code, rule.probability) = (1_006, 0.1)
        case .tooManyRequests: rule.probability = 0.1
        case .dropRequest, .dropReply, .internalError, .queueFull, .fillFirst: rule.probability = 0.3
        case .emptySide: rule.side = .sell
        case .dropTestRequest: rule.probability = 1
        default: break
        }
        if kind == .fillFirst { rule.fraction = 0.5 }
        if !kind.isLasting, rule.probability == nil { rule.probability = 0.3 }
        return rule
    }

    /// Orders, edits and cancels on a market that moves.
    private static func trade(_ line: LinkLine, prefix: String, _ number: inout Int) throws {
        let exchange = line.venue.exchange
        guard let contract = exchange.contract(named: Venue.perpetual) else { return }
        let price = 900_000_000 + Int(line.random() * 8) * 5_000
        for side in [Direction.buy, .sell, .buy] {
            exchange.quote(
                contract, account: line.venue.maker, side, [(price - side.sign * 5_000, 5_000_000)])
        }
        if line.random() < 0.2 {
            exchange.take(
                contract, account: line.venue.taker, line.random() < 0.5 ? .buy : .sell, amount: 8_000_000)
        }
        let open = line.picture.account.openOrders
        number += 1
        switch line.random() {
        case ..<0.4:
            var order = OrderRequest(
                line.random() < 0.5 ? .buy : .sell, Venue.perpetual,
                amount: MessageAmount(Double(Int(line.random() * 30) + 1) * 10),
                price: Scales.price(price + Int(line.random() * 9 - 4) * 5_000), label: "\(prefix)-\(number)")
            if line.random() < 0.3 { order.timeInForce = .immediateOrCancel }
            try line.send(.place(order), tag: number)
        case ..<0.5: if let first = open.first { try line.send(.cancel(orderID: first.orderID), tag: number) }
        case ..<0.6:
            guard let last = open.last else { return }
            var edit = EditRequest()
            edit.orderID = last.orderID
            edit.amount = MessageAmount((last.amount?.value ?? 10) + 10)
            edit.price = last.price.limit
            try line.send(.edit(edit), tag: number)
        case ..<0.61: try line.send(.cancelAll, tag: number)
        default: break
        }
    }

    /// - Returns: how often each fault struck.
    @discardableResult
    private static func rehearse(_ rules: [FaultRule], seed: UInt64, _ comment: Comment) throws -> [Int] {
        let venue = Venue()
        let line = LinkLine(venue, seed: seed) {
            $0.connection.cancelsOnDisconnect = seed % 2 == 0
            $0.indices = ["btc_usd"]
            $0.chainInterval = nil
        }
        for rule in rules { venue.service.faults.add(rule, at: venue.exchange.time) }
        var number = 0
        try line.run(seconds: rehearsal) { try trade(line, prefix: "\(seed)", &number) }
        let strikes = venue.service.faults.entries.map(\.strikes)
        venue.service.faults.removeAll()
        try line.run(seconds: recovery)
        try expectSame(line, comment)
        #expect(line.picture.market.lockedIndices.isEmpty && !line.picture.market.isInMaintenance, comment)
        // Every request has one outcome, whatever happened.
        var outcomes: [Int: Int] = [:]
        for event in line.events {
            if case .outcome(let tag, _) = event.content { outcomes[tag, default: 0] += 1 }
        }
        #expect(outcomes.values.allSatisfy { $0 == 1 }, comment)
        #expect(line.picture.account.duplicates == 0, comment)
        return strikes
    }

    @Test("Under each fault alone, client and exchange agree afterwards", arguments: FaultKind.allCases)
    func alone(kind: FaultKind) throws {
        for seed in UInt64(1)...2 {
            var rules = [Self.rule(kind)]
            // Upgrades are asked for only by those who were closed.
            if kind == .refuseConnections {
                var close = FaultRule(.close)
                close.after = 4_000
                rules.append(close)
            }
            let strikes = try Self.rehearse(rules, seed: seed, "\(kind.rawValue), seed \(seed)")
            #expect(strikes.allSatisfy { $0 > 0 }, "\(kind.rawValue) struck")
        }
    }

    @Test("Under random mixtures of faults, client and exchange agree afterwards")
    func mixtures() throws {
        for seed in 1...UInt64(Self.mixtureCount) {
            var random = SplitMix(seed: seed &* 7_919)
            var rules: [FaultRule] = []
            for _ in 0..<(2 + Int(random.uniform() * 5)) {
                let place = Int(random.uniform() * Double(FaultKind.allCases.count))
                var rule = Self.rule(FaultKind.allCases[place])
                if rule.probability != nil { rule.probability = random.uniform() * 0.3 }
                rule.after = Int(random.uniform() * 10_000)
                rules.append(rule)
            }
            let kinds = rules.map(\.kind.rawValue).joined(separator: ", ")
            try Self.rehearse(rules, seed: seed, "mixture \(seed): \(kinds)")
        }
    }

    // MARK: What each looks like

    @Test("A channel that is not confirmed is asked for until it is")
    func missingChannel() throws {
        let venue = Venue()
        var rule = FaultRule(.missingChannel)
        rule.channel = "user.changes"
        rule.count = 2
        venue.service.faults.add(rule, at: Venue.start)
        let line = LinkLine(venue)
        try line.run(seconds: 1)
        #expect(!line.core.isReady)
        #expect(
            line.count { if case .refused(["user.changes.any.any.raw"]) = $0 { true } else { false } } > 0)
        try line.run(seconds: 5)
        try expectSame(line, "after the channel came")
    }

    @Test("A closed line comes back after pauses that double, and does not storm a venue that closes at once")
    func pauses() throws {
        let venue = Venue()
        let line = LinkLine(venue)
        var rule = FaultRule(.closeAfterRequest)
        rule.method = "private/get_positions"
        venue.service.faults.add(rule, at: Venue.start)
        try line.run(seconds: 120)
        let losses = line.count { if case .lost(.trading, _) = $0 { true } else { false } }
        #expect(losses >= 4 && losses <= 14, "\(losses) in two minutes")
        venue.service.faults.removeAll()
        try line.run(seconds: 40)
        try expectSame(line, "after the storm")
    }

    @Test("A clock that is wrong by a day is measured before anything is signed")
    func skew() throws {
        let venue = Venue()
        var rule = FaultRule(.clockSkew)
        rule.milliseconds = 86_400_000
        venue.service.faults.add(rule, at: Venue.start)
        venue.pass(seconds: 0.1)
        let line = LinkLine(venue)
        try line.run(seconds: 2)
        #expect(line.core.isReady)
        #expect(line.picture.clockOffset.map { abs($0 - 86_400_000_000) < 200_000 } == true)
        let order = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(10), price: 89_000, label: "in time")
        try line.send(.place(order), tag: 1)
        guard case .order = try line.outcome(1) else {
            Issue.record("refused")
            return
        }
    }

    @Test("One gap makes one book invalid, and it is the venue's again within two seconds")
    func gap() throws {
        let venue = Venue()
        let line = LinkLine(venue)
        try line.run(seconds: 1)
        var rule = FaultRule(.bookGap)
        rule.count = 1
        venue.service.faults.add(rule, at: venue.exchange.time)
        let contract = try #require(venue.exchange.contract(named: Venue.perpetual))
        for price in [900_015_000, 900_020_000, 900_025_000] {
            venue.exchange.quote(contract, account: venue.maker, .sell, [(price, 10_000_000)])
            try line.run(seconds: 0.2)
        }
        let invalid = line.events.compactMap { event -> String? in
            if case .bookInvalid(let name, _) = event.content { name } else { nil }
        }
        #expect(invalid == [Venue.perpetual])
        try line.run(seconds: 2)
        try expectSame(line, "after the gap")
    }

    @Test("Rules are read with every key known, and what is wrong is named")
    func rules() throws {
        func read(_ text: String) throws -> FaultRule { try FaultRule(checked: try JSONTape(text).root) }
        let rule = try read(
            #"{"kind":"reject","code":10047,"method":"private/buy","probability":0.5,"count":3,"after":1,"lasts":2}"#
        )
        #expect(rule.kind == .reject && rule.code == 10047 && rule.method == "private/buy")
        #expect(rule.probability == 0.5 && rule.count == 3 && rule.after == 1 && rule.lasts == 2)
        for (text, place) in [
            (#"{"kind":"nothing"}"#, "kind"), (#"{"kind":"book_gap","often":1}"#, "often"),
            (#"{"kind":"book_gap","probability":1.5}"#, "probability"), (#"{"kind":"reject"}"#, "code"),
            (#"{"kind":"clock_skew"}"#, "milliseconds"), (#"{"kind":"close","code":7}"#, "code"),
            (#"{"kind":"book_gap","count":-1}"#, "count"), (#"{}"#, "kind"),
        ] {
            let error = #expect(throws: VenueProtocolError.self) { _ = try read(text) }
            #expect(error?.path == place, "\(text)")
        }
    }

    @Test("What a stranger fills first adds up: the sums of the exchange stay")
    func fills() throws {
        let venue = Venue()
        let client = try venue.connect(as: "alice")
        let before = venue.exchange.totals()
        var rule = FaultRule(.fillFirst)
        rule.fraction = 0.5
        venue.service.faults.add(rule, at: venue.exchange.time)
        let bought = try client.result(
            "private/buy", #"{"instrument_name":"BTC-PERPETUAL","amount":100,"price":89000}"#,
            as: OrderReply.self)
        let cancelled = try client.result(
            "private/cancel", #"{"order_id":"\#(bought.order.orderID)"}"#, as: VenueOrder.self)
        #expect(cancelled.state == .cancelled && cancelled.filledAmount?.value == 50)
        let after = venue.exchange.totals()
        #expect(after.cash == before.cash && after.size == before.size)
    }
}

extension FaultKind {
    /// Those that happen once.
    fileprivate var isMomentary: Bool {
        [.changeIDReset, .halfOpen, .close, .stall, .expireTokens, .settlement].contains(self)
    }

    /// Those that are a state of the venue.
    fileprivate var isLasting: Bool {
        [.emptySide, .settling, .maintenance, .indexLock, .refuseConnections, .clockSkew].contains(self)
    }
}
