import ExchangeServer
import NIOCore
import NIOEmbedded
import TestExchange
import Testing
import VenueProtocol

struct RecordingTests {
    private final class Lines {
        var lines: [[UInt8]] = []
    }

    /// A session, a request over HTTP, faults and time.
    private func record() throws -> [[UInt8]] {
        let venue = Venue()
        let lines = Lines()
        venue.service.recording = VenueRecording(
            clock: { venue.clock.microseconds },
            makeSecret: { "never asked for: the service was made with its own" },
            write: { lines.lines.append(Array($0.dropLast())) })
        let client = try venue.connect(as: "alice")
        try client.call(
            "private/subscribe", #"{"channels":["user.orders.any.any.raw","book.BTC-PERPETUAL.100ms"]}"#)
        var rule = FaultRule(.bookDuplicate)
        rule.probability = 0.5
        venue.service.add([rule])
        for step in 0..<20 {
            try client.call(
                "private/buy",
                #"{"instrument_name":"BTC-PERPETUAL","amount":10,"price":\#(89_990 + step)}"#)
            venue.clock.microseconds += 100_000
            venue.service.advance(to: venue.exchange.time + 100) { venue.exchange.advance(to: $0) }
            venue.service.tick()
        }
        _ = venue.service.request(
            verb: "GET", method: "public/get_order_book",
            query: [(name: "instrument_name", value: "BTC-PERPETUAL")], body: [], authorization: nil,
            target: "/api/v2/public/get_order_book?instrument_name=BTC-PERPETUAL")
        venue.service.receive([0xFF, 0x7B, 0x0A], from: client.session)
        venue.service.disconnect(client.session)
        return lines.lines
    }

    private func replay(_ lines: [[UInt8]]) throws -> VenueReplay {
        let venue = Venue()
        var replay = VenueReplay()
        // The clock of the service is the fixture's: it follows the lines.
        for (number, line) in lines.enumerated() {
            if let time = try JSONTape(line).root["at"]?.integer { venue.clock.microseconds = time }
            try replay.take(line, number: number + 1, on: venue.service) { venue.exchange.advance(to: $0) }
        }
        return replay
    }

    @Test("A run that was recorded and is gone through again says the same, byte for byte")
    func same() throws {
        let lines = try record()
        let replay = try replay(lines)
        #expect(replay.happened > 60)
        #expect(replay.messages > 40)
    }

    @Test("A run in which one order differs is found out at the line where it begins to")
    func other() throws {
        var lines = try record()
        let place = try #require(
            lines.firstIndex { String(decoding: $0, as: UTF8.self).contains(#"price\":89995"#) })
        lines[place] = Array(
            String(decoding: lines[place], as: UTF8.self).replacing("89995", with: "89994").utf8)
        let difference = #expect(throws: VenueReplay.Difference.self) { _ = try replay(lines) }
        #expect((difference?.line ?? 0) > place && (difference?.line ?? 0) < place + 4)
    }

    /// The way out of a connection, which breaks when it is told to: the next write finds out.
    private final class Break: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var isBroken = false

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard isBroken else { return context.write(data, promise: promise) }
            promise?.fail(ChannelError.ioOnClosedChannel)
            context.close(promise: nil)
        }
    }

    @Test(
        "A socket that breaks while it is written to is gone behind what was under way, in the run and in its replay"
    )
    func broken() throws {
        let venue = Venue()
        let lines = Lines()
        venue.service.recording = VenueRecording(
            clock: { venue.clock.microseconds }, makeSecret: { "never asked for" },
            write: { lines.lines.append(Array($0.dropLast())) })
        let channel = try Pipe.connect(venue)
        let breaking = Break()
        try channel.pipeline.syncOperations.addHandler(breaking, position: .first)
        Pipe.send(Pipe.upgrade, channel)
        for request in [
            #"{"jsonrpc":"2.0","id":1,"method":"public/auth","params":{"grant_type":"client_credentials","client_id":"alice","client_secret":"secret of alice"}}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"private/enable_cancel_on_disconnect","params":{}}"#,
            #"{"jsonrpc":"2.0","id":3,"method":"private/subscribe","params":{"channels":["user.orders.any.any.raw"]}}"#,
            #"{"jsonrpc":"2.0","id":4,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":100,"price":90000}}"#,
            #"{"jsonrpc":"2.0","id":5,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":100,"price":89000}}"#,
        ] {
            Pipe.send(Pipe.frame(Array(request.utf8)), channel)
        }
        #expect(venue.exchange.openOrders(of: 1).count == 2)
        let bob = try venue.connect(as: "bob")
        try bob.call("private/subscribe", #"{"channels":["book.BTC-PERPETUAL.raw"]}"#)
        breaking.isBroken = true
        // Alice's fill is told while bob's request is carried out.
        try bob.call("private/sell", #"{"instrument_name":"BTC-PERPETUAL","amount":50,"price":90000}"#)
        #expect(!channel.isActive)
        channel.embeddedEventLoop.run()
        #expect(venue.exchange.openOrders(of: 1).isEmpty)
        try bob.call("private/get_positions")
        let recorded = lines.lines.map { String(decoding: $0, as: UTF8.self) }
        #expect(recorded.filter { $0.contains(#""gone":"#) }.count == 1)
        let replay = try replay(lines.lines)
        #expect(replay.messages > 8)
    }
}
