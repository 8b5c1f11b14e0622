import Foundation
import TestSupport
import Testing

/// Every option of every command, by what it makes of a known input. An option that has no row here fails
/// `everyOptionHasARow`.
struct EveryOptionTests {
    /// An option, and the observation that shows what it does: values by hand or by a formula written here.
    struct Row: CustomTestStringConvertible, Sendable {
        let command, option, observable: String
        let check: @Sendable (Desk) throws -> Void

        init(
            _ command: String, _ option: String, _ observable: String,
            _ check: @escaping @Sendable (Desk) throws -> Void
        ) {
            (self.command, self.option, self.observable, self.check) = (command, option, observable, check)
        }

        var testDescription: String { "\(command) \(option): \(observable)" }
    }

    @Test("An option does what its row of the table says", arguments: rows)
    func option(_ row: Row) throws {
        try Poise.inFolder { try row.check(try Desk($0)) }
    }

    /// But `bench`, which runs a script of the checkout.
    @Test("Every option of every command has a row, and no row is about an option that is not there")
    func everyOptionHasARow() throws {
        struct Help: Decodable {
            struct Name: Decodable { let kind, name: String }
            struct Argument: Decodable {
                let names: [Name]?
                let valueName: String?
            }
            struct Command: Decodable {
                let commandName: String
                let subcommands: [Command]?
                let arguments: [Argument]?
            }
            let command: Command
        }
        let text = try Poise.run(["--experimental-dump-help"]).output
        let help = try JSONDecoder().decode(Help.self, from: Data(text.utf8))
        var options: Set<String> = []
        for command in help.command.subcommands ?? [] where !["help", "bench"].contains(command.commandName) {
            for argument in command.arguments ?? [] {
                let long = argument.names?.first { $0.kind == "long" }?.name
                let name = long.map { "--\($0)" } ?? argument.valueName ?? ""
                if name != "--help", name != "--version" { options.insert("\(command.commandName) \(name)") }
            }
        }
        let known = Set(Self.rows.map { "\($0.command) \($0.option)" })
        #expect(options.subtracting(known).sorted() == [], "options without a row")
        #expect(known.subtracting(options).sorted() == [], "rows without an option")
    }

    static let rows =
        ownRows + SmileRiskRows.rows + BookOptionRows.rows + TailRiskOptionRows.rows + HedgeOptionRows.rows
        + SurfaceOptionRows.rows + OwnSurfaceRows.rows + MarginOptionRows.rows + HedgeMarginRows.rows
        + SimulateOptionRows.rows
        + Desk.commands.sorted().flatMap(commonRows)
        + ["explain", "greeks", "hedge", "risk", "scenarios", "surface", "var"].map(exchangeRow)

