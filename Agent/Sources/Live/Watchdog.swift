import Desk
import NIOCore
import NIOPosix
import VenueClient
import VenueProtocol

/// A dead man's switch: another process, with a connection of its own, that cancels everything when an agent's heartbeat stops,
/// and leaves the agent a word that keeps it from trading on when it wakes up.
public final class Watchdog {
    public enum Phase: Equatable, Sendable {
        /// No heartbeat yet, or the agent ended as it should.
        case waits
        case watches
        /// Since the heartbeat stopped: everything is cancelled until the venue lists nothing.
        case cancels
        /// The venue lists nothing; armed again when the heartbeat comes back.
        case cancelled
    }

    public private(set) var phase = Phase.waits
    private let most: Duration
    private var last: HeartbeatFile.Beat?
    private var lastChange = ContinuousClock.Instant.now
    private var triggered = ContinuousClock.Instant.now

    public init(after most: Duration) { self.most = most }

    public enum Action: Equatable, Sendable {
        /// Cancel all, and ask what is open.
        case cancel
        case say(String)
        /// Leave the agent a word.
        case arm(String)
    }

    /// Looks at the heartbeat. Ages are by a clock that nobody sets.
    public func look(_ beat: HeartbeatFile.Beat?, at now: ContinuousClock.Instant) -> [Action] {
        defer { last = beat ?? last }
        guard let beat else {
            guard phase == .watches else { return phase == .cancels ? [.cancel] : [] }
            phase = .waits
            return [.say("the agent has ended as it should")]
        }
        if beat != last { lastChange = now }
        switch phase {
        case .waits, .cancelled:
            // What lies there from a process that is gone does not beat.
            guard last != nil, beat != last else { return [] }
            phase = .watches
            return [.say("watches run \(beat.run)")]
        case .watches:
            guard lastChange.duration(to: now) > most else { return [] }
            phase = .cancels
            triggered = now
            let text = "no heartbeat of run \(beat.run) for \(most)"
            return [.say("\(text): cancels everything"), .arm(text), .cancel]
        case .cancels: return [.cancel]
        }
    }

    /// What the venue lists after a cancel.
    public func listed(open: Int, at now: ContinuousClock.Instant) -> [Action] {
        guard phase == .cancels else { return [] }
        guard open == 0 else { return [.say("\(open) orders are open still")] }
        phase = .cancelled
        return [.say("the venue lists no open order, \(triggered.duration(to: now)) after the alarm")]
    }
}

/// A watchdog on a link of its own.
public final class WatchProcess: Sendable {
    /// Watches until the task is cancelled.
    public static func run(
        _ configuration: AgentConfiguration, _ credentials: Credentials, after most: Duration,
        say: @escaping @Sendable (String) -> Void
    ) async throws {
        var settings = VenueLinkConfiguration(
            address: configuration.address ?? .init(host: "", port: 0, tls: nil), credentials: credentials)
        settings.currencies = Array(configuration.currencies.prefix(1))
        settings.indices = []
        settings.followsBook = { _ in false }
        settings.followsTicker = { _ in false }
        settings.chainInterval = nil
        settings.tickInterval = 500_000
        settings.orderLife = nil
        settings.connection.heartbeat = configuration.venue.heartbeatSeconds
        let link = try await VenueLink.connect(settings)
        let watchdog = Watchdog(after: most)
        let journal = configuration.journal.file
        var tag = 0
        func carryOut(_ actions: [Watchdog.Action]) throws {
            for action in actions {
                switch action {
                case .say(let text): say(text)
                case .arm(let reason):
                    try CommandFile.write(
                        OperatorCommand(.cancel, by: "watchdog", reason: reason), journal: journal)
                case .cancel:
                    tag += 2
                    link.send(.cancelAll, tag: tag)
                    link.send(
                        .call(method: "private/get_open_orders", parameters: .emptyObject), tag: tag + 1)
                }
            }
        }
        try await withTaskCancellationHandler {
            for await event in link.events {
                switch event.content {
                case .ready(.trading): say("connected")
                case .lost(.trading, let reason): say("not connected: \(reason)")
                case .tick: try carryOut(watchdog.look(HeartbeatFile.read(journal: journal), at: .now))
                case .outcome(let number, .result(let result)) where number % 2 == 1:
                    let open = (try? [VenueOrder](result))?.count
                    if let open { try carryOut(watchdog.listed(open: open, at: .now)) }
                default: break
                }
            }
        } onCancel: {
            Task { try await link.stop() }
        }
    }
}
