import Greeks
import Market
import Risk
import TestSupport
import Testing

/// A desk on which contracts are listed and expire, books come, and positions change.
struct LiveDeskTests {
    static let start = Timestamp(milliseconds: 1_772_443_800_000)
    static let day: Int64 = 86_400_000

    static func ticker(
        _ instrument: Instrument, price: Double, volatility: Double = 0.6, rate: Double = 0.02,
        at time: Timestamp = start, mark: Double? = nil
    ) -> Ticker {
        Ticker(
            instrument: instrument, timestamp: time, underlyingPrice: instrument.isOption ? price : nil,
            underlyingIndex: nil, indexPrice: nil, markPrice: instrument.isOption ? mark : price,
            markVolatility: instrument.isOption ? volatility : nil,
            interestRate: instrument.isOption ? rate : 0, openInterest: nil, bids: [], asks: [],
            published: nil)
    }

    /// What is true of a desk, kept apart from it, by name.
    struct Facts {
        struct Slice: Equatable {
            var price, rate: Double
            var time: Timestamp
        }

        /// In the order in which they were listed.
        var listed: [(instrument: Instrument, volatility: Double)] = []
        var slices: [String: Slice] = [:]
        var positions: [(book: String, instrument: Instrument, quantity: Double)] = []
        var books: [String] = []
        var cash: [String: Double] = [:]

        func chain() throws -> ChainGreeks {
            var badRows = BadRows(skip: false)
            return try ChainGreeks(
                listed.map { contract in
                    let slice = slices[contract.instrument.series] ?? Slice(price: .nan, rate: 0, time: start)
                    return LiveDeskTests.ticker(
                        contract.instrument, price: slice.price, volatility: contract.volatility,
                        // What has expired is worth what it was at its expiry, until it is settled.
                        rate: slice.rate, at: min(slice.time, contract.instrument.expiry ?? slice.time))
                }, .exposures, &badRows)
        }

        func fresh(_ groupings: [Grouping], _ engine: GreeksEngine) throws -> LiveRisk {
            let live = try LiveRisk(
                positions.map {
                    .init(book: $0.book, instrument: $0.instrument, quantity: $0.quantity, line: 0)
                }, chain(), by: groupings, engine: engine)
            for book in books where !live.plan.books.contains(book) { try live.addBook(book) }
            return live
        }

        mutating func fill(_ book: String, _ instrument: Instrument, _ quantity: Double, adds: Bool) {
            let place = positions.firstIndex { $0.book == book && $0.instrument == instrument }
            guard let place else { return positions.append((book, instrument, quantity)) }
            positions[place].quantity = adds ? positions[place].quantity + quantity : quantity
        }

        /// What one unit pays, by the exchanges' rules.
        mutating func settle(_ instrument: Instrument, _ delivery: Double) {
            let last = slices[instrument.series]?.price ?? .nan
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
            positions.removeAll { $0.instrument == instrument }
            listed.removeAll { $0.instrument == instrument }
        }
    }

    /// The bits of everything by name, so that desks are the same whatever their numbers are.
    static func bits(_ live: LiveRisk) -> [String: UInt64] {
        var bits: [String: UInt64] = [:]
        for greek in ExposureGreek.allCases {
            for (number, contract) in live.contracts.enumerated() where live.isListed(number) {
                bits["\(contract.name) \(greek)"] = live.figure(number, greek).bitPattern
            }
            for (number, labels) in live.plan.groups.enumerated() {
                // A group of what is no more is a group of nothing.
                let value = live.exposures[number, greek]
                if value != 0 { bits["\(labels) \(greek)"] = value.bitPattern }
            }
        }
        return bits
    }

