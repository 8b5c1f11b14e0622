import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Margins through C: against accounts by hand, and against Swift to the bit.
struct MarginTests {
    private static func path(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples/margin/\(name)").path
    }

    private static func model(_ name: String) throws -> Handle {
        try Handle(poise_margin_model_free) { poise_margin_model_read(path(name), $0) }
    }

    private static func account(_ name: String) throws -> Handle {
        try Handle(poise_margin_account_free) { poise_margin_account_read(path(name), $0) }
    }

    /// The sample's bitcoins under a model in coin.
    private static func sampleMargin(cash: Double? = nil) throws -> OpaquePointer {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let model = try model("deribit-pm-btc.json")
        let account =
            try cash.map { try MarginDesk.account("currency = \"BTC\"\ncash = \($0)\n") }
            ?? account("account-btc.toml")
        return try Handle(poise_margin_free) {
            poise_margin_create(
                engine.pointer, chain.pointer, positions.pointer, account.pointer, model.pointer, "BTC", $0)
        }.pointer
    }

    @Test("A model's facts are those of its file, an account's currency its own")
    func facts() throws {
        let model = try MarginDesk.model(MarginDesk.rates)
        let facts = (0...5).map { number in
            poise_margin_model_fact(model.pointer, poise_margin_fact(UInt32(number))).map {
                String(cString: $0)
            }
        }
        #expect(facts == ["r", "v", "s", "2026-01-31", "rates", nil])
        #expect(
            poise_margin_model_omitted(model.pointer, 0).map { String(cString: $0) } == "what is not public")
        #expect(poise_margin_model_omitted(model.pointer, 1) == nil)
        let account = try MarginDesk.account("currency = \"BTC\"\ncash = 1\n")
        #expect(poise_margin_account_currency(account.pointer).map { String(cString: $0) } == "BTC")
    }

    @Test("What a file may not have is refused with its line, field and value")
    func refusals() throws {
        var made: OpaquePointer? = OpaquePointer(bitPattern: 8)
        let dateless = MarginDesk.rates.replacing("2026-01-31", with: "lately")
        #expect(poise_margin_model_parse(dateless, dateless.utf8.count, "m", &made) == POISE_ERROR_VALUE)
        #expect(made == nil && lastField == "date" && LastError.now.place == "m" && LastError.now.row == 1)
        let negative = "currency = \"USD\"\ncash = 1\n[[collateral]]\nasset = \"ETH\"\nquantity = -1\n"
        #expect(
            poise_margin_account_parse(negative, negative.utf8.count, "a", &made) == POISE_ERROR_VALUE)
        #expect(lastField == "collateral[0].quantity" && LastError.now.row == 5, "\(lastError)")
        #expect(poise_margin_model_read("/nowhere", &made) == POISE_ERROR_SYSTEM)
        #expect(poise_margin_account_read("/nowhere", &made) == POISE_ERROR_SYSTEM)
        #expect(poise_margin_cases_read("/nowhere", &made) == POISE_ERROR_SYSTEM)
    }

    @Test("An account that does not fit its model, and an underlying that nobody holds, are refused")
    func misfits() throws {
        var desk = MarginDesk()
        desk.account = "currency = \"BTC\"\ncash = 1\n"
        try #expect(desk.refused() == POISE_ERROR_VALUE)
        #expect(lastField == "currency")
        desk = MarginDesk()
        desk.underlying = "ETH"
        try #expect(desk.refused() == POISE_ERROR_UNKNOWN_NAME)
        #expect(LastError.now.text == "ETH")
        desk.underlying = "BTC"
        try #expect(MarginDesk.totals(desk.made()).initial_margin == 18_000)
    }

    @Test("The sample's figures and tables are Swift's to the bit, and its parts add up")
    func bits() throws {
        let margin = try Self.sampleMargin()
        let engine = try GreeksEngine()
        var badRows = BadRows(skip: false)
        let chain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let table = try PositionTable(try Source(path: sample("positions.csv")), &badRows)
        let model = try MarginModel(try Source(path: Self.path("deribit-pm-btc.json")))
        let file = try MarginAccountFile(try Source(path: Self.path("account-btc.toml")))
        let book = try MarginBook(
            table, candidates: nil, in: chain, file, model, underlying: "BTC", &badRows)
        let own = try model.requirement(of: book.account, in: book.market, engine)
        let found = try MarginDesk.totals(margin)
        #expect(
            sameBits(
                [
                    found.initial_margin, found.maintenance_margin, found.mark_to_market,
                    found.initial_balance, found.maintenance_balance,
                ],
                [
                    own.initialMargin, own.maintenanceMargin, own.markToMarket, own.initialBalance,
                    own.maintenanceBalance,
                ]))
        #expect(Int(found.worst_scenario) == own.worst)
        let initial = try MarginDesk.amounts(margin, POISE_MARGIN_PARTS, POISE_MARGIN_INITIAL)
        #expect(isNear(initial.reduce(0, +), found.initial_margin, 1e-9))
        func compare(
            _ table: poise_margin_table, _ texts: [(poise_margin_label, [String])],
            _ amounts: [(poise_margin_amount, [Double])]
        ) throws {
            for (label, wanted) in texts {
                #expect(MarginDesk.texts(margin, table, label) == wanted, "\(table)")
            }
            for (amount, wanted) in amounts {
                try #expect(sameBits(MarginDesk.amounts(margin, table, amount), wanted), "\(table)")
            }
        }
        try compare(
            POISE_MARGIN_PARTS, [(POISE_MARGIN_NAME, own.parts.map(\.name))],
            [
                (POISE_MARGIN_MAINTENANCE, own.parts.map(\.maintenance)),
                (POISE_MARGIN_INITIAL, own.parts.map(\.initial)),
            ])
        #expect(own.losses.count == 35)
        try compare(
            POISE_MARGIN_SCENARIOS,
            [
                (POISE_MARGIN_NAME, own.losses.map(\.key)), (POISE_MARGIN_TITLE, own.losses.map(\.title)),
            ], [(POISE_MARGIN_AMOUNT, own.losses.map(\.loss))])
        try compare(
            POISE_MARGIN_EXPIRIES,
            [
                (POISE_MARGIN_UNDERLYING, own.byExpiry.map(\.underlying)),
                (POISE_MARGIN_EXPIRY, own.byExpiry.map(\.expiry)),
            ],
            [
                (POISE_MARGIN_MAINTENANCE, own.byExpiry.map(\.maintenance)),
                (POISE_MARGIN_INITIAL, own.byExpiry.map(\.initial)),
            ])
        try compare(
            POISE_MARGIN_CONTRACTS,
            [
                (POISE_MARGIN_NAME, own.byContract.map(\.contract)),
                (POISE_MARGIN_UNDERLYING, own.byContract.map(\.underlying)),
                (POISE_MARGIN_EXPIRY, own.byContract.map(\.expiry)),
            ],
            [
                (POISE_MARGIN_QUANTITY, own.byContract.map(\.quantity)),
                (POISE_MARGIN_MAINTENANCE, own.byContract.map(\.maintenance)),
                (POISE_MARGIN_INITIAL, own.byContract.map(\.initial)),
            ])
        try compare(
            POISE_MARGIN_FIGURES, [(POISE_MARGIN_NAME, own.figures.map(\.name))],
            [(POISE_MARGIN_AMOUNT, own.figures.map(\.value))])
        for (table, vectors) in [
            (POISE_MARGIN_VECTORS, own.vectors), (POISE_MARGIN_CONTRACT_VECTORS, own.contractVectors),
        ] {
            #expect(!vectors.isEmpty)
            try compare(
                table,
                [
                    (
                        POISE_MARGIN_NAME,
                        vectors.flatMap { v in (v.standard + v.extended).map { _ in v.name } }
                    ),
                    (
                        POISE_MARGIN_TITLE,
                        vectors.flatMap { v in
                            v.standard.map { _ in "standard" } + v.extended.map { _ in "extended" }
                        }
                    ),
                ], [(POISE_MARGIN_AMOUNT, vectors.flatMap { $0.standard + $0.extended })])
        }
        let spot = book.market.underlyings[0].spot
        #expect(poise_margin_index(margin, 0) == spot && poise_margin_index(margin, 1).isNaN)
    }

    @Test("Liquidation prices of the sample, short of coins, are Swift's to the bit")
    func sampleLiquidation() throws {
        let margin = try Self.sampleMargin(cash: 3)
        var badRows = BadRows(skip: false)
        let chain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let table = try PositionTable(try Source(path: sample("positions.csv")), &badRows)
        let model = try MarginModel(try Source(path: Self.path("deribit-pm-btc.json")))
        let file = try MarginAccountFile(
            Source(name: "account", bytes: Array("currency = \"BTC\"\ncash = 3\n".utf8)))
        let book = try MarginBook(
            table, candidates: nil, in: chain, file, model, underlying: "BTC", &badRows)
        let spot = book.market.underlyings[0].spot
        // As the command has it.
        let roots = try model.liquidationPrices(
            of: book.account, in: book.market, underlying: 0, within: 0.1 * spot...10 * spot, points: 400,
            try GreeksEngine())
        let prices = try MarginDesk.liquidation(margin, 0)
        #expect(!roots.isEmpty && sameBits(prices, roots))
    }

    @Test("Tables have what the header says of each, and nothing else")
    func tables() throws {
        let margin = try MarginDesk().made()
        let counts = (0...7).map { poise_margin_count(margin, poise_margin_table(UInt32($0))) }
        #expect(counts[0] == 1 && counts[1] == 0 && counts[3] == 1 && counts[7] == 0)
        #expect(MarginDesk.texts(margin, POISE_MARGIN_CONTRACTS, POISE_MARGIN_NAME) == ["BTC_USDC-PERPETUAL"])
        try #expect(MarginDesk.amounts(margin, POISE_MARGIN_CONTRACTS, POISE_MARGIN_QUANTITY) == [3])
        #expect(MarginDesk.texts(margin, POISE_MARGIN_PARTS, POISE_MARGIN_TITLE) == [nil])
        #expect(poise_margin_text(margin, POISE_MARGIN_PARTS, 1, POISE_MARGIN_NAME) == nil)
        for (table, amount) in [(0, 2), (0, 4), (1, 0), (3, 2), (7, 0)] as [(UInt32, UInt32)] {
            #expect(
                poise_margin_amounts(
                    margin, poise_margin_table(table), poise_margin_amount(amount), poise_column())
                    == POISE_ERROR_ARGUMENT, "\(table), \(amount)")
        }
        #expect(
            poise_margin_amounts(margin, POISE_MARGIN_PARTS, POISE_MARGIN_INITIAL, poise_column())
                == POISE_ERROR_NULL)
    }

    @Test("A price or multiple at which nothing is left of maintenance, by hand")
    func liquidation() throws {
        let margin = try MarginDesk().made()
        // 20,000 + 3 (P − 60,000) = 0.05 · 3 P.
        let price = 160_000 / 2.85
        let found = try MarginDesk.liquidation(margin, 0)
        #expect(found.count == 1 && isNear(found[0], price, 1e-11))
        let multiples = try MarginDesk.liquidation(margin, Int64(POISE_MARGIN_ALL_UNDERLYINGS))
        #expect(multiples.count == 1 && isNear(multiples[0], price / 60_000, 1e-11))
        try #expect(MarginDesk.liquidation(margin, 0, 0.95, 2) == [])
        var count = 0
        #expect(
            poise_margin_liquidation(margin, 0, 0, 0, poise_column(), 0, &count) == POISE_OK && count == 1)
        for (underlying, low, high) in [(1, 0.0, 0.0), (-2, 0, 0), (0, 2, 3), (0, 0.5, 0.9), (0, 0.5, .nan)]
            as [(Int64, Double, Double)]
        {
            #expect(
                poise_margin_liquidation(margin, underlying, low, high, poise_column(), 0, &count)
                    == POISE_ERROR_ARGUMENT)
        }
    }

    @Test("Two coins that fall together are liquidated by a smaller fall than either alone")
    func together() throws {
        let text = """
            [{"name": "two", "currency": "USD", "model": {"kind": "rates", "initial_rate": 0.1, "maintenance_rate": 0.05},
            "market": {"underlyings": {"X": {"spot": 100}, "Y": {"spot": 50}}, "contracts": {
            "P": {"kind": "perpetual", "underlying": "X", "price": 100}, "Q": {"kind": "perpetual", "underlying": "Y", "price": 50}}},
            "cash": 300, "positions": [{"contract": "P", "quantity": 5}, {"contract": "Q", "quantity": 20}]}]
            """
        let engine = try makeEngine()
        let cases = try Handle(poise_margin_cases_free) {
            poise_margin_cases_parse(text, text.utf8.count, "cases", $0)
        }
        let margin = try Handle(poise_margin_free) {
            poise_margin_of_case(engine.pointer, cases.pointer, 0, $0)
        }.pointer
        // 300 + 1500 (m − 1) = 0.05 · 1500 m for both; 300 + 500 (m − 1) = 0.05 (500 m + 1000) for one.
        let all = try MarginDesk.liquidation(margin, -1)
        #expect(all.count == 1 && isNear(all[0], 1_200 / 1_425, 1e-11))
        let one = try MarginDesk.liquidation(margin, 0)
        #expect(one.count == 1 && isNear(one[0], 100 * 250 / 475, 1e-11))
        #expect(poise_margin_underlying_count(margin) == 2)
        #expect(poise_margin_underlying(margin, 1).map { String(cString: $0) } == "Y")
    }

    @Test("Trades that are refused are refused by their row")
    func trades() throws {
        let margin = try MarginDesk().made()
        func refused(_ names: [String], _ quantities: [Double]) -> (poise_status, Int64, String) {
            var columns = poise_margin_columns()
            columns.size = MemoryLayout<poise_margin_columns>.stride
            let status = withStrings(names) { names in
                withPointers([quantities]) {
                    poise_margin_what_if(
                        margin, quantities.count, names, poise_values(data: $0[0], stride: 0), &columns)
                }
            }
            return (status, LastError.now.row, lastField)
        }
        let perpetual = "BTC_USDC-PERPETUAL"
        #expect(refused([perpetual, "nothing"], [1, 1]) == (POISE_ERROR_VALUE, 1, "instrument"))
        #expect(
            refused([perpetual, "BTC_USDC-26JUN26"], [1, 1]) == (POISE_ERROR_UNKNOWN_NAME, 1, "instrument"))
        #expect(refused([perpetual, perpetual], [1, .infinity]) == (POISE_ERROR_VALUE, 1, "quantity"))
        // The model has no rule for options.
        #expect(refused(["BTC_USDC-27MAR26-60000-C"], [1]) == (POISE_ERROR_VALUE, 0, "instrument"))
        try #expect(MarginDesk.whatIf(margin, []) == [[], [], [], []])
    }

    @Test("A thousand trades of the sample have Swift's bits")
    func whatIf() throws {
        let margin = try Self.sampleMargin()
        var generator = SeededGenerator(seed: 3)
        let names = ["BTC-PERPETUAL", "BTC-25SEP26-78000-P", "BTC-3MAR26-63000-C", "BTC-24APR26"]
        let trades = (0..<1000).map { (names[$0 % 4], Double.random(in: -50...50, using: &generator)) }
        let found = try MarginDesk.whatIf(margin, trades)
        var badRows = BadRows(skip: false)
        let chain = try Chain(try Source(path: sample("chain.csv")), &badRows)
        let table = try PositionTable(try Source(path: sample("positions.csv")), &badRows)
        let model = try MarginModel(try Source(path: Self.path("deribit-pm-btc.json")))
        let file = try MarginAccountFile(try Source(path: Self.path("account-btc.toml")))
        let book = try MarginBook(
            table,
            candidates: PositionTable(
                name: "trades",
                try trades.enumerated().map {
                    PositionTable.Position(
                        book: "", instrument: try Instrument(name: $1.0), quantity: $1.1, line: $0)
                }), in: chain, file, model, underlying: "BTC", &badRows)
        let own = try model.balances(
            after: book.candidates, of: book.account, in: book.market, try GreeksEngine())
        #expect(sameBits(found[0], own.map(\.initialMargin)))
        #expect(sameBits(found[1], own.map(\.maintenanceMargin)))
        #expect(sameBits(found[2], own.map(\.initialBalance)))
        #expect(sameBits(found[3], own.map(\.maintenanceBalance)))
        #expect(Set(found[0]).count > 900)
    }

    @Test("Cases are those of the file; an auction has no margin, one without a hedge no trades")
    func cases() throws {
        let text = """
            [{"name": "c", "currency": "USD", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1},
            "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {"P": {"kind": "perpetual", "underlying": "X", "price": 100}}},
            "cash": 200, "positions": [{"contract": "P", "quantity": 5}],
            "hedge": {"instruments": [{"name": "P", "costBuy": 1, "costSell": 1, "maxBuy": 9, "maxSell": 9}], "bands": [],
            "initial_margin_at_least": 0, "margin_price": 0}},
            {"name": "flip", "currency": "BTC", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1, "on": "entry"},
            "market": {"underlyings": {"BTC": {"spot": 110000}}, "contracts": {"P": {"kind": "inverse-perpetual", "underlying": "BTC"}}},
            "cash": 4.545454545454545e-05, "positions": [{"contract": "P", "quantity": -10, "entry": 110000}],
            "liquidation": {"underlying": "BTC", "lowest": 1000, "highest": 10000000}}]
            """
        let engine = try makeEngine()
        let cases = try Handle(poise_margin_cases_free) {
            poise_margin_cases_parse(text, text.utf8.count, "cases", $0)
        }
        #expect(poise_margin_cases_count(cases.pointer) == 2)
        let names = (0...2).map { poise_margin_cases_name(cases.pointer, $0).map { String(cString: $0) } }
        #expect(names == ["c", "flip", nil])
        let margin = try Handle(poise_margin_free) {
            poise_margin_of_case(engine.pointer, cases.pointer, 0, $0)
        }.pointer
        try #expect(MarginDesk.totals(margin).initial_margin == 250)
        try #expect(MarginDesk.whatIf(margin, [("P", 1)])[0] == [300])
        // 50 are missing, and a contract sold frees 50 for 1.
        let hedge = try MarginDesk.Hedge(
            Handle(poise_margin_hedge_free) {
                poise_margin_hedge_of_case(engine.pointer, cases.pointer, 0, $0)
            }.pointer)
        #expect(isNear(hedge.sold, 50.0 / 49, 1e-9) && isNear(hedge.answer.headroom_price, 1.0 / 49, 1e-9))
        #expect(hedge.after.initial_balance.magnitude < 1e-6)
        var made: OpaquePointer? = OpaquePointer(bitPattern: 8)
        #expect(poise_margin_hedge_of_case(engine.pointer, cases.pointer, 1, &made) == POISE_ERROR_ARGUMENT)
        #expect(made == nil)
        #expect(poise_margin_of_case(engine.pointer, cases.pointer, 2, &made) == POISE_ERROR_ARGUMENT)
        // The case's own range: cash − 10/P + 10/110,000 = 0.1 · 10/110,000, beyond ten times the index.
        let flip = try Handle(poise_margin_free) {
            poise_margin_of_case(engine.pointer, cases.pointer, 1, $0)
        }.pointer
        let roots = try MarginDesk.liquidation(flip, 0)
        for root in roots { #expect((1000...10_000_000).contains(root)) }
        #expect(!roots.isEmpty)
        let limits = try MarginDesk.limits(",BTC,delta,-1,1\n")
        #expect(poise_margin_hedge_create(margin, limits.pointer, nil, &made) == POISE_ERROR_ARGUMENT)
    }
}
