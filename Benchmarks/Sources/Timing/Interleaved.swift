import Glibc

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

/// The same by the processor time of the calling thread, for contestants without threads of their own: on a machine
/// that others use, too, what counts is how long the work took, not how long it waited for its turn.
public func interleavedProcessorMedians(rounds: Int, _ contestants: [() -> Void]) -> [Double] {
    let repetitions = contestants.map { body in
        body()
        return max(1, Int(0.004 / max(processorSeconds(body), 1e-7)))
    }
    var samples = contestants.map { _ in [Double]() }
    for _ in 0..<rounds {
        for (number, body) in contestants.enumerated() {
            let count = repetitions[number]
            samples[number].append(processorSeconds { for _ in 0..<count { body() } } / Double(count))
        }
    }
    return samples.map { $0.sorted()[rounds / 2] }
}

/// How long the calling thread has a processor for it.
public func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    let start = now()
    try body()
    return now() - start
}
