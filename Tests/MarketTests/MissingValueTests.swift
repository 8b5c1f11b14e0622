import Market
import Testing

/// Values that are not there.
struct MissingValueTests {
    static let marks = [
        "", "NaN", "nan", "NAN", "-nan", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None", "\\N",
        "-", " NaN ",
    ]

    @Test("a mark for a missing value means none where none may be", arguments: marks)
    func optional(_ mark: String) throws {
        let header =
            "instrument_name,timestamp,underlying_price,underlying_index,mark_price,mark_iv,index_price,bid_price"
        let text = """
            \(header)
            BTC-PERPETUAL,1711102028463,\(mark),\(mark),65000,\(mark),\(mark),\(mark)
            BTC-27DEC24-70000-C,1711102028463,73663.61,\(mark),\(mark),70.5,\(mark),\(mark)
            """
        var badRows = BadRows(skip: false)
        let tickers = try Chain(Source(name: "chain.csv", text: text), &badRows).tickers
        #expect(tickers.map(\.markPrice) == [65000, nil])
        #expect(tickers.allSatisfy { $0.indexPrice == nil && $0.underlyingIndex == nil && $0.bids.isEmpty })
        let json = """
            [{"instrument_name": "BTC-PERPETUAL", "timestamp": 1711102028463, "mark_price": "65000",
              "index_price": \(JSONText.quoted(mark)), "underlying_index": \(JSONText.quoted(mark)), "open_interest": NaN,
              "best_bid_price": null}]
            """
        let ticker = try Chain(Source(name: "chain.json", text: json), &badRows).tickers[0]
        #expect(ticker.markPrice == 65000 && ticker.indexPrice == nil && ticker.underlyingIndex == nil)
        #expect(ticker.openInterest == nil && ticker.bids.isEmpty)
    }

    @Test("where a value must be, a mark for a missing one is named with its place", arguments: marks)
    func required(_ mark: String) {
        for (fields, column) in [
            ("\(mark),BTC-PERPETUAL,1", "book"), ("a,\(mark),1", "instrument"),
            ("a,BTC-PERPETUAL,\(mark)", "quantity"),
        ] {
            let text = "book,instrument,quantity\na,BTC-PERPETUAL,1\n\(fields)\n"
            var badRows = BadRows(skip: false)
            do throws(MarketError) {
                _ = try PositionTable(Source(name: "p.csv", text: text), &badRows)
                Issue.record("\(fields) was read")
            } catch {
                #expect(
                    "\(error)".hasPrefix("p.csv:3: column \"\(column)\"")
                        && "\(error)".hasSuffix("is missing"))
            }
        }
    }

    @Test("a boolean is no number")
    func booleans() {
        let text = #"[{"instrument_name": "BTC-PERPETUAL", "timestamp": 1711102028463, "mark_price": true}]"#
        var badRows = BadRows(skip: false)
        #expect(throws: MarketError.self) { try Chain(Source(name: "chain.json", text: text), &badRows) }
    }

    private enum JSONText {
        static func quoted(_ text: String) -> String { JSON.quoted(text) }
    }
}
