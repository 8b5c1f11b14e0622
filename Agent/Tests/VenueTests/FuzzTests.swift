import NIOCore
import NIOEmbedded
import TestExchange
import Testing
import VenueClient
import VenueProtocol

@testable import ExchangeServer

#if canImport(Glibc)
    import Glibc
#endif

/// Messages that were tampered with, at both ends: nothing ends, nothing hangs, nothing is done that nobody may do.
struct FuzzTests {
    /// A million where `scripts/agent faults` says so.
    private static func count(_ usual: Int) -> Int {
        unsafe getenv("POISE_MUTANTS").flatMap { unsafe Int(String(cString: $0)) } ?? usual
    }

    /// Changes, drops, doubles and inserts bytes; digits and quotes more often than others.
    private static func mutant(_ seed: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var mutant = seed
        func place() -> Int { Int(random.next() % UInt64(max(1, mutant.count))) }
        let likely = Array("0123456789-.eE\"{}[],:\\ntfu".utf8)
        for _ in 0...Int(random.next() % 4) where !mutant.isEmpty {
            let start = place()
            switch random.next() % 6 {
            case 0: mutant[start] = UInt8(truncatingIfNeeded: random.next())
            case 1: mutant.remove(at: start)
            case 2: mutant.insert(likely[Int(random.next() % UInt64(likely.count))], at: start)
            case 3: mutant[start] = likely[Int(random.next() % UInt64(likely.count))]
            case 4: mutant.removeSubrange(start..<min(mutant.count, start + Int(random.next() % 16)))
            default:
                let end = min(mutant.count, start + Int(random.next() % 16))
                mutant.insert(contentsOf: mutant[start..<end], at: place())
            }
        }
        return mutant
    }

