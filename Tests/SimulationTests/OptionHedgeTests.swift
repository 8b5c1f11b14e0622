import Foundation
import Greeks
import Rebalancing
import Simulation
import Testing

/// Options as hedges: bands on gamma, vega and theta, kept by the optimizer.
struct OptionHedgeTests {
    static let listed = [
        HedgeOption(
            name: "near", isPut: false, strike: 105, years: 20.0 / 365, volatility: 0.6, skew: -0.1,
            halfSpread: 0.01, fee: 3e-4, largestTrade: 40),
        HedgeOption(
            name: "far", isPut: true, strike: 95, years: 50.0 / 365, volatility: 0.65, skew: -0.1,
            halfSpread: 0.02, fee: 3e-4, largestTrade: 40),
    ]

    static func joint(_ base: any RebalancingPolicy, _ bands: [(RebalancedGreek, Double)]) throws
        -> JointPolicy
    {
        try JointPolicy(base, try bands.map { try ThresholdPolicy(.greek($0.0, $0.1)) })
    }

    static func simulation(
        _ kind: HedgeContract.Kind = .spot, settlement: HedgedBook.Settlement = .linear, rate: Double = 0,
        options: [HedgeOption] = listed, policies: [any RebalancingPolicy]? = nil, venues: [Venue],
        margin: MarginAccount? = nil, oldestPrice: Double = 0, steps: Int = 300,
        instructionSet: InstructionSet? = nil
    ) throws -> HedgingSimulation {
        let grid = try TimeGrid(steps: steps, stepYears: 2 * TimeGrid.hour)
        return try HedgingSimulation(
            model: try Heston(
                grid, spot: 100,
                Heston.Parameters(
                    variance: 0.36, meanReversion: 5, longRunVariance: 0.4, volatilityOfVariance: 1,
                    correlation: -0.5)),
            surface: try SurfaceDynamics(.instantaneous(premium: 1), skew: -0.1),
            book: HedgedBook(
                options: AccountingTests.options, settlement: settlement, rate: rate, dividend: rate / 2),
            terms: TradingTerms(HedgeContract(kind: kind, basis: 0.1, premiumDeviation: 5e-4), venues: venues)
                .with {
                    $0.options = options
                    $0.funding = kind == .spot ? .none : .premium
                    $0.margin = margin
                    $0.oldestPrice = oldestPrice
                },
            policies: try policies ?? [
                joint(ThresholdPolicy(.delta(0.4)), [(.vega, 20)]),
                joint(TimePolicy(intervalYears: 8 * TimeGrid.hour), [(.gamma, 0.1), (.theta, 400)]),
                joint(ZakamoulinePolicy(riskAversion: 0.1), [(.gamma, 0.1), (.vega, 30)]),
                ThresholdPolicy(.greek(.gamma, 0.1), landing: .centre),
                ThresholdPolicy(.delta(0.4)),
            ], seed: 12, engine: try instructionSet.map { try GreeksEngine($0) } ?? GreeksEngine())
    }

    static let plain = Venue(
        name: "book", costs: .orderBook(OrderBookCosts(halfSpread: 2e-4, takerFee: 5e-4)))

    @Test(
        "with options held, too, the parts of every step add up to what the account earned",
        arguments: [HedgeContract.Kind.spot, .linearPerpetual, .inversePerpetual])
    func partsAddUp(_ kind: HedgeContract.Kind) throws {
        for settlement in HedgedBook.Settlement.allCases {
            let margins: [MarginAccount?] =
                kind == .spot
                ? [nil]
                : [
                    nil, MarginAccount(collateral: 30, maintenance: 0.05),
                    MarginAccount(
                        collateral: 80, maintenance: 0.05, optionMaintenance: 0.03, isCrossed: true),
                ]
            for margin in margins {
                let simulation = try Self.simulation(
                    kind, settlement: settlement, rate: 0.03,
                    venues: [AccountingTests.stormy, AccountingTests.pool], margin: margin)
                let figures = simulation.run(paths: 24)
                let defect = AccountingTests.largestDefect(figures)
                #expect(defect <= 1e-10, "\(kind) \(settlement) \(String(describing: margin)): \(defect)")
                if margin != nil {
                    let liquidations = figures.policies.indices.map {
                        figures.values(.liquidations, policy: $0).reduce(0, +)
                    }
                    #expect(liquidations.reduce(0, +) > 0)
                }
            }
        }
    }