    /// Bybit's options have names of Deribit's, but premiums in dollars.
    static func exchangeRow(_ command: String) -> Row {
        Row(
            command, "--exchange",
            "a mark in dollars is one where the names are Bybit's, and refused where they are not"
        ) {
            let chain = try $0.write(
                "bybit.csv",
                """
                instrument_name,timestamp,underlying_price,mark_iv,mark_price,bid_price,ask_price
                BTC-27MAR26-60000-C,\(Desk.time),60000,60,\(Desk.callValue),3300,3400
                BTCPERP,\(Desk.time),,,60000,59990,60010

                """)
            let held = try $0.write("held.csv", "book,instrument,quantity\na,BTC-27MAR26-60000-C,2\n")
            let wide = try $0.write("wide.csv", "underlying,greek,low,high\nBTC,delta,-1000000,1000000\n")
            let readsChainsAlone = ["greeks", "surface"].contains(command)
            var arguments = readsChainsAlone ? [command, "--chain", chain] : $0.arguments(command)
            for (option, file) in [
                ("--chain", chain), ("--from", chain), ("--to", chain), ("--positions", held),
                ("--limits", wide),
            ] {
                if let place = arguments.firstIndex(of: option) { arguments[place + 1] = file }
            }
            let refused = try Poise.run(arguments)
            #expect(refused.status == 1 && refused.errors.contains("is it in dollars"), "\(refused.errors)")
            let result = try Poise.run(arguments + ["--exchange", "bybit"])
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    /// Options that every command has.
    static func commonRows(_ command: String) -> [Row] {
        var rows = [
            Row(
                command, "--format",
                "CSV and JSON parse, and a table has neither quotes nor commas between cells"
            ) {
                let csv = try $0.run(command, ["--format", "csv"])
                #expect(csv.rows.count > 1 && Set(csv.rows.map(\.count)).count == 1)
                let json = try $0.run(command, ["--format", "json"])
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: Data(json.output.utf8), options: .fragmentsAllowed)
                }
                let table = try $0.run(command, ["--format", "table"])
                #expect(table.output != csv.output && !table.output.contains("\""))
                let unasked = try $0.run(command).output
                #expect(unasked.split(separator: "\n").count == table.output.split(separator: "\n").count)
            },
            Row(
                command, "--columns",
                "the columns of these names, in the table's order; a name that is none is refused"
            ) {
                let whole = try $0.run(command, ["--format", "csv"]).rows
                let names = [whole[0].last, whole[0].first].compactMap { $0 }
                let asked = names.joined(separator: ",")
                let some = try $0.run(command, ["--format", "csv", "--columns", asked]).rows
                #expect(some == whole.map { [$0[0], $0[$0.count - 1]] })
                try #expect($0.run(command, ["--format", "csv", "--columns", "all"]).rows == whole)
                let wrong = try Poise.run(
                    $0.arguments(command) + ["--format", "csv", "--columns", "\(names[0])x"])
                #expect(
                    wrong.status == 2 && wrong.errors.contains("did you mean \(names[0])?"), "\(wrong.errors)"
                )
            },
            Row(command, "--output", "the file has what standard output would have had") {
                let path = $0.path("out.csv")
                let printed = try $0.run(command, ["--format", "csv"])
                let written = try $0.run(command, ["--format", "csv", "--output", path])
                #expect(written.output.isEmpty)
                try #expect(String(contentsOfFile: path, encoding: .utf8) == printed.output)
            },
        ]
        if let (option, file) = Desk.tableOfRows[command] {
            rows.append(
                Row(command, "--skip-bad-rows", "a bad row is named, and the result is that of the others") {
                    let text = try String(contentsOfFile: $0.path(file), encoding: .utf8)
                    let bad = try $0.write(
                        "bad.csv",
                        text + String(text.split(separator: "\n")[1].map { $0 == "," ? "," : "?" }) + "\n")
                    try #expect(Poise.run($0.arguments(command, replacing: option, by: bad)).status == 1)
                    let kept = try Poise.run(
                        $0.arguments(command, replacing: option, by: bad) + [
                            "--format", "csv", "--skip-bad-rows",
                        ])
                    #expect(kept.status == 0 && kept.errors.contains("bad.csv:"))
                    // A slice of which no row is left is named.
                    let others = kept.output.split(separator: "\n").filter { !$0.contains(",unreadable,") }
                    try #expect(others == $0.run(command, ["--format", "csv"]).output.split(separator: "\n"))
                    var tables = [(option, file)]
                    if ["risk", "hedge"].contains(command) { tables.append(("--limits", "limits.csv")) }
                    for (option, file) in tables {
                        let lines = try String(contentsOfFile: $0.path(file), encoding: .utf8).split(
                            separator: "\n")
                        let none = try $0.write(
                            "none.csv",
                            "\(lines[0])\n" + String(lines[1].map { $0 == "," ? "," : "?" }) + "\n")
                        let result = try Poise.run(
                            $0.arguments(command, replacing: option, by: none) + ["--skip-bad-rows"])
                        #expect(result.status == 1 && result.output.isEmpty, "\(option): \(result.errors)")
                        #expect(
                            result.errors.contains("none.csv: no row can be used:\n"),
                            "\(option): \(result.errors)")
                    }
                })
        }
        return rows
    }

    /// Greeks and implied volatilities: values of textbooks and of closed forms.
    static let ownRows = [
        Row("greeks", "--options", "price and delta of a textbook's call") {
            let row = try $0.table("greeks", ["--options", $0.path("options.csv")])[0]
            #expect(
                row["price"].near(10.450583572185565, 1e-14) && row["delta"].near(0.6368306511756191, 1e-14))
        },
        Row("greeks", "--chain", "a row per contract, priced by Black-76 on its future") {
            let rows = try $0.table("greeks", ["--chain", $0.path("chain.csv")])
            #expect(rows.map { $0["instrument_name"] } == Desk.names)
            #expect(rows[0]["price"].near(Desk.call(60_000, 60_000, 20 / 365.0, 0.6), 1e-12))
        },
        Row(
            "greeks", "--coin",
            "the coin value is the price in units of the underlying, its delta V/S less premium"
        ) {
            let row = try $0.table("greeks", ["--options", $0.path("options.csv"), "--coin"])[0]
            let (price, delta) = (10.450583572185565, 0.6368306511756191)
            #expect(row["coin_price"].near(price / 100, 1e-14))
            #expect(row["coin_delta"].near((delta - price / 100) / 100, 1e-13))
            #expect(row["net_transaction_delta"].near(delta - price / 100, 1e-13))
        },
        Row("greeks", "--model", "at the money without rates: σ√(T/2π) normal, Φ(−σ√T/2) digital") {
            let path = try $0.write(
                "flat.csv", "type,spot,strike,years,vol,rate,dividend\nC,100,100,4,0.2,0,0\n")
            for (model, expected) in [
                ("black-scholes-merton", 100 * (1 - 2 * Desk.normal(-0.2))),
                ("bachelier", 0.4 / (2 * Double.pi).squareRoot()), ("cash-or-nothing", Desk.normal(-0.2)),
                // Never exercised early.
                ("american", 100 * (1 - 2 * Desk.normal(-0.2))),
            ] {
                let row = try $0.table("greeks", ["--options", path, "--model", model])[0]
                #expect(row["price"].near(expected, 1e-14), "\(model)")
            }
        },
        Row(
            "greeks", "--level",
            "Andersen, Lake and Offengenden's premium, to as many digits as the level has"
        ) {
            let path = try $0.write(
                "american.csv",
                "type,spot,strike,years,vol,rate,dividend\nP,100,100,1,0.25,0.05,0.05\nP,60,100,1,0.25,0.05,0\n"
            )
            let european = 100 * exp(-0.05) * (1 - 2 * Desk.normal(-0.125))
            for (level, error, least) in [
                ("fast", 2e-4, 1e-9), ("accurate", 1e-6, 1e-9), ("reference", 2e-11, 0),
            ] {
                let rows = try $0.table(
                    "greeks", ["--options", path, "--model", "american", "--level", level])
                let off = try #require(rows[0]["price"].flatMap(Double.init)) - european - 0.106952702747
                #expect(abs(off) < error, "\(level)")
                #expect(abs(off) >= least, "\(level)")
                #expect(rows[0]["status"] == "ok" && rows[1]["status"] == "exercise")
                #expect(rows[1]["price"] == "40" || rows[1]["price"] == "40.0")
            }
        },
        Row("iv", "--level", "the textbook premium's price has its volatility, as exactly as the level") {
            let price = 100 * exp(-0.05) * (1 - 2 * Desk.normal(-0.125)) + 0.106952702747
            let path = try $0.write(
                "american-price.csv",
                "type,spot,strike,years,price,rate,dividend\nP,100,100,1,\(price),0.05,0.05\nP,60,100,1,40,0.05,0\n"
            )
            for (level, error) in [("fast", 1e-5), ("accurate", 1e-7), ("reference", 1e-11)] {
                let rows = try $0.table("iv", ["--options", path, "--model", "american", "--level", level])
                #expect(rows[0]["vol"].near(0.25, error), "\(level)")
                #expect(rows[1]["status"] == "exercise" && rows[1]["vol"] == "")
            }
        },
        Row("iv", "--coin", "a price in coin is that many times spot") {
            let path = try $0.write(
                "coin.csv",
                "type,spot,strike,years,price,rate,dividend\nC,100,100,1,0.10450583572185565,0.05,0\n")
            try #expect($0.table("iv", ["--options", path, "--coin"])[0]["vol"].near(0.2, 1e-12))
        },
        Row("iv", "--model", "σ of σ√(T/2π) is found where the model is normal") {
            let price = 0.4 / (2 * Double.pi).squareRoot()
            let path = try $0.write(
                "normal.csv", "type,spot,strike,years,price,rate,dividend\nC,100,100,4,\(price),0,0\n")
            try #expect(
                $0.table("iv", ["--options", path, "--model", "bachelier"])[0]["vol"].near(0.2, 1e-10))
        },
        Row("iv", "--options", "a textbook's price has its volatility, and one below intrinsic value none") {
            let path = try $0.write(
                "prices.csv",
                "type,spot,strike,years,price,rate,dividend\nC,100,100,1,10.450583572185565,0.05,0\nC,100,90,1,9,0,0\n"
            )
            let rows = try $0.table("iv", ["--options", path])
            #expect(rows[0]["vol"].near(0.2, 1e-14))
            #expect(rows[1]["status"] == "below-intrinsic")
        },
    ]
}

