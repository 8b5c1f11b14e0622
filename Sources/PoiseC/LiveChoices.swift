import CPoise
import Poise

// What the hedges of a live desk may do: their limits, candidates, fees, budgets, and when their searches end.

/// Changes a hedge of a live desk.
private func changeHedge(
    _ live: OpaquePointer?, _ index: Int, _ body: (LiveHandle.HedgeHandle) throws(Failure) -> Void
) -> poise_status {
    attempt { () throws(Failure) in try body(try object(live, as: LiveHandle.self, "live").hedge(index)) }
}

// MARK: Limits

@c @implementation
public func poise_live_set_limits(
    _ live: OpaquePointer?, _ limits: OpaquePointer?, _ options: UnsafePointer<poise_live_options>?
) -> poise_status {
    change(live) { live throws(Failure) in
        let table = try object(limits, as: LimitsHandle.self, "limits").table
        let given =
            options == nil ? poise_live_options() : try taken(options, "options", poise_live_options())
        guard given.exposures.size == 0 else {
            throw .argument("options", "exposures are the desk's: 0 here")
        }
        try live.setLimits(table, try LiveOptions(given).hedge)
    }
}

@c @implementation
public func poise_live_remove_limit(
    _ live: OpaquePointer?, _ index: Int, _ band: UnsafePointer<CChar>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        let name = try text(band, "band")
        guard hedge.hedge.removeLimit(named: name) else {
            throw Failure(
                status: POISE_ERROR_UNKNOWN_NAME, field: "band", value: name,
                reason: "the hedge has no such band")
        }
        hedge.readBands()
    }
}

// MARK: Candidates

@c @implementation
public func poise_live_add_candidates(
    _ live: OpaquePointer?, _ index: Int, _ chain: OpaquePointer?, _ added: UnsafeMutablePointer<Int>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        let target = try requiredIfGiven(added, "added")
        let count = hedge.hedge.add(from: try object(chain, as: ChainHandle.self, "chain").chain)
        target?.pointee = count
    }
}

@c @implementation
public func poise_live_choose(
    _ live: OpaquePointer?, _ index: Int, _ rule: UnsafePointer<poise_candidate_rule>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        hedge.hedge.choose(try CandidateRule(try taken(rule, "rule", poise_candidate_rule())))
    }
}

extension CandidateRule {
    init(_ given: poise_candidate_rule) throws(Failure) {
        self.init()
        let known: [(poise_contract_class, VenueCosts.Class)] = [
            (POISE_CLASS_OPTION, .option), (POISE_CLASS_FUTURE, .future),
            (POISE_CLASS_PERPETUAL, .perpetual), (POISE_CLASS_SPOT, .spot),
        ]
        guard given.classes < 1 << UInt32(known.count) else {
            throw .argument("classes", "\(given.classes) has bits of no class")
        }
        if given.classes != 0 {
            classes = Set(known.filter { given.classes & 1 << $0.0.rawValue != 0 }.map(\.1))
        }
        let first = try timestamp(given.first_expiry) ?? Timestamp(milliseconds: .min)
        let last = try timestamp(given.last_expiry) ?? Timestamp(milliseconds: .max)
        guard first <= last else { throw .argument("last_expiry", "is before the first") }
        if given.first_expiry != 0 || given.last_expiry != 0 { expiries = first...last }
        try check(given.least_delta, .notNegative, "least_delta")
        try check(given.most_delta, .notNegative, "most_delta")
        let most = given.most_delta == 0 ? .infinity : given.most_delta
        guard given.least_delta <= most else { throw .argument("most_delta", "is below the least") }
        if given.least_delta != 0 || given.most_delta != 0 { deltas = given.least_delta...most }
        try check(given.least_depth, .notNegative, "least_depth")
        try check(given.most_half_spread, .notNegative, "most_half_spread")
        leastDepth = given.least_depth
        if given.most_half_spread != 0 { mostHalfSpread = given.most_half_spread }
        func set(_ count: Int, _ texts: poise_texts, _ name: StaticString) throws(Failure) -> Set<String> {
            try checkCount(count, name)
            guard count > 0 else { return [] }
            let column = try TextColumn(texts, name)
            var found: Set<String> = []
            for row in 0..<count { found.insert(try column.text(row)) }
            return found
        }
        if given.underlying_count != 0 {
            underlyings = try set(given.underlying_count, given.underlyings, "underlyings")
        }
        if given.name_count != 0 || given.only_names != 0 {
            names = try set(given.name_count, given.names, "names")
        }
        excluded = try set(given.excluded_count, given.excluded, "excluded")
    }
}

// MARK: Costs

@c @implementation
public func poise_live_set_fees(
    _ live: OpaquePointer?, _ index: Int, _ start: UnsafePointer<CChar>?, _ length: Int,
    _ name: UnsafePointer<CChar>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        let source = try Source(start, length, name, default: "fees")
        hedge.hedge.setFees(
            try reading { badRows throws(MarketError) in try VenueCosts(source, &badRows) })
    }
}

@c @implementation
public func poise_live_set_holding(
    _ live: OpaquePointer?, _ index: Int, _ days: Double, _ fundingRate: Double
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        try check(days, .notNegative, "days")
        try check(fundingRate, .finite, "funding_rate")
        hedge.hedge.setHolding(HedgeCandidate.Holding(horizon: days, funding: fundingRate))
    }
}

