import GreeksKernel
import Glibc
import Synchronization

/// Threads that share a batch of options with the caller.
///
/// A batch is cut into chunks of fixed size, whoever computes them, so that results are the same bits as on
/// one thread. Each thread begins with its own share of the rows, the same in every call, so that a batch that is
/// computed again finds its columns in the caches where it left them; who is done helps the others. A batch below
/// `leastShared` stays on the calling thread. The threads are made once, sleep between batches after a moment of
/// waiting, and end with the pool; a call allocates nothing.
///
/// A pool serves one call at a time: calls from several threads are computed one after the other, each with
/// all threads. No thread is started behind a host's back: `threads` is what the host says.
public final class GreeksPool: @unchecked Sendable {
    /// Options per chunk: a microsecond or two of work, which fit the first-level cache.
    public static let chunk = 256
    /// Options from which on threads share a batch: to wake one takes as long as some hundreds of options do.
    public static let leastShared = 8 * chunk

    public let engine: GreeksEngine
    /// Number of threads that compute, the caller included.
    public let threads: Int

    @safe private struct Job {
        var selection: GreekSet
        var model: OptionModel
        var input: FullFormColumns
        var output: GreekColumns
        var count: Int
        var streams: Bool
        /// Writers past the caches wait for the stores after each chunk: fewer, larger ones.
        var chunk: Int { streams ? 32 * GreeksPool.chunk : GreeksPool.chunk }
        var chunks: Int { (count + chunk - 1) / chunk }
    }

    // Written by the caller before the gate opens, read by workers who have come in.
    private var job: Job?
    /// The next chunk of each thread's share, a cache line apart.
    private let nextChunks: SpacedCounters
    private let startedWorkers = Atomic<Int>(0)
    /// The number of the call, whether workers may still come in, and how many are in. Who wakes up when all is
    /// done finds the gate closed, so that no call waits for one that sleeps.
    private let gate = Atomic<Int>(0)
    private static let open = 1 << 16
    private static let call = 1 << 17
    private let isEnding = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)
    private let callers = Monitor()
    private let sleep = Monitor()
    private var workers: [pthread_t] = []

    /// - Parameter threads: how many compute, the caller included; 1 starts none.
    /// - Throws: `invalidThreadCount` below 1 or above 1,024, `cannotStartThreads` where the system refuses.
    public init(_ engine: GreeksEngine, threads: Int) throws(GreeksError) {
        guard (1...1024).contains(threads) else { throw .invalidThreadCount(threads) }
        self.engine = engine
        self.threads = threads
        nextChunks = SpacedCounters(count: threads)
        for _ in 1..<threads {
            var worker = pthread_t()
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            let failure = unsafe pthread_create(
                &worker, nil,
                { context in
                    guard let context = unsafe context else { return nil }
                    unsafe Unmanaged<GreeksPool>.fromOpaque(context).takeUnretainedValue().work()
                    return nil
                }, unsafe context)
            guard failure == 0 else {
                end()
                throw unsafe .cannotStartThreads(String(cString: strerror(failure)))
            }
            workers.append(worker)
        }
    }

    deinit { end() }

    /// As `GreeksEngine.fullForm`, on all threads of the pool.
    public func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ options: OptionColumns,
        into matrix: GreekMatrix
    ) {
        precondition(matrix.count == options.count, "a row for each option")
        unsafe fullForm(
            selection, model: model, options.pointers, count: options.count, into: matrix.columns)
        extendLifetime(options)
        extendLifetime(matrix)
    }

    /// The same by pointer.
    package func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ input: FullFormColumns, count: Int,
        into output: GreekColumns
    ) {
        guard threads > 1, count >= Self.leastShared else {
            unsafe engine.fullForm(selection, model: model, input, count: count, into: output)
            return
        }
        unsafe precondition(output.hold(selection), "a column of the selection is missing")
        precondition(selection.isSubset(of: model.greeks), "the model has not all Greeks of the selection")
        callers.lock()
        let job = unsafe Job(
            selection: selection, model: model, input: input, output: output, count: count,
            streams: engine.streams(selection, model, count, output))
        self.job = job
        for thread in 0..<threads {
            nextChunks.set(thread, to: share(thread, of: job.chunks))
        }
        gate.store(
            (gate.load(ordering: .relaxed) / Self.call + 1) * Self.call + Self.open,
            ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            sleep.lock()
            sleep.wakeAll()
            sleep.unlock()
        }
        computeChunks(0)
        // Workers still inside finish the chunk they hold, or find none left.
        gate.wrappingSubtract(Self.open, ordering: .sequentiallyConsistent)
        var spins = 0
        while gate.load(ordering: .acquiring) % Self.open != 0 {
            spins += 1
            if spins > 10_000 { sched_yield() }
        }
        callers.unlock()
    }

    /// A thread's own share, then what is left of the others'.
    private func computeChunks(_ own: Int) {
        guard let job else { return }
        for offset in 0..<threads {
            let thread = (own + offset) % threads
            let end = share(thread + 1, of: job.chunks)
            while true {
                let chunk = nextChunks.take(thread)
                guard chunk < end else { break }
                let start = chunk * job.chunk
                unsafe engine.fullForm(
                    job.selection, job.model, job.input.advanced(by: start),
                    count: min(job.chunk, job.count - start), streams: job.streams,
                    into: job.output.advanced(by: start))
            }
        }
    }

    /// The first chunk of a thread's share.
    private func share(_ thread: Int, of chunks: Int) -> Int { chunks * thread / threads }

    private func work() {
        let own = startedWorkers.wrappingAdd(1, ordering: .relaxed).newValue
        var seen = 0
        while true {
            var spins = 0
            while gate.load(ordering: .acquiring) / Self.call == seen && spins < 20_000 { spins += 1 }
            if gate.load(ordering: .acquiring) / Self.call == seen {
                sleep.lock()
                sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
                while gate.load(ordering: .sequentiallyConsistent) / Self.call == seen {
                    sleep.wait()
                }
                sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                sleep.unlock()
            }
            if isEnding.load(ordering: .acquiring) { return }
            var now = gate.load(ordering: .acquiring)
            seen = now / Self.call
            while now / Self.call == seen, now & Self.open != 0 {
                let (isIn, found) = gate.weakCompareExchange(
                    expected: now, desired: now + 1, ordering: .acquiringAndReleasing)
                if isIn {
                    computeChunks(own)
                    gate.wrappingSubtract(1, ordering: .releasing)
                    break
                }
                now = found
            }
        }
    }

    private func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        gate.wrappingAdd(Self.call, ordering: .sequentiallyConsistent)
        sleep.lock()
        sleep.wakeAll()
        sleep.unlock()
        for worker in workers { pthread_join(worker, nil) }
        workers = []
    }
}
