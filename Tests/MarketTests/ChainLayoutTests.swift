import Foundation
import Market
import TestSupport
import Testing

/// The same facts in the forms that exchanges, clients and vendors give them.
struct ChainLayoutTests {
    typealias Exchanges = ExchangeTests

    static let option = """
        {"instrument_name": "BTC-27DEC24-90000-C", "creation_timestamp": 1711102028463, "underlying_price": 73663.5, \
        "underlying_index": "BTC-27DEC24", "estimated_delivery_price": 65383.75, "interest_rate": 0.0, "mark_price": 0.185, \
        "mark_iv": 74.2, "bid_price": 0.18, "ask_price": 0.19}
        """

    /// The option as JSON has it.
    static func plain() throws -> Ticker {
        try #require(Exchanges.chain("[\(option)]").tickers.first)
    }

    static func expectSame(_ text: String, _ comment: Comment) throws {
        let (ticker, plain) = (try #require(Exchanges.chain(text).tickers.first), try plain())
        #expect(
            ticker.instrument == plain.instrument && ticker.timestamp == plain.timestamp
                && ticker.underlyingPrice == plain.underlyingPrice && ticker.indexPrice == plain.indexPrice
                && ticker.markPrice == plain.markPrice && ticker.markVolatility == plain.markVolatility
                && ticker.bids.map(\.price) == plain.bids.map(\.price), comment)
    }

    @Test("A summary is the same chain as JSON, as a table, as texts and within a client's objects")
    func sameFacts() throws {
        try Self.expectSame(
            """
            instrument_name,creation_timestamp,underlying_price,underlying_index,estimated_delivery_price,interest_rate,mark_price,mark_iv,bid_price,ask_price
            BTC-27DEC24-90000-C,1711102028463,73663.5,BTC-27DEC24,65383.75,0.0,0.185,74.2,0.18,0.19
            """, "table")
        let texts = Self.option.replacing(#/: ([0-9.]+)/#) { ": \"\($0.output.1)\"" }
        #expect(texts.contains("\"74.2\""))
        try Self.expectSame("[\(texts)]", "numbers as texts")
        try Self.expectSame("{\"jsonrpc\": \"2.0\", \"result\": [\(texts)]}", "reply")
        try Self.expectSame(
            "{\"BTC/USD:BTC-241227-90000-C\": {\"symbol\": \"BTC/USD:BTC-241227-90000-C\", \"info\": \(texts)}}",
            "a client's chain")
        try Self.expectSame(
            "{\"method\": \"subscription\", \"params\": {\"channel\": \"ticker.BTC-27DEC24-90000-C.raw\", \"data\": \(Self.option)}}",
            "notification")
        try Self.expectSame(
            "1711102028.5: {\"jsonrpc\": \"2.0\", \"method\": \"subscription\", \"params\": {\"channel\": \"ticker.x.raw\", \"data\": \(Self.option)}}\n",
            "recording with times in front")
        #expect(
            Exchanges.error("[\(texts.replacingOccurrences(of: "74.2", with: "many"))]").contains(
                "\"many\"\": is not a number"))
    }

