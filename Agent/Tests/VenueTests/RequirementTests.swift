import Desk
import ExchangeServer
import Journal
import Live
import TestExchange
import Testing
import VenueClient
import VenueProtocol

/// What broke other agents in live use, each by its number in docs/live-agent.md. Those that are about the desk alone, or the
/// client alone, have their tests there.
struct RequirementTests {
    /// An agent that is ready, and whose delta a stranger's trade then puts outside.
    private static func outside(
        _ change: (inout AgentConfiguration) -> Void = { _ in }
    ) throws -> LiveLine {
        let line = try LiveLine(Venue(), change)
        line.quote()
        try line.run(seconds: 5)
        #expect(line.live.desk.isReady, "\(line.live.desk.notReady ?? "")")
        return line
    }

    @Test("R1: killed between sending and the answer, there is one order after the restart, live or filled")
    func killedBeforeAnswer() throws {
        for style in [ExecutionSettings.Style.cross, .join] {
            let line = try Self.outside { $0.desk.execution.futures = style }
            line.isDeafAfterSending = true
            line.trade(.buy, dollars: 20_000)
            try line.run(seconds: 5)
            #expect(line.door.placed.count == 1 && line.venueOrders.count == 1)
            let label = line.door.placed[0]
            try line.restart()
            try line.run(seconds: 40)
            #expect(line.venueOrders.filter { $0.label == label }.count == 1)
            #expect(line.venue.exchange.openOrders(of: LiveLine.alice).count <= 1)
            try line.expectHedged("\(style)")
        }
    }

