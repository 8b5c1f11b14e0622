import Foundation
import Poise
@testable import Recorder
import TestExchange
import TestMarket
import Testing
import VenueClient
import VenueProtocol

struct RecorderTests {
    @Test(
        "What is recorded of a living market is read by the engine: whole chains, and every message of an hour"
    )
    func recording() throws {
        let folder = NSTemporaryDirectory() + "recorder-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let venue = Venue()
        let market = try TestMarket.Market(venue.exchange, Listing(underlyings: [.bitcoin, .ether]), .init())
        venue.advance = { market.run(to: $0 + 900) }
        let line = LinkLine(venue) {
            $0.followsBook = { _ in true }
            $0.followsTicker = { _ in true }
            $0.followsTrades = { _ in true }
            $0.chainInterval = nil
        }
        var configuration = Recorder.Configuration(folder: folder)
        configuration.chainSeconds = 5
        let recorder = try Recorder(configuration)
        try line.run(seconds: 12)
        for event in line.events { try recorder.take(event) }
        // The line ends, as it does when a recording is stopped: the last chain is as whole as the others.
        try recorder.take(
            VenueEvent(time: try #require(line.events.last).time, .lost(.market, reason: "stopped")))
        try recorder.finish()
        let chains = try FileManager.default.contentsOfDirectory(atPath: folder + "/chains").sorted()
        #expect(recorder.chains == chains.count && chains.count >= 6)
        #expect(chains.allSatisfy { $0.hasSuffix("Z.json.gz") })
        for base in ["BTC", "ETH"] {
            let name = try #require(chains.last { $0.hasPrefix(base) })
            try expectChain(folder + "/chains/" + name, of: base, line)
        }
        let hours = try FileManager.default.contentsOfDirectory(atPath: folder + "/messages")
        #expect(hours.count == 1 && hours[0].hasSuffix(".jsonl.gz"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/marks") == hours)
        var badRows = BadRows(skip: false)
        let recording = try Chain(try Source(path: folder + "/messages/" + hours[0]), &badRows)
        #expect(recording.instrumentCount == venue.exchange.liveContracts.count)
        #expect(recorder.messages > recording.instrumentCount)
    }

    /// The engine, which knows nothing of this package, reads the last chain as the exchange has it.
    private func expectChain(_ path: String, of base: String, _ line: LinkLine) throws {
        let exchange = line.venue.exchange
        var badRows = BadRows(skip: false)
        let chain = try Chain(try Source(path: path), &badRows)
        let live = exchange.liveContracts.filter { exchange.instrument($0).baseCurrency == base }
        #expect(chain.instrumentCount == live.count)
        for ticker in chain.latestTickers {
            let number = try #require(exchange.contract(named: ticker.instrument.name))
            let known = try #require(line.picture.market.tickers[ticker.instrument.name]?.value)
            #expect(ticker.markPrice == known.markPrice)
            #expect(ticker.bids.map(\.price) == exchange.levels(number, .buy).map(\.price))
            #expect(ticker.asks.map(\.amount) == exchange.levels(number, .sell).map(\.amount.value))
            guard let percent = known.markIV else { continue }
            #expect(abs((ticker.markVolatility ?? 0) - percent / 100) < 1e-12)
            #expect(ticker.published?.delta == known.greeks?.delta)
        }
    }

    @Test("Times of files are the venue's own dates")
    func stamps() {
        #expect(Recorder.stamp(1_770_012_034_567_000, hourOnly: false) == "20260202T060034Z")
        #expect(Recorder.stamp(1_770_012_034_567_000, hourOnly: true) == "20260202T06")
    }

    @Test("An address is taken apart, and what is none is refused")
    func addresses() {
        let plain = VenueSocket.Address(url: "ws://127.0.0.1:8080")
        #expect(plain?.host == "127.0.0.1" && plain?.port == 8080 && plain?.path == "/ws/api/v2")
        #expect(plain?.tls == nil)
        let venue = VenueSocket.Address(url: "wss://test.deribit.com/ws/api/v2")
        #expect(venue?.host == "test.deribit.com" && venue?.port == 443 && venue?.tls != nil)
        let six = VenueSocket.Address(url: "ws://[::1]:9/x")
        #expect(six?.host == "::1" && six?.port == 9 && six?.path == "/x")
        for text in ["http://a", "ws://", "ws:a", "ws://a:b", "ws://a:0", "ws://a:70000", ""] {
            #expect(VenueSocket.Address(url: text) == nil, "\(text)")
        }
    }
}
