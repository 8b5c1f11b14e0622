import CPoise
import Checks
import Poise

/// Behind `poise_live_margin`: a margin, and the prices that ticks have brought it to.
final class LiveMarginHandle {
    let margin: LiveMargin
    let contracts, expiries: CStrings
    private let contractOfName, expiryOfName: [String: Int]
    /// Whether positions in it count dollars where the market counts coins.
    private let isInDollars: [Bool]
    private let kinds: [MarginMarket.Kind]
    private var index: Double
    /// Of contracts: prices of perpetuals; 0 of others.
    private var perpetuals: [Double]
    /// Of contracts, in the market's unit, and what perpetuals have gained since the start.
    private var held: [Double]
    private var gained = 0.0
    private var forwards: [Double]
    /// What is known of them, and times to expiry at the start.
    private let fixed, seconds: [Double]
    private let start: Timestamp?
    private var elapsed = 0.0

    init(_ handle: MarginHandle) throws(Failure) {
        guard case .scan(let scan) = handle.model.rule, LiveMargin.keeps(scan) else {
            throw .argument(
                "margin",
                "its model is no grid of scenarios, charges delta, or moves time, rates or smiles: not kept live"
            )
        }
        var (market, account) = (handle.market, handle.account)
        var isInDollars = market.contracts.map { _ in false }
        if case .book(let chain, let table, let file, let underlying) = handle.origin {
            // What has no figures is no contract to trade.
            var skipped = BadRows(skip: true)
            let tickers = try failing { () throws(MarketError) in
                try ChainGreeks(
                    chain.latestTickers.compactMap(chain.inDollars), .exposures, &skipped
                ).tickers
            }
            let book = try reading { badRows throws(MarketError) in
                try MarginBook(
                    table, candidates: nil, in: chain, file, handle.model, underlying: underlying,
                    trading: tickers, &badRows)
            }
            (market, account) = (book.market, book.account)
            isInDollars = market.contracts.map { _ in false }
            for (ticker, candidate) in zip(tickers, book.trading) {
                guard let candidate, market.contracts[candidate.contract].kind == .perpetual else { continue }
                isInDollars[candidate.contract] = ticker.instrument.settlement == .inverse
            }
        }
        margin = try failing { () throws(MarginError) in
            try LiveMargin(scan, account, in: market, handle.engine)
        }
        self.isInDollars = isInDollars
        let names = market.contracts.map(\.name)
        let expiries = market.underlyings.first?.expiries ?? []
        contracts = CStrings(names)
        self.expiries = CStrings(expiries.map(\.name))
        contractOfName = Dictionary(zip(names, names.indices), uniquingKeysWith: { a, _ in a })
        expiryOfName = Dictionary(
            zip(expiries.map(\.name), expiries.indices), uniquingKeysWith: { a, _ in a })
        kinds = market.contracts.map(\.kind)
        index = market.underlyings.first?.spot ?? 0
        let perpetual = market.underlyings.first?.perpetual?.price ?? 0
        perpetuals = market.contracts.map { $0.kind == .perpetual ? $0.price ?? perpetual : 0 }
        held = account.quantities
        forwards = expiries.map(\.forward)
        fixed = expiries.map(\.fixed)
        seconds = expiries.map(\.seconds)
        start = handle.asOf
    }

    func find(contract name: String) -> Int? { contractOfName[name] }
    func find(expiry name: String) -> Int? { expiryOfName[name] }

    func checkContract(_ contract: Int) throws(Failure) {
        try checkIndex(contract, below: kinds.count, "contract")
    }

    private func require(_ kind: MarginMarket.Kind, _ contract: Int) throws(Failure) {
        try checkContract(contract)
        guard kinds[contract] == kind else {
            throw .argument("contract", "is of kind \(kinds[contract].rawValue)")
        }
    }

    // MARK: Ticks

    func tick(_ price: Double, _ milliseconds: Int64) throws(Failure) {
        try checkPrice(price)
        var later = elapsed
        if let time = try timestamp(milliseconds) {
            guard let start else { throw .argument("milliseconds", "a case has no time: must be 0") }
            later = Double(time.milliseconds - start.milliseconds) / 1000
            guard later >= elapsed else {
                throw .value("milliseconds", milliseconds, "is before the last")
            }
        }
        let factor = price / index
        try failing { () throws(MarginError) in
            try margin.setSpot(price)
            for contract in perpetuals.indices where perpetuals[contract] > 0 {
                try movePerpetual(contract, perpetuals[contract] * factor)
            }
            for expiry in forwards.indices {
                let moved = (forwards[expiry] - fixed[expiry]) * factor + fixed[expiry]
                try margin.setForward(of: expiry, moved, seconds: seconds[expiry] - later)
                forwards[expiry] = moved
            }
        }
        (index, elapsed) = (price, later)
    }

