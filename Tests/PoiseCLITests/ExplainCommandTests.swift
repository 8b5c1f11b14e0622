import Foundation
import TestSupport
import Testing

struct ExplainCommandTests {
    static let start = 1_700_000_000_000
    static let header = "book,instrument,quantity"

    /// Writes two chains, positions and trades, and explains.
    static func explain(
        _ more: [String] = [], positions: String = "a,BTC-29DEC23-38000-C,2\nb,BTC-PERPETUAL,-50000\n",
        trades: String? = nil, tradeTable: String? = nil, days: Int = 1
    ) throws -> Poise.Result {
        func chain(_ time: Int, _ price: Double) -> String {
            let expiring =
                time < 1_700_640_000_000
                ? """
                {"instrument_name": "BTC-22NOV23-36000-C", "timestamp": \(time), "underlying_price": \(price), \
                "mark_iv": 50, "index_price": \(price)}
                """ : ""
            return """
                {"instrument_name": "BTC-29DEC23-38000-C", "timestamp": \(time), "underlying_price": \(price * 1.01), \
                "mark_iv": \(price / 700), "index_price": \(price)}
                {"instrument_name": "BTC-PERPETUAL", "timestamp": \(time), "mark_price": \(price), \
                "index_price": \(price)}
                \(expiring)
                """
        }
        return try Poise.inFolder { folder in
            func file(_ name: String, _ text: String) throws -> String {
                let url = folder.appendingPathComponent(name)
                try Data(text.utf8).write(to: url)
                return url.path
            }
            return try Poise.runWithTotals(
                [
                    "explain", "--from", try file("from.json", chain(start, 36_000)),
                    "--to", try file("to.json", chain(start + days * 86_400_000, 36_700)),
                    "--positions", try file("positions.csv", header + "\n" + positions),
                ]
                    + (try (tradeTable ?? trades.map { header + ",price\n" + $0 }).map {
                        ["--trades", try file("trades.csv", $0)]
                    } ?? [])
                    + more)
        }
    }

    @Test("The table of an explained profit shows its parts, and they add up to its total")
    func table() throws {
        let result = try Self.explain()
        #expect(result.status == 0 && result.errors.isEmpty)
        let lines = result.output.split(separator: "\n").map(String.init)
        for part in [
            "profit", "carry", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm", "trades",
            "fees",
            "unexplained",
        ] { #expect(lines[0].contains(part)) }
        #expect(
            lines.contains { $0.hasPrefix("total") } && result.output.contains("2 positions in 2 contracts"))
        #expect(result.output.contains("from 2023-11-14 22:13:20 UTC") && !result.output.contains("settled"))
    }

