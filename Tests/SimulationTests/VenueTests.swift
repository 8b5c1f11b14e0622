import Greeks
import Market
import Rebalancing
import Simulation
import Testing
import VectorMath

/// Costs of each kind against what they are by definition.
struct VenueTests {
    static func simulation(
        _ costs: Venue.Costs, kind: HedgeContract.Kind = .linearPerpetual, funding: Funding = .none,
        flow: ReflexiveFlow? = nil, latencySeconds: Double = 0
    ) throws -> HedgingSimulation {
        let grid = try TimeGrid(steps: 720, stepYears: TimeGrid.hour)
        return try HedgingSimulation(
            model: try GeometricBrownianMotion(grid, spot: 100, volatility: 0.8),
            surface: try SurfaceDynamics(.constant(0.8)),
            book: HedgedBook(options: [
                HedgedOption(isPut: false, strike: 100, years: 40.0 / 365, volatility: 0.8, quantity: -50)
            ]),
            terms: TradingTerms(
                HedgeContract(kind: kind),
                venues: [Venue(name: "venue", costs: costs, latencySeconds: latencySeconds)]
            ).with {
                $0.funding = funding
                $0.flow = flow
                $0.closesAtEnd = false
            },
            policies: [AlwaysRebalance()], seed: 4, engine: try GreeksEngine())
    }

    static func part(_ step: TracedStep, _ part: ProfitPart) -> Double { step.parts[part.rawValue] }

    @Test("a constant-product pool keeps its product")
    func pool() throws {
        let (liquidity, fee) = (3000.0, 0.003)
        let steps = try Self.simulation(.pool(PoolCosts(liquidity: liquidity, fee: fee, gas: 1, blocks: 0)))
            .trace(policy: 0, path: 0)
        var sides = (0, 0)
        for step in steps where step.filled != 0 {
            let (coins, quote) = (liquidity / step.mark.squareRoot(), liquidity * step.mark.squareRoot())
            let size = step.filled.magnitude
            let cost: Double
            if step.filled > 0 {
                sides.0 += 1
                cost = (coins * quote / (coins - size) - quote) / (1 - fee) - size * step.mark
            } else {
                sides.1 += 1
                cost = size * step.mark - (quote - coins * quote / (coins + size * (1 - fee)))
            }
            let paid = -Self.part(step, .impact) - Self.part(step, .fees)
            // The differences cancel all but the last digits of the pool's reserves.
            #expect((paid - cost).magnitude <= 1e-11 * quote, "\(step.filled): \(paid) \(cost)")
            #expect(Self.part(step, .gas) == -1)
        }
        #expect(sides.0 > 100 && sides.1 > 100)
    }

    @Test("spread and fee of a taker, linear and square-root impact with their decay")
    func orderBook() throws {
        let book = OrderBookCosts(
            halfSpread: 3e-4, takerFee: 5e-4, linearImpact: 0.01, squareRootImpact: 0.004, depth: 5000,
            impactHalfLifeHours: 2)
        let steps = try Self.simulation(.orderBook(book)).trace(policy: 0, path: 1)
        var displacement = 0.0
        for step in steps {
            let value = step.filled.magnitude * step.mark
            let sign = step.filled < 0 ? -1.0 : 1
            let (linear, root) = (0.01 * value / 5000, 0.004 * (value / 5000).squareRoot())
            let price =
                step.mark * (1 + sign * 3e-4 + displacement + sign * (linear / 2 + 2 * root / 3))
            let cost = step.filled * (price - step.mark) + step.filled.magnitude * price * 5e-4
            let paid = -Self.part(step, .spread) - Self.part(step, .impact) - Self.part(step, .fees)
            #expect((paid - cost).magnitude <= 1e-9 * max(value, 1), "\(paid) \(cost)")
            if step.filled != 0 { displacement += sign * (linear + root) }
            displacement *= 0.7071067811865476
        }
    }

    @Test("inverse and linear contracts, coins kept as coins, hedge alike to the last digits")
    func inverse() throws {
        let free = Venue.Costs.orderBook(OrderBookCosts())
        let linear = try Self.simulation(free, kind: .linearPerpetual).run(paths: 32)
        for kind in [HedgeContract.Kind.inversePerpetual, .spot] {
            let other = try Self.simulation(free, kind: kind).run(paths: 32)
            for (a, b) in zip(linear.values(.profit, policy: 0), other.values(.profit, policy: 0)) {
                #expect((a - b).magnitude <= 1e-12 * 5000 * 720)
            }
        }
    }

    @Test("constant funding is paid on what is held")
    func funding() throws {
        let steps = try Self.simulation(.orderBook(OrderBookCosts()), funding: .constant(0.0003)).trace(
            policy: 0, path: 2)
        for step in steps {
            let expected = -step.hedgeAfter * step.mark * 0.0003 / 8
            #expect((Self.part(step, .funding) - expected).magnitude <= 1e-12 * step.mark * 50)
        }
    }

    @Test("a resting order is filled as often as a Brownian path reaches it")
    func resting() throws {
        // Half a spread of 0.3 deviations of a step: 2 N(−0.3).
        let half = 0.3 * 0.8 * TimeGrid.hour.squareRoot()
        let simulation = try Self.simulation(
            .orderBook(OrderBookCosts(halfSpread: half, makerFee: -1e-4, isMaker: true)))
        var (asked, filled) = (0.0, 0.0)
        for path in 0..<24 {
            for step in simulation.trace(policy: 0, path: path) where step.asked != 0 {
                asked += 1
                guard step.filled != 0 else { continue }
                filled += 1
                #expect(Self.part(step, .spread) > 0 && Self.part(step, .fees) > 0)
            }
        }
        let error = (0.7642 * 0.2358 / asked).squareRoot()
        #expect((filled / asked - 0.7642).magnitude < 4 * error, "\(filled / asked) ± \(error)")
    }

