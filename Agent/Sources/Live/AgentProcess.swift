import Control
import Desk
import Foundation
import Journal
import NIOCore
import NIOPosix
import VenueClient
import VenueProtocol

/// An agent with everything about it: link, journal, page, files beside the journal. One event loop owns all that decides.
public final class AgentProcess: Sendable {
    public struct Options: Sendable {
        public var mode = LiveDesk.Mode.live
        public var version = ""
        /// Nil where the mode needs no account.
        public var credentials: Credentials?
        /// Called on the agent's loop.
        public var said: @Sendable (DeskReport) -> Void = { _ in }

        public init() {}
    }

    /// How a process ended.
    public struct Ending: Sendable {
        /// Whether the venue has said that nothing is open.
        public var hasNothingOpen = false
        public var differences: [(name: String, books: Double, venue: Double)] = []
        public var view = AgentView()
    }

    private let loop: any EventLoop
    private let runner: NIOLoopBound<AgentRunner>
    private let finished: EventLoopFuture<Ending>
    private let link: VenueLink
    private let control: ControlServer?
    private let journal: String

    /// Where the page is, with its token behind the mark that browsers keep to themselves.
    public var page: String? { control.map { "http://127.0.0.1:\($0.port)/#\($0.token)" } }
    public var controlPort: Int? { control?.port }
    public var token: String? { control?.token }

    private init(
        _ loop: any EventLoop, _ runner: NIOLoopBound<AgentRunner>, _ finished: EventLoopFuture<Ending>,
        _ link: VenueLink, _ control: ControlServer?, journal: String
    ) {
        (self.loop, self.runner, self.finished) = (loop, runner, finished)
        (self.link, self.control, self.journal) = (link, control, journal)
    }

    /// Takes up the journal, opens the page, connects.
    /// - Throws: what configuration, journal, desk and sockets throw.
    public static func start(
        _ configuration: AgentConfiguration, _ options: Options,
        on loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    ) async throws -> AgentProcess {
        try configuration.check()
        guard options.mode == .paper || options.credentials != nil else {
            throw ConfigurationError(
                "venue.credentials_file",
                "no keys: neither there nor in POISE_CLIENT_ID and POISE_CLIENT_SECRET")
        }
        let board = ControlBoard()
        let (runner, finished, since) = try await loop.submit {
            let promise = loop.makePromise(of: Ending.self)
            do {
                let made = try AgentRunner(configuration, options, board, promise)
                return (NIOLoopBound(made, eventLoop: loop), promise.futureResult, made.live.tradesSince)
            } catch {
                promise.fail(error)
                throw error
            }
        }.get()
        let control: ControlServer?
        if configuration.control.isEnabled {
            control = try await ControlServer.start(port: configuration.control.port, board: board) { word in
                loop.execute { runner.value.command(word) }
            }
            try Self.write(token: control?.token ?? "", journal: configuration.journal.file)
        } else {
            control = nil
        }
        let settings = configuration.link(
            options.mode == .paper ? nil : options.credentials, tradesSince: since)
        let link = try await VenueLink.connect(settings, on: loop) { runner.value.take($0) }
        try await loop.submit { runner.value.join(link, runner) }.get()
        return AgentProcess(loop, runner, finished, link, control, journal: configuration.journal.file)
    }

    /// The page's token, for its owner alone.
    private static func write(token: String, journal: String) throws {
        let path = journal + ".token"
        try? FileManager.default.removeItem(atPath: path)
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data((token + "\n").utf8), attributes: [.posixPermissions: 0o600])
        else { throw SettingsError(file: path, line: nil, reason: "cannot be written") }
    }

    /// Asks for the end: everything open is taken back first.
    public func stop() { loop.execute { [runner] in runner.value.stop() } }

    public func command(_ command: OperatorCommand) {
        loop.execute { [runner] in runner.value.command(command) }
    }

    public func view() async throws -> AgentView {
        let runner = runner
        return try await loop.submit { runner.value.view }.get()
    }

    /// Until the process has ended, by `stop` or because it could not go on.
    /// - Throws: `JournalError` and what else ends it: then nothing was sent any more, and the venue's cancel on disconnect takes
    ///   back what was open.
    public func wait() async throws -> Ending {
        let result: Result<Ending, any Error>
        do { result = .success(try await finished.get()) } catch { result = .failure(error) }
        try await link.stop()
        try await control?.stop()
        try? FileManager.default.removeItem(atPath: journal + ".token")
        return try result.get()
    }
}

