import Foundation

/// The size of a terminal, and what is done with text that is longer.
struct TerminalSize {
    let columns, lines: Int

    /// Nil where it has none.
    init?(_ descriptor: Int32) {
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        (columns, lines) = (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows text that is longer than the terminal through PAGER (less, unless told; none where it is empty or cat).
    /// - Returns: whether it was shown.
    func page(_ text: [UInt8]) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        let pager = environment["PAGER"] ?? "less"
        guard lines > 0, text.count(where: { $0 == 10 }) >= lines, !pager.isEmpty, pager != "cat",
            environment["TERM"] != "dumb", isatty(STDIN_FILENO) == 1
        else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "command -v \"${1%% *}\" >/dev/null || exit 127; exec $1", "sh", pager]
        // Colours as they are, and what fits one screen simply shown.
        process.environment = environment.merging(["LESS": "FRX"]) { own, _ in own }
        let pipe = Pipe()
        process.standardInput = pipe
        let earlier = signal(SIGPIPE, SIG_IGN)
        defer { _ = signal(SIGPIPE, earlier) }
        guard (try? process.run()) != nil else { return false }
        // A reader who has seen enough closes it.
        try? pipe.fileHandleForWriting.write(contentsOf: Data(text))
        try? pipe.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus != 127
    }
}
