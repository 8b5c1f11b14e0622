import Foundation
import Greeks
import Hedging
import Market
import Rebalancing
import Risk
import TestSupport
import Testing

/// What the README shows of live policies, compiled and run on the sample's books.
struct ReadmeTests {
    // swift-format-ignore
    @Test func livePolicies() throws {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
        func source(_ name: String) throws -> Source {
            try Source(path: folder.appendingPathComponent(name).path)
        }
        var badRows = BadRows(skip: false)
        let engine = try GreeksEngine()
        let chain = try Chain(try source("chain.csv"), &badRows)
        let positions = try PositionTable(try source("positions.csv"), &badRows)
        let limits = try LimitTable(try source("limits.csv"), &badRows)

        // README: from here
        let (risk, hedges) = try LiveHedge.all(positions, in: chain, limits, BookHedge.Options(), engine, &badRows)
        let live = try LiveRebalancing(hedges[0], [
            .init(limit: 0, policy: try WhalleyWilmottPolicy(riskAversion: 1e-6)),
            .init(limit: 3, policy: try FreshDataPolicy(ThresholdPolicy(.cash(50_000), landing: .centre), fresh: 2, stale: 10)),
        ])
        live.states[0].proportionalCost = SIMD8(repeating: 0.0005)    // what exposures don't tell
        if case .hedge(.optimal) = try live.decide() { print(hedges[0].solution.trades) }
        // README: to here

        #expect(risk.underlyings.contains("BTC") && live.isOutside.count == 2)
        #expect(hedges[0].solution.trades.contains { $0 != 0 })
    }

    @Test("the README has these lines, word for word")
    func sameWords() throws {
        let own = try String(contentsOfFile: #filePath, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let from = try #require(own.firstIndex { $0.hasSuffix("// README: from here") })
        let to = try #require(own.firstIndex { $0.hasSuffix("// README: to here") })
        let snippet = own[(from + 1)..<to].map { $0.dropFirst(8) }.joined(separator: "\n")
        let readme = try String(
            contentsOf: SharedData.packageRoot.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(snippet)\n```"))
    }
}
