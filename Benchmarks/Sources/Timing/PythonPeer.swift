import Foundation

/// A contestant that lives in Python and times itself.
public enum PythonPeer {
    /// The interpreter: `POISE_PYTHON`, set by `scripts/bench-peers` to an environment that has the peers,
    /// or the system's.
    private static var interpreter: String {
        ProcessInfo.processInfo.environment["POISE_PYTHON"] ?? "python3"
    }

    /// The median seconds of seven calls of the function `run` that `body` defines, after a first one that
    /// does not count, and whatever text `run` returns; nil where it cannot run. `body` sees `sys.argv`.
    public static func measure(_ body: String, _ arguments: [String]) -> (seconds: Double, answer: String)? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                interpreter, "-c",
                """
                import sys, time, statistics
                \(body)
                answer = run()
                times = []
                for _ in range(7):
                    start = time.perf_counter()
                    run()
                    times.append(time.perf_counter() - start)
                print(statistics.median(times), answer)
                """,
            ] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self).split(separator: "\n").last ?? ""
        let fields = text.split(separator: " ", maxSplits: 1)
        guard let seconds = fields.first.flatMap({ Double($0) }) else { return nil }
        return (seconds, fields.count > 1 ? String(fields[1]) : "")
    }
}
