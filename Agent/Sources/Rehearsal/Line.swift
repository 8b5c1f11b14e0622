import Desk
import TestExchange
import VenueProtocol

/// What a line does to messages, each by its chance.
public struct LineFaults: Sendable {
    /// An order never arrives.
    public var lostRequest = 0.0
    /// An order arrives, and its answer does not.
    public var lostReply = 0.0
    /// A notification of an own order or trade is lost.
    public var lostNotification = 0.0
    public var repeatedNotification = 0.0
    /// A notification comes later than the next ones.
    public var lateNotification = 0.0
    /// Milliseconds that a late one takes.
    public var lateness = 3_000

    public init() {}

    /// Every one of them.
    public static func all(_ chance: Double) -> LineFaults {
        var faults = LineFaults()
        faults.lostRequest = chance
        faults.lostReply = chance
        faults.lostNotification = chance
        faults.repeatedNotification = chance
        faults.lateNotification = chance
        return faults
    }
}

/// Messages on their way to the desk.
struct Line {
    enum Fate {
        case lostRequest
        case arrives(isAnswered: Bool)
    }

    private let faults: LineFaults
    private var random: SplitMix
    /// In the order of their numbers.
    private var waiting: [(due: Int, content: DeskEvent.Content)] = []

    init(_ faults: LineFaults, seed: UInt64) {
        self.faults = faults
        random = SplitMix(seed: seed)
    }

    private mutating func chance(_ probability: Double) -> Bool { random.uniform() < probability }

    mutating func fate() -> Fate {
        if chance(faults.lostRequest) { return .lostRequest }
        return .arrives(isAnswered: !chance(faults.lostReply))
    }

    /// A notification, with all that may happen to it.
    mutating func send(_ content: DeskEvent.Content, at time: Int) {
        if chance(faults.lostNotification) { return }
        let isLate = chance(faults.lateNotification)
        waiting.append((isLate ? time + faults.lateness : time, content))
        if chance(faults.repeatedNotification) { waiting.append((time, content)) }
    }

    /// The answer to a question.
    mutating func answer(_ content: DeskEvent.Content, at time: Int) { waiting.append((time, content)) }

    mutating func next(at time: Int) -> DeskEvent.Content? {
        guard let place = waiting.firstIndex(where: { $0.due <= time }) else { return nil }
        return waiting.remove(at: place).content
    }

    /// Everything on its way is lost.
    mutating func drop() { waiting.removeAll() }
}
