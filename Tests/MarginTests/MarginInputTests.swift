import Foundation
import Greeks
import Margin
import Market
import TestSupport
import Testing

/// Files as people write them, and what is refused of them.
struct MarginInputTests {
    private static let folder = SharedData.packageRoot.appendingPathComponent("Examples/margin")
    private static let models =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".json") }.sorted()

    @Test("Every model of the examples is read, with its venue, source and day", arguments: models)
    func examples(_ file: String) throws {
        let model = try MarginModel(try Source(path: Self.folder.appendingPathComponent(file).path))
        #expect(!model.name.isEmpty && !model.venue.isEmpty && !model.source.isEmpty)
        #expect(model.date.count == 10)
    }

    @Test("There is an example of every kind of rule but plain rates")
    func kinds() throws {
        let kinds = try Self.models.map {
            try MarginModel(try Source(path: Self.folder.appendingPathComponent($0).path)).kind
        }
        #expect(
            Set(kinds) == [
                "scan", "derive-standard", "deribit-pm", "deribit-cross", "standard-option", "span-array",
            ])
    }

    private static let rates = """
        name = "r"
        venue = "v"
        source = "s"
        date = "2026-01-31"
        kind = "rates"
        initial_rate = 0.1
        maintenance_rate = 0.05
        """

    @Test("A file of TOML is a model too")
    func toml() throws {
        let model = try MarginModel(Source(name: "m.toml", text: Self.rates))
        #expect(model.date == "2026-01-31" && model.kind == "rates")
        guard case .rates(let rule) = model.rule else {
            Issue.record("no rates")
            return
        }
        #expect(rule.initialRate == 0.1 && rule.maintenanceRate == 0.05)
    }

    @Test(
        "A model without a date, with a day that is none, of an unknown kind or with a rate that is no number is refused by field",
        arguments: [
            ["date = \"2026-01-31\"\n", "", "date", "is missing"],
            ["2026-01-31", "2026-02-30", "date", "must be a day"],
            ["source = \"s\"\n", "", "source", "is missing"],
            ["\"rates\"", "\"margin\"", "kind", "must be one of"],
            ["initial_rate = 0.1", "initial_rate = -0.1", "initial_rate", "-0.1"],
            ["initial_rate = 0.1", "initial_rate = nan", "initial_rate", "must be"],
            ["initial_rate = 0.1", "initial_rates = 0.1", "initial_rate", "initial_rates"],
        ])
    func badModels(_ change: [String]) throws {
        let text = Self.rates.replacingOccurrences(of: change[0], with: change[1])
        let error = try #require(throws: MarketError.self) {
            try MarginModel(Source(name: "m.toml", text: text))
        }
        #expect("\(error)".hasPrefix("m.toml:"), "\(error)")
        #expect(error.field.hasPrefix(change[2]) && "\(error)".contains(change[3]), "\(error)")
    }

    private static let one = """
        [{"name": "a", "venue": "v", "comment": "c", "currency": "USD", "cash": 10,
        "model": {"kind": "scan", "grid": {"vol_rules": {"up": {"relative": 0.5}},
        "scenarios": [{"spot": [-0.1, 0.1], "vol": "up"}]},
        "confidence": {"threshold": 0.5, "factor": 1}},
        "market": {"underlyings": {"X": {"spot": 100, "confidence": 0.9, "perpetual": {"price": 100},
        "expiries": {"e": {"seconds": 864000, "forward": 101}}}},
        "contracts": {"c": {"kind": "option", "underlying": "X", "expiry": "e", "strike": 90, "type": "C", "vol": 0.5},
        "p": {"kind": "perpetual", "underlying": "X"}}},
        "positions": [{"contract": "c", "quantity": -1}, {"contract": "p", "quantity": 2}],
        "collateral": [{"asset": "X", "quantity": 3, "price": 100, "maintenance_haircut": 0.1, "initial_haircut": 0.1}]}]
        """

    private static func answer(_ text: String) throws -> MarginAnswer {
        let cases = try MarginCases(Source(name: "cases.json", text: text))
        return try cases.cases[0].answer(try GreeksEngine())
    }

    @Test("The case that is spoilt below is accepted as it is")
    func goodCase() throws {
        guard case .account(let margin, _) = try Self.answer(Self.one) else { return }
        #expect(margin.initialMargin > 0 && margin.losses.count == 2)
    }

    @Test(
        "What a case lacks or has wrong is an error with file, field and value, never a 0",
        arguments: [
            ["\"kind\": \"scan\"", "\"kind\": \"scam\"", "[0].model.kind", "\"scam\""],
            ["\"price\": 100, \"maintenance_h", "\"maintenance_h", "[0].collateral[0].price", "is missing"],
            ["\"maintenance_haircut\": 0.1, ", "", "[0].collateral[0].maintenance_haircut", "is missing"],
            ["\"quantity\": 3", "\"quantity\": -3", "[0].collateral[0].quantity", "-3"],
            [
                "\"initial_haircut\": 0.1", "\"initial_haircut\": 1.1", "[0].collateral[0].initial_haircut",
                "1.1",
            ],
            ["\"contract\": \"c\"", "\"contract\": \"d\"", "[0].positions[0].contract", "\"d\""],
            ["\"confidence\": 0.9", "\"confidence\": 1.9", "[0].market.underlyings.X.confidence", "1.9"],
            ["\"confidence\": 0.9", "\"confidence\": -0.1", "[0].market.underlyings.X.confidence", "-0.1"],
            ["\"spot\": 100", "\"spot\": null", "[0].market.underlyings.X.spot", "is missing"],
            ["\"vol\": 0.5", "\"vol\": -0.5", "[0].market.contracts.c.vol", "-0.5"],
            [", \"vol\": 0.5", "", "vol", "is missing"],
            [", \"perpetual\": {\"price\": 100}", "", "perpetual.price", "is missing"],
            ["\"strike\": 90, ", "", "strike", "is missing"],
            ["\"expiry\": \"e\"", "\"expiry\": \"f\"", "[0].market.contracts.c.expiry", "\"f\""],
            ["\"forward\": 101", "\"forward\": 0", "[0].market.underlyings.X.expiries.e.forward", "0"],
            ["\"cash\": 10", "\"cash\": 1e999", "[0].cash", "must be"],
            ["[-0.1, 0.1]", "[-1.1, 0.1]", "[0].model.grid.scenarios[0].spot", "-1.1"],
            ["\"threshold\": 0.5", "\"threshold\": 2", "[0].model.confidence.threshold", "2"],
            ["\"quantity\": 2}", "\"quantity\": 2, \"qty\": 1}", "[0].positions[1].qty", "unknown"],
        ])
    func badCases(_ change: [String]) throws {
        let text = Self.one.replacingOccurrences(of: change[0], with: change[1])
        #expect(text != Self.one)
        do {
            _ = try Self.answer(text)
            Issue.record("\(change) is accepted")
        } catch {
            #expect("\(error)".hasPrefix("cases.json:"), "\(error)")
            #expect("\(error)".contains(change[2]) && "\(error)".contains(change[3]), "\(error)")
        }
    }

    // MARK: Books

    private static let chain = """
        instrument_name,timestamp,underlying_price,index_price,mark_iv,mark_price
        BTC-27MAR26-60000-C,1772443800000,60500,60000,60,0.05
        BTC-27MAR26-55000-P,1772443800000,60500,60000,62,0.02
        BTC-PERPETUAL,1772443800000,,60000,,60010
        BTC-27MAR26,1772443800000,,60000,,60500
        ETH-27MAR26-3000-C,1772443800000,3030,3000,70,0.06

        """

    private static func book(
        _ positions: String, _ account: String = "currency = \"USD\"\ncash = 1000\n",
        model: String = "derive-pmrm2-eth.json", underlying: String? = nil, skip: Bool = false,
        candidates: String? = nil
    ) throws -> (MarginBook, MarginModel, BadRows) {
        var badRows = BadRows(skip: skip)
        let chain = try Chain(Source(name: "chain.csv", text: chain), &badRows)
        let head = "book,instrument,quantity\n"
        let table = try PositionTable(Source(name: "held.csv", text: head + positions), &badRows)
        let trades = try candidates.map {
            try PositionTable(Source(name: "trades.csv", text: head + $0), &badRows)
        }
        let rule = try MarginModel(try Source(path: folder.appendingPathComponent(model).path))
        let file = try MarginAccountFile(Source(name: "account.toml", text: account))
        let book = try MarginBook(
            table, candidates: trades, in: chain, file, rule, underlying: underlying, &badRows)
        return (book, rule, badRows)
    }

    @Test(
        "An inverse perpetual stands for its dollars over its price, an expiry for its future at the chain's time"
    )
    func units() throws {
        let (book, _, _) = try Self.book("a,BTC-PERPETUAL,120020\na,BTC-27MAR26-60000-C,-2\n")
        #expect(book.account.quantities == [2, -2])
        #expect(book.market.underlyings[0].spot == 60000)
        #expect(book.market.underlyings[0].expiries[0].forward == 60500)
        #expect(book.market.underlyings[0].expiries[0].seconds == 2_154_600)
        #expect(book.market.contracts[1].volatility == 0.6)
        let (coin, _, _) = try Self.book(
            "a,BTC-PERPETUAL,120020\na,BTC-27MAR26,-60500\n", "currency = \"BTC\"\ncash = 1\n",
            model: "deribit-pm-btc.json")
        #expect(coin.account.quantities == [120020, -60500])
        let margin = try MarginModel(
            try Source(path: Self.folder.appendingPathComponent("deribit-pm-btc.json").path)
        ).requirement(of: coin.account, in: coin.market, try GreeksEngine())
        // One coin net, 16 % down; two and one to roll at 1 %.
        #expect(abs(margin.initialMargin - (0.16 / 0.84 + 0.03)) < 1e-12)
    }

    @Test("Collateral takes the chain's index and the model's haircut where the account has none")
    func collateral() throws {
        let (book, model, _) = try Self.book(
            "a,ETH-27MAR26-3000-C,1\n",
            "currency = \"USD\"\ncash = 0\n[[collateral]]\nasset = \"ETH\"\nquantity = 2\n")
        let piece = try #require(book.account.collateral.first)
        #expect(piece.price == 3000 && piece.maintenanceHaircut == 0.056 && piece.movesWithSpot)
        #expect(model.haircuts["ETH"]?.initial == 0.014)
    }

    @Test(
        "A book that cannot be margined is refused by file, field and value",
        arguments: [
            ["a,BTC-27MAR26-99000-C,1\n", "", "held.csv", "BTC-27MAR26-99000-C"],
            ["a,BTC-27MAR26,1\n", "", "held.csv", "no rule for contracts of kind future"],
            ["a,BTC-PERPETUAL,1\na,ETH-27MAR26-3000-C,1\n", "", "held.csv", "BTC, ETH"],
            [
                "a,BTC-PERPETUAL,1\n", "[[collateral]]\nasset = \"DOGE\"\nquantity = 1\n", "account.toml:3",
                "DOGE",
            ],
            [
                "a,BTC-PERPETUAL,1\n", "[[collateral]]\nasset = \"BTC\"\nquantity = 1\n", "account.toml:3",
                "maintenance_haircut",
            ],
            [
                "a,BTC-PERPETUAL,1\n", "[[collateral]]\nasset = \"ETH\"\nquantity = -1\n", "account.toml:5",
                "-1",
            ],
            ["a,BTC-PERPETUAL,1\n", "[confidence.BTC]\nspot = 1.5\n", "account.toml:4", "1.5"],
            ["a,BTC-PERPETUAL,1\n", "casch = 3\n", "account.toml:3", "casch"],
        ])
    func badBooks(_ parts: [String]) throws {
        do {
            _ = try Self.book(parts[0], "currency = \"USD\"\ncash = 0\n" + parts[1])
            Issue.record("\(parts) is accepted")
        } catch {
            #expect("\(error)".contains(parts[2]) && "\(error)".contains(parts[3]), "\(error)")
        }
    }

    @Test(
        "A rule that counts coins as positions takes collateral in its underlyings, and refuses other coins")
    func coins() throws {
        let held = "a,ETH-27MAR26-3000-C,1\n"
        let cash = "currency = \"USD\"\ncash = 0\n[[collateral]]\nquantity = 2\nasset = "
        let (book, model, _) = try Self.book(held, cash + "\"ETH\"\n", model: "derive-standard.json")
        #expect(book.account.quantities == [1, 2])
        let margin = try model.requirement(of: book.account, in: book.market, try GreeksEngine())
        // Four fifths of 6,000 dollars count, of which 0.9375 for initial margin; the call is long.
        #expect(abs(margin.maintenanceBalance - 4_800) < 1e-9)
        #expect(abs(margin.initialBalance - 4_500) < 1e-9)
        let error = try #require(throws: MarketError.self) {
            try Self.book(held, cash + "\"BTC\"\n", model: "derive-standard.json")
        }
        #expect("\(error)".contains("account.toml:3") && "\(error)".contains("BTC"), "\(error)")
    }

    @Test("Positions that a model has no rule for can be skipped, and are listed")
    func skipped() throws {
        let (book, _, badRows) = try Self.book(
            "a,BTC-27MAR26,1000\na,BTC-PERPETUAL,60010\n", skip: true)
        #expect(book.account.quantities == [1])
        #expect(badRows.skipped.count == 1)
    }

    @Test("Trades that are looked at have the market's unit, and leave the account as it is")
    func candidates() throws {
        let (book, model, _) = try Self.book(
            "a,BTC-27MAR26-60000-C,-2\n", candidates: "c,BTC-PERPETUAL,60010\nc,BTC-27MAR26-55000-P,1\n")
        #expect(book.account.quantities == [-2, 0, 0])
        #expect(book.candidates.map(\.quantity) == [1, 1])
        let engine = try GreeksEngine()
        let after = try model.balances(after: book.candidates, of: book.account, in: book.market, engine)
        let before = try model.requirement(of: book.account, in: book.market, engine)
        #expect(after.count == 2)
        // A perpetual bought against short calls relieves.
        #expect(after[0].initialMargin < before.initialMargin)
        #expect(abs(after[0].markToMarket - before.markToMarket) < 1e-9)
    }

    @Test(
        "A rule without scenarios is computed anew for each trade; what a short option brings stays in the cash"
    )
    func slowCandidates() throws {
        let (book, model, _) = try Self.book(
            "a,BTC-27MAR26-60000-C,-2\n", "currency = \"BTC\"\ncash = 3\n", model: "deribit-standard.json",
            candidates: "c,BTC-27MAR26-60000-C,-1\nc,BTC-27MAR26-60000-C,2\n")
        let engine = try GreeksEngine()
        let before = try model.requirement(of: book.account, in: book.market, engine)
        let after = try model.balances(after: book.candidates, of: book.account, in: book.market, engine)
        #expect(abs(after[0].initialMargin - 1.5 * before.initialMargin) < 1e-12)
        #expect(after[1].initialMargin == 0)
        #expect(after[1].initialBalance < 3)
    }
}
