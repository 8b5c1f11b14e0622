import Greeks
import Hedging
import Market
import Risk
import TestSupport
import Testing

/// A desk with a hedge on which anything happens in any order, and the facts that are true of it, kept apart by name.
struct LiveSequence {
    static let start = Timestamp(milliseconds: 1_772_443_800_000)
    static let universe: [Instrument] = [
        "BTC-3MAR26-54000-C", "BTC-3MAR26-60000-P", "BTC-3MAR26", "BTC-4MAR26-60000-C", "BTC-4MAR26-63000-P",
        "BTC-27MAR26-60000-C", "BTC-27MAR26-66000-C", "BTC-27MAR26", "BTC_USDC-4MAR26-60000-C",
        "BTC_USDC-4MAR26-57000-P", "ETH-3MAR26-2500-C", "ETH-3MAR26-2250-P", "ETH-27MAR26",
        "SOL_USDC-27MAR26-150-C",
        "SOL_USDC-27MAR26-135-P", "BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL", "BTC_USDC",
    ].compactMap { try? Instrument(name: $0) }

    /// A contract that is listed, with the order book that its candidate has.
    struct Listed {
        let instrument: Instrument
        var volatility: Double
        /// When it was quoted last.
        var time: Timestamp
        var bids, asks: [OrderLevel]
    }

    struct Slice {
        var price, rate: Double
        var time: Timestamp
    }

    /// How often each thing happened.
    var counts: [String: Int] = [:]
    private var generator: SeededGenerator
    private let engine: GreeksEngine
    private var listed: [Listed] = []
    private var slices: [String: Slice] = [:]
    private var positions: [(book: String, instrument: Instrument, quantity: Double)] = []
    private var books = ["b", "a"]
    private var cash: [String: Double] = [:]
    private var limits: [LimitTable.Limit] = []
    private var variance: LiveVariance?
    private var excluded: Set<String> = []
    private(set) var desk: LiveRisk
    private(set) var hedge: LiveHedge

    init(seed: UInt64, _ engine: GreeksEngine) throws {
        generator = SeededGenerator(seed: seed)
        self.engine = engine
        var badRows = BadRows(skip: false)
        let seedChain = try ChainGreeks([Ticker](), .exposures, &badRows)
        desk = try LiveRisk([], seedChain, engine: engine)
        hedge = try LiveHedge(desk, book: nil, [], BookHedge.Options())
        for book in books { try desk.addBook(book) }
        for instrument in Self.universe where number(0...1) < 0.5 { try list(instrument) }
        for _ in 0..<6 { try fill(adds: true) }
        try setLimit()
    }

    // MARK: Chance

    private mutating func number(_ range: ClosedRange<Double>) -> Double {
        Double.random(in: range, using: &generator)
    }
    private mutating func pick<T>(_ elements: [T]) -> T? { elements.randomElement(using: &generator) }
    /// In sixteenths, so that sums are exact.
    private mutating func quantity() -> Double { (number(-40...40) * 16).rounded() / 16 }
    private var now: Timestamp { slices.values.map(\.time).max() ?? Self.start }

    private static func price(_ instrument: Instrument) -> Double {
        switch instrument.base {
        case "BTC": 60_000
        case "ETH": 2_500
        default: 150
        }
    }

