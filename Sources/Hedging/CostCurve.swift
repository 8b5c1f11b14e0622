import Checks

/// What an instrument costs level by level, on each side, beside its own `costBuy`, `costSell` and `impact`: the
/// levels of an order book, a pool's price along its curve, or several of these as one.
///
/// A side that is nil has no levels: the instrument's own costs and limit are all there is. A side without any level
/// cannot be traded. Costs are convex: the marginal cost never falls from one level to the next, nor from selling to
/// buying, so that levels are filled in their order.
public struct CostCurve: Sendable, Equatable {
    /// A stretch of amounts.
    public struct Level: Sendable, Equatable {
        /// The amount, counted from no trade at all, at which it ends; infinite where the last one has no end.
        public var upTo: Double
        /// Cost of its first unit.
        public var price: Double
        /// Coefficient of the square of the amount that is traded within it.
        public var quadratic: Double

        public init(upTo: Double, price: Double, quadratic: Double = 0) {
            self.upTo = upTo
            self.price = price
            self.quadratic = quadratic
        }
    }

    public var buy: [Level]?
    public var sell: [Level]?

    public init(buy: [Level]? = nil, sell: [Level]? = nil) {
        self.buy = buy
        self.sell = sell
    }

    /// No levels on either side.
    public static let none = CostCurve()

    /// Whether neither side has levels.
    public var isNone: Bool { buy == nil && sell == nil }
}

/// A side of an instrument's trades.
enum TradeSide: String {
    case buy, sell

    static let both = [TradeSide.buy, .sell]
    var sign: Double { self == .buy ? 1 : -1 }
}

/// A stretch of amounts on one side of an instrument, all its costs together.
struct CostPiece: Equatable {
    /// Where it starts and how long it is; the last one may be infinite.
    var start, size: Double
    /// Cost of its first unit.
    var price: Double
    /// Coefficient of the square of the amount within it.
    var quadratic: Double

    /// Cost of its last unit.
    var lastPrice: Double { quadratic > 0 ? price + 2 * quadratic * size : price }

    func cost(_ amount: Double) -> Double { (price + quadratic * amount) * amount }
}

extension HedgeProblem {
    func levels(_ i: Int, _ side: TradeSide) -> [CostCurve.Level]? {
        guard i < curves.count else { return nil }
        return side == .buy ? curves[i].buy : curves[i].sell
    }

    /// The most that may be traded of an instrument on a side: its own limit, or the end of its levels.
    func limit(_ i: Int, _ side: TradeSide) -> Double {
        let own = side == .buy ? instruments[i].maximumBuy : instruments[i].maximumSell
        return levels(i, side).map { min(own, $0.last?.upTo ?? 0) } ?? own
    }

    /// All costs of a side that grow with the amount, in the order in which they are met, as far as the limit.
    func pieces(_ i: Int, _ side: TradeSide) -> [CostPiece] {
        var pieces: [CostPiece] = []
        append(i, side, to: &pieces)
        return pieces
    }

    /// Adds `pieces` of a side to others.
    /// - Returns: as `limit`.
    @discardableResult
    func append(_ i: Int, _ side: TradeSide, to pieces: inout [CostPiece]) -> Double {
        let instrument = instruments[i]
        let cost = side == .buy ? instrument.costBuy : instrument.costSell
        let own = side == .buy ? instrument.maximumBuy : instrument.maximumSell
        let impact = instrument.impact
        guard let levels = levels(i, side) else {
            if own > 0 { pieces.append(CostPiece(start: 0, size: own, price: cost, quadratic: impact)) }
            return own
        }
        let first = pieces.count
        var start = 0.0
        for level in levels {
            let end = min(level.upTo, own)
            guard end > start else { continue }
            let price = cost + level.price + 2 * impact * start
            let quadratic = level.quadratic + impact
            // As one with the stretch before where it costs no more.
            let last = pieces.count - 1
            if quadratic == 0, last >= first, pieces[last].quadratic == 0, pieces[last].price >= price {
                pieces[last].size = end - pieces[last].start
            } else {
                pieces.append(CostPiece(start: start, size: end - start, price: price, quadratic: quadratic))
            }
            start = end
            if start >= own { break }
        }
        return start
    }

    /// What an amount of a side costs by its levels alone.
    func levelCost(_ i: Int, _ side: TradeSide, _ amount: Double) -> Double {
        guard amount > 0, let levels = levels(i, side) else { return 0 }
        var cost = 0.0
        var start = 0.0
        for level in levels where start < amount {
            let part = min(level.upTo, amount) - start
            guard part > 0 else { continue }
            cost += (level.price + level.quadratic * part) * part
            start = level.upTo
        }
        return cost
    }

    /// What a trade costs by its levels alone.
    package func levelCost(_ i: Int, _ x: Double) -> Double {
        guard i < curves.count, !curves[i].isNone else { return 0 }
        return levelCost(i, x > 0 ? .buy : .sell, x.magnitude)
    }

    /// Whether the cash budget counts impact, levels, and fixed costs too, and not linear costs alone.
    var countsAllCosts: Bool { budgetCountsAllCosts || !curves.isEmpty }

