import Greeks
import Market
import Risk
import TestSupport
import Testing

/// What a live desk takes from tickers, in whatever order they stand and by whichever door they come.
struct LiveFactsTests {
    static let start = LiveDeskTests.start

    static func ticker(
        _ name: String, price: Double, volatility: Double = 0.6, rate: Double = 0.02, after seconds: Int64 = 0
    ) throws -> Ticker {
        LiveDeskTests.ticker(
            try Instrument(name: name), price: price, volatility: volatility, rate: rate,
            at: Timestamp(milliseconds: start.milliseconds + 1000 * seconds))
    }

    static func desk(_ tickers: [Ticker]) throws -> LiveRisk {
        var badRows = BadRows(skip: false)
        return try LiveRisk(
            [], try ChainGreeks(tickers, .exposures, &badRows), engine: try GreeksEngine())
    }

    @Test("The rate of a slice is that of its latest option, wherever its rows stand beside a newer future's")
    func rateOfSlices() throws {
        let rows = try [
            Self.ticker("BTC-27MAR26", price: 62_000, after: 9),
            Self.ticker("BTC-27MAR26-60000-C", price: 61_000, rate: 0.03, after: 5),
            Self.ticker("BTC-27MAR26-65000-C", price: 61_500, rate: 0.04, after: 7),
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let live = try Self.desk(order.map { rows[$0] })
            #expect(live.rate(ofSlice: 0) == 0.04, "\(order)")
            #expect(live.price(ofSlice: 0) == 62_000 && live.time(ofSlice: 0) == rows[0].timestamp)
        }
    }

    @Test("The first option that is listed beside a future brings its slice's rate, later ones take it over")
    func rateOfListed() throws {
        let live = try Self.desk([Self.ticker("BTC-PERPETUAL", price: 60_000)])
        try live.list(Self.ticker("BTC-27MAR26", price: 61_000))
        let call = try live.list(Self.ticker("BTC-27MAR26-60000-C", price: 61_100, rate: 0.05))
        let slice = live.slice(of: call)
        #expect(live.rate(ofSlice: slice) == 0.05 && live.price(ofSlice: slice) == 61_000)
        try live.list(Self.ticker("BTC-27MAR26-65000-C", price: 61_100, rate: 0.07))
        #expect(live.rate(ofSlice: slice) == 0.05)
        live.update()
        let fresh = try Self.desk([
            Self.ticker("BTC-PERPETUAL", price: 60_000), Self.ticker("BTC-27MAR26", price: 61_000),
            Self.ticker("BTC-27MAR26-60000-C", price: 61_000, rate: 0.05),
            Self.ticker("BTC-27MAR26-65000-C", price: 61_000, rate: 0.05),
        ])
        #expect(LiveDeskTests.bits(live) == LiveDeskTests.bits(fresh))
    }

    @Test("A move of the slice that ticks are prices of is not counted again by the tick")
    func tickAfterPrice() throws {
        let names = ["BTC-27MAR26-60000-C", "BTC-27MAR26", "BTC-PERPETUAL"]
        let live = try Self.desk(names.map { try Self.ticker($0, price: 60_000) })
        let (expiry, perpetual) = (live.slice(of: 0), live.slice(of: 2))
        try live.setPrice(66_000, ofSlice: perpetual)
        #expect(live.price(ofUnderlying: 0) == 66_000)
        try live.tick(0, price: 66_000)
        #expect(live.price(ofSlice: perpetual) == 66_000 && live.price(ofSlice: expiry) == 60_000)
        try live.quote(Self.ticker("BTC-PERPETUAL", price: 60_000, after: 1))
        try live.tick(0, price: 63_000)
        #expect(live.price(ofSlice: perpetual) == 63_000)
        #expect(abs(live.price(ofSlice: expiry) - 63_000) < 1e-9)
        // Another slice's own price is none of the underlying's.
        try live.setPrice(70_000, ofSlice: expiry)
        #expect(live.price(ofUnderlying: 0) == 63_000)

        // The last one by expiry, then by name, wherever it came from and whatever went.
        let spot = try live.list(Self.ticker("BTC_USDC", price: 64_000, after: 2))
        #expect(live.price(ofUnderlying: 0) == 64_000)
        try live.delist(spot)
        #expect(live.price(ofUnderlying: 0) == 63_000)
        try live.delist(2)
        #expect(live.price(ofUnderlying: 0) == 70_000)
        try live.delist(0)
        try live.delist(1)
        #expect(live.price(ofUnderlying: 0) == 70_000)
        try live.list(Self.ticker("BTC-PERPETUAL", price: 61_000, after: 3))
        #expect(live.price(ofUnderlying: 0) == 61_000)
    }

