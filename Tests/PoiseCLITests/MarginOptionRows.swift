import Foundation
import TestSupport
import Testing

/// Options of `poise margin`: accounts that are margined by hand.
enum MarginOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk

    /// Ten percent of a position's value, five for maintenance.
    static func model(_ name: String = "r", initial: Double = 0.1) -> String {
        """
        name = "\(name)"
        venue = "v"
        source = "s"
        date = "2026-01-31"
        omitted = ["what is not public"]
        kind = "rates"
        initial_rate = \(initial)
        maintenance_rate = 0.05

        """
    }

    /// A short option needs 15% of the future and its mark.
    static let short = """
        name = "o"
        venue = "v"
        source = "s"
        date = "2026-01-31"
        kind = "standard-option"
        reference = "forward"
        [call]
        initial_rate = 0.15
        initial_least = 0.1
        maintenance_rate = 0.075
        [put]
        initial_rate = 0.15
        initial_least = 0.1
        maintenance_rate = 0.075

        """

    static let account = "currency = \"USD\"\ncash = 20000\n"

    static let cases = """
        [{"name": "flip", "currency": "BTC", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1, "on": "entry"},
        "market": {"underlyings": {"BTC": {"spot": 110000}}, "contracts": {"P": {"kind": "inverse-perpetual", "underlying": "BTC"}}},
        "cash": 4.545454545454545e-05, "positions": [{"contract": "P", "quantity": -10, "entry": 110000}],
        "liquidation": {"underlying": "BTC", "lowest": 1000, "highest": 10000000}}]
        """

    /// Rows of one section of the table for programs.
    static func section(_ rows: [[String: String]], _ section: String) -> [[String: String]] {
        rows.filter { $0["section"] == section }
    }

    private static func books(_ desk: Desk) -> [String] {
        [
            "--chain", desk.path("chain.csv"), "--account", desk.path("account.toml"), "--model",
            desk.path("rates.toml"), "--positions", desk.path("perpetuals.csv"),
        ]
    }

    static let rows = [
        Row("margin", "--chain", "three perpetuals at 60,000 need a tenth of 180,000, half of that to stay") {
            let rows = try $0.table("margin", books($0))
            let required = section(rows, "margin")[0]
            #expect(required["initial"].near(18_000, 1e-12) && required["maintenance"].near(9_000, 1e-12))
        },
        Row("margin", "--positions", "six perpetuals need twice what three do") {
            let held = try $0.write("six.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,6\n")
            var arguments = books($0)
            arguments[arguments.count - 1] = held
            try #expect(section($0.table("margin", arguments), "margin")[0]["initial"].near(36_000, 1e-12))
        },
        Row("margin", "--book", "is refused where the table has books, taken where it has none") {
            try #expect(Poise.run(["margin"] + books($0) + ["--book", "x"]).status == 2)
            let held = try $0.write("none.csv", "instrument,quantity\nBTC_USDC-PERPETUAL,3\n")
            var arguments = books($0)
            arguments[arguments.count - 1] = held
            let rows = try $0.table("margin", arguments + ["--book", "x"])
            #expect(section(rows, "margin")[0]["initial"].near(18_000, 1e-12))
        },
        Row("margin", "--account", "what is left is cash less the requirement; perpetuals settle as they go")
        {
            let rich = try $0.write("rich.toml", "currency = \"USD\"\ncash = 50000\n")
            for (path, left) in [($0.path("account.toml"), 2_000.0), (rich, 32_000)] {
                var arguments = books($0)
                arguments[3] = path
                let rows = try $0.table("margin", arguments)
                #expect(section(rows, "margin")[1]["initial"].near(left, 1e-10), "\(path)")
            }
        },
        Row("margin", "--model", "an account under two models stands under each") {
            let other = try $0.write("other.toml", model("double", initial: 0.2))
            let rows = try $0.table("margin", books($0) + ["--model", other])
            let required = section(rows, "margin").filter { $0["name"] == "required" }
            #expect(required.map { $0["model"] } == ["r", "double"])
            #expect(required[1]["initial"].near(36_000, 1e-12))
        },
        Row(
            "margin", "--underlying",
            "positions in other coins are left out; a coin that nobody holds is refused"
        ) {
            let rows = try $0.table("margin", books($0) + ["--underlying", "BTC"])
            #expect(section(rows, "margin")[0]["initial"].near(18_000, 1e-12))
            let refused = try Poise.run(["margin"] + books($0) + ["--underlying", "ETH"])
            #expect(refused.status == 1 && refused.errors.contains("ETH"))
        },
        Row("margin", "--candidates", "one perpetual less frees a third, one more adds as much") {
            let trades = try $0.write(
                "trades.csv", "instrument,quantity\nBTC_USDC-PERPETUAL,-1\nBTC_USDC-PERPETUAL,1\n")
            let rows = section(try $0.table("margin", books($0) + ["--candidates", trades]), "candidate")
            #expect(rows[0]["initial"].near(12_000, 1e-12) && rows[1]["initial"].near(24_000, 1e-12))
            #expect(rows[0]["value"].near(6_000, 1e-10))
        },
        Row(
            "margin", "--buffer",
            "5,000 are 3,000 more than is left: the cheap 1,000 first, the rest by the dear transfer"
        ) {
            let rich = try $0.write(
                "moves.toml",
                account + """
                    [[move]]
                    name = "dear"
                    into = "USD"
                    most = 4000
                    cost = 0.01
                    [[move]]
                    into = "USD"
                    most = 1000
                    cost = 0.001

                    """)
            var arguments = books($0)
            arguments[3] = rich
            let rows = try $0.table("margin", arguments + ["--buffer", "5000"])
            let moves = section(rows, "move")
            #expect(moves.map { $0["name"] } == ["dear", "USD"])
            #expect(moves[0]["quantity"].near(2000, 1e-9) && moves[1]["quantity"].near(1000, 1e-9))
            let buffer = section(rows, "buffer")[0]
            #expect(buffer["name"] == "restored" && buffer["value"].near(21, 1e-9))
            let short = section(try $0.table("margin", arguments + ["--buffer", "9000"]), "buffer")[0]
            #expect(short["name"] == "short" && short["initial"].near(7000, 1e-9))
            try #expect(Poise.run(["margin"] + books($0) + ["--buffer", "x"]).status == 2)
        },
        Row(
            "margin", "--changes",
            "twice the rate is 18,000 more, by that field alone; one model is not compared"
        ) {
            let other = try $0.write("twice.toml", model("r2", initial: 0.2))
            let rows = section(
                try $0.table("margin", books($0) + ["--model", other, "--changes"]), "change")
            #expect(rows.map { $0["name"] } == ["initial_rate: 0.1 → 0.2", "all"])
            for row in rows {
                #expect(row["initial"].near(18_000, 1e-10) && row["maintenance"].near(0, 1e-10))
            }
            try #expect(Poise.run(["margin"] + books($0) + ["--changes"]).status == 2)
        },
        Row(
            "margin", "--report",
            "a page has the requirement, what is left out, the liquidation price, and no letter of a file as code"
        ) {
            let file = try $0.write("odd.toml", model("<b>r</b>"))
            var arguments = books($0)
            arguments[5] = file
            let page = $0.path("margin.html")
            let result = try Poise.run(["margin"] + arguments + ["--report", page])
            #expect(result.status == 0, "\(result.errors)")
            let text = try String(contentsOfFile: page, encoding: .utf8)
            for part in [
                "<h2>&lt;b&gt;r&lt;/b&gt;</h2>", "what is not public", "18,000", "56,140.4", "−6.43%",
                "This rule has no scenarios", "left over maintenance",
            ] { #expect(text.contains(part), "\(part)") }
            #expect(!text.contains("<b>r</b>"))
        },
        Row("margin", "--within", "a price is found in the range alone: 20,000 of cash carry a fall by 5.8%")
        {
            // 20,000 + 3 (S − 60,000) = 0.05 · 3 S.
            let price = (180_000 - 20_000) / (3 * 0.95)
            let rows = section(try $0.table("margin", books($0)), "liquidation")
            #expect(rows.count == 1 && rows[0]["value"].near(price, 1e-10))
            try #expect(
                section($0.table("margin", books($0) + ["--within", "0.99,1.01"]), "liquidation").isEmpty)
            try #expect(Poise.run(["margin"] + books($0) + ["--within", "2,3"]).status == 2)
        },
        Row("margin", "--cases", "long 50 sold 60 leaves short 10, liquidated at 183,333") {
            let path = try $0.write("cases.json", cases)
            let text = try $0.run("margin", ["--format", "json"]).output
            let all = try #require(
                try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
            let prices = try #require(all["flip"]?["liquidation_prices"] as? [Double])
            #expect(prices.count == 1 && abs(prices[0] - 550_000 / 3) < 1e-6)
            let both = try Poise.run(["margin", "--cases", path, "--account", $0.path("account.toml")])
            #expect(both.status == 2)
        },
        Row("margin", "--skip-bad-rows", "a position that the model has no rule for is named and left out") {
            let held = try $0.write(
                "mixed.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,3\na,BTC-27MAR26-60000-C,2\n")
            var arguments = ["margin"] + books($0)
            arguments[arguments.count - 1] = held
            let refused = try Poise.run(arguments)
            #expect(refused.status == 1 && refused.errors.contains("mixed.csv:3"))
            let kept = try Poise.run(arguments + ["--skip-bad-rows", "--format", "csv"])
            #expect(kept.status == 0 && kept.errors.contains("BTC-27MAR26-60000-C"))
            #expect(section(Desk.table(kept.output), "margin")[0]["initial"].near(18_000, 1e-12))
        },
        Row("margin", "--exchange", "goes with the chain: Bybit's names mean Bybit's contracts") {
            let chain = try $0.write(
                "bybit.csv",
                """
                instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price
                BTC-27MAR26-60000-C,\(Desk.time),60000,60000,60,\(Desk.callValue)

                """)
            let held = try $0.write("held.csv", "book,instrument,quantity\na,BTC-27MAR26-60000-C,-2\n")
            let model = try $0.write("short.toml", short)
            let arguments = [
                "--chain", chain, "--positions", held, "--account", $0.path("account.toml"), "--model", model,
            ]
            let rows = try $0.table("margin", arguments + ["--exchange", "bybit"])
            #expect(
                section(rows, "margin")[0]["initial"].near(2 * (9_000 + Desk.callValue), 1e-12))
            try #expect(Poise.run(["margin"] + arguments).status == 1)
        },
    ]
}
