import CPoise
import Foundation
import Poise
import Testing

/// Fields of slices' states, candidates' rules and searches.
enum LiveChoiceRows {
    typealias Row = EveryFieldTests.Row
    private typealias Desk = LiveChoiceTests

    /// The candidates that a rule leaves of an option, a future and a perpetual.
    private static func chosen(_ set: (inout poise_candidate_rule) -> Void) throws -> [String] {
        let desk = try Desk.small()
        var rule = Desk.rule()
        set(&rule)
        try #require(poise_live_choose(desk.pointer, 0, &rule) == POISE_OK, "\(lastError)")
        return Desk.candidates(desk).map { String($0.dropFirst("BTC_USDC-".count)) }.sorted()
    }

    private static func refusal(_ set: (inout poise_candidate_rule) -> Void) throws -> poise_status {
        let desk = try Desk.small()
        var rule = Desk.rule()
        set(&rule)
        return poise_live_choose(desk.pointer, 0, &rule)
    }

    /// A desk within its limits that trades its perpetual alone, and the status of giving its variance a price.
    private static func pricing(
        _ coins: [String], _ covariance: [Double], _ set: (inout poise_live_variance) -> Void
    ) throws -> (desk: Handle, status: poise_status) {
        let desk = try Desk.small(low: -1e9, high: 1e9)
        var rule = Desk.rule()
        rule.classes = 1 << POISE_CLASS_PERPETUAL.rawValue
        #expect(poise_live_choose(desk.pointer, 0, &rule) == POISE_OK)
        let status = withStrings(coins) { names in
            covariance.withUnsafeBufferPointer { values in
                var variance = poise_live_variance()
                variance.size = MemoryLayout<poise_live_variance>.stride
                (variance.risk_aversion, variance.count) = (1e-5, coins.count)
                (variance.underlyings, variance.covariance) = (names, values.baseAddress)
                set(&variance)
                return poise_live_set_variance(desk.pointer, 0, &variance)
            }
        }
        return (desk, status)
    }

    /// The perpetuals that such a desk trades where one costs 5.
    private static func traded(
        _ coins: [String], _ covariance: [Double], _ set: (inout poise_live_variance) -> Void
    ) throws -> Double {
        let (desk, status) = try pricing(coins, covariance, set)
        #expect(status == POISE_OK, "\(lastError)")
        var instrument = poise_hedge_instrument()
        (instrument.cost_buy, instrument.cost_sell) = (5, 5)
        (instrument.maximum_buy, instrument.maximum_sell) = (10, 10)
        #expect(poise_live_set_candidate(desk.pointer, 0, 0, &instrument) == POISE_OK)
        let within = try Desk.decide(desk)
        #expect(within.outcome == POISE_HEDGE_WITHIN_LIMITS)
        return try Desk.decide(desk, 0, poise_live_rebalance).trades["BTC_USDC-PERPETUAL"] ?? 0
    }

    private static func expectVariance(_ expected: poise_status, _ set: (inout poise_live_variance) -> Void)
        throws
    {
        let status = try pricing(["BTC"], [4e-4], set).status
        #expect(status == expected)
    }

    private static let (option, future, perpetual) = ("27MAR26-60000-C", "27MAR26", "PERPETUAL")

