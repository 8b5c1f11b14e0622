import CPoise
import Poise

/// Behind `poise_live`.
final class LiveHandle {
    let risk: LiveRisk
    private(set) var hedges: [HedgeHandle]
    private(set) var underlyings = CStrings([])
    private(set) var slices = CStrings([])
    private(set) var contracts = CStrings([])
    private(set) var books = CStrings([])
    private(set) var labels: [CStrings] = []
    /// All cash as it was counted last: book and currency of each amount.
    private(set) var amounts: [Double] = []
    private(set) var cashNames = CStrings([])
    /// The last settlement, and its texts.
    private(set) var settlement: ContractSettlement?
    private(set) var paid = CStrings([])

    /// A hedge, and whether its last decision left trades, of the candidates that it has now.
    final class HedgeHandle {
        let hedge: LiveHedge
        let book: CStrings
        private(set) var bands: CStrings
        var hasTrades: Bool {
            get { decided && version == hedge.layoutVersion }
            set { (decided, version) = (newValue, hedge.layoutVersion) }
        }
        private var decided = false
        private var version = 0
        /// Whether the trades are booked.
        var isBooked = false

        init(_ hedge: LiveHedge) {
            self.hedge = hedge
            book = CStrings([hedge.book ?? ""])
            bands = CStrings(hedge.limits.map(\.name))
        }

        /// Of the margin that it keeps to: what a unit of the account's currency is in dollars, and the price of a unit of it.
        private var terms = (scale: 1.0, price: 0.0)

        func setRequirement(_ margin: LiveMarginHandle?, buffer: Double?, price: Double) {
            guard let margin else {
                hedge.setRequirement(nil)
                return
            }
            margin.limit(hedge, buffer: buffer, price: price)
            terms = (margin.scale, price)
        }

        func write(to result: UnsafeMutablePointer<poise_margin_hedge_answer>) {
            let answer = hedge.requirementAnswer
            result.pointee = poise_margin_hedge_answer(
                size: MemoryLayout<poise_margin_hedge_answer>.stride,
                required: answer.map { $0.required / terms.scale } ?? .nan, overstatement: .nan,
                margin_cost: answer.map { terms.price * $0.required } ?? .nan,
                headroom_price: answer.map { $0.limitPrice * terms.scale } ?? .nan,
                largest_headroom: answer?.largestBalance.map { $0 / terms.scale } ?? .nan,
                gap: answer?.gap ?? .nan, planes: UInt64(clamping: answer?.planesAdded ?? 0),
                problems: UInt64(clamping: answer?.rounds ?? 0))
        }

        func readBands() { bands = CStrings(hedge.limits.map(\.name)) }
    }

    /// A desk alone.
    init(_ risk: LiveRisk) {
        self.risk = risk
        hedges = []
        readNames()
    }

    /// Follows a change of the layout. Names that are there stay where they are.
    func readNames() {
        for hedge in hedges { hedge.hedge.follow() }
        underlyings.append(risk.underlyings.dropFirst(underlyings.count))
        slices.append(risk.slices.dropFirst(slices.count).map(\.name))
        contracts.append(risk.contracts.dropFirst(contracts.count).map(\.name))
        books.append(risk.plan.books.dropFirst(books.count))
        labels += risk.plan.groups.dropFirst(labels.count).map { CStrings($0) }
    }

    /// Counts the cash anew.
    func readCash() -> Int {
        let all = risk.cash.all
        amounts = all.map(\.amount)
        cashNames = CStrings(all.flatMap { [$0.book, $0.currency] })
        return all.count
    }

    /// Groups by something else, if that leaves what the hedges' limits name.
    func group(by groupings: [Grouping]) throws(Failure) {
        let limits = hedges.flatMap(\.hedge.limits)
        let needed: [(Grouping, Bool)] = [
            (.book, limits.contains { $0.book != nil }), (.expiry, limits.contains { $0.expiry != nil }),
        ]
        for (grouping, isNeeded) in needed where isNeeded && !groupings.contains(grouping) {
            throw .argument("groupings", "limits are by \(grouping.rawValue): it must stay among them")
        }
        risk.group(by: groupings)
        labels = []
        readNames()
    }

    /// Hedges of other limits.
    func setLimits(_ table: LimitTable, _ options: BookHedge.Options) throws(Failure) {
        guard risk.numeraire == .usd else { throw .argument("limits", "are for desks in dollars") }
        hedges = try failing { () throws(RiskError) in try LiveHedge.all(risk, table, options) }
            .map(HedgeHandle.init)
    }

    /// What is listed no more is forgotten, with all names.
    func rollOff() {
        risk.rollOff()
        (underlyings, slices, contracts, books) = (CStrings([]), CStrings([]), CStrings([]), CStrings([]))
        labels = []
        readNames()
    }

    func keep(_ settlement: ContractSettlement) {
        self.settlement = settlement
        paid = CStrings([settlement.currency] + settlement.payments.map(\.book))
    }