/// What happens on the agent's loop.
final class AgentRunner {
    private enum Phase {
        case runs
        /// Until when the venue has to say that nothing is open.
        case cancels(until: NIODeadline)
        /// Until when it has to list the positions once more.
        case compares(since: Int, until: NIODeadline)
        case over
    }

    let live: LiveDesk
    private let lock: JournalLock
    private let board: ControlBoard
    private let finished: EventLoopPromise<AgentProcess.Ending>
    private let journal: String
    /// What came before there was a link.
    private var waiting: [VenueEvent] = []
    private var reports: [DeskReport] = []
    private var phase = Phase.runs
    private var beating: RepeatedTask?
    private var beat = HeartbeatFile.Beat()
    private var turns = 0
    private let said: @Sendable (DeskReport) -> Void

    init(
        _ configuration: AgentConfiguration, _ options: AgentProcess.Options, _ board: ControlBoard,
        _ finished: EventLoopPromise<AgentProcess.Ending>
    ) throws {
        journal = configuration.journal.file
        lock = try JournalLock(journal: journal)
        (self.board, self.finished, said) = (board, finished, options.said)
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        live = try LiveDesk(
            configuration, mode: options.mode, journal: Journal(path: journal), engine: GreeksComputer(),
            version: options.version, at: Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000)
        beat.run = live.run
        live.said = { [unowned self] in note($0) }
    }

    private func note(_ report: DeskReport) {
        if report.kind != .order {
            reports.append(report)
            if reports.count > 400 { reports.removeFirst(200) }
        }
        said(report)
    }

    var view: AgentView { live.view(reports: reports.suffix(200)) }

    func join(_ link: VenueLink, _ bound: NIOLoopBound<AgentRunner>) {
        live.door = link
        let events = waiting
        waiting = []
        take(events)
        let loop = finished.futureResult.eventLoop
        beating = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(250)) { _ in
            bound.value.turn()
        }
    }

    func take(_ events: [VenueEvent]) {
        guard live.door != nil else {
            if case .runs = phase { waiting += events }
            return
        }
        attempt { try live.take(events) }
    }

    func command(_ command: OperatorCommand) { attempt { try live.command(command) } }

    /// What cannot be written down ends the process: nothing is sent any more.
    private func attempt(_ body: () throws -> Void) {
        if case .over = phase { return }
        do { try body() } catch {
            live.door = nil
            phase = .over
            beating?.cancel()
            finished.fail(error)
        }
    }

    // MARK: Turns

    private func turn() {
        turns += 1
        if let word = CommandFile.take(journal: journal) {
            command(word)
            CommandFile.settled(journal: journal)
        }
        if turns % 4 == 1 {
            beat.number += 1
            try? HeartbeatFile.write(beat, journal: journal)
        }
        if turns % 2 == 0 { board.publish(state: view.json, metrics: live.metrics()) }
        attempt { try advance() }
    }

    func stop() {
        guard case .runs = phase else { return }
        phase = .cancels(until: .now() + (live.isUp ? .seconds(20) : .seconds(2)))
        if live.mode != .dry { attempt { try live.beginEnding() } }
    }

    private func advance() throws {
        switch phase {
        case .runs, .over: break
        case .cancels(let until):
            guard live.hasNothingOpen || live.mode == .dry || .now() > until else { return }
            let since = live.statistics.listings
            live.askPositions()
            phase = .compares(since: since, until: .now() + .seconds(5))
            if !live.isUp { try finish() }
        case .compares(let since, let until):
            if live.statistics.listings > since || .now() > until { try finish() }
        }
    }

    private func finish() throws {
        var ending = AgentProcess.Ending()
        ending.hasNothingOpen = live.hasNothingOpen || live.mode == .dry
        ending.differences = live.differences
        ending.view = view
        try live.end()
        HeartbeatFile.remove(journal: journal)
        phase = .over
        beating?.cancel()
        finished.succeed(ending)
    }
}
