import Foundation
import TestSupport

/// The built command-line tool, run as a user runs it.
enum Poise {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// The lines of comma-separated output, header first.
        var rows: [[String]] {
            output.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        }
    }

    /// Beside the tests' own executable.
    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("poise")

    static let sample = SharedData.packageRoot.appendingPathComponent("Examples/sample")
    static let sampleChain = sample.appendingPathComponent("chain.csv").path
    static let samplePositions = sample.appendingPathComponent("positions.csv").path

    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
        -> Result
    {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poise-run-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files rather than pipes: nothing blocks, however much is written.
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try Data(input.utf8).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try String(contentsOf: files[1], encoding: .utf8),
            errors: try String(contentsOf: files[2], encoding: .utf8))
    }

    /// The same of a command about groups; where the output is comma-separated, with the totals behind the rows.
    static func runWithTotals(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let result = try run(arguments, environment: environment)
        guard result.status == 0, arguments.contains("csv") else { return result }
        let totals = try run(arguments + ["--totals"], environment: environment)
        guard let end = totals.output.firstIndex(of: "\n") else { return totals }
        return Result(
            status: totals.status, output: result.output + totals.output[totals.output.index(after: end)...],
            errors: result.errors)
    }

    /// A folder that lasts as long as `body`.
    static func inFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poise-test-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
