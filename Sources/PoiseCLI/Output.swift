import Checks
import Foundation
import Market

/// Why an output could not be written.
struct OutputError: PoiseError {
    let file: String
    let reason: String
    var place: Place? { .file(file) }
    var description: String { "\(file): cannot write: \(reason)" }

    /// With the reason of the system call that has just failed.
    static func system(_ file: String) -> OutputError {
        unsafe OutputError(file: file, reason: String(cString: strerror(errno)))
    }
}

/// A name of `--columns` that no table has.
struct UnknownColumnError: PoiseError {
    let name: String
    let known: [String]
    var field: String { "--columns" }
    var value: String? { name }
    var exitStatus: ExitStatus { .usage }
    var reason: String {
        if known.isEmpty { return "nothing here is a table with such a column" }
        let near = Spelling.nearest(to: name, in: known)
        return near.map { "no such column; did you mean \($0)?" }
            ?? "must be one of \(known.joined(separator: ", "))"
    }
}

/// The outputs of a run. They are opened before the work, so that one that cannot be written is found at once, and
/// finished together: the files appear under their names when all are complete, or none does.
final class Outputs {
    private var outputs: [Output] = []
    /// Those of the run that are finished at another time.
    private let others: Outputs?

    init(besides others: Outputs? = nil) { self.others = others }

    /// Opens a file, or standard output for nil and `-`.
    /// - Parameter isForPeople: whether the text is shown rather than read by programs.
    func open(_ path: String?, isForPeople: Bool = false) throws -> Output {
        let output = try Output(path, isForPeople: isForPeople)
        guard !has(output) else {
            throw OutputError(file: output.name, reason: "two outputs have this place")
        }
        outputs.append(output)
        return output
    }

    private func has(_ output: Output) -> Bool {
        guard let place = output.place else { return false }
        return outputs.contains { $0.place == place } || others?.has(output) == true
    }

    func finish() throws {
        // What cannot be taken back comes last.
        for output in outputs where output.isReplacement { try output.complete() }
        for output in outputs where !output.isReplacement { try output.complete() }
        for output in outputs { try output.publish() }
    }
}

/// Buffered text to standard output or to a file.
///
/// A regular file, and one that is not there yet, is written under another name in the same folder and takes its name
/// when it is complete; it keeps mode and owner of the one before. Symbolic links are followed first. Devices, pipes
/// and descriptors (`/dev/stdout`) are written in place.
final class Output {
    /// Its name in errors.
    let name: String
    /// The identity of an output, which no two may share: the file that is replaced, or standard output.
    let place: String?
    private var temporary: String?
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    var isReplacement: Bool { temporary != nil }

    /// Whether text of any origin loses its control characters: a terminal would obey them.
    private let isShown: Bool
    /// Whether the reader is a person at a terminal that shows colours.
    let hasColours: Bool
    /// The terminal that shows it; nil for files and pipes.
    private let terminal: TerminalSize?
    /// Which columns tables show.
    var columns = ColumnChoice.fitting
    private var knownColumns: [String] = []

    enum ColumnChoice: Equatable {
        /// On a terminal those that fit, else all.
        case fitting
        case all
        case named([String])
    }

    /// Columns of a terminal; nil elsewhere.
    var width: Int? { terminal?.columns }

    /// The names asked for, of a table's own; nil for all, and where it has none of them.
    func columnsAsked(of names: [String]) -> [String]? {
        guard case .named(let asked) = columns else { return nil }
        knownColumns += names.filter { !knownColumns.contains($0) }
        return asked.contains(where: names.contains) ? asked : nil
    }

