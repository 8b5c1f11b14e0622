import Foundation
import PoiseCLI
import TestSupport
import Testing

/// Arguments whatever command they belong to: files, lists, numbers below 0, and options that would do nothing.
struct ArgumentTests {
    private static let chain = ["--chain", Poise.sampleChain]
    private static let books = chain + ["--positions", Poise.samplePositions]

    private static func example(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples/\(name)").path
    }
    private static let grid = example("grids/deribit-btc.json")
    private static let history = ["BTC", "ETH"].flatMap {
        ["--history", "\($0)=" + example("sample/\($0.lowercased())-1d.csv")]
    }

    // MARK: Lists

    @Test(
        "A list with an empty item is refused by the option that takes it",
        arguments: ["--by", "--columns", "--tenors", "--moneyness", "--levels"],
        ["", ",", "book,,underlying", "1,", ",2"])
    func emptyItems(_ option: String, _ list: String) throws {
        let command = option == "--levels" ? ["var"] + Self.books + Self.history : ["risk"] + Self.books
        let result = try Poise.run(command + [option, list])
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(result.errors.contains("\(option) \(list): expected items"), "\(result.errors)")
    }

    @Test("Levels that differ in their last digit have columns of different names")
    func levels() throws {
        let levels = ["0.5", "0.975", "0.9999999999999998", "0.9999999999999999"]
        let result = try Poise.run(
            ["var"] + Self.books + Self.history
                + ["--levels", levels.joined(separator: ","), "--format", "csv"])
        let names = try #require(result.rows.first).filter { $0.hasPrefix("var_") }
        #expect(
            names == [
                "var_50_usd", "var_97.5_usd", "var_99.99999999999998_usd", "var_99.99999999999999_usd",
            ])
    }

    // MARK: Numbers

    @Test("A number below 0 is the option's value, and refused by its rule where it has one")
    func negativeNumbers() throws {
        struct Help: Decodable {
            struct Name: Decodable { let kind, name: String }
            struct Argument: Decodable {
                let kind: String
                let names: [Name]?
                let valueName: String?
                let allValues: [String]?
            }
            struct Command: Decodable {
                let commandName: String
                let subcommands: [Command]?
                let arguments: [Argument]?
            }
            let command: Command
        }
        let help = try JSONDecoder().decode(
            Help.self, from: Data(try Poise.run(["--experimental-dump-help"]).output.utf8))
        // What is no number: files, names and lists of them.
        let others: Set = [
            "file", "file.toml", "coin=file", "target", "folder", "name", "names", "fields", "coin",
            "name=price",
        ]
        var count = 0
        for command in help.command.subcommands ?? [] {
            for argument in command.arguments ?? []
            where argument.kind == "option" && argument.allValues == nil
                && !others.contains(argument.valueName ?? "")
            {
                let option = "--" + (argument.names?.first { $0.kind == "long" }?.name ?? "")
                let result = try Poise.run([command.commandName, option, "-1"])
                #expect(
                    !result.errors.contains("Missing value"),
                    "\(command.commandName) \(option): \(result.errors)")
                count += 1
            }
        }
        #expect(count > 30)
        let age = try Poise.run(["surface"] + Self.chain + ["--max-age", "-5"])
        #expect(age.status == 2 && age.errors.contains("--max-age -5: must be at least 0"), "\(age.errors)")
    }

    @Test("Numbers that may be below 0 are taken as they are: a stickiness, a margin's buffer")
    func numbersBelowZero() throws {
        func deltas(_ value: [String]) throws -> [String] {
            let result = try Poise.run(
                ["greeks"] + Self.chain + [
                    "--surface", "own", "--format", "csv", "--columns", "moving_delta",
                ]
                    + value)
            #expect(result.status == 0, "\(result.errors)")
            return result.rows.dropFirst().map { $0[0] }
        }
        let apart = try deltas(["--stickiness", "-1"])
        try #expect(apart == deltas(["--stickiness=-1"]) && apart != deltas(["--stickiness", "1"]))
        let margin = try Poise.run(
            ["margin"] + Self.books + [
                "--underlying", "BTC", "--account", Self.example("margin/account-btc.toml"), "--model",
                Self.example("margin/deribit-pm-btc.json"), "--format", "csv", "--buffer", "-5",
            ])
        #expect(margin.status == 0 && margin.output.contains(",buffer,met,,,-5.0,"), "\(margin.errors)")
    }

    // MARK: Files

    @Test(
        "A file without a name is refused by its option",
        arguments: ["--chain", "--positions", "--desks", "--limits", "--output"])
    func filesWithoutName(_ option: String) throws {
        // An option of one file that had two would be refused for that.
        let others = option == "--positions" ? Self.chain : Self.books
        let result = try Poise.run(["risk"] + others + [option, ""])
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(result.errors.contains("\(option): the name of a file is missing"), "\(result.errors)")
    }

    @Test("Standard input is one of a command's files only, whichever options name them")
    func standardInput() throws {
        let account = Self.example("margin/account-btc.toml")
        for (arguments, names) in [
            (["risk"] + Self.chain + ["--positions", "-", "--desks", "-"], "--positions and --desks"),
            (["risk", "--chain", "-", "--positions=-"], "--chain and --positions"),
            (["risk", "--chain", "-", "--chain", "-", "--positions", "x"], "--chain and --chain"),
            (
                ["var"] + Self.chain + ["--positions", "-", "--history", "BTC=-"],
                "--positions and --history"
            ),
            (["scenarios"] + Self.books + ["--grid", "-", "--betas", "-"], "--grid and --betas"),
            (
                ["margin"] + Self.books + ["--account", account, "--model", "-", "--candidates", "-"],
                "--model and --candidates"
            ),
            (["hedge", "--limits", "-", "--fees", "-"] + Self.books, "--limits and --fees"),
        ] {
            let result = try Poise.run(arguments)
            #expect(result.status == 2 && result.output.isEmpty)
            #expect(
                result.errors.contains("\(names): standard input can be one of the files only"),
                "\(result.errors)")
        }
        // What is written to standard output is no second one.
        let positions = try String(contentsOfFile: Poise.samplePositions, encoding: .utf8)
        let one = try Poise.run(
            ["risk"] + Self.chain + ["--positions", "-", "--output", "-"], input: positions)
        #expect(one.status == 0 && one.output.contains("book-01"), "\(one.errors)")
    }

    @Test("An account on standard input counts in the hedges of all books")
    func accountOfSeveralBooks() throws {
        try Poise.inFolder { folder in
            let limits = folder.appendingPathComponent("limits.csv")
            try Data(
                "book,underlying,greek,low,high\nbook-01,BTC,delta,-1,1\nbook-02,BTC,delta,-1e7,1e7\n".utf8
            ).write(to: limits)
            let account = Self.example("margin/account-btc.toml")
            func hedge(_ file: String, _ input: String = "") throws -> [String] {
                let result = try Poise.run(
                    ["hedge"] + Self.books + [
                        "--limits", limits.path, "--margin", Self.example("margin/deribit-pm-btc.json"),
                        "--margin-underlying", "BTC", "--account", file, "--format", "csv",
                    ], input: input)
                #expect(result.status == 0, "\(result.errors)")
                return result.rows.map { $0.joined(separator: ",") }
            }
            let rows = try hedge(account)
            #expect(rows.count > 1)
            try #expect(hedge("-", String(contentsOfFile: account, encoding: .utf8)) == rows)
        }
    }

    @Test(
        "Two outputs that are one file by different names are refused before the work, and nothing is written"
    )
    func onePlaceByTwoNames() throws {
        try Poise.inFolder { folder in
            let path = folder.path
            try FileManager.default.createDirectory(
                atPath: path + "/sub", withIntermediateDirectories: false)
            let simulation = [
                "simulate", "--config", Self.example("simulate/calm.toml"), "--paths", "8",
            ]
            for arguments in [
                ["scenarios"] + Self.books + [
                    "--grid", Self.grid, "--output", path + "/a", "--svg", path + "/./a",
                ],
                ["scenarios"] + Self.books
                    + ["--grid", Self.grid, "--output", path + "/a", "--svg", path + "/sub/../a"],
                simulation + ["--resume", path + "/a", "--output", path + "/sub/../a"],
                simulation + ["--resume", path + "/a", "--report", path + "/a"],
            ] {
                let result = try Poise.run(arguments)
                #expect(result.status == 1 && result.errors.contains("two outputs have this place"))
                #expect(result.output.isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["sub"])
            }
            let shown = try Poise.run(simulation + ["--resume", "-"])
            #expect(shown.status == 2 && shown.output.isEmpty)
            #expect(shown.errors.contains("--resume -: figures are kept in a file"))
        }
    }

    @Test("Help that cannot be written is an error", arguments: ["--help", "--version", "risk --help"])
    func lostHelp(_ words: String) throws {
        let process = Process()
        process.executableURL = Poise.executable
        process.arguments = words.split(separator: " ").map(String.init)
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
    }

    // MARK: Without effect

    @Test("An option that would do nothing is refused by its name")
    func withoutEffect() throws {
        for (arguments, name) in [
            (["hedge", "--margin-cases", "x", "--lots"], "--lots"),
            (["hedge", "--margin-cases", "x", "--cash", "1"], "--cash"),
            (["hedge", "--margin-cases", "x", "--horizon", "2"], "--horizon"),
            (["hedge", "--margin-cases", "x", "--book", "b"], "--book"),
            (["hedge", "--margin-cases", "x", "--skip-bad-rows"], "--skip-bad-rows"),
            (["hedge", "--problem", "x", "--book", "b"], "--book"),
            (["margin", "--cases", "x", "--within", "0.5,2"], "--within"),
            (["margin", "--cases", "x", "--ahead", "3"], "--ahead"),
            (["margin", "--cases", "x", "--book", "b"], "--book"),
            (["scenarios", "--options", "x", "--grid", "y", "--book", "b"], "--book"),
            (["bench", "throughput", "--ticks", "5"], "--ticks"),
            (["risk"] + Self.books + ["--book", ""], "--book"),
        ] {
            let result = try Poise.run(arguments)
            #expect(
                result.status == 2 && result.output.isEmpty && result.errors.contains(name), "\(arguments)")
            #expect(!result.errors.contains("Unknown option"), "\(result.errors)")
        }
    }

    // MARK: Charts

    @Test("An axis of values that are one but for the last digit has ticks, and texts for them")
    func axisOfOneValue() {
        for value in [1.0, 123_456.789, -1e12, 1e300, 0, 1e-310] {
            let scale = ChartScale(value...value.nextUp, to: (0, 100))
            let ticks = scale.ticks(5)
            #expect(ticks.count > 1 && Set(ticks).count == ticks.count, "\(value): \(ticks)")
            #expect(Set(ticks.map { scale.text($0, ticks) }).count > 1, "\(value)")
            #expect(scale.range.lowerBound < value && scale.range.upperBound > value)
        }
    }

    @Test("A Greek that overflows is an error that names the line of its option")
    func overflowOfOneOption() throws {
        let table = """
            type,spot,strike,years,vol,rate,dividend
            C,100,100,1,0.2,0,0
            P,1e-75,1e75,1,1,0,0

            """
        let result = try Poise.run(["greeks", "--options", "-", "--coin"], input: table)
        #expect(result.status == 1 && result.output.isEmpty)
        #expect(
            result.errors.contains("standard input:3: coin_") && result.errors.contains("too large"),
            "\(result.errors)")
    }
}
