/// Times contestants in turn, so that a change in the machine's speed hits all of them, and returns the
/// median of each in seconds per call.
public func interleavedMedians(rounds: Int, _ contestants: [() -> Void]) -> [Double] {
    let clock = ContinuousClock()
    // As many calls per sample as fill some milliseconds.
    let repetitions = contestants.map { body in
        body()
        let once = clock.measure(body)
        return max(1, Int(Duration.milliseconds(4) / max(once, .nanoseconds(100))))
    }
    var samples = contestants.map { _ in [Double]() }
    for _ in 0..<rounds {
        for (number, body) in contestants.enumerated() {
            let time = clock.measure { for _ in 0..<repetitions[number] { body() } }
            samples[number].append(time / .seconds(1) / Double(repetitions[number]))
        }
    }
    return samples.map { $0.sorted()[rounds / 2] }
}
