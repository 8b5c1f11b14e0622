import CPoise
import Poise

/// Behind `poise_hedger`: a solver, and the problem that it solved last, to be changed in place.
final class HedgerHandle {
    let solver = HedgeSolver()
    private(set) var problem = HedgeProblem(underlyings: [])

    /// As many as a dense factorisation of the bands' rows takes gladly.
    private static let largestBandCount = 16_384
    private static let largestUnderlyingCount = 4_096

    /// Takes over the numbers of a problem. Allocates where its shape is another than the last one's.
    func load(_ given: UnsafePointer<poise_hedge_problem>) throws(Failure) {
        let (instrumentCount, bandCount) = (given.pointee.instrument_count, given.pointee.band_count)
        let (entryCount, underlyingCount) = (given.pointee.entry_count, given.pointee.underlying_count)
        try checkCount(instrumentCount, "instrument_count")
        try checkCount(entryCount, "entry_count")
        guard bandCount >= 0, bandCount <= Self.largestBandCount else {
            throw .count("band_count", "\(UInt(bitPattern: bandCount)): at most \(Self.largestBandCount)")
        }
        guard underlyingCount >= 0, underlyingCount <= Self.largestUnderlyingCount else {
            throw .count(
                "underlying_count",
                "\(UInt(bitPattern: underlyingCount)): at most \(Self.largestUnderlyingCount)")
        }
        guard instrumentCount > 0 else { throw .count("instrument_count", "there is none to trade") }
        let instruments = try required(given.pointee.instruments, "instruments")
        let bands = bandCount > 0 ? try required(given.pointee.bands, "bands") : nil
        let entries = entryCount > 0 ? try required(given.pointee.entries, "entries") : nil
        let minimums = try minimumTrades(given)
        try checkEntries(bands, bandCount, entryCount)
        if !hasShape(given, bands) {
            makeShape(given, bands)
        }
        problem.marginLimit = given.pointee.margin_limit
        problem.cashBudget = given.pointee.cash_budget
        for i in 0..<instrumentCount {
            problem.instruments[i] = HedgeInstrument(instruments[i])
            problem.instruments[i].minimum = minimums?[i] ?? 0
        }
        if let bands {
            for b in 0..<bandCount {
                problem.bands[b].current = bands[b].current
                problem.bands[b].low = bands[b].low
                problem.bands[b].high = bands[b].high
                let isHard = bands[b].penalty.isNaN
                problem.bands[b].isHard = isHard
                problem.bands[b].penalty = isHard ? 0 : bands[b].penalty
                problem.bands[b].penaltyQuadratic = isHard ? 0 : bands[b].penalty_quadratic
            }
        }
        if let entries {
            for k in 0..<entryCount {
                problem.entries[k] = HedgeEntry(
                    instrument: Int(exactly: entries[k].instrument) ?? -1, coefficient: entries[k].coefficient
                )
            }
        }
        try loadRisk(given)
    }

    /// The column that problems have had since it was added to the struct.
    private func minimumTrades(
        _ given: UnsafePointer<poise_hedge_problem>
    ) throws(Failure) -> Strided<Double>? {
        guard given.pointee.size > poise_hedge_problem.sizeBeforeMinimumTrade else { return nil }
        return try Strided(optional: given.pointee.minimum_trade, "minimum_trade")
    }

    private func checkEntries(
        _ bands: UnsafePointer<poise_hedge_band>?, _ bandCount: Int, _ entryCount: Int
    ) throws(Failure) {
        var next: UInt64 = 0
        for b in 0..<bandCount {
            guard let bands, bands[b].first_entry == next, bands[b].entry_count <= UInt64(entryCount) - next
            else {
                throw Failure(
                    status: POISE_ERROR_COUNT, place: .row(b, table: "bands"), field: "first_entry",
                    reason: "must follow the entries of the band before")
            }
            next += bands[b].entry_count
        }
        guard next == UInt64(entryCount) else {
            throw .count("entry_count", "\(entryCount) entries where the bands have \(next)")
        }
    }

