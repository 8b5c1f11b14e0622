import Greeks
import Market
import Risk

/// The hedge problem of a live book: exposures and candidates from a chain, bands from a table of limits.
public struct BookHedge: Sendable {
    /// The book, or nil for all books together.
    public let book: String?
    public private(set) var problem: HedgeProblem
    /// One per instrument of the problem.
    public let candidates: [HedgeCandidate]
    /// The limit of each band.
    public private(set) var limits: [LimitTable.Limit]
    /// Exposure of each book (by name) in each band.
    public private(set) var exposures: [String: [Double]]
    /// Sources of lots that no list of instruments states; nil without lots.
    public let amountNotes: AmountNotes?
    /// The settings that it was made with; of each candidate the amounts in which it trades, nil for any, and the index of its
    /// coin.
    let options: Options
    let amounts: [TradedAmount?]
    let indexPrices: [Double?]
    private let measured: [MeasuredLimit]

    /// Settings of a hedge.
    public struct Options: Sendable {
        public var costs = VenueCosts.standard
        public var holding = HedgeCandidate.Holding()
        public var cashBudget = Double.infinity
        /// Whether to trade whole contract sizes only.
        public var usesLots = false
        /// Whether displayed order books are walked level by level, rather than by one impact for both sides.
        public var walksLevels = false

        public init() {}
    }

