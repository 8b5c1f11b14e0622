import Foundation
import TestSupport
import Testing

/// Twenty books over the exchange's own chains, through every command about books: all of them run, and the books add
/// up to the firm.
@Suite(.enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"))
struct RealChainTests {
    static func poise(_ command: String, _ books: RealBooks, _ more: [String]) throws -> Poise.Result {
        let result = try Poise.runWithTotals(
            [command, "--chain", books.last, "--positions", books.positions] + more)
        #expect(result.status == 0 && result.errors.isEmpty, "\(command) \(more): \(result.errors)")
        return result
    }

    /// Every row of both files is priced. Dollars per book are its quantities times those prices.
    @Test("Every row of both real files is priced as the books in dollars say")
    func greeks() throws {
        for (coin, count) in [("btc", 976), ("eth", 996)] {
            let path = SharedData.path("data/deribit-options-2021-02-11-\(coin).csv")
            let result = try Poise.run(["greeks", "--chain", path, "--format", "csv"])
            #expect(result.status == 0 && result.errors.isEmpty && result.rows.count == 1 + count)
        }
        try RealBooks.inFolder { books in
            let result = try Poise.run(["greeks", "--chain", books.last, "--format", "csv"])
            #expect(result.status == 0 && result.rows.count == 987)
            let header = result.rows[0]
            let name = try #require(header.firstIndex(of: "instrument_name"))
            let price = try #require(header.firstIndex(of: "price"))
            let prices = Dictionary(
                uniqueKeysWithValues: result.rows.dropFirst().map { ($0[name], Double($0[price]) ?? .nan) })
            var sums: [String: (value: Double, scale: Double)] = [:]
            let positions = try String(contentsOfFile: books.positions, encoding: .utf8)
            for line in positions.split(separator: "\n").dropFirst() {
                let fields = line.split(separator: ",").map(String.init)
                let value = (Double(fields[2]) ?? .nan) * (prices[fields[1]] ?? 0)
                for book in [fields[0], "total"] {
                    sums[book, default: (0, 0)].value += value
                    sums[book, default: (0, 0)].scale += abs(value)
                }
            }
            let risk = try Self.poise("risk", books, ["--by", "book", "--format", "csv"]).rows
            #expect(sums.count == 21 && risk.count == 22 && risk[0][1] == "value_usd")
            for row in risk.dropFirst() {
                let own = try #require(sums[row[0]])
                #expect(abs((Double(row[1]) ?? .nan) - own.value) <= 1e-12 * own.scale, "\(row[0])")
            }
        }
    }

    @Test("However real books are cut, the parts add up to the same firm")
    func risk() throws {
        try RealBooks.inFolder { books in
            var firm: [String]?
            for by in ["book", "desk", "underlying", "expiry", "instrument", "tenor", "moneyness"] {
                let more = by == "desk" ? ["--desks", books.desks] : []
                let rows = try Self.poise("risk", books, ["--by", by, "--format", "csv"] + more).rows
                RealBooks.checkTotals(rows, columns: { $0 != by }, "risk by \(by)")
                let total = try #require(rows.last)
                // To the rounding of another order of the sum, relative to what books have.
                for (column, value) in (firm ?? total).enumerated().dropFirst() {
                    let scale = rows.dropFirst().dropLast().reduce(0) { $0 + abs(Double($1[column]) ?? .nan) }
                    let difference = (Double(value) ?? .nan) - (Double(total[column]) ?? .nan)
                    #expect(abs(difference) <= 1e-12 * scale, "\(rows[0][column]) by \(by)")
                }
                firm = firm ?? total
            }
            let all = try Self.poise(
                "risk", books,
                [
                    "--by", "desk,book,underlying,expiry,tenor,moneyness", "--desks", books.desks, "--format",
                    "csv",
                ]
            ).rows
            #expect(all.suffix(3).map { $0[0] } == ["total east", "total west", "total"])
            let withoutDesks = all.dropLast(3) + [all[all.count - 1]]
            RealBooks.checkTotals(Array(withoutDesks), columns: { $0.contains("usd") }, "risk by all")
        }
    }

    /// In every scenario. A grid that charges expiry by expiry sees what books have against each other: the firm loses
    /// at most what they do.
    @Test(
        "In every scenario of real books the parts add up to the firm",
        arguments: ["deribit-btc", "derive-eth", "desk"]) func scenarios(_ grid: String) throws
    {
        try RealBooks.inFolder { books in
            let rows = try Self.poise(
                "scenarios", books,
                ["--grid", ScenariosCommandTests.example(grid), "--by", "book", "--format", "csv"]
            ).rows
            let count = (rows.count - 1) / 21
            #expect(rows.count == 1 + 21 * count && count > 20)
            let profit = try #require(rows[0].firstIndex(of: "profit_usd"))
            for number in 1...count {
                let own = rows.dropFirst().filter { Double($0[1]) == Double(number) }.map {
                    [$0[0], $0[profit]]
                }
                #expect(own.count == 21 && own[20][0] == "total")
                if grid == "derive-eth" {
                    let profits = own.map { Double($0[1]) ?? .nan }
                    let sum = profits.dropLast().reduce(0, +)
                    #expect(profits[20] >= sum - 1e-12 * profits.reduce(0) { $0 + abs($1) })
                } else {
                    RealBooks.checkTotals(
                        [["book", "profit"]] + own, columns: { $0 == "profit" },
                        "\(grid), scenario \(number)")
                }
            }
        }
    }

    @Test(
        "Components of value at risk of real books add up to the total",
        .enabled(
            if: SharedData.has(["data/btcusdt-1h-2022.csv", "data/ethusdt-1h-2022.csv"]),
            "needs real candles in the shared folder"))
    func valueAtRisk() throws {
        let histories = ["btc", "eth"].map { coin in
            "\(coin.uppercased())=\(SharedData.path("data/\(coin)usdt-1h-2022.csv"))"
        }
        try RealBooks.inFolder { books in
            for method in ["historical", "delta-gamma-vega", "monte-carlo"] {
                let gains = books.folder.appendingPathComponent("gains-\(method).csv").path
                let result = try Self.poise(
                    "var", books,
                    [
                        "--method", method, "--scenarios", "400", "--stride", "24", "--format", "csv",
                        "--save-gains", gains,
                    ] + histories.flatMap { ["--history", $0] })
                #expect(result.rows.count == 22)
                RealBooks.checkTotals(result.rows, columns: { $0.hasPrefix("component") }, method)
                let scenarios = try String(contentsOfFile: gains, encoding: .utf8).split(separator: "\n")
                    .dropFirst()
                #expect(scenarios.count > 300)
                for row in scenarios {
                    let numbers = row.split(separator: ",", omittingEmptySubsequences: false).dropFirst(2)
                        .map { Double($0) ?? .nan }
                    let scale = numbers.reduce(0) { $0 + abs($1) }
                    #expect(abs(numbers.dropLast().reduce(0, +) - numbers[20]) <= 1e-12 * scale)
                }
            }
        }
    }

    @Test("The parts of real books' profit add up row by row, and books to the firm")
    func explain() throws {
        try RealBooks.inFolder { books in
            func explain(_ more: [String]) throws -> [[String]] {
                let result = try Poise.runWithTotals(
                    [
                        "explain", "--from", books.first, "--to", books.last, "--positions", books.positions,
                        "--format", "csv",
                    ] + more)
                #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
                return result.rows
            }
            let rows = try explain(["--by", "book"])
            #expect(rows.count == 22)
            RealBooks.checkTotals(rows, columns: { $0 != "book" }, "explain")
            for row in rows.dropFirst() {
                let numbers = row.dropFirst().map { Double($0) ?? .nan }
                let scale = numbers.reduce(0) { $0 + abs($1) }
                #expect(abs(numbers.dropFirst().reduce(0, +) - numbers[0]) <= 1e-12 * scale, "\(row[0])")
            }
            let coins = try explain(["--numeraire", "coin"])
            #expect(coins.suffix(2).map { $0[0] } == ["total BTC", "total ETH"])
        }
    }

    @Test("A hedge starts from what real books have, and its proof holds")
    func hedge() throws {
        try RealBooks.inFolder { books in
            // So wide that every book's problem has a solution.
            var limits = "book,underlying,expiry,greek,low,high,penalty\n"
            let labels = (1...20).map { $0 < 10 ? "book-0\($0)" : "book-\($0)" }
            for label in [""] + labels {
                for coin in ["BTC", "ETH"] {
                    for greek in ["net_delta", "vega", "theta"] {
                        let band = label.isEmpty && greek == "net_delta" ? 100_000 : 1_000_000_000
                        limits += "\(label),\(coin),,\(greek),\(-band),\(band),\n"
                    }
                }
            }
            let file = books.folder.appendingPathComponent("limits.csv").path
            try Data(limits.utf8).write(to: URL(fileURLWithPath: file))
            let result = try Self.poise("hedge", books, ["--limits", file, "--format", "json"])
            let answer = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [String: Any]])
            #expect(Set(answer.keys) == Set(["all books"] + labels))
            var before: [String: [Double]] = [:]
            for label in labels + ["all books"] {
                let problem = try #require(answer[label])
                #expect(problem["status"] as? String == "optimal", "\(label)")
                #expect((problem["gap"] as? NSNumber).map { $0.doubleValue <= 1e-9 } == true, "\(label)")
                let bands = try #require(problem["bands"] as? [[String: Any]])
                #expect(bands.count == 6, "\(label)")
                for band in bands {
                    let name = try #require(band["name"] as? String)
                    before[name, default: []].append(
                        try #require((band["before"] as? NSNumber)?.doubleValue))
                }
            }
            #expect(before.count == 6)
            for (name, exposures) in before {
                RealBooks.checkTotals(
                    [[name]] + exposures.map { ["\($0)"] }, columns: { $0 == name }, "hedge")
            }
            let cost = try #require((answer["all books"]?["objective"] as? NSNumber)?.doubleValue)
            #expect(cost > 0)
        }
    }
}