    @Test("After ticks, prices and a restart, the next tick has the bits of a desk made anew of the prices")
    func ticksOfFresh() throws {
        let names = ["ETH-27MAR26-2500-P", "ETH-27MAR26", "ETH-26JUN26-3000-C", "ETH-PERPETUAL", "ETH_USDC"]
        var random = SeededGenerator(seed: 5)
        var live = try Self.desk(
            names.enumerated().map { try Self.ticker($1, price: 2_500 + 7 * Double($0)) })
        for round in 0..<40 {
            let factor = Double.random(in: 0.97...1.03, using: &random)
            let slice = Int.random(in: 0..<live.slices.count, using: &random)
            switch round % 3 {
            case 0: try live.tick(0, price: live.price(ofUnderlying: 0) * factor)
            case 1: try live.setPrice(live.price(ofSlice: slice) * factor, ofSlice: slice)
            default: live = try LiveRisk(restoring: live.save(), engine: try GreeksEngine())
            }
            let fresh = try Self.desk(
                live.contracts.indices.map {
                    try Self.ticker(
                        live.contracts[$0].name, price: live.price(ofSlice: live.slice(of: $0)))
                })
            let kept = try LiveRisk(restoring: live.save(), engine: try GreeksEngine())
            for desk in [fresh, kept] {
                try desk.tick(0, price: 2_600)
                desk.update()
            }
            #expect(LiveDeskTests.bits(fresh) == LiveDeskTests.bits(kept), "round \(round)")
        }
    }

    @Test("A rate that a saved desk could not have is refused at every door, and nothing changes")
    func rates() throws {
        let names = ["BTC-27MAR26-60000-C", "BTC-PERPETUAL"]
        let live = try Self.desk(names.map { try Self.ticker($0, price: 60_000) })
        let before = live.save().bytes
        for rate in [1.5, -1.01] {
            let bad = try Self.ticker(names[0], price: 61_000, volatility: 0.5, rate: rate, after: 1)
            func refused(_ name: String, _ body: () throws -> Void) {
                let error = #expect(throws: RiskError.self) { try body() }
                #expect(
                    "\(error as Any)".contains("\(name): rate: \(rate): must be from -1 to 1"),
                    "\(error as Any)")
            }
            refused(names[0]) { try live.quote(bad) }
            refused("BTC-27MAR26") { try live.setRate(rate, ofSlice: 0) }
            refused("BTC-24APR26") {
                try live.list(Self.ticker("BTC-24APR26-60000-C", price: 61_000, rate: rate))
            }
            refused("BTC-27MAR26") { _ = try Self.desk([bad]) }
            #expect(live.save().bytes == before)
        }
        // What is there gives the rate: another's own is not asked for.
        try live.list(Self.ticker("BTC-27MAR26-65000-C", price: 61_000, rate: 9))
        let edge = try Self.desk([Self.ticker(names[0], price: 60_000, rate: 1)])
        #expect(try LiveRisk(restoring: edge.save(), engine: try GreeksEngine()).rate(ofSlice: 0) == 1)
    }

    @Test("A desk without a price, or with a quantity that is no number, is not made")
    func refusedDesks() throws {
        var badRows = BadRows(skip: false)
        let perpetual = try Self.ticker("BTC-PERPETUAL", price: 0)
        #expect(throws: RiskError.self) { try Self.desk([perpetual]) }
        let chain = try ChainGreeks([Self.ticker("BTC-PERPETUAL", price: 60_000)], .exposures, &badRows)
        let error = #expect(throws: RiskError.self) {
            try LiveRisk(
                [.init(book: "a", instrument: perpetual.instrument, quantity: .nan, line: 0)], chain,
                engine: try GreeksEngine())
        }
        #expect("\(error as Any)".contains("a, BTC-PERPETUAL: quantity: nan"), "\(error as Any)")
    }

    @Test("What a desk does not have is named as what it is")
    func unknown() throws {
        let live = try Self.desk([Self.ticker("BTC-PERPETUAL", price: 60_000)])
        let price = [60_100.0]
        #expect(live.setPrices(price.span, ofSlices: [7].span) == [.unknownSlice(7)])
        #expect("\(RiskError.unknownSlice(7))" == "slice: 7: the desk has no such slice")
        #expect(live.setVolatilities(price.span, ofContracts: [7].span) == [.unknownContract("7")])
        #expect("\(RiskError.unknownBook("x"))" == "book: \"x\": the desk has no such book: add it first")
    }

    @Test("No desk of books has the name that books without one are grouped under")
    func reservedDesk() throws {
        let error = RiskError.reservedName(field: "desk", "none")
        #expect(throws: error) { try ExposureBuckets([], deskOfBook: ["a": "none"]) }
        let live = try Self.desk([Self.ticker("BTC-PERPETUAL", price: 60_000)])
        #expect(throws: error) { try live.addBook("a", desk: "none") }
        #expect(live.plan.books.isEmpty)
        var badRows = BadRows(skip: false)
        let message = #expect(throws: MarketError.self) {
            try DeskTable(Source(name: "desks", text: "book,desk\na,x\nb,none\n"), &badRows)
        }
        #expect("\(message as Any)".contains("desks:3: column \"desk\": value \"none\""), "\(message as Any)")
    }
}
