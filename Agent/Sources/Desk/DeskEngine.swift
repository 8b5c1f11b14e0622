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

        var hasPolicies: Bool { settings.contains { $0.policy != nil } }
    }

    let risk: LiveRisk
    var lines: [Line] = []

    /// A desk on which nothing is listed.
    init(_ configuration: DeskConfiguration, _ engine: GreeksEngine) throws {
        var badRows = BadRows(skip: false)
        risk = try LiveRisk([], ChainGreeks([], .exposures, &badRows), by: [.book], engine: engine)
        for book in configuration.books { try risk.addBook(book.name) }
        var options = BookHedge.Options()
        options.usesLots = true
        options.costs = Self.costs(future: 0.0005, option: 0.0003)
        for limit in configuration.limits
        where !lines.contains(where: { $0.book == limit.book && $0.underlying == limit.underlying }) {
            let settings = configuration.limits.filter {
                $0.book == limit.book && $0.underlying == limit.underlying
            }
            let hedge = try LiveHedge(risk, book: limit.book, settings.map(Self.limit), options)
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
        let isValid = book?.isValid ?? false
        return Ticker(
            instrument: instrument, timestamp: Timestamp(milliseconds: Int64(ticker.timestamp)),
            underlyingPrice: ticker.underlyingPrice, underlyingIndex: ticker.underlyingIndex,
            indexPrice: ticker.indexPrice.value, markPrice: ticker.markPrice, markVolatility: volatility,
            interestRate: ticker.interestRate ?? 0, openInterest: nil,
            bids: isValid ? levels(book?.bids ?? []) : [], asks: isValid ? levels(book?.asks ?? []) : [],
            published: nil)
    }

    /// Takes a ticker in, and lists its contract if it is new.
    func take(_ ticker: Ticker) throws(RiskError) {
        if let contract = risk.index(of: ticker.instrument.name), risk.isListed(contract) {
            try risk.quote(ticker)
        } else {
            try risk.list(ticker)
        }
    }

    /// Makes a contract known to the lines of its underlying as one to hedge with, if it is not, and its policies where they
    /// waited for the underlying.
    mutating func offer(_ ticker: Ticker, step: Double, minimum: Double) throws(RiskError) {
        for place in lines.indices where lines[place].underlying == ticker.instrument.base {
            let amount = TradedAmount(step: step, minimum: minimum)
            try lines[place].hedge.add(ticker, amount: amount)
        }
    }

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
        guard let contract = risk.index(of: name), risk.isListed(contract) else { return }
        try risk.setPosition(book: book, contract: contract, quantity: quantity.amount)
    }

    /// A contract is over: nobody holds it any more.
    func remove(_ name: String, books: [String]) throws(RiskError) {
        guard let contract = risk.index(of: name), risk.isListed(contract) else { return }
        for book in books { try risk.setPosition(book: book, contract: contract, quantity: 0) }
        try risk.delist(contract)
    }

    /// An exposure that a unit of a contract adds.
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
