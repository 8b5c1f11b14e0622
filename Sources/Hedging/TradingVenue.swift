import Checks
import Market

/// A place where a contract or coin trades: an order book or a pool.
public struct TradingVenue: Sendable, Equatable {
    /// What can be traded there, at what prices.
    public enum Depth: Sendable, Equatable {
        /// Displayed levels, and a taker fee as a share of the price.
        case book(bids: [OrderLevel], asks: [OrderLevel], feeRate: Double)
        /// Stretches of liquidity of a pool.
        case pool(LiquidityCurve)
    }

    public var name: String
    public var depth: Depth
    /// One that is down is left out.
    public var isUp = true
    /// Per unit either way: transfer of coins and money, in the problem's currency.
    public var transferCost = 0.0
    /// Of each trade, whatever its size: gas, or a ticket.
    public var fixedCost = 0.0
    /// Until a trade is final, in seconds, and the yearly volatility meanwhile: see `delayCost`.
    public var delay = 0.0
    public var volatility = 0.0
    /// The most that may be bought and sold there: a limit, or a balance.
    public var maximumBuy = Double.infinity
    public var maximumSell = Double.infinity

    public init(_ name: String, _ depth: Depth) {
        self.name = name
        self.depth = depth
    }

    /// - Throws: `invalidValue` for costs, a delay, a volatility or a limit that cannot be: not a number, or below 0
    ///   where only a transfer or a fee rate may be.
    func validate(_ index: Int) throws(HedgeError) {
        let feeRate = if case .book(_, _, let rate) = depth { rate } else { 0.0 }
        let fields: [(name: String, value: Double, rule: NumberRule)] = [
            ("transferCost", transferCost, .finite), ("fixedCost", fixedCost, .notNegative),
            ("delay", delay, .notNegative), ("volatility", volatility, .notNegative),
            ("maximumBuy", maximumBuy, .allowance), ("maximumSell", maximumSell, .allowance),
            ("feeRate", feeRate, .finite),
        ]
        guard let broken = NumberRule.firstBroken(fields) else { return }
        throw .invalidValue(
            field: "venues[\(index)].\(broken.field)", name: name, value: broken.value,
            reason: broken.complaint)
    }

    /// What others gain per unit by acting while a trade waits: a straddle's half at the money over the delay,
    /// price · volatility · √(t / 2π) in years. It grows with the root of the delay.
    public func delayCost(price: Double) -> Double {
        price * volatility * (delay / (365 * 86_400) / (2 * .pi)).squareRoot()
    }
}

/// A pool's liquidity in real numbers: of coins for money, by ranges of the root of the price.
public struct LiquidityCurve: Sendable, Equatable {
    public struct Range: Sendable, Equatable {
        /// Roots of the price at its ends; the upper one may be infinite.
        public var low, high: Double
        /// √(coins · money) of a pool that had this liquidity everywhere.
        public var liquidity: Double
    }

    /// Root of the present price.
    public let rootPrice: Double
    /// Share of what is paid in.
    public let fee: Double
    /// Ascending, without overlap.
    public let ranges: [Range]

    /// A pool that keeps the product of its reserves.
    /// - Returns: nil where a reserve or the fee is none.
    public init?(coins: Double, money: Double, fee: Double) {
        guard coins > 0, money > 0, coins < .infinity, money < .infinity, fee >= 0, fee < 1 else {
            return nil
        }
        rootPrice = (money / coins).squareRoot()
        self.fee = fee
        ranges = [Range(low: 0, high: .infinity, liquidity: (coins * money).squareRoot())]
    }

    /// A pool of concentrated liquidity; `coinDecimals` and `moneyDecimals` say how many of its units are one: tokens
    /// have 0 to 255 of them, and what is beyond is taken as the nearer of the two.
    public init(_ pool: ConcentratedPool, coinDecimals: Int, moneyDecimals: Int) {
        let (coinDecimals, moneyDecimals) = (min(max(coinDecimals, 0), 255), min(max(moneyDecimals, 0), 255))
        func power(_ exponent: Int) -> Double {
            (0..<exponent.magnitude).reduce(1) { product, _ in exponent < 0 ? product / 10 : product * 10 }
        }
        let unit = power(coinDecimals - moneyDecimals).squareRoot()
        let amount = power(coinDecimals + moneyDecimals).squareRoot()
        rootPrice = pool.rootPrice.double * 0x1p-96 * unit
        fee = Double(pool.feePips) * 1e-6
        ranges = pool.ranges.map {
            Range(low: $0.low * unit, high: $0.high * unit, liquidity: $0.liquidity / amount)
        }
    }

