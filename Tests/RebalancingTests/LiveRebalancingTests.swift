import Greeks
import Hedging
import Market
import Rebalancing
import Risk
import TestSupport
import Testing
import VectorMath

/// Policies over the sample's books.
struct LiveRebalancingTests {
    let risk: LiveRisk
    let hedges: [LiveHedge]

    init() throws {
        (risk, hedges) = try Self.hedges(
            """
            book,underlying,greek,low,high
            ,BTC,delta,-1e9,1e9
            ,BTC,vega,-1e7,1e7
            ,ETH,net_delta,-1e9,1e9
            ,BTC,gamma,-1e9,1e9
            book-01,BTC,delta,-1e9,1e9
            book-02,ETH,delta,-1e9,1e9
            """)
    }

    static func hedges(_ limits: String) throws -> (LiveRisk, [LiveHedge]) {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
        func source(_ name: String) throws -> Source {
            try Source(path: folder.appendingPathComponent(name).path)
        }
        var badRows = BadRows(skip: false)
        return try LiveHedge.all(
            try PositionTable(try source("positions.csv"), &badRows),
            in: try Chain(try source("chain.csv"), &badRows),
            try LimitTable(Source(name: "limits.csv", text: limits), &badRows), BookHedge.Options(),
            try GreeksEngine(), &badRows)
    }

