import VectorMath

/// The early-exercise premium of eight options over the strike, and its first four derivatives by spot over strike.
@usableFromInline
struct Premium {
    @usableFromInline var value, slope, bend, twist, snap: Lanes

    @inlinable @inline(__always)
    init() { (value, slope, bend, twist, snap) = (.zero, .zero, .zero, .zero, .zero) }
}

/// Options as the premium's integral takes them.
@usableFromInline
struct PremiumInput {
    /// ln(S/K) and S/K.
    @usableFromInline let logMoneyness, ratio: Lanes
    @usableFromInline let rate, dividend: Lanes
    /// 1 << 63 for a put.
    @usableFromInline let putSign: LaneBits

    @inlinable @inline(__always)
    init(logMoneyness: Lanes, ratio: Lanes, rate: Lanes, dividend: Lanes, putSign: LaneBits) {
        self.logMoneyness = logMoneyness
        self.ratio = ratio
        self.rate = rate
        self.dividend = dividend
        self.putSign = putSign
    }
}

/// V − European = ∫ w (q S e^(−qm) N(w d+) − r K e^(−rm) N(w d−)) dm over the time m until exercise, with d± those of an
/// option struck at the boundary of m before expiry; derivatives by spot with the boundary, which does not depend on it.
/// - Source: Kim, "The analytic valuation of American options", Rev. Financial Studies 3, 1990.
@inlinable @inline(__always)
func premium<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ rule: AmericanRule, _ puts: MirroredPuts, logOfLimit: Lanes, _ room: BoundaryRoom,
    _ input: PremiumInput, hasDerivatives: Bool
) -> Premium {
    let one = Lanes(repeating: 1)
    let deviation = puts.volatility * puts.squareRootOfYears
    let inverse = one / deviation
    let drift = (input.rate - input.dividend) * puts.years * inverse - deviation * Lanes(repeating: 0.5)
    let rate = input.rate * puts.years
    let dividend = input.dividend * puts.years
    let perRatio = one / input.ratio
    var chances = Lanes.zero
    var value = Lanes.zero
    var densities = Premium()
    var k = 0
    while k < rule.premiumPoints {
        let point = rule.premiumPoint[k]
        let root = A.squareRoot(
            interpolated(
                arithmetic, room.squares, rule.premiumInterpolation + k * rule.nodes, rule.nodes))
        // ln(S/B): a call's boundary is as far above the strike as its mirror's is below.
        let distance =
            input.logMoneyness
            + (logOfLimit - root).negated.flippingSign(
                input.putSign ^ LaneBits(repeating: 1 << 63))
        let lower = A.multiplyAdd(
            distance * inverse, Lanes(repeating: point.inverse), drift * Lanes(repeating: point.sine))
        let upper = A.multiplyAdd(deviation, Lanes(repeating: point.sine), lower)
        let (strikeFactor, spotFactor) = exponentials(
            arithmetic, rate * Lanes(repeating: -point.square), dividend * Lanes(repeating: -point.square))
        let strikeWeight = strikeFactor * Lanes(repeating: point.weight) * rate
        let spotWeight = spotFactor * Lanes(repeating: point.weight) * dividend
        let strikeBell = centralBell(arithmetic, lower, scale: strikeWeight)
        let spotBell = centralBell(arithmetic, upper, scale: spotWeight)
        let (strikeMills, spotMills) = centralMills(arithmetic, lower, upper)
        let strikeChance = chance(
            strikeBell * strikeMills, lower.flippingSign(input.putSign), of: strikeWeight)
        let spotChance = chance(spotBell * spotMills, upper.flippingSign(input.putSign), of: spotWeight)
        value += A.multiplyAdd(input.ratio, spotChance, strikeChance.negated)
        if hasDerivatives {
            chances += spotChance
            // q e^(−qm) n(d+)/v and r (K/S) e^(−rm) n(d−)/v, less the factor 1/√(2π).
            let perDeviation = inverse * Lanes(repeating: point.inverse)
            let spotDensity = spotBell * perDeviation
            let difference = A.multiplyAdd(strikeBell * perRatio, perDeviation.negated, spotDensity)
            let steep = lower * perDeviation
            let bend = A.multiplyAdd(difference, (one + steep).negated, spotDensity)
            densities.slope += difference
            densities.bend += bend
            let square = perDeviation * perDeviation
            let twist = A.multiplyAdd(bend, Lanes(repeating: 2) + steep, difference * square)
            densities.twist += twist
            // With D, bend and twist as sums of A and D: x A′ = −(1 + s) A, x D′ = −(1 + s) D and x s′ = 1/v².
            let fall = A.multiplyAdd(
                bend, Lanes(repeating: -2) - steep - square, square * (one + steep) * difference)
            densities.snap += A.multiplyAdd(twist, Lanes(repeating: 4) + steep, fall)
        }
        k &+= 1
    }
    var result = Premium()
    result.value = value.flippingSign(input.putSign)
    if hasDerivatives {
        let scale = Lanes(repeating: reciprocalSquareRootOfTwoPi)
        result.slope = A.multiplyAdd(densities.slope, scale, chances.flippingSign(input.putSign))
        result.bend = densities.bend * scale * perRatio
        result.twist = (densities.twist * scale * perRatio * perRatio).negated
        result.snap = densities.snap * scale * perRatio * perRatio * perRatio
    }
    return result
}