    /// Levels around a price as the contract is quoted.
    private mutating func book(_ instrument: Instrument) -> (bids: [OrderLevel], asks: [OrderLevel]) {
        let middle =
            instrument.isOption
            ? (instrument.settlement == .inverse ? 0.03 : 0.03 * Self.price(instrument))
            : Self.price(instrument)
        let amount = instrument.isOption || instrument.settlement == .linear ? 20.0 : 100_000
        var sides: [[OrderLevel]] = []
        for sign in [-1.0, 1] {
            var levels: [OrderLevel] = []
            var distance = 0.0
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                distance += number(0.001...0.02)
                levels.append(
                    OrderLevel(price: middle * (1 + sign * distance), amount: amount * number(0.5...2)))
            }
            sides.append(levels)
        }
        // Somebody quotes: an option without quotes is no candidate.
        if sides[0].isEmpty, sides[1].isEmpty {
            sides[1] = [OrderLevel(price: 1.01 * middle, amount: amount)]
        }
        return (sides[0], sides[1])
    }

    private func ticker(_ one: Listed, _ slice: Slice, at time: Timestamp, mark: Double? = nil) -> Ticker {
        let isOption = one.instrument.isOption
        return Ticker(
            instrument: one.instrument, timestamp: time, underlyingPrice: isOption ? slice.price : nil,
            underlyingIndex: nil, indexPrice: nil, markPrice: isOption ? mark : slice.price,
            markVolatility: isOption ? one.volatility : nil, interestRate: isOption ? slice.rate : 0,
            openInterest: nil, bids: one.bids, asks: one.asks, published: nil)
    }

    // MARK: What happens

    mutating func step() throws {
        switch Int.random(in: 0..<24, using: &generator) {
        case 0, 1: try listOne()
        case 2: try delist()
        case 3, 4: try tick()
        case 5: try setPrice()
        case 6: try setVolatility()
        case 7, 8: try quote()
        case 9, 10: try fill(adds: true)
        case 11: try fill(adds: false)
        case 12: try addBook()
        case 13, 14: try advance()
        case 15, 16, 17, 18: try settle()
        case 19: try restart()
        case 20: try roll()
        case 21: try setLimit()
        case 22: try setVariance()
        default: try chooseOrBook()
        }
    }

    private mutating func count(_ what: String) { counts[what, default: 0] += 1 }

    private mutating func list(_ instrument: Instrument) throws {
        let (time, rate) = (now, number(0...0.05))
        var one = Listed(
            instrument: instrument, volatility: number(0.3...0.9), time: time, bids: [], asks: [])
        (one.bids, one.asks) = book(instrument)
        let isFirst = !listed.contains { $0.instrument.series == instrument.series }
        let slice = Slice(
            price: Self.price(instrument) * number(0.99...1.01), rate: instrument.isOption ? rate : 0,
            time: time)
        try desk.list(ticker(one, slice, at: time))
        let isFirstOption =
            instrument.isOption
            && !listed.contains { $0.instrument.isOption && $0.instrument.series == instrument.series }
        if isFirst {
            slices[instrument.series] = slice
        } else if isFirstOption {
            // A future was there alone, which has no rate.
            slices[instrument.series]?.rate = rate
        }
        listed.append(one)
        try addCandidate(one, to: hedge)
        count("list")
    }

    private func addCandidate(_ one: Listed, to hedge: LiveHedge) throws {
        let slice = slices[one.instrument.series] ?? Slice(price: .nan, rate: 0, time: Self.start)
        try hedge.add(ticker(one, slice, at: slice.time, mark: 0.03))
    }

    private mutating func listOne() throws {
        let free = Self.universe.filter { one in !listed.contains { $0.instrument == one } }
        guard let instrument = pick(free), instrument.expiry.map({ $0 > now }) ?? true else { return }
        try list(instrument)
    }

    private mutating func delist() throws {
        guard let instrument = pick(listed)?.instrument, let place = desk.index(of: instrument.name) else {
            return
        }
        guard !positions.contains(where: { $0.instrument == instrument && $0.quantity != 0 }) else {
            #expect(throws: RiskError.self) { try desk.delist(place) }
            return
        }
        try desk.delist(place)
        forget(instrument)
        count("delist")
    }

    private mutating func forget(_ instrument: Instrument) {
        listed.removeAll { $0.instrument == instrument }
        positions.removeAll { $0.instrument == instrument }
    }

    private mutating func tick() throws {
        guard let coin = pick(["BTC", "ETH", "SOL"]), let place = desk.underlyings.firstIndex(of: coin) else {
            return
        }
        let ratio = number(0.99...1.01)
        let price = desk.price(ofUnderlying: place) * ratio
        guard number(0...1) < 0.9 else {
            for wrong in [Double.nan, 0, -1, .infinity] {
                #expect(throws: RiskError.self) { try desk.tick(place, price: wrong) }
            }
            return count("refused")
        }
        try desk.tick(place, price: price)
        for (number, slice) in desk.slices.enumerated() where slice.underlying == place {
            guard let before = slices[slice.name]?.price else { continue }
            let after = desk.price(ofSlice: number)
            if listed.contains(where: { $0.instrument.series == slice.name }) {
                #expect(abs(after / before / ratio - 1) < 1e-12)
            }
            slices[slice.name]?.price = after
        }
        count("tick")
    }

    private mutating func setPrice() throws {
        guard let name = pick(listed)?.instrument.series, let slice = desk.index(ofSlice: name) else {
            return
        }
        let price = desk.price(ofSlice: slice) * number(0.99...1.01)
        try desk.setPrice(price, ofSlice: slice)
        slices[name]?.price = price
        count("price")
    }

    private mutating func setVolatility() throws {
        guard !listed.isEmpty else { return }
        let index = Int.random(in: listed.indices, using: &generator)
        guard listed[index].instrument.isOption, let place = desk.index(of: listed[index].instrument.name)
        else {
            return
        }
        listed[index].volatility = number(0.3...0.9)
        try desk.setVolatility(listed[index].volatility, ofContract: place)
        count("volatility")
    }

    /// At, before or behind the time of its slice, and never before its own.
    private mutating func quote() throws {
        guard !listed.isEmpty else { return }
        let index = Int.random(in: listed.indices, using: &generator)
        let series = listed[index].instrument.series
        guard var slice = slices[series] else { return }
        let time = Timestamp(milliseconds: slice.time.milliseconds + Int64(number(-2_000...5_000)))
        if let expiry = listed[index].instrument.expiry, time >= expiry { return }
        slice.price *= number(0.99...1.01)
        slice.rate = listed[index].instrument.isOption ? number(0...0.05) : slice.rate
        var quoted = listed[index]
        quoted.volatility = number(0.3...0.9)
        let isLate = time < listed[index].time
        if isLate {
            #expect(throws: RiskError.self) { try desk.quote(ticker(quoted, slice, at: time)) }
            return count("refused")
        }
        try desk.quote(ticker(quoted, slice, at: time))
        quoted.time = time
        if time >= slice.time {
            slice.time = time
            if !quoted.instrument.isOption { slice.rate = slices[series]?.rate ?? 0 }
            slices[series] = slice
        }
        if !quoted.instrument.isOption { quoted.volatility = listed[index].volatility }
        listed[index] = quoted
        count("quote")
    }

    private mutating func fill(adds: Bool) throws {
        guard let instrument = pick(listed)?.instrument, let book = pick(books),
            let place = desk.index(of: instrument.name)
        else { return }
        let quantity = quantity()
        if adds {
            try desk.fill(book: book, contract: place, quantity: quantity)
        } else {
            try desk.setPosition(book: book, contract: place, quantity: quantity)
        }
        if let held = positions.firstIndex(where: { $0.book == book && $0.instrument == instrument }) {
            positions[held].quantity = adds ? positions[held].quantity + quantity : quantity
        } else {
            positions.append((book, instrument, quantity))
        }
        count("fill")
    }

    private mutating func addBook() throws {
        let name = "book-\(books.count)"
        try desk.addBook(name)
        books.append(name)
        try desk.addCash(1.5, "USDC", book: name)
        cash["\(name) USDC", default: 0] += 1.5
        count("book")
    }

    private mutating func advance() throws {
        let before = now
        let time = Timestamp(milliseconds: before.milliseconds + Int64(number(0...0.6) * 86_400_000))
        try desk.advance(to: time)
        for one in listed { slices[one.instrument.series]?.time = time }
        count("advance")
    }

    private mutating func settle() throws {
        guard let place = desk.expired.first else { return }
        let instrument = desk.contracts[place]
        let delivery = Self.price(instrument) * number(0.9...1.1)
        let last = slices[instrument.series]?.price ?? .nan
        try desk.settle(place, at: delivery)
        let perUnit: Double
        switch (instrument.kind, instrument.settlement) {
        case (.option(let type, let strike, _), let settlement):
            let gain = type == .call ? delivery - strike : strike - delivery
            perUnit = max(0, gain) / (settlement == .inverse ? delivery : 1)
        case (_, .inverse): perUnit = 1 / last - 1 / delivery
        case (_, .linear): perUnit = delivery - last
        }
        let currency = instrument.settlement == .inverse ? instrument.base : instrument.quote
        for position in positions where position.instrument == instrument && position.quantity != 0 {
            cash["\(position.book) \(currency)", default: 0] += position.quantity * perUnit
        }
        forget(instrument)
        count("settle")
    }

    private mutating func restart() throws {
        desk = try LiveRisk(restoring: desk.save(), engine: engine)
        hedge = try freshHedge(desk)
        count("restart")
    }

    private mutating func roll() throws {
        desk.rollOff()
        positions.removeAll { $0.quantity == 0 }
        count("roll")
    }

    private mutating func setLimit() throws {
        let greeks: [ExposureGreek] = [.netDelta, .gamma, .vega, .theta]
        guard let greek = pick(greeks) else { return }
        let underlying = pick(["BTC", "ETH", nil]) ?? nil
        let size = number(0...1) < 0.3 ? 1e12 : number(10...100_000)
        let limit = LimitTable.Limit(
            underlying: underlying, greek: greek, low: -size, high: size, penalty: number(1...10))
        if number(0...1) < 0.3, let gone = pick(limits.map(\.name)) {
            #expect(hedge.removeLimit(named: gone))
            limits.removeAll { $0.name == gone }
            return count("limit removed")
        }
        try hedge.setLimit(limit)
        if let place = limits.firstIndex(where: { $0.name == limit.name }) {
            limits[place] = limit
        } else {
            limits.append(limit)
        }
        count("limit")
    }

    private mutating func setVariance() throws {
        variance = nil
        if number(0...1) < 0.8 {
            let common = number(-0.9...0.9) * 1.2e-3
            var drawn = LiveVariance(
                underlyings: ["ETH", "BTC"], covariance: [1.6e-3, common, common, 9e-4],
                riskAversion: number(1e-9...1e-5))
            drawn.exposure = number(0...1) < 0.5 ? .delta : .netDelta
            variance = drawn
        }
        try hedge.setVariance(variance)
        count("variance")
    }

    private var rule: CandidateRule {
        var rule = CandidateRule()
        rule.excluded = excluded
        return rule
    }

    private mutating func chooseOrBook() throws {
        guard number(0...1) < 0.5, !hedge.candidates.isEmpty else {
            excluded = Set(listed.map(\.instrument.name).filter { _ in number(0...1) < 0.2 })
            hedge.choose(rule)
            return count("choose")
        }
        hedge.follow()
        guard !hedge.candidates.isEmpty else { return }
        let candidate = Int.random(in: hedge.candidates.indices, using: &generator)
        let instrument = hedge.candidates[candidate].instrument
        guard let index = listed.firstIndex(where: { $0.instrument == instrument }) else { return }
        let (bids, asks) = book(instrument)
        try hedge.setBook(bids: bids, asks: asks, ofCandidate: candidate)
        (listed[index].bids, listed[index].asks) = (bids, asks)
        count("order book")
    }
}