    @Test(
        "Bands in a limit's unit are the limit's numbers; natural ones are a year of days and 100 points of them"
    )
    func units() throws {
        let (risk, hedges) = try Self.hedges(
            "underlying,greek,low,high\nBTC,delta,-1e9,1e9\nBTC,gamma,-1e9,1e9\nBTC,vega,-1e9,1e9\nBTC,theta,-1e9,1e9\n"
        )
        let hedge = try #require(hedges.first)
        let spot = risk.price(ofUnderlying: try #require(risk.underlyings.firstIndex(of: "BTC")))
        for (limit, greek) in RebalancedGreek.allCases.enumerated() {
            let natural = [1000 / spot, 1000 * 100 / (spot * spot), 100_000, 365_000][limit]
            for width in [ThresholdPolicy.HalfWidth.limit(greek, 1000), .greek(greek, natural)] {
                let live = try LiveRebalancing(
                    hedge, [.init(limit: limit, policy: try ThresholdPolicy(width))])
                prepared(live)
                _ = try live.decide()
                #expect((live.bands[0].upper[0] / 1000 - 1).magnitude < 1e-12, "\(width)")
                #expect(live.bands[0].lower[0] == -live.bands[0].upper[0])
            }
        }
    }

    func hedge(_ book: String?) throws -> LiveHedge {
        try #require(hedges.first { ($0.problem.name == book ?? "all books") })
    }

    func prepared(_ live: LiveRebalancing) {
        for rule in live.states.indices {
            live.states[rule].proportionalCost = Lanes(repeating: 0.0005)
            live.states[rule].yearsToExpiry = Lanes(repeating: 0.08)
            live.states[rule].impliedVolatility = Lanes(repeating: 0.6)
            live.states[rule].dataAge = .zero
        }
    }

    /// Bands are the policies' in the limits' units; what is outside comes into the inner band, what is inside stays in
    /// the outer one, at the optimum of the same problem by hand.
    @Test("What is outside a policy's band is hedged into the inner band, at the optimum by hand")
    func bandsReachTheHedge() throws {
        let hedge = try hedge(nil)
        let live = try LiveRebalancing(
            hedge,
            [
                .init(limit: 0, policy: try WhalleyWilmottPolicy(riskAversion: 1e-6)),
                .init(limit: 1, policy: try ThresholdPolicy(.greek(.vega, 250_000), landing: .inner(0.5))),
                .init(limit: 2, policy: try ThresholdPolicy(.cash(50_000), landing: .centre)),
                .init(limit: 3, policy: NeverGamma()),
            ])
        prepared(live)
        let decision = try live.decide()
        hedge.refresh()
        let before = hedge.limits.indices.map { hedge.exposure(ofBand: $0, hedge.greeks[$0]) }
        print("exposures", before, "bands", live.bands.map { [$0.lower[0], $0.upper[0]] })

        let spot = risk.price(ofUnderlying: try #require(risk.underlyings.firstIndex(of: "BTC")))
        let gamma = hedge.exposure(ofBand: 0, .gamma) * 100 / (spot * spot)
        var state = RebalancingState()
        state.spot = Lanes(repeating: spot)
        state.gamma = Lanes(repeating: gamma)
        state.proportionalCost = Lanes(repeating: 0.0005)
        let width = try WhalleyWilmottPolicy(riskAversion: 1e-6).band(state).upper[0] * spot
        #expect(
            abs(live.bands[0].upper[0] / width - 1) < 1e-12
                && live.bands[0].lower[0] == -live.bands[0].upper[0])
        #expect(abs(live.bands[1].upper[0] - 2500) < 1e-9 && abs(live.bands[1].innerUpper[0] - 1250) < 1e-9)
        #expect(abs(live.bands[2].upper[0] - 50_000) < 1e-6 && live.bands[2].innerUpper[0] == 0)
        #expect(live.bands[3].upper[0] == .infinity)

        #expect(decision == .hedge(.optimal))
        let byHand = HedgeSolver()
        #expect(try byHand.solve(hedge.problem) == .optimal)
        #expect(abs(byHand.solution.cost.total / hedge.solution.cost.total - 1) < 1e-8)
        try hedge.book(hedge.solution.trades, in: "book-01")
        hedge.refresh()
        for (rule, band) in zip(live.rules, live.bands) {
            let (limit, outside) = (hedge.limits[rule.limit], live.isOutside[rule.limit])
            let now = hedge.exposure(ofBand: rule.limit, hedge.greeks[rule.limit])
            let (low, high) =
                outside ? (band.innerLower[0], band.innerUpper[0]) : (band.lower[0], band.upper[0])
            let slack = 1e-6 * max(1, abs(before[rule.limit]))
            #expect(now >= low - slack && now <= high + slack, "\(limit.name): \(now) not in \(low)…\(high)")
        }
        #expect(live.isOutside.contains(true))
        // The trades have moved gamma, and with it the band of delta; whatever is decided now is decided in peace.
        prepared(live)
        if case .hedge(let status) = try live.decide() { #expect(status == .optimal) }
    }

    @Test("Nothing is traded on stale data, nor while all exposures are inside, whatever the limits")
    func holds() throws {
        for book in [nil, "book-01", "book-02"] {
            let hedge = try hedge(book)
            let limit = 0
            let policy = try FreshDataPolicy(AlwaysRebalance(), freshSeconds: 2, staleSeconds: 10)
            let live = try LiveRebalancing(hedge, [.init(limit: limit, policy: policy)])
            prepared(live)
            #expect(try live.decide() == .hedge(.optimal))
            live.states[0].dataAge = Lanes(repeating: 11)
            #expect(try live.decide() == .withinLimits && live.isOutside == [false])
            let wide = try LiveRebalancing(
                hedge, [.init(limit: limit, policy: try ThresholdPolicy(.cash(1e8)))])
            prepared(wide)
            #expect(try wide.decide() == .withinLimits)
        }
    }

    @Test("A policy's own volatility shifts the band by vanna")
    func adjustedVolatility() throws {
        let hedge = try hedge("book-01")
        let policy = try ZakamoulinePolicy(riskAversion: 1e-6)
        let live = try LiveRebalancing(hedge, [.init(limit: 0, policy: policy)])
        prepared(live)
        _ = try live.decide()
        let spot = live.states[0].spot[0]
        let scale = policy.volatilityScale(live.states[0])[0]
        #expect(scale != 1 && abs(scale - 1) < 0.5)
        let centre = 0.5 * (live.bands[0].lower[0] + live.bands[0].upper[0]) / spot
        let shift = hedge.exposure(ofBand: 0, .vanna) * 100 / spot * 0.6 * (scale - 1)
        #expect(abs(centre + shift) < 1e-9 * max(1, abs(shift)) && shift != 0)
    }

    @Test("Rules that do not fit the books are refused by name")
    func badRules() throws {
        let hedge = try hedge(nil)
        func complaint(_ rules: [LiveRebalancing.Rule]) -> String {
            do {
                _ = try LiveRebalancing(hedge, rules)
                return "accepted"
            } catch { return "\(error)" }
        }
        let delta = AlwaysRebalance()
        #expect(
            complaint([.init(limit: 9, policy: delta)])
                == "rule 0, always: there is no limit 9: the table has 4")
        #expect(complaint([.init(limit: 1, policy: delta)]).contains("BTC vega is not about delta"))
        #expect(
            complaint([.init(limit: 0, policy: delta), .init(limit: 0, policy: delta)]).contains(
                "another rule"))
        let live = try LiveRebalancing(
            hedge, [.init(limit: 0, policy: try WhalleyWilmottPolicy(riskAversion: 1))])
        live.states[0].proportionalCost = Lanes(repeating: .nan)
        #expect(throws: RebalancingError.self) { try live.decide() }
    }

