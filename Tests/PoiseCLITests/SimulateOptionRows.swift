import Foundation
import Testing

/// Options of `poise simulate`.
enum SimulateOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    static func csv(_ desk: Desk, _ more: [String] = []) throws -> String {
        try desk.run("simulate", more + ["--format", "csv"]).output
    }

    /// The settings with another value of a line.
    static func changed(_ desk: Desk, _ line: String, _ other: String) throws -> String {
        let text = try String(contentsOfFile: desk.path("run.toml"), encoding: .utf8)
        #expect(text.contains(line + "\n"))
        return try desk.write("other.toml", text.replacingOccurrences(of: line + "\n", with: other + "\n"))
    }

    static let rows = [
        Row("simulate", "--config", "a row per policy of the file") {
            try #expect($0.standard("simulate").count == 2)
        },
        Row("simulate", "--paths", "replaces the file's number") {
            let path = try changed($0, "paths = 8", "paths = 16")
            try #expect(
                csv($0, ["--paths", "16"])
                    == Poise.run(["simulate", "--config", path, "--format", "csv"]).output)
            try #expect(csv($0, ["--paths", "16"]) != csv($0))
        },
        Row("simulate", "--seed", "replaces the file's seed") {
            let path = try changed($0, "seed = 3", "seed = 9")
            try #expect(
                csv($0, ["--seed", "9"])
                    == Poise.run(["simulate", "--config", path, "--format", "csv"]).output)
            try #expect(csv($0, ["--seed", "9"]) != csv($0) && csv($0, ["--seed", "3"]) == csv($0))
        },
        Row("simulate", "--threads", "the same bits") {
            try #expect(csv($0, ["--threads", "2", "--paths", "200"]) == csv($0, ["--paths", "200"]))
        },
        Row("simulate", "--resume", "a run that is there already is not run again, and has the same figures")
        {
            let path = $0.path("run.state")
            let first = try csv($0, ["--resume", path])
            #expect(FileManager.default.fileExists(atPath: path))
            try #expect(csv($0, ["--resume", path]) == first && first == csv($0))
        },
        Row("simulate", "--report", "a page that names the policies") {
            let path = $0.path("page.html")
            _ = try $0.run("simulate", ["--report", path])
            let page = try String(contentsOfFile: path, encoding: .utf8)
            let names = try $0.standard("simulate").compactMap { $0["policy"] }
            #expect(page.contains("<svg") && names.count == 2 && names.allSatisfy(page.contains))
        },
        Row("simulate", "--against", "differences of mean cost are to the policy of that number") {
            for (number, zero) in [("1", 0), ("2", 1)] {
                let costs = try $0.standard("simulate").map {
                    $0["mean_cost_usd"].flatMap(Double.init) ?? .nan
                }
                let report = try $0.object("simulate", ["--against", number])
                let rows = try #require(report["comparisons"] as? [[String: Any]])
                for (policy, row) in rows.enumerated() {
                    let expected = costs[policy] - costs[zero]
                    #expect((HedgeOptionRows.number(row["cost_difference_usd"]) - expected).magnitude < 1e-12)
                }
                #expect(rows.count == 2)
            }
        },
        Row("simulate", "--trace", "a row per hour of the day, the first policy's unless told") {
            let rows = try $0.standard("simulate", ["--trace"])
            #expect(rows.prefix(24).map { $0["hours"] } == (0..<24).map { "\(Double($0))" })
        },
        Row("simulate", "--path", "counts from 0, the default, whatever the number of paths") {
            try #expect(csv($0, ["--trace", "--path", "0"]) == csv($0, ["--trace"]))
            let second = try csv($0, ["--trace", "--path", "1"])
            try #expect(
                second != csv($0, ["--trace"])
                    && second == csv($0, ["--trace", "--path", "1", "--paths", "100"]))
        },
        Row("simulate", "--policy", "hedges every 8 hours are half of those every 4") {
            func trades(_ desk: Desk, _ policy: String) throws -> Int {
                let rows = try desk.standard("simulate", ["--trace", "--policy", policy])
                let column = rows[0].keys.contains("filled") ? "filled" : "asked"
                return rows.filter { ($0[column].flatMap(Double.init) ?? 0) != 0 }.count
            }
            try #expect(trades($0, "1") > trades($0, "2"))
        },
    ]
}
