import Greeks
import Market
import Risk
import TestSupport
import Testing

/// Whole answers about a part of the sample, beside what they were when somebody last looked at them.
struct PrintedTests {
    /// Three books of the sample, and the chain that it comes with.
    private static func valuation(_ numeraire: Numeraire) throws -> (Chain, BookValuation, UnitExposures) {
        let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(path: folder.appendingPathComponent("chain.csv").path), &badRows)
        let positions = try Source(path: folder.appendingPathComponent("positions.csv").path)
        let rows = String(decoding: positions.bytes, as: UTF8.self).split(separator: "\n").enumerated()
            .filter { $0.offset == 0 || $0.offset % 23 == 1 }.map(\.element)
        let table = try PositionTable(
            Source(name: "positions.csv", text: rows.joined(separator: "\n") + "\n"), &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        valuation.greeks.compute(try GreeksEngine())
        let figures = UnitExposures(count: valuation.contracts.count)
        figures.update(from: valuation.greeks, in: numeraire)
        return (chain, valuation, figures)
    }

    @Test("Exposures by every grouping are those that they were, in dollars and in coins")
    func exposures() throws {
        var lines: [String] = []
        for numeraire in [Numeraire.usd, .coin] {
            let (_, valuation, figures) = try Self.valuation(numeraire)
            let buckets = try ExposureBuckets(
                valuation.greeks.tickers, deskOfBook: ["book-01": "one", "book-02": "two", "book-03": "two"])
            for groupings in Grouping.allCases.map({ [$0] }) + [
                [.desk, .underlying], [.underlying, .tenor],
            ] {
                let plan = ExposurePlan(
                    valuation.positions, contracts: valuation.contracts, by: groupings, buckets)
                let sums = Exposures(plan)
                plan.aggregate(figures, into: sums, try GreeksEngine())
                for (group, labels) in plan.groups.enumerated() {
                    let values = ExposureGreek.allCases.map { sums[group, $0] }
                    lines += Printed.lines("\(numeraire) \(groupings) \(labels)", values)
                }
            }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "exposures.txt")
        #expect(difference == nil)
    }

    @Test("Figures by the exchange's rules are those that they were")
    func exchangeFigures() throws {
        let (_, valuation, _) = try Self.valuation(.usd)
        let prices = valuation.greeks
        let lines = valuation.contracts.indices.flatMap {
            Printed.lines(valuation.contracts[$0].name, ExchangeGreeks(prices, row: $0))
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "exchange-figures.txt")
        #expect(difference == nil)
    }

    @Test("Profits in the scenarios of the examples are those that they were, by book and underlying")
    func scenarios() throws {
        let grids = SharedData.packageRoot.appendingPathComponent("Examples/grids")
        var lines: [String] = []
        for name in ["deribit-btc", "derive-eth", "desk"] {
            let grid = try ScenarioGrid(try Source(path: grids.appendingPathComponent(name + ".json").path))
            for numeraire in [Numeraire.usd, .coin] {
                let (chain, valuation, _) = try Self.valuation(numeraire)
                let scenarios = try ChainScenarios(
                    valuation.greeks, grid, market: chain.latestTickers, in: numeraire,
                    engine: try GreeksEngine())
                let (groups, profits) = scenarios.profits(of: valuation.positions, by: [.underlying])
                for (group, labels) in groups.enumerated() {
                    lines += Printed.lines("\(name) \(numeraire) \(labels)", profits.row(group))
                }
            }
            lines += (0..<grid.count).map { "\(name) \($0): \(grid.title($0))" }
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "profits.txt")
        #expect(difference == nil)
    }
}