    /// Coins that can be bought, or sold (fee included), until the price without fee is at a root.
    func amount(_ side: TradeSide, to root: Double) -> Double {
        var amount = 0.0
        for range in ranges {
            let low = max(range.low, side == .buy ? rootPrice : root)
            let high = min(range.high, side == .buy ? root : rootPrice)
            if low < high { amount += range.liquidity * (1 / low - 1 / high) }
        }
        return side == .buy ? amount : amount / (1 - fee)
    }

    /// What amounts cost in money, paid if bought and received if sold, where the price without fee ends at a root.
    func money(_ side: TradeSide, to root: Double) -> Double {
        var money = 0.0
        for range in ranges {
            let low = max(range.low, side == .buy ? rootPrice : root)
            let high = min(range.high, side == .buy ? root : rootPrice)
            if low < high { money += range.liquidity * (high - low) }
        }
        return side == .buy ? money / (1 - fee) : money
    }

    /// The root of the price at which an amount ends; nil where there is less.
    func root(_ side: TradeSide, _ amount: Double) -> Double? {
        var left = side == .buy ? amount : amount * (1 - fee)
        var root = rootPrice
        for range in side == .buy ? ranges : ranges.reversed() {
            let (low, high) =
                side == .buy
                ? (max(range.low, rootPrice), range.high) : (range.low, min(range.high, rootPrice))
            guard low < high else { continue }
            let all = range.liquidity * (1 / low - 1 / high)
            if left <= all {
                return side == .buy
                    ? 1 / (1 / low - left / range.liquidity) : 1 / (1 / high + left / range.liquidity)
            }
            left -= all
            root = side == .buy ? high : low
        }
        return left <= 1e-12 * amount ? root : nil
    }

    /// Price with fee of the next coin, where the price without is at a root.
    func marginal(_ side: TradeSide, _ root: Double) -> Double {
        side == .buy ? root * root / (1 - fee) : root * root * (1 - fee)
    }

    /// The root of the price without fee at a marginal price with fee.
    func root(_ side: TradeSide, marginal: Double) -> Double {
        max(side == .buy ? marginal * (1 - fee) : marginal / (1 - fee), 0).squareRoot()
    }

    /// Levels whose marginal price runs straight between that of the pool at their ends, short ones near the present
    /// price and longer ones further out.
    /// - Parameters:
    ///   - pieces: how many ends there are beside those of the ranges.
    ///   - farthest: how far the price goes, as a factor.
    func levels(
        _ side: TradeSide, reference: Double, cost: Double, pieces: Int, farthest: Double
    ) -> [CostCurve.Level] {
        let reach = farthest.squareRoot() - 1
        // Each end is further from the price by the same factor.
        var ends: [Double] = []
        var distance = reach
        for _ in 0..<pieces {
            ends.append(side == .buy ? rootPrice * (1 + distance) : rootPrice / (1 + distance))
            distance *= Self.nearer
        }
        ends.reverse()
        let last = ends.last ?? rootPrice
        var levels: [CostCurve.Level] = []
        var amount = 0.0
        for range in side == .buy ? ranges : ranges.reversed() {
            let start = side == .buy ? max(range.low, rootPrice) : min(range.high, rootPrice)
            let stop = side == .buy ? min(range.high, last) : max(range.low, last)
            guard side == .buy ? start < stop : start > stop else { continue }
            var near = start
            for far in ends.filter({ side == .buy ? $0 > start && $0 < stop : $0 < start && $0 > stop }) + [
                stop
            ] {
                let size =
                    range.liquidity * (1 / near - 1 / far).magnitude / (side == .buy ? 1 : 1 - fee)
                let (first, then) = (marginal(side, near), marginal(side, far))
                near = far
                guard size > 0 else { continue }
                amount += size
                levels.append(
                    CostCurve.Level(
                        upTo: amount, price: side.sign * (first - reference) + cost,
                        quadratic: (then - first).magnitude / (2 * size)))
            }
        }
        return levels
    }

    /// How much nearer to the price the next end is.
    private static let nearer = 0.84
}

/// One contract or coin on several venues.
public struct VenueMarket: Sendable, Equatable {
    public var venues: [TradingVenue]
    /// Price against which costs count.
    public var reference: Double

    /// How many levels a pool's price is told in, and how far it may go, as a factor.
    public static let piecesPerPool = 64
    public static let farthestPrice = 4.0

