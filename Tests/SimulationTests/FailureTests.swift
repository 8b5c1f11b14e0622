import Greeks
import Margin
import Rebalancing
import Risk
import Simulation
import Testing
import VectorMath

/// A price that is flat but for a little noise, and falls by a fifth within an hour: the same on all eight paths.
struct CrashPath: PathModel {
    let grid: TimeGrid
    let crashHour: Double

    func fill(_ block: PathBlock, seed: UInt64, firstPath: Int) {
        let stream = RandomStream(seed: seed, stream: PathStream.returns)
        var spot = Lanes(repeating: 100)
        for time in 0...block.steps {
            let hour = grid.years(time) * 8760
            let isCrash = hour > crashHour && hour <= crashHour + 1
            block.spot[time] = spot
            block.variance[time] = Lanes(repeating: isCrash ? 25 : 0.25)
            let normal = stream.normals(PortableArithmetic.self, firstPath: 0, step: UInt32(time)).0[0]
            let noise = Lanes(repeating: 1 + 0.0012 * normal)
            let nextHour = grid.years(time + 1) * 8760
            if nextHour > crashHour + 1e-9, nextHour <= crashHour + 1 + 1e-9 { spot *= 0.8156.root(12) }
            spot *= noise
        }
    }
}

extension Lanes {
    fileprivate static func *= (lanes: inout Lanes, factor: Double) { lanes *= Lanes(repeating: factor) }
}

extension Double {
    fileprivate func root(_ degree: Int) -> Double {
        var low = 0.0
        var high = 1.0
        for _ in 0..<100 {
            let middle = (low + high) / 2
            let power = (0..<degree).reduce(1.0) { product, _ in product * middle }
            if power < self { low = middle } else { high = middle }
        }
        return low
    }
}

/// What happens when something breaks, as it is documented.
struct FailureTests {
    static let crashHour = 50.0

    static func simulation(
        _ policy: any RebalancingPolicy, _ venues: [Venue], positionLimit: Double = .infinity,
        oldestPrice: Double = 0, margin: MarginAccount? = nil, rule: MarginModel? = nil
    ) throws -> HedgingSimulation {
        let grid = try TimeGrid(steps: 1200, stepYears: TimeGrid.hour / 12)
        return try HedgingSimulation(
            model: CrashPath(grid: grid, crashHour: crashHour),
            surface: try SurfaceDynamics(.constant(0.6)),
            book: HedgedBook(options: [
                HedgedOption(isPut: true, strike: 95, years: 10.0 / 365, volatility: 0.6, quantity: -10)
            ]),
            terms: TradingTerms(HedgeContract(kind: .linearPerpetual), venues: venues).with {
                $0.margin = margin
                $0.marginModel = rule
                $0.deltaLimit = 1
                $0.positionLimit = positionLimit
                $0.oldestPrice = oldestPrice
            },
            policies: [policy], seed: 3, engine: try GreeksEngine())
    }

    static func venue(
        _ name: String = "exchange", _ failures: VenueFailures = VenueFailures(), latencySeconds: Double = 0
    ) -> Venue {
        Venue(
            name: name, costs: .orderBook(OrderBookCosts(halfSpread: 1e-4, takerFee: 5e-4)),
            failures: failures, latencySeconds: latencySeconds)
    }

    static let outage = VenueFailures(outages: [Outage(fromHour: crashHour, toHour: crashHour + 1)])

    @Test(
        "an exchange that is down for the hour of a crash: nothing is filled, what is unhedged is flagged, and then hedged"
    )
    func outage() throws {
        let policy = try ThresholdPolicy(.delta(0.5))
        let calm = try Self.simulation(policy, [Self.venue()])
        let down = try Self.simulation(policy, [Self.venue("exchange", Self.outage)])
        let steps = down.trace(policy: 0, path: 0)
        let during = steps.filter { $0.isDown }
        #expect(during.count == 12)
        #expect(during.allSatisfy { $0.filled == 0 })
        let unserved = steps.filter { $0.asked != 0 && $0.filled == 0 }
        #expect(unserved.count >= 6)
        let figures = down.run(paths: 8)
        #expect(figures.values(.timeUnhedged, policy: 0)[0] == Double(unserved.count) / 1200)
        // Back in the band with the first trade after it.
        let after = try #require(steps.firstIndex { $0.hours >= Self.crashHour + 1 })
        #expect(steps[after].filled != 0)
        #expect((steps[after].bookDelta + steps[after].hedgeAfter).magnitude <= 0.5 + 1e-12)
        // And it did hurt.
        let exposures = [calm, down].map { $0.run(paths: 8).values(.worstExposure, policy: 0)[0] }
        #expect(exposures[1] > 2 * exposures[0])
        #expect(figures.values(.profit, policy: 0)[0] < calm.run(paths: 8).values(.profit, policy: 0)[0])
    }

