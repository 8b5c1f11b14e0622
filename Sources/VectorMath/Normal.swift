/// N(−x)/exp(−x²/2) for two arguments x, y ≥ 0 that share one division.
///
/// This is the Mills ratio N(−x)/n(x) over √(2π): multiplied by exp(−x²/2) it is the upper tail of the
/// normal distribution, accurate in the relative sense however far out.
/// - Range: arguments in [0, 40]; beyond, exp(−x²/2) is 0 in double precision.
/// - Accuracy: see `AccuracyTests`; exactly ½ at 0.
@inlinable @inline(__always)
public func scaledUpperTails<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes
) -> (Lanes, Lanes) {
    let denominatorX = millsDenominator(arithmetic, x)
    let denominatorY = millsDenominator(arithmetic, y)
    let reciprocal = Lanes(repeating: 1) / (denominatorX * denominatorY)
    return (
        millsNumerator(arithmetic, x) * (denominatorY * reciprocal),
        millsNumerator(arithmetic, y) * (denominatorX * reciprocal)
    )
}

/// exp(−x²/2) with the rounding error of x² taken back in, so that the relative error does not grow
/// with x².
/// - Range: 0 for |x| > 37.6.
@inlinable @inline(__always)
public func gaussian<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let square = x * x
    let squareError = A.productError(x, x, square)
    let minusHalf = Lanes(repeating: -0.5)
    return exponential(arithmetic, square * minusHalf, low: squareError * minusHalf)
}

/// 1/√(2π): the normal density is this times `gaussian`.
@inlinable @inline(__always)
public var reciprocalSquareRootOfTwoPi: Double { 0x1.9884533d43651p-2 }