    public init(_ venues: [TradingVenue], reference: Double) {
        self.venues = venues
        self.reference = reference
    }

    /// What a venue costs per unit beside its market.
    private func unitCost(_ venue: TradingVenue) -> Double {
        venue.transferCost + venue.delayCost(price: reference)
    }

    /// The curve of one venue. A pool's is straight between some of its marginal prices:
    /// a little dearer than the pool to buy, a little cheaper to sell. `split` goes by the pool itself. A limit below 0,
    /// or one that is not a number, leaves nothing to trade on its side.
    public func curve(of venue: TradingVenue) -> CostCurve {
        guard venue.isUp else { return CostCurve(buy: [], sell: []) }
        let cost = unitCost(venue)
        var curve: CostCurve
        switch venue.depth {
        case .book(let bids, let asks, let feeRate):
            curve = CostCurve(bids: bids, asks: asks, reference: reference, fee: cost, feeRate: feeRate)
        case .pool(let pool):
            func levels(_ side: TradeSide) -> [CostCurve.Level] {
                pool.levels(
                    side, reference: reference, cost: cost, pieces: Self.piecesPerPool,
                    farthest: Self.farthestPrice)
            }
            curve = CostCurve(buy: levels(.buy), sell: levels(.sell))
        }
        curve.buy = Self.clipped(curve.buy ?? [], venue.maximumBuy)
        curve.sell = Self.clipped(curve.sell ?? [], venue.maximumSell)
        return curve
    }

    private static func clipped(_ levels: [CostCurve.Level], _ limit: Double) -> [CostCurve.Level] {
        var clipped: [CostCurve.Level] = []
        for level in levels where limit > clipped.last?.upTo ?? 0 {
            clipped.append(level)
            clipped[clipped.count - 1].upTo = min(level.upTo, limit)
        }
        return clipped
    }

    /// All venues without fixed costs as one.
    public var curve: CostCurve { .joined(venues.filter { $0.fixedCost == 0 }.map(curve(of:))) }

    // MARK: Splits

    /// A trade as its venues fill it.
    public struct Split: Sendable, Equatable {
        public struct Part: Sendable, Equatable {
            /// Index of the venue.
            public let venue: Int
            /// Positive buys.
            public let amount: Double
            /// What it costs against the reference, fees, delay and fixed cost included.
            public let cost: Double
            /// Cost of the next unit, against the reference.
            public let marginal: Double
        }
        public let parts: [Part]
        public var cost: Double { parts.reduce(0) { $0 + $1.cost } }
    }

    private static let mostChoices = 12

    /// The cheapest way to fill a trade, by the pools' own prices, not those of a curve with levels. Of venues with fixed
    /// costs each choice is looked at.
    /// - Returns: nil where the venues together have less.
    /// - Throws: `invalidValue` where more than 12 venues that are up have fixed costs, and for a number of a venue that
    ///   cannot be.
    public func split(_ trade: Double) throws(HedgeError) -> Split? {
        guard trade.isFinite, trade != 0 else { return trade == 0 ? Split(parts: []) : nil }
        let up = venues.indices.filter { venues[$0].isUp }
        for index in up { try venues[index].validate(index) }
        let free = up.filter { venues[$0].fixedCost == 0 }
        let priced = up.filter { venues[$0].fixedCost != 0 }
        guard priced.count <= Self.mostChoices else {
            throw .invalidValue(
                field: "venues", name: "", value: Double(priced.count),
                reason: "have fixed costs: at most \(Self.mostChoices) can be chosen from")
        }
        var best: Split?
        for choice in 0..<1 << priced.count {
            let chosen = free + priced.indices.filter { choice >> $0 & 1 == 1 }.map { priced[$0] }
            guard let split = split(trade, among: chosen.sorted()) else { continue }
            if best.map({ split.cost < $0.cost }) ?? true { best = split }
        }
        return best
    }

