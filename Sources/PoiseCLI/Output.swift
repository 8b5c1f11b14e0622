import Checks
import Foundation

/// Why an output file could not be written.
struct OutputError: PoiseError {
    let file: String
    let reason: String
    var description: String { "\(file): cannot write: \(reason)" }
}

/// Buffered text to standard output or to a file that appears under its name only when complete.
final class Output {
    private let path: String?
    private let temporary: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isFinished = false

    /// Whether the reader is a person at a terminal that shows colours.
    let isTerminal: Bool

    init(path: String?) throws {
        self.path = path == "-" ? nil : path
        temporary = "\(path ?? "").partial-\(getpid())"
        if let path = self.path {
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw OutputError(file: path, reason: String(cString: strerror(errno)))
            }
        } else {
            descriptor = STDOUT_FILENO
        }
        isTerminal =
            isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    deinit {
        if path != nil, !isFinished {
            close(descriptor)
            unlink(temporary)
        }
    }

    func write(_ text: String) throws { try write(bytes: text.utf8) }

    func write(bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Writes what is buffered and gives the file its name.
    func finish() throws {
        try flush()
        guard let path else { return }
        let closed = close(descriptor)
        isFinished = true
        if closed != 0 || rename(temporary, path) != 0 {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw OutputError(file: path, reason: reason)
        }
    }

    private func flush() throws {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, buffer.count - start)
                #else
                    Foundation.write(descriptor, $0.baseAddress.map { $0 + start }, buffer.count - start)
                #endif
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                throw OutputError(
                    file: path ?? "standard output", reason: String(cString: strerror(errno)))
            }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
