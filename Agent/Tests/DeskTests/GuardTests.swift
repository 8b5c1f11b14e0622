import Testing
import VenueProtocol

@testable import Desk

/// Each guard refuses what it is there for, and says so with its figures.
struct GuardTests {
    /// Opens a desk that is 200,000 dollars short and whose hedge, a purchase of 175,000, a guard is to refuse.
    private func refusal(_ change: @escaping (inout GuardSettings) -> Void) throws -> DeskReport {
        let stand = try Stand { change(&$0.guards) }
        let intents = stand.open(-200_000)
        #expect(intents.placed.isEmpty && stand.desk.counters.sent == 0)
        #expect(stand.desk.counters.guarded >= 1 && stand.desk.orders.isEmpty)
        return try #require(intents.reported(.guarded).first)
    }

    @Test("An order's amount")
    func amount() throws {
        // The order grows the position the other way round: nothing reduces here.
        let report = try refusal { $0.futureAmount = 174_990 }
        #expect(report.text.hasPrefix("amount:") && report.figure == 175_000 && report.bound == 174_990)
        let stand = try Stand { $0.guards.futureAmount = 175_000 }
        #expect(stand.open(-200_000).placed.count == 1)
    }

    @Test("An order's notional, in dollars")
    func notional() throws {
        let report = try refusal { $0.orderNotional = 174_000 }
        #expect(report.text.hasPrefix("notional:") && report.figure == 175_000 && report.bound == 174_000)
    }

