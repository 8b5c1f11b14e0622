import Greeks
import Rebalancing
import Simulation
import Testing

/// What an account must satisfy whatever happens on its way.
struct AccountingTests {
    static let options = [
        HedgedOption(isPut: false, strike: 100, years: 30.0 / 365, volatility: 0.6, quantity: -10),
        HedgedOption(isPut: true, strike: 90, years: 10.0 / 365, volatility: 0.7, quantity: -6, skew: -0.2),
        HedgedOption(isPut: false, strike: 115, years: 60.0 / 365, volatility: 0.65, quantity: 8, skew: 0.1),
        HedgedOption(isPut: true, strike: 100, years: 10.0 / 365, volatility: 0.62, quantity: 3),
    ]

    static let stormy = Venue(
        name: "book",
        costs: .orderBook(
            OrderBookCosts(
                halfSpread: 2e-4, spreadWidening: 0.5, takerFee: 5e-4, linearImpact: 1e-3,
                squareRootImpact: 1e-3, depth: 2000, impactHalfLifeHours: 4)),
        failures: VenueFailures(
            outages: [Outage(fromHour: 50, toHour: 60)], outagesPerYear: 40, outageHours: 5,
            crashReturn: 0.02,
            crashOutageProbability: 0.5, orderFailure: 0.1, partialFill: 0.3, leastFill: 0.2),
        latencySeconds: 5400)

    static let pool = Venue(
        name: "pool",
        costs: .pool(
            PoolCosts(
                liquidity: 20_000, fee: 3e-4, gas: 0.02, gasSpike: 50, gasSpikeProbability: 0.02,
                gasSpikeReturn: 0.03, failureProbability: 0.1)))

    static func simulation(
        _ kind: HedgeContract.Kind, settlement: HedgedBook.Settlement = .linear, rate: Double = 0,
        venues: [Venue] = [stormy, pool], margin: MarginAccount? = nil, flow: ReflexiveFlow? = nil,
        policies: [any RebalancingPolicy]? = nil, positionLimit: Double = .infinity, steps: Int = 720,
        seed: UInt64 = 11
    ) throws -> HedgingSimulation {
        let grid = try TimeGrid(steps: steps, stepYears: TimeGrid.hour)
        return try HedgingSimulation(
            model: try Heston(
                grid, spot: 100,
                Heston.Parameters(
                    variance: 0.36, meanReversion: 5, longRunVariance: 0.4, volatilityOfVariance: 1,
                    correlation: -0.5)),
            surface: try SurfaceDynamics(.instantaneous(premium: 1), skew: -0.1),
            book: HedgedBook(options: options, settlement: settlement, rate: rate, dividend: rate / 2),
            terms: TradingTerms(HedgeContract(kind: kind, basis: 0.1, premiumDeviation: 5e-4), venues: venues)
                .with {
                    $0.funding = kind == .spot ? .none : .premium
                    $0.margin = margin
                    $0.flow = flow
                    $0.deltaLimit = 2
                    $0.positionLimit = positionLimit
                },
            policies: try policies ?? [
                TimePolicy(intervalYears: 8 * TimeGrid.hour), ThresholdPolicy(.delta(0.4)),
                WhalleyWilmottPolicy(riskAversion: 0.1), ZakamoulinePolicy(riskAversion: 0.1),
                NeverRebalance(),
            ], seed: seed, engine: try GreeksEngine())
    }

    /// By how much parts and profit differ on any path, in parts of the account's scale: the options' notional and what
    /// was traded.
    static func largestDefect(_ figures: PathOutcomes) -> Double {
        var largest = 0.0
        for policy in figures.policies.indices {
            let parts = ProfitPart.allCases.map { figures.values($0, policy: policy) }
            let turnover = figures.values(.turnover, policy: policy)
            for (path, profit) in figures.values(.profit, policy: policy).enumerated() {
                let sum = parts.reduce(0) { $0 + $1[path] }
                let defect = (sum - profit).magnitude / (2700 + turnover[path])
                // A NaN stays.
                if !(defect <= largest), !largest.isNaN { largest = defect }
            }
        }
        return largest
    }

