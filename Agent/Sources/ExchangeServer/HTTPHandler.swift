import NIOCore
import NIOHTTP1
import NIOWebSocket
import VenueProtocol

/// What is answered over HTTP.
struct HTTPAnswer {
    var status = 200
    var type = "application/json"
    var body: [UInt8] = []

    static func refusal(_ status: Int, _ reason: String) -> HTTPAnswer {
        var writer = JSONWriter()
        writer.object { $0.member("error", reason) }
        return HTTPAnswer(status: status, body: writer.bytes)
    }
}

/// Requests over HTTP, each with a connection of its own.
final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    static let name = "poise.http"
    static let longestBody = 1 << 16

    private let answer: (HTTPRequestHead, [UInt8]) -> HTTPAnswer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLong = false

    init(_ answer: @escaping (_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
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

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An upgrade that is refused comes again as a request, and is answered with the reason.
        if error is NIOWebSocketUpgradeError { return }
        context.close(promise: nil)
    }

    private func respond(_ context: ChannelHandlerContext, _ request: HTTPRequestHead) {
        let reply = isTooLong ? .refusal(413, "too long") : answer(request, body)
        var headers = HTTPHeaders([
            ("Content-Type", reply.type), ("Content-Length", String(reply.body.count)),
            ("Cache-Control", "no-store"),
        ])
        // Only a connection's first request can be upgraded to a WebSocket, and clients that pool connections would ask
        // for it on one that was used: each request has its own.
        headers.add(name: "Connection", value: "close")
        let head = HTTPResponseHead(
            version: request.version, status: .init(statusCode: reply.status), headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            var buffer = context.channel.allocator.buffer(capacity: reply.body.count)
            buffer.writeBytes(reply.body)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    /// Names and values of a query; nil where an escape is none.
    static func query(_ text: String) -> [(name: String, value: String)]? {
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

extension VenueService {
    /// `/api/v2/{method}` with a query, and JSON-RPC in the body of a GET or POST.
    func answer(_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer {
        let parts = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        if path == "/ws/api/v2" {
            return mayConnect
                ? .refusal(426, "a WebSocket is served here") : .refusal(429, "too many connections")
        }
        guard path == "/api/v2" || path.hasPrefix("/api/v2/") else { return .refusal(404, "not found") }
        guard request.method == .GET || request.method == .POST else { return .refusal(405, "GET or POST") }
        guard let query = HTTPHandler.query(parts.count > 1 ? String(parts[1]) : "") else {
            return .refusal(400, "query")
        }
        let (status, reply) = self.request(
            verb: request.method.rawValue, method: String(path.dropFirst(7).drop { $0 == "/" }), query: query,
            body: body, authorization: request.headers.first(name: "Authorization"), target: request.uri)
        return HTTPAnswer(status: status, body: reply)
    }
}
