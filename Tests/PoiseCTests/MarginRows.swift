import CPoise
import Foundation
import Poise
import Testing

/// Fields of margins and of hedges under them, by hand.
enum MarginRows {
    typealias Row = EveryFieldTests.Row

    /// Two of three perpetuals must go.
    private static let tight = ",BTC,delta,-60000,60000\n"

    /// A market that trades the perpetual alone.
    private static var desk: MarginDesk {
        var desk = MarginDesk()
        for place in 0...1 {
            (desk.market.bid[place], desk.market.ask[place]) = (.nan, place == 0 ? .nan : 70_000)
            (desk.market.bidAmount[place], desk.market.askAmount[place]) = (0, place == 0 ? 0 : 1e-6)
        }
        return desk
    }

    static let rows = figures + options + answers

    private static let figures: [Row] = [
        Row("margin_figures", "size", "another than the struct's is refused") {
            let margin = try MarginDesk().made()
            var figures = poise_margin_figures()
            #expect(poise_margin_totals(margin, &figures) == POISE_ERROR_SIZE)
        },
        Row(
            "margin_figures",
            "initial_margin, maintenance_margin, mark_to_market, initial_balance, maintenance_balance",
            "a tenth of 180,000, half of that to stay, of 20,000"
        ) {
            let found = try MarginDesk.totals(try MarginDesk().made())
            #expect(isNear(found.initial_margin, 18_000) && isNear(found.maintenance_margin, 9_000))
            #expect(isNear(found.mark_to_market, 20_000))
            #expect(isNear(found.initial_balance, 2_000) && isNear(found.maintenance_balance, 11_000))
        },
        Row(
            "margin_figures", "worst_scenario",
            "longs lose most in the fall, shorts in the rise; rates have none"
        ) {
            var desk = MarginDesk()
            let none = try MarginDesk.totals(try desk.made()).worst_scenario
            desk.model = MarginDesk.scan
            let long = try MarginDesk.totals(try desk.made()).worst_scenario
            desk.held[0].2 = -3
            let short = try MarginDesk.totals(try desk.made()).worst_scenario
            #expect(none == -1 && long == 0 && short == 2)
        },
        Row("margin_columns", "size", "another than the struct's is refused") {
            let margin = try MarginDesk().made()
            var columns = poise_margin_columns()
            columns.size = 8
            #expect(
                poise_margin_what_if(margin, 0, poise_texts(), poise_values(), &columns) == POISE_ERROR_SIZE)
        },
        Row(
            "margin_columns", "initial_margin, maintenance_margin, initial_balance, maintenance_balance",
            "one perpetual more, one less, by hand"
        ) {
            let name = "BTC_USDC-PERPETUAL"
            let found = try MarginDesk.whatIf(try MarginDesk().made(), [(name, 1), (name, -1)])
            let wanted = [[24_000.0, 12_000], [12_000, 6_000], [-4_000, 8_000], [8_000, 14_000]]
            for (found, wanted) in zip(found.joined(), wanted.joined()) { #expect(isNear(found, wanted)) }
        },
    ]

