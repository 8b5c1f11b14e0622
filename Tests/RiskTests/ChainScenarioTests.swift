import Foundation
import Poise
import TestSupport
import Testing

/// Scenarios of a chain's contracts and of the books that hold them.
struct ChainScenarioTests {
    typealias Desk = LiveRiskTests.Desk

    static func scenarios(
        _ grid: ScenarioGrid, _ numeraire: Numeraire = .usd, at time: Timestamp = Desk.start,
        _ engine: GreeksEngine? = nil
    ) throws -> (desk: Desk, chain: ChainGreeks, scenarios: ChainScenarios) {
        var desk = try Desk()
        desk.time = time
        let chain = try desk.chain()
        let engine = try engine ?? GreeksEngine()
        chain.compute(engine)
        return (
            desk, chain,
            try ChainScenarios(chain, grid, market: chain.tickers, in: numeraire, engine: engine)
        )
    }

    @Test(
        "Each kind of contract gains what its value does when the tickers themselves move",
        arguments: Numeraire.allCases, [nil, ScenarioGrid.HeldPrice.future, .spot])
    func sameAsMovedChain(_ numeraire: Numeraire, _ held: ScenarioGrid.HeldPrice?) throws {
        let grid = try ScenarioTests.grid(days: [0, 3], rates: [0, 0.03], holding: held)
        // The second time is within the half hour in which the delivery price of the first expiry averages in.
        for time in [Desk.start, Timestamp(milliseconds: 1_774_598_400_000 - 600_000)] {
            let (desk, chain, scenarios) = try Self.scenarios(grid, numeraire, at: time)
            let profits = scenarios.profits()
            let engine = scenarios.revaluation.engine
            for (number, scenario) in grid.scenarios.enumerated() where scenario.rule == 0 {
                let later = Timestamp(milliseconds: time.milliseconds + Int64(scenario.days * 86_400_000))
                var move: [Double] = []
                let tickers = chain.tickers.map { ticker -> Ticker in
                    let share = SettlementWindow.remainingShare(at: time, of: ticker.instrument)
                    // With the spot held, what is dated rises with the rate over the time that is left.
                    let years = ticker.instrument.expiry.map { max(0, later.years(until: $0)) } ?? 0
                    let growth = held == .spot ? exp(scenario.rate * years) : 1
                    let factor = (1 + share * scenario.spot) * growth
                    move.append(factor - 1)
                    return Ticker(
                        instrument: ticker.instrument, timestamp: later,
                        underlyingPrice: ticker.underlyingPrice.map { $0 * factor }, underlyingIndex: nil,
                        indexPrice: nil, markPrice: ticker.markPrice.map { $0 * factor },
                        markVolatility: ticker.markVolatility,
                        interestRate: ticker.interestRate + scenario.rate,
                        openInterest: nil, bids: [], asks: [], published: nil)
                }
                var badRows = BadRows(skip: true)
                let moved = try ChainGreeks(tickers, .exposures, &badRows)
                moved.compute(engine)
                let (before, after) = (
                    try #require(chain.greeks[.price]), try #require(moved.greeks[.price])
                )
                var row = 0
                for (contract, instrument) in scenarios.contracts.enumerated() {
                    // Those that have expired in between are not valued by a chain.
                    guard row < moved.tickers.count, moved.tickers[row].instrument == instrument else {
                        continue
                    }
                    let (v0, v1) = (before[contract], after[row])
                    let (f0, f1) = (chain.options.spot[contract], moved.options.spot[row])
                    row += 1
                    let m = move[contract]
                    let expected =
                        switch (instrument.kind, instrument.settlement, numeraire) {
                        case (.option, .inverse, .coin): v1 / f1 - v0 / f0
                        case (.option, _, .coin): (v1 - v0) / f1
                        case (.option, _, .usd): v1 - v0
                        case (.spot, _, .coin): 0.0
                        case (.spot, _, .usd), (_, .linear, .usd): f1 - f0
                        case (_, .linear, .coin): (f1 - f0) / f1
                        case (_, .inverse, .usd): m
                        case (_, .inverse, .coin): 1 / f0 - 1 / f1
                        }
                    let size = numeraire == .usd ? f1 : 1
                    #expect(
                        abs(profits[contract, number] - expected) < 2e-13 * size,
                        "\(instrument.name) \(grid.title(number))")
                }
                #expect(row > 0)
            }
            _ = desk
        }
    }

    /// How far Taylor's sum of the figures is off for all options when everything moves by `size`.
    /// - Parameter order: 1 takes delta, vega, theta and rho, and lets time and rates move, too; 2 adds gamma, vanna
    ///   and volga, and moves price and volatility alone.
    static func taylorError(_ numeraire: Numeraire, order: Int, size: Double) throws -> Double {
        var scenario = ScenarioGrid.Scenario()
        let points = 2 * size
        scenario.spot = 0.01 * size
        scenario.days = order == 1 ? 0.2 * size : 0
        scenario.rate = order == 1 ? 0.01 * size : 0
        let rule = ScenarioTests.rule { $0.parallel = points / 100 }
        let grid = try ScenarioGrid(name: "taylor", rules: [("up", rule)], scenarios: [scenario])
        let (_, chain, scenarios) = try Self.scenarios(grid, numeraire)
        let figures = UnitExposures(count: chain.tickers.count)
        figures.update(from: chain, in: numeraire)
        let profits = scenarios.profits()
        var error = 0.0
        for (contract, instrument) in scenarios.contracts.enumerated() where instrument.isOption {
            // Linear options in coin are converted at the moved price, which their figures leave out.
            guard numeraire == .usd || instrument.settlement == .inverse else { continue }
            func figure(_ greek: ExposureGreek) -> Double { figures[contract, greek] }
            let s = scenario.spot
            let delta = figure(numeraire == .usd ? .delta : .netDelta)
            var sum = delta * s + figure(.vega) * points
            if order == 1 {
                sum += figure(.theta) * scenario.days + figure(.rho) * scenario.rate * 100
            } else {
                // In coin, d(V/F)/dF is net delta over F, so its second derivative has one term more.
                let falling = numeraire == .coin ? delta : 0
                sum += (figure(.gamma) * 100 - falling) * s * s / 2
                sum += figure(.vanna) * points * s
                sum += figure(.volga) * points * points / 2
            }
            let unit = numeraire == .usd ? chain.options.spot[contract] : 1
            error += abs(profits[contract, 0] - sum) / unit
        }
        return error
    }

    /// Taylor's sums of the Greeks come near full revaluation at the order that they should: halve all moves, and the
    /// error of the first order falls by four, that of the second by eight.
    @Test(
        "Taylor sums of the Greeks approach full revaluation at their order",
        arguments: Numeraire.allCases, [1, 2])
    func taylorOrder(_ numeraire: Numeraire, _ order: Int) throws {
        let errors = try (0..<4).map {
            try Self.taylorError(numeraire, order: order, size: pow(2, -Double($0)))
        }
        let measured = (1..<4).map { log2(errors[$0 - 1] / errors[$0]) }
        print("\(numeraire), sums of order \(order): errors fall with powers \(measured)")
        #expect(abs(measured[2] - Double(order + 1)) < 0.1)
    }

    @Test("Sparse sums, matrix products and Float80 agree, and books add up to the firm")
    func books() throws {
        let grid = try ScenarioTests.grid()
        let (desk, _, scenarios) = try Self.scenarios(grid)
        let profits = scenarios.profits()
        func plan(_ by: [Grouping]) -> ExposurePlan {
            ExposurePlan(desk.positions, contracts: scenarios.contracts, by: by)
        }
        let books = plan([.book])
        let sparse = scenarios.profits(of: books, path: .sparse)
        let dense = scenarios.profits(of: books, path: .dense)
        // Many groups, on every instruction set: whole eights and a rest.
        let fine = plan([.book, .underlying, .expiry])
        #expect(fine.groups.count > 16 && fine.groups.count % 8 != 0)
        let finest = scenarios.profits(of: fine, path: .sparse)
        let scale = finest.row(0).indices.map { number in
            (0..<fine.groups.count).reduce(0) { max($0, abs(finest[$1, number])) }
        }
        for set in InstructionSet.supported {
            let (_, _, own) = try Self.scenarios(grid, .usd, at: Desk.start, try GreeksEngine(set))
            let products = own.profits(of: fine, path: .dense)
            let isSame = set != .baseline && scenarios.revaluation.engine.instructionSet != .baseline
            let reference = isSame ? scenarios.profits(of: fine, path: .dense) : finest
            for group in fine.groups.indices {
                for number in 0..<grid.count {
                    #expect(
                        abs(products[group, number] - finest[group, number]) <= (isSame ? 1e-13 : 1e-11)
                            * scale[number])
                    #expect(!isSame || products[group, number] == reference[group, number], "\(set)")
                }
            }
        }
        let firm = scenarios.profits(of: plan([]))
        for number in 0..<grid.count {
            var total = 0.0
            var firmScale = 0.0
            for (row, group) in books.groups.enumerated() {
                var (sum, scale) = (Float80(0), 0.0)
                for position in desk.positions where position.book == group[0] {
                    let contract = scenarios.contracts.firstIndex(of: position.instrument) ?? 0
                    sum += Float80(position.quantity) * Float80(profits[contract, number])
                    scale += abs(position.quantity * profits[contract, number])
                }
                #expect(abs(sparse[row, number] - Double(sum)) <= 1e-14 * scale)
                #expect(abs(dense[row, number] - Double(sum)) <= 1e-14 * scale)
                total += sparse[row, number]
                firmScale += scale
            }
            #expect(abs(total - firm[0, number]) <= 1e-13 * firmScale)
        }
    }

    @Test("Beyond its first and last strike a smile is level", arguments: [-0.2, 0.2])
    func levelWings(_ move: Double) throws {
        // Where the price falls by a fifth all strikes are above what was the last one, and the other way round.
        let volatilities = [0.5, 0.7, 0.9]
        let strikes = [950.0, 1000, 1050]
        let tickers = try zip(strikes, volatilities).map { strike, volatility in
            Ticker(
                instrument: try Instrument(name: "ETH-26JUN26-\(Int(strike))-C"), timestamp: Desk.start,
                underlyingPrice: 1000, underlyingIndex: nil, indexPrice: nil, markPrice: nil,
                markVolatility: volatility, openInterest: nil, bids: [], asks: [], published: nil)
        }
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks(tickers, .exposures, &badRows)
        var scenario = ScenarioGrid.Scenario()
        scenario.stickiness = .moneyness
        scenario.spot = move
        let engine = try GreeksEngine()
        let grid = try ScenarioGrid(name: "wings", rules: [("same", .init())], scenarios: [scenario])
        let profits = try ChainScenarios(chain, grid, market: tickers, engine: engine).profits()
        let wing = move < 0 ? volatilities[2] : volatilities[0]
        let years = chain.options.years
        func prices(_ forward: Double, _ volatility: [Double]) throws -> [Double] {
            let batch = try OptionBatch(
                type: [0, 0, 0], spot: Array(repeating: forward, count: 3), strike: strikes, years: years,
                volatility: volatility, rate: [0, 0, 0], dividend: [0, 0, 0])
            return Array(try #require(engine.greeks(.price, of: batch)[.price]))
        }
        let before = try prices(1000, volatilities)
        let after = try prices(1000 * (1 + move), [wing, wing, wing])
        for row in 0..<3 { #expect(abs(profits[row, 0] - (after[row] - before[row])) < 1e-10, "\(row)") }
    }

    /// Volatilities that stick to moneyness leave the shape of prices as it is: V'(F', K) at the new K/F is on the old
    /// smile; at its knots, exactly.
    @Test(
        "Sticky moneyness leaves the smile as it is over K/F, sticky delta leaves it over delta",
        arguments: [1.0, 4])
    func stickyMoneyness(_ steep: Double) throws {
        // Strikes 5% apart and a move by one of those steps: each option comes to where another was.
        let expiry = "26JUN26"
        let strikes = (0..<9).map { 100 * pow(1.05, Double($0) - 4) }
        let volatilities = (0..<9).map { steep * (0.5 + 0.01 * pow(Double($0) - 3, 2)) }
        let names = strikes.map { "ETH-\(expiry)-\(Int(($0 * 100).rounded()))-C" }
        let exact = strikes.map { ($0 * 100).rounded() }
        let tickers = try zip(names, volatilities).map { name, volatility in
            Ticker(
                instrument: try Instrument(name: name), timestamp: Desk.start, underlyingPrice: 10_000,
                underlyingIndex: nil, indexPrice: nil, markPrice: nil, markVolatility: volatility,
                openInterest: nil, bids: [], asks: [], published: nil)
        }
        var badRows = BadRows(skip: false)
        let chain = try ChainGreeks(tickers, .exposures, &badRows)
        let engine = try GreeksEngine()
        func price(_ k: Int, forward: Double, volatility: Double, years: Double) throws -> Double {
            let batch = try OptionBatch(
                type: [0], spot: [forward], strike: [exact[k]], years: [years], volatility: [volatility],
                rate: [0], dividend: [0])
            return try #require(engine.greeks(.price, of: batch)[.price])[0]
        }
        for stickiness in [ScenarioGrid.Stickiness.moneyness, .delta] {
            for days in [0.0, 20] {
                for target in 2..<6 {
                    var scenario = ScenarioGrid.Scenario()
                    scenario.stickiness = stickiness
                    // Strike 4 comes to the moneyness that strike `target` has.
                    scenario.spot = exact[4] / exact[target] - 1
                    scenario.days = days
                    let grid = try ScenarioGrid(
                        name: "sticky", rules: [("same", .init())], scenarios: [scenario])
                    let scenarios = try ChainScenarios(chain, grid, market: tickers, engine: engine)
                    let profit = scenarios.profits()[4, 0]
                    let years = chain.options.years[4]
                    let now = try price(4, forward: 10_000, volatility: volatilities[4], years: years)
                    let after = profit + now
                    let forward = 10_000 * (1 + scenario.spot)
                    let left = years - days / 365
                    if stickiness == .moneyness || days == 0 {
                        let expected = try price(
                            4, forward: forward, volatility: volatilities[target], years: left)
                        #expect(abs(after - expected) < 1e-10, "\(stickiness) \(target)")
                    } else {
                        // The volatility that the price implies has the delta to which the old smile gives it.
                        let implied = try PriceBatch(
                            type: [0], spot: [forward], strike: [exact[4]], years: [left], price: [after],
                            rate: [0], dividend: [0])
                        let volatility = engine.impliedVolatilities(of: implied).volatility[0]
                        func d1(_ f: Double, _ k: Double, _ v: Double, _ t: Double) -> Double {
                            log(f / k) / (v * t.squareRoot()) + v * t.squareRoot() / 2
                        }
                        let own = d1(forward, exact[4], volatility, left)
                        // The old smile, straight between strikes over k, by bisection.
                        let ks = (0..<9).map { log(exact[$0] / 10_000) }
                        func smile(_ k: Double) -> Double {
                            guard k > ks[0] else { return volatilities[0] }
                            guard k < ks[8] else { return volatilities[8] }
                            let place = (0..<8).last { ks[$0] <= k } ?? 0
                            let part = (k - ks[place]) / (ks[place + 1] - ks[place])
                            return volatilities[place] + part
                                * (volatilities[place + 1] - volatilities[place])
                        }
                        var (below, above) = (-3.0, 3.0)
                        for _ in 0..<200 {
                            let middle = (below + above) / 2
                            let there = d1(1, exp(middle), smile(middle), years)
                            let here = d1(forward, exact[4], smile(middle), left)
                            if there > here { below = middle } else { above = middle }
                        }
                        #expect(
                            abs(volatility - smile(below)) < 1e-9, "\(volatility) against \(smile(below))")
                        #expect(abs(own - d1(1, exp(below), smile(below), years)) < 1e-7)
                    }
                }
            }
        }
    }

    @Test(
        "Twenty books over real chains go through every grid that comes with the project",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"))
    func realChain() throws {
        var badRows = BadRows(skip: false)
        var tickers: [Ticker] = []
        for path in SharedData.chains.map(SharedData.path) {
            tickers += try Chain(try Source(path: path), &badRows).latestTickers
        }
        var generator = SeededGenerator(seed: 7)
        var positions: [PositionTable.Position] = []
        for book in 0..<20 {
            for ticker in tickers where Double.random(in: 0...1, using: &generator) < 0.05 {
                positions.append(
                    .init(
                        book: "book-\(book)", instrument: ticker.instrument,
                        quantity: Double.random(in: -20...20, using: &generator), line: 0))
            }
        }
        let chain = try ChainGreeks(tickers, .exposures, &badRows)
        for name in ["deribit-btc", "desk"] {
            let path = SharedData.packageRoot.appendingPathComponent("Examples/grids/\(name).json").path
            let scenarios = try ChainScenarios(
                chain, try ScenarioGrid(try Source(path: path)), market: tickers, engine: try GreeksEngine())
            let (groups, books) = scenarios.profits(of: positions, by: [.book])
            let firm = scenarios.profits(of: positions, by: []).profits
            #expect(groups.count == 20)
            for number in 0..<scenarios.grid.count {
                let sum = (0..<20).reduce(0) { $0 + books[$1, number] }
                let scale = (0..<20).reduce(0) { $0 + abs(books[$1, number]) }
                #expect(sum.isFinite && abs(sum - firm[0, number]) <= 1e-12 * scale)
            }
        }
    }
}
