import Greeks
import Hedging
import Rebalancing
import VectorMath

/// The options that are traded to hedge, along the eight paths of a block: their values, shared by all
/// policies, and what the policy at hand holds of them.
final class OptionHedges {
    let terms: [HedgeOption]
    /// One contract each.
    let tracks: [BookTrack]
    /// Contracts held, and those of the step at hand.
    let positions, trades: ColumnStorage<Lanes>
    /// One contract each, as the policy last saw it.
    let seen: ColumnStorage<PathSums>
    private let solver = HedgeSolver()

    init(_ terms: [HedgeOption], _ schedules: [BookSchedule], _ engine: GreeksEngine) {
        self.terms = terms
        tracks = schedules.map { BookTrack($0, engine) }
        positions = ColumnStorage(repeating: .zero, count: terms.count)
        trades = ColumnStorage(repeating: .zero, count: terms.count)
        seen = ColumnStorage(repeating: PathSums(), count: terms.count)
    }

    /// Before a policy's first step.
    func reset() {
        positions.fill(.zero)
        trades.fill(.zero)
    }

    /// Value of the held options.
    @inline(__always)
    func value(_ time: Int) -> Lanes {
        var sum = Lanes.zero
        for index in terms.indices { sum += positions[index] * tracks[index].sums[time].price }
        return sum
    }

    @inline(__always)
    func delta(_ time: Int) -> Lanes {
        var sum = Lanes.zero
        for index in terms.indices { sum += positions[index] * tracks[index].sums[time].delta }
        return sum
    }

    /// Payoffs of what is held and settles at a time.
    func settlement(_ time: Int) -> Lanes {
        var sum = Lanes.zero
        for index in terms.indices { sum += positions[index] * tracks[index].settlement[time] }
        return sum
    }

    /// Contracts sold short that have not settled.
    func short(_ time: Int) -> Lanes {
        var sum = Lanes.zero
        for index in terms.indices where isListed(index, time) { sum += positions[index].negated.atLeast(0) }
        return sum
    }

    /// Forgets positions, of what has settled or in some lanes.
    func drop(settledAt time: Int) {
        for index in terms.indices where !isListed(index, time) { positions[index] = .zero }
    }

    func drop(where mask: LaneMask) {
        for index in terms.indices { positions[index] = positions[index].kept(where: .!mask) }
    }

    @inline(__always)
    func isListed(_ index: Int, _ time: Int) -> Bool { tracks[index].schedule.settlementTimes[0] > time }

    /// Takes over today's values where they are fresh, and adds what is held to the state.
    func look(_ time: Int, where fresh: LaneMask, into state: inout RebalancingState) {
        for index in terms.indices {
            seen[index].replace(with: tracks[index].sums[time], where: fresh)
            state.delta += positions[index] * seen[index].delta
            state.gamma += positions[index] * seen[index].gamma
            state.vega += positions[index] * seen[index].vega
            state.theta += positions[index] * seen[index].theta
        }
    }

    /// The delta of what is held with all volatilities scaled.
    func delta(at time: Int, volatilityScale: Lanes) -> Lanes {
        var sum = Lanes.zero
        for index in terms.indices where isListed(index, time) {
            sum += positions[index] * tracks[index].delta(at: time, volatilityScale: volatilityScale)
        }
        return sum
    }

    /// Per contract: half the spread, and the fee.
    @inline(__always)
    func costs(_ index: Int, value: Lanes, spot: Lanes) -> (spread: Lanes, fee: Lanes) {
        let terms = terms[index]
        let fee = pointwiseMin(
            spot * Lanes(repeating: terms.fee), value * Lanes(repeating: terms.feeCap))
        return (value * Lanes(repeating: terms.halfSpread), fee)
    }

    /// One position as the optimizer sees it.
    struct Request {
        var lane: Int
        var time: Int
        var spot: Double
        /// Bands that count, each with what is there now; delta among them or not.
        var bands: [Band]
        /// Whether premiums are paid in coin, which carry delta.
        var paysCoin: Bool
        /// Of a coin of the underlying: cost, and how many may be bought and sold, infinite where any may.
        var cost, mostBought, mostSold: Double
        var tradesOptions: Bool
    }

    struct Band {
        var greek: RebalancedGreek
        var current, low, high: Double

        /// More than ever has to be moved.
        var size: Double {
            current.magnitude + (low.isFinite ? low.magnitude : 0) + (high.isFinite ? high.magnitude : 0)
        }
    }

    /// The exposure that one contract adds to a Greek.
    private func exposure(_ index: Int, _ greek: RebalancedGreek, _ request: Request) -> Double {
        let (option, lane) = (seen[index], request.lane)
        return switch greek {
        case .delta: option.delta[lane] - (request.paysCoin ? option.price[lane] / request.spot : 0)
        case .gamma: option.gamma[lane]
        case .vega: option.vega[lane]
        case .theta: option.theta[lane]
        }
    }

    /// The cheapest trades that bring all bands within their limits, or else the nearest to that: the
    /// underlying's are returned, the options' are left in `trades`.
    ///
    /// Every problem is solved from nothing, so that it depends on its own position alone.
    /// - Returns: nil where no trades were found; and whether they are proved to be the cheapest that meet all bands.
    func solve(_ request: Request) -> (underlying: Double, isMet: Bool)? {
        let lane = request.lane
        var problem = HedgeProblem(underlyings: ["underlying"])
        problem.add(
            "underlying",
            HedgeInstrument(costBuy: request.cost, costSell: request.cost, maximumBuy: 0, maximumSell: 0))
        var listed: [Int] = []
        // What the underlying may have to make up for. Limits far beyond what is needed cost the solver
        // digits.
        var mostDelta = 0.0
        for band in request.bands where band.greek == .delta { mostDelta += band.size }
        if request.tradesOptions {
            for index in terms.indices where isListed(index, request.time) {
                var most = 0.0
                for band in request.bands where band.greek != .delta {
                    let amount = exposure(index, band.greek, request).magnitude
                    if amount > 0 { most = max(most, 20 * band.size / amount) }
                }
                most = min(most, terms[index].largestTrade)
                guard most > 0 else { continue }
                mostDelta += most * exposure(index, .delta, request).magnitude
                let costs = costs(index, value: seen[index].price, spot: Lanes(repeating: request.spot))
                let cost = costs.spread[lane] + costs.fee[lane]
                problem.add(
                    terms[index].name,
                    HedgeInstrument(costBuy: cost, costSell: cost, maximumBuy: most, maximumSell: most))
                listed.append(index)
            }
        }
        problem.instruments[0].maximumBuy = min(request.mostBought, mostDelta)
        problem.instruments[0].maximumSell = min(request.mostSold, mostDelta)
        for band in request.bands {
            var coefficients: [(instrument: Int, coefficient: Double)] = []
            if band.greek == .delta { coefficients.append((0, 1)) }
            for (place, index) in listed.enumerated() {
                let amount = exposure(index, band.greek, request)
                if amount != 0 { coefficients.append((place + 1, amount)) }
            }
            problem.add(
                band.greek.rawValue, HedgeBand(hard: band.low, band.high, current: band.current),
                coefficients: coefficients)
        }
        guard let status = try? solver.solve(problem) else { return nil }
        var found = solver.solution.trades
        if status == .infeasible {
            guard let nearest = try? solver.diagnose(problem), !nearest.trades.isEmpty else { return nil }
            found = nearest.trades
        }
        for (place, index) in listed.enumerated() { trades[index][lane] = found[place + 1] }
        return (found[0], status == .optimal)
    }
}
