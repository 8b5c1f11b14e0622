import Synchronization

/// The events of a link, for one reader. A reader who is slow loses no event of the account: of the market's, what does
/// not fit is dropped, and `overflow` tells so.
public struct VenueEvents: AsyncSequence, Sendable {
    public typealias Element = VenueEvent

    let queue: EventQueue

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let queue: EventQueue
        private var batch: [VenueEvent] = []
        private var place = 0

        fileprivate init(queue: EventQueue) { self.queue = queue }

        /// - Returns: nil once the link has stopped and all was taken, or the task is cancelled.
        public mutating func next() async -> VenueEvent? {
            if place == batch.count {
                guard let next = await queue.take() else { return nil }
                (batch, place) = (next, 0)
            }
            place += 1
            return batch[place - 1]
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}

/// Events between the loop that makes them and the task that takes them.
final class EventQueue: Sendable {
    private typealias Reader = CheckedContinuation<[VenueEvent]?, Never>

    private struct State {
        var events: [VenueEvent] = []
        var reader: Reader?
        var isOver = false
        var isFull = false
    }

    private let state = Mutex(State())
    private let most: Int
    /// Called when a full queue was taken.
    private let emptied: @Sendable () -> Void

    init(most: Int, emptied: @escaping @Sendable () -> Void) {
        self.most = most
        self.emptied = emptied
    }

    /// - Returns: whether more events wait than may.
    func put(_ events: [VenueEvent]) -> Bool {
        let (reader, batch, isFull) = state.withLock { state -> (Reader?, [VenueEvent], Bool) in
            state.events += events
            guard let reader = state.reader else {
                state.isFull = state.isFull || state.events.count > most
                return (nil, [], state.isFull)
            }
            let batch = state.events
            state.reader = nil
            state.events = []
            return (reader, batch, state.isFull)
        }
        reader?.resume(returning: batch)
        return isFull
    }

    func finish() {
        let reader = state.withLock { state in
            state.isOver = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func take() async -> [VenueEvent]? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (reader: Reader) in
                // Whoever is not to wait, and with what.
                let (ready, batch) = state.withLock { state -> (Reader?, [VenueEvent]?) in
                    guard state.events.isEmpty, !state.isOver, !Task.isCancelled else {
                        defer { state.events = [] }
                        return (reader, state.events.isEmpty ? nil : state.events)
                    }
                    // There is one reader: another one ends the first.
                    defer { state.reader = reader }
                    return (state.reader, nil)
                }
                ready?.resume(returning: batch)
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
        let wasFull = state.withLock { state in
            defer { state.isFull = false }
            return state.isFull
        }
        if wasFull { emptied() }
        return result
    }
}
