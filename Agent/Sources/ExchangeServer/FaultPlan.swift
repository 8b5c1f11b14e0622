import TestExchange
import VenueProtocol

/// The faults of a venue: which there are, when each begins and ends, and whether it strikes. The same seed, rules and
/// messages are struck alike.
public final class FaultPlan {
    /// A rule with what became of it.
    public struct Entry {
        public let id: Int
        public let rule: FaultRule
        /// Milliseconds of the exchange's time.
        let begins: Int
        let ends: Int?
        public internal(set) var strikes = 0
        /// Whether a state has begun.
        public internal(set) var isOn = false
        /// Whether it has begun and ended.
        public internal(set) var isOver = false

        var isSpent: Bool { isOver || rule.count.map { strikes >= $0 } ?? false }
    }

    public private(set) var entries: [Entry] = []
    private var random: SplitMix
    private var nextID = 1

    public init(seed: UInt64 = 1) { random = SplitMix(seed: seed) }

    /// - Returns: the rule's number.
    @discardableResult
    public func add(_ rule: FaultRule, at time: Int) -> Int {
        let begins = time + (rule.after ?? 0)
        entries.append(Entry(id: nextID, rule: rule, begins: begins, ends: rule.lasts.map { begins + $0 }))
        nextID += 1
        return nextID - 1
    }

    /// Ends a rule; a state of the venue ends at the next tick.
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ id: Int) -> Bool {
        guard let place = entries.firstIndex(where: { $0.id == id }) else { return false }
        if entries[place].isOn { entries[place].isOver = true } else { entries.remove(at: place) }
        return true
    }

    public func removeAll() { for id in entries.map(\.id) { remove(id) } }

    /// Whether a fault of a kind strikes what it is asked about now.
    func strike(_ kind: FaultKind, at time: Int, where isMeant: (FaultRule) -> Bool = { _ in true })
        -> FaultRule?
    {
        guard !entries.isEmpty else { return nil }
        for place in entries.indices {
            let entry = entries[place]
            guard entry.rule.kind == kind, !entry.isSpent, entry.begins <= time,
                entry.ends.map({ time < $0 }) ?? true,
                isMeant(entry.rule)
            else { continue }
            if let probability = entry.rule.probability, random.uniform() >= probability { continue }
            entries[place].strikes += 1
            return entry.rule
        }
        return nil
    }

    /// States that begin and end, in their order; what is over for good is forgotten.
    func changes(at time: Int) -> [(rule: FaultRule, begins: Bool)] {
        guard !entries.isEmpty else { return [] }
        var result: [(FaultRule, Bool)] = []
        for place in entries.indices {
            let entry = entries[place]
            let isPast = entry.ends.map { $0 <= time } ?? false
            if entry.rule.kind.isState {
                if !entry.isOn, !entry.isOver, entry.begins <= time, !isPast {
                    entries[place].isOn = true
                    entries[place].strikes += 1
                    result.append((entry.rule, true))
                    if entry.rule.kind.isMoment {
                        entries[place].isOn = false
                        entries[place].isOver = true
                    }
                } else if entry.isOn, entry.isOver || isPast {
                    entries[place].isOn = false
                    entries[place].isOver = true
                    result.append((entry.rule, false))
                }
            } else if isPast {
                entries[place].isOver = true
            }
        }
        return result
    }

    /// Forgets what is over.
    public func forget() { entries.removeAll { $0.isOver && !$0.isOn } }
}

extension FaultRule {
    func isAbout(channel text: String) -> Bool { channel.map { text.hasPrefix($0) } ?? true }
    func isAbout(method text: String) -> Bool { method.map { text.hasPrefix($0) } ?? true }
    func isAbout(instrument text: String) -> Bool { instrument.map { text.hasPrefix($0) } ?? true }
}
