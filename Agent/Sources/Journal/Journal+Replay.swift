import Desk
import GRDB
import Poise
import VenueProtocol

extension Journal {
    /// What a journal brought back.
    public struct Recovery {
        public let desk: Desk
        /// Records that were replayed, and the last run's number; 0 where there was none.
        public let replayed: Int
        public let run: Int
        /// Whether the last run came to its end as it should.
        public let hasEnded: Bool
    }

    /// A run as it began.
    public struct Run: Sendable {
        public let number: Int
        public let started: Int
        public let version: String
        public let configuration: [UInt8]
        public let ended: Int?
    }

    /// All runs, oldest first.
    public func runs() throws -> [Run] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT number, started, version, configuration, ended FROM run ORDER BY number"
            ).map { row in
                Run(
                    number: row[0], started: row[1], version: row[2],
                    configuration: Array((row[3] as String).utf8), ended: row[4])
            }
        }
    }

    func read<R>(_ body: (Database) throws -> R) throws -> R {
        do { return try queue.read(body) } catch let error as JournalError { throw error } catch {
            throw JournalError.notReadable("\(error)")
        }
    }

    /// Calls a body with each record behind a number.
    public func forEachRecord(after number: Int, _ body: (Record) throws -> Void) throws {
        try read { database in
            let rows = try Row.fetchCursor(
                database, sql: "SELECT number, event, intents FROM record WHERE number > ? ORDER BY number",
                arguments: [number])
            while let row = try rows.next() {
                let (text, intents): (String, String) = (row[1], row[2])
                let event: DeskEvent
                do { event = try DeskEvent(JSONTape(text).root) } catch {
                    throw JournalError.notReadable("record \(row[0] as Int): \(error)")
                }
                try body(Record(number: row[0], event: event, intents: Array(intents.utf8)))
            }
        }
    }

    private static func configuration(ofRun run: Int, _ runs: [Run]) throws -> DeskConfiguration {
        guard let found = runs.first(where: { $0.number == run }) else { throw JournalError.noRun }
        return try DeskConfiguration(JSONTape(found.configuration).root)
    }

    /// Replays records from a snapshot on, and compares what the desk wants done with what is written.
    /// - Parameter isFromLatest: from the latest snapshot; else from the oldest one that is kept, or the beginning.
    /// - Throws: `diverged` at the first difference.
    public func replay(
        fromLatest isFromLatest: Bool, engine: GreeksEngine, _ visit: (Record) -> Void = { _ in }
    ) throws -> (desk: Desk, replayed: Int) {
        let snapshot = try read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT number, run, state, hash FROM snapshot ORDER BY number "
                    + (isFromLatest ? "DESC" : "ASC") + " LIMIT 1")
        }
        // Asked for before the records are walked: the database is read by one at a time.
        let runs = try runs()
        let first = try read { try Int.fetchOne($0, sql: "SELECT min(number) FROM record") } ?? 1
        var start = 0
        var desk: Desk
        if let snapshot, isFromLatest || first > 1 {
            start = snapshot[0]
            desk = try Desk(Self.configuration(ofRun: snapshot[1], runs), engine: engine)
            let state = Array((snapshot[2] as String).utf8)
            try desk.restore(state)
            let hash = UInt64(bitPattern: snapshot[3] as Int64)
            guard desk.stateHash == hash else {
                throw JournalError.diverged(
                    event: start, recorded: "the state \(String(hash, radix: 16))",
                    replayed: String(desk.stateHash, radix: 16))
            }
        } else {
            guard let run = runs.first else { throw JournalError.noRun }
            desk = try Desk(DeskConfiguration(JSONTape(run.configuration).root), engine: engine)
        }
        var count = 0
        try forEachRecord(after: start) { record in
            if case .started(let begin) = record.event.content {
                let next = try Desk(Self.configuration(ofRun: begin.run, runs), engine: engine)
                try next.restore(desk.save())
                desk = next
            }
            let intents = DeskIntent.json(desk.step(record.event))
            guard intents == record.intents else {
                throw JournalError.diverged(
                    event: record.number, recorded: String(decoding: record.intents, as: UTF8.self),
                    replayed: String(decoding: intents, as: UTF8.self))
            }
            count += 1
            visit(record)
        }
        return (desk, count)
    }

    /// The desk as it was when the last process ended, whatever ended it, under a configuration.
    public func recover(_ configuration: DeskConfiguration, engine: GreeksEngine) throws -> Recovery {
        let desk = try Desk(configuration, engine: engine)
        guard let run = try runs().last else {
            return Recovery(desk: desk, replayed: 0, run: 0, hasEnded: true)
        }
        guard last > 0 else {
            return Recovery(desk: desk, replayed: 0, run: run.number, hasEnded: run.ended != nil)
        }
        let replayed = try replay(fromLatest: true, engine: engine)
        try desk.restore(replayed.desk.save())
        return Recovery(
            desk: desk, replayed: replayed.replayed, run: run.number, hasEnded: run.ended != nil)
    }
}
