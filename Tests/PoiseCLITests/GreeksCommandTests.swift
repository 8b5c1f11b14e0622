import Foundation
import TestSupport
import Testing

struct GreeksCommandTests {
    static let options = """
        strike,type,spot,years,vol,rate,dividend,note
        100,C,100,1,0.2,0.05,0,at the money
        110,P,100,0.5,0.3,0.01,0.02,in the money
        """

    @Test("CSV repeats the inputs, then gives every Greek under its name, with a textbook's values")
    func csv() throws {
        let result = try Poise.run(["greeks", "--options", "-", "--format", "csv"], input: Self.options)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(
            result.rows[0]
                == """
                type,spot,strike,years,vol,rate,dividend,price,delta,gamma,vega,theta,rho,phi,vanna,volga,charm,\
                speed,zomma,color,veta,ultima
                """.split(separator: ",").map(String.init))
        #expect(result.rows.count == 3 && result.rows.allSatisfy { $0.count == 22 })
        #expect(result.rows[1][...7].dropLast() == ["C", "100.0", "100.0", "1.0", "0.2", "0.05", "0.0"])
        let price = try #require(Double(result.rows[1][7]))
        #expect(abs(price - 10.450583572185565) < 1e-14)
        // All digits: what is printed is what was computed.
        #expect("\(price)" == result.rows[1][7])
    }

    @Test("JSON and CSV of `poise greeks` have the same numbers")
    func json() throws {
        let result = try Poise.run(["greeks", "--options", "-", "--format", "json"], input: Self.options)
        let rows = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        #expect(rows.count == 2 && rows[0]["type"] as? String == "C" && rows[1]["strike"] as? Double == 110)
        #expect(abs((rows[0]["delta"] as? Double ?? 0) - 0.6368306511756191) < 1e-15)
    }

