import ArgumentParser
import Checks
import Foundation

/// Hands over to `scripts/bench`: benchmarks are a package of their own, so that neither the tool nor those who
/// embed the library carry what they need.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: Greeks per second, ticks, hedges.",
        discussion: """
            Builds the programs of Benchmarks/ on first use, so it works from a checkout only. \
            scripts/bench-peers measures other libraries in the same run.
            """ + HelpExamples.of("bench"))

    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case throughput, latency, hedge, lots, iv, scenarios
        case tickToHedge = "tick-to-hedge"
    }

    @Argument(help: "throughput, latency, tick-to-hedge, hedge, lots, iv or scenarios.")
    var subject = Subject.throughput

    @Option(parsing: .unconditional, help: "How many ticks latency and tick-to-hedge measure (100000).")
    var ticks: Int?

    private var hasTicks: Bool { subject == .latency || subject == .tickToHedge }

    func validate() throws {
        try NumberRule.within(1...999_999_999).require("--ticks", ticks)
        if ticks != nil, !hasTicks { throw ValidationError("--ticks goes with latency and tick-to-hedge") }
    }

    func run() throws {
        guard let script = Self.script() else {
            throw BenchError(executable: CommandLine.arguments[0], reason: BenchError.elsewhere)
        }
        let words = [script.path, subject.rawValue] + (hasTicks ? ["\(ticks ?? 100_000)"] : [])
        // The script takes this process's place: signals and the exit status are its own.
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        unsafe execv(script.path, &arguments)
        throw BenchError(executable: script.path, reason: unsafe String(cString: strerror(errno)))
    }

    /// Of the checkout whose sources this executable was built from, and in whose `.build` it still is: no other
    /// script is ever run, wherever the tool has been copied to.
    private static func script() -> URL? {
        let checkout = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        guard let executable = Bundle.main.executableURL?.resolvingSymlinksInPath(),
            executable.path.hasPrefix(checkout.path + "/.build/")
        else { return nil }
        let script = checkout.appendingPathComponent("scripts/bench")
        return FileManager.default.isExecutableFile(atPath: script.path) ? script : nil
    }
}

/// The benchmarks are not where the tool is.
struct BenchError: PoiseError {
    let executable: String
    let reason: String
    var place: Place? { .name("bench: \(executable)") }

    static let elsewhere =
        "is not in the checkout that it was built from; run scripts/bench in a checkout of Poise"
}