    @Test("A figure that decides trades and that nobody gave is asked for, not assumed")
    func missingFigures() throws {
        let hedge = try hedge(nil)
        let policies: [(any RebalancingPolicy, WritableKeyPath<RebalancingState, Lanes>)] = [
            (try WhalleyWilmottPolicy(riskAversion: 1), \.proportionalCost),
            (try TimePolicy(intervalYears: 1e-3), \.yearsSinceHedge),
            (try LelandPolicy(intervalYears: 1e-3), \.yearsSinceHedge),
            (try PredictivePolicy(steps: 4, stepYears: 1e-4, riskAversion: 1e-6), \.impliedVolatility),
            (try LelandPolicy(intervalYears: 1e-3), \.proportionalCost),
            (try LelandPolicy(intervalYears: 1e-3), \.impliedVolatility),
            (try ZakamoulinePolicy(riskAversion: 1e-6), \.yearsToExpiry),
            (try ZakamoulinePolicy(riskAversion: 1e-6), \.proportionalCost),
            (try ZakamoulinePolicy(riskAversion: 1e-6), \.impliedVolatility),
            (try PredictivePolicy(steps: 4, stepYears: 1e-4, riskAversion: 1e-6, impact: 0.1), \.depth),
        ]
        for (policy, figure) in policies {
            let live = try LiveRebalancing(hedge, [.init(limit: 0, policy: policy)])
            prepared(live)
            live.states[0].yearsSinceHedge = Lanes(repeating: 1)
            live.states[0].depth = Lanes(repeating: 500)
            _ = try live.decide()
            live.states[0][keyPath: figure] = RebalancingState.unknown[keyPath: figure]
            #expect(throws: RebalancingError.self, "\(policy.name)") { try live.decide() }
        }
        // Data of an age that nobody gave are stale.
        let fresh = try FreshDataPolicy(AlwaysRebalance(), freshSeconds: 2, staleSeconds: 10)
        let live = try LiveRebalancing(hedge, [.init(limit: 0, policy: fresh)])
        #expect(try live.decide() == .withinLimits && live.bands == [.hold])
        // A market of a depth that nobody gave is thin.
        let thin = try LiveRebalancing(
            hedge,
            [
                .init(
                    limit: 0,
                    policy: try LiquidityAwarePolicy(
                        try ThresholdPolicy(.cash(1e4)), referenceDepth: 100, maximum: 7))
            ])
        _ = try thin.decide()
        #expect((thin.bands[0].upper[0] / 7e4 - 1).magnitude < 1e-12)
    }

    @Test("A rule follows its limit by name where others go or come, and says so where it is gone")
    func followsLimits() throws {
        let hedge = try hedge(nil)
        let live = try LiveRebalancing(
            hedge,
            [
                .init(limit: 2, policy: try ThresholdPolicy(.cash(20_000))),
                .init(limit: 3, policy: try ThresholdPolicy(.limit(.gamma, 300))),
            ])
        let (eth, gamma) = (hedge.limits[2].name, hedge.limits[3].name)
        func check() throws {
            _ = try live.decide()
            for (name, band) in zip(hedge.problem.bandNames, hedge.problem.bands) {
                let width = name == eth ? 2e4 : name == gamma ? 300 : nil
                guard let width else {
                    #expect(band.high >= 1e7, "\(name)")
                    continue
                }
                #expect((band.high / width - 1).magnitude < 1e-12 && band.low == -band.high, "\(name)")
            }
        }
        try check()
        #expect(hedge.removeLimit(named: "BTC delta"))
        try check()
        #expect(hedge.removeLimit(named: "BTC vega"))
        try hedge.setLimit(
            LimitTable.Limit(underlying: "BTC", greek: ExposureGreek.theta, low: -1e8, high: 1e8))
        try check()
        #expect(hedge.removeLimit(named: gamma))
        do {
            _ = try live.decide()
            Issue.record("a limit that is gone was kept")
        } catch let error as RebalancingError {
            #expect(
                "\(error)"
                    == "rule 1, threshold: gamma 300.0 per percent: the limit on \(gamma), or what it is about, is gone"
            )
        }
    }

    @Test("A rule finds its underlying's price again where the desk has rolled others off")
    func followsUnderlyings() throws {
        let hedge = try hedge(nil)
        let live = try LiveRebalancing(hedge, [.init(limit: 2, policy: try ThresholdPolicy(.delta(10)))])
        _ = try live.decide()
        let price = risk.price(ofUnderlying: try #require(risk.underlyings.firstIndex(of: "ETH")))
        #expect((live.bands[0].upper[0] / (10 * price) - 1).magnitude < 1e-12)
        for position in risk.positions where position.instrument.base == "BTC" {
            let contract = try #require(risk.index(of: position.instrument.name))
            try risk.setPosition(book: position.book, contract: contract, quantity: 0)
        }
        for contract in risk.contracts.indices where risk.contracts[contract].base == "BTC" {
            try risk.delist(contract)
        }
        risk.rollOff()
        #expect(risk.underlyings == ["ETH"])
        _ = try live.decide()
        #expect((live.bands[0].upper[0] / (10 * price) - 1).magnitude < 1e-12)
    }
}

/// Leaves gamma alone.
private struct NeverGamma: RebalancingPolicy {
    var name: String { "gamma as it is" }
    var greek: RebalancedGreek { .gamma }
    func band(_ state: borrowing RebalancingState) -> RebalancingBand { .hold }
}
