import CPoise
import Checks
import Poise

/// Behind `poise_margin_hedge`.
final class MarginHedgeHandle: Sendable {
    struct State: Sendable {
        let requirement: MarginRequirement
        let below, above: Double
    }

    let problem: HedgeProblem
    let solution: HedgeSolution
    /// Nil where the margin is reported alone.
    let answer: RequirementAnswer?
    let margin: MarginedHedge
    let terms: RequirementTerms
    /// Whether the trades mean something.
    let hasTrades: Bool
    let trades, headroom: [Double]
    let before, after: State
    /// Of each candidate.
    let holding: [poise_margin_holding]
    let candidates, bands, outcomes, notes: CStrings
    let outcomePrices: [Double]

    private init(
        _ margin: MarginedHedge, _ terms: RequirementTerms, _ problem: HedgeProblem,
        _ solution: HedgeSolution, _ answer: RequirementAnswer?, holding: [poise_margin_holding]
    ) throws(MarginError) {
        (self.margin, self.terms, self.problem) = (margin, terms, problem)
        (self.solution, self.answer, self.holding) = (solution, answer, holding)
        let areFinite = !solution.trades.isEmpty && solution.trades.allSatisfy(\.isFinite)
        let isShort = answer?.largestBalance != nil
        hasTrades = areFinite && (isShort || solution.hasTrades && solution.status != .uncertified)
        let none = problem.instruments.map { _ in 0.0 }
        trades = hasTrades ? solution.trades : none
        let cost = problem.cost(trades: trades)
        let paid = cost.linear + cost.impact + cost.levels + cost.fixed
        func state(_ trades: [Double], _ paid: Double) throws(MarginError) -> State {
            let prices = try? margin.liquidation(after: trades, paying: paid)
            return State(
                requirement: try margin.exact(after: trades, paying: paid), below: prices?.below ?? .nan,
                above: prices?.above ?? .nan)
        }
        before = try state(none, 0)
        after = try state(trades, paid)
        headroom = try margin.headroomOfTrades(trades, paying: paid)
        candidates = CStrings(problem.instrumentNames)
        bands = CStrings(problem.bandNames)
        let priced = zip(margin.requirement.titles, answer?.outcomePrices ?? []).filter { $0.1 > 0 }
            .sorted { $0.1 > $1.1 }
        outcomes = CStrings(priced.map(\.0))
        outcomePrices = priced.map(\.1)
        notes = CStrings(margin.requirement.notes)
    }

    /// The hedge of a book, as `poise hedge --margin` has it.
    convenience init(
        _ handle: MarginHandle, _ limits: LimitTable, _ options: MarginHedgeOptions
    ) throws(Failure) {
        guard case .book(let chain, let table, let file, let underlying) = handle.origin else {
            throw .argument("margin", "is of a case: poise_margin_hedge_of_case has its hedge")
        }
        let hedges = try reading { badRows throws(MarketError) in
            try BookHedge.all(
                try BookValuation(table, in: chain, &badRows), in: chain, limits, options.hedge,
                handle.engine, &badRows)
        }
        guard let hedge = hedges.first(where: { $0.book == options.book }) else {
            throw Failure(
                status: POISE_ERROR_UNKNOWN_NAME, field: "book", value: options.book,
                reason: options.book == nil ? "every limit is a book's own" : "has no limits")
        }
        do {
            var badRows = BadRows(skip: false)
            let margined = try MarginedBookHedge(
                hedge, table, in: chain, file, handle.model, underlying: underlying, buffer: options.buffer,
                price: options.price
                    * (options.hedge.holding.horizon > 0 ? options.hedge.holding.horizon : 1),
                handle.engine, &badRows)
            let (problem, solution, answer) = try Self.solve(
                hedge, margined, options.search, options.isCancelled)
            var holding = problem.instruments.map { _ in POISE_MARGIN_HELD }
            for place in margined.elsewhere { holding[place] = POISE_MARGIN_ELSEWHERE }
            for place in margined.withoutRule { holding[place] = POISE_MARGIN_WITHOUT_RULE }
            try self.init(margined.hedge, margined.terms, problem, solution, answer, holding: holding)
        } catch let error as any PoiseError {
            throw Failure(error)
        } catch {
            throw Failure(status: POISE_ERROR_VALUE, reason: "\(error)")
        }
    }

    /// The hedge of a case, as `poise hedge --margin-cases` has it.
    convenience init(_ engine: GreeksEngine, _ one: MarginCases.Case) throws(Failure) {
        do {
            guard let (problem, terms) = one.hedgeProblem(), let margin = try one.marginedHedge(engine) else {
                throw Failure(
                    status: POISE_ERROR_ARGUMENT, place: one.place, field: one.name, reason: "has no hedge")
            }
            let solver = RequirementSolver()
            try solver.solve(problem, margin.requirement, terms)
            try self.init(
                margin, terms, problem, solver.answer.hedge, solver.answer,
                holding: problem.instruments.map { _ in POISE_MARGIN_HELD })
        } catch let error as MarginError {
            throw Failure(one.refusal(error))
        } catch let error as any PoiseError {
            throw Failure(error)
        } catch {
            throw Failure(status: POISE_ERROR_VALUE, reason: "\(error)")
        }
    }

