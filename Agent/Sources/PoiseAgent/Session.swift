import ArgumentParser
import Desk
import Foundation
import Journal
import Live
import Rehearsal
import VenueProtocol

/// When a command ends by itself.
struct EndingOption: ParsableArguments {
    @Option(help: "Ends by itself after so many seconds.")
    var seconds: Double?

    func validate() throws {
        guard let seconds else { return }
        guard seconds >= 0, seconds <= 31_536_000 else {
            throw ValidationError("--seconds: from 0 to 31536000, a year")
        }
    }
}

/// What demonstrations and rehearsals have in common.
struct SessionOptions: ParsableArguments {
    @Option(help: "The desk's configuration (TOML or JSON): books, limits, candidates, execution, guards.")
    var config: String?

    @Option(help: "A new file for the journal. Without it nothing is kept.")
    var journal: String?

    @Option(help: "The market's seed.")
    var seed: UInt64 = 1

    @Option(
        parsing: .unconditional,
        help: "Coins of each option that the account holds before the desk begins; negative is short.")
    var position: Double = -4

    @Flag(help: "Everything but sending.")
    var dryRun = false

    /// - Throws: `ValidationError` with the file, key and value.
    func desk() throws -> DeskConfiguration {
        guard let config else { return .demonstration }
        do { return try DeskConfiguration(checking: JSONTape(settingsText(path: config)).root) } catch {
            throw ValidationError("\(config): \(error)")
        }
    }

    /// The exchange begins anew with each process: what was traded on another one does not fit it.
    func newJournal() throws -> String {
        guard let journal else {
            return FileManager.default.temporaryDirectory.appendingPathComponent(
                "poise-demo-\(UUID().uuidString.prefix(8)).sqlite"
            ).path
        }
        guard !FileManager.default.fileExists(atPath: journal) else {
            throw ValidationError("\(journal): is there already")
        }
        return journal
    }

    /// - Parameter step: milliseconds of the market.
    func rehearsal(step: Int) throws -> Rehearsal {
        let desk = try desk()
        guard position.magnitude <= 1_000 else { throw ValidationError("--position: at most 1000 coins") }
        var settings = Rehearsal.Settings()
        (settings.seed, settings.position, settings.step) = (seed, position, step)
        let journal = try journal == nil ? nil : Journal(path: newJournal())
        let rehearsal = try Rehearsal(desk, settings, journal: journal)
        rehearsal.isDry = dryRun
        return rehearsal
    }
}

/// Text for a terminal.
enum Terminal {
    /// A line, written through at once.
    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// An agent in a line.
    static func figures(_ view: AgentView) -> String {
        let bands = view.bands.map { band in
            let (low, high) = (band.low ?? -.infinity, band.high ?? .infinity)
            let isOutside = band.value < low || band.value > high
            return
                "\(band.greek) \(whole(band.value))\(isOutside ? " OUTSIDE" : " in") \(whole(low))…\(whole(high))"
        }
        return
            "\(clock(view.time))  "
            + view.prices.map { "\($0.name) \(whole($0.price))" }.joined(separator: " ") + "  "
            + bands.joined(separator: " | ")
            + "  orders \(view.counters.sent) open \(view.orders.count) fills \(view.counters.fills)  "
            + "cost \(whole(view.counters.shortfall.total)) usd  switch \(view.kill.level.rawValue)"
    }

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
