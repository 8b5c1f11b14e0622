import Foundation
import Poise
import TestSupport
import Testing

/// From contracts to books.
struct ExposureTests {
    struct Setup {
        let valuation: BookValuation
        let engine: GreeksEngine

        init() throws {
            let folder = SharedData.packageRoot.appendingPathComponent("Examples/sample")
            var badRows = BadRows(skip: false)
            let chain = try Chain(try Source(path: folder.appendingPathComponent("chain.csv").path), &badRows)
            let table = try PositionTable(
                try Source(path: folder.appendingPathComponent("positions.csv").path), &badRows)
            engine = try GreeksEngine()
            valuation = try BookValuation(table, in: chain, &badRows)
            valuation.greeks.compute(engine)
        }

        func figures(_ numeraire: Numeraire) -> UnitExposures {
            let figures = UnitExposures(count: valuation.contracts.count)
            figures.update(from: valuation.greeks, in: numeraire)
            return figures
        }

        func exposures(_ groupings: [Grouping], _ numeraire: Numeraire) -> (ExposurePlan, Exposures) {
            let plan = ExposurePlan(valuation.positions, contracts: valuation.contracts, by: groupings)
            let exposures = Exposures(plan)
            plan.aggregate(figures(numeraire), into: exposures, engine)
            return (plan, exposures)
        }
    }

    static func scale(_ setup: Setup, _ figures: UnitExposures, _ greek: ExposureGreek) -> Double {
        setup.valuation.positions.reduce(0) { sum, position in
            let row = setup.valuation.contracts.firstIndex(of: position.instrument) ?? 0
            return sum + abs(position.quantity * figures[row, greek])
        }
    }

    @Test(
        "Whatever the grouping, the groups sum to the firm, and the firm is the sum of its legs",
        arguments: Numeraire.allCases)
    func totals(_ numeraire: Numeraire) throws {
        let setup = try Setup()
        let figures = setup.figures(numeraire)
        let (_, firm) = setup.exposures([], numeraire)
        #expect(firm.count == 1)
        let groupings: [[Grouping]] = [
            [.book], [.underlying], [.book, .underlying], [.underlying, .expiry], [.instrument],
            [.expiry, .book, .instrument],
        ]
        for greek in ExposureGreek.allCases {
            let scale = Self.scale(setup, figures, greek)
            let legs = setup.valuation.positions.reduce(Float80(0)) { sum, position in
                let row = setup.valuation.contracts.firstIndex(of: position.instrument) ?? 0
                return sum + Float80(position.quantity) * Float80(figures[row, greek])
            }
            #expect(abs(firm[0, greek] - Double(legs)) <= 1e-14 * scale, "\(greek)")
            for grouping in groupings {
                let (plan, exposures) = setup.exposures(grouping, numeraire)
                let sum = (0..<plan.groups.count).reduce(0) { $0 + exposures[$1, greek] }
                #expect(abs(sum - firm[0, greek]) <= 1e-14 * scale, "\(greek) by \(grouping)")
            }
        }
    }

    @Test("A dense matrix gives the same exposures, and the order of the positions does not matter")
    func otherWays() throws {
        let setup = try Setup()
        let figures = setup.figures(.usd)
        let (plan, exposures) = setup.exposures([.book, .underlying], .usd)
        let densePlan = ExposurePlan(
            setup.valuation.positions, contracts: setup.valuation.contracts, by: [.book, .underlying],
            path: .dense)
        #expect(plan.path == .sparse && densePlan.path == .dense)
        let dense = Exposures(densePlan)
        densePlan.aggregate(figures, into: dense, setup.engine)
        let reversed = ExposurePlan(
            setup.valuation.positions.reversed(), contracts: setup.valuation.contracts,
            by: [.book, .underlying])
        let others = Exposures(reversed)
        reversed.aggregate(figures, into: others, setup.engine)
        #expect(plan.groups == reversed.groups && plan.groups.count == 26 && plan.legCount == 520)
        for greek in ExposureGreek.allCases {
            let scale = Self.scale(setup, figures, greek)
            for group in plan.groups.indices {
                #expect(abs(dense[group, greek] - exposures[group, greek]) <= 1e-14 * scale)
                #expect(abs(others[group, greek] - exposures[group, greek]) <= 1e-14 * scale)
            }
        }
    }