    static func universe() throws -> [Instrument] {
        try [
            "BTC-3MAR26", "BTC-4MAR26", "BTC-27MAR26", "BTC_USDC-4MAR26", "ETH-3MAR26", "SOL_USDC-27MAR26",
        ].flatMap { series -> [Instrument] in
            let price = series.hasPrefix("BTC") ? 60_000.0 : series.hasPrefix("ETH") ? 2_500 : 150
            let strikes = (0..<5).flatMap { step -> [String] in
                let strike = Int(price * (0.9 + 0.05 * Double(step)))
                return ["\(series)-\(strike)-C", "\(series)-\(strike)-P"]
            }
            return try (strikes + [series]).map { try Instrument(name: $0) }
        }
            + ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL", "BTC_USDC"].map {
                try Instrument(name: $0)
            }
    }

    static func price(_ instrument: Instrument) -> Double {
        switch instrument.base {
        case "BTC": 60_000
        case "ETH": 2_500
        default: 150
        }
    }

    @Test(
        "A desk on which anything happened in any order equals one made anew of the same facts, to the bit",
        arguments: [[Grouping.book], [.book, .expiry], [.instrument], [.expiry]])
    func sameAsFresh(_ groupings: [Grouping]) throws {
        let engine = try GreeksEngine()
        let universe = try Self.universe()
        var (settled, listed, saved) = (0, 0, 0)
        for sequence in 0..<60 {
            var generator = SeededGenerator(seed: UInt64(1000 * groupings.count + sequence))
            func number(_ range: ClosedRange<Double>) -> Double {
                Double.random(in: range, using: &generator)
            }
            func pick<T>(_ elements: [T]) -> T? { elements.randomElement(using: &generator) }
            var facts = Facts()
            facts.books = ["b", "a"]
            for instrument in universe where number(0...1) < 0.4 {
                facts.listed.append((instrument, number(0.3...0.9)))
                facts.slices[instrument.series] = .init(
                    price: Self.price(instrument) * number(0.99...1.01), rate: number(0...0.05),
                    time: Self.start)
            }
            for _ in 0..<8 {
                guard let contract = pick(facts.listed), let book = pick(facts.books) else { continue }
                facts.fill(book, contract.instrument, (number(-40...40) * 16).rounded() / 16, adds: true)
            }
            var live = try facts.fresh(groupings, engine)
            for step in 0..<50 {
                let contract = pick(facts.listed)
                switch Int.random(in: 0..<14, using: &generator) {
                case 0, 1:
                    let free = universe.filter { one in !facts.listed.contains { $0.instrument == one } }
                    guard let instrument = pick(free) else { continue }
                    if let expiry = instrument.expiry,
                        expiry <= facts.slices.values.map(\.time).max() ?? Self.start
                    {
                        continue
                    }
                    let time = facts.slices.values.map(\.time).max() ?? Self.start
                    let (price, rate) = (Self.price(instrument) * number(0.99...1.01), number(0...0.05))
                    let volatility = number(0.3...0.9)
                    try live.list(
                        Self.ticker(instrument, price: price, volatility: volatility, rate: rate, at: time))
                    let isFirst = !facts.listed.contains { $0.instrument.series == instrument.series }
                    if isFirst {
                        facts.slices[instrument.series] = .init(
                            price: price, rate: instrument.isOption ? rate : 0, time: time)
                    } else if instrument.isOption,
                        !facts.listed.contains(where: {
                            $0.instrument.isOption && $0.instrument.series == instrument.series
                        })
                    {
                        // A future was there alone, which has no rate.
                        facts.slices[instrument.series]?.rate = rate
                    }
                    facts.listed.append((instrument, volatility))
                    listed += 1
                case 2:
                    guard let instrument = contract?.instrument, let place = live.index(of: instrument.name)
                    else { continue }
                    let isHeld = facts.positions.contains { $0.instrument == instrument && $0.quantity != 0 }
                    if isHeld {
                        #expect(throws: RiskError.self) { try live.delist(place) }
                    } else {
                        try live.delist(place)
                        facts.listed.removeAll { $0.instrument == instrument }
                        facts.positions.removeAll { $0.instrument == instrument }
                    }
                case 3:
                    guard let coin = pick(["BTC", "ETH", "SOL"]),
                        let underlying = live.underlyings.firstIndex(of: coin)
                    else { continue }
                    try live.tick(
                        underlying, price: live.price(ofUnderlying: underlying) * number(0.99...1.01))
                    for slice in live.slices.indices where live.slices[slice].underlying == underlying {
                        facts.slices[live.slices[slice].name]?.price = live.price(ofSlice: slice)
                    }
                case 4:
                    guard let name = contract?.instrument.series, let slice = live.index(ofSlice: name) else {
                        continue
                    }
                    let price = live.price(ofSlice: slice) * number(0.99...1.01)
                    try live.setPrice(price, ofSlice: slice)
                    facts.slices[name]?.price = price
                case 5:
                    guard let contract, contract.instrument.isOption,
                        let place = live.index(of: contract.instrument.name)
                    else { continue }
                    let volatility = number(0.3...0.9)
                    try live.setVolatility(volatility, ofContract: place)
                    let index = facts.listed.firstIndex { $0.instrument == contract.instrument }
                    facts.listed[try #require(index)].volatility = volatility
                case 6, 7, 8:
                    guard let instrument = contract?.instrument, let book = pick(facts.books),
                        let place = live.index(of: instrument.name)
                    else { continue }
                    let quantity = (number(-40...40) * 16).rounded() / 16
                    let adds = number(0...1) < 0.7
                    if adds {
                        try live.fill(book: book, contract: place, quantity: quantity)
                    } else {
                        try live.setPosition(book: book, contract: place, quantity: quantity)
                    }
                    facts.fill(book, instrument, quantity, adds: adds)
                case 9:
                    let name = "book-\(facts.books.count)"
                    try live.addBook(name)
                    facts.books.append(name)
                case 10:
                    let latest = facts.slices.values.map(\.time).max() ?? Self.start
                    let time = Timestamp(
                        milliseconds: latest.milliseconds + Int64(number(0...0.4) * Double(Self.day)))
                    try live.advance(to: time)
                    for contract in facts.listed { facts.slices[contract.instrument.series]?.time = time }
                case 11:
                    guard let place = live.expired.first else { continue }
                    let instrument = live.contracts[place]
                    let delivery = Self.price(instrument) * number(0.9...1.1)
                    let settlement = try live.settle(place, at: delivery)
                    facts.settle(instrument, delivery)
                    #expect(settlement.instrument == instrument && !live.isListed(place))
                    settled += 1
                case 12:
                    live = try LiveRisk(restoring: live.save(), engine: engine)
                    saved += 1
                default:
                    if step % 3 == 0 { live.rollOff() }
                }
                guard step % 7 == 6 else { continue }
                live.update()
                let fresh = try facts.fresh(groupings, engine)
                let (found, expected) = (Self.bits(live), Self.bits(fresh))
                let different = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
                #expect(different.isEmpty, "sequence \(sequence), step \(step)")
                for position in facts.positions {
                    let place = try #require(live.index(of: position.instrument.name))
                    #expect(live.quantity(book: position.book, contract: place) == position.quantity)
                }
                #expect(
                    live.positions.filter { $0.quantity != 0 }.count
                        == facts.positions.filter { $0.quantity != 0 }.count)
                for (key, amount) in facts.cash {
                    let parts = key.split(separator: " ").map(String.init)
                    #expect(live.cash[parts[0], parts[1]] == amount)
                }
            }
        }
        print("\(listed) listed, \(settled) settled, \(saved) saved and restored")
        #expect(settled > 10 && listed > 50 && saved > 20)
    }

    /// One contract of each kind, two books.
    static func desk() throws -> LiveRisk {
        var badRows = BadRows(skip: false)
        let tickers = try [
            "BTC-3MAR26-60000-C", "BTC-3MAR26-70000-C", "BTC-3MAR26", "BTC_USDC-3MAR26-60000-P",
            "BTC-PERPETUAL",
        ].map { ticker(try Instrument(name: $0), price: 62_000) }
        let chain = try ChainGreeks(tickers, .exposures, &badRows)
        let held: [(String, Int, Double)] = [
            ("a", 0, 3), ("b", 0, -1), ("a", 0, 2), ("b", 2, 31_000), ("a", 3, 4),
        ]
        return try LiveRisk(
            held.map {
                .init(book: $0.0, instrument: tickers[$0.1].instrument, quantity: $0.2, line: 0)
            }, chain, engine: try GreeksEngine())
    }

    @Test(
        "A settlement pays each book what the delivery price makes of what it held, and takes it off the desk"
    )
    func settlement() throws {
        let live = try Self.desk()
        let expiry = try #require(live.contracts[0].expiry)
        let early = #expect(throws: RiskError.self) { try live.settle(0, at: 64_000) }
        #expect("\(try #require(early))".contains("it has not expired"))
        #expect(throws: RiskError.self) { try live.settle(4, at: 64_000) }
        try live.advance(to: expiry)
        #expect(live.expired == [0, 1, 2, 3])
        #expect(throws: RiskError.self) { try live.settle(0, at: .nan) }
        let call = try live.settle(0, at: 64_000)
        #expect(call.currency == "BTC" && call.cashPerUnit == 4_000.0 / 64_000)
        #expect(call.payments.map(\.book) == ["a", "b"] && call.payments.map(\.quantity) == [5, -1])
        #expect(call.payments.map(\.cash) == [0.3125, -0.0625])
        let future = try live.settle(2, at: 64_000)
        #expect(future.lastPrice == 62_000 && future.currency == "BTC")
        #expect(future.payments.map(\.book) == ["b"])
        // 0.5 bitcoin at 62,000: what they are worth less when bought back at 64,000.
        #expect(abs(future.payments[0].cash - (0.5 - 31_000.0 / 64_000)) < 1e-15)
        let rest = try live.settle(slice: try #require(live.index(ofSlice: "BTC-3MAR26")), at: 64_000)
        #expect(rest.map(\.instrument.name) == ["BTC-3MAR26-70000-C"] && rest[0].payments.isEmpty)
        let put = try live.settle(3, at: 55_000)
        #expect(put.currency == "USDC" && put.payments.map(\.quantity) == [4])
        #expect(put.payments.map(\.cash) == [20_000])
        #expect(live.cash["a", "BTC"] == 0.3125 && live.cash["a", "USDC"] == 20_000)
        #expect(live.cash["b", "BTC"] == -0.0625 + future.payments[0].cash)
        live.update()
        #expect(live.listedCount == 1 && live.positions.isEmpty)
        for group in live.plan.groups.indices { #expect(live.exposures[group, .delta] == 0) }
        #expect(throws: RiskError.notListed("BTC-3MAR26-60000-C")) {
            try live.fill(book: "a", contract: 0, quantity: 1)
        }
        live.rollOff()
        #expect(live.contracts.map(\.name) == ["BTC-PERPETUAL"] && live.slices.count == 1)
        #expect(live.cash["a", "BTC"] == 0.3125)
    }

    @Test("Time goes forward alone, and the refusal names both times")
    func timeRunsBack() throws {
        let live = try Self.desk()
        let later = Timestamp(milliseconds: Self.start.milliseconds + 1)
        try live.tick(0, price: 62_100, at: later)
        try live.advance(to: later)
        let before = Self.bits(live)
        for refused in [
            #expect(throws: RiskError.self) { try live.advance(to: Self.start) },
            #expect(throws: RiskError.self) { try live.tick(0, price: 62_200, at: Self.start) },
            #expect(throws: RiskError.self) { try live.setPrice(62_200, ofSlice: 0, at: Self.start) },
        ] {
            let text = "\(try #require(refused))"
            #expect(text.contains("09:30:00.000 UTC") && text.contains("09:30:00.001 UTC"), "\(text)")
        }
        #expect(live.price(ofUnderlying: 0) == 62_100)
        live.update()
        try live.advance(to: later)
        live.update()
        #expect(Self.bits(live) != before && live.time(ofSlice: 0) == later)
    }

    @Test("One bad quote among many is refused by name, and the rest is taken")
    func badQuotes() throws {
        let live = try Self.desk()
        let places = [0, 1, 99, 3, 4]
        let volatilities = [0.5, .nan, 0.5, 0.7, 0.1]
        let refused = live.setVolatilities(volatilities.span, ofContracts: places.span)
        #expect(refused.count == 2 && "\(refused[0])".hasPrefix("BTC-3MAR26-70000-C: volatility: nan"))
        #expect(live.volatility(ofContract: 0) == 0.5 && live.volatility(ofContract: 3) == 0.7)
        #expect(live.volatility(ofContract: 1) == 0.6 && live.volatility(ofContract: 4) == nil)
        let prices = [61_000.0, -1]
        let slices = [0, 1]
        #expect(
            live.setPrices(prices.span, ofSlices: slices.span).count == 1 && live.price(ofSlice: 0) == 61_000)
        #expect(live.setPrices(prices.span, ofSlices: [0].span).count == 1)

        let time = Timestamp(milliseconds: Self.start.milliseconds + 5_000)
        let call = live.contracts[0]
        // 0.65 a year for two days is some 1.5 points of a future: a mark of 0.05 has another unit of volatility.
        let good = Self.ticker(call, price: 62_500, volatility: 0.65, at: time, mark: 0.041)
        let bad = Self.ticker(call, price: 62_500, volatility: 0.0065, at: time, mark: 0.045)
        let old = Self.ticker(live.contracts[1], price: 1_000, volatility: 0.71)
        let errors = live.quote([
            bad, good, old, Self.ticker(try Instrument(name: "BTC-3MAR26-1-C"), price: 1),
        ])
        #expect(errors.count == 2 && "\(errors[0])".contains("volatility"), "\(errors)")
        #expect(errors.last == .unknownContract("BTC-3MAR26-1-C"))
        let slice = live.slice(of: 0)
        #expect(live.price(ofSlice: slice) == 62_500 && live.time(ofSlice: slice) == time)
        // Older than its slice, newer than its own last: its volatility alone.
        #expect(live.volatility(ofContract: 0) == 0.65 && live.volatility(ofContract: 1) == 0.71)
        #expect(throws: RiskError.self) { try live.quote(Self.ticker(call, price: 62_400)) }
    }

    @Test("Listing refuses what is there, what is worth no dollars, and what no formula takes")
    func listing() throws {
        let live = try Self.desk()
        let count = live.contracts.count
        let version = live.layoutVersion
        func refused(_ name: String, price: Double = 62_000, _ words: String) throws {
            let error = #expect(throws: RiskError.self) {
                try live.list(Self.ticker(try Instrument(name: name), price: price))
            }
            #expect("\(try #require(error))".contains(words), "\(error as Any)")
        }
        try refused("BTC-3MAR26-60000-C", "is there already")
        try refused("ETH_BTC", "is quoted in BTC, which is no dollar")
        try refused("BTC-4MAR26-60000-C", price: -1, "price")
        #expect(live.contracts.count == count && live.layoutVersion == version)
        let place = try live.list(Self.ticker(try Instrument(name: "ETH-27MAR26-2500-P"), price: 2_500))
        #expect(place == count && live.underlyings == ["BTC", "ETH"] && live.layoutVersion == version + 1)
        try live.fill(book: "a", contract: place, quantity: 2)
        live.update()
        let group = try #require(live.plan.groups.firstIndex(of: ["ETH", "a"]))
        #expect(live.exposures[group, .value] == 2 * live.figure(place, .value))
        #expect(throws: RiskError.stillHeld("ETH-27MAR26-2500-P", book: "a", quantity: 2)) {
            try live.delist(place)
        }
        try live.setPosition(book: "a", contract: place, quantity: 0)
        try live.delist(place)
        #expect(!live.isListed(place) && live.index(of: "ETH-27MAR26-2500-P") == place)
        #expect(try live.list(Self.ticker(try Instrument(name: "ETH-27MAR26-2500-P"), price: 2_600)) == place)
        #expect(live.price(ofSlice: live.slice(of: place)) == 2_600)
    }

    @Test("Books come by name, and positions are grouped in other ways at any time")
    func books() throws {
        let live = try Self.desk()
        #expect(throws: RiskError.unknownBook("c")) { try live.fill(book: "c", contract: 0, quantity: 1) }
        try live.addBook("c", desk: "vol")
        #expect(throws: RiskError.alreadyThere(field: "book", "c")) { try live.addBook("c") }
        try live.fill(book: "c", contract: 0, quantity: 7)
        live.update()
        let group = try #require(live.plan.groups.firstIndex(of: ["BTC", "c"]))
        #expect(group == 2 && live.exposures[group, .vega] == 7 * live.figure(0, .vega))
        let total = live.plan.groups.indices.reduce(0) { $0 + live.exposures[$1, .vega] }
        live.group(by: [.desk, .expiry])
        #expect(live.plan.groupings == [.underlying, .expiry, .desk])
        let vol = try #require(live.plan.groups.firstIndex(of: ["BTC", "2026-03-03", "vol"]))
        #expect(live.exposures[vol, .vega] == 7 * live.figure(0, .vega))
        let sum = live.plan.groups.indices.reduce(0) { $0 + live.exposures[$1, .vega] }
        #expect(abs(sum - total) < 1e-9 * abs(total))
        try live.addCash(5, "USDC", book: "c")
        #expect(live.cash["c", "USDC"] == 5 && live.cash.all.count == 1)
        #expect(throws: RiskError.unknownBook("d")) { try live.addCash(5, "USDC", book: "d") }
    }

    @Test("The checksum of a saved desk has sixteen digits, also where it begins with zeros")
    func checksums() throws {
        let live = try Self.desk()
        var zeros = 0
        for step in 0..<200 {
            try live.tick(0, price: 60_000 + Double(step))
            let bytes = live.save().bytes
            let checksum = bytes.prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " ")).last
            #expect(checksum?.count == 16)
            if checksum?.first == UInt8(ascii: "0") { zeros += 1 }
        }
        #expect(zeros > 0)
    }

    @Test("A saved desk goes on with the same numbers and bits; a damaged one is refused in words")
    func savedDesk() throws {
        let live = try Self.desk()
        try live.addBook("new \"book\" ä")
        try live.list(
            Self.ticker(try Instrument(name: "ETH-27MAR26-2500-P"), price: 2_500, volatility: 0.1 + 0.2))
        try live.advance(to: try #require(live.contracts[0].expiry))
        try live.settle(0, at: 61_234.5)
        try live.tick(0, price: 61_000.1)
        let saved = live.save()
        let restored = try LiveRisk(restoring: saved, engine: try GreeksEngine())
        #expect(restored.contracts == live.contracts && restored.slices == live.slices)
        #expect(restored.plan.groups == live.plan.groups && restored.plan.books == live.plan.books)
        #expect(restored.cash == live.cash)
        #expect(restored.positions.map(\.quantity) == live.positions.map(\.quantity))
        for desk in [live, restored] {
            try desk.tick(0, price: 60_500.7, at: Timestamp(milliseconds: 1_772_700_000_000))
            try desk.fill(book: "b", contract: 5, quantity: 0.3)
            desk.update()
        }
        #expect(Self.bits(live) == Self.bits(restored) && live.save().bytes == restored.save().bytes)

        let text = String(decoding: saved.bytes, as: UTF8.self)
        func refused(_ text: String, _ words: String) throws {
            let error = #expect(throws: RiskError.self) {
                try LiveRisk(restoring: Source(name: "file", text: text), engine: try GreeksEngine())
            }
            #expect("\(try #require(error))".contains(words), "\(error as Any)")
        }
        try refused("", "is no saved desk")
        try refused("book,instrument,quantity\n", "is no saved desk")
        try refused(text.replacing("poise desk 1", with: "poise desk 2"), "version 2")
        try refused(text.replacing("61000.1", with: "61000.2"), "is damaged")
        try refused(String(text.dropLast(100)), "is damaged")
    }

    @Test("A snapshot stays as it was while the desk goes on, and may be read by another thread")
    func snapshot() async throws {
        let live = try Self.desk()
        let snapshot = live.snapshot()
        let (delta, vega) = (live.exposures[0, .delta], live.figure(0, .vega))
        try live.tick(0, price: 70_000)
        live.update()
        #expect(live.exposures[0, .delta] != delta)
        let seen = await Task.detached { (snapshot.exposures[0, .delta], snapshot.figure(0, .vega)) }.value
        #expect(seen == (delta, vega) && snapshot.groups == live.plan.groups && snapshot.prices[0] == 62_000)
    }

    @Test(
        "A snapshot valued at the times of slices has the figures of a live desk, and at its tickers' own has not"
    )
    func valuationTimes() throws {
        let names = ["BTC-27MAR26-60000-C", "BTC-27MAR26-65000-P", "BTC-27MAR26", "BTC-PERPETUAL"]
        let tickers = try names.enumerated().map { number, name in
            Self.ticker(
                try Instrument(name: name), price: 62_000 + 10 * Double(number),
                at: Timestamp(milliseconds: Self.start.milliseconds + Int64(number * 7_000)))
        }
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: false)
        let live = try LiveRisk(
            [.init(book: "a", instrument: tickers[0].instrument, quantity: 1, line: 0)],
            try ChainGreeks(tickers, .exposures, &badRows), engine: engine)
        var worst: [Double] = []
        for time in [ValuationTime.slice, .ticker] {
            let chain = try ChainGreeks(tickers, .exposures, at: time, &badRows)
            chain.compute(engine)
            let figures = UnitExposures(count: 4)
            figures.update(from: chain, in: .usd)
            worst.append(
                ExposureGreek.allCases.reduce(0) { worst, greek in
                    (0..<4).reduce(worst) {
                        let scale = max(figures[$1, greek].magnitude, 1e-9)
                        return max($0, (live.figure($1, greek) - figures[$1, greek]).magnitude / scale)
                    }
                })
        }
        #expect(worst[0] < 1e-13 && worst[1] > 1e-6, "\(worst)")
    }
}