    private func hasShape(
        _ given: UnsafePointer<poise_hedge_problem>, _ bands: UnsafePointer<poise_hedge_band>?
    ) -> Bool {
        guard problem.instruments.count == given.pointee.instrument_count,
            problem.bands.count == given.pointee.band_count,
            problem.underlyings.count == given.pointee.underlying_count
        else { return false }
        for b in problem.bands.indices {
            guard let bands, problem.bands[b].entries.count == Int(bands[b].entry_count) else { return false }
        }
        return true
    }

    private func makeShape(
        _ given: UnsafePointer<poise_hedge_problem>, _ bands: UnsafePointer<poise_hedge_band>?
    ) {
        problem = HedgeProblem(underlyings: Array(repeating: "", count: given.pointee.underlying_count))
        for _ in 0..<given.pointee.instrument_count {
            problem.add("", HedgeInstrument(costBuy: 0, costSell: 0, maximumBuy: 0, maximumSell: 0))
        }
        for b in 0..<given.pointee.band_count {
            let none = (0..<Int(bands?[b].entry_count ?? 0)).lazy.map { _ in (instrument: 0, coefficient: 0.0)
            }
            problem.add("", HedgeBand(hard: 0, 0, current: 0), coefficients: none)
        }
    }

    private func loadRisk(_ given: UnsafePointer<poise_hedge_problem>) throws(Failure) {
        guard given.pointee.risk_aversion != 0 else {
            problem.risk = nil
            return
        }
        let count = given.pointee.underlying_count
        guard count > 0 else { throw .count("underlying_count", "a price of variance needs underlyings") }
        let covariance = try required(given.pointee.covariance, "covariance")
        let dollarDelta = try required(given.pointee.dollar_delta, "dollar_delta")
        let exposure = try required(given.pointee.exposure, "exposure")
        if problem.risk == nil {
            problem.risk = HedgeRisk(
                riskAversion: 0, covariance: Array(repeating: 0, count: count * count),
                dollarDelta: Array(repeating: 0, count: count),
                exposure: Array(repeating: 0, count: problem.instruments.count))
        }
        problem.risk?.riskAversion = given.pointee.risk_aversion
        for k in 0..<count * count { problem.risk?.covariance[k] = covariance[k] }
        for u in 0..<count { problem.risk?.dollarDelta[u] = dollarDelta[u] }
        for i in problem.instruments.indices { problem.risk?.exposure[i] = exposure[i] }
    }

    func solve(_ start: HedgeStart) throws(Failure) {
        _ = try failing { () throws(HedgeError) in try solver.solve(problem, start: start) }
    }
}

extension poise_hedge_problem {
    /// The struct's size before it had `minimum_trade`.
    static let sizeBeforeMinimumTrade = MemoryLayout<poise_hedge_problem>.offset(of: \.minimum_trade) ?? 0

    /// The caller's problem, of this size or of that one.
    static func given(
        _ problem: UnsafePointer<poise_hedge_problem>?
    ) throws(Failure) -> UnsafePointer<poise_hedge_problem> {
        let given = try required(problem, "problem")
        try checkSize(
            given.pointee.size, of: poise_hedge_problem.self, "problem", earlier: sizeBeforeMinimumTrade)
        return given
    }
}

extension HedgeInstrument {
    init(_ given: poise_hedge_instrument) {
        self.init(
            underlying: Int(exactly: given.underlying) ?? -1, costBuy: given.cost_buy,
            costSell: given.cost_sell,
            impact: given.impact, fixedCost: given.fixed_cost, lot: given.lot, maximumBuy: given.maximum_buy,
            maximumSell: given.maximum_sell, margin: given.margin, cash: given.cash)
    }
}

extension HedgeStatus {
    var outcome: poise_hedge_outcome {
        switch self {
        case .optimal: POISE_HEDGE_OPTIMAL
        case .infeasible: POISE_HEDGE_INFEASIBLE
        case .budget: POISE_HEDGE_BUDGET
        case .uncertified: POISE_HEDGE_UNCERTIFIED
        }
    }
}

extension HedgeSolution {
    /// Whether the trades mean something: numbers beyond all reason may leave none that are finite.
    var hasTrades: Bool {
        status != .infeasible && trades.allSatisfy(\.isFinite) && bandPrices.allSatisfy(\.isFinite)
    }

