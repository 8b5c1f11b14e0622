import ExchangeServer
import VenueClient

/// What is between a link's core and a venue in the same thread: messages go over at once, under a clock of their own.
final class Wire {
    final class Clock {
        var microseconds: Int
        private var secrets = 0

        init(_ milliseconds: Int) { microseconds = milliseconds * 1_000 }

        func secret() -> String {
            secrets += 1
            return "token-\(secrets)"
        }
    }

    private final class Inbox { var messages: [[UInt8]] = [] }

    let core: VenueLinkCore
    private let service: VenueService
    private let clock: Clock
    private var sessions: [VenueLine: Session] = [:]
    private var inboxes: [VenueLine: Inbox] = [:]
    /// What the market's line brings from now on, in its order; nil while nobody wants to know.
    var captured: [[UInt8]]?
    /// Takes what the core tells.
    var told: (VenueEvent) -> Void = { _ in }

    init(_ core: VenueLinkCore, _ service: VenueService, _ clock: Clock) {
        (self.core, self.service, self.clock) = (core, service, clock)
    }

    var now: Int { clock.microseconds }

    /// Carries what waits to the other side, until nothing does.
    func carry() {
        while true {
            let effects = core.takeEffects()
            for effect in effects { perform(effect) }
            if effects.isEmpty, !deliver() { return }
        }
    }

    func perform(_ effect: VenueLinkCore.Effect) {
        switch effect {
        case .connect(let line):
            let inbox = Inbox()
            inboxes[line] = inbox
            sessions[line] = service.connect(send: { inbox.messages.append($0) }, close: { _ in })
            core.opened(line, at: now)
        case .send(let line, let bytes):
            if let session = sessions[line] { service.receive(bytes, from: session) }
        case .close(let line):
            if let session = sessions.removeValue(forKey: line) { service.disconnect(session) }
            inboxes[line] = nil
        case .event(let event): told(event)
        }
    }

    private func deliver() -> Bool {
        var wasThere = false
        for line in VenueLine.allCases {
            guard let inbox = inboxes[line], !inbox.messages.isEmpty else { continue }
            let messages = inbox.messages
            inbox.messages.removeAll(keepingCapacity: true)
            for message in messages {
                if line == .market { captured?.append(message) }
                core.received(line, message, at: now)
            }
            wasThere = true
        }
        return wasThere
    }
}
