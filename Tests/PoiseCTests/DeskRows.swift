import CPoise
import Foundation
import Poise
import Testing

/// Fields of limits, live desks and their answers. The desk holds three linear perpetuals at 60,000, of which two must go
/// where delta is to be at most 60,000.
enum DeskRows {
    typealias Row = EveryFieldTests.Row

    private struct Limit {
        var book = ""
        var underlying = "BTC"
        var expiry = ""
        var exposure = POISE_EXPOSURE_DELTA
        var low = -60_000.0
        var high = 60_000.0
        var penalty = Double.nan
        var penaltyQuadratic = 0.0

        func made(_ set: (inout poise_limit_columns) -> Void = { _ in }) throws -> Handle {
            let number = UInt8(exposure.rawValue)
            return try withStrings([book]) { book in
                try withStrings([underlying]) { underlying in
                    try withStrings([expiry]) { expiry in
                        try withUnsafePointer(to: number) { exposure in
                            try withPointers([[low], [high], [penalty], [penaltyQuadratic]]) { columns in
                                var given = poise_limit_columns()
                                given.size = MemoryLayout<poise_limit_columns>.stride
                                given.count = 1
                                (given.book, given.underlying, given.expiry) = (book, underlying, expiry)
                                given.exposure.data = exposure
                                given.low.data = columns[0]
                                given.high.data = columns[1]
                                given.penalty.data = columns[2]
                                given.penalty_quadratic.data = columns[3]
                                set(&given)
                                return try Handle(poise_limits_free) { poise_limits_create(&given, $0) }
                            }
                        }
                    }
                }
            }
        }
    }

    private struct Answer {
        let result: poise_hedge_result
        /// By instrument.
        let trades: [String: Double]
        let band, book: String
        /// What is sold in all, in coins.
        var sold: Double { -trades.values.reduce(0, +) }
    }

