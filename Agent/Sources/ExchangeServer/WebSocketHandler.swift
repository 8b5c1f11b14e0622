import NIOCore
import NIOWebSocket

/// One connection's frames to messages and back.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// Of a client's message.
    static let longestFrame = 1 << 16
    /// Bytes that wait for a slow reader before it is let go.
    static let mostUnsent = 8 << 20

    private let service: VenueService
    private var session: Session?

    init(_ service: VenueService) { self.service = service }

    func handlerAdded(context: ChannelHandlerContext) {
        guard session == nil else { return }
        let context = context
        session = service.connect(
            send: { bytes in
                guard context.channel.isWritable else {
                    context.close(promise: nil)
                    return
                }
                var buffer = context.channel.allocator.buffer(capacity: bytes.count)
                buffer.writeBytes(bytes)
                let frame = WebSocketFrame(fin: true, opcode: .text, data: buffer)
                context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
            },
            close: { code in
                if code == 1_006 {
                    context.close(promise: nil)
                } else {
                    Self.close(context, WebSocketErrorCode(codeNumber: code))
                }
            })
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary:
            guard let session, !session.isClosed else { return }
            service.receive(Array(frame.unmaskedData.readableBytesView), from: session)
        case .ping:
            let pong = WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)
            context.writeAndFlush(Self.wrapOutboundOut(pong), promise: nil)
        case .connectionClose: Self.close(context, .normalClosure)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let session {
            // A write that fails closes at once: whatever the service was about is done first.
            let gone = NIOLoopBound((service, session), eventLoop: context.eventLoop)
            context.eventLoop.execute { gone.value.0.disconnect(gone.value.1) }
        }
        session = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        Self.close(context, .protocolError)
    }

    private static func close(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode) {
        guard context.channel.isActive else { return }
        var buffer = context.channel.allocator.buffer(capacity: 2)
        buffer.write(webSocketErrorCode: code)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: buffer)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
