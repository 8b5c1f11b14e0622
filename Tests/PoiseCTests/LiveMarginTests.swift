import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Live margins and hedges under margins through C, by hand.
struct LiveMarginTests {
    private static let perpetual = "BTC_USDC-PERPETUAL"
    private static let option = "BTC_USDC-27MAR26-60000-C"

    /// Three perpetuals, two short calls.
    private static var desk: MarginDesk {
        var desk = MarginDesk()
        desk.model = MarginDesk.scan
        desk.held = [("b", perpetual, 3), ("a", option, -2)]
        return desk
    }

    private static func place(_ live: OpaquePointer, _ name: String) -> Int {
        Int(poise_live_margin_find_contract(live, name))
    }

    private static let years = 20.0 / 365

    private static func call(_ forward: Double, _ volatility: Double = 0.6, _ years: Double = years) -> Double
    {
        blackScholes(forward, 60_000, years, volatility)
    }

    /// The largest loss of the desk in three moves.
    private static func margin(
        _ price: Double, perpetuals: Double = 3, calls: Double = -2, _ volatility: Double = 0.6,
        _ years: Double = years
    ) -> Double {
        [-0.1, 0, 0.1].map { move in
            let gain = call(price * (1 + move), volatility, years) - call(price, volatility, years)
            return -(perpetuals * price * move + calls * gain)
        }.max() ?? 0
    }

