import CPoise
import Foundation
import Poise
import Synchronization
import Testing

/// What hedges of live desks may do, quotes, views and restarts, through C.
struct LiveChoiceTests {
    /// Of the sample, with its limits.
    static func desk(_ options: poise_live_options? = nil) throws -> Handle {
        let (engine, chain, positions, limits) = (
            try makeEngine(), try makeChain(), try makePositions(), try makeLimits()
        )
        var options = options ?? liveOptions()
        return try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, &options, $0)
        }
    }

    static func liveOptions(_ set: (inout poise_live_options) -> Void = { _ in }) -> poise_live_options {
        var options = poise_live_options()
        options.size = MemoryLayout<poise_live_options>.stride
        set(&options)
        return options
    }

    static func limits(_ rows: String) throws -> Handle {
        let text = "book,underlying,expiry,greek,low,high\n\(rows)"
        return try Handle(poise_limits_free) { poise_limits_parse(text, text.utf8.count, "limits", $0) }
    }

    /// The small market's desk: three perpetuals of book b, whose delta of 180,000 is to be 60,000 at most.
    static func small(
        chain: Handle? = nil, low: Double = -60_000, high: Double = 60_000,
        _ set: (inout poise_live_options) -> Void = { _ in }
    ) throws -> Handle {
        let (engine, chain) = (try makeEngine(), try chain ?? SmallMarket().chain())
        let positions = try SmallMarket.positions([("b", "BTC_USDC-PERPETUAL", 3)])
        let limits = try limits(",BTC,,delta,\(low),\(high)\n")
        var options = liveOptions(set)
        return try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, &options, $0)
        }
    }

    struct Answer: Equatable {
        var outcome: poise_hedge_outcome
        var cost: Double
        var trades: [String: Double]
    }

    static func decide(
        _ desk: Handle, _ hedge: Int = 0,
        _ decide: (OpaquePointer?, Int, UnsafeMutablePointer<poise_hedge_result>?) -> poise_status =
            poise_live_decide
    ) throws -> Answer {
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        try #require(decide(desk.pointer, hedge, &result) == POISE_OK, "\(lastError)")
        var trades = [Double](repeating: .nan, count: poise_live_candidate_count(desk.pointer, hedge))
        trades.withUnsafeMutableBufferPointer {
            _ = poise_live_trades(desk.pointer, hedge, poise_column(data: $0.baseAddress, stride: 0))
        }
        var named: [String: Double] = [:]
        for (place, trade) in trades.enumerated() where trade != 0 {
            let contract = Int(poise_live_candidate(desk.pointer, hedge, place))
            named[String(cString: try #require(poise_live_contract(desk.pointer, contract)))] = trade
        }
        return Answer(
            outcome: result.outcome,
            cost: result.linear_cost + result.impact_cost + result.fixed_cost, trades: named)
    }

    static func candidates(_ desk: Handle, _ hedge: Int = 0) -> [String] {
        (0..<poise_live_candidate_count(desk.pointer, hedge)).compactMap {
            poise_live_contract(desk.pointer, Int(poise_live_candidate(desk.pointer, hedge, $0)))
                .map { String(cString: $0) }
        }
    }

    @Test("A desk that is restored has its limits and candidates again, and hedges as the one that went on")
    func restart() throws {
        let desk = try Self.desk()
        let live = desk.pointer
        #expect(poise_live_tick(live, 0, 64_900, 0) == POISE_OK)
        var length = 0
        #expect(poise_live_save(live, nil, 0, &length) == POISE_OK)
        var bytes = [CChar](repeating: 0, count: length)
        #expect(poise_live_save(live, &bytes, length, &length) == POISE_OK)
        let (engine, chain, limits) = (try makeEngine(), try makeChain(), try makeLimits())
        let restored = try Handle(poise_live_free) {
            poise_live_restore(engine.pointer, bytes, length, $0)
        }
        #expect(poise_live_hedge_count(restored.pointer) == 0)
        #expect(poise_live_set_limits(restored.pointer, limits.pointer, nil) == POISE_OK, "\(lastError)")
        #expect(poise_live_hedge_count(restored.pointer) == poise_live_hedge_count(live))
        var added = 0
        #expect(poise_live_add_candidates(restored.pointer, 0, chain.pointer, &added) == POISE_OK)
        #expect(added == poise_live_candidate_count(restored.pointer, 0) && added > 100)
        #expect(Set(Self.candidates(restored)).isSuperset(of: Self.candidates(desk)))
        let bands = (0..<poise_live_band_count(live, 0)).map {
            poise_live_band(live, 0, $0).map { String(cString: $0) }
        }
        #expect(
            bands
                == (0..<poise_live_band_count(restored.pointer, 0)).map {
                    poise_live_band(restored.pointer, 0, $0).map { String(cString: $0) }
                })
        let (expected, found) = (try Self.decide(desk), try Self.decide(restored))
        #expect(expected.outcome == POISE_HEDGE_OPTIMAL && found.outcome == POISE_HEDGE_OPTIMAL)
        #expect(isNear(found.cost, expected.cost, 1e-8))
        #expect(Set(found.trades.keys) == Set(expected.trades.keys))
    }

    @Test(
        "Limits in place of others, of books and underlyings that are there; hedges stay where some are refused"
    )
    func limits() throws {
        let desk = try Self.small()
        let live = desk.pointer
        #expect(poise_live_add_book(live, "a", nil) == POISE_OK)
        let own = try Self.limits(",BTC,,vega,-10,10\nb,BTC,,delta,-1,1\na,,,gamma,-1,1\n")
        #expect(poise_live_set_limits(live, own.pointer, nil) == POISE_OK, "\(lastError)")
        let books = (0..<3).map { String(cString: poise_live_hedge_book(live, $0)!) }
        #expect(books == ["", "a", "b"] && poise_live_hedge_book(live, 3) == nil)
        for (rows, status) in [
            ("c,BTC,,delta,-1,1\n", POISE_ERROR_UNKNOWN_NAME), (",XRP,,delta,-1,1\n", POISE_ERROR_VALUE),
            (",BTC,2030-01-01,delta,-1,1\n", POISE_ERROR_VALUE),
            (",BTC,2026-03-27,delta,-1,1\n", POISE_ERROR_ARGUMENT),
        ] {
            let wrong = try Self.limits(rows)
            #expect(poise_live_set_limits(live, wrong.pointer, nil) == status, "\(rows)\(lastError)")
            #expect(poise_live_hedge_count(live) == 3)
        }
        #expect(poise_live_remove_limit(live, 2, "BTC delta of b") == POISE_ERROR_UNKNOWN_NAME)
        let band = String(cString: try #require(poise_live_band(live, 2, 0)))
        #expect(poise_live_remove_limit(live, 2, band) == POISE_OK)
        #expect(poise_live_band_count(live, 2) == 0 && poise_live_band(live, 2, 0) == nil)
        #expect(try Self.decide(desk, 2).outcome == POISE_HEDGE_WITHIN_LIMITS)

        // By expiry: groups first, then limits that name one, which then keep the grouping.
        var options = SmallMarket.exposureOptions()
        options.grouping_count = 1
        options.groupings.0 = POISE_BY_EXPIRY
        #expect(poise_live_group(live, &options) == POISE_ERROR_ARGUMENT && lastError.contains("by book"))
        options.grouping_count = 2
        options.groupings.1 = POISE_BY_BOOK
        #expect(poise_live_group(live, &options) == POISE_OK, "\(lastError)")
        #expect(poise_live_grouping_count(live) == 3)
        let expiring = try Self.limits(",BTC,2026-03-27,delta,-1,1\n")
        #expect(poise_live_set_limits(live, expiring.pointer, nil) == POISE_OK, "\(lastError)")
        #expect(poise_live_group(live, nil) == POISE_ERROR_ARGUMENT && lastError.contains("by expiry"))
        options.numeraire = POISE_NUMERAIRE_COIN
        #expect(poise_live_group(live, &options) == POISE_ERROR_ARGUMENT && lastField == "numeraire")
    }

    @Test(
        "Quotes of a listed contract move its slice and volatility; others, and what runs back, are refused by row"
    )
    func quotes() throws {
        let desk = try LiveDeskTests.desk()
        let live = desk.pointer
        let option = Int(poise_live_find_contract(live, "BTC_USDC-27MAR26-60000-C"))
        let slice = Int(poise_live_find_slice(live, "BTC_USDC-27MAR26"))
        var market = SmallMarket()
        market.instruments[1] = "BTC_USDC-24APR26"
        market.times = [SmallMarket.time + 1_000, SmallMarket.time, SmallMarket.time - 1]
        market.underlying[0] = 61_000
        market.volatility[0] = 0.62
        market.mark[0] = .nan
        market.rate[0] = 0.03
        var refused = 0
        func quote() -> poise_status {
            market.withTickers({ _ in }) { poise_live_quote(live, $0, &refused) }
        }
        #expect(quote() == POISE_OK && refused == 2)
        #expect(lastError.contains("BTC_USDC-24APR26") && poise_last_error_row() == 1)
        var volatility = 0.0
        #expect(poise_live_volatility(live, option, &volatility) == POISE_OK && volatility == 0.62)
        #expect(poise_live_volatility(live, slice, nil) == POISE_ERROR_NULL)
        var state = poise_slice_state()
        state.size = MemoryLayout<poise_slice_state>.stride
        #expect(poise_live_slice_state(live, slice, &state) == POISE_OK)
        #expect(state.price == 61_000 && state.rate == 0.03 && state.milliseconds == SmallMarket.time + 1_000)

        // Older than the slice by the future's quote, but not than its own: the volatility alone.
        market.instruments[1] = "BTC_USDC-27MAR26"
        market.mark[1] = 62_000
        market.times = [SmallMarket.time + 2_000, SmallMarket.time + 3_000, SmallMarket.time]
        market.underlying[0] = 61_500
        #expect(quote() == POISE_OK && refused == 0)
        market.times[0] += 500
        market.volatility[0] = 0.63
        #expect(quote() == POISE_OK && refused == 0)
        #expect(poise_live_slice_state(live, slice, &state) == POISE_OK && state.price == 62_000)
        #expect(poise_live_volatility(live, option, &volatility) == POISE_OK && volatility == 0.63)
        // A volatility that is wrong by a unit contradicts its mark.
        market.times[0] += 1_000
        market.mark[0] = 3_900
        market.volatility[0] = 63
        #expect(quote() == POISE_OK && refused == 1 && poise_last_error_row() == 0)
        #expect(poise_live_volatility(live, option, &volatility) == POISE_OK && volatility == 0.63)
    }

    @Test(
        "Fees, holding, budget and levels change what hedges cost, and each is refused where it is no number")
    func costs() throws {
        let desk = try Self.small()
        let live = desk.pointer
        let before = try Self.decide(desk)
        #expect(before.outcome == POISE_HEDGE_OPTIMAL && before.cost > 0)
        let fees = """
            class,fee_rate,fee_cap,half_spread_rate,depth_usd
            future,0.01,,0,0
            perpetual,0.01,,0,0
            option,0.01,,0,0

            """
        #expect(poise_live_set_fees(live, 0, fees, fees.utf8.count, "fees.csv") == POISE_OK, "\(lastError)")
        let dear = try Self.decide(desk)
        // Two coins of 60,000, at 1% and half of a spread of 10.
        #expect(isNear(dear.cost, 2 * (600 + 5), 0.02))
        #expect(poise_live_set_fees(live, 0, "class\n", 6, "fees.csv") != POISE_OK)
        #expect(lastError.contains("fees.csv"))
        // Shorts are paid where longs pay.
        #expect(poise_live_set_holding(live, 0, 10, 0.001) == POISE_OK)
        #expect(try Self.decide(desk).cost < dear.cost)
        #expect(poise_live_set_holding(live, 0, -1, 0) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_set_holding(live, 0, 0, .nan) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_set_holding(live, 0, 0, 0) == POISE_OK)
        // Options that are sold would pay for themselves; perpetuals cost 1,210 dollars.
        var rule = Self.rule()
        rule.classes = 1 << POISE_CLASS_PERPETUAL.rawValue
        #expect(poise_live_choose(live, 0, &rule) == POISE_OK)
        #expect(poise_live_set_cash_budget(live, 0, 1_000) == POISE_OK)
        #expect(try Self.decide(desk).outcome == POISE_HEDGE_INFEASIBLE)
        #expect(poise_live_set_cash_budget(live, 0, .infinity) == POISE_OK)
        #expect(try Self.decide(desk).outcome == POISE_HEDGE_OPTIMAL)
        #expect(poise_live_set_cash_budget(live, 0, .nan) == POISE_ERROR_ARGUMENT)
    }

    @Test("A desk's trades take up no more margin than there is")
    func margin() throws {
        let desk = try Self.small()
        let live = desk.pointer
        var rule = Self.rule()
        rule.classes = 1 << POISE_CLASS_PERPETUAL.rawValue
        #expect(poise_live_choose(live, 0, &rule) == POISE_OK)
        #expect(poise_live_set_margin(live, 0, 0, 100) == POISE_OK)
        // Two coins are to be sold.
        for (limit, outcome) in [
            (200.1, POISE_HEDGE_OPTIMAL), (199.9, POISE_HEDGE_INFEASIBLE), (.infinity, POISE_HEDGE_OPTIMAL),
        ] {
            #expect(poise_live_set_margin_limit(live, 0, limit) == POISE_OK)
            #expect(try Self.decide(desk).outcome == outcome, "\(limit)")
        }
        #expect(poise_live_set_margin_limit(live, 0, .nan) == POISE_ERROR_VALUE)
        #expect(poise_live_set_margin(live, 0, 0, -1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_set_margin(live, 0, 1, 1) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_set_variance(live, 0, nil) == POISE_OK)
        #expect(poise_live_rebalance(live, 5, nil) == POISE_ERROR_ARGUMENT)
    }

    @Test("A desk that walks levels pays what filling its trades level by level costs")
    func levels() throws {
        let desk = try Self.small()
        let live = desk.pointer
        let perpetual = try #require(Self.candidates(desk).firstIndex(of: "BTC_USDC-PERPETUAL"))
        let (bids, bidAmounts) = ([59_995.0, 59_900, 59_000], [0.5, 1, 10])
        let (asks, askAmounts) = ([60_005.0, 66_000], [1.0, 10])
        #expect(
            poise_live_set_book(
                live, 0, perpetual, 3, poise_values(data: bids, stride: 0),
                poise_values(data: bidAmounts, stride: 0),
                2, poise_values(data: asks, stride: 0), poise_values(data: askAmounts, stride: 0)) == POISE_OK
        )
        var rule = Self.rule()
        rule.only_names = 1
        rule.name_count = 1
        withStrings(["BTC_USDC-PERPETUAL"]) { names in
            rule.names = names
            #expect(poise_live_choose(live, 0, &rule) == POISE_OK, "\(lastError)")
        }
        let fees = "class,fee_rate,fee_cap,half_spread_rate,depth_usd\nperpetual,0,,0,0\n"
        #expect(poise_live_set_fees(live, 0, fees, fees.utf8.count, nil) == POISE_OK)
        let smooth = try Self.decide(desk)
        #expect(poise_live_set_walks_levels(live, 0, 1) == POISE_OK)
        let walked = try Self.decide(desk)
        #expect(walked.outcome == POISE_HEDGE_OPTIMAL)
        let sold = -(walked.trades["BTC_USDC-PERPETUAL"] ?? 0)
        #expect(isNear(sold, 2, 1e-9))
        // Against the middle, 60,000: 0.5 at 5, 1 at 100, the rest at 1,000.
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        #expect(poise_live_decide(live, 0, &result) == POISE_OK)
        let total = result.linear_cost + result.impact_cost + result.fixed_cost
        #expect(isNear(total, 0.5 * 5 + 100 + 0.5 * 1_000, 1e-9), "\(total)")
        #expect(!isNear(smooth.cost, total, 0.01))
        #expect(poise_live_set_walks_levels(live, 0, 0) == POISE_OK)
        #expect(isNear(try Self.decide(desk).cost, smooth.cost, 1e-9))
    }

    static func rule() -> poise_candidate_rule {
        var rule = poise_candidate_rule()
        rule.size = MemoryLayout<poise_candidate_rule>.stride
        return rule
    }

    @Test("A view stays as it was while the desk goes on, also for another thread")
    func view() throws {
        let desk = try Self.small()
        let live = desk.pointer
        let view = try Handle(poise_live_view_free) { poise_live_view_create(live, $0) }
        let (groups, contracts) = (poise_live_group_count(live), poise_live_contract_count(live))
        #expect(poise_live_view_group_count(view.pointer) == groups && groups > 0)
        #expect(poise_live_view_contract_count(view.pointer) == contracts && contracts > 0)
        #expect(poise_live_view_slice_count(view.pointer) == poise_live_slice_count(live))
        func exposures(_ read: (poise_column) -> poise_status) -> [Double] {
            var values = [Double](repeating: .nan, count: groups)
            values.withUnsafeMutableBufferPointer {
                #expect(read(poise_column(data: $0.baseAddress, stride: 0)) == POISE_OK)
            }
            return values
        }
        let before = exposures { poise_live_exposures(live, POISE_EXPOSURE_DELTA, $0) }
        #expect(poise_live_tick(live, 0, 70_000, 0) == POISE_OK && poise_live_update(live, nil) == POISE_OK)
        #expect(poise_live_add_cash(live, "b", "USDC", 7) == POISE_OK)
        #expect(exposures { poise_live_exposures(live, POISE_EXPOSURE_DELTA, $0) } != before)
        nonisolated(unsafe) let shared = view.pointer
        let seen = Mutex<[Double]>([])
        let thread = Thread {
            var values = [Double](repeating: .nan, count: groups)
            values.withUnsafeMutableBufferPointer {
                let column = poise_column(data: $0.baseAddress, stride: 0)
                #expect(poise_live_view_exposures(shared, POISE_EXPOSURE_DELTA, column) == POISE_OK)
            }
            seen.withLock { $0 = values }
        }
        thread.start()
        while !thread.isFinished { usleep(1_000) }
        #expect(seen.withLock { $0 } == before)
        #expect(exposures { poise_live_view_exposures(view.pointer, POISE_EXPOSURE_DELTA, $0) } == before)
        var value = 0.0
        let perpetual = Int(poise_live_find_contract(live, "BTC_USDC-PERPETUAL"))
        #expect(
            poise_live_view_figure(view.pointer, perpetual, POISE_EXPOSURE_DELTA, &value) == POISE_OK
                && value == 60_000)
        #expect(poise_live_view_is_listed(view.pointer, perpetual) == 1)
        #expect(poise_live_view_is_listed(view.pointer, contracts) == -1)
        #expect(String(cString: poise_live_view_contract(view.pointer, perpetual)!) == "BTC_USDC-PERPETUAL")
        #expect(String(cString: poise_live_view_label(view.pointer, 0, 0)!) == "BTC")
        var state = poise_slice_state()
        state.size = MemoryLayout<poise_slice_state>.stride
        let slice = Int(poise_live_find_slice(live, "BTC_USDC-PERPETUAL"))
        #expect(String(cString: poise_live_view_slice(view.pointer, slice)!) == "BTC_USDC-PERPETUAL")
        #expect(poise_live_view_slice_state(view.pointer, slice, &state) == POISE_OK && state.price == 60_000)
        #expect(poise_live_view_cash(view.pointer, "b", "USDC", &value) == POISE_OK && value == 0)
        #expect(poise_live_cash_count(live) == 1)
        var (book, currency): (UnsafePointer<CChar>?, UnsafePointer<CChar>?)
        #expect(poise_live_cash_at(live, 0, &book, &currency, &value) == POISE_OK && value == 7)
        #expect(String(cString: book!) == "b" && String(cString: currency!) == "USDC")
        #expect(poise_live_cash_at(live, 1, &book, &currency, &value) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_book_count(live) == 1 && String(cString: poise_live_book(live, 0)!) == "b")
        #expect(poise_live_book(live, 1) == nil)
    }

    @Test("Contracts that have come to their expiry are there to be settled, as many as there is room for")
    func expired() throws {
        let desk = try LiveDeskTests.desk()
        #expect(poise_live_expired(desk.pointer, nil, 0) == 0)
        #expect(poise_live_advance(desk.pointer, LiveDeskTests.expiry) == POISE_OK)
        var places = [-1, -1, -1]
        #expect(poise_live_expired(desk.pointer, &places, 1) == 2 && places[0] >= 0 && places[1] == -1)
        #expect(poise_live_expired(desk.pointer, &places, 3) == 2 && places[1] >= 0 && places[2] == -1)
    }

    @Test("Of no desk and no view there is nothing")
    func nothing() {
        #expect(poise_live_book_count(nil) == 0 && poise_live_book(nil, 0) == nil)
        #expect(poise_live_cash_count(nil) == 0 && poise_live_expired(nil, nil, 0) == 0)
        for count in [
            poise_live_view_group_count, poise_live_view_slice_count, poise_live_view_contract_count,
        ] as [(OpaquePointer?) -> Int] { #expect(count(nil) == 0) }
        #expect(poise_live_view_label(nil, 0, 0) == nil && poise_live_view_slice(nil, 0) == nil)
        #expect(poise_live_view_contract(nil, 0) == nil && poise_live_view_is_listed(nil, 0) == -1)
        for status in [
            poise_live_slice_state(nil, 0, nil), poise_live_volatility(nil, 0, nil),
            poise_live_cash_at(nil, 0, nil, nil, nil), poise_live_quote(nil, nil, nil),
            poise_live_group(nil, nil), poise_live_set_limits(nil, nil, nil),
            poise_live_remove_limit(nil, 0, "a"), poise_live_add_candidates(nil, 0, nil, nil),
            poise_live_choose(nil, 0, nil), poise_live_set_fees(nil, 0, nil, 0, nil),
            poise_live_set_holding(nil, 0, 0, 0), poise_live_set_cash_budget(nil, 0, 0),
            poise_live_set_walks_levels(nil, 0, 0), poise_live_set_search(nil, 0, nil),
            poise_live_set_variance(nil, 0, nil), poise_live_set_margin_limit(nil, 0, 0),
            poise_live_set_margin(nil, 0, 0, 0), poise_live_rebalance(nil, 0, nil),
            poise_live_view_create(nil, nil),
            poise_live_view_exposures(nil, POISE_EXPOSURE_DELTA, poise_column()),
            poise_live_view_figure(nil, 0, POISE_EXPOSURE_DELTA, nil),
            poise_live_view_slice_state(nil, 0, nil), poise_live_view_cash(nil, "a", "b", nil),
            poise_hedger_set_search(nil, nil),
        ] {
            #expect(status == POISE_ERROR_NULL)
        }
    }
}
