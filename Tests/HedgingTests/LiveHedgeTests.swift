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
