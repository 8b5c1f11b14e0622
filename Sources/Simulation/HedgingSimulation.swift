import Greeks
import Rebalancing
import Synchronization
import VectorMath

/// Policies compared on the same paths, the same failures, the same fills.
///
/// Every path's figures are a function of the seed and the path's number alone, so that a simulation can be
/// interrupted and resumed, shared among threads, or one path replayed, with the same bits.
public struct HedgingSimulation: Sendable {
    public let model: any PathModel
    public let surface: SurfaceDynamics
    public let book: HedgedBook
    public let policies: [any RebalancingPolicy]
    public let seed: UInt64
    public let terms: TradingTerms
    let engine: GreeksEngine
    let schedule: BookSchedule
    let optionSchedules: [BookSchedule]

    /// Number of paths that a thread takes at a time.
    public static let chunk = 32

    /// - Parameter surface: how volatilities move; the options' own are those at the start.
    /// - Throws: for what cannot be simulated.
    public init(
        model: any PathModel, surface: SurfaceDynamics, book: HedgedBook, terms: TradingTerms,
        policies: [any RebalancingPolicy], seed: UInt64, engine: GreeksEngine
    ) throws(SimulationError) {
        try terms.validate(model.grid)
        for policy in policies where policy.tradesOptions && terms.options.isEmpty {
            throw .invalidParameter(
                model: "policy", name: policy.name, value: 0,
                reason: "options to hedge with: bands on gamma, vega and theta want at least one")
        }
        self.model = model
        self.surface = surface
        self.book = book
        self.terms = terms
        self.policies = policies
        self.seed = seed
        self.engine = engine
        schedule = try BookSchedule(book, model.grid, engine)
        var schedules: [BookSchedule] = []
        for option in terms.options {
            var one = option.book
            (one.settlement, one.rate, one.dividend) = (book.settlement, book.rate, book.dividend)
            schedules.append(try BookSchedule(one, model.grid, engine))
        }
        optionSchedules = schedules
        if let rule = terms.marginModel {
            guard terms.margin != nil else {
                throw .invalidParameter(
                    model: "margin", name: "model", value: 0, reason: "needs the account's collateral")
            }
            _ = try VenueMargin(rule, terms, schedule, schedules, engine)
        }
    }

    /// The venue's own rule, for a thread.
    func venueMargin() -> VenueMargin? {
        guard let rule = terms.marginModel else { return nil }
        // The same has been made once, when the simulation was.
        return try? VenueMargin(rule, terms, schedule, optionSchedules, engine)
    }

    /// Runs paths `0` to `count − 1`, or as many as the model has; none where that is below 0.
    /// - Parameters:
    ///   - partial: figures of an earlier run of the same simulation, whose paths are not run again.
    ///   - progress: told how many paths are done, by one thread or another, one at a time; false stops the
    ///     run, which then returns what is complete.
    public func run(
        paths count: Int, threads: Int = 1, resuming partial: PathOutcomes? = nil,
        progress: (@Sendable (Int) -> Bool)? = nil
    ) -> PathOutcomes {
        let count = max(0, min(count, model.pathCount ?? count))
        let outcomes = PathOutcomes(policies: policies.map(\.name), paths: count)
        var done = 0
        if let partial, partial.policies == outcomes.policies {
            done = min(partial.completed, count) / Self.chunk * Self.chunk
            if partial.completed >= count { done = count }
            outcomes.copy(partial, paths: done)
        }
        let work = SharedWork(next: done, completed: done)
        onThreads(threads) {
            let worker = SimulationWorker(self)
            while let first = work.take(Self.chunk, below: count) {
                for path in stride(from: first, to: min(first + Self.chunk, count), by: 8) {
                    worker.run(firstPath: path, into: outcomes)
                }
                let total = work.completed.wrappingAdd(
                    min(Self.chunk, count - first), ordering: .acquiringAndReleasing
                ).newValue
                if let progress, !work.report({ progress(total) }) {
                    work.isStopped.store(true, ordering: .relaxed)
                }
            }
        }
        outcomes.completed = work.completed.load(ordering: .acquiring)
        return outcomes
    }

    /// One path again, step by step, alone.
    public func trace(policy: Int, path: Int) -> [TracedStep] {
        let worker = SimulationWorker(self)
        var steps: [TracedStep] = []
        steps.reserveCapacity(model.grid.steps)
        worker.trace(policy: policy, path: path) { steps.append($0) }
        return steps
    }
}

/// The work that threads share: chunks are handed out in order.
private final class SharedWork: Sendable {
    let next: Atomic<Int>
    let completed: Atomic<Int>
    let isStopped = Atomic<Bool>(false)
    private let reporting = Mutex(())

    init(next: Int, completed: Int) {
        self.next = Atomic(next)
        self.completed = Atomic(completed)
    }

    /// The first path of the next chunk; nil where there is none, and once the work is stopped. Chunks are taken in order
    /// and finished by whoever took them, so that those complete come first: whether to stop is asked before one is taken.
    func take(_ chunk: Int, below count: Int) -> Int? {
        guard !isStopped.load(ordering: .relaxed) else { return nil }
        let first = next.wrappingAdd(chunk, ordering: .relaxed).oldValue
        return first < count ? first : nil
    }

    func report(_ body: () -> Bool) -> Bool { reporting.withLock { _ in body() } }
}
