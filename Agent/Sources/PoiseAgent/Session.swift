import ArgumentParser
import Desk
import Foundation
import Journal
import Rehearsal
import VenueProtocol

/// What demonstrations and rehearsals have in common.
struct SessionOptions: ParsableArguments {
    @Option(help: "The desk's configuration (JSON): books, limits, candidates, execution, guards.")
    var config: String?

    @Option(help: "A new file for the journal. Without it nothing is kept.")
    var journal: String?

    @Option(help: "The market's seed.")
    var seed: UInt64 = 1

    @Option(help: "Coins of each option that the account holds before the desk begins; negative is short.")
    var position: Double = -4

    @Flag(help: "Everything but sending.")
    var dryRun = false

    func rehearsal() throws -> Rehearsal {
        var desk = DeskConfiguration.demonstration
        if let config {
            do {
                let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: config)))
                desk = try DeskConfiguration(checking: JSONTape(bytes).root)
            } catch { throw ValidationError("\(config): \(error)") }
        }
        guard position.magnitude <= 1_000 else { throw ValidationError("--position: at most 1000 coins") }
        var settings = Rehearsal.Settings()
        (settings.seed, settings.position) = (seed, position)
        // The exchange begins anew with each process: what was traded on another one does not fit it.
        if let journal, FileManager.default.fileExists(atPath: journal) {
            throw ValidationError("\(journal): is there already")
        }
        let rehearsal = try Rehearsal(desk, settings, journal: try journal.map { try Journal(path: $0) })
        rehearsal.isDry = dryRun
        return rehearsal
    }
}

/// A word for a running process, in a file beside its journal.
enum CommandFile {
    static func path(_ journal: String) -> String { journal + ".command" }

    static func write(_ command: OperatorCommand, journal: String) throws {
        guard FileManager.default.fileExists(atPath: journal) else {
            throw ValidationError("\(journal): there is no such journal")
        }
        let url = URL(fileURLWithPath: path(journal))
        try Data(command.json).write(to: url, options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
    }

    /// Takes the word, if there is one; what cannot be read is a pause.
    static func take(journal: String) -> OperatorCommand? {
        let url = URL(fileURLWithPath: path(journal))
        guard let bytes = try? Data(contentsOf: url) else { return nil }
        try? FileManager.default.removeItem(at: url)
        if let command = try? OperatorCommand(JSONTape(Array(bytes)).root) { return command }
        return OperatorCommand(.pause, by: "command file", reason: "it could not be read")
    }
}

/// Text for a terminal.
enum Terminal {
    static func clock(_ time: Int) -> String {
        let seconds = time / 1_000
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    static func whole(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "–" }
        var digits = String(Int(value.rounded().magnitude))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value.rounded() < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// `delta −61,234 outside −60,000…60,000`.
    static func exposure(_ exposure: Desk.Exposure) -> String {
        let isOutside = exposure.value < exposure.low || exposure.value > exposure.high
        return "\(exposure.greek) \(whole(exposure.value))\(isOutside ? " OUTSIDE" : " in") "
            + "\(whole(exposure.low))…\(whole(exposure.high))"
    }

    static func report(_ report: DeskReport) -> String {
        let figures = [report.figure, report.bound].compactMap { $0 }.map { "\($0)" }.joined(separator: ", ")
        return "\(clock(report.time))  \(report.kind.rawValue)  \(report.subject): \(report.text)"
            + (figures.isEmpty ? "" : " (\(figures))")
    }
}
