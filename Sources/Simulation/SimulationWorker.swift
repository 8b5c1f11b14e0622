import Greeks
import Rebalancing
import VectorMath

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
    private let estimates: [EstimateTrack]
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
        estimates = distinct.map { _ in EstimateTrack(times: grid.steps + 1) }
        block = PathBlock(steps: grid.steps, hasRanges: hasRanges)
        book = BookTrack(simulation.schedule, simulation.engine)
        instrument = InstrumentTrack(simulation.terms.instrument, simulation.terms.funding, grid)
        venues = simulation.terms.venues.enumerated().map { VenueTrack($1, index: $0, grid) }
        let tradesOptions = simulation.policies.contains { $0.tradesOptions }
        options =
            tradesOptions
            ? OptionHedges(simulation.terms.options, simulation.optionSchedules, simulation.engine) : nil
        loop = HedgingLoop(
            simulation.terms, book, instrument, venues, options, simulation.venueMargin())
    }

    private func prepare(firstPath: Int) {
        let path = UInt32(truncatingIfNeeded: firstPath)
        simulation.model.fill(block, seed: simulation.seed, firstPath: firstPath)
        simulation.terms.flow?.apply(to: block)
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
                estimates[index].volatility[step + 1] = estimators[index].volatility
            }
        }
    }

    private func run(_ policy: any RebalancingPolicy, _ index: Int, trace: (Int, (TracedStep) -> Void)?) {
        loop.run(policy, block, realised: estimateOfPolicy[index].map { estimates[$0] }, trace: trace)
    }

    /// Runs all policies on eight paths.
    func run(firstPath: Int, into outcomes: PathOutcomes) {
        prepare(firstPath: firstPath)
        for (index, policy) in simulation.policies.enumerated() {
            run(policy, index, trace: nil)
            outcomes.store(loop, policy: index, firstPath: firstPath)
        }
    }

    func trace(policy: Int, path: Int, _ body: @escaping (TracedStep) -> Void) {
        prepare(firstPath: path / 8 * 8)
        run(simulation.policies[policy], policy, trace: (path % 8, body))
    }
}

/// An estimator's volatility at each time of a block; NaN before there is one.
final class EstimateTrack {
    let volatility: ColumnStorage<Lanes>

    init(times: Int) { volatility = ColumnStorage(repeating: Lanes(repeating: .nan), count: times) }
}
