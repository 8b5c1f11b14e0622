import Simulation
import Testing

/// What holds where an argument is left out. Values are those that the keys of settings have in docs/settings.md.
struct DefaultTests {
    @Test(
        "What a venue, contract, account or hedge leaves out",
        arguments: [
            (
                "\(OrderBookCosts())",
                "OrderBookCosts(halfSpread: 0.0, spreadWidening: 0.0, takerFee: 0.0, makerFee: 0.0, isMaker: false, linearImpact: 0.0, squareRootImpact: 0.0, depth: 1000000.0, impactHalfLifeHours: 0.0)"
            ),
            (
                "\(PoolCosts(liquidity: 7))",
                "PoolCosts(liquidity: 7.0, fee: 0.0005, gas: 0.0, gasSpike: 1.0, gasSpikeProbability: 0.0, gasSpikeReturn: inf, failureProbability: 0.0, blockSeconds: 12.0, blocks: 1.0)"
            ),
            (
                "\(VenueFailures())",
                "VenueFailures(outages: [], staleSpans: [], outagesPerYear: 0.0, outageHours: 1.0, crashReturn: inf, crashOutageProbability: 0.0, orderFailure: 0.0, partialFill: 0.0, leastFill: 0.0)"
            ),
            ("\(Venue(name: "v", costs: .pool(PoolCosts(liquidity: 7))).failures)", "\(VenueFailures())"),
            ("\(Venue(name: "v", costs: .pool(PoolCosts(liquidity: 7))).latencySeconds)", "0.0"),
            ("\(Venue(name: "v", costs: .pool(PoolCosts(liquidity: 7))).largestOrder)", "inf"),
            (
                "\(HedgeContract(kind: .linearPerpetual))",
                "HedgeContract(kind: Simulation.HedgeContract.Kind.linearPerpetual, years: 0.2465753424657534, basis: 0.0, premiumDeviation: 0.0, premiumHalfLifeHours: 8.0)"
            ),
            (
                "\(HedgeOption(name: "o", isPut: true, strike: 7, years: 2, volatility: 0.5))",
                #"HedgeOption(name: "o", isPut: true, strike: 7.0, years: 2.0, volatility: 0.5, skew: 0.0, halfSpread: 0.0, fee: 0.0, feeCap: 0.125, largestTrade: 1000000.0)"#
            ),
            (
                "\(MarginAccount(collateral: 7, maintenance: 0.5))",
                "MarginAccount(collateral: 7.0, maintenance: 0.5, optionMaintenance: 0.0, penalty: 0.005, isCrossed: false)"
            ),
            (
                "\(ReflexiveFlow(gammaPerPercent: 7, impactPerCoin: 3))",
                "ReflexiveFlow(gammaPerPercent: 7.0, impactPerCoin: 3.0, persistence: 1.0)"
            ),
            (
                "\(HedgedBook(options: []))",
                "HedgedBook(options: [], settlement: Simulation.HedgedBook.Settlement.linear, rate: 0.0, dividend: 0.0)"
            ),
            ("\(RegimeSwitching.Regime(volatility: 7))", "Regime(drift: 0.0, volatility: 7.0)"),
        ])
    func leftOut(_ value: String, _ expected: String) { #expect(value == expected) }

    @Test("What trading terms leave out is without limit, funding, margin and flow, and closes at the end")
    func terms() {
        let terms = TradingTerms(HedgeContract(kind: .linearPerpetual), venues: [])
        #expect(terms.options.isEmpty && terms.margin == nil && terms.marginModel == nil && terms.flow == nil)
        #expect(terms.closesAtEnd && terms.deltaLimit == .infinity && terms.positionLimit == .infinity)
        #expect(terms.oldestPrice == 0)
        guard case .none = terms.funding else {
            Issue.record("\(terms.funding)")
            return
        }
    }

    @Test("Paths without a drift have none, surfaces stay at their strikes between 1% and 1000%")
    func models() throws {
        let grid = try TimeGrid(steps: 4, stepYears: 0.01)
        #expect(try GeometricBrownianMotion(grid, spot: 100, volatility: 0.5).drift == 0)
        let parameters = Heston.Parameters(
            variance: 0.2, meanReversion: 2, longRunVariance: 0.3, volatilityOfVariance: 0.5,
            correlation: -0.5)
        #expect(try Heston(grid, spot: 100, parameters).drift == 0)
        let surface = try SurfaceDynamics(.constant(0.5))
        #expect(surface.skew == 0 && surface.curvature == 0 && surface.stickiness == 1)
        #expect(surface.minimum == 0.01 && surface.maximum == 10)
    }
}