    // MARK: Checks

    /// - Throws: the first level that is no number, out of order, or cheaper than the one before.
    func validateCurves() throws(HedgeError) {
        guard curves.count == instruments.count else {
            throw .lengthMismatch(field: "curves", expected: instruments.count, got: curves.count)
        }
        for i in curves.indices where !curves[i].isNone {
            for side in TradeSide.both where !hasPlainLevels(i, side) { try checkLevels(i, side) }
            let instrument = instruments[i]
            guard let buy = levels(i, .buy)?.first?.price ?? (curves[i].buy == nil ? 0 : nil),
                let sell = levels(i, .sell)?.first?.price ?? (curves[i].sell == nil ? 0 : nil)
            else { continue }
            let least = -(buy + instrument.costBuy) - instrument.costSell
            guard sell >= least - 1e-12 * (buy.magnitude + instrument.costBuy.magnitude) else {
                throw .invalidValue(
                    field: "instruments[\(i)].sell[0].price", name: instrumentNames[i], value: sell,
                    reason: "buying and selling again would earn money: must be at least \(least)")
            }
        }
    }

    /// Whether `checkLevels` finds nothing, by one look at each number.
    private func hasPlainLevels(_ i: Int, _ side: TradeSide) -> Bool {
        guard let levels = levels(i, side) else { return true }
        let most = Self.largestMagnitude
        var (end, last) = (0.0, -most)
        for level in levels {
            guard level.upTo > end, level.upTo <= most, level.quadratic == 0, level.price >= last,
                level.price <= most
            else { return false }
            (end, last) = (level.upTo, level.price)
        }
        return true
    }

    private func checkLevels(_ i: Int, _ side: TradeSide) throws(HedgeError) {
        guard let levels = levels(i, side) else { return }
        let most = Self.largestMagnitude
        var end = 0.0
        var (last, noise) = (-Double.infinity, 0.0)
        func invalid(_ k: Int, _ field: String, _ value: Double, _ reason: String) -> HedgeError {
            .invalidValue(
                field: "instruments[\(i)].\(side.rawValue)[\(k)].\(field)", name: instrumentNames[i],
                value: value, reason: reason)
        }
        for (k, level) in levels.enumerated() {
            guard level.price.magnitude <= most else {
                throw invalid(k, "price", level.price, HedgeProblem.anyNumber.complaint)
            }
            guard level.quadratic >= 0, level.quadratic <= most else {
                throw invalid(k, "quadratic", level.quadratic, HedgeProblem.notNegative.complaint)
            }
            guard level.upTo > end, level.upTo <= most || (level.upTo == .infinity && k == levels.count - 1)
            else {
                throw invalid(
                    k, "upTo", level.upTo, "must be above \(end), and finite where levels follow")
            }
            guard level.price >= last - noise else {
                throw invalid(
                    k, "price", level.price,
                    "is below \(last), which the level before ends at: costs must not fall with the amount")
            }
            last = level.price + 2 * level.quadratic * (level.upTo < .infinity ? level.upTo - end : 0)
            // The size of a level is a difference of amounts.
            noise = 1e-12 * (last.magnitude + (level.quadratic > 0 ? 2 * level.quadratic * level.upTo : 0))
            end = level.upTo
        }
        let instrument = instruments[i]
        let cost = (side == .buy ? instrument.costBuy : instrument.costSell) + (levels.last?.price ?? 0)
        guard limit(i, side) < .infinity || cost >= 0 || (levels.last?.quadratic ?? 0) + instrument.impact > 0
        else {
            throw invalid(
                levels.count - 1, "upTo", .infinity, "must be finite where trading earns (cost \(cost))")
        }
    }
}

/// The stretches of all instruments' costs, side by side. Numbers of a problem of the same size are taken in without an
/// allocation.
struct CostTable {
    private var pieces: [CostPiece] = []
    /// Where the stretches of a side begin: of instrument i bought at 2i, sold at 2i + 1.
    private var starts: [Int] = []
    private var limits: [Double] = []
    /// Whether some instrument's stretches differ in how they bend.
    private(set) var isBent = false
    /// Whether any of them bends.
    private(set) var hasQuadratics = false
    /// Whether no side has more than one stretch, and both sides of an instrument bend alike.
    var isPlain: Bool { !isBent && hasOneEach }
    private var hasOneEach = true

    init() {}

    init(_ problem: HedgeProblem) {
        pieces.reserveCapacity(
            problem.curves.reduce(2 * problem.instruments.count) {
                $0 + ($1.buy?.count ?? 0) + ($1.sell?.count ?? 0)
            })
        load(problem)
    }

    mutating func load(_ problem: HedgeProblem) {
        pieces.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        limits.removeAll(keepingCapacity: true)
        (isBent, hasQuadratics, hasOneEach) = (false, false, true)
        for i in problem.instruments.indices {
            let first = pieces.count
            for side in TradeSide.both {
                let start = pieces.count
                starts.append(start)
                limits.append(problem.append(i, side, to: &pieces))
                if pieces.count - start > 1 { hasOneEach = false }
            }
            for k in first..<pieces.count {
                if pieces[k].quadratic != pieces[first].quadratic { isBent = true }
                if pieces[k].quadratic > 0 { hasQuadratics = true }
            }
        }
        starts.append(pieces.count)
    }

