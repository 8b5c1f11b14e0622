import NIOCore
import NIOPosix
import VenueProtocol

/// A link to a venue: two connections that come back by themselves, and a stream of what happens there.
///
///     let link = try await VenueLink.connect(configuration)
///     link.send(.place(order), tag: 1)
///     for await event in link.events { picture.apply(event) }
public final class VenueLink: Sendable {
    /// What happens, for one reader; empty where a handler takes it.
    public let events: VenueEvents
    private let loop: any EventLoop
    private let runner: NIOLoopBound<Runner>

    private init(_ events: VenueEvents, _ loop: any EventLoop, _ runner: NIOLoopBound<Runner>) {
        self.events = events
        self.loop = loop
        self.runner = runner
    }

    /// Starts to connect, and goes on until `stop`: what cannot be reached is told by events.
    /// - Parameter handle: takes the events on the link's own loop, those of a message at once, instead of `events`;
    ///   what it sends goes out without another turn of the loop.
    public static func connect(
        _ configuration: VenueLinkConfiguration,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        handle: (@Sendable ([VenueEvent]) -> Void)? = nil
    ) async throws -> VenueLink {
        let loop = group.next()
        return try await loop.submit {
            let box = RunnerBox()
            let queue = EventQueue(most: configuration.mostWaiting) {
                loop.execute { box.runner?.value.emptied() }
            }
            let runner = Runner(configuration, loop, handle: handle, queue: queue)
            let bound = NIOLoopBound(runner, eventLoop: loop)
            box.runner = bound
            runner.begin(bound)
            return VenueLink(VenueEvents(queue: queue), loop, bound)
        }.get()
    }

    /// Sends a request; its outcome is an event with the tag, once.
    public func send(_ request: VenueRequest, tag: Int) {
        onLoop { $0.send(request, tag: tag) }
    }

    /// Follows channels of the market besides those that the configuration follows.
    public func follow(_ channels: [String]) { onLoop { $0.follow(channels) } }
    public func unfollow(_ channels: [String]) { onLoop { $0.unfollow(channels) } }

    /// Closes both connections for good and ends the events. Cancel on disconnect cancels what is open; who wants to
    /// be sure cancels first.
    public func stop() async throws {
        let runner = runner
        try await loop.submit { runner.value.stop() }.get()
    }

    /// The link's clock: microseconds since 1970, going on evenly from the wall's clock at the start.
    public func now() async throws -> Int {
        let runner = runner
        return try await loop.submit { runner.value.now() }.get()
    }

    private func onLoop(_ body: @escaping @Sendable (Runner) -> Void) {
        let runner = runner
        guard !loop.inEventLoop else { return body(runner.value) }
        loop.execute { body(runner.value) }
    }
}

/// Where the queue finds the runner, which is made after it; used on the loop alone.
private final class RunnerBox: @unchecked Sendable {
    var runner: NIOLoopBound<Runner>?
}

/// Joins the core to sockets and a clock, on one loop.
private final class Runner {
    private let core: VenueLinkCore
    private let loop: any EventLoop
    private let handle: (@Sendable ([VenueEvent]) -> Void)?
    private let queue: EventQueue
    private let address: VenueSocket.Address
    private let wallAtStart: Int
    private let uptimeAtStart: UInt64
    private var sockets: [VenueLine: VenueSocket] = [:]
    /// Counts the connections of a line: what belongs to an earlier one is ignored.
    private var generations: [VenueLine: Int] = [:]
    private var ticking: RepeatedTask?
    private var bound: NIOLoopBound<Runner>?
    private var isDraining = false

    init(
        _ configuration: VenueLinkConfiguration, _ loop: any EventLoop,
        handle: (@Sendable ([VenueEvent]) -> Void)?, queue: EventQueue
    ) {
        self.loop = loop
        self.handle = handle
        self.queue = queue
        address = configuration.address
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        wallAtStart = Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000
        uptimeAtStart = NIODeadline.now().uptimeNanoseconds
        core = VenueLinkCore(configuration, at: wallAtStart, random: { .random(in: 0..<1) })
    }

    func now() -> Int {
        wallAtStart + Int((NIODeadline.now().uptimeNanoseconds - uptimeAtStart) / 1_000)
    }

    func begin(_ bound: NIOLoopBound<Runner>) {
        self.bound = bound
        ticking = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
            bound.value.tick()
        }
    }

    private func tick() {
        core.tick(at: now())
        drain()
    }

    func send(_ request: VenueRequest, tag: Int) {
        core.send(request, tag: tag, at: now())
        drain()
    }

    func follow(_ channels: [String]) {
        core.follow(channels, at: now())
        drain()
    }

    func unfollow(_ channels: [String]) {
        core.unfollow(channels, at: now())
        drain()
    }

    func emptied() {
        core.setOverflowing(false, at: now())
        drain()
    }

    func stop() {
        ticking?.cancel()
        core.stop(at: now())
        drain()
        queue.finish()
    }

    // MARK: Sockets

    private func opened(_ line: VenueLine, _ generation: Int, _ socket: VenueSocket) {
        guard generations[line] == generation else { return socket.close() }
        sockets[line] = socket
        core.opened(line, at: now())
        drain()
    }

    private func closed(_ line: VenueLine, _ generation: Int, _ reason: String) {
        guard generations[line] == generation else { return }
        sockets[line] = nil
        core.closed(line, reason, at: now())
        drain()
    }

    private func received(_ line: VenueLine, _ generation: Int, _ bytes: [UInt8]) {
        guard generations[line] == generation else { return }
        core.received(line, bytes, at: now())
        drain()
    }

    private func open(_ line: VenueLine) {
        guard let bound else { return }
        let generation = (generations[line] ?? 0) + 1
        generations[line] = generation
        let (address, loop) = (address, loop)
        Task {
            do {
                let socket = try await VenueSocket.open(
                    address, on: loop,
                    received: { bound.value.received(line, generation, $0) },
                    closed: { bound.value.closed(line, generation, $0) })
                loop.execute { bound.value.opened(line, generation, socket) }
            } catch {
                let reason = "\(error)"
                loop.execute { bound.value.closed(line, generation, reason) }
            }
        }
    }

    // MARK: Effects

    /// Carries out what the core wants. A handler may send from within: that is carried out here too.
    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        while true {
            let effects = core.takeEffects()
            guard !effects.isEmpty else { return }
            var events: [VenueEvent] = []
            for effect in effects {
                switch effect {
                case .connect(let line): open(line)
                case .send(let line, let bytes): sockets[line]?.send(bytes)
                case .close(let line):
                    generations[line, default: 0] += 1
                    sockets.removeValue(forKey: line)?.close()
                case .event(let event): events.append(event)
                }
            }
            guard !events.isEmpty else { continue }
            if let handle {
                handle(events)
            } else if queue.put(events) {
                core.setOverflowing(true, at: now())
            }
        }
    }
}
