import TestExchange
import VenueProtocol

/// What a market is made with.
public struct MarketConfiguration: Sendable {
    public var seed: UInt64 = 1
    /// Milliseconds of the exchange's time from one step to the next.
    public var step = 1_000
    /// Of the first index, per √year; the smile is built on it.
    public var volatility = 0.55
    /// What futures gain on the index, per year.
    public var carry = 0.06
    /// Orders of takers per minute of the exchange's time, over all contracts.
    public var takersPerMinute = 60.0

    public init() {}
}

/// A living market on a test exchange: indices on paths of `Simulation`, marks on a smile, makers with depth around
/// them and takers. The same seed, steps and orders of others give the same market.
public final class Market {
    private struct Smile {
        /// Expected variance per year at the time, and what it returns to.
        var variance: Double
        var longRun: Double

        /// The volatility at a strike: a parabola in standard deviations, over what is left of today's variance until
        /// expiry. No exponentials or logarithms, whose last bits differ among machines: 2(K − F)/(K + F) is near
        /// enough to ln K/F.
        func volatility(forward: Double, strike: Double, years: Double) -> Double {
            let level = (longRun + (variance - longRun) / (1 + 2 * years)).squareRoot()
            let moneyness = 2 * (strike - forward) / (strike + forward)
            let deviations = min(max(moneyness / (level * years.squareRoot()), -5), 5)
            return level * max(0.5, 1 - 0.05 * deviations + 0.02 * deviations * deviations)
        }
    }

    public let configuration: MarketConfiguration
    private let exchange: Exchange
    private let listing: Listing
    private let paths: PricePaths
    private let valuation: OptionValuation
    private let makers: [Int]
    private let taker: Int
    private var random: SplitMix
    private var smiles: [Smile]
    /// Index in the exchange's list and what its moves are made of: the first factor's share.
    private let loadings: [Double]
    private var quoted: [Double] = []
    private var premium: [Double]
    private var day: Int
    /// What prices move in the next step beyond their paths: crashes.
    public var shock = 0.0

    /// - Throws: for a step or a volatility that no path can have, or a processor that the kernel does not know.
    public init(_ exchange: Exchange, _ listing: Listing, _ configuration: MarketConfiguration) throws {
        self.exchange = exchange
        self.listing = listing
        self.configuration = configuration
        valuation = try OptionValuation()
        let stepYears = Double(configuration.step) / (365 * 86_400_000)
        paths = try PricePaths(
            stepYears: stepYears, volatility: configuration.volatility, seed: configuration.seed)
        random = SplitMix(seed: configuration.seed)
        makers = ["maker-1", "maker-2"].map {
            exchange.openAccount(name: $0, clientID: "", clientSecret: "", isHouse: true)
        }
        taker = exchange.openAccount(name: "taker", clientID: "", clientSecret: "", isHouse: true)
        // Indices of one coin move as one; another coin mostly with it.
        let first = exchange.indices.first?.base
        loadings = exchange.indices.map { $0.base == first ? 1 : 0.8 }
        let variance = configuration.volatility * configuration.volatility
        smiles = loadings.map { Smile(variance: variance, longRun: variance * ($0 == 1 ? 1 : 1.5)) }
        premium = Array(repeating: 0, count: exchange.indices.count)
        day = VenueTime.nextSettlement(after: exchange.time)
        listing.list(on: exchange)
        mark()
        quote()
    }

    /// Lets the market and the exchange go on to a time, step by step.
    public func run(to time: Int) {
        while exchange.time + configuration.step <= time { step() }
    }

    private func step() {
        exchange.advance(to: exchange.time + configuration.step)
        if exchange.time >= day {
            day = VenueTime.nextSettlement(after: exchange.time)
            listing.list(on: exchange)
        }
        let (factors, variances) = paths.next()
        for index in exchange.indices.indices {
            let loading = loadings[index]
            let own = (1 - loading * loading).squareRoot()
            let move =
                loading == 1 ? factors[0] - 1 : 1.2 * (loading * (factors[0] - 1) + own * (factors[1] - 1))
            smiles[index].variance = variances[0] * (loading == 1 ? 1 : 1.5)
            let price = Scales.price(exchange.indices[index].price) * max(0.01, 1 + move + shock)
            exchange.setIndex(index, price: (price * 100).rounded() / 100)
            premium[index] = 0.98 * premium[index] + 0.00004 * (random.uniform() - 0.5)
        }
        shock = 0
        mark()
        exchange.liquidate()
        trade()
        quote()
    }

    // MARK: Marks

    private func forward(_ index: Int, expiry: Int) -> Double {
        let years = Double(expiry - exchange.time) / (365 * 86_400_000)
        return Scales.price(exchange.indices[index].price) * (1 + configuration.carry * years)
    }