    /// Its numbers; costs and prices 0 where there are no trades.
    func write(to result: UnsafeMutablePointer<poise_hedge_result>) { write(to: result, has: hasTrades) }

    func write(to result: UnsafeMutablePointer<poise_hedge_result>, has: Bool) {
        result.pointee = poise_hedge_result(
            size: MemoryLayout<poise_hedge_result>.stride, outcome: status.outcome,
            interior_steps: UInt32(clamping: interiorSteps), pivots: UInt32(clamping: pivots),
            nodes: UInt32(clamping: nodes), linear_cost: has ? cost.linear : 0,
            impact_cost: has ? cost.impact + cost.levels : 0, fixed_cost: has ? cost.fixed : 0,
            penalty_cost: has ? cost.penalty : 0, risk_cost: has ? cost.risk : 0,
            gap: has ? gap : .infinity, violation: has ? certificate.violation : .infinity,
            margin_price: has ? marginPrice : 0, cash_price: has ? cashPrice : 0)
    }
}

@c @implementation
public func poise_hedger_create(
    _ options: UnsafePointer<poise_hedger_options>?, _ hedger: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(hedger, "hedger") { () throws(Failure) in
        let made = HedgerHandle()
        if let options {
            let given = try taken(options, "options", poise_hedger_options())
            try check(given.gap, .notNegative, "gap")
            if given.node_limit != 0 { made.solver.search.nodeLimit = Int(clamping: given.node_limit) }
            if given.gap != 0 { made.solver.search.gap = given.gap }
        }
        return made
    }
}

@c @implementation
public func poise_hedger_free(_ hedger: OpaquePointer?) { release(hedger, as: HedgerHandle.self) }

@c @implementation
public func poise_hedger_set_search(
    _ hedger: OpaquePointer?, _ search: UnsafePointer<poise_hedge_search>?
) -> poise_status {
    attempt { () throws(Failure) in
        let solver = try object(hedger, as: HedgerHandle.self, "hedger").solver
        (solver.search, solver.isCancelled) = try searching(search)
    }
}

@c @implementation
public func poise_hedger_solve(
    _ hedger: OpaquePointer?, _ problem: UnsafePointer<poise_hedge_problem>?, _ start: poise_hedge_start,
    _ trades: poise_column, _ shadow_prices: poise_column, _ result: UnsafeMutablePointer<poise_hedge_result>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedger, as: HedgerHandle.self, "hedger")
        let given = try poise_hedge_problem.given(problem)
        guard start == POISE_HEDGE_COLD || start == POISE_HEDGE_WARM else {
            throw .argument("start", "\(start.rawValue) is no start")
        }
        let target = try Target(trades, "trades")
        let priceTarget = shadow_prices.data == nil ? nil : try Target(shadow_prices, "shadow_prices")
        let result = try sizedIfGiven(result, "result")
        try handle.load(given)
        try handle.solve(start == POISE_HEDGE_WARM ? .warm : .cold)
        let has = handle.solver.solution.hasTrades
        for i in 0..<given.pointee.instrument_count {
            target.set(i, has ? handle.solver.solution.trades[i] : 0)
        }
        if let priceTarget {
            for b in 0..<given.pointee.band_count {
                priceTarget.set(b, has ? handle.solver.solution.bandPrices[b] : 0)
            }
        }
        if let result { handle.solver.solution.write(to: result) }
    }
}

@c @implementation
public func poise_hedger_diagnose(
    _ hedger: OpaquePointer?, _ problem: UnsafePointer<poise_hedge_problem>?, _ trades: poise_column,
    _ violations: poise_column, _ shadow_prices: poise_column,
    _ diagnosis: UnsafeMutablePointer<poise_hedge_diagnosis>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedger, as: HedgerHandle.self, "hedger")
        let given = try poise_hedge_problem.given(problem)
        let targets = try DiagnosisTargets(trades, violations, shadow_prices, diagnosis)
        try handle.load(given)
        try targets.write(handle.solver, handle.problem)
    }
}
