import VectorMath

/// Eight options as the boundary needs them: puts with strike 1. A call is the put with spot and strike, and rate and
/// dividend yield, exchanged (McDonald and Schroder), so that here `rate` is what early exercise earns and `yield` what it
/// gives up.
@usableFromInline
struct MirroredPuts {
    @usableFromInline let years, squareRootOfYears, volatility, rate, yield: Lanes

    @inlinable @inline(__always)
    init(years: Lanes, squareRootOfYears: Lanes, volatility: Lanes, rate: Lanes, yield: Lanes) {
        self.years = years
        self.squareRootOfYears = squareRootOfYears
        self.volatility = volatility
        self.rate = rate
        self.yield = yield
    }
}

/// √H = ln(X/B) and H at the nodes, eight options each, and the discount factors of every point.
@usableFromInline
struct BoundaryRoom {
    @usableFromInline let roots, squares, nextRoots: UnsafeMutablePointer<Lanes>
    @usableFromInline let discounts: UnsafeMutablePointer<Lanes>

    @inlinable @inline(__always)
    init(_ place: UnsafeMutablePointer<Lanes>, _ rule: AmericanRule) {
        roots = place
        squares = place + rule.nodes
        nextRoots = place + 2 * rule.nodes
        discounts = place + 3 * rule.nodes
    }
}

/// H at a point from its values at the nodes; not below 0.
@inlinable @inline(__always)
func interpolated<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ squares: UnsafePointer<Lanes>, _ weights: UnsafePointer<Double>, _ count: Int
) -> Lanes {
    // Two sums, as each addition waits for the one before.
    var even = squares[0] * Lanes(repeating: weights[0])
    var odd = squares[1] * Lanes(repeating: weights[1])
    var node = 2
    while node < count {
        even = A.multiplyAdd(squares[node], Lanes(repeating: weights[node]), even)
        odd = A.multiplyAdd(squares[node &+ 1], Lanes(repeating: weights[node &+ 1]), odd)
        node &+= 2
    }
    return (even + odd).atLeast(0)
}

/// The limit of the boundary at expiry, ln X = min(0, ln(r/q)).
@inlinable @inline(__always)
func logOfLimit<A: LaneArithmetic>(_ arithmetic: A.Type, _ puts: MirroredPuts) -> Lanes {
    let one = Lanes(repeating: 1)
    let isBelow = puts.yield .> puts.rate
    let ratio = logarithmOfRatio(
        arithmetic, one.replacing(with: puts.rate, where: isBelow),
        one.replacing(with: puts.yield, where: isBelow))
    return ratio.kept(where: isBelow).atMost(0)
}