    /// Makes the problems that a table of limits asks for: one for all books together, if limits without a
    /// book are there, and one for each book that has limits of its own.
    /// - Throws: `invalidValue` for limits of books, underlyings or expiries that are not there.
    public static func all(
        _ valuation: BookValuation, in chain: Chain, _ limits: LimitTable, _ options: Options,
        _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws(MarketError) -> [BookHedge] {
        try limits.requireKnown(valuation, chain)
        let books = Set(limits.limits.compactMap(\.book))
        let held = LimitMarket(valuation.greeks, chain, engine)
        let tickers = candidateTickers(chain, limits, valuation)
        let candidates = tickers.compactMap {
            HedgeCandidate($0, options.costs, options.holding, index: chain.indexPrice(of: $0.instrument))
        }
        let greeks = try ChainGreeks(candidates.map(\.ticker), .exposures, &badRows)
        let kept = Set(greeks.tickers.map(\.instrument.name))
        let usable = candidates.filter { kept.contains($0.instrument.name) }
        let figures = LimitMarket(greeks, chain, engine)

        var names: [String?] = limits.limits.contains { $0.book == nil } ? [nil] : []
        names += books.sorted()
        var hedges: [BookHedge] = []
        for book in names {
            let limitsOfBook = limits.limits.filter { $0.book == book }
            var measured: [MeasuredLimit] = []
            for limit in limitsOfBook {
                do throws(RiskError) {
                    measured.append(
                        MeasuredLimit(
                            limit, valuation, book: book, try limit.measure.figures(held), usable,
                            try limit.measure.figures(figures)))
                } catch {
                    throw limits.refusal(of: limit, error)
                }
            }
            hedges.append(BookHedge(book, measured, usable, chain, options))
        }
        return hedges
    }

    /// Every listed option of the underlyings that limits name, and their futures, perpetuals and coins.
    private static func candidateTickers(
        _ chain: Chain, _ limits: LimitTable, _ valuation: BookValuation
    ) -> [Ticker] {
        let named = Set(limits.limits.compactMap(\.underlying))
        let isAll = limits.limits.contains { $0.underlying == nil }
        let held = Set(valuation.positions.map(\.instrument.base))
        func isWanted(_ base: String) -> Bool { named.contains(base) || (isAll && held.contains(base)) }
        var tickers: [Ticker] = []
        var seen: Set<String> = []
        func add(_ instrument: Instrument) {
            // What has no price in dollars is no candidate.
            guard seen.insert(instrument.name).inserted, let ticker = chain.tickerOrImplied(of: instrument),
                let inDollars = chain.inDollars(ticker)
            else { return }
            tickers.append(inDollars)
        }
        let listed = chain.latestTickers.filter { isWanted($0.instrument.base) }
        // Futures and perpetuals first, whether the chain lists them or only names them.
        for ticker in listed {
            let exchange = ticker.instrument.exchange
            for name in [exchange.perpetual(of: ticker.instrument), ticker.underlyingIndex] {
                if let name, let instrument = try? exchange.instrument(named: name) { add(instrument) }
            }
        }
        for ticker in listed { add(ticker.instrument) }
        return tickers
    }

    private init(
        _ book: String?, _ measured: [MeasuredLimit], _ candidates: [HedgeCandidate], _ chain: Chain,
        _ options: Options
    ) {
        let bases = Array(Set(candidates.map(\.instrument.base))).sorted()
        var problem = HedgeProblem(
            name: book ?? "all books", underlyings: bases.isEmpty ? [""] : bases,
            cashBudget: options.cashBudget)
        var amountNotes = AmountNotes()
        var amounts: [TradedAmount?] = []
        for candidate in candidates {
            let found = options.usesLots ? chain.tradedAmount(of: candidate.instrument) : nil
            amounts.append(found?.amount)
            amountNotes.add(candidate.instrument, found)
            let levels = options.walksLevels ? candidate.levels : .none
            let instrument = candidate.hedgeInstrument(
                underlying: bases.firstIndex(of: candidate.instrument.base) ?? 0, amount: found?.amount,
                hasLevels: !levels.isNone)
            problem.add(candidate.instrument.name, instrument, levels)
        }
        self.amountNotes = options.usesLots ? amountNotes : nil
        self.options = options
        self.amounts = amounts
        indexPrices = candidates.map { chain.indexPrice(of: $0.instrument) }
        self.book = book
        self.problem = problem
        self.candidates = candidates
        self.measured = measured
        limits = []
        exposures = [:]
        for limit in measured { add(limit, limit.limit.measure.plane(limit.sums)) }
    }

    /// A band that keeps a plane of a limit's measure within the limit.
    private mutating func add(_ measured: MeasuredLimit, _ weights: [Double]) {
        let limit = measured.limit
        let place = limits.count
        for (name, sums) in measured.sumsOfBook {
            let current = zip(weights, sums).reduce(0) { $0 + $1.0 * $1.1 }
            exposures[name, default: limits.map { _ in 0 }].append(current)
        }
        for name in exposures.keys where exposures[name]?.count == place { exposures[name]?.append(0) }
        // In a fixed order, for the same bits in every run.
        let current = exposures.keys.sorted().reduce(0) { $0 + (exposures[$1]?[place] ?? 0) }
        let band =
            limit.penalty.map {
                HedgeBand(
                    soft: limit.low, limit.high, current: current, penalty: $0,
                    penaltyQuadratic: limit.penaltyQuadratic)
            } ?? HedgeBand(hard: limit.low, limit.high, current: current)
        var coefficients: [(instrument: Int, coefficient: Double)] = []
        for i in candidates.indices {
            let coefficient = measured.figure(ofCandidate: i, weights)
            if coefficient != 0 { coefficients.append((instrument: i, coefficient: coefficient)) }
        }
        let count = limits.count { $0.name == limit.name }
        problem.add(
            count == 0 ? limit.name : "\(limit.name) (\(count + 1))", band, coefficients: coefficients)
        limits.append(limit)
    }

    /// The hedge with the planes of convex limits that trades leave, or nil where they keep all limits. Solved again
    /// and again from the trades of the one before, it ends with trades that no others beat: planes that are left out
    /// could only cost more.
    public func tightened(by trades: [Double]) -> BookHedge? {
        var tighter = self
        for limit in measured where !limit.limit.measure.isLinear {
            let sums = limit.sums(with: trades)
            let weights = limit.limit.measure.plane(sums)
            let value = zip(weights, sums).reduce(0) { $0 + $1.0 * $1.1 }
            let scale = zip(weights, sums).reduce(limit.limit.high.magnitude) { $0 + ($1.0 * $1.1).magnitude }
            if value > limit.limit.high + 1e-9 * scale { tighter.add(limit, weights) }
        }
        return tighter.limits.count > limits.count ? tighter : nil
    }

    // MARK: Cost by cause and by book

    /// The linear cost of trades by cause, in US dollars.
    public struct TradingCost: Sendable, Equatable {
        public var spread = 0.0
        public var fee = 0.0
        public var carry = 0.0
    }

    /// Splits the linear cost of trades.
    public func tradingCost(_ trades: [Double]) -> TradingCost {
        var cost = TradingCost()
        for (x, candidate) in zip(trades, candidates) where x != 0 {
            cost.spread += (x > 0 ? candidate.halfSpreadBuy : candidate.halfSpreadSell) * x.magnitude
            cost.fee += candidate.fee * x.magnitude
            cost.carry += candidate.carry * x
        }
        return cost
    }

    /// A book's part of the cost of hedging all books, and the cost of hedging it alone.
    public struct Share: Sendable, Equatable {
        public let book: String
        /// Its marginal contribution, averaged while all books grow from nothing to their size (Aumann and
        /// Shapley); the shares of all books and `unattributed` add up to the cost.
        public let cost: Double
        /// Under the same limits; nil where they cannot be met.
        public let alone: Double?
    }

    /// Attributes the cost of the continuous problem to books, largest first.
    /// - Parameter steps: sizes at which marginal costs are taken, at least 1. Between them they are taken to be linear,
    ///   and what that misses is spread in proportion, so that the sum is exact.
    /// - Returns: nil where the limits cannot be met on the way. `unattributed` is what the limits would cost
    ///   without any position, 0 where they hold 0.
    public func attribution(steps: Int = 256) -> (shares: [Share], unattributed: Double)? {
        let steps = max(steps, 1)
        let names = exposures.keys.sorted()
        var scaled = problem.continuous
        let solver = HedgeSolver()
        func solve(_ current: (Int) -> Double) -> HedgeSolution? {
            for b in scaled.bands.indices { scaled.bands[b].current = current(b) }
            guard (try? solver.solve(scaled, start: .warm)) == .optimal else { return nil }
            return solver.solution
        }
        var costs = names.map { _ in 0.0 }
        guard let start = solve({ _ in 0 }) else { return nil }
        var last = start.bandPrices
        var final = start.cost.total
        for step in 1...steps {
            let share = Double(step) / Double(steps)
            guard let solution = solve({ share * problem.bands[$0].current }) else { return nil }
            for (n, name) in names.enumerated() {
                let exposuresOfBook = exposures[name] ?? []
                for b in exposuresOfBook.indices {
                    costs[n] -= 0.5 * (last[b] + solution.bandPrices[b]) * exposuresOfBook[b] / Double(steps)
                }
            }
            last = solution.bandPrices
            final = solution.cost.total
        }
        let sum = costs.reduce(0, +)
        let wanted = final - start.cost.total
        let size = costs.reduce(0) { $0 + $1.magnitude }
        if size > 0 {
            for n in costs.indices { costs[n] += (wanted - sum) * costs[n].magnitude / size }
        }
        let shares = names.enumerated().map { n, name in
            let exposuresOfBook = exposures[name] ?? []
            return Share(book: name, cost: costs[n], alone: solve { exposuresOfBook[$0] }?.cost.total)
        }
        return (shares.sorted { ($1.cost, $0.book) < ($0.cost, $1.book) }, start.cost.total)
    }
}