extension LiveSequence {
    // MARK: The same anew

    private func freshDesk() throws -> LiveRisk {
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks(
            listed.map { one in
                let slice = slices[one.instrument.series] ?? Slice(price: .nan, rate: 0, time: Self.start)
                // What has expired is worth what it was at its expiry, until it is settled.
                return ticker(one, slice, at: min(slice.time, one.instrument.expiry ?? slice.time))
            }, .exposures, &badRows)
        let made = try LiveRisk(
            positions.map { .init(book: $0.book, instrument: $0.instrument, quantity: $0.quantity, line: 0) },
            chain, engine: engine)
        for book in books where !made.plan.books.contains(book) { try made.addBook(book) }
        return made
    }

    private func freshHedge(_ desk: LiveRisk) throws -> LiveHedge {
        let made = try LiveHedge(desk, book: nil, limits, BookHedge.Options())
        for one in listed { try addCandidate(one, to: made) }
        made.choose(rule)
        try made.setVariance(variance)
        return made
    }

    /// The bits of everything of a desk by name.
    private static func bits(_ desk: LiveRisk) -> [String: UInt64] {
        var bits: [String: UInt64] = [:]
        for greek in ExposureGreek.allCases {
            for (number, contract) in desk.contracts.enumerated() where desk.isListed(number) {
                bits["\(contract.name) \(greek)"] = desk.figure(number, greek).bitPattern
            }
            for (number, labels) in desk.plan.groups.enumerated() {
                let value = desk.exposures[number, greek]
                if value != 0 { bits["\(labels) \(greek)"] = value.bitPattern }
            }
        }
        return bits
    }

