import Desk
import Foundation
import GRDB
import Journal
import Rehearsal
import TestExchange
import Testing
import VenueProtocol

struct JournalTests {
    /// A rehearsal of some minutes with a journal.
    private func rehearsal(
        _ folder: Folder, seed: UInt64 = 1, minutes: Int = 20, faults: LineFaults = LineFaults()
    ) throws -> Rehearsal {
        let rehearsal = try Rehearsal(
            RehearsalTests.configuration, RehearsalTests.settings(seed: seed, faults: faults),
            journal: try Journal(path: folder.journal))
        try rehearsal.begin()
        try rehearsal.run(to: rehearsal.settings.start + minutes * 60_000)
        return rehearsal
    }

    @Test(
        "A journal replayed gives the same intents and the same state, from the beginning and from a snapshot"
    )
    func replay() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 8, faults: .all(0.05))
        #expect(rehearsal.desk.counters.fills > 0)
        try rehearsal.deliver(.checkpoint)
        try rehearsal.journal?.snapshot(rehearsal.desk.save(), hash: rehearsal.desk.stateHash, run: 1)
        try rehearsal.run(to: rehearsal.exchange.time + 200_000)
        try rehearsal.journal?.flush()
        let journal = try Journal(path: folder.journal)
        #expect(journal.cut == 0)
        for isFromLatest in [false, true] {
            let (desk, count) = try journal.replay(fromLatest: isFromLatest, engine: GreeksComputer())
            #expect(desk.stateHash == rehearsal.desk.stateHash && count > 1_000)
        }
        let found = try journal.verify(engine: GreeksComputer())
        #expect(found.faults.isEmpty && found.orders > 0, "\(found.faults)")
        // What is older than the last snapshot goes; the rest is still a whole.
        #expect(try journal.retain(snapshots: 1) > 1_000)
        let kept = try Journal(path: folder.journal)
        #expect(
            try kept.replay(fromLatest: false, engine: GreeksComputer()).desk.stateHash
                == rehearsal.desk.stateHash)
    }

    @Test("A record that was altered is found, and what follows it is cut off and said")
    func torn() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 5)
        try rehearsal.journal?.flush()
        let last = try #require(rehearsal.journal?.last)
        let queue = try DatabaseQueue(path: folder.journal)
        try queue.write {
            try $0.execute(
                sql: "UPDATE record SET event = replace(event, '\"time\":1', '\"time\":2') WHERE number = ?",
                arguments: [last - 9])
        }
        let journal = try Journal(path: folder.journal)
        #expect(journal.cut == 10 && journal.last == last - 10)
        _ = try journal.replay(fromLatest: false, engine: GreeksComputer())
        #expect(try Journal(path: folder.journal).cut == 0)
    }

    @Test("A write-ahead log that ends anywhere gives back whole records, and they replay")
    func tornLog() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 3)
        try rehearsal.journal?.flush()
        let log = try Data(contentsOf: URL(fileURLWithPath: folder.journal + "-wal"))
        let base = try Data(contentsOf: URL(fileURLWithPath: folder.journal))
        #expect(log.count > 10_000)
        var lasts: Set<Int> = []
        for part in 1...40 {
            let copy = try Folder()
            try base.write(to: URL(fileURLWithPath: copy.journal))
            // Cut at any byte, and with rubbish behind the cut.
            var torn = log.prefix(log.count * part / 41 + part)
            if part % 2 == 0 { torn.append(Data(repeating: 0xA5, count: 777)) }
            try torn.write(to: URL(fileURLWithPath: copy.journal + "-wal"))
            let journal = try Journal(path: copy.journal)
            lasts.insert(journal.last)
            guard journal.last > 0 else { continue }
            _ = try journal.replay(fromLatest: false, engine: GreeksComputer())
        }
        #expect(lasts.count > 3)
    }

    @Test("A journal that cannot be written stops everything: nothing is sent that is not written down")
    func fullDisk() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 3)
        // The disk is full: SQLite may not grow by a page.
        try rehearsal.journal?.flush()
        try rehearsal.journal?.limitPages()
        let sent = rehearsal.sentLabels.count
        #expect(throws: JournalError.self) {
            try rehearsal.run(to: rehearsal.exchange.time + 3 * 3_600_000)
        }
        let recorded = try JournalTests.labels(folder.journal)
        #expect(Set(rehearsal.sentLabels).isSubset(of: recorded) && rehearsal.sentLabels.count >= sent)
        // It goes on refusing.
        #expect(throws: JournalError.self) {
            try rehearsal.deliver(.command(OperatorCommand(.pause, by: "x")))
        }
    }

    static func labels(_ path: String) throws -> Set<String> {
        var labels: Set<String> = []
        try Journal(path: path).forEachRecord(after: 0) { record in
            for intent in try JSONTape(record.intents).root.elements ?? [] {
                if let label = intent["place"]?["label"]?.string { labels.insert(label) }
            }
        }
        return labels
    }

    @Test("A switch that was armed is armed after a restart, and labels go on under the next run's number")
    func restart() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 5)
        try rehearsal.command(OperatorCommand(.pause, by: "ann", reason: "lunch"))
        rehearsal.crash(journal: try Journal(path: folder.journal))
        try rehearsal.begin()
        #expect(rehearsal.desk.killSwitch.level == .pause && rehearsal.desk.killSwitch.reason == "lunch")
        #expect(rehearsal.desk.run == 2)
        try rehearsal.command(OperatorCommand(.release, by: "ann", reason: "back"))
        let before = rehearsal.sentLabels.count
        try rehearsal.run(to: rehearsal.exchange.time + 3_600_000)
        #expect(rehearsal.sentLabels.count > before)
        #expect(rehearsal.sentLabels[before...].allSatisfy { $0.hasPrefix("demo-2-") })
        #expect(rehearsal.differences.isEmpty)
        let runs = try #require(try rehearsal.journal?.runs())
        #expect(runs.map(\.number) == [1, 2] && runs.allSatisfy { $0.ended == nil })
        try rehearsal.end()
        #expect(try rehearsal.journal?.runs().last?.ended != nil)
    }

    @Test("Nothing in a journal's configuration is more than the configuration: it reads back the same")
    func configuration() throws {
        let folder = try Folder()
        let rehearsal = try rehearsal(folder, minutes: 1)
        let run = try #require(try rehearsal.journal?.runs().first)
        #expect(run.configuration == rehearsal.desk.configuration.json)
        let read = try DeskConfiguration(checking: JSONTape(run.configuration).root)
        #expect(read.json == run.configuration)
    }

    /// Milliseconds of a rehearsal that is killed on the way.
    private static let sweep = 60_000

    /// At how many places of it a process can be killed.
    private static let boundaries = Result {
        let whole = try Rehearsal(RehearsalTests.configuration, RehearsalTests.settings(seed: 11))
        try whole.begin()
        try whole.run(to: whole.settings.start + sweep)
        return whole.boundaries
    }

    /// Each kill is a rehearsal of its own: ten by default, more where `scripts/agent faults` says so.
    private static var killCount: Int {
        max(1, ProcessInfo.processInfo.environment["POISE_CRASH_POINTS"].flatMap { Int($0) } ?? 10)
    }

    @Test(
        "Killed anywhere (before an event, behind its record, before and behind a send), it comes back: no order twice, no fill lost or double, the exchange's positions",
        arguments: 0..<killCount)
    func crashSweep(number: Int) throws {
        let count = try Self.boundaries.get()
        #expect(count > 500)
        let place = 1 + number * count / Self.killCount
        let folder = try Folder()
        let rehearsal = try Rehearsal(
            RehearsalTests.configuration, RehearsalTests.settings(seed: 11),
            journal: try Journal(path: folder.journal))
        rehearsal.killAt = place
        let end = rehearsal.settings.start + Self.sweep
        do {
            try rehearsal.begin()
            try rehearsal.run(to: end)
            Issue.record("was not killed at \(place)")
        } catch is Rehearsal.Killed {}
        rehearsal.killAt = nil
        rehearsal.crash(journal: try Journal(path: folder.journal))
        try rehearsal.begin()
        try rehearsal.run(to: end + 90_000)
        #expect(Set(rehearsal.sentLabels).count == rehearsal.sentLabels.count, "killed at \(place)")
        #expect(rehearsal.differences.isEmpty, "killed at \(place): \(rehearsal.differences)")
        #expect(rehearsal.desk.mismatches.isEmpty, "killed at \(place)")
        let recorded = try Self.labels(folder.journal)
        #expect(Set(rehearsal.sentLabels).isSubset(of: recorded), "killed at \(place)")
        let delta = rehearsal.desk.exposures()[0]
        #expect(rehearsal.desk.isReady, "killed at \(place): \(rehearsal.desk.notReady ?? "")")
        #expect(
            delta.outsideSince.map { rehearsal.exchange.time - $0 < 30_000 } ?? true, "killed at \(place)")
    }
}
