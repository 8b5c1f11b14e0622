import Foundation
#if canImport(FoundationXML)
    import FoundationXML
#endif
import TestSupport
import Testing

struct ScenariosCommandTests {
    static func example(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples/grids/\(name).json").path
    }

    static func scenarios(
        _ more: [String], grid: String = example("deribit-btc"), environment: [String: String] = [:]
    ) throws -> Poise.Result {
        try Poise.runWithTotals(
            ["scenarios", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--grid", grid]
                + more, environment: environment)
    }

    @Test("The table of `poise scenarios` shows the worst scenario of each group")
    func table() throws {
        let result = try Self.scenarios([])
        #expect(result.status == 0 && result.errors.isEmpty)
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[0].contains("in the style of Deribit, BTC: all books, USD by move of the price"))
        #expect(
            lines[2].split(separator: " ").elementsEqual(["price", "vol", "up", "vol", "same", "vol", "down"])
        )
        // Nine moves with three volatilities, eight dampened ones with one; nothing moves in the middle of them.
        let rows = lines[4..<21]
        #expect(rows.count { $0.contains(" × ") } == 8)
        let middle = try #require(rows.first { $0.hasPrefix("0%") })
        #expect(middle.split(separator: " ")[2] == "0")
        #expect(lines.contains { $0.hasPrefix("book-01  BTC") && $0.contains("vol") })
        #expect(lines.contains { $0.contains("520 positions in 20 books") })
    }

    /// All groups in all scenarios, whose sums are the totals; the same bits on any instruction set with
    /// multiply-adds, and with any number of OpenBLAS's threads.
    @Test(
        "CSV has all groups in all scenarios, which sum to the totals",
        arguments: ["usd", "coin"])
    func csv(_ numeraire: String) throws {
        let arguments = ["--format", "csv", "--numeraire", numeraire]
        let result = try Self.scenarios(arguments)
        #expect(result.status == 0)
        let rows = result.rows
        #expect(
            rows[0] == [
                "book", "underlying", "scenario", "spot", "vol", "days", "rate", "sticky", "dampening",
                "profit_\(numeraire)",
            ])
        #expect(rows.count == 1 + 35 * (26 + (numeraire == "usd" ? 1 : 2)))
        for number in 1...35 {
            let own = rows.dropFirst().filter { Double($0[2]) == Double(number) }
            var (sum, scale, total) = (0.0, 0.0, 0.0)
            for row in own {
                let profit = try #require(Double(row[9]))
                if row[0].hasPrefix("total") {
                    total += profit
                } else {
                    sum += profit
                    scale += abs(profit)
                }
            }
            #expect(abs(sum - total) <= 1e-12 * scale)
        }
        for environment in [["OPENBLAS_NUM_THREADS": "2"], ["POISE_ISA": "avx2"]] {
            let other = try Self.scenarios(arguments, environment: environment)
            // A processor without AVX2 says so.
            #expect(other.status == 2 || other.output == result.output)
        }
    }

    @Test("JSON and CSV of `poise scenarios` have the same numbers")
    func json() throws {
        let result = try Self.scenarios(
            ["--format", "json", "--by", "underlying"], grid: Self.example("desk"))
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(report["scenarios"] as? Int == 110)
        #expect((report["rows"] as? [[String: Any]])?.count == 220)
        #expect((report["totals"] as? [[String: Any]])?.count == 110)
    }

    @Test("In a grid that charges expiry by expiry a book never gains from a tilt of the smile")
    func byExpiry() throws {
        let result = try Self.scenarios(["--format", "csv"], grid: Self.example("derive-eth"))
        let tilts = result.rows.filter { $0[4] == "tilt" || $0[4] == "wings" }
        #expect(tilts.count == 2 * 27 && tilts.allSatisfy { (Double($0[9]) ?? 1) <= 0 })
    }

    @Test("The heat map is well-formed, with a cell per scenario and a panel per group")
    func picture() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("map.svg")
            let result = try Self.scenarios(["--svg", file.path])
            #expect(result.status == 0)
            let text = try String(contentsOf: file, encoding: .utf8)
            let reader = ElementCounter()
            let parser = XMLParser(data: Data(text.utf8))
            parser.delegate = reader
            #expect(parser.parse())
            // Background, 35 cells, 60 steps of the legend and its frame, then 35 cells for each of 26 groups.
            #expect(reader.counts["rect"] == 1 + 35 + 60 + 1 + 26 * 35)
            #expect(text.contains(">All books</text>") && text.contains("book-01 BTC"))
        }
    }

    @Test("Books roll up to desks and desks to the firm, and every book needs a desk")
    func desks() throws {
        try Poise.inFolder { folder in
            let desks = folder.appendingPathComponent("desks.csv")
            var text = "book,desk\n"
            for book in 1...20 {
                text += "book-\(book < 10 ? "0" : "")\(book),\(book % 2 == 0 ? "east" : "west")\n"
            }
            try Data(text.utf8).write(to: desks)
            let more = ["--by", "desk,book", "--desks", desks.path, "--format", "csv"]
            for command in ["risk", "scenarios"] {
                let rows =
                    try command == "risk"
                    ? RiskCommandTests.risk(more).rows : Self.scenarios(more).rows
                let last = rows[0].count - 1
                func sum(_ isPart: ([String]) -> Bool) -> Double {
                    rows.dropFirst().filter(isPart).reduce(0) { $0 + (Double($1[last]) ?? .nan) }
                }
                let east = sum { $0[0] == "east" }
                let books = sum { $0[0] == "east" || $0[0] == "west" }
                let scale = rows.dropFirst().reduce(0) { $0 + abs(Double($1[last]) ?? .nan) }
                #expect(scale > 0 && abs(sum { $0[0] == "total east" } - east) <= 1e-12 * scale)
                #expect(abs(sum { $0[0] == "total" } - books) <= 1e-12 * scale)
                #expect(
                    Set(rows.dropFirst().map { $0[0] }) == [
                        "east", "west", "total east", "total west", "total",
                    ])
            }
            try Data("book,desk\nbook-01,east\n".utf8).write(to: desks)
            let missing = try RiskCommandTests.risk(more)
            #expect(missing.status == 1 && missing.errors.contains("gives it no desk"))
            try Data("book,desk\nbook-01,east\nbook-01,west\n".utf8).write(to: desks)
            #expect(try RiskCommandTests.risk(more).errors.contains("desks.csv:3"))
        }
    }

    @Test("Buckets by tenor and moneyness stand in their order, with edges of one's own")
    func buckets() throws {
        let tenors = try RiskCommandTests.risk(["--by", "tenor", "--format", "csv"]).rows
        #expect(tenors.map { $0[0] }.contains("≤ 7 d") && tenors.last?[0] == "total")
        #expect(!tenors.contains { $0[0] == "all" })
        let own = try RiskCommandTests.risk(
            ["--by", "moneyness,underlying", "--moneyness", "0.9,1.1", "--format", "csv"]
        ).rows
        #expect(
            Set(own.dropFirst().map { $0[0] }) == ["< 0.9 K/F", "0.9–1.1 K/F", "≥ 1.1 K/F", "none", "total"])
        for bad in ["9,8", "x", "0", "-1,2"] {
            #expect(try RiskCommandTests.risk(["--by", "tenor", "--tenors", bad]).status == 2)
        }
    }

    /// Legs of a table of their own: books add up to the total, and one leg gains what the difference of prices is.
    @Test("A table of legs is revalued: books add up, and a leg gains the difference of its prices")
    func options() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("legs.csv")
            var text = "book,type,spot,strike,years,vol,rate,dividend,quantity\n"
            for leg in 0..<600 {
                text +=
                    "b\(leg % 7),\(leg % 2 == 0 ? "C" : "P"),100,\(80 + leg % 41),0.\(1 + leg % 9),0.5,0.03,0,\(leg % 5 - 2)\n"
            }
            text += "one,C,100,105,0.5,0.25,0.03,0.01,1\n"
            try Data(text.utf8).write(to: file)
            let base = ["scenarios", "--options", file.path, "--grid", Self.example("deribit-btc")]
            let rows = try Poise.runWithTotals(base + ["--format", "csv"]).rows
            guard rows.count == 1 + 35 * 9 else {
                Issue.record("\(rows.count) rows")
                return
            }
            #expect(rows[0].first == "book")
            for number in 1...35 {
                let own = rows.dropFirst().filter { Double($0[1]) == Double(number) }
                let books = own.dropLast().map { Double($0[8]) ?? .nan }
                let total = try #require(own.last)
                let scale = books.reduce(0) { $0 + abs($1) }
                #expect(total[0] == "total")
                #expect(abs(books.reduce(0, +) - (Double(total[8]) ?? .nan)) <= 1e-12 * scale)
            }
            let moved = try Poise.run(
                ["greeks", "--options", "-", "--format", "csv"],
                input:
                    "type,spot,strike,years,vol,rate,dividend\nC,108,105,0.5,0.25,0.03,0.01\nC,100,105,0.5,0.25,0.03,0.01\n"
            ).rows
            let expected = (Double(moved[1][7]) ?? .nan) - (Double(moved[2][7]) ?? .nan)
            let profit = rows.first { $0[0] == "one" && $0[2] == "0.08" && $0[3] == "same" }
            #expect(abs((Double(profit?[8] ?? "") ?? .nan) - expected) < 1e-13)
            for threads in ["2", "3", "64"] {
                let shared = try Poise.runWithTotals(base + ["--format", "csv", "--threads", threads]).rows
                #expect(shared == rows)
            }
            #expect(try Poise.run(base + ["--threads", "0"]).status == 2)
            let table = try Poise.run(base)
            #expect(table.status == 0 && table.output.contains("601 legs in 8 books, 35 scenarios"))
            #expect(try Poise.run(base + ["--chain", Poise.sampleChain]).status == 2)
            let sticky = try Poise.run(
                ["scenarios", "--options", file.path, "--grid", Self.example("desk")])
            #expect(sticky.status == 1 && sticky.errors.contains("it takes a chain, not plain legs"))
            try Data(text.replacingOccurrences(of: ",0.25,", with: ",-1,").utf8).write(to: file)
            let bad = try Poise.run(base)
            #expect(bad.status == 1 && bad.errors.contains("legs.csv:602: column \"vol\": value \"-1\""))
        }
    }

    @Test("Bad input of `poise scenarios` ends with status 1 and the place of the fault")
    func badInput() throws {
        try Poise.inFolder { folder in
            let grid = folder.appendingPathComponent("grid.json")
            try Data("{\"scenarios\": [{\"spot\": [0.1, -2]}]}".utf8).write(to: grid)
            let output = folder.appendingPathComponent("out.csv")
            let result = try Self.scenarios(["--output", output.path], grid: grid.path)
            #expect(
                result.status == 1
                    && result.errors.contains(
                        "grid.json:1: \"scenarios[0].spot[1]\": value -2: must be above -1, at most 1000000"
                    ))
            #expect(!FileManager.default.fileExists(atPath: output.path))
        }
        #expect(try Self.scenarios([], grid: "/nowhere.json").status == 1)
        #expect(try Self.scenarios(["--by", "desk"]).status == 2)
        #expect(try Self.scenarios(["--by", "book", "--numeraire", "coin"]).status == 2)
        #expect(try Poise.run(["scenarios"]).status == 2)
    }
}

/// How often each element stands in a document.
private final class ElementCounter: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) { counts[name, default: 0] += 1 }
}
