import Market
import Testing

/// What is around an answer: one rule for chains, tables and lists of instruments.
struct ReplyTests {
    static let option = ChainLayoutTests.option
    static let contract =
        "{\"instrument_name\": \"BTC-PERPETUAL\", \"min_trade_amount\": 10, \"contract_size\": 10}"
    static let position = "{\"instrument_name\": \"BTC-PERPETUAL\", \"size\": 1}"

    /// What each of the readers makes of a text: the number of things in it, or an error.
    static func readings(_ chain: String, _ positions: String, _ list: String) -> [String] {
        func reading(_ read: (inout BadRows) throws -> Int) -> String {
            var badRows = BadRows(skip: false)
            do {
                return "\(try read(&badRows))"
            } catch {
                return "\(error)"
            }
        }
        return [
            reading { try Chain(Source(name: "f", text: chain), &$0).tickers.count },
            reading { try PositionTable(Source(name: "f", text: positions), &$0).positions.count },
            reading { try InstrumentList([Source(name: "f", text: list)], &$0).count },
        ]
    }

    @Test(
        "A refusal is one to all readers, with its field, its value and what the exchange says",
        arguments: [
            ("{\"error\": {}}", "error", "{}", ""),
            ("{\"error\": {\"code\": 13009}}", "error", "{\"code\": 13009}", ""),
            ("{\"error\": [\"EQuery:Unknown asset pair\"]}", "error", "[\"EQuery:Unknown asset pair\"]", ""),
            ("{\"retCode\": 10001}", "retCode", "10001", ""),
            (
                "{\"retCode\": 10001, \"retMsg\": \"params error\", \"result\": {}}", "retCode", "10001",
                ": params error"
            ),
            ("{\"code\": \"51000\"}", "code", "\"51000\"", ""),
            (
                "{\"code\": \"51000\", \"msg\": \"Parameter error\", \"data\": []}", "code", "\"51000\"",
                ": Parameter error"
            ),
            ("{\"code\": -1121, \"msg\": \"Invalid symbol.\"}", "code", "-1121", ": Invalid symbol."),
        ])
    func refusals(_ text: String, _ field: String, _ value: String, _ said: String) {
        let expected = "f:1: column \"\(field)\": value \"\(value)\": the exchange refused the request\(said)"
        #expect(Self.readings(text, text, text) == [expected, expected, expected])
    }

    @Test(
        "An answer is found within the same members by all readers",
        arguments: [
            "[@]", "{\"jsonrpc\": \"2.0\", \"result\": [@]}", "{\"error\": [], \"result\": [@]}",
            "{\"error\": null, \"result\": [@]}", "{\"code\": \"0\", \"msg\": \"\", \"data\": [@]}",
            "{\"retCode\": 0, \"retMsg\": \"OK\", \"result\": {\"category\": \"x\", \"list\": [@]}}",
            "[{\"symbol\": \"BTC/USD:BTC\", \"info\": @}]", "{\"positions\": [@]}", "{\"rows\": [@]}",
        ])
    func answers(_ form: String) {
        func text(_ content: String) -> String { form.replacing("@", with: content) }
        #expect(
            Self.readings(text(Self.option), text(Self.position), text(Self.contract)) == ["1", "1", "1"])
    }

    @Test("A column called code is no refusal")
    func codes() {
        let position = Self.position.replacing("{", with: "{\"code\": 7, ")
        #expect(Self.readings("[\(Self.option)]", "[\(position)]", "[\(Self.contract)]") == ["1", "1", "1"])
    }

    @Test("What is missing in a list of instruments is what tables take for missing")
    func missingFacts() throws {
        var badRows = BadRows(skip: false)
        func list(_ members: String) throws -> InstrumentList {
            let text =
                "{\"code\": \"0\", \"data\": [{\"instId\": \"BTC-USDT\", \"lotSz\": \"0.00000001\"\(members)}]}"
            return try InstrumentList([Source(name: "l", text: text)], &badRows)
        }
        let spot = try list(
            ", \"minSz\": \"0.00001\", \"ctVal\": \"\", \"ctMult\": \"\", \"settleCcy\": \"\", \"quoteCcy\": \"USDT\""
        )
        let facts = try #require(spot["BTC-USDT"])
        #expect(facts.amount == TradedAmount(step: 1e-8, minimum: 1e-5) && facts.multiplier == 1)
        #expect(facts.settlementCurrency == nil && facts.quoteCurrency == "USDT")
        for (members, message) in [
            ("", "column \"minSz\": value \"\": is missing"), (", \"minSz\": \"\"", "is missing"),
            (", \"minSz\": \"many\"", "column \"minSz\": value \"\"many\"\": is not a number"),
            (", \"minSz\": 0", "must be above 0 and finite"),
        ] {
            #expect(ColumnTests.error { _ = try list(members) }.contains(message), "\(members)")
        }
    }

    @Test(
        "A contract that stands in lists twice has the same facts, or is a contradiction; exchanges share names"
    )
    func listedTwice() throws {
        func list(_ texts: String...) throws -> InstrumentList {
            var badRows = BadRows(skip: false)
            let sources = texts.enumerated().map { Source(name: "l\($0.offset)", text: "[\($0.element)]") }
            return try InstrumentList(sources, &badRows)
        }
        func facts(_ more: String) -> String { Self.contract.replacing("}", with: more + "}") }
        let joined = try list(Self.contract, facts(", \"tick_size\": 0.5"))
        #expect(joined.count == 1 && joined["BTC-PERPETUAL"]?.tick == 0.5)
        let message = ColumnTests.error {
            _ = try list(facts(", \"tick_size\": 0.5"), "\n" + facts(", \"tick_size\": 1"))
        }
        #expect(
            message
                == "l1:2: column \"tick_size\": value \"1\": l0:1 of the same instrument and time has \"0.5\""
        )
        let name = "BTC-29MAR24-70000-C"
        let deribit = "{\"instrument_name\": \"\(name)\", \"min_trade_amount\": 0.1}"
        let bybit =
            "{\"symbol\": \"\(name)\", \"lotSizeFilter\": {\"qtyStep\": \"0.01\", \"minOrderQty\": \"0.01\"}}"
        let both = try list(deribit, bybit)
        #expect(try both.count == 2 && both[Deribit.instrument(named: name)]?.amount.step == 0.1)
        #expect(try both[Bybit.instrument(named: name)]?.amount.step == 0.01)
        #expect(both[name]?.amount.step == 0.1)
    }
}
