import Greeks
import Market
import Risk
import TestSupport
import Testing

/// Figures and exposures kept current tick by tick.
struct LiveRiskTests {
    /// Two coins with five expiries each, puts and calls of odd numbers, one expiry settled in stablecoin, a
    /// future, perpetuals and a coin; and books that hold some of it.
    struct Desk {
        static let start = Timestamp(milliseconds: 1_772_443_800_000)
        var time = start
        var prices: [String: Double] = [:]
        var volatilities: [String: Double] = [:]
        let instruments: [Instrument]
        var positions: [PositionTable.Position]

        init() throws {
            var names: [String] = []
            for (coin, price) in [("BTC", 60_000.0), ("ETH", 2_500.0)] {
                // The first one expires within the half hour in which deltas fade.
                for (number, expiry) in ["27MAR26", "24APR26", "26JUN26", "25SEP26"].enumerated() {
                    for strike in 0..<(5 + 4 * number) {
                        let level = (price * (0.7 + 0.05 * Double(strike))).rounded()
                        names.append("\(coin)-\(expiry)-\(Int(level))-\(strike % 3 == 0 ? "P" : "C")")
                        if number == 1 {
                            names.append(
                                "\(coin)_USDC-\(expiry)-\(Int(level))-\(strike % 3 == 1 ? "P" : "C")")
                        }
                    }
                }
                names += ["\(coin)-26JUN26", "\(coin)-PERPETUAL", "\(coin)_USDC-PERPETUAL", "\(coin)_USDC"]
            }
            instruments = try names.map { try Instrument(name: $0) }
            var generator = SeededGenerator(seed: 11)
            for instrument in instruments {
                let price = instrument.base == "BTC" ? 60_000.0 : 2_500
                prices[Self.slice(instrument)] = price * Double.random(in: 0.98...1.05, using: &generator)
                volatilities[instrument.name] = Double.random(in: 0.3...0.9, using: &generator)
            }
            positions = []
            for book in 0..<6 {
                for instrument in instruments where Double.random(in: 0...1, using: &generator) < 0.4 {
                    positions.append(
                        .init(
                            book: "book-\(book)", instrument: instrument,
                            quantity: Double.random(in: -50...50, using: &generator), line: 0))
                }
            }
        }

        static func slice(_ instrument: Instrument) -> String {
            instrument.isOption
                ? instrument.name.split(separator: "-").prefix(2).joined(separator: "-") : instrument.name
        }

        func chain() throws -> ChainGreeks {
            var badRows = BadRows(skip: false)
            let tickers = instruments.map { instrument in
                let price = prices[Self.slice(instrument)]
                return Ticker(
                    instrument: instrument, timestamp: time,
                    underlyingPrice: instrument.isOption ? price : nil, underlyingIndex: nil, indexPrice: nil,
                    markPrice: instrument.isOption ? nil : price,
                    markVolatility: instrument.isOption ? volatilities[instrument.name] : nil,
                    interestRate: instrument.isOption ? 0.03 : 0, openInterest: nil, bids: [], asks: [],
                    published: nil)
            }
            return try ChainGreeks(tickers, .exposures, &badRows)
        }

        func live(
            _ groupings: [Grouping] = [.book], _ numeraire: Numeraire = .usd, _ engine: GreeksEngine
        ) throws -> LiveRisk {
            let chain = try chain()
            return try LiveRisk(
                positions, chain, by: groupings, try ExposureBuckets(chain.tickers), in: numeraire,
                engine: engine)
        }
    }

    static let groupings: [[Grouping]] = [
        [.book], [.book, .expiry], [.moneyness, .book, .tenor], [.instrument],
    ]

    @Test(
        "Live figures and exposures are those that value each contract by itself",
        arguments: Numeraire.allCases)
    func sameAsSnapshot(_ numeraire: Numeraire) throws {
        for time in [Desk.start, Timestamp(milliseconds: 1_774_598_400_000 - 600_000)] {
            var desk = try Desk()
            desk.time = time
            let engine = try GreeksEngine()
            let live = try desk.live([.book], numeraire, engine)
            let chain = try desk.chain()
            chain.compute(engine)
            let figures = UnitExposures(count: chain.tickers.count)
            figures.update(from: chain, in: numeraire)
            let plan = ExposurePlan(
                desk.positions, contracts: desk.instruments, by: [.underlying, .book])
            let exposures = Exposures(plan)
            plan.aggregate(figures, into: exposures, engine)
            #expect(live.contracts == desk.instruments && live.plan.groups == plan.groups)
            var worst = 0.0
            for greek in ExposureGreek.allCases {
                let scale = desk.instruments.indices.reduce(0) { max($0, figures[$1, greek].magnitude) }
                #expect(scale > 0)
                for contract in desk.instruments.indices {
                    let error = (live.figure(contract, greek) - figures[contract, greek]).magnitude / scale
                    worst = max(worst, error)
                }
                for group in plan.groups.indices {
                    let error = (live.exposures[group, greek] - exposures[group, greek]).magnitude
                    worst = max(worst, error / (scale * 5_000))
                }
            }
            print("live and snapshot figures in \(numeraire) differ by \(worst) of the largest")
            #expect(worst < 2e-14)
        }
    }

