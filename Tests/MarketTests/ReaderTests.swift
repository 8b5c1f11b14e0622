import Foundation
import Market
import TestSupport
import Testing

/// Readers on good input.
struct ReaderTests {
    static func fixture(_ name: String) throws -> Source {
        try Source(
            path: SharedData.packageRoot.appendingPathComponent("Tests/MarketTests/Fixtures/\(name)").path)
    }

    static func chain(_ source: Source) throws -> Chain {
        var badRows = BadRows(skip: false)
        return try Chain(source, &badRows)
    }

    @Test("An option table is read in any order of columns, with quotes, CRLF and a byte order mark")
    func optionTable() throws {
        // Any order, extra columns, quotes, CRLF, a byte order mark, spaces, empty lines, no end of line.
        let text = """
            \u{FEFF}note,dividend,rate,vol,years,strike,spot,type\r
            "a, ""b""\r\nc",0.01,-2e-2,.5,0.25,90,100.5,C\r
            \r
            ,0,0, 1.25 ,0,"110",1E2,put
            """
        var badRows = BadRows(skip: false)
        let table = try OptionTable(Source(name: "t", text: text), &badRows)
        #expect(table.type == [0, 1] && table.spot == [100.5, 100] && table.strike == [90, 110])
        #expect(table.years == [0.25, 0] && table.quotes == [0.5, 1.25])
        #expect(table.rate == [-0.02, 0] && table.dividend == [0.01, 0])
        #expect(table.lines == [2, 5])
    }

    @Test("Positions are read row by row, in the order of the file")
    func positions() throws {
        let text = "quantity,book,instrument\n-2.5,one,BTC-27JUN25-60000-C\n10000,\"t,wo\",BTC-PERPETUAL\n"
        var badRows = BadRows(skip: false)
        let table = try PositionTable(Source(name: "p", text: text), &badRows)
        #expect(table.positions.map(\.book) == ["one", "t,wo"])
        #expect(table.positions.map(\.quantity) == [-2.5, 10_000])
        #expect(table.positions[1].instrument.kind == .perpetual && table.positions[1].line == 3)
    }

