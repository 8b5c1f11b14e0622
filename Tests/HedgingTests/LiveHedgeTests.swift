import Foundation
import Greeks
import Hedging
import Market
import Risk
import TestSupport
import Testing

/// From a tick to trades.
struct LiveHedgeTests {
    let engine: GreeksEngine
    let risk: LiveRisk
    let hedges: [LiveHedge]

    init() throws {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
        func source(_ name: String) throws -> Source {
            try Source(path: folder.appendingPathComponent(name).path)
        }
        var badRows = BadRows(skip: false)
        engine = try GreeksEngine()
        (risk, hedges) = try LiveHedge.all(
            try PositionTable(try source("positions.csv"), &badRows),
            in: try Chain(try source("chain.csv"), &badRows),
            try LimitTable(try source("limits.csv"), &badRows), BookHedge.Options(), engine, &badRows)
    }

    /// What each limit covers, summed leg by leg.
    func exposures(_ hedge: LiveHedge) -> [Double] {
        hedge.limits.map { limit in
            let column = { (grouping: Grouping) in risk.plan.groupings.firstIndex(of: grouping) }
            return risk.plan.groups.indices.reduce(0) { sum, group in
                let labels = risk.plan.groups[group]
                if let underlying = limit.underlying, let place = column(.underlying),
                    labels[place] != underlying
                {
                    return sum
                }
                if let expiry = limit.expiry, let place = column(.expiry), labels[place] != expiry {
                    return sum
                }
                return sum + risk.exposures[group, limit.greek ?? .value]
            }
        }
    }

    /// A sequence of ticks, each hedged and booked: the trades are those of a cold solver on the same problem, bands
    /// hold what the books sum to, and afterwards everything is within limits.
    @Test("Trades of each tick are a cold solver's on the same problem, and booked they are within limits")
    func ticks() throws {
        let hedge = try #require(hedges.first)
        let cold = HedgeSolver()
        var generator = SeededGenerator(seed: 5)
        let book = try #require(risk.plan.groups.first?.last)
        var hedged = 0
        for tick in 0..<60 {
            let underlying = tick % risk.underlyings.count
            let price =
                risk.price(ofUnderlying: underlying) * Double.random(in: 0.99...1.01, using: &generator)
            try risk.tick(underlying, price: price)
            let decision = try hedge.decide()
            for (band, exposure) in zip(hedge.problem.bands, exposures(hedge)) {
                #expect((band.current - exposure).magnitude <= 1e-9 * max(exposure.magnitude, 1e3))
            }
            guard case .hedge(let status) = decision else {
                #expect(try cold.solve(hedge.problem) == .optimal && cold.solution.cost.total <= 1e-6)
                continue
            }
            hedged += 1
            #expect(try cold.solve(hedge.problem) == status)
            guard status == .optimal else { continue }
            let (least, found) = (cold.solution.cost.total, hedge.solution.cost.total)
            #expect((least - found).magnitude <= 1e-8 * max(1, least))
            #expect(hedge.solution.certificate.gap <= 1e-9)
            try hedge.book(hedge.solution.trades, in: book)
            #expect(try hedge.decide() == .withinLimits)
        }
        #expect(hedged > 20)
        print("\(hedged) of 60 ticks hedged; \(hedge.candidates.count) candidates")
    }

    @Test("Books, limits and candidates that do not fit together are named")
    func refusals() throws {
        let hedge = try #require(hedges.first)
        #expect(throws: RiskError.unknownBook("nobody")) {
            try hedge.book(hedge.candidates.map { _ in 1 }, in: "nobody")
        }
        var instrument = hedge.problem.instruments[0]
        instrument.costBuy = .nan
        hedge.setInstrument(instrument, ofCandidate: 0)
        try risk.tick(0, price: risk.price(ofUnderlying: 0) * 1.2)
        #expect(throws: HedgeError.self) { try hedge.decide() }
        let error = #expect(throws: RiskError.self) { try risk.tick(0, price: -5) }
        #expect("\(try #require(error))".hasPrefix("\(risk.underlyings[0]): price: -5.0: must be from "))
    }
}

