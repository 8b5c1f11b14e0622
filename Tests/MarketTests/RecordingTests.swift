import Foundation
import Market
import Testing

/// Recordings of notifications: what later messages build on, and what they take away.
struct RecordingTests {
    typealias Exchanges = ExchangeTests
    static let option = ChainLayoutTests.option

    static func message(_ channel: String, _ data: String) -> String {
        "{\"method\": \"subscription\", \"params\": {\"channel\": \"\(channel)\", \"data\": \(data)}}\n"
    }

    @Test("A recording's marks and orders build on the last ticker, and a gap in changes takes orders away")
    func recording() throws {
        let ticker = Self.message("ticker.BTC-27DEC24-90000-C.raw", Self.option)
        let marks = Self.message(
            "markprice.options.btc_usd",
            """
            [{"instrument_name": "BTC-27DEC24-90000-C", "mark_price": 0.215, "iv": 0.743, "timestamp": 1711102029000},
             {"instrument_name": "BTC-27DEC24-80000-P", "mark_price": 0.28, "iv": 0.73, "timestamp": 1711102029000},
             {"instrument_name": "BTC-28MAR25-80000-P", "mark_price": 0.28, "iv": 0.73, "timestamp": 1711102029000}]
            """)
        func book(_ time: Int, _ change: Int, _ previous: Int?, _ bids: String) -> String {
            Self.message(
                "book.BTC-27DEC24-90000-C.raw",
                """
                {"instrument_name": "BTC-27DEC24-90000-C", "timestamp": \(time), "change_id": \(change), \(
                previous.map { "\"prev_change_id\": \($0), " } ?? "")"bids": \(bids), "asks": []}
                """)
        }
        let snapshot = book(1_711_102_030_000, 7, nil, "[[\"new\", 0.2, 5], [\"new\", 0.21, 3]]")
        let change = book(
            1_711_102_031_000, 8, 7, "[[\"delete\", 0.21, 0], [\"change\", 0.2, 4], [\"new\", 0.19, 1]]")
        let chain = try Exchanges.chain(
            "{\"id\": 1, \"result\": [\"ticker.x\"]}\n" + ticker + marks + snapshot + change
                + Self.message("trades.x", "[]"))
        let latest = chain.latestTickers
        #expect(latest.map(\.instrument.name) == ["BTC-27DEC24-90000-C", "BTC-27DEC24-80000-P"])
        #expect(latest[0].markVolatility == 0.743 && latest[0].timestamp.milliseconds == 1_711_102_029_000)
        #expect(latest[1].underlyingPrice == 73_663.5 && latest[1].markVolatility == 0.73)
        #expect(latest[0].bids == [OrderLevel(price: 0.2, amount: 4), OrderLevel(price: 0.19, amount: 1)])
        #expect(
            chain.remarks == [
                "left out messages without tickers: 1 subscriptions, 1 trades notifications",
                "left out 1 mark of options whose future has no price yet",
            ])
        let missed = try Exchanges.chain(ticker + snapshot + book(1_711_102_031_000, 10, 9, "[]"))
        #expect(missed.latestTickers[0].bids.isEmpty && missed.remarks.count == 1)
        #expect(missed.remarks[0].hasPrefix("1 gap in order books"))
    }

    @Test(
        "A mark that is no option's is left out by its name; one that is no later than the ticker contradicts it"
    )
    func marks() throws {
        func chain(_ marks: String...) throws -> Chain {
            try Exchanges.chain(
                Self.message("ticker.BTC-27DEC24-90000-C.raw", Self.option)
                    + Self.message("markprice.options.btc_usd", "[\(marks.joined(separator: ", "))]"))
        }
        func mark(_ name: String, _ time: String = "") -> String {
            "{\"instrument_name\": \"\(name)\", \"mark_price\": 0.215, \"iv\": 0.743\(time)}"
        }
        let left = try chain(mark("BTC-27DEC24"), mark("BTC-FS-27DEC24_PERP"), mark("BTC-27DEC24"))
        #expect(left.tickers.count == 1 && left.tickers[0].markPrice == 0.185)
        #expect(
            left.remarks == [
                "left out 3 rows of combinations and other kinds: BTC-27DEC24, BTC-FS-27DEC24_PERP"
            ])
        let own = 1_711_102_028_463
        func time(_ milliseconds: Int) -> String { ", \"timestamp\": \(milliseconds)" }
        let later = try chain(mark("BTC-27DEC24-90000-C", time(own + 1)))
        #expect(later.tickers.map(\.timestamp.milliseconds) == [Int64(own), Int64(own + 1)])
        #expect(later.tickers[1].markPrice == 0.215 && later.tickers[1].bids == later.tickers[0].bids)
        // Of the ticker's time, or before it, or of no time: two marks of one moment.
        for earlier in ["", time(own), time(own - 1)] {
            let error = #expect(throws: MarketError.self) {
                try chain(mark("BTC-27DEC24-90000-C", earlier))
            }
            #expect("\(try #require(error))".contains("line 1 of the same instrument and time has \"0.185\""))
        }
        let other = try chain(mark("BTC-27DEC24-80000-C"))
        #expect(other.tickers[1].bids.isEmpty && other.tickers[1].asks.isEmpty)
    }

    @Test("A quote's best prices are its orders, and a side without a price has none")
    func quotes() throws {
        func latest(_ members: String) throws -> Ticker {
            let quote = Self.message(
                "quote.BTC-27DEC24-90000-C",
                "{\"instrument_name\": \"BTC-27DEC24-90000-C\", \"timestamp\": 1711102030000\(members)}")
            return try Exchanges.chain(
                Self.message("ticker.BTC-27DEC24-90000-C.raw", Self.option) + quote
            ).latestTickers[0]
        }
        let both = try latest(
            """
            , "best_bid_price": 0.181, "best_bid_amount": 4, "best_ask_price": 0.191, "best_ask_amount": 6
            """)
        #expect(both.bids == [OrderLevel(price: 0.181, amount: 4)])
        #expect(both.asks == [OrderLevel(price: 0.191, amount: 6)])
        let bid = try latest(", \"best_bid_price\": 0.181, \"best_bid_amount\": 4, \"best_ask_price\": 0")
        #expect(bid.bids == both.bids && bid.asks.isEmpty)
        let ask = try latest(", \"best_ask_price\": 0.191, \"best_ask_amount\": 6")
        #expect(ask.bids.isEmpty && ask.asks == both.asks)
    }

    /// Milliseconds of the first message.
    static let start = 1_711_102_028_000

    /// A ticker of a call of December whose facts fit together.
    static func ticker(
        _ strike: Int, after seconds: Int, forward: Double, index: Double = 65_000, orders: String = ""
    ) throws -> String {
        let name = "BTC-27DEC24-\(strike)-C"
        let expiry = try #require(try Instrument(name: name).expiry)
        let time = Timestamp(milliseconds: Int64(start + seconds * 1000))
        let mark =
            Exchanges.black(forward, Double(strike), time.years(until: expiry), 0.75).value / forward
        return """
            {"instrument_name": "\(name)", "timestamp": \(time.milliseconds), "underlying_price": \(forward), \
            "underlying_index": "BTC-27DEC24", "index_price": \(index), "mark_price": \(mark), "mark_iv": 75\(orders)}
            """
    }

    static func mark(_ strike: Int, after seconds: Int, _ price: Double, _ volatility: Double = 0.75)
        -> String
    {
        """
        {"instrument_name": "BTC-27DEC24-\(strike)-C", "mark_price": \(price), "iv": \(volatility), \
        "timestamp": \(start + seconds * 1000)}
        """
    }

    static func marks(_ marks: String...) -> String {
        message("markprice.options.btc_usd", "[\(marks.joined(separator: ", "))]")
    }

    @Test("A mark has the latest price of its future and index, and makes neither of them newer than it is")
    func latestFuture() throws {
        let chain = try Exchanges.chain(
            Self.message("ticker.x", try Self.ticker(90_000, after: 0, forward: 73_000, index: 65_000))
                + Self.message("ticker.x", try Self.ticker(80_000, after: 2, forward: 75_000, index: 66_500))
                + Self.marks(Self.mark(90_000, after: 5, 0.19)))
        let ticker = try #require(chain.ticker(of: try Instrument(name: "BTC-27DEC24-90000-C")))
        #expect(ticker.markPrice == 0.19 && ticker.timestamp.milliseconds == Int64(Self.start + 5000))
        #expect(ticker.underlyingPrice == 75_000 && ticker.indexPrice == 66_500)
        for (name, price) in [("BTC-27DEC24", 75_000.0), ("BTC-PERPETUAL", 66_500)] {
            let implied = try #require(chain.tickerOrImplied(of: try Instrument(name: name)))
            #expect(implied.markPrice == price)
            #expect(implied.timestamp.milliseconds == Int64(Self.start + 2000), "\(name)")
        }
        // Prices that are older than the instrument's own don't replace them.
        let own = try Exchanges.chain(
            Self.message("ticker.x", try Self.ticker(80_000, after: 0, forward: 75_000))
                + Self.message("ticker.x", try Self.ticker(90_000, after: 2, forward: 73_000))
                + Self.marks(Self.mark(90_000, after: 5, 0.18)))
        #expect(own.latestTickers.map(\.underlyingPrice) == [75_000, 73_000])
    }

    @Test("A mark is read by the rules of tickers: expiry, units, a volatility where it has none")
    func markRules() throws {
        let ticker = Self.message("ticker.x", try Self.ticker(90_000, after: 0, forward: 73_000))
        func error(_ mark: String) -> String { Exchanges.error(ticker + Self.marks(mark)) }
        #expect(error(Self.mark(90_000, after: 300 * 86_400, 0.2)).contains("expired at 2024-12-27"))
        #expect(
            error(Self.mark(90_000, after: 5, 0.18, 0.0075)).contains(
                "column \"iv\": value \"0.0075\": contradicts mark_price 0.18"))
        #expect(
            error(Self.mark(90_000, after: 5, -1)).contains("column \"mark_price\": value \"-1.0\": must be"))
        let without = Self.mark(90_000, after: 5, 0.18).replacing("\"iv\": 0.75", with: "\"iv\": null")
        let found = try Exchanges.chain(ticker + Self.marks(without)).latestTickers[0]
        let volatility = try #require(found.markVolatility)
        #expect(found.isVolatilityImplied && abs(volatility - 0.75) < 0.03)
    }

    @Test("A bad mark or name is one bad row, and hides no mark behind it")
    func badMarks() throws {
        let text =
            Self.message("ticker.x", try Self.ticker(90_000, after: 0, forward: 73_000))
            + Self.marks(
                Self.mark(90_000, after: 1, -1),
                Self.mark(90_000, after: 2, 0.18).replacing("27DEC24", with: "27DXC24"),
                "{\"mark_price\": 1}", Self.mark(85_000, after: 3, 0.2))
        var badRows = BadRows(skip: true)
        let chain = try Chain(Source(name: "chain", text: text), &badRows)
        #expect(chain.tickers.map(\.instrument.name) == ["BTC-27DEC24-90000-C", "BTC-27DEC24-85000-C"])
        #expect(badRows.skipped.map(\.field) == ["mark_price", "instrument_name", "instrument_name"])
        #expect(chain.remarks.isEmpty && chain.leftOut == 0)
        // Its last row could not be used.
        #expect(chain.unreadableOptions.map(\.name) == ["BTC-27DEC24-90000-C"])
    }

    @Test("What a mark repeats is said once, also where the future has moved in between")
    func repeatedMarks() throws {
        let mark = Self.marks(Self.mark(90_000, after: 1, 0.18))
        let chain = try Exchanges.chain(
            Self.message("ticker.x", try Self.ticker(90_000, after: 0, forward: 73_000)) + mark
                + Self.message("ticker.x", try Self.ticker(80_000, after: 2, forward: 75_000)) + mark)
        #expect(chain.tickers.map(\.markPrice).filter { $0 == 0.18 }.count == 1)
    }

    @Test(
        "Changes of a ticker say what is another than before; without a snapshot they are left out with a count"
    )
    func incrementalTickers() throws {
        func incremental(_ type: String, _ members: String) -> String {
            Self.message(
                "incremental_ticker.BTC-27DEC24-90000-C",
                members.replacing("{", with: "{\"type\": \"\(type)\", ", maxReplacements: 1))
        }
        func change(_ after: Int, _ members: String) -> String {
            incremental(
                "change",
                "{\"instrument_name\": \"BTC-27DEC24-90000-C\", \"timestamp\": \(Self.start + after * 1000)\(members)}"
            )
        }
        let orders = """
            , "best_bid_price": 0.17, "best_bid_amount": 3, "best_ask_price": 0.2, "best_ask_amount": 4, \
            "greeks": {"delta": 0.5, "gamma": 0.00001, "vega": 200, "theta": -30, "rho": 100}
            """
        let snapshot = incremental(
            "snapshot", try Self.ticker(90_000, after: 0, forward: 73_000, orders: orders))
        let chain = try Exchanges.chain(
            change(-1, ", \"mark_price\": 0.1") + snapshot + change(1, ", \"best_bid_price\": 0.171")
                + change(2, ", \"greeks\": {\"vega\": 201}, \"best_ask_price\": 0, \"open_interest\": 7"))
        #expect(chain.tickers.count == 3)
        let (first, last) = (chain.tickers[0], try #require(chain.latestTickers.first))
        #expect(last.timestamp.milliseconds == Int64(Self.start + 2000) && last.openInterest == 7)
        #expect(last.underlyingPrice == 73_000 && last.markPrice == first.markPrice)
        #expect(last.markVolatility == 0.75 && last.indexPrice == 65_000)
        #expect(last.bids == [OrderLevel(price: 0.171, amount: 3)] && last.asks.isEmpty)
        #expect(last.published?.vega == 201 && last.published?.delta == 0.5)
        #expect(chain.remarks == ["left out 1 change of tickers without a snapshot before"])
        #expect(chain.leftOut == 1)
        // A change that cannot be read takes the ticker away, on which the next would build.
        var badRows = BadRows(skip: true)
        let broken = snapshot + change(1, ", \"mark_price\": \"x\"") + change(2, ", \"mark_price\": 0.18")
        let rest = try Chain(Source(name: "chain", text: broken), &badRows)
        #expect(
            rest.tickers.count == 1 && badRows.skipped.map(\.field) == ["mark_price"] && rest.leftOut == 1)
    }

    static func orders(_ after: Int, _ change: Int, _ previous: Int?, _ bids: String, _ asks: String = "[]")
        -> String
    {
        message(
            "book.BTC-27DEC24-90000-C.raw",
            """
            {"type": "\(previous == nil ? "snapshot" : "change")", "instrument_name": "BTC-27DEC24-90000-C", \
            "timestamp": \(start + after * 1000), "change_id": \(change), \
            \(previous.map { "\"prev_change_id\": \($0), " } ?? "")"bids": \(bids), "asks": \(asks)}
            """)
    }

    static func quote(_ after: Int, bid: Double, ask: Double) -> String {
        message(
            "quote.BTC-27DEC24-90000-C",
            """
            {"instrument_name": "BTC-27DEC24-90000-C", "timestamp": \(start + after * 1000), "best_bid_price": \(bid), \
            "best_bid_amount": 9, "best_ask_price": \(ask), "best_ask_amount": 8}
            """)
    }

    static let snapshot = orders(
        1, 6, nil, "[[\"new\", 0.17, 5], [\"new\", 0.16, 3]]", "[[\"new\", 0.2, 4], [\"new\", 0.21, 2]]")

    /// The latest ticker of the option after these messages, and what there is to say.
    static func latest(_ messages: String..., skipped: Int = 0) throws -> (ticker: Ticker, remarks: [String])
    {
        var badRows = BadRows(skip: true)
        let text = message("ticker.x", try ticker(90_000, after: 0, forward: 73_000)) + messages.joined()
        let chain = try Chain(Source(name: "chain", text: text), &badRows)
        #expect(badRows.skipped.count == skipped, "\(badRows.skipped)")
        return (try #require(chain.latestTickers.first), chain.remarks)
    }

    @Test("Best prices leave the order book as it is; what is later of the two counts")
    func quotesBesideBooks() throws {
        let deleted = Self.orders(3, 7, 6, "[[\"delete\", 0.17, 0]]")
        let both = try Self.latest(Self.snapshot, Self.quote(2, bid: 0.17, ask: 0.19), deleted)
        #expect(both.ticker.bids == [OrderLevel(price: 0.16, amount: 3)] && both.remarks.isEmpty)
        #expect(both.ticker.asks.map(\.price) == [0.2, 0.21])
        let later = try Self.latest(Self.snapshot, deleted, Self.quote(4, bid: 0.16, ask: 0.19))
        #expect(later.ticker.bids == [OrderLevel(price: 0.16, amount: 9)])
        #expect(later.ticker.asks == [OrderLevel(price: 0.19, amount: 8)])
        // Before the ticker that is there they say nothing of it.
        #expect(try Self.latest(Self.quote(-1, bid: 0.16, ask: 0.19)).ticker.bids.isEmpty)
    }

    @Test("A mark has the orders of before it, as books and best prices leave them")
    func ordersBeforeAMark() throws {
        let ticker = try Self.latest(
            Self.quote(2, bid: 0.17, ask: 0.19), Self.marks(Self.mark(90_000, after: 3, 0.18))
        ).ticker
        #expect(ticker.markPrice == 0.18 && ticker.bids == [OrderLevel(price: 0.17, amount: 9)])
    }

    @Test(
        "A change that cannot be used takes the orders away until the next snapshot, and is half applied never",
        arguments: [
            "[[\"new\", 0.18, 1], [\"new\", \"x\", 1]]", "[[\"new\", 0.18, 1], [\"new\", -1, 1]]",
            "[[\"new\", 0.18, 1], [\"new\", 0.2, 1]]", "[[\"new\", 0.18, 1], [\"new\", 0.5, 1]]", "{}",
        ])
    func badChanges(_ bids: String) throws {
        let bad = Self.orders(2, 7, 6, bids)
        let after = Self.orders(3, 8, 7, "[[\"new\", 0.15, 2]]")
        let lost = try Self.latest(Self.snapshot, bad, after, skipped: 1)
        #expect(lost.ticker.bids.isEmpty && lost.ticker.asks.isEmpty)
        #expect(lost.remarks == ["1 gap in order books: orders are unknown until the next snapshot"])
        let whole = Self.orders(4, 20, nil, "[[\"new\", 0.17, 1]]")
        let again = try Self.latest(Self.snapshot, bad, after, whole, skipped: 1)
        #expect(again.ticker.bids == [OrderLevel(price: 0.17, amount: 1)] && again.remarks.count == 1)
    }

    @Test("Changes before any snapshot are a gap, once; a change of no change before it is refused")
    func firstChange() throws {
        let first = try Self.latest(Self.orders(1, 7, 6, "[[\"new\", 0.17, 5]]"), Self.orders(2, 8, 7, "[]"))
        #expect(first.ticker.bids.isEmpty && first.remarks.count == 1 && first.remarks[0].hasPrefix("1 gap"))
        let without = Self.orders(2, 7, 6, "[]").replacing("\"prev_change_id\": 6, ", with: "")
        #expect(try Self.latest(Self.snapshot, without, skipped: 1).ticker.bids.isEmpty)
        let crossed = Self.quote(2, bid: 0.2, ask: 0.19)
        #expect(try Self.latest(Self.snapshot, crossed, skipped: 1).ticker.bids.count == 2)
    }
}