    /// The cheapest trades; convex limits get a plane after the other, until the trades keep them.
    private static func solve(
        _ hedge: BookHedge, _ margin: MarginedBookHedge, _ search: HedgeSearch, _ isCancelled: (() -> Bool)?
    ) throws -> (HedgeProblem, HedgeSolution, RequirementAnswer?) {
        let solver = HedgeSolver()
        let requirements = RequirementSolver()
        (solver.isCancelled, requirements.isCancelled) = (isCancelled, isCancelled)
        var problem = hedge.problem
        _ = try hedge.settled(within: search.timeLimit) { hedge, left in
            problem = hedge.problem
            margin.restrict(&problem)
            (solver.search, requirements.search) = (search, search)
            (solver.search.timeLimit, requirements.search.timeLimit) = (left, left)
            guard margin.counts else {
                try solver.solve(problem)
                return solver.solution
            }
            try requirements.solve(problem, margin.hedge.requirement, margin.terms)
            return requirements.answer.hedge
        }
        guard margin.counts else { return (problem, solver.solution, nil) }
        return (problem, requirements.answer.hedge, requirements.answer)
    }

    func write(to result: UnsafeMutablePointer<poise_margin_hedge_answer>) {
        let required = answer.map { $0.required / margin.scale }
        result.pointee = poise_margin_hedge_answer(
            size: MemoryLayout<poise_margin_hedge_answer>.stride, required: required ?? .nan,
            overstatement: required.map { $0 - after.requirement.initialMargin } ?? .nan,
            margin_cost: answer.map { terms.price * $0.required } ?? 0,
            headroom_price: answer.map { $0.limitPrice * margin.scale } ?? 0,
            largest_headroom: answer?.largestBalance.map { $0 / margin.scale } ?? .nan,
            gap: answer?.gap ?? .nan, planes: UInt64(clamping: answer?.planesAdded ?? 0),
            problems: UInt64(clamping: answer?.rounds ?? 0))
    }
}

/// `poise_margin_hedge_options`, checked.
struct MarginHedgeOptions {
    var book: String?
    var buffer: Double?
    var price = 0.0
    var hedge = BookHedge.Options()
    var search = HedgeSearch()
    var isCancelled: (() -> Bool)?

    init() { (search.timeLimit, search.gap) = (10, 1e-4) }

    init(_ given: poise_margin_hedge_options) throws(Failure) {
        self.init()
        if given.book != nil {
            let name = try text(given.book, "book")
            if !name.isEmpty { book = name }
        }
        if given.has_buffer != 0 {
            try check(given.buffer, .within(-1e15...1e15), "buffer")
            buffer = given.buffer
        }
        try check(given.price, .within(0...1e6), "price")
        price = given.price
        var own = poise_live_options()
        own.holding_days = given.holding_days
        own.funding_rate = given.funding_rate
        own.cash_budget = given.cash_budget
        own.uses_lots = given.uses_lots
        hedge = try LiveOptions(own).hedge
        try check(given.seconds, .notNegative, "seconds")
        try check(given.gap, .within(0...0.999_999), "gap")
        if given.node_limit != 0 {
            search.nodeLimit = Int(clamping: given.node_limit)
            search.timeLimit = .infinity
        }
        if given.seconds != 0 { search.timeLimit = given.seconds }
        if given.gap != 0 { search.gap = given.gap }
        isCancelled = question(given.is_cancelled, given.context)
    }
}

extension poise_margin_hedge_options {
    /// The struct's size before a host could end the search.
    static let sizeBeforeQuestions =
        MemoryLayout<poise_margin_hedge_options>.offset(of: \.is_cancelled) ?? 0
}

private func marginHedge(_ hedge: OpaquePointer?) -> MarginHedgeHandle? {
    object(hedge, as: MarginHedgeHandle.self)
}

@c @implementation
public func poise_margin_hedge_create(
    _ margin: OpaquePointer?, _ limits: OpaquePointer?,
    _ options: UnsafePointer<poise_margin_hedge_options>?, _ hedge: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(hedge, "hedge") { () throws(Failure) in
        let handle = try object(margin, as: MarginHandle.self, "margin")
        let table = try object(limits, as: LimitsHandle.self, "limits").table
        let chosen =
            options == nil
            ? MarginHedgeOptions()
            : try MarginHedgeOptions(
                try taken(
                    options, "options", poise_margin_hedge_options(),
                    earlier: poise_margin_hedge_options.sizeBeforeQuestions))
        return try MarginHedgeHandle(handle, table, chosen)
    }
}

@c @implementation
public func poise_margin_hedge_of_case(
    _ engine: OpaquePointer?, _ cases: OpaquePointer?, _ index: Int,
    _ hedge: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(hedge, "hedge") { () throws(Failure) in
        let engine = try object(engine, as: EngineHandle.self, "engine").engine
        let cases = try object(cases, as: MarginCasesHandle.self, "cases")
        return try MarginHedgeHandle(engine, cases.one(index))
    }
}

