import Testing
import VenueProtocol

@testable import Desk

/// Orders and trades, however they come.
struct FillTests {
    @Test("A fill that comes four ways, in any order, counts once (R18)", arguments: 0..<24)
    func fourWays(order: Int) throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        let trade = stand.trade(request, 175_000)
        let filled = stand.order(request, .filled, filled: 175_000)
        var ways: [DeskEvent.Content] = [
            .reply(LabelledReply(request.label ?? "", OrderReply(order: filled, trades: [trade]))),
            .trades([trade]), .order(filled), .trades([trade, trade]),
        ]
        var (left, chosen) = (order, [DeskEvent.Content]())
        for size in stride(from: 4, through: 1, by: -1) {
            chosen.append(ways.remove(at: left % size))
            left /= size
        }
        for way in chosen { stand.tell(way) }
        #expect(stand.desk.position(Stand.perpetual) == Quantity(-25_000))
        #expect(stand.desk.orders.isEmpty && stand.desk.counters.fills == 1)
        #expect(stand.desk.counters.duplicates == 3)
    }

    @Test("Numbers of trades are the currency's: the same number in two currencies is two trades")
    func currencies() throws {
        let stand = try Stand()
        stand.open()
        var linear = OrderRequest(.buy, "BTC_USDC-PERPETUAL", amount: MessageAmount(1), price: 90_000)
        linear.label = "x"
        var inverse = OrderRequest(.buy, Stand.perpetual, amount: MessageAmount(10), price: 90_000)
        inverse.label = "x"
        stand.tell(.trades([stand.trade(linear, 1, id: "7"), stand.trade(inverse, 10, id: "7")]))
        #expect(stand.desk.counters.fills == 2)
        #expect(stand.desk.position("BTC_USDC-PERPETUAL") == Quantity(1))
    }

    @Test("An answer that never comes is looked up, and nothing is sent meanwhile (R1–R4)")
    func unknown() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        let label = request.label ?? ""
        var intents = stand.tell(.timer, after: 5_001)
        #expect(intents.lookedUp == [label] && intents.reported(.unknown).count == 1 && !stand.desk.isReady)
        #expect(stand.refresh(after: 500).placed.isEmpty)
        intents = stand.tell(.timer, after: 501)
        #expect(intents.lookedUp == [label])
        // It was filled after all.
        stand.tell(.trades([stand.trade(request, 175_000)]))
        stand.tell(.order(stand.order(request, .filled, filled: 175_000)))
        #expect(stand.desk.isReady && stand.desk.position(Stand.perpetual) == Quantity(-25_000))
        #expect(stand.refresh().placed.isEmpty)
    }

    @Test("An order that never arrived is sent anew only when it cannot arrive any more")
    func absent() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.unknown(label: request.label ?? ""), after: 100)
        stand.tell(.absent(label: request.label ?? ""))
        #expect(stand.desk.orders.count == 1 && !stand.desk.isReady)
        stand.refresh(after: 2_000)
        stand.tell(.absent(label: request.label ?? ""))
        #expect(stand.desk.orders.isEmpty)
        #expect(stand.refresh().placed.first?.label == "poise-1-2")
    }

    @Test("A trade that was announced and does not come is asked for (R34)")
    func missingTrade() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.order(stand.order(request, .filled, filled: 175_000)))
        #expect(stand.desk.orders.count == 1 && stand.refresh(after: 500).placed.isEmpty)
        let asked = stand.tell(.timer, after: 600).contains {
            if case .askTrades("BTC", _) = $0 { true } else { false }
        }
        #expect(asked)
        stand.tell(.trades([stand.trade(request, 100_000), stand.trade(request, 75_000)]))
        #expect(stand.desk.orders.isEmpty && stand.desk.position(Stand.perpetual) == Quantity(-25_000))
    }

    @Test("A cancel that is refused is tried until the venue says that the order is over (R21)")
    func cancel() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let request = try #require(stand.open(-200_000).placed.first)
        let label = request.label ?? ""
        stand.tell(.order(stand.order(request, .open)))
        #expect(stand.tell(.command(OperatorCommand(.pause, by: "ann"))).cancelled == [label])
        for _ in 0..<5 {
            stand.tell(.cancelRefused(LabelledFault(label, VenueFault(.retry))))
            #expect(stand.tell(.timer, after: 1_000).cancelled == [label])
        }
        let intents = stand.tell(.cancelRefused(LabelledFault(label, VenueFault(.notOpenOrder))))
        #expect(intents.lookedUp == [label])
        stand.tell(.trades([stand.trade(request, 175_000)]))
        stand.tell(.order(stand.order(request, .filled, filled: 175_000)))
        #expect(stand.desk.orders.isEmpty)
    }

    @Test("An order that the venue shows as open again after its end stays over")
    func neverBack() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.order(stand.order(request, .open)))
        stand.tell(.order(stand.order(request, .filled, filled: 175_000)), after: 10)
        stand.tell(.order(stand.order(request, .open)))
        stand.tell(.trades([stand.trade(request, 175_000)]))
        #expect(stand.desk.orders.isEmpty)
    }

    @Test(
        "A position that the venue sees otherwise is said with both numbers and blocked, and no trade is invented (R29)"
    )
    func mismatch() throws {
        let stand = try Stand()
        stand.open(-40_000)
        let listed = [Stand.position(Stand.perpetual, -140_000)]
        var intents = stand.tell(.positions(listed), after: 300)
        #expect(intents.reported(.mismatch).isEmpty && !stand.desk.isReady)
        intents = stand.tell(.positions(listed), after: 300)
        let report = try #require(intents.reported(.mismatch).first)
        #expect(report.figure == -40_000 && report.bound == -140_000)
        #expect(stand.desk.position(Stand.perpetual) == Quantity(-40_000))
        #expect(stand.desk.mismatches == [Stand.perpetual])
        let contract = stand.desk.state.contracts[0]
        let order = Proposal(
            contract: contract, quantity: try #require(Quantity(-10)), price: 90_000, isFlattening: false)
        #expect(stand.desk.refusal(of: order)?.by == .blocked)
        // A trade explains it.
        var foreign = OrderRequest(.sell, Stand.perpetual, amount: MessageAmount(100_000), price: 90_000)
        foreign.label = "somebody"
        stand.tell(.trades([stand.trade(foreign, 100_000)]))
        intents = stand.tell(.positions(listed))
        #expect(intents.reported(.resolved).count == 1 && stand.desk.mismatches.isEmpty)
        #expect(stand.refresh().placed.count == 1)
    }

    @Test("A person may take the venue's word")
    func accept() throws {
        let stand = try Stand()
        stand.open(-40_000)
        let listed = [Stand.position(Stand.perpetual, -45_000)]
        for _ in 0..<2 { stand.tell(.positions(listed), after: 300) }
        #expect(stand.desk.mismatches.count == 1)
        stand.tell(.command(OperatorCommand(.accept, by: "ann", instrumentName: Stand.perpetual)))
        #expect(stand.desk.position(Stand.perpetual) == Quantity(-45_000) && stand.desk.mismatches.isEmpty)
    }

    @Test("Orders of an earlier run are taken back, those of others left alone")
    func foreignOrders() throws {
        let stand = try Stand()
        stand.open()
        var old = OrderRequest(.buy, Stand.perpetual, amount: MessageAmount(10), price: 80_000)
        old.label = "poise-0-7"
        var other = old
        other.label = "hers"
        let intents = stand.tell(.openOrders([stand.order(old, .open), stand.order(other, .open)]))
        #expect(intents.cancelled == ["poise-0-7"] && intents.reported(.foreign).count == 2)
    }

    @Test("At the first start the books are given what the configuration says, and the first one the rest")
    func adoption() throws {
        let stand = try Stand {
            $0.books = [
                BookSetting("one"), BookSetting("two", [BookPosition(Stand.perpetual, -30_000)]),
            ]
        }
        stand.open(-20_000, options: 2)
        #expect(
            Set(stand.desk.holdings.map { "\($0.book) \($0.instrumentName) \($0.quantity.amount)" }) == [
                "two BTC-PERPETUAL -30000.0", "one BTC-PERPETUAL 10000.0", "one \(Stand.option) 2.0",
            ])
    }

    @Test("A delivery ends what the books hold, whatever it paid")
    func delivery() throws {
        let stand = try Stand()
        stand.open(0, options: 3)
        #expect(stand.desk.exposures()[0].value > 100_000)
        let intents = stand.tell(.delivered(Delivery(Stand.option, price: 91_000)))
        #expect(intents.reported(.delivered).first?.figure == 3)
        #expect(stand.desk.holdings.isEmpty && !stand.desk.wanted.contains(Stand.option))
        #expect(stand.desk.exposures()[0].value == 0)
        stand.tell(.positions([]))
        #expect(stand.desk.mismatches.isEmpty)
    }
}
