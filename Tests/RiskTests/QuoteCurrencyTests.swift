import Poise
import Testing

/// What counts in dollars, and what does not.
struct QuoteCurrencyTests {
    static let time: Int64 = 1_756_000_000_000

    static func spot(_ name: String, _ price: Double) -> String {
        "{\"instrument_name\": \"\(name)\", \"timestamp\": \(time), \"mark_price\": \(price)}"
    }

    /// The value and delta of 100 of a pair in a chain of others.
    static func exposure(_ name: String, _ chain: [String]) throws -> (value: Double, delta: Double) {
        var badRows = BadRows(skip: false)
        let chain = try Chain(
            Source(name: "chain", text: "[\(chain.joined(separator: ",\n"))]"), &badRows)
        let table = try PositionTable(
            Source(name: "positions", text: "book,instrument,quantity\na,\(name),100\n"), &badRows)
        let valuation = try BookValuation(table, in: chain, &badRows)
        valuation.greeks.compute(try GreeksEngine())
        let figures = UnitExposures(count: 1)
        figures.update(from: valuation.greeks, in: .usd)
        return (100 * figures[0, .value], 100 * figures[0, .delta])
    }

    @Test("A coin is no dollar: a pair's price is converted by its quote currency's own")
    func converted() throws {
        let index = """
            {"instrument_name": "BTC-PERPETUAL", "timestamp": \(Self.time), "mark_price": 115100, "index_price": 115000}
            """
        let cases: [(String, [String], Double)] = [
            // By the index before the perpetual, by a pair in stablecoin, by the coin's own price, by a euro's.
            ("ETH_BTC", [Self.spot("ETH_BTC", 0.0412), index, Self.spot("ETH_USDC", 4700)], 473_800),
            ("STETH_ETH", [Self.spot("STETH_ETH", 0.9995), Self.spot("ETH_USDC", 4740)], 473_763),
            ("ETH_BTC", [Self.spot("ETH_BTC", 0.0412), Self.spot("ETH_USDC", 4740)], 474_000),
            ("BTC_EURR", [Self.spot("BTC_EURR", 98_000), Self.spot("EURR_USDC", 1.17)], 11_466_000),
            ("ETH_USDT", [Self.spot("ETH_USDT", 4740)], 474_000),
            ("ETH_USDE", [Self.spot("ETH_USDE", 4740)], 474_000),
        ]
        for (name, chain, value) in cases {
            let (own, delta) = try Self.exposure(name, chain)
            #expect(abs(own - value) < 1e-9 * value && abs(delta - value) < 1e-9 * value, "\(name): \(own)")
        }
    }

