import Greeks
import Rebalancing
import VectorMath

/// What one policy's account went through on one path.
public enum PathFigure: Int, CaseIterable, Sendable {
    /// Equity at the end; it was 0 at the start.
    case profit
    /// The largest fall of equity below its highest value so far.
    case drawdown
    case trades
    /// Σ|trade|·price, in quote currency.
    case turnover
    case liquidations
    /// Shares of the times at which the delta, at the policy's own volatilities, was beyond the desk's limit,
    /// and at which the policy asked for a trade that the venues did not give.
    case timeOutside, timeUnhedged
    /// The largest |delta|·S.
    case worstExposure
    /// Σ trade·(middle at the fill − mark at the decision): what latency cost, whole steps included.
    case shortfall

    public var name: String {
        switch self {
        case .timeOutside: "time_outside"
        case .timeUnhedged: "time_unhedged"
        case .worstExposure: "worst_exposure"
        default: "\(self)"
        }
    }
}

/// One time of one path, as a chart or a test wants to see it.
public struct TracedStep: Sendable {
    public var hours, spot, mark: Double
    /// The delta of the book and of options held to hedge, the underlying's in coins before and after, and
    /// the band for their sum.
    public var bookDelta, hedgeBefore, hedgeAfter, bandLower, bandUpper: Double
    /// Of book and hedge, after this step's trades.
    public var gamma, vega, theta: Double
    /// Contracts held of each `HedgeOption`, after this step's trades.
    public var options: [Double]
    /// What the policy asked for, and what was filled in this step, in coins.
    public var asked, filled: Double
    /// Equity at the start of the step.
    public var equity: Double
    /// Of the first venue.
    public var isDown, isStale: Bool
    /// Per part, of the step that begins here.
    public var parts: [Double]
}

/// What policies share on a grid: where and with what they trade, and within which limits.
struct TradingTerms: Sendable {
    var instrument: HedgeContract
    var venues: [Venue]
    var margin: MarginAccount?
    var closesAtEnd: Bool
    /// The desk's limits, in coins: |delta| that counts as outside, |hedge| that is never exceeded.
    var deltaLimit, positionLimit: Double
    /// Older prices are not traded on, in seconds.
    var oldestPrice: Double
}

/// Runs one policy's account along the eight paths of a block.
///
/// Every step: look, decide, trade, evolve, explain. The account is kept twice: as cash, coins and positions,
/// which every payment changes, and as the parts of `ProfitPart`, which are computed from Greeks and prices.
/// Nothing is allocated per step.
final class HedgingLoop {
    let terms: TradingTerms
    let grid: TimeGrid
    let book: BookTrack
    let instrument: InstrumentTrack
    let venues: [VenueTrack]
    /// Sums over the steps, per part; per figure.
    let parts, figures: UnsafeMutablePointer<Lanes>
    /// Parts of the step at hand.
    let step: UnsafeMutablePointer<Lanes>
    /// Orders under way, per venue a ring of its delay in steps + 1: coins, and the mark at the decision.
    let rings, decisionMarks: UnsafeMutablePointer<Lanes>
    let ringStarts: [Int]
    let ringTotal: Int
    /// Own displacement of the price at each venue, as a part of it, and what is left of it after a step.
    let displacement: UnsafeMutablePointer<Lanes>
    let displacementDecay: [Double]
    let margin: MarginAccount?
    let options: OptionHedges?
    let deltaLimit: Lanes
    /// Volatility of the last day's returns over that of the path's first time, for spreads that widen.
    let volatilityRatio: UnsafeMutablePointer<Lanes>
    var account = Account()

    static let partCount = ProfitPart.allCases.count
    static let figureCount = PathFigure.allCases.count

    struct Account {
        var cash = Lanes.zero
        var coins = Lanes.zero
        /// Coins of spot or of a linear contract, or quote units of an inverse one.
        var position = Lanes.zero
        /// Orders under way, in coins.
        var pending = Lanes.zero
        var marginEquity = Lanes.zero
        /// Of the step at hand: coins traded, Σ coins·middle price, and what trading them cost.
        var traded = Lanes.zero
        var tradedValue = Lanes.zero
        var costs = Lanes.zero
        /// 1 until the whole account was liquidated, then 0.
        var alive = Lanes(repeating: 1)
        var highest = Lanes.zero
        var yearsSinceHedge = Lanes(repeating: .infinity)
        /// That a policy with volatilities of its own last asked for.
        var volatilityScale: Lanes?
    }