@c @implementation
public func poise_margin_hedge_free(_ hedge: OpaquePointer?) { release(hedge, as: MarginHedgeHandle.self) }

// MARK: What it comes to

@c @implementation
public func poise_margin_hedge_totals(
    _ hedge: OpaquePointer?, _ result: UnsafeMutablePointer<poise_hedge_result>?,
    _ answer: UnsafeMutablePointer<poise_margin_hedge_answer>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedge, as: MarginHedgeHandle.self, "hedge")
        let (result, answer) = (try sizedIfGiven(result, "result"), try sizedIfGiven(answer, "answer"))
        if let answer { handle.write(to: answer) }
        if let result { handle.solution.write(to: result, has: handle.hasTrades) }
    }
}

@c @implementation
public func poise_margin_hedge_account(
    _ hedge: OpaquePointer?, _ after: UInt32, _ figures: UnsafeMutablePointer<poise_margin_figures>?,
    _ liquidation_below: UnsafeMutablePointer<Double>?, _ liquidation_above: UnsafeMutablePointer<Double>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedge, as: MarginHedgeHandle.self, "hedge")
        let state = after == 0 ? handle.before : handle.after
        let below = try requiredIfGiven(liquidation_below, "liquidation_below")
        let above = try requiredIfGiven(liquidation_above, "liquidation_above")
        if let figures = try sizedIfGiven(figures, "figures") { state.requirement.write(to: figures) }
        below?.pointee = state.below
        above?.pointee = state.above
    }
}

@c @implementation
public func poise_margin_hedge_candidate_count(_ hedge: OpaquePointer?) -> Int {
    marginHedge(hedge)?.candidates.count ?? 0
}

@c @implementation
public func poise_margin_hedge_candidate(
    _ hedge: OpaquePointer?, _ candidate: Int
) -> UnsafePointer<CChar>? {
    marginHedge(hedge)?.candidates[candidate]
}

@c @implementation
public func poise_margin_hedge_holding(_ hedge: OpaquePointer?, _ candidate: Int) -> Int64 {
    guard let holding = marginHedge(hedge)?.holding, holding.indices.contains(candidate) else { return -1 }
    return Int64(holding[candidate].rawValue)
}

@c @implementation
public func poise_margin_hedge_trades(
    _ hedge: OpaquePointer?, _ trades: poise_column, _ headroom: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedge, as: MarginHedgeHandle.self, "hedge")
        try copy([(handle.trades, trades, "trades"), (handle.headroom, headroom, "headroom")])
    }
}

@c @implementation
public func poise_margin_hedge_band_count(_ hedge: OpaquePointer?) -> Int {
    marginHedge(hedge)?.bands.count ?? 0
}

@c @implementation
public func poise_margin_hedge_band(_ hedge: OpaquePointer?, _ band: Int) -> UnsafePointer<CChar>? {
    marginHedge(hedge)?.bands[band]
}

@c @implementation
public func poise_margin_hedge_bands(
    _ hedge: OpaquePointer?, _ exposures: poise_column, _ shadow_prices: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(hedge, as: MarginHedgeHandle.self, "hedge")
        let prices = handle.solution.bandPrices
        let shown = handle.problem.bands.indices.map { band in
            handle.hasTrades && prices.indices.contains(band) && prices[band].isFinite ? prices[band] : 0
        }
        try copy([
            (handle.problem.bands.map(\.current), exposures, "exposures"),
            (shown, shadow_prices, "shadow_prices"),
        ])
    }
}

@c @implementation
public func poise_margin_hedge_outcome_count(_ hedge: OpaquePointer?) -> Int {
    marginHedge(hedge)?.outcomes.count ?? 0
}

@c @implementation
public func poise_margin_hedge_outcome(_ hedge: OpaquePointer?, _ outcome: Int) -> UnsafePointer<CChar>? {
    marginHedge(hedge)?.outcomes[outcome]
}

@c @implementation
public func poise_margin_hedge_outcome_prices(_ hedge: OpaquePointer?, _ prices: poise_column) -> poise_status
{
    attempt { () throws(Failure) in
        let handle = try object(hedge, as: MarginHedgeHandle.self, "hedge")
        guard !handle.outcomePrices.isEmpty else { return }
        try copy([(handle.outcomePrices, prices, "prices")])
    }
}

@c @implementation
public func poise_margin_hedge_note(_ hedge: OpaquePointer?, _ note: Int) -> UnsafePointer<CChar>? {
    marginHedge(hedge)?.notes[note]
}

/// Copies columns, those without data left out; all are checked before any is written.
private func copy(_ columns: [(values: [Double], column: poise_column, name: StaticString)]) throws(Failure) {
    var targets: [Target?] = []
    for (_, column, name) in columns {
        targets.append(column.data == nil ? nil : try Target(column, name))
    }
    for (target, (values, _, _)) in zip(targets, columns) {
        guard let target else { continue }
        for row in values.indices { target.set(row, values[row]) }
    }
}
