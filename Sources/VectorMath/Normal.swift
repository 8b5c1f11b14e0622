/// scale · N(−x)/exp(−x²/2) for two arguments x, y ≥ 0 that share one division.
///
/// N(−x)/exp(−x²/2) is the Mills ratio N(−x)/n(x) over √(2π): with `scale` a multiple of exp(−x²/2) the
/// results are upper tails of the normal distribution, accurate in the relative sense however far out.
/// - Range: arguments in [0, 2⁴⁰]. Accurate to 36; beyond, where the tail itself nears the smallest double,
///   it fades to 0.
/// - Accuracy: see `AccuracyTests`; exactly ½ at 0.
@inlinable @inline(__always)
public func upperTails<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes, scale: Lanes
) -> (Lanes, Lanes) {
    let (px, qx, py, qy) = millsFractions(arithmetic, x, y)
    let common = scale / (qx * qy)
    return (px * (qy * common), py * (qx * common))
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
