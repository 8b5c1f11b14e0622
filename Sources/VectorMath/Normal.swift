/// scale · N(−x)/exp(−x²/2) for two arguments x, y ≥ 0 that share one division.
///
/// N(−x)/exp(−x²/2) is the Mills ratio N(−x)/n(x) over √(2π): with `scale` a multiple of exp(−x²/2) the
/// results are upper tails of the normal distribution, accurate in the relative sense however far out.
/// - Range: arguments in [0, 2¹⁰⁰]. Accurate to 36; beyond, where the tail itself nears the smallest double,
///   it fades to 0, and is exactly 0 where the product of the denominators overflows (from some 2⁵³ on).
/// - Accuracy: see `AccuracyTests`; exactly ½ at 0.
@inlinable @inline(__always)
public func upperTails<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes, scale: Lanes
) -> (Lanes, Lanes) {
    upperTails(millsFractions(arithmetic, x, y), scale: scale)
}

/// Numerators and denominators of two Mills ratios over √(2π).
public typealias MillsFractions = (px: Lanes, qx: Lanes, py: Lanes, qy: Lanes)

/// The tails from their fractions.
@inlinable @inline(__always)
public func upperTails(_ mills: MillsFractions, scale: Lanes) -> (Lanes, Lanes) {
    let common = scale / (mills.qx * mills.qy)
    return (mills.px * (mills.qy * common), mills.py * (mills.qx * common))
}

/// scale · N(−|x|), and scale · exp(−x²/2) times N(−|y|)/exp(−y²/2), where what counts is the scale.
///
/// Cheaper than `gaussian` and `upperTails` by a quarter: an exponential to a base of 2^(1/8), whose whole powers come from
/// a table, and ratios with fewer terms.
/// - Accuracy: see `AccuracyTests`; of the tail itself up to 4.5, beyond that of the scale.
@inlinable @inline(__always)
public func centralTails<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes, scale: Lanes
) -> (Lanes, Lanes) {
    let scaled = centralBell(arithmetic, x, scale: scale)
    let (px, qx, py, qy) = centralMillsFractions(arithmetic, x.absolute, y.absolute)
    let common = scaled / (qx * qy)
    return (px * (qy * common), py * (qx * common))
}

/// scale · exp(−x²/2), where what counts is the scale.
/// - Accuracy: that of `centralTails`.
@inlinable @inline(__always)
public func centralBell<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes, scale: Lanes) -> Lanes {
    let shifter = Lanes(repeating: exponentShifter)
    // −x²/2 = (k + f) ln(2)/8. The constant is 4/ln 2 to 1.4e-17; beyond the bound 2^(k/8) would underflow.
    let square = (x * x).atMost(1400)
    let steps = Lanes(repeating: -0x1.71547652b82fep2)
    let shifted = A.multiplyAdd(square, steps, shifter)
    let f = A.multiplyAdd(square, steps, (shifted - shifter).negated)
    // What k/8 leaves to whole powers of two is added to the exponent; the table takes off what its own part adds.
    let entry = A.entries(of: eighthPowers, at: shifted.bits)
    let power = scale * Lanes(bits: entry.bits &+ (shifted.bits &<< 49))
    return A.multiplyAdd(power, f * eighthPowerTail(arithmetic, f), power)
}

/// N(−|x|)/exp(−x²/2) and the same of y, with one division: what `centralTails` multiplies by.
@inlinable @inline(__always)
public func centralMills<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
    let (px, qx, py, qy) = centralMillsFractions(arithmetic, x.absolute, y.absolute)
    let common = Lanes(repeating: 1) / (qx * qy)
    return (px * (qy * common), py * (qx * common))
}

/// 2^(j/8) with j/8 taken off the exponent's bits.
@inlinable @inline(__always)
var eighthPowers: Lanes {
    let powers = Lanes(
        0x1.0000000000000p0, 0x1.172b83c7d517bp0, 0x1.306fe0a31b715p0, 0x1.4bfdad5362a27p0,
        0x1.6a09e667f3bcdp0,
        0x1.8ace5422aa0dbp0, 0x1.ae89f995ad3adp0, 0x1.d5818dcfba487p0)
    return Lanes(bits: powers.bits &- (LaneBits(0, 1, 2, 3, 4, 5, 6, 7) &<< 49))
}

/// exp(−x²/2).
/// - Accuracy: 1 ulp and another x²/2 half ulps from the rounding of x²: half of what rounding x itself
///   does to the result, so that taking it back in would gain nothing (see `AccuracyTests`).
/// - Range: |x| at most 2⁵⁰⁰; 0 for |x| > 37.6.
@inlinable @inline(__always)
public func gaussian<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let square = x * x
    let minusHalf = Lanes(repeating: -0.5)
    let shifter = Lanes(repeating: exponentShifter)
    let shifted = A.multiplyAdd(square, Lanes(repeating: -0.5 * reciprocalLogOfTwo), shifter)
    let k = shifted - shifter
    var r = A.multiplyAdd(square, minusHalf, k * Lanes(repeating: -logOfTwoHigh))
    r = A.multiplyAdd(k, Lanes(repeating: -logOfTwoLow), r)
    return reducedExponential(arithmetic, r, shifted).kept(where: square .<= Lanes(repeating: 1416))
}

/// 1/√(2π): the normal density is this times `gaussian`.
@inlinable @inline(__always)
public var reciprocalSquareRootOfTwoPi: Double { 0x1.9884533d43651p-2 }