    @Test(
        "R2, R16: an order without an answer is looked up by its label, adopted or given up, and never sent again"
    )
    func lostAnswers() throws {
        for kind in [FaultKind.dropReply, .dropRequest, .internalError] {
            let line = try Self.outside()
            line.fault(kind) { ($0.method, $0.count) = ("private/sell", 1) }
            line.trade(.buy, dollars: 20_000)
            try line.run(seconds: 40)
            let lost = try #require(line.door.placed.first)
            #expect(
                line.venueOrders.filter { $0.label == lost }.count == (kind == .dropRequest ? 0 : 1),
                "\(kind)")
            // Where the answer alone is lost, the channels tell what became of it.
            let least = kind == .dropReply ? 0 : 1
            #expect(line.live.desk.counters.unknown >= least, "\(kind)")
            try line.expectHedged("\(kind)")
        }
    }

    @Test("R4: an open order that the venue has and the desk does not know is told at the start")
    func openOrdersAreTold() throws {
        let venue = Venue()
        var request = OrderRequest(
            .buy, Venue.perpetual, amount: MessageAmount(10), price: 80_000, label: "by hand")
        request.timeInForce = .goodTilCancelled
        _ = try venue.exchange.place(request, account: LiveLine.alice, connection: 0)
        request.label = "poise-9-9"
        _ = try venue.exchange.place(request, account: LiveLine.alice, connection: 0)
        let line = try LiveLine(venue)
        try line.run(seconds: 5)
        #expect(line.reported(.foreign).count == 2)
        // One's own of an earlier life is of no use any more; a stranger's is left alone.
        #expect(venue.exchange.openOrders(of: LiveLine.alice).map(\.label) == ["by hand"])
    }

    @Test(
        "R5, R6: what the account holds at the first start is adopted as it is, and no trade is invented for it"
    )
    func adoption() throws {
        let venue = Venue()
        let contract = try #require(venue.exchange.contract(named: Venue.perpetual))
        venue.exchange.take(contract, account: LiveLine.alice, .buy, amount: 4_000 * Scales.units)
        venue.pass(seconds: 3_600)
        let line = try LiveLine(venue)
        try line.run(seconds: 5)
        #expect(line.live.desk.position(Venue.perpetual) == Quantity(4_000))
        #expect(line.live.desk.counters.fills == 0)
        try line.restart()
        try line.run(seconds: 5)
        #expect(line.live.desk.position(Venue.perpetual) == Quantity(4_000))
        #expect(line.live.desk.counters.fills == 0 && line.live.desk.mismatches.isEmpty)
    }

    @Test("R7, R15, R27: restarted twice, a journal gives the same state; an order is in it before it leaves")
    func restarts() throws {
        let line = try Self.outside()
        let reader = try Journal(path: line.path)
        line.door.willPlace = { request in
            var isWritten = false
            try? reader.forEachRecord(after: 0) { record in
                isWritten =
                    isWritten
                    || String(decoding: record.intents, as: UTF8.self).contains(request.label ?? "?")
            }
            #expect(isWritten, "\(request.label ?? "") is not in the journal")
        }
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 5)
        #expect(!line.door.placed.isEmpty)
        func recovered() throws -> (UInt64, Quantity) {
            let desk = try Journal(path: line.path).recover(line.configuration.desk, engine: GreeksComputer())
                .desk
            return (desk.stateHash, desk.position(Venue.perpetual))
        }
        let (first, second) = (try recovered(), try recovered())
        #expect(first.0 == second.0 && first.1 == second.1)
        try line.restart()
        try line.run(seconds: 10)
        try line.restart()
        try line.run(seconds: 10)
        try line.expectHedged("after two restarts")
    }

    @Test("R8: a trade by hand is noticed at once, told, and hedged")
    func manualTrade() throws {
        let line = try Self.outside()
        line.trade(.sell, dollars: 20_000)
        try line.run(seconds: 3)
        #expect(line.reported(.foreign).count == 1)
        #expect(!line.door.placed.isEmpty)
        try line.run(seconds: 5)
        try line.expectHedged("after a trade by hand")
    }

    @Test(
        "R9, R30: without positions, orders or cancel on disconnect from the venue nothing is sent; an error is not zero"
    )
    func nothingBeforeReadiness() throws {
        for method in [
            "private/get_positions", "private/get_open_orders", "private/enable_cancel_on_disconnect",
        ] {
            let venue = Venue()
            let contract = try #require(venue.exchange.contract(named: Venue.perpetual))
            venue.exchange.take(contract, account: LiveLine.alice, .buy, amount: 20_000 * Scales.units)
            let line = try LiveLine(venue)
            line.quote()
            line.fault(.reject) { ($0.method, $0.code, $0.lasts) = (method, 13_028, 20_000) }
            try line.run(seconds: 15)
            #expect(line.door.placed.isEmpty && !line.live.desk.isReady, "\(method)")
            #expect(line.live.desk.holdings.isEmpty || method != "private/get_positions")
            try line.run(seconds: 60)
            #expect(!line.door.placed.isEmpty, "\(method)")
            let delta = try #require(line.live.desk.lookedAt.first)
            #expect(delta.value <= 5_000, "\(method)")
        }
    }

    @Test("R14, R17: at the end nothing is open, though orders are on their way and cancels are refused")
    func ending() throws {
        let line = try Self.outside { $0.desk.execution.futures = .join }
        line.fault(.reject) { ($0.method, $0.code, $0.count) = ("private/cancel", 10_040, 6) }
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 2) { !line.door.placed.isEmpty }
        try line.live.beginEnding()
        try line.run(seconds: 30) { line.live.hasNothingOpen }
        #expect(line.live.hasNothingOpen)
        #expect(line.venue.exchange.openOrders(of: LiveLine.alice).isEmpty)
        try line.live.end()
        #expect(line.live.desk.killSwitch.level == .none)
        #expect(try Journal(path: line.path).runs().last?.ended != nil)
    }

    @Test(
        "R11, R18: trades that come in the answer, by channels and by lists, twice and in any order, count once"
    )
    func duplicates() throws {
        let line = try Self.outside()
        line.fault(.repeatNotification)
        line.fault(.swapNotifications) { $0.probability = 0.5 }
        line.fault(.notificationFirst)
        for round in 0..<6 {
            line.quote()
            line.trade(round % 2 == 0 ? .buy : .sell, dollars: 20_000)
            try line.run(seconds: 4)
        }
        try line.restart()
        try line.run(seconds: 10)
        #expect(line.live.desk.counters.duplicates > 0)
        try line.expectHedged("after repetitions")
    }

    @Test(
        "R19, R26, R29: after any close the line comes back, trades since are fetched before anything is sent"
    )
    func closes() throws {
        for code in [1_000, 1_001, 1_006, 1_011] {
            let line = try Self.outside()
            let openings = line.live.statistics.openings
            let listings = line.live.statistics.listings
            line.fault(.close) { $0.code = code }
            try line.run(seconds: 0.2)
            line.trade(.buy, dollars: 20_000)
            try line.run(seconds: 30)
            #expect(line.live.statistics.openings > openings, "\(code)")
            #expect(line.live.statistics.listings > listings, "\(code)")
            let fills = line.reports.firstIndex { $0.kind == .fill }
            let orders = line.reports.firstIndex { $0.kind == .order }
            #expect(try #require(fills) < (try #require(orders)), "\(code)")
            try line.expectHedged("closed with \(code)")
        }
    }

    @Test("R20: a venue's clock that is far from one's own stops the desk before it sends anything")
    func clock() throws {
        let venue = Venue()
        let line = try LiveLine(venue)
        line.quote()
        line.fault(.clockSkew) { ($0.milliseconds, $0.lasts) = (10_000, 1_000_000) }
        try line.run(seconds: 5)
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 10)
        #expect(line.door.placed.isEmpty)
        #expect(line.live.desk.killSwitch.level == .pause)
    }

    @Test("R24, R31: a gap makes one book invalid until its snapshot, and no other")
    func gaps() throws {
        let line = try Self.outside {
            $0.desk.limits.append(LimitSetting("ETH", "delta", low: -5_000, high: 5_000))
        }
        let other = try #require(line.venue.exchange.contract(named: "ETH-PERPETUAL"))
        func quoteOther(_ price: Double) {
            line.venue.exchange.quote(
                other, account: line.venue.maker, .buy, [(Scales.units(price) ?? 0, 10_000 * Scales.units)])
        }
        quoteOther(2_999)
        try line.run(seconds: 2)
        line.fault(.bookGap) { ($0.instrument, $0.count) = (Venue.perpetual, 1) }
        line.fault(.missingChannel) { ($0.channel, $0.count) = ("book.BTC-PERPETUAL", 3) }
        line.quote(bid: 89_998)
        try line.run(seconds: 0.3)
        line.quote(bid: 89_997)
        try line.run(seconds: 0.3)
        #expect(line.live.statistics.bookGaps >= 1)
        #expect(line.live.market.books["ETH-PERPETUAL"]?.value.isValid == true)
        try line.run(seconds: 30)
        #expect(line.live.market.books[Venue.perpetual]?.value.isValid == true)
        #expect(line.live.market.books[Venue.perpetual]?.value.bids.first?.price == 89_997)
    }

    @Test(
        "R25: a line that passes nothing and says nothing is found out, and what happened meanwhile is hedged"
    )
    func halfOpen() throws {
        let line = try Self.outside()
        line.fault(.halfOpen)
        try line.run(seconds: 1)
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 60)
        #expect(line.live.statistics.lostTrading >= 1)
        try line.expectHedged("after a line that was half open")
    }

    @Test(
        "R34: a trade whose messages are all lost on a healthy line is found by the next review, and hedged")
    func review() throws {
        let line = try Self.outside()
        // The last review has just been: the next one is seconds away.
        let listings = line.live.statistics.listings
        try line.run(seconds: 10) { line.live.statistics.listings > listings }
        line.fault(.dropNotification) { ($0.channel, $0.lasts) = ("user", 500) }
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 0.5)
        #expect(line.live.desk.position(Venue.perpetual) == .zero)
        try line.run(seconds: 12)
        try line.expectHedged("after lost trades")
    }

    @Test("R23: credits are never overdrawn while the desk is kept busy")
    func credits() throws {
        let line = try Self.outside { $0.desk.guards.ordersPerSecond = 100 }
        for round in 0..<40 {
            line.quote()
            line.trade(round % 2 == 0 ? .buy : .sell, dollars: 20_000)
            try line.run(seconds: 1)
        }
        #expect(line.live.statistics.lostTrading == 0)
        #expect(!line.reports.contains { $0.figure == 10_028 })
        try line.expectHedged("after a busy time")
    }

    @Test("R35: an index that is locked, and prices that stand still, stop orders until they move again")
    func stale() throws {
        let line = try Self.outside()
        line.fault(.indexLock) { ($0.index, $0.lasts) = ("btc_usd", 8_000) }
        try line.run(seconds: 1)
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 4)
        #expect(line.door.placed.isEmpty)
        #expect(line.live.desk.notReady?.contains("locked") == true)
        try line.run(seconds: 20)
        try line.expectHedged("after the lock")
    }

    @Test("Maintenance halts the desk, and it is hedged again when the books are open")
    func maintenance() throws {
        let line = try Self.outside()
        line.fault(.maintenance) { $0.lasts = 5_000 }
        try line.run(seconds: 1)
        #expect(!line.live.desk.isReady)
        try line.run(seconds: 60)
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 20)
        if line.live.desk.killSwitch.level != .none {
            try line.live.command(OperatorCommand(.release, by: "a person"))
            try line.run(seconds: 10)
        }
        try line.expectHedged("after maintenance")
    }

    @Test(
        "A dry run decides and sends nothing; a paper one fills against the live book and moves nothing there"
    )
    func dryAndPaper() throws {
        let dry = try LiveLine(Venue(), mode: .dry)
        dry.quote()
        try dry.run(seconds: 5)
        dry.trade(.buy, dollars: 20_000)
        try dry.run(seconds: 5)
        #expect(dry.door.placed.isEmpty && dry.live.desk.counters.sent > 0)

        let paper = try LiveLine(Venue(), mode: .paper) {
            $0.paper = PaperSettings()
            $0.paper?.deposits = NamedValues([("BTC", 10)])
            $0.desk.books[0].positions = [BookPosition(Venue.perpetual, 20_000)]
        }
        paper.quote()
        try paper.run(seconds: 10)
        #expect(paper.door.placed.isEmpty && paper.venueOrders.isEmpty)
        #expect(paper.live.desk.counters.fills > 0)
        let delta = try #require(paper.live.desk.lookedAt.first)
        #expect(delta.value <= 5_000)
        // Bought at nothing and sold at the bid: 90,000.5 is half a dollar in 90,000 from it, and the fee.
        let equity = try #require(paper.live.desk.accounts.first).line.equity
        #expect(abs(equity - 10) < 0.001, "\(equity)")
    }

    @Test(
        "A person moves a band: the desk keeps it, over a restart, until the configuration says something else"
    )
    func limits() throws {
        let line = try Self.outside()
        let wide = LimitSetting("BTC", "delta", low: -50_000, high: 50_000)
        try line.live.command(OperatorCommand(.limit, by: "a person", limit: wide))
        line.trade(.buy, dollars: 20_000)
        try line.run(seconds: 5)
        #expect(line.door.placed.isEmpty && line.live.desk.lookedAt[0].high == 50_000)
        try line.restart()
        try line.run(seconds: 5)
        #expect(line.door.placed.isEmpty && line.live.desk.lookedAt[0].high == 50_000)
        let narrow = LimitSetting("BTC", "delta", low: -1_000, high: 1_000)
        try line.live.command(OperatorCommand(.limit, by: "a person", limit: narrow))
        try line.run(seconds: 5)
        #expect(line.live.desk.lookedAt[0].high == 1_000 && line.live.desk.lookedAt[0].value <= 1_000)
        for wrong in [
            LimitSetting("BTC", "gamma", low: 0), LimitSetting("BTC", "delta"),
            LimitSetting("BTC", "delta", low: 2, high: 1), LimitSetting("BTC", "delta", low: .nan, high: 1),
        ] {
            try line.live.command(OperatorCommand(.limit, by: "a person", limit: wrong))
            #expect(line.live.desk.lookedAt[0].high == 1_000)
        }
        // Everything of it replays.
        try line.live.journal?.flush()
        let journal = try Journal(path: line.path)
        let replayed = try journal.replay(fromLatest: false, engine: GreeksComputer()).desk
        #expect(replayed.stateHash == line.live.desk.stateHash)
    }
}
