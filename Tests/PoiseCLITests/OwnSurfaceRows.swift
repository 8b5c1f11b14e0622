import Foundation
import Testing

/// `--surface` of the commands that value options, and the options by which a chain's prices become quotes.
enum OwnSurfaceRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// A chain whose options are quoted a point around some volatility, whatever the exchange's marks say.
    static func chain(
        _ forward: Double = 60_000, quoted: Double, marked: Double, days: Double = 0, named: Double? = nil
    ) -> String {
        chain(forward, smile: { _ in quoted }, marked: marked, days: days, named: named)
    }

    /// The same with a volatility for each ln(strike/forward).
    static func chain(
        _ forward: Double = 60_000, smile: (Double) -> Double, marked: Double, days: Double = 0,
        named: Double? = nil
    ) -> String {
        let time = Desk.time + Int(days * 86_400_000)
        let years = (20 - days) / 365
        var text = """
            instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks
            BTC-PERPETUAL,\(time),,,\(forward),60000,"[[59995,1000000]]","[[60005,1000000]]"
            BTC_USDC-PERPETUAL,\(time),,,\(forward),60000,"[[59995,10]]","[[60005,10]]"

            """
        for strike in stride(from: 45_000.0, through: 75_000, by: 3000) {
            for type in ["C", "P"] {
                func price(_ volatility: Double) -> Double {
                    let call = Desk.call(forward, strike, years, volatility)
                    return (type == "C" ? call : call - forward + strike) / forward
                }
                text +=
                    "BTC-27MAR26-\(Int(strike))-\(type),\(time),\(named ?? forward),\(100 * marked),,60000,"
                let quoted = smile(log(strike / forward))
                text += "\"[[\(price(quoted - 0.01)),10]]\",\"[[\(price(quoted + 0.01)),10]]\"\n"
            }
        }
        return text
    }

    /// The numbers of an answer, with the words between them.
    private static func numbers(_ text: String) -> [Double] {
        text.split { !("0123456789.eE+-".contains($0)) }.compactMap { Double($0) }
    }

    private static func row(_ command: String) -> Row {
        Row(
            command, "--surface", "own values options at the volatility they are quoted at, not at the mark's"
        ) { desk in
            func answer(_ name: String, marked: Double, _ more: [String]) throws -> Poise.Result {
                let first = try desk.write("\(name).csv", chain(quoted: 0.7, marked: marked))
                let later = try desk.write(
                    "\(name)-later.csv", chain(61_000, quoted: 0.72, marked: marked + 0.02, days: 1))
                var arguments = command == "greeks" ? [command, "--chain", first] : desk.arguments(command)
                for (option, file) in [
                    ("--chain", first), ("--from", first), ("--to", later),
                ] {
                    if let place = arguments.firstIndex(of: option) { arguments[place + 1] = file }
                }
                let result = try Poise.run(arguments + ["--format", "csv"] + more)
                #expect(result.status == 0, "\(result.errors)")
                return result
            }
            let own = try answer("quoted", marked: 0.6, ["--surface", "own"])
            let expected = numbers(try answer("marked", marked: 0.7, []).output)
            let found = numbers(own.output)
            #expect(found.count == expected.count && !found.isEmpty)
            let largest = expected.map(\.magnitude).max() ?? 1
            for (a, b) in zip(found, expected) {
                #expect((a - b).magnitude <= 1e-6 * max(b.magnitude, 1e-3 * largest), "\(a) \(b)")
            }
            let exchange = try answer("quoted", marked: 0.6, []).output
            #expect(exchange != own.output)
            #expect(try answer("quoted", marked: 0.6, ["--surface", "exchange"]).output == exchange)
            #expect(!own.errors.contains("surface"), "\(own.errors)")
        }
    }

    static let rows =
        ["greeks", "risk", "scenarios", "var", "explain", "hedge"].map(row) + [
            Row(
                "surface", "--forward",
                "parity gives the forward of the prices where the options name another"
            ) {
                let path = try $0.write("named.csv", chain(quoted: 0.7, marked: 0.7, named: 60_300))
                for (forward, expected, from) in [
                    ("named", 60_300.0, "synthetic"), ("parity", 60_000, "parity"),
                ] {
                    let row = try $0.table("surface", ["--chain", path, "--forward", forward])[0]
                    #expect(row["forward"].near(expected, 1e-8), "\(row)")
                    #expect(row["forward_from"] == (from == "synthetic" ? "future" : from))
                }
            },
            Row("surface", "--max-age", "a quote that is older is stale, one as old is not") {
                // The put at 48,000 is 30 seconds older than all others.
                let text = chain(quoted: 0.7, marked: 0.7).replacingOccurrences(
                    of: "BTC-27MAR26-48000-P,\(Desk.time)", with: "BTC-27MAR26-48000-P,\(Desk.time - 30_000)")
                let path = try $0.write("old.csv", text)
                for (age, quotes) in [("29", "10"), ("30", "11")] {
                    let row = try $0.table("surface", ["--chain", path, "--max-age", age])[0]
                    #expect(row["quotes"] == quotes)
                    #expect(row["dropped_why"]?.contains("stale 1") == (age == "29"))
                    #expect(row["age_seconds"].near(age == "29" ? 0 : 30, 1e-12))
                }
            },
            Row("surface", "--min-ticks", "a bid of fewer ticks is left out") {
                // The put at 45,000 has the lowest bid.
                let path = try $0.write("ticks.csv", chain(quoted: 0.7, marked: 0.7))
                let forward = 60_000.0
                let call = Desk.call(forward, 45_000, 20 / 365.0, 0.69)
                let lowest = (call - forward + 45_000) / forward / 0.0001
                for (ticks, quotes) in [(lowest - 0.01, "11"), (lowest + 0.01, "10")] {
                    let row = try $0.table(
                        "surface", ["--chain", path, "--tick", "0.0001", "--min-ticks", "\(ticks)"])[0]
                    #expect(row["quotes"] == quotes, "\(row)")
                }
            },
            Row("surface", "--tick", "twice the tick is half as many of them") { desk in
                // One quote apart from the others, so that there is an error.
                let text = chain(quoted: 0.7, marked: 0.7).split(separator: "\n").map { line -> String in
                    guard line.hasPrefix("BTC-27MAR26-51000-P") else { return String(line) }
                    let fields = line.components(separatedBy: "\"")
                    return "\(fields[0])\"[[0.012,10]]\",\"[[0.013,10]]\""
                }.joined(separator: "\n")
                let path = try desk.write("apart.csv", text)
                let figures = try ["0.0005", "0.001"].map { tick -> Double in
                    let row = try desk.table("surface", ["--chain", path, "--tick", tick])[0]
                    return Double(row["rms_ticks"] ?? "") ?? .nan
                }
                #expect(figures[0] > 0.01 && abs(figures[0] / figures[1] - 2) < 1e-9, "\(figures)")
            },
            Row("surface", "--instruments", "ticks are those of the list, before the exchange's") { desk in
                let path = try desk.write("chain2.csv", chain(quoted: 0.7, marked: 0.7))
                let names = stride(from: 45_000, through: 75_000, by: 3000).flatMap {
                    ["BTC-27MAR26-\($0)-C", "BTC-27MAR26-\($0)-P"]
                }
                func list(_ tick: Double) throws -> String {
                    let entries = names.map {
                        #"{"instrument_name": "\#($0)", "min_trade_amount": 0.1, "contract_size": 1, "tick_size": \#(tick)}"#
                    }
                    return try desk.write(
                        "list\(tick).json", "{\"result\": [\(entries.joined(separator: ","))]}")
                }
                func dropped(_ tick: Double) throws -> String? {
                    try desk.table(
                        "surface",
                        ["--chain", path, "--instruments", try list(tick), "--min-ticks", "1000"])[0][
                            "dropped_why"]
                }
                // No bid has a thousand ticks of a tenth, every one has of a ten-millionth.
                #expect(try dropped(0.1)?.contains("below-tick 11") == true)
                #expect(try dropped(1e-9)?.contains("below-tick") == false)
            },
            Row("surface", "--two-sided", "a quote of one side is left out") {
                let text = chain(quoted: 0.7, marked: 0.7).split(separator: "\n").map { line -> String in
                    guard line.hasPrefix("BTC-27MAR26-51000-P") else { return String(line) }
                    return "\(line.components(separatedBy: "\"")[0])[],\"[[0.013,10]]\""
                }.joined(separator: "\n")
                let path = try $0.write("one.csv", text)
                #expect(try $0.table("surface", ["--chain", path])[0]["quotes"] == "11")
                let row = try $0.table("surface", ["--chain", path, "--two-sided"])[0]
                #expect(row["quotes"] == "10" && row["dropped_why"]?.contains("one-sided 1") == true)
            },
            Row(
                "surface", "--history",
                "of flat smiles whose level follows the price a beta of what it follows by"
            ) { desk in
                let folder = desk.folder.appendingPathComponent("past")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                // A fall by 1% raises volatility by two points, a rise lowers it by half a point.
                var (forward, level) = (60_000.0, 0.7)
                for (step, move) in [0.0, -0.01, 0.01, -0.02, 0.02, 0.01].enumerated() {
                    forward *= exp(move)
                    level += move < 0 ? -2 * move : -0.5 * move
                    let text = chain(forward, quoted: level, marked: 0.7, days: Double(step))
                    try Data(text.utf8).write(to: folder.appendingPathComponent("chain-\(step).csv"))
                }
                let result = try Poise.run(["surface", "--history", folder.path, "--format", "json"])
                #expect(result.status == 0, "\(result.errors)")
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
                let moves = try #require((object["dynamics"] as? [[String: Any]])?.first)
                #expect(abs((moves["beta_down"] as? Double ?? .nan) + 2) < 1e-3, "\(moves)")
                #expect(abs((moves["beta_up"] as? Double ?? .nan) + 0.5) < 1e-3)
                #expect(moves["moves"] as? Int == 5 && object["chains"] as? Int == 6)
                let paths = try #require(object["paths"] as? [[String: Any]])
                #expect(paths.count == 6 && abs((paths[5]["atm_vol"] as? Double ?? .nan) - level) < 1e-4)
                let csv = try Poise.run(["surface", "--history", folder.path, "--format", "csv"])
                #expect(csv.rows.count == 7)
                #expect(try Poise.run(["surface", "--history", desk.path("nowhere")]).status == 1)
            },
            Row("surface", "--tenors", "an edge at 18 days parts the moves that begin before it") { desk in
                let folder = desk.folder.appendingPathComponent("past")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for step in 0..<5 {
                    let text = chain(
                        60_000 + 100 * Double(step), quoted: 0.7, marked: 0.7, days: Double(step))
                    try Data(text.utf8).write(to: folder.appendingPathComponent("chain-\(step).csv"))
                }
                let result = try Poise.run(
                    ["surface", "--history", folder.path, "--tenors", "17.5", "--format", "json"])
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
                let moves = (object["dynamics"] as? [[String: Any]] ?? []).map { $0["moves"] as? Int }
                // From 20, 19 and 18 days; from 17.
                #expect(moves == [1, 3], "\(result.errors)")
            },
            Row(
                "explain", "--smile-parts",
                "of a flat smile that rises all of vega is level, and parts add up"
            ) { desk in
                let first = try desk.write("before.csv", chain(quoted: 0.7, marked: 0.7))
                let later = try desk.write("after.csv", chain(61_000, quoted: 0.72, marked: 0.73, days: 1))
                let row = try desk.table(
                    "explain",
                    [
                        "--from", first, "--to", later, "--positions", desk.path("positions.csv"),
                        "--smile-parts",
                    ])[0]
                func value(_ name: String) -> Double { Double(row[name] ?? "") ?? .nan }
                let parts = ["level", "skew", "wings", "rest"].map { value("vega_\($0)_usd") }
                #expect(abs(parts.reduce(0, +) / value("vega_usd") - 1) < 1e-12, "\(row)")
                // Two points of the curve, and one that the marks have moved by alone.
                #expect(
                    abs(parts[0] / value("vega_usd") - 2 / 3.0) < 1e-5
                        && abs(parts[3] / parts[0] - 0.5) < 1e-5)
                #expect(abs(parts[1] + parts[2]) < 1e-4 * abs(parts[0]))
                let without = try desk.table(
                    "explain", ["--from", first, "--to", later, "--positions", desk.path("positions.csv")])[0]
                #expect(without["vega_level_usd"] == nil && without["vega_usd"] == row["vega_usd"])
            },
            Row(
                "surface", "--report",
                "a page that names every expiry, with a drawing of each curve and no script"
            ) {
                let path = $0.path("page.html")
                _ = try $0.table("surface", ["--quotes", $0.path("quotes.csv"), "--report", path])
                let page = try String(contentsOfFile: path, encoding: .utf8)
                #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("X-near"))
                #expect(page.components(separatedBy: "<svg").count == 5)
                #expect(!page.contains("<script") && !page.contains("http") && !page.contains("nan"))
            },
        ]
}
