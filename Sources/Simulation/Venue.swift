import Checks
import Market

/// A venue on which the hedge is traded.
public struct Venue: Sendable, Equatable {
    public enum Costs: Sendable, Equatable {
        case orderBook(OrderBookCosts)
        case pool(PoolCosts)
    }

    public var name: String
    public var costs: Costs
    public var failures: VenueFailures
    /// From decision to fill, where `costs` is not a pool, which has blocks.
    public var latencySeconds: Double
    /// The largest order, in coins.
    public var largestOrder: Double

    public init(
        name: String, costs: Costs, failures: VenueFailures = VenueFailures(), latencySeconds: Double = 0,
        largestOrder: Double = .infinity
    ) {
        self.name = name
        self.costs = costs
        self.failures = failures
        self.latencySeconds = latencySeconds
        self.largestOrder = largestOrder
    }

    /// From decision to fill.
    public var delaySeconds: Double {
        switch costs {
        case .orderBook: latencySeconds
        case .pool(let pool): pool.blockSeconds * pool.blocks
        }
    }

    /// The proportional and the fixed cost of a small order, as a policy is told them.
    public var quotedCosts: (proportional: Double, fixed: Double) {
        switch costs {
        case .orderBook(let book):
            book.isMaker
                ? (max(0, book.makerFee), 0) : (max(0, book.halfSpread + book.takerFee), 0)
        case .pool(let pool): (pool.fee, pool.gas)
        }
    }
}

extension Venue {
    /// Whole steps from decision to fill, and the part of a step after them.
    func delay(_ grid: TimeGrid) -> (steps: Int, fraction: Double) {
        let delay = delaySeconds / (grid.stepYears * Year.days * 86400)
        let whole = delay.rounded(.down)
        // Never filled within the simulation, however much longer it takes.
        return whole < Double(grid.steps) ? (Int(whole), delay - whole) : (grid.steps, 0)
    }

    public func validate(_ grid: TimeGrid) throws(SimulationError) {
        switch costs {
        case .orderBook(let book): try book.validate(name)
        case .pool(let pool): try pool.validate(name)
        }
        try failures.validate(name)
        try SimulationError.require(latencySeconds, .notNegative, name, "latency_seconds")
        try SimulationError.require(
            largestOrder > 0, name, "largest_order_coins", largestOrder, "must be above 0")
        let field = if case .pool = costs { "blocks" } else { "latency_seconds" }
        try SimulationError.require(
            delay(grid).steps < grid.steps, name, field, delaySeconds,
            "is \(delaySeconds.shown) s from decision to fill, longer than the simulation")
    }
}