    @Test("An exchange's reply with one ticker is a chain with all of its fields")
    func tickerReply() throws {
        let chain = try Self.chain(try Self.fixture("ticker.json"))
        let ticker = try #require(chain.tickers.first)
        #expect(chain.tickers.count == 1 && ticker.instrument.name == "BTC-26JUN26-70000-C")
        #expect(ticker.timestamp.milliseconds == 1_772_443_800_250 && ticker.place.index == 4)
        #expect(ticker.underlyingPrice == 65_402.11 && ticker.underlyingIndex == "BTC-26JUN26")
        #expect(ticker.indexPrice == 64_250 && ticker.markPrice == 0.0871 && ticker.openInterest == 412.6)
        #expect(ticker.markVolatility == 51.37 / 100)
        #expect(
            ticker.bids == [OrderLevel(price: 0.0865, amount: 12), OrderLevel(price: 0.086, amount: 25.1)])
        #expect(ticker.asks == [OrderLevel(price: 0.088, amount: 3.5)])
        #expect(
            ticker.published
                == PublishedGreeks(delta: 0.45011, gamma: 0.00002, vega: 144.9, theta: -32.1, rho: 75.31))
    }

    @Test("An exchange's book summary is a chain")
    func bookSummaryReply() throws {
        let chain = try Self.chain(try Self.fixture("book-summary.json"))
        #expect(
            chain.tickers.map(\.instrument.name) == [
                "ETH-27MAR26-3400-P", "ETH-27MAR26-9000-P", "ETH-PERPETUAL",
            ])
        #expect(
            chain.tickers[0].bids.map(\.price) == [0.054] && chain.tickers[0].asks.map(\.price) == [0.056])
        #expect(chain.tickers[1].bids.isEmpty && chain.tickers[1].asks.isEmpty)
        #expect(chain.tickers[0].markVolatility == 61.02 / 100 && chain.tickers[0].indexPrice == 3410)
        #expect(chain.tickers[2].markPrice == 3411.36 && chain.tickers[2].markVolatility == nil)
    }

    @Test("Replies one after another, and lists of them, are one chain")
    func severalReplies() throws {
        let ticker = try Self.fixture("ticker.json").bytes
        let summary = try Self.fixture("book-summary.json").bytes
        let chain = try Self.chain(
            Source(name: "log", bytes: ticker + Array("\n[".utf8) + summary + Array("]".utf8)))
        #expect(chain.tickers.count == 4 && chain.instrumentCount == 4)
    }

    @Test("The committed sample is what its generator says, order books included")
    func sample() throws {
        let path = SharedData.packageRoot.appendingPathComponent("Examples/sample/chain.csv").path
        let chain = try Self.chain(try Source(path: path))
        #expect(chain.tickers.count == 538 && chain.instrumentCount == 538)
        #expect(chain.tickers.allSatisfy { !$0.asks.isEmpty })
        let expiries = Set(
            chain.tickers.filter(\.instrument.isOption).map {
                "\($0.instrument.base) \($0.instrument.expiry.map { "\($0)" } ?? "")"
            })
        #expect(expiries.count == 20)
    }

    @Test(
        "The sample's generator makes the committed bytes",
        .enabled(if: SharedData.finds("python3"), "needs python3"))
    func sampleIsReproducible() throws {
        let script = SharedData.packageRoot.appendingPathComponent("scripts/generate-sample").path
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poise-sample-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script, folder.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for name in ["chain.csv", "limits.csv", "positions.csv"] {
            let committed = SharedData.packageRoot.appendingPathComponent("Examples/sample/\(name)")
            #expect(try Data(contentsOf: folder.appendingPathComponent(name)) == Data(contentsOf: committed))
        }
    }

    /// Both real files, whose columns stand in different order: 976 and 996 rows, each instrument twice.
    @Test(
        "Both real chains are read, whatever the order of their columns",
        .enabled(if: SharedData.has(SharedData.chains), "needs the exchange's chains in the shared folder"),
        arguments: [("btc", 976), ("eth", 996)])
    func realChains(_ coin: String, _ rows: Int) throws {
        let file = "data/deribit-options-2021-02-11-\(coin).csv"
        let path = SharedData.path(file)
        let chain = try Self.chain(try Source(path: path))
        #expect(chain.tickers.count == rows && chain.instrumentCount == rows / 2)
        #expect(chain.tickers.allSatisfy { $0.published != nil && $0.markVolatility != nil })
        for ticker in chain.latestTickers {
            let times = chain.tickers.filter { $0.instrument == ticker.instrument }.map(\.timestamp)
            #expect(ticker.timestamp == times.max())
        }
        #expect(chain.tickers.contains { $0.asks.count + $0.bids.count > 2 })
        // Options name their future; the chain itself lists none.
        let future = try Instrument(name: "\(coin.uppercased())-26MAR21")
        let quote = try #require(chain.tickerOrImplied(of: future))
        #expect(
            chain.tickers.contains {
                $0.underlyingIndex == future.name && $0.underlyingPrice == quote.markPrice
            })
        let perpetual = try Instrument(name: "\(coin.uppercased())-PERPETUAL")
        #expect(
            try #require(chain.tickerOrImplied(of: perpetual)).markPrice
                == chain.tickers.max { $0.timestamp < $1.timestamp }?.indexPrice)
        #expect(chain.tickerOrImplied(of: try Instrument(name: "SOL-PERPETUAL")) == nil)
    }

    @Test("Numbers agree with the C library to the bit, and what is no decimal number is refused")
    func numbers() throws {
        var generator = SeededGenerator(seed: 12)
        var texts = [
            "0", "-0", "+1", "1.", ".5", "1e5", "1E-5", "123456789012345678901234567890", "1e-400", "1e400",
            "9007199254740993", "9007199254740992", "0.1", "2.2250738585072011e-308", "1e22", "1e23",
            "179769313486231570000000000000000000000", "00012.50", "4.9e-324", "0e999999999999",
        ]
        for _ in 0..<20_000 {
            texts.append(
                "\(Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &generator)))")
            texts.append(
                String(
                    format: "%.\(Int.random(in: 0...8, using: &generator))f",
                    Double.random(in: -1e6...1e6, using: &generator)))
        }
        for text in texts {
            let expected = strtod(text, nil)
            var badRows = BadRows(skip: true)
            let source = Source(
                name: "n", text: "book,instrument,quantity\nb,BTC-PERPETUAL,\(text)\n")
            let table = try PositionTable(source, &badRows)
            if expected.isFinite {
                #expect(table.positions.first?.quantity.bitPattern == expected.bitPattern, "\(text)")
            } else {
                #expect(badRows.skipped.count == 1, "\(text)")
            }
        }
    }
}