/// Sweeps of the fixed-point system A over all nodes: both sides of the condition that the price leaves the payoff
/// without a kink, as B = K N/D, of which each node is solved by a step of Newton's in ln B with the integrals held fixed.
/// - Source: Andersen, Lake, Offengenden, "High performance American option pricing", J. Comput. Finance 20, 2016.
@inlinable @inline(__always)
func sweep<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ rule: AmericanRule, _ puts: MirroredPuts, logOfLimit: Lanes, _ room: BoundaryRoom,
    isFirst: Bool
) {
    let carry = puts.rate - puts.yield
    let drift = carry / puts.volatility - puts.volatility * Lanes(repeating: 0.5)
    let squareRootOfTwoPi = Lanes(repeating: 2.506628274631000502415765284811)
    let points = rule.points
    var node = 0
    while node < rule.nodes {
        let fraction = Lanes(repeating: rule.fractions[node])
        let years = puts.years * (fraction * fraction)
        let root = puts.squareRootOfYears * fraction
        let deviation = puts.volatility * root
        let inverse = Lanes(repeating: 1) / deviation
        let slope = drift * root
        let discounts = room.discounts + 2 * points * node
        if isFirst {
            fillDiscounts(arithmetic, rule, rate: puts.rate * years, yield: puts.yield * years, discounts)
        }
        let own = room.roots[node]
        let weights = rule.interpolation + node * points * rule.nodes
        // Σ of e^(−rm) n(d−)/v, e^(−qm) n(d+)/v and e^(−qm) N(d+), two points at a time.
        var strikeDensity = Lanes.zero
        var spotDensity = Lanes.zero
        var spotChance = Lanes.zero
        var k = 0
        while k < points {
            let first = rule.point[k]
            let second = rule.point[k &+ 1]
            let rootA = A.squareRoot(
                interpolated(arithmetic, room.squares, weights + k * rule.nodes, rule.nodes))
            let rootB = A.squareRoot(
                interpolated(arithmetic, room.squares, weights + (k &+ 1) * rule.nodes, rule.nodes))
            let lowerA = A.multiplyAdd(
                (rootA - own) * inverse, Lanes(repeating: first.inverse), slope * Lanes(repeating: first.sine)
            )
            let lowerB = A.multiplyAdd(
                (rootB - own) * inverse, Lanes(repeating: second.inverse),
                slope * Lanes(repeating: second.sine))
            let upperA = A.multiplyAdd(deviation, Lanes(repeating: first.sine), lowerA)
            let upperB = A.multiplyAdd(deviation, Lanes(repeating: second.sine), lowerB)
            let strikeA = centralBell(arithmetic, lowerA, scale: discounts[2 &* k])
            let strikeB = centralBell(arithmetic, lowerB, scale: discounts[2 &* k &+ 2])
            let spotA = centralBell(arithmetic, upperA, scale: discounts[2 &* k &+ 1])
            let spotB = centralBell(arithmetic, upperB, scale: discounts[2 &* k &+ 3])
            let (millsA, millsB) = centralMills(arithmetic, upperA, upperB)
            strikeDensity = A.multiplyAdd(strikeA, Lanes(repeating: first.inverse), strikeDensity)
            strikeDensity = A.multiplyAdd(strikeB, Lanes(repeating: second.inverse), strikeDensity)
            spotDensity = A.multiplyAdd(spotA, Lanes(repeating: first.inverse), spotDensity)
            spotDensity = A.multiplyAdd(spotB, Lanes(repeating: second.inverse), spotDensity)
            spotChance += chance(spotA * millsA, upperA, of: discounts[2 &* k &+ 1])
            spotChance += chance(spotB * millsB, upperB, of: discounts[2 &* k &+ 3])
            k &+= 2
        }
        // Both sides times σ√(2πτ).
        let logBoundary = logOfLimit - own
        let upper = A.multiplyAdd(
            A.multiplyAdd(carry, years, logBoundary), inverse, deviation * Lanes(repeating: 0.5))
        let lower = upper - deviation
        let (yieldFactor, discount) = (
            exponential(arithmetic, (puts.yield * years).negated),
            exponential(arithmetic, (puts.rate * years).negated)
        )
        let strikeBell = centralBell(arithmetic, lower, scale: discount)
        let spotBell = centralBell(arithmetic, upper, scale: yieldFactor)
        let (mills, _) = centralMills(arithmetic, upper, upper)
        let scale = deviation * squareRootOfTwoPi
        let numerator = A.multiplyAdd(puts.rate * years, strikeDensity, strikeBell)
        let denominator = A.multiplyAdd(
            puts.yield * years, A.multiplyAdd(scale, spotChance, spotDensity),
            A.multiplyAdd(scale, chance(spotBell * mills, upper, of: yieldFactor), spotBell))
        let tiny = Lanes(repeating: 0x1p-900)
        let isSound = (numerator .> tiny) .& (denominator .> tiny)
        let one = Lanes(repeating: 1)
        let safeNumerator = one.replacing(with: numerator, where: isSound)
        let safeDenominator = one.replacing(with: denominator, where: isSound)
        let gap = logarithmOfRatio(arithmetic, safeNumerator, safeDenominator) - logBoundary
        let steepness =
            (strikeBell * lower.negated * safeDenominator - spotBell * (deviation - upper) * safeNumerator)
            * inverse / (safeNumerator * safeDenominator)
        // A slope of 1 or more would lead away.
        let step = gap / (one - steepness).atLeast(0.125) * Lanes(repeating: rule.relaxation)
        let moved = (own - step.atLeast(-1).atMost(1)).atLeast(0)
        room.nextRoots[node] = own.replacing(with: moved, where: isSound .& (step .== step))
        node &+= 1
    }
    node = 0
    while node < rule.nodes {
        let root = room.nextRoots[node]
        room.roots[node] = root
        room.squares[node] = root * root
        node &+= 1
    }
}

/// Of a whole the part N(d), from the tail whole · N(−|d|).
@inlinable @inline(__always)
func chance(_ tail: Lanes, _ d: Lanes, of whole: Lanes) -> Lanes {
    (whole - tail).replacing(with: tail, where: d .< Lanes.zero)
}

/// e^(−rm) and e^(−qm) of every point of a node, times its weight.
@inlinable @inline(__always)
func fillDiscounts<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ rule: AmericanRule, rate: Lanes, yield: Lanes,
    _ discounts: UnsafeMutablePointer<Lanes>
) {
    var k = 0
    while k < rule.points {
        let point = rule.point[k]
        let (strike, spot) = exponentials(
            arithmetic, rate * Lanes(repeating: -point.square), yield * Lanes(repeating: -point.square))
        discounts[2 &* k] = strike * Lanes(repeating: point.weight)
        discounts[2 &* k &+ 1] = spot * Lanes(repeating: point.weight)
        k &+= 1
    }
}
