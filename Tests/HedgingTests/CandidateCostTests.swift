import Foundation
import Greeks
import Hedging
import Market
import Risk
import Testing

/// What the optimizer is told that buying and selling a candidate costs.
struct CandidateCostTests {
    static let time = 1_772_443_800_000

    /// The problem of one held perpetual whose delta is limited, over `rows` of a chain.
    static func problem(_ rows: [String], days: Double, funding: Double) throws -> HedgeProblem {
        var badRows = BadRows(skip: false)
        let header = "instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks"
        let chain = try Chain(
            Source(name: "chain", text: ([header] + rows).joined(separator: "\n")), &badRows)
        let positions = try PositionTable(
            Source(name: "positions", text: "book,instrument,quantity\na,BTC-PERPETUAL,1000\n"), &badRows)
        let limits = try LimitTable(
            Source(name: "limits", text: "underlying,greek,low,high\nBTC,delta,-1,1\n"), &badRows)
        var options = BookHedge.Options()
        options.holding = HedgeCandidate.Holding(horizon: days, funding: funding)
        let hedges = try BookHedge.all(
            try BookValuation(positions, in: chain, &badRows), in: chain, limits, options, try GreeksEngine(),
            &badRows)
        return try #require(hedges.first).problem
    }

    static func costs(_ problem: HedgeProblem, _ name: String) throws -> (buy: Double, sell: Double) {
        let index = try #require(problem.instrumentNames.firstIndex(of: name))
        return (problem.instruments[index].costBuy, problem.instruments[index].costSell)
    }

    @Test("A buyer pays the carry on top of spread and fee, and a seller earns it", arguments: [1, -1.0])
    func carryHasASide(_ sign: Double) throws {
        let problem = try Self.problem(
            ["BTC-PERPETUAL,\(Self.time),50000,,50000,50000,\"[[49995,1000]]\",\"[[50005,1000]]\""], days: 2,
            funding: sign * 0.0001)
        let (buy, sell) = try Self.costs(problem, "BTC-PERPETUAL")
        // Per dollar: a basis point of half spread, five of fee, two days of three fundings of a basis point.
        #expect((buy - (1e-4 + 5e-4 + sign * 6e-4)).magnitude < 1e-15)
        #expect((sell - (1e-4 + 5e-4 - sign * 6e-4)).magnitude < 1e-15)
    }

    @Test(
        "The basis of a dated future runs off over its life at a constant annual rate, all of it at most",
        arguments: [(0.0, 0.0), (5, 0.2), (25, 1), (26, 1), (1000, 1)])
    func basisEndsAtExpiry(_ days: Double, _ share: Double) throws {
        // 25 days before 2026-03-27, 08:00.
        let time = 1_774_598_400_000 - 25 * 86_400_000
        let problem = try Self.problem(
            [
                "BTC-27MAR26,\(time),51000,,51000,50000,\"[[50995,1000]]\",\"[[51005,1000]]\"",
                "BTC-PERPETUAL,\(time),50000,,50000,50000,\"[[49995,1000]]\",\"[[50005,1000]]\"",
            ],
            days: days, funding: 0)
        let (buy, sell) = try Self.costs(problem, "BTC-27MAR26")
        // The annual basis stands still meanwhile, as in an explained profit.
        let carry = 1 - pow(50_000 / 51_000.0, share)
        let (halfSpread, fee) = (5 / 51_000.0, 5e-4)
        #expect((buy - (halfSpread + fee + carry)).magnitude < 1e-12)
        #expect((sell - (halfSpread + fee - carry)).magnitude < 1e-12)
    }
}
