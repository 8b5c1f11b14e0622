import Foundation
import TestSupport
import Testing

@Suite struct HedgeCommandTests {
    static let sampleLimits = Poise.sample.appendingPathComponent("limits.csv").path
    static let sampleArguments = [
        "hedge", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--limits", sampleLimits,
    ]

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func number(_ object: [String: Any], _ name: String) throws -> Double {
        try #require((object[name] as? NSNumber)?.doubleValue, "\(name)")
    }

    /// Exposures that `poise risk` prints are those that the hedge starts from, all bands hold afterwards, and
    /// costs of books add up.
    @Test("A hedge starts from the exposures of `poise risk`, and afterwards all bands hold")
    func sampleBook() throws {
        let result = try Poise.run(Self.sampleArguments + ["--format", "json"])
        #expect(result.status == 0, "\(result.errors)")
        let answer = try object(result.output)
        #expect(Set(answer.keys) == ["all books", "book-01"])
        let all = try #require(answer["all books"] as? [String: Any])
        #expect(all["status"] as? String == "optimal")
        #expect(try number(all, "gap") <= 1e-9)
        let risk = try object(
            try Poise.run([
                "risk", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--by",
                "underlying",
                "--format", "json",
            ]).output)
        let rows = try #require(risk["rows"] as? [[String: Any]])
        let bands = try #require(all["bands"] as? [[String: Any]])
        #expect(bands.count == 8)
        var compared = 0
        for band in bands {
            let name = try #require(band["name"] as? String)
            let before = try number(band, "before")
            let after = try number(band, "after")
            if band["hard"] as? Bool == true {
                let slack = 1e-9 * (before.magnitude + after.magnitude)
                let (low, high) = (try number(band, "low"), try number(band, "high"))
                #expect(after >= low - slack && after <= high + slack, "\(name)")
            }
            for row in rows where row["underlying"] as? String == String(name.prefix(3)) {
                let column = [
                    "net delta": "net_delta_usd", "gamma": "gamma_usd_per_percent",
                    "vega": "vega_usd_per_point",
                ]
                guard let column = column[String(name.dropFirst(4))] else { continue }
                let printed = try number(row, column)
                #expect((printed - before).magnitude <= 1e-9 * before.magnitude, "\(name)")
                compared += 1
            }
        }
        #expect(compared == 5)
        let cost = try #require(all["cost"] as? [String: Any])
        let linear = try number(cost, "linear")
        let parts = try number(all, "spread") + number(all, "fee") + number(all, "carry")
        // What trades take of the books beyond their best prices comes on top of half the spreads.
        let levels = try number(cost, "levels")
        #expect(levels > 0 && parts > linear && parts <= (linear + levels) * (1 + 1e-9))
        let smooth = try object(
            try Poise.run(Self.sampleArguments + ["--no-levels", "--format", "json"]).output)
        let other = try #require(smooth["all books"] as? [String: Any])
        let otherLinear = try number(try #require(other["cost"] as? [String: Any]), "linear")
        let otherParts = try number(other, "spread") + number(other, "fee") + number(other, "carry")
        #expect((otherParts - otherLinear).magnitude < 1e-9 * otherLinear)
        // One impact for both sides is the dearer one's: filling its trades is dearer than need be.
        #expect(try number(all, "objective") < number(other, "objective"))
        let shares = try #require(all["attribution"] as? [String: [String: Any]])
        #expect(shares.count == 20)
        let sum = try shares.values.reduce(0) { try $0 + number($1, "cost") }
        let objective = try number(all, "objective")
        let rest = try number(all, "unattributed")
        #expect((sum + rest - objective).magnitude < 1e-8 * objective)
    }

    @Test("The problem that was solved can be saved, read and solved again")
    func savedProblem() throws {
        try Poise.inFolder { folder in
            let path = folder.appendingPathComponent("problem.json").path
            let live = try object(
                try Poise.run(Self.sampleArguments + ["--format", "json", "--save-problem", path]).output)
            let again = try object(try Poise.run(["hedge", "--problem", path, "--format", "json"]).output)
            for name in ["all books", "book-01"] {
                let (a, b) = (
                    try number(try #require(live[name] as? [String: Any]), "objective"),
                    try number(try #require(again[name] as? [String: Any]), "objective")
                )
                #expect(a == b)
            }
        }
    }

    @Test("Lots come from the list of instruments; what is assumed instead, or unknown, is named")
    func lotsOfLinearContracts() throws {
        func ticker(_ name: String, _ price: Double) -> String {
            """
            {"instrument_name": "\(name)", "timestamp": 1756000000000, "mark_price": \(price), "index_price": 80815,
             "best_bid_price": \(price - 1), "best_bid_amount": 50, "best_ask_price": \(price + 1), "best_ask_amount": 50}
            """
        }
        try Poise.inFolder { folder in
            func file(_ name: String, _ text: String) throws -> String {
                let path = folder.appendingPathComponent(name).path
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                return path
            }
            let arguments = [
                "hedge", "--lots", "--chain",
                try file("chain.json", "[\(ticker("BTC_USDC-PERPETUAL", 80_831))]"), "--positions",
                try file("positions.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,-0.0503\n"),
                "--limits",
                try file(
                    "limits.csv", "book,underlying,expiry,greek,low,high,penalty\n,BTC,,delta,-500,500,\n"),
            ]
            let assumed = try Poise.run(arguments)
            #expect(assumed.status == 0 && assumed.output.contains("0.0450000"), "\(assumed.output)")
            #expect(
                assumed.output.contains(
                    "lots assumed, for lack of a list of instruments: BTC_USDC perpetual 0.001"))
            let list = try file(
                "instruments.json",
                "[{\"instrument_name\": \"BTC_USDC-PERPETUAL\", \"min_trade_amount\": 0.0005, \"contract_size\": 0.0005}]"
            )
            let listed = try Poise.run(arguments + ["--instruments", list])
            #expect(
                listed.output.contains("0.0445000") && !listed.output.contains("assumed"), "\(listed.output)")
        }
    }

    @Test("With lots every trade is a whole number of them")
    func lotsAreKept() throws {
        try Poise.inFolder { folder in
            let limits = folder.appendingPathComponent("limits.csv").path
            try "underlying,greek,low,high\nBTC,net_delta,-250000,250000\n".write(
                toFile: limits, atomically: true, encoding: .utf8)
            let result = try Poise.run([
                "hedge", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--limits",
                limits,
                "--lots", "--nodes", "200", "--format", "json",
            ])
            #expect(result.status == 0, "\(result.errors)")
            let all = try #require(try object(result.output)["all books"] as? [String: Any])
            let trades = try #require(all["trades"] as? [String: NSNumber])
            #expect(!trades.isEmpty)
            for (name, amount) in trades {
                let size = name.hasSuffix("-C") || name.hasSuffix("-P") ? 0.1 : 10
                let lots = amount.doubleValue / size
                #expect((lots - lots.rounded()).magnitude < 1e-6, "\(name) \(amount)")
            }
            #expect(try number(all, "gap") < 0.01)
        }
    }

    /// Tickets and smallest trades leave out what is not worth them, and the table of books still adds up.
    @Test("Tickets and smallest trades leave out tiny trades, and books still add up")
    func ticketsLeaveOutTinyTrades() throws {
        try Poise.inFolder { folder in
            let fees = folder.appendingPathComponent("fees.csv").path
            try """
            class,fee_rate,fee_cap,half_spread_rate,depth_usd,ticket_usd,minimum_usd
            option,0.0003,0.125,,,40,10000
            perpetual,0.0005,,0.0001,5000000,40,10000
            future,0.0005,,0.0002,2000000,40,10000
            spot,0.001,,0.0002,1000000,40,10000
            """.write(toFile: fees, atomically: true, encoding: .utf8)
            func solve(_ options: [String]) throws -> [String: Any] {
                let result = try Poise.run(Self.sampleArguments + ["--format", "json"] + options)
                #expect(result.status == 0, "\(result.errors)")
                return try #require(try object(result.output)["all books"] as? [String: Any])
            }
            let free = try solve(["--no-levels"])
            let charged = try solve(["--fees", fees, "--nodes", "200", "--no-levels"])
            let trades = try #require(charged["trades"] as? [String: NSNumber])
            let before = try #require(free["trades"] as? [String: NSNumber])
            #expect(trades.count < before.count)
            let cost = try #require(charged["cost"] as? [String: NSNumber])
            #expect(cost["fixed"]?.doubleValue == 40 * Double(trades.count))
            let objective = try number(charged, "objective")
            #expect(try number(free, "objective") < objective)
            // Dearer than the first answer with its tickets it cannot be.
            #expect(objective <= (try number(free, "objective")) + 40 * Double(before.count) + 1e-6)
            for (name, amount) in trades where name.hasSuffix("-C") || name.hasSuffix("-P") {
                #expect(
                    amount.doubleValue.magnitude >= (name.hasPrefix("BTC") ? 0.1 : 2), "\(name) \(amount)")
            }
            let books = try #require(charged["attribution"] as? [String: [String: Any]])
            let sum = try books.values.reduce(0) { $0 + (try number($1, "cost")) }
            let rest = try number(charged, "unattributed") + (try number(charged, "lotsAndFixedCosts"))
            #expect((sum + rest - objective).magnitude < 1e-6 * objective)
        }
    }

