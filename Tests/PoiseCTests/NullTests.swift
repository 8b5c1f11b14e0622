import CPoise
import Testing

/// What functions answer that have no way to fail: about no handle, and beyond the last of what a handle has.
struct NullTests {
    @Test("Of no handle there is nothing: counts are 0, names NULL, indices −1")
    func noHandle() {
        #expect(poise_engine_instruction_set(nil) == POISE_ISA_AUTOMATIC)
        for count in [
            poise_slices_count, poise_chain_count, poise_positions_count, poise_exposures_count,
            poise_scenario_profits_count, poise_live_underlying_count, poise_live_slice_count,
            poise_live_contract_count, poise_live_group_count, poise_live_grouping_count,
            poise_live_hedge_count,
            poise_grid_count, poise_surface_count, poise_margin_underlying_count, poise_margin_cases_count,
            poise_live_margin_contract_count, poise_live_margin_expiry_count,
            poise_margin_hedge_candidate_count, poise_margin_hedge_band_count,
            poise_margin_hedge_outcome_count,
        ] as [(OpaquePointer?) -> Int] {
            #expect(count(nil) == 0)
        }
        for name in [
            poise_chain_instrument, poise_grid_title, poise_live_underlying, poise_live_slice,
            poise_live_contract,
            poise_live_hedge_book, poise_margin_model_omitted, poise_margin_underlying,
            poise_margin_cases_name, poise_live_margin_contract, poise_live_margin_expiry,
            poise_margin_hedge_candidate, poise_margin_hedge_band, poise_margin_hedge_outcome,
            poise_margin_hedge_note,
        ] as [(OpaquePointer?, Int) -> UnsafePointer<CChar>?] {
            #expect(name(nil, 0) == nil)
        }
        for label in [
            poise_exposures_label, poise_scenario_profits_label, poise_live_label, poise_live_band,
        ] as [(OpaquePointer?, Int, Int) -> UnsafePointer<CChar>?] {
            #expect(label(nil, 0, 0) == nil)
        }
        for find in [
            poise_live_find_underlying, poise_live_find_slice, poise_live_find_contract,
            poise_live_margin_find_contract, poise_live_margin_find_expiry,
        ]
            as [(OpaquePointer?, UnsafePointer<CChar>?) -> Int64]
        {
            #expect(find(nil, "BTC") == -1)
        }
        #expect(poise_live_grouping(nil, 0) == -1 && poise_live_candidate(nil, 0, 0) == -1)
        #expect(poise_margin_count(nil, POISE_MARGIN_PARTS) == 0 && poise_margin_index(nil, 0).isNaN)
        #expect(poise_margin_text(nil, POISE_MARGIN_PARTS, 0, POISE_MARGIN_NAME) == nil)
        #expect(poise_margin_model_fact(nil, POISE_MARGIN_FACT_NAME) == nil)
        #expect(poise_margin_account_currency(nil) == nil && poise_margin_hedge_holding(nil, 0) == -1)
        #expect(poise_tail_risk_start(nil, 0) == 0 && poise_tail_risk_scenario_count(nil) == 0)
        #expect(poise_live_candidate_count(nil, 0) == 0 && poise_live_band_count(nil, 0) == 0)
    }

