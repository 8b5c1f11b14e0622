import Poise
import VenueProtocol

/// The exposures of the books and the hedges of their limits: everything that can be made again of a desk's state.
struct DeskEngine {
    /// The limits of a book, or of all together, in one underlying.
    struct Line {
        let book: String?
        let underlying: String
        let settings: [LimitSetting]
        let hedge: LiveHedge
        /// There once a contract of the underlying is listed; nil also where no limit has a policy.
        var rebalancing: LiveRebalancing?
        /// Why there are no policies although limits have some.
        var policyRefusal: String?
        /// Of `hedge.candidates`, by the number of its contract in `risk`, for a layout.
        var candidateOfContract: [Int: Int] = [:]
        var layout = -1
        /// The order book that the solver has of each candidate, by its place; below 0 for none that may be traded on.
        var bookVersions: [Int: Int] = [:]

        var hasPolicies: Bool { settings.contains { $0.policy != nil } }
    }

    /// By the exchange's volatilities.
    let risk: LiveRisk
    /// By the desk's own, for the books that want it; nil where none does.
    let ownRisk: LiveRisk?
    /// The underlyings of the lines that are valued so.
    let ownUnderlyings: Set<String>
    /// Of options, as the latest surfaces have them; the exchange's stand for the others.
    private var ownVolatilities: [String: Double] = [:]
    /// Contracts that all lines of their underlying know as ones to hedge with.
    private var offered: Set<String> = []
    var lines: [Line] = []

    /// A desk on which nothing is listed.
    init(_ configuration: DeskConfiguration, _ engine: GreeksEngine) throws {
        func makeRisk() throws -> LiveRisk {
            var badRows = BadRows(skip: false)
            let risk = try LiveRisk([], ChainGreeks([], .exposures, &badRows), by: [.book], engine: engine)
            for book in configuration.books { try risk.addBook(book.name) }
            return risk
        }
        // All books together are valued by the desk's own where each of them is.
        func isOwn(_ book: String?) -> Bool {
            configuration.books.allSatisfy { (book ?? $0.name) != $0.name || $0.volatilities == .own }
        }
        risk = try makeRisk()
        let own = configuration.limits.filter { isOwn($0.book) }
        ownRisk = own.isEmpty ? nil : try makeRisk()
        ownUnderlyings = Set(own.map(\.underlying))
        var options = BookHedge.Options()
        options.usesLots = true
        options.costs = Self.costs(future: 0.0005, option: 0.0003)
        for limit in configuration.limits
        where !lines.contains(where: { $0.book == limit.book && $0.underlying == limit.underlying }) {
            let settings = configuration.limits.filter {
                $0.book == limit.book && $0.underlying == limit.underlying
            }
            let valued = isOwn(limit.book) ? ownRisk ?? risk : risk
            let hedge = try LiveHedge(valued, book: limit.book, settings.map(Self.limit), options)
            // A search that ends by time would end elsewhere on another machine.
            hedge.search.nodeLimit = 4_000
            hedge.search.gap = 1e-4
            lines.append(
                Line(book: limit.book, underlying: limit.underlying, settings: settings, hedge: hedge))
        }
    }

    /// Fees alone: what nobody quotes is not traded.
    static func costs(future: Double, option: Double) -> VenueCosts {
        VenueCosts(rates: [
            .option: VenueCosts.Rates(fee: option, feeCap: 0.125), .future: VenueCosts.Rates(fee: future),
            .perpetual: VenueCosts.Rates(fee: future), .spot: VenueCosts.Rates(fee: 0.001),
        ])
    }

    private static func limit(_ setting: LimitSetting) -> LimitTable.Limit {
        LimitTable.Limit(
            book: setting.book, underlying: setting.underlying, greek: setting.exposure ?? .delta,
            low: setting.low ?? -.infinity, high: setting.high ?? .infinity)
    }

    // MARK: Contracts

    /// Why a venue's word did not come into the exposures.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// What the library makes of a ticker.
    /// - Throws: for a contract that it cannot name, and for an option without a volatility or a price of its underlying.
    /// - Parameter book: nil where the ticker's own best prices are to stand for it.
    static func ticker(_ ticker: MarketTicker, book: BookView?) throws -> Ticker {
        let instrument = try Deribit.instrument(named: ticker.instrumentName)
        func levels(_ levels: [VenueProtocol.PriceLevel]) -> [OrderLevel] {
            levels.map { OrderLevel(price: $0.price, amount: $0.amount.value) }
        }
        let volatility = ticker.markIV.flatMap { $0 > 0 ? $0 / 100 : nil }
        if instrument.isOption, volatility == nil { throw Refusal(description: "no volatility") }
        if instrument.isOption, ticker.underlyingPrice == nil {
            throw Refusal(description: "no price of what it is on")
        }
        var (bids, asks): ([VenueProtocol.PriceLevel], [VenueProtocol.PriceLevel]) = ([], [])
        if let book {
            if book.isValid { (bids, asks) = (book.bids, book.asks) }
        } else {
            (bids, asks) = ([ticker.bestBid].compactMap { $0 }, [ticker.bestAsk].compactMap { $0 })
        }
        return Ticker(
            instrument: instrument, timestamp: Timestamp(milliseconds: Int64(ticker.timestamp)),
            underlyingPrice: ticker.underlyingPrice, underlyingIndex: ticker.underlyingIndex,
            indexPrice: ticker.indexPrice.value, markPrice: ticker.markPrice, markVolatility: volatility,
            interestRate: ticker.interestRate ?? 0, openInterest: nil,
            bids: levels(bids), asks: levels(asks), published: nil)
    }