    func setIndex(_ price: Double) throws(Failure) {
        try checkPrice(price)
        try failing { () throws(MarginError) in try margin.setSpot(price) }
        index = price
    }

    func setPerpetual(_ contract: Int, _ price: Double) throws(Failure) {
        try require(.perpetual, contract)
        try checkPrice(price)
        try failing { () throws(MarginError) in try movePerpetual(contract, price) }
    }

    private func movePerpetual(_ contract: Int, _ price: Double) throws(MarginError) {
        try margin.setPerpetual(contract, price)
        gained += held[contract] * (price - perpetuals[contract])
        perpetuals[contract] = price
    }

    func setForward(_ expiry: Int, _ price: Double) throws(Failure) {
        try checkIndex(expiry, below: forwards.count, "expiry")
        try checkPrice(price)
        try failing { () throws(MarginError) in
            try margin.setForward(of: expiry, price, seconds: seconds[expiry] - elapsed)
        }
        forwards[expiry] = price
    }

    func setVolatility(_ contract: Int, _ volatility: Double) throws(Failure) {
        try require(.option, contract)
        try failing { () throws(MarginError) in try margin.setVolatility(of: contract, volatility) }
    }

    // MARK: Trades

    /// A quantity of positions in the market's unit.
    @inline(__always)
    private func own(_ quantity: Double, _ contract: Int) -> Double {
        isInDollars[contract] ? quantity / perpetuals[contract] : quantity
    }

    func fill(_ contract: Int, _ quantity: Double, _ amount: Double) throws(Failure) {
        try checkContract(contract)
        for (number, name) in [(quantity, "quantity"), (amount, "amount")] as [(Double, StaticString)] {
            guard NumberRule.finite.accepts(number) else {
                throw .value("\(name)", number, NumberRule.finite.complaint)
            }
        }
        try failing { () throws(MarginError) in
            try margin.fill(contract, quantity: own(quantity, contract), paying: amount)
        }
        held[contract] += own(quantity, contract)
    }

    /// Figures with what perpetuals have gained, which is not in the cash.
    @inline(__always)
    private func counted(_ figures: LiveMargin.Figures) -> LiveMargin.Figures {
        var figures = figures
        figures.markToMarket += gained
        return figures
    }

    var figures: LiveMargin.Figures { counted(margin.figures) }

    /// Makes a hedge keep to it: see `LiveHedge.setRequirement(of:)`.
    func limit(_ hedge: LiveHedge, buffer: Double?, price: Double) {
        hedge.setRequirement(
            of: margin, buffer: buffer, price: price, unit: { self.own(1, $0) }, gained: { self.gained })
    }

    /// What a unit of the account's currency is in a hedge's.
    var scale: Double { margin.market.stablePrice }

    func whatIf(
        _ count: Int, _ contracts: UnsafePointer<Int>, _ quantities: Strided<Double>, _ targets: MarginTargets
    ) throws(Failure) {
        for row in 0..<count {
            let contract = contracts[row]
            guard contract >= 0, contract < kinds.count else {
                throw .value(
                    row: row, "contracts", UInt(bitPattern: contract), "there are \(kinds.count)")
            }
            guard quantities[row].magnitude < .infinity else {
                throw .value(row: row, "quantity", quantities[row], NumberRule.finite.complaint)
            }
        }
        for row in 0..<count {
            let quantity = own(quantities[row], contracts[row])
            targets.set(row, counted(margin.margin(after: contracts[row], quantity: quantity)))
        }
    }
}

@inline(__always)
private func changeMargin(
    _ live: OpaquePointer?, _ body: (LiveMarginHandle) throws(Failure) -> Void
) -> poise_status {
    attempt { () throws(Failure) in try body(try object(live, as: LiveMarginHandle.self, "live")) }
}

