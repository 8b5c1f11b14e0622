import CPoise
import Foundation
import Poise
import Testing

/// Every field of an options struct does what its description says, by value.
@Suite struct OptionTests {
    /// The first hedge of the sample's desk.
    private struct Answer {
        var trades: [Double]
        var result: poise_hedge_result
    }

    /// Relaxations that a search over lots may solve here: the whole of one takes minutes.
    private static let nodes = 60

    private static func answer(_ set: (inout poise_live_options) -> Void) throws -> Answer {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let limits = try makeLimits()
        var options = poise_live_options()
        options.size = MemoryLayout<poise_live_options>.stride
        set(&options)
        let desk = try Handle(poise_live_free) {
            poise_live_create(
                engine.pointer, chain.pointer, positions.pointer, limits.pointer, &options, $0)
        }
        var search = poise_hedge_search()
        search.size = MemoryLayout<poise_hedge_search>.stride
        search.node_limit = UInt64(nodes)
        try #require(poise_live_set_search(desk.pointer, 0, &search) == POISE_OK, "\(lastError)")
        var result = poise_hedge_result()
        result.size = MemoryLayout<poise_hedge_result>.stride
        try #require(poise_live_decide(desk.pointer, 0, &result) == POISE_OK, "\(lastError)")
        var trades = [Double](repeating: .nan, count: poise_live_candidate_count(desk.pointer, 0))
        let status = trades.withUnsafeMutableBufferPointer {
            poise_live_trades(desk.pointer, 0, poise_column(data: $0.baseAddress, stride: 0))
        }
        try #require(status == POISE_OK, "\(lastError)")
        return Answer(trades: trades, result: result)
    }

    private static func swiftHedge(_ options: BookHedge.Options) throws -> LiveHedge {
        var badRows = BadRows(skip: false)
        let (_, hedges) = try LiveHedge.all(
            try PositionTable(try Source(path: sample("positions.csv")), &badRows),
            in: try Chain(try Source(path: sample("chain.csv")), &badRows),
            try LimitTable(try Source(path: sample("limits.csv")), &badRows), options, try GreeksEngine(),
            &badRows)
        let hedge = hedges[0]
        hedge.search.nodeLimit = nodes
        _ = try hedge.decide()
        return hedge
    }

    /// Fields of poise_live_options beside what they are in Swift.
    private static let fields:
        [(
            name: String, c: @Sendable (inout poise_live_options) -> Void,
            swift: @Sendable (inout BookHedge.Options) -> Void
        )] = [
            ("nothing", { _ in }, { _ in }),
            (
                "holding_days, funding_rate",
                {
                    $0.holding_days = 3
                    $0.funding_rate = -2e-4
                }, { $0.holding = HedgeCandidate.Holding(horizon: 3, funding: -2e-4) }
            ),
            ("cash_budget", { $0.cash_budget = -8_000 }, { $0.cashBudget = -8_000 }),
            ("cash_budget, larger", { $0.cash_budget = -20_000 }, { $0.cashBudget = -20_000 }),
            ("uses_lots", { $0.uses_lots = 1 }, { $0.usesLots = true }),
        ]

    @Test(
        "Each field of poise_live_options changes the trades, to those of the same option in Swift",
        arguments: fields.indices)
    func liveOptions(_ index: Int) throws {
        let field = Self.fields[index]
        let answer = try Self.answer(field.c)
        var options = BookHedge.Options()
        field.swift(&options)
        let expected = try Self.swiftHedge(options)
        // A search over lots may end at its node limit: the best trades found, with their gap.
        let isStopped = expected.solution.status == .budget
        #expect(isStopped ? options.usesLots : expected.solution.status == .optimal)
        #expect(answer.result.outcome == (isStopped ? POISE_HEDGE_BUDGET : POISE_HEDGE_OPTIMAL))
        #expect(sameBits(answer.trades, expected.solution.trades))
        #expect(answer.trades.contains { $0 != 0 })
        if index > 0 { #expect(!sameBits(answer.trades, try Self.answer { _ in }.trades)) }
    }

    @Test(
        "Trades spend at most the cash budget, and bring in what it says where it is negative",
        arguments: [-500, -5_000, -20_000])
    func cashBudgets(_ shortfall: Double) throws {
        // Cash for a unit of each candidate, beside the linear cost.
        let cash = try Self.swiftHedge(BookHedge.Options()).problem.instruments.map(\.cash)
        func spent(_ answer: Answer) -> Double {
            zip(cash, answer.trades).reduce(answer.result.linear_cost) { $0 + $1.0 * $1.1 }
        }
        func total(_ result: poise_hedge_result) -> Double {
            result.linear_cost + result.impact_cost + result.fixed_cost + result.penalty_cost
                + result.risk_cost
        }
        let free = try Self.answer { _ in }
        // As much less than what they bring in unless told.
        let budget = spent(free) + shortfall
        let bound = try Self.answer { $0.cash_budget = budget }
        #expect(budget < 0)
        #expect((spent(bound) - budget).magnitude <= 1e-6 * budget.magnitude)
        #expect(bound.result.outcome == POISE_HEDGE_OPTIMAL)
        #expect(bound.result.cash_price < 0 && free.result.cash_price == 0)
        // Of all that is paid for: trades that cost less may leave more risk, or more penalty.
        #expect(total(bound.result) > total(free.result))
    }

    @Test("With uses_lots all quantities are whole contract sizes")
    func lots() throws {
        var options = BookHedge.Options()
        options.usesLots = true
        let lots = try Self.swiftHedge(options).problem.instruments.map(\.lot)
        let answer = try Self.answer { $0.uses_lots = 1 }
        for (trade, lot) in zip(answer.trades, lots) {
            #expect(lot > 0)
            #expect((trade / lot - (trade / lot).rounded()).magnitude < 1e-9)
        }
    }

    @Test(
        "A budget in money, a horizon or a rate that is no number is refused by name and value",
        arguments: ["holding_days", "funding_rate", "cash_budget"])
    func refusals(_ field: String) throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        for value in field == "holding_days" ? [-1, .infinity, .nan] : [Double.nan] {
            var options = poise_live_options()
            options.size = MemoryLayout<poise_live_options>.stride
            switch field {
            case "holding_days": options.holding_days = value
            case "funding_rate": options.funding_rate = value
            default: options.cash_budget = value
            }
            var made: OpaquePointer?
            #expect(
                poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, &options, &made)
                    == POISE_ERROR_ARGUMENT)
            #expect(made == nil && lastField == field)
            #expect(LastError.now.text == "\(value)")
        }
    }
}
