/// An order book put together from a snapshot and its changes. A change that does not follow the last one makes the
/// book invalid until the next snapshot, which replaces it; so does a book that is crossed.
public struct OrderBook: Sendable {
    public enum Fault: Error, Equatable, Sendable {
        /// Changes are missing between the two.
        case gap(expected: Int, found: Int)
        /// There was no snapshot yet, or none since the book became invalid.
        case noSnapshot
        case crossed(bid: Double, ask: Double)
        /// A level is changed or deleted that is not there.
        case unknownLevel(price: Double)
        case invalidLevel(price: Double, amount: Double)
    }

    public let instrumentName: String
    public private(set) var isValid = false
    public private(set) var changeID = 0
    /// Of the last message, in milliseconds.
    public private(set) var timestamp = 0
    /// Best first.
    public private(set) var bids: [PriceLevel] = []
    public private(set) var asks: [PriceLevel] = []

    public init(instrumentName: String) { self.instrumentName = instrumentName }

    /// - Throws: why the book is not valid any more. Nothing of it may be used until a snapshot has come.
    public mutating func apply(_ message: BookMessage) throws(Fault) {
        do throws(Fault) {
            if message.isSnapshot {
                bids.removeAll(keepingCapacity: true)
                asks.removeAll(keepingCapacity: true)
            } else {
                guard isValid else { throw Fault.noSnapshot }
                guard message.previousChangeID.value == changeID else {
                    throw Fault.gap(expected: changeID, found: message.previousChangeID.value ?? 0)
                }
            }
            for change in message.bids { try Self.apply(change, to: &bids) { $0 > $1 } }
            for change in message.asks { try Self.apply(change, to: &asks) { $0 < $1 } }
            if let bid = bids.first, let ask = asks.first, bid.price >= ask.price {
                throw Fault.crossed(bid: bid.price, ask: ask.price)
            }
        } catch {
            invalidate()
            throw error
        }
        changeID = message.changeID
        timestamp = message.timestamp
        isValid = true
    }

    /// Forgets the book: after a gap elsewhere, a closed socket, a channel gone silent.
    public mutating func invalidate() {
        isValid = false
        bids.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
    }

    private static func apply(
        _ change: LevelChange, to levels: inout [PriceLevel], isBetter: (Double, Double) -> Bool
    ) throws(Fault) {
        guard change.price.isFinite, change.amount.value >= 0,
            change.action == .delete || change.amount.value > 0
        else { throw .invalidLevel(price: change.price, amount: change.amount.value) }
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            if isBetter(levels[middle].price, change.price) { low = middle + 1 } else { high = middle }
        }
        let isThere = low < levels.count && levels[low].price == change.price
        switch change.action {
        case .delete:
            guard isThere else { throw .unknownLevel(price: change.price) }
            levels.remove(at: low)
        case .change:
            guard isThere else { throw .unknownLevel(price: change.price) }
            levels[low].amount = change.amount
        case .new:
            // Levels of raw messages are merged at times: a new one that is there already is its new amount.
            if isThere {
                levels[low].amount = change.amount
            } else {
                levels.insert(PriceLevel(price: change.price, amount: change.amount), at: low)
            }
        }
    }
}