    /// Books that hold all contracts are summed as a matrix; parts of it give the bits of the whole.
    @Test("Dense books are summed as a matrix product whose parts have the bits of the whole")
    func denseBooks() throws {
        let setup = try Setup()
        let figures = setup.figures(.usd)
        var generator = SeededGenerator(seed: 4)
        let positions = (0..<11).flatMap { book in
            setup.valuation.contracts.map {
                PositionTable.Position(
                    book: "book-\(book + 10)", instrument: $0,
                    quantity: Double.random(in: -5...5, using: &generator), line: 0)
            }
        }
        let plan = ExposurePlan(positions, contracts: setup.valuation.contracts, by: [.book])
        func bits(_ exposures: Exposures) -> [UInt64] {
            (0..<11).flatMap { group in ExposureGreek.allCases.map { exposures[group, $0].bitPattern } }
        }
        #expect(plan.path == .dense)
        let whole = Exposures(plan)
        plan.aggregate(figures, into: whole, setup.engine)
        for group in [0, 5, 10] {
            for greek in ExposureGreek.allCases {
                let sum = setup.valuation.contracts.indices.reduce(Float80(0)) {
                    let quantity = positions[group * setup.valuation.contracts.count + $1].quantity
                    return $0 + Float80(quantity) * Float80(figures[$1, greek])
                }
                let scale = Self.scale(setup, figures, greek)
                #expect(abs(whole[group, greek] - Double(sum)) <= 1e-13 * scale, "\(greek)")
            }
        }
        let parts = Exposures(plan)
        for part in [0..<1, 1..<9, 9..<11] {
            plan.aggregate(figures, groups: part, into: parts, setup.engine)
        }
        #expect(bits(parts) == bits(whole))
        for set in InstructionSet.supported
        where set != .baseline && setup.engine.instructionSet != .baseline {
            let other = Exposures(plan)
            plan.aggregate(figures, into: other, try GreeksEngine(set))
            #expect(bits(other) == bits(whole), "\(set)")
        }
    }

