import Foundation

/// How far a long run is, on standard error, where that is a terminal: one line that rewrites itself.
struct Progress {
    private let what: String
    private let count: Int
    private let isShown: Bool
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private var hasWritten = false

    init(_ what: String, count: Int) {
        self.what = what
        self.count = count
        isShown = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// At most some ten times a second, and not before a run has taken half a second.
    mutating func update(_ done: Int) {
        guard isShown else { return }
        let now = clock.now
        guard now - start > .milliseconds(500), now - last > .milliseconds(100) else { return }
        last = now
        hasWritten = true
        let share = Double(done) / Double(max(1, count))
        let left = (now - start) / .seconds(1) * (1 - share) / max(share, 1e-9)
        write(
            "\r\(Double(done).grouped(decimals: 0)) of \(Double(count).grouped(decimals: 0)) \(what), "
                + "\(Int(share * 100))%, \(Int(left.rounded(.up))) s left\u{1B}[K")
    }

    /// Clears the line.
    func finish() { if hasWritten { write("\r\u{1B}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
