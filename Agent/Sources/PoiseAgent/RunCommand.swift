import ArgumentParser
import Desk
import Foundation
import Journal
import Live
import VenueProtocol

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keeps the books of an account within their limits, on a venue, until it is told to stop.",
        discussion: """
            Keys come from POISE_CLIENT_ID and POISE_CLIENT_SECRET, or from the file that the configuration names, which only \
            its owner may be able to read. Ctrl-C and SIGTERM take back everything that is open, and end it.
            """)

    @Option(help: "The configuration (TOML or JSON): venue, journal, books, limits, guards.")
    var config: String

    @Flag(help: "Everything but sending.")
    var dryRun = false

    @Flag(help: "Fill orders against the venue's live books, on an account that is not there.")
    var paper = false

    @OptionGroup var ending: EndingOption

    @Flag(help: "Print what goes wrong alone.")
    var quiet = false

    @Flag(help: "Read the configuration, say what is wrong with it, and end.")
    var check = false

    func run() async throws {
        guard !(dryRun && paper) else { throw ValidationError("--dry-run or --paper, not both") }
        let settings = try AgentConfiguration(path: config)
        var options = AgentProcess.Options()
        options.mode = paper ? .paper : dryRun ? .dry : .live
        options.version = agentVersion
        options.credentials = try settings.credentials(environment: ProcessInfo.processInfo.environment)
        guard !check else {
            return print("\(config): \(settings.desk.limits.count) limits, \(settings.venue.url)")
        }
        let isQuiet = quiet
        options.said = { report in
            if !isQuiet || report.kind.isTrouble { Terminal.say(Terminal.report(report)) }
        }
        let agent = try await AgentProcess.start(settings, options)
        if let port = agent.controlPort {
            Terminal.say("page       http://127.0.0.1:\(port)/ (its token: \(settings.journal.file).token)")
        }
        try AgentSession.report(try await AgentSession(agent, seconds: ending.seconds).wait())
    }
}

/// A running agent until a person, or a time, ends it.
struct AgentSession {
    let agent: AgentProcess
    let seconds: Double?

    init(_ agent: AgentProcess, seconds: Double?) { (self.agent, self.seconds) = (agent, seconds) }

    func wait() async throws -> AgentProcess.Ending {
        let agent = agent
        let interrupts = Interrupts { agent.stop() }
        defer { interrupts.cancel() }
        let timer = seconds.map { seconds in
            Task {
                try await Task.sleep(for: .seconds(seconds))
                agent.stop()
            }
        }
        defer { timer?.cancel() }
        return try await agent.wait()
    }

    /// - Throws: status 1 where something is open or differs.
    static func report(_ ending: AgentProcess.Ending) throws {
        let counters = ending.view.counters
        Terminal.say(
            "ended: \(counters.sent) orders, \(counters.fills) fills, "
                + (ending.hasNothingOpen
                    ? "the venue lists no open order" : "THE VENUE HAS NOT SAID THAT NOTHING IS OPEN")
                + ", \(ending.differences.count) positions differ")
        for (name, books, venue) in ending.differences {
            Terminal.say("  \(name): the books hold \(books), the venue says \(venue)")
        }
        guard ending.hasNothingOpen, ending.differences.isEmpty else { throw ExitCode(1) }
    }
}

extension DeskReport.Kind {
    /// Whether somebody should look.
    var isTrouble: Bool {
        switch self {
        case .notReady, .guarded, .refused, .unknown, .alarm, .unhedged, .mismatch, .kill, .foreign: true
        case .ready, .decision, .plan, .order, .fill, .done, .resolved, .delivered: false
        }
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "A dead man's switch: cancels all orders of the account when the agent's heartbeat stops.",
        discussion: """
            A process of its own, with a connection and, best, keys of its own. It also leaves the agent a word that keeps it from \
            trading on when it wakes up: only a person releases that.
            """)

    @Option(help: "The agent's configuration.")
    var config: String

    @Option(help: "Seconds without a heartbeat after which everything is cancelled.")
    var after = 10.0

    @OptionGroup var ending: EndingOption

    func run() async throws {
        guard after >= 2, after <= 3_600 else { throw ValidationError("--after: from 2 to 3600") }
        let settings = try AgentConfiguration(path: config)
        guard let keys = try settings.credentials(environment: ProcessInfo.processInfo.environment) else {
            throw ValidationError("no keys: neither in the environment nor in venue.credentials_file")
        }
        let most = Duration.seconds(after)
        let watching = Task {
            try await WatchProcess.run(settings, keys, after: most) { text in
                Terminal.say("\(Terminal.clock(Int(Date().timeIntervalSince1970 * 1_000)))  watch  \(text)")
            }
        }
        let interrupts = Interrupts { watching.cancel() }
        defer { interrupts.cancel() }
        let timer = ending.seconds.map { seconds in
            Task {
                try await Task.sleep(for: .seconds(seconds))
                watching.cancel()
            }
        }
        try await watching.value
        timer?.cancel()
    }
}
