import ExchangeServer
import TestExchange
import VenueClient
import VenueProtocol

/// What may happen to messages, each with its probability.
struct LineFaults {
    /// A request is lost and the connection with it.
    var loseRequest = 0.0
    /// A request is carried out, and the connection is lost before its reply.
    var loseReply = 0.0
    /// A notification is lost and nothing else: the line seems well.
    var loseNotification = 0.0
    var repeatNotification = 0.0
    /// Notifications that stand next to each other change places.
    var swap = 0.0
    /// Nothing passes any more in either direction, and nobody is told.
    var halfOpen = 0.0
    static let none = LineFaults()
}

/// A trading client and a venue with a bad line between them, all in one thread.
final class Line {
    let venue: Venue
    let client: TradingClient
    var faults = LineFaults.none
    private(set) var outcomes: [Int: ClientConnection.Outcome] = [:]
    private(set) var losses = 0
    private var session: Session?
    private var isHalfOpen = false
    private let inbox = Inbox()
    private var generator: SplitMix

    final class Inbox {
        var messages: [[UInt8]] = []
        var isClosed = false
    }

    init(_ venue: Venue, seed: UInt64, _ change: (inout ClientConnection.Settings) -> Void = { _ in }) {
        self.venue = venue
        generator = SplitMix(seed: seed)
        var settings = ClientConnection.Settings()
        settings.credentials = Credentials(clientID: "alice", secret: "secret of alice")
        settings.cancelsOnDisconnect = true
        settings.orders = venue.service.configuration.limits.matching
        settings.requests = venue.service.configuration.limits.nonMatching
        change(&settings)
        var jitter = SplitMix(seed: seed &+ 1)
        client = TradingClient(
            settings, currencies: ["BTC", "ETH"], at: venue.clock.microseconds, random: { jitter.uniform() })
    }

    func random() -> Double { generator.uniform() }

    var now: Int { venue.clock.microseconds }

    /// Lets time pass at both ends.
    func run(seconds: Double, _ each: () -> Void = {}) {
        for _ in 0..<Int(seconds * 10) {
            venue.pass(seconds: 0.1)
            client.tick(at: now)
            carry()
            each()
            carry()
        }
    }

    func carry() {
        while true {
            let effects = client.takeEffects()
            for effect in effects { perform(effect) }
            if effects.isEmpty, !deliver() { return }
        }
    }

    private func perform(_ effect: TradingClient.Effect) {
        switch effect {
        case .connect:
            let inbox = inbox
            inbox.messages.removeAll()
            inbox.isClosed = false
            isHalfOpen = false
            session = venue.service.connect(
                send: { inbox.messages.append($0) }, close: { _ in inbox.isClosed = true })
            client.opened(at: now)
        case .send(let bytes):
            guard let session, !isHalfOpen else { return }
            if random() < faults.halfOpen {
                isHalfOpen = true
            } else if random() < faults.loseRequest {
                cut()
            } else {
                let before = inbox.messages.count
                venue.service.receive(bytes, from: session)
                if random() < faults.loseReply {
                    inbox.messages.removeLast(inbox.messages.count - before)
                    cut()
                }
            }
        case .close:
            if let session { venue.service.disconnect(session) }
            session = nil
        case .outcome(let request, let outcome): outcomes[request] = outcome
        case .lost: losses += 1
        case .reconciled, .doubt, .refused, .account, .clock, .unreadable: break
        }
    }

    private func cut() {
        if let session { venue.service.disconnect(session) }
        session = nil
        inbox.messages.removeAll()
        client.closed("cut", at: now)
    }

    /// - Returns: whether there was anything.
    private func deliver() -> Bool {
        guard session != nil, !isHalfOpen else { return false }
        if inbox.messages.isEmpty {
            guard inbox.isClosed else { return false }
            session = nil
            client.closed("closed by the venue", at: now)
            return true
        }
        var message = inbox.messages.removeFirst()
        let isNotification = String(decoding: message.prefix(60), as: UTF8.self).contains("subscription")
        if isNotification {
            if random() < faults.loseNotification { return true }
            if random() < faults.swap, !inbox.messages.isEmpty { swap(&message, &inbox.messages[0]) }
            if random() < faults.repeatNotification { client.received(message, at: now) }
        }
        client.received(message, at: now)
        return true
    }
}