extension EveryOptionTests {
    /// Two options and two perpetuals 20 days before expiry, two books, and what else commands read; all in a folder.
    struct Desk {
        let folder: URL
        static let time = 1_774_598_400_000 - 20 * 86_400_000
        static let names = [
            "BTC-27MAR26-60000-C", "BTC-27MAR26-66000-P", "BTC-PERPETUAL", "BTC_USDC-PERPETUAL",
        ]
        /// Black-76 value of the call: σ 60%, at the money, 20 days.
        static let callValue = call(60_000, 60_000, 20 / 365.0, 0.6)
        static let closes: [Double] = [100, 101, 99, 100, 102, 98, 101, 100]

        static func chain(_ forward: Double = 60_000, volatility: Double = 60, days: Double = 0) -> String {
            let time = time + Int(days * 86_400_000)
            return """
                instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks
                BTC-27MAR26-60000-C,\(time),\(forward),\(volatility),0.05,60000,"[[0.049,10]]","[[0.051,10]]"
                BTC-27MAR26-66000-P,\(time),\(forward),70,0.13,60000,"[[0.129,10]]","[[0.131,10]]"
                BTC-PERPETUAL,\(time),,,\(forward),60000,"[[59995,1000000]]","[[60005,1000000]]"
                BTC_USDC-PERPETUAL,\(time),,,\(forward),60000,"[[59995,10]]","[[60005,10]]"

                """
        }

