import CPoise
import Poise
import Testing

/// Every field of a hedge problem does what its description says: one instrument, one band, answers worked by hand.
@Suite struct HedgeFieldTests {
    /// A field, what it is set to, and the answer by hand; `cost` is one of the result's costs.
    private struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var current = 40.0
        var instrument: @Sendable (inout HedgeInstrument) -> Void = { _ in }
        var band: @Sendable (inout HedgeBand) -> Void = { _ in }
        var problem: @Sendable (inout HedgeProblem) -> Void = { _ in }
        /// Nil: infeasible.
        let trade: Double?
        var cost: (@Sendable (poise_hedge_result) -> Double, Double)?
    }

    private static let rows: [Row] = [
        Row(
            testDescription: "current, low, high: an exposure of 40 comes down to 10", trade: -30,
            cost: ({ $0.linear_cost }, 0.3)),
        Row(
            testDescription: "current, low, high: one of -40 rises to -10", current: -40, trade: 30,
            cost: ({ $0.linear_cost }, 0.3)),
        Row(
            testDescription: "cost_sell: per unit sold", instrument: { $0.costSell = 2 }, trade: -30,
            cost: ({ $0.linear_cost }, 60)),
        Row(
            testDescription: "cost_buy: per unit bought", current: -40, instrument: { $0.costBuy = 3 },
            trade: 30, cost: ({ $0.linear_cost }, 90)),
        Row(
            testDescription: "cost_buy: nothing for a sale", instrument: { $0.costBuy = 3 }, trade: -30,
            cost: ({ $0.linear_cost }, 0.3)),
        Row(
            testDescription: "impact: per squared unit", instrument: { $0.impact = 0.01 }, trade: -30,
            cost: ({ $0.impact_cost }, 9)),
        Row(
            testDescription: "fixed_cost: per trade", instrument: { $0.fixedCost = 7 }, trade: -30,
            cost: ({ $0.fixed_cost }, 7)),
        Row(
            testDescription: "lot: whole multiples", instrument: { ($0.lot, $0.costSell) = (4, 1) },
            trade: -32, cost: ({ $0.linear_cost }, 32)),
        Row(
            testDescription: "minimum_trade: at least that much",
            instrument: { ($0.minimum, $0.costSell) = (35, 1) }, trade: -35, cost: ({ $0.linear_cost }, 35)),
        Row(testDescription: "maximum_sell: at most", instrument: { $0.maximumSell = 29 }, trade: nil),
        Row(
            testDescription: "maximum_buy: at most", current: -40, instrument: { $0.maximumBuy = 29 },
            trade: nil),
        Row(
            testDescription: "maximum_buy: does not limit a sale", instrument: { $0.maximumBuy = 0 },
            trade: -30),
        Row(
            testDescription: "margin, margin_limit: 60 are needed, 59 there", instrument: { $0.margin = 2 },
            problem: { $0.marginLimit = 59 }, trade: nil),
        Row(
            testDescription: "margin, margin_limit: 60 are enough",
            instrument: { ($0.margin, $0.costSell) = (2, 1) }, problem: { $0.marginLimit = 60 }, trade: -30,
            cost: ({ $0.linear_cost }, 30)),
        Row(
            testDescription: "cash, cash_budget: buying 30 at 2 is more than 59", current: -40,
            instrument: { $0.cash = 2 }, problem: { $0.cashBudget = 59 }, trade: nil),
        Row(
            testDescription: "cash, cash_budget: below 0 has to be raised by selling more",
            instrument: { ($0.cash, $0.impact, $0.costSell) = (1, 0.01, 0) }, band: { $0.low = -100 },
            problem: { $0.cashBudget = -40 }, trade: -40, cost: ({ $0.impact_cost }, 16)),
        Row(
            testDescription: "penalty: cheaper than trading", instrument: { $0.costSell = 1 },
            band: { $0 = HedgeBand(soft: -10, 10, current: 40, penalty: 0.5) }, trade: 0,
            cost: ({ $0.penalty_cost }, 15)),
        Row(
            testDescription: "penalty: dearer than trading", instrument: { $0.costSell = 1 },
            band: { $0 = HedgeBand(soft: -10, 10, current: 40, penalty: 2) }, trade: -30,
            cost: ({ $0.penalty_cost }, 0)),
        Row(
            testDescription: "penalty_quadratic: half a unit's square is left, at a cost of 1 per unit",
            instrument: { $0.costSell = 1 },
            band: { $0 = HedgeBand(soft: -10, 10, current: 40, penalty: 0, penaltyQuadratic: 1) }, trade: -29,
            cost: ({ $0.penalty_cost }, 0.5)),
    ]

    /// Fields that this suite has claims about, as `EveryFieldTests` counts them: those of the rows, and of the tests below.
    static let fieldNames: [String] = {
        let structs = [
            "hedge_instrument": [
                "underlying", "cost_buy", "cost_sell", "impact", "fixed_cost", "lot", "maximum_buy",
                "maximum_sell",
                "margin", "cash",
            ],
            "hedge_band": ["current", "low", "high", "penalty", "penalty_quadratic"],
            "hedge_problem": ["margin_limit", "cash_budget", "minimum_trade"],
        ]
        let described = Set(
            rows.flatMap { $0.testDescription.prefix { $0 != ":" }.components(separatedBy: ", ") })
        return structs.flatMap { name, fields in
            fields.filter { described.contains($0) }.map { "\(name).\($0)" }
        } + ["risk_aversion", "covariance", "dollar_delta", "exposure"].map { "hedge_problem.\($0)" }
            + ["hedger_options.node_limit", "hedger_options.gap"]
            + ["linear_cost", "impact_cost", "fixed_cost", "penalty_cost", "risk_cost"].map {
                "hedge_result.\($0)"
            }
            + shape
    }()

    /// What a problem is made of; `entries` says it by value.
    private static let shape =
        [
            "size", "underlying_count", "instrument_count", "band_count", "entry_count", "instruments",
            "bands", "entries",
        ]
        .map { "hedge_problem.\($0)" }
        + [
            "hedge_entry.instrument", "hedge_entry.coefficient", "hedge_band.first_entry",
            "hedge_band.entry_count",
        ]
        + ["hedge_instrument.underlying"]

    @Test(
        "Counts and entries say which instruments move which band by how much, and underlyings which risk they bear"
    )
    func entries() throws {
        // Band 0 has the second instrument alone at half a unit: 60 of it bring −40 to −10. Band 1 has both: 100 − 60 − 30
        // = 10, where buying 30 more of the second would cost twice as much.
        var problem = HedgeProblem(underlyings: ["a", "b"])
        for underlying in [0, 1] {
            problem.add(
                "",
                HedgeInstrument(
                    underlying: underlying, costBuy: underlying == 0 ? 0.01 : 0.02, costSell: 0.01,
                    maximumBuy: 1_000, maximumSell: 1_000))
        }
        problem.add(
            "", HedgeBand(hard: -10, 10, current: -40), coefficients: [(instrument: 1, coefficient: 0.5)])
        problem.add(
            "", HedgeBand(hard: -10, 10, current: 100),
            coefficients: [(instrument: 0, coefficient: 1), (instrument: 1, coefficient: -1)])
        let (result, trade) = try Self.solve(problem)
        #expect(result.outcome == POISE_HEDGE_OPTIMAL && (trade + 30).magnitude < 1e-6, "\(trade)")
        #expect((result.linear_cost - 1.5).magnitude < 1e-6)
        // Fewer bands, with as many entries as are left.
        let (one, none) = try Self.solve(problem) { ($0.band_count, $0.entry_count) = (1, 1) }
        #expect(none == 0 && (one.linear_cost - 1.2).magnitude < 1e-6)
        // The risk of the first underlying is dear, that of the second costs nothing: the first instrument sells it off.
        let risk = try withPointers([[1, 0, 0, 0], [20, 20], [1, 1]]) { pointers in
            try Self.solve(problem) {
                ($0.band_count, $0.entry_count, $0.risk_aversion) = (1, 1, 1)
                ($0.covariance, $0.dollar_delta, $0.exposure) = (pointers[0], pointers[1], pointers[2])
            }
        }
        #expect((risk.1 + 19.995).magnitude < 1e-6, "\(risk.1)")
        // Another size is refused, but for the one of before the smallest trades.
        var refused = poise_hedge_result()
        refused.size = MemoryLayout<poise_hedge_result>.stride
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var trades = [0.0, 0]
        let status = trades.withUnsafeMutableBufferPointer { trades in
            HedgerTests.withC(problem, size: 16) {
                poise_hedger_solve(
                    hedger.pointer, $0, POISE_HEDGE_COLD, poise_column(data: trades.baseAddress, stride: 0),
                    poise_column(), &refused)
            }
        }
        #expect(status == POISE_ERROR_SIZE)
    }

    @Test("A field of a hedge problem does what its description says, by value", arguments: rows.indices)
    func fields(_ index: Int) throws {
        let row = Self.rows[index]
        var instrument = HedgeInstrument(
            costBuy: 0.01, costSell: 0.01, maximumBuy: 1_000, maximumSell: 1_000)
        row.instrument(&instrument)
        var band = HedgeBand(hard: -10, 10, current: row.current)
        row.band(&band)
        var problem = HedgeProblem(underlyings: ["a"])
        row.problem(&problem)
        problem.add("", instrument)
        problem.add("", band, coefficients: [(instrument: 0, coefficient: 1)])
        let (result, trade) = try Self.solve(problem)
        #expect(
            result.outcome == (row.trade == nil ? POISE_HEDGE_INFEASIBLE : POISE_HEDGE_OPTIMAL),
            "\(row.testDescription)")
        #expect((trade - (row.trade ?? 0)).magnitude < 1e-6, "\(row.testDescription)")
        if let (cost, value) = row.cost {
            #expect((cost(result) - value).magnitude < 1e-6, "\(row.testDescription)")
        }
    }

    @Test(
        "risk_aversion, covariance, dollar_delta, exposure: λ d² σ² against a cost per unit, by its derivative"
    )
    func risk() throws {
        var problem = HedgeProblem(underlyings: ["a"])
        problem.add("", HedgeInstrument(costBuy: 1, costSell: 1, maximumBuy: 100, maximumSell: 100))
        problem.add(
            "", HedgeBand(hard: -1e6, 1e6, current: 0), coefficients: [(instrument: 0, coefficient: 1)])
        // 2 λ σ² (100 − 2 y) · 2 = 1 with λ = 0.1, σ² = 0.04: y = 18.75.
        let (covariance, delta, exposure) = ([0.04], [100.0], [2.0])
        let (result, trade) = try withPointers([covariance, delta, exposure]) { risk in
            try Self.solve(problem) {
                $0.risk_aversion = 0.1
                $0.covariance = risk[0]
                $0.dollar_delta = risk[1]
                $0.exposure = risk[2]
            }
        }
        #expect(result.outcome == POISE_HEDGE_OPTIMAL)
        #expect((trade + 18.75).magnitude < 1e-6)
        #expect((result.risk_cost - 0.1 * 0.04 * 62.5 * 62.5).magnitude < 1e-6)
        #expect((result.linear_cost - 18.75).magnitude < 1e-6)
    }

    @Test("gap and node_limit of poise_hedger_options end a search early, and the answer says how good it is")
    func searches() throws {
        // Lots that do not fit: the cheapest of many combinations has to be searched for.
        var problem = HedgeProblem(underlyings: ["a"])
        let lots = [7.0, 11, 13, 17, 19, 23]
        for (number, lot) in lots.enumerated() {
            problem.add(
                "\(number)",
                HedgeInstrument(
                    costBuy: 1 + Double(number % 3) / 7, costSell: 1 + Double(number % 3) / 7, fixedCost: 3,
                    lot: lot, maximumBuy: 200, maximumSell: 200))
        }
        problem.add(
            "", HedgeBand(hard: -0.5, 0.5, current: 997), coefficients: lots.indices.map { ($0, 1.0) })
        func answer(_ nodes: UInt64, _ gap: Double) throws -> poise_hedge_result {
            var options = poise_hedger_options(
                size: MemoryLayout<poise_hedger_options>.stride, node_limit: nodes, gap: gap)
            let hedger = try Handle(poise_hedger_free) { poise_hedger_create(&options, $0) }
            return try Self.solve(problem, hedger).0
        }
        let best = try answer(0, 0)
        #expect(best.outcome == POISE_HEDGE_OPTIMAL && best.gap < 1e-6)
        let total = best.linear_cost + best.fixed_cost
        let rough = try answer(0, 0.3)
        #expect(rough.gap <= 0.3 && rough.nodes <= best.nodes)
        #expect(rough.linear_cost + rough.fixed_cost <= total / (1 - 0.3) + 1e-9)
        // Before whole trades are found there are none, and nothing is claimed; later the gap bounds the least.
        var bounded = 0
        for nodes: UInt64 in [1, 3, 10, 30, 100, 300, 1000] where nodes < best.nodes {
            let stopped = try answer(nodes, 0)
            #expect(stopped.nodes <= nodes)
            #expect(stopped.outcome == POISE_HEDGE_BUDGET)
            let cost = stopped.linear_cost + stopped.fixed_cost
            if stopped.gap == .infinity {
                #expect(cost == 0)
            } else {
                #expect(cost >= total - 1e-9 && total >= cost * (1 - stopped.gap) - 1e-9)
                bounded += 1
            }
        }
        #expect(bounded > 0)
        for gap in [-1, Double.nan, .infinity] {
            var options = poise_hedger_options(
                size: MemoryLayout<poise_hedger_options>.stride, node_limit: 0, gap: gap)
            var made: OpaquePointer?
            #expect(poise_hedger_create(&options, &made) == POISE_ERROR_ARGUMENT)
            #expect(made == nil && lastField == "gap")
        }
    }

    static func solve(
        _ problem: HedgeProblem, _ hedger: Handle? = nil,
        _ set: (inout poise_hedge_problem) -> Void = { _ in }
    ) throws -> (poise_hedge_result, Double) {
        let hedger = try hedger ?? Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        var trades = problem.instruments.map { _ in Double.nan }
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        let status = trades.withUnsafeMutableBufferPointer { trades in
            HedgerTests.withC(problem) { given in
                var given = given.pointee
                set(&given)
                return poise_hedger_solve(
                    hedger.pointer, &given, POISE_HEDGE_COLD,
                    poise_column(data: trades.baseAddress, stride: 0),
                    poise_column(), &result)
            }
        }
        try #require(status == POISE_OK, "\(lastError)")
        return (result, trades[0])
    }
}
