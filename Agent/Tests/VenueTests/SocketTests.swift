import ExchangeServer
import NIOPosix
import Synchronization
import Testing
import VenueClient
import VenueProtocol

struct SocketTests {
    /// Messages that came, waited for.
    private final class Mailbox: Sendable {
        private let content = Mutex<[[UInt8]]>([])

        func put(_ bytes: [UInt8]) { content.withLock { $0.append(bytes) } }

        func first(_ isWanted: @Sendable (String) -> Bool) async throws -> String {
            for _ in 0..<600 {
                let found = content.withLock { messages in
                    messages.map { String(decoding: $0, as: UTF8.self) }.first(where: isWanted)
                }
                if let found { return found }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw VenueFault(.timedOut)
        }
    }

    @Test("Over real sockets: upgrade, request, subscription, and a closed venue is noticed")
    func sockets() async throws {
        let server = try await ExchangeServer.start(ExchangeServer.Address()) {
            let venue = Venue()
            return ExchangeServer.Contents(service: venue.service) {
                venue.exchange.advance(to: venue.exchange.time + 100)
            }
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let (inbox, closed) = (Mailbox(), Mailbox())
        let socket = try await VenueSocket.open(
            VenueSocket.Address(host: "127.0.0.1", port: server.port, tls: nil), on: group,
            received: { inbox.put($0) },
            closed: { closed.put(Array($0.utf8)) })
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
        let group = MultiThreadedEventLoopGroup.singleton
        var sockets: [VenueSocket] = []
        let address = VenueSocket.Address(host: "127.0.0.1", port: server.port, tls: nil)
        for _ in 0..<32 {
            sockets.append(
                try await VenueSocket.open(address, on: group, received: { _ in }, closed: { _ in }))
        }
        await #expect(throws: (any Error).self) {
            _ = try await VenueSocket.open(address, on: group, received: { _ in }, closed: { _ in })
        }
        for socket in sockets { socket.close() }
        try await server.stop()
    }
}