    @Test("A vendor's table of options has microseconds, names in capitals and Greeks without a prefix")
    func vendorTable() throws {
        let chain = try Exchanges.chain(
            """
            exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,bid_price,bid_amount,mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho
            deribit,XRP_USDC-26DEC25-1D5-C,1756000000123456,1,call,1.5,1,0.28,1000,0.29,70,XRP_USDC-26DEC25,1.6,0.63,0.6,0.003,-0.001,0.002
            """)
        let ticker = try #require(chain.tickers.first)
        #expect(ticker.instrument.name == "XRP_USDC-26DEC25-1d5-C")
        #expect(ticker.timestamp.milliseconds == 1_756_000_000_123)
        #expect(ticker.published?.delta == 0.63 && ticker.bids == [OrderLevel(price: 0.28, amount: 1000)])
        #expect(
            Exchanges.error(
                "exchange,symbol,timestamp,underlying_price,mark_price,mark_iv\nmtgox,X,1756000000123,1,1,1")
                == "chain:2: column \"exchange\": value \"mtgox\": is no exchange that is known")
    }

    @Test("Combinations in a reply are left out with a count, and hide no bad row")
    func combinations() throws {
        func reply(_ name: String) -> String {
            """
            [\(Self.option), {"instrument_name": "BTC-FS-29MAR24_PERP", "creation_timestamp": 1711102028463, "mark_price": -118.9},
             {"instrument_name": "\(name)", "creation_timestamp": 1711102028463, "mark_price": 0.021}]
            """
        }
        let chain = try Exchanges.chain(reply("BTC-STRD-27DEC24-70000"))
        #expect(chain.tickers.count == 1)
        #expect(
            chain.remarks == [
                "left out 2 rows of combinations and other kinds: BTC-FS-29MAR24_PERP, BTC-STRD-27DEC24-70000"
            ])
        #expect(chain.leftOut == 2)
        #expect(Exchanges.error(reply("BTC-27XXX24-70000-C")).contains("\"27XXX24\" is no expiry"))
        var badRows = BadRows(skip: true)
        _ = try Chain(Source(name: "chain", text: reply("BTC-27XXX24-70000-C")), &badRows)
        #expect(badRows.skipped.count == 1 && badRows.remarks.count == 1)
        #expect(throws: InstrumentNameError.combination) { try Instrument(name: "BTC-FS-29MAR24_PERP") }
    }

    @Test(
        "A name that several exchanges have is that of the exchange which the source names, else of the first"
    )
    func exchangeOfASource() throws {
        func chain(_ exchange: (any Exchange.Type)?) throws -> Chain {
            var source = Source(
                name: "chain",
                text: """
                    instrument_name,timestamp,underlying_price,mark_iv,mark_price
                    BTC-29MAR24-70000-C,1711102026000,70000,60,
                    BTC-PERPETUAL,1711102026000,,,70000

                    """)
            source.exchange = exchange
            var badRows = BadRows(skip: false)
            return try Chain(source, &badRows)
        }
        #expect(try chain(nil).tickers.map { $0.instrument.exchange.name } == ["deribit", "deribit"])
        #expect(try chain(Bybit.self).tickers.map { $0.instrument.exchange.name } == ["bybit", "deribit"])
        #expect(try chain(Bybit.self).tickers.map(\.instrument.settlement) == [.linear, .inverse])
    }

    @Test("Two exchanges' contracts of one name are two: none replaces the other, and each has its own price")
    func sharedNames() throws {
        let header = "exchange,instrument_name,timestamp,underlying_price,underlying_index,mark_iv,mark_price"
        let text = """
            \(header)
            deribit,BTC-29MAR24-70000-C,1711102026000,70000,BTC-29MAR24,60,
            bybit,BTC-29MAR24-70000-C,1711102027000,70100,BTC-29MAR24,62,
            """
        let chain = try Exchanges.chain(text)
        let name = "BTC-29MAR24-70000-C"
        let (inverse, linear) = (
            try Deribit.instrument(named: name), try Bybit.instrument(named: name)
        )
        #expect(chain.instrumentCount == 2 && chain.latestTickers.map(\.instrument) == [inverse, linear])
        #expect(
            chain.ticker(of: inverse)?.markVolatility == 0.6
                && chain.ticker(of: linear)?.markVolatility == 0.62)
        for (exchange, price) in [(Deribit.self, 70_000.0), (Bybit.self, 70_100)]
            as [(any Exchange.Type, Double)]
        {
            let future = try exchange.instrument(named: "BTC-29MAR24")
            let implied = try #require(chain.tickerOrImplied(of: future))
            #expect(implied.markPrice == price && implied.instrument == future)
        }
        // Where the chain has but one exchange's, a name alone means that one.
        let alone = try Exchanges.chain(
            text.split(separator: "\n").filter { !$0.hasPrefix("deribit") }.joined(separator: "\n"))
        #expect(alone.ticker(of: inverse)?.instrument == linear)
        let future = try Deribit.instrument(named: "BTC-29MAR24")
        #expect(alone.tickerOrImplied(of: future)?.instrument == (try Bybit.instrument(named: "BTC-29MAR24")))
    }

    @Test("A mark without a volatility gets the one that it has, and the chain says so")
    func impliedVolatility() throws {
        let text = Self.option.replacing(#/"mark_iv": 74.2, /#) { _ in "" }
        let chain = try Exchanges.chain("[\(text)]")
        let ticker = try #require(chain.tickers.first)
        let volatility = try #require(ticker.markVolatility)
        let years = ticker.timestamp.years(until: try #require(ticker.instrument.expiry))
        let own = ExchangeTests.black(73_663.5, 90_000, years, volatility).value / 73_663.5
        #expect(abs(own - 0.185) < 1e-13 && ticker.isVolatilityImplied)
        #expect(chain.remarks == ["volatility of 1 row found from the mark price, for lack of one"])
        // Deep in the money a mark may hold nothing but what exercise would bring.
        let deep = text.replacingOccurrences(of: "90000-C", with: "9000-C").replacingOccurrences(
            of: "0.185", with: "0.8777")
        #expect(try Exchanges.chain("[\(deep)]").tickers.first?.markVolatility == 0)
        let above = text.replacingOccurrences(of: "0.185", with: "1.2")
        #expect(Exchanges.error("[\(above)]").contains("no volatility gives the mark_price of 1.2"))
        let nothing = text.replacing(#/"mark_price": 0.185, /#) { _ in "" }
        #expect(Exchanges.error("[\(nothing)]").contains("\"mark_iv\": value \"\": is missing"))
    }

    @Test(
        "What may stand before JSON does not make it a table",
        arguments: ["", " ", "\t", "\n", "\r\n", " \t\r\n "])
    func space(_ before: String) throws {
        #expect(try Exchanges.chain(before + "[\(Self.option)]").tickers.count == 1)
        #expect(try Exchanges.chain(before + Self.option).tickers.count == 1)
    }

    @Test("Of the columns that were found forty are named")
    func foundColumns() throws {
        func error(_ count: Int) -> String {
            Exchanges.error((1...count).map { "column\($0)" }.joined(separator: ",") + "\n")
        }
        #expect(error(40).contains("column39, column40)"), "\(error(40))")
        #expect(error(41).contains("column39, column40)"), "\(error(41))")
    }

    @Test("A coin's dollars are those of its own spot price or perpetual, the latest of them")
    func dollarsOfCoins() throws {
        func row(_ name: String, _ time: Int, _ mark: Double) -> String {
            "{\"instrument_name\": \"\(name)\", \"timestamp\": \(1_711_102_028_463 + time), \"mark_price\": \(mark)}"
        }
        let pair = try Instrument(name: "ETH_BTC")
        let rows = [
            row("BTC-PERPETUAL", 0, 60_000), row("ETH-PERPETUAL", 9, 3_000), row("ETH_BTC", 20, 0.05),
        ]
        #expect(try Exchanges.chain("[\(rows.joined(separator: ","))]").dollarsPerQuote(of: pair) == 60_000)
        let spot = row("BTC_USDC", 5, 60_100)
        let both = try Exchanges.chain("[\((rows + [spot]).joined(separator: ","))]")
        #expect(both.dollarsPerQuote(of: pair) == 60_100)
        let later = try Exchanges.chain(
            "[\((rows + [spot, row("BTC_USDT", 7, 60_200)]).joined(separator: ","))]")
        #expect(later.dollarsPerQuote(of: pair) == 60_200)
        #expect(try Exchanges.chain("[\(rows[1])]").dollarsPerQuote(of: pair) == nil)
    }

    @Test(
        "Facts that contradict each other are an error where a unit is wrong, and a remark where they are only apart"
    )
    func contradictions() throws {
        func changed(_ from: String, _ to: String) -> String {
            "[\(Self.option.replacingOccurrences(of: from, with: to))]"
        }
        #expect(try Exchanges.chain(changed("74.2", "74.9")).remarks.isEmpty)
        #expect(
            Exchanges.error(changed("74.2", "0.742")).contains(
                "column \"mark_iv\": value \"0.742\": contradicts mark_price 0.185"))
        #expect(
            Exchanges.error(changed("74.2", "0.742")).contains("is it a fraction where percent are expected?")
        )
        #expect(Exchanges.error(changed("0.185", "13628.0")).contains("is it in dollars"))
        let apart = try Exchanges.chain(changed("74.2", "95.0"))
        #expect(apart.tickers.count == 1 && apart.remarks.count == 1)
        #expect(apart.remarks[0].contains("chain:1: column \"mark_iv\": value \"95.0\": contradicts"))
        func greeks(_ delta: Double) -> String {
            changed(
                "\"mark_iv\": 74.2",
                "\"mark_iv\": 74.2, \"delta\": \(delta), \"gamma\": 0, \"vega\": 1, \"theta\": 0")
        }
        #expect(try Exchanges.chain(greeks(0.505)).remarks.isEmpty)
        // A put's delta tells the unit as a call's does.
        let put = changed("-C\"", "-P\"")
            .replacingOccurrences(of: "\"mark_iv\": 74.2", with: "\"mark_iv\": 0.742, \"delta\": -0.495")
            .replacingOccurrences(of: "\"mark_price\": 0.185", with: "\"mark_price\": null")
        #expect(Exchanges.error(put).contains("\"delta\": value \"-0.495\": contradicts mark_iv 0.742"))
        #expect(Exchanges.error(put).contains("is it a fraction where percent are expected?"))
        #expect(
            Exchanges.error(greeks(-0.5)).contains(
                "column \"delta\": value \"-0.5\": contradicts mark_iv 74.2: the volatility gives"))
        // A delta stands for itself where other Greeks, and the mark, are not there.
        let alone = changed("\"mark_iv\": 74.2", "\"mark_iv\": 0.742, \"delta\": 0.505")
            .replacingOccurrences(of: "\"mark_price\": 0.185", with: "\"mark_price\": null")
        #expect(Exchanges.error(alone).contains("\"delta\": value \"0.505\": contradicts mark_iv 0.742"))
        #expect(Exchanges.error(alone).contains("is it a fraction where percent are expected?"))
        // A delta next to 0 fits a hundredth of any volatility: it says nothing of the unit.
        #expect(try Exchanges.chain(greeks(0.02)).remarks.count == 1)
        // While the delivery price is averaged, other rules hold.
        let late = changed("1711102028463", "1735286000000").replacingOccurrences(of: "0.185", with: "0.1")
        #expect(throws: Never.self) { try Exchanges.chain(late) }
    }

    @Test(
        "No honest chain contradicts itself",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"),
        arguments: SharedData.chains)
    func honestChains(_ file: String) throws {
        var badRows = BadRows(skip: false)
        #expect(try Chain(try Source(path: SharedData.path(file)), &badRows).remarks.isEmpty)
    }

    @Test(
        "A list of instruments says in what amounts contracts trade; without one some are assumed, others unknown"
    )
    func tradedAmounts() throws {
        var chain = try Exchanges.chain("[\(Self.option)]")
        let (bitcoin, ripple) = (
            try Instrument(name: "BTC-27DEC24-90000-C"), try Instrument(name: "XRP_USDC-PERPETUAL")
        )
        #expect(chain.tradedAmount(of: bitcoin)?.amount == TradedAmount(step: 0.1))
        #expect(chain.tradedAmount(of: bitcoin)?.isListed == false && chain.tradedAmount(of: ripple) == nil)
        let xrp = try Instrument(name: "XRP_USDC-27DEC24-0d6-C")
        #expect(chain.tradedAmount(of: xrp)?.amount == TradedAmount(step: 1000))
        var badRows = BadRows(skip: false)
        let list = """
            {"result": [{"instrument_name": "XRP_USDC-PERPETUAL", "kind": "future", "min_trade_amount": 1, "contract_size": 1,
              "tick_size": 0.0001, "tick_size_steps": [{"above_price": 2, "tick_size": 0.001}], "quote_currency": "USDC",
              "settlement_currency": "USDC"}]}
            {"data": [{"instId": "BTC-USD-251226-100000-C", "lotSz": "1", "minSz": "2", "ctVal": "1", "ctMult": "0.01",
              "tickSz": "0.0005", "settleCcy": "BTC"}]}
            {"result": {"list": [{"symbol": "BTC-29MAR24-70000-C-USDT", "lotSizeFilter": {"qtyStep": "0.01",
              "minOrderQty": "0.02"}, "priceFilter": {"tickSize": "5"}}]}}
            """
        chain.instruments = try InstrumentList([Source(name: "list", text: list)], &badRows)
        #expect(chain.instruments.count == 3 && chain.tradedAmount(of: ripple)?.isListed == true)
        let facts = try #require(chain.instruments["XRP_USDC-PERPETUAL"])
        #expect(facts.tick(at: 1) == 0.0001 && facts.tick(at: 2) == 0.001 && facts.quoteCurrency == "USDC")
        let okx = try #require(chain.instruments["BTC-USD-251226-100000-C"])
        #expect(okx.amount == TradedAmount(step: 0.01, minimum: 0.02) && okx.multiplier == 0.01)
        #expect(
            chain.instruments["BTC-29MAR24-70000-C-USDT"]?.amount == TradedAmount(step: 0.01, minimum: 0.02))
        #expect {
            _ = try InstrumentList(
                [Source(name: "list", text: "[{\"instrument_name\": \"X\", \"min_trade_amount\": -1}]")],
                &badRows)
        } throws: {
            "\($0)" == "list:1: column \"min_trade_amount\": value \"-1\": must be above 0 and finite"
        }
    }

    @Test("Of the layouts that fit, a row is read by the one that has most of its fields there")
    func bestLayout() throws {
        // Deribit's names, and beside them the two that tell Bybit's from others.
        let ticker = try #require(
            Exchanges.chain(
                "symbol,timestamp,underlying_price,mark_price,mark_iv,markPrice\nBTC-27DEC24-90000-C,1711102028463,73663.5,0.185,74.2,13628\n"
            ).tickers.first)
        #expect(ticker.instrument.exchange == Deribit.self && ticker.markVolatility == 0.742)
        // A list of Bybit's in which a vendor has written its own names of the contracts.
        var badRows = BadRows(skip: false)
        let list = """
            [{"instrument_name": "x", "instId": "y", "symbol": "BTC-29MAR24-70000-C-USDT", "quoteCoin": "USDT",
              "settleCoin": "USDT", "lotSizeFilter": {"qtyStep": "0.01", "minOrderQty": "0.02"}}]
            """
        let instruments = try InstrumentList([Source(name: "list", text: list)], &badRows)
        #expect(
            instruments["BTC-29MAR24-70000-C-USDT"]?.amount == TradedAmount(step: 0.01, minimum: 0.02))
    }

    @Test("Rows that contradict each other are named as their own file names the field, in its unit")
    func conflictNames() {
        func row(_ volatility: String) -> String {
            """
            {"instId": "BTC-USD-251226-100000-C", "markVol": "\(volatility)", "fwdPx": "112782.12", "ts": "1752000000000"}
            """
        }
        #expect(
            Exchanges.error("[\(row("0.5")),\n\(row("0.6"))]").hasPrefix(
                "chain:2: column \"markVol\": value \"0.6\": line 1"))
        #expect(
            Exchanges.error(
                """
                symbol,timestamp,underlying_price,mark_iv,estimated_delivery_price
                BTC-27DEC24-90000-C,1711102028463,73663.5,74.2,65383
                BTC-27DEC24-90000-C,1711102028463,73663.5,74.2,65384
                """
            ).hasPrefix("chain:3: column \"estimated_delivery_price\": value \"65384.0\""))
    }
}