    @Test("Figures as of the start are those of the margin, by hand")
    func start() throws {
        let live = try Self.desk.live()
        let found = try MarginDesk.liveTotals(live)
        #expect(isNear(found.initial_margin, Self.margin(60_000)))
        #expect(isNear(found.maintenance_margin, Self.margin(60_000) / 2))
        #expect(isNear(found.mark_to_market, 20_000 - 2 * Self.call(60_000)))
        #expect(isNear(found.initial_balance, found.mark_to_market - found.initial_margin))
        #expect(found.worst_scenario == -1)
        let whole = try MarginDesk.totals(try Self.desk.made())
        #expect(isNear(whole.initial_margin, found.initial_margin))
        // The future is none of the model's.
        #expect(poise_live_margin_contract_count(live) == 2 && poise_live_margin_expiry_count(live) == 1)
        #expect(Self.place(live, "BTC_USDC-27MAR26") == -1 && Self.place(live, Self.option) >= 0)
        #expect(poise_live_margin_find_expiry(live, "BTC_USDC-27MAR26") == 0)
        #expect(poise_live_margin_contract(live, 2) == nil && poise_live_margin_expiry(live, 1) == nil)
        #expect(
            poise_live_margin_find_contract(live, nil) == -1 && poise_live_margin_find_expiry(live, "x") == -1
        )
    }

    @Test("A tick moves the index, forwards and perpetuals, and what these lose counts")
    func tick() throws {
        let live = try Self.desk.live()
        let later = SmallMarket.time + 5 * 86_400_000
        #expect(poise_live_margin_tick(live, 54_000, later) == POISE_OK)
        #expect(poise_live_margin_update(live) == POISE_OK)
        let found = try MarginDesk.liveTotals(live)
        let years = 15.0 / 365
        #expect(isNear(found.initial_margin, Self.margin(54_000, 0.6, years)), "\(found)")
        #expect(isNear(found.mark_to_market, 20_000 - 18_000 - 2 * Self.call(54_000, 0.6, years)))
        #expect(poise_live_margin_tick(live, 54_000, SmallMarket.time) == POISE_ERROR_VALUE)
        #expect(lastField == "milliseconds")
        for price in [0, -1, .nan, .infinity, 1e13] {
            #expect(poise_live_margin_tick(live, price, 0) == POISE_ERROR_VALUE)
        }
        #expect(poise_live_margin_update(live) == POISE_OK)
        try #expect(MarginDesk.liveTotals(live).mark_to_market == found.mark_to_market)
    }

    @Test("Index, perpetual, forward and volatility are set each by itself")
    func setters() throws {
        let live = try Self.desk.live()
        let (perpetual, option) = (Self.place(live, Self.perpetual), Self.place(live, Self.option))
        #expect(poise_live_margin_set_forward(live, 0, 66_000) == POISE_OK)
        #expect(poise_live_margin_set_volatility(live, option, 0.8) == POISE_OK)
        #expect(poise_live_margin_update(live) == POISE_OK)
        var found = try MarginDesk.liveTotals(live)
        #expect(isNear(found.mark_to_market, 20_000 - 2 * Self.call(66_000, 0.8)))
        #expect(poise_live_margin_set_perpetual(live, perpetual, 61_000) == POISE_OK)
        #expect(poise_live_margin_update(live) == POISE_OK)
        found = try MarginDesk.liveTotals(live)
        #expect(isNear(found.mark_to_market, 20_000 + 3_000 - 2 * Self.call(66_000, 0.8)))
        let loss = [-0.1, 0.1].map { move in
            -(3 * 61_000 * move - 2 * (Self.call(66_000 * (1 + move), 0.8) - Self.call(66_000, 0.8)))
        }.max()
        #expect(isNear(found.initial_margin, loss ?? .nan))
        // No coins are held, and nothing is charged by the index.
        #expect(poise_live_margin_set_index(live, 70_000) == POISE_OK)
        #expect(poise_live_margin_update(live) == POISE_OK)
        try #expect(MarginDesk.liveTotals(live).initial_margin == found.initial_margin)
        #expect(poise_live_margin_set_perpetual(live, option, 1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_margin_set_volatility(live, perpetual, 1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_margin_set_volatility(live, option, -1) == POISE_ERROR_VALUE)
        #expect(poise_live_margin_set_volatility(live, 2, 1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_margin_set_forward(live, 1, 1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_margin_set_forward(live, 0, 0) == POISE_ERROR_VALUE)
        #expect(poise_live_margin_set_index(live, -1) == POISE_ERROR_VALUE)
    }

    @Test("Fills change positions and cash; what a trade would do is what it does")
    func fills() throws {
        let live = try Self.desk.live()
        let (perpetual, option) = (Self.place(live, Self.perpetual), Self.place(live, Self.option))
        let mark = Self.call(60_000)
        let asked = try MarginDesk.whatIf(live: live, [(option, 5), (perpetual, -1)])
        #expect(isNear(asked[0][0], Self.margin(60_000, calls: 3)))
        #expect(isNear(asked[0][1], Self.margin(60_000, perpetuals: 2)))
        #expect(isNear(asked[1][1], asked[0][1] / 2))
        #expect(isNear(asked[2][1], 20_000 - 2 * mark - asked[0][1]))
        #expect(isNear(asked[3][0], 20_000 - 2 * mark - asked[0][0] / 2))
        #expect(poise_live_margin_fill(live, option, 5, 5 * mark + 10) == POISE_OK)
        let found = try MarginDesk.liveTotals(live)
        #expect(isNear(found.initial_margin, asked[0][0]))
        #expect(isNear(found.initial_balance, asked[2][0] - 10))
        // What is bought now gains from here on.
        #expect(poise_live_margin_fill(live, perpetual, 2, 0) == POISE_OK)
        #expect(poise_live_margin_set_perpetual(live, perpetual, 60_100) == POISE_OK)
        #expect(poise_live_margin_update(live) == POISE_OK)
        try #expect(isNear(MarginDesk.liveTotals(live).mark_to_market, 20_000 + 500 - 2 * mark - 10))
        #expect(poise_live_margin_fill(live, 2, 1, 0) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_margin_fill(live, 0, .nan, 0) == POISE_ERROR_VALUE && lastField == "quantity")
        #expect(poise_live_margin_fill(live, 0, 1, .infinity) == POISE_ERROR_VALUE && lastField == "amount")
        #expect(MarginDesk.refused(live: live, [(option, 1), (2, 1)]) == POISE_ERROR_VALUE)
        #expect(LastError.now.row == 1 && lastField == "contracts")
        #expect(MarginDesk.refused(live: live, [(option, .nan), (option, 1)]) == POISE_ERROR_VALUE)
        #expect(LastError.now.row == 0 && lastField == "quantity")
    }

    @Test("Dollars of an inverse perpetual are as many coins as they buy")
    func inverse() throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let model = try MarginDesk.model(MarginDesk.scan)
        let account = try MarginDesk.account("currency = \"USD\"\ncash = 20000000\n")
        // Futures are none of the model's: the sample's perpetual alone.
        let held = try SmallMarket.positions([("a", "BTC-PERPETUAL", 642_757)])
        _ = positions
        let margin = try Handle(poise_margin_free) {
            poise_margin_create(
                engine.pointer, chain.pointer, held.pointer, account.pointer, model.pointer, nil, $0)
        }.pointer
        try #expect(isNear(MarginDesk.totals(margin).initial_margin, 64_275.7))
        let live = try Handle(poise_live_margin_free) { poise_live_margin_create(margin, $0) }.pointer
        let place = Self.place(live, "BTC-PERPETUAL")
        let asked = try MarginDesk.whatIf(live: live, [(place, 64_275.7)])
        #expect(isNear(asked[0][0], 1.1 * 64_275.7))
        #expect(poise_live_margin_fill(live, place, 64_275.7, 0) == POISE_OK)
        try #expect(isNear(MarginDesk.liveTotals(live).initial_margin, 1.1 * 64_275.7))
        // What the chain lists of that coin may be traded.
        #expect(poise_live_margin_contract_count(live) > 200)
        #expect(Self.place(live, "BTC-3MAR26-63000-C") >= 0 && Self.place(live, "ETH-PERPETUAL") == -1)
    }

    @Test("What is no grid of scenarios is not kept live")
    func notLive() throws {
        let margin = try MarginDesk().made()
        var live: OpaquePointer? = OpaquePointer(bitPattern: 8)
        #expect(poise_live_margin_create(margin, &live) == POISE_ERROR_ARGUMENT && live == nil)
    }

    @Test("A hedge says who trades, what it does to the account, and which scenario is paid for")
    func hedge() throws {
        var desk = MarginDesk()
        desk.model = MarginDesk.scan
        let found = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }
        #expect(found.result.outcome == POISE_HEDGE_OPTIMAL)
        #expect((found.after.initial_balance - 10_000).magnitude < 1e-4)
        let holdings = (0..<poise_margin_hedge_candidate_count(found.pointer)).map { place in
            (
                String(cString: poise_margin_hedge_candidate(found.pointer, place)!),
                poise_margin_hedge_holding(found.pointer, place)
            )
        }
        // Futures have no rule in a scan.
        for (name, holding) in holdings {
            #expect(holding == (name == "BTC_USDC-27MAR26" ? 2 : 0), "\(name)")
            if holding == 2 { #expect(found.trades[name] == 0) }
        }
        #expect(poise_margin_hedge_holding(found.pointer, holdings.count) == -1)
        let headroom = found.headroom.values.reduce(0, +)
        #expect(headroom > 0)
        #expect(poise_margin_hedge_outcome_count(found.pointer) == 1)
        #expect(
            poise_margin_hedge_outcome(found.pointer, 0).map { String(cString: $0) }?.contains("-10%") == true
        )
        #expect(poise_margin_hedge_outcome(found.pointer, 1) == nil)
        var price = Double.nan
        #expect(
            withUnsafeMutablePointer(to: &price) {
                poise_margin_hedge_outcome_prices(found.pointer, poise_column(data: $0, stride: 0))
            } == POISE_OK)
        #expect(isNear(price, found.answer.headroom_price, 1e-6))
        #expect(poise_margin_hedge_band_count(found.pointer) == 1)
        #expect(poise_margin_hedge_band(found.pointer, 0).map { String(cString: $0) } == "BTC delta")
        var bands = [Double.nan, .nan]
        let status = bands.withUnsafeMutableBufferPointer {
            poise_margin_hedge_bands(
                found.pointer, poise_column(data: $0.baseAddress, stride: 0),
                poise_column(data: $0.baseAddress.map { $0 + 1 }, stride: 0))
        }
        #expect(status == POISE_OK && isNear(bands[0], 180_000) && bands[1] == 0)
        #expect(poise_margin_hedge_note(found.pointer, 99) == nil)
        var (below, above) = (0.0, 0.0)
        #expect(poise_margin_hedge_account(found.pointer, 0, nil, &below, &above) == POISE_OK)
        // 20,000 + 3 (P − 60,000) = 0.05 · 3 P.
        #expect(isNear(below, 160_000 / 2.85, 1e-9) && above.isNaN)
        let before = below
        #expect(poise_margin_hedge_account(found.pointer, 1, nil, &below, nil) == POISE_OK)
        #expect(below < before)
    }

    @Test("A desk's hedges leave what a live account needs, pay for what it ties up, say what none leave")
    func requirement() throws {
        let desk = try LiveChoiceTests.small()
        var rule = LiveChoiceTests.rule()
        rule.classes = 1 << POISE_CLASS_PERPETUAL.rawValue
        #expect(poise_live_choose(desk.pointer, 0, &rule) == POISE_OK)
        let fees = "class,fee_rate,fee_cap,half_spread_rate,depth_usd\nperpetual,0.001,,0,\n"
        #expect(poise_live_set_fees(desk.pointer, 0, fees, fees.utf8.count, nil) == POISE_OK)
        var account = MarginDesk()
        account.model = MarginDesk.scan
        account.held = [("b", Self.perpetual, 3)]
        let margin = try account.live()
        func decide(_ buffer: Double, _ price: Double = 0) throws -> (
            outcome: poise_hedge_outcome, trade: Double, answer: poise_margin_hedge_answer
        ) {
            #expect(
                poise_live_set_requirement(desk.pointer, 0, margin, buffer, price) == POISE_OK,
                "\(lastError)")
            let found = try LiveChoiceTests.decide(desk)
            var answer = poise_margin_hedge_answer()
            answer.size = MemoryLayout<poise_margin_hedge_answer>.stride
            #expect(poise_live_requirement(desk.pointer, 0, &answer) == POISE_OK)
            return (found.outcome, found.trades[Self.perpetual] ?? 0, answer)
        }
        // A coin ties up 6,000 of 20,000 dollars and costs 65, a fee of 60 and half a spread of 5: two are to be sold, which leave
        // 13,870.
        var found = try decide(13_000)
        #expect(found.outcome == POISE_HEDGE_OPTIMAL && isNear(found.trade, -2, 1e-9))
        #expect(isNear(found.answer.required, 6_000, 1e-9) && found.answer.headroom_price == 0)
        #expect(found.answer.overstatement.isNaN && found.answer.largest_headroom.isNaN)
        // 20,000 − 6,000 (3 − x) − 65 x = 16,000.
        found = try decide(16_000)
        #expect(found.outcome == POISE_HEDGE_OPTIMAL && isNear(found.trade, -14_000 / 5_935, 1e-9))
        let asked = try MarginDesk.whatIf(live: margin, [(Self.place(margin, Self.perpetual), found.trade)])
        #expect(isNear(found.answer.required, asked[0][0], 1e-9))
        #expect(isNear(found.answer.headroom_price, 65 / 5_935.0, 1e-6))
        // Three sold leave 19,805.
        found = try decide(19_900)
        #expect(found.outcome == POISE_HEDGE_INFEASIBLE)
        #expect(found.trade == 0)
        #expect(isNear(found.answer.largest_headroom, 19_805, 1e-9))
        // At a price above 65 dollars for 6,000 all is sold.
        for (price, trade) in [(0.0109, -3.0), (0.0108, -2)] {
            found = try decide(-.infinity, price)
            #expect(isNear(found.trade, trade, 1e-6), "\(price): \(found.trade)")
            #expect(isNear(found.answer.margin_cost, price * found.answer.required, 1e-9))
        }
        // Ticks and fills count from the account's next update on.
        #expect(poise_live_margin_fill(margin, Self.place(margin, Self.perpetual), 0, 2_000) == POISE_OK)
        found = try decide(14_000)
        #expect(isNear(found.trade, -14_000 / 5_935, 1e-9))
        #expect(poise_live_set_requirement(desk.pointer, 0, nil, .nan, .nan) == POISE_OK)
        #expect(try isNear(LiveChoiceTests.decide(desk).trades[Self.perpetual] ?? 0, -2, 1e-9))
        var answer = poise_margin_hedge_answer()
        answer.size = MemoryLayout<poise_margin_hedge_answer>.stride
        #expect(poise_live_requirement(desk.pointer, 0, &answer) == POISE_OK && answer.required.isNaN)
    }

    @Test("A requirement outlives its handle, bars what it has no rule for, refuses bad terms by name")
    func requirementHandles() throws {
        let desk = try LiveChoiceTests.small()
        var account = MarginDesk()
        account.model = MarginDesk.scan
        let made = try account.made()
        var margin: OpaquePointer?
        #expect(poise_live_margin_create(made, &margin) == POISE_OK)
        for (buffer, price, field) in [
            (.nan, 0.0, "buffer"), (1e16, 0, "buffer"), (.infinity, 0, "buffer"), (0, -1, "price"),
            (0, .nan, "price"),
        ] {
            #expect(
                poise_live_set_requirement(desk.pointer, 0, margin, buffer, price) == POISE_ERROR_ARGUMENT)
            #expect(lastField == field)
        }
        #expect(poise_live_set_requirement(desk.pointer, 1, margin, 0, 0) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_set_requirement(nil, 0, margin, 0, 0) == POISE_ERROR_NULL)
        #expect(poise_live_requirement(desk.pointer, 0, nil) == POISE_ERROR_NULL)
        #expect(poise_live_set_requirement(desk.pointer, 0, margin, 15_000, 0) == POISE_OK)
        poise_live_margin_free(margin)
        let found = try LiveChoiceTests.decide(desk)
        #expect(found.outcome == POISE_HEDGE_OPTIMAL && found.trades["BTC_USDC-27MAR26"] == nil)
        #expect(!found.trades.isEmpty)
    }
}