    /// Whatever ticked in whatever order, the state is the one that a fresh start from the same inputs has, bit
    /// for bit, and only stale slices are computed.
    @Test(
        "Whatever ticked, the state has the bits of a fresh start from the same inputs",
        arguments: groupings)
    func sameAsFreshStart(_ groupings: [Grouping]) throws {
        var desk = try Desk()
        let engine = try GreeksEngine()
        let live = try desk.live(groupings, .usd, engine)
        // Buckets stay those of the start.
        let buckets = try ExposureBuckets(try desk.chain().tickers)
        #expect(live.update() == 0)
        var generator = SeededGenerator(seed: 12)
        for round in 0..<60 {
            var stale: Set<Int> = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let contract = Int.random(in: 0..<live.contracts.count, using: &generator)
                let slice = live.slice(of: contract)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    let price = live.price(ofSlice: slice) * Double.random(in: 0.99...1.01, using: &generator)
                    try live.setPrice(price, ofSlice: slice)
                    desk.prices[live.slices[slice].name] = price
                    stale.insert(slice)
                case 1 where live.contracts[contract].isOption:
                    let volatility = Double.random(in: 0.2...1, using: &generator)
                    try live.setVolatility(volatility, ofContract: contract)
                    desk.volatilities[live.contracts[contract].name] = volatility
                    stale.insert(slice)
                case 2:
                    let underlying = live.slices[slice].underlying
                    try live.tick(
                        underlying,
                        price: live.price(ofUnderlying: underlying)
                            * Double.random(in: 0.99...1.01, using: &generator))
                    for other in live.slices.indices where live.slices[other].underlying == underlying {
                        desk.prices[live.slices[other].name] = live.price(ofSlice: other)
                        stale.insert(other)
                    }
                default: break
                }
            }
            if round % 20 == 19 {
                desk.time = Timestamp(milliseconds: desk.time.milliseconds + 3_600_000)
                try live.advance(to: desk.time)
                stale.formUnion(live.slices.indices)
            }
            #expect(live.update() == stale.count)
            guard round % 4 == 3 else { continue }
            let fresh = try LiveRisk(desk.positions, desk.chain(), by: groupings, buckets, engine: engine)
            #expect(fresh.plan.groups == live.plan.groups)
            #expect(Self.bits(fresh) == Self.bits(live), "round \(round)")
        }
    }

    /// The prices here are the desk's own, never read back: an underlying's first tick scales all its slices by the
    /// new price over that of its last slice (coin, perpetual or last future), the next ones by new over old tick.
    @Test("Ticks move all slices of an underlying by what its price has moved since the tick before")
    func ticks() throws {
        var desk = try Desk()
        let engine = try GreeksEngine()
        let live = try desk.live([.book], .usd, engine)
        var last = [
            "BTC": desk.prices["BTC_USDC-PERPETUAL"] ?? 0, "ETH": desk.prices["ETH_USDC-PERPETUAL"] ?? 0,
        ]
        for (number, (coin, price)) in [
            ("BTC", 61_000.0), ("BTC", 61_000), ("ETH", 2_400), ("BTC", 58_500), ("BTC", 63_000),
            ("ETH", 2_600.5),
        ].enumerated() {
            let underlying = try #require(live.underlyings.firstIndex(of: coin))
            let time = number % 2 == 1 ? Timestamp(milliseconds: desk.time.milliseconds + 600_000) : nil
            try live.tick(underlying, price: price, at: time)
            live.update()
            #expect(live.price(ofUnderlying: underlying) == price)
            let ratio = price / (last[coin] ?? .nan)
            last[coin] = price
            for name in desk.prices.keys where name.hasPrefix(coin) { desk.prices[name]? *= ratio }

            // Against each contract valued by itself: at the time of its own coin's last tick.
            if let time { desk.time = time }
            let chain = try desk.chain()
            chain.compute(engine)
            let batch = UnitExposures(count: chain.tickers.count)
            batch.update(from: chain, in: .usd)
            for greek in ExposureGreek.allCases {
                let own = desk.instruments.indices.filter { desk.instruments[$0].base == coin }
                let scale = own.reduce(0) { max($0, batch[$1, greek].magnitude) }
                for contract in own where time != nil || number == 0 {
                    let error = (live.figure(contract, greek) - batch[contract, greek]).magnitude
                    #expect(error <= 1e-12 * scale, "\(number) \(greek) \(live.contracts[contract].name)")
                }
            }
            for slice in live.slices.indices {
                let expected = try #require(desk.prices[live.slices[slice].name])
                #expect(abs(live.price(ofSlice: slice) / expected - 1) < 1e-13, "\(live.slices[slice].name)")
            }
        }
    }

    @Test("Fills change their group as if the positions had held them from the start")
    func fills() throws {
        var desk = try Desk()
        let engine = try GreeksEngine()
        let live = try desk.live([.book, .expiry], .usd, engine)
        var generator = SeededGenerator(seed: 13)
        var isNew = 0
        for _ in 0..<200 {
            let contract = Int.random(in: 0..<live.contracts.count, using: &generator)
            let book = "book-\(Int.random(in: 0..<6, using: &generator))"
            let quantity = Double.random(in: -9...9, using: &generator)
            let legs = live.plan.legCount
            try live.fill(book: book, contract: contract, quantity: quantity)
            let place = desk.positions.firstIndex {
                $0.book == book && $0.instrument == live.contracts[contract]
            }
            let held = place.map { desk.positions[$0].quantity } ?? 0
            let position = PositionTable.Position(
                book: book, instrument: live.contracts[contract], quantity: held + quantity, line: 0)
            if let place { desk.positions[place] = position } else { desk.positions.append(position) }
            #expect(live.plan.legCount == legs + (place == nil ? 1 : 0))
            isNew += place == nil ? 1 : 0
        }
        #expect(isNew > 20)
        #expect(Self.bits(try desk.live([.book, .expiry], .usd, engine)) == Self.bits(live))
    }

    @Test("Live risk has the same bits on AVX2 and AVX-512, and the baseline is within 1e-13")
    func sameBits() throws {
        let desk = try Desk()
        let reference = try desk.live([.book], .coin, try GreeksEngine())
        for set in InstructionSet.supported {
            let other = try desk.live([.book], .coin, try GreeksEngine(set))
            if set != .baseline, reference.instructionSet != .baseline {
                #expect(Self.bits(other) == Self.bits(reference), "\(set)")
            }
            for group in reference.plan.groups.indices {
                for greek in ExposureGreek.allCases {
                    let scale = reference.plan.groups.indices.reduce(0) {
                        max($0, reference.exposures[$1, greek].magnitude)
                    }
                    let error = other.exposures[group, greek] - reference.exposures[group, greek]
                    #expect(error.magnitude <= 1e-13 * scale, "\(set) \(greek)")
                }
            }
        }
    }

    @Test("What cannot be computed live is refused by name, and nothing changes")
    func refusals() throws {
        let desk = try Desk()
        let live = try desk.live([.book], .usd, try GreeksEngine())
        let before = Self.bits(live)
        for value in [Double.nan, -1, 0, .infinity] {
            #expect(throws: RiskError.self) { try live.tick(0, price: value) }
            #expect(throws: RiskError.self) { try live.setPrice(value, ofSlice: 2) }
        }
        #expect(throws: RiskError.self) { try live.setVolatility(-0.1, ofContract: 0) }
        #expect(throws: RiskError.self) { try live.setVolatility(.nan, ofContract: 0) }
        #expect(throws: RiskError.self) { try live.setRate(.nan, ofSlice: 0) }
        #expect(throws: RiskError.self) { try live.fill(book: "book-0", contract: 0, quantity: .nan) }
        #expect(throws: RiskError.unknownBook("nobody")) {
            try live.fill(book: "nobody", contract: 0, quantity: 1)
        }
        #expect(throws: RiskError.invalidEdge(buckets: "tenors", value: 5)) {
            try ExposureBuckets(tenorDays: [7, 5], [])
        }
        #expect(live.update() == 0 && Self.bits(live) == before)
        var positions = desk.positions
        let unknown = try Instrument(name: "BTC-27MAR26-1-C")
        positions.append(.init(book: "book-0", instrument: unknown, quantity: 1, line: 9))
        #expect(throws: RiskError.unknownContract("BTC-27MAR26-1-C")) {
            try LiveRisk(positions, try desk.chain(), engine: try GreeksEngine())
        }
        #expect(
            "\(RiskError.invalidValue(of: "BTC-27MAR26", field: "price", value: -1, reason: "no"))"
                .contains("price: -1"))
    }

    static func bits(_ live: LiveRisk) -> [UInt64] {
        ExposureGreek.allCases.flatMap { greek in
            live.contracts.indices.map { live.figure($0, greek).bitPattern }
                + live.plan.groups.indices.map { live.exposures[$0, greek].bitPattern }
        }
    }
}