    @Test("equity moves by the parts of each single step, settlements among them")
    func everyStep() throws {
        for (settlement, kind) in [
            (HedgedBook.Settlement.linear, HedgeContract.Kind.spot), (.coin, .inversePerpetual),
        ] {
            let simulation = try Self.simulation(
                kind, settlement: settlement, rate: 0.02, venues: [Self.plain])
            for policy in 0..<4 {
                let steps = simulation.trace(policy: policy, path: 5)
                for (step, next) in zip(steps, steps.dropFirst()) {
                    let sum = step.parts.reduce(0, +)
                    #expect((next.equity - step.equity - sum).magnitude <= 1e-9, "at hour \(step.hours)")
                }
                // Options were traded, and the one that expires on the way has gone.
                #expect(steps.contains { $0.options[0] != 0 } || steps.contains { $0.options[1] != 0 })
                let after = steps.filter { $0.hours > 20 * 24 + 2 }
                #expect(!after.isEmpty && after.allSatisfy { $0.options[0] == 0 })
            }
        }
    }

    @Test("after every hedge each Greek is in its band, whichever was left, and only then is traded")
    func staysInBands() throws {
        let bands: [(RebalancedGreek, Double)] = [(.gamma, 0.1), (.vega, 20)]
        var listed = Self.listed
        for index in listed.indices { listed[index].largestTrade = 1e6 }
        listed[0].years = 60.0 / 365
        for settlement in HedgedBook.Settlement.allCases {
            let simulation = try Self.simulation(
                settlement: settlement, options: listed,
                policies: [Self.joint(ThresholdPolicy(.delta(0.4)), bands)], venues: [Self.plain])
            var (hedges, quiet) = (0, 0)
            for path in 0..<6 {
                var held = [0.0, 0]
                for step in simulation.trace(policy: 0, path: path) {
                    #expect(step.gamma.magnitude <= 0.1, "hour \(step.hours)")
                    #expect(step.vega.magnitude <= 20, "hour \(step.hours)")
                    // The coins of coin-settled premiums counted in.
                    let delta = step.bookDelta + step.hedgeAfter
                    #expect(delta.magnitude <= 0.4, "hour \(step.hours)")
                    if step.options == held { quiet += 1 } else { hedges += 1 }
                    held = step.options
                }
            }
            print("\(settlement): options traded in \(hedges) steps, not in \(quiet)")
            #expect(hedges > 20 && quiet > 200)
        }
    }

    @Test("a limit per step is kept, and what is left outside counts as unhedged")
    func limits() throws {
        var listed = Self.listed
        for index in listed.indices { listed[index].largestTrade = 0.5 }
        let simulation = try Self.simulation(
            options: listed, policies: [Self.joint(ThresholdPolicy(.delta(0.4)), [(.gamma, 0.05)])],
            venues: [Self.plain])
        let steps = simulation.trace(policy: 0, path: 1)
        var held = [0.0, 0]
        for step in steps {
            for (now, before) in zip(step.options, held) where now != 0 {
                #expect((now - before).magnitude <= 0.5 + 1e-9)
            }
            #expect((step.bookDelta + step.hedgeAfter).magnitude <= 0.4 + 1e-6, "hour \(step.hours)")
            held = step.options
        }
        // Half a contract at a time, it goes towards the band as fast as it may.
        #expect(steps[0].gamma < steps[2].gamma && steps[2].gamma < -0.05)
        #expect(steps[2].options.allSatisfy { ($0 - 1.5).magnitude < 1e-6 })
        #expect(simulation.run(paths: 8).values(.timeUnhedged, policy: 0).allSatisfy { $0 > 0 })
    }

