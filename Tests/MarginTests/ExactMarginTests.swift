import Foundation
import Greeks
import Margin
import Market
import TestSupport
import Testing

/// Margins in whole numbers.
struct ExactMarginTests {
    static let engine = try? GreeksEngine()

    private func hedges(_ count: Int) throws -> [RandomMarginHedge] {
        let engine = try #require(Self.engine)
        return try (0..<count).map { try RandomMarginHedge(seed: $0, engine) }
            .filter { $0.margin.model.kind == "scan" }
    }

    @Test("Whole numbers are the margin in doubles, up to the units that they are rounded to")
    func agreement() throws {
        let engine = try #require(Self.engine)
        for hedge in try hedges(120) {
            let (model, market, account) = (hedge.margin.model, hedge.margin.market, hedge.margin.account)
            let exact = try model.exactMargin(of: account, in: market, engine)
            let rule = try model.requirement(of: account, in: market, engine)
            // A quantity is off by half a unit, of a value that is at most six times the index in a scenario; so are values,
            // of some 30 coins.
            let spot = market.underlyings[0].spot
            let slack =
                1e-8 * Double(account.positions.count + 1) * (6 * spot + 60)
                + 1e-11 * (rule.markToMarket.magnitude + rule.initialMargin.magnitude)
            func check(_ units: Int128, _ value: Double) {
                #expect((Double(units) / 1e8 - value).magnitude <= slack, "\(hedge.name)")
            }
            check(exact.initialMargin, rule.initialMargin)
            check(exact.maintenanceMargin, rule.maintenanceMargin)
            check(exact.markToMarket, rule.markToMarket)
            #expect(exact.losses.count == rule.losses.count)
            for (one, other) in zip(exact.losses, rule.losses) {
                #expect(one.key == other.key)
                check(one.loss, other.loss)
            }
        }
    }

    @Test("A second implementation computes every transcript anew, to the last unit")
    func transcripts() throws {
        let engine = try #require(Self.engine)
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("transcripts-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var paths: [String] = []
        for (number, hedge) in try hedges(80).enumerated() {
            let exact = try hedge.margin.model.exactMargin(
                of: hedge.margin.account, in: hedge.margin.market, engine)
            let path = folder.appendingPathComponent("\(number).json").path
            try exact.transcript.write(toFile: path, atomically: true, encoding: .utf8)
            paths.append(path)
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../scripts/check-margin-transcript").path
        func run(_ paths: [String]) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", script] + paths
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        #expect(try run(paths) == 0)
        // It does tell a unit.
        var text = try String(contentsOfFile: paths[0], encoding: .utf8)
        let range = try #require(text.range(of: "\"initial_margin\":"))
        text.insert("9", at: range.upperBound)
        try text.write(toFile: paths[0], atomically: true, encoding: .utf8)
        #expect(try run([paths[0]]) == 1)
    }

    @Test("Other rules, and numbers beyond those that cannot overflow, are refused")
    func refusals() throws {
        let engine = try #require(Self.engine)
        let hedge = try #require(try hedges(8).first)
        let (model, market, account) = (hedge.margin.model, hedge.margin.market, hedge.margin.account)
        let other = try RandomMarginHedge.model("span")
        #expect(throws: MarginError.self) { try other.exactMargin(of: account, in: market, engine) }
        var rich = account
        rich.cash = 2e9
        #expect(throws: MarginError.self) { try model.exactMargin(of: rich, in: market, engine) }
        let long = account.after(account.positions[0].contract, quantity: 2e9, paying: 0)
        #expect(throws: MarginError.self) { try model.exactMargin(of: long, in: market, engine) }
    }

    @Test(
        "Steps ahead: an expiry leaves the account that never had it, with its payoffs in cash",
        arguments: 0..<24)
    func ahead(_ seed: Int) throws {
        let engine = try #require(Self.engine)
        let hedge = try RandomMarginHedge(seed: seed, engine)
        let (model, market, account) = (hedge.margin.model, hedge.margin.market, hedge.margin.account)
        let steps = try model.stepsAhead(of: account, in: market, within: 400 * 86400, engine)
        #expect(steps.map(\.seconds) == steps.map(\.seconds).sorted())
        let held = account.quantities.indices.filter { account.quantities[$0] != 0 }
        let expiries = Set(held.compactMap { market.contracts[$0].expiry })
        #expect(steps.filter { $0.cause == .expiry }.count == expiries.count)
        guard let first = steps.first(where: { $0.cause == .expiry }) else { return }
        var later = market
        for place in market.underlyings[0].expiries.indices {
            later.underlyings[0].expiries[place].seconds -= first.seconds + 1
        }
        var rest = account
        for place in held {
            let contract = market.contracts[place]
            guard let expiry = contract.expiry, market.underlyings[0].expiries[expiry].name == first.expiry
            else { continue }
            let forward = market.underlyings[0].expiries[expiry].forward
            var payoff = 0.0
            if contract.kind == .option, let strike = contract.strike {
                payoff = max(0, contract.type == .call ? forward - strike : strike - forward)
                if model.isInCoin { payoff /= forward }
            }
            let quantity = account.quantities[place]
            guard model.kind == "deribit-cross", contract.settlesInCoin else {
                rest = rest.after(place, quantity: -quantity, paying: -quantity * payoff)
                continue
            }
            rest = rest.after(place, quantity: -quantity, paying: 0)
                .adding(coins: quantity * payoff / forward, of: contract.underlying)
        }
        let own = try model.requirement(of: rest, in: later, engine)
        let size = own.initialMargin.magnitude + own.markToMarket.magnitude
        #expect((own.initialMargin - first.initialAfter).magnitude <= 1e-9 * size)
        #expect((own.maintenanceBalance - first.maintenanceBalanceAfter).magnitude <= 1e-9 * size)
    }
}