    @Test("Beyond the last there is nothing, and the last is there")
    func beyond() throws {
        let (engine, chain, positions, limits) = (
            try makeEngine(), try makeChain(), try makePositions(), try makeLimits()
        )
        let live = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
        }
        let exposures = try Handle(poise_exposures_free) {
            poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, nil, $0)
        }
        func ends(_ count: Int, _ name: (Int) -> UnsafePointer<CChar>?) {
            #expect(count > 0 && name(count - 1) != nil)
            #expect(name(count) == nil && name(.max) == nil)
        }
        ends(poise_chain_count(chain.pointer)) { poise_chain_instrument(chain.pointer, $0) }
        ends(poise_live_underlying_count(live.pointer)) { poise_live_underlying(live.pointer, $0) }
        ends(poise_live_slice_count(live.pointer)) { poise_live_slice(live.pointer, $0) }
        ends(poise_live_contract_count(live.pointer)) { poise_live_contract(live.pointer, $0) }
        ends(poise_live_group_count(live.pointer)) { poise_live_label(live.pointer, $0, 0) }
        ends(poise_live_grouping_count(live.pointer)) { poise_live_label(live.pointer, 0, $0) }
        ends(poise_live_hedge_count(live.pointer)) { poise_live_hedge_book(live.pointer, $0) }
        ends(poise_live_band_count(live.pointer, 0)) { poise_live_band(live.pointer, 0, $0) }
        ends(poise_exposures_count(exposures.pointer)) { poise_exposures_label(exposures.pointer, $0, 0) }
        ends(2) { poise_exposures_label(exposures.pointer, 0, $0) }
        let hedges = poise_live_hedge_count(live.pointer)
        #expect(poise_live_candidate_count(live.pointer, hedges) == 0)
        #expect(poise_live_band_count(live.pointer, hedges) == 0)
        let candidates = poise_live_candidate_count(live.pointer, 0)
        #expect(poise_live_candidate(live.pointer, 0, candidates - 1) >= 0)
        #expect(poise_live_candidate(live.pointer, 0, candidates) == -1)
        #expect(poise_live_grouping(live.pointer, poise_live_grouping_count(live.pointer)) == -1)
        #expect(poise_live_find_contract(live.pointer, "no such thing") == -1)
        #expect(poise_live_find_contract(live.pointer, nil) == -1)
    }

    @Test("Ranges of slices and options that reach beyond the last are refused, the last is taken")
    func ranges() throws {
        let engine = try makeEngine()
        let (offsets, type): ([Int], [UInt8]) = ([0, 2, 3], [0, 1, 0])
        let slices = try type.withUnsafeBufferPointer { type in
            try withPointers([[90, 100, 110]]) { strike in
                try Handle(poise_slices_free) {
                    poise_slices_create(
                        engine.pointer, 2, offsets, poise_bytes(data: type.baseAddress, stride: 0),
                        poise_values(data: strike[0], stride: 0), $0)
                }
            }
        }
        #expect(poise_slices_count(slices.pointer) == 3)
        var values = [0.5, 0.5, 0.5]
        values.withUnsafeMutableBufferPointer { values in
            let column = poise_values(data: UnsafePointer(values.baseAddress), stride: 0)
            for (first, count, isTaken) in [
                (0, 3, true), (2, 1, true), (3, 0, true), (2, 2, false), (0, 4, false),
            ] {
                let status = poise_slices_set_volatility(slices.pointer, first, count, column)
                #expect(status == (isTaken ? POISE_OK : POISE_ERROR_ARGUMENT), "options \(first), \(count)")
            }
            for (first, count, isTaken) in [
                (0, 2, true), (1, 1, true), (2, 0, true), (1, 2, false), (0, 3, false),
            ] {
                let set = poise_slices_set_market(
                    slices.pointer, first, count, column, column, column, column)
                #expect(set == (isTaken ? POISE_OK : POISE_ERROR_ARGUMENT), "slices \(first), \(count)")
                var prices = [Double](repeating: 0, count: 3)
                let computed = prices.withUnsafeMutableBufferPointer {
                    var prices = poise_column(data: $0.baseAddress, stride: 0)
                    return poise_slices_greeks(slices.pointer, first, count, POISE_GREEKS_PRICE, &prices, 1)
                }
                #expect(computed == (isTaken ? POISE_OK : POISE_ERROR_ARGUMENT), "slices \(first), \(count)")
            }
        }
    }

    @Test("Slices without options and a market need no columns; a column off its alignment is named")
    func emptySlices() throws {
        let engine = try makeEngine()
        let none = try Handle(poise_slices_free) {
            poise_slices_create(engine.pointer, 0, nil, poise_bytes(), poise_values(), $0)
        }
        #expect(poise_slices_count(none.pointer) == 0)
        var slices: OpaquePointer?
        let room = [Int](repeating: 0, count: 4)
        let status = room.withUnsafeBytes {
            poise_slices_create(
                engine.pointer, 1, ($0.baseAddress! + 1).assumingMemoryBound(to: Int.self), poise_bytes(),
                poise_values(), &slices)
        }
        #expect(status != POISE_OK && slices == nil)
        #expect(String(cString: poise_last_error()).contains("offsets"))
    }

    @Test("A start that is neither cold nor warm is refused")
    func starts() throws {
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var trades = [0.0, 0]
        for (start, isTaken) in [(0, true), (1, true), (2, false), (UInt32.max, false)] as [(UInt32, Bool)] {
            let status = trades.withUnsafeMutableBufferPointer { trades in
                HedgerTests.withC(HedgerTests.problem(maximum: 100)) {
                    poise_hedger_solve(
                        hedger.pointer, $0, poise_hedge_start(rawValue: start),
                        poise_column(data: trades.baseAddress, stride: 0), poise_column(), nil)
                }
            }
            #expect(status == (isTaken ? POISE_OK : POISE_ERROR_ARGUMENT), "\(start)")
        }
    }
}