    /// Takes a ticker in, and lists its contract if it is new.
    func take(_ ticker: Ticker) throws(RiskError) {
        let name = ticker.instrument.name
        for risk in risks {
            if let contract = Self.listed(name, risk) {
                try risk.quote(ticker)
                if risk === ownRisk, let volatility = ownVolatilities[name] {
                    try risk.setVolatility(volatility, ofContract: contract)
                }
            } else {
                try risk.list(ticker)
            }
        }
    }

    private var risks: [LiveRisk] { [risk] + (ownRisk.map { [$0] } ?? []) }

    private static func listed(_ name: String, _ risk: LiveRisk) -> Int? {
        risk.index(of: name).flatMap { risk.isListed($0) ? $0 : nil }
    }

    func isListed(_ name: String) -> Bool { risks.allSatisfy { Self.listed(name, $0) != nil } }

    // MARK: Volatilities

    /// The exchange's of an option.
    func setVolatility(_ volatility: Double, of name: String) throws(RiskError) {
        for risk in risks where risk !== ownRisk || ownVolatilities[name] == nil {
            guard let contract = Self.listed(name, risk) else { continue }
            try risk.setVolatility(volatility, ofContract: contract)
        }
    }

    /// Those of the desk's own surfaces, in place of all that were before.
    mutating func setOwnVolatilities(_ volatilities: [(name: String, volatility: Double)]) throws(RiskError) {
        ownVolatilities = Dictionary(
            volatilities.map { ($0.name, $0.volatility) }, uniquingKeysWith: { first, _ in first })
        guard let ownRisk else { return }
        for (name, volatility) in volatilities {
            guard let contract = Self.listed(name, ownRisk),
                ownRisk.volatility(ofContract: contract) != volatility
            else { continue }
            try ownRisk.setVolatility(volatility, ofContract: contract)
        }
    }

    /// Makes a contract known to the lines of its underlying as one to hedge with, if it is not, and its policies where they
    /// waited for the underlying.
    mutating func offer(_ ticker: Ticker, step: Double, minimum: Double) throws(RiskError) {
        var isKnown = true
        for place in lines.indices where lines[place].underlying == ticker.instrument.base {
            let amount = TradedAmount(step: step, minimum: minimum)
            isKnown = try lines[place].hedge.add(ticker, amount: amount) && isKnown
            lines[place].bookVersions.removeAll()
        }
        if isKnown { offered.insert(ticker.instrument.name) }
    }

    func isOffered(_ name: String) -> Bool { offered.contains(name) }

    /// Lets the lines of an underlying hedge with these contracts alone.
    func choose(_ names: Set<String>, underlying: String) {
        for line in lines where line.underlying == underlying {
            var rule = CandidateRule()
            rule.names = names
            line.hedge.choose(rule)
        }
    }

    /// Of a contract that is not listed yet nothing is held here: positions follow when it is.
    func setPosition(_ name: String, book: String, _ quantity: Quantity) throws(RiskError) {
        for risk in risks {
            guard let contract = Self.listed(name, risk) else { continue }
            try risk.setPosition(book: book, contract: contract, quantity: quantity.amount)
        }
    }

    /// A contract is over: nobody holds it any more.
    mutating func remove(_ name: String, books: [String]) throws(RiskError) {
        offered.remove(name)
        for risk in risks {
            guard let contract = Self.listed(name, risk) else { continue }
            for book in books { try risk.setPosition(book: book, contract: contract, quantity: 0) }
            try risk.delist(contract)
        }
    }

    /// An exposure that a unit of a contract adds, by the exchange's volatilities.
    func figure(_ name: String, _ greek: ExposureGreek) -> Double? {
        guard let contract = risk.index(of: name), risk.isListed(contract) else { return nil }
        return risk.figure(contract, greek)
    }

    // MARK: Lines

    /// Brings a line up to date, and makes its policies if they can be made now.
    mutating func refresh(_ place: Int) {
        lines[place].hedge.refresh()
        let line = lines[place]
        if line.rebalancing == nil, line.hasPolicies, line.hedge.risk.underlyings.contains(line.underlying) {
            do {
                let rules = try line.settings.enumerated().compactMap {
                    number, setting -> LiveRebalancing.Rule? in
                    guard let greek = setting.exposure, let policy = setting.policy else { return nil }
                    return LiveRebalancing.Rule(
                        limit: number, policy: try policy.make(greek, landing: setting.landing))
                }
                lines[place].rebalancing = try LiveRebalancing(line.hedge, rules)
                lines[place].policyRefusal = nil
            } catch { lines[place].policyRefusal = "\(error)" }
        }
        guard lines[place].layout != line.hedge.layoutVersion else { return }
        lines[place].layout = line.hedge.layoutVersion
        lines[place].candidateOfContract = Dictionary(
            line.hedge.contracts.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The exposure of a limit, as of the last `refresh`.
    func exposure(_ place: Int, _ limit: Int) -> Double {
        let hedge = lines[place].hedge
        return hedge.exposure(ofBand: limit, hedge.greeks[limit])
    }
}