    @Test("What loosening a limit is said to save is what it saves")
    func savingsAreReal() throws {
        let text = try Poise.run(Self.sampleArguments).output
        let line = try #require(
            text.split(separator: "\n").first { $0.hasPrefix("loosening the low limit of ETH vega by ") })
        let words = line.split(separator: " ").map { $0.replacingOccurrences(of: ",", with: "") }
        let step = try #require(Double(words[8]))
        let saving = try #require(Double(words[words.count - 2]))
        let limits = try String(contentsOfFile: Self.sampleLimits, encoding: .utf8)
        let row = try #require(limits.split(separator: "\n").first { $0.hasPrefix(",ETH,,vega,") })
        var fields = row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let low = try #require(fields.firstIndex { Double($0).map { $0 < 0 } ?? false })
        fields[low] = "\((Double(fields[low]) ?? 0) - step)"
        try Poise.inFolder { folder in
            let path = folder.appendingPathComponent("limits.csv").path
            try limits.replacingOccurrences(of: row, with: fields.joined(separator: ",")).write(
                toFile: path, atomically: true, encoding: .utf8)
            func objective(_ limits: String) throws -> Double {
                let result = try Poise.run([
                    "hedge", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--limits",
                    limits, "--format", "json",
                ])
                return try number(
                    try #require(try object(result.output)["all books"] as? [String: Any]), "objective")
            }
            let real = try objective(Self.sampleLimits) - objective(path)
            #expect((real - saving).magnitude < 1e-5 * real, "\(line): \(real)")
        }
    }

