import Foundation
import Market
import TestSupport
import Testing

struct ValueAtRiskCommandTests {
    /// Hourly candles of a random walk, written to a file.
    static func candles(_ folder: URL, _ name: String, seed: UInt64, without missing: Set<Int> = []) throws
        -> String
    {
        var random = SeededGenerator(seed: seed)
        var text = "timestamp,open,high,low,close,volume\n"
        var close = 1000.0
        for hour in 0..<1500 {
            close *=
                1 + 0.006
                * (Double.random(in: -1...1, using: &random) + Double.random(in: -1...1, using: &random))
            guard !missing.contains(hour) else { continue }
            let time = Timestamp(milliseconds: 1_640_995_200_000 + Int64(hour) * 3_600_000)
            text += "\("\(time)".dropLast(4)),\(close),\(close),\(close),\(close),1\n"
        }
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    static func sample(_ folder: URL, _ more: [String]) throws -> Poise.Result {
        let histories = [
            "BTC=" + (try candles(folder, "btc.csv", seed: 1, without: [1200, 1201])),
            "ETH=" + (try candles(folder, "eth.csv", seed: 2)),
        ]
        return try Poise.runWithTotals(
            ["var", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
                + histories.flatMap { ["--history", $0] } + more)
    }

    @Test(
        "For each method the components add up to the total, in dollars and in coin",
        arguments: ["historical", "delta-gamma-vega", "monte-carlo"]) func components(_ method: String)
        throws
    {
        try Poise.inFolder { folder in
            for (numeraire, by) in [("usd", "book"), ("coin", "book,underlying"), ("usd", "tenor")] {
                let result = try Self.sample(
                    folder,
                    [
                        "--method", method, "--scenarios", "2000", "--numeraire", numeraire, "--by", by,
                        "--levels", "0.9,0.975,0.99", "--format", "csv",
                    ])
                #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
                let header = result.rows[0]
                #expect(
                    header.contains("component_es_97.5_\(numeraire)")
                        && header.contains("var_99_\(numeraire)"))
                #expect(header.contains("es_standard_error_90_\(numeraire)") == (method != "historical"))
                let rows = result.rows.dropFirst().filter { !$0[0].hasPrefix("total") }
                let totals = result.rows.filter { $0[0].hasPrefix("total") }
                #expect(totals.count == (numeraire == "usd" ? 1 : 2))
                for (column, name) in header.enumerated() where name.hasPrefix("component") {
                    for total in totals {
                        let coin = total[0].split(separator: " ").last ?? ""
                        let own = rows.filter { numeraire == "usd" || $0[1] == coin }
                        let parts = own.map { Double($0[column]) ?? .nan }
                        let scale = parts.reduce(0) { $0 + abs($1) }
                        let sum = parts.reduce(0, +)
                        #expect(
                            abs(sum - (Double(total[column]) ?? .nan)) <= 1e-12 * scale, "\(name) \(total[0])"
                        )
                        // The total's own figure stands in the column of components too.
                        let place = try #require(
                            header.firstIndex(of: String(name.dropFirst("component_".count))))
                        #expect(total[column] == total[place])
                    }
                }
            }
        }
    }

    @Test("The sample's own histories give value at risk, daily")
    func sampleHistories() throws {
        let histories = ["BTC", "ETH"].map {
            "\($0)=" + Poise.sample.appendingPathComponent("\($0.lowercased())-1d.csv").path
        }
        let result = try Poise.run(
            ["var", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
                + histories.flatMap { ["--history", $0] })
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("461 windows of 24 h") && result.output.contains("no gaps"))
    }

    @Test("The table of `poise var` shows each group's figures")
    func table() throws {
        try Poise.inFolder { folder in
            let result = try Self.sample(folder, ["--horizon", "12"])
            #expect(result.status == 0 && result.errors.isEmpty)
            for text in [
                "VaR 95%", "ES 99%", "of total", "book-20", "windows of 12 h", "every contract valued anew",
                "1 gap (2 missing): no window reaches across", "with realised volatility",
            ] { #expect(result.output.contains(text), "\(text)") }
            let drawn = try Self.sample(
                folder,
                ["--method", "delta-gamma-vega", "--covariance", "ledoit-wolf", "--scenarios", "1000"])
            for text in [
                "1,000 draws over 24 h, seed 1", "through the Greeks", "ledoit-wolf", "standard error",
            ] {
                #expect(drawn.output.contains(text), "\(text)")
            }
        }
    }

    @Test("JSON and CSV of `poise var` have the same numbers")
    func json() throws {
        try Poise.inFolder { folder in
            let arguments = ["--method", "monte-carlo", "--scenarios", "500", "--format", "json"]
            let result = try Self.sample(folder, arguments)
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            #expect((report["rows"] as? [[String: Any]])?.count == 20)
            #expect((report["totals"] as? [[String: Any]])?.count == 1)
            let covariance = try #require(report["covariance"] as? [String: Any])
            #expect((covariance["factors"] as? [String])?.count == 4)
            #expect((covariance["per_step"] as? [[Double]])?.count == 4)
            let history = try #require(report["history"] as? [String: Any])
            #expect((history["gaps"] as? [[String: Any]])?.count == 1)
            // The same scenarios on every run, others for another seed.
            func totals(_ more: [String]) throws -> String {
                let text = try Self.sample(folder, arguments + more).output
                return String(text[(text.range(of: "\"rows\"")?.lowerBound ?? text.startIndex)...])
            }
            #expect(try totals([]) == totals([]) && totals([]) != totals(["--seed", "2"]))
        }
    }

    /// Volatilities that move with an index, time that passes, gains that are written.
    @Test("Options of `poise var` change its figures")
    func options() throws {
        try Poise.inFolder { folder in
            let still = try Self.sample(folder, ["--volatility", "none", "--format", "csv"])
            let passing = try Self.sample(
                folder, ["--volatility", "none", "--time-passes", "--format", "csv"])
            #expect(still.status == 0 && passing.status == 0 && still.output != passing.output)
            let index = try Self.candles(folder, "index.csv", seed: 3)
            let gains = folder.appendingPathComponent("gains.csv").path
            let indexed = try Self.sample(
                folder,
                [
                    "--volatility-history", "BTC=\(index)", "--volatility-history", "ETH=\(index)",
                    "--save-gains", gains, "--stride", "24",
                ])
            #expect(indexed.status == 0 && indexed.output.contains("with their index"))
            let rows = try String(contentsOfFile: gains, encoding: .utf8).split(separator: "\n").map {
                $0.split(separator: ",")
            }
            #expect(rows[0].count == 23 && rows[0][22] == "total usd" && rows.count > 55)
            for row in rows.dropFirst() {
                let numbers = row.dropFirst(2).map { Double($0) ?? .nan }
                let scale = numbers.reduce(0) { $0 + abs($1) }
                #expect(abs(numbers.dropLast().reduce(0, +) - numbers[20]) <= 1e-12 * scale)
            }
        }
    }

    @Test("Bad input of `poise var` ends with status 1 and the place of the fault")
    func badInput() throws {
        try Poise.inFolder { folder in
            let btc = try Self.candles(folder, "a.csv", seed: 1)
            let books = ["var", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
            let both = books + ["--history", "BTC=\(btc)", "--history", "ETH=\(btc)"]
            let missing = try Poise.run(books + ["--history", "BTC=\(btc)"])
            #expect(missing.status == 2 && missing.errors.contains("ETH is held, and has none"))
            for arguments in [
                ["--levels", "0.99,1"], ["--levels", "0.99,0.99"], ["--levels", ""], ["--levels", "nan"],
                ["--horizon", "0"], ["--horizon", "nan"], ["--horizon", "1.5"], ["--by", "desk"],
                ["--numeraire", "coin"], ["--decay", "1"], ["--term-power", "2"], ["--stride", "0"],
                ["--shrinkage", "2"], ["--scenarios", "1"], ["--history", "BTC"], ["--history", "=x"],
                ["--volatility-history", "BTC=\(btc)"], ["--seed", "-1"],
            ] {
                let result = try Poise.run(both + arguments)
                #expect(result.status == 2 && result.output.isEmpty, "\(arguments): \(result.errors)")
            }
            #expect(try Poise.run(both + ["--history", "BTC"]).errors.contains("expected COIN=FILE"))
            // What only the files tell is wrong usage of this command, and it says how it is used.
            let step = try Poise.run(both + ["--horizon", "0.3"])
            #expect(step.status == 2 && step.errors.contains("Error: --horizon 0.3: expected a multiple"))
            #expect(
                step.errors.contains("Usage: poise var [<options>] --history")
                    && !step.errors.contains("<subcommand>"))
            // One history for two coins: the covariance has no factor, and the fix that is named works.
            let singular = both + ["--method", "monte-carlo", "--scenarios", "100"]
            let refused = try Poise.run(singular)
            #expect(refused.status == 1 && refused.output.isEmpty)
            #expect(
                refused.errors.contains("not positive definite") && refused.errors.contains("shrink it by"))
            #expect(try Poise.run(singular + ["--shrinkage", "1e-6"]).status == 0)
            #expect(try Poise.run(singular + ["--covariance", "ledoit-wolf"]).status == 0)
            let bad = folder.appendingPathComponent("bad.csv")
            try Data("timestamp,open,high,low,close\n2022-01-01 00:00:00,1,1,1,-1\n".utf8).write(to: bad)
            let result = try Poise.run(books + ["--history", "BTC=\(bad.path)", "--history", "ETH=\(btc)"])
            #expect(result.status == 1 && result.errors.contains("bad.csv:2: column \"close\": value \"-1\""))
            let short = try Poise.run(both + ["--horizon", "2000"])
            #expect(short.status == 1 && short.errors.contains("windows without a gap"))
        }
    }

    static let candles = ["data/btcusdt-1h-2019-12-to-2021-07.csv", "data/btcusdt-1h-2022.csv"]
    static let hasNumpy: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import numpy"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// The real returns of 2020 to 2022: value at risk and shortfall of a coin as numpy computes them from the files.
    @Test(
        "Value at risk of a coin over real returns is what numpy computes",
        .enabled(if: hasNumpy, "needs python3 with numpy"),
        .enabled(if: SharedData.has(candles), "needs real candles in the shared folder"),
        arguments: [1, 24, 168]) func realReturns(_ hours: Int) throws
    {
        let paths = Self.candles.map(SharedData.path)
        let script = """
            import csv, sys
            import numpy as np
            from datetime import datetime
            closes = {}
            for path in sys.argv[2:]:
                for row in csv.DictReader(open(path)):
                    time = datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S")
                    closes[int((time - datetime(1970, 1, 1)).total_seconds()) // 3600] = float(row["close"])
            hours = int(sys.argv[1])
            moves = np.array([closes[t + hours] / closes[t] - 1 for t in sorted(closes)
                              if all(t + k in closes for k in range(hours + 1))])
            print(len(moves))
            for level in (0.95, 0.99, 0.999):
                mass = len(moves) * (1 - level)
                share = np.clip(mass - np.arange(len(moves)), 0, 1) / mass
                print(repr(float(-2500 * np.quantile(moves, 1 - level))), repr(float(-2500 * (np.sort(moves) @ share))))
            """
        try Poise.inFolder { folder in
            let numpy = Process()
            let pipe = Pipe()
            numpy.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            numpy.arguments = ["python3", "-c", script, "\(hours)"] + paths
            numpy.standardOutput = pipe
            numpy.standardError = FileHandle.nullDevice
            try numpy.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            numpy.waitUntilExit()
            try #require(numpy.terminationStatus == 0)
            let chain = folder.appendingPathComponent("chain.json")
            try Data(
                "{\"instrument_name\": \"BTC_USDC\", \"timestamp\": 1672531200000, \"mark_price\": 250}".utf8
            ).write(to: chain)
            let positions = folder.appendingPathComponent("positions.csv")
            try Data("book,instrument,quantity\na,BTC_USDC,4\nb,BTC_USDC,6\n".utf8).write(to: positions)
            let result = try Poise.run(
                ["var", "--chain", chain.path, "--positions", positions.path, "--volatility", "none"]
                    + paths.flatMap { ["--history", "BTC=\($0)"] }
                    + ["--levels", "0.95,0.99,0.999", "--horizon", "\(hours)", "--format", "json"])
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            let lines = text.split(separator: "\n")
            #expect(report["scenarios"] as? Int == Int(lines[0]))
            let history = try #require(report["history"] as? [String: Any])
            // Seven gaps of the first file, and the months between the two.
            #expect((history["gaps"] as? [[String: Any]])?.count == 8)
            let total = try #require((report["totals"] as? [[String: Any]])?.first)
            var worst = 0.0
            for (level, line) in zip(["95", "99", "99.9"], lines.dropFirst()) {
                let reference = line.split(separator: " ").map { Double($0) ?? .nan }
                for (name, value) in zip(["var", "es"], reference) {
                    let own = try #require(total["\(name)_\(level)_usd"] as? Double)
                    worst = max(worst, abs(own - value) / value)
                }
            }
            print("VaR and ES of \(lines[0]) real moves over \(hours) h: within \(worst) of numpy's")
            #expect(worst < 1e-13)
        }
    }
}
