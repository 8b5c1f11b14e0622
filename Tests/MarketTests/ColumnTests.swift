import Market
import Testing

/// How tables find their columns, and what errors call them.
struct ColumnTests {
    static func positions(_ text: String, skip: Bool = false) throws(MarketError) -> PositionTable {
        var badRows = BadRows(skip: skip)
        return try PositionTable(Source(name: "p", text: text), &badRows)
    }

    static func error(_ read: () throws -> Void) -> String {
        do {
            try read()
            return ""
        } catch {
            return "\(error)"
        }
    }

    static func positionError(_ text: String) -> String { error { _ = try positions(text) } }

    @Test(
        "Columns are found in any case, blanks as underscores, in text and in JSON",
        arguments: [
            "Book,Instrument,Quantity,Side\na,BTC-PERPETUAL,1000,sell\n",
            "BOOK,Instrument Name,SIZE,Direction\na,BTC-PERPETUAL,1000,sell\n",
            "[{\"Book\": \"a\", \"INSTRUMENT\": \"BTC-PERPETUAL\", \"Amount\": 1000, \"DIRECTION\": \"sell\"}]",
            "{\"Book\": [\"a\", \"a\"], \"Instrument\": [\"BTC-PERPETUAL\", \"ETH-PERPETUAL\"], \"Size\": [1000, 1], \"Side\": [\"sell\", \"buy\"]}",
            "{\"columns\": [\"Book\", \"Instrument\", \"Size\", \"Side\"], \"data\": [[\"a\", \"BTC-PERPETUAL\", 1000, \"sell\"]]}",
        ])
    func anyCase(_ text: String) throws {
        let read = try Self.positions(text)
        #expect(read.onlyBook == nil && read.positions[0].book == "a" && read.positions[0].quantity == -1000)
    }

