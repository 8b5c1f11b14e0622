import Greeks
import Hedging
import Market
import Risk
import Testing

/// A hedge on a desk on which contracts, books, limits and costs come and go.
struct LiveDeskHedgeTests {
    static let time = 1_772_443_800_000
    let risk: LiveRisk
    let hedge: LiveHedge

    static func row(_ name: String, price: Double = 60_000, mark: String, _ book: String) -> String {
        "\(name),\(time),\(price),\(name.hasSuffix("-C") || name.hasSuffix("-P") ? "60" : ""),\(mark),\(price),\(book)"
    }

    init() throws {
        var badRows = BadRows(skip: false)
        let rows = [
            "instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks",
            Self.row(
                "BTC-27MAR26-60000-C", mark: "0.062",
                "\"[[0.061, 10], [0.060, 40]]\",\"[[0.063, 10], [0.064, 40]]\""),
            Self.row("BTC-27MAR26-70000-C", mark: "0.026", "\"[[0.025, 50]]\",\"[[0.027, 50]]\""),
            Self.row("BTC-PERPETUAL", mark: "60000", "\"[[59995, 2000000]]\",\"[[60005, 2000000]]\""),
        ]
        let chain = try Chain(Source(name: "chain", text: rows.joined(separator: "\n")), &badRows)
        let table = try PositionTable(
            Source(
                name: "positions",
                text: "book,instrument,quantity\na,BTC-27MAR26-60000-C,-5\nb,BTC-PERPETUAL,1000\n"),
            &badRows)
        let limits = try LimitTable(
            Source(
                name: "limits",
                text: "underlying,greek,low,high\nBTC,net_delta,-1000,1000\nBTC,vega,-100,100\n"),
            &badRows)
        let made = try LiveHedge.all(
            table, in: chain, limits, BookHedge.Options(), try GreeksEngine(), &badRows)
        (risk, hedge) = (made.risk, try #require(made.hedges.first))
    }

    func place(_ name: String) throws -> Int {
        try #require(hedge.candidates.firstIndex { $0.instrument.name == name })
    }

    @Test("Costs quoted in coin follow the price, those of a dollar do not move with it")
    func costsFollow() throws {
        let option = try place("BTC-27MAR26-60000-C")
        let perpetual = try place("BTC-PERPETUAL")
        #expect(try hedge.decide() == .hedge(.optimal))
        // Half a spread of 0.001 coins, and a fee of 0.0003 coins.
        #expect(abs(hedge.problem.instruments[option].costBuy - 1.3e-3 * 60_000) < 1e-9)
        let before = hedge.problem.instruments[perpetual].costBuy
        try risk.tick(0, price: 90_000)
        _ = try hedge.decide()
        #expect(abs(hedge.problem.instruments[option].costBuy - 1.3e-3 * 90_000) < 1e-9)
        // 5 of 60,000 in prices are 5 of 90,000 a third later: less of a dollar. The fee of 5 basis points stays.
        #expect(abs(before - (5.0 / 60_000 + 5e-4)) < 1e-15)
        #expect(abs(hedge.problem.instruments[perpetual].costBuy - (5.0 / 90_000 + 5e-4)) < 1e-15)
    }

    @Test(
        "An order book that is set is read back, priced from the next decision on, and refused whole where it is wrong"
    )
    func orderBooks() throws {
        let option = try place("BTC-27MAR26-70000-C")
        let bids = [OrderLevel(price: 0.024, amount: 7), OrderLevel(price: 0.023, amount: 3)]
        let asks = [OrderLevel(price: 0.028, amount: 4)]
        try hedge.setBook(bids: bids, asks: asks, ofCandidate: option)
        #expect(
            hedge.costs(ofCandidate: option).bids == bids && hedge.costs(ofCandidate: option).asks == asks)
        _ = try hedge.decide()
        let made = hedge.problem.instruments[option]
        #expect(made.maximumBuy == 4 && made.maximumSell == 10)
        #expect(abs(made.costSell - (0.002 + 0.0003) * 60_000) < 1e-9)
        #expect(abs(made.impact - 0.001 * 3 / 100 * 60_000) < 1e-9)
        func refused(_ bids: [OrderLevel], _ asks: [OrderLevel], _ words: String) throws {
            let error = #expect(throws: RiskError.self) {
                try hedge.setBook(bids: bids, asks: asks, ofCandidate: option)
            }
            #expect("\(try #require(error))".contains(words), "\(error as Any)")
        }
        try refused([OrderLevel(price: 0.03, amount: 1)], asks, "crossed market")
        try refused([OrderLevel(price: .nan, amount: 1)], asks, "bids")
        try refused(bids, [asks[0], OrderLevel(price: 0.027, amount: 1)], "best first")
        #expect(hedge.costs(ofCandidate: option).bids == bids)
        try hedge.setBook(bids: [], asks: [], ofCandidate: option)
        _ = try hedge.decide()
        #expect(hedge.problem.instruments[option].maximumBuy == 0)
        let schedule = VenueCosts(rates: [.option: .init(fee: 0.001), .perpetual: .init(fee: 0.002)])
        hedge.setFees(schedule)
        _ = try hedge.decide()
        let perpetual = try place("BTC-PERPETUAL")
        #expect(abs(hedge.problem.instruments[perpetual].costBuy - (5.0 / 60_000 + 0.002)) < 1e-15)
    }

    @Test("Candidates are chosen by class, delta, liquidity and name, at any time")
    func rules() throws {
        func names(_ change: (inout CandidateRule) -> Void) -> [String] {
            var rule = CandidateRule()
            change(&rule)
            hedge.choose(rule)
            return hedge.candidates.map { String($0.instrument.name.dropFirst(4)) }.sorted()
        }
        let all = ["27MAR26", "27MAR26-60000-C", "27MAR26-70000-C", "PERPETUAL"]
        let every = names { _ in }
        #expect(Set(every).isSubset(of: all) && every.contains("PERPETUAL"))
        #expect(names { $0.classes = [.option] } == ["27MAR26-60000-C", "27MAR26-70000-C"])
        #expect(
            names {
                $0.deltas = 0.4...0.6
                $0.classes = [.option, .perpetual]
            } == ["27MAR26-60000-C", "PERPETUAL"])
        #expect(names { $0.names = ["BTC-PERPETUAL"] } == ["PERPETUAL"])
        #expect(!names { $0.excluded = ["BTC-PERPETUAL"] }.contains("PERPETUAL"))
        #expect(names { $0.underlyings = ["ETH"] } == [])
        // 50 of a side are 3 million dollars of bitcoin, and so are 50 of two levels; the perpetual has 2 million.
        #expect(
            names {
                $0.leastDepth = 2_500_000
                $0.classes = [.option, .perpetual]
            } == ["27MAR26-60000-C", "27MAR26-70000-C"])
        #expect(names { $0.mostHalfSpread = 0.0001 }.filter { $0 != "27MAR26" } == ["PERPETUAL"])
        let day = Timestamp(milliseconds: 1_772_500_000_000)
        #expect(names { $0.expiries = day...day } == ["PERPETUAL"])
        _ = names { $0.classes = [.perpetual] }
        #expect(try hedge.decide() == .hedge(.infeasible))
        _ = names { _ in }
        #expect(try hedge.decide() == .hedge(.optimal))
        #expect(hedge.solution.trades.count == hedge.candidates.count)
    }

    @Test("Limits come, change and go by name")
    func limits() throws {
        #expect(hedge.index(ofLimit: "BTC vega") == 1 && hedge.index(ofLimit: "BTC gamma") == nil)
        try hedge.setLimit(.init(underlying: "BTC", greek: ExposureGreek.vega, low: -1e9, high: 1e9))
        try hedge.setLimit(.init(underlying: "BTC", greek: ExposureGreek.netDelta, low: -1e9, high: 1e9))
        #expect(try hedge.decide() == .withinLimits && hedge.limits.count == 2)
        try hedge.setLimit(.init(underlying: "BTC", greek: ExposureGreek.gamma, low: -1, high: 1))
        #expect(try hedge.decide() == .hedge(.optimal) && hedge.problem.bandNames[2] == "BTC gamma")
        #expect(hedge.removeLimit(named: "BTC gamma") && !hedge.removeLimit(named: "BTC gamma"))
        #expect(try hedge.decide() == .withinLimits)
        #expect(throws: RiskError.self) {
            try hedge.setLimit(.init(underlying: "BTC", greek: ExposureGreek.vega, low: 1, high: -1))
        }
        #expect(throws: RiskError.self) {
            try hedge.setLimit(.init(expiry: "2026-03-27", greek: ExposureGreek.vega, low: 0, high: 1))
        }
    }

    @Test("A contract that is listed can be traded once it is added, and one that is settled no more")
    func listing() throws {
        let name = "BTC-3MAR26-60000-C"
        let ticker = Ticker(
            instrument: try Instrument(name: name), timestamp: Timestamp(milliseconds: Int64(Self.time)),
            underlyingPrice: 60_000, underlyingIndex: nil, indexPrice: 60_000, markPrice: 0.01,
            markVolatility: 0.6, openInterest: nil, bids: [OrderLevel(price: 0.009, amount: 100)],
            asks: [OrderLevel(price: 0.011, amount: 100)], published: nil)
        #expect(throws: RiskError.unknownContract(name)) { try hedge.add(ticker) }
        let contract = try risk.list(ticker)
        let version = hedge.layoutVersion
        #expect(try hedge.add(ticker) && hedge.layoutVersion == version + 1)
        #expect(try hedge.decide() == .hedge(.optimal))
        let number = try place(name)
        #expect(hedge.contracts[number] == contract)
        let gammas = hedge.problem.bands[1].entries.map { hedge.problem.entries[$0].instrument }
        #expect(gammas.contains(number))

        // A new book's positions are within the bands of all books.
        try risk.addBook("new")
        try risk.fill(book: "new", contract: contract, quantity: 100)
        hedge.refresh()
        let total = risk.plan.groups.indices.reduce(0) { $0 + risk.exposures[$1, .vega] }
        #expect(abs(hedge.exposure(ofBand: 1, .vega) - total) < 1e-9 * abs(total))

        try risk.advance(to: try #require(ticker.instrument.expiry))
        let settled = try risk.settle(contract, at: 61_000)
        #expect(settled.payments.map(\.book) == ["new"])
        _ = try hedge.decide()
        #expect(!hedge.candidates.contains { $0.instrument.name == name })
        #expect(hedge.solution.trades.count == hedge.candidates.count)
    }

    @Test("A restored desk's hedge has the trades of the one that went on")
    func restart() throws {
        try risk.tick(0, price: 61_500)
        let restored = try LiveRisk(restoring: risk.save(), engine: try GreeksEngine())
        let other = try LiveHedge(restored, book: nil, hedge.limits, BookHedge.Options())
        for candidate in hedge.candidates { #expect(try other.add(candidate.ticker)) }
        #expect(try hedge.decide() == .hedge(.optimal) && other.decide() == .hedge(.optimal))
        #expect(other.solution.trades == hedge.solution.trades)
        for group in risk.plan.groups.indices {
            for greek in ExposureGreek.allCases {
                #expect(restored.exposures[group, greek] == risk.exposures[group, greek])
            }
        }
    }

    @Test("An option whose vega is 0 when candidates are chosen has it at the next decision")
    func coefficientsThatCome() throws {
        let option = try place("BTC-27MAR26-60000-C")
        let contract = hedge.contracts[option]
        try risk.setVolatility(0, ofContract: contract)
        hedge.choose(hedge.rule)
        try risk.setVolatility(0.6, ofContract: contract)
        _ = try hedge.decide()
        let number = try place("BTC-27MAR26-60000-C")
        let coefficient = hedge.problem.bands[1].entries.map { hedge.problem.entries[$0] }
            .first { $0.instrument == number }?.coefficient
        #expect(coefficient == risk.figure(contract, .vega) && coefficient ?? 0 > 10)
    }

    @Test("A desk that is grouped by something else than limits name says so in place of a hedge")
    func missingGroups() throws {
        let own = try LiveHedge(
            risk, book: "a", [.init(book: "a", greek: ExposureGreek.vega, low: -1, high: 1)],
            BookHedge.Options())
        for candidate in hedge.candidates { try own.add(candidate.ticker) }
        #expect(try own.decide() != .withinLimits)
        risk.group(by: [.instrument])
        let error = #expect(throws: HedgeError.self) { try own.decide() }
        #expect("\(try #require(error))".contains("not grouped by book"), "\(error as Any)")
        #expect(try hedge.decide() == .hedge(.optimal))
        risk.group(by: [.book])
        #expect(try own.decide() != .withinLimits)
    }

    @Test("A coin quoted in coins cannot bring its price as dollars by a quote")
    func quotesInCoins() throws {
        var badRows = BadRows(skip: false)
        let rows = [
            "instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price",
            "ETH_BTC,\(Self.time),,,0.04,0.04", "BTC_USDC,\(Self.time),,,60000,60000",
        ]
        let chain = try Chain(Source(name: "chain", text: rows.joined(separator: "\n")), &badRows)
        let table = try PositionTable(
            Source(name: "positions", text: "book,instrument,quantity\na,ETH_BTC,100\n"), &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        let desk = try LiveRisk(valuation.positions, valuation.greeks, engine: try GreeksEngine())
        #expect(abs(desk.exposures[0, .value] - 100 * 0.04 * 60_000) < 1e-6)
        let ticker = try #require(chain.tickers.first)
        let error = #expect(throws: RiskError.self) { try desk.quote(ticker) }
        #expect("\(try #require(error))".contains("BTC, which is no dollar"), "\(error as Any)")
        #expect(abs(desk.exposures[0, .value] - 100 * 0.04 * 60_000) < 1e-6)
    }

    @Test("Levels that are walked cost what filling the trades order by order costs, at the desk's prices")
    func walked() throws {
        let perpetual = try place("BTC-PERPETUAL")
        var rule = CandidateRule()
        rule.names = ["BTC-PERPETUAL"]
        let bids = [OrderLevel(price: 59_990, amount: 30_000), OrderLevel(price: 59_500, amount: 5_000_000)]
        let asks = [OrderLevel(price: 60_010, amount: 30_000), OrderLevel(price: 60_500, amount: 5_000_000)]
        try hedge.setBook(bids: bids, asks: asks, ofCandidate: perpetual)
        hedge.setFees(
            VenueCosts(rates: [.perpetual: .init(fee: 0), .option: .init(fee: 0), .future: .init(fee: 0)]))
        hedge.removeLimit(named: "BTC vega")
        hedge.choose(rule)
        let smooth = try hedge.decide()
        #expect(smooth == .hedge(.optimal))
        hedge.walksLevels = true
        for price in [60_000.0, 66_000] {
            try risk.tick(0, price: price)
            #expect(try hedge.decide() == .hedge(.optimal))
            let trade = try #require(hedge.solution.trades.first)
            #expect(abs(trade) > 60_000)
            // Dollars of price on a dollar, by the desk's price of the perpetual.
            let walk = 30_000 * 10 / price + (abs(trade) - 30_000) * 500 / price
            #expect(abs(hedge.solution.cost.total - walk) < 1e-9 * walk, "\(hedge.solution.cost)")
        }
        hedge.walksLevels = false
        #expect(try hedge.decide() == .hedge(.optimal) && hedge.solution.cost.levels == 0)
    }

    @Test("A search ends by nodes or by its host, and says so")
    func search() throws {
        hedge.search.nodeLimit = 7
        #expect(hedge.search.nodeLimit == 7)
        for candidate in hedge.candidates.indices {
            hedge.setAmount(TradedAmount(step: 0.1), ofCandidate: candidate)
        }
        hedge.isCancelled = { true }
        let decision = try hedge.decide()
        #expect(decision != .withinLimits)
        #expect(decision == .hedge(.budget) || decision == .hedge(.uncertified), "\(decision)")
    }
}
