import Foundation

/// The progress of a long run, on standard error, where that is a terminal: one line that rewrites itself. A host that runs the
/// tool gets it in numbers: lines `DONE COUNT WHAT` on the descriptor that POISE_PROGRESS names.
///
/// Called by one thread at a time.
final class Progress: @unchecked Sendable {
    private let what: String
    private let count: Int
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    /// The count at the first update.
    private var begun: Int?
    private var hasWritten = false
    private let host: FileHandle?

    /// Runs what tells its progress, and clears the line behind it, however it ends.
    /// - Parameter what: what is counted, in the plural, and maybe a verb: `contracts revalued`.
    static func shown<Result>(
        _ what: String, count: Int, _ body: (Progress) throws -> Result
    ) rethrows -> Result {
        let progress = Progress(what, count: count)
        defer { if progress.hasWritten { StandardError.write(styled: "\r\u{1B}[K") } }
        return try body(progress)
    }

    private init(_ what: String, count: Int) {
        self.what = what
        self.count = count
        let descriptor = ProcessInfo.processInfo.environment["POISE_PROGRESS"].flatMap { Int32($0) }
        host = descriptor.flatMap { fcntl($0, F_GETFD) >= 0 ? FileHandle(fileDescriptor: $0) : nil }
        isShown = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// At most some ten times a second, and not before a run has taken half a second.
    /// - Parameter reached: may lie beyond the last: work goes on in blocks.
    func update(_ reached: Int) {
        let done = min(reached, count)
        let now = ContinuousClock.now
        if let host, now - last > .milliseconds(100) || done >= count {
            last = now
            try? host.write(contentsOf: Array("\(done) \(count) \(what)\n".utf8))
        }
        guard isShown else { return }
        let begun = begun ?? done
        self.begun = begun
        guard now - start > .milliseconds(500), now - last > .milliseconds(100) else { return }
        last = now
        hasWritten = true
        let width = 40
        let filled = width * done / max(1, count)
        var text =
            "\r" + String(repeating: "━", count: filled) + String(repeating: "╌", count: width - filled)
        text += " \(Double(done).grouped(decimals: 0)) of \(Double(count).grouped(decimals: 0)) \(what)"
        if done > begun, done < count {
            let left = (now - start) / .seconds(1) / Double(done - begun) * Double(count - done)
            let seconds = Int(min(left, 1e9).rounded(.up))
            text += seconds < 60 ? ", \(seconds) s left" : ", \(seconds / 60) min \(seconds % 60) s left"
        }
        StandardError.write(styled: text + "\u{1B}[K")
    }
}
