import Desk
import HTTPService
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import VenueProtocol

/// What an agent shows, kept for whoever asks: the agent writes, the server reads, neither waits for the other.
public final class ControlBoard: Sendable {
    private struct Shown {
        var state: [UInt8] = Array("{}".utf8)
        var metrics = ""
        /// Rises with each publication.
        var number = 0
    }

    private let shown = Mutex(Shown())

    public init() {}

    /// - Parameters:
    ///   - state: of the page, as JSON.
    ///   - metrics: as Prometheus' text.
    public func publish(state: [UInt8], metrics: String) {
        shown.withLock { shown in
            (shown.state, shown.metrics) = (state, metrics)
            shown.number += 1
        }
    }

    var state: [UInt8] { shown.withLock { $0.state } }
    var metrics: String { shown.withLock { $0.metrics } }
    var number: Int { shown.withLock { $0.number } }
}

/// The page, metrics and an operator's commands, on the loopback address. Figures and commands want the token; a command also has
/// to come from the page itself, where a browser says where it comes from.
///
///     GET  /                 the page, without a figure; /page.js and /page.css with it
///     GET  /api/state        figures, as JSON
///     GET  /api/stream       the same as server-sent events, two a second
///     GET  /metrics          Prometheus' text
///     POST /api/command      {"action": "pause", "reason": "…"}
public final class ControlServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    public let port: Int
    public let token: String

    private init(_ group: MultiThreadedEventLoopGroup, _ channel: any Channel, token: String) {
        self.group = group
        self.channel = channel
        self.token = token
        port = channel.localAddress?.port ?? 0
    }

    /// - Parameters:
    ///   - port: 0 is any that is free.
    ///   - command: takes a command up; what became of it is among the reports.
    public static func start(
        port: Int, board: ControlBoard, token: String = secretToken(),
        command: @escaping @Sendable (OperatorCommand) -> Void
    ) async throws -> ControlServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline()
                        let door = ControlDoor(board, token: token, command: command)
                        try pipeline.addHandler(HTTPHandler { door.answer($0, $1) })
                    }
                }
                .bind(host: "127.0.0.1", port: port).get()
            return ControlServer(group, channel, token: token)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    public func stop() async throws {
        try? await channel.close()
        try await group.shutdownGracefully()
    }
}