    @Test(
        "the parts of every step add up to what cash, coins and positions earned",
        arguments: [
            HedgeContract.Kind.spot, .linearPerpetual, .inversePerpetual, .linearFuture, .inverseFuture,
        ])
    func partsAddUp(_ kind: HedgeContract.Kind) throws {
        for settlement in HedgedBook.Settlement.allCases {
            for rate in [0, 0.04] {
                let margins: [MarginAccount?] =
                    kind == .spot
                    ? [nil]
                    : [
                        nil, MarginAccount(collateral: 30, maintenance: 0.05),
                        MarginAccount(
                            collateral: 60, maintenance: 0.05, optionMaintenance: 0.03, isCrossed: true),
                    ]
                for margin in margins {
                    let simulation = try Self.simulation(
                        kind, settlement: settlement, rate: rate, margin: margin,
                        flow: ReflexiveFlow(gammaPerPercent: -20, impactPerCoin: 1e-4, persistence: 0.9))
                    let figures = simulation.run(paths: 64)
                    let defect = Self.largestDefect(figures)
                    #expect(defect <= 1e-10, "\(kind) \(settlement) \(String(describing: margin)): \(defect)")
                    let liquidations = figures.policies.indices.map {
                        figures.values(.liquidations, policy: $0).reduce(0, +)
                    }.reduce(0, +)
                    if margin != nil { #expect(liquidations > 0) }
                }
            }
        }
    }

    @Test("equity moves by the parts of each single step")
    func everyStep() throws {
        let simulation = try Self.simulation(.inversePerpetual, settlement: .coin, rate: 0.02)
        let steps = simulation.trace(policy: 1, path: 5)
        #expect(steps.count == 720)
        for (step, next) in zip(steps, steps.dropFirst()) {
            let sum = step.parts.reduce(0, +)
            #expect((next.equity - step.equity - sum).magnitude <= 1e-9, "at hour \(step.hours)")
        }
        #expect(steps.contains { $0.filled != 0 && $0.filled.magnitude < $0.asked.magnitude })
        #expect(steps.contains { $0.isDown })
    }

    @Test("time outside goes by the delta that a policy steers by")
    func timeOutside() throws {
        let grid = try TimeGrid(steps: 480, stepYears: TimeGrid.hour)
        let limit = 0.5
        let simulation = try HedgingSimulation(
            model: try GeometricBrownianMotion(grid, spot: 100, drift: 0, volatility: 0.6),
            surface: try SurfaceDynamics(.constant(0.6)),
            book: HedgedBook(options: [
                HedgedOption(isPut: false, strike: 105, years: 30.0 / 365, volatility: 0.6, quantity: -10)
            ]),
            terms: TradingTerms(
                HedgeContract(kind: .spot),
                venues: [Venue(name: "spot", costs: .orderBook(OrderBookCosts(takerFee: 0.005)))]
            ).with { $0.deltaLimit = limit },
            policies: [try LelandPolicy(intervalYears: TimeGrid.hour)], seed: 4, engine: try GreeksEngine())
        let share = simulation.run(paths: 8).values(.timeOutside, policy: 0)[0]
        let steps = simulation.trace(policy: 0, path: 0)
        let market = zip(steps, steps.dropFirst()).filter { ($1.bookDelta + $0.hedgeAfter).magnitude > limit }
        print("outside: \(share) by Leland's delta, \(Double(market.count) / 480) by the market's")
        #expect(share < 0.02 && market.count > 48)
    }

    @Test("same seed, same bits: threads, instruction sets, whole or resumed, a path alone")
    func sameBits() throws {
        let simulation = try Self.simulation(.linearPerpetual)
        let whole = simulation.run(paths: 150)
        let threaded = simulation.run(paths: 150, threads: 2)
        let seen = Counter()
        let interrupted = simulation.run(paths: 150, threads: 1) { _ in seen.next() < 2 }
        #expect(interrupted.completed == 2 * HedgingSimulation.chunk)
        let archive = interrupted.archive(fingerprint: 7)
        let restored = try #require(
            PathOutcomes(archive: archive, fingerprint: 7, policies: interrupted.policies))
        #expect(PathOutcomes(archive: archive, fingerprint: 8, policies: interrupted.policies) == nil)
        #expect(
            PathOutcomes(archive: Array(archive.dropLast()), fingerprint: 7, policies: interrupted.policies)
                == nil)
        let resumed = simulation.run(paths: 150, resuming: restored)
        for policy in whole.policies.indices {
            for figure in PathMetric.allCases {
                let expected = whole.values(figure, policy: policy).map(\.bitPattern)
                #expect(expected.count == 150)
                #expect(threaded.values(figure, policy: policy).map(\.bitPattern) == expected)
                #expect(resumed.values(figure, policy: policy).map(\.bitPattern) == expected)
            }
            for part in ProfitPart.allCases {
                let expected = whole.values(part, policy: policy).map(\.bitPattern)
                #expect(threaded.values(part, policy: policy).map(\.bitPattern) == expected)
                #expect(resumed.values(part, policy: policy).map(\.bitPattern) == expected)
            }
        }
    }
}

/// Counts calls from any thread.
final class Counter: @unchecked Sendable {
    private var count = 0
    func next() -> Int {
        count += 1
        return count
    }
}
