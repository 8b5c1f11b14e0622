import Foundation
import Greeks
import Market
import Rebalancing
import Simulation
import Testing
import VectorMath

/// What happens at venues now and then, by value.
struct VenueEventTests {
    static func simulation(
        _ venue: Venue, _ policy: any RebalancingPolicy = AlwaysRebalance(),
        contract: HedgeContract = HedgeContract(kind: .linearPerpetual), funding: Funding = .none,
        steps: Int = 720, closesAtEnd: Bool = false, model: (any PathModel)? = nil
    ) throws -> HedgingSimulation {
        let grid = try TimeGrid(steps: steps, stepYears: TimeGrid.hour)
        return try HedgingSimulation(
            model: try model ?? GeometricBrownianMotion(grid, spot: 100, volatility: 0.8),
            surface: try SurfaceDynamics(.constant(0.8)),
            book: HedgedBook(options: [
                HedgedOption(isPut: false, strike: 100, years: 40.0 / 365, volatility: 0.8, quantity: -50)
            ]),
            terms: TradingTerms(contract, venues: [venue]).with {
                $0.funding = funding
                $0.closesAtEnd = closesAtEnd
            },
            policies: [policy], seed: 4, engine: try GreeksEngine())
    }

    static func venue(
        _ costs: OrderBookCosts = OrderBookCosts(), _ failures: VenueFailures = VenueFailures()
    ) -> Venue { Venue(name: "venue", costs: .orderBook(costs), failures: failures) }

    static func part(_ step: TracedStep, _ part: ProfitPart) -> Double { step.parts[part.rawValue] }

    @Test("A policy is told of a pool's depth: the coins that move its price by a percent")
    func depthOfPools() throws {
        let liquidity = 3000.0
        let pool = Venue(name: "pool", costs: .pool(PoolCosts(liquidity: liquidity)))
        for step in try Self.simulation(pool, BandOfDepth(), steps: 48).trace(policy: 0, path: 0) {
            // x coins bought from a reserve R take the price to S·(R/(R − x))².
            let reserve = liquidity / step.spot.squareRoot()
            let coins = reserve * (1 - 1 / 1.01.squareRoot())
            #expect((step.bandUpper / coins - 1).magnitude < 0.01)
        }
    }

    @Test("A partial fill is at least the least part, and any part from there on")
    func leastFill() throws {
        let failures = VenueFailures(partialFill: 1, leastFill: 0.6)
        let steps = try Self.simulation(Self.venue(OrderBookCosts(), failures)).trace(policy: 0, path: 0)
        let shares = steps.filter { $0.asked != 0 }.map { $0.filled / $0.asked }
        #expect(shares.count > 700)
        #expect(shares.allSatisfy { $0 >= 0.6 && $0 < 1 })
        #expect(shares.contains { $0 < 0.62 } && shares.contains { $0 > 0.98 })
        let mean = shares.reduce(0, +) / Double(shares.count)
        #expect((mean - 0.8).magnitude < 4 * 0.4 / (12 * Double(shares.count)).squareRoot())
    }

    @Test("Funding of an inverse perpetual is paid on its dollars, the same whatever the price does")
    func inverseFunding() throws {
        let steps = try Self.simulation(
            Self.venue(), HedgeOnce(), contract: HedgeContract(kind: .inversePerpetual),
            funding: .constant(0.0003)
        ).trace(policy: 0, path: 2)
        let dollars = steps[0].filled * steps[0].mark
        #expect(dollars > 100)
        for step in steps {
            #expect((Self.part(step, .funding) + dollars * 0.0003 / 8).magnitude < 1e-12 * dollars)
        }
    }

