import CPoise
import Poise
import Testing

/// What a problem of one's own can be asked beside its answer.
@Suite struct HedgerTests {
    /// Two instruments that move one band each: the first must come down by 30 and may by 10 only, the second by 3.
    static func problem(minimum: Double = 0, maximum: Double = 10) -> HedgeProblem {
        var problem = HedgeProblem(underlyings: ["a"])
        for number in 0..<2 {
            problem.add(
                "\(number)",
                HedgeInstrument(
                    costBuy: 1, costSell: 1, impact: 0.01, minimum: number == 1 ? minimum : 0,
                    maximumBuy: maximum, maximumSell: maximum))
        }
        problem.add(
            "far", HedgeBand(hard: -10, 10, current: 40), coefficients: [(instrument: 0, coefficient: 1)])
        problem.add(
            "near", HedgeBand(hard: -2, 2, current: 5), coefficients: [(instrument: 1, coefficient: 1)])
        return problem
    }

    /// Calls `body` with a problem as C takes it.
    static func withC<R>(
        _ problem: HedgeProblem, size: Int = MemoryLayout<poise_hedge_problem>.stride,
        _ body: (UnsafePointer<poise_hedge_problem>) throws -> R
    ) rethrows -> R {
        let instruments = problem.instruments.map {
            poise_hedge_instrument(
                underlying: UInt64($0.underlying), cost_buy: $0.costBuy, cost_sell: $0.costSell,
                impact: $0.impact, fixed_cost: $0.fixedCost, lot: $0.lot, maximum_buy: $0.maximumBuy,
                maximum_sell: $0.maximumSell, margin: $0.margin, cash: $0.cash)
        }
        let bands = problem.bands.map {
            poise_hedge_band(
                current: $0.current, low: $0.low, high: $0.high, penalty: $0.isHard ? .nan : $0.penalty,
                penalty_quadratic: $0.penaltyQuadratic, first_entry: UInt64($0.entries.lowerBound),
                entry_count: UInt64($0.entries.count))
        }
        let entries = problem.entries.map {
            poise_hedge_entry(instrument: UInt64($0.instrument), coefficient: $0.coefficient)
        }
        return try instruments.withUnsafeBufferPointer { instruments in
            try bands.withUnsafeBufferPointer { bands in
                try entries.withUnsafeBufferPointer { entries in
                    try withPointers([problem.instruments.map(\.minimum)]) { minimums in
                        var given = poise_hedge_problem()
                        given.size = size
                        given.underlying_count = problem.underlyings.count
                        given.instrument_count = instruments.count
                        given.band_count = bands.count
                        given.entry_count = entries.count
                        given.instruments = instruments.baseAddress
                        given.bands = bands.baseAddress
                        given.entries = entries.baseAddress
                        given.margin_limit = problem.marginLimit
                        given.cash_budget = problem.cashBudget
                        given.minimum_trade = poise_values(data: minimums[0], stride: 0)
                        return try body(&given)
                    }
                }
            }
        }
    }

