import Foundation
import Testing

/// Options of commands about books: `risk`, `scenarios`, `explain`, and those that `var` shares with them.
enum BookOptionRows {
    typealias Row = EveryOptionTests.Row
    typealias Desk = EveryOptionTests.Desk
    static let years = 20 / 365.0

    static let rows =
        ["risk", "scenarios", "var"].flatMap(shared) + explainRows + [
            Row("risk", "--limits", "the value of each limit, and its headroom, below 0 where it is breached")
            {
                let limits = try $0.write(
                    "l.csv", "underlying,greek,low,high\nBTC,delta,-1000,300000\n*,delta,250000,\n")
                let rows = try $0.standard("risk", ["--limits", limits])
                let delta = 180_000 + 120_000 * Desk.normal(0.6 * years.squareRoot() / 2)
                #expect(rows.count == 2 && rows.allSatisfy { $0["value"].near(delta, 1e-12) })
                #expect(rows[0]["headroom"].near(300_000 - delta, 1e-11) && rows[0]["breach"] == "")
                #expect(rows[1]["headroom"].near(delta - 250_000, 1e-11) && rows[1]["breach"] == "breach")
            },
            Row("risk", "--fail-on-breach", "status 5 where a limit is breached, else 0") {
                let arguments = $0.arguments("risk") + ["--fail-on-breach", "--limits"]
                try #expect(Poise.run(arguments + [$0.path("limits.csv")]).status == 5)
                let wide = try $0.write("wide.csv", "underlying,greek,low,high\nBTC,delta,-1000,300000\n")
                try #expect(Poise.run(arguments + [wide]).status == 0)
            },
            Row(
                "scenarios", "--grid",
                "a linear perpetual gains the move, an option the difference of its values"
            ) {
                let rows = try $0.standard("scenarios")
                #expect(
                    rows.filter { $0["book"] == "b" }.map { $0["profit_usd"] } == ["-18000.0", "18000.0"])
                let up = 2 * (Desk.call(66_000, 60_000, 20 / 365.0, 0.6) - Desk.callValue)
                #expect(
                    rows.first { $0["book"] == "a" && $0["spot"] == "0.1" }?["profit_usd"].near(up, 1e-12)
                        == true)
            },
            Row("scenarios", "--svg", "a picture of the total, with a cell for each of the two moves") {
                let path = $0.path("map.svg")
                _ = try $0.run("scenarios", ["--svg", path])
                let text = try String(contentsOfFile: path, encoding: .utf8)
                #expect(
                    text.hasPrefix("<svg") && text.contains("class=\"name\">All books<")
                        && text.contains(">−10%<") && text.hasSuffix("</svg>\n"))
            },
            Row(
                "scenarios", "--options",
                "legs gain their quantity times the difference of values, book by book"
            ) {
                let path = try $0.write(
                    "legs.csv",
                    "type,spot,strike,years,vol,rate,dividend,quantity,book\nC,100,90,0,0.2,0,0,3,m\nP,100,105,0,0.2,0,0,-2,n\n"
                )
                let rows = try $0.table("scenarios", ["--options", path, "--grid", $0.path("grid.json")])
                func gains(_ book: String) -> [Double] {
                    rows.filter { $0["book"] == book }.map { $0["profit_usd"].flatMap(Double.init) ?? .nan }
                }
                #expect(
                    zip(gains("m") + gains("n"), [-30, 30, -20, 10]).allSatisfy {
                        ($0 - $1).magnitude < 1e-12
                    })
                #expect(gains("m").count == 2 && gains("n").count == 2)
            },
            Row("scenarios", "--threads", "the same bits") {
                let path = try $0.write(
                    "legs.csv",
                    "type,spot,strike,years,vol,rate,dividend,quantity\n"
                        + (0..<600).map { "C,100,\(80 + $0 % 40),0.3,0.\(3 + $0 % 5),0.01,0,\($0 % 7 - 3)\n" }
                        .joined())
                let arguments = [
                    "scenarios", "--options", path, "--grid", $0.path("grid.json"), "--format", "csv",
                ]
                let one = try Poise.run(arguments)
                #expect(one.status == 0 && one.rows.count > 1)
                try #expect(Poise.run(arguments + ["--threads", "2"]).output == one.output)
            },
        ]

    /// The figure of a group that is linear in quantities, by command.
    static let column = ["risk": "value_usd", "scenarios": "profit_usd", "var": "es_95_usd"]

    static func shared(_ command: String) -> [Row] {
        let column = column[command] ?? ""
        @Sendable func figures(_ rows: [[String: String]]) -> [Double] {
            rows.map { $0[column].flatMap(Double.init) ?? .nan }
        }
        @Sendable func isSame(_ a: [Double], _ b: [Double], _ factor: Double = 1) -> Bool {
            a.count == b.count
                && zip(a, b).allSatisfy { ($0 - factor * $1).magnitude <= 1e-12 * max(1, $0.magnitude) }
        }
        return [
            Row(command, "--chain", "two files are the chain that they make together") {
                let lines = Desk.chain().split(separator: "\n")
                let first = try $0.write("one.csv", lines[0...2].joined(separator: "\n") + "\n")
                let second = try $0.write(
                    "two.csv", ([lines[0]] + lines[3...]).joined(separator: "\n") + "\n")
                let both = try Poise.run(
                    $0.arguments(command, replacing: "--chain", by: first) + [
                        "--chain", second, "--format", "csv",
                    ])
                #expect(both.status == 0)
                try #expect(both.output == $0.run(command, ["--format", "csv"]).output)
            },
            Row(command, "--positions", "twice the quantities have twice the figures") {
                let twice = try $0.write(
                    "twice.csv", "book,instrument,quantity\na,BTC-27MAR26-60000-C,4\nb,BTC_USDC-PERPETUAL,6\n"
                )
                let double = Desk.table(
                    try Poise.run(
                        $0.arguments(command, replacing: "--positions", by: twice) + ["--format", "csv"]
                    ).output)
                try #expect(isSame(figures(double), figures($0.standard(command)), 2))
            },
            Row(command, "--book", "names the book of positions without that column") {
                let path = try $0.write(
                    "own.csv", "instrument,quantity\nBTC-27MAR26-60000-C,2\nBTC_USDC-PERPETUAL,3\n")
                let result = try Poise.run(
                    $0.arguments(command, replacing: "--positions", by: path)
                        + ["--book", "mine", "--format", "csv"])
                #expect(result.status == 0, "\(result.errors)")
                #expect(Set(Desk.table(result.output).map { $0["book"] }) == ["mine"])
            },
            Row(command, "--by", "groups are labelled by the field") {
                let rows = try $0.standard(command, ["--by", "instrument"])
                #expect(Set(rows.map { $0["instrument"] }) == [Desk.names[0], Desk.names[3]])
                #expect(rows[0]["book"] == nil)
            },
            Row(command, "--totals", "in place of the rows, with what they add up to") {
                let (rows, total) = (try $0.standard(command), try $0.standard(command, ["--totals"]))
                #expect(Set(rows.map { $0["book"] }) == ["a", "b"])
                #expect(Set(total.map { $0["book"] }) == ["total"])
                let (a, b) = (
                    figures(rows.filter { $0["book"] == "a" }), figures(rows.filter { $0["book"] == "b" })
                )
                // Shortfalls add up here since both books lose most in the same hours.
                #expect(!a.isEmpty && isSame(figures(total), zip(a, b).map { $0 + $1 }))
            },
            Row(command, "--numeraire", "coin is dollars over the price where the price does not move") {
                let rows = try $0.standard(command, ["--by", "instrument", "--numeraire", "coin"])
                #expect(
                    rows.allSatisfy { row in
                        row.keys.contains { $0.hasSuffix("_coin") || $0.contains("_coin_") }
                    })
                if command == "risk" {
                    #expect(rows[0]["value_coin"].near(2 * Desk.callValue / 60_000, 1e-13))
                }
            },
            Row(command, "--desks", "a desk's figures are its books' together") {
                let rows = try $0.standard(command, ["--by", "desk", "--desks", $0.path("desks.csv")])
                let firm = figures(try $0.standard(command, ["--totals"]))
                #expect(!firm.isEmpty && isSame(figures(rows.filter { $0["desk"] == "x" }), firm))
            },
            Row(command, "--tenors", "20 days are between edges of 10 and 20, and beyond one of 19") {
                let on = try $0.standard(command, ["--by", "tenor", "--tenors", "10,20"]).map { $0["tenor"] }
                let beyond = try $0.standard(command, ["--by", "tenor", "--tenors", "10,19"]).map {
                    $0["tenor"]
                }
                #expect(on.contains("10–20 d") && beyond.contains("> 19 d"))
            },
            Row(command, "--moneyness", "strike over future is 1: from the edge 1 on, and below the edge 1.1")
            {
                let on = try $0.standard(command, ["--by", "moneyness", "--moneyness", "1,1.1"])
                let below = try $0.standard(command, ["--by", "moneyness", "--moneyness", "1.1,2"])
                #expect(on.map { $0["moneyness"] }.contains("1–1.1 K/F"))
                #expect(below.map { $0["moneyness"] }.contains("< 1.1 K/F"))
            },
        ]
    }

    /// What a row of `explain` has for book a's call, or for what else.
    static func explain(_ desk: Desk, _ more: [String] = [], positions: String? = nil, book: String = "a")
        throws
        -> [String: String]
    {
        var arguments = desk.arguments("explain")
        if let positions { arguments = desk.arguments("explain", replacing: "--positions", by: positions) }
        let result = try Poise.run(arguments + more + ["--format", "csv"])
        #expect(result.status == 0, "\(result.errors)")
        return try #require(Desk.table(result.output).first { $0["book"] == book })
    }

    static let explainRows = [
        Row("explain", "--from", "profit counts from this chain: none where it is the other") {
            let arguments = $0.arguments("explain", replacing: "--from", by: $0.path("later.csv"))
            let rows = Desk.table(try Poise.run(arguments + ["--format", "csv"]).output)
            #expect(rows.allSatisfy { $0["profit_usd"] == "0.0" })
        },
        Row("explain", "--to", "profit counts to this chain: the difference of the call's values") {
            let later = Desk.call(61_000, 60_000, 19 / 365.0, 0.62)
            try #expect(explain($0)["profit_usd"].near(2 * (later - Desk.callValue), 1e-12))
            let delta = 2 * Desk.normal(0.6 * (20 / 365.0).squareRoot() / 2) * 1000
            try #expect(explain($0)["delta_usd"].near(delta, 1e-12))
        },
        Row(
            "explain", "--positions",
            "a linear perpetual of 3 coins gains 3,000 where the price rises by 1,000"
        ) {
            let path = try $0.write("p.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,3\n")
            try #expect(explain($0, positions: path)["profit_usd"] == explain($0, book: "b")["profit_usd"])
        },
        Row("explain", "--trades", "a trade gains from its price to the end, less its fee") {
            let path = try $0.write(
                "trades.csv", "book,instrument,quantity,price,fee_usd\nb,BTC_USDC-PERPETUAL,2,60500,7\n")
            let (with, without) = (
                try explain($0, ["--trades", path], book: "b"), try explain($0, book: "b")
            )
            let gain =
                (with["profit_usd"].flatMap(Double.init) ?? .nan)
                - (without["profit_usd"].flatMap(Double.init) ?? .nan)
            #expect((gain - (2 * 500 - 7)).magnitude < 1e-9)
            #expect(with["fees_usd"] == "-7.0")
        },
        Row(
            "explain", "--delivery", "an expired call is worth what the delivery price leaves over the strike"
        ) {
            let gone = "BTC-12MAR26-60000-C"
            let chain = Desk.chain().replacingOccurrences(of: "BTC-27MAR26-60000-C", with: gone)
            let from = try $0.write("from.csv", chain)
            let positions = try $0.write("p.csv", "book,instrument,quantity\na,\(gone),1\n")
            let to = try $0.write("to.csv", Desk.chain(days: 10))
            let result = try Poise.run([
                "explain", "--from", from, "--to", to, "--positions", positions, "--delivery",
                "BTC-12MAR26=62500",
                "--format", "csv",
            ])
            #expect(result.status == 0, "\(result.errors)")
            let days = Double(1_773_302_400_000 - Desk.time) / 86_400_000
            let start = Desk.call(60_000, 60_000, days / 365, 0.6)
            #expect(Desk.table(result.output)[0]["profit_usd"].near(2500 - start, 1e-12))
        },
        Row("explain", "--funding", "a long perpetual pays three fundings a day on its value") {
            let (with, without) = (
                try explain($0, ["--funding", "0.0001"], book: "b"), try explain($0, book: "b")
            )
            let paid =
                (without["profit_usd"].flatMap(Double.init) ?? .nan)
                - (with["profit_usd"].flatMap(Double.init) ?? .nan)
            // 3 coins, at a price between the start's and the end's.
            #expect(paid >= 3 * 60_000 * 3e-4 - 1e-9 && paid <= 3 * 61_000 * 3e-4 + 1e-9)
        },
        Row("explain", "--book", "names the book of positions without that column") {
            let path = try $0.write("own.csv", "instrument,quantity\nBTC-27MAR26-60000-C,2\n")
            let row = try explain($0, ["--book", "mine"], positions: path, book: "mine")
            try #expect(row["profit_usd"] == explain($0)["profit_usd"])
        },
        Row("explain", "--by", "groups are labelled by the field") {
            let rows = try $0.standard("explain", ["--by", "instrument"])
            #expect(
                rows.map { $0["instrument"] } == [Desk.names[0], Desk.names[3]] && rows[0]["book"] == nil)
        },
        Row("explain", "--totals", "in place of the rows, with what they add up to") {
            let (rows, total) = (try $0.standard("explain"), try $0.standard("explain", ["--totals"]))
            let sum = rows.reduce(0) { $0 + ($1["profit_usd"].flatMap(Double.init) ?? .nan) }
            #expect(rows.count == 2 && total.count == 1 && total[0]["profit_usd"].near(sum, 1e-12))
        },
        Row("explain", "--desks", "a desk's profit is its books' together") {
            let rows = try $0.standard("explain", ["--by", "desk", "--desks", $0.path("desks.csv")])
            let total = try $0.standard("explain", ["--totals"])
            #expect(rows.map { $0["desk"] } == ["x"] && rows[0]["profit_usd"] == total[0]["profit_usd"])
        },
        Row(
            "explain", "--numeraire", "in coin the call gains the difference of its values over their futures"
        ) {
            let later = Desk.call(61_000, 60_000, 19 / 365.0, 0.62)
            let gain = 2 * (later / 61_000 - Desk.callValue / 60_000)
            try #expect(explain($0, ["--numeraire", "coin"])["profit_coin"].near(gain, 1e-12))
        },
    ]
}
