import Foundation
import TestSupport
import Testing

struct ExplainCommandTests {
    static let start = 1_700_000_000_000
    static let header = "book,instrument,quantity"

    /// Writes two chains, positions and trades, and explains.
    static func explain(
        _ more: [String] = [], positions: String = "a,BTC-29DEC23-38000-C,2\nb,BTC-PERPETUAL,-50000\n",
        trades: String? = nil, days: Int = 1
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
            return try Poise.run(
                [
                    "explain", "--from", try file("from.json", chain(start, 36_000)),
                    "--to", try file("to.json", chain(start + days * 86_400_000, 36_700)),
                    "--positions", try file("positions.csv", header + "\n" + positions),
                ] + (try trades.map { ["--trades", try file("trades.csv", header + ",price\n" + $0)] } ?? [])
                    + more)
        }
    }

    @Test func table() throws {
        let result = try Self.explain()
        #expect(result.status == 0 && result.errors.isEmpty)
        let lines = result.output.split(separator: "\n").map(String.init)
        for part in [
            "profit", "carry", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm", "trades",
            "unexplained",
        ] { #expect(lines[0].contains(part)) }
        #expect(
            lines.contains { $0.hasPrefix("total") } && result.output.contains("2 positions in 2 contracts"))
        #expect(result.output.contains("from 2023-11-14 22:13:20 UTC") && !result.output.contains("settled"))
    }

    @Test func expiredAndTraded() throws {
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
        let given = try Self.explain(["--delivery", "BTC-22NOV23=36300"], positions: positions, days: 9)
        #expect(given.output.contains("BTC-22NOV23: 1 contract expired, settled at 36,300.0 (--delivery)"))
        let index = try Self.explain(positions: positions, days: 9)
        #expect(index.output.contains("settled at 36,700.0 (the second chain's index)"))
    }

    @Test func badInput() throws {
        for arguments in [
            ["--by", "tenor"], ["--by", "book,book"], ["--delivery", "BTC"], ["--delivery", "BTC-1JAN24=-1"],
            ["--delivery", "X=1", "--delivery", "X=2"], ["--funding", "1"], ["--funding", "nan"],
        ] {
            let result = try Self.explain(arguments)
            #expect(result.status == 2 && result.output.isEmpty, "\(arguments)")
        }
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
