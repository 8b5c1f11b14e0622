import GreeksKernel
import Glibc
import Synchronization

/// Threads that share a batch of options with the caller.
///
/// A batch is cut into chunks of fixed size, whoever computes them, so that results are the same bits as on
/// one thread. A batch of one or two chunks stays on the calling thread. The threads are made once, sleep
/// between batches after a moment of waiting, and end with the pool; a call allocates nothing.
///
/// A pool serves one call at a time: calls from several threads are computed one after the other, each with
/// all threads. No thread is started behind a host's back: `threads` is what the host says.
public final class GreeksPool: @unchecked Sendable {
    /// Options per chunk: a few microseconds of work, which fit the first-level cache.
    public static let chunk = 512

    public let engine: GreeksEngine
    /// How many threads compute, the caller included.
    public let threads: Int

    private struct Job {
        var selection: GreekSet
        var model: OptionModel
        var input: FullFormColumns
        var output: GreekColumns
        var count: Int
    }

    // Written by the caller before `generation` rises, read by the workers after.
    private var job: Job?
    private let nextChunk = Atomic<Int>(0)
    private let busyWorkers = Atomic<Int>(0)
    private let generation = Atomic<Int>(0)
    private let isEnding = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)
    private let callers = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let sleep = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var workers: [pthread_t] = []

    /// - Parameter threads: how many compute, the caller included; 1 starts none.
    /// - Throws: `invalidThreadCount` below 1 or above 1,024, `cannotStartThreads` where the system refuses.
    public init(_ engine: GreeksEngine, threads: Int) throws(GreeksError) {
        guard (1...1024).contains(threads) else { throw .invalidThreadCount(threads) }
        self.engine = engine
        self.threads = threads
        pthread_mutex_init(callers, nil)
        pthread_mutex_init(sleep, nil)
        pthread_cond_init(wake, nil)
        for _ in 1..<threads {
            var worker = pthread_t()
            let context = Unmanaged.passUnretained(self).toOpaque()
            let failure = pthread_create(
                &worker, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<GreeksPool>.fromOpaque(context).takeUnretainedValue().work()
                    return nil
                }, context)
            guard failure == 0 else {
                end()
                throw .cannotStartThreads(String(cString: strerror(failure)))
            }
            workers.append(worker)
        }
    }

    deinit {
        end()
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(sleep)
        pthread_mutex_destroy(callers)
        wake.deallocate()
        sleep.deallocate()
        callers.deallocate()
    }

    /// As `GreeksEngine.fullForm`, on all threads of the pool.
    public func fullForm(
        _ selection: GreekSet, model: OptionModel = .blackScholesMerton, _ input: FullFormColumns, count: Int,
        into output: GreekColumns
    ) {
        guard threads > 1, count > 2 * Self.chunk else {
            engine.fullForm(selection, model: model, input, count: count, into: output)
            return
        }
        precondition(output.hold(selection), "a column of the selection is missing")
        pthread_mutex_lock(callers)
        job = Job(selection: selection, model: model, input: input, output: output, count: count)
        nextChunk.store(0, ordering: .relaxed)
        busyWorkers.store(threads - 1, ordering: .relaxed)
        generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(sleep)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(sleep)
        }
        computeChunks()
        // The others are in their last chunk, or about to see that there is none.
        var spins = 0
        while busyWorkers.load(ordering: .acquiring) > 0 {
            spins += 1
            if spins > 10_000 { sched_yield() }
        }
        pthread_mutex_unlock(callers)
    }

    private func computeChunks() {
        guard let job else { return }
        while true {
            let start = nextChunk.wrappingAdd(1, ordering: .relaxed).oldValue * Self.chunk
            guard start < job.count else { return }
            engine.fullForm(
                job.selection, model: job.model, job.input.advanced(by: start),
                count: min(Self.chunk, job.count - start), into: job.output.advanced(by: start))
        }
    }

    private func work() {
        var seen = 0
        while true {
            var spins = 0
            while generation.load(ordering: .acquiring) == seen && spins < 20_000 { spins += 1 }
            if generation.load(ordering: .acquiring) == seen {
                pthread_mutex_lock(sleep)
                sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
                while generation.load(ordering: .sequentiallyConsistent) == seen {
                    pthread_cond_wait(wake, sleep)
                }
                sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                pthread_mutex_unlock(sleep)
            }
            // One call is not over before every worker has been here: no generation is missed.
            seen += 1
            if isEnding.load(ordering: .acquiring) { return }
            computeChunks()
            busyWorkers.wrappingSubtract(1, ordering: .releasing)
        }
    }

    private func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(sleep)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(sleep)
        for worker in workers { pthread_join(worker, nil) }
        workers = []
    }
}
