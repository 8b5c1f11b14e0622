import Foundation
import Hedging
import Risk
import Testing

/// What live hedges may count beside bands: variance, margin, a venue's requirement.
struct LiveTermTests {
    /// Two coins, of which 2,000 dollars each are held.
    static func hedge(_ limits: String = "underlying,greek,low,high\n*,delta,-5000,5000\n") throws
        -> LiveHedge
    {
        try #require(try LiveHedgeEdgeTests.live(limits).1.first)
    }

    static func variance(aversion: Double) -> LiveVariance {
        // Daily volatilities of 2% and 3%, half correlated; named in another order than the problem's.
        LiveVariance(
            underlyings: ["ETH", "BTC"], covariance: [9e-4, 3e-4, 3e-4, 4e-4], riskAversion: aversion)
    }

    @Test("The variance that is left is worth its price: slopes of cost and variance meet at the trades")
    func stationary() throws {
        let hedge = try Self.hedge()
        try hedge.setVariance(Self.variance(aversion: 0.01))
        #expect(try hedge.decide() == .withinLimits)
        #expect(try hedge.rebalance() == .optimal)
        let (problem, trades) = (hedge.problem, hedge.solution.trades)
        #expect(problem.underlyings == ["BTC", "ETH"])
        let covariance = [[4e-4, 3e-4], [3e-4, 9e-4]]
        // By hand: a coin of each is worth 1,000 and 100 dollars.
        let unit = [1000.0, 100]
        let left = [2000 + unit[0] * trades[0], 2000 + unit[1] * trades[1]]
        var cost = 0.0
        for i in 0..<2 {
            #expect(trades[i] < -1e-3)
            let slope = 2 * 0.01 * unit[i] * (covariance[i][0] * left[0] + covariance[i][1] * left[1])
            // Selling costs what the last unit of variance is worth, the impact of its own included.
            let marginal = problem.instruments[i].costSell - 2 * problem.instruments[i].impact * trades[i]
            #expect(abs(slope - marginal) < 1e-7, "\(i): \(slope), \(marginal)")
            cost += problem.instruments[i].costSell * -trades[i]
            cost += problem.instruments[i].impact * trades[i] * trades[i]
            for j in 0..<2 { cost += 0.01 * left[i] * covariance[i][j] * left[j] }
        }
        #expect(abs(hedge.solution.cost.total - cost) < 1e-9)
        #expect(hedge.solution.certificate.gap <= 1e-9)
    }

    @Test("A coin that cannot be traded is hedged by what moves with it, as deltas follow fills and prices")
    func proxy() throws {
        let hedge = try Self.hedge()
        hedge.choose(
            {
                var rule = CandidateRule()
                rule.names = ["BTC_USDC-PERPETUAL"]
                return rule
            }())
        try hedge.setVariance(Self.variance(aversion: 0.01))
        func expected(_ bitcoin: Double, _ ether: Double, price: Double) throws -> Double {
            // 4e-4 d + 3e-4 e = c/(2 λ p) at the trades, by which d is p x more; without impact.
            let cost = hedge.problem.instruments[0].costSell
            #expect(hedge.problem.instruments[0].impact == 0)
            return ((cost / (0.02 * price) - 3e-4 * ether) / 4e-4 - bitcoin) / price
        }
        #expect(try hedge.rebalance() == .optimal)
        var own = try expected(2000, 2000, price: 1000)
        #expect(abs(hedge.solution.trades[0] - own) < 1e-9)
        try hedge.risk.fill(
            book: "b", contract: try #require(hedge.risk.index(of: "ETH_USDC-PERPETUAL")), quantity: -10)
        let coin = try #require(hedge.risk.underlyings.firstIndex(of: "BTC"))
        try hedge.risk.tick(coin, price: 2000)
        #expect(try hedge.rebalance() == .optimal)
        own = try expected(4000, 1000, price: 2000)
        #expect(abs(hedge.solution.trades[0] - own) < 1e-9)
        try hedge.setVariance(nil)
        #expect(try hedge.rebalance() == .optimal && hedge.problem.risk == nil)
        #expect(hedge.solution.trades == [0])
    }

    @Test("Net deltas count where they are asked for")
    func netDelta() throws {
        let hedge = try Self.hedge()
        var variance = Self.variance(aversion: 1)
        variance.exposure = .netDelta
        try hedge.setVariance(variance)
        hedge.refresh()
        let book = try #require(hedge.risk.plan.groups.firstIndex { $0.contains("BTC") })
        _ = try hedge.rebalance()
        #expect(hedge.problem.risk?.dollarDelta[0] == hedge.risk.exposures[book, .netDelta])
        variance.exposure = .gamma
        #expect(throws: HedgeError.self) { try hedge.setVariance(variance) }
    }

    @Test(
        "A variance that is none is refused by name, and the one before stays",
        arguments: [
            (["BTC", "BTC"], [1, 0, 0, 1], 1, "risk.underlyings[1]"), (["BTC"], [1, 0, 0, 1], 1, "risk.cov"),
            ([], [], 1, "risk.cov"), (["BTC"], [.nan], 1, "risk.cov[0][0]"), (["BTC"], [1], -1, "risk.lam"),
            (["BTC", "ETH"], [1, 0.5, 0.4, 1], 1, "risk.cov"),
            (["BTC", "ETH"], [1, 2, 2, 1], 1, "risk.cov"),
        ] as [([String], [Double], Double, String)])
    func refusals(_ names: [String], _ covariance: [Double], _ aversion: Double, _ field: String) throws {
        let hedge = try Self.hedge()
        let good = Self.variance(aversion: 1)
        try hedge.setVariance(good)
        let error = #expect(throws: HedgeError.self) {
            try hedge.setVariance(
                LiveVariance(underlyings: names, covariance: covariance, riskAversion: aversion))
        }
        #expect(error?.field == field)
        _ = try hedge.rebalance()
        #expect(hedge.problem.risk?.covariance == [4e-4, 3e-4, 3e-4, 9e-4])
    }