    init(
        _ engine: GreeksEngine, _ chain: Chain, _ table: PositionTable, _ limits: LimitTable?,
        _ options: LiveOptions
    ) throws(Failure) {
        // Names the position whose contract has no price.
        let valuation = try valuation(table, in: chain)
        if let limits {
            guard options.exposures.groupings == nil, options.exposures.numeraire == .usd else {
                throw .argument("options", "with limits: dollars, and no groupings")
            }
            var badRows = BadRows(skip: false)
            do {
                let (risk, hedges) = try LiveHedge.all(
                    table, in: chain, limits, options.hedge, engine, &badRows)
                self.risk = risk
                self.hedges = hedges.map(HedgeHandle.init)
            } catch let error as any PoiseError {
                throw Failure(error)
            } catch {
                throw Failure(status: POISE_ERROR_VALUE, reason: "\(error)")
            }
        } else {
            hedges = []
            // All that is listed can be traded, and what is held without being listed.
            var tickers = chain.latestTickers.compactMap(chain.inDollars)
            let listed = Set(tickers.map(\.instrument.name))
            tickers += valuation.greeks.tickers.filter { !listed.contains($0.instrument.name) }
            let greeks = try reading { badRows throws(MarketError) in
                try ChainGreeks(tickers, .exposures, &badRows)
            }
            risk = try failing { () throws(RiskError) in
                try LiveRisk(
                    valuation.positions, greeks, by: options.exposures.groupings ?? [.book],
                    in: options.exposures.numeraire, engine: engine)
            }
        }
        readNames()
    }

    func hedge(_ index: Int) throws(Failure) -> HedgeHandle {
        try checkIndex(index, below: hedges.count, "hedge")
        return hedges[index]
    }
}

/// `poise_live_options`, checked.
struct LiveOptions {
    var exposures = ExposureOptions()
    var hedge = BookHedge.Options()

    init() {}

    init(_ options: poise_live_options) throws(Failure) {
        // Left at 0 it stands for none.
        if options.exposures.size != 0 {
            try checkSize(options.exposures.size, of: poise_exposure_options.self, "exposures")
            exposures = try ExposureOptions(options.exposures)
        }
        try check(options.holding_days, .notNegative, "holding_days")
        try check(options.funding_rate, .finite, "funding_rate")
        try check(options.cash_budget, .number, "cash_budget")
        hedge.holding = HedgeCandidate.Holding(horizon: options.holding_days, funding: options.funding_rate)
        if options.cash_budget != 0 { hedge.cashBudget = options.cash_budget }
        hedge.usesLots = options.uses_lots != 0
    }
}

/// Changes a live desk.
@inline(__always)
func change(
    _ live: OpaquePointer?, _ body: (LiveHandle) throws(Failure) -> Void
) -> poise_status {
    attempt { () throws(Failure) in try body(try object(live, as: LiveHandle.self, "live")) }
}

/// The time of a change; nil for 0.
@inline(__always)
func timestamp(_ milliseconds: Int64) throws(Failure) -> Timestamp? {
    guard milliseconds == 0 || Timestamp.acceptedMilliseconds ~= milliseconds else {
        throw .value("milliseconds", milliseconds, "must be since 1970, from 1e11 to 1e14, or 0")
    }
    return milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds)
}

/// Prices of a tick, within what cannot overflow however often they come.
@inline(__always)
func checkPrice(_ price: Double) throws(Failure) {
    let rule = NumberRule.within(1e-12...1e12)
    guard rule.accepts(price) else { throw .value("price", price, rule.complaint) }
}

@c @implementation
public func poise_live_create(
    _ engine: OpaquePointer?, _ chain: OpaquePointer?, _ positions: OpaquePointer?, _ limits: OpaquePointer?,
    _ options: UnsafePointer<poise_live_options>?, _ live: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(live, "live") { () throws(Failure) in
        let chosen =
            options == nil
            ? LiveOptions() : try LiveOptions(try taken(options, "options", poise_live_options()))
        let (engine, chain, table) = try books(engine, chain, positions)
        return try LiveHandle(engine, chain, table, object(limits, as: LimitsHandle.self)?.table, chosen)
    }
}

@c @implementation
public func poise_live_free(_ live: OpaquePointer?) { release(live, as: LiveHandle.self) }

// MARK: What there is

func handle(_ live: OpaquePointer?) -> LiveHandle? { object(live, as: LiveHandle.self) }

@c @implementation
public func poise_live_underlying_count(_ live: OpaquePointer?) -> Int {
    handle(live)?.underlyings.count ?? 0
}

@c @implementation
public func poise_live_slice_count(_ live: OpaquePointer?) -> Int { handle(live)?.slices.count ?? 0 }

@c @implementation
public func poise_live_contract_count(_ live: OpaquePointer?) -> Int { handle(live)?.contracts.count ?? 0 }

@c @implementation
public func poise_live_group_count(_ live: OpaquePointer?) -> Int { handle(live)?.labels.count ?? 0 }

@c @implementation
public func poise_live_underlying(_ live: OpaquePointer?, _ underlying: Int) -> UnsafePointer<CChar>? {
    handle(live)?.underlyings[underlying]
}

