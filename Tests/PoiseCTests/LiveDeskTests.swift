import CPoise
import Foundation
import Poise
import Testing

/// Live desks that go on, through C. The small market's desk: three linear contracts at 60,000 or near it.
struct LiveDeskTests {
    static let time = SmallMarket.time
    static let expiry: Int64 = 1_774_598_400_000

    static func desk(_ held: [(String, String, Double)] = [("b", "BTC_USDC-PERPETUAL", 3)]) throws -> Handle {
        let (engine, chain) = (try makeEngine(), try SmallMarket().chain())
        let positions = try SmallMarket.positions(held)
        return try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, nil, $0)
        }
    }

    static func listing(_ set: (inout poise_listing) -> Void = { _ in }) -> poise_listing {
        var listing = poise_listing()
        listing.size = MemoryLayout<poise_listing>.stride
        (listing.milliseconds, listing.price, listing.volatility) = (time, 62_000, 0.5)
        set(&listing)
        return listing
    }

    static func list(_ desk: Handle, _ name: String, _ listing: poise_listing) throws -> Int {
        var contract = -1
        var listing = listing
        try #require(poise_live_list(desk.pointer, name, &listing, &contract) == POISE_OK, "\(lastError)")
        try #require(poise_live_update(desk.pointer, nil) == POISE_OK)
        return contract
    }

    static func figure(_ desk: Handle, _ contract: Int, _ exposure: poise_exposure) -> Double {
        var value = Double.nan
        #expect(poise_live_figure(desk.pointer, contract, exposure, &value) == POISE_OK)
        return value
    }

    static func settle(_ desk: Handle, _ contract: Int, at price: Double) throws -> poise_settlement {
        var settlement = poise_settlement()
        settlement.size = MemoryLayout<poise_settlement>.stride
        try #require(poise_live_advance(desk.pointer, expiry) == POISE_OK, "\(lastError)")
        try #require(
            poise_live_settle(desk.pointer, contract, price, &settlement) == POISE_OK, "\(lastError)")
        return settlement
    }

    @Test("A day of a desk: a listing, trades, a settlement, a restart")
    func day() throws {
        let desk = try Self.desk()
        let live = desk.pointer
        let version = poise_live_layout_version(live)
        let first = poise_live_contract(live, 0)
        let option = try Self.list(desk, "BTC_USDC-27MAR26-65000-C", Self.listing())
        #expect(poise_live_layout_version(live) == version + 1 && poise_live_contract(live, 0) == first)
        #expect(poise_live_find_contract(live, "BTC_USDC-27MAR26-65000-C") == Int64(option))
        #expect(poise_live_is_listed(live, option) == 1 && poise_live_is_listed(live, 99) == -1)
        #expect(poise_live_add_book(live, "new", nil) == POISE_OK)
        #expect(poise_live_add_book(live, "new", nil) == POISE_ERROR_ARGUMENT)
        #expect(poise_live_fill(live, "new", option, 5) == POISE_OK)
        #expect(poise_live_set_position(live, "new", option, 4) == POISE_OK)
        var held = 0.0
        #expect(poise_live_position(live, "new", option, &held) == POISE_OK && held == 4)
        #expect(
            poise_live_delist(live, option) == POISE_ERROR_VALUE && lastError.contains("book new holds it"))

        let places = [option, 98, Int(poise_live_find_contract(live, "BTC_USDC-27MAR26-60000-C"))]
        var refused = 0
        for (count, expected) in [(3, 2), (1, 0)] {
            let volatilities = [0.55, 0.6, -1]
            let status = poise_live_set_volatilities(
                live, count, places, poise_values(data: volatilities, stride: 0), &refused)
            #expect(status == POISE_OK && refused == expected)
        }
        let prices = [61_000.0]
        #expect(
            poise_live_set_prices(
                live, 1, [Int(poise_live_find_slice(live, "BTC_USDC-27MAR26"))],
                poise_values(data: prices, stride: 0), Self.time + 1, &refused) == POISE_OK && refused == 0)
        #expect(
            poise_live_set_price(live, Int(poise_live_find_slice(live, "BTC_USDC-27MAR26")), 1, Self.time)
                == POISE_ERROR_VALUE)
        #expect(lastError.contains("where its time stands"))

        var length = 0
        #expect(poise_live_save(live, nil, 0, &length) == POISE_OK && length > 100)
        var bytes = [CChar](repeating: 0, count: length)
        #expect(poise_live_save(live, &bytes, length - 1, &length) == POISE_ERROR_COUNT)
        #expect(poise_live_save(live, &bytes, length, &length) == POISE_OK)
        let engine = try makeEngine()
        let restored = try Handle(poise_live_free) {
            poise_live_restore(engine.pointer, bytes, length, $0)
        }
        var damaged = bytes
        damaged[length - 5] = 65
        var none: OpaquePointer?
        #expect(poise_live_restore(engine.pointer, damaged, length, &none) == POISE_ERROR_TEXT && none == nil)
        for desk in [desk, restored] {
            #expect(poise_live_tick(desk.pointer, 0, 61_500, Self.time + 60_000) == POISE_OK)
            #expect(poise_live_update(desk.pointer, nil) == POISE_OK)
        }
        #expect(
            Self.figure(desk, option, POISE_EXPOSURE_VALUE)
                == Self.figure(restored, option, POISE_EXPOSURE_VALUE))
        #expect(Self.figure(desk, option, POISE_EXPOSURE_VALUE) > 100)

        let settlement = try Self.settle(desk, option, at: 66_000)
        #expect(settlement.payment_count == 1 && poise_live_is_listed(live, option) == 0)
        #expect(String(cString: try #require(poise_live_payment_book(live, 0))) == "new")
        #expect(poise_live_payment_book(live, 1) == nil)
        var paid = [0.0]
        var quantities = [0.0]
        paid.withUnsafeMutableBufferPointer { paid in
            quantities.withUnsafeMutableBufferPointer { quantities in
                _ = poise_live_payments(
                    live, poise_column(data: quantities.baseAddress, stride: 0),
                    poise_column(data: paid.baseAddress, stride: 0))
            }
        }
        #expect(paid == [4_000] && quantities == [4])
        #expect(poise_live_add_cash(live, "new", "USDC", 5) == POISE_OK)
        var cash = 0.0
        #expect(poise_live_cash(live, "new", "USDC", &cash) == POISE_OK && cash == 4_005)
        #expect(poise_live_fill(live, "new", option, 1) == POISE_ERROR_UNKNOWN_NAME)
        #expect(poise_live_roll_off(live) == POISE_OK)
        #expect(poise_live_find_contract(live, "BTC_USDC-27MAR26-65000-C") == -1)
        #expect(poise_live_contract_count(live) == 3 || poise_live_contract_count(live) == 1)
    }

    @Test("An order book, limits and their readings of a hedge, and what is refused of them")
    func hedges() throws {
        let (engine, chain, positions, limits) = (
            try makeEngine(), try makeChain(), try makePositions(), try makeLimits()
        )
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
        }
        let live = desk.pointer
        let contract = Int(poise_live_candidate(live, 0, 0))
        let name = String(cString: try #require(poise_live_contract(live, contract)))
        #expect(name == "BTC-PERPETUAL" || !name.isEmpty)
        func set(_ bids: [Double], _ asks: [Double]) -> poise_status {
            let amounts = [100.0, 300]
            return poise_live_set_book(
                live, 0, 0, bids.count, poise_values(data: bids, stride: 0),
                poise_values(data: amounts, stride: 0), asks.count, poise_values(data: asks, stride: 0),
                poise_values(data: amounts, stride: 0))
        }
        #expect(set([60_000], [59_000]) == POISE_ERROR_VALUE && lastError.contains("crossed"))
        #expect(set([60_000, 60_001], [61_000]) == POISE_ERROR_VALUE && lastError.contains("best first"))
        #expect(set([59_000, 58_000], [61_000]) == POISE_OK)
        #expect(poise_live_tick(live, 0, 40_000, 0) == POISE_OK)
        #expect(poise_live_decide(live, 0, nil) == POISE_OK)
        var costs = poise_hedge_instrument()
        #expect(poise_live_candidate_costs(live, 0, 0, &costs) == POISE_OK)
        #expect(costs.maximum_buy == 100 && costs.maximum_sell == 400)

        let band = try #require(poise_live_band(live, 0, 0))
        let version = poise_live_hedge_version(live, 0)
        #expect(poise_live_set_limit(live, 0, band, -1e12, 1e12) == POISE_OK)
        #expect(poise_live_hedge_version(live, 0) == version + 1)
        #expect(poise_live_set_limit(live, 0, band, 1, -1) == POISE_ERROR_VALUE)
        #expect(poise_live_set_limit(live, 0, "none", 0, 1) == POISE_ERROR_UNKNOWN_NAME)
        // Trades of a layout that is gone are none.
        var trades = [Double](repeating: 1, count: poise_live_candidate_count(live, 0))
        trades.withUnsafeMutableBufferPointer {
            _ = poise_live_trades(live, 0, poise_column(data: $0.baseAddress, stride: 0))
        }
        #expect(trades.allSatisfy { $0 == 0 })
    }

    @Test("A place for a result that is misaligned is refused before anything changes")
    func misalignedResults() throws {
        let desk = try Self.desk()
        let live = desk.pointer
        let option = try Self.list(desk, "BTC_USDC-27MAR26-65000-C", Self.listing())
        let version = poise_live_layout_version(live)
        var (slices, room) = (0, [0, 0])
        try room.withUnsafeMutableBytes { room in
            let place = try #require(room.baseAddress).advanced(by: 4).assumingMemoryBound(to: Int.self)
            var listing = Self.listing()
            #expect(
                poise_live_list(live, "BTC_USDC-27MAR26-70000-C", &listing, place) == POISE_ERROR_ALIGNMENT)
            #expect(lastField == "contract" && poise_live_layout_version(live) == version)
            #expect(poise_live_find_contract(live, "BTC_USDC-27MAR26-70000-C") == -1)
            let (volatilities, prices) = ([0.9], [99_000.0])
            #expect(
                poise_live_set_volatilities(
                    live, 1, [option], poise_values(data: volatilities, stride: 0), place)
                    == POISE_ERROR_ALIGNMENT)
            #expect(lastField == "refused")
            #expect(
                poise_live_set_prices(
                    live, 1, [Int(poise_live_find_slice(live, "BTC_USDC-27MAR26"))],
                    poise_values(data: prices, stride: 0), 0, place) == POISE_ERROR_ALIGNMENT)
            #expect(poise_live_update(live, &slices) == POISE_OK && slices == 0)
            #expect(poise_live_tick(live, 0, 61_000, 0) == POISE_OK)
            #expect(poise_live_update(live, place) == POISE_ERROR_ALIGNMENT && lastField == "slices")
        }
        #expect(poise_live_update(live, &slices) == POISE_OK && slices > 0)
    }

    @Test("Of no desk, and beyond the last, there is nothing")
    func nothing() {
        #expect(poise_live_layout_version(nil) == 0 && poise_live_hedge_version(nil, 0) == 0)
        #expect(poise_live_is_listed(nil, 0) == -1 && poise_live_payment_book(nil, 0) == nil)
        for status in [
            poise_live_list(nil, "a", nil, nil), poise_live_delist(nil, 0), poise_live_settle(nil, 0, 1, nil),
            poise_live_payments(nil, poise_column(), poise_column()), poise_live_add_book(nil, "a", nil),
            poise_live_set_position(nil, "a", 0, 1), poise_live_position(nil, "a", 0, nil),
            poise_live_cash(nil, "a", "b", nil), poise_live_add_cash(nil, "a", "b", 1),
            poise_live_set_volatilities(nil, 0, nil, poise_values(), nil),
            poise_live_set_prices(nil, 0, nil, poise_values(), 0, nil),
            poise_live_set_book(
                nil, 0, 0, 0, poise_values(), poise_values(), 0, poise_values(), poise_values()),
            poise_live_candidate_costs(nil, 0, 0, nil), poise_live_set_limit(nil, 0, "a", 0, 1),
            poise_live_roll_off(nil), poise_live_save(nil, nil, 0, nil), poise_live_restore(nil, nil, 0, nil),
        ] {
            #expect(status == POISE_ERROR_NULL)
        }
    }
}

