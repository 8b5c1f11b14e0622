import Foundation
import Greeks
import Hedging
import Market
import Risk
import Testing

/// From books, a chain and limits to a problem, by hand: perpetuals in dollars, whose delta is what they are worth.
struct BookHedgeTests {
    static let chain = """
        instrument_name,timestamp,underlying_price,mark_iv,mark_price,index_price,bids,asks
        BTC_USDC-PERPETUAL,1772443800000,1000,,1000,1000,"[[999,50]]","[[1001,40]]"
        ETH_USDC-PERPETUAL,1772443800000,100,,100,100,"[[99.5,500]]","[[100.5,500]]"

        """

    static func hedges(
        _ limits: String,
        positions: String = LimitTableTests.positions.replacing("b,BTC_USDC-27MAR26,0.5\n", with: ""),
        chain: String = BookHedgeTests.chain, _ change: (inout BookHedge.Options) -> Void = { _ in }
    ) throws -> [BookHedge] {
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: chain), &badRows)
        let table = try PositionTable(Source(name: "positions.csv", text: positions), &badRows)
        var options = BookHedge.Options()
        change(&options)
        return try BookHedge.all(
            try BookValuation(table, in: chain, &badRows), in: chain, try LimitTableTests.table(limits).0,
            options,
            try GreeksEngine(), &badRows)
    }

    @Test("A problem has a band per limit, exposures by book, and what each candidate adds")
    func problem() throws {
        let hedges = try Self.hedges(
            """
            book,underlying,greek,low,high,penalty,penalty_quadratic
            ,BTC,delta,-100,200,,
            b,*,delta,-5,5,0.25,0.5
            ,*,net_delta,,300,2,
            a,BTC,delta,-1,,,

            """
        ) { $0.cashBudget = 77 }
        #expect(hedges.map(\.book) == [nil, "a", "b"])
        #expect(hedges.map(\.problem.name) == ["all books", "a", "b"])
        let all = hedges[0].problem
        #expect(all.cashBudget == 77 && all.marginLimit == .infinity && all.underlyings == ["BTC", "ETH"])
        #expect(all.instrumentNames == ["BTC_USDC-PERPETUAL", "ETH_USDC-PERPETUAL"])
        #expect(all.instruments.map(\.underlying) == [0, 1])
        #expect(all.bandNames == ["BTC delta", "all net delta"])
        #expect(all.bands.map(\.current) == [2000, 4000])
        #expect(all.bands.map(\.low) == [-100, -.infinity] && all.bands.map(\.high) == [200, 300])
        #expect(all.bands.map(\.isHard) == [true, false] && all.bands[1].penalty == 2)
        #expect(all.bands[1].penaltyQuadratic == 0)
        #expect(all.bands.map { all.entries[$0.entries].map(\.instrument) } == [[0], [0, 1]])
        #expect(all.bands.map { all.entries[$0.entries].map(\.coefficient) } == [[1000], [1000, 100]])
        #expect(hedges[0].exposures == ["a": [3000, 3000], "b": [-1000, 1000]])
        let b = hedges[2].problem
        #expect(
            b.bands.map(\.current) == [1000] && b.bands[0].penalty == 0.25
                && b.bands[0].penaltyQuadratic == 0.5)
        #expect(hedges[2].exposures == ["b": [1000]] && hedges[1].exposures == ["a": [3000]])
        // Half a spread of 2 and of 1, and 5 basis points.
        #expect(
            all.instruments.map(\.costBuy) == [1.5, 0.55] && all.instruments.map(\.costSell) == [1.5, 0.55])
        #expect(
            all.instruments.map(\.maximumBuy) == [40, 500] && all.instruments.map(\.maximumSell) == [50, 500])
        #expect(
            all.instruments.allSatisfy { $0.impact == 0 && $0.cash == 0 && $0.lot == 0 && $0.fixedCost == 0 })
        #expect(hedges[0].amountNotes == nil)
    }

    @Test("Lots are the exchange's, and what is assumed or unknown is said")
    func lots() throws {
        let row = "SOL_USDC-PERPETUAL,1772443800000,50,,50,50,\"[[49,50]]\",\"[[51,40]]\"\n"
        let hedges = try Self.hedges(
            "underlying,greek,low,high\n*,delta,-1,1\n",
            positions: LimitTableTests.positions.replacing(
                "b,BTC_USDC-27MAR26,0.5\n", with: "b,SOL_USDC-PERPETUAL,1\n"),
            chain: Self.chain + row
        ) { $0.usesLots = true }
        #expect(hedges[0].problem.instruments.map(\.lot) == [0.001, 0.01, 0])
        let notes = try #require(hedges[0].amountNotes)
        #expect(!notes.isEmpty && notes.unknown == ["SOL_USDC perpetual"])
        #expect(notes.assumed.map { $0.kind } == ["BTC_USDC perpetual", "ETH_USDC perpetual"])
        #expect(notes.assumed.map { $0.step } == [0.001, 0.01])
        #expect(
            notes.description == """
                lots assumed, for lack of a list of instruments: BTC_USDC perpetual 0.001, ETH_USDC perpetual 0.01; \
                lots unknown, traded in any amount: SOL_USDC perpetual
                """)
    }

    @Test("Costs are split by cause, carry by the side that pays it")
    func costByCause() throws {
        let hedge = try Self.hedges("underlying,greek,low,high\n*,delta,-1,1\n") {
            $0.holding = HedgeCandidate.Holding(horizon: 2, funding: 0.001)
        }[0]
        // Two days of three fundings: 0.6% of 1000 and of 100.
        let cost = hedge.tradingCost([2, -10])
        #expect((cost.spread - (2 * 1 + 10 * 0.5)).magnitude < 1e-12)
        #expect((cost.fee - (2 * 0.5 + 10 * 0.05)).magnitude < 1e-12)
        #expect((cost.carry - (2 * 6 - 10 * 0.6)).magnitude < 1e-12)
        let nothing = hedge.tradingCost([0, 0])
        #expect(nothing.spread == 0 && nothing.fee == 0 && nothing.carry == 0)
        let problem = hedge.problem.cost(trades: [2, -10])
        #expect((problem.linear - cost.spread - cost.fee - cost.carry).magnitude < 1e-12)
    }

    @Test(
        "Shares of books are what their exposure costs at the margin, the dearest first, and add up to the cost"
    )
    func attribution() throws {
        let hedge = try Self.hedges("underlying,greek,low,high\nBTC,delta,0,0\nETH,delta,0,0\n")[0]
        // Two BTC of three less one are sold at 1.5, twenty ETH at 0.55.
        let (shares, rest) = try #require(hedge.attribution())
        let own = ["a": (share: 4.5, alone: 4.5), "b": (share: 11 - 1.5, alone: 11 + 1.5)]
        #expect(shares.map(\.book) == ["b", "a"])
        for share in shares {
            let expected = try #require(own[share.book])
            // Of 256 sizes the first is between nothing and something to hedge.
            #expect((share.cost - expected.share).magnitude < 0.05, "\(share)")
            #expect((try #require(share.alone) - expected.alone).magnitude < 1e-9, "\(share)")
        }
        #expect(rest == 0 && (shares.reduce(0) { $0 + $1.cost } - 14).magnitude < 1e-9)
        // A limit that asks for 1000 whatever the books hold: what that costs without positions is nobody's.
        let needs = try Self.hedges("underlying,greek,low,high\nBTC,delta,4000,5000\nETH,delta,-1e6,1e6\n")[0]
        let (parts, unattributed) = try #require(needs.attribution(steps: 8))
        #expect((unattributed - 6).magnitude < 1e-9)
        // Each BTC held is one less to buy.
        #expect((parts.reduce(0) { $0 + $1.cost } + 3).magnitude < 1e-9)
        #expect(parts.map(\.book) == ["b", "a"] && (parts[0].cost - 1.5).magnitude < 1e-9)
        // Alone it needs what the other brings; forty can be bought.
        #expect((try #require(parts[1].alone) - 1.5).magnitude < 1e-9)
        let unreachable = try Self.hedges("underlying,greek,low,high\nBTC,delta,1e6,\n")[0]
        #expect(unreachable.attribution(steps: 4) == nil)
        // One size is the least: from nothing to all.
        let one = try #require(hedge.attribution(steps: 1)).shares
        for steps in [0, -3, Int.min] {
            #expect(try #require(hedge.attribution(steps: steps)).shares == one, "\(steps)")
        }
    }

    @Test("Equal shares stand by name")
    func equalShares() throws {
        let hedge = try Self.hedges(
            "underlying,greek,low,high\nBTC,delta,0,0\n",
            positions:
                "book,instrument,quantity\nb,BTC_USDC-PERPETUAL,1\na,BTC_USDC-PERPETUAL,1\nc,BTC_USDC-PERPETUAL,2\n"
        )[0]
        let shares = try #require(hedge.attribution(steps: 2)).shares
        #expect(shares.map(\.book) == ["c", "a", "b"])
    }

    @Test(
        "A convex limit gets its planes one by one, until trades keep it, at the least cost",
        arguments: [0.8, 0.75, 0.9])
    func convexLimits(_ level: Double) throws {
        // Of 2000 dollars the worst of ten lose 50%, 40%, 30%; the limit leaves a fifth of that.
        let worst = [0.8: 0.45, 0.75: 1.05 / 2.5, 0.9: 0.5][level] ?? .nan
        var hedge = try Self.hedges(
            "underlying,measure,low,high,grid,level\nBTC,expected_shortfall,,\(400 * worst),ten.json,\(level)\n"
        )[0]
        #expect(hedge.problem.bands.count == 1)
        let solver = HedgeSolver()
        var rounds = 0
        repeat {
            rounds += 1
            #expect(try solver.solve(hedge.problem) == .optimal)
            guard let tighter = hedge.tightened(by: solver.solution.trades) else { break }
            #expect(tighter.problem.bands.count == hedge.problem.bands.count + 1)
            let name = hedge.limits[0].name
            #expect(tighter.problem.bandNames.last == "\(name) (\(tighter.limits.count))")
            #expect(tighter.exposures["a"]?.count == tighter.limits.count)
            hedge = tighter
        } while rounds < 20
        #expect(rounds < 20)
        #expect((solver.solution.trades[0] + 1.6).magnitude < 1e-6)
        #expect(hedge.tightened(by: [-1.6]) == nil && hedge.tightened(by: [-1.59]) != nil)
        // On the other side of 0 other scenarios are the worst: gains of 40%, 30%, 20%.
        #expect(hedge.tightened(by: [-2.5]) == nil && hedge.tightened(by: [-2.7]) != nil)
    }

    @Test("A measure's value, planes and candidates agree: linear limits need no planes")
    func linearLimits() throws {
        let hedge = try Self.hedges(
            "underlying,measure,low,high,grid,scenario\nBTC,scenario_profit,-100,,ten.json,2\n")[0]
        #expect(hedge.problem.bands.count == 1 && (hedge.problem.bands[0].current + 1000).magnitude < 1e-9)
        #expect(
            hedge.problem.entries.count == 1 && (hedge.problem.entries[0].coefficient + 500).magnitude < 1e-9)
        #expect(hedge.tightened(by: [100]) == nil)
    }
}