    @Test("nothing is traded where the exchange is down, and options cost spread and capped fee")
    func outageAndCosts() throws {
        var venue = Self.plain
        venue.failures.outages = [Outage(fromHour: 0, toHour: 10)]
        let policies = [try Self.joint(AlwaysRebalance(), [(.gamma, 0.05)])]
        let down = try Self.simulation(policies: policies, venues: [venue]).trace(policy: 0, path: 0)
        #expect(down.prefix(5).allSatisfy { $0.options == [0, 0] && $0.hedgeAfter == 0 })
        #expect(down[5].options != [0, 0] && down[5].gamma.magnitude <= 0.05 + 1e-6)

        // One option at a price known in closed form: 100·erf(σ√T/√8) at the money.
        let years = 30.0 / 365
        for (fee, cap) in [(3e-4, 0.125), (0.02, 0.125)] {
            let option = HedgeOption(
                name: "at the money", isPut: false, strike: 100, years: years, volatility: 0.6,
                halfSpread: 0.01,
                fee: fee, feeCap: cap)
            let step = try Self.simulation(options: [option], policies: policies, venues: [Self.plain])
                .trace(policy: 0, path: 0)[0]
            let price = 100 * erf(0.6 * years.squareRoot() / 8.0.squareRoot())
            let size = step.options[0].magnitude
            let underlying = step.filled.magnitude * 100
            // The fee is on the price paid, above the middle or below it.
            let paid = underlying * (1 + (step.filled > 0 ? 2e-4 : -2e-4))
            let spread = size * 0.01 * price + underlying * 2e-4
            let fees = size * min(100 * fee, cap * price) + paid * 5e-4
            #expect(size > 1)
            #expect((step.parts[ProfitPart.spread.rawValue] + spread).magnitude < 1e-9 * spread)
            #expect((step.parts[ProfitPart.fees.rawValue] + fees).magnitude < 1e-9 * fees)
        }
    }

    @Test("on stale data no option is traded either; while they age, all bands widen")
    func staleData() throws {
        var venue = Self.plain
        venue.failures.staleSpans = [Outage(fromHour: 4, toHour: 60)]
        var listed = Self.listed
        for index in listed.indices { listed[index].largestTrade = 0.02 }
        let joint = try Self.joint(ThresholdPolicy(.delta(0.4)), [(.gamma, 0.05)])
        // Steps of two hours: the third stale one is within the limit, the fourth is not.
        let patient = try FreshDataPolicy(joint, freshSeconds: 7200, staleSeconds: 3.5 * 7200)
        let simulation = try Self.simulation(
            options: listed, policies: [joint, patient], venues: [venue], oldestPrice: 1e9)
        func trades(_ policy: Int) -> [Bool] {
            let steps = simulation.trace(policy: policy, path: 0)
            #expect(steps.filter(\.isStale).count == 28 && steps[2].isStale)
            return zip(steps.dropFirst(), steps).map {
                $0.options != $1.options || $0.filled != 0
            }
        }
        // A little at a time, what there is to do is not done by then.
        let (always, careful) = (trades(0), trades(1))
        #expect(always[4..<29].allSatisfy { $0 })
        #expect(careful[4..<29].allSatisfy { !$0 })
        #expect(careful[0..<4].contains(true) && careful[29])
    }