    /// The places of a side's stretches.
    @inline(__always)
    func places(_ i: Int, _ side: TradeSide) -> Range<Int> {
        let k = side == .buy ? 2 * i : 2 * i + 1
        return starts[k]..<starts[k + 1]
    }

    /// The most that may be traded of a side, as the problem's `limit`.
    @inline(__always)
    func limit(_ i: Int, _ side: TradeSide) -> Double { limits[side == .buy ? 2 * i : 2 * i + 1] }

    /// The stretch at a place.
    @inline(__always) subscript(_ place: Int) -> CostPiece { pieces[place] }

    subscript(_ i: Int, _ side: TradeSide) -> ArraySlice<CostPiece> { pieces[places(i, side)] }

    /// Stretch `k` of a side, nil where there are not as many.
    func piece(_ i: Int, _ side: TradeSide, _ k: Int) -> CostPiece? {
        let places = places(i, side)
        return k < places.count ? pieces[places.lowerBound + k] : nil
    }

    /// What a trade costs.
    func cost(_ i: Int, _ x: Double) -> Double {
        var (cost, left) = (0.0, x.magnitude)
        guard left > 0 else { return 0 }
        for k in places(i, x > 0 ? .buy : .sell) where left > 0 {
            cost += pieces[k].cost(min(left, pieces[k].size))
            left -= pieces[k].size
        }
        return cost
    }

    /// The slopes of what a trade costs, below and above it, and their size.
    func slopes(_ i: Int, _ x: Double) -> (left: Double, right: Double, size: Double) {
        let side = x < 0 ? TradeSide.sell : .buy
        let amount = x.magnitude
        // The costs of the unit before this amount and of the one after it.
        var before = x == 0 ? piece(i, .sell, 0).map { -$0.price } ?? -.infinity : 0
        var after = Double.infinity
        for k in places(i, side) {
            let piece = pieces[k]
            let into = amount - piece.start
            if into < piece.size {
                after = piece.price + 2 * piece.quadratic * max(into, 0)
                if into > 0 { before = after }
                break
            }
            before = piece.lastPrice
        }
        let (left, right) = x < 0 ? (-after, -before) : (before, after)
        let size = (left.isFinite ? left.magnitude : 0) + (right.isFinite ? right.magnitude : 0)
        return (left, right, size)
    }

    // MARK: The ends of stretches

    /// What is next to an end of a stretch: end 0 is no trade, end c > 0 the end of the c-th that is bought, −c of the
    /// c-th that is sold.
    struct End {
        var position: Double
        /// How far the stretches below and above go, their slopes at the end, and how they bend.
        var below = 0.0
        var above = 0.0
        var left = 0.0
        var right = 0.0
        var bendBelow = 0.0
        var bendAbove = 0.0
    }

    func end(_ i: Int, _ c: Int) -> End {
        var end = End(position: 0)
        // On the way out and on the way back, by amounts.
        let side: TradeSide = c < 0 ? .sell : .buy
        let inner = c == 0 ? nil : piece(i, side, abs(c) - 1)
        let outer = piece(i, side, abs(c))
        if let inner { end.position = side.sign * (inner.start + inner.size) }
        let back = c == 0 ? piece(i, .sell, 0) : inner
        let outSlope = outer?.price
        let backSlope = c == 0 ? back.map { -$0.price } : inner?.lastPrice
        let (out, home) = (outSlope ?? backSlope ?? 0, backSlope ?? outSlope ?? 0)
        if side == .buy {
            (end.above, end.below) = (outer?.size ?? 0, back?.size ?? 0)
            (end.right, end.left) = (out, home)
            (end.bendAbove, end.bendBelow) = (outer?.quadratic ?? 0, back?.quadratic ?? 0)
        } else {
            (end.below, end.above) = (outer?.size ?? 0, back?.size ?? 0)
            (end.left, end.right) = (-out, -home)
            (end.bendBelow, end.bendAbove) = (outer?.quadratic ?? 0, back?.quadratic ?? 0)
        }
        return end
    }

    /// The end nearest to a trade, of the stretch that it is in.
    func nearestEnd(_ i: Int, _ x: Double) -> Int {
        let side: TradeSide = x < 0 ? .sell : .buy
        let amount = x.magnitude
        var k = 0
        while let piece = piece(i, side, k) {
            let into = amount - piece.start
            if into <= piece.size {
                let isFar = piece.size < .infinity && into > 0.5 * piece.size
                return (isFar ? k + 1 : k) * (side == .buy ? 1 : -1)
            }
            k += 1
        }
        return k * (side == .buy ? 1 : -1)
    }

    /// Whether a trade lies next to an end.
    func isNext(_ i: Int, _ c: Int, _ x: Double) -> Bool {
        guard c >= -places(i, .sell).count, c <= places(i, .buy).count else { return false }
        let end = end(i, c)
        return x >= end.position - end.below && x <= end.position + end.above
    }
}
