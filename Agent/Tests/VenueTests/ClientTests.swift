import ExchangeServer
import TestExchange
import Testing
import VenueClient
import VenueProtocol

struct ClientTests {
    /// Whether the client's account is the venue's own.
    private func expectSame(_ line: Line, _ comment: Comment) throws {
        let (exchange, account) = (line.venue.exchange, line.client.account)
        let alice = 1
        #expect(line.client.isReconciled, comment)
        #expect(account.unknownLabels.isEmpty, comment)
        #expect(
            account.openOrders.map(\.orderID).sorted()
                == exchange.openOrders(of: alice).map { exchange.view($0).orderID }.sorted(), comment)
        let trades = exchange.trades(of: alice).map { exchange.userTrade($0, of: alice) }
        #expect(account.trades.count == trades.count, comment)
        #expect(Set(account.trades.values.map(\.tradeID)) == Set(trades.map(\.tradeID)), comment)
        for (contract, _) in exchange.positions(of: alice) {
            let position = exchange.position(contract, of: alice)
            #expect(account.positions[position.instrumentName]?.size == position.size, comment)
            #expect(account.traded[position.instrumentName] == position.size.value, comment)
        }
        // No label twice at the venue, and none that the client holds for lost.
        let orders = exchange.openOrders(of: alice) + exchange.closedOrders(of: alice)
        let labels = orders.map(\.label).filter { !$0.isEmpty }
        #expect(Set(labels).count == labels.count, comment)
        for currency in ["BTC", "ETH"] {
            let number = try #require(exchange.currencies.firstIndex(of: currency))
            let figures = exchange.figures(of: alice, currency: number)
            #expect(account.portfolios[currency]?.balance == figures.balance, comment)
        }
        for (label, intent) in account.intents {
            switch intent {
            case .order: #expect(labels.contains(label), comment)
            case .refused, .neverArrived: #expect(!labels.contains(label), comment)
            case .sent, .unknown: Issue.record("\(label) is undecided: \(comment)")
            }
        }
    }

    @Test(
        "A client opens with signature, clock, heartbeat, cancel on disconnect and its channels, and is reconciled"
    )
    func opening() throws {
        let line = Line(Venue(), seed: 1)
        line.run(seconds: 1)
        #expect(line.client.isReconciled)
        #expect(line.client.connection.clockOffset != nil)
        let order = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(10), price: 89_000, label: "one")
        let number = try #require(line.client.place(order, at: line.now))
        #expect(line.client.place(order, at: line.now) == nil)
        line.run(seconds: 1)
        guard case .result = line.outcomes[number] else {
            Issue.record("no result")
            return
        }
        try expectSame(line, "after one order")
        line.client.connection.stop(at: line.now)
    }

    @Test("An order whose reply is lost is found by its label, and is not sent again")
    func lostReply() throws {
        let line = Line(Venue(), seed: 2) { $0.cancelsOnDisconnect = false }
        line.run(seconds: 1)
        line.faults.loseReply = 1
        let order = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(10), price: 89_000, label: "lost")
        let number = try #require(line.client.place(order, at: line.now))
        line.carry()
        line.faults = .none
        #expect(line.client.account.intents["lost"] == .unknown)
        guard case .unknown = line.outcomes[number] else {
            Issue.record("the outcome is unknown")
            return
        }
        line.run(seconds: 5)
        try expectSame(line, "after the reply was lost")
        #expect(line.venue.exchange.openOrders(of: 1).map(\.label) == ["lost"])
    }

    @Test(
        "An order that never arrived is known not to have, and one that waits while the line is down is refused"
    )
    func lostRequest() throws {
        let line = Line(Venue(), seed: 3)
        line.run(seconds: 1)
        line.faults.loseRequest = 1
        let order = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(10), price: 89_000, label: "never")
        _ = line.client.place(order, at: line.now)
        line.carry()
        line.faults = .none
        var other = order
        other.label = "late"
        _ = line.client.place(other, at: line.now)
        line.run(seconds: 4)
        // It may still be on its way: the venue would take it.
        #expect(line.client.account.intents["never"] == .unknown)
        line.run(seconds: 4)
        #expect(line.client.account.intents["never"] == .neverArrived)
        #expect(line.client.account.intents["late"] == .refused(code: 13028))
        try expectSame(line, "after the request was lost")
    }

    @Test("A line that passes nothing and says nothing is found out by its silence")
    func halfOpen() throws {
        let line = Line(Venue(), seed: 4)
        line.run(seconds: 1)
        line.faults.halfOpen = 1
        _ = line.client.cancelAll(at: line.now)
        line.carry()
        line.faults = .none
        line.run(seconds: 20)
        #expect(line.losses == 0)
        line.run(seconds: 12)
        #expect(line.losses == 1)
        try expectSame(line, "after the silence")
    }

    @Test("A venue that beats and does not answer the signature is left at the deadline")
    func unanswered() throws {
        var settings = ClientConnection.Settings()
        settings.credentials = Credentials(clientID: "alice", secret: "")
        let connection = ClientConnection(settings, channels: [], at: 0, random: { 0 })
        connection.tick(at: 0)
        connection.opened(at: 0)
        connection.received(Array(#"{"jsonrpc":"2.0","id":1,"result":0}"#.utf8), at: 0)
        _ = connection.takeEffects()
        let beat = Array(#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}"#.utf8)
        for second in 1...5 {
            #expect(connection.isOpen)
            connection.received(beat, at: second * 1_000_000)
            connection.tick(at: second * 1_000_000)
        }
        #expect(!connection.isOpen)
        let reasons = connection.takeEffects().compactMap { effect -> String? in
            if case .lost(let reason) = effect { reason } else { nil }
        }
        #expect(reasons == ["no answer"])
    }

    @Test("A trade whose notification was lost on a line that seems well is found at the next review")
    func lostTrade() throws {
        let line = Line(Venue(), seed: 5)
        line.run(seconds: 1)
        let order = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(1_000), price: 89_999.5, label: "rests")
        _ = line.client.place(order, at: line.now)
        line.run(seconds: 1)
        line.faults.loseNotification = 1
        let contract = try #require(line.venue.exchange.contract(named: Venue.perpetual))
        // The maker's bids at that price were there first.
        line.venue.exchange.quote(contract, account: line.venue.maker, .buy, [])
        line.venue.exchange.take(contract, account: line.venue.taker, .sell, amount: 400 * Scales.units)
        line.run(seconds: 1)
        #expect(line.client.account.trades.isEmpty)
        line.faults = .none
        line.run(seconds: 31)
        #expect(line.client.account.trades.count == 1)
        try expectSame(line, "after the review")
    }

    @Test("More trades of one moment than a page holds are all listed")
    func oneMoment() throws {
        let line = Line(Venue(), seed: 8)
        line.run(seconds: 1)
        line.faults.loseNotification = 1
        for _ in 0..<2_500 {
            _ = try line.venue.exchange.place(
                OrderRequest(.buy, Venue.perpetual, amount: MessageAmount(10), price: 90_100), account: 1)
        }
        line.run(seconds: 1)
        #expect(line.client.account.trades.isEmpty)
        line.faults = .none
        line.run(seconds: 40)
        #expect(line.client.account.trades.count == 2_500)
        #expect(line.losses == 0)
        try expectSame(line, "after the review")
    }

    @Test("A token is made fresh before it expires")
    func refreshing() throws {
        var configuration = VenueConfiguration()
        configuration.tokenSeconds = 60
        let line = Line(Venue(configuration), seed: 6)
        line.run(seconds: 150)
        #expect(line.losses == 0)
        try expectSame(line, "after three lives of a token")
    }

    @Test("Credits are never overdrawn: a thousand requests at once, and the venue never says too many")
    func throttle() throws {
        var configuration = VenueConfiguration()
        configuration.limits.matching = RateLimit(burst: 20, rate: 5)
        configuration.limits.nonMatching = RateLimit(burst: 100, rate: 20)
        let line = Line(Venue(configuration), seed: 7) { $0.deadline = 600_000_000 }
        // However long they wait for credits.
        line.client.orderLife = nil
        line.run(seconds: 1)
        for number in 0..<300 {
            let price = 88_000 + Double(number)
            _ = line.client.place(
                OrderRequest(
                    .buy, Venue.perpetual, amount: MessageAmount(10), price: price, label: "n\(number)"),
                at: line.now)
        }
        line.run(seconds: 90)
        #expect(line.losses == 0)
        #expect(line.venue.exchange.openOrders(of: 1).count == 300)
        try expectSame(line, "after a burst")
    }

    @Test(
        "After 200 random mixtures of faults orders, trades and positions are the venue's own within a minute"
    )
    func mixtures() throws {
        for seed in UInt64(1)...200 {
            let line = Line(Venue(), seed: seed) { $0.cancelsOnDisconnect = seed % 2 == 0 }
            func chance(_ most: Double) -> Double { line.random() < 0.5 ? line.random() * most : 0 }
            line.run(seconds: 1)
            line.faults = LineFaults(
                loseRequest: chance(0.1), loseReply: chance(0.1), loseNotification: chance(0.2),
                repeatNotification: chance(0.3), swap: chance(0.3), halfOpen: chance(0.02))
            let exchange = line.venue.exchange
            let contract = try #require(exchange.contract(named: Venue.perpetual))
            var number = 0
            line.run(seconds: 20) {
                let price = 900_000_000 + Int(line.random() * 8) * 5_000
                exchange.quote(contract, account: line.venue.maker, .buy, [(price - 5_000, 5_000_000)])
                exchange.quote(contract, account: line.venue.maker, .sell, [(price + 5_000, 5_000_000)])
                exchange.quote(contract, account: line.venue.maker, .buy, [(price - 5_000, 5_000_000)])
                if line.random() < 0.2 {
                    exchange.take(
                        contract, account: line.venue.taker, line.random() < 0.5 ? .buy : .sell,
                        amount: 8_000_000)
                }
                switch line.random() {
                case ..<0.4:
                    number += 1
                    var order = OrderRequest(
                        line.random() < 0.5 ? .buy : .sell, Venue.perpetual,
                        amount: MessageAmount(Double(Int(line.random() * 30) + 1) * 10),
                        price: Scales.price(price + Int(line.random() * 9 - 4) * 5_000),
                        label: "\(seed)-\(number)")
                    if line.random() < 0.3 { order.timeInForce = .immediateOrCancel }
                    _ = line.client.place(order, at: line.now)
                case ..<0.5:
                    if let open = line.client.account.openOrders.first {
                        _ = line.client.cancel(open.orderID, at: line.now)
                    }
                case ..<0.6:
                    if let open = line.client.account.openOrders.last {
                        var edit = EditRequest()
                        edit.orderID = open.orderID
                        edit.amount = MessageAmount((open.amount?.value ?? 10) + 10)
                        edit.price = open.price.limit
                        _ = line.client.edit(edit, at: line.now)
                    }
                case ..<0.61: _ = line.client.cancelAll(at: line.now)
                default: break
                }
            }
            line.faults = .none
            line.run(seconds: 60)
            try expectSame(line, "mixture \(seed)")
        }
    }
}