    @Test("A currency without a price in dollars is refused, naming row and currency")
    func refused() {
        #expect {
            _ = try Self.exposure("BTC_EURR", [Self.spot("BTC_EURR", 98_000), Self.spot("ETH_USDC", 4740)])
        } throws: { error in
            let message = "\(error)"
            return message.hasPrefix("positions:2:") && message.contains("BTC_EURR")
                && message.contains("is quoted in EURR, which is no dollar")
        }
    }

    @Test("A position is the contract of the exchange that its row names, where the row names one")
    func exchanges() throws {
        // A name that Deribit has for a contract in bitcoin, Bybit for one in dollars.
        let chain = [
            """
            {"symbol": "BTC-27DEC24-55000-P", "ts": 1711162433203, "markPrice": 11823, "markIv": 0.8866, "underlyingPrice": 71652}
            """
        ]
        func value(_ exchange: String) throws -> Double {
            var badRows = BadRows(skip: false)
            let chain = try Chain(Source(name: "chain", text: "[\(chain[0])]"), &badRows)
            let table = try PositionTable(
                Source(
                    name: "positions",
                    text: "book,instrument,quantity,exchange\na,BTC-27DEC24-55000-P,2,\(exchange)\n"),
                &badRows)
            return try #require(BookValuation(table, in: chain, &badRows).positions.first).quantity
        }
        #expect(try value("bybit") == 2 && value("") == 2)
        for (exchange, message) in [
            (
                "deribit",
                "positions:2: column \"instrument\": value \"BTC-27DEC24-55000-P\": is bybit's contract in chain"
            ),
            ("mtgox", "positions:2: column \"exchange\": value \"mtgox\": is no exchange that is known"),
            ("okx", "positions:2: column \"instrument\": value \"BTC-27DEC24-55000-P\": no instrument name"),
        ] {
            #expect { _ = try value(exchange) } throws: { "\($0)".hasPrefix(message) }
        }
    }

    @Test("A ticker that the formulas refuse is named as its file names the field, in its unit")
    func refusedTicker() throws {
        var badRows = BadRows(skip: false)
        let text = """
            {"instId": "BTC-USD-251226-100000-C", "markVol": "0.5", "fwdPx": "1e-80", "ts": "1752000000000"}
            """
        let okx = try Chain(Source(name: "chain", text: text), &badRows)
        #expect {
            _ = try ChainGreeks(okx.tickers, .all, &badRows)
        } throws: { "\($0)".hasPrefix("chain:1: column \"fwdPx\": value \"1e-80\": must be") }
        let table =
            "symbol,timestamp,underlying_price,mark_iv\nBTC-27DEC24-90000-C,1711102028463,73663.5,1e9\n"
        let deribit = try Chain(Source(name: "chain", text: table), &badRows)
        #expect {
            _ = try ChainGreeks(deribit.tickers, .all, &badRows)
        } throws: {
            "\($0)"
                == "chain:2: column \"mark_iv\": value \"1000000000.0\": must be from 0 to 1000000 as a fraction"
        }
    }

    @Test("A trade of a pair is paid in its quote currency: its profit is converted, too")
    func explained() throws {
        func chain(_ time: Int64, _ price: Double) throws -> Chain {
            var badRows = BadRows(skip: false)
            let rows = [("ETH_BTC", price), ("BTC_USDC", 100_000)].map {
                "{\"instrument_name\": \"\($0.0)\", \"timestamp\": \(time), \"mark_price\": \($0.1)}"
            }
            return try Chain(Source(name: "chain", text: "[\(rows.joined(separator: ","))]"), &badRows)
        }
        var badRows = BadRows(skip: false)
        let pair = try Instrument(name: "ETH_BTC")
        let explanation = try ProfitExplanation(
            from: try chain(Self.time, 0.04), to: try chain(Self.time + 3_600_000, 0.042),
            PositionTable(name: "positions", [.init(book: "a", instrument: pair, quantity: 10, line: 1)]),
            TradeTable(
                file: "trades", trades: [.init(book: "a", instrument: pair, quantity: 5, price: 0.041)]),
            in: .usd, try GreeksEngine(), &badRows)
        let sums = explanation.sums(by: [.book])
        // 10 × 0.002 and 5 × 0.001 bitcoin.
        #expect(abs(sums[0, .profit] - 2_500) < 1e-6 && abs(sums[0, .trades] - 500) < 1e-6)
    }

    @Test("Rows that the formulas do not accept leave a chain in one pass, in order")
    func rejectedRows() throws {
        var badRows = BadRows(skip: true)
        let tickers = try (0..<20).map { row in
            Ticker(
                instrument: try Instrument(name: "BTC-27JUN31-\(1000 + row)-C"),
                timestamp: Timestamp(milliseconds: Self.time), place: .line(file: "chain", row),
                underlyingPrice: 60_000, underlyingIndex: nil, indexPrice: nil, markPrice: nil,
                markVolatility: row % 3 == 1 ? 1e9 : 0.5, openInterest: nil, bids: [], asks: [],
                published: nil)
        }
        let greeks = try ChainGreeks(tickers, .price, &badRows)
        #expect(
            greeks.tickers.map(\.place) == (0..<20).filter { $0 % 3 != 1 }.map { .line(file: "chain", $0) })
        #expect(
            badRows.skipped.count == 7 && "\(badRows.skipped[0])".hasPrefix("chain:1: column \"mark_iv\""))
    }
}
