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
            // Each of some 50 positions of at most 30 coins is off by half a unit of its value at most.
            let slack = 3000e-8 + 1e-11 * (rule.markToMarket.magnitude + rule.initialMargin.magnitude)
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
}
