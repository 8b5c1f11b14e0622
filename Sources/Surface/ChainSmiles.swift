import Foundation
import Greeks
import Market

/// How a chain's prices become quotes of smiles.
public struct ChainQuoteRules: Sendable {
    /// Where the forward of an expiry comes from.
    public enum Forward: String, Sendable, CaseIterable {
        /// The one that the options name, of the latest ticker; parity where none does.
        case named
        case parity
    }

    public var forward = Forward.named
    /// Quotes that are older than the chain's latest by more seconds are left out.
    public var maximumAge = Double.infinity
    /// Quotes whose bid is fewer ticks are left out; only where the tick is known.
    public var minimumTicks = 0.0
    /// The tick of all options, in units of their prices; nil for the list of instruments', else the exchange's.
    public var tick: Double?
    /// Leaves quotes of one side out.
    public var requiresTwoSides = false

    public init() {}
}

extension SmileQuotes {
    /// The smiles of a chain: of every expiry the options out of the money (puts below the forward, calls from it on),
    /// each one's best bid and ask as the volatilities that they imply by Black-76 without discount.
    ///
    /// The time of an expiry is that of its latest ticker. A side that nobody quotes or that implies no volatility is missing.
    /// Every expiry with options is there, in order of underlying and time; where it cannot have a curve, `obstacle` says why.
    /// Options out of the money whose rows were skipped as unusable are left out as `unreadable`.
    public static func smiles(
        of chain: Chain, _ engine: GreeksEngine, _ rules: ChainQuoteRules = ChainQuoteRules()
    ) -> [SmileQuotes] {
        var expiries: [String: [Ticker]] = [:]
        for ticker in chain.latestTickers where ticker.instrument.isOption {
            expiries[ticker.instrument.series, default: []].append(ticker)
        }
        let unreadable = Dictionary(grouping: chain.unreadableOptions, by: \.series)
        let reader = ChainSmileReader(chain, engine, rules)
        let smiles = expiries.compactMap { reader.smile(named: $0.key, $0.value, unreadable[$0.key] ?? []) }
        let lost = unreadable.compactMap { name, options -> SmileQuotes? in
            guard expiries[name] == nil, let option = options.first else { return nil }
            return SmileQuotes(unreadable: options.count, of: name, underlying: option.pricingUnderlying)
        }
        return (smiles + lost).sorted {
            // NaN would be in no order.
            let (a, b) = ($0.years.isNaN ? -1 : $0.years, $1.years.isNaN ? -1 : $1.years)
            return ($0.underlying, a, $0.name) < ($1.underlying, b, $1.name)
        }
    }
}

/// Makes smiles of a chain's tickers.
private struct ChainSmileReader {
    let chain: Chain
    let engine: GreeksEngine
    let rules: ChainQuoteRules
    let latest: Timestamp

    init(_ chain: Chain, _ engine: GreeksEngine, _ rules: ChainQuoteRules) {
        self.chain = chain
        self.engine = engine
        self.rules = rules
        latest = chain.tickers.map(\.timestamp).max() ?? Timestamp(milliseconds: 0)
    }

