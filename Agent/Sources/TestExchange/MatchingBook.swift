import VenueProtocol

/// The orders of a contract by price and, at a price, by time. An order is the number of its place in the exchange's
/// table.
struct MatchingBook {
    struct Level {
        let price: Int
        var amount = 0
        /// Oldest first.
        var orders: [Int] = []
    }

    /// The best level is the last, so that trades take from the end.
    private(set) var bids: [Level] = []
    private(set) var asks: [Level] = []
    var changeID = 0

    private func place(_ price: Int, _ side: Direction) -> (index: Int, isThere: Bool) {
        let levels = side == .buy ? bids : asks
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            let isWorse = side == .buy ? levels[middle].price < price : levels[middle].price > price
            if isWorse { low = middle + 1 } else { high = middle }
        }
        return (low, low < levels.count && levels[low].price == price)
    }

    private mutating func update<Result>(_ side: Direction, _ body: (inout [Level]) -> Result) -> Result {
        side == .buy ? body(&bids) : body(&asks)
    }

    func best(_ side: Direction) -> Level? { side == .buy ? bids.last : asks.last }

    /// The amount at a price.
    func amount(_ side: Direction, at price: Int) -> Int {
        let (index, isThere) = place(price, side)
        return isThere ? (side == .buy ? bids[index].amount : asks[index].amount) : 0
    }

    /// Puts an order behind those that are at its price.
    mutating func append(_ order: Int, amount: Int, price: Int, _ side: Direction) {
        let (index, isThere) = place(price, side)
        update(side) { levels in
            if !isThere { levels.insert(Level(price: price), at: index) }
            levels[index].amount += amount
            levels[index].orders.append(order)
        }
    }

    /// Takes an amount off an order that keeps its place.
    mutating func reduce(by amount: Int, price: Int, _ side: Direction) {
        let (index, isThere) = place(price, side)
        guard isThere else { return }
        update(side) { levels in levels[index].amount -= amount }
    }

    mutating func remove(_ order: Int, amount: Int, price: Int, _ side: Direction) {
        let (index, isThere) = place(price, side)
        guard isThere else { return }
        update(side) { levels in
            guard let position = levels[index].orders.firstIndex(of: order) else { return }
            levels[index].orders.remove(at: position)
            levels[index].amount -= amount
            if levels[index].orders.isEmpty { levels.remove(at: index) }
        }
    }

    /// Levels of a side, best first.
    func levels(_ side: Direction) -> ReversedCollection<[Level]> { (side == .buy ? bids : asks).reversed() }
}
