import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// A WebSocket to a venue: messages in and out, on one event loop.
public final class VenueSocket: Sendable {
    /// Where a venue is.
    public struct Address: Sendable {
        public var host: String
        public var port: Int
        public var path = "/ws/api/v2"
        /// Nil for an unprotected socket, which only a loopback address should have.
        public var tls: TLSConfiguration?
        /// Seconds in which name, connection, certificate and upgrade have to be done together.
        public var deadline = 10

        public init(host: String, port: Int, tls: TLSConfiguration? = .makeClientConfiguration()) {
            self.host = host
            self.port = port
            self.tls = tls
        }

        /// `wss://host:port/path`, or `ws://` without protection; the path is `/ws/api/v2` where there is none.
        /// - Returns: nil for another scheme, and for what has no host or no port that there is.
        public init?(url: String) {
            let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count >= 3, ["ws:", "wss:"].contains(parts[0]), parts[1].isEmpty else { return nil }
            let isProtected = parts[0] == "wss:"
            // An address of IPv6 stands in brackets, with colons of its own.
            let bracket = parts[2].lastIndex(of: "]")
            let colon = parts[2].lastIndex(of: ":").flatMap { place in
                bracket.map { place > $0 } ?? true ? place : nil
            }
            let host = parts[2][..<(colon ?? parts[2].endIndex)].filter { $0 != "[" && $0 != "]" }
            let port = colon.map { Int(parts[2][parts[2].index(after: $0)...]) } ?? (isProtected ? 443 : 80)
            guard !host.isEmpty, let port, (1...65_535).contains(port) else { return nil }
            self.init(host: host, port: port, tls: isProtected ? .makeClientConfiguration() : nil)
            if parts.count == 4, !parts[3].isEmpty { path = "/" + parts[3] }
        }
    }

    /// Why there is no connection, beyond what the network and the certificate throw.
    public enum Failure: Error, Equatable {
        /// An answer of HTTP that is no upgrade, with its status.
        case refused(status: Int)
        /// Closed before an answer was complete.
        case closed
        /// The deadline passed.
        case silent
    }

    /// Of a message from the venue: a whole chain's marks are below a megabyte.
    static let longestMessage = 16 << 20

    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    /// Opens a connection; both closures are called on its loop.
    /// - Throws: in the address's deadline at the latest, `Failure` or what the network and the certificate throw;
    ///   `CancellationError` where the task was cancelled. No connection is left behind then.
    public static func open(
        _ address: Address, on group: any EventLoopGroup, received: @escaping @Sendable ([UInt8]) -> Void,
        closed: @escaping @Sendable (String) -> Void
    ) async throws -> VenueSocket {
        let context = try address.tls.map { try NIOSSLContext(configuration: $0) }
        // An address is no server name (RFC 6066, 3): the certificate is checked against the address itself.
        let isNumeric = (try? SocketAddress(ipAddress: address.host, port: address.port)) != nil
        let name = isNumeric ? nil : address.host
        let loop = group.next()
        let upgraded = loop.makePromise(of: (any Channel).self)
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(Int64(address.deadline)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: name))
                    }
                    let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: longestMessage) { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            let pipeline = channel.pipeline.syncOperations
                            try pipeline.addHandler(
                                NIOWebSocketFrameAggregator(
                                    minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1_024,
                                    maxAccumulatedFrameSize: longestMessage))
                            try pipeline.addHandler(FrameHandler(received, closed))
                            upgraded.succeed(channel)
                        }
                    }
                    let request = UpgradeRequest(address, upgraded)
                    try pipeline.addHTTPClientHandlers(
                        withClientUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(
                                    name: UpgradeRequest.name, promise: nil)
                            }
                        ))
                    try pipeline.addHandler(request, name: UpgradeRequest.name)
                }
            }
        // Whatever happens first decides; what comes later changes nothing.
        let connected = bootstrap.connect(host: address.host, port: address.port)
        connected.whenFailure { upgraded.fail($0) }
        connected.whenSuccess { channel in
            channel.closeFuture.whenComplete { _ in upgraded.fail(Failure.closed) }
        }
        let deadline = loop.scheduleTask(in: .seconds(Int64(address.deadline))) {
            upgraded.fail(Failure.silent)
        }
        upgraded.futureResult.whenComplete { result in
            deadline.cancel()
            if case .failure = result { connected.whenSuccess { $0.close(promise: nil) } }
        }
        return try await withTaskCancellationHandler {
            VenueSocket(try await upgraded.futureResult.get())
        } onCancel: {
            upgraded.fail(CancellationError())
        }
    }

    public func send(_ bytes: [UInt8]) {
        let channel = channel
        // On the loop at once: what is decided there goes out without another round.
        guard !channel.eventLoop.inEventLoop else { return Self.write(bytes, to: channel) }
        channel.eventLoop.execute { Self.write(bytes, to: channel) }
    }

    private static func write(_ bytes: [UInt8], to channel: any Channel) {
        var buffer = channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        // A client masks its frames (RFC 6455, 5.3).
        let frame = WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: buffer)
        channel.writeAndFlush(frame, promise: nil)
    }

    public func close() { channel.close(promise: nil) }

    /// Asks for the upgrade, and fails the promise if there is none.
    private final class UpgradeRequest: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        static let name = "poise.upgrade"

        private let address: Address
        private let promise: EventLoopPromise<any Channel>

        init(_ address: Address, _ promise: EventLoopPromise<any Channel>) {
            self.address = address
            self.promise = promise
        }

        func channelActive(context: ChannelHandlerContext) {
            let headers = HTTPHeaders([("Host", "\(address.host):\(address.port)"), ("Content-Length", "0")])
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: address.path, headers: headers)
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // An answer that comes this far is no upgrade.
            guard case .head(let head) = Self.unwrapInboundIn(data) else { return }
            promise.fail(Failure.refused(status: Int(head.status.code)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
        }
    }

    private final class FrameHandler: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        private let received: ([UInt8]) -> Void
        private let closed: (String) -> Void

        init(_ received: @escaping ([UInt8]) -> Void, _ closed: @escaping (String) -> Void) {
            self.received = received
            self.closed = closed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = Self.unwrapInboundIn(data)
            switch frame.opcode {
            case .text, .binary: received(Array(frame.unmaskedData.readableBytesView))
            case .ping:
                let pong = WebSocketFrame(
                    fin: true, opcode: .pong, maskKey: .random(), data: frame.unmaskedData)
                context.writeAndFlush(Self.wrapOutboundOut(pong), promise: nil)
            case .connectionClose: context.close(promise: nil)
            default: break
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            closed("closed")
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
