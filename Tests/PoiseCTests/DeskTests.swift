import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Chains, live desks, hedges and scenarios through C, against the same through Swift.
struct DeskTests {
    @Test(
        "A chain of sources takes their exchange's names, an instrument list's lots, and says what it left out"
    )
    func sources() throws {
        func source(_ text: String, _ exchange: String?) throws -> Handle {
            try Handle(poise_chain_free) { made in
                text.withCString { text in
                    (exchange ?? "").withCString { name in
                        var source = poise_source()
                        source.size = MemoryLayout<poise_source>.stride
                        (source.text, source.length) = (text, strlen(text))
                        source.exchange = exchange == nil ? nil : name
                        return poise_chain_load(&source, 1, made)
                    }
                }
            }
        }
        let text = """
            instrument_name,timestamp,underlying_price,mark_iv,mark_price
            BTC-29MAR24-70000-C,1711102026000,70000,,1500
            BTC-FS-29MAR24_PERP,1711102026000,,,1

            """
        let chain = try source(text, "bybit")
        #expect(poise_chain_count(chain.pointer) == 1 && poise_chain_left_out(chain.pointer) == 1)
        let remarks = (0..<3).map { poise_chain_remark(chain.pointer, $0).map { String(cString: $0) } }
        #expect(remarks[0] == "left out 1 row of combinations and other kinds: BTC-FS-29MAR24_PERP")
        #expect(remarks[1]?.contains("found from the mark price") == true && remarks[2] == nil)
        // Deribit's option of that name is paid in coin, of which 1500 are no price.
        var refused: OpaquePointer?
        #expect(poise_chain_parse(text, strlen(text), nil, &refused) == POISE_ERROR_VALUE)
        #expect(lastError.contains("no volatility gives the mark_price"))
        let list = """
            [{"symbol": "BTC-29MAR24-70000-C", "lotSizeFilter": {"qtyStep": "0.05", "minOrderQty": "0.1"}}]
            """
        let listed = try Handle(poise_chain_free) { made in
            list.withCString { text in
                var source = poise_source()
                source.size = MemoryLayout<poise_source>.stride
                (source.text, source.length) = (text, strlen(text))
                return poise_chain_with_instruments(chain.pointer, &source, made)
            }
        }
        #expect(poise_chain_count(listed.pointer) == 1 && poise_chain_remark(listed.pointer, 0) != nil)
        var unknown = poise_source()
        var made: OpaquePointer?
        #expect(poise_chain_load(&unknown, 1, &made) == POISE_ERROR_SIZE && made == nil)
        #expect(poise_chain_load(&unknown, 0, &made) == POISE_ERROR_COUNT)
    }

