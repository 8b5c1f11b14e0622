import Hedging
import Testing

/// What holds where an argument is left out.
struct DefaultTests {
    @Test(
        "What an instrument, its rates, a holding, a search and terms of a margin leave out",
        arguments: [
            (
                "\(HedgeInstrument(costBuy: 2, costSell: 3, maximumBuy: 4, maximumSell: 5))",
                "HedgeInstrument(underlying: 0, costBuy: 2.0, costSell: 3.0, impact: 0.0, fixedCost: 0.0, lot: 0.0, minimum: 0.0, maximumBuy: 4.0, maximumSell: 5.0, margin: 0.0, cash: 0.0)"
            ),
            (
                "\(VenueCosts.Rates(fee: 2))",
                "Rates(fee: 2.0, feeCap: inf, halfSpread: 0.0, depth: 0.0, ticket: 0.0, minimum: 0.0)"
            ),
            ("\(HedgeCandidate.Holding())", "Holding(horizon: 0.0, funding: 0.0)"),
            ("\(HedgeSearch())", "HedgeSearch(nodeLimit: 100000, timeLimit: inf, gap: 1e-09)"),
            ("\(RequirementTerms())", "RequirementTerms(balanceAtLeast: -inf, price: 0.0)"),
            (
                "\(HedgeBand(hard: -2, 3, current: 1))",
                "HedgeBand(current: 1.0, low: -2.0, high: 3.0, isHard: true, penalty: 0.0, penaltyQuadratic: 0.0, entries: Range(0..<0))"
            ),
            (
                "\(HedgeBand(soft: -2, 3, current: 1, penalty: 5))",
                "HedgeBand(current: 1.0, low: -2.0, high: 3.0, isHard: false, penalty: 5.0, penaltyQuadratic: 0.0, entries: Range(0..<0))"
            ),
            ("\(CostCurve.Level(upTo: 2, price: 3))", "Level(upTo: 2.0, price: 3.0, quadratic: 0.0)"),
        ])
    func leftOut(_ value: String, _ expected: String) { #expect(value == expected) }

    @Test("A problem of names alone has no limit, no risk, no levels, and its budget counts linear costs")
    func problem() {
        let problem = HedgeProblem(underlyings: ["X"])
        #expect(problem.name.isEmpty && problem.marginLimit == .infinity && problem.cashBudget == .infinity)
        #expect(problem.risk == nil && problem.curves.isEmpty && !problem.budgetCountsAllCosts)
        #expect(problem.instruments.isEmpty && problem.bands.isEmpty)
    }

    @Test("A hedge of a book without options takes any amount, one impact and any cash")
    func book() {
        let options = BookHedge.Options()
        #expect(!options.usesLots && !options.walksLevels && options.cashBudget == .infinity)
        #expect(options.holding.horizon == 0 && options.holding.funding == 0)
    }
}