    @Test("A tenor on an edge belongs to the bucket below it, a moneyness on an edge to the one above")
    func bucketEdges() throws {
        // 30 days to the second before 2026-03-27, 08:00, and a day on either side of it.
        let names = [
            "BTC-26MAR26-80000-C", "BTC-27MAR26-95000-C", "BTC-28MAR26-94999-C", "BTC-28MAR26-125000-C",
        ]
        let instruments = try names.map { try Instrument(name: $0) }
        let time = Timestamp(milliseconds: 1_774_598_400_000 - 30 * 86_400_000)
        let tickers = instruments.map {
            Ticker(
                instrument: $0, timestamp: time, underlyingPrice: 100_000, underlyingIndex: nil,
                indexPrice: nil, markPrice: nil, markVolatility: 0.5, openInterest: nil, bids: [], asks: [],
                published: nil)
        }
        let positions = instruments.map {
            PositionTable.Position(book: "a", instrument: $0, quantity: 1, line: 0)
        }
        let plan = ExposurePlan(
            positions, contracts: instruments, by: [.instrument, .tenor, .moneyness],
            try ExposureBuckets(tickers))
        #expect(
            plan.groups == [
                [names[0], "7–30 d", "0.8–0.95 K/F"], [names[1], "7–30 d", "0.95–1.05 K/F"],
                [names[2], "30–90 d", "0.8–0.95 K/F"], [names[3], "30–90 d", "≥ 1.25 K/F"],
            ])
    }

    @Test("Exposures have the same bits on every instruction set")
    func sameBits() throws {
        let setup = try Setup()
        let figures = setup.figures(.usd)
        let (plan, exposures) = setup.exposures([.book, .expiry], .usd)
        for set in InstructionSet.supported {
            let others = Exposures(plan)
            plan.aggregate(figures, into: others, try GreeksEngine(set))
            for group in plan.groups.indices {
                for greek in ExposureGreek.allCases {
                    #expect(
                        others[group, greek].bitPattern == exposures[group, greek].bitPattern,
                        "\(set) \(greek)")
                }
            }
        }
    }

    /// Every contract's figures are what the value and the net delta do when price, volatility and time
    /// move: difference quotients of revaluations.
    @Test("Every contract's figures are difference quotients of its revaluations")
    func derivatives() throws {
        let setup = try Setup()
        let inverse = setup.valuation.greeks.tickers.filter { $0.instrument.isOption }.prefix(40)
        // The same contracts settled in stablecoin.
        let linear = try inverse.map { ticker in
            try ExchangeTests.ticker(
                ticker.instrument.name.replacingOccurrences(
                    of: "-", with: "_USDC-", options: [], range: ticker.instrument.name.range(of: "-")),
                at: ticker.timestamp.milliseconds, price: try #require(ticker.underlyingPrice),
                volatility: try #require(ticker.markVolatility) * 100)
        }
        for ticker in Array(inverse) + linear {
            let forward = try #require(ticker.underlyingPrice)
            let volatility = try #require(ticker.markVolatility) * 100
            func figures(_ numeraire: Numeraire, forward: Double, volatility: Double, milliseconds: Int64)
                throws -> UnitExposures
            {
                let moved = try ExchangeTests.ticker(
                    ticker.instrument.name, at: milliseconds, price: forward, volatility: volatility)
                var badRows = BadRows(skip: false)
                let chain = try ChainGreeks([moved], .exposures, &badRows)
                chain.compute(setup.engine)
                let figures = UnitExposures(count: 1)
                figures.update(from: chain, in: numeraire)
                return figures
            }
            let now = ticker.timestamp.milliseconds
            for numeraire in Numeraire.allCases {
                let here = try figures(numeraire, forward: forward, volatility: volatility, milliseconds: now)
                func slope(
                    _ greek: ExposureGreek, price: Double = 0, points: Double = 0, milliseconds: Int64 = 0
                ) throws -> Double {
                    let up = try figures(
                        numeraire, forward: forward * (1 + price), volatility: volatility + points,
                        milliseconds: now + milliseconds)
                    let down = try figures(
                        numeraire, forward: forward * (1 - price), volatility: volatility - points,
                        milliseconds: now - milliseconds)
                    return (up[0, greek] - down[0, greek]) / 2
                }
                func expect(_ value: Double, _ truth: Double, _ scale: Double, _ what: String) {
                    #expect(
                        abs(value - truth) <= 1e-4 * scale,
                        "\(ticker.instrument.name) \(numeraire) \(what): \(value), slope \(truth)")
                }
                let coins = numeraire == .usd ? forward : 1
                let percent = 1e-4
                let minutes: Int64 = 1_000
                let days = Double(minutes) / 86_400_000
                // What the value does.
                expect(
                    numeraire == .usd ? here[0, .delta] : here[0, .netDelta],
                    try slope(.value, price: 1e-5) / 1e-5
                        + (numeraire == .coin && ticker.instrument.settlement == .linear
                            ? here[0, .value] : 0),
                    coins, "delta")
                expect(here[0, .vega], try slope(.value, points: 0.01) / 0.01, coins * 0.001, "vega")
                expect(
                    here[0, .theta], try slope(.value, milliseconds: minutes) / days, coins * 0.01, "theta")
                // What the net delta does: in dollars, with its dollars per coin held.
                let isInverse = ticker.instrument.settlement == .inverse
                let deltaName: ExposureGreek = numeraire == .usd ? .delta : .netDelta
                let gamma =
                    try slope(deltaName, price: percent) / percent / 100
                    - (numeraire == .usd ? here[0, .delta] / 100 : 0)
                expect(here[0, .gamma], gamma, coins * 0.1, "gamma, inverse \(isInverse)")
                expect(here[0, .vanna], try slope(deltaName, points: 0.01) / 0.01, coins * 0.01, "vanna")
                expect(
                    here[0, .charm], try slope(deltaName, milliseconds: minutes) / days, coins * 0.1, "charm")
                expect(here[0, .volga], try slope(.vega, points: 0.01) / 0.01, coins * 0.0001, "volga")
            }
        }
    }

    @Test("Futures, perpetuals and coins of both settlements have their exposures in closed form")
    func deltaOne() throws {
        let text = """
            instrument_name,timestamp,underlying_price,mark_iv,mark_price
            BTC-PERPETUAL,1772443800000,,,50000
            BTC_USDC-PERPETUAL,1772443800000,,,50000
            BTC_USDC,1772443800000,,,50000
            """
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "c", text: text), &badRows)
        let positions = try PositionTable(
            Source(
                name: "p",
                text:
                    "book,instrument,quantity\na,BTC-PERPETUAL,-100000\nb,BTC_USDC-PERPETUAL,2\nc,BTC_USDC,2\n"
            ),
            &badRows)
        let valuation = try BookValuation(positions, in: chain, &badRows)
        valuation.greeks.compute(try GreeksEngine())
        for numeraire in Numeraire.allCases {
            let figures = UnitExposures(count: 3)
            figures.update(from: valuation.greeks, in: numeraire)
            let plan = ExposurePlan(valuation.positions, contracts: valuation.contracts, by: [.book])
            let exposures = Exposures(plan)
            plan.aggregate(figures, into: exposures, try GreeksEngine())
            let coin = numeraire == .usd ? 50_000.0 : 1
            for (group, coins) in [-2.0, 2, 2].enumerated() {
                #expect(abs(exposures[group, .delta] - coins * coin) < 1e-9)
                #expect(abs(exposures[group, .netDelta] - coins * coin) < 1e-9)
                #expect(exposures[group, .vega] == 0 && exposures[group, .theta] == 0)
            }
            #expect(
                exposures[0, .value] == 0 && exposures[1, .value] == 0 && exposures[2, .value] == 2 * coin)
            // A dollar of an inverse contract buys fewer coins as the price rises.
            #expect(abs(exposures[0, .gamma] - (numeraire == .usd ? 0 : 0.02)) < 1e-12)
        }
    }

    @Test("An unlisted future has the price that its options name, and what has none is named")
    func missingInstruments() throws {
        let text = """
            instrument_name,timestamp,underlying_price,underlying_index,mark_iv,mark_price,index_price
            BTC-26JUN26-70000-C,1772443800000,65402.5,BTC-26JUN26,51.4,0.08,64250
            """
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: text), &badRows)
        let names = [
            "BTC-26JUN26-70000-C", "BTC-26JUN26", "BTC-PERPETUAL", "BTC-26JUN26-80000-C", "ETH-PERPETUAL",
        ]
        let rows = names.map { "b,\($0),1" }.joined(separator: "\n")
        let positions = try PositionTable(
            Source(name: "p.csv", text: "book,instrument,quantity\n\(rows)"), &badRows)
        #expect(
            throws: MarketError.unknownName(
                .line(file: "p.csv", 5), column: "instrument", value: "BTC-26JUN26-80000-C",
                reason: "has no price in chain.csv")
        ) { try BookValuation(positions, in: chain, &badRows) }
        var skipping = BadRows(skip: true)
        let valuation = try BookValuation(positions, in: chain, &skipping)
        #expect(skipping.skipped.count == 2 && valuation.positions.count == 3)
        #expect(valuation.greeks.options.spot == [65_402.5, 65_402.5, 64_250])
    }

    @Test("Values that the formulas do not accept name the chain's line and column")
    func unpriceable() throws {
        let text = """
            instrument_name,timestamp,underlying_price,mark_iv,mark_price
            BTC-26JUN26-70000-C,1772443800000,65402.5,51.4,0.08
            BTC-26JUN26-80000-C,1772443800000,1e200,51.4,0.08
            """
        var badRows = BadRows(skip: false)
        let chain = try Chain(Source(name: "chain.csv", text: text), &badRows)
        do {
            _ = try ChainGreeks(chain.tickers, .all, &badRows)
            Issue.record("a price of 1e200 was accepted")
        } catch {
            guard case .invalidValue(.line("chain.csv", 3), "underlying_price", "1e+200", _) = error else {
                Issue.record("\(error)")
                return
            }
        }
        var skipping = BadRows(skip: true)
        #expect(try ChainGreeks(chain.tickers, .all, &skipping).tickers.count == 1)
        #expect(skipping.skipped.count == 1)
    }

    /// Products of ten and of twelve figures, beside sums of 64 bits; columns behind them are 0. The same bits on AVX2
    /// and AVX-512.
    @Test(
        "Products of ten and twelve figures agree with sums of 64 bits, the same on AVX2 and AVX-512",
        arguments: [10, 12]) func figureProducts(_ figures: Int) throws
    {
        let (rows, groups) = (301, 24)
        let contracts = ScenarioMatrix(rowCount: rows, scenarioCount: 16)
        var random = SeededGenerator(seed: 11)
        for place in 0..<rows * 16 { contracts.base[place] = Double.random(in: -1...1, using: &random) }
        let weights = (0..<rows * groups).map { _ in Double.random(in: -9...9, using: &random) }
        var known: [Double]?
        for set in InstructionSet.supported {
            let sums = ScenarioMatrix(rowCount: groups, scenarioCount: 16)
            sums.base.update(repeating: 7, count: groups * 16)
            try GreeksEngine(set).kernel.exposureProducts(
                rows: contracts.base, rowCount: rows, weights: weights, groupEights: groups / 8,
                width: figures, into: sums.base)
            for group in 0..<groups {
                for figure in 0..<16 {
                    var (sum, scale) = (Float80(0), 0.0)
                    for row in 0..<rows where figure < figures {
                        let weight = weights[(group / 8 * rows + row) * 8 + group % 8]
                        sum += Float80(weight) * Float80(contracts[row, figure])
                        scale += abs(weight * contracts[row, figure])
                    }
                    #expect(abs(sums[group, figure] - Double(sum)) <= 1e-15 * scale, "\(set)")
                }
            }
            guard set != .baseline else { continue }
            let own = (0..<groups).flatMap { sums.row($0) }
            #expect(own == known ?? own)
            known = own
        }
    }
}