    @Test("A desk that ticks, hedges and fills decides as in Swift, with the same bits")
    func live() throws {
        let (engine, chain, positions, limits) = (
            try makeEngine(), try makeChain(), try makePositions(), try makeLimits()
        )
        var options = poise_live_options()
        options.size = MemoryLayout<poise_live_options>.stride
        options.holding_days = 1
        options.funding_rate = 1e-4
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, limits.pointer, &options, $0)
        }
        var own = BookHedge.Options()
        own.holding = HedgeCandidate.Holding(horizon: 1, funding: 1e-4)
        var badRows = BadRows(skip: false)
        let (risk, hedges) = try LiveHedge.all(
            try PositionTable(try Source(path: sample("positions.csv")), &badRows),
            in: try Chain(try Source(path: sample("chain.csv")), &badRows),
            try LimitTable(try Source(path: sample("limits.csv")), &badRows), own, try GreeksEngine(),
            &badRows)

        #expect(poise_live_hedge_count(desk.pointer) == hedges.count)
        #expect(poise_live_group_count(desk.pointer) == risk.plan.groups.count)
        #expect(poise_live_contract_count(desk.pointer) == risk.contracts.count)
        for (slice, expected) in risk.slices.enumerated() {
            #expect(String(cString: try #require(poise_live_slice(desk.pointer, slice))) == expected.name)
            #expect(poise_live_find_slice(desk.pointer, expected.name) == slice)
        }
        #expect(poise_live_find_contract(desk.pointer, risk.contracts[7].name) == 7)
        #expect(poise_live_find_underlying(desk.pointer, "ETH") == 1)
        #expect(poise_live_find_underlying(desk.pointer, "DOGE") == -1)
        let columns = poise_live_grouping_count(desk.pointer)
        #expect(columns == risk.plan.groupings.count)
        #expect(poise_live_grouping(desk.pointer, columns - 1) == Int64(POISE_BY_BOOK.rawValue))
        let book = String(cString: try #require(poise_live_label(desk.pointer, 0, columns - 1)))
        #expect(book == risk.plan.groups[0][columns - 1])

        var generator = SeededGenerator(seed: 4)
        var hedged = 0
        for tick in 0..<60 {
            let price = 64_250 * Double.random(in: 0.99...1.01, using: &generator)
            let time = tick % 7 == 0 ? 1_772_443_900_000 + Int64(tick) * 60_000 : 0
            #expect(poise_live_tick(desk.pointer, 0, price, time) == POISE_OK)
            try risk.tick(0, price: price, at: time == 0 ? nil : Timestamp(milliseconds: time))
            let contract = Int.random(in: 0..<risk.contracts.count, using: &generator)
            let volatility = Double.random(in: 0.4...0.8, using: &generator)
            #expect(poise_live_set_volatility(desk.pointer, contract, volatility) == POISE_OK)
            try risk.setVolatility(volatility, ofContract: contract)
            #expect(poise_live_fill(desk.pointer, book, contract, 0.5) == POISE_OK)
            try risk.fill(book: book, contract: contract, quantity: 0.5)
            for (number, hedge) in hedges.enumerated() {
                var result = poise_hedge_result()
                result.size = MemoryLayout<poise_hedge_result>.stride
                #expect(poise_live_decide(desk.pointer, number, &result) == POISE_OK)
                var trades = [Double](repeating: .nan, count: hedge.candidates.count)
                trades.withUnsafeMutableBufferPointer { trades in
                    _ = poise_live_trades(
                        desk.pointer, number, poise_column(data: trades.baseAddress, stride: 0))
                }
                switch try hedge.decide() {
                case .withinLimits:
                    #expect(result.outcome == POISE_HEDGE_WITHIN_LIMITS)
                    #expect(trades.allSatisfy { $0 == 0 })
                case .hedge(.optimal):
                    #expect(result.outcome == POISE_HEDGE_OPTIMAL)
                    #expect(sameBits(trades, hedge.solution.trades))
                    #expect(result.linear_cost.bitPattern == hedge.solution.cost.linear.bitPattern)
                    #expect(result.gap <= 1e-9)
                    #expect(poise_live_book_trades(desk.pointer, number, book) == POISE_OK)
                    try hedge.book(hedge.solution.trades, in: book)
                    hedged += 1
                case .hedge(let status):
                    #expect(result.outcome != POISE_HEDGE_OPTIMAL, "\(status)")
                    #expect(status != .infeasible || trades.allSatisfy { $0 == 0 })
                }
            }
            for greek in [ExposureGreek.netDelta, .vega] {
                var column = [Double](repeating: 0, count: risk.plan.groups.count)
                column.withUnsafeMutableBufferPointer {
                    _ = poise_live_exposures(
                        desk.pointer, poise_exposure(UInt32(greek.rawValue)),
                        poise_column(data: $0.baseAddress, stride: 0))
                }
                #expect(sameBits(column, column.indices.map { risk.exposures[$0, greek] }))
            }
        }
        #expect(hedged > 0)
    }

    @Test("What a desk refuses leaves the desk as it was")
    func refused() throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, nil, $0)
        }
        let live = desk.pointer
        #expect(poise_live_hedge_count(live) == 0)
        var stale = 9
        for (status, got) in [
            (POISE_ERROR_VALUE, poise_live_tick(live, 0, .nan, 0)),
            (POISE_ERROR_VALUE, poise_live_tick(live, 0, 0, 0)),
            (POISE_ERROR_VALUE, poise_live_tick(live, 0, 60_000, -5)),
            (POISE_ERROR_VALUE, poise_live_tick(live, 0, 60_000, .max)),
            (POISE_ERROR_VALUE, poise_live_tick(live, 0, 60_000, 1_772_443_800)),
            (POISE_ERROR_VALUE, poise_live_advance(live, 1_772_443_800_000_000)),
            (POISE_ERROR_ARGUMENT, poise_live_tick(live, 2, 60_000, 0)),
            (POISE_ERROR_ARGUMENT, poise_live_set_price(live, 1_000, 60_000, 0)),
            (POISE_ERROR_VALUE, poise_live_set_rate(live, 0, 2)),
            (POISE_ERROR_VALUE, poise_live_set_volatility(live, 0, -1)),
            (POISE_ERROR_UNKNOWN_NAME, poise_live_fill(live, "nobody", 0, 1)),
            (POISE_ERROR_VALUE, poise_live_fill(live, "book-01", 0, .infinity)),
            (POISE_ERROR_NULL, poise_live_fill(live, nil, 0, 1)),
            (POISE_ERROR_NULL, poise_live_tick(nil, 0, 60_000, 0)),
            (POISE_ERROR_ARGUMENT, poise_live_decide(live, 0, nil)),
        ] {
            #expect(got == status, "\(lastError)")
        }
        #expect(poise_live_update(live, &stale) == POISE_OK)
        #expect(stale == 0)
    }

    @Test("A chain of columns is the chain of the file")
    func columns() throws {
        var badRows = BadRows(skip: false)
        let chain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let tickers = chain.tickers
        let names = tickers.map(\.instrument.name)
        let indices = tickers.map { $0.underlyingIndex ?? "" }
        let times = tickers.map(\.timestamp.milliseconds)
        func numbers(_ value: (Ticker) -> Double?) -> [Double] { tickers.map { value($0) ?? .nan } }
        let bytes = Array(names.joined().utf8CString)
        let offsets = names.reduce(into: [Int64(0)]) { $0.append($0[$0.count - 1] + Int64($1.utf8.count)) }
        let indexBytes = Array(indices.joined().utf8CString)
        let indexOffsets = indices.reduce(into: [Int32(0)]) {
            $0.append($0[$0.count - 1] + Int32($1.utf8.count))
        }
        let made = try withPointers([
            numbers(\.underlyingPrice), numbers(\.markVolatility), numbers(\.markPrice),
            numbers { $0.interestRate },
            numbers(\.indexPrice), numbers { $0.bids.first?.price }, numbers { $0.bids.first?.amount },
            numbers { $0.asks.first?.price }, numbers { $0.asks.first?.amount },
        ]) { columns in
            try bytes.withUnsafeBufferPointer { bytes in
                try offsets.withUnsafeBufferPointer { offsets in
                    try times.withUnsafeBufferPointer { times in
                        try indexBytes.withUnsafeBufferPointer { indexBytes in
                            try indexOffsets.withUnsafeBufferPointer { indexOffsets in
                                var given = poise_tickers()
                                given.size = MemoryLayout<poise_tickers>.stride
                                given.count = tickers.count
                                given.instrument.bytes = bytes.baseAddress
                                given.instrument.offsets64 = offsets.baseAddress
                                given.underlying_index.bytes = indexBytes.baseAddress
                                given.underlying_index.offsets32 = indexOffsets.baseAddress
                                given.timestamp.data = times.baseAddress
                                given.underlying_price.data = columns[0]
                                given.mark_volatility.data = columns[1]
                                given.mark_price.data = columns[2]
                                given.interest_rate.data = columns[3]
                                given.index_price.data = columns[4]
                                given.bid_price.data = columns[5]
                                given.bid_amount.data = columns[6]
                                given.ask_price.data = columns[7]
                                given.ask_amount.data = columns[8]
                                return try Handle(poise_chain_free) { poise_chain_create(&given, $0) }
                            }
                        }
                    }
                }
            }
        }
        let read = try makeChain()
        #expect(poise_chain_count(made.pointer) == poise_chain_count(read.pointer))
        let (engine, positions) = (try makeEngine(), try makePositions())
        func values(_ chain: Handle) throws -> [Double] {
            let exposures = try Handle(poise_exposures_free) {
                poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, nil, $0)
            }
            var column = [Double](repeating: 0, count: poise_exposures_count(exposures.pointer))
            column.withUnsafeMutableBufferPointer {
                _ = poise_exposures_values(
                    exposures.pointer, POISE_EXPOSURE_VEGA, poise_column(data: $0.baseAddress, stride: 0))
            }
            return column
        }
        #expect(sameBits(try values(made), try values(read)))
    }

    @Test("A hedger of changing numbers, cold and warm, gives the solver's own answers")
    func hedger() throws {
        let hedger = try Handle(poise_hedger_free) { poise_hedger_create(nil, $0) }
        let solver = HedgeSolver()
        var generator = SeededGenerator(seed: 12)
        for round in 0..<40 {
            let count = round < 20 ? 12 : 7
            var problem = HedgeProblem(
                underlyings: ["a", "b"], marginLimit: round % 3 == 0 ? 200 : .infinity)
            var instruments: [poise_hedge_instrument] = []
            for _ in 0..<count {
                let cost = Double.random(in: 0.1...1, using: &generator)
                let impact = Double.random(in: 0.001...0.1, using: &generator)
                let underlying = Int.random(in: 0...1, using: &generator)
                problem.add(
                    "",
                    HedgeInstrument(
                        underlying: underlying, costBuy: cost, costSell: cost, impact: impact,
                        maximumBuy: 100,
                        maximumSell: 80, margin: 1))
                instruments.append(
                    poise_hedge_instrument(
                        underlying: UInt64(underlying), cost_buy: cost, cost_sell: cost, impact: impact,
                        fixed_cost: 0, lot: 0, maximum_buy: 100, maximum_sell: 80, margin: 1, cash: 0))
            }
            var bands: [poise_hedge_band] = []
            var entries: [poise_hedge_entry] = []
            for band in 0..<4 {
                let current = Double.random(in: -60...60, using: &generator)
                let coefficients = (0..<count).map {
                    (instrument: $0, coefficient: Double.random(in: -1...1, using: &generator))
                }
                let isSoft = band == 3
                problem.add(
                    "",
                    isSoft
                        ? HedgeBand(soft: -5, 5, current: current, penalty: 0.5, penaltyQuadratic: 0.1)
                        : HedgeBand(hard: -5, 5, current: current), coefficients: coefficients)
                bands.append(
                    poise_hedge_band(
                        current: current, low: -5, high: 5, penalty: isSoft ? 0.5 : .nan,
                        penalty_quadratic: isSoft ? 0.1 : 0, first_entry: UInt64(entries.count),
                        entry_count: UInt64(count)))
                entries += coefficients.map {
                    poise_hedge_entry(instrument: UInt64($0.instrument), coefficient: $0.coefficient)
                }
            }
            let covariance = [0.04, 0.01, 0.01, 0.09]
            let dollars = [10.0, -20]
            let exposure = (0..<count).map { Double($0) / 10 - 0.4 }
            let aversion = round % 2 == 0 ? 0.01 : 0
            if aversion > 0 {
                problem.risk = HedgeRisk(
                    riskAversion: aversion, covariance: covariance, dollarDelta: dollars, exposure: exposure)
            }
            let isWarm = round % 5 != 0
            try solver.solve(problem, start: isWarm ? .warm : .cold)
            var trades = [Double](repeating: .nan, count: count)
            var prices = [Double](repeating: .nan, count: 4)
            var result = poise_hedge_result()
            result.size = MemoryLayout<poise_hedge_result>.stride
            let status = instruments.withUnsafeBufferPointer { instruments in
                bands.withUnsafeBufferPointer { bands in
                    entries.withUnsafeBufferPointer { entries in
                        withPointers([covariance, dollars, exposure]) { risk in
                            var given = poise_hedge_problem(
                                size: MemoryLayout<poise_hedge_problem>.stride, underlying_count: 2,
                                instrument_count: count, band_count: 4, entry_count: entries.count,
                                instruments: instruments.baseAddress, bands: bands.baseAddress,
                                entries: entries.baseAddress, margin_limit: problem.marginLimit,
                                cash_budget: .infinity, risk_aversion: aversion, covariance: risk[0],
                                dollar_delta: risk[1], exposure: risk[2], minimum_trade: poise_values())
                            return trades.withUnsafeMutableBufferPointer { trades in
                                prices.withUnsafeMutableBufferPointer { prices in
                                    poise_hedger_solve(
                                        hedger.pointer, &given, isWarm ? POISE_HEDGE_WARM : POISE_HEDGE_COLD,
                                        poise_column(data: trades.baseAddress, stride: 0),
                                        poise_column(data: prices.baseAddress, stride: 0), &result)
                                }
                            }
                        }
                    }
                }
            }
            #expect(status == POISE_OK, "\(lastError)")
            let isFeasible = solver.solution.status == .optimal
            #expect(result.outcome == (isFeasible ? POISE_HEDGE_OPTIMAL : POISE_HEDGE_INFEASIBLE))
            #expect(sameBits(trades, isFeasible ? solver.solution.trades : trades.map { _ in 0 }))
            #expect(sameBits(prices, isFeasible ? solver.solution.bandPrices : prices.map { _ in 0 }))
            if isFeasible {
                let cost =
                    result.linear_cost + result.impact_cost + result.fixed_cost + result.penalty_cost
                    + result.risk_cost
                #expect((cost - solver.solution.cost.total).magnitude <= 1e-12 * max(1, cost))
            }
        }
    }

    @Test(
        "Legs, books and chains in a grid have the bits of Swift",
        arguments: [POISE_NUMERAIRE_USD, POISE_NUMERAIRE_COIN])
    func scenarios(_ numeraire: poise_numeraire) throws {
        let own = numeraire == POISE_NUMERAIRE_USD ? Numeraire.usd : .coin
        let text = """
            {"name": "g", "vol_rules": {"up": {"relative": 0.5, "short_term_power": 0.3}, "same": {}},
             "scenarios": [{"spot": [-0.16, 0, 0.16], "vol": ["up", "same"], "days": [0, 1], "dampening": 0.5}]}
            """
        let grid = try Handle(poise_grid_free) { poise_grid_parse(text, text.utf8.count, nil, $0) }
        let swiftGrid = try ScenarioGrid(Source(name: "g", text: text))
        let width = swiftGrid.count
        #expect(poise_grid_count(grid.pointer) == width)
        #expect(String(cString: try #require(poise_grid_title(grid.pointer, 0))) == swiftGrid.title(0))
        let engine = try makeEngine()
        let revaluation = ScenarioRevaluation(swiftGrid, engine: try GreeksEngine())
        for count in [0, 1, 9, 300, 700] {
            var columns = RandomColumns(count, seed: 21)
            columns.rate = columns.rate.map { _ in 0.02 }
            let expected = try revaluation.profits(of: try columns.batch(), in: own)
            var generator = SeededGenerator(seed: 3)
            let quantities = (0..<count).map { _ in Double.random(in: -5...5, using: &generator) }
            let books = (0..<count).map { _ in Int32.random(in: 0..<3, using: &generator) }
            let sums = try revaluation.profits(
                of: try columns.batch(), quantities: quantities, books: books, bookCount: 3, in: own)
            for isStrided in [false, true] {
                var profits = [Double](repeating: .nan, count: (count + 1) * (width + 2))
                var bookProfits = [Double](repeating: .nan, count: 3 * width)
                let rate = 0.02
                try columns.withForm { form in
                    try withUnsafePointer(to: rate) { rate in
                        if isStrided { form.rate = poise_values(data: rate, stride: .min) }
                        let status = profits.withUnsafeMutableBufferPointer {
                            poise_scenario_legs(
                                engine.pointer, grid.pointer, &form, numeraire,
                                poise_rows(data: $0.baseAddress, row_stride: isStrided ? 8 * (width + 2) : 0))
                        }
                        #expect(status == POISE_OK, "\(lastError)")
                        try withPointers([quantities]) { quantities in
                            let status = bookProfits.withUnsafeMutableBufferPointer {
                                poise_scenario_books(
                                    engine.pointer, grid.pointer, &form,
                                    poise_values(data: quantities[0], stride: 0),
                                    books, 3, numeraire, poise_rows(data: $0.baseAddress, row_stride: 0))
                            }
                            try #require(status == POISE_OK, "\(lastError)")
                        }
                    }
                }
                let stride = isStrided ? width + 2 : width
                for row in 0..<count {
                    #expect(sameBits(profits[row * stride..<row * stride + width], expected.row(row)))
                }
                for book in 0..<3 {
                    #expect(sameBits(bookProfits[book * width..<(book + 1) * width], sums.row(book)))
                }
            }
        }
        let (chain, positions) = (try makeChain(), try makePositions())
        var options = poise_exposure_options()
        options.size = MemoryLayout<poise_exposure_options>.stride
        options.numeraire = numeraire
        let profits = try Handle(poise_scenario_profits_free) {
            poise_scenario_profits_create(
                engine.pointer, chain.pointer, positions.pointer, grid.pointer, &options, $0)
        }
        var badRows = BadRows(skip: false)
        let swiftChain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let valuation = try BookValuation(
            try PositionTable(try Source(path: sample("positions.csv")), &badRows), in: swiftChain, &badRows)
        let (groups, expected) = try ChainScenarios(
            valuation.greeks, swiftGrid, market: swiftChain.latestTickers, in: own, engine: try GreeksEngine()
        ).profits(of: valuation.positions, by: [.book, .underlying])
        #expect(poise_scenario_profits_count(profits.pointer) == groups.count)
        var values = [Double](repeating: 0, count: groups.count * width)
        let status = values.withUnsafeMutableBufferPointer {
            poise_scenario_profits_values(profits.pointer, poise_rows(data: $0.baseAddress, row_stride: 0))
        }
        #expect(status == POISE_OK)
        for stride in [8, -8, 8 * (width - 1)] {
            let status = values.withUnsafeMutableBufferPointer {
                poise_scenario_profits_values(
                    profits.pointer, poise_rows(data: $0.baseAddress, row_stride: stride))
            }
            #expect(status == POISE_ERROR_ARGUMENT && lastError.hasPrefix("rows: row_stride \(stride)"))
        }
        for group in groups.indices {
            #expect(sameBits(values[group * width..<(group + 1) * width], expected.row(group)))
            let label = try #require(poise_scenario_profits_label(profits.pointer, group, 0))
            #expect(String(cString: label) == groups[group][0])
        }
    }
}
