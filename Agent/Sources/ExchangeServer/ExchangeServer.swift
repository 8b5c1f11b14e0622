import HTTPService
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import VenueProtocol

/// A venue behind sockets: WebSocket at `/ws/api/v2`, HTTP at `/api/v2`. One event loop owns it, so that nothing in it
/// is ever called twice at once.
public final class ExchangeServer: Sendable {
    /// What is served, made on the loop that will own it.
    public struct Contents {
        public let service: VenueService
        /// Called ten times a second: lets the exchange's time go on.
        public let advance: () -> Void

        public init(service: VenueService, advance: @escaping () -> Void) {
            self.service = service
            self.advance = advance
        }
    }

    public struct Address: Sendable {
        /// Loopback unless somebody says otherwise.
        public var host = "127.0.0.1"
        /// 0 is any that is free.
        public var port = 0
        /// Paths of a certificate chain and its key (PEM).
        public var certificate: String?
        public var key: String?

        public init() {}
    }

    /// A port of its own for faults and a page, on the loopback address whatever the venue's is.
    public struct Control: Sendable {
        /// 0 is any that is free.
        public var port = 0
        /// Whoever knows it may do all that the port can.
        public var token: String

        public init(token: String) { self.token = token }
    }

    private let group: MultiThreadedEventLoopGroup
    private let channel: any NIOCore.Channel
    private let controlChannel: (any NIOCore.Channel)?
    public let port: Int
    /// Where faults are set; nil where there is no control.
    public var controlPort: Int? { controlChannel?.localAddress?.port }

    private init(
        _ group: MultiThreadedEventLoopGroup, _ channel: any NIOCore.Channel,
        _ control: (any NIOCore.Channel)?
    ) {
        self.group = group
        self.channel = channel
        controlChannel = control
        port = channel.localAddress?.port ?? 0
    }

    /// - Throws: what the sockets, the certificate or `make` throw.
    public static func start(
        _ address: Address, control: Control? = nil, make: @escaping @Sendable () throws -> Contents
    ) async throws -> ExchangeServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = group.next()
            let service = try await loop.submit {
                let contents = try make()
                let bound = NIOLoopBound(contents, eventLoop: loop)
                loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { _ in
                    bound.value.advance()
                    bound.value.service.tick()
                }
                return NIOLoopBound(contents.service, eventLoop: loop)
            }.get()
            let tls = try address.certificate.map { try context(certificate: $0, key: address.key ?? $0) }
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(
                    .writeBufferWaterMark, value: .init(low: 1 << 20, high: WebSocketHandler.mostUnsent)
                )
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try configure(channel, service, tls) }
                }
                .bind(host: address.host, port: address.port).get()
            guard let control else { return ExchangeServer(group, channel, nil) }
            let controlChannel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline()
                        let port = ControlPort(service.value, token: control.token)
                        try pipeline.addHandler(HTTPHandler { port.answer($0, $1) })
                    }
                }
                .bind(host: "127.0.0.1", port: control.port).get()
            return ExchangeServer(group, channel, controlChannel)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    public func stop() async throws {
        try? await channel.close()
        try? await controlChannel?.close()
        try await group.shutdownGracefully()
    }

    /// Until the server's socket is closed.
    public func wait() async throws { try await channel.closeFuture.get() }

    private static func context(certificate: String, key: String) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
            NIOSSLCertificateSource.certificate($0)
        }
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain,
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))))
    }

    /// What carries the bytes of a connection to the service and back.
    static func configure(
        _ channel: any NIOCore.Channel, _ service: NIOLoopBound<VenueService>, _ tls: NIOSSLContext?
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: WebSocketHandler.longestFrame,
            shouldUpgrade: { channel, head in
                let path = head.uri.prefix { $0 != "?" }
                let mayUpgrade = path == "/ws/api/v2" && service.value.mayConnect
                return channel.eventLoop.makeSucceededFuture(mayUpgrade ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 64,
                            maxAccumulatedFrameSize: WebSocketHandler.longestFrame))
                    try pipeline.addHandler(WebSocketHandler(service.value))
                }
            })
        try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(name: HTTPHandler.name, promise: nil)
                }
            ))
        let venue = service.value
        try pipeline.addHandler(HTTPHandler { venue.answer($0, $1) }, name: HTTPHandler.name)
    }
}
