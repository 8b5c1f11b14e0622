import Foundation
import TestSupport
import Testing

/// Outputs under attack: numbers that overflow, descriptors that are closed, files that are no regular ones.
struct OutputTests {
    private static let option = "type,spot,strike,years,vol,rate,dividend\nC,100,105,0.5,0.25,0.03,0.01\n"

    private static func write(_ text: String, _ file: URL) throws { try Data(text.utf8).write(to: file) }

    /// Runs a line of the shell in which `$POISE` is the tool, in a folder with `good.csv` and `bad.csv`.
    private static func shell(_ line: String, _ folder: URL) throws -> (status: Int32, output: String) {
        try write(option, folder.appendingPathComponent("good.csv"))
        try write(option + "C,100,105,0.5,-1,0.03,0.01\n", folder.appendingPathComponent("bad.csv"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = folder
        process.environment = ["POISE": Poise.executable.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let status =
            process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return (status, String(decoding: output, as: UTF8.self))
    }

    private static func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    // MARK: Totals

    @Test("Rows of CSV add up to the totals, which are no rows of it, whatever a book is called")
    func totals() throws {
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            try Self.write(
                "book,instrument,quantity\ntotal,BTC-27MAR26-60000-C,1\na,BTC-27MAR26-60000-C,2\n", positions)
            let arguments = [
                "risk", "--chain", Poise.sampleChain, "--positions", positions.path, "--by", "book",
            ]
            let rows = try Poise.run(arguments + ["--format", "csv"]).rows
            #expect(rows.map { $0[0] } == ["book", "a", "total"])
            let totals = try Poise.run(arguments + ["--format", "csv", "--totals"]).rows
            try #require(totals.map { $0[0] } == ["book", "total"])
            for column in 1..<rows[0].count {
                let sum = rows.dropFirst().reduce(0) { $0 + (Double($1[column]) ?? .nan) }
                let total = Double(totals[1][column]) ?? .nan
                #expect(abs(sum - total) <= 1e-12 * abs(total), "\(rows[0][column])")
            }
            #expect(try Poise.run(arguments + ["--totals"]).status == 2)
        }
    }

    // MARK: Infinities

    @Test(
        "A position whose figures overflow is an error that names it, in every format",
        arguments: ["risk", "scenarios", "explain"], ["table", "csv", "json"])
    func overflow(_ command: String, _ format: String) throws {
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            try Self.write(
                "book,instrument,quantity\na,BTC-27MAR26-60000-C,2\nb,BTC-27MAR26-60000-C,1e308\n", positions)
            let grid = ScenariosCommandTests.example("desk")
            let map = folder.appendingPathComponent("map.svg").path
            let chain = Poise.sampleChain
            // A day later the price has moved.
            let later = folder.appendingPathComponent("later.json").path
            try Self.write(
                """
                {"instrument_name": "BTC-27MAR26-60000-C", "timestamp": 1772530200000, "underlying_price": 70000, \
                "mark_iv": 50, "index_price": 70000}
                """, URL(fileURLWithPath: later))
            let more = [
                "risk": ["--chain", chain], "explain": ["--from", chain, "--to", later],
                "scenarios": ["--chain", chain, "--grid", grid, "--svg", map],
            ]
            let result = try Poise.run(
                [command, "--positions", positions.path, "--format", format] + (more[command] ?? []))
            #expect(result.status == 1 && result.output.isEmpty, "\(result.status) \(result.output)")
            for part in [
                "positions.csv:3: column \"quantity\"", "book \"b\", BTC-27MAR26-60000-C", "usd",
                "too large",
            ] { #expect(result.errors.contains(part), "\(part): \(result.errors)") }
            #expect(try Self.names(folder) == ["later.json", "positions.csv"])
        }
    }

    @Test("A table of legs whose sums overflow is an error, in every format")
    func overflowOfLegs() throws {
        let legs = "type,spot,strike,years,vol,rate,dividend,quantity\nC,100,100,1,0.2,0,0,1e308\n"
        for format in ["table", "csv", "json"] {
            let result = try Poise.run(
                [
                    "scenarios", "--options", "-", "--grid", ScenariosCommandTests.example("deribit-btc"),
                    "--format", format,
                ], input: legs)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(result.errors.contains(":2: column \"quantity\": value \"1e+308\""), "\(result.errors)")
        }
    }

    @Test("A spot of 0 has no values in coin: it is bad input, and can be skipped")
    func coinOfSpotZero() throws {
        let table = Self.option + "C,0,105,0.5,0.25,0.03,0.01\n"
        let arguments = ["greeks", "--options", "-", "--coin", "--format", "csv"]
        let refused = try Poise.run(arguments, input: table)
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(refused.errors.contains(":3: column \"spot\": value \"0\""), "\(refused.errors)")
        let skipped = try Poise.run(arguments + ["--skip-bad-rows"], input: table)
        #expect(skipped.status == 0 && skipped.rows.count == 2)
        #expect(!skipped.output.contains("inf") && !skipped.output.contains("nan"))
    }

    @Test("A table of which every row is left out is an error, not an empty answer")
    func nothingLeft() throws {
        try Poise.inFolder { folder in
            let limits = folder.appendingPathComponent("limits.csv")
            try Self.write("underlying,greek,low,high\nBTC,velta,-1,1\n", limits)
            let result = try Poise.run([
                "hedge", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--limits",
                limits.path, "--skip-bad-rows", "--format", "json",
            ])
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(result.errors.contains("no row can be used") && result.errors.contains("velta"))
        }
        let bad = "type,spot,strike,years,vol,rate,dividend\nC,100,105,0.5,-1,0.03,0.01\n"
        let greeks = try Poise.run(["greeks", "--options", "-", "--skip-bad-rows"], input: bad)
        #expect(greeks.status == 1 && greeks.output.isEmpty && greeks.errors.contains(":2: column \"vol\""))
    }

    // MARK: Standard error

    @Test(
        "Standard error that is closed, full or without a reader changes no exit status and no output",
        arguments: ["2>&-", "2>/dev/full", "2>pipe"])
    func standardError(_ redirection: String) throws {
        try Poise.inFolder { folder in
            // A pipe whose reader has gone.
            let pipe = redirection == "2>pipe"
            let redirection = pipe ? "2>&9" : redirection
            let before = pipe ? "mkfifo p; (exec <p) & exec 9>p; wait; " : ""
            let bad = try Self.shell(
                before + "\"$POISE\" greeks --options bad.csv --output o.csv \(redirection)", folder)
            #expect(bad.status == 1)
            let left = try Self.names(folder)
            #expect(!left.contains("o.csv"))
            try? FileManager.default.removeItem(at: folder.appendingPathComponent("p"))
            let skipped = try Self.shell(
                before
                    + "\"$POISE\" greeks --options bad.csv --skip-bad-rows --format csv --output o.csv \(redirection)",
                folder)
            #expect(skipped.status == 0)
            let text = try String(contentsOf: folder.appendingPathComponent("o.csv"), encoding: .utf8)
            #expect(text.split(separator: "\n").count == 2 && !text.contains("skipped"))
        }
    }

    @Test("Standard output that is closed or full is a failure")
    func standardOutput() throws {
        try Poise.inFolder { folder in
            for redirection in [">&-", ">/dev/full"] {
                let run = try Self.shell("\"$POISE\" greeks --options good.csv \(redirection)", folder)
                #expect(run.status == 1, "\(redirection)")
            }
        }
    }

    // MARK: What an output is written to

    @Test("A regular file is replaced as a whole and keeps its mode")
    func mode() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("o.csv").path
            for mode in [0o640, 0o600, 0o664] {
                try Self.write("old", URL(fileURLWithPath: file))
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                let before = try FileManager.default.attributesOfItem(atPath: file)
                let run = try Self.shell(
                    "\"$POISE\" greeks --options good.csv --format csv --output o.csv", folder)
                #expect(run.status == 0)
                let after = try FileManager.default.attributesOfItem(atPath: file)
                #expect(after[.posixPermissions] as? Int == mode)
                #expect(after[.systemFileNumber] as? Int != before[.systemFileNumber] as? Int)
                #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("type,spot"))
            }
        }
    }