/// Fields of what live desks that go on take and answer.
enum LiveDeskRows {
    typealias Row = EveryFieldTests.Row
    private typealias Desk = LiveDeskTests

    static let rows: [Row] = [
        Row("listing", "size, milliseconds", "any other size and no time are refused") {
            let desk = try Desk.desk()
            var short = Desk.listing { $0.size -= 8 }
            #expect(poise_live_list(desk.pointer, "BTC_USDC-24APR26", &short, nil) == POISE_ERROR_SIZE)
            var timeless = Desk.listing { $0.milliseconds = 0 }
            #expect(poise_live_list(desk.pointer, "BTC_USDC-24APR26", &timeless, nil) == POISE_ERROR_VALUE)
        },
        Row("listing", "price, volatility, rate", "an option of a new slice is worth what they make of it") {
            let desk = try Desk.desk()
            let option = try Desk.list(
                desk, "BTC_USDC-24APR26-60000-C",
                Desk.listing {
                    $0.milliseconds = Desk.time
                    ($0.price, $0.volatility, $0.rate) = (62_000, 0.5, 0.04)
                })
            // 24 April 2026, 08:00.
            let years = Double(1_777_017_600_000 - Desk.time) / (365 * 86_400_000)
            let value = blackScholes(62_000, 60_000, years, 0.5, rate: 0.04, dividend: 0.04)
            #expect(isNear(Desk.figure(desk, option, POISE_EXPOSURE_VALUE), value, 1e-10))
        },
        Row(
            "settlement", "size, last_price, cash_per_unit, currency, payment_count",
            "a future pays the way from its last price, to each book that holds it"
        ) {
            let desk = try Desk.desk([("a", "BTC_USDC-27MAR26", 2), ("b", "BTC_USDC-27MAR26", -1)])
            let future = Int(poise_live_find_contract(desk.pointer, "BTC_USDC-27MAR26"))
            let settlement = try Desk.settle(desk, future, at: 61_000)
            #expect(settlement.last_price == 60_000 && settlement.cash_per_unit == 1_000)
            #expect(String(cString: try #require(settlement.currency)) == "USDC")
            #expect(settlement.payment_count == 2)
            var short = poise_settlement()
            short.size = 8
            #expect(poise_live_settle(desk.pointer, 0, 1, &short) == POISE_ERROR_SIZE)
        },
    ]
}
