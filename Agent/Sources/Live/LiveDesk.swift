import Desk
import Journal
import VenueClient
import VenueProtocol

/// Where a desk's requests go. A link is one; a test has another.
public protocol VenueDoor {
    func send(_ request: VenueRequest, tag: Int)
    func follow(_ channels: [String])
    func unfollow(_ channels: [String])
}

extension VenueLink: VenueDoor {}

/// A desk on a venue: what the venue tells becomes the desk's events, and what the desk wants becomes requests once it is in the
/// journal. It has no clock and no network of its own; times are microseconds of the link's clock. One thread owns it.
public final class LiveDesk {
    public enum Mode: String, Sendable {
        case live
        /// Everything but sending.
        case dry
        /// Fills against the venue's live books, on no account.
        case paper
    }

    /// What a request was about, by its tag.
    enum Question {
        case place(label: String)
        case cancel(label: String)
        case cancelAll
        case lookUp(label: String)
        case trades(TradePage)
        case openOrders
        case positions
    }

    public let configuration: AgentConfiguration
    public let mode: Mode
    public internal(set) var desk: Desk
    public let journal: Journal?
    public let run: Int
    /// Where requests go; nothing is sent before there is one.
    public var door: (any VenueDoor)?
    /// Called with everything that is said, once it is in the journal.
    public var said: (DeskReport) -> Void = { _ in }

    public internal(set) var market = MarketPicture()
    public internal(set) var clock: VenueClock
    public internal(set) var statistics = LiveStatistics()
    var openOrders: [String: VenueOrder] = [:]
    var portfolios: [String: AccountFigures] = [:]
    var ready: Set<VenueLine> = []
    var line = LineState()
    /// Whether the venue has listed positions since the line was lost last.
    var hasPositions = false
    var questions: [Int: Question] = [:]
    private var nextTag = 1
    var paper: PaperVenue?
    /// What was answered within: taken in after what is under way.
    var answers: [DeskEvent.Content] = []
    /// Instruments whose tickers and books are followed, and those whose tickers alone are.
    var followed: Set<String> = []
    var watched: Set<String> = []
    /// What both were made of.
    var followedVersion = -1
    var followedOrders: Set<String> = []
    var dirtyBooks: [String] = []
    /// When each book was told last, in microseconds.
    var toldBooks: [String: Int] = [:]
    var snapshotAt = 0
    var paperAt = 0
    private var time = 0
    private var pause: KillSwitch?
    /// When the message came whose consequences are being drawn.
    var arrival: ContinuousClock.Instant?

    /// Takes up what the journal has, and begins a run.
    /// - Parameter time: microseconds of the link's clock.
    /// - Throws: `JournalError`, what the desk throws.
    public init(
        _ configuration: AgentConfiguration, mode: Mode = .live, journal: Journal?, engine: GreeksComputer,
        version: String, at time: Int
    ) throws {
        self.configuration = configuration
        self.mode = mode
        self.journal = journal
        clock = VenueClock(speed: configuration.venue.clockSpeed)
        let settings = configuration.deskByVenueClock
        if let journal {
            desk = try journal.recover(settings, engine: engine).desk
            run = try journal.begin(version: version, configuration: settings.json, at: time / 1_000)
        } else {
            desk = try Desk(settings, engine: engine)
            run = 1
        }
        self.time = time
        if mode == .paper {
            paper = PaperVenue(
                configuration.paper ?? PaperSettings(), run: run,
                positions: desk.adoptedAt == nil
                    ? settings.books.flatMap { $0.positions ?? [] }.map {
                        ($0.instrumentName, Quantity($0.amount) ?? .zero)
                    } : desk.positions)
        }
        try deliver(.started(RunStart(run: run, version: version)))
        try keepState()
    }

