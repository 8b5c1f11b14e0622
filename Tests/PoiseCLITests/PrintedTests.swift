import Foundation
import TestSupport
import Testing

/// What commands print and draw of the samples, beside what they printed and drew when somebody last looked at it.
///
/// Times that were measured are left out.
struct PrintedTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    private static func sample(_ name: String) -> String { Poise.sample.appendingPathComponent(name).path }

    private static func example(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples").appendingPathComponent(name).path
    }

    private static func fixture(_ name: String) -> String { fixtures.appendingPathComponent(name).path }

    /// The arguments of a fixture; FILE stands for what the command draws, CHAIN and BOOKS for a part of the sample.
    private static var commands: [String: [String]] {
        wholes.merging(tables) { first, _ in first }.merging(margins) { first, _ in first }
            .merging(days) { first, _ in first }
    }

    /// Commands on the whole sample.
    private static var wholes: [String: [String]] {
        let books = ["--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
        let limits = ["--limits", sample("limits.csv")]
        let grid = ["--grid", example("grids/deribit-btc.json")]
        let margin = ["margin"] + books + ["--skip-bad-rows", "--underlying"]
        let page = ["simulate", "--config", fixture("page.toml"), "--report", "FILE"]
        return [
            "hedge.txt": ["hedge"] + books + limits,
            "hedge.csv": ["hedge"] + books + limits + ["--format", "csv"],
            "risk.txt": ["risk"] + books + limits,
            "scenarios.txt": ["scenarios"] + books + grid + ["--by", "underlying"],
            "var.txt": ["var"] + books + history + ["--levels", "0.99"],
            "vega.txt": ["simulate", "--config", example("simulate/vega.toml"), "--paths", "16"],
            "margin-coin.txt": margin + [
                "BTC", "--account", example("margin/account-btc.toml"), "--model",
                example("margin/deribit-pm-btc.json"),
            ],
            "margin-dollars.txt": margin + [
                "ETH", "--account", example("margin/account-usd.toml"), "--model",
                example("margin/derive-pmrm2-eth.json"),
            ],
            "dollars.svg": ["scenarios"] + books + grid + ["--by", "underlying", "--svg", "FILE"],
            "coins.svg": ["scenarios"] + books + [
                "--grid", example("grids/derive-eth.json"), "--by", "underlying", "--numeraire", "coin",
                "--svg", "FILE",
            ],
            "page.html": page, "band.html": page + ["--policy", "3", "--path", "5"],
        ]
    }

    private static var history: [String] {
        ["--history", "BTC=" + sample("btc-1d.csv"), "--history", "ETH=" + sample("eth-1d.csv")]
    }

    private static let part = ["--chain", "CHAIN", "--positions", "BOOKS"]

    /// Every format of what stands in rows.
    private static var tables: [String: [String]] {
        let limits = ["--limits", sample("limits.csv")]
        let desks = ["--desks", sample("desks.csv"), "--by", "desk,tenor,moneyness"]
        let ladder = ["--grid", example("grids/derive-eth.json"), "--by", "book"]
        let legs = fixture("legs.csv")
        let tight = ["--limits", fixture("tight.csv")]
        let gains = ["--method", "monte-carlo", "--scenarios", "512", "--time-passes", "--by", "book"]
        let price = ["iv", "--options", fixture("prices.csv")]
        let long = ["--options", fixture("options.csv")]
        return [
            "greeks.csv": ["greeks", "--chain", fixture("from.json"), "--format", "csv"],
            "greeks.json": ["greeks", "--chain", fixture("to.json"), "--format", "json"],
            "greeks.txt": ["greeks", "--chain", fixture("from.json")],
            "greeks-coin.txt": ["greeks", "--coin"] + long,
            "greeks-american.txt": ["greeks", "--model", "american"] + long,
            "greeks-digital.json": ["greeks", "--model", "cash-or-nothing", "--format", "json"] + long,
            "greeks-normal.csv": ["greeks", "--model", "bachelier", "--format", "csv"] + long,
            "volatility.txt": price, "volatility-coin.csv": price + ["--coin", "--format", "csv"],
            "volatility-american.json": price + ["--model", "american", "--format", "json"],
            "volatility-digital.txt": price + ["--model", "cash-or-nothing"],
            "risk.json": ["risk", "--format", "json"] + part + limits,
            "risk.csv": ["risk", "--format", "csv"] + part,
            "risk-totals.csv": ["risk", "--format", "csv", "--totals", "--numeraire", "coin"] + part,
            "risk-desks.txt": ["risk", "--tenors", "7,30", "--moneyness", "0.9,1.1"] + part + desks,
            "risk-moving.txt": ["risk", "--surface", "own", "--stickiness", "0.7"] + part,
            "ladder.json": ["scenarios", "--format", "json"] + part + ladder,
            "ladder.txt": ["scenarios"] + part + ladder,
            "ladder.csv": ["scenarios", "--format", "csv", "--totals"] + part + ladder,
            "legs.txt": ["scenarios", "--options", legs, "--grid", example("grids/deribit-btc.json")],
            "var.json": ["var", "--format", "json"] + part + history,
            "var.csv": ["var", "--format", "csv"] + part + history,
            "var-drawn.txt": ["var"] + part + history + gains,
            "hedge.json": ["hedge", "--format", "json"] + part + limits,
            "hedge-tight.txt": ["hedge"] + part + tight,
            "hedge-tight.json": ["hedge", "--format", "json"] + part + tight,
            "surface.txt": ["surface", "--chain", "CHAIN"],
            "surface.json": ["surface", "--chain", "CHAIN", "--format", "json", "--loss", "mid"],
            "surface.csv": ["surface", "--chain", "CHAIN", "--format", "csv", "--arbitrage", "none"],
            "surface.html": ["surface", "--chain", "CHAIN", "--report", "FILE"],
            "paths.json": ["simulate", "--config", fixture("page.toml"), "--format", "json"],
            "paths.csv": ["simulate", "--config", fixture("page.toml"), "--format", "csv"],
            "paths.txt": ["simulate", "--config", fixture("page.toml"), "--against", "2"],
            "trace.csv": [
                "simulate", "--config", fixture("page.toml"), "--trace", "--policy", "2", "--format", "csv",
            ],
            "trace.txt": ["simulate", "--config", fixture("page.toml"), "--trace"],
        ]
    }

    /// What an account needs, by every kind of model.
    private static var margins: [String: [String]] {
        func margin(_ coin: String, _ account: String, _ models: [String], _ more: [String]) -> [String] {
            ["margin", "--skip-bad-rows", "--underlying", coin, "--account"]
                + [example("margin/account-\(account).toml")] + part + more
                + models.flatMap { ["--model", example("margin/\($0).json")] }
        }
        let html = ["--report", "FILE"]
        return [
            "scan.json": margin("BTC", "btc", ["deribit-pm-btc"], ["--format", "json"]),
            "scan.csv": margin("BTC", "btc", ["deribit-pm-btc"], ["--format", "csv"]),
            "scan.html": margin("BTC", "btc", ["deribit-pm-btc"], html),
            "span.txt": margin("BTC", "dollars", ["paradex", "span"], []),
            "range.html": margin("ETH", "usd", ["derive-pmrm2-eth"], html),
            "range.json": margin("ETH", "usd", ["derive-pmrm2-eth"], ["--format", "json"]),
            "standards.txt": margin(
                "ETH", "dollars",
                ["derive-standard", "binance-standard", "bybit-standard", "bit-standard", "aevo-standard"], []
            ),
            "changes.txt": margin("ETH", "dollars", ["derive-pmrm1-eth", "derive-pmrm2-eth"], ["--changes"]),
            "changes.html": margin(
                "ETH", "dollars", ["derive-pmrm1-eth", "derive-pmrm2-eth"], ["--changes"] + html),
            "cross.json": [
                "margin", "--skip-bad-rows", "--account", example("margin/account-cross.toml"), "--model",
                example("margin/deribit-cross.json"), "--format", "json",
            ] + part,
            "cross.html": [
                "margin", "--skip-bad-rows", "--account", example("margin/account-cross.toml"), "--model",
                example("margin/deribit-cross.json"), "--report", "FILE",
            ] + part,
            "ahead.txt": margin("BTC", "btc", ["deribit-pm-btc"], ["--ahead", "30", "--within", "0.5,2"]),
            "candidates.txt": margin(
                "BTC", "btc", ["deribit-pm-btc"], ["--candidates", fixture("candidates.csv")]),
        ]
    }

    /// Two moments, what was held and traded between them, and what expired.
    private static var days: [String: [String]] {
        let explain = [
            "explain", "--from", fixture("from.json"), "--to", fixture("to.json"), "--positions",
            fixture("held.csv"), "--trades", fixture("trades.csv"),
        ]
        return [
            "explain.txt": explain,
            "explain.json": explain + ["--format", "json", "--by", "book"],
            "explain.csv": explain + ["--format", "csv", "--numeraire", "coin"],
            "explain-parts.txt": explain + [
                "--smile-parts", "--by", "book,instrument", "--funding", "0.0001", "--delivery",
                "BTC-15NOV23=36650",
            ],
        ]
    }

    /// Both futures and perpetuals of the sample, and the options of three of its expiries that three books hold.
    static func writePart(_ folder: URL) throws {
        let option = /(?:BTC|ETH)-[0-9A-Z]+-[0-9]+-[CP]/
        let expiry = /BTC-6MAR26-|BTC-27MAR26-|ETH-27MAR26-/
        for (name, path, books) in [
            ("CHAIN", Poise.sampleChain, [""]),
            ("BOOKS", Poise.samplePositions, ["book,", "book-01,", "book-02,", "book-03,"]),
        ] {
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter {
                line in
                books.contains { line.hasPrefix($0) }
                    && (!line.contains(option) || line.contains(expiry))
            }
            try Data((lines.joined(separator: "\n") + "\n").utf8)
                .write(to: folder.appendingPathComponent(name))
        }
    }

    @Test(
        "What is printed and drawn is what somebody looked at", arguments: Array(Self.commands.keys).sorted())
    func printed(_ name: String) throws {
        try Poise.inFolder { folder in
            try Self.writePart(folder)
            let file = folder.appendingPathComponent(name)
            let own = ["FILE": file.path].merging(
                ["CHAIN", "BOOKS"].map { ($0, folder.appendingPathComponent($0).path) }
            ) { first, _ in first }
            let arguments = try #require(Self.commands[name]).map { own[$0] ?? $0 }
            let result = try Poise.run(arguments)
            #expect(result.status == (name.hasPrefix("hedge-tight") ? 3 : 0), "\(result.errors)")
            var text =
                FileManager.default.fileExists(atPath: file.path)
                ? try String(contentsOf: file, encoding: .utf8) : result.output + result.errors
            // The style sheet of pages stands in the sources, once.
            let style = SharedData.packageRoot.appendingPathComponent("Sources/PoiseCLI/Page.css")
            text.replace(try String(contentsOf: style, encoding: .utf8), with: "STYLE\n")
            text.replace(/[0-9][0-9.,]* (?:ns|µs|ms|s)\b/, with: "TIME")
            text.replace(/"(?:milli|micro|nano)?seconds": (?:{[^}]*}|[0-9.e+-]+)/, with: "TIME")
            text.replace(folder.path, with: "FOLDER")
            text.replace(SharedData.packageRoot.path, with: "ROOT")
            // What is left of a gap or of a sum that is next to nothing is rounding.
            text.replace(/gap [0-9.]+e-1[0-9]/, with: "gap 0.0e+00")
            text.replace(/-?[0-9.]+e-[1-9][0-9]+/, with: "0.0")
            // By which steps a hedge was found, and what rounding its proof has.
            text.replace(/"(?:interiorSteps|pivots|nodes)": [0-9]+/, with: "WORK")
            text.replace(/"certificate": \{[^}]*\}/, with: "CERTIFICATE")
            // Which instruction set it was is the processor's.
            text.replace(/priced \((?:avx512|avx2|baseline)\)/, with: "priced (SET)")
            text.replace(/"(?:avx512|avx2|baseline)"/, with: "SET")
            // What a fit leaves open differs between processors.
            if ["surface.txt", "surface.csv", "surface.json"].contains(name) {
                text.replace(/[0-9]+\.[0-9]{3,}/) { String(format: "%.3g", Double($0.output) ?? .nan) }
            }
            let difference = try Printed.difference(text, from: name)
            #expect(difference == nil)
        }
    }
}