    @Test("Links, pipes, devices and descriptors are written, not replaced")
    func inPlace() throws {
        try Poise.inFolder { folder in
            let run = "\"$POISE\" greeks --options good.csv --format csv --output"
            let link = try Self.shell(
                "mkdir d; echo old >d/target; ln -s d/target l; ln -s new dangling; \(run) l && \(run) dangling "
                    + "&& test -L l && test -L dangling && cat d/target new | grep -c ^C,100", folder)
            #expect(link.status == 0 && link.output == "2\n")
            let pipe = try Self.shell(
                "mkfifo f; (cat f >got) & \(run) f; wait; test -p f && grep -c ^C,100 got", folder)
            #expect(pipe.status == 0 && pipe.output == "1\n")
            let device = try Self.shell("\(run) /dev/null && test -c /dev/null", folder)
            #expect(device.status == 0)
            let descriptor = try Self.shell(
                "(echo before; \(run) /dev/stdout; echo after) >all; grep -c . all", folder)
            #expect(descriptor.status == 0 && descriptor.output == "4\n")
            let left = try Self.names(folder)
            #expect(left.allSatisfy { !$0.contains("partial") })
        }
    }

    @Test("Left-over partial files block nothing, and signals leave none")
    func partialFiles() throws {
        try Poise.inFolder { folder in
            for process in 1...3 {
                try Self.write("", folder.appendingPathComponent("o.csv.partial-\(process)"))
            }
            let run = try Self.shell(
                "rm -f o.csv; sh -c 'exec \"$POISE\" greeks --options good.csv --output o.csv' && test -s o.csv "
                    + "&& rm o.csv o.csv.partial-*", folder)
            #expect(run.status == 0)
            // The input never comes: the output has been opened by then. A shell without job control has its
            // children ignore INT, unless they are told not to.
            for signal in ["INT", "TERM", "HUP"] {
                let killed = try Self.shell(
                    """
                    mkfifo in; sleep 60 >in & sleeper=$!
                    env --default-signal "$POISE" greeks --options in --output o.csv & poise=$!
                    for try in $(seq 300); do ls | grep -q partial && break; sleep 0.05; done
                    ls | grep -c partial
                    kill -\(signal) $poise; wait $poise; status=$?
                    kill $sleeper; rm in; ls | grep -c partial; exit $status
                    """, folder)
                #expect(killed.status > 128 && killed.output == "1\n0\n", "\(signal): \(killed)")
            }
        }
    }