    fileprivate init(_ path: String?, isForPeople: Bool) throws {
        let path = path == "-" ? nil : path
        name = path ?? "standard output"
        switch try path.map(Destination.init) ?? .descriptor(STDOUT_FILENO) {
        case .descriptor(let number):
            place = number == STDOUT_FILENO ? "" : nil
            let flags = fcntl(number, F_GETFL)
            if flags >= 0, flags & O_ACCMODE == O_RDONLY { errno = EBADF }
            guard flags >= 0, flags & O_ACCMODE != O_RDONLY else { throw OutputError.system(name) }
            descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0)
        case .special(let path):
            place = nil
            descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        case .file(let path, let earlier):
            place = Destination.resolved(path)
            (descriptor, temporary) = Self.temporary(beside: path)
            if let earlier, descriptor >= 0 { Self.copyOwnership(of: earlier, to: descriptor) }
        }
        guard descriptor >= 0 else { throw OutputError.system(name) }
        let isTerminal = isatty(descriptor) == 1
        isShown = isForPeople || isTerminal
        let environment = ProcessInfo.processInfo.environment
        hasColours = isTerminal && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
        terminal = isTerminal && isForPeople ? TerminalSize(descriptor) : nil
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if let temporary {
            unsafe unlink(temporary)
            PartialFiles.remove(temporary)
        }
    }

    /// A new file in the folder of another, of which it has the name and what nobody else has.
    private static func temporary(beside path: String) -> (Int32, String?) {
        let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        // The longest name of a file has 255 bytes.
        let name = String(decoding: path[end...].utf8.prefix(200), as: UTF8.self)
        for _ in 0..<100 {
            let random = String(UInt64.random(in: .min ... .max), radix: 36)
            let temporary = "\(path[..<end])\(name).partial-\(random)"
            PartialFiles.add(temporary)
            let descriptor = unsafe Foundation.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return (descriptor, temporary) }
            PartialFiles.remove(temporary)
            if errno != EEXIST { break }
        }
        return (-1, nil)
    }

    /// Owner and group as far as the process may give them, and the mode; a group that could not be kept gets no
    /// rights that all others lack.
    private static func copyOwnership(of earlier: stat, to descriptor: Int32) {
        var mode = earlier.st_mode & 0o777
        if fchown(descriptor, earlier.st_uid, earlier.st_gid) != 0,
            fchown(descriptor, uid_t.max, earlier.st_gid) != 0
        {
            mode = mode & ~0o070 | (mode & 0o007) << 3
        }
        fchmod(descriptor, mode)
    }

    /// Writes text of any origin.
    func write(_ text: String) throws {
        try write(bytes: (isShown ? text.printable(keepsLines: true) : text).utf8)
    }

    /// Writes text that may hold the control characters of colours.
    func write(styled text: String) throws { try write(bytes: text.utf8) }

    /// Writes what a writer holds.
    /// - Throws: `OutputError` where it was given a number that JSON has no form for.
    func write(_ json: inout JSONWriter) throws {
        if let (path, value) = json.refused {
            throw OutputError(file: name, reason: "\(path) is \(value)")
        }
        try write(bytes: json.take().utf8)
    }

    /// Writes what `body` does, and the end of the line.
    func writeJSON(_ body: (inout JSONWriter) throws -> Void) throws {
        var json = JSONWriter()
        try body(&json)
        try write(&json)
        try write("\n")
    }

    func write(bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        // What is shown is counted first: long ones go through a pager.
        if buffer.count >= 1 << 16, terminal == nil { try flush() }
    }

    /// Writes what is buffered; a file that is to take a name is on the disk after that.
    fileprivate func complete() throws {
        if case .named(let asked) = columns, let unknown = asked.first(where: { !knownColumns.contains($0) })
        {
            throw UnknownColumnError(name: unknown, known: knownColumns)
        }
        if let terminal, terminal.page(buffer) { buffer.removeAll() }
        try flush()
        if isReplacement, fsync(descriptor) != 0 { throw OutputError.system(name) }
        let closed = close(descriptor)
        descriptor = -1
        if closed != 0 { throw OutputError.system(name) }
    }

    /// Gives the file its name.
    fileprivate func publish() throws {
        guard let temporary, let place else { return }
        guard unsafe rename(temporary, place) == 0 else { throw OutputError.system(name) }
        PartialFiles.remove(temporary)
        self.temporary = nil
        let folder = unsafe open(Destination.folder(of: place), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private func flush() throws {
        var start = 0
        while start < buffer.count {
            let written = unsafe buffer.withUnsafeBytes {
                unsafe Foundation.write(
                    descriptor, $0.baseAddress.map { unsafe $0 + start }, buffer.count - start)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw OutputError.system(name) }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// The target of an output's name.
private enum Destination {
    /// An open descriptor of this process.
    case descriptor(Int32)
    /// A device, a pipe or a socket.
    case special(String)
    /// A regular file, or nothing yet.
    case file(String, earlier: stat?)

    init(_ path: String) throws {
        var path = path
        for _ in 0..<40 {
            if let number = Self.descriptor(path) {
                self = .descriptor(number)
                return
            }
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else {
                guard errno == ENOENT else { throw OutputError.system(path) }
                self = .file(path, earlier: nil)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
                    throw OutputError.system(path)
                }
                path = target.hasPrefix("/") ? target : Self.folder(of: path) + "/" + target
            case S_IFREG:
                guard unsafe access(path, W_OK) == 0 else { throw OutputError.system(path) }
                self = .file(path, earlier: status)
                return
            case S_IFDIR:
                errno = EISDIR
                throw OutputError.system(path)
            default:
                self = .special(path)
                return
            }
        }
        errno = ELOOP
        throw OutputError.system(path)
    }

    /// The number of a name in `/dev/fd` or `/proc/self/fd`.
    private static func descriptor(_ path: String) -> Int32? {
        guard let slash = path.lastIndex(of: "/"), let number = Int32(path[path.index(after: slash)...]),
            let folder = unsafe realpath(Self.folder(of: path), nil)
        else { return nil }
        defer { unsafe free(folder) }
        return unsafe String(cString: folder) == "/proc/\(getpid())/fd" ? number : nil
    }

    /// The name by which a file is the same however its folder is written.
    static func resolved(_ path: String) -> String {
        guard let folder = unsafe realpath(folder(of: path), nil) else { return path }
        defer { unsafe free(folder) }
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        return unsafe String(cString: folder) + "/" + name
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