    /// By currency, the milliseconds from which on the venue is asked for trades: an hour before the latest that has counted, as
    /// one before that may never have come; those that have come count once.
    public var tradesSince: [String: Int] {
        guard let adopted = desk.adoptedAt else { return [:] }
        var since: [String: Int] = [:]
        for currency in configuration.currencies { since[currency] = adopted }
        for (currency, latest) in desk.tradesSeen { since[currency] = max(adopted, latest - 3_600_000) }
        return since
    }

    // MARK: Events

    /// Takes what came in, and does what follows of it.
    /// - Throws: `JournalError`: nothing was or will be sent that is not written down.
    public func take(_ events: [VenueEvent]) throws {
        arrival = .now
        defer { arrival = nil }
        for event in events {
            time = max(time, event.time)
            try note(event)
        }
        try tellBooks()
        try takeAnswers()
    }

    /// An operator's word.
    public func command(_ command: OperatorCommand) throws {
        if let limit = command.limit, ![limit.low, limit.high].allSatisfy({ $0?.isFinite ?? true }) {
            // No number has no form in a journal.
            return remark("\(command.by) would move a band of \(limit.underlying) to what is no number")
        }
        try deliver(.command(command))
        try takeAnswers()
    }

    func takeAnswers() throws {
        while true {
            answers += paper?.takeNews() ?? []
            guard !answers.isEmpty else { return }
            try deliver(answers.removeFirst())
        }
    }

    /// Gives the desk an event, writes it down with what the desk wants, and only then does that.
    func deliver(_ content: DeskEvent.Content) throws {
        let event = DeskEvent(content, at: clock.milliseconds(at: time))
        let intents = desk.step(event)
        try journal?.append(event, intents)
        for intent in intents { carryOut(intent) }
    }

    var now: Int { time }

    func tag(_ question: Question) -> Int {
        defer { nextTag += 1 }
        questions[nextTag] = question
        return nextTag
    }

    // MARK: The journal

    /// A snapshot that replays to the same bits as the records before it.
    func keepState() throws {
        snapshotAt = time + Int(configuration.journal.snapshotMinutes * 60e6)
        try journal?.snapshot(desk.save(), hash: desk.stateHash, run: run)
        try journal?.retain(snapshots: configuration.journal.keepSnapshots)
    }

    // MARK: The end

    static let ending = "the process"

    /// Takes back everything that is open, for the process's own end.
    public func beginEnding() throws {
        if desk.killSwitch.level == .pause { pause = desk.killSwitch }
        try command(OperatorCommand(.cancel, by: Self.ending, reason: "ends"))
    }

    /// Whether the venue has listed no open order since.
    public var hasNothingOpen: Bool {
        desk.killSwitch.level >= .cancel && desk.killSwitch.verifiedAt != nil
    }

    /// Instruments of which the books hold something else than the venue listed last.
    public internal(set) var differences: [(name: String, books: Double, venue: Double)] = []

    /// Whether both lines are up and confirmed.
    public var isUp: Bool { line.isUp }

    /// Has the venue list positions once more.
    public func askPositions() { carryOut(.askPositions) }

    /// Closes the journal; what was armed for the end alone does not hold the next process back.
    public func end() throws {
        ready.removeAll()
        try refreshLine()
        if desk.killSwitch.by == Self.ending {
            try deliver(.command(OperatorCommand(.release, by: Self.ending)))
            // A pause from before stays.
            if let pause {
                try deliver(.command(OperatorCommand(.pause, by: pause.by, reason: pause.reason)))
            }
        }
        try journal?.end(at: clock.milliseconds(at: time))
        door = nil
    }
}

extension Desk {
    /// What all books together hold, by instrument, in the order in which it came.
    public var positions: [(name: String, quantity: Quantity)] {
        holdings.reduce(into: []) { list, holding in
            if let place = list.firstIndex(where: { $0.name == holding.instrumentName }) {
                list[place].quantity += holding.quantity
            } else {
                list.append((holding.instrumentName, holding.quantity))
            }
        }
    }
}
