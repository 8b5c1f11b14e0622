import Foundation
import TestSupport
import Testing

/// What long runs tell on their way: a person at a terminal, and a host in numbers.
struct ProgressTests {
    /// A folder with the sample's chain as often as `names` says, and what `body` makes of it.
    private static func withHistory(_ names: [String], _ body: (URL) throws -> Void) throws {
        try Poise.inFolder { folder in
            let chain = try Data(contentsOf: URL(fileURLWithPath: Poise.sampleChain))
            for name in names { try chain.write(to: folder.appendingPathComponent(name)) }
            try body(folder)
        }
    }

    /// The last line a host gets of a command.
    private static func last(_ arguments: [String]) throws -> String? {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent("progress").path
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments =
                ["-c", "exec 7>'\(file)'; POISE_PROGRESS=7 exec \"$0\" \"$@\""]
                + [Poise.executable.path] + arguments
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").last.map(
                String.init)
        }
    }

    @Test("A host gets the numbers of each run that tells its progress, up to the last")
    func host() throws {
        let grid = ["--grid", ScenariosCommandTests.example("desk"), "--format", "csv"]
        let chain = ["scenarios", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
        #expect(try Self.last(chain + grid) == "335 335 contracts revalued")
        try Self.withHistory(["a.csv", "b.csv"]) { folder in
            let last = try Self.last(["surface", "--history", folder.path])
            #expect(last == "2 2 chains fitted")
        }
        try Poise.inFolder { folder in
            let path = folder.appendingPathComponent("options.csv").path
            try "book,quantity,type,spot,strike,years,vol,rate,dividend\n"
                .appending("a,1,C,100,90,0.5,0.6,0,0\na,2,P,100,95,0.5,0.6,0,0\n")
                .write(toFile: path, atomically: true, encoding: .utf8)
            let last = try Self.last([
                "scenarios", "--options", path, "--grid", ScenariosCommandTests.example("deribit-btc"),
            ])
            #expect(last == "2 2 legs revalued")
        }
        let settings = SharedData.packageRoot.appendingPathComponent("Examples/simulate/calm.toml").path
        #expect(try Self.last(["simulate", "--config", settings, "--paths", "24"]) == "24 24 paths")
    }

    /// The second chain of three comes only after the time from which a terminal shows progress.
    @Test(
        "The line of progress is gone before what a run prints or why it ended",
        .enabled(if: FileManager.default.isExecutableFile(atPath: TerminalTests.script)),
        arguments: [true, false])
    func line(_ isWhole: Bool) throws {
        try Self.withHistory(["a.csv", "c.csv"]) { folder in
            let slow = folder.appendingPathComponent("b.csv").path
            try #require(mkfifo(slow, 0o600) == 0)
            let end = folder.appendingPathComponent("c.csv")
            if !isWhole { try Data("instrument_name,timestamp\nx,y\n".utf8).write(to: end) }
            Thread.detachNewThread {
                let writer = FileHandle(forWritingAtPath: slow)
                usleep(700_000)
                try? writer?.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: Poise.sampleChain)))
                try? writer?.close()
            }
            let shown = try TerminalTests.shown(["surface", "--history", folder.path], columns: 200)
            let bar = try #require(shown.range(of: "2 of 3 chains fitted"), "\(shown)")
            // Two thirds of forty.
            let filled = String(repeating: "━", count: 26) + String(repeating: "╌", count: 14) + " "
            #expect(shown[..<bar.lowerBound].hasSuffix(filled), "\(shown)")
            let rest = shown[bar.upperBound...]
            let cleared = try #require(rest.range(of: "\u{1B}[K\u{1B}[K", options: .backwards), "\(shown)")
            #expect(!rest[cleared.upperBound...].contains("fitted"))
            #expect(rest[cleared.upperBound...].hasPrefix(isWhole ? "underlying" : "poise: "), "\(shown)")
        }
    }
}
