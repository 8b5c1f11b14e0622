import NIOCore
import NIOHTTP1
import NIOWebSocket
import VenueProtocol

/// What is answered over HTTP.
public struct HTTPAnswer {
    public var status = 200
    public var type = "application/json"
    public var body: [UInt8] = []
    /// Besides those of type, length and caching.
    public var headers: [(name: String, value: String)] = []
    /// Follows the body, until the other side has had enough.
    public var stream: HTTPStream?

    public init(status: Int = 200, type: String = "application/json", body: [UInt8] = []) {
        (self.status, self.type, self.body) = (status, type, body)
    }

    public static func refusal(_ status: Int, _ reason: String) -> HTTPAnswer {
        var writer = JSONWriter()
        writer.object { $0.member("error", reason) }
        return HTTPAnswer(status: status, body: writer.bytes)
    }
}

/// A body that goes on: what there is to say, at an even pace. Whoever reads too slowly misses some of it.
public struct HTTPStream {
    public var interval: TimeAmount
    /// Nil where there is nothing new.
    public var next: () -> [UInt8]?

    public init(every interval: TimeAmount, next: @escaping () -> [UInt8]?) {
        (self.interval, self.next) = (interval, next)
    }
}

/// Requests over HTTP, each with a connection of its own.
public final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPServerRequestPart
    public typealias OutboundOut = HTTPServerResponsePart

    public static let name = "poise.http"
    static let longestBody = 1 << 16

    private let answer: (HTTPRequestHead, [UInt8]) -> HTTPAnswer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLong = false
    private var streaming: RepeatedTask?

    public init(_ answer: @escaping (_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer) {
        self.answer = answer
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.removeAll()
            isTooLong = false
        case .body(let buffer):
            if body.count + buffer.readableBytes > Self.longestBody {
                isTooLong = true
            } else {
                body += buffer.readableBytesView
            }
        case .end:
            guard let head else { return }
            self.head = nil
            respond(context, head)
        }
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An upgrade that is refused comes again as a request, and is answered with the reason.
        if error is NIOWebSocketUpgradeError { return }
        context.close(promise: nil)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        streaming?.cancel()
        context.fireChannelInactive()
    }

    private func respond(_ context: ChannelHandlerContext, _ request: HTTPRequestHead) {
        let reply = isTooLong ? .refusal(413, "too long") : answer(request, body)
        var headers = HTTPHeaders([("Content-Type", reply.type), ("Cache-Control", "no-store")])
        for header in reply.headers { headers.add(name: header.name, value: header.value) }
        if reply.stream == nil { headers.add(name: "Content-Length", value: String(reply.body.count)) }
        // Only a connection's first request can be upgraded to a WebSocket, and clients that pool connections would ask
        // for it on one that was used: each request has its own.
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(
            version: request.version, status: .init(statusCode: reply.status), headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { write(reply.body, context) }
        if let stream = reply.stream, request.method != .HEAD { return begin(stream, context) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        guard !bytes.isEmpty else { return }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
    }

    private func begin(_ stream: HTTPStream, _ context: ChannelHandlerContext) {
        context.flush()
        let bound = NIOLoopBound(
            (handler: self, context: context, stream: stream), eventLoop: context.eventLoop)
        streaming = context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: stream.interval) { _ in
            let (handler, context, stream) = bound.value
            guard context.channel.isWritable, let bytes = stream.next() else { return }
            handler.write(bytes, context)
            context.flush()
        }
    }

    /// Names and values of a query; nil where an escape is none.
    public static func query(_ text: String) -> [(name: String, value: String)]? {
        var result: [(name: String, value: String)] = []
        for field in text.split(separator: "&") {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pair[0]), let value = pair.count > 1 ? decoded(pair[1]) : "" else {
                return nil
            }
            result.append((name, value))
        }
        return result
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
