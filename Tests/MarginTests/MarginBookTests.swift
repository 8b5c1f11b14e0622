import Foundation
import Greeks
import Margin
import Market
import Risk
import TestSupport
import Testing

/// Account files by field, and how a chain and positions become a market and an account.
struct MarginBookTests {
    private static let chain = """
        instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price,interest_rate
        BTC-27MAR26-60000-C,1772443800000,60500,60000,60,0.05,0.01
        BTC-27MAR26-55000-P,1772443801000,60510,60010,62,0.02,0.02
        BTC-27MAR26-65000-C,1772443799000,60490,59990,61,0.01,0.02
        BTC-PERPETUAL,1772443800000,,60000,,60020,
        BTC-27MAR26,1772443800500,,60005,,60505,
        BTC-26JUN26,1772443800500,,60005,,61000,
        BTC-26JUN26-60000-C,1772443800000,60900,60000,58,0.09,0.03
        ETH-27MAR26-3000-C,1772443800000,3030,3000,70,0.06,

        """

    private static func model(_ kind: String) throws -> MarginModel {
        let text =
            switch kind {
            case "scan":
                #"""
                "kind": "scan", "grid": {"vol_rules": {"same": {}}, "scenarios": [{"spot": -0.1, "vol": "same"}]},
                "haircuts": {"BTC": {"maintenance": 0.1, "initial": 0.2}, "ETH": {"maintenance": 0.3, "initial": 0.4,
                "moves_with_spot": true}, "SOL": {"maintenance": 0.5, "initial": 0.6}}
                """#
            case "rates": #""kind": "rates", "initial_rate": 0.1, "maintenance_rate": 0.05"#
            case "span": #""kind": "span-array""#
            default: ""
            }
        let head = #"{"name": "n", "venue": "v", "source": "s", "date": "2026-03-26", "#
        if text.isEmpty {
            let folder = SharedData.packageRoot.appendingPathComponent("Examples/margin")
            return try MarginModel(try Source(path: folder.appendingPathComponent(kind).path))
        }
        return try MarginModel(Source(name: "m.json", text: head + text + "}"))
    }

    private static func book(
        _ positions: [String], _ account: String = "", _ kind: String = "scan", underlying: String? = nil,
        skip: Bool = false, candidates: [String]? = nil, chain text: String = chain
    ) throws -> (book: MarginBook, badRows: BadRows) {
        var badRows = BadRows(skip: skip)
        let chain = try Chain(Source(name: "chain.csv", text: text), &badRows)
        func table(_ name: String, _ rows: [String]) throws -> PositionTable {
            let text = "book,instrument,quantity\n" + rows.map { "a,\($0)\n" }.joined()
            return try PositionTable(Source(name: name, text: text), &badRows)
        }
        let model = try model(kind)
        let currency = model.isInCoin ? "BTC" : "USD"
        let file = try MarginAccountFile(
            Source(name: "account.toml", text: "currency = \"\(currency)\"\ncash = 1000\n" + account))
        let book = try MarginBook(
            try table("held.csv", positions), candidates: try candidates.map { try table("trades.csv", $0) },
            in: chain,
            file, model, underlying: underlying, &badRows)
        return (book, badRows)
    }

    @Test("An account's file, field by field, and what holds where it says nothing")
    func accountFile() throws {
        let (plain, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1", "BTC-PERPETUAL,60020"],
            "[[collateral]]\nasset = \"BTC\"\nquantity = 2\n[[collateral]]\nasset = \"ETH\"\nquantity = 5\n")
        #expect(plain.account.currency == "USD" && plain.account.cash == 1000)
        #expect(plain.market.stablePrice == 1 && plain.account.otherInitial.isEmpty)
        let underlying = plain.market.underlyings[0]
        #expect(underlying.confidence == 1 && underlying.perpetual?.confidence == 1)
        let expiry = underlying.expiries[0]
        #expect(
            expiry.forwardConfidence == 1 && expiry.rateConfidence == 1 && expiry.volatilityConfidence == 1)
        // The index of the latest row with one; the account's own underlying moves, others as the model says.
        var first = CrossMarginAccount.Collateral("BTC", quantity: 2, price: 60_010)
        (first.maintenanceHaircut, first.initialHaircut) = (0.1, 0.2)
        var second = CrossMarginAccount.Collateral("ETH", quantity: 5, price: 3000)
        (second.maintenanceHaircut, second.initialHaircut) = (0.3, 0.4)
        #expect(plain.account.collateral == [first, second])

        let (whole, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1", "BTC-PERPETUAL,60020"],
            """
            stable_price = 0.97
            [[collateral]]
            asset = "BTC"
            quantity = 2
            price = 59000
            maintenance_haircut = 0.15
            initial_haircut = 0.25
            confidence = 0.8
            moves_with_spot = false
            [[collateral]]
            asset = "SOL"
            quantity = 3
            price = 140
            [confidence.BTC]
            spot = 0.91
            perpetual = 0.92
            forward = 0.93
            rate = 0.94
            vol = 0.95
            """)
        #expect(whole.market.stablePrice == 0.97)
        (first.price, first.maintenanceHaircut, first.initialHaircut) = (59_000, 0.15, 0.25)
        (first.confidence, first.movesWithSpot) = (0.8, false)
        var third = CrossMarginAccount.Collateral("SOL", quantity: 3, price: 140)
        (third.maintenanceHaircut, third.initialHaircut, third.movesWithSpot) = (0.5, 0.6, false)
        #expect(whole.account.collateral == [first, third])
        let feeds = whole.market.underlyings[0]
        #expect(feeds.confidence == 0.91 && feeds.perpetual?.confidence == 0.92)
        #expect(feeds.expiries[0].forwardConfidence == 0.93 && feeds.expiries[0].rateConfidence == 0.94)
        #expect(feeds.expiries[0].volatilityConfidence == 0.95)
        let (reserved, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1"], "[other_initial]\norders = 7\nreserves = 8\n", "deribit-pm-btc.json")
        #expect(reserved.account.otherInitial.map(\.name) == ["orders", "reserves"])
        #expect(reserved.account.otherInitial.map(\.amount) == [7, 8])
        // Another coin's feeds are not this one's.
        let (other, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1"], "[confidence.ETH]\nspot = 0.5\nforward = 0.5\n")
        #expect(other.market.underlyings[0].confidence == 1)
        #expect(other.market.underlyings[0].expiries[0].forwardConfidence == 1)
    }

    @Test("What a model does not look at is listed, and nothing that it does")
    func withoutEffect() throws {
        let text = """
            stable_price = 0.97
            [[collateral]]
            asset = "BTC"
            quantity = 2
            confidence = 0.8
            [confidence.BTC]
            spot = 0.9
            [confidence.ETH]
            spot = 0.9

            """
        // No charge of confidence, then one.
        let (none, _) = try Self.book(["BTC-27MAR26-60000-C,1"], text)
        #expect(none.withoutEffect == ["collateral[0].confidence", "confidence.BTC", "confidence.ETH"])
        let haircuts = "maintenance_haircut = 0.1\ninitial_haircut = 0.1\n[confidence.BTC]"
        let (charged, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1"], text.replacing("[confidence.BTC]", with: haircuts),
            "derive-pmrm2-eth.json")
        #expect(charged.withoutEffect == ["confidence.ETH"])
        let (coin, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1"], "stable_price = 0.97\n", "deribit-pm-btc.json")
        #expect(coin.withoutEffect == ["stable_price"])
        let (plain, _) = try Self.book(["BTC-27MAR26-60000-C,1"])
        #expect(plain.withoutEffect.isEmpty)
    }

    @Test(
        "What an account's file has wrong is refused by line and field",
        arguments: [
            ["stable_price = 0\n", "account.toml:3", "stable_price"],
            ["[[collateral]]\nasset = \"BTC\"\nquantity = 1\nprice = 0\n", "account.toml:6", "price"],
            [
                "[[collateral]]\nasset = \"BTC\"\nquantity = 1\nconfidence = 1.1\n", "account.toml:6",
                "confidence",
            ],
            [
                "[[collateral]]\nasset = \"BTC\"\nquantity = 1\ninitial_haircut = 2\n", "account.toml:6",
                "initial_haircut",
            ],
            [
                "[[collateral]]\nasset = \"BTC\"\nquantity = 1\nmaintenance_haircut = 2\n", "account.toml:6",
                "maintenance",
            ],
            ["[[collateral]]\nquantity = 1\n", "account.toml:3", "asset"],
            ["[confidence.BTC]\nperpetual = 2\n", "account.toml:4", "perpetual"],
            ["[confidence.BTC]\nforward = 2\n", "account.toml:4", "forward"],
            ["[confidence.BTC]\nrate = 2\n", "account.toml:4", "rate"],
            ["[confidence.BTC]\nvol = 2\n", "account.toml:4", "vol"],
            ["[confidence.BTC]\nvols = 1\n", "account.toml:4", "vols"],
            ["[other_initial]\norders = -1\n", "account.toml:4", "orders"],
            [
                "[other_initial]\norders = 1\n", "account.toml",
                "\"other_initial.orders\": value 1: the model has no term",
            ],
            ["[[collateral]]\nasset = \"SOL\"\nquantity = 1\n", "account.toml:3", "price"],
        ])
    func badFiles(_ parts: [String]) {
        let error = #expect(throws: MarketError.self) { try Self.book(["BTC-PERPETUAL,1"], parts[0]) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(parts[1]) && text.contains(parts[2]), "\(text)")
    }

    @Test("An expiry has its latest future, whichever row that is, and the time of the chain's latest row")
    func expiries() throws {
        // The put's row is the latest of March, June's is its future's.
        let (book, _) = try Self.book(
            ["BTC-27MAR26-60000-C,1", "BTC-26JUN26-60000-C,2", "BTC-27MAR26-65000-C,-1", "BTC-PERPETUAL,1"])
        #expect(book.asOf.milliseconds == 1_772_443_801_000)
        let underlying = book.market.underlyings[0]
        #expect(underlying.spot == 60_010 && underlying.expiries.map(\.forward) == [60_510, 61_000])
        #expect(underlying.expiries.map(\.name) == ["BTC-27MAR26", "BTC-26JUN26"])
        #expect(underlying.expiries.map(\.seconds) == [2_154_599, 10_016_999])
        #expect(
            underlying.expiries.map(\.rate) == [0.01, 0.03] && underlying.expiries.map(\.fixed) == [0, 0])
        #expect(underlying.perpetual?.price == 60_020)
        #expect(book.market.contracts.map(\.expiry) == [0, 1, 0, nil])
        #expect(book.market.contracts.map(\.strike) == [60_000, 60_000, 65_000, nil])
        #expect(book.market.contracts.map(\.type) == [.call, .call, .call, nil])
        #expect(book.market.contracts.map(\.volatility) == [0.6, 0.58, 0.61, nil])
        #expect(book.market.contracts.map(\.price) == [nil, nil, nil, 60_020])
        #expect(book.market.contracts.map(\.kind) == [.option, .option, .option, .perpetual])
        #expect(book.account.quantities == [1, 2, -1, 1 / 60_020])
    }

    @Test("Of rows of one time the last one counts, of others the latest wherever it stands")
    func sameTime() throws {
        func forward(_ rows: [(strike: Int, time: Int64, price: Double, index: Double)]) throws -> (
            Double, Double
        ) {
            let head = "instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price\n"
            let text = rows.map { "BTC-27MAR26-\($0.strike)-C,\($0.time),\($0.price),\($0.index),60,0.05\n" }
                .joined()
            let (book, _) = try Self.book(["BTC-27MAR26-60000-C,1"], chain: head + text)
            return (book.market.underlyings[0].expiries[0].forward, book.market.underlyings[0].spot)
        }
        let time: Int64 = 1_772_443_800_000
        #expect(
            try forward([(60_000, time, 60_500, 60_000), (65_000, time, 60_510, 60_020)]) == (60_510, 60_020))
        #expect(
            try forward([(60_000, time + 1, 60_500, 60_000), (65_000, time, 60_510, 60_020)]) == (
                60_500, 60_000
            ))
        #expect(
            try forward([(60_000, time, 60_500, 60_000), (65_000, time + 1, 60_510, 60_020)]) == (
                60_510, 60_020
            ))
    }

    @Test("While the delivery price is averaged, what is known of a forward stands still")
    func averaging() throws {
        // Deribit averages for half an hour: a quarter of it is left.
        let end: Int64 = 1_774_598_400_000
        let chain = """
            instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price
            BTC-27MAR26-60000-C,\(end - 450_000),60000,60000,60,0.05

            """
        let (book, _) = try Self.book(["BTC-27MAR26-60000-C,1"], chain: chain)
        let expiry = book.market.underlyings[0].expiries[0]
        #expect(expiry.seconds == 450 && expiry.forward == 60_000 && abs(expiry.fixed - 45_000) < 1e-9)
    }

    @Test("Contracts have the kind and unit that the model asks for")
    func kinds() throws {
        let held = ["BTC-PERPETUAL,120040", "BTC-27MAR26,-60505"]
        let (rates, _) = try Self.book(held, "", "rates")
        #expect(rates.market.contracts.map(\.kind) == [.inversePerpetual, .future])
        #expect(rates.account.quantities == [120_040, -1])
        #expect(rates.market.contracts.map(\.price) == [60_020, 60_505])
        #expect(rates.market.underlyings[0].perpetual == nil)
        let (coin, _) = try Self.book(held, "", "deribit-pm-btc.json")
        #expect(coin.market.contracts.map(\.kind) == [.inversePerpetual, .inverseFuture])
        #expect(coin.account.quantities == [120_040, -60_505])
        let (span, _) = try Self.book(["BTC-27MAR26,-121010", "BTC-27MAR26-60000-C,3"], "", "span")
        #expect(
            span.market.contracts.map(\.kind) == [.future, .option] && span.account.quantities == [-2, 3])
        // Rows of one contract are one position.
        let (twice, _) = try Self.book(["BTC-27MAR26-60000-C,3", "BTC-27MAR26-60000-C,-1"])
        #expect(twice.market.contracts.count == 1 && twice.account.quantities == [2])
    }

    @Test(
        "An account counts in dollars, or in its underlying where the model does; any other currency is refused",
        arguments: [
            ("scan", "BTC", "dollars"), ("deribit-pm-btc.json", "USD", "BTC"), ("scan", "ZZZ", "dollars"),
        ])
    func currencies(_ kind: String, _ currency: String, _ wanted: String) throws {
        var badRows = BadRows(skip: false)
        let file = try MarginAccountFile(
            Source(name: "account.toml", text: "currency = \"\(currency)\"\ncash = 1\n"))
        let chain = try Chain(Source(name: "chain.csv", text: Self.chain), &badRows)
        let held = try PositionTable(
            Source(name: "held.csv", text: "book,instrument,quantity\na,BTC-27MAR26-60000-C,1\n"), &badRows)
        let error = #expect(throws: MarketError.self) {
            try MarginBook(
                held, candidates: nil, in: chain, file, try Self.model(kind), underlying: nil, &badRows)
        }
        #expect(error?.value == currency && error?.field == "currency")
        #expect(error.map { "\($0)" }?.contains(wanted) == true)
    }

    @Test("Several underlyings where the rule takes them, one by name where it does not")
    func underlyings() throws {
        let held = ["BTC-27MAR26-60000-C,1", "ETH-27MAR26-3000-C,2"]
        let (both, _) = try Self.book(held, "", "derive-standard.json")
        #expect(both.market.underlyings.map(\.name) == ["BTC", "ETH"] && both.account.quantities == [1, 2])
        let (one, _) = try Self.book(held, "", "scan", underlying: "ETH")
        #expect(one.market.underlyings.map(\.name) == ["ETH"] && one.account.quantities == [2])
        #expect(throws: MarketError.self) { try Self.book(held) }
        let error = #expect(throws: MarketError.self) { try Self.book(held, underlying: "SOL") }
        #expect(error?.value == "SOL")
        // Trades in another underlying are not this account's.
        let (book, _) = try Self.book(
            held, underlying: "ETH", candidates: ["BTC-27MAR26-55000-P,1", "ETH-27MAR26-3000-C,-1"])
        #expect(book.candidates.count == 1 && book.candidates[0].quantity == -1)
        #expect(book.market.contracts[book.candidates[0].contract].name == "ETH-27MAR26-3000-C")
        #expect(try Self.book(held, underlying: "ETH").book.candidates.isEmpty)
    }

    @Test("Coins are positions under Derive's standard margin alone; rules without collateral refuse it")
    func coins() throws {
        let cash = "[[collateral]]\nasset = \"BTC\"\nquantity = 2\n"
        let (book, _) = try Self.book(["BTC-27MAR26-60000-C,1"], cash, "derive-standard.json")
        #expect(book.market.contracts.map(\.kind) == [.option, .spot] && book.account.quantities == [1, 2])
        #expect(book.market.contracts[1].underlying == 0 && book.account.collateral.isEmpty)
        for kind in ["rates", "deribit-pm-btc.json"] {
            let error = #expect(throws: MarketError.self) { try Self.book(["BTC-PERPETUAL,1"], cash, kind) }
            #expect(error.map { "\($0)" }?.contains("account.toml:3") == true && error?.field == "asset")
        }
    }

    @Test(
        "What a chain lacks for a position is refused by the position's row: an index, a price of an inverse contract"
    )
    func missing() throws {
        let chain = """
            instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price
            BTC-27MAR26-60000-C,1772443800000,60500,,60,0.05
            BTC-PERPETUAL,1772443800000,,,,60020
            BTC-27MAR26,1772443800000,,60000,,60505

            """
        let withIndex = try Self.book(["BTC-27MAR26-60000-C,1", "BTC-PERPETUAL,60020"], chain: chain)
        #expect(withIndex.book.account.quantities == [1, 1])
        let without = chain.replacingOccurrences(of: ",,60000,,60505", with: ",,,,60505")
        let error = #expect(throws: MarketError.self) { try Self.book(["BTC-PERPETUAL,1"], chain: without) }
        #expect(error.map { "\($0)" }?.contains("held.csv") == true)
    }
}
