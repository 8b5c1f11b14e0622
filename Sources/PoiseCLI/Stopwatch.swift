import Market

/// The times of a run's stages.
struct Stopwatch {
    private let clock = ContinuousClock()
    private var last = ContinuousClock.now
    private var laps: [(name: String, milliseconds: Double)] = []

    /// Ends a stretch of work under a name.
    mutating func lap(_ name: String) {
        let now = clock.now
        laps.append((name, (now - last) / .milliseconds(1)))
        last = now
    }

    /// `read 12.1 ms, price 0.03 ms`.
    var text: String {
        laps.map { "\($0.name) \($0.milliseconds.grouped(decimals: 3)) ms" }.joined(separator: ", ")
    }

    /// The member `milliseconds` of a JSON object, on a line of its own.
    func write(to json: inout JSONWriter) {
        json.line(1)
        json.object("milliseconds") { json in
            for (name, milliseconds) in laps { json.member(name, milliseconds) }
        }
    }
}
