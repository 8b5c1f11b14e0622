import Desk
import Foundation
import VenueProtocol

/// A word for a running process, in a file beside its journal.
public enum CommandFile {
    public static func path(_ journal: String) -> String { journal + ".command" }

    public static func write(_ command: OperatorCommand, journal: String) throws {
        let url = URL(fileURLWithPath: path(journal))
        try Data(command.json).write(to: url, options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
    }

    private static func takenPath(_ journal: String) -> String { path(journal) + ".taken" }

    /// Takes the word, if there is one; what cannot be read is a pause. Until `settled` it is kept, for a process that dies
    /// before it has written it down.
    public static func take(journal: String) -> OperatorCommand? {
        let taken = takenPath(journal)
        if !FileManager.default.fileExists(atPath: taken) {
            guard unsafe rename(path(journal), taken) == 0 else { return nil }
        }
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: taken)) else { return nil }
        if let command = try? OperatorCommand(JSONTape(Array(bytes)).root) { return command }
        return OperatorCommand(.pause, by: "command file", reason: "it could not be read")
    }

    /// The word that was taken is written down.
    public static func settled(journal: String) {
        try? FileManager.default.removeItem(atPath: takenPath(journal))
    }
}

/// A file beside a journal that its process writes every second: whoever watches sees that it lives. It is not there when no
/// process runs, or the last one ended as it should.
public enum HeartbeatFile {
    public struct Beat: VenueRecord, Equatable {
        /// Rises with each.
        public var number = 0
        public var run = 0

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("number", &number)
            try fields.field("run", &run)
        }
    }

    public static func path(_ journal: String) -> String { journal + ".heartbeat" }

    public static func write(_ beat: Beat, journal: String) throws {
        try Data(beat.json).write(to: URL(fileURLWithPath: path(journal)), options: .atomic)
    }

    /// - Returns: nil where there is none.
    public static func read(journal: String) -> Beat? {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path(journal))) else { return nil }
        return try? Beat(JSONTape(Array(bytes)).root)
    }

    public static func remove(journal: String) {
        try? FileManager.default.removeItem(atPath: path(journal))
    }
}

/// Keeps a journal for one process alone, as long as it lives.
public final class JournalLock {
    private let descriptor: Int32

    /// - Throws: `SettingsError` where another process has it.
    public init(journal: String) throws {
        let path = journal + ".lock"
        descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SettingsError(file: path, line: nil, reason: "cannot be opened: \(errno)")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw SettingsError(file: journal, line: nil, reason: "another process writes this journal")
        }
    }

    deinit { close(descriptor) }
}
