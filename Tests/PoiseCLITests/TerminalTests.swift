import Foundation
import TestSupport
import Testing

/// What a person at a terminal meets: tables that fit, long ones paged, words that were mistyped, examples in the help.
struct TerminalTests {
    static let script = "/usr/bin/script"

    /// What a terminal of that size shows of a command.
    static func shown(
        _ arguments: [String], columns: Int, lines: Int = 1000, environment: [String: String] = [:]
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: script)
        let words = ([Poise.executable.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        process.arguments = ["-qec", "stty cols \(columns) rows \(lines); \(words)", "/dev/null"]
        process.environment = ProcessInfo.processInfo.environment
            .merging(["TERM": "xterm", "NO_COLOR": "1", "SHELL": "/bin/sh", "PAGER": "cat"]) { $1 }
            .merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\r", with: "")
    }

    private static let risk = ["risk", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions]

    @Test(
        "A table fits the terminal, and says what is left out",
        .enabled(if: FileManager.default.isExecutableFile(atPath: script)), arguments: [40, 80, 110])
    func width(_ columns: Int) throws {
        let text = try Self.shown(Self.risk, columns: columns)
        let whole = try Poise.run(Self.risk).output
        let rows = text.split(separator: "\n").prefix { !$0.hasPrefix("not shown") }
        #expect(rows.count > 20 && rows.allSatisfy { $0.count <= columns }, "\(text)")
        let note = try #require(text.split(separator: "\n").first { $0.hasPrefix("not shown") })
        #expect(note.contains("charm_usd_per_day") && note.contains("--columns all"))
        #expect(whole.split(separator: "\n")[0].count > 110)
        // A row begins as the whole one does.
        let first = try #require(whole.split(separator: "\n").first { $0.hasPrefix("book-01") })
        let short = try #require(rows.first { $0.hasPrefix("book-01") })
        #expect(first.hasPrefix(short))
        let all = try Self.shown(Self.risk + ["--columns", "all"], columns: columns)
        #expect(!all.contains("not shown") && all.contains(first))
        let named = try Self.shown(
            Self.risk + ["--columns", "book,charm_usd_per_day"], columns: columns)
        #expect(named.contains("charm") && !named.contains("gamma"))
    }

    @Test(
        "A table longer than the terminal goes through the pager, a shorter one does not",
        .enabled(if: FileManager.default.isExecutableFile(atPath: script)))
    func pager() throws {
        let pager = ["PAGER": "sed s/^/paged:/"]
        let long = try Self.shown(Self.risk, columns: 200, lines: 10, environment: pager)
        #expect(long.contains("paged:book-01") && long.contains("paged:total"))
        let short = try Self.shown(Self.risk, columns: 200, lines: 100, environment: pager)
        #expect(short.contains("book-01") && !short.contains("paged:"))
        let none = try Self.shown(Self.risk, columns: 200, lines: 10, environment: ["PAGER": "no-such-pager"])
        #expect(none.contains("book-01"))
    }

    @Test(
        "A mistyped word is named with what was meant, whatever else is missing",
        arguments: [
            (["rsk"], "There is no command 'rsk'. Did you mean 'risk'?"),
            (["hegde", "--limits", "x"], "There is no command 'hegde'. Did you mean 'hedge'?"),
            (["explain", "--postions", "x"], "Did you mean '--positions'?"),
            (["explain", "--form", "a"], "Did you mean '--from'?"),
            (["var", "--chian", "x", "--levels", "0.9"], "Did you mean '--chain'?"),
            (["simulate", "--pahts=8"], "Did you mean '--paths'?"),
            (["scenarios", "--nothing-like-it", "x"], "'--nothing-like-it'"),
        ])
    func suggestions(_ arguments: [String], _ words: String) throws {
        let result = try Poise.run(arguments)
        #expect(result.status == 2 && result.errors.contains(words), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test("What is spelled right is not corrected")
    func silence() throws {
        let result = try Poise.run(["explain", "--positions", "x"])
        #expect(result.status == 2 && !result.errors.contains("There is no"))
    }

    @Test(
        "Examples in a command's help run as they stand",
        arguments: [
            "greeks", "risk", "scenarios", "surface", "var", "margin", "hedge", "simulate", "iv", "explain",
        ])
    func examples(_ command: String) throws {
        let help = try Poise.run([command, "--help"], environment: ["COLUMNS": "1000"]).output
        let end = try #require(help.range(of: "EXAMPLES:"))
        let lines = help[end.upperBound...].split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        .prefix { !$0.hasPrefix("USAGE") }.filter { $0.hasPrefix("poise ") }
        #expect(!lines.isEmpty, "\(help)")
        let root = SharedData.packageRoot.path + "/"
        for line in lines {
            let words = line.split(separator: " ").dropFirst().map {
                $0.replacingOccurrences(of: "Examples/", with: root + "Examples/")
            }
            // Files of one's own are only named.
            guard words.contains(where: { $0.contains("/Examples/") }), !words.contains("--output"),
                !words.contains("--report")
            else { continue }
            let result = try Poise.run(words)
            #expect(result.status == 0, "\(line): \(result.errors)")
        }
    }
}