    static func solve(
        _ problem: HedgeProblem, size: Int = MemoryLayout<poise_hedge_problem>.stride
    ) throws -> (poise_hedge_outcome, [Double]) {
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var trades = problem.instruments.map { _ in Double.nan }
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        let status = trades.withUnsafeMutableBufferPointer { trades in
            withC(problem, size: size) {
                poise_hedger_solve(
                    hedger.pointer, $0, POISE_HEDGE_COLD, poise_column(data: trades.baseAddress, stride: 0),
                    poise_column(), &result)
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return (result.outcome, trades)
    }

    /// Below the smallest trade there is none: 5 instead of the 3 that would do. Structs from before the field have none.
    @Test("A trade below the smallest trade is none, and older structs have no smallest trade")
    func smallestTrades() throws {
        let free = try Self.solve(Self.problem(maximum: 100))
        #expect(free.0 == POISE_HEDGE_OPTIMAL)
        #expect((free.1[1] + 3).magnitude < 1e-9)
        let bound = try Self.solve(Self.problem(minimum: 5, maximum: 100))
        #expect(bound.0 == POISE_HEDGE_OPTIMAL)
        #expect((bound.1[1] + 5).magnitude < 1e-9)
        #expect((bound.1[0] + 30).magnitude < 1e-9)
        let earlier = MemoryLayout<poise_hedge_problem>.offset(of: \.minimum_trade)!
        let old = try Self.solve(Self.problem(minimum: 5, maximum: 100), size: earlier)
        #expect(sameBits(old.1, free.1))

        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var trades = [0.0, 0]
        let status = trades.withUnsafeMutableBufferPointer { trades in
            Self.withC(Self.problem(minimum: .nan)) {
                poise_hedger_solve(
                    hedger.pointer, $0, POISE_HEDGE_COLD, poise_column(data: trades.baseAddress, stride: 0),
                    poise_column(), nil)
            }
        }
        #expect(status == POISE_ERROR_VALUE)
        #expect(lastField.hasPrefix("instruments[1]"))
    }

    /// By hand: 10 of 30 can be sold, so that the band of width 20 stays one width above; nothing else is in the way.
    @Test("A diagnosis names the band that stays outside and by how much, by hand")
    func diagnosis() throws {
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        func diagnose(_ problem: HedgeProblem) throws -> (poise_hedge_diagnosis, [[Double]]) {
            var diagnosis = poise_hedge_diagnosis()
            diagnosis.size = MemoryLayout<poise_hedge_diagnosis>.stride
            var columns = [Double](repeating: .nan, count: 6)
            let status = columns.withUnsafeMutableBufferPointer { columns in
                Self.withC(problem) {
                    poise_hedger_diagnose(
                        hedger.pointer, $0, poise_column(data: columns.baseAddress, stride: 24),
                        poise_column(data: columns.baseAddress! + 1, stride: 24),
                        poise_column(data: columns.baseAddress! + 2, stride: 24), &diagnosis)
                }
            }
            try #require(status == POISE_OK, "\(lastError)")
            return (diagnosis, (0..<3).map { [columns[$0], columns[$0 + 3]] })
        }
        let (found, columns) = try diagnose(Self.problem())
        #expect(found.is_infeasible == 1)
        #expect(found.violated_count == 1)
        #expect((found.total_violation - 1).magnitude < 1e-9)
        #expect((found.worst_violation - 1).magnitude < 1e-9)
        #expect(found.first_band == 0)
        #expect((found.first_price + 1).magnitude < 1e-9)
        #expect(found.least_cash.isNaN)
        #expect(found.gap <= 1e-9)
        #expect((columns[0][0] + 10).magnitude < 1e-7)
        #expect((columns[0][1] + 3).magnitude < 1e-7)
        #expect((columns[1][0] - 1).magnitude < 1e-7)
        #expect(columns[1][1] == 0)
        let own = try #require(try HedgeSolver().diagnose(Self.problem()))
        #expect(sameBits(columns[0], own.trades))
        #expect(sameBits(columns[1], own.violations))
        #expect(sameBits(columns[2], own.bandPrices))

        let (none, zeros) = try diagnose(Self.problem(maximum: 100))
        #expect(none.is_infeasible == 0)
        #expect(none.first_band == -1)
        #expect(sameBits(zeros.joined(), [0, 0, 0, 0, 0, 0]))
    }

    /// A live desk whose candidates may trade nothing: its bands stay outside, and the nearest trades are none.
    @Test("A desk whose candidates may trade nothing is told that its bands stay outside")
    func diagnosisOfALiveDesk() throws {
        let engine = try makeEngine()
        let (chain, positions, limits) = (try makeChain(), try makePositions(), try makeLimits())
        let live = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
        }
        let candidates = poise_live_candidate_count(live.pointer, 0)
        #expect(poise_live_set_minimum_trade(live.pointer, 0, 0, -1) == POISE_ERROR_VALUE)
        #expect(poise_live_set_minimum_trade(live.pointer, 0, candidates, 1) == POISE_ERROR_ARGUMENT)
        for candidate in 0..<candidates {
            var none = poise_hedge_instrument()
            none.cost_buy = 1
            none.cost_sell = 1
            #expect(poise_live_set_candidate(live.pointer, 0, candidate, &none) == POISE_OK)
            #expect(poise_live_set_minimum_trade(live.pointer, 0, candidate, 0) == POISE_OK)
        }
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        #expect(poise_live_decide(live.pointer, 0, &result) == POISE_OK)
        #expect(result.outcome == POISE_HEDGE_INFEASIBLE)
        var diagnosis = poise_hedge_diagnosis()
        diagnosis.size = MemoryLayout<poise_hedge_diagnosis>.stride
        let bands = poise_live_band_count(live.pointer, 0)
        var violations = [Double](repeating: .nan, count: bands)
        let status = violations.withUnsafeMutableBufferPointer {
            poise_live_diagnose(
                live.pointer, 0, poise_column(), poise_column(data: $0.baseAddress, stride: 0),
                poise_column(), &diagnosis)
        }
        #expect(status == POISE_OK, "\(lastError)")
        let outside = violations.map(\.magnitude)
        #expect(Int(diagnosis.violated_count) == outside.count { $0 > 0 })
        #expect(diagnosis.violated_count > 0)
        #expect((outside.reduce(0, +) - diagnosis.total_violation).magnitude < 1e-7)
        #expect((outside.max()! - diagnosis.worst_violation).magnitude < 1e-7)
        #expect(
            poise_live_diagnose(live.pointer, 9, poise_column(), poise_column(), poise_column(), &diagnosis)
                == POISE_ERROR_ARGUMENT)
    }

