import CPoise
import Foundation
import Testing

/// Places that there are not and counts that nothing has: each call refuses them, names the argument, and changes nothing.
struct PlaceTests {
    typealias Call = (Int) -> poise_status

    private static func refuse(
        _ name: String, _ field: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation,
        _ call: Call
    ) {
        for place in [count, count + 1000, -1, .min, .max] {
            #expect(
                call(place) == POISE_ERROR_ARGUMENT && lastField == field, "\(name) \(place): \(lastError)",
                sourceLocation: sourceLocation)
            #expect(
                lastError.hasSuffix("\(UInt(bitPattern: place)): there are \(count)"),
                "\(name): \(lastError)",
                sourceLocation: sourceLocation)
        }
    }

    @Test("Contracts, slices, underlyings, hedges and candidates of a live desk")
    func live() throws {
        let (engine, chain, positions, limits) = (
            try makeEngine(), try makeChain(), try makePositions(), try makeLimits()
        )
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
        }
        let live = desk.pointer
        let book = "book-01"
        var value = 0.0
        let contracts: [(String, Call)] = [
            ("set_volatility", { poise_live_set_volatility(live, $0, 0.5) }),
            ("volatility", { poise_live_volatility(live, $0, &value) }),
            ("fill", { poise_live_fill(live, book, $0, 1) }),
            ("set_position", { poise_live_set_position(live, book, $0, 1) }),
            ("position", { poise_live_position(live, book, $0, &value) }),
            ("figure", { poise_live_figure(live, $0, POISE_EXPOSURE_VALUE, &value) }),
            ("delist", { poise_live_delist(live, $0) }),
            (
                "settle",
                {
                    var settlement = poise_settlement()
                    settlement.size = MemoryLayout<poise_settlement>.stride
                    return poise_live_settle(live, $0, 60_000, &settlement)
                }
            ),
        ]
        for (name, call) in contracts {
            Self.refuse(name, "contract", count: poise_live_contract_count(live), call)
        }
        let slices: [(String, Call)] = [
            ("set_price", { poise_live_set_price(live, $0, 60_000, 0) }),
            ("set_rate", { poise_live_set_rate(live, $0, 0.01) }),
            (
                "slice_state",
                {
                    var state = poise_slice_state()
                    state.size = MemoryLayout<poise_slice_state>.stride
                    return poise_live_slice_state(live, $0, &state)
                }
            ),
        ]
        for (name, call) in slices { Self.refuse(name, "slice", count: poise_live_slice_count(live), call) }
        Self.refuse("tick", "underlying", count: poise_live_underlying_count(live)) {
            poise_live_tick(live, $0, 60_000, 0)
        }

        let hedges = poise_live_hedge_count(live)
        let candidates = poise_live_candidate_count(live, 0)
        var instrument = poise_hedge_instrument()
        let none = poise_values(data: nil, stride: 0)
        let ofCandidates: [(String, (Int, Int) -> poise_status)] = [
            ("set_book", { poise_live_set_book(live, $0, $1, 0, none, none, 0, none, none) }),
            ("candidate_costs", { poise_live_candidate_costs(live, $0, $1, &instrument) }),
            ("set_candidate", { poise_live_set_candidate(live, $0, $1, &instrument) }),
            ("set_minimum_trade", { poise_live_set_minimum_trade(live, $0, $1, 1) }),
            ("set_margin", { poise_live_set_margin(live, $0, $1, 1) }),
        ]
        for (name, call) in ofCandidates {
            Self.refuse(name, "candidate", count: candidates) { call(0, $0) }
            Self.refuse(name, "hedge", count: hedges) { call($0, 0) }
        }
        Self.refuse("set_margin_limit", "hedge", count: hedges) { poise_live_set_margin_limit(live, $0, 1) }
        Self.refuse("set_limit", "hedge", count: hedges) { poise_live_set_limit(live, $0, "x", 0, 1) }
        Self.refuse("decide", "hedge", count: hedges) {
            var result = poise_hedge_result()
            result.size = MemoryLayout<poise_hedge_result>.stride
            return poise_live_decide(live, $0, &result)
        }
        Self.refuse("trades", "hedge", count: hedges) {
            poise_live_trades(live, $0, poise_column(data: nil, stride: 0))
        }
        // What stands for a name has none there.
        for place in [-1, .min, .max, 1_000_000] {
            #expect(poise_live_contract(live, place) == nil && poise_live_slice(live, place) == nil)
            #expect(poise_live_book(live, place) == nil && poise_live_band(live, 0, place) == nil)
            #expect(poise_live_band(live, place, 0) == nil && poise_live_candidate(live, 0, place) == -1)
            #expect(poise_live_candidate_count(live, place) == 0)
        }
    }

    @Test("Scenarios of a grid, payments of a desk, underlyings of an account")
    func others() throws {
        let text = #"{"scenarios": [{"spot": [-0.1, 0, 0.1]}]}"#
        let grid = try Handle(poise_grid_free) { poise_grid_parse(text, text.utf8.count, nil, $0) }
        Self.refuse("grid_scenario", "scenario", count: 3) {
            var scenario = poise_scenario()
            return poise_grid_scenario(grid.pointer, $0, &scenario)
        }
        let desk = try LiveDeskTests.desk()
        Self.refuse("cash_at", "place", count: poise_live_cash_count(desk.pointer)) {
            poise_live_cash_at(desk.pointer, $0, nil, nil, nil)
        }
        let margin = try MarginDesk().made()
        var found = 0
        for place in [1, 1000, Int64.max] {
            #expect(
                poise_margin_liquidation(margin, place, 0, 0, poise_column(data: nil, stride: 0), 0, &found)
                    == POISE_ERROR_ARGUMENT && lastField == "underlying")
        }
    }

    @Test("Counts below 0 and beyond the most that there may be")
    func counts() throws {
        let engine = try makeEngine()
        let (chain, margin) = (try makeChain(), try MarginDesk().made())
        let text = #"{"scenarios": [{"spot": [-0.1, 0, 0.1]}]}"#
        let grid = try Handle(poise_grid_free) { poise_grid_parse(text, text.utf8.count, nil, $0) }
        let (positions, limits) = (try makePositions(), try makeLimits())
        let live = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
        }.pointer
        let none = poise_values(data: nil, stride: 0)
        var found = 0
        var form = poise_full_form()
        form.size = MemoryLayout<poise_full_form>.stride
        let calls: [(String, String, Call)] = [
            (
                "scenario_books", "book_count",
                {
                    poise_scenario_books(
                        engine.pointer, grid.pointer, &form, none, nil, $0, POISE_NUMERAIRE_USD, poise_rows())
                }
            ),
            (
                "margin_liquidation", "capacity",
                {
                    poise_margin_liquidation(
                        margin, Int64(POISE_MARGIN_ALL_UNDERLYINGS), 0, 0, poise_column(data: nil, stride: 0),
                        $0,
                        &found)
                }
            ),
            ("margin_what_if", "count", { poise_margin_what_if(margin, $0, poise_texts(), none, nil) }),
            ("set_volatilities", "count", { poise_live_set_volatilities(live, $0, nil, none, &found) }),
            ("set_prices", "count", { poise_live_set_prices(live, $0, nil, none, 0, &found) }),
            ("set_book", "bids", { poise_live_set_book(live, 0, 0, $0, none, none, 0, none, none) }),
            ("set_book", "asks", { poise_live_set_book(live, 0, 0, 0, none, none, $0, none, none) }),
        ]
        for (name, field, call) in calls {
            for count in [-1, .min, Int(POISE_MAXIMUM_COUNT) + 1, .max] {
                #expect(
                    call(count) == POISE_ERROR_COUNT && lastField == field, "\(name) \(count): \(lastError)")
            }
        }
    }
}