@c @implementation
public func poise_live_set_cash_budget(
    _ live: OpaquePointer?, _ index: Int, _ budget: Double
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        try check(budget, .upperEnd, "budget")
        hedge.hedge.setCashBudget(budget)
    }
}

@c @implementation
public func poise_live_set_walks_levels(
    _ live: OpaquePointer?, _ index: Int, _ walks: Int32
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in hedge.hedge.walksLevels = walks != 0 }
}

// MARK: Variance and margin

@c @implementation
public func poise_live_set_variance(
    _ live: OpaquePointer?, _ index: Int, _ variance: UnsafePointer<poise_live_variance>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        let given = try variance.map { given throws(Failure) in
            try LiveVariance(try taken(given, "variance", poise_live_variance()))
        }
        try failing { () throws(HedgeError) in try hedge.hedge.setVariance(given) }
    }
}

extension LiveVariance {
    init(_ given: poise_live_variance) throws(Failure) {
        try checkCount(given.count, "count")
        guard given.count > 0, given.count <= 4096 else {
            throw .count("count", "must be from 1 to 4096 coins")
        }
        let names = try TextColumn(given.underlyings, "underlyings")
        let values = try required(given.covariance, "covariance")
        var underlyings: [String] = []
        for row in 0..<given.count { underlyings.append(try names.text(row)) }
        self.init(
            underlyings: underlyings, covariance: (0..<given.count * given.count).map { values[$0] },
            riskAversion: given.risk_aversion)
        if given.net_delta != 0 { exposure = .netDelta }
    }
}

@c @implementation
public func poise_live_set_margin_limit(
    _ live: OpaquePointer?, _ index: Int, _ limit: Double
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        guard NumberRule.allowance.accepts(limit) else {
            throw .value("limit", limit, NumberRule.allowance.complaint)
        }
        hedge.hedge.setMarginLimit(limit)
    }
}

@c @implementation
public func poise_live_set_margin(
    _ live: OpaquePointer?, _ index: Int, _ candidate: Int, _ perUnit: Double
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        try checkIndex(candidate, below: hedge.hedge.candidates.count, "candidate")
        try check(perUnit, .notNegative, "per_unit")
        try failing { () throws(RiskError) in try hedge.hedge.setMargin(perUnit, ofCandidate: candidate) }
    }
}

@c @implementation
public func poise_live_set_requirement(
    _ live: OpaquePointer?, _ index: Int, _ margin: OpaquePointer?, _ buffer: Double, _ price: Double
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        guard margin != nil else {
            hedge.setRequirement(nil, buffer: nil, price: 0)
            return
        }
        let own = try object(margin, as: LiveMarginHandle.self, "margin")
        if buffer != -.infinity { try check(buffer, .within(-1e15...1e15), "buffer") }
        try check(price, .within(0...1e6), "price")
        hedge.setRequirement(own, buffer: buffer == -.infinity ? nil : buffer, price: price)
    }
}

@c @implementation
public func poise_live_requirement(
    _ live: OpaquePointer?, _ index: Int, _ answer: UnsafeMutablePointer<poise_margin_hedge_answer>?
) -> poise_status {
    attempt { () throws(Failure) in
        let hedge = try object(live, as: LiveHandle.self, "live").hedge(index)
        hedge.write(to: try sized(answer, "answer"))
    }
}

// MARK: Searches

@c @implementation
public func poise_live_set_search(
    _ live: OpaquePointer?, _ index: Int, _ search: UnsafePointer<poise_hedge_search>?
) -> poise_status {
    changeHedge(live, index) { hedge throws(Failure) in
        (hedge.hedge.search, hedge.hedge.isCancelled) = try searching(search)
    }
}

/// What asks the host whether a call is to end, every hundredth of a second however often it is called; once it is, it stays
/// so. Nil where the host gave nothing to ask.
func question(
    _ ask: (@convention(c) (UnsafeMutableRawPointer?) -> Int32)?, _ context: UnsafeMutableRawPointer?
) -> (() -> Bool)? {
    guard let ask else { return nil }
    var (next, isOver) = (ContinuousClock.now, false)
    return {
        let now = ContinuousClock.now
        if !isOver, now >= next {
            next = now + .milliseconds(10)
            isOver = ask(context) != 0
        }
        return isOver
    }
}

/// When a search ends, as a caller wants it; the library's own for NULL.
func searching(
    _ given: UnsafePointer<poise_hedge_search>?
) throws(Failure) -> (search: HedgeSearch, isCancelled: (() -> Bool)?) {
    var search = HedgeSearch()
    guard given != nil else { return (search, nil) }
    let given = try taken(given, "search", poise_hedge_search())
    try check(given.gap, .notNegative, "gap")
    try check(given.seconds, .notNegative, "seconds")
    if given.node_limit != 0 { search.nodeLimit = Int(clamping: given.node_limit) }
    if given.gap != 0 { search.gap = given.gap }
    if given.seconds != 0 { search.timeLimit = given.seconds }
    guard let ask = given.is_cancelled else { return (search, nil) }
    let context = given.context
    return (search, { ask(context) != 0 })
}