    @Test("Trades take up no more margin than there is")
    func margin() throws {
        let hedge = try Self.hedge("underlying,greek,low,high,penalty\nBTC,delta,-500,500,1\n")
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect(abs(hedge.solution.trades[0] + 1.5) < 1e-9)
        try hedge.setMargin(50, ofCandidate: 0)
        hedge.setMarginLimit(40)
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect(abs(hedge.solution.trades[0] + 0.8) < 1e-9 && hedge.solution.marginPrice < 0)
        // It lasts while candidates are numbered anew.
        hedge.choose(CandidateRule())
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect(abs(hedge.solution.trades[0] + 0.8) < 1e-9)
        hedge.setMarginLimit(.infinity)
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect(abs(hedge.solution.trades[0] + 1.5) < 1e-9)
        #expect(throws: RiskError.self) { try hedge.setMargin(-1, ofCandidate: 0) }
    }

    @Test(
        "A venue's requirement limits live trades, or has its price, and is asked for anew at each decision")
    func requirement() throws {
        let hedge = try Self.hedge("underlying,greek,low,high,penalty\nBTC,delta,-500,500,1\n")
        var asked = 0
        var terms = RequirementTerms(balanceAtLeast: 60)
        // 100 are there; 50 of them are taken up by a coin, bought or sold: trades of 0.8 leave 60 less their cost.
        hedge.setRequirement { hedge throws(HedgeError) in
            asked += 1
            var requirement = ConvexRequirement(instrumentCount: hedge.candidates.count)
            requirement.funds = 100
            let first = requirement.addLine(0, [(instrument: 0, coefficient: 50)])
            let last = requirement.addLine(0, [(instrument: 0, coefficient: -50)])
            let kink = requirement.addKink(first..<last + 1)
            let base = requirement.addLine(0, [])
            requirement.setBase(line: base, [ConvexRequirement.Part(kink: kink, weight: 1)])
            return LiveHedgeRequirement(requirement, terms)
        }
        #expect(try hedge.decide() == .hedge(.optimal))
        let unit = hedge.problem.instruments[0].costSell
        #expect(abs(hedge.solution.trades[0] + 40 / (50 + unit)) < 1e-6)
        #expect(abs(try #require(hedge.requirementAnswer).balance - 60) < 1e-6)
        // At a price above what a coin's delta outside costs, 1,000 dollars of penalty, nothing is traded; below it, all is.
        for (price, trade) in [(20.1, 0.0), (19.9, -1.5)] {
            terms = RequirementTerms(price: price - unit / 50)
            #expect(try hedge.decide() == .hedge(.optimal))
            #expect(abs(hedge.solution.trades[0] - trade) < 1e-6, "\(price)")
        }
        #expect(asked == 3)
        hedge.setRequirement(nil)
        #expect(try hedge.decide() == .hedge(.optimal) && hedge.requirementAnswer == nil)
        #expect(abs(hedge.solution.trades[0] + 1.5) < 1e-9)
    }
}