    @Test("hours are those of the clock, whatever the step")
    func hours() throws {
        for (minutes, steps) in [(60.0, 9000), (5, 9000), (7, 600), (1440, 400)] {
            let grid = try TimeGrid(steps: steps, stepYears: minutes / 525_600)
            for step in 0...steps { #expect(grid.hours(step) == Double(step) * minutes / 60) }
        }
        let odd = try TimeGrid(steps: 10, stepYears: 1e-15)
        #expect(abs(odd.hours(10) / (1e-14 * 8760) - 1) < 1e-15)
    }

    @Test("at the end options are sold at their costs, and an option sold to hedge wants margin")
    func closingAndMargin() throws {
        let policies: [any RebalancingPolicy] = [
            try Self.joint(ThresholdPolicy(.delta(0.4)), [(.gamma, 0.05)]), try ThresholdPolicy(.delta(0.4)),
        ]
        let simulation = try Self.simulation(policies: policies, venues: [Self.plain], steps: 100)
        let steps = simulation.trace(policy: 0, path: 0)
        let figures = simulation.run(paths: 8)
        var (trades, held) = (0, [0.0, 0])
        for step in steps {
            trades += (step.filled != 0 ? 1 : 0) + zip(step.options, held).filter { $0 != $1 }.count
            held = step.options
        }
        let open = held.filter { $0 != 0 }.count
        #expect(open > 0)
        #expect(figures.values(.trades, policy: 0)[0] == Double(trades + open + 1))
        let spread = -steps.map { $0.parts[ProfitPart.spread.rawValue] }.reduce(0, +)
        let last = try #require(steps.last)
        let closing = -figures.values(.spread, policy: 0)[0] - spread
        #expect(closing > 1.5 * last.hedgeAfter.magnitude * last.spot * 2e-4)

        // The same book bought: to hedge is to sell, and half of the notional is asked for.
        var book = simulation.book
        for index in book.options.indices { book.options[index].quantity.negate() }
        let margined = try HedgingSimulation(
            model: simulation.model,
            surface: simulation.surface,
            book: HedgedBook(options: book.options.filter { $0.quantity > 0 }),
            terms: TradingTerms(HedgeContract(kind: .linearPerpetual), venues: [Self.plain]).with {
                $0.options = Self.listed
                $0.margin = MarginAccount(
                    collateral: 200, maintenance: 0, optionMaintenance: 0.5, isCrossed: true)
            },
            policies: policies, seed: 1, engine: try GreeksEngine()
        ).run(paths: 16)
        #expect(margined.values(.liquidations, policy: 0).allSatisfy { $0 == 1 })
        #expect(margined.values(.liquidations, policy: 1).allSatisfy { $0 == 0 })
    }

    @Test("a clock goes on while options are hedged between its strokes")
    func clock() throws {
        let simulation = try Self.simulation(
            policies: [Self.joint(TimePolicy(intervalYears: 8 * TimeGrid.hour), [(.gamma, 0.02)])],
            venues: [Self.plain])
        let steps = simulation.trace(policy: 0, path: 2)
        let strokes = steps.filter { $0.bandUpper == 0 }.map { ($0.hours / 2).rounded() }
        #expect(strokes == stride(from: 0.0, to: 300, by: 4).map { $0 })
        #expect(steps.filter { $0.bandUpper != 0 && $0.filled != 0 }.count > 20)
    }

    @Test("volatility shocks: with vega in a band, the deviation is far below that of delta hedges")
    func vegaUnderShocks() throws {
        let grid = try TimeGrid(steps: 168, stepYears: TimeGrid.hour)
        let years = 30.0 / 365
        let simulation = try HedgingSimulation(
            model: try GeometricBrownianMotion(grid, spot: 100, drift: 0, volatility: 0.6),
            surface: try SurfaceDynamics(
                .stochastic(
                    initial: 0.6, mean: 0.6, meanReversion: 5, volatilityOfVolatility: 2, correlation: -0.5)),
            book: HedgedBook(options: [
                HedgedOption(isPut: false, strike: 100, years: years, volatility: 0.6, quantity: -100)
            ]),
            terms: TradingTerms(
                HedgeContract(kind: .spot),
                venues: [Venue(name: "spot", costs: .orderBook(OrderBookCosts(takerFee: 5e-4)))]
            ).with {
                $0.options = [
                    HedgeOption(
                        name: "later", isPut: false, strike: 100, years: 60.0 / 365, volatility: 0.6,
                        halfSpread: 0.005, fee: 3e-4)
                ]
            },
            policies: [
                ThresholdPolicy(.delta(2)), Self.joint(ThresholdPolicy(.delta(2)), [(.vega, 50)]),
            ], seed: 5, engine: try GreeksEngine())
        let figures = simulation.run(paths: 1600, threads: 2)
        let profits = (0..<2).map { figures.values(.profit, policy: $0) }
        let deviations = profits.map { SampleStatistic.standardDeviation.estimate($0) }
        let difference = SampleStatistic.standardDeviation.difference(profits[0], profits[1])
        let vega = (0..<2).map { KnownResultsTests.sample(figures.values(.vega, policy: $0)) }
        print("deviation: delta \(deviations[0]), delta and vega \(deviations[1]), difference \(difference)")
        #expect(difference.value > 0.4 * deviations[0].value + 4 * difference.standardError)
        // The volatility's part nearly goes, and costs go up.
        #expect(vega[1].variance < 0.1 * vega[0].variance)
        let costs = (0..<2).map { KnownResultsTests.sample(figures.costs(policy: $0)) }
        #expect(costs[1].mean > costs[0].mean)
    }

    @Test(
        "same seed, same bits: threads, whole or resumed, instruction sets; those who hedge delta alone are left alone"
    )
    func sameBits() throws {
        let simulation = try Self.simulation(.linearPerpetual, venues: [AccountingTests.stormy], steps: 120)
        let whole = simulation.run(paths: 70)
        let threaded = simulation.run(paths: 70, threads: 2)
        let seen = Counter()
        let interrupted = simulation.run(paths: 70, threads: 1) { _ in seen.next() < 1 }
        #expect(interrupted.completed == HedgingSimulation.chunk)
        let resumed = simulation.run(paths: 70, resuming: interrupted)
        func bits(_ figures: PathOutcomes, _ policy: Int) -> [UInt64] {
            PathMetric.allCases.flatMap { figures.values($0, policy: policy).map(\.bitPattern) }
                + ProfitPart.allCases.flatMap { figures.values($0, policy: policy).map(\.bitPattern) }
        }
        for policy in whole.policies.indices {
            #expect(bits(threaded, policy) == bits(whole, policy))
            #expect(bits(resumed, policy) == bits(whole, policy))
        }
        if InstructionSet.avx512.isSupported {
            let narrow = try Self.simulation(
                .linearPerpetual, venues: [AccountingTests.stormy], steps: 120, instructionSet: .avx2
            ).run(paths: 70)
            for policy in whole.policies.indices { #expect(bits(narrow, policy) == bits(whole, policy)) }
        }
        let alone = try Self.simulation(
            .linearPerpetual, options: [], policies: [ThresholdPolicy(.delta(0.4))],
            venues: [AccountingTests.stormy], steps: 120
        ).run(paths: 70)
        #expect(bits(alone, 0) == bits(whole, 4))
    }

    @Test("Options that cannot be a hedge are refused with their field and value")
    func refusals() throws {
        func complaint(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "accepted"
            } catch { return "\(error)" }
        }
        func with(_ change: (inout HedgeOption) -> Void) -> String {
            var option = Self.listed[0]
            change(&option)
            return complaint { _ = try Self.simulation(options: [option], venues: [Self.plain]) }
        }
        #expect(with { $0.halfSpread = -0.1 }.contains("near: half_spread: -0.1"))
        #expect(with { $0.fee = .nan }.contains("near: fee: nan"))
        #expect(with { $0.feeCap = 2 }.contains("fee_cap: 2.0"))
        #expect(with { $0.largestTrade = 0 }.contains("largest_trade_contracts: 0.0"))
        #expect(with { $0.strike = -1 }.contains("strike_usd: -1.0"))
        #expect(with { $0.years = 0 }.contains("days: 0.0"))
        #expect(
            complaint { _ = try Self.simulation(options: [], venues: [Self.plain]) }.contains("at least one"))
        let vega = try ThresholdPolicy(.greek(.vega, 1))
        #expect(complaint { _ = try JointPolicy(vega, []) }.contains("expected delta first"))
        #expect(complaint { _ = try JointPolicy(NeverRebalance(), [vega, vega]) }.contains("once each"))
        #expect(
            complaint { _ = try JointPolicy(NeverRebalance(), [AlwaysRebalance()]) }.contains("once each"))
    }
}