    init(
        _ terms: TradingTerms, _ book: BookTrack, _ instrument: InstrumentTrack, _ venues: [VenueTrack],
        _ options: OptionHedges?
    ) {
        self.terms = terms
        grid = book.schedule.grid
        self.book = book
        self.instrument = instrument
        self.venues = venues
        self.options = options
        parts = .allocate(capacity: Self.partCount)
        figures = .allocate(capacity: Self.figureCount)
        step = .allocate(capacity: Self.partCount)
        parts.initialize(repeating: .zero, count: Self.partCount)
        figures.initialize(repeating: .zero, count: Self.figureCount)
        step.initialize(repeating: .zero, count: Self.partCount)
        var starts: [Int] = []
        var total = 0
        for venue in venues {
            starts.append(total)
            total += venue.delaySteps + 1
        }
        ringStarts = starts
        ringTotal = total
        rings = .allocate(capacity: max(1, total))
        decisionMarks = .allocate(capacity: max(1, total))
        displacement = .allocate(capacity: max(1, venues.count))
        displacement.initialize(repeating: .zero, count: max(1, venues.count))
        let stepHours = book.schedule.grid.stepYears * 8760
        displacementDecay = venues.map { track in
            guard case .orderBook(let costs) = track.venue.costs, costs.impactHalfLifeHours > 0 else {
                return 0
            }
            return scalarExponential(-0.6931471805599453 * stepHours / costs.impactHalfLifeHours)
        }
        volatilityRatio = .allocate(capacity: book.times)
        volatilityRatio.initialize(repeating: Lanes(repeating: 1), count: book.times)
        margin = terms.margin
        deltaLimit = Lanes(repeating: terms.deltaLimit)
        rings.initialize(repeating: .zero, count: max(1, total))
        decisionMarks.initialize(repeating: .zero, count: max(1, total))
    }

    deinit {
        parts.deallocate()
        figures.deallocate()
        step.deallocate()
        rings.deallocate()
        decisionMarks.deallocate()
        displacement.deallocate()
        volatilityRatio.deallocate()
    }

    var isSpot: Bool { terms.instrument.kind == .spot }
    var isInverse: Bool { terms.instrument.kind.isInverse }

    @inline(__always)
    func add(_ part: ProfitPart, _ amount: Lanes) { step[part.rawValue] += amount }

    @inline(__always)
    func count(_ figure: PathFigure, _ amount: Lanes) { figures[figure.rawValue] += amount }

    /// The hedge's delta in coins, what is held in coin counted in.
    @inline(__always)
    func hedgeDelta(_ mark: Lanes) -> Lanes {
        (isInverse ? account.position / mark : account.position) + account.coins
    }

    @inline(__always)
    func equity(_ time: Int) -> Lanes {
        let spot = book.markets[time].spot
        let held = isSpot ? account.position + account.coins : account.coins
        var equity = account.cash + held * spot + book.sums[time].price * account.alive
        if let options { equity += options.value(time) }
        return equity
    }

