import CPoise
import Poise

// The hedges of a live desk.

@c @implementation
public func poise_live_hedge_count(_ live: OpaquePointer?) -> Int {
    object(live, as: LiveHandle.self)?.hedges.count ?? 0
}

/// A hedge of a live desk, or nil.
func hedge(_ live: OpaquePointer?, _ index: Int) -> LiveHandle.HedgeHandle? {
    guard let live = object(live, as: LiveHandle.self), live.hedges.indices.contains(index) else {
        return nil
    }
    return live.hedges[index]
}

@c @implementation
public func poise_live_hedge_book(_ live: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    hedge(live, index)?.book[0]
}

@c @implementation
public func poise_live_candidate_count(_ live: OpaquePointer?, _ index: Int) -> Int {
    hedge(live, index)?.hedge.contracts.count ?? 0
}

@c @implementation
public func poise_live_candidate(_ live: OpaquePointer?, _ index: Int, _ candidate: Int) -> Int64 {
    guard let contracts = hedge(live, index)?.hedge.contracts, contracts.indices.contains(candidate) else {
        return -1
    }
    return Int64(contracts[candidate])
}

@c @implementation
public func poise_live_band_count(_ live: OpaquePointer?, _ index: Int) -> Int {
    hedge(live, index)?.bands.count ?? 0
}

@c @implementation
public func poise_live_band(_ live: OpaquePointer?, _ index: Int, _ band: Int) -> UnsafePointer<CChar>? {
    hedge(live, index)?.bands[band]
}

@c @implementation
public func poise_live_set_candidate(
    _ live: OpaquePointer?, _ index: Int, _ candidate: Int,
    _ instrument: UnsafePointer<poise_hedge_instrument>?
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        try checkIndex(candidate, below: hedge.candidates.count, "candidate")
        var changed = HedgeInstrument(try required(instrument, "instrument").pointee)
        // Where it belongs stays.
        changed.underlying = hedge.problem.instruments[candidate].underlying
        changed.minimum = hedge.problem.instruments[candidate].minimum
        hedge.setInstrument(changed, ofCandidate: candidate)
    }
}

@c @implementation
public func poise_live_set_minimum_trade(
    _ live: OpaquePointer?, _ index: Int, _ candidate: Int, _ minimum: Double
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        try checkIndex(candidate, below: hedge.candidates.count, "candidate")
        guard NumberRule.notNegative.accepts(minimum) else {
            throw .value("minimum", minimum, NumberRule.notNegative.complaint)
        }
        var changed = hedge.problem.instruments[candidate]
        changed.minimum = minimum
        hedge.setInstrument(changed, ofCandidate: candidate)
    }
}

@c @implementation
public func poise_live_diagnose(
    _ live: OpaquePointer?, _ index: Int, _ trades: poise_column, _ violations: poise_column,
    _ prices: poise_column, _ diagnosis: UnsafeMutablePointer<poise_hedge_diagnosis>?
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index).hedge
        let targets = try DiagnosisTargets(trades, violations, prices, diagnosis)
        let solver = HedgeSolver()
        (solver.search, solver.isCancelled) = (hedge.search, hedge.isCancelled)
        try targets.write(solver, hedge.problem)
    }
}

@c @implementation
public func poise_live_decide(
    _ live: OpaquePointer?, _ index: Int, _ result: UnsafeMutablePointer<poise_hedge_result>?
) -> poise_status {
    answer(live, index, result) { hedge throws(HedgeError) in try hedge.decide() }
}

@c @implementation
public func poise_live_rebalance(
    _ live: OpaquePointer?, _ index: Int, _ result: UnsafeMutablePointer<poise_hedge_result>?
) -> poise_status {
    answer(live, index, result) { hedge throws(HedgeError) in .hedge(try hedge.rebalance()) }
}

/// Hedges, and writes what came of it.
private func answer(
    _ live: OpaquePointer?, _ index: Int, _ result: UnsafeMutablePointer<poise_hedge_result>?,
    _ decide: (LiveHedge) throws(HedgeError) -> LiveHedge.Decision
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(live, as: LiveHandle.self, "live").hedge(index)
        let result = try sizedIfGiven(result, "result")
        handle.hasTrades = false
        handle.isBooked = false
        switch try failing({ () throws(HedgeError) in try decide(handle.hedge) }) {
        case .withinLimits:
            result?.pointee = poise_hedge_result(
                size: MemoryLayout<poise_hedge_result>.stride, outcome: POISE_HEDGE_WITHIN_LIMITS,
                interior_steps: 0, pivots: 0, nodes: 0, linear_cost: 0, impact_cost: 0, fixed_cost: 0,
                penalty_cost: 0, risk_cost: 0, gap: 0, violation: 0, margin_price: 0, cash_price: 0)
        case .hedge:
            handle.hasTrades = handle.hedge.solution.hasTrades
            if let result { handle.hedge.solution.write(to: result) }
        }
    }
}

@c @implementation
public func poise_live_trades(_ live: OpaquePointer?, _ index: Int, _ trades: poise_column) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(live, as: LiveHandle.self, "live").hedge(index)
        let count = handle.hedge.candidates.count
        guard count > 0 else { return }
        let target = try Target(trades, "trades")
        let solved = handle.hedge.solution.trades
        for candidate in 0..<count { target.set(candidate, handle.hasTrades ? solved[candidate] : 0) }
    }
}

@c @implementation
public func poise_live_bands(
    _ live: OpaquePointer?, _ index: Int, _ exposures: poise_column, _ prices: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(live, as: LiveHandle.self, "live").hedge(index)
        let count = handle.bands.count
        if exposures.data != nil {
            let target = try Target(exposures, "exposures")
            for band in 0..<count { target.set(band, handle.hedge.problem.bands[band].current) }
        }
        if prices.data != nil {
            let target = try Target(prices, "shadow_prices")
            let solved = handle.hedge.solution.bandPrices
            for band in 0..<count { target.set(band, handle.hasTrades ? solved[band] : 0) }
        }
    }
}

@c @implementation
public func poise_live_band_edges(
    _ live: OpaquePointer?, _ index: Int, _ low: poise_column, _ high: poise_column, _ after: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(live, as: LiveHandle.self, "live").hedge(index)
        let problem = handle.hedge.problem
        let trades = handle.hasTrades ? handle.hedge.solution.trades : []
        func write(_ column: poise_column, _ name: StaticString, _ value: (Int) -> Double) throws(Failure) {
            guard column.data != nil else { return }
            let target = try Target(column, name)
            for band in 0..<handle.bands.count { target.set(band, value(band)) }
        }
        try write(low, "low") { problem.bands[$0].low }
        try write(high, "high") { problem.bands[$0].high }
        try write(after, "after") {
            trades.isEmpty ? problem.bands[$0].current : problem.exposure(ofBand: $0, trades: trades)
        }
    }
}

@c @implementation
public func poise_live_book_trades(
    _ live: OpaquePointer?, _ index: Int, _ book: UnsafePointer<CChar>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(live, as: LiveHandle.self, "live").hedge(index)
        let book = try text(book, "book")
        guard handle.hasTrades, !handle.isBooked else { return }
        try failing { () throws(RiskError) in try handle.hedge.book(handle.hedge.solution.trades, in: book) }
        handle.isBooked = true
    }
}
