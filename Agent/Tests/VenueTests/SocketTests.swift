import ExchangeServer
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing
import VenueClient
import VenueProtocol

// Nothing here waits without end: opening has its deadline, and so has a mailbox.
struct SocketTests {
    /// Seconds: long, as a machine may be slow, and only what never happens takes them.
    private static let patience = 120

    /// Messages that came, and those who wait for one.
    private final class Mailbox: Sendable {
        private struct Waiter {
            let isWanted: @Sendable (String) -> Bool
            let promise: EventLoopPromise<String>
        }

        private let content = Mutex<(messages: [String], waiters: [Waiter])>(([], []))

        func put(_ message: String) {
            let found = content.withLock { content in
                content.messages.append(message)
                let found = content.waiters.filter { $0.isWanted(message) }
                content.waiters.removeAll { $0.isWanted(message) }
                return found
            }
            for waiter in found { waiter.promise.succeed(message) }
        }

        func first(_ isWanted: @escaping @Sendable (String) -> Bool) async throws -> String {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let promise = loop.makePromise(of: String.self)
            let there = content.withLock { content -> String? in
                let there = content.messages.first(where: isWanted)
                if there == nil { content.waiters.append(Waiter(isWanted: isWanted, promise: promise)) }
                return there
            }
            if let there { promise.succeed(there) }
            let deadline = loop.scheduleTask(in: .seconds(Int64(patience))) {
                promise.fail(VenueFault(.timedOut))
            }
            defer { deadline.cancel() }
            return try await promise.futureResult.get()
        }
    }

    private static func address(_ port: Int?) -> VenueSocket.Address {
        var address = VenueSocket.Address(host: "127.0.0.1", port: port ?? 0, tls: nil)
        address.deadline = patience
        return address
    }

    private static func open(_ address: VenueSocket.Address) async throws -> VenueSocket {
        try await VenueSocket.open(
            address, on: MultiThreadedEventLoopGroup.singleton, received: { _ in }, closed: { _ in })
    }

    @Test("Over real sockets: upgrade, request, subscription, and a closed venue is noticed")
    func sockets() async throws {
        let server = try await ExchangeServer.start(ExchangeServer.Address()) {
            let venue = Venue()
            return ExchangeServer.Contents(service: venue.service) {
                venue.exchange.advance(to: venue.exchange.time + 100)
            }
        }
        let (inbox, closed) = (Mailbox(), Mailbox())
        let socket = try await VenueSocket.open(
            Self.address(server.port), on: MultiThreadedEventLoopGroup.singleton,
            received: { inbox.put(String(decoding: $0, as: UTF8.self)) }, closed: { closed.put($0) })
        let hello = RequestEnvelope(id: .text("a"), method: "public/get_time", parameters: NoParameters())
        socket.send(hello.json)
        #expect(try await inbox.first { $0.contains("\"id\":\"a\"") }.contains("result"))
        var subscription = SubscriptionRequest()
        subscription.channels = ["book.BTC-PERPETUAL.100ms"]
        socket.send(
            RequestEnvelope(id: .number(2), method: "public/subscribe", parameters: subscription).json)
        #expect(try await inbox.first { $0.contains("subscription") }.contains("snapshot"))
        try await server.stop()
        _ = try await closed.first { _ in true }
    }

    @Test("A 33rd connection is refused")
    func connections() async throws {
        let server = try await ExchangeServer.start(ExchangeServer.Address()) {
            ExchangeServer.Contents(service: Venue().service) {}
        }
        var sockets: [VenueSocket] = []
        for _ in 0..<32 { sockets.append(try await Self.open(Self.address(server.port))) }
        await #expect(throws: VenueSocket.Failure.refused(status: 429)) {
            _ = try await Self.open(Self.address(server.port))
        }
        var other = Self.address(server.port)
        other.path = "/elsewhere"
        let elsewhere = other
        await #expect(throws: VenueSocket.Failure.refused(status: 404)) {
            _ = try await Self.open(elsewhere)
        }
        for socket in sockets { socket.close() }
        try await server.stop()
    }

    // MARK: Servers that are none

    /// Answers whatever comes with one text, or with the end of the connection where there is none.
    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let text: String?

        init(_ text: String?) { self.text = text }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let text else {
                context.close(promise: nil)
                return
            }
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }

    /// - Parameter answer: nil for a server that takes connections and never says anything.
    private static func withServer(
        _ answer: (@Sendable () -> Answer)?, _ body: (_ port: Int?) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let answer { try channel.pipeline.syncOperations.addHandler(answer()) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        try await body(server.localAddress?.port)
    }

    @Test(
        "An upgrade that is refused tells the status",
        arguments: [
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200),
            // With a body that never comes.
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n", 403),
        ])
    func refusal(answer: String, status: Int) async throws {
        try await Self.withServer({ Answer(answer) }) { port in
            await #expect(throws: VenueSocket.Failure.refused(status: status)) {
                _ = try await Self.open(Self.address(port))
            }
        }
    }

    @Test(
        "An answer that is no upgrade, or no HTTP, ends the opening",
        arguments: [
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n", "220 mail\r\n", "\u{0}\u{1}\r\n\r\n",
        ])
    func nonsense(answer: String) async throws {
        try await Self.withServer({ Answer(answer) }) { port in
            let error = await #expect(throws: (any Error).self) {
                _ = try await Self.open(Self.address(port))
            }
            #expect(error as? VenueSocket.Failure != .silent)
        }
    }

    @Test("A server that closes instead of an answer ends the opening")
    func closing() async throws {
        try await Self.withServer({ Answer(nil) }) { port in
            let error = await #expect(throws: (any Error).self) {
                _ = try await Self.open(Self.address(port))
            }
            #expect(error as? VenueSocket.Failure != .silent)
        }
    }

    @Test(
        "A server that takes the connection and says nothing is left at the deadline, with TLS and without",
        arguments: [false, true])
    func silence(isProtected: Bool) async throws {
        try await Self.withServer(nil) { port in
            var address = Self.address(port)
            address.deadline = 1
            if isProtected { address.tls = .makeClientConfiguration() }
            let chosen = address
            await #expect(throws: VenueSocket.Failure.silent) { _ = try await Self.open(chosen) }
        }
    }

    @Test("Who is cancelled does not wait for the deadline")
    func cancellation() async throws {
        try await Self.withServer(nil) { port in
            let address = Self.address(port)
            let opening = Task { _ = try await Self.open(address) }
            opening.cancel()
            await #expect(throws: CancellationError.self) { try await opening.value }
        }
    }
}