    @Test("latency moves the fill along the step, and what it costs is slippage")
    func latency() throws {
        let simulation = try Self.simulation(.orderBook(OrderBookCosts()), latencySeconds: 1800)
        // The middle half an hour on, given both ends, is their mean and a bridge of deviation σ√(Δt/4).
        var (sum, square, count) = (0.0, 0.0, 0.0)
        for path in 0..<16 {
            let steps = simulation.trace(policy: 0, path: path)
            for (step, next) in zip(steps, steps.dropFirst()) where step.filled != 0 {
                let middle = step.mark - Self.part(step, .slippage) / step.filled
                let standard =
                    (middle - (step.mark + next.mark) / 2)
                    / (step.mark * 0.8 * (TimeGrid.hour / 4).squareRoot())
                sum += standard
                square += standard * standard
                count += 1
            }
        }
        #expect((sum / count).magnitude < 4 / count.squareRoot())
        #expect((square / count - 1).magnitude < 4 * (2 / count).squareRoot())
    }

    @Test("hedgers who chase the price make returns an autoregression")
    func reflexive() throws {
        let simulation = try Self.simulation(
            .orderBook(OrderBookCosts()), flow: ReflexiveFlow(gammaPerPercent: -100, impactPerCoin: 6e-5))
        // φ = 0.6: variance 1/(1 − φ²), correlation of neighbours φ.
        var (square, product, count) = (0.0, 0.0, 0.0)
        for path in 0..<24 {
            let spots = simulation.trace(policy: 0, path: path).map(\.spot)
            let returns = zip(spots.dropFirst(), spots).map { $0 / $1 - 1 }
            for (next, last) in zip(returns.dropFirst(30), returns.dropFirst(29)) {
                square += last * last
                product += next * last
                count += 1
            }
        }
        let variance = square / count / (0.64 * TimeGrid.hour)
        #expect((variance - 1 / (1 - 0.36)).magnitude < 0.12, "\(variance)")
        #expect((product / square - 0.6).magnitude < 0.03, "\(product / square)")
        #expect(throws: SimulationError.self) {
            try Self.simulation(
                .orderBook(OrderBookCosts()), flow: ReflexiveFlow(gammaPerPercent: -200, impactPerCoin: 6e-5))
        }
    }

    @Test("funding is the same from exchanges' own replies, hourly or every eight hours, newest first too")
    func fundingOfExchanges() throws {
        func history(_ text: String) throws -> FundingHistory {
            try FundingHistory(Source(name: "f", text: text))
        }
        let eight = try history(
            "calc_time,funding_interval_hours,last_funding_rate\n1640995200004,8,0.0001\n1641024000000,8,-0.0002\n"
        )
        #expect(eight.rates == [0.0001, -0.0002] && eight.interval == 28_800_000)
        let reply = try history(
            "[{\"symbol\":\"BTCUSDT\",\"fundingTime\":1641024000000,\"fundingRate\":\"-0.0002\"},"
                + "{\"symbol\":\"BTCUSDT\",\"fundingTime\":1640995200004,\"fundingRate\":\"0.00010000\"}]")
        #expect(reply == eight)
        let hours = (0..<3).map {
            "{\"timestamp\":\(1_640_995_200_000 + 3_600_000 * $0),\"interest_8h\":9,\"interest_1h\":1e-5}"
        }
        let hourly = try history("{\"jsonrpc\":\"2.0\",\"result\":[\(hours.joined(separator: ","))]}")
        #expect(hourly.rates == [1e-5, 1e-5, 1e-5] && hourly.interval == 3_600_000)
        let last = try #require(hourly.payments.last)
        #expect(last.time == Timestamp(milliseconds: 1_640_995_200_000 + 2 * 3_600_000))
        let gap = "{\"timestamp\":1641013200000,\"interest_1h\":1e-5}"
        #expect(throws: MarketError.self) { try history("[\((hours + [gap]).joined(separator: ","))]") }
    }

    @Test("a history of funding without gaps; what is out of order is named")
    func fundingHistory() throws {
        let header = "venue,symbol,time_utc,funding_rate\n"
        func history(_ rows: String) throws -> FundingHistory {
            try FundingHistory(Source(name: "funding.csv", text: header + rows), venue: "v", symbol: "s")
        }
        let good = try history(
            "v,s,2022-01-01T00:00:00Z,0.0001\nw,s,2022-01-01T00:00:00Z,9\nv,s,2022-01-01T08:00:00Z,-0.0002\n")
        #expect(good.rates == [0.0001, -0.0002])
        for (rows, line) in [
            ("v,s,2022-01-01T00:00:00Z,0.0001\nv,s,2022-01-01T16:00:00Z,0\n", 3),
            (
                "v,s,2022-01-01T08:00:00Z,0.0001\nv,s,2022-01-01T00:00:00Z,0\nv,s,2022-01-01T16:00:00Z,0\n", 3
            ),
            ("v,s,yesterday,0.0001\n", 2), ("v,s,2022-01-01T00:00:00Z,much\n", 2),
            // Of another venue, of another symbol, of none.
            ("w,s,2022-01-01T00:00:00Z,0\n", 1), ("v,t,2022-01-01T00:00:00Z,0\n", 1), ("", 1),
        ] {
            do {
                _ = try history(rows)
                Issue.record("accepted: \(rows)")
            } catch let error as MarketError {
                #expect("\(error)".hasPrefix("funding.csv:\(line):"), "\(error)")
            }
        }
    }
}
