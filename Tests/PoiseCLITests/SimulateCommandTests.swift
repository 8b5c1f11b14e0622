import Foundation
import TestSupport
import Testing

/// `poise simulate` as a user runs it.
struct SimulateCommandTests {
    static let example = SharedData.packageRoot.appendingPathComponent("Examples/simulate/families.toml")

    /// A small configuration; lines are counted by tests of errors.
    static let small = """
        days = 2
        step_minutes = 60
        paths = 64
        [market]
        model = "gbm"
        spot_usd = 100
        volatility = 0.5
        [book]
        [[book.option]]
        type = "call"
        moneyness = 1
        days = 5
        quantity = -10
        [hedge]
        instrument = "spot"
        [[venue]]
        name = "exchange"
        taker_fee = 0.001
        outages_from_to_hours = [[3, 5]]
        [[policy]]
        kind = "clock"
        hours = [1, 6]
        [[policy]]
        kind = "threshold"
        delta_band_coins = 0.5
        estimator = "ewma"
        half_life_hours = 6
        exponent = 1
        """

    private static func run(_ text: String, _ arguments: [String] = []) throws -> Poise.Result {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            try Data(text.utf8).write(to: file)
            return try Poise.run(["simulate", "--config", file.path] + arguments)
        }
    }

    @Test("the example: table, CSV and JSON say the same")
    func formats() throws {
        let common = ["simulate", "--config", Self.example.path, "--paths", "64"]
        let table = try Poise.run(common)
        #expect(table.status == 0 && table.errors.isEmpty)
        #expect(table.output.contains("64 paths") && table.output.contains("against every 1.0 h"))
        let csv = try Poise.run(common + ["--format", "csv"]).rows.map { row in
            // Names of some policies have a comma in them.
            row[0].hasPrefix("\"") ? [(row[0] + "," + row[1]).filter { $0 != "\"" }] + row[2...] : row
        }
        let json = try Poise.run(common + ["--format", "json"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["complete"] as? Bool == true && object["paths"] as? Int == 64)
        let policies = try #require(object["policies"] as? [[String: Any]])
        #expect(policies.count == csv.count - 1)
        for (row, policy) in zip(csv.dropFirst(), policies) {
            #expect(row.count == csv[0].count)
            #expect(policy["policy"] as? String == row[0])
            for (name, value) in zip(csv[0], row).dropFirst(2) {
                // Foundation reads the last digit of JSON's numbers wrongly now and then.
                let (a, b) = (policy[name] as? Double ?? .nan, Double(value) ?? .nan)
                #expect(abs(a - b) <= 1e-14 * abs(b), "\(name) of \(row[0])")
            }
            // The parts add up to the profit, also in what is printed.
            let parts = [
                "gamma", "rent", "carry", "vega", "higher_order", "unhedged_delta", "basis", "funding",
                "interest",
                "slippage", "spread", "fees", "impact", "gas", "liquidation",
            ].compactMap { policy["\($0)_usd"] as? Double }
            let profit = try #require(policy["mean_profit_usd"] as? Double)
            #expect(parts.count == 15 && abs(parts.reduce(0, +) - profit) < 1e-6)
        }
        #expect((object["comparisons"] as? [Any])?.count == policies.count)
    }

    @Test("the same digits for any number of threads, another seed others")
    func threads() throws {
        let one = try Self.run(Self.small, ["--format", "json"])
        #expect(one.status == 0)
        #expect(try Self.run(Self.small, ["--format", "json", "--threads", "2"]).output == one.output)
        #expect(try Self.run(Self.small, ["--format", "json", "--seed", "2"]).output != one.output)
    }

    @Test("Ctrl-C leaves a result of whole paths that says so, and goes on from there to the same digits")
    func interruption() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            // Some seconds of work, however fast the machine.
            let long = Self.small.replacingOccurrences(of: "days = 2\n", with: "days = 80\n")
                .replacingOccurrences(of: "days = 5", with: "days = 90")
            try Data(long.utf8).write(to: file)
            let state = folder.appendingPathComponent("state").path
            let output = folder.appendingPathComponent("partial.json")
            let count = 100_000
            let arguments = [
                "simulate", "--config", file.path, "--paths", "\(count)", "--format", "json", "--resume",
                state,
            ]
            let process = Process()
            process.executableURL = Poise.executable
            process.arguments = arguments + ["--output", output.path]
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            try #require(Self.catchesInterrupts(process.processIdentifier))
            Thread.sleep(forTimeInterval: 0.2)
            process.interrupt()
            process.waitUntilExit()
            let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(process.terminationStatus == 130)
            #expect(message.contains("interrupted: figures are of ") && message.contains("--resume"))
            let partial = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: output)) as? [String: Any])
            let done = try #require(partial["paths"] as? Int)
            #expect(partial["complete"] as? Bool == false && done < count && done % 32 == 0)
            // To somewhat more than what is there: the whole would take seconds.
            let goal = ["--paths", "\(done + 200)"]
            let resumed = try Poise.run(arguments + goal)
            #expect(resumed.status == 0)
            let whole = try Poise.run(
                ["simulate", "--config", file.path, "--format", "json"] + goal)
            #expect(whole.output == resumed.output)
            // A result of something else is refused, and so is one that was cut short.
            let other = try Poise.run(arguments + ["--seed", "9"])
            #expect(other.status == 1 && other.errors.contains("is no result of this configuration"))
        }
    }

    /// Waits until a process has asked to be told of Ctrl-C.
    private static func catchesInterrupts(_ process: Int32) -> Bool {
        for _ in 0..<600 {
            let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            let caught = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }?.split(
                separator: "\t"
            ).last
            if let caught, let mask = UInt64(caught, radix: 16), mask & 1 << UInt64(SIGINT - 1) != 0 {
                return true
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return false
    }

    @Test("the page stands alone and shows every chart")
    func page() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            try Data(Self.small.utf8).write(to: file)
            let page = folder.appendingPathComponent("page.html")
            let result = try Poise.run(["simulate", "--config", file.path, "--report", page.path])
            #expect(result.status == 0)
            let html = try String(contentsOf: page, encoding: .utf8)
            #expect(html.components(separatedBy: "<svg").count == 4)
            for foreign in ["http:", "https:", "src=", "<script", "@import", "url("] {
                #expect(!html.contains(foreign), "\(foreign)")
            }
            #expect(html.contains("<!DOCTYPE html>") && html.hasSuffix("</html>\n"))
            #expect(!html.contains("nan") && !html.contains("inf\""))
            // Well-formed, as far as an XML parser can tell of the drawings.
            for part in html.components(separatedBy: "<svg").dropFirst() {
                let drawing = "<svg" + (part.components(separatedBy: "</svg>").first ?? "") + "</svg>"
                #expect(XMLCheck.isWellFormed(drawing))
            }
        }
    }

    @Test("every step of a path as a table")
    func trace() throws {
        let result = try Self.run(Self.small, ["--trace", "--policy", "2", "--path", "3", "--format", "csv"])
        try #require(result.status == 0 && result.rows.count == 49)
        let down = try #require(result.rows[0].firstIndex(of: "is_down"))
        #expect(result.rows.dropFirst().filter { $0[down] == "1" }.count == 2)
        let hours = result.rows.dropFirst().map(\.[0])
        #expect(hours == (0..<48).map { "\(Double($0))" })
    }

    @Test("whole counts stand without decimals in CSV")
    func wholeCounts() throws {
        let rows = try Self.run(Self.small, ["--format", "csv"]).rows
        try #require(rows.count == 4)
        func value(_ name: String, _ row: Int) throws -> String {
            rows[row][try #require(rows[0].firstIndex(of: name))]
        }
        for row in 1...3 {
            #expect(try value("paths", row) == "64" && value("liquidations", row) == "0")
            #expect(["0", "1"].contains(try value("on_frontier", row)))
            // What is no count keeps its digits.
            #expect(try value("liquidation_usd", row) == "0.0")
        }
    }

    @Test(
        "what is wrong with a configuration is named with line and value",
        arguments: [
            ("paths = 64", "path = 64", ["run.toml:3:", "\"path\"", "value 64", "is it \"paths\"?"]),
            (
                "taker_fee = 0.001", "taker_fee = -0.001",
                ["run.toml:18:", "\"venue[0].taker_fee\"", "-0.001", "from 0 to 1"]
            ),
            ("volatility = 0.5", "volatility = nan", ["run.toml:7:", "\"market.volatility\"", "nan"]),
            (
                "outages_from_to_hours = [[3, 5]]", "outages_from_to_hours = [[5, 3]]",
                ["run.toml:19:", "\"venue[0].outages_from_to_hours[0]\"", "value [5, 3]", "not below"]
            ),
            (
                "exponent = 1", "exponent = 1\nleast_factor = 3\nlargest_factor = 2",
                ["run.toml:29:", "\"policy[1].least_factor\"", "value 3", "above largest_factor, 2"]
            ),
            (
                "kind = \"clock\"", "kind = \"clok\"",
                ["run.toml:21:", "\"clok\"", "must be one of", "clock"]
            ),
            (
                "hours = [1, 6]", "hours = [1, 0]",
                ["run.toml:22:", "\"policy[0].hours[1]\"", "value 0", "above 0"]
            ),
            ("hours = [1, 6]", "hours = [6, 6]", ["run.toml:20:", "stands twice"]),
            ("moneyness = 1", "", ["run.toml:9:", "\"book.option[0].strike_usd\": is missing", "moneyness"]),
            ("model = \"gbm\"", "model = \"gbm", ["run.toml:5: no valid TOML"]),
            (
                "hours = [1, 6]", "hours = [1, 6]\ngama_band_coins_per_usd = 1",
                ["run.toml:23:", "gama_band_coins_per_usd\"", "is it \"gamma_band_coins_per_usd\"?"]
            ),
            (
                "delta_band_coins = 0.5", "delta_band_coin = 0.5",
                ["run.toml:25:", "delta_band_coin\"", "is it \"delta_band_coins\"?"]
            ),
            ("moneyness = 1", "monyness = 1", ["run.toml:11:", "monyness\"", "is it \"moneyness\"?"]),
            (
                "moneyness = 1", "moneyness = 1\nstrike_usd = 98.5",
                [
                    "run.toml:11: \"book.option[0].moneyness\": value 1:", "strike_usd, 98.5:",
                    "either strike_usd or moneyness",
                ]
            ),
            (
                "instrument = \"spot\"",
                Self.withOption.replacingOccurrences(of: ".option", with: ".options"),
                ["run.toml:16: \"hedge.options\"", "is unknown", "is it \"option\"?"]
            ),
            ("[hedge]\ninstrument = \"spot\"", "", ["hedge", "missing"]),
            (
                "instrument = \"spot\"", "instrument = \"spot\"\nfunding = \"premium\"",
                ["run.toml:16:", "pays none"]
            ),
            ("days = 2", "days = \"two\"", ["run.toml:1:", "\"days\"", "\"two\"", "must be a number"]),
            (
                "quantity = -10", "quantity = -10\ncolour = 3",
                ["run.toml:14:", "\"book.option[0].colour\"", "is unknown; known are"]
            ),
            ("days = 2", "dais = 2", ["run.toml:1:", "\"dais\"", "is it \"days\"?"]),
            ("days = 2", "colour = 3", ["run.toml:1:", "\"colour\"", "value 3", "is unknown"]),
            ("model = \"gbm\"", "modl = \"gbm\"", ["run.toml:5:", "modl\"", "is it \"model\"?"]),
            (
                "delta_band_coins = 0.5", "delta_band_coins = 0.5\nvega_band_usd_per_point = 100",
                ["run.toml:26:", "vega_band_usd_per_point\"", "value 100", "[[hedge.option]]"]
            ),
            (
                "instrument = \"spot\"", "instrument = \"spot\"\n[[hedge.option]]\ntype = \"call\"\ndays = 9",
                ["run.toml:16:", "strike_usd\"", "either strike_usd or moneyness"]
            ),
            (
                "instrument = \"spot\"", Self.withOption + "half_spread = -0.1",
                ["run.toml:20:", "half_spread\"", "value -0.1", "from 0 to 1"]
            ),
            (
                "instrument = \"spot\"", Self.withOption + "largest_trade_contracts = 0",
                ["run.toml:20:", "largest_trade_contracts\"", "value 0"]
            ),
            (
                "instrument = \"spot\"", Self.withOption + "lot = 1",
                ["run.toml:20:", "\"hedge.option[0].lot\""]
            ),
            (
                "delta_band_coins = 0.5", "delta_band_coins = 0.5\ngamma_band_coins_per_usd = -1",
                ["run.toml:26:", "gamma_band_coins_per_usd\"", "value -1", "at least 0"]
            ),
        ])
    func badConfiguration(_ good: String, _ bad: String, _ expected: [String]) throws {
        let text = Self.small.replacingOccurrences(of: good, with: bad)
        #expect(text != Self.small)
        let result = try Self.run(text)
        #expect(result.status == 1 && result.output.isEmpty)
        for part in expected { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
    }

    @Test(
        "a key of an earlier version is refused with the one that takes its place, its unit in its name",
        arguments: [
            ("spot_usd = 100", "spot = 100", "run.toml:6: \"market.spot\": value 100: is now spot_usd"),
            (
                "delta_band_coins = 0.5", "delta = 0.5",
                "run.toml:25: \"policy[1].delta\": value 0.5: is now delta_band_coins"
            ),
            (
                "delta_band_coins = 0.5", "delta_band_coins = 0.5\nvega_band = 20000",
                "run.toml:26: \"policy[1].vega_band\": value 20000: is now vega_band_usd_per_point, a hundredth"
            ),
            (
                "outages_from_to_hours", "outages",
                "run.toml:19: \"venue[0].outages\": value [[3, 5]]: is now outages_from_to_hours"
            ),
        ])
    func earlierKeys(_ good: String, _ bad: String, _ expected: String) throws {
        let result = try Self.run(Self.small.replacingOccurrences(of: good, with: bad))
        #expect(result.status == 1 && result.errors.contains(expected), "\(result.errors)")
    }

    @Test("a configuration may be JSON of the same shape; what is wrong with it is named with its line")
    func jsonConfiguration() throws {
        let json = """
            {"days": 2, "step_minutes": 60, "paths": 64,
             "market": {"model": "gbm", "spot_usd": 100, "volatility": 0.5},
             "book": {"option": [{"type": "call", "moneyness": 1, "days": 5, "quantity": -10}]},
             "hedge": {"instrument": "spot"},
             "venue": [{"name": "exchange", "taker_fee": 0.001, "outages_from_to_hours": [[3, 5]]}],
             "policy": [{"kind": "clock", "hours": [1, 6]},
                        {"kind": "threshold", "delta_band_coins": 0.5, "estimator": "ewma", "half_life_hours": 6,
                         "exponent": 1}]}
            """
        let result = try Self.run(json, ["--format", "csv"])
        #expect(result.status == 0)
        #expect(try result.output == Self.run(Self.small, ["--format", "csv"]).output)
        let bad = try Self.run(json.replacingOccurrences(of: "0.001", with: "2"))
        #expect(bad.errors.contains("run.toml:5: \"venue[0].taker_fee\": value 2: must be from 0 to 1"))
        for other in ["[{\"a\": 1}]", "[+", "a =[[ ", "3", "{\"days\": 2} {}"] {
            let result = try Self.run(other)
            #expect(result.status == 1 && result.errors.hasPrefix("poise: "), "\(other): \(result.errors)")
            #expect(result.errors.contains("run.toml:1: no valid "))
        }
    }

    @Test(
        "no number of a configuration stops the tool or leaves figures blank: it gives figures or names line and key",
        arguments: ["0", "-1", "1e-300", "1e15", "1e300", "inf", "nan", "9223372036854775807"])
    func extremes(_ extreme: String) throws {
        let text =
            Self.small.replacingOccurrences(of: "days = 2\n", with: "days = 0.5\n")
            .replacingOccurrences(of: "paths = 64", with: "paths = 8")
            .replacingOccurrences(of: "taker_fee = 0.001", with: "taker_fee = 0.001\nlatency_seconds = 5")
        let lines = text.components(separatedBy: "\n")
        for (index, line) in lines.enumerated() {
            let parts = line.components(separatedBy: " = ")
            guard parts.count == 2, Double(parts[1]) != nil, parts[0] != "paths" else { continue }
            var changed = lines
            changed[index] = "\(parts[0]) = \(extreme)"
            let result = try Self.run(changed.joined(separator: "\n"), ["--format", "csv"])
            if result.status == 0 {
                for row in result.rows {
                    #expect(!row.contains("nan") && !row.contains("inf"), "\(changed[index]): \(row)")
                    // The P&L.
                    #expect(!row[5].isEmpty && !row[7].isEmpty, "\(changed[index]): \(row)")
                }
            } else {
                #expect(result.status == 1, "\(changed[index]): \(result.status) \(result.errors)")
                #expect(
                    result.errors.contains("run.toml:") && result.errors.contains(parts[0]),
                    "\(result.errors)")
            }
        }
    }

    @Test("sizes beyond the machine's memory are refused with the memory that they need, before any is taken")
    func memory() throws {
        let long = Self.small.replacingOccurrences(of: "days = 2\n", with: "days = 3650\n")
            .replacingOccurrences(of: "step_minutes = 60", with: "step_minutes = 0.01")
        let result = try Self.run(long)
        #expect(result.status == 1)
        #expect(
            result.errors.contains("run.toml:2: \"step_minutes\": value 0.01: 525600000 steps"),
            "\(result.errors)")
        #expect(result.errors.contains("GB of memory"))
    }

    @Test("a regime without volatility is simulated: every figure is there")
    func regimeWithoutVolatility() throws {
        let text = Self.small.replacingOccurrences(
            of: "model = \"gbm\"", with: "model = \"regimes\""
        ).replacingOccurrences(
            of: "volatility = 0.5",
            with: """
                [[market.regime]]
                volatility = 0
                moves_per_year = [0, 500]
                [[market.regime]]
                volatility = 1
                moves_per_year = [500, 0]
                """
        ).replacingOccurrences(
            of: "taker_fee", with: "half_spread = 0.0001\nspread_widening = 0.5\ntaker_fee")
        let missing = try Self.run(text)
        #expect(
            missing.status == 1 && missing.errors.contains("policy[1].reference_volatility\": is missing"))
        let complete = text.replacingOccurrences(
            of: "exponent = 1", with: "exponent = 1\nreference_volatility = 0.5")
        let result = try Self.run(complete, ["--format", "csv"])
        #expect(result.status == 0 && result.rows.count == 4, "\(result.errors)")
        for row in result.rows.dropFirst() { #expect(!row.contains("") && !row.contains("nan"), "\(row)") }
    }

    /// The hedge with an option beside it, its last line open.
    static let withOption = """
        instrument = "spot"
        [[hedge.option]]
        type = "call"
        moneyness = 1.05
        days = 30

        """

    @Test(
        "options to hedge with: the same digits for any number of threads, and their positions step by step")
    func optionHedges() throws {
        let text = Self.small.replacingOccurrences(
            of: "instrument = \"spot\"", with: Self.withOption + "half_spread = 0.01\nfee = 0.0003"
        ).replacingOccurrences(
            of: "delta_band_coins = 0.5", with: "delta_band_coins = 0.5\ngamma_band_coins_per_usd = 0.05")
        let one = try Self.run(text, ["--format", "csv"])
        try #require(one.status == 0 && one.rows.count == 4)
        #expect(one.rows[3][0].contains("gamma 0.05"))
        #expect(try Self.run(text, ["--format", "csv", "--threads", "2"]).output == one.output)
        let trace = try Self.run(text, ["--trace", "--policy", "3", "--format", "csv"])
        let gamma = try #require(trace.rows.first?.firstIndex(of: "gamma"))
        #expect(trace.rows.first?.last == "held_call_105_30d")
        let hours = trace.rows.dropFirst().filter { $0[11] == "0" }
        #expect(hours.count == 46)
        for row in hours { #expect(try #require(Double(row[gamma])).magnitude < 0.05 * (1 + 1e-5)) }
    }

    @Test("old prices stop options, too; every option has a column of its own, and one is not many")
    func staleOptions() throws {
        let option = Self.withOption.replacingOccurrences(of: "instrument = \"spot\"\n", with: "")
        let text = Self.small.replacingOccurrences(
            of: "instrument = \"spot\"\n",
            with: Self.withOption + "largest_trade_contracts = 0.05\n" + option + "name = \"near, 5%\"\n"
                + option + "half_spread = 0.5\n"
        ).replacingOccurrences(
            of: "outages_from_to_hours = [[3, 5]]", with: "stale_from_to_hours = [[3, 40]]"
        )
        .replacingOccurrences(
            of: "delta_band_coins = 0.5",
            with:
                "delta_band_coins = 0.5\ngamma_band_coins_per_usd = 0.05\nfresh_seconds = 60\nstale_seconds = 600"
        ).replacingOccurrences(of: "[[venue]]", with: "[limits]\noldest_price_seconds = 1e6\n[[venue]]")
        .replacingOccurrences(of: "quantity = -10", with: "quantity = -100")
        let trace = try Self.run(text, ["--trace", "--policy", "3", "--path", "5", "--format", "csv"])
        try #require(trace.status == 0 && trace.rows.count == 49)
        let held = ["held_call_105_30d", "held_near_5", "held_call_105_30d_2"]
        #expect(trace.rows[0].suffix(3) == held[...])
        let stale = try #require(trace.rows[0].firstIndex(of: "is_stale"))
        var changes = 0
        for (before, row) in zip(trace.rows.dropFirst(), trace.rows.dropFirst(2)) {
            guard before.suffix(3) != row.suffix(3) else { continue }
            #expect(row[stale] == "0", "traded at hour \(row[0])")
            changes += 1
        }
        #expect(changes > 1)
        let table = try Self.run(text)
        #expect(table.output.contains("1 option, hedged with spot and 3 options at exchange"))
    }

    @Test(
        "a period outside the candles is named with what they cover, a missing file with where it was sought")
    func periods() throws {
        let candles =
            "timestamp,open,high,low,close\n"
            + (1...9).map { "2022-01-0\($0) 00:00:00,100,101,99,100\n" }.joined()
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            try Data(candles.utf8).write(to: folder.appendingPathComponent("candles.csv"))
            func run(_ lines: String) throws -> Poise.Result {
                let text = Self.small.replacingOccurrences(of: "model = \"gbm\"", with: "model = \"replay\"")
                    .replacingOccurrences(of: "step_minutes = 60\n", with: "")
                    .replacingOccurrences(of: "spot_usd = 100\n", with: "spot_usd = 100\n\(lines)\n")
                try Data(text.utf8).write(to: file)
                return try Poise.run(["simulate", "--config", file.path])
            }
            let files = "files = [\"candles.csv\"]\n"
            #expect(
                try run(files + "from = \"2022-01-02\"\nuntil = \"2022-01-07\"").output.contains("2 windows"))
            let period = "the candles are from 2022-01-01 00:00:00 UTC to 2022-01-09 00:00:00 UTC"
            for (lines, expected) in [
                (
                    "from = \"2023-01-01\"",
                    "run.toml:7: \"market.from\": value \"2023-01-01\": is after the last"
                ),
                (
                    "until = \"2022-01-01\"",
                    "run.toml:7: \"market.until\": value \"2022-01-01\": is not after the first"
                ),
                (
                    "from = \"2022-01-05\"\nuntil = \"2022-01-04\"",
                    "run.toml:8: \"market.until\": value \"2022-01-04\": is not after from, \"2022-01-05\""
                ),
                (
                    "from = \"2022-01-09\"",
                    "run.toml:7: \"market.from\": value \"2022-01-09\": leaves fewer than two"
                ),
            ] {
                let result = try run(files + lines)
                #expect(result.status == 1 && result.output.isEmpty)
                #expect(
                    result.errors.contains(expected) && result.errors.contains(period), "\(result.errors)")
            }
            let missing = try run("files = [\"none.csv\"]")
            #expect(
                missing.status == 1
                    && missing.errors.contains("run.toml:6: \"market.files\": value [\"none.csv\"]"))
            #expect(missing.errors.contains(folder.appendingPathComponent("none.csv").path))
            #expect(missing.errors.contains("relative to the configuration file"))
        }
    }

    @Test("Figures that are there already are not those of other candles under the same name")
    func resumingOtherCandles() throws {
        try Poise.inFolder { folder in
            let text = Self.small.replacingOccurrences(
                of: "model = \"gbm\"", with: "model = \"replay\"\nfiles = [\"candles.csv\"]"
            ).replacingOccurrences(of: "step_minutes = 60\n", with: "")
            let (file, state) = (
                folder.appendingPathComponent("run.toml"), folder.appendingPathComponent("state")
            )
            try Data(text.utf8).write(to: file)
            func run(_ closes: [Double]) throws -> Poise.Result {
                try Data(EveryOptionTests.Desk.candles(closes).utf8).write(
                    to: folder.appendingPathComponent("candles.csv"))
                return try Poise.run(["simulate", "--config", file.path, "--resume", state.path])
            }
            let closes = [Double](repeating: 100, count: 60)
            try #expect(run(closes).status == 0 && run(closes).status == 0)
            let other = try run(closes + [101])
            #expect(other.status == 1 && other.errors.contains("is no result of this configuration"))
        }
    }

    @Test("candles with gaps, out of order or impossible are refused with line and value")
    func badCandles() throws {
        let header = "timestamp,open,high,low,close\n"
        func rows(_ hours: [Int]) -> String {
            header
                + hours.map {
                    "2022-01-0\(1 + $0 / 24) \($0 % 24 < 10 ? "0" : "")\($0 % 24):00:00,100,101,99,100\n"
                }
                .joined()
        }
        let all = Array(0..<100)
        try Poise.inFolder { folder in
            let text = Self.small.replacingOccurrences(
                of: "model = \"gbm\"", with: "model = \"replay\"\nfiles = [\"candles.csv\"]"
            ).replacingOccurrences(of: "step_minutes = 60\n", with: "")
            let file = folder.appendingPathComponent("run.toml")
            try Data(text.utf8).write(to: file)
            let candles = folder.appendingPathComponent("candles.csv")
            func errors(_ content: String) throws -> Poise.Result {
                try Data(content.utf8).write(to: candles)
                return try Poise.run(["simulate", "--config", file.path])
            }
            let good = try errors(rows(all))
            #expect(good.status == 0 && good.output.contains("2 windows of candles.csv"))
            let gap = try errors(rows(all.filter { $0 != 10 }))
            #expect(gap.status == 1 && gap.errors.contains("candles.csv:12:"))
            #expect(gap.errors.contains("1 candle is missing"))
            var swapped = all
            swapped.swapAt(20, 21)
            let order = try errors(rows(swapped))
            #expect(order.status == 1 && order.errors.contains("candles.csv:23:"))
            #expect(order.errors.contains("not after"))
            let impossible = try errors(
                rows(all).replacingOccurrences(of: "03:00:00,100,101", with: "03:00:00,100,98"))
            #expect(impossible.status == 1 && impossible.errors.contains("candles.csv:5:"))
            let avoided = text.replacingOccurrences(of: "model = ", with: "gaps = \"avoid\"\nmodel = ")
            try Data(avoided.utf8).write(to: file)
            #expect(try errors(rows(all.filter { $0 != 10 })).status == 0)
        }
    }
}

/// Foundation's XML parser lives in a module of its own; this is enough for drawings: tags that open and close.
private enum XMLCheck {
    static func isWellFormed(_ text: String) -> Bool {
        var open: [String] = []
        var rest = Substring(text)
        while let start = rest.firstIndex(of: "<") {
            guard let end = rest[start...].firstIndex(of: ">") else { return false }
            let tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                guard open.popLast() == String(tag.dropFirst()) else { return false }
            } else if !tag.hasSuffix("/") {
                open.append(String(tag.prefix { !$0.isWhitespace }))
            }
            guard tag.filter({ $0 == "\"" }).count % 2 == 0 else { return false }
        }
        return open.isEmpty
    }
}