    private func mark() {
        var options: [(contract: Int, instrument: Instrument, forward: Double)] = []
        var rows = OptionValuation.Columns()
        for number in exchange.liveContracts {
            let instrument = exchange.instrument(number)
            let index = exchange.index(of: number)
            guard let expiry = instrument.expirationTimestamp, expiry > exchange.time else { continue }
            if instrument.settlementPeriod == .perpetual {
                let price = Scales.price(exchange.indices[index].price) * (1 + premium[index])
                exchange.setMark(number, price: (price * 100).rounded() / 100)
                continue
            }
            let forward = forward(index, expiry: expiry)
            guard let strike = instrument.strike, let type = instrument.optionType else {
                exchange.setMark(number, price: (forward * 100).rounded() / 100)
                continue
            }
            let years = Double(expiry - exchange.time) / (365 * 86_400_000)
            options.append((number, instrument, forward))
            rows.append(
                isCall: type == .call, forward: forward, strike: strike, years: years,
                volatility: smiles[index].volatility(forward: forward, strike: strike, years: years))
        }
        guard let figures = valuation.figures(rows) else { return }
        for (row, (number, instrument, forward)) in options.enumerated() {
            var option = OptionMark()
            option.volatility = rows.volatility[row]
            option.underlyingPrice = (forward * 1e4).rounded() / 1e4
            option.underlyingName = underlyingName(instrument)
            option.greeks.delta = Self.rounded(figures.delta[row], 1e5)
            option.greeks.gamma = Self.rounded(figures.gamma[row], 1e5)
            option.greeks.vega = Self.rounded(figures.vega[row] / 100, 1e5)
            let days = rows.years[row] * 365
            option.greeks.theta = Self.rounded(
                max(figures.theta[row] / 365 * min(1, days), -figures.price[row]), 1e5)
            option.greeks.rho = Self.rounded(figures.rho[row] / 100, 1e5)
            let price = instrument.isInverse ? figures.price[row] / forward : figures.price[row]
            exchange.setMark(number, price: max(Self.rounded(price, 1e6), 1e-6), option: option)
        }
    }

    private static func rounded(_ value: Double, _ scale: Double) -> Double {
        (value * scale).rounded() / scale
    }

    /// The future of the option's expiry where there is one.
    private func underlyingName(_ instrument: Instrument) -> String {
        let parts = instrument.name.split(separator: "-")
        let future = parts.prefix(2).joined(separator: "-")
        return exchange.contract(named: future) == nil ? "SYN.\(future)" : future
    }

    // MARK: Makers and takers

    /// Quotes again where the mark has moved by more than a third of the spread.
    private func quote() {
        for number in exchange.liveContracts {
            let ticker = exchange.ticker(number)
            let mark = ticker.markPrice
            guard mark > 0, exchange.state(of: number) == .open else { continue }
            while quoted.count <= number { quoted.append(0) }
            let instrument = exchange.instrument(number)
            let tick = instrument.tickSize(at: mark)
            let half =
                instrument.kind == .option
                ? max(tick, optionSpread(instrument, ticker)) : max(tick / 2, mark * 2e-5)
            guard abs(mark - quoted[number]) > half / 3 || ticker.bestBid == nil || ticker.bestAsk == nil
            else {
                continue
            }
            quoted[number] = mark
            makeWay(number, mark)
            let levels = instrument.kind == .option ? 2 : 5
            let least = instrument.minimumTradeAmount.value
            for (place, maker) in makers.enumerated() {
                for side in Direction.allCases {
                    let quotes = (0..<levels).compactMap { level -> (price: Int, amount: Int)? in
                        let distance = half * (1 + Double(2 * level + place))
                        let price = instrument.priceOnTick(mark - Double(side.sign) * distance, side)
                        // Below the least tick nobody bids.
                        guard price >= tick, let units = Scales.units(price) else { return nil }
                        let lots = Double(1 + random.next() % 20) * (instrument.kind == .option ? 5 : 500)
                        guard let amount = Scales.units(lots * least) else { return nil }
                        return (units, amount)
                    }
                    var seen: Set<Int> = []
                    exchange.quote(
                        number, account: maker, side, quotes.filter { seen.insert($0.price).inserted })
                }
            }
        }
    }

    /// Takes back the makers' quotes that the mark has gone through; what others left there is taken.
    private func makeWay(_ number: Int, _ mark: Double) {
        guard let price = Scales.units(mark) else { return }
        for maker in makers { exchange.withdraw(number, account: maker, crossing: price) }
        let ticker = exchange.ticker(number)
        if let bid = ticker.bestBid, bid.price > mark {
            exchange.take(number, account: taker, .sell, amount: Scales.units(bid.amount.value) ?? 0)
        }
        if let ask = ticker.bestAsk, ask.price < mark {
            exchange.take(number, account: taker, .buy, amount: Scales.units(ask.amount.value) ?? 0)
        }
    }

    /// Half of what makers want: a point of volatility, more in the wings.
    private func optionSpread(_ instrument: Instrument, _ ticker: MarketTicker) -> Double {
        let dollars = (ticker.greeks?.vega ?? 0) + 0.0003 * (ticker.underlyingPrice ?? 0)
        return instrument.isInverse ? dollars / (ticker.underlyingPrice ?? 1) : dollars
    }

    private func trade() {
        let expected = configuration.takersPerMinute * Double(configuration.step) / 60_000
        var count = Int(expected)
        if random.uniform() < expected - Double(count) { count += 1 }
        let live = exchange.liveContracts
        for _ in 0..<min(count, 20) {
            let isFuture = random.uniform() < 0.7
            let choice = live[Int(random.next() % UInt64(live.count))]
            let number = isFuture ? perpetuals(live, choice) : choice
            let least = exchange.instrument(number).minimumTradeAmount.value
            // Many small orders, few large ones.
            let size = random.uniform()
            let lots = (1 + 150 * size * size * size) * (exchange.instrument(number).kind == .option ? 1 : 20)
            let side: Direction = random.next() & 1 == 0 ? .buy : .sell
            exchange.take(number, account: taker, side, amount: Scales.units(lots * least) ?? 0)
        }
    }

    /// The perpetual of a contract's index.
    private func perpetuals(_ live: [Int], _ contract: Int) -> Int {
        let index = exchange.index(of: contract)
        return live.first {
            exchange.index(of: $0) == index && exchange.instrument($0).settlementPeriod == .perpetual
        } ?? contract
    }
}