    private static let options: [Row] = [
        Row("margin_hedge_options", "size", "another than the struct's is refused") {
            try #expect(desk.refused { $0.size = 8 } == POISE_ERROR_SIZE)
        },
        Row("margin_hedge_options", "book", "the limits are that book's; one without is refused") {
            try #expect(desk.refused("b,BTC,delta,-60000,60000\n") { _ in } == POISE_ERROR_UNKNOWN_NAME)
            let found = try "b".withCString { name in
                try desk.hedge("b,BTC,delta,-60000,60000\n") { $0.book = name }
            }
            #expect(isNear(found.sold, 2, 1e-6))
            try #expect("c".withCString { name in try desk.refused(tight) { $0.book = name } } != POISE_OK)
        },
        Row(
            "margin_hedge_options", "has_buffer, buffer",
            "is left after the trades and their cost, where it is meant"
        ) {
            let alone = try desk.hedge { $0.buffer = 10_000 }
            #expect(alone.sold == 0 && isNear(alone.after.initial_balance, 2_000))
            let found = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }
            #expect((found.after.initial_balance - 10_000).magnitude < 1e-4 && found.sold > 1.3)
            try #expect(desk.refused { ($0.has_buffer, $0.buffer) = (1, .nan) } == POISE_ERROR_ARGUMENT)
        },
        Row(
            "margin_hedge_options", "price",
            "pays for trades that free more than they cost, and for no others"
        ) {
            let cheap = try desk.hedge { $0.price = 0.0001 }
            #expect(cheap.sold == 0)
            let dear = try desk.hedge { $0.price = 0.05 }
            #expect(dear.after.initial_balance > dear.before.initial_balance + 1_000)
            try #expect(desk.refused { $0.price = -1 } == POISE_ERROR_ARGUMENT)
        },
        Row(
            "margin_hedge_options", "holding_days",
            "margin is paid for each of them, for one where there are none"
        ) {
            for (days, wanted) in [(0.0, 0.18), (1, 0.18), (2, 0.36)] {
                let found = try desk.hedge { ($0.price, $0.holding_days) = (0.00001, days) }
                #expect(isNear(found.answer.margin_cost, wanted, 1e-9), "\(days)")
            }
        },
        Row("margin_hedge_options", "funding_rate", "two sold perpetuals earn it three times a day") {
            func cost(_ rate: Double) throws -> Double {
                try desk.hedge(tight) { ($0.holding_days, $0.funding_rate) = (1, rate) }.result.linear_cost
            }
            try #expect(isNear(cost(0) - cost(0.0001), 2 * 60_000 * 0.0001 * 3, 1e-6))
        },
        Row("margin_hedge_options", "cash_budget", "too little for what trading costs is infeasible") {
            let cost = try desk.hedge(tight).result.linear_cost
            try #expect(
                desk.hedge(tight) { $0.cash_budget = 0.9 * cost }.result.outcome == POISE_HEDGE_INFEASIBLE
            )
            try #expect(isNear(desk.hedge(tight) { $0.cash_budget = 2 * cost }.sold, 2, 1e-6))
        },
        Row("margin_hedge_options", "uses_lots", "whole contract sizes: thousandths of a coin") {
            let found = try desk.hedge { ($0.has_buffer, $0.buffer, $0.uses_lots) = (1, 10_000, 1) }
            let any = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }
            #expect(found.sold >= any.sold && found.sold < any.sold + 0.001)
            #expect((found.sold * 1000 - (found.sold * 1000).rounded()).magnitude < 1e-9)
            #expect(found.after.initial_balance >= 10_000 - 1e-9)
        },
        Row(
            "margin_hedge_options", "seconds, gap, node_limit",
            "what is no limit is refused; no time is no answer"
        ) {
            let found = try desk.hedge { ($0.has_buffer, $0.buffer, $0.seconds) = (1, 10_000, 1e-12) }
            #expect(found.result.outcome == POISE_HEDGE_BUDGET && found.sold == 0)
            try #expect(desk.refused { $0.seconds = -1 } == POISE_ERROR_ARGUMENT)
            try #expect(desk.refused { $0.gap = 1 } == POISE_ERROR_ARGUMENT)
            let few = try desk.hedge {
                ($0.has_buffer, $0.buffer, $0.uses_lots, $0.node_limit, $0.gap) = (1, 10_000, 1, 1, 0.5)
            }
            #expect(few.result.nodes <= 1)
        },
        Row(
            "margin_hedge_options", "is_cancelled, context",
            "ends a search as no time does; a struct may end before them"
        ) {
            var answer: Int32 = 1
            try withUnsafeMutablePointer(to: &answer) { answer in
                func hedge() throws -> MarginDesk.Hedge {
                    try desk.hedge {
                        ($0.has_buffer, $0.buffer) = (1, 10_000)
                        $0.is_cancelled = { $0?.load(as: Int32.self) ?? 0 }
                        $0.context = UnsafeMutableRawPointer(answer)
                    }
                }
                let ended = try hedge()
                #expect(ended.result.outcome == POISE_HEDGE_BUDGET && ended.sold == 0)
                answer.pointee = 0
                #expect(try hedge().result.outcome == POISE_HEDGE_OPTIMAL)
            }
            let earlier = try desk.hedge {
                $0.size = MemoryLayout<poise_margin_hedge_options>.offset(of: \.is_cancelled) ?? 0
            }
            #expect(earlier.result.outcome == POISE_HEDGE_OPTIMAL)
        },
    ]

    private static let answers: [Row] = [
        Row("margin_hedge_answer", "size", "another than the struct's is refused") {
            let hedge = try desk.hedge()
            var answer = poise_margin_hedge_answer()
            #expect(poise_margin_hedge_totals(hedge.pointer, nil, &answer) == POISE_ERROR_SIZE)
        },
        Row(
            "margin_hedge_answer", "required, overstatement, planes, problems, gap",
            "rates are convex: the optimiser takes the rule; alone there is nothing"
        ) {
            let found = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }
            #expect(isNear(found.answer.required, found.after.initial_margin, 1e-9))
            #expect(found.answer.overstatement.magnitude < 1e-6)
            #expect(found.answer.problems >= 1 && found.answer.gap <= 1e-4)
            // Short calls beside long perpetuals lose in both directions: one plane is not enough.
            var both = desk
            (both.model, both.held) = (
                MarginDesk.scan, [("b", "BTC_USDC-PERPETUAL", 3), ("a", "BTC_USDC-27MAR26-60000-C", -2)]
            )
            let short = try both.hedge { ($0.has_buffer, $0.buffer) = (1, 15_000) }.answer
            #expect(short.planes >= 1 && short.problems > short.planes - 1)
            let alone = try desk.hedge().answer
            #expect(alone.required.isNaN && alone.overstatement.isNaN && alone.gap.isNaN)
            #expect(alone.planes == 0 && alone.problems == 0)
        },
        Row(
            "margin_hedge_answer", "margin_cost, headroom_price",
            "the price times what is required; what freeing one costs"
        ) {
            let paid = try desk.hedge { $0.price = 0.0001 }.answer
            #expect(isNear(paid.margin_cost, 1.8, 1e-9))
            let found = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }
            // A perpetual sold frees 6,000 less what it costs, of which one part grows with the square.
            let marginal = (found.result.linear_cost + 2 * found.result.impact_cost) / found.sold
            #expect(isNear(found.answer.headroom_price, marginal / (6_000 - marginal), 1e-6))
        },
        Row(
            "margin_hedge_answer", "largest_headroom",
            "three sold leave all but their cost; else there is none"
        ) {
            let found = try desk.hedge { ($0.has_buffer, $0.buffer) = (1, 30_000) }
            #expect(found.result.outcome == POISE_HEDGE_INFEASIBLE && isNear(found.sold, 3, 1e-6))
            let cost = found.result.linear_cost + found.result.impact_cost
            #expect(cost > 0 && isNear(found.answer.largest_headroom, 20_000 - cost, 1e-6))
            #expect(isNear(found.after.initial_balance, found.answer.largest_headroom, 1e-6))
            try #expect(desk.hedge { ($0.has_buffer, $0.buffer) = (1, 10_000) }.answer.largest_headroom.isNaN)
        },
    ]
}