    @Test("A table that goes to no terminal is aligned plain text without escape sequences")
    func table() throws {
        let result = try Poise.run(["greeks", "--options", "-"], input: Self.options)
        #expect(result.status == 0 && !result.output.contains("\u{1B}"))
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 4 && lines[0].hasPrefix("type") && lines[2].contains("10.4506"))
        #expect(Set(lines.map { $0.count }).count == 1)
    }

    @Test("A chain gives one row per row, in order, in natural and in exchange units, futures included")
    func chain() throws {
        let result = try Poise.run(["greeks", "--chain", Poise.sampleChain, "--format", "csv"])
        #expect(result.status == 0 && result.rows.count == 539)
        // No field before the name is quoted.
        let input = try String(contentsOfFile: Poise.sampleChain, encoding: .utf8).split(separator: "\n").map
        {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let nameColumn = try #require(input[0].firstIndex(of: "instrument_name"))
        let names = input.dropFirst().map { $0[nameColumn] }
        #expect(result.rows.dropFirst().map { $0[0] } == names)
        let perpetual = result.rows[1]
        let header = result.rows[0]
        func field(_ name: String, _ row: [String]) -> String {
            header.firstIndex(of: name).map { row[$0] } ?? "no such column"
        }
        #expect(field("instrument_name", perpetual) == "BTC-PERPETUAL" && field("delta", perpetual) == "1.0")
        #expect(field("price", perpetual) == field("exchange_mark_price", perpetual))
        #expect(field("strike", perpetual).isEmpty && field("gamma", perpetual) == "0.0")
    }

    @Test(
        "A real chain gives one row of Greeks per row",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"),
        arguments: [("btc", 977), ("eth", 997)])
    func realChain(_ coin: String, _ lines: Int) throws {
        let path = SharedData.path("data/deribit-options-2021-02-11-\(coin).csv")
        let result = try Poise.run(["greeks", "--chain", path, "--format", "csv"])
        #expect(result.status == 0 && result.rows.count == lines)
    }

    @Test("The same options in either format and on any instruction set have the same answers")
    func sameAnswers() throws {
        let baseline = try Poise.run(
            ["greeks", "--options", "-", "--format", "csv"], input: Self.options,
            environment: ["POISE_ISA": "baseline"])
        let best = try Poise.run(["greeks", "--options", "-", "--format", "csv"], input: Self.options)
        for (a, b) in zip(baseline.rows.dropFirst(), best.rows.dropFirst()) {
            for (x, y) in zip(a.dropFirst(), b.dropFirst()) {
                let (x, y) = (Double(x) ?? .nan, Double(y) ?? .nan)
                #expect(abs(x - y) <= 1e-13 * abs(y))
            }
        }
    }

    @Test("The three deltas of a coin-settled option stand side by side")
    func coin() throws {
        let result = try Poise.run(["greeks", "--chain", Poise.sampleChain, "--coin", "--format", "csv"])
        let header = result.rows[0]
        func field(_ name: String, _ row: [String]) -> Double? {
            header.firstIndex(of: name).flatMap { Double(row[$0]) }
        }
        for row in result.rows.dropFirst() where field("strike", row) != nil {
            let (black, net, equity) = (
                try #require(field("delta", row)), try #require(field("net_transaction_delta", row)),
                try #require(field("equity_delta", row))
            )
            #expect(abs(net + equity - black) <= 1e-14)
            #expect(abs(net - (try #require(field("exchange_net_delta", row)))) <= 1e-14)
            #expect(field("coin_price", row) == equity && field("exchange_mark_price", row) == equity)
        }
        #expect(field("coin_delta", result.rows[1]) == nil && result.rows[1][0] == "BTC-PERPETUAL")
    }

    @Test("Wrong usage of `poise greeks` ends with the status for usage and says what is expected")
    func usage() throws {
        for arguments in [
            ["greeks"], ["greeks", "--options", "a", "--chain", "b"], ["greeks", "--options"], ["nonsense"],
            ["greeks", "--options", "-", "--format", "xml"], ["risk", "--chain", "x"],
        ] {
            let result = try Poise.run(arguments)
            #expect(result.status == 2 && !result.errors.isEmpty && result.output.isEmpty, "\(arguments)")
        }
        for name in ["sse9", "AVX2"] {
            let result = try Poise.run(
                ["greeks", "--options", "-"], input: Self.options, environment: ["POISE_ISA": name])
            let text = "instruction_set: \"\(name)\": expected one of baseline, avx2, avx512"
            #expect(result.status == 2 && result.errors.contains(text), "\(result.errors)")
        }
        #expect(try Poise.run(["--help"]).status == 0)
        #expect(try Poise.run(["--version"]).output.contains("0."))
    }

    @Test("Bad input leaves status 1, the place on standard error, and no output at all")
    func badInput() throws {
        try Poise.inFolder { folder in
            let output = folder.appendingPathComponent("out.csv")
            let bad = Self.options.replacingOccurrences(of: "0.3", with: "-0.3")
            let result = try Poise.run(
                ["greeks", "--options", "-", "--format", "csv", "--output", output.path], input: bad)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(
                result.errors == """
                    poise: standard input:3: column "vol": value "-0.3": must be at least 0 and finite

                    """)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)

            let skipped = try Poise.run(
                ["greeks", "--options", "-", "--format", "csv", "--output", output.path, "--skip-bad-rows"],
                input: bad)
            #expect(skipped.status == 0 && skipped.errors.contains("skipped 1 row:"))
            #expect(skipped.errors.contains("standard input:3: column \"vol\""))
            #expect(try String(contentsOf: output, encoding: .utf8).split(separator: "\n").count == 2)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.csv"])
        }
        for (path, reason) in [("/", "is a directory"), ("/nowhere", "No such file")] {
            let result = try Poise.run(["greeks", "--options", path])
            #expect(result.status == 1 && result.errors.contains(reason))
        }
        let noWrite = try Poise.run(
            ["greeks", "--options", "-", "--output", "/nowhere/out.csv"], input: Self.options)
        #expect(noWrite.status == 1 && noWrite.errors.contains("/nowhere/out.csv: cannot write"))
        // Rates that only the formulas refuse.
        let steep = try Poise.run(
            ["greeks", "--options", "-"], input: Self.options.replacingOccurrences(of: "0.05", with: "800"))
        #expect(steep.status == 1 && steep.errors.contains(":2: column \"rate\": value \"800.0\""))
    }
}
