import Greeks
import Market
import Risk

/// A hedge kept ready tick by tick: after each change of the market or of positions, whether exposures are within
/// their bands, and if not, the cheapest trades that bring them back.
///
/// After the first hedge it allocates nothing. To be used from one thread at a time.
public final class LiveHedge {
    public let risk: LiveRisk
    /// As of the last `decide`: what bands hold and what an instrument adds to them are current; costs and depth
    /// are those of the book hedge that it came from, or what has been set since.
    public private(set) var problem: HedgeProblem
    public let candidates: [HedgeCandidate]
    public let limits: [LimitTable.Limit]
    /// The exposure that each band is about.
    public let greeks: [ExposureGreek]
    /// The contract of each candidate in `risk`.
    public let contracts: [Int]

    private let solver = HedgeSolver()
    /// The sums of each band, and their places.
    private let coverage: ExposureRollUp
    private let sumOfBand: [Int]
    private let sums: Exposures
    /// By how much a band may be left by rounding: a share of its width, or of its edges.
    private let tolerances: [Double]

    /// The outcome of a tick.
    public enum Decision: Sendable, Equatable {
        /// Every exposure is within its band: nothing to trade.
        case withinLimits
        /// An exposure has left its band; `solution` has the trades.
        case hedge(HedgeStatus)
    }

    /// Takes over the problem of a book hedge.
    /// - Parameter risk: in US dollars, with all candidates among its contracts, grouped by book where the hedge is
    ///   one book's, and by expiry where a limit names one.
    /// - Throws: `unknownContract`, `unknownBook`, `missingGrouping`.
    public init(_ hedge: BookHedge, _ risk: LiveRisk) throws(RiskError) {
        self.risk = risk
        problem = hedge.problem
        candidates = hedge.candidates
        limits = hedge.limits
        var greeks: [ExposureGreek] = []
        for limit in hedge.limits {
            guard let greek = limit.greek else {
                throw .invalidValue(
                    of: limit.name, field: "limit", value: limit.high,
                    reason: "live hedges keep exposures within limits, nothing else")
            }
            greeks.append(greek)
        }
        self.greeks = greeks
        var contracts: [Int] = []
        for candidate in hedge.candidates {
            guard let contract = risk.index(of: candidate.instrument.name) else {
                throw .unknownContract(candidate.instrument.name)
            }
            contracts.append(contract)
        }
        self.contracts = contracts

        let groupings = risk.plan.groupings
        func column(_ grouping: Grouping, for name: String) throws(RiskError) -> Int {
            guard let column = groupings.firstIndex(of: grouping) else {
                throw .missingGrouping(of: name, grouping)
            }
            return column
        }
        // Bands on several Greeks of the same positions share a sum.
        var coverages: [[Int]] = []
        var numbers: [[Int]: Int] = [:]
        var sumOfBand: [Int] = []
        for limit in hedge.limits {
            var wanted: [(column: Int, label: String)] = []
            if let book = hedge.book { wanted.append((try column(.book, for: limit.name), book)) }
            if let underlying = limit.underlying {
                wanted.append((try column(.underlying, for: limit.name), underlying))
            }
            if let expiry = limit.expiry { wanted.append((try column(.expiry, for: limit.name), expiry)) }
            let members = risk.plan.groups.indices.filter { group in
                wanted.allSatisfy { risk.plan.groups[group][$0.column] == $0.label }
            }
            if let book = hedge.book, members.isEmpty { throw .unknownBook(book) }
            if numbers[members] == nil {
                numbers[members] = coverages.count
                coverages.append(members)
            }
            sumOfBand.append(numbers[members] ?? 0)
        }
        tolerances = hedge.problem.bands.map { band in
            let edges = [band.low, band.high].filter(\.isFinite).map(\.magnitude)
            let width = band.high - band.low
            return 1e-9 * max(width.isFinite ? width : 0, HedgeProblem.leastShareOfTerms * (edges.max() ?? 0))
        }
        coverage = ExposureRollUp(coverages)
        sums = Exposures(coverage)
        self.sumOfBand = sumOfBand
    }

