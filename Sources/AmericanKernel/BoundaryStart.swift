import VectorMath

/// The boundary that the sweeps start from: Li's QD+ approximation at every node, from the nearest to expiry outwards, by
/// Newton's method in ln B, each from where the nodes before point to.
/// - Source: Li, "Analytical approximations for the critical stock prices of American options", Rev. Derivatives Res. 13,
///   2010.
@inlinable @inline(__always)
func startBoundary<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ rule: AmericanRule, _ puts: MirroredPuts, logOfLimit: Lanes, _ room: BoundaryRoom
) {
    let one = Lanes(repeating: 1)
    // 1/ln(X/B∞), with B∞ the boundary of an option without end.
    let furthest = (logOfLimit - logOfPerpetual(arithmetic, puts)).atLeast(0x1p-40)
    let reach = one / furthest
    var node = rule.nodes &- 1
    // How far B is below X as if it could go on for ever, which is nearly proportional to √τ.
    var before = Lanes.zero
    var last = Lanes.zero
    while node >= 0 {
        let fraction = rule.fractions[node]
        let years = puts.years * Lanes(repeating: fraction * fraction)
        let deviation = puts.volatility * puts.squareRootOfYears * Lanes(repeating: fraction)
        let problem = QuadraticBoundary(arithmetic, puts, years: years, deviation: deviation)
        var distance: Lanes
        if node == rule.nodes &- 1 {
            distance = deviation * Lanes(repeating: 2.5)
        } else {
            let nearer = rule.fractions[node &+ 1]
            let nearest = node == rule.nodes &- 2 ? 0 : rule.fractions[node &+ 2]
            let share = (fraction - nearer) / (nearer - nearest)
            // It rises, but never faster than √τ.
            distance = A.multiplyAdd(last - before, Lanes(repeating: share), last)
                .larger(last).smaller(last * Lanes(repeating: fraction / nearer))
        }
        let saturation = distance * reach
        var root = distance / A.squareRoot(A.multiplyAdd(saturation, saturation, one))
        var step = node == rule.nodes &- 1 ? 4 : node == rule.nodes &- 2 ? 3 : 2
        while step > 0 {
            let move = problem.step(arithmetic, logOfLimit - root)
            let next = (root + move.atLeast(-0.5).atMost(0.5)).atLeast(0).smaller(furthest)
            root = root.replacing(with: next, where: move .== move)
            step &-= 1
        }
        room.roots[node] = root
        room.squares[node] = root * root
        let relative = (root * reach).atMost(0.999)
        before = last
        last = root / A.squareRoot(A.multiplyAdd(relative.negated, relative, one))
        node &-= 1
    }
}

/// The logarithm of the boundary of an option that never expires, with the strike as 1; far down where there is none.
@inlinable @inline(__always)
func logOfPerpetual<A: LaneArithmetic>(_ arithmetic: A.Type, _ puts: MirroredPuts) -> Lanes {
    let one = Lanes(repeating: 1)
    let reciprocal = one / (puts.volatility * puts.volatility)
    let power = quadraticRoot(
        arithmetic, (puts.rate - puts.yield) * reciprocal * Lanes(repeating: 2) - one,
        puts.rate * reciprocal
    ).power.negated.atLeast(0x1p-200)
    return logarithmOfRatio(arithmetic, power, one + power)
}

/// The negative root λ of λ² + bλ − 2c = 0, and √(b² + 8c).
@inlinable @inline(__always)
func quadraticRoot<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ b: Lanes, _ c: Lanes
) -> (power: Lanes, root: Lanes) {
    let eight = c * Lanes(repeating: 8)
    let root = A.squareRoot(A.multiplyAdd(b, b, eight))
    let half = Lanes(repeating: -0.5)
    let sum = (b.absolute + root).atLeast(0x1p-300)
    // Where b < 0 the sum of both would cancel.
    let power = (sum * half).replacing(with: eight / sum * half, where: b .< Lanes.zero)
    return (power, root)
}

/// The equation of QD+ for one time to expiry, with the strike as 1.
@usableFromInline
struct QuadraticBoundary {
    @usableFromInline let rate, yield, discount, yieldFactor, deviation, inverse, beta, alpha: Lanes

    @inlinable @inline(__always)
    init<A: LaneArithmetic>(_ arithmetic: A.Type, _ puts: MirroredPuts, years: Lanes, deviation: Lanes) {
        let one = Lanes(repeating: 1)
        let two = Lanes(repeating: 2)
        rate = puts.rate * years
        yield = puts.yield * years
        discount = exponential(arithmetic, rate.negated)
        yieldFactor = exponential(arithmetic, yield.negated)
        self.deviation = deviation
        inverse = one / deviation
        let reciprocal = inverse * inverse
        // rτ/(1 − e^(−rτ)), 1 for r = 0.
        let isSmall = rate .< Lanes(repeating: 0.3)
        let lost = (one - discount).replacing(
            with: smallExponentialLessOne(arithmetic, rate.negated.kept(where: isSmall)).negated,
            where: isSmall)
        let hasRate = rate .> Lanes(repeating: 0x1p-200)
        let growth = one.replacing(
            with: rate / one.replacing(with: lost, where: hasRate), where: hasRate)
        let (power, root) = quadraticRoot(
            arithmetic, (rate - yield) * reciprocal * two - one, growth * reciprocal)
        let perRoot = one / root.atLeast(0x1p-300)
        let scale = two * reciprocal * perRoot
        let bend = growth * A.multiplyAdd(growth * scale, perRoot.negated, one)
        alpha = scale.negated
        beta = A.multiplyAdd(discount * scale, bend.negated, power.negated)
    }

    /// By how much ln B falls in a step of Newton's.
    @inlinable @inline(__always)
    func step<A: LaneArithmetic>(_ arithmetic: A.Type, _ logBoundary: Lanes) -> Lanes {
        let one = Lanes(repeating: 1)
        let half = Lanes(repeating: 0.5)
        let drift = (rate - yield) * inverse
        let spot = exponential(arithmetic, logBoundary.atLeast(-690))
        let upper = A.multiplyAdd(logBoundary, inverse, A.multiplyAdd(deviation, half, drift))
        let lower = upper - deviation
        let forward = spot * yieldFactor
        let bell = centralBell(arithmetic, upper, scale: forward)
        let (upperMills, lowerMills) = centralMills(arithmetic, upper, lower)
        let zero = Lanes.zero
        let given = (bell * upperMills)
            .replacing(with: forward - bell * upperMills, where: upper .< zero)
        let got = (bell * lowerMills)
            .replacing(with: discount - bell * lowerMills, where: lower .< zero)
        let density = bell * Lanes(repeating: reciprocalSquareRootOfTwoPi)
        let price = got - given
        let decay = rate * got - yield * given - density * deviation * half
        let charm = A.multiplyAdd(density, drift - lower * half, yield * given).negated
        let held = spot - given
        let value = held - beta * (one - spot - price) + alpha * decay
        let slope = held + density * inverse + beta * held + alpha * charm
        return value / slope
    }
}