@c @implementation
public func poise_live_slice(_ live: OpaquePointer?, _ slice: Int) -> UnsafePointer<CChar>? {
    handle(live)?.slices[slice]
}

@c @implementation
public func poise_live_contract(_ live: OpaquePointer?, _ contract: Int) -> UnsafePointer<CChar>? {
    handle(live)?.contracts[contract]
}

@c @implementation
public func poise_live_grouping_count(_ live: OpaquePointer?) -> Int {
    handle(live)?.risk.plan.groupings.count ?? 0
}

@c @implementation
public func poise_live_grouping(_ live: OpaquePointer?, _ grouping: Int) -> Int64 {
    guard let groupings = object(live, as: LiveHandle.self)?.risk.plan.groupings,
        groupings.indices.contains(grouping)
    else { return -1 }
    return switch groupings[grouping] {
    case .book: Int64(POISE_BY_BOOK.rawValue)
    case .underlying: Int64(POISE_BY_UNDERLYING.rawValue)
    case .expiry: Int64(POISE_BY_EXPIRY.rawValue)
    case .instrument: Int64(POISE_BY_INSTRUMENT.rawValue)
    // Not of a live desk.
    default: -1
    }
}

@c @implementation
public func poise_live_label(
    _ live: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    object(live, as: LiveHandle.self)?.labels.text(group, grouping)
}

/// The index of a name in a live desk; −1 where it is unknown.
private func index(
    _ live: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ find: (LiveHandle, String) -> Int?
) -> Int64 {
    guard let live = object(live, as: LiveHandle.self), let name = try? text(name, "name") else { return -1 }
    return find(live, name).map { Int64($0) } ?? -1
}

@c @implementation
public func poise_live_find_underlying(_ live: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Int64 {
    index(live, name) { $0.risk.underlyings.firstIndex(of: $1) }
}

@c @implementation
public func poise_live_find_slice(_ live: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Int64 {
    index(live, name) { $0.risk.index(ofSlice: $1) }
}

@c @implementation
public func poise_live_find_contract(_ live: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Int64 {
    index(live, name) { $0.risk.index(of: $1) }
}

// MARK: What changes

@c @implementation
public func poise_live_tick(
    _ live: OpaquePointer?, _ underlying: Int, _ price: Double, _ milliseconds: Int64
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(underlying, below: live.underlyings.count, "underlying")
        try checkPrice(price)
        let time = try timestamp(milliseconds)
        try failing { () throws(RiskError) in try live.risk.tick(underlying, price: price, at: time) }
    }
}

@c @implementation
public func poise_live_set_price(
    _ live: OpaquePointer?, _ slice: Int, _ price: Double, _ milliseconds: Int64
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(slice, below: live.slices.count, "slice")
        try checkPrice(price)
        let time = try timestamp(milliseconds)
        try failing { () throws(RiskError) in try live.risk.setPrice(price, ofSlice: slice, at: time) }
    }
}

@c @implementation
public func poise_live_set_rate(_ live: OpaquePointer?, _ slice: Int, _ rate: Double) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(slice, below: live.slices.count, "slice")
        try failing { () throws(RiskError) in try live.risk.setRate(rate, ofSlice: slice) }
    }
}

@c @implementation
public func poise_live_set_volatility(
    _ live: OpaquePointer?, _ contract: Int, _ volatility: Double
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        try failing { () throws(RiskError) in
            try live.risk.setVolatility(volatility, ofContract: contract)
        }
    }
}

@c @implementation
public func poise_live_advance(_ live: OpaquePointer?, _ milliseconds: Int64) -> poise_status {
    change(live) { live throws(Failure) in
        guard let time = try timestamp(milliseconds) else { return }
        try failing { () throws(RiskError) in try live.risk.advance(to: time) }
    }
}

@c @implementation
public func poise_live_fill(
    _ live: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ contract: Int, _ quantity: Double
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        let book = try text(book, "book")
        try failing { () throws(RiskError) in
            try live.risk.fill(book: book, contract: contract, quantity: quantity)
        }
    }
}

// MARK: What follows

@c @implementation
public func poise_live_update(_ live: OpaquePointer?, _ slices: UnsafeMutablePointer<Int>?) -> poise_status {
    change(live) { live throws(Failure) in
        let target = try requiredIfGiven(slices, "slices")
        let count = live.risk.update()
        target?.pointee = count
    }
}

@c @implementation
public func poise_live_exposures(
    _ live: OpaquePointer?, _ exposure: poise_exposure, _ column: poise_column
) -> poise_status {
    change(live) { live throws(Failure) in try live.risk.exposures.copy(exposure, to: column) }
}

@c @implementation
public func poise_live_figure(
    _ live: OpaquePointer?, _ contract: Int, _ exposure: poise_exposure,
    _ value: UnsafeMutablePointer<Double>?
) -> poise_status {
    change(live) { live throws(Failure) in
        try checkIndex(contract, below: live.contracts.count, "contract")
        try required(value, "value").pointee = live.risk.figure(contract, try ExposureGreek(exposure))
    }
}
