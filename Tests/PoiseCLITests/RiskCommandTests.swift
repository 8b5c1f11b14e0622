import Foundation
import TestSupport
import Testing

struct RiskCommandTests {
    static func risk(
        _ more: [String], chain: String = Poise.sampleChain, positions: String = Poise.samplePositions
    ) throws -> Poise.Result {
        try Poise.runWithTotals(["risk", "--chain", chain, "--positions", positions] + more)
    }

    @Test("The table of `poise risk` shows the sample's exposures")
    func table() throws {
        let result = try Self.risk([])
        #expect(result.status == 0 && result.errors.isEmpty && !result.output.contains("\u{1B}"))
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for name in [
            "book", "underlying", "value", "delta", "net delta", "gamma", "vega", "theta", "rho", "vanna",
            "volga", "charm",
        ] {
            #expect(lines[0].contains(name))
        }
        #expect(lines[1].contains("USD/pt²") && lines[3].hasPrefix("book-01  BTC"))
        // 26 books by underlying, a rule, the total, an empty line, two lines of facts and the times.
        #expect(lines[30].hasPrefix("total") && lines[31].isEmpty)
        #expect(lines[32].contains("520 positions in 20 books") && lines[32].contains("contracts priced ("))
        #expect(lines[34].contains("price") && lines[34].contains("aggregate") && lines[34].contains("read"))
        #expect(lines[30].contains(","))
    }

    @Test("A chain in files of one coin each is the chain, and errors name the file")
    func chainOfSeveralFiles() throws {
        let whole = try String(contentsOfFile: Poise.sampleChain, encoding: .utf8).split(separator: "\n")
        try Poise.inFolder { folder in
            var files: [String] = []
            for coin in ["BTC", "ETH"] {
                let rows = whole[..<1] + whole[1...].filter { $0.contains(",BTC") == (coin == "BTC") }
                let file = folder.appendingPathComponent("\(coin).csv")
                try Data(rows.joined(separator: "\n").utf8).write(to: file)
                files.append(file.path)
            }
            let split = try Poise.runWithTotals(
                ["risk", "--chain", files[1], "--chain", files[0], "--positions", Poise.samplePositions]
                    + ["--format", "csv"])
            let joined = try Self.risk(["--format", "csv"])
            #expect(split.status == 0 && split.output == joined.output && !joined.output.isEmpty)

            let lines = try String(contentsOfFile: files[1], encoding: .utf8).split(separator: "\n")
            let option = try #require(lines.dropFirst().first { !$0.hasPrefix(",") })
            var fields = option.split(separator: ",", omittingEmptySubsequences: false)
            let column = try #require(lines[0].split(separator: ",").firstIndex(of: "mark_iv"))
            fields[column] = "-5"
            try Data("\(lines[0])\n\(fields.joined(separator: ","))\n".utf8).write(
                to: URL(fileURLWithPath: files[1]))
            let bad = try Poise.run(
                ["greeks", "--chain", files[0], "--chain", files[1], "--format", "csv"])
            #expect(bad.status == 1 && bad.errors.contains("\(files[1]):2: column \"mark_iv\": value \"-5\""))
            let twice = try Poise.run(["greeks", "--chain", "-", "--chain", "-"])
            #expect(twice.status == 2 && twice.errors.contains("standard input"))
        }
    }

