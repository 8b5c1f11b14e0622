import Greeks
import Rebalancing
import Simulation
import Testing

/// What numbers a simulation takes, and what stands for those that nobody gives.
struct RangeTests {
    /// A number with the ends of its range; `make` throws where it is refused.
    struct Range: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let low, high: Double
        let make: @Sendable (Double) throws -> Void

        init(
            _ name: String, _ low: Double, _ high: Double, _ make: @escaping @Sendable (Double) throws -> Void
        ) {
            (testDescription, self.low, self.high, self.make) = (name, low, high, make)
        }
    }

    /// Above 0.
    static let least = Double.leastNonzeroMagnitude
    static let largest = Double.greatestFiniteMagnitude
    static let grid = try! TimeGrid(steps: 24, stepYears: TimeGrid.hour)

    @Test("A number is taken at both ends of its range and refused beyond them", arguments: ranges)
    func range(_ range: Range) {
        #expect(throws: Never.self) { try range.make(range.low) }
        #expect(throws: Never.self) { try range.make(range.high) }
        #expect(throws: (any Error).self, "below") { try range.make(range.low.nextDown) }
        if range.high < .infinity {
            #expect(throws: (any Error).self, "above") { try range.make(range.high.nextUp) }
        }
        #expect(throws: (any Error).self) { try range.make(.nan) }
    }

    static let ranges = orderBooks + pools + failures + contracts + accounts + surfaces + models

    private static func book(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout OrderBookCosts, Double) -> Void
    )
        -> Range
    {
        Range("order book's \(name)", low, high) {
            var costs = OrderBookCosts()
            set(&costs, $0)
            try Venue(name: "v", costs: .orderBook(costs)).validate(grid)
        }
    }
    private static let orderBooks = [
        book("half spread", 0, 1) { $0.halfSpread = $1 },
        book("spread widening", 0, 1e6) { $0.spreadWidening = $1 },
        book("taker fee", 0, 1) { $0.takerFee = $1 }, book("maker fee", -1, 1) { $0.makerFee = $1 },
        book("linear impact", 0, 1e6) { $0.linearImpact = $1 },
        book("square-root impact", 0, 1e6) { $0.squareRootImpact = $1 },
        book("depth", 1e-3, 1e18) { $0.depth = $1 },
        book("impact's half-life", 0, 1e9) { $0.impactHalfLifeHours = $1 },
        Range("largest order", least, .infinity) {
            try Venue(name: "v", costs: .orderBook(OrderBookCosts()), largestOrder: $0).validate(grid)
        },
    ]

    private static func pool(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout PoolCosts, Double) -> Void
    )
        -> Range
    {
        Range("pool's \(name)", low, high) {
            var costs = PoolCosts(liquidity: 1)
            set(&costs, $0)
            // Long enough for any block.
            try Venue(name: "v", costs: .pool(costs)).validate(try TimeGrid(steps: 24, stepYears: 1e3))
        }
    }
    private static let pools = [
        pool("liquidity", 1e-6, 1e18) { $0.liquidity = $1 }, pool("fee", 0, 0.5) { $0.fee = $1 },
        pool("gas", 0, 1e12) { $0.gas = $1 }, pool("gas spike", 1, 1e6) { $0.gasSpike = $1 },
        pool("gas spike's probability", 0, 1) { $0.gasSpikeProbability = $1 },
        pool("gas spike's return", 0, .infinity) { $0.gasSpikeReturn = $1 },
        pool("failed transactions", 0, 1) { $0.failureProbability = $1 },
        pool("seconds per block", least, 1e9) { $0.blockSeconds = $1 },
        pool("blocks", 0, 1e9) { $0.blocks = $1 },
    ]

    private static func failure(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout VenueFailures, Double) -> Void
    )
        -> Range
    {
        Range(name, low, high) {
            var failures = VenueFailures()
            set(&failures, $0)
            try Venue(name: "v", costs: .orderBook(OrderBookCosts()), failures: failures).validate(grid)
        }
    }
    private static let failures = [
        failure("outages per year", 0, 1e9) { $0.outagesPerYear = $1 },
        failure("hours of an outage", least, 1e9) { $0.outageHours = $1 },
        failure("crash's return", 0, .infinity) { $0.crashReturn = $1 },
        failure("crash's outages", 0, 1) { $0.crashOutageProbability = $1 },
        failure("orders that fail", 0, 1) { $0.orderFailure = $1 },
        failure("orders filled in part", 0, 1) { $0.partialFill = $1 },
        failure("least fill", 0, 1) { $0.leastFill = $1 },
        failure("start of an outage", 0, 2.0.nextDown) { $0.outages = [Outage(fromHour: $1, toHour: 2)] },
        failure("end of an outage", 2.0.nextUp, largest) { $0.outages = [Outage(fromHour: 2, toHour: $1)] },
        failure("start of stale prices", 0, 2.0.nextDown) {
            $0.staleSpans = [Outage(fromHour: $1, toHour: 2)]
        },
    ]

    private static func contract(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout HedgeContract, Double) -> Void
    )
        -> Range
    {
        Range("hedge's \(name)", low, high) {
            var contract = HedgeContract(kind: .linearFuture)
            set(&contract, $0)
            try contract.validate()
        }
    }
    private static func option(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout HedgeOption, Double) -> Void
    )
        -> Range
    {
        Range("option's \(name)", low, high) {
            var option = HedgeOption(name: "o", isPut: false, strike: 100, years: 0.1, volatility: 0.5)
            set(&option, $0)
            try option.validate()
        }
    }
    private static func held(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout HedgedBook, Double) -> Void
    )
        -> Range
    {
        Range("book's \(name)", low, high) {
            var book = HedgedBook(options: [
                HedgedOption(isPut: false, strike: 100, years: 0.1, volatility: 0.5, quantity: 1)
            ])
            set(&book, $0)
            try book.validate()
        }
    }
    private static let contracts = [
        contract("years", least, 36_500.0 / 365) { $0.years = $1 },
        contract("basis", -5, 5) { $0.basis = $1 },
        contract("premium's deviation", 0, 0.1) { $0.premiumDeviation = $1 },
        contract("premium's half-life", least, 1e9) { $0.premiumHalfLifeHours = $1 },
        // e^20 times as dear as spot.
        contract("growth", -20, 20) { ($0.basis, $0.years) = ($1 / 8, 8) },
        option("strike", 1e-9, 1e15) { $0.strike = $1 },
        option("volatility", 1e-6, 100) { $0.volatility = $1 },
        option("skew", -100, 100) { $0.skew = $1 }, option("half spread", 0, 1) { $0.halfSpread = $1 },
        option("fee", 0, 1) { $0.fee = $1 }, option("largest fee", 0, 1) { $0.feeCap = $1 },
        option("largest trade", 1e-9, 1e9) { $0.largestTrade = $1 },
        held("quantity", -1e12, 1e12) { $0.options[0].quantity = $1 }, held("rate", -1, 1) { $0.rate = $1 },
        held("dividend", -1, 1) { $0.dividend = $1 },
    ]

    private static func account(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout MarginAccount, Double) -> Void
    )
        -> Range
    {
        Range("account's \(name)", low, high) {
            var account = MarginAccount(collateral: 1, maintenance: 0.1)
            set(&account, $0)
            try account.validate(HedgeContract(kind: .linearPerpetual))
        }
    }
    private static func terms(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout TradingTerms, Double) -> Void
    ) -> Range {
        Range("terms' \(name)", low, high) {
            var terms = TradingTerms(
                HedgeContract(kind: .linearPerpetual),
                venues: [Venue(name: "v", costs: .orderBook(OrderBookCosts()))])
            set(&terms, $0)
            _ = try HedgingSimulation(
                model: GeometricBrownianMotion(grid, spot: 100, volatility: 0.5),
                surface: SurfaceDynamics(.constant(0.5)),
                book: HedgedBook(options: [
                    HedgedOption(isPut: false, strike: 100, years: 0.1, volatility: 0.5, quantity: 1)
                ]), terms: terms, policies: [AlwaysRebalance()], seed: 1, engine: GreeksEngine())
        }
    }
    private static let accounts = [
        terms("funding", -0.1, 0.1) { $0.funding = .constant($1) },
        terms("largest delta", 0, .infinity) { $0.deltaLimit = $1 },
        terms("largest position", 0, .infinity) { $0.positionLimit = $1 },
        terms("oldest price", 0, .infinity) { $0.oldestPrice = $1 },
        terms("collateral", least, 1e18) { $0.margin = MarginAccount(collateral: $1, maintenance: 0) },
        terms("share of a move that stays", 0, 1) {
            $0.flow = ReflexiveFlow(gammaPerPercent: 1, impactPerCoin: 1e-6, persistence: $1)
        },
        terms("option's fee", 0, 1) {
            $0.options = [
                HedgeOption(name: "o", isPut: false, strike: 100, years: 0.1, volatility: 0.5, fee: $1)
            ]
        },
        terms("venue's fee", 0, 1) {
            $0.venues = [Venue(name: "v", costs: .orderBook(OrderBookCosts(takerFee: $1)))]
        },
        account("collateral", least, 1e18) { $0.collateral = $1 },
        account("maintenance", 0, 1) { $0.maintenance = $1 },
        account("options' maintenance", 0, 1) { $0.optionMaintenance = $1 },
        account("penalty", 0, 1) { $0.penalty = $1 },
    ]

    private static func surface(
        _ name: String, _ low: Double, _ high: Double,
        _ make: @escaping @Sendable (Double) throws -> SurfaceDynamics
    )
        -> Range
    { Range("surface's \(name)", low, high) { _ = try make($0) } }
    private static func stochastic(
        _ mean: Double = 0.5, reversion: Double = 1, deviation: Double = 1, correlation: Double = 0
    ) throws -> SurfaceDynamics {
        try SurfaceDynamics(
            .stochastic(
                initial: 0.5, mean: mean, meanReversion: reversion, volatilityOfVolatility: deviation,
                correlation: correlation))
    }
    private static let surfaces = [
        surface("constant", 1e-6, 100) { try SurfaceDynamics(.constant($0)) },
        surface("premium", 1e-6, 1e6) { try SurfaceDynamics(.instantaneous(premium: $0)) },
        surface("trailing start", 1e-6, 100) {
            try SurfaceDynamics(.trailing(initial: $0, halfLife: 1, premium: 1))
        },
        surface("trailing premium", 1e-6, 1e6) {
            try SurfaceDynamics(.trailing(initial: 1, halfLife: 1, premium: $0))
        },
        surface("mean", 1e-6, 100) { try stochastic($0) },
        surface("mean reversion", 0, 1e9) { try stochastic(reversion: $0) },
        surface("volatility of volatility", 0, 1e6) { try stochastic(deviation: $0) },
        surface("correlation", -1, 1) { try stochastic(correlation: $0) },
        surface("skew", -100, 100) { try SurfaceDynamics(.constant(1), skew: $0) },
        surface("curvature", -100, 100) { try SurfaceDynamics(.constant(1), curvature: $0) },
        surface("stickiness", -100, 100) { try SurfaceDynamics(.constant(1), stickiness: $0) },
        surface("minimum", 1e-6, 10) { try SurfaceDynamics(.constant(1), minimum: $0) },
        surface("maximum", 0.01, 100) { try SurfaceDynamics(.constant(1), maximum: $0) },
    ]

    private static func heston(
        _ name: String, _ low: Double, _ high: Double,
        _ set: @escaping @Sendable (inout Heston.Parameters, Double) -> Void
    )
        -> Range
    {
        Range("Heston's \(name)", low, high) {
            var parameters = Heston.Parameters(
                variance: 0.25, meanReversion: 1, longRunVariance: 0.25, volatilityOfVariance: 0.5,
                correlation: 0)
            set(&parameters, $0)
            _ = try Heston(grid, spot: 100, parameters)
        }
    }
    private static let models = [
        heston("mean reversion", 1e-6, 1e6) { $0.meanReversion = $1 },
        heston("volatility of variance", 1e-6, 1e3) { $0.volatilityOfVariance = $1 },
        heston("correlation", -1, 1) { $0.correlation = $1 },
        Range("spot", 1e-9, 1e12) {
            _ = try GeometricBrownianMotion(grid, spot: $0, drift: 0, volatility: 0.5)
        },
        Range("volatility", 0, 20) {
            _ = try GeometricBrownianMotion(grid, spot: 1, drift: 0, volatility: $0)
        },
        // e^60 in a year.
        Range("drift", -60, 60) {
            _ = try GeometricBrownianMotion(
                TimeGrid(steps: 1, stepYears: 1), spot: 1, drift: $0, volatility: 0.5)
        },
        Range("drift of Heston's model", -60, 60) {
            let parameters = Heston.Parameters(
                variance: 0.2, meanReversion: 2, longRunVariance: 0.3, volatilityOfVariance: 0.5,
                correlation: 0)
            _ = try Heston(TimeGrid(steps: 1, stepYears: 1), spot: 1, drift: $0, parameters)
        },
        Range("drift of a regime", -60, 60) {
            _ = try RegimeSwitching(
                TimeGrid(steps: 1, stepYears: 1), spot: 1,
                [.init(volatility: 1), .init(drift: $0, volatility: 2)], rates: [[0, 1], [1, 0]])
        },
        Range("step", least, 1e9) { _ = try TimeGrid(steps: 1, stepYears: $0) },
        Range("jumps' mean", -2, 2) { _ = try jumps(1, $0, 0.1) },
        Range("jumps' deviation", 0, 2) { _ = try jumps(1, 0, $0) },
        // Twenty a step.
        Range("jumps per year", 0, 20 * 8192) { _ = try jumps($0, 0.01, 0) },
        Range("moves between regimes", 0, 1e9) {
            _ = try RegimeSwitching(
                grid, spot: 1, [.init(volatility: 1), .init(volatility: 2)], rates: [[0, $0], [1, 0]])
        },
    ]
    private static func jumps(_ intensity: Double, _ mean: Double, _ deviation: Double) throws
        -> JumpDiffusion
    {
        try JumpDiffusion(
            GeometricBrownianMotion(
                TimeGrid(steps: 1, stepYears: 0x1p-13), spot: 1, drift: 0, volatility: 0.5),
            intensity: intensity, meanJump: mean, jumpDeviation: deviation)
    }

    @Test(
        "What is not given costs nothing, never fails and limits nothing; what has to be something is what the manual says"
    )
    func defaults() throws {
        let book = OrderBookCosts()
        #expect(
            book
                == OrderBookCosts(
                    halfSpread: 0, spreadWidening: 0, takerFee: 0, makerFee: 0, isMaker: false,
                    linearImpact: 0,
                    squareRootImpact: 0, depth: 1e6, impactHalfLifeHours: 0))
        #expect(
            PoolCosts(liquidity: 7)
                == PoolCosts(
                    liquidity: 7, fee: 0.0005, gas: 0, gasSpike: 1, gasSpikeProbability: 0,
                    gasSpikeReturn: .infinity,
                    failureProbability: 0, blockSeconds: 12, blocks: 1))
        let none = VenueFailures()
        #expect(none.outages.isEmpty && none.staleSpans.isEmpty)
        #expect(none.outagesPerYear == 0 && none.outageHours == 1 && none.crashReturn == .infinity)
        #expect(none.crashOutageProbability == 0 && none.orderFailure == 0)
        #expect(none.partialFill == 0 && none.leastFill == 0)
        let venue = Venue(name: "v", costs: .orderBook(book))
        #expect(venue.failures == none && venue.latencySeconds == 0 && venue.largestOrder == .infinity)
        #expect(
            HedgeContract(kind: .spot)
                == HedgeContract(
                    kind: .spot, years: 90.0 / 365, basis: 0, premiumDeviation: 0, premiumHalfLifeHours: 8))
        #expect(
            HedgeOption(name: "o", isPut: false, strike: 1, years: 1, volatility: 1)
                == HedgeOption(
                    name: "o", isPut: false, strike: 1, years: 1, volatility: 1, skew: 0, halfSpread: 0,
                    fee: 0,
                    feeCap: 0.125, largestTrade: 1e6))
        let account = MarginAccount(collateral: 1, maintenance: 0.1)
        #expect(account.optionMaintenance == 0 && account.penalty == 0.005 && !account.isCrossed)
        #expect(ReflexiveFlow(gammaPerPercent: 1, impactPerCoin: 1).persistence == 1)
        let terms = TradingTerms(HedgeContract(kind: .spot), venues: [venue])
        #expect(terms.options.isEmpty && terms.funding == .none && terms.margin == nil && terms.flow == nil)
        #expect(terms.closesAtEnd && terms.deltaLimit == .infinity && terms.positionLimit == .infinity)
        #expect(terms.oldestPrice == 0)
        let option = HedgedOption(isPut: false, strike: 1, years: 1, volatility: 1, quantity: 1)
        let held = HedgedBook(options: [option])
        #expect(option.skew == 0 && held.settlement == .linear && held.rate == 0 && held.dividend == 0)
        let surface = try SurfaceDynamics(.constant(1))
        #expect(surface.skew == 0 && surface.curvature == 0 && surface.stickiness == 1)
        #expect(surface.minimum == 0.01 && surface.maximum == 10)
        #expect(RegimeSwitching.Regime(volatility: 1).drift == 0)
    }
}