    /// - Parameter unreadable: options of the expiry whose rows were skipped.
    func smile(named name: String, _ tickers: [Ticker], _ unreadable: [Instrument]) -> SmileQuotes? {
        guard let newest = tickers.max(by: { $0.timestamp < $1.timestamp }),
            let expiry = newest.instrument.expiry
        else { return nil }
        let underlying = newest.instrument.pricingUnderlying
        let parity = ParityForward(tickers)
        let years = newest.timestamp.years(until: expiry)
        let (forward, source) = self.forward(newest, parity)
        let obstacle: SmileQuotes.Obstacle? =
            years > 0 ? forward == nil ? .noForward : nil : .expired
        guard let forward, obstacle == nil else {
            return SmileQuotes(
                name: name, underlying: underlying, years: years, forward: forward ?? .nan, quotes: [],
                forwardSource: source, leftOut: [obstacle == .expired ? .expired : .noForward: tickers.count],
                obstacle: obstacle,
                parityRange: parity.range)
        }
        var leftOut: [QuoteExclusion: Int] = [:]
        var refused: [QuoteExclusion: Int] = [:]
        var kept: [Priced] = []
        for ticker in tickers {
            switch priced(ticker, forward) {
            case .success(let quote): kept.append(quote)
            case .failure(let exclusion): leftOut[exclusion.why, default: 0] += 1
            }
        }
        for option in unreadable where option.isOutOfTheMoney(forward) {
            leftOut[.unreadable, default: 0] += 1
        }
        let quotes = quotes(kept, forward, years, &leftOut, &refused)
        return SmileQuotes(
            name: name, underlying: underlying, years: years, forward: forward,
            quotes: quotes.sorted { $0.strike < $1.strike }, forwardSource: source, leftOut: leftOut,
            refusedSides: refused, parityRange: parity.range)
    }

    /// An option that the filters let through; prices in quote currency, NaN for a side that nobody quotes.
    private struct Priced {
        let type: UInt8
        let strike, bid, ask, age: Double
        let tick: Double?
    }

    private struct Excluded: Error {
        let why: QuoteExclusion
    }

    private func priced(_ ticker: Ticker, _ forward: Double) -> Result<Priced, Excluded> {
        guard case .option(let type, let strike, _) = ticker.instrument.kind,
            ticker.instrument.isOutOfTheMoney(forward)
        else { return .failure(Excluded(why: .inTheMoney)) }
        func price(_ levels: [OrderLevel]) -> Double? {
            levels.first.map(\.price).flatMap { $0 > 0 ? $0 : nil }
        }
        let (bid, ask) = (price(ticker.bids), price(ticker.asks))
        guard let known = bid ?? ask else { return .failure(Excluded(why: .noQuote)) }
        let age = Double(latest.milliseconds - ticker.timestamp.milliseconds) / 1000
        if age > rules.maximumAge { return .failure(Excluded(why: .stale)) }
        if rules.requiresTwoSides, bid == nil || ask == nil { return .failure(Excluded(why: .oneSided)) }
        let tick = rules.tick ?? chain.tick(of: ticker.instrument, at: (known + (ask ?? known)) / 2)
        if let tick, rules.minimumTicks > 0, (bid ?? 0) < rules.minimumTicks * tick * (1 - 1e-9) {
            return .failure(Excluded(why: .belowTick))
        }
        let unit = ticker.instrument.isInverseOption ? forward : 1
        return .success(
            Priced(
                type: type.rawValue, strike: strike, bid: (bid ?? .nan) * unit, ask: (ask ?? .nan) * unit,
                age: age, tick: tick.map { $0 * unit }))
    }

    private func quotes(
        _ priced: [Priced], _ forward: Double, _ years: Double, _ leftOut: inout [QuoteExclusion: Int],
        _ refused: inout [QuoteExclusion: Int]
    ) -> [SmileQuote] {
        let prices = priced.flatMap { [$0.bid, $0.ask] }
        let flat = Array(repeating: 0.0, count: prices.count)
        guard
            let batch = try? PriceBatch(
                type: priced.flatMap { [$0.type, $0.type] }, spot: flat.map { _ in forward },
                strike: priced.flatMap { [$0.strike, $0.strike] }, years: flat.map { _ in years },
                price: prices, rate: flat, dividend: flat)
        else { return [] }
        let (volatilities, statuses) = engine.impliedVolatilities(of: batch)
        var quotes: [SmileQuote] = []
        for (row, option) in priced.enumerated() {
            var faults: [QuoteExclusion] = []
            func side(_ place: Int) -> Double? {
                guard !prices[place].isNaN else { return nil }
                if let fault = QuoteExclusion(statuses[place]) {
                    faults.append(fault)
                    return nil
                }
                return volatilities[place]
            }
            let (bid, ask) = (side(2 * row), side(2 * row + 1))
            guard let volatility = bid.flatMap({ bid in ask.map { (bid + $0) / 2 } }) ?? bid ?? ask else {
                leftOut[faults.first ?? .noQuote, default: 0] += 1
                continue
            }
            for fault in faults { refused[fault, default: 0] += 1 }
            let deviation = volatility * years.squareRoot()
            let distance = log(forward / option.strike) / deviation + deviation / 2
            let vega = forward * bell(distance) * years.squareRoot()
            quotes.append(
                SmileQuote(
                    strike: option.strike, bid: bid, ask: ask,
                    tick: option.tick.flatMap { vega > 0 ? $0 / vega : nil }, age: option.age))
        }
        return quotes
    }