/// When a tick needs a hedge, and what makes none, by hand.
struct LiveHedgeEdgeTests {
    static func live(_ limits: String) throws -> (LiveRisk, [LiveHedge]) {
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: BookHedgeTests.chain), &badRows)
        let table = try PositionTable(
            Source(
                name: "positions.csv",
                text: "book,instrument,quantity\na,BTC_USDC-PERPETUAL,2\nb,ETH_USDC-PERPETUAL,20\n"), &badRows
        )
        return try LiveHedge.all(
            table, in: chain, try LimitTableTests.table(limits).0, BookHedge.Options(), try GreeksEngine(),
            &badRows)
    }

    @Test("Limits on underlyings and expiries that a desk has are taken, on others refused by name")
    func onTheDesk() throws {
        let (_, valuation) = try LimitTableTests.valuation()
        let risk = try LiveRisk(
            valuation.positions, valuation.greeks, by: [.expiry, .book], engine: try GreeksEngine())
        func error(_ underlying: String?, _ expiry: String?) throws -> RiskError? {
            let limits = try LimitTable(
                name: "limits",
                [.init(underlying: underlying, expiry: expiry, greek: ExposureGreek.delta, high: 1)])
            do throws(RiskError) {
                let hedges = try LiveHedge.all(risk, limits, BookHedge.Options())
                #expect(hedges.count == 1)
            } catch { return error }
            return nil
        }
        for (underlying, expiry) in [("BTC", nil), ("BTC", "2026-03-27"), (nil, "2026-03-27")] {
            #expect(try error(underlying, expiry) == nil)
        }
        for (underlying, expiry, field, name) in [
            ("XRP", nil, "underlying", "XRP"), ("BTC", "2026-03-28", "expiry", "2026-03-28"),
            ("ETH", "2026-03-27", "expiry", "2026-03-27"), (nil, "2026-03-28", "expiry", "2026-03-28"),
        ] as [(String?, String?, String, String)] {
            guard case .invalidValue(_, let found, _, let reason) = try error(underlying, expiry) else {
                Issue.record("\(name) was taken")
                continue
            }
            #expect(found == field && reason == "\(name) is not on the desk")
        }
    }

    @Test(
        "A band is left by more than a billionth of its width, or a thousandth of that of its edges or of what it holds",
        arguments: [
            // Delta is 2000.
            (2000.0, 3000.0, true), (2000 + 0.9e-6, 3000, true), (2000 + 1.1e-6, 3000, false),
            (1000, 2000, true), (1000, 2000 - 0.9e-6, true), (1000, 2000 - 1.1e-6, false),
            // Of no width: 2000 · 1e-12.
            (2000 + 1.5e-9, 2000 + 1.5e-9, true), (2000 + 2.5e-9, 2000 + 2.5e-9, false),
            (-.infinity, 2000 - 1.5e-9, true), (-.infinity, 2000 - 2.5e-9, false),
            (2000 + 1.5e-9, .infinity, true), (2000 + 2.5e-9, .infinity, false),
        ] as [(Double, Double, Bool)])
    func edges(_ low: Double, _ high: Double, _ isWithin: Bool) throws {
        let (_, hedges) = try Self.live(
            "underlying,greek,low,high\nBTC,delta,\(low.isFinite ? "\(low)" : ""),\(high.isFinite ? "\(high)" : "")\n"
        )
        let hedge = try #require(hedges.first)
        #expect((try hedge.decide() == .withinLimits) == isWithin)
        #expect(hedge.exposure(ofBand: 0, .delta) == 2000)
    }

    @Test("Bands follow what is set, trades what is booked, costs what is set for an instrument")
    func changes() throws {
        let (risk, hedges) = try Self.live(
            "underlying,greek,low,high\nBTC,delta,-3000,3000\n*,delta,-5000,5000\n")
        let hedge = try #require(hedges.first)
        #expect(try hedge.decide() == .withinLimits)
        #expect(hedge.greeks == [.delta, .delta] && hedge.limits.count == 2)
        #expect(hedge.problem.bands.map(\.current) == [2000, 4000])
        hedge.setBand(0, low: -500, high: 500)
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect((hedge.solution.trades[0] + 1.5).magnitude < 1e-9 && hedge.solution.trades[1] == 0)
        #expect((hedge.solution.cost.total - 1.5 * 1.5).magnitude < 1e-9)
        var instrument = hedge.problem.instruments[0]
        instrument.costSell = 2
        hedge.setInstrument(instrument, ofCandidate: 0)
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect((hedge.solution.cost.total - 1.5 * 2).magnitude < 1e-9)
        try hedge.book(hedge.solution.trades, in: "a")
        #expect(try hedge.decide() == .withinLimits)
        #expect((hedge.exposure(ofBand: 0, .delta) - 500).magnitude < 1e-6)
        // A price that rises takes the coefficients along.
        hedge.setBand(0, low: -100, high: 100)
        let bitcoin = try #require(risk.underlyings.firstIndex(of: "BTC"))
        try risk.tick(bitcoin, price: 2 * risk.price(ofUnderlying: bitcoin))
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect((hedge.problem.bands[0].current - 1000).magnitude < 1e-6)
        #expect((hedge.problem.entries[0].coefficient - 2000).magnitude < 1e-6)
        #expect((hedge.solution.trades[0] + 0.45).magnitude < 1e-9)
    }

    @Test("What a live risk cannot keep is named")
    func refusals() throws {
        var error = #expect(throws: RiskError.self) {
            try Self.live("underlying,measure,low,high,grid,scenario\n*,scenario_profit,-1,,ten.json,1\n")
        }
        #expect(
            error.map { "\($0)" }?.hasSuffix("live hedges keep exposures within limits, nothing else") == true
        )
        let both = try #require(
            try BookHedgeTests.hedges(
                "book,underlying,greek,low,high\na,*,delta,-1,1\n",
                positions: "book,instrument,quantity\na,BTC_USDC-PERPETUAL,2\na,ETH_USDC-PERPETUAL,1\n"
            ).first)
        var badRows = BadRows(skip: false)
        let chain = try Chain(
            Source(
                name: "chain.csv",
                text: BookHedgeTests.chain.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n"),
            &badRows)
        let table = try PositionTable(
            Source(name: "positions.csv", text: "book,instrument,quantity\na,BTC_USDC-PERPETUAL,2\n"),
            &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        let engine = try GreeksEngine()
        let unbooked = try LiveRisk(valuation.positions, valuation.greeks, by: [], engine: engine)
        let own = try #require(
            try BookHedgeTests.hedges(
                "book,underlying,greek,low,high\na,BTC,delta,-1,1\n",
                positions: "book,instrument,quantity\na,BTC_USDC-PERPETUAL,2\n"
            ).first)
        error = #expect(throws: RiskError.self) { try LiveHedge(own, unbooked) }
        #expect(error == .missingGrouping(of: "BTC delta", .book))
        let booked = try LiveRisk(valuation.positions, valuation.greeks, by: [.book], engine: engine)
        #expect(try LiveHedge(own, booked).problem == own.problem)
        error = #expect(throws: RiskError.self) { try LiveHedge(both, booked) }
        #expect(error == .unknownContract("ETH_USDC-PERPETUAL"))
        let others = try #require(
            try BookHedgeTests.hedges(
                "book,underlying,greek,low,high\nb,BTC,delta,-1,1\n",
                positions: "book,instrument,quantity\nb,BTC_USDC-PERPETUAL,2\n"
            ).first)
        error = #expect(throws: RiskError.self) { try LiveHedge(others, booked) }
        #expect(error == .unknownBook("b"))
    }
}