    /// The trades of the last hedge, one per candidate, with their certificate, cost and shadow prices.
    public var solution: HedgeSolution { solver.solution }

    /// New costs or depth of a candidate.
    public func setInstrument(_ instrument: HedgeInstrument, ofCandidate candidate: Int) {
        problem.instruments[candidate] = instrument
    }

    /// New edges of a band, in the units of its limit: what a policy on when to rebalance makes of it.
    public func setBand(_ band: Int, low: Double, high: Double) {
        problem.bands[band].low = low
        problem.bands[band].high = high
    }

    /// Brings `risk` up to date and sums what the bands are about.
    public func refresh() {
        risk.update()
        risk.sum(coverage, into: sums)
    }

    /// A figure of the positions that a band covers, as of the last `refresh` or `decide`.
    public func exposure(ofBand band: Int, _ greek: ExposureGreek) -> Double { sums[sumOfBand[band], greek] }

    /// Brings `risk` up to date, looks at every band, and solves where one is left.
    /// - Throws: `HedgeError` where what is set for an instrument makes no problem.
    public func decide() throws(HedgeError) -> Decision {
        refresh()
        var isOutside = false
        for b in problem.bands.indices {
            let current = sums[sumOfBand[b], greeks[b]]
            problem.bands[b].current = current
            let tolerance = max(tolerances[b], 1e-9 * HedgeProblem.leastShareOfTerms * current.magnitude)
            let (low, high) = (problem.bands[b].low - tolerance, problem.bands[b].high + tolerance)
            isOutside = isOutside || !(current >= low && current <= high)
        }
        guard isOutside else { return .withinLimits }
        for b in problem.bands.indices {
            for k in problem.bands[b].entries {
                let contract = contracts[problem.entries[k].instrument]
                problem.entries[k].coefficient = risk.figure(contract, greeks[b])
            }
        }
        return .hedge(try solver.solve(problem, start: .warm))
    }

    /// Books trades of candidates, as they are filled. Allocates where the book trades a contract for the first time.
    /// - Throws: `unknownBook`, `invalidValue`; trades in front of the one at fault are booked.
    public func book(_ trades: [Double], in book: String) throws(RiskError) {
        for (candidate, quantity) in trades.enumerated() where quantity != 0 {
            try risk.fill(book: book, contract: contracts[candidate], quantity: quantity)
        }
    }
}

extension LiveHedge {
    /// The live risk of positions over a chain and the hedges that a table of limits asks for, as
    /// `BookHedge.all` makes them.
    /// - Throws: `MarketError` or `RiskError`; errors of one row unless `badRows` skips them.
    public static func all(
        _ table: PositionTable, in chain: Chain, _ limits: LimitTable, _ options: BookHedge.Options,
        _ engine: GreeksEngine, _ badRows: inout BadRows
    ) throws -> (risk: LiveRisk, hedges: [LiveHedge]) {
        let valuation = try BookValuation(table, in: chain, &badRows)
        let hedges = try BookHedge.all(valuation, in: chain, limits, options, engine, &badRows)
        var tickers = valuation.greeks.tickers
        var seen = Set(tickers.map(\.instrument.name))
        for candidate in hedges.flatMap(\.candidates) where seen.insert(candidate.instrument.name).inserted {
            tickers.append(candidate.ticker)
        }
        let greeks = try ChainGreeks(tickers, .exposures, &badRows)
        let needsExpiries = limits.limits.contains { $0.expiry != nil }
        let risk = try LiveRisk(
            valuation.positions, greeks, by: needsExpiries ? [.expiry, .book] : [.book], engine: engine)
        return (risk, try hedges.map { try LiveHedge($0, risk) })
    }
}
