import NIOCore
import NIOEmbedded

@testable import ExchangeServer

/// The bytes of connections to a test exchange's own pipeline, without a network.
enum Pipe {
    /// What a client asks for a WebSocket with.
    static let upgrade = Array(
        ("GET /ws/api/v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").utf8)

    /// A connection to the server's own pipeline, without a network.
    static func connect(_ venue: Venue) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let service = NIOLoopBound(venue.service, eventLoop: channel.eventLoop)
        try ExchangeServer.configure(channel, service, nil)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    /// - Returns: what the other side sent.
    @discardableResult
    static func send(_ bytes: [UInt8], _ channel: EmbeddedChannel) -> [UInt8] {
        // What is wrong is for the pipeline to notice: it closes.
        _ = try? channel.writeInbound(channel.allocator.buffer(bytes: bytes))
        channel.embeddedEventLoop.run()
        var answer: [UInt8] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
            answer += buffer.readableBytesView
        }
        return answer
    }

    /// The other side goes, and what waits for the loop's next turn is done.
    static func end(_ channel: EmbeddedChannel) {
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
    }

    /// A client's frame: masked, as RFC 6455 wants it.
    static func frame(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x81]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        }
        let mask: [UInt8] = [1, 2, 3, 4]
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }
}
