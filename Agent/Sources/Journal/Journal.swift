import Desk
import GRDB
import VenueProtocol

/// What went wrong with a journal. Whoever gets one of these sends nothing any more.
public enum JournalError: Error, CustomStringConvertible {
    /// It could not be written: a full disk, a failing one.
    case notWritten(String)
    case notReadable(String)
    /// What a replay said is not what was written.
    case diverged(event: Int, recorded: String, replayed: String)
    case noRun

    public var description: String {
        switch self {
        case .notWritten(let reason): "the journal could not be written: \(reason)"
        case .notReadable(let reason): "the journal could not be read: \(reason)"
        case .diverged(let event, let recorded, let replayed):
            "event \(event): the journal has \(recorded), the replay gives \(replayed)"
        case .noRun: "the journal has no run"
        }
    }
}

/// Events and what the desk made of them, on disk before anything is sent: a SQLite database with a write-ahead log and full
/// synchronisation. What may move money or the switch is written through at once; prices wait for the next such write, or for
/// a few hundred of their kind.
///
/// Each record has a check sum over itself and the one before. What is torn or altered at the end is cut off when the journal
/// is opened, and said. One thread owns it.
public final class Journal {
    /// A record.
    public struct Record: Sendable {
        public let number: Int
        public let event: DeskEvent
        /// As JSON.
        public let intents: [UInt8]
    }

    static let batch = 256

    let queue: DatabaseQueue
    public let path: String
    /// What was cut off when it was opened; 0 for a whole journal.
    public private(set) var cut = 0
    /// Of the last record.
    public private(set) var last = 0
    private var check: UInt64 = 0
    /// What records took so far to get to the disk.
    public private(set) var timeWriting = Duration.zero
    private var waiting: [(event: [UInt8], intents: [UInt8], time: Int)] = []
    private var isBroken = false

