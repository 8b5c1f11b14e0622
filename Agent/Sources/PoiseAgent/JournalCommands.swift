import ArgumentParser
import Desk
import Foundation
import Journal
import Live
import VenueProtocol

/// A journal that has to be there.
struct JournalArgument: ParsableArguments {
    @Argument(help: "The journal.")
    var path: String

    func open() throws -> Journal {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ValidationError("\(path): there is no such journal")
        }
        return try Journal(path: path)
    }

    /// Leaves a word for the process that writes it.
    func tell(_ command: OperatorCommand) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw ValidationError("\(path): there is no such journal")
        }
        try CommandFile.write(command, journal: path)
    }
}

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What a journal says of its desk: runs, switch, positions, orders, counts.")

    @OptionGroup var journal: JournalArgument

    func run() throws {
        let journal = try journal.open()
        guard let run = try journal.runs().last else { throw JournalError.noRun }
        let desk = try journal.replay(fromLatest: true, engine: GreeksComputer()).desk
        let kill = desk.killSwitch
        print("run        \(run.number), \(run.version), \(run.ended == nil ? "not ended" : "ended")")
        print("records    \(journal.last)")
        print("ready      \(desk.notReady ?? "yes")")
        print(
            "switch     \(kill.level.rawValue)\(kill.level == .none ? "" : " by \(kill.by): \(kill.reason)")")
        for holding in desk.holdings {
            print("holds      \(holding.book)  \(holding.instrumentName)  \(holding.quantity.amount)")
        }
        for order in desk.orders {
            print(
                "order      \(order.label)  \(order.instrumentName)  \(order.remaining.amount) at \(order.price)  \(order.phase.rawValue)"
            )
        }
        for exposure in desk.exposures() {
            print(
                "exposure   \(exposure.book ?? "all books") \(exposure.underlying)  \(Terminal.exposure(exposure))"
            )
        }
        for name in desk.mismatches { print("mismatch   \(name)") }
        let counters = desk.counters
        print(
            "orders     \(counters.sent) sent, \(counters.refused) refused, \(counters.guarded) not let out, \(counters.unknown) lost sight of"
        )
        print("fills      \(counters.fills), \(counters.duplicates) came again")
        print("state      \(String(desk.stateHash, radix: 16))")
    }
}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract:
            "Takes a journal's events again, from its oldest record on: every decision has to come out the same."
    )

    @OptionGroup var journal: JournalArgument

    @Flag(help: "Print what was said on the way.")
    var reports = false

    func run() throws {
        let journal = try journal.open()
        let (desk, count) = try journal.replay(fromLatest: false, engine: GreeksComputer()) { record in
            guard reports, let intents = try? JSONTape(record.intents).root.elements else { return }
            for intent in intents {
                if let report = intent["report"], let read = try? DeskReport(report) {
                    print(Terminal.report(read))
                }
            }
        }
        print("\(count) records replayed: the same intents, state \(String(desk.stateHash, radix: 16))")
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Whether a journal is whole: check sums, replay, no label twice, positions equal to the sum of trades; and the venue's."
    )

    @OptionGroup var journal: JournalArgument

    @Option(
        help:
            "The agent's configuration: then the books are held against the venue's trades, positions and transaction log."
    )
    var config: String?

    func run() async throws {
        let journal = try journal.open()
        if journal.cut > 0 { print("torn       \(journal.cut) records at the end are cut off") }
        let found = try journal.verify(engine: GreeksComputer())
        print("records    \(found.records), each with its check sum, replayed with the same intents")
        print("orders     \(found.orders), no label twice")
        for fault in found.faults { print("fault      \(fault)") }
        guard found.faults.isEmpty else { throw ExitCode(1) }
        print("positions  equal to what was adopted and traded")
        guard let config else { return }
        let settings = try AgentConfiguration(path: config)
        guard let keys = try settings.credentials(environment: ProcessInfo.processInfo.environment) else {
            throw ValidationError("no keys: neither in the environment nor in venue.credentials_file")
        }
        let desk = try journal.replay(fromLatest: true, engine: GreeksComputer()).desk
        let audit = try await VenueAudit.run(settings, keys, desk: desk)
        for remark in audit.remarks { print("venue      \(remark)") }
        for fault in audit.faults { print("fault      \(fault)") }
        guard audit.faults.isEmpty else { throw ExitCode(1) }
        print(
            "venue      \(audit.trades) trades, positions and \(audit.entries) entries of its log agree with the books"
        )
    }
}

struct StopCommand: ParsableCommand {
    enum Level: String, EnumerableFlag { case pause, cancel, flatten }

    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Arms the kill switch of the process that writes a journal.")

    @OptionGroup var journal: JournalArgument

    @Flag(help: "No new risk; nothing open, verified at the venue; or no position either.")
    var level: Level

    @Option(help: "Why.")
    var reason = ""

    func run() throws {
        let action = OperatorCommand.Action(rawValue: level.rawValue) ?? .pause
        try journal.tell(OperatorCommand(action, by: NSUserName(), reason: reason))
    }
}

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Takes the kill switch back, which only a person may do.")

    @OptionGroup var journal: JournalArgument

    @Option(help: "Why it may trade again.")
    var reason: String

    func run() throws {
        try journal.tell(OperatorCommand(.release, by: NSUserName(), reason: reason))
    }
}

struct AcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract:
            "Takes the venue's word for a position that the books do not explain: only what you can explain.")

    @OptionGroup var journal: JournalArgument

    @Argument(help: "The instrument.")
    var instrument: String

    @Option(help: "What explains it.")
    var reason: String

    func run() throws {
        try journal.tell(
            OperatorCommand(.accept, by: NSUserName(), reason: reason, instrumentName: instrument))
    }
}

struct LimitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract:
            "Moves the band of a limit while the desk runs, until the configuration says something else.")

    @OptionGroup var journal: JournalArgument

    @Argument(help: "The coin.")
    var underlying: String

    @Argument(help: "The exposure: delta, gamma, vega, …")
    var greek: String

    @Option(parsing: .unconditional, help: "The lower edge, in the limit's unit; none where it is left out.")
    var low: Double?

    @Option(parsing: .unconditional, help: "The upper edge.")
    var high: Double?

    @Option(help: "The book; all together where it is left out.")
    var book: String?

    @Option(help: "Why.")
    var reason = ""

    func run() throws {
        guard low != nil || high != nil else { throw ValidationError("--low or --high is wanted") }
        let limit = LimitSetting(book: book, underlying, greek, low: low, high: high)
        try journal.tell(OperatorCommand(.limit, by: NSUserName(), reason: reason, limit: limit))
    }
}