private func liveMargin(_ live: OpaquePointer?) -> LiveMarginHandle? {
    object(live, as: LiveMarginHandle.self)
}

@c @implementation
public func poise_live_margin_create(
    _ margin: OpaquePointer?, _ live: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(live, "live") { () throws(Failure) in
        try LiveMarginHandle(try object(margin, as: MarginHandle.self, "margin"))
    }
}

@c @implementation
public func poise_live_margin_free(_ live: OpaquePointer?) { release(live, as: LiveMarginHandle.self) }

// MARK: What there is

@c @implementation
public func poise_live_margin_contract_count(_ live: OpaquePointer?) -> Int {
    liveMargin(live)?.contracts.count ?? 0
}

@c @implementation
public func poise_live_margin_expiry_count(_ live: OpaquePointer?) -> Int {
    liveMargin(live)?.expiries.count ?? 0
}

@c @implementation
public func poise_live_margin_contract(_ live: OpaquePointer?, _ contract: Int) -> UnsafePointer<CChar>? {
    liveMargin(live)?.contracts[contract]
}

@c @implementation
public func poise_live_margin_expiry(_ live: OpaquePointer?, _ expiry: Int) -> UnsafePointer<CChar>? {
    liveMargin(live)?.expiries[expiry]
}

@c @implementation
public func poise_live_margin_find_contract(
    _ live: OpaquePointer?, _ name: UnsafePointer<CChar>?
) -> Int64 {
    guard let live = liveMargin(live), let name = try? text(name, "name") else { return -1 }
    return live.find(contract: name).map { Int64($0) } ?? -1
}

@c @implementation
public func poise_live_margin_find_expiry(_ live: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Int64 {
    guard let live = liveMargin(live), let name = try? text(name, "name") else { return -1 }
    return live.find(expiry: name).map { Int64($0) } ?? -1
}

// MARK: What changes

@c @implementation
public func poise_live_margin_tick(
    _ live: OpaquePointer?, _ price: Double, _ milliseconds: Int64
) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.tick(price, milliseconds) }
}

@c @implementation
public func poise_live_margin_set_index(_ live: OpaquePointer?, _ price: Double) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.setIndex(price) }
}

@c @implementation
public func poise_live_margin_set_perpetual(
    _ live: OpaquePointer?, _ contract: Int, _ price: Double
) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.setPerpetual(contract, price) }
}

@c @implementation
public func poise_live_margin_set_forward(
    _ live: OpaquePointer?, _ expiry: Int, _ price: Double
) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.setForward(expiry, price) }
}

@c @implementation
public func poise_live_margin_set_volatility(
    _ live: OpaquePointer?, _ contract: Int, _ volatility: Double
) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.setVolatility(contract, volatility) }
}

@c @implementation
public func poise_live_margin_update(_ live: OpaquePointer?) -> poise_status {
    changeMargin(live) { live throws(Failure) in live.margin.update() }
}

@c @implementation
public func poise_live_margin_fill(
    _ live: OpaquePointer?, _ contract: Int, _ quantity: Double, _ amount: Double
) -> poise_status {
    changeMargin(live) { live throws(Failure) in try live.fill(contract, quantity, amount) }
}

// MARK: What follows

@c @implementation
public func poise_live_margin_totals(
    _ live: OpaquePointer?, _ figures: UnsafeMutablePointer<poise_margin_figures>?
) -> poise_status {
    changeMargin(live) { live throws(Failure) in
        let found = live.figures
        try sized(figures, "figures").pointee = poise_margin_figures(
            size: MemoryLayout<poise_margin_figures>.stride, initial_margin: found.initialMargin,
            maintenance_margin: found.maintenanceMargin, mark_to_market: found.markToMarket,
            initial_balance: found.initialBalance, maintenance_balance: found.maintenanceBalance,
            worst_scenario: -1)
    }
}

@c @implementation
public func poise_live_margin_what_if(
    _ live: OpaquePointer?, _ count: Int, _ contracts: UnsafePointer<Int>?, _ quantity: poise_values,
    _ columns: UnsafePointer<poise_margin_columns>?
) -> poise_status {
    changeMargin(live) { live throws(Failure) in
        try checkCount(count)
        let targets = try MarginTargets(columns)
        guard count > 0 else { return }
        try live.whatIf(
            count, try required(contracts, "contracts"), try Strided(quantity, "quantity"), targets)
    }
}