    @Test(
        "Real files of two coins, whose columns stand in another order, are one chain",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"))
    func chainOfRealFiles() throws {
        let paths = SharedData.chains.map(SharedData.path)
        func rows(_ paths: [String]) throws -> [[String]] {
            try Poise.run(["greeks", "--format", "csv"] + paths.flatMap { ["--chain", $0] }).rows
        }
        let (each, both) = (try paths.map { try rows([$0]) }, try rows(paths))
        #expect(both.count > 1900 && both == each[0] + each[1].dropFirst())
    }

    @Test(
        "Rows sum to the totals in every column, for any grouping and numeraire",
        arguments: ["book", "book,underlying", "underlying,expiry", "instrument", "expiry,book"])
    func totals(_ by: String) throws {
        for numeraire in ["usd", "coin"] where numeraire == "usd" || by.contains("underlying") {
            let result = try Self.risk(["--by", by, "--numeraire", numeraire, "--format", "csv"])
            #expect(result.status == 0)
            let labels = by.split(separator: ",").count
            let rows = result.rows.dropFirst()
            let totals = rows.filter { $0[0].hasPrefix("total") }
            #expect(totals.count == (numeraire == "usd" ? 1 : 2))
            for column in labels..<result.rows[0].count {
                let sum = rows.filter { !$0[0].hasPrefix("total") }.reduce(0) {
                    $0 + (Double($1[column]) ?? .nan)
                }
                let total = totals.reduce(0) { $0 + (Double($1[column]) ?? .nan) }
                let scale = rows.reduce(0) { $0 + abs(Double($1[column]) ?? 0) }
                #expect(abs(sum - total) <= 1e-12 * scale, "\(result.rows[0][column]) by \(by)")
            }
        }
    }

    @Test("Dollars are coins times the price, contract by contract, for first derivatives")
    func numeraires() throws {
        let usd = try Self.risk(["--by", "instrument", "--format", "csv"]).rows
        let coin = try Self.risk(["--by", "instrument", "--numeraire", "coin", "--format", "csv"]).rows
        let prices = try Poise.run(["greeks", "--chain", Poise.sampleChain, "--format", "csv"]).rows
        let forwards = Dictionary(
            uniqueKeysWithValues: prices.dropFirst().map { ($0[0], Double($0[3]) ?? .nan) })
        #expect(
            usd[0][1...].elementsEqual([
                "value_usd", "delta_usd", "net_delta_usd", "gamma_usd_per_percent", "vega_usd_per_point",
                "theta_usd_per_day", "rho_usd_per_percent", "vanna_usd_per_point",
                "volga_usd_per_point_squared", "charm_usd_per_day",
            ]))
        #expect(coin[0][1...3].elementsEqual(["value_coin", "delta_coin", "net_delta_coin"]))
        for (a, b) in zip(usd.dropFirst(), coin.dropFirst()) where !a[0].hasPrefix("total") {
            let forward = try #require(forwards[a[0]])
            for column in [1, 2, 3, 5, 6, 7, 9] {
                let (dollars, coins) = (Double(a[column]) ?? .nan, Double(b[column]) ?? .nan)
                #expect(abs(dollars - coins * forward) <= 1e-12 * abs(dollars), "\(a[0]) \(usd[0][column])")
            }
        }
    }

    @Test("JSON and CSV of `poise risk` have the same numbers")
    func json() throws {
        let result = try Self.risk(["--format", "json", "--by", "underlying"])
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect((report["rows"] as? [[String: Any]])?.count == 2)
        #expect((report["totals"] as? [[String: Any]])?.count == 1)
        #expect((report["contracts_priced"] as? Int).map { $0 > 300 && $0 < 540 } == true)
        #expect((report["milliseconds"] as? [String: Double])?["price"] != nil)
    }

    /// The same run on a real chain of options alone: futures take the price that the options name.
    @Test(
        "A chain of options alone gives futures the price that its options name",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"))
    func realChain() throws {
        let path = SharedData.path(SharedData.chains[0])
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            try Data(
                """
                book,instrument,quantity
                a,BTC-26MAR21-52000-C,10
                a,BTC-26MAR21,-100000
                b,BTC-PERPETUAL,50000

                """.utf8
            ).write(to: positions)
            let result = try Self.risk(["--format", "csv"], chain: path, positions: positions.path)
            #expect(result.errors.isEmpty)
            try #require(result.status == 0 && result.rows.count == 4)
            #expect(abs((Double(result.rows[2][3]) ?? 0) - 50_000) < 1e-6)
            let table = try Self.risk([], chain: path, positions: positions.path)
            #expect(table.output.contains("488 older rows superseded"))
        }
    }

    @Test("Bad input of `poise risk` ends with status 1 and the place of the fault")
    func badInput() throws {
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            try Data("book,instrument,quantity\na,BTC-PERPETUAL,1\na,DOGE-PERPETUAL,1\n".utf8).write(
                to: positions)
            let result = try Self.risk([], positions: positions.path)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(
                result.errors.contains("positions.csv:3: column \"instrument\": value \"DOGE-PERPETUAL\""))
            let skipped = try Self.risk(["--skip-bad-rows"], positions: positions.path)
            #expect(skipped.status == 0 && skipped.errors.contains("skipped 1 row:"))
        }
        let coins = try Self.risk(["--by", "book", "--numeraire", "coin"])
        #expect(coins.status == 2 && coins.errors.contains("BTC and ETH do not add"))
        for by in ["desk", "book,book"] {
            #expect(try Self.risk(["--by", by]).status == 2)
        }
        #expect(try Poise.run(["risk", "--chain", "-", "--positions", "-"]).status == 2)
    }
}