    private func split(_ trade: Double, among chosen: [Int]) -> Split? {
        let side: TradeSide = trade > 0 ? .buy : .sell
        let wanted = trade.magnitude
        let most = chosen.reduce(0) { $0 + reach($1, side, .infinity) }
        guard most >= wanted * (1 - 1e-12) else { return nil }
        // The marginal cost at which venues give enough, between doubles that are next to each other.
        var (low, high) = (Self.key(-.greatestFiniteMagnitude), Self.key(.greatestFiniteMagnitude))
        while high > low + 1 {
            // Their difference may be too large for a number.
            let middle = (low & high) + ((low ^ high) >> 1)
            let marginal = Self.value(middle)
            if chosen.reduce(0, { $0 + reach($1, side, marginal) }) >= wanted {
                high = middle
            } else {
                low = middle
            }
        }
        let marginal = Self.value(high)
        // Whatever is cheaper is taken whole; of what costs just that, as much as is wanted.
        let surely = chosen.map { reach($0, side, Self.value(low)) }
        var left = wanted - surely.reduce(0, +)
        var parts: [Split.Part] = []
        for (k, venue) in chosen.enumerated() {
            let more = max(min(reach(venue, side, marginal) - surely[k], left), 0)
            left -= more
            let amount = surely[k] + more
            guard amount > 0 else { continue }
            let (cost, next) = cost(venue, side, amount)
            parts.append(
                Split.Part(venue: venue, amount: side.sign * amount, cost: cost, marginal: next))
        }
        // The last coin of a pool has no price.
        return parts.allSatisfy { $0.cost < .infinity } ? Split(parts: parts) : nil
    }

    /// Doubles in their order as whole numbers.
    private static func key(_ value: Double) -> Int {
        let bits = Int(bitPattern: UInt(value.bitPattern))
        return bits < 0 ? Int.min &- bits : bits
    }

    private static func value(_ key: Int) -> Double {
        Double(bitPattern: UInt64(UInt(bitPattern: key < 0 ? Int.min &- key : key)))
    }

    /// How much a venue gives up to a marginal cost against the reference.
    private func reach(_ index: Int, _ side: TradeSide, _ marginal: Double) -> Double {
        let venue = venues[index]
        let limit = side == .buy ? venue.maximumBuy : venue.maximumSell
        switch venue.depth {
        case .book:
            let curve = curve(of: venue)
            let levels = (side == .buy ? curve.buy : curve.sell) ?? []
            return levels.last { $0.price <= marginal }.map { min($0.upTo, limit) } ?? 0
        case .pool(let pool):
            let price = reference + side.sign * (marginal - unitCost(venue))
            guard marginal < .infinity else {
                return min(pool.amount(side, to: side == .buy ? .infinity : 0), limit)
            }
            let root = pool.root(side, marginal: price)
            return min(pool.amount(side, to: root), limit)
        }
    }

    /// What an amount of one venue costs against the reference, and the next unit of it.
    private func cost(_ index: Int, _ side: TradeSide, _ amount: Double) -> (cost: Double, marginal: Double) {
        let venue = venues[index]
        switch venue.depth {
        case .book:
            let curve = curve(of: venue)
            var (cost, start, marginal) = (venue.fixedCost, 0.0, 0.0)
            for level in (side == .buy ? curve.buy : curve.sell) ?? [] where start < amount {
                cost += level.price * (min(level.upTo, amount) - start)
                marginal = level.price
                start = level.upTo
            }
            return (cost, marginal)
        case .pool(let pool):
            let root = pool.root(side, amount) ?? pool.rootPrice
            let money = pool.money(side, to: root)
            return (
                side.sign * (money - reference * amount) + unitCost(venue) * amount + venue.fixedCost,
                side.sign * (pool.marginal(side, root) - reference) + unitCost(venue)
            )
        }
    }
}

extension HedgeProblem {
    /// Adds a contract on several venues: those without fixed costs as one instrument, each of the others as one of its
    /// own, as whether to trade there at all is a question of its own.
    /// A fixed cost below 0, or one that is not a number, is refused with the problem's other numbers, by `validate`.
    /// - Parameter instrument: what does not depend on the venue; its fixed cost is not looked at.
    /// - Returns: the instruments, with the venue that each stands for, nil for those together. All of them take the
    ///   same coefficients in bands.
    public mutating func add(
        _ name: String, _ instrument: HedgeInstrument, on market: VenueMarket
    ) -> [(instrument: Int, venue: Int?)] {
        var added: [(instrument: Int, venue: Int?)] = []
        var own = instrument
        own.fixedCost = 0
        if market.venues.contains(where: { $0.isUp && $0.fixedCost == 0 }) {
            added.append((add(name, own, market.curve), nil))
        }
        for (index, venue) in market.venues.enumerated() where venue.isUp && venue.fixedCost != 0 {
            own.fixedCost = venue.fixedCost
            added.append((add("\(name) at \(venue.name)", own, market.curve(of: venue)), index))
        }
        return added
    }
}