    @Test("All tables find their columns so: options, trades, desks, tickers")
    func allTables() throws {
        var badRows = BadRows(skip: false)
        let options = try OptionTable(
            Source(
                name: "o",
                text: "Type,Spot,Strike,Years,Vol,Rate,Dividend,Quantity,Book\nC,100,90,1,0.2,0,0,-2,b\n"),
            holdings: true, &badRows)
        #expect(options.quantities == [-2] && options.bookNames == ["b"] && options.strike == [90])
        let trades = try TradeTable(
            Source(name: "t", text: "Book,Instrument,Quantity,Price,Fee USD\nb,BTC-PERPETUAL,1,65000,2.5\n"),
            &badRows)
        #expect(trades.trades[0].fee == 2.5)
        let desks = try DeskTable(Source(name: "d", text: "Book,Desk\nb,one\n"), &badRows)
        #expect(desks.deskOfBook == ["b": "one"])
        let header =
            "Instrument_Name,Timestamp,Underlying Price,Mark_IV,Mark_Price,Best_Bid_Price,Greeks.Delta"
        let row = "BTC-27DEC24-90000-C,1711102028463,73663.5,74.2,0.185,0.18,0.5"
        let json = """
            [{"Instrument_Name": "BTC-27DEC24-90000-C", "TIMESTAMP": 1711102028463, "Underlying_Price": 73663.5, \
            "Mark_IV": 74.2, "Mark_Price": 0.185, "Best_Bid_Price": 0.18}]
            """
        for text in ["\(header)\n\(row)\n", json] {
            let ticker = try Chain(Source(name: "c", text: text), &badRows).tickers[0]
            #expect(ticker.markVolatility == 0.742 && ticker.underlyingPrice == 73_663.5)
            #expect(ticker.bids == [OrderLevel(price: 0.18, amount: 0)])
        }
        let bad = "\(header)\n\(row.replacing("74.2", with: "many"))\n"
        #expect(
            Self.error { _ = try Chain(Source(name: "c", text: bad), &badRows) }.contains(
                "column \"Mark_IV\""))
    }

    @Test("Of two columns that differ in letters alone the one by the letter is read; else neither")
    func letters() throws {
        // A kline: `l` is the low, `L` the number of the last trade, `t` and `T` begin and end it.
        let kline = "T,t,L,o,h,l,c,V,v\n"
        let rows = (0..<2).map { "17292132\($0)0000,172920960\($0)000,77,10,12,9,11,1,2\n" }.joined()
        var badRows = BadRows(skip: false)
        let table = try CandleTable(Source(name: "k", text: kline + rows), &badRows)
        #expect(table.candles[0].low == 9 && table.candles[0].timestamp.milliseconds == 1_729_209_600_000)
        #expect(
            Self.positionError("BOOK,Book,instrument,quantity\na,b,BTC-PERPETUAL,1\n")
                == "p:1: column \"book\" stands twice")
        let both = try Self.positions("Book,book,instrument,quantity\na,b,BTC-PERPETUAL,1\n")
        #expect(both.positions[0].book == "b")
    }

    @Test(
        "A column that is nearly one that may be left out is refused, not ignored",
        arguments: [
            ("boook,instrument,quantity", "book", "boook"), ("Bok,instrument,quantity", "book", "Bok"),
            ("bokos,instrument,quantity", "", ""), ("bond,instrument,quantity", "", ""),
            ("instrument,quantity,sides", "side", "sides"), ("instrument,quantity,Sied", "side", "Sied"),
            ("instrument,size,sign", "", ""), ("instrument,size,quantity", "", ""),
            ("instrument,quantity,driection", "direction", "driection"),
            ("instrument,quantity,exchang", "exchange", "exchang"),
        ])
    func nearly(_ header: String, _ column: String, _ guess: String) {
        let places = header.split(separator: ",").map { $0 == "instrument" ? "BTC-PERPETUAL" : "1" }
        let message = Self.positionError("\(header)\n\(places.joined(separator: ","))\n")
        if column.isEmpty {
            #expect(message.isEmpty)
        } else {
            #expect(
                message.hasPrefix("p:1: column \"\(column)\" is missing; is it \"\(guess)\"?"), "\(message)")
        }
    }

    @Test("So are the others that may be left out: fees, and the book of options that are held")
    func nearlyOthers() {
        var badRows = BadRows(skip: false)
        for (fees, column) in [("fees", "fee"), ("fee_us", "fee_usd"), ("Fees_USD", "fee_usd")] {
            let text = "book,instrument,quantity,price,\(fees)\nb,BTC-PERPETUAL,1,65000,2\n"
            let message = Self.error { _ = try TradeTable(Source(name: "t", text: text), &badRows) }
            #expect(message.contains("column \"\(column)\" is missing; is it \"\(fees)\"?"), "\(message)")
        }
        let options = "type,spot,strike,years,vol,rate,dividend,quantity,bookk\nC,100,90,1,0.2,0,0,1,b\n"
        #expect(
            Self.error {
                _ = try OptionTable(Source(name: "o", text: options), holdings: true, &badRows)
            }.contains("is it \"bookk\"?"))
        #expect(
            Self.error { _ = try OptionTable(Source(name: "o", text: options), &badRows) }.isEmpty)
    }

    @Test(
        "Errors call a column as the file does, or as it stands in the documentation where the file has no names"
    )
    func fileNames() {
        #expect(
            Self.positionError("Instrument_Name,Size\nBTC-PERPETUAL,x\n")
                == "p:2: column \"Size\": value \"x\": is not a number")
        #expect(
            Self.positionError("instrument_name,size\nX,1\n").hasPrefix("p:2: column \"instrument_name\""))
        #expect(
            Self.positionError("instrument,amount,Side\nBTC-PERPETUAL,-1,buy\n")
                == "p:2: column \"amount\": value \"-1\": is below 0, but the direction is buy")
        func candles(_ text: String) -> String {
            var badRows = BadRows(skip: false)
            return Self.error { _ = try CandleTable(Source(name: "c", text: text), &badRows) }
        }
        #expect(candles("t,o,h,l,c\n1729209600,0,1,1,1\n").hasPrefix("c:2: column \"o\": value \"0\""))
        #expect(
            candles("Open time,Close\n1729209600,1\n1729209600,1\n").hasPrefix("c:3: column \"Open time\""))
        #expect(candles("1729209600,1\n1729213200,-1\n").hasPrefix("c:2: column \"close\": value \"-1\""))
        #expect(
            candles("[[1729209600,1],\n[1729213200,-1]]").hasPrefix("c:2: column \"close\": value \"-1\""))
    }

    @Test("Errors name the line of the header and, in JSON, of the value")
    func lines() {
        #expect(Self.positionError("\n\nbook,quantity\n").hasPrefix("p:3: column \"instrument\" is missing"))
        #expect(
            Self.positionError("\nbook,instrument,quantity,quantity\n")
                == "p:2: column \"quantity\" stands twice")
        let columns = """
            {"instrument": ["BTC-PERPETUAL", "ETH-PERPETUAL",
              "SOL_USDC-PERPETUAL"],
             "quantity": [1, 2,
              "x"]}
            """
        #expect(Self.positionError(columns).hasPrefix("p:4: column \"quantity\": value \"x\""))
        let object = "[\n{\"instrument\": \"BTC-PERPETUAL\",\n \"quantity\": \"x\"}]"
        #expect(Self.positionError(object).hasPrefix("p:3: column \"quantity\": value \"x\""))
        #expect(
            (try? Self.positions(columns.replacing("\"x\"", with: "3")).positions.map(\.line)) == [1, 1, 2])
    }

    @Test("Names with rows of values are read as a table of text is: no name twice, as many values as names")
    func split() throws {
        func text(_ columns: String, _ rows: String...) -> String {
            "{\"columns\": [\(columns)],\n \"data\": [\(rows.joined(separator: ",\n"))]}"
        }
        let names = "\"instrument\", \"quantity\""
        #expect(
            Self.positionError(text("0, \(names)", "[0, \"BTC-PERPETUAL\", 1]"))
                == "p:1: column \"columns\": value \"0\": is no name of a column: expected a text")
        #expect(
            Self.positionError(text("\(names), \"quantity\"", "[\"BTC-PERPETUAL\", 1, 2]"))
                == "p:2: column \"quantity\" stands twice")
        // Nobody reads it.
        let notes = try Self.positions(text("\"note\", \(names), \"note\"", "[1, \"BTC-PERPETUAL\", 5, 2]"))
        #expect(notes.positions.map(\.quantity) == [5])
        let good = "[\"BTC-PERPETUAL\", 1]"
        #expect(
            Self.positionError(text(names, good, "[\"BTC-PERPETUAL\"]"))
                == "p:3: 1 field where the header has 2: nothing for column \"quantity\" after \"\"BTC-PERPETUAL\"\""
        )
        #expect(
            Self.positionError(text(names, good, "[\"BTC-PERPETUAL\", 1, 7]"))
                == "p:3: 3 fields where the header has 2: \"7\" after the last column, \"quantity\"")
        let skipped = try Self.positions(text(names, "[1, 2, 3]", good), skip: true)
        #expect(skipped.positions.map(\.line) == [3])
    }

    @Test("A table without rows has none, as text and as JSON; what is nothing at all is empty")
    func noRows() throws {
        for text in [
            "book,instrument,quantity\n", "[]", "{\"result\": []}",
            "{\"retCode\": 0, \"result\": {\"list\": []}}",
            "{\"columns\": [\"book\"], \"data\": []}", "{\"instrument\": [], \"quantity\": []}",
        ] {
            #expect(try Self.positions(text).positions.isEmpty, "\(text)")
        }
        for text in ["", "\n", "{}"] { #expect(Self.positionError(text) == "p: is empty", "\(text)") }
        var badRows = BadRows(skip: false)
        #expect(try TradeTable(Source(name: "t", text: "[]"), &badRows).trades.isEmpty)
        #expect(
            Self.error { _ = try CandleTable(Source(name: "c", text: "[]"), &badRows) }
                == "c: holds 0 candles: two are needed")
    }

    @Test("Perpetuals alone need no column of their future's price, in a table as in JSON; options miss it")
    func withoutFutures() throws {
        let header = "instrument_name,timestamp,mark_price"
        let perpetual = "BTC-PERPETUAL,1711102028463,65000"
        var badRows = BadRows(skip: true)
        let chain = try Chain(Source(name: "c", text: "\(header)\n\(perpetual)\n"), &badRows)
        #expect(chain.tickers.map(\.markPrice) == [65_000])
        let option = "BTC-27DEC24-90000-C,1711102028463,0.185"
        let message = Self.error {
            _ = try Chain(Source(name: "c", text: "\(header)\n\(perpetual)\n\(option)\n"), &badRows)
        }
        #expect(message.hasPrefix("c:1: column \"underlying_price\" is missing"))
    }

    @Test("A row of options that is skipped leaves no column longer than the others")
    func skippedOptions() throws {
        let text = """
            type,spot,strike,years,vol,rate,dividend,quantity,book
            C,100,90,1,0.2,0,0,1,
            P,100,90,1,0.2,0,0,2,b
            P,100,90,1,0.2,0,0,x,c
            """
        var badRows = BadRows(skip: true)
        let table = try OptionTable(Source(name: "o", text: text), holdings: true, &badRows)
        #expect(badRows.skipped.count == 2 && table.count == 1)
        #expect(table.quantities == [2] && table.books == [0] && table.bookNames == ["b"])
    }
}