    /// Runs the policy.
    /// - Parameters:
    ///   - block: what the tracks were drawn for.
    ///   - realised: the policy's estimate of volatility at each time, if it wants one.
    ///   - trace: takes down one lane.
    func run(
        _ policy: some RebalancingPolicy, _ block: PathBlock, realised: UnsafePointer<Lanes>?,
        trace: (lane: Int, body: (TracedStep) -> Void)? = nil
    ) {
        parts.update(repeating: .zero, count: Self.partCount)
        figures.update(repeating: .zero, count: Self.figureCount)
        rings.update(repeating: .zero, count: max(1, ringTotal))
        displacement.update(repeating: .zero, count: max(1, venues.count))
        account = Account()
        options?.reset()
        let tradesOptions = policy.tradesOptions
        let first = book.sums[0].price
        // The book is bought at its value: equity begins at 0.
        if book.schedule.book.settlement == .coin {
            account.coins = (first / book.markets[0].spot).negated
        } else {
            account.cash = first.negated
        }
        if let margin = terms.margin { account.marginEquity = Lanes(repeating: margin.collateral) }

        let stepYears = grid.stepYears
        let stepSeconds = stepYears * 365 * 86400
        var state = RebalancingState()
        state.rate = Lanes(repeating: book.schedule.book.rate)
        var seen = book.sums[0]
        var isFirst = true
        if venues.contains(where: \.spreadWidens) { measureVolatility(block) }
        let canBeStale = venues.contains { $0.canBeStale }
        for time in 0..<grid.steps {
            step.update(repeating: .zero, count: Self.partCount)
            let mark = instrument.mark[time]
            let equityBefore = trace == nil ? Lanes.zero : equity(time)

            // Look. Where the venue's prices are old, the policy sees the market as it last was.
            var stale = Lanes.zero
            var fresh = LaneMask(repeating: true)
            if canBeStale {
                stale = venues[0].isStale[time]
                fresh = (stale .== .zero) .| LaneMask(repeating: isFirst)
                state.dataAge = (state.dataAge + Lanes(repeating: stepSeconds)).kept(where: .!fresh)
                seen.replace(with: book.sums[time], where: fresh)
                state.spot.replace(with: book.markets[time].spot, where: fresh)
                state.impliedVolatility.replace(with: block.impliedVolatility[time], where: fresh)
            } else {
                seen = book.sums[time]
                state.spot = book.markets[time].spot
                state.impliedVolatility = block.impliedVolatility[time]
            }
            isFirst = false
            var before = hedgeDelta(mark)
            let hedge = before + account.pending
            state.time = Lanes(repeating: grid.years(time))
            state.yearsToExpiry = Lanes(repeating: book.schedule.yearsToExpiry[time])
            state.yearsSinceHedge = account.yearsSinceHedge
            state.gamma = seen.gamma * account.alive
            state.vega = seen.vega * account.alive
            state.theta = seen.theta * account.alive
            state.delta = (seen.delta + hedge) * account.alive
            if tradesOptions { options?.look(time, where: fresh, into: &state) }
            if let realised { state.realisedVolatility = realised[time] }
            state.forecastVolatility = PortableArithmetic.squareRoot(block.variance[time])
            quote(&state, time)
            if policy.adjustsVolatility {
                let scale = policy.volatilityScale(state)
                account.volatilityScale = scale
                state.delta =
                    (book.delta(at: time, volatilityScale: scale) + hedge) * account.alive
                if tradesOptions, let options {
                    state.delta += options.delta(at: time, volatilityScale: scale)
                }
            }

            // Decide.
            let band = policy.band(state)
            let refused = state.dataAge .> Lanes(repeating: terms.oldestPrice)
            var asked: Lanes
            var keepsClock = LaneMask(repeating: false)
            var missed = LaneMask(repeating: false)
            if tradesOptions, let options {
                let order = tradeJointly(options, policy, band, state, hedge, time, isRefused: refused)
                (asked, keepsClock, missed) = (order.underlying, order.keepsClock, order.isUnserved)
                before = hedgeDelta(mark)
            } else {
                asked = band.change(of: state.delta) * account.alive
            }
            asked = limited(asked, hedge)
            var wanted = asked.kept(where: .!refused)

            // Trade.
            var filled = Lanes.zero
            for index in venues.indices {
                let order = wanted.kept(where: venues[index].isDown[time] .== .zero)
                wanted -= order
                filled += trade(index, order, time, mark, block)
            }
            let unserved = (wanted .!= .zero) .| ((asked .!= .zero) .& refused) .| missed
            count(.timeUnhedged, Lanes(repeating: 1).kept(where: unserved))

            let isHedged = (filled .!= .zero) .& .!keepsClock
            let held = trace == nil ? [] : heldOptions(trace?.lane ?? 0)
            evolve(time, before: before, isHedged: isHedged)

            if let trace {
                let lane = trace.lane
                trace.body(
                    TracedStep(
                        hours: grid.hours(time), spot: book.markets[time].spot[lane], mark: mark[lane],
                        bookDelta: held.reduce(book.sums[time].delta[lane] * account.alive[lane]) {
                            $0 + $1.position * $1.sums[time].delta[lane]
                        },
                        hedgeBefore: before[lane],
                        hedgeAfter: before[lane] + filled[lane],
                        bandLower: band.lower[lane], bandUpper: band.upper[lane],
                        gamma: held.reduce(book.sums[time].gamma[lane] * account.alive[lane]) {
                            $0 + $1.position * $1.sums[time].gamma[lane]
                        },
                        vega: held.reduce(book.sums[time].vega[lane] * account.alive[lane]) {
                            $0 + $1.position * $1.sums[time].vega[lane]
                        },
                        theta: held.reduce(book.sums[time].theta[lane] * account.alive[lane]) {
                            $0 + $1.position * $1.sums[time].theta[lane]
                        }, options: held.map(\.position), asked: asked[lane],
                        filled: filled[lane], equity: equityBefore[lane],
                        isDown: venues[0].isDown[time][lane] != 0, isStale: stale[lane] != 0,
                        parts: (0..<Self.partCount).map { step[$0][lane] }))
            }
        }
        finish()
    }

