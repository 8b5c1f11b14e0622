import Glibc
import Synchronization

/// Runs a body on so many threads, the caller's included, and waits for all.
///
/// The work of threads that the system refuses is done by the others.
package func onThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var threads: [pthread_t] = []
    for _ in 1..<max(1, count) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, unsafe box.toOpaque())
        guard failure == 0 else {
            unsafe box.release()
            break
        }
        threads.append(thread)
    }
    body()
    for thread in threads { pthread_join(thread, nil) }
}

/// A lock, and a place to sleep under it. What takes the lock gives it back, on the same thread.
@safe struct Monitor: ~Copyable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func lock() { unsafe pthread_mutex_lock(mutex) }
    func unlock() { unsafe pthread_mutex_unlock(mutex) }
    /// Until someone wakes all, or for no reason. The lock is given back meanwhile.
    func wait() { unsafe pthread_cond_wait(condition, mutex) }
    func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

/// Counters a cache line apart, so that threads that count don't wait for each other's.
@safe struct SpacedCounters: ~Copyable {
    private let counters: UnsafeMutablePointer<Atomic<Int>>
    private let count: Int
    private static let spacing = 64 / MemoryLayout<Atomic<Int>>.stride

    init(count: Int) {
        self.count = count
        unsafe counters = .allocate(capacity: count * Self.spacing)
        for place in 0..<count * Self.spacing { unsafe (counters + place).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe counters.deinitialize(count: count * Self.spacing)
        unsafe counters.deallocate()
    }

    func set(_ index: Int, to value: Int) {
        precondition(index >= 0 && index < count, "no such counter")
        unsafe counters[index * Self.spacing].store(value, ordering: .relaxed)
    }

    /// The number that it was at.
    func take(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "no such counter")
        return unsafe counters[index * Self.spacing].wrappingAdd(1, ordering: .relaxed).oldValue
    }
}