        init(_ folder: URL) throws {
            self.folder = folder
            try write("options.csv", "type,spot,strike,years,vol,rate,dividend\nC,100,100,1,0.2,0.05,0\n")
            try write("prices.csv", "type,spot,strike,years,price,rate,dividend\nC,100,100,1,10.45,0.05,0\n")
            try write("chain.csv", Self.chain())
            try write("quotes.csv", SurfaceOptionRows.quotes())
            try write("later.csv", Self.chain(61_000, volatility: 62, days: 1))
            try write(
                "positions.csv", "book,instrument,quantity\na,BTC-27MAR26-60000-C,2\nb,BTC_USDC-PERPETUAL,3\n"
            )
            try write("desks.csv", "book,desk\na,x\nb,x\n")
            try write("limits.csv", "underlying,greek,low,high\nBTC,delta,-1000,1000\n")
            try write("grid.json", #"{"name": "g", "scenarios": [{"spot": [-0.1, 0.1]}]}"#)
            try write("history.csv", Self.candles(Self.closes))
            try write("cases.json", MarginOptionRows.cases)
            try write("account.toml", MarginOptionRows.account)
            try write("rates.toml", MarginOptionRows.model())
            try write(
                "perpetuals.csv", "book,instrument,quantity\na,BTC_USDC-PERPETUAL,2\na,BTC_USDC-PERPETUAL,1\n"
            )
            try write(
                "run.toml",
                """
                paths = 8
                seed = 3
                days = 1
                step_minutes = 60
                [market]
                model = "gbm"
                spot_usd = 100
                volatility = 0.5
                [surface]
                level = "constant"
                volatility = 0.5
                [book]
                [[book.option]]
                type = "call"
                moneyness = 1.0
                days = 7
                quantity = -10
                [hedge]
                instrument = "linear_perpetual"
                [[venue]]
                name = "exchange"
                taker_fee = 0.0004
                [[policy]]
                kind = "clock"
                hours = 4
                [[policy]]
                kind = "clock"
                hours = 8

                """)
        }

        static func candles(_ closes: [Double], hours: Int = 1) -> String {
            "timestamp,open,high,low,close\n"
                + closes.enumerated().map {
                    "\(1_699_999_200_000 + $0 * hours * 3_600_000),\($1),\($1 + 10),\($1 - 10),\($1)\n"
                }.joined()
        }

        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

        @discardableResult
        func write(_ name: String, _ text: String) throws -> String {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
            return path(name)
        }

        static let commands: Set = [
            "greeks", "iv", "risk", "scenarios", "surface", "var", "explain", "hedge", "margin", "simulate",
        ]
        /// The option and file whose rows `--skip-bad-rows` is about.
        static let tableOfRows = [
            "greeks": ("--options", "options.csv"), "iv": ("--options", "prices.csv"),
            "risk": ("--positions", "positions.csv"), "scenarios": ("--positions", "positions.csv"),
            "var": ("--positions", "positions.csv"), "explain": ("--positions", "positions.csv"),
            "hedge": ("--positions", "positions.csv"), "surface": ("--quotes", "quotes.csv"),
        ]

        /// What a command needs at least.
        func arguments(_ command: String) -> [String] {
            let books = ["--chain", path("chain.csv"), "--positions", path("positions.csv")]
            switch command {
            case "greeks": return [command, "--options", path("options.csv")]
            case "iv": return [command, "--options", path("prices.csv")]
            case "risk": return [command] + books
            case "scenarios": return [command] + books + ["--grid", path("grid.json")]
            case "var":
                return [command] + books + [
                    "--history", "BTC=" + path("history.csv"), "--horizon", "1", "--volatility", "none",
                ]
            case "explain":
                return [
                    command, "--from", path("chain.csv"), "--to", path("later.csv"), "--positions",
                    path("positions.csv"),
                ]
            case "surface": return [command, "--quotes", path("quotes.csv")]
            case "hedge": return [command] + books + ["--limits", path("limits.csv")]
            case "simulate": return [command, "--config", path("run.toml")]
            case "margin": return [command, "--cases", path("cases.json")]
            default: return [command]
            }
        }

        func arguments(_ command: String, replacing option: String, by value: String) -> [String] {
            var arguments = arguments(command)
            if let place = arguments.firstIndex(of: option) {
                arguments[place + 1] = value
            } else {
                arguments += [option, value]
            }
            return arguments
        }

        func run(_ command: String, _ more: [String] = []) throws -> Poise.Result {
            let result = try Poise.run(arguments(command) + more)
            #expect(result.status == 0, "\(command) \(more): \(result.errors)")
            return result
        }

        /// Rows of the CSV that a command prints, by column. With arguments that a command has already, only these.
        func table(_ command: String, _ arguments: [String]) throws -> [[String: String]] {
            let result = try Poise.run([command] + arguments + ["--format", "csv"])
            #expect(result.status == 0, "\(command) \(arguments): \(result.errors)")
            return Self.table(result.output)
        }

        func standard(_ command: String, _ more: [String] = []) throws -> [[String: String]] {
            Self.table(try run(command, more + ["--format", "csv"]).output)
        }

        static func table(_ text: String) -> [[String: String]] {
            let rows = text.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
        }

        func object(_ command: String, _ more: [String] = []) throws -> [String: Any] {
            let text = try run(command, more + ["--format", "json"]).output
            return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        static func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

        /// Black-76 at rate 0.
        static func call(_ forward: Double, _ strike: Double, _ years: Double, _ volatility: Double) -> Double
        {
            let deviation = volatility * years.squareRoot()
            guard deviation > 0 else { return max(0, forward - strike) }
            let d1 = log(forward / strike) / deviation + deviation / 2
            return forward * normal(d1) - strike * normal(d1 - deviation)
        }
    }
}

extension String? {
    /// Whether this is a number within a relative error of `expected`.
    func near(_ expected: Double, _ tolerance: Double) -> Bool {
        guard let own = flatMap(Double.init) else { return false }
        return (own - expected).magnitude <= tolerance * max(expected.magnitude, 1)
    }
}