    private static func decide(
        _ limit: Limit = Limit(), _ market: SmallMarket = market, held: [(String, String, Double)]? = nil,
        _ set: (inout poise_live_options) -> Void = { _ in }
    ) throws -> Answer {
        var options = poise_live_options()
        options.size = MemoryLayout<poise_live_options>.stride
        set(&options)
        let (engine, chain, limits) = (try makeEngine(), try market.chain(), try limit.made())
        let positions = try SmallMarket.positions(held ?? [("b", "BTC_USDC-PERPETUAL", 3)])
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, &options, $0)
        }
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        try #require(poise_live_decide(desk.pointer, 0, &result) == POISE_OK, "\(lastError)")
        var trades = [Double](repeating: .nan, count: poise_live_candidate_count(desk.pointer, 0))
        trades.withUnsafeMutableBufferPointer {
            _ = poise_live_trades(desk.pointer, 0, poise_column(data: $0.baseAddress, stride: 0))
        }
        var byName: [String: Double] = [:]
        for (place, trade) in trades.enumerated() {
            let contract = Int(poise_live_candidate(desk.pointer, 0, place))
            let name = String(cString: try #require(poise_live_contract(desk.pointer, contract)))
            byName[name] = trade
        }
        return Answer(
            result: result, trades: byName,
            band: String(cString: try #require(poise_live_band(desk.pointer, 0, 0))),
            book: String(cString: try #require(poise_live_hedge_book(desk.pointer, 0))))
    }

    /// The perpetual alone is for sale; the future where told.
    private static let market = only(2)
    private static let future = only(1)

    /// A market that trades one contract. Nobody quotes the option. Of the other, which would have an assumed depth if
    /// nobody quoted it, a millionth may be bought, far too dear, and none sold.
    private static func only(_ traded: Int) -> SmallMarket {
        var market = SmallMarket()
        for place in [0, 1, 2] where place != traded {
            (market.bid[place], market.ask[place]) = (.nan, place == 0 ? .nan : 70_000)
            (market.bidAmount[place], market.askAmount[place]) = (0, place == 0 ? 0 : 1e-6)
        }
        return market
    }

    private static let limits: [Row] = [
        Row(
            "limit_columns", "size, count",
            "a band for each of so many rows; none, and another size, are refused"
        ) {
            let (engine, chain, positions) = (
                try makeEngine(), try market.chain(), try SmallMarket.positions()
            )
            let exposures = [POISE_EXPOSURE_DELTA, POISE_EXPOSURE_VEGA].map { UInt8($0.rawValue) }
            try exposures.withUnsafeBufferPointer { exposures in
                func set(_ columns: inout poise_limit_columns, count: Int) {
                    (columns.count, columns.exposure.data) = (count, exposures.baseAddress)
                    (columns.book, columns.underlying, columns.expiry) = (
                        poise_texts(), poise_texts(), poise_texts()
                    )
                    for column in [
                        \poise_limit_columns.low, \.high, \.penalty, \.penalty_quadratic,
                    ] {
                        columns[keyPath: column].stride = .min
                    }
                }
                for count in 1...2 {
                    let limits = try Limit().made { set(&$0, count: count) }
                    let desk = try Handle(poise_live_free) {
                        poise_live_create(
                            engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
                    }
                    #expect(poise_live_band_count(desk.pointer, 0) == count)
                }
                var (columns, made) = (poise_limit_columns(), OpaquePointer?.none)
                columns.size = MemoryLayout<poise_limit_columns>.stride
                #expect(poise_limits_create(&columns, &made) == POISE_ERROR_COUNT)
                columns.size = 8
                #expect(poise_limits_create(&columns, &made) == POISE_ERROR_SIZE)
            }
        },
        Row("limit_columns", "book", "the hedge is that book's: what others hold does not count") {
            let held = [("a", "BTC_USDC-PERPETUAL", 1.5), ("b", "BTC_USDC-PERPETUAL", 3.0)]
            let all = try decide(held: held)
            let own = try decide(Limit(book: "b"), held: held)
            #expect(all.book == "" && isNear(all.sold, 3.5, 1e-6))
            #expect(own.book == "b" && isNear(own.sold, 2, 1e-6))
        },
        Row("limit_columns", "underlying", "another coin's limit is refused, this one's names its band") {
            try #expect(decide().band == "BTC delta")
            try #expect(decide(Limit(underlying: "*")).band != "BTC delta")
            let (engine, chain, positions, limits) = (
                try makeEngine(), try market.chain(), try SmallMarket.positions(),
                try Limit(underlying: "ETH").made()
            )
            var made: OpaquePointer?
            #expect(
                poise_live_create(
                    engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, &made)
                    == POISE_ERROR_UNKNOWN_NAME)
        },
        Row("limit_columns", "expiry", "what expires later does not count") {
            let held = [("b", "BTC_USDC-PERPETUAL", 3.0), ("b", "BTC_USDC-27MAR26", 2.0)]
            let answer = try decide(Limit(expiry: "2026-03-27"), future, held: held)
            #expect(isNear(answer.trades["BTC_USDC-27MAR26"] ?? .nan, -1, 1e-6), "\(answer.trades)")
        },
        Row("limit_columns", "exposure", "the calls' vega is limited, three perpetuals have none") {
            #expect(POISE_EXPOSURE_VEGA.rawValue == 4)
            let answer = try decide(Limit(exposure: POISE_EXPOSURE_VEGA, low: -1, high: 1))
            #expect(answer.result.outcome == POISE_HEDGE_WITHIN_LIMITS && answer.band == "BTC vega")
        },
        Row("limit_columns", "low, high", "bought up to the one, sold down to the other") {
            try #expect(isNear(decide(Limit(low: -1e5, high: 30_000)).sold, 2.5, 1e-6))
            try #expect(
                isNear(
                    decide(Limit(low: -90_000, high: 1e5), held: [("b", "BTC_USDC-PERPETUAL", -3)]).sold,
                    -1.5, 1e-6))
        },
        // Selling costs some 35 of the 60,000 dollars of a coin.
        Row("limit_columns", "penalty", "cheaper than trading, nothing is sold; dearer, all that is outside")
        {
            let cheap = try decide(Limit(penalty: 1e-4))
            #expect(isNear(cheap.sold, 0) && isNear(cheap.result.penalty_cost, 12, 1e-6))
            try #expect(isNear(decide(Limit(penalty: 1e-2)).sold, 2, 1e-6))
        },
        Row("limit_columns", "penalty_quadratic", "outside stays what costs as much as trading at its edge") {
            // A coin sold costs c and saves q s · 60,000 of the penalty on s dollars outside.
            let hard = try decide()
            let cost = hard.result.linear_cost / 2
            let answer = try decide(Limit(penalty: 0, penaltyQuadratic: 1e-7))
            let outside = cost / (1e-7 * 60_000)
            #expect(isNear(answer.sold, 2 - outside / 60_000, 1e-6), "\(answer.sold)")
            #expect(isNear(answer.result.penalty_cost, 0.5e-7 * outside * outside, 1e-6))
        },
    ]

    private static let quotes: [Row] = [
        Row("tickers", "bid_price, ask_price", "ten dollars more of spread cost five more per coin sold") {
            let before = try decide().result.linear_cost
            var wide = market
            wide.bid[2] -= 10
            try #expect(isNear(decide(Limit(), wide).result.linear_cost, before + 2 * 5, 1e-8))
            wide.ask[2] += 10
            try #expect(isNear(decide(Limit(), wide).result.linear_cost, before + 2 * 10, 1e-8))
        },
        Row("tickers", "bid_amount", "no more can be sold: 1.5 are not enough, 2.5 are") {
            var thin = market
            thin.bidAmount[2] = 1.5
            try #expect(decide(Limit(), thin).result.outcome == POISE_HEDGE_INFEASIBLE)
            thin.bidAmount[2] = 2.5
            try #expect(isNear(decide(Limit(), thin).sold, 2, 1e-6))
        },
        Row("tickers", "ask_amount", "no more can be bought: 1.5 are not enough, 2.5 are") {
            var thin = market
            thin.askAmount[2] = 1.5
            let held = [("b", "BTC_USDC-PERPETUAL", -3.0)]
            try #expect(decide(Limit(), thin, held: held).result.outcome == POISE_HEDGE_INFEASIBLE)
            try #expect(isNear(decide(Limit(), thin).sold, 2, 1e-6))
            thin.askAmount[2] = 2.5
            try #expect(isNear(decide(Limit(), thin, held: held).sold, -2, 1e-6))
        },
        Row("tickers", "index_price", "a future above it earns its basis, by the day, for whoever is short") {
            // 100 dollars over 20 days; 5 days are a quarter, which is less than selling costs.
            func cost(_ index: Double) throws -> Double {
                var market = future
                market.index = [index, index, index]
                return try decide(Limit(), market, { $0.holding_days = 5 }).result.linear_cost
            }
            try #expect(
                isNear(cost(60_000) - cost(59_900), 2 * 60_000 * (1 - pow(59_900 / 60_000, 0.25)), 1e-8))
        },
    ]

    private static let options: [Row] = [
        Row("live_options", "size", "another than the struct's is refused") {
            let (engine, chain, positions) = (
                try makeEngine(), try market.chain(), try SmallMarket.positions()
            )
            var (options, made) = (poise_live_options(), OpaquePointer?.none)
            #expect(
                poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, &options, &made)
                    == POISE_ERROR_SIZE)
        },
        Row("live_options", "exposures", "without limits: by instrument, in coin, all that is listed") {
            let (engine, chain, positions) = (
                try makeEngine(), try market.chain(), try SmallMarket.positions()
            )
            var options = poise_live_options()
            options.size = MemoryLayout<poise_live_options>.stride
            options.exposures = SmallMarket.exposureOptions()
            options.exposures.numeraire = POISE_NUMERAIRE_COIN
            options.exposures.grouping_count = 1
            options.exposures.groupings.0 = POISE_BY_INSTRUMENT
            let desk = try Handle(poise_live_free) {
                poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, &options, $0)
            }
            let count = poise_live_group_count(desk.pointer)
            var deltas = [Double](repeating: .nan, count: count)
            deltas.withUnsafeMutableBufferPointer {
                _ = poise_live_exposures(
                    desk.pointer, POISE_EXPOSURE_DELTA, poise_column(data: $0.baseAddress, stride: 0))
            }
            let labels = (0..<count).compactMap {
                poise_live_label(desk.pointer, $0, 1).map { String(cString: $0) }
            }
            #expect(Set(labels) == Set(SmallMarket().instruments))
            let delta = Dictionary(zip(labels, deltas)) { $0 + $1 }
            #expect(
                isNear(delta["BTC_USDC-PERPETUAL"] ?? .nan, 3) && delta["BTC_USDC-27MAR26"] == 0, "\(delta)")
        },
        Row(
            "live_options", "holding_days, funding_rate",
            "whoever sells earns the funding of three payments a day"
        ) {
            let before = try decide().result.linear_cost
            // Less than selling costs, so that no more is sold.
            let answer = try decide { ($0.holding_days, $0.funding_rate) = (2, 5e-5) }
            #expect(isNear(answer.sold, 2, 1e-6))
            #expect(isNear(answer.result.linear_cost, before - 2 * 60_000 * 5e-5 * 6, 1e-8))
            try #expect(isNear(decide { $0.holding_days = 2 }.result.linear_cost, before, 1e-8))
        },
        Row("live_options", "cash_budget", "too little for what trading costs is infeasible") {
            let cost = try decide().result.linear_cost
            try #expect(decide { $0.cash_budget = 0.9 * cost }.result.outcome == POISE_HEDGE_INFEASIBLE)
            try #expect(isNear(decide { $0.cash_budget = 1.1 * cost }.sold, 2, 1e-6))
        },
        Row("live_options", "uses_lots", "whole contract sizes: thousandths of a coin") {
            let limit = Limit(low: -60_000, high: 60_000 - 0.0004 * 60_000)
            try #expect(isNear(decide(limit).sold, 2.0004, 1e-6))
            try #expect(isNear(decide(limit) { $0.uses_lots = 1 }.sold, 2.001, 1e-9))
        },
    ]

    private static let results: [Row] = [
        Row("hedge_result", "size", "another than the struct's is refused") {
            let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
            var result = poise_hedge_result()
            result.size = 8
            var trades = [0.0, 0]
            let status = trades.withUnsafeMutableBufferPointer { trades in
                HedgerTests.withC(HedgerTests.problem()) {
                    poise_hedger_solve(
                        hedger.pointer, $0, POISE_HEDGE_COLD,
                        poise_column(data: trades.baseAddress, stride: 0), poise_column(), &result)
                }
            }
            #expect(status == POISE_ERROR_SIZE)
        },
        Row(
            "hedge_result", "outcome, interior_steps, pivots, nodes, gap, violation",
            "steps of many instruments cold and none warm; a search has nodes; what is proved has next to no gap"
        ) {
            let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
            func solve(
                _ problem: HedgeProblem, _ start: poise_hedge_start, lot: Double
            ) throws -> poise_hedge_result {
                var problem = problem
                for i in problem.instruments.indices { problem.instruments[i].lot = lot }
                var trades = [Double](repeating: 0, count: problem.instruments.count)
                var result = poise_hedge_result()
                result.size = MemoryLayout<poise_hedge_result>.stride
                let status = trades.withUnsafeMutableBufferPointer { trades in
                    HedgerTests.withC(problem) {
                        poise_hedger_solve(
                            hedger.pointer, $0, start, poise_column(data: trades.baseAddress, stride: 0),
                            poise_column(), &result)
                    }
                }
                try #require(status == POISE_OK, "\(lastError)")
                #expect(
                    result.outcome == POISE_HEDGE_OPTIMAL && result.gap <= 1e-9 && result.violation <= 1e-9)
                return result
            }
            let small = HedgerTests.problem(maximum: 100)
            let near = try solve(small, POISE_HEDGE_COLD, lot: 0)
            #expect(near.interior_steps == 0 && near.pivots > 0 && near.nodes == 0)
            try #expect(solve(small, POISE_HEDGE_COLD, lot: 0.7).nodes > 0)
            var large = HedgeProblem(underlyings: ["a", "b"])
            for i in 0..<40 {
                large.add(
                    "\(i)",
                    HedgeInstrument(
                        underlying: i % 2, costBuy: 1 + Double(i), costSell: 1, impact: 0.01, maximumBuy: 10,
                        maximumSell: 10))
            }
            large.add(
                "both", HedgeBand(hard: -1, 1, current: -40),
                coefficients: (0..<40).map { (instrument: $0, coefficient: 1) })
            let cold = try solve(large, POISE_HEDGE_COLD, lot: 0)
            #expect(cold.interior_steps > 0 && cold.nodes == 0)
            try #expect(solve(large, POISE_HEDGE_WARM, lot: 0).interior_steps == 0)
            let none = try HedgeFieldTests.solve(HedgerTests.problem()).0
            #expect(
                none.outcome == POISE_HEDGE_INFEASIBLE && none.gap == .infinity && none.violation == .infinity
            )
        },
        // 30 are bought, as many as the limit allows of what costs 1 a unit, the rest of what costs 3.
        Row("hedge_result", "margin_price", "10 units of margin for 1 each: one more saves 2") {
            var problem = scarce()
            (problem.instruments[0].margin, problem.marginLimit) = (1, 10)
            let (result, trade) = try HedgeFieldTests.solve(problem)
            #expect(
                isNear(trade, 10, 1e-6) && isNear(result.margin_price, -2, 1e-6) && result.cash_price == 0)
        },
        // The cheap takes 9 beside its cost, so that a unit of it instead of the dear one takes 7 more.
        Row("hedge_result", "cash_price", "160 of cash for 10 each and 3 each: one more saves two sevenths") {
            var problem = scarce()
            (problem.instruments[0].cash, problem.cashBudget) = (9, 160)
            let (result, trade) = try HedgeFieldTests.solve(problem)
            #expect(
                isNear(trade, 10, 1e-6) && isNear(result.cash_price, -2.0 / 7, 1e-6)
                    && result.margin_price == 0)
        },
        Row("hedger_options", "size", "another than the struct's is refused") {
            var (options, made) = (poise_hedger_options(), OpaquePointer?.none)
            #expect(poise_hedger_create(&options, &made) == POISE_ERROR_SIZE)
        },
        Row("hedge_diagnosis", "size", "another than the struct's is refused") {
            let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
            var diagnosis = poise_hedge_diagnosis()
            let status = HedgerTests.withC(HedgerTests.problem()) {
                poise_hedger_diagnose(
                    hedger.pointer, $0, poise_column(), poise_column(), poise_column(), &diagnosis)
            }
            #expect(status == POISE_ERROR_SIZE)
        },
        Row(
            "hedge_diagnosis",
            "is_infeasible, violated_count, total_violation, worst_violation, first_band, first_price, gap",
            "10 of 30 may be sold: the first band, 20 wide, stays one width above"
        ) {
            let found = try diagnose(HedgerTests.problem())
            #expect(found.is_infeasible == 1 && found.violated_count == 1 && found.first_band == 0)
            #expect(isNear(found.total_violation, 1, 1e-8) && isNear(found.worst_violation, 1, 1e-8))
            // A width more of the high limit takes a width off the total.
            #expect(isNear(found.first_price, -1, 1e-8) && found.gap <= 1e-9 && found.least_cash.isNaN)
        },
        // Cash 1 per unit bought and 5 of 30 there: 25 units, 1.25 widths, stay; a unit of cash is a twentieth of one.
        Row(
            "hedge_diagnosis", "first_band, gap",
            "the second of two bands; with even lots for an odd number, a node is too few for a proof"
        ) {
            var problem = HedgeProblem(underlyings: ["a"])
            for lot in [6.0, 10, 14, 22, 26, 34] {
                problem.add(
                    "", HedgeInstrument(costBuy: 1, costSell: 1, lot: lot, maximumBuy: 200, maximumSell: 200))
            }
            problem.add(
                "", HedgeBand(hard: -0.5, 0.5, current: 997),
                coefficients: problem.instruments.indices.map { ($0, 1.0) })
            problem.add("", HedgeBand(hard: -10, 10, current: 40), coefficients: [])
            let stopped = try diagnose(problem, nodes: 1)
            #expect(stopped.first_band == 1 && stopped.gap > 1e-3, "\(stopped)")
        },
        Row(
            "hedge_diagnosis", "cash_price", "a unit of the budget takes a twentieth of a width off the total"
        ) {
            var problem = bought()
            (problem.instruments[0].cash, problem.cashBudget) = (1, 5)
            let found = try diagnose(problem)
            #expect(
                isNear(found.total_violation, 1.25, 1e-8) && isNear(found.cash_price, -0.05, 1e-8), "\(found)"
            )
        },
        Row(
            "hedge_diagnosis", "margin_price",
            "a unit of the limit takes a fortieth of a width off, at 2 per unit"
        ) {
            var problem = bought()
            (problem.instruments[0].margin, problem.marginLimit) = (2, 10)
            let found = try diagnose(problem)
            #expect(
                isNear(found.total_violation, 1.25, 1e-8) && isNear(found.margin_price, -0.025, 1e-8),
                "\(found)")
        },
        // Selling all 100 brings in 100, and 150 are asked for.
        Row(
            "hedge_diagnosis", "least_cash",
            "the least that any trades spend, where none raise what they must"
        ) {
            var problem = bought()
            (problem.instruments[0].cash, problem.cashBudget) = (1, -150)
            let found = try diagnose(problem)
            #expect(isNear(found.least_cash, -100, 1e-8) && found.total_violation == .infinity, "\(found)")
            #expect(found.first_band == -1)
        },
    ]

    private static func scarce() -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["a"])
        for cost in [1.0, 3] {
            problem.add("", HedgeInstrument(costBuy: cost, costSell: cost, maximumBuy: 100, maximumSell: 100))
        }
        problem.add(
            "", HedgeBand(hard: -10, 10, current: -40),
            coefficients: [(instrument: 0, coefficient: 1), (instrument: 1, coefficient: 1)])
        return problem
    }

    /// One instrument that costs nothing, of which 30 would have to be bought.
    private static func bought() -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["a"])
        problem.add("", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: 100, maximumSell: 100))
        problem.add(
            "", HedgeBand(hard: -10, 10, current: -40), coefficients: [(instrument: 0, coefficient: 1)])
        return problem
    }

    private static func diagnose(_ problem: HedgeProblem, nodes: UInt64 = 0) throws -> poise_hedge_diagnosis {
        var options = poise_hedger_options(
            size: MemoryLayout<poise_hedger_options>.stride, node_limit: nodes, gap: 0)
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(&options, $0) }
        var diagnosis = poise_hedge_diagnosis()
        diagnosis.size = MemoryLayout<poise_hedge_diagnosis>.stride
        let status = HedgerTests.withC(problem) {
            poise_hedger_diagnose(
                hedger.pointer, $0, poise_column(), poise_column(), poise_column(), &diagnosis)
        }
        try #require(status == POISE_OK, "\(lastError)")
        return diagnosis
    }

    static let rows: [Row] = limits + quotes + options + results
}