    @Test("A hedge that no trades achieve ends with status 3 and says which limit to loosen")
    func infeasibleExitsWithThree() throws {
        let problem = """
            {"name": "stuck", "instruments": [{"id": "a", "costBuy": 1, "costSell": 1, "maxBuy": 2, "maxSell": 2}],
             "bands": [{"label": "delta", "idx": [0], "coef": [1], "current": 10, "lo": -1, "hi": 1}]}
            """
        let result = try Poise.run(["hedge", "--problem", "-", "--format", "json"], input: problem)
        #expect(result.status == 3)
        let answer = try #require(try object(result.output)["stuck"] as? [String: Any])
        #expect(answer["status"] as? String == "infeasible")
        #expect(try number(answer, "violation") == 3.5)
        let trades = try #require(answer["x"] as? [Double])
        #expect(trades.count == 1 && (trades[0] + 2).magnitude < 1e-8)
        let text = try Poise.run(["hedge", "--problem", "-"], input: problem)
        #expect(text.status == 3)
        #expect(text.output.contains("delta stays 3.50000 widths above its high limit"))
    }

    @Test(
        "A limit that is absent is blank, and the answer that of a limit that is far",
        arguments: ["table", "csv"])
    func absentLimits(_ format: String) throws {
        func run(_ limit: String) throws -> Poise.Result {
            let problem = """
                {"name": "free", "instruments": [
                  {"id": "a", "costBuy": 0.01, "costSell": 0.02, \(limit)},
                  {"id": "b", "costBuy": 0.03, "costSell": 0.01, \(limit)}],
                 "bands": [{"label": "delta", "idx": [0, 1], "coef": [1, -2], "current": 5, "lo": -1, "hi": 1},
                           {"label": "open", "idx": [0], "coef": [1], "current": 0, "lo": -3, "hi": null}]}
                """
            return try Poise.run(["hedge", "--problem", "-", "--format", format], input: problem)
        }
        func words(_ line: Substring?) -> [Substring] { line?.split { " ,".contains($0) } ?? [] }
        let absent = try run(#""cash": 0"#)
        #expect(absent.status == 0, "\(absent.errors)")
        for limit in [#""maxBuy": null, "maxSell": null"#, #""maxBuy": 1e12, "maxSell": 1e12"#] {
            let result = try run(limit)
            #expect(result.status == 0, "\(result.errors)")
            let lines = zip(absent.output.split(separator: "\n"), result.output.split(separator: "\n"))
            for (own, other) in lines where own.contains("b ") || own.hasPrefix("free,") {
                // Name, trade and cost; the limit behind them is there or not.
                #expect(words(own).prefix(3) == words(other).prefix(3))
            }
            if format == "csv" { #expect(result.output == absent.output) }
        }
        if format == "table" {
            let trade = absent.output.split(separator: "\n").first { $0.hasPrefix("b ") }
            #expect(words(trade).count == 3, "\(absent.output)")
        }
    }

    @Test("Bad input of `poise hedge` ends with status 1 and the place of the fault")
    func badInputIsNamed() throws {
        func limits(_ text: String) throws -> Poise.Result {
            try Poise.inFolder { folder in
                let path = folder.appendingPathComponent("limits.csv").path
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                return try Poise.run([
                    "hedge", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--limits",
                    path,
                ])
            }
        }
        for (text, message) in [
            ("underlying,greek,low,high\nBTC,delta,2,1\n", "column \"high\": value \"1\": is below low, 2.0"),
            (
                "underlying,greek,low,high\nBTC,velta,1,2\n",
                "column \"greek\": value \"velta\": expected one of"
            ),
            ("underlying,greek,low,high\nBTC,vega,x,2\n", "column \"low\": value \"x\": is not a number"),
            ("underlying,greek,low,high\nBTC,vega,,\n", "nothing is limited"),
            ("underlying,greek,low,high\nXYZ,vega,1,2\n", "column \"underlying\": value \"XYZ\""),
            (
                "underlying,expiry,greek,low,high\nBTC,27MAR26,vega,-1,1\n",
                "column \"expiry\": value \"27MAR26\""
            ),
            ("underlying,expiry,greek,low,high\nBTC,2027-01-01,vega,-1,1\n", "value \"2027-01-01\""),
            (
                "book,underlying,greek,low,high\nnobody,BTC,vega,1,2\n",
                "column \"book\": value \"nobody\": holds no positions"
            ),
            (
                "underlying,greek,low,high\nBTC,vega,1,2\nBTC,vega,1,3\n",
                "line 2 has a limit for the same exposure"
            ),
            ("underlying,greek,low\nBTC,vega,1\n", "column \"high\" is missing"),
        ] {
            let result = try limits(text)
            #expect(result.status == 1 && result.errors.contains(message), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
        let empty = try Poise.run(["hedge", "--problem", "-"], input: #"{"name": "none"}"#)
        #expect(
            empty.status == 1
                && empty.errors.contains("problem \"none\": instruments: there is none to trade"))
        for arguments in [
            ["hedge"], ["hedge", "--problem", "a", "--chain", "b"], ["hedge", "--problem", "a", "--lots"],
            ["hedge", "--problem", "a", "--cash", "-5"], ["hedge", "--problem", "a", "--fees", "b"],
            ["hedge", "--problem", "a", "--horizon", "1"],
            ["hedge", "--problem", "a", "--funding", "-0.001"],
        ] {
            let result = try Poise.run(arguments)
            #expect(result.status == 2 && !result.errors.contains("Missing value"), "\(arguments)")
        }
        let none = try Poise.run(["hedge", "--problem", "-"], input: "[]")
        #expect(none.status == 1 && none.errors.contains("is empty"))
    }

    @Test("The table of trades of all problems has the figures of the report")
    func tradesAsTable() throws {
        let live = try object(try Poise.run(Self.sampleArguments + ["--format", "json"]).output)
        let rows = try Poise.run(Self.sampleArguments + ["--format", "csv"]).rows
        #expect(rows[0] == ["problem", "status", "instrument", "trade", "cost"])
        var costs: [String: Double] = [:]
        for row in rows.dropFirst() {
            let answer = try #require(live[row[0]] as? [String: Any])
            let trades = try #require(answer["trades"] as? [String: Double])
            let trade = try #require(trades[row[2]], "\(row)")
            #expect(row[1] == "optimal")
            #expect(abs((Double(row[3]) ?? .nan) / trade - 1) < 1e-15)
            costs[row[0], default: 0] += try #require(Double(row[4]))
        }
        #expect(costs.count == live.count)
        for (name, cost) in costs {
            let total = try number(try #require(live[name] as? [String: Any]), "objective")
            #expect(abs(cost / total - 1) < 1e-12, "\(name)")
        }
    }

    @Test("Where one of two files cannot be written the other is not there either")
    func bothFilesOrNone() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("one").path
            let nowhere = folder.appendingPathComponent("nowhere/two").path
            let books = ["--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
            let grid = SharedData.packageRoot.appendingPathComponent("Examples/grids/deribit-btc.json").path
            for (arguments, second) in [
                (Self.sampleArguments, "--save-problem"), (["scenarios", "--grid", grid] + books, "--svg"),
            ] {
                for (one, two) in [(file, nowhere), (nowhere, file)] {
                    let result = try Poise.run(arguments + ["--output", one, second, two])
                    #expect(result.status == 1 && result.errors.contains("nowhere"))
                    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
                }
            }
        }
    }

    @Test(
        "Books over the exchange's own chains get a hedge that proves itself",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"),
        arguments: ["btc", "eth"])
    func realChain(_ coin: String) throws {
        let path = SharedData.path("data/deribit-options-2021-02-11-\(coin).csv")
        try Poise.inFolder { folder in
            var seen: Set<String> = []
            let names = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
                .compactMap {
                    line -> String? in
                    let name = line.split(separator: ",").first {
                        $0.hasPrefix(coin.uppercased() + "-") && ($0.hasSuffix("-C") || $0.hasSuffix("-P"))
                    }
                    guard let name, seen.insert(String(name)).inserted else { return nil }
                    return String(name)
                }
            let rows = names.enumerated().map { "book-\($0 % 20),\($1),\(($0 * 7) % 11 - 5)" }
            let positions = folder.appendingPathComponent("positions.csv").path
            try ("book,instrument,quantity\n" + rows.joined(separator: "\n") + "\n").write(
                toFile: positions, atomically: true, encoding: .utf8)
            let limits = folder.appendingPathComponent("limits.csv").path
            let base = coin.uppercased()
            try
                "underlying,greek,low,high,penalty\n\(base),net_delta,-20000,20000,\n\(base),gamma,-30000,30000,\n\(base),vega,-2500,2500,\n\(base),theta,-4000,,3\n"
                .write(toFile: limits, atomically: true, encoding: .utf8)
            let result = try Poise.run([
                "hedge", "--chain", path, "--positions", positions, "--limits", limits, "--format", "json",
            ])
            let all = try #require(try object(result.output)["all books"] as? [String: Any])
            #expect(
                ["optimal", "infeasible"].contains(all["status"] as? String ?? ""), "\(all["status"] ?? "")")
            #expect(try number(all, "gap") <= 1e-9)
            print("hedge of \(coin): \(all["status"] ?? "") cost \(all["objective"] ?? "")")
        }
    }
}
