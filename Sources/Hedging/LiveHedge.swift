import Checks
import Greeks
import Market
import Risk

/// A hedge kept ready tick by tick: after each change of the market or of positions, whether exposures are within
/// their bands, and if not, the cheapest trades that bring them back.
///
/// Costs are kept in the currency in which they are quoted and follow the prices of the desk. What the desk lists, settles or
/// groups anew is followed by the next `refresh` or `decide`: candidates that are listed no more are gone. After the first
/// hedge of a layout it allocates nothing. To be used from one thread at a time.
public final class LiveHedge {
    public let risk: LiveRisk
    /// As of the last `decide`: what bands hold, what an instrument adds to them and what it costs are current.
    public private(set) var problem: HedgeProblem
    /// The book, or nil for all books together.
    public let book: String?
    /// What the rule lets be traded of all that are known, one per instrument of the problem.
    public private(set) var candidates: [HedgeCandidate] = []
    public private(set) var limits: [LimitTable.Limit]
    /// The exposure that each band is about.
    public private(set) var greeks: [ExposureGreek] = []
    /// The contract of each candidate in `risk`.
    public private(set) var contracts: [Int] = []
    /// How often candidates or bands have been numbered anew.
    public private(set) var layoutVersion = 0
    /// Which of the known contracts are candidates; see `choose`.
    public private(set) var rule = CandidateRule()

    /// What the variance that is left costs, and the places of the sums of each underlying of the problem; see `setVariance`.
    var variance: LiveVariance?
    private var sumOfUnderlying: [Int] = []
    /// See `setRequirement`.
    var requirement: LiveRequirementSource?

