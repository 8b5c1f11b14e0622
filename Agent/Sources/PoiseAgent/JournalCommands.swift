import ArgumentParser
import Desk
import Foundation
import Journal
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

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Whether a journal is whole: check sums, replay, no label twice, positions equal to the sum of trades."
    )

    @OptionGroup var journal: JournalArgument

    func run() throws {
        let journal = try journal.open()
        if journal.cut > 0 { print("torn       \(journal.cut) records at the end are cut off") }
        let found = try journal.verify(engine: GreeksComputer())
        print("records    \(found.records), each with its check sum, replayed with the same intents")
        print("orders     \(found.orders), no label twice")
        for fault in found.faults { print("fault      \(fault)") }
        guard found.faults.isEmpty else { throw ExitCode(1) }
        print("positions  equal to what was adopted and traded")
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
        try CommandFile.write(
            OperatorCommand(action, by: NSUserName(), reason: reason), journal: journal.path)
    }
}

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Takes the kill switch back, which only a person may do.")

    @OptionGroup var journal: JournalArgument

    @Option(help: "Why it may trade again.")
    var reason: String

    func run() throws {
        try CommandFile.write(
            OperatorCommand(.release, by: NSUserName(), reason: reason), journal: journal.path)
    }
}