    @Test("An output that cannot be written is found before the work, and no other is left behind")
    func unwritable() throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("map.svg").path
            let missing = folder.appendingPathComponent("none/o.csv").path
            let early = try Poise.run(["greeks", "--options", "no-such-input", "--output", missing])
            #expect(early.status == 1 && early.errors.contains("none/o.csv: cannot write"))
            for bad in [missing, "/dev/full", folder.path] {
                let result = try ScenariosCommandTests.scenarios(["--svg", file, "--output", bad])
                #expect(result.status == 1 && result.errors.contains("\(bad): cannot write"))
                let hedge = try Poise.run(
                    HedgeCommandTests.sampleArguments + ["--save-problem", file, "--output", bad])
                #expect(hedge.status == 1)
                #expect(try Self.names(folder).isEmpty)
            }
            let twice = try ScenariosCommandTests.scenarios(["--svg", file, "--output", file])
            #expect(twice.status == 1 && twice.errors.contains("two outputs"))
        }
    }

    // MARK: Names

    @Test("Each problem has a member of its own, whatever problems are called")
    func distinctNames() throws {
        func problem(_ name: String) -> String {
            """
            {"name": "\(name)", "underlyings": ["u"], "instruments": [{"id": "i", "u": 0, "costBuy": 1, \
            "costSell": 1, "maxBuy": 10, "maxSell": 10}], "bands": [{"label": "b", "idx": [0], "coef": [1], \
            "current": 5, "lo": -1, "hi": 1}]}
            """
        }
        let problems = ["a", "a", "a#2", "a", "a#2"].map(problem).joined(separator: ", ")
        let result = try Poise.run(
            ["hedge", "--problem", "-", "--format", "json"], input: "[\(problems)]")
        #expect(result.status == 0, "\(result.errors)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object.count == 5 && Set(object.keys).isSuperset(of: ["a", "a#2", "a#3", "a#2#2"]))
    }

    @Test("Control characters of names never reach people, and programs get them escaped")
    func controlCharacters() throws {
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            let name = "x\u{1B}[31m\u{9B}2J\u{202E}y"
            try Self.write("book,instrument,quantity\n\(name),BTC-27MAR26-60000-C,1\n", positions)
            func run(_ format: String) throws -> String {
                try Poise.run([
                    "risk", "--chain", Poise.sampleChain, "--positions", positions.path, "--by", "book",
                    "--format", format,
                ]).output
            }
            let table = try run("table")
            #expect(table.contains("x\\u{1b}[31m\\u{9b}2J\\u{202e}y"))
            #expect(!table.unicodeScalars.contains { [0x1B, 0x9B, 0x202E].contains($0.value) })
            let json = try run("json")
            #expect(!json.unicodeScalars.contains { [0x1B, 0x9B].contains($0.value) })
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect((report["rows"] as? [[String: Any]])?.first?["book"] as? String == name)
            try Self.write("book,instrument,quantity\n\(name),\u{1B}[2J,1\n", positions)
            let bad = try Poise.run(["risk", "--chain", Poise.sampleChain, "--positions", positions.path])
            #expect(bad.status == 1 && !bad.errors.contains("\u{1B}"))
        }
    }

    @Test("Books that differ in Unicode form alone are one book, in positions, desks and limits")
    func unicodeForms() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        try Poise.inFolder { folder in
            let positions = folder.appendingPathComponent("positions.csv")
            let desks = folder.appendingPathComponent("desks.csv")
            let limits = folder.appendingPathComponent("limits.csv")
            try Self.write(
                "book,instrument,quantity\n\(composed),BTC-27MAR26-60000-C,1\n\(decomposed),BTC-27MAR26-60000-C,2\n",
                positions)
            try Self.write("book,desk\n\(decomposed),east\n", desks)
            try Self.write("book,underlying,greek,low,high\n\(decomposed),BTC,delta,-1,1\n", limits)
            let books = ["--chain", Poise.sampleChain, "--positions", positions.path]
            let risk = try Poise.run(
                ["risk", "--by", "desk,book", "--desks", desks.path, "--format", "csv"] + books)
            #expect(risk.rows.count == 2 && risk.rows[1][0] == "east" && risk.rows[1][1] == composed)
            let hedge = try Poise.run(
                ["hedge", "--limits", limits.path, "--format", "json"] + books)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(hedge.output.utf8)) as? [String: Any])
            let answer = try #require(object.values.first as? [String: Any])
            let before = try #require((answer["bands"] as? [[String: Any]])?.first?["before"] as? Double)
            #expect(abs(before - (Double(risk.rows[1][3]) ?? .nan)) <= 1e-9 * abs(before))
        }
    }
}