    @Test("Expired contracts settle at the given price, and trades count from their own prices")
    func expiredAndTraded() throws {
        let positions = "a,BTC-22NOV23-36000-C,3\n"
        let trades = "a,BTC-PERPETUAL,10000,36100\n"
        let result = try Self.explain(["--format", "json"], positions: positions, trades: trades, days: 9)
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result.errors)"
        )
        #expect(report["trades"] as? Int == 1 && report["positions"] as? Int == 1)
        let settlement = try #require((report["settlements"] as? [[String: Any]])?.first)
        #expect(settlement["price"] as? Double == 36_700 && settlement["given"] as? Bool == false)
        let total = try #require((report["totals"] as? [[String: Any]])?.first)
        let trade = try #require(total["trades_usd"] as? Double)
        #expect(abs(trade - 10_000 * (36_700 / 36_100.0 - 1)) < 1e-9)
        #expect(total["fees_usd"] as? Double == 0)
        let given = try Self.explain(["--delivery", "BTC-22NOV23=36300"], positions: positions, days: 9)
        #expect(given.output.contains("BTC-22NOV23: 1 contract expired, settled at 36,300.0 (--delivery)"))
        // Below 0 longs are paid.
        #expect(try Self.explain(["--funding", "-0.0001"], positions: positions, days: 9).status == 0)
        let other = try Self.explain(["--delivery", "BTC-23NOV23=36300"], positions: positions, days: 9)
        #expect(other.status == 2 && other.errors.contains("--delivery BTC-23NOV23: no contract"))
        let index = try Self.explain(positions: positions, days: 9)
        #expect(index.output.contains("settled at 36,700.0 (the second chain's index)"))
        // Whatever reads the output, a person hears that days have gone by.
        let late = "BTC-22NOV23 is settled at an index of"
        for format in ["table", "csv", "json"] {
            let result = try Self.explain(["--format", format], positions: positions, days: 9)
            #expect(
                result.errors.contains(late) && result.errors.contains("h after it expired"),
                "\(result.errors)")
        }
        #expect(!given.errors.contains(late))
    }

    @Test(
        "Fees are a part of their own, in dollars or in coin, and parts still add up to the profit",
        arguments: ["usd", "coin"]) func fees(_ numeraire: String) throws
    {
        let header = "book,instrument,quantity,price,fee_usd\n"
        let trades = header + "a,BTC-PERPETUAL,10000,36100,7.5\nb,BTC-29DEC23-38000-C,1,0.02,-1.25\n"
        func explain(_ trades: String) throws -> [[String]] {
            let result = try Self.explain(
                ["--by", "book", "--numeraire", numeraire, "--format", "csv"], tradeTable: trades)
            #expect(result.status == 0, "\(result.errors)")
            return result.rows
        }
        let paid = try explain(trades)
        let free = try explain(
            trades.replacingOccurrences(of: ",7.5\n", with: ",0\n").replacingOccurrences(
                of: ",-1.25\n", with: ",0\n"))
        let place = try #require(paid[0].firstIndex(of: "fees_\(numeraire)"))
        try #require(paid.count == 4 && paid.map(\.count) == free.map(\.count))
        // The perpetual and the option's future at the end.
        let prices = numeraire == "usd" ? [1, 1] : [36_700.0, 36_700 * 1.01]
        let expected = [-7.5 / prices[0], 1.25 / prices[1]]
        for (row, fee) in zip(1...3, expected + [expected[0] + expected[1]]) {
            let numbers = paid[row].dropFirst().map { Double($0) ?? .nan }
            let before = free[row].dropFirst().map { Double($0) ?? .nan }
            #expect(abs(numbers[place - 1] - fee) <= 1e-15 * abs(fee) && before[place - 1] == 0)
            #expect(abs(numbers[0] - before[0] - fee) <= 1e-12 * abs(numbers[0]))
            for part in numbers.indices where part != 0 && part != place - 1 {
                #expect(numbers[part] == before[part])
            }
        }
        #expect(try explain(header + "a,BTC-PERPETUAL,10000,36100,\n")[1][place] == "0.0")
        for (fee, message) in [("x", "is not a number"), ("inf", "finite")] {
            let bad = try Self.explain(tradeTable: header + "a,BTC-PERPETUAL,10000,36100,\(fee)\n")
            #expect(
                bad.status == 1 && bad.errors.contains("trades.csv:2: column \"fee_usd\": value \"\(fee)\""),
                "\(message): \(bad.errors)")
        }
    }

    @Test("Books roll up to desks and desks to the firm, and a book without a desk is named")
    func desks() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("desks.csv")
            try Data("book,desk\na,east\nb,west\nc,east\n".utf8).write(to: file)
            let more = ["--desks", file.path, "--format", "csv"]
            let trades = "c,BTC-PERPETUAL,10000,36100\n"
            let rows = try Self.explain(["--by", "desk,book"] + more, trades: trades).rows
            try #require(
                rows.map { $0[0] + "/" + $0[1] } == [
                    "desk/book", "east/a", "east/c", "west/b", "total east/", "total west/", "total/",
                ])
            func number(_ row: Int, _ column: Int) -> Double { Double(rows[row][column]) ?? .nan }
            for column in 2..<rows[0].count {
                #expect(number(4, column) == number(1, column) + number(2, column))
                #expect(number(5, column) == number(3, column))
                let scale = (1...3).reduce(0) { $0 + abs(number($1, column)) }
                #expect(abs(number(6, column) - number(4, column) - number(5, column)) <= 1e-15 * scale)
            }
            let byDesk = try Self.explain(["--by", "desk"] + more, trades: trades).rows
            try #require(byDesk.map { $0[0] } == ["desk", "east", "west", "total"])
            #expect(Array(byDesk[1].dropFirst()) == Array(rows[4].dropFirst(2)))
            try Data("book,desk\na,east\nb,west\n".utf8).write(to: file)
            let missing = try Self.explain(["--by", "desk"] + more, trades: trades)
            #expect(
                missing.status == 1 && missing.errors.contains("trades.csv:2: column \"book\": value \"c\""))
            #expect(try Self.explain(["--by", "desk"]).errors.contains("desk needs --desks"))
        }
    }

    @Test("Bad input of `poise explain` ends with status 1 and the place of the fault")
    func badInput() throws {
        for arguments in [
            ["--by", "tenor"], ["--by", "book,book"], ["--delivery", "BTC"], ["--delivery", "BTC-1JAN24=-1"],
            ["--delivery", "X=1", "--delivery", "X=2"], ["--funding", "1"], ["--funding", "nan"],
            ["--delivery", "BTC-22NOV2023=36300"],
        ] {
            let result = try Self.explain(arguments)
            #expect(result.status == 2 && result.output.isEmpty, "\(arguments)")
        }
        #expect(try Self.explain(["--delivery", "BTC"]).errors.contains("expected NAME=PRICE"))
        #expect(try Poise.run(["explain", "--from", "-", "--to", "-", "--positions", "x"]).status == 2)
        let unknown = try Self.explain(positions: "a,BTC-PERPETUAL,1\na,ETH-PERPETUAL,1\n")
        #expect(unknown.status == 1 && unknown.errors.contains("positions.csv:3: column \"instrument\""))
        let skipped = try Self.explain(
            ["--skip-bad-rows"], positions: "a,BTC-PERPETUAL,1\na,ETH-PERPETUAL,1\n")
        #expect(skipped.status == 0 && skipped.errors.contains("skipped 1 row"))
        #expect(try Self.explain(days: -1).errors.contains("before"))
        let trade = try Self.explain(trades: "a,BTC-PERPETUAL,1,0\n")
        #expect(trade.status == 1 && trade.errors.contains("trades.csv:2: column \"price\": value \"0\""))
    }
}