    /// The bits of a problem by name: limits, exposures, costs, coefficients.
    private static func bits(_ problem: HedgeProblem) -> [String: UInt64] {
        var bits: [String: UInt64] = [:]
        for (number, name) in problem.bandNames.enumerated() {
            let band = problem.bands[number]
            bits["\(name) low"] = band.low.bitPattern
            bits["\(name) high"] = band.high.bitPattern
            if band.current != 0 { bits["\(name) current"] = band.current.bitPattern }
            for k in band.entries {
                let entry = problem.entries[k]
                // What has expired adds nothing, whether it has an entry or not.
                guard entry.coefficient != 0 else { continue }
                bits["\(name) \(problem.instrumentNames[entry.instrument])"] = entry.coefficient.bitPattern
            }
        }
        for (number, name) in problem.instrumentNames.enumerated() {
            let one = problem.instruments[number]
            let numbers = [
                one.costBuy, one.costSell, one.impact, one.fixedCost, one.lot, one.minimum, one.maximumBuy,
                one.maximumSell, one.cash,
            ]
            for (place, number) in numbers.enumerated() where number != 0 {
                bits["\(name) \(place)"] = number.bitPattern
            }
            if let risk = problem.risk, risk.exposure[number] != 0 {
                bits["\(name) exposure"] = risk.exposure[number].bitPattern
            }
        }
        guard let risk = problem.risk else { return bits }
        for (number, name) in problem.underlyings.enumerated() where risk.dollarDelta[number] != 0 {
            bits["\(name) delta"] = risk.dollarDelta[number].bitPattern
        }
        bits["aversion"] = risk.riskAversion.bitPattern
        for (number, value) in risk.covariance.enumerated() {
            bits["covariance \(number)"] = value.bitPattern
        }
        return bits
    }

