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
    let engine: GreeksEngine
    let terms: TradingTerms
    let funding: Funding
    let flow: ReflexiveFlow?
    let schedule: BookSchedule
    /// What policies on other Greeks than delta hedge with.
    public let options: [HedgeOption]
    let optionSchedules: [BookSchedule]

    /// How many paths a thread takes at a time.
    public static let chunk = 32

    /// - Parameters:
    ///   - surface: how volatilities move; the options' own are those at the start.
    ///   - options: that policies on gamma, vega and theta trade beside `instrument`; others leave them
    ///     alone.
    ///   - venues: in order of preference: the next is used where those before are down.
    ///   - flow: other hedgers, who move all prices of the paths.
    ///   - closesAtEnd: whether the hedge is closed, at its cost, at the last time.
    ///   - deltaLimit: coins of |delta| beyond which time counts as outside; nothing is enforced.
    ///   - positionLimit: coins of |hedge| that are never exceeded.
    ///   - oldestPrice: seconds of age beyond which no price is traded on.
    /// - Throws: for what cannot be simulated.
    public init(
        model: any PathModel, surface: SurfaceDynamics, book: HedgedBook, instrument: HedgeContract,
        options: [HedgeOption] = [], venues: [Venue], policies: [any RebalancingPolicy],
        funding: Funding = .none,
        margin: MarginAccount? = nil,
        flow: ReflexiveFlow? = nil, closesAtEnd: Bool = true, deltaLimit: Double = .infinity,
        positionLimit: Double = .infinity, oldestPrice: Double = 0, seed: UInt64, engine: GreeksEngine
    ) throws(SimulationError) {
        try instrument.validate()
        guard !venues.isEmpty else {
            throw .invalidParameter(model: "venue", name: "count", value: 0, reason: "expected at least one")
        }
        for venue in venues { try venue.validate() }
        try margin?.validate(instrument)
        try flow?.validate()
        for policy in policies where policy.tradesOptions && options.isEmpty {
            throw .invalidParameter(
                model: "policy", name: policy.name, value: 0,
                reason: "options to hedge with: bands on gamma, vega and theta want at least one")
        }
        for option in options { try option.validate() }
        try SimulationError.require(deltaLimit >= 0, "limits", "delta", deltaLimit, "is not at least 0")
        try SimulationError.require(
            positionLimit >= 0, "limits", "position", positionLimit, "is not at least 0")
        try SimulationError.require(oldestPrice >= 0, "limits", "data age", oldestPrice, "is not at least 0")
        self.model = model
        self.surface = surface
        self.book = book
        self.policies = policies
        self.seed = seed
        self.engine = engine
        self.funding = funding
        self.flow = flow
        terms = TradingTerms(
            instrument: instrument, venues: venues, margin: margin, closesAtEnd: closesAtEnd,
            deltaLimit: deltaLimit, positionLimit: positionLimit, oldestPrice: oldestPrice)
        schedule = try BookSchedule(book, model.grid, engine)
        self.options = options
        var schedules: [BookSchedule] = []
        for option in options {
            var one = option.book
            (one.settlement, one.rate, one.dividend) = (book.settlement, book.rate, book.dividend)
            schedules.append(try BookSchedule(one, model.grid, engine))
        }
        optionSchedules = schedules
    }

    /// Runs paths `0` to `count − 1`, or as many as the model has.
    /// - Parameters:
    ///   - partial: figures of an earlier run of the same simulation, whose paths are not run again.
    ///   - progress: told how many paths are done, by one thread or another, one at a time; false stops the
    ///     run, which then returns what is complete.
    public func run(
        paths count: Int, threads: Int = 1, resuming partial: HedgingFigures? = nil,
        progress: (@Sendable (Int) -> Bool)? = nil
    ) -> HedgingFigures {
        let count = min(count, model.pathCount ?? count)
        let figures = HedgingFigures(policies: policies.map(\.name), paths: count)
        var done = 0
        if let partial, partial.policies == figures.policies {
            done = min(partial.completed, count) / Self.chunk * Self.chunk
            if partial.completed >= count { done = count }
            figures.copy(partial, paths: done)
        }
        let work = SharedWork(next: done, completed: done)
        onThreads(threads) {
            let worker = SimulationWorker(self)
            while true {
                let first = work.next.wrappingAdd(Self.chunk, ordering: .relaxed).oldValue
                guard first < count, !work.isStopped.load(ordering: .relaxed) else { return }
                for path in stride(from: first, to: min(first + Self.chunk, count), by: 8) {
                    worker.run(firstPath: path, into: figures)
                }
                let total = work.completed.wrappingAdd(
                    min(Self.chunk, count - first), ordering: .acquiringAndReleasing
                ).newValue
                if let progress, !work.report({ progress(total) }) {
                    work.isStopped.store(true, ordering: .relaxed)
                }
            }
        }
        // Chunks are taken in order and finished by whoever took them, so that those complete come first.
        figures.completed = work.completed.load(ordering: .acquiring)
        return figures
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

/// What threads share: chunks are handed out in order.
private final class SharedWork: Sendable {
    let next: Atomic<Int>
    let completed: Atomic<Int>
    let isStopped = Atomic<Bool>(false)
    private let reporting = Mutex(())

    init(next: Int, completed: Int) {
        self.next = Atomic(next)
        self.completed = Atomic(completed)
    }

    func report(_ body: () -> Bool) -> Bool { reporting.withLock { _ in body() } }
}

/// The buffers of one thread.
final class SimulationWorker {
    private let simulation: HedgingSimulation
    private let block: PathBlock
    private let book: BookTrack
    private let instrument: InstrumentTrack
    private let venues: [VenueTrack]
    private let options: OptionHedges?
    private let loop: HedgingLoop
    /// Distinct estimators, and which of them each policy wants.
    private var estimators: [VolatilityEstimator]
    private let estimates: [UnsafeMutablePointer<Lanes>]
    private let estimateOfPolicy: [Int?]

    init(_ simulation: HedgingSimulation) {
        self.simulation = simulation
        let grid = simulation.model.grid
        let kinds = simulation.policies.map(\.realisedVolatility)
        var distinct: [RealisedVolatility] = []
        var estimators: [VolatilityEstimator] = []
        estimateOfPolicy = kinds.map { kind in
            guard let kind else { return nil }
            if let index = distinct.firstIndex(of: kind) { return index }
            // A policy has checked its estimator.
            guard let estimator = try? VolatilityEstimator(kind, stepYears: grid.stepYears) else {
                return nil
            }
            estimators.append(estimator)
            distinct.append(kind)
            return distinct.count - 1
        }
        self.estimators = estimators
        let hasRanges = distinct.contains {
            switch $0 {
            case .parkinson, .garmanKlass: true
            default: false
            }
        }
        estimates = distinct.map { _ in
            let track = UnsafeMutablePointer<Lanes>.allocate(capacity: grid.steps + 1)
            track.initialize(repeating: Lanes(repeating: .nan), count: grid.steps + 1)
            return track
        }
        block = PathBlock(steps: grid.steps, hasRanges: hasRanges)
        book = BookTrack(simulation.schedule, simulation.engine)
        instrument = InstrumentTrack(simulation.terms.instrument, simulation.funding, grid)
        venues = simulation.terms.venues.enumerated().map { VenueTrack($1, index: $0, grid) }
        let tradesOptions = simulation.policies.contains { $0.tradesOptions }
        options =
            tradesOptions
            ? OptionHedges(simulation.options, simulation.optionSchedules, simulation.engine) : nil
        loop = HedgingLoop(simulation.terms, book, instrument, venues, options)
    }

    deinit { for track in estimates { track.deallocate() } }

    private func prepare(firstPath: Int) {
        let path = UInt32(truncatingIfNeeded: firstPath)
        simulation.model.fill(block, seed: simulation.seed, firstPath: firstPath)
        simulation.flow?.apply(to: block)
        simulation.surface.fill(block, on: simulation.model.grid, seed: simulation.seed, firstPath: firstPath)
        book.value(block, curvature: simulation.surface.curvature)
        if let options {
            for track in options.tracks { track.value(block, curvature: simulation.surface.curvature) }
        }
        instrument.draw(block, seed: simulation.seed, firstPath: path)
        for venue in venues { venue.draw(block, seed: simulation.seed, firstPath: path) }
        for index in estimators.indices {
            estimators[index].reset()
            for step in 0..<block.steps {
                let (open, close) = (block.spot[step], block.spot[step + 1])
                estimators[index].update(
                    open: open, high: block.hasRanges ? block.high[step] : close,
                    low: block.hasRanges ? block.low[step] : close, close: close)
                estimates[index][step + 1] = estimators[index].volatility
            }
        }
    }

    private func run(_ policy: any RebalancingPolicy, _ index: Int, trace: (Int, (TracedStep) -> Void)?) {
        let realised = estimateOfPolicy[index].map { UnsafePointer(estimates[$0]) }
        loop.run(policy, block, realised: realised, trace: trace)
    }

    /// Runs all policies on eight paths.
    func run(firstPath: Int, into figures: HedgingFigures) {
        prepare(firstPath: firstPath)
        for (index, policy) in simulation.policies.enumerated() {
            run(policy, index, trace: nil)
            figures.store(loop, policy: index, firstPath: firstPath)
        }
    }

    func trace(policy: Int, path: Int, _ body: @escaping (TracedStep) -> Void) {
        prepare(firstPath: path / 8 * 8)
        run(simulation.policies[policy], policy, trace: (path % 8, body))
    }
}