    @Test("Groups by desk, tenor and moneyness are those of Swift, with its bits")
    func buckets() throws {
        let engine = try makeEngine()
        let (chain, positions) = (try makeChain(), try makePositions())
        var options = poise_exposure_options()
        options.size = MemoryLayout<poise_exposure_options>.stride
        options.grouping_count = 3
        options.groupings = (POISE_BY_DESK, POISE_BY_TENOR, POISE_BY_MONEYNESS, POISE_BY_BOOK)
        #expect(
            poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, &options, Self.spare)
                == POISE_ERROR_ARGUMENT)
        let days = [10.0, 100]
        var badRows = BadRows(skip: false)
        let swiftChain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let valuation = try BookValuation(
            try PositionTable(try Source(path: sample("positions.csv")), &badRows), in: swiftChain, &badRows)
        let desks = ["book-01": "one", "book-02": "two", "book-03": "one"]
        let plan = ExposurePlan(
            valuation.positions, contracts: valuation.contracts, by: [.desk, .tenor, .moneyness],
            try ExposureBuckets(tenorDays: days, valuation.greeks.tickers, deskOfBook: desks))
        let figures = UnitExposures(count: valuation.contracts.count)
        let expected = Exposures(plan)
        let swiftEngine = try GreeksEngine()
        valuation.greeks.compute(swiftEngine)
        figures.update(from: valuation.greeks, in: .usd)
        plan.aggregate(figures, into: expected, swiftEngine)

        let names = desks.keys.sorted()
        let bytes = names.joined() + names.map { desks[$0]! }.joined()
        let bookOffsets = (0...3).map { Int32(7 * $0) }
        let deskOffsets = (0...3).map { Int32(21 + 3 * $0) }
        let made = try days.withUnsafeBufferPointer { days in
            try bookOffsets.withUnsafeBufferPointer { bookOffsets in
                try deskOffsets.withUnsafeBufferPointer { deskOffsets in
                    try bytes.withCString { bytes in
                        var buckets = poise_buckets()
                        buckets.size = MemoryLayout<poise_buckets>.stride
                        buckets.tenor_days = days.baseAddress
                        buckets.tenor_count = 2
                        buckets.desk_count = 3
                        buckets.book.bytes = bytes
                        buckets.book.offsets32 = bookOffsets.baseAddress
                        buckets.desk.bytes = bytes
                        buckets.desk.offsets32 = deskOffsets.baseAddress
                        let made = try Handle(poise_exposures_free) {
                            poise_exposures_create_in_buckets(
                                engine.pointer, chain.pointer, positions.pointer, &options, &buckets, $0)
                        }
                        // A book has one desk.
                        buckets.book.offsets32 = nil
                        buckets.book.bytes = nil
                        let twice: [UnsafePointer<CChar>?] = [bytes, bytes, bytes]
                        twice.withUnsafeBufferPointer {
                            buckets.book.strings = $0.baseAddress
                            #expect(
                                poise_exposures_create_in_buckets(
                                    engine.pointer, chain.pointer, positions.pointer, &options, &buckets,
                                    Self.spare) == POISE_ERROR_VALUE)
                        }
                        #expect(poise_last_error_row() == 1)
                        #expect(lastField == "book")
                        buckets.desk_count = 0
                        buckets.tenor_count = 2
                        return [5.0, 5].withUnsafeBufferPointer {
                            buckets.tenor_days = $0.baseAddress
                            #expect(
                                poise_exposures_create_in_buckets(
                                    engine.pointer, chain.pointer, positions.pointer, &options, &buckets,
                                    Self.spare) == POISE_ERROR_VALUE)
                            #expect(lastField == "tenor_days")
                            return made
                        }
                    }
                }
            }
        }
        #expect(poise_exposures_count(made.pointer) == plan.groups.count)
        #expect(plan.groups.count > 10)
        var values = [Double](repeating: 0, count: plan.groups.count)
        for greek in ExposureGreek.allCases {
            let status = values.withUnsafeMutableBufferPointer {
                poise_exposures_values(
                    made.pointer, poise_exposure(UInt32(greek.rawValue)),
                    poise_column(data: $0.baseAddress, stride: 0))
            }
            #expect(status == POISE_OK)
            #expect(sameBits(values, plan.groups.indices.map { expected[$0, greek] }))
        }
        for (group, labels) in plan.groups.enumerated() {
            for (grouping, label) in labels.enumerated() {
                let shown = try #require(poise_exposures_label(made.pointer, group, grouping))
                #expect(String(cString: shown) == label)
            }
        }
    }

    /// Where a call that is to fail would put its handle.
    nonisolated(unsafe) private static let spare = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: 1)
}