    @Test("with a second venue the hedge goes on there, at its costs")
    func switchesVenue() throws {
        let policy = try ThresholdPolicy(.delta(0.5))
        let pool = Venue(name: "pool", costs: .pool(PoolCosts(liquidity: 2000, gas: 5)))
        let simulation = try Self.simulation(policy, [Self.venue("exchange", Self.outage), pool])
        let steps = simulation.trace(policy: 0, path: 0)
        let during = steps.filter { $0.isDown }
        #expect(during.contains { $0.filled != 0 })
        let gas = steps.map { -$0.parts[ProfitPart.gas.rawValue] }
        #expect(zip(gas, steps).allSatisfy { ($0 > 0) == ($1.isDown && $1.filled != 0) })
        let alone = try Self.simulation(policy, [Self.venue("exchange", Self.outage)])
        #expect(
            simulation.run(paths: 8).values(.worstExposure, policy: 0)[0]
                < alone.run(paths: 8).values(.worstExposure, policy: 0)[0])
    }

    @Test("gas fifty times dearer: bands widen, fewer trades, and the bill grows far less than fifty times")
    func gas() throws {
        let policy = try WhalleyWilmottPolicy(riskAversion: 0.05)
        func run(_ gas: Double) throws -> (steps: [TracedStep], trades: Double, gas: Double) {
            let pool = Venue(name: "pool", costs: .pool(PoolCosts(liquidity: 20_000, fee: 3e-4, gas: gas)))
            let simulation = try Self.simulation(policy, [pool])
            let figures = simulation.run(paths: 8)
            return (
                simulation.trace(policy: 0, path: 0), figures.values(.trades, policy: 0)[0],
                -figures.values(.gas, policy: 0)[0]
            )
        }
        let (cheap, dear) = (try run(0.05), try run(2.5))
        for (a, b) in zip(cheap.steps, dear.steps).prefix(600) { #expect(b.bandUpper > a.bandUpper) }
        #expect(dear.trades < 0.5 * cheap.trades)
        #expect(dear.gas < 25 * cheap.gas)
        #expect(dear.gas > cheap.gas)
    }

    @Test("a transaction that fails costs its gas and trades nothing")
    func failedTransactions() throws {
        let pool = Venue(
            name: "pool", costs: .pool(PoolCosts(liquidity: 20_000, gas: 2, failureProbability: 0.5)))
        let steps = try Self.simulation(AlwaysRebalance(), [pool]).trace(policy: 0, path: 0)
        let failed = steps.filter { $0.asked != 0 && $0.filled == 0 }
        let sent = steps.filter { $0.asked != 0 }
        #expect((0.42...0.58).contains(Double(failed.count) / Double(sent.count)))
        #expect(sent.allSatisfy { $0.parts[ProfitPart.gas.rawValue] == -2 })
    }

    @Test("old prices are not traded on; where an age is allowed, bands widen with it first")
    func staleOracle() throws {
        let stale = VenueFailures(staleSpans: [Outage(fromHour: Self.crashHour, toHour: Self.crashHour + 1)])
        let steps = try Self.simulation(AlwaysRebalance(), [Self.venue("exchange", stale)]).trace(
            policy: 0, path: 0)
        let during = steps.filter { $0.isStale }
        #expect(during.count == 12)
        #expect(during.allSatisfy { $0.filled == 0 })
        #expect(steps.filter { !$0.isStale }.dropLast().filter { $0.filled != 0 }.count > 1100)

        // A clock that strikes meanwhile: of what was last seen there is a delta to hedge, and it is not hedged.
        let clock = try Self.simulation(
            try TimePolicy(intervalYears: 0.75 * TimeGrid.hour), [Self.venue("exchange", stale)]
        ).trace(policy: 0, path: 0)
        #expect(clock.contains { $0.isStale && $0.asked != 0 })
        #expect(clock.allSatisfy { !$0.isStale || $0.filled == 0 })

        let patient = try FreshDataPolicy(
            try ThresholdPolicy(.delta(0.5)), freshSeconds: 300, staleSeconds: 1200)
        let widened = try Self.simulation(patient, [Self.venue("exchange", stale)], oldestPrice: 1e9)
            .trace(policy: 0, path: 0).filter { $0.isStale }
        #expect(widened[0].bandUpper == 0.5)
        #expect(widened[1].bandUpper == 1)
        #expect(widened[2].bandUpper == 1.5)
        #expect(widened[3].bandUpper == .infinity)
        #expect(widened[3...].allSatisfy { $0.filled == 0 && $0.asked == 0 })
    }

    /// Without costs Leland's volatility is the market's, and his clock a clock.
    @Test("on old prices a policy with a volatility of its own sees what one with the market's sees")
    func staleVolatility() throws {
        let venue = Venue(
            name: "exchange", costs: .orderBook(OrderBookCosts()),
            failures: VenueFailures(
                staleSpans: [Outage(fromHour: Self.crashHour, toHour: Self.crashHour + 1)]))
        let interval = 0.25 * TimeGrid.hour
        let traces = try [
            TimePolicy(intervalYears: interval), LelandPolicy(intervalYears: interval),
        ].map { (policy: any RebalancingPolicy) in
            try Self.simulation(policy, [venue], oldestPrice: 1e9).trace(policy: 0, path: 0)
        }
        var stale = 0
        for (clock, leland) in zip(traces[0], traces[1]) {
            #expect((clock.asked - leland.asked).magnitude < 1e-9, "\(clock.hours) h")
            if clock.isStale, clock.filled != 0 { stale += 1 }
        }
        #expect(stale > 0)

        // What past prices say is as old as the prices.
        let seen = try Self.simulation(BandOfVolatility(), [venue], oldestPrice: 1e9).trace(
            policy: 0, path: 0)
        let during = seen.filter(\.isStale).map(\.bandUpper)
        let before = try #require(seen.last { !$0.isStale && $0.hours < Self.crashHour }).bandUpper
        let after = try #require(seen.first { !$0.isStale && $0.hours > Self.crashHour }).bandUpper
        #expect(during == [Double](repeating: before, count: 12) && after > 2 * before)
    }

    @Test(
        "partial fills and refused orders: never more than asked, never the other way, and in the end in the band"
    )
    func partialFills() throws {
        let failures = VenueFailures(orderFailure: 0.2, partialFill: 0.3, leastFill: 0.1)
        let policy = try ThresholdPolicy(.delta(0.3))
        let steps = try Self.simulation(policy, [Self.venue("exchange", failures)]).trace(policy: 0, path: 0)
        for step in steps {
            #expect(step.filled.magnitude <= step.asked.magnitude && step.filled * step.asked >= 0)
        }
        let asked = steps.filter { $0.asked != 0 }
        let refused = asked.filter { $0.filled == 0 }
        let partial = asked.filter { $0.filled != 0 && $0.filled != $0.asked }
        #expect(!refused.isEmpty && !partial.isEmpty)
        let last = try #require(steps.last)
        #expect((last.bookDelta + last.hedgeAfter).magnitude <= 0.3 + 1e-9)
    }

    @Test("orders under way are not sent twice, and no limit is exceeded, whatever the delay")
    func latency() throws {
        let venue = Venue(
            name: "slow", costs: .orderBook(OrderBookCosts(takerFee: 5e-4)),
            failures: VenueFailures(partialFill: 0.5), latencySeconds: 1000, largestOrder: 1.5)
        let steps = try Self.simulation(AlwaysRebalance(), [venue], positionLimit: 4).trace(
            policy: 0, path: 0)
        #expect(steps.allSatisfy { $0.hedgeAfter.magnitude <= 4 + 1e-12 && $0.filled.magnitude <= 1.5 })
        #expect(steps.contains { $0.hedgeAfter.magnitude > 3.9 })
        // 1,000 s are three steps and a third: the first order is filled in the fourth step.
        #expect(steps[0].asked != 0 && steps[0..<3].allSatisfy { $0.filled == 0 } && steps[3].filled != 0)
        let plain = Self.venue("plain", latencySeconds: 1000)
        let flow = try Self.simulation(AlwaysRebalance(), [plain]).trace(policy: 0, path: 0)
        for time in 3..<flow.count { #expect(flow[time].filled == flow[time - 3].asked) }
        // What is asked for is the change of delta alone, not what is under way already.
        #expect(flow[1].asked.magnitude < 0.2 * flow[0].asked.magnitude)
    }

    @Test("a margin account too small for a crash is liquidated at a penalty; a larger one is not")
    func liquidation() throws {
        let policy = HedgeOnce()
        func run(_ collateral: Double, crossed: Bool) throws -> PathOutcomes {
            try Self.simulation(
                policy, [Self.venue()],
                margin: MarginAccount(
                    collateral: collateral, maintenance: 0.05, optionMaintenance: 0.05, penalty: 0.01,
                    isCrossed: crossed)
            ).run(paths: 8)
        }
        // Short puts are hedged short: the hedge gains in the crash, so that alone it is safe, and crossed with the
        // puts it is not.
        #expect(try run(40, crossed: false).values(.liquidations, policy: 0)[0] == 0)
        let crossed = try run(80, crossed: true)
        #expect(crossed.values(.liquidations, policy: 0)[0] == 1)
        #expect(crossed.values(.liquidation, policy: 0)[0] < 0)
        #expect(try run(1000, crossed: true).values(.liquidations, policy: 0)[0] == 0)
    }

    @Test("What a crossed account has lost is exposed to nothing, and within every limit")
    func nothingLeft() throws {
        func simulation(_ collateral: Double) throws -> HedgingSimulation {
            try Self.simulation(
                HedgeOnce(), [Self.venue()],
                margin: MarginAccount(
                    collateral: collateral, maintenance: 0.05, optionMaintenance: 0.05, isCrossed: true))
        }
        func figures(_ simulation: HedgingSimulation) -> (worst: Double, outside: Double) {
            let outcomes = simulation.run(paths: 8)
            return (
                outcomes.values(.worstExposure, policy: 0)[0],
                outcomes.values(.timeOutside, policy: 0)[0] * 1200
            )
        }
        // The same trades on the same path, with more money than can be lost.
        let large = try simulation(10_000)
        let (steps, kept) = (large.trace(policy: 0, path: 0), figures(large))
        let exposures = zip(steps.dropFirst(), steps).map { ($0.bookDelta + $1.hedgeAfter).magnitude }
        let dollars = zip(steps.dropFirst(), exposures).map { $0.spot * $1 }
        // The first does not hold its hedge for a step.
        for collateral in [60.0, 80, 100] {
            let small = try simulation(collateral)
            let time = try #require(
                small.trace(policy: 0, path: 0).firstIndex {
                    $0.parts[ProfitPart.liquidation.rawValue] != 0
                })
            let before = dollars[..<time].max() ?? 0
            let outside = Double(exposures[..<time].count { $0 > 1 })
            let found = figures(small)
            #expect((found.worst - before).magnitude <= 1e-9 * before)
            #expect((found.outside - outside).magnitude < 1e-9)
            #expect(kept.worst > 1.01 * before && kept.outside > outside + 10, "\(kept), \(found) at \(time)")
        }
    }

    @Test("A venue's rule that asks for shares of what is held liquidates as the shares themselves do")
    func venueRule() throws {
        var scenario = ScenarioGrid.Scenario()
        scenario.spot = 0
        let grid = try ScenarioGrid(
            name: "still", rules: [("same", ScenarioGrid.VolatilityRule())], scenarios: [scenario])
        var scan = ScanMargin(grid)
        scan.nakedShort = ScanMargin.Contingency(maintenance: 0.05)
        scan.perpetual = ScanMargin.Contingency(maintenance: 0.05)
        func run(_ collateral: Double, _ rule: MarginModel?) throws -> PathOutcomes {
            try Self.simulation(
                HedgeOnce(), [Self.venue()],
                margin: MarginAccount(
                    collateral: collateral, maintenance: 0.05, optionMaintenance: 0.05, penalty: 0.01,
                    isCrossed: rule == nil), rule: rule
            ).run(paths: 8)
        }
        var liquidated: Set<Double> = []
        for collateral in [70.0, 80, 90, 100, 120, 160, 250, 1000] {
            let (own, simple) = (try run(collateral, MarginModel(.scan(scan))), try run(collateral, nil))
            let count = simple.values(.liquidations, policy: 0)
            #expect(own.values(.liquidations, policy: 0) == count, "\(collateral)")
            for (a, b) in zip(own.values(.profit, policy: 0), simple.values(.profit, policy: 0)) {
                #expect((a - b).magnitude <= 1e-9, "\(collateral): \(a), \(b)")
            }
            liquidated.formUnion(count)
        }
        #expect(liquidated == [0, 1])
        // A rule without options has no place for the book.
        let rates = MarginModel(.rates(RateMargin(initialRate: 0.1, maintenanceRate: 0.05)))
        #expect(throws: SimulationError.self) { try run(100, rates) }
    }
}

/// Hedges once and then leaves it.
struct HedgeOnce: RebalancingPolicy {
    var name: String { "once" }
    func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        .hold.replacing(with: .neutral, where: state.yearsSinceHedge .== Lanes(repeating: .infinity))
    }
}

/// As wide as what past prices say of volatility.
private struct BandOfVolatility: RebalancingPolicy {
    var name: String { "volatility" }
    var realisedVolatility: RealisedVolatility? { .exponentiallyWeighted(halfLifeYears: TimeGrid.hour) }
    func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        RebalancingBand(lower: state.realisedVolatility.negated, upper: state.realisedVolatility)
    }
}
