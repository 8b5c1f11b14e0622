import Market
import Testing

/// Positions, trades and options as tables and as replies in JSON.
struct RecordTests {
    static func positions(_ text: String, _ name: String = "data/account.json") throws(MarketError)
        -> PositionTable
    {
        var badRows = BadRows(skip: false)
        return try PositionTable(Source(name: name, text: text), &badRows)
    }

    static func error(_ text: String, _ name: String = "p.json") -> String {
        do throws(MarketError) {
            _ = try positions(text, name)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("an exchange's positions are the same as JSON, on one line, and as a table")
    func positions() throws {
        let rows = """
            {"instrument_name": "BTC-27DEC24-70000-C", "kind": "option", "direction": "buy", "size": 13.5},
             {"instrument_name": "BTC-PERPETUAL", "direction": "sell", "size": -50000, "size_currency": -0.77},
             {"instrument_name": "ETH-PERPETUAL", "direction": "zero", "size": 0.0}
            """
        let table = """
            direction,instrument_name,size
            buy,BTC-27DEC24-70000-C,13.5
            sell,BTC-PERPETUAL,-50000
            zero,ETH-PERPETUAL,0

            """
        for text in [
            "{\"jsonrpc\": \"2.0\",\n \"result\": [\n\(rows)]}", "[\(rows)]",
            "{\"result\": [\(rows)]}".replacing("\n", with: ""), table,
        ] {
            let read = try Self.positions(text)
            #expect(read.positions.map(\.quantity) == [13.5, -50000, 0])
            #expect(
                read.positions.map(\.instrument.name) == [
                    "BTC-27DEC24-70000-C", "BTC-PERPETUAL", "ETH-PERPETUAL",
                ])
            #expect(read.onlyBook == "account" && read.positions.allSatisfy { $0.book == "account" })
        }
        var badRows = BadRows(skip: false)
        let named = try PositionTable(Source(name: "p.csv", text: table), book: "desk 7", &badRows)
        #expect(named.positions.allSatisfy { $0.book == "desk 7" } && badRows.remarks.isEmpty)
        _ = try PositionTable(Source(name: "p.csv", text: table), &badRows)
        #expect(badRows.remarks == ["p.csv has no column book: all of it is book \"p\""])
    }

    @Test("a table with books keeps them, under whichever names the rest goes")
    func books() throws {
        let read = try Self.positions(
            "book,symbol,instrument_name,amount\na,x,BTC-PERPETUAL,1\nb,y,ETH-PERPETUAL,2\n")
        #expect(read.onlyBook == nil && read.positions.map(\.book) == ["a", "b"])
        #expect(Self.error("boook,instrument,quantity\na,BTC-PERPETUAL,1\n").contains("is it \"boook\"?"))
    }

    @Test("a direction gives an amount its sign and must not contradict it")
    func directions() throws {
        func quantity(_ direction: String, _ size: String) throws(MarketError) -> Double {
            try Self.positions("instrument,direction,size\nBTC-PERPETUAL,\(direction),\(size)\n").positions[0]
                .quantity
        }
        #expect(try quantity("sell", "5") == -5 && quantity("short", "-5") == -5 && quantity("buy", "5") == 5)
        #expect(try quantity("", "-5") == -5)
        for (direction, size) in [("buy", "-5"), ("zero", "1"), ("sideways", "5")] {
            #expect(throws: MarketError.self) { try quantity(direction, size) }
        }
    }

    @Test("an error in JSON names file, line and member")
    func places() {
        #expect(
            Self.error(
                "[{\"instrument_name\": \"BTC-PERPETUAL\", \"size\": 1},\n{\"instrument_name\": \"BTC-PERPETUAL\"}]"
            )
                == "p.json:2: column \"size\": value \"\": is missing")
        #expect(
            Self.error("[{\"instrument_name\": \"BTC-PERPETUAL\", \"size\": true}]")
                == "p.json:1: column \"size\": value \"true\": is not a number")
        #expect(Self.error("{\"error\": {\"code\": 13009}}").contains("the exchange refused"))
        #expect(
            Self.error("{}") == "p.json: is empty" && Self.error("{\"result\": {}}") == "p.json: is empty")
        #expect(Self.error("[{\"size\": 1}]").contains("column \"instrument\" is missing"))
        #expect(Self.error("[1]").contains("not a single value"))
    }

    @Test("an exchange's trades have their sign from the direction and their fee in dollars from the index")
    func trades() throws {
        let text = """
            {"result": {"trades": [
             {"instrument_name": "BTC-27DEC24-70000-C", "direction": "sell", "amount": 2, "price": "0.05",
              "fee": 0.0006, "fee_currency": "BTC", "index_price": 65000},
             {"instrument_name": "BTC_USDC-PERPETUAL", "direction": "buy", "amount": 1.5, "price": 65000,
              "fee": -3, "fee_currency": "USDC", "index_price": 65000},
             {"instrument_name": "BTC_USDC-PERPETUAL", "direction": "buy", "amount": 1.5, "price": 65000,
              "fee": 2, "fee_currency": "FDUSD", "index_price": 65000}], "has_more": false}}
            """
        var badRows = BadRows(skip: false)
        let trades = try TradeTable(Source(name: "trades.json", text: text), &badRows).trades
        #expect(trades.map(\.quantity) == [-2, 1.5, 1.5] && trades.map(\.price) == [0.05, 65000, 65000])
        // A stablecoin is a dollar, whichever it is.
        #expect(trades.map(\.fee) == [0.0006 * 65000, -3, 2] && trades[0].book == "trades")
        let table = "book,instrument,quantity,price,fee\na,BTC-PERPETUAL,1,65000,0.1\n"
        #expect(throws: MarketError.self) { try TradeTable(Source(name: "t", text: table), &badRows) }
    }

    @Test("a fee in a coin is worth the index only where that is the coin's in dollars")
    func feesInCoins() throws {
        func fee(_ name: String, _ currency: String, index: Double) throws -> Double {
            let text = """
                [{"instrument_name": "\(name)", "direction": "buy", "amount": 1, "price": 0.05, "fee": 0.001,
                  "fee_currency": "\(currency)", "index_price": \(index)}]
                """
            var badRows = BadRows(skip: false)
            return try TradeTable(Source(name: "t", text: text), &badRows).trades[0].fee
        }
        #expect(try fee("BTC-PERPETUAL", "btc", index: 65_000) == 65)
        #expect(try fee("ETH_USDC", "ETH", index: 3_000) == 3 && fee("ETH_BTC", "USDT", index: 0.05) == 0.001)
        for (name, currency, index, reason) in [
            ("ETH_BTC", "BTC", 0.05, "the index_price is ETH's in BTC; give the fee in fee_usd"),
            ("ETH_BTC", "ETH", 0.05, "the index_price is ETH's in BTC"),
            ("ETH_USDC", "BTC", 3_000, "the index_price is ETH's in USDC"),
            ("BTC_EURR", "BTC", 60_000, "the index_price is BTC's in EURR"),
        ] {
            let error = #expect(throws: MarketError.self) { try fee(name, currency, index: index) }
            #expect(error?.field == "fee_currency" && error?.value == currency)
            #expect(error?.reason.hasPrefix(reason) == true, "\(String(describing: error))")
        }
    }

    @Test("options and prices are the same as objects, columns, and names with rows")
    func options() throws {
        for text in [
            "[{\"type\":\"C\",\"spot\":100,\"strike\":\"9e1\",\"years\":1,\"vol\":0.2,\"rate\":0,\"dividend\":0}]",
            "{\"columns\":[\"type\",\"spot\",\"strike\",\"years\",\"vol\",\"rate\",\"dividend\"],\"index\":[0],\"data\":[[\"call\",100,90,1,0.2,0,0]]}",
            "{\"type\":[\"c\"],\"spot\":[100],\"strike\":[90],\"years\":[1],\"vol\":[0.2],\"rate\":[0],\"dividend\":[0]}",
        ] {
            var badRows = BadRows(skip: false)
            let table = try OptionTable(Source(name: "options.json", text: text), &badRows)
            #expect(table.type == [0] && table.spot == [100] && table.strike == [90] && table.quotes == [0.2])
        }
    }

    @Test("texts with escapes are read as what they mean")
    func escapes() throws {
        let read = try Self.positions(
            "[{\"book\": \"d\\u00e9sk \\\"1\\\"\", \"instrument\": \"BTC\\u002dPERPETUAL\", \"size\": 1}]")
        #expect(
            read.positions[0].book == "désk \"1\"" && read.positions[0].instrument.name == "BTC-PERPETUAL")
    }
}