    private static func request(_ method: String, _ parameters: String) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#.utf8)
    }

    private static let requests = [
        request(
            "private/buy", #"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":89000,"type":"limit"}"#),
        request("private/sell", #"{"instrument_name":"BTC-PERPETUAL","amount":10,"type":"market"}"#),
        request("private/edit", #"{"order_id":"1","amount":20,"price":89000.5}"#),
        request("private/cancel", #"{"order_id":"7"}"#),
        request("private/cancel_all_by_currency", #"{"currency":"BTC","kind":"future"}"#),
        request("private/get_positions", #"{"currency":"any"}"#),
        request(
            "private/get_transaction_log",
            #"{"currency":"BTC","start_timestamp":0,"end_timestamp":9999999999999}"#),
        request(
            "private/set_mmp_config",
            #"{"index_name":"btc_usd","interval":5,"frozen_time":5,"quantity_limit":1,"max_quote_quantity":5}"#
        ),
        request("private/subscribe", #"{"channels":["user.orders.any.any.raw","book.BTC-PERPETUAL.raw"]}"#),
        request(
            "public/auth",
            #"{"grant_type":"client_credentials","client_id":"alice","client_secret":"secret of mallory"}"#),
        request("public/subscribe", #"{"channels":["book.BTC-PERPETUAL.100ms","trades.any.any.100ms"]}"#),
        request("public/get_last_trades_by_currency", #"{"currency":"BTC","count":-1}"#),
        request("public/get_order_book", #"{"instrument_name":"BTC-PERPETUAL","depth":10}"#),
        request(
            "public/get_tradingview_chart_data",
            #"{"instrument_name":"BTC-PERPETUAL","resolution":"1","start_timestamp":0,"end_timestamp":9}"#),
    ]

    private func venue() -> Venue {
        var configuration = VenueConfiguration()
        configuration.limits.isEnforced = false
        return Venue(configuration)
    }

    @Test(
        "Tampered requests are answered, whoever sends them; the money adds up, and a stranger has done nothing"
    )
    func messages() throws {
        let venue = venue()
        let known = try venue.connect(as: "alice")
        let stranger = try venue.connect()
        let before = venue.exchange.totals()
        var random = SplitMix(seed: 9)
        for number in 0..<Self.count(20_000) {
            let seed = Self.requests[Int(random.next() % UInt64(Self.requests.count))]
            let client = number % 2 == 0 ? known : stranger
            let messages = client.inbox.messages.count
            venue.service.receive(Self.mutant(seed, &random), from: client.session)
            if client.inbox.messages.count <= messages { Issue.record("\(number) was not answered") }
            client.inbox.messages.removeAll(keepingCapacity: true)
            if number % 1_000 == 0 { venue.pass(seconds: 0.1) }
            #expect(stranger.session.account == nil)
        }
        #expect(try known.call("public/test").fault == nil)
        #expect(try stranger.call("private/get_positions").fault?.code == 10000)
        let after = venue.exchange.totals()
        #expect(after.cash == before.cash && after.size == before.size && after.cost == before.cost)
        #expect(venue.exchange.trades(of: 2).isEmpty && venue.exchange.openOrders(of: 2).isEmpty)
    }

    // MARK: Bytes of connections

    private static func http(_ method: String, _ query: String, body: String = "") -> [UInt8] {
        let verb = body.isEmpty ? "GET" : "POST"
        let token = method.hasPrefix("private") ? "Authorization: Bearer token-1\r\n" : ""
        return Array(
            ("\(verb) /api/v2/\(method)?\(query) HTTP/1.1\r\nHost: x\r\n\(token)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
    }

    @Test("Tampered requests over HTTP are answered or their connection ends; nothing is done for a stranger")
    func http() throws {
        let venue = venue()
        let before = venue.exchange.totals()
        let seeds = [
            Self.http("public/get_order_book", "instrument_name=BTC-PERPETUAL&depth=5"),
            Self.http("private/buy", "instrument_name=BTC-PERPETUAL&amount=10&price=89000"),
            Self.http("", "", body: #"{"jsonrpc":"2.0","id":"a","method":"public/get_time","params":{}}"#),
            Self.http("private/cancel_all", "", body: #"{"id":1,"params":{"access_token":"x"}}"#),
            Pipe.upgrade,
        ]
        #expect(
            String(decoding: Pipe.send(seeds[0], try Pipe.connect(venue)), as: UTF8.self).contains("200 OK"))
        #expect(
            String(decoding: Pipe.send(seeds[1], try Pipe.connect(venue)), as: UTF8.self).contains("13009"))
        var random = SplitMix(seed: 10)
        for _ in 0..<Self.count(5_000) {
            let channel = try Pipe.connect(venue)
            Pipe.send(Self.mutant(seeds[Int(random.next() % UInt64(seeds.count))], &random), channel)
            Pipe.end(channel)
        }
        #expect(venue.service.sessions.isEmpty)
        let after = venue.exchange.totals()
        #expect(after.cash == before.cash && after.size == before.size)
        for account in venue.exchange.clientAccounts {
            #expect(venue.exchange.openOrders(of: account).isEmpty)
        }
    }

    @Test("Tampered frames are answered or their connection ends, and its session with it")
    func frames() throws {
        let venue = venue()
        let before = venue.exchange.totals()
        var random = SplitMix(seed: 11)
        var channel: EmbeddedChannel?
        var connections = 0
        for _ in 0..<Self.count(5_000) {
            let line: EmbeddedChannel
            if let open = channel, open.isActive {
                line = open
            } else {
                if let channel { Pipe.end(channel) }
                line = try Pipe.connect(venue)
                #expect(
                    String(decoding: Pipe.send(Pipe.upgrade, line), as: UTF8.self).contains("101 Switching"))
                channel = line
                connections += 1
            }
            let request = Self.requests[Int(random.next() % UInt64(Self.requests.count))]
            let whole = Pipe.frame(request)
            Pipe.send(random.next() % 3 == 0 ? whole : Self.mutant(whole, &random), line)
            // A length that was tampered with would wait for bytes that never come.
            if random.next() % 8 == 0 { Pipe.end(line) }
        }
        if let channel { Pipe.end(channel) }
        #expect(connections > 10)
        #expect(venue.service.sessions.isEmpty)
        let after = venue.exchange.totals()
        #expect(after.cash == before.cash && after.size == before.size)
        for account in venue.exchange.clientAccounts {
            #expect(venue.exchange.openOrders(of: account).isEmpty)
        }
    }

    // MARK: The client

    @Test(
        "A client that is told nonsense drops the line or leaves it out, and has the venue's books again later"
    )
    func client() throws {
        let venue = venue()
        let line = LinkLine(venue) {
            $0.indices = ["btc_usd"]
            $0.chainInterval = nil
        }
        try line.run(seconds: 3)
        #expect(line.core.isReady)
        let contract = try #require(venue.exchange.contract(named: Venue.perpetual))
        let seeds: [[UInt8]] = [
            Notification(channel: "book.BTC-PERPETUAL.100ms", content: venue.exchange.snapshot(contract))
                .json,
            Notification(channel: "ticker.BTC-PERPETUAL.100ms", content: venue.exchange.ticker(contract))
                .json,
            Array(#"{"jsonrpc":"2.0","id":3,"result":{"version":"1"},"usIn":1,"usOut":2,"usDiff":1}"#.utf8),
            Array(#"{"jsonrpc":"2.0","id":3,"error":{"code":10028,"message":"too_many_requests"}}"#.utf8),
            Heartbeat(.testRequest).json,
        ]
        var random = SplitMix(seed: 12)
        for number in 0..<min(Self.count(5_000), 100_000) {
            let seed = seeds[Int(random.next() % UInt64(seeds.count))]
            line.core.received(
                random.next() % 8 == 0 ? .trading : .market, Self.mutant(seed, &random), at: line.now)
            try line.carry()
            if number % 50 == 0 { try line.run(seconds: 0.5) }
        }
        try line.run(seconds: 60)
        // Whatever it believed: a new opening replaces it.
        for each in VenueLine.allCases { line.core.closed(each, "for the test", at: line.now) }
        try line.run(seconds: 60)
        #expect(line.core.isReady)
        let book = try #require(line.picture.market.books[Venue.perpetual]?.value)
        #expect(book.isValid && book.bids == venue.exchange.levels(contract, .buy))
        #expect(book.asks == venue.exchange.levels(contract, .sell))
        #expect(line.picture.account.openOrders.isEmpty)
    }
}