    /// Positions in options of one lane, before those that settle are dropped.
    private func heldOptions(_ lane: Int) -> [(position: Double, sums: UnsafeMutablePointer<PathSums>)] {
        guard let options else { return [] }
        return options.tracks.indices.map { (options.positions[$0][lane], options.tracks[$0].sums) }
    }

    /// What trading costs now at the first venue that is up, as the policy is told.
    @inline(__always)
    func quote(_ state: inout RebalancingState, _ time: Int) {
        for index in venues.indices.reversed() {
            let track = venues[index]
            let costs = track.venue.quotedCosts
            var proportional = Lanes(repeating: costs.proportional)
            var fixed = Lanes.zero
            var depth = Lanes(repeating: .infinity)
            switch track.venue.costs {
            case .orderBook(let book):
                if !book.isMaker {
                    proportional = halfSpread(book, time) + Lanes(repeating: book.takerFee)
                }
                if book.linearImpact > 0 || book.squareRootImpact > 0 {
                    depth = Lanes(repeating: book.depth) / state.spot
                }
            case .pool(let pool):
                fixed = track.gas[time]
                // What moves the pool's price by 1%: half a percent of the coins in it.
                depth =
                    Lanes(repeating: 0.005 * pool.liquidity) / PortableArithmetic.squareRoot(state.spot)
            }
            let isUp = track.isDown[time] .== .zero
            if index == venues.count - 1 {
                (state.proportionalCost, state.fixedCost, state.depth) = (proportional, fixed, depth)
            } else {
                state.proportionalCost.replace(with: proportional, where: isUp)
                state.fixedCost.replace(with: fixed, where: isUp)
                state.depth.replace(with: depth, where: isUp)
            }
        }
    }

    @inline(__always)
    func halfSpread(_ book: OrderBookCosts, _ time: Int) -> Lanes {
        let base = Lanes(repeating: book.halfSpread)
        guard book.spreadWidening > 0 else { return base }
        // Wider where the market moves more than it does as a rule.
        let excess = (volatilityRatio[time] - Lanes(repeating: 1)).atLeast(0)
        return base + base * Lanes(repeating: book.spreadWidening) * excess
    }

    /// Within the desk's position limit: never more than asked, nor the other way.
    @inline(__always)
    func limited(_ change: Lanes, _ hedge: Lanes) -> Lanes {
        guard terms.positionLimit < .infinity else { return change }
        let limit = Lanes(repeating: terms.positionLimit)
        let up = pointwiseMin(change, (limit - hedge).atLeast(0))
        let down = pointwiseMax(change, (limit + hedge).atLeast(0).negated)
        return up.replacing(with: down, where: change .< .zero)
    }

    /// The day's realised volatility over the one that the path began with, which widens spreads.
    private func measureVolatility(_ block: PathBlock) {
        let decay = Lanes(repeating: scalarExponential(-grid.stepYears * 365))
        var variance = block.variance[0]
        let first = block.variance[0]
        let scale = Lanes(repeating: 1 / grid.stepYears)
        for time in 1..<book.times {
            let move = block.spot[time] / block.spot[time - 1] - Lanes(repeating: 1)
            variance = variance * decay + move * move * scale * (Lanes(repeating: 1) - decay)
            volatilityRatio[time] = PortableArithmetic.squareRoot(variance / first)
        }
    }
}

extension RebalancingPolicy {
    /// Whether it keeps bands that only options can bring an exposure back into.
    var tradesOptions: Bool { greek != .delta || !companions.isEmpty }
}