/// What trading costs by class of contract, and what a candidate makes of it.
struct VenueCostTests {
    static func costs(
        _ rows: String,
        columns: String = "class,fee_rate,fee_cap,half_spread_rate,depth_usd,ticket_usd,minimum_usd"
    )
        throws -> VenueCosts
    {
        var badRows = BadRows(skip: false)
        return try VenueCosts(Source(name: "costs.csv", text: "\(columns)\n\(rows)\n"), &badRows)
    }

    static func ticker(
        _ name: String, mark: Double?, forward: Double? = 50_000, bids: [(Double, Double)] = [],
        asks: [(Double, Double)] = []
    ) throws -> Ticker {
        Ticker(
            instrument: try Instrument(name: name), timestamp: Timestamp(milliseconds: 1_772_443_800_000),
            underlyingPrice: forward, underlyingIndex: nil, indexPrice: nil, markPrice: mark,
            markVolatility: 0.5,
            interestRate: 0, openInterest: nil, bids: bids.map { OrderLevel(price: $0.0, amount: $0.1) },
            asks: asks.map { OrderLevel(price: $0.0, amount: $0.1) }, published: nil)
    }

    @Test(
        "Rates of a table hold whatever the exchange; classes that it leaves out keep the exchange's fee and the usual spread"
    )
    func table() throws {
        let costs = try Self.costs("option,0.01,,,,7,\nperpetual,0.002,0.5,0.003,4000,,250")
        let option = try Instrument(name: "BTC-27MAR26-60000-C")
        let perpetual = try Instrument(name: "BTC-PERPETUAL")
        #expect(costs.rates(of: option) == VenueCosts.Rates(fee: 0.01, ticket: 7))
        #expect(option.isOption && costs.rates(of: option)?.feeCap == .infinity)
        #expect(
            costs.rates(of: perpetual)
                == VenueCosts.Rates(fee: 0.002, feeCap: 0.5, halfSpread: 0.003, depth: 4000, minimum: 250))
        let standard: [(String, VenueCosts.Rates)] = [
            ("BTC-27MAR26-60000-C", .init(fee: 0.0003, feeCap: 0.125)),
            ("BTC-27MAR26", .init(fee: 0.0005, halfSpread: 0.0002, depth: 2_000_000)),
            ("BTC-PERPETUAL", .init(fee: 0.0005, halfSpread: 0.0001, depth: 5_000_000)),
            ("BTC_USDC", .init(fee: 0.001, halfSpread: 0.0002, depth: 1_000_000)),
        ]
        for (name, rates) in standard {
            #expect(VenueCosts.standard.rates(of: try Instrument(name: name)) == rates, "\(name)")
        }
        for (name, rates) in standard[1...1] + standard[3...3] {
            #expect(costs.rates(of: try Instrument(name: name)) == rates, "\(name)")
        }
        let only = VenueCosts(rates: [.spot: .init(fee: 0.5)])
        #expect(only.rates(of: option) == nil)
        #expect(only.rates(of: try Instrument(name: "BTC_USDC"))?.fee == 0.5)
        // Tickets and smallest trades are columns that may be missing.
        let short = try Self.costs(
            "spot,0.1,0.2,0.3,4", columns: "class,fee_rate,fee_cap,half_spread_rate,depth_usd")
        #expect(
            short.rates(of: try Instrument(name: "BTC_USDC"))
                == VenueCosts.Rates(fee: 0.1, feeCap: 0.2, halfSpread: 0.3, depth: 4))
    }

    @Test("Rows that are no costs are refused by line, column, value and reason")
    func refusals() throws {
        for (row, message) in [
            (
                "swap,0,,,,,",
                #"column "class": value "swap": expected one of option, future, perpetual, spot"#
            ),
            ("spot,,,,,,", #"column "fee_rate": value "": is missing"#),
            ("spot,-1,,,,,", #"column "fee_rate": value "-1": must be at least 0 and finite"#),
            ("spot,0,-1,,,,", #"column "fee_cap": value "-1": must be at least 0 and finite"#),
            ("spot,0,,-1,,,", #"column "half_spread_rate": value "-1": must be at least 0 and finite"#),
            ("spot,0,,,-1,,", #"column "depth_usd": value "-1": must be at least 0 and finite"#),
            ("spot,0,,,,-1,", #"column "ticket_usd": value "-1": must be at least 0 and finite"#),
            ("spot,0,,,,,-1", #"column "minimum_usd": value "-1": must be at least 0 and finite"#),
        ] {
            let error = #expect(throws: MarketError.self) { try Self.costs(row) }
            #expect(error.map { "\($0)" } == "costs.csv:2: \(message)")
        }
    }

    @Test("A candidate's figures are per unit in dollars, with an order book or by the assumed one")
    func candidates() throws {
        let costs = try Self.costs(
            "option,0.01,,,,7,500\nperpetual,0.002,0.5,0.003,4000,,250\nspot,0.001,,0.002,3000,,\nfuture,0,,0,0,,"
        )
        func candidate(_ ticker: Ticker, index: Double? = nil) -> HedgeCandidate? {
            HedgeCandidate(ticker, costs, .init(horizon: 2, funding: 0.0001), index: index)
        }
        // No order book: 4000 dollars of a dollar each; a second half spread over all of it.
        let perpetual = try #require(candidate(try Self.ticker("BTC-PERPETUAL", mark: 50_000)))
        #expect(
            perpetual.isAssumed && perpetual.value == 1 && perpetual.minimum == 250 && perpetual.ticket == 0)
        #expect(
            perpetual.halfSpreadBuy == 0.003 && perpetual.halfSpreadSell == 0.003 && perpetual.fee == 0.002)
        #expect(
            perpetual.maximumBuy == 4000 && perpetual.maximumSell == 4000 && perpetual.impact == 0.003 / 4000)
        let spot = try #require(candidate(try Self.ticker("BTC_USDC", mark: 500)))
        #expect(
            spot.value == 500 && spot.halfSpreadBuy == 1 && spot.maximumBuy == 6 && spot.impact == 1 / 6.0)
        #expect(spot.carry == 0 && spot.fee == 0.5)
        // Neither an order book nor a depth; options are never assumed.
        #expect(candidate(try Self.ticker("BTC-27MAR26", mark: 50_000)) == nil)
        #expect(candidate(try Self.ticker("BTC-27MAR26-60000-C", mark: 0.03)) == nil)
        // Inverse: quoted in coin. 3 · 0.001 and 1 · 0.003 beyond the best of four; amounts of 0 are no orders.
        let option = try #require(
            candidate(
                try Self.ticker(
                    "BTC-27MAR26-60000-C", mark: 0.03, bids: [(0.029, 0), (0.028, 1)],
                    asks: [(0.032, 1), (0.033, 2), (0, 5), (0.036, 1)])))
        #expect(!option.isAssumed && option.ticket == 7 && option.value == 1500)
        #expect((option.halfSpreadBuy - 0.002 * 50_000).magnitude < 1e-9)
        #expect((option.impact - (2 * 0.001 + 0.004) * 50_000 / 16).magnitude < 1e-9)
        #expect(option.maximumBuy == 4 && option.maximumSell == 1)
        #expect(option.minimum == 0.01 && option.fee == 500)
        // Linear: quoted in dollars.
        let linear = try #require(
            candidate(try Self.ticker("BTC_USDC-27MAR26-60000-C", mark: 1500, asks: [(1600, 3)])))
        #expect(
            linear.value == 1500 && linear.halfSpreadBuy == 100 && linear.halfSpreadSell == 0
                && linear.impact == 0)
        let bidOnly = try #require(
            candidate(try Self.ticker("BTC_USDC-27MAR26-60000-C", mark: 1500, bids: [(1450, 3)])))
        #expect(bidOnly.halfSpreadSell == 50 && bidOnly.halfSpreadBuy == 0 && bidOnly.maximumBuy == 0)
        // What lags behind the mark is no gain.
        let behind = try #require(
            candidate(try Self.ticker("BTC_USDC-27MAR26-60000-C", mark: 1500, bids: [(1550, 3)])))
        #expect(behind.halfSpreadSell == 0)
        // A worthless option may be traded, a worthless future not; nor what has no mark or a bad one.
        let asks = [(0.001, 1.0)]
        #expect(candidate(try Self.ticker("BTC-27MAR26-60000-C", mark: 0, asks: asks))?.value == 0)
        for mark in [nil, -1, .nan, .infinity] as [Double?] {
            #expect(candidate(try Self.ticker("BTC-27MAR26-60000-C", mark: mark, asks: asks)) == nil)
        }
        #expect(candidate(try Self.ticker("BTC-PERPETUAL", mark: 0)) == nil)
        #expect(
            candidate(try Self.ticker("BTC-27MAR26-60000-C", mark: 0.03, forward: nil, asks: asks)) == nil)
        // Crossed or locked.
        for (bid, isTraded) in [(1599.0, true), (1600, false), (1601, false)] {
            let found = candidate(
                try Self.ticker("BTC_USDC-27MAR26-60000-C", mark: 1500, bids: [(bid, 1)], asks: [(1600, 1)]))
            #expect((found != nil) == isTraded)
        }
        // A future's basis runs to the index, where one is known.
        let future = try Self.ticker("BTC-27MAR26", mark: 51_000, bids: [(50_990, 1)], asks: [(51_010, 1)])
        #expect(candidate(future)?.carry == 0)
        let days = 25 - 1.5 / 24
        let carry = try #require(candidate(future, index: 50_000)).carry
        #expect((carry - (1 - pow(50_000 / 51_000.0, 2 / days))).magnitude < 1e-12)
    }
}