    /// Opens a journal, or begins one.
    public init(path: String) throws {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(queue)
        } catch { throw JournalError.notReadable("\(error)") }
        try cutTornEnd()
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE run (number INTEGER PRIMARY KEY, started INTEGER NOT NULL,
                        version TEXT NOT NULL, configuration TEXT NOT NULL, ended INTEGER);
                    CREATE TABLE record (number INTEGER PRIMARY KEY, time INTEGER NOT NULL,
                        event TEXT NOT NULL, intents TEXT NOT NULL, checksum INTEGER NOT NULL);
                    CREATE TABLE snapshot (number INTEGER PRIMARY KEY, run INTEGER NOT NULL,
                        state TEXT NOT NULL, hash INTEGER NOT NULL);
                    """)
        }
        return migrator
    }

    // MARK: Writing

    /// Begins a run.
    /// - Returns: its number, one above the last one's.
    public func begin(version: String, configuration: [UInt8], at time: Int) throws -> Int {
        try write { database in
            let number = 1 + (try Int.fetchOne(database, sql: "SELECT max(number) FROM run") ?? 0)
            try database.execute(
                sql: "INSERT INTO run (number, started, version, configuration) VALUES (?, ?, ?, ?)",
                arguments: [number, time, version, String(decoding: configuration, as: UTF8.self)])
            return number
        }
    }

    /// The run that is under way has come to its end as it should.
    public func end(at time: Int) throws {
        try flush()
        try write { database in
            try database.execute(
                sql: "UPDATE run SET ended = ? WHERE number = (SELECT max(number) FROM run)",
                arguments: [time])
        }
    }

    /// Takes a record. It is on disk when this returns where its event or its intents ask for it.
    /// - Throws: `notWritten`: nothing may be sent any more.
    public func append(_ event: DeskEvent, _ intents: [DeskIntent]) throws {
        waiting.append((event.json, DeskIntent.json(intents), event.time))
        if event.isWrittenThrough || intents.contains(where: \.isWrittenThrough)
            || waiting.count >= Self.batch
        {
            try flush()
        }
    }

    /// Writes what waits.
    public func flush() throws {
        guard !waiting.isEmpty else { return }
        let start = ContinuousClock.now
        defer { timeWriting += start.duration(to: .now) }
        var (number, sum) = (last, check)
        let records = waiting
        try write { database in
            let statement = try database.cachedStatement(
                sql: "INSERT INTO record (number, time, event, intents, checksum) VALUES (?, ?, ?, ?, ?)")
            for record in records {
                number += 1
                sum = Self.checksum(sum, number, record.event, record.intents)
                try statement.execute(arguments: [
                    number, record.time, String(decoding: record.event, as: UTF8.self),
                    String(decoding: record.intents, as: UTF8.self), Int64(bitPattern: sum),
                ])
            }
        }
        (last, check) = (number, sum)
        waiting.removeAll(keepingCapacity: true)
    }

    /// Keeps a desk's state as it is behind the last record.
    public func snapshot(_ state: [UInt8], hash: UInt64, run: Int) throws {
        try flush()
        let number = last
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO snapshot (number, run, state, hash) VALUES (?, ?, ?, ?)",
                arguments: [number, run, String(decoding: state, as: UTF8.self), Int64(bitPattern: hash)])
        }
    }

    /// Forgets what is older than the snapshot before the last `count`: what is kept can still be replayed.
    /// - Returns: how many records went.
    @discardableResult
    public func retain(snapshots count: Int) throws -> Int {
        try flush()
        return try write { database in
            let oldest = try Int.fetchOne(
                database, sql: "SELECT number FROM snapshot ORDER BY number DESC LIMIT 1 OFFSET ?",
                arguments: [count - 1])
            guard let oldest else { return 0 }
            try database.execute(sql: "DELETE FROM record WHERE number <= ?", arguments: [oldest])
            let gone = database.changesCount
            try database.execute(sql: "DELETE FROM snapshot WHERE number < ?", arguments: [oldest])
            return gone
        }
    }

    /// Writes in one transaction; after a failure nothing is written any more.
    private func write<R>(_ body: (Database) throws -> R) throws -> R {
        guard !isBroken else { throw JournalError.notWritten("it failed before") }
        do { return try queue.write(body) } catch {
            isBroken = true
            throw JournalError.notWritten("\(error)")
        }
    }

    // MARK: Check sums

    /// FNV-1a over the sum before, the record's number, its event and its intents.
    static func checksum(_ before: UInt64, _ number: Int, _ event: [UInt8], _ intents: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for shift in stride(from: 0, to: 64, by: 8) {
            mix(UInt8(truncatingIfNeeded: before >> UInt64(shift)))
            mix(UInt8(truncatingIfNeeded: number >> shift))
        }
        event.forEach(mix)
        intents.forEach(mix)
        return hash
    }

    /// Cuts off what follows the last whole record.
    private func cutTornEnd() throws {
        do {
            let found = try queue.read { database -> (last: Int, check: UInt64, isTorn: Bool) in
                var (number, sum): (Int, UInt64) = (0, 0)
                var isFirst = true
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT number, event, intents, checksum FROM record ORDER BY number")
                while let row = try rows.next() {
                    let (next, event, intents): (Int, String, String) = (row[0], row[1], row[2])
                    let stored = UInt64(bitPattern: row[3] as Int64)
                    // The sum before the first that is kept is gone with what was retired: it is taken as it is.
                    let isKept = isFirst && next > 1
                    let expected = Self.checksum(sum, next, Array(event.utf8), Array(intents.utf8))
                    guard isKept || next == number + 1 && stored == expected else {
                        return (number, sum, true)
                    }
                    (number, sum, isFirst) = (next, stored, false)
                }
                if isFirst {
                    number = try Int.fetchOne(database, sql: "SELECT max(number) FROM snapshot") ?? 0
                }
                return (number, sum, false)
            }
            (last, check) = (found.last, found.check)
            guard found.isTorn else { return }
            cut = try queue.write { database in
                try database.execute(sql: "DELETE FROM record WHERE number > ?", arguments: [found.last])
                let gone = database.changesCount
                try database.execute(sql: "DELETE FROM snapshot WHERE number > ?", arguments: [found.last])
                return gone
            }
        } catch let error as JournalError { throw error } catch {
            throw JournalError.notReadable("\(error)")
        }
    }
}

extension DeskEvent {
    /// Whether it changes what is owned, owed or allowed.
    var isWrittenThrough: Bool {
        switch content {
        case .ticker, .book, .volatilities, .index, .timer, .reference, .account, .instruments, .state: false
        case .started, .delivered, .line, .openOrders, .order, .trades, .reply, .refused, .unknown, .absent,
            .cancelRefused, .positions, .command, .checkpoint:
            true
        }
    }
}

extension DeskIntent {
    var isWrittenThrough: Bool {
        if case .report(let report) = self { return report.kind == .kill }
        return isSent
    }
}

extension Journal {
    /// Forbids the file to grow, as a full disk does: for rehearsals of one.
    public func limitPages() throws {
        try queue.writeWithoutTransaction { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 1
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
    }
}