    @Test("Of a history of funding a longer step pays all that falls within it, and however long it is")
    func fundingOfLongSteps() throws {
        let rates = (0..<50).map { (2 + sin(Double($0 * $0))) * 1e-6 }
        let rows = rates.indices.map { "\(1_640_995_200_000 + 3_600_000 * $0),\(rates[$0])" }
        let history = try FundingHistory(
            Source(name: "f", text: "time_utc,funding_rate\n" + rows.joined(separator: "\n") + "\n"))
        func payments(_ steps: Int, _ years: Double, volatility: Double = 0.8) throws -> [Double] {
            let grid = try TimeGrid(steps: steps, stepYears: years)
            let trace = try Self.simulation(
                Self.venue(), HedgeOnce(), contract: HedgeContract(kind: .inversePerpetual),
                funding: .history(history),
                model: GeometricBrownianMotion(grid, spot: 100, volatility: volatility)
            ).trace(policy: 0, path: 3)
            let dollars = trace[0].filled * trace[0].mark
            return trace.map { -Self.part($0, .funding) / dollars }
        }
        // A day, two hours and a half, three days and an hour: longer than the history.
        for (hours, steps) in [(24.0, 30), (2.5, 80), (73, 12)] {
            let found = try payments(steps, hours * TimeGrid.hour)
            func expected(_ step: Int, from place: Int) -> Double {
                let (first, end) = (Int(Double(step) * hours), Int(Double(step + 1) * hours))
                let sum = (first..<end).reduce(0) { $0 + rates[(place + $1) % 50] }
                return sum / Double(end - first) * hours
            }
            let place = try #require(
                rates.indices.first { (found[0] / expected(0, from: $0) - 1).magnitude < 1e-9 })
            for step in found.indices {
                #expect((found[step] / expected(step, from: place) - 1).magnitude < 1e-9, "\(hours) \(step)")
            }
        }
        #expect(try payments(3, 1e9, volatility: 0).allSatisfy(\.isFinite))
    }

    @Test("Funding by the premium is 0 within 0.025%, and beyond that what lies beyond")
    func premiumFunding() throws {
        let steps = try Self.simulation(
            Self.venue(), contract: HedgeContract(kind: .linearPerpetual, premiumDeviation: 4e-4),
            funding: .premium
        ).trace(policy: 0, path: 1)
        var kinds = [0, 0, 0]
        for step in steps {
            let premium = step.mark / step.spot - 1
            let beyond = premium > 0.00025 ? premium - 0.00025 : premium < -0.00025 ? premium + 0.00025 : 0
            kinds[beyond == 0 ? 0 : beyond > 0 ? 1 : 2] += 1
            let value = step.hedgeAfter * step.mark
            #expect((Self.part(step, .funding) + value * beyond / 8).magnitude < 1e-13 * 5000)
        }
        #expect(kinds.allSatisfy { $0 > 50 })
    }

    @Test("A crossed account is charged for the options that are liquidated, too")
    func crossedPenalty() throws {
        let steps = try FailureTests.simulation(
            HedgeOnce(), [FailureTests.venue()],
            margin: MarginAccount(
                collateral: 80, maintenance: 0.05, optionMaintenance: 0.05, penalty: 0.01, isCrossed: true)
        ).trace(policy: 0, path: 0)
        let time = try #require(steps.firstIndex { Self.part($0, .liquidation) != 0 })
        let spot = steps[time + 1].spot
        // Ten puts sold, and the hedge.
        let notional = (10 + steps[time].hedgeAfter.magnitude) * spot
        #expect((Self.part(steps[time], .liquidation) + 0.01 * notional).magnitude < 1e-9 * notional)
        #expect(steps[time].hedgeAfter.magnitude > 1)
    }

    @Test("A maker closes as a taker: the spread is paid, and the taker's fee")
    func makerCloses() throws {
        let costs = OrderBookCosts(halfSpread: 2e-4, takerFee: 7e-4, makerFee: -1e-4, isMaker: true)
        let simulation = try Self.simulation(Self.venue(costs), closesAtEnd: true)
        let steps = simulation.trace(policy: 0, path: 0)
        let figures = simulation.run(paths: 8)
        func closing(_ part: ProfitPart) -> Double {
            figures.values(part, policy: 0)[0] - steps.reduce(0) { $0 + Self.part($1, part) }
        }
        let last = try #require(steps.last)
        let value = last.hedgeAfter.magnitude * last.mark
        #expect(value > 100 && (closing(.spread) / (-2e-4 * value) - 1).magnitude < 0.05)
        // On the price that is got or paid.
        let side = last.hedgeAfter > 0 ? -1.0 : 1
        #expect((closing(.fees) / closing(.spread) / (7e-4 / 2e-4 * (1 + side * 2e-4)) - 1).magnitude < 1e-6)
    }

    @Test("Outages that overlap last until the last of them ends, no longer")
    func overlappingOutages() throws {
        // Outages that begin by chance, 0.02 an hour, and last 20 hours on average.
        let failures = VenueFailures(outagesPerYear: 0.02 * 8760, outageHours: 20)
        let steps = 240
        let shares = try Self.simulation(Self.venue(OrderBookCosts(), failures), steps: steps)
            .run(paths: 1000, threads: 2).values(.timeUnhedged, policy: 0)
        var (expected, isUp) = (0.0, 1.0)
        for time in 0..<steps {
            // No outage that began so many hours ago still lasts.
            isUp *= 1 - 0.02 * exp(-Double(time) / 20)
            expected += (1 - isUp) / Double(steps)
        }
        let sample = KnownResultsTests.sample(shares)
        let error = (sample.variance / Double(shares.count)).squareRoot()
        #expect((sample.mean - expected).magnitude < 4 * error, "\(sample.mean) ± \(error), \(expected)")
        #expect(error < 0.01)
        let planned = VenueFailures(outages: [
            Outage(fromHour: 10, toHour: 20), Outage(fromHour: 15, toHour: 18),
            Outage(fromHour: 19, toHour: 22),
        ])
        let down = try Self.simulation(Self.venue(OrderBookCosts(), planned), steps: 48)
            .trace(policy: 0, path: 0).filter(\.isDown).map(\.hours)
        #expect(down == (10..<22).map(Double.init))
    }

    @Test("Spreads widen with the day's volatility above that of the start, and never narrow below it")
    func spreads() throws {
        let costs = OrderBookCosts(halfSpread: 3e-4, spreadWidening: 0.7)
        let steps = try Self.simulation(Self.venue(costs)).trace(policy: 0, path: 3)
        let decay = exp(-1.0 / 24)
        var variance = 0.64
        var sides = (calm: 0, wild: 0)
        for (index, step) in steps.enumerated() {
            if index > 0 {
                let move = step.spot / steps[index - 1].spot - 1
                variance = variance * decay + move * move * 8760 * (1 - decay)
            }
            let ratio = (variance / 0.64).squareRoot()
            if ratio < 0.9 { sides.calm += 1 }
            if ratio > 1.1 { sides.wild += 1 }
            let half = 3e-4 * (1 + 0.7 * max(0, ratio - 1))
            let expected = step.filled.magnitude * step.mark * half
            #expect((Self.part(step, .spread) + expected).magnitude < 1e-9 * max(1, expected))
        }
        #expect(sides.calm > 50 && sides.wild > 50)
    }

    @Test("A market that begins without volatility is simulated, and its spreads stay as they are")
    func withoutVolatility() throws {
        let grid = try TimeGrid(steps: 200, stepYears: TimeGrid.hour)
        let model = try RegimeSwitching(
            grid, spot: 100, [.init(volatility: 0), .init(volatility: 0.8)], rates: [[0, 100], [100, 0]],
            start: 0)
        let costs = OrderBookCosts(halfSpread: 3e-4, spreadWidening: 0.7)
        let simulation = try Self.simulation(Self.venue(costs), steps: 200, model: model)
        let figures = simulation.run(paths: 16)
        #expect(figures.firstNotFinite == nil)
        for step in simulation.trace(policy: 0, path: 0) where step.filled != 0 {
            let value = step.filled.magnitude * step.mark
            #expect((Self.part(step, .spread) + 3e-4 * value).magnitude < 1e-12 * value)
        }
    }

    @Test(
        "What cannot be computed with is refused with field and value",
        arguments: [
            ("latency_seconds", Venue(name: "v", costs: .orderBook(OrderBookCosts()), latencySeconds: 1e15)),
            ("latency_seconds", Venue(name: "v", costs: .orderBook(OrderBookCosts()), latencySeconds: 1e300)),
            ("blocks", Venue(name: "v", costs: .pool(PoolCosts(liquidity: 1000, blocks: 1e8)))),
            (
                "block_seconds",
                Venue(name: "v", costs: .pool(PoolCosts(liquidity: 1000, blockSeconds: 1e100)))
            ),
            ("liquidity", Venue(name: "v", costs: .pool(PoolCosts(liquidity: 1.7e308)))),
            ("gas_usd", Venue(name: "v", costs: .pool(PoolCosts(liquidity: 1000, gas: 1e300)))),
            ("depth_usd", venue(OrderBookCosts(depth: 1e-300))),
            ("linear_impact", venue(OrderBookCosts(linearImpact: 1e300))),
            ("square_root_impact", venue(OrderBookCosts(squareRootImpact: 1e300))),
            ("spread_widening", venue(OrderBookCosts(spreadWidening: 1e300))),
            ("outage_hours", venue(OrderBookCosts(), VenueFailures(outageHours: .nan))),
        ])
    func refusals(_ field: String, _ venue: Venue) {
        do {
            _ = try Self.simulation(venue)
            Issue.record("accepted")
        } catch let error as SimulationError {
            #expect(error.field == field, "\(error)")
        } catch { Issue.record("\(error)") }
    }

    @Test("Drift and volatility that take prices out of range are refused with their factor")
    func growth() throws {
        let grid = try TimeGrid(steps: 1000, stepYears: 0.01)
        for (field, drift, volatility) in [
            ("drift_per_year", 1e300, 0.5), ("drift_per_year", -7, 0.5), ("volatility", 0, 3),
            ("volatility", 0, -0.1),
        ] {
            do {
                _ = try GeometricBrownianMotion(grid, spot: 100, drift: drift, volatility: volatility)
                Issue.record("accepted: \(drift), \(volatility)")
            } catch { #expect(error.field == field, "\(error)") }
        }
        #expect(throws: Never.self) {
            try GeometricBrownianMotion(grid, spot: 100, drift: -5, volatility: 2)
        }
    }
}

/// Its band is as wide as the market is deep.
private struct BandOfDepth: RebalancingPolicy {
    var name: String { "depth" }
    func band(_ state: borrowing RebalancingState) -> RebalancingBand {
        RebalancingBand(lower: state.depth.negated, upper: state.depth)
    }
}
