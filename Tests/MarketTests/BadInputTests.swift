import Foundation
import Market
import TestSupport
import Testing

/// Every kind of bad input names file, line, column and value, and can be skipped where it is of one row.
struct BadInputTests {
    static let header = "type,spot,strike,years,vol,rate,dividend"
    static let goodRow = "C,100,90,1,0.2,0.01,0"

    static func error(_ read: () throws(MarketError) -> Void) -> MarketError? {
        do throws(MarketError) {
            try read()
            return nil
        } catch {
            return error
        }
    }

    static func optionsError(_ text: String) -> MarketError? {
        error { () throws(MarketError) in
            var badRows = BadRows(skip: false)
            _ = try OptionTable(Source(name: "options.csv", text: text), &badRows)
        }
    }

    static func chainError(_ bytes: [UInt8]) -> MarketError? {
        error { () throws(MarketError) in
            var badRows = BadRows(skip: false)
            _ = try Chain(Source(name: "chain", bytes: bytes), &badRows)
        }
    }

    @Test(
        "A bad field of an option table is an error with its line, column and value",
        arguments: [
            ("type", "X", "must be C or P"), ("type", "", "is missing"), ("type", "-", "is missing"),
            ("spot", "-1", "must be at least 0 and finite"),
            ("spot", "1e999", "must be at least 0 and finite"),
            ("strike", "abc", "is not a number"), ("strike", "-0.5", "must be at least 0 and finite"),
            ("years", "", "is missing"), ("years", "-1", "must be at least 0 and finite"),
            ("vol", "nan", "is missing"), ("vol", "\\N", "is missing"),
            ("vol", "-0.2", "must be at least 0 and finite"),
            ("vol", "1,5", ""), ("rate", "inf", "is not a number"), ("rate", "0x1p3", "is not a number"),
            ("dividend", "1e400", "must be finite"), ("dividend", "1 2", "is not a number"),
            ("dividend", "--1", "is not a number"), ("dividend", "1e", "is not a number"),
        ])
    func optionFields(_ column: String, _ value: String, _ reason: String) throws {
        var fields = Self.goodRow.split(separator: ",").map(String.init)
        fields[try #require(Self.header.split(separator: ",").firstIndex { $0 == column })] = value
        let text = "\(Self.header)\n\(Self.goodRow)\n\(fields.joined(separator: ","))\n\(Self.goodRow)\n"
        let error = Self.optionsError(text)
        if value.contains(",") {
            #expect(
                error
                    == .ragged(
                        file: "options.csv", line: 3, expected: 7, got: 8, column: "dividend", value: "0"))
        } else {
            #expect(
                error
                    == .invalidValue(
                        file: "options.csv", line: 3, column: column, value: value, reason: reason))
            let message = "\(try #require(error))"
            #expect(
                message.contains("options.csv:3:") && message.contains("\"\(column)\"")
                    && message.contains("\"\(value)\""))
        }
        var badRows = BadRows(skip: true)
        let table = try OptionTable(Source(name: "options.csv", text: text), &badRows)
        #expect(table.lines == [2, 4] && badRows.skipped == [error])
    }

    @Test("An empty file, a missing column and a damaged quote are errors that say so")
    func files() throws {
        #expect(Self.optionsError("") == .empty(file: "options.csv"))
        #expect(Self.optionsError("\n\n") == .empty(file: "options.csv"))
        let missing = Self.optionsError("type,spot,strike,years,volatilty,rate,dividend\n")
        #expect(
            missing
                == .missingColumn(
                    file: "options.csv", column: "vol",
                    found: ["type", "spot", "strike", "years", "volatilty", "rate", "dividend"]))
        #expect(
            "\(try #require(Self.optionsError("typ,spot,strike,years,vol,rate,dividend\n")))".contains(
                "is it \"typ\"?"))
        #expect(
            Self.optionsError("\(Self.header),vol\n") == .repeatedColumn(file: "options.csv", column: "vol"))
        #expect(
            Self.optionsError("\(Self.header)\n\(Self.goodRow)\nC,1\n")
                == .ragged(
                    file: "options.csv", line: 3, expected: 7, got: 2, column: "strike", value: "1"))
        #expect(
            Self.optionsError("\(Self.header)\n\"C,1\n") == .malformedQuotes(file: "options.csv", line: 2))
        #expect(
            Self.optionsError("\(Self.header)\n\"C\"x,1\n") == .malformedQuotes(file: "options.csv", line: 2))
        #expect(Self.optionsError("\(Self.header)\nC,1\0,1\n") == .notText(file: "options.csv", line: 2))
        #expect(
            Self.error { () throws(MarketError) in _ = try Source(path: "/nowhere/at-all.csv") }
                == .unreadable(file: "/nowhere/at-all.csv", reason: "No such file or directory"))
        #expect(
            Self.error { () throws(MarketError) in _ = try Source(path: "/tmp") }
                == .unreadable(file: "/tmp", reason: "is a directory"))
    }

    @Test("Lines within quotes count, and a quote that is doubled is one")
    func quotedLines() throws {
        // A note of three lines, with a quote, a comma and an empty line in it.
        let note = "\"a \"\"b\"\",\n\nc\""
        func error(_ rows: String...) -> MarketError? {
            Self.optionsError(([Self.header + ",note"] + rows).joined(separator: "\n") + "\n")
        }
        let good = Self.goodRow + "," + note
        #expect(error(good, good) == nil)
        #expect(
            error(good, good, Self.goodRow.replacing("90", with: "x") + ",y")
                == .invalidValue(
                    file: "options.csv", line: 8, column: "strike", value: "x", reason: "is not a number"))
        #expect(
            error(good, "\"\"\"C\"\"P\",100,90,1,0.2,0.01,0," + note)
                == .invalidValue(
                    file: "options.csv", line: 5, column: "type", value: "\"C\"P", reason: "must be C or P"))
    }

    @Test("A line of ten megabytes is an error of its own line, and the other lines can be used")
    func longLine() throws {
        let long = String(repeating: "1", count: 10 << 20)
        for field in [long, "\"\(long)\"", String(repeating: "1,", count: 5 << 20)] {
            let text = "\(Self.header)\n\(Self.goodRow)\nC,100,\(field),1,0.2,0.01,0\n\(Self.goodRow)\n"
            let expected = MarketError.lineTooLong(
                file: "options.csv", line: 3, limit: 1 << 20, start: String("C,100,\(field)".prefix(80)))
            #expect(Self.optionsError(text) == expected)
            var badRows = BadRows(skip: true)
            let table = try OptionTable(Source(name: "options.csv", text: text), &badRows)
            #expect(table.lines == [2, 4] && badRows.skipped == [expected])
        }
    }

    @Test("A bad row of positions is an error with its line, column and value")
    func positions() throws {
        func error(_ row: String) -> MarketError? {
            Self.error { () throws(MarketError) in
                var badRows = BadRows(skip: false)
                _ = try PositionTable(
                    Source(name: "p.csv", text: "book,instrument,quantity\n\(row)\n"), &badRows)
            }
        }
        guard
            case .invalidValue(.line("p.csv", 2), "instrument", "BTC-27JUNE25", _) = error("b,BTC-27JUNE25,1")
        else {
            Issue.record("unparsable instrument accepted")
            return
        }
        #expect(
            error(",BTC-PERPETUAL,1")
                == .invalidValue(file: "p.csv", line: 2, column: "book", value: "", reason: "is missing"))
        #expect(
            error("b,BTC-PERPETUAL,many")
                == .invalidValue(
                    file: "p.csv", line: 2, column: "quantity", value: "many", reason: "is not a number"))
    }

    static let chainHeader =
        "instrument_name,timestamp,underlying_price,mark_iv,mark_price,bids,asks,index_price"
    static let chainRow = "BTC-26MAR21-8000-P,1613068626269,49681.25,231.06,0.00104,[],\"[[0.1, 2.0]]\",47793"

    @Test("Levels of nothing are none, and a row at its expiry says so")
    func levelsOfNothing() throws {
        func chain(_ levels: String, _ time: String = "1613068626269") throws -> Chain {
            let row = "BTC-26MAR21-8000-P,\(time),49681.25,231.06,0.00104,[],\"\(levels)\",47793"
            var badRows = BadRows(skip: false)
            return try Chain(Source(name: "chain", text: "\(Self.chainHeader)\n\(row)\n"), &badRows)
        }
        let ticker = try chain("[[0.1, 0], [0.2, 3.0]]").tickers[0]
        #expect(ticker.asks == [OrderLevel(price: 0.2, amount: 3)])
        #expect(try chain("[[0.1, 0]]").tickers[0].asks.isEmpty)
        #expect {
            try chain("[[0.1, 2]]", "1616745600000")
        } throws: {
            "\($0)".hasSuffix("expired at 2021-03-26 08:00:00 UTC, the time of this row")
        }
    }

    @Test(
        "A bad field of a chain is an error with its line, column and value",
        arguments: [
            ("instrument_name", "BTC-26MAR21-8000-Q", "option type"), ("instrument_name", "", "missing"),
            ("instrument_name", "BTC-11FEB21-8000-P", "expired"), ("timestamp", "", "missing"),
            ("timestamp", "-5", "expected a time"), ("timestamp", "1.5", "expected a time"),
            ("underlying_price", "0", "above 0"), ("underlying_price", "", "missing"),
            ("underlying_price", "nan", "is missing"), ("mark_iv", "-3", "at least 0"),
            ("mark_price", "-0.1", "at least 0"),
            ("index_price", "-1", "above 0"),
            ("bids", "[[0.1]]", "list of [price, amount]"), ("bids", "[[-1.0, 2]]", "above 0"),
            ("bids", "[[0.2, 1.0]]", "crossed market"), ("bids", "[[0.1, 1.0]]", "locked market"),
            ("bids", "[[0.05, 1.0], [0.06, 1.0]]", "better than the level before it, 0.05"),
            ("asks", "[[0.06, 1.0], [0.05, 1.0]]", "better than the level before it, 0.06"),
            ("bids", "[[0.05, 1.0]", "list of [price, amount]"),
        ])
    func chainFields(_ column: String, _ value: String, _ reason: String) throws {
        let names = Self.chainHeader.split(separator: ",").map(String.init)
        var fields = [
            "BTC-26MAR21-8000-P", "1613068626269", "49681.25", "231.06", "0.00104", "[]", "\"[[0.1, 2.0]]\"",
            "47793",
        ]
        fields[try #require(names.firstIndex(of: column))] = value.contains("[") ? "\"\(value)\"" : value
        let other = Self.chainRow.replacingOccurrences(of: "8000-P", with: "9000-P")
        let text = "\(Self.chainHeader)\n\(other)\n\(fields.joined(separator: ","))\n"
        guard case .invalidValue(.line("chain", 3), let found, _, let why) = Self.chainError(Array(text.utf8))
        else {
            Issue.record("\(column) \"\(value)\" was accepted")
            return
        }
        #expect(found == column)
        #expect(why.contains(reason), "\(why)")
        var badRows = BadRows(skip: true)
        let chain = try Chain(Source(name: "chain", text: text), &badRows)
        #expect(chain.tickers.count == 1 && badRows.skipped.count == 1)
    }

    @Test("A chain without a required column is an error that names the column")
    func chainColumns() throws {
        for column in ["instrument_name", "timestamp", "underlying_price", "mark_iv", "mark_price"] {
            let text =
                Self.chainHeader.replacingOccurrences(of: column, with: column + "s") + "\n" + Self.chainRow
            guard case .missingColumn("chain", 1, column, _)? = Self.chainError(Array(text.utf8)) else {
                Issue.record("\(column) is required")
                continue
            }
        }
    }

    @Test("Equal rows of one instrument and time are one; different ones are an error with both values")
    func conflicts() throws {
        let rows = [
            Self.chainRow, Self.chainRow, Self.chainRow.replacingOccurrences(of: "231.06", with: "231.07"),
        ]
        var badRows = BadRows(skip: false)
        let twice = "\(Self.chainHeader)\n" + rows[...1].joined(separator: "\n")
        #expect(try Chain(Source(name: "chain", text: twice), &badRows).tickers.count == 2)
        let error = Self.chainError(Array("\(Self.chainHeader)\n\(rows.joined(separator: "\n"))".utf8))
        guard case .conflict(.line("chain", 4), "mark_iv", let value, let earlier, .line("chain", 3))? = error
        else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(abs((Double(value) ?? 0) - 231.07) < 1e-9 && abs((Double(earlier) ?? 0) - 231.06) < 1e-9)
        let second = Self.error { () throws(MarketError) in
            _ = try Chain(
                [
                    Source(name: "one", text: "\(Self.chainHeader)\n\(rows[0])"),
                    Source(name: "two", text: "\(Self.chainHeader)\n\(rows[2])"),
                ], &badRows)
        }
        let message = second.map { "\($0)" } ?? ""
        #expect(message.hasPrefix("two:2: column \"mark_iv\": value \"231.0"))
        #expect(message.contains(": one:2 of the same instrument and time has \"231.06"))
        // The same values at another time are a later row.
        let later = Self.chainRow.replacingOccurrences(of: "1613068626269", with: "1613068626270")
        let chain = try Chain(
            Source(name: "chain", text: "\(Self.chainHeader)\n\(later)\n\(Self.chainRow)"), &badRows)
        #expect(chain.latestTickers.map(\.timestamp.milliseconds) == [1_613_068_626_270])
    }

    @Test(
        "Broken JSON is an error with its line and what was expected",
        arguments: [
            ("{\"result\": ", 1, "ends too early"), ("{\"a\": 1,\n}", 2, "member's name"),
            ("[1,\n 2,\n x]", 3, "unexpected"),
            ("{\"a\": \"\u{01}\"}", 1, "control character"), ("{\"a\": 1 \"b\": 2}", 1, "expected \",\""),
            ("{\"a\": 01x}", 1, "unexpected"), ("[\"\\q\"]", 1, "escape"), ("[\"\\ud800\"]", 1, "surrogate"),
            ("{\"a\":1,\"a\":2}", 1, "twice"), ("[Infinity]", 1, "unexpected"),
            ("[1,]", 1, "unexpected \"]\""), ("{\"a\":,}", 1, "unexpected \",\""),
            (String(repeating: "[", count: 100_000), 1, "nested too deeply"),
        ])
    func json(_ text: String, _ line: Int, _ reason: String) {
        guard case .invalidJSON("chain", line, let why)? = Self.chainError(Array(text.utf8)) else {
            Issue.record("accepted, or the wrong line")
            return
        }
        #expect(why.contains(reason), "\(why)")
    }

    @Test("A bad value in an exchange's reply is an error with its field and value")
    func jsonValues() throws {
        let good = String(decoding: try ReaderTests.fixture("ticker.json").bytes, as: UTF8.self)
        func error(_ from: String, _ to: String) -> MarketError? {
            Self.chainError(Array(good.replacingOccurrences(of: from, with: to).utf8))
        }
        #expect(
            error("\"mark_iv\": 51.37", "\"mark_iv\": -51.37")
                == .invalidValue(
                    file: "chain", line: 12, column: "mark_iv", value: "-51.37",
                    reason: "must be at least 0 and finite"))
        #expect(
            error("\"delta\": 0.45011", "\"delta\": \"x\"")
                == .invalidValue(
                    file: "chain", line: 23, column: "greeks.delta", value: "\"x\"", reason: "is not a number"
                ))
        guard
            case .invalidValue(_, "underlying_price", _, "is missing") = error("underlying_price", "price")
        else {
            Issue.record("a missing member was accepted")
            return
        }
        let refused = Self.chainError(
            Array("{\"error\": {\"code\": 10009, \"message\": \"not_enough_funds\"}}".utf8))
        #expect("\(try #require(refused))".contains("not_enough_funds"))
    }

    /// Random damage to good files gives a result or an error, never a trap, and skipping loses nothing
    /// else: rows read and rows skipped add up.
    @Test("Random damage gives a result or an error, and skipping bad rows loses no good one")
    func damage() throws {
        let path = SharedData.packageRoot.appendingPathComponent("Examples/sample/chain.csv").path
        let table = Array(try Source(path: path).bytes.prefix(6_000))
        let json = try ReaderTests.fixture("book-summary.json").bytes
        var generator = SeededGenerator(seed: 13)
        func random(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        var refused = 0
        for round in 0..<3_000 {
            var bytes = round % 2 == 0 ? table : json
            for _ in 0...random(3) {
                let place = random(bytes.count)
                switch random(4) {
                case 0: bytes[place] = UInt8(random(256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8(ascii: "\",\n[]{}-.e0"[random(11)]), at: place)
                default: bytes.removeLast(random(min(200, bytes.count)))
                }
            }
            for skip in [false, true] {
                var badRows = BadRows(skip: skip)
                do {
                    let chain = try Chain(Source(name: "damaged", bytes: bytes), &badRows)
                    #expect(chain.tickers.count + badRows.skipped.count > 0)
                } catch {
                    refused += 1
                    #expect(!"\(error)".isEmpty)
                }
            }
        }
        #expect(refused > 300)
    }
}

extension UInt8 {
    fileprivate init(ascii character: Character) { self = character.asciiValue ?? 0 }
}

extension String {
    fileprivate subscript(place: Int) -> Character { self[index(startIndex, offsetBy: place)] }
}