    /// Twelve instruments in lots with fixed costs, which no search decides at once.
    private static func search(
        _ set: (inout poise_hedge_search) -> Void
    ) throws -> (result: poise_hedge_result, seconds: Double) {
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var search = poise_hedge_search()
        search.size = MemoryLayout<poise_hedge_search>.stride
        set(&search)
        try #require(poise_hedger_set_search(hedger.pointer, &search) == POISE_OK, "\(lastError)")
        let count = 40
        let instruments = (0..<count).map { place in
            var one = poise_hedge_instrument()
            (one.cost_buy, one.cost_sell) = (1 + 0.01 * Double(place * place % 17), 1)
            (one.lot, one.maximum_buy, one.maximum_sell) = (1, 3, 3)
            one.fixed_cost = 2 + 0.1 * Double(place % 7)
            return one
        }
        var entries: [poise_hedge_entry] = []
        let bands = (0..<6).map { band in
            var one = poise_hedge_band()
            (one.current, one.low, one.high) = (-1_000 - 37 * Double(band), -0.5, 0.5)
            (one.penalty, one.penalty_quadratic) = (0.2, 0)
            (one.first_entry, one.entry_count) = (UInt64(entries.count), UInt64(count))
            for place in 0..<count {
                let coefficient = 20 + Double((place * 7_919 + band * 104_729) % 997) / 10
                entries.append(poise_hedge_entry(instrument: UInt64(place), coefficient: coefficient))
            }
            return one
        }
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        var trades = [Double](repeating: 0, count: count)
        let start = ContinuousClock.now
        let status = trades.withUnsafeMutableBufferPointer { trades in
            instruments.withUnsafeBufferPointer { instruments in
                bands.withUnsafeBufferPointer { bands in
                    entries.withUnsafeBufferPointer { entries in
                        var problem = poise_hedge_problem()
                        problem.size = MemoryLayout<poise_hedge_problem>.stride
                        (problem.underlying_count, problem.instrument_count) = (1, count)
                        (problem.band_count, problem.entry_count) = (bands.count, entries.count)
                        problem.instruments = instruments.baseAddress
                        problem.bands = bands.baseAddress
                        problem.entries = entries.baseAddress
                        (problem.margin_limit, problem.cash_budget) = (.infinity, .infinity)
                        return poise_hedger_solve(
                            hedger.pointer, &problem, POISE_HEDGE_COLD,
                            poise_column(data: trades.baseAddress, stride: 0), poise_column(), &result)
                    }
                }
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return (result, (ContinuousClock.now - start) / .seconds(1))
    }

    static let rows: [Row] = [
        Row(
            "slice_state", "size, underlying, price, rate, milliseconds, expiry",
            "a slice is as its listing made it, and has its expiry"
        ) {
            let desk = try LiveDeskTests.desk()
            _ = try LiveDeskTests.list(
                desk, "BTC_USDC-24APR26-60000-C",
                LiveDeskTests.listing {
                    ($0.price, $0.rate, $0.milliseconds) = (62_000, 0.04, LiveDeskTests.time)
                })
            var state = poise_slice_state()
            let slice = Int(poise_live_find_slice(desk.pointer, "BTC_USDC-24APR26"))
            #expect(poise_live_slice_state(desk.pointer, slice, &state) == POISE_ERROR_SIZE)
            state.size = MemoryLayout<poise_slice_state>.stride
            #expect(poise_live_slice_state(desk.pointer, slice, &state) == POISE_OK)
            #expect(state.underlying == 0 && state.price == 62_000 && state.rate == 0.04)
            #expect(state.milliseconds == LiveDeskTests.time && state.expiry == 1_777_017_600_000)
            let perpetual = Int(poise_live_find_slice(desk.pointer, "BTC_USDC-PERPETUAL"))
            #expect(poise_live_slice_state(desk.pointer, perpetual, &state) == POISE_OK && state.expiry == 0)
            #expect(poise_live_slice_state(desk.pointer, 99, &state) == POISE_ERROR_ARGUMENT)
        },
        Row(
            "tickers", "bids, asks",
            "levels are filled in place of the best prices; what is no list is refused"
        ) {
            // Two coins are to be sold: 0.5 at a distance of 5 from the middle, 1 at 100, the rest at 1,000.
            let bids = ["", "", "[[59995, 0.5], [59900, 1], [59000, 10]]"]
            let asks = ["", "", "[[60005, 1]]"]
            let cost = try withStrings(bids) { bids in
                try withStrings(asks) { asks in
                    let market = SmallMarket()
                    let desk = try Desk.small(chain: try market.chain { ($0.bids, $0.asks) = (bids, asks) })
                    let fees = "class,fee_rate,fee_cap,half_spread_rate,depth_usd\nperpetual,0,,0,0\n"
                    #expect(poise_live_set_fees(desk.pointer, 0, fees, fees.utf8.count, nil) == POISE_OK)
                    #expect(poise_live_set_walks_levels(desk.pointer, 0, 1) == POISE_OK)
                    var rule = Desk.rule()
                    rule.classes = 1 << POISE_CLASS_PERPETUAL.rawValue
                    #expect(poise_live_choose(desk.pointer, 0, &rule) == POISE_OK)
                    return try Desk.decide(desk).cost
                }
            }
            #expect(isNear(cost, 0.5 * 5 + 100 + 0.5 * 1_000, 1e-9), "\(cost)")
            try withStrings(["", "[[1]]", ""]) { wrong in
                #expect(SmallMarket().refusal { $0.bids = wrong } == POISE_ERROR_VALUE)
                #expect(lastField == "bids" && poise_last_error_row() == 1)
            }
        },
        Row("candidate_rule", "size, classes", "only such contracts are left; bits of no class are refused") {
            try #expect(try refusal { $0.size = 8 } == POISE_ERROR_SIZE)
            try #expect(try chosen { _ in } == [future, option, perpetual])
            try #expect(try chosen { $0.classes = 1 << POISE_CLASS_OPTION.rawValue } == [option])
            try #expect(
                try chosen {
                    $0.classes = 1 << POISE_CLASS_FUTURE.rawValue | 1 << POISE_CLASS_PERPETUAL.rawValue
                }
                    == [future, perpetual])
            try #expect(try chosen { $0.classes = 1 << POISE_CLASS_SPOT.rawValue } == [])
            try #expect(try refusal { $0.classes = 16 } == POISE_ERROR_ARGUMENT)
        },
        Row("candidate_rule", "first_expiry, last_expiry", "of what expires, what does so in between is left")
        {
            let expiry = LiveDeskTests.expiry
            try #expect(try chosen { $0.first_expiry = expiry } == [future, option, perpetual])
            try #expect(try chosen { $0.first_expiry = expiry + 1 } == [perpetual])
            try #expect(try chosen { $0.last_expiry = expiry - 1 } == [perpetual])
            try #expect(
                try refusal { ($0.first_expiry, $0.last_expiry) = (expiry, expiry - 1) }
                    == POISE_ERROR_ARGUMENT)
            try #expect(try refusal { $0.last_expiry = 5 } == POISE_ERROR_VALUE)
        },
        Row("candidate_rule", "least_delta, most_delta", "of options, those of such a delta are left") {
            // The call at the money has a delta of 0.53 or so.
            try #expect(try chosen { $0.least_delta = 0.6 } == [future, perpetual])
            try #expect(try chosen { $0.most_delta = 0.45 } == [future, perpetual])
            try #expect(
                try chosen { ($0.least_delta, $0.most_delta) = (0.45, 0.6) } == [future, option, perpetual])
            try #expect(try refusal { ($0.least_delta, $0.most_delta) = (0.6, 0.5) } == POISE_ERROR_ARGUMENT)
            try #expect(try refusal { $0.least_delta = -1 } == POISE_ERROR_ARGUMENT)
        },
        Row("candidate_rule", "least_depth, most_half_spread", "what is too thin or too wide is not left") {
            // Ten coins on either side; half spreads of 50, 10 and 5 on 60,000.
            try #expect(try chosen { $0.least_depth = 599_000 } == [future, option, perpetual])
            try #expect(try chosen { $0.least_depth = 601_000 } == [])
            try #expect(try chosen { $0.most_half_spread = 12.0 / 60_000 } == [future, perpetual])
            try #expect(try chosen { $0.most_half_spread = 7.0 / 60_000 } == [perpetual])
            try #expect(try refusal { $0.most_half_spread = .nan } == POISE_ERROR_ARGUMENT)
        },
        Row(
            "candidate_rule",
            "only_names, name_count, names, excluded_count, excluded, underlying_count, underlyings",
            "lists of names let in, and keep out"
        ) {
            let name = "BTC_USDC-\(option)"
            try withStrings([name]) { names in
                try #expect(try chosen { ($0.name_count, $0.names) = (1, names) } == [option])
                try #expect(
                    try chosen { ($0.excluded_count, $0.excluded) = (1, names) } == [future, perpetual])
            }
            try #expect(try chosen { $0.only_names = 1 } == [])
            try #expect(try refusal { $0.name_count = 1 } == POISE_ERROR_NULL)
            try withStrings(["BTC", "XRP"]) { coins in
                try #expect(
                    try chosen { ($0.underlying_count, $0.underlyings) = (2, coins) }
                        == [future, option, perpetual])
            }
            try withStrings(["XRP"]) { coins in
                try #expect(try chosen { ($0.underlying_count, $0.underlyings) = (1, coins) } == [])
            }
        },
        Row(
            "live_variance", "size, risk_aversion, count, underlyings, covariance, net_delta",
            "what is left costs its variance; what is none is refused"
        ) {
            // 180,000 dollars, of which a coin of 60,000 takes off; selling one costs 5.
            for (aversion, variance) in [(1e-5, 4e-4), (2e-5, 4e-4), (1e-5, 1e-4)] {
                let expected = (5 / (2 * aversion * 60_000 * variance) - 180_000) / 60_000
                let sold = try traded(["BTC"], [variance]) { $0.risk_aversion = aversion }
                #expect(isNear(sold, expected, 1e-9))
            }
            // Futures and perpetuals have no premium: both deltas are one.
            let plain = try traded(["BTC"], [4e-4]) { _ in }
            let net = try traded(["BTC"], [4e-4]) { $0.net_delta = 1 }
            #expect(net == plain)
            // Of two coins, one is not held.
            let two = try traded(["XRP", "BTC"], [1e-3, 2e-4, 2e-4, 4e-4]) { _ in }
            #expect(isNear(two, plain, 1e-9))
            try expectVariance(POISE_ERROR_SIZE) { $0.size = 8 }
            try expectVariance(POISE_ERROR_VALUE) { $0.risk_aversion = -1 }
            try expectVariance(POISE_ERROR_NULL) { $0.covariance = nil }
            try expectVariance(POISE_ERROR_COUNT) { $0.count = 0 }
            try expectVariance(POISE_ERROR_NULL) { $0.underlyings = poise_texts() }
        },
        Row("hedge_search", "size, node_limit, gap", "a search ends at its nodes, or at its gap") {
            let few = try search { $0.node_limit = 3 }
            #expect(few.result.outcome == POISE_HEDGE_BUDGET && few.result.gap > 1e-9)
            let rough = try search { ($0.gap, $0.node_limit) = (0.9, 100_000) }
            #expect(rough.result.outcome == POISE_HEDGE_OPTIMAL && rough.result.gap <= 0.9)
            #expect(rough.result.nodes < 1_000)
            let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
            var terms = poise_hedge_search()
            #expect(poise_hedger_set_search(hedger.pointer, &terms) == POISE_ERROR_SIZE)
            terms.size = MemoryLayout<poise_hedge_search>.stride
            terms.gap = -1
            #expect(poise_hedger_set_search(hedger.pointer, &terms) == POISE_ERROR_ARGUMENT)
            #expect(poise_hedger_set_search(hedger.pointer, nil) == POISE_OK)
        },
        Row(
            "hedge_search", "seconds, is_cancelled, context",
            "a search ends by the clock, or when its host says so"
        ) {
            let timed = try search { $0.seconds = 0.05 }
            #expect(
                timed.result.outcome == POISE_HEDGE_BUDGET || timed.result.outcome == POISE_HEDGE_UNCERTIFIED)
            var questions = 0
            let asked = try withUnsafeMutablePointer(to: &questions) { count in
                try search {
                    $0.context = UnsafeMutableRawPointer(count)
                    $0.is_cancelled = { context in
                        guard let count = context?.assumingMemoryBound(to: Int.self) else { return 0 }
                        count.pointee += 1
                        return count.pointee > 3 ? 1 : 0
                    }
                }
            }
            #expect(questions == 4)
            #expect(
                asked.result.outcome == POISE_HEDGE_BUDGET || asked.result.outcome == POISE_HEDGE_UNCERTIFIED)
        },
    ]
}