    private let solver = HedgeSolver()
    private let requirements = RequirementSolver()
    /// Whether the last problem was solved under a requirement.
    private var isUnderRequirement = false
    /// All that could be traded, in the order in which they came.
    private var known: [LiveCandidate] = []
    private var placeOfName: [String: Int] = [:]
    /// The place in `known` of each candidate.
    private var chosen: [Int] = []
    /// What makes costs of each candidate at the desk's prices.
    private var terms: [LiveCandidate.Terms] = []
    /// The order book of each candidate as it is quoted; nil where a side is empty.
    private var quotes: [(levels: CostCurve, middle: Double)?] = []
    private var options: BookHedge.Options
    /// Why the desk's groups cannot keep the limits: it was grouped in another way since.
    private var unmet: RiskError?
    /// The layout of `risk` that this one is made for.
    private var riskLayout = -1
    /// The sums of each band, and their places.
    private var coverage = ExposureRollUp([])
    private var sumOfBand: [Int] = []
    private var sums: Exposures

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
        book = hedge.book
        limits = hedge.limits
        options = hedge.options
        sums = Exposures(coverage)
        for limit in limits { try require(limit) }
        for (place, candidate) in hedge.candidates.enumerated() {
            guard risk.index(of: candidate.instrument.name) != nil else {
                throw .unknownContract(candidate.instrument.name)
            }
            placeOfName[candidate.instrument.name] = known.count
            known.append(LiveCandidate(candidate, hedge.amounts[place], index: hedge.indexPrices[place]))
        }
        risk.update()
        layOut()
    }

    /// A hedge of limits alone, to which candidates are added: of a desk that was restored.
    /// - Parameters:
    ///   - risk: in US dollars, grouped by book where the hedge is one book's, and by expiry where a limit names one.
    ///   - book: nil for all books together.
    ///   - limits: those that are the book's; others are left out.
    /// - Throws: `unknownBook`, `missingGrouping`, `invalidValue` for a limit that is not about an exposure.
    public init(
        _ risk: LiveRisk, book: String?, _ limits: [LimitTable.Limit], _ options: BookHedge.Options
    ) throws(RiskError) {
        self.risk = risk
        self.book = book
        self.limits = limits.filter { $0.book == book }
        self.options = options
        problem = HedgeProblem(
            name: book ?? "all books", underlyings: [""], cashBudget: options.cashBudget)
        sums = Exposures(coverage)
        for limit in self.limits { try require(limit) }
        risk.update()
        layOut()
    }

    /// Whether a desk can keep a limit.
    private func require(_ limit: LimitTable.Limit) throws(RiskError) {
        guard limit.greek != nil else {
            throw .invalidValue(
                of: limit.name, field: "limit", value: limit.high,
                reason: "live hedges keep exposures within limits, nothing else")
        }
        guard limit.low <= limit.high else {
            throw .invalidValue(
                of: limit.name, field: "high", value: limit.high, reason: "is below low, \(limit.low)")
        }
        let groupings = risk.plan.groupings
        let needed: [(Grouping, Bool)] = [
            (.book, book != nil), (.underlying, limit.underlying != nil), (.expiry, limit.expiry != nil),
        ]
        for (grouping, isNeeded) in needed where isNeeded && !groupings.contains(grouping) {
            throw .missingGrouping(of: limit.name, grouping)
        }
        if let book, !risk.plan.books.contains(book) { throw .unknownBook(book) }
    }

    // MARK: Layout

    /// Makes the problem of what is listed, known, chosen and limited now. Figures of `risk` are to be current.
    private func layOut() {
        riskLayout = risk.layoutVersion
        layoutVersion += 1
        unmet = nil
        for limit in limits {
            do throws(RiskError) { try require(limit) } catch { unmet = unmet ?? error }
        }
        if known.contains(where: { !isListed($0) }) {
            known.removeAll { !isListed($0) }
            placeOfName = [:]
            for (place, one) in known.enumerated() { placeOfName[one.candidate.instrument.name] = place }
        }
        chosen = known.indices.filter { place in
            let one = known[place]
            guard let contract = risk.index(of: one.candidate.instrument.name) else { return false }
            let price = LiveCandidate.price(one.costs.summary.unit, risk.mark(of: contract))
            let dollars = one.costs.summary.dollars(at: price)
            guard dollars != nil || one.fixed != nil else { return false }
            return rule.accepts(
                one.candidate.instrument, delta: risk.figure(contract, .delta),
                price: risk.price(ofSlice: risk.slice(of: contract)), dollars, price)
        }
        candidates = chosen.map { known[$0].candidate }
        contracts = candidates.map { risk.index(of: $0.instrument.name) ?? 0 }
        readKnown()
        let bases = Array(Set(candidates.map(\.instrument.base) + (variance?.underlyings ?? []))).sorted()
        var made = HedgeProblem(
            name: problem.name, underlyings: bases.isEmpty ? [""] : bases, marginLimit: problem.marginLimit,
            cashBudget: problem.cashBudget)
        for (number, candidate) in candidates.enumerated() {
            let underlying = bases.firstIndex(of: candidate.instrument.base) ?? 0
            var instrument =
                known[chosen[number]].fixed
                ?? terms[number].instrument(risk.mark(of: contracts[number]), options.holding, 0)
            instrument.underlying = underlying
            made.add(candidate.instrument.name, instrument)
            if options.walksLevels { walk(number, in: &made) }
        }
        // Bands on several Greeks of the same positions share a sum.
        var coverages: [[Int]] = []
        var numbers: [[Int]: Int] = [:]
        func sum(_ members: [Int]) -> Int {
            if let known = numbers[members] { return known }
            numbers[members] = coverages.count
            coverages.append(members)
            return coverages.count - 1
        }
        (sumOfBand, greeks) = ([], [])
        for limit in limits {
            let greek = limit.greek ?? .value
            greeks.append(greek)
            sumOfBand.append(sum(members(limit.underlying, limit.expiry)))
            var coefficients: [(instrument: Int, coefficient: Double)] = []
            for (number, candidate) in candidates.enumerated() where limit.covers(candidate.instrument) {
                let coefficient = risk.figure(contracts[number], greek)
                // An option's may be 0 now and not at the next tick; what else there is has it always or never.
                guard coefficient != 0 || candidate.instrument.isOption else { continue }
                coefficients.append((instrument: number, coefficient: coefficient))
            }
            let same = made.bandNames.count { $0 == limit.name || $0.hasPrefix("\(limit.name) (") }
            made.add(
                same == 0 ? limit.name : "\(limit.name) (\(same + 1))", band(limit),
                coefficients: coefficients)
        }
        sumOfUnderlying = variance == nil ? [] : made.underlyings.map { sum(members($0, nil)) }
        made.risk = variance?.term(of: made)
        problem = made
        coverage = ExposureRollUp(coverages)
        sums = Exposures(coverage)
        risk.sum(coverage, into: sums)
        for b in problem.bands.indices { problem.bands[b].current = sums[sumOfBand[b], greeks[b]] }
        sumDeltas()
    }

    /// The dollars that move with each coin, as of the last sums.
    private func sumDeltas() {
        guard let variance else { return }
        for u in sumOfUnderlying.indices {
            problem.risk?.dollarDelta[u] = sums[sumOfUnderlying[u], variance.exposure]
        }
    }

    /// Another layout, after what it is made of has changed.
    func layOutAnew() {
        risk.update()
        layOut()
    }

    private func isListed(_ one: LiveCandidate) -> Bool {
        risk.index(of: one.candidate.instrument.name).map(risk.isListed) ?? false
    }

    /// The book's groups on an underlying and of an expiry, in the order of their labels, so that sums have the same bits
    /// whenever they came.
    private func members(_ underlying: String?, _ expiry: String?) -> [Int] {
        var wanted: [(column: Int, label: String)] = []
        let groupings = risk.plan.groupings
        for (grouping, label) in [
            (Grouping.book, book), (.underlying, underlying), (.expiry, expiry),
        ] {
            if let label, let column = groupings.firstIndex(of: grouping) { wanted.append((column, label)) }
        }
        let members = risk.plan.groups.indices.filter { group in
            wanted.allSatisfy { risk.plan.groups[group][$0.column] == $0.label }
        }
        return risk.plan.sorted(members, risk.contracts)
    }

    private func band(_ limit: LimitTable.Limit) -> HedgeBand {
        limit.penalty.map {
            HedgeBand(
                soft: limit.low, limit.high, current: 0, penalty: $0,
                penaltyQuadratic: limit.penaltyQuadratic)
        } ?? HedgeBand(hard: limit.low, limit.high, current: 0)
    }

    // MARK: Costs

    /// Gives a candidate of a problem the levels of its order book, at the desk's price.
    private func walk(_ candidate: Int, in problem: inout HedgeProblem) {
        guard terms[candidate].hasLevels else { return }
        let price = LiveCandidate.price(terms[candidate].costs.unit, risk.mark(of: contracts[candidate]))
        if problem.curves.isEmpty { problem.curves = problem.instruments.map { _ in .none } }
        while problem.curves.count < problem.instruments.count { problem.curves.append(.none) }
        guard let quoted = quotes[candidate], problem.curves[candidate].isLike(quoted.levels) else {
            problem.curves[candidate] = known[chosen[candidate]].costs.levels(at: price)
            return
        }
        problem.curves[candidate].follow(quoted.levels, middle: quoted.middle, perPrice: price.perPrice)
    }

    /// Whether trades cost what they take of the displayed order books, level by level, in place of half the spread and one
    /// impact for both sides.
    public var walksLevels: Bool {
        get { options.walksLevels }
        set {
            options.walksLevels = newValue
            risk.update()
            layOut()
        }
    }

    /// Changes what is known of a candidate.
    func change(_ candidate: Int, _ body: (inout LiveCandidate) -> Void) {
        body(&known[chosen[candidate]])
        let one = known[chosen[candidate]]
        terms[candidate] = LiveCandidate.Terms(one, walksLevels: options.walksLevels)
        quotes[candidate] = one.costs.quoted
        // Made anew at the next decision.
        if candidate < problem.curves.count { problem.curves[candidate] = .none }
    }

    /// What a tick looks at of the chosen candidates.
    private func readKnown() {
        terms = chosen.map { LiveCandidate.Terms(known[$0], walksLevels: options.walksLevels) }
        quotes = options.walksLevels ? chosen.map { known[$0].costs.quoted } : chosen.map { _ in nil }
    }

    /// The levels, fees and depth of a candidate, in the currency in which it is quoted.
    public func costs(ofCandidate candidate: Int) -> CandidateCosts { known[chosen[candidate]].costs }

    /// The order book of a candidate as the exchange quotes it: in coin for inverse options, else in quote currency; amounts
    /// in units of its quantity. Costs follow it and the prices from the next `decide` on, in place of what
    /// `setInstrument` has set. Without levels, options cannot be traded, and others cost what the schedule assumes.
    /// - Throws: `invalidValue` for a price or amount that is not a number or below 0, and for a book that is crossed; the
    ///   one before stays.
    public func setBook(
        bids: [OrderLevel], asks: [OrderLevel], ofCandidate candidate: Int
    ) throws(RiskError) {
        let name = candidates[candidate].instrument.name
        for level in bids { try require(level, "bids", name) }
        for level in asks { try require(level, "asks", name) }
        for (side, levels, sign) in [("bids", bids, -1.0), ("asks", asks, 1.0)] {
            for (better, worse) in zip(levels, levels.dropFirst())
            where sign * worse.price < sign * better.price {
                throw .invalidValue(
                    of: name, field: side, value: worse.price, reason: "levels are to come best first")
            }
        }
        var isTaken = false
        change(candidate) {
            isTaken = $0.costs.set(bids, asks)
            if isTaken { $0.fixed = nil }
        }
        guard isTaken else {
            throw .invalidValue(
                of: name, field: "bids", value: bids.first?.price ?? .nan,
                reason: "crossed market: the ask is \(asks.first?.price ?? .nan)")
        }
    }

    private func require(_ level: OrderLevel, _ side: String, _ name: String) throws(RiskError) {
        try RiskError.require(.notNegative, level.price, side, of: name)
        try RiskError.require(.notNegative, level.amount, side, of: name)
    }

    /// New costs and depth of a candidate in US dollars, which stay as they are whatever prices do.
    public func setInstrument(_ instrument: HedgeInstrument, ofCandidate candidate: Int) {
        change(candidate) { $0.fixed = instrument }
        problem.instruments[candidate] = instrument
    }

    /// The smallest trade of a candidate, and its lot; nil for any amount.
    public func setAmount(_ amount: TradedAmount?, ofCandidate candidate: Int) {
        change(candidate) { $0.amount = amount }
    }

    /// Another schedule of fees, and of what is assumed without an order book.
    public func setFees(_ costs: VenueCosts) {
        options.costs = costs
        for place in known.indices {
            guard let rates = costs.rates(of: known[place].candidate.instrument) else { continue }
            known[place].costs.rates = rates
        }
        readKnown()
    }

    /// What positions are held for, by which carry is a cost.
    public func setHolding(_ holding: HedgeCandidate.Holding) { options.holding = holding }

    /// Most that trades may spend, in US dollars.
    public func setCashBudget(_ budget: Double) { problem.cashBudget = budget }

    /// Most margin that trades may take up, by what `setMargin` says of candidates; infinity for no limit.
    public func setMarginLimit(_ limit: Double) { problem.marginLimit = limit }

    // MARK: Candidates

    /// Only contracts that a rule accepts are candidates from now on, by what they are, show and cost now.
    public func choose(_ rule: CandidateRule) {
        self.rule = rule
        risk.update()
        layOut()
    }

    /// Another contract of the desk that may be traded, if the rule accepts it.
    /// - Parameters:
    ///   - ticker: its order book, and its mark.
    ///   - amount: in which it trades; nil for what its exchange is known to trade in, if lots are asked for.
    /// - Returns: whether it can be traded: it has a mark, and someone quotes or a schedule assumes so.
    /// - Throws: `unknownContract`, `notListed`.
    @discardableResult
    public func add(_ ticker: Ticker, amount: TradedAmount? = nil) throws(RiskError) -> Bool {
        let name = ticker.instrument.name
        guard let contract = risk.index(of: name) else { throw .unknownContract(name) }
        guard risk.isListed(contract) else { throw .notListed(name) }
        let index = risk.price(ofUnderlying: risk.slices[risk.slice(of: contract)].underlying)
        let assumed = ticker.instrument.exchange.assumedAmount(of: ticker.instrument)
        guard take(ticker, amount ?? (options.usesLots ? assumed : nil), index: index) else { return false }
        risk.update()
        layOut()
        return true
    }

    /// The contracts of a chain that the desk lists may be traded, if the rule accepts them: with their order books and, where
    /// lots are asked for, the amounts that the chain's list of instruments states. What is known already takes the chain's
    /// order book and amount over.
    /// - Returns: how many of them can be traded; what has no price in dollars, or nobody quotes, cannot.
    @discardableResult
    public func add(from chain: Chain) -> Int {
        var count = 0
        for ticker in chain.latestTickers {
            guard let contract = risk.index(of: ticker.instrument.name), risk.isListed(contract),
                let inDollars = chain.inDollars(ticker)
            else { continue }
            let index =
                chain.indexPrice(of: ticker.instrument)
                ?? risk.price(ofUnderlying: risk.slices[risk.slice(of: contract)].underlying)
            let amount = options.usesLots ? chain.tradedAmount(of: ticker.instrument)?.amount : nil
            if take(inDollars, amount, index: index) { count += 1 }
        }
        risk.update()
        layOut()
        return count
    }

    private func take(_ ticker: Ticker, _ amount: TradedAmount?, index: Double) -> Bool {
        guard let candidate = HedgeCandidate(ticker, options.costs, options.holding, index: index) else {
            return false
        }
        let added = LiveCandidate(candidate, amount, index: index)
        if let place = placeOfName[ticker.instrument.name] {
            known[place] = added
        } else {
            placeOfName[ticker.instrument.name] = known.count
            known.append(added)
        }
        return true
    }

    // MARK: Limits

    /// The limit of a name as of `LimitTable.Limit.name`.
    public func index(ofLimit name: String) -> Int? { limits.firstIndex { $0.name == name } }

    /// Adds a limit, or replaces the one of its name.
    /// - Throws: `invalidValue` for one that is not about an exposure, `missingGrouping`, `unknownBook` for one of another
    ///   book; limits are as before.
    public func setLimit(_ limit: LimitTable.Limit) throws(RiskError) {
        guard limit.book == book else { throw .unknownBook(limit.book ?? "") }
        try require(limit)
        if let place = index(ofLimit: limit.name) { limits[place] = limit } else { limits.append(limit) }
        risk.update()
        layOut()
    }

    /// Takes a limit away.
    /// - Returns: whether it was there.
    @discardableResult
    public func removeLimit(named name: String) -> Bool {
        guard let place = index(ofLimit: name) else { return false }
        limits.remove(at: place)
        risk.update()
        layOut()
        return true
    }

    /// New edges of a band, in the units of its limit: what a policy on when to rebalance makes of it. They last until
    /// limits, candidates or the desk's layout change.
    public func setBand(_ band: Int, low: Double, high: Double) {
        problem.bands[band].low = low
        problem.bands[band].high = high
    }

    // MARK: The search

    /// The gap, nodes and seconds of the search for trades.
    public var search: HedgeSearch {
        get { solver.search }
        set { solver.search = newValue }
    }

    /// Asked every hundredth of a second while trades are searched for; true ends it as the time limit does.
    public var isCancelled: (() -> Bool)? {
        get { solver.isCancelled }
        set { solver.isCancelled = newValue }
    }

    /// The trades of the last hedge, one per candidate, with their certificate, cost and shadow prices.
    public var solution: HedgeSolution { isUnderRequirement ? requirements.answer.hedge : solver.solution }

    /// What a venue's margin asked of the last hedge, and what it costs; nil where none did.
    public var requirementAnswer: RequirementAnswer? { isUnderRequirement ? requirements.answer : nil }

    /// Brings `risk` up to date and follows its layout: candidates that are listed no more are gone, and bands cover new books.
    public func follow() {
        risk.update()
        if riskLayout != risk.layoutVersion { layOut() }
    }

    /// Brings `risk` up to date, follows its layout, and sums what the bands are about.
    public func refresh() {
        follow()
        risk.sum(coverage, into: sums)
    }

    /// A figure of the positions that a band covers, as of the last `refresh` or `decide`.
    public func exposure(ofBand band: Int, _ greek: ExposureGreek) -> Double { sums[sumOfBand[band], greek] }

    /// By how much a band may be left by rounding: a share of its width, or of its edges.
    private func tolerance(_ band: HedgeBand) -> Double {
        let width = band.high - band.low
        let edge = max(
            band.low.isFinite ? band.low.magnitude : 0, band.high.isFinite ? band.high.magnitude : 0)
        return 1e-9
            * max(
                width.isFinite ? width : 0,
                HedgeProblem.leastShareOfTerms * max(edge, band.current.magnitude))
    }

    /// Brings `risk` up to date, looks at every band, and solves where one is left.
    /// - Throws: `HedgeError` where what is set for an instrument makes no problem, and where the desk is grouped by
    ///   something else than what limits name.
    public func decide() throws(HedgeError) -> Decision {
        guard try isOutside() else { return .withinLimits }
        return .hedge(try solve())
    }

    /// Brings `risk` up to date, and solves whatever the bands say: within them a variance that is priced may be worth trades.
    /// - Throws: as `decide`.
    public func rebalance() throws(HedgeError) -> HedgeStatus {
        _ = try isOutside()
        return try solve()
    }

    /// Whether an exposure has left its band.
    private func isOutside() throws(HedgeError) -> Bool {
        refresh()
        if let unmet {
            throw .invalidValue(
                field: "limits", name: book ?? "all books", value: Double(limits.count), reason: "\(unmet)")
        }
        var isOutside = false
        for b in problem.bands.indices {
            let current = sums[sumOfBand[b], greeks[b]]
            problem.bands[b].current = current
            let tolerance = tolerance(problem.bands[b])
            let (low, high) = (problem.bands[b].low - tolerance, problem.bands[b].high + tolerance)
            isOutside = isOutside || !(current >= low && current <= high)
        }
        sumDeltas()
        return isOutside
    }

    private func solve() throws(HedgeError) -> HedgeStatus {
        reprice(&problem)
        isUnderRequirement = requirement != nil
        guard let requirement else { return try solver.solve(problem, start: .warm) }
        let asked = try requirement(self)
        requirements.search = solver.search
        requirements.isCancelled = solver.isCancelled
        guard !asked.barred.isEmpty else {
            return try requirements.solve(problem, asked.requirement, asked.terms, start: .warm)
        }
        var allowed = problem
        for i in asked.barred {
            allowed.instruments[i].maximumBuy = 0
            allowed.instruments[i].maximumSell = 0
        }
        return try requirements.solve(allowed, asked.requirement, asked.terms, start: .warm)
    }

    /// What candidates cost, and what they add to bands, at the desk's prices.
    private func reprice(_ problem: inout HedgeProblem) {
        for number in 0..<terms.count where !terms[number].isFixed {
            problem.instruments[number] = terms[number].instrument(
                risk.mark(of: contracts[number]), options.holding, problem.instruments[number].underlying)
            if options.walksLevels { walk(number, in: &problem) }
        }
        if let variance {
            for number in contracts.indices {
                problem.risk?.exposure[number] = risk.figure(contracts[number], variance.exposure)
            }
        }
        for b in problem.bands.indices {
            for k in problem.bands[b].entries {
                let contract = contracts[problem.entries[k].instrument]
                problem.entries[k].coefficient = risk.figure(contract, greeks[b])
            }
        }
    }

    /// Books trades of candidates, as they are filled. Allocates where the book trades a contract for the first time.
    /// - Throws: `unknownBook`, `notListed`, `invalidValue`; trades in front of the one at fault are booked.
    public func book(_ trades: [Double], in book: String) throws(RiskError) {
        for (contract, quantity) in zip(contracts, trades) where quantity != 0 {
            try risk.fill(book: book, contract: contract, quantity: quantity)
        }
    }
}