    @Test("The mark's collar: an order book that is far from the mark is not traded")
    func markCollar() throws {
        let stand = try Stand()
        stand.open()
        stand.tell(stand.book(bid: 91_000, ask: 91_001))
        var foreign = OrderRequest(.sell, Stand.perpetual, amount: MessageAmount(200_000), price: 90_000)
        foreign.label = "somebody"
        let intents = stand.tell(.trades([stand.trade(foreign, 200_000)]), after: 300)
        #expect(intents.placed.isEmpty)
        #expect(intents.reported(.guarded).first?.text == "nobody quotes within the collar")
        // The guard itself refuses such a price too, whoever proposes it.
        let place = try #require(stand.desk.placeOfContract[Stand.perpetual])
        let contract = stand.desk.state.contracts[place]
        let buy = Proposal(
            contract: contract, quantity: try #require(Quantity(10)), price: 90_900.5, isFlattening: false)
        #expect(stand.desk.refusal(of: buy)?.by == .collarMark)
        let sell = Proposal(
            contract: contract, quantity: try #require(Quantity(-10)), price: 89_099.5, isFlattening: false)
        #expect(stand.desk.refusal(of: sell)?.by == .collarMark)
    }

    @Test("The touch's collar: no order goes far through the book")
    func touchCollar() throws {
        let stand = try Stand()
        stand.open()
        let contract = stand.desk.state.contracts[try #require(stand.desk.placeOfContract[Stand.perpetual])]
        func guardOf(_ amount: Double, _ price: Double) throws -> Guard? {
            let order = Proposal(
                contract: contract, quantity: try #require(Quantity(amount)), price: price,
                isFlattening: false)
            return stand.desk.refusal(of: order)?.by
        }
        // 0.2% of 90,000 is 180.
        #expect(try guardOf(10, 90_180) == nil)
        #expect(try guardOf(10, 90_180.5) == .collarTouch)
        #expect(try guardOf(-10, 89_820) == nil)
        #expect(try guardOf(-10, 89_819) == .collarTouch)
    }

    @Test("An option's collar is in points of volatility, and in ticks where those are wider")
    func optionCollar() throws {
        let stand = try Stand()
        stand.open(0, options: 1)
        let contract = stand.desk.state.contracts[try #require(stand.desk.placeOfContract[Stand.option])]
        let collar = try #require(stand.desk.markCollar(contract, .buy))
        // Vega at the money is about F·φ(0)·√T / 100 dollars a point; five points in coins at 90,000.
        let years = Double((VenueTime.expiry("1JUL26") ?? 0) - Stand.start) / (365 * 86_400_000)
        let points = 5 * 0.398942280401 * years.squareRoot() / 100
        #expect(abs(collar - 0.0686 - points) < 0.02 * points)
        let narrow = try Stand { $0.guards.collarPoints = 0.0001 }
        narrow.open(0, options: 1)
        let same = narrow.desk.state.contracts[try #require(narrow.desk.placeOfContract[Stand.option])]
        #expect(abs(try #require(narrow.desk.markCollar(same, .sell)) - (0.0686 - 10 * 0.0005)) < 1e-12)
    }

    @Test("Exposures with all working orders filled at the worst")
    func exposure() throws {
        let stand = try Stand(low: -1e9, high: 1e9) { $0.guards.delta = 100_000 }
        stand.open(60_000)
        let contract = stand.desk.state.contracts[try #require(stand.desk.placeOfContract[Stand.perpetual])]
        func refusal(_ amount: Double) throws -> Refusal? {
            stand.desk.refusal(
                of: Proposal(
                    contract: contract, quantity: try #require(Quantity(amount)), price: 90_000,
                    isFlattening: false))
        }
        #expect(try refusal(40_000) == nil)
        let beyond = try #require(try refusal(40_010))
        #expect(beyond.by == .exposure && abs((beyond.figure ?? 0) - 100_010) < 1e-6)
        // Another one works: both are counted.
        var order = DeskOrder()
        (order.label, order.instrumentName) = ("poise-1-9", Stand.perpetual)
        order.quantity = try #require(Quantity(30_000))
        stand.desk.state.orders.append(order)
        #expect(try refusal(10_000) == nil)
        #expect(try refusal(10_010)?.by == .exposure)
        // What leaves less passes, even beyond the bound.
        let reducing = try Stand(low: -1e9, high: 1e9) { $0.guards.delta = 10 }
        reducing.open(60_000)
        let same = reducing.desk.state.contracts[0]
        let sale = Proposal(
            contract: same, quantity: try #require(Quantity(-60_000)), price: 90_000, isFlattening: false)
        #expect(reducing.desk.refusal(of: sale) == nil)
        let turn = Proposal(
            contract: same, quantity: try #require(Quantity(-60_020)), price: 90_000, isFlattening: false)
        #expect(reducing.desk.refusal(of: turn)?.by == .exposure)
    }

    @Test("The position of an instrument, in dollars")
    func position() throws {
        let stand = try Stand(low: -1e9, high: 1e9) { $0.guards.position = 100_000 }
        stand.open(60_000)
        func by(_ amount: Double) throws -> Guard? {
            stand.desk.refusal(
                of: Proposal(
                    contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(amount)),
                    price: 90_000, isFlattening: false))?.by
        }
        #expect(try by(40_000) == nil && by(40_010) == .position)
        #expect(try by(-60_000) == nil && by(-160_010) == .position)
    }

    @Test("Margin after the order, by rates, out of what the venue says is available")
    func margin() throws {
        let stand = try Stand(low: -1e9, high: 1e9)
        stand.open()
        // 2% of 90,000 dollars is 0.02 coins; 5% of the equity of one coin has to be left.
        stand.tell(Stand.account(1, available: 0.07), after: 1)
        func by(_ amount: Double) throws -> Guard? {
            stand.desk.refusal(
                of: Proposal(
                    contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(amount)),
                    price: 90_000, isFlattening: false))?.by
        }
        #expect(try by(89_990) == nil && by(90_010) == .margin)
    }

    @Test("Orders that work, orders of the last second and of the day")
    func counts() throws {
        func contract(_ stand: Stand) -> Contract { stand.desk.state.contracts[0] }
        let stand = try Stand(low: -1e9, high: 1e9) {
            ($0.guards.openOrders, $0.guards.ordersPerSecond, $0.guards.ordersPerDay) = (2, 3, 4)
        }
        stand.open()
        func refusal(_ amount: Double = 10) throws -> Refusal? {
            stand.desk.refusal(
                of: Proposal(
                    contract: contract(stand), quantity: try #require(Quantity(amount)), price: 90_000,
                    isFlattening: false))
        }
        for number in 0..<2 {
            #expect(try refusal() == nil)
            var order = DeskOrder()
            order.label = "poise-1-\(number)"
            stand.desk.state.orders.append(order)
        }
        #expect(try refusal()?.by == .openOrders && refusal()?.mayWait == true)
        stand.desk.state.orders.removeAll()
        for number in 0..<3 {
            var sent = SentOrder()
            (sent.time, sent.instrumentName) = (stand.time - number, "x")
            stand.desk.state.counters.recent.append(sent)
        }
        #expect(try refusal()?.by == .rate)
        stand.tell(.timer, after: 1_000)
        #expect(try refusal() == nil)
        stand.desk.state.counters.sentToday = 4
        #expect(try refusal()?.by == .day)
        stand.tell(.timer, after: VenueTime.day)
        #expect(stand.desk.state.counters.sentToday == 0)
    }

    @Test("The same order twice, and the same side again and again: the latter stops until a person looks")
    func repeated() throws {
        let stand = try Stand { ($0.guards.repeatedOrders, $0.guards.ordersPerSecond) = (3, 100) }
        var request = try #require(stand.open(-500_000).placed.first)
        let contract = stand.desk.state.contracts[0]
        let same = Proposal(
            contract: contract, quantity: try #require(Quantity(request.amount?.value ?? 0)), price: 90_000,
            isFlattening: false)
        #expect(stand.desk.refusal(of: same)?.by == .duplicate)
        for number in 1...3 {
            let trade = stand.trade(request, 10)
            let reply = OrderReply(order: stand.order(request, .cancelled, filled: 10), trades: [trade])
            stand.tell(.reply(LabelledReply(request.label ?? "", reply)))
            let intents = stand.refresh()
            guard number < 3 else {
                #expect(intents.placed.isEmpty && intents.reported(.kill).count == 1)
                #expect(intents.reported(.guarded).first?.text.hasPrefix("repeated:") == true)
                break
            }
            request = try #require(intents.placed.first)
        }
        #expect(stand.desk.killSwitch.level == .pause)
        #expect(stand.refresh(after: 120_000).placed.isEmpty)
    }

    @Test("Inputs that are too old: ticker, book, index, account, positions (R25)")
    func stale() throws {
        func by(_ change: (inout GuardSettings) -> Void, _ skip: (Stand) -> Void) throws -> Guard? {
            let stand = try Stand(low: -1e9, high: 1e9) {
                ($0.guards.tickerAge, $0.guards.bookAge, $0.guards.indexAge) = (900_000, 900_000, 900_000)
                ($0.guards.accountAge, $0.guards.positionsAge) = (900_000, 900_000)
                change(&$0.guards)
            }
            stand.open(0)
            stand.tell(.timer, after: 5_000)
            skip(stand)
            return stand.desk.refusal(
                of: Proposal(
                    contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(10)),
                    price: 90_000, isFlattening: false))?.by
        }
        // All but the book were told three tenths of a second before.
        #expect(try by({ $0.tickerAge = 5_299 }, { _ in }) == .staleTicker)
        #expect(try by({ $0.tickerAge = 5_300 }, { _ in }) == nil)
        #expect(try by({ $0.tickerAge = 4_999 }, { $0.tell($0.ticker()) }) == nil)
        #expect(try by({ $0.bookAge = 4_999 }, { _ in }) == .staleBook)
        #expect(try by({ $0.bookAge = 4_999 }, { $0.tell($0.book()) }) == nil)
        #expect(try by({ $0.accountAge = 4_999 }, { _ in }) == .staleAccount)
        #expect(try by({ $0.accountAge = 4_999 }, { $0.tell(Stand.account()) }) == nil)
        #expect(try by({ $0.positionsAge = 4_999 }, { _ in }) == .stalePositions)
        #expect(try by({ $0.positionsAge = 4_999 }, { $0.tell(.positions([])) }) == nil)
        // An index that is too old is no readiness at all.
        #expect(try by({ $0.indexAge = 4_999 }, { _ in }) == .readiness)
        #expect(try by({ $0.indexAge = 4_999 }, { $0.tell($0.index()) }) == nil)
        // Prices of the future are as old as their stamps say, and a crossed book is none (R24).
        #expect(try by({ _ in }, { $0.tell($0.book(bid: 90_001, ask: 90_000)) }) == .staleBook)
    }

    @Test("A book that is not open, and a contract that expires within minutes")
    func state() throws {
        let stand = try Stand()
        stand.open()
        for (state, isOpen) in [
            (BookState.locked, false), (.halted, false), (.settlement, false), (.open, true),
            (.inactive, false),
        ] {
            var change = InstrumentStateChange()
            (change.instrumentName, change.state) = (Stand.perpetual, state)
            stand.tell(.state(change))
            let proposal = Proposal(
                contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(10)), price: 90_000,
                isFlattening: false)
            #expect(stand.desk.refusal(of: proposal)?.by == (isOpen ? nil : .state))
        }
        var contract = stand.desk.state.contracts[1]
        contract.instrument.expirationTimestamp = stand.time + 599_000
        let late = Proposal(
            contract: contract, quantity: try #require(Quantity(1)), price: 0.07, isFlattening: false)
        #expect(stand.desk.refusal(of: late)?.by == .expiry)
    }

    @Test("An order that would meet one's own")
    func selfCross() throws {
        let stand = try Stand(low: -1e9, high: 1e9)
        stand.open()
        var order = DeskOrder()
        (order.label, order.instrumentName, order.price) = ("poise-1-9", Stand.perpetual, 90_000)
        order.quantity = try #require(Quantity(-10))
        stand.desk.state.orders.append(order)
        func by(_ amount: Double, _ price: Double) throws -> Guard? {
            stand.desk.refusal(
                of: Proposal(
                    contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(amount)),
                    price: price, isFlattening: false))?.by
        }
        #expect(try by(10, 90_000) == .selfCross && by(10, 89_999.5) == nil && by(-10, 90_000) == nil)
    }

    @Test("A reference price that is missing, old or elsewhere: no new risk, but what reduces passes")
    func reference() throws {
        let stand = try Stand(low: -1e9, high: 1e9) { $0.guards.needsReference = true }
        stand.open(50_000)
        func by(_ amount: Double) throws -> Guard? {
            stand.desk.refusal(
                of: Proposal(
                    contract: stand.desk.state.contracts[0], quantity: try #require(Quantity(amount)),
                    price: 90_000, isFlattening: false))?.by
        }
        #expect(try by(10) == .reference && by(-50_000) == nil)
        stand.tell(.reference(ReferencePrice("BTC", price: 90_100)))
        #expect(try by(10) == nil)
        stand.tell(.reference(ReferencePrice("BTC", price: 92_000)))
        #expect(try by(10) == .reference)
        stand.tell(.reference(ReferencePrice("BTC", price: nil)))
        #expect(try by(10) == .reference && by(-10) == nil)
        stand.tell(.reference(ReferencePrice("BTC", price: 90_100)))
        stand.refresh(after: 10_001)
        #expect(try by(10) == .reference)
    }

    @Test("Nothing is sent before everything is confirmed (R30), and again after the line was lost (R29)")
    func readiness() throws {
        let stand = try Stand()
        var intents = stand.tell(.started(RunStart(run: 1, version: "test")))
        let steps: [DeskEvent.Content] = [
            .instruments([Stand.future(), Stand.call()]), stand.index(), Stand.account(), .openOrders([]),
            .positions([Stand.position(Stand.perpetual, -200_000)]), stand.ticker(), stand.book(),
        ]
        for step in steps {
            intents += stand.tell(step)
            #expect(!stand.desk.isReady)
        }
        intents += stand.tell(
            .line(LineState(isUp: true, cancelsOnDisconnect: false, clockOffset: 0)), after: 300)
        #expect(stand.desk.notReady == "cancel on disconnect is not confirmed")
        intents += stand.tell(.line(LineState(isUp: true, cancelsOnDisconnect: true)), after: 300)
        #expect(stand.desk.notReady == "the clock's offset is not measured" && intents.placed.isEmpty)
        #expect(
            stand.tell(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: 3)), after: 300)
                .placed.count == 1)
        let lost = stand.tell(.line(LineState(isUp: false)))
        #expect(
            lost.placed.isEmpty && lost.reported(.notReady).count == 1 && lost.reported(.unknown).count == 1)
        stand.tell(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: 3)))
        #expect(stand.refresh().placed.isEmpty)
        #expect(stand.desk.notReady == "instruments are not listed")
    }

    @Test("A clock that is off refuses to start, and pauses a desk that trades (R20)")
    func clock() throws {
        let stand = try Stand()
        stand.open()
        #expect(stand.desk.isReady)
        stand.tell(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: -501)))
        #expect(!stand.desk.isReady && stand.desk.killSwitch.level == .pause)
    }
}
