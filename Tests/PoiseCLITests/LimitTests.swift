import Foundation
import TestSupport
import Testing

/// Limits on exposures, on profits in scenarios and on losses over them, shown and hedged.
struct LimitTests {
    static let grid = ScenariosCommandTests.example("desk")
    static let header = "book,underlying,expiry,measure,low,high,grid,scenario,level\n"

    private static func run(
        _ command: String, limits: String, positions: String = Poise.samplePositions, _ more: [String]
    ) throws -> Poise.Result {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("limits.csv")
            try Data((header + limits).utf8).write(to: file)
            return try Poise.run(
                [command, "--chain", Poise.sampleChain, "--positions", positions, "--limits", file.path]
                    + more)
        }
    }

    /// Profits of all books, or of one, in each scenario as `poise scenarios` has them.
    private static func profits(book: String? = nil) throws -> [Double] {
        let rows = try ScenariosCommandTests.scenarios(["--by", "book", "--format", "csv"], grid: grid).rows
        return rows.dropFirst().filter { $0[0] == book ?? "total" }.map { Double($0[8]) ?? .nan }
    }

    @Test("Values of limits are the figures of risk and of scenarios; headroom is what is left to the limit")
    func values() throws {
        let result = try Self.run(
            "risk",
            limits: """
                ,BTC,,vega,-9500,9500,,,
                ,,,scenario_profit,-800000,,\(Self.grid),2,
                ,,,expected_shortfall,,90000,\(Self.grid),,0.9
                book-01,,,value_at_risk,,900000,\(Self.grid),,0.95

                """, ["--format", "csv"])
        try #require(result.status == 0 && result.rows.count == 5, "\(result.errors)")
        // Names of scenarios hold commas.
        let rows = result.output.split(separator: "\n").dropFirst().map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).suffix(5).map(String.init)
        }
        func number(_ row: Int, _ column: Int) -> Double { Double(rows[row][column]) ?? .nan }
        let risk = try RiskCommandTests.risk(["--by", "underlying", "--format", "csv"]).rows
        let all = try Self.profits()
        let losses = try Self.profits(book: "book-01").map { -$0 }.sorted()
        // 110 scenarios: the mean of the worst 11, and the quantile at 0.95 · 109.
        let shortfall = -all.sorted().prefix(11).reduce(0, +) / 11
        let quantile = losses[103] + 0.55 * (losses[104] - losses[103])
        for (row, value) in [Double(risk[1][5]) ?? .nan, all[1], shortfall, quantile].enumerated() {
            #expect(abs(number(row, 0) - value) <= 1e-9 * abs(value), "\(row): \(rows[row]), \(value)")
        }
        #expect(abs(number(0, 3) - (9500 - number(0, 0))) < 1e-6)
        #expect(abs(number(1, 3) - (number(1, 0) + 800_000)) < 1e-6)
        #expect(rows.map { $0[4] } == ["breach", "", shortfall > 90_000 ? "breach" : "", ""])
    }

    @Test("A breach is an exit status where that is asked for, and only there")
    func breaches() throws {
        let breached = ",BTC,,vega,-9500,9500,,,\n"
        let kept = ",BTC,,vega,-19500,19500,,,\n"
        #expect(try Self.run("risk", limits: breached, []).status == 0)
        #expect(try Self.run("risk", limits: breached, ["--fail-on-breach"]).status == 5)
        #expect(try Self.run("risk", limits: kept, ["--fail-on-breach"]).status == 0)
        let json = try Self.run("risk", limits: breached, ["--format", "json"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let limit = try #require((object["limits"] as? [[String: Any]])?.first)
        #expect(limit["breach"] as? Bool == true && (limit["headroom"] as? Double ?? 0) < 0)
    }

    /// Trades of an answer, added to a book of its own.
    private static func hedged(_ limits: String, _ folder: URL) throws -> (cost: Double, positions: String) {
        let result = try run("hedge", limits: limits, ["--format", "json"])
        #expect(result.status == 0, "\(result.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let answer = try #require(object["all books"] as? [String: Any])
        #expect(answer["status"] as? String == "optimal")
        var text = try String(contentsOfFile: Poise.samplePositions, encoding: .utf8)
        for (instrument, trade) in try #require(answer["trades"] as? [String: Double]) {
            text += "hedge,\(instrument),\(trade)\n"
        }
        let file = folder.appendingPathComponent("hedged.csv")
        try Data(text.utf8).write(to: file)
        return (try #require(answer["objective"] as? Double), file.path)
    }

    @Test("A hedge keeps limits on scenarios and on losses over them")
    func hedges() throws {
        try Poise.inFolder { folder in
            for limit in [
                ",,,scenario_profit,-1000,,\(Self.grid),,\n",
                ",,,expected_shortfall,,10000,\(Self.grid),,0.9\n",
                ",,,value_at_risk,,10000,\(Self.grid),,0.9\n",
            ] {
                let before = try Self.run("risk", limits: limit, ["--fail-on-breach"])
                #expect(before.status == 5)
                let (cost, positions) = try Self.hedged(limit, folder)
                #expect(cost > 0)
                // A hair looser: sums of the hedge and of the report round differently.
                let looser = limit.replacingOccurrences(of: "1000,", with: "1000.01,")
                    .replacingOccurrences(of: "10000,", with: "10000.1,")
                let after = try Self.run("risk", limits: looser, positions: positions, ["--fail-on-breach"])
                #expect(after.status == 0, "\(limit): \(after.output)")
            }
        }
    }

    @Test("A shortfall of the worst scenario alone costs what limits on every scenario cost")
    func worstScenario() throws {
        try Poise.inFolder { folder in
            let planes = try Self.hedged(",,,expected_shortfall,,5000,\(Self.grid),,0.995\n", folder).cost
            let bands = try Self.hedged(",,,scenario_profit,-5000,,\(Self.grid),,\n", folder).cost
            #expect(abs(planes - bands) <= 1e-6 * bands && bands > 0, "\(planes) \(bands)")
        }
    }

    @Test("Limits that cannot be read say where and why")
    func badInput() throws {
        for (row, part) in [
            (",,,velta,-1,1,,,", "expected one of value, delta"),
            (",,,scenario_profit,-1,,,1,", "is needed for scenario_profit"),
            (",,,scenario_profit,-1,,\(Self.grid),111,", "expected 1 to 110"),
            (",,,expected_shortfall,,1,\(Self.grid),,", "is needed for expected_shortfall"),
            (",,,expected_shortfall,,1,\(Self.grid),,1", "level"),
            (",,,value_at_risk,-1,,\(Self.grid),,0.9", "no low one"),
            (",,,scenario_profit,-1,,\(ScenariosCommandTests.example("derive-eth")),1,", "expiry by expiry"),
        ] {
            let result = try Self.run("risk", limits: row + "\n", [])
            #expect(result.status == 1 && result.output.isEmpty, "\(row)")
            #expect(
                result.errors.contains("limits.csv:2") && result.errors.contains(part), "\(result.errors)")
        }
    }
}