    /// What differs between the desk with its hedge and one made anew of the same facts; empty where nothing does.
    func differences() throws -> [String] {
        desk.update()
        let fresh = try freshDesk()
        var different: [String] = []
        func compare(_ found: [String: UInt64], _ expected: [String: UInt64]) {
            func number(_ bits: UInt64?) -> Double { bits.map(Double.init(bitPattern:)) ?? .nan }
            let names = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
            different += names.map { "\($0): \(number(found[$0])) for \(number(expected[$0]))" }
        }
        compare(Self.bits(desk), Self.bits(fresh))
        var held: [Instrument: Double] = [:]
        for position in positions {
            let place = desk.index(of: position.instrument.name)
            let found = place.map { desk.quantity(book: position.book, contract: $0) }
            if found != position.quantity { different.append("\(position.book) \(position.instrument.name)") }
            held[position.instrument, default: 0] += position.quantity
        }
        var found: [Instrument: Double] = [:]
        for position in desk.positions { found[position.instrument, default: 0] += position.quantity }
        if found.filter({ $0.value != 0 }) != held.filter({ $0.value != 0 }) {
            different.append("positions in all")
        }
        for (key, amount) in cash {
            let parts = key.split(separator: " ").map(String.init)
            if desk.cash[parts[0], parts[1]] != amount { different.append("cash \(key)") }
        }
        if desk.cash.all.count != cash.count { different.append("cash in all") }

        let other = try freshHedge(fresh)
        func decide(_ one: LiveHedge) throws -> LiveHedge.Decision? {
            // Bands that are left without a candidate are an error.
            do { return try one.decide() } catch HedgeError.noInstruments where one.candidates.isEmpty {
                return nil
            }
        }
        let (decision, expected) = (try decide(hedge), try decide(other))
        if (decision == .withinLimits) != (expected == .withinLimits) {
            different.append("\(decision), \(expected)")
        }
        guard case .hedge(let status) = decision, case .hedge(let wanted) = expected else {
            if (decision == nil) != (expected == nil) { different.append("no candidates") }
            return different
        }
        compare(Self.bits(hedge.problem), Self.bits(other.problem))
        if status != wanted { different.append("\(status), \(wanted)") }
        let (cost, least) = (hedge.solution.cost.total, other.solution.cost.total)
        if status == .optimal, abs(cost - least) > 1e-7 * max(abs(least), 1) {
            different.append("\(cost), \(least)")
        }
        return different
    }
}