    private func forward(_ newest: Ticker, _ parity: ParityForward) -> (Double?, ForwardSource) {
        let named = newest.underlyingPrice.flatMap { $0 > 0 ? $0 : nil }
        if rules.forward == .named, let named {
            let name = newest.underlyingIndex ?? newest.instrument.series
            let isListed =
                name == newest.instrument.series
                || (try? newest.instrument.exchange.instrument(named: name))?.expiry != nil
            return (named, isListed ? .future(name: name) : .synthetic(name: name))
        }
        let reason = rules.forward == .parity ? "asked for" : "the options name none"
        guard let forward = parity.forward else {
            let reason =
                "\(rules.forward == .parity ? "parity is asked for" : "the options name none"), and no strike has a "
                + "call and a put with both sides"
            return (nil, .none(reason: reason))
        }
        return (forward, .parity(strikes: parity.strikes, reason: reason))
    }
}

extension Instrument {
    /// Whether it is a put below the forward or a call from it on.
    fileprivate func isOutOfTheMoney(_ forward: Double) -> Bool {
        guard case .option(let type, let strike, _) = kind else { return false }
        return (type == .call) == (strike >= forward)
    }
}

/// The forward that calls and puts of one strike agree on, C − P = F − K without discount; of premiums in coin
/// c − p = 1 − K/F.
private struct ParityForward {
    /// The mean of the two strikes where call and put are nearest to each other.
    private(set) var forward: Double?
    private(set) var strikes: [Double] = []
    /// Where bid and ask of all strikes leave it.
    private(set) var range: ClosedRange<Double>?

    init(_ tickers: [Ticker]) {
        var calls: [Double: Ticker] = [:]
        var puts: [Double: Ticker] = [:]
        for ticker in tickers {
            guard case .option(let type, let strike, _) = ticker.instrument.kind else { continue }
            if type == .call { calls[strike] = ticker } else { puts[strike] = ticker }
        }
        var found: [(apart: Double, strike: Double, forward: Double)] = []
        var (low, high) = (-Double.infinity, Double.infinity)
        for (strike, call) in calls {
            guard let put = puts[strike], let callBid = call.bids.first?.price,
                let callAsk = call.asks.first?.price, let putBid = put.bids.first?.price,
                let putAsk = put.asks.first?.price, callBid > 0, putBid > 0, callBid <= callAsk,
                putBid <= putAsk
            else { continue }
            func forward(_ difference: Double) -> Double {
                call.instrument.isInverseOption ? strike / (1 - difference) : strike + difference
            }
            let middle = (callBid + callAsk - putBid - putAsk) / 2
            guard forward(middle) > 0 else { continue }
            found.append((middle.magnitude, strike, forward(middle)))
            let (least, most) = (forward(callBid - putAsk), forward(callAsk - putBid))
            if least > 0 { low = max(low, least) }
            // An inverse one without bound where the difference is a whole coin.
            if most > 0 { high = min(high, most) }
        }
        let nearest = found.sorted { ($0.apart, $0.strike) < ($1.apart, $1.strike) }.prefix(2)
        guard !nearest.isEmpty else { return }
        strikes = nearest.map(\.strike).sorted()
        forward = nearest.map(\.forward).reduce(0, +) / Double(nearest.count)
        if low <= high, low > 0, high < .infinity { range = low...high }
    }
}
